"""What counts as looked at: the calls that a test reads from the trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_kms import FakeKMS, Trail

READINGS: dict[str, tuple[Callable[[Any], object], set[int]]] = {
    "nothing": (lambda _: None, set()),
    "its length": (len, set()),
    "its short form": (repr, set()),
    "a place": (lambda trail: trail[1], {1}),
    "a place from the end": (lambda trail: trail[-1], {2}),
    "a slice": (lambda trail: trail[1:], {1, 2}),
    "the last": (lambda trail: trail.last, {2}),
    "all, one by one": (list, {0, 1, 2}),
    "the first, one by one": (lambda trail: next(iter(trail)), {0}),
    "as text": (str, {0, 1, 2}),
    "a comparison": (lambda trail: trail == [], {0, 1, 2}),
    "a filter": (lambda trail: trail.filter("ListKeys"), {0, 2}),
    "a filter that finds nothing": (lambda trail: trail.filter("Decrypt"), set()),
    "the records of CloudTrail": (lambda trail: trail.to_cloudtrail(), {0, 1, 2}),
    "the policies": (lambda trail: trail.least_privilege(), set()),
}


@pytest.mark.parametrize(("read", "seen"), READINGS.values(), ids=READINGS)
def test_what_is_read_is_noted(kms: FakeKMS, read: Callable[[Trail], object], seen: set[int]) -> None:
    """A call counts as looked at when its event was in the test's hands."""
    kms.client.list_keys()
    kms.client.list_aliases()
    kms.client.list_keys()
    read(kms.trail)
    assert seen == kms.world.trail.seen


def test_a_trail_goes_on(kms: FakeKMS) -> None:
    """Who has it sees the calls that come, too."""
    trail = kms.trail
    kms.client.list_keys()
    assert 1 == len(trail)
    assert isinstance(trail, Trail)


def test_a_trail_equals_what_holds_equal_events(kms: FakeKMS) -> None:
    """Lists, tuples and trails; a text, even of its lines, is something else."""
    kms.client.list_keys()
    trail = kms.trail
    event = trail.last
    assert trail == kms.trail
    assert trail == [event]
    assert trail == (event,)
    assert trail != []
    assert trail != str(trail)
    assert trail != [event._replace(error="NotFoundException")]


def test_calls_that_are_alike_are_not_equal(kms: FakeKMS) -> None:
    """Each has its own time and request id; their lines are equal."""
    kms.client.list_keys()
    kms.client.list_keys()
    first, second = kms.trail
    assert first != second
    assert "ListKeys -> ok\nListKeys -> ok" == str(kms.trail)
