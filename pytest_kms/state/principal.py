"""Who calls KMS: IAM users, sessions of roles, federated users, root users, and AWS services."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.errors import UsageError
from pytest_kms.iam import principals
from pytest_kms.iam.combine import Policies
from pytest_kms.iam.document import IDENTITY_POLICY, PERMISSIONS_BOUNDARY, SESSION_POLICY, Document, parse
from pytest_kms.iam.errors import Malformed, NotUnderstood

if TYPE_CHECKING:
    import datetime as dt
    from typing import TypeAlias

    from pytest_kms.iam.context import Value
    from pytest_kms.iam.principals import Caller

    Policy: TypeAlias = str | Mapping[str, Any]

ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""The identity policy of the default principal."""

_NAME = re.compile(r"(?:(user|role)/(?:[\w+=,.@-]+/)*|(federated-user)/)([\w+=,.@-]+)|root")
_DEFAULT_SESSION = "pytest-kms"
_TEMPORARY = "ASIA"
SECRET_KEY = "pytest-kms"  # noqa: S105  # signs requests that never leave the process


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """An IAM identity, as it calls KMS: `kms.principal` and `kms.service` make them.

    `arn` is the caller in AWS's answers and in CloudTrail, `principal_arn` the identity behind it (the role of a
    session); `type` is the value of aws:PrincipalType; `issued` tells since when a session has its credentials.
    `via` is the AWS service that calls KMS for the identity; `source_arn` and `source_account` tell for which resource
    a service calls. `context` holds condition keys that the test gave, by names in lower case. `unlimited` says that
    its identity policy allows everything, and that nothing limits it.
    """

    arn: str
    account: str
    type: str
    caller: Caller = field(repr=False)
    principal_arn: str = ""
    user_id: str = ""
    user_name: str | None = None
    session_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies, repr=False)
    context: Mapping[str, Any] = field(default_factory=dict)
    access_key: str = ""
    issued: dt.datetime | None = None
    via: str | None = None
    source_arn: str | None = None
    source_account: str | None = None
    unlimited: bool = False

    @property
    def is_service(self) -> bool:
        """Whether this is an AWS service that calls for itself."""
        return self.type == "Service"

    def arn_by(self, unique_id: str) -> str | None:
        """Return the ARN that a unique id stands for: of this user or role, or of any session of it; else None."""
        identity, _, session = unique_id.partition(":")
        if identity != self.user_id.partition(":")[0] or (session and self.session_name is None):
            return None
        return f"{self.arn.rpartition('/')[0]}/{session}" if session else self.principal_arn

    @property
    def credentials(self) -> dict[str, str]:
        """What boto3 needs to call as this principal: `boto3.client("kms", **principal.credentials)`."""
        given = {"aws_access_key_id": self.access_key, "aws_secret_access_key": SECRET_KEY}
        return given | ({"aws_session_token": SECRET_KEY} if self.access_key.startswith(_TEMPORARY) else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a test says of a principal: see `kms.principal`."""

    name: str
    account: str
    region: str
    policy: Policy | Sequence[Policy] | None = None
    boundary: Policy | None = None
    session_policy: Policy | Sequence[Policy] | None = None
    session: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    def principal(self, access_key: str, unique: str, now: dt.datetime | None = None) -> Principal:
        """Make the principal. `unique` is what AWS's unique ids end with, `now` when it gets its credentials.

        Raises:
            UsageError: a name or a policy is none that AWS would take.

        """
        named = _NAME.fullmatch(self.name)
        if named is None:
            raise UsageError(f"{self.name!r} is no principal; say user/NAME, role/NAME, federated-user/NAME or root")
        kind, name = named[1] or named[2] or "root", named[3] or "root"
        self._expect_fit_for(kind)
        arn, behind = self._arns(kind, name)
        return Principal(
            arn=arn,
            account=self.account,
            type=_TYPES[kind],
            caller=principals.caller(arn, role=behind if kind == "role" else ""),
            principal_arn=behind,
            user_id=self._user_id(kind, name, unique),
            user_name=name if kind == "user" else None,
            session_name=self._session if kind == "role" else None,
            tags=dict(self.tags),
            policies=Policies(
                identity=_documents(self.policy, IDENTITY_POLICY, self.name),
                boundary=None if self.boundary is None else _document(self.boundary, PERMISSIONS_BOUNDARY, self.name),
                session=_documents(self.session_policy, SESSION_POLICY, self.name),
            ),
            context={key.lower(): _as_context(key, value) for key, value in self.context.items()},
            access_key=access_key,
            issued=now if self.key_prefix == _TEMPORARY else None,
            unlimited=self.policy is ADMINISTRATOR and self.boundary is None and self.session_policy is None,
        )

    def _expect_fit_for(self, kind: str) -> None:
        """Refuse what AWS has for other kinds of identities alone."""
        for what in ("policy", "boundary", "session_policy", "session", "tags"):
            if getattr(self, what) and what not in _TAKES[kind]:
                takes = ", ".join(_TAKES[kind]) or "nothing: no IAM policy limits or helps the root user"
                raise UsageError(f"{self.name} can have no {what}; it takes {takes}")
        if kind == "federated-user" and self.policy and not self.session_policy:
            raise UsageError(
                f"{self.name} may do nothing by its policy alone: AWS lets a federated user do what the policies of"
                " his maker and his session policies both allow; give session_policy, too"
            )

    @property
    def key_prefix(self) -> str:
        """How its access keys begin: those of sessions are temporary."""
        return "AKIA" if self.name.startswith(("user/", "root")) else _TEMPORARY

    @property
    def _session(self) -> str:
        return self.session or _DEFAULT_SESSION

    def _arns(self, kind: str, name: str) -> tuple[str, str]:
        """Return the ARN of the caller, and of the identity behind it."""
        itself = arns.of_principal(self.region, self.account, self.name)
        if kind == "role":
            return arns.of_session(self.region, self.account, f"assumed-role/{name}/{self._session}"), itself
        if kind == "federated-user":
            federated = arns.of_session(self.region, self.account, f"federated-user/{name}")
            return federated, federated
        return itself, itself

    def _user_id(self, kind: str, name: str, unique: str) -> str:
        ids = {
            "user": f"AIDA{unique}",
            "role": f"AROA{unique}:{self._session}",
            "federated-user": f"{self.account}:{name}",
            "root": self.account,
        }
        return ids[kind]


@cache
def default_principal(region: str, account: str) -> Principal:
    """Return the caller of every request whose access key nobody was given: an administrator of the account."""
    identity = Identity(name="user/tester", account=account, region=region, policy=ADMINISTRATOR)
    return identity.principal(access_key="", unique="PYTESTKMSTESTER00")


_TYPES = {"user": "User", "role": "AssumedRole", "federated-user": "FederatedUser", "root": "Account"}

# What AWS knows of each kind of identity.
_TAKES = {
    "user": ("policy", "boundary", "tags"),
    "role": ("policy", "boundary", "session_policy", "session", "tags"),
    "federated-user": ("policy", "boundary", "session_policy", "tags"),
    "root": (),
}


def service_principal(name: str, access_key: str, *, source_arn: str | None) -> Principal:
    """Make an AWS service that calls KMS on its own account, such as `logs.us-east-1.amazonaws.com`."""
    return Principal(
        arn=name,
        account="",
        type="Service",
        caller=principals.service(name),
        access_key=access_key,
        source_arn=source_arn,
        source_account=account_of(source_arn),
    )


def account_of(arn: str | None) -> str | None:
    """Return the account that an ARN of any service names, if it names one: that of an S3 bucket does not."""
    return arn.split(":")[4] or None if arn and arn.count(":") >= 5 else None


def _as_context(key: str, value: Any) -> Value:
    """Return the value of a condition key as conditions compare it."""
    if isinstance(value, list):
        return [_as_text(key, one) for one in value]
    return _as_text(key, value)


def _as_text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int)):
        return str(value)
    raise UsageError(f"{key} is a text, a number, true or false, or a list of these, not {value!r}")


def _documents(given: Policy | Sequence[Policy] | None, kind: str, name: str) -> tuple[Document, ...]:
    if given is None:
        return ()
    policies = [given] if isinstance(given, (str, Mapping)) else given
    return tuple(_document(policy, kind, name) for policy in policies)


def _document(policy: Policy, kind: str, name: str) -> Document:
    try:
        return parse(policy, kind, name=name)
    except Malformed as error:
        raise UsageError(f"the {kind} of {name} is none: {error}") from None
    except NotUnderstood as error:
        raise UsageError(f"the {kind} of {name} cannot be evaluated: {error}") from None
