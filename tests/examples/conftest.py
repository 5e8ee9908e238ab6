"""What the tests of the application share. It lies beside them, in a folder that is on pytest's `pythonpath`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_kms import FakeKMS, Key

# The application makes a client when it is imported: botocore is not to look for credentials on the network then.
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

import vault


@pytest.fixture
def secrets_key(kms: FakeKMS) -> Key:
    """Make the key that small documents are encrypted with."""
    return kms.create_key(alias=vault.SECRETS_KEY)


@pytest.fixture
def documents_key(kms: FakeKMS) -> Key:
    """Make the key that gives data keys for everything larger."""
    return kms.create_key(alias=vault.DOCUMENTS_KEY)
