"""Every key spec in one table: its usages, its algorithms, its family."""

from __future__ import annotations

from dataclasses import dataclass

ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a key of one spec can do.

    `algorithms` gives, for each usage, the algorithms in AWS's order; `pool` is the name of the shared
    request quota that its cryptographic operations count in.
    """

    name: str
    algorithms: dict[str, tuple[str, ...]]
    pool: str


SPECS = {
    spec.name: spec
    for spec in (
        KeySpec(
            "SYMMETRIC_DEFAULT",
            {ENCRYPT_DECRYPT: ("SYMMETRIC_DEFAULT",)},
            "Cryptographic operations (symmetric) request rate",
        ),
    )
}

DATA_KEY_BYTES = {"AES_256": 32, "AES_128": 16}
