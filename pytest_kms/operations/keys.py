"""Keys: make, describe, list, enable, disable, delete."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pytest_kms.crypto.specs import (
    ALGORITHMS_MEMBER,
    AWS_KMS,
    ENCRYPT_DECRYPT,
    SPECS,
    SYMMETRIC_DEFAULT,
    Family,
    KeySpec,
)
from pytest_kms.errors import (
    KMSInvalidStateException,
    TagException,
    UnsupportedOperationException,
    ValidationException,
)
from pytest_kms.operation import BEING_DELETED, BEING_DELETED_OR_UPDATED, NOT_SETTLED, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import key as states
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

MAX_TAGS = 50
DELETION_WINDOW = (7, 30)
_CHINA = "cn-"


def one_spelling_of_spec(call: Call) -> None:
    """Refuse KeySpec together with its deprecated twin."""
    if "KeySpec" in call.input and "CustomerMasterKeySpec" in call.input:
        raise ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
            " CustomerMasterKeySpec is deprecated."
        )


def supported_origin(call: Call) -> None:
    """Refuse the origins of key material that this version does not have."""
    if call.input.get("Origin", AWS_KMS) != AWS_KMS:
        raise call.not_supported(f"Origin {call.input['Origin']}", AWS_KMS)


def usage_fits_spec(call: Call) -> None:
    """Refuse a usage that no key of the spec can have, or none where AWS wants one, and specs of other Regions."""
    spec = _spec(call)
    usage = _usage(call)
    if usage is None:
        raise ValidationException(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        )
    if usage not in spec.algorithms:
        raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {spec.name}")
    expect_spec_in_region(spec, call.region)


def well_formed_tags(call: Call) -> None:
    """Refuse tags that AWS does not take."""
    names = [tag["TagKey"] for tag in call.input.get("Tags", ())]
    if len(names) != len(set(names)):
        raise TagException("Duplicate tag keys")
    if any(name.lower().startswith("aws:") for name in names):
        raise TagException("Tags beginning with aws: are reserved")
    if len(names) > MAX_TAGS:
        raise TagException("Too many tags")


@operation(
    "CreateKey",
    takes="Description KeyUsage KeySpec CustomerMasterKeySpec Origin Tags",
    rules=[one_spelling_of_spec, supported_origin, usage_fits_spec, well_formed_tags],
)
def create_key(call: Call) -> Answer:
    """Make a key in the caller's account."""
    key = call.world.create_key(
        region=call.region,
        account=call.account,
        spec=_spec(call).name,
        usage=_usage(call) or ENCRYPT_DECRYPT,
        description=call.input.get("Description", ""),
        tags={tag["TagKey"]: tag["TagValue"] for tag in call.input.get("Tags", ())},
    )
    call.note(key)
    return {"KeyMetadata": metadata(key)}


@operation(
    "DescribeKey",
    takes="KeyId",
    key=KeyId(aliases=True),
)
def describe_key(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Tell all about a key."""
    return {"KeyMetadata": metadata(key)}


@operation("ListKeys", takes="Limit Marker", pages=Pages(default=100, maximum=1000))
def list_keys(call: Call) -> Listing:
    """List the keys of the caller's account and Region, customer and AWS managed alike."""
    registry = call.world.registry(call.region, call.account)

    def show(key_id: str) -> dict[str, Any]:
        return {"KeyId": key_id, "KeyArn": registry.keys[key_id].arn}

    return Listing(registry.key_ids, show)


@operation("UpdateKeyDescription", takes="KeyId Description", key=KeyId(), refused_in=BEING_DELETED)
def update_key_description(call: Call, key: Key) -> None:
    """Describe a key in other words."""
    key.description = call.input["Description"]


@operation("EnableKey", takes="KeyId", key=KeyId(), refused_in=NOT_SETTLED)
def enable_key(call: Call, key: Key) -> None:  # noqa: ARG001
    """Let a key be used."""
    if key.state != states.UNAVAILABLE:
        key.state = states.ENABLED


@operation("DisableKey", takes="KeyId", key=KeyId(), refused_in=NOT_SETTLED)
def disable_key(call: Call, key: Key) -> None:  # noqa: ARG001
    """Let a key be used no more."""
    if key.state != states.UNAVAILABLE:
        key.state = states.DISABLED


@operation(
    "ScheduleKeyDeletion",
    takes="KeyId PendingWindowInDays",
    key=KeyId(),
    refused_in=BEING_DELETED_OR_UPDATED,
    bounds={"PendingWindowInDays": DELETION_WINDOW},
)
def schedule_key_deletion(call: Call, key: Key) -> Answer:
    """Let a key be deleted when its waiting period is over."""
    days = call.input.get("PendingWindowInDays", states.DEFAULT_DELETION_WINDOW.days)
    key.schedule_deletion(dt.timedelta(days=days))
    return {
        "KeyId": key.arn,
        "DeletionDate": key.deletion_date,
        "KeyState": key.state,
        "PendingWindowInDays": days,
    }


@operation("CancelKeyDeletion", takes="KeyId", key=KeyId())
def cancel_key_deletion(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Let a key live. It is disabled afterwards."""
    if key.state not in BEING_DELETED:
        raise KMSInvalidStateException(f"{key.arn} is not pending deletion.")
    key.state = states.DISABLED
    return {"KeyId": key.arn}


def expect_spec_in_region(spec: KeySpec, region: str) -> None:
    """Refuse a spec of China elsewhere."""
    if spec.family is Family.SM2 and not region.startswith(_CHINA):
        raise UnsupportedOperationException(f"KeySpec {spec.name} is not supported in this Region")


def metadata(key: Key) -> dict[str, Any]:
    """Show a key as CreateKey and DescribeKey do, in the order of recorded answers."""
    shown: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": key.enabled,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "Origin": key.origin,
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        ALGORITHMS_MEMBER[key.usage]: list(key.algorithms),
        "MultiRegion": False,
    }
    if key.deletion_date is not None:
        shown["DeletionDate"] = key.deletion_date
    if key.key_spec.family is Family.SYMMETRIC:
        shown["CurrentKeyMaterialId"] = key.material_id.hex()
    return shown


def _spec(call: Call) -> KeySpec:
    members = call.input
    return SPECS[members.get("KeySpec") or members.get("CustomerMasterKeySpec") or SYMMETRIC_DEFAULT]


def _usage(call: Call) -> str | None:
    """Return the usage asked for; a symmetric encryption key has but one."""
    symmetric = _spec(call).family is Family.SYMMETRIC
    usage: str | None = call.input.get("KeyUsage", ENCRYPT_DECRYPT if symmetric else None)
    return usage
