"""Beside moto, as suites use it: its decorator, and fixtures before and after ours; test_stub.py has the rest."""

from __future__ import annotations

import pytest
from suites import outcomes, run

APPLICATION = """
import boto3

def store_order(number):
    \"\"\"Encrypt an order, and tell four services of it.\"\"\"
    kms, s3, sqs, secrets, sts = [
        boto3.client(name, "us-east-1") for name in ("kms", "s3", "sqs", "secretsmanager", "sts")
    ]
    blob = kms.encrypt(KeyId="alias/orders", Plaintext=b"7")["CiphertextBlob"]
    s3.create_bucket(Bucket="orders")
    s3.put_object(Bucket="orders", Key=number, Body=blob, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/orders")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=number)
    secrets.create_secret(Name=number, SecretBinary=blob, KmsKeyId="alias/orders")
    opened = kms.decrypt(CiphertextBlob=s3.get_object(Bucket="orders", Key=number)["Body"].read())["Plaintext"]
    assert sts.get_caller_identity()["Account"] == "123456789012"
    return opened, sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]
"""

HEADER = """
import boto3
import moto.core.config
import pytest
from application import store_order
from moto import mock_aws

@pytest.fixture
def aws():
    with mock_aws():
        yield

def check(kms):
    kms.create_key("orders", region="us-east-1")
    assert store_order("7") == (b"7", "7")
    assert [event.operation for event in kms.trail] == ["Encrypt", "Decrypt"]
    assert len(boto3.client("kms", "us-east-1").list_keys()["Keys"]) == 1

def test_the_last_finds_moto_as_it_was():
    assert moto.core.config.default_user_config["core"]["passthrough"] == {"services": [], "urls": []}
    with mock_aws():
        client = boto3.client("kms", "us-east-1")
        assert client.list_keys()["Keys"] == []
        client.create_key()
        assert len(client.list_keys()["Keys"]) == 1
"""

SIDES = {
    "moto first": "def test_both(aws, kms):\n    check(kms)\n",
    "moto last": "def test_both(kms, aws):\n    check(kms)\n",
    "moto's decorator": "@mock_aws\ndef test_both(kms):\n    check(kms)\n",
    "both decorators": (
        "import pytest_kms\n\n@mock_aws\n@pytest_kms.fake_kms()\ndef test_both(kms):\n    check(kms)\n"
    ),
    "moto for each test, one fake": (
        "import pytest_kms\n\ndepot_kms = pytest_kms.kms_fixture('class')\n\n"
        "def test_both(depot_kms, aws):\n    check(depot_kms)\n"
    ),
}


@pytest.mark.parametrize("side", SIDES)
def test_each_answers_its_own(side: str, pytester: pytest.Pytester) -> None:
    """S3, SQS, Secrets Manager and STS are moto's, KMS is ours, whichever began first; after the test all is moto's."""
    result = run(
        pytester, HEADER.replace("def test_the_last", f"{SIDES[side]}\n\ndef test_the_last"), application=APPLICATION
    )

    assert {"passed": 2} == outcomes(result)


def test_a_test_that_fails_leaves_moto_as_it_was(pytester: pytest.Pytester) -> None:
    """Also where a verdict fails it."""
    result = run(
        pytester,
        HEADER.replace(
            "def test_the_last",
            "def test_fails(kms, aws):\n    check(kms)\n    kms.throttle('Encrypt')\n\ndef test_the_last",
        ),
        application=APPLICATION,
    )

    assert {"passed": 1, "failed": 1} == outcomes(result)
