"""Fakes of wider scopes: `kms_fixture`, and what they have to do with `kms`, the marker, resets and verdicts."""

from __future__ import annotations

import os

import boto3.session  # noqa: F401  # see below
import pytest
from suites import outcomes, unused

# An inner run in this process forgets the modules that it was the first to import; let it be the first of none.
from pytest_kms import engine, fake_kms, lifespan  # noqa: F401

# Some suites call GenerateMac, which they lack: their runs share this process's operations.
pytestmark = pytest.mark.usefixtures("without_generate_mac")

UNUSED = unused("ThrottlingException for Encrypt, 1")


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    """Take away what the developer has configured; pytester has given each test a home directory."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


def _run(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=source)
    # Hypothesis would import itself anew in each run.
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)


def _told(result: pytest.RunResult) -> list[str]:
    """Return what the run says of its failures: our own lines."""
    return [line for line in result.outlines if line.startswith("pytest-kms: ")]


COUNTED = """
import boto3
import pytest

seen = []

@pytest.fixture(autouse=True)
def see(depot_kms):
    seen.append(depot_kms)

def keys():
    return boto3.client("kms", "us-east-1").list_keys()["Keys"]

class TestOne:
    def test_one(self, depot_kms):
        earlier = len(keys())
        depot_kms.create_key(region="us-east-1")
        assert len(keys()) == earlier + 1

    def test_two(self, depot_kms):
        assert keys() or depot_kms is not seen[0]

def test_three():
    keys()
"""


@pytest.mark.parametrize(
    ("scope", "fakes"), [("function", 6), ("class", 4), ("module", 2), ("package", 1), ("session", 1)]
)
def test_a_fixture_that_was_made_lives_as_long_as_its_scope(scope: str, fakes: int, pytester: pytest.Pytester) -> None:
    """One fake for each function, class, module or package, or one for all; after it, none answers."""
    pytester.makeconftest(
        f"""
        import sys

        import pytest_kms

        depot_kms = pytest_kms.kms_fixture({scope!r})

        def pytest_sessionfinish():
            from pytest_kms import stub

            suites = [module for name, module in sys.modules.items() if name in ("test_it", "test_more")]
            print("fakes:", len({{id(kms) for module in suites for kms in module.seen}}), stub._active)
        """
    )
    pytester.makepyfile(test_more=COUNTED)
    result = _run(pytester, COUNTED, "-s")

    assert {"passed": 6} == result.parseoutcomes()
    assert [f"fakes: {fakes} []"] == [line[line.index("fakes") :] for line in result.outlines if "fakes" in line]


def test_the_default_scope_is_the_function(pytester: pytest.Pytester) -> None:
    """Without a scope it is a fixture like `kms`, with settings of its own."""
    result = _run(
        pytester,
        """
        import pytest_kms

        eu = pytest_kms.kms_fixture(region="eu-west-1", account="999999999999", seed=1)

        def test_one(eu):
            key = eu.create_key("orders")
            assert (key.region, key.account) == ("eu-west-1", "999999999999")

        def test_two(eu):
            eu.create_key("orders")
        """,
    )

    assert {"passed": 2} == result.parseoutcomes()


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        ("", "key.region == 'eu-west-1' and key.account == '999999999999'"),
        ("region='eu-west-2'", "key.region == 'eu-west-2' and key.account == '999999999999'"),
        ("account='111111111111'", "key.account == '111111111111'"),
        ("seed=2", "key.id == '{2}'"),
        ("", "key.id == '{1}'"),
        ("", "not kms.quotas.enforced and kms.real_backoff"),
        ("quotas={'Decrypt': 3}", "kms.quotas['Decrypt'] == 3"),
        ("real_backoff=False", "not kms.real_backoff"),
        ("eventual_consistency=5", "kms.client.create_key() and len(kms.client.list_keys()['Keys']) == 1"),
    ],
)
def test_what_is_not_said_is_as_the_ini_file_says(arguments: str, check: str, pytester: pytest.Pytester) -> None:
    """Each argument wins over its option."""
    ids = {}
    for seed in ("1", "2"):
        with fake_kms(seed=seed, region="eu-west-1", account="999999999999") as kms:
            ids[seed] = kms.create_key().id
    check = check.replace("{1}", ids["1"]).replace("{2}", ids["2"])
    pytester.makeini(
        "[pytest]\nkms_region = eu-west-1\nkms_account = 999999999999\nkms_seed = 1\nkms_quotas = false\n"
        "kms_real_backoff = true\n"
    )
    result = _run(
        pytester,
        f"""
        import pytest_kms

        kms = pytest_kms.kms_fixture("module", {arguments})

        def test_one(kms):
            key = kms.create_key()
            assert {check}
        """,
    )

    assert {"passed": 1} == result.parseoutcomes()


def test_what_cannot_be_is_told_by_the_test(pytester: pytest.Pytester) -> None:
    """A wrong argument is an error of the tests that ask for the fixture."""
    result = _run(
        pytester,
        """
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("module", account="12")

        def test_one(depot_kms): ...
        """,
    )

    assert {"errors": 1} == result.parseoutcomes()
    assert ["pytest-kms: an account has 12 digits, '12' has not"] == _told(result)


def test_a_fixture_may_have_another_name_and_be_for_all(pytester: pytest.Pytester) -> None:
    """`name` and `autouse` are pytest's."""
    result = _run(
        pytester,
        """
        import boto3
        import pytest_kms

        made = pytest_kms.kms_fixture("session", name="depot_kms", autouse=True, region="eu-west-1")

        def test_one():
            boto3.client("kms").create_key()

        def test_two(depot_kms):
            depot_kms.assert_called("CreateKey", times=1)
            assert depot_kms.trail.last.region == "eu-west-1"
        """,
    )

    assert {"passed": 2} == result.parseoutcomes()


def test_a_fixture_explains_itself(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` tells its scope."""
    result = _run(
        pytester,
        """
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("module")
        """,
        "--fixtures",
    )
    place = next(number for number, line in enumerate(result.outlines) if line.startswith("depot_kms [module scope]"))

    assert (
        "    Answer every KMS call of this process with a fake AWS KMS, new for each module."
        == result.outlines[place + 1]
    )


def test_in_a_class_it_is_refused(pytester: pytest.Pytester) -> None:
    """pytest would take it for a method, and warn of that."""
    result = _run(
        pytester,
        """
        import pytest_kms

        class TestDepot:
            depot_kms = pytest_kms.kms_fixture()

            def test_one(self, depot_kms): ...
        """,
    )

    assert {"errors": 1} == result.parseoutcomes()
    assert [
        "pytest-kms: depot_kms is in TestDepot, and fixtures of kms_fixture() are not for classes. Assign it in the"
        " module or in a conftest; kms_fixture('class') is one for each class."
    ] == _told(result)


# beside other fakes


def test_the_fake_that_began_last_answers(pytester: pytest.Pytester) -> None:
    """In a test that asks for `kms` too, that one; after the test the wider one answers again."""
    result = _run(
        pytester,
        """
        import boto3
        import pytest
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("module", region="us-east-1")
        client = boto3.client("kms", region_name="us-east-1", aws_access_key_id="AKID", aws_secret_access_key="example")

        def names():
            found = client.list_aliases()["Aliases"]
            return [alias["AliasName"] for alias in found if "TargetKeyId" in alias]

        def test_wide(depot_kms):
            depot_kms.create_key("depot")
            assert names() == ["alias/depot"]

        def test_both(kms, depot_kms):
            kms.create_key("orders", region="us-east-1")
            assert names() == ["alias/orders"]
            depot_kms.assert_called("ListAliases", times=1)
            with pytest_kms.fake_kms():
                assert names() == []
            assert names() == ["alias/orders"]

        @pytest.mark.kms(account="999999999999")
        def test_marked(depot_kms):
            client.create_key()
            assert depot_kms.trail.last.operation == "ListAliases"

        def test_wide_again(depot_kms):
            assert names() == ["alias/depot"]
            depot_kms.assert_called("ListAliases", times=2)
            depot_kms.assert_not_called("CreateKey")
        """,
    )

    assert {"passed": 4} == result.parseoutcomes()


def test_kms_may_be_one_for_a_module(pytester: pytest.Pytester) -> None:
    """A module's own `kms` takes the place of the plugin's; verdicts and reports are the same."""
    result = _run(
        pytester,
        """
        import pytest_kms

        kms = pytest_kms.kms_fixture("module")

        def test_one(kms):
            kms.create_key("orders")

        def test_two(kms):
            kms.client.describe_key(KeyId="alias/orders")
            assert kms.trail == []
        """,
    )

    assert {"passed": 1, "failed": 1} == result.parseoutcomes()
    assert "1. DescribeKey alias/orders -> ok" in result.outlines


@pytest.mark.parametrize("marker", ["kms", "kms(seed=1)", "usefixtures('pytest_kms')"])
def test_a_marker_that_would_hide_it_is_refused(marker: str, pytester: pytest.Pytester) -> None:
    """The fake that the marker brings would answer, and not the `kms` that the test holds."""
    result = _run(
        pytester,
        f"""
        import pytest
        import pytest_kms

        kms = pytest_kms.kms_fixture("module")

        @pytest.mark.{marker}
        def test_one(kms):
            kms.client.list_keys()

        def test_two(kms):
            kms.client.list_keys()
        """,
    )

    assert {"passed": 1, "errors": 1} == result.parseoutcomes()
    assert [
        "pytest-kms: test_one has two fakes that go by the name kms: of a fixture that kms_fixture() made, and of the"
        " marker kms or the fixture pytest_kms. Give the arguments of the marker to kms_fixture(), or give the fixture"
        " that it made another name."
    ] == _told(result)


# verdicts


@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
def test_verdicts_are_of_the_test_that_is_to_blame(scope: str, pytester: pytest.Pytester) -> None:
    """Unused faults and swallowed refusals fail the test that left them, and none after it."""
    result = _run(
        pytester,
        f"""
        import contextlib

        import pytest_kms
        depot_kms = pytest_kms.kms_fixture({scope!r})

        class TestDepot:
            def test_fault(self, depot_kms):
                depot_kms.throttle("Encrypt")

            def test_fault_is_gone(self, depot_kms):
                depot_kms.create_key("orders")
                depot_kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")

            def test_refusal(self, depot_kms):
                with contextlib.suppress(BaseException):
                    depot_kms.client.generate_mac(KeyId="alias/none", Message=b"7", MacAlgorithm="HMAC_SHA_256")

            def test_refusal_is_gone(self, depot_kms, kms):
                depot_kms.create_key("more")

            def test_both(self, depot_kms, kms):
                depot_kms.throttle("Encrypt")
                kms.create_key()
        """,
    )

    assert {"passed": 2, "failed": 3} == result.parseoutcomes()
    first, second, third = _told(result)
    assert [UNUSED, UNUSED] == [first, third]
    assert second.startswith("pytest-kms: GenerateMac is not supported by this version.")


@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
def test_a_marker_says_what_fails_its_test_whatever_the_scope(scope: str, pytester: pytest.Pytester) -> None:
    """How strict a test is, is nothing that its fake must know from the beginning; the next test has its own say."""
    pytester.makeini(f"[pytest]\nkms_scope = {scope}\nkms_max_calls =\n    ListAliases = 1\n")
    result = _run(
        pytester,
        """
        import contextlib
        import pytest

        class TestDepot:
            def test_free(self, kms):
                for _ in range(3):
                    kms.client.list_keys()

            @pytest.mark.kms(max_calls={"ListKeys": 1})
            def test_within_its_budget(self, kms):
                kms.client.list_keys()

            @pytest.mark.kms(max_calls={"ListKeys": 1})
            def test_over_its_budget(self, kms):
                kms.client.list_keys()
                kms.client.list_keys()

            @pytest.mark.kms(max_calls=None)
            def test_without_budget(self, kms):
                kms.client.list_aliases()
                kms.client.list_aliases()

            def test_over_that_of_all(self, kms):
                kms.client.list_aliases()
                kms.client.list_aliases()

            @pytest.mark.kms(unused_faults="ignore")
            def test_faults_left(self, kms):
                kms.throttle("Encrypt")

            @pytest.mark.kms(unasserted_calls="error", leaks="error")
            def test_asserted(self, kms):
                kms.client.list_keys()
                kms.assert_called("ListKeys")

            @pytest.mark.kms(unasserted_calls="error")
            def test_not_asserted(self, kms):
                kms.client.list_aliases()

            @pytest.mark.kms(unsupported="ignore")
            def test_swallowed(self, kms):
                with contextlib.suppress(BaseException):
                    kms.client.generate_mac(KeyId="alias/none", Message=b"7", MacAlgorithm="HMAC_SHA_256")

            @pytest.mark.kms(leaks="error")
            def test_told(self, kms):
                kms.client.encrypt(KeyId=kms.create_key().id, Plaintext=b"correct horse")
                print("correct horse")

            def test_faults(self, kms):
                kms.throttle("Encrypt")
        """,
    )

    failed = ["test_over_its_budget", "test_over_that_of_all", "test_not_asserted", "test_told", "test_faults"]
    lines = result.outlines
    assert {"passed": 6, "failed": 5} == outcomes(result)
    assert failed == [line.split()[1].partition(".")[2] for line in lines if line.startswith("____") and "." in line]
    assert [
        "pytest-kms: there were more calls than max_calls allows: ListKeys twice instead of at most once.",
        "pytest-kms: there were more calls than max_calls allows: ListAliases twice instead of at most once.",
        "pytest-kms: no assertion has looked at 1 call.",
        "pytest-kms: expected no plaintext or data key of KMS to get out of the test; it is in 1 place.",
        UNUSED,
    ] == [line for line in lines if line.startswith("pytest-kms: ")]


def test_a_marker_says_what_fails_a_test_of_a_made_fixture(pytester: pytest.Pytester) -> None:
    """It brings no other fake for that, which would answer in its place."""
    result = _run(
        pytester,
        """
        import pytest
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("module", region="eu-west-1")

        @pytest.fixture(scope="module")
        def key(depot_kms):
            return depot_kms.create_key("depot")

        @pytest.mark.kms(leaks="error")
        def test_one(depot_kms, key):
            depot_kms.client.describe_key(KeyId="alias/depot")

        @pytest.mark.kms(max_calls={"DescribeKey": 1})
        def test_two(depot_kms, key):
            depot_kms.client.describe_key(KeyId="alias/depot")
            depot_kms.client.describe_key(KeyId="alias/depot")

        def test_three(depot_kms, key):
            for _ in range(2):
                depot_kms.client.describe_key(KeyId="alias/depot")

        @pytest.mark.kms(region="eu-west-1", leaks="error")
        def test_four(depot_kms, key):
            depot_kms.client.describe_key(KeyId="alias/depot")
        """,
    )

    assert {"passed": 2, "failed": 2} == outcomes(result)
    assert ["pytest-kms: there were more calls than max_calls allows: DescribeKey twice instead of at most once."] == (
        _told(result)
    )
    assert [
        "2 fakes are active. That of test_it.py::test_four, which began last, answers, not that of test_it.py."
    ] == [line for line in result.outlines if "fakes are active" in line]


def test_what_a_marker_cannot_say_of_a_test_is_told(pytester: pytest.Pytester) -> None:
    """Also where the fake was there before."""
    pytester.makeini("[pytest]\nkms_scope = module\n")
    result = _run(
        pytester,
        """
        import pytest

        @pytest.mark.kms(max_calls={"Decipher": 1})
        def test_one(kms): ...

        @pytest.mark.kms(max_calls=None)
        def test_two(kms): ...
        """,
    )

    assert {"passed": 1, "errors": 1} == outcomes(result)
    [mistake] = _told(result)
    assert mistake.startswith("pytest-kms: KMS has no operation 'Decipher'")


def test_a_refusal_when_a_wide_fake_ends_is_an_error(pytester: pytest.Pytester) -> None:
    """What the teardown of a module swallows is told by the last test of it."""
    result = _run(
        pytester,
        """
        import contextlib

        import pytest
        import pytest_kms
        depot_kms = pytest_kms.kms_fixture("module")

        @pytest.fixture(scope="module")
        def depot(depot_kms):
            yield
            with contextlib.suppress(BaseException):
                depot_kms.client.generate_mac(KeyId="alias/none", Message=b"7", MacAlgorithm="HMAC_SHA_256")

        def test_one(depot): ...

        def test_two(depot): ...
        """,
    )

    assert {"passed": 2, "errors": 1} == result.parseoutcomes()
    assert "ERROR test_it.py::test_two" in "\n".join(result.outlines)


# resets


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_reset_before_each_test_empties_a_wide_fake(scope: str, pytester: pytest.Pytester) -> None:
    """With an autouse fixture that resets, each test begins with nothing; clients that it has made work on."""
    result = _run(
        pytester,
        f"""
        import boto3
        import pytest
        import pytest_kms
        from botocore.config import Config

        depot_kms = pytest_kms.kms_fixture({scope!r}, region="us-east-1", quotas={{"ListKeys": 1}}, seed=1)
        ids = []

        @pytest.fixture(autouse=True)
        def empty(depot_kms):
            depot_kms.reset()

        @pytest.fixture(scope={scope!r})
        def client(depot_kms):
            return boto3.client("kms", config=Config(retries={{"mode": "adaptive"}}))

        class TestDepot:
            @pytest.mark.parametrize("number", range(3))
            def test_each(self, depot_kms, client, number):
                assert client.list_keys()["Keys"] == []
                client.list_keys()  # throttled, and tried again
                depot_kms.assert_throttled("ListKeys", times=1)
                ids.append(depot_kms.create_key("orders").id)
                depot_kms.clock.advance(days=30)
                assert len(depot_kms.trail) == 2

            def test_seed(self):
                assert len(ids) == 3
                assert len(set(ids)) == 1
        """,
    )

    assert {"passed": 4} == result.parseoutcomes()


def test_a_reset_does_not_reach_another_fake(pytester: pytest.Pytester) -> None:
    """Each is emptied for itself."""
    result = _run(
        pytester,
        """
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("session")

        def test_one(depot_kms, kms):
            depot_kms.create_key("depot")
            kms.create_key("orders")
            kms.reset()
            assert kms.client.list_keys()["Keys"] == []

        def test_two(depot_kms):
            depot_kms.client.describe_key(KeyId="alias/depot")
            depot_kms.reset()
            assert depot_kms.client.list_keys()["Keys"] == []
        """,
    )

    assert {"passed": 2} == result.parseoutcomes()


def test_faults_of_a_fixture_that_is_set_up_once_are_of_its_first_test(pytester: pytest.Pytester) -> None:
    """What a module's fixture orders is for the test that brings it up."""
    result = _run(
        pytester,
        """
        import pytest
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("module")

        @pytest.fixture(scope="module")
        def depot(depot_kms):
            depot_kms.throttle("ListKeys")
            return depot_kms

        def test_one(depot):
            depot.client.list_keys()
            depot.assert_throttled("ListKeys")

        def test_two(depot):
            depot.client.list_keys()
            depot.assert_throttled("ListKeys", times=1)
        """,
    )

    assert {"passed": 2} == result.parseoutcomes()


def test_least_privilege_knows_the_calls_of_every_fake(pytester: pytest.Pytester) -> None:
    """`--kms-least-privilege` collects from fixtures that were made, too."""
    result = _run(
        pytester,
        """
        import pytest_kms

        depot_kms = pytest_kms.kms_fixture("session")

        def test_one(depot_kms):
            depot_kms.create_key("orders")
            depot_kms.client.encrypt(KeyId="alias/orders", Plaintext=b"7")
        """,
        "--kms-least-privilege=needed.json",
    )

    assert {"passed": 1} == result.parseoutcomes()
    assert '"kms:Encrypt"' in (pytester.path / "needed.json").read_text()
