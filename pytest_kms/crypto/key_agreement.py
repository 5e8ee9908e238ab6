"""Elliptic curve Diffie-Hellman: the raw x coordinate, as AWS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pytest_kms.crypto import der, sm2
from pytest_kms.crypto.material import private_key, public_key
from pytest_kms.crypto.specs import Family

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec


def agree(spec: KeySpec, material: bytes, peer: bytes) -> bytes:
    """Derive the secret shared with the holder of a public key, which is SubjectPublicKeyInfo (DER).

    Raises:
        ValueError: the public key is malformed, or of another curve.

    """
    if spec.family is Family.SM2:
        return sm2.agree(material, peer)
    # Looked at before the library sees it: of some kinds it warns that they are out of date.
    if _algorithm(peer) != _algorithm(public_key(spec.family, material)):
        raise ValueError("it is of another curve, or no public key of a curve at all")
    public: Any = load_der_public_key(peer)
    secret: bytes = private_key(material).exchange(ec.ECDH(), public)
    return secret


def _algorithm(spki: bytes) -> bytes:
    try:
        return der.first_of_sequence(spki)
    except IndexError:
        return b""
