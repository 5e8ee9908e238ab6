"""Every error that botocore's model declares for an operation is reached, each pair by a test of its own.

A client causes what it can; what only AWS itself can cause is ordered with `kms.fail`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from answers import TESTER, UNKNOWN, unfit
from botocore import xform_name
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel
from calls import ELSEWHERE, IMPORTED, KINDS, MATERIAL, MEMBERS, ROLE
from key_stores import ENDPOINT, OF_PROXY, PATH, VPC_SERVICE

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from pytest_kms.state.key_store import CustomKeyStore

pytestmark = pytest.mark.kms(region="us-east-1")

MODEL = ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")
INPUTS: dict[str, Any] = {name: MODEL.operation_model(name).input_shape for name in MODEL.operation_names}

ARN = "arn:aws:kms:us-east-1:123456789012"
VPC_SERVICE_ELSEWHERE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
OF_VPC = {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": VPC_SERVICE}


# The calls, as they succeed


class Scene:
    """An operation that is about to be called, with members with which it would succeed.

    `key` is what it is called on (of ReEncrypt, the destination), `store` the key store.
    """

    key: Key
    store: CustomKeyStore

    def __init__(self, kms: FakeKMS, operation: str) -> None:
        self.kms = kms
        self.operation = operation
        # A client that sends whatever it is given, and once.
        self.client: Any = kms.client_for(config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))
        self.members: dict[str, Any] = dict(MEMBERS.get(operation, {}))
        if "CustomKeyStoreId" in INPUTS[operation].required_members:
            self.on_key_store(kms.key_store(connected=operation == "DisconnectCustomKeyStore"))
        elif operation not in NAMES_NO_KEY:
            self.on_key(**KINDS.get(operation, {}))

    @property
    def key_member(self) -> str:
        """The member that names the key."""
        return KEY_MEMBERS.get(self.operation, "KeyId")

    def on_key(self, **kind: Any) -> None:
        """Let the call be one on a new key of some kind."""
        self.key = self.kms.create_key(**kind)
        if self.key_member in INPUTS[self.operation].members:
            self.members[self.key_member] = self.key.arn
        prepare = PREPARED.get(self.operation)
        if prepare is not None:
            self.members |= prepare(self.kms, self.key)

    def on_key_store(self, store: CustomKeyStore) -> None:
        """Let the call be one on a key store."""
        self.store = store
        self.members["CustomKeyStoreId"] = store.id

    def call(self) -> Any:
        """Call it."""
        return getattr(self.client, xform_name(self.operation))(**self.members)


def decrypt(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Make a ciphertext of the key."""
    return {"CiphertextBlob": kms.encrypt(key, b"x")}


def re_encrypt(kms: FakeKMS, _: Key) -> dict[str, Any]:
    """Make a ciphertext of another key."""
    return {"CiphertextBlob": kms.encrypt(kms.create_key(), b"x")}


def derive_shared_secret(kms: FakeKMS, _: Key) -> dict[str, Any]:
    """Give another's public key."""
    return {"PublicKey": kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT").public_key}


def verify(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Sign a message."""
    if key.usage != "SIGN_VERIFY":
        return {"Signature": b"x"}
    return {"Signature": kms.client.sign(KeyId=key.id, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["Signature"]}


def verify_mac(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Make a MAC of a message."""
    if key.usage != "GENERATE_VERIFY_MAC":
        return {"Mac": b"x"}
    return {"Mac": kms.client.generate_mac(KeyId=key.id, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"]}


def cancel_key_deletion(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Let the key wait for its deletion."""
    kms.client.schedule_key_deletion(KeyId=key.id)
    return {}


def delete_alias(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Give the key a name; the call does not name the key."""
    kms.client.create_alias(AliasName="alias/mine", TargetKeyId=key.id)
    return {"AliasName": "alias/mine"}


def update_alias(kms: FakeKMS, _: Key) -> dict[str, Any]:
    """Give another key a name."""
    kms.create_key("mine")
    return {"AliasName": "alias/mine"}


def import_key_material(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Wrap the key's own material; a key that takes none has no import token."""
    if key.origin != "EXTERNAL":
        return {"ImportToken": b"x", "EncryptedKeyMaterial": b"x"}
    parameters = kms.client.get_parameters_for_import(KeyId=key.id, **MEMBERS["GetParametersForImport"])
    wrapped = kms.wrap_key_material(parameters, MATERIAL)
    return {"ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": wrapped}


def revoke_grant(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Make a grant that the caller may retire."""
    made = kms.client.create_grant(
        KeyId=key.id, GranteePrincipal=ROLE, RetiringPrincipal=TESTER, Operations=["DescribeKey"]
    )
    return {"GrantId": made["GrantId"]}


def put_key_policy(_: FakeKMS, key: Key) -> dict[str, Any]:
    """Give the policy that the key has."""
    return {"Policy": key.policy}


def update_primary_region(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Make a replica, where the key can have one."""
    if key.multi_region:
        kms.replicate(key, ELSEWHERE)
    return {"PrimaryRegion": ELSEWHERE}


NAMES_NO_KEY = (
    "CreateCustomKeyStore",
    "CreateKey",
    "DescribeCustomKeyStores",
    "GenerateRandom",
    "ListKeys",
    "ListRetirableGrants",
)
KEY_MEMBERS = {"CreateAlias": "TargetKeyId", "ReEncrypt": "DestinationKeyId", "UpdateAlias": "TargetKeyId"}
PREPARED: dict[str, Callable[[FakeKMS, Key], dict[str, Any]]] = {
    "CancelKeyDeletion": cancel_key_deletion,
    "Decrypt": decrypt,
    "DeleteAlias": delete_alias,
    "DeriveSharedSecret": derive_shared_secret,
    "ImportKeyMaterial": import_key_material,
    "PutKeyPolicy": put_key_policy,
    "ReEncrypt": re_encrypt,
    "RetireGrant": revoke_grant,
    "RevokeGrant": revoke_grant,
    "UpdateAlias": update_alias,
    "UpdatePrimaryRegion": update_primary_region,
    "Verify": verify,
    "VerifyMac": verify_mac,
}


# How they are brought to fail: each changes the scene, and returns the message of the error, empty where AWS's is, or
# is not known.

Cause: TypeAlias = Callable[[Scene], str]


def only_aws(code: str) -> Cause:
    """Order an error that no client can cause."""

    def order(scene: Scene) -> str:
        scene.kms.fail(scene.operation, code)
        return ""

    return order


def unknown_key(scene: Scene) -> str:
    """Name a key that is not there."""
    scene.members[scene.key_member] = f"{ARN}:key/{UNKNOWN}"
    return f"Key '{ARN}:key/{UNKNOWN}' does not exist"


def unknown_alias(scene: Scene) -> str:
    """Name an alias that is not there."""
    scene.members["AliasName"] = "alias/nowhere"
    return f"Alias {ARN}:alias/nowhere is not found."


def unknown_retirer(scene: Scene) -> str:
    """Name a principal by a unique id that nobody has."""
    scene.members["RetiringPrincipal"] = "AIDAJQABLZS4A3QDU576Q"
    return "Retiring principal AIDAJQABLZS4A3QDU576Q could not be found"


def alias_for_id(scene: Scene) -> str:
    """Name a key by its alias, where AWS takes none."""
    scene.client.create_alias(AliasName="alias/short", TargetKeyId=scene.kms.create_key().id)
    scene.members["KeyId"] = "alias/short"
    return "Key Aliases are not supported for this operation."


def id_for_arn(scene: Scene) -> str:
    """Name a key by its id, where AWS takes its ARN alone."""
    scene.members["KeyId"] = scene.key.id
    return ""


def no_arn(scene: Scene) -> str:
    """Name a principal by something else."""
    scene.members["RetiringPrincipal"] = "app"
    return "ARN is not valid: app"


def disabled(scene: Scene) -> str:
    """Disable the key."""
    scene.client.disable_key(KeyId=scene.key.id)
    return unfit(scene.key.arn, "Disabled")["Message"]


def pending_deletion(scene: Scene) -> str:
    """Schedule the deletion of the key; a primary waits for the deletion of its replicas first."""
    state = scene.client.schedule_key_deletion(KeyId=scene.key.id)["KeyState"]
    assert ("PendingReplicaDeletion" if scene.operation == "UpdatePrimaryRegion" else "PendingDeletion") == state
    return unfit(scene.key.arn, state)["Message"]


def not_pending_deletion(scene: Scene) -> str:
    """Cancel the deletion once more."""
    scene.client.cancel_key_deletion(KeyId=scene.key.id)
    return f"{scene.key.arn} is not pending deletion."


def creating(scene: Scene) -> str:
    """Name a replica that is being made."""
    primary = scene.kms.create_key(multi_region=True, **IMPORTED)
    scene.client.replicate_key(KeyId=primary.id, ReplicaRegion=ELSEWHERE)
    scene.client = scene.kms.client_for(region=ELSEWHERE)
    arn = primary.arn.replace("us-east-1", ELSEWHERE)
    scene.members["KeyId"] = arn
    return unfit(arn, "Creating")["Message"]


def false_token(scene: Scene) -> str:
    """Bring a grant token that nobody gave."""
    scene.members["GrantTokens"] = ["x"]
    return ""


def only_a_false_token(scene: Scene) -> str:
    """Name the grant by a token that nobody gave."""
    scene.members = {"GrantToken": "x"}
    return ""


def false_grant_id(scene: Scene) -> str:
    """Name a grant by what is no id of one."""
    scene.members["GrantId"] = "x"
    return ""


def false_marker(scene: Scene) -> str:
    """Ask for the page behind a marker that nobody gave."""
    scene.members["Marker"] = "x"
    return ""


def dry_run(scene: Scene) -> str:
    """Ask whether it would succeed."""
    scene.members["DryRun"] = True
    return "The request would have succeeded, but the DryRun option is set."


def other_usage(scene: Scene) -> str:
    """Take a key that was made for something else."""
    if scene.operation == "Decrypt":  # a symmetric ciphertext would tell its key
        scene.key = scene.kms.create_key(spec="RSA_2048", usage="SIGN_VERIFY")
        scene.members |= {"KeyId": scene.key.arn, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    else:
        symmetric = scene.key.usage == "ENCRYPT_DECRYPT"
        scene.key = scene.kms.create_key(spec="HMAC_256" if symmetric else "SYMMETRIC_DEFAULT")
        scene.members[scene.key_member] = scene.key.arn
    return f"{scene.key.arn} key usage is {scene.key.usage} which is not valid for {scene.operation}."


def foreign_ciphertext(scene: Scene) -> str:
    """Give what is no ciphertext of KMS."""
    scene.members["CiphertextBlob"] = b"x"
    return ""


def not_wrapped(scene: Scene) -> str:
    """Import what was never wrapped."""
    scene.members["EncryptedKeyMaterial"] = b"x" * 256
    return ""


def other_key_than_the_ciphertext_s(scene: Scene) -> str:
    """Name another key than the one that the ciphertext was made with."""
    member = {"Decrypt": "KeyId", "ReEncrypt": "SourceKeyId"}[scene.operation]
    scene.members[member] = scene.kms.create_key().id
    return "The key ID in the request does not identify a CMK that can perform this operation."


def other_signature(scene: Scene) -> str:
    """Verify the signature of another message."""
    scene.members["Message"] = b"y"
    return ""


def not_imported(scene: Scene) -> str:
    """Take a key whose material is AWS's."""
    scene.on_key()
    return f"{scene.key.arn} origin is AWS_KMS which is not valid for this operation."


def imported(scene: Scene) -> str:
    """Take a key whose material is the caller's own."""
    scene.on_key(**IMPORTED)
    return f"{scene.key.arn} origin is EXTERNAL which is not valid for this operation."


def in_key_store(scene: Scene) -> str:
    """Take a key of a key store."""
    scene.on_key(key_store=scene.kms.key_store())
    return f"{scene.key.arn} origin is AWS_CLOUDHSM which is not valid for this operation."


def symmetric(scene: Scene) -> str:
    """Take a key that has no public key."""
    scene.on_key()
    return ""


def of_one_material(scene: Scene) -> str:
    """Take a key that has the same material for life."""
    scene.on_key(spec="HMAC_256")
    return ""


def single_region(scene: Scene) -> str:
    """Take a key that is not multi-Region."""
    scene.on_key()
    return f"{scene.key.arn} is not a multi-region primary key."


def of_china(scene: Scene) -> str:
    """Ask for a spec that there is in China alone."""
    if scene.operation == "CreateKey":
        scene.members |= {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}
    else:
        scene.members["KeyPairSpec"] = "SM2"
    return "KeySpec SM2 is not supported in this Region"


def random_of_external_store(scene: Scene) -> str:
    """Ask for random bytes where there is no cluster."""
    scene.on_key_store(scene.kms.key_store("EXTERNAL_KEY_STORE"))
    return ""


def one_alias_too_many(scene: Scene) -> str:
    """Give a key more names than it may have."""
    scene.kms.quotas["Aliases per KMS key"] = 1
    scene.client.create_alias(AliasName="alias/first", TargetKeyId=scene.key.id)
    return "Aliases per key quota for this account in this region is 1, current usage is 1."


def one_key_too_many(scene: Scene) -> str:
    """Make more keys in a Region than it may have."""
    scene.kms.quotas["KMS keys"] = 1
    scene.kms.create_key(region=scene.members.get("ReplicaRegion"))
    return "Key quota for this account in this region is 1 but the current usage is 1."


def one_key_store_too_many(scene: Scene) -> str:
    """Make more key stores than there may be."""
    scene.kms.quotas["Custom key stores"] = 1
    scene.kms.key_store()
    return ""


def one_grant_too_many(scene: Scene) -> str:
    """Make more grants on a key than it may have."""
    scene.kms.quotas["Grants per KMS key"] = 1
    scene.call()
    return "Grants per key quota for this account in this region is 1, current usage is 1."


def one_rotation_too_many(scene: Scene) -> str:
    """Rotate a key more often than one may."""
    scene.kms.quotas["On-demand rotations per KMS key"] = 1
    scene.call()
    scene.kms.clock.advance(hours=1)
    return (
        "The on-demand rotations limit has been reached for the given keyId."
        f" No more on-demand rotations can be performed for this key: {scene.key.arn}"
    )


def long_policy(scene: Scene) -> str:
    """Give a key policy that is too long."""
    scene.members["Policy"] = " " * 32_768 + scene.key.policy
    return f"The key policy has {len(scene.members['Policy'])} bytes, the limit is 32768."


def policy_that_locks_out(scene: Scene) -> str:
    """Give a key policy that lets nobody change it."""
    statement = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Encrypt", "Resource": "*"}
    scene.members["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return "The new key policy will not allow you to update the key policy in the future."


def tag_of_aws(scene: Scene) -> str:
    """Touch a tag that is AWS's own."""
    if scene.operation == "UntagResource":
        scene.members["TagKeys"] = ["aws:team"]
    else:
        scene.members["Tags"] = [{"TagKey": "aws:team", "TagValue": "shop"}]
    return "Tags beginning with aws: are reserved"


def alias_that_is_there(scene: Scene) -> str:
    """Make an alias once more."""
    scene.call()
    return f"An alias with the name {ARN}:alias/new already exists"


def replica_that_is_there(scene: Scene) -> str:
    """Make a replica once more."""
    scene.call()
    return "You can create only one replica of each primary key in each AWS Region."


def rotation_that_is_near(scene: Scene) -> str:
    """Rotate a key that will rotate by itself in a moment."""
    scene.client.enable_key_rotation(KeyId=scene.key.id, RotationPeriodInDays=90)
    scene.kms.clock.advance(days=89, hours=23, minutes=50)
    return ""


def other_material(scene: Scene) -> str:
    """Import what is not the key's material again."""
    parameters = scene.kms.client.get_parameters_for_import(KeyId=scene.key.id, **MEMBERS["GetParametersForImport"])
    scene.members["ImportToken"] = parameters["ImportToken"]
    scene.members["EncryptedKeyMaterial"] = scene.kms.wrap_key_material(parameters, MATERIAL[::-1])
    return f"Imported key material does not have the expected identifier ({scene.key.material_id.hex()})."


def old_import_token(scene: Scene) -> str:
    """Import a day later."""
    scene.kms.clock.advance(days=1)
    return ""


def false_import_token(scene: Scene) -> str:
    """Import with a token that nobody gave."""
    scene.members["ImportToken"] = b"x"
    return ""


def unknown_store(scene: Scene) -> str:
    """Name a key store that is not there."""
    scene.members["CustomKeyStoreId"] = "cks-1234567890abcdef0"
    if scene.operation == "CreateKey":
        scene.members["Origin"] = "AWS_CLOUDHSM"
    return ""


def disconnected_store(scene: Scene) -> str:
    """Take a key store that is not connected."""
    scene.on_key_store(scene.kms.key_store(connected=False))
    if scene.operation == "CreateKey":
        scene.members["Origin"] = "AWS_CLOUDHSM"
    return ""


def connected_store(scene: Scene) -> str:
    """Take a key store that is connected."""
    scene.on_key_store(scene.kms.key_store())
    if scene.operation == "UpdateCustomKeyStore":
        scene.members["KeyStorePassword"] = "kmsPswd8"
    return ""


def failed_store(scene: Scene) -> str:
    """Take a key store that could not be connected."""
    scene.store.fail("USER_LOCKED_OUT")
    scene.call()
    scene.kms.clock.advance(hours=1)
    return ""


def unreachable_store(scene: Scene) -> str:
    """Take a key store whose cluster AWS does not reach."""
    scene.on_key_store(scene.kms.key_store())
    scene.store.fail("NETWORK_ERRORS")
    if scene.operation == "CreateKey":
        scene.members["Origin"] = "AWS_CLOUDHSM"
    return ""


def store_with_one_hsm(scene: Scene) -> str:
    """Take a key store whose cluster is too small for another key."""
    scene.on_key_store(scene.kms.key_store())
    scene.store.fail("INSUFFICIENT_CLOUDHSM_HSMS")
    scene.members["Origin"] = "AWS_CLOUDHSM"
    return ""


def store_with_keys(scene: Scene) -> str:
    """Take a key store that has a key."""
    scene.on_key_store(scene.kms.key_store())
    scene.kms.create_key(key_store=scene.store)
    scene.store.disconnect()
    return ""


def taken_store_name(scene: Scene) -> str:
    """Give a key store the name of another."""
    scene.kms.key_store(name="taken")
    scene.members["CustomKeyStoreName" if "Create" in scene.operation else "NewCustomKeyStoreName"] = "taken"
    return ""


def cluster_elsewhere(scene: Scene) -> str:
    """Name the cluster of another Region."""
    scene.kms.key_store(cluster_id="cluster-2a23b4cdefg", region=ELSEWHERE)
    scene.members["CloudHsmClusterId"] = "cluster-2a23b4cdefg"
    return ""


def taken_cluster(scene: Scene) -> str:
    """Name the cluster of another key store."""
    scene.kms.key_store(cluster_id="cluster-2a23b4cdefg")
    scene.members["CloudHsmClusterId"] = "cluster-2a23b4cdefg"
    return ""


def no_certificate(scene: Scene) -> str:
    """Give something else for the cluster's certificate."""
    scene.members["TrustAnchorCertificate"] = "x"
    return ""


def of_proxy(scene: Scene, **changes: Any) -> None:
    """Let the call be about an external key store; an update says but what changes."""
    if scene.operation == "CreateCustomKeyStore":
        scene.members = {"CustomKeyStoreName": "vault", **OF_PROXY, **changes}
    else:
        private = "XksProxyVpcEndpointServiceName" in changes
        store = scene.kms.key_store(
            "EXTERNAL_KEY_STORE",
            connected=False,
            vpc_endpoint_service=f"{VPC_SERVICE[:-1]}9" if private else None,
        )
        scene.members = changes
        scene.on_key_store(store)


def taken_uri(scene: Scene) -> str:
    """Name endpoint and path of another key store."""
    scene.kms.key_store("EXTERNAL_KEY_STORE", endpoint=ENDPOINT, path=PATH)
    of_proxy(scene, XksProxyUriEndpoint=ENDPOINT, XksProxyUriPath=PATH)
    return ""


def taken_endpoint(scene: Scene) -> str:
    """Name the endpoint that another key store has for itself."""
    scene.kms.key_store("EXTERNAL_KEY_STORE", endpoint=ENDPOINT, vpc_endpoint_service=VPC_SERVICE)
    of_proxy(scene, XksProxyUriEndpoint=ENDPOINT, XksProxyUriPath=f"/other{PATH}")
    return ""


def taken_vpc_service(scene: Scene) -> str:
    """Name the endpoint service of another key store."""
    scene.kms.key_store("EXTERNAL_KEY_STORE", vpc_endpoint_service=VPC_SERVICE)
    of_proxy(scene, **OF_VPC)
    return ""


def vpc_service_elsewhere(scene: Scene) -> str:
    """Name an endpoint service of another Region."""
    of_proxy(scene, **{**OF_VPC, "XksProxyVpcEndpointServiceName": VPC_SERVICE_ELSEWHERE})
    return ""


def path_of_nothing(scene: Scene) -> str:
    """Name a path at which no proxy is."""
    of_proxy(scene, XksProxyUriPath="/kms/xks/v2")
    return (
        "The external key store proxy rejected the request because of an invalid URI path."
        " Verify the URI path for your external key store and update if necessary."
    )


def of_external_key(scene: Scene, **what: Any) -> None:
    """Let the key be made of an external key, of which the test says something."""
    scene.on_key_store(scene.kms.key_store("EXTERNAL_KEY_STORE"))
    scene.store.external_key("one", **what)
    scene.members |= {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "one"}


def unknown_external_key(scene: Scene) -> str:
    """Make a key of an external key that is not there."""
    of_external_key(scene, exists=False)
    return "The external key store proxy rejected the request because it could not find the external key."


def short_external_key(scene: Scene) -> str:
    """Make a key of an external key that is too short."""
    of_external_key(scene, spec="AES_128")
    return "The key spec of the external key must be AES_256. The key spec of specified external key is AES_128."


def taken_external_key(scene: Scene) -> str:
    """Make two keys of one external key."""
    of_external_key(scene)
    scene.call()
    return ""


# The table: for each error, how it is caused, and in which operations.

_ON_A_KEY = (
    "CancelKeyDeletion CreateAlias CreateGrant Decrypt DeleteImportedKeyMaterial DeriveSharedSecret DescribeKey"
    " DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair"
    " GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GetKeyLastUsage GetKeyPolicy"
    " GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListAliases ListGrants"
    " ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy ReEncrypt ReplicateKey RetireGrant RevokeGrant"
    " RotateKeyOnDemand ScheduleKeyDeletion Sign TagResource UntagResource UpdateAlias UpdateKeyDescription"
    " UpdatePrimaryRegion Verify VerifyMac"
)
_ON_A_KEY_STORE = (
    "ConnectCustomKeyStore CreateCustomKeyStore DeleteCustomKeyStore DescribeCustomKeyStores DisconnectCustomKeyStore"
    " UpdateCustomKeyStore"
)
_USE_OF_A_KEY = (
    "Decrypt DeriveSharedSecret Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
    " GenerateDataKeyWithoutPlaintext GenerateMac ReEncrypt Sign Verify VerifyMac"
)
_OF_A_CLUSTER = "ConnectCustomKeyStore CreateCustomKeyStore UpdateCustomKeyStore"
_MAKE_A_KEY_STORE = "CreateCustomKeyStore UpdateCustomKeyStore"
_OF_A_PROXY = {
    taken_uri: "XksProxyUriInUseException",
    taken_endpoint: "XksProxyUriEndpointInUseException",
    taken_vpc_service: "XksProxyVpcEndpointServiceInUseException",
    vpc_service_elsewhere: "XksProxyVpcEndpointServiceNotFoundException",
    path_of_nothing: "XksProxyInvalidConfigurationException",
}

_ONLY_AWS = {
    "CloudHsmClusterInvalidConfigurationException": _OF_A_CLUSTER,
    "CloudHsmClusterNotActiveException": _OF_A_CLUSTER,
    "DependencyTimeoutException": "CancelKeyDeletion CreateAlias CreateGrant Decrypt DeleteAlias"
    " DeleteImportedKeyMaterial DeriveSharedSecret DescribeKey DisableKey DisableKeyRotation EnableKey"
    " EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
    " GenerateDataKeyWithoutPlaintext GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus GetParametersForImport"
    " GetPublicKey ImportKeyMaterial ListAliases ListGrants ListKeyPolicies ListKeys ListRetirableGrants PutKeyPolicy"
    " ReEncrypt RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign UpdateAlias UpdateKeyDescription"
    " Verify",
    # AWS gets along with a disabled key here, although the model says otherwise; so with some states below.
    "DisabledException": "GetPublicKey",
    # A name that is none is a ValidationException.
    "InvalidAliasNameException": "CreateAlias",
    # An ARN that is none is a NotFoundException where aliases are taken; CreateKey takes no ARN at all.
    "InvalidArnException": "CreateKey DescribeKey GetPublicKey",
    # A public key is shown whatever it is for.
    "InvalidKeyUsageException": "GetPublicKey",
    "KMSInternalException": f"{_ON_A_KEY} {_ON_A_KEY_STORE} CreateKey DeleteAlias GenerateRandom ListKeys"
    " ListRetirableGrants",
    "KMSInvalidStateException": "DeleteAlias GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies"
    " ListKeyRotations PutKeyPolicy RetireGrant RevokeGrant",
    "KeyUnavailableException": f"{_USE_OF_A_KEY} GetPublicKey",
    # To be enabled takes no quota, and too many tags are a TagException.
    "LimitExceededException": "EnableKey TagResource",
    # Which keys have policies that cannot be put is not known.
    "UnsupportedOperationException": "PutKeyPolicy",
    "XksProxyIncorrectAuthenticationCredentialException": _MAKE_A_KEY_STORE,
    "XksProxyInvalidResponseException": _MAKE_A_KEY_STORE,
    "XksProxyUriUnreachableException": _MAKE_A_KEY_STORE,
    "XksProxyVpcEndpointServiceInvalidConfigurationException": _MAKE_A_KEY_STORE,
}

_BY_CLIENTS: dict[str, dict[Cause, str]] = {
    "AlreadyExistsException": {alias_that_is_there: "CreateAlias", replica_that_is_there: "ReplicateKey"},
    "CloudHsmClusterInUseException": {taken_cluster: "CreateCustomKeyStore"},
    "CloudHsmClusterInvalidConfigurationException": {store_with_one_hsm: "CreateKey"},
    "CloudHsmClusterNotFoundException": {cluster_elsewhere: _MAKE_A_KEY_STORE},
    "CloudHsmClusterNotRelatedException": {taken_cluster: "UpdateCustomKeyStore"},
    "ConflictException": {rotation_that_is_near: "RotateKeyOnDemand"},
    "CustomKeyStoreHasCMKsException": {store_with_keys: "DeleteCustomKeyStore"},
    "CustomKeyStoreInvalidStateException": {
        connected_store: "DeleteCustomKeyStore UpdateCustomKeyStore",
        disconnected_store: "CreateKey DisconnectCustomKeyStore GenerateRandom",
        failed_store: "ConnectCustomKeyStore",
    },
    "CustomKeyStoreNameInUseException": {taken_store_name: _MAKE_A_KEY_STORE},
    "CustomKeyStoreNotFoundException": {
        unknown_store: "ConnectCustomKeyStore CreateKey DeleteCustomKeyStore DescribeCustomKeyStores"
        " DisconnectCustomKeyStore GenerateRandom UpdateCustomKeyStore",
    },
    "DependencyTimeoutException": {unreachable_store: "CreateKey GenerateRandom"},
    "DisabledException": {
        disabled: f"{_USE_OF_A_KEY} CreateGrant DisableKeyRotation EnableKeyRotation ReplicateKey RotateKeyOnDemand"
        " UpdatePrimaryRegion",
    },
    "DryRunOperationException": {dry_run: f"{_USE_OF_A_KEY} CreateGrant RetireGrant RevokeGrant"},
    "ExpiredImportTokenException": {old_import_token: "ImportKeyMaterial"},
    "IncorrectKeyException": {other_key_than_the_ciphertext_s: "Decrypt ReEncrypt"},
    "IncorrectKeyMaterialException": {other_material: "ImportKeyMaterial"},
    "IncorrectTrustAnchorException": {no_certificate: "CreateCustomKeyStore"},
    "InvalidArnException": {
        alias_for_id: "CancelKeyDeletion CreateGrant DeleteImportedKeyMaterial DisableKey DisableKeyRotation EnableKey"
        " EnableKeyRotation GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus GetParametersForImport ImportKeyMaterial"
        " ListAliases ListGrants ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy ReplicateKey"
        " RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription"
        " UpdatePrimaryRegion",
        id_for_arn: "RetireGrant",
        no_arn: "ListRetirableGrants",
    },
    "InvalidCiphertextException": {foreign_ciphertext: "Decrypt ReEncrypt", not_wrapped: "ImportKeyMaterial"},
    "InvalidGrantIdException": {false_grant_id: "ListGrants RetireGrant RevokeGrant"},
    "InvalidGrantTokenException": {
        false_token: f"{_USE_OF_A_KEY} CreateGrant GetPublicKey",
        only_a_false_token: "RetireGrant",
    },
    "InvalidImportTokenException": {false_import_token: "ImportKeyMaterial"},
    "InvalidKeyUsageException": {other_usage: _USE_OF_A_KEY},
    "InvalidMarkerException": {
        false_marker: "DescribeCustomKeyStores ListAliases ListGrants ListKeyRotations ListKeys ListResourceTags"
        " ListRetirableGrants",
    },
    "KMSInvalidMacException": {other_signature: "VerifyMac"},
    "KMSInvalidSignatureException": {other_signature: "Verify"},
    "KMSInvalidStateException": {
        pending_deletion: f"{_USE_OF_A_KEY} CreateAlias CreateGrant DisableKey DisableKeyRotation EnableKey"
        " EnableKeyRotation GetParametersForImport GetPublicKey ImportKeyMaterial ReplicateKey RotateKeyOnDemand"
        " ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription UpdatePrimaryRegion",
        not_pending_deletion: "CancelKeyDeletion",
        creating: "DeleteImportedKeyMaterial",
    },
    "LimitExceededException": {
        long_policy: "PutKeyPolicy",
        one_alias_too_many: "CreateAlias UpdateAlias",
        one_grant_too_many: "CreateGrant",
        one_key_store_too_many: "CreateCustomKeyStore",
        one_key_too_many: "CreateKey ReplicateKey",
        one_rotation_too_many: "RotateKeyOnDemand",
    },
    "MalformedPolicyDocumentException": {policy_that_locks_out: "CreateKey PutKeyPolicy ReplicateKey"},
    "NotFoundException": {
        unknown_key: _ON_A_KEY,
        unknown_alias: "DeleteAlias",
        unknown_retirer: "ListRetirableGrants",
    },
    "TagException": {tag_of_aws: "CreateKey ReplicateKey TagResource UntagResource"},
    "UnsupportedOperationException": {
        imported: "DisableKeyRotation EnableKeyRotation",
        in_key_store: "GetKeyRotationStatus ListKeyRotations",
        not_imported: "DeleteImportedKeyMaterial GetParametersForImport ImportKeyMaterial",
        of_china: "CreateKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext",
        of_one_material: "RotateKeyOnDemand",
        random_of_external_store: "GenerateRandom",
        single_region: "ReplicateKey UpdatePrimaryRegion",
        symmetric: "GetPublicKey",
    },
    "XksKeyAlreadyInUseException": {taken_external_key: "CreateKey"},
    "XksKeyInvalidConfigurationException": {short_external_key: "CreateKey"},
    "XksKeyNotFoundException": {unknown_external_key: "CreateKey"},
    **{code: {cause: _MAKE_A_KEY_STORE} for cause, code in _OF_A_PROXY.items()},
}

ROWS = [
    *((name, code, only_aws(code)) for code, names in _ONLY_AWS.items() for name in names.split()),
    *(
        (name, code, cause)
        for code, causes in _BY_CLIENTS.items()
        for cause, names in causes.items()
        for name in names.split()
    ),
]
each_row = pytest.mark.parametrize(
    ("operation", "code", "cause"),
    [pytest.param(*row, id="-".join(row[:2])) for row in sorted(ROWS, key=lambda row: row[:2])],
)


@each_row
def test_an_operation_ends_with_each_of_its_errors(kms: FakeKMS, operation: str, code: str, cause: Cause) -> None:
    """The client raises the class of the code, with AWS's message where that is known, and the trail has it."""
    scene = Scene(kms, operation)
    message = cause(scene)
    with pytest.raises(getattr(scene.client.exceptions, code)) as excinfo:
        scene.call()
    response: Any = excinfo.value.response
    assert {"Code": code, "Message": message} == response["Error"]
    assert (operation, code, message) == (kms.trail.last.operation, kms.trail.last.error, kms.trail.last.message)


def test_every_error_of_every_operation_is_in_the_table_once() -> None:
    """The table is complete against botocore's model, and has nothing besides."""
    declared = [
        (name, error.name) for name in MODEL.operation_names for error in MODEL.operation_model(name).error_shapes
    ]
    assert sorted(declared) == sorted(row[:2] for row in ROWS)


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_the_call_succeeds_if_nothing_keeps_it(kms: FakeKMS, operation: str) -> None:
    """What makes it fail above is the cause, and nothing else."""
    Scene(kms, operation).call()
    [*_, last] = [event for event in kms.trail if event.service_event is None]
    assert (operation, None) == (last.operation, last.error)
