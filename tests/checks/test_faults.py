"""Failures that a test orders with `kms.throttle`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import NotSupported, UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

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
    with fake_kms() as kms:
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
    with fake_kms() as kms:
        kms.throttle("Encrypt", times=2)
        kms.throttle()

        assert [
            "ThrottlingException for Encrypt, 2 of them left",
            "ThrottlingException for any operation, 1 of them left",
        ] == [str(fault) for fault in kms.unused_faults()]
