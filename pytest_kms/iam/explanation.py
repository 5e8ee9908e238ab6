"""Why a request was allowed or denied, in words for the report of a failing test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.iam.combine import IDENTITY, RESOURCE
from pytest_kms.iam.evaluate import ALLOWED, EXPLICIT_DENY
from pytest_kms.iam.statement import ALLOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.iam.combine import Decision
    from pytest_kms.iam.evaluate import Verdict

_SHOWN = 3


def explain(decision: Decision) -> str:
    """Tell which statements decided; where one is missing, which ones come near. One thought a line."""
    if decision.allowed:
        return _allowed(decision)
    if decision.explicit:
        return "\n".join(_denials(decision))
    return "\n".join([_missing(decision), *_hints(decision), *_near_misses(decision)])


def _allowed(decision: Decision) -> str:
    asked = [verdict for kind in decision.needed for verdict in decision.verdicts[kind]]
    allowing = [_statements(verdict) for verdict in asked if verdict.decision == ALLOWED]
    if decision.grant:
        allowing.insert(0, "a grant")
    return f"allowed by {', and '.join(allowing)}" if allowing else "allowed to the root user of the account"


def _denials(decision: Decision) -> Iterator[str]:
    for verdict in decision.verdicts[decision.denied_by]:
        if verdict.decision == EXPLICIT_DENY:
            for statement in verdict.statements:
                held = "; ".join(trace.text for trace in statement.traces(decision.request.context))
                yield f"{statement} of {verdict.document} denies it" + (f": {held}" if held else "")


def _missing(decision: Decision) -> str:
    caller, action = decision.request.caller.arn, decision.request.action
    said = decision.verdicts[decision.denied_by]
    if decision.denied_by == RESOURCE:
        return f"{said[0].document} does not allow {action} to {caller}"
    if decision.denied_by != IDENTITY:
        limits = " and ".join(str(verdict.document) for verdict in said)
        return f"{limits} of {caller} {'does' if len(said) == 1 else 'do'} not allow {action}"
    lacking = f"no identity policy of {caller} allows {action}" if said else f"{caller} has no identity policies"
    return f"{lacking}{_why_identity_policies_are_asked(decision)}"


def _why_identity_policies_are_asked(decision: Decision) -> str:
    if decision.cross_account:
        return ", which a resource of another account needs as well"
    leaving = [_statements(verdict) for verdict in decision.verdicts[RESOURCE] if verdict.statements]
    if decision.grant:
        leaving.append("a grant to the account")
    return f"; {', and '.join(leaving)} leaves it to them" if leaving else ""


def _hints(decision: Decision) -> Iterator[str]:
    if decision.denied_by != RESOURCE or decision.cross_account:
        return
    for verdict in decision.verdicts[IDENTITY]:
        if verdict.decision == ALLOWED:
            yield f"in vain: {_statements(verdict)} allows it, but the key policy does not let identity policies decide"


def _near_misses(decision: Decision) -> Iterator[str]:
    missed = [
        (miss, verdict.document)
        for verdict in decision.verdicts[decision.denied_by]
        for miss in verdict.near_misses()
        if miss.statement.effect == ALLOW
    ]
    missed.sort(key=lambda found: found[0].distance)
    for miss, document in missed[:_SHOWN]:
        yield f"nearly: {miss.statement} of {document}: {miss.why}"
    if len(missed) > _SHOWN:
        yield f"nearly: {len(missed) - _SHOWN} more"


def _statements(verdict: Verdict) -> str:
    return f"{', '.join(map(str, verdict.statements))} of {verdict.document}"
