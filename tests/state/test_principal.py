"""Principals: who they are in AWS's words, and what AWS has of each kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from policies import allow, by, deny, policy

from pytest_kms import FakeKMS, Principal, UsageError

if TYPE_CHECKING:
    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1", seed=1)

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
STS = f"arn:aws:sts::{ACCOUNT}"

# The caller's ARN, that of the identity behind it, aws:PrincipalType, aws:username, the session, and how the unique id
# begins that stands in aws:userid.
WHO: dict[str, tuple[str, dict[str, Any], tuple[str, str, str, str | None, str | None, str]]] = {
    "user": ("user/alice", {}, (f"{IAM}:user/alice", f"{IAM}:user/alice", "User", "alice", None, "AIDA")),
    "user with path": (
        "user/team/a/alice",
        {},
        (f"{IAM}:user/team/a/alice", f"{IAM}:user/team/a/alice", "User", "alice", None, "AIDA"),
    ),
    "role": (
        "role/app",
        {},
        (f"{STS}:assumed-role/app/pytest-kms", f"{IAM}:role/app", "AssumedRole", None, "pytest-kms", "AROA"),
    ),
    "session of a role with path": (
        "role/team/app",
        {"session": "i-1234567890"},
        (f"{STS}:assumed-role/app/i-1234567890", f"{IAM}:role/team/app", "AssumedRole", None, "i-1234567890", "AROA"),
    ),
    "federated user": (
        "federated-user/fred",
        {},
        (f"{STS}:federated-user/fred", f"{STS}:federated-user/fred", "FederatedUser", None, None, f"{ACCOUNT}:fred"),
    ),
    "root user": ("root", {}, (f"{IAM}:root", f"{IAM}:root", "Account", None, None, ACCOUNT)),
    "characters of names": (
        "user/a.b+c=d,e@f-g_h",
        {},
        (f"{IAM}:user/a.b+c=d,e@f-g_h", f"{IAM}:user/a.b+c=d,e@f-g_h", "User", "a.b+c=d,e@f-g_h", None, "AIDA"),
    ),
}


@pytest.mark.parametrize(("name", "more", "expected"), WHO.values(), ids=WHO)
def test_a_principal_is_named_as_aws_names_it(kms: FakeKMS, name: str, more: dict[str, Any], expected: Any) -> None:
    """A session is written without the path of its role, and the identity behind it with it."""
    principal = kms.principal(name, **more)
    *named, user_id = expected

    assert named == [
        principal.arn,
        principal.principal_arn,
        principal.type,
        principal.user_name,
        principal.session_name,
    ]
    assert principal.user_id.startswith(user_id)
    assert ACCOUNT == principal.account
    assert (None, None) == (principal.via, principal.source_arn)
    assert not principal.is_service
    assert not principal.unlimited


def test_a_session_s_unique_id_ends_with_its_name(kms: FakeKMS) -> None:
    """And all sessions of a role begin alike."""
    one, two = kms.principal("role/app", session="one"), kms.principal("role/app", session="two")

    assert ["one", "two"] == [session.user_id.partition(":")[2] for session in (one, two)]
    assert one.user_id.partition(":")[0] == two.user_id.partition(":")[0]
    assert one.user_id.partition(":")[0] != kms.principal("role/other").user_id.partition(":")[0]


@pytest.mark.kms(region="cn-north-1")
def test_a_principal_is_of_the_partition_of_the_fake(kms: FakeKMS) -> None:
    """In China ARNs begin in another way."""
    assert f"arn:aws-cn:iam::{ACCOUNT}:user/alice" == kms.principal("user/alice").arn
    assert f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/app/pytest-kms" == kms.principal("role/app").arn


def test_a_principal_may_be_of_another_account(kms: FakeKMS) -> None:
    """All of its names are."""
    bob = kms.principal("role/bob", account="111122223333")

    assert "111122223333" == bob.account
    assert "arn:aws:sts::111122223333:assumed-role/bob/pytest-kms" == bob.arn


@pytest.mark.kms(account="999999999999")
def test_a_principal_is_of_the_account_of_the_fake(kms: FakeKMS) -> None:
    """Like everything else by default."""
    assert "999999999999" == kms.principal("root").account


@pytest.mark.parametrize(
    "name",
    [
        *("", "alice", "/alice", "user/", "user//alice", "user/a b", "role", "role/app/", "root/", "Root"),
        *("group/admins", "assumed-role/app/session", "federated-user/team/fred", f"{IAM}:user/alice"),
    ],
)
def test_a_name_that_is_none(kms: FakeKMS, name: str) -> None:
    """It is a mistake of the test; the forms that there are are told."""
    with pytest.raises(UsageError) as excinfo:
        kms.principal(name)
    assert f"pytest-kms: {name!r} is no principal; say user/NAME, role/NAME, federated-user/NAME or root" == str(
        excinfo.value
    )


@pytest.mark.parametrize(
    ("name", "more"),
    [("user/é", {}), ("user/" + "a" * 65, {}), ("role/app", {"session": "a b"}), ("role/app", {"session": "a/b"})],
    ids=["letter", "length", "session", "session with path"],
)
def test_a_name_that_aws_would_not_take(kms: FakeKMS, name: str, more: dict[str, Any]) -> None:
    """Names have 64 characters of ASCII at most."""
    with pytest.raises(UsageError, match="cannot call: that does a user, the root user, a role's session or a"):
        kms.principal(name, **more)


def test_an_account_has_12_digits(kms: FakeKMS) -> None:
    """As everywhere."""
    with pytest.raises(UsageError, match="an account has 12 digits, '1' has not"):
        kms.principal("user/alice", account="1")


# what goes with which kind

ALL = policy(allow("*"))
GIVEN: dict[str, Any] = {
    "policy": ALL,
    "boundary": ALL,
    "session_policy": ALL,
    "session": "one",
    "tags": {"team": "shop"},
}
TAKES = {
    "user/alice": ["policy", "boundary", "tags"],
    "role/app": ["policy", "boundary", "session_policy", "session", "tags"],
    "federated-user/fred": ["policy", "boundary", "session_policy", "tags"],
    "root": [],
}


@pytest.mark.parametrize("what", GIVEN)
@pytest.mark.parametrize("name", TAKES)
def test_what_aws_has_for_each_kind(kms: FakeKMS, name: str, what: str) -> None:
    """Users have no sessions, and the root user has no policies at all; nothing given is ignored."""
    arguments = {what: GIVEN[what]}
    if name.startswith("federated") and what == "policy":
        arguments["session_policy"] = ALL
    if what in TAKES[name]:
        assert isinstance(kms.principal(name, **arguments), Principal)
        return
    with pytest.raises(UsageError) as excinfo:
        kms.principal(name, **arguments)
    takes = ", ".join(TAKES[name]) or "nothing: no IAM policy limits or helps the root user"
    assert f"pytest-kms: {name} can have no {what}; it takes {takes}" == str(excinfo.value)


def test_a_federated_user_needs_a_session_policy(kms: FakeKMS) -> None:
    """Without one AWS lets him do nothing by identity policies, which would be easily overlooked."""
    with pytest.raises(UsageError) as excinfo:
        kms.principal("federated-user/fred", policy=ALL)
    assert (
        "pytest-kms: federated-user/fred may do nothing by its policy alone: AWS lets a federated user do what the"
        " policies of his maker and his session policies both allow; give session_policy, too"
    ) == str(excinfo.value)


# policies


def names_of(client: Any, key: Key) -> str:
    """Describe a key, to see whether a client may."""
    return str(client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize("given", [json.dumps(ALL), ALL, [ALL], (json.dumps(ALL),), [policy(allow("s3:*")), ALL]])
def test_policies_are_json_or_mappings_one_or_more(kms: FakeKMS, given: Any) -> None:
    """As they stand in a file, or as a test writes them."""
    key = kms.create_key()
    for arguments in ({"policy": given}, {"policy": ALL, "session_policy": given}):
        assert key.id == names_of(kms.client_for(kms.principal("role/app", **arguments)), key)


def test_a_policy_is_that_of_the_moment(kms: FakeKMS) -> None:
    """What the test changes afterwards in its mapping changes nothing."""
    key, mine = kms.create_key(), policy(allow("*"))
    alice = kms.principal("user/alice", policy=mine)
    mine["Statement"].append(deny("*"))

    assert key.id == names_of(kms.client_for(alice), key)


WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "is none: the policy is not JSON"),
    "no statement": (policy(), "is none: the policy has no statement"),
    "a principal": (policy(allow(Principal=by(ACCOUNT))), "is none: Policy document should not specify a principal."),
    "no action": (policy(allow(Action=None)), "is none: Policy statement must contain actions."),
    "no resource": (policy(allow(Resource=None)), "is none: Policy statement must contain resources."),
    "operator": (
        policy(allow(Condition={"StringEqual": {"kms:KeySpec": "x"}})),
        "cannot be evaluated: statement 1: StringEqual kms:KeySpec: 'StringEqual' is no condition operator;"
        " did you mean StringEquals?",
    ),
    "operand": (policy(allow(Condition={"DateLessThan": {"aws:CurrentTime": "soon"}})), "cannot be evaluated: "),
}
KINDS = {"policy": "identity policy", "boundary": "permissions boundary", "session_policy": "session policy"}


@pytest.mark.parametrize(("given", "told"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("what", KINDS)
def test_a_policy_that_is_none(kms: FakeKMS, what: str, given: Any, told: str) -> None:
    """AWS would not take it, or nobody knows what it means: either is told at once."""
    with pytest.raises(UsageError) as excinfo:
        kms.principal("role/app", **{what: given})
    assert str(excinfo.value).startswith(f"pytest-kms: the {KINDS[what]} of role/app {told}")


def test_there_is_one_boundary(kms: FakeKMS) -> None:
    """A second one would be ignored."""
    boundaries: Any = [ALL, ALL]
    with pytest.raises(UsageError, match="the permissions boundary of role/app is none: the policy is not an object"):
        kms.principal("role/app", boundary=boundaries)


# condition keys of the surroundings


@pytest.mark.parametrize(
    ("value", "operator", "wanted"),
    [
        ("o-1", "StringEquals", "o-1"),
        (True, "Bool", "true"),
        (False, "Bool", "false"),
        (7, "NumericLessThan", "8"),
        (["o-1", "o-2"], "ForAnyValue:StringEquals", "o-2"),
        ([1, True], "ForAllValues:StringEquals", ["1", "true"]),
    ],
    ids=["text", "true", "false", "number", "texts", "mixed"],
)
def test_a_context_is_compared_as_aws_does(kms: FakeKMS, value: Any, operator: str, wanted: Any) -> None:
    """Python's values become texts; the letter case of the key is no matter."""
    key = kms.create_key()
    mine = policy(allow("*", Condition={operator: {"aws:PrincipalOrgID": wanted}}))
    alice = kms.principal("user/alice", policy=mine, context={"AWS:principalorgid": value})

    assert key.id == names_of(kms.client_for(alice), key)


@pytest.mark.parametrize("value", [None, 1.5, {"a": "b"}, ["o-1", None]], ids=["none", "float", "mapping", "in a list"])
def test_a_context_that_no_condition_could_compare(kms: FakeKMS, value: Any) -> None:
    """It would never match, so it is a mistake."""
    with pytest.raises(UsageError, match="aws:PrincipalOrgID is a text, a number, true or false, or a list of these"):
        kms.principal("user/alice", context={"aws:PrincipalOrgID": value})


# as a value


def test_a_principal_is_equal_to_itself_alone(kms: FakeKMS) -> None:
    """Two of the same name may have other policies; each can be a key of a mapping."""
    alice, other = kms.principal("user/alice"), kms.principal("user/alice")

    assert {alice: 1, other: 2}[alice] == 1
    assert alice != other
    assert alice.access_key != other.access_key


def test_a_principal_shows_itself(kms: FakeKMS) -> None:
    """Its names, without its policies."""
    shown = repr(kms.principal("role/app", policy=ALL, tags={"team": "shop"}))

    assert f"arn='{STS}:assumed-role/app/pytest-kms'" in shown
    assert "Statement" not in shown
