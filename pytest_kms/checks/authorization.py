"""May the caller do this to these keys?

For now the rules that no policy can change: AWS managed keys may be looked at, never used or managed
directly, and keys of other accounts are closed to everyone else. Each key has the default key policy,
and the default principal is an administrator of its account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import AccessDeniedException
from pytest_kms.state.key import AWS
from pytest_kms.targets import hidden

if TYPE_CHECKING:
    from pytest_kms.operation import Call

_ON_AWS_MANAGED_KEYS = ("Describe", "Get", "List")


def check(call: Call) -> None:
    """Refuse what the policies of the keys do not allow."""
    for use, key in zip(call.uses, call.touched, strict=True):
        action = use.action
        if key.account != call.account:
            why = f"{key.arn} is a key of account {key.account}, which lets nobody else in"
            raise hidden(call, action, why=why)
        if key.manager == AWS and not action.startswith(_ON_AWS_MANAGED_KEYS):
            why = f"{key.label} is an AWS managed key: only its service may use it, and nobody may manage it"
            if action == call.by_ciphertext:
                raise hidden(call, action, why=why)
            raise AccessDeniedException(
                f"User: {call.principal.arn} is not authorized to perform: kms:{action} on resource: {key.arn}"
                f" because no resource-based policy allows the kms:{action} action",
                why=why,
            )
