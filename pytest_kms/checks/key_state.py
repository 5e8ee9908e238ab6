"""Is each key in a state in which AWS does this?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import DisabledException, KMSInvalidStateException
from pytest_kms.state import key as states
from pytest_kms.state.cause import told_time

if TYPE_CHECKING:
    from pytest_kms.operation import Call
    from pytest_kms.state.cause import Cause
    from pytest_kms.state.key import Key

_SENTENCES = {
    states.PENDING_DELETION: "is pending deletion.",
    states.PENDING_REPLICA_DELETION: "is pending replica deletion.",
    states.PENDING_IMPORT: "is pending import.",
    # Not recorded, but by the same pattern:
    states.UNAVAILABLE: "is unavailable.",
    states.CREATING: "is creating.",
    states.UPDATING: "is updating.",
}


def check(call: Call) -> None:
    """Refuse a key that is not in a fit state, in AWS's words for that state."""
    refused_in = call.operation.refused_in
    for key in call.keys:
        if key.state in refused_in:
            if key.state == states.DISABLED:
                raise DisabledException(f"{key.arn} is disabled.", why=_why(call, key))
            raise KMSInvalidStateException(f"{key.arn} {_SENTENCES[key.state]}", why=_why(call, key))


def _why(call: Call, key: Key) -> str:
    """Say since when the key is so, and whose doing it is."""
    cause = key.cause
    if cause is not None:
        why = f"{key.label} is {key.state} since {told_time(cause.time)}, by {_which(call, cause)}"
        return why if key.deletion_date is None else f"{why}; it is to be deleted at {told_time(key.deletion_date)}"
    if key.store is not None and not key.store.serves:
        return f"the key store of {key.label}, {key.store.name}, is {key.store.state}"
    if key.state == states.PENDING_IMPORT and key.lacks_material:
        return f"{key.label} has no key material: ImportKeyMaterial, or kms.import_key_material, gives it some"
    return f"the test has arranged that {key.label} is {key.state}"


def _which(call: Call, cause: Cause) -> str:
    number = call.world.trail.number_of(cause.invocation)
    return f"call {number}, {cause.what}" if number else cause.what
