"""What a test gives to `kms.key_store(...)`, checked: each function returns it, or says what is wrong."""

from __future__ import annotations

import base64
import re
from itertools import count
from typing import TYPE_CHECKING

from pytest_kms import service
from pytest_kms.crypto import trust_anchor
from pytest_kms.crypto.specs import AWS_CLOUDHSM, AWS_KMS
from pytest_kms.errors import KMSError, UsageError
from pytest_kms.state import cluster as clusters
from pytest_kms.state import proxy as proxies
from pytest_kms.state.cluster import Cluster
from pytest_kms.state.key_store import KINDS
from pytest_kms.state.proxy import PROXY_API, PUBLIC_ENDPOINT, VPC_ENDPOINT_SERVICE, Proxy

if TYPE_CHECKING:
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.registry import Registry


def name(registry: Registry, given: str | None) -> str:
    """Return the name that is given, or the next that is free."""
    taken = {store.name for store in registry.key_stores.values()}
    if given is None:
        return next(name for number in count(1) if (name := f"key-store-{number}") not in taken)
    if given in taken:
        raise UsageError(f"there is a key store {given!r} in {registry.region} already")
    return _of_shape("CustomKeyStoreNameType", given)


def backing(
    registry: Registry, kind: str, *, cluster_id: str | None, endpoint: str | None, path: str | None, vpc: str | None
) -> Cluster | Proxy:
    """Return what is behind a key store of a kind: nothing that another key store has."""
    of_cluster = {"cluster_id": cluster_id}
    of_proxy = {"endpoint": endpoint, "path": path, "vpc_endpoint_service": vpc}
    try:
        if kind not in KINDS:
            raise UsageError(f"a key store is {' or '.join(KINDS)}, not {kind!r}")
        if kind == AWS_CLOUDHSM:
            _expect_none(kind, of_proxy)
            return _cluster(registry, cluster_id)
        _expect_none(kind, of_cluster)
        return _proxy(registry, endpoint, path or PROXY_API, vpc)
    except KMSError as error:
        raise UsageError(error.why) from None


def home(store: CustomKeyStore, region: str | None, account: str | None, origin: str) -> tuple[str, str, str]:
    """Return the Region, the account and the origin of a key in a key store, from which they follow."""
    if store.home.key_stores.get(store.id) is not store:
        raise UsageError(f"the key store {store.name} was deleted")
    told = (region or store.region, account or store.account, store.kind if origin == AWS_KMS else origin)
    followed = (store.region, store.account, store.kind)
    if told != followed:
        raise UsageError(f"a key of {store.name} is one of {', '.join(followed)}, not of {', '.join(told)}")
    return followed


def _expect_none(kind: str, given: dict[str, str | None]) -> None:
    for argument, value in given.items():
        if value is not None:
            raise UsageError(f"a key store of kind {kind} has no {argument}")


def _cluster(registry: Registry, given: str | None) -> Cluster:
    cluster_id = given or f"cluster-{_base32(registry, 11).lower()}"
    cluster = Cluster(_of_shape("CloudHsmClusterIdType", cluster_id), trust_anchor.OF_TESTS)
    clusters.expect_usable(registry, cluster)
    return cluster


def _proxy(registry: Registry, endpoint: str | None, path: str, vpc: str | None) -> Proxy:
    endpoint = endpoint or f"https://{_base32(registry, 8).lower()}.example.com"
    proxy = Proxy(
        connectivity=PUBLIC_ENDPOINT if vpc is None else VPC_ENDPOINT_SERVICE,
        endpoint=_of_shape("XksProxyUriEndpointType", endpoint),
        path=_of_shape("XksProxyUriPathType", path),
        access_key_id=_base32(registry, 20),
        vpc_service=None if vpc is None else _of_shape("XksProxyVpcEndpointServiceNameType", vpc),
        vpc_owner=None if vpc is None else registry.account,
    )
    proxies.expect_usable(registry, proxy)
    proxies.expect_answer(proxy)
    return proxy


def _base32(registry: Registry, length: int) -> str:
    """Return random letters and digits of those that AWS has in several ids: `A` to `Z` and `2` to `7`."""
    return base64.b32encode(registry.world.random_bytes(length)).decode()[:length]


def _of_shape(shape: str, given: str) -> str:
    """Check a text against the constraints of KMS's model."""
    constraints = service.model().shape_for(shape).metadata
    least, most, pattern = constraints["min"], constraints["max"], constraints.get("pattern")
    if not least <= len(given) <= most or (pattern and not re.fullmatch(pattern, given, re.ASCII)):
        like = f" like {pattern}" if pattern else ""
        raise UsageError(f"a {shape.removesuffix('Type')} has {least} to {most} characters{like}; {given!r} has not")
    return given
