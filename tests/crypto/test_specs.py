"""The table of key specs agrees with AWS's own model."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_kms import service
from pytest_kms.crypto.specs import (
    ALGORITHMS_MEMBER,
    AWS_CLOUDHSM,
    AWS_KMS,
    DATA_KEY_BYTES,
    EXTERNAL,
    EXTERNAL_KEY_STORE,
    SPECS,
    Family,
    KeySpec,
)
from pytest_kms.state import quotas

each_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def values_of(operation: str, member: str) -> set[str]:
    """Return the values that AWS's model allows a member of an input."""
    shape: Any = service.input_shape(operation).members[member]
    return set(shape.enum)


def test_there_are_all_specs_of_aws() -> None:
    """And no other, each under its name."""
    assert values_of("CreateKey", "KeySpec") == set(SPECS)
    assert list(SPECS) == [spec.name for spec in SPECS.values()]


@pytest.mark.parametrize(
    ("usage", "operation", "member"),
    [
        ("ENCRYPT_DECRYPT", "Encrypt", "EncryptionAlgorithm"),
        ("SIGN_VERIFY", "Sign", "SigningAlgorithm"),
        ("GENERATE_VERIFY_MAC", "GenerateMac", "MacAlgorithm"),
        ("KEY_AGREEMENT", "DeriveSharedSecret", "KeyAgreementAlgorithm"),
    ],
)
def test_there_are_all_algorithms_of_aws(usage: str, operation: str, member: str) -> None:
    """Each belongs to a spec."""
    algorithms = [algorithm for spec in SPECS.values() for algorithm in spec.algorithms.get(usage, ())]
    assert values_of(operation, member) == set(algorithms)


def test_there_are_all_usages_of_aws() -> None:
    """Each has a member that lists its algorithms."""
    used = {usage for spec in SPECS.values() for usage in spec.algorithms}
    assert values_of("CreateKey", "KeyUsage") == used == set(ALGORITHMS_MEMBER)
    described: Any = service.operation_model("DescribeKey").output_shape
    assert set(ALGORITHMS_MEMBER.values()) <= set(described.members["KeyMetadata"].members)


def test_there_are_all_data_keys_of_aws() -> None:
    """Pairs, and those of a number of bytes."""
    assert values_of("GenerateDataKeyPair", "KeyPairSpec") == {s.name for s in SPECS.values() if s.data_key_pairs}
    assert values_of("GenerateDataKey", "KeySpec") == set(DATA_KEY_BYTES)


def test_there_are_all_origins_of_aws() -> None:
    """Only a symmetric encryption key has all."""
    assert values_of("CreateKey", "Origin") == set(SPECS["SYMMETRIC_DEFAULT"].origins)
    assert {AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE} == set(SPECS["SYMMETRIC_DEFAULT"].origins)


@each_spec
def test_material_is_imported_for_all_but_ml_dsa(spec: KeySpec) -> None:
    """Custom key stores are for symmetric encryption keys alone."""
    expected = (AWS_KMS,) if spec.family is Family.ML_DSA else (AWS_KMS, EXTERNAL)
    assert expected == spec.origins[:2]
    assert (len(spec.origins) == 4) is (spec.family is Family.SYMMETRIC)


@each_spec
def test_a_spec_counts_in_quotas_that_there_are(spec: KeySpec) -> None:
    """Where its keys are, and its pairs."""
    assert quotas.default(spec.pool, "cn-north-1") is not None
    if spec.data_key_pairs:
        assert quotas.default(spec.pair_quota, "cn-north-1") is not None


@each_spec
def test_a_spec_is_asymmetric_if_it_has_a_public_key(spec: KeySpec) -> None:
    """The first letters of its name tell."""
    assert spec.name.startswith(("RSA", "ECC", "ML_DSA", "SM2")) is spec.asymmetric
