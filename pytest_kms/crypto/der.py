"""The few DER forms that this package writes by itself."""

from __future__ import annotations


def length(size: int) -> bytes:
    """Encode the length of a content."""
    if size < 0x80:
        return bytes((size,))
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits),)) + digits


def sequence(*contents: bytes) -> bytes:
    """Encode a SEQUENCE of what is encoded already."""
    return _tagged(0x30, b"".join(contents))


def octets(content: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return _tagged(0x04, content)


def integer(value: int) -> bytes:
    """Encode an INTEGER that is not negative."""
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def content(encoded: bytes) -> bytes:
    """Return the content of a value that stands alone."""
    return encoded[_content_at(encoded) :]


def first_of_sequence(encoded: bytes) -> bytes:
    """Return the first element of a SEQUENCE, with its tag and length."""
    start = _content_at(encoded)
    first = encoded[start:]
    size = first[1] if first[1] < 0x80 else int.from_bytes(first[2 : _content_at(first)], "big")
    return first[: _content_at(first) + size]


def _content_at(encoded: bytes) -> int:
    return 2 if encoded[1] < 0x80 else 2 + (encoded[1] & 0x7F)


def _tagged(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content
