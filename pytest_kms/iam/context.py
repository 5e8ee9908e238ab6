"""What a request tells to conditions: its condition keys and their values."""

from __future__ import annotations

from typing import Protocol

from pytest_kms.iam.errors import UnknownConditionKey

Value = str | list[str] | tuple[str, ...]


class Context(Protocol):
    """The condition keys of one request. Keys are asked for in lower case: AWS does not mind their letter case.

    It must not change until the report about the request has been written.
    """

    def get(self, key: str, /) -> Value | None:
        """Return a text for a single-valued key, a list for a multi-valued one, None where the request has none."""
        ...

    def known(self, key: str, /) -> bool:
        """Tell whether `get` can answer for a key; None for one that it cannot would be a guess."""
        ...


def value_of(context: Context, key: str, written: str) -> Value | None:
    """Return the value of a key (in lower case); None where the request has none, or an empty list.

    `written` is how the policy writes the key.
    """
    value = context.get(key)
    if value is None:
        if not context.known(key):
            raise UnknownConditionKey(f"the condition key {written} is not known")
        return None
    return value if value or isinstance(value, str) else None
