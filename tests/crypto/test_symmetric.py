"""SYMMETRIC_DEFAULT: what was encrypted opens under the same key and context, and under no other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

Context = dict[str, str]

# Short texts of few letters, digits and separators: contexts that look alike when their parts are put together.
TEXTS = st.text(alphabet='ab1:,={}" ', max_size=4) | st.text(max_size=3)
CONTEXTS = st.dictionaries(TEXTS, TEXTS, max_size=3)

# Nothing here depends on how fast the machine is, and every run tries the same.
repeatable = settings(deadline=None, database=None, derandomize=True, max_examples=60)


def opens(client: KMSClient, blob: bytes, context: Context) -> bool:
    """Say whether a blob opens under a context; where it does not, the error is AWS's, without a message."""
    try:
        client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    except ClientError as error:
        if error.response["Error"] != {"Code": "InvalidCiphertextException", "Message": ""}:
            raise
        return False
    return True


@repeatable
@given(plaintext=st.binary(min_size=1, max_size=300), context=CONTEXTS)
def test_what_was_encrypted_comes_back(plaintext: bytes, context: Context) -> None:
    """Any plaintext under any context."""
    with fake_kms() as kms:
        key = kms.create_key()

        blob = kms.client.encrypt(KeyId=key.id, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]

        answer = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        assert plaintext == answer["Plaintext"]
        assert key.arn == answer["KeyId"]
        assert plaintext == kms.decrypt(blob, context)


@repeatable
@given(sealed=CONTEXTS, given_=CONTEXTS)
def test_a_context_opens_what_was_sealed_with_it_and_nothing_else(sealed: Context, given_: Context) -> None:
    """Two contexts open each other's ciphertexts only if they are equal."""
    with fake_kms() as kms:
        blob = kms.encrypt(kms.create_key(), b"x", sealed)

        assert (sealed == given_) == opens(kms.client, blob, given_)


@repeatable
@given(context=st.dictionaries(TEXTS, TEXTS, min_size=2, max_size=4), data=st.data())
def test_any_order_of_a_context_opens(context: Context, data: st.DataObject) -> None:
    """A context is a set of pairs."""
    order = data.draw(st.permutations(list(context.items())))
    with fake_kms() as kms:
        blob = kms.encrypt(kms.create_key(), b"x", context)

        assert opens(kms.client, blob, dict(order))


ALIKE: list[Context] = [
    {},
    {"": ""},
    {"a": "bc"},
    {"ab": "c"},
    {"abc": ""},
    {"": "abc"},
    {"a": "b", "c": ""},
    {"a": "", "b": "c"},
    {"a": "b1:c"},
    {"1:a": "bc"},
    {"a": "bc", "": ""},
    {"a": "BC"},
    {"A": "bc"},
    {"a": "bc "},
    {"a": '"b":"c"'},
    {"a": "b,c=d"},
    {"a": "b", "c": "d"},
    {"a": "b", "d": "c"},
    {"a": "d", "c": "b"},
    {"é": "x"},
    {"e\u0301": "x"},
]


def test_contexts_that_look_alike_do_not_open_each_other(kms: FakeKMS) -> None:
    """{a: bc} never opens {ab: c}; case, spaces and Unicode forms count."""
    key = kms.create_key()
    blobs = [kms.encrypt(key, b"x", context) for context in ALIKE]

    for (sealed, blob), given_ in itertools.product(zip(ALIKE, blobs, strict=True), ALIKE):
        assert (sealed == given_) == opens(kms.client, blob, given_)


def test_no_context_is_an_empty_context(kms: FakeKMS) -> None:
    """Leaving it out and giving {} are the same."""
    key = kms.create_key()
    without = kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    with_empty = kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={})["CiphertextBlob"]

    assert opens(kms.client, without, {})
    assert b"x" == kms.client.decrypt(CiphertextBlob=with_empty)["Plaintext"]


@pytest.mark.parametrize(
    "context", [{"emoji": "🔑"}, {"ключ": "значение"}, {"half": "\ud83d"}, {"zero": "\0"}], ids=ascii
)
def test_a_context_may_hold_any_text(kms: FakeKMS, context: Context) -> None:
    """What JSON can carry binds a ciphertext, half a surrogate pair included."""
    key = kms.create_key()

    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]

    assert opens(kms.client, blob, context)
    assert not opens(kms.client, blob, {})


def test_a_context_that_differs_is_explained(kms: FakeKMS) -> None:
    """The wire has no message; the trail tells each difference, by name."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"x", {"order": "7", "gone": "yes", "same": "s"})

    assert not opens(kms.client, blob, {"order": "8", "new": "no", "same": "s"})

    why = kms.trail.last.why
    assert why.startswith("the encryption context differs: ")
    for part in ("gone", "new", "order", "'7'", "'8'"):
        assert part in why
    assert "same" not in why


def test_reencrypt_changes_the_context(kms: FakeKMS) -> None:
    """The new ciphertext opens under the new context alone, the old one still under the old."""
    key = kms.create_key()
    old = kms.encrypt(key, b"x", {"a": "1"})

    new = kms.client.re_encrypt(
        CiphertextBlob=old,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=key.id,
        DestinationEncryptionContext={"b": "2"},
    )["CiphertextBlob"]

    assert opens(kms.client, new, {"b": "2"})
    assert not opens(kms.client, new, {"a": "1"})
    assert opens(kms.client, old, {"a": "1"})


def test_reencrypt_needs_the_context_of_the_source(kms: FakeKMS) -> None:
    """A wrong source context is an invalid ciphertext."""
    key = kms.create_key()

    with pytest.raises(ClientError) as excinfo:
        kms.client.re_encrypt(CiphertextBlob=kms.encrypt(key, b"x", {"a": "1"}), DestinationKeyId=key.id)

    assert {"Code": "InvalidCiphertextException", "Message": ""} == excinfo.value.response["Error"]


def test_a_dry_run_does_the_cryptography_first(kms: FakeKMS) -> None:
    """A dry run with a wrong context is told of the context."""
    blob = kms.encrypt(kms.create_key(), b"x", {"a": "1"})

    with pytest.raises(ClientError) as wrong:
        kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "2"}, DryRun=True)
    with pytest.raises(ClientError) as right:
        kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "1"}, DryRun=True)

    assert {"Code": "InvalidCiphertextException", "Message": ""} == wrong.value.response["Error"]
    assert {
        "Code": "DryRunOperationException",
        "Message": "The request would have succeeded, but the DryRun option is set.",
    } == right.value.response["Error"]


def test_equal_plaintexts_have_different_ciphertexts(kms: FakeKMS) -> None:
    """Nobody learns from ciphertexts that two plaintexts are equal."""
    key = kms.create_key()

    blobs = {kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"] for _ in range(20)}

    assert 20 == len(blobs)


def test_a_key_opens_its_own_ciphertexts_alone(kms: FakeKMS) -> None:
    """Naming another key is told, and the material id of another key opens nothing."""
    one, other = kms.create_key(), kms.create_key()
    blob = kms.encrypt(one, b"x")
    forged = blob[:5] + kms.encrypt(other, b"x")[5:37] + blob[37:]

    with pytest.raises(ClientError) as excinfo:
        kms.client.decrypt(CiphertextBlob=blob, KeyId=other.id)

    assert {
        "Code": "IncorrectKeyException",
        "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
    } == excinfo.value.response["Error"]
    assert not opens(kms.client, forged, {})


def test_material_given_by_the_test_is_the_keys_own(kms: FakeKMS) -> None:
    """Two keys of the same material are still two keys."""
    one, other = kms.create_key(material=bytes(32)), kms.create_key(material=bytes(32))

    blob = kms.encrypt(one, b"x")

    assert kms.client.decrypt(CiphertextBlob=blob)["KeyId"] == one.arn
    with pytest.raises(ClientError):
        kms.client.decrypt(CiphertextBlob=blob, KeyId=other.arn)


def test_a_seed_repeats_ciphertexts_and_data_keys() -> None:
    """Two fakes of one seed make the same blobs, of another seed others."""

    def made(seed: int) -> tuple[bytes, bytes, bytes]:
        with fake_kms(seed=seed) as kms:
            key = kms.create_key()
            data_key = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
            return kms.encrypt(key, b"x"), data_key["Plaintext"], data_key["CiphertextBlob"]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_the_fakes_own_decrypt_explains_what_does_not_open(kms: FakeKMS) -> None:
    """`kms.decrypt` fails as a mistake of the test, with the reason."""
    blob = kms.encrypt(kms.create_key(), b"x", {"a": "1"})

    with pytest.raises(UsageError, match="the ciphertext does not open: the encryption context differs"):
        kms.decrypt(blob)
    with pytest.raises(UsageError, match="the ciphertext does not open: the ciphertext was altered"):
        kms.decrypt(blob[:-1] + bytes([blob[-1] ^ 1]), {"a": "1"})
    with pytest.raises(
        UsageError, match="the ciphertext was made with no symmetric key of this fake; if with another, say key="
    ):
        kms.decrypt(b"garbage")
