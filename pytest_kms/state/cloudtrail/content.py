"""What was asked, and what came of it: the part of a record that differs from operation to operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_kms import arns, service
from pytest_kms.state.cloudtrail import details, facts, spelling

if TYPE_CHECKING:
    from pytest_kms.state.trail import Told
    from pytest_kms.state.world import World


def of(row: Told, error: str | None, keys: Sequence[str], world: World) -> dict[str, Any]:
    """Write the content of a record. Of a request that KMS did not read, or not to the end, there is little to tell."""
    name = row.operation.name
    read = error is None or _was_read(row, error, keys)
    return {
        "errorCode": error and facts.ERROR_CODES.get(error, error),
        "errorMessage": row.message or None,
        "requestParameters": _request(row) if read else None,
        "responseElements": None if error else _response(row, keys),
        "additionalEventData": _added(row, error, keys, world) if read else None,
        "resources": [] if name in facts.NO_RESOURCES else _resources(row, keys) if read and keys else None,
    }


def keys_of(row: Told) -> list[str]:
    """Return the ARNs of the keys that a record names, in its order, as far as they were found."""
    found = {use.member: use.key for use in row.uses}
    return [found[member] for member in _key_members(row.operation.name) if member in found]


def are_all(keys: Sequence[str], name: str) -> bool:
    """Say whether these are all the keys that a call of an operation is about when it succeeds."""
    return len(keys) == len(_key_members(name))


def account_of(arn: str) -> str:
    """Return whose a key is, or an alias."""
    return arn.split(":")[4]


def resource(arn: str) -> dict[str, str]:
    """Write a resource: an alias is of the type of keys as well."""
    return {"accountId": account_of(arn), "type": "AWS::KMS::Key", "ARN": arn}


def _was_read(row: Told, error: str, keys: Sequence[str]) -> bool:
    """Say whether the record of a failure tells what was asked: not before its keys were found."""
    if error in facts.UNREAD or (error == "ValidationException" and facts.BREAKS_CONSTRAINTS in row.message):
        return False
    if error == "AccessDeniedException" and row.principal.via:
        return False
    return are_all(keys, row.operation.name) or row.operation.name == "CreateKey"


def _key_members(name: str) -> list[str]:
    if name in facts.NO_RESOURCES or name in facts.ON_KEY_STORES:
        return []
    return [member for member in facts.RESOURCES.get(name, facts.KEY_ALONE) if member != facts.ALIAS]


def _resources(row: Told, keys: Sequence[str]) -> list[dict[str, str]]:
    """Write the keys and the alias that a record names, in its order."""
    left = iter(keys)
    alias = arns.of(row.region, row.principal.account, row.members.get("AliasName", ""))
    members = facts.RESOURCES.get(row.operation.name, facts.KEY_ALONE)
    return [resource(alias if member == facts.ALIAS else next(left)) for member in members]


def _request(row: Told) -> dict[str, Any] | None:
    name = row.operation.name
    values = {**facts.DEFAULTS.get(name, {}), **row.members}
    if name == "CreateKey":
        # The deprecated name of the member says the same.
        spec = row.members.get("KeySpec") or row.members.get("CustomerMasterKeySpec") or values["KeySpec"]
        values |= {"KeySpec": spec, "CustomerMasterKeySpec": spec}
    return spelling.members(service.input_shape(name), facts.REQUEST[name].split(), values, facts.NAMES)


def _response(row: Told, keys: Sequence[str]) -> dict[str, Any] | None:
    names = facts.RESPONSE.get(row.operation.name, "").split()
    key = {"KeyId": keys[-1]} if keys else {}
    return spelling.members(service.output_shape(row.operation.name), names, {**row.answer, **key})


def _added(row: Told, error: str | None, keys: Sequence[str], world: World) -> dict[str, Any]:
    operation = row.operation
    added: dict[str, Any] = {}
    store = world.key_stores_ever.get(row.members.get("CustomKeyStoreId", ""))
    if store is not None and operation.name in facts.TELLS_KEY_STORE:
        added |= details.of_key_store(store)
    if operation.name == "RetireGrant":
        added |= details.of_retired_grant(row, world)
    if error is None and operation.cryptographic:
        added |= details.of_materials(row)
        if "Recipient" in row.members:
            added |= details.of_recipient(row.members["Recipient"]["AttestationDocument"], world)
    for key in keys:
        if operation.cryptographic or operation.name in facts.TELLS_BACKING_KEY:
            added |= details.of_key(operation.name, world.key_of(key))
    return added
