"""Grant tokens that come with a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of, invalid

if TYPE_CHECKING:
    from pytest_kms import FakeKMS, Key

pytestmark = pytest.mark.kms(region="us-east-1")

APP = "arn:aws:iam::123456789012:role/app"
INVALID = {"Code": "InvalidGrantTokenException", "Message": ""}
CALLS = ("encrypt", "decrypt", "re_encrypt", "generate_data_key", "describe_key", "create_grant")

each_call = pytest.mark.parametrize("method", CALLS)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key with grants."""
    return kms.create_key("orders")


def members(kms: FakeKMS, key: Key, method: str) -> dict[str, Any]:
    """Return a request on a key that would succeed."""
    requests: dict[str, dict[str, Any]] = {
        "encrypt": {"KeyId": key.id, "Plaintext": b"x"},
        "decrypt": {"CiphertextBlob": kms.encrypt(key, b"x")},
        "re_encrypt": {"CiphertextBlob": kms.encrypt(key, b"x"), "DestinationKeyId": key.id},
        "generate_data_key": {"KeyId": key.id, "KeySpec": "AES_256"},
        "describe_key": {"KeyId": key.id},
        "create_grant": {"KeyId": key.id, "GranteePrincipal": APP, "Operations": ["Decrypt"]},
    }
    return requests[method]


def token_for(kms: FakeKMS, key: Key) -> str:
    """Make a grant on a key of any Region, and return a token of it."""
    client = kms.client_for(region=key.region)
    answer = client.create_grant(KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"])
    return answer["GrantToken"]


def revoke_all(kms: FakeKMS, key: Key) -> None:
    """Leave a key without grants."""
    for grant_id in tuple(key.grants):
        kms.client.revoke_grant(KeyId=key.id, GrantId=grant_id)


@each_call
def test_a_call_may_bring_tokens(kms: FakeKMS, key: Key, method: str) -> None:
    """Up to ten, of any grants of the Region, the same again as well; they are not recorded."""
    kms.quotas.off()
    tokens = [token_for(kms, key if number % 2 else kms.create_key()) for number in range(9)]
    getattr(kms.client, method)(GrantTokens=[*tokens, tokens[0]], **members(kms, key, method))
    assert kms.trail.last.succeeded
    assert "GrantTokens" not in kms.trail.last.parameters


@each_call
def test_no_tokens_are_no_matter(kms: FakeKMS, key: Key, method: str) -> None:
    """An empty list asks for nothing."""
    getattr(kms.client, method)(GrantTokens=[], **members(kms, key, method))
    assert kms.trail.last.succeeded


@each_call
@pytest.mark.parametrize("bad", ["x", "cut", "doubled"])
def test_a_token_that_nobody_gave(kms: FakeKMS, key: Key, method: str, bad: str) -> None:
    """One among good ones is enough."""
    good = token_for(kms, key)
    token = {"x": "x", "cut": good[:-1], "doubled": good * 2}[bad]
    assert INVALID == error_of(kms.client, method, GrantTokens=[good, token], **members(kms, key, method))
    assert "CreateGrant of this fake never gave this grant token" == kms.trail.last.why


@each_call
def test_a_token_goes_with_its_grant(kms: FakeKMS, key: Key, method: str) -> None:
    """A grant that was retired or revoked helps nobody any more."""
    token = token_for(kms, key)
    grant_id = next(iter(key.grants))
    revoke_all(kms, key)
    assert INVALID == error_of(kms.client, method, GrantTokens=[token], **members(kms, key, method))
    assert (
        f"the grant {grant_id} of this token was retired or revoked, or its key {key.id} deleted" == kms.trail.last.why
    )


def test_a_token_goes_with_the_key_of_its_grant(kms: FakeKMS, key: Key) -> None:
    """A key that is deleted has no grants."""
    gone = kms.create_key()
    token = token_for(kms, gone)
    kms.client.schedule_key_deletion(KeyId=gone.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert INVALID == error_of(kms.client, "describe_key", KeyId=key.id, GrantTokens=[token])


def test_a_token_is_of_one_region(kms: FakeKMS, key: Key) -> None:
    """The grants of a Region are not known in another."""
    token = token_for(kms, kms.create_key(region="us-west-2"))
    assert INVALID == error_of(kms.client, "describe_key", KeyId=key.id, GrantTokens=[token])
    assert "the grant of this token is in us-west-2, the call went to us-east-1" == kms.trail.last.why


def test_a_token_is_of_one_fake(kms: FakeKMS, key: Key) -> None:
    """After a reset it names nothing."""
    token = token_for(kms, key)
    kms.reset()
    assert INVALID == error_of(kms.client, "describe_key", KeyId=kms.create_key().id, GrantTokens=[token])


def test_a_key_is_looked_for_before_tokens(kms: FakeKMS) -> None:
    """Names are resolved first of all."""
    assert "NotFoundException" == error_of(kms.client, "describe_key", KeyId="alias/x", GrantTokens=["x"])["Code"]


def test_a_call_brings_at_most_ten_tokens(kms: FakeKMS, key: Key) -> None:
    """The model's own limits are told in the model's words."""
    token = token_for(kms, key)
    assert invalid(
        f"Value '[{', '.join([token] * 11)}]' at 'grantTokens' failed to satisfy constraint: Member must have length"
        " less than or equal to 10"
    ) == error_of(kms.client, "describe_key", KeyId=key.id, GrantTokens=[token] * 11)
