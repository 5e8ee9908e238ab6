"""Retries wait in the fake's time.

botocore decides whether and how long to wait; this module only replaces the sleeping, and only for requests
that the fake has answered: the waits of other services are real. It patches what is imported of botocore and
aiobotocore when a fake answers its first request, and restores it when the last fake is gone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_kms.clock import Clock

# The clock of the fake that answered the current request of this thread or task.
_serving: ContextVar[Clock | None] = ContextVar("pytest_kms_serving", default=None)

# Below this the sum with the seconds since the epoch would not change, and a wait would never end.
_SHORTEST_WAIT = 0.001

_patched: dict[str, list[tuple[Any, str, Any]]] = {}
_modules_seen = 0
_latest = 0.0


def follow(clock: Clock) -> None:
    """From here on the waits of the current request pass on a fake's clock."""
    global _modules_seen
    _serving.set(clock)
    if _modules_seen == len(sys.modules):
        return
    _modules_seen = len(sys.modules)
    for name, patch in _PATCHES.items():
        if name in sys.modules and name not in _patched:
            _patched[name] = patch(sys.modules[name])


def leave(**_: Any) -> None:
    """Let waits be real again: the current request has its answer, or the call is over, of which botocore tells."""
    _serving.set(None)


def restore() -> None:
    """Put back all that was patched."""
    global _modules_seen
    _modules_seen = 0
    while _patched:
        for owner, name, original in _patched.popitem()[1]:
            setattr(owner, name, original)


class _Time:
    """The module `time`, as botocore's endpoint sees it."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def sleep(self, seconds: float) -> None:
        clock = _serving.get()
        if clock is None:
            self._module.sleep(seconds)
        else:
            clock.wait(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> tuple[Any, str, Any]:
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    return owner, name, original


def _patch_endpoint(module: ModuleType) -> list[tuple[Any, str, Any]]:
    return [_replace(module, "time", _Time)]


def _patch_bucket(module: Any) -> list[tuple[Any, str, Any]]:
    return [
        _replace(module.Clock, "current_time", _current_time),
        _replace(module.TokenBucket, "_acquire", _acquire),
    ]


def _patch_async_endpoint(module: Any) -> list[tuple[Any, str, Any]]:
    classes = [getattr(module, name, None) for name in ("AioEndpoint", "AnyioEndpoint")]
    return [_replace(cls, "_sleep", _async_sleep) for cls in classes if "_sleep" in vars(cls or object)]


def _patch_async_bucket(module: Any) -> list[tuple[Any, str, Any]]:
    return [_replace(module.AsyncTokenBucket, "_acquire", _acquire)]


_PATCHES: dict[str, Callable[[Any], list[tuple[Any, str, Any]]]] = {
    "botocore.endpoint": _patch_endpoint,
    "botocore.retries.bucket": _patch_bucket,
    "aiobotocore.endpoint": _patch_async_endpoint,
    "aiobotocore.retries.bucket": _patch_async_bucket,
}


def _async_sleep(original: Callable[[Any, float], Any]) -> Any:
    async def sleep(endpoint: Any, seconds: float) -> None:
        clock = _serving.get()
        if clock is None:
            await original(endpoint, seconds)
        else:
            clock.wait(seconds)

    return sleep


def _current_time(original: Callable[[Any], float]) -> Any:
    """Measure the rates of adaptive mode in the fake's time. It never runs backward, from one fake to the next."""

    def current_time(bucket_clock: Any) -> float:
        global _latest
        clock = _serving.get()
        if clock is None:
            return original(bucket_clock)
        _latest = max(_latest, clock.seconds_not_advanced)
        return _latest

    return current_time


def _acquire(original: Callable[..., Any]) -> Any:
    """Let so much time pass first that a token bucket of adaptive mode never has to wait."""

    def acquire(bucket: Any, amount: float, block: bool) -> Any:  # noqa: FBT001
        clock = _serving.get()
        if clock is not None and block:
            bucket._refill()  # noqa: SLF001
            while (missing := bucket._sleep_amount(amount)) > 0:  # noqa: SLF001
                _pass(clock, missing)
                bucket._refill()  # noqa: SLF001
        return original(bucket, amount, block)

    return acquire


def _pass(clock: Clock, seconds: float) -> None:
    global _latest
    seconds = max(seconds, _SHORTEST_WAIT)
    clock.wait(seconds)
    _latest += seconds
