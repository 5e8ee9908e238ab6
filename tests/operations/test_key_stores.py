"""Custom key stores are made, connected, described, updated, disconnected and deleted as AWS does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of, invalid, members_of, unchecked
from key_stores import (
    CLUSTER,
    CREDENTIAL,
    ENDPOINT,
    INVALID_PATH,
    OF_CLUSTER,
    OF_PRIVATE_PROXY,
    OF_PROXY,
    OTHER_CLUSTER,
    OTHER_VPC_SERVICE,
    PASSWORD,
    PATH,
    SECRET,
    TRUST_ANCHOR,
    VPC_SERVICE,
    create,
    described,
    refusal,
    store_in,
    update_refused,
)

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms.state.key_store import CustomKeyStore

pytestmark = pytest.mark.kms(region="us-east-1")

STATES = ("DISCONNECTED", "CONNECTING", "CONNECTED", "DISCONNECTING", "FAILED")

ALL_OF = {"AWS_CLOUDHSM": OF_CLUSTER, "PUBLIC_ENDPOINT": OF_PROXY, "VPC_ENDPOINT_SERVICE": OF_PRIVATE_PROXY}


def update(client: KMSClient, store: CustomKeyStore, **members: Any) -> Any:
    """Update a key store, and return what is told about it then."""
    assert {} == members_of(client.update_custom_key_store(CustomKeyStoreId=store.id, **members))
    return described(client, store.id)


# CreateCustomKeyStore


@pytest.mark.parametrize("told", [{}, {"CustomKeyStoreType": "AWS_CLOUDHSM"}], ids=["by default", "told"])
def test_a_key_store_of_a_cluster_is_made(kms: FakeKMS, told: dict[str, Any]) -> None:
    """It is not connected, and shows what was told of it but the password."""
    kms.clock.freeze()
    client = kms.client
    answer = members_of(client.create_custom_key_store(CustomKeyStoreName="vault", **OF_CLUSTER, **told))
    store_id = answer["CustomKeyStoreId"]
    assert ["CustomKeyStoreId"] == list(answer)
    assert re.fullmatch("cks-[0-9a-f]{17}", store_id)
    assert described(client, store_id) == {
        "CustomKeyStoreId": store_id,
        "CustomKeyStoreName": "vault",
        "CloudHsmClusterId": CLUSTER,
        "TrustAnchorCertificate": TRUST_ANCHOR,
        "ConnectionState": "DISCONNECTED",
        "CreationDate": kms.clock.now,
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }


def test_an_external_key_store_is_made(kms: FakeKMS) -> None:
    """It is not connected, and shows what was told of it but the secret access key."""
    kms.clock.freeze()
    store_id = create(kms.client, **OF_PROXY)
    assert described(kms.client, store_id) == {
        "CustomKeyStoreId": store_id,
        "CustomKeyStoreName": "vault",
        "ConnectionState": "DISCONNECTED",
        "CreationDate": kms.clock.now,
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConfiguration": {
            "Connectivity": "PUBLIC_ENDPOINT",
            "AccessKeyId": CREDENTIAL["AccessKeyId"],
            "UriEndpoint": ENDPOINT,
            "UriPath": PATH,
        },
    }


@pytest.mark.parametrize(
    ("told", "owner"),
    [({}, "123456789012"), ({"XksProxyVpcEndpointServiceOwner": "210987654321"}, "210987654321")],
    ids=["the caller's", "told"],
)
def test_an_external_key_store_is_reached_by_an_endpoint_service(kms: FakeKMS, told: Any, owner: str) -> None:
    """The service belongs to the caller's account, unless it is told to be another's."""
    store_id = create(kms.client, **OF_PRIVATE_PROXY, **told)
    assert described(kms.client, store_id)["XksProxyConfiguration"] == {
        "Connectivity": "VPC_ENDPOINT_SERVICE",
        "AccessKeyId": CREDENTIAL["AccessKeyId"],
        "UriEndpoint": ENDPOINT,
        "UriPath": PATH,
        "VpcEndpointServiceName": VPC_SERVICE,
        "VpcEndpointServiceOwner": owner,
    }


@pytest.mark.parametrize("members", ALL_OF.values(), ids=ALL_OF)
def test_secrets_are_kept_nowhere(kms: FakeKMS, members: dict[str, Any]) -> None:
    """Neither the trail nor the key store has them, nor do answers show them."""
    store_id = create(kms.client, **members)
    store = kms.key_stores[0]
    kept = [repr(kms.trail[0]), repr(store), repr(described(kms.client, store_id))]
    kept += [repr(getattr(store, name)) for name in type(store).__slots__]
    assert [] == [text for text in kept if PASSWORD in text or SECRET in text or SECRET[:12] in text]
    assert not {"KeyStorePassword", "XksProxyAuthenticationCredential"} & set(kms.trail[0].parameters)
    assert "vault" == kms.trail[0].parameters["CustomKeyStoreName"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        *(
            pytest.param(
                {name: value for name, value in OF_CLUSTER.items() if name != missing},
                f"{missing} is required for CustomKeyStoreType AWS_CLOUDHSM",
                id=f"no {missing}",
            )
            for missing in OF_CLUSTER
        ),
        *(
            pytest.param(
                {name: value for name, value in OF_PROXY.items() if name != missing},
                f"{missing} is required for CustomKeyStoreType EXTERNAL_KEY_STORE",
                id=f"no {missing}",
            )
            for missing in OF_PROXY
            if missing != "CustomKeyStoreType"
        ),
        *(
            pytest.param(
                {**OF_CLUSTER, foreign: OF_PRIVATE_PROXY[foreign]},
                f"{foreign} is not valid for CustomKeyStoreType AWS_CLOUDHSM",
                id=f"{foreign} of a cluster",
            )
            for foreign in OF_PRIVATE_PROXY
            if foreign != "CustomKeyStoreType"
        ),
        *(
            pytest.param(
                {**OF_PROXY, foreign: OF_CLUSTER[foreign]},
                f"{foreign} is not valid for CustomKeyStoreType EXTERNAL_KEY_STORE",
                id=f"{foreign} of a proxy",
            )
            for foreign in OF_CLUSTER
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE"},
            "XksProxyVpcEndpointServiceName is required for XksProxyConnectivity VPC_ENDPOINT_SERVICE",
            id="no XksProxyVpcEndpointServiceName",
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyVpcEndpointServiceName": VPC_SERVICE},
            "XksProxyVpcEndpointServiceName is not valid for XksProxyConnectivity PUBLIC_ENDPOINT",
            id="endpoint service of a public endpoint",
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyVpcEndpointServiceOwner": "123456789012"},
            "XksProxyVpcEndpointServiceOwner is not valid for XksProxyConnectivity PUBLIC_ENDPOINT",
            id="owner of a public endpoint",
        ),
    ],
)
def test_members_of_another_type(kms: FakeKMS, members: dict[str, Any], message: str) -> None:
    """Each type of key store needs its members, and takes no other's."""
    assert {"Code": "ValidationException", "Message": message} == refusal(kms.client, **members)
    assert [] == kms.key_stores


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        pytest.param(
            {"CustomKeyStoreType": "HSM"},
            "Value 'HSM' at 'customKeyStoreType' failed to satisfy constraint:"
            " Member must satisfy enum value set: [AWS_CLOUDHSM, EXTERNAL_KEY_STORE]",
            id="type",
        ),
        pytest.param(
            {**OF_CLUSTER, "CloudHsmClusterId": "cluster-18888888888"},
            "Value 'cluster-18888888888' at 'cloudHsmClusterId' failed to satisfy constraint:"
            " Member must satisfy regular expression pattern: cluster-[2-7a-zA-Z]{11,16}",
            id="cluster",
        ),
        pytest.param(
            {**OF_CLUSTER, "KeyStorePassword": "123456"},
            "Value at 'keyStorePassword' failed to satisfy constraint:"
            " Member must have length greater than or equal to 7",
            id="short password",
        ),
        pytest.param(
            {**OF_CLUSTER, "KeyStorePassword": "1" * 33},
            "Value at 'keyStorePassword' failed to satisfy constraint:"
            " Member must have length less than or equal to 32",
            id="long password",
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyUriEndpoint": "http://xks.example.com"},
            "Value 'http://xks.example.com' at 'xksProxyUriEndpoint' failed to satisfy constraint:"
            " Member must satisfy regular expression pattern: ^https://[a-zA-Z0-9.-]+$",
            id="endpoint",
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyUriPath": "/orders/v1"},
            "Value '/orders/v1' at 'xksProxyUriPath' failed to satisfy constraint: Member must satisfy regular"
            r" expression pattern: ^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$",
            id="path",
        ),
        pytest.param(
            {**OF_PROXY, "XksProxyAuthenticationCredential": {**CREDENTIAL, "RawSecretAccessKey": "s" * 42}},
            "Value at 'xksProxyAuthenticationCredential.rawSecretAccessKey' failed to satisfy constraint:"
            " Member must have length greater than or equal to 43",
            id="secret",
        ),
    ],
)
def test_members_that_aws_does_not_take(kms: FakeKMS, members: dict[str, Any], violation: str) -> None:
    """What violates the model is told, secrets aside."""
    assert invalid(violation) == refusal(unchecked(kms), **members)
    assert [] == kms.key_stores


@pytest.mark.parametrize("members", ALL_OF.values(), ids=ALL_OF)
def test_a_name_is_given_once(kms: FakeKMS, members: dict[str, Any]) -> None:
    """In its account and Region; elsewhere it is free."""
    store = kms.key_store(name="vault")
    assert {"Code": "CustomKeyStoreNameInUseException", "Message": ""} == refusal(kms.client, "vault", **members)
    assert f"{store.id} has the name 'vault'" == kms.trail.last.why
    assert create(kms.client_for(region="eu-west-1"), **OF_PROXY)


def test_an_account_has_ten_key_stores(kms: FakeKMS) -> None:
    """In each Region, of both types together, connected or not."""
    for number in range(5):
        kms.key_store(name=f"cluster {number}")
        kms.key_store("EXTERNAL_KEY_STORE", name=f"proxy {number}", connected=False)
    assert {"Code": "LimitExceededException", "Message": ""} == refusal(kms.client, **OF_CLUSTER)
    assert "Custom key stores is 10 per account and Region" == kms.trail.last.why
    assert create(kms.client_for(region="eu-west-1"), **OF_CLUSTER)
    kms.client.delete_custom_key_store(CustomKeyStoreId=kms.key_stores[1].id)
    assert create(kms.client, **OF_PROXY)


def test_the_quota_of_key_stores_may_be_lowered(kms: FakeKMS) -> None:
    """And it may be turned off."""
    kms.quotas["Custom key stores"] = 1
    create(kms.client, **OF_CLUSTER)
    assert "LimitExceededException" == refusal(kms.client, **OF_PROXY)["Code"]
    kms.quotas.off()
    assert create(kms.client, "other", **OF_PROXY)


# ConnectCustomKeyStore, DisconnectCustomKeyStore, DeleteCustomKeyStore


@pytest.mark.parametrize("members", ALL_OF.values(), ids=ALL_OF)
def test_the_life_of_a_key_store(kms: FakeKMS, members: dict[str, Any]) -> None:
    """Made, connected, used, disconnected, deleted: each step answers nothing."""
    client = kms.client
    store_id = create(client, **members)
    assert {} == members_of(client.connect_custom_key_store(CustomKeyStoreId=store_id))
    kms.clock.advance(minutes=5)
    kind = described(client, store_id)["CustomKeyStoreType"]
    external: Any = {"XksKeyId": "key-1"} if kind == "EXTERNAL_KEY_STORE" else {}
    key_id = client.create_key(Origin=kind, CustomKeyStoreId=store_id, **external)["KeyMetadata"]["KeyId"]
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert {} == members_of(client.disconnect_custom_key_store(CustomKeyStoreId=store_id))
    kms.clock.advance(minutes=1)
    assert {} == members_of(client.delete_custom_key_store(CustomKeyStoreId=store_id))
    assert ([], []) == (client.describe_custom_key_stores()["CustomKeyStores"], kms.key_stores)


WITHOUT_MEMBERS = ("connect_custom_key_store", "disconnect_custom_key_store", "delete_custom_key_store")
LEADS_TO: dict[str, dict[str, str]] = {
    "connect_custom_key_store": {
        "DISCONNECTED": "CONNECTING",
        "CONNECTING": "CONNECTING",
        "CONNECTED": "CONNECTED",
    },
    "disconnect_custom_key_store": {
        "CONNECTING": "DISCONNECTING",
        "CONNECTED": "DISCONNECTING",
        "FAILED": "DISCONNECTING",
    },
    "delete_custom_key_store": {"DISCONNECTED": "gone"},
}


@pytest.mark.parametrize("kind", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("method", WITHOUT_MEMBERS)
def test_an_operation_in_a_connection_state(kms: FakeKMS, method: str, state: str, kind: str) -> None:
    """Each cell of AWS's table of connection states: where it leads, or the refusal, which changes nothing."""
    store = store_in(kms, state, kind)
    after = LEADS_TO[method].get(state)
    if after is None:
        error = error_of(kms.client, method, CustomKeyStoreId=store.id)
        assert {"Code": "CustomKeyStoreInvalidStateException", "Message": ""} == error
        assert kms.trail.last.why.startswith(f"vault is {state}, not ")
        assert state == described(kms.client, store.id)["ConnectionState"]
    else:
        getattr(kms.client, method)(CustomKeyStoreId=store.id)
        assert after == (store.state if store in kms.key_stores else "gone")


@pytest.mark.parametrize("method", [*WITHOUT_MEMBERS, "update_custom_key_store", "describe_custom_key_stores"])
def test_a_key_store_that_is_not_there(kms: FakeKMS, method: str) -> None:
    """Nor is one of another Region."""
    store = kms.key_store(connected=False)
    client = kms.client_for(region="eu-west-1")
    for store_id in ("cks-1234567890abcdef0", store.id):
        error = error_of(client, method, CustomKeyStoreId=store_id)
        assert {"Code": "CustomKeyStoreNotFoundException", "Message": ""} == error
        assert f"eu-west-1 has no custom key store {store_id}" == kms.trail.last.why


@pytest.mark.parametrize("method", [*WITHOUT_MEMBERS, "update_custom_key_store"])
def test_a_key_store_has_to_be_named(kms: FakeKMS, method: str) -> None:
    """Its id is required, and no longer than 64 characters."""
    client = unchecked(kms)
    null = "Value null at 'customKeyStoreId' failed to satisfy constraint: Member must not be null"
    long = "Member must have length less than or equal to 64"
    too_long = f"Value '{'c' * 65}' at 'customKeyStoreId' failed to satisfy constraint: {long}"
    assert invalid(null) == error_of(client, method)
    assert invalid(too_long) == error_of(client, method, CustomKeyStoreId="c" * 65)


def test_a_key_store_with_keys_is_not_deleted(kms: FakeKMS) -> None:
    """Not even where they wait for their own deletion; when they are gone, it is."""
    store = kms.key_store(name="vault")
    key = kms.create_key("orders", key_store=store, state="PendingDeletion")
    kms.create_key()
    store.disconnect()
    error = error_of(kms.client, "delete_custom_key_store", CustomKeyStoreId=store.id)
    assert {"Code": "CustomKeyStoreHasCMKsException", "Message": ""} == error
    assert "vault has alias/orders" == kms.trail.last.why
    kms.clock.advance(days=30)
    kms.client.delete_custom_key_store(CustomKeyStoreId=store.id)
    assert (True, []) == (key.deleted, kms.key_stores)


def test_errors_are_caught_by_their_modelled_exceptions(kms: FakeKMS) -> None:
    """`except client.exceptions.CustomKeyStoreInvalidStateException` works, and so do the others."""
    client = kms.client
    with pytest.raises(client.exceptions.CustomKeyStoreNotFoundException):
        client.connect_custom_key_store(CustomKeyStoreId="cks-1234567890abcdef0")
    with pytest.raises(client.exceptions.CustomKeyStoreInvalidStateException):
        client.disconnect_custom_key_store(CustomKeyStoreId=kms.key_store(connected=False).id)


# DescribeCustomKeyStores


def test_all_key_stores_are_described(kms: FakeKMS) -> None:
    """Those of the account and Region that is asked, sorted by their ids."""
    stores = [kms.key_store() for _ in range(3)]
    kms.key_store(region="eu-west-1")
    kms.key_store(account="210987654321")
    answer = members_of(kms.client.describe_custom_key_stores())
    assert {"CustomKeyStores", "Truncated"} == set(answer)
    assert not answer["Truncated"]
    assert sorted(store.id for store in stores) == [entry["CustomKeyStoreId"] for entry in answer["CustomKeyStores"]]


def test_a_key_store_is_described_by_its_name(kms: FakeKMS) -> None:
    """Or by its id: the two tell the same."""
    store = kms.key_store(name="vault")
    kms.key_store()
    by_name = members_of(kms.client.describe_custom_key_stores(CustomKeyStoreName="vault"))
    assert by_name == members_of(kms.client.describe_custom_key_stores(CustomKeyStoreId=store.id))
    assert [store.id] == [entry["CustomKeyStoreId"] for entry in by_name["CustomKeyStores"]]


def test_a_name_that_no_key_store_has(kms: FakeKMS) -> None:
    """It is not found, though there are others."""
    kms.key_store(name="vault")
    error = error_of(kms.client, "describe_custom_key_stores", CustomKeyStoreName="Vault")
    assert {"Code": "CustomKeyStoreNotFoundException", "Message": ""} == error
    assert "us-east-1 has no custom key store of the name 'Vault'" == kms.trail.last.why


def test_a_key_store_is_named_once(kms: FakeKMS) -> None:
    """By its id or by its name."""
    store = kms.key_store(name="vault")
    assert {
        "Code": "ValidationException",
        "Message": "Specify either a CustomKeyStoreId or a CustomKeyStoreName, not both.",
    } == error_of(kms.client, "describe_custom_key_stores", CustomKeyStoreId=store.id, CustomKeyStoreName="vault")


def test_key_stores_are_described_in_pages(kms: FakeKMS) -> None:
    """boto3's paginator finds all of them."""
    stores = [kms.key_store() for _ in range(5)]
    client = kms.client
    first = client.describe_custom_key_stores(Limit=2)
    assert (2, True) == (len(first["CustomKeyStores"]), first["Truncated"])
    rest = client.describe_custom_key_stores(Marker=first["NextMarker"])
    assert (3, False) == (len(rest["CustomKeyStores"]), rest["Truncated"])

    pages = list(client.get_paginator("describe_custom_key_stores").paginate(PaginationConfig={"PageSize": 2}))
    assert [2, 2, 1] == [len(page["CustomKeyStores"]) for page in pages]
    found = [entry["CustomKeyStoreId"] for page in pages for entry in page["CustomKeyStores"]]
    assert sorted(store.id for store in stores) == found


def test_a_marker_of_nobody(kms: FakeKMS) -> None:
    """Only what an answer gave leads on."""
    error = error_of(kms.client, "describe_custom_key_stores", Marker="nonsense")
    assert {"Code": "InvalidMarkerException", "Message": ""} == error


@pytest.mark.parametrize(("limit", "bound"), [(0, "greater than or equal to 1"), (1001, "less than or equal to 1000")])
def test_a_page_has_1_to_1000_entries(kms: FakeKMS, limit: int, bound: str) -> None:
    """No fewer, no more."""
    violation = f"Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}"
    assert invalid(violation) == error_of(unchecked(kms), "describe_custom_key_stores", Limit=limit)


# UpdateCustomKeyStore

CHANGES: dict[str, dict[str, Any]] = {
    "NewCustomKeyStoreName": {"NewCustomKeyStoreName": "orders"},
    "KeyStorePassword": {"KeyStorePassword": PASSWORD},
    "CloudHsmClusterId": {"CloudHsmClusterId": OTHER_CLUSTER},
    "XksProxyAuthenticationCredential": {"XksProxyAuthenticationCredential": {**CREDENTIAL, "AccessKeyId": "B" * 20}},
    "XksProxyUriPath": {"XksProxyUriPath": "/other/kms/xks/v1"},
    "XksProxyUriEndpoint": {"XksProxyUriEndpoint": "https://other.example.com"},
    "XksProxyConnectivity": {
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyUriEndpoint": "https://other.example.com",
    },
    "XksProxyVpcEndpointServiceName": {"XksProxyVpcEndpointServiceName": OTHER_VPC_SERVICE},
    "XksProxyVpcEndpointServiceOwner": {"XksProxyVpcEndpointServiceOwner": "210987654321"},
}
OF_KIND = {
    "AWS_CLOUDHSM": ("NewCustomKeyStoreName", "KeyStorePassword", "CloudHsmClusterId"),
    "EXTERNAL_KEY_STORE": tuple(name for name in CHANGES if name.startswith(("New", "Xks"))),
}
WHILE_CONNECTED = {
    "AWS_CLOUDHSM": ("NewCustomKeyStoreName",),
    "EXTERNAL_KEY_STORE": ("NewCustomKeyStoreName", "XksProxyAuthenticationCredential", "XksProxyUriPath"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("kind", "change"), [(kind, change) for kind, changes in OF_KIND.items() for change in changes]
)
def test_a_change_in_a_connection_state(kms: FakeKMS, kind: str, change: str, state: str) -> None:
    """Most are made while disconnected alone, some while connected as well."""
    vpc = {"vpc_endpoint_service": VPC_SERVICE} if kind == "EXTERNAL_KEY_STORE" else {}
    store = store_in(kms, state, kind, **vpc)
    if state == "DISCONNECTED" or (state == "CONNECTED" and change in WHILE_CONNECTED[kind]):
        assert state == update(kms.client, store, **CHANGES[change])["ConnectionState"]
    else:
        error = update_refused(kms, store, **CHANGES[change])
        assert ("CustomKeyStoreInvalidStateException", "") == (error["Code"], error["Message"])
        assert error["why"].startswith(f"vault is {state}, not DISCONNECTED")


@pytest.mark.parametrize(
    ("kind", "foreign"),
    [
        (kind, member)
        for kind, others in (("AWS_CLOUDHSM", OF_PRIVATE_PROXY), ("EXTERNAL_KEY_STORE", CHANGES))
        for member in others
        if member in CHANGES and member not in OF_KIND[kind]
    ],
)
def test_a_change_of_another_type(kms: FakeKMS, kind: str, foreign: str) -> None:
    """A key store has no use for the members of the other type."""
    store = store_in(kms, "DISCONNECTED", kind)
    error = update_refused(kms, store, **{foreign: CHANGES[foreign][foreign]})
    message = f"{foreign} is not valid for CustomKeyStoreType {kind}"
    assert ("ValidationException", message) == (error["Code"], error["Message"])


def test_no_change_changes_nothing(kms: FakeKMS) -> None:
    """Nor does one to what is there already."""
    store = store_in(kms, "DISCONNECTED", cluster_id=CLUSTER)
    before = described(kms.client, store.id)
    assert before == update(kms.client, store)
    assert before == update(kms.client, store, NewCustomKeyStoreName="vault", CloudHsmClusterId=CLUSTER)


def test_a_key_store_gets_another_name(kms: FakeKMS) -> None:
    """One that no other has; its old one is free then."""
    store = store_in(kms, "CONNECTED")
    kms.key_store(name="other")
    error = update_refused(kms, store, NewCustomKeyStoreName="other")
    assert ("CustomKeyStoreNameInUseException", "") == (error["Code"], error["Message"])
    assert "orders" == update(kms.client, store, NewCustomKeyStoreName="orders")["CustomKeyStoreName"]
    assert kms.key_store(name="vault")


def test_a_key_store_gets_another_cluster(kms: FakeKMS) -> None:
    """Its keys are there as well: they are described with it."""
    store = store_in(kms, "DISCONNECTED", cluster_id=CLUSTER)
    key = kms.create_key(key_store=store)
    before = described(kms.client, store.id)
    entry = update(kms.client, store, CloudHsmClusterId=OTHER_CLUSTER)
    assert {**before, "CloudHsmClusterId": OTHER_CLUSTER} == entry
    assert OTHER_CLUSTER == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["CloudHsmClusterId"]


def test_a_proxy_gets_other_settings(kms: FakeKMS) -> None:
    """Each is changed alone; the secret is kept nowhere."""
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", endpoint=ENDPOINT, path=PATH)
    configuration = described(kms.client, store.id)["XksProxyConfiguration"]
    for member, shown in (
        ("XksProxyAuthenticationCredential", {"AccessKeyId": "B" * 20}),
        ("XksProxyUriPath", {"UriPath": "/other/kms/xks/v1"}),
        ("XksProxyUriEndpoint", {"UriEndpoint": "https://other.example.com"}),
    ):
        configuration |= shown
        assert configuration == update(kms.client, store, **CHANGES[member])["XksProxyConfiguration"]
    assert SECRET not in repr(list(kms.trail))


def test_an_endpoint_service_gets_another_owner(kms: FakeKMS) -> None:
    """And its name may change while the owner stays."""
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", vpc_endpoint_service=VPC_SERVICE)
    update(kms.client, store, XksProxyVpcEndpointServiceOwner="210987654321")
    configuration = update(kms.client, store, XksProxyVpcEndpointServiceName=OTHER_VPC_SERVICE)["XksProxyConfiguration"]
    assert (OTHER_VPC_SERVICE, "210987654321") == (
        configuration["VpcEndpointServiceName"],
        configuration["VpcEndpointServiceOwner"],
    )


def test_a_proxy_goes_private(kms: FakeKMS) -> None:
    """Its endpoint service belongs to the account, unless it is told to be another's."""
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", path=PATH)
    entry = update(
        kms.client,
        store,
        XksProxyConnectivity="VPC_ENDPOINT_SERVICE",
        XksProxyUriEndpoint="https://private.example.com",
        XksProxyVpcEndpointServiceName=VPC_SERVICE,
    )
    configuration = entry["XksProxyConfiguration"]
    del configuration["AccessKeyId"]
    assert configuration == {
        "Connectivity": "VPC_ENDPOINT_SERVICE",
        "UriEndpoint": "https://private.example.com",
        "UriPath": PATH,
        "VpcEndpointServiceName": VPC_SERVICE,
        "VpcEndpointServiceOwner": "123456789012",
    }


def test_a_proxy_goes_public(kms: FakeKMS) -> None:
    """Nothing is left of its endpoint service, which is free for others."""
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", path=PATH, vpc_endpoint_service=VPC_SERVICE)
    configuration = update(kms.client, store, **CHANGES["XksProxyConnectivity"])["XksProxyConfiguration"]
    del configuration["AccessKeyId"]
    assert configuration == {
        "Connectivity": "PUBLIC_ENDPOINT",
        "UriEndpoint": "https://other.example.com",
        "UriPath": PATH,
    }
    assert kms.key_store("EXTERNAL_KEY_STORE", vpc_endpoint_service=VPC_SERVICE)


@pytest.mark.parametrize(
    ("arguments", "members", "message"),
    [
        pytest.param(
            {},
            {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": VPC_SERVICE},
            "XksProxyUriEndpoint is required for XksProxyConnectivity VPC_ENDPOINT_SERVICE",
            id="private without an endpoint",
        ),
        pytest.param(
            {},
            {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyUriEndpoint": ENDPOINT},
            "XksProxyVpcEndpointServiceName is required for XksProxyConnectivity VPC_ENDPOINT_SERVICE",
            id="private without an endpoint service",
        ),
        pytest.param(
            {"vpc_endpoint_service": VPC_SERVICE},
            {"XksProxyConnectivity": "PUBLIC_ENDPOINT"},
            "XksProxyUriEndpoint is required for XksProxyConnectivity PUBLIC_ENDPOINT",
            id="public without an endpoint",
        ),
        pytest.param(
            {},
            {"XksProxyVpcEndpointServiceName": VPC_SERVICE},
            "XksProxyVpcEndpointServiceName is not valid for XksProxyConnectivity PUBLIC_ENDPOINT",
            id="endpoint service of a public endpoint",
        ),
        pytest.param(
            {},
            {"XksProxyVpcEndpointServiceOwner": "123456789012"},
            "XksProxyVpcEndpointServiceOwner is not valid for XksProxyConnectivity PUBLIC_ENDPOINT",
            id="owner of a public endpoint",
        ),
    ],
)
def test_settings_that_do_not_go_together(kms: FakeKMS, arguments: Any, members: Any, message: str) -> None:
    """Another connectivity needs another endpoint; only a private one has an endpoint service."""
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", **arguments)
    error = update_refused(kms, store, **members)
    assert ("ValidationException", message) == (error["Code"], error["Message"])


@pytest.mark.parametrize(
    ("arguments", "members", "error"),
    [
        pytest.param({}, {"XksProxyUriPath": PATH}, "XksProxyUriInUseException", id="address"),
        pytest.param(
            {"vpc_endpoint_service": VPC_SERVICE},
            {"XksProxyUriEndpoint": "https://private.example.com"},
            "XksProxyUriEndpointInUseException",
            id="endpoint",
        ),
        pytest.param(
            {"vpc_endpoint_service": VPC_SERVICE},
            {"XksProxyVpcEndpointServiceName": OTHER_VPC_SERVICE},
            "XksProxyVpcEndpointServiceInUseException",
            id="endpoint service",
        ),
        pytest.param(
            {"vpc_endpoint_service": VPC_SERVICE},
            {"XksProxyVpcEndpointServiceName": VPC_SERVICE.replace("east", "west")},
            "XksProxyVpcEndpointServiceNotFoundException",
            id="endpoint service elsewhere",
        ),
    ],
)
def test_settings_that_others_have(kms: FakeKMS, arguments: Any, members: Any, error: str) -> None:
    """What is refused when a key store is made is refused when it is updated."""
    kms.key_store("EXTERNAL_KEY_STORE", endpoint=ENDPOINT, path=PATH)
    private = {"endpoint": "https://private.example.com", "vpc_endpoint_service": OTHER_VPC_SERVICE}
    kms.key_store("EXTERNAL_KEY_STORE", path=PATH, **private)  # type: ignore[arg-type]
    endpoint = {} if arguments else {"endpoint": ENDPOINT}
    store = store_in(kms, "DISCONNECTED", "EXTERNAL_KEY_STORE", **arguments, **endpoint)
    assert (error, "") == tuple(update_refused(kms, store, **members)[name] for name in ("Code", "Message"))


@pytest.mark.parametrize(
    ("state", "arguments", "refused"),
    [
        ("DISCONNECTED", {}, True),
        ("CONNECTED", {}, True),
        ("CONNECTED", {"vpc_endpoint_service": VPC_SERVICE}, True),
        ("DISCONNECTED", {"vpc_endpoint_service": VPC_SERVICE}, False),
    ],
)
def test_a_path_with_nothing_there(kms: FakeKMS, state: str, arguments: Any, refused: bool) -> None:  # noqa: FBT001
    """KMS tries it, unless it is not connected with a private proxy."""
    store = store_in(kms, state, "EXTERNAL_KEY_STORE", **arguments)
    if refused:
        error = update_refused(kms, store, XksProxyUriPath="/kms/xks/v2")
        assert ("XksProxyInvalidConfigurationException", INVALID_PATH) == (error["Code"], error["Message"])
    else:
        entry = update(kms.client, store, XksProxyUriPath="/kms/xks/v2")
        assert "/kms/xks/v2" == entry["XksProxyConfiguration"]["UriPath"]


MENDED_BY = {
    "INVALID_CREDENTIALS": ("KeyStorePassword", "XksProxyAuthenticationCredential"),
    "USER_LOCKED_OUT": ("KeyStorePassword",),
    "USER_LOGGED_IN": ("KeyStorePassword",),
    "USER_NOT_FOUND": ("KeyStorePassword",),
    "CLUSTER_NOT_FOUND": ("CloudHsmClusterId",),
    "SUBNET_NOT_FOUND": ("CloudHsmClusterId",),
    "XKS_PROXY_INVALID_CONFIGURATION": ("XksProxyUriPath",),
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": ("XksProxyUriEndpoint", "XksProxyConnectivity"),
    "XKS_PROXY_NOT_REACHABLE": ("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyConnectivity"),
    "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND": ("XksProxyVpcEndpointServiceName", "XksProxyConnectivity"),
    "NETWORK_ERRORS": (),
    "INTERNAL_ERROR": (),
}
REPAIRS = [
    (kind, code, change)
    for kind, changes in OF_KIND.items()
    for code in MENDED_BY
    if code.startswith({"AWS_CLOUDHSM": ("USER", "CLUSTER", "SUBNET")}.get(kind, "XKS"))
    or code in ("INVALID_CREDENTIALS", "NETWORK_ERRORS", "INTERNAL_ERROR")
    for change in changes
]


@pytest.mark.parametrize(("kind", "code", "change"), REPAIRS)
def test_a_connection_is_repaired(kms: FakeKMS, kind: str, code: str, change: str) -> None:
    """Disconnect, update, connect: where the update is the one that AWS names for the error, the connection stands."""
    vpc = {"vpc_endpoint_service": VPC_SERVICE} if kind == "EXTERNAL_KEY_STORE" else {}
    store = kms.key_store(kind, connected=False, **vpc)
    client = kms.client
    store.fail(code)
    client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=5)
    assert code == described(client, store.id)["ConnectionErrorCode"]

    client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=1)
    update(client, store, **CHANGES[change])
    client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=5)

    mended = change in MENDED_BY[code]
    assert ("CONNECTED" if mended else "FAILED") == described(client, store.id)["ConnectionState"]


def test_the_same_cluster_again_repairs_nothing(kms: FakeKMS) -> None:
    """A setting has to change."""
    store = store_in(kms, "DISCONNECTED", cluster_id=CLUSTER)
    store.fail("CLUSTER_NOT_FOUND")
    update(kms.client, store, CloudHsmClusterId=CLUSTER)
    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=5)
    assert "CLUSTER_NOT_FOUND" == described(kms.client, store.id)["ConnectionErrorCode"]


# CreateKey


def test_a_key_is_made_in_a_cluster(kms: FakeKMS) -> None:
    """It is described with its key store and cluster, and shows no id of its material."""
    kms.clock.freeze()
    store = kms.key_store(cluster_id=CLUSTER)
    created = kms.client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store.id)["KeyMetadata"]
    assert created == kms.client.describe_key(KeyId=created["KeyId"])["KeyMetadata"]
    assert created == {
        "AWSAccountId": "123456789012",
        "KeyId": created["KeyId"],
        "Arn": f"arn:aws:kms:us-east-1:123456789012:key/{created['KeyId']}",
        "CreationDate": kms.clock.now,
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_CLOUDHSM",
        "CustomKeyStoreId": store.id,
        "CloudHsmClusterId": CLUSTER,
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }


def test_a_key_is_made_of_an_external_key(kms: FakeKMS) -> None:
    """It is described with its key store and the id of the external key; any that is well formed is taken as there."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    external: Any = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store.id, "XksKeyId": "bb8562717f809024"}
    metadata: Any = kms.client.create_key(**external)["KeyMetadata"]
    assert {**external, "XksKeyId": {"Id": "bb8562717f809024"}} == {
        "Origin": metadata["Origin"],
        "CustomKeyStoreId": metadata["CustomKeyStoreId"],
        "XksKeyId": metadata["XksKeyConfiguration"],
    }
    assert not {"CloudHsmClusterId", "CurrentKeyMaterialId"} & set(metadata)
    blob = kms.client.encrypt(KeyId=metadata["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert b"x" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


def key_refused(kms: FakeKMS, store: CustomKeyStore, **members: Any) -> tuple[str, str, str]:
    """Return code, message and explanation of the error that making a key in a key store ends with."""
    external = {"XksKeyId": "key-1"} if store.kind == "EXTERNAL_KEY_STORE" else {}
    members = {"Origin": store.kind, "CustomKeyStoreId": store.id, **external, **members}
    error = error_of(kms.client, "create_key", **members)
    return error["Code"], error["Message"], kms.trail.last.why


@pytest.mark.parametrize("kind", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
@pytest.mark.parametrize("state", [state for state in STATES if state != "CONNECTED"])
def test_a_key_store_that_is_not_connected_takes_no_key(kms: FakeKMS, kind: str, state: str) -> None:
    """Its connection state is told in the report."""
    store = store_in(kms, state, kind)
    why = f"vault is {state}, not CONNECTED"
    assert ("CustomKeyStoreInvalidStateException", "", why) == key_refused(kms, store)
    assert [] == store.keys


def test_a_key_needs_a_key_store_that_is_there(kms: FakeKMS) -> None:
    """An unknown one is not found."""
    error = error_of(kms.client, "create_key", Origin="AWS_CLOUDHSM", CustomKeyStoreId="cks-1234567890abcdef0")
    assert {"Code": "CustomKeyStoreNotFoundException", "Message": ""} == error


@pytest.mark.parametrize(
    ("kind", "members"),
    [("AWS_CLOUDHSM", {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "a"}), ("EXTERNAL_KEY_STORE", {})],
)
def test_a_key_store_takes_keys_of_its_origin_alone(kms: FakeKMS, kind: str, members: dict[str, str]) -> None:
    """The other origin belongs to the other type."""
    store = kms.key_store(kind, "vault")
    given: dict[str, Any] = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store.id, **members}
    assert {"Code": "UnsupportedOperationException", "Message": ""} == error_of(kms.client, "create_key", **given)
    assert f"keys of vault have the Origin {kind}, not {given['Origin']}" == kms.trail.last.why


@pytest.mark.parametrize(
    ("kind", "code", "error"),
    [
        ("AWS_CLOUDHSM", "INSUFFICIENT_CLOUDHSM_HSMS", "CloudHsmClusterInvalidConfigurationException"),
        ("AWS_CLOUDHSM", "NETWORK_ERRORS", "DependencyTimeoutException"),
        ("EXTERNAL_KEY_STORE", "XKS_PROXY_TIMED_OUT", "DependencyTimeoutException"),
    ],
)
def test_a_key_store_that_is_not_reached_takes_no_key(kms: FakeKMS, kind: str, code: str, error: str) -> None:
    """Though it is connected."""
    store = kms.key_store(kind, "vault")
    store.fail(code)
    assert (error, "", f"the test ordered {code} for vault") == key_refused(kms, store)


def test_an_external_key_serves_one_key(kms: FakeKMS) -> None:
    """In its key store, and until the KMS key is gone for good."""
    store, other = kms.key_store("EXTERNAL_KEY_STORE"), kms.key_store("EXTERNAL_KEY_STORE")
    made: Any = {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "key-1"}
    key_id = kms.client.create_key(CustomKeyStoreId=store.id, **made)["KeyMetadata"]["KeyId"]
    kms.client.create_key(CustomKeyStoreId=other.id, **made)
    kms.client.create_key(CustomKeyStoreId=store.id, **{**made, "XksKeyId": "key-2"})
    kms.client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)

    why = f"{key_id} is made of the external key key-1"
    assert ("XksKeyAlreadyInUseException", "", why) == key_refused(kms, store)
    kms.clock.advance(days=7)
    assert kms.client.create_key(CustomKeyStoreId=store.id, **made)


# what keys in key stores do not do


@pytest.mark.parametrize("kind", ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])
@pytest.mark.parametrize("method", ["generate_data_key_pair", "generate_data_key_pair_without_plaintext"])
def test_keys_in_key_stores_protect_no_data_key_pairs(kms: FakeKMS, method: str, kind: str) -> None:
    """Neither while their key store is there nor while it is away."""
    store = kms.key_store(kind)
    key = kms.create_key("orders", key_store=store)
    for act in (store.connect, store.disconnect):
        act()
        error = error_of(kms.client, method, KeyId=key.id, KeyPairSpec="ECC_NIST_P256")
        assert {"Code": "UnsupportedOperationException", "Message": ""} == error
        assert "alias/orders is in a custom key store, which protects no data key pairs" == kms.trail.last.why


# GenerateRandom


def test_a_cluster_gives_random_bytes(kms: FakeKMS) -> None:
    """As many as are asked for."""
    store = kms.key_store()
    assert 32 == len(kms.client.generate_random(NumberOfBytes=32, CustomKeyStoreId=store.id)["Plaintext"])


def test_an_external_key_store_gives_no_random_bytes(kms: FakeKMS) -> None:
    """Connected or not."""
    store = kms.key_store("EXTERNAL_KEY_STORE", "vault")
    error = error_of(kms.client, "generate_random", NumberOfBytes=32, CustomKeyStoreId=store.id)
    assert {"Code": "UnsupportedOperationException", "Message": ""} == error
    assert "vault is an external key store, which has no random bytes" == kms.trail.last.why


@pytest.mark.parametrize("state", [state for state in STATES if state != "CONNECTED"])
def test_a_cluster_that_is_not_connected_gives_no_random_bytes(kms: FakeKMS, state: str) -> None:
    """Its connection state is told in the report."""
    store = store_in(kms, state)
    error = error_of(kms.client, "generate_random", NumberOfBytes=32, CustomKeyStoreId=store.id)
    assert {"Code": "CustomKeyStoreInvalidStateException", "Message": ""} == error
    assert f"vault is {state}, not CONNECTED" == kms.trail.last.why


def test_random_bytes_need_a_key_store_that_is_there(kms: FakeKMS) -> None:
    """An unknown one is not found."""
    error = error_of(kms.client, "generate_random", NumberOfBytes=32, CustomKeyStoreId="cks-1234567890abcdef0")
    assert {"Code": "CustomKeyStoreNotFoundException", "Message": ""} == error


def test_a_cluster_that_is_not_reached_gives_no_random_bytes(kms: FakeKMS) -> None:
    """The system timed out; botocore tries again, as with every error of a server."""
    store = kms.key_store(name="vault")
    store.fail("NETWORK_ERRORS")
    error = error_of(kms.client, "generate_random", NumberOfBytes=32, CustomKeyStoreId=store.id)
    assert {"Code": "DependencyTimeoutException", "Message": ""} == error
    assert "the test ordered NETWORK_ERRORS for vault" == kms.trail.last.why
    assert len(kms.trail.last.attempts) > 1


def test_random_bytes_of_a_cluster_count_in_its_quota(kms: FakeKMS) -> None:
    """Those of KMS itself do not."""
    kms.quotas["Custom key store request quota (AWS CloudHSM key store)"] = 0
    store = kms.key_store()
    kms.client.generate_random(NumberOfBytes=1)
    error = error_of(kms.client, "generate_random", NumberOfBytes=1, CustomKeyStoreId=store.id)
    assert "ThrottlingException" == error["Code"]
