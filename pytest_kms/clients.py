"""KMS clients for tests: boto3's where it is installed, botocore's where not."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms.surroundings import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_kms import KMSClient


def make(region: str, config: Config | None) -> KMSClient:
    """Make a client that signs with credentials of its own, whatever is configured around it."""
    client: KMSClient = _factory()(
        "kms",
        region_name=region,
        config=config,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    return client


@cache
def _factory() -> Any:
    """Keep one session: making one costs more than making a client."""
    from botocore.session import Session

    # Neither a profile nor a file is looked at: what is configured around the test is not the test's.
    session = Session(
        {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    try:
        import boto3
    except ImportError:
        return session.create_client
    return boto3.Session(botocore_session=session).client
