"""Do the members meet the constraints of KMS's model? All violations are told in one message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import ValidationException
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

    from pytest_kms.operation import Call

# Value and place of a member in, violations out.
Constraint = Callable[[Any, str], Iterator[str]]

_SIZED = {"string", "blob", "list", "map"}

# The server constrains key identifiers more than the model says.
_KEY_IDENTIFIER_SHAPE = "KeyIdType"
_KEY_IDENTIFIER_PATTERN = r"^\p{ASCII}+$"


def check(call: Call) -> None:
    """Refuse a call with members that AWS would not accept whatever keys there are."""
    violations = list(_constraint_of_operation(call.operation.name)(call.input, ""))
    if violations:
        plural = "s" if len(violations) > 1 else ""
        raise ValidationException(f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}")


@cache
def _constraint_of_operation(operation: str) -> Constraint:
    return _structure(service.input_shape(operation), OPERATIONS[operation].bounds)


def _structure(shape: StructureShape, bounds: Any = None) -> Constraint:
    required = set(shape.required_members)
    members = [
        (name, _place_in_messages(name), name in required, _constraints(member, (bounds or {}).get(name)))
        for name, member in shape.members.items()
    ]
    watched = [entry for entry in members if entry[2] or entry[3]]
    hidden = {name for name, member in shape.members.items() if member.metadata.get("sensitive")}

    def constrain(value: Any, place: str) -> Iterator[str]:
        for name, member_place, is_required, constraints in watched:
            item = value.get(name)
            if item is None:
                if is_required:
                    null = "" if name in hidden else " null"
                    yield f"Value{null} at '{place}{member_place}' failed to satisfy constraint: Member must not be null"
                continue
            for constraint in constraints:
                yield from constraint(item, place + member_place)

    return constrain


def _constraints(shape: Shape, bounds: tuple[int, int] | None) -> list[Constraint]:
    """Build what an absent or present member has to meet, in the order of AWS's messages."""
    found: list[Constraint] = []
    silent = shape.type_name == "blob" or bool(shape.metadata.get("sensitive"))
    least, greatest = shape.metadata.get("min"), shape.metadata.get("max")
    if bounds is not None:
        least, greatest = bounds
    what, measure = ("length", len) if shape.type_name in _SIZED else ("value", int)
    if least is not None:
        found.append(
            _rule(f"Member must have {what} greater than or equal to {least}", lambda v: measure(v) >= least, silent)
        )
    if greatest is not None:
        found.append(
            _rule(f"Member must have {what} less than or equal to {greatest}", lambda v: measure(v) <= greatest, silent)
        )
    pattern = _KEY_IDENTIFIER_PATTERN if shape.name == _KEY_IDENTIFIER_SHAPE else shape.metadata.get("pattern")
    if pattern:
        found.append(_pattern(pattern, silent))
    values = shape.metadata.get("enum")
    if values:
        # The order in AWS's own text is a hash order that changed over the years; this one is the model's.
        found.append(_rule(f"Member must satisfy enum value set: [{', '.join(values)}]", frozenset(values).__contains__, silent))
    return found + _within(shape)


def _within(shape: Any) -> list[Constraint]:
    """Build the constraints on what a structure or a list holds."""
    if shape.type_name == "structure":
        inner = _structure(shape)
        return [lambda value, place: inner(value, f"{place}.")]
    if shape.type_name == "list":
        constraints = _constraints(shape.member, None)

        def each(value: Any, place: str) -> Iterator[str]:
            for number, item in enumerate(value, start=1):
                for constraint in constraints:
                    yield from constraint(item, f"{place}.{number}.member")

        return [each] if constraints else []
    return []


def _rule(text: str, holds: Callable[[Any], bool], silent: bool) -> Constraint:  # noqa: FBT001
    def constrain(value: Any, place: str) -> Iterator[str]:
        if not holds(value):
            shown = "" if silent else f" '{_in_java(value)}'"
            yield f"Value{shown} at '{place}' failed to satisfy constraint: {text}"

    return constrain


def _pattern(pattern: str, silent: bool) -> Constraint:  # noqa: FBT001
    # Java's \p{ASCII}, and Java's habit of matching the whole text with ASCII classes.
    compiled = re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), re.ASCII)
    return _rule(
        f"Member must satisfy regular expression pattern: {pattern}",
        lambda value: compiled.fullmatch(value) is not None,
        silent,
    )


def _place_in_messages(member: str) -> str:
    return member[0].lower() + member[1:]


def _in_java(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
