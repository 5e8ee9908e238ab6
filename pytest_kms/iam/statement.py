"""One statement of a policy: its elements, checked and prepared, and whether it speaks of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_kms.iam import conditions, principals
from pytest_kms.iam.errors import Malformed
from pytest_kms.iam.principals import NO_PRINCIPAL, Named
from pytest_kms.iam.variables import matches_any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_kms.iam.conditions import Condition, Trace
    from pytest_kms.iam.context import Context
    from pytest_kms.iam.principals import Caller, Principals
    from pytest_kms.iam.variables import Test

ALLOW = "Allow"
DENY = "Deny"

PRINCIPAL_NOT_ALLOWED = "Policy document should not specify a principal."
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."

_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:.+")
_RESOURCE = re.compile(r"\*|arn:.*")


@dataclass(frozen=True, slots=True)
class Patterns:
    """An Action, NotAction, Resource or NotResource element."""

    element: str
    values: tuple[str, ...]
    matches: Test = field(compare=False, repr=False)
    negated: bool = field(compare=False, repr=False)

    def cover(self, name: str, context: Context) -> bool:
        """Tell whether the statement is about this action (in lower case) or this resource."""
        return self.matches(name, context) is not self.negated

    def __str__(self) -> str:
        """Write the element on one line."""
        return f"{self.element} {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, `number` counted from 1.

    `principals` is None in policies that are attached to a principal. A key policy's statement may lack
    actions or `resources`: AWS takes it, and it has no effect.
    """

    number: int
    sid: str
    effect: str
    principals: Principals | None
    actions: Patterns
    resources: Patterns | None
    conditions: tuple[Condition, ...]

    def named(self, caller: Caller) -> Named | None:
        """Tell how it names the caller; None where it does not."""
        if self.principals is None:
            return Named.DIRECTLY
        return self.principals.named(caller, deny=self.effect == DENY)

    @property
    def unconditional(self) -> bool:
        """Tell whether it speaks of the same resources in every context."""
        return not self.conditions and not (self.resources and any("$" in value for value in self.resources.values))

    def has_resource(self, resource: str, context: Context) -> bool:
        """Tell whether it is about this resource."""
        return self.resources is not None and self.resources.cover(resource, context)

    def is_met(self, context: Context) -> bool:
        """Tell whether all of its conditions hold. All are asked, so that none of an unknown key is passed over."""
        met = True
        for condition in self.conditions:
            met = condition.holds(context) and met
        return met

    def traces(self, context: Context) -> list[Trace]:
        """Return what its conditions compared."""
        return [condition.trace(context) for condition in self.conditions]

    def __str__(self) -> str:
        """Name it, for reports: by its number, and its Sid where it has one."""
        return f"statement {self.number} ({self.sid})" if self.sid else f"statement {self.number}"


def parse(number: int, data: Any, *, resource_based: bool, variables: bool) -> Statement:
    """Read a statement; `resource_based` is one of a policy that is attached to a resource.

    Raises Malformed, UnknownOperator, BadOperand.
    """
    if not isinstance(data, dict):
        raise Malformed(why=f"it is {data!r}, which is not an object")
    for element in data:
        if element not in _ELEMENTS:
            raise Malformed(why=f"it has the element {element!r}, which no statement has")
    return Statement(
        number,
        _text(data, "Sid"),
        _effect(data),
        _principals(data, expected=resource_based),
        _actions(data, optional=resource_based),
        _resources(data, optional=resource_based, variables=variables),
        conditions.parse(data.get("Condition", {}), variables=variables),
    )


def _text(data: Mapping[str, Any], element: str) -> str:
    text = data.get(element, "")
    if not isinstance(text, str):
        raise Malformed(why=f"{element} is {text!r}, which is not a text")
    return text


def _effect(data: Mapping[str, Any]) -> str:
    effect = _text(data, "Effect")
    if effect not in (ALLOW, DENY):
        raise Malformed(why=f"Effect is {effect!r}; it must be Allow or Deny")
    return effect


def _principals(data: Mapping[str, Any], *, expected: bool) -> Principals | None:
    element = _one_of(data, "Principal", "NotPrincipal")
    if element is None and expected:
        raise Malformed(NO_PRINCIPAL, why="it has neither Principal nor NotPrincipal")
    if element is not None and not expected:
        raise Malformed(PRINCIPAL_NOT_ALLOWED, why=f"it has {element}: such a policy is about whom it is attached to")
    return None if element is None else principals.parse(element, data[element])


def _actions(data: Mapping[str, Any], *, optional: bool) -> Patterns:
    element = _one_of(data, "Action", "NotAction")
    values = _texts(data, element)
    if not values and not (element is None and optional):
        raise Malformed(NO_ACTIONS, why="it has neither Action nor NotAction, or an empty one")
    for value in values:
        if not _ACTION.fullmatch(value):
            raise Malformed(NO_VENDOR, why=f"{element} has {value!r}")
    test = matches_any([value.lower() for value in values], variables=False)
    return Patterns(element or "Action", values, test, element == "NotAction")


def _resources(data: Mapping[str, Any], *, optional: bool, variables: bool) -> Patterns | None:
    element = _one_of(data, "Resource", "NotResource")
    if element is None and optional:
        return None
    values = _texts(data, element)
    if element is None or not values:
        raise Malformed(NO_RESOURCES, why="it has neither Resource nor NotResource, or an empty one")
    for value in values:
        if not _RESOURCE.fullmatch(value):
            raise Malformed(f'Resource {value} must be in ARN format or "*".', why=f"{element} has {value!r}")
    return Patterns(element, values, matches_any(values, variables=variables), element == "NotResource")


def _one_of(data: Mapping[str, Any], element: str, negation: str) -> str | None:
    if element in data and negation in data:
        raise Malformed(why=f"it has both {element} and {negation}")
    return next((name for name in (element, negation) if name in data), None)


def _texts(data: Mapping[str, Any], element: str | None) -> tuple[str, ...]:
    if element is None:
        return ()
    given = data[element]
    texts: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    for text in texts:
        if not isinstance(text, str):
            raise Malformed(why=f"{element} has {text!r}, which is not a text")
    return tuple(texts)
