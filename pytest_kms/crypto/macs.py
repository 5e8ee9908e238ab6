"""HMAC."""

from __future__ import annotations

import hmac

_HASHES = {f"HMAC_SHA_{bits}": f"sha{bits}" for bits in (224, 256, 384, 512)}


def compute(material: bytes, algorithm: str, message: bytes) -> bytes:
    """Compute the MAC of a message."""
    return hmac.digest(material, message, _HASHES[algorithm])


def verify(material: bytes, algorithm: str, message: bytes, mac: bytes) -> bool:
    """Say whether a MAC is that of a message."""
    return hmac.compare_digest(compute(material, algorithm, message), mac)
