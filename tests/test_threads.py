"""Threads may call as they like: nothing is lost, nothing is mixed up."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from pytest_kms import FakeKMS

THREADS = 8
CALLS = 50
MANY_CALLS = 1_000


def test_every_call_of_every_thread_is_recorded(kms: FakeKMS) -> None:
    """Eight threads share a client; each call is one event, and each secret comes back to its thread."""
    kms.create_key("orders")
    client = kms.client

    def work(thread: int) -> int:
        good = 0
        for number in range(CALLS):
            secret = f"{thread} {number}".encode()
            context = {"thread": str(thread)}
            blob = client.encrypt(KeyId="alias/orders", Plaintext=secret, EncryptionContext=context)["CiphertextBlob"]
            good += secret == client.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"]
        return good

    with ThreadPoolExecutor(THREADS) as pool:
        good = list(pool.map(work, range(THREADS)))

    assert [CALLS] * THREADS == good
    kms.assert_called("Encrypt", times=THREADS * CALLS)
    kms.assert_called("Decrypt", times=THREADS * CALLS)
    for thread in range(THREADS):
        kms.assert_used("alias/orders", "Decrypt", encryption_context={"thread": str(thread)}, times=CALLS)


def test_throttled_threads_lose_no_call(kms: FakeKMS) -> None:
    """Each ordered fault meets one request, whichever thread makes it."""
    kms.create_key("orders")
    kms.throttle("Encrypt", times=20)
    client = kms.client_for(config=Config(retries={"total_max_attempts": 25}))

    def work(_: int) -> None:
        for _ in range(CALLS):
            client.encrypt(KeyId="alias/orders", Plaintext=b"secret")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    kms.assert_throttled("Encrypt", times=20)
    kms.assert_used("alias/orders", "Encrypt", times=THREADS * CALLS)


def test_keys_may_be_arranged_while_others_call(kms: FakeKMS) -> None:
    """A test goes on arranging while the code under test is at work."""
    kms.quotas.off()
    client = kms.client
    kms.create_key("orders")

    def work(_: int) -> None:
        for _ in range(CALLS):
            client.list_keys()
            client.list_aliases()
            client.describe_key(KeyId="alias/orders")

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(work, number) for number in range(THREADS)]
        arranged = [kms.create_key(f"key-{number}") for number in range(200)]
        for future in running:
            future.result()

    listed = {entry["KeyId"] for page in client.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    assert {key.id for key in arranged} <= listed


def test_answers_and_failures_are_all_the_calls(kms: FakeKMS) -> None:
    """Of eight thousand calls each is answered or fails, is one event, and no quota lets one too many pass."""
    kms.clock.freeze()
    kms.quotas["ListKeys"] = MANY_CALLS
    kms.fail("ListKeys", "KMSInternalException", times=300)
    kms.fail("ListKeys", "ReadTimeoutError", times=20, after=100)
    kms.fail("ListKeys", "SSLError", times=200, after=50)
    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    client = kms.client_for(config=Config(retries=retries, signature_version=UNSIGNED, read_timeout=0.125))

    def end_of_call() -> str:
        try:
            client.list_keys()
        except ClientError as error:
            return error.response["Error"]["Code"]
        except BotoCoreError as error:
            return type(error).__name__
        return "answer"

    def work(_: int) -> Counter[str]:
        return Counter(end_of_call() for _ in range(MANY_CALLS))

    with ThreadPoolExecutor(THREADS) as pool:
        ends = sum(pool.map(work, range(THREADS)), Counter())

    assert THREADS * MANY_CALLS == ends.total() == len(kms.trail)
    assert ends == Counter(event.error or "answer" for event in kms.trail)
    attempts = [attempt for event in kms.trail for attempt in event.attempts]
    met = Counter(attempt.error for attempt in attempts)
    assert (300, 20, 200) == (met["KMSInternalException"], met["ReadTimeoutError"], met["SSLError"])
    admitted = Counter((attempt.time.timestamp() - kms.clock.start) // 1 for attempt in attempts if attempt.carried_out)
    assert ends["answer"] + 20 == admitted.total()
    assert MANY_CALLS >= max(admitted.values())
    waited = sum(event.waited for event in kms.trail) + sum(attempt.took for attempt in attempts)
    assert pytest.approx(waited) == kms.clock.waited
