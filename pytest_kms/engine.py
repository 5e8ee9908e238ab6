"""The life of one request."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kms import operations, wire
from pytest_kms.checks import (
    algorithm,
    attestation,
    authorization,
    faults,
    grant_tokens,
    key_state,
    key_store,
    key_usage,
    quotas,
    support,
    validation,
)
from pytest_kms.errors import DryRunOperationException, KMSError, Mishap, Refusal
from pytest_kms.operation import Call, Request
from pytest_kms.paging import page
from pytest_kms.state.faults import CONNECT_TIMEOUT, CUT, NO_JSON, READ_TIMEOUT
from pytest_kms.state.key import Key
from pytest_kms.targets import NotMadeYet

if TYPE_CHECKING:
    from pytest_kms.operation import Operation
    from pytest_kms.state.world import World

__all__ = ["Reply", "Request", "handle", "operations"]

make_request: Callable[[tuple[Any, ...]], Request] = partial(tuple.__new__, Request)
"""Make a request of a tuple of all its fields, in half the time that its own initializer takes."""


class Reply(NamedTuple):
    """What goes back to the client."""

    status: int
    body: bytes
    request_id: str
    mishap: str = ""
    """What befalls it on the way, if anything does: a spoilt body, or an exception that botocore raises instead."""

    def __repr__(self) -> str:
        return f"<Reply {self.status} to {self.request_id}>"


def decode(call: Call) -> None:
    """Read the members from the wire."""
    call.input = wire.decode(call.operation.name, call.request.body)


def identify(call: Call) -> None:
    """Find what the call is about, as far as it can be found; what cannot be is told later."""
    try:
        for target in call.operation.targets:
            thing = target.find(call)
            call.found.append(thing)
            if isinstance(thing, Key):
                call.keys.append(thing)
    except (KMSError, NotMadeYet) as error:
        call.unresolved = error


def find(call: Call) -> None:
    """Tell what could not be found; make an AWS managed key that is named for the first time."""
    if call.world.consistency.pending:
        call.world.consistency.count()
    while isinstance(call.unresolved, NotMadeYet):
        call.unresolved.make()
        call.unresolved = None
        call.resources = ()
        for findings in (call.found, call.keys, call.touched, call.uses):
            findings.clear()
        identify(call)
    if call.unresolved is not None:
        raise call.unresolved


def rules(call: Call) -> None:
    """Refuse members that do not go together."""
    for rule in call.operation.rules:
        rule(call)


def run(call: Call) -> None:
    """Do it."""
    operation = call.operation
    answer = operation.function(call, *call.found)
    if operation.pages is not None:
        answer = page(operation.name, operation.pages, call.input, answer)
    call.answer = answer or {}


def dry_run(call: Call) -> None:
    """Say of a dry run that all would have gone well."""
    if call.input.get("DryRun"):
        raise DryRunOperationException


# AWS's order, as far as it is known. Not known is whether a caller without permission learns that a key of its
# own account does not exist (here: yes), and whether usage is looked at before state (here: usage first, as the
# one who says that he saw it has it). That the state comes before the algorithm was recorded.
LIFE = (
    decode,
    support.check,
    identify,
    faults.check,
    quotas.check,
    validation.check,
    attestation.check,
    find,
    grant_tokens.check,
    authorization.check,
    rules,
    key_usage.check,
    key_state.check,
    algorithm.check,
    key_store.check,
    run,
    dry_run,
)

_CONCERNS: dict[Callable[[Call], None], Callable[[Operation], object]] = {
    rules: lambda operation: operation.rules,
    key_usage.check: lambda operation: operation.usage,
    key_state.check: lambda operation: operation.refused_in,
    algorithm.check: lambda operation: operation.algorithms,
    key_store.check: lambda operation: operation.cryptographic,
}
"""The operations that a step concerns; one that is not here concerns all."""

_ASKED_BY = {attestation.check: "Recipient", grant_tokens.check: "GrantTokens", dry_run: "DryRun"}
"""The members that ask for a step."""

_ASKING = frozenset(_ASKED_BY.values())


@cache
def _life(operation: Operation, asking: frozenset[str]) -> tuple[Callable[[Call], None], ...]:
    """Leave out of the life of a request, once it is decoded, what does not concern it."""
    steps = (step for step in LIFE[1:] if step not in _ASKED_BY or _ASKED_BY[step] in asking)
    return tuple(step for step in steps if step not in _CONCERNS or _CONCERNS[step](operation))


def handle(world: World, request: Request) -> Reply:
    """Answer one request, and record it.

    Raises:
        Refusal: the request asks for a part of KMS that this version does not have.

    """
    call = Call(world, request)
    world.agenda.settle(call.seconds)
    world.consistency.begin(call.seconds)
    request_id = world.next_request_id()
    error: KMSError | Mishap | None = None
    try:
        decode(call)
        for step in _life(call.operation, _ASKING.intersection(call.input)):
            step(call)
    except (KMSError, Mishap) as raised:
        error = raised
    except Refusal as refusal:
        world.refusals.append(refusal)
        _record(call, request_id, type(refusal).__name__, str(refusal))
        raise
    if call.failure is not None or call.latency or error is not None:
        return _fail(call, request_id, error)
    _record(call, request_id, None, "", "\n".join(call.allowed) if call.allowed else "")
    # As `make_request`: on the way of every call a microsecond counts.
    return tuple.__new__(Reply, (200, wire.encode(call.answer), request_id, ""))


def _fail(call: Call, request_id: str, error: KMSError | Mishap | None) -> Reply:
    """End a call that failed, or takes its time: its answer may come too late, get lost, or be spoilt."""
    met = call.failure.make() if call.failure else error
    if call.latency > call.request.read_timeout:
        met = Mishap(READ_TIMEOUT, why=f"the answer takes {call.latency:g} s, by kms.latency")
    took = _seconds(call, met)
    if met is None:
        _record(call, request_id, None, "", "\n".join(call.allowed), took=took)
    else:
        _record(call, request_id, met.code, met.message, met.why, lost=error is None, took=took)
    call.world.clock.wait(took)
    if isinstance(met, Mishap):
        return _spoilt(met.code, _reply(call, request_id, error))
    return _reply(call, request_id, met)


def _reply(call: Call, request_id: str, error: KMSError | Mishap | None) -> Reply:
    if not isinstance(error, KMSError):
        return Reply(200, wire.encode(call.answer), request_id)
    body = {"__type": error.code, "message": error.message} if error.message else {"__type": error.code}
    return Reply(error.status, wire.encode(body), request_id)


def _seconds(call: Call, met: KMSError | Mishap | None) -> float:
    """Say how long a client waits for what it meets; a timeout takes as long as the client is configured to wait."""
    timeouts = {CONNECT_TIMEOUT: call.request.connect_timeout, READ_TIMEOUT: call.request.read_timeout}
    seconds = call.latency if met is None else timeouts.get(met.code, call.latency)
    return 0 if seconds == math.inf else seconds  # without a timeout there is none to wait for


_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def _spoilt(name: str, reply: Reply) -> Reply:
    """Do to an answer what happens on the way."""
    if name == CUT:
        return reply._replace(body=reply.body[: len(reply.body) // 2], mishap=name)
    if name == NO_JSON:
        return reply._replace(status=502, body=_GATEWAY, mishap=name)
    return reply._replace(mishap=name)


def _record(
    call: Call,
    request_id: str,
    error: str | None,
    message: str,
    why: str = "",
    *,
    lost: bool = False,
    took: float = 0.0,
) -> None:
    consistency = call.world.consistency
    if consistency.overlooked:
        why = "\n".join(filter(None, (why, *consistency.why)))
    call.world.trail.record(call.told(request_id, error, message, why, lost=lost, took=took))
