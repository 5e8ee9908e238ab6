"""Everything that one fake remembers."""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.clock import Clock
from pytest_kms.crypto import material as key_material
from pytest_kms.crypto.rsa_pool import Pool
from pytest_kms.crypto.specs import AWS_KMS, ENCRYPT_DECRYPT, EXTERNAL, SYMMETRIC_DEFAULT, KeySpec, spec_in
from pytest_kms.errors import Refusal, UsageError
from pytest_kms.state import aws_managed, aws_services, lines, rotation
from pytest_kms.state.agenda import Agenda
from pytest_kms.state.backing import Backing, KeyMaterial
from pytest_kms.state.consistency import Consistency
from pytest_kms.state.faults import Faults
from pytest_kms.state.grant import GrantTokens
from pytest_kms.state.key import AWS, AWS_OWNED, CUSTOMER, ENABLED, Key
from pytest_kms.state.principal import Identity, Principal, account_of, default_principal, service_principal
from pytest_kms.state.quotas import Quotas
from pytest_kms.state.registry import Registry
from pytest_kms.state.trail import Attempt, Event, KeyUse, Trail

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pytest_kms.state.enclave import Enclave, NitroRoot
    from pytest_kms.state.imported import ImportParameters
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.trail import KeyName

# The account that AWS owned keys live in. The real ones are AWS's secret; this one is nobody's.
SERVICE_ACCOUNT = "000000000000"

_SALT = slice(38, 54)
"""Where the 16 random bytes of a ciphertext stand: they tell one from another."""

_ENCLAVE_KEY_BITS = 2048

_origins: dict[bytes | str, str] = {}
"""Which test made a key material or a key, by its id: so that a stray ciphertext can be explained. No secrets."""
_ORIGINS_KEPT = 4_000


class World:
    """The state of one fake: accounts and Regions with their keys, the clock, quotas, faults and the trail."""

    def __init__(self, *, region: str, account: str, seed: str | None, origin: str) -> None:
        self.region = region
        self.account = account
        self.origin = origin
        self.lock = threading.RLock()
        self.clock = Clock()
        self.agenda = Agenda(self.clock)
        self.quotas = Quotas(region)
        self.consistency = Consistency()
        self.faults = Faults()
        self.trail = Trail(self.arns_of, self.identity_of, partial(lines.stable, self), self)
        self.judged = 0
        """How far the trail was told when the last test was judged, where a fake outlives a test."""
        self.refusals: list[Refusal] = []
        self.unopened: list[str] = []
        """Blocks that the test has made and not entered, in its words."""
        # Repeatable on purpose, for the same seed: these are test keys.
        self.random_bytes = random.Random(seed).randbytes  # noqa: S311
        self.grant_tokens = GrantTokens(self.random_bytes)
        self._secret = self.random_bytes(32)
        self.jitter: Callable[[], float] = random.Random(self._secret).random  # noqa: S311
        """Random parts of waits, from 0 to 1: of a source of their own, so that a retry changes no key."""
        self._request_prefix = self.random_uuid()[:-12]
        self._requests = 0
        self._nitro_root: NitroRoot | None = None
        self._rsa_pool = Pool()
        self.import_parameters: dict[bytes, ImportParameters] = {}
        self._registries: dict[tuple[str, str], Registry] = {}
        self._backings: dict[bytes, Backing] = {}
        self._contexts: dict[bytes, Mapping[str, str]] = {}
        self._aws_owned: dict[tuple[str, str], Key] = {}
        self.key_stores_ever: dict[str, CustomKeyStore] = {}
        """By their ids, those that were deleted too: the trail may still tell of them."""
        self._principals: dict[str, Principal] = {}
        self.acting: list[Principal] = [default_principal(region, account)]

    # what is there

    def registry(self, region: str, account: str) -> Registry:
        """Return what an account has in a Region."""
        registry = self._registries.get((region, account))
        if registry is None:
            registry = self._registries[region, account] = Registry(self, region, account)
        return registry

    def principal_of(self, access_key: str | None) -> Principal:
        """Return whom an access key names: for one that is not known, or none, whom the test says is acting."""
        return self._principals.get(access_key or "") or self.acting[-1]

    def identity_of(self, arn: str) -> str:
        """Return the ARN of the user or role behind the ARN of a caller: of a session, its role."""
        known = self.principal_called(arn)
        return (known and known.principal_arn) or arn

    def principal_called(self, arn: str) -> Principal | None:
        """Return the principal that calls by an ARN, if the test made one."""
        made = (*self._principals.values(), *self.acting)
        return next((principal for principal in made if principal.arn == arn and principal.via is None), None)

    def principal(self, identity: Identity) -> Principal:
        """Make a principal, who is known by an access key from now on."""
        access_key = f"{identity.key_prefix}{self.random_bytes(8).hex().upper()}"
        # All sessions of a role have its unique id.
        unique = hashlib.sha256(self._secret + f"{identity.account}:{identity.name}".encode()).hexdigest()
        return self._known(identity.principal(access_key, unique[:17].upper(), self.clock.now))

    def service(self, name: str, on_behalf_of: Principal | None, source_arn: str | None, region: str) -> Principal:
        """Make an AWS service as a caller: for somebody, or on its own account."""
        access_key = f"ASIA{self.random_bytes(8).hex().upper()}"
        if on_behalf_of is not None:
            via, account = aws_services.via(name, region), account_of(source_arn)
            session = replace(
                on_behalf_of, access_key=access_key, via=via, source_arn=source_arn, source_account=account
            )
            return self._known(session)
        return self._known(service_principal(aws_services.principal(name, region), access_key, source_arn=source_arn))

    def arn_of_unique_id(self, unique_id: str) -> str | None:
        """Return the ARN of whom a unique id names (`AIDA…`, `AROA…`, `AROA…:SESSION`); None where that is nobody."""
        known = (principal.arn_by(unique_id) for principal in (self.acting[0], *self._principals.values()))
        return next((arn for arn in known if arn is not None), None)

    def _known(self, principal: Principal) -> Principal:
        self._principals[principal.access_key] = principal
        return principal

    @property
    def now(self) -> dt.datetime:
        """The present moment; while something is done late, the moment when it was due."""
        return self.clock.moment(self.agenda.now)

    def key_of_material(self, material_id: bytes, region: str) -> Key | None:
        """Return the key that a key material was made for, living or deleted: the one in a Region, if there is one."""
        backing = self._backings.get(material_id)
        if backing is None:
            return None
        return backing.members.get(region) or backing.primary

    def all_keys(self) -> Iterator[Key]:
        """Give all keys of all accounts and Regions, AWS owned keys left out."""
        for registry in tuple(self._registries.values()):
            yield from tuple(registry.keys.values())

    def all_key_stores(self) -> Iterator[CustomKeyStore]:
        """Give the custom key stores of all accounts and Regions, in each the oldest first."""
        for registry in tuple(self._registries.values()):
            yield from tuple(registry.key_stores.values())

    def settle(self) -> None:
        """Let happen what has fallen due."""
        with self.lock:
            self.agenda.settle(self.clock.seconds)

    def arns_of(self, name: KeyName) -> Collection[str]:
        """Return the ARNs of the keys that a test means by a Key, an id, an ARN or an alias.

        Raises:
            UsageError: there is no such key, or it is one that no trail can show.

        """
        found = self.keys_called(name)
        for key in found:
            if key.manager == AWS_OWNED:
                raise UsageError(
                    f"{key.id} is an AWS owned key: it is in no customer's account, and CloudTrail never shows"
                    " its use. Assert on a customer managed or AWS managed key instead."
                )
        return [key.arn for key in found]

    def keys_called(self, name: KeyName) -> list[Key]:
        """Return the keys that a test means, those of the fake's own account and Region first.

        Raises:
            UsageError: there is no such key.

        """
        self.settle()
        if isinstance(name, Key):
            if name.home.world is not self:
                raise UsageError(
                    f"{name.label} ({name.id}) is a key of another fake: of {name.home.world.origin}, or from before a"
                    " kms.reset(). Make it anew in this one, or look it up by its alias."
                )
            return [name]
        found = [key for key in self.all_keys() if self._is_called(key, name)]
        # A key that was deleted since may still stand in the trail; an AWS owned key is in no list.
        found = found or [key for key in self.keys_ever() if self._is_called(key, name)]
        if not found:
            known = ", ".join(sorted(f"{key.label} ({key.region})" for key in self.all_keys())) or "none"
            prefixed = any(f"{arns.ALIAS_PREFIX}{name}" in key.aliases for key in self.all_keys())
            hint = f" An alias is named with its prefix: {arns.ALIAS_PREFIX}{name}." if prefixed else ""
            raise UsageError(f"no key is called {name!r}.{hint} Known keys: {known}.")
        return sorted(found, key=lambda key: (key.account != self.account, key.region != self.region))

    def key_of(self, arn: str) -> Key:
        """Return the key of an ARN that stands in the trail, deleted ones too."""
        _, _, _, region, account, resource = arn.split(":", 5)
        registry, key_id = self.registry(region, account), resource.rpartition("/")[2]
        return registry.keys.get(key_id) or registry.deleted[key_id]

    def label_of(self, arn: str) -> str:
        """Return what people call the key of an ARN: its alias, or else its id."""
        _, _, _, region, account, resource = arn.split(":", 5)
        registry, key_id = self.registry(region, account), resource.rpartition("/")[2]
        key = registry.keys.get(key_id) or registry.deleted.get(key_id)
        return key.label if key else key_id

    # what is made

    def create_key(
        self,
        *,
        region: str,
        account: str,
        key_id: str | None = None,
        manager: str = CUSTOMER,
        spec: str = SYMMETRIC_DEFAULT,
        usage: str = ENCRYPT_DECRYPT,
        origin: str = AWS_KMS,
        multi_region: bool = False,
        description: str = "",
        tags: dict[str, str] | None = None,
        policy: str | None = None,
        material: bytes | None = None,
        store: CustomKeyStore | None = None,
        xks_key_id: str | None = None,
    ) -> Key:
        """Make a key. Its material comes into being when it is first used; imported material has to be given."""
        key_spec = spec_in(region, spec)
        key_material.expect_available(key_spec)
        key_id = key_id or self._new_key_id(multi_region=multi_region)
        backing = Backing(spec=key_spec, usage=usage, origin=origin, multi_region=multi_region)
        key = Key(
            id=key_id,
            home=Registry(self, region, account) if manager == AWS_OWNED else self.registry(region, account),
            manager=manager,
            backing=backing,
            created=self.now,
            description=description,
            tags=dict(tags or {}),
            policy=policy,
            store=store,
            xks_key_id=xks_key_id,
        )
        backing.primary = key
        key.home.add(key)
        if origin != EXTERNAL:
            make = partial(self._derive_material, key_spec, key_id)
            self.add_material(backing, KeyMaterial(self.random_bytes(32), content=material, make=make))
        key.become(ENABLED)
        return key

    def create_replica(
        self,
        primary: Key,
        region: str,
        *,
        description: str = "",
        tags: dict[str, str] | None = None,
        policy: str | None = None,
    ) -> Key:
        """Make a replica of a multi-Region key. Imported material has to be imported into it as well."""
        replica = Key(
            id=primary.id,
            home=self.registry(region, primary.account),
            manager=primary.manager,
            backing=primary.backing,
            created=self.now,
            description=description,
            tags=dict(tags or {}),
            policy=policy,
        )
        replica.home.add(replica)
        replica.backing.wait_for_members()
        replica.become(ENABLED)
        return replica

    def aws_managed_key(self, service: str, region: str, account: str) -> Key:
        """Return the AWS managed key of a service, made on first use."""
        name = f"{arns.RESERVED_ALIAS_PREFIX}{service}"
        registry = self.registry(region, account)
        alias = registry.aliases.get(name)
        if alias is not None:
            return alias.key
        key = self.create_key(
            region=region,
            account=account,
            manager=AWS,
            description=aws_managed.description(service),
            policy=aws_managed.key_policy(service, region, account),
        )
        rotation.rotate_every(key.backing, rotation.DEFAULT_PERIOD)
        registry.point(name, key)
        return key

    def aws_owned_key(self, service: str, region: str) -> Key:
        """Return the key that a service owns in a Region, made on first use."""
        place = (service, region)
        if place not in self._aws_owned:
            self._aws_owned[place] = self.create_key(
                region=region, account=SERVICE_ACCOUNT, manager=AWS_OWNED, description=f"owned by {service}"
            )
        return self._aws_owned[place]

    @property
    def nitro_root(self) -> NitroRoot:
        """Who vouches for the enclaves of this fake."""
        if self._nitro_root is None:
            from pytest_kms.state.enclave import NitroRoot  # costs a while to import, and few need it

            self._nitro_root = NitroRoot(self.random_bytes)
        return self._nitro_root

    def enclave(self, pcrs: Mapping[int, str | bytes], module_id: str | None) -> Enclave:
        """Make an enclave that this fake trusts."""
        from pytest_kms.state.enclave import Enclave

        name = self.random_bytes(17).hex()
        return Enclave(
            pcrs=pcrs,
            module_id=module_id or f"i-{name[:17]}-enc{name[17:]}",
            private_key=self._rsa_pool.take(_ENCLAVE_KEY_BITS, int(name, 16)),
            identity=self.nitro_root.identity,
            now=lambda: self.clock.now,
        )

    def add_material(self, backing: Backing, material: KeyMaterial) -> None:
        """Give keys a material, and know from now on what it was made for, and by which test."""
        backing.add(material)
        self._backings[material.id] = backing
        _origins[material.id] = _origins[backing.primary.id] = self.origin
        while len(_origins) > _ORIGINS_KEPT:
            del _origins[next(iter(_origins))]

    def rotated_material(self, backing: Backing) -> KeyMaterial:
        """Make the material that a rotation gives to keys: repeatable by seed, whatever is used first."""
        material_id = self.random_bytes(32)
        return KeyMaterial(material_id, make=partial(self._derive_material, backing.spec, material_id.hex()))

    def record_own_doing(self, name: str, key: Key, details: Mapping[str, str] | None = None) -> None:
        """Record what KMS does to a key by itself, at the moment when it is due."""
        if key.manager == AWS_OWNED:
            return
        now, request_id = self.now, self.next_request_id()
        event = Event(
            operation=name,
            uses=(KeyUse("KeyId", key.arn, {}, name),),
            parameters={},
            principal="AWS Internal",
            account=key.account,
            region=key.region,
            time=now,
            error=None,
            message="",
            why="",
            attempts=(Attempt(1, now, None),),
            dry_run=False,
            read_only=False,
            cryptographic=False,
            request_id=request_id,
            service_event=details or {},
        )
        self.trail.record(event)

    def remember_context(self, blob: bytes, context: Mapping[str, str]) -> None:
        """Know from now on which encryption context a ciphertext was made with, to explain a mismatch."""
        self._contexts[blob[_SALT]] = context

    def context_of(self, head: bytes) -> Mapping[str, str] | None:
        """Return the encryption context that a ciphertext of this fake, with this head, was made with."""
        return self._contexts.get(head[_SALT]) or self.trail.context_of(head)

    def next_request_id(self) -> str:
        """Return the id of the next request: a UUID, unique in this fake."""
        self._requests += 1
        return f"{self._request_prefix}{self._requests:012x}"

    def random_uuid(self) -> str:
        """Return a UUID of version 4."""
        digits = self.random_bytes(16).hex()
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def _derive_material(self, spec: KeySpec, name: str) -> bytes:
        """Make a key material: repeatable by seed, whatever is used first."""
        secret = hashlib.shake_256(self._secret + name.encode()).digest(key_material.SECRET_BYTES)
        return key_material.derive(spec, secret, self._rsa_pool)

    def new_pair(self, spec: KeySpec) -> tuple[bytes, bytes]:
        """Make a data key pair: the private and the public key."""
        return key_material.derive_pair(spec, self.random_bytes(key_material.SECRET_BYTES), self._rsa_pool)

    def new_material(self, spec: KeySpec) -> bytes:
        """Make the material of a data key pair, or a wrapping key."""
        return key_material.derive(spec, self.random_bytes(key_material.SECRET_BYTES), self._rsa_pool)

    def _new_key_id(self, *, multi_region: bool) -> str:
        return f"mrk-{self.random_bytes(16).hex()}" if multi_region else self.random_uuid()

    def keys_ever(self) -> list[Key]:
        """List all keys with material, deleted and AWS owned ones too."""
        backings = {id(backing): backing for backing in tuple(self._backings.values())}
        return [key for backing in backings.values() for key in tuple(backing.members.values())]

    @staticmethod
    def _is_called(key: Key, name: str) -> bool:
        return (
            name in (key.id, key.arn)
            or name in key.aliases
            or any(arns.of(key.region, key.account, alias) == name for alias in key.aliases)
        )


def origin_of(id: bytes | str) -> str | None:  # noqa: A002  # AWS's word
    """Say which test of this process made a key material or a key, if any."""
    return _origins.get(id)
