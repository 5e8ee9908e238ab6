"""Policy documents: read, checked and prepared once, to be asked many times."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_kms.iam import statement
from pytest_kms.iam.errors import Malformed, NotUnderstood
from pytest_kms.iam.statement import Statement

if TYPE_CHECKING:
    from pytest_kms.iam.context import Context
    from pytest_kms.iam.principals import Caller, Named

KEY_POLICY = "key policy"
IDENTITY_POLICY = "identity policy"
PERMISSIONS_BOUNDARY = "permissions boundary"
SESSION_POLICY = "session policy"

WITH_VARIABLES = "2012-10-17"
WITHOUT_VARIABLES = "2008-10-17"

SIDS_NOT_UNIQUE = "Statement IDs (SID) in a single policy must be unique."
SID_NOT_ALPHANUMERIC = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)

_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_SID = re.compile(r"[0-9A-Za-z]*")


@dataclass(frozen=True, slots=True)
class Document:
    """A policy: of a key, of an identity, of a session, or a permissions boundary; `name` is for reports.

    `remembered` is for who asks: what was decided about a request that no condition has a say in.
    """

    kind: str
    name: str
    version: str
    id: str
    statements: tuple[Statement, ...]
    _about: dict[tuple[str, Caller], tuple[tuple[Statement, Named], ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    remembered: dict[Hashable, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    def about(self, action: str, caller: Caller, context: Context) -> tuple[tuple[Statement, Named], ...]:
        """Return the statements about an action that name a caller, and how: the same in any context, so found once."""
        found = self._about.get((action, caller))
        if found is None:
            speaking = [each for each in self.statements if each.actions.cover(action.lower(), context)]
            named = [(each, each.named(caller)) for each in speaking]
            found = self._about[action, caller] = tuple([(each, how) for each, how in named if how])
        return found

    def __str__(self) -> str:
        """Name it, for reports."""
        return f"{self.kind} {self.name!r}" if self.name else f"the {self.kind}"


def parse(policy: str | Mapping[str, Any], kind: str, *, name: str = "") -> Document:
    """Read a policy document, given as JSON or as what JSON would be.

    `kind` is KEY_POLICY, whose statements have principals, or IDENTITY_POLICY, PERMISSIONS_BOUNDARY or
    SESSION_POLICY, whose have none. Raises Malformed where AWS would refuse the document, and UnknownOperator or
    BadOperand where it has a condition of which the meaning is not known.
    """
    data = _load(policy) if isinstance(policy, str) else policy
    if not isinstance(data, Mapping):
        raise Malformed(why="the policy is not an object")
    for element in data:
        if element not in _ELEMENTS:
            raise Malformed(why=f"the policy has the element {element!r}; it may have Version, Id and Statement")
    version = data.get("Version", WITHOUT_VARIABLES)
    if version not in (WITH_VARIABLES, WITHOUT_VARIABLES):
        raise Malformed(why=f"Version is {version!r}; there are {WITHOUT_VARIABLES} and {WITH_VARIABLES}")
    if not isinstance(data.get("Id", ""), str):
        raise Malformed(why=f"Id is {data['Id']!r}, which is not a text")
    statements = _statements(data, resource_based=kind == KEY_POLICY, variables=version == WITH_VARIABLES)
    if kind != KEY_POLICY:
        _check_sids(statements)
    return Document(kind, name, version, data.get("Id", ""), statements)


def _load(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(why=f"the policy is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; where a member stands twice, one of them would be lost."""
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise Malformed(why=f"{twice[0]!r} stands more than once in one object")
    return dict(pairs)


def _constant(name: str) -> None:
    raise Malformed(why=f"the policy is not JSON: {name}")


def _statements(data: Mapping[str, Any], *, resource_based: bool, variables: bool) -> tuple[Statement, ...]:
    given = data.get("Statement", ())
    listed = given if isinstance(given, (list, tuple)) else [given]
    if not listed:
        raise Malformed(why="the policy has no statement")
    return tuple(
        _statement(number, each, resource_based=resource_based, variables=variables)
        for number, each in enumerate(listed, start=1)
    )


def _statement(number: int, data: Any, *, resource_based: bool, variables: bool) -> Statement:
    try:
        return statement.parse(number, data, resource_based=resource_based, variables=variables)
    except (Malformed, NotUnderstood) as error:
        raise error.at(f"statement {number}") from None


def _check_sids(statements: tuple[Statement, ...]) -> None:
    """Identity policies are strict about Sids; key policies are not, AWS's own have some twice."""
    sids = [each.sid for each in statements if each.sid]
    for sid in sids:
        if not _SID.fullmatch(sid):
            raise Malformed(SID_NOT_ALPHANUMERIC, why=f"one is {sid!r}")
        if sids.count(sid) > 1:
            raise Malformed(SIDS_NOT_UNIQUE, why=f"{sid!r} stands more than once")
