"""Every condition operator decides about a real call, and policy variables stand for what the caller is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from answers import is_allowed
from policies import allow, by, deny, policy

from pytest_kms import FakeKMS, NotSupported, UsageError, fake_kms
from pytest_kms.iam.operators import OPERATORS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

pytestmark = pytest.mark.kms(region="us-east-1")

ACCOUNT = "123456789012"
SURROUNDINGS = {
    "aws:SourceIp": "203.0.113.7",
    "aws:TokenIssueTime": "2026-02-03T04:05:06Z",
    "aws:MultiFactorAuthAge": "120",
    "aws:PrincipalOrgID": "o-1",
}
CONTEXT = {"tenant": "a", "digest": "QUJD", "owner": "Straße"}

# With each, a condition that an Encrypt with this context by this caller meets, and a value with which it does not.
TABLE = [
    ("StringEquals", "kms:EncryptionContext:tenant", "a", "A"),
    ("StringNotEquals", "kms:EncryptionContext:tenant", "A", "a"),
    ("StringEqualsIgnoreCase", "kms:EncryptionContext:owner", "STRAßE", "STRASSE"),
    ("StringNotEqualsIgnoreCase", "kms:EncryptionContext:tenant", "b", "A"),
    ("StringLike", "kms:EncryptionContext:owner", "Stra?e*", "stra?e"),
    ("StringNotLike", "kms:EncryptionContext:owner", "S?", "S*"),
    ("NumericEquals", "aws:MultiFactorAuthAge", "120.0", "121"),
    ("NumericNotEquals", "aws:MultiFactorAuthAge", "121", "1.2e2"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "121", "120"),
    ("NumericLessThanEquals", "aws:MultiFactorAuthAge", "120", "119"),
    ("NumericGreaterThan", "aws:MultiFactorAuthAge", "119", "120"),
    ("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", "120", "121"),
    ("DateEquals", "aws:TokenIssueTime", "2026-02-03T05:05:06+01:00", "2026-02-03T04:05:07Z"),
    ("DateNotEquals", "aws:TokenIssueTime", "2026-02-03T04:05:07Z", "1770091506"),
    ("DateLessThan", "aws:TokenIssueTime", "2026-02-04", "2026-02-03T04:05:06Z"),
    ("DateLessThanEquals", "aws:TokenIssueTime", "2026-02-03T04:05:06Z", "2026-02-03"),
    ("DateGreaterThan", "aws:TokenIssueTime", "2026-02-03", "2026-02-03T04:05:06Z"),
    ("DateGreaterThanEquals", "aws:TokenIssueTime", "2026-02-03T04:05:06Z", "2026-02-03T04:05:07Z"),
    ("Bool", "aws:SecureTransport", "true", "false"),
    ("BinaryEquals", "kms:EncryptionContext:digest", "QUJD", "QUJE"),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24", "203.0.113.8"),
    ("NotIpAddress", "aws:SourceIp", "203.0.113.8/32", "203.0.113.7"),
    ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/*", "arn:aws:iam::*:user/*"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app", "arn:*:role/app:*:*:*"),
    ("ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/app"),
    ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"),
    ("Null", "kms:ViaService", "true", "false"),
]


def encrypt(kms: FakeKMS, document: Any, context: dict[str, str] | None = None) -> Callable[[], object]:
    """Return an Encrypt of a role that has a policy."""
    key, app = kms.create_key(), kms.principal("role/app", policy=document, context=SURROUNDINGS)
    client = kms.client_for(app)
    return lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext=CONTEXT | (context or {}))


def test_no_operator_is_left_out() -> None:
    """The table has all of IAM's."""
    assert {operator for operator, *_ in TABLE} == {*OPERATORS, "Null"}


@pytest.mark.parametrize(("operator", "key", "value", "other"), TABLE)
def test_an_operator_decides(kms: FakeKMS, operator: str, key: str, value: str, other: str) -> None:
    """Of several values of an operator without `Not` one is enough, with `Not` all have to differ."""
    negated = operator != "Null" and OPERATORS[operator].negated

    def lets(*values: str) -> bool:
        return is_allowed(encrypt(kms, policy(allow(Condition={operator: {key: list(values)}}))))

    assert [True, False] == [lets(value), lets(other)]
    if operator != "Null":
        assert (not negated) == lets(value, other)


@pytest.mark.parametrize(("operator", "key", "value", "other"), TABLE)
def test_a_deny_of_an_operator_decides(kms: FakeKMS, operator: str, key: str, value: str, other: str) -> None:
    """A Deny fires where its condition holds, and not where it does not."""

    def lets(value: str) -> bool:
        return is_allowed(encrypt(kms, policy(allow(), deny(Condition={operator: {key: value}}))))

    assert [False, True] == [lets(value), lets(other)]


@pytest.mark.parametrize(("operator", "value"), [row[::2] for row in TABLE if row[0] != "Null"])
def test_an_operator_on_what_is_not_there(kms: FakeKMS, operator: str, value: str) -> None:
    """Without `Not` it does not hold, with `Not` it does; with IfExists both do."""
    absent = "kms:EncryptionContext:nobody"

    def lets(operator: str) -> bool:
        return is_allowed(encrypt(kms, policy(allow(Condition={operator: {absent: value}}))))

    assert [OPERATORS[operator].negated, True] == [lets(operator), lets(f"{operator}IfExists")]
    assert [True, False] == [lets(f"ForAllValues:{operator}"), lets(f"ForAnyValue:{operator}")]


def test_all_operators_and_keys_have_to_hold(kms: FakeKMS) -> None:
    """They are joined by `and`, the values of one key by `or`."""
    condition: dict[str, dict[str, Any]] = {
        "StringEquals": {"kms:EncryptionContext:tenant": ["a", "b"], "kms:EncryptionContext:digest": "QUJD"},
        "Bool": {"aws:SecureTransport": True},
    }
    document = policy(allow(Condition=condition))

    assert is_allowed(encrypt(kms, document))
    assert is_allowed(encrypt(kms, document, {"tenant": "b"}))
    assert not is_allowed(encrypt(kms, document, {"tenant": "c"}))
    assert not is_allowed(encrypt(kms, document, {"digest": "x"}))


# Policy variables

OF_TENANT = {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}"}}


def of(kms: FakeKMS, document: Any, name: str = "role/app", **who: Any) -> KMSClient:
    """Return a client of somebody who has a policy."""
    return kms.client_for(kms.principal(name, policy=document, **who))


@pytest.mark.parametrize(
    ("tags", "tenant", "expected"),
    [({"tenant": "a"}, "a", True), ({"Tenant": "a"}, "a", True), ({"tenant": "a"}, "b", False), ({}, "", False)],
)
def test_tenants_are_kept_apart_by_a_variable(
    kms: FakeKMS,
    tags: dict[str, str],
    tenant: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """One policy for all of them; who has no tag matches nothing, not even an empty name."""
    key, client = kms.create_key(), of(kms, policy(allow(Condition=OF_TENANT)), tags=tags)

    assert expected == is_allowed(
        lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"tenant": tenant})
    )


def test_a_variable_in_a_key_policy_is_about_the_caller(kms: FakeKMS) -> None:
    """Key policies have variables, too."""
    key = kms.create_key(policy=policy(allow(Principal="*", Condition=OF_TENANT)))
    client = kms.client_for(kms.principal("role/app", tags={"tenant": "a"}))

    def encrypts(tenant: str) -> bool:
        return is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"tenant": tenant}))

    assert [True, False] == [encrypts("a"), encrypts("b")]


def test_a_variable_may_have_a_default(kms: FakeKMS) -> None:
    """It stands in where the request has no value."""
    condition = {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant, 'a'}"}}

    assert is_allowed(encrypt(kms, policy(allow(Condition=condition))))


def test_wildcards_in_a_value_are_characters(kms: FakeKMS) -> None:
    """A tag `*` is no key to everything, and `${*}` is a star."""
    key = kms.create_key()
    like = {"StringLike": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}-${*}"}}
    client = of(kms, policy(allow(Condition=like)), tags={"tenant": "*"})

    def encrypts(tenant: str) -> bool:
        return is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"tenant": tenant}))

    assert [True, False, False] == [encrypts("*-*"), encrypts("a-*"), encrypts("*-b")]


def test_a_variable_in_a_resource(kms: FakeKMS) -> None:
    """Each user has aliases of her own."""
    key = kms.create_key()
    document = policy(
        allow("kms:CreateAlias", Resource=["arn:aws:kms:*:*:alias/${aws:username}/*", "arn:aws:kms:*:*:key/*"])
    )
    client = of(kms, document, "user/alice")

    assert is_allowed(lambda: client.create_alias(AliasName="alias/alice/orders", TargetKeyId=key.id))
    assert not is_allowed(lambda: client.create_alias(AliasName="alias/bob/orders", TargetKeyId=key.id))
    nobody = of(kms, document)  # the session of a role has no aws:username
    assert not is_allowed(lambda: nobody.create_alias(AliasName="alias/app/orders", TargetKeyId=key.id))


def test_a_variable_in_an_arn(kms: FakeKMS) -> None:
    """Arn operators know them as well."""
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}

    assert is_allowed(encrypt(kms, policy(allow(Condition=condition))))


def test_old_policies_have_no_variables(kms: FakeKMS) -> None:
    """In those of 2008, and those without a version, they are text."""
    key, old = kms.create_key(), {"Version": "2008-10-17", "Statement": [allow(Condition=OF_TENANT)]}
    client = of(kms, old, tags={"tenant": "a"})

    def encrypts(tenant: str) -> bool:
        return is_allowed(lambda: client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"tenant": tenant}))

    assert [False, True] == [encrypts("a"), encrypts("${aws:PrincipalTag/tenant}")]


def test_a_variable_of_many_values_never_resolves(kms: FakeKMS) -> None:
    """Recorded."""
    key = kms.create_key()
    condition = {"StringEquals": {"aws:RequestTag/team": "${aws:TagKeys}"}}
    client = of(kms, policy(allow(Condition=condition)))

    assert not is_allowed(lambda: client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "team", "TagValue": "team"}]))


def test_a_variable_that_is_not_known_is_a_loud_error() -> None:
    """It might stand for anything."""
    with fake_kms(unsupported="ignore") as kms:
        call = encrypt(kms, policy(allow(Condition={"StringEquals": {"aws:username": "${aws:Nonsense}"}})))
        assert not is_allowed(call)  # a role has no user name, so that there is nothing to compare
        call = encrypt(kms, policy(allow(Condition={"StringEquals": {"aws:PrincipalType": "${aws:Nonsense}"}})))
        with pytest.raises(NotSupported, match="the condition key aws:Nonsense is not known"):
            call()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEqual": {"kms:KeySpec": "x"}},
        {"NullIfExists": {"kms:KeySpec": "true"}},
        {"NumericEquals": {"kms:KeySpec": "many"}},
        {"Bool": {"kms:MultiRegion": "yes"}},
        {"IpAddress": {"aws:SourceIp": "home"}},
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused_at_once(kms: FakeKMS, condition: dict[str, Any]) -> None:
    """When the test makes the principal, or the key."""
    with pytest.raises(UsageError):
        kms.principal("role/app", policy=policy(allow(Condition=condition)))
    with pytest.raises(UsageError):
        kms.create_key(policy=policy(allow(Principal=by(f"arn:aws:iam::{ACCOUNT}:root"), Condition=condition)))
