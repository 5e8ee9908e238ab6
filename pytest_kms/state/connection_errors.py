"""What can be wrong between KMS and what is behind a custom key store."""

from __future__ import annotations

from pytest_kms.crypto.specs import AWS_CLOUDHSM, EXTERNAL_KEY_STORE
from pytest_kms.errors import UsageError

INSUFFICIENT_HSMS = "INSUFFICIENT_CLOUDHSM_HSMS"
INVALID_PATH = "XKS_PROXY_INVALID_CONFIGURATION"

_OF_BOTH_KINDS = ("INTERNAL_ERROR", "NETWORK_ERRORS", "INVALID_CREDENTIALS")
CONNECTION_ERRORS = {
    AWS_CLOUDHSM: (
        *_OF_BOTH_KINDS,
        "CLUSTER_NOT_FOUND",
        INSUFFICIENT_HSMS,
        "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET",
        "SUBNET_NOT_FOUND",
        "USER_LOCKED_OUT",
        "USER_LOGGED_IN",
        "USER_NOT_FOUND",
    ),
    EXTERNAL_KEY_STORE: (
        *_OF_BOTH_KINDS,
        "XKS_PROXY_ACCESS_DENIED",
        INVALID_PATH,
        "XKS_PROXY_INVALID_RESPONSE",
        "XKS_PROXY_INVALID_TLS_CONFIGURATION",
        "XKS_PROXY_NOT_REACHABLE",
        "XKS_PROXY_TIMED_OUT",
        "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
        "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
    ),
}
"""AWS's `ConnectionErrorCode`, by the kind of key store that each is for."""

MENDED_BY = {
    "INVALID_CREDENTIALS": frozenset({"KeyStorePassword", "XksProxyAuthenticationCredential"}),
    "USER_LOCKED_OUT": frozenset({"KeyStorePassword"}),
    "USER_LOGGED_IN": frozenset({"KeyStorePassword"}),
    "USER_NOT_FOUND": frozenset({"KeyStorePassword"}),
    "CLUSTER_NOT_FOUND": frozenset({"CloudHsmClusterId"}),
    "SUBNET_NOT_FOUND": frozenset({"CloudHsmClusterId"}),
    INVALID_PATH: frozenset({"XksProxyUriPath"}),
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": frozenset({"XksProxyUriEndpoint"}),
    "XKS_PROXY_NOT_REACHABLE": frozenset({"XksProxyUriEndpoint", "XksProxyUriPath"}),
    "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND": frozenset({"XksProxyVpcEndpointServiceName"}),
}
"""The members of UpdateCustomKeyStore that mend a connection, as AWS's documentation of the codes tells it."""

INVALID_PATH_SENTENCE = (
    "The external key store proxy rejected the request because of an invalid URI path."
    " Verify the URI path for your external key store and update if necessary."
)
_NO_CLUSTER_SENTENCE = (
    "KMS cannot communicate with your CloudHSM cluster. This might be a transient network issue. If you see this error"
    " repeatedly, verify that the Network ACLs and the security group rules for the VPC of your AWS CloudHSM cluster"
    " are correct."
)


def expect_connection_error(kind: str, code: str) -> None:
    """Refuse what is no connection error of a kind of key store."""
    codes = CONNECTION_ERRORS[kind]
    if code not in codes:
        raise UsageError(f"the connection errors of {kind} are {', '.join(codes)}; {code!r} is none of them")


def sentence(kind: str, code: str) -> str:
    """Return what AWS says when a cryptographic operation does not get through to what is behind a key store."""
    if kind == AWS_CLOUDHSM:
        return _NO_CLUSTER_SENTENCE
    # AWS's sentences for the other codes were not found.
    return INVALID_PATH_SENTENCE if code == INVALID_PATH else ""
