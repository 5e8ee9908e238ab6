"""An alias: a name that points to a key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_kms.state.key import Key


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of one account and Region."""

    name: str
    arn: str
    key: Key
    created: dt.datetime
    updated: dt.datetime
