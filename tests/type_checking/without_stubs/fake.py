"""The client where boto3's stubs are not installed: anything, and no error."""

# pyright: standard
# In its strict mode pyright reports whatever it does not know, as of boto3 itself without stubs.

from __future__ import annotations

from pytest_kms import FakeKMS


def test_client(kms: FakeKMS) -> None:
    """Whatever is done with a client is allowed, right or wrong."""
    kms.client.generate_random(NumberOfBytes=8)["Plaintext"].hex()
    kms.client_for(region="eu-west-1").no_such_method(7)
    kms.create_key(alias=7)  # error
