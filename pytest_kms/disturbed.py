"""What a test lets go wrong on purpose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pytest_kms import service
from pytest_kms.audited import Audited
from pytest_kms.errors import ThrottlingException, UsageError
from pytest_kms.state.block import Block
from pytest_kms.state.criteria import Circumstances, filter_of
from pytest_kms.state.faults import Failure, Fault, Latency, Scope, failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from typing_extensions import Unpack

    from pytest_kms.state.faults import When
    from pytest_kms.state.key import Key


class Disturbed(Audited):
    """Something whose calls fail, or take time, when a test wants them to."""

    def throttle(
        self,
        operation: str | None = None,
        *,
        key: Key | str | None = None,
        times: int = 1,
        after: int = 0,
        when: When | None = None,
        optional: bool = False,
        **circumstances: Unpack[Circumstances],
    ) -> None:
        """Throttle the next requests, whatever the quotas say.

        botocore retries a throttled request; its waits pass the fake's time and take no wall time.

        Args:
            operation: which; by default any.
            key: only requests on this key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: how many requests. A test whose faults are not all used fails at its end.
            after: how many requests to let pass first, of those that this is meant for.
            when: only requests of such facts, as for `fail`.
            optional: whether the test may end without.
            circumstances: `encryption_context`, `principal` and `via` of the requests, as for `assert_called`.

        Raises:
            UsageError: there is no such operation or key.

        """
        meant = partial(ThrottlingException, why="the test ordered it with kms.throttle")
        scope = self._scope(operation, key, when, circumstances)
        self._order(Failure(meant), scope, times=times, after=after, optional=optional)

    def fail(
        self,
        operation: str | None,
        error: str | type[BaseException],
        *,
        key: Key | str | None = None,
        times: int = 1,
        after: int = 0,
        when: When | None = None,
        carried_out: bool | None = None,
        optional: bool = False,
        **circumstances: Unpack[Circumstances],
    ) -> None:
        """Let the next requests fail, whatever they ask: with an error of AWS, or on the way.

        For what only AWS itself or the network can cause, and to see what the code under test makes of any other error
        without arranging its cause. The answer has AWS's status, so that botocore retries where it does with AWS
        (`KMSInternalException` and all else of the statuses 500 and 503); its waits pass the fake's time and take no
        wall time. Its message is AWS's where one is known, and empty elsewhere.

        On the way a request ends with an exception of botocore's, by its name or class: `EndpointConnectionError`
        (no such host, refused), `ConnectTimeoutError`, `SSLError`, `ConnectionClosedError`, `ReadTimeoutError`. Or its
        answer arrives spoilt: `"TruncatedBody"`, half of it, or `"HTMLBody"`, a gateway's error page of status 502.
        A timeout takes the time that the client's configuration gives it, of the fake's.

        After `ReadTimeoutError` and `"TruncatedBody"` KMS has done what was asked, and the client was not told, which
        is what makes a retry do it twice: `event.carried_out` counts it. Say `carried_out` for what may be either.

        What is ordered with `fail` and `throttle` stands in one queue: each request goes to the first order that is
        meant for it and not used up, and to no other. A request that was not carried out changes nothing, is counted
        by no quota, and is recorded as any other.

        ::

            kms.fail("GenerateDataKey", "KMSInternalException", times=2)        # two attempts, then all is well
            kms.fail("Decrypt", "AccessDeniedException", key="alias/orders", after=3)          # the fourth alone
            kms.fail(None, "DependencyTimeoutException", times=5)                              # any operation
            kms.fail("CreateKey", "ReadTimeoutError")                            # there is a key, nobody knows it
            kms.fail("Encrypt", "SSLError", when=lambda event: event.attempts[0].number == 1)

        Args:
            operation: which, such as `"Decrypt"`; None for any.
            error: AWS's code: an error that botocore's model declares for the operation, or one that any operation
                may end with (`AccessDeniedException`, `DependencyTimeoutException`, `KMSInternalException`,
                `KeyUnavailableException`, `ServiceUnavailable`, `ThrottlingException`, `ValidationException` …); or
                what happens on the way.
            key: only requests on this key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: how many requests; each attempt of a call is one. A test whose faults are not all used fails at its
                end.
            after: how many requests to let pass first, of those that this is meant for.
            when: only requests of such facts: members of the request and their values, or a function that gets the
                `Event` as it would be recorded, without secrets.
            carried_out: whether KMS does what was asked before it fails: for `ReadTimeoutError`,
                `ConnectionClosedError`, `"HTMLBody"` and AWS's errors of status 500 and 503.
            optional: whether the test may end without.
            circumstances: `encryption_context`, `principal` and `via` of the requests, as for `assert_called`.

        Raises:
            UsageError: there is no such operation or key, the operation never ends with such an error, or cannot be
                carried out before.

        """
        scope = self._scope(operation, key, when, circumstances)
        meant = failure(operation, error, carried_out, why="the test ordered it with kms.fail")
        self._order(meant, scope, times=times, after=after, optional=optional)

    def outage(
        self,
        operation: str | None = None,
        error: str | type[BaseException] = "EndpointConnectionError",
        *,
        key: Key | str | None = None,
        when: When | None = None,
        carried_out: bool | None = None,
        optional: bool = False,
        **circumstances: Unpack[Circumstances],
    ) -> AbstractContextManager[None]:
        """Let every request fail while this is open, before anything that `fail` and `throttle` have ordered.

        ::

            with kms.outage():
                orders.seal(order)                    # no endpoint answers, however often botocore tries
            with kms.outage("Decrypt", "KMSInternalException", key="alias/orders"):
                ...

        Args:
            operation: which; by default any.
            error: as for `fail`.
            key: only requests on this key.
            when: only requests of such facts, as for `fail`.
            carried_out: as for `fail`.
            optional: whether no request may meet it; otherwise a test in which none does fails at its end.
            circumstances: as for `fail`.

        Raises:
            UsageError: as for `fail`.

        """
        meant = failure(operation, error, carried_out, why="the test ordered it with kms.outage")
        fault = Fault(meant, self._scope(operation, key, when, circumstances), optional=optional)
        return Block(self.world, "kms.outage(...)", self._open(fault))

    @contextmanager
    def _open(self, fault: Fault) -> Iterator[None]:
        faults = self.world.faults
        with self.world.lock:
            faults.outages.append(fault)
        try:
            yield
        finally:
            with self.world.lock:
                faults.end(fault)

    def latency(
        self,
        seconds: float,
        operation: str | None = None,
        *,
        key: Key | str | None = None,
        when: When | None = None,
        times: int | None = None,
        **circumstances: Unpack[Circumstances],
    ) -> None:
        """Let requests take time, of the fake's, until a test says otherwise; the latest word counts.

        A client whose `read_timeout` is shorter gets botocore's `ReadTimeoutError` after that time, and tries again,
        while KMS has done what was asked. What threads and tasks wait side by side adds up, in the fake's time.

        ::

            kms.latency(0.2)                                     # every call, from here on
            kms.latency(90, "GenerateDataKey", times=1)          # one is too slow for botocore's 60 seconds

        Args:
            seconds: how long each takes; 0 for none.
            operation: which; by default any.
            key: only requests on this key.
            when: only requests of such facts, as for `fail`.
            times: how many requests; by default all.
            circumstances: as for `fail`.

        Raises:
            UsageError: there is no such operation or key, or the time is negative.

        """
        if not (isinstance(seconds, (int, float)) and 0 <= seconds < math.inf):
            raise UsageError(f"seconds is 0 or more, not {seconds!r}")
        if times is not None:
            _expect_number("times", times, 1)
        scope = self._scope(operation, key, when, circumstances)
        self.world.faults.latencies.append(Latency(seconds, scope, math.inf if times is None else times))

    def eventual_consistency(self, *, seconds: float | None = None, calls: int | None = None) -> None:
        """Let what calls change become visible late, as AWS sometimes does. Without this it is visible at once.

        Late are new keys and replicas, new, updated and deleted aliases, new grants and the end of old ones, key
        policies and tags, with what policies make of aliases and tags: until then calls see, and are judged by, what
        was there before. A grant token makes its grant valid at once. Nobody sees a change early, not even who made
        it, so that code has no luck here that it might not have with AWS. What is there already cannot be made twice,
        and what is gone already not be changed, seen or not. What a test arranges is visible at once.

        The trail's `why`, and with it the report of a failing test, names what a call did not see yet.

        ::

            kms.eventual_consistency(seconds=5)
            key_id = make_key()                     # the code under test
            kms.clock.advance(seconds=5)            # until now NotFoundException
            use_key(key_id)

        Args:
            seconds: how long after its call a change becomes visible, in the fake's time. What retries wait counts;
                `kms.clock.freeze()` keeps the wall clock out of it.
            calls: how many calls that would have seen a change do not; throttled and failed ones (`kms.throttle`,
                `kms.fail`) are not counted.

        One of both has to be given; 0 makes all visible at once, what was changed before as well. Otherwise it
        holds for what is changed from now on.

        Raises:
            UsageError: not one of the two is given, or it is no such number.

        """
        with self.world.lock:
            self.world.consistency.delay(seconds, calls)

    def unused_faults(self) -> list[Fault]:
        """Return the faults that were ordered and not used up."""
        return self.world.faults.unused

    def _order(self, meant: Failure, scope: Scope, *, times: int, after: int, optional: bool) -> None:
        _expect_number("times", times, 1)
        _expect_number("after", after, 0)
        self.world.faults.queue.append(Fault(meant, scope, times, after, optional))

    def _scope(
        self, operation: str | None, key: Key | str | None, when: When | None, circumstances: Circumstances
    ) -> Scope:
        if operation is not None:
            service.expect_operation(operation)
        if isinstance(when, Mapping):
            service.expect_told_members(operation, when)
        wanted = filter_of(operation, self._arns(key), circumstances, self.world.identity_of, known=Circumstances)
        return Scope(wanted, when)


def _expect_number(name: str, given: object, least: int) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < least:
        raise UsageError(f"{name} is {least} or more, not {given!r}")
