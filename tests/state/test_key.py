"""A key as a test holds it in its hand."""

from __future__ import annotations

import base64
import copy
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from answers import STATES, error_of

from pytest_kms import FakeKMS, Key, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def test_a_key_shows_what_it_is(kms: FakeKMS) -> None:
    """Each attribute has AWS's value."""
    key = kms.create_key("orders", key_id=ID, description="of orders", tags={"team": "shop"})
    assert {
        "id": ID,
        "arn": f"arn:aws:kms:us-east-1:123456789012:key/{ID}",
        "alias": "alias/orders",
        "aliases": ["alias/orders"],
        "label": "alias/orders",
        "region": "us-east-1",
        "account": "123456789012",
        "manager": "CUSTOMER",
        "spec": "SYMMETRIC_DEFAULT",
        "usage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "description": "of orders",
        "tags": {"team": "shop"},
        "created": kms.clock.now,
        "enabled": True,
        "state": "Enabled",
        "deletion_date": None,
    } == {
        name: getattr(key, name)
        for name in (
            "id", "arn", "alias", "aliases", "label", "region", "account", "manager", "spec", "usage", "origin",
            "description", "tags", "created", "enabled", "state", "deletion_date",
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "manager"),
    [
        pytest.param(lambda kms: kms.create_key(), "CUSTOMER", id="customer managed"),
        pytest.param(lambda kms: kms.aws_managed_key("s3"), "AWS", id="AWS managed"),
        pytest.param(lambda kms: kms.aws_owned_key("s3"), "AWS_OWNED", id="AWS owned"),
    ],
)
def test_a_key_says_who_manages_it(kms: FakeKMS, make: Callable[[FakeKMS], Key], manager: str) -> None:
    """AWS's word for the two kinds that calls can see, and one for the third."""
    assert manager == make(kms).manager


def test_a_key_without_alias_has_none(kms: FakeKMS) -> None:
    """People call it by its id."""
    key = kms.create_key()
    assert (None, [], key.id) == (key.alias, key.aliases, key.label)


def test_the_names_of_a_key_are_live(kms: FakeKMS) -> None:
    """Calls that make, move and delete aliases are seen in the key; the oldest name comes first."""
    key, other = kms.create_key("orders"), kms.create_key()
    client = kms.client
    client.create_alias(AliasName="alias/a", TargetKeyId=key.id)
    assert ("alias/orders", ["alias/orders", "alias/a"]) == (key.alias, key.aliases)
    client.update_alias(AliasName="alias/orders", TargetKeyId=other.id)
    assert ("alias/a", "alias/orders") == (key.alias, other.alias)
    client.delete_alias(AliasName="alias/a")
    assert (None, []) == (key.alias, key.aliases)


def test_the_state_of_a_key_is_live(kms: FakeKMS) -> None:
    """Calls that change it are seen in the key."""
    key = kms.create_key()
    client = kms.client
    client.disable_key(KeyId=key.id)
    assert ("Disabled", False) == (key.state, key.enabled)
    client.enable_key(KeyId=key.id)
    assert ("Enabled", True) == (key.state, key.enabled)
    date = client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)["DeletionDate"]
    assert ("PendingDeletion", False) == (key.state, key.enabled)
    assert date == key.deletion_date
    client.cancel_key_deletion(KeyId=key.id)
    assert "Disabled" == key.state
    assert "DeletionDate" not in client.describe_key(KeyId=key.id)["KeyMetadata"]
    client.update_key_description(KeyId=key.id, Description="of orders")
    assert "of orders" == key.description


@pytest.mark.parametrize("state", STATES)
def test_a_test_sets_the_state(kms: FakeKMS, state: str) -> None:
    """Any of AWS's, and DescribeKey tells it."""
    key = kms.create_key()
    key.state = state
    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert (state, state == "Enabled") == (key.state, key.enabled)
    assert (state, state == "Enabled") == (metadata["KeyState"], metadata["Enabled"])


def test_setting_the_state_is_no_call(kms: FakeKMS) -> None:
    """Nothing is recorded."""
    kms.create_key().state = "Disabled"
    assert [] == list(kms.trail)


def test_a_key_that_is_pending_deletion_has_a_date(kms: FakeKMS) -> None:
    """In 30 days, AWS's default; in any other state there is none."""
    kms.clock.freeze()
    key = kms.create_key(state="PendingDeletion")
    assert kms.clock.now + dt.timedelta(days=30) == key.deletion_date
    assert key.deletion_date == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["DeletionDate"]
    key.state = "Enabled"
    assert key.deletion_date is None
    assert "DeletionDate" not in kms.client.describe_key(KeyId=key.id)["KeyMetadata"]


@pytest.mark.parametrize("state", ["enabled", "ENABLED", "Gone", ""])
def test_a_state_that_aws_has_not_is_refused(kms: FakeKMS, state: str) -> None:
    """The refusal names those that there are, and the key stays as it is."""
    key = kms.create_key(state="Disabled")
    with pytest.raises(UsageError) as excinfo:
        key.state = state
    assert (
        f"pytest-kms: {state!r} is no key state; AWS has Enabled, Disabled, PendingDeletion,"
        " PendingReplicaDeletion, PendingImport, Unavailable, Creating, Updating"
    ) == str(excinfo.value)
    assert "Disabled" == key.state


@pytest.mark.parametrize("given", [None, b"correct horse battery staple 123"], ids=["random", "given"])
def test_no_material_is_shown(kms: FakeKMS, given: bytes | None) -> None:
    """`repr` and `str` tell a key without what it must keep."""
    key = kms.create_key("orders", material=given)
    kms.encrypt(key, b"x")  # the material comes into being
    told = f"{key!r} {key} {[key]}"
    for form in (repr(key.material)[2:-1], key.material.hex(), base64.b64encode(key.material).decode()):
        assert form not in told


def test_a_key_is_told_by_what_matters(kms: FakeKMS) -> None:
    """Its names, its kind and its state stand in `repr`, by the names that a test reads them by."""
    key = kms.create_key("orders", key_id=ID)
    assert (
        f"Key(id='{ID}', manager='CUSTOMER', usage='ENCRYPT_DECRYPT', aliases=['alias/orders'],"
        " region='us-east-1', account='123456789012',"
        f" arn='arn:aws:kms:us-east-1:123456789012:key/{ID}', state='Enabled')"
    ) == repr(key)


def test_a_key_is_itself_alone(kms: FakeKMS) -> None:
    """Two keys are never equal, and a key may stand in a set."""
    key = kms.create_key()
    assert key != kms.create_key()
    assert 2 == len({key, key, kms.create_key()})


def test_material_is_the_same_each_time(kms: FakeKMS) -> None:
    """32 bytes, made once, each key's own."""
    key, other = kms.create_key(), kms.create_key()
    assert key.material == copy.copy(key.material)
    assert (32, 32) == (len(key.material), len(other.material))
    assert key.material != other.material


@pytest.mark.parametrize("arguments", [(), ("-vv",), ("--showlocals",)], ids=["plain", "-vv", "--showlocals"])
def test_a_failing_comparison_shows_no_material(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """pytest tells in which attributes two keys differ; material is none of them."""
    pytester.makepyfile(
        """
        def test_it(kms):
            key = kms.create_key("orders", material=b"correct horse battery staple 123")
            other = kms.create_key("archive", material=b"another horse battery staple 123")
            assert key == other
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(failed=1)
    told = [line for line in result.outlines if "create_key(" not in line]
    assert [] == [line for line in told if "'_material'" in line or "horse" in line]


@pytest.mark.parametrize("name", ["alias", "enabled", "label", "material", "spec", "status"])
def test_what_follows_from_something_else_is_not_set(kms: FakeKMS, name: str) -> None:
    """Nor is an attribute that keys do not have: the state is what a test sets."""
    with pytest.raises(AttributeError):
        setattr(kms.create_key(), name, "other")


def test_the_state_of_an_aws_managed_key_is_set_as_well(kms: FakeKMS) -> None:
    """No customer could disable it; a test may."""
    kms.aws_managed_key("s3").state = "Disabled"
    assert "Disabled" == kms.client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyState"]


# from one state to another, as AWS does it


OWN = b"correct horse battery staple 123"
ALSO_OWN = b"another horse battery staple 123"
ELSEWHERE = "eu-west-1"


def imported(kms: FakeKMS, material: bytes | None = OWN, **arguments: Any) -> Key:
    """Make a key of origin EXTERNAL, by default with material."""
    return kms.create_key(origin="EXTERNAL", material=material, **arguments)


def import_by_call(kms: FakeKMS, key: Key, material: bytes) -> None:
    """Import key material by calls."""
    parameters = kms.client.get_parameters_for_import(
        KeyId=key.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    kms.client.import_key_material(
        KeyId=key.id,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=kms.wrap_key_material(parameters, material),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )


def shown(kms: FakeKMS, key: Key) -> Any:
    """Return what DescribeKey shows, which has the state that the test sees."""
    metadata = kms.client_for(region=key.region).describe_key(KeyId=key.id)["KeyMetadata"]
    assert key.state == metadata["KeyState"]
    assert (key.state == "Enabled") == metadata["Enabled"]
    return metadata


@pytest.mark.parametrize("origin", ["AWS_KMS", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
def test_a_new_key_is_enabled(kms: FakeKMS, origin: str) -> None:
    """By CreateKey, wherever its material is, but for imported material."""
    members: dict[str, Any] = {"Origin": origin}
    if origin != "AWS_KMS":
        members["CustomKeyStoreId"] = kms.key_store(origin).id
    if origin == "EXTERNAL_KEY_STORE":
        members["XksKeyId"] = "key-1"
    assert "Enabled" == kms.client.create_key(**members)["KeyMetadata"]["KeyState"]


def test_a_new_key_for_imported_material_is_pending_import(kms: FakeKMS) -> None:
    """By CreateKey with the origin EXTERNAL."""
    assert "PendingImport" == kms.client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyState"]


def use_by_call(kms: FakeKMS, key: Key) -> object:
    """Encrypt by a call, in a state that the test alone has brought about."""
    key.state = "Enabled"
    return kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


@pytest.mark.parametrize(
    "use",
    [lambda kms, key: kms.encrypt(key, b"x"), lambda _, key: key.public_key, use_by_call],
    ids=["encrypt", "public_key", "call"],
)
def test_a_key_without_material_is_of_no_use(kms: FakeKMS, use: Callable[[FakeKMS, Key], object]) -> None:
    """The test is told what it lacks, whatever state it has put the key in."""
    key = kms.create_key("orders", spec="RSA_2048", origin="EXTERNAL")
    with pytest.raises(UsageError) as excinfo:
        use(kms, key)
    assert ("pytest-kms: alias/orders has no key material yet: import some, or give create_key material=") == str(
        excinfo.value
    )


def test_a_new_replica_is_creating_and_then_enabled(kms: FakeKMS) -> None:
    """By ReplicateKey, and by itself within seconds."""
    key = kms.create_key(multi_region=True)
    answer = kms.client.replicate_key(KeyId=key.id, ReplicaRegion=ELSEWHERE)
    replica = key.backing.members[ELSEWHERE]
    assert "Creating" == answer["ReplicaKeyMetadata"]["KeyState"] == shown(kms, replica)["KeyState"]
    kms.clock.advance(seconds=5)
    assert "Enabled" == shown(kms, replica)["KeyState"]


def test_a_new_replica_for_imported_material_is_creating_and_then_pending_import(kms: FakeKMS) -> None:
    """Material has to be imported into each key of a family."""
    key = imported(kms, multi_region=True)
    kms.client.replicate_key(KeyId=key.id, ReplicaRegion=ELSEWHERE)
    replica = key.backing.members[ELSEWHERE]
    assert "Creating" == shown(kms, replica)["KeyState"]
    kms.clock.advance(seconds=5)
    assert "PendingImport" == shown(kms, replica)["KeyState"]


@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
def test_a_key_is_disabled(kms: FakeKMS, before: str) -> None:
    """By DisableKey."""
    key = kms.create_key(state=before)
    kms.client.disable_key(KeyId=key.id)
    assert "Disabled" == shown(kms, key)["KeyState"]


@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
def test_a_key_is_enabled(kms: FakeKMS, before: str) -> None:
    """By EnableKey."""
    key = kms.create_key(state=before)
    kms.client.enable_key(KeyId=key.id)
    assert "Enabled" == shown(kms, key)["KeyState"]


def test_a_key_is_enabled_by_an_import(kms: FakeKMS) -> None:
    """By ImportKeyMaterial into a disabled one."""
    key = imported(kms, state="Disabled")
    import_by_call(kms, key, OWN)
    assert "Enabled" == shown(kms, key)["KeyState"]


@pytest.mark.parametrize("before", ["Enabled", "Disabled", "PendingImport", "Unavailable", "Creating"])
def test_a_key_begins_to_wait_for_its_deletion(kms: FakeKMS, before: str) -> None:
    """By ScheduleKeyDeletion; its date is told."""
    kms.clock.freeze()
    key = kms.create_key(state=before)
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    metadata = shown(kms, key)
    assert ("PendingDeletion", kms.clock.now + dt.timedelta(days=7)) == (metadata["KeyState"], metadata["DeletionDate"])
    assert "PendingDeletionWindowInDays" not in metadata


@pytest.mark.parametrize("before", ["Enabled", "Disabled", "PendingImport"])
def test_a_primary_begins_to_wait_for_the_deletion_of_its_replicas(kms: FakeKMS, before: str) -> None:
    """By ScheduleKeyDeletion; of replicas that wait for their own as well. There is no date, but the window."""
    key = imported(kms, multi_region=True)
    kms.replicate(key, ELSEWHERE, state="PendingDeletion")
    key.state = before
    answer = kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    metadata = shown(kms, key)
    assert "PendingReplicaDeletion" == answer["KeyState"] == metadata["KeyState"]
    assert ("DeletionDate" in answer, "DeletionDate" in metadata) == (False, False)
    assert 7 == metadata["PendingDeletionWindowInDays"]


def test_a_primary_waits_for_its_own_deletion_when_its_last_replica_is_gone(kms: FakeKMS) -> None:
    """Only then its waiting period begins."""
    kms.clock.freeze()
    key = kms.create_key(multi_region=True)
    kms.replicate(key, ELSEWHERE)
    kms.replicate(key, "ap-east-1")
    for region, days in ((ELSEWHERE, 7), ("ap-east-1", 10), ("us-east-1", 9)):
        kms.client_for(region=region).schedule_key_deletion(KeyId=key.id, PendingWindowInDays=days)
    kms.clock.advance(days=7)
    assert "PendingReplicaDeletion" == shown(kms, key)["KeyState"]
    kms.clock.advance(days=3)
    metadata = shown(kms, key)
    assert ("PendingDeletion", kms.clock.now + dt.timedelta(days=9)) == (metadata["KeyState"], metadata["DeletionDate"])


@pytest.mark.parametrize("before", ["PendingDeletion", "PendingReplicaDeletion"])
def test_a_key_waits_no_more(kms: FakeKMS, before: str) -> None:
    """By CancelKeyDeletion, which leaves it disabled; neither date nor window is left."""
    key = kms.create_key(state=before)
    kms.client.cancel_key_deletion(KeyId=key.id)
    metadata = shown(kms, key)
    assert "Disabled" == metadata["KeyState"]
    assert not {"DeletionDate", "PendingDeletionWindowInDays"} & set(metadata)


def test_a_key_without_its_material_waits_no_more(kms: FakeKMS) -> None:
    """By CancelKeyDeletion, which leaves it PendingImport."""
    key = imported(kms, material=None)
    kms.client.schedule_key_deletion(KeyId=key.id)
    kms.client.cancel_key_deletion(KeyId=key.id)
    assert "PendingImport" == shown(kms, key)["KeyState"]


def test_a_key_is_gone_when_it_has_waited(kms: FakeKMS) -> None:
    """At the end of its waiting period."""
    key = kms.create_key()
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    error = {"Code": "NotFoundException", "Message": f"Key '{key.arn}' does not exist"}
    assert error == error_of(kms.client, "describe_key", KeyId=key.id)
    assert key.deleted


def test_a_key_is_enabled_by_its_first_import(kms: FakeKMS) -> None:
    """By ImportKeyMaterial into one that is PendingImport."""
    key = imported(kms, material=None)
    import_by_call(kms, key, OWN)
    assert "Enabled" == shown(kms, key)["KeyState"]


def test_a_key_is_enabled_when_all_of_its_materials_are_back(kms: FakeKMS) -> None:
    """Every material that ever was current is needed."""
    key = imported(kms)
    kms.import_key_material(key, ALSO_OWN)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(minutes=2)
    for material in [material.id.hex() for material in key.backing.materials]:
        kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=material)
    seen = [shown(kms, key)["KeyState"]]
    for own in (OWN, ALSO_OWN):
        import_by_call(kms, key, own)
        seen.append(shown(kms, key)["KeyState"])
    assert ["PendingImport", "PendingImport", "Enabled"] == seen


@pytest.mark.parametrize("which", ["CURRENT", "NON_CURRENT", "PENDING_ROTATION"])
@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
def test_a_key_loses_material(kms: FakeKMS, before: str, which: str) -> None:
    """By DeleteImportedKeyMaterial of any that ever was current; one that waits for its rotation is not missed."""
    key = imported(kms)
    kms.import_key_material(key, ALSO_OWN)
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(minutes=2)
    kms.import_key_material(key, b"a third horse battery staple 123")
    key.state = before
    material = next(material.id.hex() for material in key.backing.materials if material.state == which)
    kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=material)
    assert (before if which == "PENDING_ROTATION" else "PendingImport") == shown(kms, key)["KeyState"]


@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
def test_the_material_of_a_key_expires(kms: FakeKMS, before: str) -> None:
    """By itself, when it is no longer valid."""
    key = imported(kms, material=None)
    kms.import_key_material(key, OWN, valid_to=kms.clock.now + dt.timedelta(days=1))
    key.state = before
    kms.clock.advance(hours=23)
    assert before == shown(kms, key)["KeyState"]
    kms.clock.advance(hours=1)
    assert "PendingImport" == shown(kms, key)["KeyState"]


def test_a_key_rotates_to_material_that_has_expired(kms: FakeKMS) -> None:
    """By RotateKeyOnDemand, which takes what waits: the key is PendingImport when the rotation is done."""
    key = imported(kms)
    kms.import_key_material(key, ALSO_OWN, valid_to=kms.clock.now + dt.timedelta(minutes=5))
    kms.clock.advance(minutes=6)
    assert "Enabled" == shown(kms, key)["KeyState"]
    kms.client.rotate_key_on_demand(KeyId=key.id)
    assert "Enabled" == shown(kms, key)["KeyState"]
    kms.clock.advance(minutes=2)
    assert "PendingImport" == shown(kms, key)["KeyState"]


@pytest.mark.parametrize("how", ["deletion", "expiry"])
def test_a_key_that_waits_for_its_deletion_may_lose_its_material(kms: FakeKMS, how: str) -> None:
    """It goes on waiting, and is PendingImport once that is cancelled."""
    key = imported(kms, material=None)
    kms.import_key_material(key, OWN, valid_to=kms.clock.now + dt.timedelta(days=1))
    kms.client.schedule_key_deletion(KeyId=key.id)
    if how == "deletion":
        kms.client.delete_imported_key_material(KeyId=key.id)
    else:
        kms.clock.advance(days=1)
    assert "PendingDeletion" == shown(kms, key)["KeyState"]
    kms.client.cancel_key_deletion(KeyId=key.id)
    assert "PendingImport" == shown(kms, key)["KeyState"]


def test_two_keys_are_updating_and_then_enabled(kms: FakeKMS) -> None:
    """By UpdatePrimaryRegion, which shows the new roles at once; the states pass by themselves."""
    key = kms.create_key(multi_region=True)
    replica = kms.replicate(key, ELSEWHERE)
    kms.client.update_primary_region(KeyId=key.id, PrimaryRegion=ELSEWHERE)
    for member, role in ((key, "REPLICA"), (replica, "PRIMARY")):
        metadata = shown(kms, member)
        assert ("Updating", role) == (
            metadata["KeyState"],
            metadata["MultiRegionConfiguration"]["MultiRegionKeyType"],
        )
    kms.clock.advance(seconds=5)
    assert ["Enabled", "Enabled"] == [shown(kms, member)["KeyState"] for member in (key, replica)]


@pytest.mark.parametrize("before", ["Enabled", "Disabled"])
def test_a_key_is_unavailable_while_its_key_store_is_away(kms: FakeKMS, before: str) -> None:
    """By DisconnectCustomKeyStore; by ConnectCustomKeyStore it is what it was before."""
    store = kms.key_store()
    key = kms.create_key(key_store=store, state=before)
    kms.client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    assert "Unavailable" == shown(kms, key)["KeyState"]
    kms.clock.advance(minutes=1)
    assert "Unavailable" == shown(kms, key)["KeyState"]
    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    assert "Unavailable" == shown(kms, key)["KeyState"]
    kms.clock.advance(minutes=5)
    assert before == shown(kms, key)["KeyState"]


@pytest.mark.parametrize(("method", "after"), [("enable_key", "Enabled"), ("disable_key", "Disabled")])
def test_a_key_that_is_unavailable_stays_so(kms: FakeKMS, method: str, after: str) -> None:
    """EnableKey and DisableKey say what it is to be when its key store is back."""
    store = kms.key_store(connected=False)
    key = kms.create_key(key_store=store)
    getattr(kms.client, method)(KeyId=key.id)
    assert "Unavailable" == shown(kms, key)["KeyState"]
    store.connect()
    assert after == shown(kms, key)["KeyState"]


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_a_test_brings_a_key_from_any_state_to_any_other(kms: FakeKMS, before: str, after: str) -> None:
    """`create_key(state=...)` and `key.state = ...` ask nothing of what lies between."""
    key = kms.create_key(state=before)
    key.state = after
    assert after == shown(kms, key)["KeyState"]
    kms.clock.advance(days=1)
    assert after == shown(kms, key)["KeyState"]
