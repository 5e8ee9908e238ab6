"""Keys are given tags, and lose them again, as AWS does it."""

from __future__ import annotations

from typing import Any

import pytest
from answers import STATES, closed, each_unfit_name, error_of, invalid, members_of, not_allowed, unchecked, unfit

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
MEMBERS: dict[str, dict[str, Any]] = {
    "tag_resource": {"Tags": [{"TagKey": "team", "TagValue": "blue"}]},
    "untag_resource": {"TagKeys": ["team"]},
    "list_resource_tags": {},
}
ACTIONS = {
    "tag_resource": "TagResource",
    "untag_resource": "UntagResource",
    "list_resource_tags": "ListResourceTags",
}

each_operation = pytest.mark.parametrize("method", MEMBERS)
each_change = pytest.mark.parametrize("method", ["tag_resource", "untag_resource"])


def tags(names: dict[str, str]) -> list[Any]:
    """Write tags as a request has them."""
    return [{"TagKey": name, "TagValue": value} for name, value in names.items()]


def tags_of(kms: FakeKMS, key_id: str) -> dict[str, str]:
    """Return the tags that ListResourceTags answers."""
    answer = kms.client.list_resource_tags(KeyId=key_id)
    assert not answer["Truncated"]
    return {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}


# TagResource


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_gets_tags(kms: FakeKMS, form: str) -> None:
    """The key is given by key id or key ARN; the answer is empty, and what was there stays."""
    key = kms.create_key(tags={"stage": "test"})
    assert {} == members_of(kms.client.tag_resource(KeyId=getattr(key, form), Tags=tags({"team": "blue", "empty": ""})))
    assert {"empty": "", "stage": "test", "team": "blue"} == tags_of(kms, key.id) == key.tags


def test_a_tag_that_is_there_gets_the_new_value(kms: FakeKMS) -> None:
    """Tags are a map; names that differ by case alone are different."""
    key = kms.create_key(tags={"team": "blue"})
    kms.client.tag_resource(KeyId=key.id, Tags=tags({"team": "red", "Team": "green"}))
    assert {"Team": "green", "team": "red"} == tags_of(kms, key.id)


def test_no_tags_change_nothing(kms: FakeKMS) -> None:
    """The model asks for no least number."""
    key = kms.create_key(tags={"team": "blue"})
    kms.client.tag_resource(KeyId=key.id, Tags=[])
    kms.client.untag_resource(KeyId=key.id, TagKeys=[])
    assert {"team": "blue"} == tags_of(kms, key.id)


def test_the_tags_of_create_key_are_tags_like_others(kms: FakeKMS) -> None:
    """They are listed, changed and taken away."""
    key_id = kms.client.create_key(Tags=tags({"stage": "test", "team": "blue"}))["KeyMetadata"]["KeyId"]
    kms.client.tag_resource(KeyId=key_id, Tags=tags({"team": "red"}))
    kms.client.untag_resource(KeyId=key_id, TagKeys=["stage"])
    assert {"team": "red"} == tags_of(kms, key_id)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param([("team", "a"), ("team", "b")], "Duplicate tag keys", id="twice the same"),
        pytest.param([("aws:team", "a")], "Tags beginning with aws: are reserved", id="aws:"),
        pytest.param([("AWS:team", "a")], "Tags beginning with aws: are reserved", id="AWS:"),
        pytest.param([(str(number), "") for number in range(51)], "Too many tags", id="51 at once"),
        pytest.param([(str(number), "") for number in range(50)], "Too many tags", id="50 beside another"),
    ],
)
def test_tags_that_aws_does_not_take(kms: FakeKMS, given: list[tuple[str, str]], message: str) -> None:
    """Tags must be different, not AWS's own, and no more than 50 on a key; else nothing changes."""
    key = kms.create_key(tags={"stage": "test"})
    wrong = [{"TagKey": name, "TagValue": value} for name, value in given]
    assert {"Code": "TagException", "Message": message} == error_of(
        kms.client, "tag_resource", KeyId=key.id, Tags=wrong
    )
    assert {"stage": "test"} == tags_of(kms, key.id)


def test_a_key_with_50_tags_may_change_them(kms: FakeKMS) -> None:
    """A new value of a tag that is there makes no tag more."""
    key = kms.create_key(tags={f"{number:02}": "old" for number in range(50)})
    kms.client.tag_resource(KeyId=key.id, Tags=tags({f"{number:02}": "new" for number in range(50)}))
    assert {f"{number:02}": "new" for number in range(50)} == tags_of(kms, key.id)
    kms.client.untag_resource(KeyId=key.id, TagKeys=["49"])
    kms.client.tag_resource(KeyId=key.id, Tags=tags({"more": ""}))
    assert 50 == len(key.tags)


@pytest.mark.parametrize(
    ("method", "members", "violation"),
    [
        pytest.param(
            "tag_resource",
            {"Tags": [{"TagKey": "a", "TagValue": "v"}, {"TagKey": "k" * 129, "TagValue": "v"}]},
            f"Value '{'k' * 129}' at 'tags.2.member.tagKey' failed to satisfy constraint:"
            " Member must have length less than or equal to 128",
            id="long name",
        ),
        pytest.param(
            "tag_resource",
            {"Tags": [{"TagKey": "a", "TagValue": "v" * 257}]},
            f"Value '{'v' * 257}' at 'tags.1.member.tagValue' failed to satisfy constraint:"
            " Member must have length less than or equal to 256",
            id="long value",
        ),
        pytest.param(
            "tag_resource",
            {},
            "Value null at 'tags' failed to satisfy constraint: Member must not be null",
            id="no tags",
        ),
        pytest.param(
            "untag_resource",
            {"TagKeys": [""]},
            "Value '' at 'tagKeys.1.member' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1",
            id="empty name",
        ),
        pytest.param(
            "untag_resource",
            {},
            "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
            id="no names",
        ),
    ],
)
def test_tags_have_limits(kms: FakeKMS, method: str, members: dict[str, Any], violation: str) -> None:
    """What is too long, too short or missing is named with its place."""
    key = kms.create_key()
    assert invalid(violation) == error_of(unchecked(kms), method, KeyId=key.id, **members)


# UntagResource


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_key_loses_tags(kms: FakeKMS, form: str) -> None:
    """The key is given by key id or key ARN; a tag that is not there is no error, and the answer is empty."""
    key = kms.create_key(tags={"stage": "test", "team": "blue"})
    names = ["team", "Stage", "nothing", "team"]
    assert {} == members_of(kms.client.untag_resource(KeyId=getattr(key, form), TagKeys=names))
    assert {"stage": "test"} == tags_of(kms, key.id)


@pytest.mark.parametrize("name", ["aws:team", "Aws:team"])
def test_tags_of_aws_are_not_taken_away(kms: FakeKMS, name: str) -> None:
    """What begins with aws: belongs to AWS; the other names stay as well."""
    key = kms.create_key(tags={"team": "blue"})
    assert {"Code": "TagException", "Message": "Tags beginning with aws: are reserved"} == error_of(
        kms.client, "untag_resource", KeyId=key.id, TagKeys=["team", name]
    )
    assert {"team": "blue"} == tags_of(kms, key.id)


# ListResourceTags


def test_tags_are_listed_in_the_order_of_their_names(kms: FakeKMS) -> None:
    """Upper case comes before lower case; a key without tags has an empty list."""
    key = kms.create_key(tags={"b": "1", "a": "2", "B": "3"})
    assert {
        "Tags": [
            {"TagKey": "B", "TagValue": "3"},
            {"TagKey": "a", "TagValue": "2"},
            {"TagKey": "b", "TagValue": "1"},
        ],
        "Truncated": False,
    } == members_of(kms.client.list_resource_tags(KeyId=key.arn))
    assert {"Tags": [], "Truncated": False} == members_of(kms.client.list_resource_tags(KeyId=kms.create_key().id))


def test_tags_come_in_pages(kms: FakeKMS) -> None:
    """A marker leads from each page to the next; botocore's paginator finds all."""
    names = [f"{number:02}" for number in range(50)]
    key = kms.create_key(tags=dict.fromkeys(names, ""))
    first = kms.client.list_resource_tags(KeyId=key.id, Limit=30)
    assert (30, True) == (len(first["Tags"]), first["Truncated"])
    second = kms.client.list_resource_tags(KeyId=key.id, Limit=30, Marker=first["NextMarker"])
    assert (20, False, False) == (len(second["Tags"]), second["Truncated"], "NextMarker" in second)
    assert names == [tag["TagKey"] for tag in first["Tags"] + second["Tags"]]
    pages = kms.client.get_paginator("list_resource_tags").paginate(KeyId=key.id, PaginationConfig={"PageSize": 7})
    assert names == [tag["TagKey"] for page in pages for tag in page["Tags"]]


@pytest.mark.parametrize(
    ("limit", "constraint"),
    [
        (0, "Member must have value greater than or equal to 1"),
        (51, "Member must have value less than or equal to 50"),
        (1001, "Member must have value less than or equal to 1000"),
    ],
)
def test_a_page_of_tags_has_1_to_50(kms: FakeKMS, limit: int, constraint: str) -> None:
    """Beyond what the model allows AWS tells the model's number."""
    key = kms.create_key()
    assert invalid(f"Value '{limit}' at 'limit' failed to satisfy constraint: {constraint}") == error_of(
        unchecked(kms), "list_resource_tags", KeyId=key.id, Limit=limit
    )


def test_a_marker_that_nobody_gave(kms: FakeKMS) -> None:
    """It is refused without a word."""
    key = kms.create_key(tags={"a": "1"})
    assert {"Code": "InvalidMarkerException", "Message": ""} == error_of(
        kms.client, "list_resource_tags", KeyId=key.id, Marker="abc"
    )


# All three: the key


@each_change
@pytest.mark.parametrize("state", STATES)
def test_tags_change_in_every_state_but_those_of_deletion(kms: FakeKMS, method: str, state: str) -> None:
    """A key that is to be deleted keeps its tags as they are."""
    key = kms.create_key(tags={"team": "red"}, state=state)
    if state.endswith("Deletion"):
        assert unfit(key.arn, state) == error_of(kms.client, method, KeyId=key.id, **MEMBERS[method])
        assert {"team": "red"} == key.tags
    else:
        getattr(kms.client, method)(KeyId=key.id, **MEMBERS[method])
        assert ({"team": "blue"} if method == "tag_resource" else {}) == key.tags


@pytest.mark.parametrize("state", STATES)
def test_tags_are_listed_in_every_state(kms: FakeKMS, state: str) -> None:
    """The state of the key does not matter."""
    key = kms.create_key(tags={"team": "blue"}, state=state)
    assert {"team": "blue"} == tags_of(kms, key.id)


@each_operation
@each_unfit_name
def test_a_key_is_named_by_id_or_arn(kms: FakeKMS, method: str, key_id: str, code: str, message: str) -> None:
    """Aliases are not taken, whether they exist or not."""
    kms.create_key("orders")
    assert {"Code": code, "Message": message} == error_of(kms.client, method, KeyId=key_id, **MEMBERS[method])


@each_change
def test_an_aws_managed_key_gets_no_tags(kms: FakeKMS, method: str) -> None:
    """Nobody may tag it; its tags may be listed, there are none."""
    key = kms.aws_managed_key("s3")
    action = ACTIONS[method]
    assert not_allowed(action, key.arn) == error_of(kms.client, method, KeyId=key.id, **MEMBERS[method])
    assert {} == tags_of(kms, key.id)


@each_operation
def test_tags_of_another_account_are_closed(kms: FakeKMS, method: str) -> None:
    """Whether the key exists is not told."""
    foreign = kms.create_key(account="210987654321")
    assert closed(ACTIONS[method]) == error_of(kms.client, method, KeyId=foreign.arn, **MEMBERS[method])
