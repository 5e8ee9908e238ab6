"""`kms.client` and `kms.client_for`: clients for tests, whatever is configured around them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS

pytestmark = pytest.mark.usefixtures("no_aws_settings")


def test_the_client_is_of_boto3_and_lives_where_the_fake_does(kms: FakeKMS) -> None:
    """`kms.client` is an ordinary client of the fake's Region."""
    assert "us-east-1" == kms.client.meta.region_name
    assert "KMS" == type(kms.client).__name__


def test_the_client_is_made_once(kms: FakeKMS) -> None:
    """Making a client costs milliseconds; asking again gives the same one."""
    assert kms.client is kms.client
    assert kms.client is kms.client_for(region="us-east-1")


def test_the_client_calls_the_fake(kms: FakeKMS) -> None:
    """Its calls are recorded like those of any other client."""
    key = kms.create_key("orders")
    answer = kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")

    assert key.arn == answer["KeyId"]
    kms.assert_used(key, "Encrypt", times=1)


@pytest.mark.kms(region="eu-central-1")
def test_the_client_follows_the_region_of_the_fake(kms: FakeKMS) -> None:
    """A fake that lives elsewhere gives a client of there."""
    key = kms.create_key("orders")

    assert "eu-central-1" == kms.client.meta.region_name
    assert key.arn == kms.client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]


def test_a_client_of_another_region_sees_the_keys_there(kms: FakeKMS) -> None:
    """A key lives in one Region, and a client asks one Region."""
    kms.create_key("here")
    there = kms.create_key("there", region="ap-south-1")
    client = kms.client_for(region="ap-south-1")

    assert "ap-south-1" == client.meta.region_name
    assert [there.id] == [key["KeyId"] for key in client.list_keys()["Keys"]]
    assert client is kms.client_for(region="ap-south-1")
    assert client is not kms.client


def test_a_client_may_have_a_configuration(kms: FakeKMS) -> None:
    """What the Config says is in force, and such a client is made anew each time."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    client = kms.client_for(config=once)
    kms.throttle("ListKeys")
    with pytest.raises(ClientError) as excinfo:
        client.list_keys()

    assert 0 == excinfo.value.response["ResponseMetadata"]["RetryAttempts"]
    assert client is not kms.client_for(config=once)
    assert client is not kms.client


def test_a_client_may_have_a_configuration_in_another_region(kms: FakeKMS) -> None:
    """Region and Config go together."""
    client = kms.client_for(region="sa-east-1", config=Config(user_agent_extra="vault/1"))

    assert "sa-east-1" == client.meta.region_name
    config: Any = client.meta.config
    assert "vault/1" == config.user_agent_extra
    assert [] == client.list_keys()["Keys"]


def test_the_client_needs_no_credentials_of_the_environment(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """It signs with credentials of its own, also where the test has taken all others away."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert [] == kms.client.list_keys()["Keys"]


def test_a_profile_that_does_not_exist_is_no_matter(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kms.client` works whatever is configured around it, even where boto3's own clients would not."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    script = """\
from pytest_kms import fake_kms

with fake_kms() as kms:
    print(kms.client.list_keys()["Keys"])
"""
    result = pytester.run(sys.executable, "-c", script)

    assert ["[]"] == result.outlines
    assert [] == result.errlines


def test_without_boto3_the_client_is_one_of_botocore(pytester: pytest.Pytester) -> None:
    """boto3 is used where it is installed; nothing needs it."""
    script = """\
import sys

sys.modules["boto3"] = None  # as if it were not installed
from pytest_kms import fake_kms

with fake_kms() as kms:
    key = kms.create_key("orders")
    sealed = kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")["CiphertextBlob"]
    print(kms.client.decrypt(CiphertextBlob=sealed)["Plaintext"], type(kms.client).__module__)
    kms.assert_used(key, "Decrypt", times=1)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"aiobotocore", "moto", "s3transfer"}))
"""
    result = pytester.run(sys.executable, "-c", script)

    assert ["b'7' botocore.client", "[]"] == result.outlines
    assert [] == result.errlines
