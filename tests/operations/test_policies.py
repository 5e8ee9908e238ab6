"""Key policies are told, put and refused as AWS does it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answers import STATES, TESTER, closed, each_unfit_name, error_of, invalid, members_of, unchecked
from botocore.config import Config

from pytest_kms import FakeKMS, Key, NotSupported, UsageError, fake_kms

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
ROOT = "arn:aws:iam::123456789012:root"
DEFAULT = """{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"""
LOCKED_OUT = {
    "Code": "MalformedPolicyDocumentException",
    "Message": "The new key policy will not allow you to update the key policy in the future.",
}
NO_PRINCIPAL = "Policy contains a statement with no principal."
INVALID_PRINCIPALS = "Policy contains a statement with one or more invalid principals."

each_writer = pytest.mark.parametrize("method", ["create_key", "put_key_policy"])


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key with the default policy."""
    return kms.create_key("orders")


def statement(principal: Any = ROOT, **elements: Any) -> dict[str, Any]:
    """Write a statement that allows everything, or what is asked for."""
    allowed = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*", **elements}
    return {name: value for name, value in allowed.items() if value is not None}


def policy(*statements: Any, **elements: Any) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **elements})


OF_ACCOUNT = policy(statement())
OF_OTHERS = policy(statement("arn:aws:iam::123456789012:role/app"))


def write(kms: FakeKMS, method: str, document: str, **members: Any) -> str:
    """Make a key with a policy, or put it; return the id of the key."""
    if method == "create_key":
        return kms.client.create_key(Policy=document, **members)["KeyMetadata"]["KeyId"]
    key_id = kms.create_key().id
    assert {} == members_of(kms.client.put_key_policy(KeyId=key_id, Policy=document, **members))
    return key_id


def put(kms: FakeKMS, method: str, document: str, **members: Any) -> str:
    """Make a key with a policy, or put it; return the one that GetKeyPolicy answers then."""
    return str(kms.client.get_key_policy(KeyId=write(kms, method, document, **members))["Policy"])


def refused(kms: FakeKMS, method: str, document: str, **members: Any) -> dict[str, str]:
    """Return the error that a policy ends with; the key keeps the one that it has, or is not made."""
    if method == "create_key":
        error = error_of(unchecked(kms), method, Policy=document, **members)
        assert [] == kms.client.list_keys()["Keys"]
    else:
        key = kms.create_key()
        error = error_of(unchecked(kms), method, KeyId=key.id, Policy=document, **members)
        assert DEFAULT == kms.client.get_key_policy(KeyId=key.id)["Policy"]
    return error


def malformed(message: str) -> dict[str, str]:
    """Return AWS's error for a policy that is none."""
    return {"Code": "MalformedPolicyDocumentException", "Message": message}


# GetKeyPolicy


@pytest.mark.parametrize("form", ["id", "arn"])
@pytest.mark.parametrize("members", [{}, {"PolicyName": "default"}], ids=["silent", "named"])
def test_a_key_has_the_default_policy(kms: FakeKMS, key: Key, form: str, members: dict[str, str]) -> None:
    """In AWS's own layout; the account of the key decides who may use it."""
    answer = members_of(kms.client.get_key_policy(KeyId=getattr(key, form), **members))
    assert {"Policy": DEFAULT, "PolicyName": "default"} == answer


def test_the_default_policy_is_of_the_key_s_partition(kms: FakeKMS) -> None:
    """The account's ARN is one of China there."""
    key = kms.create_key(region="cn-north-1")
    answer = kms.client_for(region="cn-north-1").get_key_policy(KeyId=key.id)
    assert DEFAULT.replace("arn:aws:", "arn:aws-cn:") == answer["Policy"]


@pytest.mark.parametrize("method", ["get_key_policy", "put_key_policy"])
def test_there_is_no_other_policy(kms: FakeKMS, key: Key, method: str) -> None:
    """The only name is default, in lower case."""
    members = {"Policy": OF_ACCOUNT} if method == "put_key_policy" else {}
    for name in ("Default", "mine"):
        assert {"Code": "NotFoundException", "Message": "No such policy exists"} == error_of(
            kms.client, method, KeyId=key.id, PolicyName=name, **members
        )
    assert DEFAULT == key.policy


@pytest.mark.parametrize("state", STATES)
def test_policies_are_told_and_put_in_every_state(kms: FakeKMS, key: Key, state: str) -> None:
    """The state of the key does not matter."""
    key.state = state
    kms.client.put_key_policy(KeyId=key.id, Policy=OF_ACCOUNT)
    assert OF_ACCOUNT == kms.client.get_key_policy(KeyId=key.id)["Policy"] == key.policy
    assert ["default"] == kms.client.list_key_policies(KeyId=key.id)["PolicyNames"]


# PutKeyPolicy, and the policy of CreateKey


@each_writer
@pytest.mark.parametrize("members", [{}, {"BypassPolicyLockoutSafetyCheck": False}], ids=["silent", "checked"])
def test_a_policy_is_answered_as_it_was_put(kms: FakeKMS, method: str, members: dict[str, Any]) -> None:
    """Space and order of the text stay."""
    document = f"  {json.dumps({'Statement': [statement()], 'Version': '2012-10-17', 'Id': 'mine'}, indent=7)}\n"
    assert document == put(kms, method, document, **members)


def test_a_policy_is_put_under_its_name(kms: FakeKMS, key: Key) -> None:
    """The name may be spelt out, and the key given by its ARN."""
    kms.client.put_key_policy(KeyId=key.arn, PolicyName="default", Policy=OF_ACCOUNT)
    assert OF_ACCOUNT == kms.client.get_key_policy(KeyId=key.id)["Policy"]


@each_writer
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(policy(statement(), Version="2008-10-17"), id="old version"),
        pytest.param(json.dumps({"Statement": statement()}), id="one statement"),
        pytest.param(policy(statement("123456789012")), id="account number"),
        pytest.param(policy(statement(TESTER)), id="the caller"),
        pytest.param(policy(statement("*")), id="everybody"),
        pytest.param(policy(statement(Action="*")), id="all actions"),
        pytest.param(policy(statement(Action=["kms:get*", "KMS:putkeypolicy"])), id="letter case"),
        pytest.param(policy(statement(), statement(Sid="x"), statement(Sid="x")), id="same Sids"),
        pytest.param(
            policy(statement(), statement({"a": 1}, Principal={"Service": "logs.amazonaws.com"})), id="service"
        ),
        pytest.param(
            policy(statement(), statement("*", Effect="Deny", Action="kms:Decrypt")), id="deny of another action"
        ),
        pytest.param(policy(statement(), statement(Action=None)), id="statement without action"),
        pytest.param(policy(statement(), statement(Resource=None)), id="statement without resource"),
        pytest.param(
            policy(statement(Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}})),
            id="condition that holds",
        ),
        pytest.param(
            policy(
                statement(),
                statement("*", Effect="Deny", Condition={"StringNotEquals": {"aws:PrincipalArn": TESTER}}),
            ),
            id="deny of others",
        ),
    ],
)
def test_policies_that_aws_takes(kms: FakeKMS, method: str, document: str) -> None:
    """The caller is an administrator of his account, and may put another policy later."""
    assert document == put(kms, method, document)


@each_writer
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(OF_OTHERS, id="others"),
        pytest.param(policy(statement("arn:aws:iam::210987654321:root")), id="another account"),
        pytest.param(policy(statement(Action=["kms:Get*", "kms:Encrypt"])), id="other actions"),
        pytest.param(policy(statement(Action=None)), id="no action"),
        pytest.param(policy(statement(Resource=None)), id="no resource"),
        pytest.param(policy(statement(Resource=f"{ARN}:key/1234abcd-12ab-34cd-56ef-1234567890ab")), id="another key"),
        pytest.param(policy(statement(Effect="Deny"), statement()), id="deny"),
        pytest.param(policy(statement(), statement(TESTER, Effect="Deny", Action="kms:Put*")), id="deny of the caller"),
        pytest.param(
            policy(statement(Condition={"StringEquals": {"kms:CallerAccount": "210987654321"}})), id="condition"
        ),
        pytest.param(
            policy(statement(Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})),
            id="service",
        ),
    ],
)
def test_nobody_locks_himself_out(kms: FakeKMS, method: str, document: str) -> None:
    """Unless he says that he means it; then he is."""
    assert LOCKED_OUT == refused(kms, method, document)
    key_id = write(kms, method, document, BypassPolicyLockoutSafetyCheck=True)
    assert [document] == [key.policy for key in kms.world.keys_called(key_id)]
    assert "AccessDeniedException" == error_of(kms.client, "put_key_policy", KeyId=key_id, Policy=OF_ACCOUNT)["Code"]


def test_a_lockout_is_explained(kms: FakeKMS, key: Key) -> None:
    """The report of a failing test tells who would be refused, and why."""
    error_of(kms.client, "put_key_policy", KeyId=key.id, Policy=OF_OTHERS)
    assert (
        f"User: {TESTER} is not authorized to perform: kms:PutKeyPolicy on resource: {key.arn} because no"
        " resource-based policy allows the kms:PutKeyPolicy action; BypassPolicyLockoutSafetyCheck takes the policy"
        " all the same\n"
        f"the key policy does not allow kms:PutKeyPolicy to {TESTER}\n"
        "in vain: statement 1 of identity policy 'user/tester' allows it, but the key policy does not let identity"
        " policies decide\n"
        f"nearly: statement 1 of the key policy: Principal arn:aws:iam::123456789012:role/app does not name {TESTER}"
    ) == kms.trail.last.why


# Who writes, with which policies of his own, and whether he could put the next policy.
APP = "arn:aws:iam::123456789012:role/app"
APP_SESSION = "arn:aws:sts::123456789012:assumed-role/app/pytest-kms"
CREATE = {"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}
PUT = {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NEVER = {"Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*"}
WRITERS: dict[str, tuple[str, dict[str, Any], str, bool]] = {
    "account, no policy for it": ("role/app", {"policy": policy(CREATE)}, OF_ACCOUNT, False),
    "account, a policy for it": ("role/app", {"policy": policy(CREATE, PUT)}, OF_ACCOUNT, True),
    "account, a boundary": (
        "role/app",
        {"policy": policy(EVERYTHING), "boundary": policy(CREATE)},
        OF_ACCOUNT,
        False,
    ),
    "account, a session policy": (
        "role/app",
        {"policy": policy(EVERYTHING), "session_policy": policy(CREATE)},
        OF_ACCOUNT,
        False,
    ),
    "role": ("role/app", {"policy": policy(CREATE)}, policy(statement(APP)), True),
    "role, another action": (
        "role/app",
        {"policy": policy(CREATE, PUT)},
        policy(statement(APP, Action="kms:G*")),
        False,
    ),
    "role, a boundary": (
        "role/app",
        {"policy": policy(CREATE), "boundary": policy(CREATE)},
        policy(statement(APP)),
        False,
    ),
    "session, a boundary": (
        "role/app",
        {"policy": policy(CREATE), "boundary": policy(CREATE)},
        policy(statement(APP_SESSION)),
        True,
    ),
    "another session": (
        "role/app",
        {"policy": policy(CREATE), "session": "other"},
        policy(statement(APP_SESSION)),
        False,
    ),
    "user": (
        "user/alice",
        {"policy": policy(CREATE)},
        policy(statement("arn:aws:iam::123456789012:user/alice")),
        True,
    ),
    "user by a tag": (
        "user/alice",
        {"policy": policy(CREATE), "tags": {"team": "shop"}},
        policy(statement("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "shop"}})),
        True,
    ),
    "user without the tag": (
        "user/alice",
        {"policy": policy(CREATE)},
        policy(statement("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "shop"}})),
        False,
    ),
    "root": ("root", {}, OF_ACCOUNT, True),
    "root, a user alone": ("root", {}, policy(statement(TESTER)), False),
}


@pytest.mark.parametrize("method", ["create_key", "put_key_policy", "replicate_key"])
@pytest.mark.parametrize(("name", "policies", "document", "allowed"), WRITERS.values(), ids=WRITERS)
def test_who_locks_himself_out(
    kms: FakeKMS,
    method: str,
    name: str,
    policies: dict[str, Any],
    document: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    """His own policies and limits count as they would for PutKeyPolicy."""
    writer = kms.principal(name, **policies)
    client = kms.client_for(writer)
    key = kms.create_key(multi_region=True, policy=policy(statement(writer.arn)))
    names_key = {
        "create_key": {},
        "put_key_policy": {"KeyId": key.id},
        "replicate_key": {"KeyId": key.id, "ReplicaRegion": "eu-west-1"},
    }[method]
    if allowed:
        getattr(client, method)(Policy=document, **names_key)
    else:
        assert LOCKED_OUT == error_of(client, method, Policy=document, **names_key)
        getattr(client, method)(Policy=document, BypassPolicyLockoutSafetyCheck=True, **names_key)
    assert None is kms.trail.last.error


@pytest.mark.parametrize("method", ["create_key", "replicate_key"])
def test_who_may_put_no_policy_locks_himself_out(kms: FakeKMS, method: str) -> None:
    """A Deny of his own counts, even where the key policy names him."""
    writer = kms.principal("user/alice", policy=policy(CREATE, NEVER))
    document = policy(statement(writer.arn))
    key = kms.create_key(multi_region=True, policy=document)
    members = {"KeyId": key.id, "ReplicaRegion": "eu-west-1"} if method == "replicate_key" else {}

    assert LOCKED_OUT == error_of(kms.client_for(writer), method, Policy=document, **members)


@pytest.mark.parametrize("method", ["create_key", "put_key_policy", "replicate_key"])
def test_a_lockout_depends_on_how_the_policy_is_sent(kms: FakeKMS, key: Key, method: str) -> None:
    """The next one is taken to come the same way: to that Region, by TLS or not, from such a client."""
    root = kms.principal("root")
    key = kms.create_key(multi_region=True)
    where = "eu-west-1" if method == "replicate_key" else "us-east-1"
    document = policy(
        statement(
            Condition={
                "Bool": {"aws:SecureTransport": "true"},
                "StringEquals": {"aws:RequestedRegion": where},
                "StringLike": {"aws:UserAgent": "*vault/1*"},
            }
        )
    )
    names_key = {
        "create_key": {},
        "put_key_policy": {"KeyId": key.id},
        "replicate_key": {"KeyId": key.id, "ReplicaRegion": where},
    }[method]
    vault: Any = Config(user_agent_extra="vault/1")
    session = kms.session_for(root)
    for client in (session.client("kms"), session.client("kms", config=vault, use_ssl=False)):
        assert LOCKED_OUT == error_of(client, method, Policy=document, **names_key)
    getattr(session.client("kms", config=vault), method)(Policy=document, **names_key)


def test_a_policy_may_name_its_key(kms: FakeKMS, key: Key) -> None:
    """A key that is there has an ARN that its policy can say."""
    document = policy(statement(Resource=key.arn))
    kms.client.put_key_policy(KeyId=key.id, Policy=document)
    assert document == key.policy


@each_writer
@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param("no policy", "", id="no JSON"),
        pytest.param("[]", "", id="no object"),
        pytest.param("{}", "", id="no statement"),
        pytest.param(policy(statement(), Version="2020-01-01"), "", id="version"),
        pytest.param(policy(statement(), Name="x"), "", id="element"),
        pytest.param(policy(statement(Effect="Maybe")), "", id="effect"),
        pytest.param(policy(statement(Principal=None)), NO_PRINCIPAL, id="no principal"),
        pytest.param(policy(statement(), statement([])), NO_PRINCIPAL, id="empty list of principals"),
        pytest.param(policy(statement(), statement("alice")), INVALID_PRINCIPALS, id="name"),
        pytest.param(
            policy(statement(), statement("arn:aws:iam::123456789012:group/admins")), INVALID_PRINCIPALS, id="group"
        ),
    ],
)
def test_policies_that_are_malformed(kms: FakeKMS, method: str, document: str, message: str, bypass: bool) -> None:  # noqa: FBT001
    """The check that may be bypassed is another one; AWS says nothing of what is no policy at all."""
    assert malformed(message) == refused(kms, method, document, BypassPolicyLockoutSafetyCheck=bypass)


@each_writer
def test_a_policy_has_up_to_32768_bytes(kms: FakeKMS, method: str) -> None:
    """Letters of Latin-1 beyond ASCII count twice; the model's own limit is told in the model's words."""
    room = 32_768 - len(policy(statement(Sid="")).encode())
    longest = policy(statement(Sid="x" * room))
    assert longest == put(kms, method, longest)
    too_long = {"Code": "LimitExceededException", "Message": "The key policy has 32769 bytes, the limit is 32768."}
    assert too_long == refused_anew(kms, method, policy(statement(Sid="x" * (room + 1))))
    accented = policy(statement(Sid="")).replace('"Sid": ""', f'"Sid": "{"é" * (room // 2)}{"x" * (room % 2 + 1)}"')
    assert too_long == refused_anew(kms, method, accented)
    endless = "x" * 131_073
    assert invalid(
        f"Value '{endless}' at 'policy' failed to satisfy constraint: Member must have length less than or equal to"
        " 131072"
    ) == refused_anew(kms, method, endless)


def refused_anew(kms: FakeKMS, method: str, document: str) -> dict[str, str]:
    """Return the error that a policy ends with where there are no keys yet."""
    kms.reset()
    return refused(kms, method, document)


@each_writer
@pytest.mark.parametrize("character", ["\u0100", "\u0007"])
def test_a_policy_is_written_in_latin_letters(kms: FakeKMS, method: str, character: str) -> None:
    """And without control characters."""
    document = OF_ACCOUNT.replace("2012", character)
    assert invalid(
        f"Value '{document}' at 'policy' failed to satisfy constraint: Member must satisfy regular expression pattern:"
        r" [\u0009\u000A\u000D\u0020-\u00FF]+"
    ) == refused(kms, method, document)


@each_writer
@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"StringIsh": {"kms:CallerAccount": "1"}}, "'StringIsh' is no condition operator"),
        ({"StringEquals": {"kms:CallerAcount": "1"}}, "the condition key kms:CallerAcount is not known"),
    ],
    ids=["operator", "key"],
)
def test_a_policy_that_nobody_understands_fails_the_test(method: str, condition: dict[str, Any], told: str) -> None:
    """What it would mean to AWS is not guessed."""
    with fake_kms(unsupported="ignore") as kms:
        members = {"KeyId": kms.create_key().id} if method == "put_key_policy" else {}
        with pytest.raises(NotSupported, match=told) as excinfo:
            getattr(kms.client, method)(Policy=policy(statement(Condition=condition)), **members)
    assert str(excinfo.value).startswith("pytest-kms: the key policy of ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("no policy", "the policy is not JSON"),
        ({"Statement": [statement(Principal=None)]}, NO_PRINCIPAL),
        (policy(statement(Condition={"StringIsh": {"a": "b"}})), "'StringIsh' is no condition operator"),
    ],
    ids=["no JSON", "no principal", "operator"],
)
def test_a_key_is_not_arranged_with_a_policy_that_is_none(kms: FakeKMS, given: Any, told: str) -> None:
    """It is a mistake of the test."""
    with pytest.raises(UsageError, match=told) as excinfo:
        kms.create_key(policy=given)
    assert str(excinfo.value).startswith("pytest-kms: the key policy is none that a key can have: ")


@pytest.mark.parametrize("given", [OF_ACCOUNT, json.loads(OF_ACCOUNT)], ids=["text", "mapping"])
def test_a_key_is_arranged_with_a_policy(kms: FakeKMS, given: Any) -> None:
    """As text or as a mapping."""
    key = kms.create_key(policy=given)
    assert OF_ACCOUNT == kms.client.get_key_policy(KeyId=key.id)["Policy"]


# ListKeyPolicies


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_has_one_policy(kms: FakeKMS, key: Key, form: str) -> None:
    """It is called default; there is one page of it."""
    answer = kms.client.list_key_policies(KeyId=getattr(key, form), Limit=1)
    assert {"PolicyNames": ["default"], "Truncated": False} == members_of(answer)
    pages = kms.client.get_paginator("list_key_policies").paginate(KeyId=key.id)
    assert ["default"] == [name for page in pages for name in page["PolicyNames"]]


@pytest.mark.parametrize(
    ("limit", "constraint"),
    [
        (0, "Member must have value greater than or equal to 1"),
        (1001, "Member must have value less than or equal to 1000"),
    ],
)
def test_a_page_of_policies_has_1_to_1000(kms: FakeKMS, key: Key, limit: int, constraint: str) -> None:
    """However few there are."""
    assert invalid(f"Value '{limit}' at 'limit' failed to satisfy constraint: {constraint}") == error_of(
        unchecked(kms), "list_key_policies", KeyId=key.id, Limit=limit
    )


def test_a_marker_that_nobody_gave(kms: FakeKMS, key: Key) -> None:
    """It is refused without a word."""
    assert {"Code": "InvalidMarkerException", "Message": ""} == error_of(
        kms.client, "list_key_policies", KeyId=key.id, Marker="abc"
    )


# All three: the key

MEMBERS: dict[str, dict[str, Any]] = {
    "get_key_policy": {},
    "put_key_policy": {"Policy": OF_ACCOUNT},
    "list_key_policies": {},
}
ACTIONS = {
    "get_key_policy": "GetKeyPolicy",
    "put_key_policy": "PutKeyPolicy",
    "list_key_policies": "ListKeyPolicies",
}
each_operation = pytest.mark.parametrize("method", MEMBERS)


@each_operation
@each_unfit_name
def test_a_key_is_named_by_id_or_arn(kms: FakeKMS, key: Key, method: str, key_id: str, code: str, message: str) -> None:
    """Aliases are not taken, whether they exist or not."""
    assert {"Code": code, "Message": message} == error_of(kms.client, method, KeyId=key_id, **MEMBERS[method])


@each_operation
def test_policies_of_another_account_are_closed(kms: FakeKMS, method: str) -> None:
    """Whether the key exists is not told."""
    foreign = kms.create_key(account="210987654321")
    assert closed(ACTIONS[method]) == error_of(kms.client, method, KeyId=foreign.arn, **MEMBERS[method])


def test_the_policy_of_an_aws_managed_key_is_aws_s(kms: FakeKMS) -> None:
    """Anybody of the account may read it, nobody may put another."""
    key = kms.aws_managed_key("s3")
    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:PutKeyPolicy on resource: {key.arn} because no"
        " resource-based policy allows the kms:PutKeyPolicy action",
    } == error_of(kms.client, "put_key_policy", KeyId=key.id, Policy=OF_ACCOUNT)
    assert key.policy == kms.client.get_key_policy(KeyId=key.id)["Policy"]
