"""How CloudTrail spells members and values: `EncryptionContext` becomes `encryptionContext`, a time text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape


def named(name: str) -> str:
    """Spell the name of a member: `AWSAccountId` becomes `aWSAccountId`."""
    return name[:1].lower() + name[1:]


def moment(time: dt.datetime) -> str:
    """Write a time in whole seconds of UTC."""
    return f"{time.astimezone(dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def members(
    shape: StructureShape | None,
    names: Iterable[str],
    values: Mapping[str, Any],
    other_names: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any] | None:
    """Write those members of a request or an answer that have a value; None where there is none."""
    shapes = shape.members if shape else {}
    written = {
        other_names.get(name, named(name)): _value(shapes.get(name), values[name])
        for name in names
        if values.get(name) not in (None, {})
    }
    return written or None


def _value(shape: Shape | None, value: Any) -> Any:
    """Write a value afresh, by its shape: the keys of maps (an encryption context) keep their spelling.

    A member that an older botocore does not know has none of these.
    """
    if isinstance(value, Mapping):
        if shape is not None and shape.type_name == "structure":
            return {named(name): _value(shape.members.get(name), one) for name, one in value.items()}  # type: ignore[attr-defined]
        return dict(value)
    if isinstance(value, (list, tuple)):
        member = None if shape is None else shape.member  # type: ignore[attr-defined]
        return [_value(member, one) for one in value]
    return moment(value) if isinstance(value, dt.datetime) else value
