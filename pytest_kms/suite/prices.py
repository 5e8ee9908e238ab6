"""What calls and keys cost at AWS, estimated.

The prices are those of https://aws.amazon.com/kms/pricing/ for us-east-1, as known in 2026, in US dollars. Most Regions
are alike; those of GovCloud and China differ, and are counted with the same prices here. Not found there: a price of
ML-DSA and Ed25519, which are counted as the other asymmetric keys; and whether requests that fail are billed: here they
are, but for those that were throttled or did not arrive. Left out: the free tier of 20,000 requests a month, and what
AWS CloudHSM clusters and external key managers cost elsewhere.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import SPECS
from pytest_kms.state.key import BEING_DELETED, CUSTOMER

if TYPE_CHECKING:
    from pytest_kms.state.key import Key
    from pytest_kms.state.trail import Told

SOURCE = "us-east-1 prices of 2026"

_PER = 10_000
_REQUESTS = 0.03
_WITH_ASYMMETRIC_KEYS = 0.15
_CHEAP_ASYMMETRIC = "RSA_2048"
_PAIRS = frozenset({"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"})
_RSA_PAIRS = 12.00
_OTHER_PAIRS = 0.10
_KEY_A_MONTH = 1.00
_ROTATIONS_BILLED = 2

_NOT_BILLED = frozenset({"ThrottlingException", "EndpointConnectionError", "ConnectTimeoutError", "SSLError"})


@cache
def price_of(operation: str, specs: tuple[str, ...], pair: str, *, cryptographic: bool) -> float:
    """Return the price of one request, in US dollars.

    `specs` are those of the keys that it names, `pair` that of the data key pair that it asks for.
    """
    if operation in _PAIRS:
        return (_RSA_PAIRS if pair.startswith("RSA") else _OTHER_PAIRS) / _PER
    if cryptographic or operation == "GetPublicKey":
        dear = [spec for spec in specs if spec in SPECS and SPECS[spec].asymmetric and spec != _CHEAP_ASYMMETRIC]
        if dear:
            return _WITH_ASYMMETRIC_KEYS / _PER
    return _REQUESTS / _PER


def cost_of(told: Told, specs: tuple[str, ...]) -> float:
    """Return what an attempt of a call costs, in US dollars; a dry run costs what any other does."""
    if told.error in _NOT_BILLED:
        return 0.0
    operation = told.operation
    pair = str(told.members.get("KeyPairSpec", ""))
    return price_of(operation.name, specs, pair, cryptographic=operation.cryptographic)


def monthly(key: Key) -> float:
    """Return what it costs to keep a key for a month, in US dollars: its first two rotations cost as much again."""
    if key.manager != CUSTOMER or key.state in BEING_DELETED:
        return 0.0
    own = key is key.backing.primary
    rotations = sum(material.rotated is not None for material in key.backing.materials) if own else 0
    return _KEY_A_MONTH * (1 + min(rotations, _ROTATIONS_BILLED))


def dollars(amount: float) -> str:
    """Write an amount: in cents, or where it is less with as many digits as tell something."""
    if amount >= 1 or not amount:
        return f"${amount:,.2f}"
    return f"${amount:.4f}" if amount >= _REQUESTS / 100 else f"${amount:.6f}"
