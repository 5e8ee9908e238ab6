"""Failures that a test has ordered, first in, first out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pytest_kms.errors import KMSError


@dataclass(slots=True)
class Fault:
    """An error that the next calls get, whatever they ask.

    `operation` and `keys` (ARNs) narrow which calls those are; None means all.
    """

    error: Callable[[], KMSError]
    operation: str | None
    keys: Collection[str] | None
    left: int

    def meets(self, operation: str, keys: Collection[str]) -> bool:
        """Say whether a call of an operation on some keys gets this fault."""
        if self.left == 0 or self.operation not in (None, operation):
            return False
        return self.keys is None or any(key in self.keys for key in keys)

    def __str__(self) -> str:
        return f"{self.error().code} for {self.operation or 'any operation'}, {self.left} of them left"
