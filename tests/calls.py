"""What operations are called with to succeed: the kinds of keys, and the members besides those that name them."""

from __future__ import annotations

from typing import Any

from key_stores import OF_CLUSTER

ELSEWHERE = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/app"
MATERIAL = b"correct horse battery staple 123"
IMPORTED: dict[str, Any] = {"origin": "EXTERNAL", "material": MATERIAL}
KINDS: dict[str, dict[str, Any]] = {
    "DeleteImportedKeyMaterial": IMPORTED,
    "DeriveSharedSecret": {"spec": "ECC_NIST_P256", "usage": "KEY_AGREEMENT"},
    "GenerateMac": {"spec": "HMAC_256"},
    "GetParametersForImport": IMPORTED,
    "GetPublicKey": {"spec": "ECC_NIST_P256"},
    "ImportKeyMaterial": IMPORTED,
    "ReplicateKey": {"multi_region": True},
    "Sign": {"spec": "ECC_NIST_P256"},
    "UpdatePrimaryRegion": {"multi_region": True},
    "Verify": {"spec": "ECC_NIST_P256"},
    "VerifyMac": {"spec": "HMAC_256"},
}
MEMBERS: dict[str, dict[str, Any]] = {
    "CreateAlias": {"AliasName": "alias/new"},
    "CreateCustomKeyStore": {"CustomKeyStoreName": "vault", **OF_CLUSTER},
    "CreateGrant": {"GranteePrincipal": ROLE, "Operations": ["DescribeKey"]},
    "DeleteAlias": {"AliasName": "alias/mine"},
    "DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH"},
    "Encrypt": {"Plaintext": b"x"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
    "GenerateMac": {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
    "GenerateRandom": {"NumberOfBytes": 1},
    "GetParametersForImport": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "ImportKeyMaterial": {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
    "ListRetirableGrants": {"RetiringPrincipal": ROLE},
    "ReplicateKey": {"ReplicaRegion": ELSEWHERE},
    "Sign": {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "TagResource": {"Tags": [{"TagKey": "team", "TagValue": "shop"}]},
    "UntagResource": {"TagKeys": ["team"]},
    "UpdateKeyDescription": {"Description": "of orders"},
    "UpdateCustomKeyStore": {"NewCustomKeyStoreName": "other"},
    "Verify": {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "VerifyMac": {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
}
