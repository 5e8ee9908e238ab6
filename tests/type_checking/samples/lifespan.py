"""Without fixtures, and with fixtures of other scopes."""

from __future__ import annotations

import unittest
from collections.abc import Coroutine
from typing import Any

import pytest
from typing_extensions import assert_type

import pytest_kms
from pytest_kms import FakeKMS, fake_kms

depot_kms = pytest_kms.kms_fixture("module", region="eu-west-1", quotas={"Decrypt": 3}, seed=1)
other_kms = pytest_kms.kms_fixture(scope="session", name="third_kms", autouse=True)


@pytest.mark.kms(region="eu-west-1", quotas=False)
def test_fixture(depot_kms: FakeKMS) -> None:
    """A fixture that was made gives a fake; the marker is one like any."""
    assert_type(depot_kms.trail.last.region, str)


def test_context_manager() -> int:
    """A block gives a fake, and swallows nothing: what follows it is reached, what it returns is."""
    with fake_kms(region="eu-west-1", seed="a", quotas=False) as kms:
        assert_type(kms, FakeKMS)
        return 1


@fake_kms()
def seal(order: int, kms: FakeKMS) -> str:
    """Be called without `kms`."""
    return f"{order} {kms}"


@fake_kms()
async def open_sealed(order: int, *, kms: FakeKMS) -> bytes:
    """Be a coroutine that is called without `kms`."""
    return f"{order} {kms}".encode()


@fake_kms()
class TestOrders(unittest.TestCase):
    """A case says for itself that it has a fake."""

    kms: FakeKMS
    number = 7

    @fake_kms()
    def test_order(self, kms: FakeKMS) -> int:
        """Be a method that is called without `kms`."""
        assert_type(self.kms, FakeKMS)
        return len(kms.trail)


async def test_results() -> None:
    """What is decorated keeps the type of its result; a case stays what it is."""
    assert_type(seal(7), str)
    opening = open_sealed(7)
    coroutine: Coroutine[Any, Any, bytes] = opening
    assert_type(await coroutine, bytes)
    assert_type(TestOrders(), TestOrders)
    assert_type(TestOrders().test_order(), int)
    assert_type(TestOrders.number, int)


def test_mistakes() -> None:
    """What cannot be is an error on its own line."""
    fake_kms("eu-west-1")  # error
    fake_kms(region=1)  # error
    fake_kms(quotas={"Decrypt": "3"})  # error
    fake_kms(scope="module")  # error
    fake_kms()(7)  # error
    pytest_kms.kms_fixture("test")  # error
    pytest_kms.kms_fixture("module", "eu-west-1")  # error
    pytest_kms.kms_fixture(seed=b"1")  # error
    pytest_kms.kms_fixture(unused_faults="maybe")  # error
    pytest_kms.no_such_name()  # error
    seal(7).no_such_method()  # error
