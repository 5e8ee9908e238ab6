"""A grant: what somebody may do with a key. And the tokens that name grants."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kms import encryption_context
from pytest_kms.errors import InvalidGrantIdException, InvalidGrantTokenException, NotFoundException
from pytest_kms.iam.principals import Named

if TYPE_CHECKING:
    from pytest_kms.iam.principals import Caller
    from pytest_kms.state.key import Key

ENCRYPTION_CONTEXT_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset")
"""The constraints of which a grant has one at the most."""

_ID = re.compile(r"[0-9a-f]{64}")
_ID_BYTES = 32
_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
# As real tokens begin: they are CMS structures behind the id of the key that they are encrypted with.
_TOKEN_HEAD = b"\x01\x0a\x40"
_TOKEN_BYTES = 264

# Without an encryption context there is nothing that a constraint could ask.
_WITHOUT_CONTEXT = frozenset({"DescribeKey", "RetireGrant"})


class Child(NamedTuple):
    """What the grant allows that a request wants to make."""

    operations: Sequence[str]
    constraints: Mapping[str, Any]


class Asks(NamedTuple):
    """What the constraints of a grant ask of a request: its encryption context, its child grant, who calls for what."""

    encryption_context: Mapping[str, str]
    child: Child | None = None
    by_service: bool = False
    source_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a grantee may do with a key, under which constraints, and who may retire the grant.

    Grantee and retirer are either principals (ARNs) or AWS services; `constraints` is AWS's structure of that name.
    """

    id: str
    key: Key
    name: str | None
    created: dt.datetime
    issuing_account: str
    operations: tuple[str, ...]
    grantee: str | None = None
    grantee_service: str | None = None
    retiring: str | None = None
    retiring_service: str | None = None
    constraints: Mapping[str, Any] | None = None

    @property
    def in_force(self) -> bool:
        """Whether the key still has it: it was neither retired nor revoked, or calls do not see that yet."""
        if self.key.deleted:
            return False
        return self.id in self.key.grants or self.key.find_grant(self.id) is not None

    def lets(self, caller: Caller, action: str, asks: Asks) -> Named | None:
        """Say how the grant names a caller whom it allows an action; None where it does not allow it."""
        if action not in self.operations or not self._met_by(action, asks):
            return None
        return _named(caller, self.grantee, self.grantee_service)

    def misses(self, caller: Caller, action: str, asks: Asks) -> str | None:
        """Say why it does not allow an action to its grantee; None where the caller is somebody else."""
        if _named(caller, self.grantee, self.grantee_service) is None or self.lets(caller, action, asks):
            return None
        called = f"grant {self.id}" + (f" ({self.name})" if self.name else "")
        if action not in self.operations:
            return f"{called}: its operations are {', '.join(self.operations)}"
        return f"{called}: {self._unmet_by(action, asks)}"

    def _unmet_by(self, action: str, asks: Asks) -> str:
        constraints = self.constraints or {}
        source = constraints.get("SourceArn")
        if source is not None and asks.by_service and source != asks.source_arn:
            return f"SourceArn: wanted {source}, the request has {asks.source_arn or 'none'}"
        if action == "CreateGrant":
            return "what it lets its grantee grant is less than this, or more bound"
        [(name, wanted)] = [item for item in constraints.items() if item[0] in ENCRYPTION_CONTEXT_CONSTRAINTS]
        context = asks.encryption_context
        has = context if name == "EncryptionContextEquals" else {key: context[key] for key in wanted if key in context}
        return f"{name}: {encryption_context.difference(wanted, has)}"

    def retirer(self, caller: Caller) -> Named | None:
        """Say how the grant names a caller who may retire it: the retirer, the grantee if it says so, its account."""
        ways = [
            _named(caller, self.retiring, self.retiring_service),
            _named(caller, self.grantee, self.grantee_service) if "RetireGrant" in self.operations else None,
            _named(caller, self.issuing_account, None),
        ]
        return max((way for way in ways if way is not None), default=None)

    def _met_by(self, action: str, asks: Asks) -> bool:
        constraints = self.constraints or {}
        source = constraints.get("SourceArn")
        if source is not None and asks.by_service and source != asks.source_arn:
            return False
        if action == "CreateGrant":
            return asks.child is not None and self._covers(asks.child)
        if action in _WITHOUT_CONTEXT:
            return True
        context, equals = asks.encryption_context, constraints.get("EncryptionContextEquals")
        subset = constraints.get("EncryptionContextSubset")
        return (not equals or equals == context) and (not subset or _is_part(subset, context))

    def _covers(self, child: Child) -> bool:
        """Say whether a grant that the grantee makes allows no more than this one."""
        if not set(child.operations) <= set(self.operations):
            return False
        mine, its = self.constraints or {}, child.constraints
        # Documented is only that the encryption context of a child is bound no less; so is, here, the resource.
        if mine.get("SourceArn") not in (None, its.get("SourceArn")):
            return False
        equals, subset = mine.get("EncryptionContextEquals"), mine.get("EncryptionContextSubset")
        if equals:
            return bool(equals == its.get("EncryptionContextEquals"))
        return not subset or any(_is_part(subset, its[name]) for name in ENCRYPTION_CONTEXT_CONSTRAINTS if name in its)

    def repeats(self, other: Grant) -> bool:
        """Say whether it is what another grant is already: of the same name, and alike in all that was asked for."""
        return self.name is not None and self == replace(other, id=self.id, created=self.created)


class GrantTokens:
    """The grant tokens that a fake has given. All tokens of a grant mean the same, until the grant is gone."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._grants: dict[str, Grant] = {}

    def new(self, grant: Grant) -> str:
        """Return another token for a grant: opaque, and no secret."""
        content = _TOKEN_HEAD + self._random_bytes(_ID_BYTES).hex().encode() + self._random_bytes(_TOKEN_BYTES)
        token = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
        self._grants[token] = grant
        return token

    def meant_by(self, token: str) -> Grant:
        """Return the grant that a token was given for, gone or not."""
        return self._grants[token]

    def grant(self, token: str, region: str) -> Grant:
        """Return the grant that a token names in a Region.

        How long AWS takes the token of a grant that is gone is not known; here the token goes with it.

        Raises:
            InvalidGrantTokenException: it names none. AWS's sentence is not known.

        """
        grant = self._grants.get(token)
        if grant is None:
            raise InvalidGrantTokenException(why="CreateGrant of this fake never gave this grant token")
        if grant.key.region != region:
            raise InvalidGrantTokenException(
                why=f"the grant of this token is in {grant.key.region}, the call went to {region}"
            )
        if not grant.in_force:
            raise InvalidGrantTokenException(
                why=f"the grant {grant.id} of this token was retired or revoked, or its key {grant.key.id} deleted"
            )
        return grant


def _named(caller: Caller, principal: str | None, service: str | None) -> Named | None:
    """Say how a caller is named by a principal's ARN, or a service's name."""
    wanted = service or principal or ""
    root = _ROOT.fullmatch(wanted)
    name = root[1] if root else wanted
    return max((way for known, way in caller.names if known == name), default=None)


def _is_part(part: Mapping[str, str], whole: Mapping[str, str]) -> bool:
    return all(whole.get(name) == value for name, value in part.items())


def new_grant_id(random_bytes: Callable[[int], bytes]) -> str:
    """Return an id that no other grant has."""
    return random_bytes(_ID_BYTES).hex()


def expect_grant_id(text: str) -> str:
    """Return what is of the form of a grant id.

    Raises:
        InvalidGrantIdException: it is not. AWS's sentence is not known.

    """
    if not _ID.fullmatch(text):
        raise InvalidGrantIdException(why=f"a grant id is 64 hexadecimal digits in lower case, {text!r} is not")
    return text


def grant_of(key: Key, grant_id: str) -> Grant:
    """Return the grant of an id on a key.

    Raises:
        InvalidGrantIdException: the id has not the form of one.
        NotFoundException: the key has no such grant. That AWS answers this, and its sentence, are not known.

    """
    grant = key.find_grant(expect_grant_id(grant_id))
    if grant is None:
        raise NotFoundException(
            f"Grant ID {grant_id} not found",
            why=f"{key.label} has no such grant: it was never made, or is gone already",
        )
    return grant
