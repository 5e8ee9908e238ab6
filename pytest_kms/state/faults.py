"""What a test has ordered to go wrong: failures, first in, first out; outages; and how long calls take."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import KMSError, Mishap, Refusal, UsageError

if TYPE_CHECKING:
    from typing import TypeAlias

    from pytest_kms.state.criteria import Filter
    from pytest_kms.state.trail import Event

    When: TypeAlias = Mapping[str, Any] | Callable[[Event], object]

CONNECT_TIMEOUT = "ConnectTimeoutError"
READ_TIMEOUT = "ReadTimeoutError"
CONNECTION_CLOSED = "ConnectionClosedError"
NEVER_SENT = (CONNECT_TIMEOUT, "EndpointConnectionError", "SSLError")
"""botocore's exceptions for a request that reaches nobody."""
CUT = "TruncatedBody"
NO_JSON = "HTMLBody"
MISHAPS = (CONNECTION_CLOSED, *NEVER_SENT, READ_TIMEOUT, NO_JSON, CUT)
"""What a client may meet in place of KMS's answer: exceptions of botocore's, and bodies that are none of KMS's."""

_CARRIED_OUT = (READ_TIMEOUT, CUT)
"""After these the request was carried out, if the test says nothing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail: what the client meets, and whether what it asked is done all the same."""

    make: Callable[[], KMSError | Mishap]
    carried_out: bool = False

    @property
    def code(self) -> str:
        """AWS's code, or the name of what happens on the way."""
        return self.make().code


def failure(operation: str | None, error: str | type[BaseException], carried_out: bool | None, *, why: str) -> Failure:  # noqa: FBT001
    """Return the failure that a test has named, by AWS's code, botocore's exception, or the class of either.

    Raises:
        UsageError: the operation never fails so, or cannot be carried out before it does.

    """
    name = error if isinstance(error, str) else error.__name__
    if name in MISHAPS:
        make: Callable[[], KMSError | Mishap] = partial(Mishap, name, why=why)
        may_be = name not in NEVER_SENT
    else:
        kind: Callable[..., KMSError] = service.expect_error(operation, name, MISHAPS)
        make = partial(kind, why=why)
        may_be = kind.status >= 500  # type: ignore[attr-defined]  # it is a class
    if carried_out and not may_be:
        raise UsageError(f"a request that ends with {name} was not carried out")
    if carried_out is False and name == CUT:
        raise UsageError(f"an answer that ends with {name} comes of a request that was carried out")
    return Failure(make, name in _CARRIED_OUT if carried_out is None else carried_out)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests are meant: in the words of assertions, and by facts of any kind. None asks nothing."""

    wanted: Filter
    when: When | None

    def covers(self, operation: str, keys: Collection[str], event: Callable[[], Event]) -> bool:
        """Say whether a call is meant; `event` tells what will be recorded of it."""
        wanted = self.wanted
        if wanted.operation not in (None, operation):
            return False
        if wanted.keys is not None and not any(key in wanted.keys for key in keys):
            return False
        if self.when is None and wanted.asks_no_more:
            return True
        told = event()
        return wanted.matches(told) and (self.when is None or self._agrees(told))

    def _agrees(self, event: Event) -> bool:
        if isinstance(self.when, Mapping):
            given = event.parameters
            return all(name in given and value == given[name] for name, value in self.when.items())
        try:
            return bool(self.when(event))  # type: ignore[misc]  # it is callable
        except Exception as error:
            raise Refusal(f"the function given as when= has failed: {error!r}") from error

    def __str__(self) -> str:
        named = f"{self.wanted.operation or 'any operation'}{self.wanted.circumstances()}"
        if isinstance(self.when, Mapping):
            return f"{named} with {', '.join(f'{name}={value!r}' for name, value in self.when.items())}"
        return named if self.when is None else f"{named} when {getattr(self.when, '__name__', repr(self.when))}"


@dataclass(slots=True, eq=False)
class Fault:
    """A failure that the next calls meet, whatever they ask; the first calls (`after`) it lets pass.

    An outage is one that never ends by itself.
    """

    failure: Failure
    scope: Scope
    left: float = math.inf
    after: int = 0
    optional: bool = False
    struck: int = field(default=0, init=False)

    @property
    def unused(self) -> bool:
        """Whether a test has ordered it in vain."""
        return not self.optional and (not self.struck if self.left == math.inf else self.left > 0)

    def strike(self) -> bool:
        """Say whether a call that it is meant for fails; those to let pass do not."""
        if self.after:
            self.after -= 1
            return False
        self.left -= 1
        self.struck += 1
        return True

    def __str__(self) -> str:
        told = f"{self.failure.code} for {self.scope}, "
        if self.left == math.inf:
            return f"{told}an outage that no call met"
        after = f", after {self.after} more calls" if self.after else ""
        return f"{told}{self.left} of them left{after}"


@dataclass(slots=True, eq=False)
class Latency:
    """How many seconds of the fake's time the next calls take."""

    seconds: float
    scope: Scope
    left: float = math.inf


class Faults:
    """What a test has ordered to go wrong, and not taken back."""

    def __init__(self) -> None:
        self.queue: list[Fault] = []
        self.outages: list[Fault] = []
        self.latencies: list[Latency] = []
        self._ended: list[Fault] = []

    @property
    def unused(self) -> list[Fault]:
        """Those that were ordered in vain."""
        return [fault for fault in (*self.queue, *self.outages, *self._ended) if fault.unused]

    def end(self, outage: Fault) -> None:
        """End an outage; one that no call met is left among the unused."""
        if outage in self.outages:
            self.outages.remove(outage)
            self._ended += [outage] if outage.unused else []

    def clear(self) -> None:
        """Let all go well again."""
        self.queue.clear()
        self.outages.clear()
        self._ended.clear()
        self.latencies.clear()

    def strike(self, operation: str, keys: Collection[str], event: Callable[[], Event]) -> Failure | None:
        """Return how a call fails, if it does: by the latest outage, or by the first order that is meant for it."""
        for outage in reversed(self.outages):
            if outage.scope.covers(operation, keys, event):
                outage.strike()
                return outage.failure
        for fault in self.queue:
            if fault.left and fault.scope.covers(operation, keys, event):
                return fault.failure if fault.strike() else None
        return None

    def seconds(self, operation: str, keys: Collection[str], event: Callable[[], Event]) -> float:
        """Return how long a call takes: the latest order that is meant for it says so."""
        for latency in reversed(self.latencies):
            if latency.left and latency.scope.covers(operation, keys, event):
                latency.left -= 1
                return latency.seconds
        return 0
