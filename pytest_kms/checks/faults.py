"""Did the test order a failure?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Give the call to the first ordered fault that it is meant for, which raises or lets it pass."""
    for fault in call.world.faults:
        if fault.meets(call.operation.name, [key.arn for key in call.keys]):
            fault.strike()
            return
