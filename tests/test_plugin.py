"""pytest's side: fixtures, marker, options, and what the report of a failing test says."""

from __future__ import annotations

import os
import re
import textwrap

import boto3.session  # noqa: F401  # see below
import botocore.handlers
import pytest
from suites import outcomes, unused

# An inner run in this process forgets the modules that it was the first to import; let it be the first of none.
from pytest_kms import clients, engine, fake, lifespan  # noqa: F401

# The application calls GenerateMac, which these suites lack: their runs share this process's operations.
pytestmark = pytest.mark.usefixtures("without_generate_mac")

MARKER = (
    "kms(*, region=, account=, quotas=, seed=, real_backoff=, eventual_consistency=,"
    " unsupported=, unused_faults=, unasserted_calls=, max_calls=, leaks=)"
)
APPLICATION = """
import boto3

def kms_client():
    session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")
    return session.client("kms", region_name="us-east-1")

def list_keys():
    return kms_client().list_keys()

def generate_mac():
    return kms_client().generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")
"""
GENERATE_MAC = "pytest-kms: GenerateMac is not supported by this version. What works: "


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    """Take away what the developer has configured; pytester has given each test a home directory."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


def _told(result: pytest.RunResult) -> list[str]:
    """Return what the run says of its failures, line by line, with headings as `-- heading`."""
    lines = result.outlines
    headings = [re.sub(r"^[=_-]{2,} (.+?) [=_-]{2,}$", r"-- \1", line) for line in lines]
    starts = [headings.index(heading) for heading in ("-- ERRORS", "-- FAILURES") if heading in headings]
    end = headings.index("-- short test summary info")
    return [line for line in headings[min(starts) : end] if line]


def _run(pytester: pytest.Pytester, source: str, *arguments: str, **modules: str) -> pytest.RunResult:
    """Run a suite with this process's pytest. Its module `application` has functions that call KMS."""
    pytester.makepyfile(application=APPLICATION, **modules)
    pytester.makepyfile(test_it=source)
    # Hypothesis would import itself anew in each run.
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)


# the fixtures


def test_the_fixtures_give_one_fake(pytester: pytest.Pytester) -> None:
    """`kms` is a short name of `pytest_kms`; each test has a new one."""
    result = _run(
        pytester,
        """
        from application import list_keys
        from pytest_kms import FakeKMS

        def test_one(kms, pytest_kms):
            assert isinstance(kms, FakeKMS)
            assert kms is pytest_kms
            kms.create_key("orders")
            assert len(list_keys()["Keys"]) == 1

        def test_two(kms):
            assert list_keys()["Keys"] == []
            assert len(kms.trail) == 1
        """,
    )

    assert {"passed": 2} == outcomes(result)


def test_a_fixture_of_the_users_may_be_called_kms(pytester: pytest.Pytester) -> None:
    """It shadows the short name alone: the long one and the marker work on."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def kms():
            return "mine"
        """
    )
    result = _run(
        pytester,
        """
        import pytest
        from application import list_keys
        from pytest_kms import FakeKMS

        @pytest.mark.kms(seed=1)
        def test_one(kms):
            assert kms == "mine"
            assert list_keys()["Keys"] == []

        def test_two(kms, pytest_kms):
            assert kms == "mine"
            assert isinstance(pytest_kms, FakeKMS)
            assert list_keys()["Keys"] == []
        """,
    )

    assert {"passed": 2} == outcomes(result)


def test_a_fixture_of_the_users_may_build_on_kms(pytester: pytest.Pytester) -> None:
    """A user's `kms` may ask for the plugin's and add to it."""
    result = _run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def kms(kms):
            kms.create_key("orders")
            return kms

        def test_one(kms):
            kms.client.describe_key(KeyId="alias/orders")
        """,
    )

    assert {"passed": 1} == outcomes(result)


def test_usefixtures_brings_the_fake(pytester: pytest.Pytester) -> None:
    """On a function, on a class, and for a whole module."""
    result = _run(
        pytester,
        """
        import pytest
        from application import list_keys

        @pytest.mark.usefixtures("kms")
        def test_function():
            list_keys()

        @pytest.mark.usefixtures("kms")
        class TestVault:
            def test_method(self):
                list_keys()
        """,
        test_module="""
        import pytest
        from application import list_keys

        pytestmark = pytest.mark.usefixtures("pytest_kms")

        def test_function():
            list_keys()
        """,
    )

    assert {"passed": 3} == outcomes(result)


def test_unittest_classes_have_the_fake_by_usefixtures(pytester: pytest.Pytester) -> None:
    """usefixtures and the marker both work on unittest.TestCase; verdicts and report are the same."""
    result = _run(
        pytester,
        """
        import unittest

        import pytest
        from application import generate_mac, list_keys

        @pytest.mark.usefixtures("kms")
        class TestUsefixtures(unittest.TestCase):
            def test_passes(self):
                self.assertEqual(list_keys()["Keys"], [])

            def test_swallows(self):
                try:
                    generate_mac()
                except BaseException:
                    pass

        @pytest.mark.kms(region="eu-west-1")
        class TestMarker(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def give(self, pytest_kms):
                self.kms = pytest_kms

            def setUp(self):
                self.key = self.kms.create_key("orders")

            def test_fails(self):
                list_keys()
                self.assertEqual(self.key.region, "eu-west-2")
        """,
    )

    assert {"passed": 1, "failed": 2} == outcomes(result)
    told = _told(result)
    assert told[1] == "-- TestUsefixtures.test_swallows"
    assert told[2].startswith(GENERATE_MAC)
    assert ["-- kms", "1. GenerateMac alias/orders -> NotSupported"] == told[3:5]
    assert ["-- kms", "1. ListKeys in us-east-1 -> ok"] == told[-2:]


def test_parametrised_and_repeated_tests_have_new_fakes(pytester: pytest.Pytester) -> None:
    """Each parameter is a test of its own."""
    result = _run(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("name", ["orders", "orders"])
        def test_one(name, kms):
            kms.create_key(name)
        """,
    )

    assert {"passed": 2} == outcomes(result)


# the marker


def test_the_marker_alone_brings_the_fake(pytester: pytest.Pytester) -> None:
    """A test that is marked needs neither an argument nor usefixtures; `--strict-markers` knows the marker."""
    result = _run(
        pytester,
        """
        import pytest
        from application import list_keys

        @pytest.mark.kms
        def test_bare():
            assert list_keys()["Keys"] == []

        @pytest.mark.kms(quotas={"ListKeys": 1})
        def test_with_arguments(kms):
            kms.clock.freeze()
            list_keys()
            list_keys()
            kms.assert_throttled("ListKeys")
        """,
        "--strict-markers",
    )

    assert {"passed": 2} == outcomes(result)


def test_the_marker_sets_up_the_fake(pytester: pytest.Pytester) -> None:
    """Each of its arguments is one of FakeKMS."""
    result = _run(
        pytester,
        """
        import pytest

        ids = []

        @pytest.mark.parametrize("again", [False, True])
        @pytest.mark.kms(region="eu-west-1", account="111122223333", quotas=False, seed=7, real_backoff=True)
        def test_all(kms, again):
            key = kms.create_key()
            ids.append(key.id)
            assert key.arn == f"arn:aws:kms:eu-west-1:111122223333:key/{key.id}"
            assert kms.client.meta.region_name == "eu-west-1"
            assert not kms.quotas.enforced
            assert kms.real_backoff
            assert len(set(ids)) == 1
        """,
    )

    assert {"passed": 2} == outcomes(result)


def test_the_closest_marker_wins(pytester: pytest.Pytester) -> None:
    """Function before class before module before ini file, argument by argument."""
    pytester.makeini("[pytest]\nkms_region = us-west-1\nkms_account = 111122223333\nkms_seed = 1\n")
    result = _run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.kms(region="eu-west-1", account="222222222222")

        def place(kms):
            key = kms.create_key()
            return key.region, key.account

        def test_module(kms):
            assert place(kms) == ("eu-west-1", "222222222222")

        @pytest.mark.kms(region="eu-west-3")
        class TestClass:
            def test_class(self, kms):
                assert place(kms) == ("eu-west-3", "222222222222")

            @pytest.mark.kms(account="333333333333")
            def test_function(self, kms):
                assert place(kms) == ("eu-west-3", "333333333333")

            @pytest.mark.kms(region="eu-north-1")
            @pytest.mark.kms(region="eu-south-1")
            def test_twice(self, kms):
                assert place(kms) == ("eu-south-1", "222222222222")
        """,
        test_other="""
        def test_ini(kms):
            key = kms.create_key()
            assert (key.region, key.account) == ("us-west-1", "111122223333")
        """,
    )

    assert {"passed": 5} == outcomes(result)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("regoin='eu-west-1'", f"the marker takes no 'regoin'; it is {MARKER}", id="unknown name"),
        pytest.param("a=1, b=2, seed=3", f"the marker takes no 'a' or 'b'; it is {MARKER}", id="unknown names"),
        pytest.param("origin='x'", f"the marker takes no 'origin'; it is {MARKER}", id="internal name"),
        pytest.param("1", f"the marker takes keyword arguments only; it is {MARKER}", id="positional"),
        pytest.param("account='12'", "an account has 12 digits, '12' has not", id="bad value"),
    ],
)
def test_wrong_arguments_of_the_marker_are_told(arguments: str, message: str, pytester: pytest.Pytester) -> None:
    """A mistake in a marker is an error of its test, without a traceback, and says what the marker takes."""
    result = _run(
        pytester,
        f"""
        import pytest

        @pytest.mark.kms({arguments})
        def test_wrong(): ...

        def test_right(kms): ...
        """,
    )

    assert {"passed": 1, "errors": 1} == outcomes(result)
    assert ["-- ERRORS", "-- ERROR at setup of test_wrong", f"pytest-kms: {message}"] == _told(result)


@pytest.mark.usefixtures("no_network")
def test_a_marked_parameter_brings_the_fake_for_itself_alone(pytester: pytest.Pytester) -> None:
    """A mark on one parameter says nothing of the others."""
    pytester.makeini("[pytest]\nkms_guard = true\n")
    result = _run(
        pytester,
        """
        import pytest
        from application import list_keys

        @pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.kms), 2])
        def test_one(number):
            list_keys()
        """,
    )

    assert {"passed": 1, "failed": 1} == outcomes(result)


# options


@pytest.mark.parametrize(
    ("line", "check"),
    [
        pytest.param("kms_region = eu-west-1", "kms.create_key().region == 'eu-west-1'", id="region"),
        pytest.param("kms_account = 111122223333", "kms.create_key().account == '111122223333'", id="account"),
        pytest.param("kms_quotas = false", "not kms.quotas.enforced", id="quotas off"),
        pytest.param("kms_quotas = true", "kms.quotas.enforced", id="quotas on"),
        pytest.param("kms_real_backoff = true", "kms.real_backoff", id="real backoff"),
        pytest.param("kms_real_backoff = false", "not kms.real_backoff", id="no real backoff"),
        pytest.param("kms_seed = 7", "kms.create_key().id == {seeded!r}", id="seed"),
        pytest.param("", "kms.create_key().region == 'us-east-1' and kms.quotas.enforced", id="nothing"),
        pytest.param("kms_region =", "kms.create_key().account == '123456789012'", id="empty"),
    ],
)
def test_an_option_sets_up_every_fake(line: str, check: str, pytester: pytest.Pytester) -> None:
    """The ini options have the names of the marker's arguments, and are read as what they are."""
    with lifespan.fake_kms(seed="7") as kms:
        check = check.format(seeded=kms.create_key().id)
    pytester.makeini(f"[pytest]\n{line}\n")
    result = _run(pytester, f"def test_one(kms):\n    assert {check}\n", "--strict-config")

    assert {"passed": 1} == outcomes(result)


def test_a_marker_and_an_option_have_the_same_seed(pytester: pytest.Pytester) -> None:
    """`seed=7` in a marker makes the same ids as `kms_seed = 7` in the ini file."""
    pytester.makeini("[pytest]\nkms_seed = 7\n")
    result = _run(
        pytester,
        """
        import pytest

        ids = set()

        def test_option(kms):
            ids.add(kms.create_key().id)

        @pytest.mark.kms(seed=7)
        def test_marker(kms):
            ids.add(kms.create_key().id)
            assert len(ids) == 1
        """,
    )

    assert {"passed": 2} == outcomes(result)


def test_real_backoff_really_sleeps(pytester: pytest.Pytester) -> None:
    """With `kms_real_backoff` botocore's waits are time.sleep's again."""
    pytester.makeini("[pytest]\nkms_real_backoff = true\n")
    result = _run(
        pytester,
        """
        import time

        from application import list_keys

        def test_one(kms, monkeypatch):
            slept = []
            monkeypatch.setattr(time, "sleep", slept.append)
            kms.throttle("ListKeys", times=2)
            list_keys()
            assert len(slept) == 2
        """,
    )

    assert {"passed": 1} == outcomes(result)


def test_a_wrong_account_in_the_ini_file_is_told(pytester: pytest.Pytester) -> None:
    """A mistake in an option is an error of the tests that use the fixture, without a traceback."""
    pytester.makeini("[pytest]\nkms_account = 12\n")
    result = _run(pytester, "def test_one(kms): ...")

    assert {"errors": 1} == outcomes(result)
    assert [
        "-- ERRORS",
        "-- ERROR at setup of test_one",
        "pytest-kms: an account has 12 digits, '12' has not",
    ] == _told(result)


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 was the first to read options as TOML's own types")
def test_native_toml_options_are_read(pytester: pytest.Pytester) -> None:
    """pyproject.toml may hold them as TOML values."""
    pytester.makefile(
        ".toml",
        pyproject='[tool.pytest]\nkms_region = "eu-west-1"\nkms_quotas = false\nkms_account = "111122223333"\n',
    )
    result = _run(
        pytester,
        """
        def test_one(kms):
            key = kms.create_key()
            assert (key.region, key.account) == ("eu-west-1", "111122223333")
            assert not kms.quotas.enforced
        """,
    )

    assert {"passed": 1} == outcomes(result)


SCOPED = """
import pytest
from application import list_keys

seen = []

class TestOne:
    def test_one(self, kms):
        seen.append(kms)
        kms.create_key("orders")

    def test_two(self, kms):
        seen.append(kms)

def test_three(kms):
    seen.append(kms)
    assert len(list_keys()["Keys"]) == (1 if kms is seen[0] else 0)

def test_four(kms):
    seen.append(kms)
    print("fakes:", len(set(map(id, seen))))
"""


def test_the_region_of_the_ini_file_is_lent_to_modules(pytester: pytest.Pytester) -> None:
    """A client that is made when its module is imported is where the keys will be; the Region is taken back."""
    pytester.makeini("[pytest]\nkms_region = eu-west-1\n")
    result = _run(
        pytester,
        """
        import depot

        def test_one(kms):
            kms.create_key("orders")
            depot.client.encrypt(KeyId="alias/orders", Plaintext=b"7")
            kms.assert_used("alias/orders", "Encrypt")
            assert depot.client.meta.region_name == "eu-west-1"
        """,
        depot="""
        import boto3

        client = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example").client("kms")
        """,
    )

    assert {"passed": 1} == outcomes(result)
    assert "AWS_DEFAULT_REGION" not in os.environ


@pytest.mark.parametrize(
    ("scope", "fakes"), [("function", 4), ("class", 3), ("module", 1), ("package", 1), ("session", 1)]
)
def test_a_fake_lives_as_long_as_its_scope(scope: str, fakes: int, pytester: pytest.Pytester) -> None:
    """`kms_scope` is one of pytest's scopes, for both fixtures."""
    pytester.makeini(f"[pytest]\nkms_scope = {scope}\n")
    result = _run(pytester, SCOPED, "-s")

    assert {"passed": 4} == outcomes(result)
    assert [f"fakes: {fakes}"] == re.findall(r"fakes: \d", result.stdout.str())


def test_nothing_keeps_a_fake_whose_test_is_over(pytester: pytest.Pytester) -> None:
    """A long suite does not fill the memory; the previous test is remembered until the next has begun."""
    result = _run(
        pytester,
        """
        import gc
        import weakref
        import pytest

        fakes = []

        @pytest.fixture(autouse=True)
        def noted(kms):
            fakes.append(weakref.ref(kms.world))
            kms.client.create_key()
            yield
            kms.client.list_keys()

        def test_one(kms): ...

        @pytest.mark.parametrize("number", range(3))
        def test_more(kms, number):
            kms.assert_called("CreateKey")

        @pytest.mark.kms(leaks="error", unasserted_calls="error")
        def test_strict(kms):
            kms.assert_called("CreateKey")

        def test_none():
            gc.collect()
            print("alive:", sum(fake() is not None for fake in fakes[:-2]), "of", len(fakes[:-2]))
        """,
        "-s",
    )

    assert {"passed": 6} == outcomes(result)
    assert ["alive: 0 of 4"] == re.findall(r"alive: .*", result.stdout.str())


def test_a_session_wide_fixture_may_use_a_session_wide_fake(pytester: pytest.Pytester) -> None:
    """A wider scope needs nothing of a narrower one."""
    pytester.makeini("[pytest]\nkms_scope = session\n")
    result = _run(
        pytester,
        """
        import pytest

        @pytest.fixture(scope="session")
        def key(kms):
            return kms.create_key("orders")

        def test_one(key, kms):
            kms.client.describe_key(KeyId=key.id)

        def test_two(key, kms):
            kms.assert_called("DescribeKey", key=key, times=1)
        """,
    )

    assert {"passed": 2} == outcomes(result)


@pytest.mark.parametrize("arguments", ["region='eu-west-1'", "regoin='eu-west-1'", "'eu-west-1'"])
def test_a_marker_with_arguments_inside_a_wider_scope_is_refused(arguments: str, pytester: pytest.Pytester) -> None:
    """A fake that lives longer than a test cannot be set up by it, and says so."""
    pytester.makeini("[pytest]\nkms_scope = module\n")
    result = _run(
        pytester,
        f"""
        import pytest

        def test_one(kms): ...

        @pytest.mark.kms
        def test_two(): ...

        @pytest.mark.kms({arguments})
        def test_three(kms): ...
        """,
    )

    assert {"passed": 2, "errors": 1} == outcomes(result)
    assert [
        "-- ERRORS",
        "-- ERROR at setup of test_three",
        "pytest-kms: the marker on test_three comes too late: by kms_scope a fake lives for a module."
        " Put it on what lives as long, or use fake_kms() within the test.",
    ] == _told(result)


@pytest.mark.parametrize("name", ["kms_quotas", "kms_real_backoff", "kms_guard", "kms_junit"])
def test_a_switch_that_is_neither_is_told(name: str, pytester: pytest.Pytester) -> None:
    """By the name of the option, and once."""
    pytester.makeini(f"[pytest]\n{name} = maybe\n")
    result = _run(pytester, "def test_one(kms): ...")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    [line] = [line for line in result.errlines if line]
    assert line.startswith(f"ERROR: pytest-kms: {name} is true or false: ")


def test_a_wrong_scope_is_told(pytester: pytest.Pytester) -> None:
    """A scope that pytest does not have ends the run at once."""
    pytester.makeini("[pytest]\nkms_scope = test\n")
    result = _run(pytester, "def test_one(): ...")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert ["ERROR: pytest-kms: kms_scope is one of function, class, module, package, session"] == [
        line for line in result.errlines if line
    ]


# pytest's own help


def test_help_lists_the_options(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option says what it is, and what holds without it."""
    monkeypatch.setenv("COLUMNS", "200")
    result = pytester.runpytest_inprocess("--help")

    assert [
        "kms_region (string): pytest-kms: the Region where keys are made by default",
        "kms_account (string): pytest-kms: the account of the default principal, 12 digits",
        "kms_quotas (bool): pytest-kms: enforce AWS's request quotas (default: true)",
        "kms_seed (string): pytest-kms: makes ids, key material and random bytes repeat",
        "kms_real_backoff (bool): pytest-kms: let botocore's retries sleep (default: false)",
        "kms_eventual_consistency (string): pytest-kms: seconds of the fake's time until what calls change becomes"
        " visible (default: 0)",
        "kms_unsupported (string): pytest-kms: fail a test whose code swallows a refusal of what is not supported:"
        " error or ignore (default: error)",
        "kms_unused_faults (string): pytest-kms: fail a test that ordered failures which never came: error or ignore"
        " (default: error)",
        "kms_unasserted_calls (string): pytest-kms: fail a test with calls that no assertion looked at: error or ignore"
        " (default: ignore)",
        "kms_max_calls (linelist): pytest-kms: how often a test may call operations, one a line: Decrypt = 1",
        "kms_leaks (string): pytest-kms: what a plaintext or data key in output, logs, files or other requests is:"
        " error, ignore (default: ignore)",
        "kms_guard (bool): pytest-kms: fail a test that calls KMS without the fixture (default: false)",
        "kms_scope (string): pytest-kms: how long a fake lives: function, class, module, package, session"
        " (default: function)",
        "kms_junit (bool): pytest-kms: give the tests in a JUnit file properties about their KMS calls"
        " (default: false)",
    ] == re.findall(
        r"kms_\w+ \([a-z]+\):.*", re.sub(r" *\n? {2,}", " ", result.stdout.str()).replace(" kms_", "\nkms_")
    )


def test_markers_lists_the_marker(pytester: pytest.Pytester) -> None:
    """`--markers` shows its signature and explains each argument."""
    result = pytester.runpytest_inprocess("--markers")
    (line,) = [line for line in result.outlines if line.startswith("@pytest.mark.kms")]

    assert line.startswith(f"@pytest.mark.{MARKER}: ")
    for name in re.findall(r"(\w+)=", MARKER):
        assert f" {name}: " in line.partition("): ")[2]


def test_fixtures_lists_the_fixtures(pytester: pytest.Pytester) -> None:
    """`--fixtures` shows both names, with the sentence that a newcomer needs."""
    result = pytester.runpytest_inprocess("--fixtures", "-v")
    lines = result.outlines
    shown = {
        line.partition(" ")[0]: lines[number + 1].strip()
        for number, line in enumerate(lines)
        if re.match("(pytest_)?kms( |$)", line)
    }

    sentence = "Answer every KMS call of this process with a fake AWS KMS, new for each test"
    assert {"kms", "pytest_kms"} == set(shown)
    assert f"{sentence}." == shown["kms"]
    assert shown["pytest_kms"].startswith(f"{sentence}; `kms` ")
    result.stdout.fnmatch_lines(['*kms.create_key(alias="alias/orders")*', "*kms.assert_used(*"])


# the report of a failing test


def test_the_section_of_a_failing_test(pytester: pytest.Pytester) -> None:
    """Line by line: calls in order, errors with AWS's sentence, the reason of an empty one, and no secrets."""
    result = _run(
        pytester,
        """
        import pytest
        from application import kms_client
        from botocore.exceptions import ClientError

        def test_one(kms):
            client = kms_client()
            key = kms.create_key("orders")
            sealed = kms.encrypt(key, b"top secret", {"order": "7"})
            client.encrypt(KeyId="alias/orders", Plaintext=b"top secret", EncryptionContext={"order": "7"})
            with pytest.raises(ClientError):
                client.decrypt(CiphertextBlob=b"nonsense")
            with pytest.raises(ClientError):
                client.decrypt(CiphertextBlob=sealed, EncryptionContext={"order": "8"})
            with pytest.raises(ClientError):
                client.describe_key(KeyId="alias/none")
            kms.throttle("ListKeys")
            client.list_keys()
            pytest.fail("for a reason", pytrace=False)
        """,
    )
    told = _told(result)

    assert {"failed": 1} == outcomes(result)
    assert ["-- FAILURES", "-- test_one", "for a reason", "-- kms"] == told[:4]
    assert [
        "1. Encrypt alias/orders {order: 7} -> ok",
        "2. Decrypt -> InvalidCiphertextException",
        "     why: the 8 bytes are no ciphertext of KMS",
        "3. Decrypt alias/orders {order: 8} -> InvalidCiphertextException",
    ] == told[4:8]
    assert re.fullmatch("     why: .*context.*", told[8])
    assert [
        "4. DescribeKey alias/none -> NotFoundException"
        "   <-- the last call that failed; its error is not what the test ended with",
        "     Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
        "5. ListKeys -> ok (2 attempts, 1 throttled)",
    ] == [line for line in told[9:] if "why: " not in line]
    assert "top secret" not in "\n".join(told)


def test_a_failing_test_without_calls_says_so(pytester: pytest.Pytester) -> None:
    """Nothing called is a finding too."""
    result = _run(pytester, "import pytest\ndef test_one(kms):\n    pytest.fail('for a reason', pytrace=False)\n")

    assert ["-- FAILURES", "-- test_one", "for a reason", "-- kms", "Nothing called KMS."] == _told(result)


def test_a_test_that_passes_or_has_no_fake_shows_nothing(pytester: pytest.Pytester) -> None:
    """The section is for failures of tests that use the fixture, also with `-rA`."""
    result = _run(
        pytester,
        """
        import pytest
        from application import list_keys

        def test_passes(kms):
            list_keys()

        @pytest.mark.xfail
        def test_fails_as_expected(kms):
            list_keys()
            pytest.fail("for a reason", pytrace=False)

        def test_fails_without():
            pytest.fail("for a reason", pytrace=False)
        """,
        "-rA",
    )

    assert {"passed": 1, "failed": 1, "xfailed": 1} == outcomes(result)
    assert "ListKeys" not in result.stdout.str()
    assert "- kms -" not in result.stdout.str()


def test_the_section_may_be_hidden(pytester: pytest.Pytester) -> None:
    """`--show-capture=no` hides it, like other sections."""
    result = _run(pytester, "def test_one(kms):\n    assert 0\n", "--show-capture=no")

    assert {"failed": 1} == outcomes(result)
    assert "Nothing called KMS." not in result.stdout.str()


# verdicts

SWALLOWED = {
    "except BaseException": """
        try:
            generate_mac()
        except BaseException:
            pass
        """,
    "in a thread": """
        def work():
            try:
                generate_mac()
            except BaseException:
                pass

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
    "in a pool": """
        with ThreadPoolExecutor() as pool:
            pool.submit(generate_mac)
        """,
    "suppressed": """
        with contextlib.suppress(BaseException):
            generate_mac()
        """,
}
HEADER = """
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from application import generate_mac, list_keys
"""


def _test_of(body: str, arguments: str = "kms") -> str:
    return f"{HEADER}\ndef test_one({arguments}):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in SWALLOWED.items()])
def test_a_refusal_that_was_swallowed_fails_the_test(body: str, pytester: pytest.Pytester) -> None:
    """What is not supported fails the test in its own phase, whatever the application does with the exception."""
    result = _run(pytester, _test_of(body))
    told = _told(result)

    assert {"failed": 1} == outcomes(result)
    assert ["-- FAILURES", "-- test_one"] == told[:2]
    assert told[2].startswith(GENERATE_MAC)
    assert ["-- kms", "1. GenerateMac alias/orders -> NotSupported"] == told[3:]


def test_a_refusal_is_told_where_it_happens(pytester: pytest.Pytester) -> None:
    """One that is not swallowed ends the test with its own traceback, once."""
    result = _run(pytester, _test_of("try:\n    generate_mac()\nexcept Exception:\n    pass"))
    told = _told(result)

    assert {"failed": 1} == outcomes(result)
    assert 1 == sum(line.startswith(f"E       pytest_kms.errors.NotSupported: {GENERATE_MAC}") for line in told)
    assert ["-- kms", "1. GenerateMac alias/orders -> NotSupported"] == told[-2:]


def test_a_test_that_fails_anyway_keeps_its_own_reason(pytester: pytest.Pytester) -> None:
    """A verdict does not hide what the test itself says."""
    result = _run(
        pytester,
        _test_of(SWALLOWED["suppressed"].replace("\n        ", "\n") + "\npytest.fail('for a reason', pytrace=False)"),
    )

    assert {"failed": 1} == outcomes(result)
    assert ["-- FAILURES", "-- test_one", "for a reason", "-- kms"] == _told(result)[:4]


def test_a_skipped_test_stays_skipped(pytester: pytest.Pytester) -> None:
    """Neither ordered faults nor refusals make a failure of a skip."""
    result = _run(pytester, _test_of("kms.throttle('ListKeys')\npytest.skip('not today')"))

    assert {"skipped": 1} == outcomes(result)


def test_faults_that_were_never_used_fail_the_test(pytester: pytest.Pytester) -> None:
    """A test that orders a failure and never meets it tests nothing: it fails in its own phase, and says which."""
    result = _run(
        pytester,
        _test_of("kms.throttle('Encrypt', times=3)\nkms.throttle(times=2)\nlist_keys()\n"),
    )

    assert {"failed": 1} == outcomes(result)
    assert [
        "-- FAILURES",
        "-- test_one",
        unused("ThrottlingException for Encrypt, 3"),
        "-- kms",
        "1. ListKeys -> ok (3 attempts, 2 throttled)",
    ] == _told(result)


def test_each_unused_fault_is_named(pytester: pytest.Pytester) -> None:
    """All that is left is told in one message."""
    result = _run(pytester, _test_of("kms.throttle('Encrypt')\nkms.throttle(times=2)\n"))

    left = "ThrottlingException for Encrypt, 1 of them left; ThrottlingException for any operation, 2"
    assert unused(left) == _told(result)[2]


def test_a_reset_forgets_faults_and_refusals(pytester: pytest.Pytester) -> None:
    """Who says `kms.reset()` means it."""
    result = _run(
        pytester,
        _test_of("kms.throttle('Encrypt')\nwith pytest.raises(BaseException):\n    generate_mac()\nkms.reset()"),
    )

    assert {"passed": 1} == outcomes(result)


@pytest.mark.parametrize("body", ["kms.throttle('Encrypt')", SWALLOWED["suppressed"]], ids=["fault", "refusal"])
def test_in_a_wider_scope_a_verdict_is_of_one_test(body: str, pytester: pytest.Pytester) -> None:
    """What one test has left behind fails that test, and not those after it."""
    pytester.makeini("[pytest]\nkms_scope = session\n")
    result = _run(pytester, _test_of(body) + "\ndef test_two(kms):\n    list_keys()\n")

    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert "-- test_one" == _told(result)[1]


@pytest.mark.parametrize("body", ["kms.throttle('Encrypt')", SWALLOWED["suppressed"]], ids=["fault", "refusal"])
def test_in_a_wider_scope_a_test_that_failed_leaves_nothing(body: str, pytester: pytest.Pytester) -> None:
    """Also where the test had a reason of its own to fail."""
    pytester.makeini("[pytest]\nkms_scope = session\n")
    failing = textwrap.dedent(body) + "\npytest.fail('for a reason', pytrace=False)"
    result = _run(pytester, _test_of(failing) + "\ndef test_two(kms):\n    list_keys()\n")

    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert ["-- test_one", "for a reason"] == _told(result)[1:3]


REFUSED_FIXTURE = {
    "setup": "with contextlib.suppress(Exception): generate_mac()\n    yield",
    "teardown": "yield\n    with contextlib.suppress(Exception): generate_mac()",
}


@pytest.mark.parametrize("scope", ["function", "session"])
@pytest.mark.parametrize("phase", REFUSED_FIXTURE)
def test_a_refusal_in_a_fixture_is_of_its_own_test(phase: str, scope: str, pytester: pytest.Pytester) -> None:
    """It is an error of the test whose fixture it was; the test after it passes, with the same fake too."""
    pytester.makeini(f"[pytest]\nkms_scope = {scope}\n")
    source = f"{HEADER}\n@pytest.fixture\ndef vault(kms):\n    {REFUSED_FIXTURE[phase]}\n"
    result = _run(pytester, f"{source}\ndef test_one(vault): ...\n\ndef test_two(kms): ...\n")

    expected = {"setup": {"passed": 1, "errors": 1}, "teardown": {"passed": 2, "errors": 1}}
    assert expected[phase] == outcomes(result)
    assert f"-- ERROR at {phase} of test_one" == _told(result)[1]


@pytest.mark.parametrize("guard", [False, True], ids=["refusal", "stray"])
def test_a_teardown_that_is_refused_goes_on(guard: bool, pytester: pytest.Pytester) -> None:  # noqa: FBT001
    """The fixtures that are still to be torn down are, the fake among them: the next test has a new one."""
    pytester.makeini("[pytest]\nkms_guard = true\n")
    result = _run(
        pytester,
        f"""{HEADER}
torn_down = []

@pytest.fixture
def other():
    yield
    torn_down.append("other")

@pytest.fixture
def first({"" if guard else "kms"}):
    yield
    {"list_keys" if guard else "generate_mac"}()

@pytest.fixture
def second(kms):
    kms.create_key("orders")
    yield

def test_one(other, first, second): ...

def test_two(kms):
    assert list_keys()["Keys"] == []
    assert torn_down == ["other"]
""",
    )

    assert {"passed": 2, "errors": 1} == outcomes(result)
    assert "-- ERROR at teardown of test_one" == _told(result)[1]


@pytest.mark.parametrize("scope", ["function", "session"])
@pytest.mark.parametrize("phase", REFUSED_FIXTURE)
def test_a_refusal_that_a_fixture_swallows_is_of_its_own_test(
    phase: str, scope: str, pytester: pytest.Pytester
) -> None:
    """The test whose fixture it was does not get away with it; the test after it does not pay for it."""
    pytester.makeini(f"[pytest]\nkms_scope = {scope}\n")
    call = REFUSED_FIXTURE[phase].replace("Exception", "BaseException")
    source = f"{HEADER}\n@pytest.fixture\ndef vault(kms):\n    {call}\n"
    result = _run(pytester, f"{source}\ndef test_one(vault): ...\n\ndef test_two(kms): ...\n")

    expected = {"setup": {"passed": 1, "failed": 1}, "teardown": {"passed": 2, "errors": 1}}
    assert expected[phase] == outcomes(result)
    assert 1 == sum(line.startswith(GENERATE_MAC) for line in _told(result))


# the guard


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call that no guard has stopped end at once: nobody listens there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def _guarded(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nkms_guard = true\n")
    return _run(pytester, source, *arguments)


def _stray(pytester: pytest.Pytester, operation: str, line: int, function: str) -> str:
    return (
        f"pytest-kms: KMS was called while no fake was active: {operation}, from"
        f" {pytester.path / 'application.py'}:{line} in {function}."
        " Ask for the fixture: add `kms` to the test's arguments, or @pytest.mark.usefixtures('kms')."
        " To let such calls through, remove kms_guard from the configuration."
    )


LIST_KEYS_LINE = 1 + next(
    number for number, line in enumerate(APPLICATION.strip().splitlines()) if "list_keys()" in line and "return" in line
)


@pytest.mark.parametrize(
    "body",
    [pytest.param(body.replace("generate_mac", "list_keys"), id=name) for name, body in SWALLOWED.items()],
)
@pytest.mark.usefixtures("no_network")
def test_the_guard_fails_a_test_that_calls_kms_without_a_fake(body: str, pytester: pytest.Pytester) -> None:
    """The message names the operation, the place and the remedy, whatever the application swallows."""
    result = _guarded(pytester, _test_of(body, arguments=""))

    assert {"failed": 1} == outcomes(result)
    assert ["-- FAILURES", "-- test_one", _stray(pytester, "ListKeys", LIST_KEYS_LINE, "list_keys")] == _told(result)


@pytest.mark.usefixtures("no_network")
def test_the_guard_raises_what_no_application_expects(pytester: pytest.Pytester) -> None:
    """`except Exception` does not swallow it; the traceback leads to the call."""
    result = _guarded(pytester, _test_of("try:\n    list_keys()\nexcept Exception:\n    pass", arguments=""))

    assert {"failed": 1} == outcomes(result)
    expected = f"E       pytest_kms.errors.OutsideFixture: {_stray(pytester, 'ListKeys', LIST_KEYS_LINE, 'list_keys')}"
    assert 1 == _told(result).count(expected)


@pytest.mark.usefixtures("no_network")
def test_the_guard_lets_tests_with_a_fake_be(pytester: pytest.Pytester) -> None:
    """Fixture, marker and `fake_kms` are all right, and one stray does not fail the tests after it."""
    result = _guarded(
        pytester,
        HEADER
        + """
from pytest_kms import fake_kms

def test_stray():
    list_keys()

def test_fixture(kms):
    list_keys()

@pytest.mark.kms
def test_marker():
    list_keys()

def test_with():
    with fake_kms():
        list_keys()

@fake_kms()
def test_decorated():
    list_keys()

def test_none(): ...
""",
    )

    assert {"passed": 5, "failed": 1} == outcomes(result)


@pytest.mark.usefixtures("no_network")
def test_the_guard_speaks_before_credentials_are_missed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without credentials too the message is the guard's: an application may swallow botocore's."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    result = _guarded(
        pytester,
        """
        import boto3

        def test_one():
            client = boto3.Session().client("kms", region_name="us-east-1")
            try:
                client.list_keys()
            except Exception:
                pass
        """,
    )

    assert {"failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*pytest-kms: KMS was called while no fake was active: ListKeys, from *"])


STRAY_FIXTURE = {
    "setup": "list_keys()\n    yield",
    "teardown": "yield\n    list_keys()",
}


@pytest.mark.parametrize("phase", STRAY_FIXTURE)
@pytest.mark.usefixtures("no_network")
def test_a_stray_call_of_a_fixture_is_of_its_own_test(phase: str, pytester: pytest.Pytester) -> None:
    """It is an error of the test whose fixture it was; the test after it passes."""
    source = f"{HEADER}\n@pytest.fixture\ndef vault():\n    {STRAY_FIXTURE[phase]}\n"
    result = _guarded(pytester, f"{source}\ndef test_one(vault): ...\n\ndef test_two(): ...\n")

    expected = {"setup": {"passed": 1, "errors": 1}, "teardown": {"passed": 2, "errors": 1}}
    assert expected[phase] == outcomes(result)
    assert f"-- ERROR at {phase} of test_one" == _told(result)[1]


@pytest.mark.parametrize("phase", STRAY_FIXTURE)
@pytest.mark.usefixtures("no_network")
def test_a_stray_call_that_a_fixture_swallows_is_of_its_own_test(phase: str, pytester: pytest.Pytester) -> None:
    """The test whose fixture it was does not get away with it; the test after it does not pay for it."""
    call = STRAY_FIXTURE[phase].replace("list_keys()", "with contextlib.suppress(BaseException): list_keys()")
    source = f"{HEADER}\n@pytest.fixture\ndef vault():\n    {call}\n"
    result = _guarded(pytester, f"{source}\ndef test_one(vault): ...\n\ndef test_two(): ...\n")

    expected = {"setup": {"passed": 1, "failed": 1}, "teardown": {"passed": 2, "errors": 1}}
    assert expected[phase] == outcomes(result)
    assert _stray(pytester, "ListKeys", LIST_KEYS_LINE, "list_keys") in _told(result)


@pytest.mark.usefixtures("no_network")
def test_a_stray_call_of_an_import_is_of_no_test(pytester: pytest.Pytester) -> None:
    """A module that calls KMS when it is imported cannot be collected; the tests of other modules pass."""
    pytester.makepyfile(test_stray="from application import list_keys\nlist_keys()\n")
    result = _guarded(pytester, "def test_one(): ...\n", "--continue-on-collection-errors")

    assert {"passed": 1, "errors": 1} == outcomes(result)
    assert "-- ERROR collecting test_stray.py" == _told(result)[1]


def test_without_the_guard_a_call_passes_through(pytester: pytest.Pytester) -> None:
    """By default the plugin is no matter to a test that does not use it."""
    result = _run(
        pytester,
        """
        from application import kms_client
        from botocore.awsrequest import AWSResponse

        def test_one():
            def answer(request, **_):
                response = AWSResponse(request.url, 200, {}, None)
                response._content = b'{"Keys": [{"KeyId": "theirs"}]}'
                return response

            client = kms_client()
            client.meta.events.register("before-send.kms", answer)
            assert client.list_keys()["Keys"] == [{"KeyId": "theirs"}]
        """,
    )

    assert {"passed": 1} == outcomes(result)


@pytest.mark.usefixtures("no_network")
def test_the_guard_of_an_outer_run_survives_an_inner_one(pytester: pytest.Pytester) -> None:
    """A suite that tests plugins with pytester in its own process stays guarded."""
    pytester.makeini("[pytest]\nkms_guard = true\n")
    pytester.makepyfile(application=APPLICATION)
    pytester.makepyfile(
        test_outer="""
        import pytest
        from application import list_keys

        pytest_plugins = ["pytester"]

        def test_inner(pytester):
            pytester.makepyfile("def test_one(kms): kms.client.list_keys()")
            pytester.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(passed=1)

        def test_stray():
            with pytest.raises(BaseException, match="KMS was called while no fake was active"):
                list_keys()
            pytest.fail("for a reason", pytrace=False)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert ["-- FAILURES", "-- test_stray", "for a reason"] == _told(result)


@pytest.mark.usefixtures("no_network")
def test_the_guard_works_where_a_conftest_loads_the_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without entry points a conftest may name the plugin, after all others were loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nkms_guard = true\n")
    pytester.makeconftest("pytest_plugins = ['pytest_kms.plugin']\n")
    pytester.makepyfile(application=APPLICATION)
    pytester.makepyfile(_test_of(SWALLOWED["suppressed"].replace("generate_mac", "list_keys"), arguments=""))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert {"failed": 1} == outcomes(result)
    assert _stray(pytester, "ListKeys", LIST_KEYS_LINE, "list_keys") == _told(result)[2]


# what the plugin leaves alone


def test_turned_off_the_plugin_leaves_no_trace(pytester: pytest.Pytester) -> None:
    """With `-p no:kms` nothing of it is imported, waits for an import, or stands in botocore."""
    pytester.makepyfile(
        """
        import sys

        def test_one(request):
            import botocore.handlers

            for event, handler, *_ in botocore.handlers.BUILTIN_HANDLERS:
                assert not getattr(handler, "__module__", "").startswith("pytest_kms"), event
            for finder in sys.meta_path:
                assert not type(finder).__module__.startswith("pytest_kms")
            assert not [name for name in sys.modules if name.startswith("pytest_kms")]
            assert "kms_region" not in request.config._parser._inidict
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:kms")

    result.assert_outcomes(passed=1)


def test_a_suite_that_never_calls_kms_imports_nothing_for_it(pytester: pytest.Pytester) -> None:
    """The plugin is loaded, and neither botocore nor boto3 nor cryptography is; nor is it after `import botocore`."""
    pytester.makepyfile(
        """
        import sys

        def test_one():
            assert "pytest_kms.plugin" in sys.modules
            heavy = {"aiobotocore", "boto3", "botocore", "cryptography", "moto"}
            assert not heavy & {name.partition(".")[0] for name in sys.modules}
            assert not {"pytest_kms.fake", "pytest_kms.engine", "pytest_kms.lifespan"} & set(sys.modules)

        def test_two():
            import botocore.handlers
            import botocore.session

            botocore.session.Session()
            handlers = [handler for _, handler, *_ in botocore.handlers.BUILTIN_HANDLERS]
            assert [handler for handler in handlers if handler.__module__ == "pytest_kms.stub"]
            assert "cryptography" not in sys.modules
            assert "pytest_kms.fake" not in sys.modules
        """
    )
    others = [f"-pno:{name}" for name in ("anyio", "hypothesispytest", "xdist", "time_machine")]
    result = pytester.runpytest_subprocess(*others)

    result.assert_outcomes(passed=2)


def test_the_handlers_of_botocore_are_entered_once(pytester: pytest.Pytester) -> None:
    """However many runs there are in a process, each request is answered once."""
    for _ in range(2):
        result = _run(pytester, "def test_one(kms):\n    kms.client.list_keys()\n    assert len(kms.trail) == 1\n")
        assert {"passed": 1} == outcomes(result)

    handlers = botocore.handlers.BUILTIN_HANDLERS
    assert 1 == [entry[0] for entry in handlers].count("before-send.kms")


def test_a_failing_test_leaves_the_environment_as_it_was(pytester: pytest.Pytester) -> None:
    """The fixture ends with its test, however that ends."""
    result = _run(
        pytester,
        """
        import os

        import botocore.endpoint
        import pytest
        import time
        from application import list_keys

        @pytest.mark.parametrize("end", [KeyError, SystemExit, pytest.fail.Exception])
        def test_fails(kms, end):
            kms.throttle("ListKeys")
            list_keys()
            assert "AWS_ACCESS_KEY_ID" in os.environ
            raise end("for a reason")

        def test_after():
            assert not [name for name in os.environ if name.startswith("AWS_")]
            assert botocore.endpoint.time is time
        """,
    )

    assert {"passed": 1, "failed": 3} == outcomes(result)


def test_workers_of_xdist_have_fakes_of_their_own(pytester: pytest.Pytester) -> None:
    """Each process has its own hook; marker, options, verdicts and report work in workers."""
    pytester.makeini("[pytest]\nkms_region = eu-west-1\n")
    pytester.makepyfile(application=APPLICATION)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_passes(kms, number):
            assert kms.create_key("orders").region == "eu-west-1"
            assert len(kms.client.list_keys()["Keys"]) == 1

        @pytest.mark.kms(seed=1)
        def test_fails(kms):
            kms.throttle("Encrypt")
            kms.client.list_keys()
        """
    )
    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")

    assert {"passed": 8, "failed": 1} == outcomes(result)
    told = _told(result)
    assert [
        unused("ThrottlingException for Encrypt, 1"),
        "-- kms",
        "1. ListKeys -> ok",
    ] == told[-3:]
