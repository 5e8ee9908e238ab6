"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the characters `${*}`, `${?}`, `${$}`.

They have a meaning in policies of Version 2012-10-17 alone; in older ones they are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from pytest_kms.iam.context import Context, value_of
from pytest_kms.iam.errors import BadOperand
from pytest_kms.iam.matching import any_of, literally, pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_kms.iam.matching import Pattern, Token

    Test = Callable[[str, Context], bool]

_VARIABLE = re.compile(r"\$\{(?:([*?$])|\s*([^,{}']+?)\s*(?:,\s*'([^'{}]*)'\s*)?)\}")
_OPENING = "${"


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a condition key; `default` where the request has none."""

    key: str
    default: str | None = None

    def value(self, context: Context) -> str | None:
        """Return what stands in its place; None where nothing can: a multi-valued key never resolves."""
        value = value_of(context, self.key.lower(), self.key)
        if value is None:
            return self.default
        return value if isinstance(value, str) else None


Template = tuple["Token | Variable", ...]


def template(text: str) -> Template:
    """Take a text with variables apart."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[Token | Variable]:
    end = 0
    for found in _VARIABLE.finditer(text):
        yield from _plain(text[end : found.start()], text)
        character, key, default = found.groups()
        yield character or Variable(key, default)
        end = found.end()
    yield from _plain(text[end:], text)


def _plain(part: str, text: str) -> Pattern:
    if _OPENING in part:
        raise BadOperand(f"{text!r} has a policy variable that cannot be read")
    return pattern(part)


def is_fixed(pieces: Template) -> TypeGuard[Pattern]:
    """Tell whether a text has no variables."""
    return not any(isinstance(piece, Variable) for piece in pieces)


def resolve(pieces: Template, context: Context) -> Pattern | None:
    """Put the values in; wildcards in a value are characters. None where one of the variables has no value."""
    resolved: list[Token] = []
    for piece in pieces:
        token = piece.value(context) if isinstance(piece, Variable) else piece
        if token is None:
            return None
        resolved.append(token)
    return tuple(resolved)


def explained(text: str, context: Context) -> str:
    """Write a text with its variables, and what they stand for in this request."""
    pieces = template(text)
    if is_fixed(pieces):
        return text
    resolved = resolve(pieces, context)
    return f"{text} (which has no value)" if resolved is None else f"{text} (here {literally(resolved)})"


def matches_any(
    texts: Iterable[str],
    *,
    variables: bool,
    prepare: Callable[[Pattern], Pattern] = lambda tokens: tokens,
    by_parts: bool = False,
) -> Test:
    """Return a test whether a text matches one of a policy's texts.

    Without `variables` there are none, whatever the texts look like. `prepare` changes each pattern once the
    variables have their values; `by_parts` is for ARNs.
    """
    templates = [template(text) if variables else pattern(text) for text in texts]
    moving = [pieces for pieces in templates if not is_fixed(pieces)]
    matches_fixed = any_of([prepare(pieces) for pieces in templates if is_fixed(pieces)], by_parts=by_parts)
    if not moving:
        return lambda text, _context: matches_fixed(text)

    def matches(text: str, context: Context) -> bool:
        resolved = (resolve(pieces, context) for pieces in moving)
        patterns = [prepare(tokens) for tokens in resolved if tokens is not None]
        return matches_fixed(text) or any_of(patterns, by_parts=by_parts)(text)

    return matches
