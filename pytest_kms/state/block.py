"""Blocks of a test, which mean nothing until they are entered."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_kms.state.world import World

T = TypeVar("T")


class Block(AbstractContextManager[T]):
    """A context manager that a test must enter: one that it forgot is told at its end."""

    def __init__(self, world: World, called: str, manager: AbstractContextManager[T]) -> None:
        self._unopened = world.unopened
        self._called = called
        self._manager = manager
        self._unopened.append(called)

    def __enter__(self) -> T:
        if self._called in self._unopened:
            self._unopened.remove(self._called)
        return self._manager.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        __tracebackhide__ = True
        return self._manager.__exit__(kind, error, trace)
