"""What a fake gives, and what it takes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mypy_boto3_kms import KMSClient
from typing_extensions import assert_type

from pytest_kms import CustomKeyStore, Enclave, Event, FakeKMS, Key, Principal, Service, Trail


def test_arranging(kms: FakeKMS) -> None:
    """Each call of the fake gives a class of the package."""
    key = kms.create_key("orders", spec="RSA_2048", tags={"team": "shop"})
    assert_type(key, Key)
    assert_type(key.arn, str)
    assert_type(key.created, dt.datetime)
    assert_type(kms.aws_managed_key("s3"), Key)
    assert_type(kms.replicate(key, "eu-west-1"), Key)
    assert_type(kms.key_store(), CustomKeyStore)
    assert_type(kms.enclave(), Enclave)
    assert_type(kms.encrypt(key, b"7", {"order": "7"}), bytes)
    assert_type(kms.clock.now, dt.datetime)
    assert_type(kms.reset(), None)
    with kms.acting_as(kms.principal("role/app")) as principal:
        assert_type(principal, Principal)
    assert_type(kms.service("s3", on_behalf_of=principal), Service)
    with kms.outage():
        kms.throttle("Encrypt", key=key, times=2)


def test_trail(kms: FakeKMS) -> None:
    """The trail is a sequence of events."""
    assert_type(kms.trail, Trail)
    assert_type(kms.trail[0], Event)
    assert_type(kms.trail[0:2], list[Event])
    assert_type(kms.trail.last, Event)
    assert_type(kms.trail.filter("Encrypt", key="alias/orders", encryption_context={"order": "7"}), list[Event])
    assert_type([event.operation for event in kms.trail], list[str])
    assert_type(kms.trail.last.time, dt.datetime)
    assert_type(kms.trail.last.error, "str | None")


def test_client(kms: FakeKMS) -> None:
    """Clients are those of boto3's stubs, with their answers."""
    assert_type(kms.client, KMSClient)
    assert_type(kms.client_for(kms.principal("role/app"), region="eu-west-1"), KMSClient)
    assert_type(kms.client.generate_random(NumberOfBytes=8)["Plaintext"], bytes)
    kms.client.generate_random(NumberOfBytes="8")  # error


def test_mistakes(kms: FakeKMS, anything: Any) -> None:
    """What cannot be is an error on its own line."""
    kms.create_key("orders", "RSA_2048")  # error
    kms.create_key(alias=7)  # error
    kms.create_key(spek="RSA_2048")  # error
    kms.encrypt("alias/orders", "7")  # error
    kms.encrypt("alias/orders", b"7", {"order": 7})  # error
    kms.throttle("Encrypt", times="2")  # error
    kms.assert_used("alias/orders", "Encrypt", time=1)  # error
    kms.assert_used("alias/orders", "Encrypt", 1)  # error
    kms.clock.advance(8)  # error
    kms.clock.at("2031-01-01")  # error
    kms.trail.filter(no_such_criterion=7)  # error
    kms.trail.append(anything)  # error
    kms.trail[0] = anything  # error
    kms.trail.last.operation = "Encrypt"  # error
    kms.no_such_method()  # error
