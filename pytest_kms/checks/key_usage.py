"""Was each key made for this kind of work?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import InvalidKeyUsageException
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse a key of another usage than the operation has."""
    usage = call.operation.usage
    for key in call.keys:
        if key.usage != usage:
            raise InvalidKeyUsageException(
                f"{key.arn} key usage is {key.usage} which is not valid for {call.operation.name}.",
                why=f"{key.label} is a key for {_operations(key.usage)}; {call.operation.name} takes one of the usage"
                f" {usage}",
            )


def _operations(usage: str) -> str:
    return ", ".join(sorted(name for name, operation in OPERATIONS.items() if operation.usage == usage))
