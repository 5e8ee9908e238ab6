"""Key material: made from a secret or read from what a user gives, and the public half of it.

Material is bytes everywhere: the key itself for symmetric and HMAC keys, else the private key as PKCS#8 (DER).
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from pytest_kms.crypto import der, sm2
from pytest_kms.crypto.specs import Family, KeySpec
from pytest_kms.errors import NotInstalled

if TYPE_CHECKING:
    from pytest_kms.crypto.rsa_pool import Pool

SECRET_BYTES = 128
"""How much secret `derive` takes, whatever it makes of it."""

_CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}


def expect_available(spec: KeySpec) -> None:
    """Refuse a spec whose mathematics is in a library that is not installed.

    Raises:
        NotInstalled: it is; the message says how to install it.

    """
    if spec.family is Family.ML_DSA:
        _ml_dsa_class(spec.name)
    if spec.family is Family.SM2:
        sm2.expect_available()


def derive(spec: KeySpec, secret: bytes, pool: Pool) -> bytes:
    """Make the material that belongs to a secret. An RSA key is one of the pool's, which gives each key once."""
    match spec.family:
        case Family.SYMMETRIC | Family.HMAC:
            return secret[: spec.size]
        case Family.SM2:
            return sm2.derive(secret)
        case _:
            return _pkcs8(spec, _derived(spec, secret, pool))


def derive_pair(spec: KeySpec, secret: bytes, pool: Pool) -> tuple[bytes, bytes]:
    """Make the material that belongs to a secret, and its public half, quicker than one after the other."""
    if spec.family is Family.SM2:
        material = sm2.derive(secret)
        return material, sm2.public_key(material)
    key = _derived(spec, secret, pool)
    material = _pkcs8(spec, key)
    if spec.family is Family.ELLIPTIC_CURVE:
        # Both end with the same BIT STRING.
        _, public_head, size = _frame(spec.name)
        return material, public_head + material[-size:]
    return material, _spki(key)


def read(spec: KeySpec, given: bytes) -> bytes:
    """Take material of a user's: raw bytes for symmetric and HMAC keys, else a private key in PEM or DER.

    Raises:
        ValueError: it is not what a key of this spec has; the message says what that would be.

    """
    if spec.family in (Family.SYMMETRIC, Family.HMAC):
        if len(given) != spec.size:
            raise ValueError(f"{spec.name} has {spec.size} bytes of material, not {len(given)}")
        return given
    if spec.family is Family.SM2:
        return sm2.load(given)
    try:
        # A PEM file may begin with a text, and in Python's triple quotes with a line end.
        key = load_pem_private_key(given, None) if b"-----BEGIN" in given else load_der_private_key(given, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not _is_of(spec, key):
        raise ValueError(f"the material of {spec.name} is such a private key in PEM or DER, without a password")
    return _pkcs8(spec, key)


@lru_cache(maxsize=1024)
def private_key(material: bytes) -> Any:
    """Return the private key of a material, ready to work."""
    return load_der_private_key(material, None, unsafe_skip_rsa_key_validation=True)


@lru_cache(maxsize=1024)
def public_half(material: bytes) -> Any:
    """Return the public key of a material, ready to work."""
    return private_key(material).public_key()


@lru_cache(maxsize=1024)
def public_key(family: Family, material: bytes) -> bytes:
    """Return the public half of a private key, as SubjectPublicKeyInfo (DER)."""
    if family is Family.SM2:
        return sm2.public_key(material)
    return _spki(private_key(material))


def _is_of(spec: KeySpec, key: Any) -> bool:
    match spec.family:
        case Family.RSA:
            return isinstance(key, rsa.RSAPrivateKey) and key.key_size == spec.size
        case Family.ELLIPTIC_CURVE:
            return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == _CURVES[spec.name].name
        case Family.EDWARDS_CURVE:
            return isinstance(key, ed25519.Ed25519PrivateKey)
        case _:
            return isinstance(key, _ml_dsa_class(spec.name))


def _derived(spec: KeySpec, secret: bytes, pool: Pool) -> Any:
    match spec.family:
        case Family.RSA:
            return pool.take(spec.size, int.from_bytes(secret[:8], "big"))
        case Family.ELLIPTIC_CURVE:
            # One bit less than the order of each of these groups has.
            scalar = 1 + (int.from_bytes(secret, "big") >> (8 * len(secret) - spec.size + 1))
            return ec.derive_private_key(scalar, _CURVES[spec.name])
        case Family.EDWARDS_CURVE:
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret[:32])
        case _:
            return _ml_dsa_class(spec.name).from_seed_bytes(secret[:32])


def _pkcs8(spec: KeySpec, key: Any) -> bytes:
    if spec.family is Family.ELLIPTIC_CURVE:
        return _frame(spec.name)[0] + _ec_private_key(key)
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@cache
def _frame(spec: str) -> tuple[bytes, bytes, int]:
    """Return what all keys of a curve share: what stands before ECPrivateKey, before the public BIT STRING, its size.

    AWS names the curve twice: in the algorithm, and within ECPrivateKey as RFC 5915 alone would have it.
    """
    sample = ec.derive_private_key(1, _CURVES[spec])
    inner, spki = _ec_private_key(sample), _spki(sample)
    algorithm = der.first_of_sequence(spki)
    head = der.sequence(der.integer(0), algorithm, der.octets(inner))[: -len(inner)]
    public_head = spki[: spki.index(algorithm) + len(algorithm)]
    return head, public_head, len(spki) - len(public_head)


def _ec_private_key(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def _spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _ml_dsa_class(spec: str) -> Any:
    """Return the class of `cryptography` for a spec; the methods that it needs came with version 49."""
    try:
        mldsa = import_module("cryptography.hazmat.primitives.asymmetric.mldsa")
        found = getattr(mldsa, f"{spec.replace('_', '')}PrivateKey")
    except (ImportError, AttributeError):
        found = None
    if not hasattr(found, "sign_mu"):
        raise NotInstalled("ML-DSA keys", extra="ml-dsa")
    return found
