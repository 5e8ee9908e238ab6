"""A Nitro enclave, and who vouches for it."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_kms.crypto.recipient import (
    KEY_ENCRYPTION_ALGORITHM,
    PCR_BYTES,
    PCRS,
    Identity,
    Malformed,
    attest,
    expect_extra,
    issue,
    make_root,
    open_sealed,
    spki,
)
from pytest_kms.errors import UsageError

if TYPE_CHECKING:
    import datetime as dt

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from mypy_boto3_kms.type_defs import RecipientInfoTypeDef

_PCRS_OF_ALL = range(16)
"""The PCRs that every document tells; the others only where a test gives them."""

_HEX = re.compile(f"[0-9a-fA-F]{{{2 * PCR_BYTES}}}")


class NitroRoot:
    """Who vouches for the enclaves of one fake: made when first asked for, and unknown to every other fake.

    Args:
        random_bytes: where its keys come from.

    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    @property
    def certificate(self) -> bytes:
        """The certificate (DER) that all attestation documents of the fake lead to."""
        return self._authority.certificate

    @cached_property
    def identity(self) -> Identity:
        """What signs the documents of all enclaves of the fake."""
        return issue(self._authority, "enclaves", self._random_bytes)

    @cached_property
    def _authority(self) -> Identity:
        return make_root(self._random_bytes)


class Enclave:
    """A Nitro enclave of the fake, as a test holds it in its hand.

    It has what KMS asks an enclave for, an attestation document, and opens what KMS answers to it alone:

        enclave = kms.enclave(pcrs={0: "9f" * 48})
        answer = client.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient)
        assert enclave.open(answer["CiphertextForRecipient"]) == b"..."

    The private key is never shown; this is no dataclass, since pytest shows all fields of those that differ.

    Args:
        pcrs: the measurements of the enclave, each 48 bytes or 96 hex digits, by number (0 to 31). Of those
            that every enclave has, 0 to 15, those not given are zero, as in debug mode.
        module_id: the enclave's name.
        private_key: its RSA key of 2,048 bits. Answers are sealed to it.
        identity: what signs its documents.
        now: tells the time, as an aware datetime.

    Raises:
        UsageError: a measurement is none.
        NotInstalled: the extra `enclave` is not.

    """

    __slots__ = ("_identity", "_module_id", "_now", "_pcrs", "_private_key")

    def __init__(
        self,
        *,
        pcrs: Mapping[int, str | bytes] | None = None,
        module_id: str,
        private_key: RSAPrivateKey,
        identity: Identity,
        now: Callable[[], dt.datetime],
    ) -> None:
        expect_extra()
        self._pcrs = _measured({} if pcrs is None else pcrs)
        self._module_id = module_id
        self._private_key = private_key
        self._identity = identity
        self._now = now

    def __repr__(self) -> str:
        return f"Enclave(module_id={self.module_id!r}, image_sha384={self.image_sha384!r})"

    @property
    def module_id(self) -> str:
        """The enclave's name, that of its instance in it: `"i-1234567890abcdef0-enc9876543210abcde"`."""
        return self._module_id

    @property
    def pcrs(self) -> Mapping[int, bytes]:
        """The measurements, 48 bytes each, by number: what `kms:RecipientAttestation:PCR<n>` is compared with."""
        return self._pcrs

    @property
    def image_sha384(self) -> str:
        """PCR0 as 96 hex digits: what `kms:RecipientAttestation:ImageSha384` is compared with."""
        return self._pcrs[0].hex()

    @property
    def attestation_document(self) -> bytes:
        """A signed document about the enclave, stamped with the present moment of the fake (COSE_Sign1 in CBOR)."""
        return attest(
            self._identity,
            module_id=self._module_id,
            pcrs=self._pcrs,
            timestamp=self._now(),
            public_key=spki(self._private_key.public_key()),
        )

    @property
    def recipient(self) -> RecipientInfoTypeDef:
        """The parameter `Recipient` of a call, with a new attestation document.

        It is a dict of `"KeyEncryptionAlgorithm"` and `"AttestationDocument"` (bytes), as boto3 takes it.
        """
        return {
            "KeyEncryptionAlgorithm": KEY_ENCRYPTION_ALGORITHM,
            "AttestationDocument": self.attestation_document,
        }

    def open(self, ciphertext_for_recipient: bytes) -> bytes:
        """Open what KMS answered to this enclave.

        Args:
            ciphertext_for_recipient: the answer's `CiphertextForRecipient` (CMS EnvelopedData, DER or BER).

        Returns:
            The plaintext: a decrypted message, a data key, a private key (DER), a shared secret or random bytes.

        Raises:
            UsageError: it is no such answer, one to another enclave, or one that was cut or altered.

        """
        try:
            return open_sealed(self._private_key, ciphertext_for_recipient)
        except Malformed as malformed:
            raise UsageError(
                f"the enclave {self._module_id} cannot open this: {malformed.why}. It opens the"
                " CiphertextForRecipient of a call that had its `enclave.recipient` as Recipient."
            ) from None


def _measured(given: Mapping[int, str | bytes]) -> Mapping[int, bytes]:
    """Return all PCRs of an enclave, by number."""
    if not isinstance(given, Mapping):
        raise UsageError(f"pcrs={reprlib.repr(given)} is no mapping of numbers to measurements, {{0: ...}}")
    for number in given:
        if type(number) is not int or number not in PCRS:
            raise UsageError(f"an enclave has no PCR {reprlib.repr(number)}; it has 0 to {PCRS[-1]}")
    pcrs = {number: bytes(PCR_BYTES) for number in _PCRS_OF_ALL}
    pcrs.update((number, _measurement(number, value)) for number, value in given.items())
    return MappingProxyType(dict(sorted(pcrs.items())))


def _measurement(number: int, value: str | bytes) -> bytes:
    if isinstance(value, bytes) and len(value) == PCR_BYTES:
        return value
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    raise UsageError(f"PCR{number} is {reprlib.repr(value)}; a PCR is {PCR_BYTES} bytes, or {2 * PCR_BYTES} hex digits")
