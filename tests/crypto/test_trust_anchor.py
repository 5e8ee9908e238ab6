"""The certificate of a cluster's owner."""

from __future__ import annotations

import pytest
from cryptography import x509
from key_stores import OF_CLUSTER, create, described, refusal

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")


@pytest.mark.parametrize(
    "certificate",
    ["customerCA.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"],
    ids=["a file's name", "garbage", "no ASCII"],
)
def test_a_trust_anchor_is_a_certificate(kms: FakeKMS, certificate: str) -> None:
    """In PEM. Which cluster it belongs to, the fake does not know."""
    error = refusal(kms.client, **{**OF_CLUSTER, "TrustAnchorCertificate": certificate})
    assert {"Code": "IncorrectTrustAnchorException", "Message": ""} == error
    assert "the TrustAnchorCertificate is no certificate in PEM" == kms.trail.last.why


def test_the_clusters_that_tests_arrange_have_one(kms: FakeKMS) -> None:
    """Any library reads it, and KMS takes it back."""
    store = kms.key_store()
    told = described(kms.client, store.id)["TrustAnchorCertificate"]
    subject = x509.load_pem_x509_certificate(told.encode()).subject.rfc4514_string()
    assert "CN=customer CA of a test,O=pytest-kms" == subject
    assert create(kms.client, **{**OF_CLUSTER, "TrustAnchorCertificate": told})
