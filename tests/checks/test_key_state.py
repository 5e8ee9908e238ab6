"""Operations are refused in key states; which in which stands in test_key_states.py."""

from __future__ import annotations

import pytest
from answers import STATES, unfit
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS


@pytest.mark.parametrize("state", STATES)
def test_a_state_set_by_the_test_is_the_state_that_is_described(kms: FakeKMS, state: str) -> None:
    """`key.state = ...` arranges every state there is; `Enabled` is true in that state alone."""
    key = kms.create_key()

    key.state = state

    metadata = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert state == metadata["KeyState"]
    assert (state == "Enabled") == metadata["Enabled"]
    assert (state == "PendingDeletion") == ("DeletionDate" in metadata)


def test_the_source_is_told_before_the_destination(kms: FakeKMS) -> None:
    """ReEncrypt between two unfit keys names the source."""
    source, destination = kms.create_key(), kms.create_key(state="Creating")
    blob = kms.encrypt(source, b"x")
    source.state = "Disabled"

    with pytest.raises(ClientError) as excinfo:
        kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination.id)

    assert unfit(source.arn, "Disabled") == excinfo.value.response["Error"]


def test_a_dry_run_is_refused_in_an_unfit_state(kms: FakeKMS) -> None:
    """A dry run looks at the state as the real call does."""
    key = kms.create_key(state="Disabled")

    with pytest.raises(ClientError) as excinfo:
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x", DryRun=True)

    assert unfit(key.arn, "Disabled") == excinfo.value.response["Error"]


def test_a_disabled_key_is_caught_by_its_modelled_exception(kms: FakeKMS) -> None:
    """`except client.exceptions.DisabledException` works, as it does for invalid states."""
    key = kms.create_key(state="Disabled")
    client = kms.client

    with pytest.raises(client.exceptions.DisabledException):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
    key.state = "PendingDeletion"
    with pytest.raises(client.exceptions.KMSInvalidStateException):
        client.encrypt(KeyId=key.id, Plaintext=b"x")
