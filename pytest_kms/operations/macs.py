"""Message authentication codes: GenerateMac, VerifyMac."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kms.crypto import macs
from pytest_kms.crypto.specs import GENERATE_VERIFY_MAC
from pytest_kms.errors import KMSInvalidMacException
from pytest_kms.operation import CRYPTOGRAPHIC, UNUSABLE, operation
from pytest_kms.operations.provenance import origin_of
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

KEY = KeyId(aliases=True, algorithm="MacAlgorithm")


@operation(
    "GenerateMac",
    takes="KeyId Message MacAlgorithm DryRun",
    key=KEY,
    usage=GENERATE_VERIFY_MAC,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def generate_mac(call: Call, key: Key) -> Answer:
    """Compute the MAC of a message."""
    algorithm = call.input["MacAlgorithm"]
    mac = macs.compute(key.material, algorithm, call.input["Message"])
    return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": key.arn}


@operation(
    "VerifyMac",
    takes="KeyId Message MacAlgorithm Mac DryRun",
    key=KEY,
    usage=GENERATE_VERIFY_MAC,
    refused_in=UNUSABLE,
    quota=CRYPTOGRAPHIC,
    cross_account=True,
)
def verify_mac(call: Call, key: Key) -> Answer:
    """Say that a MAC is that of a message; one that is not is an error."""
    algorithm = call.input["MacAlgorithm"]
    if not macs.verify(key.material, algorithm, call.input["Message"], call.input["Mac"]):
        raise KMSInvalidMacException(
            why=f"the MAC is not that of this message by {key.label} with {algorithm}"
            + origin_of(call, key, "Mac", "MacAlgorithm", "Message")
        )
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": algorithm}
