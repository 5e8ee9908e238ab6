"""The keys and aliases of one account in one Region."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.errors import CustomKeyStoreNameInUseException, CustomKeyStoreNotFoundException
from pytest_kms.state import aws_managed, consistency
from pytest_kms.state.alias import Alias
from pytest_kms.state.key import CUSTOMER, PENDING_REPLICA_DELETION
from pytest_kms.state.key_store import CustomKeyStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kms.state.cluster import Cluster
    from pytest_kms.state.key import Key
    from pytest_kms.state.proxy import Proxy
    from pytest_kms.state.world import World


class Registry:
    """What one account has in one Region. Ids and names are kept sorted, as AWS lists them."""

    def __init__(self, world: World, region: str, account: str) -> None:
        self.world = world
        self.region = region
        self.account = account
        self.keys: dict[str, Key] = {}
        self.deleted: dict[str, Key] = {}
        self.aliases: dict[str, Alias] = {}
        self.key_ids: list[str] = []
        self.alias_names = list(aws_managed.ALIASES)  # AWS lists them all, whether there is a key or not
        self.key_stores: dict[str, CustomKeyStore] = {}
        self.customer_keys = 0

    def add(self, key: Key) -> None:
        """Let a key be found by its id."""
        self.keys[key.id] = key
        insort(self.key_ids, key.id)
        key.backing.members[self.region] = key
        self.customer_keys += key.manager == CUSTOMER

    # what calls see of it: not quite what is there, where consistency is eventual

    def find_key(self, key_id: str) -> Key | None:
        """Return the key of an id, if a call sees one."""
        key, late = self.keys.get(key_id), self.world.consistency
        return late.seen(consistency.KEYS, self, key_id, key) if late.pending else key

    def find_alias(self, name: str) -> Alias | None:
        """Return the alias of a name, if a call sees one; where it pointed before may have been deleted since."""
        alias, late = self.aliases.get(name), self.world.consistency
        if late.pending:
            alias = late.seen(consistency.ALIASES, self, name, alias)
        return None if alias is None or alias.key.deleted else alias

    def listed_key_ids(self) -> list[str]:
        """List the ids of the keys that a call sees, in order."""
        if not self.world.consistency.pending:
            return self.key_ids
        return [key_id for key_id in self.key_ids if self.find_key(key_id)]

    def listed_alias_names(self, key: Key | None = None) -> list[str]:
        """List the names of the aliases that a call sees, in order, or those of a key alone."""
        if not self.world.consistency.pending:
            return self.alias_names if key is None else key.aliases
        seen = self.world.consistency.seen_of(
            consistency.ALIASES, self, self.aliases, lambda alias: key in (None, alias.key) and not alias.key.deleted
        )
        names = [alias.name for alias in seen]
        return names if key is not None else sorted({*names, *aws_managed.ALIASES})

    # custom key stores

    def key_store(self, store_id: str) -> CustomKeyStore:
        """Return a custom key store.

        Raises:
            CustomKeyStoreNotFoundException: there is none of that id.

        """
        if store_id not in self.key_stores:
            # AWS's sentence was not found.
            raise CustomKeyStoreNotFoundException(why=f"{self.region} has no custom key store {store_id}")
        return self.key_stores[store_id]

    def other_key_stores(self, than: CustomKeyStore | None) -> Iterator[CustomKeyStore]:
        """Give all custom key stores but one."""
        return (store for store in self.key_stores.values() if store is not than)

    def expect_free_name(self, name: str, *, but: CustomKeyStore | None = None) -> None:
        """Refuse the name of a custom key store that another one has.

        Raises:
            CustomKeyStoreNameInUseException: it has.

        """
        for other in self.other_key_stores(but):
            if other.name == name:
                # AWS's sentence was not found.
                raise CustomKeyStoreNameInUseException(why=f"{other.id} has the name {name!r}")

    def add_key_store(self, name: str, backing: Cluster | Proxy) -> CustomKeyStore:
        """Make a custom key store, not connected yet."""
        store_id = f"cks-{self.world.random_bytes(9).hex()[:17]}"
        store = CustomKeyStore(id=store_id, home=self, name=name, backing=backing, created=self.world.now)
        self.key_stores[store_id] = self.world.key_stores_ever[store_id] = store
        return store

    # what becomes of keys and aliases

    def delete_after(self, key: Key, window: dt.timedelta) -> dt.datetime:
        """Delete a key once a waiting period is over, unless it was cancelled by then; say when that is."""
        agenda = self.world.agenda
        due = agenda.now + window.total_seconds()
        date = self.world.clock.moment(due)

        def delete_if_still_due() -> None:
            if key.deletion_date == date and not key.deleted:
                self._delete(key)

        agenda.at(due, delete_if_still_due)
        return date

    def point(self, name: str, key: Key) -> None:
        """Make an alias, or let one that exists point to another key."""
        now = self.world.now
        old = self.aliases.get(name)
        if old is None:
            arn = arns.of(self.region, self.account, name)
            self.aliases[name] = Alias(name=name, arn=arn, key=key, created=now, updated=now)
            if not name.startswith(arns.RESERVED_ALIAS_PREFIX):
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
        key.former_aliases = tuple(key.aliases)
        for name in key.former_aliases:
            self.remove_alias(self.aliases[name])
        self.deleted[key.id] = self.keys.pop(key.id)
        del self.key_ids[bisect_left(self.key_ids, key.id)]
        self.customer_keys -= key.manager == CUSTOMER
        key.deleted = True
        key.backing.wait_for_members()
        self.world.record_own_doing("DeleteKey", key)
        primary = key.backing.primary
        if primary.state == PENDING_REPLICA_DELETION and not any(key.backing.replicas()):
            primary.schedule_deletion(primary.waiting_period)
