"""The assertions, and every line of their failures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from answers import TESTER
from botocore.config import Config
from botocore.exceptions import ClientError
from failures import failure

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1")

SOMEONE = "arn:aws:iam::123456789012:role/someone"
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})

COMPARE = "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full."
LOOK = "What to do: look for the calls above that should not be, or change times=."
NOTHING = (
    "What happened: nothing called KMS.",
    "What to do: check that the code under test was called, and that it ran in this process;"
    " a client that is stubbed (botocore's Stubber) never gets as far as KMS.",
)

Check = Callable[[FakeKMS], None]


class AnyOf:
    """Equal to each of some texts, as the matchers of dirty-equals are."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def __eq__(self, other: object) -> bool:
        return other in self.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"AnyOf({', '.join(map(repr, self.texts))})"


class Holding:
    """Equal to each mapping that holds some entries."""

    def __init__(self, **entries: str) -> None:
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and self.entries.items() <= other.items()

    __hash__ = None  # type: ignore[assignment]  # like a mapping, it has none

    def __repr__(self) -> str:
        return f"Holding({', '.join(f'{name}={value!r}' for name, value in self.entries.items())})"


def refusal(check: Callable[[], None]) -> str:
    """Return the text with which a check is refused."""
    with pytest.raises(UsageError) as excinfo:
        check()
    return str(excinfo.value)


def encrypt(kms: FakeKMS, key: str, **context: str) -> bytes:
    """Encrypt by a call, with an encryption context."""
    return kms.client.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]


def decrypt(kms: FakeKMS, blob: bytes, **context: str) -> None:
    """Decrypt by a call, with an encryption context."""
    kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=context)


def failing(kms: FakeKMS, method: str, **members: Any) -> None:
    """Call an operation once, which fails."""
    with pytest.raises(ClientError):
        getattr(kms.client_for(config=ONE_ATTEMPT), method)(**members)


@pytest.fixture
def orders(kms: FakeKMS) -> Key:
    """Make a key that is called alias/orders, beside one that is called alias/archive."""
    kms.create_key("archive")
    return kms.create_key("orders")


# what holds


HOLDING: dict[str, Check] = {
    "used": lambda kms: kms.assert_used("alias/orders"),
    "used by an operation": lambda kms: kms.assert_used("alias/orders", "Decrypt"),
    "used so often": lambda kms: kms.assert_used("alias/orders", times=3),
    "used by an operation so often": lambda kms: kms.assert_used("alias/orders", "Encrypt", times=2),
    "used with a context": lambda kms: kms.assert_used("alias/orders", encryption_context={"order": "7"}, times=2),
    "used without a context": lambda kms: kms.assert_used("alias/orders", encryption_context={}, times=1),
    "used by a principal": lambda kms: kms.assert_used("alias/orders", principal=TESTER, times=3),
    "used by nobody else": lambda kms: kms.assert_used("alias/orders", principal=SOMEONE, times=0),
    "used via no service": lambda kms: kms.assert_used("alias/orders", via="s3.us-east-1.amazonaws.com", times=0),
    "used by an operation that is not cryptographic": lambda kms: kms.assert_used("alias/orders", "DescribeKey"),
    "used never": lambda kms: kms.assert_used("alias/archive", times=0),
    "not used": lambda kms: kms.assert_not_used("alias/archive"),
    "not used by an operation": lambda kms: kms.assert_not_used("alias/orders", "GenerateDataKey"),
    "only used": lambda kms: kms.assert_only_used("alias/orders"),
    "called": lambda kms: kms.assert_called("DescribeKey"),
    "called on a key": lambda kms: kms.assert_called("Encrypt", key="alias/orders"),
    "called so often": lambda kms: kms.assert_called("Encrypt", times=2),
    "called with a context": lambda kms: kms.assert_called("Decrypt", encryption_context={"order": "7"}),
    "called by a principal": lambda kms: kms.assert_called("Decrypt", principal=TESTER),
    "called and failed": lambda kms: kms.assert_called("DescribeKey", error="NotFoundException", times=1),
    "called never": lambda kms: kms.assert_called("ListKeys", times=0),
    "called via no service": lambda kms: kms.assert_called("Encrypt", via="s3.us-east-1.amazonaws.com", times=0),
    "not called": lambda kms: kms.assert_not_called("ListKeys"),
    "not called on a key": lambda kms: kms.assert_not_called("Encrypt", key="alias/archive"),
    "not called with a context": lambda kms: kms.assert_not_called("Encrypt", encryption_context={"order": "8"}),
    "not called by a principal": lambda kms: kms.assert_not_called("Encrypt", principal=SOMEONE),
    "an operation of a later version": lambda kms: kms.assert_not_called("Sign"),
    "throttled": lambda kms: kms.assert_throttled(),
    "throttled so often": lambda kms: kms.assert_throttled(times=2),
    "throttled by operation": lambda kms: kms.assert_throttled("GenerateRandom", times=2),
    "another not throttled": lambda kms: kms.assert_throttled("Encrypt", times=0),
    "no request on a key throttled": lambda kms: kms.assert_throttled(key="alias/orders", times=0),
    "denied": lambda kms: kms.assert_denied(),
    "denied so often": lambda kms: kms.assert_denied(times=1),
    "denied by operation": lambda kms: kms.assert_denied("DisableKey"),
    "denied on a key": lambda kms: kms.assert_denied(key="alias/aws/s3"),
    "denied to a principal": lambda kms: kms.assert_denied(principal=TESTER),
    "denied to nobody else": lambda kms: kms.assert_denied(principal=SOMEONE, times=0),
}


@pytest.mark.parametrize("check", HOLDING.values(), ids=HOLDING)
def test_an_assertion_that_holds_is_silent(kms: FakeKMS, orders: Key, check: Check) -> None:
    """Each criterion is one that the calls meet."""
    blob = encrypt(kms, "alias/orders", order="7")
    encrypt(kms, "alias/orders")
    decrypt(kms, blob, order="7")
    kms.client.describe_key(KeyId="alias/orders")
    failing(kms, "describe_key", KeyId="alias/nothing")
    failing(kms, "disable_key", KeyId=kms.aws_managed_key("s3").id)
    kms.throttle("GenerateRandom", times=2)
    kms.client.generate_random(NumberOfBytes=1)
    check(kms)


# what does not


def test_a_key_that_was_not_used(kms: FakeKMS, orders: Key) -> None:
    """The calls on other keys are shown, and marked for that."""
    encrypt(kms, "alias/archive", order="7")
    assert [
        "pytest-kms: expected alias/orders to be used, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/archive {order: 7} -> ok   <-- other key",
        COMPARE,
    ] == failure(lambda: kms.assert_used(orders))


def test_a_key_without_alias_is_told_by_its_id(kms: FakeKMS) -> None:
    """What has no name is called by its id, in what was expected and in what happened."""
    key, other = kms.create_key(), kms.create_key()
    encrypt(kms, other.id)
    assert [
        f"pytest-kms: expected {key.id} to be used, at least once; it was never.",
        "What happened, nearest first:",
        f"  1. Encrypt {other.id} -> ok   <-- other key",
        COMPARE,
    ] == failure(lambda: kms.assert_used(key))


def test_a_key_that_was_used_otherwise(kms: FakeKMS, orders: Key) -> None:
    """The nearest call comes first, and each call says how it differs."""
    blob = encrypt(kms, "alias/orders", order="8")
    encrypt(kms, "alias/archive", order="8")
    decrypt(kms, blob, order="8")
    assert [
        "pytest-kms: expected alias/orders to be used by Decrypt with {order: 7}"
        " by arn:aws:iam::123456789012:role/someone via s3.us-east-1.amazonaws.com, once; it was never.",
        "What happened, nearest first:",
        "  3. Decrypt alias/orders {order: 8} -> ok"
        f"   <-- encryption context: order '7' -> '8'; other principal: {TESTER}; not via a service",
        "  1. Encrypt alias/orders {order: 8} -> ok"
        f"   <-- other operation; encryption context: order '7' -> '8'; other principal: {TESTER}; not via a service",
        "  2. Encrypt alias/archive {order: 8} -> ok"
        "   <-- other operation; other key; encryption context: order '7' -> '8';"
        f" other principal: {TESTER}; not via a service",
        COMPARE,
    ] == failure(
        lambda: kms.assert_used(
            orders,
            "Decrypt",
            times=1,
            encryption_context={"order": "7"},
            principal=SOMEONE,
            via="s3.us-east-1.amazonaws.com",
        )
    )


def test_a_key_that_was_used_too_seldom(kms: FakeKMS, orders: Key) -> None:
    """The calls that count are shown unmarked."""
    encrypt(kms, "alias/orders")
    assert [
        "pytest-kms: expected alias/orders to be used by Encrypt, 3 times; it was once.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok",
        COMPARE,
    ] == failure(lambda: kms.assert_used(orders, "Encrypt", times=3))


def test_a_key_that_was_used_too_often(kms: FakeKMS, orders: Key) -> None:
    """The advice is to look for what is too many."""
    for _ in range(3):
        encrypt(kms, "alias/orders")
    assert [
        "pytest-kms: expected alias/orders to be used, twice; it was 3 times.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok",
        "  2. Encrypt alias/orders -> ok",
        "  3. Encrypt alias/orders -> ok",
        LOOK,
    ] == failure(lambda: kms.assert_used(orders, times=2))


@pytest.mark.parametrize(
    ("operation", "by"), [(None, ""), ("Encrypt", " by Encrypt")], ids=["at all", "by an operation"]
)
def test_a_key_that_was_used_against_all_expectation(kms: FakeKMS, orders: Key, operation: str | None, by: str) -> None:
    """The use is shown."""
    encrypt(kms, "alias/orders")
    assert [
        f"pytest-kms: expected alias/orders to be used{by}, never; it was once.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok",
        LOOK,
    ] == failure(lambda: kms.assert_not_used(orders, operation))


def test_a_key_that_was_used_beside_another(kms: FakeKMS, orders: Key) -> None:
    """The calls with other keys are shown, and those alone."""
    encrypt(kms, "alias/orders")
    kms.client.describe_key(KeyId="alias/archive")
    encrypt(kms, "alias/archive", order="7")
    assert [
        "pytest-kms: expected only alias/orders to be used; other keys were, once.",
        "What happened with other keys:",
        "  3. Encrypt alias/archive {order: 7} -> ok",
        "What to do: name these keys too, or find out why the code under test uses them.",
    ] == failure(lambda: kms.assert_only_used("alias/orders"))


def test_keys_that_were_used_beside_others(kms: FakeKMS, orders: Key) -> None:
    """All keys that are named are told."""
    third = kms.create_key()
    for key in (orders.id, "alias/archive", third.id):
        encrypt(kms, key)
    assert [
        "pytest-kms: expected only alias/orders and alias/archive to be used; other keys were, once.",
        "What happened with other keys:",
        f"  3. Encrypt {third.id} -> ok",
        "What to do: name these keys too, or find out why the code under test uses them.",
    ] == failure(lambda: kms.assert_only_used(orders, "alias/archive"))


def test_of_many_uses_of_other_keys_five_are_shown(kms: FakeKMS, orders: Key) -> None:
    """The rest is counted."""
    encrypt(kms, "alias/orders")
    for _ in range(7):
        encrypt(kms, "alias/archive")
    assert [
        "pytest-kms: expected only alias/orders to be used; other keys were, 7 times.",
        "What happened with other keys:",
        "  2. Encrypt alias/archive -> ok",
        "  3. Encrypt alias/archive -> ok",
        "  4. Encrypt alias/archive -> ok",
        "  5. Encrypt alias/archive -> ok",
        "  6. Encrypt alias/archive -> ok",
        "  ... and 2 more in kms.trail",
        "What to do: name these keys too, or find out why the code under test uses them.",
    ] == failure(lambda: kms.assert_only_used(orders))


def test_the_only_key_was_not_used_at_all(kms: FakeKMS, orders: Key) -> None:
    """Each key that is named must have been used."""
    encrypt(kms, "alias/orders")
    assert [
        "pytest-kms: expected alias/archive to be used, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok   <-- other key",
        COMPARE,
    ] == failure(lambda: kms.assert_only_used(orders, "alias/archive"))


def test_several_keys_may_be_the_only_ones(kms: FakeKMS, orders: Key) -> None:
    """Each was used, and no other."""
    encrypt(kms, "alias/orders")
    encrypt(kms, "alias/archive")
    kms.assert_only_used("alias/archive", orders)


def test_no_key_at_all_cannot_be_the_only_one(kms: FakeKMS) -> None:
    """The refusal says what to write instead."""
    assert "pytest-kms: name at least one key; or say kms.assert_not_used(key)" == refusal(kms.assert_only_used)


def test_an_operation_that_was_not_called(kms: FakeKMS, orders: Key) -> None:
    """Key, context, principal, service and error are told as they were asked."""
    encrypt(kms, "alias/orders")
    assert [
        "pytest-kms: expected Encrypt on alias/orders to be called with {order: 7}"
        " by arn:aws:iam::123456789012:role/someone via s3.us-east-1.amazonaws.com"
        " and to end with DisabledException, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok"
        f"   <-- encryption context: order '7' is missing; other principal: {TESTER}; not via a service; it succeeded",
        COMPARE,
    ] == failure(
        lambda: kms.assert_called(
            "Encrypt",
            key=orders,
            encryption_context={"order": "7"},
            principal=SOMEONE,
            via="s3.us-east-1.amazonaws.com",
            error="DisabledException",
        )
    )


@pytest.mark.parametrize("error", ["DisabledException", "AccessDeniedException"])
def test_an_operation_that_did_not_end_so(kms: FakeKMS, orders: Key, error: str) -> None:
    """Whatever error is asked for is told."""
    encrypt(kms, "alias/orders")
    assert [
        f"pytest-kms: expected Encrypt to be called and to end with {error}, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok   <-- it succeeded",
        COMPARE,
    ] == failure(lambda: kms.assert_called("Encrypt", error=error))


def test_an_operation_that_was_called_against_all_expectation(kms: FakeKMS, orders: Key) -> None:
    """A call counts whatever came of it."""
    failing(kms, "disable_key", KeyId="alias/orders")
    assert [
        "pytest-kms: expected DisableKey to be called, never; it was once.",
        "What happened, nearest first:",
        "  1. DisableKey alias/orders -> InvalidArnException",
        LOOK,
    ] == failure(lambda: kms.assert_not_called("DisableKey"))


def test_a_request_that_was_not_throttled(kms: FakeKMS, orders: Key) -> None:
    """The nearest call is the one that was answered."""
    encrypt(kms, "alias/orders")
    kms.client.list_keys()
    assert [
        "pytest-kms: expected Encrypt on alias/orders to be throttled, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok   <-- not throttled",
        "  2. ListKeys -> ok   <-- other operation; other key",
        COMPARE,
    ] == failure(lambda: kms.assert_throttled("Encrypt", key="alias/orders"))


def test_requests_that_were_throttled_too_often(kms: FakeKMS) -> None:
    """Each attempt counts, and the line of the call tells them."""
    kms.throttle(times=2)
    kms.client.list_keys()
    assert [
        "pytest-kms: expected a call to be throttled, once; it was twice.",
        "What happened, nearest first:",
        "  1. ListKeys -> ok (3 attempts, 2 throttled)",
        LOOK,
    ] == failure(lambda: kms.assert_throttled(times=1))


def test_a_call_that_was_not_retried(kms: FakeKMS, orders: Key) -> None:
    """The nearest calls are told with how their attempts ended."""
    kms.fail("Encrypt", "KMSInternalException", times=2)
    kms.throttle("Encrypt")
    encrypt(kms, "alias/orders")
    kms.fail("GenerateRandom", "ReadTimeoutError")
    kms.client.generate_random(NumberOfBytes=1)
    kms.client.list_keys()
    assert [
        "pytest-kms: expected Encrypt on alias/orders to be retried after ReadTimeoutError, at least once; it was"
        " never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ok (4 attempts, 2 KMSInternalException, 1 throttled)"
        "   <-- not retried after ReadTimeoutError",
        "  2. GenerateRandom -> ok (2 attempts, 1 ReadTimeoutError, carried out twice)"
        "   <-- other operation; other key",
        "  3. ListKeys -> ok   <-- other operation; other key",
        COMPARE,
    ] == failure(lambda: kms.assert_retried("Encrypt", key="alias/orders", error="ReadTimeoutError"))
    assert [
        "pytest-kms: expected ListKeys to be retried, at least once; it was never.",
        "What happened, nearest first:",
        "  3. ListKeys -> ok   <-- not retried",
        "  1. Encrypt alias/orders -> ok (4 attempts, 2 KMSInternalException, 1 throttled)   <-- other operation",
        "  2. GenerateRandom -> ok (2 attempts, 1 ReadTimeoutError, carried out twice)   <-- other operation",
        COMPARE,
    ] == failure(lambda: kms.assert_retried("ListKeys"))


def test_retries_are_counted_by_what_they_come_after(kms: FakeKMS, orders: Key) -> None:
    """All of them, or those after one error; the last attempt of a call is no retry's cause."""
    kms.fail("Encrypt", "KMSInternalException", times=2)
    kms.throttle("Encrypt", times=3)
    client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 5}))
    with pytest.raises(ClientError):
        client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_retried(times=4)
    kms.assert_retried("Encrypt", key=orders, error="KMSInternalException", times=2)
    kms.assert_retried(error="ThrottlingException", times=2)
    kms.assert_retried("Encrypt", principal="arn:aws:iam::123456789012:user/tester")
    kms.assert_retried("Decrypt", times=0)


def test_a_call_that_was_not_denied(kms: FakeKMS, orders: Key) -> None:
    """Whom it should have been denied to is told."""
    encrypt(kms, "alias/orders")
    assert [
        "pytest-kms: expected Encrypt on alias/orders to be denied to arn:aws:iam::123456789012:role/someone,"
        " twice; it was never.",
        "What happened, nearest first:",
        f"  1. Encrypt alias/orders -> ok   <-- other principal: {TESTER}; it succeeded",
        COMPARE,
    ] == failure(lambda: kms.assert_denied("Encrypt", key="alias/orders", principal=SOMEONE, times=2))


def test_a_call_that_was_denied_too_often(kms: FakeKMS) -> None:
    """The denied call is shown."""
    key = kms.aws_managed_key("s3")
    failing(kms, "disable_key", KeyId=key.id)
    assert [
        "pytest-kms: expected a call on alias/aws/s3 to be denied, never; it was once.",
        "What happened, nearest first:",
        "  1. DisableKey alias/aws/s3 -> AccessDeniedException",
        LOOK,
    ] == failure(lambda: kms.assert_denied(key=key, times=0))


FAILING_ON_NOTHING: dict[str, tuple[Check, str]] = {
    "assert_used": (lambda kms: kms.assert_used("alias/orders"), "alias/orders to be used, at least once"),
    "assert_only_used": (
        lambda kms: kms.assert_only_used("alias/orders"),
        "alias/orders to be used, at least once",
    ),
    "assert_called": (lambda kms: kms.assert_called("Encrypt", times=1), "Encrypt to be called, once"),
    "assert_throttled": (lambda kms: kms.assert_throttled(times=2), "a call to be throttled, twice"),
    "assert_denied": (lambda kms: kms.assert_denied("Decrypt"), "Decrypt to be denied, at least once"),
}


@pytest.mark.parametrize(("check", "text"), FAILING_ON_NOTHING.values(), ids=FAILING_ON_NOTHING)
def test_nothing_called_kms(kms: FakeKMS, orders: Key, check: Check, text: str) -> None:
    """The advice is to look for what keeps the code under test from calling."""
    assert [f"pytest-kms: expected {text}; it was never.", *NOTHING] == failure(lambda: check(kms))


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(lambda kms: kms.assert_not_used("alias/orders"), id="assert_not_used"),
        pytest.param(lambda kms: kms.assert_not_called("Encrypt"), id="assert_not_called"),
        pytest.param(lambda kms: kms.assert_throttled(times=0), id="assert_throttled"),
        pytest.param(lambda kms: kms.assert_denied(times=0), id="assert_denied"),
    ],
)
def test_that_nothing_was_called_may_be_what_is_expected(kms: FakeKMS, orders: Key, check: Check) -> None:
    """An empty trail meets each assertion that wants nothing."""
    check(kms)


# what is shown


def test_of_many_calls_the_five_nearest_are_shown(kms: FakeKMS, orders: Key) -> None:
    """The rest is counted."""
    for number in range(1, 5):
        encrypt(kms, "alias/archive", order=str(number))
        encrypt(kms, "alias/orders", order=str(number))
    assert [
        "pytest-kms: expected alias/orders to be used by Encrypt with {order: 9}, at least once; it was never.",
        "What happened, nearest first:",
        "  2. Encrypt alias/orders {order: 1} -> ok   <-- encryption context: order '9' -> '1'",
        "  4. Encrypt alias/orders {order: 2} -> ok   <-- encryption context: order '9' -> '2'",
        "  6. Encrypt alias/orders {order: 3} -> ok   <-- encryption context: order '9' -> '3'",
        "  8. Encrypt alias/orders {order: 4} -> ok   <-- encryption context: order '9' -> '4'",
        "  1. Encrypt alias/archive {order: 1} -> ok   <-- other key; encryption context: order '9' -> '1'",
        "  ... and 3 more in kms.trail",
        COMPARE,
    ] == failure(lambda: kms.assert_used("alias/orders", "Encrypt", encryption_context={"order": "9"}))


def test_what_was_called_matters_more_than_on_what_and_with_what(kms: FakeKMS, orders: Key) -> None:
    """The order is: everything but the outcome, the context, the key, the operation."""
    blob = encrypt(kms, "alias/orders", order="7")
    decrypt(kms, encrypt(kms, "alias/archive", order="7"), order="7")
    decrypt(kms, kms.encrypt(orders, b"x", {"order": "8"}), order="8")
    orders.state = "Disabled"
    failing(kms, "decrypt", CiphertextBlob=blob, EncryptionContext={"order": "7"})
    assert [
        "pytest-kms: expected alias/orders to be used by Decrypt with {order: 7}, at least once; it was never.",
        "What happened, nearest first:",
        "  5. Decrypt alias/orders {order: 7} -> DisabledException   <-- it failed",
        "  4. Decrypt alias/orders {order: 8} -> ok   <-- encryption context: order '7' -> '8'",
        "  3. Decrypt alias/archive {order: 7} -> ok   <-- other key",
        "  1. Encrypt alias/orders {order: 7} -> ok   <-- other operation",
        "  2. Encrypt alias/archive {order: 7} -> ok   <-- other operation; other key",
        COMPARE,
    ] == failure(lambda: kms.assert_used("alias/orders", "Decrypt", encryption_context={"order": "7"}))


def test_a_call_that_found_no_key_is_told_by_what_it_named(kms: FakeKMS) -> None:
    """The name is the one that the caller wrote."""
    failing(kms, "describe_key", KeyId="alias/nothing")
    failing(kms, "delete_alias", AliasName="alias/nothing")
    assert [
        "pytest-kms: expected ListKeys to be called, at least once; it was never.",
        "What happened, nearest first:",
        "  1. DescribeKey alias/nothing -> NotFoundException   <-- other operation",
        "  2. DeleteAlias alias/nothing -> NotFoundException   <-- other operation",
        COMPARE,
    ] == failure(lambda: kms.assert_called("ListKeys"))


def test_a_call_in_another_region_says_so(kms: FakeKMS) -> None:
    """The fake's own Region is not worth a word."""
    kms.create_key("orders", region="eu-west-1")
    kms.client_for(region="eu-west-1").encrypt(KeyId="alias/orders", Plaintext=b"x")
    assert [
        "pytest-kms: expected alias/orders to be used, twice; it was once.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders in eu-west-1 -> ok",
        COMPARE,
    ] == failure(lambda: kms.assert_used("alias/orders", times=2))


def test_a_call_that_used_nothing_is_marked(kms: FakeKMS, orders: Key) -> None:
    """DescribeKey touches the key, and does not use it."""
    kms.client.describe_key(KeyId="alias/orders")
    assert [
        "pytest-kms: expected alias/orders to be used, at least once; it was never.",
        "What happened, nearest first:",
        "  1. DescribeKey alias/orders -> ok   <-- no use of the key",
        COMPARE,
    ] == failure(lambda: kms.assert_used(orders))


def test_no_failure_shows_a_secret(kms: FakeKMS, orders: Key) -> None:
    """Neither plaintext nor ciphertext stands in a failure."""
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"correct horse")
    text = "\n".join(failure(lambda: kms.assert_not_used(orders)))
    assert "horse" not in text
    assert "AQIC" not in text


# how a key is named

FORMS: dict[str, Callable[[Key], Any]] = {
    "Key": lambda key: key,
    "key id": lambda key: key.id,
    "key ARN": lambda key: key.arn,
    "alias name": lambda key: key.alias,
    "alias ARN": lambda key: f"arn:aws:kms:us-east-1:123456789012:{key.alias}",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_all_names_of_a_key_are_alike(kms: FakeKMS, orders: Key, form: Callable[[Key], Any]) -> None:
    """Each assertion takes each of them, whatever name the call used."""
    name, archive = form(orders), form(next(iter(kms.world.all_keys())))
    encrypt(kms, orders.id)
    kms.throttle("Encrypt", times=1)
    encrypt(kms, "alias/orders")
    kms.assert_used(name, "Encrypt", times=2)
    kms.assert_only_used(name)
    kms.assert_not_used(archive)
    kms.assert_called("Encrypt", key=name, times=2)
    kms.assert_not_called("Encrypt", key=archive)
    kms.assert_throttled(key=name, times=1)
    kms.assert_denied(key=name, times=0)
    for check in (
        lambda: kms.assert_not_used(name),
        lambda: kms.assert_used(archive),
        lambda: kms.assert_only_used(archive),
        lambda: kms.assert_not_called("Encrypt", key=name),
        lambda: kms.assert_called("Encrypt", key=archive),
        lambda: kms.assert_throttled(key=archive),
        lambda: kms.assert_denied(key=name),
    ):
        assert failure(check)[0].startswith("pytest-kms: expected ")


def test_an_alias_of_two_regions_means_both_keys(kms: FakeKMS) -> None:
    """A use of either counts; the ARN tells them apart."""
    first, second = kms.create_key("orders"), kms.create_key("orders", region="eu-west-1")
    kms.client_for(region="eu-west-1").encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_used("alias/orders", times=1)
    kms.assert_not_used(first.arn)
    kms.assert_used(second.arn, times=1)


def test_an_alias_means_the_key_that_it_points_to_now(kms: FakeKMS, orders: Key) -> None:
    """The trail remembers keys, not their names."""
    encrypt(kms, "alias/orders")
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=kms.create_key().id)
    kms.assert_not_used("alias/orders")
    kms.assert_used(orders, times=1)


def test_a_key_that_was_deleted_since_was_used_all_the_same(kms: FakeKMS, orders: Key) -> None:
    """Key, id and ARN still name it; its alias went with it."""
    encrypt(kms, "alias/orders")
    kms.client.schedule_key_deletion(KeyId=orders.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    kms.client.list_keys()
    for name in (orders, orders.id, orders.arn):
        kms.assert_used(name, times=1)
    assert "pytest-kms: no key is called 'alias/orders'. Known keys: alias/archive (us-east-1)." == refusal(
        lambda: kms.assert_used("alias/orders")
    )


# encryption contexts

CONTEXTS_THAT_MATCH: dict[str, Any] = {
    "equal": {"order": "7", "team": "shop"},
    "in another order": {"team": "shop", "order": "7"},
    "with a matcher within": {"order": AnyOf("6", "7"), "team": "shop"},
    "a matcher of the whole": Holding(order="7"),
}
CONTEXTS_THAT_DO_NOT: dict[str, tuple[Any, str, str]] = {
    "empty": ({}, "{}", "encryption context: order '7' is too many, team 'shop' is too many"),
    "a part": ({"order": "7"}, "{order: 7}", "encryption context: team 'shop' is too many"),
    "more": (
        {"order": "7", "team": "shop", "user": "a"},
        "{order: 7, team: shop, user: a}",
        "encryption context: user 'a' is missing",
    ),
    "another value": (
        {"order": "8", "team": "shop"},
        "{order: 8, team: shop}",
        "encryption context: order '8' -> '7'",
    ),
    "another name": (
        {"Order": "7", "team": "shop"},
        "{Order: 7, team: shop}",
        "encryption context: Order '7' is missing, order '7' is too many",
    ),
    "a matcher within": (
        {"order": AnyOf("8", "9"), "team": "shop"},
        "{order: AnyOf('8', '9'), team: shop}",
        "encryption context: order AnyOf('8', '9') -> '7'",
    ),
    "a matcher of the whole": (Holding(user="a"), "Holding(user='a')", "other encryption context"),
}


@pytest.mark.parametrize("context", CONTEXTS_THAT_MATCH.values(), ids=CONTEXTS_THAT_MATCH)
def test_an_encryption_context_is_compared_as_the_whole_that_it_is(kms: FakeKMS, orders: Key, context: Any) -> None:
    """Order means nothing, and objects that compare themselves are asked."""
    encrypt(kms, "alias/orders", order="7", team="shop")
    kms.assert_used(orders, encryption_context=context)
    kms.assert_called("Encrypt", encryption_context=context)
    assert 1 == len(kms.trail.filter(encryption_context=context))
    with pytest.raises(AssertionError):
        kms.assert_not_called("Encrypt", encryption_context=context)


@pytest.mark.parametrize(("context", "asked", "mark"), CONTEXTS_THAT_DO_NOT.values(), ids=CONTEXTS_THAT_DO_NOT)
def test_another_encryption_context_is_told_by_its_difference(
    kms: FakeKMS, orders: Key, context: Any, asked: str, mark: str
) -> None:
    """What differs is marked, member by member."""
    encrypt(kms, "alias/orders", order="7", team="shop")
    assert [
        f"pytest-kms: expected alias/orders to be used with {asked}, at least once; it was never.",
        "What happened, nearest first:",
        f"  1. Encrypt alias/orders {{order: 7, team: shop}} -> ok   <-- {mark}",
        COMPARE,
    ] == failure(lambda: kms.assert_used(orders, encryption_context=context))


# ReEncrypt


def re_encrypt(kms: FakeKMS) -> None:
    """Re-encrypt from alias/archive {year: 1} to alias/orders {year: 2}."""
    kms.client.re_encrypt(
        CiphertextBlob=kms.encrypt("alias/archive", b"secret", {"year": "1"}),
        SourceEncryptionContext={"year": "1"},
        DestinationKeyId="alias/orders",
        DestinationEncryptionContext={"year": "2"},
    )


def test_reencrypt_uses_both_of_its_keys(kms: FakeKMS, orders: Key) -> None:
    """Each with the encryption context that goes with it."""
    re_encrypt(kms)
    kms.assert_used("alias/archive", "ReEncrypt", times=1, encryption_context={"year": "1"})
    kms.assert_used("alias/orders", "ReEncrypt", times=1, encryption_context={"year": "2"})
    kms.assert_only_used("alias/archive", "alias/orders")
    kms.assert_called("ReEncrypt", encryption_context={"year": "1"})
    kms.assert_called("ReEncrypt", encryption_context={"year": "2"})


def test_reencrypt_is_told_with_both_of_its_keys(kms: FakeKMS, orders: Key) -> None:
    """Which is the source, and which the destination."""
    re_encrypt(kms)
    assert [
        "pytest-kms: expected only alias/orders to be used; other keys were, once.",
        "What happened with other keys:",
        "  1. ReEncrypt SourceKeyId=alias/archive {year: 1} DestinationKeyId=alias/orders {year: 2} -> ok",
        "What to do: name these keys too, or find out why the code under test uses them.",
    ] == failure(lambda: kms.assert_only_used("alias/orders"))


@pytest.mark.parametrize(
    ("key", "asked", "difference"),
    [
        pytest.param("alias/archive", "2", "year '2' -> '1'", id="source"),
        pytest.param("alias/orders", "1", "year '1' -> '2'", id="destination"),
        pytest.param("alias/archive", "3", "year '3' -> '1'", id="source, another"),
    ],
)
def test_the_context_of_the_key_that_is_asked_about_is_compared(
    kms: FakeKMS, orders: Key, key: str, asked: str, difference: str
) -> None:
    """A key was not used with the context of the other."""
    re_encrypt(kms)
    assert [
        f"pytest-kms: expected {key} to be used with {{year: {asked}}}, at least once; it was never.",
        "What happened, nearest first:",
        "  1. ReEncrypt SourceKeyId=alias/archive {year: 1} DestinationKeyId=alias/orders {year: 2} -> ok"
        f"   <-- encryption context: {difference}",
        COMPARE,
    ] == failure(lambda: kms.assert_used(key, encryption_context={"year": asked}))


# what is no use


def test_a_dry_run_is_no_use(kms: FakeKMS, orders: Key) -> None:
    """It was called, and did nothing."""
    failing(kms, "encrypt", KeyId="alias/orders", Plaintext=b"x", DryRun=True)
    kms.assert_not_used(orders)
    kms.assert_called("Encrypt", key=orders, error="DryRunOperationException", times=1)
    assert [
        "pytest-kms: expected alias/orders to be used, at least once; it was never.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> DryRunOperationException   <-- it failed",
        COMPARE,
    ] == failure(lambda: kms.assert_used(orders))


def test_a_failure_is_no_use(kms: FakeKMS, orders: Key) -> None:
    """A disabled key was asked, and not used."""
    orders.state = "Disabled"
    failing(kms, "encrypt", KeyId="alias/orders", Plaintext=b"x")
    kms.assert_not_used(orders)
    kms.assert_not_used(orders, "Encrypt")
    kms.assert_called("Encrypt", key=orders, times=1)
    encrypt(kms, "alias/archive")
    kms.assert_only_used("alias/archive")


def test_a_call_that_was_throttled_to_the_end_is_no_use(kms: FakeKMS, orders: Key) -> None:
    """It is one call, of as many requests as there were attempts."""
    kms.throttle("Encrypt", times=3)
    client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
    with pytest.raises(ClientError):
        client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_not_used(orders)
    kms.assert_called("Encrypt", times=1, error="ThrottlingException")
    assert [
        "pytest-kms: expected a call on alias/orders to be throttled, never; it was 3 times.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders -> ThrottlingException (3 attempts, 3 throttled)",
        LOOK,
    ] == failure(lambda: kms.assert_throttled(key=orders, times=0))


def test_a_call_that_succeeded_after_retries_is_one_use(kms: FakeKMS, orders: Key) -> None:
    """Attempts are no calls."""
    kms.throttle("Encrypt", times=2)
    encrypt(kms, "alias/orders")
    kms.assert_used(orders, times=1)
    kms.assert_called("Encrypt", times=1)
    kms.assert_throttled(times=2)


# what cannot be asked

BY_OPERATION: dict[str, Callable[[FakeKMS, str], None]] = {
    "assert_used": lambda kms, name: kms.assert_used("alias/orders", name),
    "assert_not_used": lambda kms, name: kms.assert_not_used("alias/orders", name),
    "assert_called": lambda kms, name: kms.assert_called(name),
    "assert_not_called": lambda kms, name: kms.assert_not_called(name),
    "assert_throttled": lambda kms, name: kms.assert_throttled(name, times=0),
    "assert_denied": lambda kms, name: kms.assert_denied(name, times=0),
}


@pytest.mark.parametrize("check", BY_OPERATION.values(), ids=BY_OPERATION)
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("GenerateDatakey", " Did you mean GenerateDataKey or GenerateDataKeyPair or GenerateMac?"),
        ("generate_data_key", " Did you mean GenerateDataKey or GenerateDataKeyPair or GenerateMac?"),
        ("PutObject", ""),
    ],
    ids=["misspelt", "boto3's name", "of another service"],
)
def test_an_operation_that_kms_has_not(
    kms: FakeKMS, orders: Key, check: Callable[[FakeKMS, str], None], name: str, suggestion: str
) -> None:
    """A name that no call could have is refused, also where nothing is expected."""
    text = refusal(lambda: check(kms, name))
    assert text.startswith(f"pytest-kms: KMS has no operation {name!r}.")
    assert bool(suggestion) == ("Did you mean GenerateDataKey " in text)


# tracebacks

FAILING_TEST = """
    import pytest

    def test_it(kms):
        kms.create_key("orders")
        kms.create_key("archive")
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
        {statement}
"""


@pytest.mark.parametrize(
    "statement",
    [
        'kms.assert_used("alias/archive")',
        'kms.assert_not_used("alias/orders")',
        'kms.assert_only_used("alias/archive")',
        'kms.assert_only_used("alias/orders", "alias/archive")',
        'kms.assert_called("Decrypt")',
        'kms.assert_not_called("Encrypt")',
        "kms.assert_throttled()",
        "kms.assert_denied()",
        'kms.assert_used("alias/nothing")',
        'kms.assert_used("alias/orders", "Encypt")',
        'kms.assert_called("Encypt")',
        "kms.assert_only_used()",
    ],
)
def test_a_traceback_ends_in_the_test(pytester: pytest.Pytester, statement: str) -> None:
    """The line of the test is what the reader sees; the frames of the fake are hidden."""
    pytester.makepyfile(FAILING_TEST.format(statement=statement))
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f">*{statement.replace('[', '[[]')}", "E  *pytest-kms: *"])
    frames = [line for line in result.outlines if re.search(r"\.py:\d+: ", line)]
    assert [] == [line for line in frames if "test_a_traceback_ends_in_the_test.py" not in line]
