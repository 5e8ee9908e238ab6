"""Beside pytest-socket: with `--disable-socket` nothing of the plugin's opens one."""

from __future__ import annotations

import pytest
from suites import outcomes, run


def test_no_socket_is_opened(pytester: pytest.Pytester) -> None:
    """Neither for calls and their retries, nor for anything that a test arranges; other services are still refused."""
    result = run(
        pytester,
        """
        import socket

        import boto3
        import pytest
        from botocore.config import Config
        from botocore.exceptions import EndpointConnectionError, HTTPClientError
        from pytest_socket import SocketBlockedError

        def test_sockets_are_disabled(kms):
            with pytest.raises(SocketBlockedError):
                socket.socket()
            config = Config(retries={"total_max_attempts": 1})
            with pytest.raises(HTTPClientError, match="A test tried to use socket"):
                boto3.client("sts", "us-east-1", config=config).get_caller_identity()

        @pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
        def test_calls(kms, mode):
            client = boto3.client("kms", "us-east-1", config=Config(retries={"mode": mode}))
            kms.create_key("orders", region="us-east-1")
            kms.throttle("Encrypt", times=2)
            kms.fail("Decrypt", "ConnectTimeoutError")
            blob = client.encrypt(KeyId="alias/orders", Plaintext=b"7")["CiphertextBlob"]
            client.decrypt(CiphertextBlob=blob)
            with kms.outage(), pytest.raises(EndpointConnectionError):
                client.list_keys()
            pages = client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
            assert len([key for page in pages for key in page["Keys"]]) == 1

        def test_arranging(kms):
            allowed = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
            app = kms.principal("role/app", policy={"Version": "2012-10-17", "Statement": [allowed]})
            kms.service("s3", on_behalf_of=app).store(kms.create_key(), "shop/7", b"...")
            store = kms.key_store("EXTERNAL_KEY_STORE")
            kms.create_key("far", key_store=store)
            kms.client.encrypt(KeyId="alias/far", Plaintext=b"7")
            kms.session_for(app, region="eu-west-1").client("kms").list_keys()
            assert kms.client.list_keys()["Keys"]
        """,
        "-p",
        "pytest_socket",
        "--disable-socket",
    )

    assert {"passed": 5} == outcomes(result)


def test_asynchronous_calls_open_none_but_those_of_their_loop(pytester: pytest.Pytester) -> None:
    """A loop of asyncio has a pair of unix sockets of its own; aiobotocore opens none besides."""
    result = run(
        pytester,
        """
        import asyncio

        from aiobotocore.session import get_session

        def test_calls(kms):
            async def work():
                async with get_session().create_client("kms", region_name="us-east-1") as client:
                    kms.throttle("ListKeys", times=2)
                    await asyncio.gather(*[client.list_keys() for _ in range(5)])

            asyncio.run(work())
            kms.assert_called("ListKeys", times=5)
        """,
        "-p",
        "pytest_socket",
        "--disable-socket",
        "--allow-unix-socket",
    )

    assert {"passed": 1} == outcomes(result)
