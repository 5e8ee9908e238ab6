"""What a test asserts of the calls of a fake: `kms.trail` and `kms.assert_*`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms import assertions, replay
from pytest_kms.assertions import Expectation
from pytest_kms.aws_service import Service
from pytest_kms.call_order import CallOrder
from pytest_kms.errors import UsageError
from pytest_kms.expected_calls import ExpectedCalls
from pytest_kms.state.block import Block
from pytest_kms.state.criteria import filter_of
from pytest_kms.state.key import Key
from pytest_kms.state.reading import ReadTrail

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from typing_extensions import Unpack

    from pytest_kms.state.criteria import Circumstances, Criteria, Filter
    from pytest_kms.state.principal import Policy, Principal
    from pytest_kms.state.trail import Trail
    from pytest_kms.state.world import World

_DENIED = "AccessDeniedException"


class Audited:
    """Something whose calls are recorded, and can be asserted on.

    Each assertion takes the same criteria, all optional: `operation`, AWS's name of it, such as `"GenerateDataKey"`;
    `key`, a `Key`, or a key id, key ARN, alias name or alias ARN; `encryption_context`, the whole of it; `principal`,
    the caller, a `Principal` or its ARN; `via`, the AWS service through which the call came; `error`, AWS's code of
    the error that the call ended with; and, where something is counted, `times`: exactly how often, by default at
    least once. Values of dirty-equals work in place of each.
    """

    world: World

    @property
    def trail(self) -> Trail:
        """The calls that the fake was asked, in order, and what KMS did by itself until now."""
        self.world.settle()
        return ReadTrail(self.world.trail)

    def assert_used(
        self,
        key: Key | str,
        operation: str | Any | None = None,
        *,
        times: int | None = None,
        **criteria: Unpack[Criteria],
    ) -> None:
        """Fail unless a key was used: a cryptographic operation on it, or the one named, succeeded.

        A call whose answer got lost has used the key all the same.

        Args:
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            operation: which, such as `"GenerateDataKey"`; by default any cryptographic one.
            times: exactly how often; by default at least once.
            criteria: `encryption_context`, the whole of it; `principal`, the caller, a `Principal` or its ARN; `via`,
                the AWS service through which the call came; `error`, AWS's code of the error that it ended with.

        Raises:
            AssertionError: it was not, or not that often.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        if key is None:
            raise UsageError("say which key; any use of any key is kms.assert_called(...)")
        wanted = self._filter(operation, key, **criteria)
        by = "" if operation is None else f" by {operation}"
        used = Expectation(f"{self._label(key)} to be used{by}", wanted, counts=assertions.is_use(operation))
        assertions.check(self.world, used, times=times)

    def assert_not_used(self, key: Key | str, operation: str | Any | None = None, **criteria: Unpack[Criteria]) -> None:
        """Fail if a key was used: if a cryptographic operation on it, or the one named, succeeded.

        Takes the arguments of `assert_used`, but for `times`.
        """
        __tracebackhide__ = True
        self.assert_used(key, operation, times=0, **criteria)

    def assert_only_used(
        self, *keys: Key | str, operation: str | Any | None = None, **criteria: Unpack[Criteria]
    ) -> None:
        """Fail unless each of these keys was used, in a cryptographic operation that succeeded, and no other.

        Args:
            keys: each a `Key`, or a key id, key ARN, alias name or alias ARN.
            operation: only uses by this one; by default by any cryptographic one.
            criteria: only uses that meet them, as for `assert_used`.

        Raises:
            AssertionError: one was not used, or another was.
            UsageError: there is no such key or operation, or a key is AWS owned.

        """
        __tracebackhide__ = True
        if not keys:
            raise UsageError("name at least one key; or say kms.assert_not_used(key)")
        for key in keys:
            self.assert_used(key, operation, **criteria)
        allowed = {arn for key in keys for arn in self.world.arns_of(key)}
        wanted, labels = self._filter(operation, **criteria), " and ".join(self._label(key) for key in keys)
        assertions.check_no_others(self.world, wanted, allowed, labels)

    def assert_only_customer_keys(self, *, operation: str | Any | None = None, **criteria: Unpack[Criteria]) -> None:
        """Fail unless keys were used, in cryptographic operations that succeeded, and all are customer managed.

        What a service encrypts with an AWS owned key is in no trail, as it is not in CloudTrail: that it was left with
        its own key can show only by the lack of calls. So a test in which no key was used fails, too.

        Args:
            operation: only uses by this one; by default by any cryptographic one.
            criteria: only uses that meet them, as for `assert_used`.

        Raises:
            AssertionError: an AWS managed key was used, or no key at all.

        """
        __tracebackhide__ = True
        assertions.check_only_customer_keys(self.world, self._filter(operation, **criteria))

    def assert_called(
        self,
        operation: str | Any | None = None,
        *,
        key: Key | str | None = None,
        times: int | None = None,
        **criteria: Unpack[Criteria],
    ) -> None:
        """Fail unless an operation was called, whatever came of it; attempts of one call count once.

        Args:
            operation: AWS's name of it; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how often; by default at least once.
            criteria: `encryption_context`, the whole of it; `principal`, the caller, a `Principal` or its ARN; `via`,
                the AWS service through which the call came; `error`, AWS's code of the error that it ended with.

        Raises:
            AssertionError: it was not, or not that often.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        text = f"{_any(operation, 'an operation')}{self._on(key)} to be called"
        assertions.check(self.world, Expectation(text, self._filter(operation, key, **criteria)), times=times)

    def assert_not_called(
        self, operation: str | Any | None = None, *, key: Key | str | None = None, **criteria: Unpack[Criteria]
    ) -> None:
        """Fail if an operation was called, whatever came of it; without arguments, if anything called KMS.

        Takes the arguments of `assert_called`, but for `times`.
        """
        __tracebackhide__ = True
        self.assert_called(operation, key=key, times=0, **criteria)

    def assert_called_in_order(
        self, *steps: str | Any | tuple[str | Any, Key | str], **criteria: Unpack[Criteria]
    ) -> None:
        """Fail unless these operations were called one after the other, whatever came of them; others may come between.

        ::

            kms.assert_called_in_order("GenerateDataKey", ("Encrypt", "alias/orders"), "Decrypt")

        Args:
            steps: each an operation, or an operation and a key.
            criteria: what each of the calls must meet, as for `assert_called`.

        Raises:
            AssertionError: they were not, or in another order. Calls stand in the order in which they began.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        if not steps:
            raise UsageError("name at least one operation")
        expected = []
        for step in steps:
            operation, key = step if isinstance(step, tuple) else (step, None)
            expected.append(Expectation(f"{operation}{self._on(key)}", self._filter(operation, key, **criteria)))
        CallOrder(self.world, expected).check()

    def expect_calls(
        self,
        *,
        others: int | None = None,
        key: Key | str | None = None,
        encryption_context: Any = None,
        principal: Principal | str | Any | None = None,
        via: str | Any | None = None,
        error: str | Any | None = None,
        **counts: int,
    ) -> AbstractContextManager[None]:
        """Fail at the end of a block unless it has made exactly so many calls of each operation that is named.

        Operations that are not named are free, unless `others` says how many calls of them there may be. Attempts of
        one call count once, and the calls of all threads count that begin inside the block. Blocks may stand inside
        each other; a call of the inner counts in the outer, too. An exception of the block goes through.

        ::

            with kms.expect_calls(Decrypt=1, GenerateDataKey=0):
                read_order(7)                     # may describe the key as often as it likes
            with kms.expect_calls(others=0):
                read_order(7)                     # from the cache: no call at all

        Args:
            counts: operations, and exactly how often each is called.
            others: exactly how many calls of all other operations there are; by default any number.
            key: count only calls on this key, as for `assert_called`; so for the other criteria.
            encryption_context: the whole of it.
            principal: the caller, a `Principal` or its ARN.
            via: the AWS service through which the call came.
            error: AWS's code of the error that the call ended with.

        Raises:
            AssertionError: the block has called otherwise.
            UsageError: there is no such key or operation, a count is none, or nothing is expected.

        """
        wanted = self._filter(
            None, key, encryption_context=encryption_context, principal=principal, via=via, error=error
        )
        expected = ExpectedCalls(lambda: self.world, wanted, self._on(key), counts, others)
        return Block(self.world, "kms.expect_calls(...)", expected)

    def assert_throttled(
        self,
        operation: str | Any | None = None,
        *,
        key: Key | str | None = None,
        times: int | None = None,
        **criteria: Unpack[Criteria],
    ) -> None:
        """Fail unless requests were throttled.

        Args:
            operation: which; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how many requests; each attempt of a call counts. By default at least one.
            criteria: as for `assert_called`; `error` is what the call ended with after its retries.

        """
        __tracebackhide__ = True
        expected = Expectation(
            f"{_any(operation)}{self._on(key)} to be throttled",
            self._filter(operation, key, **criteria),
            counts=lambda event: event.throttled,
            otherwise="not throttled",
        )
        assertions.check(self.world, expected, times=times)

    def assert_retried(
        self,
        operation: str | Any | None = None,
        *,
        key: Key | str | None = None,
        times: int | None = None,
        error: str | Any | None = None,
        **criteria: Unpack[Circumstances],
    ) -> None:
        """Fail unless a client tried again.

        Args:
            operation: which; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how many retries; a call that took three attempts had two. By default at least one.
            error: only after this: AWS's code, or what happened on the way, such as `"ReadTimeoutError"`.
            criteria: `encryption_context`, `principal` and `via`, as for `assert_called`.

        Raises:
            AssertionError: it did not, or not that often.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        after = "" if error is None else f" after {error}"
        expected = Expectation(
            f"{_any(operation)}{self._on(key)} to be retried{after}",
            self._filter(operation, key, **criteria),
            counts=assertions.retries_after(error),
            otherwise=f"not retried{after}",
        )
        assertions.check(self.world, expected, times=times)

    def assert_denied(
        self,
        operation: str | Any | None = None,
        *,
        key: Key | str | None = None,
        times: int | None = None,
        **criteria: Unpack[Criteria],
    ) -> None:
        """Fail unless calls ended with AccessDeniedException.

        Args:
            operation: which; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how many calls; by default at least one.
            criteria: as for `assert_called`; `error` goes without saying.

        """
        __tracebackhide__ = True
        expected = Expectation(
            f"{_any(operation)}{self._on(key)} to be denied",
            self._filter(operation, key, **{"error": _DENIED, **criteria}),
            counts=lambda event: event.error == _DENIED,
            tells_error=False,
            caller="to",
        )
        assertions.check(self.world, expected, times=times)

    def assert_allowed_by(
        self,
        policy: Policy | os.PathLike[str],
        *,
        principal: Principal | Service | str | None = None,
        key: Key | str | None = None,
    ) -> None:
        """Fail unless a policy would allow the recorded calls: an identity policy, or with `key` the policy of a key.

        An identity policy is asked for every permission that the calls took, on keys and all else; calls of AWS
        services and root users, who have no identity policies, are left out. A key policy is asked about the uses of
        its key, by everyone who used it; where it leaves a use to the identity policies of an account, it counts as
        allowed, whatever those say. Calls that were denied are not asked, all others are, whatever came of them. What
        a grant allows that the key still has needs no policy besides, as at AWS; nor does it to retire a grant.

        Conditions are asked about the calls as they were recorded, and about keys and callers as they are now. Every
        request counts as one over TLS. What is recorded nowhere (`aws:UserAgent`, what an enclave attests) no policy
        can be asked about.

        ::

            kms.assert_allowed_by(Path("policies/app.json"), principal="arn:aws:iam::123456789012:role/app")
            kms.assert_allowed_by(Path("policies/orders-key.json"), key="alias/orders")

        Args:
            policy: as a mapping, as JSON, or the path of a JSON file (`pathlib.Path`; a string is JSON).
            principal: only the calls of a `Principal` or a `Service`, or of an ARN: of a caller, or of the role
                behind sessions. By default those of all.
            key: whose policy it is: a `Key`, or a key id, key ARN, alias name or alias ARN.

        Raises:
            AssertionError: it would deny some, or there is no call to ask about.
            UsageError: there is no such file or key, it is no policy that AWS would take, a condition asks what is
                not known, or the principal has no identity policies.

        """
        __tracebackhide__ = True
        caller = principal.principal if isinstance(principal, Service) else principal
        if key is None and caller is not None and not isinstance(caller, str):
            replay.expect_identity_policies(caller)
        document = replay.policy(policy, of_key=key is not None)
        replayed = replay.Replay(self.world, document, caller, self._arns(key))
        replayed.check("" if key is None else self._label(key))

    # within

    def _filter(
        self, operation: str | Any | None, key: Key | str | None = None, **criteria: Unpack[Criteria]
    ) -> Filter:
        self.world.settle()
        return filter_of(operation, self._arns(key), criteria, self.world.identity_of)

    def _arns(self, key: Key | str | None) -> Collection[str] | None:
        return None if key is None else self.world.arns_of(key)

    def _label(self, key: Key | str) -> str:
        return key.label if isinstance(key, Key) else str(key)

    def _on(self, key: Key | str | None) -> str:
        return "" if key is None else f" on {self._label(key)}"


def _any(operation: str | Any | None, otherwise: str = "a call") -> str:
    return otherwise if operation is None else str(operation)
