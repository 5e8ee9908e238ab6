"""JSON 1.1 on the wire, Python values within: guided by the shapes of botocore's model."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import NotSupported, SerializationException

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, Shape, StructureShape

Reader = Callable[[Any], Any]

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "string": (str,),
    "blob": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
}


def decode(operation: str, body: bytes) -> dict[str, Any]:
    """Read the input of an operation: blobs as bytes, timestamps as datetimes, absent members left out.

    Raises:
        SerializationException: the body is no JSON object, or a member has another type than the model says.

    """
    try:
        text = body.decode().strip(_WHITE_SPACE)
        content, end = _scan(text, 0)
    except (ValueError, StopIteration):
        raise SerializationException(why="the request's body is not JSON") from None
    if end != len(text):
        raise SerializationException(why="the request's body goes on after its JSON")
    values: dict[str, Any] = _reader_of_operation(operation)(content)
    return values


def encode(answer: dict[str, Any]) -> bytes:
    """Write an answer as the body of a response."""
    # Member by member, since most are texts and blobs, which need no json.JSONEncoder.
    members = ""
    for name, value in answer.items():
        if type(value) is str:
            members += f',"{name}":{_quoted(value)}'
        elif type(value) is bytes:
            members += f',"{name}":"{binascii.b2a_base64(value, newline=False).decode()}"'
        else:
            members += f',"{name}":{_encode_others(value)}'
    return f"{{{members[1:]}}}".encode()


def _encode_value(value: dt.datetime) -> float:
    return round(value.timestamp(), 3)


_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_WHITE_SPACE = " \t\r\n"

# The same strictness, nearer to C where Python has it.
_from_base64: Callable[[str], bytes] = (
    partial(binascii.a2b_base64, strict_mode=True)
    if sys.version_info >= (3, 11)
    else partial(base64.b64decode, validate=True)
)
_encode_others = json.JSONEncoder(default=_encode_value, separators=(",", ":")).encode
_quoted: Callable[[str], str] = json.encoder.encode_basestring_ascii


@cache
def _reader_of_operation(operation: str) -> Reader:
    return _structure_reader(service.input_shape(operation), outermost=True)


def _structure_reader(shape: StructureShape, *, outermost: bool = False) -> Reader:
    members = {name: _member(member) for name, member in shape.members.items()}

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _mismatch("structure", value)
        values: dict[str, Any] = value
        if None in values.values():
            values = {name: item for name, item in values.items() if item is not None}
        for name, item in values.items():
            member = members.get(name)
            if member is not None:
                kind, types, read_item = member
                if type(item) not in types:
                    raise _mismatch(kind, item)
                if read_item is not None:
                    values[name] = read_item(item)
            elif not outermost:
                raise NotSupported(f"the member {name!r} of {shape.name} is not supported by this version.")
            # An outermost member that the model lacks is kept as it is: checks/support refuses it by name.
        return values

    return read


def _list_reader(shape: ListShape) -> Reader:
    kind, types, read_item = _member(shape.member)

    def read(value: list[Any]) -> list[Any]:
        for item in value:
            if type(item) not in types:
                raise _mismatch(kind, item)
        return value if read_item is None else [read_item(item) for item in value]

    return read


def _map_reader(shape: MapShape) -> Reader:
    kind, types, _ = _member(shape.value)

    def read(value: dict[str, Any]) -> dict[str, Any]:
        for item in value.values():
            if type(item) not in types:
                raise _mismatch(kind, item)
        return value

    return read


def _member(shape: Shape) -> tuple[str, tuple[type, ...], Reader | None]:
    """Say which kind a member is, which types JSON carries it as, and how to read it further."""
    kind = shape.type_name
    readers: dict[str, Callable[[Any], Reader]] = {
        "structure": _structure_reader,
        "list": _list_reader,
        "map": _map_reader,
        "blob": lambda _: _read_blob,
        "timestamp": lambda _: _read_timestamp,
    }
    return kind, _JSON_TYPES[kind], readers[kind](shape) if kind in readers else None


def _read_timestamp(value: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(value, dt.timezone.utc)


def _read_blob(value: str) -> bytes:
    try:
        return _from_base64(value)
    except ValueError:
        raise SerializationException(why="a blob is not valid base64") from None


def _mismatch(kind: str, value: object) -> SerializationException:
    return SerializationException(why=f"a member that must be a {kind} is a {type(value).__name__}")
