"""Key material of one's own comes into keys, stays, expires and goes as AWS has it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from answers import STATES, error_of, invalid, members_of, unchecked, unfit
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from pytest_kms import FakeKMS, Key, UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import GetParametersForImportResponseTypeDef, ImportKeyMaterialResponseTypeDef

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

MATERIAL = bytes(range(32))
SECOND = bytes(range(100, 132))
THIRD = bytes(range(200, 232))
NEVER: Any = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
UNKNOWN_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
UNKNOWN_ID = "0" * 64

OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
AES = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
ALGORITHMS = (*OAEP, *AES, "SM2PKE", "RSAES_PKCS1_V1_5")
RSA_KEYS = ("RSA_2048", "RSA_3072", "RSA_4096")
WRAPPING_KEYS = (*RSA_KEYS, "SM2")
HMACS = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
DIGESTS = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}

REFUSED_IN = {
    "get_parameters_for_import": (
        "PendingDeletion", "PendingReplicaDeletion", "Unavailable", "Creating", "Updating",
    ),
    "import_key_material": ("PendingDeletion", "PendingReplicaDeletion", "Unavailable", "Creating"),
    "delete_imported_key_material": ("Creating", "Updating"),
}  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "get_parameters_for_import": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "import_key_material": {"ImportToken": b"token", "EncryptedKeyMaterial": b"material", **NEVER},
    "delete_imported_key_material": {},
}
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def empty(kms: FakeKMS) -> Key:
    """Return a symmetric encryption key that waits for its first material."""
    return kms.create_key(origin="EXTERNAL")


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a symmetric encryption key with material."""
    return kms.create_key(origin="EXTERNAL", material=MATERIAL)


def parameters_for(
    client: KMSClient, key: Key, algorithm: str = "RSAES_OAEP_SHA_256", spec: str = "RSA_2048"
) -> GetParametersForImportResponseTypeDef:
    """Ask for import parameters."""
    return client.get_parameters_for_import(
        KeyId=key.id,
        WrappingAlgorithm=algorithm,  # type: ignore[arg-type]
        WrappingKeySpec=spec,  # type: ignore[arg-type]
    )


def members_for(
    kms: FakeKMS, key: Key, material: bytes, how: tuple[str, str] = (OAEP[1], "RSA_2048")
) -> dict[str, Any]:
    """Return the members of an ImportKeyMaterial."""
    parameters = parameters_for(kms.client_for(region=key.region), key, *how)
    return {
        "KeyId": key.id,
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": kms.wrap_key_material(parameters, material),
    }


def import_into(kms: FakeKMS, key: Key, material: bytes, **members: Any) -> ImportKeyMaterialResponseTypeDef:
    """Import material, without an expiration if none is given."""
    expiration = {} if "ValidTo" in members else NEVER
    client = kms.client_for(region=key.region)
    return client.import_key_material(**members_for(kms, key, material), **expiration, **members)


def error_of_import(kms: FakeKMS, key: Key, material: bytes, **members: Any) -> dict[str, str]:
    """Return the error that an import ends with."""
    client = kms.client_for(region=key.region)
    return error_of(client, "import_key_material", **{**members_for(kms, key, material), **NEVER, **members})


def describe(kms: FakeKMS, key: Key) -> dict[str, Any]:
    """Return what DescribeKey tells."""
    return dict(kms.client_for(region=key.region).describe_key(KeyId=key.id)["KeyMetadata"])


def materials_of(kms: FakeKMS, key: Key) -> list[dict[str, Any]]:
    """Return what ListKeyRotations tells of the materials of a key, without the key's name."""
    client = kms.client_for(region=key.region)
    listed = client.list_key_rotations(KeyId=key.id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return [{name: value for name, value in entry.items() if name != "KeyId"} for entry in listed]


def states_of(kms: FakeKMS, key: Key) -> dict[str, tuple[str, str]]:
    """Return the state and the import state of each material of a key, by id."""
    return {
        entry["KeyMaterialId"]: (entry["KeyMaterialState"], entry["ImportState"]) for entry in materials_of(kms, key)
    }


def rotate(kms: FakeKMS, key: Key) -> None:
    """Rotate on demand, and wait until that is done."""
    kms.client.rotate_key_on_demand(KeyId=key.id)
    kms.clock.advance(minutes=10)


def whole(moment: dt.datetime) -> dt.datetime:
    """Leave out the fraction of a second."""
    return moment.replace(microsecond=0)


# what all three have in common


@each_method
@pytest.mark.parametrize("state", STATES)
def test_each_is_refused_in_some_states(kms: FakeKMS, key: Key, method: str, state: str) -> None:
    """In AWS's words for the state, or not at all."""
    key.state = state
    if state in REFUSED_IN[method]:
        assert unfit(key.arn, state) == error_of(kms.client, method, KeyId=key.id, **METHODS[method])
    elif method == "import_key_material":
        # What comes next.
        assert "InvalidImportTokenException" == error_of(kms.client, method, KeyId=key.id, **METHODS[method])["Code"]
    else:
        assert key.arn == getattr(kms.client, method)(KeyId=key.id, **METHODS[method])["KeyId"]


@each_method
@pytest.mark.parametrize("state", ["Enabled", "PendingDeletion"])
def test_each_is_for_keys_without_material_of_kms(kms: FakeKMS, method: str, state: str) -> None:
    """A key of another origin is refused in any state."""
    key = kms.create_key(state=state)
    assert {
        "Code": "UnsupportedOperationException",
        "Message": f"{key.arn} origin is AWS_KMS which is not valid for this operation.",
    } == error_of(kms.client, method, KeyId=key.id, **METHODS[method])


@each_method
def test_each_takes_no_alias(kms: FakeKMS, key: Key, method: str) -> None:
    """An alias is refused, whether it exists or not."""
    wanted = {"Code": "InvalidArnException", "Message": "Key Aliases are not supported for this operation."}
    for alias in ("alias/none", f"{key.arn.rpartition(':')[0]}:alias/none"):
        assert wanted == error_of(kms.client, method, KeyId=alias, **METHODS[method])


@each_method
def test_each_wants_a_key_that_exists(kms: FakeKMS, method: str) -> None:
    """No key, no import."""
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{UNKNOWN_KEY}"
    assert {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"} == error_of(
        kms.client, method, KeyId=UNKNOWN_KEY, **METHODS[method]
    )


@each_method
def test_each_takes_the_arn(kms: FakeKMS, key: Key, method: str) -> None:
    """The key is named by its id or by its ARN."""
    if method == "import_key_material":
        answer: Any = kms.client.import_key_material(**{**members_for(kms, key, MATERIAL), "KeyId": key.arn}, **NEVER)
    else:
        answer = getattr(kms.client, method)(KeyId=key.arn, **METHODS[method])
    assert key.arn == answer["KeyId"]


# GetParametersForImport


def test_parameters_are_a_token_and_a_public_key_for_a_day(kms: FakeKMS, empty: Key) -> None:
    """The public key is of the size asked for, as SubjectPublicKeyInfo."""
    kms.clock.freeze()
    answer = members_of(parameters_for(kms.client, empty, spec="RSA_3072"))
    assert {"KeyId", "ImportToken", "PublicKey", "ParametersValidTo"} == set(answer)
    assert empty.arn == answer["KeyId"]
    assert kms.clock.now + dt.timedelta(hours=24) == answer["ParametersValidTo"]
    public = load_der_public_key(answer["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    assert 3072 == public.key_size


def test_no_two_calls_give_the_same_parameters(kms: FakeKMS, empty: Key) -> None:
    """Each has a public key and a token of its own."""
    first, second = parameters_for(kms.client, empty), parameters_for(kms.client, empty)
    assert first["PublicKey"] != second["PublicKey"]
    assert first["ImportToken"] != second["ImportToken"]


def test_a_seed_repeats_the_parameters() -> None:
    """Token and public key come from the fake's random bytes."""
    answers = []
    for _ in range(2):
        with fake_kms(seed=1) as kms:
            answer = members_of(parameters_for(kms.client, kms.create_key(origin="EXTERNAL")))
            answers.append({name: answer[name] for name in ("ImportToken", "PublicKey")})
    assert answers[0] == answers[1]


EXPECTED = (
    {"SYMMETRIC_DEFAULT": {(algorithm, key) for algorithm in OAEP for key in RSA_KEYS}}
    | {spec: {(algorithm, key) for algorithm in OAEP for key in RSA_KEYS} for spec in HMACS}
    | {spec: {(algorithm, key) for algorithm in AES for key in RSA_KEYS} for spec in RSA_KEYS}
    | {
        spec: {(algorithm, key) for algorithm in OAEP + AES for key in RSA_KEYS}
        for spec in (*CURVES, "ECC_NIST_EDWARDS25519")
    }
)
EXPECTED["ECC_NIST_P521"] -= {(algorithm, "RSA_2048") for algorithm in OAEP}


def takes(kms: FakeKMS, key: Key, algorithm: str, spec: str) -> bool:
    """Say whether a key takes a wrapping; where it does not, that is told in AWS's words."""
    try:
        parameters_for(kms.client, key, algorithm, spec)
    except ClientError as error:
        if error.response["Error"] != {
            "Code": "ValidationException",
            "Message": f"Wrapping algorithm {algorithm} and wrapping key spec {spec} cannot be used to import"
            f" a {key.spec} key.",
        }:
            raise
        return False
    return True


def wrappings_taken(kms: FakeKMS, key: Key) -> set[tuple[str, str]]:
    """Return the wrapping algorithms and wrapping key specs that a key takes."""
    return {how for how in itertools.product(ALGORITHMS, WRAPPING_KEYS) if takes(kms, key, *how)}


@pytest.mark.parametrize("spec", EXPECTED)
def test_a_wrapping_fits_some_key_specs(kms: FakeKMS, spec: str) -> None:
    """RSA keys need the AES key in between, secrets cannot have it, and PKCS#1 v1.5 is over."""
    key = kms.create_key(spec=spec, origin="EXTERNAL")
    assert EXPECTED[spec] == wrappings_taken(kms, key)


@pytest.mark.kms(region="cn-north-1", quotas=False)
@pytest.mark.parametrize("spec", [*EXPECTED, "SM2"])
def test_in_china_sm2_wraps_as_well(kms: FakeKMS, spec: str) -> None:
    """SM2PKE goes with an SM2 wrapping key alone, and wraps all but Ed25519."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    expected = EXPECTED["ECC_NIST_P256"] if spec == "SM2" else EXPECTED[spec]
    if spec != "ECC_NIST_EDWARDS25519":
        expected = expected | {("SM2PKE", "SM2")}
    assert expected == wrappings_taken(kms, kms.create_key(spec=spec, origin="EXTERNAL"))


def test_the_origin_is_looked_at_before_the_wrapping(kms: FakeKMS) -> None:
    """A key of another origin fits no wrapping; AWS tells of the origin."""
    key = kms.create_key()
    told = error_of(
        kms.client,
        "get_parameters_for_import",
        KeyId=key.id,
        WrappingAlgorithm="RSAES_PKCS1_V1_5",
        WrappingKeySpec="RSA_2048",
    )
    assert "UnsupportedOperationException" == told["Code"]


def test_wrapping_members_are_of_aws_s_sets(kms: FakeKMS, empty: Key) -> None:
    """Both are needed, and have one of AWS's values."""
    algorithms = "RSAES_PKCS1_V1_5, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, RSA_AES_KEY_WRAP_SHA_1"
    assert invalid(
        "Value 'ROT13' at 'wrappingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set:"
        f" [{algorithms}, RSA_AES_KEY_WRAP_SHA_256, SM2PKE]",
        "Value null at 'wrappingKeySpec' failed to satisfy constraint: Member must not be null",
    ) == error_of(unchecked(kms), "get_parameters_for_import", KeyId=empty.id, WrappingAlgorithm="ROT13")


# ImportKeyMaterial: into every kind of key


def private_key_of(kms: FakeKMS, spec: str) -> bytes:
    """Return a private key (PKCS#8, DER) that KMS makes for its callers."""
    pair = kms.client.generate_data_key_pair(KeyId=kms.create_key().id, KeyPairSpec=spec)  # type: ignore[arg-type]
    return pair["PrivateKeyPlaintext"]


def imported_key(kms: FakeKMS, spec: str, usage: str, material: bytes, how: tuple[str, str]) -> str:
    """Make a key and import its material, all through calls; return its id."""
    metadata = kms.client.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]  # type: ignore[arg-type]
    assert ("PendingImport", False) == (metadata["KeyState"], metadata["Enabled"])
    assert not {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & set(metadata)
    [key] = kms.world.keys_called(metadata["KeyId"])
    answer = kms.client.import_key_material(**members_for(kms, key, material, how), **NEVER)
    shown = describe(kms, key)
    assert ("Enabled", True, "EXTERNAL") == (shown["KeyState"], shown["Enabled"], shown["Origin"])
    assert "KEY_MATERIAL_DOES_NOT_EXPIRE" == shown["ExpirationModel"]
    if spec == "SYMMETRIC_DEFAULT":
        assert {"KeyId": key.arn, "KeyMaterialId": shown["CurrentKeyMaterialId"]} == members_of(answer)
    else:
        assert {"KeyId": key.arn} == members_of(answer)
    return key.id


@pytest.mark.parametrize("algorithm", OAEP)
@pytest.mark.parametrize("wrapping_key", RSA_KEYS)
def test_a_symmetric_key_opens_what_it_sealed_with_its_material(
    kms: FakeKMS, algorithm: str, wrapping_key: str
) -> None:
    """Deleted and imported again, the same material opens the same ciphertext."""
    key_id = imported_key(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", MATERIAL, (algorithm, wrapping_key))
    [key] = kms.world.keys_called(key_id)
    blob = kms.client.encrypt(KeyId=key_id, Plaintext=b"order")["CiphertextBlob"]
    kms.client.delete_imported_key_material(KeyId=key_id)
    assert unfit(key.arn, "PendingImport") == error_of(kms.client, "decrypt", CiphertextBlob=blob)
    import_into(kms, key, MATERIAL)
    assert b"order" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert MATERIAL == key.material


@pytest.mark.parametrize("spec", HMACS)
def test_an_hmac_key_computes_with_its_material(kms: FakeKMS, spec: str) -> None:
    """Python's HMAC with the same material gives the same MAC."""
    material, bits = bytes(range(HMACS[spec])), spec.removeprefix("HMAC_")
    key_id = imported_key(kms, spec, "GENERATE_VERIFY_MAC", material, (OAEP[1], "RSA_2048"))
    mac = kms.client.generate_mac(KeyId=key_id, Message=b"order", MacAlgorithm=f"HMAC_SHA_{bits}")["Mac"]  # type: ignore[arg-type]
    assert hmac.digest(material, b"order", f"sha{bits}") == mac


@pytest.mark.parametrize("algorithm", AES)
@pytest.mark.parametrize("spec", RSA_KEYS)
def test_an_rsa_key_signs_with_its_material(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """The public key of the material verifies the signature."""
    material = private_key_of(kms, spec)
    key_id = imported_key(kms, spec, "SIGN_VERIFY", material, (algorithm, "RSA_4096"))
    signature = kms.client.sign(KeyId=key_id, Message=b"order", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
    public: Any = load_der_private_key(material, None).public_key()
    public.verify(signature["Signature"], b"order", padding.PKCS1v15(), hashes.SHA256())


def test_an_rsa_key_decrypts_with_its_material(kms: FakeKMS) -> None:
    """What was encrypted under the public key of the material."""
    material = private_key_of(kms, "RSA_2048")
    key_id = imported_key(kms, "RSA_2048", "ENCRYPT_DECRYPT", material, (AES[1], "RSA_2048"))
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    public: Any = load_der_private_key(material, None).public_key()
    blob = public.encrypt(b"order", oaep)
    answer = kms.client.decrypt(KeyId=key_id, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert b"order" == answer["Plaintext"]


@pytest.mark.parametrize("algorithm", OAEP + AES)
@pytest.mark.parametrize("spec", CURVES)
def test_a_key_of_a_curve_signs_with_its_material(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """The public key of the material verifies the signature."""
    private = ec.generate_private_key(CURVES[spec])
    material = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key_id = imported_key(kms, spec, "SIGN_VERIFY", material, (algorithm, "RSA_3072"))
    bits = {"ECC_NIST_P384": "384", "ECC_NIST_P521": "512"}.get(spec, "256")
    answer = kms.client.sign(KeyId=key_id, Message=b"order", SigningAlgorithm=f"ECDSA_SHA_{bits}")  # type: ignore[arg-type]
    private.public_key().verify(answer["Signature"], b"order", ec.ECDSA(DIGESTS[bits]))
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == kms.client.get_public_key(KeyId=key_id)["PublicKey"]


def test_a_key_of_a_curve_agrees_with_its_material(kms: FakeKMS) -> None:
    """Both sides of Diffie-Hellman derive the same secret, and AWS tells where the material came from."""
    private, peer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    material = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key_id = imported_key(kms, "ECC_NIST_P256", "KEY_AGREEMENT", material, (OAEP[0], "RSA_2048"))
    answer = kms.client.derive_shared_secret(
        KeyId=key_id,
        KeyAgreementAlgorithm="ECDH",
        PublicKey=peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    assert peer.exchange(ec.ECDH(), private.public_key()) == answer["SharedSecret"]
    assert "EXTERNAL" == answer["KeyOrigin"]


@pytest.mark.parametrize("algorithm", OAEP + AES)
def test_a_key_of_an_edwards_curve_signs_with_its_material(kms: FakeKMS, algorithm: str) -> None:
    """The public key of the material verifies the signature."""
    material = private_key_of(kms, "ECC_NIST_EDWARDS25519")
    key_id = imported_key(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY", material, (algorithm, "RSA_2048"))
    answer = kms.client.sign(KeyId=key_id, Message=b"order", SigningAlgorithm="ED25519_SHA_512")
    public: Any = load_der_private_key(material, None).public_key()
    public.verify(answer["Signature"], b"order")


@pytest.mark.kms(region="cn-north-1", quotas=False)
@pytest.mark.parametrize(
    "how", [("SM2PKE", "SM2"), (OAEP[1], "RSA_2048"), (AES[0], "RSA_4096")], ids=lambda how: how[0]
)
def test_an_sm2_key_signs_with_its_material(kms: FakeKMS, how: tuple[str, str]) -> None:
    """In China. Another key with the public half of the same material takes the signature."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    material = private_key_of(kms, "SM2")
    key_id = imported_key(kms, "SM2", "SIGN_VERIFY", material, how)
    signature = kms.client.sign(KeyId=key_id, Message=b"order", SigningAlgorithm="SM2DSA")["Signature"]
    twin = kms.create_key(spec="SM2", usage="SIGN_VERIFY", material=material)
    answer = kms.client.verify(KeyId=twin.id, Message=b"order", SigningAlgorithm="SM2DSA", Signature=signature)
    assert answer["SignatureValid"]


@pytest.mark.kms(region="cn-north-1", quotas=False)
@pytest.mark.parametrize("spec", ["RSA_4096", "ECC_NIST_P521", "HMAC_512"])
def test_in_china_sm2_wraps_long_material(kms: FakeKMS, spec: str) -> None:
    """SM2PKE encrypts a whole RSA key."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    material = bytes(64) if spec in HMACS else private_key_of(kms, spec)
    usage = "GENERATE_VERIFY_MAC" if spec in HMACS else "SIGN_VERIFY"
    imported_key(kms, spec, usage, material, ("SM2PKE", "SM2"))


@pytest.mark.kms(region="cn-north-1", quotas=False)
def test_in_china_symmetric_material_is_shorter(kms: FakeKMS) -> None:
    """SM4 has keys of 16 bytes."""
    key = kms.create_key(origin="EXTERNAL")
    assert {"Code": "InvalidCiphertextException", "Message": ""} == error_of_import(kms, key, MATERIAL)
    import_into(kms, key, MATERIAL[:16])
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"order")["CiphertextBlob"]
    assert b"order" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


# ImportKeyMaterial: what arrives


def test_parameters_serve_several_imports(kms: FakeKMS, empty: Key) -> None:
    """A token is good until its day is over, and newer ones do not put it out of force."""
    members = members_for(kms, empty, MATERIAL)
    parameters_for(kms.client, empty)
    for _ in range(2):
        kms.client.import_key_material(**members, **NEVER)
    assert "Enabled" == empty.state


def test_parameters_expire_after_a_day(kms: FakeKMS, empty: Key) -> None:
    """Until the last second they are good."""
    kms.clock.freeze()
    members = members_for(kms, empty, MATERIAL)
    kms.clock.advance(hours=24, seconds=-1)
    kms.client.import_key_material(**members, **NEVER)
    kms.clock.advance(seconds=1)
    assert {"Code": "ExpiredImportTokenException", "Message": ""} == error_of(
        kms.client, "import_key_material", **members, **NEVER
    )
    assert "was valid to" in kms.trail.last.why


def test_a_token_is_for_one_key(kms: FakeKMS, empty: Key) -> None:
    """That of another key is invalid, and AWS does not say why."""
    other = kms.create_key(origin="EXTERNAL")
    members = {**members_for(kms, other, MATERIAL), "KeyId": empty.id}
    assert {"Code": "InvalidImportTokenException", "Message": ""} == error_of(
        kms.client, "import_key_material", **members, **NEVER
    )
    assert f"the import token is for {other.arn}, not for {empty.arn}" == kms.trail.last.why


@pytest.mark.parametrize("spoil", [lambda token: token[:-1], lambda token: token + b"x", lambda _: b"token"])
def test_a_token_that_was_altered_is_invalid(kms: FakeKMS, empty: Key, spoil: Callable[[bytes], bytes]) -> None:
    """It is none that the fake gave."""
    members = members_for(kms, empty, MATERIAL)
    members["ImportToken"] = spoil(members["ImportToken"])
    assert {"Code": "InvalidImportTokenException", "Message": ""} == error_of(
        kms.client, "import_key_material", **members, **NEVER
    )
    assert "GetParametersForImport of this fake never gave this import token" == kms.trail.last.why


def test_token_and_wrapped_material_come_from_the_same_parameters(kms: FakeKMS, empty: Key) -> None:
    """Material that was wrapped with the public key of other parameters cannot be unwrapped."""
    first, second = members_for(kms, empty, MATERIAL), members_for(kms, empty, MATERIAL)
    first["EncryptedKeyMaterial"] = second["EncryptedKeyMaterial"]
    assert {"Code": "InvalidCiphertextException", "Message": ""} == error_of(
        kms.client, "import_key_material", **first, **NEVER
    )
    assert (
        "it was not wrapped with RSAES_OAEP_SHA_256 and the public key that came with its import token"
        == kms.trail.last.why
    )


@pytest.mark.parametrize(
    ("spec", "length", "why"),
    [
        ("SYMMETRIC_DEFAULT", 31, "the material of SYMMETRIC_DEFAULT has 32 bytes, not 31"),
        ("SYMMETRIC_DEFAULT", 33, "the material of SYMMETRIC_DEFAULT has 32 bytes, not 33"),
        ("SYMMETRIC_DEFAULT", 16, "the material of SYMMETRIC_DEFAULT has 32 bytes, not 16"),
        *[
            (spec, length + more, f"the material of {spec} has {length} bytes, not {length + more}")
            for spec, length in HMACS.items()
            for more in (-1, 1)
        ],
    ],
)
def test_secrets_have_an_exact_length(kms: FakeKMS, spec: str, length: int, why: str) -> None:
    """Any other is refused as something that cannot be decrypted."""
    key = kms.create_key(spec=spec, origin="EXTERNAL")
    assert {"Code": "InvalidCiphertextException", "Message": ""} == error_of_import(kms, key, bytes(length))
    assert why == kms.trail.last.why
    assert "PendingImport" == key.state


def test_a_private_key_of_another_kind_is_refused(kms: FakeKMS) -> None:
    """As something that cannot be decrypted, too."""
    key = kms.create_key(spec="ECC_NIST_P256", origin="EXTERNAL")
    members = members_for(kms, key, private_key_of(kms, "ECC_NIST_P384"), (AES[0], "RSA_2048"))
    assert {"Code": "InvalidCiphertextException", "Message": ""} == error_of(
        kms.client, "import_key_material", **members, **NEVER
    )
    assert "the material of ECC_NIST_P256 is such a private key as PKCS#8" == kms.trail.last.why


@pytest.mark.parametrize(
    ("member", "bounds"),
    [("ImportToken", (0, 6145)), ("EncryptedKeyMaterial", (0, 6145))],
)
def test_blobs_have_bounds(kms: FakeKMS, key: Key, member: str, bounds: tuple[int, int]) -> None:
    """From 1 to 6,144 bytes, and the message does not repeat them."""
    place = member[0].lower() + member[1:]
    told = [
        error_of(unchecked(kms), "import_key_material", **{**members_for(kms, key, MATERIAL), member: bytes(length)})
        for length in bounds
    ]
    assert [
        invalid(f"Value at '{place}' failed to satisfy constraint: Member must have length {words}")
        for words in ("greater than or equal to 1", "less than or equal to 6144")
    ] == told


def test_token_and_material_are_needed(kms: FakeKMS, key: Key) -> None:
    """Both, and the key."""
    assert invalid(
        *(
            f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
            for place in ("keyId", "importToken", "encryptedKeyMaterial")
        )
    ) == error_of(unchecked(kms), "import_key_material", **NEVER)


def test_the_trail_shows_no_material(kms: FakeKMS, key: Key) -> None:
    """Neither token nor wrapped material are recorded."""
    valid_to = whole(kms.clock.now) + dt.timedelta(days=1)
    import_into(kms, key, MATERIAL, ValidTo=valid_to, ImportType="EXISTING_KEY_MATERIAL")
    assert {"KeyId": key.id, "ValidTo": valid_to, "ImportType": "EXISTING_KEY_MATERIAL"} == kms.trail.last.parameters


# ImportKeyMaterial: how long it stays


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"),
        (
            {"ExpirationModel": "KEY_MATERIAL_EXPIRES"},
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        ),
        (
            {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ValidTo": dt.timedelta(days=1)},
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
        ),
        ({"ValidTo": dt.timedelta(days=-1)}, "ValidTo must be in the future"),
        ({"ValidTo": dt.timedelta(0)}, "ValidTo must be in the future"),
        ({"ValidTo": dt.timedelta(days=365, seconds=1)}, "ValidTo must be less than 365 days in the future"),
    ],
)
def test_an_expiration_has_rules(kms: FakeKMS, empty: Key, members: dict[str, Any], message: str) -> None:
    """Model and date go together, and the date is in the year to come."""
    kms.clock.freeze()
    if "ValidTo" in members:
        members = {**members, "ValidTo": kms.clock.now + members["ValidTo"]}
    assert {"Code": "ValidationException", "Message": message} == error_of(
        kms.client, "import_key_material", **members_for(kms, empty, MATERIAL), **members
    )


@pytest.mark.parametrize("model", [{}, {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}], ids=["default", "spelt out"])
@pytest.mark.parametrize("ahead", [dt.timedelta(seconds=2), dt.timedelta(days=365)], ids=str)
def test_material_expires_at_a_whole_second(
    kms: FakeKMS, empty: Key, model: dict[str, str], ahead: dt.timedelta
) -> None:
    """The fraction of what was asked for is dropped; DescribeKey tells the rest."""
    kms.clock.freeze()
    import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + ahead, **model)
    shown = describe(kms, empty)
    assert ("KEY_MATERIAL_EXPIRES", whole(kms.clock.now + ahead)) == (shown["ExpirationModel"], shown["ValidTo"])


def test_expired_material_makes_a_key_useless(kms: FakeKMS, empty: Key) -> None:
    """From the moment of ValidTo the key is PendingImport; the list of materials still has the past date."""
    kms.clock.freeze()
    valid_to = whole(kms.clock.now) + dt.timedelta(days=30)
    material_id = import_into(kms, empty, MATERIAL, ValidTo=valid_to)["KeyMaterialId"]
    kms.clock.advance(days=29)
    assert "Enabled" == describe(kms, empty)["KeyState"]

    kms.clock.advance(days=1)

    assert unfit(empty.arn, "PendingImport") == error_of(kms.client, "encrypt", KeyId=empty.id, Plaintext=b"order")
    shown = describe(kms, empty)
    assert ("PendingImport", material_id) == (shown["KeyState"], shown["CurrentKeyMaterialId"])
    assert not {"ExpirationModel", "ValidTo"} & set(shown)
    assert [
        {
            "KeyMaterialId": material_id,
            "KeyMaterialState": "CURRENT",
            "ImportState": "IMPORTED",
            "ExpirationModel": "KEY_MATERIAL_EXPIRES",
            "ValidTo": valid_to,
        }
    ] == materials_of(kms, empty)


def test_kms_tells_that_it_deleted_expired_material(kms: FakeKMS, empty: Key) -> None:
    """CloudTrail gets an event of KMS's own, at the very moment."""
    kms.clock.freeze()
    valid_to = whole(kms.clock.now) + dt.timedelta(days=30)
    import_into(kms, empty, MATERIAL, ValidTo=valid_to)
    kms.clock.advance(days=60)
    describe(kms, empty)
    [event] = kms.trail.filter("DeleteExpiredKeyMaterial")
    assert ("AWS Internal", empty.arn, valid_to) == (event.principal, event.key, event.time)
    assert {"keyId": empty.id} == event.service_event


def test_expired_material_may_be_imported_again(kms: FakeKMS, empty: Key) -> None:
    """The key is as good as before, with the new expiration."""
    first_id = import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=30))["KeyMaterialId"]
    blob = kms.client.encrypt(KeyId=empty.id, Plaintext=b"order")["CiphertextBlob"]
    kms.clock.advance(days=31)
    assert "PendingImport" == describe(kms, empty)["KeyState"]
    assert first_id == import_into(kms, empty, MATERIAL)["KeyMaterialId"]
    assert b"order" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert "KEY_MATERIAL_DOES_NOT_EXPIRE" == describe(kms, empty)["ExpirationModel"]


@pytest.mark.parametrize("later", [{"days": 60}, None], ids=["another date", "never"])
def test_importing_again_changes_the_expiration(kms: FakeKMS, empty: Key, later: dict[str, int] | None) -> None:
    """The first date passes unnoticed."""
    import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=30))
    import_into(kms, empty, MATERIAL, **({"ValidTo": kms.clock.now + dt.timedelta(**later)} if later else {}))
    kms.clock.advance(days=31)
    assert "Enabled" == describe(kms, empty)["KeyState"]
    kms.clock.advance(days=30)
    assert ("PendingImport" if later else "Enabled") == describe(kms, empty)["KeyState"]


def test_deleted_material_expires_no_more(kms: FakeKMS, empty: Key) -> None:
    """KMS records the deletion of expired material only where there is some."""
    import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=30))
    kms.client.delete_imported_key_material(KeyId=empty.id)
    kms.clock.advance(days=31)
    describe(kms, empty)
    assert [] == kms.trail.filter("DeleteExpiredKeyMaterial")


def test_material_of_a_deleted_key_expires_no_more(kms: FakeKMS, empty: Key) -> None:
    """A key that is gone has no events."""
    import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=30))
    kms.client.schedule_key_deletion(KeyId=empty.id, PendingWindowInDays=7)
    kms.clock.advance(days=31)
    kms.client.list_keys()
    assert ["DeleteKey"] == [event.operation for event in kms.trail if event.service_event is not None]


def test_a_key_in_its_waiting_period_stays_there_when_its_material_expires(kms: FakeKMS, empty: Key) -> None:
    """A key that is saved then waits for its material."""
    import_into(kms, empty, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=3))
    kms.client.schedule_key_deletion(KeyId=empty.id, PendingWindowInDays=7)
    kms.clock.advance(days=4)
    assert "PendingDeletion" == describe(kms, empty)["KeyState"]
    kms.client.cancel_key_deletion(KeyId=empty.id)
    assert "PendingImport" == describe(kms, empty)["KeyState"]


def test_the_earliest_date_is_told(kms: FakeKMS, key: Key) -> None:
    """Of all materials that the key cannot do without."""
    first = whole(kms.clock.now) + dt.timedelta(days=100)
    import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL", ValidTo=first)
    assert "KEY_MATERIAL_DOES_NOT_EXPIRE" == describe(kms, key)["ExpirationModel"]
    rotate(kms, key)
    assert first == describe(kms, key)["ValidTo"]
    sooner = first - dt.timedelta(days=1)
    import_into(kms, key, MATERIAL, ValidTo=sooner)
    assert sooner == describe(kms, key)["ValidTo"]


# ImportKeyMaterial: which material it is


def test_the_same_material_has_the_same_id_in_the_same_key(kms: FakeKMS, key: Key) -> None:
    """Through deletion, too; another material, or another key, gives another."""
    material_id = describe(kms, key)["CurrentKeyMaterialId"]
    assert re.fullmatch("[0-9a-f]{64}", material_id)
    kms.client.delete_imported_key_material(KeyId=key.id)
    assert material_id == import_into(kms, key, MATERIAL)["KeyMaterialId"]
    other = kms.create_key(origin="EXTERNAL")
    assert material_id != import_into(kms, other, MATERIAL)["KeyMaterialId"]
    assert material_id != import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]


def id_of(key: Key, material: bytes) -> str:
    """Return the id that a material has in a key, as another key with the same id would have it."""
    with fake_kms() as kms:
        return kms.import_key_material(kms.create_key(origin="EXTERNAL", key_id=key.id), material)


@pytest.mark.parametrize("members", [{}, {"ImportType": "EXISTING_KEY_MATERIAL"}], ids=["default", "spelt out"])
def test_other_material_is_not_what_was_there(kms: FakeKMS, key: Key, members: dict[str, Any]) -> None:
    """Once a key has material, an import that says no more brings that again."""
    expected = describe(kms, key)["CurrentKeyMaterialId"]
    assert {
        "Code": "IncorrectKeyMaterialException",
        "Message": f"Imported key material does not have the expected identifier ({expected}).",
    } == error_of_import(kms, key, SECOND, **members)


def test_the_id_given_is_the_id_expected(kms: FakeKMS, key: Key) -> None:
    """Material of another id is refused, known or not."""
    current = describe(kms, key)["CurrentKeyMaterialId"]
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert current == import_into(kms, key, MATERIAL, KeyMaterialId=current)["KeyMaterialId"]
    for material, expected in ((MATERIAL, pending), (SECOND, current), (THIRD, current), (MATERIAL, UNKNOWN_ID)):
        assert {
            "Code": "IncorrectKeyMaterialException",
            "Message": f"Imported key material does not have the expected identifier ({expected}).",
        } == error_of_import(kms, key, material, KeyMaterialId=expected)


def test_an_id_that_is_right_and_yet_unknown(kms: FakeKMS, key: Key) -> None:
    """Material that the key never had is refused, though it is what the call says."""
    current = describe(kms, key)["CurrentKeyMaterialId"]
    assert {
        "Code": "IncorrectKeyMaterialException",
        "Message": f"Imported key material does not have the expected identifier ({current}).",
    } == error_of_import(kms, key, SECOND, KeyMaterialId=id_of(key, SECOND))


@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256"])
def test_keys_of_one_material_expect_that(kms: FakeKMS, spec: str) -> None:
    """HMAC and asymmetric keys take their first material again and no other; the error tells its id alone."""
    materials = [bytes(range(n, n + 32)) if spec in HMACS else private_key_of(kms, spec) for n in (0, 1)]
    key = kms.create_key(spec=spec, origin="EXTERNAL")
    import_into(kms, key, materials[0])
    kms.client.delete_imported_key_material(KeyId=key.id)
    told = error_of_import(kms, key, materials[1])
    assert "IncorrectKeyMaterialException" == told["Code"]
    assert re.fullmatch(
        r"Imported key material does not have the expected identifier \([0-9a-f]{64}\)\.", told["Message"]
    )
    import_into(kms, key, materials[0])
    assert "Enabled" == key.state


def test_existing_material_of_a_key_that_never_had_any(kms: FakeKMS, empty: Key) -> None:
    """Nothing can be it."""
    assert {"Code": "IncorrectKeyMaterialException", "Message": ""} == error_of_import(
        kms, empty, MATERIAL, ImportType="EXISTING_KEY_MATERIAL"
    )
    assert f"nothing was ever imported into {empty.label}" == kms.trail.last.why


def test_material_is_new_once(kms: FakeKMS, key: Key) -> None:
    """What the key knows is not new, whether it is current or waits."""
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    current = describe(kms, key)["CurrentKeyMaterialId"]
    for material, material_id in ((MATERIAL, current), (SECOND, pending)):
        assert {
            "Code": "IncorrectKeyMaterialException",
            "Message": f"Key material (id: {material_id}) being imported as NEW_KEY_MATERIAL is already associated with"
            f" KMS key {key.arn}.",
        } == error_of_import(kms, key, material, ImportType="NEW_KEY_MATERIAL")


def test_new_material_waits_for_a_rotation(kms: FakeKMS, key: Key) -> None:
    """The key goes on with what it has, until it is rotated on demand."""
    current = describe(kms, key)["CurrentKeyMaterialId"]
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"order")["CiphertextBlob"]
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert current == describe(kms, key)["CurrentKeyMaterialId"]
    assert {current: ("CURRENT", "IMPORTED"), pending: ("PENDING_ROTATION", "IMPORTED")} == states_of(kms, key)
    rotate(kms, key)
    assert pending == describe(kms, key)["CurrentKeyMaterialId"]
    assert {current: ("NON_CURRENT", "IMPORTED"), pending: ("CURRENT", "IMPORTED")} == states_of(kms, key)
    assert b"order" == kms.client.decrypt(CiphertextBlob=blob)["Plaintext"]


def test_one_new_material_waits_at_a_time(kms: FakeKMS, key: Key) -> None:
    """AWS names both."""
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert {
        "Code": "KMSInvalidStateException",
        "Message": f"New key material (id: {id_of(key, THIRD)}) cannot be imported into KMS key {key.arn}, because"
        f" another key material (id: {pending}) is pending rotation.",
    } == error_of_import(kms, key, THIRD, ImportType="NEW_KEY_MATERIAL")
    rotate(kms, key)
    import_into(kms, key, THIRD, ImportType="NEW_KEY_MATERIAL")


def test_new_material_may_come_while_the_old_is_away(kms: FakeKMS, key: Key) -> None:
    """It waits; the key needs the old one."""
    kms.client.delete_imported_key_material(KeyId=key.id)
    import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")
    assert "PendingImport" == describe(kms, key)["KeyState"]


def test_the_first_material_may_be_called_new(kms: FakeKMS, empty: Key) -> None:
    """It is current at once all the same."""
    material_id = import_into(kms, empty, MATERIAL, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert {material_id: ("CURRENT", "IMPORTED")} == states_of(kms, empty)


def test_material_that_is_not_current_may_be_imported_again(kms: FakeKMS, key: Key) -> None:
    """Without an id, any material of the key will do."""
    first = describe(kms, key)["CurrentKeyMaterialId"]
    import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")
    rotate(kms, key)
    assert first == import_into(kms, key, MATERIAL)["KeyMaterialId"]
    assert first != describe(kms, key)["CurrentKeyMaterialId"]


def test_a_key_needs_all_its_materials(kms: FakeKMS, key: Key) -> None:
    """Without an old one it encrypts nothing, though the current one is there."""
    first = describe(kms, key)["CurrentKeyMaterialId"]
    second = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    rotate(kms, key)
    kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=first)
    assert {first: ("NON_CURRENT", "PENDING_IMPORT"), second: ("CURRENT", "IMPORTED")} == states_of(kms, key)
    assert unfit(key.arn, "PendingImport") == error_of(kms.client, "encrypt", KeyId=key.id, Plaintext=b"order")
    kms.client.delete_imported_key_material(KeyId=key.id)
    import_into(kms, key, SECOND)
    assert "PendingImport" == describe(kms, key)["KeyState"]
    import_into(kms, key, MATERIAL)
    assert "Enabled" == describe(kms, key)["KeyState"]


def test_a_new_material_is_not_named(kms: FakeKMS, key: Key, empty: Key) -> None:
    """Its id is for KMS to say; so also where it is new by default."""
    wanted = {
        "Code": "ValidationException",
        "Message": "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.",
    }
    assert wanted == error_of_import(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL", KeyMaterialId=UNKNOWN_ID)
    assert wanted == error_of_import(kms, empty, MATERIAL, KeyMaterialId=UNKNOWN_ID)


@pytest.mark.parametrize("spec", ["HMAC_224", "RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("importType", "NEW_KEY_MATERIAL"),
        ("importType", "EXISTING_KEY_MATERIAL"),
        ("keyMaterialId", UNKNOWN_ID),
        ("keyMaterialDescription", "orders"),
    ],
)
def test_keys_of_one_material_do_not_tell_it_from_others(kms: FakeKMS, spec: str, member: str, value: str) -> None:
    """What tells materials apart is for symmetric encryption keys."""
    key = kms.create_key(spec=spec, origin="EXTERNAL")
    assert {
        "Code": "ValidationException",
        "Message": f"Input parameter {member} cannot be used with {spec} imported keys.",
    } == error_of(
        kms.client,
        "import_key_material",
        KeyId=key.id,
        **METHODS["import_key_material"],
        **{member[0].upper() + member[1:]: value},
    )


def test_a_description_stays_until_another_comes(kms: FakeKMS, empty: Key) -> None:
    """An import that has none keeps the one before, through a deletion as well."""
    import_into(kms, empty, MATERIAL, KeyMaterialDescription="of 2026")
    kms.client.delete_imported_key_material(KeyId=empty.id)
    import_into(kms, empty, MATERIAL)
    assert ["of 2026"] == [entry["KeyMaterialDescription"] for entry in materials_of(kms, empty)]
    import_into(kms, empty, MATERIAL, KeyMaterialDescription="of 2027")
    assert ["of 2027"] == [entry["KeyMaterialDescription"] for entry in materials_of(kms, empty)]


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        (
            "KeyMaterialDescription",
            "a;b",
            "Value 'a;b' at 'keyMaterialDescription' failed to satisfy constraint:"
            " Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_\\s.-]+$",
        ),
        (
            "KeyMaterialDescription",
            "a" * 257,
            f"Value '{'a' * 257}' at 'keyMaterialDescription' failed to satisfy constraint:"
            " Member must have length less than or equal to 256",
        ),
        (
            "ImportType",
            "OLD",
            "Value 'OLD' at 'importType' failed to satisfy constraint:"
            " Member must satisfy enum value set: [NEW_KEY_MATERIAL, EXISTING_KEY_MATERIAL]",
        ),
        (
            "ExpirationModel",
            "SOON",
            "Value 'SOON' at 'expirationModel' failed to satisfy constraint:"
            " Member must satisfy enum value set: [KEY_MATERIAL_EXPIRES, KEY_MATERIAL_DOES_NOT_EXPIRE]",
        ),
        (
            "KeyMaterialId",
            "A" * 64,
            f"Value '{'A' * 64}' at 'keyMaterialId' failed to satisfy constraint:"
            " Member must satisfy regular expression pattern: ^[a-f0-9]+$",
        ),
    ],
)
def test_members_meet_their_constraints(kms: FakeKMS, key: Key, member: str, value: str, text: str) -> None:
    """In the words of every operation."""
    members = {**members_for(kms, key, MATERIAL), **NEVER, member: value}
    assert invalid(text) == error_of(kms.client, "import_key_material", **members)


@pytest.mark.parametrize("material", [MATERIAL, SECOND], ids=["the same", "new"])
def test_an_import_enables_a_disabled_key(kms: FakeKMS, key: Key, material: bytes) -> None:
    """Recorded: nobody has to call EnableKey."""
    kms.client.disable_key(KeyId=key.id)
    import_into(kms, key, material, **({} if material == MATERIAL else {"ImportType": "NEW_KEY_MATERIAL"}))
    assert ("Enabled", True) == (describe(kms, key)["KeyState"], describe(kms, key)["Enabled"])


def test_a_key_that_was_disabled_is_enabled_when_its_material_is_back(kms: FakeKMS, key: Key) -> None:
    """What it was before it lost its material does not matter."""
    kms.client.disable_key(KeyId=key.id)
    kms.client.delete_imported_key_material(KeyId=key.id)
    assert "PendingImport" == describe(kms, key)["KeyState"]
    import_into(kms, key, MATERIAL)
    assert "Enabled" == describe(kms, key)["KeyState"]


def test_an_import_leaves_a_key_updating(kms: FakeKMS) -> None:
    """What is being done to it goes on."""
    key = kms.create_key(origin="EXTERNAL", material=MATERIAL)
    members = members_for(kms, key, MATERIAL)
    key.state = "Updating"
    kms.client.import_key_material(**members, **NEVER)
    assert "Updating" == describe(kms, key)["KeyState"]


def test_pending_material_that_expires_is_not_missed(kms: FakeKMS, key: Key) -> None:
    """It still waits, and no event tells; rotated to, it makes the key PendingImport."""
    valid_to = whole(kms.clock.now) + dt.timedelta(days=1)
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL", ValidTo=valid_to)["KeyMaterialId"]
    kms.clock.advance(days=2)
    assert "Enabled" == describe(kms, key)["KeyState"]
    assert ("PENDING_ROTATION", "IMPORTED") == states_of(kms, key)[pending]
    assert [] == kms.trail.filter("DeleteExpiredKeyMaterial")
    rotate(kms, key)
    assert ("PendingImport", pending) == (
        describe(kms, key)["KeyState"],
        describe(kms, key)["CurrentKeyMaterialId"],
    )
    import_into(kms, key, SECOND)
    assert "Enabled" == describe(kms, key)["KeyState"]


# DeleteImportedKeyMaterial


def test_deletion_takes_the_current_material(kms: FakeKMS, key: Key) -> None:
    """The key keeps the id of it, and forgets how long it would have been there."""
    material_id = describe(kms, key)["CurrentKeyMaterialId"]
    answer = kms.client.delete_imported_key_material(KeyId=key.id)
    assert {"KeyId": key.arn, "KeyMaterialId": material_id} == members_of(answer)
    shown = describe(kms, key)
    assert ("PendingImport", False, material_id) == (
        shown["KeyState"],
        shown["Enabled"],
        shown["CurrentKeyMaterialId"],
    )
    assert not {"ExpirationModel", "ValidTo"} & set(shown)
    assert [
        {"KeyMaterialId": material_id, "KeyMaterialState": "CURRENT", "ImportState": "PENDING_IMPORT"}
    ] == materials_of(kms, key)


def test_deletion_may_be_repeated(kms: FakeKMS, key: Key) -> None:
    """Twice is as good as once, with the id or without."""
    once = members_of(kms.client.delete_imported_key_material(KeyId=key.id))
    assert once == members_of(kms.client.delete_imported_key_material(KeyId=key.id))
    again = kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=once["KeyMaterialId"])
    assert once == members_of(again)


def test_there_may_be_nothing_to_delete(kms: FakeKMS, empty: Key) -> None:
    """Then the answer names the key alone."""
    assert {"KeyId": empty.arn} == members_of(kms.client.delete_imported_key_material(KeyId=empty.id))


@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256"])
def test_deletion_from_keys_of_one_material_names_none(kms: FakeKMS, spec: str) -> None:
    """Only symmetric encryption keys tell the ids of their materials."""
    material = MATERIAL if spec == "HMAC_256" else private_key_of(kms, spec)
    key = kms.create_key(spec=spec, origin="EXTERNAL", material=material)
    assert {"KeyId": key.arn} == members_of(kms.client.delete_imported_key_material(KeyId=key.id))
    assert "PendingImport" == key.state


@pytest.mark.parametrize("has_material", [True, False])
def test_a_material_that_never_was_cannot_be_deleted(kms: FakeKMS, has_material: bool) -> None:  # noqa: FBT001
    """An id that is none of the key's materials."""
    key = kms.create_key(origin="EXTERNAL", material=MATERIAL if has_material else None)
    assert {
        "Code": "ValidationException",
        "Message": f"Key material (id: {UNKNOWN_ID}) has never been imported into KMS key {key.arn}.",
    } == error_of(kms.client, "delete_imported_key_material", KeyId=key.id, KeyMaterialId=UNKNOWN_ID)


def test_pending_material_may_be_deleted_and_come_again(kms: FakeKMS, key: Key) -> None:
    """It vanishes from the list, nothing happens to the key, and it is new once more."""
    before = describe(kms, key)
    pending = import_into(
        kms, key, SECOND, ImportType="NEW_KEY_MATERIAL", ValidTo=kms.clock.now + dt.timedelta(days=1)
    )["KeyMaterialId"]
    answer = kms.client.delete_imported_key_material(KeyId=key.id, KeyMaterialId=pending)
    assert {"KeyId": key.arn, "KeyMaterialId": pending} == members_of(answer)
    assert before == describe(kms, key)
    assert {before["CurrentKeyMaterialId"]: ("CURRENT", "IMPORTED")} == states_of(kms, key)
    assert {
        "Code": "ValidationException",
        "Message": f"Key material (id: {pending}) has never been imported into KMS key {key.arn}.",
    } == error_of(kms.client, "delete_imported_key_material", KeyId=key.id, KeyMaterialId=pending)
    assert pending == import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.clock.advance(days=2)
    assert "PENDING_ROTATION" == states_of(kms, key)[pending][0]


def test_a_key_in_its_waiting_period_may_lose_its_material(kms: FakeKMS, key: Key) -> None:
    """Its state does not change until it is saved."""
    kms.client.schedule_key_deletion(KeyId=key.id)
    kms.client.delete_imported_key_material(KeyId=key.id)
    assert "PendingDeletion" == describe(kms, key)["KeyState"]
    kms.client.cancel_key_deletion(KeyId=key.id)
    assert "PendingImport" == describe(kms, key)["KeyState"]


def test_the_id_of_a_material_meets_its_constraints(kms: FakeKMS, key: Key) -> None:
    """It is 64 hexadecimal digits in lower case."""
    assert invalid(
        "Value 'X' at 'keyMaterialId' failed to satisfy constraint: Member must have length greater than or equal"
        " to 64",
        "Value 'X' at 'keyMaterialId' failed to satisfy constraint: Member must satisfy regular expression pattern:"
        " ^[a-f0-9]+$",
    ) == error_of(unchecked(kms), "delete_imported_key_material", KeyId=key.id, KeyMaterialId="X")


# multi-Region keys


class Family:
    """A primary in us-east-1 with material, and its replica in eu-west-1."""

    def __init__(self, kms: FakeKMS) -> None:
        self.primary = kms.create_key(origin="EXTERNAL", material=MATERIAL, multi_region=True)
        kms.client.replicate_key(KeyId=self.primary.id, ReplicaRegion="eu-west-1")
        kms.clock.advance(minutes=1)
        self.client = kms.client_for(region="eu-west-1")
        [self.replica] = [key for key in kms.world.keys_called(self.primary.id) if key.region == "eu-west-1"]


@pytest.fixture
def family(kms: FakeKMS) -> Family:
    """Return a multi-Region key in two Regions."""
    return Family(kms)


def test_a_replica_waits_for_its_material(kms: FakeKMS, family: Family) -> None:
    """It knows which one, but does not have it; imported without more words, it opens what the primary sealed."""
    shown = describe(kms, family.replica)
    assert ("PendingImport", describe(kms, family.primary)["CurrentKeyMaterialId"]) == (
        shown["KeyState"],
        shown["CurrentKeyMaterialId"],
    )
    assert "ExpirationModel" not in shown
    blob = kms.client.encrypt(KeyId=family.primary.id, Plaintext=b"order")["CiphertextBlob"]
    answer = import_into(kms, family.replica, MATERIAL)
    assert {"KeyId": family.replica.arn, "KeyMaterialId": shown["CurrentKeyMaterialId"]} == members_of(answer)
    assert b"order" == family.client.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.mark.parametrize("members", [{}, {"ImportType": "EXISTING_KEY_MATERIAL"}], ids=["default", "spelt out"])
def test_a_replica_takes_no_material_that_the_primary_has_not(
    kms: FakeKMS, family: Family, members: dict[str, Any]
) -> None:
    """The primary comes first."""
    expected = describe(kms, family.primary)["CurrentKeyMaterialId"]
    assert {
        "Code": "IncorrectKeyMaterialException",
        "Message": f"Imported key material does not have the expected identifier ({expected}).",
    } == error_of_import(kms, family.replica, SECOND, **members)


def test_nothing_is_new_to_a_replica(kms: FakeKMS, family: Family) -> None:
    """New material is for the primary to take, and so is its description."""
    assert {
        "Code": "ValidationException",
        "Message": "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys",
    } == error_of_import(kms, family.replica, SECOND, ImportType="NEW_KEY_MATERIAL")
    assert {
        "Code": "ValidationException",
        "Message": "Key material description can only be specified on primary Multi-Region keys",
    } == error_of_import(kms, family.replica, MATERIAL, KeyMaterialDescription="orders")


def test_a_token_of_the_primary_is_none_of_the_replica(kms: FakeKMS, family: Family) -> None:
    """Though the two have the same id."""
    members = members_for(kms, family.primary, MATERIAL)
    assert {"Code": "InvalidImportTokenException", "Message": ""} == error_of(
        family.client, "import_key_material", **members, **NEVER
    )


def test_new_material_waits_until_every_replica_has_it(kms: FakeKMS, family: Family) -> None:
    """Then for the rotation; the replica tells the description that the primary got."""
    import_into(kms, family.replica, MATERIAL)
    pending = import_into(kms, family.primary, SECOND, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="of 2027")[
        "KeyMaterialId"
    ]
    waits = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert (waits, "IMPORTED") == states_of(kms, family.primary)[pending]
    assert (waits, "PENDING_IMPORT") == states_of(kms, family.replica)[pending]
    assert {
        "Code": "KMSInvalidStateException",
        "Message": "Cannot perform key material rotation: Key material has not been imported for replicas of the"
        " Multi-Region key.",
    } == error_of(kms.client, "rotate_key_on_demand", KeyId=family.primary.id)
    assert pending == import_into(kms, family.replica, SECOND)["KeyMaterialId"]
    for member in (family.primary, family.replica):
        assert ("PENDING_ROTATION", "IMPORTED") == states_of(kms, member)[pending]
        assert "of 2027" == materials_of(kms, member)[-1]["KeyMaterialDescription"]
    rotate(kms, family.primary)
    for member in (family.primary, family.replica):
        assert ("Enabled", pending) == (
            describe(kms, member)["KeyState"],
            describe(kms, member)["CurrentKeyMaterialId"],
        )


def test_a_primary_without_replicas_does_not_wait_for_any(kms: FakeKMS) -> None:
    """Its new material can be rotated to at once."""
    key = kms.create_key(origin="EXTERNAL", material=MATERIAL, multi_region=True)
    pending = import_into(kms, key, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert "PENDING_ROTATION" == states_of(kms, key)[pending][0]


def test_pending_material_of_the_primary_goes_from_its_replicas(kms: FakeKMS, family: Family) -> None:
    """That of a replica goes from it alone."""
    import_into(kms, family.replica, MATERIAL)
    pending = import_into(kms, family.primary, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_into(kms, family.replica, SECOND)
    family.client.delete_imported_key_material(KeyId=family.replica.id, KeyMaterialId=pending)
    assert "PENDING_IMPORT" == states_of(kms, family.replica)[pending][1]
    assert "IMPORTED" == states_of(kms, family.primary)[pending][1]
    import_into(kms, family.replica, SECOND)
    kms.client.delete_imported_key_material(KeyId=family.primary.id, KeyMaterialId=pending)
    assert pending not in states_of(kms, family.primary) | states_of(kms, family.replica)
    assert ["Enabled", "Enabled"] == [describe(kms, key)["KeyState"] for key in (family.primary, family.replica)]


def test_each_region_loses_its_material_by_itself(kms: FakeKMS, family: Family) -> None:
    """Deletion and expiry are of one key, in its Region."""
    import_into(kms, family.replica, MATERIAL, ValidTo=kms.clock.now + dt.timedelta(days=1))
    kms.client.delete_imported_key_material(KeyId=family.primary.id)
    assert ["PendingImport", "Enabled"] == [describe(kms, key)["KeyState"] for key in (family.primary, family.replica)]
    import_into(kms, family.primary, MATERIAL)
    kms.clock.advance(days=2)
    assert ["Enabled", "PendingImport"] == [describe(kms, key)["KeyState"] for key in (family.primary, family.replica)]
    assert [family.replica.arn] == [event.key for event in kms.trail.filter("DeleteExpiredKeyMaterial")]


# arranging: FakeKMS.import_key_material, FakeKMS.wrap_key_material


def test_a_test_imports_material_in_one_line(kms: FakeKMS, empty: Key) -> None:
    """Nothing is recorded; the id is AWS's."""
    material_id = kms.import_key_material(empty, MATERIAL)
    assert [] == list(kms.trail)
    assert "Enabled" == empty.state
    assert hashlib.sha256(empty.id.encode() + MATERIAL).hexdigest() == material_id
    assert material_id == describe(kms, empty)["CurrentKeyMaterialId"]


def test_a_test_arranges_a_pending_material(kms: FakeKMS, key: Key) -> None:
    """Material that the key does not know waits for a rotation."""
    pending = kms.import_key_material(key, SECOND)
    assert ("PENDING_ROTATION", "IMPORTED") == states_of(kms, key)[pending]
    assert pending == kms.import_key_material(key.arn, SECOND)


def test_a_test_arranges_an_expiration(kms: FakeKMS, empty: Key) -> None:
    """In whole seconds, whatever the zone; material that has expired comes back with another import."""
    kms.clock.freeze()
    valid_to = kms.clock.now + dt.timedelta(days=1, microseconds=400_000)
    zone = dt.timezone(dt.timedelta(hours=5))
    kms.import_key_material(empty, MATERIAL, valid_to=valid_to.astimezone(zone))
    assert whole(valid_to) == describe(kms, empty)["ValidTo"]
    kms.clock.advance(days=2)
    assert "PendingImport" == describe(kms, empty)["KeyState"]
    kms.import_key_material(empty, MATERIAL)
    assert "Enabled" == empty.state


def test_a_test_imports_a_private_key_as_pem(kms: FakeKMS) -> None:
    """As create_key takes it."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = kms.create_key(spec="ECC_NIST_P256", origin="EXTERNAL")
    kms.import_key_material(key, pem)
    assert private.public_key() == load_der_public_key(key.public_key)


def test_a_test_imports_into_a_replica(kms: FakeKMS, family: Family) -> None:
    """What the primary has, and nothing else."""
    kms.import_key_material(family.replica, MATERIAL)
    assert "Enabled" == family.replica.state
    expected = family.primary.material_id.hex()
    message = f"pytest-kms: Imported key material does not have the expected identifier ({expected})."
    with pytest.raises(UsageError) as excinfo:
        kms.import_key_material(family.replica, SECOND)
    assert message == str(excinfo.value)


def test_a_replica_of_a_primary_without_material_waits_for_it(kms: FakeKMS) -> None:
    """A test can arrange what AWS does not let come to be; the primary comes first all the same."""
    primary = kms.create_key(origin="EXTERNAL", multi_region=True)
    replica = kms.replicate(primary, "eu-west-1")
    assert {"Code": "IncorrectKeyMaterialException", "Message": ""} == error_of_import(kms, replica, MATERIAL)
    with pytest.raises(UsageError) as excinfo:
        kms.import_key_material(replica, MATERIAL)
    assert f"pytest-kms: nothing was ever imported into {replica.id}" == str(excinfo.value)


def test_material_that_has_expired_is_replicated_as_expired(kms: FakeKMS) -> None:
    """KMS deletes it once, from the primary."""
    primary = kms.create_key(origin="EXTERNAL", multi_region=True)
    kms.import_key_material(primary, MATERIAL, valid_to=kms.clock.now + dt.timedelta(days=1))
    kms.clock.advance(days=2)
    replica = kms.replicate(primary, "eu-west-1")
    assert "PendingImport" == describe(kms, replica)["KeyState"]
    assert [primary.arn] == [event.key for event in kms.trail.filter("DeleteExpiredKeyMaterial")]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("SYMMETRIC_DEFAULT", "has 32 bytes of material, not 5"),
        ("ECC_NIST_P256", "is such a private key in PEM or DER, without a password"),
    ],
)
def test_a_test_is_told_of_wrong_material(kms: FakeKMS, spec: str, message: str) -> None:
    """What is none that the key could have."""
    key = kms.create_key(spec=spec, origin="EXTERNAL")
    with pytest.raises(UsageError, match=f"^pytest-kms: .* {message}$"):
        kms.import_key_material(key, b"short")


def test_a_test_is_told_of_another_origin(kms: FakeKMS) -> None:
    """KMS makes the material of most keys."""
    key = kms.create_key("orders")
    with pytest.raises(UsageError) as excinfo:
        kms.import_key_material(key, MATERIAL)
    assert (
        "pytest-kms: the origin of alias/orders is AWS_KMS: only keys with origin='EXTERNAL' import material"
    ) == str(excinfo.value)


def test_a_test_is_told_of_a_second_pending_material(kms: FakeKMS, key: Key) -> None:
    """In AWS's words."""
    kms.import_key_material(key, SECOND)
    with pytest.raises(UsageError, match="is pending rotation.$"):
        kms.import_key_material(key, THIRD)


@pytest.mark.parametrize(
    ("ahead", "message"),
    [
        (dt.timedelta(days=-1), "ValidTo must be in the future"),
        (dt.timedelta(days=366), "ValidTo must be less than 365 days in the future"),
    ],
)
def test_a_test_is_told_of_a_wrong_date(kms: FakeKMS, empty: Key, ahead: dt.timedelta, message: str) -> None:
    """In AWS's words."""
    valid_to = kms.clock.now + ahead
    with pytest.raises(UsageError) as excinfo:
        kms.import_key_material(empty, MATERIAL, valid_to=valid_to)
    assert f"pytest-kms: valid_to={valid_to}: {message}" == str(excinfo.value)


@pytest.mark.parametrize("parameters", [{}, {"ImportToken": b"token"}, {"ImportToken": "token"}])
def test_only_parameters_of_the_fake_wrap(kms: FakeKMS, parameters: dict[str, object]) -> None:
    """The token says which they are."""
    with pytest.raises(UsageError) as excinfo:
        kms.wrap_key_material(parameters, MATERIAL)
    assert (
        "pytest-kms: these are no import parameters: GetParametersForImport of this fake never gave their ImportToken"
    ) == str(excinfo.value)


@pytest.mark.parametrize(
    ("algorithm", "length"), [("RSAES_OAEP_SHA_256", 191), ("RSAES_OAEP_SHA_1", 215), ("RSA_AES_KEY_WRAP_SHA_256", 0)]
)
def test_a_wrapping_has_bounds(kms: FakeKMS, algorithm: str, length: int) -> None:
    """What the algorithm cannot encrypt is the test's mistake."""
    key = kms.create_key(spec="ECC_NIST_P256", origin="EXTERNAL")
    parameters = parameters_for(kms.client, key, algorithm)
    with pytest.raises(UsageError) as excinfo:
        kms.wrap_key_material(parameters, bytes(length))
    assert f"pytest-kms: {algorithm} with RSA_2048 cannot wrap {length} bytes" == str(excinfo.value)
