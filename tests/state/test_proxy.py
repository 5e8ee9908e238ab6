"""External key store proxies: which may be behind a key store."""

from __future__ import annotations

from typing import Any

import pytest
from key_stores import (
    ENDPOINT,
    INVALID_PATH,
    OF_CLUSTER,
    OF_PRIVATE_PROXY,
    OF_PROXY,
    OTHER_VPC_SERVICE,
    PATH,
    VPC_SERVICE,
    create,
    described,
    refusal,
)

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")


@pytest.mark.parametrize("members", [OF_PROXY, OF_PRIVATE_PROXY], ids=["public", "private"])
def test_a_proxy_serves_one_key_store(kms: FakeKMS, members: dict[str, Any]) -> None:
    """Its endpoint and path together are its address."""
    create(kms.client, **OF_PROXY)
    assert {"Code": "XksProxyUriInUseException", "Message": ""} == refusal(kms.client, **members)
    assert f"vault has {ENDPOINT}{PATH}" == kms.trail.last.why


def test_a_public_endpoint_serves_several_key_stores(kms: FakeKMS) -> None:
    """At different paths."""
    create(kms.client, **OF_PROXY)
    assert create(kms.client, "other", **{**OF_PROXY, "XksProxyUriPath": "/kms/xks/v1"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(OF_PROXY, OF_PRIVATE_PROXY, id="public, then private"),
        pytest.param(OF_PRIVATE_PROXY, OF_PROXY, id="private, then public"),
        pytest.param(
            OF_PRIVATE_PROXY,
            {**OF_PRIVATE_PROXY, "XksProxyVpcEndpointServiceName": OTHER_VPC_SERVICE},
            id="private, then private",
        ),
    ],
)
def test_a_private_endpoint_serves_one_key_store(kms: FakeKMS, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Its DNS name is its own, whatever the path."""
    create(kms.client, **first)
    error = refusal(kms.client, **{**second, "XksProxyUriPath": "/kms/xks/v1"})
    assert {"Code": "XksProxyUriEndpointInUseException", "Message": ""} == error
    why = f"vault has {ENDPOINT}, and only public endpoints serve several key stores"
    assert why == kms.trail.last.why


def test_an_endpoint_service_serves_one_key_store(kms: FakeKMS) -> None:
    """Whatever its DNS name is."""
    create(kms.client, "cluster", **OF_CLUSTER)
    create(kms.client, **OF_PRIVATE_PROXY)
    error = refusal(kms.client, **{**OF_PRIVATE_PROXY, "XksProxyUriEndpoint": "https://other.example.com"})
    assert {"Code": "XksProxyVpcEndpointServiceInUseException", "Message": ""} == error
    assert f"vault has {VPC_SERVICE}" == kms.trail.last.why


def test_an_endpoint_service_of_another_region_is_not_found(kms: FakeKMS) -> None:
    """Its name tells where it is."""
    error = refusal(kms.client_for(region="eu-west-1"), **OF_PRIVATE_PROXY)
    assert {"Code": "XksProxyVpcEndpointServiceNotFoundException", "Message": ""} == error
    assert f"{VPC_SERVICE} is an endpoint service of another Region than eu-west-1" == kms.trail.last.why


def test_a_public_proxy_is_tried_at_once(kms: FakeKMS) -> None:
    """There is one version of its API, so that nothing is at a path of another one."""
    error = refusal(kms.client, **{**OF_PROXY, "XksProxyUriPath": "/kms/xks/v2"})
    assert {"Code": "XksProxyInvalidConfigurationException", "Message": INVALID_PATH} == error
    why = "the proxy API has no other version than /kms/xks/v1, so nothing is at /kms/xks/v2"
    assert why == kms.trail.last.why


def test_a_private_proxy_is_tried_when_it_is_to_be_connected(kms: FakeKMS) -> None:
    """Only then does KMS find nothing at its path; an update mends that."""
    client = kms.client
    store_id = create(client, **{**OF_PRIVATE_PROXY, "XksProxyUriPath": "/kms/xks/v2"})
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(seconds=15)
    entry = described(client, store_id)
    assert ("FAILED", "XKS_PROXY_INVALID_CONFIGURATION") == (entry["ConnectionState"], entry["ConnectionErrorCode"])

    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(seconds=5)
    client.update_custom_key_store(CustomKeyStoreId=store_id, XksProxyUriPath="/kms/xks/v1")
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(seconds=15)
    assert "CONNECTED" == described(client, store_id)["ConnectionState"]
