"""Data keys for use outside of KMS, and random bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.specs import DATA_KEY_BYTES, ENCRYPT_DECRYPT
from pytest_kms.errors import ValidationException
from pytest_kms.operation import CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.operations.encryption import seal
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key


def size_given_once(call: Call) -> None:
    """Refuse a data key of no size, or of two."""
    if ("KeySpec" in call.input) == ("NumberOfBytes" in call.input):
        raise ValidationException("Please specify either number of bytes or key spec.")


def size_given(call: Call) -> None:
    """Refuse random bytes without a number."""
    if "NumberOfBytes" not in call.input:
        raise ValidationException("NumberOfBytes is required.")


@operation(
    "GenerateDataKey",
    takes="KeyId EncryptionContext NumberOfBytes KeySpec DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[size_given_once],
)
def generate_data_key(call: Call, key: Key) -> Answer:
    """Answer a new data key twice: in plaintext, and encrypted under `key`."""
    data_key = _new_data_key(call)
    return {"Plaintext": data_key, **_encrypted(call, key, data_key)}


@operation(
    "GenerateDataKeyWithoutPlaintext",
    takes="KeyId EncryptionContext NumberOfBytes KeySpec DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[size_given_once],
)
def generate_data_key_without_plaintext(call: Call, key: Key) -> Answer:
    """Answer a new data key encrypted under `key`, for somebody who will decrypt it later."""
    return _encrypted(call, key, _new_data_key(call))


@operation(
    "GenerateRandom",
    takes="NumberOfBytes",
    quota=CRYPTOGRAPHIC,
    rules=[size_given],
)
def generate_random(call: Call) -> Answer:
    """Answer random bytes."""
    return {"Plaintext": call.world.random_bytes(call.input["NumberOfBytes"])}


def _new_data_key(call: Call) -> bytes:
    size = call.input.get("NumberOfBytes") or DATA_KEY_BYTES[call.input["KeySpec"]]
    return call.world.random_bytes(size)


def _encrypted(call: Call, key: Key, data_key: bytes) -> Answer:
    context = call.input.get("EncryptionContext", {})
    return {
        "CiphertextBlob": seal(key, data_key, context, origin=ciphertext.FROM_DATA_KEY),
        "KeyId": key.arn,
        "KeyMaterialId": key.material_id.hex(),
    }
