"""Keys are made, described, listed, enabled, disabled and deleted as AWS does it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import freezegun
import pytest
from answers import STATES, each_unfit_name, error_of, invalid, members_of, unchecked, unfit

from pytest_kms import FakeKMS, Key, fake_kms

pytestmark = pytest.mark.kms(region="us-east-1")

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MEMBERS = {
    "UpdateKeyDescription": {"Description": "orders"},
    "EnableKey": {},
    "DisableKey": {},
    "ScheduleKeyDeletion": {},
    "CancelKeyDeletion": {},
}
IN_STORE = {"CustomKeyStoreId": "cks-1234567890abcdef0"}
METHODS = {
    "UpdateKeyDescription": "update_key_description",
    "EnableKey": "enable_key",
    "DisableKey": "disable_key",
    "ScheduleKeyDeletion": "schedule_key_deletion",
    "CancelKeyDeletion": "cancel_key_deletion",
}
TOO_LONG_DESCRIPTION = (
    "at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192"
)
REFUSED_IN = {
    "UpdateKeyDescription": ("PendingDeletion", "PendingReplicaDeletion"),
    "EnableKey": ("PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Creating", "Updating"),
    "DisableKey": ("PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Creating", "Updating"),
    "ScheduleKeyDeletion": ("PendingDeletion", "PendingReplicaDeletion", "Updating"),
}


# CreateKey


def test_a_new_key_has_the_defaults_of_aws(kms: FakeKMS) -> None:
    """Without a word about it, a key is a symmetric encryption key of the caller's account, enabled at once."""
    kms.clock.freeze()
    metadata = kms.client.create_key()["KeyMetadata"]
    key_id, material_id = metadata["KeyId"], metadata["CurrentKeyMaterialId"]
    assert UUID.fullmatch(key_id)
    assert re.fullmatch("[0-9a-f]{64}", material_id)
    assert metadata == {
        "AWSAccountId": "123456789012",
        "KeyId": key_id,
        "Arn": f"arn:aws:kms:us-east-1:123456789012:key/{key_id}",
        "CreationDate": kms.clock.now,
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
        "CurrentKeyMaterialId": material_id,
    }


def test_create_key_answers_what_describe_key_answers(kms: FakeKMS) -> None:
    """The two show a key in the same words."""
    created = kms.client.create_key(Description="orders")["KeyMetadata"]
    assert created == kms.client.describe_key(KeyId=created["KeyId"])["KeyMetadata"]
    assert "orders" == created["Description"]


@pytest.mark.parametrize(
    "members",
    [
        {"KeySpec": "SYMMETRIC_DEFAULT"},
        {"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"},
        {"KeyUsage": "ENCRYPT_DECRYPT"},
        {"Origin": "AWS_KMS"},
        {"MultiRegion": False},
        {"BypassPolicyLockoutSafetyCheck": False},
        {"Tags": []},
    ],
    ids=lambda members: next(iter(members)),
)
def test_a_default_may_be_spelt_out(kms: FakeKMS, members: dict[str, Any]) -> None:
    """A member that asks for what comes anyway changes nothing."""
    told = kms.client.create_key(**members)["KeyMetadata"]
    silent = kms.client.create_key()["KeyMetadata"]
    own = ("KeyId", "Arn", "CreationDate", "CurrentKeyMaterialId")
    assert {n: v for n, v in silent.items() if n not in own} == {n: v for n, v in told.items() if n not in own}


def test_no_two_keys_share_id_or_material(kms: FakeKMS) -> None:
    """Each key has an id and a key material of its own."""
    kms.quotas.off()
    keys = [kms.client.create_key()["KeyMetadata"] for _ in range(20)]
    assert 20 == len({key["KeyId"] for key in keys})
    assert 20 == len({key["CurrentKeyMaterialId"] for key in keys})


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_a_key_lives_where_the_call_went(kms: FakeKMS, region: str, partition: str) -> None:
    """The Region of the client is the Region of the key, and gives the partition of its ARN."""
    metadata = kms.client_for(region=region).create_key()["KeyMetadata"]
    assert f"arn:{partition}:kms:{region}:123456789012:key/{metadata['KeyId']}" == metadata["Arn"]


@pytest.mark.kms(account="210987654321")
def test_a_key_belongs_to_the_account_of_the_caller(kms: FakeKMS) -> None:
    """The account of the default principal owns what it makes."""
    metadata = kms.client.create_key()["KeyMetadata"]
    assert "210987654321" == metadata["AWSAccountId"]
    assert f"arn:aws:kms:us-east-1:210987654321:key/{metadata['KeyId']}" == metadata["Arn"]


def test_a_key_may_be_described_in_8192_characters(kms: FakeKMS) -> None:
    """The longest description is taken as it is."""
    assert "é" * 8192 == kms.client.create_key(Description="é" * 8192)["KeyMetadata"]["Description"]


def test_a_key_may_have_50_tags(kms: FakeKMS) -> None:
    """The most tags, the longest names and values, and an empty value are taken."""
    tags: list[Any] = [{"TagKey": f"{number:0128}", "TagValue": "v" * 256} for number in range(49)]
    kms.client.create_key(Tags=[*tags, {"TagKey": "empty", "TagValue": ""}])
    assert kms.trail[-1].succeeded


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        pytest.param([("team", "a"), ("team", "b")], "Duplicate tag keys", id="twice the same"),
        pytest.param([("aws:team", "a")], "Tags beginning with aws: are reserved", id="aws:"),
        pytest.param([("AWS:team", "a")], "Tags beginning with aws: are reserved", id="AWS:"),
        pytest.param([(str(number), "") for number in range(51)], "Too many tags", id="51 tags"),
    ],
)
def test_tags_that_aws_does_not_take(kms: FakeKMS, tags: list[tuple[str, str]], message: str) -> None:
    """Tags must be different, not AWS's own, and no more than 50."""
    given = [{"TagKey": name, "TagValue": value} for name, value in tags]
    assert {"Code": "TagException", "Message": message} == error_of(kms.client, "create_key", Tags=given)
    assert [] == kms.client.list_keys()["Keys"]


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        pytest.param(
            {"Description": "x" * 8193},
            f"Value '{'x' * 8193}' {TOO_LONG_DESCRIPTION}",
            id="long description",
        ),
        pytest.param(
            {"Tags": [{"TagKey": "", "TagValue": "v"}]},
            "Value '' at 'tags.1.member.tagKey' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1",
            id="empty tag name",
        ),
        pytest.param(
            {"Tags": [{"TagKey": "a", "TagValue": "v"}, {"TagKey": "k" * 129, "TagValue": "v"}]},
            f"Value '{'k' * 129}' at 'tags.2.member.tagKey' failed to satisfy constraint:"
            " Member must have length less than or equal to 128",
            id="long tag name",
        ),
        pytest.param(
            {"Tags": [{"TagKey": "a", "TagValue": "v" * 257}]},
            f"Value '{'v' * 257}' at 'tags.1.member.tagValue' failed to satisfy constraint:"
            " Member must have length less than or equal to 256",
            id="long tag value",
        ),
        pytest.param(
            {"Tags": [{"TagKey": "a"}]},
            "Value null at 'tags.1.member.tagValue' failed to satisfy constraint: Member must not be null",
            id="no tag value",
        ),
    ],
)
def test_members_of_a_new_key_have_limits(kms: FakeKMS, members: dict[str, Any], violation: str) -> None:
    """What is too long, too short or missing is named with its place."""
    assert invalid(violation) == error_of(unchecked(kms), "create_key", **members)


@pytest.mark.parametrize(
    ("member", "place", "names"),
    [
        ("KeyUsage", "keyUsage", {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"}),
        ("Origin", "origin", {"AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"}),
        (
            "KeySpec",
            "keySpec",
            {
                *("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096", "SM2"),
                *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"),
                *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"),
            },
        ),
    ],
)
def test_a_word_that_aws_does_not_know_is_answered_with_those_it_knows(
    kms: FakeKMS, member: str, place: str, names: set[str]
) -> None:
    """The message lists the values; their order is AWS's own and means nothing."""
    error = error_of(kms.client, "create_key", **{member: "AES"})
    told, listed = error["Message"].removesuffix("]").split(" [")
    assert "ValidationException" == error["Code"]
    assert (
        f"1 validation error detected: Value 'AES' at '{place}' failed to satisfy constraint:"
        " Member must satisfy enum value set:"
    ) == told
    assert names == set(listed.split(", "))


def test_all_violations_are_told_at_once(kms: FakeKMS) -> None:
    """One message counts and lists every member that is wrong."""
    long = "x" * 8193
    assert invalid(
        f"Value '{long}' {TOO_LONG_DESCRIPTION}",
        f"Value '{'k' * 129}' at 'tags.1.member.tagKey' failed to satisfy constraint:"
        " Member must have length less than or equal to 128",
        f"Value '{'v' * 257}' at 'tags.1.member.tagValue' failed to satisfy constraint:"
        " Member must have length less than or equal to 256",
    ) == error_of(kms.client, "create_key", Description=long, Tags=[{"TagKey": "k" * 129, "TagValue": "v" * 257}])


@pytest.mark.parametrize("usage", ["SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"])
def test_a_symmetric_key_only_encrypts(kms: FakeKMS, usage: str) -> None:
    """Any other usage is not compatible with the key spec."""
    assert {
        "Code": "ValidationException",
        "Message": f"KeyUsage {usage} is not compatible with KeySpec SYMMETRIC_DEFAULT",
    } == error_of(kms.client, "create_key", KeyUsage=usage)


def test_the_key_spec_is_given_in_one_spelling(kms: FakeKMS) -> None:
    """KeySpec and its deprecated twin exclude each other."""
    assert {
        "Code": "ValidationException",
        "Message": "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
        " CustomerMasterKeySpec is deprecated.",
    } == error_of(kms.client, "create_key", KeySpec="SYMMETRIC_DEFAULT", CustomerMasterKeySpec="SYMMETRIC_DEFAULT")


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_an_ml_dsa_key_has_no_material_of_the_owner_s(kms: FakeKMS, spec: str) -> None:
    """Its origin is KMS itself."""
    members = {"KeySpec": spec, "KeyUsage": "SIGN_VERIFY", "Origin": "EXTERNAL"}
    assert {
        "Code": "ValidationException",
        "Message": f"KeySpec {spec} is not supported for Origin EXTERNAL",
    } == error_of(kms.client, "create_key", **members)


@pytest.mark.parametrize("origin", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
@pytest.mark.parametrize(("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_key_stores_hold_symmetric_encryption_keys_alone(kms: FakeKMS, origin: str, spec: str, usage: str) -> None:
    """Whether the key store is named or not."""
    assert {
        "Code": "ValidationException",
        "Message": f"KeySpec {spec} is not supported for Origin {origin}",
    } == error_of(kms.client, "create_key", KeySpec=spec, KeyUsage=usage, Origin=origin)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"Origin": "AWS_CLOUDHSM"}, "CustomKeyStoreId is required for Origin AWS_CLOUDHSM"),
        ({"Origin": "EXTERNAL_KEY_STORE"}, "CustomKeyStoreId is required for Origin EXTERNAL_KEY_STORE"),
        ({"Origin": "EXTERNAL", **IN_STORE}, "CustomKeyStoreId is not valid for Origin EXTERNAL"),
        (IN_STORE, "CustomKeyStoreId is not valid for Origin AWS_KMS"),
        ({"Origin": "EXTERNAL_KEY_STORE", **IN_STORE}, "XksKeyId is required for Origin EXTERNAL_KEY_STORE"),
        ({"Origin": "AWS_CLOUDHSM", **IN_STORE, "XksKeyId": "a"}, "XksKeyId is not valid for Origin AWS_CLOUDHSM"),
        ({"XksKeyId": "a"}, "XksKeyId is not valid for Origin AWS_KMS"),
        (
            {"Origin": "AWS_CLOUDHSM", **IN_STORE, "MultiRegion": True},
            "MultiRegion is not valid for Origin AWS_CLOUDHSM",
        ),
        (
            {"Origin": "EXTERNAL_KEY_STORE", **IN_STORE, "XksKeyId": "a", "MultiRegion": True},
            "MultiRegion is not valid for Origin EXTERNAL_KEY_STORE",
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_members_belong_to_an_origin(kms: FakeKMS, members: dict[str, Any], sentence: str) -> None:
    """Keys of key stores need theirs, and no other keys take what names one."""
    assert {"Code": "ValidationException", "Message": sentence} == error_of(kms.client, "create_key", **members)
    assert [] == kms.client.list_keys()["Keys"]


# DescribeKey


@pytest.mark.parametrize("state", STATES)
def test_a_key_is_described_in_every_state(kms: FakeKMS, state: str) -> None:
    """DescribeKey works in all states, and says Enabled in that one alone."""
    key = kms.create_key(state=state)
    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert state == metadata["KeyState"]
    assert (state == "Enabled") is metadata["Enabled"]


@pytest.mark.parametrize("state", STATES)
def test_a_deletion_date_is_shown_while_deletion_is_pending(kms: FakeKMS, state: str) -> None:
    """No other state shows one."""
    key = kms.create_key(state=state)
    shown = "DeletionDate" in kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert (state == "PendingDeletion") is shown


def test_an_aws_managed_key_says_what_it_protects(kms: FakeKMS) -> None:
    """Naming a predefined alias brings the key behind it into being."""
    metadata = kms.client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert "AWS" == metadata["KeyManager"]
    assert "Default key that protects my S3 objects when no other key is defined" == metadata["Description"]
    assert metadata == kms.client.describe_key(KeyId=metadata["Arn"])["KeyMetadata"]


@pytest.mark.parametrize(
    "method", ["describe_key", "enable_key", "disable_key", "schedule_key_deletion", "cancel_key_deletion"]
)
def test_a_key_must_be_named(kms: FakeKMS, method: str) -> None:
    """KeyId is required of every operation on a key."""
    assert invalid("Value null at 'keyId' failed to satisfy constraint: Member must not be null") == error_of(
        unchecked(kms), method
    )


# ListKeys


def test_list_keys_shows_ids_and_arns_in_order(kms: FakeKMS) -> None:
    """Customer managed and AWS managed keys are listed alike, in every state."""
    keys = [kms.create_key(state=state) for state in STATES]
    keys.append(kms.aws_managed_key("s3"))
    answer = kms.client.list_keys()
    entries = [{"KeyId": key.id, "KeyArn": key.arn} for key in sorted(keys, key=lambda key: key.id)]
    assert {"Keys": entries, "Truncated": False} == members_of(answer)


def test_list_keys_shows_nothing_from_elsewhere(kms: FakeKMS) -> None:
    """Keys of other Regions and accounts, and keys that AWS owns, are not listed."""
    kms.create_key(region="eu-west-1")
    kms.create_key(account="210987654321")
    kms.aws_owned_key("dynamodb")
    assert {"Keys": [], "Truncated": False} == members_of(kms.client.list_keys())


# UpdateKeyDescription


@pytest.mark.parametrize("description", ["orders", "", "é" * 8192], ids=["words", "empty", "longest"])
def test_a_key_is_described_in_other_words(kms: FakeKMS, description: str) -> None:
    """The new description replaces the old one; the answer is empty."""
    key = kms.create_key(description="old")
    assert {} == members_of(kms.client.update_key_description(KeyId=key.id, Description=description))
    assert description == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["Description"]


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        (
            {"Description": "x" * 8193},
            f"Value '{'x' * 8193}' {TOO_LONG_DESCRIPTION}",
        ),
        ({}, "Value null at 'description' failed to satisfy constraint: Member must not be null"),
    ],
    ids=["too long", "missing"],
)
def test_a_description_that_aws_does_not_take(kms: FakeKMS, members: dict[str, str], violation: str) -> None:
    """The old description stays."""
    key = kms.create_key(description="old")
    assert invalid(violation) == error_of(unchecked(kms), "update_key_description", KeyId=key.id, **members)
    assert "old" == key.description


# EnableKey, DisableKey


@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
@pytest.mark.parametrize(("method", "after"), [("enable_key", "Enabled"), ("disable_key", "Disabled")])
def test_a_key_is_switched_on_and_off(kms: FakeKMS, before: str, method: str, after: str) -> None:
    """Whatever it was before, and with an empty answer."""
    key = kms.create_key(state=before)
    assert {} == members_of(getattr(kms.client, method)(KeyId=key.id))
    assert after == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]


@pytest.mark.parametrize("method", ["enable_key", "disable_key"])
def test_an_unavailable_key_stays_unavailable(kms: FakeKMS, method: str) -> None:
    """The call succeeds, but only its key store brings the key back."""
    key = kms.create_key(state="Unavailable")
    assert {} == members_of(getattr(kms.client, method)(KeyId=key.id))
    assert "Unavailable" == key.state


def test_a_key_that_was_disabled_and_enabled_decrypts_again(kms: FakeKMS) -> None:
    """The key material is the same."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"secret")
    kms.client.disable_key(KeyId=key.id)
    assert unfit(key.arn, "Disabled") == error_of(kms.client, "decrypt", CiphertextBlob=blob)
    kms.client.enable_key(KeyId=key.id)
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


# States


@pytest.mark.parametrize(
    ("operation", "state"),
    [(operation, state) for operation, states in REFUSED_IN.items() for state in states],
)
def test_an_operation_is_refused_in_a_state(kms: FakeKMS, operation: str, state: str) -> None:
    """The message names the key and its state, and the key stays as it was."""
    key = kms.create_key(state=state, description="before")
    assert unfit(key.arn, state) == error_of(kms.client, METHODS[operation], KeyId=key.id, **MEMBERS[operation])
    assert (state, "before") == (key.state, key.description)


@pytest.mark.parametrize(
    ("operation", "state"),
    [(operation, state) for operation, refused in REFUSED_IN.items() for state in STATES if state not in refused],
)
def test_an_operation_works_in_a_state(kms: FakeKMS, operation: str, state: str) -> None:
    """What AWS's table of key states does not refuse succeeds."""
    key = kms.create_key(state=state)
    getattr(kms.client, METHODS[operation])(KeyId=key.id, **MEMBERS[operation])
    assert kms.trail[-1].succeeded


# ScheduleKeyDeletion


@pytest.mark.parametrize(
    ("members", "days"),
    [({}, 30), ({"PendingWindowInDays": 7}, 7), ({"PendingWindowInDays": 30}, 30)],
    ids=["by default", "shortest", "longest"],
)
def test_a_key_waits_for_its_deletion(kms: FakeKMS, members: dict[str, Any], days: int) -> None:
    """The answer tells when it will be deleted, to the millisecond, and DescribeKey tells it too."""
    kms.clock.freeze()
    key = kms.create_key()
    date = kms.clock.now + dt.timedelta(days=days)
    assert {
        "KeyId": key.arn,
        "DeletionDate": date,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    } == members_of(kms.client.schedule_key_deletion(KeyId=key.id, **members))
    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert ("PendingDeletion", False, date) == (
        metadata["KeyState"],
        metadata["Enabled"],
        metadata["DeletionDate"],
    )


@pytest.mark.parametrize(
    ("days", "constraint"),
    [
        pytest.param(0, "greater than or equal to 1", id="0, which the model refuses"),
        pytest.param(366, "less than or equal to 365", id="366, which the model refuses"),
        # AWS's own words for these two were never seen.
        pytest.param(6, "greater than or equal to 7", id="6, which KMS refuses"),
        pytest.param(31, "less than or equal to 30", id="31, which KMS refuses"),
    ],
)
def test_a_waiting_period_has_7_to_30_days(kms: FakeKMS, days: int, constraint: str) -> None:
    """KMS's model allows 1 to 365 days, KMS itself less."""
    key = kms.create_key()
    assert invalid(
        f"Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value {constraint}"
    ) == error_of(unchecked(kms), "schedule_key_deletion", KeyId=key.id, PendingWindowInDays=days)
    assert "Enabled" == key.state


def test_a_waiting_period_cannot_be_changed(kms: FakeKMS) -> None:
    """A key that is pending deletion keeps its date."""
    key = kms.create_key()
    date = kms.client.schedule_key_deletion(KeyId=key.id)["DeletionDate"]
    error_of(kms.client, "schedule_key_deletion", KeyId=key.id, PendingWindowInDays=7)
    assert date == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["DeletionDate"]


def test_a_key_lives_until_its_waiting_period_is_over(kms: FakeKMS) -> None:
    """A second before the date it is described, at the date it is gone."""
    kms.clock.freeze()
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7, seconds=-1)
    assert "PendingDeletion" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
    kms.clock.advance(seconds=1)
    gone = {"Code": "NotFoundException", "Message": f"Key '{key.arn}' does not exist"}
    assert gone == error_of(kms.client, "describe_key", KeyId=key.id)
    assert gone == error_of(kms.client, "cancel_key_deletion", KeyId=key.id)


def test_all_that_belongs_to_a_key_goes_with_it(kms: FakeKMS) -> None:
    """Its aliases and its entry in the lists are gone, and what it has encrypted is lost."""
    key, other = kms.create_key("orders"), kms.create_key("invoices")
    kms.client.create_alias(AliasName="alias/purchases", TargetKeyId=key.id)
    blob = kms.encrypt(key, b"secret")
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert [other.id] == [entry["KeyId"] for entry in kms.client.list_keys()["Keys"]]
    targets = [entry.get("TargetKeyId") for entry in kms.client.list_aliases()["Aliases"]]
    assert [other.id] == [target for target in targets if target]
    for name in ("orders", "purchases"):
        assert {
            "Code": "NotFoundException",
            "Message": f"Alias arn:aws:kms:us-east-1:123456789012:alias/{name} is not found.",
        } == error_of(kms.client, "describe_key", KeyId=f"alias/{name}")
    assert {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms:Decrypt"
        " on the resource associated with this ciphertext because the resource does not exist in this Region,"
        " no resource-based policies allow access, or a resource-based policy explicitly denies access",
    } == error_of(kms.client, "decrypt", CiphertextBlob=blob)


def test_the_name_of_a_deleted_key_is_free_again(kms: FakeKMS) -> None:
    """A new key may take the alias."""
    old, new = kms.create_key("orders"), kms.create_key()
    kms.client.schedule_key_deletion(KeyId=old.id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    kms.client.create_alias(AliasName="alias/orders", TargetKeyId=new.id)
    assert new.arn == kms.client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]


# CancelKeyDeletion


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion"])
def test_a_key_that_was_saved_is_disabled(kms: FakeKMS, state: str) -> None:
    """The answer names the key, which has no deletion date any more."""
    key = kms.create_key(state=state)
    assert {"KeyId": key.arn} == members_of(kms.client.cancel_key_deletion(KeyId=key.id))
    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert ("Disabled", False) == (metadata["KeyState"], metadata["Enabled"])
    assert "DeletionDate" not in metadata


@pytest.mark.parametrize("state", [state for state in STATES if not state.endswith("Deletion")])
def test_only_a_deletion_that_is_pending_can_be_cancelled(kms: FakeKMS, state: str) -> None:
    """In every other state the call is refused."""
    key = kms.create_key(state=state)
    assert {
        "Code": "KMSInvalidStateException",
        "Message": f"{key.arn} is not pending deletion.",
    } == error_of(kms.client, "cancel_key_deletion", KeyId=key.id)
    assert state == key.state


def test_a_key_that_was_saved_outlives_its_date(kms: FakeKMS) -> None:
    """Nothing happens when the time comes that was set before."""
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.client.cancel_key_deletion(KeyId=key.id)
    kms.clock.advance(days=60)
    assert "Disabled" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]


def test_a_deletion_may_be_scheduled_again(kms: FakeKMS) -> None:
    """The second date counts, not the first."""
    kms.clock.freeze()
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.client.cancel_key_deletion(KeyId=key.id)
    kms.clock.advance(days=1)
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=10)
    kms.clock.advance(days=9)
    assert "PendingDeletion" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
    kms.clock.advance(days=1)
    assert {"Code": "NotFoundException", "Message": f"Key '{key.arn}' does not exist"} == error_of(
        kms.client, "describe_key", KeyId=key.id
    )


# AWS managed keys


@pytest.mark.parametrize("operation", METHODS)
def test_an_aws_managed_key_is_managed_by_nobody_else(kms: FakeKMS, operation: str) -> None:
    """Its policy allows no customer to change it."""
    key = kms.aws_managed_key("s3")
    assert {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:iam::123456789012:user/tester is not authorized to perform:"
        f" kms:{operation} on resource: {key.arn} because no resource-based policy allows"
        f" the kms:{operation} action",
    } == error_of(kms.client, METHODS[operation], KeyId=key.id, **MEMBERS[operation])
    assert "Enabled" == key.state


# GetKeyLastUsage


BEFORE = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
TRACKING_START = dt.datetime(2026, 4, 23, tzinfo=dt.timezone.utc)
AFTER = dt.datetime(2026, 5, 1, 12, tzinfo=dt.timezone.utc)


@pytest.fixture
def later() -> Iterator[FakeKMS]:
    """Give a fake that lives after AWS began to remember."""
    with freezegun.freeze_time(AFTER), fake_kms(region="us-east-1") as kms:
        yield kms


def usage_of(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Return what GetKeyLastUsage answers about the last use."""
    client = kms.client_for(region=key.region)
    return dict(client.get_key_last_usage(KeyId=key.id)["KeyLastUsage"])


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_that_was_never_used(later: FakeKMS, form: str) -> None:
    """There is nothing to tell; AWS remembers since the key was made."""
    key = later.create_key()
    later.clock.advance(days=1)
    assert {
        "KeyId": key.id,
        "KeyLastUsage": {},
        "TrackingStartDate": AFTER,
        "KeyCreationDate": AFTER,
    } == members_of(later.client.get_key_last_usage(KeyId=getattr(key, form)))


def test_the_last_use_of_a_key_is_told(later: FakeKMS) -> None:
    """What it was, when, and how to find it in the logs."""
    key, other = later.create_key(), later.create_key()
    later.client.encrypt(KeyId=key.id, Plaintext=b"x")
    later.clock.advance(hours=1)
    answer = later.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
    later.clock.advance(hours=1)
    later.client.encrypt(KeyId=other.id, Plaintext=b"x")
    usage = usage_of(later, key)
    assert UUID.fullmatch(usage.pop("CloudTrailEventId"))
    assert {
        "Operation": "GenerateDataKey",
        "Timestamp": AFTER + dt.timedelta(hours=1),
        "KmsRequestId": answer["ResponseMetadata"]["RequestId"],
    } == usage


def test_only_cryptography_that_succeeds_is_a_use(later: FakeKMS) -> None:
    """Looking at a key, managing it, failing and dry runs are none."""
    key = later.create_key(spec="HMAC_256")
    mac: dict[str, Any] = {"KeyId": key.id, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    later.client.describe_key(KeyId=key.id)
    later.client.update_key_description(KeyId=key.id, Description="x")
    error_of(later.client, "generate_mac", DryRun=True, **mac)
    error_of(later.client, "verify_mac", Mac=b"x", **mac)
    error_of(later.client, "encrypt", KeyId=key.id, Plaintext=b"x")
    assert {} == usage_of(later, key)
    later.client.verify_mac(Mac=later.client.generate_mac(**mac)["Mac"], **mac)
    later.client.disable_key(KeyId=key.id)
    assert "VerifyMac" == usage_of(later, key)["Operation"]


def test_re_encryption_uses_both_keys(later: FakeKMS) -> None:
    """Source and destination."""
    source, destination = later.create_key(), later.create_key()
    later.client.re_encrypt(CiphertextBlob=later.encrypt(source, b"x"), DestinationKeyId=destination.id)
    assert usage_of(later, source) == usage_of(later, destination)
    assert "ReEncrypt" == usage_of(later, source)["Operation"]


def test_a_use_that_took_retries_happened_when_it_succeeded(later: FakeKMS) -> None:
    """The id is that of the attempt that was answered."""
    key = later.create_key()
    later.throttle("Encrypt", times=1)
    answer = later.client.encrypt(KeyId=key.id, Plaintext=b"x")
    usage = usage_of(later, key)
    first, second = later.trail[0].attempts
    assert first.time < second.time
    assert abs(second.time - usage["Timestamp"]) < dt.timedelta(milliseconds=1)
    assert answer["ResponseMetadata"]["RequestId"] == usage["KmsRequestId"]


@pytest.mark.kms(seed=1)
def test_the_id_of_the_event_repeats_with_the_seed(kms: FakeKMS) -> None:
    """And is another for each call."""

    def ids() -> list[str]:
        kms.reset()
        key = kms.create_key()
        told = []
        for _ in range(2):
            kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
            told.append(usage_of(kms, key)["CloudTrailEventId"])
        return told

    assert ids() == ids()
    assert 2 == len(set(ids()))


def test_what_happened_before_aws_remembered_is_not_known() -> None:
    """An older key may have been used before."""
    with freezegun.freeze_time(BEFORE), fake_kms(region="us-east-1") as kms:
        key = kms.create_key()
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
        kms.clock.advance(days=90)
        assert {
            "KeyId": key.id,
            "KeyLastUsage": {},
            "TrackingStartDate": TRACKING_START,
            "KeyCreationDate": BEFORE,
        } == members_of(kms.client.get_key_last_usage(KeyId=key.id))
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
        assert BEFORE + dt.timedelta(days=90) == usage_of(kms, key)["Timestamp"]


def test_a_fake_that_lives_before_aws_remembered() -> None:
    """No date lies in its future: it remembers since the key was made."""
    with freezegun.freeze_time(BEFORE), fake_kms(region="us-east-1") as kms:
        key = kms.create_key()
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
        assert BEFORE == kms.client.get_key_last_usage(KeyId=key.id)["TrackingStartDate"]
        assert BEFORE == usage_of(kms, key)["Timestamp"]


@pytest.mark.parametrize("state", STATES)
def test_the_last_use_is_told_in_every_state(kms: FakeKMS, state: str) -> None:
    """The state of the key does not matter."""
    key = kms.create_key()
    kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
    key.state = state
    assert "Encrypt" == usage_of(kms, key)["Operation"]


@each_unfit_name
def test_the_last_use_of_a_key_that_is_not_there(kms: FakeKMS, key_id: str, code: str, message: str) -> None:
    """Aliases are not taken."""
    kms.create_key("orders")
    assert {"Code": code, "Message": message} == error_of(kms.client, "get_key_last_usage", KeyId=key_id)


# botocore's error classes


def test_an_error_of_the_model_has_its_own_class(kms: FakeKMS) -> None:
    """An application may catch what the client's exceptions name."""
    key = kms.create_key(state="PendingDeletion")
    with pytest.raises(kms.client.exceptions.KMSInvalidStateException) as excinfo:
        kms.client.enable_key(KeyId=key.id)
    assert f"{key.arn} is pending deletion." == excinfo.value.response["message"]  # type: ignore[typeddict-item]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]
