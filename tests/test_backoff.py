"""The waits of botocore's retries pass the fake's time, and no wall time."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aiobotocore.endpoint
import aiobotocore.retries.adaptive
import aiobotocore.retries.bucket
import boto3
import botocore.endpoint
import botocore.retries.adaptive
import botocore.retries.bucket
import botocore.retries.standard
import botocore.retryhandler
import pytest
import time_machine
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, fake_kms

pytestmark = pytest.mark.usefixtures("no_aws_settings")

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SENTENCE = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}

modes = pytest.mark.parametrize("mode", ATTEMPTS)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nobody sleep; return the seconds that somebody wanted to, zeros left out."""
    seconds: list[float] = []
    really_wait_for = asyncio.wait_for

    def sleep(wanted: float) -> None:
        if wanted > 0:
            seconds.append(wanted)

    async def async_sleep(wanted: float) -> None:
        sleep(wanted)

    def wait(_: threading.Condition, timeout: float | None = None) -> bool:
        sleep(timeout or 0)
        raise AssertionError("a bucket of botocore waits for real")

    def wait_for(future: Any, timeout: float | None) -> Any:
        sleep(timeout or 0)
        return really_wait_for(future, 0)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(asyncio, "sleep", async_sleep)
    monkeypatch.setattr(threading.Condition, "wait", wait)
    monkeypatch.setattr(asyncio, "wait_for", wait_for)
    return seconds


def _client(mode: str) -> KMSClient:
    retries: Any = {"mode": mode}
    return boto3.Session().client("kms", region_name="us-east-1", config=Config(retries=retries))


# synchronous clients


@modes
def test_a_throttled_call_is_retried_and_succeeds(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """The waits of botocore's own retries move the fake's clock; nobody sleeps."""
    key = kms.create_key("orders")
    kms.clock.freeze()
    before = kms.clock.now
    kms.throttle("Encrypt", times=2)
    answer = _client(mode).encrypt(KeyId="alias/orders", Plaintext=b"7")

    assert [] == slept
    assert 2 == answer["ResponseMetadata"]["RetryAttempts"]
    assert 200 == answer["ResponseMetadata"]["HTTPStatusCode"]
    assert before < kms.clock.now
    kms.assert_used(key, "Encrypt", times=1)
    kms.assert_throttled("Encrypt", times=2)


@modes
def test_retries_come_to_an_end(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """When all attempts are throttled, the application gets AWS's error, and how often botocore has tried."""
    kms.create_key("orders")
    attempts = ATTEMPTS[mode]
    kms.throttle("Encrypt", times=attempts)
    with pytest.raises(ClientError) as excinfo:
        _client(mode).encrypt(KeyId="alias/orders", Plaintext=b"7")

    response = excinfo.value.response
    assert [] == slept
    assert {"Code": "ThrottlingException", "Message": SENTENCE} == response["Error"]
    assert attempts - 1 == response["ResponseMetadata"]["RetryAttempts"]
    assert True is response["ResponseMetadata"]["MaxAttemptsReached"]  # type: ignore[typeddict-item]
    assert 400 == response["ResponseMetadata"]["HTTPStatusCode"]
    assert (
        "An error occurred (ThrottlingException) when calling the Encrypt operation"
        f" (reached max retries: {attempts - 1}): {SENTENCE}"
    ) == str(excinfo.value)


@modes
def test_the_attempts_of_a_call_are_one_event(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """A call that was retried is one call in the trail; each attempt has its number, time and error."""
    kms.throttle("ListKeys", times=2)
    _client(mode).list_keys()
    (event,) = kms.trail
    times = [attempt.time for attempt in event.attempts]

    assert [1, 2, 3] == [attempt.number for attempt in event.attempts]
    assert ["ThrottlingException", "ThrottlingException", None] == [attempt.error for attempt in event.attempts]
    assert sorted(times) == times
    assert event.time == times[0]
    assert event.succeeded


@modes
def test_a_call_that_is_not_throttled_takes_no_time(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """Only waits move the frozen clock."""
    client = _client(mode)
    kms.clock.freeze()
    before = kms.clock.now
    for _ in range(3):
        client.list_keys()

    assert before == kms.clock.now
    assert [] == slept


@modes
def test_many_throttled_calls_of_one_client_take_no_time(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """Adaptive mode slows a client down that is throttled often: in the fake's time too."""
    client = _client(mode)
    for _ in range(8):
        kms.throttle("ListKeys")
        client.list_keys()

    assert [] == slept
    assert [2] * 8 == [len(event.attempts) for event in kms.trail]


@modes
def test_a_client_may_outlive_a_fake(mode: str, slept: list[float]) -> None:
    """A client of the application's module meets one fake after the other, whatever time it was in the last."""
    with fake_kms():
        client = _client(mode)
    for days in (8, 0, 0):
        with fake_kms() as kms:
            for _ in range(3):
                kms.throttle("ListKeys")
                client.list_keys()
            kms.clock.advance(days=days)
            kms.throttle("ListKeys")
            client.list_keys()
            assert 4 == len(kms.trail)

    assert [] == slept


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_the_waits_are_those_that_botocore_decides(mode: str, slept: list[float]) -> None:
    """The fake's clock moves by what would have been slept, attempt by attempt."""
    with fake_kms(real_backoff=True, seed=7) as real:
        real.throttle("ListKeys", times=2)
        _client(mode).list_keys()
    waits = tuple(slept)
    with fake_kms(seed=7) as kms:
        kms.clock.freeze()
        before = kms.clock.now
        kms.throttle("ListKeys", times=2)
        _client(mode).list_keys()
        delays = [attempt.delay for attempt in kms.trail.last.attempts]

    assert 2 == len(waits)
    assert [0, *waits] == delays == [attempt.delay for attempt in real.trail.last.attempts]
    assert pytest.approx(sum(waits), abs=1e-5) == (kms.clock.now - before).total_seconds()
    assert waits == tuple(slept)


def test_a_configured_number_of_attempts_is_kept(kms: FakeKMS, slept: list[float]) -> None:
    """Who wants ten attempts has ten."""
    client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
    kms.throttle("ListKeys", times=9)
    answer = client.list_keys()

    assert 9 == answer["ResponseMetadata"]["RetryAttempts"]
    assert [] == slept


# asynchronous clients


def _async_client(mode: str) -> Any:
    return get_session().create_client("kms", region_name="us-east-1", config=AioConfig(retries={"mode": mode}))


@modes
def test_an_asynchronous_call_is_retried_and_succeeds(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """The waits of aiobotocore's retries move the fake's clock too."""

    async def encrypt() -> Any:
        async with _async_client(mode) as client:
            return await client.encrypt(KeyId="alias/orders", Plaintext=b"7")

    key = kms.create_key("orders")
    kms.clock.freeze()
    before = kms.clock.now
    kms.throttle("Encrypt", times=2)
    answer = asyncio.run(encrypt())

    assert [] == slept
    assert 2 == answer["ResponseMetadata"]["RetryAttempts"]
    assert before < kms.clock.now
    kms.assert_used(key, "Encrypt", times=1)
    kms.assert_throttled("Encrypt", times=2)


@modes
def test_asynchronous_retries_come_to_an_end(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """aiobotocore gives up like botocore, with the same error."""

    async def list_keys() -> None:
        async with _async_client(mode) as client:
            await client.list_keys()

    attempts = ATTEMPTS[mode]
    kms.throttle("ListKeys", times=attempts)
    with pytest.raises(ClientError) as excinfo:
        asyncio.run(list_keys())

    assert [] == slept
    assert {"Code": "ThrottlingException", "Message": SENTENCE} == excinfo.value.response["Error"]
    assert attempts - 1 == excinfo.value.response["ResponseMetadata"]["RetryAttempts"]
    assert f"(reached max retries: {attempts - 1})" in str(excinfo.value)


@modes
def test_many_throttled_asynchronous_calls_take_no_time(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """The token bucket of aiobotocore's adaptive mode never waits for real."""

    async def list_keys() -> None:
        async with _async_client(mode) as client:
            for _ in range(6):
                kms.throttle("ListKeys")
                await client.list_keys()

    asyncio.run(list_keys())

    assert [] == slept
    assert [2] * 6 == [len(event.attempts) for event in kms.trail]


def test_tasks_side_by_side_are_retried_each(kms: FakeKMS, slept: list[float]) -> None:
    """What one task waits is no matter to another."""

    async def list_all() -> Any:
        async with _async_client("standard") as client:
            return await asyncio.gather(client.list_keys(), client.list_aliases())

    kms.throttle("ListKeys", times=2)
    kms.throttle("ListAliases", times=1)
    answers = asyncio.run(list_all())

    assert [] == slept
    assert [2, 1] == [answer["ResponseMetadata"]["RetryAttempts"] for answer in answers]


# what is left as it is


def _slow_down(request: Any, **_: Any) -> Any:
    response: Any = _Answer(request.url, 400, {}, None)  # type: ignore[arg-type]
    response.body = b'{"__type": "ThrottlingException", "message": "Slow down"}'
    return response


class _Body(bytes):
    def __await__(self) -> Iterator[Any]:
        return self  # type: ignore[return-value]
        yield


class _Answer(AWSResponse):
    body: bytes

    @property
    def content(self) -> _Body:
        return _Body(self.body)


def _throttled_queue(mode: str, **options: Any) -> Any:
    """Make a client of another service, whose every request is throttled by a handler of this test's own."""
    retries: Any = {"mode": mode, **options}
    client = boto3.Session().client("sqs", region_name="us-east-1", config=Config(retries=retries))

    client.meta.events.register("before-send.sqs", _slow_down)
    return client


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_the_waits_of_another_service_are_real(mode: str, kms: FakeKMS, slept: list[float]) -> None:
    """Time passes for KMS alone: an application that waits for SQS still does, before and after calls of KMS."""
    kms.throttle("ListKeys")
    _client(mode).list_keys()
    kms.clock.freeze()
    before = kms.clock.now
    with pytest.raises(ClientError, match="Slow down"):
        _throttled_queue(mode).list_queues()

    assert ATTEMPTS[mode] - 1 == len(slept)
    assert before == kms.clock.now


def test_the_rate_of_another_service_is_measured_in_real_time(kms: FakeKMS) -> None:
    """Adaptive mode holds an application back from SQS by the wall clock, whatever KMS has waited."""
    kms.throttle("ListKeys", times=2)
    _client("adaptive").list_keys()
    kms.clock.freeze()
    before = kms.clock.now
    queue = _throttled_queue("adaptive", total_max_attempts=1)
    with time_machine.travel(time.time(), tick=False) as traveller:
        for _ in range(2):
            traveller.shift(60)  # by then SQS may be asked again
            with pytest.raises(ClientError, match="Slow down"):
                queue.list_queues()

    assert before == kms.clock.now


def test_the_waits_of_an_asynchronous_client_of_another_service_are_real(kms: FakeKMS, slept: list[float]) -> None:
    """aiobotocore waits for SQS in its event loop, as before."""

    async def work() -> None:
        async with _async_client("standard") as client:
            await client.list_keys()
        async with get_session().create_client(
            "sqs", "us-east-1", config=AioConfig(retries={"mode": "standard"})
        ) as queue:
            queue.meta.events.register("before-send.sqs", _slow_down)
            await queue.list_queues()

    kms.throttle("ListKeys")
    with pytest.raises(ClientError, match="Slow down"):
        asyncio.run(work())

    assert 2 == len(slept)


def test_the_rest_of_time_is_as_it_was(kms: FakeKMS) -> None:
    """botocore sees the modules `time` and `random` with one function replaced."""
    kms.client.list_keys()

    seen: Any = vars(botocore.endpoint)["time"]
    dice: Any = vars(botocore.retryhandler)["random"]

    assert time.monotonic == seen.monotonic
    assert random.choice == dice.choice


@pytest.mark.usefixtures("without_generate_mac")
def test_waits_are_real_after_a_call_of_kms_that_was_refused(kms: FakeKMS, slept: list[float]) -> None:
    """However a call of KMS ends, the next wait is its own service's."""
    kms.create_key("orders")
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.client.describe_key(KeyId="alias/none")
    with pytest.raises(BaseException, match="GenerateMac is not supported"):
        kms.client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")
    kms.reset()
    with pytest.raises(ClientError, match="Slow down"):
        _throttled_queue("standard").list_queues()

    assert 2 == len(slept)


def test_the_application_sleeps_for_real(kms: FakeKMS, slept: list[float]) -> None:
    """`time.sleep` itself is not touched."""
    kms.throttle("ListKeys")
    kms.client.list_keys()
    time.sleep(7)

    assert [7] == slept


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_backoff_may_be_real(mode: str, slept: list[float]) -> None:
    """With `real_backoff` botocore sleeps, and the fake's clock moves with the wall clock alone."""
    with fake_kms(real_backoff=True) as kms:
        kms.clock.freeze()
        before = kms.clock.now
        kms.throttle("ListKeys", times=2)
        answer = _client(mode).list_keys()
        assert before == kms.clock.now

    assert 2 == answer["ResponseMetadata"]["RetryAttempts"]
    assert 2 == len(slept)


def test_asynchronous_backoff_may_be_real(slept: list[float]) -> None:
    """With `real_backoff` aiobotocore sleeps too."""

    async def list_keys() -> None:
        async with _async_client("standard") as client:
            await client.list_keys()

    with fake_kms(real_backoff=True) as kms:
        kms.throttle("ListKeys", times=2)
        asyncio.run(list_keys())

    assert 2 == len(slept)


def test_all_is_as_before_when_the_fake_is_gone(slept: list[float]) -> None:
    """Nothing of botocore and aiobotocore stays patched, also when fakes are nested."""

    def parts() -> list[Any]:
        return [
            vars(botocore.endpoint)["time"],
            vars(botocore.retryhandler)["random"],
            vars(botocore.retries.standard.ExponentialBackoff)["delay_amount"],
            vars(botocore.retries.adaptive)["register_retry_handler"],
            vars(aiobotocore.retries.adaptive)["register_retry_handler"],
            vars(botocore.retries.bucket.Clock)["current_time"],
            vars(botocore.retries.bucket.TokenBucket)["_acquire"],
            vars(aiobotocore.endpoint.AioEndpoint)["_sleep"],
            vars(aiobotocore.endpoint.AnyioEndpoint)["_sleep"],
            vars(aiobotocore.retries.bucket.AsyncTokenBucket)["_acquire"],
        ]

    before = parts()
    with fake_kms() as outer:
        outer.client.list_keys()
        with fake_kms() as inner:
            inner.throttle("ListKeys")
            inner.client.list_keys()
        # The outer fake still needs them.
        outer.throttle("ListKeys")
        outer.client.list_keys()
        assert [] == slept

    assert before == parts()
    assert time is vars(botocore.endpoint)["time"]


@pytest.mark.parametrize("new", ["true", "false"])
def test_the_retries_that_botocore_announces_wait_in_the_fakes_time(
    new: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AWS_NEW_RETRIES_2026 standard mode is the default and its waits are others; no time is slept either."""
    monkeypatch.setenv("AWS_NEW_RETRIES_2026", new)
    script = """\
import time

from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import fake_kms


def refuse(seconds):
    raise SystemExit(f"slept {seconds} s")


time.sleep = refuse
with fake_kms() as kms:
    for mode in (None, "legacy", "standard", "adaptive"):
        client = kms.client_for(config=Config(retries={"mode": mode} if mode else None))
        kms.throttle("ListKeys", times=2)
        kms.clock.freeze()
        before = kms.clock.now
        retries = client.list_keys()["ResponseMetadata"]["RetryAttempts"]
        kms.throttle("ListKeys", times=3 if client.meta.config.retries["mode"] != "legacy" else 5)
        try:
            client.list_keys()
        except ClientError as error:
            end = str(error).partition("(reached")[2].partition(":")
        print(client.meta.config.retries["mode"], retries, before < kms.clock.now, end[0], end[2][1:2])
"""
    result = pytester.run(sys.executable, "-c", script)

    default = "standard" if new == "true" else "legacy"
    modes = [default, "legacy", "standard", "adaptive"]
    assert [f"{mode} 2 True  max retries {ATTEMPTS[mode] - 1}" for mode in modes] == result.outlines
    assert [] == result.errlines
