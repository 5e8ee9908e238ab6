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
        """Return the section of the terminal."""
        return [_HEADING, *_lines(self._record)]


def _lines(record: Record) -> Iterator[str]:
    calls = record.calls()
    yield from missing(record.lost)
    if not calls:
        yield "Nothing called KMS."
        return
    yield _totals(record, calls)
    yield from _section("keys", _keys(calls))
    yield from _section("operations", _operations(calls))
    yield from _section("denied", _counted(_tell(call) for call in calls if call.error == DENIED))
    throttled = Counter[str]()
    for call in calls:
        throttled[_tell(call, by=False)] += call.throttled
    yield from _section("throttled attempts", _ranked(+throttled))
    yield from _section("peaks against AWS's default quotas", _peaks(record.nearest))
    yield from _costs(record, calls)


def _totals(record: Record, calls: Sequence[Made]) -> str:
    errors = sum(call.error is not None for call in calls)
    told = f"{many(len(calls), 'call')} of KMS by {len(record.tests):,} of {many(record.ran, 'test')}"
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


def _keys(calls: Sequence[Made]) -> list[tuple[str, ...]]:
    """Tell of each key that has an alias, and of the others together that are alike."""
    operations: dict[UsedKey, Counter[str]] = defaultdict(Counter)
    ids = defaultdict(set)
    for call in calls:
        for key in dict.fromkeys(call.keys):
            like = key.like
            ids[like].add(key.id)
            operations[like][call.operation] += 1
    several = len({(key.region, key.account) for key in operations}) > 1
    rows: list[tuple[str, ...]] = []
    for key, counts in sorted(operations.items(), key=lambda item: (-item[1].total(), item[0])):
        label = key.alias or f"{many(len(ids[key]), 'key')} without an alias"
        where = f", {key.region} {key.account}" if several else ""
        kind = f"{key.manager} {key.spec}{where}"
        rows.append((label, kind, many(counts.total(), "call"), _counts(counts)))
    return rows


def _operations(calls: Sequence[Made]) -> list[tuple[str, ...]]:
    counts = Counter(call.operation for call in calls)
    errors: dict[str, Counter[str]] = defaultdict(Counter)
    for call in calls:
        if call.error is not None:
            errors[call.operation][call.error] += 1
    return [(name, many(count, "call"), _counts(errors[name])) for name, count in _by_count(counts)]


def _peaks(peaks: Sequence[Nearest]) -> list[tuple[str, ...]]:
    several = len({(peak.region, peak.account) for peak in peaks}) > 1
    rows: list[tuple[str, ...]] = []
    for peak in peaks:
        where = f", {peak.region} {peak.account}" if several else ""
        used = f"{peak.used:,} of {peak.limit:,g} a second ({_percent(peak.share)}){where}"
        rows.append((peak.quota, used, _counts(Counter(peak.operations))))
    return rows


def _costs(record: Record, calls: Sequence[Made]) -> Iterator[str]:
    cost = sum(call.cost for call in calls)
    yield f"estimated cost of these calls at AWS: {prices.dollars(cost)} ({prices.SOURCE})"
    keys, monthly = record.monthly
    if keys:
        who = "the customer managed key costs" if keys == 1 else f"the {keys:,} customer managed keys cost"
        yield f"{who} {prices.dollars(monthly)} a month"


def _tell(call: Made, *, by: bool = True) -> str:
    """Tell what was called, by names that do not change from run to run."""
    told = " ".join([call.operation, *(key.label for key in call.keys)])
    return f"{told} by {call.principal}" if by else told


def _counted(told: Iterable[str]) -> list[tuple[str, ...]]:
    return _ranked(Counter(told))


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
