"""The audit trail: what was asked of KMS, by whom, and how it ended. It shows no secrets."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, overload

from pytest_kms import service
from pytest_kms.state.criteria import filter_of
from pytest_kms.state.least_privilege import LeastPrivilege, least_privilege

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import Unpack

    from pytest_kms.state.criteria import Criteria
    from pytest_kms.state.key import Key
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.world import World

    KeyName: TypeAlias = Key | str
    ResolveKey: TypeAlias = Callable[[KeyName], Collection[str]]


class KeyUse(NamedTuple):
    """A key that a call named, by its ARN, and the encryption context given with it.

    `member` is the input member that names the key: `KeyId`, or `SourceKeyId` and `DestinationKeyId` of ReEncrypt;
    `action` the permission that it takes, without `kms:`; empty where it takes none.
    """

    member: str
    key: str
    encryption_context: Mapping[str, str]
    action: str


class Attempt(NamedTuple):
    """One request of a call: botocore retries a call that was throttled, or failed in another way that may pass.

    `error` is AWS's code, or the name of what happened on the way, such as "ReadTimeoutError". `delay` are the seconds
    of the fake's time that the client waited before it, and `took` those until its answer or the client's giving up.
    `lost` says that KMS did what was asked, and the client was not told.
    """

    number: int
    time: dt.datetime
    error: str | None
    delay: float = 0.0
    took: float = 0.0
    lost: bool = False

    @property
    def carried_out(self) -> bool:
        """Whether KMS did what was asked."""
        return self.error is None or self.lost


class Event(NamedTuple):
    """One call of KMS, however many attempts it took, or something that KMS did by itself.

    `parameters` are the members of the request as the caller wrote them, without blobs and secrets. `error` is
    AWS's code of the last answer, or None for a success; `message` AWS's sentence; `why` our own explanation, of a
    success which policies allowed it, unless it was the default policy and an administrator. `resources` are what
    else than keys took permission: the action, an alias ARN or `*`, and the Region. `answer` are the members of the
    answer that are neither blobs nor secrets; of calls that only read, cryptographic ones excepted, it is empty.
    `user_agent` is what the client says of itself.
    `service_event` tells what KMS did by itself (CloudTrail's `serviceEventDetails`: a rotation, say), with
    `principal` "AWS Internal"; it is None for calls.
    """

    operation: str
    uses: tuple[KeyUse, ...]
    parameters: Mapping[str, Any]
    principal: str
    account: str
    region: str
    time: dt.datetime
    error: str | None
    message: str
    why: str
    attempts: tuple[Attempt, ...]
    dry_run: bool
    read_only: bool
    cryptographic: bool
    request_id: str
    via: str | None = None
    service_event: Mapping[str, str] | None = None
    resources: tuple[tuple[str, str, str], ...] = ()
    answer: Mapping[str, Any] = MappingProxyType({})
    user_agent: str = ""

    @property
    def key(self) -> str | None:
        """The ARN of the key, of the destination key for ReEncrypt; None where none was found."""
        return self.uses[-1].key if self.uses else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The ARNs of all keys that the call named."""
        return tuple(use.key for use in self.uses)

    @property
    def encryption_context(self) -> Mapping[str, str]:
        """The encryption context, of the destination for ReEncrypt; empty where there was none."""
        return self.uses[-1].encryption_context if self.uses else {}

    @property
    def succeeded(self) -> bool:
        """Whether the last attempt was answered without an error."""
        return self.error is None

    @property
    def answered(self) -> dt.datetime:
        """When the last attempt was made."""
        return self.attempts[-1].time

    @property
    def event_id(self) -> str:
        """CloudTrail's `eventID`, a UUID: as repeatable as the id of the request."""
        return repeatable_uuid(self.request_id)

    @property
    def throttled(self) -> int:
        """How many attempts were throttled."""
        return sum(attempt.error == "ThrottlingException" for attempt in self.attempts)

    @property
    def retries(self) -> int:
        """How many attempts came after the first."""
        return len(self.attempts) - 1

    @property
    def waited(self) -> float:
        """How many seconds of the fake's time the client waited before its attempts."""
        return sum(attempt.delay for attempt in self.attempts)

    @property
    def carried_out(self) -> int:
        """How often KMS did what was asked: more than once if an answer was lost and the client tried again."""
        return sum(attempt.carried_out for attempt in self.attempts)


def repeatable_uuid(text: str) -> str:
    """Return a UUID that is the same for the same text, and another for any other."""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


class Facts(Protocol):
    """What an operation is, as far as the trail tells it."""

    @property
    def name(self) -> str:
        """AWS's name of it."""

    @property
    def read_only(self) -> bool:
        """CloudTrail's flag of that name."""

    @property
    def cryptographic(self) -> bool:
        """Whether AWS counts it among the cryptographic operations."""


class Told(NamedTuple):
    """An attempt as it was told to the trail, secrets and all: what becomes an `Event` when somebody looks.

    Most calls of most tests are never looked at one by one.
    """

    invocation: str
    operation: Facts
    uses: Sequence[KeyUse]
    members: Mapping[str, Any]
    answer: Mapping[str, Any]
    principal: Principal
    region: str
    seconds: float
    error: str | None
    message: str
    why: str
    attempt: int
    delay: float
    took: float
    lost: bool
    request_id: str
    resources: tuple[tuple[str, str, str], ...]
    config: Any

    def __repr__(self) -> str:
        return f"<Told of {self.operation.name}>"

    def secrets(self) -> Iterator[tuple[str, bytes]]:
        """Give the members that are secrets of the caller's: what he let encrypt, and what he was handed out.

        Random bytes are neither plaintext nor data key, as long as nobody encrypts them.
        """
        if self.operation.name == "GenerateRandom":
            return
        handed_out = self.answer if self.error is None else {}
        for members in (self.members, handed_out):
            for name in _SECRETS:
                if isinstance(members.get(name), bytes):
                    yield name, members[name]

    def event(self) -> Event:
        """Make the event of it, without secrets."""
        operation, principal = self.operation, self.principal
        time = dt.datetime.fromtimestamp(self.seconds, dt.timezone.utc)
        return Event(
            operation=operation.name,
            uses=tuple(self.uses),
            parameters=_without(service.secret_members(operation.name), self.members),
            principal=principal.arn,
            account=principal.account,
            region=self.region,
            time=time,
            error=self.error,
            message=self.message,
            why=self.why,
            attempts=(Attempt(self.attempt, time, self.error, self.delay, self.took, self.lost),),
            dry_run=bool(self.members.get("DryRun")),
            read_only=operation.read_only,
            cryptographic=operation.cryptographic,
            request_id=self.request_id,
            via=principal.via,
            resources=self.resources,
            answer=_without(service.secret_answers(operation.name), self.answer) if self.error is None else {},
            user_agent=self.config.user_agent if self.config else "",
        )


_SECRETS = ("Plaintext", "PrivateKeyPlaintext", "SharedSecret")


def _without(secrets: Collection[str], members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in secrets}


class Trail(Sequence[Event]):
    """The calls that a fake was asked, in order: a sequence of `Event`.

    `str(kms.trail)` has one line for each call, the same in each run: fit for snapshots.

    A trail equals a list, a tuple or another trail of equal events. An event has the time and the request id of its
    call, so that no two calls are equal: to compare what was called, compare `str(trail)`.
    """

    def __init__(
        self,
        resolve_key: ResolveKey,
        identity_of: Callable[[str], str],
        tell: Callable[[Sequence[Event]], str],
        world: World,
    ) -> None:
        self._world = world
        self._resolve_key = resolve_key
        self._identity_of = identity_of
        self._tell = tell
        self.seen: set[int] = set()
        """The places of the calls that the test has looked at."""
        self._told: list[Told | Event] = []
        self._looked_at: list[Event] = []
        self._read = 0
        self._places: dict[str, int] = {}
        self._lock = threading.Lock()

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __repr__(self) -> str:
        return f"<Trail of {len(self._events)} call{'' if len(self._events) == 1 else 's'}>"

    def __str__(self) -> str:
        return self._tell(list(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Trail, list, tuple)):
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list: it grows

    @property
    def last(self) -> Event:
        """The latest call.

        Raises:
            LookupError: nothing was called.

        """
        if not self._events:
            raise LookupError("pytest-kms: the trail is empty: nothing called KMS yet")
        return self[-1]

    def filter(
        self,
        operation: str | Any | None = None,
        *,
        key: KeyName | None = None,
        **criteria: Unpack[Criteria],
    ) -> list[Event]:
        """Return the calls that meet every criterion given, in order.

        Args:
            operation: AWS's name of it, such as `"GenerateDataKey"`.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            criteria: `encryption_context`, the whole of it; `principal`, the caller, a `Principal` or its ARN; `via`,
                the AWS service through which the call came; `error`, AWS's code of the error that the call ended with.

        """
        return [self[place] for place in self._places_of(operation, key, criteria)]

    def _places_of(self, operation: Any, key: KeyName | None, criteria: Criteria) -> list[int]:
        keys = None if key is None else self._resolve_key(key)
        wanted = filter_of(operation, keys, criteria, self._identity_of)
        return [place for place, event in enumerate(self._events) if wanted.matches(event)]

    def least_privilege(self, *, encryption_context: bool = False) -> LeastPrivilege:
        """Return the policies that the recorded calls need, and nothing more.

        Calls that were denied are left out, all others count, whatever came of them.

        Args:
            encryption_context: whether the policies ask for the encryption contexts that were given, too.

        """
        return least_privilege(self._events, self._identity_of, with_contexts=encryption_context)

    def to_cloudtrail(self, *, account: str | None = None) -> list[dict[str, Any]]:
        """Return the records that CloudTrail would write, oldest first, up to the present of the fake's time.

        There is one for each attempt of a call that KMS has answered, one for each thing that KMS did by itself, and
        one more for the owner of a key that somebody of another account has used, with the same `sharedEventID`. A
        request that did not reach KMS is in none, nor is one whose caller KMS could not authenticate.

        Where AWS tells what a fake does not know, a record has what AWS's documentation has: calls come from
        192.0.2.1 and the default principal's access key is AKIAIOSFODNN7EXAMPLE. `kms.principal(context=…)` says
        otherwise by `aws:SourceIp` or `aws:VpcSourceIp`, `aws:SourceVpce` and `aws:MultiFactorAuthPresent`.

        Args:
            account: whose trail it is, 12 digits: only the records that are delivered to this account
                (`recipientAccountId`). By default those of all accounts, as in the trail of an organization.

        Returns:
            New dicts, fit for `json.dumps`, with the fields in AWS's order.

        """
        from pytest_kms.state.cloudtrail import records  # it reads botocore's model, and few need it

        self._world.settle()
        written = records.written(tuple(self._told), self._world)
        return [record for record in written if account in (None, record["recipientAccountId"])]

    def record(self, told: Told | Event) -> None:
        """Take down an attempt of a call, or what KMS did by itself."""
        self._told.append(told)

    def context_of(self, head: bytes) -> Mapping[str, str] | None:
        """Return the encryption context of the call that was answered a ciphertext with this head."""
        for told in self._attempts():
            if any(isinstance(blob, bytes) and blob.startswith(head) for blob in told.answer.values()):
                return told.uses[-1].encryption_context
        return None

    @property
    def told(self) -> int:
        """How many attempts were told so far, and what KMS did by itself."""
        return len(self._told)

    def told_since(self, told: int) -> list[Told | Event]:
        """Return what was told after the first so many: attempts, and what KMS did by itself."""
        return self._told[told:]

    def calls_in(self, told: int) -> int:
        """Count the calls among the first that were told."""
        first = self._told[:told]
        return len({row.request_id if isinstance(row, Event) else row.invocation for row in first})

    def number_of(self, invocation: str) -> int | None:
        """Return the number of a call, by its invocation id; None where there is no such call."""
        self._events  # noqa: B018  # it finds out which calls are which
        place = self._places.get(invocation)
        return None if place is None else place + 1

    def maker_of(self, member: str, made: bytes) -> tuple[int, Told] | None:
        """Find the call that was answered something in a member: its number, and what was told of it."""
        for told in self._attempts():
            if told.answer.get(member) == made:
                return self.number_of(told.invocation) or 0, told
        return None

    def secrets(self) -> Iterator[tuple[int, str, bytes]]:
        """Give the secrets of the calls: the number of the call, the member, the secret. For no eyes but a search's."""
        for told in self._attempts():
            for member, secret in told.secrets():
                yield self.number_of(told.invocation) or 0, member, secret

    def _attempts(self) -> Iterator[Told]:
        """Give what was told of calls, without what KMS did by itself."""
        return (told for told in tuple(self._told) if isinstance(told, Told))

    @property
    def _events(self) -> list[Event]:
        """The calls that were told, all attempts of one, with the same invocation id, in one place."""
        if self._read < len(self._told):
            with self._lock:
                for told in self._told[self._read :]:
                    if isinstance(told, Event):
                        self._looked_at.append(told)
                    else:
                        self._take(told.event(), told.invocation)
                    self._read += 1
        return self._looked_at

    def _take(self, event: Event, invocation: str) -> None:
        end = len(self._looked_at)
        place = self._places.setdefault(invocation, end)
        if place == end:
            self._looked_at.append(event)
        else:
            earlier = self._looked_at[place]
            self._looked_at[place] = event._replace(time=earlier.time, attempts=earlier.attempts + event.attempts)


def last_use(trail: Trail, key: str) -> Event | None:
    """Return the last cryptographic operation on the key of an ARN that succeeded; a dry run never does."""
    uses = [event for event in trail if event.cryptographic and event.carried_out and key in event.keys]
    # Calls stand in the order in which they began.
    return max(reversed(uses), key=lambda event: event.answered, default=None)


TRACKING_START = dt.datetime(2026, 4, 23, tzinfo=dt.timezone.utc)
"""Since when AWS remembers the last use of keys. The day is that of the announcement; it may differ by Region."""


def tracking_start(key: Key, now: dt.datetime) -> dt.datetime:
    """Return since when the last use of a key is known: a clock that was put before the day knows nothing of it."""
    return TRACKING_START if key.created < TRACKING_START <= now else key.created


def days_unused(trail: Trail, key: Key, now: dt.datetime) -> int:
    """Count the whole days since a key was last used, or since that is known."""
    last, start = last_use(trail, key.arn), tracking_start(key, now)
    return (now - (start if last is None else max(start, last.answered))).days
