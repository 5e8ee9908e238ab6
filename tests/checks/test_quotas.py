"""Request quotas: so many calls a second, in each account and Region, in the fake's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from policies import allow, by, policy

from pytest_kms import UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

TEXT = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
POOL = "Cryptographic operations (symmetric)"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def kms(kms: FakeKMS) -> FakeKMS:
    """Return a fake whose time stands still, so that a slow machine sees what a fast one sees."""
    kms.clock.freeze()
    return kms


@pytest.fixture
def client(kms: FakeKMS) -> KMSClient:
    """Return a client that does not retry."""
    return kms.client_for(config=ONCE)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a key."""
    return kms.create_key("orders")


def is_throttled(call: Callable[[], object]) -> bool:
    """Say whether a call is throttled; another error is none of the quota's."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] == "ThrottlingException"
    return False


def encrypts(client: KMSClient, key: Key) -> bool:
    """Say whether a call of Encrypt gets through."""
    return not is_throttled(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x"))


def test_a_call_over_quota_is_throttled_in_kms_words(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Code, text and status are those of a real ThrottlingException; the trail says which quota it was."""
    kms.quotas["Encrypt"] = 1
    client.encrypt(KeyId=key.id, Plaintext=b"x")

    with pytest.raises(ClientError) as excinfo:
        client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert {"Code": "ThrottlingException", "Message": TEXT} == excinfo.value.response["Error"]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert "over quota: Encrypt is 1 per second for account 123456789012 in us-east-1" == kms.trail.last.why


def test_the_next_second_has_a_quota_of_its_own(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """What is left over is not carried on, and what was used up comes back."""
    kms.quotas["Encrypt"] = 2

    assert [True, True, False] == [encrypts(client, key) for _ in range(3)]
    kms.clock.advance(seconds=1)
    assert [True, True, False] == [encrypts(client, key) for _ in range(3)]
    kms.clock.advance(minutes=1)
    assert [True, True, False] == [encrypts(client, key) for _ in range(3)]


def test_a_part_of_a_second_is_the_same_second(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Seconds are intervals, counted from the start of the fake."""
    kms.quotas["Encrypt"] = 1

    assert encrypts(client, key)
    kms.clock.advance(seconds=0.75)
    assert not encrypts(client, key)
    kms.clock.advance(seconds=0.25)
    assert encrypts(client, key)


def symmetric_calls(kms: FakeKMS, client: KMSClient, key: Key) -> dict[str, Callable[[], object]]:
    """Return a call of each operation that shares the quota of symmetric keys."""
    blob = kms.encrypt(key, b"x")
    hmac = kms.create_key(spec="HMAC_256").id
    return {
        "Encrypt": lambda: client.encrypt(KeyId=key.id, Plaintext=b"x"),
        "Decrypt": lambda: client.decrypt(CiphertextBlob=blob),
        "ReEncrypt": lambda: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key.id),
        "GenerateDataKey": lambda: client.generate_data_key(KeyId=key.id, KeySpec="AES_256"),
        "GenerateDataKeyWithoutPlaintext": lambda: client.generate_data_key_without_plaintext(
            KeyId=key.id, KeySpec="AES_256"
        ),
        "GenerateRandom": lambda: client.generate_random(NumberOfBytes=1),
        "GenerateMac": lambda: client.generate_mac(KeyId=hmac, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
        "VerifyMac": lambda: client.verify_mac(KeyId=hmac, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=b"x"),
    }


def test_cryptographic_operations_share_a_quota(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Any mixture of them counts one per call, ReEncrypt with its two keys as well."""
    calls = symmetric_calls(kms, client, key)
    kms.quotas[POOL] = len(calls)

    assert [False] * 8 == [is_throttled(call) for call in calls.values()]
    assert [True] * 8 == [is_throttled(call) for call in calls.values()]
    assert (
        f"over quota: {POOL} request rate is 8 per second for account 123456789012 in us-east-1" == kms.trail.last.why
    )


def test_management_does_not_count_among_cryptography(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Quotas are independent of each other."""
    kms.quotas[POOL] = 1
    kms.quotas["DescribeKey"] = 1

    assert encrypts(client, key)
    assert not is_throttled(lambda: client.describe_key(KeyId=key.id))
    assert not encrypts(client, key)
    assert is_throttled(lambda: client.describe_key(KeyId=key.id))
    assert not is_throttled(client.list_keys)


def test_all_keys_of_an_account_share_a_quota(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """A quota is the account's, not the key's."""
    kms.quotas[POOL] = 1

    assert encrypts(client, key)
    assert not encrypts(client, kms.create_key())


MANAGEMENT: dict[str, tuple[int, Callable[[KMSClient, str], object]]] = {
    "CreateKey": (5, lambda client, _: client.create_key()),
    "CreateAlias": (5, lambda client, key: client.create_alias(AliasName="alias/new", TargetKeyId=key)),
    "UpdateAlias": (5, lambda client, key: client.update_alias(AliasName="alias/orders", TargetKeyId=key)),
    "DeleteAlias": (15, lambda client, _: client.delete_alias(AliasName="alias/orders")),
    "EnableKey": (5, lambda client, key: client.enable_key(KeyId=key)),
    "DisableKey": (5, lambda client, key: client.disable_key(KeyId=key)),
    "ScheduleKeyDeletion": (15, lambda client, key: client.schedule_key_deletion(KeyId=key)),
    "CancelKeyDeletion": (5, lambda client, key: client.cancel_key_deletion(KeyId=key)),
    "UpdateKeyDescription": (5, lambda client, key: client.update_key_description(KeyId=key, Description="x")),
    "ListKeys": (500, lambda client, _: client.list_keys(Limit=1)),
    "ListAliases": (500, lambda client, _: client.list_aliases(Limit=1)),
}


@pytest.mark.parametrize("operation", MANAGEMENT)
def test_a_management_operation_has_a_quota_of_its_own(
    kms: FakeKMS, client: KMSClient, key: Key, operation: str
) -> None:
    """AWS's default holds where the test says nothing; calls that fail are counted too."""
    per_second, call = MANAGEMENT[operation]

    throttled = [is_throttled(lambda: call(client, key.id)) for _ in range(per_second + 2)]

    assert [False] * per_second + [True] * 2 == throttled
    assert not is_throttled(lambda: client.describe_key(KeyId=key.id))


@pytest.mark.parametrize("operation", ["DescribeKey", "ListKeys"])
def test_a_quota_is_set_by_the_name_of_its_operation(kms: FakeKMS, client: KMSClient, key: Key, operation: str) -> None:
    """`kms.quotas["DescribeKey"]` and AWS's name `DescribeKey request rate` are the same."""
    kms.quotas[operation] = 2

    assert 2 == kms.quotas[f"{operation} request rate"]
    calls: dict[str, Callable[[], object]] = {
        "DescribeKey": lambda: client.describe_key(KeyId=key.id),
        "ListKeys": client.list_keys,
    }
    assert [False, False, True] == [is_throttled(calls[operation]) for _ in range(3)]


def test_an_operation_that_shares_a_quota_may_be_limited_alone(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """The others go on under the shared quota, in which the one limited counts as well."""
    kms.quotas["Decrypt"] = 1
    kms.quotas[POOL] = 3
    calls = symmetric_calls(kms, client, key)

    assert not is_throttled(calls["Decrypt"])
    assert not is_throttled(calls["Encrypt"])
    assert is_throttled(calls["Decrypt"])
    assert is_throttled(calls["Encrypt"])


def test_a_region_has_quotas_of_its_own(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """What is used up in one Region is untouched in another."""
    elsewhere = kms.client_for(region="eu-west-1", config=ONCE)
    other = kms.create_key(region="eu-west-1")
    kms.quotas[POOL] = 1

    assert encrypts(client, key)
    assert encrypts(elsewhere, other)
    assert not encrypts(client, key)
    assert not encrypts(elsewhere, other)
    assert kms.trail.last.why.endswith("for account 123456789012 in eu-west-1")


def test_clients_share_the_quotas_of_their_account(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """A quota is not the client's."""
    kms.quotas["Encrypt"] = 1

    assert encrypts(client, key)
    assert not encrypts(kms.client_for(config=ONCE), key)


def test_a_dry_run_counts(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """AWS counts dry runs like real calls."""
    kms.quotas[POOL] = 1

    with pytest.raises(ClientError) as excinfo:
        client.encrypt(KeyId=key.id, Plaintext=b"x", DryRun=True)

    assert "DryRunOperationException" == excinfo.value.response["Error"]["Code"]
    assert not encrypts(client, key)


def test_a_call_whose_key_is_not_found_counts(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Every call is counted, whatever comes of it."""
    kms.quotas[POOL] = 1

    with pytest.raises(ClientError) as excinfo:
        client.encrypt(KeyId="alias/nowhere", Plaintext=b"x")

    assert "NotFoundException" == excinfo.value.response["Error"]["Code"]
    assert not encrypts(client, key)


def test_a_quota_comes_before_validation(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """A call that is too much is not looked at."""
    kms.quotas[POOL] = 0

    assert is_throttled(lambda: client.encrypt(KeyId=key.id, Plaintext=bytes(5000)))


def test_a_throttled_call_does_nothing(kms: FakeKMS, client: KMSClient) -> None:
    """No key comes of it."""
    kms.quotas["CreateKey"] = 0

    assert is_throttled(client.create_key)
    assert [] == client.list_keys()["Keys"]


def test_aws_managed_keys_count(kms: FakeKMS, client: KMSClient) -> None:
    """Calls on them are calls of the account."""
    managed = kms.aws_managed_key("s3")
    kms.quotas["DescribeKey"] = 1

    assert not is_throttled(lambda: client.describe_key(KeyId=managed.id))
    assert is_throttled(lambda: client.describe_key(KeyId=managed.id))


def test_arranging_never_counts(kms: FakeKMS, client: KMSClient) -> None:
    """Making keys and ciphertexts for a test, of AWS owned keys as well, uses no quota up."""
    kms.quotas["Encrypt"] = 1
    kms.quotas["CreateKey"] = 1
    owned = kms.aws_owned_key("dynamodb")
    key = kms.create_key()
    for _ in range(5):
        kms.create_key()
        kms.decrypt(kms.encrypt(owned, b"x"))
        kms.decrypt(kms.encrypt(key, b"x"))

    assert encrypts(client, key)
    assert not is_throttled(client.create_key)


def test_quotas_can_be_off_and_on(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """While they are off nothing is throttled and nothing counted."""
    kms.quotas["Encrypt"] = 1
    kms.quotas.off()

    assert [True] * 3 == [encrypts(client, key) for _ in range(3)]
    kms.quotas.on()
    assert [True, False] == [encrypts(client, key) for _ in range(2)]


def test_deleting_a_quota_goes_back_to_the_default(kms: FakeKMS, client: KMSClient) -> None:
    """What AWS has by default is in force again."""
    kms.quotas["CreateKey"] = 0
    assert is_throttled(client.create_key)

    del kms.quotas["CreateKey"]

    assert 5 == kms.quotas["CreateKey"]
    assert [False] * 5 + [True] == [is_throttled(client.create_key) for _ in range(6)]


def test_deleting_the_limit_of_one_operation_lifts_it(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """An operation that shares its quota has no default of its own."""
    kms.quotas["Encrypt"] = 0
    assert not encrypts(client, key)

    del kms.quotas["Encrypt"]

    assert kms.quotas["Encrypt"] == float("inf")
    assert encrypts(client, key)


def test_deleting_what_was_not_set_changes_nothing(kms: FakeKMS) -> None:
    """The default is in force before and after."""
    del kms.quotas["DescribeKey"]

    assert 2000 == kms.quotas["DescribeKey"]


def test_setting_a_quota_starts_a_new_count(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """A higher quota lets calls through at once, a lower one holds from now on."""
    kms.quotas["Encrypt"] = 1
    assert [True, False] == [encrypts(client, key) for _ in range(2)]

    kms.quotas["Encrypt"] = 2

    assert [True, True, False] == [encrypts(client, key) for _ in range(3)]


@pytest.mark.parametrize(("rate", "interval"), [(0.5, 2), (0.1, 10)])
def test_a_rate_below_one_is_one_call_in_several_seconds(
    kms: FakeKMS, client: KMSClient, key: Key, rate: float, interval: int
) -> None:
    """AWS words such quotas as one request in each interval of 2 or 10 seconds."""
    kms.quotas["Encrypt"] = rate

    assert [True, False] == [encrypts(client, key) for _ in range(2)]
    kms.clock.advance(seconds=interval - 1)
    assert not encrypts(client, key)
    kms.clock.advance(seconds=1)
    assert [True, False] == [encrypts(client, key) for _ in range(2)]


def test_a_quota_of_none_lets_nothing_through(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """A quota of 0 is one."""
    kms.quotas["Encrypt"] = 0

    assert not encrypts(client, key)
    kms.clock.advance(hours=1)
    assert not encrypts(client, key)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("GenerateDatakey", "GenerateDataKey"),
        ("Decript", "Decrypt"),
        ("DescribeKeys", "DescribeKey request rate"),
        ("cryptographic operations", "Cryptographic operations (RSA) request rate"),
    ],
)
def test_a_misspelt_quota_is_told_with_what_may_be_meant(kms: FakeKMS, name: str, near: str) -> None:
    """A quota that is none is no silent no-op, however it is used."""
    with pytest.raises(UsageError) as excinfo:
        kms.quotas[name] = 1

    assert str(excinfo.value).startswith(f"pytest-kms: no quota is named {name!r}; did you mean ")
    assert repr(near) in str(excinfo.value)
    with pytest.raises(UsageError):
        kms.quotas[name]
    with pytest.raises(UsageError):
        del kms.quotas[name]


def test_a_name_like_no_other_is_told_with_where_they_are(kms: FakeKMS) -> None:
    """Where nothing is near, there are too many to be listed."""
    with pytest.raises(UsageError) as excinfo:
        kms.quotas["zzzzzz"] = 1

    assert "pytest-kms: no quota is named 'zzzzzz'; list(kms.quotas) names them all" == str(excinfo.value)
    assert "CreateKey request rate" in list(kms.quotas)


def test_a_quota_is_not_negative(kms: FakeKMS) -> None:
    """There are no fewer calls than none."""
    with pytest.raises(UsageError) as excinfo:
        kms.quotas["Encrypt"] = -1

    assert "pytest-kms: a quota is a number of calls per second or of resources, not -1" == str(excinfo.value)


# AWS's table, one row for each value.
PER_SECOND: dict[int, str] = {
    1: "GetParametersForImport",
    5: "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateKey DeleteCustomKeyStore"
    " DescribeCustomKeyStores DisableKey DisableKeyRotation DisconnectCustomKeyStore EnableKey GetKeyLastUsage"
    " ReplicateKey RotateKeyOnDemand UntagResource UpdateAlias UpdateCustomKeyStore UpdateKeyDescription"
    " UpdatePrimaryRegion",
    10: "TagResource",
    15: "DeleteAlias DeleteImportedKeyMaterial EnableKeyRotation ImportKeyMaterial PutKeyPolicy ScheduleKeyDeletion",
    50: "CreateGrant RetireGrant RevokeGrant",
    100: "ListGrants ListKeyPolicies ListKeyRotations ListRetirableGrants",
    500: "ListAliases ListKeys",
    1000: "GetKeyPolicy GetKeyRotationStatus",
    2000: "DescribeKey GetPublicKey ListResourceTags",
}
DEFAULTS: dict[str, float] = {
    **{name: value for value, names in PER_SECOND.items() for name in names.split()},
    "Cryptographic operations (RSA)": 1000,
    "Cryptographic operations (ECC and SM2)": 1000,
    "Cryptographic operations (ML-DSA)": 1000,
    "Custom key store request quota (AWS CloudHSM key store)": 1800,
    "Custom key store request quota (external key store)": 1800,
    "GenerateDataKeyPair (ECC_NIST_P256)": 100,
    "GenerateDataKeyPair (ECC_NIST_P384)": 100,
    "GenerateDataKeyPair (ECC_NIST_P521)": 100,
    "GenerateDataKeyPair (ECC_SECG_P256K1)": 100,
    "GenerateDataKeyPair (ECC_NIST_EDWARDS25519)": 100,
    "GenerateDataKeyPair (RSA_2048)": 20,
    "GenerateDataKeyPair (RSA_3072)": 4,
    "GenerateDataKeyPair (RSA_4096)": 1,
}

RESOURCES: dict[str, float] = {
    "KMS keys": 100_000,
    "Aliases per KMS key": 50,
    "Grants per KMS key": 50_000,
    "Custom key stores": 10,
    "On-demand rotations per KMS key": 25,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_default_is_that_of_aws(kms: FakeKMS, name: str) -> None:
    """The whole table of AWS's request quotas, by name."""
    assert kms.quotas[name] == DEFAULTS[name]


def test_the_quotas_can_be_listed(kms: FakeKMS) -> None:
    """Iterating gives AWS's names of them."""
    names = list(kms.quotas)

    assert {*DEFAULTS, POOL, *RESOURCES} == {name.removesuffix(" request rate") for name in names}
    assert all(kms.quotas[name] > 0 for name in names)


@pytest.mark.parametrize(
    ("region", "per_second"),
    [
        ("us-east-1", 100_000),
        ("us-west-2", 100_000),
        ("eu-west-1", 100_000),
        ("us-east-2", 20_000),
        ("ap-southeast-1", 20_000),
        ("ap-southeast-2", 20_000),
        ("ap-northeast-1", 20_000),
        ("eu-central-1", 20_000),
        ("eu-west-2", 20_000),
        ("eu-south-1", 10_000),
        ("cn-north-1", 10_000),
    ],
)
def test_the_quota_of_symmetric_keys_is_that_of_the_region(region: str, per_second: int) -> None:
    """What is in force where the fake lives is what is shown."""
    with fake_kms(region=region) as kms:
        assert kms.quotas[POOL] == per_second


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
@pytest.mark.parametrize(("spec", "per_second"), [("RSA_2048", 1), ("RSA_3072", 0.5), ("RSA_4096", 0.1)])
def test_data_key_pairs_are_rarer_in_china(region: str, spec: str, per_second: float) -> None:
    """The Regions of China have lower quotas for pairs of RSA keys, some below one per second."""
    with fake_kms(region=region) as kms:
        assert kms.quotas[f"GenerateDataKeyPair ({spec})"] == per_second


def test_data_key_pairs_of_sm2_have_a_quota_in_china() -> None:
    """It exists in the Regions of China alone."""
    name = "GenerateDataKeyPair (SM2 - China Regions only)"
    with fake_kms(region="cn-north-1") as kms:
        assert 25 == kms.quotas[name]
        assert f"{name} request rate" in list(kms.quotas)


def test_quotas_are_given_to_a_new_fake() -> None:
    """`quotas=` sets some; `reset` comes back to them."""
    with fake_kms(quotas={"Encrypt": 1}) as kms:
        kms.clock.freeze()
        key = kms.create_key()
        client = kms.client_for(config=ONCE)
        assert [True, False] == [encrypts(client, key) for _ in range(2)]

        kms.reset()

        assert 1 == kms.quotas["Encrypt"]


def test_a_fake_without_quotas_throttles_nothing() -> None:
    """`quotas=False` enforces none."""
    with fake_kms(quotas=False) as kms:
        kms.clock.freeze()
        kms.quotas["CreateKey"] = 1
        client = kms.client_for(config=ONCE)

        assert not any(is_throttled(client.create_key) for _ in range(10))


Mode = Literal["legacy", "standard", "adaptive"]
ATTEMPTS: dict[Mode, int] = {"legacy": 5, "standard": 3, "adaptive": 3}


@pytest.mark.parametrize("mode", ATTEMPTS)
def test_botocore_retries_until_its_attempts_are_used_up(kms: FakeKMS, key: Key, mode: Mode) -> None:
    """Each retry mode makes its number of attempts, and waits between them in the fake's time alone."""
    client = kms.client_for(config=Config(retries={"mode": mode}))
    kms.quotas["Encrypt"] = 0
    before = kms.clock.now

    with pytest.raises(ClientError) as excinfo:
        client.encrypt(KeyId=key.id, Plaintext=b"x")

    retries = ATTEMPTS[mode] - 1
    assert {"Code": "ThrottlingException", "Message": TEXT} == excinfo.value.response["Error"]
    assert (
        "An error occurred (ThrottlingException) when calling the Encrypt operation"
        f" (reached max retries: {retries}): {TEXT}"
    ) == str(excinfo.value)
    assert retries == excinfo.value.response["ResponseMetadata"]["RetryAttempts"]
    assert ["ThrottlingException"] * ATTEMPTS[mode] == [attempt.error for attempt in kms.trail.last.attempts]
    assert 1 == len(kms.trail)
    assert kms.clock.now > before
    kms.assert_throttled("Encrypt", times=ATTEMPTS[mode])


@pytest.mark.parametrize("mode", ATTEMPTS)
def test_a_retry_that_waits_into_the_next_second_succeeds(kms: FakeKMS, key: Key, mode: Mode) -> None:
    """Waiting is what helps against a quota: the second call of a second gets through in a later one."""
    client = kms.client_for(config=Config(retries={"mode": mode, "total_max_attempts": 12}))
    kms.quotas["Encrypt"] = 1
    client.encrypt(KeyId=key.id, Plaintext=b"x")
    first = kms.clock.now

    answer = client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert answer["ResponseMetadata"]["RetryAttempts"] >= 1
    assert (kms.clock.now - first).total_seconds() >= 0.999
    assert kms.trail.last.succeeded
    kms.assert_used(key, "Encrypt", times=2)


@pytest.mark.parametrize("mode", ATTEMPTS)
def test_a_burst_of_calls_gets_through_with_retries(kms: FakeKMS, key: Key, mode: Mode) -> None:
    """An application that retries survives a quota, call after call."""
    client = kms.client_for(config=Config(retries={"mode": mode, "total_max_attempts": 12}))
    kms.quotas[POOL] = 2

    for number in range(6):
        client.encrypt(KeyId=key.id, Plaintext=bytes([number]))

    kms.assert_used(key, "Encrypt", times=6)
    kms.assert_throttled("Encrypt")


# whose quota it is

OTHER = "999999999999"
CLOUDHSM = "Custom key store request quota (AWS CloudHSM key store)"


def test_the_caller_is_charged_whosever_the_key_is(kms: FakeKMS, client: KMSClient) -> None:
    """Another account that uses a key fills its own quota, not that of the key's owner."""
    key = kms.create_key(policy=policy(allow(Principal=by("*"))))
    everything = policy(allow())
    theirs = kms.client_for(kms.principal("role/app", account=OTHER, policy=everything), config=ONCE)
    theirs_too = kms.client_for(kms.principal("user/eva", account=OTHER, policy=everything), config=ONCE)
    kms.quotas[POOL] = 1

    def uses(client: KMSClient) -> bool:
        return not is_throttled(lambda: client.encrypt(KeyId=key.arn, Plaintext=b"x"))

    assert [True, False, True] == [uses(caller) for caller in (theirs, theirs_too, client)]
    assert [(OTHER, 2), ("123456789012", 1)] == [(peak.account, peak.used) for peak in kms.quotas.peaks()]
    assert f"over quota: {POOL} request rate is 1 per second for account {OTHER} in us-east-1" == kms.trail[1].why


def test_a_service_counts_for_whom_it_calls(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """What a service encrypts for somebody is a call of that account."""
    caller = kms.principal("role/app", policy=policy(allow()))
    kms.quotas["GenerateDataKey"] = 1

    kms.service("s3", on_behalf_of=caller).store(key, "arn:aws:s3:::orders/7", b"x")

    assert is_throttled(lambda: client.generate_data_key(KeyId=key.id, KeySpec="AES_256"))


@pytest.mark.parametrize(
    ("source_arn", "account"), [(f"arn:aws:logs:us-east-1:{OTHER}:log-group:x", OTHER), (None, "123456789012")]
)
def test_a_service_on_its_own_account_counts_for_somebody(kms: FakeKMS, source_arn: str | None, account: str) -> None:
    """For the account of the resource that it calls for; where it names none, for the owner of the key."""
    logs = kms.service("logs.us-east-1.amazonaws.com", source_arn=source_arn)
    key = kms.create_key(policy=policy(allow(Principal={"Service": "logs.us-east-1.amazonaws.com"})))

    logs.client.encrypt(KeyId=key.arn, Plaintext=b"x")

    assert [account] == [peak.account for peak in kms.quotas.peaks()]


def test_a_service_that_names_no_key_counts_for_nobody(kms: FakeKMS) -> None:
    """There is no account to charge it to."""
    logs = kms.service("logs.us-east-1.amazonaws.com")

    assert not is_throttled(lambda: logs.client.encrypt(KeyId="alias/nowhere", Plaintext=b"x"))
    assert [""] == [peak.account for peak in kms.quotas.peaks()]


def test_keys_of_two_kinds_count_in_two_quotas(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """ReEncrypt from a symmetric to an RSA key is a call of both pools."""
    rsa = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    blob = kms.encrypt(key, b"x")

    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=rsa.id, DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256")

    assert [
        "Cryptographic operations (RSA) request rate: 1 of 1,000 in second 0, ReEncrypt 1",
        "Cryptographic operations (symmetric) request rate: 1 of 100,000 in second 0, ReEncrypt 1",
    ] == [str(peak) for peak in kms.quotas.peaks()]


def test_a_key_store_is_shared_by_those_who_use_it(kms: FakeKMS, client: KMSClient) -> None:
    """Its quota counts the calls of all accounts, and each caller's own quota counts them as well."""
    store = kms.key_store()
    key = kms.create_key(key_store=store, policy=policy(allow(Principal=by("*"))))
    theirs = kms.client_for(kms.principal("role/app", account=OTHER, policy=policy(allow())), config=ONCE)
    kms.quotas[CLOUDHSM] = 1

    assert not is_throttled(lambda: theirs.encrypt(KeyId=key.arn, Plaintext=b"x"))
    assert is_throttled(lambda: client.encrypt(KeyId=key.arn, Plaintext=b"x"))
    assert f"over quota: {CLOUDHSM} is 1 per second for {store.id}" == kms.trail.last.why
    kms.quotas.off()
    assert not is_throttled(lambda: client.encrypt(KeyId=key.arn, Plaintext=b"x"))


def test_a_replica_counts_in_both_regions(kms: FakeKMS, client: KMSClient) -> None:
    """ReplicateKey is two calls of CreateKey where the replica is to be."""
    key = kms.create_key(multi_region=True)

    client.replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1")

    assert [
        ("eu-west-1", "CreateKey request rate: 2 of 5 in second 0, CreateKey 2"),
        ("us-east-1", "ReplicateKey request rate: 1 of 5 in second 0, ReplicateKey 1"),
    ] == [(peak.region, str(peak)) for peak in kms.quotas.peaks()]


# peaks


def test_a_peak_tells_how_near_a_quota_was(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """The fullest second of each quota, the nearest to its limit first, in a line that can be read."""
    blob = kms.encrypt(key, b"x")
    client.encrypt(KeyId=key.id, Plaintext=b"x")
    kms.clock.advance(seconds=2)
    for _ in range(3):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    for _ in range(7):
        client.decrypt(CiphertextBlob=blob)
    client.create_key()
    kms.clock.advance(seconds=1)
    client.decrypt(CiphertextBlob=blob)

    peaks = kms.quotas.peaks()

    assert [
        "CreateKey request rate: 1 of 5 in second 2, CreateKey 1",
        "Cryptographic operations (symmetric) request rate: 10 of 100,000 in second 2, Decrypt 7, Encrypt 3",
    ] == [str(peak) for peak in peaks]
    assert ("123456789012", "us-east-1", 10, 100_000, 2, "") == (
        peaks[1].account,
        peaks[1].region,
        peaks[1].used,
        peaks[1].limit,
        peaks[1].at,
        peaks[1].key_store,
    )
    assert {"Decrypt": 7, "Encrypt": 3} == peaks[1].operations
    assert [0.2, 0.0001] == [peak.share for peak in peaks]


def test_a_peak_may_be_over_the_quota(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Calls that were throttled are counted too, in the quota of one operation as in AWS's."""
    kms.quotas["Encrypt"] = 2
    kms.quotas["DescribeKey"] = 0
    for _ in range(3):
        encrypts(client, key)
    assert is_throttled(lambda: client.describe_key(KeyId=key.id))

    assert [
        "DescribeKey request rate: 1 of 0 in second 0, DescribeKey 1",
        "Encrypt: 3 of 2 in second 0, Encrypt 3",
        "Cryptographic operations (symmetric) request rate: 3 of 100,000 in second 0, Encrypt 3",
    ] == [str(peak) for peak in kms.quotas.peaks()]


def test_a_peak_of_a_rate_below_one_is_of_several_seconds(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """Its interval is that of the quota."""
    kms.quotas["Encrypt"] = 0.1
    kms.clock.advance(seconds=25)

    client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert "Encrypt: 1 of 1 in seconds 20 to 29, Encrypt 1" == str(kms.quotas.peaks()[0])


def test_a_key_store_has_a_peak_of_its_own(kms: FakeKMS, client: KMSClient) -> None:
    """Its quota is its own, whoever calls."""
    store = kms.key_store()
    key = kms.create_key(key_store=store)

    client.encrypt(KeyId=key.id, Plaintext=b"x")

    peak = kms.quotas.peaks()[0]
    assert (
        f"Custom key store request quota (AWS CloudHSM key store) of {store.id}: 1 of 1,800 in second 0, Encrypt 1"
    ) == str(peak)
    assert (store.id, store.account, store.region) == (peak.key_store, peak.account, peak.region)


def test_there_are_no_peaks_of_what_is_not_counted(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """No calls, arranging, and calls while quotas are off leave none."""
    kms.encrypt(key, b"x")
    kms.quotas.off()
    client.encrypt(KeyId=key.id, Plaintext=b"x")

    assert [] == kms.quotas.peaks()


def test_quotas_without_a_limit_have_no_peak(client: KMSClient, kms: FakeKMS) -> None:
    """There is none for SM2 outside of China; the call is refused for its own reasons."""
    with pytest.raises(ClientError):
        client.generate_data_key_pair(KeyId="alias/x", KeyPairSpec="SM2")

    assert [] == kms.quotas.peaks()


def test_setting_a_quota_leaves_the_counts_of_others(kms: FakeKMS, client: KMSClient, key: Key) -> None:
    """What is used up stays used up."""
    kms.quotas["Encrypt"] = 1
    client.encrypt(KeyId=key.id, Plaintext=b"x")

    kms.quotas["Decrypt"] = 5

    assert not encrypts(client, key)


# the defaults of a Region


def test_the_quotas_of_a_region_can_be_loaded(client: KMSClient, kms: FakeKMS, key: Key) -> None:
    """They hold wherever calls go, but for what the test has set."""
    kms.quotas["DescribeKey"] = 7
    kms.quotas.load("eu-central-1")
    elsewhere = kms.client_for(region="ap-east-1", config=ONCE)

    client.encrypt(KeyId=key.id, Plaintext=b"x")
    elsewhere.generate_random(NumberOfBytes=1)

    assert [20_000, 7] == [kms.quotas[POOL], kms.quotas["DescribeKey"]]
    assert [("ap-east-1", 20_000), ("us-east-1", 20_000)] == [(peak.region, peak.limit) for peak in kms.quotas.peaks()]


def test_loading_quotas_starts_a_new_count(client: KMSClient, kms: FakeKMS) -> None:
    """It is a new beginning for all of them."""
    assert [False] * 5 + [True] == [is_throttled(client.create_key) for _ in range(6)]

    kms.quotas.load("us-east-1")

    assert not is_throttled(client.create_key)


def test_the_quotas_of_china_can_be_loaded(kms: FakeKMS) -> None:
    """With the quota that exists there alone."""
    kms.quotas.load("cn-north-1")

    assert [0.5, 25] == [
        kms.quotas[f"GenerateDataKeyPair ({spec})"] for spec in ("RSA_3072", "SM2 - China Regions only")
    ]


@pytest.mark.parametrize(
    ("name", "near"), [("eu-west1", "did you mean 'eu-west-1' or "), ("Mars", "did you mean 'af-south-1' or ")]
)
def test_only_quotas_of_a_region_can_be_loaded(kms: FakeKMS, name: str, near: str) -> None:
    """A name that is none would silently be a Region with the lowest quotas."""
    with pytest.raises(UsageError) as excinfo:
        kms.quotas.load(name)

    assert str(excinfo.value).startswith(f"pytest-kms: AWS has no Region {name!r}; {near}")


# any mixture of calls

ACCOUNTS = ("123456789012", OTHER)
REGIONS = ("us-east-1", "eu-west-1")
CALLS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["GenerateRandom", "Encrypt", "ListKeys"]),
            st.sampled_from(ACCOUNTS),
            st.sampled_from(REGIONS),
        ),
        st.integers(1, 3),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(calls=CALLS, pool=st.integers(0, 3), alone=st.integers(0, 2), lists=st.sampled_from([0.5, 1, 2]))
def test_a_call_is_throttled_exactly_when_the_model_says(
    calls: list[tuple[str, str, str] | int], pool: int, alone: int, lists: float
) -> None:
    """Whatever is called by whom, where and when: a quota counts in an account, a Region and an interval."""
    with fake_kms(quotas={POOL: pool, "Encrypt": alone, "ListKeys": lists}) as kms:
        kms.clock.freeze()
        callers = {account: kms.principal("root", account=account) for account in ACCOUNTS}
        clients = {
            (account, region): kms.client_for(callers[account], region=region, config=ONCE)
            for account in ACCOUNTS
            for region in REGIONS
        }
        keys = {place: kms.create_key(account=place[0], region=place[1]).id for place in clients}
        made: dict[str, Callable[[KMSClient, str], object]] = {
            "GenerateRandom": lambda client, _: client.generate_random(NumberOfBytes=1),
            "Encrypt": lambda client, key: client.encrypt(KeyId=key, Plaintext=b"x"),
            "ListKeys": lambda client, _: client.list_keys(),
        }
        limits: dict[str, tuple[float, int]] = {
            "pool": (pool, 1),
            "Encrypt": (alone, 1),
            "ListKeys": (max(lists, 1), 2 if lists < 1 else 1),
        }
        quotas_of = {"GenerateRandom": ("pool",), "Encrypt": ("Encrypt", "pool"), "ListKeys": ("ListKeys",)}
        used: Counter[tuple[str, str, str, int]] = Counter()
        now = 0
        for call in calls:
            if isinstance(call, int):
                kms.clock.advance(seconds=call)
                now += call
                continue
            operation, account, region = call
            over = False
            for quota in quotas_of[operation]:
                limit, interval = limits[quota]
                place = (quota, account, region, now // interval)
                used[place] += 1
                over = over or used[place] > limit
            place_of_client = (account, region)
            assert over == is_throttled(lambda: made[operation](clients[place_of_client], keys[place_of_client]))  # noqa: B023
        fullest = {place[:3]: 0 for place in used}
        for place, count in used.items():
            fullest[place[:3]] = max(fullest[place[:3]], count)
        peaks = kms.quotas.peaks()
        short = {f"{POOL} request rate": "pool", "Encrypt": "Encrypt", "ListKeys request rate": "ListKeys"}
        assert fullest == {(short[peak.quota], peak.account, peak.region): peak.used for peak in peaks}
        assert all(peak.used == sum(peak.operations.values()) for peak in peaks)
        assert sorted((peak.share for peak in peaks), reverse=True) == [peak.share for peak in peaks]
