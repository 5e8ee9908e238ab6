"""The CloudTrail records of a whole run, as the files that CloudTrail delivers have them."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_kms.state.trail import repeatable_uuid
from pytest_kms.suite.collector import Collector, missing, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_kms.state.world import World


class CloudTrail(Collector):
    """Collects the records of all fakes, and writes them; compressed, if the file's name ends with `.gz`."""

    name = "kms_cloudtrail"

    def __init__(self, file: Path, called: str) -> None:
        self._file = file
        self._called = called
        self._records: list[dict[str, Any]] = []

    def see(self, world: World) -> None:
        """Take the records of a fake."""
        self._records += world.trail.to_cloudtrail()

    def give(self) -> list[Any]:
        """Return them."""
        return self._records

    def take(self, rows: list[Any]) -> None:
        """Take those of another process."""
        self._records += rows

    def finish(self) -> None:
        """Write the file."""
        text = json.dumps({"Records": list(_told_apart(self._records))}, separators=(",", ":"))
        content = text.encode()
        if self._file.suffix == ".gz":
            content = gzip.compress(content, mtime=0)  # so that the same records give the same file
        write(self._file, content)

    def told(self) -> list[str]:
        """Say where they are."""
        return [f"pytest-kms: {len(self._records)} CloudTrail records in {self._called}", *missing(self.lost)]


def _told_apart(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give each record an id of its own: fakes with the same seed repeat theirs, and no two events of AWS do."""
    seen: Counter[str] = Counter()
    for record in records:
        number = seen[record["eventID"]]
        seen[record["eventID"]] += 1
        ids = {name: record[name] for name in ("requestID", "eventID", "sharedEventID") if name in record}
        yield record | ({name: repeatable_uuid(f"{value} {number}") for name, value in ids.items()} if number else {})
