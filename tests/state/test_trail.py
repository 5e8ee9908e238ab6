"""The audit trail: what a call leaves in it, and how a test reads it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from answers import TESTER
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import Event, FakeKMS, NotSupported, Trail, UsageError, fake_kms
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = "00000000-0000-4000-8000-000000000001"
ARN = f"arn:aws:kms:us-east-1:123456789012:key/{ID}"
OTHER_ARN = f"arn:aws:kms:us-east-1:123456789012:key/{OTHER}"
UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"
THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
SECRET = b"correct horse battery staple"
CONTEXT = {"order": "7"}
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Make the key alias/orders, beside another."""
    kms.create_key("archive", key_id=OTHER)
    return kms.create_key("orders", key_id=ID)


def failing(client: KMSClient, method: str, **members: Any) -> None:
    """Call an operation that fails."""
    with pytest.raises(ClientError):
        getattr(client, method)(**members)


# what an event holds

# The call; the keys that it names: member, ARN, context, permission; the members of the request that are shown;
# whether it only reads, as CloudTrail sees it; whether it is cryptographic.
Uses = Sequence[tuple[str, str, dict[str, str], str]]
Row = tuple[Callable[["KMSClient", bytes], Any], Uses, dict[str, Any], bool, bool]
EVENTS: dict[str, Row] = {
    "DescribeKey": (
        lambda client, _: client.describe_key(KeyId="alias/orders"),
        [("KeyId", ARN, {}, "DescribeKey")],
        {"KeyId": "alias/orders"},
        True,
        False,
    ),
    "ListKeys": (lambda client, _: client.list_keys(Limit=7), [], {"Limit": 7}, True, False),
    "UpdateKeyDescription": (
        lambda client, _: client.update_key_description(KeyId=ID, Description="of orders"),
        [("KeyId", ARN, {}, "UpdateKeyDescription")],
        {"KeyId": ID, "Description": "of orders"},
        False,
        False,
    ),
    "EnableKey": (
        lambda client, _: client.enable_key(KeyId=ID),
        [("KeyId", ARN, {}, "EnableKey")],
        {"KeyId": ID},
        False,
        False,
    ),
    "DisableKey": (
        lambda client, _: client.disable_key(KeyId=ARN),
        [("KeyId", ARN, {}, "DisableKey")],
        {"KeyId": ARN},
        False,
        False,
    ),
    "ScheduleKeyDeletion": (
        lambda client, _: client.schedule_key_deletion(KeyId=ID, PendingWindowInDays=7),
        [("KeyId", ARN, {}, "ScheduleKeyDeletion")],
        {"KeyId": ID, "PendingWindowInDays": 7},
        False,
        False,
    ),
    "CreateAlias": (
        lambda client, _: client.create_alias(AliasName="alias/new", TargetKeyId=ID),
        [("TargetKeyId", ARN, {}, "CreateAlias")],
        {"AliasName": "alias/new", "TargetKeyId": ID},
        False,
        False,
    ),
    "DeleteAlias": (
        lambda client, _: client.delete_alias(AliasName="alias/orders"),
        [("AliasName", ARN, {}, "DeleteAlias")],
        {"AliasName": "alias/orders"},
        False,
        False,
    ),
    "ListAliases": (
        lambda client, _: client.list_aliases(KeyId=ID),
        [("KeyId", ARN, {}, "")],
        {"KeyId": ID},
        True,
        False,
    ),
    "Encrypt": (
        lambda client, _: client.encrypt(KeyId="alias/orders", Plaintext=SECRET, EncryptionContext=CONTEXT),
        [("KeyId", ARN, CONTEXT, "Encrypt")],
        {"KeyId": "alias/orders", "EncryptionContext": CONTEXT},
        True,
        True,
    ),
    "Decrypt": (
        lambda client, blob: client.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT),
        [("KeyId", ARN, CONTEXT, "Decrypt")],
        {"EncryptionContext": CONTEXT},
        True,
        True,
    ),
    "ReEncrypt": (
        lambda client, blob: client.re_encrypt(
            CiphertextBlob=blob,
            SourceEncryptionContext=CONTEXT,
            DestinationKeyId="alias/archive",
            DestinationEncryptionContext={"year": "2"},
        ),
        [
            ("SourceKeyId", ARN, CONTEXT, "ReEncryptFrom"),
            ("DestinationKeyId", OTHER_ARN, {"year": "2"}, "ReEncryptTo"),
        ],
        {
            "SourceEncryptionContext": CONTEXT,
            "DestinationKeyId": "alias/archive",
            "DestinationEncryptionContext": {"year": "2"},
        },
        True,
        True,
    ),
    "GenerateDataKey": (
        lambda client, _: client.generate_data_key(KeyId=ID, KeySpec="AES_256", EncryptionContext=CONTEXT),
        [("KeyId", ARN, CONTEXT, "GenerateDataKey")],
        {"KeyId": ID, "KeySpec": "AES_256", "EncryptionContext": CONTEXT},
        True,
        True,
    ),
    "GenerateDataKeyWithoutPlaintext": (
        lambda client, _: client.generate_data_key_without_plaintext(KeyId=ID, NumberOfBytes=7),
        [("KeyId", ARN, {}, "GenerateDataKeyWithoutPlaintext")],
        {"KeyId": ID, "NumberOfBytes": 7},
        True,
        True,
    ),
    "GenerateRandom": (
        lambda client, _: client.generate_random(NumberOfBytes=7),
        [],
        {"NumberOfBytes": 7},
        True,
        True,
    ),
}


@pytest.mark.parametrize(
    ("operation", "call", "uses", "parameters", "read_only", "cryptographic"),
    [(operation, *row) for operation, row in EVENTS.items()],
    ids=EVENTS,
)
def test_a_call_is_an_event(
    kms: FakeKMS,
    key: Key,
    *,
    operation: str,
    call: Callable[[KMSClient, bytes], Any],
    uses: Uses,
    parameters: dict[str, Any],
    read_only: bool,
    cryptographic: bool,
) -> None:
    """All that there is to know of a call that went well, for each operation."""
    answer = call(kms.client, kms.encrypt(key, SECRET, CONTEXT))
    (event,) = kms.trail
    assert operation == event.operation
    assert list(uses) == [tuple(use) for use in event.uses]
    assert tuple(use[1] for use in uses) == event.keys
    assert (uses[-1][1] if uses else None) == event.key
    assert (uses[-1][2] if uses else {}) == event.encryption_context
    assert parameters == event.parameters
    assert (read_only, cryptographic) == (event.read_only, event.cryptographic)
    assert (TESTER, "123456789012", "us-east-1", None) == (
        event.principal,
        event.account,
        event.region,
        event.via,
    )
    assert (None, "", "", True) == (event.error, event.message, event.why, event.succeeded)
    assert ((1, event.time, None, 0, 0, False),) == event.attempts
    assert (0, False) == (event.throttled, event.dry_run)
    assert answer["ResponseMetadata"]["RequestId"] == event.request_id


def test_createkey_is_an_event_of_the_key_that_it_made(kms: FakeKMS) -> None:
    """The key's ARN is known when the call has ended."""
    made = kms.client.create_key(Description="of orders", Tags=[{"TagKey": "team", "TagValue": "shop"}])
    event = kms.trail.last
    assert made["KeyMetadata"]["Arn"] == event.key
    assert {
        "Description": "of orders",
        "Tags": [{"TagKey": "team", "TagValue": "shop"}],
    } == event.parameters
    assert (False, False) == (event.read_only, event.cryptographic)


def test_cancelkeydeletion_is_an_event_of_its_key(kms: FakeKMS, key: Key) -> None:
    """It needs a key that waits for its deletion."""
    key.state = "PendingDeletion"
    kms.client.cancel_key_deletion(KeyId=ID)
    event = kms.trail.last
    assert ("CancelKeyDeletion", ARN, {"KeyId": ID}, False, False) == (
        event.operation,
        event.key,
        event.parameters,
        event.read_only,
        event.cryptographic,
    )


def test_updatealias_is_an_event_of_the_alias_s_new_key(kms: FakeKMS, key: Key) -> None:
    """The target is among the keys that the call named."""
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=OTHER)
    event = kms.trail.last
    assert ("UpdateAlias", {"AliasName": "alias/orders", "TargetKeyId": OTHER}, False, False) == (
        event.operation,
        event.parameters,
        event.read_only,
        event.cryptographic,
    )
    assert OTHER_ARN in event.keys


def test_a_call_that_failed_tells_the_error(kms: FakeKMS, key: Key) -> None:
    """Code and sentence are AWS's."""
    key.state = "Disabled"
    failing(kms.client, "encrypt", KeyId="alias/orders", Plaintext=SECRET)
    event = kms.trail.last
    why = "the test has arranged that alias/orders is Disabled"
    assert ("DisabledException", f"{ARN} is disabled.", why, False) == (
        event.error,
        event.message,
        event.why,
        event.succeeded,
    )
    assert ARN == event.key


def test_a_call_that_failed_without_a_word_is_explained(kms: FakeKMS, key: Key) -> None:
    """AWS's message is empty, the explanation is not."""
    failing(kms.client, "decrypt", CiphertextBlob=kms.encrypt(key, SECRET, CONTEXT), EncryptionContext={"order": "8"})
    event = kms.trail.last
    assert ("InvalidCiphertextException", "", "the encryption context differs: order '7' -> '8'") == (
        event.error,
        event.message,
        event.why,
    )


def test_a_call_that_found_no_key_names_none(kms: FakeKMS) -> None:
    """What it asked for stands among its parameters."""
    failing(kms.client, "describe_key", KeyId=UNKNOWN)
    event = kms.trail.last
    assert (None, (), {}, {"KeyId": UNKNOWN}) == (
        event.key,
        event.keys,
        event.encryption_context,
        event.parameters,
    )
    assert "NotFoundException" == event.error


def test_a_call_that_was_not_understood_is_an_event(kms: FakeKMS) -> None:
    """Even a member of the wrong type is recorded as a call."""
    failing(kms.client_for(config=Config(parameter_validation=False)), "describe_key", KeyId=7)
    assert ("DescribeKey", "SerializationException", {}) == (
        kms.trail.last.operation,
        kms.trail.last.error,
        kms.trail.last.parameters,
    )


def test_a_dry_run_is_marked(kms: FakeKMS, key: Key) -> None:
    """It ends with an error, as AWS's do."""
    failing(kms.client, "encrypt", KeyId="alias/orders", Plaintext=SECRET, DryRun=True)
    event = kms.trail.last
    assert (True, "DryRunOperationException", ARN) == (event.dry_run, event.error, event.key)
    assert {"KeyId": "alias/orders", "DryRun": True} == event.parameters


@pytest.mark.usefixtures("without_generate_mac")
def test_what_is_not_supported_is_an_event() -> None:
    """The refusal that fails the test stands in the trail as well."""
    with fake_kms(unsupported="ignore") as kms:
        with pytest.raises(NotSupported):
            kms.client.generate_mac(KeyId=UNKNOWN, Message=SECRET, MacAlgorithm="HMAC_SHA_256")
        event = kms.trail.last
        assert ("GenerateMac", "NotSupported", False) == (event.operation, event.error, event.succeeded)
        assert event.message.startswith("pytest-kms: GenerateMac is not supported by this version.")
        assert {"KeyId": UNKNOWN, "MacAlgorithm": "HMAC_SHA_256"} == event.parameters


def test_a_call_is_of_the_region_that_it_went_to(kms: FakeKMS) -> None:
    """The Region is the client's, not the fake's."""
    kms.client_for(region="eu-west-1").list_keys()
    assert "eu-west-1" == kms.trail.last.region


def test_a_call_has_the_fake_s_time(kms: FakeKMS) -> None:
    """In UTC, to the moment."""
    kms.clock.freeze()
    kms.client.list_keys()
    later = kms.clock.advance(days=3)
    kms.client.list_keys()
    assert dt.timedelta(days=3) == kms.trail[1].time - kms.trail[0].time
    assert (later, dt.timezone.utc) == (kms.trail[1].time, kms.trail[1].time.tzinfo)


def test_each_request_has_an_id_of_its_own(kms: FakeKMS) -> None:
    """No two calls of a fake share one."""
    for _ in range(20):
        kms.client.list_keys()
    assert 20 == len({event.request_id for event in kms.trail})


# attempts


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_a_call_with_three_attempts_is_one_event(kms: FakeKMS, key: Key, mode: Any) -> None:
    """The last answer is the call's; its time is that of the first attempt."""
    kms.throttle("Encrypt", times=2)
    client = kms.client_for(config=Config(retries={"mode": mode, "total_max_attempts": 5}))
    answer = client.encrypt(KeyId="alias/orders", Plaintext=SECRET)
    (event,) = kms.trail
    assert [(1, "ThrottlingException"), (2, "ThrottlingException"), (3, None)] == [
        (attempt.number, attempt.error) for attempt in event.attempts
    ]
    times = [attempt.time for attempt in event.attempts]
    assert sorted(times) == times
    assert times[0] == event.time
    assert (2, True, None, "") == (event.throttled, event.succeeded, event.error, event.message)
    assert answer["ResponseMetadata"]["RequestId"] == event.request_id


def test_a_call_that_gave_up_is_one_event(kms: FakeKMS) -> None:
    """It ends with the error of its last attempt."""
    kms.throttle("ListKeys", times=2)
    failing(kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 2})), "list_keys")
    (event,) = kms.trail
    assert (2, "ThrottlingException", THROTTLED, "the test ordered it with kms.throttle") == (
        event.throttled,
        event.error,
        event.message,
        event.why,
    )


def test_calls_that_are_alike_are_not_attempts_of_one(kms: FakeKMS) -> None:
    """Each call of the client is an event, whatever the one before it was."""
    kms.throttle("ListKeys", times=1)
    client = kms.client_for(config=ONE_ATTEMPT)
    failing(client, "list_keys")
    client.list_keys()
    assert ["ThrottlingException", None] == [event.error for event in kms.trail]
    assert [1, 1] == [len(event.attempts) for event in kms.trail]


# secrets


def test_no_event_holds_a_secret(kms: FakeKMS, key: Key) -> None:
    """Neither plaintext nor ciphertext nor key material, in any form, whether the call went well or not."""
    client = kms.client
    blob = client.encrypt(KeyId=ID, Plaintext=SECRET)["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    again = client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=OTHER)["CiphertextBlob"]
    data_key = client.generate_data_key(KeyId=ID, KeySpec="AES_256")
    random = client.generate_random(NumberOfBytes=32)["Plaintext"]
    failing(client, "decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)
    failing(client, "encrypt", KeyId=ID, Plaintext=SECRET * 200)
    failing(client, "encrypt", KeyId=UNKNOWN, Plaintext=SECRET)
    failing(client, "encrypt", KeyId=ID, Plaintext=SECRET, DryRun=True)
    key.state = "Disabled"
    failing(client, "decrypt", CiphertextBlob=blob)

    told = repr(list(kms.trail))
    secrets = (
        SECRET,
        blob,
        again,
        data_key["Plaintext"],
        data_key["CiphertextBlob"],
        random,
        key.material,
    )
    for secret in secrets:
        for form in (repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode()):
            assert form not in told


def test_no_event_holds_a_grant_token() -> None:
    """CloudTrail leaves them out as well, good and bad ones."""
    with fake_kms() as kms:
        kms.create_key("orders")
        with pytest.raises(ClientError):
            kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET, GrantTokens=["open sesame"])
        with pytest.raises(ClientError):
            kms.client.retire_grant(GrantToken="open sesame")
        assert "sesame" not in repr(list(kms.trail))
        assert [{"KeyId": "alias/orders"}, {}] == [event.parameters for event in kms.trail]


# the sequence


def test_a_new_trail_is_empty(kms: FakeKMS) -> None:
    """Nothing was called, and there is no last call."""
    assert (0, [], False) == (len(kms.trail), list(kms.trail), bool(kms.trail))
    with pytest.raises(LookupError) as excinfo:
        _ = kms.trail.last
    assert "pytest-kms: the trail is empty: nothing called KMS yet" == str(excinfo.value)
    with pytest.raises(IndexError):
        _ = kms.trail[0]


def test_a_trail_is_a_sequence(kms: FakeKMS, key: Key) -> None:
    """It is counted, indexed, sliced, iterated and searched as one."""
    kms.client.list_keys()
    kms.client.describe_key(KeyId=ID)
    kms.client.list_aliases()
    trail = kms.trail
    names = ["ListKeys", "DescribeKey", "ListAliases"]
    assert isinstance(trail, Sequence)
    assert 3 == len(trail)
    assert names == [event.operation for event in trail]
    assert names[::-1] == [event.operation for event in reversed(trail)]
    assert names == [trail[index].operation for index in range(3)]
    assert names == [trail[index].operation for index in (-3, -2, -1)]
    assert names[1:] == [event.operation for event in trail[1:]]
    assert names[::2] == [event.operation for event in trail[::2]]
    assert trail[-1] is trail.last
    assert trail[1] in trail
    assert 1 == trail.index(trail[1])
    assert 1 == trail.count(trail[1])


@pytest.mark.parametrize(("calls", "text"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_a_trail_is_told_by_its_length(kms: FakeKMS, calls: int, text: str) -> None:
    """The whole of it would be too long for a report."""
    for _ in range(calls):
        kms.client.list_keys()
    assert f"<Trail of {text}>" == repr(kms.trail)


def test_a_trail_goes_on_while_it_is_read(kms: FakeKMS) -> None:
    """The trail that a test keeps is the live one; a slice is what was."""
    trail, was = kms.trail, kms.trail[:]
    kms.client.list_keys()
    assert (1, 0) == (len(trail), len(was))


def test_a_trail_is_not_written(kms: FakeKMS) -> None:
    """A test reads the trail; only calls add to it."""
    kms.client.list_keys()
    kms.trail[:].clear()
    kms.trail.filter("ListKeys").clear()
    assert 1 == len(kms.trail)
    assert not hasattr(kms.trail, "append")
    with pytest.raises(TypeError):
        kms.trail[0] = kms.trail.last  # type: ignore[index]
    with pytest.raises(TypeError):
        del kms.trail[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", Event._fields)
def test_an_event_is_not_written(kms: FakeKMS, key: Key, name: str) -> None:
    """What was, was."""
    kms.client.encrypt(KeyId=ID, Plaintext=SECRET)
    event = kms.trail.last
    with pytest.raises(AttributeError):
        setattr(event, name, None)
    with pytest.raises(AttributeError):
        setattr(event.uses[0], "key", None)  # noqa: B010  # mypy would not let it be written
    with pytest.raises(AttributeError):
        setattr(event.attempts[0], "error", None)  # noqa: B010


def test_an_event_is_kept_as_it_was(kms: FakeKMS, key: Key) -> None:
    """What the application does with its mapping afterwards, and the key's new state, change nothing."""
    context = dict(CONTEXT)
    kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET, EncryptionContext=context)
    before = kms.trail.last
    context.clear()
    key.state = "Disabled"
    kms.client.delete_alias(AliasName="alias/orders")
    assert (before, CONTEXT) == (kms.trail[0], kms.trail[0].encryption_context)


# filter


FILTERS: dict[str, tuple[Callable[[Trail], list[Event]], list[int]]] = {
    "nothing": (lambda trail: trail.filter(), [0, 1, 2, 3, 4]),
    "operation": (lambda trail: trail.filter("Encrypt"), [0, 1]),
    "operation that was not called": (lambda trail: trail.filter("Decrypt"), []),
    "key": (lambda trail: trail.filter(key="alias/orders"), [0, 3]),
    "either key of ReEncrypt": (lambda trail: trail.filter(key="alias/archive"), [1, 3, 4]),
    "operation and key": (lambda trail: trail.filter("Encrypt", key="alias/archive"), [1]),
    "context": (lambda trail: trail.filter(encryption_context=CONTEXT), [0, 3]),
    "no context": (lambda trail: trail.filter("Encrypt", encryption_context={}), [1]),
    "key and context": (lambda trail: trail.filter(key="alias/orders", encryption_context=CONTEXT), [0, 3]),
    "key and the other's context": (
        lambda trail: trail.filter(key="alias/archive", encryption_context=CONTEXT),
        [],
    ),
    "principal": (lambda trail: trail.filter(principal=TESTER), [0, 1, 2, 3, 4]),
    "another principal": (lambda trail: trail.filter(principal="arn:aws:iam::123456789012:role/other"), []),
    "service": (lambda trail: trail.filter(via="s3.us-east-1.amazonaws.com"), []),
    "error": (lambda trail: trail.filter(error="DisabledException"), [4]),
    "all": (
        lambda trail: trail.filter(
            "ReEncrypt",
            key="alias/archive",
            encryption_context={"year": "2"},
            principal=TESTER,
        ),
        [3],
    ),
}


@pytest.mark.parametrize(("ask", "places"), FILTERS.values(), ids=FILTERS)
def test_a_filter_gives_the_calls_that_meet_all_criteria(
    kms: FakeKMS, key: Key, ask: Callable[[Trail], list[Event]], places: list[int]
) -> None:
    """In order, and as a list."""
    client = kms.client
    blob = client.encrypt(KeyId="alias/orders", Plaintext=SECRET, EncryptionContext=CONTEXT)["CiphertextBlob"]
    client.encrypt(KeyId="alias/archive", Plaintext=SECRET)
    client.list_keys()
    client.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId="alias/archive",
        DestinationEncryptionContext={"year": "2"},
    )
    next(other for other in kms.world.all_keys() if other.id == OTHER).state = "Disabled"
    failing(client, "generate_data_key", KeyId="alias/archive", KeySpec="AES_256")
    assert [kms.trail[place] for place in places] == ask(kms.trail)


@pytest.mark.parametrize("name", [ID, ARN, "alias/orders", "arn:aws:kms:us-east-1:123456789012:alias/orders"])
def test_a_filter_takes_each_name_of_a_key(kms: FakeKMS, key: Key, name: str) -> None:
    """All of them, and the Key itself, are alike."""
    kms.client.encrypt(KeyId=ARN, Plaintext=SECRET)
    assert [kms.trail.last] == kms.trail.filter(key=name) == kms.trail.filter(key=key)


def test_a_filter_refuses_a_key_that_is_unknown(kms: FakeKMS) -> None:
    """A name that no key has would match nothing, without a word."""
    with pytest.raises(UsageError) as excinfo:
        kms.trail.filter(key="alias/orders")
    assert "pytest-kms: no key is called 'alias/orders'. Known keys: none." == str(excinfo.value)


def test_a_filter_refuses_an_operation_that_kms_has_not(kms: FakeKMS) -> None:
    """A name that is misspelt would match nothing, without a word."""
    with pytest.raises(UsageError) as excinfo:
        kms.trail.filter("Encypt")
    assert "pytest-kms: KMS has no operation 'Encypt'. Did you mean Encrypt or ReEncrypt or Decrypt?" == str(
        excinfo.value
    )


# what other calls must keep, and what keys are called since

SECRET_CALLS: dict[str, tuple[str, Callable[[KMSClient], object], dict[str, Any]]] = {
    "a recipient": (
        "GenerateRandom",
        lambda client: client.generate_random(
            NumberOfBytes=1,
            Recipient={"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": SECRET},
        ),
        {"NumberOfBytes": 1},
    ),
    "a message": (
        "GenerateMac",
        lambda client: client.generate_mac(KeyId="alias/orders", Message=SECRET, MacAlgorithm="HMAC_SHA_256"),
        {"KeyId": "alias/orders", "MacAlgorithm": "HMAC_SHA_256"},
    ),
    "a password": (
        "CreateCustomKeyStore",
        lambda client: client.create_custom_key_store(CustomKeyStoreName="store", KeyStorePassword=SECRET.decode()),
        {"CustomKeyStoreName": "store"},
    ),
    "credentials": (
        "CreateCustomKeyStore",
        lambda client: client.create_custom_key_store(
            CustomKeyStoreName="store",
            XksProxyAuthenticationCredential={"AccessKeyId": "A" * 20, "RawSecretAccessKey": "correcthorse" * 4},
        ),
        {"CustomKeyStoreName": "store"},
    ),
}


@pytest.mark.parametrize(("operation", "call", "parameters"), SECRET_CALLS.values(), ids=SECRET_CALLS)
def test_what_is_refused_keeps_its_secrets(
    operation: str,
    call: Callable[[KMSClient], object],
    parameters: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blobs, passwords and what holds them are left out of the event of an operation that a version lacks, too."""
    monkeypatch.delitem(OPERATIONS, operation, raising=False)
    with fake_kms(unsupported="ignore") as kms:
        with pytest.raises(NotSupported):
            call(kms.client)
        assert parameters == kms.trail.last.parameters
        assert "horse" not in repr(kms.trail.last)


def test_an_event_keeps_to_the_key_that_an_alias_meant(kms: FakeKMS, key: Key) -> None:
    """The alias may point to another key since."""
    kms.client.describe_key(KeyId="alias/orders")
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=OTHER)
    kms.client.describe_key(KeyId="alias/orders")
    assert [ARN, OTHER_ARN] == [event.key for event in kms.trail.filter("DescribeKey")]


def test_a_throttled_call_is_told_with_its_key(kms: FakeKMS, key: Key) -> None:
    """The key is found before the call is turned away."""
    kms.throttle(key=key)
    failing(kms.client_for(config=ONE_ATTEMPT), "describe_key", KeyId="alias/orders")
    assert ARN == kms.trail.last.key


# what is answered, and by whom it was asked


def test_an_event_tells_the_answer_without_blobs_and_secrets(kms: FakeKMS, key: Key) -> None:
    """What a data key is encrypted with is told, the data key is not."""
    kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")

    answer = {"KeyId": key.arn, "KeyMaterialId": key.material_id.hex()}
    assert answer == kms.trail.last.answer


@pytest.mark.parametrize("method", ["describe_key", "get_key_policy"])
def test_an_event_does_not_tell_what_was_only_read(kms: FakeKMS, key: Key, method: str) -> None:
    """As CloudTrail, which logs no answers of such calls."""
    getattr(kms.client, method)(KeyId=key.id)

    assert {} == kms.trail.last.answer


def test_a_call_that_failed_has_no_answer(kms: FakeKMS, key: Key) -> None:
    """A dry run that would succeed ends with an error as well, and answers nothing."""
    failing(kms.client, "generate_data_key", KeyId=key.id, KeySpec="AES_256", DryRun=True)

    assert "DryRunOperationException" == kms.trail.last.error
    assert {} == kms.trail.last.answer


def test_an_event_tells_the_user_agent_of_its_client(kms: FakeKMS) -> None:
    """As the client's configuration has it."""
    client = kms.client_for(config=Config(user_agent_extra="vault/7"))
    client.list_keys()

    config: Any = client.meta.config
    assert config.user_agent == kms.trail.last.user_agent
    assert "vault/7" in kms.trail.last.user_agent


def test_a_context_is_told_apart_whatever_else_is_in_the_trail(kms: FakeKMS, key: Key) -> None:
    """The call that made a ciphertext is found among others, and among what KMS did by itself."""
    kms.client.enable_key_rotation(KeyId=key.id)
    kms.clock.advance(days=400)
    kms.client.encrypt(KeyId=key.id, Plaintext=SECRET, EncryptionContext={"order": "8"})
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=SECRET, EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert "RotateKey" in [event.operation for event in kms.trail]

    failing(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext={"order": "9"})

    assert "the encryption context differs: order '7' -> '9'" == kms.trail.last.why
