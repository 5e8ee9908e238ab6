"""ARNs: of keys, aliases and callers, in every partition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_kms import fake_kms

if TYPE_CHECKING:
    from pytest_kms import FakeKMS

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ACCOUNT = "123456789012"

PARTITIONS = {
    "us-east-1": "aws",
    "eu-central-1": "aws",
    "il-central-1": "aws",
    "cn-north-1": "aws-cn",
    "cn-northwest-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-gov-east-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
    "eusc-de-east-1": "aws-eusc",
}


@pytest.mark.parametrize(("region", "partition"), PARTITIONS.items())
def test_a_key_has_the_arn_of_its_region_and_partition(region: str, partition: str) -> None:
    """Keys that are made through the API and keys that a test arranges."""
    with fake_kms(region=region) as kms:
        metadata = kms.client.create_key()["KeyMetadata"]
        arranged = kms.create_key(key_id=KEY_ID)

    assert f"arn:{partition}:kms:{region}:{ACCOUNT}:key/{metadata['KeyId']}" == metadata.get("Arn")
    assert f"arn:{partition}:kms:{region}:{ACCOUNT}:key/{KEY_ID}" == arranged.arn


@pytest.mark.parametrize(("region", "partition"), PARTITIONS.items())
def test_an_alias_has_the_arn_of_its_region_and_partition(region: str, partition: str) -> None:
    """ListAliases tells it, and it names the key."""
    with fake_kms(region=region) as kms:
        key = kms.create_key("orders")
        (alias,) = kms.client.list_aliases(KeyId=key.id)["Aliases"]
        arn = f"arn:{partition}:kms:{region}:{ACCOUNT}:alias/orders"

        assert arn == alias.get("AliasArn")
        assert key.arn == kms.client.describe_key(KeyId=arn)["KeyMetadata"].get("Arn")


@pytest.mark.parametrize(("region", "partition"), PARTITIONS.items())
def test_a_caller_has_the_arn_of_his_partition(region: str, partition: str) -> None:
    """IAM knows no Regions; partitions it does know."""
    with fake_kms(region=region) as kms:
        key = kms.aws_managed_key("s3")
        with pytest.raises(ClientError) as excinfo:
            kms.client.disable_key(KeyId=key.id)

    caller = f"arn:{partition}:iam::{ACCOUNT}:user/tester"
    assert excinfo.value.response["Error"]["Message"].startswith(f"User: {caller} is not authorized")
    assert caller == kms.trail.last.principal


def test_a_new_key_id_is_a_uuid_of_version_4(kms: FakeKMS) -> None:
    """As AWS's are."""
    uuid_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    ids = {kms.client.create_key()["KeyMetadata"]["KeyId"], *(kms.create_key().id for _ in range(50))}

    assert 51 == len(ids)
    assert all(uuid_4.fullmatch(key_id) for key_id in ids)


def error(kms: FakeKMS, key_id: str) -> dict[str, str]:
    """Return the error of DescribeKey on what names no key."""
    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=key_id)
    found = excinfo.value.response["Error"]
    return {"Code": found["Code"], "Message": found["Message"]}


def not_found(message: str) -> dict[str, str]:
    """Return the error of something that is not there."""
    return {"Code": "NotFoundException", "Message": message}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::bucket",
        "arn:aws:iam::123456789012:role/app",
        "arn:aws:kms",
        "arn:aws:kms:us-east-1:123456789012",
        "arn:aws:kms:us-east-1:123456789012:",
        f"arn:aws:kms:us-east-1:123456789012:{KEY_ID}",
        "arn:aws:kms:us-east-1:123456789012:grant/x",
    ],
)
def test_an_arn_of_no_key_names_none(kms: FakeKMS, arn: str) -> None:
    """The code is certain, AWS's sentence is not known."""
    assert not_found(f"Invalid arn {arn}") == error(kms, arn)


def test_an_arn_of_another_region_is_told_by_its_region(kms: FakeKMS) -> None:
    """The call went to one Region, the ARN is of another."""
    key = kms.create_key("theirs", region="us-west-2")

    assert not_found("Invalid arn us-west-2") == error(kms, key.arn)
    assert "the ARN is of us-west-2, the call went to us-east-1" == kms.trail.last.why
    assert not_found("Invalid arn us-west-2") == error(kms, f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/theirs")


@pytest.mark.parametrize(
    "key_id",
    [
        "fake-key-id",
        KEY_ID.replace("-", ""),
        f"{KEY_ID}0",
        f"key/{KEY_ID}",
        "mrk-1234",
        f"mrk-{KEY_ID}",
        "ar",
        " ",
    ],
)
def test_an_id_that_is_none_is_told_in_quotes(kms: FakeKMS, key_id: str) -> None:
    """Neither a UUID nor `mrk-` and 32 digits."""
    assert not_found(f"Invalid keyId '{key_id}'") == error(kms, key_id)


def test_an_id_within_an_arn_that_is_none_is_told_without_quotes(kms: FakeKMS) -> None:
    """Another sentence than for the id alone."""
    assert not_found("Invalid keyId foo") == error(kms, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/foo")


def test_an_id_in_upper_case_is_accepted(kms: FakeKMS) -> None:
    """Key ids are told in lower case and read in any."""
    key = kms.create_key(key_id=KEY_ID)

    for name in (KEY_ID.upper(), f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID.upper()}"):
        assert key.arn == kms.client.describe_key(KeyId=name)["KeyMetadata"].get("Arn")


def test_the_id_of_a_multi_region_key_is_an_id(kms: FakeKMS) -> None:
    """Such ids are read; a key of that id may be arranged or not be there."""
    there, gone = f"mrk-{'1' * 32}", f"mrk-{'2' * 32}"
    key = kms.create_key(key_id=there, multi_region=True)

    assert key.arn == kms.client.describe_key(KeyId=there)["KeyMetadata"].get("Arn")
    assert not_found(f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{gone}' does not exist") == error(kms, gone)


@pytest.mark.parametrize("name", [KEY_ID, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}"], ids=["id", "ARN"])
def test_a_key_that_is_not_there_is_told_by_its_arn(kms: FakeKMS, name: str) -> None:
    """By whichever name it was asked for."""
    assert not_found(f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}' does not exist") == error(kms, name)


def test_a_key_that_is_elsewhere_is_explained(kms: FakeKMS) -> None:
    """AWS says that it does not exist; the report of the test says where it is."""
    key = kms.create_key(region="eu-west-1")

    assert not_found(f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{key.id}' does not exist") == error(kms, key.id)
    assert "the key is in eu-west-1, the call went to us-east-1" == kms.trail.last.why


def test_an_alias_that_is_not_there_is_told_by_its_arn(kms: FakeKMS) -> None:
    """By whichever name it was asked for; the report of the test says where it is."""
    kms.create_key("orders", region="eu-west-1")
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/orders"

    assert not_found(f"Alias {arn} is not found.") == error(kms, "alias/orders")
    assert "alias/orders is in eu-west-1, the call went to us-east-1" == kms.trail.last.why
    assert not_found(f"Alias {arn} is not found.") == error(kms, arn)
