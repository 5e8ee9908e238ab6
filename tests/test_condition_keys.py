"""Every condition key has its value in a real call: where a policy asks for another value, AWS denies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from answers import is_allowed
from botocore.config import Config
from optional import needs_enclave
from policies import allow, by, deny, policy

from pytest_kms import FakeKMS, NotSupported, fake_kms, service

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    Call = Callable[[FakeKMS, KMSClient], object]

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "111122223333"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
OPS = f"arn:aws:iam::{ACCOUNT}:role/ops"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DYNAMODB = "dynamodb.us-east-1.amazonaws.com"
LOGS = "logs.us-east-1.amazonaws.com"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:shop"
CONTEXT = {"tenant": "a", "order": "7"}
PCR = "ab" * 48
MATERIAL = b"m" * 32
LATER = dt.datetime.now(dt.timezone.utc).replace(microsecond=0) + dt.timedelta(days=100)

of_new_botocore = pytest.mark.skipif(
    "GranteeServicePrincipal" not in service.input_shape("CreateGrant").members,
    reason="this botocore does not know grants for services yet",
)


class Caller(NamedTuple):
    """Who calls: whose name, with what, and through which service."""

    name: str = "role/app"
    who: Mapping[str, Any] = {}
    via: str = ""

    def client(self, kms: FakeKMS, condition: Mapping[str, Any]) -> KMSClient:
        """Return a client of a caller who may do everything on a condition."""
        principal = kms.principal(self.name, policy=policy(allow(Condition=condition)), **self.who)
        return kms.client_for(kms.service(self.via, on_behalf_of=principal) if self.via else principal)


class Row(NamedTuple):
    """A condition key, a call that has it, a condition that the call meets, and a value with which it does not."""

    key: str
    call: Call
    operator: str
    value: str
    other: str
    caller: Caller = Caller()

    def outcome(self, kms: FakeKMS, condition: Mapping[str, Any]) -> bool:
        """Say whether the call is allowed on such a condition, in a fake that has nothing yet."""
        kms.reset()
        client = self.caller.client(kms, condition)
        return is_allowed(lambda: self.call(kms, client))


# Calls


def encrypt(kms: FakeKMS, client: KMSClient) -> object:
    """Encrypt with a key that has an alias and a tag."""
    key = kms.create_key("orders", tags={"Team": "shop"})
    return client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=CONTEXT)


def create_key(**members: Any) -> Call:
    """Return a CreateKey."""
    return lambda _, client: client.create_key(**members)


def create_grant(**members: Any) -> Call:
    """Return a CreateGrant, for the role ops unless told otherwise."""
    grantee = {} if "GranteeServicePrincipal" in members else {"GranteePrincipal": OPS}
    given: dict[str, Any] = {"Operations": ["Decrypt"], **grantee, **members}
    return lambda kms, client: client.create_grant(KeyId=kms.create_key().id, **given)


def retire_grant(**members: Any) -> Call:
    """Return the RetireGrant of a grant with such members, which the account may retire."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        key = kms.create_key()
        made = kms.client.create_grant(KeyId=key.id, GranteePrincipal=OPS, Operations=["Decrypt"], **members)
        return client.retire_grant(KeyId=key.arn, GrantId=made["GrantId"])

    return call


def import_material(**members: Any) -> Call:
    """Return an ImportKeyMaterial."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        key = kms.create_key(origin="EXTERNAL")
        parameters = kms.client.get_parameters_for_import(
            KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        return client.import_key_material(
            KeyId=key.id,
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=kms.wrap_key_material(parameters, MATERIAL),
            **members,
        )

    return call


def re_encrypt(*, same: bool) -> Call:
    """Return a ReEncrypt to the same key, or to another."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        key = kms.create_key()
        blob = kms.encrypt(key, b"x", CONTEXT)
        to = key if same else kms.create_key()
        return client.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=to.id)

    return call


def unused_for(days: int, method: str) -> Call:
    """Return a call about a key that was used some days ago."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        key = kms.create_key()
        kms.clock.advance(days=5)
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
        kms.clock.advance(days=days)
        return getattr(client, method)(KeyId=key.id)

    return call


def put_key_policy(**members: Any) -> Call:
    """Return a PutKeyPolicy of the policy that the key has."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        key = kms.create_key()
        return client.put_key_policy(KeyId=key.id, Policy=key.policy, **members)

    return call


def sign(**members: Any) -> Call:
    """Return a Sign with an elliptic curve."""
    return lambda kms, client: client.sign(
        KeyId=kms.create_key(spec="ECC_NIST_P256").id, SigningAlgorithm="ECDSA_SHA_256", **members
    )


def generate_mac(kms: FakeKMS, client: KMSClient) -> object:
    """Generate a MAC."""
    return client.generate_mac(
        KeyId=kms.create_key("tokens", spec="HMAC_256").id, Message=b"x", MacAlgorithm="HMAC_SHA_256"
    )


def agree(kms: FakeKMS, client: KMSClient) -> object:
    """Derive a shared secret."""
    mine, theirs = (kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT") for _ in range(2))
    return client.derive_shared_secret(KeyId=mine.id, KeyAgreementAlgorithm="ECDH", PublicKey=theirs.public_key)


def from_enclave(kms: FakeKMS, client: KMSClient) -> object:
    """Ask for a data key in an enclave."""
    enclave = kms.enclave({0: PCR, 8: PCR})
    return client.generate_data_key(KeyId=kms.create_key().id, KeySpec="AES_256", Recipient=enclave.recipient)


def random_from_enclave(kms: FakeKMS, client: KMSClient) -> object:
    """Ask for random bytes in an enclave: a call on no key."""
    return client.generate_random(NumberOfBytes=8, Recipient=kms.enclave({0: PCR}).recipient)


def multi_region(kms: FakeKMS, client: KMSClient) -> object:
    """Encrypt with a multi-Region key."""
    return client.encrypt(KeyId=kms.create_key(multi_region=True).id, Plaintext=b"x")


def with_replica(kms: FakeKMS, client: KMSClient) -> object:
    """Encrypt with a replica."""
    primary = kms.create_key(multi_region=True, region="eu-west-1")
    return client.encrypt(KeyId=kms.replicate(primary, "us-east-1").id, Plaintext=b"x")


def replicate(kms: FakeKMS, client: KMSClient) -> object:
    """Make a replica in Ireland."""
    return client.replicate_key(KeyId=kms.create_key(multi_region=True).id, ReplicaRegion="eu-west-1")


def move_primary(kms: FakeKMS, client: KMSClient) -> object:
    """Make the replica in Ireland the primary."""
    key = kms.create_key(multi_region=True)
    kms.replicate(key, "eu-west-1")
    return client.update_primary_region(KeyId=key.id, PrimaryRegion="eu-west-1")


def tag(kms: FakeKMS, client: KMSClient) -> object:
    """Tag a key."""
    return client.tag_resource(KeyId=kms.create_key().id, Tags=[{"TagKey": "Team", "TagValue": "shop"}])


def untag(kms: FakeKMS, client: KMSClient) -> object:
    """Take a tag from a key."""
    return client.untag_resource(KeyId=kms.create_key(tags={"Team": "shop"}).id, TagKeys=["Team"])


def parameters(kms: FakeKMS, client: KMSClient) -> object:
    """Ask for what an import needs."""
    key = kms.create_key(origin="EXTERNAL")
    return client.get_parameters_for_import(
        KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )


def pair(kms: FakeKMS, client: KMSClient) -> object:
    """Ask for a data key pair."""
    return client.generate_data_key_pair(KeyId=kms.create_key().id, KeyPairSpec="ECC_NIST_P256")


def sealed_pair(kms: FakeKMS, client: KMSClient) -> object:
    """Ask for a data key pair without its plaintext."""
    return client.generate_data_key_pair_without_plaintext(KeyId=kms.create_key().id, KeyPairSpec="ECC_NIST_P256")


def with_rsa(kms: FakeKMS, client: KMSClient) -> object:
    """Encrypt with an RSA key."""
    key = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    return client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")


def of_alias(form: str) -> Call:
    """Return an Encrypt that names the key by an alias."""

    def call(kms: FakeKMS, client: KMSClient) -> object:
        kms.create_key("orders")
        return client.encrypt(KeyId=f"{form}alias/orders", Plaintext=b"x")

    return call


def describe(kms: FakeKMS, client: KMSClient) -> object:
    """Look at a key."""
    return client.describe_key(KeyId=kms.create_key().id)


def decrypt(kms: FakeKMS, client: KMSClient) -> object:
    """Decrypt without naming a key."""
    return client.decrypt(CiphertextBlob=kms.encrypt(kms.create_key("orders"), b"x"))


def rotate(kms: FakeKMS, client: KMSClient) -> object:
    """Let a key rotate."""
    return client.enable_key_rotation(KeyId=kms.create_key().id)


def schedule(kms: FakeKMS, client: KMSClient) -> object:
    """Let a key be deleted."""
    return client.schedule_key_deletion(KeyId=kms.create_key().id)


HMAC = create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
BOUND = {"Constraints": {"EncryptionContextSubset": CONTEXT}}
FOR_SERVICE = {
    "GranteeServicePrincipal": DYNAMODB,
    "RetiringServicePrincipal": DYNAMODB,
    "Constraints": {"SourceArn": TABLE},
}
ALIAS_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:"

VIA_S3 = Caller(via="s3")
VIA_EBS = Caller(via="ebs")
USER = Caller("user/alice")
TAGGED = Caller(who={"tags": {"Tenant": "a"}})
IN_SESSION = Caller(who={"session": "build-7"})


def given(**keys: Any) -> Caller:
    """Return a caller with surroundings: `aws_SourceIp` gives aws:SourceIp a value."""
    return Caller(who={"context": {name.replace("_", ":"): value for name, value in keys.items()}})


ROWS = [
    Row(
        "kms:BypassPolicyLockoutSafetyCheck",
        put_key_policy(BypassPolicyLockoutSafetyCheck=True),
        "Bool",
        "true",
        "false",
    ),
    Row("kms:BypassPolicyLockoutSafetyCheck", create_key(BypassPolicyLockoutSafetyCheck=True), "Bool", "true", "false"),
    Row("kms:CallerAccount", encrypt, "StringEquals", ACCOUNT, OTHER_ACCOUNT),
    Row("kms:CallerAccount", create_key(), "StringEquals", ACCOUNT, OTHER_ACCOUNT),
    Row("kms:CallerAccount", lambda _, client: client.describe_custom_key_stores(), "StringEquals", ACCOUNT, "*"),
    Row("kms:CallerAccount", encrypt, "StringEquals", ACCOUNT, OTHER_ACCOUNT, VIA_S3),
    Row("kms:CustomerMasterKeySpec", encrypt, "StringEquals", "SYMMETRIC_DEFAULT", "RSA_2048"),
    Row("kms:CustomerMasterKeySpec", HMAC, "StringLike", "HMAC_*", "RSA_*"),
    Row("kms:CustomerMasterKeyUsage", encrypt, "StringEquals", "ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    Row("kms:CustomerMasterKeyUsage", HMAC, "StringEquals", "GENERATE_VERIFY_MAC", "SIGN_VERIFY"),
    Row("kms:DataKeyPairSpec", pair, "StringLike", "ECC_*", "RSA_*"),
    Row("kms:DataKeyPairSpec", sealed_pair, "StringEquals", "ECC_NIST_P256", "RSA_2048"),
    Row("kms:EncryptionAlgorithm", encrypt, "StringEquals", "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1"),
    Row("kms:EncryptionAlgorithm", with_rsa, "StringEquals", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    Row("kms:EncryptionAlgorithm", pair, "StringEquals", "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1"),
    Row("kms:EncryptionContext:tenant", encrypt, "StringEquals", "a", "A"),
    Row("kms:EncryptionContext:TENANT", encrypt, "StringEqualsIgnoreCase", "A", "b"),
    Row("kms:EncryptionContext:tenant", create_grant(**BOUND), "StringEquals", "a", "b"),
    Row("kms:EncryptionContext:tenant", retire_grant(**BOUND), "StringEquals", "a", "b"),
    Row("kms:EncryptionContextKeys", encrypt, "ForAnyValue:StringEquals", "tenant", "Tenant"),
    Row("kms:EncryptionContextKeys", create_grant(**BOUND), "ForAnyValue:StringEquals", "tenant", "user"),
    Row("kms:EncryptionContextKeys", retire_grant(**BOUND), "ForAnyValue:StringEquals", "tenant", "user"),
    Row(
        "kms:ExpirationModel",
        import_material(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"),
        "StringEquals",
        "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "KEY_MATERIAL_EXPIRES",
    ),
    Row(
        "kms:GrantConstraintType",
        create_grant(**BOUND),
        "StringEquals",
        "EncryptionContextSubset",
        "EncryptionContextEquals",
    ),
    Row(
        "kms:GrantConstraintType",
        retire_grant(**BOUND),
        "StringEquals",
        "EncryptionContextSubset",
        "EncryptionContextEquals",
    ),
    Row("kms:GrantIsForAWSResource", create_grant(), "Bool", "true", "false", VIA_EBS),
    Row("kms:GrantIsForAWSResource", create_grant(), "Bool", "false", "true"),
    Row(
        "kms:GrantIsForAWSResource",
        lambda kms, client: client.list_grants(KeyId=kms.create_key().id),
        "Bool",
        "true",
        "false",
        VIA_EBS,
    ),
    Row("kms:GrantOperations", create_grant(), "ForAllValues:StringEquals", "Decrypt", "Encrypt"),
    Row("kms:GranteePrincipal", create_grant(), "StringEquals", OPS, APP),
    Row("kms:KeyAgreementAlgorithm", agree, "StringEquals", "ECDH", "X25519"),
    Row("kms:KeyOrigin", encrypt, "StringEquals", "AWS_KMS", "EXTERNAL"),
    Row("kms:KeyOrigin", create_key(Origin="EXTERNAL"), "StringEquals", "EXTERNAL", "AWS_KMS"),
    Row("kms:KeyOrigin", parameters, "StringEquals", "EXTERNAL", "AWS_KMS"),
    Row("kms:KeySpec", encrypt, "StringEquals", "SYMMETRIC_DEFAULT", "RSA_2048"),
    Row("kms:KeySpec", HMAC, "StringEquals", "HMAC_256", "HMAC_512"),
    Row(
        "kms:KeySpec",
        create_key(CustomerMasterKeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"),
        "StringEquals",
        "RSA_2048",
        "SYMMETRIC_DEFAULT",
    ),
    Row("kms:KeyUsage", sign(Message=b"x"), "StringEquals", "SIGN_VERIFY", "KEY_AGREEMENT"),
    Row("kms:KeyUsage", HMAC, "StringEquals", "GENERATE_VERIFY_MAC", "ENCRYPT_DECRYPT"),
    Row("kms:MacAlgorithm", generate_mac, "StringEquals", "HMAC_SHA_256", "HMAC_SHA_512"),
    Row("kms:MessageType", sign(Message=b"d" * 32, MessageType="DIGEST"), "StringEquals", "DIGEST", "RAW"),
    Row("kms:MultiRegion", multi_region, "Bool", "true", "false"),
    Row("kms:MultiRegion", encrypt, "Bool", "false", "true"),
    Row("kms:MultiRegion", create_key(MultiRegion=True), "Bool", "true", "false"),
    Row("kms:MultiRegionKeyType", multi_region, "StringEquals", "PRIMARY", "REPLICA"),
    Row("kms:MultiRegionKeyType", with_replica, "StringEquals", "REPLICA", "PRIMARY"),
    Row("kms:MultiRegionKeyType", create_key(MultiRegion=True), "StringEquals", "PRIMARY", "REPLICA"),
    Row("kms:PrimaryRegion", move_primary, "StringEquals", "eu-west-1", "us-east-1"),
    Row("kms:ReEncryptOnSameKey", re_encrypt(same=True), "Bool", "true", "false"),
    Row("kms:ReEncryptOnSameKey", re_encrypt(same=False), "Bool", "false", "true"),
    Row("kms:ReplicaRegion", replicate, "StringEquals", "eu-west-1", "eu-west-2"),
    Row("kms:RequestAlias", of_alias(""), "StringEquals", "alias/orders", "alias/others"),
    Row("kms:RequestAlias", of_alias(ALIAS_ARN), "StringLike", "alias/ord*", f"{ALIAS_ARN}alias/orders"),
    Row("kms:ResourceAliases", encrypt, "ForAnyValue:StringEquals", "alias/orders", "alias/others"),
    Row("kms:ResourceAliases", of_alias(""), "ForAnyValue:StringLike", "alias/*", "others/*"),
    Row("kms:RetiringPrincipal", create_grant(RetiringPrincipal=APP), "ArnEquals", APP, OPS),
    Row(
        "kms:RotationPeriodInDays",
        lambda kms, client: client.enable_key_rotation(KeyId=kms.create_key().id, RotationPeriodInDays=90),
        "NumericLessThanEquals",
        "90",
        "89",
    ),
    Row(
        "kms:ScheduleKeyDeletionPendingWindowInDays",
        lambda kms, client: client.schedule_key_deletion(KeyId=kms.create_key().id, PendingWindowInDays=10),
        "NumericGreaterThanEquals",
        "10",
        "11",
    ),
    Row("kms:SigningAlgorithm", sign(Message=b"x"), "StringEquals", "ECDSA_SHA_256", "ECDSA_SHA_384"),
    Row("kms:TrailingDaysWithoutKeyUsage", unused_for(20, "disable_key"), "NumericGreaterThanEquals", "20", "21"),
    Row("kms:TrailingDaysWithoutKeyUsage", unused_for(20, "schedule_key_deletion"), "NumericEquals", "20", "25"),
    Row(
        "kms:ValidTo", import_material(ValidTo=LATER), "NumericLessThanEquals", f"{LATER.timestamp():.0f}", "1000000000"
    ),
    Row("kms:ValidTo", import_material(ValidTo=LATER), "DateLessThan", "2100-01-01T00:00:00Z", "2020-01-01"),
    Row("kms:ViaService", encrypt, "StringEquals", "s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", VIA_S3),
    Row("kms:ViaService", encrypt, "StringLike", "ec2.*.amazonaws.com", "ebs.*", VIA_EBS),
    Row(
        "kms:ViaService",
        create_key(),
        "StringEquals",
        "ec2.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
        VIA_EBS,
    ),
    Row("kms:WrappingAlgorithm", parameters, "StringEquals", "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"),
    Row("kms:WrappingKeySpec", parameters, "StringEquals", "RSA_2048", "RSA_4096"),
    Row("aws:CalledVia", encrypt, "ForAnyValue:StringEquals", "ec2.amazonaws.com", "s3.amazonaws.com", VIA_EBS),
    Row("aws:CalledViaFirst", encrypt, "StringEquals", "s3.amazonaws.com", "ec2.amazonaws.com", VIA_S3),
    Row("aws:CalledViaLast", encrypt, "StringEquals", "s3.amazonaws.com", "ec2.amazonaws.com", VIA_S3),
    Row("aws:CurrentTime", encrypt, "DateLessThan", "2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
    Row("aws:EpochTime", encrypt, "NumericGreaterThan", "1577836800", "4102444800"),
    Row(
        "aws:FederatedProvider",
        encrypt,
        "StringEquals",
        "accounts.example.com",
        "x",
        given(aws_FederatedProvider="accounts.example.com"),
    ),
    Row("aws:MultiFactorAuthAge", encrypt, "NumericLessThan", "300", "60", given(aws_MultiFactorAuthAge=120)),
    Row("aws:MultiFactorAuthPresent", encrypt, "Bool", "false", "true"),
    Row("aws:MultiFactorAuthPresent", encrypt, "Bool", "true", "false", given(aws_MultiFactorAuthPresent=True)),
    Row("aws:PrincipalAccount", encrypt, "StringEquals", ACCOUNT, OTHER_ACCOUNT),
    Row("aws:PrincipalArn", encrypt, "ArnEquals", APP, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/*"),
    Row("aws:PrincipalIsAWSService", encrypt, "Bool", "false", "true"),
    Row("aws:PrincipalOrgID", encrypt, "StringEquals", "o-1", "o-2", given(aws_PrincipalOrgID="o-1")),
    Row(
        "aws:PrincipalOrgPaths",
        encrypt,
        "ForAnyValue:StringLike",
        "o-1/r-1/*",
        "o-2/*",
        given(aws_PrincipalOrgPaths=["o-1/r-1/ou-1/"]),
    ),
    Row("aws:PrincipalTag/tenant", encrypt, "StringEquals", "a", "b", TAGGED),
    Row("aws:PrincipalType", encrypt, "StringEquals", "AssumedRole", "User"),
    Row("aws:PrincipalType", encrypt, "StringEquals", "User", "AssumedRole", USER),
    Row("aws:RequestTag/team", tag, "StringEquals", "shop", "ops"),
    Row(
        "aws:RequestTag/team", create_key(Tags=[{"TagKey": "Team", "TagValue": "shop"}]), "StringEquals", "shop", "ops"
    ),
    Row("aws:RequestedRegion", encrypt, "StringEquals", "us-east-1", "eu-west-1"),
    Row("aws:ResourceAccount", encrypt, "StringEquals", ACCOUNT, OTHER_ACCOUNT),
    Row("aws:ResourceOrgID", encrypt, "StringEquals", "o-1", "o-2", given(aws_ResourceOrgID="o-1")),
    Row("aws:ResourceTag/team", encrypt, "StringEquals", "shop", "ops"),
    Row("aws:SecureTransport", encrypt, "Bool", "true", "false"),
    Row("aws:SourceIdentity", encrypt, "StringEquals", "alice", "bob", given(aws_SourceIdentity="alice")),
    Row("aws:SourceIp", encrypt, "IpAddress", "203.0.113.0/24", "198.51.100.0/24", given(aws_SourceIp="203.0.113.7")),
    Row("aws:SourceOrgID", encrypt, "StringEquals", "o-1", "o-2", given(aws_SourceOrgID="o-1")),
    Row("aws:SourceVpc", encrypt, "StringEquals", "vpc-1", "vpc-2", given(aws_SourceVpc="vpc-1")),
    Row("aws:SourceVpce", encrypt, "StringEquals", "vpce-1", "vpce-2", given(aws_SourceVpce="vpce-1")),
    Row("aws:TagKeys", tag, "ForAllValues:StringEquals", "Team", "Owner"),
    Row("aws:TagKeys", untag, "ForAnyValue:StringEquals", "Team", "Owner"),
    Row(
        "aws:TagKeys",
        create_key(Tags=[{"TagKey": "Team", "TagValue": "shop"}]),
        "ForAllValues:StringEquals",
        "Team",
        "Owner",
    ),
    Row("aws:TokenIssueTime", encrypt, "DateGreaterThan", "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    Row("aws:UserAgent", encrypt, "StringLike", "*otocore/*", "curl/*"),
    Row("aws:ViaAWSService", encrypt, "Bool", "false", "true"),
    Row("aws:ViaAWSService", encrypt, "Bool", "true", "false", VIA_S3),
    Row("aws:VpcSourceIp", encrypt, "IpAddress", "10.0.0.0/8", "192.168.0.0/16", given(aws_VpcSourceIp="10.1.2.3")),
    Row("aws:userid", encrypt, "StringLike", "AROA*:build-7", "AIDA*", IN_SESSION),
    Row("aws:userid", encrypt, "StringLike", "AIDA*", "AROA*", USER),
    Row("aws:username", encrypt, "StringEquals", "alice", "bob", USER),
]
ROWS_OF_NEW_BOTOCORE = [
    Row("kms:GrantConstraintSourceArn", create_grant(**FOR_SERVICE), "ArnLike", TABLE, GROUP),
    Row("kms:GranteeServicePrincipal", create_grant(**FOR_SERVICE), "StringEquals", DYNAMODB, LOGS),
    Row("kms:RetiringServicePrincipal", create_grant(**FOR_SERVICE), "StringEquals", DYNAMODB, LOGS),
]
ROWS_OF_ENCLAVES = [
    Row("kms:RecipientAttestation:ImageSha384", from_enclave, "StringEqualsIgnoreCase", PCR.upper(), "0" * 96),
    Row("kms:RecipientAttestation:PCR0", from_enclave, "StringEqualsIgnoreCase", PCR.upper(), "0" * 96),
    Row("kms:RecipientAttestation:PCR8", from_enclave, "StringEquals", PCR, "0" * 96),
    Row("kms:RecipientAttestation:PCR15", from_enclave, "StringEquals", "0" * 96, PCR),
    Row("kms:RecipientAttestation:PCR0", random_from_enclave, "StringEquals", PCR, "0" * 96),
]


@pytest.mark.parametrize(
    "row",
    [
        *ROWS,
        *(pytest.param(row, marks=of_new_botocore) for row in ROWS_OF_NEW_BOTOCORE),
        *(pytest.param(row, marks=needs_enclave) for row in ROWS_OF_ENCLAVES),
    ],
    ids=lambda row: row.key,
)
def test_a_condition_key_has_the_value_of_the_request(kms: FakeKMS, row: Row) -> None:
    """The value lets the call through, another does not, and the key is there; its letter case does not matter."""
    assert row.outcome(kms, {row.operator: {row.key: row.value}})
    assert row.outcome(kms, {row.operator: {row.key.swapcase(): row.value}})
    assert row.outcome(kms, {"Null": {row.key: "false"}})
    assert not row.outcome(kms, {row.operator: {row.key: row.other}})


# What a request has where the caller leaves a member out


@pytest.mark.parametrize(
    "row",
    [
        Row("kms:BypassPolicyLockoutSafetyCheck", put_key_policy(), "Bool", "false", "true"),
        Row("kms:BypassPolicyLockoutSafetyCheck", create_key(), "Bool", "false", "true"),
        Row("kms:ExpirationModel", import_material(ValidTo=LATER), "StringEquals", "KEY_MATERIAL_EXPIRES", "x"),
        Row("kms:KeyOrigin", create_key(), "StringEquals", "AWS_KMS", "EXTERNAL"),
        Row("kms:KeySpec", create_key(), "StringEquals", "SYMMETRIC_DEFAULT", "RSA_2048"),
        Row("kms:KeyUsage", create_key(), "StringEquals", "ENCRYPT_DECRYPT", "SIGN_VERIFY"),
        Row("kms:MessageType", sign(Message=b"x"), "StringEquals", "RAW", "DIGEST"),
        Row("kms:MultiRegion", create_key(), "Bool", "false", "true"),
        Row("kms:RotationPeriodInDays", rotate, "NumericEquals", "365", "90"),
        Row("kms:ScheduleKeyDeletionPendingWindowInDays", schedule, "NumericEquals", "30", "7"),
    ],
    ids=lambda row: row.key,
)
def test_a_member_that_is_left_out_has_its_default(kms: FakeKMS, row: Row) -> None:
    """So the Developer Guide says of all keys that belong to a member."""
    assert row.outcome(kms, {row.operator: {row.key: row.value}})
    assert row.outcome(kms, {"Null": {row.key: "false"}})
    assert not row.outcome(kms, {row.operator: {row.key: row.other}})


def test_the_rotation_period_is_not_the_one_that_the_key_has(kms: FakeKMS) -> None:
    """Recorded: a Deny above 100 days fires for a call without the member, though the key rotates every 90 days."""
    key = kms.create_key()
    kms.client.enable_key_rotation(KeyId=key.id, RotationPeriodInDays=90)
    too_long = {"NumericGreaterThan": {"kms:RotationPeriodInDays": "100"}}
    key.policy = policy(allow(Principal=by(ROOT)), deny("kms:EnableKeyRotation", Principal="*", Condition=too_long))

    assert not is_allowed(lambda: kms.client.enable_key_rotation(KeyId=key.id))


# What a request does not have


@pytest.mark.parametrize(
    ("key", "call", "caller"),
    [
        ("kms:BypassPolicyLockoutSafetyCheck", encrypt, Caller()),
        ("kms:CallerAccount", lambda _, client: client.list_keys(), Caller()),
        ("kms:CallerAccount", lambda _, client: client.generate_random(NumberOfBytes=1), Caller()),
        ("kms:DataKeyPairSpec", encrypt, Caller()),
        ("kms:EncryptionAlgorithm", describe, Caller()),
        ("kms:EncryptionAlgorithm", sign(Message=b"x"), Caller()),
        ("kms:EncryptionContext:Nobody", encrypt, Caller()),
        ("kms:EncryptionContext:tenant", with_rsa, Caller()),
        ("kms:EncryptionContext:tenant", describe, Caller()),
        ("kms:EncryptionContext:tenant", create_grant(), Caller()),
        ("kms:EncryptionContextKeys", pair, Caller()),
        ("kms:EncryptionContextKeys", generate_mac, Caller()),
        ("kms:GrantConstraintSourceArn", create_grant(), Caller()),
        ("kms:GrantConstraintType", create_grant(), Caller()),
        ("kms:GrantIsForAWSResource", encrypt, Caller()),
        ("kms:GrantOperations", encrypt, Caller()),
        ("kms:KeySpec", lambda _, client: client.list_keys(), Caller()),
        ("kms:MultiRegion", lambda _, client: client.list_aliases(), Caller()),
        ("kms:MultiRegionKeyType", encrypt, Caller()),
        ("kms:MultiRegionKeyType", create_key(), Caller()),
        ("kms:MultiRegionKeyType", lambda _, client: client.list_keys(), Caller()),
        ("kms:ReEncryptOnSameKey", encrypt, Caller()),
        ("kms:RecipientAttestation:ImageSha384", encrypt, Caller()),
        ("kms:RecipientAttestation:NitroTPMPCR7", encrypt, Caller()),
        ("kms:RequestAlias", encrypt, Caller()),
        ("kms:RequestAlias", decrypt, Caller()),
        ("kms:RequestAlias", lambda _, client: client.list_keys(), Caller()),
        ("kms:ResourceAliases", pair, Caller()),
        ("kms:RetiringPrincipal", create_grant(), Caller()),
        ("kms:TrailingDaysWithoutKeyUsage", encrypt, Caller()),
        ("kms:ValidTo", import_material(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"), Caller()),
        ("kms:ValidTo", encrypt, Caller()),
        ("kms:ViaService", encrypt, Caller()),
        ("kms:ViaService", lambda _, client: client.list_keys(), VIA_S3),
        ("aws:CalledVia", encrypt, Caller()),
        ("aws:CalledViaLast", encrypt, Caller()),
        ("aws:MultiFactorAuthPresent", encrypt, USER),
        ("aws:PrincipalOrgID", encrypt, Caller()),
        ("aws:PrincipalServiceName", encrypt, Caller()),
        ("aws:PrincipalTag/team", encrypt, TAGGED),
        ("aws:RequestTag/team", untag, Caller()),
        ("aws:RequestTag/team", encrypt, Caller()),
        ("aws:ResourceTag/owner", encrypt, Caller()),
        ("aws:ResourceTag/team", create_key(), Caller()),
        ("aws:SourceArn", encrypt, VIA_S3),
        ("aws:SourceAccount", encrypt, VIA_S3),
        ("aws:SourceVpce", encrypt, Caller()),
        ("aws:TagKeys", encrypt, Caller()),
        ("aws:TokenIssueTime", encrypt, USER),
        ("aws:username", encrypt, Caller()),
    ],
)
def test_a_condition_key_is_not_there(kms: FakeKMS, key: str, call: Call, caller: Caller) -> None:
    """A request that it does not belong to has none."""
    row = Row(key, call, "", "", "", caller)
    assert row.outcome(kms, {"Null": {key: "true"}})
    assert not row.outcome(kms, {"Null": {key: "false"}})


@pytest.mark.parametrize(
    "key",
    ["kms:Nonsense", "aws:PrincipalOrganisation", "kms:RecipientAttestation:PCR32", "sts:ExternalId"],
)
def test_a_condition_key_that_is_not_known_is_a_loud_error(key: str) -> None:
    """Neither to allow nor to deny would be right."""
    with fake_kms(unsupported="ignore") as kms:
        client = Caller().client(kms, {"StringNotEquals": {key: "x"}})
        with pytest.raises(NotSupported) as excinfo:
            encrypt(kms, client)
    assert f"the condition key {key} is not known" in str(excinfo.value)


@pytest.mark.parametrize("operator", ["IpAddress", "NotIpAddress"])
def test_an_address_has_to_be_told(operator: str) -> None:
    """Every request has one: without it neither an Allow nor a Deny could be trusted."""
    with fake_kms(unsupported="ignore") as kms:
        client = Caller().client(kms, {operator: {"aws:SourceIp": "203.0.113.0/24"}})
        with pytest.raises(NotSupported) as excinfo:
            encrypt(kms, client)
    assert (
        "pytest-kms: a policy that decides about Encrypt cannot be evaluated: statement 1 of identity policy"
        f" 'role/app': aws:SourceIp of arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kms is not known;"
        " kms.principal(…, context={'aws:SourceIp': …}) gives one"
    ) == str(excinfo.value)


def test_a_test_can_give_condition_keys_of_its_own(kms: FakeKMS) -> None:
    """They are known from then on, and what a test says wins over what the fake knows."""
    caller = given(sts_ExternalId="7", aws_RequestedRegion="mars-north-1")
    both = {"sts:ExternalId": "7", "aws:RequestedRegion": "mars-north-1"}
    assert is_allowed(lambda: encrypt(kms, caller.client(kms, {"StringEquals": both})))


# Keys that need more than one statement, or another client


@pytest.mark.parametrize(
    ("name", "key", "value", "other"),
    [
        ("user/alice", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/alice", ROOT),
        ("user/division/alice", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/division/alice", ROOT),
        ("role/division/app", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/division/app", APP),
        ("federated-user/fred", "aws:PrincipalArn", f"arn:aws:sts::{ACCOUNT}:federated-user/fred", ROOT),
        ("root", "aws:PrincipalArn", ROOT, APP),
        ("user/alice", "aws:PrincipalType", "User", "Account"),
        ("role/app", "aws:PrincipalType", "AssumedRole", "Account"),
        ("federated-user/fred", "aws:PrincipalType", "FederatedUser", "User"),
        ("root", "aws:PrincipalType", "Account", "User"),
        ("federated-user/fred", "aws:userid", f"{ACCOUNT}:fred", "fred"),
        ("root", "aws:userid", ACCOUNT, "root"),
        ("federated-user/fred", "aws:MultiFactorAuthPresent", "false", "true"),
    ],
)
def test_a_key_policy_asks_who_calls(kms: FakeKMS, name: str, key: str, value: str, other: str) -> None:
    """Each kind of principal, let in by a key policy for everybody."""
    orders, client = kms.create_key(), kms.client_for(kms.principal(name))

    def lets_in(value: str) -> bool:
        orders.policy = policy(allow(Principal="*", Condition={"StringEquals": {key: value}}))
        return is_allowed(lambda: client.describe_key(KeyId=orders.id))

    assert [True, False] == [lets_in(value), lets_in(other)]


@pytest.mark.parametrize(
    ("operator", "key", "value", "other"),
    [
        ("ArnLike", "aws:SourceArn", GROUP, f"{GROUP}s"),
        ("StringEquals", "aws:SourceAccount", ACCOUNT, OTHER_ACCOUNT),
        ("StringEquals", "aws:PrincipalServiceName", LOGS, DYNAMODB),
        ("Bool", "aws:PrincipalIsAWSService", "true", "false"),
        ("Bool", "aws:ViaAWSService", "false", "true"),
        ("Null", "kms:ViaService", "true", "false"),
        ("Null", "kms:CallerAccount", "true", "false"),
        ("Null", "aws:PrincipalAccount", "true", "false"),
        ("Null", "aws:userid", "true", "false"),
        ("Null", "aws:username", "true", "false"),
    ],
)
def test_a_key_policy_asks_for_which_resource_a_service_calls(
    kms: FakeKMS, operator: str, key: str, value: str, other: str
) -> None:
    """The guard against the confused deputy: a service principal calls for a resource, and is nobody's user."""
    orders, logs = kms.create_key(), kms.service("logs", source_arn=GROUP)

    def lets_in(value: str) -> bool:
        orders.policy = policy(allow(Principal={"Service": LOGS}, Condition={operator: {key: value}}))
        return is_allowed(lambda: logs.client.generate_data_key(KeyId=orders.arn, KeySpec="AES_256"))

    assert [True, False] == [lets_in(value), lets_in(other)]


def test_a_session_for_a_service_has_a_source_where_the_test_gives_one(kms: FakeKMS) -> None:
    """AWS gives none to forward access sessions; an account is told by the ARNs of most resources, not of all."""
    for_bucket = {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::shop"}}
    caller = kms.principal("role/app", policy=policy(allow(Condition=for_bucket)))
    s3 = kms.service("s3", on_behalf_of=caller, source_arn="arn:aws:s3:::shop")

    assert is_allowed(lambda: encrypt(kms, s3.client))
    assert (None, "arn:aws:s3:::shop") == (s3.principal.source_account, s3.principal.source_arn)


@pytest.mark.parametrize(
    "call",
    [
        lambda client, key, _: client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT),
        lambda client, _, blob: client.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT),
        lambda client, key, _: client.generate_data_key(KeyId=key, KeySpec="AES_128", EncryptionContext=CONTEXT),
        lambda client, key, _: client.generate_data_key_without_plaintext(
            KeyId=key, KeySpec="AES_128", EncryptionContext=CONTEXT
        ),
        lambda client, key, _: client.generate_data_key_pair(
            KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext=CONTEXT
        ),
        lambda client, key, _: client.generate_data_key_pair_without_plaintext(
            KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext=CONTEXT
        ),
        lambda client, key, blob: client.re_encrypt(
            CiphertextBlob=blob,
            SourceEncryptionContext=CONTEXT,
            DestinationKeyId=key,
            DestinationEncryptionContext=CONTEXT,
        ),
    ],
    ids=["Encrypt", "Decrypt", "DataKey", "SealedDataKey", "Pair", "SealedPair", "ReEncrypt"],
)
@pytest.mark.parametrize("asked", [{"kms:EncryptionContext:tenant": "a"}, {"kms:EncryptionContext:ORDER": "7"}])
def test_every_operation_tells_its_encryption_context(
    kms: FakeKMS, call: Callable[[KMSClient, str, bytes], object], asked: dict[str, str]
) -> None:
    """Tenants are kept apart by it."""
    key = kms.create_key()
    blob = kms.encrypt(key, b"x", CONTEXT)
    mine, theirs = (
        Caller().client(kms, {"StringEquals": {name: f"{value}{ending}" for name, value in asked.items()}})
        for ending in ("", "?")
    )

    assert is_allowed(lambda: call(mine, key.id, blob))
    assert not is_allowed(lambda: call(theirs, key.id, blob))


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("kms:ReEncryptFrom", {"kms:EncryptionContext:tenant": "a"}),
        ("kms:ReEncryptTo", {"kms:EncryptionContext:tenant": "b"}),
        ("kms:ReEncryptFrom", {"kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}),
        ("kms:ReEncryptTo", {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
        ("kms:ReEncryptFrom", {"kms:RequestAlias": "alias/old"}),
        ("kms:ReEncryptTo", {"kms:RequestAlias": "alias/new"}),
        ("kms:ReEncryptFrom", {"kms:KeySpec": "RSA_2048"}),
        ("kms:ReEncryptTo", {"kms:KeySpec": "SYMMETRIC_DEFAULT"}),
    ],
)
def test_re_encrypt_tells_each_key_by_itself(kms: FakeKMS, action: str, asked: dict[str, str]) -> None:
    """Encryption context, algorithm, alias and spec are those of the source, and those of the destination."""
    rsa = "kms:EncryptionContext:tenant" not in asked
    old = kms.create_key("old", spec="RSA_2048" if rsa else "SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")
    kms.create_key("new")
    algorithm = "RSAES_OAEP_SHA_1" if rsa else "SYMMETRIC_DEFAULT"
    context: dict[str, Any] = {} if rsa else {"SourceEncryptionContext": {"tenant": "a"}}
    blob = kms.encrypt(old, b"x", context.get("SourceEncryptionContext"), algorithm=algorithm if rsa else None)

    def re_encrypts(effect: str) -> bool:
        guard = {"Effect": effect, "Action": action, "Resource": "*", "Condition": {"StringEquals": asked}}
        caller = kms.principal("role/app", policy=policy(allow("kms:ReEncrypt*"), guard))
        return is_allowed(
            lambda: kms.client_for(caller).re_encrypt(
                CiphertextBlob=blob,
                SourceKeyId="alias/old",
                SourceEncryptionAlgorithm=algorithm,  # type: ignore[arg-type]
                DestinationKeyId="alias/new",
                DestinationEncryptionContext={"tenant": "b"},
                **context,
            )
        )

    assert [True, False] == [re_encrypts("Allow"), re_encrypts("Deny")]


@pytest.mark.parametrize(
    ("operator", "values", "context", "expected"),
    [
        ("ForAllValues:StringEquals", ["tenant", "order", "user"], CONTEXT, True),
        ("ForAllValues:StringEquals", ["tenant"], CONTEXT, False),
        ("ForAllValues:StringEquals", ["tenant"], {}, True),
        ("ForAllValues:StringEquals", ["Tenant", "Order"], CONTEXT, False),
        ("ForAllValues:StringNotEquals", ["user"], CONTEXT, True),
        ("ForAllValues:StringNotEquals", ["user", "order"], CONTEXT, False),
        ("ForAnyValue:StringEquals", ["tenant", "user"], CONTEXT, True),
        ("ForAnyValue:StringEquals", ["user"], CONTEXT, False),
        ("ForAnyValue:StringEquals", ["tenant"], {}, False),
        ("ForAnyValue:StringLike", ["ten*"], CONTEXT, True),
        ("ForAnyValue:StringNotEquals", ["tenant"], CONTEXT, True),
        ("ForAnyValue:StringNotEquals", ["tenant", "order"], CONTEXT, False),
        ("ForAnyValue:StringNotEquals", ["tenant"], {}, False),
        ("ForAnyValue:StringEqualsIfExists", ["tenant"], {}, True),
        ("StringEquals", ["tenant"], {"tenant": "a"}, False),
        ("StringNotEquals", ["user"], {"tenant": "a"}, False),
        ("StringNotEquals", ["user"], {}, True),
    ],
)
def test_the_names_of_an_encryption_context_are_many(
    kms: FakeKMS,
    operator: str,
    values: list[str],
    context: dict[str, str],
    expected: bool,  # noqa: FBT001
) -> None:
    """Set operators look at each; without one nothing holds while there are some. Recorded."""
    client = Caller().client(kms, {operator: {"kms:EncryptionContextKeys": values}})
    key = kms.create_key()

    assert expected == is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=context))


def test_grant_operations_are_all_those_of_the_request(kms: FakeKMS) -> None:
    """ForAllValues keeps a grant within a set of operations."""
    client = Caller().client(kms, {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}})

    assert is_allowed(lambda: create_grant(Operations=["Decrypt", "Encrypt"])(kms, client))
    assert not is_allowed(lambda: create_grant(Operations=["Decrypt", "DescribeKey"])(kms, client))


def test_a_grant_for_aws_resources_alone(kms: FakeKMS) -> None:
    """The statement of the console for persistent resources: through a service yes, by hand no, for whomever."""
    key, app = kms.create_key(), kms.principal("role/app")
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    key.policy = policy(
        allow(["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], Principal=by(APP), Condition=for_aws)
    )

    def works(client: KMSClient) -> bool:
        return is_allowed(lambda: client.create_grant(KeyId=key.id, GranteePrincipal=OPS, Operations=["Decrypt"]))

    assert [True, False] == [works(kms.service("ec2", on_behalf_of=app).client), works(kms.client_for(app))]


@pytest.mark.parametrize(
    "call",
    [
        lambda client, alias: client.describe_key(KeyId=alias),
        lambda client, alias: client.generate_data_key(KeyId=alias, KeySpec="AES_256"),
        lambda client, alias: client.generate_data_key_pair_without_plaintext(KeyId=alias, KeyPairSpec="ECC_NIST_P256"),
    ],
    ids=["DescribeKey", "GenerateDataKey", "Pair"],
)
@pytest.mark.parametrize("form", ["", ALIAS_ARN], ids=["name", "ARN"])
def test_a_request_names_its_alias(kms: FakeKMS, call: Callable[[KMSClient, str], object], form: str) -> None:
    """By its name or its ARN; the id of the same key is not let through."""
    key = kms.create_key("orders")
    client = Caller().client(kms, {"StringEquals": {"kms:RequestAlias": "alias/orders"}})

    assert is_allowed(lambda: call(client, f"{form}alias/orders"))
    assert not is_allowed(lambda: call(client, key.id))


@pytest.mark.parametrize(
    ("spec", "call"),
    [
        (
            "HMAC_256",
            lambda _, client: client.generate_mac(KeyId="alias/tokens", Message=b"x", MacAlgorithm="HMAC_SHA_256"),
        ),
        (
            "ECC_NIST_P256",
            lambda _, client: client.sign(KeyId="alias/tokens", Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
        ),
        ("ECC_NIST_P256", lambda _, client: client.get_public_key(KeyId="alias/tokens")),
    ],
    ids=["GenerateMac", "Sign", "GetPublicKey"],
)
def test_other_requests_name_their_alias(kms: FakeKMS, spec: str, call: Call) -> None:
    """Signatures, MACs and public keys, too."""
    kms.create_key("tokens", spec=spec)
    client = Caller().client(kms, {"StringEquals": {"kms:RequestAlias": "alias/others"}})

    assert not is_allowed(lambda: call(kms, client))


@pytest.mark.kms(quotas=True)
def test_aliases_over_the_quota_are_not_in_force(kms: FakeKMS) -> None:
    """Who relies on them is denied, until there are few enough again."""
    key = kms.create_key("orders")
    client = Caller().client(kms, {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/orders"}})
    kms.client.create_alias(AliasName="alias/more", TargetKeyId=key.id)
    assert is_allowed(lambda: client.describe_key(KeyId=key.id))
    kms.quotas["Aliases per KMS key"] = 1
    assert not is_allowed(lambda: client.describe_key(KeyId=key.id))
    kms.client.delete_alias(AliasName="alias/more")
    assert is_allowed(lambda: client.describe_key(KeyId=key.id))


@pytest.mark.parametrize("settings", [{"use_ssl": False}, {"endpoint_url": "http://localhost:4566"}])
def test_a_client_that_talks_plain_http_is_found_out(kms: FakeKMS, settings: dict[str, Any]) -> None:
    """The Deny that audits ask for fires: aws:SecureTransport is false for it."""
    key, app = kms.create_key(), kms.principal("role/app", policy=policy(allow()))
    key.policy = policy(
        allow(Principal=by(ROOT)),
        deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    )
    make: Any = boto3.client  # its types know no settings that come as a dict
    plain = make("kms", region_name="us-east-1", **settings, **app.credentials)

    assert is_allowed(lambda: kms.client_for(app).describe_key(KeyId=key.id))
    assert not is_allowed(lambda: plain.describe_key(KeyId=key.id))


def test_a_client_tells_its_user_agent(kms: FakeKMS) -> None:
    """As it is configured."""
    app = kms.principal("role/app", policy=policy(allow(Condition={"StringLike": {"aws:UserAgent": "shop/1.0 *"}})))

    assert is_allowed(lambda: encrypt(kms, kms.client_for(app, config=Config(user_agent="shop/1.0"))))
    assert not is_allowed(lambda: kms.client_for(app).list_keys())


def test_permission_ends_with_the_time_of_the_fake(kms: FakeKMS) -> None:
    """aws:CurrentTime and aws:EpochTime are the fake's."""
    key, end = kms.create_key(), kms.clock.now + dt.timedelta(days=7)
    by_date = Caller().client(kms, {"DateLessThan": {"aws:CurrentTime": end.isoformat()}})
    by_second = Caller().client(kms, {"NumericLessThan": {"aws:EpochTime": f"{end.timestamp():.0f}"}})
    assert is_allowed(lambda: by_date.describe_key(KeyId=key.id))
    assert is_allowed(lambda: by_second.describe_key(KeyId=key.id))
    kms.clock.advance(days=7, seconds=1)
    assert not is_allowed(lambda: by_date.describe_key(KeyId=key.id))
    assert not is_allowed(lambda: by_second.describe_key(KeyId=key.id))


def test_older_sessions_can_be_revoked(kms: FakeKMS) -> None:
    """The policy that IAM writes for it: sessions from before a moment are denied, later ones are not."""
    key = kms.create_key()
    revoked = {"DateLessThan": {"aws:TokenIssueTime": (kms.clock.now + dt.timedelta(days=1)).isoformat()}}
    both = policy(allow(), deny("*", Condition=revoked))
    older = kms.client_for(kms.principal("role/app", policy=both))
    kms.clock.advance(days=2)
    later = kms.client_for(kms.principal("role/app", policy=both))

    assert not is_allowed(lambda: older.describe_key(KeyId=key.id))
    assert is_allowed(lambda: later.describe_key(KeyId=key.id))


def test_tags_decide_as_they_are_now(kms: FakeKMS) -> None:
    """A tag that was put on the key counts at once: here nothing is eventually consistent by itself."""
    key = kms.create_key()
    client = Caller().client(kms, {"StringEquals": {"aws:ResourceTag/Team": "shop"}})
    assert not is_allowed(lambda: client.describe_key(KeyId=key.id))
    kms.client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "team", "TagValue": "shop"}])
    assert is_allowed(lambda: client.describe_key(KeyId=key.id))


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_region_is_the_one_that_was_called(kms: FakeKMS, region: str) -> None:
    """Whatever Region the fake lives in."""
    in_ireland = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    app = kms.principal("role/app", policy=policy(allow(Condition=in_ireland)))

    assert (region == "eu-west-1") == is_allowed(lambda: kms.client_for(app, region=region).list_keys())


def test_kms_via_service_is_of_the_service_s_region(kms: FakeKMS) -> None:
    """And ends in amazonaws.com in China as well."""
    app = kms.principal("role/app")
    assert ["s3.eu-west-1.amazonaws.com", "ec2.cn-north-1.amazonaws.com"] == [
        kms.service("s3", on_behalf_of=app, region="eu-west-1").via,
        kms.service("ebs", on_behalf_of=app, region="cn-north-1").via,
    ]
