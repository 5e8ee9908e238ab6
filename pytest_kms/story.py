"""What the report of a failing test tells of its KMS calls: each in a line, and why it ended as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.assertions import describe

if TYPE_CHECKING:
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

_SHOWN = 50
NOTHING = "Nothing called KMS."


def story(world: World, earlier: int, error: BaseException | None) -> str:
    """Tell the calls of a fake since it had answered so many `earlier` ones; mark the one that a test failed with."""
    trail = world.trail
    start = max(earlier, len(trail) - _SHOWN)
    lines = [f"... calls 1 to {earlier} are those of earlier tests"] if earlier else []
    if start > earlier:
        lines.append(f"... calls {earlier + 1} to {start} are in kms.trail")
    if len(trail) == earlier:
        return "\n".join([*lines, NOTHING])
    ended_with = _request_ids(error)
    for number, event in enumerate(trail[start:], start=start + 1):
        mark = "   <-- with this error the test ended" if event.request_id in ended_with else ""
        lines.append(f"{number}. {describe(world, event)}{mark}")
        lines += _reasons(event)
    return "\n".join(lines)


def _reasons(event: Event) -> list[str]:
    message = [f"     {event.message}"] if event.message and event.error != "NotSupported" else []
    return message + ([f"     {line}" for line in f"why: {event.why}".splitlines()] if event.why else [])


def _request_ids(error: BaseException | None) -> set[str]:
    """Name the requests that an exception, or one that it came from, is the answer to."""
    found = set()
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            found.add(str(response.get("ResponseMetadata", {}).get("RequestId")))
        error = error.__cause__ or error.__context__
    return found
