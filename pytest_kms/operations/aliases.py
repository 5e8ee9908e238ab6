"""Aliases: names that point to keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.errors import AlreadyExistsException
from pytest_kms.operation import BEING_DELETED, operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import aws_managed
from pytest_kms.state.alias import Alias
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
        raise AlreadyExistsException(f"An alias with the name {arn} already exists")
    key.home.point(name, key)


@operation("UpdateAlias", takes="AliasName TargetKeyId", key=(AliasName(), TARGET), refused_in=BEING_DELETED)
def update_alias(call: Call, alias: Alias, key: Key) -> None:  # noqa: ARG001
    """Let a name point to another key. Where it pointed before may be pending deletion."""
    key.home.point(alias.name, key)


@operation("DeleteAlias", takes="AliasName", key=AliasName())
def delete_alias(call: Call, alias: Alias) -> None:
    """Forget a name; its key stays."""
    call.note(alias.key)
    call.world.registry(call.region, call.account).remove_alias(alias)


@operation(
    "ListAliases",
    takes="KeyId Limit Marker",
    key=KeyId(),
    pages=Pages(default=50, maximum=100),
)
def list_aliases(call: Call, key: Key | None) -> Listing:
    """List the names of a key, or all of the caller's account and Region.

    AWS lists the alias of every AWS managed key there could be, without a target until there is one.
    """
    registry = call.world.registry(call.region, call.account)
    names = sorted(key.aliases if key else {*registry.alias_names, *aws_managed.ALIASES})

    def show(name: str) -> dict[str, Any]:
        alias = registry.aliases.get(name)
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
