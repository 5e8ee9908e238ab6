"""Algorithms that the spec of a key does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

SYMMETRIC = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
RSA = ("RSA_2048", "ENCRYPT_DECRYPT")
SIGNS = ("ECC_NIST_P256", "SIGN_VERIFY")
HMAC = ("HMAC_256", "GENERATE_VERIFY_MAC")

# Each call is about the first key; the second one fits RSAES_OAEP_SHA_1.
CALLS: dict[str, Callable[[KMSClient, Key, Key, Any], object]] = {
    "Encrypt": lambda client, key, _, algorithm: client.encrypt(
        KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm=algorithm
    ),
    "Encrypt by default": lambda client, key, _, __: client.encrypt(KeyId=key.id, Plaintext=b"x"),
    "Decrypt": lambda client, key, _, algorithm: client.decrypt(
        KeyId=key.id, CiphertextBlob=b"x", EncryptionAlgorithm=algorithm
    ),
    "ReEncrypt from it": lambda client, key, fit, algorithm: client.re_encrypt(
        CiphertextBlob=b"x", SourceKeyId=key.id, SourceEncryptionAlgorithm=algorithm, DestinationKeyId=fit.id
    ),
    "ReEncrypt to it": lambda client, key, fit, algorithm: client.re_encrypt(
        CiphertextBlob=b"x",
        SourceKeyId=fit.id,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1",
        DestinationKeyId=key.id,
        DestinationEncryptionAlgorithm=algorithm,
    ),
    "Sign": lambda client, key, _, algorithm: client.sign(KeyId=key.id, Message=b"x", SigningAlgorithm=algorithm),
    "Verify": lambda client, key, _, algorithm: client.verify(
        KeyId=key.id, Message=b"x", SigningAlgorithm=algorithm, Signature=b"x"
    ),
    "GenerateMac": lambda client, key, _, algorithm: client.generate_mac(
        KeyId=key.id, Message=b"x", MacAlgorithm=algorithm
    ),
    "VerifyMac": lambda client, key, _, algorithm: client.verify_mac(
        KeyId=key.id, Message=b"x", MacAlgorithm=algorithm, Mac=b"x"
    ),
}


@pytest.mark.parametrize(
    ("call", "kind", "algorithm"),
    [
        ("Encrypt", SYMMETRIC, "RSAES_OAEP_SHA_256"),
        ("Encrypt", RSA, "SM2PKE"),
        ("Encrypt by default", RSA, "SYMMETRIC_DEFAULT"),
        ("Decrypt", SYMMETRIC, "RSAES_OAEP_SHA_1"),
        ("Decrypt", RSA, "SM2PKE"),
        ("ReEncrypt from it", SYMMETRIC, "RSAES_OAEP_SHA_256"),
        ("ReEncrypt to it", SYMMETRIC, "RSAES_OAEP_SHA_256"),
        ("ReEncrypt to it", RSA, "SYMMETRIC_DEFAULT"),
        ("Sign", SIGNS, "ECDSA_SHA_384"),
        ("Sign", SIGNS, "RSASSA_PSS_SHA_256"),
        ("Verify", SIGNS, "ECDSA_SHA_512"),
        ("GenerateMac", HMAC, "HMAC_SHA_512"),
        ("VerifyMac", HMAC, "HMAC_SHA_224"),
    ],
)
def test_an_algorithm_of_another_kind_of_key_is_refused(
    kms: FakeKMS, call: str, kind: tuple[str, str], algorithm: str
) -> None:
    """The refusal names the algorithm, also one that is AWS's default, and the spec of the key."""
    spec, usage = kind
    key, fit = kms.create_key(spec=spec, usage=usage), kms.create_key(spec="RSA_2048")

    with pytest.raises(ClientError) as excinfo:
        CALLS[call](kms.client, key, fit, algorithm)

    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"Algorithm {algorithm} is incompatible with key spec {spec}.",
    } == excinfo.value.response["Error"]
    kms.assert_not_used(key)
