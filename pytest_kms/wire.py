"""JSON 1.1 on the wire, Python values within: guided by the shapes of botocore's model."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import SerializationException

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, Shape, StructureShape

Reader = Callable[[Any], Any]

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
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
        content = json.loads(body or b"{}")
    except ValueError:
        raise SerializationException(why="the request's body is not JSON") from None
    values: dict[str, Any] = _reader_of_operation(operation)(content)
    return values


def encode(answer: dict[str, Any]) -> bytes:
    """Write an answer as the body of a response."""
    return _ENCODER.encode(answer).encode()


def _encode_value(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dt.datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"pytest-kms: no JSON for {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=_encode_value, separators=(",", ":"))


@cache
def _reader_of_operation(operation: str) -> Reader:
    return _reader(service.input_shape(operation))


def _reader(shape: Shape) -> Reader:
    readers: dict[str, Callable[[Any], Reader]] = {
        "structure": _structure_reader,
        "list": _list_reader,
        "map": _map_reader,
    }
    if shape.type_name in readers:
        return readers[shape.type_name](shape)
    if shape.type_name == "blob":
        return _read_blob
    return _scalar_reader(shape)


def _structure_reader(shape: StructureShape) -> Reader:
    members = {name: _reader(member) for name, member in shape.members.items()}

    def read(value: Any) -> dict[str, Any]:
        _expect(value, (dict,), shape.type_name)
        # A member that the model lacks is kept as it is: checks/support refuses it by name.
        return {
            name: members[name](item) if name in members else item
            for name, item in value.items()
            if item is not None
        }

    return read


def _list_reader(shape: ListShape) -> Reader:
    read_item = _reader(shape.member)

    def read(value: Any) -> list[Any]:
        _expect(value, (list,), shape.type_name)
        return [read_item(item) for item in value]

    return read


def _map_reader(shape: MapShape) -> Reader:
    read_item = _reader(shape.value)

    def read(value: Any) -> dict[str, Any]:
        _expect(value, (dict,), shape.type_name)
        return {name: read_item(item) for name, item in value.items()}

    return read


def _scalar_reader(shape: Shape) -> Reader:
    kind = shape.type_name
    types = _JSON_TYPES[kind]

    def read(value: Any) -> Any:
        _expect(value, types, kind)
        if kind == "timestamp":
            return dt.datetime.fromtimestamp(value, dt.timezone.utc)
        return value

    return read


def _read_blob(value: Any) -> bytes:
    _expect(value, (str,), "blob")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise SerializationException(why="a blob is not valid base64") from None


def _expect(value: object, types: tuple[type, ...], kind: str) -> None:
    # bool is an int to Python, not to JSON.
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise SerializationException(why=f"a member that must be a {kind} is a {type(value).__name__}")
