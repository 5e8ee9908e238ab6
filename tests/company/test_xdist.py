"""Beside pytest-xdist; what one process writes for all, such as least privilege, is tested where it is made."""

from __future__ import annotations

import json

import pytest
from suites import outcomes, run, told, unused

SUITE = """
import json
import os
import pathlib

import boto3
import pytest
import pytest_kms

depot_kms = pytest_kms.kms_fixture("session", seed=1)
stored = []

@pytest.mark.parametrize("number", range(8))
def test_fakes_are_of_one_process(kms, depot_kms, number):
    assert boto3.client("kms", "us-east-1").list_keys()["Keys"] == []  # of kms, which began last
    stored.append(depot_kms.create_key(f"depot-{number}"))
    assert len(depot_kms.trail) == 0
    kms.throttle("GenerateRandom", times=2)
    answer = boto3.client("kms", "us-east-1").generate_random(NumberOfBytes=8)
    result = [kms.create_key("orders").id, answer["Plaintext"].hex(), kms.trail.last.waited]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    pathlib.Path(f"{number}.json").write_text(json.dumps([worker, result]))
"""


def _results(pytester: pytest.Pytester) -> tuple[set[str], list[list[object]]]:
    told = [json.loads((pytester.path / f"{number}.json").read_text()) for number in range(8)]
    return {worker for worker, _ in told}, [result for _, result in told]


def test_results_do_not_depend_on_the_worker(pytester: pytest.Pytester) -> None:
    """With a seed each test has the same ids, random bytes and waits, wherever it runs and whatever ran before."""
    pytester.makeini("[pytest]\nkms_seed = 7\n")
    alone = run(pytester, SUITE, "-n", "0")
    workers_alone, results_alone = _results(pytester)
    shared = run(pytester, SUITE, "-n", "2", "--dist", "load", "--maxschedchunk", "1")
    workers, results = _results(pytester)

    assert [{"passed": 8}] * 2 == [outcomes(alone), outcomes(shared)]
    assert [{"main"}, {"gw0", "gw1"}] == [workers_alone, workers]
    assert results_alone == results


def test_verdicts_and_reports_come_from_the_worker(pytester: pytest.Pytester) -> None:
    """With --dist loadscope a module's fake stays in one worker; verdicts are of the test that is to blame."""
    module = """
    import pytest_kms

    depot_kms = pytest_kms.kms_fixture("module")

    def test_one(depot_kms):
        depot_kms.create_key("orders")
        depot_kms.throttle("Encrypt")

    def test_two(depot_kms):
        depot_kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")
        assert len(depot_kms.client.list_keys()["Keys"]) == 1
    """
    result = run(pytester, module, "-n", "2", "--dist", "loadscope", test_more=module)

    assert {"passed": 2, "failed": 2} == outcomes(result)
    assert [unused("ThrottlingException for Encrypt, 1")] * 2 == told(result)
