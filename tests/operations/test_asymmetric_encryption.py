"""Encrypt, Decrypt and ReEncrypt with RSA keys, and with SM2 keys where AWS has them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of, invalid, members_of, unfit
from botocore.config import Config
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from optional import needs_openssl, needs_sm2

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import EncryptionAlgorithmSpecType

# A Region in which AWS has keys of every spec.
pytestmark = pytest.mark.kms(region="cn-north-1")

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
LONGEST = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214,
    ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342,
    ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470,
    ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
    ("SM2", "SM2PKE"): 1024,
}
CIPHERTEXT_BYTES = {"RSA_2048": 256, "RSA_3072": 384, "RSA_4096": 512}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1(),  # noqa: S303  # AWS's algorithm of that name
    "RSAES_OAEP_SHA_256": hashes.SHA256(),
}
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}
NO_CONTEXT = {
    "Code": "ValidationException",
    "Message": "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.",
}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}


def marked(spec: str, *values: object) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    return pytest.param(spec, *values, marks=[needs_sm2] if spec == "SM2" else [])


each_algorithm = pytest.mark.parametrize(("spec", "algorithm"), [marked(*case) for case in LONGEST])
each_rsa_algorithm = pytest.mark.parametrize(
    ("spec", "algorithm"), [marked(*case) for case in LONGEST if case[0] != "SM2"]
)
# One of each kind is enough where the size of the key plays no part.
each_kind = pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        marked("RSA_2048", "RSAES_OAEP_SHA_1"),
        marked("RSA_2048", "RSAES_OAEP_SHA_256"),
        marked("SM2", "SM2PKE"),
    ],
)


def encryption_key(kms: FakeKMS, spec: str, alias: str | None = None) -> Key:
    """Make a key of a spec that encrypts."""
    return kms.create_key(alias, spec=spec, usage="ENCRYPT_DECRYPT")


def sealed(kms: FakeKMS, key: Key, algorithm: EncryptionAlgorithmSpecType, plaintext: bytes = b"secret") -> bytes:
    """Return what Encrypt makes of a plaintext."""
    answer = kms.client.encrypt(KeyId=key.id, Plaintext=plaintext, EncryptionAlgorithm=algorithm)
    return answer["CiphertextBlob"]


def opened(kms: FakeKMS, key: Key, algorithm: EncryptionAlgorithmSpecType, blob: bytes) -> bytes:
    """Return what Decrypt makes of a ciphertext."""
    answer = kms.client.decrypt(KeyId=key.id, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    return answer["Plaintext"]


# Encrypt


@each_algorithm
def test_encrypt_answers_ciphertext_key_and_algorithm(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """The key is named by its ARN, whatever it was called by."""
    key = encryption_key(kms, spec, "orders")
    for name in (key.id, key.arn, "alias/orders"):
        answer = members_of(kms.client.encrypt(KeyId=name, Plaintext=b"secret", EncryptionAlgorithm=algorithm))
        blob = answer.pop("CiphertextBlob")
        assert {"KeyId": key.arn, "EncryptionAlgorithm": algorithm} == answer
        assert b"secret" == opened(kms, key, algorithm, blob)


@each_rsa_algorithm
def test_a_ciphertext_is_as_long_as_the_modulus(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """However short the plaintext."""
    key = encryption_key(kms, spec)
    for size in (1, LONGEST[spec, algorithm]):
        assert CIPHERTEXT_BYTES[spec] == len(sealed(kms, key, algorithm, b"x" * size))


@each_algorithm
def test_one_byte_and_the_longest_plaintext_come_back(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Both ends of the range."""
    key = encryption_key(kms, spec)
    for plaintext in (b"\0", b"\xff" * LONGEST[spec, algorithm]):
        assert plaintext == opened(kms, key, algorithm, sealed(kms, key, algorithm, plaintext))


@each_algorithm
@pytest.mark.parametrize("size", ["one more", "4096 bytes"])
def test_a_longer_plaintext_is_refused(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType, size: str
) -> None:
    """The message tells how long it may be."""
    key, longest = encryption_key(kms, spec), LONGEST[spec, algorithm]
    plaintext = b"x" * (longest + 1 if size == "one more" else 4096)
    assert {
        "Code": "ValidationException",
        "Message": f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes.",
    } == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=plaintext, EncryptionAlgorithm=algorithm)


def test_what_no_key_encrypts_is_told_in_the_words_of_the_model(kms: FakeKMS) -> None:
    """The limit of 4,096 bytes stands before that of the key."""
    key = encryption_key(kms, "RSA_2048")
    violation = "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"
    assert invalid(violation) == error_of(
        kms.client, "encrypt", KeyId=key.id, Plaintext=b"x" * 4097, EncryptionAlgorithm="RSAES_OAEP_SHA_256"
    )


@each_kind
def test_one_plaintext_has_many_ciphertexts(kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType) -> None:
    """Encrypting is random, and every ciphertext opens."""
    key = encryption_key(kms, spec)
    blobs = {sealed(kms, key, algorithm) for _ in range(5)}
    assert 5 == len(blobs)
    assert {b"secret"} == {opened(kms, key, algorithm, blob) for blob in blobs}


@pytest.mark.parametrize("spec", [marked(spec) for spec in ("RSA_2048", "RSA_3072", "RSA_4096", "SM2")])
def test_an_asymmetric_key_does_not_encrypt_by_default(kms: FakeKMS, spec: str) -> None:
    """Without a word the algorithm is that of symmetric keys."""
    key = encryption_key(kms, spec)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {spec}.",
    } == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"secret")


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [marked("RSA_2048", "SM2PKE"), marked("SM2", "RSAES_OAEP_SHA_1"), marked("SM2", "RSAES_OAEP_SHA_256")],
)
def test_an_algorithm_of_another_kind_of_key(kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType) -> None:
    """It is incompatible wherever an operation names one."""
    key, symmetric = encryption_key(kms, spec), kms.create_key()
    requests: list[tuple[str, dict[str, Any]]] = [
        ("encrypt", {"KeyId": key.id, "Plaintext": b"secret", "EncryptionAlgorithm": algorithm}),
        ("decrypt", {"KeyId": key.id, "CiphertextBlob": b"blob", "EncryptionAlgorithm": algorithm}),
        (
            "re_encrypt",
            {
                "CiphertextBlob": b"blob",
                "SourceKeyId": key.id,
                "SourceEncryptionAlgorithm": algorithm,
                "DestinationKeyId": symmetric.id,
            },
        ),
        (
            "re_encrypt",
            {
                "CiphertextBlob": kms.encrypt(symmetric, b"secret"),
                "DestinationKeyId": key.id,
                "DestinationEncryptionAlgorithm": algorithm,
            },
        ),
    ]
    for method, members in requests:
        assert {
            "Code": "InvalidKeyUsageException",
            "Message": f"Algorithm {algorithm} is incompatible with key spec {spec}.",
        } == error_of(kms.client, method, **members)


@pytest.mark.parametrize(
    ("spec", "algorithm", "usage"),
    [
        marked("RSA_2048", "RSAES_OAEP_SHA_256", "SIGN_VERIFY"),
        marked("SM2", "SM2PKE", "SIGN_VERIFY"),
        marked("SM2", "SM2PKE", "KEY_AGREEMENT"),
    ],
)
def test_a_key_of_another_usage_does_not_encrypt(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType, usage: str
) -> None:
    """Its spec could, its usage says that it does not."""
    key = kms.create_key(spec=spec, usage=usage)
    for operation, members in {"Encrypt": {"Plaintext": b"secret"}, "Decrypt": {"CiphertextBlob": b"blob"}}.items():
        assert {
            "Code": "InvalidKeyUsageException",
            "Message": f"{key.arn} key usage is {usage} which is not valid for {operation}.",
        } == error_of(kms.client, operation.lower(), KeyId=key.id, EncryptionAlgorithm=algorithm, **members)


# Decrypt


@each_algorithm
def test_decrypt_answers_plaintext_key_and_algorithm(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """An asymmetric key shows no key material."""
    key = encryption_key(kms, spec, "orders")
    blob = sealed(kms, key, algorithm)
    for name in (key.id, key.arn, "alias/orders"):
        answer = kms.client.decrypt(KeyId=name, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
        assert {"KeyId": key.arn, "Plaintext": b"secret", "EncryptionAlgorithm": algorithm} == members_of(answer)


@each_kind
def test_the_key_of_an_asymmetric_ciphertext_must_be_named(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Such a ciphertext does not tell its key."""
    blob = sealed(kms, encryption_key(kms, spec), algorithm)
    assert {"Code": "ValidationException", "Message": "KeyId must not be null"} == error_of(
        kms.client, "decrypt", CiphertextBlob=blob, EncryptionAlgorithm=algorithm
    )
    assert {"Code": "ValidationException", "Message": "SourceKeyId must not be null"} == error_of(
        kms.client,
        "re_encrypt",
        CiphertextBlob=blob,
        SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=kms.create_key().id,
    )


@each_algorithm
def test_an_asymmetric_ciphertext_is_none_by_default(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Without an algorithm it is looked at as one of a symmetric key, whichever key is named."""
    key = encryption_key(kms, spec)
    blob = sealed(kms, key, algorithm)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob, KeyId=key.id)
    assert INVALID_CIPHERTEXT == error_of(
        kms.client, "re_encrypt", CiphertextBlob=blob, SourceKeyId=key.id, DestinationKeyId=kms.create_key().id
    )


def test_a_symmetric_ciphertext_is_not_the_one_of_an_rsa_key(kms: FakeKMS) -> None:
    """Where the ciphertext tells its key, the call must not name another."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    assert {
        "Code": "IncorrectKeyException",
        "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
    } == error_of(kms.client, "decrypt", CiphertextBlob=blob, KeyId=encryption_key(kms, "RSA_2048").id)


@each_rsa_algorithm
def test_the_other_hash_does_not_open_a_ciphertext(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """The trail says what may be wrong, the error has no message."""
    key = encryption_key(kms, spec, "orders")
    (other,) = HASHES.keys() - {algorithm}
    blob = sealed(kms, key, algorithm)
    assert INVALID_CIPHERTEXT == error_of(
        kms.client, "decrypt", KeyId=key.id, CiphertextBlob=blob, EncryptionAlgorithm=other
    )
    assert (
        f"call 1, Encrypt, made the ciphertext for alias/orders with {algorithm}, not for alias/orders with {other}"
        == kms.trail.last.why
    )


@each_algorithm
def test_another_key_does_not_open_a_ciphertext(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Which key it was made with cannot be told."""
    blob, other = sealed(kms, encryption_key(kms, spec), algorithm), encryption_key(kms, spec)
    assert INVALID_CIPHERTEXT == error_of(
        kms.client, "decrypt", KeyId=other.id, CiphertextBlob=blob, EncryptionAlgorithm=algorithm
    )


@each_kind
@pytest.mark.parametrize("change", ["first byte", "last byte", "cut", "longer", "one byte"])
def test_an_altered_ciphertext_does_not_open(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType, change: str
) -> None:
    """Whatever was done to it."""
    key = encryption_key(kms, spec)
    blob = sealed(kms, key, algorithm)
    altered = {
        "first byte": bytes([blob[0] ^ 1]) + blob[1:],
        "last byte": blob[:-1] + bytes([blob[-1] ^ 1]),
        "cut": blob[:-1],
        "longer": blob + b"\0",
        "one byte": blob[:1],
    }
    assert INVALID_CIPHERTEXT == error_of(
        kms.client, "decrypt", KeyId=key.id, CiphertextBlob=altered[change], EncryptionAlgorithm=algorithm
    )


# The encryption context


@each_kind
def test_an_encryption_context_is_refused(kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType) -> None:
    """Encrypting, decrypting and on either side of ReEncrypt."""
    key, symmetric = encryption_key(kms, spec), kms.create_key()
    blob, context = sealed(kms, key, algorithm), {"order": "7"}
    requests: list[tuple[str, dict[str, Any]]] = [
        ("encrypt", {"Plaintext": b"secret", "KeyId": key.id, "EncryptionAlgorithm": algorithm}),
        ("decrypt", {"CiphertextBlob": blob, "KeyId": key.id, "EncryptionAlgorithm": algorithm}),
    ]
    for method, members in requests:
        assert NO_CONTEXT == error_of(kms.client, method, EncryptionContext=context, **members)
    assert NO_CONTEXT == error_of(
        kms.client,
        "re_encrypt",
        CiphertextBlob=blob,
        SourceKeyId=key.id,
        SourceEncryptionAlgorithm=algorithm,
        SourceEncryptionContext=context,
        DestinationKeyId=symmetric.id,
    )
    assert NO_CONTEXT == error_of(
        kms.client,
        "re_encrypt",
        CiphertextBlob=kms.encrypt(symmetric, b"secret"),
        DestinationKeyId=key.id,
        DestinationEncryptionAlgorithm=algorithm,
        DestinationEncryptionContext=context,
    )


@each_kind
def test_an_empty_encryption_context_is_none(kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType) -> None:
    """It says nothing, so that it may be said."""
    key = encryption_key(kms, spec)
    members: dict[str, Any] = {"KeyId": key.id, "EncryptionAlgorithm": algorithm, "EncryptionContext": {}}
    blob = kms.client.encrypt(Plaintext=b"secret", **members)["CiphertextBlob"]
    again = kms.client.re_encrypt(
        CiphertextBlob=blob,
        SourceKeyId=key.id,
        SourceEncryptionAlgorithm=algorithm,
        SourceEncryptionContext={},
        DestinationKeyId=key.id,
        DestinationEncryptionAlgorithm=algorithm,
        DestinationEncryptionContext={},
    )["CiphertextBlob"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=again, **members)["Plaintext"]


# ReEncrypt

SIDES = [
    *((SYMMETRIC_DEFAULT, spec, SYMMETRIC_DEFAULT, algorithm) for spec, algorithm in LONGEST),
    *((spec, SYMMETRIC_DEFAULT, algorithm, SYMMETRIC_DEFAULT) for spec, algorithm in LONGEST),
    ("RSA_2048", "RSA_4096", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    ("RSA_2048", "SM2", "RSAES_OAEP_SHA_256", "SM2PKE"),
    ("SM2", "SM2", "SM2PKE", "SM2PKE"),
]


@pytest.mark.parametrize(
    ("source_spec", "destination_spec", "source_algorithm", "destination_algorithm"),
    [pytest.param(*side, marks=[needs_sm2] if "SM2" in side else []) for side in SIDES],
)
def test_re_encrypt_between_kinds_of_keys(
    kms: FakeKMS,
    source_spec: str,
    destination_spec: str,
    source_algorithm: EncryptionAlgorithmSpecType,
    destination_algorithm: EncryptionAlgorithmSpecType,
) -> None:
    """Both sides are told by key and algorithm, a symmetric one by its key material too."""
    source, destination = encryption_key(kms, source_spec, "old"), encryption_key(kms, destination_spec, "new")
    answer = members_of(
        kms.client.re_encrypt(
            CiphertextBlob=kms.encrypt(source, b"secret", algorithm=source_algorithm),
            SourceKeyId="alias/old",
            SourceEncryptionAlgorithm=source_algorithm,
            DestinationKeyId="alias/new",
            DestinationEncryptionAlgorithm=destination_algorithm,
        )
    )
    blob = answer.pop("CiphertextBlob")
    materials = {
        member: kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["CurrentKeyMaterialId"]
        for member, key in (("SourceKeyMaterialId", source), ("DestinationKeyMaterialId", destination))
        if key.spec == SYMMETRIC_DEFAULT
    }
    assert {
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": destination_algorithm,
        **materials,
    } == answer
    assert b"secret" == opened(kms, destination, destination_algorithm, blob)
    kms.assert_used(source, "ReEncrypt", times=1)
    kms.assert_used(destination, "ReEncrypt", times=1)


@each_algorithm
def test_re_encrypt_knows_how_much_its_destination_takes(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """What a symmetric key holds may be too long for an asymmetric one."""
    source, destination = kms.create_key(), encryption_key(kms, spec)
    longest = LONGEST[spec, algorithm]
    members: dict[str, Any] = {"DestinationKeyId": destination.id, "DestinationEncryptionAlgorithm": algorithm}
    blob = kms.client.re_encrypt(CiphertextBlob=kms.encrypt(source, b"x" * longest), **members)
    assert b"x" * longest == opened(kms, destination, algorithm, blob["CiphertextBlob"])
    assert {
        "Code": "ValidationException",
        "Message": f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes.",
    } == error_of(kms.client, "re_encrypt", CiphertextBlob=kms.encrypt(source, b"x" * (longest + 1)), **members)


def test_the_algorithm_of_the_destination_is_told(kms: FakeKMS) -> None:
    """It is no more guessed than that of Encrypt."""
    source, destination = kms.create_key(), encryption_key(kms, "RSA_3072")
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_3072.",
    } == error_of(
        kms.client, "re_encrypt", CiphertextBlob=kms.encrypt(source, b"secret"), DestinationKeyId=destination.id
    )


# States, dry runs, quotas


@each_kind
def test_a_disabled_key_neither_encrypts_nor_decrypts(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """The state is looked at before the algorithm, the ciphertext and the context."""
    key = encryption_key(kms, spec)
    blob = sealed(kms, key, algorithm)
    key.state = "Disabled"
    disabled = unfit(key.arn, "Disabled")
    for member in ({"EncryptionAlgorithm": algorithm}, {"EncryptionContext": {"order": "7"}}):
        assert disabled == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"secret", **member)
    for ciphertext in (blob, b"garbage"):
        assert disabled == error_of(
            kms.client, "decrypt", KeyId=key.id, CiphertextBlob=ciphertext, EncryptionAlgorithm=algorithm
        )


@each_kind
def test_a_dry_run_says_whether_the_call_would_succeed(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Everything is looked at, the cryptography too."""
    key, symmetric = encryption_key(kms, spec), kms.create_key()
    named: dict[str, Any] = {"KeyId": key.id, "EncryptionAlgorithm": algorithm, "DryRun": True}
    source: dict[str, Any] = {
        "SourceKeyId": key.id,
        "SourceEncryptionAlgorithm": algorithm,
        "DestinationKeyId": symmetric.id,
        "DryRun": True,
    }
    blob = sealed(kms, key, algorithm)
    assert WOULD_SUCCEED == error_of(kms.client, "encrypt", Plaintext=b"secret", **named)
    assert WOULD_SUCCEED == error_of(kms.client, "decrypt", CiphertextBlob=blob, **named)
    assert WOULD_SUCCEED == error_of(kms.client, "re_encrypt", CiphertextBlob=blob, **source)
    assert (
        "cannot encrypt data larger than" in error_of(kms.client, "encrypt", Plaintext=b"x" * 4096, **named)["Message"]
    )
    assert NO_CONTEXT == error_of(kms.client, "encrypt", Plaintext=b"x", EncryptionContext={"a": "1"}, **named)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob[::-1], **named)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "re_encrypt", CiphertextBlob=blob[::-1], **source)


@each_kind
def test_a_dry_run_may_do_without_the_ciphertext(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """The key must be named, as it must with one."""
    key = encryption_key(kms, spec)
    asked: dict[str, Any] = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    assert WOULD_SUCCEED == error_of(kms.client, "decrypt", KeyId=key.id, EncryptionAlgorithm=algorithm, **asked)
    assert WOULD_SUCCEED == error_of(
        kms.client,
        "re_encrypt",
        SourceKeyId=key.id,
        SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=kms.create_key().id,
        **asked,
    )
    assert {"Code": "ValidationException", "Message": "KeyId must not be null"} == error_of(
        kms.client, "decrypt", EncryptionAlgorithm=algorithm, **asked
    )


@pytest.mark.parametrize(
    ("spec", "algorithm", "pool"),
    [
        marked("RSA_2048", "RSAES_OAEP_SHA_256", "Cryptographic operations (RSA)"),
        marked("SM2", "SM2PKE", "Cryptographic operations (ECC and SM2)"),
    ],
)
def test_asymmetric_keys_have_quotas_of_their_own(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType, pool: str
) -> None:
    """Calls on them do not count where those on symmetric keys do; ReEncrypt between the two counts in both."""
    kms.clock.freeze()
    key, symmetric = encryption_key(kms, spec), kms.create_key()
    client = kms.client_for(config=Config(retries={"total_max_attempts": 1}))
    blob = kms.encrypt(symmetric, b"secret")
    between: dict[str, Any] = {
        "CiphertextBlob": blob,
        "DestinationKeyId": key.id,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    kms.quotas[pool] = 2
    client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionAlgorithm=algorithm)
    client.re_encrypt(**between)
    for method, members in {
        "encrypt": {"KeyId": key.id, "Plaintext": b"secret", "EncryptionAlgorithm": algorithm},
        "decrypt": {"KeyId": key.id, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm},
        "re_encrypt": between,
    }.items():
        assert "ThrottlingException" == error_of(client, method, **members)["Code"]
        assert kms.trail.last.why.startswith(f"over quota: {pool} request rate is 2 per second")
    assert b"secret" == client.decrypt(CiphertextBlob=blob)["Plaintext"]


# What others make


@each_rsa_algorithm
def test_the_public_key_encrypts_outside_of_kms(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """RSAES-OAEP with the same hash for MGF1, and no label."""
    key = encryption_key(kms, spec)
    public_key = load_der_public_key(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    assert isinstance(public_key, rsa.RSAPublicKey)
    digest = HASHES[algorithm]
    blob = public_key.encrypt(b"secret", padding.OAEP(padding.MGF1(digest), digest, None))
    assert b"secret" == opened(kms, key, algorithm, blob)


@needs_openssl
@each_rsa_algorithm
def test_openssl_encrypts_for_kms(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType, tmp_path: Path
) -> None:
    """As AWS's documentation tells people to do."""
    key, digest = encryption_key(kms, spec), algorithm.removeprefix("RSAES_OAEP_").replace("_", "").lower()
    (tmp_path / "public.der").write_bytes(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    done = subprocess.run(  # noqa: S603  # our own command
        [
            *("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", "public.der", "-keyform", "DER"),
            *("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", f"rsa_oaep_md:{digest}"),
            *("-pkeyopt", f"rsa_mgf1_md:{digest}"),
        ],
        cwd=tmp_path,
        input=b"from a shell",
        capture_output=True,
        check=True,
    )
    assert b"from a shell" == opened(kms, key, algorithm, done.stdout)
