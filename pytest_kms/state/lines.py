"""Calls in words, one line each: alias names, sorted contexts, no secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_kms import arns, encryption_context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World


def times(count: int) -> str:
    """Say how often."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def line(
    event: Event,
    label: Callable[[str], str],
    region: str,
    *,
    written: Callable[[str], str] = str,
    caller: str = "",
) -> str:
    """Tell a call.

    `label` names the key of an ARN, `written` what the caller wrote for a key that was not found; `region` goes
    without saying; `caller` tells by whom it came.
    """
    parts = [event.operation]
    for use in event.uses:
        # An alias is told by its name: the key that it had may have another by now.
        called = str(event.parameters["AliasName"]) if use.member == "AliasName" else label(use.key)
        parts.append(called if len(event.uses) == 1 else f"{use.member}={called}")
        if use.encryption_context:
            parts.append(encryption_context.text(use.encryption_context))
    if not event.uses:
        given = sorted(event.parameters.items())
        parts += [written(str(value)) for name, value in given if name.endswith(("KeyId", "AliasName"))]
    if event.region != region:
        parts.append(f"in {event.region}")
    if caller:
        parts.append(caller)
    parts.append(f"-> {event.error or 'ok'}")
    if len(event.attempts) > 1:
        parts.append(_attempts(event))
    return " ".join(parts)


def _attempts(event: Event) -> str:
    """Tell of a call that was tried more than once how its attempts failed, and how often it was carried out."""
    errors = [attempt.error for attempt in event.attempts if attempt.error is not None]
    told = [f"{len(event.attempts)} attempts"]
    told += [f"{errors.count(error)} {_IN_SHORT.get(error, error)}" for error in dict.fromkeys(errors)]
    if event.carried_out > 1:
        told.append(f"carried out {times(event.carried_out)}")
    return f"({', '.join(told)})"


_IN_SHORT = {"ThrottlingException": "throttled"}


def described(world: World, event: Event) -> str:
    """Tell a call: by the alias or the id of its key, and by whom, where it is not the default principal."""
    caller = _caller(world, event, world.acting[0].arn)
    return line(event, world.label_of, world.region, caller=caller)


def _caller(world: World, event: Event, default: str) -> str:
    by = f"by {_name(world.identity_of(event.principal))}" if event.principal != default else ""
    via = f"via {_name(event.via)}" if event.via else ""
    return " ".join(filter(None, [by, via]))


def stable(world: World, events: Iterable[Event]) -> str:
    """Tell calls in lines that are the same in each run, fit for a snapshot: without ids and times.

    A key without an alias is called `key-1`, `key-2` and so on, in the order in which such keys appear. Who calls is
    told where it is not the default principal: by name, without account and session.
    """
    stand_ins: dict[str, str] = {}

    def label(name: str) -> str:
        parsed = arns.parse(name)
        if parsed and parsed.resource.startswith(arns.ALIAS_PREFIX):
            return parsed.resource
        called = world.label_of(name) if parsed else name
        if arns.KEY_ID.fullmatch(called):
            return stand_ins.setdefault(called, f"key-{len(stand_ins) + 1}")
        return called

    default = world.acting[0].arn
    told = []
    for event in events:
        caller = _caller(world, event, default)
        told.append(line(event, label, world.region, written=label, caller=caller))
    return "\n".join(told)


def _name(caller: str) -> str:
    """Say who calls: of an ARN what comes after the account, of an AWS service its first word."""
    if caller.startswith("arn:"):
        return caller.split(":", 5)[5]
    return caller.partition(".")[0]
