"""Files that a run is to leave behind: those that cannot be written are told, and hide nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RunSuite = Callable[..., pytest.RunResult]
FILES = ["--kms-least-privilege", "--kms-cloudtrail", "--kms-report"]
TEST = "def test_it(kms): kms.client.list_keys()"


@pytest.mark.parametrize("option", FILES)
@pytest.mark.parametrize(
    ("file", "mistake"),
    [
        ("", "{option} needs the name of a file"),
        ("folder", "{option}: folder is no file that can be written"),
        ("file/made.json", "{option}: file/made.json is no file that can be written"),
    ],
)
def test_a_file_that_cannot_be_written_ends_the_run_at_once(
    run_suite: RunSuite, pytester: pytest.Pytester, option: str, file: str, mistake: str
) -> None:
    """Before a test has run, and with a sentence."""
    pytester.mkdir("folder")
    (pytester.path / "file").touch()
    result = run_suite(TEST, f"{option}={file}")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert [f"ERROR: pytest-kms: {mistake.format(option=option)}"] == [line for line in result.errlines if line]


def test_two_options_are_no_one_file(run_suite: RunSuite) -> None:
    """The second would write over the first."""
    result = run_suite(TEST, "--kms-report=made", "--kms-cloudtrail=./made")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    told = "ERROR: pytest-kms: --kms-cloudtrail and --kms-report name the same file, made"
    assert [told] == [line for line in result.errlines if line]


@pytest.mark.parametrize(("last", "outcome"), [("pass", "passed"), ("assert False", "failed")])
def test_what_cannot_be_written_any_more_hides_no_failure(
    run_suite: RunSuite, pytester: pytest.Pytester, last: str, outcome: str
) -> None:
    """The summaries are there, a line says what went wrong, and the run has not passed."""
    result = run_suite(
        f"from pathlib import Path\n\ndef test_it(kms):\n    Path('made.html').mkdir()\n    {last}",
        "--kms-report=made.html",
        "--kms-summary",
    )

    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert {outcome: 1} == result.parseoutcomes()
    assert any(line.startswith("pytest-kms: [Errno ") and "made.html" in line for line in result.outlines)
    assert "Nothing called KMS." in result.outlines


def test_where_no_test_runs_nothing_is_summed_up(run_suite: RunSuite) -> None:
    """To collect is not to run."""
    result = run_suite(TEST, "--kms-summary", "--collect-only")
    assert not [line for line in result.outlines if "KMS" in line or "pytest-kms" in line]
