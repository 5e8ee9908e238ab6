"""The trail as a test reads it: what it reads counts as looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from pytest_kms.state.trail import Trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.state.trail import Event


class ReadTrail(Trail):
    """A trail that notes which of its calls are read. The fake itself reads the trail without."""

    def __init__(self, trail: Trail) -> None:
        # It is the same trail, read by somebody else.
        self.__dict__ = trail.__dict__

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, int) and not -len(self) <= index < len(self):
            raise IndexError(f"pytest-kms: kms.trail has {len(self)} calls, none is number {index}")
        places = range(len(self))[index]
        self.seen.update([places] if isinstance(places, int) else places)
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Event]:
        for place, event in enumerate(super().__iter__()):
            self.seen.add(place)
            yield event

    def to_cloudtrail(self, *, account: str | None = None) -> list[dict[str, Any]]:
        """Return the records that CloudTrail would write: of all calls, which are looked at thereby."""
        self.seen.update(range(len(self)))
        return super().to_cloudtrail(account=account)
