"""Beside anyio's plugin: tests on the loops of asyncio and of trio."""

from __future__ import annotations

import pytest
from optional import needs_httpx
from suites import outcomes, run, told, unused


@needs_httpx
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_tasks_of_a_group_are_answered(loop: str, pytester: pytest.Pytester) -> None:
    """Fixtures, tests and the tasks of a group share the fake of their test; its verdicts are those of others."""
    result = run(
        pytester,
        f"""
        import anyio
        import pytest
        from aiobotocore.config import AioConfig
        from aiobotocore.httpxsession import HttpxSession
        from aiobotocore.session import get_session

        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return {loop!r}

        @pytest.fixture
        async def client(kms):
            kms.create_key("orders", region="us-east-1")
            config = AioConfig(http_session_cls=HttpxSession)
            async with get_session().create_client("kms", region_name="us-east-1", config=config) as client:
                yield client

        @pytest.mark.parametrize("number", range(2))
        async def test_sealed(kms, client, number):
            opened = {{}}

            async def seal(text):
                sealed = await client.encrypt(KeyId="alias/orders", Plaintext=text)
                await anyio.sleep(0)
                opened[text] = (await client.decrypt(CiphertextBlob=sealed["CiphertextBlob"]))["Plaintext"]

            kms.throttle("Encrypt", times=3)
            texts = [str(place).encode() for place in range(10)]
            async with anyio.create_task_group() as group:
                for text in texts:
                    group.start_soon(seal, text)
            assert opened == dict(zip(texts, texts))
            kms.assert_called("Decrypt", times=10)
            kms.assert_throttled("Encrypt", times=3)

        async def test_unused(kms, client):
            kms.throttle("ListKeys")
        """,
    )

    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert [unused("ThrottlingException for ListKeys, 1")] == told(result)
