"""Is each key in a state in which AWS does this?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import DisabledException, KMSInvalidStateException
from pytest_kms.state import key as states

if TYPE_CHECKING:
    from pytest_kms.operation import Call

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
                raise DisabledException(f"{key.arn} is disabled.")
            raise KMSInvalidStateException(f"{key.arn} {_SENTENCES[key.state]}")
