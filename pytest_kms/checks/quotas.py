"""Is the caller's account within its request quotas?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import SPECS
from pytest_kms.errors import ThrottlingException
from pytest_kms.operation import DATA_KEY_PAIRS
from pytest_kms.state.quotas import SYMMETRIC

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Count the call, and throttle it where that is one too many for this second of the fake's time."""
    operation = call.operation
    if operation.quota == DATA_KEY_PAIRS:
        spec = SPECS.get(call.input.get("KeyPairSpec", ""))
        pools = {spec.pair_quota} if spec else set()  # what is no spec is refused by the next check
    elif not operation.cryptographic:
        pools = {operation.quota}
    elif len(call.keys) == 1:
        pools = {call.keys[0].key_spec.pool}
    elif call.keys:
        pools = {key.key_spec.pool for key in call.keys}
    else:
        pools = {SYMMETRIC}  # a call whose key was not found counts where most do
    world = call.world
    since_start = call.seconds - world.clock.start
    exceeded = world.quotas.count(operation.name, pools, call.account, call.region, since_start)
    if exceeded:
        raise ThrottlingException(why=f"over quota: {exceeded}")
