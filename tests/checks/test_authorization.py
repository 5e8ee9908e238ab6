"""Who may: key policies, IAM policies and their limits, other accounts, and what a refusal tells.

The permissions that each operation needs are in test_permissions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from policies import HIDDEN, allow, by, deny, policy

# An inner run in this process forgets the modules that it was the first to import; let it be the first of none.
from pytest_kms import (
    NotSupported,
    UsageError,
    clients,  # noqa: F401
    engine,  # noqa: F401
    fake_kms,
    lifespan,  # noqa: F401
    service,
)
from pytest_kms.checks import authorization

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key, Principal

pytestmark = pytest.mark.kms(region="us-east-1")

ACCOUNT = "123456789012"
TESTER = f"arn:aws:iam::{ACCOUNT}:user/tester"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
APP_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kms"
FRED = f"arn:aws:sts::{ACCOUNT}:federated-user/fred"
STRANGER = "111122223333"
BOB = f"arn:aws:iam::{STRANGER}:user/bob"
LOGS = "logs.us-east-1.amazonaws.com"
MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"


def denied(call: Callable[[], object]) -> str:
    """Return the message of the AccessDeniedException that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        call()
    assert "AccessDeniedException" == excinfo.value.response["Error"]["Code"]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return excinfo.value.response["Error"]["Message"]


# The verdicts about one call, as the table of a test has them: what AWS says behind the resource, or nothing.
NO_KEY_POLICY = "because no resource-based policy allows the kms:Encrypt action"
NO_IDENTITY_POLICY = "because no identity-based policy allows the kms:Encrypt action"
NO_BOUNDARY = "because no permissions boundary allows the kms:Encrypt action"
NO_SESSION_POLICY = "because no session policy allows the kms:Encrypt action"
DENIED_BY_KEY_POLICY = "with an explicit deny in a resource-based policy"
DENIED_BY_IDENTITY_POLICY = "with an explicit deny in an identity-based policy"
DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
DENIED_BY_SESSION_POLICY = "with an explicit deny in a session policy"
OK = ""


def verdict(kms: FakeKMS, caller: Principal, key: Key, **members: Any) -> str:
    """Let a caller encrypt; return why AWS refuses it, or nothing."""
    client = kms.client_for(caller)
    try:
        client.encrypt(KeyId=key.arn, Plaintext=b"x", **members)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        _, about, reason = message.partition(f"is not authorized to perform: kms:Encrypt on resource: {key.arn} ")
        assert f"User: {caller.arn} " + about + reason == message
        return reason
    return OK


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key with the default policy."""
    return kms.create_key("orders")


# the key policy, by the form of its principals

APP_WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/team/app"
NAMED: dict[str, tuple[str, dict[str, Any], Any, str]] = {
    "user by ARN": ("user/alice", {}, by(ALICE), OK),
    "user by ARN with path": ("user/team/alice", {}, by(f"arn:aws:iam::{ACCOUNT}:user/team/alice"), OK),
    "user by ARN without path": ("user/team/alice", {}, by(ALICE), NO_KEY_POLICY),
    "another user": ("user/alice", {}, by(TESTER), NO_KEY_POLICY),
    "user of that name elsewhere": ("user/alice", {}, by(f"arn:aws:iam::{STRANGER}:user/alice"), NO_KEY_POLICY),
    "user among others": ("user/alice", {}, by(APP, ALICE, STRANGER), OK),
    "user by everybody": ("user/alice", {}, "*", OK),
    "user by all of AWS": ("user/alice", {}, by("*"), OK),
    "user by account": ("user/alice", {}, by(ROOT), NO_IDENTITY_POLICY),
    "user by account number": ("user/alice", {}, by(ACCOUNT), NO_IDENTITY_POLICY),
    "user by another account": ("user/alice", {}, by(STRANGER), NO_KEY_POLICY),
    "user by a service": ("user/alice", {}, {"Service": LOGS}, NO_KEY_POLICY),
    "session by role": ("role/app", {}, by(APP), OK),
    "session by role with path": ("role/team/app", {}, by(APP_WITH_PATH), OK),
    "session by role without path": ("role/team/app", {}, by(APP), NO_KEY_POLICY),
    "session by its own ARN": ("role/app", {}, by(APP_SESSION), OK),
    "session by the ARN without the role's path": ("role/team/app", {}, by(APP_SESSION), OK),
    "session of another name": ("role/app", {"session": "other"}, by(APP_SESSION), NO_KEY_POLICY),
    "session by another role": ("role/app", {}, by(f"arn:aws:iam::{ACCOUNT}:role/other"), NO_KEY_POLICY),
    "session by account": ("role/app", {}, by(ROOT), NO_IDENTITY_POLICY),
    "session by everybody": ("role/app", {}, "*", OK),
    "federated user by ARN": ("federated-user/fred", {}, by(FRED), OK),
    "federated user by another": ("federated-user/other", {}, by(FRED), NO_KEY_POLICY),
    "federated user by a user's ARN": ("federated-user/alice", {}, by(ALICE), NO_KEY_POLICY),
    "federated user by account": ("federated-user/fred", {}, by(ROOT), NO_IDENTITY_POLICY),
    "root by its ARN": ("root", {}, by(ROOT), OK),
    "root by account number": ("root", {}, by(ACCOUNT), OK),
    "root by everybody": ("root", {}, "*", OK),
    "root by a user's ARN": ("root", {}, by(ALICE), NO_KEY_POLICY),
}


@pytest.mark.parametrize(("name", "more", "principal", "expected"), NAMED.values(), ids=NAMED)
def test_a_key_policy_names_its_callers(
    kms: FakeKMS, key: Key, name: str, more: dict[str, Any], principal: Any, expected: str
) -> None:
    """Whom it names needs no policy of his own; naming the account leaves it to identity policies."""
    key.policy = policy(allow("kms:Encrypt", Principal=principal))

    assert expected == verdict(kms, kms.principal(name, **more), key)


def test_the_account_statement_lets_identity_policies_decide(kms: FakeKMS, key: Key) -> None:
    """They are asked about the key by its ARN, under their conditions."""
    statement = allow(
        "kms:Encrypt", Resource=key.arn, Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    )
    alice = kms.principal("user/alice", policy=policy(statement))

    assert OK == verdict(kms, alice, key, EncryptionContext={"tenant": "a"})
    assert NO_IDENTITY_POLICY == verdict(kms, alice, key, EncryptionContext={"tenant": "b"})
    assert NO_IDENTITY_POLICY == verdict(kms, alice, key)
    assert NO_IDENTITY_POLICY == verdict(kms, alice, kms.create_key(), EncryptionContext={"tenant": "a"})


def test_identity_policies_add_up(kms: FakeKMS, key: Key) -> None:
    """One that allows is enough."""
    policies = [policy(allow("kms:Decrypt")), policy(allow("s3:*"), allow("kms:Encrypt"))]

    assert OK == verdict(kms, kms.principal("user/alice", policy=policies), key)


@pytest.mark.parametrize("caller", ["administrator", "root"])
def test_without_the_account_statement_identity_policies_are_shut_out(kms: FakeKMS, key: Key, caller: str) -> None:
    """Not even the root user, or the default principal, may use a key whose policy names others alone."""
    key.policy = policy(allow(Principal=by(ALICE)))
    principals = {
        "administrator": kms.principal("user/admin", policy=policy(allow("*"))),
        "root": kms.principal("root"),
    }

    assert NO_KEY_POLICY == verdict(kms, principals[caller], key)
    message = denied(lambda: kms.client.encrypt(KeyId=key.id, Plaintext=b"x"))
    assert f"User: {TESTER} is not authorized to perform: kms:Encrypt on resource: {key.arn} {NO_KEY_POLICY}" == message


def test_the_root_user_needs_no_identity_policy(kms: FakeKMS, key: Key) -> None:
    """The default key policy names it by its account; what is on no key it may do as well."""
    client = kms.client_for(kms.principal("root"))

    assert ROOT == kms.principal("root").arn
    assert key.arn == client.describe_key(KeyId=key.id)["KeyMetadata"]["Arn"]
    made = client.create_key(Tags=[{"TagKey": "team", "TagValue": "shop"}])["KeyMetadata"]
    client.create_alias(AliasName="alias/mine", TargetKeyId=made["KeyId"])
    assert 2 == len(client.list_keys()["Keys"])


# permissions boundaries and session policies

ALL = policy(allow("*"))
OTHER = policy(allow("kms:Decrypt"))
LIMITED: dict[str, tuple[str, Any, dict[str, Any], str]] = {
    "user, directly, no identity policy": ("user/alice", by(ALICE), {}, OK),
    "user, directly, other identity policy": ("user/alice", by(ALICE), {"policy": OTHER}, OK),
    "user, directly, boundary": ("user/alice", by(ALICE), {"boundary": OTHER}, OK),
    "user, everybody, boundary": ("user/alice", "*", {"boundary": OTHER}, OK),
    "user, account, boundary": ("user/alice", by(ROOT), {"policy": ALL, "boundary": OTHER}, NO_BOUNDARY),
    "user, account, boundary that allows": ("user/alice", by(ROOT), {"policy": ALL, "boundary": ALL}, OK),
    "user, account, boundary alone": ("user/alice", by(ROOT), {"boundary": ALL}, NO_IDENTITY_POLICY),
    "role, boundary": ("role/app", by(APP), {"boundary": OTHER}, NO_BOUNDARY),
    "role, boundary that allows": ("role/app", by(APP), {"boundary": ALL}, OK),
    "role, session policy": ("role/app", by(APP), {"session_policy": OTHER}, NO_SESSION_POLICY),
    "role, session policies": ("role/app", by(APP), {"session_policy": [OTHER, ALL]}, OK),
    "role, both": ("role/app", by(APP), {"boundary": OTHER, "session_policy": OTHER}, NO_BOUNDARY),
    "session, boundary": ("role/app", by(APP_SESSION), {"boundary": OTHER}, OK),
    "session, session policy": ("role/app", by(APP_SESSION), {"session_policy": OTHER}, OK),
    "session and role, session policy": ("role/app", by(APP, APP_SESSION), {"session_policy": OTHER}, OK),
    "account, session policy": (
        "role/app",
        by(ROOT),
        {"policy": ALL, "session_policy": OTHER},
        NO_SESSION_POLICY,
    ),
    "account, session policy that allows": ("role/app", by(ROOT), {"policy": ALL, "session_policy": ALL}, OK),
    "account, session policy alone": ("role/app", by(ROOT), {"session_policy": ALL}, NO_IDENTITY_POLICY),
    "federated user, session policy": ("federated-user/fred", by(FRED), {"session_policy": OTHER}, OK),
    "federated user, account, both": (
        "federated-user/fred",
        by(ROOT),
        {"policy": ALL, "session_policy": policy(allow("kms:Encrypt"))},
        OK,
    ),
    "federated user, account, session policy": (
        "federated-user/fred",
        by(ROOT),
        {"policy": ALL, "session_policy": OTHER},
        NO_SESSION_POLICY,
    ),
}


@pytest.mark.parametrize(("name", "principal", "limits", "expected"), LIMITED.values(), ids=LIMITED)
def test_what_limits_a_caller(
    kms: FakeKMS, key: Key, name: str, principal: Any, limits: dict[str, Any], expected: str
) -> None:
    """A missing Allow limits whom the key policy names by role or account, and nobody whom it names directly."""
    key.policy = policy(allow("kms:Encrypt", Principal=principal))

    assert expected == verdict(kms, kms.principal(name, **limits), key)


# explicit denies

NO_ENCRYPTION = policy(allow("*"), deny("kms:Encrypt"))
DENIALS: dict[str, tuple[dict[str, Any], str]] = {
    "identity policy": ({"policy": NO_ENCRYPTION}, DENIED_BY_IDENTITY_POLICY),
    "one of two identity policies": ({"policy": [ALL, NO_ENCRYPTION]}, DENIED_BY_IDENTITY_POLICY),
    "permissions boundary": ({"boundary": NO_ENCRYPTION}, DENIED_BY_BOUNDARY),
    "session policy": ({"session_policy": NO_ENCRYPTION}, DENIED_BY_SESSION_POLICY),
    "one of two session policies": ({"session_policy": [ALL, NO_ENCRYPTION]}, DENIED_BY_SESSION_POLICY),
}


@pytest.mark.parametrize(
    "principal", [by(ROOT), by(APP), by(APP_SESSION), "*"], ids=["account", "role", "session", "*"]
)
@pytest.mark.parametrize(("policies", "expected"), DENIALS.values(), ids=DENIALS)
def test_a_deny_of_the_caller_s_own_wins(
    kms: FakeKMS, key: Key, policies: dict[str, Any], expected: str, principal: Any
) -> None:
    """However the key policy names him, and whatever it allows."""
    key.policy = policy(allow(Principal=principal))

    assert expected == verdict(kms, kms.principal("role/app", **{"policy": ALL, **policies}), key)


@pytest.mark.parametrize(
    "principal", [by(ROOT), by(APP), by(APP_SESSION), "*"], ids=["account", "role", "session", "*"]
)
def test_a_deny_of_the_key_policy_wins(kms: FakeKMS, key: Key, principal: Any) -> None:
    """Whatever else is allowed, and however it names the caller."""
    key.policy = policy(allow(Principal="*"), deny("kms:Enc*", Principal=principal))

    assert DENIED_BY_KEY_POLICY == verdict(kms, kms.principal("role/app", policy=ALL), key)


def test_a_deny_of_all_others_is_a_break_glass(kms: FakeKMS, key: Key) -> None:
    """NotPrincipal spares whom it lists by all of his names."""
    spared = f"arn:aws:sts::{ACCOUNT}:assumed-role/glass/pytest-kms"
    others = {
        **deny(Principal=None),
        "NotPrincipal": by(ROOT, f"arn:aws:iam::{ACCOUNT}:role/glass", spared),
    }
    key.policy = policy(allow(Principal=by(ROOT)), others)

    assert OK == verdict(kms, kms.principal("role/glass", policy=ALL), key)
    assert DENIED_BY_KEY_POLICY == verdict(kms, kms.principal("role/app", policy=ALL), key)
    assert "explicit deny" in denied(lambda: kms.client.encrypt(KeyId=key.id, Plaintext=b"x"))


def test_a_deny_wins_over_a_grant(kms: FakeKMS, key: Key) -> None:
    """A grant allows, and never more than that."""
    kms.client.create_grant(KeyId=key.id, GranteePrincipal=APP, Operations=["Encrypt"])

    assert OK == verdict(kms, kms.principal("role/app"), key)
    assert DENIED_BY_IDENTITY_POLICY == verdict(kms, kms.principal("role/app", policy=policy(deny())), key)


# AWS services, and nobody


def test_a_service_is_let_in_by_the_key_policy(kms: FakeKMS, key: Key) -> None:
    """By its name, and for the resource that it calls for."""
    groups = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:*"
    statement = allow("kms:Encrypt*", Principal={"Service": LOGS}, Condition={"ArnLike": {"aws:SourceArn": groups}})
    key.policy = policy(allow(Principal=by(ROOT)), statement)
    mine = kms.service(LOGS, source_arn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:orders")
    theirs = kms.service(LOGS, source_arn=f"arn:aws:logs:us-east-1:{STRANGER}:log-group:orders")

    assert OK == verdict(kms, mine.principal, key)
    assert NO_KEY_POLICY == verdict(kms, theirs.principal, key)
    assert NO_KEY_POLICY == verdict(kms, kms.service(LOGS).principal, key)
    assert NO_KEY_POLICY == verdict(kms, kms.service("cloudtrail").principal, key)


def test_a_service_is_of_no_account(kms: FakeKMS, key: Key) -> None:
    """So that an operation on keys of one's own account is for the key policy to allow as any other."""
    key.policy = policy(allow("kms:GetKeyPolicy", Principal={"Service": LOGS}))
    client = kms.client_for(kms.service(LOGS))

    assert key.policy == client.get_key_policy(KeyId=key.arn)["Policy"]
    assert (
        f"User: {LOGS} is not authorized to perform: kms:ListKeyPolicies on resource: {key.arn}"
        " because no resource-based policy allows the kms:ListKeyPolicies action"
    ) == denied(lambda: client.list_key_policies(KeyId=key.arn))


def test_a_service_has_no_identity_policies(kms: FakeKMS) -> None:
    """What is on no key it may not do."""
    message = denied(kms.client_for(kms.service(LOGS)).list_keys)

    assert (
        f"User: {LOGS} is not authorized to perform: kms:ListKeys on resource: *"
        " because no identity-based policy allows the kms:ListKeys action"
    ) == message


def test_a_call_that_nobody_signed_is_the_default_principal_s(kms: FakeKMS, key: Key) -> None:
    """AWS would refuse it; here a suite needs no credentials, and is the administrator of its account."""
    client = kms.client_for(config=Config(signature_version=UNSIGNED))

    assert key.arn == client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]
    assert TESTER == kms.trail.last.principal
    with kms.acting_as(kms.principal("user/alice")):
        denied(lambda: client.describe_key(KeyId="alias/orders"))
    assert ALICE == kms.trail.last.principal


# other accounts


@pytest.fixture
def theirs(kms: FakeKMS) -> Key:
    """Give a key of another account, which lets in the account of the fake."""
    key = kms.create_key("theirs", account=STRANGER)
    key.policy = policy(allow(Principal=by(ACCOUNT)))
    return key


@pytest.mark.parametrize("form", ["ARN", "alias ARN"])
def test_a_key_of_another_account_is_named_by_an_arn(kms: FakeKMS, theirs: Key, form: str) -> None:
    """By its own, or by that of its alias."""
    assert theirs.arn == kms.client.encrypt(KeyId=name_of(theirs, form), Plaintext=b"x")["KeyId"]


@pytest.mark.parametrize("form", ["id", "alias"])
def test_a_name_alone_is_looked_up_in_the_caller_s_account(kms: FakeKMS, theirs: Key, form: str) -> None:
    """Where nothing has it, or something else."""
    code = error_of(kms.client, "encrypt", KeyId=name_of(theirs, form), Plaintext=b"x")["Code"]
    mine = kms.create_key("theirs", key_id=theirs.id)

    assert "NotFoundException" == code
    assert mine.arn == kms.client.encrypt(KeyId=name_of(theirs, form), Plaintext=b"x")["KeyId"]


@pytest.mark.parametrize("form", ["id", "ARN", "alias ARN", None])
def test_a_ciphertext_of_another_account_that_lets_the_caller_in(kms: FakeKMS, theirs: Key, form: str | None) -> None:
    """The ciphertext tells the key, so that its id alone will do, too."""
    named: Any = {} if form is None else {"KeyId": name_of(theirs, form)}
    answer = kms.client.decrypt(CiphertextBlob=kms.encrypt(theirs, b"x"), **named)

    assert (theirs.arn, b"x") == (answer["KeyId"], answer["Plaintext"])


CROSS_ACCOUNT: dict[str, tuple[Any, Any, str]] = {
    "both allow": (by(STRANGER), ALL, OK),
    "both allow, by user": (by(BOB), ALL, OK),
    "both allow, everybody": ("*", ALL, OK),
    "neither": (by(ACCOUNT), None, HIDDEN),
    "the account alone": (by(ACCOUNT), ALL, HIDDEN),
    "the key alone": (by(STRANGER), None, NO_IDENTITY_POLICY),
    "the key alone, by user": (by(BOB), None, NO_IDENTITY_POLICY),
    "the key alone, everybody": ("*", OTHER, NO_IDENTITY_POLICY),
    "a deny of the account": (by(STRANGER), NO_ENCRYPTION, DENIED_BY_IDENTITY_POLICY),
}


@pytest.mark.parametrize(("principal", "policies", "expected"), CROSS_ACCOUNT.values(), ids=CROSS_ACCOUNT)
def test_both_accounts_must_allow(kms: FakeKMS, key: Key, principal: Any, policies: Any, expected: str) -> None:
    """However the key policy names the caller."""
    key.policy = policy(allow("kms:Encrypt", Principal=principal))
    client = kms.client_for(kms.principal("user/bob", account=STRANGER, policy=policies))

    if expected == OK:
        assert key.arn == client.encrypt(KeyId=key.arn, Plaintext=b"x")["KeyId"]
    else:
        told = f"User: {BOB} is not authorized to perform: kms:Encrypt on this resource {expected}"
        assert told == denied(lambda: client.encrypt(KeyId=key.arn, Plaintext=b"x"))


@pytest.mark.parametrize("statement", [deny(Principal="*"), deny(Principal=by(BOB)), deny(Principal=by(STRANGER))])
def test_a_deny_of_another_account_s_key_is_hidden(kms: FakeKMS, key: Key, statement: dict[str, Any]) -> None:
    """Nobody is told that there is a key that shuts him out."""
    key.policy = policy(allow(Principal=by(STRANGER)), statement)
    client = kms.client_for(kms.principal("user/bob", account=STRANGER, policy=ALL))

    message = denied(lambda: client.describe_key(KeyId=key.arn))
    assert f"User: {BOB} is not authorized to perform: kms:DescribeKey on this resource {HIDDEN}" == message


@pytest.mark.parametrize("limit", ["boundary", "session_policy"])
def test_a_caller_of_another_account_is_limited_by_his_own(kms: FakeKMS, key: Key, limit: str) -> None:
    """Also one whom the key policy names by his session."""
    session = f"arn:aws:sts::{STRANGER}:assumed-role/app/pytest-kms"
    key.policy = policy(allow(Principal=by(session)))
    limits: dict[str, Any] = {limit: OTHER}
    client = kms.client_for(kms.principal("role/app", account=STRANGER, policy=ALL, **limits))

    kind = {"boundary": "permissions boundary", "session_policy": "session policy"}[limit]
    assert (
        f"User: {session} is not authorized to perform: kms:DescribeKey on this resource"
        f" because no {kind} allows the kms:DescribeKey action"
    ) == denied(lambda: client.describe_key(KeyId=key.arn))


def test_a_grant_is_retired_by_whom_it_names(kms: FakeKMS, key: Key) -> None:
    """Of another account only if his own policies let him; nobody else learns that it is there."""
    grant = kms.client.create_grant(
        KeyId=key.id, GranteePrincipal=APP, RetiringPrincipal=BOB, Operations=["DescribeKey"]
    )
    members: Any = {"KeyId": key.arn, "GrantId": grant["GrantId"]}
    told = "is not authorized to perform: kms:RetireGrant on this resource"

    bob, eve = kms.principal("user/bob", account=STRANGER), kms.principal("user/eve", account=STRANGER, policy=ALL)
    message = denied(lambda: kms.client_for(bob).retire_grant(**members))
    assert f"User: {BOB} {told} because no identity-based policy allows the kms:RetireGrant action" == message
    message = denied(lambda: kms.client_for(eve).retire_grant(**members))
    assert f"User: {eve.arn} {told} {HIDDEN}" == message
    assert f"the grant {grant['GrantId']} is not one that {eve.arn} may retire" == kms.trail.last.why
    bob = kms.principal("user/bob", account=STRANGER, policy=policy(allow("kms:RetireGrant", Resource=key.arn)))
    kms.client_for(bob).retire_grant(**members)


def test_a_grant_of_another_account_is_not_the_administrator_s_to_retire(kms: FakeKMS, key: Key) -> None:
    """It is of the account that made it, here by a grant of its own; who has the key may revoke it."""
    kms.client.create_grant(KeyId=key.id, GranteePrincipal=BOB, Operations=["CreateGrant", "DescribeKey"])
    client = kms.client_for(kms.principal("user/bob", account=STRANGER, policy=ALL))
    made = client.create_grant(KeyId=key.arn, GranteePrincipal=APP, Operations=["DescribeKey"])

    message = denied(lambda: kms.client.retire_grant(GrantToken=made["GrantToken"]))
    assert f"User: {TESTER} is not authorized to perform: kms:RetireGrant on this resource {HIDDEN}" == message
    kms.client.revoke_grant(KeyId=key.id, GrantId=made["GrantId"])


# ciphertexts

BY_CIPHERTEXT: dict[str, tuple[dict[str, Any], Any, str]] = {
    "no identity policy": (
        allow(Principal=by(ROOT)),
        None,
        "because no identity-based policy allows the kms:Decrypt action",
    ),
    "no key policy": (allow(Principal=by(TESTER)), ALL, HIDDEN),
    "a deny of the identity policy": (allow(Principal=by(ROOT)), policy(deny()), DENIED_BY_IDENTITY_POLICY),
    "a deny of the key policy": (deny(Principal="*"), ALL, HIDDEN),
}


@pytest.mark.parametrize(("statement", "policies", "expected"), BY_CIPHERTEXT.values(), ids=BY_CIPHERTEXT)
@pytest.mark.parametrize("account", [ACCOUNT, STRANGER], ids=["own account", "another account"])
def test_a_refusal_by_ciphertext_does_not_name_the_key(
    kms: FakeKMS, key: Key, statement: dict[str, Any], policies: Any, expected: str, account: str
) -> None:
    """Of one's own account no more than of another one; where it is named, it is told as for any operation."""
    key.policy = policy(statement, allow("kms:Decrypt", Principal=by(STRANGER)) if expected != HIDDEN else statement)
    alice = kms.principal("user/alice", account=account, policy=policies)
    blob = kms.encrypt(key, b"x")
    client = kms.client_for(alice)

    assert (
        f"User: {alice.arn} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {expected}"
    ) == denied(lambda: client.decrypt(CiphertextBlob=blob))
    where = f"resource: {key.arn}" if account == ACCOUNT else "this resource"
    assert denied(lambda: client.decrypt(CiphertextBlob=blob, KeyId=key.arn)).startswith(
        f"User: {alice.arn} is not authorized to perform: kms:Decrypt on {where} "
    )


# what is not there


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (MISSING, f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{MISSING}' does not exist"),
        ("alias/none", f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found."),
        ("orders", "Invalid keyId 'orders'"),
    ],
    ids=["key", "alias", "no id"],
)
def test_a_caller_without_permission_learns_what_is_not_there(kms: FakeKMS, name: str, message: str) -> None:
    """In his own account. What AWS does is not known; that it looks names up first is likely."""
    client = kms.client_for(kms.principal("user/alice"))

    assert {"Code": "NotFoundException", "Message": message} == error_of(client, "encrypt", KeyId=name, Plaintext=b"x")


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_caller_without_permission_does_not_learn_the_state(kms: FakeKMS, key: Key, state: str) -> None:
    """Permission comes first."""
    key.state = state

    assert NO_IDENTITY_POLICY == verdict(kms, kms.principal("user/alice"), key)


# policies that nobody understands

MISTYPED = {"StringEquals": {"kms:EncryptionContex:tenant": "a"}}
IN_WHICH: dict[str, tuple[dict[str, Any], str]] = {
    "identity policy": (
        {"policy": policy(allow("kms:Encrypt"), allow(Sid="Mine", Condition=MISTYPED))},
        "statement 2 (Mine) of identity policy 'role/app'",
    ),
    "boundary": ({"boundary": policy(deny(Condition=MISTYPED))}, "statement 1 of permissions boundary 'role/app'"),
    "session policy": (
        {"session_policy": policy(allow("*", Condition=MISTYPED))},
        "statement 1 of session policy 'role/app'",
    ),
}


@pytest.mark.parametrize(("policies", "which"), IN_WHICH.values(), ids=IN_WHICH)
def test_a_condition_key_that_nobody_knows_fails_the_test(policies: dict[str, Any], which: str) -> None:
    """What AWS would make of it is not guessed, whatever else allows or denies the call."""
    with fake_kms(unsupported="ignore") as kms:
        key = kms.create_key()
        client = kms.client_for(kms.principal("role/app", **policies))
        with pytest.raises(NotSupported) as excinfo:
            client.encrypt(KeyId=key.arn, Plaintext=b"x")
        assert (
            f"pytest-kms: a policy that decides about Encrypt cannot be evaluated: {which}:"
            " the condition key kms:EncryptionContex:tenant is not known"
        ) == str(excinfo.value)
        assert "NotSupported" == kms.trail.last.error


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_condition_key_of_a_key_policy_that_nobody_knows_fails_the_test(effect: str) -> None:
    """Also where the caller is an administrator."""
    with fake_kms(unsupported="ignore") as kms:
        key = kms.create_key(
            policy=policy(
                allow(Principal="*"), {**allow("kms:Encrypt", Principal="*", Condition=MISTYPED), "Effect": effect}
            )
        )
        with pytest.raises(NotSupported, match="statement 2 of the key policy: the condition key") as excinfo:
            kms.client.encrypt(KeyId=key.arn, Plaintext=b"x")
        assert str(excinfo.value).startswith("pytest-kms: a policy that decides about Encrypt cannot be evaluated: ")


def test_a_statement_about_something_else_is_not_looked_at(kms: FakeKMS, key: Key) -> None:
    """A condition that is not understood is no matter where it does not decide."""
    key.policy = policy(
        allow(Principal=by(ROOT)),
        deny("kms:Decrypt", Principal="*", Condition=MISTYPED),
        deny(Principal=by(APP), Condition=MISTYPED),
        deny(Principal="*", Resource=f"{key.arn}0", Condition=MISTYPED),
    )

    assert OK == verdict(kms, kms.principal("user/alice", policy=ALL), key)


def test_an_application_cannot_swallow_it(kms: FakeKMS, key: Key) -> None:
    """`except Exception` does not catch it."""
    alice = kms.principal("user/alice", policy=policy(allow(Condition=MISTYPED)))
    with pytest.raises(NotSupported):
        try:
            kms.client_for(alice).encrypt(KeyId=key.arn, Plaintext=b"x")
        except Exception:  # noqa: BLE001  # as applications do
            pytest.fail("it was swallowed")
    kms.world.refusals.clear()


@pytest.mark.parametrize("what", ["policy", "boundary", "session_policy"])
def test_an_operator_that_nobody_knows_is_a_mistake_of_the_test(kms: FakeKMS, what: str) -> None:
    """It is told when the principal is made."""
    arguments: dict[str, Any] = {what: policy(allow(Condition={"StringIsh": {"kms:KeySpec": "x"}}))}
    with pytest.raises(UsageError, match="'StringIsh' is no condition operator"):
        kms.principal("role/app", **arguments)


# what a refusal tells the test


def why(kms: FakeKMS, caller: Principal, key: Key, **members: Any) -> list[str]:
    """Let a caller encrypt, and return what the report says of it."""
    verdict(kms, caller, key, **members)
    return kms.trail.last.why.splitlines()


GRANTS: dict[str, tuple[dict[str, Any], str]] = {
    "operations": ({"Operations": ["Decrypt", "DescribeKey"]}, "its operations are Decrypt, DescribeKey"),
    "all of the context": (
        {"Constraints": {"EncryptionContextEquals": {"tenant": "a"}}},
        "EncryptionContextEquals: order '7' is too many, tenant 'a' -> 'b'",
    ),
    "part of the context": (
        {"Constraints": {"EncryptionContextSubset": {"tenant": "a", "shop": "1"}}},
        "EncryptionContextSubset: shop '1' is missing, tenant 'a' -> 'b'",
    ),
}


@pytest.mark.parametrize(("grant", "near"), GRANTS.values(), ids=GRANTS)
def test_a_grant_that_came_near_is_told(kms: FakeKMS, key: Key, grant: dict[str, Any], near: str) -> None:
    """By its id and its name: what it allows, or what its constraints miss. Grants of others are not."""
    client = kms.client
    client.create_grant(KeyId=key.id, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/other", Operations=["Decrypt"])
    arguments = {"Operations": ["Encrypt"], **grant}
    made = client.create_grant(KeyId=key.id, GranteePrincipal=APP, Name="job", **arguments)

    context = {"tenant": "b", "order": "7"}
    lines = why(kms, kms.principal("role/app"), key, EncryptionContext=context)
    assert [f"nearly: grant {made['GrantId']} (job): {near}"] == lines[1:]


def test_a_grant_to_grant_that_came_near_is_told(kms: FakeKMS, key: Key) -> None:
    """A grantee may grant no more than he has."""
    app = kms.principal("role/app")
    made = kms.client.create_grant(KeyId=key.id, GranteePrincipal=APP, Operations=["CreateGrant", "Encrypt"])
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.client_for(app).create_grant(KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"])
    near = f"nearly: grant {made['GrantId']}: what it lets its grantee grant is less than this, or more bound"
    assert near == kms.trail.last.why.splitlines()[-1]


@pytest.mark.skipif(
    "GranteeServicePrincipal" not in service.input_shape("CreateGrant").members,
    reason="this botocore does not know SourceArn of grants yet",
)
def test_a_grant_for_another_resource_is_told(kms: FakeKMS, key: Key) -> None:
    """A service that calls for a resource uses the grants for that alone."""
    table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
    made = kms.client.create_grant(
        KeyId=key.id, GranteePrincipal=APP, Operations=["GenerateDataKey"], Constraints={"SourceArn": table}
    )
    s3 = kms.service("s3", on_behalf_of=kms.principal("role/app"))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.store(key, "orders/7.json")
    near = f"nearly: grant {made['GrantId']}: SourceArn: wanted {table}, the request has none"
    assert near == kms.trail.last.why.splitlines()[-1]


def test_a_condition_that_failed_is_told_with_its_values(kms: FakeKMS, key: Key) -> None:
    """What was wanted, and what the request has."""
    statement = allow("kms:Encrypt", Sid="Tenant", Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}})
    app = kms.principal("role/app", policy=policy(allow("kms:Decrypt"), statement))

    assert [
        f"no identity policy of {APP_SESSION} allows kms:Encrypt; statement 1 (Enable IAM User Permissions) of the key"
        " policy leaves it to them",
        "nearly: statement 2 (Tenant) of identity policy 'role/app': kms:EncryptionContext:tenant: wanted StringEquals"
        " a, the request has b",
        "nearly: statement 1 of identity policy 'role/app': Action kms:Decrypt does not cover kms:Encrypt",
    ] == why(kms, app, key, EncryptionContext={"tenant": "b"})


def test_a_key_policy_that_is_silent_is_told(kms: FakeKMS, key: Key) -> None:
    """And that the identity policy allows in vain."""
    key.policy = policy(allow(Principal=by(ALICE)))

    assert [
        f"the key policy does not allow kms:Encrypt to {APP_SESSION}",
        "in vain: statement 1 of identity policy 'role/app' allows it, but the key policy does not let identity"
        " policies decide",
        f"nearly: statement 1 of the key policy: Principal {ALICE} does not name {APP_SESSION}",
    ] == why(kms, kms.principal("role/app", policy=ALL), key)


def test_a_deny_is_told_with_its_condition(kms: FakeKMS, key: Key) -> None:
    """Which statement, and what it compared."""
    condition = {"StringNotEquals": {"aws:PrincipalTag/team": "orders"}}
    key.policy = policy(allow(Principal="*"), deny(Sid="Team", Principal="*", Condition=condition))

    assert [
        "statement 2 (Team) of the key policy denies it: aws:PrincipalTag/team: wanted StringNotEquals orders,"
        " the request has shop"
    ] == why(kms, kms.principal("role/app", tags={"team": "shop"}), key)


def test_a_limit_is_told(kms: FakeKMS, key: Key) -> None:
    """A boundary or a session policy that lacks the action."""
    app = kms.principal("role/app", policy=ALL, session_policy=OTHER)

    assert [
        f"session policy 'role/app' of {APP_SESSION} does not allow kms:Encrypt",
        "nearly: statement 1 of session policy 'role/app': Action kms:Decrypt does not cover kms:Encrypt",
    ] == why(kms, app, key)


def test_a_resource_that_the_answer_does_not_name_is_told(kms: FakeKMS, key: Key, theirs: Key) -> None:
    """The test may know what its application may not."""
    denied(lambda: kms.client_for(kms.principal("user/alice")).decrypt(CiphertextBlob=kms.encrypt(key, b"x")))
    assert [
        f"the resource is {key.arn}",
        f"{ALICE} has no identity policies; statement 1 (Enable IAM User Permissions) of the key policy leaves it to"
        " them",
    ] == kms.trail.last.why.splitlines()

    theirs.policy = policy(allow(Principal=by(STRANGER)))
    denied(lambda: kms.client.describe_key(KeyId=theirs.arn))
    assert [
        f"the resource is {theirs.arn}",
        f"the key policy does not allow kms:DescribeKey to {TESTER}",
        f"nearly: statement 1 of the key policy: Principal {STRANGER} does not name {TESTER}",
    ] == kms.trail.last.why.splitlines()


def test_an_operation_that_keeps_to_the_own_account_is_told(kms: FakeKMS, theirs: Key) -> None:
    """AWS's answer hides that no policy would help."""
    denied(lambda: kms.client.disable_key(KeyId=theirs.arn))

    assert (
        f"{theirs.arn} is a key of account {STRANGER}; DisableKey works on keys of one's own alone"
        == kms.trail.last.why
    )


def test_who_allowed_a_call_is_told(kms: FakeKMS, key: Key) -> None:
    """A test that expected a refusal sees which statements let the call pass; the default way needs no words."""
    app = kms.principal("role/app", policy=policy(allow("kms:ReEncrypt*", Sid="Again")))
    key.policy = policy(allow(Principal=by(ROOT)), allow("kms:ReEncryptTo", Sid="Use", Principal=by(APP)))
    blob = kms.encrypt(key, b"x")
    kms.client_for(app).re_encrypt(CiphertextBlob=blob, DestinationKeyId=key.arn)

    assert [
        "kms:ReEncryptFrom is allowed by statement 1 of the key policy,"
        " and statement 1 (Again) of identity policy 'role/app'",
        "kms:ReEncryptTo is allowed by statement 1, statement 2 (Use) of the key policy",
    ] == kms.trail.last.why.splitlines()

    kms.client.describe_key(KeyId=kms.create_key().id)
    assert "" == kms.trail.last.why


REPORT = """\
import boto3
import pytest


@pytest.mark.kms(region="us-east-1", quotas=False)
def test_tenants(kms):
    kms.create_key("orders", key_id="1234abcd-12ab-34cd-56ef-1234567890ab")
    tenant = {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}"}}
    mine = {"Sid": "Mine", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": tenant}
    look = {"Effect": "Allow", "Action": "kms:Describe*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [mine, look]}
    app = kms.principal("role/app", policy=policy, tags={"tenant": "a"})
    with kms.acting_as(app):
        client = boto3.client("kms", region_name="us-east-1")
        client.describe_key(KeyId="alias/orders")
        client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext={"tenant": "b"})
"""


def test_the_report_of_a_failing_test_explains_refusals(pytester: pytest.Pytester) -> None:
    """Line by line: who was let in by what, AWS's sentence, and why."""
    pytester.makepyfile(REPORT)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--tb=short")
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.strip("-") == " kms ")

    assert {"failed": 1} == result.parseoutcomes()
    assert [
        "1. DescribeKey alias/orders by role/app -> ok",
        "     why: kms:DescribeKey is allowed by statement 1 (Enable IAM User Permissions) of the key policy, and"
        " statement 2 of identity policy 'role/app'",
        "2. Encrypt alias/orders {tenant: b} by role/app -> AccessDeniedException   <-- the test ended with this error",
        f"     User: {APP_SESSION} is not authorized to perform: kms:Encrypt on resource:"
        f" arn:aws:kms:us-east-1:{ACCOUNT}:key/{MISSING} {NO_IDENTITY_POLICY}",
        f"     why: no identity policy of {APP_SESSION} allows kms:Encrypt; statement 1 (Enable IAM User Permissions)"
        " of the key policy leaves it to them",
        "     nearly: statement 1 (Mine) of identity policy 'role/app': kms:EncryptionContext:tenant: wanted"
        " StringEquals ${aws:PrincipalTag/tenant} (here a), the request has b",
        "     nearly: statement 2 of identity policy 'role/app': Action kms:Describe* does not cover kms:Encrypt",
    ] == lines[start + 1 : start + 8]


# AWS managed keys


@pytest.fixture
def managed(kms: FakeKMS) -> Key:
    """Return the AWS managed key of S3."""
    return kms.aws_managed_key("s3")


def name_of(key: Key, form: str) -> str:
    """Name a key in one of the four forms."""
    region, account = key.region, key.account
    names = {
        "id": key.id,
        "ARN": key.arn,
        "alias": str(key.alias),
        "alias ARN": f"arn:aws:kms:{region}:{account}:{key.alias}",
    }
    return names[form]


@pytest.mark.parametrize("form", ["id", "ARN", "alias", "alias ARN"])
def test_an_aws_managed_key_is_described(kms: FakeKMS, managed: Key, form: str) -> None:
    """Everybody in the account may look at its metadata, by any name."""
    metadata = kms.client.describe_key(KeyId=name_of(managed, form))["KeyMetadata"]

    assert managed.arn == metadata["Arn"]
    assert "AWS" == metadata["KeyManager"]
    assert "Enabled" == metadata["KeyState"]
    assert "Default key that protects my S3 objects when no other key is defined" == metadata.get("Description")


def test_an_aws_managed_key_is_listed(kms: FakeKMS, managed: Key) -> None:
    """It is among the keys of the account, and its alias is told."""
    assert [managed.id] == [key.get("KeyId") for key in kms.client.list_keys()["Keys"]]
    aliases = kms.client.list_aliases(KeyId=managed.id)["Aliases"]
    assert ["alias/aws/s3"] == [alias.get("AliasName") for alias in aliases]


MANAGING: dict[str, Callable[[KMSClient, str], object]] = {
    "UpdateKeyDescription": lambda client, key: client.update_key_description(KeyId=key, Description="x"),
    "EnableKey": lambda client, key: client.enable_key(KeyId=key),
    "DisableKey": lambda client, key: client.disable_key(KeyId=key),
    "ScheduleKeyDeletion": lambda client, key: client.schedule_key_deletion(KeyId=key),
    "CancelKeyDeletion": lambda client, key: client.cancel_key_deletion(KeyId=key),
    "CreateAlias": lambda client, key: client.create_alias(AliasName="alias/new", TargetKeyId=key),
    "UpdateAlias": lambda client, key: client.update_alias(AliasName="alias/mine", TargetKeyId=key),
}
USING: dict[str, Callable[[KMSClient, str], object]] = {
    "Encrypt": lambda client, key: client.encrypt(KeyId=key, Plaintext=b"x"),
    "GenerateDataKey": lambda client, key: client.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": lambda client, key: client.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_256"
    ),
    "GenerateDataKeyPair": lambda client, key: client.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_2048"),
    "GenerateDataKeyPairWithoutPlaintext": lambda client, key: client.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="RSA_2048"
    ),
    "Sign": lambda client, key: client.sign(KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    "Verify": lambda client, key: client.verify(
        KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256", Signature=b"x"
    ),
    "GenerateMac": lambda client, key: client.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
    "VerifyMac": lambda client, key: client.verify_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=b"x"),
    "DeriveSharedSecret": lambda client, key: client.derive_shared_secret(
        KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=b"x"
    ),
}


@pytest.mark.parametrize("operation", [*MANAGING, *USING])
def test_an_aws_managed_key_is_neither_used_nor_managed(kms: FakeKMS, managed: Key, operation: str) -> None:
    """It is an authorization error, not one of state: no policy of the key allows it."""
    kms.create_key("mine")
    before = managed.state, managed.description, list(managed.aliases)

    message = denied(lambda: {**MANAGING, **USING}[operation](kms.client, managed.arn))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:{operation} on resource: {managed.arn}"
        f" because no resource-based policy allows the kms:{operation} action"
    ) == message
    assert (managed.state, managed.description, list(managed.aliases)) == before


def test_a_ciphertext_of_an_aws_managed_key_is_not_decrypted(kms: FakeKMS, managed: Key) -> None:
    """Only the service that owns the ciphertext may decrypt it; the refusal names the key that the call names."""
    blob = kms.encrypt(managed, b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId="alias/aws/s3"))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt on resource: {managed.arn}"
        " because no resource-based policy allows the kms:Decrypt action"
    ) == message


def test_a_call_that_names_no_key_is_not_told_which_key_it_was(kms: FakeKMS, managed: Key) -> None:
    """Where no key is named, the refusal by the key's policy speaks of the ciphertext alone."""
    blob = kms.encrypt(managed, b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_reencrypt_from_an_aws_managed_key_names_reencryptfrom(kms: FakeKMS, managed: Key) -> None:
    """ReEncrypt takes two permissions; on the source it is kms:ReEncryptFrom."""
    blob = kms.encrypt(managed, b"x")

    message = denied(
        lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id, SourceKeyId=managed.id)
    )

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom on resource: {managed.arn}"
        " because no resource-based policy allows the kms:ReEncryptFrom action"
    ) == message


def test_reencrypt_to_an_aws_managed_key_names_reencryptto(kms: FakeKMS, managed: Key) -> None:
    """ReEncrypt takes two permissions; on the destination it is kms:ReEncryptTo."""
    blob = kms.encrypt(kms.create_key(), b"x")

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId="alias/aws/s3"))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptTo on resource: {managed.arn}"
        " because no resource-based policy allows the kms:ReEncryptTo action"
    ) == message


def test_permission_comes_before_the_state_of_the_key(kms: FakeKMS, managed: Key) -> None:
    """Nobody learns the state of a key that he may not use."""
    managed.state = "Disabled"

    assert "kms:Encrypt" in denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x"))


def test_a_dry_run_asks_for_permission(kms: FakeKMS, managed: Key) -> None:
    """A dry run of a forbidden call is refused as the call is."""
    assert "kms:Encrypt" in denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x", DryRun=True))


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda client, key: client.create_alias(AliasName="alias/aws/mine", TargetKeyId=key), id="CreateAlias"
        ),
        pytest.param(
            lambda client, key: client.update_alias(AliasName="alias/aws/s3", TargetKeyId=key), id="UpdateAlias"
        ),
        pytest.param(lambda client, _: client.delete_alias(AliasName="alias/aws/s3"), id="DeleteAlias"),
    ],
)
def test_the_names_of_aws_managed_keys_are_reserved(
    kms: FakeKMS, managed: Key, call: Callable[[KMSClient, str], object]
) -> None:
    """Customers make, move and delete no alias that begins with alias/aws/."""
    key = kms.create_key()

    with pytest.raises(ClientError) as excinfo:
        call(kms.client, key.id)

    assert {"Code": "NotAuthorizedException", "Message": ""} == excinfo.value.response["Error"]
    assert ["alias/aws/s3"] == managed.aliases


FOREIGN: dict[str, Callable[[KMSClient, str], object]] = {
    **MANAGING,
    **USING,
    "DescribeKey": lambda client, key: client.describe_key(KeyId=key),
}


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize("operation", FOREIGN)
def test_a_key_of_another_account_is_hidden(
    kms: FakeKMS,
    operation: str,
    there: bool,  # noqa: FBT001
) -> None:
    """The refusal is the same whether the key exists or not."""
    kms.create_key("mine")
    key = kms.create_key(account=STRANGER)
    arn = key.arn if there else f"arn:aws:kms:us-east-1:{STRANGER}:key/{MISSING}"

    message = denied(lambda: FOREIGN[operation](kms.client, arn))

    assert f"User: {TESTER} is not authorized to perform: kms:{operation} on this resource {HIDDEN}" == message


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize("operation", [*USING, "DescribeKey"])
def test_an_alias_of_another_account_is_hidden(
    kms: FakeKMS,
    operation: str,
    there: bool,  # noqa: FBT001
) -> None:
    """An alias ARN of another account tells no more than a key ARN."""
    kms.create_key("theirs", account=STRANGER)
    arn = f"arn:aws:kms:us-east-1:{STRANGER}:alias/{'theirs' if there else 'nobodys'}"

    message = denied(lambda: FOREIGN[operation](kms.client, arn))

    assert f"User: {TESTER} is not authorized to perform: kms:{operation} on this resource {HIDDEN}" == message


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_reencrypt_to_a_key_of_another_account_names_reencryptto(
    kms: FakeKMS,
    there: bool,  # noqa: FBT001
) -> None:
    """The destination is named in the request: it is `this resource`, and the permission is kms:ReEncryptTo."""
    blob = kms.encrypt(kms.create_key(), b"x")
    key = kms.create_key(account=STRANGER)
    arn = key.arn if there else f"arn:aws:kms:us-east-1:{STRANGER}:key/{MISSING}"

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=arn))

    assert f"User: {TESTER} is not authorized to perform: kms:ReEncryptTo on this resource {HIDDEN}" == message


def test_reencrypt_from_a_named_key_of_another_account_names_reencryptfrom(kms: FakeKMS) -> None:
    """The source is named in the request: it is `this resource`, and the permission is kms:ReEncryptFrom."""
    theirs, mine = kms.create_key(account=STRANGER), kms.create_key()
    blob = kms.encrypt(theirs, b"x")

    message = denied(
        lambda: kms.client.re_encrypt(CiphertextBlob=blob, SourceKeyId=theirs.arn, DestinationKeyId=mine.id)
    )

    assert f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom on this resource {HIDDEN}" == message


def test_a_ciphertext_of_another_account_is_not_decrypted(kms: FakeKMS) -> None:
    """Where no key is named, the refusal speaks of the ciphertext's."""
    blob = kms.encrypt(kms.create_key(account=STRANGER), b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_a_ciphertext_of_another_account_is_not_reencrypted(kms: FakeKMS) -> None:
    """ReEncrypt without SourceKeyId speaks of the ciphertext, and of kms:ReEncryptFrom."""
    blob = kms.encrypt(kms.create_key(account=STRANGER), b"x")

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


@pytest.mark.parametrize("gone", ["deleted", "in another Region"])
def test_a_ciphertext_whose_key_is_not_here_is_not_reencrypted(kms: FakeKMS, gone: str) -> None:
    """The permission on the source is kms:ReEncryptFrom, also where the key is not found."""
    key = kms.create_key(region="eu-west-1" if gone == "in another Region" else None)
    blob = kms.encrypt(key, b"x")
    if gone == "deleted":
        key.state = "PendingDeletion"
        kms.clock.advance(days=31)

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_a_ciphertext_of_an_aws_owned_key_is_not_decrypted(kms: FakeKMS) -> None:
    """An AWS owned key lives in an account of AWS: to customers it is one more key of another account."""
    blob = kms.encrypt(kms.aws_owned_key("dynamodb"), b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message
    assert "the resource is an AWS owned key" == kms.trail.last.why.splitlines()[0]


def test_an_id_alone_never_means_a_key_of_another_account(kms: FakeKMS) -> None:
    """A short key id is looked up in the caller's own account, so it is plainly not found."""
    key = kms.create_key(account=STRANGER)

    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=key.id)

    assert {
        "Code": "NotFoundException",
        "Message": f"Key 'arn:aws:kms:us-east-1:123456789012:key/{key.id}' does not exist",
    } == excinfo.value.response["Error"]


def test_the_caller_is_named_by_the_account_of_the_fake() -> None:
    """A fake of another account has its principal there, and its keys open to it."""
    with fake_kms(account=STRANGER) as kms:
        key = kms.create_key(account="123456789012")
        message = denied(lambda: kms.client.describe_key(KeyId=key.arn))
        own = kms.client.describe_key(KeyId=kms.create_key().arn)["KeyMetadata"]

    assert message.startswith(
        f"User: arn:aws:iam::{STRANGER}:user/tester is not authorized to perform: kms:DescribeKey"
    )
    assert STRANGER == own.get("AWSAccountId")


def test_denials_are_asserted_on(kms: FakeKMS, managed: Key) -> None:
    """`assert_denied` finds what was refused, for the key that it was refused on."""
    denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x"))

    kms.assert_denied("Encrypt", key=managed, times=1)
    kms.assert_not_used(managed)


def test_a_foreign_key_named_with_a_ciphertext_of_another_stays_hidden(kms: FakeKMS) -> None:
    """Whoever names a key of another account learns nothing of it, also where the ciphertext was made with his own."""
    blob = kms.encrypt(kms.create_key(), b"secret")
    foreign = kms.create_key(account=STRANGER)
    missing = foreign.arn.replace(foreign.id, MISSING)

    errors = [error_of(kms.client, "decrypt", CiphertextBlob=blob, KeyId=arn) for arn in (foreign.arn, missing)]

    assert ["AccessDeniedException"] * 2 == [error["Code"] for error in errors]
    assert errors[0] == errors[1]
    assert HIDDEN in errors[0]["Message"]


def test_what_is_remembered_of_decisions_does_not_grow(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default policy is one document in all tests of a process: it forgets what it has heard of earlier ones."""
    monkeypatch.setattr(authorization, "_REMEMBERED", 1)
    key = kms.create_key()

    for name in ("user/alice", "user/bob", "user/alice"):
        client = kms.client_for(kms.principal(name, policy=policy(allow("kms:DescribeKey"))))
        for _ in range(2):
            assert key.id == client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyId"]
            assert 1 == len(key.policy_document.remembered)
