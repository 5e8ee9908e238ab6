"""The fake among other things that move the time: freezegun, time-machine, and the clocks of other services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import freezegun
import pytest
import time_machine
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from pytest_kms import fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

UTC = dt.timezone.utc
MOMENTS = [
    dt.datetime(1970, 1, 1, tzinfo=UTC),
    dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
    dt.datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC),
    dt.datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    dt.datetime(2100, 1, 1, tzinfo=UTC),
]
DAY = dt.timedelta(days=1)

Jump = Callable[[dt.datetime], object]


@contextmanager
def by_freezegun(moment: dt.datetime) -> Iterator[Jump]:
    """Freeze the time; the answer moves it."""
    with freezegun.freeze_time(moment) as frozen:
        yield frozen.move_to


@contextmanager
def by_ticking_freezegun(moment: dt.datetime) -> Iterator[Jump]:
    """Let the time begin at a moment and go on."""
    with freezegun.freeze_time(moment, tick=True) as frozen:
        yield frozen.move_to


@contextmanager
def by_time_machine(moment: dt.datetime) -> Iterator[Jump]:
    """Freeze the time; the answer moves it."""
    with time_machine.travel(moment, tick=False) as traveller:
        yield traveller.move_to


@contextmanager
def by_ticking_time_machine(moment: dt.datetime) -> Iterator[Jump]:
    """Let the time begin at a moment and go on."""
    with time_machine.travel(moment, tick=True) as traveller:
        yield traveller.move_to


Travel = Callable[[dt.datetime], AbstractContextManager[Jump]]
STILL: list[Travel] = [by_freezegun, by_time_machine]
TRAVELS: list[Travel] = [*STILL, by_ticking_freezegun, by_ticking_time_machine]


def life_of_a_key(kms: FakeKMS, client: KMSClient) -> None:
    """Make a key, use it, let a retry wait, and let the key be deleted."""
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    kms.throttle("Encrypt", times=2)
    blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert b"x" == client.decrypt(CiphertextBlob=blob)["Plaintext"]
    kms.assert_throttled("Encrypt", times=2)
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert [] == client.list_keys()["Keys"]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("travel", TRAVELS)
def test_a_fake_lives_at_any_time(travel: Travel, moment: dt.datetime) -> None:
    """Signing, answers, retries and what falls due work in every year that a test may live in."""
    with travel(moment), fake_kms() as kms:
        life_of_a_key(kms, kms.client)

        assert dt.timedelta(0) <= kms.trail[0].time - moment < dt.timedelta(minutes=5)


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("travel", TRAVELS)
def test_a_fake_that_was_there_before_goes_on_at_any_time(kms: FakeKMS, travel: Travel, moment: dt.datetime) -> None:
    """It follows into the future, and waits where the wall clock goes behind its start."""
    start, client = kms.clock.now, kms.client
    with travel(moment):
        assert kms.clock.now > max(start, moment) - dt.timedelta(seconds=1)  # seconds are counted whole
        life_of_a_key(kms, client)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("travel", STILL)
def test_retries_wait_while_the_time_stands_still(travel: Travel, mode: Any) -> None:
    """No wait is endless because the wall clock is frozen, and none is real."""
    with travel(MOMENTS[0]), fake_kms() as kms:
        client = kms.client_for(config=Config(retries={"mode": mode, "total_max_attempts": 5}))
        kms.throttle("ListKeys", times=4)
        before = kms.clock.now

        client.list_keys()

        assert kms.clock.now > before


@pytest.mark.parametrize("travel", STILL)
def test_the_wall_clock_moves_back_and_forth(travel: Travel) -> None:
    """The fake follows, but never goes behind its start; what has happened stays so."""
    start = MOMENTS[2]
    with travel(start) as jump, fake_kms() as kms:
        key = kms.create_key(state="PendingDeletion")
        seen = []
        for days in (1, -400, 2, 30, 10, -1, 31):
            jump(start + days * DAY)
            seen.append((kms.clock.now - start) / DAY)
            kms.client.generate_random(NumberOfBytes=1)

        assert [1, 0, 2, 30, 10, 0, 31] == seen
        assert key.deleted
        assert start + 30 * DAY == next(event.time for event in kms.trail if event.operation == "DeleteKey")


@pytest.mark.parametrize("travel", STILL)
def test_quotas_and_consistency_follow_the_wall_clock(travel: Travel) -> None:
    """A second that the test shows is a second."""
    start = MOMENTS[4]
    with travel(start) as jump, fake_kms(quotas={"CreateKey": 1}, eventual_consistency=5) as kms:
        client = kms.client_for(config=Config(retries={"total_max_attempts": 1}))
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        with pytest.raises(client.exceptions.ClientError, match="ThrottlingException"):
            client.create_key()
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId=key_id)

        jump(start + dt.timedelta(seconds=5))

        client.create_key()
        client.describe_key(KeyId=key_id)
        assert ["CreateKey request rate: 2 of 1 in second 0, CreateKey 2"] == [
            str(peak) for peak in kms.quotas.peaks() if peak.quota.startswith("CreateKey")
        ]


def advance(kms: FakeKMS, _: Jump, moment: dt.datetime) -> None:
    """Reach a moment by `advance`."""
    kms.clock.advance(seconds=(moment - kms.clock.now).total_seconds())


def at(kms: FakeKMS, _: Jump, moment: dt.datetime) -> None:
    """Reach a moment by `at`."""
    kms.clock.at(moment)


def wall(_: FakeKMS, jump: Jump, moment: dt.datetime) -> None:
    """Reach a moment by the wall clock."""
    jump(moment)


@pytest.mark.parametrize("reach", [advance, at, wall])
@pytest.mark.parametrize("travel", STILL)
def test_what_is_overdue_happens_in_order(travel: Travel, reach: Callable[[FakeKMS, Jump, dt.datetime], None]) -> None:
    """After one great leap all that was due happens in the order and at the moments that it was due."""
    start = MOMENTS[2]
    with travel(start) as jump, fake_kms() as kms:
        windows = (30, 7, 21, 8, 14)
        due = {}
        for days in windows:
            key = kms.client.create_key()["KeyMetadata"]["Arn"]
            due[start + days * DAY] = key
            kms.client.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)

        reach(kms, jump, start + 60 * DAY)
        kms.client.list_keys()

        deleted = [event for event in kms.trail if event.operation == "DeleteKey"]
        assert sorted(due.items()) == [(event.time, event.uses[0].key) for event in deleted]


LEAPS = st.lists(
    st.tuples(st.sampled_from(["advance", "at", "wall", "freeze"]), st.integers(-40, 40)), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=40)
@given(leaps=LEAPS, windows=st.lists(st.integers(7, 30), min_size=1, max_size=4))
def test_whatever_moves_the_time_things_fall_due_in_order(leaps: list[tuple[str, int]], windows: list[int]) -> None:
    """Keys are deleted when the fake's time reaches their date, never earlier, in order, and once."""
    start = MOMENTS[2]
    with freezegun.freeze_time(start) as frozen, fake_kms(quotas=False) as kms:
        dates = sorted(
            kms.client.schedule_key_deletion(KeyId=kms.create_key().id, PendingWindowInDays=days)["DeletionDate"]
            for days in windows
        )
        latest = kms.clock.now
        for how, days in leaps:
            if how == "wall":
                frozen.move_to(start + days * DAY)
            elif how == "freeze":
                kms.clock.freeze()
            elif how == "advance":
                kms.clock.advance(days=abs(days))
            else:
                kms.clock.at(kms.clock.now + abs(days) * DAY)
            kms.client.list_keys()
            latest = max(latest, kms.clock.now)
            deleted = [event.time for event in kms.trail if event.operation == "DeleteKey"]
            assert [date for date in dates if date <= latest] == deleted


# other services


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("travel", STILL)
def test_other_services_live_in_the_wall_clocks_time(travel: Travel, moment: dt.datetime) -> None:
    """The fake's time may be years ahead: objects in S3 are as old as the wall clock says."""
    with travel(moment), mock_aws(), fake_kms() as kms:
        storage = boto3.client("s3", "us-east-1")
        storage.create_bucket(Bucket="orders")
        kms.clock.at(moment + 5000 * DAY)
        life_of_a_key(kms, boto3.client("kms", "us-east-1"))

        storage.put_object(Bucket="orders", Key="7", Body=b"x")

        stored = storage.get_object(Bucket="orders", Key="7")
        assert b"x" == stored["Body"].read()
        assert abs(stored["LastModified"] - moment) <= dt.timedelta(seconds=1)


def _session(credentials: Credentials) -> boto3.Session:
    session = get_session()
    session._credentials = credentials  # type: ignore[attr-defined]  # noqa: SLF001  # as botocore's documentation of assumed roles does
    return boto3.Session(botocore_session=session, region_name="us-east-1")


def test_credentials_do_not_expire_by_the_fakes_clock(kms: FakeKMS) -> None:
    """Sessions last as long as the wall clock says: a leap of the fake's time refreshes none."""
    refreshed: list[str] = []

    def refresh() -> dict[str, str]:
        refreshed.append("again")
        return {}

    expires = dt.datetime.now(UTC) + dt.timedelta(hours=12)
    names = {"access_key": "ASIAEXAMPLE", "secret_key": "secret", "token": "token"}
    credentials = RefreshableCredentials.create_from_metadata(
        {**names, "expiry_time": expires.isoformat()}, refresh, "sts"
    )
    client = _session(credentials).client("kms")

    for _ in range(3):
        kms.clock.advance(days=365)
        client.list_keys()

    assert [] == refreshed


@pytest.mark.parametrize("travel", STILL)
def test_credentials_expire_by_the_wall_clock(travel: Travel) -> None:
    """Where that leaps over the end of a session, botocore gets new ones, and the call goes on."""
    start = MOMENTS[2]
    names = {"access_key": "ASIAEXAMPLE", "secret_key": "secret", "token": "token"}
    refreshed: list[str] = []

    def refresh() -> dict[str, str]:
        refreshed.append("again")
        return {**names, "expiry_time": (start + 400 * DAY).isoformat()}

    with travel(start) as jump, fake_kms():
        credentials = RefreshableCredentials.create_from_metadata(
            {**names, "expiry_time": (start + DAY).isoformat()}, refresh, "sts"
        )
        client = _session(credentials).client("kms")
        client.list_keys()
        jump(start + 100 * DAY)
        client.list_keys()

    assert ["again"] == refreshed


def test_sessions_of_principals_do_not_expire(kms: FakeKMS) -> None:
    """The credentials that a fake has given last as long as it does."""
    client = kms.client_for(kms.principal("role/app"))
    kms.clock.advance(days=3650)

    with pytest.raises(client.exceptions.ClientError, match="AccessDeniedException"):
        client.list_keys()
