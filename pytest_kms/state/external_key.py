"""A key in an external key manager, which serves a KMS key of an external key store as key material."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_kms.errors import (
    KMSInvalidStateException,
    UsageError,
    XksKeyInvalidConfigurationException,
    XksKeyNotFoundException,
)

AES_256 = "AES_256"
ENABLED = "ENABLED"
STATUSES = (ENABLED, "DISABLED")
ENCRYPT = "ENCRYPT"
DECRYPT = "DECRYPT"

_ID = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_REJECTED = "The external key store proxy rejected the request because"
_NOT_FOUND = f"{_REJECTED} it could not find the external key."


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """What the proxy of an external key store tells about an external key; not `there`: that there is none."""

    spec: str = AES_256
    status: str = ENABLED
    usage: tuple[str, ...] = (ENCRYPT, DECRYPT)
    there: bool = True

    def expect_fit(self) -> None:
        """Refuse to make a KMS key of it.

        Raises:
            XksKeyNotFoundException: there is none.
            XksKeyInvalidConfigurationException: it is not enabled, or of the wrong spec or usage.

        """
        if not self.there:
            raise XksKeyNotFoundException(_NOT_FOUND)
        if self.spec != AES_256:
            raise XksKeyInvalidConfigurationException(
                f"The key spec of the external key must be {AES_256}."
                f" The key spec of specified external key is {self.spec}."
            )
        if self.status != ENABLED:
            raise XksKeyInvalidConfigurationException(
                f"The status of the external key must be {ENABLED}."
                f" The status of specified external key is {self.status}."
            )
        if not {ENCRYPT, DECRYPT}.issubset(self.usage):
            # How AWS shows several usages was not found.
            raise XksKeyInvalidConfigurationException(
                f"The key usage of the external key must include {ENCRYPT} and {DECRYPT}."
                f" The key use of specified external key is {', '.join(self.usage)}."
            )

    def expect_able(self, usage: str, why: str) -> None:
        """Refuse a cryptographic operation of a KMS key that is made of it; `why` says of which external key it is.

        Raises:
            KMSInvalidStateException: it is gone or not enabled, or does not encrypt or decrypt any more.

        """
        if not self.there:
            raise KMSInvalidStateException(_NOT_FOUND, why=why)
        if self.status != ENABLED:
            raise KMSInvalidStateException(
                f"{_REJECTED} the external key is not enabled in the external key manager.", why=why
            )
        if usage not in self.usage:
            raise KMSInvalidStateException(
                f"{_REJECTED} the external key does not support the requested operation.", why=why
            )


FIT = ExternalKey()
"""What the fake takes an external key for, until a test says something else."""


def expect_external_key(id: str, status: str) -> None:  # noqa: A002  # AWS's word
    """Refuse what no proxy could tell."""
    if not _ID.fullmatch(id):
        raise UsageError(f"the id of an external key is 1 to 128 letters, digits, _, . and -; {id!r} is not")
    if status not in STATUSES:
        raise UsageError(f"an external key is {' or '.join(STATUSES)}, not {status!r}")
