"""What each condition operator compares. The forms with `Not` are negations of those without.

An operator is compiled with the values of a policy, each of which must be of its type: else what AWS would do
is a guess. A value of the request which is not of that type matches none of them.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pytest_kms.iam.errors import BadOperand
from pytest_kms.iam.matching import ARN_COLONS, literally, pattern
from pytest_kms.iam.variables import is_fixed, matches_any, template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_kms.iam.context import Context
    from pytest_kms.iam.matching import Pattern
    from pytest_kms.iam.variables import Test

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_EPOCH = re.compile(r"[0-9]{1,3}|[0-9]{5,12}")  # four digits might be a year
_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?(?:Z|([+-][0-9]{2}:[0-9]{2})))?"
)


class Compile(Protocol):
    """Makes a test whether a value of the request matches one of the policy's; with `variables` those may have some."""

    def __call__(self, values: Sequence[str], *, variables: bool) -> Test:
        """Return the test."""
        ...


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator: how it is compiled with a policy's values, and whether its answer is turned round.

    `variables` tells whether its values may hold policy variables.
    """

    compile: Compile
    negated: bool = False
    variables: bool = False


def number(text: str) -> Decimal | None:
    """Read a number as AWS does: `01`, `+1`, `1.0` and `1e0` are all 1; NaN and Infinity are none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> float | None:
    """Read a date, a date with a time, or the seconds since 1970, as seconds since 1970."""
    if _EPOCH.fullmatch(text):
        return float(text)
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    day, minute, second, fraction, zone = found.groups()
    written = f"{day}T{minute or '00:00'}:{second or '00'}.{(fraction or '').ljust(6, '0')}{zone or '+00:00'}"
    try:
        return dt.datetime.fromisoformat(written).timestamp()
    except ValueError:
        return None


def _truth(text: str) -> str | None:
    return text if text in ("true", "false") else None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    _, slash, length = text.partition("/")
    if slash and not length.isdigit():
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _typed(
    what: str, wanted: Callable[[str], Any], given: Callable[[str], Any], fits: Callable[[Any, Any], bool]
) -> Compile:
    """Return the operator that reads a policy's values by `wanted`, the request's by `given`, and compares the two."""

    def compiled(values: Sequence[str], *, variables: bool) -> Test:  # noqa: ARG001  # it is never true of these
        operands = [_needed(what, wanted, value) for value in values]

        def test(text: str, _context: Context) -> bool:
            value = given(text)
            return value is not None and any(fits(value, operand) for operand in operands)

        return test

    return compiled


def _needed(what: str, wanted: Callable[[str], Any], value: str) -> Any:
    operand = wanted(value)
    if operand is None:
        raise BadOperand(f"{value!r} is not {what}")
    return operand


def _equals(values: Sequence[str], *, variables: bool) -> Test:
    return matches_any(values, variables=variables, prepare=_exactly)


def _equals_ignore_case(values: Sequence[str], *, variables: bool) -> Test:
    matches = matches_any(values, variables=variables, prepare=_in_lower_case)
    return lambda text, context: matches(text.lower(), context)


def _exactly(tokens: Pattern) -> Pattern:
    return (literally(tokens),)


def _in_lower_case(tokens: Pattern) -> Pattern:
    return (literally(tokens).lower(),)


def _like(values: Sequence[str], *, variables: bool) -> Test:
    return matches_any(values, variables=variables)


def _arn_like(values: Sequence[str], *, variables: bool) -> Test:
    for value in values:
        pieces = template(value) if variables else pattern(value)
        if is_fixed(pieces) and literally(pieces).count(":") < ARN_COLONS:
            raise BadOperand(f"{value!r} is not an ARN of six parts")
    matches = matches_any(values, variables=variables, by_parts=True)
    return lambda text, context: text.count(":") >= ARN_COLONS and matches(text, context)


def _ordered(family: str, what: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    """Return the operators of a family whose values have an order."""
    fits: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    operators = {f"{family}{name}": Operator(_typed(what, read, read, fit)) for name, fit in fits.items()}
    return {**operators, f"{family}NotEquals": Operator(_typed(what, read, read, operator.eq), negated=True)}


def _is_in(address: Address, network: Network) -> bool:
    return address in network


_IN_RANGE = _typed("an IP address or a range of them", _network, _address, _is_in)

OPERATORS = {
    "StringEquals": Operator(_equals, variables=True),
    "StringNotEquals": Operator(_equals, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(_equals_ignore_case, variables=True),
    "StringNotEqualsIgnoreCase": Operator(_equals_ignore_case, negated=True, variables=True),
    "StringLike": Operator(_like, variables=True),
    "StringNotLike": Operator(_like, negated=True, variables=True),
    **_ordered("Numeric", "a number", number),
    **_ordered("Date", "a date or a count of seconds since 1970", moment),
    "Bool": Operator(_typed("true or false", _truth, _truth, operator.eq)),
    "BinaryEquals": Operator(_typed("base64", _bytes, _bytes, operator.eq)),
    "IpAddress": Operator(_IN_RANGE),
    "NotIpAddress": Operator(_IN_RANGE, negated=True),
    "ArnEquals": Operator(_arn_like, variables=True),
    "ArnLike": Operator(_arn_like, variables=True),
    "ArnNotEquals": Operator(_arn_like, negated=True, variables=True),
    "ArnNotLike": Operator(_arn_like, negated=True, variables=True),
}
