"""The records themselves: one for each attempt that KMS answered, and one for each thing that it did by itself."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import NotInstalled, NotSupported
from pytest_kms.state.cloudtrail import content, details, facts, identity, spelling
from pytest_kms.state.faults import MISHAPS
from pytest_kms.state.trail import Event, repeatable_uuid

if TYPE_CHECKING:
    from typing import TypeAlias

    from pytest_kms.state.trail import Told
    from pytest_kms.state.world import World

    Record: TypeAlias = dict[str, Any]

_OURS = frozenset({NotInstalled.__name__, NotSupported.__name__})


def written(rows: Iterable[Told | Event], world: World) -> Iterator[Record]:
    """Write the records of what was told to a trail, in order."""
    for row in rows:
        if isinstance(row, Event):
            yield _in_order(_of_own_doing(row, world))
        elif _is_logged(row):
            yield from map(_in_order, _of_call(row, world))


def _in_order(record: Record) -> Record:
    """Put the fields into AWS's order, without those that have nothing to tell; records share nothing."""
    told = {field: record.get(field) for field in facts.FIELDS}
    return {
        field: copy.deepcopy(value)
        for field, value in told.items()
        if field in facts.NULL or not (value is None or value == {})
    }


def _is_logged(row: Told) -> bool:
    """Say whether KMS has answered, to somebody whom it knew."""
    if row.error in MISHAPS:
        return row.lost
    return row.error not in _OURS and row.error not in facts.NOBODY


def _of_call(row: Told, world: World) -> Iterator[Record]:
    """Write the records of one attempt: the caller's, and those of other accounts and Regions that it touched."""
    error = None if row.error in MISHAPS else row.error
    keys = content.keys_of(row)
    if error is None and not content.are_all(keys, row.operation.name):
        return  # it used AWS owned keys, which no trail shows
    record = _of_caller(row) | content.of(row, error, keys, world)
    owners = {content.account_of(key) for key in keys} - {row.principal.account} if error is None else set()
    if owners:
        record["sharedEventID"] = repeatable_uuid(f"{row.request_id} shared")
    if not row.principal.is_service:
        yield record
    for owner in sorted(owners):
        yield record | _for_owner(owner, row, record)
    if error is None and row.operation.name in _ELSEWHERE:
        yield from _ELSEWHERE[row.operation.name](row, record)


def _frame(name: str, region: str, time: dt.datetime) -> Record:
    return {
        "eventVersion": facts.EVENT_VERSION,
        "eventTime": spelling.moment(time),
        "eventSource": identity.KMS,
        "eventName": name,
        "awsRegion": region,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "eventCategory": "Management",
    }


def _of_caller(row: Told) -> Record:
    """Write what is told of any call, whatever it asks: by whom, from where, when."""
    operation, principal = row.operation, row.principal
    by = identity.service_of(principal)
    return _frame(operation.name, row.region, dt.datetime.fromtimestamp(row.seconds, dt.timezone.utc)) | {
        "userIdentity": identity.of(principal),
        "sourceIPAddress": by or identity.address(principal),
        "userAgent": by or (row.config.user_agent if row.config else ""),
        "requestID": row.request_id,
        "eventID": repeatable_uuid(row.request_id),
        "readOnly": operation.read_only,
        "recipientAccountId": principal.account,
        "vpcEndpointId": identity.context(principal, "aws:sourcevpce"),
        "tlsDetails": None if by else _tls(row),
    }


def _tls(row: Told) -> Record:
    return {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_256_GCM_SHA384",
        "clientProvidedHostHeader": service.host(row.region, row.config),
    }


def _for_owner(owner: str, row: Told, record: Record) -> Record:
    """Write what is different in the record for the owner of keys that somebody of another account has used."""
    return {
        "userIdentity": identity.of_stranger(row.principal),
        "eventID": repeatable_uuid(f"{row.request_id} {owner}"),
        # That an owner sees nothing of the keys of others, where ReEncrypt takes both, is a guess.
        "resources": [named for named in record["resources"] if named["accountId"] == owner],
        "recipientAccountId": owner,
    }


def _of_replica(row: Told, record: Record) -> Iterator[Record]:
    """Write the record of a replica in its own Region. That there is one is documented, not what it looks like."""
    metadata = record["responseElements"]["replicaKeyMetadata"]
    of_key = ("keyUsage", "origin", "keySpec", "customerMasterKeySpec", "description")
    given = record["requestParameters"]
    yield (
        record
        | _by_kms_itself(row, row.members["ReplicaRegion"])
        | {
            "eventName": "CreateKey",
            "requestParameters": {
                **{name: metadata[name] for name in of_key},
                "bypassPolicyLockoutSafetyCheck": given["bypassPolicyLockoutSafetyCheck"],
                "multiRegion": True,
                **{name: given[name] for name in ("tags", "policy") if name in given},
            },
            "responseElements": {"keyMetadata": metadata},
            "resources": [content.resource(metadata["arn"])],
        }
    )


def _of_new_primary(row: Told, record: Record) -> Iterator[Record]:
    """Write the record of a new primary in its own Region; AWS's sample has no resources."""
    for use in row.uses:
        if use.member == "PrimaryRegion":
            region = row.members["PrimaryRegion"]
            yield (
                record
                | _by_kms_itself(row, region)
                | {
                    "requestParameters": {"keyId": use.key, "primaryRegion": region},
                    "responseElements": {"keyId": use.key},
                    "resources": None,
                }
            )


_ELSEWHERE = {"ReplicateKey": _of_replica, "UpdatePrimaryRegion": _of_new_primary}
"""The operations that KMS continues in another Region by itself."""


def _by_kms_itself(row: Told, region: str) -> Record:
    """Write what is different in the record of what KMS continues in another Region for a caller."""
    request_id = repeatable_uuid(f"{row.request_id} {region}")
    return {
        "userIdentity": identity.of(row.principal) | {"invokedBy": identity.KMS},
        "awsRegion": region,
        "sourceIPAddress": identity.KMS,
        "userAgent": identity.KMS,
        "requestID": request_id,
        "eventID": repeatable_uuid(request_id),
        "tlsDetails": None,
    }


def _of_own_doing(event: Event, world: World) -> Record:
    """Write the record of something that KMS did by itself."""
    (use,) = event.uses
    shared = event.operation in facts.SERVICE_CALLS
    return _frame(event.operation, event.region, event.time) | {
        "userIdentity": {"accountId": event.account, "invokedBy": identity.AWS_INTERNAL},
        "sourceIPAddress": identity.AWS_INTERNAL,
        "userAgent": identity.AWS_INTERNAL,
        "requestParameters": None,
        "responseElements": {"keyId": use.key} if event.operation in facts.RESPONSE else None,
        "additionalEventData": details.of_key(event.operation, world.key_of(use.key)),
        "eventID": event.event_id,
        "readOnly": False,
        "resources": [content.resource(use.key)],
        "eventType": "AwsApiCall" if shared else "AwsServiceEvent",
        "recipientAccountId": event.account,
        "requestID": event.request_id if shared else None,
        "serviceEventDetails": event.service_event,
    }
