"""The whole life of keys: random calls on keys of many kinds, in several Regions, with years passing in between.

Each call is made of the fake, and of a small model of AWS's rules that knows nothing of the package. Both must say the
same: whether the call succeeds, and if not, with which code it ends; and in what state every key is then.

The lives are the same in each run. For more of them: `KMS_LIVES=5000 pytest tests/test_life_of_keys.py`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import pytest
from answers import error_of
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pytest_kms import FakeKMS, fake_kms

LIVES = int(os.environ.get("KMS_LIVES", "100"))
TOGETHER = 10
"""How many lives a test has: each is a new one; of more, Hypothesis would make most by varying others."""
STEPS = 50
MOST_KEYS = 8

HOME, AWAY, FAR = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")

SECOND = 1000  # the model counts milliseconds
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
NEVER = None

# The model: what is known about AWS's rules, in few words


class Refused(Exception):
    """AWS does not do that, and says so with a code."""


def refuse(code: str) -> NoReturn:
    """Refuse a call with a code."""
    raise Refused(code)


ENABLED, DISABLED, CREATING, UPDATING = "Enabled", "Disabled", "Creating", "Updating"
NO_MATERIAL, AWAY_FROM_STORE = "PendingImport", "Unavailable"
DOOMED, DOOMED_AFTER_REPLICAS = "PendingDeletion", "PendingReplicaDeletion"

# In which states AWS refuses what.
BEING_DELETED = {DOOMED, DOOMED_AFTER_REPLICAS}
TO_USE = BEING_DELETED | {DISABLED, NO_MATERIAL, AWAY_FROM_STORE, CREATING}
TO_SWITCH = BEING_DELETED | {NO_MATERIAL, CREATING, UPDATING}
TO_DELETE = BEING_DELETED | {UPDATING}
TO_SCHEDULE_ROTATION = BEING_DELETED | {DISABLED, CREATING}
TO_ROTATE = BEING_DELETED | {DISABLED, NO_MATERIAL, CREATING}
TO_ASK_FOR_IMPORT = BEING_DELETED | {AWAY_FROM_STORE, CREATING, UPDATING}
TO_IMPORT = BEING_DELETED | {AWAY_FROM_STORE, CREATING}
TO_DELETE_MATERIAL = {CREATING, UPDATING}
TO_REPLICATE = TO_USE | {UPDATING}

KINDS: dict[str, dict[str, Any]] = {
    "symmetric": {},
    "multi-Region": {"MultiRegion": True},
    "imported": {"Origin": "EXTERNAL"},
    "imported multi-Region": {"Origin": "EXTERNAL", "MultiRegion": True},
    "RSA": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    "HMAC": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "in a cluster": {"Origin": "AWS_CLOUDHSM"},
    "in a key manager": {"Origin": "EXTERNAL_KEY_STORE"},
}
IN_STORES = {"in a cluster": (5 * MINUTE, MINUTE), "in a key manager": (15 * SECOND, 5 * SECOND)}
"""How long such a key store takes to be connected and disconnected; AWS's own times vary."""

MULTI_REGION = ("multi-Region", "imported multi-Region")
STATES_OF_KINDS = {
    "multi-Region": {CREATING, UPDATING, DOOMED_AFTER_REPLICAS},
    "imported": {NO_MATERIAL},
    "imported multi-Region": {NO_MATERIAL, CREATING, UPDATING, DOOMED_AFTER_REPLICAS},
    "in a cluster": {AWAY_FROM_STORE},
    "in a key manager": {AWAY_FROM_STORE},
}
"""What else than enabled, disabled or about to be deleted a key can be."""


@dataclass(eq=False)
class Material:
    """A key material. `content` is known of imported ones alone, the id once AWS has told it."""

    content: bytes | None = None
    pending: bool = False
    id: str | None = None


@dataclass(eq=False)
class Member:
    """A key, one of a family."""

    state: str = ENABLED
    wanted: str = ENABLED
    """What it is when nothing is missing."""
    until: int | None = None
    """When it is made or updated."""
    deletion: int | None = None
    window: int = 0
    imports: dict[Material, int | None] = field(default_factory=dict)
    """Which materials are in it, and when they expire."""
    expired: set[Material] = field(default_factory=set)


@dataclass(eq=False)
class Store:
    """A custom key store."""

    id: str
    kind: str
    state: str = "CONNECTED"
    until: int | None = None
    then: str = ""
    lost: bool = False


@dataclass(eq=False)
class Family:
    """The keys of one id: one, or a primary and its replicas. `members` are those that live, by Region."""

    id: str
    kind: str
    primary: str
    store: Store | None = None
    members: dict[str, Member] = field(default_factory=dict)
    materials: list[Material] = field(default_factory=list)
    current: Material | None = None
    period: int = 0
    due: int | None = None
    rotated: int = 0
    rotating: int | None = None

    def __repr__(self) -> str:
        return f"<{self.kind} key {self.id}>"

    @property
    def multi_region(self) -> bool:
        """Whether there may be replicas."""
        return self.kind.endswith("multi-Region")

    @property
    def imported(self) -> bool:
        """Whether the material is the caller's own."""
        return self.kind.startswith("imported")

    @property
    def type(self) -> str:
        """What an alias has to stay true to."""
        return self.kind if self.bare else "symmetric"

    @property
    def bare(self) -> bool:
        """Whether what is made with such a key does not tell the key."""
        return self.kind in ("RSA", "HMAC")

    @property
    def states(self) -> set[str]:
        """In which states the keys are."""
        return {member.state for member in self.members.values()}

    @property
    def rotates(self) -> bool:
        """Whether keys of this kind get new material at all."""
        return self.imported or self.kind in ("symmetric", "multi-Region")

    @property
    def pending(self) -> Material | None:
        """The material that waits for a rotation."""
        return next((material for material in self.materials if material.pending), None)

    @property
    def pending_is_everywhere(self) -> bool:
        """Whether every key of the family has that."""
        return all(self.pending in member.imports for member in self.members.values())

    def state_of(self, material: Material) -> str:
        """Return what AWS calls the state of a material."""
        if material.pending:
            return "PENDING_ROTATION" if self.pending_is_everywhere else "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
        return "CURRENT" if material is self.current else "NON_CURRENT"

    def known(self, content: bytes) -> Material | None:
        """Return the material of a content."""
        return next((material for material in self.materials if material.content == content), None)

    def lacks(self, member: Member) -> bool:
        """Say whether a key lacks some material that is needed, current or former."""
        needed = {material for material in self.materials if not material.pending}
        return self.imported and (not needed or not needed <= member.imports.keys() - member.expired)

    def arn(self, region: str) -> str:
        """Return the ARN of a key."""
        return f"arn:aws:kms:{region}:123456789012:key/{self.id}"


class Model:
    """What an account has, and what AWS's operations make of it. Named are they as boto3's methods."""

    def __init__(self) -> None:
        self.now = 0
        self.families: list[Family] = []
        self.stores: list[Store] = []
        self.aliases: dict[tuple[str, str], Family] = {}
        self.log: list[tuple[str, str, int]] = []
        """What AWS did by itself: CloudTrail's name of it, the ARN of the key, and when."""

    # time

    def pass_to(self, moment: int) -> None:
        """Let everything happen that is due by then, in order."""
        while True:
            when, _, action = min(self._due(), key=lambda entry: entry[:2], default=(moment + 1, 0, None))
            if action is None or when > moment:
                break
            self.now = when
            action()
        self.now = moment

    def _due(self) -> Iterator[tuple[int, int, Callable[[], None]]]:
        entries: list[tuple[int | None, Callable[[], None]]] = [
            *((store.until, partial(self._arrive, store)) for store in self.stores),
            *(entry for family in self.families for entry in self._due_of(family)),
        ]
        for order, (when, action) in enumerate(entries):
            if when is not None:
                yield max(when, self.now), order, action  # what could not be in time is made up

    def _due_of(self, family: Family) -> Iterator[tuple[int | None, Callable[[], None]]]:
        primary = family.members.get(family.primary)
        if primary is not None and primary.state not in (DISABLED, DOOMED):
            yield family.due, partial(self._rotate_by_schedule, family)
        yield family.rotating, partial(self._end_rotation, family)
        for region, member in family.members.items():
            yield member.until, partial(self._settle, family, member)
            yield member.deletion, partial(self._delete, family, region)
            for material, valid_to in member.imports.items():
                if material not in member.expired:
                    yield valid_to, partial(self._expire, family, region, material)

    def _arrive(self, store: Store) -> None:
        store.until = None
        self._enter_store(store, "FAILED" if store.then == "CONNECTED" and store.lost else store.then)

    def _enter_store(self, store: Store, state: str) -> None:
        store.state = state
        for family in self.families:
            if family.store is store:
                self._look(family)

    def _rotate_by_schedule(self, family: Family) -> None:
        family.due = self.now + family.period
        self._rotate(family, Material())

    def _end_rotation(self, family: Family) -> None:
        family.rotating = None
        if not family.imported:
            self._rotate(family, Material())
        elif family.pending is not None and family.pending_is_everywhere:
            self._rotate(family, family.pending)

    def _rotate(self, family: Family, material: Material) -> None:
        if not material.pending:
            family.materials.append(material)
        material.pending = False
        family.current = material
        family.rotated += 1
        self._look(family)
        self.log.append(("RotateKey", family.arn(family.primary), self.now))

    def _settle(self, family: Family, member: Member) -> None:
        member.until = None
        member.wanted = ENABLED
        self._be(family, member, ENABLED)

    def _delete(self, family: Family, region: str) -> None:
        del family.members[region]
        self.aliases = {place: named for place, named in self.aliases.items() if (place[0], named) != (region, family)}
        self.log.append(("DeleteKey", family.arn(region), self.now))
        primary = family.members.get(family.primary)
        if primary is not None and primary.state == DOOMED_AFTER_REPLICAS and len(family.members) == 1:
            self._doom(family, primary)

    def _expire(self, family: Family, region: str, material: Material) -> None:
        family.members[region].expired.add(material)
        if not material.pending:
            self.log.append(("DeleteExpiredKeyMaterial", family.arn(region), self.now))
        self._look(family)

    # states

    def _be(self, family: Family, member: Member, state: str) -> None:
        """Let a key be in a state, or in the one that it has where something is missing."""
        if family.lacks(member):
            state = NO_MATERIAL
        elif family.store is not None and family.store.state != "CONNECTED":
            state = AWAY_FROM_STORE
        member.state, member.until, member.deletion = state, None, None

    def _look(self, family: Family) -> None:
        for member in family.members.values():
            if member.state in (ENABLED, DISABLED, NO_MATERIAL, AWAY_FROM_STORE):
                self._be(family, member, member.wanted)

    def _doom(self, family: Family, member: Member) -> None:
        waits = member is family.members.get(family.primary) and len(family.members) > 1
        member.state = DOOMED_AFTER_REPLICAS if waits else DOOMED
        member.until = None
        member.deletion = None if waits else self.now + member.window

    def member(self, family: Family, region: str) -> Member:
        """Return a key that is named."""
        return family.members.get(region) or refuse("NotFoundException")

    def fit(self, family: Family, region: str, refused_in: set[str]) -> Member:
        """Return a key that is in a state for something."""
        member = self.member(family, region)
        if member.state in refused_in:
            refuse("DisabledException" if member.state == DISABLED else "KMSInvalidStateException")
        return member

    # the operations on keys

    def create_key(self, family: Family) -> None:
        """Make a key."""
        store = family.store
        if store is not None and store.state != "CONNECTED":
            refuse("CustomKeyStoreInvalidStateException")
        if store is not None and store.lost:
            refuse("DependencyTimeoutException")
        member = family.members[family.primary] = Member()
        if not family.imported:
            family.current = Material()
            family.materials.append(family.current)
        self._be(family, member, ENABLED)
        self.families.append(family)

    def enable_key(self, family: Family, region: str, wanted: str = ENABLED) -> None:
        """Enable a key."""
        member = self.fit(family, region, TO_SWITCH)
        member.wanted = wanted
        self._be(family, member, wanted)

    def disable_key(self, family: Family, region: str) -> None:
        """Disable a key."""
        self.enable_key(family, region, DISABLED)

    def schedule_key_deletion(self, family: Family, region: str, days: int) -> None:
        """Let a key wait for its deletion."""
        member = self.fit(family, region, TO_DELETE)
        member.window = days * DAY
        self._doom(family, member)

    def cancel_key_deletion(self, family: Family, region: str) -> None:
        """Let a key live."""
        member = self.member(family, region)
        if member.state not in BEING_DELETED:
            refuse("KMSInvalidStateException")
        member.wanted = DISABLED
        self._be(family, member, DISABLED)

    def use(self, family: Family, region: str, *, named: bool = True) -> Member:
        """Encrypt or decrypt; a key that only a ciphertext names is nobody's business where it is not."""
        if not named and region not in family.members:
            refuse("AccessDeniedException")
        member = self.fit(family, region, TO_USE)
        if family.store is not None and family.store.lost:
            refuse("KMSInvalidStateException")
        return member

    def re_encrypt(self, source: Family, destination: Family, region: str) -> None:
        """Encrypt anew what a ciphertext holds; the states are looked at first, then what is behind key stores."""
        if region not in source.members:
            refuse("AccessDeniedException")
        self.member(destination, region)
        if destination.kind == "HMAC":
            refuse("InvalidKeyUsageException")
        for family in (source, destination):
            self.fit(family, region, TO_USE)
        for family in (source, destination):
            self.use(family, region)

    # rotation

    def _primary_to_rotate(self, family: Family, region: str, refused_in: set[str]) -> None:
        self.member(family, region)
        if region != family.primary:
            refuse("UnsupportedOperationException")
        self.fit(family, region, refused_in)

    def enable_key_rotation(self, family: Family, region: str, days: int | None) -> None:
        """Let a key rotate by itself."""
        self._primary_to_rotate(family, region, TO_SCHEDULE_ROTATION)
        if not family.rotates or family.imported:
            refuse("UnsupportedOperationException")
        if family.due is None or days not in (None, family.period // DAY):
            family.period = (days or 365) * DAY
            family.due = self.now + family.period

    def disable_key_rotation(self, family: Family, region: str) -> None:
        """Let a key rotate by itself no more; keys that never did, with material of AWS's, may be told so."""
        self._primary_to_rotate(family, region, TO_SCHEDULE_ROTATION)
        if family.imported or family.store is not None:
            refuse("UnsupportedOperationException")
        family.due = None

    def rotate_key_on_demand(self, family: Family, region: str) -> None:
        """Begin to rotate a key."""
        self._primary_to_rotate(family, region, TO_ROTATE)
        if not family.rotates:
            refuse("UnsupportedOperationException")
        if family.imported and (family.pending is None or not family.pending_is_everywhere):
            refuse("KMSInvalidStateException")
        if family.due is not None and family.due - self.now <= 20 * MINUTE:
            refuse("ConflictException")
        family.rotating = family.rotating or self.now + 2 * MINUTE

    # imported material

    def get_parameters_for_import(self, family: Family, region: str) -> None:
        """Ask for a key to wrap material with."""
        self.member(family, region)
        if not family.imported:
            refuse("UnsupportedOperationException")
        self.fit(family, region, TO_ASK_FOR_IMPORT)

    def import_key_material(
        self, family: Family, region: str, content: bytes, import_type: str | None, valid_to: int | None
    ) -> Material:
        """Import material: the first is current at once, another new one waits for a rotation."""
        new = import_type == "NEW_KEY_MATERIAL"
        if new and region != family.primary:
            refuse("ValidationException")
        member = self.fit(family, region, TO_IMPORT)
        material = family.known(content)
        if new or (import_type is None and family.current is None and region == family.primary):
            if material is not None:
                refuse("IncorrectKeyMaterialException")
            if family.pending is not None:
                refuse("KMSInvalidStateException")
            material = Material(content, pending=family.current is not None)
            family.materials.append(material)
            family.current = family.current or material
        elif material is None or family.current is None:
            refuse("IncorrectKeyMaterialException")
        member.imports[material] = valid_to
        member.expired.discard(material)
        if member.state in (ENABLED, DISABLED, NO_MATERIAL):
            member.wanted = ENABLED
            self._be(family, member, ENABLED)
        return material

    def delete_imported_key_material(self, family: Family, region: str, content: bytes | None) -> None:
        """Take material out of a key; what waits in the primary is forgotten everywhere."""
        self.member(family, region)
        if not family.imported:
            refuse("UnsupportedOperationException")
        member = self.fit(family, region, TO_DELETE_MATERIAL)
        material = family.current if content is None else family.known(content)
        if material is None and content is not None:
            refuse("ValidationException")
        if material is None:
            return
        everywhere = material.pending and region == family.primary
        for each in family.members.values() if everywhere else (member,):
            each.imports.pop(material, None)
            each.expired.discard(material)
        if everywhere:
            family.materials.remove(material)
        self._look(family)

    # several Regions

    def replicate_key(self, family: Family, region: str, to: str) -> None:
        """Make a replica."""
        self.member(family, region)
        if not family.multi_region or region != family.primary:
            refuse("UnsupportedOperationException")
        if to == region:
            refuse("ValidationException")
        self.fit(family, region, TO_REPLICATE)
        if to in family.members:
            refuse("AlreadyExistsException")
        family.members[to] = Member(CREATING, until=self.now + 2 * SECOND)

    def update_primary_region(self, family: Family, region: str, to: str) -> None:
        """Let a replica be the primary."""
        self.member(family, region)
        if not family.multi_region:
            refuse("UnsupportedOperationException")
        if region != family.primary:
            refuse("KMSInvalidStateException")
        if to not in family.members:
            refuse("ValidationException")
        both = [self.fit(family, place, TO_USE) for place in (region, to)]
        if to != region:
            family.primary = to
            for member in both:
                member.state, member.until = UPDATING, self.now + 2 * SECOND

    # aliases

    def create_alias(self, name: str, family: Family, region: str) -> None:
        """Give a key a name."""
        self.fit(family, region, BEING_DELETED)
        if (region, name) in self.aliases:
            refuse("AlreadyExistsException")
        self.aliases[region, name] = family

    def update_alias(self, name: str, family: Family, region: str) -> None:
        """Give another key the name."""
        if (region, name) not in self.aliases:
            refuse("NotFoundException")
        self.fit(family, region, BEING_DELETED)
        if (
            len({each.kind if each.kind in ("RSA", "HMAC") else "" for each in (family, self.aliases[region, name])})
            > 1
        ):
            refuse("ValidationException")
        self.aliases[region, name] = family

    def delete_alias(self, name: str, region: str) -> None:
        """Forget a name."""
        self.named(name, region)
        del self.aliases[region, name]

    def named(self, name: str, region: str) -> Family:
        """Return the keys that a name stands for."""
        return self.aliases.get((region, name)) or refuse("NotFoundException")

    # key stores

    def connect_custom_key_store(self, store: Store) -> None:
        """Begin to connect a key store."""
        if store.state not in ("DISCONNECTED", "CONNECTING", "CONNECTED"):
            refuse("CustomKeyStoreInvalidStateException")
        if store.state == "DISCONNECTED":
            store.until, store.then = self.now + IN_STORES[store.kind][0], "CONNECTED"
            self._enter_store(store, "CONNECTING")

    def disconnect_custom_key_store(self, store: Store) -> None:
        """Begin to disconnect a key store."""
        if store.state not in ("CONNECTED", "CONNECTING", "FAILED"):
            refuse("CustomKeyStoreInvalidStateException")
        store.until, store.then = self.now + IN_STORES[store.kind][1], "DISCONNECTED"
        self._enter_store(store, "DISCONNECTING")


# The machine: random calls, of the fake and of the model


@dataclass(frozen=True)
class Sealed:
    """A ciphertext, or a MAC, and with which material it was made."""

    family: Family
    material: Material
    blob: bytes
    plaintext: bytes


CONTENTS = [bytes([number]) * 32 for number in (1, 2, 3)]
LONG = [10 * SECOND, 3 * MINUTE, HOUR, DAY, 8 * DAY, 31 * DAY, 100 * DAY, 365 * DAY, 1100 * DAY]
WRAPPING = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
RSA: dict[str, Any] = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
HMAC: dict[str, Any] = {"MacAlgorithm": "HMAC_SHA_256"}

numbers = st.integers(0, 99)
"""What is chosen by them is fit for the call mostly, and anything now and then: see `LifeOfKeys.family`."""
names = st.sampled_from(["alias/orders", "alias/mail"])
contents = st.sampled_from([CONTENTS[0], *CONTENTS])
regions = st.sampled_from(REGIONS)


class LifeOfKeys(RuleBasedStateMachine):
    """Keys that live, are used and die, as a client sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.kms = self.stack.enter_context(fake_kms(region=HOME, seed="life of keys", quotas=False))
        # None tries again: that would pass time.
        once = Config(retries={"total_max_attempts": 1})
        self.clients: dict[str, Any] = {region: self.kms.client_for(region=region, config=once) for region in REGIONS}
        self.kms.clock.freeze()
        # It begins at a whole second, and no two calls are at the same millisecond of one: so nothing that they bring
        # about falls due at the same moment.
        now = self.kms.clock.now
        self.start = now.replace(microsecond=0) + dt.timedelta(seconds=1)
        self.kms.clock.advance(seconds=(self.start - now).total_seconds())
        self.model = Model()
        self.turn = 0
        self.touched: Family | None = None
        self.sealed: list[Sealed] = []
        self.material_ids: dict[str, tuple[Family, bytes | Material]] = {}

    def teardown(self) -> None:
        """Leave the fake."""
        self.stack.close()

    # how both are asked

    def milliseconds(self, moment: dt.datetime | None) -> int | None:
        """Return a moment as the model has it."""
        return None if moment is None else round((moment - self.start).total_seconds() * SECOND)

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass, in both worlds."""
        self.kms.clock.advance(seconds=milliseconds / SECOND)
        self.model.pass_to(self.model.now + milliseconds)

    def family(self, number: int, *wishes: Callable[[Family], bool]) -> Family:
        """Choose a family that lives and is as wished, by the first wish or a later one; now and then any."""
        families = self.model.families
        if number < 90:
            for wish in (*wishes[number % 3 :], *wishes[-1:], bool):
                fit = [family for family in families if family.members and wish(family)]
                if fit:
                    families = fit
                    break
        self.touched = families[number % len(families)]
        return self.touched

    def region(self, number: int, family: Family) -> str:
        """Choose a Region where there is a key of a family, most often that of the primary, now and then any."""
        places = REGIONS if number >= 90 else (*family.members, family.primary, family.primary)
        return places[number % len(places)]

    def answer(self, region: str, method: str, **members: Any) -> tuple[str | None, Any]:
        """Return how the fake answers a call: the code of its error or None, and its members."""
        given = {name: value for name, value in members.items() if value is not None}
        try:
            return None, getattr(self.clients[region], method)(**given)
        except ClientError as error:
            return error.response["Error"]["Code"], {}

    def agree(self, rules: Callable[[], object], region: str, method: str, **members: Any) -> Any:
        """Make a call of both worlds, which must end alike; return the fake's answer, or None for an error."""
        self.model.pass_to(self.model.now)  # a call may have made something due at once
        expected = None
        try:
            rules()
        except Refused as refused:
            expected = str(refused)
        code, answer = self.answer(region, method, **members)
        if method not in ("decrypt", "describe_key", "verify_mac") or expected != code:
            told = {name: value for name, value in members.items() if not isinstance(value, bytes | None)}
            note(f"{self.model.now / SECOND:.3f} s: {method} in {region} {told} -> {code or 'ok'}")
        assert expected == code
        return answer if code is None else None

    def call(self, method: str, family: Family, region: str, *arguments: Any, **members: Any) -> Any:
        """Call an operation on a key."""
        rules: Any = getattr(self.model, method)
        return self.agree(lambda: rules(family, region, *arguments), region, method, KeyId=family.id, **members)

    # keys

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(KINDS.keys() - MULTI_REGION)), min_size=2, max_size=2),
        replicas=st.lists(st.sampled_from([AWAY, FAR]), max_size=2, unique=True),
        imports=st.integers(0, 3),
    )
    def begin(self, kinds: list[str], replicas: list[str], imports: int) -> None:
        """Make the key stores, the first keys, some replicas, and import some material."""
        for kind in IN_STORES:
            store = self.kms.key_store("AWS_CLOUDHSM" if kind == "in a cluster" else "EXTERNAL_KEY_STORE")
            self.model.stores.append(Store(store.id, kind))
        for kind in (*MULTI_REGION, *kinds):
            self.create_key(kind, HOME)
            family = self.model.families[-1]
            if family.imported and imports:
                self.import_into(family, HOME, CONTENTS[0])
            for region in replicas if kind in MULTI_REGION else ():
                self.call("replicate_key", family, HOME, region, ReplicaRegion=region)
                self.pass_time(3 * SECOND)
                if family.imported and imports > 1:
                    self.import_into(family, region, CONTENTS[0])

    @precondition(lambda self: sum(bool(family.members) for family in self.model.families) < MOST_KEYS)
    @rule(kind=st.sampled_from(list(KINDS)), region=regions)
    def create_key(self, kind: str, region: str) -> None:
        """Make a key; those of key stores where these are."""
        self.next_turn()
        store = next((store for store in self.model.stores if store.kind == kind), None)
        family = Family("", kind, region if store is None else HOME, store)
        members = dict(KINDS[kind])
        if store is not None:
            members["CustomKeyStoreId"] = store.id
            members["XksKeyId"] = f"key-{self.turn}" if kind == "in a key manager" else None
        answer = self.agree(lambda: self.model.create_key(family), family.primary, "create_key", **members)
        if answer is not None:
            family.id = answer["KeyMetadata"]["KeyId"]
            assert [family] == [each for each in self.model.families if each.id == family.id]

    def next_turn(self) -> None:
        """Let a second pass between two calls."""
        self.turn += 1
        self.pass_time(SECOND + 1)

    @rule(number=numbers, place=numbers, method=st.sampled_from(["enable_key", "disable_key"]))
    def switch(self, number: int, place: int, method: str) -> None:
        """Enable or disable a key: best one that is disabled, or one that rotates."""
        self.next_turn()
        family = self.family(
            number,
            lambda family: family.due is not None and (method == "disable_key" or DISABLED in family.states),
            lambda family: method == "disable_key" or DISABLED in family.states,
        )
        self.call(method, family, self.region(place, family))

    @rule(
        number=numbers,
        place=numbers,
        days=st.sampled_from([7, 30]),
        everywhere=st.sampled_from([False, False, True]),
    )
    def schedule_key_deletion(self, number: int, place: int, days: int, *, everywhere: bool) -> None:
        """Let a key be deleted, or all of its family."""
        family = self.family(number)
        for region in list(family.members) if everywhere else [self.region(place, family)]:
            self.next_turn()
            self.call("schedule_key_deletion", family, region, days, PendingWindowInDays=days)

    @rule(number=numbers, place=numbers)
    def cancel_key_deletion(self, number: int, place: int) -> None:
        """Let a key live."""
        self.next_turn()
        family = self.family(number, lambda family: not BEING_DELETED.isdisjoint(family.states))
        self.call("cancel_key_deletion", family, self.region(place, family))

    # rotation

    @rule(number=numbers, place=numbers, days=st.sampled_from([None, 90, 90, 400]))
    def enable_key_rotation(self, number: int, place: int, days: int | None) -> None:
        """Let a key rotate by itself."""
        self.next_turn()
        family = self.family(number, lambda family: family.rotates and not family.imported)
        self.call("enable_key_rotation", family, self.region(place, family), days, RotationPeriodInDays=days)

    @rule(
        number=numbers, place=numbers, method=st.sampled_from(["rotate_key_on_demand"] * 3 + ["disable_key_rotation"])
    )
    def rotate(self, number: int, place: int, method: str) -> None:
        """Rotate a key, or let it not rotate any more."""
        self.next_turn()
        family = self.family(number, lambda family: family.pending is not None, lambda family: family.rotates)
        self.call(method, family, self.region(place, family))

    # imported material

    @rule(
        number=numbers,
        place=numbers,
        content=contents,
        import_type=st.sampled_from([None, None, "NEW_KEY_MATERIAL", "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]),
        lifetime=st.sampled_from([NEVER, NEVER, NEVER, 10, 3600, 30 * 86_400]),
    )
    def import_key_material(
        self, number: int, place: int, content: bytes, import_type: str | None, lifetime: int | None
    ) -> None:
        """Import material for ever, or for some seconds."""
        family = self.family(number, lambda family: family.imported)
        region = self.region(place, family)
        self.import_into(family, region, content, None if region != family.primary else import_type, lifetime)

    @rule(number=numbers, place=numbers, everywhere=st.booleans())
    def import_what_is_lacking(self, number: int, place: int, *, everywhere: bool) -> None:
        """Import what a key needs and has not, and what waits for a rotation, into one key or all of its family."""
        family = self.family(number, lambda family: family.imported)
        for region in list(family.members) if everywhere else [self.region(place, family)]:
            there = family.members.get(region, Member())
            for material in [each for each in family.materials if each not in there.imports.keys() - there.expired]:
                self.import_into(family, region, material.content or b"")

    @rule(number=numbers, content=contents)
    def renew(self, number: int, content: bytes) -> None:
        """Import new material everywhere, and rotate to it."""
        family = self.family(number, lambda family: family.imported and family.states == {ENABLED})
        for region in sorted(family.members, key=lambda region: region != family.primary):
            import_type = "NEW_KEY_MATERIAL" if region == family.primary else None
            self.import_into(family, region, content, import_type)
        self.next_turn()
        self.call("rotate_key_on_demand", family, family.primary)
        self.pass_time(3 * MINUTE)

    def import_into(
        self, family: Family, region: str, content: bytes, import_type: str | None = None, lifetime: int | None = NEVER
    ) -> None:
        """Import material into one key."""
        self.next_turn()
        parameters = self.call("get_parameters_for_import", family, region, **WRAPPING)
        if parameters is None:
            return
        valid_to, model = None, "KEY_MATERIAL_DOES_NOT_EXPIRE"
        if lifetime is not None:
            valid_to = self.kms.clock.now.replace(microsecond=0) + dt.timedelta(seconds=lifetime)
            model = "KEY_MATERIAL_EXPIRES"
        answer = self.call(
            "import_key_material",
            family,
            region,
            content,
            import_type,
            self.milliseconds(valid_to),
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=self.kms.wrap_key_material(parameters, content),
            ImportType=import_type,
            ExpirationModel=model,
            ValidTo=valid_to,
        )
        if answer is not None:
            self.learn(family, family.known(content), answer["KeyMaterialId"])

    @rule(number=numbers, place=numbers, content=st.none() | contents)
    def delete_imported_key_material(self, number: int, place: int, content: bytes | None) -> None:
        """Delete the current material, or one that is named by its id."""
        self.next_turn()
        family = self.family(number, lambda family: family.imported)
        known = None if content is None else family.known(content)
        material_id = None if content is None else (known and known.id) or "0" * 64
        region = self.region(place, family)
        self.call("delete_imported_key_material", family, region, content, KeyMaterialId=material_id)

    def learn(self, family: Family, material: Material | None, material_id: str) -> None:
        """Learn the id of a material: it has but one, and no other has it."""
        assert material is not None
        what = (family, material.content or material)
        assert what == self.material_ids.setdefault(material_id, what)
        assert material.id in (None, material_id)
        material.id = material_id

    # several Regions

    @rule(number=numbers, place=numbers, to=regions)
    def replicate_key(self, number: int, place: int, to: str) -> None:
        """Make a replica."""
        self.next_turn()
        family = self.family(number, lambda family: family.multi_region and to not in family.members)
        self.call("replicate_key", family, self.region(place, family), to, ReplicaRegion=to)

    @rule(number=numbers, place=numbers, to=numbers)
    def update_primary_region(self, number: int, place: int, to: int) -> None:
        """Let a replica be the primary."""
        self.next_turn()
        family = self.family(
            number,
            lambda family: len(family.members) > 1 and family.pending is not None and not family.pending_is_everywhere,
            lambda family: len(family.members) > 1,
        )
        region = self.region(place, family)
        others = [other for other in family.members if other != region]
        target = others[to % len(others)] if others and to < 90 else REGIONS[to % len(REGIONS)]
        self.call("update_primary_region", family, region, target, PrimaryRegion=target)

    # use

    @rule(number=numbers, place=numbers, plaintext=st.binary(min_size=1, max_size=20))
    def encrypt(self, number: int, place: int, plaintext: bytes) -> None:
        """Encrypt something; with an HMAC key, make a MAC of it."""
        self.next_turn()
        family = self.family(number)
        region = self.region(place, family)
        method, members = "encrypt", {"KeyId": family.id, "Plaintext": plaintext}
        if family.kind == "RSA":
            members |= RSA
        elif family.kind == "HMAC":
            method, members = "generate_mac", {"KeyId": family.id, "Message": plaintext, **HMAC}
        self.keep(family, plaintext, self.agree(lambda: self.model.use(family, region), region, method, **members))

    @precondition(lambda self: self.sealed)
    @rule(number=numbers, to=numbers, place=numbers)
    def re_encrypt(self, number: int, to: int, place: int) -> None:
        """Encrypt anew what is in a ciphertext."""
        self.next_turn()
        sealed = self.sealed[number % len(self.sealed)]
        if sealed.family.bare:
            return
        family = self.family(to)
        region = self.region(place, sealed.family)
        answer = self.agree(
            lambda: self.model.re_encrypt(sealed.family, family, region),
            region,
            "re_encrypt",
            CiphertextBlob=sealed.blob,
            DestinationKeyId=family.id,
            DestinationEncryptionAlgorithm=RSA["EncryptionAlgorithm"] if family.kind == "RSA" else None,
        )
        self.keep(family, sealed.plaintext, answer)

    def keep(self, family: Family, plaintext: bytes, answer: Any) -> None:
        """Keep a ciphertext or a MAC, if there is one."""
        if answer is not None:
            assert family.current is not None
            blob = answer.get("Mac") or answer["CiphertextBlob"]
            self.sealed.append(Sealed(family, family.current, blob, plaintext))

    def open(self, sealed: Sealed, region: str, *, named: bool) -> None:
        """Open a ciphertext: that works exactly while its key may be used there."""
        family = sealed.family
        named = named or family.bare
        method, members = "decrypt", {"CiphertextBlob": sealed.blob, "KeyId": family.id if named else None}
        if family.kind == "RSA":
            members |= RSA
        elif family.kind == "HMAC":
            method = "verify_mac"
            members = {"KeyId": family.id, "Message": sealed.plaintext, "Mac": sealed.blob, **HMAC}
        answer = self.agree(lambda: self.model.use(family, region, named=named), region, method, **members)
        if answer is not None:
            assert family.arn(region) == answer["KeyId"]
            assert sealed.plaintext == answer.get("Plaintext", sealed.plaintext)
            if not family.bare:
                self.learn(family, sealed.material, answer["KeyMaterialId"])

    @precondition(lambda self: self.sealed)
    @rule(number=numbers, other=numbers, region=regions)
    def decrypt_with_another_key(self, number: int, other: int, region: str) -> None:
        """Name another key than that of the ciphertext: it is refused, whatever state they are in."""
        self.next_turn()
        sealed, family = self.sealed[number % len(self.sealed)], self.family(other)
        if sealed.family is family or sealed.family.bare:
            return

        def rules() -> None:
            self.model.member(family, region)
            refuse("IncorrectKeyException")

        self.agree(rules, region, "decrypt", CiphertextBlob=sealed.blob, KeyId=family.id)

    # aliases

    @rule(name=names, number=numbers, place=numbers, method=st.sampled_from(["create_alias", "update_alias"]))
    def point(self, name: str, number: int, place: int, method: str) -> None:
        """Give a key a name, a new one or another key's."""
        self.next_turn()
        family = self.family(number)
        region = self.region(place, family)
        rules: Any = getattr(self.model, method)
        self.agree(lambda: rules(name, family, region), region, method, AliasName=name, TargetKeyId=family.id)

    @rule(name=names, region=regions)
    def delete_alias(self, name: str, region: str) -> None:
        """Forget a name."""
        self.next_turn()
        self.agree(lambda: self.model.delete_alias(name, region), region, "delete_alias", AliasName=name)

    # key stores

    @rule(number=st.sampled_from([0, 1]), again=st.sampled_from([False, False, False, True]))
    def connect_or_disconnect(self, number: int, *, again: bool) -> None:
        """Disconnect a key store that is connected, connect another one; or do what was done already once more."""
        self.next_turn()
        store = self.model.stores[number]
        connected = store.state in ("CONNECTED", "CONNECTING", "FAILED")
        method = "disconnect_custom_key_store" if connected != again else "connect_custom_key_store"
        rules: Any = getattr(self.model, method)
        self.agree(lambda: rules(store), HOME, method, CustomKeyStoreId=store.id)

    @rule(number=st.sampled_from([0, 1]))
    def lose_or_recover(self, number: int) -> None:
        """Let what is behind a key store break, or be mended."""
        self.next_turn()
        store, modelled = self.kms.key_stores[number], self.model.stores[number]
        modelled.lost = not modelled.lost
        if modelled.lost:
            store.fail("NETWORK_ERRORS")
        else:
            store.recover()

    # time

    @rule(milliseconds=st.sampled_from(LONG))
    def wait(self, milliseconds: int) -> None:
        """Let a long time pass, and look at everything."""
        self.next_turn()
        self.pass_time(milliseconds)
        note(f"{self.model.now / SECOND:.3f} s after {milliseconds / SECOND} s")
        self.look_everywhere()

    @rule(number=numbers, milliseconds=st.sampled_from(LONG))
    def wait_while_disabled(self, number: int, milliseconds: int) -> None:
        """Disable a key, best one that rotates, and enable it after a long time."""
        self.next_turn()
        family = self.family(number, lambda family: family.due is not None)
        self.call("disable_key", family, family.primary)
        self.pass_time(milliseconds)
        self.call("enable_key", family, family.primary)

    # what always holds

    @invariant()
    def keys_are_as_the_rules_have_them(self) -> None:
        """Look at the keys that were touched last."""
        self.model.pass_to(self.model.now)
        family = self.touched or self.model.families[-1]
        for region, member in family.members.items():
            self.look_at(family, region, member)

    @invariant()
    def what_was_encrypted_opens_while_its_key_may_be_used(self) -> None:
        """Try the newest ciphertext, or one after another of the others, in one Region after another."""
        if self.sealed:
            sealed = self.sealed[-1 if self.turn % 2 else self.turn // 2 % len(self.sealed)]
            places = (*sealed.family.members, *REGIONS)
            self.open(sealed, places[self.turn % len(places)], named=False)

    def look_at(self, family: Family, region: str, member: Member) -> None:
        """Compare a key with the model; it is in no state that AWS has not for its kind."""
        _, answer = self.answer(region, "describe_key", KeyId=family.arn(region))
        metadata = answer["KeyMetadata"]
        assert member.state == metadata["KeyState"]
        assert member.state in {ENABLED, DISABLED, DOOMED} | STATES_OF_KINDS.get(family.kind, set())
        assert (member.state == ENABLED) == metadata["Enabled"]
        assert member.deletion == self.milliseconds(metadata.get("DeletionDate"))
        if member.state != CREATING:
            needed = [] if family.lacks(member) else [each for each in family.materials if not each.pending]
            dates = [date for each in needed if (date := member.imports.get(each)) is not None]
            assert min(dates, default=None) == self.milliseconds(metadata.get("ValidTo"))
            if "CurrentKeyMaterialId" in metadata:
                self.learn(family, family.current, metadata["CurrentKeyMaterialId"])
        if family.multi_region:
            configuration = metadata["MultiRegionConfiguration"]
            replicas = sorted(family.members.keys() - {family.primary})
            assert family.primary == configuration["PrimaryKey"]["Region"]
            assert replicas == [replica["Region"] for replica in configuration["ReplicaKeys"]]

    def look_everywhere(self) -> None:
        """Compare lists, names, rotations, what is gone, what was encrypted, and what AWS did by itself."""
        for region in REGIONS:
            _, answer = self.answer(region, "list_keys")
            ids = sorted(family.id for family in self.model.families if region in family.members)
            assert ids == [key["KeyId"] for key in answer["Keys"]]
            self.look_at_aliases(region)
            for family in self.model.families:
                self.agree(partial(self.model.member, family, region), region, "describe_key", KeyId=family.id)
                if region in family.members:
                    self.look_at(family, region, family.members[region])
                    if family.store is None:
                        self.look_at_rotation(family, region)
            for sealed in self.sealed:
                self.open(sealed, region, named=True)
        self.look_at_trail()

    def look_at_aliases(self, region: str) -> None:
        """Compare what the names stand for."""
        _, answer = self.answer(region, "list_aliases", Limit=100)
        own = {alias["AliasName"]: alias["TargetKeyId"] for alias in answer["Aliases"] if "TargetKeyId" in alias}
        assert {name: family.id for (place, name), family in self.model.aliases.items() if place == region} == own
        for name, key_id in own.items():
            assert key_id == self.answer(region, "describe_key", KeyId=name)[1]["KeyMetadata"]["KeyId"]

    def look_at_rotation(self, family: Family, region: str) -> None:
        """Compare when a key rotates, how often it has, and its materials."""
        _, status = self.answer(region, "get_key_rotation_status", KeyId=family.id)
        on = family.due is not None and family.members[region].state != DOOMED
        assert on == status["KeyRotationEnabled"]
        assert (family.due if on else None) == self.milliseconds(status.get("NextRotationDate"))
        begun = None if family.rotating is None else family.rotating - 2 * MINUTE
        assert begun == self.milliseconds(status.get("OnDemandRotationStartDate"))
        everything = "ALL_KEY_MATERIAL" if family.rotates else None
        _, answer = self.answer(
            region, "list_key_rotations", KeyId=family.id, IncludeKeyMaterial=everything, Limit=1000
        )
        assert family.rotated == sum("RotationDate" in entry for entry in answer["Rotations"])
        for entry, material in zip(answer["Rotations"], family.materials if everything else (), strict=True):
            self.learn(family, material, entry["KeyMaterialId"])
            assert family.state_of(material) == entry["KeyMaterialState"]
            is_there = material in family.members[region].imports
            assert ("IMPORTED" if is_there else "PENDING_IMPORT") == entry.get("ImportState", "PENDING_IMPORT")

    def look_at_trail(self) -> None:
        """Compare what AWS did by itself; whatever was recorded stands in the order of time."""
        times = [event.time for event in self.kms.trail]
        assert sorted(times) == times
        own = [
            (event.operation, event.key, self.milliseconds(event.time))
            for event in self.kms.trail
            if event.service_event is not None and event.operation != "SynchronizeMultiRegionKey"
        ]
        assert self.model.log == own


SETTINGS = settings(
    max_examples=TOGETHER,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("number", range(-(-LIVES // TOGETHER)))
def test_keys_live_as_aws_s_rules_say(number: int) -> None:
    """Whatever is done to them, the fake and the model agree."""
    run_state_machine_as_test(seed(number)(LifeOfKeys), settings=SETTINGS)


# What such a life has shown


def test_material_waits_for_a_primary_that_lacks_it(kms: FakeKMS) -> None:
    """A replica that became the primary before it had the new material needs it as every other key does."""
    key = kms.create_key(region=HOME, multi_region=True, origin="EXTERNAL", material=CONTENTS[0])
    kms.replicate(key, AWAY)
    kms.import_key_material(key, CONTENTS[1])
    kms.client_for(region=HOME).update_primary_region(KeyId=key.id, PrimaryRegion=AWAY)
    kms.clock.advance(seconds=10)
    kms.import_key_material(key, CONTENTS[1])

    client = kms.client_for(region=AWAY)
    material = client.list_key_rotations(KeyId=key.id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][1]
    assert "PENDING_MULTI_REGION_IMPORT_AND_ROTATION" == material["KeyMaterialState"]
    assert "KMSInvalidStateException" == error_of(client, "rotate_key_on_demand", KeyId=key.id)["Code"]
    assert "Enabled" == client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
