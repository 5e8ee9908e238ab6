"""botocore's KMS model, loaded once: shapes, constraints, errors, paginators."""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms.errors import UsageError

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, StructureShape


@cache
def model() -> ServiceModel:
    """Load the model of KMS that the installed botocore speaks."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("kms", "service-2"), "kms")


@cache
def operation_names() -> tuple[str, ...]:
    """Name every operation of the model, in alphabetical order."""
    return tuple(sorted(model().operation_names))


def expect_operation(name: str) -> str:
    """Return the name of an operation, as a test has given it.

    Raises:
        UsageError: KMS has none of that name.

    """
    if name in operation_names():
        return name
    near = difflib.get_close_matches(name, operation_names(), n=3, cutoff=0.4)
    suggestion = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"KMS has no operation {name!r}.{suggestion}")


@cache
def operation_model(name: str) -> OperationModel:
    """Return the model of one operation."""
    return model().operation_model(name)


def input_shape(name: str) -> StructureShape:
    """Return the shape of an operation's input."""
    shape = operation_model(name).input_shape
    if shape is None:  # pragma: no cover  # every operation of KMS has one
        raise LookupError(name)
    return shape


@cache
def paginator(name: str) -> dict[str, Any]:
    """Return how an operation pages: its tokens, its limit and the member that holds the entries."""
    from botocore.loaders import Loader

    paginators: dict[str, dict[str, Any]] = Loader().load_service_model("kms", "paginators-1")["pagination"]
    return paginators[name]


@cache
def secret_members(name: str) -> frozenset[str]:
    """Name the input members of an operation that no log may show: blobs, secrets, and what holds them.

    CloudTrail leaves grant tokens out as well.
    """
    members = input_shape(name).members
    return frozenset(member for member, shape in members.items() if _is_secret(shape)) | {"GrantTokens"}


def _is_secret(shape: Any) -> bool:
    if shape.type_name == "structure":
        return any(_is_secret(member) for member in shape.members.values())
    return shape.type_name == "blob" or bool(shape.metadata.get("sensitive"))
