"""How key material is encrypted ("wrapped") on its way into KMS, and what it has to be when it arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from pytest_kms import arns
from pytest_kms.crypto import asymmetric, ber, der, material
from pytest_kms.crypto.specs import Family, KeySpec
from pytest_kms.crypto.symmetric import Unreadable

_AES_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Wrapping:
    """The family of the wrapping keys, and the families of keys whose material it carries.

    `of_aes_key` is the algorithm that encrypts the key of AES where that in turn wraps the material (RFC 5649).
    """

    keys: Family
    carries: frozenset[Family]
    of_aes_key: str = ""


_SECRETS = frozenset({Family.SYMMETRIC, Family.HMAC})
_CURVES = frozenset({Family.ELLIPTIC_CURVE, Family.EDWARDS_CURVE, Family.SM2})
_RSA = frozenset({Family.RSA})

# RSAES_PKCS1_V1_5 is still in AWS's model; nothing can be imported with it since October 2023.
_ALGORITHMS = {
    "RSAES_OAEP_SHA_1": _Wrapping(Family.RSA, _SECRETS | _CURVES),
    "RSAES_OAEP_SHA_256": _Wrapping(Family.RSA, _SECRETS | _CURVES),
    "RSA_AES_KEY_WRAP_SHA_1": _Wrapping(Family.RSA, _RSA | _CURVES, "RSAES_OAEP_SHA_1"),
    "RSA_AES_KEY_WRAP_SHA_256": _Wrapping(Family.RSA, _RSA | _CURVES, "RSAES_OAEP_SHA_256"),
    "SM2PKE": _Wrapping(Family.SM2, _SECRETS | _RSA | _CURVES - {Family.EDWARDS_CURVE}),
}

# The private key does not fit into what a key of this size encrypts.
_TOO_SHORT = ("RSA_2048", "ECC_NIST_P521")

_ID_EC_PUBLIC_KEY = "06072a8648ce3d0201"
# What PKCS#8 calls the algorithm of a private key (AlgorithmIdentifier).
_IDENTIFIERS = {
    "ECC_NIST_P256": f"3013{_ID_EC_PUBLIC_KEY}06082a8648ce3d030107",
    "ECC_NIST_P384": f"3010{_ID_EC_PUBLIC_KEY}06052b81040022",
    "ECC_NIST_P521": f"3010{_ID_EC_PUBLIC_KEY}06052b81040023",
    "ECC_SECG_P256K1": f"3010{_ID_EC_PUBLIC_KEY}06052b8104000a",
    "ECC_NIST_EDWARDS25519": "300506032b6570",
    "SM2": f"3013{_ID_EC_PUBLIC_KEY}06082a811ccf5501822d",
} | {f"RSA_{bits}": "300d06092a864886f70d0101010500" for bits in (2048, 3072, 4096)}


def fits(algorithm: str, wrapping_spec: KeySpec, spec: KeySpec, region: str) -> bool:
    """Say whether AWS takes material for a key spec that is wrapped with an algorithm and a wrapping key."""
    how = _ALGORITHMS.get(algorithm)
    if how is None or wrapping_spec.family is not how.keys or spec.family not in how.carries:
        return False
    if how.keys is Family.SM2:
        return arns.in_china(region)
    return bool(how.of_aes_key) or (wrapping_spec.name, spec.name) != _TOO_SHORT


def wrap(
    wrapping_spec: KeySpec,
    wrapping_key: bytes,
    algorithm: str,
    content: bytes,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Encrypt material for the holder of a wrapping key. RSA's randomness is that of the library: no seed repeats it.

    Raises:
        ValueError: it is empty, or longer than the algorithm encrypts with such a key.

    """
    of_aes_key = _ALGORITHMS[algorithm].of_aes_key
    if not of_aes_key:
        return asymmetric.encrypt(wrapping_spec, wrapping_key, algorithm, content, random_bytes)
    if not content:  # older versions of cryptography wrap nothing, too
        raise ValueError
    aes_key = random_bytes(_AES_KEY_BYTES)
    sealed = asymmetric.encrypt(wrapping_spec, wrapping_key, of_aes_key, aes_key, random_bytes)
    return sealed + aes_key_wrap_with_padding(aes_key, content)


def unwrap(wrapping_spec: KeySpec, wrapping_key: bytes, algorithm: str, wrapped: bytes) -> bytes:
    """Decrypt material with a wrapping key.

    Raises:
        Unreadable: it was wrapped with another key or in another way, or was altered.

    """
    of_aes_key = _ALGORITHMS[algorithm].of_aes_key
    if not of_aes_key:
        return asymmetric.decrypt(wrapping_spec, wrapping_key, algorithm, wrapped)
    size = wrapping_spec.size // 8
    aes_key = asymmetric.decrypt(wrapping_spec, wrapping_key, of_aes_key, wrapped[:size])
    if len(aes_key) != _AES_KEY_BYTES:
        raise Unreadable
    try:
        return aes_key_unwrap_with_padding(aes_key, wrapped[size:])
    except (InvalidUnwrap, ValueError):  # of a length that is none, older versions of cryptography say the latter
        raise Unreadable from None


def read(spec: KeySpec, content: bytes) -> bytes:
    """Take material in the forms in which AWS takes it: of just the length that the spec has, or PKCS#8.

    PKCS#8 comes in DER or in BER, of Ed25519 in DER alone; what an octet string of it holds is always DER here.

    Raises:
        ValueError: it is in none of these, or of another spec.

    """
    if not spec.asymmetric:
        if len(content) != spec.size:
            raise ValueError(f"the material of {spec.name} has {spec.size} bytes, not {len(content)}")
        return content
    private_key = ber.to_der(content)
    if spec.family is Family.EDWARDS_CURVE and private_key != content:
        raise ValueError(f"AWS takes the material of {spec.name} in DER alone, this is BER")
    if not der.content(private_key).startswith(der.integer(0) + bytes.fromhex(_IDENTIFIERS[spec.name])):
        raise ValueError(f"the material of {spec.name} is such a private key as PKCS#8")
    return material.read(spec, private_key)
