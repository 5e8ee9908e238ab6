"""kms_junit: what a JUnit file tells of each test that called KMS."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

RunSuite = Callable[..., pytest.RunResult]

SOURCE = """
    import pytest

    def test_calls(kms, record_property):
        record_property("mine", "stays")
        kms.create_key("orders"), kms.create_key("archive")
        kms.throttle("Encrypt")
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
        kms.client.encrypt(KeyId="alias/archive", Plaintext=b"x")
        kms.client.encrypt(KeyId=kms.create_key().id, Plaintext=b"x")

    def test_is_denied(kms):
        key = kms.create_key("orders")
        app = kms.client_for(kms.principal("role/app"))
        with pytest.raises(app.exceptions.ClientError):
            app.encrypt(KeyId=key.id, Plaintext=b"x")

    def test_nothing(kms): pass
"""
CALLS = {
    "mine": "stays",
    "kms.calls": "3",
    "kms.keys": "a key without an alias, alias/archive, alias/orders",
    "kms.throttled": "1",
    "kms.denied": "0",
    "kms.cost": "0.000009",
}
DENIED = {
    "kms.calls": "1",
    "kms.keys": "alias/orders",
    "kms.throttled": "0",
    "kms.denied": "1",
    "kms.cost": "0.000003",
}


@pytest.fixture
def properties_of(run_suite: RunSuite, pytester: pytest.Pytester) -> Callable[..., dict[str, dict[str, str]]]:
    """Return what runs a suite and reads the properties of its tests."""

    def run(source: str, *arguments: str, workers: int = 0) -> dict[str, dict[str, str]]:
        run_suite(source, "--junitxml=junit.xml", "-o", "junit_family=xunit1", *arguments, workers=workers)
        tree = ElementTree.parse(pytester.path / "junit.xml")  # noqa: S314  # pytest has just written it
        found = {}
        for case in tree.iter("testcase"):
            properties = [(one.attrib["name"], one.attrib["value"]) for one in case.iter("property")]
            assert len(properties) == len(dict(properties))
            found[case.attrib["name"]] = dict(properties)
        return found

    return run


PropertiesOf = Callable[..., dict[str, dict[str, str]]]


@pytest.mark.parametrize("scope", ["function", "session"])
@pytest.mark.parametrize("workers", [0, 2])
def test_tests_that_called_kms_have_properties(properties_of: PropertiesOf, workers: int, scope: str) -> None:
    """Beside those that they record by themselves, however long a fake lives."""
    alone = SOURCE.replace('kms.create_key("orders")', 'kms.reset() or kms.create_key("orders")')
    found = properties_of(alone, "-o", "kms_junit=true", "-o", f"kms_scope={scope}", workers=workers)

    assert {"test_calls": CALLS, "test_is_denied": DENIED, "test_nothing": {}} == found


def test_a_test_that_runs_again_tells_of_its_last_run(properties_of: PropertiesOf) -> None:
    """Each property stands there once."""
    found = properties_of(
        """
        runs = []

        def test_it(kms):
            for _ in range(2 - len(runs)):
                kms.client.list_keys()
            runs.append(1)
            assert len(runs) > 1
        """,
        "-o",
        "kms_junit=true",
        "-p",
        "rerunfailures",
        "--reruns=1",
    )

    assert "1" == found["test_it"]["kms.calls"]


def test_by_default_there_are_none(properties_of: PropertiesOf) -> None:
    """Not every reader of such files expects any."""
    assert {"mine": "stays"} == properties_of(SOURCE)["test_calls"]


def test_without_a_junit_file_nobody_watches(run_suite: RunSuite, pytester: pytest.Pytester) -> None:
    """Other reports show properties too, and are spared."""
    pytester.makeconftest("def pytest_runtest_logreport(report): assert not report.user_properties")
    result = run_suite("def test_it(kms): kms.client.list_keys()", "-o", "kms_junit=true")

    assert {"passed": 1} == result.parseoutcomes()
