"""Tags of keys: TagResource, UntagResource, ListResourceTags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms.errors import TagException
from pytest_kms.operation import BEING_DELETED, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import consistency
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_kms.operation import Call
    from pytest_kms.state.key import Key

MAX_TAGS = 50


def well_formed_tags(call: Call) -> None:
    """Refuse tags that AWS does not take."""
    names = [tag["TagKey"] for tag in call.input.get("Tags", ())]
    if len(names) != len(set(names)):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise TagException("Duplicate tag keys", why=f"more than once there are {', '.join(map(repr, twice))}")
    _expect_none_of_aws(names)
    _expect_not_too_many(names)


def no_tags_of_aws(call: Call) -> None:
    """Refuse to take away tags that are AWS's own. That TagResource refuses them was recorded, this was not."""
    _expect_none_of_aws(call.input["TagKeys"])


@operation("TagResource", takes="KeyId Tags", key=KeyId(), refused_in=BEING_DELETED, rules=[well_formed_tags])
def tag_resource(call: Call, key: Key) -> None:
    """Give a key tags; one that it has already gets the new value."""
    tags = {**key.tags, **as_mapping(call.input["Tags"])}
    _expect_not_too_many(tags)
    _change(call, key, tags)


@operation("UntagResource", takes="KeyId TagKeys", key=KeyId(), refused_in=BEING_DELETED, rules=[no_tags_of_aws])
def untag_resource(call: Call, key: Key) -> None:
    """Take tags away from a key; those that it does not have are no error."""
    _change(call, key, {name: value for name, value in key.tags.items() if name not in call.input["TagKeys"]})


@operation("ListResourceTags", takes="KeyId Limit Marker", key=KeyId(), pages=Pages(default=50, maximum=50))
def list_resource_tags(call: Call, key: Key) -> Listing:  # noqa: ARG001
    """List the tags of a key."""
    tags = key.tags_in_force

    def show(name: str) -> dict[str, Any]:
        return {"TagKey": name, "TagValue": tags[name]}

    return Listing(sorted(tags), show)


def as_mapping(tags: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Read tags as the wire carries them."""
    return {tag["TagKey"]: tag["TagValue"] for tag in tags}


def _change(call: Call, key: Key, tags: dict[str, str]) -> None:
    before, key.tags = key.tags, tags
    call.world.consistency.later(consistency.TAGS, key, "", before=before, what=f"the tags of {key.label} were changed")


def _expect_none_of_aws(names: Iterable[str]) -> None:
    of_aws = [name for name in names if name.lower().startswith("aws:")]
    if of_aws:
        raise TagException("Tags beginning with aws: are reserved", why=f"so are {', '.join(map(repr, of_aws))}")


def _expect_not_too_many(names: Collection[str]) -> None:
    if len(names) > MAX_TAGS:
        raise TagException("Too many tags", why=f"with these the key would have {len(names)}, the limit is {MAX_TAGS}")
