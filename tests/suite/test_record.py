"""The record of a run: which test made which calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

RecordOf = Callable[..., dict[str, Any]]


def made(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Give each call as its test and its operation."""
    return [(call["test"].partition("::")[2], call["operation"]) for call in data["calls"]]


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_calls_belong_to_the_test_that_made_them(record_of: RecordOf, scope: str) -> None:
    """However long a fake lives."""
    data = record_of(
        """
        def test_lists(kms):
            kms.client.list_keys()
            kms.client.list_aliases()

        def test_nothing(kms): pass

        def test_creates(kms):
            kms.client.create_key()
        """,
        "-o",
        f"kms_scope={scope}",
    )

    expected = [("test_lists", "ListKeys"), ("test_lists", "ListAliases"), ("test_creates", "CreateKey")]
    assert expected == made(data)
    assert [["test_it.py::test_lists", "passed"], ["test_it.py::test_creates", "passed"]] == data["tests"]
    assert 3 == data["ran"]


def test_fakes_without_the_fixture_are_seen(record_of: RecordOf) -> None:
    """Nested ones too, each with its calls; and what a fake remembered before it was reset."""
    data = record_of(
        """
        from pytest_kms import fake_kms

        def test_nested(kms):
            kms.client.list_keys()
            with fake_kms() as other:
                other.client.list_aliases()
            kms.client.list_keys()

        def test_resets(kms):
            kms.client.create_key()
            kms.reset()
            kms.client.list_keys()
        """
    )

    assert [
        # A fake is read when it ends.
        ("test_nested", "ListAliases"),
        ("test_nested", "ListKeys"),
        ("test_nested", "ListKeys"),
        ("test_resets", "CreateKey"),
        ("test_resets", "ListKeys"),
    ] == made(data)


def test_setup_and_teardown_belong_to_their_test(record_of: RecordOf) -> None:
    """What fixtures call is of the test that they are made and unmade for."""
    data = record_of(
        """
        import pytest
        from pytest_kms import fake_kms

        @pytest.fixture(scope="module")
        def vault():
            with fake_kms() as kms:
                kms.client.create_key()
                yield kms
                kms.client.list_keys()

        def test_first(vault): pass

        def test_last(vault): pass
        """
    )

    assert [("test_first", "CreateKey"), ("test_last", "ListKeys")] == made(data)


def test_calls_between_tests_belong_to_none(record_of: RecordOf) -> None:
    """A fake may be there before the first test and after the last."""
    data = record_of(
        """
        from pytest_kms import fake_kms

        with fake_kms() as kms:
            kms.client.list_keys()

        def test_it(): pass
        """
    )

    assert [("", "ListKeys")] == made(data)
    assert [["", ""]] == data["tests"]


def test_outcomes_are_those_of_pytest(record_of: RecordOf) -> None:
    """The worst of the three phases counts."""
    data = record_of(
        """
        import pytest

        @pytest.fixture
        def called(kms):
            kms.client.list_keys()

        @pytest.fixture
        def broken(called):
            yield
            raise ValueError

        def test_passes(called): pass
        def test_fails(called): assert False
        def test_breaks(broken): pass
        def test_skips(called): pytest.skip("because")
        @pytest.mark.xfail
        def test_is_expected_to_fail(called): assert False
        """
    )

    assert {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_breaks": "error",
        "test_skips": "skipped",
        "test_is_expected_to_fail": "xfailed",
    } == {test.partition("::")[2]: outcome for test, outcome in data["tests"]}


def test_a_test_that_runs_again_is_one_test(record_of: RecordOf) -> None:
    """With pytest-rerunfailures, calls of all runs count, and the last outcome."""
    data = record_of(
        """
        runs = []

        def test_it(kms):
            if not runs:
                kms.client.list_keys()
            runs.append(1)
            assert len(runs) > 1
        """,
        "-p",
        "rerunfailures",
        "--reruns=1",
    )

    assert [("test_it", "ListKeys")] == made(data)
    assert [["test_it.py::test_it", "passed"]] == data["tests"]
    assert 1 == data["ran"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_call_is_told_without_its_secrets(record_of: RecordOf, workers: int) -> None:
    """Names, context, caller, outcome and time; no plaintext, no ciphertext."""
    data = record_of(
        """
        def test_it(kms):
            kms.create_key("orders"), kms.create_key("archive")
            kms.clock.freeze()
            blob = kms.encrypt("alias/orders", b"secret", {"order": "7"})
            kms.clock.advance(seconds=90)
            kms.throttle("ReEncrypt")
            kms.clock.freeze()
            kms.client.re_encrypt(
                CiphertextBlob=blob, SourceEncryptionContext={"order": "7"},
                DestinationKeyId="alias/archive", DestinationEncryptionContext={"order": "8"},
            )
        """,
        workers=workers,
    )

    (call,) = data["calls"]
    for use in call["uses"]:
        del use[1]
    assert {
        "test": "test_it.py::test_it",
        "operation": "ReEncrypt",
        "uses": [[0, {"order": "7"}], [1, {"order": "8"}]],
        "keys": ["alias/orders", "alias/archive"],
        "region": "us-east-1",
        "account": "123456789012",
        "principal": "arn:aws:iam::123456789012:user/tester",
        "via": None,
        "error": None,
        "message": "",
        "why": "",
        "attempts": 2,
        "throttled": 1,
        "at": 90,
        "cost": 0.000003,
        "dry_run": False,
    } == {**call, "at": round(call["at"])}


def test_deleted_keys_are_told(record_of: RecordOf, pytester: pytest.Pytester) -> None:
    """By the alias that they had; KMS's own doing is no call. Key material need never have been there."""
    data = record_of(
        """
        def test_it(kms):
            for origin in ("AWS_KMS", "EXTERNAL"):
                key = kms.create_key("orders", origin=origin)
                kms.client.describe_key(KeyId=key.id)
                kms.client.schedule_key_deletion(KeyId=key.id)
                kms.clock.advance(days=31)
                kms.client.list_keys()
        """,
        "--kms-least-privilege=policies.json",
    )

    assert ["DescribeKey", "ScheduleKeyDeletion", "ListKeys"] * 2 == [call["operation"] for call in data["calls"]]
    assert [("alias/orders", 1)] == [(key["label"], key["count"]) for key in data["keys"]]
    assert '"kms:ResourceAliases": [' in (pytester.path / "policies.json").read_text()
    assert (0, 0) == (data["kept"], data["monthly"])


def test_keys_of_one_alias_are_kept_once(record_of: RecordOf) -> None:
    """In production there is one; of those without an alias there are as many as a test has at most."""
    data = record_of(
        """
        def test_one(kms):
            kms.create_key("orders"), kms.create_key()
            kms.aws_managed_key("s3")

        def test_two(kms):
            key = kms.create_key("orders")
            kms.create_key(), kms.create_key()
            for _ in range(3):
                kms.client.rotate_key_on_demand(KeyId=key.id)
                kms.clock.advance(minutes=5)

        def test_three(kms):
            kms.create_key("gone", state="PendingDeletion")
        """
    )

    # A key costs a dollar, and so do each of its first two rotations.
    assert (3, 5) == (data["kept"], data["monthly"])


@pytest.mark.parametrize("workers", [0, 2])
def test_the_fullest_second_is_a_peak(record_of: RecordOf, workers: int) -> None:
    """Of all tests, the one that came nearest."""
    data = record_of(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 3, 2])
        def test_it(kms, number):
            kms.clock.freeze()
            for _ in range(number):
                kms.client.list_keys()
        """,
        workers=workers,
    )

    assert [
        {
            "quota": "ListKeys request rate",
            "region": "us-east-1",
            "account": "123456789012",
            "used": 3,
            "limit": 500,
            "operations": "ListKeys 3",
            "test": "test_it.py::test_it[3]",
            "share": 0.006,
        }
    ] == data["peaks"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_call_may_hold_what_utf_8_cannot(record_of: RecordOf, workers: int) -> None:
    """A lone surrogate in an encryption context takes no worker's calls away."""
    data = record_of(
        r"""
        def test_it(kms):
            key = kms.create_key()
            kms.client.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionContext={"a": "\ud800"})
        """,
        workers=workers,
    )

    assert 0 == data["lost"]
    assert [{"a": "\ud800"}] == [use[2] for call in data["calls"] for use in call["uses"]]


@pytest.mark.parametrize("scope", ["function", "session"])
def test_a_peak_is_of_the_test_that_called(record_of: RecordOf, scope: str) -> None:
    """Though the fake may end in another."""
    data = record_of(
        """
        def test_few(kms):
            kms.client.list_keys()

        def test_many(kms):
            for _ in range(3):
                kms.client.list_aliases()

        def test_last(kms): pass
        """,
        "-o",
        f"kms_scope={scope}",
    )

    assert {"ListKeys": "test_it.py::test_few", "ListAliases": "test_it.py::test_many"} == {
        peak["quota"].partition(" ")[0]: peak["test"] for peak in data["peaks"]
    }
