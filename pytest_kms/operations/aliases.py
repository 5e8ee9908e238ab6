"""Aliases: names that point to keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.errors import AlreadyExistsException, LimitExceededException, ValidationException
from pytest_kms.operation import BEING_DELETED, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import consistency
from pytest_kms.state.alias import Alias
from pytest_kms.state.quotas import ALIASES
from pytest_kms.targets import AliasName, KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Call
    from pytest_kms.state.key import Key

TARGET = KeyId("TargetKeyId", to_alias=True)


@operation("CreateAlias", takes="AliasName TargetKeyId", key=(AliasName(new=True), TARGET), refused_in=BEING_DELETED)
def create_alias(call: Call, name: str, key: Key) -> None:
    """Give a key a name of the caller's account and Region."""
    if name in key.home.aliases:
        arn = arns.of(call.region, call.account, name)
        raise AlreadyExistsException(
            f"An alias with the name {arn} already exists",
            why=f"it names {key.home.aliases[name].key.id}; UpdateAlias lets it name another key",
        )
    _expect_room_for_alias(key)
    key.home.point(name, key)
    call.world.consistency.later(consistency.ALIASES, key.home, name, before=None, what=f"{name} was made")


@operation("UpdateAlias", takes="AliasName TargetKeyId", key=(AliasName(), TARGET), refused_in=BEING_DELETED)
def update_alias(call: Call, alias: Alias, key: Key) -> None:
    """Let a name point to another key. Where it pointed before may be pending deletion."""
    _expect_alike(alias, key)
    if alias.key is not key:
        _expect_room_for_alias(key)
    key.home.point(alias.name, key)
    call.world.consistency.later(
        consistency.ALIASES, key.home, alias.name, before=alias, what=f"{alias.name} got another key"
    )


@operation("DeleteAlias", takes="AliasName", key=AliasName())
def delete_alias(call: Call, alias: Alias) -> None:
    """Forget a name; its key stays."""
    registry = call.world.registry(call.region, call.account)
    registry.remove_alias(alias)
    call.world.consistency.later(
        consistency.ALIASES, registry, alias.name, before=alias, what=f"{alias.name} was deleted"
    )


@operation(
    "ListAliases",
    takes="KeyId Limit Marker",
    key=KeyId(asks=False),
    pages=Pages(default=50, maximum=100),
)
def list_aliases(call: Call, key: Key | None) -> Listing:
    """List the names of a key, or all of the caller's account and Region.

    AWS lists the alias of every AWS managed key there could be, without a target until there is one.
    """
    registry = call.world.registry(call.region, call.account)
    names = sorted(key.aliases_in_force) if key else registry.listed_alias_names()

    def show(name: str) -> dict[str, Any]:
        alias = registry.find_alias(name)
        if alias is None:
            return {"AliasName": name, "AliasArn": arns.of(call.region, call.account, name)}
        return {
            "AliasName": name,
            "AliasArn": alias.arn,
            "TargetKeyId": alias.key.id,
            "CreationDate": alias.created,
            "LastUpdatedDate": alias.updated,
        }

    return Listing(names, show)


def _expect_alike(alias: Alias, key: Key) -> None:
    """Refuse a key of another usage or another type than the one that the alias names now.

    That AWS refuses it is documented; its sentences are not known, these are those of other fakes.
    """
    for what, now, new in (
        ("key usage", alias.key.usage, key.usage),
        ("key type", _type_of(alias.key), _type_of(key)),
    ):
        if now != new:
            raise ValidationException(
                f"Alias {alias.name} cannot be changed from a CMK with {what} {now} to a CMK with {what} {new}."
                f" The {what} of the current CMK and the new CMK must be the same."
            )


def _type_of(key: Key) -> str:
    """Tell symmetric keys from asymmetric ones; HMAC keys, the third type, have a usage that no others have."""
    return "ASYMMETRIC" if key.key_spec.asymmetric else "SYMMETRIC"


def _expect_room_for_alias(key: Key) -> None:
    """Refuse an alias that would be one too many for its key."""
    quota, usage = key.home.world.quotas.resource(ALIASES), len(key.aliases)
    if usage >= quota:
        raise LimitExceededException(
            f"Aliases per key quota for this account in this region is {quota:g}, current usage is {usage}."
        )
