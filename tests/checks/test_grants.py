"""Grants as permissions: whom they let do what, how they are handed on, and who may take them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from answers import error_of, is_allowed
from policies import HIDDEN, allow, by, deny, policy

from pytest_kms import FakeKMS, Key, service

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import Principal

pytestmark = pytest.mark.kms(region="us-east-1", account="111122223333")

MINE = "111122223333"
THEIRS = "444455556666"
ROOT = f"arn:aws:iam::{MINE}:root"
THEIR_ROOT = f"arn:aws:iam::{THEIRS}:root"
APP = f"arn:aws:iam::{MINE}:role/app"
APP_SESSION = f"arn:aws:sts::{MINE}:assumed-role/app/one"
ALICE = f"arn:aws:iam::{MINE}:user/alice"
FRED = f"arn:aws:sts::{MINE}:federated-user/fred"
OPS = f"arn:aws:iam::{MINE}:role/ops"
GUEST = f"arn:aws:iam::{THEIRS}:role/guest"
GUEST_SESSION = f"arn:aws:sts::{THEIRS}:assumed-role/guest/one"
DYNAMODB = "dynamodb.us-east-1.amazonaws.com"
TABLE = f"arn:aws:dynamodb:us-east-1:{MINE}:table/orders"
NOTHING = policy(allow("s3:*"))

of_new_botocore = pytest.mark.skipif(
    "GranteeServicePrincipal" not in service.input_shape("CreateGrant").members,
    reason="this botocore does not know grants for services yet",
)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key with the default policy: its account decides."""
    return kms.create_key("orders")


def grant(kms: FakeKMS, key: Key, grantee: str = APP, *operations: str, **members: Any) -> str:
    """Make a grant as the administrator of the key's account, and return its id."""
    client = kms.client_for(kms.principal("user/admin", policy=policy(allow()), account=key.account))
    return client.create_grant(
        KeyId=key.arn,
        GranteePrincipal=grantee,
        Operations=list(operations or ("Decrypt",)),  # type: ignore[arg-type]
        **members,
    )["GrantId"]


def app(kms: FakeKMS, **who: Any) -> KMSClient:
    """Return a client of the role app, which has no policies of its own unless some are given."""
    return kms.client_for(kms.principal("role/app", session="one", **who))


def decrypts(kms: FakeKMS, client: KMSClient, key: Key, context: Mapping[str, str] | None = None) -> bool:
    """Say whether a caller may decrypt."""
    blob = kms.encrypt(key, b"x", context)
    return is_allowed(lambda: client.decrypt(CiphertextBlob=blob, KeyId=key.arn, EncryptionContext=dict(context or {})))


def refused(caller: str, action: str, key: Key, reason: str) -> dict[str, str]:
    """Return AWS's refusal, `on this resource` where the key is of another account."""
    which = f"resource: {key.arn}" if f":{key.account}:" in caller else "this resource"
    because = HIDDEN if reason == HIDDEN else reason
    return {
        "Code": "AccessDeniedException",
        "Message": f"User: {caller} is not authorized to perform: kms:{action} on {which} {because}",
    }


def no_policy(kind: str, action: str) -> str:
    """Return the end of the sentence where a policy is missing."""
    return f"because no {kind} allows the kms:{action} action"


# What a grant allows


OPERATIONS: dict[str, tuple[str, Callable[[KMSClient, str, bytes], object]]] = {
    "Decrypt": ("SYMMETRIC_DEFAULT", lambda client, _, blob: client.decrypt(CiphertextBlob=blob)),
    "DescribeKey": ("SYMMETRIC_DEFAULT", lambda client, key, _: client.describe_key(KeyId=key)),
    "Encrypt": ("SYMMETRIC_DEFAULT", lambda client, key, _: client.encrypt(KeyId=key, Plaintext=b"x")),
    "GenerateDataKey": (
        "SYMMETRIC_DEFAULT",
        lambda client, key, _: client.generate_data_key(KeyId=key, KeySpec="AES_256"),
    ),
    "GenerateDataKeyPair": (
        "SYMMETRIC_DEFAULT",
        lambda client, key, _: client.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256"),
    ),
    "GenerateDataKeyPairWithoutPlaintext": (
        "SYMMETRIC_DEFAULT",
        lambda client, key, _: client.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="ECC_NIST_P256"),
    ),
    "GenerateDataKeyWithoutPlaintext": (
        "SYMMETRIC_DEFAULT",
        lambda client, key, _: client.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256"),
    ),
    "GenerateMac": (
        "HMAC_256",
        lambda client, key, _: client.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
    ),
    "GetPublicKey": ("ECC_NIST_P256", lambda client, key, _: client.get_public_key(KeyId=key)),
    "Sign": (
        "ECC_NIST_P256",
        lambda client, key, _: client.sign(KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_grant_allows_its_operations_and_no_others(kms: FakeKMS, operation: str) -> None:
    """Neither the key policy nor a policy of the grantee says anything about it."""
    spec, call = OPERATIONS[operation]
    key, client = kms.create_key(spec=spec), app(kms)
    blob = kms.encrypt(key, b"x") if spec == "SYMMETRIC_DEFAULT" else b""
    other = "CreateGrant" if operation == "DescribeKey" else "DescribeKey"
    grant(kms, key, APP, "RetireGrant", other)
    assert not is_allowed(lambda: call(client, key.id, blob))
    grant(kms, key, APP, operation)
    assert is_allowed(lambda: call(client, key.id, blob))


def test_a_grant_needs_no_word_of_the_key_policy(kms: FakeKMS, key: Key) -> None:
    """A key policy that leaves nothing to the account does not stand in its way."""
    grant(kms, key)
    key.policy = policy(allow(Principal=by(ALICE)))

    assert decrypts(kms, app(kms), key)
    assert refused(APP_SESSION, "Encrypt", key, no_policy("resource-based policy", "Encrypt")) == error_of(
        app(kms, policy=policy(allow())), "encrypt", KeyId=key.arn, Plaintext=b"x"
    )


def test_a_grant_is_of_one_key(kms: FakeKMS, key: Key) -> None:
    """The grantee has nothing on others."""
    grant(kms, key)

    assert not decrypts(kms, app(kms), kms.create_key())


def test_a_grant_ends_when_it_is_revoked(kms: FakeKMS, key: Key) -> None:
    """Until then it works; the trail tells what allowed it."""
    grant_id = grant(kms, key)
    assert decrypts(kms, app(kms), key)
    assert "a grant" in kms.trail.last.why
    kms.client.revoke_grant(KeyId=key.id, GrantId=grant_id)
    assert not decrypts(kms, app(kms), key)


# Constraints


@pytest.mark.parametrize(
    ("constraints", "context", "expected"),
    [
        ({"EncryptionContextEquals": {"a": "1", "b": "2"}}, {"b": "2", "a": "1"}, True),
        ({"EncryptionContextEquals": {"a": "1"}}, {"a": "1", "b": "2"}, False),
        ({"EncryptionContextEquals": {"a": "1", "b": "2"}}, {"a": "1"}, False),
        ({"EncryptionContextEquals": {"a": "1"}}, {"a": "2"}, False),
        ({"EncryptionContextEquals": {"a": "1"}}, {"A": "1"}, False),
        ({"EncryptionContextEquals": {"a": "x"}}, {"a": "X"}, False),
        ({"EncryptionContextEquals": {"a": "1"}}, {}, False),
        ({"EncryptionContextSubset": {"a": "1"}}, {"a": "1"}, True),
        ({"EncryptionContextSubset": {"a": "1"}}, {"b": "2", "a": "1"}, True),
        ({"EncryptionContextSubset": {"a": "1", "b": "2"}}, {"a": "1"}, False),
        ({"EncryptionContextSubset": {"a": "x"}}, {"a": "X"}, False),
        ({"EncryptionContextSubset": {"a": "1"}}, {"A": "1"}, False),
        ({"EncryptionContextSubset": {"a": "1"}}, {}, False),
        ({}, {"a": "1"}, True),
    ],
)
def test_a_constraint_binds_the_encryption_context(
    kms: FakeKMS,
    key: Key,
    constraints: dict[str, dict[str, str]],
    context: dict[str, str],
    expected: bool,  # noqa: FBT001
) -> None:
    """Where it is not met the grant does not apply, and the refusal is as if there were none."""
    grant(kms, key, APP, "Encrypt", "Decrypt", Constraints=constraints)
    client = app(kms)

    assert expected == decrypts(kms, client, key, context)
    assert expected == is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=context))


def test_a_refusal_by_a_constraint_does_not_tell_of_the_grant(kms: FakeKMS, key: Key) -> None:
    """It is the ordinary one."""
    grant(kms, key, APP, "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1"}})

    assert refused(APP_SESSION, "Encrypt", key, no_policy("identity-based policy", "Encrypt")) == error_of(
        app(kms), "encrypt", KeyId=key.id, Plaintext=b"x"
    )


def test_a_constraint_does_not_bind_what_has_no_encryption_context(kms: FakeKMS, key: Key) -> None:
    """DescribeKey and RetireGrant are allowed all the same."""
    constraints = {"EncryptionContextEquals": {"a": "1"}}
    grant_id = grant(kms, key, APP, "Decrypt", "DescribeKey", "RetireGrant", Constraints=constraints)

    assert is_allowed(lambda: app(kms).describe_key(KeyId=key.id))
    assert is_allowed(lambda: app(kms).retire_grant(KeyId=key.arn, GrantId=grant_id))


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [({"a": "1"}, {"b": "2"}, True), ({"a": "2"}, {"b": "2"}, False), ({"a": "1"}, {"b": "1"}, False)],
)
def test_re_encrypt_has_two_encryption_contexts(
    kms: FakeKMS,
    key: Key,
    source: dict[str, str],
    destination: dict[str, str],
    expected: bool,  # noqa: FBT001
) -> None:
    """The constraint of ReEncryptFrom is about the source's, that of ReEncryptTo about the destination's."""
    new, blob = kms.create_key(), kms.encrypt(key, b"x", source)
    grant(kms, key, APP, "ReEncryptFrom", Constraints={"EncryptionContextEquals": {"a": "1"}})
    grant(kms, new, APP, "ReEncryptTo", Constraints={"EncryptionContextSubset": {"b": "2"}})

    assert expected == is_allowed(
        lambda: app(kms).re_encrypt(
            CiphertextBlob=blob,
            SourceEncryptionContext=source,
            DestinationKeyId=new.id,
            DestinationEncryptionContext=destination,
        )
    )


def test_re_encrypt_needs_both_grants(kms: FakeKMS, key: Key) -> None:
    """One for the source, one for the destination; the other way round they are worth nothing."""
    new, blob = kms.create_key(), kms.encrypt(key, b"x")

    def re_encrypts() -> bool:
        return is_allowed(lambda: app(kms).re_encrypt(CiphertextBlob=blob, DestinationKeyId=new.id))

    grant(kms, key, APP, "ReEncryptTo")
    grant(kms, new, APP, "ReEncryptFrom", "ReEncryptTo")
    assert not re_encrypts()
    grant(kms, key, APP, "ReEncryptFrom")
    assert re_encrypts()


@of_new_botocore
@pytest.mark.parametrize(
    ("source_arn", "expected"), [(TABLE, True), (f"{TABLE}s", False), (None, False)], ids=["it", "other", "none"]
)
def test_a_service_uses_a_grant_for_its_resource_alone(
    kms: FakeKMS,
    key: Key,
    source_arn: str | None,
    expected: bool,  # noqa: FBT001
) -> None:
    """A grant for a service is bound to a resource by its SourceArn."""
    kms.client.create_grant(
        KeyId=key.id,
        GranteeServicePrincipal=DYNAMODB,
        RetiringServicePrincipal=DYNAMODB,
        Operations=["GenerateDataKey", "DescribeKey"],
        Constraints={"SourceArn": TABLE},
    )
    dynamodb = kms.service(DYNAMODB, source_arn=source_arn).client

    assert expected == is_allowed(lambda: dynamodb.generate_data_key(KeyId=key.arn, KeySpec="AES_256"))
    assert expected == is_allowed(lambda: dynamodb.describe_key(KeyId=key.arn))


@of_new_botocore
@pytest.mark.parametrize("source_arn", [TABLE, None], ids=["it", "none"])
def test_a_grant_for_a_resource_and_a_session_for_a_service(kms: FakeKMS, key: Key, source_arn: str | None) -> None:
    """The constraint is about calls of services, also of those for somebody; calls of the grantee are not asked."""
    grant(kms, key, APP, "Decrypt", Constraints={"SourceArn": TABLE})
    dynamodb = kms.service("dynamodb", on_behalf_of=kms.principal("role/app"), source_arn=source_arn)

    assert (source_arn == TABLE) == decrypts(kms, dynamodb.client, key)
    assert decrypts(kms, app(kms), key)


def test_the_grant_that_dynamodb_takes(kms: FakeKMS, key: Key) -> None:
    """Recorded: the service is the grantee and the retirer, its table the constraint."""
    context = {"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": MINE}
    operations = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "DescribeKey")
    constraints = {"EncryptionContextSubset": context}
    grant_id = grant(kms, key, DYNAMODB, *operations, RetiringPrincipal=DYNAMODB, Constraints=constraints)
    dynamodb, other = kms.service(DYNAMODB), kms.service("dynamodb.eu-west-1.amazonaws.com")
    stored = dynamodb.store(key, "orders")

    assert context == stored.encryption_context
    assert not is_allowed(lambda: dynamodb.store(key, "customers"))
    assert not is_allowed(lambda: other.read(stored))
    assert not is_allowed(lambda: other.client.retire_grant(KeyId=key.arn, GrantId=grant_id))
    assert is_allowed(lambda: dynamodb.client.retire_grant(KeyId=key.arn, GrantId=grant_id))
    assert not is_allowed(lambda: dynamodb.read(stored))


# Grantees

WHO: dict[str, tuple[str, dict[str, Any]]] = {
    "app/one": ("role/app", {"session": "one"}),
    "app/two": ("role/app", {"session": "two"}),
    "alice": ("user/alice", {}),
    "bob": ("user/bob", {}),
    "fred": ("federated-user/fred", {}),
    "root": ("root", {}),
    "guest": ("role/guest", {"account": THEIRS, "session": "one"}),
    "their root": ("root", {"account": THEIRS}),
}


@pytest.mark.parametrize(
    ("grantee", "expected"),
    [
        (APP, {"app/one", "app/two"}),
        (APP_SESSION, {"app/one"}),
        (ALICE, {"alice"}),
        (FRED, {"fred"}),
        (ROOT, {"root"}),
        (f"arn:aws:iam::{MINE}:role/division/app", set()),
        (GUEST, set()),
        (THEIR_ROOT, {"their root"}),
    ],
)
def test_a_grantee_is_who_is_named(kms: FakeKMS, key: Key, grantee: str, expected: set[str]) -> None:
    """Without policies of their own: a role by all of its sessions, an account by its root user alone."""
    grant(kms, key, grantee)
    key.policy = policy(allow(Principal=by(OPS)))
    clients = {who: kms.client_for(kms.principal(name, **more)) for who, (name, more) in WHO.items()}

    assert expected == {who for who, client in clients.items() if decrypts(kms, client, key)}


@pytest.mark.parametrize(("account", "grantee"), [(MINE, ROOT), (THEIRS, THEIR_ROOT)])
def test_an_account_hands_a_grant_on_by_its_policies(kms: FakeKMS, key: Key, account: str, grantee: str) -> None:
    """A grant to an account is for those whom its identity policies allow the action."""
    grant(kms, key, grantee)
    key.policy = policy(allow(Principal=by(ALICE)))
    may = kms.principal("user/carol", policy=policy(allow("kms:Decrypt", Resource=key.arn)), account=account)
    may_not = kms.principal("user/dave", policy=policy(allow("kms:Encrypt")), account=account)

    assert decrypts(kms, kms.client_for(may), key)
    assert refused(may_not.arn, "Decrypt", key, no_policy("identity-based policy", "Decrypt")) == error_of(
        kms.client_for(may_not), "decrypt", CiphertextBlob=kms.encrypt(key, b"x"), KeyId=key.arn
    )


class Limit(NamedTuple):
    """What limits a caller, and what AWS says where it does."""

    who: dict[str, Any]
    text: str


BOUNDARY = Limit({"boundary": NOTHING}, "because no permissions boundary allows the kms:Decrypt action")
SESSION = Limit({"session_policy": NOTHING}, "because no session policy allows the kms:Decrypt action")
DENIED = Limit({"policy": policy(deny())}, "with an explicit deny in an identity-based policy")
DENIED_BY_BOUNDARY = Limit({"boundary": policy(allow(), deny())}, "with an explicit deny in a permissions boundary")
DENIED_BY_SESSION = Limit({"session_policy": policy(allow(), deny())}, "with an explicit deny in a session policy")


@pytest.mark.parametrize(
    ("grantee", "name", "limit", "denied"),
    [
        (ALICE, "user/alice", BOUNDARY, False),
        (ALICE, "user/alice", DENIED, True),
        (ALICE, "user/alice", DENIED_BY_BOUNDARY, True),
        (APP, "role/app", BOUNDARY, True),
        (APP, "role/app", SESSION, True),
        (APP, "role/app", DENIED, True),
        (APP, "role/app", DENIED_BY_BOUNDARY, True),
        (APP, "role/app", DENIED_BY_SESSION, True),
        (APP_SESSION, "role/app", BOUNDARY, False),
        (APP_SESSION, "role/app", SESSION, False),
        (APP_SESSION, "role/app", DENIED, True),
        (APP_SESSION, "role/app", DENIED_BY_BOUNDARY, True),
        (APP_SESSION, "role/app", DENIED_BY_SESSION, True),
        (FRED, "federated-user/fred", BOUNDARY, False),
        (FRED, "federated-user/fred", SESSION, False),
        (FRED, "federated-user/fred", DENIED_BY_SESSION, True),
    ],
)
def test_limits_by_the_form_of_the_grantee(
    kms: FakeKMS,
    key: Key,
    grantee: str,
    name: str,
    limit: Limit,
    denied: bool,  # noqa: FBT001
) -> None:
    """Recorded: what a boundary or a session policy leaves out limits a role, not a session; a Deny limits all."""
    grant(kms, key, grantee)
    session: dict[str, Any] = {"session": "one"} if name == "role/app" else {}
    caller = kms.principal(name, **session, **limit.who)
    client, blob = kms.client_for(caller), kms.encrypt(key, b"x")

    if denied:
        assert refused(caller.arn, "Decrypt", key, limit.text) == error_of(
            client, "decrypt", CiphertextBlob=blob, KeyId=key.arn
        )
    else:
        assert b"x" == client.decrypt(CiphertextBlob=blob)["Plaintext"]


def test_a_deny_in_the_key_policy_wins(kms: FakeKMS, key: Key) -> None:
    """A grant allows, it never takes a Deny back."""
    grant(kms, key)
    key.policy = policy(allow(Principal=by(ROOT)), deny("kms:Decrypt", Principal=by(APP)))

    assert refused(APP_SESSION, "Decrypt", key, "with an explicit deny in a resource-based policy") == error_of(
        app(kms), "decrypt", CiphertextBlob=kms.encrypt(key, b"x"), KeyId=key.id
    )


# Other accounts


@pytest.mark.parametrize("grantee", [GUEST, GUEST_SESSION, THEIR_ROOT])
def test_a_grantee_of_another_account_needs_a_policy_there(kms: FakeKMS, key: Key, grantee: str) -> None:
    """Recorded: where the key policy does not trust them, both sides have to agree."""
    grant(kms, key, grantee)
    blob = kms.encrypt(key, b"x")

    def guest(document: Any) -> KMSClient:
        return kms.client_for(kms.principal("role/guest", policy=document, session="one", account=THEIRS))

    assert refused(GUEST_SESSION, "Decrypt", key, no_policy("identity-based policy", "Decrypt")) == error_of(
        guest(NOTHING), "decrypt", CiphertextBlob=blob, KeyId=key.arn
    )
    assert decrypts(kms, guest(policy(allow("kms:Decrypt", Resource=key.arn))), key)
    assert refused(GUEST_SESSION, "Encrypt", key, HIDDEN) == error_of(
        guest(policy(allow())), "encrypt", KeyId=key.arn, Plaintext=b"x"
    )


@pytest.mark.parametrize(("grantee", "expected"), [(GUEST_SESSION, True), (GUEST, False), (THEIR_ROOT, False)])
def test_a_session_of_another_account_that_the_key_trusts(
    kms: FakeKMS,
    key: Key,
    grantee: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """Recorded: with a grant to the session, and its role in the key policy, its account is not asked."""
    grant(kms, key, grantee)
    key.policy = policy(allow(Principal=by(ROOT)), allow("kms:Decrypt", Principal=by(GUEST)))
    guest = kms.principal("role/guest", session="one", account=THEIRS)

    assert expected == decrypts(kms, kms.client_for(guest), key)


def test_another_account_makes_a_grant(kms: FakeKMS, key: Key) -> None:
    """CreateGrant reaches into other accounts; the grant tells who made it, and that account may retire it."""
    key.policy = policy(allow(Principal=by(ROOT)), allow("kms:CreateGrant", Principal=by(GUEST)))
    guest = kms.client_for(kms.principal("role/guest", policy=policy(allow()), account=THEIRS))
    made = guest.create_grant(KeyId=key.arn, GranteePrincipal=APP, Operations=["Decrypt"])
    [entry] = kms.client.list_grants(KeyId=key.id)["Grants"]
    colleague = kms.principal("user/carol", policy=policy(allow("kms:RetireGrant")), account=THEIRS)
    stranger = kms.principal("user/carol", policy=policy(allow()), account="999999999999")

    assert THEIR_ROOT == entry.get("IssuingAccount")
    assert decrypts(kms, app(kms), key)
    for nobody in (kms.client, kms.client_for(stranger)):
        assert not is_allowed(lambda client=nobody: client.retire_grant(GrantToken=made["GrantToken"]))  # type: ignore[misc]
    assert is_allowed(lambda: kms.client_for(colleague).retire_grant(GrantToken=made["GrantToken"]))


def test_another_account_without_permission_makes_no_grant(kms: FakeKMS, key: Key) -> None:
    """Whether the key exists is not told."""
    guest = kms.client_for(kms.principal("role/guest", policy=policy(allow()), session="one", account=THEIRS))

    assert refused(GUEST_SESSION, "CreateGrant", key, HIDDEN) == error_of(
        guest, "create_grant", KeyId=key.arn, GranteePrincipal=APP, Operations=["Decrypt"]
    )


# Grants that grantees make


def child(client: KMSClient, key: Key, *operations: str, **constraints: Any) -> bool:
    """Say whether a grantee may make a grant for ops."""
    return is_allowed(
        lambda: client.create_grant(
            KeyId=key.arn,
            GranteePrincipal=OPS,
            Operations=list(operations),  # type: ignore[arg-type]
            Constraints=constraints,  # type: ignore[arg-type]
        )
    )


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (["Decrypt"], True),
        (["Decrypt", "Encrypt"], True),
        (["Decrypt", "Encrypt", "CreateGrant"], True),
        (["Decrypt", "GenerateDataKey"], False),
        (["DescribeKey"], False),
        (["Decrypt", "RetireGrant"], False),
    ],
)
def test_a_grantee_hands_on_what_he_has(
    kms: FakeKMS,
    key: Key,
    operations: list[str],
    expected: bool,  # noqa: FBT001
) -> None:
    """A part of the operations of his grant, CreateGrant among them."""
    grant(kms, key, APP, "CreateGrant", "Decrypt", "Encrypt")

    assert expected == child(app(kms), key, *operations)


def test_a_grantee_without_create_grant_hands_nothing_on(kms: FakeKMS, key: Key) -> None:
    """Two grants do not add up to one: recorded, with this sentence."""
    grant(kms, key, APP, "CreateGrant", "Decrypt")
    grant(kms, key, APP, "Encrypt")

    assert refused(APP_SESSION, "CreateGrant", key, no_policy("identity-based policy", "CreateGrant")) == error_of(
        app(kms), "create_grant", KeyId=key.id, GranteePrincipal=OPS, Operations=["Decrypt", "Encrypt"]
    )
    assert not child(app(kms), key, "Encrypt")
    assert child(app(kms), key, "Decrypt")


EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


@pytest.mark.parametrize(
    ("mine", "its", "expected"),
    [
        ({SUBSET: {"a": "1"}}, {SUBSET: {"a": "1"}}, True),
        ({SUBSET: {"a": "1"}}, {SUBSET: {"a": "1", "b": "2"}}, True),
        ({SUBSET: {"a": "1"}}, {EQUALS: {"a": "1"}}, True),
        ({SUBSET: {"a": "1"}}, {EQUALS: {"a": "1", "b": "2"}}, True),
        ({SUBSET: {"a": "1"}}, {EQUALS: {"b": "2"}}, False),
        ({SUBSET: {"a": "1"}}, {SUBSET: {"a": "2"}}, False),
        ({SUBSET: {"a": "1", "b": "2"}}, {SUBSET: {"a": "1"}}, False),
        ({SUBSET: {"a": "1"}}, {}, False),
        ({EQUALS: {"a": "1"}}, {EQUALS: {"a": "1"}}, True),
        ({EQUALS: {"a": "1"}}, {EQUALS: {"a": "1", "b": "2"}}, False),
        ({EQUALS: {"a": "1"}}, {SUBSET: {"a": "1"}}, False),
        ({EQUALS: {"a": "1"}}, {}, False),
        ({}, {EQUALS: {"a": "1"}}, True),
        ({}, {}, True),
    ],
)
def test_a_grant_that_is_handed_on_is_bound_no_less(
    kms: FakeKMS,
    key: Key,
    mine: dict[str, Any],
    its: dict[str, Any],
    expected: bool,  # noqa: FBT001
) -> None:
    """Recorded: its constraint is the same, or a stricter one."""
    grant(kms, key, APP, "CreateGrant", "Decrypt", Constraints=mine)

    assert expected == child(app(kms), key, "Decrypt", **its)


@of_new_botocore
@pytest.mark.parametrize(("source_arn", "expected"), [(TABLE, True), (f"{TABLE}s", False), (None, False)])
def test_a_grant_that_is_handed_on_is_for_the_same_resource(
    kms: FakeKMS,
    key: Key,
    source_arn: str | None,
    expected: bool,  # noqa: FBT001
) -> None:
    """What AWS says of this constraint was not found; the strict reading."""
    grant(kms, key, APP, "CreateGrant", "Decrypt", Constraints={"SourceArn": TABLE})

    assert expected == child(app(kms), key, "Decrypt", **({"SourceArn": source_arn} if source_arn else {}))


def test_a_chain_of_grants(kms: FakeKMS, key: Key) -> None:
    """A child may have children; they live on when their parents are revoked, who cannot have more."""
    first = grant(kms, key, APP, "CreateGrant", "Decrypt")
    assert child(app(kms), key, "CreateGrant", "Decrypt")
    ops = kms.client_for(kms.principal("role/ops"))
    assert is_allowed(
        lambda: ops.create_grant(KeyId=key.id, GranteePrincipal=ALICE, Operations=["Decrypt", "CreateGrant"])
    )
    kms.client.revoke_grant(KeyId=key.id, GrantId=first)

    assert not child(app(kms), key, "Decrypt")
    assert decrypts(kms, ops, key)
    assert decrypts(kms, kms.client_for(kms.principal("user/alice")), key)


def test_a_policy_hands_on_what_it_likes(kms: FakeKMS, key: Key) -> None:
    """Whom a policy allows CreateGrant is not bound by what he has himself."""
    grant(kms, key, APP, "CreateGrant", "Decrypt")

    assert child(app(kms, policy=policy(allow("kms:CreateGrant"))), key, "Encrypt")


# Who retires


def retiring(kms: FakeKMS, name: str, **who: Any) -> tuple[Principal, KMSClient]:
    """Return somebody who would retire a grant, and his client."""
    principal = kms.principal(name, **who)
    return principal, kms.client_for(principal)


@pytest.mark.parametrize(
    ("retirer", "name", "who", "expected"),
    [
        (OPS, "role/ops", {}, True),
        (OPS, "role/ops", {"policy": policy(deny("kms:RetireGrant"))}, False),
        (OPS, "role/ops", {"session_policy": NOTHING}, False),
        (OPS, "role/ops", {"boundary": NOTHING}, False),
        (f"arn:aws:sts::{MINE}:assumed-role/ops/one", "role/ops", {"session": "one", "session_policy": NOTHING}, True),
        (f"arn:aws:sts::{MINE}:assumed-role/ops/one", "role/ops", {"session": "two"}, False),
        (ALICE, "user/alice", {"boundary": NOTHING}, True),
        (FRED, "federated-user/fred", {"session_policy": NOTHING}, True),
        (ROOT, "root", {}, True),
        (ROOT, "user/bob", {"policy": policy(allow("kms:RetireGrant"))}, True),
        (OPS, "root", {}, True),
        (OPS, "user/bob", {}, False),
        (OPS, "user/bob", {"policy": policy(allow("kms:RetireGrant"))}, True),
        (OPS, "user/bob", {"policy": policy(allow("kms:RevokeGrant"))}, False),
        (GUEST, "role/guest", {"account": THEIRS, "policy": policy(allow("kms:RetireGrant"))}, True),
        (THEIR_ROOT, "role/guest", {"account": THEIRS, "policy": policy(allow("kms:RetireGrant"))}, True),
        (OPS, "role/guest", {"account": THEIRS, "policy": policy(allow())}, False),
    ],
)
def test_who_retires_a_grant(
    kms: FakeKMS,
    key: Key,
    retirer: str,
    name: str,
    who: dict[str, Any],
    expected: bool,  # noqa: FBT001
) -> None:
    """Its retirer, without a policy; in the account that made it those whom a policy allows it; nobody else."""
    grant_id = grant(kms, key, APP, RetiringPrincipal=retirer)
    _, client = retiring(kms, name, **who)

    assert expected == is_allowed(lambda: client.retire_grant(KeyId=key.arn, GrantId=grant_id))
    assert expected == (grant_id not in key.grants)


@pytest.mark.parametrize(("operations", "expected"), [(["Decrypt"], False), (["Decrypt", "RetireGrant"], True)])
def test_a_grantee_retires_his_grant_if_it_says_so(
    kms: FakeKMS,
    key: Key,
    operations: list[str],
    expected: bool,  # noqa: FBT001
) -> None:
    """RetireGrant is one of the operations that a grant allows."""
    grant_id = grant(kms, key, APP, *operations)

    assert expected == is_allowed(lambda: app(kms).retire_grant(KeyId=key.arn, GrantId=grant_id))


def test_the_key_policy_has_no_say_in_retiring(kms: FakeKMS, key: Key) -> None:
    """kms:RetireGrant has no effect there, neither allowed nor denied."""
    grant_id = grant(kms, key, APP, RetiringPrincipal=OPS)
    key.policy = policy(allow("kms:RetireGrant", Principal=by(ALICE)), deny("kms:RetireGrant", Principal=by(OPS)))
    _, alice = retiring(kms, "user/alice")
    _, ops = retiring(kms, "role/ops")

    assert not is_allowed(lambda: alice.retire_grant(KeyId=key.arn, GrantId=grant_id))
    assert is_allowed(lambda: ops.retire_grant(KeyId=key.arn, GrantId=grant_id))


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ({"policy": NOTHING}, no_policy("identity-based policy", "RetireGrant")),
        (
            {"policy": policy(allow()), "session_policy": NOTHING},
            no_policy("session policy", "RetireGrant"),
        ),
    ],
    ids=["identity", "session"],
)
def test_a_retirer_of_another_account_needs_a_policy_there(
    kms: FakeKMS, key: Key, who: dict[str, Any], reason: str
) -> None:
    """Recorded, with these sentences."""
    grant_id = grant(kms, key, APP, RetiringPrincipal=GUEST_SESSION)
    guest, client = retiring(kms, "role/guest", session="one", account=THEIRS, **who)

    assert refused(guest.arn, "RetireGrant", key, reason) == error_of(
        client, "retire_grant", KeyId=key.arn, GrantId=grant_id
    )


def test_a_dry_run_retires_nothing(kms: FakeKMS, key: Key) -> None:
    """It asks for the permission."""
    grant_id = grant(kms, key, APP, RetiringPrincipal=OPS)
    _, bob = retiring(kms, "user/bob")
    _, ops = retiring(kms, "role/ops")

    assert (
        "AccessDeniedException" == error_of(bob, "retire_grant", KeyId=key.arn, GrantId=grant_id, DryRun=True)["Code"]
    )
    dry = error_of(ops, "retire_grant", KeyId=key.arn, GrantId=grant_id, DryRun=True)
    assert ("DryRunOperationException", True) == (dry["Code"], grant_id in key.grants)


@pytest.mark.parametrize(
    ("name", "who", "expected"),
    [
        ("user/bob", {"policy": policy(allow("kms:RevokeGrant"))}, True),
        ("user/bob", {"policy": policy(allow("kms:RetireGrant"))}, False),
        ("role/ops", {}, False),
        ("role/app", {}, False),
        ("root", {}, True),
        ("role/guest", {"account": THEIRS, "policy": policy(allow())}, False),
    ],
)
def test_who_revokes_a_grant(
    kms: FakeKMS,
    key: Key,
    name: str,
    who: dict[str, Any],
    expected: bool,  # noqa: FBT001
) -> None:
    """Whom policies allow it: the grant itself gives that to nobody, neither to its grantee nor to its retirer."""
    grant_id = grant(kms, key, APP, "Decrypt", "RetireGrant", RetiringPrincipal=OPS)
    _, client = retiring(kms, name, **who)

    assert expected == is_allowed(lambda: client.revoke_grant(KeyId=key.arn, GrantId=grant_id))


def test_another_account_revokes_where_both_sides_allow_it(kms: FakeKMS, key: Key) -> None:
    """RevokeGrant reaches into other accounts."""
    grant_id = grant(kms, key)
    key.policy = policy(allow(Principal=by(ROOT)), allow("kms:RevokeGrant", Principal=by(THEIR_ROOT)))
    _, guest = retiring(kms, "role/guest", account=THEIRS, policy=policy(allow("kms:RevokeGrant")))

    assert is_allowed(lambda: guest.revoke_grant(KeyId=key.arn, GrantId=grant_id))


@of_new_botocore
def test_a_service_retires_its_grant(kms: FakeKMS, key: Key) -> None:
    """RetiringServicePrincipal; the constraint of the resource does not bind this."""
    made = kms.client.create_grant(
        KeyId=key.id,
        GranteeServicePrincipal=DYNAMODB,
        RetiringServicePrincipal=DYNAMODB,
        Operations=["Decrypt"],
        Constraints={"SourceArn": TABLE},
    )
    other, dynamodb = kms.service("logs").client, kms.service(DYNAMODB).client

    assert not is_allowed(lambda: other.retire_grant(GrantToken=made["GrantToken"]))
    assert is_allowed(lambda: dynamodb.retire_grant(GrantToken=made["GrantToken"]))


def test_a_service_makes_a_grant(kms: FakeKMS, key: Key) -> None:
    """A service principal whom the key policy lets; the grant was issued under the account of the key."""
    key.policy = policy(allow(Principal=by(ROOT)), allow("kms:CreateGrant", Principal={"Service": DYNAMODB}))
    kms.service(DYNAMODB).client.create_grant(KeyId=key.arn, GranteePrincipal=APP, Operations=["Decrypt"])
    [entry] = kms.client.list_grants(KeyId=key.id)["Grants"]

    assert ROOT == entry.get("IssuingAccount")


# Unique ids


def ids(kms: FakeKMS) -> dict[str, str]:
    """Return the unique ids of the principals, by their ARNs."""
    alice, one = kms.principal("user/alice"), kms.principal("role/app", session="one")
    role = one.user_id.partition(":")[0]
    return {ALICE: alice.user_id, APP: role, APP_SESSION: one.user_id, APP_SESSION.replace("one", "new"): f"{role}:new"}


@pytest.mark.parametrize("arn", [ALICE, APP, APP_SESSION, APP_SESSION.replace("one", "new")])
def test_a_grantee_may_be_named_by_a_unique_id(kms: FakeKMS, key: Key, arn: str) -> None:
    """The user or role is found by it; AWS shows the ARN while there is such a one. Sessions need not exist."""
    unique_id = ids(kms)[arn]
    made = kms.client.create_grant(
        KeyId=key.id, GranteePrincipal=unique_id, RetiringPrincipal=unique_id, Operations=["Decrypt"]
    )
    [entry] = kms.client.list_grants(KeyId=key.id, GranteePrincipal=unique_id)["Grants"]
    [retirable] = kms.client.list_retirable_grants(RetiringPrincipal=unique_id)["Grants"]

    assert (made["GrantId"], arn, arn) == (entry["GrantId"], entry["GranteePrincipal"], entry["RetiringPrincipal"])
    assert entry == retirable
    assert (arn in (APP, APP_SESSION)) == decrypts(kms, app(kms), key)


@pytest.mark.parametrize("wrong", ["AIDAEXAMPLEID1234567", "AROAEXAMPLEID1234567:one", "user with session"])
def test_a_unique_id_of_nobody_is_refused(kms: FakeKMS, key: Key, wrong: str) -> None:
    """As that of a role that was deleted; a user has no sessions."""
    unique_id = f"{ids(kms)[ALICE]}:one" if wrong == "user with session" else wrong

    assert {"Code": "InvalidArnException", "Message": "GranteePrincipal does not refer to a valid principal."} == (
        error_of(kms.client, "create_grant", KeyId=key.id, GranteePrincipal=unique_id, Operations=["Decrypt"])
    )


def test_all_sessions_of_a_role_have_its_unique_id(kms: FakeKMS) -> None:
    """And each user one of his own."""
    one, two = kms.principal("role/app", session="one"), kms.principal("role/app", session="two")
    others = [kms.principal(name) for name in ("user/app", "role/ops")] + [kms.principal("role/app", account=THEIRS)]

    assert one.user_id.removesuffix(":one") == two.user_id.removesuffix(":two")
    assert 4 == len({principal.user_id[4:].partition(":")[0] for principal in [one, *others]})
