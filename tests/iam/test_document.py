"""Policy documents: what may stand in one, and what AWS refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam.cast import allow
from iam.strategies import statements

from pytest_kms.iam import document
from pytest_kms.iam.document import IDENTITY_POLICY, KEY_POLICY, PERMISSIONS_BOUNDARY, SESSION_POLICY, Document
from pytest_kms.iam.errors import BadOperand, Malformed, UnknownOperator

ATTACHED = [IDENTITY_POLICY, PERMISSIONS_BOUNDARY, SESSION_POLICY]


def written(*statements: Any, **elements: Any) -> dict[str, Any]:
    """Write a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements), **elements}


def test_a_document_has_its_elements() -> None:
    """They are as they were written."""
    policy = document.parse(written(allow("*", Sid="One"), allow("*"), Id="key-default-1"), KEY_POLICY)

    assert ("key policy", "2012-10-17", "key-default-1") == (policy.kind, policy.version, policy.id)
    assert [(1, "One"), (2, "")] == [(each.number, each.sid) for each in policy.statements]


def test_a_statement_may_stand_alone() -> None:
    """It is as if it stood in a list."""
    assert document.parse({"Statement": allow("*")}, KEY_POLICY) == document.parse(
        {"Statement": [allow("*")]}, KEY_POLICY
    )


def test_a_document_without_a_version_is_an_old_one() -> None:
    """In old ones variables are text."""
    data = allow("*", condition={"StringLike": {"kms:x": "${"}})

    assert "2008-10-17" == document.parse({"Statement": [data]}, KEY_POLICY).version
    with pytest.raises(BadOperand):
        document.parse(written(data), KEY_POLICY)


@pytest.mark.parametrize("kind", ATTACHED)
def test_what_is_attached_to_a_principal_names_none(kind: str) -> None:
    """The three kinds are read alike."""
    document.parse(written(allow()), kind)
    with pytest.raises(Malformed, match="should not specify a principal"):
        document.parse(written(allow("*")), kind)


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (KEY_POLICY, "", "the key policy"),
        (SESSION_POLICY, "", "the session policy"),
        (IDENTITY_POLICY, "app", "identity policy 'app'"),
    ],
)
def test_a_document_has_a_name_in_reports(kind: str, name: str, expected: str) -> None:
    """It is its kind, and what it is called."""
    principal = "*" if kind == KEY_POLICY else None

    assert expected == str(document.parse(written(allow(principal)), kind, name=name))


MALFORMED: dict[str, tuple[Any, str]] = {
    "no JSON": ("[1 2]", "the policy is not JSON: Expecting ',' delimiter: line 1 column 4 (char 3)"),
    "no text": ("", "the policy is not JSON: Expecting value: line 1 column 1 (char 0)"),
    "not a number": ('{"Version": NaN}', "the policy is not JSON: NaN"),
    "a list": ("[]", "the policy is not an object"),
    "bytes": (b"{}", "the policy is not an object"),
    "an element twice": ('{"Id": "a", "Id": "b"}', "'Id' stands more than once in one object"),
    "another element": (
        {"Statements": []},
        "the policy has the element 'Statements'; it may have Version, Id and Statement",
    ),
    "another version": (
        {"Version": "2012-10-18"},
        "Version is '2012-10-18'; there are 2008-10-17 and 2012-10-17",
    ),
    "a version that is no text": ({"Version": []}, "Version is []; there are 2008-10-17 and 2012-10-17"),
    "an id that is no text": ({"Id": 1}, "Id is 1, which is not a text"),
    "no statement": ({}, "the policy has no statement"),
    "an empty list of statements": ({"Statement": []}, "the policy has no statement"),
    "a statement that is none": ({"Statement": [allow("*"), 1]}, "statement 2: it is 1, which is not an object"),
}


@pytest.mark.parametrize(("policy", "why"), MALFORMED.values(), ids=MALFORMED)
def test_a_document_is_malformed(policy: Any, why: str) -> None:
    """AWS has no message for what is no policy document; ours tells what is wrong."""
    with pytest.raises(Malformed) as excinfo:
        document.parse(policy, KEY_POLICY)

    assert ("", why) == (excinfo.value.message, excinfo.value.why)


def test_deep_nesting_is_malformed() -> None:
    """It is no reason to break down."""
    with pytest.raises(Malformed, match="the policy is not JSON"):
        document.parse("[" * 100_000, KEY_POLICY)


def test_an_operator_that_stands_twice_is_malformed() -> None:
    """Else one of the two conditions would be lost."""
    text = json.dumps(written(allow("*", condition={"Bool": {"kms:a": "true"}, "Null": {"kms:b": "true"}})))

    with pytest.raises(Malformed) as excinfo:
        document.parse(text.replace("Null", "Bool"), KEY_POLICY)

    assert "'Bool' stands more than once in one object" == excinfo.value.why


def test_a_malformed_statement_is_named() -> None:
    """The sentence is AWS's, its place is ours."""
    with pytest.raises(Malformed) as excinfo:
        document.parse(written(allow("*"), allow({"AWS": "arn:aws:iam::*:root"})), KEY_POLICY)

    assert "Policy contains a statement with one or more invalid principals." == excinfo.value.message
    assert "statement 2: Principal has 'arn:aws:iam::*:root', which is no principal of kind AWS" == excinfo.value.why


def test_a_condition_that_is_not_understood_is_named() -> None:
    """Neither its operators nor its operands are passed over."""
    with pytest.raises(UnknownOperator) as excinfo:
        document.parse(written(allow("*", condition={"StringEqual": {"kms:a": "x"}})), KEY_POLICY)

    expected = "statement 1: StringEqual kms:a: 'StringEqual' is no condition operator; did you mean StringEquals?"
    assert expected == excinfo.value.what


SIDS: dict[str, tuple[list[str], str, str]] = {
    "twice": (["A", "A"], "Statement IDs (SID) in a single policy must be unique.", "'A' stands more than once"),
    "with a space": (
        ["A b"],
        "Statement IDs (SID) must be alpha-numeric."
        " Check that your input satisfies the regular expression [0-9A-Za-z]*",
        "one is 'A b'",
    ),
}


@pytest.mark.parametrize(("sids", "message", "why"), SIDS.values(), ids=SIDS)
@pytest.mark.parametrize("kind", ATTACHED)
def test_identity_policies_are_strict_about_sids(kind: str, sids: list[str], message: str, why: str) -> None:
    """So IAM is; KMS is not, its own policies have one twice."""
    with pytest.raises(Malformed) as excinfo:
        document.parse(written(*(allow(Sid=sid) for sid in sids)), kind)

    assert (message, why) == (excinfo.value.message, excinfo.value.why)
    document.parse(written(*(allow("*", Sid=sid) for sid in sids)), KEY_POLICY)


def test_statements_without_a_sid_are_many() -> None:
    """An empty one is none."""
    assert 3 == len(document.parse(written(allow(), allow(), allow(Sid="")), IDENTITY_POLICY).statements)


def parsed(policy: Any) -> Document:
    """Read a key policy."""
    return document.parse(policy, KEY_POLICY)


@given(st.lists(statements(resource_based=True), min_size=1, max_size=4))
def test_json_and_objects_are_read_alike(drawn: list[dict[str, Any]]) -> None:
    """A document does not change when it is written down and read again."""
    policy = written(*drawn)
    before = json.dumps(policy)

    assert parsed(policy) == parsed(before) == parsed(json.dumps(policy, indent=2))
    assert before == json.dumps(policy)
