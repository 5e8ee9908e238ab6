"""What a JUnit file tells of each test that called KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.suite.collector import Collector
from pytest_kms.suite.record import DENIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_kms.state.world import World
    from pytest_kms.suite.record import Record

PREFIX = "kms."


class Properties(Collector):
    """Tells of the tests of a record, one by one."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def properties(self, worlds: Sequence[World]) -> list[tuple[str, str]]:
        """Return the properties of the present test: none, if it did not call KMS."""
        calls = self._record.of_this_test(worlds)
        if not calls:
            return []
        keys = {key.label for call in calls for key in call.keys}
        told = {
            "calls": f"{len(calls)}",
            "keys": ", ".join(sorted(keys)),
            "throttled": f"{sum(call.throttled for call in calls)}",
            "denied": f"{sum(call.error == DENIED for call in calls)}",
            "cost": f"{sum(call.cost for call in calls):.6f}",
        }
        return [(f"{PREFIX}{name}", value) for name, value in told.items()]
