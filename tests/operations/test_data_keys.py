"""Data keys and random bytes have the sizes that were asked for, and data keys open again."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from answers import UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, fake_kms

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.kms(region="us-east-1")

OPERATIONS = ("generate_data_key", "generate_data_key_without_plaintext")
SIZES = [
    pytest.param({"KeySpec": "AES_256"}, 32, id="AES_256"),
    pytest.param({"KeySpec": "AES_128"}, 16, id="AES_128"),
    pytest.param({"NumberOfBytes": 1}, 1, id="1 byte"),
    pytest.param({"NumberOfBytes": 64}, 64, id="64 bytes"),
    pytest.param({"NumberOfBytes": 1024}, 1024, id="1024 bytes"),
]
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}


# GenerateDataKey, GenerateDataKeyWithoutPlaintext


@pytest.mark.parametrize(("members", "size"), SIZES)
def test_a_data_key_comes_in_plaintext_and_encrypted(kms: FakeKMS, members: dict[str, Any], size: int) -> None:
    """The encrypted one opens to the plaintext one."""
    key = kms.create_key("orders")
    described = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    answer = members_of(kms.client.generate_data_key(KeyId="alias/orders", **members))
    plaintext, blob = answer.pop("Plaintext"), answer.pop("CiphertextBlob")
    assert {"KeyId": key.arn, "KeyMaterialId": described["CurrentKeyMaterialId"]} == answer
    assert size == len(plaintext)
    assert plaintext == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize(("members", "size"), SIZES)
def test_a_data_key_comes_encrypted_alone(kms: FakeKMS, members: dict[str, Any], size: int) -> None:
    """The plaintext is seen by whoever decrypts it."""
    key = kms.create_key("orders")
    described = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    answer = members_of(kms.client.generate_data_key_without_plaintext(KeyId="alias/orders", **members))
    blob = answer.pop("CiphertextBlob")
    assert {"KeyId": key.arn, "KeyMaterialId": described["CurrentKeyMaterialId"]} == answer
    assert size == len(kms.client.decrypt(CiphertextBlob=blob)["Plaintext"])


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize(("spec", "size"), [("AES_256", 184), ("AES_128", 168)])
def test_an_encrypted_data_key_looks_like_one_of_aws(kms: FakeKMS, method: str, spec: str, size: int) -> None:
    """It has the length, the well-known first letters and the id of the key material."""
    key = kms.create_key()
    answer = getattr(kms.client, method)(KeyId=key.id, KeySpec=spec)
    blob = answer["CiphertextBlob"]
    assert size == len(blob)
    assert base64.b64encode(blob).startswith(b"AQIDAH")
    assert bytes.fromhex("0102030078") + bytes.fromhex(answer["KeyMaterialId"]) + b"\x01" == blob[:38]


@pytest.mark.parametrize("method", OPERATIONS)
def test_no_two_data_keys_are_alike(kms: FakeKMS, method: str) -> None:
    """Each call makes a new one."""
    key = kms.create_key()
    blobs = [getattr(kms.client, method)(KeyId=key.id, KeySpec="AES_256")["CiphertextBlob"] for _ in range(10)]
    assert 10 == len({kms.client.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in blobs})


@pytest.mark.parametrize("method", OPERATIONS)
def test_a_data_key_is_bound_to_its_encryption_context(kms: FakeKMS, method: str) -> None:
    """The same context opens it, another or none does not."""
    key = kms.create_key()
    answer = getattr(kms.client, method)(KeyId=key.id, KeySpec="AES_256", EncryptionContext={"order": "7"})
    blob = answer["CiphertextBlob"]
    opened = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "7"})["Plaintext"]
    assert 32 == len(opened)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext={"order": "8"})
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob)


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("members", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=["neither", "both"])
def test_the_size_of_a_data_key_is_given_once(kms: FakeKMS, method: str, members: dict[str, Any]) -> None:
    """Either KeySpec or NumberOfBytes."""
    key = kms.create_key()
    assert {
        "Code": "ValidationException",
        "Message": "Please specify either number of bytes or key spec.",
    } == error_of(kms.client, method, KeyId=key.id, **members)


@pytest.mark.parametrize("method", OPERATIONS)
def test_an_unknown_key_is_told_before_a_missing_size(kms: FakeKMS, method: str) -> None:
    """The key is looked up first."""
    arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    assert {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"} == error_of(
        kms.client, method, KeyId=arn
    )


@pytest.mark.parametrize("method", OPERATIONS)
def test_a_missing_size_is_told_before_the_state_of_the_key(kms: FakeKMS, method: str) -> None:
    """The members are looked at before the key's state."""
    key = kms.create_key(state="Disabled")
    assert {
        "Code": "ValidationException",
        "Message": "Please specify either number of bytes or key spec.",
    } == error_of(kms.client, method, KeyId=key.id)


@pytest.mark.parametrize("method", [*OPERATIONS, "generate_random"])
@pytest.mark.parametrize(
    ("number", "constraint"),
    [
        (0, "greater than or equal to 1"),
        (-1, "greater than or equal to 1"),
        (1025, "less than or equal to 1024"),
    ],
)
def test_a_number_of_bytes_is_1_to_1024(kms: FakeKMS, method: str, number: int, constraint: str) -> None:
    """The message shows the number."""
    members = {} if method == "generate_random" else {"KeyId": kms.create_key().id}
    assert invalid(
        f"Value '{number}' at 'numberOfBytes' failed to satisfy constraint: Member must have value {constraint}"
    ) == error_of(unchecked(kms), method, **members, NumberOfBytes=number)


@pytest.mark.parametrize("method", OPERATIONS)
def test_a_data_key_spec_that_nobody_knows(kms: FakeKMS, method: str) -> None:
    """The list of those that there are varies with the years, so that it is not looked at here."""
    error = error_of(kms.client, method, KeyId=kms.create_key().id, KeySpec="AES_192")
    assert "ValidationException" == error["Code"]
    assert error["Message"].startswith(
        "1 validation error detected: Value 'AES_192' at 'keySpec' failed to satisfy constraint:"
        " Member must satisfy enum value set: ["
    )


@pytest.mark.parametrize("method", OPERATIONS)
def test_a_data_key_needs_a_key(kms: FakeKMS, method: str) -> None:
    """KeyId is required."""
    assert invalid("Value null at 'keyId' failed to satisfy constraint: Member must not be null") == error_of(
        unchecked(kms), method, KeySpec="AES_256"
    )


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("state", UNUSABLE)
def test_no_data_key_is_made_in_a_state(kms: FakeKMS, method: str, state: str) -> None:
    """The message names the key and its state."""
    key = kms.create_key(state=state)
    assert unfit(key.arn, state) == error_of(kms.client, method, KeyId=key.id, KeySpec="AES_256")


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("state", ["Enabled", "Updating"])
def test_a_data_key_is_made_in_a_state(kms: FakeKMS, method: str, state: str) -> None:
    """A key that is being updated works on."""
    key = kms.create_key(state=state)
    blob = getattr(kms.client, method)(KeyId=key.id, KeySpec="AES_256")["CiphertextBlob"]
    assert key.arn == kms.client.decrypt(CiphertextBlob=blob)["KeyId"]


@pytest.mark.parametrize(
    ("method", "members", "shown_in"),
    [
        ("generate_data_key", {"KeySpec": "AES_256"}, ["Plaintext"]),
        ("generate_data_key_without_plaintext", {"KeySpec": "AES_256"}, []),
        ("generate_data_key_pair", {"KeyPairSpec": "ECC_NIST_P256"}, ["PrivateKeyPlaintext"]),
        ("generate_data_key_pair_without_plaintext", {"KeyPairSpec": "ECC_NIST_P256"}, []),
    ],
)
def test_a_secret_is_shown_in_one_member_or_in_none(
    kms: FakeKMS, method: str, members: dict[str, str], shown_in: list[str]
) -> None:
    """Of a data key and of the private key of a pair alike: who decrypts the blob finds the same."""
    answer = getattr(kms.client, method)(KeyId=kms.create_key().id, **members)
    (blob,) = (value for name, value in answer.items() if name.endswith("CiphertextBlob"))
    secret = kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert shown_in == [name for name, value in answer.items() if value == secret]


# GenerateRandom


@pytest.mark.parametrize("size", [1, 32, 1024])
def test_random_bytes_are_as_many_as_were_asked_for(kms: FakeKMS, size: int) -> None:
    """The answer has nothing else."""
    answer = members_of(kms.client.generate_random(NumberOfBytes=size))
    assert ["Plaintext"] == list(answer)
    assert size == len(answer["Plaintext"])


def test_random_bytes_are_different_each_time(kms: FakeKMS) -> None:
    """Ten calls, ten results."""
    assert 10 == len({kms.client.generate_random(NumberOfBytes=16)["Plaintext"] for _ in range(10)})


def test_a_seed_makes_random_bytes_repeat() -> None:
    """Two fakes of one seed answer the same, a third of another does not."""
    drawn = []
    for seed in (7, 7, 8):
        with fake_kms(seed=seed) as kms:
            key = kms.create_key()
            answer = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
            random = kms.client.generate_random(NumberOfBytes=32)["Plaintext"]
            drawn.append((key.id, answer["Plaintext"], answer["CiphertextBlob"], random))
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])


def test_the_number_of_random_bytes_is_required(kms: FakeKMS) -> None:
    """KMS's model calls it optional, KMS does not."""
    assert {"Code": "ValidationException", "Message": "NumberOfBytes is required."} == error_of(
        kms.client, "generate_random"
    )


# Properties


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(
    size=st.integers(1, 1024),
    context=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
)
def test_a_data_key_of_any_size_under_any_context_opens(size: int, context: dict[str, str]) -> None:
    """What GenerateDataKey showed is what Decrypt shows."""
    with fake_kms() as kms:
        key = kms.create_key()
        answer = kms.client.generate_data_key(KeyId=key.id, NumberOfBytes=size, EncryptionContext=context)
        opened = kms.client.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)
        assert size == len(answer["Plaintext"])
        assert answer["Plaintext"] == opened["Plaintext"]
