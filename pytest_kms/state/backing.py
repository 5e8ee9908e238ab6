"""What keys are made of: key materials, and all that the keys of one multi-Region family share.

A single-Region key has its backing for itself; the primary and the replicas of a multi-Region key have one together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.state.key import Key

CURRENT = "CURRENT"
NON_CURRENT = "NON_CURRENT"
PENDING_ROTATION = "PENDING_ROTATION"
PENDING_MULTI_REGION_IMPORT_AND_ROTATION = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PENDING = frozenset({PENDING_ROTATION, PENDING_MULTI_REGION_IMPORT_AND_ROTATION})

AUTOMATIC = "AUTOMATIC"
ON_DEMAND = "ON_DEMAND"


class KeyMaterial:
    """One key material: its id, and its bytes, which are made when they are first used.

    `state` is AWS's `KeyMaterialState`; `rotated` and `rotation_type` say when and how it became current by a rotation,
    and are None for the first; `description` is AWS's `KeyMaterialDescription`. Its bytes are never shown; this is no
    dataclass, since pytest shows all fields of those that differ.
    """

    __slots__ = ("_content", "_make", "description", "id", "rotated", "rotation_type", "state")

    def __init__(
        self,
        id: bytes,  # noqa: A002  # AWS's word
        *,
        content: bytes | None = None,
        make: Callable[[], bytes] | None = None,
        state: str = CURRENT,
        description: str | None = None,
    ) -> None:
        self.id = id
        self.state = state
        self.description = description
        self.rotated: dt.datetime | None = None
        self.rotation_type: str | None = None
        self._content = content
        self._make = make

    def __repr__(self) -> str:
        return f"KeyMaterial({self.id.hex()}, {self.state})"

    @property
    def content(self) -> bytes:
        """The material: raw bytes, or a private key as PKCS#8 (DER)."""
        if self._content is None:
            if self._make is None:  # pragma: no cover  # one of the two is always given
                raise LookupError(self.id.hex())
            self._content = self._make()
        return self._content


@dataclass(slots=True, eq=False)
class Schedule:
    """When a key rotates by itself: when it is `due`, and again every `period` days.

    `missed` says that it could not when it was due.
    """

    period: int
    due: dt.datetime
    missed: bool = False


@dataclass(slots=True)
class Rotation:
    """How a key rotates: its schedule if it has one, and when the rotation on demand began that is in progress."""

    schedule: Schedule | None = None
    started: dt.datetime | None = None


class Backing:
    """Spec, usage, origin, materials and rotation, and the keys that share them, by Region.

    `materials` stand in the order in which they came; `current` is the one that encrypts, None before the first import.
    """

    __slots__ = (
        "_by_id", "current", "materials", "members", "multi_region", "origin", "primary", "rotation", "spec", "usage",
    )  # fmt: skip

    def __init__(self, *, spec: KeySpec, usage: str, origin: str, multi_region: bool) -> None:
        self.spec = spec
        self.usage = usage
        self.origin = origin
        self.multi_region = multi_region
        self.materials: list[KeyMaterial] = []
        self.current: KeyMaterial | None = None
        self.members: dict[str, Key] = {}
        self.primary: Key  # every backing has one from the moment that its first key is made
        self.rotation = Rotation()
        self._by_id: dict[bytes, KeyMaterial] = {}

    def add(self, material: KeyMaterial) -> None:
        """Take in a material; one that is current takes the place of the one before."""
        self.materials.append(material)
        self._by_id[material.id] = material
        if material.state == CURRENT:
            self.make_current(material)

    def make_current(self, material: KeyMaterial) -> None:
        """Let a material encrypt from now on."""
        if self.current is not None:
            self.current.state = NON_CURRENT
        material.state = CURRENT
        self.current = material

    def remove(self, material: KeyMaterial) -> None:
        """Forget a material that never became current."""
        self.materials.remove(material)
        del self._by_id[material.id]

    def knows(self, material_id: bytes) -> bool:
        """Say whether a material of an id is or was here."""
        return material_id in self._by_id

    def material(self, material_id: bytes) -> KeyMaterial:
        """Return the material of an id."""
        return self._by_id[material_id]

    @property
    def pending(self) -> KeyMaterial | None:
        """The material that waits for a rotation on demand."""
        return next((material for material in self.materials if material.state in PENDING), None)

    def wait_for_members(self) -> None:
        """Let the pending material wait until every key has it: a replica may have become the primary without it."""
        pending = self.pending
        if pending is not None:
            lacking = any(pending.id not in key.imported for key in self.members.values() if not key.deleted)
            pending.state = PENDING_MULTI_REGION_IMPORT_AND_ROTATION if lacking else PENDING_ROTATION

    def synchronize(self) -> None:
        """Record, behind its cause, that what a primary shares with its replicas goes to them, if it has any."""
        if any(self.replicas()):
            world = self.primary.home.world
            world.agenda.after(0, partial(world.record_own_doing, "SynchronizeMultiRegionKey", self.primary))

    def replicas(self) -> Iterator[Key]:
        """Give the replicas that are not deleted, by Region."""
        for _, key in sorted(self.members.items()):
            if key is not self.primary and not key.deleted:
                yield key
