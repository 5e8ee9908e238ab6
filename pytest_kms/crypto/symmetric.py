"""SYMMETRIC_DEFAULT: AES-256-GCM, the encryption context bound as additional authenticated data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pytest_kms.crypto import ciphertext

_SALT_BYTES = ciphertext.SALT_BYTES


class Unreadable(Exception):
    """The blob was not made with this material under this context, or was altered since."""


def seal(
    material: bytes,
    material_id: bytes,
    plaintext: bytes,
    context: Mapping[str, str],
    *,
    origin: bytes,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Encrypt up to 4,096 bytes into a blob of AWS's layout."""
    fresh = random_bytes(_SALT_BYTES + ciphertext.NONCE_BYTES)
    salt, nonce = fresh[:_SALT_BYTES], fresh[_SALT_BYTES:]
    length, before, after = ciphertext.layout(len(plaintext))
    head = b"".join((origin, material_id, b"\x01", salt, length))
    sealed = _cipher(material).encrypt(nonce, ciphertext.INNER_FRAME + plaintext, head + canonical(context))
    return b"".join((head, before, nonce, after, sealed))


def open_blob(material: bytes, blob: ciphertext.Blob, context: Mapping[str, str]) -> bytes:
    """Decrypt a blob.

    Raises:
        Unreadable: other material, another context, or a blob that was altered.

    """
    try:
        inner = _cipher(material).decrypt(blob.nonce, blob.sealed, blob.head + canonical(context))
    except InvalidTag:
        raise Unreadable from None
    return inner[len(ciphertext.INNER_FRAME) :]


def canonical(context: Mapping[str, str]) -> bytes:
    """Write an encryption context as bytes: any order gives the same, no two contexts do."""
    if not context:
        return b""
    # Each text stands behind its length. JSON can carry half a surrogate pair; hence surrogatepass.
    text = ""
    for name, value in sorted(context.items()):
        text += f"{len(name)}:{name}{len(value)}:{value}"
    return text.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def _cipher(material: bytes) -> AESGCM:
    return AESGCM(material)
