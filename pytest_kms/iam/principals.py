"""Who calls, and whom a statement names: accounts, users, roles, their sessions, AWS services, everybody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pytest_kms.errors import UsageError
from pytest_kms.iam.errors import Malformed

NO_PRINCIPAL = "Policy contains a statement with no principal."
INVALID_PRINCIPALS = "Policy contains a statement with one or more invalid principals."

ANYBODY = "*"

_NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
_PATH = r"(?:[!-)+->@-~]+/)?"  # all of ASCII that can be seen, but * and ?
_ARN = re.compile(
    r"(arn:aws(?:-[a-z]+)*:)"
    rf"(?:iam::([0-9]{{12}}):(?:(root)|(user/{_PATH}{_NAME})|(role/{_PATH}{_NAME}))"
    rf"|sts::([0-9]{{12}}):(?:(assumed-role/({_NAME})/{_NAME})|(federated-user/{_NAME})))"
)
_ACCOUNT = r"[0-9]{12}"
_HOST = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_PROVIDER = r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:(?:saml|oidc)-provider/[A-Za-z0-9_.:/-]+"


class Named(IntEnum):
    """How a statement names the caller, the strongest last: who names him directly needs nobody else's consent."""

    ACCOUNT = 1
    ROLE = 2
    DIRECTLY = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request.

    `arn` is written as AWS writes it in its answers, `account` is empty for services and for nobody in particular,
    `type` is the value of aws:PrincipalType (`Service` for AWS services), and `names` are those by which a
    statement may name the caller, with how that is to be understood.
    """

    arn: str
    account: str
    type: str
    names: tuple[tuple[str, Named], ...]

    def __hash__(self) -> int:
        return hash(self.arn)

    @property
    def is_root(self) -> bool:
        """Tell whether it is the root user of its account, who needs no identity policies."""
        return self.type == "Account"


ANONYMOUS = Caller("anonymous", "", "Anonymous", ())


def caller(arn: str, *, role: str = "") -> Caller:
    """Return the caller that an ARN names: a user, the root user, the session of a role, a federated user.

    A session's ARN lacks the path of its role: for a role with a path, `role` is its ARN.
    """
    found = _ARN.fullmatch(arn)
    if found is None or found[5]:
        raise UsageError(f"{arn!r} cannot call: that does a user, the root user, a role's session or a federated user")
    account = found[2] or found[6]
    itself, by_account = (arn, Named.DIRECTLY), (account, Named.ACCOUNT)
    if found[3]:
        return Caller(arn, account, "Account", ((account, Named.DIRECTLY),))
    if found[4]:
        return Caller(arn, account, "User", (itself, by_account))
    if found[9]:
        return Caller(arn, account, "FederatedUser", (itself, by_account))
    by_role = (role or f"{found[1]}iam::{account}:role/{found[8]}", Named.ROLE)
    return Caller(arn, account, "AssumedRole", (itself, by_role, by_account))


def service(name: str) -> Caller:
    """Return an AWS service that calls for itself, such as `logs.us-east-1.amazonaws.com`."""
    return Caller(name, "", "Service", ((name, Named.DIRECTLY),))


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element, the values as the policy writes them.

    Federated and canonical users stand in policies of other services; none of them calls here.
    """

    element: str
    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_users: tuple[str, ...] = ()
    names: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def named(self, caller: Caller, *, deny: bool) -> Named | None:
        """Tell how the element names the caller; None where it does not.

        NotPrincipal spares in a Deny only whom it lists by all of his names, the account among them; in an Allow
        it lets in only whom it lists by none.
        """
        if self.element == "NotPrincipal":
            return None if self._excepts(caller, deny=deny) else Named.DIRECTLY
        if ANYBODY in self.names:
            return Named.DIRECTLY
        for name, named in caller.names:
            if name in self.names:
                return named
        return None

    def _excepts(self, caller: Caller, *, deny: bool) -> bool:
        if ANYBODY in self.names:
            return True
        listed = [name in self.names for name, _ in caller.names]
        return bool(listed) and (all(listed) if deny else any(listed))

    def __str__(self) -> str:
        """Write the element on one line."""
        listed = [*self.aws, *self.services, *self.federated, *self.canonical_users]
        return f"{self.element} {', '.join(listed)}"


_KINDS = {
    "AWS": ("aws", re.compile(rf"\*|{_ACCOUNT}|{_ARN.pattern}")),
    "Service": ("services", re.compile(_HOST)),
    "Federated": ("federated", re.compile(rf"{_HOST}|{_PROVIDER}")),
    "CanonicalUser": ("canonical_users", re.compile(r"[0-9a-f]{64}")),
}


def parse(element: str, value: Any) -> Principals:
    """Read a Principal or NotPrincipal element; raises Malformed, with AWS's sentences."""
    if value == ANYBODY:
        value = {"AWS": ANYBODY}
    if not isinstance(value, dict):
        raise Malformed(INVALID_PRINCIPALS, why=f"{element} is {value!r}, which is neither '*' nor an object")
    lists = dict(_list(element, kind, names) for kind, names in value.items())
    if not any(lists.values()):
        raise Malformed(NO_PRINCIPAL, why=f"{element} is empty")
    called = (*lists.get("aws", ()), *lists.get("services", ()))
    return Principals(element, **lists, names=frozenset(map(_account_or_name, called)))


def _list(element: str, kind: str, names: Any) -> tuple[str, tuple[str, ...]]:
    if kind not in _KINDS:
        raise Malformed(INVALID_PRINCIPALS, why=f"{element} has {kind!r}; there are {', '.join(_KINDS)}")
    attribute, form = _KINDS[kind]
    listed = tuple(names) if isinstance(names, (list, tuple)) else (names,)
    for name in listed:
        if not isinstance(name, str) or not form.fullmatch(name):
            raise Malformed(INVALID_PRINCIPALS, why=f"{element} has {name!r}, which is no principal of kind {kind}")
    return attribute, listed


def _account_or_name(name: str) -> str:
    """Return what a caller is known by: an account, whose root ARN means the same, by its number."""
    found = _ARN.fullmatch(name)
    return found[2] if found and found[3] else name
