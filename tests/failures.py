"""What assertions fail with, as the tests of their texts look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def failure(check: Callable[[], None]) -> list[str]:
    """Return the lines of the failure that a check ends with."""
    with pytest.raises(AssertionError) as excinfo:
        check()
    return str(excinfo.value).splitlines()
