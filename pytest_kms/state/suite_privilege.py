"""The policies that the calls of a whole suite need: its keys have other ids in each test, so aliases name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.state.least_privilege import needs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.state.least_privilege import Need
    from pytest_kms.state.world import World


def lasting_needs(world: World) -> Iterator[Need]:
    """Give the permissions that the calls of a fake needed, by names that do not change from run to run.

    A key with an alias is any key that has this alias, one without is any key of its account and Region.
    """
    changed = {event.parameters.get("AliasName") for event in world.trail}
    for need in needs_of(world.trail, world.identity_of):
        yield _lasting(world, need, changed) if need.on_key else need


def _lasting(world: World, need: Need, changed: set[str | None]) -> Need:
    key = world.keys_called(need.resource)[0]
    # An alias that a call has made or moved was not there yet for all calls.
    alias = next((name for name in key.aliases if name not in changed), "")
    return need._replace(resource=arns.of(key.region, key.account, "key/*"), alias=alias)
