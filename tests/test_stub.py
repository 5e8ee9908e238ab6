"""Every KMS request of the process reaches the fake that is active, and nothing else is touched."""

from __future__ import annotations

import asyncio
import copy
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import moto.core.config
import pytest
from aiobotocore.session import get_session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from pytest_kms import FakeKMS, NotSupported, fake_kms, stub

pytestmark = pytest.mark.usefixtures("no_aws_settings")

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test of this file look up a host or connect, also where somebody swallows the refusal."""
    asked: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        asked.append(arguments)
        raise OSError("this test opens no socket")

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", refuse)
        patched.setattr(socket.socket, "connect", refuse)
        patched.setattr(socket.socket, "connect_ex", refuse)
        yield
    assert [] == asked


def _client(**arguments: Any) -> KMSClient:
    client: KMSClient = boto3.Session().client("kms", **{"region_name": "us-east-1"} | arguments)
    return client


def _own_client(left: list[Any]) -> KMSClient:
    """Make a client with a handler of this test's own, which answers what nobody else has answered before it."""
    client = _client(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")

    def answer(request: Any, **_: Any) -> Any:
        left.append(request)
        response: Any = AWSResponse(request.url, 200, {"x-amzn-RequestId": "of this test"}, None)  # type: ignore[arg-type]
        response._content = b'{"Keys": [], "Truncated": false}'  # noqa: SLF001
        return response

    client.meta.events.register("before-send.kms", answer)
    return client


# whichever client


def test_clients_and_sessions_made_before_the_fixture_are_reached(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that makes its client when it is imported needs no change, in a conftest, a module or a test module."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    pytester.makeconftest(
        """\
        import boto3
        import botocore.session

        in_conftest = boto3.client("kms", region_name="us-east-1")
        early_session = boto3.Session()
        early_bare_session = botocore.session.Session()

        def pytest_configure(config):
            config.early = [in_conftest, early_session, early_bare_session]
        """
    )
    pytester.makepyfile(
        application="""\
        import boto3
        import botocore.session

        in_module = boto3.client("kms", region_name="us-east-1")
        bare = botocore.session.get_session().create_client("kms", region_name="us-east-1")

        def late():
            return boto3.client("kms")
        """,
        test_vault="""\
        import application
        import boto3
        import pytest

        in_test_module = boto3.Session().client("kms", region_name="us-east-1")

        def clients(config):
            in_conftest, early_session, early_bare_session = config.early
            return {
                "in conftest": in_conftest,
                "in module": application.in_module,
                "in test module": in_test_module,
                "bare": application.bare,
                "late of the default session": application.late(),
                "late of an early session": early_session.client("kms", region_name="us-east-1"),
                "late of an early bare session": early_bare_session.create_client("kms", region_name="us-east-1"),
            }

        def test_all_are_reached(kms, pytestconfig):
            key = kms.create_key("orders")
            for name, client in clients(pytestconfig).items():
                assert client.describe_key(KeyId="alias/orders")["KeyMetadata"]["KeyId"] == key.id, name
            kms.assert_called("DescribeKey", times=7)
        """,
    )
    result = pytester.runpytest_subprocess("-q")

    result.assert_outcomes(passed=1)


def test_a_botocore_that_was_imported_first_is_reached(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that is loaded earlier may have made sessions and clients already."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    pytester.makepyfile(
        early="""\
        import asyncio
        import sys

        assert "pytest_kms" not in sys.modules

        import boto3
        import botocore.session
        from aiobotocore.session import get_session

        client = boto3.client("kms", region_name="us-east-1")
        session = boto3.Session()
        bare_session = botocore.session.Session()
        bare = bare_session.create_client("kms", region_name="us-east-1")
        async_session = get_session()
        """,
        test_vault="""\
        import asyncio

        import early

        async def asynchronously():
            async with early.async_session.create_client("kms", region_name="us-east-1") as client:
                return await client.list_keys()

        def test_all_are_reached(kms):
            early.client.list_keys()
            early.bare.list_keys()
            early.session.client("kms").list_keys()
            early.bare_session.create_client("kms", region_name="us-east-1").list_keys()
            asyncio.run(asynchronously())
            kms.assert_called("ListKeys", times=5)
            assert [len(event.attempts) for event in kms.trail] == [1] * 5
        """,
    )
    result = pytester.runpytest_subprocess("-q", "-p", "early")

    result.assert_outcomes(passed=1)


def test_a_script_without_pytest_is_reached(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fake_kms` alone, after sessions and clients were made; and only what is used gets imported."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    script = """\
import boto3
import botocore.session

early = boto3.client("kms", region_name="us-east-1")
session = botocore.session.get_session()

from pytest_kms import fake_kms

with fake_kms() as kms:
    early.list_keys()
    session.create_client("kms", region_name="us-east-1").list_keys()
    boto3.client("kms").list_keys()
    kms.assert_called("ListKeys", times=3)

import sys

print(sorted({name.partition(".")[0] for name in sys.modules} & {"aiobotocore", "anyio", "moto", "pytest"}))
"""
    result = pytester.run(sys.executable, "-c", script)

    assert ["[]"] == result.outlines
    assert [] == result.errlines


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("eu-central-1", "aws"),
        ("ap-southeast-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_a_client_of_any_region_is_answered(region: str, partition: str, kms: FakeKMS) -> None:
    """The fake has every Region, each with its own keys."""
    kms.create_key("elsewhere", region="sa-east-1")
    key = kms.create_key("orders", region=region)
    answer = _client(region_name=region).encrypt(KeyId="alias/orders", Plaintext=b"7")

    assert f"arn:{partition}:kms:{region}:123456789012:key/{key.id}" == answer["KeyId"]
    assert region == kms.trail.last.region


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"config": Config(use_fips_endpoint=True)}, id="FIPS"),
        pytest.param({"config": Config(use_dualstack_endpoint=True)}, id="dualstack"),
        pytest.param({"config": Config(use_fips_endpoint=True, use_dualstack_endpoint=True)}, id="FIPS and dualstack"),
        pytest.param({"endpoint_url": "https://vpce-0a1b-c2d3.kms.us-east-1.vpce.amazonaws.com"}, id="VPC"),
        pytest.param({"endpoint_url": "http://localhost:4566"}, id="localhost"),
        pytest.param({"endpoint_url": "http://127.0.0.1:8080/kms/"}, id="with a path"),
        pytest.param({"use_ssl": False}, id="without TLS"),
        pytest.param({"verify": False}, id="without verification"),
        pytest.param({"config": Config(proxies={"https": "http://proxy.example:3128"})}, id="proxy"),
        pytest.param({"config": Config(signature_version=UNSIGNED)}, id="unsigned"),
        pytest.param({"config": Config(tcp_keepalive=True, max_pool_connections=1)}, id="connection settings"),
        pytest.param({"aws_access_key_id": "AKIDMINE", "aws_secret_access_key": "x"}, id="own credentials"),
        pytest.param(
            {"aws_access_key_id": "ASIAMINE", "aws_secret_access_key": "x", "aws_session_token": "y"},
            id="own token",
        ),
    ],
)
def test_a_client_of_any_endpoint_is_answered(arguments: dict[str, Any], kms: FakeKMS) -> None:
    """Wherever a request was to go and however it is signed, the fake answers it, for the client's Region."""
    key = kms.create_key("orders")
    answer = _client(**arguments).encrypt(KeyId="alias/orders", Plaintext=b"7")

    assert key.arn == answer["KeyId"]
    assert "us-east-1" == kms.trail.last.region
    assert "arn:aws:iam::123456789012:user/tester" == kms.trail.last.principal


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"])
def test_an_endpoint_of_the_environment_is_answered(name: str, kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who points KMS to a local container reaches the fake instead."""
    monkeypatch.setenv(name, "http://localhost:4566")
    client = _client()

    assert "http://localhost:4566" == client.meta.endpoint_url
    assert [] == client.list_keys()["Keys"]
    assert 1 == len(kms.trail)


def test_a_client_without_credentials_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that was made where nothing is configured signs with lent credentials while a fake is active."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session()
    client = session.client("kms", region_name="us-east-1")

    assert None is session.get_credentials()
    with fake_kms() as kms:
        assert [] == client.list_keys()["Keys"]
        assert "arn:aws:iam::123456789012:user/tester" == kms.trail.last.principal
    with pytest.raises(Exception, match="^Unable to locate credentials$"):
        client.list_keys()


def test_the_default_session_is_reached(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """`boto3.client` without a session of one's own, with nothing configured."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    assert [] == boto3.client("kms").list_keys()["Keys"]
    assert 1 == len(kms.trail)


def test_a_bare_botocore_session_is_reached(kms: FakeKMS) -> None:
    """Nothing of the fake is boto3's."""
    client: Any = botocore.session.Session().create_client("kms")

    assert [] == client.list_keys()["Keys"]
    assert 1 == len(kms.trail)


# whichever thread


def test_calls_of_many_threads_are_answered(kms: FakeKMS) -> None:
    """Threads share a client; each call is answered and recorded once."""
    key = kms.create_key("orders")
    client = _client()

    def seal(number: int) -> bytes:
        sealed = client.encrypt(KeyId="alias/orders", Plaintext=b"%d" % number)["CiphertextBlob"]
        return client.decrypt(CiphertextBlob=sealed)["Plaintext"]

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(seal, range(40)))

    assert [b"%d" % number for number in range(40)] == opened
    kms.assert_used(key, "Encrypt", times=40)
    kms.assert_used(key, "Decrypt", times=40)
    assert 80 == len({event.request_id for event in kms.trail})


def test_a_thread_that_outlives_the_fake_reaches_it_no_more() -> None:
    """The fake is of the process, not of a thread: when it is gone, it is gone for all."""
    left: list[Any] = []
    gone = threading.Event()
    answers: list[Any] = []
    client = _own_client(left)

    def call() -> None:
        try:
            answers.append(client.list_keys())
        finally:
            called.set()
        gone.wait()
        answers.append(client.list_keys())

    called = threading.Event()
    with fake_kms() as kms:
        thread = threading.Thread(target=call)
        thread.start()
        called.wait()
    gone.set()
    thread.join()

    assert 1 == len(kms.trail)
    assert UUID.fullmatch(answers[0]["ResponseMetadata"]["RequestId"])
    assert "of this test" == answers[1]["ResponseMetadata"]["RequestId"]


# what comes back


def test_an_answer_has_the_headers_of_kms(kms: FakeKMS) -> None:
    """Request id, date, type and length are there, as botocore shows them."""
    metadata = _client().list_keys()["ResponseMetadata"]
    headers = metadata["HTTPHeaders"]

    assert 200 == metadata["HTTPStatusCode"]
    assert 0 == metadata["RetryAttempts"]
    assert UUID.fullmatch(metadata["RequestId"])
    assert ["content-length", "content-type", "date", "x-amzn-requestid"] == sorted(headers)
    assert metadata["RequestId"] == headers["x-amzn-requestid"]
    assert "application/x-amz-json-1.1" == headers["content-type"]
    assert str(len('{"Keys":[],"Truncated":false}')) == headers["content-length"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_header_is_found_in_any_case(spell: Callable[[str], str], kms: FakeKMS) -> None:
    """Whoever looks at the answer itself, in an event of botocore, finds its headers as on the wire."""
    client = kms.client_for(config=Config())
    seen: list[Any] = []
    client.meta.events.register("response-received.kms", lambda response_dict, **_: seen.append(response_dict))
    client.list_keys()
    headers = seen[0]["headers"]

    assert "application/x-amz-json-1.1" == headers[spell("Content-Type")] == headers.get(spell("Content-Type"))
    assert spell("Content-Length") in headers
    assert spell("X-Nothing") not in headers
    assert None is headers.get(spell("X-Nothing"))
    with pytest.raises(KeyError):
        headers[spell("X-Nothing")]


def test_an_error_has_the_headers_of_kms(kms: FakeKMS) -> None:
    """Errors have a request id too: that of the trail."""
    with pytest.raises(ClientError) as excinfo:
        _client().describe_key(KeyId="alias/none")
    response = excinfo.value.response

    assert 400 == response["ResponseMetadata"]["HTTPStatusCode"]
    assert kms.trail.last.request_id == response["ResponseMetadata"]["RequestId"]
    assert {
        "Code": "NotFoundException",
        "Message": "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
    } == response["Error"]


def test_each_request_has_an_id_of_its_own(kms: FakeKMS) -> None:
    """The ids that the client sees are those of the trail, in order."""
    client = _client()
    ids = [client.list_keys()["ResponseMetadata"]["RequestId"] for _ in range(3)]

    assert 3 == len(set(ids))
    assert ids == [event.request_id for event in kms.trail]


def test_a_modelled_error_can_be_caught_by_its_class(kms: FakeKMS) -> None:
    """botocore makes its exception classes from the answer, as for AWS."""
    client = _client()
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_key(KeyId="alias/none")


@pytest.mark.usefixtures("without_generate_mac")
def test_a_refusal_comes_through_botocore_as_it_is(kms: FakeKMS) -> None:
    """What is not supported is no ClientError, is not retried, and is told by its name."""
    with pytest.raises(NotSupported, match="^pytest-kms: GenerateMac is not supported by this version. What works: "):
        _client().generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")

    assert [1] == [len(event.attempts) for event in kms.trail]
    kms.reset()


# before, after and within


def test_a_call_passes_by_untouched_when_no_fake_is_active() -> None:
    """After the fake a request is what it was before, to the byte, and goes where it went before."""
    left: list[Any] = []
    client = _own_client(left)
    client.list_keys()
    with fake_kms() as kms:
        answer = client.list_keys()
    after = client.list_keys()

    assert UUID.fullmatch(answer["ResponseMetadata"]["RequestId"])
    assert 1 == len(kms.trail)
    assert "of this test" == after["ResponseMetadata"]["RequestId"]
    first, _, last = left
    assert first.url == last.url
    assert first.body == last.body
    assert list(first.headers) == list(last.headers)
    assert b"AKIDEXAMPLE" in last.headers["Authorization"]
    assert b"/us-east-1/kms/aws4_request" in last.headers["Authorization"]


def test_the_inner_of_nested_fakes_answers(kms: FakeKMS) -> None:
    """Each call is answered and recorded by one fake alone."""
    client = _client()
    client.list_keys()
    with fake_kms() as inner:
        client.list_keys()
        client.list_aliases()
    client.list_keys()

    assert ["ListKeys", "ListAliases"] == [event.operation for event in inner.trail]
    assert ["ListKeys", "ListKeys"] == [event.operation for event in kms.trail]


def test_another_service_is_not_touched(kms: FakeKMS) -> None:
    """A request that is not one of KMS goes its way."""
    left: list[Any] = []
    client = boto3.Session().client("sqs", region_name="us-east-1")

    def answer(request: Any, **_: Any) -> Any:
        left.append(request)
        response: Any = AWSResponse(request.url, 200, {}, None)  # type: ignore[arg-type]
        response._content = b'{"QueueUrls": ["https://example"]}'  # noqa: SLF001
        return response

    client.meta.events.register("before-send.sqs", answer)

    assert ["https://example"] == client.list_queues()["QueueUrls"]
    assert 1 == len(left)
    assert 0 == len(kms.trail)


# beside moto


def _moto_settings() -> Any:
    return copy.deepcopy(moto.core.config.default_user_config)


def test_beside_moto_each_answers_its_own() -> None:
    """KMS is the fake's, other services are moto's, and moto neither makes a key nor keeps a changed setting."""
    before = _moto_settings()
    with mock_aws():
        within = _moto_settings()
        with fake_kms() as kms:
            storage, client = boto3.client("s3", "us-east-1"), boto3.client("kms", "us-east-1")
            storage.create_bucket(Bucket="orders")
            made = client.create_key()["KeyMetadata"]
            client.create_alias(AliasName="alias/orders", TargetKeyId=made["KeyId"])
            sealed = client.encrypt(KeyId="alias/orders", Plaintext=b"7")["CiphertextBlob"]
            storage.put_object(Bucket="orders", Key="7", Body=sealed)
            stored = storage.get_object(Bucket="orders", Key="7")["Body"].read()

            assert b"7" == client.decrypt(CiphertextBlob=stored)["Plaintext"]
            assert ["CreateKey", "CreateAlias", "Encrypt", "Decrypt"] == [event.operation for event in kms.trail]
            assert ["orders"] == [bucket["Name"] for bucket in storage.list_buckets()["Buckets"]]
        assert within == _moto_settings()
        assert [] == client.list_keys()["Keys"]
        assert ["orders"] == [bucket["Name"] for bucket in storage.list_buckets()["Buckets"]]
    assert before == _moto_settings()


def test_moto_may_begin_inside_a_fake() -> None:
    """The order of the two does not matter, nor does a client that was made before moto began."""
    before = _moto_settings()
    with fake_kms() as kms:
        early = _client()
        early.list_keys()
        with mock_aws():
            boto3.client("s3", "us-east-1").create_bucket(Bucket="orders")
            boto3.client("kms", "us-east-1").create_key()
            early.create_key()
        early.create_key()

    kms.assert_called("CreateKey", times=3)
    assert before == _moto_settings()


def test_moto_may_outlive_a_fake() -> None:
    """After the fake KMS is moto's again."""
    with mock_aws():
        with fake_kms() as kms:
            boto3.client("kms", "us-east-1").create_key()
        theirs = boto3.client("kms", "us-east-1").create_key()["KeyMetadata"]
        listed = boto3.client("kms", "us-east-1").list_keys()["Keys"]

    assert 1 == len(kms.trail)
    assert [theirs["KeyId"]] == [key["KeyId"] for key in listed]


def test_what_moto_passes_through_already_stays_so() -> None:
    """Who lets moto pass KMS through finds that setting again."""
    config: Any = {"core": {"mock_credentials": True, "passthrough": {"services": ["kms", "sqs"], "urls": []}}}
    with mock_aws(config=config):
        within = _moto_settings()
        with fake_kms() as kms:
            boto3.client("kms", "us-east-1").create_key()
        assert within == _moto_settings()

    assert 1 == len(kms.trail)


def test_moto_may_have_other_settings() -> None:
    """A configuration of moto that says nothing of passing through is the same afterwards."""
    config: Any = {"core": {"mock_credentials": True, "reset_boto3_session": True}}
    with mock_aws(config=config):
        within = _moto_settings()
        with fake_kms() as kms:
            boto3.client("kms", "us-east-1").create_key()
        assert within == _moto_settings()
        assert [] == boto3.client("kms", "us-east-1").list_keys()["Keys"]

    assert 1 == len(kms.trail)


# aiobotocore


def _async_client(**arguments: Any) -> Any:
    return get_session().create_client("kms", **{"region_name": "us-east-1"} | arguments)


def test_an_asynchronous_client_is_answered(kms: FakeKMS) -> None:
    """Success and error come back through aiobotocore as through botocore."""

    async def seal() -> tuple[Any, Any, Any]:
        async with _async_client() as client:
            sealed = await client.encrypt(KeyId="alias/orders", Plaintext=b"7")
            opened = await client.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
            with pytest.raises(client.exceptions.NotFoundException) as excinfo:
                await client.describe_key(KeyId="alias/none")
            return sealed, opened, excinfo.value.response["Error"]

    key = kms.create_key("orders")
    sealed, opened, error = asyncio.run(seal())

    assert key.arn == sealed["KeyId"]
    assert b"7" == opened["Plaintext"]
    assert UUID.fullmatch(opened["ResponseMetadata"]["RequestId"])
    assert {
        "Code": "NotFoundException",
        "Message": "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
    } == error
    assert ["Encrypt", "Decrypt", "DescribeKey"] == [event.operation for event in kms.trail]


def test_an_asynchronous_client_is_throttled(kms: FakeKMS) -> None:
    """A throttled call is retried by aiobotocore's own retries."""

    async def list_keys() -> Any:
        async with _async_client() as client:
            return await client.list_keys()

    kms.throttle("ListKeys", times=2)

    assert 2 == asyncio.run(list_keys())["ResponseMetadata"]["RetryAttempts"]
    assert [3] == [len(event.attempts) for event in kms.trail]


def test_asynchronous_pages_are_those_of_kms(kms: FakeKMS) -> None:
    """A paginator of aiobotocore comes to an end."""

    async def ids() -> list[str]:
        async with _async_client() as client:
            pages = client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
            return [key["KeyId"] async for page in pages for key in page["Keys"]]

    keys = [kms.create_key() for _ in range(5)]

    assert sorted(key.id for key in keys) == sorted(asyncio.run(ids()))
    assert 3 == len(kms.trail)


@pytest.mark.parametrize("unsigned", [True, False], ids=["unsigned", "signed"])
def test_an_asynchronous_client_without_credentials_is_answered(
    unsigned: bool,  # noqa: FBT001  # a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """aiobotocore too signs with lent credentials while a fake is active, or not at all."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    async def list_keys() -> tuple[Any, FakeKMS]:
        config = Config(signature_version=UNSIGNED) if unsigned else None
        async with _async_client(config=config) as client:
            with fake_kms() as kms:
                return await client.list_keys(), kms

    answer, kms = asyncio.run(list_keys())

    assert [] == answer["Keys"]
    assert "arn:aws:iam::123456789012:user/tester" == kms.trail.last.principal


@pytest.mark.usefixtures("without_generate_mac")
def test_a_refusal_comes_through_aiobotocore_as_it_is(kms: FakeKMS) -> None:
    """What is not supported is told by its name there too."""

    async def generate_mac() -> None:
        async with _async_client() as client:
            await client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")

    with pytest.raises(NotSupported, match="^pytest-kms: GenerateMac is not supported by this version"):
        asyncio.run(generate_mac())
    kms.reset()


# older botocores


def _without_context(client: KMSClient) -> KMSClient:
    events: Any = client.meta.events

    def forget(request: Any, **_: Any) -> None:
        request.context = None

    events.register_first("before-send.kms", forget)
    return client


def test_a_request_is_read_from_its_headers_too(kms: FakeKMS) -> None:
    """An older botocore keeps the Region and the attempt of a request in its headers alone."""
    kms.throttle("ListKeys", times=2)
    _without_context(kms.client_for(region="eu-west-3", config=Config())).list_keys()

    event = kms.trail.last
    assert "eu-west-3" == event.region
    assert [1, 2, 3] == [attempt.number for attempt in event.attempts]
    assert 1 == len(kms.trail)


def test_an_unsigned_request_of_an_older_botocore_is_of_the_fakes_region(kms: FakeKMS) -> None:
    """Nothing in it says where it was to go."""
    _without_context(kms.client_for(config=Config(signature_version=UNSIGNED))).list_keys()

    assert kms.create_key().region == kms.trail.last.region


def test_the_patience_of_an_older_botocores_client_is_known(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests do not tell the configuration of their client, which is noted when they are signed."""
    monkeypatch.setattr(stub, "_requests_have_context", lambda: False)
    config = Config(read_timeout=5, retries={"total_max_attempts": 1})
    kms.latency(7, "ListKeys")

    with pytest.raises(ReadTimeoutError):
        _without_context(kms.client_for(config=config)).list_keys()
    assert "Boto3" in kms.trail.last.user_agent
