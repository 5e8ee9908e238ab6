"""What fails a test at its end, in its own phase, line by line; and how to turn it off."""

from __future__ import annotations

import sys
import textwrap
import unittest
from typing import TYPE_CHECKING, Any

import pytest
from suites import outcomes, unused

from pytest_kms import FakeKMS, UsageError, fake_kms

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = """\
import asyncio
import contextlib
import unittest

import pytest
import pytest_kms
from pytest_kms import fake_kms

"""
FAULTS = unused("ThrottlingException for Encrypt, 1")
BUDGET_TO_DO = (
    "What to do: look for calls that could be spared, or allow more in max_calls. To turn it off: max_calls=None, of"
    " the marker or fake_kms(), or no kms_max_calls in the ini file."
)
UNSEEN_TO_DO = (
    "What to do: assert on these calls, or read them from kms.trail. To turn it off:"
    ' unasserted_calls="ignore", of the marker or fake_kms(), or kms_unasserted_calls = ignore in the ini file.'
)
UNSUPPORTED_OFF = (
    ' To turn it off: unsupported="ignore", of the marker or fake_kms(), or kms_unsupported = ignore in the ini file.'
)


def run(pytester: pytest.Pytester, source: str, *lines: str) -> pytest.RunResult:
    """Run a suite, with lines of an ini file."""
    pytester.makeini("\n".join(["[pytest]", *lines]))
    pytester.makepyfile(HEADER + textwrap.dedent(source))
    # Hypothesis would import itself anew in each run.
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-rfE")


def told(result: pytest.RunResult) -> list[str]:
    """Return the text of the only failure, without its section of calls."""
    lines = result.outlines
    start = next(place for place, line in enumerate(lines) if line.startswith("pytest-kms: "))
    end = next(place for place, line in enumerate(lines) if place > start and line.startswith("----"))
    return lines[start:end]


def verdict(act: Callable[[FakeKMS], object], **settings: Any) -> list[str]:
    """Return the lines with which a fake ends that is active without a fixture."""
    with pytest.raises(AssertionError) as excinfo, fake_kms(region="us-east-1", **settings) as kms:
        act(kms)
    return str(excinfo.value).splitlines()


def list_keys(kms: FakeKMS) -> None:
    """Call something."""
    kms.client.list_keys()


# budgets


def test_calls_over_budget_fail_the_test(pytester: pytest.Pytester) -> None:
    """In its own phase, with the calls."""
    result = run(
        pytester,
        """
        @pytest.mark.kms(max_calls={"Encrypt": 1, "ListKeys": 0, "Decrypt": 1})
        def test_it(kms):
            kms.create_key("orders")
            kms.throttle("Encrypt")
            for context in ({}, {"order": "7"}):
                kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext=context)
            kms.client.list_keys()
        """,
    )
    assert {"failed": 1} == outcomes(result)
    assert [
        "pytest-kms: there were more calls than max_calls allows: Encrypt twice instead of at most once, ListKeys once"
        " instead of never.",
        "What happened:",
        "  1. Encrypt alias/orders -> ok (2 attempts, 1 throttled)",
        "  2. Encrypt alias/orders {order: 7} -> ok",
        "  3. ListKeys -> ok",
        BUDGET_TO_DO,
    ] == told(result)


BUDGETED = """
def test_within(kms):
    kms.client.list_keys()

def test_over(kms):
    kms.client.list_keys()
    kms.client.list_keys()

@pytest.mark.kms(max_calls=None)
def test_off(kms):
    kms.client.list_keys()
    kms.client.list_keys()

@pytest.mark.kms(max_calls={"ListKeys": 2})
def test_more(kms):
    kms.client.list_keys()
    kms.client.list_keys()

@pytest.mark.kms(max_calls={"Decrypt": 2})
def test_others(kms):
    kms.client.list_keys()
    kms.client.list_keys()

def test_that_fails_by_itself(kms):
    kms.client.list_keys()
    kms.client.list_keys()
    raise KeyError("seven")
"""


def test_an_ini_file_may_set_budgets_for_all(pytester: pytest.Pytester) -> None:
    """A marker takes their place, and None takes them away."""
    result = run(pytester, BUDGETED, "kms_max_calls =", "    ListKeys = 1", "    Decrypt=0")
    assert {"passed": 4, "failed": 2} == outcomes(result)
    assert 1 == result.stdout.str().count("ListKeys twice instead of at most once")
    assert "KeyError: 'seven'" in result.stdout.str()


def test_in_a_wider_scope_a_budget_is_of_each_test(pytester: pytest.Pytester) -> None:
    """Its set-up counts, the teardown does not, nor what other tests have called."""
    result = run(
        pytester,
        """
        @pytest.fixture
        def listed(kms):
            kms.client.list_keys()
            yield
            kms.client.list_keys()

        def test_one(kms, listed):
            pass

        def test_two(kms, listed):
            pass

        def test_three(kms, listed):
            kms.client.list_keys()

        def test_four(kms, listed):
            pytest.skip("not today")

        def test_five(kms, listed):
            pass
        """,
        "kms_scope = module",
        "kms_max_calls = ListKeys = 1",
    )
    assert {"passed": 3, "failed": 1, "skipped": 1} == outcomes(result)
    assert "test_three" in result.outlines[-2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"max_calls": 3}, "max_calls is a mapping of operations to numbers of calls, not 3", id="number"),
        pytest.param(
            {"max_calls": "Decrypt=1"},
            "max_calls is a mapping of operations to numbers of calls, not 'Decrypt=1'",
            id="text",
        ),
        pytest.param(
            {"max_calls": {"Decrypt": -1}},
            "max_calls: the calls of Decrypt are a number, 0 or more, not -1",
            id="negative",
        ),
        pytest.param(
            {"max_calls": {"Decrypt": True}},
            "max_calls: the calls of Decrypt are a number, 0 or more, not True",
            id="boolean",
        ),
        pytest.param(
            {"max_calls": ["Decrypt"]}, "max_calls: the calls of Decrypt are a number, 0 or more, not ''", id="a line"
        ),
        pytest.param({"max_calls": {"Dekrypt": 1}}, "KMS has no operation 'Dekrypt'. Did you mean", id="operation"),
        pytest.param({"unused_faults": False}, 'unused_faults is "error" or "ignore", not False', id="unused faults"),
        pytest.param({"unsupported": "no"}, 'unsupported is "error" or "ignore", not \'no\'', id="unsupported"),
        pytest.param(
            {"unasserted_calls": "yes"}, 'unasserted_calls is "error" or "ignore", not \'yes\'', id="unasserted"
        ),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    """When the fake is made."""
    with pytest.raises(UsageError) as excinfo, fake_kms(**settings):
        pass  # pragma: no cover  # the block is never entered
    assert str(excinfo.value).startswith(f"pytest-kms: {message}")


# calls that nobody looked at


LOOKS: dict[str, Callable[[FakeKMS], object]] = {
    "used": lambda kms: kms.assert_used("alias/orders"),
    "only used": lambda kms: kms.assert_only_used("alias/orders"),
    "only customer keys": lambda kms: kms.assert_only_customer_keys(),
    "called": lambda kms: kms.assert_called("Encrypt", times=2),
    "not more than that": lambda kms: kms.assert_called(error=None, times=2),
    "in order": lambda kms: kms.assert_called_in_order("Encrypt", "Encrypt"),
    "allowed by": lambda kms: kms.assert_allowed_by(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    ),
    "read": lambda kms: list(kms.trail),
    "a filter": lambda kms: kms.trail.filter("Encrypt"),
    "lines": lambda kms: str(kms.trail),
    "two places": lambda kms: (kms.trail[0], kms.trail.last),
}
DOES_NOT_LOOK: dict[str, Callable[[FakeKMS], object]] = {
    "nothing": lambda _: None,
    "never used": lambda kms: kms.assert_not_used("alias/archive"),
    "never called": lambda kms: kms.assert_not_called("Decrypt"),
    "never denied": lambda kms: kms.assert_denied(times=0),
    "used otherwise": lambda kms: kms.assert_used("alias/orders", encryption_context={"order": "8"}, times=0),
    "a number": lambda kms: len(kms.trail),
}


def encrypt_twice(kms: FakeKMS) -> None:
    """Encrypt, once with a retry."""
    for name in ("orders", "archive"):
        kms.create_key(name)
    kms.throttle("Encrypt")
    for _ in range(2):
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext={"order": "7"})


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_calls_that_were_looked_at_are_let_be(look: Callable[[FakeKMS], object]) -> None:
    """An assertion has counted them, or the test has read them."""
    with fake_kms(unasserted_calls="error") as kms:
        encrypt_twice(kms)
        look(kms)


@pytest.mark.parametrize("look", DOES_NOT_LOOK.values(), ids=DOES_NOT_LOOK)
def test_calls_that_nobody_looked_at_are_told(look: Callable[[FakeKMS], object]) -> None:
    """An assertion that has counted none of them has looked at none."""

    def act(kms: FakeKMS) -> None:
        encrypt_twice(kms)
        look(kms)

    assert [
        "pytest-kms: no assertion has looked at 2 calls.",
        "What happened:",
        "  1. Encrypt alias/orders {order: 7} -> ok (2 attempts, 1 throttled)",
        "  2. Encrypt alias/orders {order: 7} -> ok",
        UNSEEN_TO_DO,
    ] == verdict(act, unasserted_calls="error")


def test_calls_of_a_block_are_looked_at_if_they_are_counted() -> None:
    """Those of operations that are not named are not, nor those outside."""

    def act(kms: FakeKMS) -> None:
        with kms.expect_calls(ListKeys=1):
            kms.client.list_aliases()
            kms.client.list_keys()
        with kms.expect_calls(others=1):
            kms.client.list_aliases()

    assert "  1. ListAliases -> ok" == verdict(act, unasserted_calls="error")[2]
    assert "pytest-kms: no assertion has looked at 1 call." == verdict(act, unasserted_calls="error")[0]


def test_what_kms_does_by_itself_needs_no_look() -> None:
    """Nobody has called it."""
    with fake_kms(unasserted_calls="error") as kms:
        key = kms.create_key()
        kms.client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
        kms.clock.advance(days=8)
        kms.world.settle()
        kms.assert_called("ScheduleKeyDeletion")
        assert 2 == len(kms.trail)


@pytest.mark.parametrize("scope", ["function", "session"])
def test_each_test_looks_at_its_own_calls(scope: str, pytester: pytest.Pytester) -> None:
    """Those of another are not asked for."""
    result = run(
        pytester,
        """
        def test_one(kms):
            kms.client.list_keys()

        @pytest.mark.kms
        def test_two(kms):
            kms.client.list_aliases()
            kms.assert_called("ListAliases")

        def test_three(kms):
            pass
        """,
        "kms_unasserted_calls = error",
        f"kms_scope = {scope}",
    )
    assert {"passed": 2, "failed": 1} == outcomes(result)
    assert [
        "pytest-kms: no assertion has looked at 1 call.",
        "What happened:",
        "  1. ListKeys -> ok",
        UNSEEN_TO_DO,
    ] == told(result)


def test_a_marker_turns_it_on_and_off(pytester: pytest.Pytester) -> None:
    """For one test, whatever the ini file says."""
    result = run(
        pytester,
        """
        @pytest.mark.kms(unasserted_calls="ignore")
        def test_one(kms):
            kms.client.list_keys()
        """,
        "kms_unasserted_calls = error",
    )
    assert {"passed": 1} == outcomes(result)


# faults, refusals, and all at once


def test_all_verdicts_are_told(pytester: pytest.Pytester) -> None:
    """One after the other."""
    result = run(
        pytester,
        """
        @pytest.mark.kms(max_calls={"ListKeys": 0}, unasserted_calls="error")
        def test_it(kms):
            kms.throttle("Encrypt")
            kms.client.list_keys()
        """,
    )
    assert [
        FAULTS,
        "pytest-kms: there were more calls than max_calls allows: ListKeys once instead of never.",
        "What happened:",
        "  1. ListKeys -> ok",
        BUDGET_TO_DO,
        "pytest-kms: no assertion has looked at 1 call.",
        "What happened:",
        "  1. ListKeys -> ok",
        UNSEEN_TO_DO,
    ] == told(result)


SWALLOWING = """
from pytest_kms.operation import OPERATIONS

def swallow(kms):
    sign = OPERATIONS.pop("Sign")
    with contextlib.suppress(BaseException):
        kms.client.sign(KeyId="alias/a", Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    OPERATIONS["Sign"] = sign
"""


@pytest.mark.parametrize(
    ("name", "act"), [("unused_faults", "kms.throttle('Encrypt')"), ("unsupported", "swallow(kms)")]
)
def test_a_verdict_can_be_turned_off(name: str, act: str, pytester: pytest.Pytester) -> None:
    """By a marker, by the ini file, and again by a marker."""
    tests = f"""
{SWALLOWING}
def test_ini(kms):
    {act}

@pytest.mark.kms({name}="ignore")
def test_off(kms):
    {act}

@pytest.mark.kms({name}="error")
def test_on(kms):
    {act}

@pytest.fixture
def late(kms):
    yield
    {act}

@pytest.mark.kms({name}="ignore")
def test_late(late): ...
"""
    assert {"passed": 2, "failed": 2} == outcomes(run(pytester, tests))
    assert {"passed": 3, "failed": 1} == outcomes(run(pytester, tests, f"kms_{name} = ignore"))


def test_a_refusal_that_was_swallowed_stands_alone(pytester: pytest.Pytester) -> None:
    """Whatever else there is to say follows from it."""
    result = run(
        pytester,
        f"""
{SWALLOWING}
def test_it(kms):
    kms.throttle("Encrypt")
    swallow(kms)
""",
    )
    (line,) = told(result)
    assert line.startswith("pytest-kms: Sign is not supported by this version. What works: CancelKeyDeletion, ")
    assert line.endswith(f".{UNSUPPORTED_OFF}")


# without the fixture


def test_a_fake_without_a_fixture_has_the_same_verdicts() -> None:
    """They are raised where it ends."""
    assert [FAULTS] == verdict(lambda kms: kms.throttle("Encrypt"))
    assert [
        "pytest-kms: there were more calls than max_calls allows: ListKeys once instead of never.",
        "What happened:",
        "  1. ListKeys -> ok",
        BUDGET_TO_DO,
    ] == verdict(list_keys, max_calls={"ListKeys": 0})


@pytest.mark.usefixtures("without_generate_mac")
def test_a_refusal_that_was_swallowed_is_raised_where_the_fake_ends() -> None:
    """Only once, however often there was one."""

    def act(kms: FakeKMS) -> None:
        for _ in range(2):
            with pytest.raises(BaseException, match="GenerateMac is not supported"):  # any
                kms.client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")

    (line,) = verdict(act)
    assert line.startswith("pytest-kms: GenerateMac is not supported by this version. What works: ")
    assert line.endswith(UNSUPPORTED_OFF)


def test_verdicts_of_a_fake_without_a_fixture_can_be_turned_off() -> None:
    """With the words of the marker; a reset forgets."""
    with fake_kms(unused_faults="ignore", max_calls=None) as kms:
        kms.throttle("Encrypt")
    with fake_kms() as kms:
        kms.throttle("Encrypt")
        kms.reset()


def test_an_exception_goes_before_a_verdict() -> None:
    """It says more."""
    with pytest.raises(KeyError), fake_kms() as kms:
        kms.throttle("Encrypt")
        raise KeyError


def test_after_a_verdict_the_fake_is_gone() -> None:
    """As after any end."""
    with fake_kms() as outer:
        assert [FAULTS] == verdict(lambda kms: kms.throttle("Encrypt"))
        outer.client.list_keys()
        assert 1 == len(outer.trail)


DECORATED = """
@fake_kms()
def test_function(kms):
    kms.throttle("Encrypt")

@fake_kms(unused_faults="ignore")
def test_function_without_verdict(kms):
    kms.throttle("Encrypt")

@fake_kms()
async def coroutine(kms):
    kms.throttle("Encrypt")

def test_coroutine():
    asyncio.run(coroutine())

@fake_kms()
class TestCase(unittest.TestCase):
    def test_fault(self):
        self.kms.throttle("Encrypt")

    def test_passes(self):
        self.kms.client.list_keys()

    def test_skips(self):
        self.kms.throttle("Encrypt")
        self.skipTest("not today")

    def test_takes_what_is_left(self):
        self.kms.client.encrypt(KeyId=self.kms.create_key().id, Plaintext=b"x")
        self.kms.assert_throttled(times=0)

@fake_kms(max_calls={"ListKeys": 1})
class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def test_over(self):
        self.kms.client.list_keys()
        self.kms.client.list_keys()

    async def test_within(self):
        self.kms.client.list_keys()
"""


def test_what_is_decorated_fails_by_a_verdict(pytester: pytest.Pytester) -> None:
    """A function, a coroutine, and each test of a class for itself: failed, no error."""
    result = run(pytester, DECORATED)
    assert {"passed": 4, "failed": 4, "skipped": 1} == outcomes(result)
    assert [
        "test_coroutine",
        "test_fault",
        "test_function",
        "test_over",
    ] == sorted(line.split("::")[-1].split()[0] for line in result.outlines if line.startswith("FAILED"))


def test_unittest_counts_a_verdict_as_a_failure(pytester: pytest.Pytester) -> None:
    """Without pytest as well."""
    pytester.makepyfile(test_it=f"{HEADER}{DECORATED}")
    result = pytester.run(sys.executable, "-m", "unittest", "-q", "test_it")
    assert "FAILED (failures=2, skipped=1)" == result.errlines[-1]


def test_a_test_of_a_decorated_class_may_be_run_without_its_class() -> None:
    """Without setUpClass there is no fake, and no verdict."""
    seen = []

    @fake_kms()
    class Case(unittest.TestCase):
        def test_one(self) -> None:
            seen.append(self)

    Case("test_one").run()
    assert 1 == len(seen)


# blocks


BLOCKS: dict[str, Callable[[FakeKMS], object]] = {
    "expect_calls": lambda kms: kms.expect_calls(Decrypt=1),
    "outage": lambda kms: kms.outage(),
    "acting_as": lambda kms: kms.acting_as(kms.principal("role/app")),
}


@pytest.mark.parametrize(("name", "make"), BLOCKS.items(), ids=BLOCKS)
def test_a_block_that_was_never_entered_is_told(name: str, make: Callable[[FakeKMS], object]) -> None:
    """Whoever forgets the `with` asserts nothing, and sets up nothing."""
    called = f"kms.{name}(...)"
    assert [
        f"pytest-kms: {called} was never entered, so that nothing came of it. What to do: write `with {called}:`."
    ] == verdict(make)


def test_blocks_that_were_entered_are_forgotten() -> None:
    """However often; so are all by a reset."""
    with fake_kms() as kms:
        kms.expect_calls(Decrypt=1)
        kms.reset()
        block = kms.expect_calls(others=0)
        with block, block:
            pass
