"""A KMS key."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pytest_kms import arns
from pytest_kms.crypto.material import public_key
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


def expect_state(state: str) -> None:
    """Refuse what is none of AWS's key states."""
    if state not in STATES:
        raise UsageError(f"{state!r} is no key state; AWS has {', '.join(STATES)}")


class Key:
    """A KMS key of the fake, as a test holds it in its hand.

    A test reads `id`, `arn`, `alias`, `aliases`, `region`, `account`, `manager` (`"CUSTOMER"`, `"AWS"` or
    `"AWS_OWNED"`), `spec`, `usage`, `algorithms`, `public_key`, `description`, `tags`, `created`, `enabled` and
    `state`, all of them live,
    and may set `state` to any of AWS's key states. Key material is never shown; this is no dataclass, since
    pytest shows all fields of those that differ.
    """

    __slots__ = (
        "_material", "_state", "account", "aliases", "arn", "created", "deleted", "deletion_date", "description",
        "home", "id", "key_spec", "manager", "material_id", "origin", "region", "tags", "usage",
    )  # fmt: skip

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # AWS's word, and the attribute's
        home: Registry,
        manager: str,
        key_spec: KeySpec,
        usage: str,
        created: dt.datetime,
        material_id: bytes,
        description: str,
        tags: dict[str, str],
        material: bytes | None,
    ) -> None:
        self.id = id
        self.home = home
        self.region = home.region
        self.account = home.account
        self.arn = arns.of(self.region, self.account, f"key/{id}")
        self.manager = manager
        self.key_spec = key_spec
        self.usage = usage
        self.origin = "AWS_KMS"
        self.created = created
        self.description = description
        self.tags = tags
        self.aliases: list[str] = []
        self.deletion_date: dt.datetime | None = None
        self.deleted = False
        self.material_id = material_id
        self._material = material
        self._state = ENABLED

    def __repr__(self) -> str:
        told = ("id", "manager", "usage", "aliases", "region", "account", "arn", "state")
        return f"Key({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

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
        expect_state(state)
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
    def algorithms(self) -> tuple[str, ...]:
        """What the key does in its usage, in AWS's order."""
        return self.key_spec.algorithms[self.usage]

    @property
    def material(self) -> bytes:
        """The key material, made on first use: raw bytes, or the private key as PKCS#8 (DER)."""
        if self._material is None:
            self._material = self.home.world.derive_material(self.key_spec, self.id)
        return self._material

    @property
    def public_key(self) -> bytes:
        """The public key of an asymmetric key, as SubjectPublicKeyInfo (DER).

        Raises:
            UsageError: the key is symmetric.

        """
        if not self.key_spec.asymmetric:
            raise UsageError(f"{self.label} is symmetric: it has no public key")
        return public_key(self.key_spec.family, self.material)
