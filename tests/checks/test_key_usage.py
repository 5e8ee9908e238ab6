"""Keys of another usage than an operation has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

CALLS: dict[str, Callable[[KMSClient, str, bytes], object]] = {
    "Encrypt": lambda client, key, _: client.encrypt(KeyId=key, Plaintext=b"x"),
    "Decrypt": lambda client, _, blob: client.decrypt(CiphertextBlob=blob),
    "ReEncrypt": lambda client, key, blob: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key),
    "GenerateDataKey": lambda client, key, _: client.generate_data_key(KeyId=key, KeySpec="AES_128"),
    "GenerateDataKeyWithoutPlaintext": lambda client, key, _: client.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_128"
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_key_of_another_usage_is_refused(kms: FakeKMS, operation: str) -> None:
    """The refusal names the key, its usage and the operation."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"x")
    key.usage = "GENERATE_VERIFY_MAC"

    with pytest.raises(ClientError) as excinfo:
        CALLS[operation](kms.client, key.id, blob)

    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"{key.arn} key usage is GENERATE_VERIFY_MAC which is not valid for {operation}.",
    } == excinfo.value.response["Error"]


def test_operations_without_a_usage_take_keys_of_any(kms: FakeKMS) -> None:
    """Random bytes need no key, and managing a key asks for no usage."""
    key = kms.create_key()
    key.usage = "GENERATE_VERIFY_MAC"

    kms.client.generate_random(NumberOfBytes=1)
    kms.client.disable_key(KeyId=key.id)

    assert "Disabled" == key.state


def test_an_algorithm_of_another_kind_of_key_is_refused(kms: FakeKMS) -> None:
    """A symmetric key does not encrypt as RSA keys do."""
    key = kms.create_key()

    with pytest.raises(ClientError) as excinfo:
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")

    assert {
        "Code": "InvalidKeyUsageException",
        "Message": "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
    } == excinfo.value.response["Error"]
