"""The time that the fake lives in."""

from __future__ import annotations

import datetime as dt
import math
import time


class Clock:
    """The fake's clock: the wall clock as Python shows it, in whole seconds since the fake began.

    Whole seconds make a burst of calls one instant on any machine. What a test advances and what
    retries wait is added to the exact amount.
    """

    def __init__(self) -> None:
        self.start = math.floor(time.time() * 1000) / 1000
        self._moved = 0.0
        self.waited = 0.0
        """Seconds that retries have waited: a part of what has moved."""
        self._frozen_at: int | None = None
        # Most calls of a test are at one moment.
        self._shown = 0.0, dt.datetime.fromtimestamp(0, dt.timezone.utc)

    @property
    def seconds(self) -> float:
        """Seconds since the epoch."""
        if self._frozen_at is not None:
            return self.start + self._frozen_at + self._moved
        elapsed = int(time.time() - self.start)
        # A test may set the wall clock back (freezegun, time-machine); the fake's time does not follow.
        return self.start + (elapsed if elapsed > 0 else 0) + self._moved

    @property
    def seconds_not_advanced(self) -> float:
        """Seconds since the epoch, without what a test advanced: the time that retries are measured in."""
        return self.seconds - self._moved + self.waited

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

    def wait(self, seconds: float) -> None:
        """Let the time pass that a retry waits."""
        self._moved += seconds
        self.waited += seconds

    def freeze(self) -> None:
        """Stop following the wall clock; `advance` and the waits of retries still move the time."""
        self._frozen_at = round(self.seconds - self._moved - self.start)
