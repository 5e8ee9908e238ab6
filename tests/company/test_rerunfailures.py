"""Beside pytest-rerunfailures: a test that is run again begins anew."""

from __future__ import annotations

import pytest
from suites import outcomes, run, told, unused

HEADER = """
import contextlib

import boto3
import pytest
import pytest_kms
from pytest_kms import engine
from pytest_kms.operation import OPERATIONS

OPERATIONS.pop("GenerateMac")
depot_kms = pytest_kms.kms_fixture("module", region="us-east-1")
runs = []

def client():
    return boto3.client("kms", "us-east-1")
"""

FIRST_RUNS = {
    "fails": "kms.create_key('old')\n        pytest.fail('for a reason')",
    "leaves a fault": "kms.throttle('Encrypt')",
    "leaves a fault and fails": "kms.throttle('Encrypt')\n        pytest.fail('for a reason')",
    "swallows a refusal": (
        "with contextlib.suppress(BaseException):\n"
        "            client().generate_mac(KeyId='alias/none', Message=b'7', MacAlgorithm='HMAC_SHA_256')"
    ),
    "has moved the time": "kms.clock.advance(days=9)\n        kms.quotas['Encrypt'] = 0\n        assert False",
}


@pytest.mark.parametrize("first", FIRST_RUNS)
@pytest.mark.parametrize("marker", ["usefixtures('kms')", "kms(seed=1)"])
def test_a_test_that_is_run_again_has_a_fresh_fake(first: str, marker: str, pytester: pytest.Pytester) -> None:
    """Nothing that the first run did, ordered or was to blame for is there in the second."""
    result = run(
        pytester,
        f"""{HEADER}
@pytest.fixture
def vault(pytest_kms):
    runs.append(pytest_kms)
    return pytest_kms

@pytest.mark.flaky(reruns=1)
@pytest.mark.{marker}
def test_flaky(vault):
    kms = vault
    if len(runs) == 1:
        {FIRST_RUNS[first]}
        return
    assert kms is not runs[0]
    assert client().list_keys()["Keys"] == []
    kms.create_key("orders", region="us-east-1")
    client().encrypt(KeyId="alias/orders", Plaintext=b"7")
    assert [event.operation for event in kms.trail] == ["ListKeys", "Encrypt"]
    assert [len(event.attempts) for event in kms.trail] == [1, 1]

def test_after(kms):
    assert client().list_keys()["Keys"] == []
""",
        "-p",
        "rerunfailures",
    )

    assert {"passed": 2, "rerun": 1} == outcomes(result)
    assert [] == told(result)


def test_what_fails_again_tells_of_its_last_run(pytester: pytest.Pytester) -> None:
    """The report shows the calls of the run that it is of, and its verdict."""
    result = run(
        pytester,
        f"""{HEADER}
def test_fails(kms):
    runs.append(kms)
    client().list_keys(Limit=len(runs))
    kms.throttle("Encrypt", times=len(runs))
""",
        "-p",
        "rerunfailures",
        "--reruns=2",
    )

    assert {"failed": 1, "rerun": 2} == outcomes(result)
    assert [
        unused("ThrottlingException for Encrypt, 3"),
        "1. ListKeys -> ok",
    ] == told(result)


@pytest.mark.parametrize("first", ["leaves a fault", "leaves a fault and fails", "swallows a refusal"])
def test_a_wider_fake_is_not_fresh_but_blameless(first: str, pytester: pytest.Pytester) -> None:
    """Keys of a module's fake are still there when a test of it is run again; faults and refusals are not."""
    result = run(
        pytester,
        f"""{HEADER}
@pytest.mark.flaky(reruns=1)
def test_flaky(depot_kms):
    kms = depot_kms
    runs.append(kms)
    kms.create_key(f"orders-{{len(runs)}}")
    if len(runs) == 1:
        {FIRST_RUNS[first]}
        return
    assert kms is runs[0]
    assert len(client().list_keys()["Keys"]) == 2
    client().encrypt(KeyId="alias/orders-1", Plaintext=b"7")
    kms.assert_throttled("Encrypt", times=0)
""",
        "-p",
        "rerunfailures",
    )

    assert {"passed": 1, "rerun": 1} == outcomes(result)
    assert [] == told(result)
