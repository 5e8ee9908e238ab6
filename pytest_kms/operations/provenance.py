"""Where signatures, MACs and ciphertexts are from, as far as the trail knows: to explain why they do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.operation import Call
    from pytest_kms.state.key import Key


def origin_of(call: Call, key: Key, made: str, *others: str) -> str:
    """Say which call made what a call gives in a member, and in what that call was another.

    Args:
        call: the call.
        key: its key.
        made: the member that holds what was made.
        others: the members that have to be the same; of their values the algorithm alone is shown.

    """
    found = call.world.trail.maker_of(made, call.input[made])
    if found is None:
        return ""
    number, told = found
    differs = []
    if told.answer["KeyId"] != key.arn:
        differs.append(f"with {call.world.label_of(told.answer['KeyId'])}")
    for member in others:
        given = told.members.get(member)
        if given != call.input.get(member):
            differs.append(f"with {given}" if member.endswith("Algorithm") else f"of another {member}")
    return f"; call {number}, {told.operation.name}, made it {', '.join(differs)}"
