"""What the terminal tells of a run: keys, operations, what was denied and throttled, quotas and costs."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from pytest_kms.suite import prices
from pytest_kms.suite.collector import Collector, many, missing
from pytest_kms.suite.record import DENIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_kms.suite.record import Made, Nearest, Record, UsedKey

_SHOWN = 10
_HEADING = "pytest-kms: summary"


class Summary(Collector):
    """Tells of a record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def told(self) -> list[str]:
        """Return the section of the terminal; nothing where no test ran."""
        return [_HEADING, *_lines(self._record)] if self._record.ran or self._record.lost else []


class _Tally:
    """What is counted of the calls of a run; each is looked at once, and let go."""

    def __init__(self, calls: Iterable[Made]) -> None:
        self.calls = 0
        self.cost = 0.0
        self.operations = Counter[str]()
        self.errors: dict[str, Counter[str]] = defaultdict(Counter)
        self.keys: dict[UsedKey, Counter[str]] = defaultdict(Counter)
        self.ids: dict[UsedKey, set[str]] = defaultdict(set)
        self.denied = Counter[str]()
        self.throttled = Counter[str]()
        for call in calls:
            self._count(call)

    def _count(self, call: Made) -> None:
        self.calls += 1
        self.cost += call.cost
        self.operations[call.operation] += 1
        for key in dict.fromkeys(call.keys):
            like = key.like
            self.ids[like].add(key.id)
            self.keys[like][call.operation] += 1
        if call.error is not None:
            self.errors[call.operation][call.error] += 1
        if call.error == DENIED:
            self.denied[f"{_named(call)} by {call.principal}"] += 1
        if call.throttled:
            self.throttled[_named(call)] += call.throttled


def _named(call: Made) -> str:
    """Tell what was called, by names that do not change from run to run."""
    return " ".join([call.operation, *(key.label for key in call.keys)])


def _lines(record: Record) -> Iterator[str]:
    tally = _Tally(record.calls())
    yield from missing(record.lost)
    if not tally.calls:
        yield "Nothing called KMS."
        return
    yield _totals(record, tally)
    yield from _section("keys", _keys(tally))
    yield from _section("operations", _operations(tally))
    yield from _section("denied", _ranked(tally.denied))
    yield from _section("throttled attempts", _ranked(tally.throttled))
    yield from _section("peaks against AWS's default quotas", _peaks(record.nearest))
    yield from _costs(record, tally)


def _totals(record: Record, tally: _Tally) -> str:
    errors = sum(counts.total() for counts in tally.errors.values())
    told = f"{many(tally.calls, 'call')} of KMS by {len(record.tests):,} of {many(record.ran, 'test')}"
    return f"{told}, {many(errors, 'error') if errors else 'no errors'}"


def _section(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write rows in columns, the first ones alone."""
    if not rows:
        return
    shown = rows[:_SHOWN]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    yield f"{title}:"
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()
    if len(rows) > _SHOWN:
        yield f"  ... and {len(rows) - _SHOWN:,} more"


def _keys(tally: _Tally) -> list[tuple[str, ...]]:
    """Tell of each key that has an alias, and of the others together that are alike."""
    several = len({(key.region, key.account) for key in tally.keys}) > 1
    rows: list[tuple[str, ...]] = []
    for key, counts in sorted(tally.keys.items(), key=lambda item: (-item[1].total(), item[0])):
        label = key.alias or f"{many(len(tally.ids[key]), 'key')} without an alias"
        where = f", {key.region} {key.account}" if several else ""
        kind = f"{key.manager} {key.spec}{where}"
        rows.append((label, kind, many(counts.total(), "call"), _counts(counts)))
    return rows


def _operations(tally: _Tally) -> list[tuple[str, ...]]:
    errors = tally.errors
    return [(name, many(count, "call"), _counts(errors[name])) for name, count in _by_count(tally.operations)]


def _peaks(peaks: Sequence[Nearest]) -> list[tuple[str, ...]]:
    several = len({(peak.region, peak.account) for peak in peaks}) > 1
    rows: list[tuple[str, ...]] = []
    for peak in peaks:
        where = f", {peak.region} {peak.account}" if several else ""
        used = f"{peak.used:,} of {peak.limit:,g} a second ({_percent(peak.share)}){where}"
        rows.append((peak.quota, used, _counts(Counter(peak.operations))))
    return rows


def _costs(record: Record, tally: _Tally) -> Iterator[str]:
    yield f"estimated cost of these calls at AWS: {prices.dollars(tally.cost)} ({prices.SOURCE})"
    keys, monthly = record.monthly
    if keys:
        who = "the customer managed key costs" if keys == 1 else f"the {keys:,} customer managed keys cost"
        yield f"{who} {prices.dollars(monthly)} a month"


def _ranked(counts: Counter[str]) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}") for name, count in _by_count(counts)]


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _counts(counts: Counter[str]) -> str:
    """Write counts on a line, the greatest first."""
    ordered = _by_count(counts)
    told = [f"{name} {count:,}" for name, count in ordered[:_SHOWN]]
    return ", ".join(told + ([f"and {len(ordered) - _SHOWN} more"] if len(ordered) > _SHOWN else []))


def _percent(share: float) -> str:
    return f"{share * 100:,.0f}%" if share >= 0.1 else f"{share * 100:.2g}%"
