"""Where secrets are that KMS was given or handed out, in whatever a test has at hand: and never what they are.

Searched for are plaintexts and data keys, as they are and in the forms in which they get into logs and files.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, quote_plus

from pytest_kms import readings
from pytest_kms.assertions import describe
from pytest_kms.errors import UsageError, causes

if TYPE_CHECKING:
    from pytest_kms.state.world import World

SHORTEST = 8
"""Of how many bytes a secret is that is searched for: shorter ones would be found by chance, in words and numbers."""

_SHOWN = 10

_LINE_ENDS = (b"\r", b"\n", b"\\r", b"\\n")
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


class Part(NamedTuple):
    """Something to search in, and what people call it."""

    place: str
    content: bytes

    def __repr__(self) -> str:
        return f"<Part {self.place}>"


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A secret and where it is from: the member, the number of the call in the trail, and the call in words."""

    member: str
    number: int
    call: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A place where a secret is, and in which form."""

    place: str
    form: str
    secret: Secret

    def __str__(self) -> str:
        return f"{self.place}: {self.secret.member} of call {self.secret.number}, {self.form}"


def secrets_of(worlds: Iterable[World]) -> list[Secret]:
    """Collect what some fakes were given to encrypt and have handed out, each secret once."""
    found: dict[bytes, Secret] = {}
    for world in worlds:
        for number, member, content in world.trail.secrets():
            call = describe(world, world.trail[number - 1])
            found.setdefault(content, Secret(member, number, call, content))
    return list(found.values())


def check(world: World, things: Sequence[object]) -> None:
    """Fail if a secret of a fake is in a thing."""
    __tracebackhide__ = True
    if not things:
        raise UsageError("assert_no_plaintext_in takes at least one thing to look into")
    secrets = secrets_of([world])
    search = Search(secrets)
    if not search.secrets:
        what = f"only some of less than {SHORTEST} bytes" if secrets else "none"
        raise UsageError(f"there is no plaintext to look for: KMS was given and handed out {what}")
    several = len(things) > 1
    hits: list[Hit] = []
    for number, thing in enumerate(things, start=1):
        for part in parts_of(thing, f"argument {number}" if several else "the argument"):
            hits += search.hits(part)
    if hits:
        raise AssertionError(told("pytest-kms: expected no plaintext in what was given", hits, _WHAT_NEXT))


_WHAT_NEXT = (
    "What to do: find what writes it there. What is there is not shown here on purpose;"
    " kms.trail has the calls, without secrets."
)


def told(expected: str, hits: Sequence[Hit], what_next: str) -> str:
    """Tell where secrets are: what was expected, the places, the calls that they are of, and what to do."""
    often = f"{len(hits)} place{'s' if len(hits) > 1 else ''}"
    calls = {hit.secret.number: hit.secret.call for hit in hits}
    lines = [f"{expected}; it is in {often}.", "Where it is:"]
    lines += [f"  {hit}" for hit in hits[:_SHOWN]]
    if len(hits) > _SHOWN:
        lines.append(f"  ... and in {len(hits) - _SHOWN} more")
    lines += ["What it is of:", *(f"  {number}. {call}" for number, call in sorted(calls.items())), what_next]
    return "\n".join(lines)


class Search:
    """Secrets in all their forms; those that are too short are left out."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self.secrets = [secret for secret in secrets if len(secret.content) >= SHORTEST]
        self._forms = [(secret, _forms(secret.content)) for secret in self.secrets]

    def hits(self, part: Part) -> Iterator[Hit]:
        """Tell which secrets are in something, and where the first place is that each is in."""
        texts = _Texts(part.content)
        for secret, forms in self._forms:
            found = next(texts.find(secret.content, forms), None)
            if found is not None:
                form, offset = found
                yield Hit(self._named(part, offset), form, self._without_itself(secret))

    def _named(self, part: Part, offset: int) -> str:
        place = "something whose name holds a secret" if self.finds(part.place) else part.place
        return f"{place}{_where(part.content, offset)}"

    def _without_itself(self, secret: Secret) -> Secret:
        """Tell of a call its operation alone, where the caller has put a secret among what is none."""
        if not self.finds(secret.call):
            return secret
        return replace(secret, call=f"{secret.call.partition(' ')[0]} of something whose name holds a secret")

    def finds(self, told: str) -> bool:
        """Say whether a secret is in a text."""
        texts = _Texts(told.encode(errors="surrogatepass"))
        return any(True for secret, forms in self._forms for _ in texts.find(secret.content, forms))


# forms

_Read = Callable[[bytes], bytes]
_Form = tuple[str, _Read, tuple[bytes, ...]]


def _as_it_is(text: bytes) -> bytes:
    return text


def _in_one_alphabet(text: bytes) -> bytes:
    return text.translate(_STANDARD_ALPHABET)


def _in_one_line(text: bytes) -> bytes:
    for end in _LINE_ENDS:
        text = text.replace(end, b"")
    return text.translate(_STANDARD_ALPHABET)


def _forms(secret: bytes) -> list[_Form]:
    """Write a secret in all forms: each with a name, how a text is to be read, and what is then to be found there."""
    forms: list[_Form] = [("as it is", _as_it_is, (secret,))]
    forms.append(("as Python shows bytes", _as_it_is, _unlike(secret, *_representations(secret))))
    forms.append((_ESCAPED, _as_it_is, _unlike(secret, *_escaped(secret))))
    forms.append(("in hex", bytes.lower, (secret.hex().encode(),)))
    in_base64 = tuple(_base64(secret, before) for before in range(3))
    forms.append(("with a letter for each byte", _as_it_is, _unlike(secret, secret.decode("latin-1").encode())))
    forms += [("in base64", _in_one_alphabet, in_base64), ("in base64, on several lines", _in_one_line, in_base64)]
    return [form for form in forms if form[2]]


_ESCAPED = "escaped, as in JSON or a URL"


def _unlike(secret: bytes, *forms: bytes) -> tuple[bytes, ...]:
    return tuple(form for form in dict.fromkeys(forms) if form != secret)


def _representations(secret: bytes) -> Iterator[bytes]:
    """Write a secret as `repr` does, and as `repr` of that does."""
    for shown in (repr(secret)[2:-1], repr(repr(secret))[3:-2]):
        yield shown.encode()


def _escaped(secret: bytes) -> Iterator[bytes]:
    yield quote(secret).encode()
    yield quote_plus(secret).encode()
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield repr(text)[1:-1].encode()
    yield ascii(text)[1:-1].encode()
    for ascii_alone in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_alone)[1:-1].encode()


def _without_escapes(secret: bytes) -> Iterator[bytes]:
    """Write a secret as it may read when the escapes around it are gone."""
    yield secret
    yield secret.decode("latin-1").encode()
    yield secret.replace(b" ", b"+")
    with suppress(UnicodeError):
        yield secret.decode().encode("latin-1")  # of a text Python escapes letters as it does bytes


def _base64(secret: bytes, before: int) -> bytes:
    """Write a secret in base64 as it is in a longer text: so many bytes (of three) behind a whole group.

    Left out are the letters that the neighbours have a part in.
    """
    letters = base64.b64encode(bytes(before) + secret)
    return letters[(0, 2, 3)[before] : (before + len(secret)) * 8 // 6]


class _Texts:
    """A content, read in several ways, each but once."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._read: dict[_Read, bytes] = {}

    def find(self, secret: bytes, forms: Sequence[_Form]) -> Iterator[tuple[str, int]]:
        """Give the forms in which a secret is there, the plainest first, and where each is for the first time."""
        for form, read, patterns in forms:
            text, place_of = self.read(read)
            places = [place for place in map(text.find, patterns) if place >= 0]
            if places:
                yield form, place_of(min(places))
        plain = tuple(_without_escapes(secret))
        for reading in self._readings:
            yield from _find(_ESCAPED, reading, reading.text, plain)
        for form, read, patterns in forms:
            if form in _FORMS_IN_RUNS:
                for reading in self._runs:
                    yield from _find(form, reading, read(reading.text), patterns)

    @cached_property
    def _readings(self) -> list[readings.Reading]:
        return list(readings.without_escapes(self._content))

    @cached_property
    def _runs(self) -> list[readings.Reading]:
        return [*self._readings[1:], *map(readings.in_one_run, self._readings)]

    def read(self, read: _Read) -> tuple[bytes, Callable[[int], int]]:
        """Return what is read, and how to find a place of it in the content."""
        if read not in self._read:
            self._read[read] = read(self._content)
        return self._read[read], self._place_before_joining if read is _in_one_line else int

    def _place_before_joining(self, place: int) -> int:
        gone = 0
        for line in self._content.splitlines(keepends=True):
            joined = len(_in_one_line(line))
            if place < joined:
                return gone + place
            place -= joined
            gone += len(line)
        return gone  # pragma: no cover  # every place of a text is in one of its lines


_FORMS_IN_RUNS = ("in hex", "in base64")
"""The forms that may be folded, indented, or written with colons."""


def _find(form: str, reading: readings.Reading, text: bytes, patterns: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for place in map(text.find, patterns):
        if place >= 0:
            yield form, reading.origin(place)


def _where(content: bytes, offset: int) -> str:
    """Say where in a content a place is: the line of a text that has several, the byte of what is no text."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return f", byte {offset}" if offset else ""
    line = content.count(b"\n", 0, offset) + 1
    return f", line {line}" if b"\n" in content.rstrip() else ""


# things


def parts_of(thing: Any, place: str, within: tuple[object, ...] = ()) -> Iterator[Part]:
    """Take apart what a test has given; `within` are the collections that it stands in.

    Raises:
        UsageError: it is nothing that can be looked into.

    """
    if isinstance(thing, str):
        yield Part(place, thing.encode(errors="surrogatepass"))
    elif isinstance(thing, (bytes, bytearray, memoryview)):
        yield Part(place, bytes(thing))
    elif thing is None or isinstance(thing, _PLAIN):
        yield Part(place, str(thing).encode())
    elif isinstance(thing, Path):
        yield from _parts_of_path(thing)
    elif isinstance(thing, logging.LogRecord):
        yield from _parts_of_record(thing, place)
    elif isinstance(thing, BaseException):
        yield from _parts_of_exception(thing, place)
    elif not any(thing is outer for outer in within):
        yield from _parts_of_collection(thing, place, (*within, thing))


def _parts_of_collection(thing: Any, place: str, within: tuple[object, ...]) -> Iterator[Part]:
    records = getattr(thing, "records", None)
    if isinstance(records, list) and all(isinstance(record, logging.LogRecord) for record in records):
        yield from parts_of_records(records)
    elif callable(getattr(thing, "read", None)):
        yield from _parts_of_stream(thing, place)
    elif isinstance(thing, Mapping):
        for name, value in thing.items():
            yield from parts_of(name, f"a key of {place}", within)
            yield from parts_of(value, f"{place}[{name!r}]", within)
    elif hasattr(thing, "_fields"):
        for name in thing._fields:  # of a named tuple
            yield from parts_of(getattr(thing, name), f"{place}.{name}", within)
    elif isinstance(thing, (Sequence, AbstractSet)):
        for number, item in enumerate(thing):
            yield from parts_of(item, f"{place}[{number}]", within)
    else:
        raise UsageError(
            f"{place}, of the type {type(thing).__name__}, is nothing that can be looked into. What can: texts, bytes,"
            " pathlib.Path, open files, mappings, lists, exceptions, caplog, capsys.readouterr()."
        )


def _plain_types() -> tuple[type, ...]:
    import datetime as dt
    import decimal
    import uuid

    return (bool, int, float, decimal.Decimal, dt.date, dt.time, dt.timedelta, uuid.UUID)


_PLAIN = _plain_types()


def _parts_of_exception(error: BaseException, place: str) -> Iterator[Part]:
    """Look at the texts of an exception and of those behind it; the lines of source in a traceback are no leak."""
    for raised in causes(error):
        text = "".join(format_exception_only(raised))
        told = f"{place}, {type(raised).__name__}"
        yield Part(told, text.encode(errors="surrogatepass"))
        for argument in raised.args:  # of which the text may show nothing
            if str(argument) not in text:
                yield from parts_of(_text(argument), told)


def _text(value: object) -> object:
    return value if isinstance(value, (str, bytes)) else repr(value)


def _parts_of_path(path: Path) -> Iterator[Part]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path).as_posix()
            yield Part(f"the name of {name}", name.encode(errors="surrogateescape"))
            if file.is_file():
                yield Part(name, file.read_bytes())
    elif path.is_file():
        yield Part(path.name, path.read_bytes())
    else:
        raise UsageError(f"there is no file or directory {path}")


def _parts_of_stream(stream: Any, place: str) -> Iterator[Part]:
    name = getattr(stream, "name", None)
    place = Path(name).name if isinstance(name, str) else place
    yield from parts_of(read_whole(stream) if goes_back(stream) else stream.read(), place)


def goes_back(stream: Any) -> bool:
    """Tell whether something is a stream that can be read more than once."""
    return callable(getattr(stream, "seekable", None)) and bool(stream.seekable())


def read_whole(stream: Any) -> str | bytes:
    """Read all of a stream that can go back, and leave it where it was."""
    where = stream.tell()
    stream.seek(0)
    content: str | bytes = stream.read()
    stream.seek(where)
    return content


def parts_of_records(records: Iterable[logging.LogRecord], first: int = 1) -> Iterator[Part]:
    """Take log records apart, and count them from the first."""
    for number, record in enumerate(records, start=first):
        yield from _parts_of_record(record, f"log record {number} of logger {record.name}")


_OF_EVERY_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def _parts_of_record(record: logging.LogRecord, place: str) -> Iterator[Part]:
    """Look at the message, at the exception, and at what was given as `extra`."""
    yield Part(place, _message(record).encode(errors="surrogatepass"))
    if record.exc_info and record.exc_info[1]:
        yield from parts_of(record.exc_info[1], f"{place}, its exception")
    for name, value in record.__dict__.items():
        if name not in _OF_EVERY_RECORD:
            yield from parts_of(_text(value), f"{place}, {name}")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # arguments that do not fit: logging tells whoever wrote it
        return f"{record.msg} {record.args!r}"
