"""Policies as tests write them."""

from __future__ import annotations

from typing import Any

HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a"
    " resource-based policy explicitly denies access"
)
"""What AWS says where it does not say whether there is a key."""


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Write a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str | list[str] = "kms:*", **elements: Any) -> dict[str, Any]:
    """Write a statement that allows an action; an element that is None is left out."""
    return _statement("Allow", action, elements)


def deny(action: str | list[str] = "kms:*", **elements: Any) -> dict[str, Any]:
    """Write a statement that denies an action."""
    return _statement("Deny", action, elements)


def by(*principals: str) -> dict[str, Any]:
    """Write a Principal element."""
    return {"AWS": list(principals)}


def _statement(effect: str, action: str | list[str], elements: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **elements}
    return {name: value for name, value in statement.items() if value is not None}
