"""Eventual consistency: what calls have changed is there at once, and is seen late.

The registries, keys and policies always hold the newest state, which tests arrange and calls write. What a call reads
it reads through here: of what was changed and is not visible yet, it sees what was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_kms.errors import UsageError

T = TypeVar("T")

KEYS = "key"
ALIASES = "alias"
GRANTS = "grant"
POLICIES = "key policy"
TAGS = "tags"
"""What is seen late. What there is one of in its owner, such as the policy of a key, has an empty name."""

# Sums of seconds since the epoch are exact to a microsecond at the best.
_TOLERANCE = 0.0005


@dataclass(slots=True, eq=False)
class Change:
    """Something that a call has changed, as long as it is not visible.

    `before` is what is seen until then, None where nothing was there. It becomes visible at `due`, in seconds since
    the epoch, or when `left` calls have not seen it.
    """

    what: str
    before: Any
    made: float
    due: float | None
    left: int

    def visible(self, seconds: float) -> bool:
        """Say whether it is, at a moment."""
        return self.left <= 0 if self.due is None else self.due <= seconds + _TOLERANCE

    def told(self, seconds: float) -> str:
        """Tell a call that did not see it why."""
        if self.due is None:
            when = (
                f"after {self.left} more {'call' if self.left == 1 else 'calls'}" if self.left else "to the next call"
            )
        else:
            when = f"after {self.due - self.made:g} s"
        return f"eventual consistency: {self.what} {max(0, seconds - self.made):g} s ago, visible {when}"


Place = tuple[str, object, str]


class Consistency:
    """How late what calls change becomes visible to calls, of whoever made it as well. At first nothing is late."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._calls = 0
        self.pending: dict[Place, list[Change]] = {}
        """What is not visible yet. Where it is empty, all that is there is seen, and nobody needs to ask."""
        self._now = 0.0
        self.overlooked: list[Change] = []
        """What the current call has not seen."""
        self._counts = False

    def delay(self, seconds: float | None, calls: int | None) -> None:
        """Let what is changed from now on become visible after so many seconds, or calls that would have seen it.

        Nothing of both makes all visible at once, what was changed before as well.

        Raises:
            UsageError: not one of the two is given, or it is negative.

        """
        given = [number for number in (seconds, calls) if number is not None]
        if len(given) != 1:
            raise UsageError("eventual consistency takes either seconds= or calls=")
        if given[0] < 0:
            raise UsageError(f"eventual consistency takes 0 or more {'calls' if calls else 'seconds'}, not {given[0]}")
        self._seconds, self._calls = seconds, calls or 0
        if not given[0]:
            self.pending.clear()

    # the life of a call

    def begin(self, seconds: float) -> None:
        """Begin a call: forget what the last one did not see."""
        self._now = seconds
        self.overlooked = []
        self._counts = False

    def count(self) -> None:
        """From here on the call is one that would have seen what it looks at: it is past faults and quotas."""
        self._counts = True
        for change in self.overlooked:
            change.left -= 1

    @property
    def why(self) -> list[str]:
        """What the call did not see that there is already: a line for each."""
        return [change.told(self._now) for change in self.overlooked] if self._counts else []

    # what calls change, and see

    def later(self, kind: str, owner: object, name: str, *, before: object, what: str) -> None:
        """Note that a call has changed something: `before` is what was there, `what` what was done."""
        if not (self._seconds or self._calls):
            return
        due = None if self._seconds is None else self._now + self._seconds
        change = Change(what, before, self._now, due, self._calls)
        self.pending.setdefault((kind, owner, name), []).append(change)

    def seen(self, kind: str, owner: object, name: str, now: T) -> T:
        """Return what a call sees of something that is `now` so."""
        if not self.pending:
            return now
        hidden = self._hidden((kind, owner, name))
        for change in hidden:
            if change not in self.overlooked:
                self.overlooked.append(change)
                change.left -= self._counts
        return hidden[0].before if hidden else now

    def seen_of(self, kind: str, owner: object, now: Mapping[str, T], matters: Callable[[T], bool]) -> list[T]:
        """Return what a call sees of the things of a kind that an owner has `now`, by their names.

        It would have looked at those alone that matter to it.
        """
        gone = [name for of, whose, name in self.pending if of == kind and whose is owner and name not in now]
        seen = []
        for name in (*now, *gone):
            present = now.get(name)
            past = [change.before for change in self.pending.get((kind, owner, name), ())]
            if any(thing is not None and matters(thing) for thing in (present, *past)):
                seen.append(self.seen(kind, owner, name, present))
        return [thing for thing in seen if thing is not None and matters(thing)]

    def _hidden(self, place: Place) -> list[Change]:
        """Return the changes of something that are not visible, in order; forget those that are."""
        changes = self.pending.get(place, [])
        # Within a call it stays as it was when the call first looked.
        hidden = [change for change in changes if change in self.overlooked or not change.visible(self._now)]
        if hidden:
            self.pending[place] = hidden
        else:
            self.pending.pop(place, None)
        return hidden
