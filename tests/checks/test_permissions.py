"""AWS's table of permissions: what each operation asks for, on what, and whether it reaches into other accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from policies import HIDDEN, allow, by, policy

from pytest_kms import FakeKMS, Key, service
from pytest_kms.operation import OPERATIONS

pytestmark = pytest.mark.kms(region="us-east-1")

ALICE = "arn:aws:iam::123456789012:user/alice"
STRANGER = "111122223333"
BOB = f"arn:aws:iam::{STRANGER}:user/bob"
ELSEWHERE = "eu-west-1"
WOULD_SUCCEED = "DryRunOperationException"


class Need(NamedTuple):
    """A permission: an action on something, which the scene of the call knows by a name; `*` is everything."""

    action: str
    on: str = "key"


def needs(operation: str, *on: str) -> tuple[Need, ...]:
    """Write a row of an operation that asks for the action of its own name."""
    return tuple(Need(operation, one) for one in on)


# The permissions reference of the KMS Developer Guide ("KMS API permissions"). An operation that asks for more or less
# by how it is called has more rows than one.
TABLE: dict[str, tuple[Need, ...]] = {
    "CancelKeyDeletion": needs("CancelKeyDeletion", "key"),
    "ConnectCustomKeyStore": needs("ConnectCustomKeyStore", "*"),
    "CreateAlias": needs("CreateAlias", "alias", "key"),
    "CreateCustomKeyStore": needs("CreateCustomKeyStore", "*"),
    "CreateGrant": needs("CreateGrant", "key"),
    "CreateKey": needs("CreateKey", "*"),
    "CreateKey, with tags": (Need("CreateKey", "*"), Need("TagResource", "*")),
    "Decrypt": needs("Decrypt", "key"),
    "Decrypt, key unnamed": needs("Decrypt", "key"),
    "DeleteAlias": needs("DeleteAlias", "alias", "key"),
    "DeleteCustomKeyStore": needs("DeleteCustomKeyStore", "*"),
    "DeleteImportedKeyMaterial": needs("DeleteImportedKeyMaterial", "key"),
    "DeriveSharedSecret": needs("DeriveSharedSecret", "key"),
    "DescribeCustomKeyStores": needs("DescribeCustomKeyStores", "*"),
    "DescribeKey": needs("DescribeKey", "key"),
    "DisableKey": needs("DisableKey", "key"),
    "DisableKeyRotation": needs("DisableKeyRotation", "key"),
    "DisconnectCustomKeyStore": needs("DisconnectCustomKeyStore", "*"),
    "EnableKey": needs("EnableKey", "key"),
    "EnableKeyRotation": needs("EnableKeyRotation", "key"),
    "Encrypt": needs("Encrypt", "key"),
    "GenerateDataKey": needs("GenerateDataKey", "key"),
    "GenerateDataKeyPair": needs("GenerateDataKeyPair", "key"),
    "GenerateDataKeyPairWithoutPlaintext": needs("GenerateDataKeyPairWithoutPlaintext", "key"),
    "GenerateDataKeyWithoutPlaintext": needs("GenerateDataKeyWithoutPlaintext", "key"),
    "GenerateMac": needs("GenerateMac", "key"),
    "GenerateRandom": needs("GenerateRandom", "*"),
    "GetKeyLastUsage": needs("GetKeyLastUsage", "key"),
    "GetKeyPolicy": needs("GetKeyPolicy", "key"),
    "GetKeyRotationStatus": needs("GetKeyRotationStatus", "key"),
    "GetParametersForImport": needs("GetParametersForImport", "key"),
    "GetPublicKey": needs("GetPublicKey", "key"),
    "ImportKeyMaterial": needs("ImportKeyMaterial", "key"),
    "ListAliases": needs("ListAliases", "*"),
    "ListAliases, of a key": needs("ListAliases", "*"),
    "ListGrants": needs("ListGrants", "key"),
    "ListKeyPolicies": needs("ListKeyPolicies", "key"),
    "ListKeyRotations": needs("ListKeyRotations", "key"),
    "ListKeys": needs("ListKeys", "*"),
    "ListResourceTags": needs("ListResourceTags", "key"),
    "ListRetirableGrants": needs("ListRetirableGrants", "*"),
    "PutKeyPolicy": needs("PutKeyPolicy", "key"),
    "ReEncrypt": (Need("ReEncryptFrom", "source"), Need("ReEncryptTo", "destination")),
    "ReEncrypt, source unnamed": (Need("ReEncryptFrom", "source"), Need("ReEncryptTo", "destination")),
    "ReplicateKey": (Need("ReplicateKey", "key"), Need("CreateKey", "*")),
    "ReplicateKey, with tags": (Need("ReplicateKey", "key"), Need("CreateKey", "*"), Need("TagResource", "*")),
    "RetireGrant": needs("RetireGrant", "key"),
    "RetireGrant, by token": needs("RetireGrant", "key"),
    "RevokeGrant": needs("RevokeGrant", "key"),
    "RotateKeyOnDemand": needs("RotateKeyOnDemand", "key"),
    "ScheduleKeyDeletion": needs("ScheduleKeyDeletion", "key"),
    "Sign": needs("Sign", "key"),
    "TagResource": needs("TagResource", "key"),
    "UntagResource": needs("UntagResource", "key"),
    "UpdateAlias": needs("UpdateAlias", "alias", "key", "new key"),
    "UpdateCustomKeyStore": needs("UpdateCustomKeyStore", "*"),
    "UpdateKeyDescription": needs("UpdateKeyDescription", "key"),
    "UpdatePrimaryRegion": needs("UpdatePrimaryRegion", "key", "replica"),
    "UpdatePrimaryRegion, to where it is": needs("UpdatePrimaryRegion", "key"),
    "Verify": needs("Verify", "key"),
    "VerifyMac": needs("VerifyMac", "key"),
}

# "Cross-account use: Yes" in the same reference, and the operations that are about what one account has.
CROSS_ACCOUNT = {
    "CreateGrant",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetKeyRotationStatus",
    "GetPublicKey",
    "ListGrants",
    "ReEncrypt",
    "RetireGrant",
    "RevokeGrant",
    "Sign",
    "Verify",
    "VerifyMac",
}

# How the operations are called.

MATERIAL = b"correct horse battery staple 123"
IMPORTED = {"origin": "EXTERNAL", "material": MATERIAL}
TAGS = [{"TagKey": "team", "TagValue": "shop"}]
SIGNING: dict[str, Any] = {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
MAC: dict[str, Any] = {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
WRAPPING: Any = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}


class Scene(NamedTuple):
    """The members of a call that lacks permission alone, and what it is about, by the names in the table."""

    members: dict[str, Any]
    things: dict[str, Key | str]

    def arn(self, name: str) -> str:
        """Return the ARN of a thing."""
        thing = self.things.get(name, name)
        return thing if isinstance(thing, str) else thing.arn

    def keys(self) -> list[Key]:
        """Return the keys that it is about."""
        return [thing for thing in self.things.values() if isinstance(thing, Key)]


MakeScene = Callable[[FakeKMS], Scene]


def on_key(*, state: str = "Enabled", members: dict[str, Any] | None = None, **kind: Any) -> MakeScene:
    """Return a scene with one key, which the call names by its ARN."""

    def scene(kms: FakeKMS) -> Scene:
        key = kms.create_key(state=state, **kind)
        return Scene({"KeyId": key.arn, **(members or {})}, {"key": key})

    return scene


def on_everything(**members: Any) -> MakeScene:
    """Return a scene without keys."""
    return lambda _: Scene(members, {})


def on_key_store(*, connected: bool = False, **members: Any) -> MakeScene:
    """Return a scene with a key store."""
    return lambda kms: Scene({"CustomKeyStoreId": kms.key_store(connected=connected).id, **members}, {})


def create_alias(kms: FakeKMS) -> Scene:
    """Give a key a name."""
    key = kms.create_key()
    things: dict[str, Key | str] = {"alias": "arn:aws:kms:us-east-1:123456789012:alias/orders", "key": key}
    return Scene({"AliasName": "alias/orders", "TargetKeyId": key.arn}, things)


def update_alias(kms: FakeKMS) -> Scene:
    """Give the name of one key to another."""
    key, new = kms.create_key("orders"), kms.create_key()
    things: dict[str, Key | str] = {
        "alias": "arn:aws:kms:us-east-1:123456789012:alias/orders",
        "key": key,
        "new key": new,
    }
    return Scene({"AliasName": "alias/orders", "TargetKeyId": new.arn}, things)


def delete_alias(kms: FakeKMS) -> Scene:
    """Forget the name of a key."""
    key = kms.create_key("orders")
    return Scene(
        {"AliasName": "alias/orders"}, {"alias": "arn:aws:kms:us-east-1:123456789012:alias/orders", "key": key}
    )


def decrypt(kms: FakeKMS) -> Scene:
    """Decrypt, and name the key."""
    key = kms.create_key()
    return Scene({"KeyId": key.arn, "CiphertextBlob": kms.encrypt(key, b"x")}, {"key": key})


def decrypt_unnamed(kms: FakeKMS) -> Scene:
    """Decrypt with the key that the ciphertext tells."""
    members, things = decrypt(kms)
    return Scene({"CiphertextBlob": members["CiphertextBlob"]}, things)


def re_encrypt(kms: FakeKMS) -> Scene:
    """Encrypt again under another key, and name both."""
    source, destination = kms.create_key(), kms.create_key()
    members = {
        "CiphertextBlob": kms.encrypt(source, b"x"),
        "SourceKeyId": source.arn,
        "DestinationKeyId": destination.arn,
    }
    return Scene(members, {"source": source, "destination": destination})


def re_encrypt_unnamed(kms: FakeKMS) -> Scene:
    """Encrypt again, and let the ciphertext tell its key."""
    members, things = re_encrypt(kms)
    del members["SourceKeyId"]
    return Scene(members, things)


def derive_shared_secret(kms: FakeKMS) -> Scene:
    """Derive a secret that the key shares with another."""
    kind: Any = {"spec": "ECC_NIST_P256", "usage": "KEY_AGREEMENT"}
    key, other = kms.create_key(**kind), kms.create_key(**kind)
    members = {"KeyId": key.arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": other.public_key}
    return Scene(members, {"key": key})


def verify(kms: FakeKMS) -> Scene:
    """Verify a signature of the key."""
    key = kms.create_key(spec="ECC_NIST_P256")
    signature = kms.client.sign(KeyId=key.id, **SIGNING)["Signature"]
    return Scene({"KeyId": key.arn, "Signature": signature, **SIGNING}, {"key": key})


def verify_mac(kms: FakeKMS) -> Scene:
    """Verify a MAC of the key."""
    key = kms.create_key(spec="HMAC_256")
    mac = kms.client.generate_mac(KeyId=key.id, **MAC)["Mac"]
    return Scene({"KeyId": key.arn, "Mac": mac, **MAC}, {"key": key})


def import_key_material(kms: FakeKMS) -> Scene:
    """Import the material that the key has."""
    key = kms.create_key(**IMPORTED)  # type: ignore[arg-type]
    parameters = kms.client.get_parameters_for_import(KeyId=key.id, **WRAPPING)
    members = {
        "KeyId": key.arn,
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": kms.wrap_key_material(parameters, MATERIAL),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    return Scene(members, {"key": key})


def put_key_policy(kms: FakeKMS) -> Scene:
    """Put the key policy that the key has; who may do nothing else would lock himself out."""
    key = kms.create_key()
    return Scene({"KeyId": key.arn, "Policy": key.policy, "BypassPolicyLockoutSafetyCheck": True}, {"key": key})


def grant(kms: FakeKMS, key: Key) -> Any:
    """Make a grant that the account may retire."""
    return kms.client.create_grant(
        KeyId=key.id, GranteePrincipal="arn:aws:iam::123456789012:role/app", Operations=["DescribeKey"]
    )


def with_grant(kms: FakeKMS) -> Scene:
    """Name a grant by its key and its id."""
    key = kms.create_key()
    return Scene({"KeyId": key.arn, "GrantId": grant(kms, key)["GrantId"]}, {"key": key})


def with_grant_token(kms: FakeKMS) -> Scene:
    """Name a grant by a token."""
    key = kms.create_key()
    return Scene({"GrantToken": grant(kms, key)["GrantToken"]}, {"key": key})


def update_primary_region(kms: FakeKMS) -> Scene:
    """Make a replica the primary."""
    key = kms.create_key(multi_region=True)
    replica = kms.replicate(key, ELSEWHERE)
    return Scene({"KeyId": key.arn, "PrimaryRegion": ELSEWHERE}, {"key": key, "replica": replica})


GRANT = {"GranteePrincipal": "arn:aws:iam::123456789012:role/app", "Operations": ["DescribeKey"]}
PROXY = {
    "CustomKeyStoreName": "vault",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyUriEndpoint": "https://xks.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyAuthenticationCredential": {"AccessKeyId": "ABCDE2345672FGHIJKLM", "RawSecretAccessKey": "7" * 48},
}
RETIRER = {"RetiringPrincipal": "arn:aws:iam::123456789012:role/app"}

SCENES: dict[str, MakeScene] = {
    "CancelKeyDeletion": on_key(state="PendingDeletion"),
    "ConnectCustomKeyStore": on_key_store(),
    "CreateAlias": create_alias,
    "CreateCustomKeyStore": on_everything(**PROXY),
    "CreateGrant": on_key(members=GRANT),
    "CreateKey": on_everything(),
    "CreateKey, with tags": on_everything(Tags=TAGS),
    "Decrypt": decrypt,
    "Decrypt, key unnamed": decrypt_unnamed,
    "DeleteAlias": delete_alias,
    "DeleteCustomKeyStore": on_key_store(),
    "DeleteImportedKeyMaterial": on_key(**IMPORTED),  # type: ignore[arg-type]
    "DeriveSharedSecret": derive_shared_secret,
    "DescribeCustomKeyStores": on_everything(),
    "DescribeKey": on_key(),
    "DisableKey": on_key(),
    "DisableKeyRotation": on_key(),
    "DisconnectCustomKeyStore": on_key_store(connected=True),
    "EnableKey": on_key(state="Disabled"),
    "EnableKeyRotation": on_key(),
    "Encrypt": on_key(members={"Plaintext": b"x"}),
    "GenerateDataKey": on_key(members={"KeySpec": "AES_256"}),
    "GenerateDataKeyPair": on_key(members={"KeyPairSpec": "ECC_NIST_P256"}),
    "GenerateDataKeyPairWithoutPlaintext": on_key(members={"KeyPairSpec": "ECC_NIST_P256"}),
    "GenerateDataKeyWithoutPlaintext": on_key(members={"KeySpec": "AES_256"}),
    "GenerateMac": on_key(spec="HMAC_256", members=MAC),
    "GenerateRandom": on_everything(NumberOfBytes=1),
    "GetKeyLastUsage": on_key(),
    "GetKeyPolicy": on_key(),
    "GetKeyRotationStatus": on_key(),
    "GetParametersForImport": on_key(origin="EXTERNAL", members=WRAPPING),
    "GetPublicKey": on_key(spec="ECC_NIST_P256"),
    "ImportKeyMaterial": import_key_material,
    "ListAliases": on_everything(),
    "ListAliases, of a key": on_key(),
    "ListGrants": on_key(),
    "ListKeyPolicies": on_key(),
    "ListKeyRotations": on_key(),
    "ListKeys": on_everything(),
    "ListResourceTags": on_key(),
    "ListRetirableGrants": on_everything(**RETIRER),
    "PutKeyPolicy": put_key_policy,
    "ReEncrypt": re_encrypt,
    "ReEncrypt, source unnamed": re_encrypt_unnamed,
    "ReplicateKey": on_key(multi_region=True, members={"ReplicaRegion": ELSEWHERE}),
    "ReplicateKey, with tags": on_key(multi_region=True, members={"ReplicaRegion": ELSEWHERE, "Tags": TAGS}),
    "RetireGrant": with_grant,
    "RetireGrant, by token": with_grant_token,
    "RevokeGrant": with_grant,
    "RotateKeyOnDemand": on_key(),
    "ScheduleKeyDeletion": on_key(),
    "Sign": on_key(spec="ECC_NIST_P256", members=SIGNING),
    "TagResource": on_key(members={"Tags": TAGS}),
    "UntagResource": on_key(members={"TagKeys": ["team"]}),
    "UpdateAlias": update_alias,
    "UpdateCustomKeyStore": on_key_store(NewCustomKeyStoreName="archive"),
    "UpdateKeyDescription": on_key(members={"Description": "of orders"}),
    "UpdatePrimaryRegion": update_primary_region,
    "UpdatePrimaryRegion, to where it is": on_key(multi_region=True, members={"PrimaryRegion": "us-east-1"}),
    "Verify": verify,
    "VerifyMac": verify_mac,
}

UNNAMED = {("Decrypt, key unnamed", "key"), ("ReEncrypt, source unnamed", "source")}
"""Which keys the ciphertext alone tells."""


def operation_of(row: str) -> str:
    """Return the operation that a row is about."""
    return row.partition(",")[0]


def has_dry_run(row: str) -> bool:
    """Say whether the operation of a row can be tried out."""
    return "DryRun" in service.input_shape(operation_of(row)).members


def is_key(need: Need) -> bool:
    """Say whether the permission is asked on a key, so that a key policy has a say."""
    return need.on not in ("*", "alias")


def cases(*, only: Callable[[str, Need], bool] = lambda *_: True) -> list[Any]:
    """List each permission of each row, also for a dry run where there is one."""
    return [
        pytest.param(row, need, dry, id=f"{row}-{need.action} on {need.on}{' dry' * dry}".replace(" ", "_"))
        for row, needed in TABLE.items()
        for need in needed
        for dry in ((False, True) if has_dry_run(row) else (False,))
        if only(row, need)
    ]


def rows(*, only: Callable[[str], bool] = lambda _: True) -> list[Any]:
    """List the rows, also for a dry run where there is one."""
    return [
        pytest.param(row, dry, id=f"{row}{' dry' * dry}".replace(" ", "_"))
        for row in TABLE
        for dry in ((False, True) if has_dry_run(row) else (False,))
        if only(row)
    ]


def outcome(client: Any, row: str, scene: Scene, *, dry: bool = False) -> tuple[str, str] | None:
    """Make the call, and return code and message of its error; None for a success, that of a dry run, too."""
    members = scene.members | ({"DryRun": True} if dry else {})
    try:
        getattr(client, xform_name(operation_of(row)))(**members)
    except ClientError as error:
        told = error.response["Error"]
        return None if dry and told["Code"] == WOULD_SUCCEED else (told["Code"], told["Message"])
    assert not dry
    return None


def refusal(who: str, need: Need, scene: Scene, kind: str, *, row: str = "") -> tuple[str, str]:
    """Write AWS's refusal of a permission that no policy of a kind gives."""
    on, because = f"resource: {scene.arn(need.on)}", f"because no {kind} allows the kms:{need.action} action"
    if (row, need.on) in UNNAMED:
        on = "the resource associated with this ciphertext"
        because = HIDDEN if kind == "resource-based policy" else because
    return "AccessDeniedException", f"User: {who} is not authorized to perform: kms:{need.action} on {on} {because}"


def just(row: str, scene: Scene) -> dict[str, Any]:
    """Write the policy that allows what a row needs, and nothing else."""
    return policy(*[allow(f"kms:{need.action}", Resource=scene.arn(need.on)) for need in TABLE[row]])


def all_but(need: Need, scene: Scene) -> list[dict[str, Any]]:
    """Write the statements that allow everything but one action on one resource."""
    others = allow(Action=None, NotAction=f"kms:{need.action}")
    if need.on == "*":
        return [others]
    return [others, allow(f"kms:{need.action}", Resource=None, NotResource=scene.arn(need.on))]


def test_every_operation_has_a_row() -> None:
    """All of AWS's operations are in the table, and each row has its scene."""
    assert set(OPERATIONS) == {operation_of(row) for row in TABLE}
    assert list(TABLE) == list(SCENES)


# by identity policies


@pytest.mark.parametrize(("row", "need", "dry"), cases())
def test_each_permission_is_needed(kms: FakeKMS, row: str, need: Need, dry: bool) -> None:  # noqa: FBT001
    """Who may do all but one thing on one resource is refused, in AWS's words."""
    scene = SCENES[row](kms)
    alice = kms.principal("user/alice", policy=policy(*all_but(need, scene)))

    assert refusal(ALICE, need, scene, "identity-based policy", row=row) == outcome(
        kms.client_for(alice), row, scene, dry=dry
    )


@pytest.mark.parametrize(("row", "dry"), rows())
def test_no_other_permission_is_needed(kms: FakeKMS, row: str, dry: bool) -> None:  # noqa: FBT001
    """Who may do just what the table says is answered."""
    scene = SCENES[row](kms)
    alice = kms.principal("user/alice", policy=just(row, scene))

    assert None is outcome(kms.client_for(alice), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "need", "dry"), cases())
def test_each_permission_can_be_denied(kms: FakeKMS, row: str, need: Need, dry: bool) -> None:  # noqa: FBT001
    """A Deny of one action on one resource is enough, whatever else is allowed."""
    scene = SCENES[row](kms)
    denied = {"Effect": "Deny", "Action": f"kms:{need.action}", "Resource": scene.arn(need.on)}
    alice = kms.principal("user/alice", policy=policy(allow("*"), denied))

    code, message = refusal(ALICE, need, scene, "identity-based policy", row=row)
    because = f"because no identity-based policy allows the kms:{need.action} action"
    message = message.replace(because, "with an explicit deny in an identity-based policy")
    assert (code, message) == outcome(kms.client_for(alice), row, scene, dry=dry)


# by key policies


def open_to(keys: list[Key], *statements: dict[str, Any]) -> None:
    """Give keys a policy that leaves nothing to identity policies."""
    for key in keys:
        key.policy = policy(*[{**statement, "Principal": by(ALICE)} for statement in statements])


def is_for_key_policy(row: str, need: Need) -> bool:
    """Say whether a key policy decides: it has no say in retiring grants."""
    return is_key(need) and operation_of(row) != "RetireGrant"


@pytest.mark.parametrize(("row", "need", "dry"), cases(only=is_for_key_policy))
def test_each_permission_on_a_key_is_its_policy_s_to_give(
    kms: FakeKMS,
    row: str,
    need: Need,
    dry: bool,  # noqa: FBT001
) -> None:
    """A key policy that allows all but one action refuses it, whatever identity policies say."""
    scene = SCENES[row](kms)
    open_to(scene.keys(), allow())
    key = scene.things[need.on]
    assert isinstance(key, Key)
    open_to([key], allow(Action=None, NotAction=f"kms:{need.action}"))
    alice = kms.principal("user/alice", policy=policy(allow("*")))

    assert refusal(ALICE, need, scene, "resource-based policy", row=row) == outcome(
        kms.client_for(alice), row, scene, dry=dry
    )


@pytest.mark.parametrize(
    ("row", "dry"), rows(only=lambda row: all(is_for_key_policy(row, need) for need in TABLE[row]))
)
def test_the_policy_of_a_key_is_enough(kms: FakeKMS, row: str, dry: bool) -> None:  # noqa: FBT001
    """Whom it names needs no identity policy for what is about the key alone."""
    scene = SCENES[row](kms)
    open_to(scene.keys(), *[allow(f"kms:{need.action}") for need in TABLE[row]])

    assert None is outcome(kms.client_for(kms.principal("user/alice")), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "need", "dry"), cases(only=lambda _, need: not is_key(need)))
def test_what_is_on_no_key_is_for_identity_policies_alone(
    kms: FakeKMS,
    row: str,
    need: Need,
    dry: bool,  # noqa: FBT001
) -> None:
    """A key policy that allows it changes nothing: not for aliases, and not for what is asked on `*`."""
    scene = SCENES[row](kms)
    open_to([*scene.keys(), kms.create_key()], allow("*"))
    alice = kms.principal("user/alice", policy=policy(*all_but(need, scene)))

    assert refusal(ALICE, need, scene, "identity-based policy") == outcome(kms.client_for(alice), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "need", "dry"), cases(only=lambda _, need: need.on == "*"))
def test_all_keys_and_aliases_are_not_everything(kms: FakeKMS, row: str, need: Need, dry: bool) -> None:  # noqa: FBT001
    """What is asked on `*` is not allowed by a pattern of ARNs."""
    scene = SCENES[row](kms)
    others = [allow(f"kms:{other.action}") for other in TABLE[row] if other != need]
    alice = kms.principal("user/alice", policy=policy(allow("*", Resource="arn:aws:kms:*:*:*"), *others))

    assert refusal(ALICE, need, scene, "identity-based policy") == outcome(kms.client_for(alice), row, scene, dry=dry)


@pytest.mark.parametrize("row", ["RetireGrant", "RetireGrant, by token"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_key_policy_has_no_say_in_retiring(kms: FakeKMS, row: str, effect: str) -> None:
    """The grant says who may retire it; identity policies let the account's principals."""
    scene = SCENES[row](kms)
    [key] = scene.keys()
    key.policy = policy({**allow("kms:RetireGrant"), "Effect": effect, "Principal": "*"})

    assert refusal(ALICE, Need("RetireGrant"), scene, "identity-based policy") == outcome(
        kms.client_for(kms.principal("user/alice")), row, scene
    )
    permitted = kms.principal("user/alice", policy=policy(allow("kms:RetireGrant", Resource=key.arn)))
    assert None is outcome(kms.client_for(permitted), row, scene)


# aliases


@pytest.mark.parametrize("member", ["id", "arn", "alias", "alias ARN"])
def test_a_key_operation_is_asked_on_the_key_however_it_is_named(kms: FakeKMS, member: str) -> None:
    """An alias ARN in an identity policy gives nothing on the key behind it."""
    key = kms.create_key("orders")
    alias_arn = "arn:aws:kms:us-east-1:123456789012:alias/orders"
    name = {"id": key.id, "arn": key.arn, "alias": "alias/orders", "alias ARN": alias_arn}[member]
    of_alias = kms.principal("user/alice", policy=policy(allow(Resource=alias_arn)))
    of_key = kms.principal("user/alice", policy=policy(allow("kms:Encrypt", Resource=key.arn)))
    scene = Scene({"KeyId": name, "Plaintext": b"x"}, {"key": key})

    assert refusal(ALICE, Need("Encrypt"), scene, "identity-based policy") == outcome(
        kms.client_for(of_alias), "Encrypt", scene
    )
    assert None is outcome(kms.client_for(of_key), "Encrypt", scene)


# Regions


def in_region(action: str, region: str) -> dict[str, Any]:
    """Write a statement that allows an action in a Region."""
    return allow(f"kms:{action}", Condition={"StringEquals": {"aws:RequestedRegion": region}})


def test_a_key_is_replicated_in_two_regions(kms: FakeKMS) -> None:
    """kms:ReplicateKey is asked where the primary is, the others where the replica is to be."""
    scene = SCENES["ReplicateKey, with tags"](kms)
    here, there = "us-east-1", ELSEWHERE
    allowed = [in_region("ReplicateKey", here), in_region("CreateKey", there), in_region("TagResource", there)]
    for place, need in enumerate(TABLE["ReplicateKey, with tags"]):
        elsewhere = in_region(need.action, here if place else there)
        alice = kms.principal("user/alice", policy=policy(*allowed[:place], elsewhere, *allowed[place + 1 :]))
        assert refusal(ALICE, need, scene, "identity-based policy") == outcome(
            kms.client_for(alice), "ReplicateKey", scene
        )

    alice = kms.principal("user/alice", policy=policy(*allowed))
    assert None is outcome(kms.client_for(alice), "ReplicateKey", scene)


def test_a_primary_is_updated_in_two_regions(kms: FakeKMS) -> None:
    """Each of the two keys is asked in its own Region."""
    scene = SCENES["UpdatePrimaryRegion"](kms)
    for region, need in zip((ELSEWHERE, "us-east-1"), TABLE["UpdatePrimaryRegion"], strict=True):
        alice = kms.principal("user/alice", policy=policy(in_region("UpdatePrimaryRegion", region)))
        assert refusal(ALICE, need, scene, "identity-based policy") == outcome(
            kms.client_for(alice), "UpdatePrimaryRegion", scene
        )

    both = [in_region("UpdatePrimaryRegion", "us-east-1"), in_region("UpdatePrimaryRegion", ELSEWHERE)]
    alice = kms.principal("user/alice", policy=policy(*both))
    assert None is outcome(kms.client_for(alice), "UpdatePrimaryRegion", scene)


# other accounts

# Those that are about an alias look for it in the account of the caller, who retires a grant only if it says so.
NOT_SO_SIMPLE = {"DeleteAlias", "UpdateAlias", "RetireGrant"}


def reaches(row: str) -> bool:
    """Say whether a row is about the keys of another account, if they let it."""
    return operation_of(row) in CROSS_ACCOUNT - NOT_SO_SIMPLE


def is_kept(row: str) -> bool:
    """Say whether a row is about the keys of one's own account alone."""
    return any(is_key(need) for need in TABLE[row]) and operation_of(row) not in CROSS_ACCOUNT | NOT_SO_SIMPLE


def open_to_stranger(keys: list[Key], action: str | list[str] = "kms:*") -> None:
    """Give keys a policy that lets another account in, and its own as well."""
    for key in keys:
        key.policy = policy(allow(action, Principal=by(STRANGER)), allow(Principal=by(key.account)))


def hidden(need: Need, row: str = "", because: str = HIDDEN) -> tuple[str, str]:
    """Write AWS's refusal of something on a key of another account."""
    which = "the resource associated with this ciphertext" if (row, need.on) in UNNAMED else "this resource"
    return "AccessDeniedException", f"User: {BOB} is not authorized to perform: kms:{need.action} on {which} {because}"


@pytest.mark.parametrize(("row", "dry"), rows(only=reaches))
def test_an_operation_reaches_keys_of_other_accounts(kms: FakeKMS, row: str, dry: bool) -> None:  # noqa: FBT001
    """Where both sides allow it: the key policy, and the caller's own."""
    scene = SCENES[row](kms)
    open_to_stranger(scene.keys(), [f"kms:{need.action}" for need in TABLE[row]])
    bob = kms.principal("user/bob", account=STRANGER, policy=just(row, scene))

    assert None is outcome(kms.client_for(bob), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "need", "dry"), cases(only=lambda row, _: reaches(row)))
def test_the_key_policy_must_let_the_other_account_in(
    kms: FakeKMS,
    row: str,
    need: Need,
    dry: bool,  # noqa: FBT001
) -> None:
    """Where it does not, the caller is not told whether there is a key."""
    scene = SCENES[row](kms)
    open_to_stranger(scene.keys())
    key = scene.things[need.on]
    assert isinstance(key, Key)
    open_to_stranger([key], "kms:PutKeyPolicy")
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow()))

    assert hidden(need, row) == outcome(kms.client_for(bob), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "need", "dry"), cases(only=lambda row, _: reaches(row)))
def test_the_other_account_must_allow_it_too(kms: FakeKMS, row: str, need: Need, dry: bool) -> None:  # noqa: FBT001
    """An identity policy of the caller is always needed; the refusal does not name the key."""
    scene = SCENES[row](kms)
    open_to_stranger(scene.keys())
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(*all_but(need, scene)))

    because = f"because no identity-based policy allows the kms:{need.action} action"
    assert hidden(need, row, because) == outcome(kms.client_for(bob), row, scene, dry=dry)


@pytest.mark.parametrize(("row", "dry"), rows(only=is_kept))
def test_an_operation_keeps_to_keys_of_the_own_account(kms: FakeKMS, row: str, dry: bool) -> None:  # noqa: FBT001
    """Whatever both sides allow, and without a word on whether there is a key."""
    scene = SCENES[row](kms)
    open_to_stranger(scene.keys())
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow("*")))

    need = next(need for need in TABLE[row] if is_key(need))
    assert hidden(need) == outcome(kms.client_for(bob), row, scene, dry=dry)


def test_an_alias_points_to_no_key_of_another_account(kms: FakeKMS) -> None:
    """UpdateAlias keeps to the own account, too."""
    kms.create_key("orders", account=STRANGER)
    key = kms.create_key()
    open_to_stranger([key])
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow("*")))
    scene = Scene({"AliasName": "alias/orders", "TargetKeyId": key.arn}, {})

    assert hidden(Need("UpdateAlias")) == outcome(kms.client_for(bob), "UpdateAlias", scene)
    assert [] == key.aliases


@pytest.mark.parametrize("operation", ["DeleteAlias", "UpdateAlias"])
def test_an_alias_is_looked_for_in_the_own_account(kms: FakeKMS, operation: str) -> None:
    """Its name alone never means one of another account."""
    scene = SCENES[operation](kms)
    open_to_stranger(scene.keys())
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow("*")))

    message = f"Alias arn:aws:kms:us-east-1:{STRANGER}:alias/orders is not found."
    assert ("NotFoundException", message) == outcome(kms.client_for(bob), operation, scene)


@pytest.mark.parametrize("row", [row for row in TABLE if all(need.on == "*" for need in TABLE[row])])
def test_what_is_on_no_key_is_done_in_the_own_account(kms: FakeKMS, row: str) -> None:
    """Each account has its own keys, aliases and key stores, and makes its own random numbers."""
    scene = SCENES[row](kms)
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow()))
    result = outcome(kms.client_for(bob), row, scene)

    if "CustomKeyStoreId" in scene.members:
        assert result is not None
        assert "CustomKeyStoreNotFoundException" == result[0]
    elif "KeyId" in scene.members:
        assert hidden(Need("ListAliases")) == result
    elif row == "ListRetirableGrants":
        assert hidden(Need("ListRetirableGrants")) == result
    else:
        assert None is result
    assert STRANGER == kms.trail.last.account
