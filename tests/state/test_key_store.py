"""A custom key store as a test holds it in its hand."""

from __future__ import annotations

import itertools

import pytest
from answers import error_of, unfit
from key_stores import CLUSTER, VPC_SERVICE, described

from pytest_kms import FakeKMS

pytestmark = pytest.mark.kms(region="us-east-1")

KINDS = ("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")

each_kind = pytest.mark.parametrize("kind", KINDS)


# what a test makes


def test_a_key_store_is_an_aws_cloudhsm_key_store_by_default(kms: FakeKMS) -> None:
    """It is connected, and calls see it as one that calls have made."""
    kms.clock.freeze()
    store = kms.key_store(name="vault", cluster_id=CLUSTER)

    assert (CLUSTER, "AWS_CLOUDHSM", "us-east-1", "123456789012", "CONNECTED", None, []) == (
        store.cluster_id, store.kind, store.region, store.account, store.state, store.connection_error_code, store.keys,
    )  # fmt: skip
    entry = described(kms.client, store.id)
    assert entry.pop("TrustAnchorCertificate").startswith("-----BEGIN CERTIFICATE-----\n")
    assert entry == {
        "CustomKeyStoreId": store.id,
        "CustomKeyStoreName": "vault",
        "CloudHsmClusterId": CLUSTER,
        "ConnectionState": "CONNECTED",
        "CreationDate": kms.clock.now,
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }


def test_a_key_store_may_be_an_external_one(kms: FakeKMS) -> None:
    """Its proxy is at a public endpoint of its own."""
    store = kms.key_store("EXTERNAL_KEY_STORE", connected=False)

    entry = described(kms.client, store.id)
    configuration = entry["XksProxyConfiguration"]
    assert (None, "EXTERNAL_KEY_STORE", "DISCONNECTED") == (store.cluster_id, store.kind, store.state)
    assert ("EXTERNAL_KEY_STORE", "DISCONNECTED") == (entry["CustomKeyStoreType"], entry["ConnectionState"])
    assert not {"CloudHsmClusterId", "TrustAnchorCertificate"} & set(entry)
    assert {"Connectivity", "AccessKeyId", "UriEndpoint", "UriPath"} == set(configuration)
    assert ("PUBLIC_ENDPOINT", "/kms/xks/v1") == (configuration["Connectivity"], configuration["UriPath"])


def test_the_proxy_of_an_external_key_store_is_what_the_test_says(kms: FakeKMS) -> None:
    """A VPC endpoint service leads to it, where one is given; its owner is the account."""
    store = kms.key_store(
        "EXTERNAL_KEY_STORE",
        endpoint="https://xks.example.com",
        path="/orders/kms/xks/v1",
        vpc_endpoint_service=VPC_SERVICE,
    )

    configuration = described(kms.client, store.id)["XksProxyConfiguration"]
    assert 20 == len(configuration.pop("AccessKeyId"))
    assert configuration == {
        "Connectivity": "VPC_ENDPOINT_SERVICE",
        "UriEndpoint": "https://xks.example.com",
        "UriPath": "/orders/kms/xks/v1",
        "VpcEndpointServiceName": VPC_SERVICE,
        "VpcEndpointServiceOwner": "123456789012",
    }


def test_a_key_store_is_where_the_test_says(kms: FakeKMS) -> None:
    """In another Region or account, and its keys are there as well."""
    store = kms.key_store(region="eu-west-1", account="210987654321")
    key = kms.create_key(key_store=store)
    assert ("eu-west-1", "210987654321") == (store.region, store.account) == (key.region, key.account)
    assert [] == kms.client.describe_custom_key_stores()["CustomKeyStores"]


def test_all_key_stores_are_at_hand(kms: FakeKMS) -> None:
    """Those that calls have made as well, of every Region."""
    store, other = kms.key_store(), kms.key_store(region="eu-west-1")
    made = kms.client.create_custom_key_store(
        CustomKeyStoreName="made",
        CustomKeyStoreType="EXTERNAL_KEY_STORE",
        XksProxyConnectivity="PUBLIC_ENDPOINT",
        XksProxyUriEndpoint="https://xks.example.com",
        XksProxyUriPath="/kms/xks/v1",
        XksProxyAuthenticationCredential={"AccessKeyId": "A" * 20, "RawSecretAccessKey": "s" * 43},
    )["CustomKeyStoreId"]
    assert [store.id, made, other.id] == [each.id for each in kms.key_stores]


def test_arranging_is_not_recorded(kms: FakeKMS) -> None:
    """Nor is it counted, nor does a quota stand in its way."""
    kms.quotas["Custom key stores"] = 0
    store = kms.key_store()
    store.fail("USER_LOCKED_OUT")
    store.recover()
    store.disconnect()
    store.connect()
    assert 0 == len(kms.trail)


def test_a_key_store_is_told_by_what_matters(kms: FakeKMS) -> None:
    """Its names, its kind and its state stand in `repr`, by the names that a test reads them by."""
    store = kms.key_store(name="vault")
    assert (
        f"CustomKeyStore(id={store.id!r}, name='vault', kind='AWS_CLOUDHSM', region='us-east-1',"
        " account='123456789012', state='CONNECTED')"
    ) == repr(store)


@pytest.mark.kms(seed=7)
def test_a_seed_makes_key_stores_repeat(kms: FakeKMS) -> None:
    """Their ids, their clusters, and the ids of their external keys."""
    seen = []
    for _ in range(2):
        store, external = kms.key_store(), kms.key_store("EXTERNAL_KEY_STORE")
        key = kms.create_key(key_store=external)
        seen.append((store.id, store.cluster_id, external.id, key.xks_key_id))
        kms.reset()
    assert seen[0] == seen[1]


# its keys


@each_kind
def test_a_key_store_holds_keys(kms: FakeKMS, kind: str) -> None:
    """Their origin follows from it, and they encrypt as others do."""
    store = kms.key_store(kind)
    key = kms.create_key("orders", key_store=store)
    client = kms.client

    blob = client.encrypt(KeyId=key.id, Plaintext=b"order 7", EncryptionContext={"order": "7"})["CiphertextBlob"]

    assert ([key], kind, "Enabled") == (store.keys, key.origin, key.state)
    assert len(kms.encrypt(kms.create_key(), b"order 7")) == len(blob)
    assert b"order 7" == client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "7"})["Plaintext"]


def test_each_key_of_an_external_key_store_is_made_of_another_external_key(kms: FakeKMS) -> None:
    """Of a cluster no such thing is known."""
    store = kms.key_store("EXTERNAL_KEY_STORE")
    keys = [kms.create_key(key_store=store) for _ in range(2)]
    assert 2 == len({key.xks_key_id for key in keys} - {None})
    assert kms.create_key(key_store=kms.key_store()).xks_key_id is None


def test_a_key_in_a_key_store_that_is_away_is_unavailable(kms: FakeKMS) -> None:
    """A test may make it there; no call could."""
    key = kms.create_key(key_store=kms.key_store(connected=False))
    assert "Unavailable" == key.state


# connected and not


@each_kind
def test_keys_are_unavailable_while_their_key_store_is_away(kms: FakeKMS, kind: str) -> None:
    """Then they are back, those of other key stores untouched."""
    store, others = kms.key_store(kind), kms.key_store(kind)
    key, other = kms.create_key(key_store=store), kms.create_key(key_store=others)

    store.disconnect()
    assert ("DISCONNECTED", "Unavailable", False, "Enabled") == (store.state, key.state, key.enabled, other.state)
    error = unfit(key.arn, "Unavailable")
    assert error == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"x")

    store.connect()
    assert ("CONNECTED", "Enabled", True) == (store.state, key.state, key.enabled)
    assert kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["KeyId"] == key.arn


def test_a_disabled_key_comes_back_disabled(kms: FakeKMS) -> None:
    """The former state is kept."""
    store = kms.key_store()
    key = kms.create_key(key_store=store, state="Disabled")
    store.disconnect()
    assert "Unavailable" == key.state
    store.connect()
    assert "Disabled" == key.state


@pytest.mark.parametrize(
    ("method", "before", "after"), [("enable_key", "Disabled", "Enabled"), ("disable_key", "Enabled", "Disabled")]
)
def test_an_unavailable_key_may_be_enabled_and_disabled(kms: FakeKMS, method: str, before: str, after: str) -> None:
    """It stays Unavailable, and comes back as it was told to be."""
    store = kms.key_store()
    key = kms.create_key(key_store=store, state=before)
    store.disconnect()
    getattr(kms.client, method)(KeyId=key.id)
    assert "Unavailable" == key.state
    store.connect()
    assert after == key.state


def test_a_key_that_waits_for_its_deletion_does_so_without_its_key_store(kms: FakeKMS) -> None:
    """It stays PendingDeletion, and once that is cancelled, it is Unavailable until its key store is back."""
    store = kms.key_store()
    key = kms.create_key(key_store=store)
    kms.client.schedule_key_deletion(KeyId=key.id)
    store.disconnect()
    assert "PendingDeletion" == key.state
    kms.client.cancel_key_deletion(KeyId=key.id)
    assert "Unavailable" == key.state
    store.connect()
    assert "Disabled" == key.state


@pytest.mark.parametrize(
    ("kind", "connecting", "disconnecting"), [("AWS_CLOUDHSM", 300, 60), ("EXTERNAL_KEY_STORE", 15, 5)], ids=KINDS
)
def test_the_way_there_and_back(kms: FakeKMS, kind: str, connecting: int, disconnecting: int) -> None:
    """CONNECTING up to the last second, then CONNECTED; DISCONNECTING, then DISCONNECTED."""
    kms.clock.freeze()
    store = kms.key_store(kind, connected=False)
    key = kms.create_key(key_store=store)
    seen = []

    def look(after: float) -> None:
        kms.clock.advance(seconds=after)
        seen.append((described(kms.client, store.id)["ConnectionState"], key.state))

    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    look(0)
    look(connecting - 1)
    look(1)
    kms.client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    look(0)
    look(disconnecting - 1)
    look(1)

    assert seen == [
        ("CONNECTING", "Unavailable"),
        ("CONNECTING", "Unavailable"),
        ("CONNECTED", "Enabled"),
        ("DISCONNECTING", "Unavailable"),
        ("DISCONNECTING", "Unavailable"),
        ("DISCONNECTED", "Unavailable"),
    ]


def test_a_way_that_was_broken_off_leads_nowhere(kms: FakeKMS) -> None:
    """Who disconnects while it is connecting finds it disconnected, however long it waits."""
    store = kms.key_store(connected=False)
    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=4)
    kms.client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=10)
    assert "DISCONNECTED" == described(kms.client, store.id)["ConnectionState"]


def test_what_was_due_happens_before_the_test_acts(kms: FakeKMS) -> None:
    """A connection that would have come about is not in the way of a later disconnection by the test."""
    store = kms.key_store(connected=False)
    key = kms.create_key(key_store=store)
    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=6)
    store.disconnect()
    assert ("DISCONNECTED", "Unavailable") == (described(kms.client, store.id)["ConnectionState"], key.state)


# broken and mended


def test_connecting_mends_all(kms: FakeKMS) -> None:
    """`connect()` of the test is a connection that works."""
    store = kms.key_store()
    key = kms.create_key(key_store=store)
    store.fail("NETWORK_ERRORS")
    store.connect()
    assert key.arn == kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["KeyId"]


def test_a_key_store_that_failed_is_connected_anew_after_it_has_recovered(kms: FakeKMS) -> None:
    """As with AWS, it has to be disconnected first."""
    store = kms.key_store(connected=False)
    client = kms.client
    store.fail("INSUFFICIENT_CLOUDHSM_HSMS")
    client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=5)
    store.recover()
    assert "FAILED" == described(kms.client, store.id)["ConnectionState"]
    client.disconnect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=1)
    client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=5)
    assert "CONNECTED" == described(kms.client, store.id)["ConnectionState"]


def test_an_error_that_comes_up_on_the_way_counts(kms: FakeKMS) -> None:
    """What matters is how things are when the connection is made."""
    store = kms.key_store(connected=False)
    kms.client.connect_custom_key_store(CustomKeyStoreId=store.id)
    kms.clock.advance(minutes=2)
    store.fail("USER_LOGGED_IN")
    kms.clock.advance(minutes=3)
    assert "USER_LOGGED_IN" == described(kms.client, store.id)["ConnectionErrorCode"]


# its request quota


@each_kind
def test_each_key_store_has_a_request_quota_for_itself(kms: FakeKMS, kind: str) -> None:
    """Only cryptographic operations count in it, next to the quota of the account."""
    kms.clock.freeze()
    name = {"AWS_CLOUDHSM": "AWS CloudHSM key store", "EXTERNAL_KEY_STORE": "external key store"}[kind]
    kms.quotas[f"Custom key store request quota ({name})"] = 2
    key, other = (kms.create_key(key_store=kms.key_store(kind)) for _ in range(2))

    for each in itertools.chain([key] * 3, [other] * 2):
        kms.client.encrypt(KeyId=each.id, Plaintext=b"x")
    kms.client.describe_key(KeyId=key.id)

    kms.assert_throttled("Encrypt", key=key)
    kms.assert_throttled(key=other, times=0)


def test_the_quota_of_a_key_store_is_told(kms: FakeKMS) -> None:
    """The report of a failing test says which it was."""
    kms.quotas["Custom key store request quota (AWS CloudHSM key store)"] = 0
    store = kms.key_store()
    key = kms.create_key(key_store=store)
    assert "ThrottlingException" == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"x")["Code"]
    assert (
        f"over quota: Custom key store request quota (AWS CloudHSM key store) is 0 per second for {store.id}"
    ) == kms.trail.last.why
    kms.quotas.off()
    assert key.arn == kms.client.encrypt(KeyId=key.id, Plaintext=b"x")["KeyId"]
