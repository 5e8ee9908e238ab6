"""Aliases are made, moved, deleted and listed as AWS does it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from answers import STATES, UNKNOWN, closed, error_of, invalid, members_of, not_allowed, unchecked, unfit

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
PATTERN = "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"


def names_in(kms: FakeKMS, **members: Any) -> dict[str, str | None]:
    """Return the aliases that customers have made, and where they point."""
    entries = kms.client.list_aliases(Limit=100, **members)["Aliases"]
    return {
        entry["AliasName"]: entry.get("TargetKeyId")
        for entry in entries
        if not entry["AliasName"].startswith("alias/aws/")
    }


# CreateAlias


@pytest.mark.parametrize("form", ["id", "arn"])
def test_an_alias_names_a_key(kms: FakeKMS, form: str) -> None:
    """The target is given by key id or key ARN; the answer is empty."""
    key = kms.create_key()
    target = getattr(key, form)
    assert {} == members_of(kms.client.create_alias(AliasName="alias/orders", TargetKeyId=target))
    assert key.arn == kms.client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]


def test_a_key_may_have_50_aliases(kms: FakeKMS) -> None:
    """One key may have many names, all of which work."""
    kms.quotas.off()
    key = kms.create_key()
    names = [f"alias/orders-{number:02}" for number in range(50)]
    for name in names:
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    assert dict.fromkeys(names, key.id) == names_in(kms, KeyId=key.id)
    assert key.arn == kms.client.encrypt(KeyId=names[-1], Plaintext=b"x")["KeyId"]


@pytest.mark.parametrize(
    "name",
    ["alias/a", f"alias/{'x' * 250}", "alias/Az09/_-", "alias/alias/a", "alias/awsome"],
    ids=["shortest", "longest", "all characters", "alias/ again", "almost reserved"],
)
def test_a_name_that_aws_takes(kms: FakeKMS, name: str) -> None:
    """Letters, digits, slashes, underscores and dashes make up to 256 characters."""
    key = kms.create_key()
    kms.client.create_alias(AliasName=name, TargetKeyId=key.id)
    assert {name: key.id} == names_in(kms)


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
@pytest.mark.parametrize(
    ("name", "constraints"),
    [
        pytest.param(f"alias/{'x' * 251}", ["have length less than or equal to 256"], id="257 characters"),
        pytest.param("alias/my orders", [PATTERN], id="space"),
        pytest.param("alias/orders\n", [PATTERN], id="line end"),
        pytest.param("alias/bücher", [PATTERN], id="umlaut"),
        pytest.param("", ["have length greater than or equal to 1", PATTERN], id="empty"),
    ],
)
def test_a_name_that_breaks_the_constraints(kms: FakeKMS, method: str, name: str, constraints: list[str]) -> None:
    """Length and characters are those of KMS's model."""
    key = kms.create_key()
    violations = [
        f"Value '{name}' at 'aliasName' failed to satisfy constraint: Member must {constraint}"
        for constraint in constraints
    ]
    assert invalid(*violations) == error_of(unchecked(kms), method, AliasName=name, TargetKeyId=key.id)


@pytest.mark.parametrize("method", ["create_alias", "update_alias", "delete_alias"])
@pytest.mark.parametrize("name", ["orders", "Alias/orders", "alias", f"{ARN}:alias/orders"])
def test_a_name_begins_with_alias(kms: FakeKMS, method: str, name: str) -> None:
    """An alias ARN is no alias name."""
    key = kms.create_key("orders")
    members = {} if method == "delete_alias" else {"TargetKeyId": key.id}
    assert {
        "Code": "ValidationException",
        "Message": 'Alias must start with the prefix "alias/". Please see'
        " https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    } == error_of(kms.client, method, AliasName=name, **members)
    assert {"alias/orders": key.id} == names_in(kms)


def test_a_name_has_no_colon(kms: FakeKMS) -> None:
    """KMS's model lets it pass, KMS does not."""
    key = kms.create_key()
    assert {
        "Code": "ValidationException",
        "Message": "alias/my:orders contains invalid characters for an alias",
    } == error_of(kms.client, "create_alias", AliasName="alias/my:orders", TargetKeyId=key.id)


@pytest.mark.parametrize("method", ["create_alias", "update_alias", "delete_alias"])
@pytest.mark.parametrize("name", ["alias/aws/s3", "alias/aws/orders", "alias/aws/"])
def test_names_of_aws_are_reserved(kms: FakeKMS, method: str, name: str) -> None:
    """What begins with alias/aws/ belongs to the AWS managed keys."""
    key = kms.create_key()
    members = {} if method == "delete_alias" else {"TargetKeyId": key.id}
    assert {"Code": "NotAuthorizedException", "Message": ""} == error_of(kms.client, method, AliasName=name, **members)


def test_a_name_is_given_once(kms: FakeKMS) -> None:
    """A taken name stays with its key."""
    key, other = kms.create_key("orders"), kms.create_key()
    for target in (key, other):
        assert {
            "Code": "AlreadyExistsException",
            "Message": f"An alias with the name {ARN}:alias/orders already exists",
        } == error_of(kms.client, "create_alias", AliasName="alias/orders", TargetKeyId=target.id)
    assert {"alias/orders": key.id} == names_in(kms)


def test_upper_and_lower_case_are_different_names(kms: FakeKMS) -> None:
    """Alias names are case-sensitive."""
    lower, upper = kms.create_key("orders"), kms.create_key()
    kms.client.create_alias(AliasName="alias/Orders", TargetKeyId=upper.id)
    assert {"alias/Orders": upper.id, "alias/orders": lower.id} == names_in(kms)


def test_a_name_is_free_in_every_region_and_account(kms: FakeKMS) -> None:
    """Names are unique in an account and Region, not beyond."""
    kms.create_key("orders", account="210987654321")
    here, there = kms.create_key("orders"), kms.create_key(region="eu-west-1")
    kms.client_for(region="eu-west-1").create_alias(AliasName="alias/orders", TargetKeyId=there.id)
    assert here.arn == kms.client.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"]
    answer = kms.client_for(region="eu-west-1").describe_key(KeyId="alias/orders")
    assert there.arn == answer["KeyMetadata"]["Arn"]


# CreateAlias and UpdateAlias: the target


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
@pytest.mark.parametrize("state", STATES)
def test_a_target_may_be_in_any_state_but_one_of_deletion(kms: FakeKMS, method: str, state: str) -> None:
    """A key that is to be deleted gets no name."""
    kms.create_key("taken")
    key = kms.create_key(state=state)
    name = "alias/taken" if method == "update_alias" else "alias/new"
    members = {"AliasName": name, "TargetKeyId": key.id}
    if state.endswith("Deletion"):
        assert unfit(key.arn, state) == error_of(kms.client, method, **members)
        assert [] == key.aliases
    else:
        getattr(kms.client, method)(**members)
        assert [name] == key.aliases


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
@pytest.mark.parametrize("target", ["alias/taken", f"{ARN}:alias/taken", "alias/nothing"])
def test_a_target_is_no_alias(kms: FakeKMS, method: str, target: str) -> None:
    """An alias points to a key, never to another alias."""
    kms.create_key("taken")
    name = "alias/taken" if method == "update_alias" else "alias/new"
    assert {
        "Code": "ValidationException",
        "Message": "Aliases must refer to keys. Not aliases",
    } == error_of(kms.client, method, AliasName=name, TargetKeyId=target)


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (UNKNOWN, f"Key '{ARN}:key/{UNKNOWN}' does not exist"),
        (f"{ARN}:key/{UNKNOWN}", f"Key '{ARN}:key/{UNKNOWN}' does not exist"),
        ("orders", "Invalid keyId 'orders'"),
        (f"arn:aws:kms:us-west-2:123456789012:key/{UNKNOWN}", "Invalid arn us-west-2"),
    ],
    ids=["unknown id", "unknown ARN", "malformed", "other region"],
)
def test_a_target_that_is_not_there(kms: FakeKMS, method: str, target: str, message: str) -> None:
    """The alias stays as it was, or is not made."""
    key = kms.create_key("taken")
    name = "alias/taken" if method == "update_alias" else "alias/new"
    assert {"Code": "NotFoundException", "Message": message} == error_of(
        kms.client, method, AliasName=name, TargetKeyId=target
    )
    assert {"alias/taken": key.id} == names_in(kms)


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
def test_a_target_is_in_the_account_of_the_caller(kms: FakeKMS, method: str) -> None:
    """Whether a key of another account exists is not told."""
    kms.create_key("taken")
    foreign = kms.create_key(account="210987654321")
    name = "alias/taken" if method == "update_alias" else "alias/new"
    action = "UpdateAlias" if method == "update_alias" else "CreateAlias"
    assert closed(action) == error_of(kms.client, method, AliasName=name, TargetKeyId=foreign.arn)


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
def test_an_aws_managed_key_gets_no_other_name(kms: FakeKMS, method: str) -> None:
    """Its policy allows no customer to name it."""
    kms.create_key("taken")
    key = kms.aws_managed_key("s3")
    name = "alias/taken" if method == "update_alias" else "alias/new"
    action = "UpdateAlias" if method == "update_alias" else "CreateAlias"
    assert not_allowed(action, key.arn) == error_of(kms.client, method, AliasName=name, TargetKeyId=key.id)


@pytest.mark.parametrize(
    ("method", "places"),
    [
        ("create_alias", ["aliasName", "targetKeyId"]),
        ("update_alias", ["aliasName", "targetKeyId"]),
        ("delete_alias", ["aliasName"]),
    ],
)
def test_nothing_may_be_left_out(kms: FakeKMS, method: str, places: list[str]) -> None:
    """All members are required."""
    violations = [f"Value null at '{place}' failed to satisfy constraint: Member must not be null" for place in places]
    assert invalid(*violations) == error_of(unchecked(kms), method)


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
def test_a_key_has_a_quota_of_aliases(kms: FakeKMS, method: str) -> None:
    """No other one goes over it, by either way."""
    kms.quotas["Aliases per KMS key"] = 2
    key, other = kms.create_key("one"), kms.create_key("other")
    kms.client.create_alias(AliasName="alias/two", TargetKeyId=key.id)
    name = "alias/other" if method == "update_alias" else "alias/three"
    assert {
        "Code": "LimitExceededException",
        "Message": "Aliases per key quota for this account in this region is 2, current usage is 2.",
    } == error_of(kms.client, method, AliasName=name, TargetKeyId=key.id)
    assert {"alias/one": key.id, "alias/other": other.id, "alias/two": key.id} == names_in(kms)
    kms.quotas.off()
    getattr(kms.client, method)(AliasName=name, TargetKeyId=key.id)
    assert ["alias/one", "alias/two", name] == key.aliases


def test_a_key_has_50_aliases_at_most(kms: FakeKMS) -> None:
    """A key that was arranged with more shows how many it has; what it has may stay where it is."""
    key = kms.create_key()
    for number in range(51):
        key.home.point(f"alias/orders-{number:02}", key)
    assert {
        "Code": "LimitExceededException",
        "Message": "Aliases per key quota for this account in this region is 50, current usage is 51.",
    } == error_of(kms.client, "create_alias", AliasName="alias/more", TargetKeyId=key.id)
    kms.client.update_alias(AliasName="alias/orders-00", TargetKeyId=key.id)
    assert 51 == len(key.aliases)


# UpdateAlias


@pytest.mark.parametrize(
    ("now", "new", "what"),
    [
        (("RSA_2048", "ENCRYPT_DECRYPT"), ("RSA_2048", "SIGN_VERIFY"), ("key usage", "ENCRYPT_DECRYPT", "SIGN_VERIFY")),
        (
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
            ("HMAC_256", "GENERATE_VERIFY_MAC"),
            ("key usage", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"),
        ),
        (
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
            ("RSA_2048", "ENCRYPT_DECRYPT"),
            ("key type", "SYMMETRIC", "ASYMMETRIC"),
        ),
        (
            ("RSA_4096", "ENCRYPT_DECRYPT"),
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
            ("key type", "ASYMMETRIC", "SYMMETRIC"),
        ),
        (
            ("ECC_NIST_P256", "KEY_AGREEMENT"),
            ("ECC_NIST_P256", "SIGN_VERIFY"),
            ("key usage", "KEY_AGREEMENT", "SIGN_VERIFY"),
        ),
    ],
    ids=["usage", "HMAC", "asymmetric", "symmetric", "agreement"],
)
def test_an_alias_moves_to_keys_of_its_kind_alone(
    kms: FakeKMS, now: tuple[str, str], new: tuple[str, str], what: tuple[str, str, str]
) -> None:
    """Code that uses the name could not go on with a key of another type or usage."""
    key = kms.create_key("orders", spec=now[0], usage=now[1])
    other = kms.create_key(spec=new[0], usage=new[1])
    kind, has, would_have = what
    assert {
        "Code": "ValidationException",
        "Message": f"Alias alias/orders cannot be changed from a CMK with {kind} {has} to a CMK with {kind}"
        f" {would_have}. The {kind} of the current CMK and the new CMK must be the same.",
    } == error_of(kms.client, "update_alias", AliasName="alias/orders", TargetKeyId=other.id)
    assert {"alias/orders": key.id} == names_in(kms)


def test_an_alias_moves_between_specs_of_one_kind(kms: FakeKMS) -> None:
    """Sizes and curves may differ, and be deleted and made anew it may go anywhere."""
    kms.create_key("orders", spec="RSA_2048", usage="SIGN_VERIFY")
    other = kms.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=other.id)
    assert {"alias/orders": other.id} == names_in(kms)
    symmetric = kms.create_key()
    kms.client.delete_alias(AliasName="alias/orders")
    kms.client.create_alias(AliasName="alias/orders", TargetKeyId=symmetric.id)
    assert {"alias/orders": symmetric.id} == names_in(kms)


def test_an_alias_moves_to_another_key(kms: FakeKMS) -> None:
    """From then on the name means the new key; what the old one encrypted still opens."""
    old, new = kms.create_key("orders"), kms.create_key()
    blob = kms.client.encrypt(KeyId="alias/orders", Plaintext=b"secret")["CiphertextBlob"]
    assert {} == members_of(kms.client.update_alias(AliasName="alias/orders", TargetKeyId=new.id))
    assert {"alias/orders": new.id} == names_in(kms)
    assert ([], ["alias/orders"]) == (old.aliases, new.aliases)
    assert new.arn == kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")["KeyId"]
    assert b"secret" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert {
        "Code": "IncorrectKeyException",
        "Message": "The key ID in the request does not identify a CMK that can perform this operation.",
    } == error_of(kms.client, "decrypt", CiphertextBlob=blob, KeyId="alias/orders")


def test_an_alias_may_stay_where_it_is(kms: FakeKMS) -> None:
    """Moving it to the key that it names already succeeds."""
    key = kms.create_key("orders")
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=key.id)
    assert {"alias/orders": key.id} == names_in(kms)


@pytest.mark.parametrize("state", STATES)
def test_an_alias_moves_away_from_a_key_in_any_state(kms: FakeKMS, state: str) -> None:
    """The state of the old key does not matter, that of the new one does."""
    kms.create_key("orders", state=state)
    new = kms.create_key()
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=new.id)
    assert {"alias/orders": new.id} == names_in(kms)


def test_an_alias_that_moved_away_outlives_the_old_key(kms: FakeKMS) -> None:
    """Deletion takes the names that a key has then, not those that it had."""
    old, new = kms.create_key("orders"), kms.create_key()
    kms.client.schedule_key_deletion(KeyId=old.id, PendingWindowInDays=7)
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=new.id)
    kms.clock.advance(days=8)
    assert {"alias/orders": new.id} == names_in(kms)


# UpdateAlias and DeleteAlias: the alias


@pytest.mark.parametrize("method", ["update_alias", "delete_alias"])
def test_an_alias_that_is_not_there(kms: FakeKMS, method: str) -> None:
    """The message gives the ARN that it would have."""
    key = kms.create_key()
    kms.create_key("orders", region="eu-west-1")
    members = {} if method == "delete_alias" else {"TargetKeyId": key.id}
    assert {
        "Code": "NotFoundException",
        "Message": f"Alias {ARN}:alias/orders is not found.",
    } == error_of(kms.client, method, AliasName="alias/orders", **members)


# DeleteAlias


@pytest.mark.parametrize("state", STATES)
def test_an_alias_is_deleted_whatever_state_its_key_is_in(kms: FakeKMS, state: str) -> None:
    """The name goes, the key stays as it was; the answer is empty."""
    key = kms.create_key("orders", state=state)
    assert {} == members_of(kms.client.delete_alias(AliasName="alias/orders"))
    assert {
        "Code": "NotFoundException",
        "Message": f"Alias {ARN}:alias/orders is not found.",
    } == error_of(kms.client, "describe_key", KeyId="alias/orders")
    assert state == kms.client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]


def test_one_alias_of_several_is_deleted(kms: FakeKMS) -> None:
    """The other names stay, and the deleted one is free again."""
    key, other = kms.create_key("orders"), kms.create_key()
    kms.client.create_alias(AliasName="alias/purchases", TargetKeyId=key.id)
    kms.client.delete_alias(AliasName="alias/orders")
    assert {"alias/purchases": key.id} == names_in(kms)
    kms.client.create_alias(AliasName="alias/orders", TargetKeyId=other.id)
    assert {"alias/orders": other.id, "alias/purchases": key.id} == names_in(kms)


# ListAliases


def test_an_entry_tells_name_arn_target_and_dates(kms: FakeKMS) -> None:
    """The target is a bare key id; moving the alias changes the second date alone."""
    kms.clock.freeze()
    old, new = kms.create_key("orders"), kms.create_key()
    created = kms.clock.now
    entry = {
        "AliasName": "alias/orders",
        "AliasArn": f"{ARN}:alias/orders",
        "TargetKeyId": old.id,
        "CreationDate": created,
        "LastUpdatedDate": created,
    }
    assert {"Aliases": [entry], "Truncated": False} == members_of(kms.client.list_aliases(KeyId=old.id))
    kms.clock.advance(hours=1)
    kms.client.update_alias(AliasName="alias/orders", TargetKeyId=new.id)
    entry |= {"TargetKeyId": new.id, "LastUpdatedDate": created + dt.timedelta(hours=1)}
    assert {"Aliases": [entry], "Truncated": False} == members_of(kms.client.list_aliases(KeyId=new.id))


@pytest.mark.parametrize("form", ["id", "arn"])
def test_the_aliases_of_one_key(kms: FakeKMS, form: str) -> None:
    """Given by key id or key ARN, a key shows its own names, sorted, and nothing else."""
    key = kms.create_key("b")
    kms.client.create_alias(AliasName="alias/a", TargetKeyId=key.id)
    kms.create_key("c")
    answer = kms.client.list_aliases(KeyId=getattr(key, form))
    assert ["alias/a", "alias/b"] == [entry["AliasName"] for entry in answer["Aliases"]]


@pytest.mark.parametrize("state", STATES)
def test_aliases_are_listed_in_every_state(kms: FakeKMS, state: str) -> None:
    """The state of the key does not matter."""
    key = kms.create_key("orders", state=state)
    assert {"alias/orders": key.id} == names_in(kms, KeyId=key.id)


def test_a_key_without_aliases_has_an_empty_list(kms: FakeKMS) -> None:
    """It is no error."""
    key = kms.create_key()
    assert {"Aliases": [], "Truncated": False} == members_of(kms.client.list_aliases(KeyId=key.id))


def test_predefined_aliases_have_no_target_until_first_used(kms: FakeKMS) -> None:
    """AWS lists the aliases of its managed keys before there are such keys."""
    before = {entry["AliasName"]: entry for entry in kms.client.list_aliases(Limit=100)["Aliases"]}
    assert {"AliasName": "alias/aws/s3", "AliasArn": f"{ARN}:alias/aws/s3"} == before["alias/aws/s3"]
    key = kms.aws_managed_key("s3")
    after = {entry["AliasName"]: entry for entry in kms.client.list_aliases(Limit=100)["Aliases"]}
    assert key.id == after["alias/aws/s3"]["TargetKeyId"]
    assert "CreationDate" in after["alias/aws/s3"]
    assert list(before) == list(after)
    assert ["alias/aws/s3"] == [entry["AliasName"] for entry in kms.client.list_aliases(KeyId=key.id)["Aliases"]]


def test_aliases_from_elsewhere_are_not_listed(kms: FakeKMS) -> None:
    """Another Region and another account have lists of their own."""
    kms.create_key("west", region="eu-west-1")
    kms.create_key("foreign", account="210987654321")
    assert {} == names_in(kms)


def test_the_aliases_of_a_key_that_is_not_there(kms: FakeKMS) -> None:
    """Listing them is an error."""
    assert {"Code": "NotFoundException", "Message": f"Key '{ARN}:key/{UNKNOWN}' does not exist"} == error_of(
        kms.client, "list_aliases", KeyId=UNKNOWN
    )
