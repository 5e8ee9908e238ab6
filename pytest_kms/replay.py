"""Would a policy allow what was called? The recorded calls, asked of it once more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_kms import assertions
from pytest_kms.condition_keys import Asked, RequestContext
from pytest_kms.errors import UsageError
from pytest_kms.iam.combine import RESOURCE, Policies, combine
from pytest_kms.iam.document import IDENTITY_POLICY, KEY_POLICY, Document, parse
from pytest_kms.iam.errors import Malformed, NotUnderstood, UnknownConditionKey
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.explanation import explain
from pytest_kms.iam.principals import Named
from pytest_kms.state.grant import Asks, Child
from pytest_kms.state.least_privilege import took_permission
from pytest_kms.state.trail import days_unused

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_kms.iam.combine import Decision
    from pytest_kms.iam.context import Value
    from pytest_kms.state.key import Key
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.trail import Event, KeyUse
    from pytest_kms.state.world import World

# Only the request had these, and the trail does not keep them.
_NOT_RECORDED = ("aws:useragent", "kms:recipientattestation:")

_WHAT_NEXT = (
    "What to do: allow these in the policy, or find out why the code under test calls them;"
    " kms.trail.least_privilege() gives the policies that all calls need."
)


@dataclass(frozen=True, slots=True)
class Replay:
    """Whose calls are asked of which policy.

    `keys` are the ARNs of the key whose policy it is; None where it is an identity policy. `principal` is a caller or
    the ARN of one, or of the role behind sessions.
    """

    world: World
    policy: Document
    principal: Principal | str | None = None
    keys: Collection[str] | None = None

    def check(self, label: str = "") -> None:
        """Fail unless the policy allows the recorded calls. `label` is what the test calls the key."""
        __tracebackhide__ = True
        asked = list(self._asked())
        denied = {id(event): told for event, decisions in asked if (told := self._denials(decisions))}
        if asked and not denied:
            return
        calls = f"the recorded calls{f' with {label}' if label else ''}{self._of_whom()}"
        expected = f"pytest-kms: expected {self.policy} to allow {calls}"
        if not asked:
            lines = [
                f"{expected}; there are none.",
                "What to do: check that the code under test was called, and by whom; what was denied is not asked.",
            ]
            raise AssertionError("\n".join(lines))

        def tell(event: Event) -> str:
            return "\n".join([assertions.numbered(self.world, event), *denied[id(event)]])

        lines = [
            f"{expected}; it would deny {len(denied)} of {len(asked)}.",
            "What would be denied:",
            *assertions.first([event for event, _ in asked if id(event) in denied], tell),
            _WHAT_NEXT,
        ]
        raise AssertionError("\n".join(lines))

    def _asked(self) -> Iterator[tuple[Event, list[Decision]]]:
        """Ask the policy about the calls meant, and note them as looked at."""
        trail = self.world.trail
        for place, event in enumerate(trail):
            decisions = list(self._decisions(event))
            if decisions:
                trail.seen.add(place)
                yield event, decisions

    def _of_whom(self) -> str:
        if self.principal is None:
            return ""
        name = self.principal if isinstance(self.principal, str) else self.principal.arn
        via = None if isinstance(self.principal, str) else self.principal.via
        return f" of {name}{f' via {via}' if via else ''}"

    def _denials(self, decisions: list[Decision]) -> list[str]:
        """Tell which permissions of a call are missing, and why."""
        lines = []
        for decision in decisions:
            # Whom a key policy leaves to identity policies it does not deny.
            if not decision.allowed and (self.keys is None or decision.denied_by == RESOURCE):
                lines.append(f"       {decision.request.action} on {decision.request.resource}")
                lines += [f"         {line}" for line in explain(decision).splitlines()]
        return lines

    def _decisions(self, event: Event) -> Iterator[Decision]:
        """Ask the policy for every permission that a call took, if it is one of those meant."""
        if not took_permission(event) or not self._is_by(event):
            return
        caller = _caller(self.world, event)
        if self.keys is None and not _has_identity_policies(caller):
            return
        keys = tuple(self.world.keys_called(use.key)[0] for use in event.uses)
        for use, key in zip(event.uses, keys, strict=True):
            if use.action and (self.keys is None or self._has_a_say(use)):
                asked = _asked(self.world, event, caller, key.region, keys, use=use, key=key)
                yield self._decide(event, asked, use.action, key.arn, _grant(asked, use))
        if self.keys is None:
            for action, resource, region in event.resources:
                yield self._decide(event, _asked(self.world, event, caller, region, keys), action, resource)

    def _has_a_say(self, use: KeyUse) -> bool:
        # Who may retire a grant is up to the grant.
        return self.keys is not None and use.key in self.keys and use.action != "RetireGrant"

    def _is_by(self, event: Event) -> bool:
        wanted = self.principal
        if wanted is None:
            return True
        if isinstance(wanted, str):
            return wanted in (event.principal, self.world.identity_of(event.principal))
        return event.principal == wanted.arn and wanted.via in (None, event.via)

    def _decide(self, event: Event, asked: Asked, action: str, resource: str, grant: Named | None = None) -> Decision:
        policies = Policies(identity=(self.policy,)) if self.keys is None else Policies(key=self.policy)
        request = Request(asked.caller.caller, f"kms:{action}", resource, _Recorded(asked))
        try:
            return combine(request, policies, grant=grant)
        except NotUnderstood as error:
            line = assertions.numbered(self.world, event)
            raise UsageError(f"the policy cannot be asked about {line!r}: {error}") from None


class _Recorded(RequestContext):
    """The condition keys of a request, as far as the trail holds them."""

    __slots__ = ()

    def get(self, key: str, /) -> Value | None:
        """Return the value of a condition key; of one that was not recorded nobody can tell."""
        found = super().get(key)
        if found is None and key.startswith(_NOT_RECORDED):
            raise UnknownConditionKey(f"kms.trail does not hold {key}")
        return found


def policy(given: str | Mapping[str, Any] | os.PathLike[str], *, of_key: bool) -> Document:
    """Read a policy: a mapping, JSON, or the path of a file.

    Raises:
        UsageError: there is no such file, or it is no policy that AWS would take.

    """
    kind, name = KEY_POLICY if of_key else IDENTITY_POLICY, ""
    if isinstance(given, os.PathLike):
        path = Path(given)
        name = path.as_posix()
        try:
            given = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"the {kind} {name!r} cannot be read: {error.strerror}") from None
    try:
        return parse(given, kind, name=name)
    except Malformed as error:
        raise UsageError(f"the {kind} {name and repr(name) + ' '}is none: {error}") from None
    except NotUnderstood as error:
        raise UsageError(f"the {kind} {name and repr(name) + ' '}cannot be evaluated: {error}") from None


def expect_identity_policies(caller: Principal) -> None:
    """Refuse to ask an identity policy about who has none.

    Raises:
        UsageError: it is an AWS service on its own account, or a root user.

    """
    if not _has_identity_policies(caller):
        raise UsageError(f"{caller.arn} has no identity policies; ask the policy of a key, with key=")


def _has_identity_policies(caller: Principal) -> bool:
    return not caller.is_service and not caller.caller.is_root


def _caller(world: World, event: Event) -> Principal:
    known = world.principal_called(event.principal) or world.acting[0]
    return replace(known, via=event.via) if event.via else known


def _asked(
    world: World,
    event: Event,
    caller: Principal,
    region: str,
    keys: tuple[Key, ...],
    *,
    use: KeyUse | None = None,
    key: Key | None = None,
) -> Asked:
    return Asked(
        operation=event.operation,
        members=event.parameters,
        caller=caller,
        region=region,
        now=event.time,
        key=key,
        use=use,
        keys=keys,
        constraints=event.parameters.get("Constraints"),
        unused_days=None if key is None else lambda: days_unused(world.trail, key, event.time),
    )


def _grant(asked: Asked, use: KeyUse) -> Named | None:
    """Say how a grant names the caller that allows the use: one that the key still has, or one that was retired."""
    if use.action == "RetireGrant":
        return Named.DIRECTLY
    members, caller = asked.members, asked.caller
    child = Child(members["Operations"], members.get("Constraints", {})) if "Operations" in members else None
    asks = Asks(use.encryption_context, child, caller.is_service or caller.via is not None, caller.source_arn)
    return None if asked.key is None else asked.key.grant_for(caller.caller, use.action, asks)
