"""Who called, as CloudTrail tells it: `userIdentity`, and where the call came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms.state.cloudtrail import spelling

if TYPE_CHECKING:
    from pytest_kms.state.principal import Principal

AWS_INTERNAL = "AWS Internal"
"""Who does what KMS does by itself, in the words of CloudTrail."""
KMS = "kms.amazonaws.com"

ADDRESS = "192.0.2.1"
"""Where calls come from if the test says nothing: an address for documentation (RFC 5737), which nobody has."""
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
"""The access key of callers whom the test gave none: the one of AWS's documentation."""

_TYPES = {"User": "IAMUser", "Account": "Root", "AssumedRole": "AssumedRole", "FederatedUser": "FederatedUser"}


def of(principal: Principal) -> dict[str, Any]:
    """Tell who called, and which service for him."""
    if principal.is_service:
        return {"type": "AWSService", "invokedBy": principal.arn}
    told: dict[str, Any] = {
        "type": _TYPES[principal.type],
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": principal.access_key or ACCESS_KEY,
    }
    if principal.user_name is not None:
        told["userName"] = principal.user_name
    if principal.issued is not None:
        told["sessionContext"] = _session(principal, spelling.moment(principal.issued))
    service = service_of(principal)
    return told if service is None else told | {"invokedBy": service}


def of_stranger(principal: Principal) -> dict[str, Any]:
    """Tell the owner of a key who of another account used it, without his name."""
    if principal.is_service:
        return of(principal)
    return {"type": "AWSAccount", "principalId": principal.user_id, "accountId": principal.account}


def service_of(principal: Principal) -> str | None:
    """Name the service that called, if one did; for somebody it does so without its Region: `s3.amazonaws.com`."""
    if principal.is_service:
        return principal.arn
    return None if principal.via is None else f"{principal.via.partition('.')[0]}.amazonaws.com"


def address(principal: Principal) -> str:
    """Tell where somebody calls from, in the internet or in his VPC."""
    return context(principal, "aws:sourceip") or context(principal, "aws:vpcsourceip") or ADDRESS


def context(principal: Principal, key: str) -> str | None:
    """Return what the test said of the caller's surroundings by a condition key; of several values the first."""
    value = principal.context.get(key)
    return value[0] if isinstance(value, list) else value


def _session(principal: Principal, issued: str) -> dict[str, Any]:
    """Tell about temporary credentials. Who issued those of a federated user is not known to the fake."""
    attributes = {
        "creationDate": issued,
        "mfaAuthenticated": context(principal, "aws:multifactorauthpresent") or "false",
    }
    if principal.session_name is None:
        return {"attributes": attributes}
    issuer = {
        "type": "Role",
        "principalId": principal.user_id.partition(":")[0],
        "arn": principal.principal_arn,
        "accountId": principal.account,
        "userName": principal.principal_arn.rpartition("/")[2],
    }
    return {"sessionIssuer": issuer, "attributes": attributes}
