"""What a call must look like: the words in which assertions and `kms.trail.filter` ask for calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from pytest_kms import encryption_context, service
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
    """The caller: a `Principal`, or its ARN; a `Service` stands for the principal that it calls for."""
    via: str | Any
    """The AWS service through which the call came, as `kms:ViaService` has it: `"s3.us-east-1.amazonaws.com"`."""


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
        UsageError: there is no such operation.

    """

    operation: str | Any = None
    keys: Collection[str] | None = None
    encryption_context: Any = None
    principal: Principal | str | Any = None
    via: str | Any = None
    error: str | Any = None

    def __post_init__(self) -> None:
        if isinstance(self.operation, str):
            service.expect_event(self.operation)
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
        if self.principal is not None and self.principal != event.principal:
            missed.append("principal")
        if self.via is not None and self.via != event.via:
            missed.append("via")
        if self.error is not None and self.error != event.error:
            missed.append("error")
        return tuple(missed)

    def matches(self, event: Event) -> bool:
        """Say whether an event meets every criterion."""
        return not self.differences(event)
