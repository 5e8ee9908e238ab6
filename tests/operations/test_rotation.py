"""Keys get new key material by a schedule and on demand, and keep the old, as AWS does it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from answers import STATES, UNKNOWN, error_of, invalid, members_of, not_allowed, unchecked, unfit
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, Key, fake_kms

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
METHODS = {
    "EnableKeyRotation": "enable_key_rotation",
    "DisableKeyRotation": "disable_key_rotation",
    "GetKeyRotationStatus": "get_key_rotation_status",
    "RotateKeyOnDemand": "rotate_key_on_demand",
    "ListKeyRotations": "list_key_rotations",
}
REFUSED_IN = {
    "EnableKeyRotation": ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "Creating"),
    "DisableKeyRotation": ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "Creating"),
    "GetKeyRotationStatus": (),
    "RotateKeyOnDemand": ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Creating"),
    "ListKeyRotations": (),
}
CHANGING = ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand")
FIRST, SECOND, THIRD = b"1" * 32, b"2" * 32, b"3" * 32
NOT_SYMMETRIC = ("RSA_2048", "ECC_NIST_P256", "HMAC_256")

each_operation = pytest.mark.parametrize("operation", METHODS)


@pytest.fixture
def frozen(kms: FakeKMS) -> FakeKMS:
    """Give a fake whose time moves only where a test moves it."""
    kms.clock.freeze()
    return kms


def status_of(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Return what GetKeyRotationStatus answers, in the key's Region."""
    answer = members_of(kms.client_for(region=key.region).get_key_rotation_status(KeyId=key.id))
    assert key.arn == answer.pop("KeyId")
    return answer


def rotations_of(kms: FakeKMS, key: Key, include: str = "ROTATIONS_ONLY") -> list[dict[str, Any]]:
    """Return what ListKeyRotations answers, in the key's Region."""
    members: Any = {"IncludeKeyMaterial": include} if include else {}
    entries: Any = kms.client_for(region=key.region).list_key_rotations(KeyId=key.id, **members)["Rotations"]
    assert {key.arn} >= {entry.pop("KeyId") for entry in entries}
    return list(entries)


def dates_of(kms: FakeKMS, key: Key) -> list[tuple[str, dt.datetime]]:
    """Return how and when a key has rotated."""
    return [(entry["RotationType"], entry["RotationDate"]) for entry in rotations_of(kms, key)]


def material_of(kms: FakeKMS, key: Key) -> str:
    """Return the id of the current material, as DescribeKey tells it."""
    return kms.client_for(region=key.region).describe_key(KeyId=key.id)["KeyMetadata"]["CurrentKeyMaterialId"]


def scheduled(period: int, due: dt.datetime) -> dict[str, Any]:
    """Return the status of a key that rotates by itself."""
    return {"KeyRotationEnabled": True, "RotationPeriodInDays": period, "NextRotationDate": due}


def days(number: float) -> dt.timedelta:
    """Return so many days."""
    return dt.timedelta(days=number)


OFF = {"KeyRotationEnabled": False}


# EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus


def test_a_new_key_does_not_rotate(kms: FakeKMS) -> None:
    """The status of a key without a schedule has no dates."""
    key = kms.create_key()
    assert {"KeyRotationEnabled": False, "KeyId": key.arn} == members_of(
        kms.client.get_key_rotation_status(KeyId=key.arn)
    )


def test_rotation_is_enabled(frozen: FakeKMS) -> None:
    """Without a word about it the period is 365 days; the answer is empty; the date is exact."""
    key = frozen.create_key()
    assert {} == members_of(frozen.client.enable_key_rotation(KeyId=key.id))
    assert scheduled(365, frozen.clock.now + days(365)) == status_of(frozen, key)


@pytest.mark.parametrize("period", [90, 365, 2560])
def test_a_period_may_be_given(frozen: FakeKMS, period: int) -> None:
    """The least and the greatest are taken."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.arn, RotationPeriodInDays=period)
    assert scheduled(period, frozen.clock.now + days(period)) == status_of(frozen, key)


@pytest.mark.parametrize(
    ("period", "constraint"),
    [(89, "greater than or equal to 90"), (0, "greater than or equal to 90"), (2561, "less than or equal to 2560")],
)
def test_a_period_that_breaks_the_constraints(kms: FakeKMS, period: int, constraint: str) -> None:
    """Less than 90 days and more than 2,560 are refused."""
    key = kms.create_key()
    wanted = f"Value '{period}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value"
    error = error_of(unchecked(kms), "enable_key_rotation", KeyId=key.id, RotationPeriodInDays=period)
    assert invalid(f"{wanted} {constraint}") == error
    assert OFF == status_of(kms, key)


@pytest.mark.parametrize("again", [{}, {"RotationPeriodInDays": 2560}], ids=["omitted", "the same"])
def test_enabling_again_changes_nothing(frozen: FakeKMS, again: dict[str, int]) -> None:
    """A period that is omitted keeps the one that there is, and the date."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=2560)
    before = status_of(frozen, key)
    frozen.clock.advance(days=10)
    frozen.client.enable_key_rotation(KeyId=key.id, **again)
    assert before == status_of(frozen, key)


def test_another_period_counts_from_now(frozen: FakeKMS) -> None:
    """The date that was planned before means nothing any more."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    frozen.clock.advance(days=60)
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=100)
    changed = frozen.clock.now
    assert scheduled(100, changed + days(100)) == status_of(frozen, key)
    frozen.clock.advance(days=100)
    assert [("AUTOMATIC", changed + days(100))] == dates_of(frozen, key)


def test_rotation_is_disabled(frozen: FakeKMS) -> None:
    """The answer is empty, the dates are gone, and nothing falls due any more."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id)
    assert {} == members_of(frozen.client.disable_key_rotation(KeyId=key.id))
    assert OFF == status_of(frozen, key)
    frozen.clock.advance(days=1000)
    assert [] == dates_of(frozen, key)


def test_disabling_what_is_off_is_no_error(kms: FakeKMS) -> None:
    """It succeeds and changes nothing."""
    key = kms.create_key()
    kms.client.disable_key_rotation(KeyId=key.id)
    assert OFF == status_of(kms, key)


def test_enabling_after_disabling_begins_anew(frozen: FakeKMS) -> None:
    """The period of the former schedule is forgotten."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=100)
    frozen.client.disable_key_rotation(KeyId=key.id)
    frozen.clock.advance(days=50)
    frozen.client.enable_key_rotation(KeyId=key.id)
    assert scheduled(365, frozen.clock.now + days(365)) == status_of(frozen, key)


# What falls due


def test_a_key_rotates_when_it_is_due(frozen: FakeKMS) -> None:
    """Not a second earlier; the next date is one period later."""
    key = frozen.create_key()
    first = material_of(frozen, key)
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.clock.advance(days=90, seconds=-1)
    assert (first, []) == (material_of(frozen, key), dates_of(frozen, key))
    frozen.clock.advance(seconds=1)
    assert first != material_of(frozen, key)
    assert [("AUTOMATIC", due)] == dates_of(frozen, key)
    assert scheduled(90, due + days(90)) == status_of(frozen, key)


def test_several_rotations_may_fall_due_at_once(frozen: FakeKMS) -> None:
    """Time that leaps over years brings each rotation at its own date."""
    key = frozen.create_key()
    start = frozen.clock.now
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=100)
    frozen.clock.advance(days=450)
    dates = [start + days(100 * number) for number in (1, 2, 3, 4)]
    assert [("AUTOMATIC", date) for date in dates] == dates_of(frozen, key)
    assert scheduled(100, start + days(500)) == status_of(frozen, key)
    assert dates == [event.time for event in frozen.trail.filter("RotateKey", key=key)]


def test_rotations_and_deletions_happen_in_order(frozen: FakeKMS) -> None:
    """A key that is deleted in between does not rotate any more."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    frozen.clock.advance(days=85)
    frozen.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=30)
    frozen.clock.advance(days=500)
    assert "NotFoundException" == error_of(frozen.client, "describe_key", KeyId=key.id)["Code"]
    assert [] == frozen.trail.filter("RotateKey", key=key)


def test_old_ciphertexts_open_for_ever(frozen: FakeKMS) -> None:
    """Each tells the material that it was made with."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    sealed = {}
    for number in range(4):
        sealed[material_of(frozen, key)] = frozen.client.encrypt(KeyId=key.id, Plaintext=b"%d" % number)
        frozen.clock.advance(days=90)
    assert 4 == len(sealed)
    for number, (material, answer) in enumerate(sealed.items()):
        opened = frozen.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])
        assert (b"%d" % number, material) == (opened["Plaintext"], opened["KeyMaterialId"])
        assert bytes.fromhex(material) == answer["CiphertextBlob"][5:37]


def test_re_encrypt_moves_to_the_current_material(frozen: FakeKMS) -> None:
    """A ciphertext of old material becomes one of the same key's new material."""
    key = frozen.create_key()
    old = material_of(frozen, key)
    blob = frozen.client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    frozen.clock.advance(seconds=120)
    answer = frozen.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key.id)
    new = material_of(frozen, key)
    assert (old, new) == (answer["SourceKeyMaterialId"], answer["DestinationKeyMaterialId"])
    assert new == frozen.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["KeyMaterialId"]
    assert new == frozen.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")["KeyMaterialId"]


def test_a_disabled_key_keeps_its_schedule(frozen: FakeKMS) -> None:
    """Where nothing fell due meanwhile, it goes on as planned."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.client.disable_key(KeyId=key.id)
    assert scheduled(90, due) == status_of(frozen, key)
    frozen.clock.advance(days=89)
    frozen.client.enable_key(KeyId=key.id)
    frozen.clock.advance(days=2)
    assert [("AUTOMATIC", due)] == dates_of(frozen, key)


def test_a_disabled_key_makes_up_for_one_rotation(frozen: FakeKMS) -> None:
    """It rotates as soon as it is enabled, once, and then a period later."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.client.disable_key(KeyId=key.id)
    frozen.clock.advance(days=300)
    assert (scheduled(90, due), []) == (status_of(frozen, key), dates_of(frozen, key))
    frozen.client.enable_key(KeyId=key.id)
    enabled = frozen.clock.now
    assert [("AUTOMATIC", enabled)] == dates_of(frozen, key)
    assert scheduled(90, enabled + days(90)) == status_of(frozen, key)
    frozen.client.disable_key(KeyId=key.id)
    frozen.client.enable_key(KeyId=key.id)
    frozen.clock.advance(days=90)
    assert [("AUTOMATIC", enabled), ("AUTOMATIC", enabled + days(90))] == dates_of(frozen, key)


def test_a_key_pending_deletion_shows_no_schedule(frozen: FakeKMS) -> None:
    """Cancelling brings it back as it was, and enabling makes up for what fell due."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.clock.advance(days=80)
    frozen.client.schedule_key_deletion(KeyId=key.id)
    assert OFF == status_of(frozen, key)
    frozen.clock.advance(days=20)
    frozen.client.cancel_key_deletion(KeyId=key.id)
    assert (scheduled(90, due), []) == (status_of(frozen, key), dates_of(frozen, key))
    frozen.client.enable_key(KeyId=key.id)
    assert [("AUTOMATIC", frozen.clock.now)] == dates_of(frozen, key)


def test_a_key_pending_replica_deletion_shows_its_schedule(frozen: FakeKMS) -> None:
    """It goes on rotating, since its replicas still work: that AWS does this is a guess."""
    key = frozen.create_key(multi_region=True)
    frozen.replicate(key, "eu-west-1")
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.client.schedule_key_deletion(KeyId=key.id)
    assert ("PendingReplicaDeletion", scheduled(90, due)) == (key.state, status_of(frozen, key))
    frozen.clock.advance(days=90)
    assert [("AUTOMATIC", due)] == dates_of(frozen, key)


def test_a_key_enabled_by_hand_makes_up_as_well(frozen: FakeKMS) -> None:
    """A test that sets the state sees what a call would bring."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id)
    key.state = "Disabled"
    frozen.clock.advance(days=400)
    assert [] == dates_of(frozen, key)
    key.state = "Enabled"
    assert [("AUTOMATIC", frozen.clock.now)] == dates_of(frozen, key)


# RotateKeyOnDemand


def test_a_key_rotates_on_demand(frozen: FakeKMS) -> None:
    """The call returns at once, the new material comes two minutes later."""
    key = frozen.create_key()
    first, began = material_of(frozen, key), frozen.clock.now
    assert {"KeyId": key.arn} == members_of(frozen.client.rotate_key_on_demand(KeyId=key.id))
    frozen.clock.advance(seconds=119)
    assert OFF | {"OnDemandRotationStartDate": began} == status_of(frozen, key)
    assert (first, []) == (material_of(frozen, key), dates_of(frozen, key))
    frozen.clock.advance(seconds=1)
    assert OFF == status_of(frozen, key)
    assert first != material_of(frozen, key)
    assert [("ON_DEMAND", frozen.clock.now)] == dates_of(frozen, key)


def test_a_second_call_joins_the_rotation_in_progress(frozen: FakeKMS) -> None:
    """It succeeds, and there is one rotation."""
    key = frozen.create_key()
    began = frozen.clock.now
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    frozen.clock.advance(seconds=60)
    assert {"KeyId": key.arn} == members_of(frozen.client.rotate_key_on_demand(KeyId=key.id))
    assert began == status_of(frozen, key)["OnDemandRotationStartDate"]
    frozen.clock.advance(hours=1)
    assert [("ON_DEMAND", began + dt.timedelta(seconds=120))] == dates_of(frozen, key)


def test_a_rotation_on_demand_does_not_move_the_schedule(frozen: FakeKMS) -> None:
    """The two go side by side."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.clock.advance(days=80)
    began = frozen.clock.now
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    assert scheduled(90, due) | {"OnDemandRotationStartDate": began} == status_of(frozen, key)
    frozen.clock.advance(days=10)
    assert [("ON_DEMAND", began + dt.timedelta(seconds=120)), ("AUTOMATIC", due)] == dates_of(frozen, key)


@pytest.mark.parametrize("method", ["disable_key", "schedule_key_deletion"])
def test_a_rotation_in_progress_completes_whatever_comes(frozen: FakeKMS, method: str) -> None:
    """The key may be disabled or scheduled for deletion meanwhile."""
    key = frozen.create_key()
    began = frozen.clock.now
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    getattr(frozen.client, method)(KeyId=key.id)
    assert OFF | {"OnDemandRotationStartDate": began} == status_of(frozen, key)
    frozen.clock.advance(seconds=120)
    assert OFF == status_of(frozen, key)
    assert [("ON_DEMAND", frozen.clock.now)] == dates_of(frozen, key)


def rotate(kms: FakeKMS, key: Key, times: int) -> None:
    """Rotate a key on demand, so many times."""
    for _ in range(times):
        kms.client_for(region=key.region).rotate_key_on_demand(KeyId=key.id)
        kms.clock.advance(seconds=120)


def no_rotations_left(key: Key) -> dict[str, str]:
    """Return AWS's error for one rotation on demand too many."""
    return {
        "Code": "LimitExceededException",
        "Message": "The on-demand rotations limit has been reached for the given keyId."
        f" No more on-demand rotations can be performed for this key: {key.arn}",
    }


def test_a_key_rotates_on_demand_25_times(kms: FakeKMS) -> None:
    """One more is refused, for good; rotations by schedule do not count."""
    key = kms.create_key()
    kms.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    kms.clock.advance(days=100)
    rotate(kms, key, 25)
    assert no_rotations_left(key) == error_of(kms.client, "rotate_key_on_demand", KeyId=key.arn)
    kms.clock.advance(days=1000)
    assert no_rotations_left(key) == error_of(kms.client, "rotate_key_on_demand", KeyId=key.arn)
    assert 25 == [kind for kind, _ in dates_of(kms, key)].count("ON_DEMAND")


def test_the_quota_of_rotations_may_be_lowered(kms: FakeKMS) -> None:
    """Each key has it for itself; a call that joins the last rotation is no further one."""
    kms.quotas["On-demand rotations per KMS key"] = 1
    key, other = kms.create_key(), kms.create_key()
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(seconds=120)
    assert no_rotations_left(key) == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)
    rotate(kms, other, 1)


def test_without_quotas_a_key_rotates_as_often_as_one_likes(kms: FakeKMS) -> None:
    """Switched off is the quota of rotations, too."""
    kms.quotas.off()
    key = kms.create_key()
    rotate(kms, key, 26)
    assert 26 == len(rotations_of(kms, key))


def test_no_rotation_begins_just_before_an_automatic_one(frozen: FakeKMS) -> None:
    """From 20 minutes before, AWS lets the schedule go first."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.clock.advance(days=90, minutes=-20)
    assert {"Code": "ConflictException", "Message": ""} == error_of(frozen.client, "rotate_key_on_demand", KeyId=key.id)
    frozen.clock.advance(minutes=20)
    rotate(frozen, key, 1)
    assert [("AUTOMATIC", due), ("ON_DEMAND", frozen.clock.now)] == dates_of(frozen, key)


def test_a_rotation_may_begin_a_little_earlier(frozen: FakeKMS) -> None:
    """With more than 20 minutes left, it does."""
    key = frozen.create_key()
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    frozen.clock.advance(days=90, minutes=-20, seconds=-1)
    rotate(frozen, key, 1)
    assert [("ON_DEMAND", frozen.clock.now)] == dates_of(frozen, key)


# Which keys


@each_operation
def test_a_key_may_be_named_by_arn(kms: FakeKMS, operation: str) -> None:
    """The key ARN does as well as the key id."""
    key = kms.create_key()
    for name in (key.id, key.arn):
        getattr(kms.client, METHODS[operation])(KeyId=name)
    kms.assert_called(operation, key=key, times=2)


@each_operation
@pytest.mark.parametrize("name", ["alias/orders", f"{ARN}:alias/orders", "alias/nobody"])
def test_a_key_is_not_named_by_alias(kms: FakeKMS, operation: str, name: str) -> None:
    """Not even one that does not exist."""
    kms.create_key("orders")
    assert {
        "Code": "InvalidArnException",
        "Message": "Key Aliases are not supported for this operation.",
    } == error_of(kms.client, METHODS[operation], KeyId=name)


@each_operation
def test_an_unknown_key(kms: FakeKMS, operation: str) -> None:
    """AWS names the ARN that it looked for."""
    assert {
        "Code": "NotFoundException",
        "Message": f"Key '{ARN}:key/{UNKNOWN}' does not exist",
    } == error_of(kms.client, METHODS[operation], KeyId=UNKNOWN)


@pytest.mark.parametrize("state", STATES)
@each_operation
def test_the_state_of_the_key(kms: FakeKMS, operation: str, state: str) -> None:
    """What changes a key's rotation wants it enabled; what tells of it does not care."""
    key = kms.create_key(state=state)
    if state in REFUSED_IN[operation]:
        assert unfit(key.arn, state) == error_of(kms.client, METHODS[operation], KeyId=key.id)
    else:
        getattr(kms.client, METHODS[operation])(KeyId=key.id)


@pytest.mark.parametrize("spec", NOT_SYMMETRIC)
@pytest.mark.parametrize("operation", ["EnableKeyRotation", "RotateKeyOnDemand"])
def test_only_symmetric_encryption_keys_rotate(kms: FakeKMS, operation: str, spec: str) -> None:
    """AWS has no message for the others."""
    key = kms.create_key(spec=spec)
    assert {"Code": "UnsupportedOperationException", "Message": ""} == error_of(
        kms.client, METHODS[operation], KeyId=key.id
    )


@pytest.mark.parametrize("spec", NOT_SYMMETRIC)
def test_keys_that_never_rotate_may_be_asked(kms: FakeKMS, spec: str) -> None:
    """They are off, may be switched off, and list nothing."""
    key = kms.create_key(spec=spec)
    kms.client.disable_key_rotation(KeyId=key.id)
    assert (OFF, []) == (status_of(kms, key), rotations_of(kms, key, ""))


@pytest.mark.parametrize("operation", ["EnableKeyRotation", "RotateKeyOnDemand"])
def test_the_state_is_looked_at_before_the_type(kms: FakeKMS, operation: str) -> None:
    """A disabled HMAC key is disabled."""
    key = kms.create_key(spec="HMAC_256", state="Disabled")
    assert unfit(key.arn, "Disabled") == error_of(kms.client, METHODS[operation], KeyId=key.id)


@pytest.mark.parametrize("operation", CHANGING)
def test_aws_managed_keys_are_not_the_customer_s(kms: FakeKMS, operation: str) -> None:
    """Their rotation cannot be changed."""
    key = kms.aws_managed_key("sqs")
    assert not_allowed(operation, key.arn) == error_of(kms.client, METHODS[operation], KeyId=key.id)


def test_aws_managed_keys_rotate_every_year(frozen: FakeKMS) -> None:
    """Their status is false, as it was recorded; their material changes all the same."""
    key = frozen.aws_managed_key("sqs")
    made = frozen.clock.now
    (first,) = rotations_of(frozen, key, "ALL_KEY_MATERIAL")
    assert {"KeyMaterialId": material_of(frozen, key), "KeyMaterialState": "CURRENT"} == first
    frozen.clock.advance(days=800)
    assert [("AUTOMATIC", made + days(365)), ("AUTOMATIC", made + days(730))] == dates_of(frozen, key)
    assert OFF == status_of(frozen, key)
    assert 2 == len(frozen.trail.filter("RotateKey", key=key))


# Imported material


def test_imported_material_has_no_schedule(kms: FakeKMS) -> None:
    """A schedule can be neither enabled nor disabled, with material or without; the status is off."""
    for key in (kms.create_key(origin="EXTERNAL"), kms.create_key(origin="EXTERNAL", material=FIRST)):
        for method in ("enable_key_rotation", "disable_key_rotation"):
            assert {
                "Code": "UnsupportedOperationException",
                "Message": f"{key.arn} origin is EXTERNAL which is not valid for this operation.",
            } == error_of(kms.client, method, KeyId=key.id)
        assert OFF == status_of(kms, key)


def test_type_comes_before_origin(kms: FakeKMS) -> None:
    """An HMAC key cannot rotate whatever its origin; to switch off what is off, only the origin is in the way."""
    key = kms.create_key(spec="HMAC_256", origin="EXTERNAL", material=FIRST)
    assert ("UnsupportedOperationException", "") == tuple(
        error_of(kms.client, "enable_key_rotation", KeyId=key.id)[name] for name in ("Code", "Message")
    )
    assert {
        "Code": "UnsupportedOperationException",
        "Message": f"{key.arn} origin is EXTERNAL which is not valid for this operation.",
    } == error_of(kms.client, "disable_key_rotation", KeyId=key.id)


def none_pending(key: Key) -> dict[str, str]:
    """Return AWS's error for a rotation to imported material, where none waits."""
    return {
        "Code": "KMSInvalidStateException",
        "Message": f"No available key material pending rotation for the key: {key.arn}.",
    }


def test_a_key_without_material_does_not_rotate(kms: FakeKMS) -> None:
    """It is pending import; with one material it is not, but has none to rotate to."""
    key = kms.create_key(origin="EXTERNAL")
    assert [] == rotations_of(kms, key, "ALL_KEY_MATERIAL")
    assert unfit(key.arn, "PendingImport") == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)
    kms.import_key_material(key, FIRST)
    assert none_pending(key) == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)


def test_a_key_rotates_to_imported_material(frozen: FakeKMS) -> None:
    """What was imported and waits becomes current; what was sealed before still opens."""
    key = frozen.create_key(origin="EXTERNAL", material=FIRST)
    blob = frozen.encrypt(key, b"x")
    valid_to = frozen.clock.now.replace(microsecond=0) + days(30)
    first, second = material_of(frozen, key), frozen.import_key_material(key, SECOND, valid_to=valid_to)
    forever = {"ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    for_a_while = {"ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
    assert [
        {"KeyMaterialId": first, "KeyMaterialState": "CURRENT", **forever},
        {"KeyMaterialId": second, "KeyMaterialState": "PENDING_ROTATION", **for_a_while},
    ] == rotations_of(frozen, key, "ALL_KEY_MATERIAL")
    rotate(frozen, key, 1)
    rotated = {"RotationDate": frozen.clock.now, "RotationType": "ON_DEMAND"}
    entry = {"KeyMaterialId": second, "KeyMaterialState": "CURRENT", **for_a_while, **rotated}
    assert [entry] == rotations_of(frozen, key)
    assert [{"KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT", **forever}, entry] == rotations_of(
        frozen, key, "ALL_KEY_MATERIAL"
    )
    assert second == material_of(frozen, key)
    assert first == frozen.client.decrypt(CiphertextBlob=blob)["KeyMaterialId"]
    assert none_pending(key) == error_of(frozen.client, "rotate_key_on_demand", KeyId=key.id)
    assert [
        {
            "rotationType": "ON_DEMAND",
            "keyOrigin": "EXTERNAL",
            "previousKeyMaterialId": first,
            "currentKeyMaterialId": second,
            "keyId": key.arn,
        }
    ] == [event.service_event for event in frozen.trail.filter("RotateKey", key=key)]


def test_a_rotation_takes_what_is_pending_when_it_runs(frozen: FakeKMS) -> None:
    """Material that waits may be deleted and another imported after the call."""
    key = frozen.create_key(origin="EXTERNAL", material=FIRST)
    second = frozen.import_key_material(key, SECOND)
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    frozen.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=second)
    assert none_pending(key) == error_of(frozen.client, "rotate_key_on_demand", KeyId=key.id)
    third = frozen.import_key_material(key, THIRD)
    frozen.clock.advance(seconds=120)
    assert third == material_of(frozen, key)


def test_a_rotation_to_nothing_is_none(kms: FakeKMS) -> None:
    """Where the material is gone when the rotation runs, nothing happens, and nothing counts."""
    kms.quotas["On-demand rotations per KMS key"] = 1
    key = kms.create_key(origin="EXTERNAL", material=FIRST)
    second = kms.import_key_material(key, SECOND)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=second)
    kms.clock.advance(seconds=120)
    assert (OFF, []) == (status_of(kms, key), rotations_of(kms, key))
    kms.import_key_material(key, SECOND)
    rotate(kms, key, 1)
    assert second == material_of(kms, key)
    kms.import_key_material(key, THIRD)
    assert no_rotations_left(key) == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)


def test_a_key_may_rotate_to_material_that_has_expired(kms: FakeKMS) -> None:
    """It is then without its current material, and pending import."""
    key = kms.create_key(origin="EXTERNAL", material=FIRST)
    second = kms.import_key_material(key, SECOND, valid_to=kms.clock.now + days(1))
    kms.clock.advance(days=2)
    rotate(kms, key, 1)
    assert second == material_of(kms, key)
    assert "PendingImport" == key.state
    assert [("IMPORTED", "CURRENT")] == [
        (entry["ImportState"], entry["KeyMaterialState"]) for entry in rotations_of(kms, key)
    ]


def test_a_material_that_was_deleted_is_listed(kms: FakeKMS) -> None:
    """Until it is imported again."""
    key = kms.create_key(origin="EXTERNAL", material=FIRST)
    kms.client.delete_imported_key_material(KeyId=key.id)
    entry = {"KeyMaterialId": material_of(kms, key), "KeyMaterialState": "CURRENT", "ImportState": "PENDING_IMPORT"}
    assert [entry] == rotations_of(kms, key, "ALL_KEY_MATERIAL")


def test_a_material_is_listed_with_its_description(kms: FakeKMS) -> None:
    """The one that was given with the import."""
    key = kms.create_key(origin="EXTERNAL")
    parameters = kms.client.get_parameters_for_import(
        KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    kms.client.import_key_material(
        KeyId=key.id,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=kms.wrap_key_material(dict(parameters), FIRST),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        KeyMaterialDescription="of the first year",
    )
    (entry,) = rotations_of(kms, key, "ALL_KEY_MATERIAL")
    assert "of the first year" == entry["KeyMaterialDescription"]


NOT_IN_REPLICAS = {
    "Code": "KMSInvalidStateException",
    "Message": "Cannot perform key material rotation:"
    " Key material has not been imported for replicas of the Multi-Region key.",
}


def states_of(kms: FakeKMS, key: Key) -> list[tuple[str, str]]:
    """Return how far each imported material of a key is."""
    entries = rotations_of(kms, key, "ALL_KEY_MATERIAL")
    return [(entry["KeyMaterialState"], entry["ImportState"]) for entry in entries]


def test_replicas_have_to_have_the_material_first(kms: FakeKMS) -> None:
    """A key rotates to imported material when every replica has it."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True, material=FIRST)
    replica = kms.replicate(key, "us-west-2")
    kms.import_key_material(key, SECOND)
    waiting = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert [("CURRENT", "IMPORTED"), (waiting, "IMPORTED")] == states_of(kms, key)
    assert [("CURRENT", "IMPORTED"), (waiting, "PENDING_IMPORT")] == states_of(kms, replica)
    assert NOT_IN_REPLICAS == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)
    kms.import_key_material(replica, SECOND)
    assert [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")] == states_of(kms, replica)
    rotate(kms, key, 1)
    assert [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")] == states_of(kms, replica)
    assert material_of(kms, key) == material_of(kms, replica)


def test_a_new_replica_has_to_have_the_material_too(kms: FakeKMS) -> None:
    """Its coming lets the rotation wait, its going lets it be."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True, material=FIRST)
    kms.import_key_material(key, SECOND)
    replica = kms.replicate(key, "us-west-2", state="PendingImport")
    assert NOT_IN_REPLICAS == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)
    kms.client_for(region="us-west-2").schedule_key_deletion(KeyId=replica.id, PendingWindowInDays=7)
    assert NOT_IN_REPLICAS == error_of(kms.client, "rotate_key_on_demand", KeyId=key.id)
    kms.clock.advance(days=7)
    rotate(kms, key, 1)
    assert [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")] == states_of(kms, key)


def test_a_rotation_waits_for_no_replica_while_it_runs(kms: FakeKMS) -> None:
    """A replica that comes while a rotation is in progress, without the material, lets it come to nothing."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True, material=FIRST)
    kms.import_key_material(key, SECOND)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.client.replicate_key(KeyId=key.id, ReplicaRegion="us-west-2")
    kms.clock.advance(seconds=120)
    assert ["CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"] == [state for state, _ in states_of(kms, key)]


# Custom key stores


@each_operation
@pytest.mark.parametrize("kind", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
def test_keys_of_key_stores_do_not_rotate(kms: FakeKMS, operation: str, kind: str) -> None:
    """They cannot even be asked; the sentence is a guess."""
    key = kms.create_key(key_store=kms.key_store(kind))
    assert {
        "Code": "UnsupportedOperationException",
        "Message": f"{key.arn} origin is {kind} which is not valid for this operation.",
    } == error_of(kms.client, METHODS[operation], KeyId=key.id)


@each_operation
def test_keys_of_key_stores_are_refused_when_their_store_is_away(kms: FakeKMS, operation: str) -> None:
    """In state Unavailable they are told the same."""
    key = kms.create_key(key_store=kms.key_store(connected=False))
    assert ("Unavailable", "UnsupportedOperationException") == (
        key.state,
        error_of(kms.client, METHODS[operation], KeyId=key.id)["Code"],
    )


# Multi-Region keys


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
@pytest.mark.parametrize("operation", CHANGING)
def test_a_replica_rotates_with_its_primary(kms: FakeKMS, operation: str, state: str) -> None:
    """It is refused before its state is looked at."""
    key = kms.create_key(multi_region=True)
    replica = kms.replicate(key, "us-west-2", state=state)
    assert {
        "Code": "UnsupportedOperationException",
        "Message": f"{replica.arn} is a multi-region replica key which is not valid for {operation}.",
    } == error_of(kms.client_for(region="us-west-2"), METHODS[operation], KeyId=replica.id)


def test_a_replica_shows_what_its_primary_does(frozen: FakeKMS) -> None:
    """Schedule, materials and dates are shared."""
    key = frozen.create_key(multi_region=True)
    replica = frozen.replicate(key, "us-west-2")
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    assert status_of(frozen, key) == status_of(frozen, replica)
    frozen.clock.advance(days=90)
    frozen.client.rotate_key_on_demand(KeyId=key.id)
    assert status_of(frozen, key) == status_of(frozen, replica)
    frozen.clock.advance(seconds=120)
    everything = rotations_of(frozen, key, "ALL_KEY_MATERIAL")
    assert ([None, "AUTOMATIC", "ON_DEMAND"], everything) == (
        [entry.get("RotationType") for entry in everything],
        rotations_of(frozen, replica, "ALL_KEY_MATERIAL"),
    )
    assert material_of(frozen, key) == material_of(frozen, replica)


def test_a_disabled_primary_keeps_its_replicas_from_rotating(frozen: FakeKMS) -> None:
    """The primary alone counts: enabling a replica makes up for nothing."""
    key = frozen.create_key(multi_region=True)
    replica = frozen.replicate(key, "us-west-2", state="Disabled")
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    frozen.client.disable_key(KeyId=key.id)
    frozen.clock.advance(days=90)
    frozen.client_for(region="us-west-2").enable_key(KeyId=key.id)
    assert [] == dates_of(frozen, replica)
    frozen.client.enable_key(KeyId=key.id)
    assert [("AUTOMATIC", frozen.clock.now)] == dates_of(frozen, replica)


def test_a_disabled_replica_rotates_all_the_same(frozen: FakeKMS) -> None:
    """It opens with the new material what the others have sealed since, once it is enabled."""
    key = frozen.create_key(multi_region=True)
    frozen.replicate(key, "us-west-2", state="Disabled")
    rotate(frozen, key, 1)
    blob = frozen.client.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    frozen.client_for(region="us-west-2").enable_key(KeyId=key.id)
    assert b"x" == frozen.client_for(region="us-west-2").decrypt(CiphertextBlob=blob)["Plaintext"]


# ListKeyRotations


def test_a_new_key_has_no_rotations(kms: FakeKMS) -> None:
    """Its first material is no rotation; it is listed only where all material is asked for."""
    key = kms.create_key()
    assert {"Rotations": [], "Truncated": False} == members_of(kms.client.list_key_rotations(KeyId=key.id))
    assert [] == rotations_of(kms, key, "ROTATIONS_ONLY")
    assert [{"KeyMaterialId": material_of(kms, key), "KeyMaterialState": "CURRENT"}] == rotations_of(
        kms, key, "ALL_KEY_MATERIAL"
    )


def test_rotations_are_listed_oldest_first(frozen: FakeKMS) -> None:
    """Each has its date and its type; the last is the current one."""
    key = frozen.create_key()
    first = material_of(frozen, key)
    rotate(frozen, key, 2)
    now = frozen.clock.now
    answer = members_of(frozen.client.list_key_rotations(KeyId=key.arn))
    second, third = (entry["KeyMaterialId"] for entry in answer["Rotations"])
    expected = [
        {
            "KeyId": key.arn,
            "KeyMaterialId": second,
            "KeyMaterialState": "NON_CURRENT",
            "RotationDate": now - dt.timedelta(seconds=120),
            "RotationType": "ON_DEMAND",
        },
        {
            "KeyId": key.arn,
            "KeyMaterialId": third,
            "KeyMaterialState": "CURRENT",
            "RotationDate": now,
            "RotationType": "ON_DEMAND",
        },
    ]
    assert {"Rotations": expected, "Truncated": False} == answer
    assert (third, 3) == (material_of(frozen, key), len({first, second, third}))
    everything = frozen.client.list_key_rotations(KeyId=key.id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [{"KeyId": key.arn, "KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT"}, *expected] == everything


@pytest.mark.parametrize("include", ["ROTATIONS_ONLY", "ALL_KEY_MATERIAL"])
@pytest.mark.parametrize("spec", NOT_SYMMETRIC)
def test_only_symmetric_keys_have_material_to_list(kms: FakeKMS, spec: str, include: str) -> None:
    """The member alone is refused, whatever it says."""
    key = kms.create_key(spec=spec)
    assert {
        "Code": "ValidationException",
        "Message": "Input parameter includeKeyMaterial can only be used with symmetric keys.",
    } == error_of(kms.client, "list_key_rotations", KeyId=key.id, IncludeKeyMaterial=include)


def test_what_to_include_is_one_of_two(kms: FakeKMS) -> None:
    """Another word breaks the constraints of the model."""
    key = kms.create_key()
    expected = (
        "Value 'EVERYTHING' at 'includeKeyMaterial' failed to satisfy constraint:"
        " Member must satisfy enum value set: [ALL_KEY_MATERIAL, ROTATIONS_ONLY]"
    )
    error = error_of(kms.client, "list_key_rotations", KeyId=key.id, IncludeKeyMaterial="EVERYTHING")
    assert "ValidationException" == error["Code"]
    assert expected.partition("[")[0] in error["Message"]


@pytest.mark.parametrize("include", ["ROTATIONS_ONLY", "ALL_KEY_MATERIAL"])
@pytest.mark.parametrize("limit", [1, 4, 12, 100])
def test_rotations_come_in_pages(kms: FakeKMS, limit: int, include: Any) -> None:
    """boto3's paginator finds each once, in order of time."""
    key = kms.create_key()
    rotate(kms, key, 12)
    paginator = kms.client.get_paginator("list_key_rotations")
    pages = list(paginator.paginate(KeyId=key.id, IncludeKeyMaterial=include, PaginationConfig={"PageSize": limit}))
    entries = [entry["KeyMaterialId"] for page in pages for entry in page["Rotations"]]
    assert [entry["KeyMaterialId"] for entry in rotations_of(kms, key, include)] == entries
    assert len(entries) == len(set(entries)) == (12 if include == "ROTATIONS_ONLY" else 13)
    assert -(-len(entries) // limit) == len(pages)


def test_a_marker_is_a_place(kms: FakeKMS) -> None:
    """What rotated since then is found behind it."""
    key = kms.create_key()
    rotate(kms, key, 3)
    page = kms.client.list_key_rotations(KeyId=key.id, Limit=2)
    assert page["Truncated"]
    rotate(kms, key, 1)
    rest = kms.client.list_key_rotations(KeyId=key.id, Marker=page["NextMarker"])
    assert rotations_of(kms, key)[2:] == [
        {name: value for name, value in entry.items() if name != "KeyId"} for entry in rest["Rotations"]
    ]
    assert 2 == len(rest["Rotations"])


def test_a_page_has_100_rotations_by_default(kms: FakeKMS) -> None:
    """One more makes a second page."""
    kms.quotas.off()
    key = kms.create_key()
    rotate(kms, key, 101)
    page = kms.client.list_key_rotations(KeyId=key.id)
    assert (100, True) == (len(page["Rotations"]), page["Truncated"])


@pytest.mark.parametrize("marker", ["nonsense", "eyJhIjogIjAifQ==", "00"])
def test_a_marker_that_is_none(kms: FakeKMS, marker: str) -> None:
    """AWS has no message for it."""
    key = kms.create_key()
    assert {"Code": "InvalidMarkerException", "Message": ""} == error_of(
        kms.client, "list_key_rotations", KeyId=key.id, Marker=marker
    )


@pytest.mark.parametrize(
    ("limit", "constraint"), [(0, "greater than or equal to 1"), (1001, "less than or equal to 1000")]
)
def test_a_limit_that_breaks_the_constraints(kms: FakeKMS, limit: int, constraint: str) -> None:
    """A page has 1 to 1,000 rotations."""
    key = kms.create_key()
    wanted = f"Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {constraint}"
    assert invalid(wanted) == error_of(unchecked(kms), "list_key_rotations", KeyId=key.id, Limit=limit)


# The trail


def test_rotations_are_in_the_trail(frozen: FakeKMS) -> None:
    """KMS records what it does by itself, at the moment when it is due."""
    key = frozen.create_key()
    first = material_of(frozen, key)
    frozen.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    due = frozen.clock.now + days(90)
    frozen.clock.advance(days=100)
    second = material_of(frozen, key)
    rotate(frozen, key, 1)
    third = material_of(frozen, key)
    common = {"keyOrigin": "AWS_KMS", "keyId": key.arn}
    assert [
        (
            due,
            {
                "rotationType": "AUTOMATIC",
                "previousKeyMaterialId": first,
                "currentKeyMaterialId": second,
                **common,
            },
        ),
        (
            frozen.clock.now,
            {
                "rotationType": "ON_DEMAND",
                "previousKeyMaterialId": second,
                "currentKeyMaterialId": third,
                **common,
            },
        ),
    ] == [(event.time, event.service_event) for event in frozen.trail.filter("RotateKey", key=key)]
    assert [] == frozen.trail.filter("SynchronizeMultiRegionKey")


def test_what_is_shared_is_told_to_replicas(frozen: FakeKMS) -> None:
    """The trail of the primary's Region has an event for each change, none where nothing changed."""
    key = frozen.create_key(multi_region=True)
    frozen.replicate(key, "us-west-2")
    for members in ({}, {}, {"RotationPeriodInDays": 90}):
        frozen.client.enable_key_rotation(KeyId=key.id, **members)
    rotate(frozen, key, 1)
    for _ in range(2):
        frozen.client.disable_key_rotation(KeyId=key.id)
    told = frozen.trail.filter("SynchronizeMultiRegionKey", key=key)
    assert [
        "EnableKeyRotation",
        "SynchronizeMultiRegionKey",
        "EnableKeyRotation",
        "EnableKeyRotation",
        "SynchronizeMultiRegionKey",
        "RotateKeyOnDemand",
        "RotateKey",
        "SynchronizeMultiRegionKey",
        "DisableKeyRotation",
        "SynchronizeMultiRegionKey",
        "DisableKeyRotation",
    ] == [event.operation for event in frozen.trail]
    assert [("AWS Internal", "us-east-1", key.arn, {})] * 4 == [
        (event.principal, event.region, event.key, event.service_event) for event in told
    ]


def test_calls_are_recorded_like_any_other(kms: FakeKMS) -> None:
    """CloudTrail's flag tells what changes something from what only looks."""
    key = kms.create_key()
    for method in METHODS.values():
        getattr(kms.client, method)(KeyId=key.id)
    assert [(name, name not in CHANGING, key.arn) for name in METHODS] == [
        (event.operation, event.read_only, event.key) for event in kms.trail
    ]


def test_a_seed_makes_rotations_repeat() -> None:
    """Materials, and what is sealed with them, are the same in every run."""
    runs = []
    for _ in range(2):
        with fake_kms(region="us-east-1", seed=7) as kms:
            key = kms.create_key()
            rotate(kms, key, 2)
            runs.append((rotations_of(kms, key)[-1]["KeyMaterialId"], kms.encrypt(key, b"x")))
    assert runs[0] == runs[1]


# Any sequence


class Model:
    """What a key's rotation should be: in days since the start, written down without a look at the fake's own."""

    def __init__(self) -> None:
        self.today = 0
        self.period: int | None = None
        self.due = 0
        self.enabled = True
        self.rotated: list[int] = []

    def enable_rotation(self, period: int | None) -> None:
        """Plan anew, unless that is the plan already."""
        if self.enabled and (self.period is None or period not in (None, self.period)):
            self.period = period or 365
            self.due = self.today + self.period

    def disable_rotation(self) -> None:
        """Plan nothing."""
        if self.enabled:
            self.period = None

    def use(self, *, enabled: bool) -> None:
        """Be enabled or disabled."""
        self.enabled = enabled
        self.pass_days(0)

    def pass_days(self, number: int) -> None:
        """Live day by day."""
        for day in range(self.today, self.today + number + 1):
            if self.period is not None and self.enabled and day >= self.due:
                self.rotated.append(day)
                self.due = day + self.period
        self.today += number

    def status(self, start: dt.datetime) -> dict[str, Any]:
        """Say what GetKeyRotationStatus should answer."""
        return OFF if self.period is None else scheduled(self.period, start + days(self.due))


PERIODS = st.sampled_from([None, 90, 100, 365, 400])
STEPS = st.one_of(
    st.tuples(st.just("enable rotation"), PERIODS),
    st.tuples(st.just("disable rotation"), st.none()),
    st.tuples(st.just("enable"), st.none()),
    st.tuples(st.just("disable"), st.none()),
    st.tuples(st.just("advance"), st.sampled_from([1, 30, 89, 90, 91, 200, 365, 800])),
)


def followed(kms: FakeKMS, key: Key, steps: list[tuple[str, int | None]]) -> Iterator[Model]:
    """Do each step to a key and to the model of it."""
    model = Model()
    for step, number in steps:
        if step == "advance":
            kms.clock.advance(days=number or 0)
            model.pass_days(number or 0)
        elif step in ("enable", "disable"):
            getattr(kms.client, f"{step}_key")(KeyId=key.id)
            model.use(enabled=step == "enable")
        elif step == "enable rotation":
            members: Any = {} if number is None else {"RotationPeriodInDays": number}
            if model.enabled:
                kms.client.enable_key_rotation(KeyId=key.id, **members)
            model.enable_rotation(number)
        else:
            if model.enabled:
                kms.client.disable_key_rotation(KeyId=key.id)
            model.disable_rotation()
        yield model


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_dates_are_right_after_any_sequence(steps: list[tuple[str, int | None]]) -> None:
    """Whatever is enabled, disabled and waited for, rotations happen when they should."""
    with fake_kms(region="us-east-1", quotas=False) as kms:
        kms.clock.freeze()
        key, start = kms.create_key(), kms.clock.now
        for model in followed(kms, key, steps):
            assert model.status(start) == status_of(kms, key)
            assert [("AUTOMATIC", start + days(day)) for day in model.rotated] == dates_of(kms, key)
