"""How keys get new key material: by a schedule, and on demand. The keys of one backing rotate together."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import EXTERNAL
from pytest_kms.state.backing import AUTOMATIC, ON_DEMAND, PENDING_ROTATION, Schedule

if TYPE_CHECKING:
    from pytest_kms.state.backing import Backing, KeyMaterial
    from pytest_kms.state.key import Key

DEFAULT_PERIOD = 365
"""Days from one automatic rotation to the next."""
ON_DEMAND_SECONDS = 120
"""How long a rotation on demand takes of the fake's time; of AWS, 48 to 160 seconds were recorded."""


def rotate_every(backing: Backing, days: int) -> None:
    """Rotate by a schedule, for the first time when a period has passed from now."""
    world = backing.primary.home.world
    schedule = Schedule(days, world.now + dt.timedelta(days=days))
    backing.rotation.schedule = schedule
    world.agenda.at(schedule.due.timestamp(), partial(_fall_due, backing, schedule))


def begin(backing: Backing) -> None:
    """Begin a rotation on demand, which ends by itself, whatever state the key is in by then."""
    world = backing.primary.home.world
    backing.rotation.started = world.now
    world.agenda.after(ON_DEMAND_SECONDS, partial(_complete, backing))


def make_up(key: Key) -> None:
    """Rotate what was due while this primary could not: behind what lets it."""
    schedule = key.backing.rotation.schedule
    if schedule is not None and schedule.missed and key is key.backing.primary:
        schedule.missed = False
        key.home.world.agenda.after(0, partial(_fall_due, key.backing, schedule))


def on_demand_rotations(backing: Backing) -> int:
    """Count the rotations on demand that were completed."""
    return sum(material.rotation_type == ON_DEMAND for material in backing.materials)


def _fall_due(backing: Backing, schedule: Schedule) -> None:
    """Rotate, if this is still the schedule: at once, or as soon as the primary can."""
    if backing.rotation.schedule is not schedule:
        return
    if backing.primary.rotates:
        rotate_every(backing, schedule.period)  # from now on, also where this one is late
        _rotate(backing, backing.primary.home.world.rotated_material(backing), AUTOMATIC)
    else:
        schedule.missed = True


def _complete(backing: Backing) -> None:
    """End a rotation on demand. One to imported material takes what waits for it then, or comes to nothing."""
    backing.rotation.started = None
    if backing.origin != EXTERNAL:
        _rotate(backing, backing.primary.home.world.rotated_material(backing), ON_DEMAND)
    elif backing.pending is not None and backing.pending.state == PENDING_ROTATION:
        _rotate(backing, backing.pending, ON_DEMAND)


def _rotate(backing: Backing, material: KeyMaterial, how: str) -> None:
    primary = backing.primary
    world, previous = primary.home.world, primary.material_id
    if backing.knows(material.id):
        backing.make_current(material)
        for member in backing.members.values():
            member.look_again()  # the material may have expired while it waited
    else:
        world.add_material(backing, material)
    material.rotated, material.rotation_type = world.now, how
    details = {
        "rotationType": how,
        "keyOrigin": backing.origin,
        "previousKeyMaterialId": previous.hex(),
        "currentKeyMaterialId": material.id.hex(),
        "keyId": primary.arn,
    }
    world.record_own_doing("RotateKey", primary, details)
    backing.synchronize()
