"""Constraints of KMS's model, in the words of KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"

Members = dict[str, Any]


@pytest.fixture
def client(kms: FakeKMS) -> KMSClient:
    """Return a client that leaves all validation to the service."""
    return kms.client_for(config=Config(parameter_validation=False))


def call(client: KMSClient, operation: str, members: Members) -> Members:
    """Call an operation by AWS's name of it."""
    answer: Members = getattr(client, xform_name(operation))(**members)
    return answer


def refusal(client: KMSClient, operation: str, members: Members) -> Members:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        call(client, operation, members)
    return dict(excinfo.value.response["Error"])


def invalid(*violations: str) -> Members:
    """Return the error of some violations, each in the form `Value … at … : constraint`."""
    plural = "s" if len(violations) > 1 else ""
    told = "; ".join(violation.replace(": ", " failed to satisfy constraint: ", 1) for violation in violations)
    return {
        "Code": "ValidationException",
        "Message": f"{len(violations)} validation error{plural} detected: {told}",
    }


NOT_NULL = "Member must not be null"
AT_LEAST = "Member must have length greater than or equal to"
AT_MOST = "Member must have length less than or equal to"
NOT_UNDER = "Member must have value greater than or equal to"
NOT_OVER = "Member must have value less than or equal to"
ASCII = r"Member must satisfy regular expression pattern: ^\p{ASCII}+$"
NAME = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
LATIN = r"Member must satisfy regular expression pattern: [\u0020-\u00FF]*"

SINGLE = {
    "key id missing": ("DescribeKey", {}, f"Value null at 'keyId': {NOT_NULL}"),
    "key id too long": (
        "DescribeKey",
        {"KeyId": "k" * 2049},
        f"Value '{'k' * 2049}' at 'keyId': {AT_MOST} 2048",
    ),
    "key id not ASCII": ("DescribeKey", {"KeyId": "schlüssel"}, f"Value 'schlüssel' at 'keyId': {ASCII}"),
    "source key id not ASCII": (
        "ReEncrypt",
        {"CiphertextBlob": b"x", "DestinationKeyId": KEY_ID, "SourceKeyId": "é"},
        f"Value 'é' at 'sourceKeyId': {ASCII}",
    ),
    "destination key id missing": (
        "ReEncrypt",
        {"CiphertextBlob": b"x"},
        f"Value null at 'destinationKeyId': {NOT_NULL}",
    ),
    "plaintext missing": ("Encrypt", {"KeyId": KEY_ID}, f"Value at 'plaintext': {NOT_NULL}"),
    "plaintext empty": ("Encrypt", {"KeyId": KEY_ID, "Plaintext": b""}, f"Value at 'plaintext': {AT_LEAST} 1"),
    "plaintext too long": (
        "Encrypt",
        {"KeyId": KEY_ID, "Plaintext": bytes(4097)},
        f"Value at 'plaintext': {AT_MOST} 4096",
    ),
    "ciphertext missing": ("Decrypt", {}, f"Value null at 'ciphertextBlob': {NOT_NULL}"),
    "ciphertext empty": ("Decrypt", {"CiphertextBlob": b""}, f"Value at 'ciphertextBlob': {AT_LEAST} 1"),
    "ciphertext too long": (
        "Decrypt",
        {"CiphertextBlob": bytes(6145)},
        f"Value at 'ciphertextBlob': {AT_MOST} 6144",
    ),
    "re-encrypted ciphertext too long": (
        "ReEncrypt",
        {"CiphertextBlob": bytes(6145), "DestinationKeyId": KEY_ID},
        f"Value at 'ciphertextBlob': {AT_MOST} 6144",
    ),
    "no random bytes": ("GenerateRandom", {"NumberOfBytes": 0}, f"Value '0' at 'numberOfBytes': {NOT_UNDER} 1"),
    "too many random bytes": (
        "GenerateRandom",
        {"NumberOfBytes": 1025},
        f"Value '1025' at 'numberOfBytes': {NOT_OVER} 1024",
    ),
    "negative random bytes": (
        "GenerateRandom",
        {"NumberOfBytes": -1},
        f"Value '-1' at 'numberOfBytes': {NOT_UNDER} 1",
    ),
    "data key of no bytes": (
        "GenerateDataKey",
        {"KeyId": KEY_ID, "NumberOfBytes": 0},
        f"Value '0' at 'numberOfBytes': {NOT_UNDER} 1",
    ),
    "data key too long": (
        "GenerateDataKeyWithoutPlaintext",
        {"KeyId": KEY_ID, "NumberOfBytes": 1025},
        f"Value '1025' at 'numberOfBytes': {NOT_OVER} 1024",
    ),
    "description missing": ("UpdateKeyDescription", {"KeyId": KEY_ID}, f"Value null at 'description': {NOT_NULL}"),
    "description too long": (
        "CreateKey",
        {"Description": "d" * 8193},
        f"Value '{'d' * 8193}' at 'description': {AT_MOST} 8192",
    ),
    "alias name missing": ("CreateAlias", {"TargetKeyId": KEY_ID}, f"Value null at 'aliasName': {NOT_NULL}"),
    "alias name too long": (
        "CreateAlias",
        {"AliasName": f"alias/{'a' * 251}", "TargetKeyId": KEY_ID},
        f"Value 'alias/{'a' * 251}' at 'aliasName': {AT_MOST} 256",
    ),
    "alias name with a space": (
        "UpdateAlias",
        {"AliasName": "alias/my key", "TargetKeyId": KEY_ID},
        f"Value 'alias/my key' at 'aliasName': {NAME}",
    ),
    "alias name with a letter beyond ASCII": (
        "DeleteAlias",
        {"AliasName": "alias/größe"},
        f"Value 'alias/größe' at 'aliasName': {NAME}",
    ),
    "alias name with a line break at its end": (
        "DeleteAlias",
        {"AliasName": "alias/orders\n"},
        f"Value 'alias/orders\n' at 'aliasName': {NAME}",
    ),
    "target key missing": ("CreateAlias", {"AliasName": "alias/a"}, f"Value null at 'targetKeyId': {NOT_NULL}"),
    "limit too low": ("ListKeys", {"Limit": 0}, f"Value '0' at 'limit': {NOT_UNDER} 1"),
    "limit too high": ("ListKeys", {"Limit": 1001}, f"Value '1001' at 'limit': {NOT_OVER} 1000"),
    "limit of aliases too low": ("ListAliases", {"Limit": 0}, f"Value '0' at 'limit': {NOT_UNDER} 1"),
    "limit of aliases beyond the model": (
        "ListAliases",
        {"Limit": 1001},
        f"Value '1001' at 'limit': {NOT_OVER} 1000",
    ),
    "marker empty": ("ListKeys", {"Marker": ""}, f"Value '' at 'marker': {AT_LEAST} 1"),
    "marker too long": (
        "ListAliases",
        {"Marker": "m" * 1025},
        f"Value '{'m' * 1025}' at 'marker': {AT_MOST} 1024",
    ),
    "marker beyond Latin-1": ("ListKeys", {"Marker": "→"}, f"Value '→' at 'marker': {LATIN}"),
    "no waiting period": (
        "ScheduleKeyDeletion",
        {"KeyId": KEY_ID, "PendingWindowInDays": 0},
        f"Value '0' at 'pendingWindowInDays': {NOT_UNDER} 1",
    ),
    "waiting period of more than a year": (
        "ScheduleKeyDeletion",
        {"KeyId": KEY_ID, "PendingWindowInDays": 366},
        f"Value '366' at 'pendingWindowInDays': {NOT_OVER} 365",
    ),
    "tag without a value": (
        "CreateKey",
        {"Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "b"}]},
        f"Value null at 'tags.2.member.tagValue': {NOT_NULL}",
    ),
    "tag name empty": (
        "CreateKey",
        {"Tags": [{"TagKey": "", "TagValue": "x"}]},
        f"Value '' at 'tags.1.member.tagKey': {AT_LEAST} 1",
    ),
    "tag name too long": (
        "CreateKey",
        {"Tags": [{"TagKey": "k" * 129, "TagValue": "x"}]},
        f"Value '{'k' * 129}' at 'tags.1.member.tagKey': {AT_MOST} 128",
    ),
    "tag value too long": (
        "CreateKey",
        {"Tags": [{"TagKey": "a", "TagValue": "v" * 257}]},
        f"Value '{'v' * 257}' at 'tags.1.member.tagValue': {AT_MOST} 256",
    ),
}


@pytest.mark.parametrize(("operation", "members", "violation"), SINGLE.values(), ids=SINGLE)
def test_a_violated_constraint_is_told(client: KMSClient, operation: str, members: Members, violation: str) -> None:
    """One violation is one sentence; blobs and sensitive values are not shown, other values are."""
    assert invalid(violation) == refusal(client, operation, members)


SEVERAL = {
    "a key id with a hidden pattern": (
        "DescribeKey",
        {"KeyId": ""},
        (f"Value '' at 'keyId': {AT_LEAST} 1", f"Value '' at 'keyId': {ASCII}"),
    ),
    "nothing given": ("Encrypt", {}, (f"Value null at 'keyId': {NOT_NULL}", f"Value at 'plaintext': {NOT_NULL}")),
    "in the order of the model": (
        "Encrypt",
        {"Plaintext": bytes(4097), "KeyId": ""},
        (
            f"Value '' at 'keyId': {AT_LEAST} 1",
            f"Value '' at 'keyId': {ASCII}",
            f"Value at 'plaintext': {AT_MOST} 4096",
        ),
    ),
    "an empty alias name": (
        "CreateAlias",
        {"AliasName": "", "TargetKeyId": KEY_ID},
        (f"Value '' at 'aliasName': {AT_LEAST} 1", f"Value '' at 'aliasName': {NAME}"),
    ),
    "several tags": (
        "CreateKey",
        {"Tags": [{"TagKey": ""}, {"TagValue": "x"}]},
        (
            f"Value '' at 'tags.1.member.tagKey': {AT_LEAST} 1",
            f"Value null at 'tags.1.member.tagValue': {NOT_NULL}",
            f"Value null at 'tags.2.member.tagKey': {NOT_NULL}",
        ),
    ),
}


@pytest.mark.parametrize(("operation", "members", "violations"), SEVERAL.values(), ids=SEVERAL)
def test_all_violations_stand_in_one_message(
    client: KMSClient, operation: str, members: Members, violations: tuple[str, ...]
) -> None:
    """Several violations are counted and told in one message, in the order of the model."""
    assert invalid(*violations) == refusal(client, operation, members)


ENCRYPTION_ALGORITHMS = {"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"}
ENUMS = {
    "Encrypt": (
        {"KeyId": KEY_ID, "Plaintext": b"x", "EncryptionAlgorithm": "ROT13"},
        "Value 'ROT13' at 'encryptionAlgorithm'",
        ENCRYPTION_ALGORITHMS,
    ),
    "Decrypt": (
        {"CiphertextBlob": b"x", "EncryptionAlgorithm": ""},
        "Value '' at 'encryptionAlgorithm'",
        ENCRYPTION_ALGORITHMS,
    ),
    "ReEncrypt": (
        {
            "CiphertextBlob": b"x",
            "DestinationKeyId": KEY_ID,
            "DestinationEncryptionAlgorithm": "symmetric_default",
        },
        "Value 'symmetric_default' at 'destinationEncryptionAlgorithm'",
        ENCRYPTION_ALGORITHMS,
    ),
    "CreateKey": (
        {"KeyUsage": "EAT"},
        "Value 'EAT' at 'keyUsage'",
        {"SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"},
    ),
}


@pytest.mark.parametrize(
    ("operation", "members", "value", "names"), [(name, *case) for name, case in ENUMS.items()], ids=ENUMS
)
def test_a_value_outside_of_an_enum_is_told_with_the_names_there_are(
    client: KMSClient, operation: str, members: Members, value: str, names: set[str]
) -> None:
    """The message lists the names of the enum; their order is the server's own and says nothing."""
    error = refusal(client, operation, members)
    head, _, listed = error["Message"].partition("[")

    assert "ValidationException" == error["Code"]
    assert (
        f"1 validation error detected: {value} failed to satisfy constraint: Member must satisfy enum value set: "
        == head
    )
    assert names == set(listed.removesuffix("]").split(", "))


def test_an_unknown_key_spec_is_told_with_the_specs_there_are(client: KMSClient) -> None:
    """The text that was recorded for CreateKey, with today's names."""
    message = refusal(client, "CreateKey", {"KeySpec": "HMAC_random"})["Message"]

    assert message.startswith(
        "1 validation error detected: Value 'HMAC_random' at 'keySpec' failed to satisfy constraint:"
        " Member must satisfy enum value set: ["
    )
    assert {"SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_256", "ECC_NIST_P256", "ML_DSA_44"} <= set(
        message.partition("[")[2].removesuffix("]").split(", ")
    )


def test_a_list_member_outside_of_an_enum_is_told_by_its_number(client: KMSClient) -> None:
    """Members of lists are counted from 1."""
    members = {"CiphertextBlob": b"x", "DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT", "HURRY"]}

    assert invalid(
        "Value 'HURRY' at 'dryRunModifiers.2.member': Member must satisfy enum value set: [IGNORE_CIPHERTEXT]"
    ) == refusal(client, "Decrypt", members)


@pytest.mark.parametrize("days", [1, 6, 31, 365])
def test_a_waiting_period_is_7_to_30_days(kms: FakeKMS, client: KMSClient, days: int) -> None:
    """The model allows a year, the service does not: the code is certain, AWS's text is not known."""
    key = kms.create_key()
    error = refusal(client, "ScheduleKeyDeletion", {"KeyId": key.id, "PendingWindowInDays": days})

    assert "ValidationException" == error["Code"]
    assert "Enabled" == key.state


def test_a_page_of_aliases_is_100_at_the_most(client: KMSClient) -> None:
    """The documentation is narrower than the model; AWS's text is not known."""
    assert "ValidationException" == refusal(client, "ListAliases", {"Limit": 101})["Code"]


AT_THE_BOUNDS: dict[str, tuple[str, Members]] = {
    "longest plaintext": ("Encrypt", {"KeyId": KEY_ID, "Plaintext": bytes(4096)}),
    "shortest plaintext": ("Encrypt", {"KeyId": KEY_ID, "Plaintext": b"x"}),
    "one random byte": ("GenerateRandom", {"NumberOfBytes": 1}),
    "most random bytes": ("GenerateRandom", {"NumberOfBytes": 1024}),
    "longest data key": ("GenerateDataKey", {"KeyId": KEY_ID, "NumberOfBytes": 1024}),
    "shortest waiting period": ("ScheduleKeyDeletion", {"KeyId": KEY_ID, "PendingWindowInDays": 7}),
    "longest waiting period": ("ScheduleKeyDeletion", {"KeyId": KEY_ID, "PendingWindowInDays": 30}),
    "smallest page of keys": ("ListKeys", {"Limit": 1}),
    "largest page of keys": ("ListKeys", {"Limit": 1000}),
    "smallest page of aliases": ("ListAliases", {"Limit": 1}),
    "largest page of aliases": ("ListAliases", {"Limit": 100}),
    "empty description": ("UpdateKeyDescription", {"KeyId": KEY_ID, "Description": ""}),
    "longest description": ("CreateKey", {"Description": "d" * 8192}),
    "longest alias name": ("CreateAlias", {"AliasName": f"alias/{'a' * 250}", "TargetKeyId": KEY_ID}),
    "longest tag": ("CreateKey", {"Tags": [{"TagKey": "k" * 128, "TagValue": "v" * 256}]}),
    "shortest tag": ("CreateKey", {"Tags": [{"TagKey": "k", "TagValue": ""}]}),
    "no tags": ("CreateKey", {"Tags": []}),
    "empty context": ("Encrypt", {"KeyId": KEY_ID, "Plaintext": b"x", "EncryptionContext": {}}),
}


@pytest.mark.parametrize(("operation", "members"), AT_THE_BOUNDS.values(), ids=AT_THE_BOUNDS)
def test_values_at_the_bounds_are_accepted(kms: FakeKMS, client: KMSClient, operation: str, members: Members) -> None:
    """The least and the greatest value that a constraint allows are allowed."""
    kms.create_key(key_id=KEY_ID)

    assert 200 == call(client, operation, members)["ResponseMetadata"]["HTTPStatusCode"]


def test_the_longest_key_id_is_looked_up(client: KMSClient) -> None:
    """A key id of 2,048 characters meets the constraints, and is found to be none."""
    assert {"Code": "NotFoundException", "Message": f"Invalid keyId '{'k' * 2048}'"} == refusal(
        client, "DescribeKey", {"KeyId": "k" * 2048}
    )


def test_constraints_come_before_the_key_is_looked_up(client: KMSClient) -> None:
    """An unknown key with a bad member is told of the member."""
    members = {"KeyId": "alias/nowhere", "Plaintext": b""}

    assert invalid(f"Value at 'plaintext': {AT_LEAST} 1") == refusal(client, "Encrypt", members)


def test_constraints_come_before_rules_between_members(kms: FakeKMS, client: KMSClient) -> None:
    """A data key of two sizes, one of them impossible, is told of the impossible one."""
    key = kms.create_key()
    members = {"KeyId": key.id, "KeySpec": "AES_256", "NumberOfBytes": 0}

    assert invalid(f"Value '0' at 'numberOfBytes': {NOT_UNDER} 1") == refusal(client, "GenerateDataKey", members)


def test_what_botocore_lets_through_by_itself_reaches_the_service(kms: FakeKMS) -> None:
    """An unchanged client checks no maximum and no enum: these refusals are the service's."""
    key = kms.create_key()
    members = {"KeyId": key.id, "Plaintext": bytes(4097)}

    assert invalid(f"Value at 'plaintext': {AT_MOST} 4096") == refusal(kms.client, "Encrypt", members)


def test_a_violation_is_recorded_and_changes_nothing(kms: FakeKMS, client: KMSClient) -> None:
    """A refused CreateKey is in the trail with its error and has made no key."""
    refusal(client, "CreateKey", {"Description": "d" * 8193})

    assert "ValidationException" == kms.trail.last.error
    assert [] == kms.client.list_keys()["Keys"]
