"""Recorded calls, asked of a policy, and every line of the failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from failures import failure
from policies import allow, by, deny, policy

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

ACCOUNT = "123456789012"
TESTER = f"arn:aws:iam::{ACCOUNT}:user/tester"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kms"
OTHER = "arn:aws:iam::111122223333:user/other"
S3 = "s3.us-east-1.amazonaws.com"
WHAT_NEXT = (
    "What to do: allow these in the policy, or find out why the code under test calls them;"
    " kms.trail.least_privilege() gives the policies that all calls need."
)
NONE = "What to do: check that the code under test was called, and by whom; what was denied is not asked."


def refusal(check: Callable[[], None]) -> str:
    """Return the text with which a check is refused."""
    with pytest.raises(UsageError) as excinfo:
        check()
    return str(excinfo.value)


@pytest.fixture
def orders(kms: FakeKMS) -> Key:
    """Make a key, and let an administrator encrypt with it and a role decrypt."""
    key = kms.create_key("orders", tags={"team": "shop"})
    context = {"tenant": "a"}
    blob = kms.client.encrypt(KeyId=key.alias or "", Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    app = kms.client_for(kms.principal("role/app", policy=policy(allow("kms:Decrypt"))))
    app.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    return key


# identity policies


ALLOWING: dict[str, dict[str, Any]] = {
    "all": allow(),
    "by an action": allow("kms:Decrypt"),
    "by an encryption context": allow(Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}}),
    "by a tag": allow(Condition={"StringEquals": {"aws:ResourceTag/team": "shop"}}),
    "by an alias": allow(Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/orders"]}}),
    "by a Region": allow(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
    "by the caller": allow(Condition={"ArnEquals": {"aws:PrincipalArn": APP}}),
    "by the time": allow(Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
    "over TLS": allow(Condition={"Bool": {"aws:SecureTransport": "true"}}),
}


@pytest.mark.parametrize("name", ALLOWING)
@pytest.mark.parametrize("form", ["mapping", "JSON", "file"])
def test_an_identity_policy_that_allows_all_calls_is_one(
    kms: FakeKMS, orders: Key, tmp_path: Path, name: str, form: str
) -> None:
    """It is a mapping, JSON, or a path; conditions are asked about the calls as they were."""
    document = policy(ALLOWING[name])
    file = tmp_path / "app.json"
    file.write_text(json.dumps(document))
    forms: dict[str, Any] = {"mapping": document, "JSON": json.dumps(document), "file": file}

    kms.assert_allowed_by(forms[form], principal=APP)


def test_a_failure_tells_each_call_that_would_be_denied(kms: FakeKMS, orders: Key) -> None:
    """Its line in the trail, the permission, and why it is missing."""
    document = policy(allow("kms:Encrypt"), deny("kms:List*", Sid="NoLists"))
    kms.client.list_keys()

    assert [
        "pytest-kms: expected the identity policy to allow the recorded calls; it would deny 2 of 3.",
        "What would be denied:",
        "  2. Decrypt alias/orders {tenant: a} by role/app -> ok",
        f"       kms:Decrypt on {orders.arn}",
        f"         no identity policy of {SESSION} allows kms:Decrypt",
        "         nearly: statement 1 of the identity policy: Action kms:Encrypt does not cover kms:Decrypt",
        "  3. ListKeys -> ok",
        "       kms:ListKeys on *",
        "         statement 2 (NoLists) of the identity policy denies it",
        WHAT_NEXT,
    ] == failure(lambda: kms.assert_allowed_by(document))


def test_a_failure_names_the_file_and_the_caller(kms: FakeKMS, orders: Key, tmp_path: Path) -> None:
    """As the test named them."""
    file = tmp_path / "app.json"
    file.write_text(json.dumps(policy(allow("s3:*"))))

    lines = failure(lambda: kms.assert_allowed_by(file, principal=APP))

    name = file.as_posix()
    assert (
        f"pytest-kms: expected identity policy '{name}' to allow the recorded calls of {APP}; it would deny 1 of 1."
        == lines[0]
    )


def test_each_permission_of_a_call_is_told(kms: FakeKMS) -> None:
    """ReEncrypt takes two, on two keys."""
    one, two = kms.create_key("one"), kms.create_key("two")
    kms.client.re_encrypt(CiphertextBlob=kms.encrypt(one, b"x"), DestinationKeyId=two.arn)

    assert [
        "  1. ReEncrypt SourceKeyId=alias/one DestinationKeyId=alias/two -> ok",
        f"       kms:ReEncryptFrom on {one.arn}",
        f"         no identity policy of {TESTER} allows kms:ReEncryptFrom",
        f"       kms:ReEncryptTo on {two.arn}",
        f"         no identity policy of {TESTER} allows kms:ReEncryptTo",
        WHAT_NEXT,
    ] == failure(lambda: kms.assert_allowed_by(policy(allow("s3:*", Resource="arn:aws:s3:::x"))))[2:]


def test_a_failure_shows_five_calls(kms: FakeKMS) -> None:
    """The others are counted."""
    for _ in range(7):
        kms.client.list_keys()

    lines = failure(lambda: kms.assert_allowed_by(policy(allow("kms:Encrypt"))))

    assert "pytest-kms: expected the identity policy to allow the recorded calls; it would deny 7 of 7." == lines[0]
    assert [f"  {number}. ListKeys -> ok" for number in range(1, 6)] == [
        line for line in lines if line.endswith("-> ok")
    ]
    assert ["  ... and 2 more in kms.trail", WHAT_NEXT] == lines[-2:]


def test_resources_other_than_keys_are_asked_in_their_region(kms: FakeKMS) -> None:
    """ReplicateKey takes permission to make a key in the other Region."""
    key = kms.create_key("shared", multi_region=True)
    kms.client.replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1")
    here = allow(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})

    lines = failure(lambda: kms.assert_allowed_by(policy(here)))

    assert "       kms:CreateKey on *" == lines[3]
    kms.assert_allowed_by(policy(here, allow("kms:CreateKey")))


def test_only_the_calls_of_a_principal_are_asked(kms: FakeKMS, orders: Key) -> None:
    """A principal, the ARN of a session or of its role, or a service that calls for somebody."""
    app = kms.principal("role/app", policy=policy(allow()))
    s3 = kms.service("s3", on_behalf_of=app)
    s3.store(orders, "bucket/1")
    decrypting = policy(allow("kms:Decrypt"))
    via = policy(allow("kms:GenerateDataKey", Condition={"StringEquals": {"kms:ViaService": S3}}))

    for principal in (app, SESSION, APP):
        kms.assert_allowed_by(policy(*decrypting["Statement"], *via["Statement"]), principal=principal)
        assert "it would deny 1 of 2." in failure(lambda: kms.assert_allowed_by(decrypting, principal=principal))[0]  # noqa: B023
    kms.assert_allowed_by(via, principal=s3)
    assert [
        f"pytest-kms: expected the identity policy to allow the recorded calls of {SESSION} via {S3};"
        " it would deny 1 of 1.",
    ] == failure(lambda: kms.assert_allowed_by(decrypting, principal=s3))[:1]


def test_without_calls_nothing_is_allowed(kms: FakeKMS) -> None:
    """A test that asks about nothing fails; what was denied is nothing."""
    app = kms.client_for(kms.principal("role/app"))
    with pytest.raises(ClientError, match="AccessDenied"):
        app.list_keys()

    assert [
        f"pytest-kms: expected the identity policy to allow the recorded calls of {APP}; there are none.",
        NONE,
    ] == failure(lambda: kms.assert_allowed_by(policy(allow()), principal=APP))


def test_what_kms_does_by_itself_is_not_asked(kms: FakeKMS, orders: Key) -> None:
    """A deletion has no caller; calls with a key that is gone since are asked all the same."""
    kms.client.schedule_key_deletion(KeyId=orders.id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    kms.create_key()  # lets happen what was due

    assert "DeleteKey" == kms.trail.last.operation
    kms.assert_allowed_by(policy(allow(["kms:Encrypt", "kms:Decrypt", "kms:ScheduleKeyDeletion"])))


def test_days_without_use_are_counted_to_the_call(kms: FakeKMS) -> None:
    """Not to the end of the test."""
    key = kms.create_key()
    kms.client.disable_key(KeyId=key.id)
    kms.clock.advance(days=8)
    unused = policy(allow(Condition={"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "1"}}))

    kms.assert_allowed_by(unused)


def test_identity_policies_are_for_those_who_have_some(kms: FakeKMS) -> None:
    """AWS services on their own account and root users are left out, and refused by name."""
    key = kms.create_key("logs", policy=policy(allow(Principal="*")))
    logs = kms.service("logs")
    logs.client.generate_data_key(KeyId=key.arn, KeySpec="AES_256")
    root = kms.principal("root")
    kms.client_for(root).describe_key(KeyId=key.arn)
    kms.client.list_keys()
    lists = policy(allow("kms:ListKeys"))

    kms.assert_allowed_by(lists)
    assert (
        "pytest-kms: logs.us-east-1.amazonaws.com has no identity policies; ask the policy of a key, with key="
        == refusal(lambda: kms.assert_allowed_by(lists, principal=logs))
    )
    assert f"pytest-kms: {ROOT} has no identity policies; ask the policy of a key, with key=" == refusal(
        lambda: kms.assert_allowed_by(lists, principal=root)
    )


def test_what_a_grant_allows_needs_no_identity_policy(kms: FakeKMS) -> None:
    """But for a key of another account; nor does the grantee need one to retire the grant."""
    key = kms.create_key("orders")
    app = kms.principal("role/app")
    members = {"KeyId": key.arn, "GranteePrincipal": APP, "Operations": ["Encrypt", "CreateGrant", "RetireGrant"]}
    grant = kms.client.create_grant(**members)["GrantToken"]  # type: ignore[arg-type]
    client = kms.client_for(app)
    client.encrypt(KeyId=key.id, Plaintext=b"x")
    client.create_grant(KeyId=key.id, GranteePrincipal=TESTER, Operations=["Encrypt"])
    lists = policy(allow("kms:ListKeys"))

    kms.assert_allowed_by(lists, principal=app)
    client.retire_grant(GrantToken=grant)
    lines = failure(lambda: kms.assert_allowed_by(lists, principal=app))
    assert "it would deny 2 of 3." in lines[0]


# key policies


DEFAULT = allow(Principal=by(ROOT))
KEY_POLICIES: dict[str, list[dict[str, Any]]] = {
    "that leaves it to the account": [DEFAULT],
    "that names all callers": [allow("kms:Encrypt", Principal=by(TESTER)), allow("kms:Decrypt", Principal=by(APP))],
    "that names everybody": [allow(["kms:Encrypt", "kms:Decrypt"], Principal="*")],
}


@pytest.mark.parametrize("name", KEY_POLICIES)
def test_a_key_policy_is_asked_about_the_uses_of_its_key(kms: FakeKMS, orders: Key, name: str) -> None:
    """By all who used it; other calls do not matter, and identity policies are taken to allow what is left to them."""
    kms.client.list_keys()
    kms.client.describe_key(KeyId=kms.create_key().id)

    kms.assert_allowed_by(policy(*KEY_POLICIES[name]), key=orders)


def test_a_failure_tells_who_would_be_denied_by_a_key_policy(kms: FakeKMS, orders: Key) -> None:
    """The key as the test calls it, each caller whom its policy does not let in."""
    document = policy(allow("kms:Encrypt", Principal=by(TESTER)))

    assert [
        "pytest-kms: expected the key policy to allow the recorded calls with alias/orders; it would deny 1 of 2.",
        "What would be denied:",
        "  2. Decrypt alias/orders {tenant: a} by role/app -> ok",
        f"       kms:Decrypt on {orders.arn}",
        f"         the key policy does not allow kms:Decrypt to {SESSION}",
        WHAT_NEXT,
    ] == failure(lambda: kms.assert_allowed_by(document, key="alias/orders"))
    kms.assert_allowed_by(document, key=orders, principal=TESTER)


def test_a_key_policy_that_denies_denies(kms: FakeKMS, orders: Key) -> None:
    """Whatever it leaves to identity policies."""
    document = policy(DEFAULT, deny(Principal="*", Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}}))

    lines = failure(lambda: kms.assert_allowed_by(document, key=orders))

    assert "it would deny 2 of 2." in lines[0]
    assert lines[4].startswith("         statement 2 of the key policy denies it: ")


def test_services_and_other_accounts_are_asked_of_key_policies(kms: FakeKMS) -> None:
    """They need nobody else, or their own side's consent as well."""
    key = kms.create_key("shared", policy=policy(allow(Principal="*")))
    logs = kms.service("logs")
    logs.client.generate_data_key(KeyId=key.arn, KeySpec="AES_256")
    other = kms.principal("user/other", account="111122223333", policy=policy(allow()))
    kms.client_for(other).encrypt(KeyId=key.arn, Plaintext=b"x")
    of_service = allow("kms:GenerateDataKey", Principal={"Service": "logs.us-east-1.amazonaws.com"})

    kms.assert_allowed_by(policy(of_service), key=key, principal=logs)
    kms.assert_allowed_by(policy(of_service, allow("kms:Encrypt", Principal=by(OTHER))), key=key)
    assert "it would deny 1 of 2." in failure(lambda: kms.assert_allowed_by(policy(of_service), key=key))[0]


def test_what_a_grant_allows_needs_no_key_policy(kms: FakeKMS) -> None:
    """While the key has the grant; and a key policy has no say about who retires one."""
    key = kms.create_key("orders")
    app = kms.principal("role/app")
    grant = kms.client.create_grant(KeyId=key.arn, GranteePrincipal=APP, Operations=["Encrypt", "RetireGrant"])
    client = kms.client_for(app)
    client.encrypt(KeyId=key.id, Plaintext=b"x")
    document = policy(allow("kms:CreateGrant", Principal=by(TESTER)))

    kms.assert_allowed_by(document, key=key)
    client.retire_grant(GrantToken=grant["GrantToken"])
    assert "it would deny 1 of 2." in failure(lambda: kms.assert_allowed_by(document, key=key))[0]


# what cannot be asked


def test_a_condition_that_nobody_can_tell_is_refused(kms: FakeKMS, orders: Key) -> None:
    """An unknown condition key, and what is recorded nowhere."""
    asks = {"StringEquals": {"aws:NoSuchKey": "x"}}
    text = refusal(lambda: kms.assert_allowed_by(policy(allow(Condition=asks))))
    assert text.startswith(
        "pytest-kms: the policy cannot be asked about '1. Encrypt alias/orders {tenant: a} -> ok': statement 1"
    )

    agents = policy(allow(Condition={"StringLike": {"aws:UserAgent": "Boto3/*"}}))
    assert refusal(lambda: kms.assert_allowed_by(agents)).endswith("kms.trail does not hold aws:useragent")


MALFORMED: dict[str, tuple[Any, bool, str]] = {
    "no JSON": ("{", False, "the identity policy is none: the policy is not JSON: "),
    "no statement": ({}, True, "the key policy is none: the policy has no statement"),
    "an unknown operator": (
        policy(allow(Condition={"StringSounds": {"aws:UserId": "x"}})),
        False,
        "the identity policy cannot be evaluated: ",
    ),
    "no file": (Path("nowhere.json"), False, "the identity policy 'nowhere.json' cannot be read: "),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_policy_is_refused(kms: FakeKMS, orders: Key, name: str) -> None:
    """Ours to say, since no call is made."""
    given, of_key, text = MALFORMED[name]

    told = refusal(lambda: kms.assert_allowed_by(given, key=orders if of_key else None))

    assert told.startswith(f"pytest-kms: {text}")


def test_a_malformed_file_is_named(kms: FakeKMS, tmp_path: Path) -> None:
    """The refusal tells which file it is."""
    file = tmp_path / "app.json"
    file.write_text("[]")

    name = file.as_posix()
    assert f"pytest-kms: the identity policy '{name}' is none: the policy is not an object" == refusal(
        lambda: kms.assert_allowed_by(file)
    )
