"""AWS services encrypt at rest: with the right context, by the right calls, for whoever uses them."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from answers import is_allowed
from botocore.exceptions import ClientError
from policies import HIDDEN, allow, by, deny, policy

from pytest_kms import FakeKMS, Key, Principal, Service, UsageError

pytestmark = pytest.mark.kms(region="us-east-1", account="111122223333")

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-AbCdEf"
CLUSTER = f"arn:aws:redshift:us-east-1:{ACCOUNT}:cluster:sales"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/all"
LOGS = {"aws:s3:arn": f"arn:aws:s3:::logs/AWSLogs/{ACCOUNT}/"}


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key with the default policy: its account decides."""
    return kms.create_key("objects")


@pytest.fixture
def app(kms: FakeKMS) -> Principal:
    """Give a role that may use KMS."""
    return kms.principal("role/app", policy=policy(allow()))


def calls(kms: FakeKMS) -> list[str]:
    """List what was called."""
    return [event.operation for event in kms.trail]


# The encryption contexts


CONTEXTS: list[tuple[str, str, dict[str, str]]] = [
    ("s3", "shop/orders/7.json", {"aws:s3:arn": "arn:aws:s3:::shop/orders/7.json"}),
    ("s3", "arn:aws:s3:::shop", {"aws:s3:arn": "arn:aws:s3:::shop"}),
    ("dynamodb", "orders", {"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": ACCOUNT}),
    (
        "dynamodb",
        f"arn:aws:dynamodb:us-east-1:{OTHER_ACCOUNT}:table/orders",
        {"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": OTHER_ACCOUNT},
    ),
    ("ssm", "/shop/password", {"PARAMETER_ARN": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/shop/password"}),
    ("ssm", "password", {"PARAMETER_ARN": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/password"}),
    ("sqs", "jobs", {"aws:sqs:arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"}),
    ("sns", "news", {"aws:sns:topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:news"}),
    ("lambda", "mail", {"aws:lambda:FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:mail"}),
    ("kinesis", "clicks", {"aws:kinesis:arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/clicks"}),
    ("logs", "/aws/shop", {"aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/shop"}),
    ("ebs", "vol-1", {"aws:ebs:id": "vol-1"}),
    ("ec2", f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-1", {"aws:ebs:id": "vol-1"}),
    ("rds", "db-EXAMPLE", {"aws:rds:db-id": "db-EXAMPLE"}),
    ("workmail", "m-1", {"aws:workmail:arn": f"arn:aws:workmail:us-east-1:{ACCOUNT}:organization/m-1"}),
]


@pytest.mark.parametrize(("name", "resource", "expected"), CONTEXTS)
def test_the_encryption_context_of_a_resource(
    kms: FakeKMS, app: Principal, name: str, resource: str, expected: dict[str, str]
) -> None:
    """By its ARN, or by what stands at the end of it."""
    assert expected == kms.service(name, on_behalf_of=app).encryption_context(resource)


@pytest.mark.parametrize(
    ("name", "resource", "context", "expected"),
    [
        (
            "secretsmanager",
            "db-AbCdEf",
            {"SecretVersionId": "RequestToValidateKeyAccess"},
            {"SecretARN": SECRET, "SecretVersionId": "RequestToValidateKeyAccess"},
        ),
        ("cloudtrail", "all", LOGS, {"aws:cloudtrail:arn": TRAIL, **LOGS}),
        (
            "redshift",
            "sales",
            {"aws:redshift:createtime": "20150206T1832Z"},
            {"aws:redshift:arn": CLUSTER, "aws:redshift:createtime": "20150206T1832Z"},
        ),
        (
            "ses",
            "inbox",
            {"aws:ses:message-id": "m1"},
            {"aws:ses:source-account": ACCOUNT, "aws:ses:rule-name": "inbox", "aws:ses:message-id": "m1"},
        ),
        (
            "workspaces",
            "[S-1]@[d-1]",
            {"aws:ebs:id": "vol-1"},
            {"aws:workspaces:sid-directoryid": "[S-1]@[d-1]", "aws:ebs:id": "vol-1"},
        ),
        (
            "rds",
            "db-EXAMPLE",
            {"aws:ebs:id": "vol-1"},
            {"aws:rds:db-id": "db-EXAMPLE", "aws:ebs:id": "vol-1"},
        ),
        ("s3", "shop/7", {"order": "7"}, {"aws:s3:arn": "arn:aws:s3:::shop/7", "order": "7"}),
    ],
)
def test_what_a_resource_does_not_tell_is_given(
    kms: FakeKMS, app: Principal, name: str, resource: str, context: dict[str, str], expected: dict[str, str]
) -> None:
    """And pairs that the user of a service adds."""
    assert expected == kms.service(name, on_behalf_of=app).encryption_context(resource, context=context)


def test_what_services_make_up(kms: FakeKMS, app: Principal) -> None:
    """Each version of a secret has an id, each cluster the minute in which it was made."""
    kms.clock.freeze()
    secrets, redshift = (kms.service(name, on_behalf_of=app) for name in ("secretsmanager", "redshift"))
    one, other = (secrets.encryption_context("db-AbCdEf") for _ in range(2))

    assert SECRET == one["SecretARN"] == other["SecretARN"]
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one["SecretVersionId"])
    assert one["SecretVersionId"] != other["SecretVersionId"]
    assert {
        "aws:redshift:arn": CLUSTER,
        "aws:redshift:createtime": kms.clock.now.strftime("%Y%m%dT%H%MZ"),
    } == redshift.encryption_context("sales")


def test_a_resource_is_of_the_account_and_the_region(kms: FakeKMS) -> None:
    """Of the caller's, or of that of the resource for which a service principal calls; or else of the fake's."""
    guest = kms.principal("role/guest", account=OTHER_ACCOUNT)
    source = f"arn:aws:logs:us-east-1:{OTHER_ACCOUNT}:log-group:x"

    assert [
        f"arn:aws-cn:sqs:cn-north-1:{OTHER_ACCOUNT}:jobs",
        f"arn:aws:logs:us-east-1:{OTHER_ACCOUNT}:log-group:x",
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x",
    ] == [
        kms.service("sqs", on_behalf_of=guest, region="cn-north-1").encryption_context("jobs")["aws:sqs:arn"],
        kms.service("logs", source_arn=source).encryption_context("x")["aws:logs:arn"],
        kms.service("logs").encryption_context("x")["aws:logs:arn"],
    ]


@pytest.mark.parametrize(
    ("name", "resource", "message"),
    [
        ("cloudtrail", "all", "the name of a resource of cloudtrail does not tell aws:s3:arn; give it as context="),
        ("s3", "arn:aws:s3", "'arn:aws:s3' is no ARN: it has too few parts"),
        (
            "codecommit",
            "x",
            "how codecommit encrypts at rest is not known; known are cloudtrail, dynamodb, ebs, ec2, kinesis, lambda,"
            " logs, rds, redshift, s3, secretsmanager, ses, sns, sqs, ssm, workmail, workspaces. Use its `client`.",
        ),
    ],
)
def test_what_is_not_known_is_told(kms: FakeKMS, app: Principal, name: str, resource: str, message: str) -> None:
    """Nothing is made up that a test would rely on."""
    with pytest.raises(UsageError) as excinfo:
        kms.service(name, on_behalf_of=app).encryption_context(resource)
    assert f"pytest-kms: {message}" == str(excinfo.value)


# Storing and reading


STORING: list[tuple[str, list[str]]] = [
    *[(name, ["GenerateDataKey"]) for name in ("s3", "dynamodb", "secretsmanager", "kinesis", "logs", "redshift")],
    *[(name, ["GenerateDataKey", "Decrypt"]) for name in ("sns", "sqs")],
    *[(name, ["Encrypt"]) for name in ("ssm", "lambda", "workmail")],
    *[(name, ["GenerateDataKeyWithoutPlaintext", "Decrypt"]) for name in ("ebs", "ec2", "rds")],
]


@pytest.mark.parametrize(("name", "expected"), STORING)
def test_a_service_calls_kms_as_it_does(kms: FakeKMS, key: Key, app: Principal, name: str, expected: list[str]) -> None:
    """To write, and to read, which is one Decrypt; always with the same context, and through the service."""
    service = kms.service(name, on_behalf_of=app)
    stored = service.store(key, "thing", b"content")
    assert expected == calls(kms)
    assert b"content" == service.read(stored)
    assert [*expected, "Decrypt"] == calls(kms)
    assert {(key.arn, app.arn, service.via)} == {(event.key, event.principal, event.via) for event in kms.trail}
    assert [stored.encryption_context] * len(kms.trail) == [event.encryption_context for event in kms.trail]


@pytest.mark.parametrize(
    ("name", "operation", "parameters"),
    [
        ("s3", "GenerateDataKey", {"KeySpec": "AES_256"}),
        ("ebs", "GenerateDataKeyWithoutPlaintext", {"NumberOfBytes": 64}),
    ],
)
def test_a_service_asks_for_its_kind_of_data_key(
    kms: FakeKMS, key: Key, app: Principal, name: str, operation: str, parameters: dict[str, Any]
) -> None:
    """EBS's are twice as long."""
    kms.service(name, on_behalf_of=app).store(key, "thing")
    event = kms.trail.last

    assert operation == event.operation
    assert parameters == {name: event.parameters[name] for name in parameters}


@pytest.mark.parametrize(
    ("name", "calls_of_store", "expected"),
    [
        ("s3", ["GenerateDataKey"], b"content"),
        ("ssm", ["Encrypt"], b"content"),
        ("ebs", ["GenerateDataKeyWithoutPlaintext"], b""),
    ],
)
def test_a_test_need_not_think_of_a_content(
    kms: FakeKMS, key: Key, app: Principal, name: str, calls_of_store: list[str], expected: bytes
) -> None:
    """There is some by default; a volume is empty, and was never attached."""
    service = kms.service(name, on_behalf_of=app)
    stored = service.store(key, "thing")

    assert calls_of_store == calls(kms)
    assert expected == service.read(stored)


def test_an_empty_object_is_stored(kms: FakeKMS, key: Key, app: Principal) -> None:
    """It has a data key all the same."""
    s3 = kms.service("s3", on_behalf_of=app)

    assert b"" == s3.read(s3.store(key, "shop/empty", b""))


def test_what_is_stored_shows_no_secret(kms: FakeKMS, key: Key, app: Principal) -> None:
    """Neither in a report nor anywhere else."""
    stored = kms.service("s3", on_behalf_of=app).store(key, "shop/7", b"secret")

    assert "Stored(resource='shop/7', encryption_context={'aws:s3:arn': 'arn:aws:s3:::shop/7'})" == repr(stored)
    assert stored.content is not None
    assert b"secret" not in stored.ciphertext + stored.content


def test_each_reader_needs_permission(kms: FakeKMS, key: Key) -> None:
    """Who may write may not read for that, and the other way round."""
    writer = kms.principal("role/writer", policy=policy(allow("kms:GenerateDataKey")))
    reader = kms.principal("role/reader", policy=policy(allow("kms:Decrypt")))
    writing, reading = (kms.service("s3", on_behalf_of=who) for who in (writer, reader))
    stored = writing.store("alias/objects", "shop/7", b"x")

    assert b"x" == reading.read(stored)
    assert [False, False] == [
        is_allowed(lambda: writing.read(stored)),
        is_allowed(lambda: reading.store(key, "shop/8")),
    ]
    kms.assert_denied("Decrypt", principal=writer, times=1)


def test_a_producer_of_an_encrypted_queue_needs_two_permissions(kms: FakeKMS, key: Key) -> None:
    """SQS decrypts what it has just got, for the sender."""
    sender = kms.principal("role/sender", policy=policy(allow("kms:GenerateDataKey")))

    with pytest.raises(ClientError, match="is not authorized to perform: kms:Decrypt"):
        kms.service("sqs", on_behalf_of=sender).store(key, "jobs")


def test_an_object_is_bound_to_its_name(kms: FakeKMS, key: Key) -> None:
    """A policy on the encryption context keeps tenants apart, in the bucket too."""
    of_tenant = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::shop/${aws:PrincipalTag/tenant}/*"}}
    tenant = kms.principal("role/app", policy=policy(allow(Condition=of_tenant)), tags={"tenant": "a"})
    s3 = kms.service("s3", on_behalf_of=tenant)

    assert is_allowed(lambda: s3.store(key, "shop/a/7"))
    assert not is_allowed(lambda: s3.store(key, "shop/b/7"))


def test_a_key_that_only_a_service_may_use(kms: FakeKMS, key: Key, app: Principal) -> None:
    """kms:ViaService in the key policy: through S3 yes, by hand no."""
    via_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:CallerAccount": ACCOUNT}}
    key.policy = policy(allow("kms:PutKeyPolicy", Principal=by(ROOT)), allow(Principal="*", Condition=via_s3))
    s3 = kms.service("s3", on_behalf_of=app)
    stored = s3.store(key, "shop/7", b"x")

    assert b"x" == s3.read(stored)
    assert not is_allowed(
        lambda: kms.client_for(app).decrypt(
            CiphertextBlob=stored.ciphertext, EncryptionContext=dict(stored.encryption_context)
        )
    )


def test_a_standard_parameter_can_be_decrypted_by_hand(kms: FakeKMS, key: Key, app: Principal) -> None:
    """KMS has encrypted the value itself."""
    stored = kms.service("ssm", on_behalf_of=app).store(key, "/shop/password", b"hunter2")

    assert stored.content is None
    assert b"hunter2" == kms.decrypt(stored.ciphertext, stored.encryption_context)


def test_a_deny_of_the_user_reaches_through_a_service(kms: FakeKMS) -> None:
    """AWS managed keys let everybody in, but for whom his own policies deny it."""
    careful = kms.principal("role/app", policy=policy(deny("kms:Decrypt")))
    s3 = kms.service("s3", on_behalf_of=careful)
    stored = s3.store("alias/aws/s3", "shop/7")

    assert not is_allowed(lambda: s3.read(stored))


def test_the_key_of_another_account(kms: FakeKMS, app: Principal) -> None:
    """Both sides have to agree, through a service as well."""
    theirs = kms.create_key(account=OTHER_ACCOUNT)
    s3 = kms.service("s3", on_behalf_of=app)
    with pytest.raises(ClientError, match=re.escape(f"kms:GenerateDataKey on this resource {HIDDEN}")):
        s3.store(theirs, "shop/7")
    theirs.policy = policy(allow("kms:GenerateDataKey", Principal=by(ROOT)))

    assert s3.store(theirs, "shop/7")


def test_a_service_on_its_own_account(kms: FakeKMS, key: Key) -> None:
    """CloudWatch Logs calls as a service principal of its Region, which a key policy names."""
    logs = kms.service("logs", source_arn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:shop")
    assert not is_allowed(lambda: logs.store(key, "shop"))
    key.policy = policy(
        allow(Principal=by(ROOT)),
        allow(
            ["kms:GenerateDataKey*", "kms:Decrypt"],
            Principal={"Service": "logs.us-east-1.amazonaws.com"},
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:*:{ACCOUNT}:log-group:*"}},
        ),
    )

    assert b"x" == logs.read(logs.store(key, "shop", b"x"))
    kms.assert_used(key, "Decrypt", principal="logs.us-east-1.amazonaws.com", times=1)
    assert kms.trail.last.via is None


# The caller


@pytest.mark.parametrize(
    ("name", "region", "expected"),
    [
        ("logs", None, "logs.us-east-1.amazonaws.com"),
        ("logs", "eu-west-1", "logs.eu-west-1.amazonaws.com"),
        ("cloudtrail", None, "cloudtrail.amazonaws.com"),
        ("dynamodb.us-east-1.amazonaws.com", None, "dynamodb.us-east-1.amazonaws.com"),
        ("ec2.amazonaws.com.cn", None, "ec2.amazonaws.com.cn"),
    ],
)
def test_the_names_of_service_principals(kms: FakeKMS, name: str, region: str | None, expected: str) -> None:
    """Some are of each Region; a full name is taken as it is."""
    service = kms.service(name, region=region)

    assert (expected, None) == (service.principal.arn, service.via)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s3", "s3.us-east-1.amazonaws.com"),
        ("ebs", "ec2.us-east-1.amazonaws.com"),
        ("ec2", "ec2.us-east-1.amazonaws.com"),
        ("sqs.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"),
    ],
)
def test_the_names_of_services_that_call_for_somebody(kms: FakeKMS, app: Principal, name: str, expected: str) -> None:
    """The values of kms:ViaService."""
    service = kms.service(name, on_behalf_of=app)

    assert (expected, app.arn, ACCOUNT) == (service.via, service.principal.arn, service.principal.account)


@pytest.mark.parametrize("name", ["Amazon S3", "S3", "s3/", ""])
def test_a_name_that_no_service_has(kms: FakeKMS, name: str) -> None:
    """It is refused."""
    with pytest.raises(UsageError) as excinfo:
        kms.service(name)
    assert f"pytest-kms: {name!r} is no AWS service; they are called as in their endpoints: 's3', 'ec2', 'logs'" == str(
        excinfo.value
    )


def test_a_service_is_a_caller_like_others(kms: FakeKMS, app: Principal) -> None:
    """It has a client in its Region, a session, and code under test can act as it."""
    there = kms.create_key(region="eu-west-1")
    s3 = kms.service("s3", on_behalf_of=app, region="eu-west-1")
    kms.client_for(s3).describe_key(KeyId=there.id)
    kms.session_for(s3, region="eu-west-1").client("kms").describe_key(KeyId=there.id)
    with kms.acting_as(s3) as acting:
        boto3.client("kms", region_name="eu-west-1").describe_key(KeyId=there.id)
    s3.client.describe_key(KeyId=there.id)

    assert acting is s3.principal
    assert s3.client is s3.client
    assert ["s3.eu-west-1.amazonaws.com"] * 4 == [event.via for event in kms.trail]


def test_a_service_shows_who_it_is(kms: FakeKMS, app: Principal) -> None:
    """In reports."""
    s3, trail = kms.service("s3", on_behalf_of=app), kms.service("cloudtrail")

    assert isinstance(s3, Service)
    assert [
        "Service('s3', s3.us-east-1.amazonaws.com in us-east-1)",
        "Service('cloudtrail', cloudtrail.amazonaws.com in us-east-1)",
    ] == [repr(s3), repr(trail)]
