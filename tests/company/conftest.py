"""Who works beside the plugin, each in a file of its own, in suites that are run with the real thing.

freezegun and time-machine have tests in test_clock.py and test_time_travel.py too, moto and aiobotocore in
test_stub.py, unittest in test_plugin.py and test_lifespan.py.
"""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    """Take away what is configured around the suite; pytester has given each test a home directory."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PYTEST_XDIST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
