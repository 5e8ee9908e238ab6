"""What an operation is: `@operation`, the facts about it, and the call that it gets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pytest_kms import service
from pytest_kms.errors import NotSupported
from pytest_kms.state import key as states
from pytest_kms.state.cause import Cause
from pytest_kms.state.key import Key
from pytest_kms.state.trail import KeyUse, Told

if TYPE_CHECKING:
    from pytest_kms.crypto.recipient import Attestation
    from pytest_kms.paging import Pages
    from pytest_kms.state.faults import Failure
    from pytest_kms.state.grant import Grant
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World

Answer = dict[str, Any]

TAKEN_BY_ALL = frozenset({"GrantTokens"})
"""Members that are looked at in one place, whatever the operation."""

CRYPTOGRAPHIC = "cryptographic"
"""The request quota that all cryptographic operations on keys of one family share."""
DATA_KEY_PAIRS = "data key pairs"
"""The request quotas of data key pairs: one for each spec of a pair."""

# The key states in which AWS refuses an operation (Developer Guide, "Key states of AWS KMS keys").
UNUSABLE = frozenset(
    {
        states.DISABLED,
        states.PENDING_DELETION,
        states.PENDING_REPLICA_DELETION,
        states.PENDING_IMPORT,
        states.UNAVAILABLE,
        states.CREATING,
    }
)
BEING_DELETED = states.BEING_DELETED
NOT_SETTLED = BEING_DELETED | {states.PENDING_IMPORT, states.CREATING, states.UPDATING}
BEING_DELETED_OR_UPDATED = BEING_DELETED | {states.UPDATING}


DEFAULT_TIMEOUT = 60.0
"""How long botocore waits for a connection, and for an answer, in seconds."""


class Request(NamedTuple):
    """A KMS request as it came from a client.

    `delay` is what its client waited before it, in seconds; `sent` the request of botocore's, and `config` the client's
    configuration, for what few ask: how it was sent, by what, and how long the client waits for an answer.
    """

    operation: str
    body: bytes
    region: str
    access_key: str | None
    invocation: str
    attempt: int
    delay: float
    sent: Any
    config: Any

    def __repr__(self) -> str:
        return f"<Request {self.operation} in {self.region}>"

    @property
    def secure(self) -> bool:
        """Whether it is sent over TLS."""
        return bool(self.sent.url.startswith("https:"))

    @property
    def user_agent(self) -> str:
        """What the client says of itself."""
        value = self.sent.headers.get("User-Agent") or ""
        return value.decode() if isinstance(value, bytes) else str(value)

    @property
    def connect_timeout(self) -> float:
        """How many seconds the client waits for a connection; without a timeout for ever."""
        return _patience(self.config.connect_timeout) if self.config else DEFAULT_TIMEOUT

    @property
    def read_timeout(self) -> float:
        """How many seconds the client waits for an answer; without a timeout for ever."""
        if not self.config:
            return DEFAULT_TIMEOUT
        own = (getattr(self.sent, "context", None) or {}).get("read_timeout")
        return _patience(own or self.config.read_timeout)


def _patience(timeout: float | None) -> float:
    return math.inf if timeout is None else timeout


class Resource(NamedTuple):
    """Something other than a key that a call needs permission for: an alias by its ARN, or `*`."""

    action: str
    arn: str
    region: str


class Charge(NamedTuple):
    """As how many requests of which operation a call counts in the Region that one of its members names."""

    member: str
    operation: str
    requests: int


_NOTHING: Answer = {}


class Call:
    """One request on its way through the engine, and what has been found out about it.

    `region` is the one that was called, `account` the caller's, `seconds` the fake's time. `found` holds what the
    operation works on, `keys` the keys among it; `touched` the keys that take permission, `uses` their record,
    `resources` what else takes permission, `retires` the grant that is to be retired; `by_ciphertext` the action on a
    key that only the ciphertext names; `blob` the parts of the ciphertext; `attestation` what the enclave says of
    itself that is to get the secret; `grants` the grants that its tokens name; `hidden` the ARNs of AWS owned keys,
    which no trail shows; `allowed` tells which policies let it pass; `failure` what befalls its answer, `latency`
    how many seconds it takes.
    """

    # What most calls never change, or change as a whole.
    input: dict[str, Any] = _NOTHING
    answer: Answer = _NOTHING
    resources: tuple[Resource, ...] = ()
    retires: Grant | None = None
    unresolved: Exception | None = None
    by_ciphertext = ""
    blob: Any = None
    attestation: Attestation | None = None
    grants: tuple[Grant, ...] = ()
    hidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    failure: Failure | None = None
    latency = 0.0

    def __init__(self, world: World, request: Request) -> None:
        self.world = world
        self.request = request
        self.seconds = world.clock.seconds
        self.region = request.region
        self.principal: Principal = world.principal_of(request.access_key)
        self.account = self.principal.account
        self.operation: Operation = OPERATIONS.get(request.operation) or Operation.unknown(request.operation)
        self.found: list[Any] = []
        self.keys: list[Key] = []
        self.touched: list[Key] = []
        self.uses: list[KeyUse] = []

    @property
    def other_resources(self) -> tuple[Resource, ...]:
        """What else than keys the call needs permission for, by the caller's own policies alone."""
        operation = self.operation
        if not (self.resources or operation.on_everything or operation.also):
            return ()  # the way of most calls
        everything = (Resource(operation.name, "*", self.region),) if operation.on_everything else ()
        return (*self.resources, *everything, *(operation.also(self) if operation.also else ()))

    def event(self) -> Event:
        """Tell what is known of the call now, as the trail will have it."""
        return self.told().event()

    def told(
        self,
        request_id: str = "",
        error: str | None = None,
        message: str = "",
        why: str = "",
        *,
        lost: bool = False,
        took: float = 0.0,
    ) -> Told:
        """Tell the trail of the call: all but AWS owned keys."""
        request, operation = self.request, self.operation
        # Told(...) itself would take twice the time.
        return tuple.__new__(
            Told,
            (
                request.invocation,
                operation,
                [use for use in self.uses if use.key not in self.hidden] if self.hidden else self.uses,
                self.input,
                self.answer if operation.logged else _NOTHING,
                self.principal,
                self.region,
                self.seconds,
                error,
                message,
                why,
                request.attempt,
                request.delay,
                took,
                lost,
                request_id,
                self.other_resources,
                request.config,
            ),
        )

    def hand_over(self, member: str, secret: bytes) -> Answer:
        """Answer a secret: in a member of its own, or sealed for the enclave that asks for it."""
        if self.attestation is None:
            return {member: secret}
        from pytest_kms.crypto import recipient  # costs a while to import, and few need it

        sealed = recipient.seal(self.attestation.public_key, secret, self.world.random_bytes)
        return {"CiphertextForRecipient": sealed}

    def changed(self, key: Key) -> None:
        """Remember that the call brought a key into its state."""
        moment = self.world.clock.moment(self.seconds)
        key.cause = Cause(self.operation.name, moment, self.request.invocation)

    def note(
        self,
        key: Key,
        member: str = "KeyId",
        context: str = "EncryptionContext",
        action: str = "",
        *,
        asks: bool = True,
    ) -> None:
        """Note that the call touches a key, with which encryption context, and what permission that takes, if any."""
        permission = (action or self.operation.name) if asks else ""
        if key.manager == states.AWS_OWNED:
            self.hidden += (key.arn,)
        self.touched.append(key)
        self.uses.append(KeyUse(member, key.arn, self.input.get(context, {}), permission))

    def not_supported(self, member: str, works: str = "") -> NotSupported:
        """Build the refusal of a member, or of the value that it has."""
        operation = self.operation
        works = works or ", ".join(
            name for name in service.input_shape(operation.name).members if name in operation.takes | TAKEN_BY_ALL
        )
        return NotSupported(f"{member} of {operation.name} is not supported by this version. What works: {works}.")


class Target(Protocol):
    """How an operation finds one of the things that it works on."""

    @property
    def algorithm(self) -> str:
        """The member of the input that says what is to be done with the key, or nothing."""

    @property
    def asks(self) -> bool:
        """Whether the caller needs permission on the thing itself."""

    def find(self, call: Call) -> object:
        """Return the thing that the call names, or None where it may name none and does.

        Raises:
            KMSError: it names something that is not there, or names it in a way that AWS does not take.

        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """The facts about an operation that the engine needs, and the function that says what it means."""

    name: str
    function: Callable[..., Any]
    targets: tuple[Target, ...] = ()
    usage: str | None = None
    refused_in: frozenset[str] = frozenset()
    cross_account: bool = False
    also: Callable[[Call], Sequence[Resource]] | None = None
    quota: str = ""
    charge: Charge | None = None
    rules: Sequence[Callable[[Call], None]] = ()
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    pages: Pages | None = None
    takes: frozenset[str] = frozenset()

    algorithms: tuple[tuple[int, str], ...] = field(init=False)
    """The members of its input that name an algorithm, each with the place of the key that it is for."""
    on_everything: bool = field(init=False)
    """Whether it is about no key and no alias, so that permission is asked on `*`."""
    cryptographic: bool = field(init=False)
    """Whether AWS counts it among the cryptographic operations."""
    read_only: bool = field(init=False)
    """CloudTrail's flag of that name."""
    logged: bool = field(init=False)
    """Whether the trail keeps its answers: of what only reads, KMS logs none."""

    def __post_init__(self) -> None:
        algorithms = [(place, target.algorithm) for place, target in enumerate(self.targets) if target.algorithm]
        cryptographic = self.quota in (CRYPTOGRAPHIC, DATA_KEY_PAIRS)
        read_only = cryptographic or self.name.startswith(("Describe", "Get", "List"))
        object.__setattr__(self, "algorithms", tuple(algorithms))
        object.__setattr__(self, "on_everything", not any(target.asks for target in self.targets))
        object.__setattr__(self, "cryptographic", cryptographic)
        object.__setattr__(self, "read_only", read_only)
        object.__setattr__(self, "logged", cryptographic or not read_only)

    @classmethod
    def unknown(cls, name: str) -> Operation:
        """Stand for an operation that the package does not have yet: the first check refuses it by name."""
        return cls(name=name, function=dict)


OPERATIONS: dict[str, Operation] = {}
"""Every operation of the package, by AWS's name. The chapters in `operations/` fill it."""


def operation(
    name: str,
    *,
    takes: str = "",
    key: Target | tuple[Target, ...] = (),
    usage: str | None = None,
    refused_in: frozenset[str] = frozenset(),
    cross_account: bool = False,
    also: Callable[[Call], Sequence[Resource]] | None = None,
    quota: str | None = None,
    charge: Charge | None = None,
    rules: Sequence[Callable[[Call], None]] = (),
    bounds: Mapping[str, tuple[int, int]] | None = None,
    pages: Pages | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function as an operation of KMS.

    Args:
        name: AWS's name of it.
        takes: the members of its input that this version takes, in one string; all others are refused.
        key: how it finds what it works on; each thing found becomes an argument, after the call.
        usage: the key usage that its keys must have.
        refused_in: the key states in which AWS refuses it.
        cross_account: whether it works on keys of other accounts.
        also: tells what it needs permission for besides what it works on.
        quota: `CRYPTOGRAPHIC` or `DATA_KEY_PAIRS` where it shares a request quota with others; by default it has
            one of its own.
        charge: what it counts as in another Region as well.
        rules: functions of the call that raise where members do not go together.
        bounds: the least and greatest value of a number, where AWS's documentation is narrower than its model.
        pages: how large its pages are, for one that lists.

    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        OPERATIONS[name] = Operation(
            name=name,
            function=function,
            targets=key if isinstance(key, tuple) else (key,),
            usage=usage,
            refused_in=refused_in,
            cross_account=cross_account,
            also=also,
            quota=quota or f"{name} request rate",
            charge=charge,
            rules=rules,
            bounds={**({"Limit": (1, pages.maximum)} if pages else {}), **(bounds or {})},
            pages=pages,
            takes=frozenset(takes.split()),
        )
        return function

    return enter
