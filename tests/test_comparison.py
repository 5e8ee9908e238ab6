"""What the report of a failing `assert` with `==` says of events and trails, line by line."""

from __future__ import annotations

import datetime as dt
import re
import textwrap

import pytest

from pytest_kms import FakeKMS
from pytest_kms.comparison import explain

pytestmark = pytest.mark.kms(region="us-east-1")

ORDERS = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARCHIVE = "00000000-0000-4000-8000-000000000001"
ARN = "arn:aws:kms:us-east-1:123456789012:key/"


@pytest.fixture(autouse=True)
def calls(kms: FakeKMS) -> None:
    """Encrypt twice, with different contexts, then decrypt and list."""
    kms.clock.freeze()
    kms.create_key("orders", key_id=ORDERS)
    kms.create_key("archive", key_id=ARCHIVE)
    blob = kms.client.encrypt(KeyId=ORDERS, Plaintext=b"horse", EncryptionContext={"order": "7", "a": "b"})
    kms.client.encrypt(KeyId=ARCHIVE, Plaintext=b"horse", EncryptionContext={"order": "8"})
    kms.client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"order": "7", "a": "b"})
    kms.client.list_keys()


def told(left: object, right: object) -> list[str]:
    """Return what is told of two things that are not equal."""
    assert left != right
    lines = explain(left, right)
    assert lines is not None
    assert "horse" not in "\n".join(lines)
    return lines


def test_events_are_compared_field_by_field(kms: FakeKMS) -> None:
    """Only what differs is told; of mappings, what differs in them."""
    first, second = kms.trail[:2]
    assert [
        f"<Encrypt {ORDERS} {{a: b, order: 7}} -> ok> == <Encrypt {ARCHIVE} {{order: 8}} -> ok>",
        f"  KeyId.key: '{ARN}{ORDERS}' -> '{ARN}{ARCHIVE}'",
        "  KeyId.encryption_context.a: 'b' is on the left alone",
        "  KeyId.encryption_context.order: '7' -> '8'",
        "  parameters.EncryptionContext.a: 'b' is on the left alone",
        "  parameters.EncryptionContext.order: '7' -> '8'",
        f"  parameters.KeyId: '{ORDERS}' -> '{ARCHIVE}'",
        f"  request_id: '{first.request_id}' -> '{second.request_id}'",
        f"  answer.KeyId: '{ARN}{ORDERS}' -> '{ARN}{ARCHIVE}'",
    ] == told(first, second)


def test_what_is_equal_is_not_told(kms: FakeKMS) -> None:
    """One field is one line."""
    event = kms.trail[0]
    assert ["  error: None -> 'DisabledException'"] == told(event, event._replace(error="DisabledException"))[1:]
    more = event._replace(parameters={**event.parameters, "DryRun": True})
    assert ["  parameters.DryRun: True is on the right alone"] == told(event, more)[1:]
    assert ["  time: datetime"] == [line[:16] for line in told(event, event._replace(time=dt.datetime.min))[1:]]


def test_keys_that_are_more_are_told(kms: FakeKMS) -> None:
    """By their ARNs."""
    event, none = kms.trail[0], kms.trail[3]
    assert [f"  keys: {ARN}{ORDERS} -> none"] == told(event, event._replace(uses=none.uses))[1:]


def test_attempts_are_compared_one_by_one(kms: FakeKMS) -> None:
    """When the first was made is told by the time of the event."""
    kms.throttle("ListKeys")
    kms.client.list_keys()
    event = kms.trail.last
    first, second = event.attempts
    later = second.time + dt.timedelta(seconds=1)
    assert ["  attempts: 2 -> 1"] == told(event, event._replace(attempts=(first,)))[1:]
    assert [
        "  attempt 1.error: 'ThrottlingException' -> 'KMSInternalException'",
        f"  attempt 2.time: {second.time!r} -> {later!r}",
    ] == told(
        event,
        event._replace(
            attempts=(first._replace(error="KMSInternalException", time=later), second._replace(time=later))
        ),
    )[1:]


def test_trails_are_compared_call_by_call(kms: FakeKMS) -> None:
    """What is on one side alone does not shift the rest."""
    one, _, three, four = kms.trail
    changed = three._replace(message="new")
    assert [
        "Trail of 4 calls == list of 4 calls",
        f"2. <Encrypt {ARCHIVE} {{order: 8}} -> ok> is on the left alone",
        f"3. <Decrypt {ORDERS} {{a: b, order: 7}} -> ok> differs:",
        "  message: '' -> 'new'",
        "4. <ListKeys -> ok> is on the right alone",
    ] == told(kms.trail, [one, changed, four, four])


def test_calls_that_stand_in_place_of_others_are_told_side_by_side(kms: FakeKMS) -> None:
    """As many as there are on both sides."""
    one, two = kms.trail[:2]
    assert [
        "list of 1 call == tuple of 2 calls",
        f"1. <Encrypt {ORDERS} {{a: b, order: 7}} -> ok> differs:",
        "  error: None -> 'DisabledException'",
        f"2. <Encrypt {ARCHIVE} {{order: 8}} -> ok> is on the right alone",
    ] == told([one], (one._replace(error="DisabledException"), two))


def test_an_empty_side_is_told_too(kms: FakeKMS) -> None:
    """Each call of the other stands alone."""
    assert [
        "list of 0 calls == list of 1 call",
        "1. <ListKeys -> ok> is on the right alone",
    ] == told([], kms.trail[3:])


def test_a_trail_is_no_text(kms: FakeKMS) -> None:
    """The advice is to compare its text."""
    advice = "A trail equals no text. What to do: compare str(trail)."
    assert ["<Trail of 4 calls> == a text", advice] == told(kms.trail, "ListKeys -> ok")
    assert ["<Trail of 4 calls> == a text; its lines are these", advice] == told(str(kms.trail), kms.trail)


def test_what_is_neither_is_left_to_pytest(kms: FakeKMS) -> None:
    """Nothing is told of it."""
    event = kms.trail[0]
    for left, right in (
        (event, 1),
        ([event], [1]),
        ([], []),
        ("a", "b"),
        ([event], "a"),
        (event, [event]),
        (event, ()),
    ):
        assert explain(left, right) is None


SUITE = """
import pytest

@pytest.fixture(autouse=True)
def calls(kms):
    kms.clock.freeze()
    kms.client.list_keys()

def test_events(kms):
    event = kms.trail.last
    assert event == event._replace(error="DisabledException")

def test_trails(kms):
    assert kms.trail == []

def test_lines(kms):
    kms.client.list_aliases()
    assert str(kms.trail) == "ListKeys -> ok\\nListGrants -> ok"

def test_other_operators(kms):
    assert kms.trail != kms.trail
"""


def test_the_report_tells_what_differs(pytester: pytest.Pytester) -> None:
    """pytest shows it below the assertion; lines of text it compares by itself."""
    pytester.makepyfile(textwrap.dedent(SUITE))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    told = [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E  ")]

    assert {"failed": 4} == result.parseoutcomes()
    assert [
        "AssertionError: assert <ListKeys -> ok> == <ListKeys -> DisabledException>",
        "error: None -> 'DisabledException'",
        "assert Trail of 1 call == list of 0 calls",
        "1. <ListKeys -> ok> is on the left alone",
        "- ListGrants -> ok",
        "+ ListAliases -> ok",
        "assert <Trail of 1 call> != <Trail of 1 call>",
    ] == [line for line in told if re.match(r"[-\d] |.*(call|error|<ListKeys)|[+] L", line) and ".trail" not in line]
