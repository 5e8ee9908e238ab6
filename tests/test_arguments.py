"""What a test gives to the fake is held to what AWS could have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_kms import FakeKMS, UsageError

pytestmark = pytest.mark.kms(region="us-east-1")

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def refusal(act: Callable[[], object]) -> str:
    """Return the text with which the fake refuses to arrange something."""
    with pytest.raises(UsageError) as excinfo:
        act()
    return str(excinfo.value)


REFUSED_KEYS: dict[str, tuple[dict[str, Any], str]] = {
    "id in upper case": ({"key_id": ID.upper()}, f"the id of a key is a UUID in lower case, {ID.upper()!r} is not"),
    "id that is none": ({"key_id": "orders"}, "the id of a key is a UUID in lower case, 'orders' is not"),
    "id that is taken": ({"key_id": ID}, f"there is a key {ID} in us-east-1 already"),
    "alias that is taken": ({"alias": "taken"}, "there is an alias alias/taken in us-east-1 already"),
    "alias of AWS": ({"alias": "aws/s3"}, "alias/aws/s3 is reserved; use kms.aws_managed_key('s3')"),
    "material too short": (
        {"material": b"k" * 31},
        "SYMMETRIC_DEFAULT has 32 bytes of material, not 31",
    ),
    "material too long": (
        {"material": b"k" * 33},
        "SYMMETRIC_DEFAULT has 32 bytes of material, not 33",
    ),
    "account too short": ({"account": "1234"}, "an account has 12 digits, '1234' has not"),
    "account of letters": ({"account": "a" * 12}, "an account has 12 digits, 'aaaaaaaaaaaa' has not"),
    "state that is none": (
        {"state": "Gone"},
        "'Gone' is no key state; AWS has Enabled, Disabled, PendingDeletion, PendingReplicaDeletion,"
        " PendingImport, Unavailable, Creating, Updating",
    ),
}


@pytest.mark.parametrize(("arguments", "text"), REFUSED_KEYS.values(), ids=REFUSED_KEYS)
def test_a_key_that_cannot_be_is_refused(kms: FakeKMS, arguments: dict[str, Any], text: str) -> None:
    """The refusal says what is wrong, and nothing is left of the attempt."""
    kms.create_key("taken", key_id=ID)
    assert f"pytest-kms: {text}" == refusal(lambda: kms.create_key(**arguments))
    assert [ID] == [entry["KeyId"] for entry in kms.client.list_keys()["Keys"]]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"alias": ""}, id="alias of no letters"),
        pytest.param({"alias": "my orders"}, id="alias with a space"),
        pytest.param({"alias": "x" * 251}, id="alias of 257 characters"),
        pytest.param({"account": "\u0661" * 12}, id="account of Arabic digits"),
        pytest.param({"description": "x" * 8193}, id="description of 8193 characters"),
    ],
)
def test_what_aws_could_not_have_is_refused(kms: FakeKMS, arguments: dict[str, Any]) -> None:
    """Arranging holds arguments to AWS's own limits."""
    with pytest.raises(UsageError, match="^pytest-kms: "):
        kms.create_key(**arguments)


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "12345678901x"])
def test_a_fake_has_an_account_of_12_digits(account: str) -> None:
    """The account of the default principal is checked when the fake is made."""
    assert f"pytest-kms: an account has 12 digits, {account!r} has not" == refusal(lambda: FakeKMS(account=account))


REFUSED_REPLICAS: dict[str, tuple[dict[str, Any], str]] = {
    "Region that is taken": ({"region": "eu-west-1"}, "alias/orders is in eu-west-1 already"),
    "Region of its own": ({"region": "us-east-1"}, "alias/orders is in us-east-1 already"),
    "alias that is taken": (
        {"region": "us-west-2", "alias": "taken"},
        "there is an alias alias/taken in us-west-2 already",
    ),
    "single-Region key": (
        {"key": "alias/single", "region": "us-west-2"},
        "alias/single is a single-Region key: only what is made with multi_region=True has replicas",
    ),
    "unknown key": (
        {"key": "alias/nothing", "region": "us-west-2"},
        "no key is called 'alias/nothing'. Known keys: {known}.",
    ),
    "state that is none": (
        {"region": "us-west-2", "state": "Gone"},
        "'Gone' is no key state; AWS has Enabled, Disabled, PendingDeletion, PendingReplicaDeletion,"
        " PendingImport, Unavailable, Creating, Updating",
    ),
}


@pytest.mark.parametrize(("arguments", "text"), REFUSED_REPLICAS.values(), ids=REFUSED_REPLICAS)
def test_a_replica_that_cannot_be_is_refused(kms: FakeKMS, arguments: dict[str, Any], text: str) -> None:
    """The refusal says what is wrong, and nothing is left of the attempt."""
    key = kms.create_key("orders", multi_region=True)
    other = kms.replicate(key, "eu-west-1")
    kms.create_key("single")
    kms.create_key("taken", region="us-west-2")
    known = f"alias/orders (us-east-1), alias/single (us-east-1), alias/taken (us-west-2), {other.id} (eu-west-1)"
    expected = f"pytest-kms: {text.format(known=known)}"
    assert expected == refusal(lambda: kms.replicate(**{"key": "alias/orders", **arguments}))
    west = kms.client_for(region="us-west-2")
    assert 1 == len(west.list_keys()["Keys"])
