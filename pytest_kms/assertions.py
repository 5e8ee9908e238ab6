"""Assertions on the audit trail, and the text of their failures.

A failure has three parts: what was expected, what happened (the nearest calls first, what differs marked),
and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kms import encryption_context
from pytest_kms.state.trail import Event, Filter

if TYPE_CHECKING:
    from pytest_kms.state.world import World

_SHOWN = 5


def _once(_: Event) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test expects of the trail: calls that match, each counted for so much."""

    text: str
    wanted: Filter
    counts: Callable[[Event], int] = _once
    tells_error: bool = True
    caller: str = "by"
    otherwise: str = ""


def is_use(operation: str | None) -> Callable[[Event], int]:
    """Count the calls that used a key: that did something with it, also where the client was never told."""

    def count(event: Event) -> int:
        return event.carried_out > 0 and (operation is not None or event.cryptographic)

    return count


def retries_after(error: str | None) -> Callable[[Event], int]:
    """Count the retries of a call: all, or those of attempts that ended with an error."""

    def count(event: Event) -> int:
        return sum(error in (None, attempt.error) for attempt in event.attempts[:-1])

    return count


def check(world: World, expected: Expectation, *, times: int | None) -> None:
    """Fail unless the trail holds what is expected, exactly `times` or else at least once."""
    __tracebackhide__ = True
    found = sum(expected.counts(event) for event in world.trail if expected.wanted.matches(event))
    if found == times or (times is None and found > 0):
        return
    often = "at least once" if times is None else _times(times)
    conditions = _conditions(expected)
    lines = [
        f"pytest-kms: expected {expected.text}{conditions}, {often}; it was {_times(found)}.",
        *_what_happened(world, expected),
        _what_next(world, found, times),
    ]
    raise AssertionError("\n".join(lines))


def check_no_others(world: World, allowed: Collection[str], labels: str) -> None:
    """Fail if a key outside of those allowed was used."""
    __tracebackhide__ = True
    count = is_use(None)
    others = [event for event in world.trail if count(event) and not set(event.keys) <= set(allowed)]
    if others:
        lines = [f"pytest-kms: expected only {labels} to be used; other keys were, {_times(len(others))}."]
        lines += ["What happened with other keys:"]
        lines += first(others, lambda event: numbered(world, event))
        lines += ["What to do: name these keys too, or find out why the code under test uses them."]
        raise AssertionError("\n".join(lines))


def describe(world: World, event: Event) -> str:
    """Tell a call in one line: alias names, sorted context, no secrets."""
    parts = [event.operation]
    for use in event.uses:
        parts.append(world.label_of(use.key) if len(event.uses) == 1 else f"{use.member}={world.label_of(use.key)}")
        if use.encryption_context:
            parts.append(encryption_context.text(use.encryption_context))
    if not event.uses:
        parts += [str(v) for name, v in sorted(event.parameters.items()) if name.endswith(("KeyId", "AliasName"))]
    if event.region != world.region:
        parts.append(f"in {event.region}")
    parts.append(f"-> {event.error or 'ok'}")
    if len(event.attempts) > 1:
        parts.append(_attempts(event))
    return " ".join(parts)


def _attempts(event: Event) -> str:
    """Tell of a call that was tried more than once how the earlier attempts ended, and what was waited."""
    told = [f"{len(event.attempts)} attempts"]
    others = [attempt.error for attempt in event.attempts[:-1] if attempt.error != "ThrottlingException"]
    if event.throttled or not others:
        told.append(f"{event.throttled} throttled")
    told += [f"{others.count(error)} {error}" for error in dict.fromkeys(others)]
    if event.carried_out > 1:
        told.append(f"carried out {_times(event.carried_out)}")
    return f"({', '.join(told)})"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def numbered(world: World, event: Event) -> str:
    """Tell a call in one line, with its place in the trail."""
    number = next(place for place, other in enumerate(world.trail, start=1) if other is event)
    return f"{number}. {describe(world, event)}"


def _conditions(expected: Expectation) -> str:
    wanted = expected.wanted
    told = ""
    if wanted.encryption_context is not None:
        context = wanted.encryption_context
        told += f" with {encryption_context.text(context) if isinstance(context, Mapping) else repr(context)}"
    if wanted.principal is not None:
        told += f" {expected.caller} {wanted.principal}"
    if wanted.via is not None:
        told += f" via {wanted.via}"
    if wanted.error is not None and expected.tells_error:
        told += f" and to end with {wanted.error}"
    return told


def _what_happened(world: World, expected: Expectation) -> list[str]:
    if not world.trail:
        return ["What happened: nothing called KMS."]
    nearest = sorted(world.trail, key=lambda event: _distance(expected, event))
    return [
        "What happened, nearest first:",
        *first(nearest, lambda event: f"{numbered(world, event)}{_marks(expected, event)}"),
    ]


def first(events: list[Event], tell: Callable[[Event], str]) -> list[str]:
    """Tell the first of some calls, and how many more there are."""
    lines = [f"  {tell(event)}" for event in events[:_SHOWN]]
    if len(events) > _SHOWN:
        lines.append(f"  ... and {len(events) - _SHOWN} more in kms.trail")
    return lines


def _marks(expected: Expectation, event: Event) -> str:
    told = []
    for name in expected.wanted.differences(event):
        wanted = expected.wanted.encryption_context
        if name == "encryption context" and isinstance(wanted, Mapping):
            uses = expected.wanted.uses_in(event)
            given = uses[-1].encryption_context if uses else {}
            told.append(f"encryption context: {encryption_context.difference(wanted, given)}")
        else:
            told.append(f"other {name}: {event.principal}" if name == "principal" else f"other {name}")
    if not told and not expected.counts(event):
        told = [expected.otherwise or ("it failed" if event.error else "it is not what counts")]
    return f"   <-- {'; '.join(told)}" if told else ""


def _distance(expected: Expectation, event: Event) -> int:
    # What was called matters more than on what, and that more than with what.
    weights = {"operation": 6, "key": 4}
    missed = expected.wanted.differences(event)
    return sum(weights.get(name, 2) for name in missed) + (not expected.counts(event))


def _what_next(world: World, found: int, times: int | None) -> str:
    if not world.trail:
        return (
            "What to do: check that the code under test was called, and that it ran in this process;"
            " a client that is stubbed (botocore's Stubber) never gets as far as KMS."
        )
    if times is not None and found > times:
        return "What to do: look for the calls above that should not be, or change times=."
    return "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full."
