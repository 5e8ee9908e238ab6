"""A key as a test holds it in its hand."""

from __future__ import annotations

import base64
import copy
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from pytest_kms import FakeKMS, Key, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
STATES = (
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)


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
