"""Key material that somebody imports into keys: how it comes, how long it stays, how it goes."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pytest_kms.crypto import wrapping
from pytest_kms.state.backing import CURRENT, PENDING, PENDING_MULTI_REGION_IMPORT_AND_ROTATION, KeyMaterial
from pytest_kms.state.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.state.key import Key

EXPIRES = "KEY_MATERIAL_EXPIRES"
DOES_NOT_EXPIRE = "KEY_MATERIAL_DOES_NOT_EXPIRE"

PARAMETERS_VALID = dt.timedelta(hours=24)

_TOKEN_BYTES = 512
"""How many AWS's tokens have is not known."""


class Imported(NamedTuple):
    """AWS's `ExpirationModel` and `ValidTo` of one material in one key.

    One that has expired is still listed as imported, with its `ValidTo`, but the key is without it.
    """

    expiration_model: str
    valid_to: dt.datetime | None = None
    expired: bool = False


class ImportParameters:
    """What GetParametersForImport gave out for a key: with what its material is to be wrapped and how, until when.

    The wrapping key is never shown; this is no dataclass, since pytest shows all fields of those that differ.
    """

    __slots__ = ("algorithm", "key", "token", "valid_to", "wrapping_key", "wrapping_spec")

    def __init__(self, key: Key, algorithm: str, wrapping_spec: KeySpec) -> None:
        world = key.home.world
        self.key = key
        self.algorithm = algorithm
        self.wrapping_spec = wrapping_spec
        self.wrapping_key = world.new_material(wrapping_spec)
        self.token = world.random_bytes(_TOKEN_BYTES)
        self.valid_to = world.now + PARAMETERS_VALID

    def wrap(self, content: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
        """Encrypt material, as its owner does.

        Raises:
            ValueError: it is empty, or longer than the algorithm encrypts with such a key.

        """
        return wrapping.wrap(self.wrapping_spec, self.wrapping_key, self.algorithm, content, random_bytes)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt material that comes in.

        Raises:
            Unreadable: it was not wrapped by these parameters, or was altered.

        """
        return wrapping.unwrap(self.wrapping_spec, self.wrapping_key, self.algorithm, wrapped)


def imported_material_id(key_id: str, content: bytes) -> bytes:
    """Return the id of a material: the same for the same material in the same key, another for any other."""
    return hashlib.sha256(key_id.encode() + content).digest()


def take_in(key: Key, content: bytes, imported: Imported, description: str | None = None) -> bytes:
    """Put a material into a key, which is enabled if it has all it needs then, and return the material's id.

    The first is current at once, each later one waits for a rotation.
    """
    backing, world = key.backing, key.home.world
    material_id = imported_material_id(key.id, content)
    if not backing.knows(material_id):
        state = CURRENT if backing.current is None else PENDING_MULTI_REGION_IMPORT_AND_ROTATION
        world.add_material(backing, KeyMaterial(material_id, content=content, state=state))
    material = backing.material(material_id)
    if description is not None:
        material.description = description
    key.imported[material_id] = imported
    if imported.valid_to is not None and not imported.expired:
        world.agenda.at(imported.valid_to.timestamp(), partial(_expire, key, material, imported))
    backing.wait_for_members()
    key.wake()
    return material_id


def give_up(key: Key, material: KeyMaterial) -> None:
    """Take a material out of a key. One that waits in a primary goes from its replicas, too, and is forgotten."""
    backing = key.backing
    if material.state in PENDING and key is backing.primary:
        backing.remove(material)
        for member in backing.members.values():
            member.imported.pop(material.id, None)
    else:
        key.imported.pop(material.id, None)
        backing.wait_for_members()
        key.look_again()


def _expire(key: Key, material: KeyMaterial, imported: Imported) -> None:
    """Let a material expire, unless it was deleted or imported anew. While it waits for a rotation, nobody notices."""
    if key.deleted or key.imported.get(material.id) is not imported:
        return
    key.imported[material.id] = imported._replace(expired=True)
    if material.state not in PENDING:
        world = key.home.world
        world.record_own_doing("DeleteExpiredKeyMaterial", key, {"keyId": key.id})
        key.look_again()
        key.cause = Cause("the expiration of its key material", world.now)
