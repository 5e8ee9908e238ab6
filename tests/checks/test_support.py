"""What this version does not have is refused loudly, never ignored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import NotSupported, fake_kms, service
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"

SUPPORTED = (
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateKey",
    "Decrypt",
    "DeleteAlias",
    "DescribeKey",
    "DisableKey",
    "EnableKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ReEncrypt",
    "ScheduleKeyDeletion",
    "UpdateAlias",
    "UpdateKeyDescription",
)
UNSUPPORTED = [name for name in service.operation_names() if name not in SUPPORTED]
LOOSE = Config(parameter_validation=False)

Members = dict[str, Any]


def call(client: KMSClient, operation: str, members: Members) -> Members:
    """Call an operation by AWS's name of it."""
    answer: Members = getattr(client, xform_name(operation))(**members)
    return answer


def refusal(operation: str, members: Members) -> str:
    """Return the words in which a call is refused by a fake of its own."""
    with fake_kms() as kms:
        kms.create_key(key_id=KEY_ID)
        with pytest.raises(NotSupported) as excinfo:
            call(kms.client_for(config=LOOSE), operation, members)
        assert "NotSupported" == kms.trail.last.error
        assert str(excinfo.value) == kms.trail.last.message
    return str(excinfo.value)


def test_every_operation_is_either_supported_or_tested_to_be_refused() -> None:
    """The list above is the list of the package."""
    assert list(SUPPORTED) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", UNSUPPORTED)
def test_an_operation_that_is_missing_is_refused_by_name(operation: str) -> None:
    """The refusal names the operation and lists what works."""
    assert f"pytest-kms: {operation} is not supported by this version. What works: {', '.join(SUPPORTED)}." == refusal(
        operation, {}
    )


def test_no_except_of_the_application_swallows_a_refusal() -> None:
    """Neither `except ClientError` nor `except Exception` hides that a test is testing nothing."""

    def application(kms: FakeKMS) -> str:
        try:
            kms.client.sign(KeyId=KEY_ID, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
        except ClientError:
            return "swallowed"
        except Exception:  # noqa: BLE001
            return "swallowed too"
        return "answered"

    with fake_kms() as kms, pytest.raises(NotSupported):
        application(kms)


def test_a_refusal_is_not_retried() -> None:
    """Botocore's retries see no error that they know: there is one attempt."""
    with fake_kms() as kms, pytest.raises(NotSupported):
        kms.client.list_grants(KeyId=KEY_ID)

    assert 1 == len(kms.trail.last.attempts)


def test_the_client_goes_on_after_a_refusal() -> None:
    """A refusal leaves nothing behind: the next call is answered."""
    with fake_kms() as kms:
        with pytest.raises(NotSupported):
            kms.client.list_grants(KeyId=KEY_ID)

        assert [] == kms.client.list_keys()["Keys"]


ENCRYPT = "KeyId, Plaintext, EncryptionContext, EncryptionAlgorithm, DryRun"
DECRYPT = "CiphertextBlob, EncryptionContext, KeyId, EncryptionAlgorithm, DryRun, DryRunModifiers"
RE_ENCRYPT = (
    "CiphertextBlob, SourceEncryptionContext, SourceKeyId, DestinationKeyId, DestinationEncryptionContext,"
    " SourceEncryptionAlgorithm, DestinationEncryptionAlgorithm, DryRun, DryRunModifiers"
)
DATA_KEY = {"KeyId", "EncryptionContext", "NumberOfBytes", "KeySpec", "DryRun"}
CREATE_KEY = "Description, KeyUsage, CustomerMasterKeySpec, KeySpec, Origin, Tags"

MEMBERS = [
    ("DescribeKey", {"KeyId": KEY_ID}, "GrantTokens", ["t"], "KeyId"),
    ("Encrypt", {"KeyId": KEY_ID, "Plaintext": b"x"}, "GrantTokens", ["t"], ENCRYPT),
    ("Decrypt", {"CiphertextBlob": b"x"}, "GrantTokens", ["t"], DECRYPT),
    ("Decrypt", {"CiphertextBlob": b"x"}, "Recipient", {"AttestationDocument": b"x"}, DECRYPT),
    ("ReEncrypt", {"CiphertextBlob": b"x", "DestinationKeyId": KEY_ID}, "GrantTokens", ["t"], RE_ENCRYPT),
    ("GenerateRandom", {"NumberOfBytes": 1}, "CustomKeyStoreId", "cks-1234567890abcdef0", "NumberOfBytes"),
    ("GenerateRandom", {"NumberOfBytes": 1}, "Recipient", {"AttestationDocument": b"x"}, "NumberOfBytes"),
    ("CreateKey", {}, "Policy", "{}", CREATE_KEY),
    ("CreateKey", {}, "BypassPolicyLockoutSafetyCheck", True, CREATE_KEY),
    ("CreateKey", {}, "MultiRegion", True, CREATE_KEY),
    ("CreateKey", {}, "CustomKeyStoreId", "cks-1234567890abcdef0", CREATE_KEY),
    ("CreateKey", {}, "XksKeyId", "key-1", CREATE_KEY),
]


@pytest.mark.parametrize(
    ("operation", "members", "member", "value", "works"), MEMBERS, ids=[f"{case[0]}-{case[2]}" for case in MEMBERS]
)
def test_a_member_that_is_missing_is_refused_by_name(
    operation: str,
    members: Members,
    member: str,
    value: object,
    works: str,
) -> None:
    """The refusal names the member and lists the members that work."""
    assert f"pytest-kms: {member} of {operation} is not supported by this version. What works: {works}." == refusal(
        operation, {**members, member: value}
    )


@pytest.mark.parametrize(
    ("operation", "member", "value"),
    [
        ("GenerateDataKey", "GrantTokens", ["t"]),
        ("GenerateDataKey", "Recipient", {"AttestationDocument": b"x"}),
        ("GenerateDataKeyWithoutPlaintext", "GrantTokens", ["t"]),
    ],
)
def test_a_member_that_the_data_key_operations_lack_is_refused_by_name(
    operation: str, member: str, value: object
) -> None:
    """The members that work are those of the model, in its order."""
    message = refusal(operation, {"KeyId": KEY_ID, "KeySpec": "AES_256", member: value})
    head, _, works = message.partition(" What works: ")

    assert f"pytest-kms: {member} of {operation} is not supported by this version." == head
    assert DATA_KEY == set(works.removesuffix(".").split(", "))


VALUES = [
    ("KeySpec", "RSA_2048", "SYMMETRIC_DEFAULT"),
    ("KeySpec", "HMAC_256", "SYMMETRIC_DEFAULT"),
    ("CustomerMasterKeySpec", "ECC_NIST_P256", "SYMMETRIC_DEFAULT"),
    ("Origin", "EXTERNAL", "AWS_KMS"),
    ("Origin", "AWS_CLOUDHSM", "AWS_KMS"),
]


@pytest.mark.parametrize(("member", "value", "works"), VALUES, ids=[f"{case[0]}-{case[1]}" for case in VALUES])
def test_a_kind_of_key_that_is_missing_is_refused_by_name(member: str, value: str, works: str) -> None:
    """CreateKey names the value that it cannot do, and the one that it can."""
    assert (
        f"pytest-kms: {member} {value} of CreateKey is not supported by this version. What works: {works}."
        == refusal("CreateKey", {member: value, "KeyUsage": "ENCRYPT_DECRYPT"})
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


def test_a_member_that_botocore_does_not_know_is_refused_by_name() -> None:
    """A member of a newer KMS, sent past botocore's model, is not ignored."""
    with fake_kms() as kms:
        key = kms.create_key()
        client = with_member(kms.client_for(config=LOOSE), "", "Colour", "blue")
        with pytest.raises(NotSupported) as excinfo:
            client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert (f"pytest-kms: Colour of Encrypt is not supported by this version. What works: {ENCRYPT}.") == str(
        excinfo.value
    )


def test_a_member_within_a_member_that_botocore_does_not_know_is_refused_by_name() -> None:
    """Structures within the input are looked at as the input is."""
    with fake_kms() as kms:
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
    with fake_kms() as kms:
        key = kms.create_key()
        kms.clock.freeze()
        kms.quotas["Encrypt"] = 1
        with pytest.raises(NotSupported):
            kms.client.encrypt(KeyId=key.id, Plaintext=b"x", GrantTokens=["t"])

        assert kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["KeyId"] == key.arn
