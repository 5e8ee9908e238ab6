"""How an operation finds its object: keys by their four names, keys by a ciphertext, aliases."""

from __future__ import annotations

import base64
import difflib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_kms import arns
from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.specs import SYMMETRIC_DEFAULT
from pytest_kms.errors import (
    AccessDeniedException,
    IncorrectKeyException,
    InvalidArnException,
    InvalidCiphertextException,
    KMSError,
    NotAuthorizedException,
    NotFoundException,
    ValidationException,
)
from pytest_kms.operation import Resource
from pytest_kms.state import aws_managed
from pytest_kms.state.alias import Alias
from pytest_kms.state.cause import told_time
from pytest_kms.state.grant import grant_of
from pytest_kms.state.key import AWS_OWNED
from pytest_kms.state.world import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_kms.operation import Call
    from pytest_kms.state.grant import Grant
    from pytest_kms.state.key import Key
    from pytest_kms.state.key_store import CustomKeyStore

IGNORE_CIPHERTEXT = "IGNORE_CIPHERTEXT"


class NotMadeYet(Exception):
    """The call names an AWS managed key for the first time: `make` lets it come into being."""

    def __init__(self, make: Callable[[], Key]) -> None:
        super().__init__()
        self.make = make


@dataclass(frozen=True, slots=True)
class KeyId:
    """A key by its id or key ARN and, where AWS takes them, by alias name or alias ARN.

    `algorithm` is the member that says what is to be done with it; `action` the permission asked for on it, where
    that is not the operation's name; `to_alias` says that the key is to get an alias, for which AWS refuses aliases
    in other words; `asks` that the caller needs permission on the key.
    """

    member: str = "KeyId"
    aliases: bool = False
    context: str = "EncryptionContext"
    algorithm: str = ""
    action: str = ""
    to_alias: bool = False
    asks: bool = True

    def find(self, call: Call) -> Key | None:
        """Return the key that the member names; None where it is absent."""
        value = call.input.get(self.member)
        if value is None:
            return None
        key = _key_named(call, value, self)
        call.note(key, self.member, self.context, self.action, asks=self.asks)
        return key


@dataclass(frozen=True, slots=True)
class MemberIn:
    """The relative of a multi-Region key in the Region that a member of the input names, after the key itself."""

    algorithm: ClassVar[str] = ""
    asks: ClassVar[bool] = True
    member: str

    def find(self, call: Call) -> Key | None:
        """Return the other key; None where that Region has none, or is the one of the key itself."""
        region = call.input.get(self.member, call.region)
        if not call.keys or region == call.region:
            return None
        relative = call.keys[0].backing.members.get(region)
        if relative is None or not relative.seen:
            return None
        call.note(relative, self.member)
        return relative


@dataclass(frozen=True, slots=True)
class CiphertextKey:
    """The key that a ciphertext was made with: a symmetric one tells it, and the caller may name it as well."""

    asks: ClassVar[bool] = True
    member: str = "KeyId"
    context: str = "EncryptionContext"
    algorithm: str = "EncryptionAlgorithm"
    action: str = ""

    def find(self, call: Call) -> Key | None:
        """Return the key of the ciphertext, or the one that is named where no ciphertext can tell.

        The ciphertext is looked at first: garbage is InvalidCiphertextException whatever key is named.
        """
        symmetric = call.input.get(self.algorithm, SYMMETRIC_DEFAULT) == SYMMETRIC_DEFAULT
        if not symmetric or ignores_ciphertext(call):
            if self.member not in call.input:
                raise ValidationException(
                    f"{self.member} must not be null",
                    why="a ciphertext of an asymmetric key does not tell which key made it, so that the call has to",
                )
            return KeyId(self.member, aliases=True, context=self.context, action=self.action).find(call)
        blob = call.input.get("CiphertextBlob")
        if not blob:
            return None
        call.blob = ciphertext.parse(blob)
        if call.blob is None:
            raise InvalidCiphertextException(why=what_is_wrong_with(blob))
        key = self._key_of(call, call.blob.material_id)
        value = call.input.get(self.member)
        if value is None:
            call.by_ciphertext = self.action or call.operation.name
            self._expect_reachable(call, key)
        else:
            named = self._named(call, key, value)
            if named is not key:
                call.note(named, self.member, self.context, self.action)
                why = f"the ciphertext was made with {_describe(key)}, the call names {value}"
                raise IncorrectKeyException(why=why)
        call.note(key, self.member, self.context, self.action)
        return key

    def _named(self, call: Call, key: Key, value: str) -> Key:
        """Return the key that the caller names. A bare id will do for that of the ciphertext, whosever it is."""
        if key.region == call.region and key.seen:
            for member in key.backing.members.values():
                if value == member.arn:
                    return member
            if value == key.id:
                return key
        named = _key_named(call, value, KeyId(aliases=True, action=self.action))
        if named is not key and named.account != call.account:
            raise hidden(
                call, self.action, why=f"the ciphertext was made with {_describe(key)}, the call names {value}"
            )
        return named

    @staticmethod
    def _key_of(call: Call, material_id: bytes) -> Key:
        key = call.world.key_of_material(material_id, call.region)
        if key is None:
            origin = origin_of(material_id)
            made_by = f"by {origin}, whose keys are gone" if origin else "with a key that this fake never had"
            raise InvalidCiphertextException(why=f"the ciphertext was made {made_by}, or its key part was altered")
        return key

    def _expect_reachable(self, call: Call, key: Key) -> None:
        if key.region == call.region and key.seen:
            return
        where = f"is in {key.region}, the call went to {call.region}"
        if key.region == call.region:
            where = "has been deleted" if key.deleted else "is not visible yet"
        raise hidden(call, self.action, why=f"the ciphertext was made with {_describe(key)}, which {where}")


@dataclass(frozen=True, slots=True)
class AliasName:
    """An alias by its name; with `new`, one that is still to be made.

    The caller needs permission on the alias, and on the key that it names now.
    """

    algorithm: ClassVar[str] = ""
    asks: ClassVar[bool] = True
    member: str = "AliasName"
    new: bool = False

    def find(self, call: Call) -> Alias | str | None:
        """Return the alias, or the name of the new one; None where the member is absent."""
        name = call.input.get(self.member)
        if name is None:
            return None
        if not name.startswith(arns.ALIAS_PREFIX):
            raise ValidationException(
                'Alias must start with the prefix "alias/". Please see'
                " https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
            )
        if name.startswith(arns.RESERVED_ALIAS_PREFIX):
            # AWS's answer was never seen; that customers may not touch these names is documented.
            raise NotAuthorizedException(why=f"{arns.RESERVED_ALIAS_PREFIX} is reserved for AWS managed keys")
        alias_arn = arns.of(call.region, call.account, name)
        call.resources += (Resource(call.operation.name, alias_arn, call.region),)
        if self.new:
            if not arns.ALIAS.fullmatch(name):
                raise ValidationException(f"{name} contains invalid characters for an alias")
            return str(name)
        registry = call.world.registry(call.region, call.account)
        alias = registry.find_alias(name)
        # What is deleted already cannot be changed, though calls still see it. AWS's answer to that is not known.
        if alias is None or name not in registry.aliases:
            raise _alias_not_found(call, name, registry.region, registry.account)
        call.note(alias.key, self.member)
        return registry.aliases[name]


@dataclass(frozen=True, slots=True)
class GrantToRetire:
    """The grant that a grant token names, or the ARN of its key and its id.

    Its key is noted as touched; who may retire it is asked where all permissions are, in checks/authorization.
    """

    algorithm: ClassVar[str] = ""
    asks: ClassVar[bool] = True
    member: ClassVar[str] = "KeyId"

    def find(self, call: Call) -> Grant:
        """Return the grant.

        The operation itself needs no permission on the key, so that a grant that is not there is told here.
        """
        given = {"GrantToken", self.member, "GrantId"}.intersection(call.input)
        if given == {"GrantToken"}:
            call.retires = call.world.grant_tokens.grant(call.input["GrantToken"], call.region)
            call.note(call.retires.key, self.member)
            return call.retires
        if given == {self.member, "GrantId"}:
            call.retires = self._by_id(call, call.input[self.member], call.input["GrantId"])
            return call.retires
        # AWS's sentence was not found; whether it takes more than it needs is not known.
        raise ValidationException("Specify either a GrantToken, or both a KeyId and a GrantId.")

    def _by_id(self, call: Call, arn: str, grant_id: str) -> Grant:
        if not arn.startswith(("arn:", arns.ALIAS_PREFIX)):
            # Documented is the key ARN alone; AWS's answer to an id was not found.
            raise InvalidArnException(why=f"RetireGrant takes a key by its ARN alone, {arn} is none")
        key = _key_named(call, arn, KeyId(self.member))
        call.note(key, self.member)
        if key.account != call.account and key.find_grant(grant_id) is None:
            raise hidden(call, "", why=f"{key.arn} has no grant {grant_id}")
        return grant_of(key, grant_id)


@dataclass(frozen=True, slots=True)
class KeyStoreId:
    """A custom key store of the caller's account and Region by its id."""

    algorithm: ClassVar[str] = ""
    asks: ClassVar[bool] = False
    member: ClassVar[str] = "CustomKeyStoreId"

    def find(self, call: Call) -> CustomKeyStore | None:
        """Return the key store; None where the member is absent."""
        store_id = call.input.get(self.member)
        return None if store_id is None else call.world.registry(call.region, call.account).key_store(store_id)


def ignores_ciphertext(call: Call) -> bool:
    """Say whether the call is a dry run that asks for the permission alone."""
    return IGNORE_CIPHERTEXT in call.input.get("DryRunModifiers", ())


def _key_named(call: Call, value: str, how: KeyId) -> Key:
    if how.aliases and value.startswith(arns.ALIAS_PREFIX):
        return _key_of_alias(call, call.region, call.account, value, how)
    region, account, resource = call.region, call.account, value
    if value.startswith("arn:"):
        arn = arns.parse(value)
        if arn is None or not arn.resource.startswith(("key/", arns.ALIAS_PREFIX)):
            # AWS's sentence for an ARN that is none of KMS was not found.
            raise NotFoundException(
                f"Invalid arn {value}",
                why="a key ARN is arn:aws:kms:REGION:ACCOUNT:key/ID, with the Region's partition",
            )
        account = arn.account
        resource = arn.resource.removeprefix("key/")
    if resource.startswith(arns.ALIAS_PREFIX):
        if not how.aliases:
            raise _alias_refused(call, resource, account, how)
        return _key_of_alias(call, _expect_region(call, value), account, resource, how)
    _expect_region(call, value)
    key_id = resource.lower()
    if not arns.KEY_ID.fullmatch(key_id):
        raise NotFoundException(
            f"Invalid keyId {resource}" if value.startswith("arn:") else f"Invalid keyId '{resource}'",
            why=_why_no_key_id(call, resource),
        )
    key = call.world.registry(region, account).find_key(key_id)
    if key is None:
        if account != call.account:
            raise hidden(call, how.action, why=f"account {account} has no such key in {region}")
        key_arn = arns.of(region, account, f"key/{key_id}")
        raise NotFoundException(f"Key '{key_arn}' does not exist", why=_why_no_key(call, key_id, key_arn))
    return key


def _key_of_alias(call: Call, region: str, account: str, name: str, how: KeyId) -> Key:
    alias = call.world.registry(region, account).find_alias(name)
    if alias is None and name in aws_managed.ALIASES:
        service = name.removeprefix(arns.RESERVED_ALIAS_PREFIX)
        raise NotMadeYet(partial(call.world.aws_managed_key, service, region, account))
    if alias is None:
        if account != call.account:
            raise hidden(call, how.action, why=f"account {account} has no such alias in {region}")
        raise _alias_not_found(call, name, region, account)
    return alias.key


def _expect_region(call: Call, value: str) -> str:
    """Refuse the ARN of another Region, or of a partition that the Region is not in."""
    if value.startswith("arn:"):
        _, partition, _, region, _ = value.split(":", 4)
        if region != call.region:
            raise NotFoundException(
                f"Invalid arn {region}", why=f"the ARN is of {region}, the call went to {call.region}"
            )
        if partition != arns.partition_of(region):
            # AWS's sentence was not found; this one is made like that of another Region.
            raise NotFoundException(f"Invalid arn {partition}", why=f"{region} is not in the partition {partition}")
    return call.region


def _alias_refused(call: Call, name: str, account: str, how: KeyId) -> KMSError:
    why = f"{call.operation.name} takes a key by its id or key ARN alone"
    alias = call.world.registry(call.region, account).find_alias(name)
    if alias is not None and account == call.account:
        why += f"; {name} names {alias.key.id}"
    if how.to_alias:
        # Unconfirmed; the operations on aliases model no InvalidArnException.
        return ValidationException("Aliases must refer to keys. Not aliases", why=why)
    return InvalidArnException("Key Aliases are not supported for this operation.", why=why)


def _why_no_key_id(call: Call, text: str) -> str:
    name = f"{arns.ALIAS_PREFIX}{text}"
    if call.world.registry(call.region, call.account).find_alias(name) is not None:
        return f"there is {name}: an alias is named with its prefix"
    return "a key id is a UUID, or mrk- and 32 hexadecimal digits; an alias begins with alias/"


def _why_no_key(call: Call, key_id: str, arn: str) -> str:
    """Say where a key is that is not where the call looks for it, or what became of it."""
    world = call.world
    known = dict.fromkeys((*world.all_keys(), *world.keys_ever()))
    named = [key for key in known if key.id == key_id and key.manager != AWS_OWNED]
    gone = next((key for key in named if key.arn == arn), None)
    if gone is not None and gone.deleted:
        number = gone.cause and world.trail.number_of(gone.cause.invocation)
        told = f" (ScheduleKeyDeletion is call {number})" if number else ""
        return f"the key was deleted at {told_time(gone.deletion_date)}, when its waiting period was over{told}"
    elsewhere = [key.region for key in named if key.region != call.region and not key.deleted]
    if elsewhere:
        return f"the key is in {', '.join(elsewhere)}, the call went to {call.region}"
    others = [key.account for key in named if key.account != call.account]
    if others:
        return f"the key is in the account {others[0]}: name it by its key ARN"
    origin = origin_of(key_id)
    return f"the key was made by {origin}, whose keys are gone" if origin and not named else ""


def _alias_not_found(call: Call, name: str, region: str, account: str) -> NotFoundException:
    return NotFoundException(
        f"Alias {arns.of(region, account, name)} is not found.", why=_why_no_alias(call, name, region, account)
    )


def _why_no_alias(call: Call, name: str, region: str, account: str) -> str:
    """Say where an alias is that is not where the call looks for it, or which names come near."""
    registry = call.world.registry(region, account)
    if name in registry.aliases or registry.find_alias(name) is not None:
        return ""  # it is a matter of eventual consistency, which is told elsewhere
    having = [key for key in call.world.all_keys() if name in key.aliases]
    elsewhere = sorted({key.region for key in having} - {region})
    if elsewhere:
        return f"{name} is in {', '.join(elsewhere)}, the call went to {region}"
    if having:
        return f"{name} is in the account {having[0].account}: name it by its alias ARN"
    names = [known for known in registry.alias_names if known not in aws_managed.ALIASES]
    if not names:
        return f"this fake has no alias in {region}: kms.create_key(alias={name!r}) makes a key that has it"
    bare = [known.removeprefix(arns.ALIAS_PREFIX) for known in names]
    near = difflib.get_close_matches(name.removeprefix(arns.ALIAS_PREFIX), bare, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(arns.ALIAS_PREFIX + known for known in near)}?"
    few = names[:_NAMES_SHOWN]
    more = f" and {len(names) - len(few)} more" if len(names) > len(few) else ""
    return f"the aliases there are: {', '.join(few)}{more}"


_NAMES_SHOWN = 5


def hidden(call: Call, action: str, *, why: str) -> AccessDeniedException:
    """Refuse without a word on whether the key exists, as AWS does for keys of other accounts."""
    action = action or call.operation.name
    by_ciphertext = action == call.by_ciphertext
    which = "on the resource associated with this ciphertext" if by_ciphertext else "on this resource"
    return AccessDeniedException(
        f"User: {call.principal.arn} is not authorized to perform: kms:{action} {which}"
        " because the resource does not exist in this Region, no resource-based policies allow access, or a"
        " resource-based policy explicitly denies access",
        why=why,
    )


def _describe(key: Key) -> str:
    return f"{key.alias} ({key.id})" if key.alias else key.arn


def what_is_wrong_with(blob: bytes) -> str:
    """Tell what keeps some bytes from being a ciphertext of KMS."""
    if ciphertext.material_id_of(blob) is None:
        return f"the {len(blob)} bytes are no ciphertext of KMS{_what_it_may_be(blob)}"
    expected = ciphertext.expected_length(blob)
    if expected is None or len(blob) < expected:
        missing = "" if expected is None else f" by {expected - len(blob)} bytes"
        return f"the ciphertext is cut{missing}"
    if len(blob) > expected:
        return f"the ciphertext has {len(blob) - expected} bytes too many"
    return "the ciphertext was altered"


def _what_it_may_be(blob: bytes) -> str:
    """Tell what some bytes look like that are no ciphertext."""
    for name, read in (("base64", base64.b64decode), ("hex", _from_hex)):
        try:
            inner = read(blob)
        except ValueError:
            continue
        if ciphertext.material_id_of(inner) is not None:
            return f", but the {name} of one: decode it first"
    if blob.startswith(_OF_ENCRYPTION_SDK):
        return "; they look like a message of the AWS Encryption SDK, which decrypts it, data key and all"
    if len(blob) in _ASYMMETRIC_BYTES:
        return "; of an asymmetric key one can only be decrypted with KeyId and EncryptionAlgorithm"
    return ""


def _from_hex(blob: bytes) -> bytes:
    return bytes.fromhex(blob.decode())


_OF_ENCRYPTION_SDK = (b"\x01\x80", b"\x02\x04\x78", b"\x02\x05\x78")
"""How its messages begin: version and type, or version and algorithm suite."""
_ASYMMETRIC_BYTES = frozenset({256, 384, 512})
"""How long ciphertexts of RSA keys are."""
