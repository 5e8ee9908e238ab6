"""The Condition element: operators, keys and values, and what a request must have to meet them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_kms.iam.context import Context, Value, value_of
from pytest_kms.iam.errors import BadOperand, Malformed, NotUnderstood, UnknownConditionKey, UnknownOperator
from pytest_kms.iam.operators import OPERATORS
from pytest_kms.iam.variables import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms.iam.operators import Operator
    from pytest_kms.iam.variables import Test

    TestOfPresent = Callable[[Value, Context], bool]

FOR_ALL = "ForAllValues"
FOR_ANY = "ForAnyValue"
NULL = "Null"

_NAME = re.compile(rf"(?:({FOR_ALL}|{FOR_ANY}):)?(\w+?)(IfExists)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of one operator, as the policy writes them, and the values of which it wants one (or none).

    `variables` tells whether the values may hold policy variables, `name` is the key in lower case.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    variables: bool
    name: str = field(compare=False, repr=False)
    when_absent: bool = field(compare=False, repr=False)
    when_present: TestOfPresent = field(compare=False, repr=False)

    def holds(self, context: Context) -> bool:
        """Tell whether the request meets it."""
        value = context.get(self.name) or value_of(context, self.name, self.key)
        return self.when_absent if value is None else self.when_present(value, context)

    def trace(self, context: Context) -> Trace:
        """Tell whether the request meets it, and what was compared; never raises."""
        try:
            return Trace(self._text(context), self.holds(context))
        except UnknownConditionKey as error:
            return Trace(f"{self.key}: {error.what}", held=False)

    def _text(self, context: Context) -> str:
        wanted = " or ".join(explained(value, context) if self.variables else value for value in self.values)
        given = _shown(value_of(context, self.name, self.key))
        return f"{self.key}: wanted {self.operator} {wanted}, the request has {given}"


@dataclass(frozen=True, slots=True)
class Trace:
    """What a condition compared, in words, and whether the request met it."""

    text: str
    held: bool


def _shown(value: Value | None) -> str:
    if value is None:
        return "none"
    return value or "an empty text" if isinstance(value, str) else f"[{', '.join(value)}]"


def parse(block: Any, *, variables: bool) -> tuple[Condition, ...]:
    """Read a Condition element; with `variables`, its values may hold policy variables.

    Raises Malformed where it is not of the form, UnknownOperator and BadOperand where its meaning is not known.
    """
    return tuple(
        _condition(operator, key, _values(values, f"{operator} {key}"), variables=variables)
        for operator, keys in _object(block, "Condition").items()
        for key, values in _object(keys, operator).items()
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(member, str) for member in value):
        raise Malformed(why=f"{name} is {value!r}, which is not an object")
    return value


def _values(given: Any, place: str) -> tuple[str, ...]:
    values = given if isinstance(given, (list, tuple)) else [given]
    if not values:
        raise Malformed(why=f"{place} has no values")
    return tuple(_value(value, place) for value in values)


def _value(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Malformed(why=f"{place} has the value {value!r}, which is not a text, a number, true or false")


def _condition(written: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition:
    try:
        if written == NULL:
            return _null(key, values)
        return _compiled(written, key, values, variables=variables)
    except NotUnderstood as error:
        raise error.at(f"{written} {key}") from None


def _null(key: str, values: tuple[str, ...]) -> Condition:
    for value in values:
        if value not in ("true", "false"):
            raise BadOperand(f"{value!r} is not true or false")
    present = "false" in values
    return Condition(
        NULL,
        key,
        values,
        variables=False,
        name=key.lower(),
        when_absent="true" in values,
        when_present=lambda *_: present,
    )


def _compiled(written: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition:
    found = _NAME.fullmatch(written)
    set_operator, name, if_exists = found.groups() if found else ("", "", "")
    operator = OPERATORS.get(name)
    if operator is None:
        raise UnknownOperator(_unknown(written, name or written))
    variables = variables and operator.variables
    test = operator.compile(values, variables=variables)
    return Condition(
        written,
        key,
        values,
        variables=variables,
        name=key.lower(),
        when_absent=_when_absent(operator, set_operator) or bool(if_exists),
        when_present=_when_present(test, set_operator, negated=operator.negated),
    )


def _unknown(written: str, name: str) -> str:
    nearest = difflib.get_close_matches(name, [*OPERATORS, NULL], n=1)
    return f"{written!r} is no condition operator" + (f"; did you mean {nearest[0]}?" if nearest else "")


def _when_absent(operator: Operator, set_operator: str | None) -> bool:
    return operator.negated if set_operator is None else set_operator == FOR_ALL


def _when_present(test: Test, set_operator: str | None, *, negated: bool) -> TestOfPresent:
    """Return the test of a value that the request has.

    Without a set operator no condition holds for a multi-valued key, not even a negated one: so AWS was recorded.
    """
    if set_operator is None:
        return lambda value, context: isinstance(value, str) and test(value, context) is not negated
    among = all if set_operator == FOR_ALL else any
    return lambda value, context: among(test(each, context) is not negated for each in _each(value))


def _each(value: Value) -> list[str] | tuple[str, ...]:
    return [value] if isinstance(value, str) else value
