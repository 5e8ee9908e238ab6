"""Data keys and data key pairs for use outside of KMS, and random bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.specs import AWS_CLOUDHSM, DATA_KEY_BYTES, ENCRYPT_DECRYPT, SPECS
from pytest_kms.errors import InvalidKeyUsageException, UnsupportedOperationException, ValidationException
from pytest_kms.operation import CRYPTOGRAPHIC, DATA_KEY_PAIRS, UNUSABLE, operation
from pytest_kms.operations.encryption import seal
from pytest_kms.operations.keys import expect_spec_in_region
from pytest_kms.state import key as states
from pytest_kms.targets import KeyId, KeyStoreId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key
    from pytest_kms.state.key_store import CustomKeyStore

# What is Unavailable is in a key store, and that is told in words of its own.
UNUSABLE_ELSEWHERE = UNUSABLE - {states.UNAVAILABLE}


def size_given_once(call: Call) -> None:
    """Refuse a data key of no size, or of two."""
    if ("KeySpec" in call.input) == ("NumberOfBytes" in call.input):
        why = "the call has both" if "KeySpec" in call.input else "the call has neither NumberOfBytes nor KeySpec"
        raise ValidationException("Please specify either number of bytes or key spec.", why=why)


def size_given(call: Call) -> None:
    """Refuse random bytes without a number."""
    if "NumberOfBytes" not in call.input:
        raise ValidationException("NumberOfBytes is required.")


@operation(
    "GenerateDataKey",
    takes="KeyId EncryptionContext NumberOfBytes KeySpec Recipient DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[size_given_once],
    cross_account=True,
)
def generate_data_key(call: Call, key: Key) -> Answer:
    """Answer a new data key twice: in plaintext, and encrypted under `key`."""
    data_key = _new_data_key(call)
    answer = _encrypted(call, key, data_key)
    answer.update(call.hand_over("Plaintext", data_key))
    if call.attestation:
        del answer["KeyMaterialId"]
    return answer


@operation(
    "GenerateDataKeyWithoutPlaintext",
    takes="KeyId EncryptionContext NumberOfBytes KeySpec DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[size_given_once],
    cross_account=True,
)
def generate_data_key_without_plaintext(call: Call, key: Key) -> Answer:
    """Answer a new data key encrypted under `key`, for somebody who will decrypt it later."""
    return _encrypted(call, key, _new_data_key(call))


@operation(
    "GenerateDataKeyPair",
    takes="KeyId KeyPairSpec EncryptionContext Recipient DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE_ELSEWHERE,
    quota=DATA_KEY_PAIRS,
    cross_account=True,
)
def generate_data_key_pair(call: Call, key: Key) -> Answer:
    """Answer a new key pair: its public key, and its private key in plaintext and encrypted under `key`."""
    answer, private_key = _new_data_key_pair(call, key)
    return answer | call.hand_over("PrivateKeyPlaintext", private_key)


@operation(
    "GenerateDataKeyPairWithoutPlaintext",
    takes="KeyId KeyPairSpec EncryptionContext DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE_ELSEWHERE,
    quota=DATA_KEY_PAIRS,
    cross_account=True,
)
def generate_data_key_pair_without_plaintext(call: Call, key: Key) -> Answer:
    """Answer a new key pair whose private key is encrypted under `key`, for somebody who will decrypt it later."""
    answer, _ = _new_data_key_pair(call, key)
    return answer


@operation(
    "GenerateRandom",
    takes="NumberOfBytes CustomKeyStoreId Recipient",
    key=KeyStoreId(),
    quota=CRYPTOGRAPHIC,
    rules=[size_given],
)
def generate_random(call: Call, store: CustomKeyStore | None) -> Answer:
    """Answer random bytes, on request those of an AWS CloudHSM cluster."""
    if store is not None:
        if store.kind != AWS_CLOUDHSM:
            # AWS's sentence was not found.
            raise UnsupportedOperationException(why=f"{store.name} is an external key store, which has no random bytes")
        store.expect_at_work()
    return call.hand_over("Plaintext", call.world.random_bytes(call.input["NumberOfBytes"]))


def _new_data_key(call: Call) -> bytes:
    size = call.input.get("NumberOfBytes") or DATA_KEY_BYTES[call.input["KeySpec"]]
    return call.world.random_bytes(size)


def _encrypted(call: Call, key: Key, data_key: bytes) -> Answer:
    if key.key_spec.asymmetric:
        raise InvalidKeyUsageException("You cannot generate a data key with an asymmetric CMK", why=_asymmetric(key))
    return {
        "CiphertextBlob": _seal(call, key, data_key),
        "KeyId": key.arn,
        "KeyMaterialId": key.material_id.hex(),
    }


def _asymmetric(key: Key) -> str:
    return f"{key.label} is of the spec {key.spec}; it takes a key of SYMMETRIC_DEFAULT"


def _new_data_key_pair(call: Call, key: Key) -> tuple[Answer, bytes]:
    """Make a pair, and return the answer without the private key in plaintext, and that."""
    if key.key_spec.asymmetric:
        raise InvalidKeyUsageException(
            "You cannot generate a data key pair with an asymmetric CMK", why=_asymmetric(key)
        )
    if key.store is not None or key.state == states.UNAVAILABLE:
        # AWS's sentence was not found.
        raise UnsupportedOperationException(
            why=f"{key.label} is in a custom key store, which protects no data key pairs"
        )
    spec = SPECS[call.input["KeyPairSpec"]]
    expect_spec_in_region(spec, call.region)
    private_key, public_key = call.world.new_pair(spec)
    answer = {
        "PrivateKeyCiphertextBlob": _seal(call, key, private_key),
        "PublicKey": public_key,
        "KeyId": key.arn,
        "KeyPairSpec": spec.name,
        "KeyMaterialId": key.material_id.hex(),
    }
    return answer, private_key


def _seal(call: Call, key: Key, secret: bytes) -> bytes:
    return seal(key, secret, call.input.get("EncryptionContext", {}), origin=ciphertext.FROM_DATA_KEY)
