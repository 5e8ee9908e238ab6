"""The record of a run: which test made which calls, the keys that they used, and how near they came to quotas.

It holds what the trail holds, and so no secrets.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kms.state import quotas
from pytest_kms.suite import prices
from pytest_kms.suite.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_kms.state.quotas import Peak
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

OUTSIDE = ""
"""The test of calls that were made between tests."""

DENIED = "AccessDeniedException"


class UsedKey(NamedTuple):
    """A key that a call named: its alias, or nothing, its id, and what is the same for all keys of this alias."""

    alias: str
    id: str
    manager: str
    spec: str
    region: str
    account: str

    @property
    def label(self) -> str:
        """What people call it: its alias, or else what all keys without one are called."""
        return self.alias or "a key without an alias"

    @property
    def like(self) -> UsedKey:
        """What the key has in common with those of other tests that are called the same."""
        return self._replace(id="")


class Made(NamedTuple):
    """A call that a test made, as far as a run remembers it.

    `contexts` are the encryption contexts given with the keys, in their order; `at` the seconds since the start of its
    fake, `cost` in US dollars; `attempts` are all, `throttled` those of them that were.
    """

    test: str
    operation: str
    keys: tuple[UsedKey, ...]
    contexts: tuple[dict[str, str], ...]
    region: str
    account: str
    principal: str
    via: str | None
    error: str | None
    message: str
    why: str
    attempts: int
    throttled: int
    at: float
    cost: float
    dry_run: bool


class Ran(NamedTuple):
    """A test that ran: when it began, and how it ended."""

    began: float
    outcome: str


class Nearest(NamedTuple):
    """How near an account came to AWS's default value of a request quota, in one of its intervals."""

    quota: str
    region: str
    account: str
    used: int
    limit: float
    operations: dict[str, int]
    test: str

    @property
    def share(self) -> float:
        """How much of the quota was used."""
        return self.used / max(self.limit, 1)


class Record(Collector):
    """Collects the calls of a run, test by test.

    `calls` stand in the order in which they were made; `tests` are those that called KMS, with how many `ran` in all;
    `peaks` the nearest of each quota; `kept` what customer managed keys cost a month, by alias, Region and account, and
    `nameless` how many keys without an alias a single fake had, and their cost; `lost` counts processes that crashed.
    """

    name = "kms_record"

    def __init__(self) -> None:
        self.calls: list[Made] = []
        self.tests: dict[str, Ran] = {}
        self.ran = 0
        self.peaks: dict[tuple[str, str, str], Nearest] = {}
        self.kept: dict[tuple[str, str, str], float] = {}
        self.nameless: tuple[int, float] = (0, 0.0)
        self._test = OUTSIDE
        self._began = 0.0
        self._first = 0
        self._read: dict[World, int] = {}
        self._known: dict[UsedKey, UsedKey] = {}

    # in the processes that run tests

    def begin(self, test: str, worlds: Sequence[World]) -> None:
        """Take calls as those of a test from now on."""
        self._catch_up(worlds)
        self._test, self._began, self._first = test, time.time(), len(self.calls)

    def end(self, test: str, outcome: str, worlds: Sequence[World]) -> None:
        """Know how the test ended, and whether it called KMS."""
        self._catch_up(worlds)
        self.ran += outcome != "rerun"
        if test in self.tests:
            self.tests[test] = Ran(self._began, outcome)
        self._test = OUTSIDE

    def see(self, world: World) -> None:
        """Take the last calls of a fake, and what its keys cost."""
        self._catch_up([world])
        self._read.pop(world, None)
        nameless = []
        for key in world.all_keys():
            cost = prices.monthly(key)
            if cost and key.aliases:
                self._keep((key.aliases[0], key.region, key.account), cost)
            elif cost:
                nameless.append(cost)
        self.nameless = max(self.nameless, (len(nameless), sum(nameless)))

    def of_this_test(self, worlds: Sequence[World]) -> list[Made]:
        """Return the calls that the present test has made so far."""
        self._catch_up(worlds)
        return self.calls[self._first :]

    def _catch_up(self, worlds: Iterable[World]) -> None:
        for world in worlds:
            start = self._read.get(world, 0)
            events = world.trail[start:]
            self._read[world] = start + len(events)
            made = [self._made(world, event) for event in events if event.service_event is None]
            self.calls += made
            if made and self._test != OUTSIDE:
                # A test that runs again may begin anew without having ended.
                self.tests.setdefault(self._test, Ran(self._began, ""))
            # Now, and not when the fake ends: a peak is of the test that has called, and that may be over by then.
            for peak in world.quotas.peaks() if events else ():
                self._take_peak(_nearest(peak, self._test))

    def _made(self, world: World, event: Event) -> Made:
        keys = tuple([self._key(world, use.key) for use in event.uses])
        return Made(
            self._test,
            event.operation,
            keys,
            tuple([dict(use.encryption_context) for use in event.uses]),
            event.region,
            event.account,
            event.principal,
            event.via,
            event.error,
            event.message,
            event.why,
            len(event.attempts),
            event.throttled,
            event.time.timestamp() - world.clock.start,
            prices.cost_of(event, [key.spec for key in keys]),
            event.dry_run,
        )

    def _key(self, world: World, arn: str) -> UsedKey:
        key = world.key_of(arn)
        alias = key.aliases[0] if key.aliases else ""
        used = UsedKey(alias, key.id, key.manager, key.spec, key.region, key.account)
        return self._known.setdefault(used, used)

    @property
    def monthly(self) -> tuple[int, float]:
        """How many customer managed keys there were, and what they cost a month.

        Keys of one alias count once, whichever tests made them; of those without, as many as one fake had at most.
        """
        keys, cost = self.nameless
        return len(self.kept) + keys, sum(self.kept.values()) + cost

    @property
    def nearest(self) -> list[Nearest]:
        """The peaks, those nearest to their quotas first."""
        return sorted(self.peaks.values(), key=lambda peak: (-peak.share, peak[:3]))

    # from process to process

    def give(self) -> list[Any]:
        """Return all of it."""
        calls = [(*call[:2], [tuple(key) for key in call.keys], *call[3:]) for call in self.calls]
        tests = {test: tuple(ran) for test, ran in self.tests.items()}
        peaks = [tuple(peak) for peak in self.peaks.values()]
        return [calls, tests, self.ran, peaks, list(self.kept.items()), self.nameless]

    def take(self, rows: list[Any]) -> None:
        """Add what another process has collected."""
        calls, tests, ran, peaks, kept, nameless = rows
        for call in calls:
            keys = tuple(UsedKey(*key) for key in call[2])
            self.calls.append(Made(*call)._replace(keys=keys, contexts=tuple(call[3])))
        self.tests.update((test, Ran(*row)) for test, row in tests.items())
        self.ran += ran
        for peak in peaks:
            self._take_peak(Nearest(*peak))
        for place, cost in kept:
            self._keep(tuple(place), cost)
        self.nameless = max(self.nameless, tuple(nameless))

    def finish(self) -> None:
        """Put the calls into the order in which their tests began, whichever process ran them."""
        never = Ran(0.0, "")
        self.calls.sort(key=lambda call: self.tests.get(call.test, never).began)

    def _take_peak(self, peak: Nearest | None) -> None:
        if peak is not None:
            place = (peak.quota, peak.region, peak.account)
            self.peaks[place] = max(self.peaks.get(place, peak), peak, key=lambda one: one.used)

    def _keep(self, place: tuple[str, str, str], cost: float) -> None:
        self.kept[place] = max(self.kept.get(place, 0.0), cost)


def _nearest(peak: Peak, test: str) -> Nearest | None:
    """Compare with AWS's default, whatever limit the test has set; a limit that is the test's own has none."""
    limit = quotas.default(peak.quota, peak.region)
    if limit is None:
        return None
    return Nearest(peak.quota, peak.region, peak.account, peak.used, limit, dict(peak.operations), test)
