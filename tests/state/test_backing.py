"""What the keys of one multi-Region family share, and what is remembered of each key material."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    from pytest_kms import Key

pytestmark = pytest.mark.kms(region="us-east-1")

FIRST, SECOND = b"1" * 32, b"2" * 32


def rotate(kms: FakeKMS, key: Key) -> None:
    """Rotate a key on demand."""
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(seconds=120)
    kms.client.list_keys()  # what has fallen due happens


def test_a_key_has_its_backing_for_itself(kms: FakeKMS) -> None:
    """Two single-Region keys share nothing."""
    one, other = kms.create_key(), kms.create_key(region="us-west-2")
    assert one.backing is not other.backing
    assert {"us-east-1": one} == one.backing.members
    assert (one, []) == (one.backing.primary, list(one.backing.replicas()))


def test_a_family_has_one_backing(kms: FakeKMS) -> None:
    """Spec, usage, origin and materials are one thing; the replicas stand by Region."""
    key = kms.create_key(spec="HMAC_256", multi_region=True)
    west, east = kms.replicate(key, "us-west-2"), kms.replicate(key, "ap-east-1")
    assert key.backing is west.backing is east.backing
    assert [east, west] == list(key.backing.replicas())
    assert ("HMAC_256", "GENERATE_VERIFY_MAC", "AWS_KMS", key.material) == (
        west.spec,
        west.usage,
        west.origin,
        west.material,
    )


def test_a_deleted_replica_is_no_replica(kms: FakeKMS) -> None:
    """It is remembered for what was made with it, until another takes its place."""
    key = kms.create_key(multi_region=True)
    gone = kms.replicate(key, "us-west-2", state="PendingDeletion")
    kms.clock.advance(days=30)
    kms.client.list_keys()
    assert (True, []) == (gone.deleted, list(key.backing.replicas()))
    assert gone is key.backing.members["us-west-2"]
    new = kms.replicate(key, "us-west-2")
    assert (new, [new]) == (key.backing.members["us-west-2"], list(key.backing.replicas()))


def test_one_material_is_current(kms: FakeKMS) -> None:
    """All others are kept in the order in which they came."""
    key = kms.create_key()
    first = key.backing.current
    for _ in range(2):
        rotate(kms, key)
    assert ["NON_CURRENT", "NON_CURRENT", "CURRENT"] == [material.state for material in key.backing.materials]
    assert (first, key.backing.current) == (key.backing.materials[0], key.backing.materials[-1])
    assert 3 == len({material.content for material in key.backing.materials})


def test_a_material_is_found_by_its_id(kms: FakeKMS) -> None:
    """An old one as well as the current one; one of another key is not known."""
    key, other = kms.create_key(), kms.create_key()
    rotate(kms, key)
    for material in key.backing.materials:
        assert key.backing.knows(material.id)
        assert material is key.backing.material(material.id)
    assert not key.backing.knows(other.material_id)


def test_a_material_is_never_shown(kms: FakeKMS) -> None:
    """A failing test may print what it likes."""
    key = kms.create_key(material=FIRST)
    (material,) = key.backing.materials
    assert f"KeyMaterial({material.id.hex()}, CURRENT)" == repr(material)
    assert FIRST == material.content


def test_a_material_that_waits_may_go(kms: FakeKMS) -> None:
    """It leaves nothing behind, and may come again."""
    key = kms.create_key(origin="EXTERNAL", material=FIRST)
    second = bytes.fromhex(kms.import_key_material(key, SECOND))
    assert key.backing.pending is not None
    assert ("PENDING_ROTATION", second) == (key.backing.pending.state, key.backing.pending.id)
    kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=second.hex())
    assert not any(material.id == second for material in key.backing.materials)
    assert not key.backing.knows(second)
    kms.import_key_material(key, SECOND)
    assert key.backing.knows(second)


def test_a_material_waits_for_every_replica(kms: FakeKMS) -> None:
    """Its state follows the replicas as they come, get it, lose it, and go."""
    key = kms.create_key(origin="EXTERNAL", multi_region=True, material=FIRST)
    second = kms.import_key_material(key, SECOND)
    (_, material) = key.backing.materials
    seen = [material.state]
    replica = kms.replicate(key, "us-west-2")
    seen.append(material.state)
    west = kms.client_for(region="us-west-2")
    west.delete_imported_key_material(KeyId=key.id, KeyMaterialId=second)
    seen.append(material.state)
    kms.import_key_material(replica, SECOND)
    seen.append(material.state)
    kms.replicate(key, "eu-west-1", state="PendingImport").state = "PendingDeletion"
    seen.append(material.state)
    kms.clock.advance(days=30)
    kms.client.list_keys()
    seen.append(material.state)
    ready, waiting = "PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert [ready, ready, waiting, ready, waiting, ready] == seen
