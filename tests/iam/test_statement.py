"""A statement: its elements, and what each of them covers."""

from __future__ import annotations

from typing import Any

import pytest
from iam.cast import ALICE, KEY, Facts, allow, by, deny

from pytest_kms.iam import statement
from pytest_kms.iam.errors import Malformed
from pytest_kms.iam.principals import Named
from pytest_kms.iam.statement import Statement

BARE = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}


def of_key(data: Any, *, variables: bool = True) -> Statement:
    """Read a statement of a key policy."""
    return statement.parse(1, data, resource_based=True, variables=variables)


def of_identity(data: Any, *, variables: bool = True) -> Statement:
    """Read a statement of an identity policy."""
    return statement.parse(1, data, resource_based=False, variables=variables)


ACTIONS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "itself": ({"Action": "kms:Encrypt"}, "kms:encrypt", True),
    "in another letter case": ({"Action": "KMS:ENCRYPT"}, "kms:encrypt", True),
    "another": ({"Action": "kms:Encrypt"}, "kms:decrypt", False),
    "one of a list": ({"Action": ["kms:Encrypt", "kms:Decrypt"]}, "kms:decrypt", True),
    "a wildcard": ({"Action": "kms:ReEncrypt*"}, "kms:reencryptfrom", True),
    "a wildcard in the middle": ({"Action": "kms:*Key"}, "kms:generatedatakey", True),
    "all of a service": ({"Action": "kms:*"}, "kms:encrypt", True),
    "all of another service": ({"Action": "s3:*"}, "kms:encrypt", False),
    "all": ({"Action": "*"}, "kms:encrypt", True),
    "all but": ({"NotAction": "kms:Encrypt"}, "kms:encrypt", False),
    "all but others": ({"NotAction": ["kms:Decrypt", "kms:Get*"]}, "kms:encrypt", True),
    "a variable is no variable here": ({"Action": "kms:${kms:x}"}, "kms:encrypt", False),
}
RESOURCES: dict[str, tuple[dict[str, Any], bool]] = {
    "all": ({"Resource": "*"}, True),
    "itself": ({"Resource": KEY}, True),
    "another": ({"Resource": KEY + "0"}, False),
    "in another letter case": ({"Resource": KEY.upper().replace("ARN:", "arn:")}, False),
    "one of a list": ({"Resource": ["arn:aws:s3:::b", KEY]}, True),
    "a wildcard across the parts": ({"Resource": "arn:aws:kms:*:key/*"}, True),
    "a wildcard from the middle": ({"Resource": "arn:aws:k*"}, True),
    "aliases": ({"Resource": "arn:aws:kms:*:*:alias/*"}, False),
    "all but": ({"NotResource": KEY}, False),
    "all but others": ({"NotResource": "arn:aws:s3:::*"}, True),
    "a variable": ({"Resource": "arn:aws:kms:${aws:Region}:*:key/*"}, True),
    "a variable without a value": ({"Resource": "arn:aws:kms:${aws:Other}:*:key/*"}, False),
    "all but a variable without a value": ({"NotResource": "arn:aws:kms:${aws:Other}*"}, True),
}


@pytest.mark.parametrize(("element", "action", "expected"), ACTIONS.values(), ids=ACTIONS)
def test_a_statement_covers_actions(element: dict[str, Any], action: str, expected: bool) -> None:  # noqa: FBT001
    """Their letter case does not matter."""
    data = {"Effect": "Allow", "Resource": "*", **element}

    assert expected == of_identity(data).actions.cover(action, Facts())


@pytest.mark.parametrize(("element", "expected"), RESOURCES.values(), ids=RESOURCES)
def test_a_statement_covers_resources(element: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    """Their letter case matters; a star crosses all that there is in an ARN."""
    data = {"Effect": "Allow", "Action": "*", **element}

    assert expected == of_identity(data).has_resource(KEY, Facts({"aws:region": "us-east-1"}))


def test_a_variable_of_an_older_policy_is_text() -> None:
    """No resource is called so."""
    data = {**BARE, "Resource": "arn:aws:kms:${aws:Region}:*:key/*"}

    assert not of_identity(data, variables=False).has_resource(KEY, Facts({"aws:region": "us-east-1"}))


def test_a_key_policy_may_lack_the_resource() -> None:
    """AWS takes such a statement, and it has no effect."""
    data = allow("*")
    del data["Resource"]

    assert of_key(data).resources is None
    assert not of_key(data).has_resource(KEY, Facts())


def test_a_policy_of_an_identity_names_whom_it_is_attached_to() -> None:
    """It has no Principal."""
    assert Named.DIRECTLY is of_identity(BARE).named(ALICE)


def test_a_statement_of_a_key_names_its_principals() -> None:
    """A Deny reads NotPrincipal in its own way."""
    listed = {"NotPrincipal": by(ALICE.arn)}

    assert of_key(allow(by(ALICE.arn))).named(ALICE) is Named.DIRECTLY
    assert of_key({**allow(), **listed}).named(ALICE) is None
    assert of_key({**deny(), **listed}).named(ALICE) is Named.DIRECTLY


def test_all_conditions_must_hold() -> None:
    """Each of them can tell what it compared."""
    parsed = of_identity(allow(condition={"StringEquals": {"kms:a": "1", "kms:b": "2"}}))

    assert parsed.is_met(Facts({"kms:a": "1", "kms:b": "2"}))
    assert not parsed.is_met(Facts({"kms:a": "1"}))
    assert [True, False] == [trace.held for trace in parsed.traces(Facts({"kms:a": "1"}))]


def test_no_conditions_hold() -> None:
    """A statement without Condition asks for nothing."""
    assert of_identity(BARE).is_met(Facts())


@pytest.mark.parametrize(("more", "expected"), [({}, "statement 1"), ({"Sid": "Use it"}, "statement 1 (Use it)")])
def test_a_statement_has_a_name_in_reports(more: dict[str, str], expected: str) -> None:
    """It is its number, and its Sid."""
    assert expected == str(of_identity({**BARE, **more}))


def test_an_element_is_written_on_one_line() -> None:
    """So it stands in reports."""
    assert "NotAction kms:A, kms:B" == str(
        of_identity({"Effect": "Deny", "NotAction": ["kms:A", "kms:B"], "Resource": "*"}).actions
    )


def without(element: str) -> dict[str, Any]:
    """Take an element away."""
    return {name: value for name, value in BARE.items() if name != element}


NO_ACTIONS = "it has neither Action nor NotAction, or an empty one"
NO_RESOURCES = "it has neither Resource nor NotResource, or an empty one"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
MALFORMED: dict[str, tuple[Any, str, str]] = {
    "no object": ("x", "", "it is 'x', which is not an object"),
    "another element": ({**BARE, "Actions": "x"}, "", "it has the element 'Actions', which no statement has"),
    "a number as Sid": ({**BARE, "Sid": 1}, "", "Sid is 1, which is not a text"),
    "no effect": (without("Effect"), "", "Effect is ''; it must be Allow or Deny"),
    "another effect": ({**BARE, "Effect": "allow"}, "", "Effect is 'allow'; it must be Allow or Deny"),
    "a list of effects": ({**BARE, "Effect": ["Allow"]}, "", "Effect is ['Allow'], which is not a text"),
    "a principal": (
        {**BARE, "Principal": "*"},
        "Policy document should not specify a principal.",
        "it has Principal: such a policy is about whom it is attached to",
    ),
    "an exception of principals": (
        {**BARE, "NotPrincipal": "*"},
        "Policy document should not specify a principal.",
        "it has NotPrincipal: such a policy is about whom it is attached to",
    ),
    "no action": (without("Action"), "Policy statement must contain actions.", NO_ACTIONS),
    "an empty action": ({**BARE, "Action": []}, "Policy statement must contain actions.", NO_ACTIONS),
    "an action and its exception": ({**BARE, "NotAction": "*"}, "", "it has both Action and NotAction"),
    "an action of no service": ({**BARE, "Action": "Encrypt"}, VENDOR, "Action has 'Encrypt'"),
    "an action of any service": ({**BARE, "Action": ["kms:*", "*:Encrypt"]}, VENDOR, "Action has '*:Encrypt'"),
    "a number as action": ({**BARE, "Action": [1]}, "", "Action has 1, which is not a text"),
    "no resource": (without("Resource"), "Policy statement must contain resources.", NO_RESOURCES),
    "an empty resource": ({**BARE, "Resource": []}, "Policy statement must contain resources.", NO_RESOURCES),
    "a resource and its exception": ({**BARE, "NotResource": "*"}, "", "it has both Resource and NotResource"),
    "a resource that is no ARN": (
        {**BARE, "Resource": "alias/x"},
        'Resource alias/x must be in ARN format or "*".',
        "Resource has 'alias/x'",
    ),
    "a condition that is no object": ({**BARE, "Condition": "x"}, "", "Condition is 'x', which is not an object"),
}
MALFORMED_OF_KEYS: dict[str, tuple[Any, str, str]] = {
    "no principal": (
        BARE,
        "Policy contains a statement with no principal.",
        "it has neither Principal nor NotPrincipal",
    ),
    "a principal and its exception": (
        {**BARE, "Principal": "*", "NotPrincipal": "*"},
        "",
        "it has both Principal and NotPrincipal",
    ),
    "an empty resource": (
        {**BARE, "Principal": "*", "Resource": []},
        "Policy statement must contain resources.",
        NO_RESOURCES,
    ),
}


@pytest.mark.parametrize(("data", "message", "why"), MALFORMED.values(), ids=MALFORMED)
def test_a_statement_is_malformed(data: Any, message: str, why: str) -> None:
    """AWS's sentence may be empty; ours tells what is wrong."""
    with pytest.raises(Malformed) as excinfo:
        of_identity(data)

    assert (message, why) == (excinfo.value.message, excinfo.value.why)
    assert f"{message} {why}".strip() == str(excinfo.value)


@pytest.mark.parametrize(("data", "message", "why"), MALFORMED_OF_KEYS.values(), ids=MALFORMED_OF_KEYS)
def test_a_statement_of_a_key_policy_is_malformed(data: Any, message: str, why: str) -> None:
    """There a statement must say about whom it is."""
    with pytest.raises(Malformed) as excinfo:
        of_key(data)

    assert (message, why) == (excinfo.value.message, excinfo.value.why)
