"""Signatures: published vectors, and the table of algorithms."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from optional import needs_ed25519ph, needs_ml_dsa

from pytest_kms import service
from pytest_kms.crypto import material, signatures
from pytest_kms.crypto.rsa_pool import Pool
from pytest_kms.crypto.specs import SPECS, Family

# RFC 8032, section 7.3, "TEST abc": Ed25519ph without a context.
ED25519PH = {
    "secret key": "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "public key": "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "message": "616263",
    "signature": "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
}
PKCS8_OF_ED25519 = bytes.fromhex("302e020100300506032b657004220420")


def random_bytes(size: int) -> bytes:
    """Give bytes that nobody minds."""
    return random.Random(1).randbytes(size)  # noqa: S311  # repeatable on purpose


@needs_ed25519ph
def test_rfc_8032_ed25519ph_abc() -> None:
    """AWS's message is a digest that is hashed again; here it is the RFC's, which is hashed once."""
    vector = {name: bytes.fromhex(digits) for name, digits in ED25519PH.items()}
    private = PKCS8_OF_ED25519 + vector["secret key"]
    algorithm = signatures.ALGORITHMS["ED25519_PH_SHA_512"]
    assert vector["public key"] == material.public_key(Family.EDWARDS_CURVE, private)[-32:]
    assert vector["signature"] == algorithm.sign(private, vector["message"], "DIGEST", random_bytes)
    for message, holds in ((vector["message"], True), (b"abd", False)):
        assert holds == signatures.verifies("ED25519_PH_SHA_512", private, message, "DIGEST", vector["signature"])


@pytest.mark.parametrize("spec", [pytest.param(f"ML_DSA_{size}", marks=needs_ml_dsa) for size in (44, 65, 87)])
def test_mu_is_that_of_fips_204(spec: str) -> None:
    """SHAKE256 of the hashed public key, of two zeros (pure, no context) and of the message."""
    private = material.derive(SPECS[spec], bytes(material.SECRET_BYTES), Pool())
    spki = material.public_key(Family.ML_DSA, private)
    public: Any = load_der_public_key(spki)
    sign = signatures.ALGORITHMS["ML_DSA_SHAKE_256"].sign
    for domain, holds in ((b"\0\0", True), (b"\1\0", False), (b"", False)):
        mu = hashlib.shake_256(hashlib.shake_256(spki[22:]).digest(64) + domain + b"message").digest(64)
        raw, external = (
            sign(private, b"message", "RAW", random_bytes),
            sign(private, mu, "EXTERNAL_MU", random_bytes),
        )
        assert holds == signatures.verifies("ML_DSA_SHAKE_256", private, mu, "EXTERNAL_MU", raw)
        assert holds == signatures.verifies("ML_DSA_SHAKE_256", private, b"message", "RAW", external)
        if holds:
            public.verify(external, b"message")
        else:
            with pytest.raises(InvalidSignature):
                public.verify(external, b"message")


def test_there_is_every_algorithm_of_aws() -> None:
    """The table has what botocore's model has, and what the table of key specs has."""
    model = service.input_shape("Sign").members["SigningAlgorithm"].metadata["enum"]
    of_specs = {algorithm for spec in SPECS.values() for algorithm in spec.algorithms.get("SIGN_VERIFY", ())}
    assert set(model) == set(signatures.ALGORITHMS) == of_specs


def test_the_message_types_are_those_of_aws() -> None:
    """No algorithm takes another, and none takes all."""
    model = set(service.input_shape("Sign").members["MessageType"].metadata["enum"])
    taken = [set(algorithm.message_types) for algorithm in signatures.ALGORITHMS.values()]
    assert model == set().union(*taken)
    assert all(types < model for types in taken)
