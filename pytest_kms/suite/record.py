"""The record of a run: which test made which calls, the keys that they used, and how near they came to quotas.

It holds what the trail holds, and so no secrets.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kms.state import quotas
from pytest_kms.state.trail import Told
from pytest_kms.suite import prices
from pytest_kms.suite.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from pytest_kms.state.quotas import Peak
    from pytest_kms.state.world import World

    Row: TypeAlias = Sequence[Any]
    """What is kept of a call, until somebody reads it as `Made`: its fields, with tuples for keys and contexts.

    Python's garbage collector does not look again into tuples of texts and numbers.
    """

OUTSIDE = ""
"""The test of calls that were made between tests."""

DENIED = "AccessDeniedException"
THROTTLED = "ThrottlingException"


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
        return UsedKey(self.alias, "", self.manager, self.spec, self.region, self.account)


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

    `tests` are those that called KMS, with how many `ran` in all;
    `peaks` the nearest of each quota; `kept` what customer managed keys cost a month, by alias, Region and account, and
    `nameless` how many keys without an alias a single fake had, and their cost; `lost` counts processes that crashed.
    """

    name = "kms_record"

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self.tests: dict[str, Ran] = {}
        self.ran = 0
        self.peaks: dict[tuple[str, str, str], Nearest] = {}
        self._used: dict[tuple[str, str, str], int] = {}
        self.kept: dict[tuple[str, str, str], float] = {}
        self.nameless: tuple[int, float] = (0, 0.0)
        self._test = OUTSIDE
        self._began = 0.0
        self._first = 0
        self._read: dict[World, int] = {}
        self._places: dict[World, dict[str, int]] = {}

    # in the processes that run tests

    def begin(self, test: str, worlds: Sequence[World]) -> None:
        """Take calls as those of a test from now on."""
        self._catch_up(worlds)
        self._test, self._began, self._first = test, time.time(), len(self._rows)

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
        del self._read[world], self._places[world]
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
        return list(_calls(self._rows[self._first :]))

    def _catch_up(self, worlds: Iterable[World]) -> None:
        for world in worlds:
            places = self._places.setdefault(world, {})
            told = world.trail.told_since(self._read.get(world, 0))
            self._read[world] = self._read.get(world, 0) + len(told)
            keys = _Keys(world)
            for attempt in told:
                if isinstance(attempt, Told):
                    self._take_attempt(attempt, _row(self._test, world, attempt, keys), places)
            # Now, and not when the fake ends: a peak is of the test that has called, and that may be over by then.
            for peak in world.quotas.fuller_than(self._used) if told else ():
                self._take_peak(_nearest(peak, self._test))

    def _take_attempt(self, told: Told, row: Row, places: dict[str, int]) -> None:
        end = len(self._rows)
        place = places.setdefault(told.invocation, end)
        if place == end:
            self._rows.append(row)
        else:
            self._rows[place] = _retried(self._rows[place], row)
        if self._test != OUTSIDE and self._test not in self.tests:
            # A test that runs again may begin anew without having ended.
            self.tests[self._test] = Ran(self._began, "")

    def calls(self) -> Iterator[Made]:
        """Give the calls of the run, made anew of what is kept of them, those of a test together."""
        return _calls(self._rows)

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
        tests = {test: tuple(ran) for test, ran in self.tests.items()}
        peaks = [tuple(peak) for peak in self.peaks.values()]
        return [self._rows, tests, self.ran, peaks, list(self.kept.items()), self.nameless]

    def take(self, rows: list[Any]) -> None:
        """Add what another process has collected."""
        calls, tests, ran, peaks, kept, nameless = rows
        self._rows += calls
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
        self._rows.sort(key=lambda row: self.tests.get(row[0], never).began)

    def _take_peak(self, peak: Nearest | None) -> None:
        if peak is not None:
            place = (peak.quota, peak.account, peak.region)
            if peak.used > self._used.get(place, 0):
                self.peaks[place], self._used[place] = peak, peak.used

    def _keep(self, place: tuple[str, str, str], cost: float) -> None:
        self.kept[place] = max(self.kept.get(place, 0.0), cost)


_SPEC = UsedKey._fields.index("spec")


class _Keys(dict[str, tuple[str, str, str, str, str, str]]):
    """What is kept of the keys of a fake as they are now, by their ARNs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __missing__(self, arn: str) -> tuple[str, str, str, str, str, str]:
        key = self._world.key_of(arn)
        alias = next(iter((*key.aliases, *key.former_aliases)), "")
        self[arn] = kept = (alias, key.id, key.manager, key.spec, key.region, key.account)
        return kept


def _row(test: str, world: World, told: Told, known: _Keys) -> Row:
    operation, principal, error = told.operation, told.principal, told.error
    keys = tuple([known[use.key] for use in told.uses])
    return (
        test,
        operation.name,
        keys,
        tuple([tuple(use.encryption_context.items()) for use in told.uses]),
        told.region,
        principal.account,
        principal.arn,
        principal.via,
        error,
        told.message,
        told.why,
        1,
        error == THROTTLED,
        told.seconds - world.clock.start,
        prices.cost_of(told, tuple([key[_SPEC] for key in keys])),
        bool(told.members.get("DryRun")),
    )


def _retried(before: Row, row: Row) -> Row:
    """Put the attempts of a call together: it is as the last one was, and began with the first."""
    first, last = Made(*before), Made(*row)
    return tuple(
        last._replace(
            test=first.test,
            attempts=first.attempts + last.attempts,
            throttled=first.throttled + last.throttled,
            at=first.at,
            cost=first.cost + last.cost,
        )
    )


def _calls(rows: Iterable[Row]) -> Iterator[Made]:
    for test, operation, keys, contexts, *others in rows:
        yield Made(test, operation, tuple([UsedKey(*key) for key in keys]), tuple(map(dict, contexts)), *others)


def _nearest(peak: Peak, test: str) -> Nearest | None:
    """Compare with AWS's default, whatever limit the test has set; a limit that is the test's own has none."""
    limit = quotas.default(peak.quota, peak.region)
    if limit is None:
        return None
    return Nearest(peak.quota, peak.region, peak.account, peak.used, limit, dict(peak.operations), test)
