"""Who calls KMS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An IAM identity. The access key of a request names it."""

    arn: str
    account: str
