"""Wrong code that other fakes let pass: here it fails as with AWS, and the same code without the mistake passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import wrong_code
from botocore.exceptions import ClientError
from wrong_code import MISTAKES, Mistake, Orders

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


@pytest.fixture
def role(kms: FakeKMS) -> KMSClient:
    """Give a client of a role that no policy allows anything; a burst of calls is within one second."""
    kms.clock.freeze()
    return kms.client_for(kms.principal(wrong_code.ROLE.partition("123456789012:")[2]))


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_wrong_code_fails(mistake: Mistake, kms: FakeKMS, role: KMSClient) -> None:
    """With AWS's error, or because the code meets what it would meet there."""
    with pytest.raises((ClientError, LookupError)) as failed:
        mistake.code(kms.client, role)

    error = failed.value
    assert mistake.verdict == (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    )


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_same_without_the_mistake_passes(mistake: Mistake, kms: FakeKMS, role: KMSClient) -> None:
    """So that it is the mistake that is caught, and nothing else."""
    mistake.code(kms.client, role, right=True)


# What only an assertion sees


def test_a_cache_that_never_hits_is_seen(kms: FakeKMS) -> None:
    """It costs money and quota, and no answer tells."""
    kms.create_key(alias="orders")
    for right in (True, False):
        orders = Orders(kms.client, right=right)
        blob, before = orders.seal(7), len(kms.trail)
        for _ in range(3):
            orders.open(7, blob)
        assert (1 if right else 3) == len(kms.trail) - before
    with pytest.raises(AssertionError, match="expected Decrypt to be called, twice; it was 4 times"):
        kms.assert_called("Decrypt", times=2)


def test_a_context_that_was_forgotten_is_seen(kms: FakeKMS) -> None:
    """Without one, any data key opens as that of any order."""
    kms.create_key(alias="orders")
    Orders(kms.client, right=True).seal(7)
    kms.assert_used("alias/orders", "GenerateDataKey", encryption_context={"order": "7"}, times=1)

    kms.reset()
    kms.create_key(alias="orders")
    Orders(kms.client, right=False).seal(7)
    with pytest.raises(AssertionError, match="encryption context: order '7' is missing"):
        kms.assert_used("alias/orders", "GenerateDataKey", encryption_context={"order": "7"}, times=1)
