"""Agreement on a secret: DeriveSharedSecret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto import key_agreement
from pytest_kms.crypto.specs import KEY_AGREEMENT
from pytest_kms.errors import ValidationException
from pytest_kms.operation import CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key


@operation(
    "DeriveSharedSecret",
    takes="KeyId KeyAgreementAlgorithm PublicKey Recipient DryRun",
    key=KeyId(aliases=True, algorithm="KeyAgreementAlgorithm"),
    usage=KEY_AGREEMENT,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def derive_shared_secret(call: Call, key: Key) -> Answer:
    """Derive the secret that a key shares with the holder of a public key."""
    try:
        secret = key_agreement.agree(key.key_spec, key.material, call.input["PublicKey"])
    except ValueError as error:
        raise ValidationException(why=f"the PublicKey is none of {key.spec}: {error}") from None
    return {
        "KeyId": key.arn,
        **call.hand_over("SharedSecret", secret),
        "KeyAgreementAlgorithm": call.input["KeyAgreementAlgorithm"],
        "KeyOrigin": key.origin,
    }
