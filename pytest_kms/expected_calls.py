"""How many calls are made inside a block? `kms.expect_calls`, and the text of its failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import assertions, service
from pytest_kms.errors import UsageError
from pytest_kms.state.lines import times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from pytest_kms.state.criteria import Filter
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

_OTHERS = "other operations"


class ExpectedCalls:
    """A block that must make exactly so many calls of each operation, among those that meet a filter.

    `find_world` gives what the fake remembers now, `on` names the key of the filter.
    """

    def __init__(
        self, find_world: Callable[[], World], wanted: Filter, on: str, counts: Mapping[str, int], others: int | None
    ) -> None:
        for operation, count in counts.items():
            service.expect_event(operation)
            _expect_count(operation, count)
        if others is not None:
            _expect_count("others", others)
        if not counts and others is None:
            raise UsageError("name at least one operation; a block that must not call KMS at all has others=0")
        self._find_world = find_world
        self._meant = f"{on}{assertions.conditions(assertions.Expectation('', wanted))}"
        self._wanted = wanted
        self._counts = dict(counts)
        self._others = others
        self._began: list[tuple[World, int]] = []

    def __enter__(self) -> None:
        world = self._find_world()
        self._began.append((world, len(world.trail)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        before, start = self._began.pop()
        if kind is None:
            world = self._find_world()
            self._check(world, start if world is before else 0)  # after kms.reset() the trail is a new one

    def _check(self, world: World, start: int) -> None:
        __tracebackhide__ = True
        expected = self._counts if self._others is None else {**self._counts, _OTHERS: self._others}
        made: dict[str, list[Event]] = {operation: [] for operation in expected}
        for place, event in enumerate(world.trail):
            name = event.operation if event.operation in self._counts else _OTHERS
            is_call = event.service_event is None or name != _OTHERS
            if place >= start and name in made and is_call and self._wanted.matches(event):
                made[name].append(event)
                world.trail.seen.add(place)
        wrong = [name for name, count in expected.items() if len(made[name]) != count]
        if wrong:
            assertions.fail(
                f"expected of this block{self._meant}: {_tell(expected)};"
                f" it was {_tell({name: len(made[name]) for name in wrong})}.",
                *_what_happened(world, start, {name: made[name][expected[name] :] for name in wrong}),
                _what_next(any(len(made[name]) > expected[name] for name in wrong)),
            )


def _expect_count(name: str, count: object) -> None:
    if not isinstance(count, int) or count < 0:
        raise UsageError(f"{name}= is a number of calls, 0 or more, not {count!r}")


def _tell(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {times(count)}" for name, count in counts.items())


def _what_happened(world: World, start: int, surplus: Mapping[str, list[Event]]) -> list[str]:
    """Tell the calls of the block, those first that are too many."""
    inside = world.trail[start:]
    if not inside:
        return ["What happened in the block: nothing called KMS."]
    too_many = [event for events in surplus.values() for event in events]
    inside.sort(key=lambda event: not _is_in(event, too_many))

    def tell(event: Event) -> str:
        return f"{assertions.numbered(world, event)}{'   <-- too many' if _is_in(event, too_many) else ''}"

    return ["What happened in the block:", *assertions.first(inside, tell)]


def _is_in(event: Event, events: list[Event]) -> bool:
    return any(event is other for other in events)


def _what_next(too_many: bool) -> str:  # noqa: FBT001
    if too_many:
        return "What to do: look for the calls above that should not be, or expect more."
    return "What to do: check that the block calls what it should; calls before and after it do not count."
