"""Patterns with `*` (any run of characters, of none too) and `?` (one character).

A pattern is a tuple of texts and wildcards, so that a `*` which is meant as itself stays one. In an ARN that is
matched by its parts, no wildcard crosses the first five colons.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ARN_COLONS = 5

_WILDCARDS = re.compile(r"(\*+|\?)")


class Wildcard(Enum):
    """What stands for other characters."""

    ANY = "*"
    ONE = "?"


Token = str | Wildcard
Pattern = tuple[Token, ...]

EVERYTHING: Pattern = (Wildcard.ANY,)


def pattern(text: str) -> Pattern:
    """Read `kms:Get*` as a pattern."""
    return tuple(Wildcard(part[0]) if part[0] in "*?" else part for part in _WILDCARDS.split(text) if part)


def literally(tokens: Iterable[Token]) -> str:
    """Write a pattern as a text, in which wildcards are characters like any other."""
    return "".join(token if isinstance(token, str) else token.value for token in tokens)


def any_of(patterns: Iterable[Pattern], *, by_parts: bool = False) -> Callable[[str], bool]:
    """Return a test whether a text matches one of the patterns, an ARN `by_parts`.

    Most patterns are words, or beginnings of words: only the others need regular expressions, made on first use.
    """
    words, beginnings, others = set(), [], []
    for tokens in patterns:
        if all(isinstance(token, str) for token in tokens):
            words.add(literally(tokens))
        elif _is_beginning(tokens, by_parts=by_parts):
            beginnings.append(literally(tokens[:-1]))
        else:
            others.append(_regular_expression(tokens, by_parts=by_parts))
    return _test(frozenset(words), tuple(beginnings), tuple(others))


def _test(words: frozenset[str], beginnings: tuple[str, ...], others: tuple[str, ...]) -> Callable[[str], bool]:
    if others:
        return lambda text: (
            text in words
            or text.startswith(beginnings)
            or any(_compiled(expression).fullmatch(text) for expression in others)
        )
    if beginnings:
        return lambda text: text in words or text.startswith(beginnings)
    return words.__contains__


def _is_beginning(tokens: Pattern, *, by_parts: bool) -> bool:
    *before, last = tokens
    if last is not Wildcard.ANY or not all(isinstance(token, str) for token in before):
        return False
    return not by_parts or literally(before).count(":") >= ARN_COLONS


def _regular_expression(tokens: Pattern, *, by_parts: bool) -> str:
    """Write a pattern as a regular expression.

    What follows a star is taken where it is found first, once and for all: a later place is never needed for a match,
    and to try them all would take ages with many stars. Python has that as `(?>...)` from 3.11 on.
    """
    runs, chunks = [], [""]
    colons = 0 if by_parts else ARN_COLONS
    for token in tokens:
        character = "." if colons >= ARN_COLONS else "[^:]"
        if isinstance(token, str):
            colons += token.count(":")
            chunks[-1] += re.escape(token)
        elif token is Wildcard.ONE:
            chunks[-1] += character
        else:
            runs.append(f"{character}*")
            chunks.append("")
    *early, last = [f"{run}?{chunk}" for run, chunk in zip(runs, chunks[1:], strict=True)] or [""]
    once = "".join(f"(?=(?P<g{number}>{found}))(?P=g{number})" for number, found in enumerate(early))
    return f"{chunks[0]}{once}{last}"


@lru_cache(maxsize=512)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)
