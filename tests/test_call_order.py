"""Calls one after the other, and every line of the failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from answers import TESTER
from dirty_equals import IsStr
from failures import failure

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.kms(region="us-east-1")

COMPARE = "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full."
SOMEONE = "arn:aws:iam::123456789012:role/someone"


@pytest.fixture(autouse=True)
def calls(kms: FakeKMS) -> None:
    """Make a data key, decrypt it, encrypt with two keys, and look at one."""
    for name in ("orders", "archive"):
        kms.create_key(name)
    client, context = kms.client, {"order": "7"}
    blob = client.generate_data_key(KeyId="alias/orders", KeySpec="AES_256", EncryptionContext=context)
    client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext=context)
    for name in ("alias/orders", "alias/archive"):
        client.encrypt(KeyId=name, Plaintext=b"x", EncryptionContext=context)
    client.describe_key(KeyId="alias/orders")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(["Decrypt"], id="one"),
        pytest.param(["GenerateDataKey", "Decrypt", "Encrypt", "Encrypt", "DescribeKey"], id="all"),
        pytest.param(["GenerateDataKey", "DescribeKey"], id="others between"),
        pytest.param([("Encrypt", "alias/orders"), ("Encrypt", "alias/archive")], id="on keys"),
        pytest.param(["Decrypt", ("Encrypt", "alias/archive")], id="some on keys"),
        pytest.param([IsStr(regex="Gen.*"), IsStr(regex="En.*")], id="matchers"),
    ],
)
def test_an_order_that_holds_is_silent(kms: FakeKMS, steps: list[Any]) -> None:
    """Each step comes after the one before; what comes between does not matter."""
    kms.assert_called_in_order(*steps)


def test_each_step_meets_the_criteria(kms: FakeKMS) -> None:
    """They are asked of all."""
    kms.assert_called_in_order("GenerateDataKey", "Encrypt", encryption_context={"order": "7"}, principal=TESTER)
    with pytest.raises(AssertionError):
        kms.assert_called_in_order("GenerateDataKey", "DescribeKey", encryption_context={"order": "7"})


def test_a_step_that_came_too_early(kms: FakeKMS) -> None:
    """The failure says how far it went, and that there was such a call before."""
    assert [
        "pytest-kms: expected in this order: Encrypt on alias/orders, then Decrypt; there was no Decrypt after step 1.",
        "What happened:",
        "  3. Encrypt alias/orders {order: 7} -> ok   <-- step 1",
        "Nearest to step 2:",
        "  2. Decrypt alias/orders {order: 7} -> ok   <-- too early",
        "  1. GenerateDataKey alias/orders {order: 7} -> ok   <-- other operation",
        "  4. Encrypt alias/archive {order: 7} -> ok   <-- other operation",
        "  5. DescribeKey alias/orders -> ok   <-- other operation",
        COMPARE,
    ] == failure(lambda: kms.assert_called_in_order(("Encrypt", "alias/orders"), "Decrypt"))


def test_a_step_that_did_not_come_at_all(kms: FakeKMS) -> None:
    """What is asked of the steps is told with each."""
    assert [
        f"pytest-kms: expected in this order: GenerateDataKey by {SOMEONE}, then Encrypt on alias/archive by {SOMEONE};"
        " there was no GenerateDataKey.",
        "Nearest to step 1:",
        f"  1. GenerateDataKey alias/orders {{order: 7}} -> ok   <-- other principal: {TESTER}",
        f"  2. Decrypt alias/orders {{order: 7}} -> ok   <-- other operation; other principal: {TESTER}",
        f"  3. Encrypt alias/orders {{order: 7}} -> ok   <-- other operation; other principal: {TESTER}",
        f"  4. Encrypt alias/archive {{order: 7}} -> ok   <-- other operation; other principal: {TESTER}",
        f"  5. DescribeKey alias/orders -> ok   <-- other operation; other principal: {TESTER}",
        COMPARE,
    ] == failure(lambda: kms.assert_called_in_order("GenerateDataKey", ("Encrypt", "alias/archive"), principal=SOMEONE))


def test_a_step_more_than_there_were_calls(kms: FakeKMS) -> None:
    """All calls are steps, and one is missing."""
    steps = ["GenerateDataKey", "Decrypt", "Encrypt", "Encrypt", "DescribeKey"]
    assert [
        f"pytest-kms: expected in this order: {', then '.join(steps)}, then Sign; there was no Sign after step 5.",
        "What happened:",
        "  1. GenerateDataKey alias/orders {order: 7} -> ok   <-- step 1",
        "  2. Decrypt alias/orders {order: 7} -> ok   <-- step 2",
        "  3. Encrypt alias/orders {order: 7} -> ok   <-- step 3",
        "  4. Encrypt alias/archive {order: 7} -> ok   <-- step 4",
        "  5. DescribeKey alias/orders -> ok   <-- step 5",
        COMPARE,
    ] == failure(lambda: kms.assert_called_in_order(*steps, "Sign"))


def test_nothing_called_kms(kms: FakeKMS) -> None:
    """The advice is to look for what keeps the code under test from calling."""
    kms.reset()
    assert [
        "pytest-kms: expected in this order: Encrypt, then Decrypt; there was no Encrypt.",
        "What happened: nothing called KMS.",
        "What to do: check that the code under test was called, and that it ran in this process; a client that is"
        " stubbed (botocore's Stubber) never gets as far as KMS.",
    ] == failure(lambda: kms.assert_called_in_order("Encrypt", "Decrypt"))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        pytest.param([], "pytest-kms: name at least one operation", id="none"),
        pytest.param(["Encypt"], "pytest-kms: KMS has no operation 'Encypt'.", id="operation"),
        pytest.param([("Encrypt", "alias/nothing")], "pytest-kms: no key is called 'alias/nothing'.", id="key"),
    ],
)
def test_steps_that_cannot_be_are_refused(kms: FakeKMS, steps: list[Any], message: str) -> None:
    """As anywhere else."""
    with pytest.raises(UsageError) as excinfo:
        kms.assert_called_in_order(*steps)
    assert str(excinfo.value).startswith(message)
