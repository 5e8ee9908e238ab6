"""Every operation on a key in every key state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

STATES = (
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)

OK = None
DIS = ("DisabledException", "is disabled.")
DEL = ("KMSInvalidStateException", "is pending deletion.")
REP = ("KMSInvalidStateException", "is pending replica deletion.")
IMP = ("KMSInvalidStateException", "is pending import.")
UNA = ("KMSInvalidStateException", "is unavailable.")
CRE = ("KMSInvalidStateException", "is creating.")
UPD = ("KMSInvalidStateException", "is updating.")
NOT = ("KMSInvalidStateException", "is not pending deletion.")

Result = tuple[str, str] | None

# The columns are STATES, in that order. ReEncrypt and UpdateAlias work on two keys: each has a row.
# fmt: off
TABLE: dict[str, tuple[Result, ...]] = {
    "CreateKey":                       (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "DescribeKey":                     (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListKeys":                        (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "UpdateKeyDescription":            (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "EnableKey":                       (OK,  OK,  DEL, REP, IMP, OK,  CRE, UPD),
    "DisableKey":                      (OK,  OK,  DEL, REP, IMP, OK,  CRE, UPD),
    "ScheduleKeyDeletion":             (OK,  OK,  DEL, REP, OK,  OK,  OK,  UPD),
    "CancelKeyDeletion":               (NOT, NOT, OK,  OK,  NOT, NOT, NOT, NOT),
    "CreateAlias":                     (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UpdateAlias to it":               (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UpdateAlias away from it":        (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "DeleteAlias":                     (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListAliases":                     (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "Encrypt":                         (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "Decrypt":                         (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "ReEncrypt from it":               (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "ReEncrypt to it":                 (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKey":                 (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKeyWithoutPlaintext": (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKeyPair":             (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKeyPairWithoutPlaintext": (OK, DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateRandom":                  (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "Sign":                            (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "Verify":                          (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GetPublicKey":                    (OK,  OK,  DEL, REP, IMP, OK,  CRE, OK),
    "GenerateMac":                     (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "VerifyMac":                       (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "DeriveSharedSecret":              (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
}
# fmt: on

# The key that each row is about, where it is no symmetric encryption key.
KINDS = {
    "Sign": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "Verify": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "GetPublicKey": ("RSA_2048", "ENCRYPT_DECRYPT"),
    "GenerateMac": ("HMAC_256", "GENERATE_VERIFY_MAC"),
    "VerifyMac": ("HMAC_256", "GENERATE_VERIFY_MAC"),
    "DeriveSharedSecret": ("ECC_NIST_P256", "KEY_AGREEMENT"),
}


def re_encrypt_from(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Re-encrypt a ciphertext of the key under another."""
    return client.re_encrypt(CiphertextBlob=kms.encrypt(key, b"x"), DestinationKeyId=kms.create_key().id)


def re_encrypt_to(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Re-encrypt a ciphertext of another key under the key."""
    return client.re_encrypt(CiphertextBlob=kms.encrypt(kms.create_key(), b"x"), DestinationKeyId=key.id)


def verify(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Verify a signature that was made while the key was enabled."""
    state, key.state = key.state, "Enabled"
    signature = client.sign(KeyId=key.id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    key.state = state
    return client.verify(KeyId=key.id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256", Signature=signature)


def verify_mac(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Verify a MAC that was made while the key was enabled."""
    state, key.state = key.state, "Enabled"
    mac = client.generate_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"]
    key.state = state
    return client.verify_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=mac)


def derive_shared_secret(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Derive the secret that the key shares with another."""
    peer = kms.create_key(spec="ECC_NIST_P256").public_key
    return client.derive_shared_secret(KeyId=key.id, KeyAgreementAlgorithm="ECDH", PublicKey=peer)


def update_alias_to(kms: FakeKMS, client: KMSClient, key: Key) -> object:
    """Let another key's alias point to the key."""
    kms.create_key("other")
    return client.update_alias(AliasName="alias/other", TargetKeyId=key.id)


CALLS: dict[str, Callable[[FakeKMS, KMSClient, Key], object]] = {
    "CreateKey": lambda _, client, __: client.create_key(),
    "DescribeKey": lambda _, client, key: client.describe_key(KeyId=key.id),
    "ListKeys": lambda _, client, __: client.list_keys(),
    "UpdateKeyDescription": lambda _, client, key: client.update_key_description(KeyId=key.id, Description="x"),
    "EnableKey": lambda _, client, key: client.enable_key(KeyId=key.id),
    "DisableKey": lambda _, client, key: client.disable_key(KeyId=key.id),
    "ScheduleKeyDeletion": lambda _, client, key: client.schedule_key_deletion(KeyId=key.id),
    "CancelKeyDeletion": lambda _, client, key: client.cancel_key_deletion(KeyId=key.id),
    "CreateAlias": lambda _, client, key: client.create_alias(AliasName="alias/new", TargetKeyId=key.id),
    "UpdateAlias to it": update_alias_to,
    "UpdateAlias away from it": lambda kms, client, _: client.update_alias(
        AliasName="alias/mine", TargetKeyId=kms.create_key().id
    ),
    "DeleteAlias": lambda _, client, __: client.delete_alias(AliasName="alias/mine"),
    "ListAliases": lambda _, client, key: client.list_aliases(KeyId=key.id),
    "Encrypt": lambda _, client, key: client.encrypt(KeyId=key.id, Plaintext=b"x"),
    "Decrypt": lambda kms, client, key: client.decrypt(CiphertextBlob=kms.encrypt(key, b"x")),
    "ReEncrypt from it": re_encrypt_from,
    "ReEncrypt to it": re_encrypt_to,
    "GenerateDataKey": lambda _, client, key: client.generate_data_key(KeyId=key.id, KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": lambda _, client, key: client.generate_data_key_without_plaintext(
        KeyId=key.id, KeySpec="AES_256"
    ),
    "GenerateDataKeyPair": lambda _, client, key: client.generate_data_key_pair(
        KeyId=key.id, KeyPairSpec="ECC_NIST_P256"
    ),
    "GenerateDataKeyPairWithoutPlaintext": lambda _, client, key: client.generate_data_key_pair_without_plaintext(
        KeyId=key.id, KeyPairSpec="ECC_NIST_P256"
    ),
    "GenerateRandom": lambda _, client, __: client.generate_random(NumberOfBytes=1),
    "Sign": lambda _, client, key: client.sign(KeyId=key.id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    "Verify": verify,
    "GetPublicKey": lambda _, client, key: client.get_public_key(KeyId=key.id),
    "GenerateMac": lambda _, client, key: client.generate_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
    "VerifyMac": verify_mac,
    "DeriveSharedSecret": derive_shared_secret,
}


CELLS = [
    pytest.param(row, state, result, id=f"{row}-{state}".replace(" ", "_"))
    for row, results in TABLE.items()
    for state, result in zip(STATES, results, strict=True)
]


@pytest.mark.parametrize(("row", "state", "result"), CELLS)
def test_an_operation_in_a_key_state(kms: FakeKMS, row: str, state: str, result: Result) -> None:
    """Each cell of AWS's table of key states: success, or the code and the text of the refusal."""
    spec, usage = KINDS.get(row, ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"))
    key = kms.create_key("mine", spec=spec, usage=usage, state=state)
    client = kms.client

    if result is None:
        CALLS[row](kms, client, key)
        assert kms.trail.last.succeeded
        return
    with pytest.raises(ClientError) as excinfo:
        CALLS[row](kms, client, key)
    code, text = result
    error = {"Code": code, "Message": f"{key.arn} {text}"}
    assert error == excinfo.value.response["Error"]
    assert state == key.state


AFTERWARDS = {
    ("EnableKey", "Enabled"): "Enabled",
    ("EnableKey", "Disabled"): "Enabled",
    ("EnableKey", "Unavailable"): "Unavailable",
    ("DisableKey", "Enabled"): "Disabled",
    ("DisableKey", "Disabled"): "Disabled",
    ("DisableKey", "Unavailable"): "Unavailable",
    ("ScheduleKeyDeletion", "Enabled"): "PendingDeletion",
    ("ScheduleKeyDeletion", "Disabled"): "PendingDeletion",
    ("ScheduleKeyDeletion", "PendingImport"): "PendingDeletion",
    ("ScheduleKeyDeletion", "Unavailable"): "PendingDeletion",
    ("ScheduleKeyDeletion", "Creating"): "PendingDeletion",
    ("CancelKeyDeletion", "PendingDeletion"): "Disabled",
    ("CancelKeyDeletion", "PendingReplicaDeletion"): "Disabled",
    ("UpdateKeyDescription", "Updating"): "Updating",
}


@pytest.mark.parametrize(("row", "before", "after"), [(*place, after) for place, after in AFTERWARDS.items()])
def test_an_operation_leads_to_a_key_state(kms: FakeKMS, row: str, before: str, after: str) -> None:
    """The transitions between key states; a key of a store that is away stays unavailable."""
    key = kms.create_key("mine", state=before)

    CALLS[row](kms, kms.client, key)

    assert after == key.state
    assert after == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]


@pytest.mark.parametrize("state", STATES)
def test_a_state_set_by_the_test_is_the_state_that_is_described(kms: FakeKMS, state: str) -> None:
    """`key.state = ...` arranges every state there is; `Enabled` is true in that state alone."""
    key = kms.create_key()

    key.state = state

    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert state == metadata["KeyState"]
    assert (state == "Enabled") == metadata["Enabled"]
    assert (state == "PendingDeletion") == ("DeletionDate" in metadata)


def test_the_source_is_told_before_the_destination(kms: FakeKMS) -> None:
    """ReEncrypt between two unfit keys names the source."""
    source, destination = kms.create_key(), kms.create_key(state="Creating")
    blob = kms.encrypt(source, b"x")
    source.state = "Disabled"

    with pytest.raises(ClientError) as excinfo:
        kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination.id)

    assert {"Code": "DisabledException", "Message": f"{source.arn} is disabled."} == excinfo.value.response["Error"]


def test_a_dry_run_is_refused_in_an_unfit_state(kms: FakeKMS) -> None:
    """A dry run looks at the state as the real call does."""
    key = kms.create_key(state="Disabled")

    with pytest.raises(ClientError) as excinfo:
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x", DryRun=True)

    assert {"Code": "DisabledException", "Message": f"{key.arn} is disabled."} == excinfo.value.response["Error"]


def test_a_disabled_key_is_caught_by_its_modelled_exception(kms: FakeKMS) -> None:
    """`except client.exceptions.DisabledException` works, as it does for invalid states."""
    key = kms.create_key(state="Disabled")
    client = kms.client

    with pytest.raises(client.exceptions.DisabledException):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    key.state = "PendingDeletion"
    with pytest.raises(client.exceptions.KMSInvalidStateException):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
