"""A grant: what somebody may do with a key. And the tokens that name grants."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_kms.errors import InvalidGrantIdException, InvalidGrantTokenException, NotFoundException

if TYPE_CHECKING:
    from pytest_kms.state.key import Key

ENCRYPTION_CONTEXT_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset")
"""The constraints of which a grant has one at the most."""

_ID = re.compile(r"[0-9a-f]{64}")
_ID_BYTES = 32
# As real tokens begin: they are CMS structures behind the id of the key that they are encrypted with.
_TOKEN_HEAD = b"\x01\x0a\x40"
_TOKEN_BYTES = 264


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
    constraints: Mapping[str, object] | None = None

    @property
    def in_force(self) -> bool:
        """Whether the key still has it: it was neither retired nor revoked, and the key is not deleted."""
        return not self.key.deleted and self.id in self.key.grants

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
    grant = key.grants.get(expect_grant_id(grant_id))
    if grant is None:
        raise NotFoundException(
            f"Grant ID {grant_id} not found",
            why=f"{key.label} has no such grant: it was never made, or is gone already",
        )
    return grant
