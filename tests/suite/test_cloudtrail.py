"""The CloudTrail records of a run, in a file."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

SUITE = """
    import pytest
    from pytest_kms import fake_kms

    @pytest.mark.parametrize("number", range(3))
    def test_encrypts(kms, number):
        kms.create_key("orders")
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")

    def test_resets(kms):
        kms.client.create_key()
        kms.reset()
        kms.client.list_keys()

    def test_without_the_fixture():
        with fake_kms() as kms:
            kms.client.list_aliases()

    def test_calls_nothing():
        pass
"""
CALLS = ["CreateKey", "Encrypt", "Encrypt", "Encrypt", "ListAliases", "ListKeys"]


def records_of(content: bytes | str) -> list[dict[str, Any]]:
    """Read a file as tools do."""
    file = json.loads(content)
    assert ["Records"] == list(file)
    records: list[dict[str, Any]] = file["Records"]
    return records


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the suite in a process of its own."""
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(passed=6)
    return result


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_records_of_a_suite_are_written(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Of all fakes, of all workers, in a folder that was not there."""
    result = run(pytester, *workers, "--kms-cloudtrail=made/records.json")
    records = records_of((pytester.path / "made/records.json").read_text())

    assert CALLS == sorted(record["eventName"] for record in records)
    assert ["pytest-kms: 6 CloudTrail records in made/records.json"] == [
        line.strip("- ") for line in result.outlines if "CloudTrail" in line
    ]


def test_a_name_that_ends_with_gz_compresses(pytester: pytest.Pytester) -> None:
    """As CloudTrail delivers its files."""
    run(pytester, "--kms-cloudtrail=records.json.gz")
    records = records_of(gzip.decompress((pytester.path / "records.json.gz").read_bytes()))

    assert CALLS == sorted(record["eventName"] for record in records)


def test_each_event_has_an_id_of_its_own(pytester: pytest.Pytester) -> None:
    """Though fakes with the same seed give the same ids."""
    pytester.makeini("[pytest]\nkms_seed = 7\n")
    run(pytester, "--kms-cloudtrail=records.json")
    records = records_of((pytester.path / "records.json").read_text())

    assert 6 == len({record["eventID"] for record in records}) == len({record["requestID"] for record in records})


def test_a_run_without_calls_leaves_a_file_without_records(pytester: pytest.Pytester) -> None:
    """So that a pipeline finds one."""
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--kms-cloudtrail=records.json")

    assert '{"Records":[]}' == (pytester.path / "records.json").read_text()
