"""Is the caller's account within its request quotas?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import SPECS
from pytest_kms.errors import ThrottlingException
from pytest_kms.operation import DATA_KEY_PAIRS, OPERATIONS
from pytest_kms.state.key_store import CustomKeyStore
from pytest_kms.state.quotas import SYMMETRIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.operation import Call, Charge


def check(call: Call) -> None:
    """Count the call, and throttle it where that is one too many for this second of the fake's time."""
    operation = call.operation
    pools: tuple[str, ...]
    if operation.quota == DATA_KEY_PAIRS:
        spec = SPECS.get(call.input.get("KeyPairSpec", ""))
        pools = (spec.pair_quota,) if spec else ()  # what is no spec is refused by the next check
    elif not operation.cryptographic:
        pools = (operation.quota,)
    elif len(call.keys) == 1:
        pools = (call.keys[0].key_spec.pool,)
    elif call.keys:
        pools = tuple(dict.fromkeys(key.key_spec.pool for key in call.keys))
    else:
        pools = (SYMMETRIC,)  # a call whose key was not found counts where most do
    world = call.world
    since_start = call.seconds - world.clock.start
    account = call.account or _account_behind(call)
    exceeded = world.quotas.count(operation.name, pools, account, call.region, since_start)
    if operation.charge is not None and not exceeded:
        exceeded = _count_elsewhere(call, operation.charge, since_start)
    if operation.cryptographic:
        for store in _key_stores(call):
            over = world.quotas.count_in_key_store(operation.name, store, since_start)
            exceeded = exceeded or over
    if exceeded:
        raise ThrottlingException(why=f"over quota: {exceeded}")


def _account_behind(call: Call) -> str:
    """Return whom a service is charged to that calls on its own account: whose resource or else whose key it is for.

    Documented is only that what services do for an account counts for it.
    """
    return call.principal.source_account or next((key.account for key in call.keys), "")


def _key_stores(call: Call) -> Iterator[CustomKeyStore]:
    """Give the custom key stores that have to work for a cryptographic operation."""
    for thing in call.found:
        store = thing if isinstance(thing, CustomKeyStore) else thing and thing.store
        if store is not None:
            yield store


def _count_elsewhere(call: Call, charge: Charge, since_start: float) -> str:
    """Count what the call is in the other Region that it names; return the quota that it goes over, or nothing."""
    region = call.input.get(charge.member, call.region)
    if region == call.region:
        return ""
    pools = (OPERATIONS[charge.operation].quota,)
    exceeded = ""
    for _ in range(charge.requests):
        exceeded = call.world.quotas.count(charge.operation, pools, call.account, region, since_start)
    return exceeded
