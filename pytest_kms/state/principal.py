"""Who calls KMS: IAM users, sessions of roles, federated users, root users, and AWS services."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    from pytest_kms.iam.principals import Caller

    Given = str | Mapping[str, Any]

ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""The identity policy of the default principal."""

_NAME = re.compile(r"(user|role|federated-user)/(?:[\w+=,.@-]+/)*([\w+=,.@-]+)|root")
_DEFAULT_SESSION = "pytest-kms"


@dataclass(frozen=True, slots=True)
class Principal:
    """An IAM identity, as it calls KMS.

    `arn` is the caller in AWS's answers and in CloudTrail, `principal_arn` the identity behind it (the role of a
    session); `type` is the value of aws:PrincipalType. `via` is the AWS service that calls KMS for the identity;
    `source_arn` and `source_account` tell for which resource a service calls on its own account. `context` holds
    condition keys that the test gave, by names in lower case. `unlimited` says that its identity policy allows
    everything, and that nothing limits it.
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
    via: str | None = None
    source_arn: str | None = None
    source_account: str | None = None
    unlimited: bool = False

    @property
    def is_service(self) -> bool:
        """Whether this is an AWS service that calls for itself."""
        return self.type == "Service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a test says of a principal: see `kms.principal`."""

    name: str
    account: str
    region: str
    policy: Given | list[Given] | None = None
    boundary: Given | None = None
    session_policy: Given | list[Given] | None = None
    session: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    def principal(self, access_key: str, unique: str) -> Principal:
        """Make the principal. `unique` is what AWS's unique ids end with.

        Raises:
            UsageError: a name or a policy is none that AWS would take.

        """
        named = _NAME.fullmatch(self.name)
        if named is None:
            raise UsageError(f"{self.name!r} is no principal; say user/NAME, role/NAME, federated-user/NAME or root")
        kind, name = named[1] or "root", named[2] or "root"
        if self.session is not None and kind != "role":
            raise UsageError(f"{self.name} has no sessions: only a role has")
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
                boundary=next(iter(_documents(self.boundary, PERMISSIONS_BOUNDARY, self.name)), None),
                session=_documents(self.session_policy, SESSION_POLICY, self.name),
            ),
            context={key.lower(): value for key, value in self.context.items()},
            access_key=access_key,
            unlimited=self.policy is ADMINISTRATOR and self.boundary is None and self.session_policy is None,
        )

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


def service(name: str, access_key: str, *, source_arn: str | None, source_account: str | None) -> Principal:
    """Make an AWS service that calls KMS on its own account, such as `logs.us-east-1.amazonaws.com`."""
    return Principal(
        arn=name,
        account="",
        type="Service",
        caller=principals.service(name),
        access_key=access_key,
        source_arn=source_arn,
        source_account=source_account,
    )


def _documents(given: Given | list[Given] | None, kind: str, name: str) -> tuple[Document, ...]:
    policies = [] if given is None else given if isinstance(given, list) else [given]
    return tuple(_document(policy, kind, name) for policy in policies)


def _document(policy: Given, kind: str, name: str) -> Document:
    try:
        return parse(policy, kind, name=name)
    except Malformed as error:
        raise UsageError(f"the {kind} of {name} is none: {error}") from None
    except NotUnderstood as error:
        raise UsageError(f"the {kind} of {name} cannot be evaluated: {error}") from None
