"""What calls say of custom key stores, as several tests say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from answers import error_of

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms.state.key_store import CustomKeyStore

CLUSTER = "cluster-2a23b4cdefg"
OTHER_CLUSTER = "cluster-3a23b4cdefg"
PASSWORD = "kmsPswd7"
TRUST_ANCHOR = """\
-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUWweD0lsfn+2qPcV/oIyylohp0yYwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKY3VzdG9tZXJDQTAgFw0yNjExMjUwNzQ1MzFaGA8yMTI2MTEw
MTA3NDUzMVowFTETMBEGA1UEAwwKY3VzdG9tZXJDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJDiEmwctaacSArY/2l7BOu4xTjSaWTXQA+tCtuv07w88ZHMPHdZ
TCCE5ikCnATf4ro+IMbYburABD0rKGV3oMSjUzBRMB0GA1UdDgQWBBQh29ZaToVQ
I5onjkPF28p33MdFIDAfBgNVHSMEGDAWgBQh29ZaToVQI5onjkPF28p33MdFIDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDZcFVfpyUHddgmhLKK
YYTnXoyVnH0wu85DZoF/aT8/TAIhAKsifZF3nEAkvT5/PK5g1QYb4xZ8I4nDGHoi
7qheQEDg
-----END CERTIFICATE-----
"""
ENDPOINT = "https://xks.example.com"
PATH = "/orders/kms/xks/v1"
SECRET = "correct/horse+battery=staple" + "7" * 20
CREDENTIAL = {"AccessKeyId": "ABCDE2345672FGHIJKLM", "RawSecretAccessKey": SECRET}
VPC_SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
OTHER_VPC_SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0fedcba9876543210"
NO_CLUSTER = (
    "KMS cannot communicate with your CloudHSM cluster. This might be a transient network issue. If you see this error"
    " repeatedly, verify that the Network ACLs and the security group rules for the VPC of your AWS CloudHSM cluster"
    " are correct."
)
INVALID_PATH = (
    "The external key store proxy rejected the request because of an invalid URI path."
    " Verify the URI path for your external key store and update if necessary."
)

OF_CLUSTER: dict[str, Any] = {
    "CloudHsmClusterId": CLUSTER,
    "KeyStorePassword": PASSWORD,
    "TrustAnchorCertificate": TRUST_ANCHOR,
}
OF_PROXY: dict[str, Any] = {
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyUriEndpoint": ENDPOINT,
    "XksProxyUriPath": PATH,
    "XksProxyAuthenticationCredential": CREDENTIAL,
}
OF_PRIVATE_PROXY: dict[str, Any] = {
    **OF_PROXY,
    "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    "XksProxyVpcEndpointServiceName": VPC_SERVICE,
}


def create(client: KMSClient, name: str = "vault", **members: Any) -> str:
    """Make a key store by a call, and return its id."""
    return client.create_custom_key_store(CustomKeyStoreName=name, **members)["CustomKeyStoreId"]


def refusal(client: KMSClient, name: str = "other", **members: Any) -> dict[str, str]:
    """Return the error that making a key store ends with."""
    return error_of(client, "create_custom_key_store", CustomKeyStoreName=name, **members)


def described(client: KMSClient, store_id: str) -> Any:
    """Return what DescribeCustomKeyStores tells about a key store."""
    return client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"][0]


def store_in(kms: FakeKMS, state: str, kind: str = "AWS_CLOUDHSM", **arguments: Any) -> CustomKeyStore:
    """Make a key store and let it come into a connection state as calls do that."""
    store = kms.key_store(kind, "vault", connected=state in ("CONNECTED", "DISCONNECTING"), **arguments)
    client = kms.client
    if state == "FAILED":
        store.fail("INTERNAL_ERROR")
    if state in ("CONNECTING", "FAILED"):
        client.connect_custom_key_store(CustomKeyStoreId=store.id)
    if state == "FAILED":
        kms.clock.advance(minutes=5)
    if state == "DISCONNECTING":
        client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    assert state == described(client, store.id)["ConnectionState"]
    return store


def update_refused(kms: FakeKMS, store: CustomKeyStore, **members: Any) -> dict[str, str]:
    """Return the error that an update ends with; it changes nothing."""
    before = described(kms.client, store.id)
    error = error_of(kms.client, "update_custom_key_store", CustomKeyStoreId=store.id, **members)
    why = kms.trail.last.why
    assert before == described(kms.client, store.id)
    return {**error, "why": why}
