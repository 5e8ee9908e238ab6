"""The keys that AWS manages: their policies, and who may do what with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of, is_allowed
from botocore.exceptions import ClientError
from policies import HIDDEN, allow, deny, policy

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1", account="111122223333")

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
TESTER = f"arn:aws:iam::{ACCOUNT}:user/tester"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"]
LOOK = ["kms:Describe*", "kms:Get*", "kms:List*"]


# Their policies, as they were seen


def through(name: str, short_name: str, via: str, action: Any, **operators: Any) -> dict[str, Any]:
    """Write the statement that lets everybody in through a service."""
    condition = operators or {
        "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"{via}.us-east-1.amazonaws.com"}
    }
    return {
        "Sid": f"Allow access through {name} for all principals in the account that are authorized to use {short_name}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": "*",
        "Condition": condition,
    }


def looked_at(*more: str) -> dict[str, Any]:
    """Write the statement that lets the account look at the key."""
    return {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": [*LOOK, *more],
        "Resource": "*",
    }


def without(action: str) -> list[str]:
    """List the actions of most policies but one."""
    return [each for each in USE if each != action]


SECRETS = "AWS Secrets Manager"
DYNAMODB = "Amazon DynamoDB"
POLICIES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "sqs": (
        "auto-sqs-1",
        [through("Simple Queue Service (SQS)", "SQS", "sqs", USE), looked_at("kms:RevokeGrant")],
    ),
    "ebs": ("auto-ebs-2", [through("EBS", "EBS", "ec2", USE), looked_at("kms:RevokeGrant")]),
    "s3": ("auto-s3-2", [through("S3", "S3", "s3", without("kms:CreateGrant")), looked_at()]),
    "secretsmanager": (
        "auto-secretsmanager-2",
        [
            through(SECRETS, SECRETS, "secretsmanager", without("kms:GenerateDataKey*")),
            through(
                SECRETS,
                SECRETS,
                "",
                "kms:GenerateDataKey*",
                StringEquals={"kms:CallerAccount": ACCOUNT},
                StringLike={"kms:ViaService": "secretsmanager.*.amazonaws.com"},
            ),
            looked_at("kms:RevokeGrant"),
        ],
    ),
    "dynamodb": (
        "auto-dynamodb-1",
        [
            through(DYNAMODB, DYNAMODB, "dynamodb", USE),
            looked_at("kms:RevokeGrant"),
            {
                "Sid": "Allow DynamoDB Service with service principal name dynamodb.amazonaws.com to describe the key"
                " directly",
                "Effect": "Allow",
                "Principal": {"Service": "dynamodb.amazonaws.com"},
                "Action": LOOK,
                "Resource": "*",
            },
        ],
    ),
    "rds": (
        "auto-rds-2",
        [
            through("RDS", "RDS", "rds", [*USE[:5], "kms:ListGrants", "kms:DescribeKey"]),
            looked_at("kms:RevokeGrant"),
        ],
    ),
    "elasticfilesystem": (
        "auto-elasticfilesystem-1",
        [through("EFS", "EFS", "elasticfilesystem", USE), looked_at("kms:RevokeGrant")],
    ),
    "lambda": ("auto-lambda-1", [through("Lambda", "Lambda", "lambda", USE), looked_at("kms:RevokeGrant")]),
}


@pytest.mark.parametrize("service", POLICIES)
def test_the_policy_of_a_service(kms: FakeKMS, service: str) -> None:
    """AWS's statements, told to everybody in the account by GetKeyPolicy."""
    policy_id, statements = POLICIES[service]
    key = kms.aws_managed_key(service)
    told = kms.client.get_key_policy(KeyId=key.id)

    assert {"Version": "2012-10-17", "Id": policy_id, "Statement": statements} == json.loads(told["Policy"])
    assert (key.policy, "default") == (told["Policy"], told["PolicyName"])


def test_a_policy_is_written_as_aws_writes_it(kms: FakeKMS) -> None:
    """Member by member with a space before the colon, lists on one line."""
    text = kms.aws_managed_key("s3").policy

    assert [
        "{",
        '  "Version" : "2012-10-17",',
        '  "Id" : "auto-s3-2",',
        '  "Statement" : [ {',
        '    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",',
        '    "Effect" : "Allow",',
        '    "Principal" : {',
        '      "AWS" : "*"',
        "    },",
        '    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],',
        '    "Resource" : "*",',
        '    "Condition" : {',
        '      "StringEquals" : {',
        f'        "kms:CallerAccount" : "{ACCOUNT}",',
        '        "kms:ViaService" : "s3.us-east-1.amazonaws.com"',
        "      }",
        "    }",
        "  }, {",
        '    "Sid" : "Allow direct access to key metadata to the account",',
    ] == text.splitlines()[:19]
    assert ['    "Resource" : "*"', "  } ]", "}"] == text.splitlines()[-3:]


def test_a_policy_names_its_region_and_partition(kms: FakeKMS) -> None:
    """The services are called the same in China, accounts are not."""
    text = kms.aws_managed_key("ebs", region="cn-north-1").policy

    assert '"kms:ViaService" : "ec2.cn-north-1.amazonaws.com"' in text
    assert f'"AWS" : "arn:aws-cn:iam::{ACCOUNT}:root"' in text


# Called by people


ASKING: dict[str, Callable[[KMSClient, str], object]] = {
    "DescribeKey": lambda client, key: client.describe_key(KeyId=key),
    "GetKeyPolicy": lambda client, key: client.get_key_policy(KeyId=key),
    "GetKeyRotationStatus": lambda client, key: client.get_key_rotation_status(KeyId=key),
    "ListGrants": lambda client, key: client.list_grants(KeyId=key),
    "ListKeyPolicies": lambda client, key: client.list_key_policies(KeyId=key),
    "ListKeyRotations": lambda client, key: client.list_key_rotations(KeyId=key),
    "ListResourceTags": lambda client, key: client.list_resource_tags(KeyId=key),
}
CHANGING: dict[str, Callable[[KMSClient, str], object]] = {
    "CancelKeyDeletion": lambda client, key: client.cancel_key_deletion(KeyId=key),
    "CreateAlias": lambda client, key: client.create_alias(AliasName="alias/mine", TargetKeyId=key),
    "CreateGrant": lambda client, key: client.create_grant(KeyId=key, GranteePrincipal=TESTER, Operations=["Decrypt"]),
    "DisableKey": lambda client, key: client.disable_key(KeyId=key),
    "DisableKeyRotation": lambda client, key: client.disable_key_rotation(KeyId=key),
    "EnableKey": lambda client, key: client.enable_key(KeyId=key),
    "EnableKeyRotation": lambda client, key: client.enable_key_rotation(KeyId=key),
    "Encrypt": lambda client, key: client.encrypt(KeyId=key, Plaintext=b"x"),
    "GenerateDataKey": lambda client, key: client.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "PutKeyPolicy": lambda client, key: client.put_key_policy(KeyId=key, Policy="{}"),
    "RotateKeyOnDemand": lambda client, key: client.rotate_key_on_demand(KeyId=key),
    "ScheduleKeyDeletion": lambda client, key: client.schedule_key_deletion(KeyId=key),
    "TagResource": lambda client, key: client.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": lambda client, key: client.untag_resource(KeyId=key, TagKeys=["a"]),
    "UpdateKeyDescription": lambda client, key: client.update_key_description(KeyId=key, Description="x"),
}

callers = pytest.mark.parametrize("name", ["user/tester", "root"])


def client_of(kms: FakeKMS, name: str) -> KMSClient:
    """Return a client of an administrator, or of the root user."""
    return kms.client if name == "user/tester" else kms.client_for(kms.principal(name))


def managed_key(kms: FakeKMS, service: str) -> Key:
    """Give a service's key."""
    return kms.aws_managed_key(service)


@callers
@pytest.mark.parametrize("operation", ASKING)
@pytest.mark.parametrize("service", ["s3", "ebs"])
def test_the_account_may_look_at_it(kms: FakeKMS, service: str, operation: str, name: str) -> None:
    """By the policies of its people."""
    assert ASKING[operation](client_of(kms, name), managed_key(kms, service).id)


def test_who_may_not_look_may_not_look(kms: FakeKMS) -> None:
    """The key policy leaves it to the policies of the account."""
    key, client = managed_key(kms, "s3"), kms.client_for(kms.principal("user/alice"))

    assert not is_allowed(lambda: client.describe_key(KeyId=key.id))


@callers
@pytest.mark.parametrize("operation", CHANGING)
def test_nobody_may_use_or_change_it(kms: FakeKMS, operation: str, name: str) -> None:
    """Neither an administrator nor the root user: the key policy allows it to nobody."""
    key = managed_key(kms, "s3")
    with pytest.raises(ClientError) as excinfo:
        CHANGING[operation](client_of(kms, name), key.id)

    caller = ROOT if name == "root" else TESTER
    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: {caller} is not authorized to perform: kms:{operation} on resource: {key.arn}"
        f" because no resource-based policy allows the kms:{operation} action",
    } == excinfo.value.response["Error"]


@pytest.mark.parametrize(("service", "expected"), [("ebs", True), ("s3", False)])
def test_the_account_revokes_grants_where_its_policy_says_so(
    kms: FakeKMS,
    service: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """That of S3 does not, since S3 makes none."""
    key = managed_key(kms, service)
    no_grant = "0" * 64

    error = error_of(kms.client, "revoke_grant", KeyId=key.id, GrantId=no_grant)
    assert ("NotFoundException" if expected else "AccessDeniedException") == error["Code"]


# Called by services


def at(kms: FakeKMS, service: str, document: Any = None, **who: Any) -> KMSClient:
    """Return a client of a service that calls for somebody, who has no policies unless some are given."""
    account, region = who.get("account"), who.get("region")
    alice = kms.principal("user/alice", policy=document, account=account)
    return kms.service(service, on_behalf_of=alice, region=region).client


@pytest.mark.parametrize("service", ["s3", "ebs", "sqs", "dynamodb", "secretsmanager", "ssm", "lambda", "rds"])
def test_everybody_uses_it_through_its_service(kms: FakeKMS, service: str) -> None:
    """No policy of the caller has to say so; the trail tells through what it was used."""
    key, client = managed_key(kms, service), at(kms, service)
    answer = client.generate_data_key(KeyId=f"alias/aws/{service}", KeySpec="AES_256")
    client.decrypt(CiphertextBlob=answer["CiphertextBlob"])

    via = "ec2" if service == "ebs" else service
    kms.assert_used(key, "GenerateDataKey", via=f"{via}.us-east-1.amazonaws.com", times=1)
    kms.assert_used(key, "Decrypt", principal=f"arn:aws:iam::{ACCOUNT}:user/alice", times=1)


def test_the_first_use_makes_it(kms: FakeKMS) -> None:
    """A service asks for its alias, and there is a key."""
    at(kms, "sqs").generate_data_key(KeyId="alias/aws/sqs", KeySpec="AES_256")

    assert ["alias/aws/sqs"] == [key.alias for key in kms.world.all_keys()]


def test_a_deny_of_the_caller_works(kms: FakeKMS) -> None:
    """What his own policies forbid, he cannot do through a service."""
    key, client = managed_key(kms, "s3"), at(kms, "s3", policy(deny("kms:GenerateDataKey")))

    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: kms:GenerateDataKey"
        f" on resource: {key.arn} with an explicit deny in an identity-based policy",
    } == error_of(client, "generate_data_key", KeyId=key.id, KeySpec="AES_256")


@pytest.mark.parametrize("service", ["dynamodb", "ebs", "ec2", "s3"])
def test_another_service_is_denied(kms: FakeKMS, service: str) -> None:
    """Whoever gives the key of S3 to DynamoDB hears of it from DynamoDB."""
    key, client = managed_key(kms, "s3"), at(kms, service, policy(allow()))

    assert (service == "s3") == is_allowed(lambda: client.generate_data_key(KeyId=key.id, KeySpec="AES_256"))


@pytest.mark.parametrize(("service", "expected"), [("s3", False), ("secretsmanager", True)])
def test_a_service_of_another_region(
    kms: FakeKMS,
    service: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """Secrets Manager alone makes data keys from anywhere, for its replicas."""
    key, there = managed_key(kms, service), kms.principal("user/alice")
    client = kms.client_for(kms.service(service, on_behalf_of=there, region="eu-west-1"), region="us-east-1")

    assert expected == is_allowed(lambda: client.generate_data_key(KeyId=key.id, KeySpec="AES_256"))
    assert not is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x"))


def test_another_account_is_denied(kms: FakeKMS) -> None:
    """An object under aws/s3 cannot be shared: kms:CallerAccount is another one, and the key is hidden."""
    key, client = managed_key(kms, "s3"), at(kms, "s3", policy(allow()), account=OTHER_ACCOUNT)

    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:iam::{OTHER_ACCOUNT}:user/alice is not authorized to perform: kms:Decrypt"
        f" on this resource {HIDDEN}",
    } == error_of(client, "decrypt", KeyId=key.arn, CiphertextBlob=kms.encrypt(key, b"x"))


def test_a_service_changes_nothing_either(kms: FakeKMS) -> None:
    """What its policy does not list is not allowed through the service."""
    key, client = managed_key(kms, "ebs"), at(kms, "ebs", policy(allow()))

    assert not is_allowed(lambda: client.disable_key(KeyId=key.id))
    assert not is_allowed(lambda: client.put_key_policy(KeyId=key.id, Policy=key.policy))


@pytest.mark.parametrize(("service", "expected"), [("ebs", True), ("s3", False)])
def test_a_service_makes_grants_where_its_policy_says_so(
    kms: FakeKMS,
    service: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """EBS hands its key to instances; S3 hands nothing on."""
    key, instance = managed_key(kms, service), kms.principal("role/instance")
    client = at(kms, service)

    assert expected == is_allowed(
        lambda: client.create_grant(KeyId=key.id, GranteePrincipal=instance.principal_arn, Operations=["Decrypt"])
    )
    blob = kms.encrypt(key, b"x")
    assert expected == is_allowed(lambda: kms.client_for(instance).decrypt(CiphertextBlob=blob))


@pytest.mark.parametrize(("service", "expected"), [("dynamodb", True), ("s3", False), ("logs", False)])
def test_dynamodb_itself_looks_at_its_key(
    kms: FakeKMS,
    service: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """Its service principal is named by the key policy: it may look, and no more."""
    key, client = managed_key(kms, "dynamodb"), kms.service(service).client

    assert expected == is_allowed(lambda: client.describe_key(KeyId=key.arn))
    assert not is_allowed(lambda: client.encrypt(KeyId=key.arn, Plaintext=b"x"))
