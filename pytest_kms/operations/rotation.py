"""New key material for keys: EnableKeyRotation, RotateKeyOnDemand and what goes with them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pytest_kms.crypto.specs import AWS_KMS, EXTERNAL
from pytest_kms.errors import (
    ConflictException,
    KMSInvalidStateException,
    LimitExceededException,
    UnsupportedOperationException,
    ValidationException,
)
from pytest_kms.operation import UNUSABLE, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import key as states
from pytest_kms.state import rotation
from pytest_kms.state.backing import PENDING_MULTI_REGION_IMPORT_AND_ROTATION
from pytest_kms.state.key import CUSTOMER, REPLICA
from pytest_kms.state.quotas import ON_DEMAND_ROTATIONS
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.backing import KeyMaterial
    from pytest_kms.state.key import Key

ALL_KEY_MATERIAL = "ALL_KEY_MATERIAL"
SOON = dt.timedelta(minutes=20)
"""When an automatic rotation is so near, AWS begins none on demand."""

# Imported material and key stores are told of in words of their own, after the key type.
_NO_SCHEDULE_IN = UNUSABLE - {states.PENDING_IMPORT, states.UNAVAILABLE}
_NO_ROTATION_IN = UNUSABLE - {states.UNAVAILABLE}


def no_replica(call: Call) -> None:
    """Refuse a replica: its primary rotates for it."""
    for key in call.keys:
        if key.multi_region == REPLICA:
            raise UnsupportedOperationException(
                f"{key.arn} is a multi-region replica key which is not valid for {call.operation.name}.",
                why=f"its primary is in {key.backing.primary.region}",
            )


def material_of_symmetric_keys(call: Call) -> None:
    """Refuse to list the material of keys that have but one for life."""
    if "IncludeKeyMaterial" in call.input and not all(key.key_spec.symmetric_encryption for key in call.keys):
        raise ValidationException("Input parameter includeKeyMaterial can only be used with symmetric keys.")


@operation(
    "EnableKeyRotation",
    takes="KeyId RotationPeriodInDays",
    key=KeyId(),
    refused_in=_NO_SCHEDULE_IN,
    rules=[no_replica],
)
def enable_key_rotation(call: Call, key: Key) -> None:
    """Let a key rotate by itself. The period that it has already begins no new one."""
    _expect_symmetric(key)
    key.expect_origin(AWS_KMS)
    schedule = key.backing.rotation.schedule
    days = call.input.get("RotationPeriodInDays")
    if schedule is None or days not in (None, schedule.period):
        rotation.rotate_every(key.backing, days or rotation.DEFAULT_PERIOD)
        key.backing.synchronize()


@operation("DisableKeyRotation", takes="KeyId", key=KeyId(), refused_in=_NO_SCHEDULE_IN, rules=[no_replica])
def disable_key_rotation(call: Call, key: Key) -> None:  # noqa: ARG001
    """Let a key rotate by itself no more. Keys that never could are refused by their origin, not by their type."""
    key.expect_origin(AWS_KMS)
    if key.backing.rotation.schedule is not None:
        key.backing.rotation.schedule = None
        key.backing.synchronize()


@operation("GetKeyRotationStatus", takes="KeyId", key=KeyId(), cross_account=True)
def get_key_rotation_status(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Tell whether and when a key rotates by itself, and since when it is rotating on demand."""
    key.expect_origin(AWS_KMS, EXTERNAL)
    schedule, started = key.backing.rotation.schedule, key.backing.rotation.started
    # AWS rotates the keys that it manages every year, and yet was recorded to answer false for a new one.
    on = schedule is not None and key.manager == CUSTOMER and key.state != states.PENDING_DELETION
    shown: Answer = {"KeyRotationEnabled": on, "KeyId": key.arn}
    if schedule is not None and on:
        shown |= {"RotationPeriodInDays": schedule.period, "NextRotationDate": schedule.due}
    return shown if started is None else shown | {"OnDemandRotationStartDate": started}


@operation("RotateKeyOnDemand", takes="KeyId", key=KeyId(), refused_in=_NO_ROTATION_IN, rules=[no_replica])
def rotate_key_on_demand(call: Call, key: Key) -> Answer:
    """Begin to give a key new material. While it is being given some, there is nothing more to begin."""
    _expect_symmetric(key)
    key.expect_origin(AWS_KMS, EXTERNAL)
    if key.origin == EXTERNAL:
        _expect_pending_material(key)
    schedule = key.backing.rotation.schedule
    if schedule is not None and schedule.due - call.world.now <= SOON:
        # AWS's sentence was not found.
        raise ConflictException(why=f"{key.label} will rotate by itself at {schedule.due}")
    if key.backing.rotation.started is None:
        _expect_rotations_left(key)
        rotation.begin(key.backing)
    return {"KeyId": key.arn}


@operation(
    "ListKeyRotations",
    takes="KeyId IncludeKeyMaterial Limit Marker",
    key=KeyId(),
    rules=[material_of_symmetric_keys],
    pages=Pages(default=100, maximum=1000),
)
def list_key_rotations(call: Call, key: Key) -> Listing:
    """List the rotations of a key, oldest first, or all of its materials."""
    key.expect_origin(AWS_KMS, EXTERNAL)
    everything = call.input.get("IncludeKeyMaterial") == ALL_KEY_MATERIAL
    materials = {
        f"{place:06}": material  # sorted by name is sorted by time
        for place, material in enumerate(key.backing.materials)
        if everything or material.rotated is not None
    }
    return Listing(list(materials), lambda name: _entry(key, materials[name]))


def _entry(key: Key, material: KeyMaterial) -> dict[str, Any]:
    """Show a key material as ListKeyRotations does."""
    shown = {
        "KeyId": key.arn,
        "KeyMaterialId": material.id.hex(),
        "KeyMaterialDescription": material.description,
        "KeyMaterialState": material.state,
        **(_import_of(key, material) if key.origin == EXTERNAL else {}),
        "RotationDate": material.rotated,
        "RotationType": material.rotation_type,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _import_of(key: Key, material: KeyMaterial) -> dict[str, Any]:
    imported = key.imported.get(material.id)
    if imported is None:
        return {"ImportState": "PENDING_IMPORT"}
    return {
        "ImportState": "IMPORTED",
        "ExpirationModel": imported.expiration_model,
        "ValidTo": imported.valid_to,
    }


def _expect_symmetric(key: Key) -> None:
    if not key.key_spec.symmetric_encryption:
        raise UnsupportedOperationException(why=f"{key.label} is {key.spec}: it has the same key material for life")


def _expect_pending_material(key: Key) -> None:
    pending = key.backing.pending
    if pending is None:
        raise KMSInvalidStateException(f"No available key material pending rotation for the key: {key.arn}.")
    if pending.state == PENDING_MULTI_REGION_IMPORT_AND_ROTATION:
        raise KMSInvalidStateException(
            "Cannot perform key material rotation:"
            " Key material has not been imported for replicas of the Multi-Region key."
        )


def _expect_rotations_left(key: Key) -> None:
    if rotation.on_demand_rotations(key.backing) >= key.home.world.quotas.resource(ON_DEMAND_ROTATIONS):
        raise LimitExceededException(
            "The on-demand rotations limit has been reached for the given keyId."
            f" No more on-demand rotations can be performed for this key: {key.arn}"
        )
