"""Retries wait in the fake's time, and draw their jitter from the fake's seed.

botocore decides whether and how long to wait; this module only replaces the sleeping and the dice, and only for
requests that the fake answers: the waits of other services are real. It patches what is imported of botocore and
aiobotocore when a KMS client is made or a fake answers, and restores it when the last fake is gone.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_kms.clock import Clock
    from pytest_kms.state.world import World


@dataclass(slots=True, eq=False)
class Serving:
    """A call that a fake is answering, and how long its client has waited since the last attempt."""

    world: World
    real: bool
    invocation: str
    delay: float = field(default=0.0, init=False)

    def wait(self, seconds: float) -> None:
        """Let the time pass that a retry waits, if that is the fake's time; remember it in any case."""
        self.delay += seconds
        if not self.real:
            with self.world.lock:
                self.world.clock.wait(seconds)


# What the current thread or task is calling.
_serving: ContextVar[Serving | None] = ContextVar("pytest_kms_serving", default=None)

# Finer than this the time of retries is not told: an exact part of a float, whatever second it is added to.
_GRAIN = 2.0**-20

# Below this a wait might never end.
_SHORTEST_WAIT = 0.001

# The fake for which a client is being made in the current thread or task.
_making: ContextVar[World | None] = ContextVar("pytest_kms_making", default=None)

_patched: dict[str, list[tuple[Any, str, Any]]] = {}
_modules_seen = 0


def follow(world: World, invocation: str, *, real: bool) -> None:
    """From here on the waits of a call pass on a fake's clock, or, if they are real, are noted."""
    _patch()
    if _followed(world, invocation) is None:
        _serving.set(Serving(world, real, invocation))


def delay(world: World, invocation: str) -> float:
    """Return what the client of a call has waited before the attempt that is sent now."""
    # Most calls are tried once, and nothing is followed: what every call does has to be little.
    serving = _serving.get() and _followed(world, invocation)
    if serving is None:
        return 0.0
    waited, serving.delay = serving.delay, 0.0
    return waited


def _followed(world: World, invocation: str) -> Serving | None:
    serving = _serving.get()
    if serving is None or serving.invocation != invocation or serving.world is not world:
        return None
    return serving


def make_client(world: World | None) -> None:
    """Be told that a KMS client is about to be made, and for which fake, if its waits will not be real."""
    _making.set(world)
    if world is not None:
        _patch()


def _patch() -> None:
    """Patch what has been imported since the last time."""
    global _modules_seen
    if _modules_seen == len(sys.modules):
        return
    _modules_seen = len(sys.modules)
    for name, make in _PATCHES.items():
        if name in sys.modules and name not in _patched:
            _patched[name] = make(sys.modules[name])


def leave(**_: Any) -> None:
    """Let waits be real again: the current call is over, of which botocore tells."""
    if _serving.get() is not None:
        _serving.set(None)


def restore() -> None:
    """Put back all that was patched."""
    global _modules_seen
    _modules_seen = 0
    while _patched:
        for owner, name, original in _patched.popitem()[1]:
            setattr(owner, name, original)


def _not_real() -> Serving | None:
    """Return what is being called, if its waits are to pass the fake's time."""
    serving = _serving.get()
    return None if serving is None or serving.real else serving


class _Time:
    """The module `time`, as botocore's endpoint sees it."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def sleep(self, seconds: float) -> None:
        serving = _serving.get()
        if serving is not None:
            serving.wait(seconds)
        if serving is None or serving.real:
            self._module.sleep(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Random:
    """The module `random`, as the retries of botocore's legacy mode see it."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def random(self) -> float:
        serving = _serving.get()
        return self._module.random() if serving is None else serving.world.jitter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> tuple[Any, str, Any]:
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    return owner, name, original


def _patch_endpoint(module: ModuleType) -> list[tuple[Any, str, Any]]:
    return [_replace(module, "time", _Time)]


def _patch_legacy(module: ModuleType) -> list[tuple[Any, str, Any]]:
    return [_replace(module, "random", _Random)]


def _patch_standard(module: Any) -> list[tuple[Any, str, Any]]:
    return [_replace(module.ExponentialBackoff, "delay_amount", _delay_amount)]


def _patch_bucket(module: Any) -> list[tuple[Any, str, Any]]:
    return [
        _replace(module.Clock, "current_time", _current_time),
        _replace(module.TokenBucket, "_acquire", _acquire),
    ]


def _patch_adaptive(module: Any) -> list[tuple[Any, str, Any]]:
    return [_replace(module, "register_retry_handler", _register)]


def _patch_async_endpoint(module: Any) -> list[tuple[Any, str, Any]]:
    classes = [getattr(module, name, None) for name in ("AioEndpoint", "AnyioEndpoint")]
    return [_replace(cls, "_sleep", _async_sleep) for cls in classes if "_sleep" in vars(cls or object)]


def _patch_async_bucket(module: Any) -> list[tuple[Any, str, Any]]:
    return [_replace(module.AsyncTokenBucket, "_acquire", _acquire)]


_PATCHES: dict[str, Callable[[Any], list[tuple[Any, str, Any]]]] = {
    "botocore.endpoint": _patch_endpoint,
    "botocore.retryhandler": _patch_legacy,
    "botocore.retries.standard": _patch_standard,
    "botocore.retries.bucket": _patch_bucket,
    "botocore.retries.adaptive": _patch_adaptive,
    "aiobotocore.endpoint": _patch_async_endpoint,
    "aiobotocore.retries.adaptive": _patch_adaptive,
    "aiobotocore.retries.bucket": _patch_async_bucket,
}


def _async_sleep(original: Callable[[Any, float], Any]) -> Any:
    async def sleep(endpoint: Any, seconds: float) -> None:
        serving = _serving.get()
        if serving is not None:
            serving.wait(seconds)
        # Other tasks have their turn, as in any wait.
        await original(endpoint, seconds if serving is None or serving.real else 0)

    return sleep


def _delay_amount(original: Callable[[Any, Any], float]) -> Any:
    """Let the dice of standard mode be the fake's."""

    def delay_amount(backoff: Any, context: Any) -> float:
        serving = _serving.get()
        if serving is not None:
            backoff = copy.copy(backoff)  # other threads use the same
            backoff._random = serving.world.jitter  # noqa: SLF001
        return original(backoff, context)

    return delay_amount


@dataclass(slots=True)
class _Shown:
    """What a clock of adaptive mode shows while a fake is called: a whole second, and what has passed since."""

    clock: Clock
    since: float
    base: int
    latest: float

    def now(self) -> float:
        passed = math.ceil((self.clock.lived - self.since) / _GRAIN) * _GRAIN
        self.latest = max(self.latest, self.base + passed)
        return self.latest


_SHOWN = "_shown_by_pytest_kms"


def _current_time(original: Callable[[Any], float]) -> Any:
    """Measure the rates of adaptive mode in the fake's time. It never runs backward, from one fake to the next.

    For each fake it begins with a whole second, so that a rate does not depend on when in a second that was.
    """

    def current_time(bucket_clock: Any) -> float:
        serving = _not_real()
        if serving is None:
            return original(bucket_clock)
        clock = serving.world.clock
        shown: _Shown | None = getattr(bucket_clock, _SHOWN, None)
        if shown is None or shown.clock is not clock:
            base = math.ceil(max(original(bucket_clock), shown.latest if shown else 0))
            shown = _Shown(clock, clock.lived, base, base)
            setattr(bucket_clock, _SHOWN, shown)
        return shown.now()

    return current_time


def _register(original: Callable[..., Any]) -> Any:
    """Let the rates of a new KMS client be measured in the fake's time from its first moment."""

    def register_retry_handler(client: Any) -> Any:
        world = _making.get()
        if world is None or client.meta.service_model.service_name != "kms":
            return original(client)
        before = _serving.set(Serving(world, real=False, invocation=""))
        try:
            return original(client)
        finally:
            _serving.reset(before)

    return register_retry_handler


def _acquire(original: Callable[..., Any]) -> Any:
    """Let so much time pass first that a token bucket of adaptive mode never has to wait."""

    def acquire(bucket: Any, amount: float, block: bool) -> Any:  # noqa: FBT001
        serving = _not_real()
        if serving is not None and block:
            bucket._refill()  # noqa: SLF001
            # It is less where the wall clock was set back.
            bucket._current_capacity = max(bucket._current_capacity, 0)  # noqa: SLF001
            while (missing := bucket._sleep_amount(amount)) > 0:  # noqa: SLF001
                serving.wait(max(missing, _SHORTEST_WAIT))
                bucket._refill()  # noqa: SLF001
        return original(bucket, amount, block)

    return acquire
