"""Did the test order a failure?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import AccessDeniedException, Mishap

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Let the call fail as ordered: now, or, where it is to be carried out all the same, when it is done."""
    faults = call.world.faults
    if not (faults.queue or faults.outages or faults.latencies):
        return
    operation = call.operation.name
    keys = [key.arn for key in call.keys]
    failure = faults.strike(operation, keys, call.event)
    error = None if failure is None else failure.make()
    if failure is not None and failure.carried_out:
        call.failure, error = failure, None
    if not isinstance(error, Mishap):  # what nobody answers takes no time of KMS's
        call.latency = faults.seconds(operation, keys, call.event)
    if isinstance(error, AccessDeniedException):
        error.message = _denial(call)
    if error is not None:
        raise error


def _denial(call: Call) -> str:
    """Say what AWS says when no policy of the caller's allows what is asked first."""
    action, which = call.operation.name, "resource: *"
    if call.uses:
        action, which = call.uses[0].action or action, f"resource: {call.uses[0].key}"
        if action == call.by_ciphertext:
            which = "the resource associated with this ciphertext"
    return (
        f"User: {call.principal.arn} is not authorized to perform: kms:{action} on {which}"
        f" because no identity-based policy allows the kms:{action} action"
    )
