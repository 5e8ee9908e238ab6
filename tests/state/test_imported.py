"""Imported material, as the state of the fake has it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest

from pytest_kms import FakeKMS, Key, fake_kms
from pytest_kms.crypto.specs import SPECS
from pytest_kms.state.imported import DOES_NOT_EXPIRE, EXPIRES, Imported, ImportParameters, imported_material_id

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

FIRST = bytes(range(32))
SECOND = bytes(range(100, 132))
DAY = dt.timedelta(days=1)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a key that waits for its first material."""
    return kms.create_key(origin="EXTERNAL")


def only(key: Key) -> Imported:
    """Return the record of the one material of a key."""
    [imported] = key.imported.values()
    return imported


def test_an_id_tells_key_and_material() -> None:
    """The same for the same material in the same key alone."""
    assert hashlib.sha256(b"key" + FIRST).digest() == imported_material_id("key", FIRST)
    assert 3 == len({imported_material_id(*of) for of in (("key", FIRST), ("key", SECOND), ("other", FIRST))})


def test_import_parameters_keep_their_secret(kms: FakeKMS, key: Key) -> None:
    """Neither wrapping key nor token are shown; a failing test shows no more than that there are some."""
    parameters = ImportParameters(key, "RSAES_OAEP_SHA_256", SPECS["RSA_2048"])
    assert object.__repr__(parameters) == repr(parameters)
    assert kms.clock.now + DAY == parameters.valid_to


def test_a_key_is_without_material_until_some_comes(kms: FakeKMS, key: Key) -> None:
    """Then it knows how long it has it."""
    assert (True, (None, None)) == (key.lacks_material, key.expiration)
    kms.import_key_material(key, FIRST)
    assert (False, (DOES_NOT_EXPIRE, None)) == (key.lacks_material, key.expiration)
    assert Imported(DOES_NOT_EXPIRE) == only(key)


def test_expired_material_is_remembered_as_imported(kms: FakeKMS, key: Key) -> None:
    """But the key is without it."""
    kms.clock.freeze()
    valid_to = (kms.clock.now + DAY).replace(microsecond=0)
    kms.import_key_material(key, FIRST, valid_to=valid_to)
    assert (False, (EXPIRES, valid_to)) == (key.lacks_material, key.expiration)
    kms.clock.advance(days=1)
    kms.world.settle()
    assert (True, (None, None), "PendingImport") == (key.lacks_material, key.expiration, key.state)
    assert Imported(EXPIRES, valid_to, expired=True) == only(key)


def test_the_last_import_says_when_material_expires(kms: FakeKMS, key: Key) -> None:
    """Also where it says the same once more: there is one event."""
    for _ in range(2):
        kms.import_key_material(key, FIRST, valid_to=kms.clock.now + DAY)
    kms.clock.advance(days=2)
    kms.world.settle()
    assert 1 == len(kms.trail.filter("DeleteExpiredKeyMaterial"))


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion", "Creating", "Updating", "Unavailable"])
def test_an_import_does_not_disturb(kms: FakeKMS, key: Key, state: str) -> None:
    """A key that something is being done to stays in its state."""
    key.state = state
    kms.import_key_material(key, FIRST)
    assert (state, False) == (key.state, key.lacks_material)


def test_a_disabled_key_with_pending_material_stays_what_it_is_made(kms: FakeKMS) -> None:
    """create_key arranges the state after the material."""
    key = kms.create_key(origin="EXTERNAL", material=FIRST, state="Disabled")
    assert ("Disabled", False) == (key.state, key.lacks_material)


def test_material_that_waits_is_not_lacked(kms: FakeKMS, key: Key) -> None:
    """Neither while it is there, nor when it has gone; nor does its date count."""
    kms.import_key_material(key, FIRST)
    pending = kms.import_key_material(key, SECOND, valid_to=kms.clock.now + DAY)
    assert (DOES_NOT_EXPIRE, None) == key.expiration
    kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=pending)
    assert (False, "Enabled") == (key.lacks_material, key.state)
    assert not key.backing.knows(bytes.fromhex(pending))


def test_what_is_imported_is_of_one_fake() -> None:
    """A token of another fake is none."""

    def members(kms: FakeKMS, key: Key) -> Any:
        parameters = kms.client.get_parameters_for_import(
            KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        wrapped = kms.wrap_key_material(parameters, FIRST)
        return {"KeyId": key.id, "ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": wrapped}

    with fake_kms() as kms:
        key = kms.create_key(origin="EXTERNAL")
        stray = members(kms, key)
    with fake_kms() as kms:
        kms.create_key(origin="EXTERNAL", key_id=key.id)
        with pytest.raises(kms.client.exceptions.InvalidImportTokenException):
            kms.client.import_key_material(**stray, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
