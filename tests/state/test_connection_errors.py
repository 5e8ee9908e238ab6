"""What can be wrong between KMS and what is behind a key store."""

from __future__ import annotations

import pytest
from answers import error_of
from key_stores import INVALID_PATH, NO_CLUSTER, described

from pytest_kms import FakeKMS, UsageError

pytestmark = pytest.mark.kms(region="us-east-1")

ERRORS = {
    "AWS_CLOUDHSM": (
        "CLUSTER_NOT_FOUND", "INSUFFICIENT_CLOUDHSM_HSMS", "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET", "INTERNAL_ERROR",
        "INVALID_CREDENTIALS", "NETWORK_ERRORS", "SUBNET_NOT_FOUND", "USER_LOCKED_OUT", "USER_LOGGED_IN",
        "USER_NOT_FOUND",
    ),
    "EXTERNAL_KEY_STORE": (
        "INTERNAL_ERROR", "INVALID_CREDENTIALS", "NETWORK_ERRORS", "XKS_PROXY_ACCESS_DENIED",
        "XKS_PROXY_INVALID_CONFIGURATION", "XKS_PROXY_INVALID_RESPONSE", "XKS_PROXY_INVALID_TLS_CONFIGURATION",
        "XKS_PROXY_NOT_REACHABLE", "XKS_PROXY_TIMED_OUT", "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
        "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
    ),
}  # fmt: skip
ALL_ERRORS = [(kind, code) for kind, codes in ERRORS.items() for code in codes]


@pytest.mark.parametrize(("kind", "code"), ALL_ERRORS)
def test_a_connection_fails_as_the_test_ordered(kms: FakeKMS, kind: str, code: str) -> None:
    """It ends in FAILED with the code; after a disconnection the code is gone."""
    store = kms.key_store(kind, connected=False)
    key = kms.create_key(key_store=store)
    client = kms.client
    store.fail(code)

    client.connect_custom_key_store(CustomKeyStoreId=store.id)
    assert "ConnectionErrorCode" not in described(kms.client, store.id)
    kms.clock.advance(minutes=5)
    entry = described(kms.client, store.id)
    assert ("FAILED", code, "Unavailable") == (entry["ConnectionState"], entry["ConnectionErrorCode"], key.state)
    assert ("FAILED", code) == (store.state, store.connection_error_code)

    client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    assert "ConnectionErrorCode" not in described(kms.client, store.id)


@pytest.mark.parametrize(("kind", "code"), ALL_ERRORS)
def test_a_key_store_that_is_connected_loses_its_connection(kms: FakeKMS, kind: str, code: str) -> None:
    """It stays CONNECTED and its keys Enabled; only cryptographic operations tell, until it recovers."""
    store = kms.key_store(kind)
    key = kms.create_key(key_store=store)
    blob = kms.encrypt(key, b"x")
    client = kms.client
    store.fail(code)

    sentences = {"AWS_CLOUDHSM": NO_CLUSTER, "XKS_PROXY_INVALID_CONFIGURATION": INVALID_PATH}
    error = {"Code": "KMSInvalidStateException", "Message": sentences.get(kind, sentences.get(code, ""))}
    assert error == error_of(client, "decrypt", CiphertextBlob=blob)
    assert f"the test ordered {code} for {store.name}" == kms.trail.last.why
    assert ("CONNECTED", "Enabled") == (described(kms.client, store.id)["ConnectionState"], key.state)
    assert "Enabled" == client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]

    store.recover()
    assert b"x" == client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("AWS_CLOUDHSM", "XKS_PROXY_TIMED_OUT"),
        ("EXTERNAL_KEY_STORE", "USER_LOCKED_OUT"),
        ("AWS_CLOUDHSM", "user_locked_out"),
        ("EXTERNAL_KEY_STORE", ""),
    ],
)
def test_an_error_that_a_key_store_cannot_have(kms: FakeKMS, kind: str, code: str) -> None:
    """The refusal names those that it can have."""
    store = kms.key_store(kind)
    with pytest.raises(UsageError) as excinfo:
        store.fail(code)
    head, _, rest = str(excinfo.value).partition(" are ")
    assert f"pytest-kms: the connection errors of {kind}" == head
    assert sorted(ERRORS[kind]) == sorted(rest.partition(";")[0].split(", "))
    assert rest.endswith(f"; {code!r} is none of them")
