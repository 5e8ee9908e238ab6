"""Beside pytest-randomly, which runs tests in random order and seeds the module `random` before each."""

from __future__ import annotations

import json

import pytest
from suites import outcomes, run

SUITE = """
import json
import pathlib
import random

import boto3
import pytest

results = {}

@pytest.fixture(scope="session", autouse=True)
def written():
    yield
    pathlib.Path("results.json").write_text(json.dumps(results))

@pytest.mark.parametrize("number", range(8))
def test_each(kms, number):
    client = boto3.client("kms", "us-east-1")
    kms.throttle("GenerateRandom", times=3)
    answer = client.generate_random(NumberOfBytes=8)["Plaintext"].hex()
    assert client.list_keys()["Keys"] == []
    results[number] = [kms.create_key("orders").id, answer, kms.trail[0].waited, random.random()]
"""


def _results(pytester: pytest.Pytester, seed: int) -> dict[str, list[object]]:
    assert {"passed": 8} == outcomes(run(pytester, SUITE, "-p", "randomly", f"--randomly-seed={seed}"))
    found: dict[str, list[object]] = json.loads((pytester.path / "results.json").read_text())
    return found


def test_a_seed_of_the_fake_holds_in_any_order(pytester: pytest.Pytester) -> None:
    """With `kms_seed` each test has the same ids, random bytes and jitter, whatever the order and its seed."""
    pytester.makeini("[pytest]\nkms_seed = 7\n")
    first, second = _results(pytester, 1), _results(pytester, 2)

    assert list(first) != list(second)
    assert {number: result[:3] for number, result in first.items()} == {
        number: result[:3] for number, result in second.items()
    }
    assert first["0"][3] != second["0"][3]


def test_without_a_seed_fakes_differ(pytester: pytest.Pytester) -> None:
    """What the plugin does to `random` makes no two keys alike."""
    first, second = _results(pytester, 1), _results(pytester, 1)

    assert list(first) == list(second)
    results = [*first.values(), *second.values()]
    assert [16, 16, 16] == [len({result[place] for result in results}) for place in range(3)]
