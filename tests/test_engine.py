"""The order in which a request is looked at, seen from outside: of two things wrong, which is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms.engine import LIFE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms.type_defs import RecipientInfoTypeDef

    from pytest_kms import FakeKMS

UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"
NO_DOCUMENT: RecipientInfoTypeDef = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}


def throttled_and_invalid(kms: FakeKMS) -> None:
    """Throttle a call that has a member of the wrong length."""
    kms.throttle("Encrypt", times=1)
    kms.client_for(config=Config(retries={"total_max_attempts": 1})).encrypt(KeyId=UNKNOWN, Plaintext=b"x" * 5000)


def invalid_and_unknown(kms: FakeKMS) -> None:
    """Give an unknown key a plaintext that is too long."""
    kms.client.encrypt(KeyId=UNKNOWN, Plaintext=b"x" * 5000)


def unattested_and_unknown(kms: FakeKMS) -> None:
    """Let an unknown key answer an enclave that has no document."""
    kms.client.generate_data_key(KeyId=UNKNOWN, KeySpec="AES_256", Recipient=NO_DOCUMENT)


def unattested_and_throttled(kms: FakeKMS) -> None:
    """Throttle the call of an enclave that has no document."""
    kms.throttle("GenerateRandom", times=1)
    client = kms.client_for(config=Config(retries={"total_max_attempts": 1}))
    client.generate_random(NumberOfBytes=1, Recipient=NO_DOCUMENT)


def unknown_and_contradictory(kms: FakeKMS) -> None:
    """Ask an unknown key for a data key of two sizes."""
    kms.client.generate_data_key(KeyId=UNKNOWN, KeySpec="AES_256", NumberOfBytes=32)


def denied_and_disabled(kms: FakeKMS) -> None:
    """Use an AWS managed key that is disabled."""
    kms.aws_managed_key("s3").state = "Disabled"
    kms.client.encrypt(KeyId="alias/aws/s3", Plaintext=b"x")


def denied_and_contradictory(kms: FakeKMS) -> None:
    """Ask an AWS managed key for a data key of no size."""
    kms.client.generate_data_key(KeyId="alias/aws/s3")


def contradictory_and_disabled(kms: FakeKMS) -> None:
    """Ask a disabled key for a data key of no size."""
    kms.client.generate_data_key(KeyId=kms.create_key(state="Disabled").id)


def contradictory_and_of_another_usage(kms: FakeKMS) -> None:
    """Ask a key that does not encrypt for a data key of no size."""
    kms.client.generate_data_key(KeyId=kms.create_key(spec="HMAC_256").id)


def denied_and_of_another_usage(kms: FakeKMS) -> None:
    """Let an AWS managed key compute a MAC."""
    kms.client.generate_mac(KeyId="alias/aws/s3", Message=b"x", MacAlgorithm="HMAC_SHA_256")


def of_another_usage_and_disabled(kms: FakeKMS) -> None:
    """Encrypt with a disabled key that does not encrypt."""
    kms.client.encrypt(KeyId=kms.create_key(spec="HMAC_256", state="Disabled").id, Plaintext=b"x")


def disabled_and_of_another_algorithm(kms: FakeKMS) -> None:
    """Use a disabled key with an algorithm that it does not have."""
    key = kms.create_key(state="Disabled")
    kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def garbage_and_disabled(kms: FakeKMS) -> None:
    """Decrypt garbage with a disabled key."""
    kms.client.decrypt(KeyId=kms.create_key(state="Disabled").id, CiphertextBlob=b"garbage")


def garbage_and_unknown(kms: FakeKMS) -> None:
    """Decrypt garbage with an unknown key."""
    kms.client.decrypt(KeyId=UNKNOWN, CiphertextBlob=b"garbage")


def other_key_and_disabled(kms: FakeKMS) -> None:
    """Decrypt with another key than the ciphertext's, which is disabled besides."""
    blob = kms.encrypt(kms.create_key(), b"x")
    kms.client.decrypt(KeyId=kms.create_key(state="Disabled").id, CiphertextBlob=blob)


def disabled_and_other_context(kms: FakeKMS) -> None:
    """Decrypt under another context with a disabled key."""
    key = kms.create_key(state="Disabled")
    kms.client.decrypt(CiphertextBlob=kms.encrypt(key, b"x"), EncryptionContext={"a": "b"})


def other_context_and_dry_run(kms: FakeKMS) -> None:
    """Try out a decryption under another context."""
    blob = kms.encrypt(kms.create_key(), b"x")
    kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"}, DryRun=True)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (throttled_and_invalid, "ThrottlingException"),
        (invalid_and_unknown, "ValidationException"),
        (unattested_and_unknown, "ValidationException"),
        (unattested_and_throttled, "ThrottlingException"),
        (unknown_and_contradictory, "NotFoundException"),
        (denied_and_disabled, "AccessDeniedException"),
        (denied_and_contradictory, "AccessDeniedException"),
        (contradictory_and_disabled, "ValidationException"),
        (contradictory_and_of_another_usage, "ValidationException"),
        (denied_and_of_another_usage, "AccessDeniedException"),
        (of_another_usage_and_disabled, "InvalidKeyUsageException"),
        (disabled_and_of_another_algorithm, "DisabledException"),
        (garbage_and_disabled, "InvalidCiphertextException"),
        (garbage_and_unknown, "InvalidCiphertextException"),
        (other_key_and_disabled, "IncorrectKeyException"),
        (disabled_and_other_context, "DisabledException"),
        (other_context_and_dry_run, "InvalidCiphertextException"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_of_two_things_wrong_the_first_is_told(call: Callable[[FakeKMS], None], told: str, kms: FakeKMS) -> None:
    """Each pair is in AWS's order, as far as that is known."""
    with pytest.raises(ClientError) as excinfo:
        call(kms)

    assert told == excinfo.value.response["Error"]["Code"]


def test_the_life_of_a_request_is_one_list() -> None:
    """Whoever reads the engine sees all steps, in order."""
    assert [
        "engine.decode",
        "checks.support.check",
        "engine.identify",
        "checks.faults.check",
        "checks.quotas.check",
        "checks.validation.check",
        "checks.attestation.check",
        "engine.find",
        "checks.grant_tokens.check",
        "checks.authorization.check",
        "engine.rules",
        "checks.key_usage.check",
        "checks.key_state.check",
        "checks.algorithm.check",
        "checks.key_store.check",
        "engine.run",
        "engine.dry_run",
    ] == [f"{step.__module__}.{step.__name__}".removeprefix("pytest_kms.") for step in LIFE]
