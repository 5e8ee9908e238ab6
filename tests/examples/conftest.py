"""Let the tests import the application, which lies beside them, as `vault`; and what they share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_kms import FakeKMS, Key

sys.path.insert(0, str(Path(__file__).parent))

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
