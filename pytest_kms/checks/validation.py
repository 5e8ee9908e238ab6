"""Do the members meet the constraints of KMS's model? All violations are told in one message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import ValidationException
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

    from pytest_kms.operation import Call

Holds = Callable[[Any], object]

_SIZED = {"string", "blob", "list", "map"}

# The server constrains key identifiers more than the model says.
_KEY_IDENTIFIER_SHAPE = "KeyIdType"
_KEY_IDENTIFIER_PATTERN = r"^\p{ASCII}+$"


def check(call: Call) -> None:
    """Refuse a call with members that AWS would not accept whatever keys there are."""
    constraints = _constraints_of_operation(call.operation.name)
    if not constraints.met_by(call.input):
        violations = list(constraints.violations(call.input, ""))
        plural = "s" if len(violations) > 1 else ""
        raise ValidationException(
            f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}", why=_why_too_long(call)
        )


_ADVICE = {
    "Encrypt": service.ENVELOPE,
    "Decrypt": "Of what was encrypted with a data key it takes the encrypted data key alone",
    "Sign": "Sign a digest of it, with MessageType='DIGEST'",
    "Verify": "Give a digest of it, with MessageType='DIGEST'",
    "GenerateMac": "Make the MAC of a digest of it",
    "VerifyMac": "Give the digest that the MAC is of",
}
"""What to do with more than an operation takes."""


def _why_too_long(call: Call) -> str:
    """Say how long a member is of which AWS shows nothing, and what to do with one that is too long."""
    operation = call.operation.name
    for name, value in call.input.items():
        most = service.longest(operation, name)
        if most is not None and len(value) > most:
            told = f"{name} has {len(value)} bytes, {operation} takes up to {most}"
            return f"{told}. {_ADVICE[operation]}" if operation in _ADVICE else told
    return ""


class _Value:
    """What one member has to meet, in the order of AWS's messages."""

    def __init__(self, shape: Any, bounds: tuple[int, int] | None = None) -> None:
        self.silent = shape.type_name == "blob" or bool(shape.metadata.get("sensitive"))
        self.hidden = bool(shape.metadata.get("sensitive"))
        self.rules = tuple(_rules(shape, bounds))
        self.structure = _Structure(shape) if shape.type_name == "structure" else None
        self.item = _Value(shape.member) if shape.type_name == "list" else None
        self.asks: bool = bool(self.rules or self.structure or (self.item and self.item.asks))
        within = self.structure is not None or self.item is not None
        self.conditions = (self._nothing_wrong_with,) if within else tuple(_conditions(shape, bounds))

    def violations(self, value: Any, place: str) -> Iterator[str]:
        """Tell what a value at a place violates."""
        for holds, text in self.rules:
            if not holds(value):
                shown = "" if self.silent else f" '{_in_java(value)}'"
                yield f"Value{shown} at '{place}' failed to satisfy constraint: {text}"
        if self.structure is not None:
            yield from self.structure.violations(value, f"{place}.")
        if self.item is not None and self.item.asks:
            for number, item in enumerate(value, start=1):
                yield from self.item.violations(item, f"{place}.{number}.member")

    def _nothing_wrong_with(self, value: Any) -> bool:
        return not any(self.violations(value, ""))


class _Structure:
    """What the members of a structure have to meet."""

    def __init__(self, shape: StructureShape, bounds: Mapping[str, tuple[int, int]] | None = None) -> None:
        required = set(shape.required_members)
        members = [
            (name, name[0].lower() + name[1:], name in required, _Value(member, (bounds or {}).get(name)))
            for name, member in shape.members.items()
        ]
        self.members = [member for member in members if member[2] or member[3].asks]
        self._required = tuple(required)
        self._conditions = {name: value.conditions for name, _, _, value in self.members}

    def met_by(self, value: dict[str, Any]) -> bool:
        """Say whether nothing is violated: the way of most calls, without the words."""
        for name in self._required:
            if name not in value:
                return False
        for name, item in value.items():
            for holds in self._conditions.get(name, ()):
                if not holds(item):
                    return False
        return True

    def violations(self, value: dict[str, Any], place: str) -> Iterator[str]:
        """Tell what the members of a structure at a place violate."""
        for name, member_place, required, constraints in self.members:
            item = value.get(name)
            if item is not None:
                yield from constraints.violations(item, place + member_place)
            elif required:
                null = "" if constraints.hidden else " null"
                where = f"{place}{member_place}"
                yield f"Value{null} at '{where}' failed to satisfy constraint: Member must not be null"


@cache
def _constraints_of_operation(operation: str) -> _Structure:
    return _Structure(service.input_shape(operation), OPERATIONS[operation].bounds)


def _conditions(shape: Shape, bounds: tuple[int, int] | None) -> Iterator[Holds]:
    """Give the conditions of the rules, least and greatest in one."""
    least, greatest = bounds or _bounds_of_model(shape)
    if least or greatest is not None:
        measure = _measure(shape)
        most = inf if greatest is None else greatest
        yield lambda value: least <= measure(value) <= most
    if shape.name == _KEY_IDENTIFIER_SHAPE:
        yield str.isascii  # what its pattern says besides, in less time
    else:
        yield from (holds for holds, _ in _rules_of_content(shape))


def _bounds_of_model(shape: Shape) -> tuple[int, int | None]:
    return shape.metadata.get("min") or 0, shape.metadata.get("max")


def _measure(shape: Shape) -> Callable[[Any], int]:
    return len if shape.type_name in _SIZED else int


def _rules(shape: Shape, bounds: tuple[int, int] | None) -> Iterator[tuple[Holds, str]]:
    least, greatest = _bounds_of_model(shape)
    yield from _rules_of_size(shape, least, greatest, lambda _: True)
    if bounds is not None:
        # What the model refuses already is told in the model's numbers.
        most = inf if greatest is None else greatest
        yield from _rules_of_size(shape, *bounds, lambda size: least <= size <= most)
    yield from _rules_of_content(shape)


def _rules_of_size(
    shape: Shape, least: int, greatest: int | None, applies: Callable[[int], bool]
) -> Iterator[tuple[Holds, str]]:
    measure = _measure(shape)
    what = "length" if measure is len else "value"
    # A length of 0 or more is no condition.
    if least:
        text = f"Member must have {what} greater than or equal to {least}"
        yield (lambda value: measure(value) >= least or not applies(measure(value))), text
    if greatest is not None:
        text = f"Member must have {what} less than or equal to {greatest}"
        yield (lambda value: measure(value) <= greatest or not applies(measure(value))), text


def _rules_of_content(shape: Shape) -> Iterator[tuple[Holds, str]]:
    pattern = _KEY_IDENTIFIER_PATTERN if shape.name == _KEY_IDENTIFIER_SHAPE else shape.metadata.get("pattern")
    if pattern:
        # Java's \p{ASCII}, and Java's habit of matching the whole text with ASCII classes.
        matches = re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), re.ASCII).fullmatch
        yield matches, f"Member must satisfy regular expression pattern: {pattern}"
    values = shape.metadata.get("enum")
    if values:
        # The order in AWS's own text is a hash order that changed over the years; this one is the model's.
        yield frozenset(values).__contains__, f"Member must satisfy enum value set: [{', '.join(values)}]"


def _in_java(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
