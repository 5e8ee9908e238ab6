"""From when to when a fake is active: `fake_kms`, a context manager and a decorator."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pytest_kms import stub, surroundings
from pytest_kms.errors import UsageError
from pytest_kms.fake import DEFAULT_ACCOUNT, FakeKMS

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_kms.verdicts import MaxCalls, Verdict

C = TypeVar("C", bound=type)
R = TypeVar("R")


class fake_kms:  # noqa: N801  # it is called like a function
    """Activate a fake without the fixture: as a context manager, or as a decorator.

    ::

        with fake_kms() as kms:
            ...

        @fake_kms()
        def test_something(kms): ...            # called without it

        @fake_kms()
        class TestVault(unittest.TestCase):      # one fake for the class: self.kms, from setUpClass on
            ...

    Each `with` and each call of a decorated function has a new fake. A decorated function gets it as the
    keyword argument `kms`, if it has one. The verdicts at its end are those of the fixture; in a decorated class
    they are of each of its tests.

    Args:
        region: where keys are made by default.
        account: the account of the default principal, 12 digits.
        quotas: False to enforce no request quotas, or some quotas and their values in calls per second.
        seed: makes key ids, key material, symmetric ciphertexts and random bytes repeat.
        real_backoff: let botocore's retries sleep.
        eventual_consistency: seconds of the fake's time until what calls change becomes visible.
        unsupported: `"error"`, a refusal of what this version lacks that was swallowed is an error; or `"ignore"`.
        unused_faults: `"error"`, what was ordered to fail and never did is an error; or `"ignore"`.
        unasserted_calls: `"error"`, a call that no assertion looked at is an error; or `"ignore"`.
        max_calls: operations, and how often each may be called.

    Raises:
        AssertionError: at the end, unless an exception has ended it: faults were never used, the application has
            swallowed a refusal, there were more calls than `max_calls`, or some that no assertion looked at.
        UsageError: an argument is none that AWS could have, or what is decorated cannot be.

    """

    def __init__(
        self,
        *,
        region: str | None = None,
        account: str = DEFAULT_ACCOUNT,
        quotas: bool | Mapping[str, float] = True,
        seed: int | str | None = None,
        real_backoff: bool = False,
        eventual_consistency: float | str = 0,
        unsupported: Verdict = "error",
        unused_faults: Verdict = "error",
        unasserted_calls: Verdict = "ignore",
        max_calls: MaxCalls = None,
        origin: str = "another fake of this process",
    ) -> None:
        self._make = functools.partial(
            FakeKMS,
            region=region,
            account=account,
            quotas=quotas,
            seed=seed,
            real_backoff=real_backoff,
            eventual_consistency=eventual_consistency,
            unsupported=unsupported,
            unused_faults=unused_faults,
            unasserted_calls=unasserted_calls,
            max_calls=max_calls,
            origin=origin,
        )
        self._exits: list[tuple[FakeKMS, ExitStack]] = []

    def __enter__(self) -> FakeKMS:
        stack = ExitStack()
        kms = stack.enter_context(active(self._make))
        self._exits.append((kms, stack))
        return kms

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        kms, stack = self._exits.pop()
        with stack:
            if kind is None:
                _judge(kms)

    @overload
    def __call__(self, decorated: C) -> C: ...
    @overload
    def __call__(self, decorated: Callable[..., R]) -> Callable[..., R]: ...
    def __call__(self, decorated: Any) -> Any:
        """Decorate a function, a coroutine function or a unittest.TestCase."""
        if isinstance(decorated, type):
            return self._wrap_class(decorated)
        return self._wrap_function(decorated)

    def _wrap_function(self, function: Any) -> Any:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(f"{function.__name__} is a generator; enter fake_kms() within it instead")
        give, signature = _giver_of_kms(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                with active(self._make) as kms:
                    result = await give(kms, args, kwargs)
                    _judge(kms)
                    return result
        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                with active(self._make) as kms:
                    result = give(kms, args, kwargs)
                    _judge(kms)
                    return result

        wrapper.__signature__ = signature  # type: ignore[attr-defined]
        return wrapper

    def _wrap_class(self, cls: Any) -> Any:
        if not issubclass(cls, unittest.TestCase):
            raise UsageError(
                f"{cls.__name__} is no unittest.TestCase; put @pytest.mark.usefixtures('kms') on it instead"
            )
        set_up = cls.setUpClass.__func__

        @classmethod  # type: ignore[misc]
        @functools.wraps(set_up)
        def setUpClass(cls: Any) -> None:
            stack = ExitStack()
            cls.kms = stack.enter_context(active(self._make))
            cls.addClassCleanup(stack.close)
            try:
                set_up(cls)
            except Exception:
                raise
            except BaseException:
                # unittest cleans up after exceptions of the first kind alone.
                cls.doClassCleanups()
                raise

        run = cls.run

        @functools.wraps(run)
        def run_judged(self: Any, result: Any = None) -> Any:
            kms = getattr(self, "kms", None)
            if kms is not None:
                name = self.id().rpartition(".")[2]
                setattr(self, name, _judged(getattr(self, name), kms))
            return run(self, result)

        cls.setUpClass = setUpClass
        cls.run = run_judged
        return cls


def _judged(method: Any, kms: FakeKMS) -> Any:
    """Let a test of a class end with a verdict of its own."""
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def judged() -> None:
            __tracebackhide__ = True
            with _leaving_nothing(kms):
                await method()
                _judge(kms)
    else:

        @functools.wraps(method)
        def judged() -> None:
            __tracebackhide__ = True
            with _leaving_nothing(kms):
                method()
                _judge(kms)

    return judged


@contextmanager
def _leaving_nothing(kms: FakeKMS) -> Iterator[None]:
    try:
        yield
    finally:
        kms.forget_verdicts()


def _judge(kms: FakeKMS) -> None:
    """Raise what fails a test at its end."""
    __tracebackhide__ = True
    told = kms.verdicts()
    if told:
        raise AssertionError("\n".join(told))


@contextmanager
def active(make: Callable[[], FakeKMS]) -> Iterator[FakeKMS]:
    """Let a new fake answer, without a verdict at its end."""
    kms = make()
    with surroundings.lent(kms.world.region):
        stub.activate(kms)
        try:
            yield kms
        finally:
            stub.deactivate(kms)
            kms.be_seen()


def _giver_of_kms(
    function: Callable[..., Any],
) -> tuple[Callable[[FakeKMS, tuple[Any, ...], dict[str, Any]], Any], inspect.Signature]:
    """Return how to call a function that may ask for `kms`, and its signature for those who do not give it."""
    signature = inspect.signature(function)
    names = list(signature.parameters)
    if "kms" not in names:
        return lambda _, args, kwargs: function(*args, **kwargs), signature
    place = names.index("kms")
    by_place = signature.parameters["kms"].kind is not inspect.Parameter.KEYWORD_ONLY

    def give(kms: FakeKMS, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if by_place and len(args) >= place:
            return function(*args[:place], kms, *args[place:], **kwargs)
        return function(*args, kms=kms, **kwargs)

    others = [parameter for name, parameter in signature.parameters.items() if name != "kms"]
    return give, signature.replace(parameters=others)
