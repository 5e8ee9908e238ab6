"""Multi-Region keys: ReplicateKey, UpdatePrimaryRegion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import arns, service
from pytest_kms.errors import (
    AlreadyExistsException,
    KMSInvalidStateException,
    UnsupportedOperationException,
    ValidationException,
)
from pytest_kms.operation import UNUSABLE, Charge, Resource, operation
from pytest_kms.operations.keys import expect_room_for_key, metadata, seen_late
from pytest_kms.operations.policies import acceptable_policy
from pytest_kms.operations.tags import as_mapping, well_formed_tags
from pytest_kms.state import key as states
from pytest_kms.state.key import PRIMARY
from pytest_kms.targets import KeyId, MemberIn

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

SECONDS = 2
"""How long a key is Creating or Updating, of the fake's time; AWS says that it takes some seconds."""


def a_primary(call: Call) -> None:
    """Refuse a key that is not the primary of a multi-Region key."""
    key = call.keys[0]
    if key.multi_region != PRIMARY:
        raise UnsupportedOperationException(f"{key.arn} is not a multi-region primary key.", why=_what_it_is(key))


def a_region_for_replicas(call: Call) -> None:
    """Refuse a Region that can have no replica of the key."""
    region = call.input["ReplicaRegion"]
    if region == call.region:
        raise ValidationException(f"{region} cannot have a replica because it contains the primary.")
    if region not in service.regions():
        raise ValidationException(
            f"Region {region} is not a valid Region or multi-Region keys are not supported in Region {region}."
        )
    if arns.partition_of(region) != arns.partition_of(call.region):
        raise ValidationException("The replica key Region must be in the same AWS partition as the primary key Region.")


def the_primary_of_a_replica(call: Call) -> None:
    """Refuse a key that is not the primary, or a Region where none of its replicas is."""
    key = call.keys[0]
    if key.multi_region is None:
        # Not recorded; the operation models this error for single-Region keys.
        raise UnsupportedOperationException(f"{key.arn} is not a multi-region primary key.", why=_what_it_is(key))
    if key.multi_region != PRIMARY:
        raise KMSInvalidStateException(f"{key.arn} is not a multi-Region primary key.", why=_what_it_is(key))
    if len(call.keys) == 1 and call.input["PrimaryRegion"] != key.region:
        regions = ", ".join(replica.region for replica in key.backing.replicas()) or "no Region"
        raise ValidationException(
            f"{key.id} does not have a replica key in the specified Region.", why=f"it has replicas in {regions}"
        )


def _what_it_is(key: Key) -> str:
    if key.multi_region is None:
        return f"{key.label} is a single-Region key: MultiRegion=True is said when a key is made, and never after"
    return f"{key.label} in {key.region} is a replica, its primary is in {key.backing.primary.region}"


def creation_in_replica_region(call: Call) -> list[Resource]:
    """Ask for permission to make the replica, and to tag it, in its own Region."""
    region = call.input.get("ReplicaRegion", call.region)
    actions = ("CreateKey", "TagResource") if call.input.get("Tags") else ("CreateKey",)
    return [Resource(action, "*", region) for action in actions]


@operation(
    "ReplicateKey",
    also=creation_in_replica_region,
    takes="KeyId ReplicaRegion Description Policy BypassPolicyLockoutSafetyCheck Tags",
    key=KeyId(),
    refused_in=UNUSABLE | {states.UPDATING},
    charge=Charge("ReplicaRegion", "CreateKey", requests=2),
    rules=[a_primary, a_region_for_replicas, well_formed_tags, acceptable_policy],
)
def replicate_key(call: Call, key: Key) -> Answer:
    """Make a key in another Region that opens what this one has sealed, and the other way round."""
    members = call.input
    registry = call.world.registry(members["ReplicaRegion"], key.account)
    if key.id in registry.keys:
        raise AlreadyExistsException("You can create only one replica of each primary key in each AWS Region.")
    expect_room_for_key(registry)
    replica = call.world.create_replica(
        key,
        members["ReplicaRegion"],
        description=members.get("Description", ""),
        tags=as_mapping(members.get("Tags", ())),
        policy=members.get("Policy"),
    )
    replica.pass_through(states.CREATING, SECONDS)
    call.changed(replica)
    seen_late(call, replica)
    key.backing.synchronize()
    tags = [{"TagKey": name, "TagValue": value} for name, value in replica.tags.items()]
    return {
        "ReplicaKeyMetadata": metadata(replica),
        "ReplicaPolicy": replica.policy,
        **({"ReplicaTags": tags} if tags else {}),
    }


@operation(
    "UpdatePrimaryRegion",
    takes="KeyId PrimaryRegion",
    key=(KeyId(), MemberIn("PrimaryRegion")),
    refused_in=UNUSABLE,
    charge=Charge("PrimaryRegion", "UpdatePrimaryRegion", requests=1),
    rules=[the_primary_of_a_replica],
)
def update_primary_region(call: Call, key: Key, replica: Key | None) -> None:
    """Make a replica the primary. Where the primary is already there is nothing to do."""
    if replica is not None:
        key.backing.primary = replica
        key.pass_through(states.UPDATING, SECONDS)
        replica.pass_through(states.UPDATING, SECONDS)
        call.changed(key)
        call.changed(replica)
