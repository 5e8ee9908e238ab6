"""What fails a test at its end, and how to turn it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_kms import assertions, service
from pytest_kms.errors import UsageError
from pytest_kms.state.lines import times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, TypeAlias

    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

    Verdict: TypeAlias = Literal["error", "ignore"]
    MaxCalls: TypeAlias = Mapping[str, int] | list[str] | None

ERROR, IGNORE = "error", "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """What fails a test at its end."""

    unsupported: str = ERROR
    unused_faults: str = ERROR
    unasserted_calls: str = IGNORE
    max_calls: Mapping[str, int] = field(default_factory=dict)

    def but(self, said: Mapping[str, Any]) -> Strictness:
        """Return what holds where somebody nearer says otherwise of some.

        Raises:
            UsageError: as for `strictness`.

        """
        return strictness(**asdict(self) | dict(said))


def strictness(max_calls: MaxCalls, **words: str) -> Strictness:
    """Check what a test or an ini file says of its verdicts; the file gives budgets as lines `Decrypt = 1`.

    Raises:
        UsageError: it is none of the words, no operation, or no number.

    """
    for name, given in words.items():
        if given not in (ERROR, IGNORE):
            raise UsageError(f'{name} is "{ERROR}" or "{IGNORE}", not {given!r}')
    return Strictness(max_calls=dict(_budget(*item) for item in _items(max_calls or {})), **words)


def _items(given: Mapping[str, int] | list[str]) -> list[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return list(given.items())
    if not isinstance(given, list):
        raise UsageError(f"max_calls is a mapping of operations to numbers of calls, not {given!r}")
    return [(name.strip(), number.strip()) for name, _, number in (line.partition("=") for line in given)]


def _budget(operation: str, given: Any) -> tuple[str, int]:
    number = int(given) if str(given).isdecimal() else -1
    if number < 0 or isinstance(given, bool):
        raise UsageError(f"max_calls: the calls of {operation} are a number, 0 or more, not {given!r}")
    return service.expect_event(operation), number


def verdicts(world: World, strict: Strictness) -> list[str]:
    """Say what fails the test that ends now; a refusal that was swallowed is reason enough."""
    refusals = swallowed(world, strict)
    if refusals:
        return refusals[:1]
    told = [
        f"pytest-kms: {called} was never entered, so that nothing came of it. What to do: write `with {called}:`."
        for called in dict.fromkeys(world.unopened)
    ]
    told += _unused_faults(world) if strict.unused_faults == ERROR else []
    if strict.max_calls:
        told += _over_budget(world, strict.max_calls)
    if strict.unasserted_calls == ERROR:
        told += _unasserted(world)
    return told


def swallowed(world: World, strict: Strictness) -> list[str]:
    """Say what was refused: whoever has swallowed it, it fails the test."""
    refusals = world.refusals if strict.unsupported == ERROR else []
    return [f"{refusal} {_off('unsupported')}" for refusal in refusals]


def forget(world: World) -> None:
    """Begin anew: what has been until now is nothing that a later test answers for."""
    world.refusals.clear()
    world.unopened.clear()
    world.faults.clear()
    world.judged = world.trail.told


def _unused_faults(world: World) -> Iterator[str]:
    unused = world.faults.unused
    if unused:
        yield (
            f"pytest-kms: faults were ordered and never used: {'; '.join(map(str, unused))}."
            " What to do: check that the code under test makes these calls, order fewer, or order with optional=True"
            f" what need not come. {_off('unused_faults')}"
        )


def _over_budget(world: World, budgets: Mapping[str, int]) -> Iterator[str]:
    calls = world.trail[world.trail.calls_in(world.judged) :]
    made = {operation: [call for call in calls if call.operation == operation] for operation in budgets}
    over = {operation: found for operation, found in made.items() if len(found) > budgets[operation]}
    if over:
        told = [f"{name} {times(len(found))} instead of {_limit(budgets[name])}" for name, found in over.items()]
        yield _with_calls(
            world,
            f"there were more calls than max_calls allows: {', '.join(told)}.",
            [call for found in over.values() for call in found],
            "look for calls that could be spared, or allow more in max_calls. To turn it off: max_calls=None,"
            " of the marker or fake_kms(), or no kms_max_calls in the ini file.",
        )


def _unasserted(world: World) -> Iterator[str]:
    start = world.trail.calls_in(world.judged)
    calls = [
        event
        for place, event in enumerate(world.trail)
        if place >= start and place not in world.trail.seen and event.service_event is None
    ]
    if calls:
        yield _with_calls(
            world,
            f"no assertion has looked at {len(calls)} call{'s' if len(calls) > 1 else ''}.",
            calls,
            f"assert on these calls, or read them from kms.trail. {_off('unasserted_calls')}",
        )


def _with_calls(world: World, what: str, calls: list[Event], to_do: str) -> str:
    happened = assertions.first(calls, partial(assertions.numbered, world))
    return "\n".join([f"pytest-kms: {what}", "What happened:", *happened, f"What to do: {to_do}"])


def _limit(count: int) -> str:
    return f"at most {times(count)}" if count else "never"


def _off(name: str) -> str:
    return f'To turn it off: {name}="{IGNORE}", of the marker or fake_kms(), or kms_{name} = {IGNORE} in the ini file.'
