"""What a test arranges, without a call of KMS: keys, ciphertexts, clients, throttling."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from answers import STATES, UNKNOWN
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, UsageError, fake_kms

if TYPE_CHECKING:
    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})
ACCESS_DENIED_BY_CIPHERTEXT = (
    "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms:Decrypt on the resource"
    " associated with this ciphertext because the resource does not exist in this Region, no resource-based"
    " policies allow access, or a resource-based policy explicitly denies access"
)

Act = Callable[[FakeKMS], object]


def refusal(act: Callable[[], object]) -> str:
    """Return the text with which the fake refuses to arrange something."""
    with pytest.raises(UsageError) as excinfo:
        act()
    return str(excinfo.value)


def error_of(act: Callable[[], object]) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        act()
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


# create_key


def test_a_key_needs_no_arguments(kms: FakeKMS) -> None:
    """It is enabled, in the fake's Region and account, and has no name."""
    key = kms.create_key()
    assert ("us-east-1", "123456789012", "Enabled", None) == (key.region, key.account, key.state, key.alias)
    assert f"arn:aws:kms:us-east-1:123456789012:key/{key.id}" == key.arn
    assert "" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["Description"]


@pytest.mark.parametrize("given", ["orders", "alias/orders"], ids=["without the prefix", "with the prefix"])
def test_a_key_is_made_with_its_alias(kms: FakeKMS, given: str) -> None:
    """The prefix of the alias may be left out."""
    key = kms.create_key(given)
    assert "alias/orders" == key.alias
    assert key.arn == kms.client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]


def test_a_key_is_made_with_an_id(kms: FakeKMS) -> None:
    """The id is the one that was asked for, and calls find it."""
    assert ID == kms.create_key(key_id=ID).id
    assert ID == kms.client.describe_key(KeyId=ID)["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("state", STATES)
def test_a_key_is_made_in_any_state(kms: FakeKMS, state: str) -> None:
    """DescribeKey tells the state at once."""
    key = kms.create_key(state=state)
    assert state == key.state
    assert state == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]


def test_a_key_is_made_with_a_description(kms: FakeKMS) -> None:
    """DescribeKey tells it."""
    key = kms.create_key(description="seals orders")
    assert "seals orders" == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["Description"]


def test_a_key_is_made_with_tags(kms: FakeKMS) -> None:
    """The tags are the key's own: what the test does with its mapping later does not matter."""
    tags = {"team": "shop"}
    key = kms.create_key(tags=tags)
    tags.clear()
    assert {"team": "shop"} == key.tags


def test_keys_of_the_same_material_differ(kms: FakeKMS) -> None:
    """Material alone makes no key: a ciphertext belongs to the key that made it."""
    first, second = kms.create_key(material=b"k" * 32), kms.create_key(material=b"k" * 32)
    blob = kms.encrypt(first, b"secret")
    assert first.arn == kms.client.decrypt(CiphertextBlob=blob)["KeyId"]
    assert "IncorrectKeyException" == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId=second.id))["Code"]


def test_given_material_is_what_encrypts(kms: FakeKMS) -> None:
    """The key uses the bytes that it was given."""
    key = kms.create_key(material=b"k" * 32)
    assert b"k" * 32 == key.material
    assert b"secret" == kms.decrypt(kms.encrypt(key, b"secret"))


def test_a_key_is_made_in_another_region(kms: FakeKMS) -> None:
    """A key lives in one Region alone."""
    key = kms.create_key("orders", region="eu-west-1")
    assert f"arn:aws:kms:eu-west-1:123456789012:key/{key.id}" == key.arn
    assert key.id == kms.client_for(region="eu-west-1").describe_key(KeyId="alias/orders")["KeyMetadata"]["KeyId"]
    assert {
        "Code": "NotFoundException",
        "Message": "Alias arn:aws:kms:us-east-1:123456789012:alias/orders is not found.",
    } == error_of(lambda: kms.client.describe_key(KeyId="alias/orders"))


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")],
)
def test_a_key_is_named_in_its_partition(kms: FakeKMS, region: str, partition: str) -> None:
    """Regions of China and of the US government have partitions of their own."""
    key = kms.create_key(region=region)
    assert f"arn:{partition}:kms:{region}:123456789012:key/{key.id}" == key.arn


def test_a_key_is_made_in_another_account(kms: FakeKMS) -> None:
    """It is closed to the default principal."""
    key = kms.create_key("orders", account="999999999999")
    assert f"arn:aws:kms:us-east-1:999999999999:key/{key.id}" == key.arn
    assert [] == kms.client.list_keys()["Keys"]
    assert "AccessDeniedException" == error_of(lambda: kms.client.describe_key(KeyId=key.arn))["Code"]


def test_an_alias_is_free_in_each_region_and_account(kms: FakeKMS) -> None:
    """The same name may stand for as many keys as there are Regions and accounts."""
    keys = [
        kms.create_key("orders"),
        kms.create_key("orders", region="eu-west-1"),
        kms.create_key("orders", account="999999999999"),
    ]
    assert 3 == len({key.arn for key in keys})
    assert ["alias/orders"] * 3 == [key.alias for key in keys]


def test_an_id_is_free_in_each_region(kms: FakeKMS) -> None:
    """Two Regions may have keys of one id."""
    assert kms.create_key(key_id=ID).arn != kms.create_key(key_id=ID, region="eu-west-1").arn


def test_a_fake_has_the_account_and_region_that_it_was_given() -> None:
    """The default principal is of that account, and `repr` tells both."""
    with fake_kms(region="eu-central-1", account="999999999999") as kms:
        key = kms.create_key("orders")
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
        assert f"arn:aws:kms:eu-central-1:999999999999:key/{key.id}" == key.arn
        assert "arn:aws:iam::999999999999:user/tester" == kms.trail.last.principal
        assert "<FakeKMS of account 999999999999 in eu-central-1>" == repr(kms)


# replicate


def test_a_replica_is_ready_at_once(kms: FakeKMS) -> None:
    """It has the id of its primary, defaults else, and opens what the primary seals."""
    key = kms.create_key("orders", multi_region=True, description="of orders", tags={"team": "shop"})
    replica = kms.replicate(key, "eu-west-1")
    assert (key.id, key.arn.replace("us-east-1", "eu-west-1"), "eu-west-1", "123456789012") == (
        replica.id,
        replica.arn,
        replica.region,
        replica.account,
    )
    assert ("REPLICA", "Enabled", "", {}, []) == (
        replica.multi_region,
        replica.state,
        replica.description,
        replica.tags,
        replica.aliases,
    )
    blob = kms.encrypt(key, b"secret")
    assert b"secret" == kms.client_for(region="eu-west-1").decrypt(CiphertextBlob=blob)["Plaintext"]
    assert b"secret" == kms.decrypt(kms.encrypt(replica, b"secret"), key=key)


def test_a_key_is_replicated_by_any_of_its_names(kms: FakeKMS) -> None:
    """Or by any of its relatives."""
    key = kms.create_key("orders", multi_region=True)
    regions = ["ap-east-1", "ca-west-1", "eu-west-1", "sa-east-1", "us-west-2"]
    for form, region in zip(FORMS.values(), regions, strict=True):
        kms.replicate(form(key), region)
    replica = kms.replicate(kms.replicate(key, "eu-west-2"), "eu-west-3")
    told = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["MultiRegionConfiguration"]["ReplicaKeys"]
    assert sorted([*regions, "eu-west-2", replica.region]) == [entry["Region"] for entry in told]


@pytest.mark.parametrize("state", STATES)
def test_a_replica_is_made_in_any_state(kms: FakeKMS, state: str) -> None:
    """And with an alias of its own."""
    replica = kms.replicate(kms.create_key(multi_region=True), "eu-west-1", alias="orders", state=state)
    shown = kms.client_for(region="eu-west-1").describe_key(KeyId="alias/orders")["KeyMetadata"]
    assert (state, replica.arn) == (shown["KeyState"], shown["Arn"])


def test_imported_material_comes_along(kms: FakeKMS) -> None:
    """All of it; a replica that is pending import waits for it, as one made by a call does."""
    key = kms.create_key(origin="EXTERNAL", material=b"1" * 32, multi_region=True)
    blob = kms.encrypt(key, b"secret")
    kms.import_key_material(key, b"2" * 32)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(minutes=2)
    replica, waiting = kms.replicate(key, "eu-west-1"), kms.replicate(key, "us-west-2", state="PendingImport")
    assert ("Enabled", "PendingImport") == (replica.state, waiting.state)
    assert b"secret" == kms.client_for(region="eu-west-1").decrypt(CiphertextBlob=blob)["Plaintext"]
    kms.import_key_material(waiting, b"1" * 32)
    assert "PendingImport" == waiting.state
    kms.import_key_material(waiting, b"2" * 32)
    assert "Enabled" == waiting.state


# AWS managed keys


@pytest.mark.parametrize("name", ["s3", "alias/aws/s3"], ids=["service", "alias"])
def test_an_aws_managed_key_is_made_on_first_use(kms: FakeKMS, name: str) -> None:
    """It is the account's one key for that service, however it is asked for."""
    key = kms.aws_managed_key(name)
    assert ("AWS", "alias/aws/s3") == (key.manager, key.alias)
    assert key is kms.aws_managed_key("s3")
    metadata = kms.client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert ("AWS", key.arn) == (metadata["KeyManager"], metadata["Arn"])


def test_a_call_may_be_the_first_to_use_an_aws_managed_key(kms: FakeKMS) -> None:
    """The key that a call has brought into being is the one that the test gets."""
    arn = kms.client.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert arn == kms.aws_managed_key("ebs").arn


def test_an_aws_managed_key_is_of_a_region_and_an_account(kms: FakeKMS) -> None:
    """Each Region and each account has its own."""
    keys = [
        kms.aws_managed_key("s3"),
        kms.aws_managed_key("s3", region="eu-west-1"),
        kms.aws_managed_key("s3", account="999999999999"),
    ]
    assert [
        f"arn:aws:kms:us-east-1:123456789012:key/{keys[0].id}",
        f"arn:aws:kms:eu-west-1:123456789012:key/{keys[1].id}",
        f"arn:aws:kms:us-east-1:999999999999:key/{keys[2].id}",
    ] == [key.arn for key in keys]


def test_a_service_without_an_aws_managed_key_is_refused(kms: FakeKMS) -> None:
    """The refusal names the services that have one."""
    assert (
        "pytest-kms: 's4' has no AWS managed key. Services that have: acm, backup, codecommit, connect, dms,"
        " dynamodb, ebs, ecr, elasticfilesystem, es, fsx, glue, imagebuilder, kafka, kinesis, kinesisvideo,"
        " lambda, mq, rds, redshift, s3, secretsmanager, sns, sqs, ssm, workmail, xray."
    ) == refusal(lambda: kms.aws_managed_key("s4"))


def test_a_bad_account_has_no_aws_managed_key(kms: FakeKMS) -> None:
    """The account is held to what AWS has, as it is for other keys."""
    assert "pytest-kms: an account has 12 digits, '1' has not" == refusal(
        lambda: kms.aws_managed_key("s3", account="1")
    )


# AWS owned keys


def test_an_aws_owned_key_is_one_for_each_service_and_region(kms: FakeKMS) -> None:
    """It is made on first use, and is the same from then on."""
    key = kms.aws_owned_key("dynamodb")
    assert "AWS_OWNED" == key.manager
    assert key is kms.aws_owned_key("dynamodb")
    assert 3 == len({key.arn, kms.aws_owned_key("sqs").arn, kms.aws_owned_key("dynamodb", region="eu-west-1").arn})


def test_a_service_uses_its_aws_owned_key(kms: FakeKMS) -> None:
    """The test encrypts and decrypts in the service's place."""
    key = kms.aws_owned_key("dynamodb")
    assert b"row" == kms.decrypt(kms.encrypt(key, b"row", {"table": "orders"}), {"table": "orders"})


def test_an_aws_owned_key_is_not_described(kms: FakeKMS) -> None:
    """It is in no account that a customer could see: its id is unknown, its ARN closed."""
    key = kms.aws_owned_key("dynamodb")
    assert {
        "Code": "NotFoundException",
        "Message": f"Key 'arn:aws:kms:us-east-1:123456789012:key/{key.id}' does not exist",
    } == error_of(lambda: kms.client.describe_key(KeyId=key.id))
    assert "AccessDeniedException" == error_of(lambda: kms.client.describe_key(KeyId=key.arn))["Code"]


def test_an_aws_owned_key_is_not_listed(kms: FakeKMS) -> None:
    """Neither ListKeys nor ListAliases shows it."""
    before = kms.client.list_aliases(Limit=100)["Aliases"]
    kms.aws_owned_key("dynamodb")
    assert [] == kms.client.list_keys()["Keys"]
    assert before == kms.client.list_aliases(Limit=100)["Aliases"]


def test_the_use_of_an_aws_owned_key_leaves_no_trace(kms: FakeKMS) -> None:
    """No quota counts it, and no trail shows it."""
    kms.quotas["Cryptographic operations (symmetric)"] = 0
    kms.decrypt(kms.encrypt(kms.aws_owned_key("dynamodb"), b"row"))
    assert [] == list(kms.trail)


def test_a_customer_does_not_decrypt_with_an_aws_owned_key(kms: FakeKMS) -> None:
    """What the service has encrypted is closed to the account, and AWS does not say whose it is."""
    blob = kms.encrypt(kms.aws_owned_key("dynamodb"), b"row")
    assert {
        "Code": "AccessDeniedException",
        "Message": ACCESS_DENIED_BY_CIPHERTEXT,
    } == error_of(lambda: kms.client.decrypt(CiphertextBlob=blob))


ASSERTIONS_ON_A_KEY: dict[str, Callable[[FakeKMS, Any], object]] = {
    "assert_used": lambda kms, key: kms.assert_used(key),
    "assert_not_used": lambda kms, key: kms.assert_not_used(key),
    "assert_only_used": lambda kms, key: kms.assert_only_used(key),
    "assert_called": lambda kms, key: kms.assert_called("Encrypt", key=key),
    "assert_not_called": lambda kms, key: kms.assert_not_called("Encrypt", key=key),
    "assert_throttled": lambda kms, key: kms.assert_throttled(key=key),
    "assert_denied": lambda kms, key: kms.assert_denied(key=key),
    "trail.filter": lambda kms, key: kms.trail.filter(key=key),
    "throttle": lambda kms, key: kms.throttle(key=key),
}


@pytest.mark.parametrize("form", ["Key", "id", "arn"])
@pytest.mark.parametrize("act", ASSERTIONS_ON_A_KEY.values(), ids=ASSERTIONS_ON_A_KEY)
def test_nothing_is_said_about_an_aws_owned_key(kms: FakeKMS, act: Callable[[FakeKMS, Any], object], form: str) -> None:
    """An assertion on it could never fail, and so it says why it cannot be made."""
    key = kms.aws_owned_key("dynamodb")
    assert (
        f"pytest-kms: {key.id} is an AWS owned key: it is in no customer's account, and CloudTrail never shows"
        " its use. Assert on a customer managed or AWS managed key instead."
    ) == refusal(lambda: act(kms, key if form == "Key" else getattr(key, form)))


@pytest.mark.parametrize("act", ASSERTIONS_ON_A_KEY.values(), ids=ASSERTIONS_ON_A_KEY)
def test_nothing_is_said_about_an_unknown_key(kms: FakeKMS, act: Callable[[FakeKMS, Any], object]) -> None:
    """The refusal names the keys that there are, by their aliases."""
    kms.create_key("orders")
    kms.create_key("archive", region="eu-west-1")
    assert (
        "pytest-kms: no key is called 'alias/oders'. Known keys: alias/archive (eu-west-1), alias/orders (us-east-1)."
    ) == refusal(lambda: act(kms, "alias/oders"))


def test_where_no_key_is_known_the_refusal_says_so(kms: FakeKMS) -> None:
    """Without any key the list is `none`."""
    assert f"pytest-kms: no key is called '{UNKNOWN}'. Known keys: none." == refusal(lambda: kms.assert_used(UNKNOWN))


# encrypt and decrypt

FORMS: dict[str, Callable[[Key], Any]] = {
    "Key": lambda key: key,
    "key id": lambda key: key.id,
    "key ARN": lambda key: key.arn,
    "alias name": lambda key: key.alias,
    "alias ARN": lambda key: f"arn:aws:kms:{key.region}:{key.account}:{key.alias}",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_ciphertext_is_made_with_a_key_by_any_of_its_names(kms: FakeKMS, form: Callable[[Key], Any]) -> None:
    """The code under test decrypts what the test has encrypted."""
    key = kms.create_key("orders")
    blob = kms.encrypt(form(key), b"secret", {"order": "7"})
    answer = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "7"})
    assert (key.arn, b"secret") == (answer["KeyId"], answer["Plaintext"])


def test_the_test_opens_what_the_code_has_made(kms: FakeKMS) -> None:
    """Ciphertexts of Encrypt and of the data key operations alike."""
    kms.create_key("orders")
    blob = kms.client.encrypt(KeyId="alias/orders", Plaintext=b"secret")["CiphertextBlob"]
    data_key = kms.client.generate_data_key(KeyId="alias/orders", NumberOfBytes=7, EncryptionContext={"a": "b"})
    assert b"secret" == kms.decrypt(blob)
    assert data_key["Plaintext"] == kms.decrypt(data_key["CiphertextBlob"], {"a": "b"})


@pytest.mark.parametrize("state", STATES)
def test_arranging_encrypts_in_any_state(kms: FakeKMS, state: str) -> None:
    """The test need not enable a key to make its data."""
    key = kms.create_key(state=state)
    assert b"secret" == kms.decrypt(kms.encrypt(key, b"secret"))


@pytest.mark.parametrize("size", [1, 4096])
def test_arranging_encrypts_as_much_as_kms_does(kms: FakeKMS, size: int) -> None:
    """From 1 to 4,096 bytes."""
    assert b"x" * size == kms.decrypt(kms.encrypt(kms.create_key(), b"x" * size))


@pytest.mark.parametrize("size", [0, 4097])
def test_arranging_encrypts_no_more_than_kms_does(kms: FakeKMS, size: int) -> None:
    """No bytes, or too many, could never have come from KMS."""
    key = kms.create_key()
    assert f"pytest-kms: KMS encrypts 1 to 4096 bytes, not {size}" == refusal(lambda: kms.encrypt(key, b"x" * size))


def test_a_key_that_is_unknown_encrypts_nothing(kms: FakeKMS) -> None:
    """The refusal is that of the assertions."""
    assert "pytest-kms: no key is called 'alias/orders'. Known keys: none." == refusal(
        lambda: kms.encrypt("alias/orders", b"secret")
    )


def test_a_name_means_the_key_of_the_fakes_own_region(kms: FakeKMS) -> None:
    """Where several Regions have the alias, data is made for the Region that the test is about."""
    kms.create_key("orders", region="eu-west-1")
    kms.create_key("orders", account="999999999999")
    key = kms.create_key("orders")
    blob = kms.encrypt("alias/orders", b"secret")
    assert key.arn == kms.client.decrypt(CiphertextBlob=blob)["KeyId"]


def test_an_altered_ciphertext_does_not_open(kms: FakeKMS) -> None:
    """The last byte belongs to the tag that authenticates it."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    altered = blob[:-1] + bytes((blob[-1] ^ 1,))
    assert "pytest-kms: the ciphertext does not open: the ciphertext was altered" == refusal(
        lambda: kms.decrypt(altered)
    )


def test_another_context_does_not_open_a_ciphertext(kms: FakeKMS) -> None:
    """The refusal tells how the contexts differ."""
    blob = kms.encrypt(kms.create_key(), b"secret", {"order": "7", "team": "shop"})
    assert (
        "pytest-kms: the ciphertext does not open: the encryption context differs: order '7' -> '8',"
        " team 'shop' is missing, user 'a' is too many"
    ) == refusal(lambda: kms.decrypt(blob, {"order": "8", "user": "a"}))


NO_KEY_OF_OURS = "pytest-kms: the ciphertext was made with no symmetric key of this fake; if with another, say key="


@pytest.mark.parametrize("blob", [b"", b"secret", b"\x01\x02\x02\x00x" + b"k" * 200], ids=["empty", "other", "alike"])
def test_a_foreign_ciphertext_does_not_open(kms: FakeKMS, blob: bytes) -> None:
    """What this fake has not made is not opened."""
    assert NO_KEY_OF_OURS == refusal(lambda: kms.decrypt(blob))


def test_a_ciphertext_of_another_fake_does_not_open(kms: FakeKMS) -> None:
    """A seed of its own makes keys of its own."""
    with fake_kms() as other:
        blob = other.encrypt(other.create_key(), b"secret")
    assert NO_KEY_OF_OURS == refusal(lambda: kms.decrypt(blob))


# clients


def test_the_client_is_made_once(kms: FakeKMS) -> None:
    """Each Region has one; a configuration of its own makes a new one."""
    assert kms.client is kms.client_for(region="us-east-1")
    assert kms.client_for(region="eu-west-1") is kms.client_for(region="eu-west-1")
    assert kms.client is not kms.client_for(config=ONE_ATTEMPT)
    assert "us-east-1" == kms.client.meta.region_name
    assert "eu-west-1" == kms.client_for(region="eu-west-1").meta.region_name


def test_a_client_with_a_configuration_is_of_a_region_too(kms: FakeKMS) -> None:
    """Both may be given at once."""
    client = kms.client_for(region="eu-west-1", config=ONE_ATTEMPT)
    key = kms.create_key(region="eu-west-1")
    assert key.arn == client.describe_key(KeyId=key.id)["KeyMetadata"]["Arn"]


# throttle


def test_the_next_request_is_throttled(kms: FakeKMS) -> None:
    """One request, of any operation, and no more."""
    kms.throttle()
    client = kms.client_for(config=ONE_ATTEMPT)
    assert {
        "Code": "ThrottlingException",
        "Message": "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    } == error_of(client.list_keys)
    assert [] == client.list_keys()["Keys"]
    assert "the test ordered it with kms.throttle" == kms.trail[0].why


def test_only_the_named_operation_is_throttled(kms: FakeKMS) -> None:
    """Other operations pass, and use up nothing."""
    kms.throttle("GenerateRandom", times=2)
    client = kms.client_for(config=ONE_ATTEMPT)
    client.list_keys()
    for _ in range(2):
        assert "ThrottlingException" == error_of(lambda: client.generate_random(NumberOfBytes=1))["Code"]
    assert 1 == len(client.generate_random(NumberOfBytes=1)["Plaintext"])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_only_requests_on_the_named_key_are_throttled(kms: FakeKMS, form: Callable[[Key], Any]) -> None:
    """The key may be given by any of its names, and be called by any other."""
    key, other = kms.create_key("orders"), kms.create_key()
    kms.throttle(key=form(key))
    client = kms.client_for(config=ONE_ATTEMPT)
    client.describe_key(KeyId=other.id)
    client.list_keys()
    assert "ThrottlingException" == error_of(lambda: client.describe_key(KeyId=key.id))["Code"]


def test_throttling_is_used_up_in_order(kms: FakeKMS) -> None:
    """Two orders last for two calls, and what is left over is told."""
    kms.throttle("ListKeys")
    kms.throttle(times=2)
    client = kms.client_for(config=ONE_ATTEMPT)
    assert "ThrottlingException" == error_of(client.list_keys)["Code"]
    assert ["ThrottlingException for any operation, 2 of them left"] == [str(fault) for fault in kms.unused_faults()]
    kms.reset()


@pytest.mark.parametrize("times", [0, -1])
def test_throttling_happens_at_least_once(kms: FakeKMS, times: int) -> None:
    """To throttle never is no order."""
    assert f"pytest-kms: times is 1 or more, not {times}" == refusal(lambda: kms.throttle(times=times))


def test_an_unknown_operation_is_not_throttled(kms: FakeKMS) -> None:
    """The refusal says what may have been meant."""
    assert "pytest-kms: KMS has no operation 'Encypt'. Did you mean Encrypt or ReEncrypt or Decrypt?" == refusal(
        lambda: kms.throttle("Encypt")
    )


def test_a_refused_order_throttles_nothing(kms: FakeKMS) -> None:
    """An order that cannot be leaves no fault behind."""
    refusal(lambda: kms.throttle("ListKeys", key=UNKNOWN))
    assert [] == kms.unused_faults()


# what arranging leaves alone

ARRANGING: dict[str, Act] = {
    "create_key": lambda kms: kms.create_key(),
    "create_key with all": lambda kms: kms.create_key("new", key_id=UNKNOWN, state="Disabled", tags={"a": "b"}),
    "aws_managed_key": lambda kms: kms.aws_managed_key("s3"),
    "aws_owned_key": lambda kms: kms.aws_owned_key("s3"),
    "replicate": lambda kms: kms.replicate(kms.create_key(multi_region=True), "us-west-2"),
    "encrypt and decrypt": lambda kms: kms.decrypt(kms.encrypt("alias/orders", b"secret")),
    "a key's state": lambda kms: setattr(kms.create_key(), "state", "PendingDeletion"),
    "client_for": lambda kms: kms.client_for(region="eu-west-1"),
    "clock": lambda kms: kms.clock.advance(days=1),
}


@pytest.mark.parametrize("arrange", ARRANGING.values(), ids=ARRANGING)
def test_arranging_is_not_recorded_throttled_or_counted(kms: FakeKMS, arrange: Act) -> None:
    """It does not go through the API: the one call that the quotas leave is the test's, and is the first."""
    kms.create_key("orders")
    for quota in ("CreateKey", "Encrypt", "Decrypt", "DescribeKey", "Cryptographic operations (symmetric)"):
        kms.quotas[quota] = 1
    kms.throttle("GenerateRandom", times=1)
    kms.throttle("CreateKey", times=1)
    arrange(kms)
    assert [] == list(kms.trail)
    assert 2 == len(kms.unused_faults())
    client = kms.client_for(config=ONE_ATTEMPT)
    client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    assert "ThrottlingException" == error_of(lambda: client.encrypt(KeyId="alias/orders", Plaintext=b"x"))["Code"]
    kms.reset()


# reset


def test_reset_forgets_everything(kms: FakeKMS) -> None:
    """Keys, aliases, calls, quotas, faults and the time are as in a new fake."""
    kms.create_key("orders")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.throttle(times=9)
    kms.quotas["ListKeys"] = 0
    later = kms.clock.advance(days=400)
    kms.reset()
    assert [] == list(kms.trail)
    assert [] == kms.unused_faults()
    assert later > kms.clock.now
    assert [] == kms.client.list_keys()["Keys"]
    assert "alias/orders" == kms.create_key("orders").alias


def test_reset_keeps_what_the_fake_was_made_with() -> None:
    """Region, account, quotas and seed were not the test's doing."""
    with fake_kms(region="eu-west-1", account="999999999999", quotas={"ListKeys": 0}, seed=1) as kms:
        before = kms.create_key().arn
        kms.reset()
        assert before == kms.create_key().arn
        assert before.startswith("arn:aws:kms:eu-west-1:999999999999:key/")
        assert "ThrottlingException" == error_of(kms.client_for(config=ONE_ATTEMPT).list_keys)["Code"]


def test_a_client_goes_on_after_reset(kms: FakeKMS) -> None:
    """Clients that were made before reach the fake as it is now."""
    client = kms.client
    kms.reset()
    key = kms.create_key()
    assert key.arn == client.describe_key(KeyId=key.id)["KeyMetadata"]["Arn"]


def test_a_ciphertext_does_not_outlive_reset(kms: FakeKMS) -> None:
    """Its key is gone, and a key of the same alias is another."""
    blob = kms.encrypt(kms.create_key("orders"), b"secret")
    kms.reset()
    kms.create_key("orders")
    assert {"Code": "InvalidCiphertextException", "Message": ""} == error_of(
        lambda: kms.client.decrypt(CiphertextBlob=blob)
    )


def test_a_fake_enforces_no_quotas_when_told_so() -> None:
    """`quotas=False` lasts beyond `reset`."""
    with fake_kms(quotas=False) as kms:
        kms.reset()
        for _ in range(7):  # AWS admits 5 in a second
            kms.client_for(config=ONE_ATTEMPT).create_key()
        assert 0 == sum(event.throttled for event in kms.trail)


# seeds


def things_of(seed: int | str | None) -> dict[str, object]:
    """Return all that is random in a fake, from the first request on."""
    with fake_kms(region="us-east-1", seed=seed) as kms:
        key = kms.create_key("orders")
        made = kms.client.create_key()["KeyMetadata"]
        data_key = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
        return {
            "key id": key.id,
            "key id of CreateKey": made["KeyId"],
            "key material": key.material,
            "key material id": made["CurrentKeyMaterialId"],
            "AWS managed key": kms.aws_managed_key("s3").id,
            "AWS owned key": kms.aws_owned_key("s3").id,
            "ciphertext of the test": kms.encrypt(key, b"secret"),
            "ciphertext": kms.client.encrypt(KeyId=key.id, Plaintext=b"secret")["CiphertextBlob"],
            "data key": data_key["Plaintext"],
            "data key, encrypted": data_key["CiphertextBlob"],
            "random bytes": kms.client.generate_random(NumberOfBytes=16)["Plaintext"],
            "request id": kms.trail.last.request_id,
        }


@pytest.mark.parametrize("seed", [0, 1, "orders"])
def test_a_seed_repeats_all_that_is_random(seed: int | str) -> None:
    """Two fakes of one seed are alike to the byte."""
    assert things_of(seed) == things_of(seed)


@pytest.mark.parametrize(("one", "other"), [(None, None), (1, 2), ("a", "b"), (None, 1)])
def test_without_the_same_seed_nothing_repeats(one: int | str | None, other: int | str | None) -> None:
    """Two fakes have nothing random in common."""
    first, second = things_of(one), things_of(other)
    assert [] == [name for name in first if first[name] == second[name]]


@pytest.mark.kms(seed=7)
def test_the_marker_gives_the_seed(kms: FakeKMS) -> None:
    """A fixture with a seed is the same fake as one made by hand."""
    with fake_kms(region="us-east-1", seed=7) as other:
        assert other.create_key().id == kms.create_key().id


# threads


def test_one_thread_arranges_while_another_calls(kms: FakeKMS) -> None:
    """Keys are made, names are given and calls are answered at the same time, and none is lost."""
    key = kms.create_key("orders")
    begin = threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def arrange() -> None:
        for number in range(100):
            made = kms.create_key(f"new-{number}", region=f"eu-west-{1 + number % 3}")
            kms.decrypt(kms.encrypt(made, b"secret"))
            kms.aws_managed_key("s3", account=f"{number:012}")

    def call() -> None:
        for number in range(100):
            blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"x" * (1 + number))["CiphertextBlob"]
            kms.client_for(region="eu-west-1").list_aliases()
            kms.assert_used(key, "Encrypt", times=number + 1)
            assert b"x" * (1 + number) == kms.decrypt(blob)

    def run(task: Callable[[], None]) -> None:
        begin.wait()
        try:
            task()
        except BaseException as error:  # noqa: BLE001  # the test's own thread tells it
            failures.append(error)

    client = kms.client  # making one is not botocore's to do in two threads at once
    threads = [threading.Thread(target=run, args=(task,)) for task in (arrange, call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    assert 200 == len(kms.trail)
    kms.quotas.off()
    aliases = [
        entry["AliasName"]
        for region in ("eu-west-1", "eu-west-2", "eu-west-3")
        for page in kms.client_for(region=region).get_paginator("list_aliases").paginate()
        for entry in page["Aliases"]
        if "TargetKeyId" in entry
    ]
    assert sorted(f"alias/new-{number}" for number in range(100)) == sorted(aliases)
    assert client is kms.client


def test_one_id_is_given_once(kms: FakeKMS) -> None:
    """Of many threads that ask for the same id and alias, one gets them."""
    begin = threading.Barrier(8, timeout=30)
    keys: list[Key] = []
    refusals: list[UsageError] = []

    def make() -> None:
        begin.wait()
        try:
            keys.append(kms.create_key("orders", key_id=ID))
        except UsageError as error:
            refusals.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (1, 7) == (len(keys), len(refusals))
    assert ["alias/orders"] == keys[0].aliases


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def failures_of(*tasks: Callable[[], object]) -> list[BaseException]:
    """Run tasks in threads that begin together, and return what they raise."""
    begin = threading.Barrier(len(tasks), timeout=30)
    failures: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        begin.wait()
        try:
            task()
        except BaseException as error:  # noqa: BLE001  # the test's own thread tells it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_one_name_is_given_once_however_hasty_the_threads(hasty: None) -> None:
    """Whether a name is free is asked and answered in one go."""
    for _ in range(30):
        with fake_kms() as kms:
            failures = failures_of(*[lambda kms=kms: kms.create_key("orders")] * 6)
            assert [UsageError] * 5 == [type(failure) for failure in failures]


def test_what_falls_due_happens_once_however_many_look(hasty: None) -> None:
    """The deletions of many keys are not done by two threads at once."""
    for _ in range(10):
        with fake_kms() as kms:
            for _ in range(100):
                kms.create_key(state="PendingDeletion")
            key = kms.create_key()
            kms.clock.advance(days=31)
            assert [] == failures_of(*[lambda kms=kms, key=key: kms.assert_not_used(key)] * 4)
            assert [key] == list(kms.world.all_keys())


def test_an_unknown_name_is_told_while_keys_are_made(hasty: None) -> None:
    """Who looks through all keys is not disturbed by new ones."""
    with fake_kms() as kms:
        for _ in range(100):
            kms.create_key()

        def make() -> None:
            for _ in range(500):
                kms.create_key()

        def ask() -> None:
            for _ in range(100):
                refusal(lambda: kms.trail.filter(key="alias/nothing"))

        assert [] == failures_of(make, ask)


def test_a_ciphertext_that_is_cut_is_told_as_cut(kms: FakeKMS) -> None:
    """What the code under test has stored may have lost its end."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    with pytest.raises(UsageError) as excinfo:
        kms.decrypt(blob[:-3])
    assert "pytest-kms: the ciphertext does not open: the ciphertext is cut by 3 bytes" == str(excinfo.value)
