"""What falls due in the fake's time, in order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.clock import Clock

_TOLERANCE = 0.0005


class Agenda:
    """A list of things to do at moments of the fake's time, done when somebody next looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._present: float | None = None

    @property
    def now(self) -> float:
        """The present in seconds since the epoch; while something is done late, the moment when it was due."""
        return self._clock.seconds if self._present is None else self._present

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something once the fake's time has reached a moment, in seconds since the epoch."""
        heapq.heappush(self._entries, (seconds, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something once so many seconds have passed."""
        self.at(self.now + seconds, action)

    def settle(self, seconds: float) -> None:
        """Do all that has fallen due, earliest first."""
        # Sums of seconds since the epoch are exact to a microsecond at the best.
        while self._entries and self._entries[0][0] <= seconds + _TOLERANCE:
            self._present, _, action = heapq.heappop(self._entries)
            try:
                action()
            finally:
                self._present = None
