"""Beside pytest-asyncio: aiobotocore's clients in tests and fixtures that are coroutines."""

from __future__ import annotations

import pytest
from suites import outcomes, run, told, unused

HEADER = """
import asyncio

import pytest
import pytest_asyncio
import pytest_kms
from aiobotocore.session import get_session

def connect():
    return get_session().create_client("kms", region_name="us-east-1")
"""


def test_concurrent_calls_are_answered(pytester: pytest.Pytester) -> None:
    """Fixtures and tests share the fake of their test; calls at the same time each have their own answer and waits."""
    result = run(
        pytester,
        f"""{HEADER}
@pytest_asyncio.fixture
async def client(kms):
    kms.create_key("orders", region="us-east-1")
    async with connect() as client:
        yield client
        await client.list_keys()

@pytest.mark.asyncio
@pytest.mark.parametrize("number", range(3))
async def test_sealed(kms, client, number):
    async def seal(text):
        sealed = await client.encrypt(KeyId="alias/orders", Plaintext=text, EncryptionContext={{"n": str(text)}})
        await asyncio.sleep(0)
        opened = await client.decrypt(
            CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={{"n": str(text)}}
        )
        return opened["Plaintext"]

    kms.throttle("Decrypt", times=5)
    texts = [str(place).encode() for place in range(30)]
    assert await asyncio.gather(*map(seal, texts)) == texts
    kms.assert_called("Encrypt", times=30)
    kms.assert_called("Decrypt", times=30)
    kms.assert_throttled("Decrypt", times=5)

@pytest.mark.asyncio
@pytest.mark.kms(region="eu-west-1")
async def test_marked(kms):
    async with get_session().create_client("kms") as client:  # a Region is lent
        await client.create_key()
    assert kms.trail.last.region == "eu-west-1"

@pytest.mark.asyncio
@pytest_kms.fake_kms()
async def test_decorated(kms):
    async with connect() as client:
        assert (await client.list_keys())["Keys"] == []
    kms.assert_called("ListKeys", times=1)
""",
        "-p",
        "asyncio",
    )

    assert {"passed": 5} == outcomes(result)


def test_verdicts_are_those_of_other_tests(pytester: pytest.Pytester) -> None:
    """Unused faults and swallowed refusals fail a coroutine too, in the same words; no traceback of ours shows."""
    result = run(
        pytester,
        f"""{HEADER}
from contextlib import suppress
from pytest_kms import engine
from pytest_kms.operation import OPERATIONS

OPERATIONS.pop("GenerateMac")

async def test_unused(kms):
    kms.throttle("Encrypt")
    async with connect() as client:
        await client.list_keys()

async def test_swallowed(kms):
    async with connect() as client:
        task = asyncio.create_task(
            client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")
        )
        await asyncio.wait([task])
        with suppress(BaseException):
            task.result()

async def test_fails(kms):
    async with connect() as client:
        await client.describe_key(KeyId="alias/orders")
""",
        "-p",
        "asyncio",
        "--asyncio-mode=auto",
    )

    assert {"failed": 3} == outcomes(result)
    fault, fault_call, refusal, refused, missing = told(result)
    assert [
        unused("ThrottlingException for Encrypt, 1"),
        "1. ListKeys -> ok",
    ] == [fault, fault_call]
    assert refusal.startswith("pytest-kms: GenerateMac is not supported by this version.")
    assert [
        "1. GenerateMac alias/orders -> NotSupported",
        "1. DescribeKey alias/orders -> NotFoundException   <-- the test ended with this error",
    ] == [refused, missing]
    assert "plugin.py" not in result.stdout.str()


def test_a_loop_for_the_session_may_have_a_fake_for_the_session(pytester: pytest.Pytester) -> None:
    """A client of a wider loop outlives fakes; it is answered by the one that is active."""
    result = run(
        pytester,
        f"""{HEADER}
depot_kms = pytest_kms.kms_fixture("session", region="us-east-1")

@pytest.fixture(scope="session")
def clients():
    return []

async def connected(clients):
    if not clients:
        clients.append(await connect().__aenter__())
    return clients[0]

async def test_one(depot_kms, clients):
    depot_kms.create_key("depot")
    client = await connected(clients)
    await client.describe_key(KeyId="alias/depot")

async def test_two(depot_kms, kms, clients):
    client = await connected(clients)
    assert (await client.list_keys())["Keys"] == []
    kms.assert_called("ListKeys", times=1)

async def test_three(depot_kms, clients):
    client = await connected(clients)
    assert len((await client.list_keys())["Keys"]) == 1
    depot_kms.assert_called("ListKeys", times=1)
    await client.__aexit__(None, None, None)
""",
        "-p",
        "asyncio",
        "--asyncio-mode=auto",
    )

    assert {"passed": 3} == outcomes(result)
