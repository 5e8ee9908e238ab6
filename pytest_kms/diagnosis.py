"""Why a test failed, as far as KMS knows: the calls of the test, and the one whose error it ended with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http.client import BAD_GATEWAY
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_kms.assertions import describe
from pytest_kms.errors import causes
from pytest_kms.state.faults import CUT, NO_JSON

if TYPE_CHECKING:
    from typing import TypeAlias

    from pytest_kms.state.trail import Event, Trail
    from pytest_kms.state.world import World

    Marks: TypeAlias = Sequence[tuple[Trail, int]]

SHOWN = 50
"""How many calls are shown, the last ones."""
_WORLDS_SHOWN = 3
_ALIKE = 4
"""How many calls in a row that are told alike are told in one line."""

ENDED = "   <-- the test ended with this error"
LAST = "   <-- the last call that failed; its error is not what the test ended with"
SPOILT = "   <-- the last call that failed: half of its answer arrived, and botocore gave one without members"


def marks_of(worlds: Sequence[World]) -> Marks:
    """Note how far the trails of some fakes are."""
    return [(world.trail, world.trail.told) for world in worlds]


def anything_failed(worlds: Sequence[World], since: Marks) -> bool:
    """Say whether a call failed since then."""
    return any(event.error for world in worlds for event in world.trail[_start(world, since) :])


def several(active: Sequence[World]) -> str:
    """Say which of several fakes answers; nothing where there is but one."""
    if len(active) < 2:
        return ""
    others = ", ".join(world.origin for world in active[:-1])
    return (
        f"{len(active)} fakes are active. That of {active[-1].origin}, which began last, answers, not that of {others}."
    )


def stories(worlds: Sequence[World], since: Marks, error: BaseException | None) -> Iterator[str]:
    """Tell of each fake of a test what was called: of those that nothing called only where there is no other."""
    calling = [world for world in worlds if len(world.trail) > _start(world, since)]
    for number, world in enumerate(calling[-_WORLDS_SHOWN:]):
        left_out = len(calling) - _WORLDS_SHOWN
        head = f"... {left_out} earlier fakes of this test are left out\n" if left_out > 0 and not number else ""
        yield f"{head}{_story(world, since, error)}"
    if worlds and not calling:
        yield _story(worlds[-1], since, error)


def _story(world: World, since: Marks, error: BaseException | None) -> str:
    trail, start = world.trail, _start(world, since)
    lines = [f"The calls of earlier tests, {start} of them, are in kms.trail."] if start else []
    if len(trail) == start:
        return "\n".join([*lines, "Nothing called KMS in this test." if start else "Nothing called KMS."])
    marked, mark = _marked(trail[start:], error)
    first = max(start, len(trail) - SHOWN)
    if first > start:
        lines.append(f"... {first - start} earlier calls are in kms.trail")
    shown = [(number, event) for number, event in enumerate(trail, start=1) if number > first or event is marked]
    for (told, _), alike in groupby(shown, key=lambda item: (_told(world, item[1]), item[1] is marked)):
        numbers = [number for number, _ in alike]
        lines += _numbered(numbers, told, mark if trail[numbers[0] - 1] is marked else "")
    return "\n".join(lines)


def _numbered(numbers: Sequence[int], told: Sequence[str], mark: str) -> Iterator[str]:
    """Tell calls that are told alike, with their numbers: each by itself where they are few."""
    if len(numbers) < _ALIKE:
        for number in numbers:
            yield f"{number}. {told[0]}{mark}"
            yield from told[1:]
    else:
        yield f"{numbers[0]}-{numbers[-1]}. {told[0]}   ({len(numbers)} alike){mark}"
        yield from told[1:]


def _told(world: World, event: Event) -> list[str]:
    """Tell of a call how it ended, in AWS's sentence and in our own words."""
    told = [describe(world, event)]
    if event.message and event.error != "NotSupported":
        told.append(f"     {event.message}")
    if event.why:
        told += [f"     {line}" for line in f"why: {event.why}".splitlines()]
    return told


def _start(world: World, since: Marks) -> int:
    """Count the calls of a fake up to a mark; a fake that had none then, or was reset, is new."""
    return next((trail.calls_in(told) for trail, told in since if trail is world.trail), 0)


# which call it was


def _marked(events: Sequence[Event], error: BaseException | None) -> tuple[Event | None, str]:
    """Find the call whose error a test ended with, or else the last that failed, of which the test never heard."""
    failed = [event for event in reversed(events) if event.error not in (None, "NotSupported")]
    for raised in causes(error):
        for event in failed:
            if _is_of(raised, event):
                return event, ENDED
    if not failed or error is None:
        return None, ""
    return failed[0], SPOILT if failed[0].error == CUT else LAST


def _is_of(raised: BaseException, event: Event) -> bool:
    """Say whether an exception is the error of a call: by the id of the request, or, without an answer, by its name."""
    response = getattr(raised, "response", None)
    if isinstance(response, Mapping) and response.get("ResponseMetadata"):
        metadata = response["ResponseMetadata"]
        if event.error == NO_JSON:
            return bool(metadata.get("HTTPStatusCode") == BAD_GATEWAY)
        return bool(metadata.get("RequestId") == event.request_id)
    return type(raised).__name__ == event.error
