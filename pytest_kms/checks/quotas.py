"""Is the caller's account within its request quotas?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import SPECS
from pytest_kms.errors import ThrottlingException
from pytest_kms.operation import DATA_KEY_PAIRS, OPERATIONS
from pytest_kms.state.key_store import CustomKeyStore
from pytest_kms.state.quotas import SYMMETRIC

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_kms.operation import Call, Charge


def check(call: Call) -> None:
    """Count the call, and throttle it where that is one too many for this second of the fake's time."""
    operation = call.operation
    pools: Collection[str]
    if operation.quota == DATA_KEY_PAIRS:
        spec = SPECS.get(call.input.get("KeyPairSpec", ""))
        pools = (spec.pair_quota,) if spec else ()  # what is no spec is refused by the next check
    elif not operation.cryptographic:
        pools = (operation.quota,)
    elif len(call.keys) == 1:
        pools = (call.keys[0].key_spec.pool,)
    elif call.keys:
        pools = {key.key_spec.pool for key in call.keys}
    else:
        pools = (SYMMETRIC,)  # a call whose key was not found counts where most do
    world = call.world
    since_start = call.seconds - world.clock.start
    exceeded = world.quotas.count(operation.name, pools, call.account, call.region, since_start)
    if operation.charge is not None and not exceeded:
        exceeded = _count_elsewhere(call, operation.charge, since_start)
    if operation.cryptographic:
        # A custom key store has to work for it, with a quota of its own.
        for thing in call.found:
            store = thing if isinstance(thing, CustomKeyStore) else thing and thing.store
            if store is not None:
                over = world.quotas.count_in_key_store(store.kind, store.id, store.region, since_start)
                exceeded = exceeded or over
    if exceeded:
        raise ThrottlingException(why=f"over quota: {exceeded}")


def _count_elsewhere(call: Call, charge: Charge, since_start: float) -> str:
    """Count what the call is in the other Region that it names; return the quota that it goes over, or nothing."""
    region = call.input.get(charge.member, call.region)
    if region == call.region:
        return ""
    pools = {OPERATIONS[charge.operation].quota}
    exceeded = ""
    for _ in range(charge.requests):
        exceeded = call.world.quotas.count(charge.operation, pools, call.account, region, since_start)
    return exceeded
