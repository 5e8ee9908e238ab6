"""Grants as the fake remembers them, and the tokens that name them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from answers import error_of

if TYPE_CHECKING:
    from pytest_kms import FakeKMS, Key

pytestmark = pytest.mark.kms(region="us-east-1")

APP = "arn:aws:iam::123456789012:role/app"


def make(kms: FakeKMS, key: Key, name: str = "for-orders") -> tuple[str, str]:
    """Make a grant, or ask for it again; return its id and a token."""
    answer = kms.client.create_grant(KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"], Name=name)
    return answer["GrantId"], answer["GrantToken"]


def test_a_key_has_the_grants_that_were_made_on_it(kms: FakeKMS) -> None:
    """Until they are gone."""
    key = kms.create_key()
    (first, _), (second, token) = make(kms, key, "one"), make(kms, key, "two")
    assert [first, second] == list(key.grants)
    grant = key.grants[second]
    assert (key, "two", APP, ("Decrypt",), True) == (
        grant.key,
        grant.name,
        grant.grantee,
        grant.operations,
        grant.in_force,
    )
    kms.client.retire_grant(GrantToken=token)
    assert [first] == list(key.grants)
    assert not grant.in_force


def test_a_grant_is_not_in_force_on_a_key_that_is_deleted(kms: FakeKMS) -> None:
    """It is not revoked, it goes with its key."""
    key = kms.create_key()
    grant = key.grants[make(kms, key)[0]]
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    assert grant.in_force
    kms.clock.advance(days=7)
    kms.client.list_keys()
    assert not grant.in_force


def test_tokens_look_as_those_of_aws(kms: FakeKMS) -> None:
    """Base64 for URLs, with the hexadecimal name of a key in it; each is another."""
    key = kms.create_key()
    tokens = [make(kms, key)[1] for _ in range(10)]
    assert 10 == len(set(tokens))
    for token in tokens:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        assert b"\x01\x0a\x40" == content[:3]
        int(content[3:67], 16)


def test_a_grant_that_is_not_there_is_explained(kms: FakeKMS) -> None:
    """The report of a failing test tells it from what is no id at all."""
    key = kms.create_key("orders")
    missing = "0" * 64
    error_of(kms.client, "revoke_grant", KeyId=key.id, GrantId=missing)
    assert "alias/orders has no such grant: it was never made, or is gone already" == kms.trail.last.why
    error_of(kms.client, "revoke_grant", KeyId=key.id, GrantId="x")
    assert "a grant id is 64 hexadecimal digits in lower case, 'x' is not" == kms.trail.last.why
