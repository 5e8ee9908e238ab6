"""Hypothesis: which fake the examples of `@given` have; test_lifespan.py has a decorated test too."""

from __future__ import annotations

import pytest
from suites import outcomes, run

HEADER = """
import pytest
import pytest_kms
from hypothesis import HealthCheck, given, settings, strategies as st

made = []
secrets = given(secret=st.binary(min_size=1, max_size=100))
settings.register_profile("short", deadline=None, max_examples=10, database=None, derandomize=True)
settings.load_profile("short")

def seal(kms, secret):
    assert kms.client.list_keys()["Keys"] == []
    kms.create_key("orders")
    assert kms.decrypt(kms.client.encrypt(KeyId="alias/orders", Plaintext=secret)["CiphertextBlob"]) == secret
    made.append(kms)
"""

EACH_ITS_OWN = {
    "with": """
@secrets
def test_secret(secret):
    with pytest_kms.fake_kms() as kms:
        seal(kms, secret)
""",
    "given outside": """
@secrets
@pytest_kms.fake_kms()
def test_secret(kms, secret):
    seal(kms, secret)
""",
}


@pytest.mark.parametrize("how", EACH_ITS_OWN)
def test_each_example_may_have_a_fake(how: str, pytester: pytest.Pytester) -> None:
    """`fake_kms()` within the test, or below `@given`, is new for each example."""
    source = f"{HEADER}{EACH_ITS_OWN[how]}\ndef test_fakes():\n    assert len(set(made)) == len(made) > 1\n"

    assert {"passed": 2} == outcomes(run(pytester, source))


EMPTIED = {
    "a wider scope": """
module_kms = pytest_kms.kms_fixture("module")

@secrets
def test_secret(module_kms, secret):
    module_kms.reset()
    seal(module_kms, secret)
""",
    "given inside": """
@pytest_kms.fake_kms()
@secrets
def test_secret(kms, secret):
    kms.reset()
    seal(kms, secret)
""",
}


@pytest.mark.parametrize("how", EMPTIED)
def test_one_fake_may_be_emptied_for_each_example(how: str, pytester: pytest.Pytester) -> None:
    """A fixture of a wider scope, or `fake_kms()` above `@given`, is one for all examples: `reset()` empties it."""
    source = f"{HEADER}{EMPTIED[how]}\ndef test_fakes():\n    assert len(set(made)) == 1 < len(made)\n"

    assert {"passed": 2} == outcomes(run(pytester, source))


def test_hypothesis_warns_of_the_fixture(pytester: pytest.Pytester) -> None:
    """`kms` is one for all examples of its test, of which Hypothesis's own health check speaks."""
    result = run(pytester, f"{HEADER}\n@secrets\ndef test_secret(kms, secret): ...\n")

    assert {"failed": 1} == outcomes(result)
    (told,) = [line for line in result.outlines if line.startswith("E  ")]
    assert told.endswith("FailedHealthCheck: 'test_it.py::test_secret' uses a function-scoped fixture 'kms'.")
    assert "plugin.py" not in result.stdout.str()


def test_who_suppresses_the_health_check_has_one_fake(pytester: pytest.Pytester) -> None:
    """The second example finds the keys of the first, and Hypothesis shows it."""
    result = run(
        pytester,
        f"""{HEADER}
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@secrets
def test_secret(kms, secret):
    seal(kms, secret)

@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@secrets
def test_emptied(kms, secret):
    kms.reset()
    seal(kms, secret)
""",
    )

    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert any(line.startswith("FAILED test_it.py::test_secret") for line in result.outlines)
