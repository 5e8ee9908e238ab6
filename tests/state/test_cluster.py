"""AWS CloudHSM clusters: which may be behind a key store."""

from __future__ import annotations

import pytest
from key_stores import CLUSTER, OF_CLUSTER, OTHER_CLUSTER, create, refusal, store_in, update_refused

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")


def test_a_cluster_serves_one_key_store(kms: FakeKMS) -> None:
    """As long as it lives."""
    store_id = create(kms.client, **OF_CLUSTER)
    assert {"Code": "CloudHsmClusterInUseException", "Message": ""} == refusal(kms.client, **OF_CLUSTER)
    assert f"{CLUSTER} is the cluster of vault" == kms.trail.last.why
    kms.client.delete_custom_key_store(CustomKeyStoreId=store_id)
    assert create(kms.client, **OF_CLUSTER)


@pytest.mark.parametrize("elsewhere", [{"region": "eu-west-1"}, {"account": "210987654321"}], ids=["Region", "account"])
def test_a_cluster_that_is_elsewhere_is_not_found(kms: FakeKMS, elsewhere: dict[str, str]) -> None:
    """The fake knows where it is from a key store there."""
    store = kms.key_store(name="theirs", cluster_id=CLUSTER, **elsewhere)  # type: ignore[arg-type]
    assert {"Code": "CloudHsmClusterNotFoundException", "Message": ""} == refusal(kms.client, **OF_CLUSTER)
    why = f"{CLUSTER} is the cluster of theirs in account {store.account}, {store.region}"
    assert why == kms.trail.last.why


def test_the_cluster_of_another_key_store_is_not_related(kms: FakeKMS) -> None:
    """If it were, the two key stores could not be."""
    store = store_in(kms, "DISCONNECTED")
    kms.key_store(name="other", cluster_id=OTHER_CLUSTER)
    assert {
        "Code": "CloudHsmClusterNotRelatedException",
        "Message": "",
        "why": f"{OTHER_CLUSTER} is the cluster of other",
    } == update_refused(kms, store, CloudHsmClusterId=OTHER_CLUSTER, NewCustomKeyStoreName="orders")


def test_another_cluster_that_is_elsewhere_is_not_found(kms: FakeKMS) -> None:
    """The fake knows where it is from a key store there."""
    store = store_in(kms, "DISCONNECTED")
    kms.key_store(name="other", cluster_id=OTHER_CLUSTER, region="eu-west-1")
    assert {
        "Code": "CloudHsmClusterNotFoundException",
        "Message": "",
        "why": f"{OTHER_CLUSTER} is the cluster of other in account 123456789012, eu-west-1",
    } == update_refused(kms, store, CloudHsmClusterId=OTHER_CLUSTER)
