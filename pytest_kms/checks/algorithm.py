"""Can each key do what the call asks of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import SYMMETRIC_DEFAULT
from pytest_kms.errors import InvalidKeyUsageException

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse an algorithm that the spec of its key does not have."""
    for place, member in call.operation.algorithms:
        key = call.found[place]
        algorithm = call.input.get(member, SYMMETRIC_DEFAULT)
        if algorithm not in key.algorithms:
            raise InvalidKeyUsageException(
                f"Algorithm {algorithm} is incompatible with key spec {key.spec}.",
                why=f"{key.label} has {', '.join(key.algorithms)}"
                + ("" if member in call.input else f"; without {member} a call asks for {SYMMETRIC_DEFAULT}"),
            )
