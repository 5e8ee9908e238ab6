"""Encryption of up to 4,096 bytes: Encrypt, Decrypt, ReEncrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import encryption_context
from pytest_kms.crypto import ciphertext, symmetric
from pytest_kms.crypto.specs import ENCRYPT_DECRYPT
from pytest_kms.errors import InvalidCiphertextException, InvalidKeyUsageException, ValidationException
from pytest_kms.operation import CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.targets import (
    DEFAULT_ALGORITHM,
    IGNORE_CIPHERTEXT,
    CiphertextKey,
    KeyId,
    ignores_ciphertext,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

SOURCE = CiphertextKey(
    "SourceKeyId",
    context="SourceEncryptionContext",
    algorithm="SourceEncryptionAlgorithm",
    action="ReEncryptFrom",
)
DESTINATION = KeyId("DestinationKeyId", aliases=True, context="DestinationEncryptionContext", action="ReEncryptTo")


def modifiers_in_dry_run_only(call: Call) -> None:
    """Refuse a missing ciphertext, except in a dry run that asks to do without and names the key."""
    for modifier in call.input.get("DryRunModifiers", ()):
        if modifier != IGNORE_CIPHERTEXT:  # pragma: no cover  # a newer botocore may know others
            raise call.not_supported(f"DryRunModifiers {modifier}", IGNORE_CIPHERTEXT)
    # AWS's sentence for this was not found.
    if call.input.get("DryRunModifiers") and not call.input.get("DryRun"):
        raise ValidationException("DryRunModifiers can only be specified when DryRun is true.")
    if "CiphertextBlob" not in call.input and not ignores_ciphertext(call):
        raise ValidationException(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint:"
            " Member must not be null"
        )


@operation(
    "Encrypt",
    takes="KeyId Plaintext EncryptionContext EncryptionAlgorithm DryRun",
    key=KeyId(aliases=True),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
)
def encrypt(call: Call, key: Key) -> Answer:
    """Encrypt a plaintext under a key."""
    algorithm = _algorithm(call, "EncryptionAlgorithm", key)
    context = call.input.get("EncryptionContext", {})
    return {
        "CiphertextBlob": seal(key, call.input["Plaintext"], context),
        "KeyId": key.arn,
        "EncryptionAlgorithm": algorithm,
    }


@operation(
    "Decrypt",
    takes="KeyId CiphertextBlob EncryptionContext EncryptionAlgorithm DryRun DryRunModifiers",
    key=CiphertextKey(),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[modifiers_in_dry_run_only],
)
def decrypt(call: Call, key: Key) -> Answer:
    """Decrypt a ciphertext with the key that it was made with."""
    algorithm = _algorithm(call, "EncryptionAlgorithm", key)
    if ignores_ciphertext(call):
        return {}
    return {
        "KeyId": key.arn,
        "Plaintext": unseal(key, call.blob, call.input.get("EncryptionContext", {})),
        "EncryptionAlgorithm": algorithm,
        "KeyMaterialId": key.material_id.hex(),
    }


@operation(
    "ReEncrypt",
    takes="CiphertextBlob SourceKeyId SourceEncryptionContext SourceEncryptionAlgorithm DestinationKeyId"
    " DestinationEncryptionContext DestinationEncryptionAlgorithm DryRun DryRunModifiers",
    key=(SOURCE, DESTINATION),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[modifiers_in_dry_run_only],
)
def re_encrypt(call: Call, source: Key, destination: Key) -> Answer:
    """Decrypt a ciphertext and encrypt what was in it under another key: the plaintext never leaves KMS."""
    source_algorithm = _algorithm(call, "SourceEncryptionAlgorithm", source)
    destination_algorithm = _algorithm(call, "DestinationEncryptionAlgorithm", destination)
    if ignores_ciphertext(call):
        return {}
    plaintext = unseal(source, call.blob, call.input.get("SourceEncryptionContext", {}))
    context = call.input.get("DestinationEncryptionContext", {})
    return {
        "CiphertextBlob": seal(destination, plaintext, context),
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": destination_algorithm,
        "SourceKeyMaterialId": source.material_id.hex(),
        "DestinationKeyMaterialId": destination.material_id.hex(),
    }


def seal(key: Key, plaintext: bytes, context: Mapping[str, str], *, origin: bytes = ciphertext.FROM_ENCRYPT) -> bytes:
    """Encrypt under a key of the fake, and remember under which context, to explain a later mismatch."""
    world = key.home.world
    blob = symmetric.seal(
        key.material, key.material_id, plaintext, context, origin=origin, random_bytes=world.random_bytes
    )
    world.remember_context(blob, context)
    return blob


def unseal(key: Key, blob: ciphertext.Blob, context: Mapping[str, str]) -> bytes:
    """Decrypt with a key of the fake.

    Raises:
        InvalidCiphertextException: another context, or a blob that was altered.

    """
    try:
        return symmetric.open_blob(key.material, blob, context)
    except symmetric.Unreadable:
        raise InvalidCiphertextException(why=_why_unreadable(key, blob, context)) from None


def _algorithm(call: Call, member: str, key: Key) -> str:
    algorithm: str = call.input.get(member, DEFAULT_ALGORITHM)
    if algorithm not in key.key_spec.algorithms[key.usage]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    return algorithm


def _why_unreadable(key: Key, blob: ciphertext.Blob, context: Mapping[str, str]) -> str:
    sealed_with = key.home.world.context_of(blob.head)
    if sealed_with is None or sealed_with == context:
        return "the ciphertext was altered"
    return f"the encryption context differs: {encryption_context.difference(sealed_with, context)}"
