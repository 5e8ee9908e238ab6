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
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from key_stores import CLUSTER, CREDENTIAL, ENDPOINT, OF_CLUSTER, OF_PROXY, PASSWORD, PATH, SECRET
from optional import needs_enclave
from policies import allow, by, policy

from pytest_kms import FakeKMS, Key, NotSupported, fake_kms
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


def last(kms: FakeKMS, name: str = "", region: str = "") -> Record:
    """Return the last record, or the last of an event of a name, in a Region."""
    records = kms.trail.to_cloudtrail()
    return [one for one in records if name in ("", one["eventName"]) and region in ("", one["awsRegion"])][-1]


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


# each operation


class Row(NamedTuple):
    """A call, and what its record tells: the members of the request and of the answer, what is added, the resources.

    `<Member>` stands for that member of the answer, `<material>` for the id of the key's material. `key` says of what
    kind the key is that the call is about.
    """

    call: Callable[[KMSClient, FakeKMS], Any]
    request: Record | None
    response: Record | None = None
    added: Record | None = None
    resources: list[str] | None = [ARN]  # noqa: RUF012  # nobody changes it
    key: Record = {}  # noqa: RUF012


def import_parameters(client: KMSClient, kms: FakeKMS) -> Record:
    """Give what an import takes."""
    parameters = client.get_parameters_for_import(
        KeyId=ID, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    wrapped = kms.wrap_key_material(parameters, PLAINTEXT)
    return {"ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": wrapped}


def grant(client: KMSClient) -> Record:
    """Make a grant that the caller may retire."""
    made = client.create_grant(KeyId=ID, GranteePrincipal=ROLE, RetiringPrincipal=USER, Operations=["Encrypt"])
    return {"GrantId": made["GrantId"], "GrantToken": made["GrantToken"]}


def retire(client: KMSClient) -> Record:
    """Retire a grant by its token."""
    made = grant(client)
    client.retire_grant(GrantToken=made["GrantToken"])
    return made


def revoke(client: KMSClient) -> Record:
    """Revoke a grant."""
    made = grant(client)
    client.revoke_grant(KeyId=ID, GrantId=made["GrantId"])
    return made


def new_primary(client: KMSClient, kms: FakeKMS) -> Any:
    """Make a replica the primary."""
    kms.replicate(MRK, "eu-west-1")
    return client.update_primary_region(KeyId=MRK, PrimaryRegion="eu-west-1")


def on_store(method: str, *, connected: bool = False, **members: Any) -> Callable[[KMSClient, FakeKMS], Record]:
    """Call an operation on a key store."""

    def call(client: KMSClient, kms: FakeKMS) -> Record:
        store = kms.key_store(name="vault", cluster_id=CLUSTER, connected=connected)
        getattr(client, method)(CustomKeyStoreId=store.id, **members)
        return {"CustomKeyStoreId": store.id}

    return call


OF_KEY = {"keyId": ARN}
MATERIAL = {"keyMaterialId": "<material>"}
SYMMETRIC = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
EXTERNAL = {"origin": "EXTERNAL", "material": PLAINTEXT}
STORE = {"customKeyStoreId": "<CustomKeyStoreId>"}
OF_STORE = {"customKeyStoreName": "vault", "clusterId": CLUSTER}
ALIAS_ARN = f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/orders"
NEW_ALIAS_ARN = f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/new"
POLICY = json.dumps(policy(allow(Principal=by(f"arn:aws:iam::{ACCOUNT}:root"))))
SIGNING = {"spec": "ECC_NIST_P256"}
PAGE: Any = {"Limit": 7}

ROWS: dict[str, Row] = {
    "CancelKeyDeletion": Row(
        lambda client, _: (client.schedule_key_deletion(KeyId=ID), client.cancel_key_deletion(KeyId=ID)),
        {"keyId": ID},
        OF_KEY,
    ),
    "ConnectCustomKeyStore": Row(on_store("connect_custom_key_store"), STORE, None, OF_STORE, None),
    "CreateAlias": Row(
        lambda client, _: client.create_alias(AliasName="alias/new", TargetKeyId=ID),
        {"aliasName": "alias/new", "targetKeyId": ID},
        OF_KEY,
        resources=[ARN, NEW_ALIAS_ARN],
    ),
    "CreateCustomKeyStore": Row(
        lambda client, _: client.create_custom_key_store(CustomKeyStoreName="vault", **OF_CLUSTER),
        {"customKeyStoreName": "vault", "clusterId": CLUSTER},
        {"customKeyStoreId": "<CustomKeyStoreId>"},
        resources=None,
    ),
    "CreateGrant": Row(
        lambda client, _: client.create_grant(
            KeyId=ARN,
            GranteePrincipal=ROLE,
            RetiringPrincipal=USER,
            Operations=["Encrypt"],
            Constraints={"EncryptionContextEquals": CONTEXT},
            Name="of-the-app",
            DryRun=False,
        ),
        {
            "granteePrincipal": ROLE,
            "retiringPrincipal": USER,
            "operations": ["Encrypt"],
            "constraints": {"encryptionContextEquals": CONTEXT},
            "name": "of-the-app",
            "keyId": ARN,
            "dryRun": False,
        },
        {"grantId": "<GrantId>", "keyId": ARN},
    ),
    "CreateKey": Row(
        lambda client, _: client.create_key(
            Policy=POLICY,
            Description="of orders",
            KeyUsage="SIGN_VERIFY",
            KeySpec="RSA_2048",
            Origin="AWS_KMS",
            BypassPolicyLockoutSafetyCheck=True,
            Tags=[{"TagKey": "Team", "TagValue": "Shop"}],
            MultiRegion=True,
        ),
        {
            "keyUsage": "SIGN_VERIFY",
            "origin": "AWS_KMS",
            "keySpec": "RSA_2048",
            "customerMasterKeySpec": "RSA_2048",
            "description": "of orders",
            "bypassPolicyLockoutSafetyCheck": True,
            "multiRegion": True,
            "tags": [{"tagKey": "Team", "tagValue": "Shop"}],
            "policy": POLICY,
        },
        {"keyMetadata": "<KeyMetadata>"},
        resources=["<KeyMetadata.Arn>"],
    ),
    "Decrypt": Row(
        lambda client, kms: client.decrypt(
            CiphertextBlob=kms.encrypt(ID, PLAINTEXT, CONTEXT), EncryptionContext=CONTEXT, KeyId="alias/orders"
        ),
        {**SYMMETRIC, "encryptionContext": CONTEXT, "keyId": "alias/orders"},
        None,
        MATERIAL,
    ),
    "DeleteAlias": Row(
        lambda client, _: client.delete_alias(AliasName="alias/orders"),
        {"aliasName": "alias/orders"},
        OF_KEY,
        resources=[ALIAS_ARN, ARN],
    ),
    "DeleteCustomKeyStore": Row(on_store("delete_custom_key_store"), STORE, None, OF_STORE, None),
    "DeleteImportedKeyMaterial": Row(
        lambda client, _: client.delete_imported_key_material(KeyId=ID),
        {"keyId": ID},
        {"keyId": ARN, "keyMaterialId": "<material>"},
        key=EXTERNAL,
    ),
    "DeriveSharedSecret": Row(
        lambda client, kms: client.derive_shared_secret(
            KeyId=ID,
            KeyAgreementAlgorithm="ECDH",
            PublicKey=kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT").public_key,
        ),
        {"keyId": ID, "keyAgreementAlgorithm": "ECDH"},
        key={"spec": "ECC_NIST_P256", "usage": "KEY_AGREEMENT"},
    ),
    "DescribeCustomKeyStores": Row(
        lambda client, _: client.describe_custom_key_stores(**PAGE), {"limit": 7}, resources=None
    ),
    "DescribeKey": Row(lambda client, _: client.describe_key(KeyId="alias/orders"), {"keyId": "alias/orders"}),
    "DisableKey": Row(lambda client, _: client.disable_key(KeyId=ID), {"keyId": ID}, OF_KEY),
    "DisableKeyRotation": Row(lambda client, _: client.disable_key_rotation(KeyId=ID), {"keyId": ID}),
    "DisconnectCustomKeyStore": Row(
        on_store("disconnect_custom_key_store", connected=True), STORE, None, OF_STORE, None
    ),
    "EnableKey": Row(lambda client, _: client.enable_key(KeyId=ARN), OF_KEY, OF_KEY),
    "EnableKeyRotation": Row(
        lambda client, _: client.enable_key_rotation(KeyId=ID, RotationPeriodInDays=180),
        {"keyId": ID, "rotationPeriodInDays": 180},
        OF_KEY,
    ),
    "Encrypt": Row(
        lambda client, _: client.encrypt(KeyId=ID, Plaintext=PLAINTEXT, EncryptionAlgorithm="RSAES_OAEP_SHA_256"),
        {"keyId": ID, "encryptionAlgorithm": "RSAES_OAEP_SHA_256"},
        key={"spec": "RSA_2048"},
    ),
    "GenerateDataKey": Row(
        lambda client, _: client.generate_data_key(KeyId=ID, NumberOfBytes=64, EncryptionContext=CONTEXT),
        {"encryptionContext": CONTEXT, "keyId": ID, "numberOfBytes": 64},
        None,
        MATERIAL,
    ),
    "GenerateDataKeyPair": Row(
        lambda client, _: client.generate_data_key_pair(KeyId=ID, KeyPairSpec="RSA_3072", EncryptionContext=CONTEXT),
        {"keyPairSpec": "RSA_3072", "encryptionContext": CONTEXT, "keyId": ID},
        None,
        MATERIAL,
    ),
    "GenerateDataKeyPairWithoutPlaintext": Row(
        lambda client, _: client.generate_data_key_pair_without_plaintext(KeyId=ID, KeyPairSpec="ECC_NIST_P256"),
        {"keyPairSpec": "ECC_NIST_P256", "keyId": ID},
        None,
        MATERIAL,
    ),
    "GenerateDataKeyWithoutPlaintext": Row(
        lambda client, _: client.generate_data_key_without_plaintext(KeyId=ID, KeySpec="AES_256"),
        {"keyId": ID, "keySpec": "AES_256"},
        None,
        MATERIAL,
    ),
    "GenerateMac": Row(
        lambda client, _: client.generate_mac(KeyId=ID, MacAlgorithm="HMAC_SHA_512", Message=PLAINTEXT),
        {"keyId": ID, "macAlgorithm": "HMAC_SHA_512"},
        key={"spec": "HMAC_512"},
    ),
    "GenerateRandom": Row(lambda client, _: client.generate_random(NumberOfBytes=32), None, resources=[]),
    "GetKeyLastUsage": Row(lambda client, _: client.get_key_last_usage(KeyId=ID), {"keyId": ID}),
    "GetKeyPolicy": Row(
        lambda client, _: client.get_key_policy(KeyId=ID, PolicyName="default"), {"keyId": ID, "policyName": "default"}
    ),
    "GetKeyRotationStatus": Row(lambda client, _: client.get_key_rotation_status(KeyId=ID), {"keyId": ID}),
    "GetParametersForImport": Row(
        lambda client, _: client.get_parameters_for_import(
            KeyId=ID, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        ),
        {"keyId": ID, "wrappingAlgorithm": "RSAES_OAEP_SHA_256", "wrappingKeySpec": "RSA_2048"},
        key=EXTERNAL,
    ),
    "GetPublicKey": Row(lambda client, _: client.get_public_key(KeyId=ID), {"keyId": ID}, key=SIGNING),
    "ImportKeyMaterial": Row(
        lambda client, kms: client.import_key_material(
            KeyId=ID,
            ValidTo=NOW + dt.timedelta(days=7),
            ExpirationModel="KEY_MATERIAL_EXPIRES",
            **import_parameters(client, kms),
        ),
        {"keyId": ID, "validTo": "2036-09-19T06:21:24Z", "expirationModel": "KEY_MATERIAL_EXPIRES"},
        {"keyId": ARN, "keyMaterialId": "<material>"},
        key=EXTERNAL,
    ),
    "ListAliases": Row(
        lambda client, _: client.list_aliases(KeyId=ID, **PAGE), {"keyId": ID, "limit": 7}, resources=[]
    ),
    "ListGrants": Row(
        lambda client, _: client.list_grants(KeyId=ID, GranteePrincipal=ROLE, **PAGE),
        {"keyId": ID, "granteePrincipal": ROLE, "limit": 7},
    ),
    "ListKeyPolicies": Row(lambda client, _: client.list_key_policies(KeyId=ID, **PAGE), {"keyId": ID, "limit": 7}),
    "ListKeyRotations": Row(
        lambda client, _: client.list_key_rotations(KeyId=ID, IncludeKeyMaterial="ALL_KEY_MATERIAL", **PAGE),
        {"keyId": ID, "includeKeyMaterial": "ALL_KEY_MATERIAL", "limit": 7},
    ),
    "ListKeys": Row(lambda client, _: client.list_keys(), None, resources=[]),
    "ListResourceTags": Row(lambda client, _: client.list_resource_tags(KeyId=ID, **PAGE), {"keyId": ID, "limit": 7}),
    "ListRetirableGrants": Row(
        lambda client, _: client.list_retirable_grants(RetiringPrincipal=ROLE, **PAGE),
        {"retiringPrincipal": ROLE, "limit": 7},
        resources=[],
    ),
    "PutKeyPolicy": Row(
        lambda client, _: client.put_key_policy(KeyId=ID, PolicyName="default", Policy=POLICY),
        {"keyId": ID, "policyName": "default", "policy": POLICY, "bypassPolicyLockoutSafetyCheck": False},
    ),
    "ReEncrypt": Row(
        lambda client, kms: client.re_encrypt(
            CiphertextBlob=kms.encrypt(ID, PLAINTEXT), SourceKeyId=ARN, DestinationKeyId="alias/orders"
        ),
        {
            "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "sourceKeyId": ARN,
            "destinationKeyId": "alias/orders",
            "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        },
        None,
        {"sourceKeyMaterialId": "<material>", "destinationKeyMaterialId": "<material>"},
        [ARN, ARN],
    ),
    "ReplicateKey": Row(
        lambda client, _: client.replicate_key(
            KeyId=MRK, ReplicaRegion="eu-west-1", Policy=POLICY, Tags=[{"TagKey": "Team", "TagValue": "Shop"}]
        ),
        {
            "keyId": MRK,
            "replicaRegion": "eu-west-1",
            "bypassPolicyLockoutSafetyCheck": False,
            "description": "",
            "policy": POLICY,
            "tags": [{"tagKey": "Team", "tagValue": "Shop"}],
        },
        {
            "replicaKeyMetadata": "<ReplicaKeyMetadata>",
            "replicaPolicy": POLICY,
            "replicaTags": [{"tagKey": "Team", "tagValue": "Shop"}],
        },
        resources=[MRK_ARN],
        key={"key_id": MRK, "multi_region": True},
    ),
    "RetireGrant": Row(lambda client, _: retire(client), None, None, {"grantId": "<GrantId>"}),
    "RevokeGrant": Row(lambda client, _: revoke(client), {"keyId": ID, "grantId": "<GrantId>"}, OF_KEY),
    "RotateKeyOnDemand": Row(lambda client, _: client.rotate_key_on_demand(KeyId=ID), {"keyId": ID}, OF_KEY),
    "ScheduleKeyDeletion": Row(
        lambda client, _: client.schedule_key_deletion(KeyId=ID, PendingWindowInDays=20),
        {"keyId": ID, "pendingWindowInDays": 20},
        {
            "keyId": ARN,
            "deletionDate": "2036-10-02T06:21:24Z",
            "keyState": "PendingDeletion",
            "pendingWindowInDays": 20,
        },
    ),
    "Sign": Row(
        lambda client, _: client.sign(KeyId=ID, Message=PLAINTEXT, SigningAlgorithm="ECDSA_SHA_256"),
        {"keyId": ID, "messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"},
        key=SIGNING,
    ),
    "TagResource": Row(
        lambda client, _: client.tag_resource(KeyId=ARN, Tags=[{"TagKey": "Department", "TagValue": "IT"}]),
        {"keyId": ARN, "tags": [{"tagKey": "Department", "tagValue": "IT"}]},
        OF_KEY,
    ),
    "UntagResource": Row(
        lambda client, _: client.untag_resource(KeyId=ARN, TagKeys=["Dept"]),
        {"keyId": ARN, "tagKeys": ["Dept"]},
        OF_KEY,
    ),
    "UpdateAlias": Row(
        lambda client, kms: (
            kms.create_key("new"),
            client.update_alias(AliasName="alias/new", TargetKeyId=ID),
        ),
        {"aliasName": "alias/new", "targetKeyId": ID},
        OF_KEY,
        resources=[NEW_ALIAS_ARN, ARN],
    ),
    "UpdateCustomKeyStore": Row(
        on_store("update_custom_key_store", CloudHsmClusterId=CLUSTER, KeyStorePassword=PASSWORD),
        {**STORE, "clusterId": CLUSTER},
        None,
        OF_STORE,
        None,
    ),
    "UpdateKeyDescription": Row(
        lambda client, _: client.update_key_description(KeyId=ID, Description="of orders"),
        {"keyId": ID, "description": "of orders"},
    ),
    "UpdatePrimaryRegion": Row(
        new_primary,
        {"keyId": MRK, "primaryRegion": "eu-west-1"},
        {"keyId": MRK_ARN},
        resources=[MRK_ARN],
        key={"key_id": MRK, "multi_region": True},
    ),
    "Verify": Row(
        lambda client, _: client.verify(
            KeyId=ID,
            Message=PLAINTEXT,
            SigningAlgorithm="ECDSA_SHA_256",
            Signature=client.sign(KeyId=ID, Message=PLAINTEXT, SigningAlgorithm="ECDSA_SHA_256")["Signature"],
        ),
        {"keyId": ID, "messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"},
        key=SIGNING,
    ),
    "VerifyMac": Row(
        lambda client, _: client.verify_mac(
            KeyId=ID,
            Message=PLAINTEXT,
            MacAlgorithm="HMAC_SHA_256",
            Mac=client.generate_mac(KeyId=ID, Message=PLAINTEXT, MacAlgorithm="HMAC_SHA_256")["Mac"],
        ),
        {"keyId": ID, "macAlgorithm": "HMAC_SHA_256"},
        key={"spec": "HMAC_256"},
    ),
}
ONLY_READS = {
    "Decrypt", "DeriveSharedSecret", "DescribeCustomKeyStores", "DescribeKey", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
    "GenerateRandom", "GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport",
    "GetPublicKey", "ListAliases", "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListKeys", "ListResourceTags",
    "ListRetirableGrants", "ReEncrypt", "Sign", "Verify", "VerifyMac",
}  # fmt: skip
"""The operations of which AWS says `readOnly`."""

each_operation = pytest.mark.parametrize("name", ROWS)


def filled_in(expected: Any, answer: Any, key: Key) -> Any:
    """Put what is another in each test into what is expected."""
    if isinstance(expected, dict):
        return {name: filled_in(value, answer, key) for name, value in expected.items()}
    if isinstance(expected, list):
        return [filled_in(value, answer, key) for value in expected]
    if not isinstance(expected, str) or not expected.startswith("<"):
        return expected
    if expected == "<material>":
        return key.backing.materials[0].id.hex()
    for name in expected.strip("<>").split("."):
        answer = answer[name]
    return spelt(answer)


def spelt(value: Any) -> Any:
    """Write an answer as CloudTrail does; none of these has a map."""
    if isinstance(value, dict):
        return {f"{name[0].lower()}{name[1:]}": spelt(one) for name, one in value.items()}
    if isinstance(value, list):
        return [spelt(one) for one in value]
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, dt.datetime) else value


def test_each_operation_is_there() -> None:
    """The table below has a row for each, and so has that of the package."""
    assert set(OPERATIONS) == set(ROWS) == set(facts.REQUEST)


@each_operation
def test_the_record_of_an_operation(kms: FakeKMS, client: KMSClient, name: str) -> None:
    """It tells what was asked, what came of it and on what, as AWS's documentation has it."""
    row = ROWS[name]
    key = kms.create_key("orders", **{"key_id": ID, **row.key})
    answer = row.call(client, kms)
    record = last(kms, name, "us-west-2")
    resources = None if row.resources is None else [resource(filled_in(arn, answer, key)) for arn in row.resources]

    assert filled_in(row.request, answer, key) == record["requestParameters"]
    assert list(row.request or ()) == list(record["requestParameters"] or ())
    assert filled_in(row.response, answer, key) == record["responseElements"]
    assert list(row.response or ()) == list(record["responseElements"] or ())
    assert filled_in(row.added, answer, key) == record.get("additionalEventData")
    assert resources == record.get("resources")
    assert (name in ONLY_READS) == record["readOnly"]
    assert TESTER_IDENTITY == record["userIdentity"]
    assert "errorCode" not in record


@each_operation
def test_a_record_is_fit_for_tools(kms: FakeKMS, client: KMSClient, name: str) -> None:
    """It is JSON, its fields stand in AWS's order, those that are always there are, and ids are unique."""
    kms.create_key("orders", **{"key_id": ID, **ROWS[name].key})
    ROWS[name].call(client, kms)
    records = kms.trail.to_cloudtrail()

    assert records == json.loads(json.dumps(records))
    assert len(records) == len({record["eventID"] for record in records})
    for record in records:
        assert [field for field in ORDER if field in record] == list(record)
        assert ALWAYS <= record.keys()
        assert "kms.amazonaws.com" == record["eventSource"]
        dt.datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")  # it ends with Z


ORDER = (
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
    "userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData",
    "requestID", "eventID", "readOnly", "resources", "eventType", "managementEvent", "recipientAccountId",
    "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory", "tlsDetails",
)  # fmt: skip
ALWAYS = set(ORDER) - {
    "errorCode", "errorMessage", "additionalEventData", "requestID", "resources", "serviceEventDetails",
    "sharedEventID", "vpcEndpointId", "tlsDetails",
}  # fmt: skip


@each_operation
def test_a_record_holds_no_secret(kms: FakeKMS, client: KMSClient, name: str) -> None:
    """Nothing binary that goes to KMS or comes from it, no grant token, no password."""
    secrets: set[bytes] = {PASSWORD.encode(), SECRET.encode(), *TRUST_ANCHOR_LINES}

    def look(value: Any, member: str = "") -> None:
        if isinstance(value, dict):
            for one in value:
                look(value[one], one)
        elif isinstance(value, list):
            for one in value:
                look(one, member)
        elif isinstance(value, bytes):
            secrets.add(value)
        elif member in ("GrantToken", "GrantTokens"):
            secrets.add(value.encode())

    client.meta.events.register("provide-client-params.kms", lambda params, **_: look(params))
    client.meta.events.register("after-call.kms", lambda parsed, **_: look(parsed))
    kms.create_key("orders", **{"key_id": ID, **ROWS[name].key})
    ROWS[name].call(client, kms)
    text = json.dumps(kms.trail.to_cloudtrail())

    for secret in secrets:
        assert len(secret) >= 8
        for spelling in (secret.decode("latin-1"), secret.hex(), base64.b64encode(secret).decode(), str(secret)):
            assert spelling not in text


TRUST_ANCHOR_LINES = [line.encode() for line in OF_CLUSTER["TrustAnchorCertificate"].splitlines() if len(line) > 20]


@each_operation
def test_the_table_of_the_package_names_each_member_that_is_no_secret(name: str) -> None:
    """None is forgotten, but for those that are known to be left out."""
    left_out = LEFT_OUT.get(name, set()) | {"Recipient"}
    logged = set(facts.REQUEST[name].split())

    assert OPERATIONS[name].takes - secret_members(name) - left_out == logged
    assert not logged & secret_members(name)


LEFT_OUT = {
    "CreateCustomKeyStore": {"TrustAnchorCertificate"},
    "GenerateRandom": {"NumberOfBytes", "CustomKeyStoreId"},
    "RetireGrant": {"KeyId", "GrantId", "DryRun"},
}


# what fails

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"
ERROR = ("errorCode", "errorMessage", "requestParameters", "responseElements", "resources")


def of_failure(record: Record) -> tuple[Any, ...]:
    """Return the code, the message, what was asked, what was answered and about what; "absent" where a field is not."""
    return tuple(record.get(field, "absent") for field in ERROR)


def test_a_key_that_was_not_found_leaves_nothing_of_the_request(kms: FakeKMS, client: KMSClient) -> None:
    """KMS has not come to read it."""
    ends_with("NotFoundException", client.encrypt, KeyId="alias/none", Plaintext=PLAINTEXT)
    message = f"Alias arn:aws:kms:us-west-2:{ACCOUNT}:alias/none is not found."

    assert ("NotFoundException", message, None, None, "absent") == of_failure(last(kms))


def test_the_second_key_of_re_encrypt_that_was_not_found_leaves_nothing_either(kms: FakeKMS, client: KMSClient) -> None:
    """Both are needed."""
    blob = kms.encrypt(kms.create_key(), b"x")
    ends_with("NotFoundException", client.re_encrypt, CiphertextBlob=blob, DestinationKeyId=UNKNOWN)

    assert (None, "absent") == (last(kms)["requestParameters"], last(kms).get("resources", "absent"))
    assert "additionalEventData" not in last(kms)


def test_an_error_without_a_message_has_none(kms: FakeKMS, client: KMSClient) -> None:
    """The key is known by its name: the request is told."""
    key = kms.create_key(key_id=ID)
    blob = kms.encrypt(key, b"x", CONTEXT)
    ends_with("InvalidCiphertextException", client.decrypt, CiphertextBlob=blob)

    assert ("InvalidCiphertextException", "absent", SYMMETRIC, None, [resource(ARN)]) == of_failure(last(kms))
    assert "additionalEventData" not in last(kms)


def test_a_state_that_does_not_fit_is_told_with_the_request(kms: FakeKMS, client: KMSClient) -> None:
    """As AWS's samples have it."""
    kms.create_key(key_id=ID, state="Disabled")
    ends_with("DisabledException", client.disable_key_rotation, KeyId=ID)

    assert ("DisabledException", f"{ARN} is disabled.", {"keyId": ID}, None, [resource(ARN)]) == of_failure(last(kms))


def test_a_key_that_cannot_be_made_is_in_no_resources(kms: FakeKMS, client: KMSClient) -> None:
    """There is none yet."""
    ends_with("ValidationException", client.create_key, KeySpec="RSA_2048")
    record = last(kms)

    assert "RSA_2048" == record["requestParameters"]["keySpec"]
    assert "resources" not in record


def test_a_dry_run_that_would_succeed_is_a_failure(kms: FakeKMS, client: KMSClient) -> None:
    """It tells that it was one."""
    kms.create_key(key_id=ID)
    ends_with("DryRunOperation", client.encrypt, KeyId=ID, Plaintext=b"x", DryRun=True)
    message = "The request would have succeeded, but the DryRun option is set."

    assert (
        "DryRunOperationException",
        message,
        {"keyId": ID, **SYMMETRIC, "dryRun": True},
        None,
        [resource(ARN)],
    ) == of_failure(last(kms))


def test_a_dry_run_without_a_ciphertext_is_told(kms: FakeKMS, client: KMSClient) -> None:
    """With what modifies it."""
    kms.create_key(key_id=ID)
    members: Any = {"KeyId": ID, "DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    ends_with("DryRunOperation", client.decrypt, **members)

    assert {**SYMMETRIC, "keyId": ID, "dryRun": True, "dryRunModifiers": ["IGNORE_CIPHERTEXT"]} == last(kms)[
        "requestParameters"
    ]


@pytest.mark.parametrize("code", ["ThrottlingException", "OptInRequired", "ServiceUnavailable", "InternalFailure"])
def test_a_request_that_was_turned_away_leaves_nothing_of_it(kms: FakeKMS, client: KMSClient, code: str) -> None:
    """Nor what it was about."""
    kms.create_key(key_id=ID)
    kms.fail("DescribeKey", code)
    ends_with(code, client.describe_key, KeyId=ID)
    record = last(kms)

    assert (code, None, None, "absent") == tuple(record.get(field, "absent") for field in ERROR if field != ERROR[1])


def test_a_request_that_breaks_a_constraint_leaves_nothing_of_it(kms: FakeKMS, client: KMSClient) -> None:
    """One that KMS refuses after it has looked at the key is told."""
    kms.create_key(key_id=ID)
    unchecked = kms.client_for(config=Config(parameter_validation=False))
    ends_with("ValidationException", unchecked.list_grants, KeyId=ID, Limit=0)
    assert (None, "absent") == of_failure(last(kms))[2::2]

    ends_with("ValidationException", client.generate_data_key, KeyId=ID)
    assert ({"keyId": ID}, [resource(ARN)]) == of_failure(last(kms))[2::2]


def test_a_request_that_cannot_be_read_leaves_nothing_of_it(kms: FakeKMS) -> None:
    """No defaults either."""
    unchecked: Any = kms.client_for(config=Config(parameter_validation=False))
    ends_with("SerializationException", unchecked.create_key, MultiRegion="perhaps")

    assert (None, "absent") == of_failure(last(kms))[2::2]


@pytest.mark.parametrize(
    "code",
    ["ExpiredTokenException", "InvalidSignatureException", "RequestExpired", "UnrecognizedClientException"],
)
def test_a_request_of_nobody_is_in_no_record(kms: FakeKMS, client: KMSClient, code: str) -> None:
    """Whose would it be?"""
    kms.fail("ListKeys", code)
    ends_with(code, client.list_keys)

    assert [] == kms.trail.to_cloudtrail()


@pytest.mark.parametrize("code", ["ConnectTimeoutError", "EndpointConnectionError", "SSLError"])
def test_a_request_that_did_not_arrive_is_in_no_record(kms: FakeKMS, client: KMSClient, code: str) -> None:
    """KMS knows nothing of it."""
    kms.fail("ListKeys", code)
    ends_with("endpoint|SSL", client.list_keys)

    assert [] == kms.trail.to_cloudtrail()


def test_an_answer_that_was_lost_is_that_of_a_success(kms: FakeKMS) -> None:
    """KMS has done what was asked; when it comes again, it is another request."""
    key = kms.create_key(key_id=ID)
    kms.fail("GenerateDataKey", "ReadTimeoutError", carried_out=True)
    kms.client.generate_data_key(KeyId=ID, KeySpec="AES_256")
    first, second = kms.trail.to_cloudtrail()

    assert first["requestID"] != second["requestID"]
    assert {"keyMaterialId": key.backing.materials[0].id.hex()} == first["additionalEventData"]
    assert "errorCode" not in first
    assert first["eventTime"] < second["eventTime"]


def test_work_that_was_done_and_answered_with_an_error_is_a_failure(kms: FakeKMS, client: KMSClient) -> None:
    """So it was answered."""
    kms.create_key(key_id=ID)
    kms.fail("DisableKey", "KMSInternalException", carried_out=True)
    ends_with("KMSInternalException", client.disable_key, KeyId=ID)

    assert ("KMSInternalException", "absent", {"keyId": ID}, None, [resource(ARN)]) == of_failure(last(kms))


def test_each_attempt_has_a_record(kms: FakeKMS) -> None:
    """botocore retries; for KMS each is a request."""
    kms.create_key(key_id=ID)
    kms.throttle("DescribeKey", times=2)
    kms.client.describe_key(KeyId=ID)
    records = kms.trail.to_cloudtrail()

    assert ["ThrottlingException", "ThrottlingException", None] == [record.get("errorCode") for record in records]
    assert kms.trail.last.event_id == records[-1]["eventID"]
    assert 3 == len({record["eventID"] for record in records}) == len({record["requestID"] for record in records})


def test_what_this_version_does_not_have_is_in_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake has refused it, not KMS."""
    monkeypatch.delitem(OPERATIONS, "ListKeys")
    with fake_kms(unsupported="ignore") as kms:
        with pytest.raises(NotSupported):
            kms.client.list_keys()

        assert 1 == len(kms.trail)
        assert [] == kms.trail.to_cloudtrail()


# who calls


def identity_of(kms: FakeKMS, caller: Any) -> Record:
    """Let somebody call, and return what is told of him."""
    kms.client_for(caller).generate_random(NumberOfBytes=1)
    identity: Record = last(kms)["userIdentity"]
    return identity


def test_the_identity_of_a_root_user(kms: FakeKMS) -> None:
    """It has no name."""
    root = kms.principal("root")

    assert {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": root.access_key,
    } == identity_of(kms, root)


def test_the_identity_of_a_federated_user(kms: FakeKMS) -> None:
    """Who has issued the credentials is not known."""
    may = policy(allow())
    context = {"aws:MultiFactorAuthPresent": "true"}
    user = kms.principal("federated-user/Bob", policy=may, session_policy=may, context=context)

    assert {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:Bob",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/Bob",
        "accountId": ACCOUNT,
        "accessKeyId": user.access_key,
        "sessionContext": {"attributes": {"creationDate": "2036-09-12T06:21:24Z", "mfaAuthenticated": "true"}},
    } == identity_of(kms, user)


def test_the_role_of_a_session_has_its_path(kms: FakeKMS) -> None:
    """In its ARN, not in its name."""
    identity = identity_of(kms, kms.principal("role/service/app", policy=policy(allow())))
    issuer = identity["sessionContext"]["sessionIssuer"]

    assert (f"arn:aws:iam::{ACCOUNT}:role/service/app", "app") == (issuer["arn"], issuer["userName"])


def test_the_caller_s_surroundings_are_those_that_the_test_gives(kms: FakeKMS) -> None:
    """Of several addresses the first."""
    context: Any = {"aws:SourceIp": ["203.0.113.7", "203.0.113.8"], "aws:SourceVpce": "vpce-0123456789abcdef0"}
    identity_of(kms, kms.principal("user/Alice", policy=policy(allow()), context=context))
    record = last(kms)

    assert ("203.0.113.7", "vpce-0123456789abcdef0") == (record["sourceIPAddress"], record["vpcEndpointId"])


def test_a_caller_in_a_vpc_has_an_address_there(kms: FakeKMS) -> None:
    """Where he has none in the internet."""
    identity_of(kms, kms.principal("user/Alice", policy=policy(allow()), context={"aws:VpcSourceIp": "10.0.0.7"}))

    assert "10.0.0.7" == last(kms)["sourceIPAddress"]


@pytest.mark.parametrize(
    ("region", "config", "host"),
    [
        ("eu-west-1", Config(use_fips_endpoint=True), "kms-fips.eu-west-1.amazonaws.com"),
        ("eu-west-1", Config(use_dualstack_endpoint=True), "kms.eu-west-1.api.aws"),
        ("cn-north-1", Config(), "kms.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_endpoint_is_the_one_that_was_called(kms: FakeKMS, region: str, config: Config, host: str) -> None:
    """It stands in the TLS details."""
    kms.client_for(region=region, config=config).list_keys()

    assert host == last(kms)["tlsDetails"]["clientProvidedHostHeader"]


def test_a_service_on_its_own_account_is_told_to_the_owner_of_the_key(kms: FakeKMS) -> None:
    """Its own account is not the customer's."""
    allowed = policy(allow(Principal={"Service": "logs.us-west-2.amazonaws.com"}))
    kms.create_key(key_id=ID, policy=allowed)
    kms.service("logs").store(ARN, "group")
    (record,) = kms.trail.to_cloudtrail()

    assert {"type": "AWSService", "invokedBy": "logs.us-west-2.amazonaws.com"} == record["userIdentity"]
    assert {"logs.us-west-2.amazonaws.com"} == {record["sourceIPAddress"], record["userAgent"]}
    assert ACCOUNT == record["recipientAccountId"]
    assert "sharedEventID" in record
    assert "tlsDetails" not in record
    assert [resource(ARN)] == record["resources"]


def test_a_service_that_was_refused_is_told_to_nobody(kms: FakeKMS) -> None:
    """Failures are in the caller's account alone."""
    key = kms.create_key()
    ends_with("AccessDenied", kms.service("logs").store, key=key, resource="group")

    assert 1 == len(kms.trail)
    assert [] == kms.trail.to_cloudtrail()


def test_a_service_that_was_refused_for_somebody_leaves_nothing_of_its_request(kms: FakeKMS) -> None:
    """Its caller learns that it was refused."""
    key = kms.create_key(key_id=ID)
    app = kms.principal("role/app")
    ends_with("AccessDenied", kms.service("sqs", on_behalf_of=app).store, key=key, resource="queue")
    code, message, *rest = of_failure(last(kms))

    assert ("AccessDenied", [None, None, "absent"]) == (code, rest)
    assert "kms:GenerateDataKey" in message
    assert "sqs.amazonaws.com" == last(kms)["userIdentity"]["invokedBy"]


def test_the_use_of_aws_owned_keys_is_in_no_record(kms: FakeKMS) -> None:
    """Not even in one of the account that they are in, which is nobody's."""
    blob = kms.encrypt(kms.aws_owned_key("dynamodb"), b"x")
    insider = kms.principal("user/insider", account="000000000000", policy=policy(allow()))
    kms.client_for(insider).decrypt(CiphertextBlob=blob)
    assert [] == kms.trail.to_cloudtrail()

    ends_with("AccessDenied", kms.client.decrypt, CiphertextBlob=blob)
    assert (None, None, "absent") == of_failure(last(kms))[2:]


# several accounts, several Regions


def test_a_refusal_is_told_to_the_caller_s_account_alone(kms: FakeKMS) -> None:
    """The owner of the key does not learn of it; the caller not whether there is one."""
    kms.create_key(key_id=ID)
    guest = kms.principal("user/guest", account=STRANGER, policy=policy(allow()))
    ends_with("AccessDenied", kms.client_for(guest).describe_key, KeyId=ARN)
    (record,) = kms.trail.to_cloudtrail()

    assert STRANGER == record["recipientAccountId"]
    assert "sharedEventID" not in record


def test_each_owner_sees_his_own_key(kms: FakeKMS) -> None:
    """ReEncrypt may take keys of two accounts, and its caller may be of a third."""
    third = "777788889999"
    guest = kms.principal("user/guest", account=third, policy=policy(allow()))
    shared = policy(allow(Principal=by(guest.arn)))
    kms.create_key(key_id=ID, policy=shared)
    theirs = kms.create_key(account=STRANGER, policy=shared)
    blob = kms.encrypt(ID, b"x")
    kms.client_for(guest).re_encrypt(CiphertextBlob=blob, DestinationKeyId=theirs.arn)
    records = kms.trail.to_cloudtrail()

    assert {third: [ARN, theirs.arn], ACCOUNT: [ARN], STRANGER: [theirs.arn]} == {
        record["recipientAccountId"]: [one["ARN"] for one in record["resources"]] for record in records
    }
    assert third == records[0]["recipientAccountId"]
    assert 1 == len({record["sharedEventID"] for record in records})


def test_a_replica_has_a_record_in_its_own_region(kms: FakeKMS, client: KMSClient) -> None:
    """KMS has made it, for whom has asked for it."""
    kms.create_key(key_id=MRK, multi_region=True, description="of orders")
    tags: Any = [{"TagKey": "Team", "TagValue": "Shop"}]
    client.replicate_key(KeyId=MRK, ReplicaRegion="eu-west-1", Tags=tags)
    replica_arn = MRK_ARN.replace("us-west-2", "eu-west-1")
    replicated, made, synchronized = kms.trail.to_cloudtrail()

    expect(
        {
            "eventVersion": "1.11",
            "userIdentity": {**TESTER_IDENTITY, "invokedBy": "kms.amazonaws.com"},
            "eventTime": "2036-09-12T06:21:24Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "CreateKey",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "kms.amazonaws.com",
            "userAgent": "kms.amazonaws.com",
            "requestParameters": {
                "keyUsage": "ENCRYPT_DECRYPT",
                "origin": "AWS_KMS",
                "keySpec": "SYMMETRIC_DEFAULT",
                "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
                "description": "",
                "bypassPolicyLockoutSafetyCheck": False,
                "multiRegion": True,
                "tags": [{"tagKey": "Team", "tagValue": "Shop"}],
            },
            "responseElements": {"keyMetadata": replicated["responseElements"]["replicaKeyMetadata"]},
            "readOnly": False,
            "resources": [resource(replica_arn)],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        },
        made,
    )
    assert {
        "eventName": "SynchronizeMultiRegionKey",
        "eventType": "AwsApiCall",
        "responseElements": {"keyId": MRK_ARN},
        "requestID": synchronized["requestID"],
        "resources": [resource(MRK_ARN)],
    }.items() <= synchronized.items()
    assert "serviceEventDetails" not in synchronized
    assert 3 == len({record["requestID"] for record in (replicated, made, synchronized)})


def test_a_new_primary_has_a_record_in_its_own_region(kms: FakeKMS, client: KMSClient) -> None:
    """It tells the key that became one."""
    replica = kms.replicate(kms.create_key(key_id=MRK, multi_region=True), "eu-west-1")
    client.update_primary_region(KeyId=MRK, PrimaryRegion="eu-west-1")
    asked, done = kms.trail.to_cloudtrail()

    assert ["us-west-2", "eu-west-1"] == [asked["awsRegion"], done["awsRegion"]]
    assert {"keyId": replica.arn, "primaryRegion": "eu-west-1"} == done["requestParameters"]
    assert {"keyId": replica.arn} == done["responseElements"]
    assert "kms.amazonaws.com" == done["userIdentity"]["invokedBy"]
    assert "resources" not in done


def test_a_primary_that_stays_where_it_is_has_one_record(kms: FakeKMS, client: KMSClient) -> None:
    """Nothing is continued elsewhere."""
    kms.create_key(key_id=MRK, multi_region=True)
    client.update_primary_region(KeyId=MRK, PrimaryRegion="us-west-2")

    assert ["us-west-2"] == [record["awsRegion"] for record in kms.trail.to_cloudtrail()]


# what KMS does by itself


def test_the_deletion_of_a_key_is_told_when_it_is_due(kms: FakeKMS, client: KMSClient) -> None:
    """Nobody need look for it."""
    kms.create_key(key_id=ID)
    client.schedule_key_deletion(KeyId=ID, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    record = last(kms)

    assert ("DeleteKey", "2036-09-19T06:21:24Z", OF_KEY) == tuple(
        record[field] for field in ("eventName", "eventTime", "responseElements")
    )
    assert "additionalEventData" not in record
    assert "serviceEventDetails" not in record


def test_material_that_expires_is_told(kms: FakeKMS) -> None:
    """With the bare id of its key."""
    kms.create_key(key_id=ID, origin="EXTERNAL")
    kms.import_key_material(ID, PLAINTEXT, valid_to=NOW + dt.timedelta(days=1))
    kms.clock.advance(days=2)
    (record,) = kms.trail.to_cloudtrail()

    assert "DeleteExpiredKeyMaterial" == record["eventName"]
    assert record["responseElements"] is None
    assert {"keyId": ID} == record["serviceEventDetails"]


# key stores


def test_keys_in_a_cluster_are_told_with_what_backs_them(kms: FakeKMS, client: KMSClient) -> None:
    """From the beginning to the end of a key."""
    store = kms.key_store(cluster_id=CLUSTER)
    key_id = client.create_key(CustomKeyStoreId=store.id, Origin="AWS_CLOUDHSM")["KeyMetadata"]["KeyId"]
    client.describe_key(KeyId=key_id)
    client.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    created, described, used, scheduled, deleted = (
        record.get("additionalEventData") for record in kms.trail.to_cloudtrail()
    )

    assert created is not None
    assert ["backingKey"] == list(created)
    backing_key = json.loads(created["backingKey"])
    assert ["keyHandle", "backingKeyId"] == list(backing_key)
    assert described is None
    assert used == {"keyMaterialId": backing_key["backingKeyId"], "customKeyStoreId": store.id}
    of_store = {"customKeyStoreId": store.id, "clusterId": CLUSTER, "backingKeys": json.dumps([backing_key])}
    of_store["backingKeys"] = of_store["backingKeys"].replace(" ", "")
    assert of_store == scheduled
    status = json.dumps([{**backing_key, "deletionStatus": "SUCCESS"}]).replace(" ", "")
    assert {**of_store, "backingKeysDeletionStatus": status} == deleted


def test_keys_outside_of_aws_are_told_with_their_id_there(kms: FakeKMS, client: KMSClient) -> None:
    """Also where the key store does not answer."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    key = kms.create_key("orders", key_store=store)
    blob = kms.encrypt(key, b"x")
    store.disconnect()
    ends_with("KMSInvalidState", client.decrypt, CiphertextBlob=blob)
    assert {"customKeyStoreId": store.id, "xksKeyId": key.xks_key_id} == last(kms)["additionalEventData"]

    client.schedule_key_deletion(KeyId=key.id)
    assert "additionalEventData" not in last(kms)


def test_an_external_key_store_is_told_without_its_credential(kms: FakeKMS, client: KMSClient) -> None:
    """What it is called and where it is, is no secret."""
    answer = client.create_custom_key_store(CustomKeyStoreName="outside", **OF_PROXY)

    assert {
        "customKeyStoreName": "outside",
        "customKeyStoreType": "EXTERNAL_KEY_STORE",
        "xksProxyConnectivity": "PUBLIC_ENDPOINT",
        "xksProxyUriEndpoint": ENDPOINT,
        "xksProxyUriPath": PATH,
    } == last(kms)["requestParameters"]
    client.delete_custom_key_store(CustomKeyStoreId=answer["CustomKeyStoreId"])
    assert {"customKeyStoreName": "outside"} == last(kms)["additionalEventData"]
    for secret in CREDENTIAL.values():
        assert secret not in json.dumps(kms.trail.to_cloudtrail())


# and the rest


@needs_enclave
def test_an_answer_for_an_enclave_tells_which(kms: FakeKMS, client: KMSClient) -> None:
    """By the measurements in its attestation document."""
    enclave = kms.enclave(pcrs={0: "9f" * 48, 4: "01" * 48})
    client.generate_random(NumberOfBytes=32, Recipient=enclave.recipient)

    assert {
        "recipient": {
            "attestationDocumentModuleId": enclave.module_id,
            "attestationDocumentEnclaveImageDigest": "9f" * 48,
            "attestationDocumentEnclavePCR1": "00" * 48,
            "attestationDocumentEnclavePCR2": "00" * 48,
            "attestationDocumentEnclavePCR3": "00" * 48,
            "attestationDocumentEnclavePCR4": "01" * 48,
            "attestationDocumentEnclavePCR8": "00" * 48,
        }
    } == last(kms)["additionalEventData"]
    assert last(kms)["requestParameters"] is None


def test_a_grant_is_told_that_was_retired_by_its_id(kms: FakeKMS, client: KMSClient) -> None:
    """As one that was retired by its token is."""
    kms.create_key(key_id=ID)
    made = grant(client)
    client.retire_grant(KeyId=ARN, GrantId=made["GrantId"])

    assert {"grantId": made["GrantId"]} == last(kms)["additionalEventData"]
    assert last(kms)["requestParameters"] is None


def test_a_grant_token_that_was_given_is_not_told(kms: FakeKMS, client: KMSClient) -> None:
    """It is no part of the request then."""
    kms.create_key(key_id=ID)
    token = grant(client)["GrantToken"]
    client.describe_key(KeyId=ID, GrantTokens=[token])

    assert {"keyId": ID} == last(kms)["requestParameters"]


def test_the_deprecated_spelling_of_the_spec_is_told_as_the_new_one(kms: FakeKMS, client: KMSClient) -> None:
    """Both are there."""
    client.create_key(CustomerMasterKeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    parameters = last(kms)["requestParameters"]

    assert ("RSA_2048", "RSA_2048") == (parameters["keySpec"], parameters["customerMasterKeySpec"])


def test_records_are_new_each_time(kms: FakeKMS, client: KMSClient) -> None:
    """Who changes one changes nothing else."""
    kms.create_key(key_id=ID)
    client.encrypt(KeyId=ID, Plaintext=PLAINTEXT, EncryptionContext=CONTEXT)
    (before,) = kms.trail.to_cloudtrail()
    before["requestParameters"]["encryptionContext"].clear()
    before["userIdentity"].clear()

    assert CONTEXT == last(kms)["requestParameters"]["encryptionContext"]
    assert CONTEXT == kms.trail.last.encryption_context
    assert TESTER_IDENTITY == last(kms)["userIdentity"]


def test_what_a_test_arranges_is_in_no_record(kms: FakeKMS) -> None:
    """It is no call."""
    kms.decrypt(kms.encrypt(kms.create_key(), b"x"))

    assert [] == kms.trail.to_cloudtrail()
