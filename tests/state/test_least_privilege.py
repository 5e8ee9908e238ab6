"""The policies that recorded calls need: enough for all of them, and nothing more."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from answers import TESTER, is_allowed
from botocore.exceptions import ClientError
from policies import allow, by, deny, policy

from pytest_kms import FakeKMS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    Calls = Callable[[FakeKMS, KMSClient], object]

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

ACCOUNT = "123456789012"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
LOGS = "logs.us-east-1.amazonaws.com"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:shop"
CONTEXT = {"tenant": "a", "order": "7"}
ORDERS_ID, ARCHIVE_ID = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
SHARED_ID = "mrk-1234567890abcdef1234567890abcdef"
ORDERS, ARCHIVE, SHARED = (
    f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key_id}" for key_id in (ORDERS_ID, ARCHIVE_ID, SHARED_ID)
)
SHARED_ELSEWHERE = SHARED.replace("us-east-1", "eu-west-1")
ALIAS = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/"


def arrange(kms: FakeKMS) -> None:
    """Make the keys that the calls are about."""
    kms.create_key("orders", key_id=ORDERS_ID)
    kms.create_key("archive", key_id=ARCHIVE_ID)
    kms.create_key("shared", key_id=SHARED_ID, multi_region=True)


def needs(actions: str, *resources: str) -> dict[str, Any]:
    """Write a statement as they come out."""
    return {
        "Effect": "Allow",
        "Action": [f"kms:{action}" for action in actions.split()],
        "Resource": list(resources),
    }


# calls


def cryptographic(kms: FakeKMS, client: KMSClient) -> None:
    """Encrypt, decrypt and make a data key, with two keys."""
    blob = client.encrypt(KeyId="alias/orders", Plaintext=b"x")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    client.generate_data_key(KeyId="alias/archive", KeySpec="AES_256")


def with_contexts(kms: FakeKMS, client: KMSClient) -> None:
    """Encrypt for two tenants, and decrypt for one."""
    blob = client.encrypt(KeyId=ORDERS_ID, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    client.encrypt(KeyId=ORDERS_ID, Plaintext=b"x", EncryptionContext={"tenant": "b"})


def alike(kms: FakeKMS, client: KMSClient) -> None:
    """Do the same with two keys, one of them twice."""
    for alias in ("alias/orders", "alias/archive", "alias/orders"):
        client.describe_key(KeyId=alias)


def aliases(kms: FakeKMS, client: KMSClient) -> None:
    """Make, move and delete an alias."""
    client.create_alias(AliasName="alias/new", TargetKeyId=ORDERS_ID)
    client.update_alias(AliasName="alias/new", TargetKeyId=ARCHIVE_ID)
    client.delete_alias(AliasName="alias/new")
    client.list_aliases()


def re_encrypt(kms: FakeKMS, client: KMSClient) -> None:
    """Encrypt anew with another key."""
    client.re_encrypt(CiphertextBlob=kms.encrypt("alias/orders", b"x"), DestinationKeyId="alias/archive")


def create_with_tags(kms: FakeKMS, client: KMSClient) -> None:
    """Make a key with a tag."""
    client.create_key(Tags=[{"TagKey": "team", "TagValue": "shop"}])


def replicate(kms: FakeKMS, client: KMSClient) -> None:
    """Make a replica."""
    client.replicate_key(KeyId=SHARED_ID, ReplicaRegion="eu-west-1")


def grants(kms: FakeKMS, client: KMSClient) -> None:
    """Make a grant, list it and revoke it."""
    grant = client.create_grant(KeyId=ORDERS_ID, GranteePrincipal=APP, Operations=["Decrypt"])
    client.list_grants(KeyId=ORDERS_ID)
    client.revoke_grant(KeyId=ORDERS_ID, GrantId=grant["GrantId"])


def dry_run(kms: FakeKMS, client: KMSClient) -> None:
    """Try, and do not do it."""
    with pytest.raises(ClientError, match="DryRunOperation"):
        client.encrypt(KeyId="alias/orders", Plaintext=b"x", DryRun=True)


def failing(kms: FakeKMS, client: KMSClient) -> None:
    """Name a key that does not exist, and one for a purpose that it has not."""
    with pytest.raises(ClientError, match="NotFoundException"):
        client.encrypt(KeyId="alias/nowhere", Plaintext=b"x")
    with pytest.raises(ClientError, match="InvalidKeyUsage"):
        client.sign(KeyId="alias/orders", Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")


CALLS: dict[str, tuple[Calls, list[dict[str, Any]]]] = {
    "cryptographic calls": (
        cryptographic,
        [needs("Decrypt Encrypt", ORDERS), needs("GenerateDataKey", ARCHIVE)],
    ),
    "encryption contexts": (with_contexts, [needs("Decrypt Encrypt", ORDERS)]),
    "the same on two keys": (alike, [needs("DescribeKey", ORDERS, ARCHIVE)]),
    "aliases": (
        aliases,
        [
            needs("CreateAlias DeleteAlias UpdateAlias", f"{ALIAS}new"),
            needs("CreateAlias UpdateAlias", ORDERS),
            needs("DeleteAlias UpdateAlias", ARCHIVE),
            needs("ListAliases", "*"),
        ],
    ),
    "ReEncrypt": (re_encrypt, [needs("ReEncryptFrom", ORDERS), needs("ReEncryptTo", ARCHIVE)]),
    "CreateKey with tags": (create_with_tags, [needs("CreateKey TagResource", "*")]),
    "ReplicateKey": (replicate, [needs("CreateKey", "*"), needs("ReplicateKey", SHARED)]),
    "grants": (grants, [needs("CreateGrant ListGrants RevokeGrant", ORDERS)]),
    "a dry run": (dry_run, [needs("Encrypt", ORDERS)]),
    "calls that fail for another reason": (failing, [needs("Sign", ORDERS)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_identity_policy_has_each_permission_once(kms: FakeKMS, name: str) -> None:
    """Actions that go together share a statement, resources that need the same as well."""
    calls, statements = CALLS[name]
    arrange(kms)
    calls(kms, kms.client)

    made = kms.trail.least_privilege().identity_policies

    key = sorted(made[TESTER]["Statement"], key=json.dumps)
    assert sorted(statements, key=json.dumps) == key
    assert {TESTER} == set(made)


def test_a_session_needs_what_its_role_is_given(kms: FakeKMS) -> None:
    """The policy is that of the role, for all of its sessions; the key policy names the role as well."""
    arrange(kms)
    for session, call in (("one", "describe_key"), ("two", "get_key_policy")):
        app = kms.principal("role/app", session=session, policy=policy(allow()))
        getattr(kms.client_for(app), call)(KeyId=ORDERS_ID)

    made = kms.trail.least_privilege()

    assert {APP: policy(needs("DescribeKey GetKeyPolicy", ORDERS))} == made.identity_policies
    statement = allow(["kms:DescribeKey", "kms:GetKeyPolicy"], Principal={"AWS": APP})
    assert {ORDERS: [statement]} == made.key_policies


def test_a_service_needs_the_key_policy_alone(kms: FakeKMS) -> None:
    """An AWS service has no identity policies; nor has a root user."""
    arrange(kms)
    key = kms.create_key("logs", policy=policy(allow(Principal="*")))
    kms.service("logs", source_arn=GROUP).client.generate_data_key(KeyId=key.arn, KeySpec="AES_256")
    kms.client_for(kms.principal("root")).describe_key(KeyId=key.arn)

    made = kms.trail.least_privilege()

    assert {} == made.identity_policies
    of_root = allow(["kms:DescribeKey"], Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert {key.arn: [of_root, allow(["kms:GenerateDataKey"], Principal={"Service": LOGS})]} == made.key_policies


def test_for_whom_a_service_calls_needs_the_permission(kms: FakeKMS) -> None:
    """A forward access session is its principal's."""
    arrange(kms)
    app = kms.principal("role/app", policy=policy(allow()))
    kms.service("s3", on_behalf_of=app).store("alias/orders", "bucket/1", b"x")

    assert {APP: policy(needs("GenerateDataKey", ORDERS))} == kms.trail.least_privilege().identity_policies


def test_denied_calls_are_left_out(kms: FakeKMS) -> None:
    """What nobody let through needs no policy; nor does what KMS does by itself."""
    arrange(kms)
    app = kms.client_for(kms.principal("role/app", policy=policy(allow("kms:DescribeKey"))))
    app.describe_key(KeyId=ORDERS_ID)
    with pytest.raises(ClientError, match="AccessDenied"):
        app.list_keys()
    key = kms.create_key(state="PendingDeletion")
    kms.clock.advance(days=31)
    kms.create_key()  # lets happen what was due

    assert {APP: policy(needs("DescribeKey", ORDERS))} == kms.trail.least_privilege().identity_policies
    assert key.deleted
    assert "DeleteKey" == kms.trail.last.operation


def test_policies_ask_for_encryption_contexts_on_demand(kms: FakeKMS) -> None:
    """Each context has a statement of its own; by default none is asked for."""
    arrange(kms)
    blob = kms.client.encrypt(KeyId=ORDERS_ID, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    kms.client.encrypt(KeyId=ORDERS_ID, Plaintext=b"x")

    made = kms.trail.least_privilege(encryption_context=True)

    pairs = {"kms:EncryptionContext:order": "7", "kms:EncryptionContext:tenant": "a"}
    condition = {"Condition": {"StringEquals": pairs}}
    with_context = needs("Decrypt Encrypt", ORDERS) | condition
    assert {TESTER: policy(with_context, needs("Encrypt", ORDERS))} == made.identity_policies
    principal = {"Principal": {"AWS": TESTER}}
    assert {
        ORDERS: [allow(["kms:Encrypt"], **principal), allow(["kms:Decrypt", "kms:Encrypt"], **principal, **condition)]
    } == made.key_policies
    assert {TESTER: policy(needs("Decrypt Encrypt", ORDERS))} == kms.trail.least_privilege().identity_policies


def test_it_is_shown_as_json(kms: FakeKMS) -> None:
    """Its text can be written to a file."""
    kms.client.list_keys()

    made = kms.trail.least_privilege()

    assert {"identity_policies": {TESTER: policy(needs("ListKeys", "*"))}, "key_policies": {}} == json.loads(str(made))


# there and back


def without_each_action(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the policy less one action on one resource, for each."""
    for place, statement in enumerate(document["Statement"]):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                less = copy.deepcopy(document)
                less["Statement"].append(deny(action, Resource=resource, Sid="less"))
                if len(statement["Action"]) > 1 and len(statement["Resource"]) == 1:
                    less = copy.deepcopy(document)
                    less["Statement"][place]["Action"].remove(action)
                yield less


ROUND_TRIPS = [name for name in CALLS if not name.startswith(("a dry run", "calls that fail"))]


@pytest.mark.parametrize("contexts", [False, True], ids=["", "with contexts"])
@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_the_policy_lets_the_same_calls_through_and_not_with_less(kms: FakeKMS, name: str, *, contexts: bool) -> None:
    """A principal with nothing but the policy may do what was done; take away anything, and he may not."""
    calls, _ = CALLS[name]
    arrange(kms)
    calls(kms, kms.client)
    document = kms.trail.least_privilege(encryption_context=contexts).identity_policies[TESTER]

    def passes(document: dict[str, Any]) -> bool:
        kms.reset()
        arrange(kms)
        client = kms.client_for(kms.principal("user/fresh", policy=document))
        return is_allowed(lambda: calls(kms, client))

    assert passes(document)
    lesser = list(without_each_action(document))
    assert [False] * len(lesser) == [passes(less) for less in lesser]


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_the_key_policy_statements_let_the_same_calls_through(kms: FakeKMS, name: str) -> None:
    """Where a key policy leaves nothing to identity policies, the statements are what it lacks."""
    calls, _ = CALLS[name]
    arrange(kms)
    calls(kms, kms.client)
    made = kms.trail.least_privilege()
    others = policy(*made.identity_policies[TESTER]["Statement"])
    kms.reset()
    arrange(kms)
    for arn, statements in made.key_policies.items():
        key = kms.world.keys_called(arn)[0]
        renamed = [statement | {"Principal": by(f"arn:aws:iam::{ACCOUNT}:user/fresh")} for statement in statements]
        key.policy = json.dumps(policy(*renamed))

    calls(kms, kms.client_for(kms.principal("user/fresh", policy=others)))

    assert all(event.error is None for event in kms.trail)
