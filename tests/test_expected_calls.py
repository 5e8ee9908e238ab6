"""`kms.expect_calls`: how many calls a block makes, and every line of the failure."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from dirty_equals import IsPartialDict
from failures import failure

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.kms(region="us-east-1")

TOO_MANY = "What to do: look for the calls above that should not be, or expect more."
TOO_FEW = "What to do: check that the block calls what it should; calls before and after it do not count."


@pytest.fixture(autouse=True)
def keys(kms: FakeKMS) -> None:
    """Make two keys."""
    for name in ("orders", "archive"):
        kms.create_key(name)


def encrypt(kms: FakeKMS, name: str = "alias/orders", **context: str) -> None:
    """Encrypt by a call."""
    kms.client.encrypt(KeyId=name, Plaintext=b"x", EncryptionContext=context)


def test_a_block_that_calls_as_expected_is_silent(kms: FakeKMS) -> None:
    """What is called before and after does not count, nor what is not named."""
    encrypt(kms)
    with kms.expect_calls(Encrypt=2, Decrypt=0):
        encrypt(kms)
        kms.client.list_keys()
        encrypt(kms)
    encrypt(kms)


def test_attempts_of_one_call_count_once(kms: FakeKMS) -> None:
    """Whatever they end with."""
    kms.throttle(times=2)
    with kms.expect_calls(Encrypt=1, others=0):
        encrypt(kms)


def test_others_may_be_limited_too(kms: FakeKMS) -> None:
    """To a number, or to none at all."""
    with kms.expect_calls(Encrypt=1, others=2):
        encrypt(kms)
        kms.client.list_keys()
        kms.client.list_aliases()
    with kms.expect_calls(others=0):
        pass


def test_what_kms_does_by_itself_counts_by_name_alone(kms: FakeKMS) -> None:
    """Nobody has called it."""
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    with kms.expect_calls(others=0):
        kms.clock.advance(days=8)
        kms.world.settle()
    with kms.expect_calls(DeleteKey=0):
        pass
    kms.assert_called("DeleteKey", times=1)


def test_calls_may_be_asked_for_by_every_criterion(kms: FakeKMS) -> None:
    """Only those that meet them count."""
    with kms.expect_calls(Encrypt=1, key="alias/archive"), kms.expect_calls(Encrypt=2, key="alias/orders"):
        encrypt(kms)
        encrypt(kms, "alias/archive")
        encrypt(kms, order="7")
    with kms.expect_calls(Encrypt=1, encryption_context=IsPartialDict(order="7")):
        encrypt(kms, order="7", team="shop")
        encrypt(kms)
    with kms.expect_calls(Encrypt=0, via="s3.us-east-1.amazonaws.com"):
        encrypt(kms)
    with kms.expect_calls(Encrypt=1, error="DisabledException"):
        kms.fail("Encrypt", "DisabledException")
        with pytest.raises(kms.client.exceptions.DisabledException):
            encrypt(kms)


def test_blocks_stand_inside_each_other(kms: FakeKMS) -> None:
    """A call of the inner one counts in the outer, too."""
    with kms.expect_calls(Encrypt=3):
        encrypt(kms)
        with kms.expect_calls(Encrypt=1):
            encrypt(kms)
        encrypt(kms)


def test_one_expectation_serves_again(kms: FakeKMS) -> None:
    """Also inside itself."""
    once = kms.expect_calls(Encrypt=1)
    with once:
        encrypt(kms)
    with once, once:
        encrypt(kms)


def test_calls_of_threads_count(kms: FakeKMS) -> None:
    """Of all that begin inside."""
    with kms.expect_calls(Encrypt=2):
        threads = [threading.Thread(target=encrypt, args=(kms,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_too_many_calls(kms: FakeKMS) -> None:
    """They come first, and only calls of the block are told."""
    encrypt(kms)

    def block() -> None:
        with kms.expect_calls(Encrypt=1, Decrypt=0):
            kms.client.list_keys()
            encrypt(kms, order="1")
            encrypt(kms, order="2")

    assert [
        "pytest-kms: expected of this block: Encrypt once, Decrypt never; it was Encrypt twice.",
        "What happened in the block:",
        "  4. Encrypt alias/orders {order: 2} -> ok   <-- too many",
        "  2. ListKeys -> ok",
        "  3. Encrypt alias/orders {order: 1} -> ok",
        TOO_MANY,
    ] == failure(block)


def test_too_few_calls(kms: FakeKMS) -> None:
    """What differs is told, and what is asked of calls."""

    def block() -> None:
        with kms.expect_calls(Encrypt=1, GenerateDataKey=3, key="alias/orders", encryption_context={"order": "7"}):
            encrypt(kms, "alias/archive", order="7")

    assert [
        "pytest-kms: expected of this block on alias/orders with {order: 7}: Encrypt once, GenerateDataKey 3 times;"
        " it was Encrypt never, GenerateDataKey never.",
        "What happened in the block:",
        "  1. Encrypt alias/archive {order: 7} -> ok",
        TOO_FEW,
    ] == failure(block)


def test_no_call_at_all(kms: FakeKMS) -> None:
    """Calls before the block are not told."""
    encrypt(kms)

    def block() -> None:
        with kms.expect_calls(Encrypt=1):
            pass

    assert [
        "pytest-kms: expected of this block: Encrypt once; it was Encrypt never.",
        "What happened in the block: nothing called KMS.",
        TOO_FEW,
    ] == failure(block)


def test_others_that_are_too_many(kms: FakeKMS) -> None:
    """They are called so."""

    def block() -> None:
        with kms.expect_calls(Encrypt=0, others=0):
            kms.client.list_keys()

    assert [
        "pytest-kms: expected of this block: Encrypt never, other operations never; it was other operations once.",
        "What happened in the block:",
        "  1. ListKeys -> ok   <-- too many",
        TOO_MANY,
    ] == failure(block)


def test_the_exception_of_a_block_goes_through(kms: FakeKMS) -> None:
    """What it has called does not matter any more."""
    with pytest.raises(KeyError), kms.expect_calls(Encrypt=7):
        raise KeyError


def test_a_reset_begins_anew(kms: FakeKMS) -> None:
    """The calls before it are forgotten."""
    encrypt(kms)
    with kms.expect_calls(ListKeys=1):
        kms.client.list_keys()
        kms.reset()
        kms.client.list_keys()


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        pytest.param(
            {},
            "pytest-kms: name at least one operation; a block that must not call KMS at all has others=0",
            id="nothing",
        ),
        pytest.param({"Encrypt": -1}, "pytest-kms: Encrypt= is a number of calls, 0 or more, not -1", id="negative"),
        pytest.param({"others": -1}, "pytest-kms: others= is a number of calls, 0 or more, not -1", id="others"),
        pytest.param({"Encrypt": "1"}, "pytest-kms: Encrypt= is a number of calls, 0 or more, not '1'", id="text"),
        pytest.param({"Encypt": 1}, "pytest-kms: KMS has no operation 'Encypt'. Did you mean Encrypt", id="operation"),
    ],
)
def test_what_cannot_be_expected_is_refused(kms: FakeKMS, expected: dict[str, Any], message: str) -> None:
    """Before the block begins."""
    with pytest.raises(UsageError) as excinfo:
        kms.expect_calls(**expected)
    assert str(excinfo.value).startswith(message)
