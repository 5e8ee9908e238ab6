"""SM2 of GB/T 32918, for the keys of the China Regions. The extra `sm2` brings gmalg, which does the arithmetic.

The material of a key is PKCS#8, always in the one form that AWS gives the private keys of data key pairs:

    0-35    DER PrivateKeyInfo { 0, { id-ecPublicKey, sm2p256v1 }, ECPrivateKey { 1,
    36-67   the private key
    68-85   [0] { sm2p256v1 }, [1] { uncompressed
    86-149  the public key, x and y } } }
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from enum import IntEnum
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from pytest_kms.crypto.symmetric import Unreadable
from pytest_kms.errors import NotInstalled

# The curve of GB/T 32918.5: y² = x³ + ax + b modulo p, and a point of it, of order n.
_P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
_A = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFC
_B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
_G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
_N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123

_DISTINGUISHING_ID = b"1234567812345678"
_COORDINATE_BYTES = 32
_RANDOM_BYTES = 48  # 16 more than a number below n has, so that the remainder favours none

_SM2P256V1 = bytes.fromhex("06082a811ccf5501822d")  # OID 1.2.156.10197.1.301
_ALGORITHM = bytes.fromhex("06072a8648ce3d0201") + _SM2P256V1  # OID 1.2.840.10045.2.1
_POINT_HEAD = bytes.fromhex("034200 04")
_PRIVATE_HEAD = bytes.fromhex("308193 020100 3013") + _ALGORITHM + bytes.fromhex("0479 3077 020101 0420")
_PRIVATE_MIDDLE = bytes.fromhex("a00a") + _SM2P256V1 + bytes.fromhex("a144") + _POINT_HEAD
_PUBLIC_HEAD = bytes.fromhex("3059 3013") + _ALGORITHM + _POINT_HEAD
_PEM = re.compile(rb"-----BEGIN ((?:EC |SM2 )?PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----")

Point = tuple[int, int]


class _Tag(IntEnum):
    """The tags of DER that are met here; the last two are of fields of ECPrivateKey."""

    INTEGER = 0x02
    OCTETS = 0x04
    SEQUENCE = 0x30
    CURVE = 0xA0
    PUBLIC = 0xA1


def expect_available() -> None:
    """Refuse SM2 where gmalg is not installed.

    Raises:
        NotInstalled: it is not; the message says how to install it.

    """
    _gmalg()


def derive(secret: bytes) -> bytes:
    """Make the material that belongs to 48 or more random bytes."""
    return _material(1 + int.from_bytes(secret, "big") % (_N - 2))


def load(material: bytes) -> bytes:
    """Bring a private key into the form of our material: PKCS#8 or ECPrivateKey of SEC 1, in DER or PEM.

    Raises:
        ValueError: it is none of these, of another curve, out of range, or has the public key of another.

    """
    number, public = _read_private_key(_without_armour(material))
    # The standard excludes n - 1: no signature could be made, as 1 + n - 1 has no inverse.
    if not 1 <= number <= _N - 2:
        raise ValueError("the number of the private key is out of the range of SM2")
    normal = _material(number)
    if public not in (None, _POINT_HEAD + _coordinates(normal)):
        raise ValueError("the public key beside the private key is another's")
    return normal


def public_key(material: bytes) -> bytes:
    """Return the public half as SubjectPublicKeyInfo (DER)."""
    return _PUBLIC_HEAD + _coordinates(material)


def encrypt(material: bytes, plaintext: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """Encrypt one byte or more. A seed of the random bytes repeats the ciphertext.

    Raises:
        ValueError: nothing to encrypt. The standard has no ciphertext of it; gmalg would look for one for ever.

    """
    if not plaintext:
        raise ValueError("SM2 cannot encrypt an empty plaintext")
    point, sealed, digest = _core(random_bytes=random_bytes).encrypt(plaintext, _point(_coordinates(material)))
    return _ciphertext(point, digest, sealed)


def decrypt(material: bytes, ciphertext: bytes) -> bytes:
    """Decrypt what `encrypt` made.

    Raises:
        Unreadable: it was made for another key, or was altered.

    """
    core = _core()
    try:
        point, digest, sealed = _read_ciphertext(ciphertext)
        _expect_on_curve(core, point)
        plaintext: bytes = core.decrypt(point, sealed, digest, _number(material))
    except (ValueError, _gmalg().errors.GMError):
        raise Unreadable from None
    return plaintext


def sign(material: bytes, message: bytes, *, digested: bool, random_bytes: Callable[[int], bytes]) -> bytes:
    """Sign a message, or the 32 bytes SM3(ZA || M) of one. A seed of the random bytes repeats the signature."""
    core = _core(digest=message if digested else None, random_bytes=random_bytes)
    r, s = core.sign(message, _number(material), _DISTINGUISHING_ID, _point(_coordinates(material)))
    return encode_dss_signature(r, s)


def verify(material: bytes, message: bytes, signature: bytes, *, digested: bool) -> bool:
    """Say whether a signature is one of this key, of a message or of the 32 bytes SM3(ZA || M) of one."""
    core = _core(digest=message if digested else None)
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return False
    valid: bool = core.verify(message, r, s, _DISTINGUISHING_ID, _point(_coordinates(material)))
    return valid


def agree(material: bytes, peer_spki: bytes) -> bytes:
    """Derive the secret shared with the holder of a public key: the x coordinate, 32 bytes.

    Raises:
        ValueError: the public key is malformed, of another curve, or not on the curve.

    """
    core = _core()
    if not peer_spki.startswith(_PUBLIC_HEAD) or len(peer_spki) != len(_PUBLIC_HEAD) + 2 * _COORDINATE_BYTES:
        raise ValueError("no public key of SM2 with both coordinates")
    peer = _point(peer_spki[len(_PUBLIC_HEAD) :])
    _expect_on_curve(core, peer)
    x, _ = core.ecdlp.ec.mul(_number(material), peer)
    return _coordinate(x)


class _Digested:
    """What gmalg takes for a hash function, where the caller has hashed already: it answers that digest."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def reset(self) -> None:
        """Forget nothing."""

    def update(self, data: bytes) -> None:
        """Take in nothing."""

    def value(self) -> bytes:
        """Answer the digest."""
        return self._digest


def _gmalg() -> Any:
    try:
        return import_module("gmalg")
    except ImportError:
        raise NotInstalled("SM2 keys", extra="sm2") from None


def _core(*, digest: bytes | None = None, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> Any:
    """Return gmalg's SM2 over numbers: its SM2 over bytes takes no digests and has no ECDH."""

    def random_number(_bits: int) -> int:
        # Never 0 nor n: gmalg would ask again, for ever where the random bytes are always the same.
        return 1 + int.from_bytes(random_bytes(_RANDOM_BYTES), "big") % (_N - 1)

    gmalg = _gmalg()
    curve = gmalg.ellipticcurve.ECDLP(_P, _A, _B, _G, _N)
    return gmalg.sm2.SM2Core(curve, gmalg.SM3() if digest is None else _Digested(digest), random_number)


def _expect_on_curve(core: Any, point: Point) -> None:
    # gmalg computes modulo p, so it would take a coordinate with p added for the same one.
    if max(point) >= _P or not core.ecdlp.ec.isvalid(point):
        raise ValueError("the point is not on the curve of SM2")


def _material(number: int) -> bytes:
    x, y = _core().generate_pk(number)
    return b"".join((_PRIVATE_HEAD, _coordinate(number), _PRIVATE_MIDDLE, _coordinate(x), _coordinate(y)))


def _number(material: bytes) -> int:
    return int.from_bytes(material[len(_PRIVATE_HEAD) :][:_COORDINATE_BYTES], "big")


def _coordinates(material: bytes) -> bytes:
    return material[-2 * _COORDINATE_BYTES :]


def _point(coordinates: bytes) -> Point:
    x, y = coordinates[:_COORDINATE_BYTES], coordinates[_COORDINATE_BYTES:]
    return int.from_bytes(x, "big"), int.from_bytes(y, "big")


def _coordinate(number: int) -> bytes:
    return number.to_bytes(_COORDINATE_BYTES, "big")


def _without_armour(key: bytes) -> bytes:
    """Return the DER of a key that may be PEM, parameters of the curve before it or not."""
    armoured = _PEM.search(key)
    return base64.b64decode(armoured[2]) if armoured else key


def _read_private_key(der: bytes) -> tuple[int, bytes | None]:
    """Return the number of a private key, and the BIT STRING of its public key where that stands beside it."""
    elements, known = _read_sequence(der), {}
    match elements:
        case [(_Tag.INTEGER, b"\0" | b"\1"), (_Tag.SEQUENCE, oids), (_Tag.OCTETS, inner), *_] if oids == _ALGORITHM:
            elements, known = _read_sequence(inner), {_Tag.CURVE: _SM2P256V1}
    match elements:
        case [(_Tag.INTEGER, b"\1"), (_Tag.OCTETS, number), *optional]:
            fields = known | dict(optional)
            if fields.get(_Tag.CURVE) == _SM2P256V1:
                return int.from_bytes(number, "big"), fields.get(_Tag.PUBLIC)
    raise ValueError("no private key of SM2")


def _ciphertext(point: Point, digest: bytes, sealed: bytes) -> bytes:
    # The form of GM/T 0009, which OpenSSL has too. Which one AWS's ciphertexts have is recorded nowhere that we know.
    x, y = (_element(_Tag.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in point)
    return _element(_Tag.SEQUENCE, b"".join((x, y, _element(_Tag.OCTETS, digest), _element(_Tag.OCTETS, sealed))))


def _read_ciphertext(ciphertext: bytes) -> tuple[Point, bytes, bytes]:
    match _read_sequence(ciphertext):
        case [(_Tag.INTEGER, x), (_Tag.INTEGER, y), (_Tag.OCTETS, digest), (_Tag.OCTETS, sealed)]:
            point = int.from_bytes(x, "big"), int.from_bytes(y, "big")
            # Negative numbers and zeros in front are none of ours.
            if _ciphertext(point, digest, sealed) == ciphertext:
                return point, digest, sealed
    raise ValueError("no ciphertext of SM2")


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def _read_sequence(der: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a SEQUENCE, tag and content, which is all there is."""
    match _read_elements(der):
        case [(_Tag.SEQUENCE, content)]:
            return _read_elements(content)
    raise ValueError("no SEQUENCE of DER")


def _read_elements(der: bytes) -> list[tuple[int, bytes]]:
    elements = []
    while der:
        digits = max(0, int.from_bytes(der[1:2], "big") - 0x80)
        start = 2 + digits
        end = start + int.from_bytes(der[2:start] if digits else der[1:2], "big")
        tag, content = der[0], der[start:end]
        # This finds what is cut, and lengths that are not in their shortest form.
        if _element(tag, content) != der[:end]:
            raise ValueError("no DER")
        elements.append((tag, content))
        der = der[end:]
    return elements
