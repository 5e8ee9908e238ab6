"""Encryption of up to 4,096 bytes: Encrypt, Decrypt, ReEncrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms import encryption_context
from pytest_kms.crypto import asymmetric, ciphertext, symmetric
from pytest_kms.crypto.specs import ENCRYPT_DECRYPT, EXTERNAL_KEY_STORE, SYMMETRIC_DEFAULT
from pytest_kms.errors import InvalidCiphertextException, ValidationException
from pytest_kms.operation import CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.service import ENVELOPE
from pytest_kms.targets import IGNORE_CIPHERTEXT, CiphertextKey, KeyId, ignores_ciphertext

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
DESTINATION = KeyId(
    "DestinationKeyId",
    aliases=True,
    context="DestinationEncryptionContext",
    algorithm="DestinationEncryptionAlgorithm",
    action="ReEncryptTo",
)


def modifiers_in_dry_run_only(call: Call) -> None:
    """Refuse a missing ciphertext, except in a dry run that asks to do without and names the key."""
    modifiers = call.input.get("DryRunModifiers")
    if not modifiers and "CiphertextBlob" in call.input:
        return  # the way of most calls
    for modifier in modifiers or ():
        if modifier != IGNORE_CIPHERTEXT:  # pragma: no cover  # a newer botocore may know others
            raise call.not_supported(f"DryRunModifiers {modifier}", IGNORE_CIPHERTEXT)
    # AWS's sentence for this was not found.
    if modifiers and not call.input.get("DryRun"):
        raise ValidationException("DryRunModifiers can only be specified when DryRun is true.")
    if "CiphertextBlob" not in call.input and not ignores_ciphertext(call):
        raise ValidationException(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint:"
            " Member must not be null"
        )


@operation(
    "Encrypt",
    takes="KeyId Plaintext EncryptionContext EncryptionAlgorithm DryRun",
    key=KeyId(aliases=True, algorithm="EncryptionAlgorithm"),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def encrypt(call: Call, key: Key) -> Answer:
    """Encrypt a plaintext under a key."""
    algorithm = call.input.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = call.input.get("EncryptionContext", {})
    return {
        "CiphertextBlob": seal(key, call.input["Plaintext"], context, algorithm=algorithm),
        "KeyId": key.arn,
        "EncryptionAlgorithm": algorithm,
    }


@operation(
    "Decrypt",
    takes="KeyId CiphertextBlob EncryptionContext EncryptionAlgorithm Recipient DryRun DryRunModifiers",
    key=CiphertextKey(),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[modifiers_in_dry_run_only],
    cross_account=True,
)
def decrypt(call: Call, key: Key) -> Answer:
    """Decrypt a ciphertext with the key that it was made with."""
    if ignores_ciphertext(call):
        return {}
    algorithm = call.input.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    plaintext = unseal(key, _ciphertext(call), call.input.get("EncryptionContext", {}), algorithm=algorithm)
    answer = call.hand_over("Plaintext", plaintext)
    answer["KeyId"] = key.arn
    answer["EncryptionAlgorithm"] = algorithm
    if call.blob is not None and not call.attestation:
        answer["KeyMaterialId"] = call.blob.material_id.hex()
    return answer


@operation(
    "ReEncrypt",
    takes="CiphertextBlob SourceKeyId SourceEncryptionContext SourceEncryptionAlgorithm DestinationKeyId"
    " DestinationEncryptionContext DestinationEncryptionAlgorithm DryRun DryRunModifiers",
    key=(SOURCE, DESTINATION),
    usage=ENCRYPT_DECRYPT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    rules=[modifiers_in_dry_run_only],
    cross_account=True,
)
def re_encrypt(call: Call, source: Key, destination: Key) -> Answer:
    """Decrypt a ciphertext and encrypt what was in it under another key: the plaintext never leaves KMS."""
    if ignores_ciphertext(call):
        return {}
    source_algorithm = call.input.get("SourceEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    source_context = call.input.get("SourceEncryptionContext", {})
    plaintext = unseal(source, _ciphertext(call), source_context, algorithm=source_algorithm)
    algorithm = call.input.get("DestinationEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = call.input.get("DestinationEncryptionContext", {})
    return {
        "CiphertextBlob": seal(destination, plaintext, context, algorithm=algorithm),
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
        **({} if call.blob is None else {"SourceKeyMaterialId": call.blob.material_id.hex()}),
        **({} if destination.key_spec.asymmetric else {"DestinationKeyMaterialId": destination.material_id.hex()}),
    }


def seal(
    key: Key,
    plaintext: bytes,
    context: Mapping[str, str],
    *,
    algorithm: str = SYMMETRIC_DEFAULT,
    origin: bytes = ciphertext.FROM_ENCRYPT,
) -> bytes:
    """Encrypt under a key of the fake.

    Raises:
        ValidationException: an asymmetric key is given an encryption context, or more than it can encrypt.

    """
    world = key.home.world
    if algorithm != SYMMETRIC_DEFAULT:
        _expect_no_context(context)
        longest = asymmetric.longest_plaintext(key.key_spec, algorithm)
        if len(plaintext) > longest:
            raise ValidationException(
                f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {longest} bytes.",
                why=f"the plaintext has {len(plaintext)} bytes. {ENVELOPE}",
            )
        return asymmetric.encrypt(key.key_spec, key.material, algorithm, plaintext, world.random_bytes)
    current = key.current_material
    return symmetric.seal(
        current.content, current.id, plaintext, context, origin=origin, random_bytes=world.random_bytes
    )


def unseal(
    key: Key, blob: ciphertext.Blob | bytes, context: Mapping[str, str], *, algorithm: str = SYMMETRIC_DEFAULT
) -> bytes:
    """Decrypt with a key of the fake: a symmetric ciphertext that was taken apart, or any asymmetric one.

    Raises:
        InvalidCiphertextException: another context, key or algorithm, or a ciphertext that was altered.
        ValidationException: an asymmetric key is given an encryption context.

    """
    try:
        if isinstance(blob, ciphertext.Blob):
            return symmetric.open_blob(key.backing.material(blob.material_id).content, blob, context)
        _expect_no_context(context)
        return asymmetric.decrypt(key.key_spec, key.material, algorithm, blob)
    except symmetric.Unreadable:
        message = _REJECTED if key.store is not None and key.store.kind == EXTERNAL_KEY_STORE else ""
        raise InvalidCiphertextException(message, why=_why_unreadable(key, blob, context, algorithm)) from None


_REJECTED = (
    "The external key store proxy rejected the request because the specified ciphertext or additional authenticated"
    " data is corrupted, missing, or otherwise invalid."
)


def _ciphertext(call: Call) -> ciphertext.Blob | bytes:
    """Return the ciphertext: in its parts, where it is symmetric."""
    blob: ciphertext.Blob | bytes = call.blob or call.input["CiphertextBlob"]
    return blob


def _expect_no_context(context: Mapping[str, str]) -> None:
    if context:
        raise ValidationException("EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.")


def _why_unreadable(key: Key, blob: ciphertext.Blob | bytes, context: Mapping[str, str], algorithm: str) -> str:
    if not isinstance(blob, ciphertext.Blob):
        return _why_not_of(key, blob, algorithm)
    sealed_with = key.home.world.context_of(blob.head)
    if sealed_with is None or sealed_with == context:
        return "the ciphertext was altered"
    return f"the encryption context differs: {encryption_context.difference(sealed_with, context)}"


def _why_not_of(key: Key, blob: bytes, algorithm: str) -> str:
    """Say which call made an asymmetric ciphertext, if one of this fake did."""
    world = key.home.world
    found = world.trail.maker_of("CiphertextBlob", blob)
    if found is None:
        return f"the ciphertext was made for another key than {key.label} or with another algorithm, or was altered"
    number, told = found
    made = world.label_of(told.answer["KeyId"]), told.answer.get("EncryptionAlgorithm")
    return (
        f"call {number}, {told.operation.name}, made the ciphertext for {made[0]} with {made[1]}, not for"
        f" {key.label} with {algorithm}"
    )
