"""How else bytes can be read: without escapes, and without what stands between lines or the bytes of a dump."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_LAYERS = 2
"""How many layers of escapes are taken off: JSON within JSON has two."""


class Reading:
    """Bytes as they are read, and from where in the original each comes."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    def origin(self, place: int) -> int:
        """Return the place in the original."""
        return place


class _Replaced(Reading):
    """Bytes in which all that fits a pattern was replaced."""

    __slots__ = ("_before", "_pattern", "_replace")

    def __init__(
        self, before: Reading, pattern: re.Pattern[bytes], replace: Callable[[re.Match[bytes]], bytes]
    ) -> None:
        super().__init__(pattern.sub(replace, before.text))
        self._before = before
        self._pattern = pattern
        self._replace = replace

    def origin(self, place: int) -> int:
        """Return the place in the original; of what was replaced, where that begins."""
        shift = 0
        for match in self._pattern.finditer(self._before.text):
            start, size = match.start() + shift, len(self._replace(match))
            if place < start:
                break
            if place < start + size:
                return self._before.origin(match.start())
            shift += size - len(match[0])
        return self._before.origin(place - shift)


def without_escapes(content: bytes) -> Iterator[Reading]:
    """Read bytes as they are, and as they read without the escapes of Python, JSON and URLs, a layer at a time."""
    reading = Reading(content)
    yield reading
    for _ in range(_LAYERS):
        plain = _Replaced(reading, _ESCAPE, _unescaped)
        if plain.text == reading.text:
            return
        reading = plain
        yield reading


def in_one_run(reading: Reading) -> Reading:
    """Leave out line ends, spaces and colons: what stands within base64 on several lines, or between bytes in hex."""
    return _Replaced(reading, _BETWEEN, lambda _: b"")


_BETWEEN = re.compile(rb"[\s:]+")
_ESCAPE = re.compile(
    rb"""\\x(?P<hex>[0-9a-fA-F]{2})|%(?P<percent>[0-9a-fA-F]{2})"""
    rb"""|(?P<units>(?:\\u[0-9a-fA-F]{4})+)|\\U(?P<point>[0-9a-fA-F]{8})|\\(?P<letter>[nrtbf0'"/\\])"""
)
_LETTERS = dict(zip(b"nrtbf0", b"\n\r\t\b\f\0", strict=True))


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits = match["hex"] or match["percent"]
    if digits:
        return bytes.fromhex(digits.decode())
    if match["units"]:
        units = bytes.fromhex(match["units"].decode().replace("\\u", ""))
        return units.decode("utf-16-be", "replace").encode()
    if match["point"]:
        return bytes.fromhex(match["point"].decode()).decode("utf-32-be", "replace").encode()
    letter = match["letter"][0]
    return bytes([_LETTERS.get(letter, letter)])
