"""Grants are made, listed, retired and revoked as AWS does it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from answers import STATES, TESTER, UNKNOWN, UNUSABLE, each_unfit_name, error_of, invalid, members_of, unchecked, unfit

from pytest_kms import FakeKMS, Key, service

pytestmark = pytest.mark.kms(region="us-east-1")

ARN = "arn:aws:kms:us-east-1:123456789012"
APP = "arn:aws:iam::123456789012:role/app"
OPS = "arn:aws:iam::123456789012:role/ops"
NOBODY = "0" * 64
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
INVALID_GRANT_ID = {"Code": "InvalidGrantIdException", "Message": ""}
INVALID_GRANT_TOKEN = {"Code": "InvalidGrantTokenException", "Message": ""}
PRINCIPALS = (
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::123456789012:user/division/alice",
    "arn:aws:iam::210987654321:role/app",
    "arn:aws:iam::210987654321:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    "arn:aws:sts::123456789012:assumed-role/app/session",
    "arn:aws:sts::123456789012:federated-user/bob",
)
SERVICES = ("dynamodb.us-east-1.amazonaws.com", "logs.amazonaws.com", "ec2.cn-north-1.amazonaws.com.cn")
NO_PRINCIPALS = (
    "alice",
    "123456789012",
    "arn:aws:iam::123456789012:group/admins",
    "arn:aws:iam::12345:user/alice",
    "arn:aws:sts::123456789012:assumed-role/path/app/session",
    "arn:aws:s3:::bucket",
    "arn:aws-cn:iam::123456789012:role/app",
    f"{ARN}:key/{UNKNOWN}",
)
ON_EVERY_KEY = "CreateGrant, RetireGrant, DescribeKey"
OF_ENCRYPTION = (
    f"{ON_EVERY_KEY}, Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext,"
    " GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo"
)
REFUSED_IN = [state for state in UNUSABLE if state != "Unavailable"]


of_new_botocore = pytest.mark.skipif(
    "GranteeServicePrincipal" not in service.input_shape("CreateGrant").members,
    reason="this botocore does not know grants for services yet",
)


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key that somebody may be granted to use."""
    return kms.create_key("orders")


def grant(kms: FakeKMS, key: Key, **members: Any) -> dict[str, str]:
    """Let APP decrypt with a key, or whatever is asked for; return the answer."""
    asked: dict[str, Any] = {"KeyId": key.arn, "Operations": ["Decrypt"], **members}
    if "GranteeServicePrincipal" not in asked:
        asked.setdefault("GranteePrincipal", APP)
    return members_of(kms.client.create_grant(**asked))


def listed(kms: FakeKMS, key: Key, **members: Any) -> list[Any]:
    """Return the entries of ListGrants."""
    return list(kms.client.list_grants(KeyId=key.arn, **members)["Grants"])


def ids(entries: list[Any]) -> set[str]:
    """Return the ids of grants that are listed."""
    return {entry["GrantId"] for entry in entries}


def validation_error(message: str) -> dict[str, str]:
    """Return a ValidationException."""
    return {"Code": "ValidationException", "Message": message}


# CreateGrant


@pytest.mark.parametrize("form", ["id", "arn"])
def test_a_grant_is_made(kms: FakeKMS, key: Key, form: str) -> None:
    """The answer is the grant's id, and a token for those who cannot wait until AWS has spread the news."""
    answer = grant(kms, key, KeyId=getattr(key, form))
    assert ["GrantId", "GrantToken"] == sorted(answer)
    assert re.fullmatch("[0-9a-f]{64}", answer["GrantId"])
    assert re.fullmatch("AQpA[A-Za-z0-9_-]+", answer["GrantToken"])
    assert ids(listed(kms, key)) == {answer["GrantId"]}


def test_a_grant_is_listed_as_it_was_made(kms: FakeKMS, key: Key) -> None:
    """The key is an ARN, the date has whole seconds, each operation stands once and in AWS's order."""
    kms.clock.freeze()
    kms.clock.advance(seconds=0.75)
    answer = grant(
        kms,
        key,
        Name="for-orders",
        GranteePrincipal=APP,
        RetiringPrincipal=OPS,
        Operations=["DescribeKey", "Encrypt", "Decrypt", "RetireGrant", "Encrypt"],
        Constraints={"EncryptionContextSubset": {"order": "7"}},
    )
    assert [
        {
            "KeyId": key.arn,
            "GrantId": answer["GrantId"],
            "Name": "for-orders",
            "CreationDate": kms.clock.now.replace(microsecond=0),
            "GranteePrincipal": APP,
            "RetiringPrincipal": OPS,
            "IssuingAccount": "arn:aws:iam::123456789012:root",
            "Operations": ["Decrypt", "Encrypt", "RetireGrant", "DescribeKey"],
            "Constraints": {"EncryptionContextSubset": {"order": "7"}},
        }
    ] == listed(kms, key)


def test_a_grant_without_name_retirer_and_constraints(kms: FakeKMS, key: Key) -> None:
    """The name is shown as an empty one, the others not at all; empty constraints are none."""
    grant(kms, key, Constraints={})
    [entry] = listed(kms, key)
    assert "" == entry["Name"]
    assert set() == {"RetiringPrincipal", "RetiringServicePrincipal", "GranteeServicePrincipal", "Constraints"} & {
        *entry
    }


@of_new_botocore
def test_a_grant_for_a_service(kms: FakeKMS, key: Key) -> None:
    """It says for which resource; services are shown in members of their own."""
    grant(
        kms,
        key,
        GranteeServicePrincipal="dynamodb.us-east-1.amazonaws.com",
        RetiringServicePrincipal="dynamodb.us-east-1.amazonaws.com",
        Constraints={"SourceArn": TABLE, "EncryptionContextEquals": {"table": "orders"}},
    )
    [entry] = listed(kms, key)
    assert "dynamodb.us-east-1.amazonaws.com" == entry["GranteeServicePrincipal"] == entry["RetiringServicePrincipal"]
    assert {"SourceArn": TABLE, "EncryptionContextEquals": {"table": "orders"}} == entry["Constraints"]
    assert set() == {"GranteePrincipal", "RetiringPrincipal"} & set(entry)


@of_new_botocore
def test_every_kind_of_key_may_be_granted_for_a_source(kms: FakeKMS) -> None:
    """SourceArn goes with all keys, and with principals."""
    key = kms.create_key(spec="HMAC_256")
    grant(kms, key, Operations=["GenerateMac"], Constraints={"SourceArn": TABLE})
    assert [{"SourceArn": TABLE}] == [entry["Constraints"] for entry in listed(kms, key)]


# CreateGrant: again


def test_without_a_name_every_call_makes_a_grant(kms: FakeKMS, key: Key) -> None:
    """However alike they are."""
    made = [grant(kms, key)["GrantId"] for _ in range(3)]
    assert 3 == len(set(made))
    assert set(made) == ids(listed(kms, key))


def test_the_same_name_and_members_are_the_same_grant(kms: FakeKMS, key: Key) -> None:
    """The id is the old one, the token a new one; the order of the operations does not matter."""
    first = grant(kms, key, Name="for-orders", Operations=["Encrypt", "Decrypt"])
    kms.clock.advance(hours=1)
    again = grant(kms, key, Name="for-orders", Operations=["Decrypt", "Encrypt"])
    assert first["GrantId"] == again["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    assert 1 == len(listed(kms, key))


@pytest.mark.parametrize(
    "members",
    [
        {"GranteePrincipal": OPS},
        {"RetiringPrincipal": OPS},
        {"Operations": ["Encrypt"]},
        {"Constraints": {"EncryptionContextEquals": {}}},
        {"Name": "for-others"},
    ],
    ids=lambda members: next(iter(members)),
)
def test_a_name_may_be_given_to_different_grants(kms: FakeKMS, key: Key, members: dict[str, Any]) -> None:
    """Names need not be unique: anything else that differs makes a grant of its own."""
    first = grant(kms, key, Name="for-orders")
    other = grant(kms, key, **{"Name": "for-orders", **members})
    assert {first["GrantId"], other["GrantId"]} == ids(listed(kms, key))
    assert 2 == len(listed(kms, key))


def test_a_name_may_be_given_on_several_keys(kms: FakeKMS, key: Key) -> None:
    """Each key has its own grants, replicas of one key as well."""
    other = kms.create_key()
    assert grant(kms, key, Name="for-orders")["GrantId"] != grant(kms, other, Name="for-orders")["GrantId"]
    assert (1, 1) == (len(listed(kms, key)), len(listed(kms, other)))


def test_a_name_is_free_again_after_the_grant(kms: FakeKMS, key: Key) -> None:
    """A grant that is gone does not come back."""
    first = grant(kms, key, Name="for-orders")
    kms.client.revoke_grant(KeyId=key.id, GrantId=first["GrantId"])
    assert first["GrantId"] != grant(kms, key, Name="for-orders")["GrantId"]


# CreateGrant: who


@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
@pytest.mark.parametrize("principal", [*PRINCIPALS, *SERVICES])
def test_principals_that_aws_takes(kms: FakeKMS, key: Key, member: str, principal: str) -> None:
    """Accounts, users, roles, sessions and federated users of any account; services, as services themselves ask."""
    grant(kms, key, **{member: principal})
    assert [principal] == [entry[member] for entry in listed(kms, key)]


@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
@pytest.mark.parametrize("principal", NO_PRINCIPALS)
def test_principals_that_aws_does_not_take(kms: FakeKMS, key: Key, member: str, principal: str) -> None:
    """No groups, no numbers, no session with the path of its role, nobody of another partition."""
    assert {"Code": "InvalidArnException", "Message": f"ARN is not valid: {principal}"} == error_of(
        kms.client,
        "create_grant",
        **{"KeyId": key.id, "GranteePrincipal": APP, "Operations": ["Decrypt"]} | {member: principal},
    )
    assert [] == listed(kms, key)


@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
@pytest.mark.parametrize("principal", ["AROAEXAMPLEID1234567:session", "AIDAEXAMPLEID1234567"])
def test_a_unique_id_names_nobody(kms: FakeKMS, key: Key, member: str, principal: str) -> None:
    """Nobody in the fake has one: it is refused as that of a role that was deleted."""
    assert {
        "Code": "InvalidArnException",
        "Message": f"{member} does not refer to a valid principal.",
    } == error_of(
        kms.client,
        "create_grant",
        **{"KeyId": key.id, "GranteePrincipal": APP, "Operations": ["Decrypt"]} | {member: principal},
    )


def test_principals_of_a_region_are_of_its_partition(kms: FakeKMS) -> None:
    """What is right elsewhere is wrong in China, and the other way round."""
    key = kms.create_key(region="cn-north-1")
    client = kms.client_for(region="cn-north-1")
    principal = "arn:aws-cn:iam::123456789012:role/app"
    client.create_grant(KeyId=key.id, GranteePrincipal=principal, Operations=["Decrypt"])
    [entry] = client.list_grants(KeyId=key.id)["Grants"]
    assert (principal, "arn:aws-cn:iam::123456789012:root") == (entry["GranteePrincipal"], entry["IssuingAccount"])
    assert {"Code": "InvalidArnException", "Message": f"ARN is not valid: {APP}"} == error_of(
        client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"]
    )


@of_new_botocore
@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({}, "You must specify either GranteePrincipal or GranteeServicePrincipal.", id="no grantee"),
        pytest.param(
            {"GranteePrincipal": APP, "GranteeServicePrincipal": SERVICES[0]},
            "You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.",
            id="two grantees",
        ),
        pytest.param(
            {"GranteePrincipal": APP, "RetiringPrincipal": APP, "RetiringServicePrincipal": SERVICES[0]},
            "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.",
            id="two retirers",
        ),
        pytest.param(
            {"GranteeServicePrincipal": SERVICES[0], "RetiringPrincipal": APP},
            "A grant with a GranteeServicePrincipal must have a SourceArn constraint.",
            id="service without source",
        ),
        pytest.param(
            {"GranteeServicePrincipal": SERVICES[0], "Constraints": {"SourceArn": TABLE}},
            "A grant with a GranteeServicePrincipal must have a RetiringPrincipal or a RetiringServicePrincipal.",
            id="service without retirer",
        ),
    ],
)
def test_a_grant_has_one_grantee(kms: FakeKMS, key: Key, members: dict[str, Any], message: str) -> None:
    """A principal or a service; for a service also a resource, and somebody who may retire the grant."""
    assert validation_error(message) == error_of(
        kms.client, "create_grant", KeyId=key.id, Operations=["Decrypt"], **members
    )
    assert [] == listed(kms, key)


@of_new_botocore
@pytest.mark.parametrize("retirer", [{"RetiringPrincipal": OPS}, {"RetiringServicePrincipal": SERVICES[1]}])
def test_anybody_may_be_the_retirer_of_a_service_s_grant(kms: FakeKMS, key: Key, retirer: dict[str, str]) -> None:
    """A principal or a service."""
    grant(kms, key, GranteeServicePrincipal=SERVICES[0], Constraints={"SourceArn": TABLE}, **retirer)
    assert 1 == len(listed(kms, key))


# CreateGrant: what


@pytest.mark.parametrize(
    ("spec", "usage", "wrong", "kind", "valid"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", ["Sign", "GetPublicKey"], "a symmetric", OF_ENCRYPTION),
        ("HMAC_256", "GENERATE_VERIFY_MAC", ["Encrypt"], "a symmetric", f"{ON_EVERY_KEY}, GenerateMac, VerifyMac"),
        (
            "RSA_2048",
            "ENCRYPT_DECRYPT",
            ["GenerateDataKey"],
            "an asymmetric",
            f"{ON_EVERY_KEY}, GetPublicKey, Encrypt, Decrypt, ReEncryptFrom, ReEncryptTo",
        ),
        ("RSA_2048", "SIGN_VERIFY", ["Decrypt"], "an asymmetric", f"{ON_EVERY_KEY}, GetPublicKey, Sign, Verify"),
        ("ECC_NIST_P256", "SIGN_VERIFY", ["VerifyMac"], "an asymmetric", f"{ON_EVERY_KEY}, GetPublicKey, Sign, Verify"),
        (
            "ECC_NIST_P256",
            "KEY_AGREEMENT",
            ["Sign", "Verify"],
            "an asymmetric",
            f"{ON_EVERY_KEY}, GetPublicKey, DeriveSharedSecret",
        ),
    ],
)
def test_a_grant_allows_what_the_key_can_do(
    kms: FakeKMS, spec: str, usage: str, wrong: list[str], kind: str, valid: str
) -> None:
    """Everything that it can, and nothing else: the message names what is wrong and lists what is valid."""
    key = kms.create_key(spec=spec, usage=usage)
    grant(kms, key, Operations=valid.split(", "))
    [entry] = listed(kms, key)
    assert set(valid.split(", ")) == set(entry["Operations"])
    assert validation_error(
        f"Operations [{', '.join(wrong)}] are not supported when creating a grant for {kind} KMS key with key usage"
        f" {usage}. Valid operations are [{valid}]"
    ) == error_of(kms.client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["DescribeKey", *wrong])


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (["CreateGrant"], "Grants must not contain only the CreateGrant operation."),
        (["CreateGrant", "CreateGrant"], "Grants must not contain only the CreateGrant operation."),
        ([], "Grants must contain at least one operation."),
    ],
)
def test_a_grant_allows_more_than_to_make_grants(kms: FakeKMS, key: Key, operations: list[Any], message: str) -> None:
    """CreateGrant alone is useless, and so is nothing."""
    assert validation_error(message) == error_of(
        kms.client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=operations
    )


@pytest.mark.parametrize("name", ["EncryptionContextEquals", "EncryptionContextSubset"])
def test_a_constraint_has_up_to_8_pairs(kms: FakeKMS, key: Key, name: str) -> None:
    """With values of up to 384 characters."""
    grant(kms, key, Constraints={name: {f"{number}": "v" * 384 for number in range(8)}})
    for context, message in (
        ({f"{number}": "v" for number in range(9)}, f"{name} must have at most 8 encryption context pairs."),
        ({"a": "v" * 385}, f"The values in {name} must have at most 384 characters."),
    ):
        assert validation_error(message) == error_of(
            kms.client,
            "create_grant",
            KeyId=key.id,
            GranteePrincipal=APP,
            Operations=["Decrypt"],
            Constraints={name: context},
        )
    assert 1 == len(listed(kms, key))


def test_constraints_that_exclude_each_other(kms: FakeKMS, key: Key) -> None:
    """The context is equal or a subset."""
    assert validation_error(
        "Specify either EncryptionContextEquals or EncryptionContextSubset, but not both."
    ) == error_of(
        kms.client,
        "create_grant",
        KeyId=key.id,
        GranteePrincipal=APP,
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"a": "1"}, "EncryptionContextEquals": {"a": "1"}},
    )


@pytest.mark.parametrize("name", ["EncryptionContextEquals", "EncryptionContextSubset"])
@pytest.mark.parametrize(
    ("spec", "usage", "operation"),
    [
        ("HMAC_256", "GENERATE_VERIFY_MAC", "GenerateMac"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "Encrypt"),
        ("ECC_NIST_P256", "SIGN_VERIFY", "Sign"),
    ],
)
def test_only_symmetric_encryption_has_a_context(
    kms: FakeKMS, name: str, spec: str, usage: str, operation: Any
) -> None:
    """Constraints on it are for those keys alone."""
    key = kms.create_key(spec=spec, usage=usage)
    assert validation_error(
        "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."
    ) == error_of(
        kms.client,
        "create_grant",
        KeyId=key.id,
        GranteePrincipal=APP,
        Operations=[operation],
        Constraints={name: {"a": "1"}},
    )


@of_new_botocore
@pytest.mark.parametrize(
    ("members", "violations"),
    [
        pytest.param(
            {"GranteePrincipal": "alice bob", "Name": "my grant"},
            [
                r"Value 'alice bob' at 'granteePrincipal' failed to satisfy constraint: Member must satisfy regular"
                r" expression pattern: ^[\w+=,.@:/-]+$",
                "Value 'my grant' at 'name' failed to satisfy constraint: Member must satisfy regular expression"
                " pattern: ^[a-zA-Z0-9:/_-]+$",
            ],
            id="characters",
        ),
        pytest.param(
            {"Constraints": {"SourceArn": "arn:aws:s3:::b"}},
            [
                "Value 'arn:aws:s3:::b' at 'constraints.sourceArn' failed to satisfy constraint: Member must have"
                " length greater than or equal to 20",
                "Value 'arn:aws:s3:::b' at 'constraints.sourceArn' failed to satisfy constraint: Member must satisfy"
                " regular expression pattern: ^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
            ],
            id="source",
        ),
    ],
)
def test_members_of_a_grant_have_limits(kms: FakeKMS, key: Key, members: dict[str, Any], violations: list[str]) -> None:
    """Those of KMS's model."""
    asked = {"KeyId": key.id, "GranteePrincipal": APP, "Operations": ["Decrypt"]} | members
    assert invalid(*violations) == error_of(unchecked(kms), "create_grant", **asked)


def test_an_operation_that_no_grant_can_allow(kms: FakeKMS, key: Key) -> None:
    """The message names it by its place."""
    error = error_of(
        unchecked(kms), "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["Encrypt", "PutKeyPolicy"]
    )
    assert "ValidationException" == error["Code"]
    assert error["Message"].startswith(
        "1 validation error detected: Value 'PutKeyPolicy' at 'operations.2.member' failed to satisfy constraint:"
        " Member must satisfy enum value set: ["
    )


# CreateGrant: the key


@pytest.mark.parametrize("state", STATES)
def test_a_grant_is_made_in_some_states(kms: FakeKMS, state: str) -> None:
    """Not on a key that cannot be used for long, but on one whose key store is away or that is being updated."""
    key = kms.create_key(state=state)
    if state in REFUSED_IN:
        assert unfit(key.arn, state) == error_of(
            kms.client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"]
        )
    else:
        grant(kms, key)
    assert (0 if state in REFUSED_IN else 1) == len(listed(kms, key))


def test_a_key_has_a_quota_of_grants(kms: FakeKMS, key: Key) -> None:
    """To ask again for a grant that there is needs no room."""
    kms.quotas["Grants per KMS key"] = 2
    grant(kms, key)
    grant(kms, key, Name="for-orders")
    grant(kms, key, Name="for-orders")
    for dry in (False, True):
        assert {
            "Code": "LimitExceededException",
            "Message": "Grants per key quota for this account in this region is 2, current usage is 2.",
        } == error_of(
            kms.client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"], DryRun=dry
        )
    kms.quotas.off()
    grant(kms, key)
    assert 3 == len(listed(kms, key))


def test_an_aws_managed_key_is_granted_by_its_service_alone(kms: FakeKMS) -> None:
    """Nobody else may make grants on it; that there are none may be seen."""
    key = kms.aws_managed_key("s3")
    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:CreateGrant on resource: {key.arn} because no"
        " resource-based policy allows the kms:CreateGrant action",
    } == error_of(kms.client, "create_grant", KeyId=key.id, GranteePrincipal=APP, Operations=["Decrypt"])
    assert [] == listed(kms, key)


# CreateGrant, RetireGrant, RevokeGrant: dry runs


def test_a_dry_run_makes_no_grant(kms: FakeKMS, key: Key) -> None:
    """All checks are made, and nothing else."""
    asked: dict[str, Any] = {"KeyId": key.id, "GranteePrincipal": APP, "Operations": ["Decrypt"], "DryRun": True}
    assert WOULD_SUCCEED == error_of(kms.client, "create_grant", **asked)
    assert [] == listed(kms, key)
    assert validation_error("Grants must not contain only the CreateGrant operation.") == error_of(
        kms.client, "create_grant", **asked | {"Operations": ["CreateGrant"]}
    )


@pytest.mark.parametrize("how", ["retire by token", "retire by id", "revoke"])
def test_a_dry_run_leaves_the_grant(kms: FakeKMS, key: Key, how: str) -> None:
    """A grant that is not there is told all the same."""
    answer = grant(kms, key)
    method, members = ending(key, answer, how)
    assert WOULD_SUCCEED == error_of(kms.client, method, DryRun=True, **members)
    assert {answer["GrantId"]} == ids(listed(kms, key))
    getattr(kms.client, method)(**members)
    expected = INVALID_GRANT_TOKEN if how == "retire by token" else not_found(answer["GrantId"])
    assert expected == error_of(kms.client, method, DryRun=True, **members)


# RetireGrant and RevokeGrant


def ending(key: Key, answer: dict[str, str], how: str) -> tuple[str, dict[str, str]]:
    """Return a method that ends a grant, and its members."""
    if how == "retire by token":
        return "retire_grant", {"GrantToken": answer["GrantToken"]}
    return "retire_grant" if how == "retire by id" else "revoke_grant", {
        "KeyId": key.arn,
        "GrantId": answer["GrantId"],
    }


def not_found(grant_id: str) -> dict[str, str]:
    """Return the error for a grant that is not there."""
    return {"Code": "NotFoundException", "Message": f"Grant ID {grant_id} not found"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("how", ["retire by token", "retire by id", "revoke"])
def test_a_grant_ends_whatever_state_its_key_is_in(kms: FakeKMS, key: Key, how: str, state: str) -> None:
    """The answer is empty, other grants stay; the call is recorded with the key, and without the token."""
    answer, other = grant(kms, key), grant(kms, key)
    key.state = state
    method, members = ending(key, answer, how)
    assert {} == members_of(getattr(kms.client, method)(**members))
    assert (key.arn,) == kms.trail.last.keys
    assert "GrantToken" not in kms.trail.last.parameters
    assert {other["GrantId"]} == ids(listed(kms, key))


@pytest.mark.parametrize("how", ["retire by token", "retire by id", "revoke"])
def test_a_grant_ends_once(kms: FakeKMS, key: Key, how: str) -> None:
    """A second time it is not there any more; nor are its tokens."""
    answer = grant(kms, key)
    method, members = ending(key, answer, how)
    getattr(kms.client, method)(**members)
    expected = INVALID_GRANT_TOKEN if how == "retire by token" else not_found(answer["GrantId"])
    assert expected == error_of(kms.client, method, **members)


def test_each_token_of_a_grant_retires_it(kms: FakeKMS, key: Key) -> None:
    """All tokens of one grant mean the same."""
    tokens = [grant(kms, key, Name="for-orders")["GrantToken"] for _ in range(3)]
    kms.client.retire_grant(GrantToken=tokens[1])
    assert [] == listed(kms, key)
    assert INVALID_GRANT_TOKEN == error_of(kms.client, "retire_grant", GrantToken=tokens[2])


def test_a_grant_is_revoked_by_the_id_of_its_key(kms: FakeKMS, key: Key) -> None:
    """RevokeGrant takes key id and key ARN."""
    kms.client.revoke_grant(KeyId=key.id, GrantId=grant(kms, key)["GrantId"])
    assert [] == listed(kms, key)


@pytest.mark.parametrize("method", ["retire_grant", "revoke_grant"])
def test_a_grant_of_another_key(kms: FakeKMS, key: Key, method: str) -> None:
    """The id goes with its key alone."""
    answer, other = grant(kms, key), kms.create_key()
    assert not_found(answer["GrantId"]) == error_of(kms.client, method, KeyId=other.arn, GrantId=answer["GrantId"])
    assert 1 == len(listed(kms, key))


@pytest.mark.parametrize("method", ["retire_grant", "revoke_grant", "list_grants"])
@pytest.mark.parametrize("grant_id", ["x", "A" * 64, "0" * 63, "0" * 65])
def test_an_id_that_is_none(kms: FakeKMS, key: Key, method: str, grant_id: str) -> None:
    """A grant id has 64 hexadecimal digits in lower case."""
    assert INVALID_GRANT_ID == error_of(kms.client, method, KeyId=key.arn, GrantId=grant_id)


@pytest.mark.parametrize(
    "given", [(), ("KeyId",), ("GrantId",), ("GrantToken", "KeyId", "GrantId"), ("GrantToken", "KeyId")]
)
def test_a_grant_is_retired_by_token_or_by_key_and_id(kms: FakeKMS, key: Key, given: tuple[str, ...]) -> None:
    """Nothing less, and nothing more."""
    members = {"KeyId": key.arn, **grant(kms, key)}
    assert validation_error("Specify either a GrantToken, or both a KeyId and a GrantId.") == error_of(
        kms.client, "retire_grant", **{name: members[name] for name in given}
    )


@pytest.mark.parametrize(
    ("key_id", "code", "message"),
    [
        (UNKNOWN, "InvalidArnException", ""),
        ("alias/orders", "InvalidArnException", "Key Aliases are not supported for this operation."),
        (f"{ARN}:alias/orders", "InvalidArnException", "Key Aliases are not supported for this operation."),
        (f"{ARN}:key/{UNKNOWN}", "NotFoundException", f"Key '{ARN}:key/{UNKNOWN}' does not exist"),
        (f"arn:aws:kms:us-west-2:123456789012:key/{UNKNOWN}", "NotFoundException", "Invalid arn us-west-2"),
    ],
    ids=["id", "alias", "alias ARN", "unknown", "other Region"],
)
def test_a_grant_is_retired_by_the_arn_of_its_key(kms: FakeKMS, key: Key, key_id: str, code: str, message: str) -> None:
    """RetireGrant takes neither key ids nor aliases."""
    assert {"Code": code, "Message": message} == error_of(kms.client, "retire_grant", KeyId=key_id, GrantId=NOBODY)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(("method", "action"), [("retire_grant", "RetireGrant"), ("revoke_grant", "RevokeGrant")])
def test_grants_of_another_account_are_closed(kms: FakeKMS, method: str, action: str, exists: bool) -> None:  # noqa: FBT001
    """Whether key and grant exist is not told."""
    foreign = kms.create_key(account="210987654321")
    arn = foreign.arn if exists else f"arn:aws:kms:us-east-1:210987654321:key/{UNKNOWN}"
    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:{action} on this resource because the resource"
        " does not exist in this Region, no resource-based policies allow access, or a resource-based policy"
        " explicitly denies access",
    } == error_of(kms.client, method, KeyId=arn, GrantId=NOBODY)


def test_grants_go_with_their_key(kms: FakeKMS, key: Key) -> None:
    """When a key is deleted, neither its ARN nor a token leads to its grants."""
    answer = grant(kms, key, RetiringPrincipal=OPS)
    kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    assert {"Code": "NotFoundException", "Message": f"Key '{key.arn}' does not exist"} == error_of(
        kms.client, "retire_grant", KeyId=key.arn, GrantId=answer["GrantId"]
    )
    assert INVALID_GRANT_TOKEN == error_of(kms.client, "retire_grant", GrantToken=answer["GrantToken"])
    assert [] == kms.client.list_retirable_grants(RetiringPrincipal=OPS)["Grants"]


# ListGrants


@pytest.mark.parametrize("state", STATES)
def test_grants_are_listed_in_every_state(kms: FakeKMS, key: Key, state: str) -> None:
    """The state of the key does not matter."""
    answer = grant(kms, key)
    key.state = state
    assert {answer["GrantId"]} == ids(listed(kms, key))


def test_grants_are_filtered(kms: FakeKMS, key: Key) -> None:
    """By id, by grantee, by both; what fits nothing is an empty list."""
    app, ops = grant(kms, key)["GrantId"], grant(kms, key, GranteePrincipal=OPS)["GrantId"]
    assert {app, ops} == ids(listed(kms, key))
    assert {app} == ids(listed(kms, key, GrantId=app)) == ids(listed(kms, key, GranteePrincipal=APP))
    assert {ops} == ids(listed(kms, key, GrantId=ops, GranteePrincipal=OPS))
    assert set() == ids(listed(kms, key, GrantId=app, GranteePrincipal=OPS))
    assert set() == ids(listed(kms, key, GrantId=NOBODY))
    assert set() == ids(listed(kms, key, GranteePrincipal=TESTER))


@pytest.mark.parametrize("principal", NO_PRINCIPALS)
def test_a_grantee_to_filter_by_is_a_principal(kms: FakeKMS, key: Key, principal: str) -> None:
    """What is none is refused as in CreateGrant."""
    assert {"Code": "InvalidArnException", "Message": f"ARN is not valid: {principal}"} == error_of(
        kms.client, "list_grants", KeyId=key.id, GranteePrincipal=principal
    )


def test_a_unique_id_to_filter_by_names_nobody(kms: FakeKMS, key: Key) -> None:
    """It is refused as that of a role that was deleted, in other words than in CreateGrant."""
    assert {"Code": "InvalidArnException", "Message": "Input does not refer to a valid principal"} == error_of(
        kms.client, "list_grants", KeyId=key.id, GranteePrincipal="AROAEXAMPLEID1234567:session"
    )


@of_new_botocore
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"GranteeServicePrincipal": SERVICES[0]}, "GranteeServicePrincipal can be used by AWS services only."),
        (
            {"GranteeServicePrincipal": SERVICES[0], "GranteePrincipal": APP},
            "You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.",
        ),
    ],
    ids=["alone", "with a principal"],
)
def test_services_alone_filter_by_services(kms: FakeKMS, key: Key, members: dict[str, str], message: str) -> None:
    """So it is documented."""
    assert validation_error(message) == error_of(kms.client, "list_grants", KeyId=key.id, **members)


def test_grants_come_in_pages(kms: FakeKMS, key: Key) -> None:
    """50 on each unless the caller says otherwise; a marker leads on, botocore's paginator finds all."""
    kms.quotas.off()
    made = sorted(grant(kms, key)["GrantId"] for _ in range(51))
    first = kms.client.list_grants(KeyId=key.id)
    assert (50, True) == (len(first["Grants"]), first["Truncated"])
    second = kms.client.list_grants(KeyId=key.id, Marker=first["NextMarker"])
    assert (1, False, False) == (len(second["Grants"]), second["Truncated"], "NextMarker" in second)
    assert made == [entry["GrantId"] for entry in first["Grants"] + second["Grants"]]
    pages = kms.client.get_paginator("list_grants").paginate(KeyId=key.id, PaginationConfig={"PageSize": 20})
    assert made == [entry["GrantId"] for page in pages for entry in page["Grants"]]


@pytest.mark.parametrize("method", ["list_grants", "list_retirable_grants"])
@pytest.mark.parametrize(
    ("limit", "constraint"),
    [
        (0, "Member must have value greater than or equal to 1"),
        (101, "Member must have value less than or equal to 100"),
        (1001, "Member must have value less than or equal to 1000"),
    ],
)
def test_a_page_of_grants_has_1_to_100(kms: FakeKMS, key: Key, method: str, limit: int, constraint: str) -> None:
    """Beyond what the model allows AWS tells the model's number."""
    members = {"KeyId": key.id} if method == "list_grants" else {"RetiringPrincipal": OPS}
    assert invalid(f"Value '{limit}' at 'limit' failed to satisfy constraint: {constraint}") == error_of(
        unchecked(kms), method, Limit=limit, **members
    )


def test_a_marker_that_nobody_gave(kms: FakeKMS, key: Key) -> None:
    """It is refused without a word; each operation knows its own markers alone."""
    for _ in range(2):
        grant(kms, key, RetiringPrincipal=OPS)
    marker = kms.client.list_grants(KeyId=key.id, Limit=1)["NextMarker"]
    expected = {"Code": "InvalidMarkerException", "Message": ""}
    assert expected == error_of(kms.client, "list_grants", KeyId=key.id, Marker="abc")
    assert expected == error_of(kms.client, "list_retirable_grants", RetiringPrincipal=OPS, Marker="abc")
    assert expected == error_of(kms.client, "list_retirable_grants", RetiringPrincipal=OPS, Marker=marker)


@pytest.mark.parametrize("method", ["create_grant", "list_grants", "revoke_grant"])
@each_unfit_name
def test_a_key_is_named_by_id_or_arn(kms: FakeKMS, key: Key, method: str, key_id: str, code: str, message: str) -> None:
    """Aliases are not taken, whether they exist or not."""
    members: dict[str, dict[str, Any]] = {
        "create_grant": {"GranteePrincipal": APP, "Operations": ["Decrypt"]},
        "list_grants": {},
        "revoke_grant": {"GrantId": NOBODY},
    }
    assert {"Code": code, "Message": message} == error_of(kms.client, method, KeyId=key_id, **members[method])


# ListRetirableGrants


def test_retirable_grants_are_those_of_all_keys_of_a_region(kms: FakeKMS, key: Key) -> None:
    """Whatever account they are in, shown as ListGrants shows them; other Regions are asked by themselves."""
    mine = grant(kms, key, RetiringPrincipal=OPS)
    grant(kms, key, RetiringPrincipal=APP)
    grant(kms, kms.create_key(), Constraints={"EncryptionContextEquals": {"order": "7"}})
    other = grant(kms, kms.create_key(), RetiringPrincipal=OPS)
    west = kms.create_key(region="us-west-2")
    kms.client_for(region="us-west-2").create_grant(
        KeyId=west.id, GranteePrincipal=APP, RetiringPrincipal=OPS, Operations=["Decrypt"]
    )
    answer = kms.client.list_retirable_grants(RetiringPrincipal=OPS)
    assert {mine["GrantId"], other["GrantId"]} == ids(list(answer["Grants"]))
    assert listed(kms, key, GrantId=mine["GrantId"])[0] in answer["Grants"]
    there = kms.client_for(region="us-west-2").list_retirable_grants(RetiringPrincipal=OPS)["Grants"]
    assert [west.arn] == [entry["KeyId"] for entry in there]


def test_retirable_grants_come_in_pages(kms: FakeKMS, key: Key) -> None:
    """In the order of their ids, whatever keys they are on."""
    kms.quotas.off()
    keys = [key, kms.create_key()]
    made = sorted(grant(kms, keys[number % 2], RetiringPrincipal=OPS)["GrantId"] for number in range(51))
    assert 50 == len(kms.client.list_retirable_grants(RetiringPrincipal=OPS)["Grants"])
    paginator = kms.client.get_paginator("list_retirable_grants")
    pages = paginator.paginate(RetiringPrincipal=OPS, PaginationConfig={"PageSize": 20})
    assert made == [entry["GrantId"] for page in pages for entry in page["Grants"]]


@of_new_botocore
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "You must specify either RetiringPrincipal or RetiringServicePrincipal."),
        (
            {"RetiringPrincipal": OPS, "RetiringServicePrincipal": SERVICES[0]},
            "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.",
        ),
        ({"RetiringServicePrincipal": SERVICES[0]}, "RetiringServicePrincipal can be used by AWS services only."),
    ],
    ids=["none", "two", "service"],
)
def test_grants_are_listed_for_one_retirer(kms: FakeKMS, members: dict[str, str], message: str) -> None:
    """Services alone may ask for services."""
    assert validation_error(message) == error_of(kms.client, "list_retirable_grants", **members)


@pytest.mark.parametrize("principal", NO_PRINCIPALS)
def test_a_retirer_is_a_principal(kms: FakeKMS, principal: str) -> None:
    """What is none is refused as in CreateGrant."""
    assert {"Code": "InvalidArnException", "Message": f"ARN is not valid: {principal}"} == error_of(
        kms.client, "list_retirable_grants", RetiringPrincipal=principal
    )


def test_a_unique_id_to_retire_by_names_nobody(kms: FakeKMS) -> None:
    """It is refused as that of a role that was deleted."""
    assert {
        "Code": "NotFoundException",
        "Message": "Retiring principal AROAEXAMPLEID1234567:x could not be found",
    } == error_of(kms.client, "list_retirable_grants", RetiringPrincipal="AROAEXAMPLEID1234567:x")


@pytest.mark.parametrize("principal", ["arn:aws:iam::210987654321:role/ops", SERVICES[0]])
def test_a_retirer_is_of_the_account_of_the_caller(kms: FakeKMS, principal: str) -> None:
    """Whom another account trusts is not told."""
    assert {
        "Code": "AccessDeniedException",
        "Message": f"User: {TESTER} is not authorized to perform: kms:ListRetirableGrants on this resource because the"
        " resource does not exist in this Region, no resource-based policies allow access, or a resource-based"
        " policy explicitly denies access",
    } == error_of(kms.client, "list_retirable_grants", RetiringPrincipal=principal)


@pytest.mark.kms(seed=1)
def test_grants_repeat_with_the_seed(kms: FakeKMS) -> None:
    """Ids and tokens are random, but the same in every run."""

    def made() -> list[str]:
        kms.reset()
        answer = grant(kms, kms.create_key())
        return [answer["GrantId"], answer["GrantToken"]]

    assert made() == made()


def test_the_age_of_a_grant_is_told_in_the_fake_s_time(kms: FakeKMS, key: Key) -> None:
    """Each has its own date."""
    kms.clock.freeze()
    first = grant(kms, key)["GrantId"]
    kms.clock.advance(days=3)
    second = grant(kms, key)["GrantId"]
    dates = {entry["GrantId"]: entry["CreationDate"] for entry in listed(kms, key)}
    assert dt.timedelta(days=3) == dates[second] - dates[first]
