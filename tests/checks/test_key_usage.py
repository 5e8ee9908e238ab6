"""Keys of another usage than an operation has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

CALLS: dict[str, Callable[[KMSClient, str, bytes], object]] = {
    "Encrypt": lambda client, key, _: client.encrypt(KeyId=key, Plaintext=b"x"),
    "Decrypt": lambda client, key, blob: client.decrypt(
        KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256"
    ),
    "ReEncrypt": lambda client, key, blob: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key),
    "GenerateDataKey": lambda client, key, _: client.generate_data_key(KeyId=key, KeySpec="AES_128"),
    "GenerateDataKeyWithoutPlaintext": lambda client, key, _: client.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_128"
    ),
    "GenerateDataKeyPair": lambda client, key, _: client.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_2048"),
    "GenerateDataKeyPairWithoutPlaintext": lambda client, key, _: client.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="RSA_2048"
    ),
    "Sign": lambda client, key, _: client.sign(KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    "Verify": lambda client, key, blob: client.verify(
        KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256", Signature=blob
    ),
    "GenerateMac": lambda client, key, _: client.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
    "VerifyMac": lambda client, key, blob: client.verify_mac(
        KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=blob
    ),
    "DeriveSharedSecret": lambda client, key, blob: client.derive_shared_secret(
        KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=blob
    ),
}


# A key spec of each usage.
SPECS = {
    "ENCRYPT_DECRYPT": "SYMMETRIC_DEFAULT",
    "SIGN_VERIFY": "ECC_NIST_P256",
    "GENERATE_VERIFY_MAC": "HMAC_256",
    "KEY_AGREEMENT": "ECC_NIST_P384",
}
MISFITS = [(operation, usage) for operation in CALLS for usage in SPECS if usage != OPERATIONS[operation].usage]


@pytest.mark.parametrize(("operation", "usage"), MISFITS)
def test_a_key_of_another_usage_is_refused(kms: FakeKMS, operation: str, usage: str) -> None:
    """The refusal names the key, its usage and the operation."""
    key = kms.create_key(spec=SPECS[usage], usage=usage)
    blob = kms.encrypt(kms.create_key(), b"x")

    with pytest.raises(ClientError) as excinfo:
        CALLS[operation](kms.client, key.id, blob)

    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"{key.arn} key usage is {usage} which is not valid for {operation}.",
    } == excinfo.value.response["Error"]


def test_the_table_has_every_operation_with_a_usage() -> None:
    """An operation that asks for one is not forgotten above."""
    assert set(CALLS) == {name for name, operation in OPERATIONS.items() if operation.usage}


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048"])
def test_operations_without_a_usage_take_keys_of_any(kms: FakeKMS, spec: str) -> None:
    """Random bytes need no key, and managing a key asks for no usage."""
    key = kms.create_key(spec=spec)

    kms.client.generate_random(NumberOfBytes=1)
    kms.client.disable_key(KeyId=key.id)

    assert "Disabled" == key.state
