"""Encrypt, Decrypt and ReEncrypt work as AWS's do, up to 4,096 bytes, bound to the encryption context."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from answers import UNKNOWN, UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from botocore.exceptions import ClientError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, fake_kms

pytestmark = pytest.mark.kms(region="us-east-1")

USABLE = ("Enabled", "Updating")
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}
INCORRECT_KEY = {
    "Code": "IncorrectKeyException",
    "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
}

quickly = settings(max_examples=40, deadline=None, database=None, derandomize=True)
plaintexts = st.one_of(
    st.binary(min_size=1, max_size=64),
    st.integers(1, 4096).map(lambda size: (b"0123456789abcdef" * 256)[:size]),
    st.binary(min_size=4090, max_size=4096),
)
contexts = st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5)


def material_id(kms: FakeKMS, key_id: str) -> str:
    """Return the id of the key material that DescribeKey shows."""
    return kms.client.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]


# Encrypt


def test_encrypt_answers_ciphertext_key_and_algorithm(kms: FakeKMS) -> None:
    """The key is named by its ARN, its material is not named."""
    key = kms.create_key("orders")
    answer = members_of(kms.client.encrypt(KeyId="alias/orders", Plaintext=b"secret"))
    blob = answer.pop("CiphertextBlob")
    assert {"KeyId": key.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"} == answer
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


def test_a_ciphertext_looks_like_one_of_aws(kms: FakeKMS) -> None:
    """It begins with the well-known letters and holds the id of the key material."""
    key = kms.create_key()
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"]
    assert base64.b64encode(blob).startswith(b"AQICAH")
    assert bytes.fromhex("0102020078") + bytes.fromhex(material_id(kms, key.id)) + b"\x01" == blob[:38]


@pytest.mark.parametrize(
    ("plaintext", "ciphertext"),
    [
        *((1, 153), (16, 168), (17, 169), (22, 174), (27, 179), (32, 184)),
        *((48, 201), (150, 307), (2374, 2536), (4096, 4258)),
    ],
)
def test_a_ciphertext_is_as_long_as_one_of_aws(kms: FakeKMS, plaintext: int, ciphertext: int) -> None:
    """The encryption context is bound to it without making it longer."""
    key = kms.create_key()
    for context in ({}, {"order": "7" * 100}):
        answer = kms.client.encrypt(KeyId=key.id, Plaintext=b"x" * plaintext, EncryptionContext=context)
        assert ciphertext == len(answer["CiphertextBlob"])


def test_one_plaintext_has_many_ciphertexts(kms: FakeKMS) -> None:
    """Encrypting twice gives two blobs, and both open."""
    key = kms.create_key()
    blobs = [kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"] for _ in range(10)]
    assert 10 == len(set(blobs))
    assert {b"secret"} == {kms.client.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in blobs}


@pytest.mark.parametrize("size", [1, 4096])
def test_encrypt_takes_1_to_4096_bytes(kms: FakeKMS, size: int) -> None:
    """Both ends of the range come back as they were."""
    key = kms.create_key()
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"\xff" * size)["CiphertextBlob"]
    assert b"\xff" * size == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize(
    ("members", "constraint"),
    [
        pytest.param({"Plaintext": b"x" * 4097}, "have length less than or equal to 4096", id="4097 bytes"),
        pytest.param({"Plaintext": b""}, "have length greater than or equal to 1", id="no bytes"),
        pytest.param({}, "not be null", id="no plaintext"),
    ],
)
def test_a_plaintext_that_encrypt_does_not_take(kms: FakeKMS, members: dict[str, bytes], constraint: str) -> None:
    """What it was is never shown."""
    key = kms.create_key()
    expected = invalid(f"Value at 'plaintext' failed to satisfy constraint: Member must {constraint}")
    assert expected == error_of(unchecked(kms), "encrypt", KeyId=key.id, **members)


def test_limits_are_told_before_the_key_is_looked_for(kms: FakeKMS) -> None:
    """A bad member of a call on an unknown key is a bad member."""
    violation = "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"
    assert invalid(violation) == error_of(kms.client, "encrypt", KeyId=UNKNOWN, Plaintext=b"x" * 4097)


def test_all_that_is_wrong_with_encrypt_is_told_at_once(kms: FakeKMS) -> None:
    """An empty key id breaks two constraints, one of which no model shows."""
    assert invalid(
        "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
        "Value '' at 'keyId' failed to satisfy constraint:"
        r" Member must satisfy regular expression pattern: ^\p{ASCII}+$",
        "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ) == error_of(unchecked(kms), "encrypt", KeyId="", Plaintext=b"")


@pytest.mark.parametrize(
    ("method", "member"),
    [
        ("encrypt", "EncryptionAlgorithm"),
        ("decrypt", "EncryptionAlgorithm"),
        ("re_encrypt", "SourceEncryptionAlgorithm"),
        ("re_encrypt", "DestinationEncryptionAlgorithm"),
    ],
)
@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"])
def test_a_symmetric_key_has_one_algorithm(kms: FakeKMS, method: str, member: str, algorithm: str) -> None:
    """Algorithms of asymmetric keys are incompatible with its key spec."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"secret")
    requests: dict[str, dict[str, Any]] = {
        "encrypt": {"KeyId": key.id, "Plaintext": b"secret"},
        "decrypt": {"KeyId": key.id, "CiphertextBlob": blob},
        "re_encrypt": {"SourceKeyId": key.id, "DestinationKeyId": key.id, "CiphertextBlob": blob},
    }
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"Algorithm {algorithm} is incompatible with key spec SYMMETRIC_DEFAULT.",
    } == error_of(kms.client, method, **requests[method], **{member: algorithm})


@pytest.mark.parametrize(
    ("method", "member", "place"),
    [
        ("encrypt", "EncryptionAlgorithm", "encryptionAlgorithm"),
        ("decrypt", "EncryptionAlgorithm", "encryptionAlgorithm"),
        ("re_encrypt", "SourceEncryptionAlgorithm", "sourceEncryptionAlgorithm"),
        ("re_encrypt", "DestinationEncryptionAlgorithm", "destinationEncryptionAlgorithm"),
    ],
)
def test_an_algorithm_that_nobody_knows(kms: FakeKMS, method: str, member: str, place: str) -> None:
    """The message lists those that there are; their order is AWS's own and means nothing."""
    key = kms.create_key()
    requests: dict[str, dict[str, Any]] = {
        "encrypt": {"KeyId": key.id, "Plaintext": b"secret"},
        "decrypt": {"CiphertextBlob": b"blob"},
        "re_encrypt": {"DestinationKeyId": key.id, "CiphertextBlob": b"blob"},
    }
    error = error_of(kms.client, method, **requests[method], **{member: "ROT13"})
    told, listed = error["Message"].removesuffix("]").split(" [")
    assert (
        f"1 validation error detected: Value 'ROT13' at '{place}' failed to satisfy constraint:"
        " Member must satisfy enum value set:"
    ) == told
    assert {"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"} == set(listed.split(", "))


@pytest.mark.parametrize("state", UNUSABLE)
def test_encrypt_is_refused_in_a_state(kms: FakeKMS, state: str) -> None:
    """The message names the key and its state."""
    key = kms.create_key(state=state)
    assert unfit(key.arn, state) == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"secret")


@pytest.mark.parametrize("state", USABLE)
def test_a_key_encrypts_and_decrypts_in_a_state(kms: FakeKMS, state: str) -> None:
    """A key that is being updated works on."""
    key = kms.create_key(state=state)
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"]
    again = kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key.id)["CiphertextBlob"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=again)["Plaintext"]


# Decrypt


@pytest.mark.parametrize("named", [True, False], ids=["key named", "key not named"])
def test_decrypt_answers_plaintext_key_and_material(kms: FakeKMS, named: bool) -> None:  # noqa: FBT001
    """The key need not be named: the ciphertext knows it."""
    key = kms.create_key("orders")
    members: dict[str, Any] = {"KeyId": "alias/orders"} if named else {}
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"]
    assert {
        "KeyId": key.arn,
        "Plaintext": b"secret",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": material_id(kms, key.id),
    } == members_of(kms.client.decrypt(CiphertextBlob=blob, **members))


def test_decrypt_with_another_key_is_refused(kms: FakeKMS) -> None:
    """A key that is named must be the key of the ciphertext."""
    key, other = kms.create_key(), kms.create_key()
    assert INCORRECT_KEY == error_of(kms.client, "decrypt", CiphertextBlob=kms.encrypt(key, b"secret"), KeyId=other.id)


@pytest.mark.parametrize("state", UNUSABLE)
def test_another_key_is_refused_whatever_state_it_is_in(kms: FakeKMS, state: str) -> None:
    """Which key it is counts before its state."""
    key, other = kms.create_key(state=state), kms.create_key(state=state)
    assert INCORRECT_KEY == error_of(kms.client, "decrypt", CiphertextBlob=kms.encrypt(key, b"secret"), KeyId=other.id)


@pytest.mark.parametrize("named", [True, False], ids=["key named", "key not named"])
@pytest.mark.parametrize("state", UNUSABLE)
def test_decrypt_is_refused_in_a_state(kms: FakeKMS, state: str, named: bool) -> None:  # noqa: FBT001
    """The message names the key and its state."""
    key = kms.create_key(state=state)
    members = {"KeyId": key.id} if named else {}
    assert unfit(key.arn, state) == error_of(
        kms.client, "decrypt", CiphertextBlob=kms.encrypt(key, b"secret"), **members
    )


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
@pytest.mark.parametrize(
    ("members", "violation"),
    [
        pytest.param(
            {"CiphertextBlob": b"x" * 6145},
            "Value at 'ciphertextBlob' failed to satisfy constraint:"
            " Member must have length less than or equal to 6144",
            id="6145 bytes",
        ),
        pytest.param(
            {"CiphertextBlob": b""},
            "Value at 'ciphertextBlob' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1",
            id="no bytes",
        ),
        pytest.param(
            {},
            "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
            id="missing",
        ),
    ],
)
def test_a_ciphertext_has_1_to_6144_bytes(kms: FakeKMS, method: str, members: dict[str, bytes], violation: str) -> None:
    """What is too short, too long or not there is told as such."""
    destination = {"DestinationKeyId": kms.create_key().id} if method == "re_encrypt" else {}
    assert invalid(violation) == error_of(unchecked(kms), method, **members, **destination)


@pytest.mark.parametrize("size", [1, 6144])
def test_bytes_within_the_limits_are_an_invalid_ciphertext(kms: FakeKMS, size: int) -> None:
    """The limits do not say what a ciphertext is."""
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=b"x" * size)


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_an_asymmetric_ciphertext_does_not_know_its_key(kms: FakeKMS, algorithm: str) -> None:
    """With such an algorithm the key must be named."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    assert {"Code": "ValidationException", "Message": "KeyId must not be null"} == error_of(
        kms.client, "decrypt", CiphertextBlob=blob, EncryptionAlgorithm=algorithm
    )


# The encryption context


def test_an_encryption_context_has_no_order(kms: FakeKMS) -> None:
    """The same pairs in any order open the ciphertext."""
    key = kms.create_key()
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionContext={"a": "1", "b": "2"})
    answer = kms.client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"b": "2", "a": "1"})
    assert b"secret" == answer["Plaintext"]


@pytest.mark.parametrize("sealed", [{}, {"EncryptionContext": {}}], ids=["none", "empty"])
@pytest.mark.parametrize("opened", [{}, {"EncryptionContext": {}}], ids=["none", "empty"])
def test_an_empty_encryption_context_is_none(kms: FakeKMS, sealed: dict[str, Any], opened: dict[str, Any]) -> None:
    """Leaving it out and giving an empty one are the same."""
    key = kms.create_key()
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret", **sealed)["CiphertextBlob"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob, **opened)["Plaintext"]


@pytest.mark.parametrize(
    ("sealed", "opened"),
    [
        pytest.param({"order": "7"}, {}, id="missing"),
        pytest.param({}, {"order": "7"}, id="too much"),
        pytest.param({"order": "7"}, {"order": "8"}, id="other value"),
        pytest.param({"order": "7"}, {"Order": "7"}, id="other case of the name"),
        pytest.param({"order": "a"}, {"order": "A"}, id="other case of the value"),
        pytest.param({"order": "7"}, {"order": "7", "item": "1"}, id="one pair more"),
        pytest.param({"order": "7", "item": "1"}, {"order": "7"}, id="one pair less"),
        pytest.param({"a": "bc"}, {"ab": "c"}, id="moved boundary"),
        pytest.param({"a": "b", "c": "d"}, {"a": "d", "c": "b"}, id="exchanged values"),
        pytest.param({"a": "b"}, {"b": "a"}, id="exchanged name and value"),
        pytest.param({"a": ""}, {"": "a"}, id="empty value"),
        pytest.param({"é": "1"}, {"e\u0301": "1"}, id="other normal form"),
        pytest.param({"a": "1 "}, {"a": "1"}, id="trailing space"),
        pytest.param({"a": "1\x00"}, {"a": "1"}, id="trailing zero"),
    ],
)
def test_another_encryption_context_does_not_open(kms: FakeKMS, sealed: dict[str, str], opened: dict[str, str]) -> None:
    """The error says nothing about what is different, from Decrypt and ReEncrypt alike."""
    key = kms.create_key()
    answer = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionContext=sealed)
    blob = answer["CiphertextBlob"]
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext=opened)
    assert INVALID_CIPHERTEXT == error_of(
        kms.client,
        "re_encrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext=opened,
        DestinationEncryptionContext=sealed,
        DestinationKeyId=key.id,
    )
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=sealed)["Plaintext"]


@pytest.mark.parametrize(
    "context",
    [{"order": "8"}, {}, {"order": "7", "item": "1"}],
    ids=["other value", "missing", "too much"],
)
def test_the_trail_says_what_the_error_does_not(kms: FakeKMS, context: dict[str, str]) -> None:
    """What differs is for the reader of the test's report, not for the application."""
    blob = kms.encrypt(kms.create_key(), b"secret", {"order": "7"})
    error_of(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext=context)
    why = kms.trail[-1].why
    assert why.startswith("the encryption context differs: ")
    assert ("item" if "item" in context else "order") in why


# ReEncrypt


def test_re_encrypt_answers_both_keys(kms: FakeKMS) -> None:
    """Source and destination are told by ARN, algorithm and material."""
    source, destination = kms.create_key("old"), kms.create_key("new")
    answer = members_of(
        kms.client.re_encrypt(CiphertextBlob=kms.encrypt(source, b"secret"), DestinationKeyId="alias/new")
    )
    blob = answer.pop("CiphertextBlob")
    assert {
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": material_id(kms, source.id),
        "DestinationKeyMaterialId": material_id(kms, destination.id),
    } == answer
    assert {
        "KeyId": destination.arn,
        "Plaintext": b"secret",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": material_id(kms, destination.id),
    } == members_of(kms.client.decrypt(CiphertextBlob=blob))


def test_a_re_encrypted_data_key_is_an_encrypted_plaintext(kms: FakeKMS) -> None:
    """The blob begins as Encrypt's do, whoever made the one before."""
    key = kms.create_key()
    data_key = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
    answer = kms.client.re_encrypt(CiphertextBlob=data_key["CiphertextBlob"], DestinationKeyId=key.id)
    assert bytes.fromhex("0102020078") == answer["CiphertextBlob"][:5]
    assert data_key["Plaintext"] == kms.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]


def test_re_encrypt_changes_the_encryption_context(kms: FakeKMS) -> None:
    """The same key may be source and destination; the old ciphertext stays valid."""
    key = kms.create_key()
    old, new = {"order": "7"}, {"order": "8"}
    blob = kms.encrypt(key, b"secret", old)
    answer = kms.client.re_encrypt(
        CiphertextBlob=blob,
        SourceKeyId=key.id,
        SourceEncryptionContext=old,
        DestinationKeyId=key.id,
        DestinationEncryptionContext=new,
    )
    again = answer["CiphertextBlob"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=again, EncryptionContext=new)["Plaintext"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=old)["Plaintext"]
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=again, EncryptionContext=old)


def test_re_encrypt_does_not_keep_the_encryption_context(kms: FakeKMS) -> None:
    """Without one for the destination there is none."""
    key = kms.create_key()
    answer = kms.client.re_encrypt(
        CiphertextBlob=kms.encrypt(key, b"secret", {"order": "7"}),
        SourceEncryptionContext={"order": "7"},
        DestinationKeyId=key.id,
    )
    assert b"secret" == kms.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]


def test_re_encrypt_from_another_key_is_refused(kms: FakeKMS) -> None:
    """A source key that is named must be the key of the ciphertext."""
    key, other = kms.create_key(), kms.create_key()
    assert INCORRECT_KEY == error_of(
        kms.client,
        "re_encrypt",
        CiphertextBlob=kms.encrypt(key, b"secret"),
        SourceKeyId=other.id,
        DestinationKeyId=other.id,
    )


def test_re_encrypt_needs_a_destination(kms: FakeKMS) -> None:
    """DestinationKeyId is required."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    assert invalid(
        "Value null at 'destinationKeyId' failed to satisfy constraint: Member must not be null"
    ) == error_of(unchecked(kms), "re_encrypt", CiphertextBlob=blob)


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("state", UNUSABLE)
def test_re_encrypt_is_refused_in_a_state_of_either_key(kms: FakeKMS, state: str, side: str) -> None:
    """The message names the key that cannot be used."""
    source, destination = kms.create_key(), kms.create_key()
    key = source if side == "source" else destination
    blob = kms.encrypt(source, b"secret")
    key.state = state
    assert unfit(key.arn, state) == error_of(
        kms.client, "re_encrypt", CiphertextBlob=blob, DestinationKeyId=destination.id
    )


def test_4096_bytes_are_re_encrypted(kms: FakeKMS) -> None:
    """The longest plaintext goes round as well."""
    source, destination = kms.create_key(), kms.create_key()
    answer = kms.client.re_encrypt(CiphertextBlob=kms.encrypt(source, b"\x00" * 4096), DestinationKeyId=destination.id)
    assert b"\x00" * 4096 == kms.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]


# Properties


@quickly
@given(plaintext=plaintexts, context=contexts)
def test_what_was_encrypted_comes_back(plaintext: bytes, context: dict[str, str]) -> None:
    """Any 1 to 4,096 bytes, under any context, through Encrypt, ReEncrypt and Decrypt."""
    with fake_kms() as kms:
        key, other = kms.create_key(), kms.create_key()
        blob = kms.client.encrypt(KeyId=key.id, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
        answer = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))
        assert (plaintext, key.arn) == (answer["Plaintext"], answer["KeyId"])
        again = kms.client.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other.id)
        answer = kms.client.decrypt(CiphertextBlob=again["CiphertextBlob"])
        assert (plaintext, other.arn) == (answer["Plaintext"], answer["KeyId"])


@quickly
@given(sealed=contexts, opened=contexts)
def test_no_other_context_opens(sealed: dict[str, str], opened: dict[str, str]) -> None:
    """Whatever two contexts differ in, one does not open what the other sealed."""
    assume(sealed != opened)
    with fake_kms() as kms:
        blob = kms.encrypt(kms.create_key(), b"secret", sealed)
        assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext=opened)


@quickly
@given(pairs=st.lists(st.sampled_from("ab0:1,"), min_size=2, max_size=8), cut=st.integers(1, 7), data=st.data())
def test_no_moved_boundary_opens(pairs: list[str], cut: int, data: st.DataObject) -> None:
    """Texts that read the same when written one after the other are different contexts."""
    text = "".join(pairs)
    first = data.draw(st.integers(0, len(text)))
    second = min(cut, len(text))
    assume(first != second)
    with fake_kms() as kms:
        blob = kms.encrypt(kms.create_key(), b"secret", {text[:first]: text[first:]})
        assert INVALID_CIPHERTEXT == error_of(
            kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext={text[:second]: text[second:]}
        )


@quickly
@given(plaintext=plaintexts, place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_no_changed_byte_opens(plaintext: bytes, place: float, change: int) -> None:
    """Wherever a ciphertext is altered, it is none any more."""
    with fake_kms() as kms:
        blob = bytearray(kms.encrypt(kms.create_key(), plaintext))
        blob[int(place * len(blob))] ^= change
        assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=bytes(blob))


def test_no_single_byte_of_a_ciphertext_is_idle(kms: FakeKMS) -> None:
    """Byte by byte: a changed bit in any of them is noticed."""
    blob = kms.encrypt(kms.create_key(), b"secret", {"order": "7"})
    for place in range(len(blob)):
        altered = bytearray(blob)
        altered[place] ^= 1
        assert INVALID_CIPHERTEXT == error_of(
            kms.client, "decrypt", CiphertextBlob=bytes(altered), EncryptionContext={"order": "7"}
        ), place


# what is recorded, and said, of a ciphertext that does not open


def test_a_wrong_key_is_recorded_as_it_was_named(kms: FakeKMS) -> None:
    """As in AWS's own sample of IncorrectKeyException: with the request, and the key that it names."""
    made_with, named = kms.create_key(), kms.create_key()
    blob = kms.encrypt(made_with, b"x", {"order": "7"})
    with pytest.raises(ClientError, match="IncorrectKeyException"):
        kms.client.decrypt(CiphertextBlob=blob, KeyId=named.arn, EncryptionContext={"order": "7"})

    kms.assert_called("Decrypt", key=named, error="IncorrectKeyException", encryption_context={"order": "7"}, times=1)
    kms.assert_not_used(named)
    [record] = kms.trail.to_cloudtrail()
    assert {
        "encryptionContext": {"order": "7"},
        "keyId": named.arn,
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
    } == record["requestParameters"]
    assert [named.arn] == [resource["ARN"] for resource in record["resources"]]


def test_a_replica_elsewhere_is_no_key_of_this_region(kms: FakeKMS) -> None:
    """A member of the family that is named by its ARN is another key than the one that is asked here."""
    primary = kms.create_key(multi_region=True)
    replica = kms.replicate(primary, "eu-west-1")
    blob = kms.encrypt(primary, b"x")
    with pytest.raises(ClientError, match="IncorrectKeyException"):
        kms.client.decrypt(CiphertextBlob=blob, KeyId=replica.arn)
    assert replica.arn == kms.trail.last.key


def test_an_external_key_manager_says_what_it_does_not_open(kms: FakeKMS) -> None:
    """The sentence is that of the external key store proxy; keys of others are refused without one."""
    outside = kms.create_key(key_store=kms.key_store("EXTERNAL_KEY_STORE"))
    blob = kms.encrypt(outside, b"x", {"order": "7"})
    with pytest.raises(ClientError) as excinfo:
        kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "8"})
    assert {
        "Code": "InvalidCiphertextException",
        "Message": "The external key store proxy rejected the request because the specified ciphertext or additional"
        " authenticated data is corrupted, missing, or otherwise invalid.",
    } == excinfo.value.response["Error"]
