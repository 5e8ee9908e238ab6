"""What a client is answered, as the tests of the operations look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS


STATES = (
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)
"""All of AWS's key states."""
UNUSABLE = tuple(state for state in STATES if state not in ("Enabled", "Updating"))
"""Those in which a key cannot be used for cryptography."""

_SENTENCES = {
    "Disabled": "is disabled.",
    "PendingDeletion": "is pending deletion.",
    "PendingReplicaDeletion": "is pending replica deletion.",
    "PendingImport": "is pending import.",
    "Unavailable": "is unavailable.",
    "Creating": "is creating.",
    "Updating": "is updating.",
}


TESTER = "arn:aws:iam::123456789012:user/tester"
"""The default principal."""
UNKNOWN = "00000000-0000-4000-8000-000000000000"
"""The id of no key."""

_ARN = "arn:aws:kms:us-east-1:123456789012"
_NO_ALIASES = ("InvalidArnException", "Key Aliases are not supported for this operation.")

each_unfit_name = pytest.mark.parametrize(
    ("key_id", "code", "message"),
    [
        pytest.param(UNKNOWN, "NotFoundException", f"Key '{_ARN}:key/{UNKNOWN}' does not exist", id="unknown"),
        pytest.param("orders", "NotFoundException", "Invalid keyId 'orders'", id="malformed"),
        pytest.param("alias/orders", *_NO_ALIASES, id="alias"),
        pytest.param(f"{_ARN}:alias/orders", *_NO_ALIASES, id="alias ARN"),
    ],
)
"""Names of no key in us-east-1, and of `alias/orders`, for operations that take ids and key ARNs alone."""


def members_of(answer: Any) -> dict[str, Any]:
    """Leave out what botocore adds to an answer."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def error_of(client: KMSClient, method: str, **members: Any) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**members)
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


def is_allowed(call: Callable[[], object]) -> bool:
    """Say whether permission is given to a call; whatever else is wrong with it is raised."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def unfit(arn: str, state: str) -> dict[str, str]:
    """Return AWS's error for a key that is in no state for a call."""
    code = "DisabledException" if state == "Disabled" else "KMSInvalidStateException"
    return {"Code": code, "Message": f"{arn} {_SENTENCES[state]}"}


def not_allowed(action: str, arn: str) -> dict[str, str]:
    """Return AWS's error for what no policy of a key lets the default principal do."""
    return {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:{action} on resource: {arn}"
        f" because no resource-based policy allows the kms:{action} action",
    }


def closed(action: str) -> dict[str, str]:
    """Return AWS's error for a key of another account, whether it exists or not."""
    return {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:{action} on this resource because the resource"
        " does not exist in this Region, no resource-based policies allow access, or a resource-based policy"
        " explicitly denies access",
    }


def unchecked(kms: FakeKMS) -> KMSClient:
    """Return a client that sends whatever it is given."""
    return kms.client_for(config=Config(parameter_validation=False))


def invalid(*violations: str) -> dict[str, str]:
    """Return AWS's error for members that do not meet their constraints."""
    plural = "s" if len(violations) > 1 else ""
    return {
        "Code": "ValidationException",
        "Message": f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}",
    }
