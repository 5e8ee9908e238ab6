"""What one document says to a request: it allows, it denies, or it says nothing, which is to deny as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_kms.iam.errors import NotUnderstood
from pytest_kms.iam.statement import DENY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.iam.context import Context
    from pytest_kms.iam.document import Document
    from pytest_kms.iam.principals import Caller, Named
    from pytest_kms.iam.statement import Statement

# The words of iam:SimulatePrincipalPolicy.
ALLOWED = "allowed"
EXPLICIT_DENY = "explicitDeny"
IMPLICIT_DENY = "implicitDeny"

_FROM_NEAR_TO_FAR = ("Condition", "Principal", "Resource", "Action")


class Request(NamedTuple):
    """What is asked for: `action` such as `kms:Encrypt` on `resource`, an ARN, or `*` where there is none."""

    caller: Caller
    action: str
    resource: str
    context: Context


class Verdict(NamedTuple):
    """What a document says: ALLOWED, EXPLICIT_DENY or IMPLICIT_DENY.

    `statements` are those that say so, `named` is how the strongest of those that allow names the caller.
    """

    decision: str
    document: Document
    request: Request
    statements: tuple[Statement, ...] = ()
    named: Named | None = None

    @property
    def unconditional(self) -> bool:
        """Tell whether it says the same of this caller, action and resource in every context."""
        caller, action, _, context = self.request
        return all(statement.unconditional for statement, _ in self.document.about(action, caller, context))

    def near_misses(self) -> list[NearMiss]:
        """Return the statements that would say so but for one thing, those that lack a condition first."""
        missed = [miss for each in self.document.statements for miss in _near_miss(each, self.request)]
        return sorted(missed, key=lambda miss: miss.distance)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement that all but speaks of a request; `missing` is the element that fails, `why` tells how."""

    statement: Statement
    missing: str
    why: str

    @property
    def distance(self) -> int:
        """Tell how far off it is: a condition is nearest."""
        return _FROM_NEAR_TO_FAR.index(self.missing)


def decide(document: Document, request: Request) -> Verdict:
    """Ask one document. An explicit deny wins.

    Raises UnknownConditionKey where a statement about this caller, action and resource has a condition key that
    the context does not know, whatever the other statements say.
    """
    caller, action, resource, context = request
    denying, allowing, strongest = [], [], None
    for statement, named in document.about(action, caller, context):
        try:
            if not statement.has_resource(resource, context) or not statement.is_met(context):
                continue
        except NotUnderstood as error:
            raise error.at(f"{statement} of {document}") from None
        if statement.effect == DENY:
            denying.append(statement)
        else:
            allowing.append(statement)
            strongest = max(strongest or named, named)
    if denying:
        return Verdict(EXPLICIT_DENY, document, request, tuple(denying))
    return Verdict(ALLOWED if allowing else IMPLICIT_DENY, document, request, tuple(allowing), strongest)


def _near_miss(statement: Statement, request: Request) -> Iterator[NearMiss]:
    missing = list(_missing(statement, request))
    if len({miss.missing for miss in missing}) == 1:
        yield NearMiss(statement, missing[0].missing, "; ".join(miss.why for miss in missing))


def _missing(statement: Statement, request: Request) -> Iterator[NearMiss]:
    caller, context = request.caller, request.context
    if not statement.named(caller):
        yield NearMiss(statement, "Principal", f"{statement.principals} does not name {caller.arn}")
    if not statement.actions.cover(request.action.lower(), context):
        yield NearMiss(statement, "Action", f"{statement.actions} does not cover {request.action}")
    resource = _missing_resource(statement, request)
    if resource:
        yield NearMiss(statement, "Resource", resource)
    for trace in statement.traces(context):
        if not trace.held:
            yield NearMiss(statement, "Condition", trace.text)


def _missing_resource(statement: Statement, request: Request) -> str:
    if statement.resources is None:
        return "it has no Resource, so it has no effect"
    try:
        covered = statement.resources.cover(request.resource, request.context)
    except NotUnderstood as error:
        return f"{statement.resources}: {error.what}"
    return "" if covered else f"{statement.resources} does not cover {request.resource}"
