"""Failures that a test orders with `kms.throttle` and `kms.fail`."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws
from policies import allow, policy

from pytest_kms import NotSupported, UsageError, errors, fake_kms, service

if TYPE_CHECKING:
    from typing import Any

    from mypy_boto3_kms import KMSClient

    from pytest_kms import Event, FakeKMS, Key

THROTTLED = {
    "Code": "ThrottlingException",
    "Message": "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
}


@pytest.fixture
def client(kms: FakeKMS) -> KMSClient:
    """Return a client that does not retry, and leaves validation to the service."""
    return kms.client_for(config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))


def is_throttled(client: KMSClient, key: Key, operation: str = "Encrypt") -> bool:
    """Say whether a call on a key is throttled."""
    try:
        if operation == "Encrypt":
            client.encrypt(KeyId=key.id, Plaintext=b"x")
        else:
            client.describe_key(KeyId=key.id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ThrottlingException":
            raise
        return True
    return False


def test_a_throttled_call_fails_in_kms_words(kms: FakeKMS, client: KMSClient) -> None:
    """Code, text and status are those of a real ThrottlingException."""
    key = kms.create_key()
    kms.throttle()

    with pytest.raises(ClientError) as excinfo:
        client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert THROTTLED == excinfo.value.response["Error"]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert "the test ordered it with kms.throttle" == kms.trail.last.why


def test_a_throttled_call_is_retried_by_botocore(kms: FakeKMS) -> None:
    """The application sees nothing of it; the trail has one call with three attempts."""
    key = kms.create_key()
    kms.throttle("Encrypt", times=2)

    answer = kms.client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert 2 == answer["ResponseMetadata"]["RetryAttempts"]
    assert [
        (1, "ThrottlingException"),
        (2, "ThrottlingException"),
        (3, None),
    ] == [(attempt.number, attempt.error) for attempt in kms.trail.last.attempts]
    kms.assert_used(key, "Encrypt", times=1)
    kms.assert_throttled("Encrypt", key=key, times=2)


def test_one_call_is_throttled_by_default(kms: FakeKMS, client: KMSClient) -> None:
    """`times` is 1 where nothing is said."""
    key = kms.create_key()
    kms.throttle()

    assert [True, False] == [is_throttled(client, key) for _ in range(2)]


def test_so_many_calls_are_throttled_as_were_ordered(kms: FakeKMS, client: KMSClient) -> None:
    """`times` counts requests."""
    key = kms.create_key()
    kms.throttle(times=3)

    assert [True, True, True, False] == [is_throttled(client, key) for _ in range(4)]


def test_only_the_operation_named_is_throttled(kms: FakeKMS, client: KMSClient) -> None:
    """Calls of other operations pass and use nothing up."""
    key = kms.create_key()
    kms.throttle("DescribeKey")

    assert not is_throttled(client, key, "Encrypt")
    assert is_throttled(client, key, "DescribeKey")


@pytest.mark.parametrize("form", ["Key", "id", "ARN", "alias", "alias ARN"])
def test_only_the_key_named_is_throttled(kms: FakeKMS, client: KMSClient, form: str) -> None:
    """The key is named as elsewhere; calls on other keys, and calls without a key, pass."""
    key, other = kms.create_key("orders"), kms.create_key()
    names: dict[str, Key | str] = {
        "Key": key,
        "id": key.id,
        "ARN": key.arn,
        "alias": "alias/orders",
        "alias ARN": "arn:aws:kms:us-east-1:123456789012:alias/orders",
    }
    kms.throttle(key=names[form])

    assert not is_throttled(client, other)
    client.generate_random(NumberOfBytes=1)
    assert is_throttled(client, key)


def test_a_key_is_met_by_whatever_the_call_names_it(kms: FakeKMS, client: KMSClient) -> None:
    """A call by alias, and a Decrypt that names no key at all, are calls on the key."""
    key = kms.create_key("orders")
    blob = kms.encrypt(key, b"x")
    kms.throttle(key=key, times=2)

    with pytest.raises(ClientError):
        client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    with pytest.raises(ClientError):
        client.decrypt(CiphertextBlob=blob)
    assert b"x" == client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize("role", ["source", "destination"])
def test_reencrypt_is_met_by_either_of_its_keys(kms: FakeKMS, client: KMSClient, role: str) -> None:
    """ReEncrypt is a call on two keys."""
    source, destination = kms.create_key(), kms.create_key()
    kms.throttle("ReEncrypt", key=source if role == "source" else destination)

    with pytest.raises(ClientError) as excinfo:
        client.re_encrypt(CiphertextBlob=kms.encrypt(source, b"x"), DestinationKeyId=destination.id)

    assert THROTTLED == excinfo.value.response["Error"]


def test_faults_are_used_in_the_order_they_were_given(kms: FakeKMS, client: KMSClient) -> None:
    """The first fault that fits a call is used up before the next one."""
    key = kms.create_key()
    kms.throttle("DescribeKey", times=1)
    kms.throttle(times=1)

    assert is_throttled(client, key, "DescribeKey")
    assert is_throttled(client, key, "DescribeKey")
    assert not is_throttled(client, key, "DescribeKey")


def test_a_fault_that_does_not_fit_waits_for_its_call(kms: FakeKMS, client: KMSClient) -> None:
    """A later fault that fits is used first."""
    key = kms.create_key()
    kms.throttle("DescribeKey")
    kms.throttle("Encrypt")

    assert is_throttled(client, key, "Encrypt")
    assert not is_throttled(client, key, "Encrypt")
    assert is_throttled(client, key, "DescribeKey")


def test_a_fault_comes_before_every_other_check(kms: FakeKMS, client: KMSClient) -> None:
    """A call that would be refused anyhow is throttled first."""
    kms.throttle("Encrypt", times=2)

    for members in ({"KeyId": "alias/nowhere", "Plaintext": b"x"}, {}):
        with pytest.raises(ClientError) as excinfo:
            client.encrypt(**members)  # type: ignore[arg-type]
        assert THROTTLED == excinfo.value.response["Error"]


def test_a_throttled_call_changes_nothing(kms: FakeKMS, client: KMSClient) -> None:
    """No key comes of a CreateKey that was throttled."""
    kms.throttle("CreateKey")

    with pytest.raises(ClientError):
        client.create_key()

    assert [] == client.list_keys()["Keys"]


def test_a_throttled_call_makes_no_aws_managed_key(kms: FakeKMS, client: KMSClient) -> None:
    """A key that is made on first use is not made by a call that was turned away."""
    kms.throttle("DescribeKey")

    with pytest.raises(ClientError):
        client.describe_key(KeyId="alias/aws/s3")

    assert [] == client.list_keys()["Keys"]


def test_an_ordered_fault_is_no_request_of_the_quota(kms: FakeKMS, client: KMSClient) -> None:
    """What the test throttles is not counted besides."""
    key = kms.create_key()
    kms.clock.freeze()
    kms.quotas["Encrypt"] = 1
    kms.throttle("Encrypt", times=3)

    assert [True, True, True, False, True] == [is_throttled(client, key) for _ in range(5)]


def test_arranging_is_never_throttled(kms: FakeKMS, client: KMSClient) -> None:
    """A fault waits for a request."""
    key = kms.create_key()
    kms.throttle()

    assert b"x" == kms.decrypt(kms.encrypt(key, b"x"))
    assert is_throttled(client, key)


def test_an_unknown_operation_cannot_be_throttled(kms: FakeKMS) -> None:
    """A misspelt name is told at once, with what may have been meant."""
    with pytest.raises(UsageError) as excinfo:
        kms.throttle("GenerateDatakey")

    assert str(excinfo.value).startswith(
        "pytest-kms: KMS has no operation 'GenerateDatakey'. Did you mean GenerateDataKey"
    )


def test_a_name_like_no_other_is_told_without_a_guess(kms: FakeKMS) -> None:
    """Where nothing is near, nothing is suggested."""
    with pytest.raises(UsageError) as excinfo:
        kms.throttle("zzz")

    assert "pytest-kms: KMS has no operation 'zzz'." == str(excinfo.value)


def test_an_unknown_key_cannot_be_throttled(kms: FakeKMS) -> None:
    """A key that is not there is told at once, with those that are."""
    kms.create_key("orders")

    with pytest.raises(UsageError) as excinfo:
        kms.throttle(key="alias/order")

    assert "pytest-kms: no key is called 'alias/order'. Known keys: alias/orders (us-east-1)." == str(excinfo.value)


def test_an_aws_owned_key_cannot_be_throttled(kms: FakeKMS) -> None:
    """No request of the account names one."""
    with pytest.raises(UsageError, match="is an AWS owned key"):
        kms.throttle(key=kms.aws_owned_key("dynamodb"))


@pytest.mark.parametrize("times", [0, -1])
def test_less_than_one_time_is_no_order(kms: FakeKMS, times: int) -> None:
    """`times` is 1 or more."""
    with pytest.raises(UsageError) as excinfo:
        kms.throttle(times=times)

    assert f"pytest-kms: times is 1 or more, not {times}" == str(excinfo.value)


@pytest.mark.usefixtures("without_generate_mac")
def test_an_operation_that_is_not_supported_is_refused_whatever_was_ordered() -> None:
    """Throttling one that a version lacks is no mistake of spelling, but a call of it is still refused."""
    with fake_kms(unsupported="ignore", unused_faults="ignore") as kms:
        kms.throttle("GenerateMac")
        with pytest.raises(NotSupported):
            kms.client.generate_mac(KeyId="alias/a", Message=b"x", MacAlgorithm="HMAC_SHA_256")


def test_reset_forgets_faults(kms: FakeKMS, client: KMSClient) -> None:
    """After a reset nothing is throttled any more."""
    kms.throttle(times=5)

    kms.reset()

    assert not is_throttled(client, kms.create_key())


def test_faults_that_are_left_are_told_in_words() -> None:
    """What the end of a test complains of: the error, the operation, and how many are left."""
    with fake_kms(unused_faults="ignore") as kms:
        kms.throttle("Encrypt", times=2)
        kms.throttle()

        assert [
            "ThrottlingException for Encrypt, 2 of them left",
            "ThrottlingException for any operation, 1 of them left",
        ] == [str(fault) for fault in kms.unused_faults()]


def test_what_kms_does_by_itself_cannot_be_throttled(kms: FakeKMS) -> None:
    """No request asks for it."""
    with pytest.raises(UsageError, match="KMS has no operation 'DeleteKey'"):
        kms.throttle("DeleteKey")


# kms.fail


COMMON = [
    "AccessDeniedException",
    "DependencyTimeoutException",
    "ExpiredTokenException",
    "InternalFailure",
    "InvalidSignatureException",
    "KeyUnavailableException",
    "KMSInternalException",
    "OptInRequired",
    "RequestExpired",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
]
STATUSES = {
    "DependencyTimeoutException": 500,
    "InternalFailure": 500,
    "KeyUnavailableException": 500,
    "KMSInternalException": 500,
    "OptInRequired": 403,
    "ServiceUnavailable": 503,
}
MESSAGES = {
    "DryRunOperationException": "The request would have succeeded, but the DryRun option is set.",
    "AccessDeniedException": "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms:ListKeys"
    " on resource: * because no identity-based policy allows the kms:ListKeys action",
    "ExpiredTokenException": "The security token included in the request is expired",
    "IncorrectKeyException": "The key ID in the request does not identify a CMK that can perform this operation.",
    "InvalidSignatureException": "The request signature we calculated does not match the signature you provided."
    " Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "ThrottlingException": THROTTLED["Message"],
    "UnrecognizedClientException": "The security token included in the request is invalid.",
}
DECLARED = sorted({error for name in service.operation_names() for error in service.declared_errors(name)})


def response_of(client: KMSClient, method: str, **members: Any) -> tuple[dict[str, str], int]:
    """Return the error that a call ends with, and its status."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**members)
    response: Any = excinfo.value.response
    return dict(response["Error"]), response["ResponseMetadata"]["HTTPStatusCode"]


def code_of(client: KMSClient, key: Key) -> str | None:
    """Return the code of the error that an Encrypt ends with, None for a success."""
    try:
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.mark.parametrize("code", COMMON)
def test_any_operation_may_end_with_a_common_error(kms: FakeKMS, client: KMSClient, code: str) -> None:
    """Whether the model declares it or not; code, text and status are AWS's, and the trail says who wanted it."""
    kms.fail("ListKeys", code)

    assert ({"Code": code, "Message": MESSAGES.get(code, "")}, STATUSES.get(code, 400)) == response_of(
        client, "list_keys"
    )
    assert ("ListKeys", code, "the test ordered it with kms.fail") == (
        kms.trail.last.operation,
        kms.trail.last.error,
        kms.trail.last.why,
    )


def test_every_common_error_is_named_here() -> None:
    """The table above is the package's own."""
    assert COMMON == [error.__name__ for error in errors.COMMON]


@pytest.mark.parametrize("code", DECLARED)
def test_an_operation_may_end_with_what_its_model_declares(kms: FakeKMS, client: KMSClient, code: str) -> None:
    """An application that catches the client's exception class gets one."""
    name = next(name for name in service.operation_names() if code in service.declared_errors(name))
    kms.fail(name, code)

    with pytest.raises(getattr(client.exceptions, code)) as excinfo:
        getattr(client, xform_name(name))()

    response: Any = excinfo.value.response
    assert {"Code": code, "Message": MESSAGES.get(code, "")} == response["Error"]
    assert STATUSES.get(code, 400) == response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("code", DECLARED)
def test_every_error_of_the_model_has_a_class(code: str) -> None:
    """It stands in errors.py, and is not made up."""
    assert errors.class_of(code) is getattr(errors, code)


def test_an_error_that_only_a_newer_botocore_knows_has_a_class_too() -> None:
    """It is a client's mistake until somebody knows better."""
    made = errors.class_of("HsmOnFireException")

    assert ("HsmOnFireException", 400) == (made().code, made().status)


@pytest.mark.parametrize("code", ["KMSInternalException", "ServiceUnavailable", "ThrottlingException"])
@pytest.mark.parametrize(("mode", "attempts"), [("legacy", 5), ("standard", 3)])
def test_a_failure_of_aws_s_is_retried_by_botocore(kms: FakeKMS, code: str, mode: Any, attempts: int) -> None:
    """Its waits pass the fake's time; the application sees nothing if there are attempts enough."""
    key = kms.create_key()
    kms.fail("Encrypt", code, times=attempts - 1)
    client = kms.client_for(config=Config(retries={"mode": mode, "total_max_attempts": attempts}))

    answer = client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert attempts - 1 == answer["ResponseMetadata"]["RetryAttempts"]
    assert [code] * (attempts - 1) + [None] == [attempt.error for attempt in kms.trail.last.attempts]


def test_a_failure_of_the_caller_s_is_not_retried(kms: FakeKMS) -> None:
    """It would be the same the next time."""
    key = kms.create_key()
    kms.fail("Encrypt", "AccessDeniedException")

    assert "AccessDeniedException" == code_of(kms.client, key)
    kms.assert_denied("Encrypt", times=1)
    assert 1 == len(kms.trail.last.attempts)


def test_a_failure_may_be_for_any_operation(kms: FakeKMS, client: KMSClient) -> None:
    """None stands for all of them."""
    key = kms.create_key()
    kms.fail(None, "KMSInternalException", times=2)

    assert "KMSInternalException" == response_of(client, "list_keys")[0]["Code"]
    assert ["KMSInternalException", None] == [code_of(client, key) for _ in range(2)]


def test_only_the_operation_and_the_key_named_fail(kms: FakeKMS, client: KMSClient) -> None:
    """Other calls pass and use nothing up."""
    key, other = kms.create_key("orders"), kms.create_key()
    kms.fail("Encrypt", "KeyUnavailableException", key="alias/orders")

    client.describe_key(KeyId=key.id)
    assert [None, "KeyUnavailableException", None] == [code_of(client, each) for each in (other, key, key)]


def test_so_many_calls_pass_first_as_were_ordered(kms: FakeKMS, client: KMSClient) -> None:
    """`after` counts the calls that the order is meant for, and no others."""
    key = kms.create_key()
    kms.fail("Encrypt", "KMSInternalException", after=2, times=2)

    client.list_keys()
    internal = "KMSInternalException"
    assert [None, None, internal, internal, None] == [code_of(client, key) for _ in range(5)]


def test_a_call_that_is_let_pass_is_looked_at_as_any_other(kms: FakeKMS, client: KMSClient) -> None:
    """It may fail for reasons of its own."""
    key = kms.create_key(state="Disabled")
    kms.fail("Encrypt", "KMSInternalException", after=1)

    assert ["DisabledException", "KMSInternalException"] == [code_of(client, key) for _ in range(2)]


def test_attempts_count_as_calls_do(kms: FakeKMS) -> None:
    """A call that is tried again after a throttling is two requests."""
    key = kms.create_key()
    kms.throttle("Encrypt")
    kms.fail("Encrypt", "DisabledException", after=1)

    assert [None, "DisabledException"] == [code_of(kms.client, key) for _ in range(2)]
    assert ["ThrottlingException", None] == [attempt.error for attempt in kms.trail[0].attempts]


def test_throttling_and_failures_stand_in_one_queue(kms: FakeKMS, client: KMSClient) -> None:
    """First in, first out; a call that an order lets pass does not go to the next one."""
    key = kms.create_key()
    kms.throttle("Encrypt")
    kms.fail("Encrypt", "KMSInternalException", after=1)
    kms.throttle()
    kms.fail("Encrypt", "DisabledException")

    assert [
        "ThrottlingException",
        None,
        "KMSInternalException",
        "ThrottlingException",
        "DisabledException",
        None,
    ] == [code_of(client, key) for _ in range(6)]


def test_a_failure_comes_before_every_other_check(kms: FakeKMS, client: KMSClient) -> None:
    """A call that would be refused anyhow fails as ordered."""
    kms.fail("Encrypt", "InvalidGrantTokenException", times=2)

    for members in ({"KeyId": "alias/nowhere", "Plaintext": b"x"}, {}):
        assert "InvalidGrantTokenException" == response_of(client, "encrypt", **members)[0]["Code"]


def test_a_call_that_failed_changes_nothing(kms: FakeKMS, client: KMSClient) -> None:
    """No key comes of a CreateKey that failed."""
    kms.fail("CreateKey", "LimitExceededException")

    assert "LimitExceededException" == response_of(client, "create_key")[0]["Code"]
    assert [] == client.list_keys()["Keys"]


def test_an_ordered_failure_is_no_request_of_the_quota(kms: FakeKMS, client: KMSClient) -> None:
    """A call that is let pass is."""
    key = kms.create_key()
    kms.clock.freeze()
    kms.quotas["Encrypt"] = 1
    kms.fail("Encrypt", "KMSInternalException", after=1, times=2)

    internal = "KMSInternalException"
    assert [None, internal, internal, "ThrottlingException"] == [code_of(client, key) for _ in range(4)]


def test_an_error_that_the_operation_never_ends_with_is_refused(kms: FakeKMS) -> None:
    """A test that handles it would prove nothing; the message says what there is instead."""
    with pytest.raises(UsageError) as excinfo:
        kms.fail("ListKeys", "DisabledException")

    assert (
        "pytest-kms: ListKeys never ends with the error 'DisabledException'. What it may end with:"
        " AccessDeniedException, DependencyTimeoutException, ExpiredTokenException, InternalFailure,"
        " InvalidMarkerException, InvalidSignatureException, KeyUnavailableException, KMSInternalException,"
        " OptInRequired, RequestExpired, ServiceUnavailable, ThrottlingException, UnrecognizedClientException,"
        " ValidationException. And on the way: ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError,"
        " SSLError, ReadTimeoutError, HTMLBody, TruncatedBody."
    ) == str(excinfo.value)
    assert [] == kms.unused_faults()


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("InvalidCipherTextException", "InvalidCiphertextException"),
        ("KMSInternalError", "KMSInternalException"),
        ("AccessDenied", "AccessDeniedException"),
        ("Throttling", "ThrottlingException"),
    ],
)
def test_a_misspelt_error_is_told_with_what_may_have_been_meant(kms: FakeKMS, misspelt: str, meant: str) -> None:
    """The nearest name stands first."""
    with pytest.raises(UsageError) as excinfo:
        kms.fail("Decrypt", misspelt)

    assert str(excinfo.value).startswith(
        f"pytest-kms: Decrypt never ends with the error '{misspelt}'. Did you mean {meant}? What it may end with:"
        " AccessDeniedException, "
    )


def test_an_error_that_some_operations_lack_cannot_be_for_all(kms: FakeKMS) -> None:
    """It wants the name of an operation."""
    with pytest.raises(UsageError, match="not every operation may end with the error 'DisabledException'"):
        kms.fail(None, "DisabledException")


@pytest.mark.parametrize("operation", ["Encript", "RotateKey"])
def test_an_unknown_operation_cannot_fail(kms: FakeKMS, operation: str) -> None:
    """A misspelt one, or what KMS does by itself."""
    with pytest.raises(UsageError, match=f"KMS has no operation '{operation}'. Did you mean "):
        kms.fail(operation, "KMSInternalException")


def test_an_unknown_key_cannot_fail(kms: FakeKMS) -> None:
    """It is told as elsewhere."""
    with pytest.raises(UsageError, match="no key is called 'alias/orders'"):
        kms.fail("Encrypt", "KMSInternalException", key="alias/orders")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"times": 0}, "times is 1 or more, not 0"), ({"after": -1}, "after is 0 or more, not -1")],
)
def test_numbers_that_are_no_order(kms: FakeKMS, numbers: dict[str, Any], message: str) -> None:
    """At least one call fails, and none is let pass in vain."""
    with pytest.raises(UsageError) as excinfo:
        kms.fail("Encrypt", "KMSInternalException", **numbers)

    assert f"pytest-kms: {message}" == str(excinfo.value)


def test_failures_that_are_left_are_told_in_words() -> None:
    """What the end of a test complains of says how many calls would have passed first."""
    with fake_kms(unused_faults="ignore") as kms:
        kms.fail("Encrypt", "KMSInternalException", times=2, after=3)
        kms.fail(None, "AccessDeniedException")

        assert [
            "KMSInternalException for Encrypt, 2 of them left, after 3 more calls",
            "AccessDeniedException for any operation, 1 of them left",
        ] == [str(fault) for fault in kms.unused_faults()]


def test_a_test_whose_failures_are_not_used_fails(pytester: pytest.Pytester) -> None:
    """As with throttling: what was ordered and never came would prove nothing."""
    pytester.makepyfile(
        """
        def test_nothing(kms):
            kms.fail("Decrypt", "KMSInternalException", after=1)
        """
    )

    result = pytester.runpytest()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*pytest-kms: faults were ordered and never used: KMSInternalException for Decrypt, 1 of them left,"
            " after 1 more calls. What to do: *"
        ]
    )


# on the way


ON_THE_WAY = ["ConnectionClosedError", "ConnectTimeoutError", "EndpointConnectionError", "ReadTimeoutError", "SSLError"]
TEXTS = {
    "ConnectionClosedError": 'Connection was closed before we received a valid response from endpoint URL: "{url}".',
    "ConnectTimeoutError": 'Connect timeout on endpoint URL: "{url}"',
    "EndpointConnectionError": 'Could not connect to the endpoint URL: "{url}"',
    "ReadTimeoutError": 'Read timeout on endpoint URL: "{url}"',
    "SSLError": "SSL validation failed for {url} [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"
    " unable to get local issuer certificate",
}


@pytest.mark.parametrize("form", ["name", "class"])
@pytest.mark.parametrize("name", ON_THE_WAY)
def test_a_request_may_end_on_its_way(kms: FakeKMS, client: KMSClient, name: str, form: str) -> None:
    """With botocore's exception and text; it is ordered by name or by class."""
    kind = getattr(botocore.exceptions, name)
    kms.fail("ListKeys", name if form == "name" else kind)

    with pytest.raises(kind) as excinfo:
        client.list_keys()

    assert TEXTS[name].format(url=f"https://kms.{kms.world.region}.amazonaws.com/") == str(excinfo.value)
    assert (name, "", "the test ordered it with kms.fail") == (
        kms.trail.last.error,
        kms.trail.last.message,
        kms.trail.last.why,
    )


def test_an_error_of_aws_may_be_ordered_by_its_class(kms: FakeKMS, client: KMSClient) -> None:
    """By the one that the client has."""
    key = kms.create_key()
    kms.fail("Encrypt", client.exceptions.DisabledException)

    assert "DisabledException" == code_of(client, key)


CARRIED_OUT = [
    ("ConnectionClosedError", None, False),
    ("ConnectionClosedError", True, True),
    ("ConnectTimeoutError", None, False),
    ("EndpointConnectionError", False, False),
    ("HTMLBody", None, False),
    ("HTMLBody", True, True),
    ("KMSInternalException", None, False),
    ("KMSInternalException", True, True),
    ("ReadTimeoutError", None, True),
    ("ReadTimeoutError", False, False),
    ("ServiceUnavailable", True, True),
    ("SSLError", None, False),
    ("TruncatedBody", None, True),
]


@pytest.mark.parametrize(("error", "carried_out", "done"), CARRIED_OUT)
def test_what_failed_may_be_done_all_the_same(
    kms: FakeKMS, client: KMSClient, *, error: str, carried_out: bool | None, done: bool
) -> None:
    """The key is there, the trail says so, and so does an assertion; the client knows nothing."""
    kms.fail("CreateKey", error, carried_out=carried_out)

    with contextlib.suppress(ClientError, botocore.exceptions.BotoCoreError):
        assert "KeyMetadata" not in client.create_key()

    (event,) = kms.trail
    assert (error, False, done) == (event.error, event.succeeded, event.carried_out == 1)
    assert done == event.attempts[0].lost
    assert done == bool(client.list_keys()["Keys"])


def test_a_use_that_nobody_was_told_of_is_one(kms: FakeKMS, client: KMSClient) -> None:
    """The key was used, whatever the client knows."""
    key, other = kms.create_key(), kms.create_key()
    kms.fail("Encrypt", "ReadTimeoutError", key=key)
    kms.fail("Encrypt", "ReadTimeoutError", key=other, carried_out=False)
    for each in (key, other):
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            client.encrypt(KeyId=each.id, Plaintext=b"x")

    kms.assert_used(key, "Encrypt", times=1)
    kms.assert_not_used(other)


def test_what_is_refused_is_not_done(kms: FakeKMS, client: KMSClient) -> None:
    """The client meets what was ordered, though KMS would have refused."""
    key = kms.create_key(state="Disabled")
    kms.fail("Encrypt", "ReadTimeoutError")
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert (0, False) == (kms.trail.last.carried_out, kms.trail.last.attempts[0].lost)


def test_an_answer_that_is_cut_is_none(kms: FakeKMS, client: KMSClient) -> None:
    """botocore gives the application an answer without members, and an error without a code of AWS's."""
    key = kms.create_key()
    kms.fail("Encrypt", "TruncatedBody", times=2)

    assert {"ResponseMetadata"} == set(client.encrypt(KeyId=key.id, Plaintext=b"x"))
    assert "400" == response_of(client, "encrypt", KeyId="alias/none", Plaintext=b"x")[0]["Code"]


def test_an_answer_that_is_no_json_is_a_gateway_s(kms: FakeKMS, client: KMSClient) -> None:
    """botocore goes by the status."""
    kms.fail("ListKeys", "HTMLBody")

    assert ({"Code": "502", "Message": "Bad Gateway"}, 502) == response_of(client, "list_keys")


@pytest.mark.parametrize(
    ("error", "carried_out", "message"),
    [
        ("SSLError", True, "a request that ends with SSLError was not carried out"),
        ("EndpointConnectionError", True, "a request that ends with EndpointConnectionError was not carried out"),
        ("ThrottlingException", True, "a request that ends with ThrottlingException was not carried out"),
        ("TruncatedBody", False, "an answer that ends with TruncatedBody comes of a request that was carried out"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(kms: FakeKMS, *, error: str, carried_out: bool, message: str) -> None:
    """Or what must have been."""
    with pytest.raises(UsageError) as excinfo:
        kms.fail("Encrypt", error, carried_out=carried_out)

    assert f"pytest-kms: {message}" == str(excinfo.value)


@pytest.mark.parametrize("misspelt", ["ReadTimeout", "EndpointConnectionErr", "SSLErr"])
def test_a_misspelt_exception_of_botocore_s_is_told_too(kms: FakeKMS, misspelt: str) -> None:
    """The nearest name stands first."""
    with pytest.raises(UsageError, match=f"the error '{misspelt}'. Did you mean {misspelt[:8]}"):
        kms.fail("Encrypt", misspelt)


def test_access_is_denied_in_aws_s_words(kms: FakeKMS, client: KMSClient) -> None:
    """With the caller, the action and the resource, as far as AWS names it."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"x")
    kms.fail(None, "AccessDeniedException", times=3)
    user = "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms"

    denials = [
        response_of(client, "encrypt", KeyId=key.id, Plaintext=b"x"),
        response_of(client, "decrypt", CiphertextBlob=blob),
        response_of(client, "list_aliases"),
    ]

    assert [
        f"{user}:Encrypt on resource: {key.arn} because no identity-based policy allows the kms:Encrypt action",
        f"{user}:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the"
        " kms:Decrypt action",
        f"{user}:ListAliases on resource: * because no identity-based policy allows the kms:ListAliases action",
    ] == [error["Message"] for error, _ in denials]


# which calls


def test_members_say_which_calls_fail(kms: FakeKMS, client: KMSClient) -> None:
    """Those that have all of them, with these values."""
    key = kms.create_key()
    kms.fail("Encrypt", "KMSInternalException", when={"KeyId": key.id, "EncryptionContext": {"order": "7"}})

    assert None is code_of(client, key)
    context = {"order": "7"}
    error, _ = response_of(client, "encrypt", KeyId=key.id, Plaintext=b"x", EncryptionContext=context)
    assert "KMSInternalException" == error["Code"]
    assert None is code_of(client, key)


def test_faults_are_for_calls_in_the_words_of_assertions(kms: FakeKMS, client: KMSClient) -> None:
    """An encryption context, a principal, an AWS service."""
    key = kms.create_key("orders")
    role = kms.principal("role/app", policy=policy(allow()))
    s3 = kms.service("s3", on_behalf_of=role)
    kms.throttle(encryption_context={"order": "7"})
    kms.fail("Encrypt", "DisabledException", key=key, principal=role)
    kms.latency(3, via="s3.us-east-1.amazonaws.com", times=1)
    assert [
        "ThrottlingException for any operation with {order: 7}, 1 of them left",
        f"DisabledException for Encrypt by {role.arn}, 1 of them left",
    ] == [str(fault) for fault in kms.unused_faults()]

    assert None is code_of(client, key)
    error, _ = response_of(client, "encrypt", KeyId=key.id, Plaintext=b"x", EncryptionContext={"order": "7"})
    assert "ThrottlingException" == error["Code"]
    assert None is code_of(client, key)
    assert "DisabledException" == code_of(kms.client_for(principal=role), key)
    s3.store(key, "orders/7.json")
    assert [0, 0, 0, 0, 3] == [event.attempts[-1].took for event in kms.trail]
    kms.assert_called("GenerateDataKey", principal=s3, times=1)
    with kms.outage(principal=s3), pytest.raises(EndpointConnectionError):
        s3.store(key, "orders/7.json")


def test_a_function_says_which_calls_fail(kms: FakeKMS, client: KMSClient) -> None:
    """It gets the event as it would be recorded, without secrets, and may look at the attempt."""
    key = kms.create_key("orders")
    seen: list[Event] = []

    def second(event: Event) -> bool:
        seen.append(event)
        return event.attempts[0].number == 2

    kms.throttle("Encrypt")
    kms.fail("Encrypt", "DisabledException", when=second)
    with pytest.raises(ClientError, match="DisabledException"):
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"secret")

    assert (key.arn, {"KeyId": "alias/orders"}) == (seen[-1].key, seen[-1].parameters)
    assert None is seen[-1].error
    assert 0 < seen[-1].attempts[0].delay


def test_a_function_that_fails_fails_the_test(pytester: pytest.Pytester) -> None:
    """No application can swallow that."""
    pytester.makepyfile(
        """
        import contextlib

        def test_one(kms):
            kms.fail(None, "KMSInternalException", when=lambda event: event.nothing)
            with contextlib.suppress(Exception):
                kms.client.list_keys()
        """
    )
    result = pytester.runpytest()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*pytest-kms: the function given as when= has failed: AttributeError(*"])


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        ("Encrypt", {"Plaintext": b"x"}, "Plaintext is a secret, which nobody may look at"),
        ("Encrypt", {"Limit": 1}, "Encrypt has no member 'Limit'"),
        (None, {"Limits": 1}, "no operation has member 'Limits'"),
    ],
)
def test_members_that_nobody_can_look_at_are_refused(
    kms: FakeKMS, operation: str | None, members: dict[str, Any], message: str
) -> None:
    """They would never be met."""
    with pytest.raises(UsageError) as excinfo:
        kms.fail(operation, "KMSInternalException", when=members)

    assert f"pytest-kms: {message}" == str(excinfo.value)


def test_facts_of_calls_are_told_in_words() -> None:
    """Where a fault is left, its conditions are named."""

    def late(event: Event) -> bool:
        raise NotImplementedError

    with fake_kms(unused_faults="ignore") as kms:
        kms.fail("Encrypt", "SSLError", when={"KeyId": "alias/orders"})
        kms.throttle(when=late, after=1)
        kms.fail("Decrypt", "SSLError", when=functools.partial(late))
        kms.fail("Decrypt", "SSLError", optional=True)
        with kms.outage("Decrypt"), kms.outage("Sign", optional=True):
            pass

        partial = [fault for fault in map(str, kms.unused_faults()) if "functools" in fault]
        assert [
            "SSLError for Encrypt with KeyId='alias/orders', 1 of them left",
            "ThrottlingException for any operation when late, 1 of them left, after 1 more calls",
            *partial,
            "EndpointConnectionError for Decrypt, an outage that no call met",
        ] == [str(fault) for fault in kms.unused_faults()]
        assert 1 == len(partial)


# kms.outage


def test_everything_fails_while_an_outage_lasts(kms: FakeKMS, client: KMSClient) -> None:
    """And nothing before and after."""
    key = kms.create_key()
    assert None is code_of(client, key)
    with kms.outage():
        for _ in range(3):
            with pytest.raises(botocore.exceptions.EndpointConnectionError):
                client.list_keys()
    assert None is code_of(client, key)

    assert "the test ordered it with kms.outage" == kms.trail[1].why
    assert [] == kms.unused_faults()


def test_an_outage_may_be_of_an_operation_and_a_key(kms: FakeKMS, client: KMSClient) -> None:
    """All other calls pass; the innermost outage has the word."""
    key, other = kms.create_key("orders"), kms.create_key()
    with (
        kms.outage("Encrypt", "KMSInternalException", key="alias/orders"),
        kms.outage("Encrypt", "DependencyTimeoutException", when={"KeyId": key.arn}),
    ):
        assert [None, "KMSInternalException"] == [code_of(client, each) for each in (other, key)]
        error, _ = response_of(client, "encrypt", KeyId=key.arn, Plaintext=b"x")
        assert "DependencyTimeoutException" == error["Code"]
        client.list_keys()
    assert None is code_of(client, key)


def test_an_outage_uses_no_other_order_up(kms: FakeKMS, client: KMSClient) -> None:
    """What was ordered comes when it is over."""
    key = kms.create_key()
    kms.fail("Encrypt", "DisabledException")
    with kms.outage("Encrypt", "KMSInternalException"):
        assert "KMSInternalException" == code_of(client, key)

    assert ["DisabledException", None] == [code_of(client, key) for _ in range(2)]


def test_an_outage_ends_with_its_block_however_that_ends(kms: FakeKMS, client: KMSClient) -> None:
    """Also after a reset, which has ended it already."""
    with pytest.raises(botocore.exceptions.EndpointConnectionError), kms.outage():
        client.list_keys()
    client.list_keys()
    with kms.outage():
        kms.reset()
        client.list_keys()

    assert [] == kms.unused_faults()


def test_an_outage_that_no_call_meets_fails_the_test(pytester: pytest.Pytester) -> None:
    """It would prove nothing; none reaches into the next test."""
    pytester.makeini("[pytest]\nkms_scope = session\n")
    pytester.makepyfile(
        """
        open_outages = []

        def test_in_vain(kms):
            with kms.outage("Decrypt"):
                pass

        def test_never_closed(kms):
            outage = kms.outage(optional=True)
            outage.__enter__()
            open_outages.append(outage)
            kms.latency(7)
            kms.throttle("Sign", optional=True)

        def test_next(kms):
            kms.client.list_keys()
            assert 0 == kms.trail.last.attempts[0].took
            open_outages.pop().__exit__(None, None, None)
        """
    )
    result = pytester.runpytest()

    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "*pytest-kms: faults were ordered and never used: EndpointConnectionError for Decrypt, an outage that no"
            " call met. What to do: *"
        ]
    )


# kms.latency


def test_calls_take_as_long_as_was_said_last(kms: FakeKMS, client: KMSClient) -> None:
    """For the calls that it is meant for; what was said before counts again when it is used up."""
    key = kms.create_key()
    kms.clock.freeze()
    before = kms.clock.now
    kms.latency(1)
    kms.latency(3, "Encrypt", key=key, when={"KeyId": key.id})
    kms.latency(20, times=1)
    for _ in range(2):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    client.list_keys()
    kms.latency(0)
    client.list_keys()

    assert [20, 3, 1, 0] == [event.attempts[0].took for event in kms.trail]
    assert 24 == round((kms.clock.now - before).total_seconds(), 3)
    assert [0, 20, 23, 24] == [round((event.time - before).total_seconds(), 3) for event in kms.trail]


def test_a_failure_takes_its_time_too(kms: FakeKMS, client: KMSClient) -> None:
    """An answer of KMS does, what never reaches it does not."""
    kms.latency(2)
    kms.fail("ListKeys", "KMSInternalException")
    kms.fail("ListKeys", "EndpointConnectionError")
    for _ in range(2):
        with contextlib.suppress(ClientError, botocore.exceptions.BotoCoreError):
            client.list_keys()
    assert "NotFoundException" == response_of(client, "describe_key", KeyId="alias/none")[0]["Code"]

    assert [2, 0, 2] == [event.attempts[0].took for event in kms.trail]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": -1}, "seconds is 0 or more, not -1"),
        ({"seconds": float("inf")}, "seconds is 0 or more, not inf"),
        ({"seconds": 1, "times": 0}, "times is 1 or more, not 0"),
    ],
)
def test_latencies_that_are_none(kms: FakeKMS, arguments: dict[str, Any], message: str) -> None:
    """Time does not run backward."""
    with pytest.raises(UsageError) as excinfo:
        kms.latency(**arguments)

    assert f"pytest-kms: {message}" == str(excinfo.value)


# nobody else's


def test_no_fault_touches_another_service(kms: FakeKMS) -> None:
    """A client of STS with an endpoint of its own, and moto's S3, work through every outage of KMS."""
    sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")
    body = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"

    def answer(request: Any, **_: Any) -> Any:
        response: Any = AWSResponse(request.url, 200, {}, None)  # type: ignore[arg-type]
        response._content = body  # noqa: SLF001
        return response

    sts.meta.events.register("before-send.sts", answer)
    kms.latency(100)
    before = kms.clock.waited
    with kms.outage(optional=True), mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="orders")
        assert 200 == sts.get_caller_identity()["ResponseMetadata"]["HTTPStatusCode"]

    assert before == kms.clock.waited
    assert 0 == len(kms.trail)
