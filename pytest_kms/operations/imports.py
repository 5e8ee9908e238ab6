"""Key material of one's own: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pytest_kms import service
from pytest_kms.crypto import wrapping
from pytest_kms.crypto.material import public_key
from pytest_kms.crypto.specs import EXTERNAL, SPECS
from pytest_kms.crypto.symmetric import Unreadable
from pytest_kms.errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInvalidStateException,
    ValidationException,
)
from pytest_kms.operation import BEING_DELETED, operation
from pytest_kms.state import key as states
from pytest_kms.state.imported import (
    DOES_NOT_EXPIRE,
    EXPIRES,
    Imported,
    ImportParameters,
    give_up,
    imported_material_id,
    take_in,
)
from pytest_kms.state.key import REPLICA
from pytest_kms.targets import KeyId

if TYPE_CHECKING:
    from pytest_kms.crypto.specs import KeySpec
    from pytest_kms.operation import Answer, Call
    from pytest_kms.state.key import Key

NEW = "NEW_KEY_MATERIAL"
EXISTING = "EXISTING_KEY_MATERIAL"

LONGEST = dt.timedelta(days=365)
"""How far ahead material may expire."""

_ABSENT_OR_IN_THE_MAKING = BEING_DELETED | {states.UNAVAILABLE, states.CREATING}
_BY_SYMMETRIC_KEYS_ALONE = ("ImportType", "KeyMaterialId", "KeyMaterialDescription")


def material_of_the_owner_s(call: Call) -> None:
    """Refuse a key whose material comes from elsewhere."""
    call.keys[0].expect_origin(EXTERNAL)


def wrapping_fits_key(call: Call) -> None:
    """Refuse a way of wrapping that AWS does not take for keys of this spec."""
    algorithm, wrapping_spec = call.input["WrappingAlgorithm"], call.input["WrappingKeySpec"]
    spec = call.keys[0].key_spec
    if not wrapping.fits(algorithm, SPECS[wrapping_spec], spec, call.region):
        raise ValidationException(
            f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to import"
            f" a {spec.name} key.",
            why=f"for {spec.name} there are, with {wrapping_spec}: {_fitting(spec, wrapping_spec, call.region)}",
        )


def _fitting(spec: KeySpec, wrapping_spec: str, region: str) -> str:
    shape: Any = service.input_shape("GetParametersForImport").members["WrappingAlgorithm"]
    return ", ".join(name for name in shape.enum if wrapping.fits(name, SPECS[wrapping_spec], spec, region)) or "none"


def expiration_in_order(call: Call) -> None:
    """Refuse an expiration that is none, in the past, or too far ahead."""
    _expiration(call)


def import_type_fits_key(call: Call) -> None:
    """Refuse what AWS takes of symmetric encryption keys alone, or not of replicas, or not of new material."""
    members, key = call.input, call.keys[0]
    if not key.key_spec.symmetric_encryption:
        for member in _BY_SYMMETRIC_KEYS_ALONE:
            if member in members:
                raise _cannot_be_used(member, f"with {key.spec} imported keys.")
    if key.multi_region == REPLICA:
        if members.get("ImportType") == NEW:
            raise ValidationException(f"Input parameter ImportType {NEW} cannot be used on replica Multi-Region keys")
        if "KeyMaterialDescription" in members:
            raise ValidationException("Key material description can only be specified on primary Multi-Region keys")
    if "KeyMaterialId" in members and _import_type(call, key) == NEW:
        raise _cannot_be_used("KeyMaterialId", f"with {NEW} importType.")


@operation(
    "GetParametersForImport",
    takes="KeyId WrappingAlgorithm WrappingKeySpec",
    key=KeyId(),
    refused_in=_ABSENT_OR_IN_THE_MAKING | {states.UPDATING},
    rules=[material_of_the_owner_s, wrapping_fits_key],
)
def get_parameters_for_import(call: Call, key: Key) -> Answer:
    """Give out a public key to wrap key material with, and the token that goes with it, for 24 hours."""
    wrapping_spec = SPECS[call.input["WrappingKeySpec"]]
    parameters = ImportParameters(key, call.input["WrappingAlgorithm"], wrapping_spec)
    call.world.import_parameters[parameters.token] = parameters
    return {
        "KeyId": key.arn,
        "ImportToken": parameters.token,
        "PublicKey": public_key(wrapping_spec.family, parameters.wrapping_key),
        "ParametersValidTo": parameters.valid_to,
    }


@operation(
    "ImportKeyMaterial",
    takes="KeyId ImportToken EncryptedKeyMaterial ValidTo ExpirationModel ImportType KeyMaterialDescription"
    " KeyMaterialId",
    key=KeyId(),
    refused_in=_ABSENT_OR_IN_THE_MAKING,
    rules=[material_of_the_owner_s, expiration_in_order, import_type_fits_key],
)
def import_key_material(call: Call, key: Key) -> Answer:
    """Take in key material, which makes a key usable that has all it needs then."""
    members = call.input
    material_id = bring_in(
        key,
        _unwrapped(key, _parameters(call, key), members["EncryptedKeyMaterial"]),
        _expiration(call),
        import_type=_import_type(call, key),
        expected_id=members.get("KeyMaterialId"),
        description=members.get("KeyMaterialDescription"),
    )
    return {"KeyId": key.arn, **_shown(key, material_id)}


@operation(
    "DeleteImportedKeyMaterial",
    takes="KeyId KeyMaterialId",
    key=KeyId(),
    refused_in=frozenset({states.CREATING, states.UPDATING}),
    rules=[material_of_the_owner_s],
)
def delete_imported_key_material(call: Call, key: Key) -> Answer:
    """Take imported material out of a key: the current one, unless another is named. Twice is as good as once."""
    backing, named = key.backing, call.input.get("KeyMaterialId")
    if named is not None:
        material_id = bytes.fromhex(named)
    elif backing.current is not None:
        material_id = backing.current.id
    else:
        return {"KeyId": key.arn}
    if not backing.knows(material_id):
        raise ValidationException(f"Key material (id: {named}) has never been imported into KMS key {key.arn}.")
    state = key.state
    give_up(key, backing.material(material_id))
    if key.state != state:
        call.changed(key)
    return {"KeyId": key.arn, **_shown(key, material_id)}


def expiration(now: dt.datetime, model: str, valid_to: dt.datetime | None) -> Imported:
    """Return when material expires that is imported now, in whole seconds.

    Raises:
        ValidationException: the date does not go with the model, is in the past, or too far ahead.

    """
    if model == DOES_NOT_EXPIRE:
        if valid_to is not None:
            raise ValidationException(f"A validTo date cannot be set if the ExpirationModel is {DOES_NOT_EXPIRE}")
        return Imported(DOES_NOT_EXPIRE)
    if valid_to is None:
        raise ValidationException(f"A validTo date must be set if the ExpirationModel is {EXPIRES}")
    valid_to = valid_to.replace(microsecond=0)
    if valid_to <= now:
        raise ValidationException("ValidTo must be in the future")
    if valid_to > now + LONGEST:
        raise ValidationException("ValidTo must be less than 365 days in the future")
    return Imported(EXPIRES, valid_to)


def bring_in(
    key: Key,
    content: bytes,
    imported: Imported,
    *,
    import_type: str | None = None,
    expected_id: str | None = None,
    description: str | None = None,
) -> bytes:
    """Take a material into a key if it may have it, and return its id.

    Without an import type, material that the key does not know is new to it, where it can have more than one.

    Raises:
        IncorrectKeyMaterialException: it is known and should be new, or the reverse, or has not the expected id.
        KMSInvalidStateException: another new one still waits for a rotation.

    """
    material_id = imported_material_id(key.id, content)
    if import_type is None:
        knows_all = key.backing.knows(material_id) or not _takes_new(key)
        import_type = EXISTING if knows_all else NEW
    if import_type == NEW:
        _expect_new(key, material_id)
    else:
        _expect_known(key, material_id, expected_id)
    return take_in(key, content, imported, description)


def _expect_new(key: Key, material_id: bytes) -> None:
    if key.backing.knows(material_id):
        raise IncorrectKeyMaterialException(
            f"Key material (id: {material_id.hex()}) being imported as {NEW} is already associated with KMS key"
            f" {key.arn}."
        )
    pending = key.backing.pending
    if pending is not None:
        raise KMSInvalidStateException(
            f"New key material (id: {material_id.hex()}) cannot be imported into KMS key {key.arn}, because another"
            f" key material (id: {pending.id.hex()}) is pending rotation."
        )


def _expect_known(key: Key, material_id: bytes, expected_id: str | None) -> None:
    current = key.backing.current
    if current is None:
        # AWS's sentence was not found.
        raise IncorrectKeyMaterialException(why=f"nothing was ever imported into {key.label}")
    if expected_id in (None, material_id.hex()):
        if key.backing.knows(material_id):
            return
        # Not recorded is what AWS says where the id is as expected, but none of the key's.
        expected_id = current.id.hex()
    raise IncorrectKeyMaterialException(
        f"Imported key material does not have the expected identifier ({expected_id}).",
        why=f"{key.label} was given other key material before; the same again is expected, bit by bit",
    )


def _parameters(call: Call, key: Key) -> ImportParameters:
    parameters = call.world.import_parameters.get(call.input["ImportToken"])
    if parameters is None:
        raise InvalidImportTokenException(why="GetParametersForImport of this fake never gave this import token")
    if parameters.key is not key:
        raise InvalidImportTokenException(why=f"the import token is for {parameters.key.arn}, not for {key.arn}")
    if parameters.valid_to <= call.world.now:
        # AWS's sentence was not found.
        raise ExpiredImportTokenException(why=f"the import token was valid to {parameters.valid_to}")
    return parameters


def _unwrapped(key: Key, parameters: ImportParameters, wrapped: bytes) -> bytes:
    try:
        return wrapping.read(key.key_spec, parameters.unwrap(wrapped))
    except Unreadable:
        why = f"it was not wrapped with {parameters.algorithm} and the public key that came with its import token"
        raise InvalidCiphertextException(why=why) from None
    except ValueError as error:
        raise InvalidCiphertextException(why=str(error)) from None


def _expiration(call: Call) -> Imported:
    members = call.input
    return expiration(call.world.now, members.get("ExpirationModel", EXPIRES), members.get("ValidTo"))


def _import_type(call: Call, key: Key) -> str:
    has_none = key.backing.current is None and key.multi_region != REPLICA
    return str(call.input.get("ImportType", NEW if has_none else EXISTING))


def _takes_new(key: Key) -> bool:
    """Say whether a key can take material that it does not know."""
    return key.multi_region != REPLICA and (key.backing.current is None or key.key_spec.symmetric_encryption)


def _shown(key: Key, material_id: bytes) -> Answer:
    """Show the id of a material, where AWS does: of symmetric encryption keys."""
    return {"KeyMaterialId": material_id.hex()} if key.key_spec.symmetric_encryption else {}


def _cannot_be_used(member: str, where: str) -> ValidationException:
    return ValidationException(f"Input parameter {member[0].lower()}{member[1:]} cannot be used {where}")
