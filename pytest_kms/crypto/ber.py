"""BER brought into DER, its one strict form: AWS takes private keys in both, our libraries in DER alone."""

from __future__ import annotations

from pytest_kms.crypto import der

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_OCTETS, _OCTETS_IN_PIECES = 0x04, 0x24
_BITS_IN_PIECES = 0x23
_END = b"\0\0"
_DEEPEST = 16


def to_der(encoded: bytes) -> bytes:
    """Write a value in DER: lengths in their shortest form, octet strings in one piece.

    Raises:
        ValueError: this is no value in BER, or one of a kind that no private key has.

    """
    try:
        value, rest = _read(encoded, _DEEPEST)
    except IndexError:
        raise ValueError("the value is cut") from None
    if rest:
        raise ValueError("more follows the value")
    return value


def _read(encoded: bytes, depth: int) -> tuple[bytes, bytes]:
    """Return the first value in DER, and what follows it."""
    tag = encoded[0]
    if tag & _LONG_TAG == _LONG_TAG or tag == _BITS_IN_PIECES or not depth:
        raise ValueError("no private key has such a value")
    size, content = _length(encoded[1:])
    if tag & _CONSTRUCTED:
        values, rest = _read_all(content, size, depth - 1)
        if tag == _OCTETS_IN_PIECES:
            return der.octets(b"".join(map(_octets, values))), rest
        content = b"".join(values)
    elif size is None:
        raise ValueError("a length is missing")
    else:
        content, rest = _split(content, size)
    return bytes((tag,)) + der.length(len(content)) + content, rest


def _read_all(encoded: bytes, size: int | None, depth: int) -> tuple[list[bytes], bytes]:
    """Return the values within a value of a given length, or up to a mark of the end, and what follows it."""
    values = []
    if size is None:
        while not encoded.startswith(_END):
            value, encoded = _read(encoded, depth)
            values.append(value)
        return values, encoded[len(_END) :]
    content, rest = _split(encoded, size)
    while content:
        value, content = _read(content, depth)
        values.append(value)
    return values, rest


def _length(encoded: bytes) -> tuple[int | None, bytes]:
    """Return a length, None for one that a mark of the end replaces, and what follows it."""
    first, rest = encoded[0], encoded[1:]
    if first < 0x80:
        return first, rest
    digits, rest = _split(rest, first & 0x7F)
    return int.from_bytes(digits, "big") if digits else None, rest


def _split(encoded: bytes, size: int) -> tuple[bytes, bytes]:
    if len(encoded) < size:
        raise IndexError
    return encoded[:size], encoded[size:]


def _octets(value: bytes) -> bytes:
    if value[0] != _OCTETS:
        raise ValueError("a piece of an octet string is none")
    return der.content(value)
