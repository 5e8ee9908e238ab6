"""Is the enclave that is to get the answer one that KMS can trust?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.errors import ValidationException

if TYPE_CHECKING:
    from pytest_kms.operation import Call


def check(call: Call) -> None:
    """Read the attestation document of a call that has a Recipient, and refuse one that is not in order."""
    document = call.input["Recipient"].get("AttestationDocument")
    # AWS's sentences were not found, neither for a document that is missing nor for one that is malformed.
    if document is None:
        raise ValidationException(why="the Recipient has no AttestationDocument")
    from pytest_kms.crypto import recipient  # costs a while to import, and few need it

    try:
        call.attestation = recipient.read(document, call.world.nitro_root.certificate)
    except recipient.Malformed as error:
        raise ValidationException(why=str(error)) from None
