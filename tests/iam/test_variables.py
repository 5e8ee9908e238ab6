"""Policy variables: what stands in their place, and where they are text."""

from __future__ import annotations

import pytest
from iam.cast import Facts

from pytest_kms.iam.errors import BadOperand, UnknownConditionKey
from pytest_kms.iam.variables import explained, matches_any

CONTEXT = Facts(
    {
        "aws:username": "alice",
        "aws:principaltag/team": "blue",
        "aws:principaltag/cost center": "7",
        "aws:principaltag/wild": "*",
        "aws:principaltag/empty": "",
        "aws:tagkeys": ["a"],
    }
)
MATCHES: dict[str, tuple[str, str, bool]] = {
    "a value": ("${aws:username}", "alice", True),
    "another value": ("${aws:username}", "bob", False),
    "a value among text": ("home/${aws:username}/*", "home/alice/x", True),
    "two values": ("${aws:username}-${aws:PrincipalTag/team}", "alice-blue", True),
    "a key in another letter case": ("${AWS:UserName}", "alice", True),
    "a key with a space": ("${aws:PrincipalTag/cost center}", "7", True),
    "spaces around": ("${ aws:username }", "alice", True),
    "an empty value": ("x${aws:PrincipalTag/empty}", "x", True),
    "no value": ("${aws:PrincipalTag/none}", "", False),
    "no value among text": ("*${aws:PrincipalTag/none}*", "${aws:PrincipalTag/none}", False),
    "a default": ("${aws:PrincipalTag/none, 'nobody'}", "nobody", True),
    "a default without a space": ("${aws:PrincipalTag/none,'nobody'}", "nobody", True),
    "an empty default": ("x${aws:PrincipalTag/none, ''}", "x", True),
    "a default that is not needed": ("${aws:username, 'nobody'}", "alice", True),
    "a default that is not needed does not match": ("${aws:username, 'nobody'}", "nobody", False),
    "a multi-valued key": ("${aws:TagKeys}", "a", False),
    "a multi-valued key with a default": ("${aws:TagKeys, 'a'}", "a", False),
    "a wildcard in a value is a character": ("${aws:PrincipalTag/wild}", "x", False),
    "a wildcard in a value matches itself": ("${aws:PrincipalTag/wild}", "*", True),
    "the star itself": ("a${*}", "a*", True),
    "the star itself is no wildcard": ("a${*}", "ab", False),
    "the question mark itself": ("a${?}", "a?", True),
    "the question mark itself is no wildcard": ("a${?}", "ab", False),
    "the dollar sign itself": ("${$}{aws:username}", "${aws:username}", True),
    "a dollar sign that opens nothing": ("$5", "$5", True),
}


@pytest.mark.parametrize(("wanted", "text", "expected"), MATCHES.values(), ids=MATCHES)
def test_values_stand_in_for_variables(wanted: str, text: str, expected: bool) -> None:  # noqa: FBT001
    """What has no value matches nothing."""
    assert expected == matches_any([wanted], variables=True)(text, CONTEXT)


@pytest.mark.parametrize(
    ("wanted", "text"), [("${aws:username}", "${aws:username}"), ("${*}", "${anything}"), ("${", "${")]
)
def test_without_variables_they_are_text(wanted: str, text: str) -> None:
    """In policies of Version 2008-10-17 a dollar sign is one, and a star within braces a wildcard."""
    assert matches_any([wanted], variables=False)(text, CONTEXT)


def test_variables_and_texts_are_alternatives() -> None:
    """A value matches by the one or the other."""
    matches = matches_any(["bob", "${aws:username}"], variables=True)

    assert [True, True, False] == [matches(text, CONTEXT) for text in ("bob", "alice", "carol")]


@pytest.mark.parametrize("text", ["${", "${}", "${aws:username", "a${*", "${a, b}", "${a, 'b}", "${a}${"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    """A variable that is not closed or has no name is no text either."""
    with pytest.raises(BadOperand) as excinfo:
        matches_any([text], variables=True)

    assert f"{text!r} has a policy variable that cannot be read" == excinfo.value.what


def test_a_variable_of_an_unknown_key_is_refused() -> None:
    """Whether it has a value would be a guess."""
    matches = matches_any(["${aws:Unknown}"], variables=True)

    with pytest.raises(UnknownConditionKey, match="the condition key aws:Unknown is not known"):
        matches("x", CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain*", "plain*"),
        ("${aws:username}/*", "${aws:username}/* (here alice/*)"),
        ("${aws:PrincipalTag/none}", "${aws:PrincipalTag/none} (which has no value)"),
    ],
)
def test_a_report_shows_what_variables_stand_for(text: str, expected: str) -> None:
    """What has none is left as it is."""
    assert expected == explained(text, CONTEXT)
