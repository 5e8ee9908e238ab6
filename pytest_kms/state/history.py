"""How something came to be as it is, as far as the trail tells: for the reports of failing tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.state import key as states

if TYPE_CHECKING:
    from pytest_kms.state.key import Key
    from pytest_kms.state.trail import Event, Trail

# What brings a key into a state.
_WAYS = {
    states.DISABLED: ("DisableKey", "CancelKeyDeletion"),
    states.PENDING_DELETION: ("ScheduleKeyDeletion",),
    states.PENDING_REPLICA_DELETION: ("ScheduleKeyDeletion",),
    states.PENDING_IMPORT: ("CreateKey", "DeleteImportedKeyMaterial", "DeleteExpiredKeyMaterial"),
}


def of_state(trail: Trail, key: Key) -> str:
    """Say since when a key is in its state, and by which call; one that no call has brought there was arranged so."""
    ways = _WAYS.get(key.state)
    if ways is None:
        return ""
    for number, event in reversed(list(enumerate(trail, start=1))):
        if event.operation in ways and event.carried_out and key.arn in event.keys:
            return f"{key.label} is {key.state} since {_call(number, event)}"
    return f"{key.label} was arranged by the test to be {key.state}: no call has made it so"


def of_blob(trail: Trail, value: bytes) -> tuple[str, Event] | None:
    """Return the call that was answered some bytes, such as a signature, in words and as an event."""
    request_id = trail.request_answered(value)
    if request_id is None:
        return None
    number, event = next((n, e) for n, e in enumerate(trail, start=1) if e.request_id == request_id)
    return _call(number, event), event


def _call(number: int, event: Event) -> str:
    return f"call {number}, {event.operation}, at {event.time:%Y-%m-%d %H:%M:%S} UTC"
