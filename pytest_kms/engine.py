"""The life of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import operations, service, wire
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
from pytest_kms.errors import DryRunOperationException, KMSError, Refusal
from pytest_kms.operation import Call, Request
from pytest_kms.paging import page
from pytest_kms.state.key import Key
from pytest_kms.state.trail import Attempt, Event
from pytest_kms.targets import NotMadeYet

if TYPE_CHECKING:
    from pytest_kms.state.world import World

__all__ = ["Request", "handle", "operations"]


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
    while isinstance(call.unresolved, NotMadeYet):
        call.unresolved.make()
        call.unresolved = None
        for findings in (call.found, call.keys, call.touched, call.uses, call.resources):
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


def handle(world: World, request: Request) -> tuple[int, bytes, str]:
    """Answer one request with a status, a body and the id of the request, and record it.

    Raises:
        Refusal: the request asks for a part of KMS that this version does not have.

    """
    call = Call(world, request)
    world.agenda.settle(call.seconds)
    request_id = world.next_request_id()
    try:
        for step in LIFE:
            step(call)
    except KMSError as error:
        _record(call, request_id, error.code, error.message, error.why)
        body = {"__type": error.code, "message": error.message} if error.message else {"__type": error.code}
        return error.status, wire.encode(body), request_id
    except Refusal as refusal:
        world.refusals.append(refusal)
        _record(call, request_id, type(refusal).__name__, str(refusal))
        raise
    _record(call, request_id, None, "", "\n".join(call.allowed))
    return 200, wire.encode(call.answer), request_id


def _record(call: Call, request_id: str, error: str | None, message: str, why: str = "") -> None:
    now = call.world.clock.moment(call.seconds)
    request = call.request
    operation = call.operation
    parameters = call.input
    dry_run = bool(parameters.get("DryRun"))
    for secret in service.secret_members(operation.name):
        parameters.pop(secret, None)
    event = Event(
        operation.name,
        tuple([use for use in call.uses if use.key not in call.hidden] if call.hidden else call.uses),
        parameters,
        call.principal.arn,
        call.account,
        call.region,
        now,
        error,
        message,
        why,
        (Attempt(request.attempt, now, error),),
        dry_run,
        operation.read_only,
        operation.cryptographic,
        request_id,
        call.principal.via,
        None,
        call.other_resources,
    )
    call.world.trail.record(event, request.invocation)
