"""A dry run asks whether a call would succeed, and never does: it is checked, counted and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from answers import UNKNOWN, not_allowed, unfit
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
METHODS = {
    "Encrypt": "encrypt",
    "Decrypt": "decrypt",
    "ReEncrypt": "re_encrypt",
    "GenerateDataKey": "generate_data_key",
    "GenerateDataKeyWithoutPlaintext": "generate_data_key_without_plaintext",
}
IGNORE = ["IGNORE_CIPHERTEXT"]
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}
INCORRECT_KEY = {
    "Code": "IncorrectKeyException",
    "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
}

each_operation = pytest.mark.parametrize("operation", METHODS)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key to be asked about."""
    return kms.create_key("orders")


def members(kms: FakeKMS, operation: str, key: Key) -> dict[str, Any]:
    """Return a request on a key that would succeed."""
    requests: dict[str, dict[str, Any]] = {
        "Encrypt": {"KeyId": key.id, "Plaintext": b"secret"},
        "Decrypt": {"KeyId": key.id, "CiphertextBlob": kms.encrypt(key, b"secret")},
        "ReEncrypt": {"DestinationKeyId": key.id, "CiphertextBlob": kms.encrypt(key, b"secret")},
        "GenerateDataKey": {"KeyId": key.id, "KeySpec": "AES_256"},
        "GenerateDataKeyWithoutPlaintext": {"KeyId": key.id, "NumberOfBytes": 16},
    }
    return requests[operation]


def error_of(client: KMSClient, method: str, **request: Any) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**request)
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


def dry(kms: FakeKMS, operation: str, **request: Any) -> dict[str, str]:
    """Return the error that a dry run ends with."""
    return error_of(kms.client, METHODS[operation], DryRun=True, **request)


# Success


@each_operation
def test_a_dry_run_that_would_succeed_says_so(kms: FakeKMS, key: Key, operation: str) -> None:
    """It is an error of its own, so that nobody mistakes it for an answer."""
    assert WOULD_SUCCEED == dry(kms, operation, **members(kms, operation, key))


@each_operation
def test_a_dry_run_is_an_error_of_the_model(kms: FakeKMS, key: Key, operation: str) -> None:
    """An application may catch the class that the client's exceptions name; HTTP says 400."""
    with pytest.raises(kms.client.exceptions.DryRunOperationException) as excinfo:
        getattr(kms.client, METHODS[operation])(DryRun=True, **members(kms, operation, key))
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]


@each_operation
def test_a_dry_run_that_is_none_is_answered(kms: FakeKMS, key: Key, operation: str) -> None:
    """DryRun false is the same as none."""
    answer = getattr(kms.client, METHODS[operation])(DryRun=False, **members(kms, operation, key))
    assert key.arn == answer["KeyId"]


@each_operation
def test_a_dry_run_is_counted_in_the_quotas(kms: FakeKMS, key: Key, operation: str) -> None:
    """It costs as much as the call itself."""
    kms.clock.freeze()
    kms.quotas[operation] = 1
    client = kms.client_for(config=Config(retries={"total_max_attempts": 1}))
    request = members(kms, operation, key)
    assert WOULD_SUCCEED == error_of(client, METHODS[operation], DryRun=True, **request)
    assert "ThrottlingException" == error_of(client, METHODS[operation], DryRun=True, **request)["Code"]


@each_operation
def test_a_dry_run_is_recorded_and_is_no_use_of_the_key(kms: FakeKMS, key: Key, operation: str) -> None:
    """The trail shows what was asked, the key was not used."""
    dry(kms, operation, **members(kms, operation, key))
    event = kms.trail[-1]
    assert (operation, "DryRunOperationException", True) == (event.operation, event.error, event.dry_run)
    assert key.arn == event.key
    kms.assert_called(operation, key=key, times=1, error="DryRunOperationException")
    kms.assert_not_used(key)


# Failures keep their own code


@each_operation
def test_a_dry_run_of_a_key_that_is_disabled(kms: FakeKMS, key: Key, operation: str) -> None:
    """The state of the key is looked at."""
    request = members(kms, operation, key)
    key.state = "Disabled"
    assert unfit(key.arn, "Disabled") == dry(kms, operation, **request)


@each_operation
def test_a_dry_run_of_a_key_that_waits_for_deletion(kms: FakeKMS, key: Key, operation: str) -> None:
    """The state of the key is looked at."""
    request = members(kms, operation, key)
    key.state = "PendingDeletion"
    assert unfit(key.arn, "PendingDeletion") == dry(kms, operation, **request)


@each_operation
def test_a_dry_run_of_a_key_that_is_not_there(kms: FakeKMS, key: Key, operation: str) -> None:
    """The key is looked up."""
    request = members(kms, operation, key)
    request["DestinationKeyId" if operation == "ReEncrypt" else "KeyId"] = UNKNOWN
    assert {"Code": "NotFoundException", "Message": f"Key '{ARN}:key/{UNKNOWN}' does not exist"} == dry(
        kms, operation, **request
    )


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("Encrypt", "Encrypt"),
        ("Decrypt", "Decrypt"),
        ("GenerateDataKey", "GenerateDataKey"),
        ("GenerateDataKeyWithoutPlaintext", "GenerateDataKeyWithoutPlaintext"),
    ],
)
def test_a_dry_run_without_permission(kms: FakeKMS, operation: str, action: str) -> None:
    """Asking for the permission is what a dry run is for."""
    managed = kms.aws_managed_key("s3")
    assert not_allowed(action, managed.arn) == dry(kms, operation, **members(kms, operation, managed))


@pytest.mark.parametrize("operation", ["Decrypt", "ReEncrypt"])
@pytest.mark.parametrize("blob", [b"garbage", b"\x00" * 184])
def test_a_dry_run_of_garbage(kms: FakeKMS, key: Key, operation: str, blob: bytes) -> None:
    """The cryptography is done first."""
    request = members(kms, operation, key) | {"CiphertextBlob": blob}
    assert INVALID_CIPHERTEXT == dry(kms, operation, **request)


@pytest.mark.parametrize(
    ("operation", "context"),
    [("Decrypt", "EncryptionContext"), ("ReEncrypt", "SourceEncryptionContext")],
)
def test_a_dry_run_under_another_context(kms: FakeKMS, key: Key, operation: str, context: str) -> None:
    """The cryptography is done first."""
    request = members(kms, operation, key) | {context: {"order": "7"}}
    assert INVALID_CIPHERTEXT == dry(kms, operation, **request)


@pytest.mark.parametrize("operation", ["Decrypt", "ReEncrypt"])
def test_a_dry_run_of_an_altered_ciphertext(kms: FakeKMS, key: Key, operation: str) -> None:
    """The cryptography is done first."""
    request = members(kms, operation, key)
    request["CiphertextBlob"] = request["CiphertextBlob"][:-1] + bytes([request["CiphertextBlob"][-1] ^ 1])
    assert INVALID_CIPHERTEXT == dry(kms, operation, **request)


@pytest.mark.parametrize(("operation", "member"), [("Decrypt", "KeyId"), ("ReEncrypt", "SourceKeyId")])
def test_a_dry_run_with_another_key(kms: FakeKMS, key: Key, operation: str, member: str) -> None:
    """The ciphertext knows its key."""
    other = kms.create_key()
    assert INCORRECT_KEY == dry(kms, operation, **(members(kms, operation, key) | {member: other.id}))


@pytest.mark.parametrize(
    ("operation", "change", "error"),
    [
        (
            "Encrypt",
            {"Plaintext": b"x" * 4097},
            {
                "Code": "ValidationException",
                "Message": "1 validation error detected: Value at 'plaintext' failed to satisfy constraint:"
                " Member must have length less than or equal to 4096",
            },
        ),
        (
            "Encrypt",
            {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
            {
                "Code": "InvalidKeyUsageException",
                "Message": "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
            },
        ),
        (
            "GenerateDataKey",
            {"NumberOfBytes": 16},
            {
                "Code": "ValidationException",
                "Message": "Please specify either number of bytes or key spec.",
            },
        ),
        (
            "GenerateDataKeyWithoutPlaintext",
            {"NumberOfBytes": 1025},
            {
                "Code": "ValidationException",
                "Message": "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy"
                " constraint: Member must have value less than or equal to 1024",
            },
        ),
    ],
    ids=["too long", "algorithm", "two sizes", "too many bytes"],
)
def test_a_dry_run_of_members_that_aws_does_not_take(
    kms: FakeKMS, key: Key, operation: str, change: dict[str, Any], error: dict[str, str]
) -> None:
    """The members are looked at."""
    assert error == dry(kms, operation, **(members(kms, operation, key) | change))


def test_a_throttled_dry_run_is_throttled(kms: FakeKMS, key: Key) -> None:
    """Then botocore tries again, and learns that it would succeed."""
    kms.throttle("Encrypt")
    assert WOULD_SUCCEED == dry(kms, "Encrypt", **members(kms, "Encrypt", key))
    kms.assert_throttled("Encrypt", times=1)


# DryRunModifiers


@pytest.mark.parametrize("name", ["id", "arn", "alias"])
def test_decrypt_may_be_asked_about_without_a_ciphertext(kms: FakeKMS, key: Key, name: str) -> None:
    """Then the key is named, in any of its forms."""
    assert WOULD_SUCCEED == dry(kms, "Decrypt", KeyId=getattr(key, name), DryRunModifiers=IGNORE)


@pytest.mark.parametrize("name", ["id", "arn", "alias"])
def test_re_encrypt_may_be_asked_about_without_a_ciphertext(kms: FakeKMS, key: Key, name: str) -> None:
    """Then the source key is named, in any of its forms; the destination is always."""
    other = kms.create_key()
    assert WOULD_SUCCEED == dry(
        kms,
        "ReEncrypt",
        SourceKeyId=getattr(key, name),
        DestinationKeyId=other.id,
        DryRunModifiers=IGNORE,
    )
    assert (key.arn, other.arn) == kms.trail[-1].keys


@pytest.mark.parametrize(("operation", "member"), [("Decrypt", "KeyId"), ("ReEncrypt", "SourceKeyId")])
def test_a_ciphertext_that_is_to_be_ignored_is_not_looked_at(
    kms: FakeKMS, key: Key, operation: str, member: str
) -> None:
    """Garbage, and a ciphertext of another key, would not keep the call from succeeding."""
    for blob in (b"garbage", kms.encrypt(kms.create_key(), b"secret")):
        request = members(kms, operation, key) | {member: key.id, "CiphertextBlob": blob}
        assert WOULD_SUCCEED == dry(kms, operation, DryRunModifiers=IGNORE, **request)


@pytest.mark.parametrize(("operation", "member"), [("Decrypt", "KeyId"), ("ReEncrypt", "SourceKeyId")])
@pytest.mark.parametrize("blob", [{}, {"CiphertextBlob": b"garbage"}], ids=["none", "garbage"])
def test_where_the_ciphertext_is_ignored_the_key_is_required(
    kms: FakeKMS, key: Key, operation: str, member: str, blob: dict[str, bytes]
) -> None:
    """Nothing else says which key is meant."""
    destination = {"DestinationKeyId": key.id} if operation == "ReEncrypt" else {}
    assert {"Code": "ValidationException", "Message": f"{member} must not be null"} == dry(
        kms, operation, DryRunModifiers=IGNORE, **blob, **destination
    )


@pytest.mark.parametrize(("operation", "member"), [("Decrypt", "KeyId"), ("ReEncrypt", "SourceKeyId")])
def test_a_key_is_looked_at_where_the_ciphertext_is_ignored(
    kms: FakeKMS, key: Key, operation: str, member: str
) -> None:
    """Its existence, its state and the permission are what the dry run asks about."""
    destination = {"DestinationKeyId": kms.create_key().id} if operation == "ReEncrypt" else {}
    assert {"Code": "NotFoundException", "Message": f"Key '{ARN}:key/{UNKNOWN}' does not exist"} == dry(
        kms, operation, DryRunModifiers=IGNORE, **{member: UNKNOWN}, **destination
    )
    key.state = "Disabled"
    assert unfit(key.arn, "Disabled") == dry(kms, operation, DryRunModifiers=IGNORE, **{member: key.id}, **destination)
    action = "ReEncryptFrom" if operation == "ReEncrypt" else "Decrypt"
    managed = kms.aws_managed_key("s3")
    assert not_allowed(action, managed.arn) == dry(
        kms, operation, DryRunModifiers=IGNORE, **{member: "alias/aws/s3"}, **destination
    )


@pytest.mark.parametrize("operation", ["Decrypt", "ReEncrypt"])
@pytest.mark.parametrize("modifiers", [{}, {"DryRunModifiers": []}], ids=["none", "empty"])
def test_a_dry_run_without_modifiers_needs_a_ciphertext(
    kms: FakeKMS, key: Key, operation: str, modifiers: dict[str, list[str]]
) -> None:
    """KMS's model calls it optional, for the sake of the modifiers."""
    request = members(kms, operation, key)
    del request["CiphertextBlob"]
    assert {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint:"
        " Member must not be null",
    } == dry(kms, operation, **request, **modifiers)


@pytest.mark.parametrize(("operation", "member"), [("Decrypt", "KeyId"), ("ReEncrypt", "SourceKeyId")])
@pytest.mark.parametrize("dry_run", [{}, {"DryRun": False}], ids=["none", "false"])
def test_modifiers_are_for_dry_runs_alone(
    kms: FakeKMS, key: Key, operation: str, member: str, dry_run: dict[str, bool]
) -> None:
    """Without DryRun they are refused; AWS's own words for that were never seen."""
    request = members(kms, operation, key) | {member: key.id, "DryRunModifiers": IGNORE}
    assert {
        "Code": "ValidationException",
        "Message": "DryRunModifiers can only be specified when DryRun is true.",
    } == error_of(kms.client, METHODS[operation], **request, **dry_run)


@pytest.mark.parametrize("operation", ["Decrypt", "ReEncrypt"])
def test_a_modifier_that_nobody_knows(kms: FakeKMS, key: Key, operation: str) -> None:
    """The message lists the one that there is."""
    assert {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value 'IGNORE_KEY' at 'dryRunModifiers.1.member' failed to"
        " satisfy constraint: Member must satisfy enum value set: [IGNORE_CIPHERTEXT]",
    } == dry(kms, operation, DryRunModifiers=["IGNORE_KEY"], **members(kms, operation, key))
