"""Multi-Region keys have replicas that open what they seal, and a primary that may move, as with AWS."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from answers import STATES, error_of, invalid, members_of, unfit
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, Key, fake_kms

pytestmark = pytest.mark.kms(region="us-east-1")

METHODS = {"replicate_key": {"ReplicaRegion": "eu-west-1"}, "update_primary_region": {"PrimaryRegion": "us-west-2"}}
POLICY = """{"Version": "2012-10-17", "Statement": [{"Sid": "all", "Effect": "Allow",
 "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]}"""
MATERIAL = b"m" * 32

both_operations = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give the primary of a multi-Region key, in a fake whose time moves only where a test moves it."""
    kms.clock.freeze()
    return kms.create_key("orders", multi_region=True)


def replicate(kms: FakeKMS, key: Key, region: str = "us-west-2", **members: Any) -> dict[str, Any]:
    """Call ReplicateKey in the Region of the primary."""
    answer = kms.client_for(region=key.region).replicate_key(KeyId=key.id, ReplicaRegion=region, **members)
    return members_of(answer)


def describe(kms: FakeKMS, key_id: str, region: str) -> dict[str, Any]:
    """Return what DescribeKey answers in a Region."""
    return dict(kms.client_for(region=region).describe_key(KeyId=key_id)["KeyMetadata"])


def default_policy(kms: FakeKMS) -> str:
    """Return the key policy of a key that is made without one."""
    return kms.client.get_key_policy(KeyId=kms.create_key().id)["Policy"]


def arn(region: str, key_id: str) -> str:
    """Return the ARN of a key of the fake's account."""
    return f"arn:aws:kms:{region}:123456789012:key/{key_id}"


def days(number: int) -> dt.timedelta:
    """Return so many days."""
    return dt.timedelta(days=number)


def family(key_id: str, primary: str, *replicas: str) -> dict[str, Any]:
    """Return what the members of a multi-Region key tell of each other."""
    return {
        "PrimaryKey": {"Arn": arn(primary, key_id), "Region": primary},
        "ReplicaKeys": [{"Arn": arn(region, key_id), "Region": region} for region in replicas],
    }


# ReplicateKey


def test_a_replica_is_made(kms: FakeKMS, key: Key) -> None:
    """The answer shows it being made, in the other Region, with the defaults of AWS."""
    answer = replicate(kms, key)
    assert {
        "ReplicaKeyMetadata": {
            "AWSAccountId": "123456789012",
            "KeyId": key.id,
            "Arn": arn("us-west-2", key.id),
            "CreationDate": kms.clock.now,
            "Enabled": False,
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Creating",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": True,
            "MultiRegionConfiguration": {
                "MultiRegionKeyType": "REPLICA",
                **family(key.id, "us-east-1", "us-west-2"),
            },
        },
        "ReplicaPolicy": default_policy(kms),
    } == answer


def test_a_replica_takes_two_seconds(kms: FakeKMS, key: Key) -> None:
    """Until then it cannot be used; then it is enabled, with the material of its primary."""
    replicate(kms, key)
    west = kms.client_for(region="us-west-2")
    kms.clock.advance(seconds=1)
    creating = unfit(arn("us-west-2", key.id), "Creating")
    assert creating == error_of(west, "encrypt", KeyId=key.id, Plaintext=b"x")
    assert "CurrentKeyMaterialId" not in describe(kms, key.id, "us-west-2")
    kms.clock.advance(seconds=1)
    shown = describe(kms, key.id, "us-west-2")
    assert ("Enabled", True) == (shown["KeyState"], shown["Enabled"])
    assert describe(kms, key.id, "us-east-1")["CurrentKeyMaterialId"] == shown["CurrentKeyMaterialId"]


def test_a_replica_has_properties_of_its_own(kms: FakeKMS, key: Key) -> None:
    """Description, policy and tags are given with the call; the primary keeps what it has."""
    tags = [{"TagKey": "stage", "TagValue": ""}, {"TagKey": "team", "TagValue": "shop"}]
    answer = replicate(
        kms, key, Description="of the west", Policy=POLICY, Tags=tags, BypassPolicyLockoutSafetyCheck=True
    )
    assert ("of the west", POLICY, tags) == (
        answer["ReplicaKeyMetadata"]["Description"],
        answer["ReplicaPolicy"],
        answer["ReplicaTags"],
    )
    west: Any = kms.client_for(region="us-west-2")
    assert "of the west" == west.describe_key(KeyId=key.id)["KeyMetadata"]["Description"]
    assert POLICY == west.get_key_policy(KeyId=key.id)["Policy"]
    assert tags == west.list_resource_tags(KeyId=key.id)["Tags"]
    assert [] == west.list_aliases(KeyId=key.id)["Aliases"]
    assert ("", default_policy(kms), {}, ["alias/orders"]) == (key.description, key.policy, key.tags, key.aliases)


def test_members_are_enabled_and_deleted_on_their_own(kms: FakeKMS, key: Key) -> None:
    """A disabled primary does not hinder its replicas, nor the other way round."""
    kms.replicate(key, "us-west-2")
    blob = kms.encrypt(key, b"x")
    west = kms.client_for(region="us-west-2")
    kms.client.disable_key(KeyId=key.id)
    assert b"x" == west.decrypt(CiphertextBlob=blob)["Plaintext"]
    kms.client.enable_key(KeyId=key.id)
    west.schedule_key_deletion(KeyId=key.id)
    assert b"x" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


def test_members_know_each_other(kms: FakeKMS, key: Key) -> None:
    """Every member lists the primary and all replicas, by Region."""
    for region in ("us-west-2", "ap-east-1", "eu-west-1"):
        replicate(kms, key, region)
    relatives = family(key.id, "us-east-1", "ap-east-1", "eu-west-1", "us-west-2")
    for region in ("us-east-1", "us-west-2", "ap-east-1"):
        kind = "PRIMARY" if region == "us-east-1" else "REPLICA"
        expected = {"MultiRegionKeyType": kind, **relatives}
        assert expected == describe(kms, key.id, region)["MultiRegionConfiguration"]


@pytest.mark.parametrize(
    ("region", "replica_region"), [("cn-north-1", "cn-northwest-1"), ("us-gov-west-1", "us-gov-east-1")]
)
def test_every_partition_has_its_replicas(kms: FakeKMS, region: str, replica_region: str) -> None:
    """The ARN of a replica is of the partition."""
    key = kms.create_key(multi_region=True, region=region)
    answer = replicate(kms, key, replica_region)
    expected = key.arn.replace(region, replica_region)
    assert expected == answer["ReplicaKeyMetadata"]["Arn"]


# What goes between the members


@pytest.mark.parametrize(("here", "there"), [("us-east-1", "us-west-2"), ("us-west-2", "us-east-1")])
def test_a_ciphertext_opens_in_every_region(kms: FakeKMS, key: Key, here: str, there: str) -> None:
    """The key may be left out, or named as it is called there; the answer names the key of that Region."""
    kms.replicate(key, "us-west-2", alias="orders")
    sealing, opening = kms.client_for(region=here), kms.client_for(region=there)
    context = {"order": "7"}
    blob = sealing.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    for name in ({}, {"KeyId": key.id}, {"KeyId": arn(there, key.id)}, {"KeyId": "alias/orders"}):
        members: Any = name
        answer = opening.decrypt(CiphertextBlob=blob, EncryptionContext=context, **members)
        assert (b"x", arn(there, key.id)) == (answer["Plaintext"], answer["KeyId"])


def test_a_ciphertext_does_not_open_by_the_name_of_elsewhere(kms: FakeKMS, key: Key) -> None:
    """The ARN of the key that made it, in another Region, is the ARN of another key."""
    kms.replicate(key, "us-west-2")
    error = error_of(
        kms.client_for(region="us-west-2"), "decrypt", CiphertextBlob=kms.encrypt(key, b"x"), KeyId=key.arn
    )
    assert {
        "Code": "IncorrectKeyException",
        "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
    } == error


def test_re_encrypt_begins_in_any_region(kms: FakeKMS, key: Key) -> None:
    """A ciphertext of one Region goes to another key of another Region."""
    kms.replicate(key, "us-west-2")
    other = kms.create_key(region="us-west-2")
    answer = kms.client_for(region="us-west-2").re_encrypt(
        CiphertextBlob=kms.encrypt(key, b"x"), DestinationKeyId=other.id
    )
    assert (arn("us-west-2", key.id), other.arn) == (answer["SourceKeyId"], answer["KeyId"])
    assert b"x" == kms.decrypt(answer["CiphertextBlob"])


def test_a_signature_holds_in_every_region(kms: FakeKMS) -> None:
    """Asymmetric members have the same private key, and the same public one."""
    key = kms.create_key(spec="ECC_NIST_P256", multi_region=True)
    replica = kms.replicate(key, "us-west-2")
    west = kms.client_for(region="us-west-2")
    signed = {"KeyId": key.id, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.client.sign(**signed)["Signature"]  # type: ignore[arg-type]
    assert west.verify(**signed, Signature=signature)["SignatureValid"]  # type: ignore[arg-type]
    assert key.public_key == replica.public_key == west.get_public_key(KeyId=key.id)["PublicKey"]


def test_a_mac_holds_in_every_region(kms: FakeKMS) -> None:
    """HMAC members have the same material."""
    key = kms.create_key(spec="HMAC_256", multi_region=True)
    kms.replicate(key, "us-west-2")
    mac = kms.client.generate_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"]
    west = kms.client_for(region="us-west-2")
    assert west.verify_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=mac)["MacValid"]


def test_where_no_member_is_nothing_opens(kms: FakeKMS, key: Key) -> None:
    """Elsewhere the key is as good as unknown."""
    kms.replicate(key, "us-west-2")
    error = error_of(kms.client_for(region="eu-west-1"), "decrypt", CiphertextBlob=kms.encrypt(key, b"x"))
    assert "AccessDeniedException" == error["Code"]


# Imported material


def test_a_replica_comes_without_imported_material(kms: FakeKMS) -> None:
    """The answer still shows the expiration of the primary; then the replica is pending import."""
    kms.clock.freeze()
    valid_to = kms.clock.now.replace(microsecond=0) + days(20)
    key = kms.create_key(origin="EXTERNAL", multi_region=True)
    material_id = kms.import_key_material(key, MATERIAL, valid_to=valid_to)
    shown = replicate(kms, key)["ReplicaKeyMetadata"]
    assert ("Creating", "KEY_MATERIAL_EXPIRES", valid_to) == (
        shown["KeyState"],
        shown["ExpirationModel"],
        shown["ValidTo"],
    )
    kms.clock.advance(seconds=2)
    shown = describe(kms, key.id, "us-west-2")
    assert ("PendingImport", material_id) == (shown["KeyState"], shown["CurrentKeyMaterialId"])
    assert set() == {"ExpirationModel", "ValidTo"} & set(shown)
    west = kms.client_for(region="us-west-2")
    pending = unfit(arn("us-west-2", key.id), "PendingImport")
    assert pending == error_of(west, "encrypt", KeyId=key.id, Plaintext=b"x")


def test_a_replica_works_with_the_same_material(kms: FakeKMS) -> None:
    """Imported into both, it opens what either has sealed."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True, material=MATERIAL)
    replicate(kms, key)
    kms.clock.advance(seconds=2)
    material_id = kms.import_key_material(arn("us-west-2", key.id), MATERIAL)
    answer = kms.client_for(region="us-west-2").decrypt(CiphertextBlob=kms.encrypt(key, b"x"))
    assert (b"x", material_id) == (answer["Plaintext"], answer["KeyMaterialId"])


# What ReplicateKey refuses


def test_a_region_has_one_member(kms: FakeKMS, key: Key) -> None:
    """A replica that waits for its deletion is in the way, too; one that is gone is not."""
    exists = {
        "Code": "AlreadyExistsException",
        "Message": "You can create only one replica of each primary key in each AWS Region.",
    }
    west = kms.client_for(region="us-west-2")
    replicate(kms, key, Description="the first")
    assert exists == error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")
    west.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    assert exists == error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")
    kms.clock.advance(days=7)
    assert "NotFoundException" == error_of(west, "describe_key", KeyId=key.id)["Code"]
    replicate(kms, key, Description="the second")
    kms.clock.advance(seconds=2)
    assert "the second" == describe(kms, key.id, "us-west-2")["Description"]
    assert b"x" == west.decrypt(CiphertextBlob=kms.encrypt(key, b"x"))["Plaintext"]


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("us-east-1", "us-east-1 cannot have a replica because it contains the primary."),
        ("cn-north-1", "The replica key Region must be in the same AWS partition as the primary key Region."),
        ("us-gov-west-1", "The replica key Region must be in the same AWS partition as the primary key Region."),
        (
            "us-invalid-1",
            "Region us-invalid-1 is not a valid Region or multi-Region keys are not supported in Region us-invalid-1.",
        ),
    ],
)
def test_a_region_that_cannot_have_a_replica(kms: FakeKMS, key: Key, region: str, message: str) -> None:
    """Not that of the primary, none of another partition, none that there is not."""
    assert {"Code": "ValidationException", "Message": message} == error_of(
        kms.client, "replicate_key", KeyId=key.id, ReplicaRegion=region
    )
    assert family(key.id, "us-east-1").items() <= describe(kms, key.id, "us-east-1")["MultiRegionConfiguration"].items()


@both_operations
@pytest.mark.parametrize("region", ["west", "us_west_2", "us-west-2\n", f"us-{'w' * 30}-2"])
def test_a_region_that_breaks_the_constraints(kms: FakeKMS, key: Key, method: str, region: str) -> None:
    """Length and characters are those of KMS's model."""
    (member,) = METHODS[method]
    place = f"Value '{region}' at '{member[0].lower()}{member[1:]}' failed to satisfy constraint: Member must"
    error = error_of(kms.client, method, KeyId=key.id, **{member: region})
    violations = []
    if len(region) > 32:
        violations.append(f"{place} have length less than or equal to 32")
    else:
        violations.append(f"{place} satisfy regular expression pattern: ^([a-z]+-){{2,3}}\\d+$")
    assert invalid(*violations) == error


def test_a_replica_is_not_replicated(kms: FakeKMS, key: Key) -> None:
    """Only a primary is; AWS does not look at the state before."""
    for state in ("Enabled", "Disabled"):
        replica = kms.replicate(key, {"Enabled": "us-west-2", "Disabled": "eu-central-1"}[state], state=state)
        assert {
            "Code": "UnsupportedOperationException",
            "Message": f"{replica.arn} is not a multi-region primary key.",
        } == error_of(kms.client_for(region=replica.region), "replicate_key", KeyId=key.id, ReplicaRegion="eu-west-1")


@both_operations
def test_a_single_region_key_has_no_replicas(kms: FakeKMS, method: str) -> None:
    """It can never become a multi-Region key; the sentence is a guess."""
    key = kms.create_key()
    assert {
        "Code": "UnsupportedOperationException",
        "Message": f"{key.arn} is not a multi-region primary key.",
    } == error_of(kms.client, method, KeyId=key.id, **METHODS[method])


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_a_key_that_is_replicated(kms: FakeKMS, key: Key, state: str) -> None:
    """It has to be enabled."""
    key.state = state
    if state == "Enabled":
        replicate(kms, key)
        return
    refused = error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")
    assert unfit(key.arn, state) == refused


def test_a_primary_without_material_has_no_replicas(kms: FakeKMS) -> None:
    """It is pending import."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True)
    refused = error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")
    assert unfit(key.arn, "PendingImport") == refused


@both_operations
@pytest.mark.parametrize("name", ["alias/orders", "arn:aws:kms:us-east-1:123456789012:alias/orders"])
def test_a_key_is_not_named_by_alias(kms: FakeKMS, key: Key, method: str, name: str) -> None:
    """Key id or key ARN only."""
    assert {
        "Code": "InvalidArnException",
        "Message": "Key Aliases are not supported for this operation.",
    } == error_of(kms.client, method, KeyId=name, **METHODS[method])


@both_operations
def test_an_unknown_key(kms: FakeKMS, method: str) -> None:
    """AWS names the ARN that it looked for."""
    unknown = f"mrk-{'0' * 32}"
    assert {
        "Code": "NotFoundException",
        "Message": f"Key '{arn('us-east-1', unknown)}' does not exist",
    } == error_of(kms.client, method, KeyId=unknown, **METHODS[method])


def test_a_replica_counts_as_a_key_of_its_region(kms: FakeKMS, key: Key) -> None:
    """The quota is that of the other Region."""
    kms.quotas["KMS keys"] = 1
    other = kms.create_key(region="us-west-2")
    assert {
        "Code": "LimitExceededException",
        "Message": "Key quota for this account in this region is 1 but the current usage is 1.",
    } == error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")
    kms.client_for(region="us-west-2").schedule_key_deletion(KeyId=other.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    replicate(kms, key)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([("a", "1"), ("a", "2")], "Duplicate tag keys"),
        ([("aws:a", "1")], "Tags beginning with aws: are reserved"),
        ([(str(number), "") for number in range(51)], "Too many tags"),
    ],
    ids=["twice", "reserved", "51"],
)
def test_tags_that_aws_does_not_take(kms: FakeKMS, key: Key, tags: list[tuple[str, str]], message: str) -> None:
    """The rules are those of CreateKey."""
    given = [{"TagKey": name, "TagValue": value} for name, value in tags]
    assert {"Code": "TagException", "Message": message} == error_of(
        kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2", Tags=given
    )


def test_a_policy_that_aws_does_not_take(kms: FakeKMS, key: Key) -> None:
    """The rules are those of CreateKey."""
    error = error_of(kms.client, "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2", Policy="nonsense")
    assert "MalformedPolicyDocumentException" == error["Code"]


# UpdatePrimaryRegion


def test_the_primary_moves(kms: FakeKMS, key: Key) -> None:
    """The answer is empty, the roles change at once, both keys are Updating for two seconds."""
    replica = kms.replicate(key, "us-west-2")
    kms.replicate(key, "eu-west-1")
    answer = kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    assert {} == members_of(answer)
    relatives = family(key.id, "us-west-2", "eu-west-1", "us-east-1")
    for region, kind, state in (
        ("us-east-1", "REPLICA", "Updating"),
        ("us-west-2", "PRIMARY", "Updating"),
        ("eu-west-1", "REPLICA", "Enabled"),
    ):
        shown = describe(kms, key.id, region)
        assert {"MultiRegionKeyType": kind, **relatives} == shown["MultiRegionConfiguration"]
        assert (state, state == "Enabled") == (shown["KeyState"], shown["Enabled"])
    kms.clock.advance(seconds=2)
    assert ["Enabled", "Enabled"] == [
        describe(kms, key.id, region)["KeyState"] for region in ("us-east-1", "us-west-2")
    ]
    assert ("REPLICA", "PRIMARY") == (key.multi_region, replica.multi_region)


def test_keys_work_while_the_primary_moves(kms: FakeKMS, key: Key) -> None:
    """They encrypt and decrypt, but cannot be disabled, replicated or scheduled for deletion."""
    kms.replicate(key, "us-west-2")
    kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    west = kms.client_for(region="us-west-2")
    assert b"x" == west.decrypt(CiphertextBlob=blob)["Plaintext"]
    updating = unfit(arn("us-west-2", key.id), "Updating")
    assert updating == error_of(west, "replicate_key", KeyId=key.id, ReplicaRegion="eu-west-1")
    assert updating == error_of(west, "disable_key", KeyId=key.id)
    assert updating == error_of(west, "schedule_key_deletion", KeyId=key.id)


def test_the_primary_may_move_back_at_once(kms: FakeKMS, key: Key) -> None:
    """While the keys are Updating, AWS takes another call."""
    kms.replicate(key, "us-west-2")
    kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    kms.clock.advance(seconds=1)
    kms.client_for(region="us-west-2").update_primary_region(KeyId=key.id, PrimaryRegion="us-east-1")
    kms.clock.advance(seconds=1)
    assert ("PRIMARY", "Updating") == (key.multi_region, describe(kms, key.id, "us-east-1")["KeyState"])
    kms.clock.advance(seconds=1)
    assert "Enabled" == describe(kms, key.id, "us-east-1")["KeyState"]


def test_the_new_primary_does_what_primaries_do(kms: FakeKMS, key: Key) -> None:
    """It is replicated and rotated; the old one is a replica like any other."""
    kms.replicate(key, "us-west-2")
    kms.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = kms.clock.now + days(90)
    kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    kms.clock.advance(seconds=2)
    west = kms.client_for(region="us-west-2")
    west.replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1")
    assert "UnsupportedOperationException" == error_of(kms.client, "disable_key_rotation", KeyId=key.id)["Code"]
    assert due == west.get_key_rotation_status(KeyId=key.id)["NextRotationDate"]
    kms.client.disable_key(KeyId=key.id)
    kms.clock.advance(days=90)
    (rotation,) = kms.client.list_key_rotations(KeyId=key.id)["Rotations"]
    assert due == rotation["RotationDate"]
    assert [arn("us-west-2", key.id)] == [event.key for event in kms.trail if event.operation == "RotateKey"]


def test_the_primary_may_stay(kms: FakeKMS, key: Key) -> None:
    """Naming the Region where it is succeeds and changes nothing."""
    kms.replicate(key, "us-west-2")
    before = describe(kms, key.id, "us-east-1")
    assert {} == members_of(kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-east-1"))
    assert before == describe(kms, key.id, "us-east-1")


@pytest.mark.parametrize("region", ["eu-west-1", "us-invalid-1", "cn-north-1"])
def test_the_primary_moves_to_a_replica_only(kms: FakeKMS, key: Key, region: str) -> None:
    """A Region without one is refused, and so is one whose replica is deleted."""
    kms.replicate(key, "us-west-2")
    expected = {
        "Code": "ValidationException",
        "Message": f"{key.id} does not have a replica key in the specified Region.",
    }
    assert expected == error_of(kms.client, "update_primary_region", KeyId=key.id, PrimaryRegion=region)
    kms.client_for(region="us-west-2").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert expected == error_of(kms.client, "update_primary_region", KeyId=key.id, PrimaryRegion="us-west-2")


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1"])
def test_a_replica_is_not_asked_to_move_the_primary(kms: FakeKMS, key: Key, region: str) -> None:
    """AWS says so with another code than ReplicateKey has."""
    replica = kms.replicate(key, "us-west-2", state="Disabled")
    assert {
        "Code": "KMSInvalidStateException",
        "Message": f"{replica.arn} is not a multi-Region primary key.",
    } == error_of(kms.client_for(region="us-west-2"), "update_primary_region", KeyId=replica.id, PrimaryRegion=region)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("culprit", ["primary", "replica"])
def test_the_states_of_both_keys(kms: FakeKMS, key: Key, culprit: str, state: str) -> None:
    """Both have to be enabled, or Updating; AWS names the one that is not."""
    replica = kms.replicate(key, "us-west-2")
    wrong = key if culprit == "primary" else replica
    wrong.state = state
    if state in ("Enabled", "Updating"):
        kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
        assert "REPLICA" == key.multi_region
        return
    # A primary that is scheduled for deletion while it has replicas waits for theirs.
    named = "PendingReplicaDeletion" if (culprit, state) == ("primary", "PendingDeletion") else state
    refused = error_of(kms.client, "update_primary_region", KeyId=key.id, PrimaryRegion="us-west-2")
    assert unfit(wrong.arn, named) == refused
    assert "PRIMARY" == key.multi_region


def test_the_primary_s_state_is_looked_at_first(kms: FakeKMS, key: Key) -> None:
    """Where both are disabled, AWS names the primary."""
    kms.replicate(key, "us-west-2", state="Disabled")
    key.state = "Disabled"
    refused = error_of(kms.client, "update_primary_region", KeyId=key.id, PrimaryRegion="us-west-2")
    assert unfit(key.arn, "Disabled") == refused


# Deletion


def test_a_primary_goes_after_its_replicas(kms: FakeKMS, key: Key) -> None:
    """Its waiting period begins when the last one is gone."""
    kms.replicate(key, "us-west-2")
    kms.replicate(key, "eu-west-1")
    answer = members_of(kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=10))
    assert {"KeyId": key.arn, "KeyState": "PendingReplicaDeletion", "PendingWindowInDays": 10} == answer
    kms.client_for(region="us-west-2").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    kms.client_for(region="eu-west-1").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=8)
    assert (
        family(key.id, "us-east-1", "eu-west-1")["ReplicaKeys"]
        == (describe(kms, key.id, "us-east-1")["MultiRegionConfiguration"]["ReplicaKeys"])
    )
    gone = kms.clock.now + days(8)
    kms.clock.advance(days=9)
    shown = describe(kms, key.id, "us-east-1")
    assert ("PendingDeletion", gone + days(10)) == (shown["KeyState"], shown["DeletionDate"])
    kms.clock.advance(days=9)
    assert "NotFoundException" == error_of(kms.client, "describe_key", KeyId=key.id)["Code"]
    assert [arn(region, key.id) for region in ("us-west-2", "eu-west-1", "us-east-1")] == [
        event.key for event in kms.trail if event.operation == "DeleteKey"
    ]


def test_a_primary_that_waits_for_its_replicas_may_stay(kms: FakeKMS, key: Key) -> None:
    """Cancelled, it is disabled, and the deletion of its replicas means nothing to it."""
    kms.replicate(key, "us-west-2")
    kms.client.schedule_key_deletion(KeyId=key.id)
    kms.client_for(region="us-west-2").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.client.cancel_key_deletion(KeyId=key.id)
    kms.clock.advance(days=100)
    assert "Disabled" == describe(kms, key.id, "us-east-1")["KeyState"]


def test_a_replica_may_be_deleted_while_it_is_made(kms: FakeKMS, key: Key) -> None:
    """It stays pending deletion; cancelled, it is disabled like any other."""
    replicate(kms, key)
    west = kms.client_for(region="us-west-2")
    west.schedule_key_deletion(KeyId=key.id)
    kms.clock.advance(seconds=2)
    assert "PendingDeletion" == describe(kms, key.id, "us-west-2")["KeyState"]
    west.cancel_key_deletion(KeyId=key.id)
    assert "Disabled" == describe(kms, key.id, "us-west-2")["KeyState"]


# Quotas


def impatient(kms: FakeKMS, region: str) -> Any:
    """Return a client that does not try again."""
    return kms.client_for(region=region, config=Config(retries={"total_max_attempts": 1}))


def test_a_replica_costs_two_requests_of_create_key(kms: FakeKMS, key: Key) -> None:
    """They count in its Region, five a second by default: two replicas of keys leave one for CreateKey."""
    others = [kms.create_key(multi_region=True) for _ in range(2)]
    east, west = impatient(kms, "us-east-1"), impatient(kms, "us-west-2")
    for primary in (key, others[0]):
        east.replicate_key(KeyId=primary.id, ReplicaRegion="us-west-2")
    west.create_key()
    assert "ThrottlingException" == error_of(west, "create_key")["Code"]
    assert (
        "ThrottlingException" == error_of(east, "replicate_key", KeyId=others[1].id, ReplicaRegion="us-west-2")["Code"]
    )
    east.replicate_key(KeyId=others[1].id, ReplicaRegion="eu-west-1")
    assert "over quota: CreateKey request rate is 5 per second for account 123456789012 in us-west-2" == (
        kms.trail.filter("ReplicateKey", error="ThrottlingException")[0].why
    )
    for _ in range(5):
        east.create_key()
    kms.clock.advance(seconds=1)
    west.create_key()


def test_replicate_key_has_a_quota_of_its_own(kms: FakeKMS, key: Key) -> None:
    """A call over it does not count anywhere else."""
    kms.quotas["ReplicateKey"] = 0
    kms.quotas["CreateKey"] = 1
    assert (
        "ThrottlingException"
        == error_of(impatient(kms, "us-east-1"), "replicate_key", KeyId=key.id, ReplicaRegion="us-west-2")["Code"]
    )
    impatient(kms, "us-west-2").create_key()


def test_the_new_primary_counts_the_call_as_well(kms: FakeKMS, key: Key) -> None:
    """UpdatePrimaryRegion is one request in each of the two Regions."""
    kms.quotas["UpdatePrimaryRegion"] = 1
    kms.replicate(key, "us-west-2")
    impatient(kms, "us-east-1").update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    assert (
        "ThrottlingException"
        == error_of(impatient(kms, "us-west-2"), "update_primary_region", KeyId=key.id, PrimaryRegion="us-east-1")[
            "Code"
        ]
    )
    kms.clock.advance(seconds=1)
    impatient(kms, "us-west-2").update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    assert (
        "ThrottlingException"
        == error_of(impatient(kms, "us-west-2"), "update_primary_region", KeyId=key.id, PrimaryRegion="us-west-2")[
            "Code"
        ]
    )


# The trail


def test_replication_is_in_the_trail(kms: FakeKMS, key: Key) -> None:
    """The call names the primary; what KMS tells the replica comes behind it."""
    replicate(kms, key)
    call, told = kms.trail.filter(key=key)
    assert ("ReplicateKey", key.arn, False) == (call.operation, call.key, call.read_only)
    assert {"KeyId": key.id, "ReplicaRegion": "us-west-2"} == call.parameters
    assert ("SynchronizeMultiRegionKey", key.arn, {}) == (told.operation, told.key, told.service_event)


def test_a_move_names_both_keys(kms: FakeKMS, key: Key) -> None:
    """It takes permission on the old primary and on the new one."""
    replica = kms.replicate(key, "us-west-2")
    kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="us-west-2")
    call = kms.trail.last
    assert [("KeyId", key.arn, "UpdatePrimaryRegion"), ("PrimaryRegion", replica.arn, "UpdatePrimaryRegion")] == [
        (use.member, use.key, use.action) for use in call.uses
    ]
    kms.assert_called("UpdatePrimaryRegion", key=key, times=1)
    kms.assert_called("UpdatePrimaryRegion", key=replica, times=1)


def test_a_use_is_of_the_key_in_its_region(kms: FakeKMS, key: Key) -> None:
    """The key id means all members, each ARN but one."""
    replica = kms.replicate(key, "us-west-2")
    kms.client_for(region="us-west-2").encrypt(KeyId=key.id, Plaintext=b"x")
    kms.assert_used(replica, "Encrypt", times=1)
    kms.assert_not_used(key)
    kms.assert_used(key.id, "Encrypt", times=1)


# Any sequence

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-east-1")
STEPS = st.one_of(
    st.tuples(st.just("seal"), st.sampled_from(REGIONS)),
    st.tuples(st.just("replicate"), st.sampled_from(REGIONS)),
    st.tuples(st.just("move"), st.sampled_from(REGIONS)),
    st.tuples(st.just("delete"), st.sampled_from(REGIONS)),
    st.tuples(st.just("rotate"), st.none()),
    st.tuples(st.just("wait"), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=15))
def test_any_ciphertext_opens_wherever_a_member_is(steps: list[tuple[str, str | None]]) -> None:
    """Of whatever material, sealed by whichever member, before or after the others came."""
    with fake_kms(region="us-east-1", quotas=False) as kms:
        key = kms.create_key(multi_region=True)
        kms.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
        primary, members = "us-east-1", {"us-east-1"}
        sealed = [(kms.encrypt(key, b"0"), b"0", key.material_id)]
        for number, (step, region) in enumerate(steps, start=1):
            client = kms.client_for(region=region if region in members else primary)
            if step == "seal":
                plaintext = b"%d" % number
                blob = client.encrypt(KeyId=key.id, Plaintext=plaintext)["CiphertextBlob"]
                sealed.append((blob, plaintext, key.material_id))
            elif step == "replicate" and region and region not in members:
                kms.client_for(region=primary).replicate_key(KeyId=key.id, ReplicaRegion=region)
                members.add(region)
            elif step == "move" and region in members:
                kms.client_for(region=primary).update_primary_region(KeyId=key.id, PrimaryRegion=region)
                primary = region
            elif step == "delete" and region in members and region != primary:
                client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
                kms.clock.advance(days=7)
                members.remove(region)
            elif step == "rotate":
                kms.client_for(region=primary).rotate_key_on_demand(KeyId=key.id)
                kms.clock.advance(seconds=120)
            elif step == "wait":
                kms.clock.advance(days=90)
            kms.clock.advance(seconds=2)
            kms.client.list_keys()  # what has fallen due happens
            for place in members:
                for blob, plaintext, material_id in sealed:
                    answer = kms.client_for(region=place).decrypt(CiphertextBlob=blob)
                    assert (plaintext, material_id.hex(), arn(place, key.id)) == (
                        answer["Plaintext"],
                        answer["KeyMaterialId"],
                        answer["KeyId"],
                    )
