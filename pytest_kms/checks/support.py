"""Does this version have what the call asks for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import service
from pytest_kms.errors import NotSupported
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse loudly what the package does not have: nothing that a caller asks is ignored."""
    name = call.operation.name
    if name not in OPERATIONS:
        works = ", ".join(sorted(OPERATIONS))
        raise NotSupported(f"{name} is not supported by this version. What works: {works}.")
    known = service.input_members(name)
    if not known.issuperset(call.input):
        member = next(member for member in call.input if member not in known)
        raise NotSupported(
            f"{name} was sent the member {member!r}, which the installed botocore does not know."
            " What works: the members of its KMS model; a newer botocore may have it."
        )
    if not call.operation.unsupported.isdisjoint(call.input):
        for member in sorted(call.operation.unsupported):
            # A member that says nothing (False, no grant tokens) asks for nothing.
            if call.input.get(member):
                raise call.not_supported(member)
