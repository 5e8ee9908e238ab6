"""The names of keys and aliases: ARNs, key ids, alias names."""

from __future__ import annotations

import re
from typing import NamedTuple

KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]+")
ALIAS_PREFIX = "alias/"
RESERVED_ALIAS_PREFIX = "alias/aws/"

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}


class Arn(NamedTuple):
    """The parts of `arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse(text: str) -> Arn | None:
    """Take an ARN apart; None where it is not one of KMS."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "kms":
        return None
    return Arn(*parts[1:])


def partition_of(region: str) -> str:
    """Name the partition that a Region belongs to."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def in_china(region: str) -> bool:
    """Say whether a Region is in China, where KMS has algorithms of its own."""
    return partition_of(region) == "aws-cn"


def of(region: str, account: str, resource: str) -> str:
    """Compose the ARN of `key/ID` or `alias/NAME`."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{resource}"


def of_principal(region: str, account: str, name: str) -> str:
    """Compose the ARN of an IAM identity such as `user/NAME`."""
    return f"arn:{partition_of(region)}:iam::{account}:{name}"


def of_session(region: str, account: str, name: str) -> str:
    """Compose the ARN of a session such as `assumed-role/ROLE/SESSION` or `federated-user/NAME`."""
    return f"arn:{partition_of(region)}:sts::{account}:{name}"
