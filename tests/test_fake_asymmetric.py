"""What a test arranges with asymmetric keys: keys, ciphertexts, and what it opens of the application's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from optional import needs_sm2

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms.literals import EncryptionAlgorithmSpecType

# A Region in which AWS has keys of every spec.
pytestmark = pytest.mark.kms(region="cn-north-1")

SHA_1, SHA_256 = "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"


def marked(spec: str, *values: object) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    return pytest.param(spec, *values, marks=[needs_sm2] if spec == "SM2" else [])


each_algorithm = pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        marked("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"),
        marked("RSA_2048", SHA_1),
        marked("RSA_2048", SHA_256),
        marked("RSA_4096", SHA_256),
        marked("SM2", "SM2PKE"),
    ],
)
each_spec = pytest.mark.parametrize(
    ("spec", "default"), [marked("RSA_2048", SHA_256), marked("RSA_3072", SHA_256), marked("SM2", "SM2PKE")]
)


def refusal(act: Callable[[], object]) -> str:
    """Return the text with which the fake refuses to arrange something."""
    with pytest.raises(UsageError) as excinfo:
        act()
    return str(excinfo.value)


# kms.encrypt


@each_algorithm
def test_the_application_opens_what_a_test_has_encrypted(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """Whichever way the test names the key."""
    key = kms.create_key("orders", spec=spec, usage="ENCRYPT_DECRYPT")
    for name in (key, key.id, key.arn, "alias/orders"):
        blob = kms.encrypt(name, b"secret", algorithm=algorithm)
        answer = kms.client.decrypt(KeyId=key.id, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
        assert b"secret" == answer["Plaintext"]


@each_spec
def test_a_test_need_not_name_the_algorithm(kms: FakeKMS, spec: str, default: EncryptionAlgorithmSpecType) -> None:
    """Of RSA it is the one with SHA-256."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT")
    blob = kms.encrypt(key, b"secret")
    answer = kms.client.decrypt(KeyId=key.id, CiphertextBlob=blob, EncryptionAlgorithm=default)
    assert b"secret" == answer["Plaintext"]
    assert b"secret" == kms.decrypt(blob, key=key)


@each_algorithm
def test_a_test_encrypts_whatever_state_the_key_is_in(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """And opens, and none of it is a call."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT", state="Disabled")
    assert b"secret" == kms.decrypt(kms.encrypt(key, b"secret", algorithm=algorithm), key=key, algorithm=algorithm)
    assert [] == list(kms.trail)


# kms.decrypt


@each_algorithm
def test_a_test_opens_what_the_application_has_encrypted(
    kms: FakeKMS, spec: str, algorithm: EncryptionAlgorithmSpecType
) -> None:
    """An asymmetric key must be named, since the ciphertext does not tell it; a symmetric one may be."""
    key = kms.create_key("orders", spec=spec, usage="ENCRYPT_DECRYPT")
    answer = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionAlgorithm=algorithm)
    for name in (key, key.id, key.arn, "alias/orders"):
        assert b"secret" == kms.decrypt(answer["CiphertextBlob"], key=name, algorithm=algorithm)


def test_a_private_key_of_a_pair_is_opened_with_its_context(kms: FakeKMS) -> None:
    """As any other symmetric ciphertext."""
    key, context = kms.create_key(), {"order": "7"}
    answer = kms.client.generate_data_key_pair(KeyId=key.id, KeyPairSpec="ECC_NIST_P256", EncryptionContext=context)
    assert answer["PrivateKeyPlaintext"] == kms.decrypt(answer["PrivateKeyCiphertextBlob"], context)


@each_spec
def test_an_asymmetric_ciphertext_without_its_key(kms: FakeKMS, spec: str, default: str) -> None:
    """The test is told to name it."""
    blob = kms.encrypt(kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT"), b"secret", algorithm=default)
    assert (
        "pytest-kms: the ciphertext was made with no symmetric key of this fake; if with another, say key="
    ) == refusal(lambda: kms.decrypt(blob))
    symmetric = kms.create_key("orders")
    assert (
        "pytest-kms: the ciphertext was made with no symmetric key of this fake; if with another, say key="
    ) == refusal(lambda: kms.decrypt(blob, key=symmetric))


def test_a_symmetric_ciphertext_with_another_key(kms: FakeKMS) -> None:
    """The test is told which it was."""
    orders, invoices = kms.create_key("orders"), kms.create_key("invoices")
    blob = kms.encrypt(orders, b"secret")
    assert b"secret" == kms.decrypt(blob, key=orders)
    assert ("pytest-kms: the ciphertext was made with alias/orders, not with alias/invoices") == refusal(
        lambda: kms.decrypt(blob, key=invoices)
    )


@pytest.mark.parametrize("what", ["other key", "other hash", "altered", "symmetric"])
def test_a_ciphertext_that_does_not_open(kms: FakeKMS, what: str) -> None:
    """The text says what may be the reason."""
    key = kms.create_key("orders", spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    other = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    blobs = {
        "other key": kms.encrypt(other, b"secret"),
        "other hash": kms.encrypt(key, b"secret", algorithm=SHA_1),
        "altered": kms.encrypt(key, b"secret")[::-1],
        "symmetric": kms.encrypt(kms.create_key(), b"secret"),
    }
    assert (
        "pytest-kms: the ciphertext does not open: the ciphertext was made for another key than alias/orders"
        " or with another algorithm, or was altered"
    ) == refusal(lambda: kms.decrypt(blobs[what], key=key))


# What is refused


@each_spec
def test_an_asymmetric_key_has_no_encryption_context(kms: FakeKMS, spec: str, default: str) -> None:
    """Neither to encrypt nor to open with; an empty one is none."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT")
    blob = kms.encrypt(key, b"secret", {}, algorithm=default)
    assert b"secret" == kms.decrypt(blob, {}, key=key)
    told = "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
    assert f"pytest-kms: {told}" == refusal(lambda: kms.encrypt(key, b"secret", {"order": "7"}))
    assert f"pytest-kms: the ciphertext does not open: {told}" == refusal(
        lambda: kms.decrypt(blob, {"order": "7"}, key=key)
    )


@pytest.mark.parametrize(
    ("spec", "algorithm", "longest"),
    [marked("RSA_2048", SHA_1, 214), marked("RSA_2048", SHA_256, 190), marked("SM2", "SM2PKE", 1024)],
)
def test_an_asymmetric_key_encrypts_less(kms: FakeKMS, spec: str, algorithm: str, longest: int) -> None:
    """The text is AWS's."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT")
    plaintext = b"x" * longest
    assert plaintext == kms.decrypt(kms.encrypt(key, plaintext, algorithm=algorithm), key=key, algorithm=algorithm)
    assert (
        f"pytest-kms: Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes."
    ) == refusal(lambda: kms.encrypt(key, plaintext + b"x", algorithm=algorithm))


@pytest.mark.parametrize("size", [0, 4097])
def test_no_key_encrypts_nothing_or_too_much(kms: FakeKMS, size: int) -> None:
    """What Encrypt does not take is told in the words of the fake."""
    key = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    told = f"pytest-kms: KMS encrypts 1 to 4096 bytes, not {size}"
    assert told == refusal(lambda: kms.encrypt(key, b"x" * size))


@pytest.mark.parametrize(
    ("spec", "algorithm", "message"),
    [
        ("RSA_2048", "SYMMETRIC_DEFAULT", f"alias/orders encrypts with {SHA_1} or {SHA_256}, not with"),
        ("RSA_2048", "oaep", f"alias/orders encrypts with {SHA_1} or {SHA_256}, not with"),
        ("SYMMETRIC_DEFAULT", SHA_256, "alias/orders encrypts with SYMMETRIC_DEFAULT, not with"),
    ],
)
def test_an_algorithm_that_the_key_does_not_have(kms: FakeKMS, spec: str, algorithm: str, message: str) -> None:
    """The text lists those that it has."""
    key = kms.create_key("orders", spec=spec, usage="ENCRYPT_DECRYPT")
    blob = kms.encrypt(key, b"secret")
    told = f"pytest-kms: {message} {algorithm!r}"
    assert told == refusal(lambda: kms.encrypt(key, b"secret", algorithm=algorithm))
    assert told == refusal(lambda: kms.decrypt(blob, key=key, algorithm=algorithm))


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT"), ("HMAC_256", "GENERATE_VERIFY_MAC")],
)
def test_a_key_that_does_not_encrypt(kms: FakeKMS, spec: str, usage: str) -> None:
    """The text says what it is for."""
    key = kms.create_key("orders", spec=spec, usage=usage)
    told = f"pytest-kms: alias/orders is for {usage}, not for ENCRYPT_DECRYPT"
    assert told == refusal(lambda: kms.encrypt(key, b"secret"))


@pytest.mark.parametrize(("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT")])
def test_a_key_that_does_not_decrypt(kms: FakeKMS, spec: str, usage: str) -> None:
    """Whatever the bytes are that it is to open."""
    key = kms.create_key("orders", spec=spec, usage=usage)
    told = f"pytest-kms: alias/orders is for {usage}, not for ENCRYPT_DECRYPT"
    assert told == refusal(lambda: kms.decrypt(b"blob", key=key))


def test_a_key_that_there_is_not(kms: FakeKMS) -> None:
    """Named to encrypt or to open with."""
    assert refusal(lambda: kms.encrypt("alias/nowhere", b"secret")).startswith("pytest-kms: no key is called")
    assert refusal(lambda: kms.decrypt(b"blob", key="alias/nowhere")).startswith("pytest-kms: no key is called")
