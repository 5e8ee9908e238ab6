"""Who calls: `kms.principal`, its clients, credentials and sessions, `kms.acting_as`, and who stands in the trail."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from policies import allow, by, policy

from pytest_kms import FakeKMS, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import Key, Principal

pytestmark = pytest.mark.kms(region="us-east-1")

ACCOUNT = "123456789012"
TESTER = f"arn:aws:iam::{ACCOUNT}:user/tester"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
APP = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pytest-kms"
ALL = policy(allow())


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a key that everybody may describe."""
    return kms.create_key("orders", policy=policy(allow(Principal="*")))


def caller_of(kms: FakeKMS, client: Any) -> str:
    """Let a client call, and return who did it by the trail."""
    client.describe_key(KeyId="alias/orders")
    return kms.trail.last.principal


def application() -> KMSClient:
    """Make a client as applications do, with whatever credentials there are."""
    return boto3.client("kms", region_name="us-east-1")


# clients, credentials and sessions


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("user/alice", ALICE),
        ("user/team/alice", f"arn:aws:iam::{ACCOUNT}:user/team/alice"),
        ("role/app", APP),
        ("role/team/app", APP),
        ("federated-user/fred", f"arn:aws:sts::{ACCOUNT}:federated-user/fred"),
        ("root", f"arn:aws:iam::{ACCOUNT}:root"),
    ],
)
def test_the_trail_names_the_caller_as_aws_does(kms: FakeKMS, key: Key, name: str, arn: str) -> None:
    """`event.principal` is the ARN that CloudTrail has."""
    principal = kms.principal(name)

    assert arn == caller_of(kms, kms.client_for(principal)) == principal.arn
    assert ACCOUNT == kms.trail.last.account


def test_the_default_principal_is_an_administrator(kms: FakeKMS) -> None:
    """Who never thinks of IAM may do everything in the account of the fake."""
    kms.client.create_key()

    assert TESTER == kms.trail.last.principal
    assert None is kms.trail.last.error


def test_a_client_of_a_principal_has_a_region_and_a_configuration(kms: FakeKMS) -> None:
    """As other clients have."""
    alice = kms.principal("user/alice", policy=ALL)
    client = kms.client_for(alice, region="eu-west-1", config=Config(user_agent_extra="vault/1"))
    client.list_keys()

    assert (ALICE, "eu-west-1") == (kms.trail.last.principal, kms.trail.last.region)
    config: Any = client.meta.config
    assert "vault/1" == config.user_agent_extra


@pytest.mark.parametrize(
    ("name", "prefix", "temporary"),
    [
        ("user/alice", "AKIA", False),
        ("root", "AKIA", False),
        ("role/app", "ASIA", True),
        ("federated-user/fred", "ASIA", True),
    ],
)
def test_credentials_look_like_aws_s(kms: FakeKMS, name: str, prefix: str, temporary: bool) -> None:  # noqa: FBT001
    """Those of sessions are temporary, and come with a token."""
    principal = kms.principal(name)
    credentials = principal.credentials

    assert principal.access_key == credentials["aws_access_key_id"]
    assert (prefix, 20) == (credentials["aws_access_key_id"][:4], len(credentials["aws_access_key_id"]))
    named = {"aws_access_key_id", "aws_secret_access_key", *(["aws_session_token"] if temporary else [])}
    assert named == set(credentials)


def test_credentials_work_wherever_they_are_put(kms: FakeKMS, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a client, a session of boto3 or botocore, or the environment."""
    app = kms.principal("role/app")
    given: Any = app.credentials
    core = botocore.session.Session()
    core.set_credentials(app.access_key, given["aws_secret_access_key"], given["aws_session_token"])
    clients = [
        boto3.client("kms", region_name="us-east-1", **given),
        boto3.Session(**given).client("kms", region_name="us-east-1"),
        core.create_client("kms", region_name="us-east-1"),
    ]
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), value)
    clients.append(boto3.Session().client("kms", region_name="us-east-1"))

    assert [APP] * 4 == [caller_of(kms, client) for client in clients]


def test_a_session_of_a_principal(kms: FakeKMS, key: Key) -> None:
    """A session of boto3, for code under test that takes one."""
    alice = kms.principal("user/alice")
    session = kms.session_for(alice)

    assert "us-east-1" == session.region_name
    assert ALICE == caller_of(kms, session.client("kms"))
    assert "eu-west-1" == kms.session_for(alice, region="eu-west-1").client("kms").meta.region_name


def test_without_boto3_there_are_clients_and_no_sessions(pytester: pytest.Pytester) -> None:
    """The reason is told."""
    script = """\
import sys

sys.modules["boto3"] = None  # as if it were not installed
from pytest_kms import UsageError, fake_kms

with fake_kms() as kms:
    root = kms.principal("root")
    kms.client_for(root).list_keys()
    print(kms.trail.last.principal)
    try:
        kms.session_for(root)
    except UsageError as error:
        print(error)
"""
    result = pytester.run(sys.executable, "-c", script)

    assert [
        f"arn:aws:iam::{ACCOUNT}:root",
        "pytest-kms: sessions are boto3's, which is not installed; kms.client_for makes clients without",
    ] == result.outlines


def test_a_seed_repeats_access_keys() -> None:
    """And the ids of AWS; without a seed they differ."""

    def drawn(seed: int | None) -> list[str]:
        with fake_kms(seed=seed) as kms:
            principals = [kms.principal("user/alice"), kms.principal("role/app", session="one"), kms.principal("root")]
            return [text for each in principals for text in (each.access_key, each.user_id)]

    assert drawn(1) == drawn(1)
    assert drawn(1)[0] != drawn(2)[0]
    assert drawn(None)[0] != drawn(None)[0]


# who is known


def test_a_principal_is_known_to_its_own_fake_alone() -> None:
    """To another one its access key is any that nobody was given: that of the default principal."""
    with fake_kms() as kms:
        alice = kms.principal("user/alice")
        client = kms.client_for(alice)
        with fake_kms(account="999999999999") as other:
            client.list_keys()
            assert "arn:aws:iam::999999999999:user/tester" == other.trail.last.principal
        with pytest.raises(ClientError):
            client.list_keys()
        assert alice.arn == kms.trail.last.principal
        assert 1 == len(kms.trail)


def test_a_reset_forgets_principals(kms: FakeKMS) -> None:
    """Their access keys are unknown from then on."""
    client = kms.client_for(kms.principal("user/alice"))
    kms.reset()
    client.list_keys()

    assert TESTER == kms.trail.last.principal


def test_making_principals_is_arranging(kms: FakeKMS) -> None:
    """It is not in the trail."""
    kms.principal("user/alice")
    with kms.acting_as(kms.principal("role/app")):
        pass

    assert [] == list(kms.trail)


# acting_as


def test_the_clients_of_the_application_act_as_a_principal(kms: FakeKMS, key: Key) -> None:
    """Those made before and within, signed with any credentials; afterwards all is as before."""
    given: Any = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "example"}
    clients = [application(), boto3.client("kms", region_name="us-east-1", **given), kms.client]
    with kms.acting_as(kms.principal("role/app")) as app:
        assert [APP] * 4 == [caller_of(kms, client) for client in [*clients, application()]]
    assert APP == app.arn
    assert [TESTER] * 3 == [caller_of(kms, client) for client in clients]


def test_the_policies_of_who_is_acting_are_in_force(kms: FakeKMS) -> None:
    """What the application may not do it is refused."""
    kms.create_key("orders")
    client = application()
    with kms.acting_as(kms.principal("role/app", policy=policy(allow("kms:Describe*")))):
        client.describe_key(KeyId="alias/orders")
        with pytest.raises(ClientError, match="kms:Encrypt on resource"):
            client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    client.encrypt(KeyId="alias/orders", Plaintext=b"x")


def test_a_client_of_a_principal_stays_its_own(kms: FakeKMS, key: Key) -> None:
    """Its access key tells who calls, whoever is acting."""
    client = kms.client_for(kms.principal("user/alice"))
    with kms.acting_as(kms.principal("role/app")):
        assert ALICE == caller_of(kms, client)


def test_one_may_act_within_another(kms: FakeKMS, key: Key) -> None:
    """The innermost calls; the same one may be acting twice."""
    alice, app = kms.principal("user/alice"), kms.principal("role/app")
    client = application()
    callers = []
    with kms.acting_as(alice):
        with kms.acting_as(app):
            with kms.acting_as(alice):
                callers.append(caller_of(kms, client))
            callers.append(caller_of(kms, client))
        callers.append(caller_of(kms, client))
    callers.append(caller_of(kms, client))

    assert [ALICE, APP, ALICE, TESTER] == callers


def test_an_exception_ends_the_acting(kms: FakeKMS, key: Key) -> None:
    """As the end of the block does."""
    with pytest.raises(KeyError), kms.acting_as(kms.principal("role/app")):
        raise KeyError
    assert TESTER == caller_of(kms, application())


def test_a_reset_ends_the_acting(kms: FakeKMS) -> None:
    """Everything is forgotten; the end of the block is none of an error."""
    with kms.acting_as(kms.principal("role/app")):
        kms.reset()
        application().list_keys()
        assert TESTER == kms.trail.last.principal
    application().list_keys()
    assert TESTER == kms.trail.last.principal


def test_all_threads_act_as_the_principal(kms: FakeKMS, key: Key) -> None:
    """The application may call from where it likes."""
    client = application()
    with kms.acting_as(kms.principal("role/app")), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.describe_key(KeyId="alias/orders"), range(20)))

    kms.assert_called("DescribeKey", principal=APP, times=20)


def test_tasks_act_as_the_principal(kms: FakeKMS, key: Key) -> None:
    """Also those of asyncio, and those whose work is in threads."""
    client = application()

    async def work() -> None:
        await asyncio.gather(*[asyncio.to_thread(client.describe_key, KeyId="alias/orders") for _ in range(3)])
        client.describe_key(KeyId="alias/orders")

    with kms.acting_as(kms.principal("role/app")):
        asyncio.run(work())

    kms.assert_called("DescribeKey", principal=APP, times=4)


def test_threads_may_begin_and_end_in_any_order(kms: FakeKMS, key: Key) -> None:
    """Who ends acting does not end it for another, also where both are the same principal."""
    app = kms.principal("role/app")
    begun, end = threading.Event(), threading.Event()

    def other() -> None:
        with kms.acting_as(app):
            begun.set()
            end.wait(10)

    thread = threading.Thread(target=other)
    with kms.acting_as(app):
        thread.start()
        begun.wait(10)
    try:
        assert APP == caller_of(kms, application())
    finally:
        end.set()
        thread.join()
    assert TESTER == caller_of(kms, application())


def test_a_service_may_be_acting(kms: FakeKMS, key: Key) -> None:
    """For somebody, or on its own account."""
    app = kms.principal("role/app")
    with kms.acting_as(kms.service("s3", on_behalf_of=app).principal):
        assert APP == caller_of(kms, application())
    assert "s3.us-east-1.amazonaws.com" == kms.trail.last.via
    with kms.acting_as(kms.service("logs.us-east-1.amazonaws.com").principal):
        application().describe_key(KeyId=key.arn)
    assert "logs.us-east-1.amazonaws.com" == kms.trail.last.principal


def test_each_account_has_its_own_keys(kms: FakeKMS) -> None:
    """An application of another account makes and lists what is there."""
    mine = kms.create_key("orders")
    with kms.acting_as(kms.principal("role/app", account="999999999999", policy=ALL)):
        client = application()
        made = client.create_key()["KeyMetadata"]
        assert [made["KeyId"]] == [key.get("KeyId") for key in client.list_keys()["Keys"]]

    assert "999999999999" == made.get("AWSAccountId")
    assert [mine.id] == [key.get("KeyId") for key in kms.client.list_keys()["Keys"]]


# assertions


def test_assertions_take_a_principal_or_its_arn(kms: FakeKMS) -> None:
    """Whichever is at hand."""
    kms.create_key("orders")
    app, bob = kms.principal("role/app", policy=policy(allow("kms:Encrypt"))), kms.principal("user/bob")
    kms.client_for(app).encrypt(KeyId="alias/orders", Plaintext=b"x")
    with pytest.raises(ClientError):
        kms.client_for(bob).encrypt(KeyId="alias/orders", Plaintext=b"x")

    whos: list[tuple[Principal | str, Principal | str]] = [(app, bob), (app.arn, bob.arn)]
    for who, other in whos:
        kms.assert_used("alias/orders", "Encrypt", principal=who, times=1)
        kms.assert_used("alias/orders", principal=other, times=0)
        kms.assert_called("Encrypt", principal=other, error="AccessDeniedException", times=1)
        kms.assert_not_called("Decrypt", principal=who)
        kms.assert_denied("Encrypt", principal=other, times=1)
        kms.assert_denied(principal=who, times=0)
        assert [kms.trail[0]] == kms.trail.filter(principal=who)
        assert [kms.trail[1]] == kms.trail.filter("Encrypt", principal=other)


def test_a_principal_of_a_service_is_asked_for_with_the_service(kms: FakeKMS, key: Key) -> None:
    """What the application calls itself is not meant."""
    app = kms.principal("role/app")
    s3 = kms.service("s3", on_behalf_of=app)
    kms.client_for(app).describe_key(KeyId="alias/orders")
    s3.client.describe_key(KeyId="alias/orders")

    kms.assert_called("DescribeKey", principal=s3.principal, times=1)
    kms.assert_called("DescribeKey", principal=app, times=2)
    assert [] == kms.trail.filter(principal=s3.principal, via="ec2.us-east-1.amazonaws.com")


def test_a_failure_tells_who_called(kms: FakeKMS, key: Key) -> None:
    """And who was expected to."""
    alice = kms.principal("user/alice")
    caller_of(kms, kms.client)
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_called("DescribeKey", principal=alice)

    assert [
        f"pytest-kms: expected DescribeKey to be called by {ALICE}, at least once; it was never.",
        "What happened, nearest first:",
        f"  1. DescribeKey alias/orders -> ok   <-- other principal: {TESTER}",
        "What to do: compare the nearest call with what was expected; kms.trail holds all calls in full.",
    ] == str(excinfo.value).splitlines()


def test_a_policy_names_the_principal_behind_a_session(kms: FakeKMS, key: Key) -> None:
    """`principal_arn` is what goes into policies and grants, `arn` what comes out."""
    app = kms.principal("role/app")
    key.policy = policy(allow("kms:DescribeKey", Principal=by(app.principal_arn)))

    assert app.arn == caller_of(kms, kms.client_for(app))
    assert app.arn != app.principal_arn
