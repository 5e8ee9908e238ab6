"""Listing in pages, as the paginators of botocore's model describe them."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.errors import InvalidMarkerException

if TYPE_CHECKING:
    from pytest_kms.operation import Answer


@dataclass(frozen=True, slots=True)
class Pages:
    """How many entries a page has when the caller does not say, and how many at the most."""

    default: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to list: names in sorted order, and how to show the entry of a name."""

    names: Sequence[str]
    show: Callable[[str], Any]


def page(operation: str, pages: Pages, members: Mapping[str, Any], listing: Listing) -> Answer:
    """Answer the page that the members `Marker` and `Limit` ask for.

    Raises:
        InvalidMarkerException: the marker is not one that this operation gave.

    """
    names = service.paginator(operation)
    marker = members.get(names["input_token"])
    start = 0 if marker is None else bisect_right(listing.names, _read_marker(operation, marker))
    end = start + members.get(names["limit_key"], pages.default)
    truncated = end < len(listing.names)
    answer: Answer = {names["result_key"]: [listing.show(name) for name in listing.names[start:end]]}
    if truncated:
        answer[names["output_token"]] = _write_marker(operation, listing.names[end - 1])
    answer[names["more_results"]] = truncated
    return answer


def _write_marker(operation: str, name: str) -> str:
    return base64.b64encode(json.dumps({"a": name, "b": operation}).encode()).decode()


def _read_marker(operation: str, marker: str) -> str:
    try:
        content = json.loads(base64.b64decode(marker, validate=True))
        if content["b"] == operation:
            return str(content["a"])
    except (binascii.Error, ValueError, TypeError, KeyError):
        pass
    raise InvalidMarkerException(why=f"the marker was not given by {operation} of this fake")
