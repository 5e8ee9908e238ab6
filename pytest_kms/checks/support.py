"""Does this version have what the call asks for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import NotSupported
from pytest_kms.operation import OPERATIONS, TAKEN_BY_ALL

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse loudly what the package does not have: nothing that a caller asks is ignored."""
    name = call.operation.name
    if name not in OPERATIONS:
        works = ", ".join(sorted(OPERATIONS))
        raise NotSupported(f"{name} is not supported by this version. What works: {works}.")
    if not call.operation.takes.issuperset(call.input):
        for member, value in call.input.items():
            # A member that says nothing (False, no grant tokens) asks for nothing.
            if value and member not in call.operation.takes | TAKEN_BY_ALL:
                raise call.not_supported(member)
