"""Who plays in these tests: callers, a key, and requests."""

from __future__ import annotations

from typing import Any

from pytest_kms.iam import document, principals
from pytest_kms.iam.context import Value
from pytest_kms.iam.document import IDENTITY_POLICY, KEY_POLICY, Document
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.principals import Caller

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
ALICE_ARN = f"arn:aws:iam::{ACCOUNT}:user/Alice"
BOB_ARN = f"arn:aws:iam::{ACCOUNT}:user/Bob"
APP_ARN = f"arn:aws:iam::{ACCOUNT}:role/App"
APP_SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/i-1"
FEDERATED_ARN = f"arn:aws:sts::{ACCOUNT}:federated-user/Fred"
STRANGER_ARN = f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/Guest/s-1"
STRANGER_ROOT_ARN = f"arn:aws:iam::{OTHER_ACCOUNT}:root"
LOGS_NAME = "logs.us-east-1.amazonaws.com"

ROOT = principals.caller(ROOT_ARN)
ALICE = principals.caller(ALICE_ARN)
APP = principals.caller(APP_SESSION_ARN)
FEDERATED = principals.caller(FEDERATED_ARN)
STRANGER = principals.caller(STRANGER_ARN)
STRANGER_ROOT = principals.caller(STRANGER_ROOT_ARN)
LOGS = principals.service(LOGS_NAME)


class Facts(dict[str, Value]):
    """The condition keys of a request; all of `kms:` and `aws:` are known, but those that are called unknown."""

    def known(self, key: str, /) -> bool:
        """Tell whether the tests have an answer for a key."""
        return key.startswith(("kms:", "aws:")) and "unknown" not in key


def request(caller: Caller = ALICE, action: str = "kms:Encrypt", resource: str = KEY, **values: Value) -> Request:
    """Ask for something; `kms_viaservice="x"` gives the condition key kms:ViaService a value."""
    return Request(caller, action, resource, Facts({name.replace("_", ":"): value for name, value in values.items()}))


def allow(
    principal: Any = None, action: Any = "kms:Encrypt", condition: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Write a statement that allows an action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", **more}
    if principal is not None:
        statement["Principal"] = principal
    if condition is not None:
        statement["Condition"] = condition
    return statement


def deny(
    principal: Any = None, action: Any = "kms:Encrypt", condition: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Write a statement that denies an action."""
    return {**allow(principal, action, condition), "Effect": "Deny", **more}


def by(arn: str) -> dict[str, str]:
    """Write a Principal element."""
    return {"AWS": arn}


def key_policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Document:
    """Write a key policy."""
    return document.parse({"Version": version, "Statement": list(statements)}, KEY_POLICY)


def identity_policy(
    *statements: dict[str, Any], kind: str = IDENTITY_POLICY, name: str = "", version: str = "2012-10-17"
) -> Document:
    """Write a policy that is attached to a principal."""
    return document.parse({"Version": version, "Statement": list(statements)}, kind, name=name)


DEFAULT_POLICY = key_policy(allow(by(ROOT_ARN), "kms:*", Sid="Enable IAM User Permissions"))
