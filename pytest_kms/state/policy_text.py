"""Policies as AWS writes them: `"Version" : "2012-10-17"`, and lists on one line."""

from __future__ import annotations

import json
from typing import Any

_INDENT = "  "


def render(value: Any, depth: int = 0) -> str:
    """Write a policy as GetKeyPolicy answers those that AWS itself has made."""
    if isinstance(value, dict):
        start = "\n" + _INDENT * (depth + 1)
        members = [f"{start}{json.dumps(name)} : {render(member, depth + 1)}" for name, member in value.items()]
        return f"{{{','.join(members)}\n{_INDENT * depth}}}"
    if isinstance(value, list):
        return f"[ {', '.join(render(item, depth) for item in value)} ]"
    return json.dumps(value)
