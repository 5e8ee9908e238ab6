"""The fake's time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import freezegun
import pytest
import time_machine
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import fake_kms

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms import FakeKMS

UTC = dt.timezone.utc
MOMENT = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def created(kms: FakeKMS) -> dt.datetime | None:
    """Return the creation date that KMS tells of a new key."""
    return kms.client.create_key()["KeyMetadata"].get("CreationDate")


def test_now_is_an_aware_datetime_in_utc(kms: FakeKMS) -> None:
    """It can be compared with what boto3 gives."""
    assert kms.clock.now.tzinfo is UTC
    assert dt.timedelta(0) == kms.clock.now.utcoffset()


def test_a_fake_begins_at_the_present(kms: FakeKMS) -> None:
    """It is the wall clock as Python shows it."""
    assert abs(dt.datetime.now(UTC) - kms.clock.now) < dt.timedelta(minutes=5)


def test_advance_moves_the_time_and_returns_it(kms: FakeKMS) -> None:
    """Days, hours, minutes and seconds are added up."""
    kms.clock.freeze()
    before = kms.clock.now

    after = kms.clock.advance(days=1, hours=2, minutes=3, seconds=4.5)

    assert after == kms.clock.now
    assert dt.timedelta(days=1, hours=2, minutes=3, seconds=4.5) == after - before


def test_advances_add_up(kms: FakeKMS) -> None:
    """Each goes on from the last."""
    kms.clock.freeze()
    before = kms.clock.now

    for _ in range(4):
        kms.clock.advance(seconds=0.25)

    assert dt.timedelta(seconds=1) == kms.clock.now - before


def test_advancing_by_nothing_changes_nothing(kms: FakeKMS) -> None:
    """No argument is no time."""
    kms.clock.freeze()

    assert kms.clock.now == kms.clock.advance()


def test_a_sum_that_is_not_negative_may_have_negative_parts(kms: FakeKMS) -> None:
    """A day less an hour is 23 hours."""
    kms.clock.freeze()
    before = kms.clock.now

    assert before + dt.timedelta(hours=23) == kms.clock.advance(days=1, hours=-1)


def test_time_does_not_run_backward(kms: FakeKMS) -> None:
    """A negative sum is a mistake of the test, and moves nothing."""
    kms.clock.freeze()
    before = kms.clock.now

    with pytest.raises(ValueError, match=r"^pytest-kms: the clock only moves forward$"):
        kms.clock.advance(seconds=-1)

    assert before == kms.clock.now


def test_what_kms_tells_is_the_fakes_time(kms: FakeKMS) -> None:
    """Dates in answers and in the trail move with the clock."""
    kms.clock.freeze()
    first = created(kms)
    kms.clock.advance(days=400)
    second = created(kms)

    assert first is not None
    assert second is not None
    assert dt.timedelta(days=400) == second - first
    assert kms.clock.now == kms.trail.last.time


def test_what_falls_due_happens_when_time_has_come(kms: FakeKMS) -> None:
    """A key is deleted when its waiting period is over, and not a second earlier."""
    kms.clock.freeze()
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)

    kms.clock.advance(days=7, seconds=-1)
    assert "PendingDeletion" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
    kms.clock.advance(seconds=1)
    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=key.id)

    assert {
        "Code": "NotFoundException",
        "Message": f"Key '{key.arn}' does not exist",
    } == excinfo.value.response["Error"]


def test_a_wait_of_a_retry_is_time_that_passes(kms: FakeKMS) -> None:
    """A throttled call ends later than it began, in the fake's time."""
    kms.clock.freeze()
    before = kms.clock.now
    kms.throttle("ListKeys", times=2)

    kms.client.list_keys()

    assert kms.clock.now > before
    assert kms.trail.last.attempts[-1].time > kms.trail.last.attempts[0].time
    assert before == kms.trail.last.time


def test_real_backoff_leaves_the_clock_alone() -> None:
    """Where retries sleep for real, they pass no time of the fake's; here there is nothing to sleep for."""
    with fake_kms(real_backoff=True) as kms:
        kms.clock.freeze()
        before = kms.clock.now
        kms.throttle("ListKeys")
        with pytest.raises(ClientError):
            kms.client_for(config=Config(retries={"total_max_attempts": 1})).list_keys()

        assert before == kms.clock.now


def test_reset_brings_the_present_back(kms: FakeKMS) -> None:
    """The time that has passed is forgotten, and so is `freeze`."""
    kms.clock.freeze()
    kms.clock.advance(days=1000)

    kms.reset()

    assert abs(dt.datetime.now(UTC) - kms.clock.now) < dt.timedelta(minutes=5)


def test_freezegun_sets_the_time_of_a_new_fake() -> None:
    """A fake made in frozen time begins there."""
    with freezegun.freeze_time(MOMENT), fake_kms() as kms:
        assert MOMENT == kms.clock.now
        assert MOMENT == created(kms)
        assert MOMENT == kms.trail.last.time


def test_freezegun_moves_the_time_of_a_fake(kms: FakeKMS) -> None:
    """A fake that was there before follows, to the second."""
    later = dt.datetime.now(UTC) + dt.timedelta(days=365)

    with freezegun.freeze_time(later):
        assert abs(later - kms.clock.now) <= dt.timedelta(seconds=1)


def test_seconds_are_counted_whole_from_the_first_look() -> None:
    """A burst within a second is one instant; the milliseconds are those of the first look."""
    start = MOMENT + dt.timedelta(milliseconds=123)
    with freezegun.freeze_time(start) as frozen, fake_kms() as kms:
        assert start == kms.clock.now
        frozen.tick(dt.timedelta(milliseconds=900))
        assert start == kms.clock.now
        frozen.tick(dt.timedelta(milliseconds=200))
        assert start + dt.timedelta(seconds=1) == kms.clock.now
        frozen.tick(dt.timedelta(seconds=58))
        assert start + dt.timedelta(seconds=59) == kms.clock.now


def test_a_fake_begins_at_a_whole_millisecond() -> None:
    """AWS's dates have three decimals."""
    with freezegun.freeze_time(MOMENT + dt.timedelta(microseconds=123_987)), fake_kms() as kms:
        assert MOMENT + dt.timedelta(milliseconds=123) == kms.clock.now
        assert MOMENT + dt.timedelta(milliseconds=123) == created(kms)


def test_the_wall_clock_set_back_does_not_set_the_fake_back(kms: FakeKMS) -> None:
    """Time stands where the fake began until the wall clock is there again."""
    start = kms.clock.now

    with freezegun.freeze_time("2000-01-01"):
        assert start >= kms.clock.now >= start - dt.timedelta(minutes=5)
        assert kms.clock.now.year != 2000
        kms.client.list_keys()


@pytest.mark.parametrize("moment", [MOMENT - dt.timedelta(days=9000), MOMENT + dt.timedelta(days=9000)], ids=str)
@pytest.mark.parametrize("look", [lambda kms: kms.clock.now, lambda kms: kms.create_key().created], ids=["now", "key"])
def test_a_fake_that_nobody_looked_at_begins_when_somebody_does(
    look: Callable[[FakeKMS], dt.datetime], moment: dt.datetime
) -> None:
    """A decorator of a test begins after its fixtures, and sets the time to the millisecond nevertheless."""
    with fake_kms() as kms, freezegun.freeze_time(moment):
        assert moment == look(kms)


def test_advance_and_freezegun_add_up() -> None:
    """What the test advances stands on top of the wall clock."""
    with freezegun.freeze_time(MOMENT) as frozen, fake_kms() as kms:
        kms.clock.advance(days=1)
        frozen.tick(dt.timedelta(hours=1))

        assert MOMENT + dt.timedelta(days=1, hours=1) == kms.clock.now


def test_freeze_stops_even_that() -> None:
    """After `freeze` the wall clock moves nothing; `advance` still does."""
    with freezegun.freeze_time(MOMENT) as frozen, fake_kms() as kms:
        frozen.tick(dt.timedelta(seconds=5))
        kms.clock.freeze()
        frozen.tick(dt.timedelta(days=5))
        assert MOMENT + dt.timedelta(seconds=5) == kms.clock.now

        kms.clock.advance(seconds=1)

        assert MOMENT + dt.timedelta(seconds=6) == kms.clock.now


def test_time_machine_sets_and_moves_the_time() -> None:
    """The other way to set the wall clock works alike."""
    with time_machine.travel(MOMENT, tick=False) as traveller, fake_kms() as kms:
        assert MOMENT == kms.clock.now
        traveller.shift(dt.timedelta(days=30))

        assert MOMENT + dt.timedelta(days=30) == kms.clock.now
        assert MOMENT + dt.timedelta(days=30) == created(kms)


def test_time_machine_lets_keys_be_deleted() -> None:
    """What falls due in the wall clock's time happens."""
    with time_machine.travel(MOMENT, tick=False) as traveller, fake_kms() as kms:
        key = kms.create_key(state="PendingDeletion")
        traveller.shift(dt.timedelta(days=30))

        assert [] == kms.client.list_keys()["Keys"]
        assert key.deleted


def test_a_second_of_the_wall_clock_renews_a_quota() -> None:
    """Quotas are counted in the time that the test shows."""
    once = Config(retries={"total_max_attempts": 1})
    with time_machine.travel(MOMENT, tick=False) as traveller, fake_kms(quotas={"ListKeys": 1}) as kms:
        client = kms.client_for(config=once)
        client.list_keys()
        with pytest.raises(ClientError):
            client.list_keys()
        traveller.shift(1)

        assert [] == client.list_keys()["Keys"]


def test_at_moves_the_time_to_a_moment(kms: FakeKMS) -> None:
    """What KMS tells afterwards is of that moment, to the microsecond."""
    moment = dt.datetime(2100, 2, 28, 23, 59, 59, 123_457, tzinfo=UTC)
    kms.clock.freeze()

    assert moment == kms.clock.at(moment)
    assert moment == kms.clock.now
    assert moment.replace(microsecond=123_000) == created(kms)
    assert moment == kms.trail.last.time


def test_at_takes_any_timezone(kms: FakeKMS) -> None:
    """A moment is the same everywhere."""
    kms.clock.freeze()
    tokyo = dt.datetime(2040, 1, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))

    assert dt.datetime(2040, 1, 1, tzinfo=UTC) == kms.clock.at(tokyo)
    assert UTC is kms.clock.now.tzinfo


def test_at_the_present_changes_nothing(kms: FakeKMS) -> None:
    """Now is no past."""
    kms.clock.freeze()
    kms.clock.advance(seconds=1 / 3)
    now = kms.clock.now

    assert now == kms.clock.at(now) == kms.clock.now


def test_time_goes_on_from_there() -> None:
    """After `at` the wall clock moves the fake's time on."""
    with freezegun.freeze_time(MOMENT) as frozen, fake_kms() as kms:
        kms.clock.at(MOMENT + dt.timedelta(days=30))
        frozen.tick(dt.timedelta(seconds=5))

        assert MOMENT + dt.timedelta(days=30, seconds=5) == kms.clock.now
        kms.clock.advance(days=1)
        assert MOMENT + dt.timedelta(days=31, seconds=5) == kms.clock.now


def test_at_does_not_run_backward() -> None:
    """A moment that has passed is a mistake of the test, and moves nothing."""
    with freezegun.freeze_time(MOMENT), fake_kms() as kms:
        past = MOMENT - dt.timedelta(seconds=1)
        with pytest.raises(ValueError, match="^pytest-kms: the clock only moves forward: it is ") as excinfo:
            kms.clock.at(past)

        assert (
            "pytest-kms: the clock only moves forward: it is 2026-03-01 12:00:00+00:00,"
            " later than 2026-03-01 11:59:59+00:00"
        ) == str(excinfo.value)
        assert MOMENT == kms.clock.now


class _Nowhere(dt.tzinfo):
    """A timezone that does not say how late it is."""

    def utcoffset(self, moment: dt.datetime | None, /) -> None:
        """Say nothing."""

    dst = tzname = utcoffset


@pytest.mark.parametrize("timezone", [None, _Nowhere()], ids=["naive", "no offset"])
def test_at_takes_no_naive_datetime(kms: FakeKMS, timezone: dt.tzinfo | None) -> None:
    """Whose midnight it is would be a guess."""
    kms.clock.freeze()
    before = kms.clock.now

    with pytest.raises(ValueError, match="^pytest-kms: datetime.*has no timezone; say datetime") as excinfo:
        kms.clock.at(dt.datetime(2100, 1, 1, tzinfo=timezone))

    assert str(excinfo.value).endswith("has no timezone; say datetime(..., tzinfo=timezone.utc)")
    assert before == kms.clock.now


def test_what_falls_due_until_a_moment_happens(kms: FakeKMS) -> None:
    """A key is deleted at its `DeletionDate`, and not a second earlier."""
    kms.clock.freeze()
    key = kms.create_key()
    due = kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)["DeletionDate"]

    kms.clock.at(due - dt.timedelta(seconds=1))
    assert "PendingDeletion" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
    kms.clock.at(due)
    assert [] == kms.client.list_keys()["Keys"]
