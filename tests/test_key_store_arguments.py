"""What a test may say of a custom key store, and of keys in it."""

from __future__ import annotations

from typing import Any

import pytest
from key_stores import CLUSTER, VPC_SERVICE

from pytest_kms import FakeKMS, UsageError

pytestmark = pytest.mark.kms(region="us-east-1")


def test_key_stores_are_named_by_number(kms: FakeKMS) -> None:
    """A name that is taken already is left out."""
    kms.key_store(name="key-store-2")
    assert ["key-store-1", "key-store-3"] == [kms.key_store().name for _ in range(2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"kind": "HSM"}, "a key store is AWS_CLOUDHSM or EXTERNAL_KEY_STORE, not 'HSM'", id="kind"),
        pytest.param({"name": ""}, "a CustomKeyStoreName has 1 to 256 characters; '' has not", id="name"),
        pytest.param({"name": "first"}, "there is a key store 'first' in us-east-1 already", id="name taken"),
        pytest.param({"account": "1"}, "an account has 12 digits, '1' has not", id="account"),
        pytest.param(
            {"cluster_id": "cluster-1"},
            "a CloudHsmClusterId has 19 to 24 characters like cluster-[2-7a-zA-Z]{11,16}; 'cluster-1' has not",
            id="short cluster id",
        ),
        pytest.param(
            {"cluster_id": "cluster-18888888888"},
            "a CloudHsmClusterId has 19 to 24 characters like cluster-[2-7a-zA-Z]{11,16};"
            " 'cluster-18888888888' has not",
            id="cluster id",
        ),
        pytest.param({"cluster_id": CLUSTER}, f"{CLUSTER} is the cluster of first", id="cluster taken"),
        pytest.param({"path": "/x"}, "a key store of kind AWS_CLOUDHSM has no path", id="path of a cluster"),
        pytest.param(
            {"kind": "EXTERNAL_KEY_STORE", "cluster_id": CLUSTER},
            "a key store of kind EXTERNAL_KEY_STORE has no cluster_id",
            id="cluster of a proxy",
        ),
        pytest.param(
            {"kind": "EXTERNAL_KEY_STORE", "path": "/kms/xks/v2"},
            "the proxy API has no other version than /kms/xks/v1, so nothing is at /kms/xks/v2",
            id="version",
        ),
        pytest.param(
            {"kind": "EXTERNAL_KEY_STORE", "endpoint": "https://xks.example.com"},
            "second has https://xks.example.com/kms/xks/v1",
            id="proxy taken",
        ),
        pytest.param(
            {"kind": "EXTERNAL_KEY_STORE", "vpc_endpoint_service": VPC_SERVICE.replace("east", "west")},
            f"{VPC_SERVICE.replace('east', 'west')} is an endpoint service of another Region than us-east-1",
            id="endpoint service elsewhere",
        ),
    ],
)
def test_a_key_store_that_aws_could_not_have(kms: FakeKMS, arguments: dict[str, Any], message: str) -> None:
    """The test is told what is wrong, and nothing is made."""
    made = [kms.key_store(name="first", cluster_id=CLUSTER)]
    made.append(kms.key_store("EXTERNAL_KEY_STORE", "second", endpoint="https://xks.example.com"))
    with pytest.raises(UsageError) as excinfo:
        kms.key_store(**arguments)
    assert f"pytest-kms: {message}" == str(excinfo.value)
    assert made == kms.key_stores


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"spec": "RSA_2048"}, "the origin of RSA_2048 is AWS_KMS or EXTERNAL, not 'AWS_CLOUDHSM'", id="spec"
        ),
        pytest.param(
            {"multi_region": True},
            "the origin of a multi-Region key of SYMMETRIC_DEFAULT is AWS_KMS or EXTERNAL, not 'AWS_CLOUDHSM'",
            id="multi-Region",
        ),
        pytest.param(
            {"region": "eu-west-1"},
            "a key of vault is one of us-east-1, 123456789012, AWS_CLOUDHSM,"
            " not of eu-west-1, 123456789012, AWS_CLOUDHSM",
            id="Region",
        ),
        pytest.param(
            {"origin": "EXTERNAL"},
            "a key of vault is one of us-east-1, 123456789012, AWS_CLOUDHSM, not of us-east-1, 123456789012, EXTERNAL",
            id="origin",
        ),
    ],
)
def test_a_key_that_no_key_store_could_hold(kms: FakeKMS, arguments: dict[str, Any], message: str) -> None:
    """The test is told what is wrong, and nothing is made."""
    store = kms.key_store(name="vault")
    with pytest.raises(UsageError) as excinfo:
        kms.create_key(key_store=store, **arguments)
    assert f"pytest-kms: {message}" == str(excinfo.value)
    assert [] == store.keys


def test_a_key_store_that_was_deleted_holds_no_keys(kms: FakeKMS) -> None:
    """The test is told so."""
    store = kms.key_store(name="vault", connected=False)
    kms.client.delete_custom_key_store(CustomKeyStoreId=store.id)
    with pytest.raises(UsageError) as excinfo:
        kms.create_key(key_store=store)
    assert "pytest-kms: the key store vault was deleted" == str(excinfo.value)


def test_what_is_said_of_a_key_twice_may_agree(kms: FakeKMS) -> None:
    """The Region, the account and the origin of its key store may be spelt out."""
    key = kms.create_key(key_store=kms.key_store(), region="us-east-1", account="123456789012", origin="AWS_CLOUDHSM")
    assert "AWS_CLOUDHSM" == key.origin
