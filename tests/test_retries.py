"""botocore's retries decide, whatever fails: each mode, sync and async, meets each kind of failure."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from optional import needs_httpx

from pytest_kms import FakeKMS, fake_kms

pytestmark = pytest.mark.usefixtures("no_aws_settings", "sleepless")

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_kms import KMSClient

ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
MODES = tuple(ATTEMPTS)
SLOWEST_RATE = 0.5
"""How many requests a second adaptive mode lets pass at least."""

modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody sleep."""

    def sleep(seconds: float) -> None:
        raise AssertionError(f"somebody sleeps for {seconds} s")

    async def async_sleep(seconds: float) -> None:
        if seconds:
            sleep(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(asyncio, "sleep", async_sleep)
    if find_spec("anyio"):
        monkeypatch.setattr("anyio.sleep", async_sleep)


@cache
def _session() -> boto3.Session:
    """Keep one: reading botocore's models takes longer than a test."""
    return boto3.Session()


@cache
def _async_session() -> Any:
    return get_session()


def sync_client(mode: str | None = None, **options: Any) -> KMSClient:
    """Make a client as an application does; each has retries of its own."""
    config = Config(**({"retries": {"mode": mode}} | options if mode else options))
    client: KMSClient = _session().client("kms", region_name="us-east-1", config=config)
    return client


def called(mode: str, method: str, **members: Any) -> Any:
    """Call with boto3."""
    return getattr(sync_client(mode), method)(**members)


async def _awaited(config: AioConfig, method: str, members: dict[str, Any]) -> Any:
    async with _async_session().create_client("kms", region_name="us-east-1", config=config) as client:
        return await getattr(client, method)(**members)


def called_on_aiohttp(mode: str, method: str, **members: Any) -> Any:
    """Call with aiobotocore's usual session."""
    return asyncio.run(_awaited(AioConfig(retries={"mode": mode}), method, members))


def _called_on_httpx(loop: str) -> Callable[..., Any]:
    def call(mode: str, method: str, **members: Any) -> Any:
        import anyio
        from aiobotocore.httpxsession import HttpxSession

        config = AioConfig(retries={"mode": mode}, http_session_cls=HttpxSession)
        return anyio.run(_awaited, config, method, members, backend=loop)

    return call


CALLERS: dict[str, Callable[..., Any]] = {
    "boto3": called,
    "aiohttp": called_on_aiohttp,
    "httpx-asyncio": _called_on_httpx("asyncio"),
    "httpx-trio": _called_on_httpx("trio"),
}
callers = pytest.mark.parametrize(
    "call",
    [pytest.param(call, id=name, marks=[needs_httpx] if "httpx" in name else []) for name, call in CALLERS.items()],
)


@dataclass(frozen=True)
class Kind:
    """A kind of failure: who retries, whether the work is done all the same, and what the application gets at last."""

    error: str
    retried: tuple[str, ...] = MODES
    carried_out: bool = False
    answered: bool = True
    code: str | None = "its own"

    @property
    def ends_with(self) -> str | None:
        """The code or the class of what is raised."""
        return self.error if self.code == "its own" else self.code


KINDS = (
    Kind("ThrottlingException"),
    Kind("KMSInternalException"),
    Kind("DependencyTimeoutException"),
    Kind("ServiceUnavailable"),
    Kind("InternalFailure"),
    Kind("LimitExceededException", retried=("standard", "adaptive")),
    Kind("AccessDeniedException", retried=()),
    Kind("ExpiredTokenException", retried=()),
    Kind("UnrecognizedClientException", retried=()),
    Kind("ConnectionClosedError", answered=False),
    Kind("ConnectTimeoutError", answered=False),
    Kind("EndpointConnectionError", answered=False),
    Kind("ReadTimeoutError", carried_out=True, answered=False),
    Kind("SSLError", answered=False),
    Kind("HTMLBody", code="502"),
    Kind("TruncatedBody", retried=(), carried_out=True, code=None),
)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.error)


def outcome_of(call: Callable[..., Any], kind: Kind, mode: str) -> tuple[str | None, int | None]:
    """Return what CreateKey ends with, and how many retries the answer tells of."""
    try:
        answer = call(mode, "create_key")
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"].get("RetryAttempts")
    except (HTTPClientError, BotocoreConnectionError) as error:
        return type(error).__name__, None
    assert (kind.code is not None) == ("KeyMetadata" in answer)
    return None, answer["ResponseMetadata"]["RetryAttempts"]


def keys_of(kms: FakeKMS) -> int:
    """Count the keys that there are."""
    return len(kms.client_for(region="us-east-1").list_keys()["Keys"])


@kinds
@modes
@callers
def test_a_failure_that_passes_is_survived_by_who_retries(
    call: Callable[..., Any], mode: str, kind: Kind, kms: FakeKMS
) -> None:
    """All attempts but the last fail; each is in the trail with its wait, and what was carried out is done."""
    failures = ATTEMPTS[mode] - 1 if mode in kind.retried else 1
    survived = mode in kind.retried
    kms.fail("CreateKey", kind.error, times=failures)
    kms.clock.freeze()
    before = kms.clock.now

    ended = outcome_of(call, kind, mode)

    (event,) = kms.trail
    errors = [kind.error] * failures + [None] * survived
    assert (None if survived else kind.ends_with, failures if survived else 0) == ended
    assert errors == [attempt.error for attempt in event.attempts]
    assert [*range(1, len(errors) + 1)] == [attempt.number for attempt in event.attempts]
    assert (len(errors) - 1, kind.carried_out * failures + survived) == (event.retries, event.carried_out)
    assert event.carried_out == keys_of(kms)
    delays = [attempt.delay for attempt in event.attempts]
    rate = 1 / SLOWEST_RATE if mode == "adaptive" else 0
    assert 0 == delays[0]
    assert all(0 < delay <= 2 ** (number - 1) + rate for number, delay in enumerate(delays[1:], start=1))
    took = sum(attempt.took for attempt in event.attempts)
    assert pytest.approx(event.waited + took, abs=1e-4) == (kms.clock.now - before).total_seconds()
    kms.assert_retried("CreateKey", times=failures) if survived else None


@kinds
@modes
@callers
def test_a_failure_that_stays_ends_the_call(call: Callable[..., Any], mode: str, kind: Kind, kms: FakeKMS) -> None:
    """botocore gives up after its attempts, with what the last one met."""
    attempts = ATTEMPTS[mode] if mode in kind.retried else 1
    with kms.outage("CreateKey", kind.error):
        ended = outcome_of(call, kind, mode)

    (event,) = kms.trail
    retries = attempts - 1 if kind.answered else None
    assert (kind.ends_with, retries) == ended
    assert [kind.error] * attempts == [attempt.error for attempt in event.attempts]
    assert (kind.error, False) == (event.error, event.succeeded)
    assert kind.carried_out * attempts == event.carried_out == keys_of(kms)


# how many attempts


@pytest.mark.parametrize("where", ["code", "environment", "file"])
@modes
def test_attempts_are_as_many_as_are_configured(
    where: str, mode: str, kms: FakeKMS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In code, in the environment or in the configuration file: botocore reads them."""
    retries: Any = None
    if where == "code":
        retries = {"mode": mode, "total_max_attempts": 4}
    elif where == "environment":
        monkeypatch.setenv("AWS_RETRY_MODE", mode)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    else:
        (tmp_path / "config").write_text(f"[default]\nretry_mode = {mode}\nmax_attempts = 4\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    client = boto3.Session().client("kms", region_name="us-east-1", config=Config(retries=retries))
    with kms.outage("ListKeys", "KMSInternalException"), pytest.raises(ClientError, match="max retries: 3"):
        client.list_keys()

    assert 3 == kms.trail.last.retries


@pytest.mark.parametrize("new", ["true", "false"])
def test_the_retries_that_botocore_announces_are_botocore_s_too(
    new: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AWS_NEW_RETRIES_2026 waits are shorter after most failures, and as long after throttling."""
    monkeypatch.setenv("AWS_NEW_RETRIES_2026", new)
    script = """\
import time

from botocore.config import Config

from pytest_kms import fake_kms


def refuse(seconds):
    raise SystemExit(f"slept {seconds} s")


time.sleep = refuse
for mode in ("legacy", "standard", "adaptive"):
    for error in ("ThrottlingException", "KMSInternalException", "ReadTimeoutError"):
        with fake_kms(seed=7) as kms:
            kms.clock.freeze()
            kms.fail("ListKeys", error, times=2)
            kms.client_for(config=Config(retries={"mode": mode})).list_keys()
            first, second = (attempt.delay for attempt in kms.trail.last.attempts[1:])
            print(mode, error, kms.trail.last.retries, 0 < first <= 0.05 and 0 < second <= 0.1)
"""
    result = pytester.run(sys.executable, "-c", script)

    short = new == "true"
    assert [
        f"{mode} {error} 2 {short and mode != 'legacy' and error != 'ThrottlingException'}"
        for mode in MODES
        for error in ("ThrottlingException", "KMSInternalException", "ReadTimeoutError")
    ] == result.outlines
    assert [] == result.errlines


@pytest.mark.parametrize(("mode", "retries"), [("standard", 100), ("legacy", 400)])
def test_the_quota_of_retries_is_the_client_s(mode: str, retries: int, kms: FakeKMS) -> None:
    """Standard mode has 500 tokens for a client's life, 5 for each retry; legacy mode has no such thing."""
    client, another = sync_client(mode), sync_client(mode)
    with kms.outage("ListKeys", "KMSInternalException"):
        for _ in range(100):
            with pytest.raises(ClientError):
                client.list_keys()

    kms.assert_retried("ListKeys", times=retries)
    kms.fail("ListKeys", "KMSInternalException")
    another.list_keys()
    assert 1 == kms.trail.last.retries


# timeouts take the time that the client has for them


@pytest.mark.parametrize(("error", "seconds"), [("ConnectTimeoutError", 3), ("ReadTimeoutError", 7)])
def test_a_timeout_takes_as_long_as_the_client_waits(error: str, seconds: int, kms: FakeKMS) -> None:
    """Of the fake's time."""
    kms.fail("ListKeys", error)

    sync_client(connect_timeout=3, read_timeout=7).list_keys()

    assert [seconds, 0] == [attempt.took for attempt in kms.trail.last.attempts]


@callers
def test_an_answer_that_is_late_is_a_read_timeout(call: Callable[..., Any], kms: FakeKMS) -> None:
    """After the 60 seconds that botocore waits; the work is done, and done again."""
    kms.clock.freeze()
    before = kms.clock.now
    kms.latency(61, "CreateKey", times=1)
    kms.latency(2, "ListKeys")

    call("standard", "create_key")

    (event,) = kms.trail
    assert [("ReadTimeoutError", 60, True), (None, 0, False)] == [
        (attempt.error, attempt.took, attempt.lost) for attempt in event.attempts
    ]
    assert (2, 2) == (event.carried_out, keys_of(kms))
    assert 2 == kms.trail.last.attempts[0].took
    assert pytest.approx(62 + event.waited, abs=1e-4) == (kms.clock.now - before).total_seconds()


def test_a_late_answer_says_why(kms: FakeKMS) -> None:
    """With how long it takes; a call that fails at last has botocore's exception."""
    kms.latency(5.5, "ListKeys")
    client = sync_client(read_timeout=5, retries={"total_max_attempts": 1})

    with pytest.raises(ReadTimeoutError, match=r"Read timeout on endpoint URL: \"https://kms\.us-east-1"):
        client.list_keys()

    assert ("ReadTimeoutError", "the answer takes 5.5 s, by kms.latency") == (
        kms.trail.last.error,
        kms.trail.last.why,
    )


def test_a_client_without_a_timeout_waits(kms: FakeKMS) -> None:
    """As long as it takes; a timeout that is ordered all the same takes no time."""
    client = sync_client(read_timeout=None, connect_timeout=None)
    kms.latency(10_000, "ListKeys")
    client.list_keys()
    kms.fail("ListAliases", "ReadTimeoutError")
    kms.fail("ListAliases", "ConnectTimeoutError")
    client.list_aliases()

    assert [10_000] == [attempt.took for attempt in kms.trail[0].attempts]
    assert [0, 0, 0] == [attempt.took for attempt in kms.trail[1].attempts]


# adaptive mode


def test_adaptive_mode_holds_a_client_back_before_it_sends(kms: FakeKMS) -> None:
    """A request that has to wait for its turn is sent, counted and recorded after that."""
    client = sync_client("adaptive")
    kms.clock.freeze()
    kms.throttle("ListKeys", times=2)
    for _ in range(6):
        client.list_keys()

    events = kms.trail[1:]
    assert all(0 < event.waited <= 1 / SLOWEST_RATE for event in events)
    assert sorted(event.time for event in kms.trail) == [event.time for event in kms.trail]
    assert all(
        later.waited == pytest.approx((later.time - earlier.time).total_seconds(), abs=1e-4)
        for earlier, later in pairwise(events)
    )


def test_a_client_of_adaptive_mode_meets_one_fake_after_the_other() -> None:
    """Its time goes on, whatever each fake's clock says."""
    with fake_kms() as first:
        client = sync_client("adaptive")
        first.throttle("ListKeys", times=2)
        client.list_keys()
        first.latency(50)
        client.list_keys()
    for _ in range(2):
        with fake_kms() as kms:
            kms.throttle("ListKeys")
            client.list_keys()
            client.list_keys()
            assert all(event.waited <= 1 + 2 / SLOWEST_RATE for event in kms.trail)


# what was waited


def test_what_was_waited_is_told(kms: FakeKMS) -> None:
    """A call, its retries, and the seconds before each attempt."""
    kms.fail("ListKeys", "KMSInternalException", times=2)
    kms.client.list_keys()

    event = kms.trail.last
    assert 2 == event.retries
    assert sum(attempt.delay for attempt in event.attempts) == event.waited
    assert (0, 1) == (event.throttled, event.carried_out)


def test_waits_are_noted_also_where_they_are_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `real_backoff` somebody sleeps, and the fake knows how long."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with fake_kms(real_backoff=True) as kms:
        kms.throttle("ListKeys")
        sync_client("standard").list_keys()

        assert slept == [kms.trail.last.waited]
        assert 0 == kms.clock.waited
