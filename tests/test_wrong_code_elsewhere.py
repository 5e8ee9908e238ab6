"""The wrong code of the examples passes with moto: run, not claimed, for the versions that were tried."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from wrong_code import MISTAKES, Mistake

TRIED = (5, 2)
"""The version of moto that the README speaks of."""


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_moto_lets_it_pass(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No assertion of ours: the code itself ends well."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    installed = tuple(map(int, version("moto").split(".")[:2]))
    with mock_aws():
        role: Any = boto3.client("kms", aws_access_key_id="of-another", aws_secret_access_key="role")
        try:
            mistake.code(boto3.client("kms"), role)
        except (ClientError, LookupError) as error:
            if installed <= TRIED:
                raise
            pytest.skip(f"moto {version('moto')} catches it: {error}; take it off the README's page")
