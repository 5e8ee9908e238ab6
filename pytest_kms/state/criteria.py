"""What a call must look like: the words in which assertions and `kms.trail.filter` ask for calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from pytest_kms import encryption_context, service
from pytest_kms.errors import UsageError
from pytest_kms.state.faults import MISHAPS
from pytest_kms.state.principal import Principal

if TYPE_CHECKING:
    from pytest_kms.state.trail import Event, KeyUse


class Circumstances(TypedDict, total=False):
    """What may be asked of a call besides its operation, its key and its end. None, or nothing, asks nothing.

    A criterion is compared as `criterion == value`, so that the values of dirty-equals work in place of each, and
    inside an encryption context.
    """

    encryption_context: Mapping[str, str] | Any
    """The whole of it."""
    principal: Principal | str | Any
    """The caller: a `Principal`, its ARN, or that of the role behind; a `Service` stands for whom it calls for."""
    via: str | Any
    """The AWS service through which the call came: `"s3"`, or as `kms:ViaService` has it."""


class Criteria(Circumstances, total=False):
    """What may be asked of a call besides its operation and its key."""

    error: str | Any
    """AWS's code of the error that the call ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a call must look like. A criterion that is None asks nothing.

    Values are compared as `criterion == value`, so that objects with an `__eq__` of their own work inside. A Principal
    stands for its ARN, and for the AWS service that calls for it, if there is one; a Service for its Principal.

    Raises:
        UsageError: there is no such operation or error, or nobody calls by such a name.

    """

    operation: str | Any = None
    keys: Collection[str] | None = None
    encryption_context: Any = None
    principal: Principal | str | Any = None
    via: str | Any = None
    error: str | Any = None
    identity_of: Callable[[str], str] = str

    def __post_init__(self) -> None:
        if isinstance(self.operation, str):
            service.expect_event(self.operation)
        elif isinstance(self.operation, (list, tuple, set)):
            raise UsageError(f"an operation is one, such as 'Encrypt', not {self.operation!r}")
        if isinstance(self.principal, str):
            _expect_caller(self.principal)
        if isinstance(self.error, type) and issubclass(self.error, Exception):
            object.__setattr__(self, "error", self.error.__name__)
        if isinstance(self.error, str):
            service.expect_code(self.error, (*MISHAPS, "NotSupported"))
        principal = getattr(self.principal, "principal", self.principal)  # a Service has one for whom it calls
        if isinstance(principal, Principal):
            object.__setattr__(self, "via", self.via or principal.via)
            object.__setattr__(self, "principal", principal.arn)

    @property
    def asks_no_more(self) -> bool:
        """Whether operation and key are all that is asked for, at most."""
        return self.encryption_context is None is self.principal and self.via is None is self.error

    def circumstances(self, caller: str = "by") -> str:
        """Tell what is asked for besides operation, key and end: ` with {order: 7} by ARN via SERVICE`."""
        told = ""
        context = self.encryption_context
        if context is not None:
            told += f" with {encryption_context.text(context) if isinstance(context, Mapping) else repr(context)}"
        if self.principal is not None:
            told += f" {caller} {self.principal}"
        return told if self.via is None else f"{told} via {self.via}"

    def uses_in(self, event: Event) -> Sequence[KeyUse]:
        """Give the uses of an event that are of the keys asked for: all, where none is asked for or none fits."""
        if self.keys is None:
            return event.uses
        return [use for use in event.uses if use.key in self.keys] or event.uses

    def differences(self, event: Event) -> tuple[str, ...]:
        """Name the criteria that an event does not meet, in the order above; none means that it matches."""
        missed = []
        if self.operation is not None and self.operation != event.operation:
            missed.append("operation")
        if self.keys is not None and not any(use.key in self.keys for use in event.uses):
            missed.append("key")
        if self.encryption_context is not None and not any(
            self.encryption_context == use.encryption_context for use in self.uses_in(event)
        ):
            missed.append("encryption context")
        if self.principal is not None and not self._is_by(event.principal):
            missed.append("principal")
        if self.via is not None and not self._is_via(event.via):
            missed.append("via")
        if self.error is not None and self.error != event.error:
            missed.append("error")
        return tuple(missed)

    def _is_by(self, caller: str) -> bool:
        return bool(self.principal == caller) or bool(self.principal == self.identity_of(caller))

    def _is_via(self, called_via: str | None) -> bool:
        """Compare with a service as `kms:ViaService` has it, or, without a dot, with its name in any Region."""
        if isinstance(self.via, str) and called_via and "." not in self.via:
            called_via = called_via.partition(".")[0]
        return bool(self.via == called_via)

    def matches(self, event: Event) -> bool:
        """Say whether an event meets every criterion."""
        return not self.differences(event)


def filter_of(
    operation: str | Any | None,
    keys: Collection[str] | None,
    criteria: Mapping[str, Any],
    identity_of: Callable[[str], str],
    *,
    known: type = Criteria,
) -> Filter:
    """Make a filter of what a test has said.

    Raises:
        UsageError: there is no such criterion; and as for `Filter`.

    """
    names = [name for base in reversed(known.__mro__) for name in getattr(base, "__annotations__", ())]
    for name in criteria:
        if name not in names:
            raise UsageError(f"there is no criterion {name!r}; what may be asked for: {', '.join(names)}")
    return Filter(operation=operation, keys=keys, identity_of=identity_of, **criteria)


def _expect_caller(arn: str) -> None:
    if not arn.startswith("arn:") and not arn.endswith(_OF_SERVICES) and arn != "AWS Internal":
        raise UsageError(
            f"a principal is a Principal or its ARN, and {arn!r} is none;"
            " kms.principal(...) returns one, and an event of kms.trail has its `principal`"
        )


_OF_SERVICES = (".amazonaws.com", ".amazonaws.com.cn")
