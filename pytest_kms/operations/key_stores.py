"""Custom key stores: create, connect, describe, update, disconnect, delete."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_kms.crypto.specs import AWS_CLOUDHSM, EXTERNAL_KEY_STORE
from pytest_kms.errors import (
    CustomKeyStoreHasCMKsException,
    CustomKeyStoreNotFoundException,
    LimitExceededException,
    ValidationException,
)
from pytest_kms.operation import operation
from pytest_kms.paging import Listing, Pages
from pytest_kms.state import cluster as clusters
from pytest_kms.state import proxy as proxies
from pytest_kms.state.cluster import Cluster
from pytest_kms.state.key_store import CONNECTED, CONNECTING, DISCONNECTED, FAILED
from pytest_kms.state.proxy import PUBLIC_ENDPOINT, VPC_ENDPOINT_SERVICE, Proxy
from pytest_kms.state.quotas import KEY_STORES
from pytest_kms.targets import KeyStoreId

if TYPE_CHECKING:
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.registry import Registry

STORE = KeyStoreId()

_CREDENTIAL = "XksProxyAuthenticationCredential"
_VPC_SERVICE = "XksProxyVpcEndpointServiceName"
_OF_CLUSTER = ("CloudHsmClusterId", "KeyStorePassword", "TrustAnchorCertificate")
_OF_PROXY = ("XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath", _CREDENTIAL)
_OF_VPC = (_VPC_SERVICE, "XksProxyVpcEndpointServiceOwner")

# What is not kept: giving it anew is a change, whatever it was.
_SECRETS = frozenset({"KeyStorePassword", _CREDENTIAL})
# Which field of a proxy each member tells; the credential tells two, and one of them is not kept.
_FIELDS = {
    "XksProxyConnectivity": "connectivity",
    "XksProxyUriEndpoint": "endpoint",
    "XksProxyUriPath": "path",
    _VPC_SERVICE: "vpc_service",
    "XksProxyVpcEndpointServiceOwner": "vpc_owner",
}

# What may be changed while a store is connected: for external key stores more than the documentation of
# CustomKeyStoreInvalidStateException says, but all that the members' own documentation does.
_CHANGED_WHILE_CONNECTED = {
    AWS_CLOUDHSM: frozenset({"NewCustomKeyStoreName"}),
    EXTERNAL_KEY_STORE: frozenset({"NewCustomKeyStoreName", _CREDENTIAL, "XksProxyUriPath"}),
}


def members_fit_type(call: Call) -> None:
    """Refuse members that belong to another type of key store, and the lack of those that belong to this one."""
    members = call.input
    kind = members.get("CustomKeyStoreType", AWS_CLOUDHSM)
    if kind == AWS_CLOUDHSM:
        _expect_members(members, _OF_CLUSTER, (*_OF_PROXY, *_OF_VPC), f"CustomKeyStoreType {kind}")
        return
    _expect_members(members, _OF_PROXY, _OF_CLUSTER, f"CustomKeyStoreType {kind}")
    if members["XksProxyConnectivity"] == PUBLIC_ENDPOINT:
        _expect_members(members, (), _OF_VPC, f"XksProxyConnectivity {PUBLIC_ENDPOINT}")
    else:
        _expect_members(members, (_VPC_SERVICE,), (), f"XksProxyConnectivity {VPC_ENDPOINT_SERVICE}")


def named_once(call: Call) -> None:
    """Refuse to describe a key store by id and name together."""
    if "CustomKeyStoreId" in call.input and "CustomKeyStoreName" in call.input:
        # AWS's sentence was not found.
        raise ValidationException("Specify either a CustomKeyStoreId or a CustomKeyStoreName, not both.")


@operation(
    "CreateCustomKeyStore",
    takes="CustomKeyStoreName CustomKeyStoreType CloudHsmClusterId KeyStorePassword TrustAnchorCertificate"
    " XksProxyConnectivity XksProxyUriEndpoint XksProxyUriPath XksProxyAuthenticationCredential"
    " XksProxyVpcEndpointServiceName XksProxyVpcEndpointServiceOwner",
    rules=[members_fit_type],
)
def create_custom_key_store(call: Call) -> Answer:
    """Make a key store, not connected yet. The password and the secret access key are forgotten at once."""
    members, registry = call.input, call.world.registry(call.region, call.account)
    _expect_room_for_key_store(registry)
    registry.expect_free_name(members["CustomKeyStoreName"])
    backing: Cluster | Proxy
    if "CloudHsmClusterId" in members:
        backing = Cluster(members["CloudHsmClusterId"], members["TrustAnchorCertificate"])
        clusters.expect_usable(registry, backing)
    else:
        owner = {"vpc_owner": call.account} if _VPC_SERVICE in members else {}
        backing = Proxy(**(owner | _fields(members)))
        proxies.expect_usable(registry, backing)
        if not backing.private:
            proxies.expect_answer(backing)
    return {"CustomKeyStoreId": registry.add_key_store(members["CustomKeyStoreName"], backing).id}


@operation("ConnectCustomKeyStore", takes="CustomKeyStoreId", key=STORE)
def connect_custom_key_store(call: Call, store: CustomKeyStore) -> None:  # noqa: ARG001
    """Begin to connect a key store, which takes some time. One that failed has to be disconnected first."""
    store.expect_state(DISCONNECTED, CONNECTING, CONNECTED)
    store.begin_to_connect()


@operation(
    "DescribeCustomKeyStores",
    takes="CustomKeyStoreId CustomKeyStoreName Limit Marker",
    key=STORE,
    rules=[named_once],
    # The default is not documented; an account has 10 of them at the most, unless AWS lets it have more.
    pages=Pages(default=100, maximum=1000),
)
def describe_custom_key_stores(call: Call, store: CustomKeyStore | None) -> Listing:
    """Tell about the key stores of the caller's account and Region, or about one of them."""
    name = call.input.get("CustomKeyStoreName")
    if store is not None:
        stores = {store.id: store}
    else:
        known = call.world.registry(call.region, call.account).key_stores
        stores = {store_id: each for store_id, each in known.items() if name in (None, each.name)}
    if name is not None and not stores:
        # AWS's sentence was not found.
        raise CustomKeyStoreNotFoundException(why=f"{call.region} has no custom key store of the name {name!r}")
    return Listing(sorted(stores), lambda store_id: _entry(stores[store_id]))


@operation(
    "UpdateCustomKeyStore",
    takes="CustomKeyStoreId NewCustomKeyStoreName KeyStorePassword CloudHsmClusterId"
    " XksProxyConnectivity XksProxyUriEndpoint XksProxyUriPath XksProxyAuthenticationCredential"
    " XksProxyVpcEndpointServiceName XksProxyVpcEndpointServiceOwner",
    key=STORE,
)
def update_custom_key_store(call: Call, store: CustomKeyStore) -> None:
    """Give a key store another name, other credentials, or something else behind it that has the same keys."""
    changes = {member: value for member, value in call.input.items() if member != "CustomKeyStoreId"}
    foreign = (*_OF_PROXY, *_OF_VPC) if isinstance(store.backing, Cluster) else _OF_CLUSTER
    _expect_members(changes, (), foreign, f"CustomKeyStoreType {store.kind}")
    connected_too = _CHANGED_WHILE_CONNECTED[store.kind].issuperset(changes)
    store.expect_state(DISCONNECTED, *((CONNECTED,) if connected_too else ()))
    name = changes.get("NewCustomKeyStoreName", store.name)
    store.home.expect_free_name(name, but=store)
    if isinstance(store.backing, Cluster):
        changed = _update_cluster(store, store.backing, changes)
    else:
        changed = _update_proxy(store, store.backing, changes)
    store.name = name
    store.mend(changed | (_SECRETS & changes.keys()))


@operation("DisconnectCustomKeyStore", takes="CustomKeyStoreId", key=STORE)
def disconnect_custom_key_store(call: Call, store: CustomKeyStore) -> None:  # noqa: ARG001
    """Begin to disconnect a key store: its keys are unavailable from now on."""
    store.expect_state(CONNECTED, CONNECTING, FAILED)
    store.begin_to_disconnect()


@operation("DeleteCustomKeyStore", takes="CustomKeyStoreId", key=STORE)
def delete_custom_key_store(call: Call, store: CustomKeyStore) -> None:  # noqa: ARG001
    """Forget a key store without keys; what is behind it stays."""
    store.expect_state(DISCONNECTED)
    if store.keys:
        # AWS's sentence was not found.
        raise CustomKeyStoreHasCMKsException(why=f"{store.name} has {', '.join(key.label for key in store.keys)}")
    del store.home.key_stores[store.id]


def _update_cluster(store: CustomKeyStore, cluster: Cluster, changes: Mapping[str, Any]) -> set[str]:
    """Return the members that change something."""
    cluster_id = changes.get("CloudHsmClusterId", cluster.id)
    if cluster_id == cluster.id:
        return set()
    clusters.expect_related(store.home, cluster_id)
    store.backing = replace(cluster, id=cluster_id)
    return {"CloudHsmClusterId"}


def _update_proxy(store: CustomKeyStore, proxy: Proxy, changes: Mapping[str, Any]) -> set[str]:
    """Return the members that change something."""
    connectivity = changes.get("XksProxyConnectivity", proxy.connectivity)
    what = f"XksProxyConnectivity {connectivity}"
    to_other = connectivity != proxy.connectivity
    if connectivity == PUBLIC_ENDPOINT:
        _expect_members(changes, ("XksProxyUriEndpoint",) if to_other else (), _OF_VPC, what)
        fields = {"vpc_service": None, "vpc_owner": None, **_fields(changes)}
    else:
        _expect_members(changes, ("XksProxyUriEndpoint", _VPC_SERVICE) if to_other else (), (), what)
        fields = {"vpc_owner": proxy.vpc_owner or store.account, **_fields(changes)}
    updated = replace(proxy, **fields)
    proxies.expect_usable(store.home, updated, but=store)
    if store.state == CONNECTED or not updated.private:
        proxies.expect_answer(updated)
    store.backing = updated
    return {member for member, field in _FIELDS.items() if getattr(updated, field) != getattr(proxy, field)}


def _fields(members: Mapping[str, Any]) -> dict[str, Any]:
    """Read what members tell about a proxy."""
    fields = {field: members[member] for member, field in _FIELDS.items() if member in members}
    if _CREDENTIAL in members:
        fields["access_key_id"] = members[_CREDENTIAL]["AccessKeyId"]
    return fields


def _expect_members(members: Collection[str], needed: Collection[str], foreign: Collection[str], what: str) -> None:
    # AWS's sentences were not found.
    for member in needed:
        if member not in members:
            raise ValidationException(f"{member} is required for {what}")
    for member in foreign:
        if member in members:
            raise ValidationException(f"{member} is not valid for {what}")


def _expect_room_for_key_store(registry: Registry) -> None:
    quota = registry.world.quotas.resource(KEY_STORES)
    if len(registry.key_stores) >= quota:
        # AWS's sentence was not found.
        raise LimitExceededException(why=f"{KEY_STORES} is {quota:g} per account and Region")


def _entry(store: CustomKeyStore) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "CustomKeyStoreId": store.id,
        "CustomKeyStoreName": store.name,
        **_of_cluster(store.backing),
        "ConnectionState": store.state,
        "ConnectionErrorCode": store.connection_error_code,
        "CreationDate": store.created,
        "CustomKeyStoreType": store.kind,
        **_of_proxy(store.backing),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _of_cluster(backing: Cluster | Proxy) -> dict[str, str]:
    if isinstance(backing, Proxy):
        return {}
    return {"CloudHsmClusterId": backing.id, "TrustAnchorCertificate": backing.trust_anchor}


def _of_proxy(backing: Cluster | Proxy) -> dict[str, dict[str, str]]:
    if isinstance(backing, Cluster):
        return {}
    shown = {
        "Connectivity": backing.connectivity,
        "AccessKeyId": backing.access_key_id,
        "UriEndpoint": backing.endpoint,
        "UriPath": backing.path,
        "VpcEndpointServiceName": backing.vpc_service,
        "VpcEndpointServiceOwner": backing.vpc_owner,
    }
    return {"XksProxyConfiguration": {name: value for name, value in shown.items() if value is not None}}
