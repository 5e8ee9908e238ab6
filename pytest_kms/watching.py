"""Who wants to see what a fake remembers before it ends or is reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.state.world import World

watchers: list[Callable[[World], None]] = []
"""Who wants to see all."""
witnesses: list[Callable[[World], None]] = []
"""Of these the last alone is shown it: each stands for a run of tests, and a run may run others within."""


def show(world: World) -> None:
    """Show what a fake remembers."""
    for watch in (*watchers, *witnesses[-1:]):
        watch(world)
