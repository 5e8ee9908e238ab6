"""What goes wrong: AWS's errors, one class each, and our own mistakes, which begin with `pytest-kms:`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Unswallowable = BaseException
else:
    # No application catches either. Where pytest runs, it is an outcome of pytest's: after another BaseException
    # in a fixture, pytest would leave the other fixtures as they are.
    _Unswallowable = getattr(sys.modules.get("_pytest.outcomes"), "Failed", BaseException)


class KMSError(Exception):
    """An error that AWS KMS answers. Its code on the wire is the class's name.

    `message` is AWS's sentence; an empty one means that the answer has no message member at all.
    `why` is ours: it is never sent, and stands in the report of a failing test.
    """

    status = 400

    def __init__(self, message: str = "", *, why: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why

    @property
    def code(self) -> str:
        """AWS's code of this error."""
        return type(self).__name__


class AccessDeniedException(KMSError): ...


class AlreadyExistsException(KMSError): ...


class DisabledException(KMSError): ...


class DryRunOperationException(KMSError):
    def __init__(self) -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.")


class IncorrectKeyException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__("The key ID in the request does not identify a CMK that can perform this operation.", why=why)


class InvalidArnException(KMSError): ...


class InvalidCiphertextException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__(why=why)


class InvalidKeyUsageException(KMSError): ...


class InvalidMarkerException(KMSError): ...


class KMSInvalidMacException(KMSError): ...


class KMSInvalidSignatureException(KMSError): ...


class KMSInvalidStateException(KMSError): ...


class NotAuthorizedException(KMSError): ...


class NotFoundException(KMSError): ...


class SerializationException(KMSError): ...


class TagException(KMSError): ...


class ThrottlingException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__(
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
            why=why,
        )


class UnsupportedOperationException(KMSError): ...


class ValidationException(KMSError): ...


class UsageError(Exception):
    """The test asked the fake for something that cannot be: an unknown key, a bad argument."""

    def __init__(self, message: str) -> None:
        super().__init__(f"pytest-kms: {message}")


class Refusal(_Unswallowable):
    """A failure of the test that no `except Exception` of the application under test can swallow."""

    def __init__(self, message: str) -> None:
        super().__init__(f"pytest-kms: {message}")


class NotSupported(Refusal):
    """The application asked for a part of KMS that this version does not have."""


class NotInstalled(NotSupported):
    """The application asked for a part of KMS that needs a library which is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what}: this needs a library that is not installed: pip install 'pytest-kms[{extra}]'")


class OutsideFixture(Refusal):
    """The application called KMS while no fake was active, and `kms_guard` is on."""
