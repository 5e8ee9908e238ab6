"""Does each grant token name a grant?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Refuse a call with a grant token that is none, or of a grant that is gone; note the grants that are named."""
    tokens = call.input.get("GrantTokens")
    if tokens:
        call.grants = tuple(call.world.grant_tokens.grant(token, call.region) for token in tokens)
