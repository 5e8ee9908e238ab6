"""How the application's own suite tests who may open the vault: by the IAM and key policies that go to production."""

from __future__ import annotations

from typing import Any

import pytest
import vault
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, Key

pytestmark = pytest.mark.kms(region=vault.REGION)

LONG = b"All work and no play makes a dull document. " * 200

# Every tenant's workers have this one policy; the tag of their role says whose workers they are.
TENANT_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "UseTheKeysForOneTenant",
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {
                "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/vault-*"},
                "StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}"},
            },
        },
        {
            "Sid": "FindTheKeys",
            "Effect": "Allow",
            "Action": "kms:DescribeKey",
            "Resource": "*",
            "Condition": {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/vault-*"}},
        },
    ],
}


@pytest.fixture
def documents(secrets_key: Key, documents_key: Key) -> vault.Vault:
    """Give a vault in which the tenant acme keeps a secret and a document."""
    filled = vault.Vault({})
    filled.put("acme", "pin", b"2580")
    filled.put("acme", "novel", LONG)
    return filled


def refusal(error: BaseException) -> str:
    """Tell what KMS said, and that it was a refusal."""
    assert isinstance(error, ClientError)
    assert "AccessDeniedException" == error.response["Error"]["Code"]
    return error.response["Error"]["Message"]


# Tenants


def test_a_tenant_writes_and_reads_its_own(kms: FakeKMS, documents: vault.Vault) -> None:
    """The policy is enough for secrets, and for documents, whose calls the AWS Encryption SDK makes."""
    acme = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "acme"})

    with kms.acting_as(acme):
        documents.put("acme", "code", b"1234")
        assert b"1234" == documents.get("acme", "code")
        assert b"2580" == documents.get("acme", "pin")
        assert LONG == documents.get("acme", "novel")

    kms.assert_denied(times=0)


def test_no_tenant_reads_the_secret_of_another(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """Whoever gets hold of another tenant's ciphertext, and knows its context, still cannot open it."""
    globex = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "globex"})

    with kms.acting_as(globex), pytest.raises(ClientError) as refused:
        documents.get("acme", "pin")

    assert refusal(refused.value).endswith("because no identity-based policy allows the kms:Decrypt action")
    kms.assert_denied("Decrypt", key=secrets_key, principal=globex, times=1)


def test_no_tenant_reads_the_document_of_another(kms: FakeKMS, documents: vault.Vault, documents_key: Key) -> None:
    """The policy holds behind the AWS Encryption SDK as well."""
    globex = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "globex"})

    with kms.acting_as(globex), pytest.raises(vault.VaultUnavailable):
        documents.get("acme", "novel")

    kms.assert_denied("Decrypt", key=documents_key, principal=globex, times=1)


def test_no_tenant_writes_in_the_name_of_another(kms: FakeKMS, documents: vault.Vault) -> None:
    """What cannot be read cannot be forged either."""
    globex = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "globex"})

    with kms.acting_as(globex), pytest.raises(ClientError):
        documents.put("acme", "pin", b"0000")

    kms.assert_denied("Encrypt", principal=globex, times=1)
    assert b"2580" == documents.get("acme", "pin")


def test_a_worker_without_a_tenant_reads_nothing(kms: FakeKMS, documents: vault.Vault) -> None:
    """A role whose tag was forgotten is nobody's worker."""
    nobody = kms.principal("role/vault-worker", policy=TENANT_POLICY)

    with kms.acting_as(nobody), pytest.raises(ClientError):
        documents.get("acme", "pin")


def test_keys_that_are_not_the_vaults_stay_closed(kms: FakeKMS) -> None:
    """Only the aliases of the vault open the policy, whatever the encryption context says."""
    kms.create_key("alias/payroll")
    acme = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "acme"})

    with pytest.raises(ClientError) as refused:
        kms.client_for(acme).encrypt(KeyId="alias/payroll", Plaintext=b"x", EncryptionContext={"tenant": "acme"})

    refusal(refused.value)


def test_the_policy_allows_what_the_vault_needs_and_no_more(kms: FakeKMS, documents: vault.Vault) -> None:
    """The calls of a worker's day use every action of the policy."""
    acme = kms.principal("role/vault-worker", policy=TENANT_POLICY, tags={"tenant": "acme"})
    with kms.acting_as(acme):
        documents.put("acme", "pin", b"1234")
        documents.put("acme", "novel", LONG)
        documents.get("acme", "pin")
        documents.get("acme", "novel")

    kms.assert_allowed_by(TENANT_POLICY, principal=acme)
    needed = kms.trail.least_privilege().identity_policies[acme.principal_arn]
    assert actions(TENANT_POLICY) == actions(needed)


def actions(policy: dict[str, Any]) -> set[str]:
    """Collect the actions of a policy."""
    named = [statement["Action"] for statement in policy["Statement"]]
    return {action for some in named for action in ([some] if isinstance(some, str) else some)}


# The auditors, who have an AWS account of their own

AUDITORS = "999999999999"

SECRETS_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "LetIamDecide",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "LetTheAuditorsReadAcme",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{AUDITORS}:root"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "acme"}},
        },
    ],
}


def auditor_policy(key: Key) -> dict[str, Any]:
    """Write the policy that the auditors have to give their role."""
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_the_auditors_read_what_they_were_let_in_for(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """Our key policy lets their account in, their own policy lets the role."""
    secrets_key.policy = SECRETS_KEY_POLICY
    documents.put("globex", "pin", b"1999")
    auditor = kms.principal("role/auditor", account=AUDITORS, policy=auditor_policy(secrets_key))

    with kms.acting_as(auditor):
        assert b"2580" == documents.get("acme", "pin")
        with pytest.raises(ClientError) as refused:
            documents.get("globex", "pin")

    refusal(refused.value)
    kms.assert_used(secrets_key, "Decrypt", principal=auditor, times=1)


def test_the_key_policy_alone_does_not_let_the_auditors_in(
    kms: FakeKMS, documents: vault.Vault, secrets_key: Key
) -> None:
    """Who is let in as an account still decides for itself which of its roles may."""
    secrets_key.policy = SECRETS_KEY_POLICY
    auditor = kms.principal("role/auditor", account=AUDITORS)

    with kms.acting_as(auditor), pytest.raises(ClientError) as refused:
        documents.get("acme", "pin")

    assert "no identity-based policy allows the kms:Decrypt action" in refusal(refused.value)


def test_nobody_from_outside_lets_himself_in(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """Without our key policy the policy of another account is worth nothing, and finds out nothing."""
    auditor = kms.principal("role/auditor", account=AUDITORS, policy=auditor_policy(secrets_key))

    with kms.acting_as(auditor), pytest.raises(ClientError) as refused:
        documents.get("acme", "pin")

    assert "the resource does not exist in this Region, no resource-based policies allow access" in refusal(
        refused.value
    )
    kms.assert_not_used(secrets_key, "Decrypt")


def test_the_auditors_cannot_touch_the_key_itself(kms: FakeKMS, secrets_key: Key) -> None:
    """Even an auditor who may do everything at home may disable no key of ours."""
    secrets_key.policy = SECRETS_KEY_POLICY
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    chief = kms.principal("user/chief", account=AUDITORS, policy=everything)

    with pytest.raises(ClientError) as refused:
        kms.client_for(chief).disable_key(KeyId=secrets_key.arn)

    refusal(refused.value)
    assert "Enabled" == secrets_key.state


# In an emergency

BREAK_GLASS_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "OpenEverything", "Effect": "Allow", "Action": "kms:*", "Resource": "*"},
        {
            "Sid": "OnlyWithASecondFactor",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ],
}


def test_the_glass_breaks_with_a_second_factor(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """In an emergency one role reads every tenant's secrets, and the trail says who did."""
    rescuer = kms.principal(
        "role/break-glass",
        session="paula",
        policy=BREAK_GLASS_POLICY,
        context={"aws:MultiFactorAuthPresent": True},
    )

    with kms.acting_as(rescuer):
        assert b"2580" == documents.get("acme", "pin")

    kms.assert_used(secrets_key, "Decrypt", principal="arn:aws:sts::123456789012:assumed-role/break-glass/paula")


def test_the_glass_holds_without_a_second_factor(kms: FakeKMS, documents: vault.Vault) -> None:
    """The explicit deny is stronger than the statement that allows everything."""
    rescuer = kms.principal(
        "role/break-glass", policy=BREAK_GLASS_POLICY, context={"aws:MultiFactorAuthPresent": False}
    )

    with kms.acting_as(rescuer), pytest.raises(ClientError) as refused:
        documents.get("acme", "pin")

    assert refusal(refused.value).endswith("with an explicit deny in an identity-based policy")
    assert "OnlyWithASecondFactor" in kms.trail.last.why


def test_no_grant_gets_round_the_second_factor(kms: FakeKMS, documents: vault.Vault, secrets_key: Key) -> None:
    """A grant adds a permission; an explicit deny still takes it away."""
    rescuer = kms.principal(
        "role/break-glass", policy=BREAK_GLASS_POLICY, context={"aws:MultiFactorAuthPresent": False}
    )
    vault.kms.create_grant(KeyId=secrets_key.id, GranteePrincipal=rescuer.principal_arn, Operations=["Decrypt"])

    with kms.acting_as(rescuer), pytest.raises(ClientError) as refused:
        documents.get("acme", "pin")

    assert "explicit deny" in refusal(refused.value)
