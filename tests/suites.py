"""Suites that tests run in a process of their own, with the plugins that they name and no others of tests/company."""

from __future__ import annotations

import pytest


def run(pytester: pytest.Pytester, source: str, *arguments: str, **modules: str) -> pytest.RunResult:
    """Run a suite with its other modules; `-p NAME` brings a plugin by its entry point."""
    pytester.makepyfile(**modules, test_it=source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    """Count what became of the tests."""
    return {name: count for name, count in result.parseoutcomes().items() if name not in ("warnings", "warning")}


def told(result: pytest.RunResult) -> list[str]:
    """Return what the plugin says in the reports: its verdicts, and the calls of its sections."""
    lines = result.outlines
    return [line for line in lines if line.startswith("pytest-kms: ") or (line[:1].isdigit() and " -> " in line)]


def unused(left: str) -> str:
    """Write the verdict on faults that were ordered and never used, such as "ThrottlingException for Encrypt, 1"."""
    return (
        f"pytest-kms: faults were ordered and never used: {left} of them left. What to do: check"
        " that the code under test makes these calls, order fewer, or order with optional=True what need not come."
        " To turn it off:"
        ' unused_faults="ignore", of the marker or fake_kms(), or kms_unused_faults = ignore in the ini file.'
    )
