"""Does what is behind the key store of each key do its part?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.state.external_key import DECRYPT, ENCRYPT
from pytest_kms.state.key import Key
from pytest_kms.targets import CiphertextKey

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse what a cluster or an external key manager would have to do and cannot."""
    for place, thing in enumerate(call.found):
        if isinstance(thing, Key) and thing.store is not None:
            opens = isinstance(call.operation.targets[place], CiphertextKey)
            thing.store.expect_able(thing, DECRYPT if opens else ENCRYPT)
