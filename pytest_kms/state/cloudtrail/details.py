"""What CloudTrail adds to some records (`additionalEventData`): key materials, key stores, grants, enclaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.specs import AWS_CLOUDHSM

if TYPE_CHECKING:
    from pytest_kms.state.key import Key
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.trail import Told
    from pytest_kms.state.world import World

_OF_REQUEST = {"Decrypt": "keyMaterialId", "ReEncrypt": "sourceKeyMaterialId"}
_OF_ANSWER = {"ReEncrypt": "destinationKeyMaterialId"}

_TELL_BACKING_KEY = ("CreateKey", "DeleteKey", "ScheduleKeyDeletion")

_PCRS = (1, 2, 3, 4, 8)
"""The measurements of an enclave that are logged, besides that of its image."""


def of_key_store(store: CustomKeyStore) -> dict[str, Any]:
    """Tell which key store a call was about, by the name that it has now."""
    return {"customKeyStoreName": store.name} | _cluster(store)


def of_retired_grant(told: Told, world: World) -> dict[str, Any]:
    """Tell which grant was retired, however it was named."""
    members = told.members
    return {"grantId": members.get("GrantId") or world.grant_tokens.meant_by(members["GrantToken"]).id}


def of_key(operation: str, key: Key) -> dict[str, Any]:
    """Tell about a key in a key store. That all cryptographic operations do it as Decrypt does is a guess."""
    if key.store is None:
        return {}
    of_store = {"customKeyStoreId": key.store.id}
    if operation not in _TELL_BACKING_KEY:
        return of_store | ({"xksKeyId": key.xks_key_id} if key.xks_key_id else {})
    if key.origin != AWS_CLOUDHSM:
        return {}
    backing_key = _backing_key(key)
    if operation == "CreateKey":
        return {"backingKey": _json(backing_key)}
    told = of_store | _cluster(key.store) | {"backingKeys": _json([backing_key])}
    if operation == "ScheduleKeyDeletion":
        return told
    return told | {"backingKeysDeletionStatus": _json([backing_key | {"deletionStatus": "SUCCESS"}])}


def of_materials(told: Told) -> dict[str, Any]:
    """Tell which key materials opened and made symmetric ciphertexts: these name them."""
    operation, answer = told.operation.name, told.answer
    made = answer.get("CiphertextBlob") or answer.get("PrivateKeyCiphertextBlob")
    found = [
        (_OF_REQUEST.get(operation, ""), ciphertext.material_id_of(told.members.get("CiphertextBlob", b""))),
        (_OF_ANSWER.get(operation, "keyMaterialId"), ciphertext.material_id_of(made or b"")),
    ]
    return {name: material_id.hex() for name, material_id in found if material_id is not None}


def of_recipient(document: bytes, world: World) -> dict[str, Any]:
    """Tell for which enclave an answer was sealed, by its attestation document."""
    from pytest_kms.crypto import recipient  # costs a while to import, and few need it

    said = recipient.read(document, world.nitro_root.certificate)
    pcrs = {f"attestationDocumentEnclavePCR{n}": said.pcrs[n].hex() for n in _PCRS if n in said.pcrs}
    told = {
        "attestationDocumentModuleId": said.module_id,
        "attestationDocumentEnclaveImageDigest": said.pcrs[0].hex(),
    }
    return {"recipient": told | pcrs}


def _cluster(store: CustomKeyStore) -> dict[str, Any]:
    return {"clusterId": store.cluster_id} if store.cluster_id else {}


def _backing_key(key: Key) -> dict[str, str]:
    """Make up what a cluster calls the material of a key: the same whenever it is told."""
    material_id = key.material_id.hex()
    return {"keyHandle": str(int(material_id[:4], 16)), "backingKeyId": material_id}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
