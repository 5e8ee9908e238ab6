"""How the application's own suite tests it: nothing in `vault.py` knows of pytest-kms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
import vault
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, Key, UsageError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

# Every test here runs against a fake KMS of its own, whose keys are made where the vault looks for them.
pytestmark = pytest.mark.kms(region=vault.REGION)

LONG = b"All work and no play makes a dull document. " * 200


@pytest.fixture
def store() -> dict[tuple[str, str], vault.Sealed]:
    """Give what the vault writes to: a database, in real life."""
    return {}


@pytest.fixture
def documents(store: dict[tuple[str, str], vault.Sealed], secrets_key: Key, documents_key: Key) -> vault.Vault:
    """Give an empty vault, and the keys that it needs."""
    return vault.Vault(store)


# What was used, and how often


def test_a_secret_is_encrypted_for_its_tenant(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """A secret takes one Encrypt, with an encryption context that names the tenant."""
    documents.put("acme", "pin", b"2580")

    kms.assert_used(secrets_key, "Encrypt", encryption_context={"tenant": "acme", "name": "pin"}, times=1)


def test_a_secret_comes_back(kms: FakeKMS, documents: vault.Vault) -> None:
    """The cryptography is real: what Decrypt gives is what Encrypt got."""
    documents.put("acme", "pin", b"2580")

    assert b"2580" == documents.get("acme", "pin")
    kms.assert_called("Decrypt", times=1)


def test_a_document_is_encrypted_under_a_data_key(
    kms: FakeKMS, documents: vault.Vault, secrets_key: Key, documents_key: Key
) -> None:
    """The AWS Encryption SDK, with clients of its own, asks the same fake for one data key."""
    context = {"tenant": "acme", "name": "novel"}
    documents.put("acme", "novel", LONG)

    assert LONG == documents.get("acme", "novel")
    kms.assert_used(documents_key, "GenerateDataKey", encryption_context=context, times=1)
    kms.assert_used(documents_key, "Decrypt", encryption_context=context, times=1)
    kms.assert_not_used(secrets_key)


def test_nothing_but_the_two_keys_of_the_vault_is_used(
    kms: FakeKMS, documents: vault.Vault, secrets_key: Key, documents_key: Key
) -> None:
    """A key for another purpose stays out of it."""
    kms.create_key(alias="alias/payroll")
    documents.put("acme", "pin", b"2580")
    documents.put("acme", "novel", LONG)

    kms.assert_only_used(secrets_key, documents_key)
    kms.assert_not_used("alias/payroll")


def test_a_name_that_is_not_there_costs_no_call(kms: FakeKMS, documents: vault.Vault) -> None:
    """The vault looks into its store before it asks KMS."""
    with pytest.raises(KeyError):
        documents.get("acme", "nothing")

    kms.assert_not_called("Decrypt")


@pytest.mark.parametrize(
    ("size", "operation"),
    [pytest.param(4096, "Encrypt", id="4096"), pytest.param(4097, "GenerateDataKey", id="4097")],
)
def test_kms_encrypts_up_to_4096_bytes(kms: FakeKMS, documents: vault.Vault, size: int, operation: str) -> None:
    """The vault goes over to data keys where KMS would refuse."""
    documents.put("acme", "report", bytes(size))

    kms.assert_called(operation, times=1)


def test_kms_refuses_more_than_4096_bytes(secrets_key: Key) -> None:
    """A vault that did not go over to data keys would be told so, as AWS tells it."""
    with pytest.raises(ClientError) as refusal:
        vault.kms.encrypt(KeyId=vault.SECRETS_KEY, Plaintext=bytes(4097))

    assert {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value at 'plaintext' failed to satisfy constraint:"
        " Member must have length less than or equal to 4096",
    } == refusal.value.response["Error"]


# Files


def test_a_file_is_encrypted_under_a_data_key_of_its_own(kms: FakeKMS, documents_key: Key, tmp_path: Path) -> None:
    """Envelope encryption by hand: one GenerateDataKey to write, one Decrypt to read."""
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    plain.write_bytes(LONG)

    vault.encrypt_file("acme", plain, sealed)
    vault.decrypt_file("acme", sealed, opened)

    assert LONG == opened.read_bytes()
    assert LONG[:40] not in sealed.read_bytes()
    kms.assert_used(documents_key, "GenerateDataKey", encryption_context={"tenant": "acme"}, times=1)
    kms.assert_used(documents_key, "Decrypt", encryption_context={"tenant": "acme"}, times=1)


def test_a_data_key_can_be_made_where_nobody_may_see_it(kms: FakeKMS, documents_key: Key, tmp_path: Path) -> None:
    """The service that prepares data keys never gets one in plaintext."""
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    plain.write_bytes(LONG)

    prepared_key = vault.prepare_file_key("acme")
    kms.assert_not_called("GenerateDataKey")
    kms.assert_not_called("Decrypt")

    vault.encrypt_file("acme", plain, sealed, prepared_key=prepared_key)
    vault.decrypt_file("acme", sealed, opened)
    assert LONG == opened.read_bytes()
    kms.assert_used(documents_key, "GenerateDataKeyWithoutPlaintext", times=1)


def test_a_test_can_look_into_what_the_code_has_encrypted(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault
) -> None:
    """The fake opens ciphertexts for the test, and this leaves no mark in the trail."""
    documents.put("acme", "pin", b"2580")

    sealed = store["acme", "pin"].ciphertext
    assert b"2580" == kms.decrypt(sealed, {"tenant": "acme", "name": "pin"})
    kms.assert_not_called("Decrypt")


def test_a_test_can_make_ciphertexts_for_the_code_to_open(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, secrets_key: Key
) -> None:
    """A store of yesterday is arranged without a call."""
    sealed = kms.encrypt(secrets_key, b"1999", {"tenant": "acme", "name": "pin"})
    store["acme", "pin"] = vault.Sealed(sealed, enveloped=False)

    assert b"1999" == documents.get("acme", "pin")
    kms.assert_not_called("Encrypt")


# Tenants are kept apart


@pytest.mark.parametrize("content", [pytest.param(b"2580", id="secret"), pytest.param(LONG, id="document")])
def test_a_tenant_cannot_open_what_is_anothers(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, content: bytes
) -> None:
    """Whoever moves a ciphertext in the store to another tenant gets nothing out of it."""
    documents.put("acme", "plan", content)
    store["globex", "plan"] = store["acme", "plan"]

    with pytest.raises(vault.Unreadable):
        documents.get("globex", "plan")


def test_the_encryption_context_is_what_keeps_them_apart(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault
) -> None:
    """KMS itself refuses, with an error that AWS sends without a word of explanation."""
    documents.put("acme", "pin", b"2580")
    store["globex", "pin"] = store["acme", "pin"]

    with pytest.raises(vault.Unreadable) as unreadable:
        documents.get("globex", "pin")

    cause = unreadable.value.__cause__
    assert isinstance(cause, ClientError)
    assert {"Code": "InvalidCiphertextException", "Message": ""} == cause.response["Error"]
    kms.assert_called(
        "Decrypt", encryption_context={"tenant": "globex", "name": "pin"}, error="InvalidCiphertextException"
    )


@pytest.mark.parametrize("place", [0, 20, 45, -1], ids=["version", "key", "salt", "tag"])
def test_an_altered_ciphertext_is_unreadable(
    store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, place: int
) -> None:
    """One bit is enough, wherever it is."""
    documents.put("acme", "pin", b"2580")
    altered = bytearray(store["acme", "pin"].ciphertext)
    altered[place] ^= 1
    store["acme", "pin"] = vault.Sealed(bytes(altered), enveloped=False)

    with pytest.raises(vault.Unreadable):
        documents.get("acme", "pin")


# When KMS is busy


def test_a_throttled_call_is_tried_again(kms: FakeKMS, documents: vault.Vault) -> None:
    """The retries of botocore carry the vault over two refusals, and the test does not wait for them."""
    kms.throttle("Encrypt", times=2)

    documents.put("acme", "pin", b"2580")

    kms.assert_throttled("Encrypt", times=2)
    kms.assert_called("Encrypt", times=1)
    busy = "ThrottlingException"
    assert [busy, busy, None] == [attempt.error for attempt in kms.trail.last.attempts]


def test_a_vault_that_is_throttled_for_too_long_says_so(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, secrets_key: Key
) -> None:
    """After four attempts the vault gives up, and has kept nothing."""
    kms.throttle("Encrypt", key=secrets_key, times=4)

    with pytest.raises(vault.VaultUnavailable, match="KMS answered Encrypt with ThrottlingException"):
        documents.put("acme", "pin", b"2580")

    kms.assert_throttled("Encrypt", times=4)
    assert {} == store


def test_the_encryption_sdk_is_throttled_too(kms: FakeKMS, documents: vault.Vault) -> None:
    """The vault tells the same story where the AWS Encryption SDK stands between it and KMS."""
    kms.throttle("GenerateDataKey", times=4)

    with pytest.raises(vault.VaultUnavailable):
        documents.put("acme", "novel", LONG)


def test_retries_take_time_on_the_clock_of_the_fake_alone(kms: FakeKMS, documents: vault.Vault) -> None:
    """What botocore waits between its attempts passes there, in no time."""
    kms.clock.freeze()
    before = kms.clock.now
    kms.throttle("Encrypt", times=2)

    documents.put("acme", "pin", b"2580")

    assert kms.clock.now > before


@pytest.fixture
def without_retries(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the vault see at once what KMS refuses."""
    client = kms.client_for(config=Config(retries={"total_max_attempts": 1}))
    monkeypatch.setattr(vault, "kms", client)


def test_a_burst_goes_over_the_quota(kms: FakeKMS, documents: vault.Vault, without_retries: None) -> None:
    """The third call within a second of the fake's time is one too many; a second later there is room again."""
    kms.clock.freeze()
    kms.quotas["Encrypt"] = 2

    documents.put("acme", "one", b"1")
    documents.put("acme", "two", b"2")
    with pytest.raises(vault.VaultUnavailable):
        documents.put("acme", "three", b"3")

    kms.clock.advance(seconds=1)
    documents.put("acme", "three", b"3")
    kms.assert_throttled("Encrypt", times=1)


def test_the_quotas_of_aws_are_in_force(kms: FakeKMS, without_retries: None) -> None:
    """AWS lets an account create five keys in a second; the sixth is one too many."""
    kms.clock.freeze()
    for _ in range(5):
        vault.kms.create_key()

    with pytest.raises(ClientError) as refusal:
        vault.kms.create_key()

    assert {
        "Code": "ThrottlingException",
        "Message": "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    } == refusal.value.response["Error"]


@pytest.mark.kms(quotas=False)
def test_the_quotas_can_be_left_out(kms: FakeKMS) -> None:
    """A test that is not about quotas may do without them."""
    for _ in range(6):
        vault.kms.create_key()

    kms.assert_throttled(times=0)


# Keys that cannot be used


def test_a_disabled_key_makes_the_vault_unavailable(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """Secrets are closed while their key is disabled, and open again afterwards."""
    documents.put("acme", "pin", b"2580")

    secrets_key.state = "Disabled"
    with pytest.raises(vault.VaultUnavailable, match="KMS answered Decrypt with DisabledException"):
        documents.get("acme", "pin")

    secrets_key.state = "Enabled"
    assert b"2580" == documents.get("acme", "pin")


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "Unavailable", "Creating", "PendingImport"])
def test_no_key_is_used_in_a_state_that_forbids_it(kms: FakeKMS, state: str) -> None:
    """Keys can be made in any state that AWS has."""
    key = kms.create_key(alias=vault.SECRETS_KEY, state=state)

    with pytest.raises(vault.VaultUnavailable):
        vault.Vault({}).put("acme", "pin", b"2580")

    kms.assert_not_used(key)


def test_a_key_of_aws_is_not_for_the_vault(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """alias/aws/s3 is in the account and can be looked at, but only S3 may use it."""
    monkeypatch.setattr(vault, "SECRETS_KEY", "alias/aws/s3")

    with pytest.raises(ClientError) as refusal:
        vault.Vault({}).put("acme", "pin", b"2580")

    assert "AccessDeniedException" == refusal.value.response["Error"]["Code"]
    assert "AWS" == kms.aws_managed_key("s3").manager
    kms.assert_denied("Encrypt", key="alias/aws/s3", times=1)


def test_a_key_that_aws_owns_is_nowhere_to_be_seen(kms: FakeKMS, documents: vault.Vault) -> None:
    """A database that encrypts at rest with an AWS owned key leaves no mark in the account."""
    owned = kms.aws_owned_key("dynamodb")
    row = kms.encrypt(owned, b"a row at rest")

    assert b"a row at rest" == kms.decrypt(row)
    assert owned.id not in {key["KeyId"] for key in vault.kms.list_keys()["Keys"]}
    with pytest.raises(UsageError, match="CloudTrail never shows its use"):
        kms.assert_used(owned)


def test_keys_live_in_one_region(kms: FakeKMS) -> None:
    """An alias in another Region is no help."""
    kms.create_key(alias=vault.SECRETS_KEY, region="us-east-1")

    with pytest.raises(ClientError) as refusal:
        vault.Vault({}).put("acme", "pin", b"2580")

    assert {
        "Code": "NotFoundException",
        "Message": "Alias arn:aws:kms:eu-central-1:123456789012:alias/vault-secrets is not found.",
    } == refusal.value.response["Error"]
    assert "eu-central-1" == kms.trail.last.region


def test_another_region_takes_over(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a multi-Region key the vault goes on in another Region, with what was kept in the first."""
    primary = kms.create_key(alias=vault.SECRETS_KEY, multi_region=True)
    replica = kms.replicate(primary, "eu-west-1", alias=vault.SECRETS_KEY)
    documents = vault.Vault({})
    documents.put("acme", "pin", b"2580")
    primary.state = "Unavailable"
    with pytest.raises(vault.VaultUnavailable):
        documents.get("acme", "pin")

    monkeypatch.setattr(vault, "kms", kms.client_for(region=replica.region))

    assert b"2580" == documents.get("acme", "pin")
    kms.assert_used(replica, "Decrypt", times=1)


def test_the_vault_can_ask_what_it_may_do(
    kms: FakeKMS, documents: vault.Vault, secrets_key: Key, documents_key: Key
) -> None:
    """A dry run answers the question and uses nothing."""
    assert {} == vault.refusals()

    documents_key.state = "Disabled"
    assert {"GenerateDataKey": "DisabledException"} == vault.refusals()
    assert all(event.dry_run for event in kms.trail)
    kms.assert_not_used(secrets_key)


# Rotation


def test_rotation_moves_every_secret_to_a_new_key(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """The secrets are re-encrypted within KMS, none is decrypted on the way, and the old key is disabled."""
    documents.put("acme", "pin", b"2580")
    documents.put("globex", "pin", b"1999")

    assert secrets_key.id == documents.rotate_secrets()

    kms.assert_used(vault.SECRETS_KEY, "ReEncrypt", times=2)
    kms.assert_used(secrets_key, "ReEncrypt", encryption_context={"tenant": "globex", "name": "pin"}, times=1)
    kms.assert_not_called("Decrypt")
    assert "Disabled" == secrets_key.state
    assert b"2580" == documents.get("acme", "pin")
    assert b"1999" == documents.get("globex", "pin")


def test_documents_outlive_the_yearly_rotation_of_their_key(
    kms: FakeKMS, documents: vault.Vault, documents_key: Key
) -> None:
    """AWS gives the key new material, and what was written before is read as ever: nothing has to be moved."""
    vault.kms.enable_key_rotation(KeyId=documents_key.id)
    documents.put("acme", "novel", LONG)

    kms.clock.advance(days=365)

    assert LONG == documents.get("acme", "novel")
    assert 1 == len(kms.trail.filter("RotateKey", key=documents_key))
    kms.assert_not_called("ReEncrypt")


def test_an_old_key_can_be_called_back_for_30_days(kms: FakeKMS, secrets_key: Key) -> None:
    """Until its waiting period is over a key only waits, and CancelKeyDeletion saves it."""
    vault.retire(secrets_key.id)
    kms.clock.advance(days=29)

    vault.kms.cancel_key_deletion(KeyId=secrets_key.id)

    assert "Disabled" == secrets_key.state


def test_an_old_key_is_gone_after_30_days(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, secrets_key: Key
) -> None:
    """A backup from before the rotation is lost once the key has been deleted."""
    documents.put("acme", "pin", b"2580")
    backup = vault.Vault(dict(store))
    vault.retire(documents.rotate_secrets())
    with pytest.raises(vault.VaultUnavailable, match="KMSInvalidStateException"):
        backup.get("acme", "pin")

    kms.clock.advance(days=31)

    with pytest.raises(ClientError):
        backup.get("acme", "pin")
    with pytest.raises(ClientError) as refusal:
        vault.kms.describe_key(KeyId=secrets_key.id)
    assert {
        "Code": "NotFoundException",
        "Message": f"Key '{secrets_key.arn}' does not exist",
    } == refusal.value.response["Error"]
    assert b"2580" == documents.get("acme", "pin")


# Clients


def test_the_client_of_the_module_is_answered(kms: FakeKMS, secrets_key: Key) -> None:
    """The vault made its client when it was imported, before there was any fake."""
    assert secrets_key.arn == vault.kms.describe_key(KeyId=vault.SECRETS_KEY)["KeyMetadata"]["Arn"]


def test_the_vault_speaks_tls(kms: FakeKMS) -> None:
    """In flight, everything goes through HTTPS: the fake leaves the endpoint as it is."""
    assert "https://kms.eu-central-1.amazonaws.com" == vault.kms.meta.endpoint_url


def test_no_credentials_are_needed(
    kms: FakeKMS, secrets_key: Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine without any AWS settings runs the suite, and so does one with settings of its own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    session = boto3.session.Session()
    assert session.get_credentials() is None

    client: KMSClient = session.client("kms", region_name=vault.REGION)
    monkeypatch.setattr(vault, "kms", client)
    vault.Vault({}).put("acme", "pin", b"2580")

    kms.assert_used(secrets_key, "Encrypt", times=1)


# The trail


def test_the_trail_tells_who_did_what(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """Each call is an event, with what CloudTrail would tell an auditor."""
    kms.clock.freeze()
    documents.put("acme", "pin", b"2580")

    event = kms.trail.last
    assert "Encrypt" == event.operation
    assert secrets_key.arn == event.key
    assert {"tenant": "acme", "name": "pin"} == event.encryption_context
    assert "123456789012" == event.account
    assert "eu-central-1" == event.region
    assert "arn:aws:iam::123456789012:user/tester" == event.principal
    assert kms.clock.now == event.time
    assert event.succeeded


def test_the_trail_can_be_searched(kms: FakeKMS, documents: vault.Vault) -> None:
    """It is a sequence of all calls, in order."""
    documents.put("acme", "pin", b"2580")
    documents.put("acme", "novel", LONG)
    documents.get("acme", "pin")

    operations = [event.operation for event in kms.trail]
    assert ["Encrypt", "DescribeKey", "GenerateDataKey", "Decrypt"] == operations
    assert 2 == len(kms.trail.filter(key=vault.SECRETS_KEY))
    assert 1 == len(kms.trail.filter(encryption_context={"tenant": "acme", "name": "novel"}))


def test_the_trail_holds_no_secrets(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault
) -> None:
    """The audit shows tenants and names, never plaintexts, ciphertexts or data keys."""
    documents.put("acme", "pin", b"correct horse battery staple")
    documents.put("acme", "novel", LONG)
    documents.get("acme", "pin")

    told = repr(list(kms.trail))
    assert "acme" in told
    assert "correct horse" not in told
    assert repr(store["acme", "pin"].ciphertext) not in told
    assert [
        ["EncryptionContext", "KeyId"],
        ["KeyId"],
        ["EncryptionContext", "KeyId", "NumberOfBytes"],
        ["EncryptionContext"],
    ] == [sorted(event.parameters) for event in kms.trail]


def test_the_store_holds_nothing_in_the_clear(
    store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault
) -> None:
    """At rest, everything is ciphertext: of KMS for secrets, of the AWS Encryption SDK for documents."""
    documents.put("acme", "pin", b"correct horse battery staple")
    documents.put("acme", "novel", LONG)

    kept = b"".join(sealed.ciphertext for sealed in store.values())
    assert b"correct horse" not in kept
    assert LONG[:40] not in kept


@pytest.mark.kms(seed="vault")
def test_a_seed_makes_everything_repeat(
    kms: FakeKMS, store: dict[tuple[str, str], vault.Sealed], documents: vault.Vault, secrets_key: Key
) -> None:
    """With a seed key ids and ciphertexts are the same in every run, as recorded results may need."""
    documents.put("acme", "pin", b"2580")
    first = secrets_key.id, store["acme", "pin"]

    kms.reset()
    again = kms.create_key(alias=vault.SECRETS_KEY)
    kms.create_key(alias=vault.DOCUMENTS_KEY)
    documents.put("acme", "pin", b"2580")

    assert first == (again.id, store["acme", "pin"])
