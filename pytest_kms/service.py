"""botocore's KMS model, loaded once: shapes, constraints, errors, paginators."""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.errors import COMMON, KMSError, UsageError, class_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


SERVICE_EVENTS = ("DeleteExpiredKeyMaterial", "DeleteKey", "RotateKey", "SynchronizeMultiRegionKey")
"""What CloudTrail records of KMS's own doing: nobody calls it."""


def expect_event(name: str) -> str:
    """Return the name of an operation, or of something that KMS does by itself, as a test has given it.

    Raises:
        UsageError: KMS has none of that name.

    """
    return name if name in SERVICE_EVENTS else expect_operation(name)


def expect_operation(name: str) -> str:
    """Return the name of an operation, as a test has given it.

    Raises:
        UsageError: KMS has none of that name.

    """
    if name in operation_names():
        return name
    near = difflib.get_close_matches(name, operation_names(), n=3, cutoff=0.4)
    raise UsageError(f"KMS has no operation {name!r}.{_suggestion(near)}")


def expect_error(operation: str | None, code: str, others: Sequence[str] = ()) -> type[KMSError]:
    """Return the class of an error that an operation, or any, may end with, as a test has given its code.

    `others` are what else might have been meant.

    Raises:
        UsageError: it cannot.

    """
    own = () if operation is None else declared_errors(expect_operation(operation))
    common = tuple(error.__name__ for error in COMMON)
    if code in own or code in common:
        return class_of(code)
    possible = sorted({*own, *common}, key=str.lower)
    stems = {error.removesuffix("Exception"): error for error in (*possible, *others)}
    near = difflib.get_close_matches(code.removesuffix("Exception"), stems, n=3, cutoff=0.7)
    never = f"{operation} never ends" if operation else "not every operation may end"
    raise UsageError(
        f"{never} with the error {code!r}.{_suggestion([stems[stem] for stem in near])}"
        f" What it may end with: {', '.join(possible)}." + (f" And on the way: {', '.join(others)}." if others else "")
    )


def expect_code(code: str, others: Sequence[str] = ()) -> str:
    """Return the code of an error that some call may end with, or one of `others`.

    Raises:
        UsageError: none does.

    """
    declared = {error for name in operation_names() for error in declared_errors(name)}
    known = sorted({*declared, *(error.__name__ for error in KMSError.__subclasses__()), *others})
    if code in known:
        return code
    near = difflib.get_close_matches(code, known, n=3, cutoff=0.7)
    raise UsageError(f"no call ends with the error {code!r}.{_suggestion(near)}")


def expect_told_members(operation: str | None, members: Iterable[str]) -> None:
    """See that an operation, or some operation, has members of these names that are no secrets.

    Raises:
        UsageError: it has not.

    """
    names = operation_names() if operation is None else (operation,)
    for member in members:
        having = [name for name in names if member in input_shape(name).members]
        if not having:
            raise UsageError(f"{operation or 'no operation'} has{' no' if operation else ''} member {member!r}")
        if all(member in secret_members(name) for name in having):
            raise UsageError(f"{member} is a secret, which nobody may look at")


@cache
def declared_errors(operation: str) -> tuple[str, ...]:
    """Name the errors that the model declares for an operation."""
    return tuple(shape.name for shape in operation_model(operation).error_shapes)


ENVELOPE = (
    "For more, use a data key: call GenerateDataKey, encrypt with its Plaintext on your side, and keep its"
    " CiphertextBlob beside; the AWS Encryption SDK does this"
)
"""What to do with more than KMS encrypts."""


def longest(operation: str, member: str) -> int | None:
    """Return how many bytes a member may have, if it is a blob and has a limit."""
    shape: Any = input_shape(operation).members[member]
    most: int | None = shape.metadata.get("max") if shape.type_name == "blob" else None
    return most


def _suggestion(near: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(near)}?" if near else ""


@cache
def operation_model(name: str) -> OperationModel:
    """Return the model of one operation."""
    return model().operation_model(name)


def host(region: str, config: Any = None) -> str:
    """Name the endpoint of KMS in a Region, of the kind that a client's configuration asks for."""
    fips = "-fips" if config is not None and config.use_fips_endpoint else ""
    outputs = _partitions()[arns.partition_of(region)]["outputs"]
    dual_stack = config is not None and config.use_dualstack_endpoint
    return f"kms{fips}.{region}.{outputs['dualStackDnsSuffix' if dual_stack else 'dnsSuffix']}"


@cache
def _partitions() -> dict[str, Any]:
    from botocore.loaders import Loader

    partitions: list[dict[str, Any]] = Loader().load_data("partitions")["partitions"]
    return {partition["id"]: partition for partition in partitions}


@cache
def regions() -> frozenset[str]:
    """Name the Regions of all partitions of AWS, as far as botocore knows them."""
    return frozenset(region for partition in _partitions().values() for region in partition["regions"])


def input_shape(name: str) -> StructureShape:
    """Return the shape of an operation's input."""
    shape = operation_model(name).input_shape
    if shape is None:  # pragma: no cover  # every operation of KMS has one
        raise LookupError(name)
    return shape


def output_shape(name: str) -> StructureShape | None:
    """Return the shape of an operation's output; None where it answers nothing."""
    return operation_model(name).output_shape


@cache
def paginator(name: str) -> dict[str, Any]:
    """Return how an operation pages: its tokens, its limit and the member that holds the entries."""
    from botocore.loaders import Loader

    paginators: dict[str, dict[str, Any]] = Loader().load_service_model("kms", "paginators-1")["pagination"]
    return paginators[name]


_GRANT_TOKENS = {"GrantTokens", "GrantToken"}


@cache
def secret_members(name: str) -> frozenset[str]:
    """Name the input members of an operation that no log may show: blobs, secrets, and what holds them.

    CloudTrail leaves grant tokens out as well.
    """
    return _secrets(input_shape(name)) | _GRANT_TOKENS


@cache
def secret_answers(name: str) -> frozenset[str]:
    """Name the output members of an operation that no log may show."""
    shape = output_shape(name)
    return (_secrets(shape) if shape else frozenset()) | _GRANT_TOKENS


def _secrets(shape: StructureShape) -> frozenset[str]:
    return frozenset(name for name, member in shape.members.items() if _is_secret(member))


def _is_secret(shape: Any) -> bool:
    if shape.type_name == "structure":
        return any(_is_secret(member) for member in shape.members.values())
    return shape.type_name == "blob" or bool(shape.metadata.get("sensitive"))
