"""What all policies together say to a request, and in which words AWS says no.

The key policy comes first. An explicit deny anywhere wins. Whom the key policy names directly needs nothing else;
whom it names by his role is limited by his permissions boundary and session policies; if it names his account, his
identity policies decide within the same limits. A caller of another account needs the consent of both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_kms.iam.evaluate import ALLOWED, EXPLICIT_DENY, decide
from pytest_kms.iam.principals import Named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kms.iam.document import Document
    from pytest_kms.iam.evaluate import Request, Verdict

# AWS's words for the kinds of policy, in the order in which they are asked.
RESOURCE = "resource-based policy"
IDENTITY = "identity-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"

HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based"
    " policy explicitly denies access"
)

# Who must consent besides, by how the key policy or a grant names the caller.
_OTHERS = {
    Named.DIRECTLY: (),
    Named.ROLE: (BOUNDARY, SESSION),
    Named.ACCOUNT: (IDENTITY, BOUNDARY, SESSION),
}


class Policies(NamedTuple):
    """All policies that have a say.

    `key` is None where an action is on no key: identity policies decide. A caller without permissions boundary or
    session policies is not limited by them, one without identity policies is allowed nothing by them.
    """

    key: Document | None = None
    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] = ()


class Decision(NamedTuple):
    """Whether a request is allowed; if not, `denied_by` is the kind of policy that AWS names in its answer.

    `explicit` tells a Deny from a missing Allow; `verdicts` are what each document said, by kind of policy, and
    `needed` the kinds that had to allow it.
    """

    request: Request
    verdicts: Mapping[str, tuple[Verdict, ...]]
    cross_account: bool
    needed: tuple[str, ...] = ()
    grant: Named | None = None
    denied_by: str = ""
    explicit: bool = False

    @property
    def allowed(self) -> bool:
        """Tell whether the request may go on."""
        return not self.denied_by

    @property
    def unconditional(self) -> bool:
        """Tell whether the answer is the same whatever else a request says."""
        return all(verdict.unconditional for said in self.verdicts.values() for verdict in said)

    def reason(self, *, hidden: bool = False) -> str:
        """Return the end of AWS's sentence: `because no identity-based policy allows the kms:Encrypt action`.

        Where it is about a resource of another account, or `hidden`, AWS does not say whether there is one.
        """
        if self.denied_by == RESOURCE and (hidden or self.cross_account):
            return HIDDEN
        if self.explicit:
            article = "an" if self.denied_by == IDENTITY else "a"
            return f"with an explicit deny in {article} {self.denied_by}"
        return f"because no {self.denied_by} allows the {self.request.action} action"

    def message(self, *, unnamed: str = "") -> str:
        """Return AWS's sentence.

        `unnamed` is what to call the resource where the request did not name it: AWS does not name it either, and
        hides whether it is there.
        """
        if self.cross_account:
            unnamed = unnamed or "this resource"
        which = unnamed or f"resource: {self.request.resource}"
        reason = self.reason(hidden=bool(unnamed))
        return (
            f"User: {self.request.caller.arn} is not authorized to perform: {self.request.action} on {which} {reason}"
        )


def combine(request: Request, policies: Policies, *, grant: Named | None = None) -> Decision:
    """Ask all policies. `grant` is how a grant on the key names the caller, if one allows the request.

    Raises UnknownConditionKey as `decide` does.
    """
    key, identity, boundary, session = policies
    verdicts = {
        RESOURCE: () if key is None else (decide(key, request),),
        IDENTITY: tuple([decide(document, request) for document in identity]),
        BOUNDARY: () if boundary is None else (decide(boundary, request),),
        SESSION: tuple([decide(document, request) for document in session]),
    }
    cross_account = _is_cross_account(request)
    needed = _needed(request, verdicts, grant, cross_account=cross_account)
    denied_by, explicit = _denial(verdicts, needed, grant)
    return Decision(request, verdicts, cross_account, needed, grant, denied_by, explicit)


def _denial(
    verdicts: Mapping[str, tuple[Verdict, ...]], needed: tuple[str, ...], grant: Named | None
) -> tuple[str, bool]:
    """Tell which kind of policy denies it, if any does, and whether by a Deny."""
    for kind, said in verdicts.items():
        for verdict in said:
            if verdict.decision == EXPLICIT_DENY:
                return kind, True
    for kind in needed:
        if not _consents(kind, verdicts[kind], grant):
            return kind, False
    return "", False


def _is_cross_account(request: Request) -> bool:
    """Tell whether the resource is another account's than the caller's; AWS services have none."""
    parts = request.resource.split(":")
    owner = parts[4] if len(parts) > 5 else ""
    return bool(owner and request.caller.account) and owner != request.caller.account


def _needed(
    request: Request, verdicts: Mapping[str, tuple[Verdict, ...]], grant: Named | None, *, cross_account: bool
) -> tuple[str, ...]:
    """Return the kinds of policy that must allow it: the resource's side first, then the caller's."""
    by_key = _allowing(verdicts[RESOURCE])
    resource = (RESOURCE,) if verdicts[RESOURCE] else ()
    if request.caller.is_root:
        return resource
    # Recorded: a grant to a session of another account that the key policy lets in as well asks nobody else.
    if cross_account and not (by_key and grant is Named.DIRECTLY):
        return (*resource, *_OTHERS[Named.ACCOUNT])
    return (*resource, *_OTHERS[max(by_key or Named.ACCOUNT, grant or Named.ACCOUNT)])


def _consents(kind: str, verdicts: tuple[Verdict, ...], grant: Named | None) -> bool:
    for verdict in verdicts:
        if verdict.decision == ALLOWED:
            return True
    if kind == RESOURCE:
        return grant is not None
    return kind in (BOUNDARY, SESSION) and not verdicts


def _allowing(verdicts: tuple[Verdict, ...]) -> Named | None:
    return max((verdict.named for verdict in verdicts if verdict.named), default=None)
