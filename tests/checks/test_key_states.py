"""AWS's table of key states: what each operation does with a key in each state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from answers import STATES, TESTER
from botocore.exceptions import ClientError
from calls import ELSEWHERE, IMPORTED, KINDS, MATERIAL, MEMBERS, ROLE

from pytest_kms import FakeKMS, Key, UsageError
from pytest_kms.operation import OPERATIONS

pytestmark = pytest.mark.kms(region="us-east-1")


class Error(NamedTuple):
    """What a call is refused with; `{arn}` stands for the ARN of the key."""

    code: str
    message: str


ORIGIN = "{arn} origin is %s which is not valid for this operation."
OK = None
DIS = Error("DisabledException", "{arn} is disabled.")
DEL = Error("KMSInvalidStateException", "{arn} is pending deletion.")
REP = Error("KMSInvalidStateException", "{arn} is pending replica deletion.")
IMP = Error("KMSInvalidStateException", "{arn} is pending import.")
UNA = Error("KMSInvalidStateException", "{arn} is unavailable.")
CRE = Error("KMSInvalidStateException", "{arn} is creating.")
UPD = Error("KMSInvalidStateException", "{arn} is updating.")
NOT = Error("KMSInvalidStateException", "{arn} is not pending deletion.")
UNS = Error("UnsupportedOperationException", "")
KMS = Error("UnsupportedOperationException", ORIGIN % "AWS_KMS")
EXT = Error("UnsupportedOperationException", ORIGIN % "EXTERNAL")
HSM = Error("UnsupportedOperationException", ORIGIN % "AWS_CLOUDHSM")
N_A = "not applicable: no such key can be in this state"
___ = "no other case than one in a row beside, or none at all"

Result = Error | str | None

# The columns are STATES, in that order. In the column Unavailable the key is one of a key store that is disconnected,
# in the column PendingImport one of origin EXTERNAL. Where AWS's table depends on the key, each kind has a row.
#
# What was recorded stands here, where it is not what is documented: a key that waits for its deletion is never a
# DisabledException; of a key without material nothing is said but "is pending import.", GetPublicKey does not show its
# public key, and GetKeyRotationStatus answers.
#
# Guesses are: that "is unavailable.", "is creating." and "is updating." are worded as the others are; that operations
# of rotation refuse keys of key stores by their origin; that GetParametersForImport tells one pending deletion from the
# other. GetKeyLastUsage is not in AWS's table, and models no error of a state.
# fmt: off
TABLE: dict[str, tuple[Result, ...]] = {
    "CancelKeyDeletion":                     (NOT, NOT, OK,  OK,  NOT, NOT, NOT, NOT),
    "CreateAlias":                           (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "CreateGrant":                           (OK,  DIS, DEL, REP, IMP, OK,  CRE, OK),
    "CreateKey":                             (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "Decrypt":                               (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "DeleteAlias":                           (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "DeleteImportedKeyMaterial":             (OK,  OK,  OK,  OK,  OK,  N_A, CRE, UPD),
    "DeleteImportedKeyMaterial, AWS_KMS":    (KMS, KMS, KMS, KMS, ___, HSM, ___, ___),
    "DeriveSharedSecret":                    (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "DescribeKey":                           (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "DisableKey":                            (OK,  OK,  DEL, REP, IMP, OK,  CRE, UPD),
    "DisableKeyRotation":                    (OK,  DIS, DEL, REP, EXT, HSM, CRE, OK),
    "DisableKeyRotation, EXTERNAL":          (EXT, DIS, DEL, REP, ___, N_A, CRE, EXT),
    "DisableKeyRotation, key store":         (HSM, DIS, DEL, ___, ___, ___, ___, ___),
    "EnableKey":                             (OK,  OK,  DEL, REP, IMP, OK,  CRE, UPD),
    "EnableKeyRotation":                     (OK,  DIS, DEL, REP, EXT, HSM, CRE, OK),
    "EnableKeyRotation, EXTERNAL":           (EXT, DIS, DEL, REP, ___, N_A, CRE, EXT),
    "EnableKeyRotation, key store":          (HSM, DIS, DEL, ___, ___, ___, ___, ___),
    "Encrypt":                               (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKey":                       (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateDataKeyPair":                   (OK,  DIS, DEL, REP, IMP, UNS, CRE, OK),
    "GenerateDataKeyPair, key store":        (UNS, DIS, DEL, ___, ___, ___, ___, ___),
    "GenerateDataKeyPairWithoutPlaintext":   (OK,  DIS, DEL, REP, IMP, UNS, CRE, OK),
    "GenerateDataKeyWithoutPlaintext":       (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "GenerateMac":                           (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "GenerateRandom":                        (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "GetKeyLastUsage":                       (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "GetKeyPolicy":                          (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "GetKeyRotationStatus":                  (OK,  OK,  OK,  OK,  OK,  HSM, OK,  OK),
    "GetKeyRotationStatus, key store":       (HSM, HSM, HSM, ___, ___, ___, ___, ___),
    "GetParametersForImport":                (OK,  OK,  DEL, REP, OK,  HSM, CRE, UPD),
    "GetParametersForImport, AWS_KMS":       (KMS, KMS, KMS, KMS, ___, ___, ___, ___),
    "GetPublicKey":                          (OK,  OK,  DEL, REP, IMP, N_A, CRE, OK),
    "ImportKeyMaterial":                     (OK,  OK,  DEL, REP, OK,  HSM, CRE, OK),
    "ImportKeyMaterial, AWS_KMS":            (KMS, KMS, KMS, KMS, ___, ___, ___, ___),
    "ListAliases":                           (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListGrants":                            (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListKeyPolicies":                       (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListKeyRotations":                      (OK,  OK,  OK,  OK,  OK,  HSM, OK,  OK),
    "ListKeyRotations, key store":           (HSM, HSM, HSM, ___, ___, ___, ___, ___),
    "ListKeys":                              (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListResourceTags":                      (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ListRetirableGrants":                   (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "PutKeyPolicy":                          (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "ReEncrypt, from it":                    (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "ReEncrypt, to it":                      (OK,  DIS, DEL, REP, IMP, UNA, CRE, OK),
    "ReplicateKey":                          (OK,  DIS, DEL, REP, IMP, N_A, CRE, UPD),
    "RetireGrant":                           (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "RevokeGrant":                           (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "RotateKeyOnDemand":                     (OK,  DIS, DEL, REP, IMP, HSM, CRE, OK),
    "RotateKeyOnDemand, key store":          (HSM, DIS, DEL, ___, ___, ___, ___, ___),
    "ScheduleKeyDeletion":                   (OK,  OK,  DEL, REP, OK,  OK,  OK,  UPD),
    "Sign":                                  (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "TagResource":                           (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UntagResource":                         (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UpdateAlias, to it":                    (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UpdateAlias, away from it":             (OK,  OK,  OK,  OK,  OK,  OK,  OK,  OK),
    "UpdateKeyDescription":                  (OK,  OK,  DEL, REP, OK,  OK,  OK,  OK),
    "UpdatePrimaryRegion":                   (OK,  DIS, ___, REP, IMP, N_A, CRE, OK),
    "UpdatePrimaryRegion, to where it is":   (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "UpdatePrimaryRegion, to it":            (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "Verify":                                (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
    "VerifyMac":                             (OK,  DIS, DEL, REP, IMP, N_A, CRE, OK),
}
# fmt: on

OF_KEY_STORES = {name for name in OPERATIONS if "CustomKeyStore" in name}

# The keys that the rows are about.

KINDS_OF_ROWS = KINDS | dict.fromkeys(
    ("UpdatePrimaryRegion, to it", "UpdatePrimaryRegion, to where it is"), KINDS["UpdatePrimaryRegion"]
)


def key_for(kms: FakeKMS, row: str, state: str) -> Key:
    """Make the key that a row is about, of a kind that can come into a state."""
    if row.endswith("EXTERNAL"):
        kind: dict[str, Any] = IMPORTED
    elif row.endswith("key store"):
        kind = {"key_store": kms.key_store()}
    else:
        kind = KINDS_OF_ROWS.get(row, {})
    if state == "PendingImport":
        kind = {**kind, **IMPORTED, "material": kms.create_key(**kind).material}
    if state == "Unavailable":
        kind = {**kind, "key_store": kms.key_store()}
        if TABLE[row][STATES.index(state)] == HSM and kind.get("origin"):
            del kind["origin"]
    key = kms.create_key("mine", **kind)
    return kms.replicate(key, ELSEWHERE) if row == "UpdatePrimaryRegion, to it" else key


def bring(key: Key, state: str) -> None:
    """Let a key come into a state."""
    if state == "Unavailable":
        assert key.store is not None
        key.store.disconnect()
    else:
        key.state = state
    assert state == key.state


# How the operations are called: each prepares the call while the key is enabled.

Call = Callable[[], object]


def import_key_material(kms: FakeKMS, key: Key) -> Call:
    """Import the material that the key has."""
    members: Any = {"ImportToken": b"of another kind of key", "EncryptedKeyMaterial": b"x"}
    if key.origin == "EXTERNAL":
        parameters = kms.client.get_parameters_for_import(
            KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        wrapped = kms.wrap_key_material(parameters, MATERIAL)
        members = {"ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": wrapped}
    return lambda: kms.client.import_key_material(
        KeyId=key.id, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **members
    )


def grant(kms: FakeKMS, key: Key) -> Any:
    """Make a grant that the caller may retire, and return what names it."""
    made = kms.client.create_grant(
        KeyId=key.id,
        GranteePrincipal=ROLE,
        RetiringPrincipal=TESTER,
        Operations=["DescribeKey"],
    )
    return {"KeyId": key.arn, "GrantId": made["GrantId"]}


def retire_grant(kms: FakeKMS, key: Key) -> Call:
    """Retire a grant."""
    members = grant(kms, key)
    return lambda: kms.client.retire_grant(**members)


def revoke_grant(kms: FakeKMS, key: Key) -> Call:
    """Revoke a grant."""
    members = grant(kms, key)
    return lambda: kms.client.revoke_grant(**members)


def put_key_policy(kms: FakeKMS, key: Key) -> Call:
    """Put the key policy that the key has."""
    return lambda: kms.client.put_key_policy(KeyId=key.id, Policy=key.policy)


def update_alias_to(kms: FakeKMS, key: Key) -> Call:
    """Let another key's alias point to the key."""
    kms.create_key("other")
    return lambda: kms.client.update_alias(AliasName="alias/other", TargetKeyId=key.id)


def update_alias_away(kms: FakeKMS, _: Key) -> Call:
    """Let the key's alias point to another key."""
    other = kms.create_key()
    return lambda: kms.client.update_alias(AliasName="alias/mine", TargetKeyId=other.id)


def decrypt(kms: FakeKMS, key: Key) -> Call:
    """Decrypt a ciphertext of the key, which tells the key."""
    blob = kms.encrypt(key, b"x")
    return lambda: kms.client.decrypt(CiphertextBlob=blob)


def re_encrypt_from(kms: FakeKMS, key: Key) -> Call:
    """Encrypt a ciphertext of the key under another."""
    blob, other = kms.encrypt(key, b"x"), kms.create_key()
    return lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other.id)


def re_encrypt_to(kms: FakeKMS, key: Key) -> Call:
    """Encrypt a ciphertext of another key under the key."""
    blob = kms.encrypt(kms.create_key(), b"x")
    return lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key.id)


def verify(kms: FakeKMS, key: Key) -> Call:
    """Verify a signature of the key."""
    members: Any = {"KeyId": key.id, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.client.sign(**members)["Signature"]
    return lambda: kms.client.verify(Signature=signature, **members)


def verify_mac(kms: FakeKMS, key: Key) -> Call:
    """Verify a MAC of the key."""
    members: Any = {"KeyId": key.id, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.client.generate_mac(**members)["Mac"]
    return lambda: kms.client.verify_mac(Mac=mac, **members)


def derive_shared_secret(kms: FakeKMS, key: Key) -> Call:
    """Derive a secret that the key shares with another."""
    other = kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT").public_key
    return lambda: kms.client.derive_shared_secret(KeyId=key.id, KeyAgreementAlgorithm="ECDH", PublicKey=other)


def update_primary_region(kms: FakeKMS, key: Key) -> Call:
    """Let a replica of the key be the primary."""
    kms.replicate(key, ELSEWHERE)
    return lambda: kms.client.update_primary_region(KeyId=key.id, PrimaryRegion=ELSEWHERE)


def update_primary_region_to(kms: FakeKMS, key: Key) -> Call:
    """Let the key be the primary, which it may be already."""
    return lambda: kms.client.update_primary_region(KeyId=key.id, PrimaryRegion=key.region)


# Those that need more than an enabled key.
PREPARED: dict[str, Callable[[FakeKMS, Key], Call]] = {
    "Decrypt": decrypt,
    "DeriveSharedSecret": derive_shared_secret,
    "ImportKeyMaterial": import_key_material,
    "ImportKeyMaterial, AWS_KMS": import_key_material,
    "PutKeyPolicy": put_key_policy,
    "ReEncrypt, from it": re_encrypt_from,
    "ReEncrypt, to it": re_encrypt_to,
    "RetireGrant": retire_grant,
    "RevokeGrant": revoke_grant,
    "UpdateAlias, to it": update_alias_to,
    "UpdateAlias, away from it": update_alias_away,
    "UpdatePrimaryRegion": update_primary_region,
    "UpdatePrimaryRegion, to it": update_primary_region_to,
    "UpdatePrimaryRegion, to where it is": update_primary_region_to,
    "Verify": verify,
    "VerifyMac": verify_mac,
}
NAMES_NO_KEY = ("CreateKey", "DeleteAlias", "GenerateRandom", "ListKeys", "ListRetirableGrants")
KEY_MEMBER = {"CreateAlias": "TargetKeyId"}


def operation_of(row: str) -> str:
    """Return the operation that a row is about."""
    return row.partition(",")[0]


def prepared(kms: FakeKMS, row: str, key: Key) -> Call:
    """Prepare the call of a row."""
    if row in PREPARED:
        return PREPARED[row](kms, key)
    name = operation_of(row)
    names_key = {} if name in NAMES_NO_KEY else {KEY_MEMBER.get(name, "KeyId"): key.id}
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return lambda: getattr(kms.client, method)(**names_key, **MEMBERS.get(name, {}))


CELLS = [
    pytest.param(row, state, result, id=f"{row}-{state}".replace(" ", "_"))
    for row, results in TABLE.items()
    for state, result in zip(STATES, results, strict=True)
    if result != ___
]


@pytest.mark.parametrize(("row", "state", "result"), CELLS)
def test_an_operation_in_a_key_state(kms: FakeKMS, row: str, state: str, result: Result) -> None:
    """Each cell of the table: success, or the code and the text of the refusal, which leaves the state as it was."""
    if result == N_A:
        with pytest.raises(UsageError, match="AWS_CLOUDHSM"):
            key_for(kms, row, state)
        return
    key = key_for(kms, row, state)
    call = prepared(kms, row, key)
    bring(key, state)
    if result is None:
        call()
        [*_, last] = [event for event in kms.trail if event.service_event is None]
        assert (operation_of(row), None) == (last.operation, last.error)
        return
    assert isinstance(result, Error)
    with pytest.raises(ClientError) as excinfo:
        call()
    error = {"Code": result.code, "Message": result.message.format(arn=key.arn)}
    assert error == excinfo.value.response["Error"]
    assert operation_of(row) == kms.trail.last.operation
    assert state == key.state


def test_every_operation_has_a_row() -> None:
    """Those on key stores look at their connection states instead."""
    assert set(OPERATIONS) - OF_KEY_STORES == {operation_of(row) for row in TABLE}


@pytest.mark.parametrize(
    "cell", ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "Encrypt", "EnableKey", "DisableKey"]
)
def test_a_key_may_be_unavailable_without_a_key_store(kms: FakeKMS, cell: str) -> None:
    """Where a test just says so, it is refused what a key of a key store is, and stays so."""
    key = kms.create_key(state="Unavailable")
    result = TABLE[cell][STATES.index("Unavailable")]
    assert not isinstance(result, str)
    call = prepared(kms, cell, key)
    if result is None:
        call()
    else:
        with pytest.raises(ClientError) as excinfo:
            call()
        error = {"Code": result.code, "Message": result.message.format(arn=key.arn)}
        assert error == excinfo.value.response["Error"]
    assert "Unavailable" == key.state
