"""What a client is answered, as the tests of the operations look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS


def members_of(answer: Any) -> dict[str, Any]:
    """Leave out what botocore adds to an answer."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def error_of(client: KMSClient, method: str, **members: Any) -> dict[str, str]:
    """Return the error that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        getattr(client, method)(**members)
    error: dict[str, str] = dict(excinfo.value.response["Error"])  # type: ignore[arg-type]
    return error


def unchecked(kms: FakeKMS) -> KMSClient:
    """Return a client that sends whatever it is given."""
    return kms.client_for(config=Config(parameter_validation=False))


def invalid(*violations: str) -> dict[str, str]:
    """Return AWS's error for members that do not meet their constraints."""
    plural = "s" if len(violations) > 1 else ""
    return {
        "Code": "ValidationException",
        "Message": f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}",
    }
