"""What a version does not have is refused loudly, never ignored.

The tests take operations and members away, so that they hold for a version that lacks none.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import NotSupported, fake_kms, service
from pytest_kms.operation import OPERATIONS, TAKEN_BY_ALL

if TYPE_CHECKING:
    from botocore.model import Shape
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
LOOSE = Config(parameter_validation=False)

Members = dict[str, Any]


def call(client: KMSClient, operation: str, members: Members) -> Members:
    """Call an operation by AWS's name of it."""
    answer: Members = getattr(client, xform_name(operation))(**members)
    return answer


def refusal(operation: str, members: Members) -> str:
    """Return the words in which a call is refused by a fake of its own."""
    with fake_kms(unsupported="ignore") as kms:
        kms.create_key(key_id=KEY_ID)
        with pytest.raises(NotSupported) as excinfo:
            call(kms.client_for(config=LOOSE), operation, members)
        assert "NotSupported" == kms.trail.last.error
        assert str(excinfo.value) == kms.trail.last.message
    return str(excinfo.value)


@pytest.fixture
def two_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave two operations over, of which one takes two members."""
    for name in set(OPERATIONS) - {"ListKeys", "Encrypt"}:
        monkeypatch.delitem(OPERATIONS, name)
    monkeypatch.setitem(OPERATIONS, "Encrypt", replace(OPERATIONS["Encrypt"], takes=frozenset({"Plaintext", "KeyId"})))


@pytest.mark.parametrize("operation", service.operation_names())
def test_an_operation_that_is_missing_is_refused_by_name(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of KMS's operations it is, the refusal names it and lists what works."""
    monkeypatch.delitem(OPERATIONS, operation, raising=False)

    assert (
        f"pytest-kms: {operation} is not supported by this version. What works: {', '.join(sorted(OPERATIONS))}."
    ) == refusal(operation, {})


@pytest.mark.usefixtures("two_operations")
def test_the_operations_that_work_are_told_in_the_order_of_the_alphabet() -> None:
    """Whoever is refused finds the one that he may have meant."""
    assert "pytest-kms: Decrypt is not supported by this version. What works: Encrypt, ListKeys." == refusal(
        "Decrypt", {"CiphertextBlob": b"x"}
    )


@pytest.mark.usefixtures("without_generate_mac")
def test_no_except_of_the_application_swallows_a_refusal() -> None:
    """Neither `except ClientError` nor `except Exception` hides that a test is testing nothing."""

    def application(kms: FakeKMS) -> str:
        try:
            kms.client.generate_mac(KeyId=KEY_ID, Message=b"x", MacAlgorithm="HMAC_SHA_256")
        except ClientError:
            return "swallowed"
        except Exception:  # noqa: BLE001
            return "swallowed too"
        return "answered"

    with fake_kms(unsupported="ignore") as kms, pytest.raises(NotSupported):
        application(kms)


@pytest.mark.usefixtures("without_generate_mac")
def test_a_refusal_is_not_retried() -> None:
    """Botocore's retries see no error that they know: there is one attempt."""
    with fake_kms(unsupported="ignore") as kms, pytest.raises(NotSupported):
        kms.client.generate_mac(KeyId=KEY_ID, Message=b"x", MacAlgorithm="HMAC_SHA_256")

    assert 1 == len(kms.trail.last.attempts)


@pytest.mark.usefixtures("without_generate_mac")
def test_the_client_goes_on_after_a_refusal() -> None:
    """A refusal leaves nothing behind: the next call is answered."""
    with fake_kms(unsupported="ignore") as kms:
        with pytest.raises(NotSupported):
            kms.client.generate_mac(KeyId=KEY_ID, Message=b"x", MacAlgorithm="HMAC_SHA_256")

        assert [] == kms.client.list_keys()["Keys"]


def example_of(shape: Shape) -> Any:
    """Return a value of a shape that says something."""
    match shape.type_name:
        case "structure":
            return {name: example_of(member) for name, member in shape.members.items()}  # type: ignore[attr-defined]
        case "list":
            return [example_of(shape.member)]  # type: ignore[attr-defined]
        case "map":
            return {"a": "b"}
        case name:
            return {"blob": b"x", "boolean": True, "integer": 1, "string": "x", "timestamp": 1}[name]


MEMBERS = [
    (name, member)
    for name in OPERATIONS
    for member in service.input_shape(name).members
    if member not in TAKEN_BY_ALL  # test_grant_tokens.py has these
]


@pytest.mark.parametrize(("operation", "member"), MEMBERS, ids=["-".join(case) for case in MEMBERS])
def test_a_member_that_is_missing_is_refused_by_name(
    operation: str, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever it is, the refusal names the member and lists those that work, in the order of the model."""
    shape = service.input_shape(operation)
    takes = OPERATIONS[operation].takes - {member}
    monkeypatch.setitem(OPERATIONS, operation, replace(OPERATIONS[operation], takes=takes))

    works = ", ".join(name for name in shape.members if name in takes | TAKEN_BY_ALL)
    assert (f"pytest-kms: {member} of {operation} is not supported by this version. What works: {works}.") == refusal(
        operation, {member: example_of(shape.members[member])}
    )


@pytest.mark.usefixtures("two_operations")
def test_the_members_that_work_are_told_in_the_order_of_the_model() -> None:
    """It is the order of AWS's documentation."""
    assert (
        "pytest-kms: DryRun of Encrypt is not supported by this version. What works: KeyId, Plaintext, GrantTokens."
        == refusal("Encrypt", {"KeyId": KEY_ID, "Plaintext": b"x", "DryRun": True})
    )


NEUTRAL: list[tuple[str, Members, Members]] = [
    ("DescribeKey", {"KeyId": KEY_ID}, {"GrantTokens": []}),
    ("Encrypt", {"KeyId": KEY_ID, "Plaintext": b"x"}, {"GrantTokens": []}),
    ("GenerateDataKey", {"KeyId": KEY_ID, "KeySpec": "AES_128"}, {"GrantTokens": []}),
    ("CreateKey", {}, {"MultiRegion": False}),
    ("CreateKey", {}, {"BypassPolicyLockoutSafetyCheck": False}),
    ("CreateKey", {}, {"MultiRegion": False, "BypassPolicyLockoutSafetyCheck": False}),
    ("CreateKey", {}, {"KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyUsage": "ENCRYPT_DECRYPT"}),
]


@pytest.mark.parametrize(
    ("operation", "members", "neutral"), NEUTRAL, ids=[f"{case[0]}-{'-'.join(case[2])}" for case in NEUTRAL]
)
def test_a_member_that_asks_for_nothing_passes(
    kms: FakeKMS, operation: str, members: Members, neutral: Members
) -> None:
    """False, an empty list, and what is the default anyhow are no use of what is missing."""
    kms.create_key(key_id=KEY_ID)

    assert 200 == call(kms.client, operation, {**members, **neutral})["ResponseMetadata"]["HTTPStatusCode"]


def with_member(client: KMSClient, place: str, member: str, value: object) -> KMSClient:
    """Let a client send one more member, at the top or in a structure of a list."""

    def add(params: Members, **_: object) -> None:
        body = json.loads(params["body"])
        target = body[place][0] if place else body
        target[member] = value
        params["body"] = json.dumps(body).encode()

    client.meta.events.register("before-call.kms", add)
    return client


@pytest.mark.usefixtures("two_operations")
def test_a_member_that_botocore_does_not_know_is_refused_by_name() -> None:
    """A member of a newer KMS, sent past botocore's model, is not ignored."""
    with fake_kms(unsupported="ignore") as kms:
        key = kms.create_key()
        client = with_member(kms.client_for(config=LOOSE), "", "Colour", "blue")
        with pytest.raises(NotSupported) as excinfo:
            client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert (
        "pytest-kms: Colour of Encrypt is not supported by this version. What works: KeyId, Plaintext, GrantTokens."
        == str(excinfo.value)
    )


def test_a_member_within_a_member_that_botocore_does_not_know_is_refused_by_name() -> None:
    """Structures within the input are looked at as the input is."""
    with fake_kms(unsupported="ignore") as kms:
        client = with_member(kms.client_for(config=LOOSE), "Tags", "Colour", "blue")
        with pytest.raises(NotSupported) as excinfo:
            client.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])

    message = str(excinfo.value)
    assert "Colour" in message
    assert "is not supported by this version." in message


def test_an_unknown_member_that_is_null_is_absent(kms: FakeKMS) -> None:
    """Null is how JSON says that a member is not there."""
    client = with_member(kms.client_for(config=LOOSE), "", "Colour", None)

    assert [] == client.list_keys()["Keys"]


def test_a_refusal_comes_before_faults_and_quotas() -> None:
    """What is not there is told first; it counts in no quota and uses no fault up."""
    with fake_kms(unsupported="ignore") as kms:
        key = kms.create_key()
        kms.clock.freeze()
        kms.quotas["Encrypt"] = 1
        client = with_member(kms.client_for(config=LOOSE), "", "Colour", "blue")
        with pytest.raises(NotSupported):
            client.encrypt(KeyId=key.id, Plaintext=b"x")

        assert kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["KeyId"] == key.arn
