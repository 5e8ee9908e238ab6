"""KMS clients for tests: boto3's where it is installed, botocore's where not."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms.errors import UsageError
from pytest_kms.surroundings import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3 import Session
    from botocore.config import Config
    from mypy_boto3_kms import KMSClient


def make(region: str, config: Config | None, credentials: Mapping[str, str] | None = None) -> KMSClient:
    """Make a client that signs with credentials of its own, whatever is configured around it."""
    client: KMSClient = _factory()("kms", region_name=region, config=config, **(credentials or _DEFAULT_CREDENTIALS))
    return client


def session(region: str, credentials: Mapping[str, str]) -> Session:
    """Make a session of boto3 with such credentials.

    Raises:
        UsageError: boto3 is not installed.

    """
    try:
        import boto3
    except ImportError:
        raise UsageError("sessions are boto3's, which is not installed; kms.client_for makes clients without") from None
    return boto3.Session(region_name=region, **credentials)  # type: ignore[arg-type]  # its names are right


_DEFAULT_CREDENTIALS = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}


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
