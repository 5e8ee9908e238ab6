"""A KMS key."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.crypto.material import public_key
from pytest_kms.crypto.specs import EXTERNAL
from pytest_kms.errors import UnsupportedOperationException, UsageError
from pytest_kms.iam import document
from pytest_kms.iam.errors import Malformed, NotUnderstood
from pytest_kms.state import consistency, rotation
from pytest_kms.state.backing import PENDING
from pytest_kms.state.imported import DOES_NOT_EXPIRE, EXPIRES

if TYPE_CHECKING:
    from pytest_kms.iam.document import Document
    from pytest_kms.iam.principals import Caller, Named
    from pytest_kms.state.backing import Backing, KeyMaterial
    from pytest_kms.state.cause import Cause
    from pytest_kms.state.consistency import Consistency
    from pytest_kms.state.grant import Asks, Grant
    from pytest_kms.state.imported import Imported
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.registry import Registry

CUSTOMER = "CUSTOMER"
AWS = "AWS"
AWS_OWNED = "AWS_OWNED"

PRIMARY = "PRIMARY"
REPLICA = "REPLICA"

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
    `"AWS_OWNED"`), `spec`, `usage`, `origin`, `multi_region`, `algorithms`, `public_key`, `description`, `tags`,
    `policy`, `store`, `xks_key_id`, `created`, `enabled` and `state`, all of them live, and may set `state` to any of
    AWS's key states.
    Key material is never shown; this is no dataclass, since pytest shows all fields of those that differ.
    """

    __slots__ = (
        "_policy", "_returns_to", "_state", "_turn", "account", "aliases", "arn", "backing", "cause", "created",
        "deleted", "deletion_date", "description", "former_aliases", "grants", "has_default_policy", "home", "id",
        "imported", "key_spec", "manager", "region", "store", "tags", "usage", "waiting_period", "xks_key_id",
    )  # fmt: skip

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # AWS's word, and the attribute's
        home: Registry,
        manager: str,
        backing: Backing,
        created: dt.datetime,
        description: str,
        tags: dict[str, str],
        policy: str | None = None,
        store: CustomKeyStore | None = None,
        xks_key_id: str | None = None,
    ) -> None:
        self.id = id
        self.home = home
        self.region = home.region
        self.account: str = home.account
        self.arn = arns.of(self.region, self.account, f"key/{id}")
        self.manager = manager
        self.backing = backing
        self.key_spec = backing.spec
        self.usage: str = backing.usage
        self.created = created
        self.description = description
        self.tags = tags
        self.store = store
        self.xks_key_id = xks_key_id
        self.aliases: list[str] = []
        self.former_aliases: tuple[str, ...] = ()
        self.grants: dict[str, Grant] = {}
        self.imported: dict[bytes, Imported] = {}
        self.deletion_date: dt.datetime | None = None
        self.waiting_period = DEFAULT_DELETION_WINDOW
        self.deleted = False
        self.has_default_policy = policy is None
        self._policy = policy
        self.cause: Cause | None = None
        self._state = self._returns_to = ENABLED
        self._turn = 0

    def __repr__(self) -> str:
        told = ("id", "manager", "usage", "aliases", "region", "account", "arn", "state")
        return f"Key({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

    # what it is

    @property
    def spec(self) -> str:
        """AWS's name of the key spec."""
        return self.backing.spec.name

    @property
    def origin(self) -> str:
        """AWS's `Origin` of the key material."""
        return self.backing.origin

    @property
    def multi_region(self) -> str | None:
        """`"PRIMARY"` or `"REPLICA"` of a multi-Region key, None of a single-Region one."""
        if not self.backing.multi_region:
            return None
        return PRIMARY if self.backing.primary is self else REPLICA

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What the key does in its usage, in AWS's order."""
        return self.key_spec.algorithms[self.usage]

    @property
    def alias(self) -> str | None:
        """The first alias that points to the key, or None."""
        return self.aliases[0] if self.aliases else None

    @property
    def label(self) -> str:
        """What people call the key: its alias, the one that it had when it was deleted, or else its id."""
        return self.alias or next(iter(self.former_aliases), self.id)

    @property
    def policy(self) -> str:
        """The key policy, a JSON document: the one that was put, or AWS's default. Setting it arranges the key."""
        return default_key_policy(self.region, self.account) if self._policy is None else self._policy

    @policy.setter
    def policy(self, policy: str | Mapping[str, Any]) -> None:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        key_policy_document(text)
        self._policy = text
        self.has_default_policy = False

    # what calls see of it: not quite what it is, where consistency is eventual

    @property
    def _consistency(self) -> Consistency:
        return self.home.world.consistency

    @property
    def seen(self) -> bool:
        """Whether calls see that there is such a key."""
        return self.home.find_key(self.id) is self

    @property
    def policy_in_force(self) -> str:
        """The key policy that calls see and meet."""
        return self._consistency.seen(consistency.POLICIES, self, "", self.policy)

    @property
    def policy_document(self) -> Document:
        """The key policy in force, ready to be asked."""
        return key_policy_document(self.policy_in_force)

    @property
    def tags_in_force(self) -> Mapping[str, str]:
        """The tags that calls see, and that policies are about."""
        return self._consistency.seen(consistency.TAGS, self, "", self.tags)

    @property
    def aliases_in_force(self) -> list[str]:
        """The aliases that calls see, and that policies are about."""
        return self.home.listed_alias_names(self)

    def find_grant(self, grant_id: str) -> Grant | None:
        """Return the grant of an id, if a call sees one."""
        return self._consistency.seen(consistency.GRANTS, self, grant_id, self.grants.get(grant_id))

    def find_grants(self, matters: Callable[[Grant], bool]) -> list[Grant]:
        """Return the grants that a call sees, of those that matter to it."""
        if not self._consistency.pending:
            return [grant for grant in self.grants.values() if matters(grant)]
        return self._consistency.seen_of(consistency.GRANTS, self, self.grants, matters)

    def grant_for(self, caller: Caller, action: str, asks: Asks, given: Collection[Grant] = ()) -> Named | None:
        """Say how the grants on the key that allow an action name a caller, the strongest way; None where none does.

        Those that are `given` by grant tokens are in force, whether calls see them or not.
        """
        grants: Iterable[Grant] = self.grants.values()
        if self._consistency.pending:
            here = [grant for grant in given if grant.key is self]
            grants = here + self.find_grants(
                lambda grant: grant not in here and grant.lets(caller, action, asks) is not None
            )
        ways = (grant.lets(caller, action, asks) for grant in grants)
        return max((way for way in ways if way is not None), default=None)

    # its material

    @property
    def current_material(self) -> KeyMaterial:
        """The material that encrypts.

        Raises:
            UsageError: none was imported yet.

        """
        current = self.backing.current
        if current is None:
            raise UsageError(f"{self.label} has no key material yet: import some, or give create_key material=")
        return current

    @property
    def material(self) -> bytes:
        """The current key material: raw bytes, or the private key as PKCS#8 (DER)."""
        return self.current_material.content

    @property
    def material_id(self) -> bytes:
        """The id of the current key material."""
        return self.current_material.id

    @property
    def public_key(self) -> bytes:
        """The public key of an asymmetric key, as SubjectPublicKeyInfo (DER).

        Raises:
            UsageError: the key is symmetric.

        """
        if not self.key_spec.asymmetric:
            raise UsageError(f"{self.label} is symmetric: it has no public key")
        return public_key(self.key_spec.family, self.material)

    def expect_origin(self, *origins: str) -> None:
        """Refuse to be a key of another origin. That keys of key stores are refused in the same words is a guess."""
        if self.origin not in origins:
            raise UnsupportedOperationException(
                f"{self.arn} origin is {self.origin} which is not valid for this operation.",
                why=f"it takes keys of the origin {' or '.join(origins)}",
            )

    @property
    def lacks_material(self) -> bool:
        """Whether some material that is or was current is not here: never imported, deleted, or expired."""
        if self.origin != EXTERNAL:
            return False
        needed = [material.id for material in self.backing.materials if material.state not in PENDING]
        return not needed or any(
            material_id not in self.imported or self.imported[material_id].expired for material_id in needed
        )

    @property
    def expiration(self) -> tuple[str | None, dt.datetime | None]:
        """AWS's `ExpirationModel` of imported material, and the earliest `ValidTo`; nothing where some is missing.

        A replica that is being made shows those of its primary, though it will have no material itself.
        """
        if self._state == CREATING and self.multi_region == REPLICA:
            return self.backing.primary.expiration
        if self.origin != EXTERNAL or self.lacks_material:
            return None, None
        needed = [self.imported[material.id] for material in self.backing.materials if material.state not in PENDING]
        expiring = [imported.valid_to for imported in needed if imported.valid_to is not None]
        return (EXPIRES, min(expiring)) if expiring else (DOES_NOT_EXPIRE, None)

    # its state

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
            self._enter(state)

    @property
    def rotates(self) -> bool:
        """Whether KMS rotates it when that is due. One that waits for the deletion of its replicas does (a guess)."""
        return self._state not in (DISABLED, PENDING_DELETION)

    def become(self, state: str) -> None:
        """Be enabled or disabled, as far as that goes.

        Without its material a key is PendingImport, without its key store Unavailable, until these are back.
        """
        self._returns_to = state
        # A key without a key store is Unavailable only where a test says so, and then for good.
        away = self._state == UNAVAILABLE if self.store is None else not self.store.serves
        if self.lacks_material:
            self._enter(PENDING_IMPORT)
        elif away:
            self._enter(UNAVAILABLE)
        else:
            self._enter(state)

    def pass_through(self, state: str, seconds: float) -> None:
        """Be in a state for some time (Creating, Updating), and then enabled."""
        self._enter(state)
        turn = self._turn
        self.home.world.agenda.after(seconds, lambda: self.become(ENABLED) if turn == self._turn else None)

    def look_again(self) -> None:
        """See whether material or key store have come or gone, unless the key waits for its deletion."""
        if self._state in (ENABLED, DISABLED):
            self.become(self._state)
        elif self._state in (PENDING_IMPORT, UNAVAILABLE):
            self.become(self._returns_to)

    def wake(self) -> None:
        """Be enabled, as far as that goes: an import into a disabled key enables it."""
        if self._state in (ENABLED, DISABLED, PENDING_IMPORT):
            self.become(ENABLED)

    def schedule_deletion(self, window: dt.timedelta) -> None:
        """Let the key wait for its deletion, which comes by itself when the fake's time has come.

        A primary waits for the deletion of its replicas first.
        """
        self.waiting_period = window
        if self.multi_region == PRIMARY and any(self.backing.replicas()):
            self._enter(PENDING_REPLICA_DELETION)
        else:
            self._enter(PENDING_DELETION)
            self.deletion_date = self.home.delete_after(self, window)

    def _enter(self, state: str) -> None:
        if state in (ENABLED, DISABLED):
            self._returns_to = state
        if state != self._state:
            self.cause = None
        self._state = state
        self._turn += 1
        self.deletion_date = None
        if self.rotates:
            rotation.make_up(self)


@lru_cache(maxsize=512)
def key_policy_document(text: str) -> Document:
    """Read a key policy.

    Raises:
        UsageError: it is none, or cannot be evaluated.

    """
    try:
        return document.parse(text, document.KEY_POLICY)
    except (Malformed, NotUnderstood) as error:
        raise UsageError(f"the key policy is none that a key can have: {error}") from None


def default_key_policy(region: str, account: str) -> str:
    """Write the key policy of keys that are made by API calls without one, as GetKeyPolicy answers it."""
    return f"""{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "{arns.of_principal(region, account, "root")}"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"""
