"""Encryption contexts in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def text(context: Mapping[str, Any]) -> str:
    """Write an encryption context on one line, sorted."""
    return "{" + ", ".join(f"{_plain(name)}: {_plain(value)}" for name, value in sorted(context.items())) + "}"


def _plain(text: object) -> str:
    """Write a text as it is where nothing in it could be taken for something else, and otherwise as Python does."""
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else repr(text)


_PLAIN = re.compile(r"""[^\s,{}'"\\](?:[^\n\r\t\v\f,{}'"\\]*[^\s,{}'"\\])?""")


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Tell how one encryption context differs from another: `tenant 'a' -> 'b', order '7' is missing`."""
    told = []
    for name in sorted({*was, *now}):
        if name not in now:
            told.append(f"{name} {was[name]!r} is missing")
        elif name not in was:
            told.append(f"{name} {now[name]!r} is too many")
        elif was[name] != now[name]:
            told.append(f"{name} {was[name]!r} -> {now[name]!r}")
    return ", ".join(told)
