"""Operations find keys by id, key ARN, alias and alias ARN where AWS does, and by the ciphertext."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from answers import UNKNOWN, not_allowed
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, Key, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
FOREIGN = "210987654321"
USER = "arn:aws:iam::123456789012:user/tester"
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}
INCORRECT_KEY = {
    "Code": "IncorrectKeyException",
    "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
}
# Somebody's public key on P-256, whom DeriveSharedSecret may agree with.
PEER = base64.b64decode(
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQdVmyFAJdYOOp6rvADgFSAp2"
    "mh1loGruQEufyDcQtSh4azXkugf2nNOLtYp6pxjq3FHFg7j1uQ9xZ4rwh1mw2Q=="
)
EDWARDS = ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
HMAC = ("HMAC_256", "GENERATE_VERIFY_MAC")


class Target(NamedTuple):
    """A member that names a key: boto3's name of the operation, the member, the permission, and the kind of key."""

    method: str
    member: str
    action: str
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"

    def ask(self, kms: FakeKMS, key_id: str, key: Key, client: KMSClient | None = None) -> Any:
        """Make the call with a name for the key, and whatever else it needs on that key."""
        others = _others(kms, self, key)
        return getattr(client or kms.client, self.method)(**others, **{self.member: key_id})

    def error(self, kms: FakeKMS, key_id: str, key: Key, client: KMSClient | None = None) -> dict[str, str]:
        """Return the error that the call ends with."""
        with pytest.raises(ClientError) as excinfo:
            self.ask(kms, key_id, key, client)
        return error_in(excinfo.value)


def _others(kms: FakeKMS, target: Target, key: Key) -> dict[str, Any]:
    blob = kms.encrypt(key, b"secret") if key.spec == "SYMMETRIC_DEFAULT" else b"none"
    signed = {"Message": b"secret", "SigningAlgorithm": "ED25519_SHA_512"}
    authenticated = {"Message": b"secret", "MacAlgorithm": "HMAC_SHA_256"}
    others: dict[str, dict[str, Any]] = {
        "Encrypt": {"Plaintext": b"secret"},
        "Decrypt": {"CiphertextBlob": blob},
        "ReEncryptFrom": {"CiphertextBlob": blob, "DestinationKeyId": "alias/other"},
        "ReEncryptTo": {"CiphertextBlob": kms.encrypt("alias/other", b"secret")},
        "GenerateDataKey": {"KeySpec": "AES_256"},
        "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
        "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
        "Sign": signed,
        "Verify": {**signed, "Signature": _signature(key)},
        "GenerateMac": authenticated,
        "VerifyMac": {**authenticated, "Mac": hmac.digest(key.material, b"secret", "sha256")},
        "DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": PEER},
        "UpdateKeyDescription": {"Description": "orders"},
        "CreateAlias": {"AliasName": "alias/new"},
        "UpdateAlias": {"AliasName": "alias/other"},
    }
    return others.get(target.action, {})


def _signature(key: Key) -> bytes:
    """Sign as Sign does, without a call; a key that does not sign need not."""
    private_key = load_der_private_key(key.material, None) if key.usage == "SIGN_VERIFY" else None
    return private_key.sign(b"secret") if isinstance(private_key, Ed25519PrivateKey) else b"none"


def error_in(error: ClientError) -> dict[str, str]:
    """Return code and message of an error."""
    return dict(error.response["Error"])  # type: ignore[arg-type]


def error_of(client: KMSClient, method: str, **members: Any) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**members)
    return error_in(excinfo.value)


def not_found(message: str) -> dict[str, str]:
    """Return AWS's error for what is not there."""
    return {"Code": "NotFoundException", "Message": message}


def hidden(action: str, which: str = "on this resource") -> dict[str, str]:
    """Return AWS's error for what may be there or not: it does not tell."""
    return {
        "Code": "AccessDeniedException",
        "Message": f"User: {USER} is not authorized to perform: kms:{action} {which} because the resource does not"
        " exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly"
        " denies access",
    }


BY_ALIAS = [
    Target("describe_key", "KeyId", "DescribeKey"),
    Target("get_public_key", "KeyId", "GetPublicKey", *EDWARDS),
    Target("encrypt", "KeyId", "Encrypt"),
    Target("decrypt", "KeyId", "Decrypt"),
    Target("re_encrypt", "SourceKeyId", "ReEncryptFrom"),
    Target("re_encrypt", "DestinationKeyId", "ReEncryptTo"),
    Target("generate_data_key", "KeyId", "GenerateDataKey"),
    Target("generate_data_key_without_plaintext", "KeyId", "GenerateDataKeyWithoutPlaintext"),
    Target("generate_data_key_pair", "KeyId", "GenerateDataKeyPair"),
    Target("generate_data_key_pair_without_plaintext", "KeyId", "GenerateDataKeyPairWithoutPlaintext"),
    Target("sign", "KeyId", "Sign", *EDWARDS),
    Target("verify", "KeyId", "Verify", *EDWARDS),
    Target("generate_mac", "KeyId", "GenerateMac", *HMAC),
    Target("verify_mac", "KeyId", "VerifyMac", *HMAC),
    Target("derive_shared_secret", "KeyId", "DeriveSharedSecret", "ECC_NIST_P256", "KEY_AGREEMENT"),
]
NOT_BY_ALIAS = [
    Target("update_key_description", "KeyId", "UpdateKeyDescription"),
    Target("enable_key", "KeyId", "EnableKey"),
    Target("disable_key", "KeyId", "DisableKey"),
    Target("schedule_key_deletion", "KeyId", "ScheduleKeyDeletion"),
    Target("cancel_key_deletion", "KeyId", "CancelKeyDeletion"),
    Target("list_aliases", "KeyId", "ListAliases"),
    Target("enable_key_rotation", "KeyId", "EnableKeyRotation"),
    Target("disable_key_rotation", "KeyId", "DisableKeyRotation"),
    Target("get_key_rotation_status", "KeyId", "GetKeyRotationStatus"),
    Target("rotate_key_on_demand", "KeyId", "RotateKeyOnDemand"),
    Target("list_key_rotations", "KeyId", "ListKeyRotations"),
]
TO_ALIAS = [
    Target("create_alias", "TargetKeyId", "CreateAlias"),
    Target("update_alias", "TargetKeyId", "UpdateAlias"),
]
EVERY = BY_ALIAS + NOT_BY_ALIAS + TO_ALIAS
CRYPTOGRAPHIC = BY_ALIAS[2:]

every_target = pytest.mark.parametrize("target", EVERY, ids=lambda target: target.action)
by_alias = pytest.mark.parametrize("target", BY_ALIAS, ids=lambda target: target.action)
not_by_alias = pytest.mark.parametrize("target", NOT_BY_ALIAS, ids=lambda target: target.action)
cryptographic = pytest.mark.parametrize("target", CRYPTOGRAPHIC, ids=lambda target: target.action)


@pytest.fixture
def target() -> Target:
    """Stand for a symmetric encryption key where a test is about no target in particular."""
    return Target("encrypt", "KeyId", "Encrypt")


@pytest.fixture
def key(kms: FakeKMS, target: Target) -> Key:
    """Give a key of the kind that the target asks for, with an alias, beside another one."""
    kms.create_key("other")
    return kms.create_key("orders", spec=target.spec, usage=target.usage)


def prepare(target: Target, key: Key) -> None:
    """Put the key into the state that the operation asks for."""
    if target.action == "CancelKeyDeletion":
        key.state = "PendingDeletion"


# The four forms


@every_target
@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_is_found_by_id_and_arn(kms: FakeKMS, key: Key, target: Target, form: str) -> None:
    """Every operation that takes a key takes these two."""
    prepare(target, key)
    target.ask(kms, getattr(key, form), key)
    assert kms.trail[-1].succeeded
    assert key.arn in kms.trail[-1].keys


@by_alias
@pytest.mark.parametrize("name", ["alias/orders", f"{ARN}:alias/orders"], ids=["alias", "alias ARN"])
def test_a_key_is_found_by_alias_and_alias_arn(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """Cryptographic operations, DescribeKey and GetPublicKey take aliases as well."""
    target.ask(kms, name, key)
    assert kms.trail[-1].succeeded
    assert key.arn in kms.trail[-1].keys


@by_alias
@pytest.mark.parametrize("name", ["alias/orders", f"{ARN}:alias/orders"], ids=["alias", "alias ARN"])
def test_an_answer_names_the_key_by_its_arn(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """Whatever name it was asked by."""
    answer = target.ask(kms, name, key)
    if target.method == "describe_key":
        assert (key.id, key.arn) == (answer["KeyMetadata"]["KeyId"], answer["KeyMetadata"]["Arn"])
    else:
        assert key.arn == answer["SourceKeyId" if target.member == "SourceKeyId" else "KeyId"]


@not_by_alias
@pytest.mark.parametrize(
    "name",
    ["alias/orders", f"{ARN}:alias/orders", "alias/nothing", f"{ARN}:alias/nothing", "alias/aws/s3"],
    ids=["alias", "alias ARN", "unknown alias", "unknown alias ARN", "alias of AWS"],
)
def test_an_alias_is_refused(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """Operations that manage a key do not take aliases, whether there are such or not."""
    prepare(target, key)
    assert {
        "Code": "InvalidArnException",
        "Message": "Key Aliases are not supported for this operation.",
    } == target.error(kms, name, key)


@every_target
@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_id_may_be_in_upper_case(kms: FakeKMS, key: Key, target: Target, form: str) -> None:
    """Hexadecimal digits are the same in both cases."""
    prepare(target, key)
    name = key.id.upper() if form == "id" else f"{ARN}:key/{key.id.upper()}"
    target.ask(kms, name, key)
    assert key.arn in kms.trail[-1].keys


# What is not there


@every_target
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("orders", id="word"),
        pytest.param("134f2428cec14b25a1ae9048164dba47", id="no dashes"),
        pytest.param("00000000-0000-4000-8000-00000000000", id="a digit too few"),
        pytest.param("00000000-0000-4000-8000-0000000000000", id="a digit too many"),
        pytest.param("0000000g-0000-4000-8000-000000000000", id="no digit"),
        pytest.param("00000000-0000-4000-8000-000000000000 ", id="space"),
        pytest.param("mrk-fake-key-id", id="mrk- word"),
        pytest.param("key/00000000-0000-4000-8000-000000000000", id="part of an ARN"),
        pytest.param("Alias/orders", id="Alias/"),
        pytest.param("/", id="slash"),
    ],
)
def test_a_malformed_key_id(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """The message repeats it."""
    assert not_found(f"Invalid keyId '{name}'") == target.error(kms, name, key)


@every_target
@pytest.mark.parametrize("name", ["orders", "134f2428cec14b25a1ae9048164dba47", ""])
def test_a_malformed_key_id_in_an_arn(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """The message repeats that part, without quotes."""
    assert not_found(f"Invalid keyId {name}") == target.error(kms, f"{ARN}:key/{name}", key)


@every_target
@pytest.mark.parametrize("key_id", [UNKNOWN, f"mrk-{'0' * 32}"], ids=["single-Region", "multi-Region"])
@pytest.mark.parametrize("form", ["id", "arn"])
def test_an_unknown_key(kms: FakeKMS, key: Key, target: Target, key_id: str, form: str) -> None:
    """The message gives the ARN that it would have."""
    name = key_id if form == "id" else f"{ARN}:key/{key_id}"
    assert not_found(f"Key '{ARN}:key/{key_id}' does not exist") == target.error(kms, name, key)


@by_alias
@pytest.mark.parametrize("name", ["alias/nothing", f"{ARN}:alias/nothing"], ids=["alias", "alias ARN"])
def test_an_unknown_alias(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """The message gives the ARN that it would have."""
    assert not_found(f"Alias {ARN}:alias/nothing is not found.") == target.error(kms, name, key)


@by_alias
def test_an_alias_is_case_sensitive(kms: FakeKMS, key: Key, target: Target) -> None:
    """An alias in other letters is another alias."""
    assert not_found(f"Alias {ARN}:alias/Orders is not found.") == target.error(kms, "alias/Orders", key)


@by_alias
def test_an_alias_of_aws_for_no_service(kms: FakeKMS, key: Key, target: Target) -> None:
    """Only services that AWS has give an AWS managed key."""
    assert not_found(f"Alias {ARN}:alias/aws/orders is not found.") == target.error(kms, "alias/aws/orders", key)


@every_target
@pytest.mark.parametrize(
    "name", ["arn:aws:s3:::bucket", f"{ARN}:orders", "arn:aws:kms"], ids=["other service", "no key", "cut"]
)
def test_an_arn_of_no_key(kms: FakeKMS, key: Key, target: Target, name: str) -> None:
    """AWS's own words for these were never seen."""
    assert not_found(f"Invalid arn {name}") == target.error(kms, name, key)


@every_target
def test_a_deleted_key(kms: FakeKMS, key: Key, target: Target) -> None:
    """It is as if it had never been."""
    gone = kms.create_key(state="PendingDeletion")
    kms.clock.advance(days=31)
    assert not_found(f"Key '{gone.arn}' does not exist") == target.error(kms, gone.id, key)


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.action)
@pytest.mark.parametrize(
    ("name", "constraints"),
    [
        pytest.param(
            "",
            ["have length greater than or equal to 1", r"satisfy regular expression pattern: ^\p{ASCII}+$"],
            id="empty",
        ),
        pytest.param("x" * 2049, ["have length less than or equal to 2048"], id="2049 characters"),
        pytest.param("schlüssel", [r"satisfy regular expression pattern: ^\p{ASCII}+$"], id="umlaut"),
    ],
)
def test_a_name_that_breaks_the_constraints(
    kms: FakeKMS, key: Key, target: Target, name: str, constraints: list[str]
) -> None:
    """A name of a key has 1 to 2048 characters, all of them ASCII."""
    place = target.member[0].lower() + target.member[1:]
    violations = [
        f"Value '{name}' at '{place}' failed to satisfy constraint: Member must {constraint}"
        for constraint in constraints
    ]
    plural = "s" if len(violations) > 1 else ""
    client = kms.client_for(config=Config(parameter_validation=False))
    assert {
        "Code": "ValidationException",
        "Message": f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}",
    } == target.error(kms, name, key, client)


@every_target
def test_2048_characters_are_a_malformed_key_id(kms: FakeKMS, key: Key, target: Target) -> None:
    """The longest name that is looked for."""
    assert not_found(f"Invalid keyId '{'x' * 2048}'") == target.error(kms, "x" * 2048, key)


# Other Regions


@every_target
def test_the_arn_of_another_region(kms: FakeKMS, key: Key, target: Target) -> None:
    """The message names that Region, whether there is such a key or not."""
    there = kms.create_key(region="us-west-2")
    for arn in (there.arn, f"arn:aws:kms:us-west-2:123456789012:key/{UNKNOWN}"):
        assert not_found("Invalid arn us-west-2") == target.error(kms, arn, key)


@by_alias
def test_the_alias_arn_of_another_region(kms: FakeKMS, key: Key, target: Target) -> None:
    """The message names that Region, whether there is such an alias or not."""
    kms.create_key("there", region="us-west-2")
    for name in ("there", "nothing"):
        arn = f"arn:aws:kms:us-west-2:123456789012:alias/{name}"
        assert not_found("Invalid arn us-west-2") == target.error(kms, arn, key)


@every_target
@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", ""])
def test_the_arn_of_another_partition(kms: FakeKMS, key: Key, target: Target, partition: str) -> None:
    """No Region is in two partitions; the sentence is a guess."""
    arn = key.arn.replace("arn:aws:", f"arn:{partition}:")
    assert not_found(f"Invalid arn {partition}") == target.error(kms, arn, key)


@by_alias
def test_the_alias_arn_of_another_partition(kms: FakeKMS, key: Key, target: Target) -> None:
    """No Region is in two partitions; the sentence is a guess."""
    kms.create_key("here")
    arn = "arn:aws-cn:kms:us-east-1:123456789012:alias/here"
    assert not_found("Invalid arn aws-cn") == target.error(kms, arn, key)


@every_target
def test_the_id_of_a_key_of_another_region(kms: FakeKMS, key: Key, target: Target) -> None:
    """A bare id is looked for in the Region that was called."""
    there = kms.create_key(region="us-west-2")
    assert not_found(f"Key '{ARN}:key/{there.id}' does not exist") == target.error(kms, there.id, key)


@by_alias
def test_the_alias_of_another_region(kms: FakeKMS, key: Key, target: Target) -> None:
    """A bare alias is looked for in the Region that was called."""
    kms.create_key("there", region="us-west-2")
    assert not_found(f"Alias {ARN}:alias/there is not found.") == target.error(kms, "alias/there", key)


# Other accounts


@every_target
def test_the_key_of_another_account(kms: FakeKMS, key: Key, target: Target) -> None:
    """Nothing tells whether there is such a key."""
    foreign = kms.create_key(account=FOREIGN)
    assert hidden(target.action) == target.error(kms, foreign.arn, foreign)


@every_target
def test_an_unknown_key_of_another_account(kms: FakeKMS, key: Key, target: Target) -> None:
    """It looks like one that there is."""
    name = f"arn:aws:kms:us-east-1:{FOREIGN}:key/{UNKNOWN}"
    assert hidden(target.action) == target.error(kms, name, key)


@by_alias
def test_the_alias_of_another_account(kms: FakeKMS, key: Key, target: Target) -> None:
    """Nothing tells whether there is such an alias."""
    foreign = kms.create_key("foreign", account=FOREIGN)
    for alias in ("foreign", "nothing"):
        name = f"arn:aws:kms:us-east-1:{FOREIGN}:alias/{alias}"
        assert hidden(target.action) == target.error(kms, name, foreign)


@every_target
def test_the_id_of_a_key_of_another_account(kms: FakeKMS, key: Key, target: Target) -> None:
    """A bare id is looked for in the caller's account."""
    foreign = kms.create_key(account=FOREIGN)
    assert not_found(f"Key '{ARN}:key/{foreign.id}' does not exist") == target.error(kms, foreign.id, key)


# AWS managed and AWS owned keys


@pytest.mark.parametrize("name", ["alias/aws/s3", f"{ARN}:alias/aws/s3"], ids=["alias", "alias ARN"])
def test_an_aws_managed_key_is_described_by_its_alias(kms: FakeKMS, name: str) -> None:
    """The key comes into being when it is first named, and stays the same."""
    metadata = kms.client.describe_key(KeyId=name)["KeyMetadata"]
    managed = kms.aws_managed_key("s3")
    assert (managed.arn, "AWS") == (metadata["Arn"], metadata["KeyManager"])


@cryptographic
@pytest.mark.parametrize("form", ["alias", "arn"])
def test_an_aws_managed_key_is_not_used_directly(kms: FakeKMS, key: Key, target: Target, form: str) -> None:
    """Only its service may use it."""
    managed = kms.aws_managed_key("s3")
    assert not_allowed(target.action, managed.arn) == target.error(kms, getattr(managed, form), managed)


@every_target
def test_an_aws_owned_key_is_in_no_account_of_ours(kms: FakeKMS, key: Key, target: Target) -> None:
    """By its id it is not found, by its ARN it is hidden."""
    owned = kms.aws_owned_key("dynamodb")
    assert not_found(f"Key '{ARN}:key/{owned.id}' does not exist") == target.error(kms, owned.id, key)
    with pytest.raises(ClientError) as excinfo:
        target.ask(kms, owned.arn, owned)
    assert hidden(target.action) == error_in(excinfo.value)


# Keys by their ciphertext


def ask(kms: FakeKMS, method: str, blob: bytes, **members: Any) -> dict[str, str]:
    """Return the error that Decrypt or ReEncrypt answers to a ciphertext."""
    destination = {"DestinationKeyId": kms.create_key().id} if method == "re_encrypt" else {}
    return error_of(kms.client, method, CiphertextBlob=blob, **destination, **members)


by_ciphertext = pytest.mark.parametrize(
    ("method", "member", "action"),
    [("decrypt", "KeyId", "Decrypt"), ("re_encrypt", "SourceKeyId", "ReEncryptFrom")],
    ids=["Decrypt", "ReEncrypt"],
)
ON_CIPHERTEXT = "on the resource associated with this ciphertext"


@by_ciphertext
def test_a_ciphertext_of_another_region(kms: FakeKMS, key: Key, method: str, member: str, action: str) -> None:
    """Its key is not here, and no message says where it is."""
    there = kms.create_key(region="us-west-2")
    blob = kms.encrypt(there, b"secret")
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)
    assert INCORRECT_KEY == ask(kms, method, blob, **{member: key.id})
    assert not_found("Invalid arn us-west-2") == ask(kms, method, blob, **{member: there.arn})
    assert b"secret" == kms.client_for(region="us-west-2").decrypt(CiphertextBlob=blob)["Plaintext"]


@by_ciphertext
def test_the_key_of_a_ciphertext_is_not_reached_by_its_name_from_elsewhere(
    kms: FakeKMS, key: Key, method: str, member: str, action: str
) -> None:
    """A bare id is looked for in the Region that was called, though the ciphertext tells where its key is."""
    there = kms.create_key(region="us-west-2", multi_region=True)
    blob = kms.encrypt(there, b"secret")
    assert not_found(f"Key '{ARN}:key/{there.id}' does not exist") == ask(kms, method, blob, **{member: there.id})
    assert not_found("Invalid arn us-west-2") == ask(kms, method, blob, **{member: there.arn})


@by_ciphertext
def test_a_ciphertext_of_a_deleted_replica(kms: FakeKMS, key: Key, method: str, member: str, action: str) -> None:
    """That its relatives live elsewhere makes no difference here."""
    primary = kms.create_key(region="us-west-2", multi_region=True)
    gone = kms.replicate(primary, "us-east-1", state="PendingDeletion")
    blob = kms.encrypt(primary, b"secret")
    kms.clock.advance(days=31)
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)
    for name in (gone.id, gone.arn):
        assert not_found(f"Key '{gone.arn}' does not exist") == ask(kms, method, blob, **{member: name})


@by_ciphertext
def test_a_ciphertext_of_a_deleted_key(kms: FakeKMS, key: Key, method: str, member: str, action: str) -> None:
    """It is lost, and the message does not tell a deleted key from one that never was here."""
    gone = kms.create_key(state="PendingDeletion")
    blob = kms.encrypt(gone, b"secret")
    kms.clock.advance(days=31)
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)
    assert INCORRECT_KEY == ask(kms, method, blob, **{member: key.id})
    for name in (gone.id, gone.arn):
        assert not_found(f"Key '{gone.arn}' does not exist") == ask(kms, method, blob, **{member: name})


@by_ciphertext
def test_a_ciphertext_of_another_account(kms: FakeKMS, key: Key, method: str, member: str, action: str) -> None:
    """Its key lets nobody else in."""
    foreign = kms.create_key(account=FOREIGN)
    blob = kms.encrypt(foreign, b"secret")
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)
    assert hidden(action) == ask(kms, method, blob, **{member: foreign.arn})
    assert INCORRECT_KEY == ask(kms, method, blob, **{member: key.id})


@by_ciphertext
def test_a_ciphertext_of_an_aws_managed_key(kms: FakeKMS, method: str, member: str, action: str) -> None:
    """Only the service may open it; the message names the key where the caller did."""
    managed = kms.aws_managed_key("s3")
    blob = kms.encrypt(managed, b"secret")
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)
    assert not_allowed(action, managed.arn) == ask(kms, method, blob, **{member: managed.id})


@by_ciphertext
def test_a_ciphertext_of_an_aws_owned_key(kms: FakeKMS, method: str, member: str, action: str) -> None:
    """It is a key of another account."""
    blob = kms.encrypt(kms.aws_owned_key("dynamodb"), b"secret")
    assert hidden(action, ON_CIPHERTEXT) == ask(kms, method, blob)


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
def test_a_ciphertext_of_another_fake(method: str) -> None:
    """What one fake has made, the next does not open."""
    with fake_kms() as first:
        blob = first.encrypt(first.create_key(), b"secret")
    with fake_kms() as second:
        assert INVALID_CIPHERTEXT == ask(second, method, blob)


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
def test_a_ciphertext_of_a_fake_within_a_fake(kms: FakeKMS, key: Key, method: str) -> None:
    """Each opens its own, even under the same key id and with the same key material."""
    twin = {"key_id": UNKNOWN, "material": b"m" * 32}
    kms.create_key(**twin)  # type: ignore[arg-type]
    outer = kms.encrypt(UNKNOWN, b"secret")
    with fake_kms(region="us-east-1") as inside:
        inside.create_key(**twin)  # type: ignore[arg-type]
        inner = inside.encrypt(UNKNOWN, b"secret")
        assert INVALID_CIPHERTEXT == ask(inside, method, outer)
        assert b"secret" == inside.client.decrypt(CiphertextBlob=inner)["Plaintext"]
    assert INVALID_CIPHERTEXT == ask(kms, method, inner)
    assert b"secret" == kms.client.decrypt(CiphertextBlob=outer)["Plaintext"]


def test_a_ciphertext_from_before_a_reset(kms: FakeKMS, key: Key) -> None:
    """A fake that has forgotten everything has forgotten its keys."""
    blob = kms.encrypt(key, b"secret")
    kms.reset()
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", blob)


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
@pytest.mark.parametrize("size", [1, 4, 5, 36, 37, 38, 53, 57, 58, 59, 100, 157])
def test_a_truncated_ciphertext(kms: FakeKMS, key: Key, method: str, size: int) -> None:
    """Wherever it is cut."""
    blob = kms.encrypt(key, b"secret")
    assert 158 == len(blob)
    assert INVALID_CIPHERTEXT == ask(kms, method, blob[:size])


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
@pytest.mark.parametrize("tail", [b"\x00", b"\n", b"x" * 16, b"x" * 5000], ids=["zero", "line end", "16", "5000"])
def test_an_extended_ciphertext(kms: FakeKMS, key: Key, method: str, tail: bytes) -> None:
    """Nothing may follow it, nothing may precede it."""
    blob = kms.encrypt(key, b"secret")
    assert INVALID_CIPHERTEXT == ask(kms, method, blob + tail)
    assert INVALID_CIPHERTEXT == ask(kms, method, tail + blob)


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
@pytest.mark.parametrize(
    "place",
    [
        *(pytest.param(place, id=f"kind, byte {place}") for place in range(5)),
        pytest.param(5, id="first of the key material id"),
        pytest.param(36, id="last of the key material id"),
        pytest.param(37, id="after the key material id"),
        pytest.param(38, id="first random byte"),
        pytest.param(53, id="last random byte"),
        pytest.param(54, id="length, first byte"),
        pytest.param(57, id="length, last byte"),
        pytest.param(58, id="begin of the DER"),
        pytest.param(70, id="object identifier"),
        pytest.param(-41, id="nonce"),
        pytest.param(-34, id="tag length"),
        pytest.param(-23, id="framing"),
        pytest.param(-17, id="last of the plaintext"),
        pytest.param(-1, id="tag"),
    ],
)
def test_an_altered_ciphertext(kms: FakeKMS, key: Key, method: str, place: int) -> None:
    """Whichever part it is, also where the key is named."""
    blob = bytearray(kms.encrypt(key, b"secret"))
    blob[place] ^= 0x20
    member = "KeyId" if method == "decrypt" else "SourceKeyId"
    assert INVALID_CIPHERTEXT == ask(kms, method, bytes(blob))
    assert INVALID_CIPHERTEXT == ask(kms, method, bytes(blob), **{member: key.id})


def test_a_ciphertext_in_another_guise(kms: FakeKMS, key: Key) -> None:
    """One from Encrypt does not pass as one from GenerateDataKey, nor the reverse."""
    sealed = kms.encrypt(key, b"s" * 32)
    data_key = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")["CiphertextBlob"]
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", data_key[:5] + sealed[5:])
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", sealed[:5] + data_key[5:])


def test_a_ciphertext_under_the_name_of_another_key(kms: FakeKMS, key: Key) -> None:
    """The key material id of one key does not make a ciphertext of another its own."""
    mine, other = kms.encrypt(key, b"secret"), kms.encrypt("alias/other", b"secret")
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", mine[:5] + other[5:37] + mine[37:])


@pytest.mark.parametrize("cut", [46, 54, 58, -40, -22])
def test_two_ciphertexts_of_one_key_sewn_together(kms: FakeKMS, key: Key, cut: int) -> None:
    """The parts of one belong together."""
    first, second = kms.encrypt(key, b"secret"), kms.encrypt(key, b"public")
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", first[:cut] + second[cut:])


@pytest.mark.parametrize("method", ["decrypt", "re_encrypt"])
@pytest.mark.parametrize(
    "blob",
    [
        b"\x00",
        b"secret",
        b"\x00" * 184,
        bytes.fromhex("0102020078"),
        bytes.fromhex("0102020078") + bytes(179),
        bytes.fromhex("0102020078") + bytes(32) + b"\x01" + bytes(150),
        bytes.fromhex("0101020078") + bytes(179),
        b"AQICAH" + b"h" * 240,
    ],
    ids=[
        "zero",
        "words",
        "zeros",
        "head",
        "head and zeros",
        "a length that no ciphertext has",
        "old head and zeros",
        "base64",
    ],
)
def test_garbage(kms: FakeKMS, key: Key, method: str, blob: bytes) -> None:
    """It is looked at first: whatever key is named, also one that is not there."""
    member = "KeyId" if method == "decrypt" else "SourceKeyId"
    assert INVALID_CIPHERTEXT == ask(kms, method, blob)
    assert INVALID_CIPHERTEXT == ask(kms, method, blob, **{member: key.id})
    assert INVALID_CIPHERTEXT == ask(kms, method, blob, **{member: UNKNOWN})


def test_a_ciphertext_that_is_still_base64(kms: FakeKMS, key: Key) -> None:
    """Decoding it is the caller's work."""
    assert INVALID_CIPHERTEXT == ask(kms, "decrypt", base64.b64encode(kms.encrypt(key, b"secret")))


def test_the_why_of_a_bad_ciphertext_is_not_sent(kms: FakeKMS, key: Key) -> None:
    """It stands in the trail, for the report of a failing test."""
    error_of(kms.client, "decrypt", CiphertextBlob=kms.encrypt(key, b"secret")[:-3])
    event = kms.trail[-1]
    assert ("InvalidCiphertextException", "") == (event.error, event.message)
    assert "cut" in event.why


# Properties


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(head=st.sampled_from(["", "0102020078", "0102030078"]), blob=st.binary(min_size=1, max_size=300))
def test_no_bytes_that_nobody_sealed_open(head: str, blob: bytes) -> None:
    """Anything that is no ciphertext is answered as one that is invalid, never with another error."""
    with fake_kms() as kms:
        kms.create_key()
        assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=bytes.fromhex(head) + blob)


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(name=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_no_name_that_nobody_gave_is_found(name: str) -> None:
    """Any text that names no key is answered so, never with another error."""
    with fake_kms() as kms:
        kms.create_key()
        assert "NotFoundException" == error_of(kms.client, "describe_key", KeyId=name)["Code"]
