"""What goes wrong: AWS's errors, one class each, and our own mistakes, which begin with `pytest-kms:`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class CloudHsmClusterInUseException(KMSError): ...


class CloudHsmClusterInvalidConfigurationException(KMSError): ...


class CloudHsmClusterNotActiveException(KMSError): ...


class CloudHsmClusterNotFoundException(KMSError): ...


class CloudHsmClusterNotRelatedException(KMSError): ...


class ConflictException(KMSError): ...


class CustomKeyStoreHasCMKsException(KMSError): ...


class CustomKeyStoreInvalidStateException(KMSError): ...


class CustomKeyStoreNameInUseException(KMSError): ...


class CustomKeyStoreNotFoundException(KMSError): ...


class DependencyTimeoutException(KMSError):
    status = 500


class DisabledException(KMSError): ...


class DryRunOperationException(KMSError):
    def __init__(self, *, why: str = "") -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.", why=why)


class ExpiredImportTokenException(KMSError): ...


class ExpiredTokenException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__("The security token included in the request is expired", why=why)


class IncorrectKeyException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__("The key ID in the request does not identify a CMK that can perform this operation.", why=why)


class IncorrectKeyMaterialException(KMSError): ...


class IncorrectTrustAnchorException(KMSError): ...


class InternalFailure(KMSError):
    status = 500


class InvalidAliasNameException(KMSError): ...


class InvalidArnException(KMSError): ...


class InvalidCiphertextException(KMSError):
    def __init__(self, message: str = "", *, why: str) -> None:
        super().__init__(message, why=why)


class InvalidGrantIdException(KMSError): ...


class InvalidGrantTokenException(KMSError): ...


class InvalidImportTokenException(KMSError): ...


class InvalidKeyUsageException(KMSError): ...


class InvalidMarkerException(KMSError): ...


class InvalidSignatureException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
            " Access Key and signing method. Consult the service documentation for details.",
            why=why,
        )


class KeyUnavailableException(KMSError):
    status = 500


class KMSInternalException(KMSError):
    status = 500


class KMSInvalidMacException(KMSError): ...


class KMSInvalidSignatureException(KMSError): ...


class KMSInvalidStateException(KMSError): ...


class LimitExceededException(KMSError): ...


class MalformedPolicyDocumentException(KMSError): ...


class NotAuthorizedException(KMSError): ...


class NotFoundException(KMSError): ...


class OptInRequired(KMSError):
    status = 403


class RequestExpired(KMSError): ...


class SerializationException(KMSError): ...


class ServiceUnavailable(KMSError):
    status = 503


class TagException(KMSError): ...


class ThrottlingException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__(
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
            why=why,
        )


class UnrecognizedClientException(KMSError):
    def __init__(self, *, why: str) -> None:
        super().__init__("The security token included in the request is invalid.", why=why)


class UnsupportedOperationException(KMSError): ...


class ValidationException(KMSError): ...


class XksKeyAlreadyInUseException(KMSError): ...


class XksKeyInvalidConfigurationException(KMSError): ...


class XksKeyNotFoundException(KMSError): ...


class XksProxyIncorrectAuthenticationCredentialException(KMSError): ...


class XksProxyInvalidConfigurationException(KMSError): ...


class XksProxyInvalidResponseException(KMSError): ...


class XksProxyUriEndpointInUseException(KMSError): ...


class XksProxyUriInUseException(KMSError): ...


class XksProxyUriUnreachableException(KMSError): ...


class XksProxyVpcEndpointServiceInUseException(KMSError): ...


class XksProxyVpcEndpointServiceInvalidConfigurationException(KMSError): ...


class XksProxyVpcEndpointServiceNotFoundException(KMSError): ...


COMMON = (
    AccessDeniedException,
    DependencyTimeoutException,
    ExpiredTokenException,
    InternalFailure,
    InvalidSignatureException,
    KeyUnavailableException,
    KMSInternalException,
    OptInRequired,
    RequestExpired,
    ServiceUnavailable,
    ThrottlingException,
    UnrecognizedClientException,
    ValidationException,
)
"""What any operation may end with, whatever botocore's model says: "Common Errors" of the KMS API Reference, as KMS
spells them on the wire, and the failures of KMS itself."""

_CLASSES = {error.__name__: error for error in KMSError.__subclasses__()}


def class_of(code: str) -> type[KMSError]:
    """Return the class of a code; one that a newer botocore knows and this module does not is made."""
    return _CLASSES.get(code) or type(code, (KMSError,), {})


class Mishap(Exception):
    """What a client meets on the way, in place of KMS's answer; it is no error of AWS's.

    `name` is that of an exception of botocore's, or of a spoilt body.
    """

    def __init__(self, name: str, *, why: str) -> None:
        super().__init__(name)
        self.code = name
        self.message = ""
        self.why = why


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


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception, those within a group, and those that it came of, the nearest first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        raised = waiting.pop(0)
        if raised is not None and id(raised) not in seen:
            seen.add(id(raised))
            yield raised
            waiting += [*getattr(raised, "exceptions", ()), raised.__cause__, raised.__context__]
