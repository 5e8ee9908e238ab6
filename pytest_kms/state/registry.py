"""The keys and aliases of one account in one Region."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.state.alias import Alias

if TYPE_CHECKING:
    from pytest_kms.state.key import Key
    from pytest_kms.state.world import World


class Registry:
    """What one account has in one Region. Ids and names are kept sorted, as AWS lists them."""

    def __init__(self, world: World, region: str, account: str) -> None:
        self.world = world
        self.region = region
        self.account = account
        self.keys: dict[str, Key] = {}
        self.aliases: dict[str, Alias] = {}
        self.key_ids: list[str] = []
        self.alias_names: list[str] = []

    def add(self, key: Key) -> None:
        """Let a key be found by its id."""
        self.keys[key.id] = key
        insort(self.key_ids, key.id)
        self.world.remember_material(key)

    def delete_after(self, key: Key, window: dt.timedelta) -> dt.datetime:
        """Delete a key once a waiting period is over, unless it was cancelled by then; say when that is."""
        due = self.world.clock.seconds + window.total_seconds()
        date = self.world.clock.moment(due)

        def delete_if_still_due() -> None:
            if key.deletion_date == date and not key.deleted:
                self._delete(key)

        self.world.agenda.at(due, delete_if_still_due)
        return date

    def point(self, name: str, key: Key) -> None:
        """Make an alias, or let one that exists point to another key."""
        now = self.world.clock.now
        old = self.aliases.get(name)
        if old is None:
            arn = arns.of(self.region, self.account, name)
            self.aliases[name] = Alias(name=name, arn=arn, key=key, created=now, updated=now)
            insort(self.alias_names, name)
        else:
            old.key.aliases.remove(name)
            self.aliases[name] = replace(old, key=key, updated=now)
        key.aliases.append(name)

    def remove_alias(self, alias: Alias) -> None:
        """Forget an alias; its key stays."""
        alias.key.aliases.remove(alias.name)
        del self.aliases[alias.name]
        del self.alias_names[bisect_left(self.alias_names, alias.name)]

    def _delete(self, key: Key) -> None:
        for name in tuple(key.aliases):
            self.remove_alias(self.aliases[name])
        del self.keys[key.id]
        del self.key_ids[bisect_left(self.key_ids, key.id)]
        key.deleted = True
