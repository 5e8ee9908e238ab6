"""What KMS does: its operations in chapters. Importing this package enters them all in `OPERATIONS`."""

from pytest_kms.operations import (
    aliases,
    data_keys,
    encryption,
    grants,
    imports,
    key_agreement,
    key_stores,
    keys,
    macs,
    policies,
    replicas,
    rotation,
    signing,
    tags,
)

__all__ = [
    "aliases",
    "data_keys",
    "encryption",
    "grants",
    "imports",
    "key_agreement",
    "key_stores",
    "keys",
    "macs",
    "policies",
    "replicas",
    "rotation",
    "signing",
    "tags",
]
