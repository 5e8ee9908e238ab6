"""Patterns of words, `*` and `?`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kms.iam.matching import any_of, literally, pattern

MATCHES: dict[str, tuple[list[str], str, bool]] = {
    "a word": (["kms:Encrypt"], "kms:Encrypt", True),
    "a word in another case": (["kms:Encrypt"], "kms:encrypt", False),
    "one of two words": (["a", "b"], "b", True),
    "none of two words": (["a", "b"], "ab", False),
    "everything": (["*"], "a:b/c\nd", True),
    "everything, and nothing": (["*"], "", True),
    "a beginning": (["kms:Get*"], "kms:GetPublicKey", True),
    "a beginning that is all": (["kms:Get*"], "kms:Get", True),
    "another beginning": (["kms:Get*"], "kms:Generate", False),
    "an end": (["*/App"], "role/a/b/App", True),
    "a middle": (["a*c"], "abbc", True),
    "a middle of nothing": (["a*c"], "ac", True),
    "a middle that does not end": (["a*c"], "abcd", False),
    "stars in a row": (["a**c"], "abc", True),
    "one character": (["a?c"], "abc", True),
    "one character, a line's end": (["a?c"], "a\nc", True),
    "one character that is missing": (["a?c"], "ac", False),
    "a character too many": (["a?"], "abc", False),
    "a star and one character": (["a*?"], "a", False),
    "what means something to a regular expression": (["a.[b]+*|c"], "a.[b]+x|c", True),
    "a point is a point": (["a.*c"], "abc", False),
    "the second of two patterns": (["x*y", "a?c"], "abc", True),
    "a part of two patterns": (["x*y", "a?c"], "abcy", False),
    "a word beside patterns": (["x*y", "abc"], "abc", True),
    "a beginning beside patterns": (["x*y", "ab*"], "abc", True),
    "no pattern": ([], "", False),
}
ARNS: dict[str, tuple[str, str, bool]] = {
    "itself": ("arn:aws:iam::1:role/App", "arn:aws:iam::1:role/App", True),
    "a star in the account": ("arn:aws:iam::*:role/App", "arn:aws:iam::1:role/App", True),
    "a star for an empty part": ("arn:aws:iam:*:1:role/App", "arn:aws:iam::1:role/App", True),
    "a star that would have to cross parts": ("arn:aws:*:role/App:x:y", "arn:aws:iam::1:role/App:x:y", False),
    "a star alone": ("*", "arn:aws:iam::1:role/App", False),
    "one character that would have to be a colon": ("arn:aws:iam?:1:role:App", "arn:aws:iam::1:role:App", False),
    "a star in the last part crosses all": ("arn:aws:iam::1:*", "arn:aws:iam::1:a:b/c", True),
    "a star within the last part": ("arn:aws:iam::1:role/*/x", "arn:aws:iam::1:role/a:b/x", True),
    "one character of the last part": ("arn:aws:iam::1:role?x", "arn:aws:iam::1:role:x", True),
    "stars in all parts": ("*:*:*:*:*:*", "arn:aws:iam::1:role/App", True),
}


def reference(wanted: str, text: str) -> bool:
    """Match as the documentation describes it, one character after the other."""
    if not wanted:
        return not text
    if wanted[0] == "*":
        return reference(wanted[1:], text) or (bool(text) and reference(wanted, text[1:]))
    return bool(text) and wanted[0] in ("?", text[0]) and reference(wanted[1:], text[1:])


def reference_of_arns(wanted: str, text: str) -> bool:
    """Match each of six parts apart."""
    pairs = zip(wanted.split(":", 5), text.split(":", 5), strict=True)
    return all(reference(*pair) for pair in pairs)


@pytest.mark.parametrize(("patterns", "text", "expected"), MATCHES.values(), ids=MATCHES)
def test_a_text_matches_patterns(patterns: list[str], text: str, expected: bool) -> None:  # noqa: FBT001
    """A star is any run of characters, a question mark one of them."""
    assert expected == any_of(map(pattern, patterns))(text)


@pytest.mark.parametrize(("wanted", "arn", "expected"), ARNS.values(), ids=ARNS)
def test_arns_match_by_their_parts(wanted: str, arn: str, expected: bool) -> None:  # noqa: FBT001
    """Wildcards do not cross the five colons between the parts of an ARN."""
    assert expected == any_of([pattern(wanted)], by_parts=True)(arn)


def test_many_stars_take_no_ages() -> None:
    """To try all places for each of them would."""
    wanted = pattern("*a" * 20 + "*b")

    assert not any_of([wanted])("a" * 1000)
    assert any_of([wanted])("a" * 1000 + "b")


@given(st.text("ab*?:", max_size=8), st.text("ab*?:\n", max_size=8))
def test_matching_is_as_the_reference_has_it(wanted: str, text: str) -> None:
    """All short patterns and texts match as the model says."""
    assert reference(wanted, text) == any_of([pattern(wanted)])(text)


@given(st.lists(st.text("ab*?", max_size=4), max_size=4), st.text("ab", max_size=4))
def test_several_patterns_are_alternatives(patterns: list[str], text: str) -> None:
    """A text matches where it matches one of them."""
    assert any(reference(wanted, text) for wanted in patterns) == any_of(map(pattern, patterns))(text)


_PARTS = st.lists(st.text("ab*?", max_size=3), min_size=6, max_size=7).map(":".join)
_TEXTS = st.lists(st.text("ab", max_size=2), min_size=6, max_size=7).map(":".join)


@given(_PARTS, _TEXTS)
def test_matching_of_arns_is_as_the_reference_has_it(wanted: str, arn: str) -> None:
    """All patterns of six parts match as the model says."""
    assert reference_of_arns(wanted, arn) == any_of([pattern(wanted)], by_parts=True)(arn)


@given(st.text("ab*?"))
def test_a_pattern_can_be_written_again(text: str) -> None:
    """Only stars in a row become one."""
    written = literally(pattern(text))

    assert pattern(text) == pattern(written)
    assert "**" not in written
