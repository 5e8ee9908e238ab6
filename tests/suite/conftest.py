"""Suites that are run with what they leave behind."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import boto3.session  # noqa: F401  # see below
import pytest

# An inner run in this process forgets the modules that it was the first to import; let it be the first of none.
from pytest_kms import clients, engine, fake, lifespan  # noqa: F401
from pytest_kms.suite import privilege, properties, report, summary  # noqa: F401

RunSuite = Callable[..., pytest.RunResult]


@pytest.fixture
def run_suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> RunSuite:
    """Return what runs a suite in us-east-1, in this process, or with workers in others."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    pytester.makeini("[pytest]\nkms_region = us-east-1\n")

    def run(source: str, *arguments: str, workers: int = 0) -> pytest.RunResult:
        pytester.makepyfile(test_it=source)
        always = ["-p", "no:cacheprovider", *arguments]
        if workers:
            return pytester.runpytest_subprocess("-n", f"{workers}", *always)
        # Hypothesis would import itself anew in each run.
        return pytester.runpytest_inprocess("-p", "no:hypothesispytest", *always)

    return run


@pytest.fixture
def record_of(run_suite: RunSuite, pytester: pytest.Pytester) -> Callable[..., dict[str, Any]]:
    """Return what runs a suite and reads the data of its page, calls with their members' names."""

    def run(source: str, *arguments: str, workers: int = 0) -> dict[str, Any]:
        run_suite(source, "--kms-report=report.html", *arguments, workers=workers)
        page = (pytester.path / "report.html").read_text()
        found = re.search(r'<script type="application/json" id="data">(.*)</script>\n', page)
        assert found is not None
        data: dict[str, Any] = json.loads(found[1])
        data["calls"] = [_call(data, row) for row in data["calls"]]
        return data

    return run


def _call(data: dict[str, Any], row: list[Any]) -> dict[str, Any]:
    names = "test operation uses region account principal via error message why attempts throttled at cost dry_run"
    call = dict(zip(names.split(), row, strict=True))
    call["test"] = data["tests"][call["test"]][0]
    for name in ("principal", "message", "why"):
        call[name] = data["texts"][call[name]]
    call["keys"] = [data["keys"][number]["label"] for number, _, _ in call["uses"]]
    return call
