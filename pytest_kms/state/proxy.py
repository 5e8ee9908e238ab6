"""An external key store proxy: what is behind an external key store, and in front of an external key manager.

The fake knows nothing of proxies but what calls and tests say: one that is named for the first time is there, and
in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kms.errors import (
    XksProxyInvalidConfigurationException,
    XksProxyUriEndpointInUseException,
    XksProxyUriInUseException,
    XksProxyVpcEndpointServiceInUseException,
    XksProxyVpcEndpointServiceNotFoundException,
)
from pytest_kms.state.connection_errors import INVALID_PATH_SENTENCE

if TYPE_CHECKING:
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.registry import Registry

PUBLIC_ENDPOINT = "PUBLIC_ENDPOINT"
VPC_ENDPOINT_SERVICE = "VPC_ENDPOINT_SERVICE"

PROXY_API = "/kms/xks/v1"
"""How the path of every proxy ends: of its API there is one version alone."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy as KMS knows it. The secret access key is not kept."""

    connectivity: str
    endpoint: str
    path: str
    access_key_id: str
    vpc_service: str | None = None
    vpc_owner: str | None = None

    @property
    def private(self) -> bool:
        """Whether a VPC endpoint service leads to it: KMS does not try it before it is to be connected."""
        return self.connectivity == VPC_ENDPOINT_SERVICE

    @property
    def answers(self) -> bool:
        """Whether there is something at its path."""
        return self.path.endswith(PROXY_API)


def expect_usable(registry: Registry, proxy: Proxy, *, but: CustomKeyStore | None = None) -> None:
    """Refuse the proxy of a key store, which may have had it before (`but`).

    Raises:
        XksProxyVpcEndpointServiceInUseException: another key store has its endpoint service.
        XksProxyVpcEndpointServiceNotFoundException: its endpoint service is one of another Region.
        XksProxyUriInUseException: another key store has its endpoint and path.
        XksProxyUriEndpointInUseException: another has its endpoint, and one of the two has it for itself.

    """
    # AWS's sentences were not found.
    for other in registry.other_key_stores(but):
        known = other.backing
        if not isinstance(known, Proxy):
            continue
        if proxy.vpc_service is not None and proxy.vpc_service == known.vpc_service:
            raise XksProxyVpcEndpointServiceInUseException(why=f"{other.name} has {proxy.vpc_service}")
        if proxy.endpoint != known.endpoint:
            continue
        if proxy.path == known.path:
            raise XksProxyUriInUseException(why=f"{other.name} has {proxy.endpoint}{proxy.path}")
        if proxy.private or known.private:
            why = f"{other.name} has {proxy.endpoint}, and only public endpoints serve several key stores"
            raise XksProxyUriEndpointInUseException(why=why)
    if proxy.vpc_service is not None and f".{registry.region}." not in proxy.vpc_service:
        why = f"{proxy.vpc_service} is an endpoint service of another Region than {registry.region}"
        raise XksProxyVpcEndpointServiceNotFoundException(why=why)


def expect_answer(proxy: Proxy) -> None:
    """Refuse a proxy that KMS tries at once.

    Raises:
        XksProxyInvalidConfigurationException: nothing is at its path.

    """
    if not proxy.answers:
        why = f"the proxy API has no other version than {PROXY_API}, so nothing is at {proxy.path}"
        raise XksProxyInvalidConfigurationException(INVALID_PATH_SENTENCE, why=why)
