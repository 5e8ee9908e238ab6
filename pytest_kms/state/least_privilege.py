"""The policies that recorded calls need, and nothing more."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pytest_kms.state.trail import Event

_VERSION = "2012-10-17"
_DENIED = "AccessDeniedException"


class Need(NamedTuple):
    """A permission that somebody needs: `kms:ACTION` on a resource, with an encryption context if it matters.

    `alias` names the key where its ARN does not, and `key` is what key policies are listed by.
    """

    principal: str
    action: str
    resource: str
    on_key: bool
    context: tuple[tuple[str, str], ...] = ()
    alias: str = ""

    @property
    def key(self) -> str:
        """What the key is called: its alias, or else its ARN."""
        return self.alias or self.resource


@dataclass(frozen=True, slots=True)
class LeastPrivilege:
    """The least that lets all recorded calls through.

    `identity_policies` are policy documents by the ARN of the user or role that needs them: AWS services and root users
    have none; `key_policies` are
    statements by the ARN of the key, to be added to its policy where that does not leave it to identity policies.
    `str()` shows both as JSON.
    """

    identity_policies: Mapping[str, dict[str, Any]]
    key_policies: Mapping[str, list[dict[str, Any]]]

    def __str__(self) -> str:
        return json.dumps({"identity_policies": self.identity_policies, "key_policies": self.key_policies}, indent=2)


def least_privilege(
    events: Iterable[Event], identity_of: Callable[[str], str], *, with_contexts: bool = False
) -> LeastPrivilege:
    """Work out the policies that calls need. `identity_of` tells the user or role behind the ARN of a caller."""
    return policies_for(list(needs_of(events, identity_of, with_contexts=with_contexts)))


def policies_for(needs: Collection[Need]) -> LeastPrivilege:
    """Write the policies that grant permissions, in an order that depends on these alone."""
    principals = sorted({need.principal for need in needs if _has_identity_policies(need.principal)})
    keys = sorted({need.key for need in needs if need.on_key})
    return LeastPrivilege(
        {name: _identity_policy([need for need in needs if need.principal == name]) for name in principals},
        {key: _key_policy([need for need in needs if need.on_key and need.key == key]) for key in keys},
    )


def _has_identity_policies(name: str) -> bool:
    """Say so of all but AWS services and root users."""
    return name.startswith("arn:") and not name.endswith(":root")


def took_permission(event: Event) -> bool:
    """Say whether an event is a call that was not denied: neither that nor KMS's own doing."""
    return event.error != _DENIED and event.service_event is None


def needs_of(
    events: Iterable[Event], identity_of: Callable[[str], str], *, with_contexts: bool = False
) -> Iterator[Need]:
    """Give the permissions that calls needed: denied ones and KMS's own doing left out."""
    for event in events:
        if not took_permission(event):
            continue
        principal = identity_of(event.principal)
        for use in event.uses:
            if use.action:
                context = tuple(sorted(use.encryption_context.items())) if with_contexts else ()
                yield Need(principal, f"kms:{use.action}", use.key, on_key=True, context=context)
        for action, resource, _ in event.resources:
            yield Need(principal, f"kms:{action}", resource, on_key=False)


def _identity_policy(needs: Iterable[Need]) -> dict[str, Any]:
    """Write statements, one for each set of actions that go together on the same resources."""
    actions = defaultdict(set)
    for need in needs:
        actions[need.resource, need.context, need.alias].add(need.action)
    resources = defaultdict(list)
    for (resource, context, alias), names in actions.items():
        resources[tuple(sorted(names)), context, alias].append(resource)
    statements = [
        {"Effect": "Allow", "Action": list(names), "Resource": sorted(of_these), **_condition(context, alias)}
        for (names, context, alias), of_these in sorted(resources.items())
    ]
    return {"Version": _VERSION, "Statement": statements}


def _key_policy(needs: Iterable[Need]) -> list[dict[str, Any]]:
    actions = defaultdict(set)
    for need in needs:
        actions[need.principal, need.context].add(need.action)
    return [
        {"Effect": "Allow", **_principal(name), "Action": sorted(names), "Resource": "*", **_condition(context)}
        for (name, context), names in sorted(actions.items())
    ]


def _principal(name: str) -> dict[str, Any]:
    return {"Principal": {"AWS" if name.startswith("arn:") else "Service": name}}


def _condition(context: tuple[tuple[str, str], ...], alias: str = "") -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if context:
        asked["StringEquals"] = {f"kms:EncryptionContext:{name}": value for name, value in context}
    if alias:
        asked["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": [alias]}
    return {"Condition": asked} if asked else {}
