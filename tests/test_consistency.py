"""Eventual consistency: what calls change is seen late, if the test asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from policies import allow, by, policy

from pytest_kms import UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key, Principal

NAME = "alias/orders"
ACCOUNT = "123456789012"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def kms(kms: FakeKMS) -> FakeKMS:
    """Return a fake whose time stands still, where changes are seen after five seconds."""
    kms.clock.freeze()
    kms.eventual_consistency(seconds=5)
    return kms


def error_of(call: Callable[[], object]) -> str:
    """Return the code of the error that a call ends with, or nothing."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"].get("Code", "")
    return ""


def encrypts(client: KMSClient, key: str) -> str:
    """Return the error of a call of Encrypt, or nothing."""
    return error_of(lambda: client.encrypt(KeyId=key, Plaintext=b"x"))


def target(kms: FakeKMS) -> str | None:
    """Return the id of the key that the alias points to, as DescribeKey sees it."""
    try:
        return kms.client.describe_key(KeyId=NAME)["KeyMetadata"]["KeyId"]
    except kms.client.exceptions.NotFoundException:
        return None


# off, and on


def test_at_first_everything_is_visible_at_once() -> None:
    """Nobody has to wait who did not ask for it."""
    with fake_kms() as kms:
        key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
        kms.client.create_alias(AliasName=NAME, TargetKeyId=key_id)

        assert key_id == target(kms)
        assert "" == kms.trail.last.why.partition("eventual")[1]


def test_a_new_key_is_found_after_so_many_seconds(kms: FakeKMS) -> None:
    """Until then AWS's sentence says that it does not exist; the report says why."""
    key = kms.client.create_key()["KeyMetadata"]
    key_id, arn = key["KeyId"], key["Arn"]

    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=key_id)
    assert {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"} == excinfo.value.response["Error"]
    assert f"eventual consistency: key {key_id} was made 0 s ago, visible after 5 s" == kms.trail.last.why
    kms.clock.advance(seconds=4)
    assert "NotFoundException" == encrypts(kms.client, arn)
    assert f"eventual consistency: key {key_id} was made 4 s ago, visible after 5 s" == kms.trail.last.why
    kms.clock.advance(seconds=1)
    assert "" == encrypts(kms.client, arn)
    assert "eventual consistency" not in kms.trail.last.why


def test_a_new_key_is_found_after_so_many_calls(kms: FakeKMS) -> None:
    """Calls count that would have seen it, and no others."""
    kms.eventual_consistency(calls=2)
    key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
    other = kms.create_key()

    def describe() -> str:
        return error_of(lambda: kms.client.describe_key(KeyId=key_id))

    assert ["", "NotFoundException"] == [encrypts(kms.client, other.id), describe()]
    assert f"eventual consistency: key {key_id} was made 0 s ago, visible after 1 more call" == kms.trail.last.why
    assert ["", "NotFoundException"] == [encrypts(kms.client, other.id), describe()]
    assert f"eventual consistency: key {key_id} was made 0 s ago, visible to the next call" == kms.trail.last.why
    assert ["", ""] == [encrypts(kms.client, other.id), describe()]
    kms.clock.advance(days=1)
    assert "" == describe()


def test_calls_that_are_still_to_come_are_told(kms: FakeKMS) -> None:
    """Several are more than one."""
    kms.eventual_consistency(calls=3)
    key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]

    encrypts(kms.client, key_id)

    assert kms.trail.last.why.endswith("visible after 2 more calls")


@pytest.mark.parametrize("how", ["throttle", "fail", "quota"])
def test_calls_that_see_nothing_are_not_counted(kms: FakeKMS, how: str) -> None:
    """A call that is throttled or fails on purpose does not look at anything."""
    kms.eventual_consistency(calls=1)
    key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
    client = kms.client_for(config=ONCE)
    if how == "throttle":
        kms.throttle("Encrypt")
    elif how == "fail":
        kms.fail("Encrypt", "KMSInternalException")
    else:
        kms.quotas["Encrypt"] = 0

    assert encrypts(client, key_id) in ("ThrottlingException", "KMSInternalException")
    assert "eventual consistency" not in kms.trail.last.why
    del kms.quotas["Encrypt"]
    assert ["NotFoundException", ""] == [encrypts(client, key_id) for _ in range(2)]


def test_the_waits_of_retries_are_time_that_passes(kms: FakeKMS) -> None:
    """Code that waits, in the fake's time, finds what it has made."""
    key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
    kms.throttle("ListKeys", times=9)
    client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
    before = kms.clock.now

    client.list_keys()

    assert (kms.clock.now - before).total_seconds() > 5
    assert "" == encrypts(kms.client, key_id)


def test_what_a_test_arranges_is_visible_at_once(kms: FakeKMS) -> None:
    """Keys, aliases, replicas and policies of the test are no calls."""
    key = kms.create_key("orders", multi_region=True)
    kms.replicate(key, "eu-west-1", alias="orders")
    elsewhere = kms.client_for(region="eu-west-1")
    key.policy = policy(allow(Principal=by("arn:aws:iam::999999999999:root")))

    assert "AccessDeniedException" == encrypts(kms.client, NAME)
    assert "" == encrypts(elsewhere, NAME)


def test_a_test_may_end_it(kms: FakeKMS) -> None:
    """With nothing to wait for, all is visible at once: what was made before as well."""
    first = kms.client.create_key()["KeyMetadata"]["KeyId"]

    kms.eventual_consistency(seconds=0)

    second = kms.client.create_key()["KeyMetadata"]["KeyId"]
    assert ["", ""] == [encrypts(kms.client, key) for key in (first, second)]


def test_another_delay_holds_for_what_comes_after_it(kms: FakeKMS) -> None:
    """What was made before becomes visible when it would have been."""
    first = kms.client.create_key()["KeyMetadata"]["KeyId"]
    kms.eventual_consistency(seconds=1)
    second = kms.client.create_key()["KeyMetadata"]["KeyId"]
    kms.clock.advance(seconds=1)

    assert ["NotFoundException", ""] == [encrypts(kms.client, key) for key in (first, second)]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "eventual consistency takes either seconds= or calls="),
        ({"seconds": 1, "calls": 1}, "eventual consistency takes either seconds= or calls="),
        ({"seconds": -1}, "eventual consistency takes 0 or more seconds, not -1"),
        ({"calls": -1}, "eventual consistency takes 0 or more calls, not -1"),
    ],
)
def test_a_delay_is_one_number(kms: FakeKMS, arguments: dict[str, Any], text: str) -> None:
    """What is none is a mistake of the test."""
    with pytest.raises(UsageError) as excinfo:
        kms.eventual_consistency(**arguments)

    assert f"pytest-kms: {text}" == str(excinfo.value)


def test_reset_forgets_it(kms: FakeKMS) -> None:
    """A new world begins as the fake did."""
    kms.reset()

    assert "" == encrypts(kms.client, kms.client.create_key()["KeyMetadata"]["KeyId"])


# keys


def test_a_list_does_not_have_a_key_yet(kms: FakeKMS) -> None:
    """ListKeys sees no more than DescribeKey."""
    old = kms.create_key()
    new = kms.client.create_key()["KeyMetadata"]["KeyId"]

    def listed() -> set[str]:
        return {key["KeyId"] for key in kms.client.list_keys()["Keys"]}

    assert {old.id} == listed()
    kms.clock.advance(seconds=5)
    assert {old.id, new} == listed()


def test_nothing_can_be_done_with_a_key_that_is_not_visible(kms: FakeKMS) -> None:
    """Nor can its maker: nobody sees it early, so no code relies on luck."""
    key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
    key = next(key for key in kms.world.all_keys() if key.id == key_id)
    blob = kms.encrypt(key, b"x")
    calls: dict[str, Callable[[], object]] = {
        "alias": lambda: kms.client.create_alias(AliasName=NAME, TargetKeyId=key_id),
        "decrypt with it": lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId=key_id),
        "decrypt": lambda: kms.client.decrypt(CiphertextBlob=blob),
        "policy": lambda: kms.client.get_key_policy(KeyId=key_id),
    }

    assert {
        "alias": "NotFoundException",
        "decrypt with it": "NotFoundException",
        "decrypt": "AccessDeniedException",
        "policy": "NotFoundException",
    } == {name: error_of(call) for name, call in calls.items()}
    assert ["is not visible yet" in event.why for event in kms.trail[1:]] == [False, False, True, False]
    kms.clock.advance(seconds=5)
    assert [""] * 4 == [error_of(call) for call in calls.values()]


def test_a_replica_is_seen_late(kms: FakeKMS) -> None:
    """It is a new key of its Region, and cannot be made the primary before it is seen."""
    key = kms.create_key(multi_region=True)
    elsewhere = kms.client_for(region="eu-west-1")
    kms.client.replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1")
    kms.clock.advance(seconds=3)  # it is made by now

    assert "NotFoundException" == encrypts(elsewhere, key.id)
    assert "ValidationException" == error_of(
        lambda: kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="eu-west-1")
    )
    kms.clock.advance(seconds=2)
    assert "" == encrypts(elsewhere, key.id)


# aliases


def test_a_new_alias_is_found_late(kms: FakeKMS) -> None:
    """AWS's sentence says that it is not found; it cannot be made again all the same."""
    key = kms.create_key()
    kms.client.create_alias(AliasName=NAME, TargetKeyId=key.id)

    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=NAME)
    assert {
        "Code": "NotFoundException",
        "Message": f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:{NAME} is not found.",
    } == excinfo.value.response["Error"]
    assert f"eventual consistency: {NAME} was made 0 s ago, visible after 5 s" == kms.trail.last.why
    assert "AlreadyExistsException" == error_of(lambda: kms.client.create_alias(AliasName=NAME, TargetKeyId=key.id))
    kms.clock.advance(seconds=5)
    assert key.id == target(kms)


def test_an_updated_alias_points_to_the_old_key(kms: FakeKMS) -> None:
    """What is encrypted under it meanwhile is encrypted under the old key."""
    old, new = kms.create_key("orders"), kms.create_key()
    kms.client.update_alias(AliasName=NAME, TargetKeyId=new.id)

    used = kms.client.encrypt(KeyId=NAME, Plaintext=b"x")["KeyId"]

    assert old.arn == used
    assert f"eventual consistency: {NAME} got another key 0 s ago, visible after 5 s" in kms.trail.last.why
    kms.assert_only_used(old)
    kms.clock.advance(seconds=5)
    assert new.id == target(kms)


def test_changes_of_an_alias_become_visible_one_after_the_other(kms: FakeKMS) -> None:
    """Each takes its time; the order stays."""
    first, second = kms.create_key("orders"), kms.create_key()
    kms.client.update_alias(AliasName=NAME, TargetKeyId=second.id)
    kms.clock.advance(seconds=2)
    kms.client.delete_alias(AliasName=NAME)
    kms.clock.advance(seconds=2)
    kms.client.create_alias(AliasName=NAME, TargetKeyId=first.id)

    seen = [target(kms)]
    for _ in range(3):
        kms.clock.advance(seconds=2)
        seen.append(target(kms))

    assert [first.id, second.id, None, first.id] == seen


def test_a_deleted_alias_is_still_found(kms: FakeKMS) -> None:
    """But it cannot be deleted twice, or be given another key."""
    key = kms.create_key("orders")
    kms.client.delete_alias(AliasName=NAME)

    assert key.id == target(kms)
    assert "NotFoundException" == error_of(lambda: kms.client.delete_alias(AliasName=NAME))
    assert "NotFoundException" == error_of(lambda: kms.client.update_alias(AliasName=NAME, TargetKeyId=key.id))
    assert f"eventual consistency: {NAME} was deleted 0 s ago, visible after 5 s" == kms.trail.last.why
    kms.clock.advance(seconds=5)
    assert target(kms) is None


def test_an_alias_does_not_outlive_its_key(kms: FakeKMS) -> None:
    """An alias that still points to a key that has been deleted is not found."""
    kms.eventual_consistency(calls=2)
    kms.create_key("orders", state="PendingDeletion")
    new = kms.create_key()
    kms.client.update_alias(AliasName=NAME, TargetKeyId=new.id)
    kms.clock.advance(days=30)

    assert [None, None, new.id] == [target(kms) for _ in range(3)]


def test_a_list_has_the_aliases_that_are_seen(kms: FakeKMS) -> None:
    """ListAliases sees no more than other calls, of all keys or of one."""
    old, new = kms.create_key("orders"), kms.create_key("bills")
    kms.client.update_alias(AliasName=NAME, TargetKeyId=new.id)
    kms.client.create_alias(AliasName="alias/new", TargetKeyId=new.id)

    def listed(**members: Any) -> dict[str, str]:
        aliases = kms.client.list_aliases(**members)["Aliases"]
        return {alias["AliasName"]: alias["TargetKeyId"] for alias in aliases if "TargetKeyId" in alias}

    assert {NAME: old.id, "alias/bills": new.id} == listed()
    assert [{NAME: old.id}, {"alias/bills": new.id}] == [listed(KeyId=key.id) for key in (old, new)]
    kms.clock.advance(seconds=5)
    assert {NAME: new.id, "alias/bills": new.id, "alias/new": new.id} == listed()
    assert [{}, {NAME: new.id, "alias/bills": new.id, "alias/new": new.id}] == [
        listed(KeyId=key.id) for key in (old, new)
    ]


# what callers may do


@pytest.fixture
def app(kms: FakeKMS) -> Principal:
    """Return a principal without permissions."""
    return kms.principal("role/app")


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a key."""
    return kms.create_key("orders")


def test_a_new_policy_is_not_in_force_yet(kms: FakeKMS, app: Principal, key: Key) -> None:
    """Nor is it shown: GetKeyPolicy answers the old one."""
    client = kms.client_for(app)
    new = policy(allow(Principal=by(app.principal_arn, f"arn:aws:iam::{ACCOUNT}:root")))
    kms.client.put_key_policy(KeyId=key.id, Policy=json.dumps(new))

    def shown() -> Any:
        return json.loads(kms.client.get_key_policy(KeyId=key.id)["Policy"])

    assert "AccessDeniedException" == encrypts(client, key.id)
    assert f"eventual consistency: the policy of {NAME} was put 0 s ago, visible after 5 s" in kms.trail.last.why
    assert "key-default-1" == shown()["Id"]
    kms.clock.advance(seconds=5)
    assert "" == encrypts(client, key.id)
    assert new == shown()


def test_an_old_policy_still_allows(kms: FakeKMS, key: Key) -> None:
    """Who is shut out by the new policy gets in for a while: administrators too."""
    nobody = policy(allow(Principal=by("arn:aws:iam::999999999999:root")))
    kms.client.put_key_policy(KeyId=key.id, Policy=json.dumps(nobody), BypassPolicyLockoutSafetyCheck=True)

    assert "" == encrypts(kms.client, key.id)
    assert f"eventual consistency: the policy of {NAME} was put 0 s ago, visible after 5 s" in kms.trail.last.why
    kms.clock.advance(seconds=5)
    assert "AccessDeniedException" == encrypts(kms.client, key.id)


def grant(kms: FakeKMS, key: Key, app: Principal) -> Any:
    """Let a principal encrypt with a key, by a call."""
    return kms.client.create_grant(KeyId=key.id, GranteePrincipal=app.principal_arn, Operations=["Encrypt"])


def test_a_new_grant_allows_nothing_yet(kms: FakeKMS, app: Principal, key: Key) -> None:
    """Unless the call has its grant token, which makes it valid at once."""
    client, made = kms.client_for(app), grant(kms, key, app)

    assert "AccessDeniedException" == encrypts(client, key.id)
    told = f"eventual consistency: grant {made['GrantId']} was made 0 s ago, visible after 5 s"
    assert told in kms.trail.last.why
    assert [] == kms.client.list_grants(KeyId=key.id)["Grants"]
    client.encrypt(KeyId=key.id, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    assert told not in kms.trail.last.why
    kms.clock.advance(seconds=5)
    assert "" == encrypts(client, key.id)
    assert [made["GrantId"]] == [shown["GrantId"] for shown in kms.client.list_grants(KeyId=key.id)["Grants"]]


def test_calls_that_need_no_grant_do_not_wait_for_one(kms: FakeKMS, app: Principal, key: Key) -> None:
    """Only calls that a grant would have let pass are counted."""
    kms.eventual_consistency(calls=1)
    grant(kms, key, app)
    client = kms.client_for(app)

    assert "" == encrypts(kms.client, key.id)
    assert "AccessDeniedException" == error_of(lambda: client.describe_key(KeyId=key.id))
    assert ["AccessDeniedException", ""] == [encrypts(client, key.id) for _ in range(2)]


def test_a_token_of_another_keys_grant_does_not_help(kms: FakeKMS, app: Principal, key: Key) -> None:
    """A grant is for its key alone."""
    made = grant(kms, kms.create_key(), app)
    grant(kms, key, app)
    client = kms.client_for(app)

    assert "AccessDeniedException" == error_of(
        lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    )


@pytest.mark.parametrize("end", ["RetireGrant", "RevokeGrant"])
def test_the_end_of_a_grant_is_seen_late(kms: FakeKMS, app: Principal, key: Key, end: str) -> None:
    """It still works, with and without its token; ending it again is an error."""
    made, client = grant(kms, key, app), kms.client_for(app)
    kms.clock.advance(seconds=5)
    with_token: Callable[[], object] = lambda: client.encrypt(  # noqa: E731
        KeyId=key.id, Plaintext=b"x", GrantTokens=[made["GrantToken"]]
    )

    def finish() -> object:
        if end == "RetireGrant":
            return kms.client.retire_grant(GrantToken=made["GrantToken"])
        return kms.client.revoke_grant(KeyId=key.id, GrantId=made["GrantId"])

    assert ["", "NotFoundException"] == [error_of(finish) for _ in range(2)]
    assert ["", ""] == [encrypts(client, key.id), error_of(with_token)]
    assert [made["GrantId"]] == [shown["GrantId"] for shown in kms.client.list_grants(KeyId=key.id)["Grants"]]
    assert f"grant {made['GrantId']} was {'retired' if end == 'RetireGrant' else 'revoked'} 0 s ago" in (
        kms.trail.last.why
    )
    kms.clock.advance(seconds=5)
    assert ["AccessDeniedException", "InvalidGrantTokenException"] == [encrypts(client, key.id), error_of(with_token)]
    assert [] == kms.client.list_grants(KeyId=key.id)["Grants"]


def test_a_grant_that_is_not_visible_cannot_be_revoked(kms: FakeKMS, app: Principal, key: Key) -> None:
    """It is not found by its id; its token names it all the same."""
    made = grant(kms, key, app)

    assert "NotFoundException" == error_of(lambda: kms.client.revoke_grant(KeyId=key.id, GrantId=made["GrantId"]))
    assert "" == error_of(lambda: kms.client.retire_grant(GrantToken=made["GrantToken"]))
    kms.clock.advance(seconds=5)
    assert [] == kms.client.list_grants(KeyId=key.id)["Grants"]


def test_asking_again_for_a_grant_changes_nothing(kms: FakeKMS, app: Principal, key: Key) -> None:
    """A grant of the same name that is there becomes visible when it would have been."""
    arn = app.principal_arn
    ids = []
    for _ in range(2):
        made = kms.client.create_grant(KeyId=key.id, GranteePrincipal=arn, Operations=["Encrypt"], Name="app")
        ids.append(made["GrantId"])
        kms.clock.advance(seconds=3)

    assert ids[0] == ids[1]
    assert "" == encrypts(kms.client_for(app), key.id)


def test_retirable_grants_are_those_that_are_seen(kms: FakeKMS, app: Principal, key: Key) -> None:
    """ListRetirableGrants sees no more than other calls."""
    kms.client.create_grant(
        KeyId=key.id, GranteePrincipal=app.principal_arn, RetiringPrincipal=app.principal_arn, Operations=["Encrypt"]
    )

    def listed() -> int:
        return len(kms.client.list_retirable_grants(RetiringPrincipal=app.principal_arn)["Grants"])

    assert 0 == listed()
    kms.clock.advance(seconds=5)
    assert 1 == listed()


@pytest.mark.parametrize("through", ["alias", "tag"])
def test_policies_by_alias_and_tag_see_the_old_ones(kms: FakeKMS, through: str) -> None:
    """Attribute-based access control follows as late."""
    condition = {"kms:ResourceAliases": "alias/app"} if through == "alias" else {"aws:ResourceTag/team": "app"}
    test = "ForAnyValue:StringEquals" if through == "alias" else "StringEquals"
    app = kms.principal("role/app", policy=policy(allow(Condition={test: condition})))
    key, client = kms.create_key(tags={"team": "none"}), kms.client_for(app)
    if through == "alias":
        kms.client.create_alias(AliasName="alias/app", TargetKeyId=key.id)
    else:
        kms.client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "team", "TagValue": "app"}])

    assert "AccessDeniedException" == encrypts(client, key.id)
    assert "eventual consistency" in kms.trail.last.why
    kms.clock.advance(seconds=5)
    assert "" == encrypts(client, key.id)


def test_tags_are_shown_as_they_are_seen(kms: FakeKMS) -> None:
    """ListResourceTags answers the old ones until the new ones are visible."""
    key = kms.create_key(tags={"old": "1"})
    kms.client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "new", "TagValue": "2"}])
    kms.client.untag_resource(KeyId=key.id, TagKeys=["old", "none"])

    def shown() -> list[str]:
        return [tag["TagKey"] for tag in kms.client.list_resource_tags(KeyId=key.id)["Tags"]]

    assert ["old"] == shown()
    assert f"eventual consistency: the tags of {key.id} were changed 0 s ago, visible after 5 s" in kms.trail.last.why
    assert {"new": "2"} == key.tags
    kms.clock.advance(seconds=5)
    assert ["new"] == shown()


# any order


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("point"), st.integers(0, 2)),
        st.tuples(st.just("delete"), st.just(0)),
        st.tuples(st.just("pass"), st.integers(1, 4)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=50)
@given(steps=STEPS, delay=st.integers(0, 5))
def test_what_is_seen_is_what_was_so_many_seconds_ago(steps: list[tuple[str, int]], delay: int) -> None:
    """Whatever is done to an alias, calls see it as it was when the delay began."""
    with fake_kms(quotas=False) as kms:
        kms.clock.freeze()
        kms.eventual_consistency(seconds=delay)
        keys = [kms.create_key().id for _ in range(3)]
        history: list[tuple[int, str | None]] = [(-100, None)]
        now = 0
        for step, number in steps:
            current = history[-1][1]
            visible = next(key for since, key in reversed(history) if since <= now - delay)
            if step == "pass":
                kms.clock.advance(seconds=number)
                now += number
            elif step == "look":
                assert visible == target(kms)
            elif step == "point" and current is None:
                kms.client.create_alias(AliasName=NAME, TargetKeyId=keys[number])
                history.append((now, keys[number]))
            elif visible is not None and current is not None:
                if step == "point":
                    kms.client.update_alias(AliasName=NAME, TargetKeyId=keys[number])
                    history.append((now, keys[number]))
                else:
                    kms.client.delete_alias(AliasName=NAME)
                    history.append((now, None))
        kms.clock.advance(seconds=delay)
        assert history[-1][1] == target(kms)


@settings(deadline=None, max_examples=30)
@given(calls=st.integers(0, 4), looks=st.integers(0, 8))
def test_so_many_calls_do_not_see_a_key(calls: int, looks: int) -> None:
    """The next one does."""
    with fake_kms() as kms:
        kms.eventual_consistency(calls=calls)
        key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]

        found = [not encrypts(kms.client, key_id) for _ in range(looks)]

        assert [number >= calls for number in range(looks)] == found


# options


@pytest.mark.kms(eventual_consistency=3)
def test_the_marker_asks_for_it(pytest_kms: FakeKMS) -> None:
    """In seconds; `reset` comes back to it."""
    kms = pytest_kms
    kms.clock.freeze()
    for _ in range(2):
        key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
        assert "NotFoundException" == encrypts(kms.client, key_id)
        kms.clock.advance(seconds=3)
        assert "" == encrypts(kms.client, key_id)
        kms.reset()
        kms.clock.freeze()


def test_the_ini_file_asks_for_it(pytester: pytest.Pytester) -> None:
    """A suite may run so as a whole; a marker takes precedence."""
    pytester.makeini("[pytest]\nkms_eventual_consistency = 2.5\n")
    pytester.makepyfile(
        """
        import pytest

        def found(kms):
            key_id = kms.client.create_key()["KeyMetadata"]["KeyId"]
            try:
                return kms.client.describe_key(KeyId=key_id) is not None
            except kms.client.exceptions.NotFoundException:
                return False

        def test_late(kms):
            kms.clock.freeze()
            assert not found(kms)

        @pytest.mark.kms(eventual_consistency=0)
        def test_at_once(kms):
            assert found(kms)
        """
    )

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


@pytest.mark.parametrize("wrong", ["soon", "-1", "inf", "nan"])
def test_a_wrong_option_is_told(wrong: str) -> None:
    """It is a number of seconds."""
    with pytest.raises(UsageError) as excinfo, fake_kms(eventual_consistency=wrong):
        pass

    assert f"pytest-kms: eventual_consistency is a number of seconds, 0 or more, not {wrong!r}" == str(excinfo.value)


def test_the_report_of_a_failing_test_says_that_it_was_consistency(pytester: pytest.Pytester) -> None:
    """The story tells why a key that is there was not found."""
    pytester.makepyfile(
        """
        def test_it(kms):
            kms.eventual_consistency(seconds=5)
            kms.clock.freeze()
            kms.client.describe_key(KeyId=kms.client.create_key()["KeyMetadata"]["KeyId"])
        """
    )

    result = pytester.runpytest("-p", "no:cacheprovider")

    result.stdout.re_match_lines([r" +why: eventual consistency: key \S+ was made 0 s ago, visible after 5 s"])
