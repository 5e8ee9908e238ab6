"""Signatures: Sign, Verify, GetPublicKey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto import signatures
from pytest_kms.crypto.specs import ALGORITHMS_MEMBER, SIGN_VERIFY
from pytest_kms.errors import KMSInvalidSignatureException, UnsupportedOperationException, ValidationException
from pytest_kms.operation import BEING_DELETED, CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.operations.provenance import origin_of
from pytest_kms.state import key as states
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

KEY = KeyId(aliases=True, algorithm="SigningAlgorithm")


@operation(
    "Sign",
    takes="KeyId Message MessageType SigningAlgorithm DryRun",
    key=KEY,
    usage=SIGN_VERIFY,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def sign(call: Call, key: Key) -> Answer:
    """Sign a message, or its digest, with a private key that never leaves KMS."""
    algorithm = call.input["SigningAlgorithm"]
    message_type = _message_type(call, key)
    made = signatures.ALGORITHMS[algorithm].sign(
        key.material, call.input["Message"], message_type, call.world.random_bytes
    )
    return {"KeyId": key.arn, "Signature": made, "SigningAlgorithm": algorithm}


@operation(
    "Verify",
    takes="KeyId Message MessageType Signature SigningAlgorithm DryRun",
    key=KEY,
    usage=SIGN_VERIFY,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def verify(call: Call, key: Key) -> Answer:
    """Say that a signature is one of a message by a key; one that is not is an error."""
    algorithm = call.input["SigningAlgorithm"]
    message_type = _message_type(call, key)
    message, signature = call.input["Message"], call.input["Signature"]
    if not signatures.verifies(algorithm, key.material, message, message_type, signature):
        raise KMSInvalidSignatureException(
            why=f"the signature is none of this message ({message_type}) by {key.label} with {algorithm}"
            + origin_of(call, key, "Signature", "SigningAlgorithm", "MessageType", "Message")
        )
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


@operation(
    "GetPublicKey",
    takes="KeyId",
    key=KeyId(aliases=True),
    refused_in=BEING_DELETED | {states.PENDING_IMPORT, states.CREATING},
    cross_account=True,
)
def get_public_key(call: Call, key: Key) -> Answer:  # noqa: ARG001
    """Tell the public key of an asymmetric key, for use outside of KMS."""
    if not key.key_spec.asymmetric:
        raise UnsupportedOperationException(why=f"{key.label} is a key of spec {key.spec}, which has no public key")
    return {
        "KeyId": key.arn,
        "PublicKey": key.public_key,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        ALGORITHMS_MEMBER[key.usage]: list(key.algorithms),
    }


def _message_type(call: Call, key: Key) -> str:
    """Return what kind of message the call has.

    Raises:
        ValidationException: the key or the algorithm takes none of that kind, or a digest has not its length.

    """
    algorithm = call.input["SigningAlgorithm"]
    message_type: str = call.input.get("MessageType", signatures.RAW)
    facts = signatures.ALGORITHMS[algorithm]
    if not any(message_type in signatures.ALGORITHMS[name].message_types for name in key.algorithms):
        raise ValidationException(
            f"Message type {message_type} is incompatible with key spec {key.spec}.",
            why=f"{algorithm} takes {' or '.join(facts.message_types)}",
        )
    if message_type not in facts.message_types:
        raise ValidationException(
            f"Message type {message_type} is incompatible with algorithm {algorithm}.",
            why=f"it takes {' or '.join(facts.message_types)}",
        )
    if message_type != signatures.RAW and len(call.input["Message"]) != facts.digest_bytes:
        what = "External Mu" if message_type == signatures.EXTERNAL_MU else "Digest"
        raise ValidationException(
            f"{what} is invalid length for algorithm {algorithm}.",
            why=f"it has {len(call.input['Message'])} bytes, expected are {facts.digest_bytes}",
        )
    return message_type
