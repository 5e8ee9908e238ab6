"""Key policies: GetKeyPolicy, PutKeyPolicy, ListKeyPolicies, and what every new key policy must meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.condition_keys import Asked, RequestContext
from pytest_kms.errors import (
    LimitExceededException,
    MalformedPolicyDocumentException,
    NotFoundException,
    NotSupported,
)
from pytest_kms.iam import document
from pytest_kms.iam.combine import combine
from pytest_kms.iam.errors import Malformed, NotUnderstood
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.explanation import explain
from pytest_kms.operation import operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import consistency
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.iam.document import Document
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

DEFAULT = "default"
MAX_BYTES = 32_768
_PUT = "PutKeyPolicy"


def the_default_policy(call: Call) -> None:
    """Refuse the name of any other policy than the one that a key has."""
    name = call.input.get("PolicyName", DEFAULT)
    if name != DEFAULT:
        # AWS's answer was not recorded.
        raise NotFoundException("No such policy exists", why=f"the only key policy is {DEFAULT!r}, not {name!r}")


def acceptable_policy(call: Call) -> None:
    """Refuse a key policy that is too long, malformed, or locks its writer out."""
    policy = call.input.get("Policy")
    if policy is None:
        return
    size = len(policy.encode())
    if size > MAX_BYTES:
        # AWS's sentence was not found.
        raise LimitExceededException(f"The key policy has {size} bytes, the limit is {MAX_BYTES}.")
    try:
        parsed = document.parse(policy, document.KEY_POLICY)
        if not call.input.get("BypassPolicyLockoutSafetyCheck"):
            _expect_writer_not_locked_out(call, parsed)
    except Malformed as malformed:
        raise MalformedPolicyDocumentException(malformed.message, why=malformed.why) from None
    except NotUnderstood as error:
        raise NotSupported(f"the key policy of {call.operation.name} cannot be judged: {error.what}") from None


@operation("GetKeyPolicy", takes="KeyId PolicyName", key=KeyId(), rules=[the_default_policy])
def get_key_policy(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Tell the policy of a key, as it was put."""
    return {"Policy": key.policy_in_force, "PolicyName": DEFAULT}


@operation(
    _PUT,
    takes="KeyId PolicyName Policy BypassPolicyLockoutSafetyCheck",
    key=KeyId(),
    rules=[the_default_policy, acceptable_policy],
)
def put_key_policy(call: Call, key: Key) -> None:
    """Give a key another policy."""
    before = key.policy
    key.policy = call.input["Policy"]
    call.world.consistency.later(
        consistency.POLICIES, key, "", before=before, what=f"the policy of {key.label} was put"
    )


@operation("ListKeyPolicies", takes="KeyId Limit Marker", key=KeyId(), pages=Pages(default=100, maximum=1000))
def list_key_policies(call: Call, key: Key) -> Listing:  # noqa: ARG001
    """List the names of a key's policies: it has one."""
    return Listing([DEFAULT], str)


def _expect_writer_not_locked_out(call: Call, policy: Document) -> None:
    """Refuse a policy under which the caller could not put another one, with all else as it is now."""
    key = call.keys[0] if call.keys else None
    asked = Asked(
        _PUT,
        {},
        call.principal,
        _region(call),
        call.world.now,
        key,
        secure=call.request.secure,
        user_agent=lambda: call.request.user_agent,
    )
    request = Request(call.principal.caller, f"kms:{_PUT}", _arn(call), RequestContext(asked))
    decision = combine(request, call.principal.policies._replace(key=policy))
    if not decision.allowed:
        raise MalformedPolicyDocumentException(
            "The new key policy will not allow you to update the key policy in the future.",
            why=f"{decision.message()}; BypassPolicyLockoutSafetyCheck takes the policy all the same"
            f"\n{explain(decision)}",
        )


def _region(call: Call) -> str:
    """Return where the key is that gets the policy."""
    region: str = call.input.get("ReplicaRegion", call.region)
    return region


def _arn(call: Call) -> str:
    """Return the ARN of the key that gets the policy; a key that is still to be made has an id that nobody knows."""
    key_id = call.keys[0].id if call.keys else "00000000-0000-0000-0000-000000000000"
    return arns.of(_region(call), call.account, f"key/{key_id}")
