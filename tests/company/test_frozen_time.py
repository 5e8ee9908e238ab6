"""freezegun and time-machine, as suites use them; test_clock.py and test_time_travel.py have the rest."""

from __future__ import annotations

import pytest
from suites import outcomes, run

HEADER = """
import datetime as dt

import boto3
import pytest
from freezegun import freeze_time
from time_machine import travel

THEN = dt.datetime(2020, 2, 29, 12, tzinfo=dt.timezone.utc)

def check(kms):
    client = boto3.client("kms", "us-east-1")
    made = client.create_key()["KeyMetadata"]
    assert [made["CreationDate"], kms.clock.now, kms.trail.last.time] == [THEN] * 3
    deleted = client.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)["DeletionDate"]
    assert deleted == THEN + dt.timedelta(days=7)
"""

WAYS = {
    "freezegun's decorator": "@freeze_time(THEN)\ndef test_then(kms):\n    check(kms)\n",
    "freezegun on a class": (
        "@freeze_time(THEN)\nclass TestThen:\n    def test_then(self, kms):\n        check(kms)\n"
    ),
    "freezegun in a fixture": (
        "@pytest.fixture\ndef then():\n    with freeze_time(THEN):\n        yield\n\n"
        "def test_then(kms, then):\n    check(kms)\n"
    ),
    "time-machine's decorator": "@travel(THEN, tick=False)\ndef test_then(kms):\n    check(kms)\n",
    "time-machine's fixture": (
        "def test_then(kms, time_machine):\n    time_machine.move_to(THEN, tick=False)\n    check(kms)\n"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_test_in_frozen_time_has_a_fake_in_it(way: str, pytester: pytest.Pytester) -> None:
    """However a suite sets the time, before or after the fixture begins, and to the past; the next test has its own."""
    source = f"{HEADER}\n{WAYS[way]}\ndef test_next(kms):\n    assert kms.clock.now.year > 2020\n"

    assert {"passed": 2} == outcomes(run(pytester, source))
