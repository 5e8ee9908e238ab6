"""Keys: make, describe, list, enable, disable, delete."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.crypto.specs import (
    ALGORITHMS_MEMBER,
    AWS_CLOUDHSM,
    AWS_KMS,
    ENCRYPT_DECRYPT,
    EXTERNAL_KEY_STORE,
    SPECS,
    SYMMETRIC_DEFAULT,
    Family,
    KeySpec,
)
from pytest_kms.errors import (
    KMSInvalidStateException,
    LimitExceededException,
    UnsupportedOperationException,
    ValidationException,
)
from pytest_kms.operation import BEING_DELETED, BEING_DELETED_OR_UPDATED, NOT_SETTLED, Resource, operation
from pytest_kms.operations.policies import acceptable_policy
from pytest_kms.operations.tags import as_mapping, well_formed_tags
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import consistency
from pytest_kms.state import key as states
from pytest_kms.state.quotas import KEYS
from pytest_kms.state.trail import last_use, tracking_start
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key
    from pytest_kms.state.registry import Registry
    from pytest_kms.state.trail import Trail

DELETION_WINDOW = (7, 30)


def one_spelling_of_spec(call: Call) -> None:
    """Refuse KeySpec together with its deprecated twin."""
    if "KeySpec" in call.input and "CustomerMasterKeySpec" in call.input:
        raise ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
            " CustomerMasterKeySpec is deprecated."
        )


def usage_fits_spec(call: Call) -> None:
    """Refuse a usage that no key of the spec can have, or none where AWS wants one, and specs of other Regions."""
    spec = _spec(call)
    usage = _usage(call)
    if usage is None:
        raise ValidationException(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            why=_usages(spec),
        )
    if usage not in spec.algorithms:
        raise ValidationException(
            f"KeyUsage {usage} is not compatible with KeySpec {spec.name}",
            why=_usages(spec),
        )
    expect_spec_in_region(spec, call.region)


def _usages(spec: KeySpec) -> str:
    return f"the usages of {spec.name} are {', '.join(spec.algorithms)}"


def origin_fits_spec(call: Call) -> None:
    """Refuse an origin that no key of the spec can have, and members that belong to another origin."""
    members, origin, spec = call.input, call.input.get("Origin", AWS_KMS), _spec(call)
    if origin not in spec.origins:
        raise ValidationException(
            f"KeySpec {spec.name} is not supported for Origin {origin}",
            why=f"the origins of {spec.name} are {', '.join(spec.origins)}",
        )
    in_store = origin in (AWS_CLOUDHSM, EXTERNAL_KEY_STORE)
    # AWS's sentences for what follows were not found.
    if in_store != ("CustomKeyStoreId" in members):
        raise ValidationException(f"CustomKeyStoreId is {'required' if in_store else 'not valid'} for Origin {origin}")
    if (origin == EXTERNAL_KEY_STORE) != ("XksKeyId" in members):
        is_not = "required" if origin == EXTERNAL_KEY_STORE else "not valid"
        raise ValidationException(f"XksKeyId is {is_not} for Origin {origin}")
    if in_store and members.get("MultiRegion"):
        raise ValidationException(f"MultiRegion is not valid for Origin {origin}")


def tagging(call: Call) -> list[Resource]:
    """Ask for permission to tag what is made with tags."""
    return [Resource("TagResource", "*", call.region)] if call.input.get("Tags") else []


@operation(
    "CreateKey",
    takes="Description KeyUsage KeySpec CustomerMasterKeySpec Origin CustomKeyStoreId XksKeyId MultiRegion Policy"
    " BypassPolicyLockoutSafetyCheck Tags",
    also=tagging,
    rules=[one_spelling_of_spec, usage_fits_spec, origin_fits_spec, well_formed_tags, acceptable_policy],
)
def create_key(call: Call) -> Answer:
    """Make a key in the caller's account."""
    members = call.input
    registry = call.world.registry(call.region, call.account)
    expect_room_for_key(registry)
    store = None
    if "CustomKeyStoreId" in members:
        store = registry.key_store(members["CustomKeyStoreId"])
        store.expect_fit_for_key(members.get("Origin"), members.get("XksKeyId"))
    key = call.world.create_key(
        region=call.region,
        account=call.account,
        spec=_spec(call).name,
        usage=_usage(call) or ENCRYPT_DECRYPT,
        origin=members.get("Origin", AWS_KMS),
        multi_region=members.get("MultiRegion", False),
        description=members.get("Description", ""),
        tags=as_mapping(members.get("Tags", ())),
        policy=members.get("Policy"),
        store=store,
        xks_key_id=members.get("XksKeyId"),
    )
    seen_late(call, key)
    call.note(key, asks=False)
    return {"KeyMetadata": metadata(key)}


@operation(
    "DescribeKey",
    takes="KeyId",
    key=KeyId(aliases=True),
    cross_account=True,
)
def describe_key(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Tell all about a key."""
    return {"KeyMetadata": metadata(key)}


@operation("GetKeyLastUsage", takes="KeyId", key=KeyId())
def get_key_last_usage(call: Call, key: Key) -> Answer:
    """Tell of the last cryptographic operation on a key that succeeded, as far as AWS remembers; at once, here.

    The form of `KeyId` is that of AWS's example.
    """
    start = tracking_start(key, call.world.now)
    return {
        "KeyId": key.id,
        "KeyLastUsage": _last_usage(call.world.trail, key, start),
        "TrackingStartDate": start,
        "KeyCreationDate": key.created,
    }


@operation("ListKeys", takes="Limit Marker", pages=Pages(default=100, maximum=1000))
def list_keys(call: Call) -> Listing:
    """List the keys of the caller's account and Region, customer and AWS managed alike."""
    registry = call.world.registry(call.region, call.account)

    def show(key_id: str) -> dict[str, Any]:
        return {"KeyId": key_id, "KeyArn": registry.keys[key_id].arn}

    return Listing(registry.listed_key_ids(), show)


@operation("UpdateKeyDescription", takes="KeyId Description", key=KeyId(), refused_in=BEING_DELETED)
def update_key_description(call: Call, key: Key) -> None:
    """Describe a key in other words."""
    key.description = call.input["Description"]


@operation("EnableKey", takes="KeyId", key=KeyId(), refused_in=NOT_SETTLED)
def enable_key(call: Call, key: Key) -> None:  # noqa: ARG001
    """Let a key be used. One whose key store is away stays Unavailable until it is back."""
    key.become(states.ENABLED)


@operation("DisableKey", takes="KeyId", key=KeyId(), refused_in=NOT_SETTLED)
def disable_key(call: Call, key: Key) -> None:
    """Let a key be used no more."""
    key.become(states.DISABLED)
    call.changed(key)


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
    call.changed(key)
    date = {} if key.deletion_date is None else {"DeletionDate": key.deletion_date}
    return {"KeyId": key.arn, **date, "KeyState": key.state, "PendingWindowInDays": days}


@operation("CancelKeyDeletion", takes="KeyId", key=KeyId())
def cancel_key_deletion(call: Call, key: Key) -> Answer:
    """Let a key live. It is disabled afterwards."""
    if key.state not in BEING_DELETED:
        raise KMSInvalidStateException(f"{key.arn} is not pending deletion.", why=f"{key.label} is {key.state}")
    key.become(states.DISABLED)
    call.changed(key)
    return {"KeyId": key.arn}


def expect_spec_in_region(spec: KeySpec, region: str) -> None:
    """Refuse a spec of China elsewhere."""
    if spec.family is Family.SM2 and not arns.in_china(region):
        raise UnsupportedOperationException(
            f"KeySpec {spec.name} is not supported in this Region",
            why=f"AWS has {spec.name} in its Regions in China, {region} is none of them",
        )


def expect_room_for_key(registry: Registry) -> None:
    """Refuse a key that would be one too many for its account and Region; AWS managed keys do not count."""
    quota = registry.world.quotas.resource(KEYS)
    usage = registry.customer_keys
    if usage >= quota:
        raise LimitExceededException(
            f"Key quota for this account in this region is {quota:g} but the current usage is {usage}."
        )


def seen_late(call: Call, key: Key) -> None:
    """Let a new key be one that calls see late, where consistency is eventual."""
    call.world.consistency.later(consistency.KEYS, key.home, key.id, before=None, what=f"key {key.id} was made")


def metadata(key: Key) -> dict[str, Any]:
    """Show a key as CreateKey and DescribeKey do, in the order of recorded answers."""
    expiring, valid_to = key.expiration
    shown: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": key.enabled,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "DeletionDate": key.deletion_date,
        "ValidTo": valid_to,
        "Origin": key.origin,
        "CustomKeyStoreId": key.store and key.store.id,
        "CloudHsmClusterId": key.store and key.store.cluster_id,
        "ExpirationModel": expiring,
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        ALGORITHMS_MEMBER[key.usage]: list(key.algorithms),
        "MultiRegion": key.backing.multi_region,
        "MultiRegionConfiguration": _multi_region_configuration(key),
        "PendingDeletionWindowInDays": (
            key.waiting_period.days if key.state == states.PENDING_REPLICA_DELETION else None
        ),
        "XksKeyConfiguration": key.xks_key_id and {"Id": key.xks_key_id},
        "CurrentKeyMaterialId": _current_material_id(key),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _last_usage(trail: Trail, key: Key, start: dt.datetime) -> dict[str, Any]:
    last = last_use(trail, key.arn)
    if last is None or last.answered < start:
        return {}
    return {
        "Operation": last.operation,
        "Timestamp": last.answered,
        "CloudTrailEventId": last.event_id,
        "KmsRequestId": last.request_id,
    }


def _multi_region_configuration(key: Key) -> dict[str, Any] | None:
    primary = key.backing.primary
    if key.multi_region is None:
        return None
    return {
        "MultiRegionKeyType": key.multi_region,
        "PrimaryKey": {"Arn": primary.arn, "Region": primary.region},
        "ReplicaKeys": [{"Arn": replica.arn, "Region": replica.region} for replica in key.backing.replicas()],
    }


def _current_material_id(key: Key) -> str | None:
    """Show the current material of a symmetric encryption key; a replica that is being made has none yet."""
    shown = key.key_spec.symmetric_encryption and key.store is None and key.state != states.CREATING
    current = key.backing.current if shown else None
    return None if current is None else current.id.hex()


def _spec(call: Call) -> KeySpec:
    members = call.input
    return SPECS[members.get("KeySpec") or members.get("CustomerMasterKeySpec") or SYMMETRIC_DEFAULT]


def _usage(call: Call) -> str | None:
    """Return the usage asked for; a symmetric encryption key has but one."""
    usage: str | None = call.input.get("KeyUsage", ENCRYPT_DECRYPT if _spec(call).symmetric_encryption else None)
    return usage
