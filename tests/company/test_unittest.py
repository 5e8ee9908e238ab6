"""unittest.TestCase, run by pytest and by unittest itself; test_plugin.py and test_lifespan.py have the rest."""

from __future__ import annotations

import sys

import pytest
from suites import outcomes, run, told, unused

SUITE = """
import asyncio
import unittest

import boto3
import pytest_kms
from aiobotocore.session import get_session

@pytest_kms.fake_kms(region="us-east-1")
class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.kms.reset()
        self.kms.create_key("orders")
        self.client = await self.enterAsyncContext(get_session().create_client("kms"))

    async def test_sealed(self):
        blobs = await asyncio.gather(
            *[self.client.encrypt(KeyId="alias/orders", Plaintext=b"7") for _ in range(10)]
        )
        self.assertEqual(len(blobs), 10)
        self.kms.assert_called("Encrypt", times=10)

    async def test_empty(self):
        self.assertEqual(len(self.kms.trail), 0)

    @pytest_kms.fake_kms()
    async def test_method(self, kms):
        self.assertEqual((await self.client.list_keys())["Keys"], [])
        kms.assert_called("ListKeys", times=1)

@pytest_kms.fake_kms(region="us-east-1")
class TestSync(unittest.TestCase):
    def setUp(self):
        self.kms.reset()

    def test_cases(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertEqual(len(boto3.client("kms").list_keys()["Keys"]), number)
                self.kms.create_key()

    def test_empty(self):
        self.assertEqual(boto3.client("kms").list_keys()["Keys"], [])
"""
if sys.version_info < (3, 11):
    SUITE = SUITE.replace(
        "self.client = await self.enterAsyncContext(get_session().create_client('kms'))".replace("'", '"'),
        'context = get_session().create_client("kms")\n        self.client = await context.__aenter__()\n'
        "        self.addAsyncCleanup(context.__aexit__, None, None, None)",
    )


def test_pytest_runs_decorated_cases(pytester: pytest.Pytester) -> None:
    """Coroutines of a case are answered by the fake of their class, or by one of their own."""
    assert {"passed": 5} == {
        name: count for name, count in outcomes(run(pytester, SUITE)).items() if "subtest" not in name
    }


def test_unittest_runs_decorated_cases(pytester: pytest.Pytester) -> None:
    """Without pytest everything but fixtures, marker and verdicts is there, and pytest is not even imported."""
    pytester.makepyfile(
        test_it=SUITE
        + """
def tearDownModule():
    import sys
    from pytest_kms import stub

    assert stub._active == []
    assert "pytest" not in sys.modules
"""
    )
    result = pytester.run(sys.executable, "-m", "unittest", "-q", "test_it")

    assert ["Ran 5 tests", "OK"] == [result.errlines[-3].partition(" in ")[0], result.errlines[-1]]


def test_cases_have_fakes_of_wider_scopes(pytester: pytest.Pytester) -> None:
    """A fixture of kms_fixture reaches a case by usefixtures or an autouse fixture; verdicts are of one method."""
    result = run(
        pytester,
        """
        import unittest

        import pytest
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("class", region="us-east-1")

        class TestDepot(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def give(self, depot_kms):
                self.kms = depot_kms

            def test_one(self):
                self.kms.create_key("orders")
                self.kms.throttle("Encrypt")

            def test_two(self):
                self.kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")
        """,
    )

    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert [unused("ThrottlingException for Encrypt, 1")] == told(result)
