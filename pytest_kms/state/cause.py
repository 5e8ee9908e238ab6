"""What brought a key into its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt


def told_time(time: dt.datetime | None) -> str:
    """Write a moment as people read it."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


class Cause(NamedTuple):
    """What happened, when, and the invocation id of the call, if it was one."""

    what: str
    time: dt.datetime
    invocation: str = ""
