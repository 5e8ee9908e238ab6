"""What goes over the wire: JSON 1.1, in and out."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import NotSupported, fake_kms
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSResponse
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def sending(kms: FakeKMS, body: str | bytes) -> KMSClient:
    """Return a client that sends a body of our own, whatever it is asked."""
    client = kms.client_for(config=Config(parameter_validation=False))

    def replace(params: dict[str, Any], **_: object) -> None:
        params["body"] = body if isinstance(body, bytes) else body.encode()

    client.meta.events.register("before-call.kms", replace)
    return client


def answers(client: KMSClient) -> list[AWSResponse]:
    """Return a list to which each answer that a client gets is added, as it came over the wire."""
    seen: list[AWSResponse] = []

    def keep(http_response: AWSResponse, **_: object) -> None:
        seen.append(http_response)

    client.meta.events.register("after-call.kms", keep)
    return seen


def refused(call: Callable[[], object]) -> None:
    """Expect a call to be refused as one that KMS cannot read."""
    with pytest.raises(ClientError) as excinfo:
        call()
    assert {"Code": "SerializationException", "Message": ""} == excinfo.value.response["Error"]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "the request's body is not JSON"),
        ("KeyId=alias/orders", "the request's body is not JSON"),
        ("{'KeyId': 'alias/orders'}", "the request's body is not JSON"),
        ('{"KeyId": "alias/orders",}', "the request's body is not JSON"),
        (" ", "the request's body is not JSON"),
        (b"\xff\xfe", "the request's body is not JSON"),
        ('{"KeyId": "\xe9"}'.encode("latin-1"), "the request's body is not JSON"),
        ("{} {}", "the request's body goes on after its JSON"),
        ("{}]", "the request's body goes on after its JSON"),
        ("[]", "a member that must be a structure is a list"),
        ('"KeyId"', "a member that must be a structure is a str"),
        ("null", "a member that must be a structure is a NoneType"),
        ("1", "a member that must be a structure is a int"),
        ("true", "a member that must be a structure is a bool"),
    ],
    ids=ascii,
)
def test_a_body_that_is_no_json_object_is_refused(kms: FakeKMS, body: str | bytes, why: str) -> None:
    """The code is SerializationException; why stands in the trail."""
    refused(lambda: sending(kms, body).describe_key(KeyId="x"))

    assert why == kms.trail.last.why


MISMATCHES: list[tuple[str, object, str]] = [
    ("KeyId", 7, "a member that must be a string is a int"),
    ("KeyId", True, "a member that must be a string is a bool"),
    ("KeyId", ["alias/orders"], "a member that must be a string is a list"),
    ("KeyId", {}, "a member that must be a string is a dict"),
    ("Plaintext", 7, "a member that must be a blob is a int"),
    ("Plaintext", {"Bytes": "eA=="}, "a member that must be a blob is a dict"),
    ("EncryptionContext", "a=b", "a member that must be a map is a str"),
    ("EncryptionContext", [["a", "b"]], "a member that must be a map is a list"),
    ("EncryptionContext", {"a": 7}, "a member that must be a string is a int"),
    ("EncryptionContext", {"a": {"b": "c"}}, "a member that must be a string is a dict"),
    ("GrantTokens", "token", "a member that must be a list is a str"),
    ("GrantTokens", ["token", 7], "a member that must be a string is a int"),
    ("DryRun", "true", "a member that must be a boolean is a str"),
    ("DryRun", 1, "a member that must be a boolean is a int"),
]


@pytest.mark.parametrize(("member", "value", "why"), MISMATCHES)
def test_a_member_of_another_type_is_refused(kms: FakeKMS, member: str, value: object, why: str) -> None:
    """Types are those of the model, to the letter."""
    body = {"KeyId": "alias/orders", "Plaintext": "eA==", member: value}

    refused(lambda: sending(kms, json.dumps(body)).encrypt(KeyId="x", Plaintext=b"x"))

    assert why == kms.trail.last.why


@pytest.mark.parametrize(
    ("value", "kind"), [('"16"', "str"), ("true", "bool"), ("[16]", "list"), ("1e1", "float"), ("NaN", "float")]
)
def test_a_number_is_a_number(kms: FakeKMS, value: str, kind: str) -> None:
    """A text, a truth value or a fraction is no integer."""
    refused(lambda: sending(kms, f'{{"NumberOfBytes": {value}}}').generate_random(NumberOfBytes=1))

    assert f"a member that must be a integer is a {kind}" == kms.trail.last.why


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (["a"], "a member that must be a structure is a str"),
        ([{"TagKey": "a", "TagValue": 7}], "a member that must be a string is a int"),
        ([{"TagKey": ["a"], "TagValue": "b"}], "a member that must be a string is a list"),
        ({"TagKey": "a"}, "a member that must be a list is a dict"),
    ],
)
def test_structures_within_lists_are_read_as_closely(kms: FakeKMS, tags: object, why: str) -> None:
    """The members of each tag have types too."""
    refused(lambda: sending(kms, json.dumps({"Tags": tags})).create_key())

    assert why == kms.trail.last.why
    assert [] == kms.client.list_keys()["Keys"]


@pytest.mark.parametrize("text", ["x", "eA", "eA=", "e A==", "eA==eA==", "e-_=", "ä===", "eA==\n"], ids=ascii)
def test_a_blob_that_is_not_base64_is_refused(kms: FakeKMS, text: str) -> None:
    """Nothing is guessed or left out."""
    body = json.dumps({"KeyId": "alias/orders", "Plaintext": text})

    refused(lambda: sending(kms, body).encrypt(KeyId="x", Plaintext=b"x"))

    assert "a blob is not valid base64" == kms.trail.last.why


def test_a_blob_within_a_structure_is_read_too() -> None:
    """Bad base64 in the attestation document of a recipient is bad base64."""
    body = json.dumps({"NumberOfBytes": 1, "Recipient": {"AttestationDocument": "?"}})
    with fake_kms() as kms:
        refused(lambda: sending(kms, body).generate_random(NumberOfBytes=1))


def test_a_refused_body_is_recorded_without_parameters(kms: FakeKMS) -> None:
    """The trail has the call and its error, and nothing of what could not be read."""
    refused(lambda: sending(kms, "{").encrypt(KeyId="x", Plaintext=b"x"))

    event = kms.trail.last
    assert (event.operation, event.error, dict(event.parameters)) == ("Encrypt", "SerializationException", {})


@pytest.mark.parametrize("member", ["EncryptionContext", "EncryptionAlgorithm", "DryRun", "GrantTokens"])
def test_a_member_that_is_null_is_absent(kms: FakeKMS, member: str) -> None:
    """Null is how JSON says that a member is not there; it is not recorded either."""
    kms.create_key(key_id=KEY_ID)
    body = json.dumps({"KeyId": KEY_ID, "Plaintext": "eA==", member: None})

    answer = sending(kms, body).encrypt(KeyId="x", Plaintext=b"x")

    assert "SYMMETRIC_DEFAULT" == answer["EncryptionAlgorithm"]
    assert {"KeyId": KEY_ID} == dict(kms.trail.last.parameters)


def test_a_required_member_that_is_null_is_missing(kms: FakeKMS) -> None:
    """It is told as one that is not there."""
    with pytest.raises(ClientError) as excinfo:
        sending(kms, '{"KeyId": null}').describe_key(KeyId="x")

    assert {
        "Code": "ValidationException",
        "Message": (
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"
        ),
    } == excinfo.value.response["Error"]


def test_a_member_within_a_list_that_is_null_is_missing(kms: FakeKMS) -> None:
    """Within structures null says the same."""
    with pytest.raises(ClientError) as excinfo:
        sending(kms, '{"Tags": [{"TagKey": "a", "TagValue": null}]}').create_key()

    assert (
        "1 validation error detected: Value null at 'tags.1.member.tagValue' failed to satisfy constraint:"
        " Member must not be null"
    ) == excinfo.value.response["Error"]["Message"]


def test_an_empty_body_is_an_empty_object(kms: FakeKMS) -> None:
    """A request without a body has no members."""
    assert [] == sending(kms, b"").list_keys()["Keys"]


@pytest.mark.parametrize("body", [' {"Limit": 1}', '{"Limit": 1}\n', '\r\n\t{ "Limit" : 1 } '], ids=ascii)
def test_white_space_around_json_is_json(kms: FakeKMS, body: str) -> None:
    """It may stand before and behind the object."""
    assert [] == sending(kms, body).list_keys()["Keys"]
    assert {"Limit": 1} == dict(kms.trail.last.parameters)


@pytest.mark.parametrize("text", ["clé 🔑", r"cl\u00e9 \ud83d\udd11"], ids=["UTF-8", "escaped"])
def test_text_beyond_ascii_comes_through(kms: FakeKMS, text: str) -> None:
    """In UTF-8 and in escapes alike."""
    kms.create_key(key_id=KEY_ID)

    body = f'{{"KeyId": "{KEY_ID}", "Description": "{text}"}}'
    sending(kms, body).update_key_description(KeyId="x", Description="x")

    assert "clé 🔑" == kms.client.describe_key(KeyId=KEY_ID)["KeyMetadata"].get("Description")


def test_a_timestamp_is_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds since the epoch become an aware datetime, which the trail shows of what a version lacks, too."""
    monkeypatch.delitem(OPERATIONS, "ImportKeyMaterial", raising=False)
    moment = dt.datetime(2026, 9, 12, 11, 12, 13, 500_000, dt.timezone.utc)
    with fake_kms(unsupported="ignore") as kms:
        client = sending(kms, json.dumps({"KeyId": KEY_ID, "ValidTo": moment.timestamp()}))
        with pytest.raises(NotSupported):
            client.import_key_material(KeyId=KEY_ID, ImportToken=b"x", EncryptedKeyMaterial=b"x")

        assert moment == kms.trail.last.parameters["ValidTo"]


def test_a_timestamp_that_is_no_number_is_refused() -> None:
    """JSON 1.1 carries timestamps as numbers."""
    with fake_kms() as kms:
        client = sending(kms, json.dumps({"KeyId": KEY_ID, "ValidTo": "2026-09-12"}))
        refused(lambda: client.import_key_material(KeyId=KEY_ID, ImportToken=b"x", EncryptedKeyMaterial=b"x"))

        assert "a member that must be a timestamp is a str" == kms.trail.last.why


def test_an_answer_has_the_headers_of_kms(kms: FakeKMS) -> None:
    """Content type, length, date and request id, as the real service sends them."""
    client = kms.client_for(config=Config())
    seen = answers(client)

    metadata = client.list_keys()["ResponseMetadata"]

    assert {"x-amzn-requestid", "date", "content-type", "content-length"} == {
        name.lower() for name in metadata["HTTPHeaders"]
    }
    assert "application/x-amz-json-1.1" == metadata["HTTPHeaders"]["content-type"]
    assert metadata["HTTPHeaders"]["content-length"] == str(len(seen[0].content))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["RequestId"])
    assert kms.trail.last.request_id == metadata["RequestId"]


def test_a_timestamp_is_written_as_a_number_of_seconds(kms: FakeKMS) -> None:
    """A number with at most three decimals; botocore makes an aware datetime of it."""
    client = kms.client_for(config=Config())
    seen = answers(client)

    created = client.create_key()["KeyMetadata"].get("CreationDate")

    written = json.loads(seen[0].content)["KeyMetadata"]["CreationDate"]
    assert isinstance(written, float | int)
    assert written == round(written, 3)
    assert created is not None
    assert created.tzinfo is not None
    assert abs(created - kms.clock.now) < dt.timedelta(milliseconds=1)


def test_a_blob_is_written_as_base64(kms: FakeKMS) -> None:
    """Standard base64, with padding."""
    client = kms.client_for(config=Config())
    seen = answers(client)

    plaintext = client.generate_random(NumberOfBytes=100)["Plaintext"]

    assert {"Plaintext": base64.b64encode(plaintext).decode()} == json.loads(seen[0].content)


def test_absent_members_are_left_out(kms: FakeKMS) -> None:
    """No answer holds null, and an operation without an answer gives an empty object or nothing."""
    client = kms.client_for(config=Config())
    seen = answers(client)
    key = kms.create_key()

    client.describe_key(KeyId=key.id)
    client.list_keys()
    client.disable_key(KeyId=key.id)

    assert b"null" not in seen[0].content
    assert "NextMarker" not in json.loads(seen[1].content)
    assert seen[2].content in (b"{}", b"")


def test_an_error_is_written_as_kms_writes_it(kms: FakeKMS) -> None:
    """`__type` and a lower-case `message`."""
    client = kms.client_for(config=Config())
    seen = answers(client)

    with pytest.raises(ClientError):
        client.describe_key(KeyId="alias/nowhere")

    assert 400 == seen[0].status_code
    assert {
        "__type": "NotFoundException",
        "message": "Alias arn:aws:kms:us-east-1:123456789012:alias/nowhere is not found.",
    } == json.loads(seen[0].content)


def test_an_error_without_a_message_has_no_message_member(kms: FakeKMS) -> None:
    """Many errors of KMS are a code alone."""
    client = kms.client_for(config=Config())
    seen = answers(client)

    with pytest.raises(ClientError):
        client.decrypt(CiphertextBlob=b"garbage")

    assert {"__type": "InvalidCiphertextException"} == json.loads(seen[0].content)
