"""An AWS CloudHSM cluster: what is behind an AWS CloudHSM key store.

The fake knows nothing of clusters but what calls and tests say: one that is named for the first time is there, and
in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kms.crypto.trust_anchor import is_certificate
from pytest_kms.errors import (
    CloudHsmClusterInUseException,
    CloudHsmClusterNotFoundException,
    CloudHsmClusterNotRelatedException,
    IncorrectTrustAnchorException,
)

if TYPE_CHECKING:
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.registry import Registry


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as KMS knows it. The password of kmsuser is not kept."""

    id: str
    trust_anchor: str


def expect_usable(registry: Registry, cluster: Cluster) -> None:
    """Refuse the cluster of a new key store.

    Raises:
        CloudHsmClusterInUseException: another key store has it.
        CloudHsmClusterNotFoundException: it is known to be in another account or Region.
        IncorrectTrustAnchorException: the trust anchor is no certificate.

    """
    # AWS's sentences were not found, neither here nor below.
    user = _user(registry, cluster.id)
    if user is not None and user.home is registry:
        raise CloudHsmClusterInUseException(why=f"{cluster.id} is the cluster of {user.name}")
    _expect_here(registry, user, cluster.id)
    if not is_certificate(cluster.trust_anchor):
        raise IncorrectTrustAnchorException(why="the TrustAnchorCertificate is no certificate in PEM")


def expect_related(registry: Registry, cluster_id: str) -> None:
    """Refuse a cluster that is to take the place of another one.

    Raises:
        CloudHsmClusterNotRelatedException: another key store has it, and the clusters of two are never related.
        CloudHsmClusterNotFoundException: it is known to be in another account or Region.

    """
    user = _user(registry, cluster_id)
    if user is not None and user.home is registry:
        raise CloudHsmClusterNotRelatedException(why=f"{cluster_id} is the cluster of {user.name}")
    _expect_here(registry, user, cluster_id)


def _user(registry: Registry, cluster_id: str) -> CustomKeyStore | None:
    return next((store for store in registry.world.all_key_stores() if store.cluster_id == cluster_id), None)


def _expect_here(registry: Registry, user: CustomKeyStore | None, cluster_id: str) -> None:
    if user is not None and user.home is not registry:
        place = f"account {user.account}, {user.region}"
        raise CloudHsmClusterNotFoundException(why=f"{cluster_id} is the cluster of {user.name} in {place}")
