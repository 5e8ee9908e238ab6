"""What a test gives to the arranging calls of a fake, checked: each function returns it, or says what is wrong."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_kms import arns
from pytest_kms.crypto.material import read
from pytest_kms.crypto.specs import AWS_CLOUDHSM, ENCRYPT_DECRYPT, EXTERNAL, EXTERNAL_KEY_STORE, SPECS, spec_in
from pytest_kms.errors import UsageError, ValidationException
from pytest_kms.operations import imports
from pytest_kms.state.imported import DOES_NOT_EXPIRE, EXPIRES, Imported
from pytest_kms.state.key import key_policy_document

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.state.imported import ImportParameters
    from pytest_kms.state.key import Key
    from pytest_kms.state.registry import Registry
    from pytest_kms.state.world import World

MAX_PLAINTEXT = 4096
_MAX_DESCRIPTION = 8192
_MAX_ALIAS = 256
_OF_KEY_STORES = (AWS_CLOUDHSM, EXTERNAL_KEY_STORE)


def account(given: str) -> str:
    """Check an account number."""
    if isinstance(given, str) and re.fullmatch("[0-9]{12}", given):
        return given
    raise UsageError(f"an account has 12 digits, {given!r} has not")


def seconds(name: str, given: float | str) -> float:
    """Check a number of seconds; an ini file gives it as text."""
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(f"{name} is a number of seconds, 0 or more, not {given!r}")
    return number


def new_key_id(registry: Registry, given: str | None, *, multi_region: bool) -> None:
    """Check the id of a key that is to be made, if there is one."""
    if given is None:
        return
    if not arns.KEY_ID.fullmatch(given) or given.startswith("mrk-") != multi_region:
        wanted = "mrk- and 32 hexadecimal digits" if multi_region else "a UUID"
        whose = "multi-Region key" if multi_region else "key"
        raise UsageError(f"the id of a {whose} is {wanted} in lower case, {given!r} is not")
    if given in registry.keys:
        raise UsageError(f"there is a key {given} in {registry.region} already")


def new_replica(key: Key, region: str) -> None:
    """Check what a replica is to be made of, and where."""
    if key.multi_region is None:
        raise UsageError(f"{key.label} is a single-Region key: only what is made with multi_region=True has replicas")
    if key.id in key.home.world.registry(region, key.account).keys:
        raise UsageError(f"{key.label} is in {region} already")


def key_spec(name: str, region: str) -> KeySpec:
    """Return the key spec of a name, as a Region has it."""
    if name in SPECS:
        return spec_in(region, name)
    raise UsageError(f"{name!r} is no key spec; AWS has {', '.join(SPECS)}")


def usage(spec: KeySpec, given: str | None) -> str:
    """Return the usage that is given, or the first that a key spec has."""
    if given is None:
        return next(iter(spec.algorithms))
    if given in spec.algorithms:
        return given
    raise UsageError(f"{spec.name} is for {' or '.join(spec.algorithms)}, not for {given!r}")


def origin(spec: KeySpec, given: str, *, multi_region: bool) -> str:
    """Check where the material of a key comes from."""
    possible = [name for name in spec.origins if not (multi_region and name in _OF_KEY_STORES)]
    if given in possible:
        return given
    what = f"a multi-Region key of {spec.name}" if multi_region else spec.name
    raise UsageError(f"the origin of {what} is {' or '.join(possible)}, not {given!r}")


def material(spec: KeySpec, given: bytes | str | None) -> bytes | None:
    """Read key material: bytes or PEM."""
    return None if given is None else _read(spec, given)


def material_for_import(key: Key, given: bytes | str) -> bytes:
    """Read key material that is to come into a key."""
    if key.origin == EXTERNAL:
        return _read(key.key_spec, given)
    raise UsageError(f"the origin of {key.label} is {key.origin}: only keys with origin={EXTERNAL!r} import material")


def expiration(given: dt.datetime | None, now: dt.datetime) -> Imported:
    """Say when material expires that is imported now."""
    if given is None:
        return Imported(DOES_NOT_EXPIRE)
    if given.tzinfo is None:
        raise UsageError(f"valid_to={given} has no time zone; kms.clock.now + timedelta(days=30) has one")
    try:
        return imports.expiration(now, EXPIRES, given.astimezone(dt.timezone.utc))
    except ValidationException as error:
        raise UsageError(f"valid_to={given}: {error.message}") from None


def import_parameters(world: World, given: Mapping[str, object]) -> ImportParameters:
    """Find what GetParametersForImport has given out."""
    token = given.get("ImportToken")
    if isinstance(token, bytes) and token in world.import_parameters:
        return world.import_parameters[token]
    raise UsageError("these are no import parameters: GetParametersForImport of this fake never gave their ImportToken")


def _read(spec: KeySpec, given: bytes | str) -> bytes:
    try:
        return read(spec, given.encode() if isinstance(given, str) else given)
    except ValueError as error:
        raise UsageError(str(error)) from None


def plaintext(given: bytes) -> None:
    """Check what is to be encrypted."""
    if not isinstance(given, (bytes, bytearray, memoryview)):
        raise UsageError(f"a plaintext is bytes, not {type(given).__name__}")
    if not 1 <= len(given) <= MAX_PLAINTEXT:
        raise UsageError(f"KMS encrypts 1 to {MAX_PLAINTEXT} bytes, not {len(given)}")


def context(given: Mapping[str, str] | None) -> dict[str, str]:
    """Check an encryption context."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise UsageError(f"an encryption context is a mapping of texts to texts, not {given!r}")
    return dict(given)


def description(given: str) -> None:
    """Check the description of a key."""
    if len(given) > _MAX_DESCRIPTION:
        raise UsageError(f"a description has at most {_MAX_DESCRIPTION} characters, not {len(given)}")


def policy(given: str | Mapping[str, Any] | None) -> str | None:
    """Write a key policy as JSON, and check it. It may lock out whom it will."""
    if given is None:
        return None
    if not isinstance(given, (str, Mapping)):
        raise UsageError(f"a policy is a mapping or its JSON, not {given!r}; of a file, say path.read_text()")
    text = given if isinstance(given, str) else json.dumps(given)
    key_policy_document(text)
    return text


def encryption_algorithm(key: Key, given: str | None) -> str:
    """Return the algorithm that is given, or the last that a key has."""
    if key.usage != ENCRYPT_DECRYPT:
        raise UsageError(f"{key.label} is for {key.usage}, not for {ENCRYPT_DECRYPT}")
    if given is None:
        return key.algorithms[-1]
    if given in key.algorithms:
        return given
    raise UsageError(f"{key.label} encrypts with {' or '.join(key.algorithms)}, not with {given!r}")


def new_alias(registry: Registry, name: str | None) -> None:
    """Check that a name is free, if there is one."""
    if name in registry.aliases:
        raise UsageError(f"there is an alias {name} in {registry.region} already")


def alias_name(given: str) -> str:
    """Return an alias name with its prefix."""
    name = given if given.startswith(arns.ALIAS_PREFIX) else f"{arns.ALIAS_PREFIX}{given}"
    if name.startswith(arns.RESERVED_ALIAS_PREFIX):
        service = name.removeprefix(arns.RESERVED_ALIAS_PREFIX)
        raise UsageError(f"{name} is reserved; use kms.aws_managed_key({service!r})")
    if not arns.ALIAS.fullmatch(name) or len(name) > _MAX_ALIAS:
        raise UsageError(
            f"an alias is alias/ and letters, digits, /, _ and -, at most {_MAX_ALIAS} characters; {name!r} is not"
        )
    return name
