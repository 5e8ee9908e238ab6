"""What an account has in a Region, and how it goes: keys are deleted when their time has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, Key, UsageError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
DENIED = {
    "Code": "AccessDeniedException",
    "Message": "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms:Decrypt on the"
    " resource associated with this ciphertext because the resource does not exist in this Region, no"
    " resource-based policies allow access, or a resource-based policy explicitly denies access",
}


def error_of(act: Callable[[], object]) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        act()
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


def ids_in(client: KMSClient) -> list[str]:
    """Return the ids that ListKeys answers."""
    return [entry["KeyId"] for entry in client.list_keys()["Keys"]]


def names_in(client: KMSClient) -> list[str]:
    """Return the aliases that customers have made."""
    return [entry["AliasName"] for entry in client.list_aliases(Limit=100)["Aliases"] if "TargetKeyId" in entry]


def schedule(kms: FakeKMS, key: Key, days: int) -> None:
    """Schedule the deletion of a key by a call."""
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=days)


def not_found(key: Key) -> dict[str, str]:
    """Return AWS's error for a key that is not there."""
    return {"Code": "NotFoundException", "Message": f"Key '{key.arn}' does not exist"}


@pytest.mark.parametrize("days", [7, 8, 30])
def test_a_key_is_deleted_when_its_waiting_period_is_over(kms: FakeKMS, days: int) -> None:
    """Not a second before, and at once when the time has come."""
    kms.clock.freeze()
    key = kms.create_key("orders")
    schedule(kms, key, days)
    kms.clock.advance(days=days - 1, hours=23, minutes=59, seconds=59)
    assert [key.id] == ids_in(kms.client)
    assert ["alias/orders"] == names_in(kms.client)
    kms.clock.advance(seconds=1)
    assert [] == ids_in(kms.client)
    assert not_found(key) == error_of(lambda: kms.client.describe_key(KeyId=key.id))
    assert not_found(key) == error_of(lambda: kms.client.cancel_key_deletion(KeyId=key.arn))


def test_a_key_is_deleted_on_time_whatever_fractions_have_passed(kms: FakeKMS) -> None:
    """Retries wait for fractions of seconds; sums of them do not put the date off."""
    kms.clock.freeze()
    late = []
    for number in range(100):
        kms.clock.advance(seconds=number / 1000 + number / 3e6)
        key = kms.create_key()
        schedule(kms, key, 7)
        kms.clock.advance(days=7)
        late += ids_in(kms.client)
    assert [] == late


def test_a_key_that_the_test_has_put_in_that_state_is_deleted_too(kms: FakeKMS) -> None:
    """Its waiting period is AWS's default of 30 days."""
    kms.clock.freeze()
    key = kms.create_key(state="PendingDeletion")
    kms.clock.advance(days=29)
    assert [key.id] == ids_in(kms.client)
    kms.clock.advance(days=1)
    assert [] == ids_in(kms.client)


def test_the_aliases_of_a_key_go_with_it(kms: FakeKMS) -> None:
    """All of them, and no other; the names are free again."""
    key, other = kms.create_key("orders"), kms.create_key("other")
    kms.client.create_alias(AliasName="alias/second", TargetKeyId=key.id)
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert ["alias/other"] == names_in(kms.client)
    assert [] == key.aliases
    assert {
        "Code": "NotFoundException",
        "Message": "Alias arn:aws:kms:us-east-1:123456789012:alias/orders is not found.",
    } == error_of(lambda: kms.client.describe_key(KeyId="alias/orders"))
    kms.client.create_alias(AliasName="alias/orders", TargetKeyId=other.id)
    assert ["alias/other", "alias/orders"] == other.aliases


def test_an_alias_that_was_moved_away_stays(kms: FakeKMS) -> None:
    """What points to a living key is not deleted."""
    key, other = kms.create_key("orders"), kms.create_key()
    schedule(kms, key, 7)
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=other.id)
    kms.clock.advance(days=7)
    assert ["alias/orders"] == names_in(kms.client)
    assert [other.id] == ids_in(kms.client)


def test_a_deletion_that_was_cancelled_does_not_happen(kms: FakeKMS) -> None:
    """The key lives, disabled, with its alias."""
    key = kms.create_key("orders")
    schedule(kms, key, 7)
    kms.client.cancel_key_deletion(KeyId=key.id)
    kms.clock.advance(days=365)
    assert ([key.id], ["alias/orders"], "Disabled") == (ids_in(kms.client), names_in(kms.client), key.state)


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingImport"])
def test_a_key_that_the_test_has_saved_is_not_deleted(kms: FakeKMS, state: str) -> None:
    """Another state takes the date away."""
    key = kms.create_key(state="PendingDeletion")
    key.state = state
    kms.clock.advance(days=365)
    assert [key.id] == ids_in(kms.client)


def test_the_last_schedule_counts(kms: FakeKMS) -> None:
    """A key that was scheduled, saved and scheduled again goes at the later date."""
    kms.clock.freeze()
    key = kms.create_key()
    schedule(kms, key, 7)
    kms.clock.advance(days=3)
    kms.client.cancel_key_deletion(KeyId=key.id)
    schedule(kms, key, 7)
    kms.clock.advance(days=4)
    assert [key.id] == ids_in(kms.client)
    kms.clock.advance(days=3)
    assert [] == ids_in(kms.client)


def test_a_key_that_was_scheduled_twice_at_one_moment_goes_once(kms: FakeKMS) -> None:
    """Two schedules of the same date are no trouble."""
    kms.clock.freeze()
    key = kms.create_key()
    schedule(kms, key, 7)
    kms.client.cancel_key_deletion(KeyId=key.id)
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)


def test_several_keys_go_each_at_its_date(kms: FakeKMS) -> None:
    """Whatever order they were scheduled in."""
    kms.clock.freeze()
    days = {kms.create_key(f"after-{days}"): days for days in (21, 7, 14, 30)}
    for key, window in days.items():
        schedule(kms, key, window)
    names = []
    for _ in range(5):
        names.append(names_in(kms.client))
        kms.clock.advance(days=7)
    assert [
        ["alias/after-14", "alias/after-21", "alias/after-30", "alias/after-7"],
        ["alias/after-14", "alias/after-21", "alias/after-30"],
        ["alias/after-21", "alias/after-30"],
        ["alias/after-30"],
        ["alias/after-30"],
    ] == names
    kms.clock.advance(days=365)
    assert [] == names_in(kms.client)


def test_all_that_is_due_happens_in_one_leap(kms: FakeKMS) -> None:
    """A year passes at once, and nothing waits for another call."""
    for days in (7, 14):
        schedule(kms, kms.create_key(), days)
    stays = kms.create_key()
    kms.clock.advance(days=365)
    assert [stays.id] == ids_in(kms.client)


def test_the_deletion_is_of_one_region_and_account(kms: FakeKMS) -> None:
    """A key of the same id elsewhere stays."""
    key = kms.create_key("orders", key_id=ID)
    elsewhere = [
        kms.create_key("orders", key_id=ID, region="eu-west-1"),
        kms.create_key("orders", key_id=ID, account="999999999999"),
    ]
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)
    assert [ID] == ids_in(kms.client_for(region="eu-west-1"))
    assert ["alias/orders"] * 2 == [other.alias for other in elsewhere]


def test_a_ciphertext_of_a_deleted_key_is_lost(kms: FakeKMS) -> None:
    """AWS does not say whose it was; the trail does."""
    key = kms.create_key()
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"]
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert DENIED == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob))
    assert f"the ciphertext was made with {key.arn}, which has been deleted" == kms.trail.last.why
    assert not_found(key) == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId=key.id))
    other = kms.create_key()
    assert "IncorrectKeyException" == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId=other.id))["Code"]


def test_the_test_still_opens_a_ciphertext_of_a_deleted_key(kms: FakeKMS) -> None:
    """Arranging works whatever state a key is in: it may make and open what real KMS has lost."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"secret")
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)
    assert b"secret" == kms.decrypt(blob)
    assert b"again" == kms.decrypt(kms.encrypt(key, b"again"))


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_deleted_key_encrypts_by_its_names_too(kms: FakeKMS, form: str) -> None:
    """Its id and ARN mean it still, as they do in assertions."""
    key = kms.create_key()
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)
    assert b"secret" == kms.decrypt(kms.encrypt(getattr(key, form), b"secret"))


def test_a_key_of_the_same_id_opens_nothing_of_the_deleted_one(kms: FakeKMS) -> None:
    """An id may be given again; the material is another."""
    key = kms.create_key(key_id=ID)
    blob = kms.encrypt(key, b"secret")
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)
    kms.create_key(key_id=ID)
    assert DENIED == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob))


ARRANGING: dict[str, Callable[[FakeKMS], object]] = {
    "the same id": lambda kms: kms.create_key(key_id=ID),
    "the same alias": lambda kms: kms.create_key("orders"),
}


@pytest.mark.parametrize("arrange", ARRANGING.values(), ids=ARRANGING)
def test_arranging_finds_the_deletion_done(kms: FakeKMS, arrange: Callable[[FakeKMS], object]) -> None:
    """What is due happens when the test next arranges something, too."""
    schedule(kms, kms.create_key("orders", key_id=ID), 7)
    kms.clock.advance(days=7)
    arrange(kms)
    assert 1 == len(ids_in(kms.client))


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda kms: kms.assert_not_used("alias/orders"), id="assert_not_used"),
        pytest.param(lambda kms: kms.encrypt("alias/orders", b"x"), id="encrypt"),
        pytest.param(lambda kms: kms.throttle(key="alias/orders"), id="throttle"),
        pytest.param(lambda kms: kms.trail.filter(key="alias/orders"), id="filter"),
    ],
)
def test_a_name_that_is_due_to_go_is_gone(kms: FakeKMS, ask: Callable[[FakeKMS], object]) -> None:
    """The fake's own methods see the same keys as calls do."""
    schedule(kms, kms.create_key("orders"), 7)
    kms.clock.advance(days=7)
    with pytest.raises(UsageError) as excinfo:
        ask(kms)
    assert "pytest-kms: no key is called 'alias/orders'. Known keys: none." == str(excinfo.value)


def test_an_aws_owned_key_may_go_as_well(kms: FakeKMS) -> None:
    """A service may delete its key; other keys and calls do not mind."""
    key, other = kms.aws_owned_key("dynamodb"), kms.create_key()
    key.state = "PendingDeletion"
    kms.clock.advance(days=30)
    assert [other.id] == ids_in(kms.client)


def test_a_throttled_call_finds_the_deletion_done(kms: FakeKMS) -> None:
    """The waits of retries pass the fake's time, and what falls due meanwhile is done."""
    kms.clock.freeze()
    key = kms.create_key()
    schedule(kms, key, 7)
    kms.clock.advance(days=6, hours=23, minutes=59, seconds=59.999)
    kms.throttle("DescribeKey", times=8)
    client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 9}))
    assert not_found(key) == error_of(lambda: client.describe_key(KeyId=key.id))


def test_keys_and_names_are_listed_in_order(kms: FakeKMS) -> None:
    """Whatever the order in which they were made and taken away."""
    keys = [kms.create_key(name) for name in ("m", "z", "a", "k")]
    kms.client.delete_alias(AliasName="alias/k")
    kms.client.create_alias(AliasName="alias/b", TargetKeyId=keys[1].id)
    assert sorted(key.id for key in keys) == ids_in(kms.client)
    assert ["alias/a", "alias/b", "alias/m", "alias/z"] == names_in(kms.client)


def test_a_deletion_may_be_scheduled_again_for_an_earlier_date(kms: FakeKMS) -> None:
    """The later date, which was cancelled, passes by."""
    kms.clock.freeze()
    key, other = kms.create_key(), kms.create_key()
    schedule(kms, key, 30)
    kms.client.cancel_key_deletion(KeyId=key.id)
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [other.id] == ids_in(kms.client)
    kms.clock.advance(days=30)
    assert [other.id] == ids_in(kms.client)


@pytest.mark.parametrize(
    "id_of",
    [
        pytest.param(lambda kms: kms.client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"], id="by a call"),
        pytest.param(lambda kms: kms.aws_managed_key("s3").id, id="by the test"),
    ],
)
def test_an_aws_managed_key_that_is_gone_is_made_again(kms: FakeKMS, id_of: Callable[[FakeKMS], str]) -> None:
    """The next to use it gets another one."""
    key = kms.aws_managed_key("s3")
    key.state = "PendingDeletion"
    kms.clock.advance(days=31)
    assert key.id != id_of(kms)


def test_a_deleted_key_is_remembered_by_trail_and_assertions(kms: FakeKMS) -> None:
    """By its id and its ARN, and by the Key that the test holds; its alias is gone, and still told."""
    key = kms.create_key("orders")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    schedule(kms, key, 7)
    kms.clock.advance(days=7)
    assert [] == ids_in(kms.client)
    for name in (key, key.id, key.arn):
        kms.assert_used(name, "Encrypt", times=1)
        assert [kms.trail[0]] == kms.trail.filter("Encrypt", key=name)
    with pytest.raises(AssertionError, match="  1. Encrypt alias/orders -> ok"):
        kms.assert_not_used(key)
