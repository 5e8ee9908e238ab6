"""Lists come in pages: as many entries as asked for, in one order, none lost and none twice."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1")

INVALID_MARKER = {"Code": "InvalidMarkerException", "Message": ""}


class Lister(NamedTuple):
    """An operation that lists: boto3's name of it, where its entries stand, what names one, its page sizes."""

    method: str
    entries: str
    name: str
    default: int
    most: int

    def page(self, kms: FakeKMS, **members: Any) -> dict[str, Any]:
        """Return one page, without what botocore adds."""
        answer: dict[str, Any] = getattr(kms.client, self.method)(**members)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def names(self, page: dict[str, Any]) -> list[str]:
        """Return the names on a page."""
        return [entry[self.name] for entry in page[self.entries]]


KEYS = Lister("list_keys", "Keys", "KeyId", 100, 1000)
ALIASES = Lister("list_aliases", "Aliases", "AliasName", 50, 100)
both = pytest.mark.parametrize("lister", [KEYS, ALIASES], ids=["ListKeys", "ListAliases"])


def fill(kms: FakeKMS, lister: Lister, count: int) -> list[str]:
    """Make so many entries in all, the predefined aliases included; return their names in order."""
    predefined = [entry["AliasName"] for entry in kms.client.list_aliases(Limit=100)["Aliases"]]
    if lister is KEYS:
        return sorted(kms.create_key().id for _ in range(count))
    own = [f"alias/{number:04}" for number in range(count - len(predefined))]
    for name in own:
        kms.create_key(name)
    return sorted(own + predefined)


def error_of(client: KMSClient, method: str, **members: Any) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**members)
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


# Page sizes


@both
def test_a_page_has_a_size_by_default(kms: FakeKMS, lister: Lister) -> None:
    """One entry more than that makes a second page."""
    names = fill(kms, lister, lister.default + 1)
    first = lister.page(kms)
    assert {lister.entries, "NextMarker", "Truncated"} == set(first)
    assert (names[:-1], True) == (lister.names(first), first["Truncated"])
    second = lister.page(kms, Marker=first["NextMarker"])
    assert {lister.entries, "Truncated"} == set(second)
    assert (names[-1:], False) == (lister.names(second), second["Truncated"])


@both
def test_a_page_that_is_just_full_is_the_last(kms: FakeKMS, lister: Lister) -> None:
    """It has no marker: there is nothing behind it."""
    names = fill(kms, lister, lister.default)
    page = lister.page(kms)
    assert {lister.entries, "Truncated"} == set(page)
    assert (names, False) == (lister.names(page), page["Truncated"])


@both
def test_a_page_has_a_greatest_size(kms: FakeKMS, lister: Lister) -> None:
    """The greatest limit is taken, and one entry more makes a second page."""
    names = fill(kms, lister, lister.most + 1)
    first = lister.page(kms, Limit=lister.most)
    assert (names[:-1], True) == (lister.names(first), first["Truncated"])


@both
@pytest.mark.parametrize("limit", [1, 7, 20, 49])
def test_pages_of_any_size_show_everything_once(kms: FakeKMS, lister: Lister, limit: int) -> None:
    """Each page but the last is full."""
    names = fill(kms, lister, 60)
    pages = [lister.page(kms, Limit=limit)]
    while pages[-1]["Truncated"]:
        pages.append(lister.page(kms, Limit=limit, Marker=pages[-1]["NextMarker"]))
    assert [names[start : start + limit] for start in range(0, 60, limit)] == [lister.names(page) for page in pages]


@both
def test_the_limit_may_change_from_page_to_page(kms: FakeKMS, lister: Lister) -> None:
    """A marker is a place, not a page number."""
    names = fill(kms, lister, 40)
    first = lister.page(kms, Limit=3)
    second = lister.page(kms, Limit=5, Marker=first["NextMarker"])
    assert names[3:8] == lister.names(second)


@both
def test_a_marker_may_be_used_again(kms: FakeKMS, lister: Lister) -> None:
    """The same marker gives the same page."""
    names = fill(kms, lister, 40)
    marker = lister.page(kms, Limit=3)["NextMarker"]
    for _ in range(2):
        assert names[3:6] == lister.names(lister.page(kms, Limit=3, Marker=marker))


def test_the_aliases_of_one_key_come_in_pages(kms: FakeKMS) -> None:
    """Other aliases do not take up room on them."""
    kms.quotas.off()
    key = kms.create_key("c")
    kms.create_key("b")
    for name in ("alias/a", "alias/d", "alias/e"):
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    first = ALIASES.page(kms, KeyId=key.id, Limit=3)
    assert (["alias/a", "alias/c", "alias/d"], True) == (ALIASES.names(first), first["Truncated"])
    second = ALIASES.page(kms, KeyId=key.id, Limit=3, Marker=first["NextMarker"])
    assert (["alias/e"], False) == (ALIASES.names(second), second["Truncated"])


@pytest.mark.parametrize(
    ("lister", "limit", "constraint"),
    [
        pytest.param(KEYS, 0, "greater than or equal to 1", id="ListKeys 0"),
        pytest.param(KEYS, 1001, "less than or equal to 1000", id="ListKeys 1001"),
        pytest.param(ALIASES, 0, "greater than or equal to 1", id="ListAliases 0"),
        pytest.param(ALIASES, 1001, "less than or equal to 1000", id="ListAliases 1001, which the model refuses"),
        # AWS's own words for what the model allows and its documentation does not were never seen.
        pytest.param(ALIASES, 101, "less than or equal to 100", id="ListAliases 101"),
    ],
)
def test_a_limit_that_is_out_of_range(kms: FakeKMS, lister: Lister, limit: int, constraint: str) -> None:
    """The message shows the number and the nearest that is allowed."""
    client = kms.client_for(config=Config(parameter_validation=False))
    assert {
        "Code": "ValidationException",
        "Message": f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint:"
        f" Member must have value {constraint}",
    } == error_of(client, lister.method, Limit=limit)


# boto3's paginators


@pytest.mark.parametrize("size", [None, 1, 13, 100])
def test_a_paginator_of_list_keys_finds_every_key(kms: FakeKMS, size: int | None) -> None:
    """Whatever the size of its pages."""
    names = fill(kms, KEYS, 120)
    pages = kms.client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": size} if size else {})
    assert names == [entry["KeyId"] for page in pages for entry in page["Keys"]]
    assert -(-120 // (size or 100)) == sum(event.operation == "ListKeys" for event in kms.trail)


@pytest.mark.parametrize("size", [None, 1, 13, 100])
def test_a_paginator_of_list_aliases_finds_every_alias(kms: FakeKMS, size: int | None) -> None:
    """Whatever the size of its pages."""
    names = fill(kms, ALIASES, 120)
    pages = kms.client.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": size} if size else {})
    assert names == [entry["AliasName"] for page in pages for entry in page["Aliases"]]


def test_a_paginator_stops_and_goes_on(kms: FakeKMS) -> None:
    """With MaxItems it gives a token, from which another one starts."""
    names = fill(kms, KEYS, 20)
    paginator = kms.client.get_paginator("list_keys")
    first = paginator.paginate(PaginationConfig={"MaxItems": 7, "PageSize": 5}).build_full_result()
    assert names[:7] == [entry["KeyId"] for entry in first["Keys"]]
    token = first["NextToken"]
    second = paginator.paginate(PaginationConfig={"StartingToken": token}).build_full_result()
    assert names[7:] == [entry["KeyId"] for entry in second["Keys"]]


def test_a_paginator_of_nothing_has_one_empty_page(kms: FakeKMS) -> None:
    """An account without keys is no error."""
    pages = list(kms.client.get_paginator("list_keys").paginate())
    assert [[]] == [page["Keys"] for page in pages]


# Markers


def as_marker(content: object) -> str:
    """Write a marker as others might."""
    return base64.b64encode(json.dumps(content).encode()).decode()


@both
@pytest.mark.parametrize(
    "marker",
    [
        pytest.param("x", id="a letter"),
        pytest.param("00000000-0000-4000-8000-000000000000", id="a key id"),
        pytest.param("alias/orders", id="an alias"),
        pytest.param("AAAA", id="base64 of nothing"),
        pytest.param("ÿ" * 1024, id="longest"),
        pytest.param(as_marker([]), id="base64 of a list"),
        pytest.param(as_marker({}), id="base64 of an object"),
        pytest.param(as_marker("alias/orders"), id="base64 of an alias"),
        pytest.param(as_marker(7), id="base64 of a number"),
        pytest.param(as_marker(None), id="base64 of null"),
    ],
)
def test_a_marker_that_nobody_gave(kms: FakeKMS, lister: Lister, marker: str) -> None:
    """The error has no words."""
    fill(kms, lister, 40)
    assert INVALID_MARKER == error_of(kms.client, lister.method, Marker=marker)


@both
def test_a_marker_of_another_operation(kms: FakeKMS, lister: Lister) -> None:
    """The marker of one list is none of the other."""
    other = ALIASES if lister is KEYS else KEYS
    fill(kms, other, 40)
    marker = other.page(kms, Limit=3)["NextMarker"]
    assert INVALID_MARKER == error_of(kms.client, lister.method, Marker=marker)


@both
def test_a_marker_that_was_cut(kms: FakeKMS, lister: Lister) -> None:
    """Part of a marker is no marker."""
    fill(kms, lister, 40)
    marker = lister.page(kms, Limit=3)["NextMarker"]
    for end in range(1, len(marker)):
        assert INVALID_MARKER == error_of(kms.client, lister.method, Marker=marker[:end]), end


@both
@pytest.mark.parametrize(
    ("marker", "constraint"),
    [
        pytest.param("", "have length greater than or equal to 1", id="empty"),
        pytest.param("x" * 1025, "have length less than or equal to 1024", id="1025 characters"),
        pytest.param("\x01", r"satisfy regular expression pattern: [\u0020-\u00FF]*", id="control character"),
        pytest.param("→", r"satisfy regular expression pattern: [\u0020-\u00FF]*", id="beyond Latin-1"),
    ],
)
def test_a_marker_that_breaks_the_constraints(kms: FakeKMS, lister: Lister, marker: str, constraint: str) -> None:
    """Length and characters are those of KMS's model."""
    client = kms.client_for(config=Config(parameter_validation=False))
    assert {
        "Code": "ValidationException",
        "Message": f"1 validation error detected: Value '{marker}' at 'marker' failed to satisfy constraint:"
        f" Member must {constraint}",
    } == error_of(client, lister.method, Marker=marker)


@both
def test_a_marker_fits_into_the_constraints(kms: FakeKMS, lister: Lister) -> None:
    """Even that of the longest name can be sent back."""
    for letter in "xy":
        kms.create_key(letter * 250)
    everything = lister.names(lister.page(kms))
    page = lister.page(kms, Limit=1)
    names = lister.names(page)
    while page["Truncated"]:
        page = lister.page(kms, Limit=1, Marker=page["NextMarker"])
        names += lister.names(page)
    assert everything == names


# Changes between pages


@pytest.mark.parametrize("gone", [slice(0, 1), slice(2, 3), slice(0, 3), slice(3, 4), slice(1, 5)])
def test_aliases_that_go_between_pages_take_no_others_along(kms: FakeKMS, gone: slice) -> None:
    """What is still there is shown once, also where the last one of a page has gone."""
    kms.quotas.off()
    key = kms.create_key()
    names = [f"alias/{number}" for number in range(7)]
    for name in names:
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    first = ALIASES.page(kms, KeyId=key.id, Limit=3)
    assert names[:3] == ALIASES.names(first)
    for name in names[gone]:
        kms.client.delete_alias(AliasName=name)
    rest = ALIASES.page(kms, KeyId=key.id, Marker=first["NextMarker"])
    assert [name for name in names[3:] if name not in names[gone]] == ALIASES.names(rest)


def test_keys_that_go_between_pages_take_no_others_along(kms: FakeKMS) -> None:
    """A key whose waiting period ends is gone from the next page, and from no other place."""
    names = fill(kms, KEYS, 9)
    for key_id in (names[2], names[4]):
        kms.client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    first = KEYS.page(kms, Limit=3)
    assert names[:3] == KEYS.names(first)
    kms.clock.advance(days=8)
    rest = KEYS.page(kms, Marker=first["NextMarker"])
    assert [names[3], *names[5:]] == KEYS.names(rest)


def test_all_that_follow_may_go_between_pages(kms: FakeKMS) -> None:
    """Then the next page is empty, and the last."""
    kms.quotas.off()
    key = kms.create_key("a")
    kms.client.create_alias(AliasName="alias/b", TargetKeyId=key.id)
    first = ALIASES.page(kms, KeyId=key.id, Limit=1)
    assert first["Truncated"]
    for name in ("alias/a", "alias/b"):
        kms.client.delete_alias(AliasName=name)
    assert {"Aliases": [], "Truncated": False} == ALIASES.page(kms, KeyId=key.id, Marker=first["NextMarker"])


def test_an_alias_that_comes_between_pages_is_shown_if_its_place_is_still_ahead(kms: FakeKMS) -> None:
    """What was shown is not shown again."""
    kms.quotas.off()
    key = kms.create_key("b")
    for name in ("alias/d", "alias/f"):
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    first = ALIASES.page(kms, KeyId=key.id, Limit=2)
    for name in ("alias/a", "alias/e"):
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    rest = ALIASES.page(kms, KeyId=key.id, Marker=first["NextMarker"])
    assert ["alias/e", "alias/f"] == ALIASES.names(rest)


# Properties


@settings(max_examples=30, deadline=None, database=None, derandomize=True)
@given(count=st.integers(0, 25), limits=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_no_way_of_paging_loses_or_repeats_a_key(count: int, limits: list[int]) -> None:
    """However many keys there are, and whatever limit each page has."""
    with fake_kms() as kms:
        names = sorted(kms.create_key().id for _ in range(count))
        page = KEYS.page(kms, Limit=limits[0])
        shown = KEYS.names(page)
        turn = 1
        while page["Truncated"]:
            limit = limits[turn % len(limits)]
            page = KEYS.page(kms, Limit=limit, Marker=page["NextMarker"])
            shown += KEYS.names(page)
            turn += 1
        assert names == shown
