"""The policies that the calls of a whole suite need: its keys have other ids in each test, so aliases name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.state.least_privilege import Need, needs_of, policies_for
from pytest_kms.suite.collector import Collector, missing, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_kms.state.world import World


class Privilege(Collector):
    """Collects the permissions that calls needed, and writes the policies that grant them."""

    name = "kms_least_privilege"

    def __init__(self, file: Path, called: str) -> None:
        self._file = file
        self._called = called
        self._needs: set[Need] = set()

    def see(self, world: World) -> None:
        """Take the permissions that the calls of a fake needed."""
        self._needs.update(lasting_needs(world))

    def give(self) -> list[Any]:
        """Return them."""
        return [tuple(need) for need in self._needs]

    def take(self, rows: list[Any]) -> None:
        """Take those of another process."""
        self._needs.update(Need(*row)._replace(context=()) for row in rows)

    def finish(self) -> None:
        """Write the policies."""
        write(self._file, f"{policies_for(self._needs)}\n".encode())

    def told(self) -> list[str]:
        """Say where they are."""
        return [f"pytest-kms: least privilege in {self._called}", *missing(self.lost)]


def lasting_needs(world: World) -> Iterator[Need]:
    """Give the permissions that the calls of a fake needed, by names that do not change from run to run.

    A key with an alias is any key that has this alias, one without is any key of its account and Region.
    """
    changed = {event.parameters.get("AliasName") for event in world.trail}
    for need in needs_of(world.trail, world.identity_of):
        yield _lasting(world, need, changed) if need.on_key else need


def _lasting(world: World, need: Need, changed: set[str | None]) -> Need:
    key = world.key_of(need.resource)
    # An alias that a call has made or moved was not there yet for all calls.
    alias = next((name for name in (*key.aliases, *key.former_aliases) if name not in changed), "")
    return need._replace(resource=arns.of(key.region, key.account, "key/*"), alias=alias)
