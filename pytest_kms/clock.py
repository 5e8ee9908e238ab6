"""The time that the fake lives in."""

from __future__ import annotations

import datetime as dt
import math
import time
from functools import cached_property


class Clock:
    """The fake's clock: the wall clock as Python shows it, in whole seconds since it was first looked at.

    Whole seconds make a burst of calls one instant on any machine. What a test advances and what
    retries wait is added to the exact amount.
    """

    def __init__(self) -> None:
        self._moved = 0.0
        self.waited = 0.0
        """Seconds that retries have waited, and calls have taken: a part of what has moved."""
        self._frozen_at: int | None = None
        # Most calls of a test are at one moment.
        self._shown = 0.0, dt.datetime.fromtimestamp(0, dt.timezone.utc)

    @cached_property
    def start(self) -> float:
        """Begin: not with a fixture, but with the test, for which a decorator may set the wall clock."""
        return math.floor(time.time() * 1000) / 1000

    @property
    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self.start + (self._elapsed if self._frozen_at is None else self._frozen_at) + self._moved

    @property
    def _elapsed(self) -> int:
        """Whole seconds of the wall clock since the start.

        A test may set the wall clock back (freezegun, time-machine); the fake's time never goes behind its start.
        """
        elapsed = int(time.time() - self.start)
        return elapsed if elapsed > 0 else 0

    @property
    def lived(self) -> float:
        """Seconds since the start, without what a test advanced: the time that retries are measured in."""
        return (self._elapsed if self._frozen_at is None else self._frozen_at) + self.waited

    @property
    def now(self) -> dt.datetime:
        """The fake's present moment, an aware UTC datetime."""
        return self.moment(self.seconds)

    def moment(self, seconds: float) -> dt.datetime:
        """Show seconds since the epoch as a datetime."""
        if seconds != self._shown[0]:
            self._shown = seconds, dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
        return self._shown[1]

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> dt.datetime:
        """Move the fake's time forward and return the new present.

        What falls due on the way (a deletion, say) happens when a request or an arranging call next looks.

        Raises:
            ValueError: the sum is negative; time does not run backward here.

        """
        step = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        if step < 0:
            raise ValueError("pytest-kms: the clock only moves forward")
        self._moved += step
        return self.now

    def at(self, moment: dt.datetime) -> dt.datetime:
        """Move the fake's time forward to a moment and return it, the new present.

        The time goes on from there, unless it is frozen; the wall clock, and with it the signatures of requests,
        credentials and other services, stays where it is.

        ::

            kms.clock.at(datetime(2031, 1, 1, tzinfo=timezone.utc))

        Args:
            moment: an aware datetime, in any timezone, no earlier than `now`.

        Raises:
            ValueError: the moment is in the past, or has no timezone.

        """
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise ValueError(f"pytest-kms: {moment!r} has no timezone; say datetime(..., tzinfo=timezone.utc)")
        without_moves = self.start + (self._elapsed if self._frozen_at is None else self._frozen_at)
        present = self.moment(without_moves + self._moved)
        if moment < present:
            raise ValueError(f"pytest-kms: the clock only moves forward: it is {present}, later than {moment}")
        # As one difference, it is exact to a microsecond; `present` may have been rounded down.
        self._moved = max(self._moved, moment.timestamp() - without_moves)
        return self.now

    def wait(self, seconds: float) -> None:
        """Let the time pass that a retry waits, or a call takes."""
        self._moved += seconds
        self.waited += seconds

    def freeze(self) -> None:
        """Stop following the wall clock; `advance` and the waits of retries still move the time."""
        self._frozen_at = round(self.seconds - self._moved - self.start)
