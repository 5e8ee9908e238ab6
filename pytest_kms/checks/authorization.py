"""May the caller do this, to these keys?

The key policy decides first, then the caller's own policies, then grants on the key; the policy language is in `iam`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.condition_keys import Asked, RequestContext
from pytest_kms.errors import AccessDeniedException, NotSupported
from pytest_kms.iam.combine import Decision, Policies, combine
from pytest_kms.iam.errors import NotUnderstood
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.explanation import explain
from pytest_kms.state.grant import Asks, Child
from pytest_kms.state.trail import days_unused
from pytest_kms.targets import hidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms.iam.principals import Named
    from pytest_kms.operation import Call
    from pytest_kms.state.grant import Grant
    from pytest_kms.state.key import Key
    from pytest_kms.state.trail import KeyUse

_REMEMBERED = 500
_GRANTS_SHOWN = 3
_BY_CIPHERTEXT = "the resource associated with this ciphertext"


def check(call: Call) -> None:
    """Refuse what policies and grants do not allow, in AWS's words."""
    caller, unseen = call.principal, call.world.consistency.pending
    for use, key in zip(call.uses, call.touched, strict=True):
        if call.retires is not None:
            _expect_may_retire(call, call.retires, use)
        # The way of most calls: an administrator, a key of his account, and AWS's default policy on it.
        elif not (caller.unlimited and key.has_default_policy and key.account == caller.account) or unseen:
            _expect_allowed_on_key(call, use, key)
    if caller.unlimited:
        return
    for resource in call.other_resources:
        asked = _asked(call, region=resource.region)
        _expect(call, _decide(call, resource.action, resource.arn, asked, caller.policies))


def _expect_allowed_on_key(call: Call, use: KeyUse, key: Key) -> None:
    # An AWS service has no account, so that no key is of another one.
    if call.account not in (key.account, "") and not call.operation.cross_account:
        why = f"{key.arn} is a key of account {key.account}; {call.operation.name} works on keys of one's own alone"
        raise hidden(call, use.action, why=why)
    if not use.action:
        return
    policy, asking = key.policy_document, (call.principal, use.action, key.arn)
    if asking in policy.remembered:
        call.allowed += (policy.remembered[asking],)
        return
    policies = call.principal.policies._replace(key=policy)
    asks = _asks_of_grants(call, use)
    grant = key.grant_for(call.principal.caller, use.action, asks, call.grants)
    decision = _decide(call, use.action, key.arn, _asked(call, use, key), policies, grant)
    _expect(call, decision, lambda: _near_grants(call, use, key, asks))
    if grant is None and decision.unconditional:
        if len(policy.remembered) >= _REMEMBERED:
            policy.remembered.clear()  # the default policy is one document in all fakes of a process
        policy.remembered[asking] = call.allowed[-1]


def _near_grants(call: Call, use: KeyUse, key: Key, asks: Asks) -> list[str]:
    """Tell of the grants whose grantee the caller is why they do not allow this."""
    near = [grant.misses(call.principal.caller, use.action, asks) for grant in key.grants.values()]
    return [f"nearly: {told}" for told in near if told is not None][:_GRANTS_SHOWN]


def _expect_may_retire(call: Call, grant: Grant, use: KeyUse) -> None:
    """Refuse to retire a grant to all but its retirer, its grantee if it says so, and its account.

    The key policy has no say in this, and the caller's own policies may only forbid it.
    """
    named = grant.retirer(call.principal.caller)
    if named is None:
        raise hidden(call, use.action, why=f"the grant {grant.id} is not one that {call.principal.arn} may retire")
    asked = _asked(call, use, grant.key)._replace(constraints=grant.constraints)
    _expect(call, _decide(call, use.action, grant.key.arn, asked, call.principal.policies, named))


def _asked(call: Call, use: KeyUse | None = None, key: Key | None = None, *, region: str = "") -> Asked:
    world = call.world
    return Asked(
        operation=call.operation.name,
        members=call.input,
        caller=call.principal,
        region=region or (key.region if key else call.region),
        now=world.clock.moment(call.seconds),
        key=key,
        use=use,
        keys=tuple(call.touched),
        constraints=call.input.get("Constraints"),
        attestation=call.attestation,
        secure=call.request.secure,
        user_agent=lambda: call.request.user_agent,
        unused_days=None if key is None else lambda: days_unused(world.trail, key, world.now),
    )


def _asks_of_grants(call: Call, use: KeyUse) -> Asks:
    members, caller = call.input, call.principal
    child = Child(members["Operations"], members.get("Constraints", {})) if "Operations" in members else None
    return Asks(use.encryption_context, child, caller.is_service or caller.via is not None, caller.source_arn)


def _decide(
    call: Call, action: str, arn: str, asked: Asked, policies: Policies, grant: Named | None = None
) -> Decision:
    request = Request(call.principal.caller, f"kms:{action}", arn, RequestContext(asked))
    try:
        return combine(request, policies, grant=grant)
    except NotUnderstood as error:
        raise NotSupported(f"a policy that decides about {call.operation.name} cannot be evaluated: {error}") from None


def _expect(call: Call, decision: Decision, near_grants: Callable[[], list[str]] = list) -> None:
    """Refuse what is not allowed; of what is, note who allowed it."""
    action, resource, why = decision.request.action, decision.request.resource, explain(decision)
    if decision.allowed:
        call.allowed += (f"{action} is {why}",)
        return
    by_ciphertext = action == f"kms:{call.by_ciphertext}"
    message = decision.message(unnamed=_BY_CIPHERTEXT if by_ciphertext else "")
    if resource not in message:
        why = f"the resource is {'an AWS owned key' if resource in call.hidden else resource}\n{why}"
    if not decision.explicit:
        why = "\n".join([why, *near_grants()])
    raise AccessDeniedException(message, why=why)
