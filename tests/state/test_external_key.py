"""Keys of external key managers: which KMS keys they make, and when they do their part."""

from __future__ import annotations

from typing import Any

import pytest
from answers import error_of

from pytest_kms import FakeKMS, UsageError

pytestmark = pytest.mark.kms(region="us-east-1")


@pytest.mark.parametrize(
    ("external_key", "code", "message"),
    [
        pytest.param(
            {"exists": False},
            "XksKeyNotFoundException",
            "The external key store proxy rejected the request because it could not find the external key.",
            id="unknown",
        ),
        pytest.param(
            {"spec": "RSA_2048"},
            "XksKeyInvalidConfigurationException",
            "The key spec of the external key must be AES_256. The key spec of specified external key is RSA_2048.",
            id="spec",
        ),
        pytest.param(
            {"status": "DISABLED"},
            "XksKeyInvalidConfigurationException",
            "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
            id="status",
        ),
        pytest.param(
            {"usage": ["ENCRYPT", "SIGN"]},
            "XksKeyInvalidConfigurationException",
            "The key usage of the external key must include ENCRYPT and DECRYPT."
            " The key use of specified external key is ENCRYPT, SIGN.",
            id="usage",
        ),
    ],
)
def test_an_external_key_that_will_not_do(kms: FakeKMS, external_key: Any, code: str, message: str) -> None:
    """It has to be there, an enabled AES_256 key that encrypts and decrypts; others are not concerned."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    store.external_key("key-1", **external_key)
    members: Any = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store.id}
    assert {"Code": code, "Message": message} == error_of(kms.client, "create_key", XksKeyId="key-1", **members)
    assert "" == kms.trail.last.why
    assert [] == store.keys
    kms.client.create_key(XksKeyId="key-2", **members)


def test_an_external_key_may_do_more(kms: FakeKMS) -> None:
    """It encrypts, decrypts and whatever else."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    store.external_key("key-1", usage=["DECRYPT", "ENCRYPT", "WRAP"])
    kms.client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store.id, XksKeyId="key-1")
    assert ["key-1"] == [key.xks_key_id for key in store.keys]


REJECTED = "The external key store proxy rejected the request because"


@pytest.mark.parametrize(
    ("described_as", "failing", "why"),
    [
        pytest.param({"exists": False}, "both", "it could not find the external key.", id="gone"),
        pytest.param(
            {"status": "DISABLED"},
            "both",
            "the external key is not enabled in the external key manager.",
            id="disabled",
        ),
        pytest.param(
            {"usage": ["DECRYPT"]},
            "encrypt",
            "the external key does not support the requested operation.",
            id="decrypts",
        ),
        pytest.param(
            {"usage": ["ENCRYPT"]},
            "decrypt",
            "the external key does not support the requested operation.",
            id="encrypts",
        ),
    ],
)
def test_an_external_key_that_is_fit_no_more(kms: FakeKMS, described_as: Any, failing: str, why: str) -> None:
    """The KMS key stays Enabled; cryptographic operations that need it tell in AWS's words, the others work."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    key, other = kms.create_key(key_store=store), kms.create_key(key_store=store)
    blob = kms.encrypt(key, b"x")
    store.external_key(str(key.xks_key_id), **described_as)

    for method, members in (
        ("encrypt", {"KeyId": key.id, "Plaintext": b"x"}),
        ("decrypt", {"CiphertextBlob": blob}),
    ):
        if failing in ("both", method):
            error = {"Code": "KMSInvalidStateException", "Message": f"{REJECTED} {why}"}
            assert error == error_of(kms.client, method, **members)
        else:
            assert key.arn == getattr(kms.client, method)(**members)["KeyId"]
    assert "Enabled" == key.state
    assert other.arn == kms.client.encrypt(KeyId=other.id, Plaintext=b"x")["KeyId"]

    store.external_key(str(key.xks_key_id))
    assert b"x" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"id": ""}, "the id of an external key is 1 to 128 letters, digits, _, . and -; '' is not", id="no id"
        ),
        pytest.param(
            {"id": "a/b"}, "the id of an external key is 1 to 128 letters, digits, _, . and -; 'a/b' is not", id="id"
        ),
        pytest.param(
            {"id": "a", "status": "Enabled"}, "an external key is ENABLED or DISABLED, not 'Enabled'", id="status"
        ),
    ],
)
def test_an_external_key_that_no_proxy_could_tell_of(kms: FakeKMS, arguments: Any, message: str) -> None:
    """The test is told what is wrong."""
    with pytest.raises(UsageError) as excinfo:
        kms.key_store("EXTERNAL_KEY_STORE").external_key(**arguments)
    assert f"pytest-kms: {message}" == str(excinfo.value)


def test_a_cluster_has_no_external_keys(kms: FakeKMS) -> None:
    """The test is told so."""
    with pytest.raises(UsageError) as excinfo:
        kms.key_store(name="vault").external_key("a")
    assert "pytest-kms: vault is an AWS CloudHSM key store: it has no external keys" == str(excinfo.value)
