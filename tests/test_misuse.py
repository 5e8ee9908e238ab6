"""What a test cannot mean is told in a sentence, where it is said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_kms import FakeKMS, Key, UsageError, fake_kms

pytestmark = pytest.mark.kms(region="us-east-1")


@pytest.fixture
def orders(kms: FakeKMS) -> Key:
    """Make a key."""
    return kms.create_key("orders")


MISUSES: dict[str, tuple[Callable[[Any], object], str]] = {
    "plaintext": (lambda kms: kms.encrypt("alias/orders", "x"), "a plaintext is bytes, not str"),
    "context": (
        lambda kms: kms.encrypt("alias/orders", b"x", {"a": 1}),
        "an encryption context is a mapping of texts to texts, not {'a': 1}",
    ),
    "context of decrypt": (
        lambda kms: kms.decrypt(b"x", ["a"]),
        "an encryption context is a mapping of texts to texts, not ['a']",
    ),
    "account": (lambda kms: kms.create_key(account=123), "an account has 12 digits, 123 has not"),
    "policy": (
        lambda kms: kms.create_key(policy=Path("key.json")),
        f"a policy is a mapping or its JSON, not {Path('key.json')!r}; of a file, say path.read_text()",
    ),
    "principal": (lambda kms: kms.client_for("eu-west-1"), "a principal is what kms.principal(...) returns, not 'eu-w"),
    "service": (
        lambda kms: kms.service("s3", on_behalf_of="role/app"),
        "a principal is what kms.principal(...) returns, not 'role/app'",
    ),
    "acting": (
        lambda kms: kms.acting_as("role/app").__enter__(),
        "a principal is what kms.principal(...) returns, not 'role/app'",
    ),
    "times": (lambda kms: kms.throttle(times="2"), "times is 1 or more, not '2'"),
    "parts of times": (lambda kms: kms.throttle(times=1.5), "times is 1 or more, not 1.5"),
    "seconds": (lambda kms: kms.latency("Encrypt", 5), "seconds is 0 or more, not 'Encrypt'"),
    "short alias": (
        lambda kms: kms.assert_used("orders"),
        "no key is called 'orders'. An alias is named with its prefix: alias/orders. Known keys: alias/orders (us-ea",
    ),
    "place": (lambda kms: kms.trail[0], "kms.trail has 0 calls, none is number 0"),
    "criterion of a fault": (
        lambda kms: kms.throttle(error="DisabledException"),
        "there is no criterion 'error'; what may be asked for: encryption_context, principal, via",
    ),
}


@pytest.mark.parametrize(("act", "message"), MISUSES.values(), ids=MISUSES)
def test_what_cannot_be_meant_is_told(kms: FakeKMS, orders: Key, act: Callable[[Any], object], message: str) -> None:
    """None of it ends in an error of Python's."""
    with pytest.raises((UsageError, IndexError), match=f"^pytest-kms: {re.escape(message)}"):
        act(kms)


def test_a_moment_without_a_time_zone_is_none(kms: FakeKMS) -> None:
    """It would be taken for that of the developer's machine."""
    key = kms.create_key(origin="EXTERNAL")
    with pytest.raises(UsageError, match="has no time zone"):
        kms.import_key_material(key, b"k" * 32, valid_to=dt.datetime(2031, 1, 1))


USES: dict[str, Callable[[FakeKMS, Key], object]] = {
    "encrypt": lambda kms, key: kms.encrypt(key, b"x"),
    "assert_not_used": lambda kms, key: kms.assert_not_used(key),
    "assert_called": lambda kms, key: kms.assert_called(key=key),
    "throttle": lambda kms, key: kms.throttle(key=key),
    "filter": lambda kms, key: kms.trail.filter(key=key),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_of_another_fake_is_told(kms: FakeKMS, orders: Key, use: Callable[[FakeKMS, Key], object]) -> None:
    """Of another test, or from before a reset: it is not the key that has its alias now."""
    with fake_kms() as other:
        foreign = other.create_key("orders")
    with pytest.raises(UsageError, match=rf"^pytest-kms: alias/orders \({foreign.id}\) is a key of another fake: of "):
        use(kms, foreign)
    kms.reset()
    kms.create_key("orders")
    with pytest.raises(UsageError, match="or from before a kms.reset"):
        use(kms, orders)
