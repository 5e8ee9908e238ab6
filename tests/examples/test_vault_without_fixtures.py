"""The same application, tested where fixtures do not reach: in unittest, and within Hypothesis."""

from __future__ import annotations

import unittest
from typing import ClassVar

import vault
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, fake_kms


@fake_kms(region=vault.REGION)
class VaultTest(unittest.TestCase):
    """One fake for the class, as `self.kms`."""

    kms: ClassVar[FakeKMS]

    def setUp(self) -> None:
        """Begin each test with an empty KMS."""
        self.kms.reset()
        self.key = self.kms.create_key(alias=vault.SECRETS_KEY)

    def test_a_secret_comes_back(self) -> None:
        """Tests are written as ever."""
        documents = vault.Vault({})
        documents.put("acme", "pin", b"2580")

        assert b"2580" == documents.get("acme", "pin")
        self.kms.assert_used(self.key, "Decrypt", times=1)

    def test_nothing_is_left_of_other_tests(self) -> None:
        """A reset has forgotten the calls of the test before."""
        self.kms.assert_not_used(self.key)


@fake_kms(region=vault.REGION)
def test_a_decorated_function_gets_a_fake(kms: FakeKMS) -> None:
    """The decorator activates a fake for the function, and hands it over."""
    key = kms.create_key(alias=vault.SECRETS_KEY)

    vault.Vault({}).put("acme", "pin", b"2580")

    kms.assert_used(key, "Encrypt", times=1)


@settings(max_examples=25, deadline=None)
@given(content=st.binary(min_size=1, max_size=64) | st.binary(min_size=4090, max_size=4100))
def test_whatever_is_put_comes_back(content: bytes) -> None:
    """Each example has a fake of its own, on both sides of what KMS encrypts in one call."""
    with fake_kms(region=vault.REGION) as kms:
        kms.create_key(alias=vault.SECRETS_KEY)
        kms.create_key(alias=vault.DOCUMENTS_KEY)
        documents = vault.Vault({})

        documents.put("acme", "anything", content)

        assert content == documents.get("acme", "anything")
