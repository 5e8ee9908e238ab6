"""A custom key store: an AWS CloudHSM cluster or an external key manager that holds the material of keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pytest_kms.crypto.specs import AWS_CLOUDHSM, EXTERNAL_KEY_STORE
from pytest_kms.errors import (
    CloudHsmClusterInvalidConfigurationException,
    CustomKeyStoreInvalidStateException,
    DependencyTimeoutException,
    KMSInvalidStateException,
    UnsupportedOperationException,
    UsageError,
    XksKeyAlreadyInUseException,
)
from pytest_kms.state.cluster import Cluster
from pytest_kms.state.connection_errors import (
    INSUFFICIENT_HSMS,
    INVALID_PATH,
    MENDED_BY,
    expect_connection_error,
    sentence,
)
from pytest_kms.state.external_key import AES_256, DECRYPT, ENABLED, ENCRYPT, FIT, ExternalKey, expect_external_key
from pytest_kms.state.proxy import Proxy

if TYPE_CHECKING:
    from pytest_kms.state.key import Key
    from pytest_kms.state.registry import Registry

KINDS = (AWS_CLOUDHSM, EXTERNAL_KEY_STORE)

CONNECTED = "CONNECTED"
CONNECTING = "CONNECTING"
DISCONNECTED = "DISCONNECTED"
DISCONNECTING = "DISCONNECTING"
FAILED = "FAILED"

# How long it takes, in the fake's time. AWS says up to 20 minutes for a cluster, and nothing about the rest.
SECONDS_TO_CONNECT = {AWS_CLOUDHSM: 300, EXTERNAL_KEY_STORE: 15}
SECONDS_TO_DISCONNECT = {AWS_CLOUDHSM: 60, EXTERNAL_KEY_STORE: 5}


class CustomKeyStore:
    """A custom key store of the fake, as a test holds it in its hand.

    A test reads `id`, `name`, `kind` (`"AWS_CLOUDHSM"` or `"EXTERNAL_KEY_STORE"`), `region`, `account`, `cluster_id`,
    `state` (AWS's `ConnectionState`), `connection_error_code` and `keys`, all of them live. With its methods a test
    arranges what is outside of AWS: they are no calls, and nothing of them is recorded.
    """

    __slots__ = (
        "_external_keys", "_turn", "backing", "connection_error_code", "created", "home", "id", "lost", "name", "state",
    )  # fmt: skip

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # AWS's word
        home: Registry,
        name: str,
        backing: Cluster | Proxy,
        created: dt.datetime,
    ) -> None:
        self.id = id
        self.home = home
        self.name = name
        self.created = created
        self.backing = backing
        self.state = DISCONNECTED
        self.connection_error_code: str | None = None
        self.lost: str | None = None
        """Why KMS does not reach what is behind the store, as AWS's `ConnectionErrorCode`; None where all is well."""
        self._external_keys: dict[str, ExternalKey] = {}
        self._turn = 0

    def __repr__(self) -> str:
        told = ("id", "name", "kind", "region", "account", "state")
        return f"CustomKeyStore({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

    # what it is

    @property
    def kind(self) -> str:
        """AWS's `CustomKeyStoreType`; it is the `Origin` of its keys as well."""
        return AWS_CLOUDHSM if isinstance(self.backing, Cluster) else EXTERNAL_KEY_STORE

    @property
    def region(self) -> str:
        """Where it is."""
        return self.home.region

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.home.account

    @property
    def cluster_id(self) -> str | None:
        """The id of its AWS CloudHSM cluster, None where it has none."""
        return self.backing.id if isinstance(self.backing, Cluster) else None

    @property
    def keys(self) -> list[Key]:
        """The KMS keys in it, those that wait for their deletion too."""
        return [key for key in self.home.keys.values() if key.store is self]

    # what a test does to it

    def connect(self) -> None:
        """Let it be connected at once, with all well outside; its keys are back in their former states."""
        self.home.world.settle()
        self.lost = None
        self._enter(CONNECTED)

    def disconnect(self) -> None:
        """Let it be disconnected at once; its keys are Unavailable."""
        self.home.world.settle()
        self._enter(DISCONNECTED)

    def fail(self, code: str) -> None:
        """Let KMS not reach what is behind the store, until `recover()`, `connect()` or an update that mends it.

        The next ConnectCustomKeyStore ends in FAILED, with this code. A store that is connected stays so, and its keys
        stay as they are; cryptographic operations with them end in KMSInvalidStateException.

        Args:
            code: AWS's `ConnectionErrorCode`, such as `"USER_LOCKED_OUT"` or `"XKS_PROXY_NOT_REACHABLE"`.

        Raises:
            UsageError: AWS has no such code for this kind of store.

        """
        expect_connection_error(self.kind, code)
        self.home.world.settle()
        self.lost = code

    def recover(self) -> None:
        """Let all be well outside. A store that is FAILED has to be disconnected and connected all the same."""
        self.home.world.settle()
        self.lost = None

    def external_key(
        self,
        id: str,  # noqa: A002  # AWS's word
        *,
        exists: bool = True,
        spec: str = AES_256,
        status: str = ENABLED,
        usage: Sequence[str] = (ENCRYPT, DECRYPT),
    ) -> None:
        """Say what the external key manager has under an id. Where no test says anything, that is a fit key.

        Args:
            id: the id by which the proxy knows it: 1 to 128 letters, digits, `_`, `.` and `-`.
            exists: False where there is no key of that id.
            spec: KMS takes no other than `"AES_256"`.
            status: `"ENABLED"` or `"DISABLED"`.
            usage: what it does; KMS needs `"ENCRYPT"` and `"DECRYPT"`.

        Raises:
            UsageError: this is no external key store, or an argument is none that a proxy could have.

        """
        if self.kind == AWS_CLOUDHSM:
            raise UsageError(f"{self.name} is an AWS CloudHSM key store: it has no external keys")
        expect_external_key(id, status)
        self._external_keys[id] = ExternalKey(spec, status, tuple(usage), there=exists)

    # what KMS does with it

    @property
    def serves(self) -> bool:
        """Whether keys of the store can be used."""
        return self.state == CONNECTED

    def begin_to_connect(self) -> None:
        """Be connected after some time, or have failed. One that is connected, or about to be, stays so."""
        if self.state == DISCONNECTED:
            self._pass_through(CONNECTING, SECONDS_TO_CONNECT[self.kind], CONNECTED)

    def begin_to_disconnect(self) -> None:
        """Be disconnected after some time."""
        self._pass_through(DISCONNECTING, SECONDS_TO_DISCONNECT[self.kind], DISCONNECTED)

    def mend(self, changed: Collection[str]) -> None:
        """Be reached again, where AWS says that the settings which have changed do that."""
        if self.lost is not None and not MENDED_BY.get(self.lost, frozenset()).isdisjoint(changed):
            self.lost = None

    def next_xks_key_id(self) -> str | None:
        """Return the id of another external key, where there are any."""
        return None if self.kind == AWS_CLOUDHSM else self.home.world.random_bytes(8).hex()

    def expect_state(self, *states: str) -> None:
        """Refuse what AWS does in other connection states alone.

        Raises:
            CustomKeyStoreInvalidStateException: the state is none of those given.

        """
        if self.state not in states:
            # AWS's sentence was not found.
            raise CustomKeyStoreInvalidStateException(why=f"{self.name} is {self.state}, not {' or '.join(states)}")

    def expect_at_work(self) -> None:
        """Refuse what is to be done behind the store and cannot be.

        Raises:
            CustomKeyStoreInvalidStateException: it is not connected.
            DependencyTimeoutException: it is not reached. This is a guess: the error of the model that comes nearest.

        """
        self.expect_state(CONNECTED)
        if self.lost is not None:
            raise DependencyTimeoutException(why=self._why_lost())

    def expect_fit_for_key(self, origin: str | None, xks_key_id: str | None) -> None:
        """Refuse a key that the store cannot hold now.

        Raises:
            KMSError: the key is of another kind, the store is not at work, or the external key will not do.

        """
        if origin != self.kind:
            # Neither AWS's sentence nor its error was found.
            raise UnsupportedOperationException(why=f"keys of {self.name} have the Origin {self.kind}, not {origin}")
        if self.lost == INSUFFICIENT_HSMS and self.serves:
            raise CloudHsmClusterInvalidConfigurationException(why=self._why_lost())
        self.expect_at_work()
        if xks_key_id is None:
            return
        for key in self.keys:
            if key.xks_key_id == xks_key_id:
                # AWS's sentence was not found.
                raise XksKeyAlreadyInUseException(why=f"{key.label} is made of the external key {xks_key_id}")
        self._external_key(xks_key_id).expect_fit()

    def expect_able(self, key: Key, usage: str) -> None:
        """Refuse a cryptographic operation that cannot be done behind the store now.

        Args:
            key: a key of the store.
            usage: what is to be done with it, `ENCRYPT` or `DECRYPT`.

        Raises:
            KMSInvalidStateException: the store is not reached, or the external key will not do.

        """
        if self.lost is not None:
            raise KMSInvalidStateException(sentence(self.kind, self.lost), why=self._why_lost())
        if key.xks_key_id is not None:
            why = f"{key.label} is made of the external key {key.xks_key_id} of {self.name}"
            self._external_key(key.xks_key_id).expect_able(usage, why)

    # within

    def _external_key(self, xks_key_id: str) -> ExternalKey:
        return self._external_keys.get(xks_key_id, FIT)

    def _why_lost(self) -> str:
        return f"the test ordered {self.lost} for {self.name}"

    def _pass_through(self, state: str, seconds: float, end: str) -> None:
        self._enter(state)
        turn = self._turn
        self.home.world.agenda.after(seconds, lambda: self._arrive(end) if turn == self._turn else None)

    def _arrive(self, state: str) -> None:
        lost = self.lost
        if isinstance(self.backing, Proxy) and not self.backing.answers:
            lost = INVALID_PATH
        if state == CONNECTED and lost is not None:
            self._enter(FAILED, lost)
        else:
            self._enter(state)

    def _enter(self, state: str, error_code: str | None = None) -> None:
        self.state = state
        self.connection_error_code = error_code
        self._turn += 1
        for key in self.keys:
            key.look_again()
