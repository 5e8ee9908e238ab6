"""What gathers something from all tests of a run, in all processes of pytest-xdist, and tells it once at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_kms.state.world import World


class Collector:
    """Something that a run leaves behind. Each does what it needs of this, and by default nothing.

    Calls come in this order: `begin`, `see`, `properties` and `end` again and again, in each process that runs tests;
    then, where these are workers of pytest-xdist, `give` in each, and in their controller `take` for each, or `miss`
    for one that crashed; at last `finish` and `told`, once, in the controller or in the only process.
    """

    name = ""
    """What pytest-xdist brings its rows under."""
    lost = 0
    """How many other processes gave nothing."""

    def begin(self, test: str, worlds: Sequence[World]) -> None:
        """Know that a test begins, its setup first, and which fakes are active."""

    def end(self, test: str, outcome: str, worlds: Sequence[World]) -> None:
        """Know that a test has ended, its teardown too, how, and which fakes are still active."""

    def see(self, world: World) -> None:
        """See what a fake remembers, before it ends or is reset."""

    def properties(self, worlds: Sequence[World]) -> list[tuple[str, str]]:  # noqa: ARG002  # for those who need it
        """Return what a JUnit file is to tell of the present test, when its teardown is over; these are active."""
        return []

    def give(self) -> list[Any]:
        """Return what was collected, as rows that JSON can carry."""
        return []

    def take(self, rows: list[Any]) -> None:
        """Take what another process has given, as JSON has carried it: tuples are lists."""

    def miss(self) -> None:
        """Know that another process gave nothing, because it crashed."""
        self.lost += 1

    def finish(self) -> None:
        """Write what there is to write."""

    def told(self) -> list[str]:
        """Return what the terminal is to show, a heading first, or nothing."""
        return []


def collectors_for(option: Callable[[str], Any], folder: Path) -> list[Collector]:
    """Make what the options of a run ask for; paths are relative to a folder. Nothing else is imported."""
    made: list[Collector] = []
    file = option("kms_least_privilege")
    if file:
        from pytest_kms.suite.privilege import Privilege

        made.append(Privilege(folder / file, file))
    file = option("kms_cloudtrail")
    if file:
        from pytest_kms.suite.cloudtrail import CloudTrail

        made.append(CloudTrail(folder / file, file))
    summary, report, junit = option("kms_summary"), option("kms_report"), option("kms_junit")
    if summary or report or junit:
        from pytest_kms.suite.record import Record

        record = Record()
        made.append(record)
        if summary:
            from pytest_kms.suite.summary import Summary

            made.append(Summary(record))
        if report:
            from pytest_kms.suite.report import Report

            made.append(Report(record, folder / report, report))
        if junit:
            from pytest_kms.suite.properties import Properties

            made.append(Properties(record))
    return made


def mistake_in(files: Mapping[str, str], folder: Path) -> str | None:
    """Tell which option names a file that cannot be written, before a test has run; paths are relative to a folder."""
    named: dict[Path, str] = {}
    for option, file in files.items():
        path = (folder / file).resolve()
        near = next(place for place in (path, *path.parents) if place.exists())
        if not file.strip():
            return f"{option} needs the name of a file"
        if path in named:
            return f"{named[path]} and {option} name the same file, {file}"
        if path.is_dir() or (near != path and not near.is_dir()):
            return f"{option}: {file} is no file that can be written"
        named[path] = option
    return None


def missing(workers: int) -> list[str]:
    """Tell how many workers have crashed, if any did: what is told or written without theirs is not all."""
    if not workers:
        return []
    return [f"{many(workers, 'worker')} crashed: what they called is missing here."]


def many(count: int, what: str) -> str:
    """Say how many there are of something."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def write(file: Path, content: bytes) -> None:
    """Write a file, in a folder that need not be there yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
