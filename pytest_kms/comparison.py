"""What differs between events, and between trails: for the report of an `assert` with `==`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from pytest_kms.state import lines
from pytest_kms.state.trail import Attempt, Event, KeyUse, Trail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Events: TypeAlias = Sequence[Event]


def explain(left: object, right: object) -> list[str] | None:
    """Tell why two events, or two sequences of events, are not equal; None where it is neither."""
    if isinstance(left, Event) and isinstance(right, Event):
        return [f"{_name(left)} == {_name(right)}", *_differences(left, right)]
    if isinstance(left, str) and isinstance(right, Trail):
        return _with_text(right, left)
    if isinstance(left, Trail) and isinstance(right, str):
        return _with_text(left, right)
    ours, theirs = _events(left), _events(right)
    if ours is not None and theirs is not None and (ours or theirs):
        return [f"{_title(left, ours)} == {_title(right, theirs)}", *_trail_differences(ours, theirs)]
    return None


def _with_text(trail: Trail, text: str) -> list[str]:
    same = "; its lines are these" if text == str(trail) else ""
    return [f"{trail!r} == a text{same}", "A trail equals no text. What to do: compare str(trail)."]


def _events(given: object) -> Events | None:
    if isinstance(given, (Trail, list, tuple)) and not isinstance(given, Event):
        return given if all(isinstance(one, Event) for one in given) else None
    return None


def _title(given: object, events: Events) -> str:
    kind = "Trail" if isinstance(given, Trail) else type(given).__name__
    return f"{kind} of {len(events)} call{'' if len(events) == 1 else 's'}"


def _name(event: Event) -> str:
    return f"<{lines.line(event, _key_id, event.region)}>"


def _key_id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _trail_differences(left: Events, right: Events) -> Iterator[str]:
    """Tell what differs, call by call; what is alike in operation, key and context stands side by side."""
    matcher = SequenceMatcher(None, [_gist(event) for event in left], [_gist(event) for event in right], autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        both = min(b - a, d - c)
        for place, other in zip(range(a, a + both), right[c : c + both], strict=True):
            if left[place] != other:
                yield f"{place + 1}. {_name(left[place])} differs:"
                yield from _differences(left[place], other)
        yield from _alone("left", left, range(a + both, b))
        yield from _alone("right", right, range(c + both, d))


def _alone(side: str, events: Events, places: range) -> Iterator[str]:
    for place in places:
        yield f"{place + 1}. {_name(events[place])} is on the {side} alone"


def _gist(event: Event) -> str:
    return repr((event.operation, event.uses, event.error))


def _differences(left: Event, right: Event) -> Iterator[str]:
    """Tell the fields that differ, one a line."""
    for name, was, now in _different_fields(left, right):
        if name == "uses":
            yield from _different_uses(was, now)
        elif name == "attempts":
            yield from _different_attempts(was, now)
        else:
            yield from _changes(name, was, now)


def _different_fields(left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    """Give the fields of two named tuples that are not equal."""
    for name, was, now in zip(left._fields, left, right, strict=True):
        if was != now:
            yield name, was, now


def _different_uses(left: Sequence[KeyUse], right: Sequence[KeyUse]) -> Iterator[str]:
    if len(left) != len(right):
        yield f"  keys: {_keys(left)} -> {_keys(right)}"
        return
    for was, now in zip(left, right, strict=True):
        for name, one, other in _different_fields(was, now):
            yield from _changes(f"{was.member}.{name}", one, other)


def _keys(uses: Sequence[KeyUse]) -> str:
    return ", ".join(use.key for use in uses) or "none"


def _different_attempts(left: Sequence[Attempt], right: Sequence[Attempt]) -> Iterator[str]:
    """Tell attempts that differ; that each has a time of its own is told once, by the time of the event."""
    if len(left) != len(right):
        yield f"  attempts: {len(left)} -> {len(right)}"
        return
    for was, now in zip(left, right, strict=True):
        for name, one, other in _different_fields(was, now):
            if name != "time" or was.number > 1:
                yield from _changes(f"attempt {was.number}.{name}", one, other)


def _changes(name: str, was: object, now: object) -> Iterator[str]:
    """Tell what differs in a field, or within it, if it is a mapping."""
    if not (isinstance(was, Mapping) and isinstance(now, Mapping)):
        yield f"  {name}: {was!r} -> {now!r}"
        return
    for key in sorted({*was, *now}):
        if key not in now:
            yield f"  {name}.{key}: {was[key]!r} is on the left alone"
        elif key not in was:
            yield f"  {name}.{key}: {now[key]!r} is on the right alone"
        elif was[key] != now[key]:
            yield from _changes(f"{name}.{key}", was[key], now[key])
