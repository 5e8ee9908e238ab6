"""The layout of a symmetric ciphertext blob, byte for byte as AWS KMS makes them.

    0-4    01 02 02 00 78 from Encrypt and ReEncrypt, 01 02 03 00 78 from the data key operations
    5-36   the key material id
    37     01
    38-53  16 random bytes
    54-57  the length of the rest, big-endian
    58-    DER ContentInfo { encryptedData { 0, { data, aes256-GCM { nonce, 16 }, [0] n + 27 bytes } } }

The layout was decoded from recordings of the real service. What the 11 bytes are that AWS seals together
with the plaintext is not known; ours say who made the blob.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pytest_kms.crypto import der

FROM_ENCRYPT = bytes.fromhex("0102020078")
FROM_DATA_KEY = bytes.fromhex("0102030078")

NONCE_BYTES = 12
TAG_BYTES = 16
SALT_BYTES = 16
MATERIAL_ID_BYTES = 32
INNER_FRAME = b"pytest-kms\x01"

_HEAD_BYTES = 58
_OVERHEADS = range(152, 163)  # the DER lengths grow with the plaintext

_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")  # OID 1.2.840.113549.1.7.6
_DATA = bytes.fromhex("06092a864886f70d010701")  # OID 1.2.840.113549.1.7.1
_AES_256_GCM = bytes.fromhex("060960864801650304012e")  # OID 2.16.840.1.101.3.4.1.46
_ZERO = bytes.fromhex("020100")
_TAG_LENGTH = bytes.fromhex("020110")


class Blob(NamedTuple):
    """The parts of a well-formed blob."""

    head: bytes
    material_id: bytes
    nonce: bytes
    sealed: bytes


class Layout(NamedTuple):
    """What all blobs of one plaintext length share: the length field, the DER before and after the nonce."""

    length: bytes
    before: bytes
    after: bytes


@cache
def layout(plaintext_length: int) -> Layout:
    """Lay out a blob for a plaintext of so many bytes."""
    before, after = _frame(plaintext_length)
    rest = len(before) + NONCE_BYTES + len(after) + _sealed_length(plaintext_length)
    return Layout(rest.to_bytes(4, "big"), before, after)


def parse(blob: bytes) -> Blob | None:
    """Take a blob apart; None where it does not have the layout to the letter."""
    places = _places(len(blob))
    if places is None or blob[:5] not in (FROM_ENCRYPT, FROM_DATA_KEY) or blob[37] != 1:
        return None
    before, nonce_at, nonce_end, after, sealed_at = places
    if blob[54:nonce_at] != before or blob[nonce_end:sealed_at] != after:
        return None
    return Blob(blob[:_HEAD_BYTES], blob[5:37], blob[nonce_at:nonce_end], blob[sealed_at:])


def material_id_of(blob: bytes) -> bytes | None:
    """Read which key material a blob names, however damaged the rest is; None where it is no blob at all."""
    if blob[:5] not in (FROM_ENCRYPT, FROM_DATA_KEY) or len(blob) < 5 + MATERIAL_ID_BYTES:
        return None
    return blob[5 : 5 + MATERIAL_ID_BYTES]


def expected_length(blob: bytes) -> int | None:
    """Read how long a blob says it is; None where it is cut before it says so."""
    if len(blob) < _HEAD_BYTES:
        return None
    return _HEAD_BYTES + int.from_bytes(blob[54:58], "big")


def _sealed_length(plaintext_length: int) -> int:
    return len(INNER_FRAME) + plaintext_length + TAG_BYTES


def _frame(plaintext_length: int) -> tuple[bytes, bytes]:
    """Build the DER before and behind the nonce, for a plaintext of so many bytes."""
    sealed = _sealed_length(plaintext_length)
    content_head = b"\x80" + der.length(sealed)
    parameters = der.sequence(der.octets(bytes(NONCE_BYTES)), _TAG_LENGTH)
    algorithm = der.sequence(_AES_256_GCM, parameters)
    inner = _DATA + algorithm + content_head
    content = b"\x30" + der.length(len(inner) + sealed) + inner
    body = b"\x30" + der.length(len(_ZERO) + len(content) + sealed) + _ZERO + content
    tagged = b"\xa0" + der.length(len(body) + sealed) + body
    whole = b"\x30" + der.length(len(_ENCRYPTED_DATA) + len(tagged) + sealed) + _ENCRYPTED_DATA + tagged
    nonce_end = len(whole) - len(content_head) - len(_TAG_LENGTH)
    return whole[: nonce_end - NONCE_BYTES], whole[nonce_end:]


@cache
def _places(blob_length: int) -> tuple[bytes, int, int, bytes, int] | None:
    """Say what stands before and behind the nonce, the length field included, and where: None where no blob is so long.

    Between the two bytes strings are the places where the nonce begins and ends; last is where the sealed part begins.
    """
    for overhead in _OVERHEADS:
        if blob_length <= overhead:
            return None
        length, before, after = layout(blob_length - overhead)
        if _HEAD_BYTES + int.from_bytes(length, "big") == blob_length:
            nonce_at = _HEAD_BYTES + len(before)
            nonce_end = nonce_at + NONCE_BYTES
            return length + before, nonce_at, nonce_end, after, nonce_end + len(after)
    return None
