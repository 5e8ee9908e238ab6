"""Grants: CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.crypto.specs import ENCRYPT_DECRYPT, GENERATE_VERIFY_MAC, KEY_AGREEMENT, SIGN_VERIFY
from pytest_kms.errors import InvalidArnException, LimitExceededException, NotFoundException, ValidationException
from pytest_kms.iam import principals
from pytest_kms.iam.errors import Malformed
from pytest_kms.operation import BEING_DELETED, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.service import input_shape
from pytest_kms.state import consistency
from pytest_kms.state import key as states
from pytest_kms.state.grant import (
    ENCRYPTION_CONTEXT_CONSTRAINTS,
    Grant,
    expect_grant_id,
    grant_of,
    new_grant_id,
)
from pytest_kms.state.quotas import GRANTS
from pytest_kms.targets import GrantToRetire, KeyId, hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_kms.errors import KMSError
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

PAGES = Pages(default=50, maximum=100)

# The order of AWS's messages.
_ON_EVERY_KEY = ("CreateGrant", "RetireGrant", "DescribeKey")
_SYMMETRIC = "a symmetric"
_ASYMMETRIC = "an asymmetric"
GRANTABLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    (_SYMMETRIC, ENCRYPT_DECRYPT): (
        *_ON_EVERY_KEY,
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    ),
    (_SYMMETRIC, GENERATE_VERIFY_MAC): (*_ON_EVERY_KEY, "GenerateMac", "VerifyMac"),
    (_ASYMMETRIC, ENCRYPT_DECRYPT): (
        *_ON_EVERY_KEY,
        "GetPublicKey",
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
    ),
    (_ASYMMETRIC, SIGN_VERIFY): (*_ON_EVERY_KEY, "GetPublicKey", "Sign", "Verify"),
    (_ASYMMETRIC, KEY_AGREEMENT): (*_ON_EVERY_KEY, "GetPublicKey", "DeriveSharedSecret"),
}
"""What a grant may allow on a key, by its kind and its usage (KMS Developer Guide, "Grant operations")."""

MAX_PAIRS = 8
MAX_VALUE = 384

_SERVICE_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_UNIQUE_ID = re.compile(r"A(ID|RO)A[A-Z0-9]+(:.+)?")


# AWS's sentences for what these rules refuse were not found, but for the one about CreateGrant alone.


def one_grantee(call: Call) -> None:
    """Refuse a grant for nobody, or for a principal and a service at once."""
    _expect_one_of(call, "GranteePrincipal", "GranteeServicePrincipal")


def one_retirer(call: Call) -> None:
    """Refuse a grant that both a principal and a service may retire."""
    _expect_not_both(call, "RetiringPrincipal", "RetiringServicePrincipal")


def service_grantee_is_bound(call: Call) -> None:
    """Refuse a grant for a service that does not say for which resource it is, or who may retire it."""
    members = call.input
    if "GranteeServicePrincipal" not in members:
        return
    if "SourceArn" not in members.get("Constraints", {}):
        raise ValidationException("A grant with a GranteeServicePrincipal must have a SourceArn constraint.")
    if "RetiringPrincipal" not in members and "RetiringServicePrincipal" not in members:
        raise ValidationException(
            "A grant with a GranteeServicePrincipal must have a RetiringPrincipal or a RetiringServicePrincipal."
        )


def more_than_create_grant(call: Call) -> None:
    """Refuse a grant that allows nothing, or nothing but to make further grants."""
    operations = set(call.input["Operations"])
    if not operations:
        raise ValidationException("Grants must contain at least one operation.")
    if operations == {"CreateGrant"}:
        raise ValidationException("Grants must not contain only the CreateGrant operation.")


def well_formed_constraints(call: Call) -> None:
    """Refuse constraints on the encryption context that exclude each other or are too long."""
    constraints = call.input.get("Constraints", {})
    given = [name for name in ENCRYPTION_CONTEXT_CONSTRAINTS if name in constraints]
    if len(given) > 1:
        raise ValidationException(f"Specify either {' or '.join(given)}, but not both.")
    for name in given:
        if len(constraints[name]) > MAX_PAIRS:
            raise ValidationException(f"{name} must have at most {MAX_PAIRS} encryption context pairs.")
        if any(len(value) > MAX_VALUE for value in constraints[name].values()):
            raise ValidationException(f"The values in {name} must have at most {MAX_VALUE} characters.")


def principals_of_grant(call: Call) -> None:
    """Refuse a grantee or a retirer that is no principal."""
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        _expect_principal(call, member, InvalidArnException(f"{member} does not refer to a valid principal."))


@operation(
    "CreateGrant",
    takes="KeyId GranteePrincipal GranteeServicePrincipal RetiringPrincipal RetiringServicePrincipal Operations"
    " Constraints Name DryRun",
    key=KeyId(),
    refused_in=BEING_DELETED | {states.DISABLED, states.PENDING_IMPORT, states.CREATING},
    rules=[
        one_grantee,
        one_retirer,
        service_grantee_is_bound,
        principals_of_grant,
        more_than_create_grant,
        well_formed_constraints,
    ],
    cross_account=True,
)
def create_grant(call: Call, key: Key) -> Answer:
    """Let somebody use a key. Asking again under the same name for the same answers the grant that there is."""
    members = call.input
    _expect_operations_of_key(key, members["Operations"])
    _expect_constraints_of_key(key, members.get("Constraints", {}))
    new = Grant(
        id=new_grant_id(call.world.random_bytes),
        key=key,
        name=members.get("Name"),
        created=call.world.now.replace(microsecond=0),
        issuing_account=arns.of_principal(call.region, call.account or key.account, "root"),
        operations=_in_order_of_aws(members["Operations"]),
        grantee=_principal_in(call, "GranteePrincipal"),
        grantee_service=members.get("GranteeServicePrincipal"),
        retiring=_principal_in(call, "RetiringPrincipal"),
        retiring_service=members.get("RetiringServicePrincipal"),
        constraints=members.get("Constraints") or None,
    )
    grant = next((old for old in key.grants.values() if new.repeats(old)), new)
    if grant is new:
        _expect_room_for_grant(key)
    if members.get("DryRun"):
        return {}
    if grant is new:
        key.grants[grant.id] = grant
        call.world.consistency.later(consistency.GRANTS, key, grant.id, before=None, what=f"grant {grant.id} was made")
    return {"GrantId": grant.id, "GrantToken": call.world.grant_tokens.new(grant)}


def one_filter_of_grantee(call: Call) -> None:
    """Refuse two grantees at once, and the filter that only services may use."""
    _expect_not_both(call, "GranteePrincipal", "GranteeServicePrincipal")
    _leave_to_services(call, "GranteeServicePrincipal")


def filters_of_grants(call: Call) -> None:
    """Refuse a grantee that is no principal, and an id that is none."""
    _expect_principal(call, "GranteePrincipal", InvalidArnException("Input does not refer to a valid principal"))
    if "GrantId" in call.input:
        expect_grant_id(call.input["GrantId"])


@operation(
    "ListGrants",
    takes="KeyId GrantId GranteePrincipal GranteeServicePrincipal Limit Marker",
    key=KeyId(),
    rules=[one_filter_of_grantee, filters_of_grants],
    pages=PAGES,
    cross_account=True,
)
def list_grants(call: Call, key: Key) -> Listing:
    """List the grants of a key: all, or those of an id, of a grantee."""
    grant_id, service = call.input.get("GrantId"), call.input.get("GranteeServicePrincipal")
    grantee = _principal_in(call, "GranteePrincipal")
    return _listing(
        key.find_grants(
            lambda grant: (
                grant_id in (None, grant.id)
                and grantee in (None, grant.grantee)
                and service in (None, grant.grantee_service)
            )
        )
    )


def one_retirer_asked_for(call: Call) -> None:
    """Refuse to list the grants of no retirer or of two, and the filter that only services may use."""
    _expect_one_of(call, "RetiringPrincipal", "RetiringServicePrincipal")
    _leave_to_services(call, "RetiringServicePrincipal")


def retirer_of_the_caller(call: Call) -> None:
    """Refuse a retirer that is no principal, or none of the caller's account."""
    given = call.input.get("RetiringPrincipal", "")
    _expect_principal(call, "RetiringPrincipal", NotFoundException(f"Retiring principal {given} could not be found"))
    principal = _principal_in(call, "RetiringPrincipal")
    if principal and f"::{call.account}:" not in principal:
        # AWS's answer was not found; that it authorises the call on the retirer is documented.
        raise hidden(call, "", why=f"{principal} is not of the caller's account {call.account}")


@operation(
    "ListRetirableGrants",
    takes="RetiringPrincipal RetiringServicePrincipal Limit Marker",
    rules=[one_retirer_asked_for, retirer_of_the_caller],
    pages=PAGES,
)
def list_retirable_grants(call: Call) -> Listing:
    """List the grants that a principal or a service may retire, on all accounts' keys in the Region that is called."""
    retirer = (_principal_in(call, "RetiringPrincipal"), call.input.get("RetiringServicePrincipal"))
    return _listing(
        grant
        for key in call.world.all_keys()
        if key.region == call.region
        for grant in key.find_grants(lambda grant: (grant.retiring, grant.retiring_service) == retirer)
    )


@operation("RetireGrant", takes="GrantToken KeyId GrantId DryRun", key=GrantToRetire(), cross_account=True)
def retire_grant(call: Call, grant: Grant) -> None:
    """Forget a grant that is no longer needed."""
    _forget(call, grant)


@operation("RevokeGrant", takes="KeyId GrantId DryRun", key=KeyId(), cross_account=True)
def revoke_grant(call: Call, key: Key) -> None:
    """Forget a grant that is no longer wanted."""
    _forget(call, grant_of(key, call.input["GrantId"]))


def _forget(call: Call, grant: Grant) -> None:
    if call.input.get("DryRun"):
        return
    if grant.key.grants.pop(grant.id, None) is None:
        # AWS's answer is not known where that is on its way and not seen yet.
        raise NotFoundException(f"Grant ID {grant.id} not found")
    done = "retired" if call.operation.name == "RetireGrant" else "revoked"
    call.world.consistency.later(
        consistency.GRANTS, grant.key, grant.id, before=grant, what=f"grant {grant.id} was {done}"
    )


# what there is to list


def _listing(grants: Iterable[Grant]) -> Listing:
    """List grants by their ids, which are different on all keys."""
    by_id = {grant.id: grant for grant in grants}

    def show(grant_id: str) -> dict[str, Any]:
        return _entry(by_id[grant_id])

    return Listing(sorted(by_id), show)


def _entry(grant: Grant) -> dict[str, Any]:
    """Show a grant. The name of one without is documented as null, AWS's own examples have it empty."""
    shown = {
        "KeyId": grant.key.arn,
        "GrantId": grant.id,
        "Name": grant.name or "",
        "CreationDate": grant.created,
        "GranteePrincipal": grant.grantee,
        "GranteeServicePrincipal": grant.grantee_service,
        "RetiringPrincipal": grant.retiring,
        "RetiringServicePrincipal": grant.retiring_service,
        "IssuingAccount": grant.issuing_account,
        "Operations": list(grant.operations),
        "Constraints": grant.constraints,
    }
    return {name: value for name, value in shown.items() if value is not None}


# what fits


def _expect_operations_of_key(key: Key, operations: list[str]) -> None:
    kind = _ASYMMETRIC if key.key_spec.asymmetric else _SYMMETRIC
    grantable = GRANTABLE[kind, key.usage]
    wrong = [name for name in operations if name not in grantable]
    if wrong:
        raise ValidationException(
            f"Operations [{', '.join(wrong)}] are not supported when creating a grant for {kind} KMS key with key"
            f" usage {key.usage}. Valid operations are [{', '.join(grantable)}]"
        )


def _expect_constraints_of_key(key: Key, constraints: Mapping[str, Any]) -> None:
    on_context = any(name in constraints for name in ENCRYPTION_CONTEXT_CONSTRAINTS)
    if on_context and not key.key_spec.symmetric_encryption:
        raise ValidationException(
            "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."
        )


def _expect_room_for_grant(key: Key) -> None:
    quota, usage = key.home.world.quotas.resource(GRANTS), len(key.grants)
    if usage >= quota:
        # AWS's sentence was not found; this one is made like that of aliases.
        raise LimitExceededException(
            f"Grants per key quota for this account in this region is {quota:g}, current usage is {usage}."
        )


def _in_order_of_aws(operations: Iterable[str]) -> tuple[str, ...]:
    """Return each operation once, in the order of AWS's model: so a recorded answer of ListGrants has them."""
    given = set(operations)
    return tuple(name for name in _grant_operations() if name in given)


@cache
def _grant_operations() -> tuple[str, ...]:
    names: Any = input_shape("CreateGrant").members["Operations"]
    return tuple(names.member.enum)


# who is meant


def _principal_in(call: Call, member: str) -> str | None:
    """Return the principal that a member names; for the unique id of a user or a role that is there, its ARN."""
    text: str | None = call.input.get(member)
    return call.world.arn_of_unique_id(text) if text and _UNIQUE_ID.fullmatch(text) else text


def _expect_principal(call: Call, member: str, unknown: KMSError) -> None:
    """Refuse what is no principal's ARN, no unique id that the fake has given, and no service."""
    text = _principal_in(call, member)
    if text is None and member in call.input:
        unknown.why = f"no user and no role that the test made has the unique id {call.input[member]}"
        raise unknown
    if text is None or _SERVICE_PRINCIPAL.fullmatch(text):
        return
    if not _is_principal(text, call.region):
        raise InvalidArnException(f"ARN is not valid: {text}")


def _is_principal(text: str, region: str) -> bool:
    """Say whether a text is the ARN of an account, a user, a role, a session or a federated user."""
    if not text.startswith(f"arn:{arns.partition_of(region)}:"):
        return False
    try:
        principals.parse("Principal", {"AWS": text})
    except Malformed:
        return False
    return True


def _expect_one_of(call: Call, member: str, other: str) -> None:
    _expect_not_both(call, member, other)
    if member not in call.input and other not in call.input:
        raise ValidationException(f"You must specify either {member} or {other}.")


def _expect_not_both(call: Call, member: str, other: str) -> None:
    if member in call.input and other in call.input:
        raise ValidationException(f"You can specify either {member} or {other}, but not both.")


def _leave_to_services(call: Call, member: str) -> None:
    """Refuse what only an AWS service may ask."""
    if member in call.input and not call.principal.is_service:
        raise ValidationException(f"{member} can be used by AWS services only.")
