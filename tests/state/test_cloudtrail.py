"""The records that CloudTrail would write: field by field, and what is never in them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore
import pytest
from answers import TESTER
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from key_stores import CLUSTER, CREDENTIAL, ENDPOINT, OF_CLUSTER, OF_PROXY, PASSWORD, PATH, SECRET
from optional import needs_enclave
from policies import allow, by, policy

from pytest_kms import FakeKMS, Key, NotSupported
from pytest_kms.operation import OPERATIONS
from pytest_kms.service import secret_members
from pytest_kms.state.cloudtrail import facts

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-west-2", account="111122223333")

Record = dict[str, Any]

ACCOUNT, STRANGER = "111122223333", "444455556666"
ID, OTHER_ID = "1234abcd-12ab-34cd-56ef-1234567890ab", "0987dcba-09fe-87dc-65ba-ab0987654321"
MRK = f"mrk-{32 * 'a'}"
ARN, OTHER_ARN = (f"arn:aws:kms:us-west-2:{ACCOUNT}:key/{key_id}" for key_id in (ID, OTHER_ID))
MRK_ARN = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/{MRK}"
USER = f"arn:aws:iam::{ACCOUNT}:user/tester"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
PLAINTEXT = b"correct horse battery staple 123"
CONTEXT = {"Department": "Engineering", "project": "Alpha"}
NOW = dt.datetime(2036, 9, 12, 6, 21, 24, tzinfo=dt.timezone.utc)
BROWSER = Config(user_agent="orders/1.0", retries={"total_max_attempts": 1})
UUIDS = {"eventID", "requestID", "sharedEventID"}


@pytest.fixture(autouse=True)
def _stand_still(kms: FakeKMS) -> None:
    """Let it be one moment, unless a test lets time pass."""
    kms.clock.freeze()
    kms.clock.at(NOW)


@pytest.fixture
def client(kms: FakeKMS) -> KMSClient:
    """Call as the default principal, with a name that does not depend on the machine."""
    return kms.client_for(config=BROWSER)


def resource(arn: str) -> Record:
    """Write what a record tells about a key."""
    return {"accountId": arn.split(":")[4], "type": "AWS::KMS::Key", "ARN": arn}


def last(kms: FakeKMS, name: str | None = None) -> Record:
    """Return the last record, or the last of an event of a name."""
    return [record for record in kms.trail.to_cloudtrail() if name in (None, record["eventName"])][-1]


def without_ids(record: Record) -> Record:
    """Leave out what is another UUID in each test, and the version that botocore adds to the name of a client."""
    for name in UUIDS & record.keys():
        assert 4 == uuid.UUID(record[name]).version or name == "requestID"
    return {
        name: value.removesuffix(f" Botocore/{botocore.__version__}") if name == "userAgent" else value
        for name, value in record.items()
        if name not in UUIDS
    }


def ends_with(code: str, call: Callable[..., Any], **members: Any) -> None:
    """Call what fails."""
    with pytest.raises((ClientError, BotoCoreError), match=code):
        call(**members)


# whole records, as AWS writes them

TESTER_IDENTITY = {
    "type": "IAMUser",
    "principalId": "AIDAPYTESTKMSTESTER00",
    "arn": USER,
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "userName": "tester",
}
TLS = {
    "tlsVersion": "TLSv1.3",
    "cipherSuite": "TLS_AES_256_GCM_SHA384",
    "clientProvidedHostHeader": "kms.us-west-2.amazonaws.com",
}


def expect(expected: Record, record: Record) -> None:
    """See that a record is as expected, its fields in this order, but for what is another UUID in each test."""
    told = without_ids(record)

    assert expected == told
    assert list(expected) == list(told)


def test_a_record_of_encrypt(kms: FakeKMS, client: KMSClient) -> None:
    """A call that succeeds."""
    key = kms.create_key("orders", key_id=ID)
    client.encrypt(KeyId="alias/orders", Plaintext=PLAINTEXT, EncryptionContext=CONTEXT)

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": TESTER_IDENTITY,
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Encrypt",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "orders/1.0",
            "requestParameters": {
                "keyId": "alias/orders",
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "encryptionContext": {"Department": "Engineering", "project": "Alpha"},
            },
            "responseElements": None,
            "additionalEventData": {"keyMaterialId": key.backing.materials[0].id.hex()},
            "readOnly": True,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        last(kms),
    )
    assert kms.trail.last.request_id == last(kms)["requestID"]
    assert kms.trail.last.event_id == last(kms)["eventID"]


def test_a_record_of_decrypt_that_was_denied(kms: FakeKMS) -> None:
    """The code loses its ending, AWS's sentence is told in full."""
    kms.create_key(key_id=ID)
    app = kms.principal("role/app", session="worker", context={"aws:SourceIp": "203.0.113.7"})
    ends_with(
        "AccessDenied", kms.client_for(app, config=BROWSER).decrypt, KeyId=ARN, CiphertextBlob=kms.encrypt(ID, b"x")
    )

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": app.user_id,
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/worker",
                "accountId": ACCOUNT,
                "accessKeyId": app.access_key,
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": app.user_id.partition(":")[0],
                        "arn": ROLE,
                        "accountId": ACCOUNT,
                        "userName": "app",
                    },
                    "attributes": {"creationDate": "2036-09-12T06:21:24Z", "mfaAuthenticated": "false"},
                },
            },
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "orders/1.0",
            "errorCode": "AccessDenied",
            "errorMessage": f"User: arn:aws:sts::{ACCOUNT}:assumed-role/app/worker is not authorized to perform:"
            f" kms:Decrypt on resource: {ARN} because no identity-based policy allows the kms:Decrypt action",
            "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": ARN},
            "responseElements": None,
            "readOnly": True,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        last(kms),
    )


def test_a_record_of_create_key(kms: FakeKMS, client: KMSClient) -> None:
    """Defaults are logged, and the key as it was answered."""
    made = client.create_key(Tags=[{"TagKey": "Team", "TagValue": "Shop"}])["KeyMetadata"]

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": TESTER_IDENTITY,
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "CreateKey",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "orders/1.0",
            "requestParameters": {
                "keyUsage": "ENCRYPT_DECRYPT",
                "origin": "AWS_KMS",
                "keySpec": "SYMMETRIC_DEFAULT",
                "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
                "description": "",
                "bypassPolicyLockoutSafetyCheck": False,
                "tags": [{"tagKey": "Team", "tagValue": "Shop"}],
            },
            "responseElements": {
                "keyMetadata": {
                    "aWSAccountId": ACCOUNT,
                    "keyId": made["KeyId"],
                    "arn": made["Arn"],
                    "creationDate": "2036-09-12T06:21:24Z",
                    "enabled": True,
                    "description": "",
                    "keyUsage": "ENCRYPT_DECRYPT",
                    "keyState": "Enabled",
                    "origin": "AWS_KMS",
                    "keyManager": "CUSTOMER",
                    "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
                    "keySpec": "SYMMETRIC_DEFAULT",
                    "encryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
                    "multiRegion": False,
                    "currentKeyMaterialId": made["CurrentKeyMaterialId"],
                }
            },
            "readOnly": False,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": made["Arn"]}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        last(kms),
    )
    assert list(made)[1:] == [name[0].upper() + name[1:] for name in last(kms)["responseElements"]["keyMetadata"]][1:]


def test_a_record_of_create_grant(kms: FakeKMS, client: KMSClient) -> None:
    """The keys of an encryption context keep their spelling; the grant token is not told."""
    kms.create_key(key_id=ID)
    made = client.create_grant(
        KeyId=ARN,
        GranteePrincipal=ROLE,
        RetiringPrincipal=USER,
        Operations=["Encrypt", "RetireGrant"],
        Constraints={"EncryptionContextSubset": {"ContextKey1": "Value1"}},
    )

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": TESTER_IDENTITY,
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "CreateGrant",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "orders/1.0",
            "requestParameters": {
                "granteePrincipal": ROLE,
                "retiringPrincipal": USER,
                "operations": ["Encrypt", "RetireGrant"],
                "constraints": {"encryptionContextSubset": {"ContextKey1": "Value1"}},
                "keyId": ARN,
            },
            "responseElements": {"grantId": made["GrantId"], "keyId": ARN},
            "readOnly": False,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        last(kms),
    )
    assert made["GrantToken"] not in json.dumps(last(kms))


def test_a_record_of_re_encrypt(kms: FakeKMS, client: KMSClient) -> None:
    """It tells both keys, and the material of each."""
    source, destination = kms.create_key(key_id=ID), kms.create_key(key_id=OTHER_ID)
    client.re_encrypt(
        CiphertextBlob=kms.encrypt(source, b"x", CONTEXT),
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=OTHER_ID,
        DestinationEncryptionContext={"Level": "3A"},
    )

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": TESTER_IDENTITY,
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "ReEncrypt",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "orders/1.0",
            "requestParameters": {
                "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "sourceEncryptionContext": {"Department": "Engineering", "project": "Alpha"},
                "destinationKeyId": OTHER_ID,
                "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "destinationEncryptionContext": {"Level": "3A"},
            },
            "responseElements": None,
            "additionalEventData": {
                "sourceKeyMaterialId": source.backing.materials[0].id.hex(),
                "destinationKeyMaterialId": destination.backing.materials[0].id.hex(),
            },
            "readOnly": True,
            "resources": [
                {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN},
                {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": OTHER_ARN},
            ],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        last(kms),
    )


def test_a_record_of_generate_data_key_by_a_service_for_a_user(kms: FakeKMS) -> None:
    """The service is where the call comes from; what it said to KMS on the way is not told."""
    key = kms.create_key(key_id=ID)
    alice = kms.principal("user/staff/Alice", policy=policy(allow("kms:GenerateDataKey")))
    kms.service("s3", on_behalf_of=alice).store(key, "bucket/object")

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": alice.user_id,
                "arn": f"arn:aws:iam::{ACCOUNT}:user/staff/Alice",
                "accountId": ACCOUNT,
                "accessKeyId": last(kms)["userIdentity"]["accessKeyId"],
                "userName": "Alice",
                "invokedBy": "s3.amazonaws.com",
            },
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "GenerateDataKey",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "s3.amazonaws.com",
            "userAgent": "s3.amazonaws.com",
            "requestParameters": {
                "encryptionContext": {"aws:s3:arn": "arn:aws:s3:::bucket/object"},
                "keyId": ARN,
                "keySpec": "AES_256",
            },
            "responseElements": None,
            "additionalEventData": {"keyMaterialId": key.backing.materials[0].id.hex()},
            "readOnly": True,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        },
        last(kms),
    )


def test_a_record_of_a_rotation(kms: FakeKMS, client: KMSClient) -> None:
    """What KMS does by itself has no request id, and tells what it did."""
    key = kms.create_key(key_id=ID)
    client.rotate_key_on_demand(KeyId=ID)
    kms.clock.advance(minutes=5)
    record = last(kms)

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
            "eventTime": "2036-09-12T06:23:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "RotateKey",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal",
            "requestParameters": None,
            "responseElements": {"keyId": ARN},
            "readOnly": False,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsServiceEvent",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "serviceEventDetails": {
                "rotationType": "ON_DEMAND",
                "keyOrigin": "AWS_KMS",
                "previousKeyMaterialId": key.backing.materials[0].id.hex(),
                "currentKeyMaterialId": key.backing.materials[1].id.hex(),
                "keyId": ARN,
            },
            "eventCategory": "Management",
        },
        record,
    )
    assert "requestID" not in record


def test_the_records_of_decrypt_in_another_account(kms: FakeKMS) -> None:
    """The caller's account has one and the owner's another, which does not name the caller."""
    guest = kms.principal("user/guest", account=STRANGER, policy=policy(allow()))
    key = kms.create_key(key_id=ID, policy=policy(allow(Principal=by(guest.arn, f"arn:aws:iam::{ACCOUNT}:root"))))
    kms.client_for(guest, config=BROWSER).decrypt(CiphertextBlob=kms.encrypt(key, b"x"))

    common = {
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "responseElements": None,
        "additionalEventData": {"keyMaterialId": key.backing.materials[0].id.hex()},
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": ARN}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
    }
    beginning = {
        "eventTime": "2036-09-12T06:21:24Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "us-west-2",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "orders/1.0",
    }
    callers, owners = kms.trail.to_cloudtrail()
    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": guest.user_id,
                "arn": f"arn:aws:iam::{STRANGER}:user/guest",
                "accountId": STRANGER,
                "accessKeyId": guest.access_key,
                "userName": "guest",
            },
            **beginning,
            **common,
            "recipientAccountId": STRANGER,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        callers,
    )
    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {"type": "AWSAccount", "principalId": guest.user_id, "accountId": STRANGER},
            **beginning,
            **common,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": TLS,
        },
        owners,
    )
    assert callers["sharedEventID"] == owners["sharedEventID"]
    assert callers["requestID"] == owners["requestID"]
    assert 3 == len({callers["eventID"], owners["eventID"], owners["sharedEventID"]})
    assert [owners] == kms.trail.to_cloudtrail(account=ACCOUNT)
    assert [callers] == kms.trail.to_cloudtrail(account=STRANGER)
