"""Signatures: RSASSA-PKCS1-v1_5 and RSASSA-PSS, ECDSA, Ed25519 and Ed25519ph, ML-DSA, SM2DSA.

One table says of each algorithm which types of message it takes and how long a digest is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pytest_kms.crypto import sm2
from pytest_kms.crypto.material import private_key, public_half
from pytest_kms.errors import NotInstalled

if TYPE_CHECKING:
    from typing import TypeAlias

    RandomBytes: TypeAlias = Callable[[int], bytes]

RAW = "RAW"
DIGEST = "DIGEST"
EXTERNAL_MU = "EXTERNAL_MU"


@dataclass(frozen=True, slots=True)
class SigningAlgorithm:
    """How an algorithm signs.

    `sign` takes the material, the message, its type and a source of random bytes; `verify` the material, the
    message, its type and the signature, and raises InvalidSignature. `digest_bytes` is the length of a message
    that is a digest, or ML-DSA's external mu.
    """

    message_types: tuple[str, ...]
    digest_bytes: int
    sign: Callable[[bytes, bytes, str, RandomBytes], bytes]
    verify: Callable[[bytes, bytes, str, bytes], object]


def verifies(algorithm: str, material: bytes, message: bytes, message_type: str, signature: bytes) -> bool:
    """Say whether a signature is one of a message by a private key."""
    try:
        ALGORITHMS[algorithm].verify(material, message, message_type, signature)
    except InvalidSignature:
        return False
    return True


def _of_library(digest: hashes.HashAlgorithm, parameters: Callable[[Any], tuple[Any, ...]]) -> SigningAlgorithm:
    """Sign with the methods that the library's private and public keys have; RAW messages are hashed there."""
    by_type = {RAW: parameters(digest), DIGEST: parameters(Prehashed(digest))}

    def sign(material: bytes, message: bytes, message_type: str, _: RandomBytes) -> bytes:
        signature: bytes = private_key(material).sign(message, *by_type[message_type])
        return signature

    def verify(material: bytes, message: bytes, message_type: str, signature: bytes) -> None:
        public_half(material).verify(signature, message, *by_type[message_type])

    return SigningAlgorithm((RAW, DIGEST), digest.digest_size, sign, verify)


def _pkcs1(digest: hashes.HashAlgorithm) -> SigningAlgorithm:
    return _of_library(digest, lambda hashed: (padding.PKCS1v15(), hashed))


def _pss(digest: hashes.HashAlgorithm) -> SigningAlgorithm:
    # The salt is as long as the digest, which a recorded signature of the real service shows.
    pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    return _of_library(digest, lambda hashed: (pss, hashed))


def _ecdsa(digest: hashes.HashAlgorithm) -> SigningAlgorithm:
    return _of_library(digest, lambda hashed: (ec.ECDSA(hashed),))


def _ed25519() -> SigningAlgorithm:
    def sign(material: bytes, message: bytes, message_type: str, _: RandomBytes) -> bytes:  # noqa: ARG001
        signature: bytes = private_key(material).sign(message)
        return signature

    def verify(material: bytes, message: bytes, message_type: str, signature: bytes) -> None:  # noqa: ARG001
        public_half(material).verify(signature, message)

    return SigningAlgorithm((RAW,), 0, sign, verify)


def _ed25519ph() -> SigningAlgorithm:
    """Sign by the variant of RFC 8032 that hashes first: AWS hashes even the digest that it is given."""

    def sign(material: bytes, message: bytes, message_type: str, _: RandomBytes) -> bytes:  # noqa: ARG001
        sodium, state = _sodium(message)
        key = private_key(material)
        signature: bytes = sodium.bindings.crypto_sign_ed25519ph_final_create(
            state, key.private_bytes_raw() + key.public_key().public_bytes_raw()
        )
        return signature

    def verify(material: bytes, message: bytes, message_type: str, signature: bytes) -> None:  # noqa: ARG001
        sodium, state = _sodium(message)
        try:
            sodium.bindings.crypto_sign_ed25519ph_final_verify(
                state, signature, public_half(material).public_bytes_raw()
            )
        except sodium.exceptions.CryptoError:
            raise InvalidSignature from None

    return SigningAlgorithm((DIGEST,), hashes.SHA512.digest_size, sign, verify)


def _sodium(message: bytes) -> tuple[Any, Any]:
    """Return the library that has Ed25519ph, and its state once it has seen a message."""
    try:
        import nacl.bindings
        import nacl.exceptions
    except ImportError:
        raise NotInstalled("ED25519_PH_SHA_512", extra="ed25519ph") from None
    state = nacl.bindings.crypto_sign_ed25519ph_state()
    nacl.bindings.crypto_sign_ed25519ph_update(state, message)
    return nacl, state


def _ml_dsa() -> SigningAlgorithm:
    def sign(material: bytes, message: bytes, message_type: str, _: RandomBytes) -> bytes:
        key = private_key(material)
        signature: bytes = key.sign_mu(message) if message_type == EXTERNAL_MU else key.sign(message)
        return signature

    def verify(material: bytes, message: bytes, message_type: str, signature: bytes) -> None:
        public = public_half(material)
        check = public.verify_mu if message_type == EXTERNAL_MU else public.verify
        check(signature, message)

    return SigningAlgorithm((RAW, EXTERNAL_MU), 64, sign, verify)


def _sm2dsa() -> SigningAlgorithm:
    def sign(material: bytes, message: bytes, message_type: str, random_bytes: RandomBytes) -> bytes:
        return sm2.sign(material, message, digested=message_type == DIGEST, random_bytes=random_bytes)

    def verify(material: bytes, message: bytes, message_type: str, signature: bytes) -> None:
        if not sm2.verify(material, message, signature, digested=message_type == DIGEST):
            raise InvalidSignature

    return SigningAlgorithm((RAW, DIGEST), 32, sign, verify)


_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}
ALGORITHMS = {
    f"{name}_{digest}": make(_DIGESTS[digest])
    for name, make in (("RSASSA_PKCS1_V1_5", _pkcs1), ("RSASSA_PSS", _pss), ("ECDSA", _ecdsa))
    for digest in _DIGESTS
} | {
    "ED25519_SHA_512": _ed25519(),
    "ED25519_PH_SHA_512": _ed25519ph(),
    "ML_DSA_SHAKE_256": _ml_dsa(),
    "SM2DSA": _sm2dsa(),
}
