"""What falls due in the fake's time, in order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

_TOLERANCE = 0.0005


class Agenda:
    """A list of things to do at moments of the fake's time, done when somebody next looks."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something once the fake's time has reached a moment, in seconds since the epoch."""
        heapq.heappush(self._entries, (seconds, next(self._order), action))

    def settle(self, seconds: float) -> None:
        """Do all that has fallen due, earliest first."""
        # Sums of seconds since the epoch are exact to a microsecond at the best.
        while self._entries and self._entries[0][0] <= seconds + _TOLERANCE:
            heapq.heappop(self._entries)[2]()
