"""One vocabulary: what each assertion takes, with values of dirty-equals as well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from answers import TESTER
from botocore.exceptions import ClientError
from dirty_equals import IsPartialDict, IsStr
from policies import allow, policy

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1")

VIA = "s3.us-east-1.amazonaws.com"
DENIED = "AccessDeniedException"
CONTEXT = {"aws:s3:arn": "arn:aws:s3:::bucket/key"}
COMPARE = "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full."

CRITERIA: dict[str, dict[str, Any]] = {
    "operation": {"operation": "GenerateDataKey"},
    "operation, a matcher": {"operation": IsStr(regex="GenerateDataKey.*")},
    "context": {"encryption_context": CONTEXT},
    "context, a matcher": {"encryption_context": IsPartialDict({"aws:s3:arn": IsStr(regex=".*bucket.*")})},
    "context, a matcher within": {"encryption_context": {"aws:s3:arn": IsStr}},
    "principal": {"principal": TESTER},
    "principal, a matcher": {"principal": IsStr(regex=".*user/tester")},
    "via": {"via": VIA},
    "via, a matcher": {"via": IsStr(regex="s3[.].*")},
    "all": {"operation": "GenerateDataKey", "encryption_context": CONTEXT, "principal": TESTER, "via": VIA},
}
"""What the call below meets."""
OTHERS: dict[str, dict[str, Any]] = {
    "operation": {"operation": "Encrypt"},
    "operation, a matcher": {"operation": IsStr(regex="Enc.*")},
    "context": {"encryption_context": {"aws:s3:arn": "arn:aws:s3:::another"}},
    "context, a matcher": {"encryption_context": IsPartialDict({"order": IsStr})},
    "principal": {"principal": "arn:aws:iam::123456789012:role/app"},
    "via": {"via": "ebs.us-east-1.amazonaws.com"},
    "error": {"error": "DisabledException"},
}
"""What it does not meet, each in one way."""


def store(kms: FakeKMS, key: Key) -> None:
    """Let S3 store something for the default principal, throttled once."""
    kms.throttle("GenerateDataKey")
    kms.service("s3", on_behalf_of=kms.world.acting[0]).store(key, "bucket/key")


def deny(kms: FakeKMS, key: Key) -> None:
    """Let the same be denied."""
    kms.fail("GenerateDataKey", DENIED)
    with pytest.raises(ClientError):
        kms.service("s3", on_behalf_of=kms.world.acting[0]).store(key, "bucket/key")


COUNTING: dict[str, tuple[Callable[..., None], Callable[..., None]]] = {
    "assert_used": (store, lambda kms, **asked: kms.assert_used("alias/orders", **asked)),
    "assert_called": (store, lambda kms, **asked: kms.assert_called(**asked)),
    "assert_called on a key": (store, lambda kms, **asked: kms.assert_called(key="alias/orders", **asked)),
    "assert_throttled": (store, lambda kms, **asked: kms.assert_throttled(key="alias/orders", **asked)),
    "assert_retried": (store, lambda kms, **asked: kms.assert_retried(key="alias/orders", **asked)),
    "assert_denied": (deny, lambda kms, **asked: kms.assert_denied(key="alias/orders", **asked)),
}


@pytest.fixture
def orders(kms: FakeKMS) -> Key:
    """Make a key that is called alias/orders."""
    return kms.create_key("orders")


@pytest.mark.parametrize(("act", "check"), COUNTING.values(), ids=COUNTING)
@pytest.mark.parametrize("asked", CRITERIA.values(), ids=CRITERIA)
def test_what_counts_takes_every_criterion(
    kms: FakeKMS, orders: Key, act: Callable[..., None], check: Callable[..., None], asked: dict[str, Any]
) -> None:
    """A call that meets them counts: at least once, so often, and no more often."""
    act(kms, orders)
    check(kms, **asked)
    check(kms, **asked, times=1)
    with pytest.raises(AssertionError):
        check(kms, **asked, times=2)


@pytest.mark.parametrize(("act", "check"), COUNTING.values(), ids=COUNTING)
@pytest.mark.parametrize("asked", OTHERS.values(), ids=OTHERS)
def test_what_does_not_meet_a_criterion_does_not_count(
    kms: FakeKMS, orders: Key, act: Callable[..., None], check: Callable[..., None], asked: dict[str, Any]
) -> None:
    """One that it does not meet is enough."""
    act(kms, orders)
    check(kms, **asked, times=0)
    with pytest.raises(AssertionError):
        check(kms, **asked)


@pytest.mark.parametrize("asked", CRITERIA.values(), ids=CRITERIA)
def test_what_must_not_be_takes_every_criterion(kms: FakeKMS, orders: Key, asked: dict[str, Any]) -> None:
    """A call that meets them fails the assertion."""
    store(kms, orders)
    with pytest.raises(AssertionError):
        kms.assert_not_used(orders, **asked)
    with pytest.raises(AssertionError):
        kms.assert_not_called(key=orders, **asked)


@pytest.mark.parametrize("asked", OTHERS.values(), ids=OTHERS)
def test_what_must_not_be_may_be_otherwise(kms: FakeKMS, orders: Key, asked: dict[str, Any]) -> None:
    """A call that misses one is none of those meant."""
    store(kms, orders)
    kms.assert_not_used(orders, **asked)
    kms.assert_not_called(key=orders, **asked)
    with pytest.raises(AssertionError):
        kms.assert_only_used(orders, **asked)
    with pytest.raises(AssertionError):
        kms.assert_only_customer_keys(**asked)
    assert [] == kms.trail.filter(**asked)


@pytest.mark.parametrize("asked", CRITERIA.values(), ids=CRITERIA)
def test_keys_are_the_only_ones_among_the_calls_meant(kms: FakeKMS, orders: Key, asked: dict[str, Any]) -> None:
    """Calls that are not meant may use other keys."""
    store(kms, orders)
    kms.client_for(kms.principal("root")).generate_mac(
        KeyId=kms.create_key("other", spec="HMAC_256").id, Message=b"x", MacAlgorithm="HMAC_SHA_256"
    )
    kms.assert_only_used(orders, **asked)
    kms.assert_only_customer_keys(**asked)
    assert [kms.trail[0]] == kms.trail.filter(**asked)


def test_other_keys_among_the_calls_meant_are_told(kms: FakeKMS, orders: Key) -> None:
    """The failure says which calls are meant."""
    for name in ("orders", "archive"):
        key = orders if name == "orders" else kms.create_key(name)
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"order": "7"})
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_only_used(orders, operation="Encrypt", encryption_context={"order": "7"})
    assert [
        "pytest-kms: expected only alias/orders to be used by Encrypt with {order: 7}; other keys were, once.",
        "What happened with other keys:",
        "  2. Encrypt alias/archive {order: 7} -> ok",
        "What to do: name these keys too, or find out why the code under test uses them.",
    ] == str(excinfo.value).splitlines()


def test_a_key_may_be_a_matcher(kms: FakeKMS, orders: Key) -> None:
    """It stands for all keys of such a name."""
    kms.create_key("archive")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_used(IsStr(regex="alias/.*"), times=1)  # type: ignore[arg-type]  # a name is a str
    kms.assert_not_used(IsStr(regex="alias/a.*"))  # type: ignore[arg-type]


def test_a_matcher_is_told_as_it_was_written(kms: FakeKMS, orders: Key) -> None:
    """Not as what it was equal to last, as dirty-equals has it."""
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext={"order": "7"})
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_called(IsStr(regex="En.*"), encryption_context=IsPartialDict(order=IsStr), times=2)
    assert [
        "pytest-kms: expected IsStr(regex='En.*') to be called with IsPartialDict(order=IsStr), twice; it was once.",
        "What happened, nearest first:",
        "  1. Encrypt alias/orders {order: 7} -> ok",
        COMPARE,
    ] == str(excinfo.value).splitlines()


def test_a_retry_is_asked_what_it_came_after(kms: FakeKMS, orders: Key) -> None:
    """`error` is of the attempt before it, and may be a matcher, too."""
    store(kms, orders)
    kms.assert_retried("GenerateDataKey", error="ThrottlingException", times=1)
    kms.assert_retried("GenerateDataKey", error=IsStr(regex="Thr.*"), times=1)
    kms.assert_retried("GenerateDataKey", error="KMSInternalException", times=0)


def test_a_denial_is_one_whatever_error_is_asked_for(kms: FakeKMS, orders: Key) -> None:
    """The error goes without saying; another never is one."""
    deny(kms, orders)
    kms.assert_denied(error=DENIED, times=1)
    kms.assert_denied(error=IsStr, times=1)
    kms.assert_denied(error="DisabledException", times=0)
    orders.state = "Disabled"
    with pytest.raises(ClientError):
        kms.client.encrypt(KeyId=orders.id, Plaintext=b"x")
    kms.assert_denied(error=IsStr, times=1)


def test_that_anything_was_called_needs_no_name(kms: FakeKMS) -> None:
    """Without an operation every call counts."""
    kms.assert_not_called()
    kms.client.list_keys()
    kms.assert_called(times=1)
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_not_called()
    assert [
        "pytest-kms: expected an operation to be called, never; it was once.",
        "What happened, nearest first:",
        "  1. ListKeys -> ok",
        "What to do: look for the calls above that should not be, or change times=.",
    ] == str(excinfo.value).splitlines()


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(lambda kms, **asked: kms.assert_used("alias/orders", **asked), id="assert_used"),
        pytest.param(lambda kms, **asked: kms.assert_called(**asked), id="assert_called"),
        pytest.param(lambda kms, **asked: kms.assert_throttled(**asked), id="assert_throttled"),
        pytest.param(lambda kms, **asked: kms.trail.filter(**asked), id="filter"),
    ],
)
def test_a_criterion_of_another_name_is_refused(kms: FakeKMS, orders: Key, check: Callable[..., object]) -> None:
    """A slip of the pen is no criterion that every call meets."""
    with pytest.raises(UsageError, match="there is no criterion 'contxt'; what may be asked for: encryption_context, "):
        check(kms, contxt={})
    with pytest.raises(UsageError, match="KMS has no operation 'Encypt'. Did you mean"):
        check(kms, operation="Encypt")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "error": ({"error": "AccessDeniedExcepton"}, "no call ends with the error 'AccessDeniedExcepton'. Did you mean"),
    "principal": ({"principal": "role/app"}, "a principal is a Principal or its ARN, and 'role/app' is none"),
    "operations": ({"operation": ["Encrypt"]}, "an operation is one, such as 'Encrypt', not ['Encrypt']"),
    "times": ({"times": "1"}, "times is a number of calls, 0 or more, not '1'"),
    "negative": ({"times": -1}, "times is a number of calls, 0 or more, not -1"),
}


@pytest.mark.parametrize(("criteria", "message"), WRONG.values(), ids=WRONG)
def test_a_criterion_that_no_call_can_meet_is_refused(
    kms: FakeKMS, orders: Key, criteria: dict[str, Any], message: str
) -> None:
    """Otherwise a slip of the pen would let a test pass that asserts that nothing happened."""
    with pytest.raises(UsageError, match=re.escape(message)):
        kms.assert_called(**criteria)


def test_no_key_is_no_criterion_of_a_use(kms: FakeKMS, orders: Key) -> None:
    """A variable that is None by mistake asks for nothing."""
    with pytest.raises(UsageError, match="say which key"):
        kms.assert_not_used(None)  # type: ignore[arg-type]


def test_a_role_a_service_and_an_error_go_by_other_names_too(kms: FakeKMS, orders: Key) -> None:
    """The ARN of the role behind a session, the name of a service in any Region, the class of an error."""
    role = kms.principal("role/app", policy=policy(allow()))
    kms.service("s3", on_behalf_of=role).store(orders, "orders/7.json")
    orders.state = "Disabled"
    client = kms.client_for(principal=role)
    with pytest.raises(client.exceptions.DisabledException):
        client.encrypt(KeyId=orders.id, Plaintext=b"x")

    assert role.arn != role.principal_arn
    kms.assert_called(principal=role.principal_arn, times=2)
    kms.assert_called(via="s3", times=1)
    kms.assert_not_called(via="s")
    kms.assert_called(error=client.exceptions.DisabledException, times=1)


def test_what_kms_did_by_itself_until_now_is_there(kms: FakeKMS, orders: Key) -> None:
    """An assertion looks at the moment in which it is made, as does whoever reads the trail."""
    kms.client.enable_key_rotation(KeyId=orders.id)
    kms.clock.advance(days=366)
    kms.assert_called("RotateKey", times=1)
    kms.clock.advance(days=366)
    assert "RotateKey" == kms.trail.last.operation


def test_an_alias_is_told_by_its_name(kms: FakeKMS, orders: Key) -> None:
    """Whichever key it had, and has."""
    other = kms.create_key()
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=other.id)
    kms.client.delete_alias(AliasName="alias/orders")
    assert [
        "UpdateAlias AliasName=alias/orders TargetKeyId=key-1 -> ok",
        "DeleteAlias alias/orders -> ok",
    ] == str(kms.trail).splitlines()


# customer managed keys


def test_customer_managed_keys_are_the_only_ones(kms: FakeKMS, orders: Key) -> None:
    """Calls that use no key, or only look at one of AWS's, do not count."""
    s3 = kms.aws_managed_key("s3")
    kms.client.describe_key(KeyId=s3.id)
    kms.client.generate_random(NumberOfBytes=1)
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_only_customer_keys()


def test_aws_managed_keys_are_told(kms: FakeKMS, orders: Key) -> None:
    """By name, and with the calls that used them."""
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    for service in ("s3", "sqs", "s3"):
        kms.service(service, on_behalf_of=kms.world.acting[0]).store(kms.aws_managed_key(service), "bucket/key")
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_only_customer_keys()
    assert [
        "pytest-kms: expected only customer managed keys to be used; AWS managed keys were, 4 times: alias/aws/s3,"
        " alias/aws/sqs.",
        "What happened with AWS managed keys:",
        "  2. GenerateDataKey alias/aws/s3 {aws:s3:arn: arn:aws:s3:::bucket/key} via s3 -> ok",
        "  3. GenerateDataKey alias/aws/sqs {aws:sqs:arn: arn:aws:sqs:us-east-1:123456789012:bucket/key} via sqs -> ok",
        "  4. Decrypt alias/aws/sqs {aws:sqs:arn: arn:aws:sqs:us-east-1:123456789012:bucket/key} via sqs -> ok",
        "  5. GenerateDataKey alias/aws/s3 {aws:s3:arn: arn:aws:s3:::bucket/key} via s3 -> ok",
        "What to do: name a customer managed key where the service is told which key to use; without one it uses its"
        " own.",
    ] == str(excinfo.value).splitlines()


OWNED = (
    "What to do: check that the code under test was called. What a service encrypts with an AWS owned key is in no"
    " trail: where one is used that should not be, nothing calls KMS."
)


def test_a_key_that_aws_owns_is_in_no_trail(kms: FakeKMS) -> None:
    """So no call at all is a failure, which says so."""
    kms.encrypt(kms.aws_owned_key("dynamodb"), b"x")
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_only_customer_keys()
    assert [
        "pytest-kms: expected only customer managed keys to be used; no key was.",
        "What happened: nothing called KMS.",
        OWNED,
    ] == str(excinfo.value).splitlines()


def test_calls_that_use_no_key_are_told(kms: FakeKMS) -> None:
    """They are all that there is."""
    kms.client.generate_random(NumberOfBytes=1)
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_only_customer_keys(via=VIA)
    assert [
        f"pytest-kms: expected only customer managed keys to be used via {VIA}; no key was.",
        "What happened:",
        "  1. GenerateRandom -> ok",
        OWNED,
    ] == str(excinfo.value).splitlines()
