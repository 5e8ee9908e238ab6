"""Failures that a test has ordered, first in, first out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pytest_kms.errors import KMSError


@dataclass(slots=True)
class Fault:
    """An error that the next calls get, whatever they ask; the first calls (`after`) it lets pass.

    `operation` and `keys` (ARNs) narrow which calls those are; None means all.
    """

    error: Callable[[], KMSError]
    operation: str | None
    keys: Collection[str] | None
    left: int
    after: int = 0

    def meets(self, operation: str, keys: Collection[str]) -> bool:
        """Say whether a call of an operation on some keys is one that this fault is for."""
        if self.left == 0 or self.operation not in (None, operation):
            return False
        return self.keys is None or any(key in self.keys for key in keys)

    def strike(self) -> None:
        """Raise the error, unless the call is one of those to let pass."""
        if self.after:
            self.after -= 1
            return
        self.left -= 1
        raise self.error()

    def __str__(self) -> str:
        after = f", after {self.after} more calls" if self.after else ""
        return f"{self.error().code} for {self.operation or 'any operation'}, {self.left} of them left{after}"
