"""Assertions on the audit trail, and the text of their failures.

A failure has three parts: what was expected, what happened (the nearest calls first, what differs marked),
and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_kms import encryption_context
from pytest_kms.errors import UsageError
from pytest_kms.state import lines
from pytest_kms.state.key import CUSTOMER
from pytest_kms.state.lines import times as times_in_words

if TYPE_CHECKING:
    from pytest_kms.state.criteria import Filter
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

_SHOWN = 5

NOTHING = "What happened: nothing called KMS."
CHECK_THE_CODE = (
    "What to do: check that the code under test was called, and that it ran in this process;"
    " a client that is stubbed (botocore's Stubber) never gets as far as KMS."
)
COMPARE = "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full."


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


def is_use(operation: str | Any | None) -> Callable[[Event], int]:
    """Count the calls that used a key: that did something with it, also where the client was never told."""

    def count(event: Event) -> int:
        return event.carried_out > 0 and (operation is not None or event.cryptographic)

    return count


def retries_after(error: str | Any | None) -> Callable[[Event], int]:
    """Count the retries of a call: all, or those of attempts that ended with an error."""

    def count(event: Event) -> int:
        return sum(error is None or error == attempt.error for attempt in event.attempts[:-1])

    return count


def look(world: World, expected: Expectation) -> int:
    """Count what is expected, and note the calls that count as looked at."""
    found = 0
    for place, event in enumerate(world.trail):
        count = expected.counts(event) if expected.wanted.matches(event) else 0
        if count:
            world.trail.seen.add(place)
            found += count
    return found


def check(world: World, expected: Expectation, *, times: int | None) -> None:
    """Fail unless the trail holds what is expected, exactly `times` or else at least once."""
    __tracebackhide__ = True
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise UsageError(f"times is a number of calls, 0 or more, not {times!r}")
    # Told before it is compared: a value of dirty-equals shows what it was equal to.
    told = f"{expected.text}{conditions(expected)}"
    found = look(world, expected)
    if found == times or (times is None and found > 0):
        return
    often = "at least once" if times is None else times_in_words(times)
    fail(
        f"expected {told}, {often}; it was {times_in_words(found)}.",
        *_what_happened(world, expected),
        _what_next(world, found, times),
    )


def check_no_others(world: World, wanted: Filter, allowed: Collection[str], labels: str) -> None:
    """Fail if a key outside of those allowed was used, in a call that is one of those meant."""
    __tracebackhide__ = True
    told = _calls_meant(wanted)
    others = [event for event in _uses(world, wanted) if not set(event.keys) <= set(allowed)]
    if others:
        fail(
            f"expected only {labels} to be used{told}; other keys were, {times_in_words(len(others))}.",
            "What happened with other keys:",
            *first(others, partial(numbered, world)),
            "What to do: name these keys too, or find out why the code under test uses them.",
        )


def check_only_customer_keys(world: World, wanted: Filter) -> None:
    """Fail unless keys were used, in calls that are of those meant, and all are customer managed."""
    __tracebackhide__ = True
    told = f"expected only customer managed keys to be used{_calls_meant(wanted)}"
    uses = _uses(world, wanted)
    if not uses:
        happened = ["What happened:", *first(list(world.trail), partial(numbered, world))] if world.trail else [NOTHING]
        fail(
            f"{told}; no key was.",
            *happened,
            "What to do: check that the code under test was called. What a service encrypts with an AWS owned key is"
            " in no trail: where one is used that should not be, nothing calls KMS.",
        )
    by_aws = [event for event in uses if any(_is_of_aws(world, arn) for arn in event.keys)]
    if by_aws:
        labels = sorted({world.label_of(arn) for event in by_aws for arn in event.keys if _is_of_aws(world, arn)})
        fail(
            f"{told}; AWS managed keys were, {times_in_words(len(by_aws))}: {', '.join(labels)}.",
            "What happened with AWS managed keys:",
            *first(by_aws, partial(numbered, world)),
            "What to do: name a customer managed key where the service is told which key to use;"
            " without one it uses its own.",
        )


def _uses(world: World, wanted: Filter) -> list[Event]:
    """Give the calls that used a key and are of those meant, and note them as looked at."""
    expected = Expectation("", wanted, counts=is_use(wanted.operation))
    look(world, expected)
    return [event for event in world.trail if event.uses and wanted.matches(event) and expected.counts(event)]


def _is_of_aws(world: World, arn: str) -> bool:
    return world.keys_called(arn)[0].manager != CUSTOMER


def fail(*told: str) -> NoReturn:
    """Let the assertion fail, with these lines."""
    __tracebackhide__ = True
    raise AssertionError("\n".join([f"pytest-kms: {told[0]}", *told[1:]]))


def describe(world: World, event: Event) -> str:
    """Tell a call in one line: alias names, sorted context, no secrets."""
    return lines.described(world, event)


def numbered(world: World, event: Event) -> str:
    """Tell a call in one line, with its place in the trail."""
    number = next(place for place, other in enumerate(world.trail, start=1) if other is event)
    return f"{number}. {describe(world, event)}"


def _calls_meant(wanted: Filter) -> str:
    by = "" if wanted.operation is None else f" by {wanted.operation}"
    return f"{by}{conditions(Expectation('', wanted))}"


def conditions(expected: Expectation) -> str:
    """Tell what is asked of calls besides their operation and their key."""
    wanted = expected.wanted
    told = wanted.circumstances(expected.caller)
    if wanted.error is not None and expected.tells_error:
        told += f" and to end with {wanted.error}"
    return told


def _what_happened(world: World, expected: Expectation) -> list[str]:
    if not world.trail:
        return [NOTHING]
    nearest = sorted(world.trail, key=lambda event: distance(expected, event))
    return [
        "What happened, nearest first:",
        *first(nearest, lambda event: f"{numbered(world, event)}{marks(expected, event)}"),
    ]


def first(events: list[Event], tell: Callable[[Event], str]) -> list[str]:
    """Tell the first of some calls, and how many more there are."""
    told = [f"  {tell(event)}" for event in events[:_SHOWN]]
    if len(events) > _SHOWN:
        told.append(f"  ... and {len(events) - _SHOWN} more in kms.trail")
    return told


def marks(expected: Expectation, event: Event) -> str:
    """Say how a call differs from what is expected."""
    told = [_difference(expected.wanted, name, event) for name in expected.wanted.differences(event)]
    if not told and not expected.counts(event):
        told = [expected.otherwise or ("it failed" if event.error else "no use of the key")]
    return f"   <-- {'; '.join(told)}" if told else ""


def _difference(wanted: Filter, name: str, event: Event) -> str:
    if name == "encryption context" and isinstance(wanted.encryption_context, Mapping):
        uses = wanted.uses_in(event)
        given = uses[-1].encryption_context if uses else {}
        return f"encryption context: {encryption_context.difference(wanted.encryption_context, given)}"
    if name == "principal":
        return f"other principal: {event.principal}"
    if name == "via":
        return f"via {event.via}" if event.via else "not via a service"
    return "it succeeded" if name == "error" and event.succeeded else f"other {name}"


def distance(expected: Expectation, event: Event) -> int:
    """Measure how far a call is from what is expected."""
    # What was called matters more than on what, and that more than with what.
    weights = {"operation": 6, "key": 4}
    missed = expected.wanted.differences(event)
    return sum(weights.get(name, 2) for name in missed) + (not expected.counts(event))


def _what_next(world: World, found: int, times: int | None) -> str:
    if not world.trail:
        return CHECK_THE_CODE
    if times is not None and found > times:
        return "What to do: look for the calls above that should not be, or change times=."
    return COMPARE
