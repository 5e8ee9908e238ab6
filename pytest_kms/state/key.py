"""A KMS key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.errors import UsageError

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.state.registry import Registry

CUSTOMER = "CUSTOMER"
AWS = "AWS"
AWS_OWNED = "AWS_OWNED"

ENABLED = "Enabled"
DISABLED = "Disabled"
PENDING_DELETION = "PendingDeletion"
PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
PENDING_IMPORT = "PendingImport"
UNAVAILABLE = "Unavailable"
CREATING = "Creating"
UPDATING = "Updating"
STATES = (
    ENABLED,
    DISABLED,
    PENDING_DELETION,
    PENDING_REPLICA_DELETION,
    PENDING_IMPORT,
    UNAVAILABLE,
    CREATING,
    UPDATING,
)
BEING_DELETED = frozenset({PENDING_DELETION, PENDING_REPLICA_DELETION})

DEFAULT_DELETION_WINDOW = dt.timedelta(days=30)


@dataclass(slots=True, eq=False, kw_only=True)
class Key:
    """A KMS key of the fake, as a test holds it in its hand.

    A test reads `id`, `arn`, `alias`, `aliases`, `region`, `account`, `manager` (`"CUSTOMER"`, `"AWS"` or
    `"AWS_OWNED"`), `spec`, `usage`, `description`, `tags`, `created`, `enabled` and `state`, all of them live,
    and may set `state` to any of AWS's key states. Key material is never shown.
    """

    id: str
    home: Registry = field(repr=False)
    manager: str
    key_spec: KeySpec = field(repr=False)
    usage: str
    created: dt.datetime = field(repr=False)
    material_id: bytes = field(repr=False)
    description: str = field(default="", repr=False)
    tags: dict[str, str] = field(default_factory=dict, repr=False)
    origin: str = field(default="AWS_KMS", repr=False)
    deletion_date: dt.datetime | None = field(default=None, repr=False)
    deleted: bool = field(default=False, repr=False)
    aliases: list[str] = field(default_factory=list)
    region: str = field(init=False)
    account: str = field(init=False)
    arn: str = field(init=False)
    _material: bytes | None = field(default=None, repr=False)
    _state: str = field(default=ENABLED, init=False)

    def __post_init__(self) -> None:
        self.region = self.home.region
        self.account = self.home.account
        self.arn = arns.of(self.region, self.account, f"key/{self.id}")

    @property
    def spec(self) -> str:
        """AWS's name of the key spec."""
        return self.key_spec.name

    @property
    def alias(self) -> str | None:
        """The first alias that points to the key, or None."""
        return self.aliases[0] if self.aliases else None

    @property
    def label(self) -> str:
        """What people call the key: its alias, or else its id."""
        return self.alias or self.id

    @property
    def enabled(self) -> bool:
        """AWS's flag `Enabled`: true in that state alone."""
        return self._state == ENABLED

    @property
    def state(self) -> str:
        """AWS's `KeyState`. Setting it arranges the key: no call is made, nothing is recorded."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        if state not in STATES:
            raise UsageError(f"{state!r} is no key state; AWS has {', '.join(STATES)}")
        if state == PENDING_DELETION:
            self.schedule_deletion(DEFAULT_DELETION_WINDOW)
        else:
            self.deletion_date = None
            self._state = state

    def schedule_deletion(self, window: dt.timedelta) -> None:
        """Let the key wait for its deletion, which comes by itself when the fake's time has come."""
        self._state = PENDING_DELETION
        self.deletion_date = self.home.delete_after(self, window)

    @property
    def material(self) -> bytes:
        """The key material, made on first use."""
        if self._material is None:
            self._material = self.home.world.derive_material(self.id)
        return self._material
