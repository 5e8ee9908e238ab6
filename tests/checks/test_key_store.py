"""Cryptography with keys of key stores needs what is behind them."""

from __future__ import annotations

from typing import Any

import pytest
from answers import error_of, unfit
from key_stores import NO_CLUSTER

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")

CRYPTOGRAPHIC: dict[str, Any] = {
    "encrypt": lambda key, _: {"KeyId": key.id, "Plaintext": b"x"},
    "decrypt": lambda _, blob: {"CiphertextBlob": blob},
    "generate_data_key": lambda key, _: {"KeyId": key.id, "KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": lambda key, _: {"KeyId": key.id, "KeySpec": "AES_256"},
    "re_encrypt": lambda key, blob: {"CiphertextBlob": blob, "DestinationKeyId": key.id},
}


@pytest.mark.parametrize("method", CRYPTOGRAPHIC)
def test_every_cryptographic_operation_needs_what_is_behind(kms: FakeKMS, method: str) -> None:
    """A dry run as well: it does all but answer."""
    store = kms.key_store()
    key = kms.create_key(key_store=store)
    members = CRYPTOGRAPHIC[method](key, kms.encrypt(key, b"x"))
    store.fail("NETWORK_ERRORS")
    error = {"Code": "KMSInvalidStateException", "Message": NO_CLUSTER}
    assert error == error_of(kms.client, method, **members)
    assert error == error_of(kms.client, method, DryRun=True, **members)


def test_what_does_not_need_it_works(kms: FakeKMS) -> None:
    """Keys are managed without what is behind them."""
    store = kms.key_store()
    key = kms.create_key(key_store=store)
    store.fail("NETWORK_ERRORS")
    kms.client.disable_key(KeyId=key.id)
    kms.client.enable_key(KeyId=key.id)
    kms.client.create_alias(AliasName="alias/orders", TargetKeyId=key.id)
    kms.client.schedule_key_deletion(KeyId=key.id)
    assert "PendingDeletion" == key.state


def test_the_state_of_a_key_is_told_before_what_is_behind(kms: FakeKMS) -> None:
    """A disabled key is disabled, whatever is broken."""
    store = kms.key_store()
    key = kms.create_key(key_store=store, state="Disabled")
    store.fail("NETWORK_ERRORS")
    error = unfit(key.arn, "Disabled")
    assert error == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"x")


def test_re_encryption_decrypts_with_one_key_and_encrypts_with_the_other(kms: FakeKMS) -> None:
    """Each external key has to be able to do its part."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    source, destination = (kms.create_key(key_store=store) for _ in range(2))
    blob = kms.encrypt(source, b"x")
    store.external_key(str(source.xks_key_id), usage=["DECRYPT"])
    store.external_key(str(destination.xks_key_id), usage=["ENCRYPT"])
    assert destination.arn == kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination.id)["KeyId"]
    error = error_of(kms.client, "re_encrypt", CiphertextBlob=blob, DestinationKeyId=source.id)
    assert error["Message"].endswith("because the external key does not support the requested operation.")
