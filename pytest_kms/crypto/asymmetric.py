"""Encryption under a public key: RSAES-OAEP, and SM2PKE in China."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from pytest_kms.crypto import sm2
from pytest_kms.crypto.material import private_key, public_half
from pytest_kms.crypto.specs import Family
from pytest_kms.crypto.symmetric import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms.crypto.specs import KeySpec

_SM2_LONGEST = 1024
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1(),  # noqa: S303  # AWS's algorithm of that name
    "RSAES_OAEP_SHA_256": hashes.SHA256(),
}


def longest_plaintext(spec: KeySpec, algorithm: str) -> int:
    """Return how many bytes an algorithm encrypts at the most."""
    if spec.family is Family.SM2:
        return _SM2_LONGEST
    return spec.size // 8 - 2 * _HASHES[algorithm].digest_size - 2


def encrypt(
    spec: KeySpec, material: bytes, algorithm: str, plaintext: bytes, random_bytes: Callable[[int], bytes]
) -> bytes:
    """Encrypt for the holder of a private key. RSA's randomness is that of the library: no seed repeats it."""
    if spec.family is Family.SM2:
        return sm2.encrypt(material, plaintext, random_bytes)
    sealed: bytes = public_half(material).encrypt(plaintext, _oaep(algorithm))
    return sealed


def decrypt(spec: KeySpec, material: bytes, algorithm: str, ciphertext: bytes) -> bytes:
    """Decrypt with a private key.

    Raises:
        Unreadable: it was made for another key or with another algorithm, or was altered.

    """
    if spec.family is Family.SM2:
        return sm2.decrypt(material, ciphertext)
    try:
        opened: bytes = private_key(material).decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        raise Unreadable from None
    return opened


@cache
def _oaep(algorithm: str) -> padding.OAEP:
    digest = _HASHES[algorithm]
    return padding.OAEP(mgf=padding.MGF1(algorithm=digest), algorithm=digest, label=None)
