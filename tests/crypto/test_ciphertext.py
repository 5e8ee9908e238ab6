"""The layout of ciphertexts, byte for byte as AWS KMS makes them."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest
from botocore.exceptions import ClientError

from pytest_kms import fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

FROM_ENCRYPT = bytes.fromhex("0102020078")
FROM_DATA_KEY = bytes.fromhex("0102030078")

ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
DATA = "1.2.840.113549.1.7.1"
AES_256_GCM = "2.16.840.1.101.3.4.1.46"


class Element(NamedTuple):
    """One element of DER."""

    tag: int
    content: bytes


def read_der(data: bytes) -> Iterator[Element]:
    """Read DER elements that stand one behind the other; lengths must be in their shortest form."""
    while data:
        length, start = data[1], 2
        if length & 0x80:
            digits = data[2 : 2 + (length & 0x7F)]
            length, start = int.from_bytes(digits, "big"), 2 + len(digits)
            assert digits[0] != 0
            assert length >= 0x80
        assert len(data) >= start + length
        yield Element(data[0], data[start : start + length])
        data = data[start + length :]


def only(data: bytes, tag: int) -> bytes:
    """Return the content of the one element that some DER consists of."""
    (element,) = read_der(data)
    assert element.tag == tag
    return element.content


def read_oid(content: bytes) -> str:
    """Write an object identifier with dots."""
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a key."""
    return kms.create_key()


def encrypt(kms: FakeKMS, key: Key, plaintext: bytes) -> bytes:
    """Encrypt through the API."""
    return kms.client.encrypt(KeyId=key.id, Plaintext=plaintext)["CiphertextBlob"]


MAKERS: dict[str, tuple[bytes, str, Callable[[KMSClient, str, bytes], bytes]]] = {
    "Encrypt": (
        FROM_ENCRYPT,
        "AQICAH",
        lambda client, key, _: client.encrypt(KeyId=key, Plaintext=bytes(32))["CiphertextBlob"],
    ),
    "ReEncrypt": (
        FROM_ENCRYPT,
        "AQICAH",
        lambda client, key, blob: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key)["CiphertextBlob"],
    ),
    "GenerateDataKey": (
        FROM_DATA_KEY,
        "AQIDAH",
        lambda client, key, _: client.generate_data_key(KeyId=key, KeySpec="AES_256")["CiphertextBlob"],
    ),
    "GenerateDataKeyWithoutPlaintext": (
        FROM_DATA_KEY,
        "AQIDAH",
        lambda client, key, _: client.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")[
            "CiphertextBlob"
        ],
    ),
}


@pytest.mark.parametrize("operation", MAKERS)
def test_a_blob_begins_as_its_operation_makes_it(kms: FakeKMS, key: Key, operation: str) -> None:
    """Five bytes tell ciphertexts of Encrypt from encrypted data keys, in base64 as well."""
    head, prefix, make = MAKERS[operation]

    blob = make(kms.client, key.id, kms.encrypt(key, bytes(32)))

    assert head == blob[:5]
    assert base64.b64encode(blob).decode().startswith(prefix)
    assert 184 == len(blob)


def test_a_blob_of_arranging_is_one_of_encrypt(kms: FakeKMS, key: Key) -> None:
    """`kms.encrypt` makes what Encrypt makes."""
    assert FROM_ENCRYPT == kms.encrypt(key, b"x")[:5]


def test_a_blob_names_its_key_material(kms: FakeKMS, key: Key) -> None:
    """Bytes 5 to 36 are the id that DescribeKey and Decrypt tell."""
    blob = encrypt(kms, key, b"x")
    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]

    assert metadata.get("CurrentKeyMaterialId") == blob[5:37].hex()
    assert kms.client.decrypt(CiphertextBlob=blob).get("KeyMaterialId") == blob[5:37].hex()


def test_a_blob_has_a_salt_of_its_own(kms: FakeKMS, key: Key) -> None:
    """Bytes 38 to 53 and the nonce differ, so equal plaintexts never look alike; the rest of the head does not."""
    one, other = encrypt(kms, key, b"x"), encrypt(kms, key, b"x")

    assert one[:38] == other[:38]
    assert 1 == one[37]
    assert one[38:54] != other[38:54]
    assert one[54:58] == other[54:58]
    assert one[-28:] != other[-28:]


@pytest.mark.parametrize("length", [1, 16, 32, 48, 100, 101, 150, 229, 1000, 4096])
def test_a_blob_holds_encrypted_data_of_pkcs_7(kms: FakeKMS, key: Key, length: int) -> None:
    """From byte 58 on stands DER: EncryptedData, AES-256-GCM with a nonce of 12 bytes and a tag of 16."""
    blob = encrypt(kms, key, bytes(length))

    assert int.from_bytes(blob[54:58], "big") == len(blob) - 58
    oid, tagged = read_der(only(blob[58:], 0x30))
    assert (oid.tag, read_oid(oid.content)) == (0x06, ENCRYPTED_DATA)
    assert 0xA0 == tagged.tag
    version, content_info = read_der(only(tagged.content, 0x30))
    assert Element(0x02, b"\0") == version
    assert 0x30 == content_info.tag
    content_type, algorithm, sealed = read_der(content_info.content)
    assert (content_type.tag, read_oid(content_type.content)) == (0x06, DATA)
    assert 0x30 == algorithm.tag
    name, parameters = read_der(algorithm.content)
    assert (name.tag, read_oid(name.content)) == (0x06, AES_256_GCM)
    assert 0x30 == parameters.tag
    nonce, tag_length = read_der(parameters.content)
    assert (nonce.tag, len(nonce.content)) == (0x04, 12)
    assert Element(0x02, b"\x10") == tag_length
    assert (0x80, length + 27) == (sealed.tag, len(sealed.content))


RECORDED = {16: 168, 17: 169, 22: 174, 27: 179, 32: 184, 48: 201, 150: 307, 2374: 2536, 4096: 4258}


@pytest.mark.parametrize(("plaintext", "blob"), RECORDED.items())
def test_a_blob_is_as_long_as_those_of_aws(kms: FakeKMS, key: Key, plaintext: int, blob: int) -> None:
    """Lengths that were recorded of the real service."""
    assert blob == len(encrypt(kms, key, bytes(plaintext)))


# By how much a blob is longer, from which length of the plaintext on: the lengths within the DER grow.
OVERHEADS = {
    1: 152,
    36: 153,
    49: 154,
    51: 155,
    56: 156,
    101: 157,
    160: 158,
    174: 159,
    177: 160,
    183: 161,
    229: 162,
    4097: 162,
}


def test_a_blob_of_any_plaintext_is_as_long_as_one_of_aws(kms: FakeKMS, key: Key) -> None:
    """For each length from 1 to 4,096 the overhead is the one of the table."""
    starts = list(OVERHEADS)
    expected = [
        length + OVERHEADS[start]
        for start, following in itertools.pairwise(starts)
        for length in range(start, following)
    ]

    assert [len(kms.encrypt(key, bytes(length))) for length in range(1, 4097)] == expected


@pytest.mark.parametrize("start", list(OVERHEADS)[:-1])
def test_a_blob_opens_again_on_both_sides_of_each_step(kms: FakeKMS, key: Key, start: int) -> None:
    """Where the overhead grows, the plaintext comes back whole."""
    for length in (max(1, start - 1), start, start + 1):
        plaintext = bytes(range(256)) * 2
        blob = encrypt(kms, key, plaintext[:length])
        assert plaintext[:length] == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize("number_of_bytes", [1, 16, 17, 64, 1024])
def test_a_data_key_of_any_size_opens_again(kms: FakeKMS, key: Key, number_of_bytes: int) -> None:
    """Decrypt gives back what GenerateDataKey gave in plaintext."""
    data_key = kms.client.generate_data_key(KeyId=key.id, NumberOfBytes=number_of_bytes)

    assert number_of_bytes == len(data_key["Plaintext"])
    assert data_key["Plaintext"] == kms.client.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"]


def test_the_context_is_not_in_the_blob(kms: FakeKMS, key: Key) -> None:
    """An encryption context is authenticated, not stored: it makes no blob longer."""
    context = {"department": "accounting" * 20}

    blob = kms.client.encrypt(KeyId=key.id, Plaintext=bytes(32), EncryptionContext=context)["CiphertextBlob"]

    assert 184 == len(blob)
    assert b"accounting" not in blob


def refused(kms: FakeKMS, blob: bytes) -> str:
    """Expect a blob to be refused with AWS's empty message; return why, in the fake's words."""
    with pytest.raises(ClientError) as excinfo:
        kms.client.decrypt(CiphertextBlob=blob)
    assert {"Code": "InvalidCiphertextException", "Message": ""} == excinfo.value.response["Error"]
    return kms.trail.last.why


def changed(blob: bytes, place: int, bits: int = 1) -> bytes:
    """Change some bits of one byte."""
    place %= len(blob)
    return blob[:place] + bytes([blob[place] ^ bits]) + blob[place + 1 :]


def test_no_byte_of_a_blob_can_be_changed(kms: FakeKMS, key: Key) -> None:
    """Each of the 184 bytes is either part of the layout or authenticated."""
    blob = encrypt(kms, key, bytes(32))

    for place in range(len(blob)):
        refused(kms, changed(blob, place))


ALTERED = {
    "the version": (0, "the 184 bytes are no ciphertext of KMS"),
    "the operation": (2, "the ciphertext was altered"),
    "the byte behind the material id": (37, "the ciphertext was altered"),
    "the salt": (38, "the ciphertext was altered"),
    "the DER before the nonce": (58, "the ciphertext was altered"),
    "the last byte before the nonce": (-75, "the ciphertext was altered"),
    "the nonce": (-70, "the ciphertext was altered"),
    "the DER behind the nonce": (-60, "the ciphertext was altered"),
    "what is sealed": (-40, "the ciphertext was altered"),
    "the tag": (-1, "the ciphertext was altered"),
}


@pytest.mark.parametrize(("place", "why"), ALTERED.values(), ids=ALTERED)
def test_an_altered_blob_is_refused_and_explained(kms: FakeKMS, key: Key, place: int, why: str) -> None:
    """On the wire there is no message; the report of the test says what is wrong."""
    assert why == refused(kms, changed(encrypt(kms, key, bytes(32)), place))


def test_a_blob_of_the_other_kind_of_operation_is_refused(kms: FakeKMS, key: Key) -> None:
    """The head is authenticated: a ciphertext of Encrypt does not pass for an encrypted data key."""
    blob = encrypt(kms, key, bytes(32))

    assert "the ciphertext was altered" == refused(kms, FROM_DATA_KEY + blob[5:])


def test_a_blob_with_a_changed_material_id_is_refused(kms: FakeKMS, key: Key) -> None:
    """No key of the fake has that material."""
    why = refused(kms, changed(encrypt(kms, key, bytes(32)), 5))

    assert "the ciphertext was made with a key that this fake never had, or its key part was altered" == why


def test_a_blob_with_a_changed_length_is_refused(kms: FakeKMS, key: Key) -> None:
    """A blob that says it is longer looks cut; one that says it is shorter has bytes too many."""
    blob = encrypt(kms, key, bytes(32))

    assert "the ciphertext is cut by 128 bytes" == refused(kms, changed(blob, 57, 0x80))
    assert "the ciphertext has 2 bytes too many" == refused(kms, changed(blob, 57, 0x02))


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (1, "the 1 bytes are no ciphertext of KMS"),
        (5, "the 5 bytes are no ciphertext of KMS"),
        (36, "the 36 bytes are no ciphertext of KMS"),
        (37, "the ciphertext is cut"),
        (57, "the ciphertext is cut"),
        (58, "the ciphertext is cut by 126 bytes"),
        (152, "the ciphertext is cut by 32 bytes"),
        (183, "the ciphertext is cut by 1 bytes"),
    ],
)
def test_a_cut_blob_is_refused_and_explained(kms: FakeKMS, key: Key, kept: int, why: str) -> None:
    """The report says how much is missing, where the blob still tells."""
    assert why == refused(kms, encrypt(kms, key, bytes(32))[:kept])


@pytest.mark.parametrize("extra", [1, 2, 4000])
def test_a_blob_with_more_behind_it_is_refused(kms: FakeKMS, key: Key, extra: int) -> None:
    """Nothing may stand behind a ciphertext."""
    assert f"the ciphertext has {extra} bytes too many" == refused(kms, encrypt(kms, key, bytes(32)) + bytes(extra))


def test_a_blob_of_a_length_that_no_plaintext_gives_is_refused(kms: FakeKMS, key: Key) -> None:
    """Between the blobs of 35 and 36 bytes there is none of 188, even one that says it has that length."""
    blob = encrypt(kms, key, bytes(35))
    assert 187 == len(blob)

    assert "the ciphertext was altered" == refused(kms, blob[:57] + bytes([blob[57] + 1]) + blob[58:] + b"\0")


def test_a_blob_of_no_plaintext_is_refused(kms: FakeKMS, key: Key) -> None:
    """A blob that would hold an empty plaintext does not exist."""
    blob = encrypt(kms, key, b"x")
    assert 153 == len(blob)

    assert "the ciphertext was altered" == refused(kms, blob[:57] + bytes([blob[57] - 1]) + blob[58:-1])


@pytest.mark.parametrize("blob", [b"\0", b"not a ciphertext", bytes(184), bytes(6144)], ids=len)
def test_what_is_no_blob_is_refused_and_explained(kms: FakeKMS, blob: bytes) -> None:
    """Garbage has an explanation too."""
    assert f"the {len(blob)} bytes are no ciphertext of KMS" == refused(kms, blob)


def test_a_blob_of_another_fake_is_refused(kms: FakeKMS) -> None:
    """Ciphertexts never leak from one test to the next; the report says where one is from."""
    with fake_kms(origin="tests/test_orders.py::test_seal") as other:
        blob = other.encrypt(other.create_key(), b"x")

    assert refused(kms, blob).startswith(
        "the ciphertext was made by tests/test_orders.py::test_seal, whose keys are gone"
    )
