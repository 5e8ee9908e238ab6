"""A page about a run that needs nothing else: its data, its looks and its manners are all in one file."""

from __future__ import annotations

import json
import time
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pytest_kms.suite import prices
from pytest_kms.suite.collector import Collector, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_kms.suite.record import Made, Nearest, Record, UsedKey


class Report(Collector):
    """Writes the page of a record."""

    def __init__(self, record: Record, file: Path, called: str) -> None:
        self._record = record
        self._file = file
        self._called = called

    def finish(self) -> None:
        """Write the page."""
        write(self._file, page(self._record).encode())

    def told(self) -> list[str]:
        """Say where it is."""
        return [f"pytest-kms: report in {self._called}"]


def page(record: Record) -> str:
    """Return the page of a record, as HTML."""
    made = _part("html")
    # The data last, so that nothing is put into what it says.
    parts = {"style": _part("css"), "script": _part("js"), "data": _safe(_data(record))}
    for name, text in parts.items():
        made = made.replace(f"{{{{{name}}}}}", text)
    return made


def _part(kind: str) -> str:
    return resources.files("pytest_kms.suite").joinpath(f"report.{kind}").read_text(encoding="utf-8")


def _safe(data: dict[str, Any]) -> str:
    """Write data as JSON that can end no element and begin none."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Numbered(dict[Any, int]):
    """Numbers things in the order in which they are first seen."""

    def __missing__(self, thing: Any) -> int:
        self[thing] = len(self)
        return self[thing]


def _data(record: Record) -> dict[str, Any]:
    tests, keys, texts = _Numbered(), _Numbered(), _Numbered()
    made = list(record.calls())
    calls = [_call(call, tests, keys, texts) for call in made]
    keys_kept, monthly = record.monthly
    return {
        "version": version("pytest-kms"),
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "ran": record.ran,
        "lost": record.lost,
        "tests": [[test, record.tests[test].outcome if test in record.tests else ""] for test in tests],
        "keys": _keys(keys, made),
        "texts": list(texts),
        "calls": calls,
        "peaks": [_peak(peak) for peak in record.nearest],
        "cost": sum(call.cost for call in made),
        "kept": keys_kept,
        "monthly": monthly,
        "source": prices.SOURCE,
    }


def _call(call: Made, tests: _Numbered, keys: _Numbered, texts: _Numbered) -> list[Any]:
    uses = [[keys[key.like], key.id, given] for key, given in zip(call.keys, call.contexts, strict=True)]
    return [
        tests[call.test],
        call.operation,
        uses,
        call.region,
        call.account,
        texts[call.principal],
        call.via,
        call.error,
        texts[call.message],
        texts[call.why],
        call.attempts,
        call.throttled,
        round(call.at, 3),
        call.cost,
        call.dry_run,
    ]


def _keys(keys: Iterable[UsedKey], calls: Iterable[Made]) -> list[dict[str, Any]]:
    ids: dict[UsedKey, set[str]] = {key: set() for key in keys}
    for call in calls:
        for key in call.keys:
            ids[key.like].add(key.id)
    several = len({(key.region, key.account) for key in ids}) > 1
    made = []
    for key, of_these in ids.items():
        label = key.alias or f"keys without an alias, {key.manager} {key.spec}"
        made.append(
            {
                "label": f"{label}, {key.region} {key.account}" if several else label,
                "manager": key.manager,
                "spec": key.spec,
                "region": key.region,
                "account": key.account,
                "count": 1 if key.alias else len(of_these),
            }
        )
    return made


def _peak(peak: Nearest) -> dict[str, Any]:
    told = ", ".join(f"{operation} {count:,}" for operation, count in peak.operations.items())
    return {**peak._asdict(), "operations": told, "share": peak.share}
