"""Data key pairs: a public key, and a private key in plaintext and encrypted, in the formats of AWS."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from answers import UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from optional import needs_openssl, needs_sm2

from pytest_kms import FakeKMS, Key, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import DataKeyPairSpecType

pytestmark = pytest.mark.kms(region="us-east-1")

CHINA = "cn-north-1"
METHODS = ("generate_data_key_pair", "generate_data_key_pair_without_plaintext")
# The length of the private key, and of the public one; the numbers of an RSA key are now and then a byte shorter.
LENGTHS = {
    "RSA_2048": (1218, 294),
    "RSA_3072": (1793, 422),
    "RSA_4096": (2374, 550),
    "ECC_NIST_P256": (150, 91),
    "ECC_NIST_P384": (194, 120),
    "ECC_NIST_P521": (250, 158),
    "ECC_SECG_P256K1": (144, 88),
    "ECC_NIST_EDWARDS25519": (48, 44),
    "SM2": (150, 91),
}
CURVES = {
    "ECC_NIST_P256": "secp256r1",
    "ECC_NIST_P384": "secp384r1",
    "ECC_NIST_P521": "secp521r1",
    "ECC_SECG_P256K1": "secp256k1",
}
INVALID_CIPHERTEXT = {"Code": "InvalidCiphertextException", "Message": ""}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
ONCE = Config(retries={"total_max_attempts": 1})

each_spec = pytest.mark.parametrize(
    "spec", [pytest.param(spec, marks=[needs_sm2] if spec == "SM2" else []) for spec in LENGTHS]
)
# Those that `cryptography` reads.
each_spec_but_sm2 = pytest.mark.parametrize("spec", [spec for spec in LENGTHS if spec != "SM2"])
each_method = pytest.mark.parametrize("method", METHODS)


def place_of(kms: FakeKMS, spec: str) -> tuple[KMSClient, Key]:
    """Return a client and a key of a Region that has pairs of a spec."""
    region = CHINA if spec == "SM2" else "us-east-1"
    return kms.client_for(region=region), kms.create_key("orders", region=region)


def pair_of(kms: FakeKMS, spec: DataKeyPairSpecType) -> tuple[bytes, bytes]:
    """Make a pair, and return its private and its public key."""
    client, key = kms.client, kms.create_key()
    answer = client.generate_data_key_pair(KeyId=key.id, KeyPairSpec=spec)
    return answer["PrivateKeyPlaintext"], answer["PublicKey"]


# What is answered


@each_spec
def test_a_pair_comes_with_its_private_key_in_plaintext(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """The encrypted private key opens to the plaintext one."""
    client, key = place_of(kms, spec)
    described = client.describe_key(KeyId=key.id)["KeyMetadata"]
    answer = members_of(client.generate_data_key_pair(KeyId="alias/orders", KeyPairSpec=spec))
    private_key, blob = answer.pop("PrivateKeyPlaintext"), answer.pop("PrivateKeyCiphertextBlob")
    public_key = answer.pop("PublicKey")
    assert {
        "KeyId": key.arn,
        "KeyPairSpec": spec,
        "KeyMaterialId": described["CurrentKeyMaterialId"],
    } == answer
    assert private_key == client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert LENGTHS[spec][1] == len(public_key)


@each_spec
def test_a_pair_comes_with_its_private_key_encrypted_alone(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """The private key is seen by whoever decrypts it."""
    client, key = place_of(kms, spec)
    described = client.describe_key(KeyId=key.id)["KeyMetadata"]
    answer = members_of(client.generate_data_key_pair_without_plaintext(KeyId="alias/orders", KeyPairSpec=spec))
    blob, public_key = answer.pop("PrivateKeyCiphertextBlob"), answer.pop("PublicKey")
    assert {
        "KeyId": key.arn,
        "KeyPairSpec": spec,
        "KeyMaterialId": described["CurrentKeyMaterialId"],
    } == answer
    opened = client.decrypt(CiphertextBlob=blob)["Plaintext"]
    assert abs(LENGTHS[spec][0] - len(opened)) <= (4 if spec.startswith("RSA") else 0)
    assert LENGTHS[spec][1] == len(public_key)


@each_method
@pytest.mark.parametrize(
    ("spec", "size"),
    [
        ("RSA_2048", 1380),
        ("RSA_3072", 1955),
        ("RSA_4096", 2536),
        ("ECC_NIST_P256", 307),
        ("ECC_NIST_EDWARDS25519", 201),
    ],
)
def test_an_encrypted_private_key_looks_like_one_of_aws(kms: FakeKMS, method: str, spec: str, size: int) -> None:
    """It has the recorded length, the well-known first letters and the id of the key material."""
    key = kms.create_key()
    answer = getattr(kms.client, method)(KeyId=key.id, KeyPairSpec=spec)
    blob = answer["PrivateKeyCiphertextBlob"]
    assert abs(size - len(blob)) <= (4 if spec.startswith("RSA") else 0)
    assert base64.b64encode(blob).startswith(b"AQIDAH")
    assert bytes.fromhex("0102030078") + bytes.fromhex(answer["KeyMaterialId"]) + b"\x01" == blob[:38]


# The formats


@each_spec_but_sm2
def test_the_two_keys_of_a_pair_belong_together(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """The private key is PKCS#8, the public one SubjectPublicKeyInfo, both in DER."""
    private_der, public_der = pair_of(kms, spec)
    private_key = load_der_private_key(private_der, None)
    written = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_der == written
    if isinstance(private_key, rsa.RSAPrivateKey):
        assert (spec, 65537) == (f"RSA_{private_key.key_size}", private_key.public_key().public_numbers().e)
    elif isinstance(private_key, ec.EllipticCurvePrivateKey):
        assert CURVES[spec] == private_key.curve.name
    else:
        assert isinstance(private_key, ed25519.Ed25519PrivateKey)


@pytest.mark.parametrize("spec", CURVES)
def test_a_private_key_names_its_curve_twice(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """Others write PKCS#8 without the second time, which makes it so much shorter."""
    private_der, _ = pair_of(kms, spec)
    private_key = load_der_private_key(private_der, None)
    inner = private_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert private_der.endswith(inner)
    assert not plain.endswith(inner)


def test_an_edwards_private_key_has_no_public_key_beside_it(kms: FakeKMS) -> None:
    """It is the first version of PKCS#8."""
    private_der, _ = pair_of(kms, "ECC_NIST_EDWARDS25519")
    head, seed = private_der[:16], private_der[16:]
    assert bytes.fromhex("302e020100300506032b657004220420") == head
    assert 32 == len(seed)


@needs_openssl
@each_spec
def test_openssl_reads_a_pair(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """It makes of the private key the public key that KMS has answered."""
    client, key = place_of(kms, spec)
    answer = client.generate_data_key_pair(KeyId=key.id, KeyPairSpec=spec)
    done = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],  # noqa: S607  # wherever it is
        input=answer["PrivateKeyPlaintext"],
        capture_output=True,
        check=True,
    )
    assert answer["PublicKey"] == done.stdout


# Random, bound to a context, repeated by a seed


@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_no_two_pairs_are_alike(kms: FakeKMS, spec: DataKeyPairSpecType) -> None:
    """Nor is one like a KMS key of the same spec."""
    kms.quotas.off()
    key = kms.create_key()
    answers = [kms.client.generate_data_key_pair(KeyId=key.id, KeyPairSpec=spec) for _ in range(10)]
    others = [kms.create_key(spec=spec, usage="SIGN_VERIFY").public_key for _ in range(10)]
    assert 20 == len({answer["PublicKey"] for answer in answers}.union(others))


@each_method
@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256"])
def test_a_private_key_is_bound_to_its_encryption_context(kms: FakeKMS, method: str, spec: DataKeyPairSpecType) -> None:
    """The same context opens it, another or none does not."""
    key = kms.create_key()
    answer = getattr(kms.client, method)(KeyId=key.id, KeyPairSpec=spec, EncryptionContext={"order": "7"})
    blob = answer["PrivateKeyCiphertextBlob"]
    opened = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "7"})["Plaintext"]
    public_key = load_der_private_key(opened, None).public_key()
    assert answer["PublicKey"] == public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob, EncryptionContext={"order": "8"})
    assert INVALID_CIPHERTEXT == error_of(kms.client, "decrypt", CiphertextBlob=blob)
    operation = "GenerateDataKeyPair" + ("WithoutPlaintext" if method.endswith("plaintext") else "")
    kms.assert_used(key, operation, encryption_context={"order": "7"}, times=1)


@each_spec
def test_a_seed_repeats_a_pair(spec: DataKeyPairSpecType) -> None:
    """Both keys, and the encrypted one."""
    drawn = []
    for seed in (7, 7, 8):
        with fake_kms(seed=seed) as kms:
            client, key = place_of(kms, spec)
            answer = client.generate_data_key_pair(KeyId=key.id, KeyPairSpec=spec)
            drawn.append((answer["PrivateKeyPlaintext"], answer["PublicKey"], answer["PrivateKeyCiphertextBlob"]))
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])


# What is refused


@each_method
@pytest.mark.parametrize("spec", ["RSA_2048", pytest.param("SM2", marks=needs_sm2)])
def test_an_asymmetric_key_protects_no_pair(kms: FakeKMS, method: str, spec: str) -> None:
    """Although it encrypts."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT", region=CHINA)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": "You cannot generate a data key pair with an asymmetric CMK",
    } == error_of(kms.client_for(region=CHINA), method, KeyId=key.id, KeyPairSpec="ECC_NIST_P256")


@pytest.mark.parametrize("method", ["generate_data_key", "generate_data_key_without_plaintext"])
@pytest.mark.parametrize("spec", ["RSA_2048", pytest.param("SM2", marks=needs_sm2)])
def test_an_asymmetric_key_protects_no_data_key(kms: FakeKMS, method: str, spec: str) -> None:
    """The words are those of pairs but for one."""
    key = kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT", region=CHINA)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": "You cannot generate a data key with an asymmetric CMK",
    } == error_of(kms.client_for(region=CHINA), method, KeyId=key.id, KeySpec="AES_256")


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ],
)
@pytest.mark.parametrize(
    ("operation", "method", "member"),
    [
        ("GenerateDataKey", "generate_data_key", {"KeySpec": "AES_256"}),
        ("GenerateDataKeyWithoutPlaintext", "generate_data_key_without_plaintext", {"NumberOfBytes": 16}),
        ("GenerateDataKeyPair", "generate_data_key_pair", {"KeyPairSpec": "RSA_2048"}),
        (
            "GenerateDataKeyPairWithoutPlaintext",
            "generate_data_key_pair_without_plaintext",
            {"KeyPairSpec": "RSA_2048"},
        ),
    ],
)
def test_a_key_of_another_usage_protects_nothing(
    kms: FakeKMS, operation: str, method: str, member: dict[str, Any], spec: str, usage: str
) -> None:
    """The message names the usage and the operation."""
    key = kms.create_key(spec=spec, usage=usage)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"{key.arn} key usage is {usage} which is not valid for {operation}.",
    } == error_of(kms.client, method, KeyId=key.id, **member)


@each_method
@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ML_DSA_65", "AES_256"])
def test_there_are_no_pairs_of_a_spec(kms: FakeKMS, method: str, spec: str) -> None:
    """The message lists those that there are; their order is AWS's own and means nothing."""
    error = error_of(kms.client, method, KeyId=kms.create_key().id, KeyPairSpec=spec)
    told, listed = error["Message"].removesuffix("]").split(" [")
    assert "ValidationException" == error["Code"]
    assert (
        f"1 validation error detected: Value '{spec}' at 'keyPairSpec' failed to satisfy constraint:"
        " Member must satisfy enum value set:"
    ) == told
    assert set(LENGTHS) == set(listed.split(", "))


@each_method
@pytest.mark.parametrize(
    ("members", "place"),
    [({"KeyId": "alias/orders"}, "keyPairSpec"), ({"KeyPairSpec": "RSA_2048"}, "keyId")],
    ids=["no spec", "no key"],
)
def test_key_and_spec_are_required(kms: FakeKMS, method: str, members: dict[str, Any], place: str) -> None:
    """A pair without either is none."""
    kms.create_key("orders")
    assert invalid(f"Value null at '{place}' failed to satisfy constraint: Member must not be null") == error_of(
        unchecked(kms), method, **members
    )


@each_method
def test_there_are_no_pairs_of_sm2_outside_of_china(kms: FakeKMS, method: str) -> None:
    """Whether its library is installed or not."""
    assert {
        "Code": "UnsupportedOperationException",
        "Message": "KeySpec SM2 is not supported in this Region",
    } == error_of(kms.client, method, KeyId=kms.create_key().id, KeyPairSpec="SM2")


@each_method
@pytest.mark.parametrize("state", [state for state in UNUSABLE if state != "Unavailable"])
def test_no_pair_is_made_in_a_state(kms: FakeKMS, method: str, state: str) -> None:
    """The message names the key and its state."""
    key = kms.create_key(state=state)
    assert unfit(key.arn, state) == error_of(kms.client, method, KeyId=key.id, KeyPairSpec="ECC_NIST_P256")


@each_method
def test_a_dry_run_makes_no_pair(kms: FakeKMS, method: str) -> None:
    """It says that it would have, or what would have been wrong."""
    key, rsa_key = kms.create_key(), kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    assert WOULD_SUCCEED == error_of(kms.client, method, KeyId=key.id, KeyPairSpec="RSA_2048", DryRun=True)
    assert (
        "InvalidKeyUsageException"
        == (error_of(kms.client, method, KeyId=rsa_key.id, KeyPairSpec="RSA_2048", DryRun=True)["Code"])
    )
    assert (
        "UnsupportedOperationException"
        == (error_of(kms.client, method, KeyId=key.id, KeyPairSpec="SM2", DryRun=True)["Code"])
    )
    kms.assert_not_used(key)


# Quotas


def how_many(client: KMSClient, key: Key, spec: str, *methods: str) -> int:
    """Count how many calls get through, of these in turns, before one is throttled."""
    made = 0
    while True:
        try:
            getattr(client, methods[made % len(methods)])(KeyId=key.id, KeyPairSpec=spec)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            return made
        made += 1


@pytest.mark.parametrize("methods", [METHODS[:1], METHODS[1:], METHODS], ids=["plaintext", "without", "both"])
@pytest.mark.parametrize(("spec", "per_second"), [("RSA_2048", 20), ("RSA_3072", 4), ("RSA_4096", 1)])
def test_pairs_of_a_spec_share_a_quota(kms: FakeKMS, spec: str, per_second: int, methods: tuple[str, ...]) -> None:
    """The two operations count together, in each second anew; the trail says what was exceeded."""
    kms.clock.freeze()
    client, key = kms.client_for(config=ONCE), kms.create_key()
    assert per_second == how_many(client, key, spec, *methods)
    assert (
        f"over quota: GenerateDataKeyPair ({spec}) request rate is {per_second} per second"
        " for account 123456789012 in us-east-1"
    ) == kms.trail.last.why
    kms.clock.advance(seconds=1)
    assert per_second == how_many(client, key, spec, *methods)


def test_pairs_count_with_nothing_else(kms: FakeKMS) -> None:
    """Neither with those of another spec nor with the operations on the key that protects them."""
    kms.clock.freeze()
    client, key = kms.client_for(config=ONCE), kms.create_key()
    kms.quotas["Cryptographic operations (symmetric)"] = 1
    assert 1 == how_many(client, key, "RSA_4096", *METHODS)
    assert 4 == how_many(client, key, "RSA_3072", *METHODS)
    client.encrypt(KeyId=key.id, Plaintext=b"secret")
    assert "ThrottlingException" == error_of(client, "encrypt", KeyId=key.id, Plaintext=b"secret")["Code"]
    client.generate_data_key_pair(KeyId=key.id, KeyPairSpec="ECC_NIST_P256")


@needs_sm2
def test_pairs_of_sm2_have_a_quota_in_china(kms: FakeKMS) -> None:
    """AWS has given it a name that says where it is."""
    kms.clock.freeze()
    client, key = kms.client_for(region=CHINA, config=ONCE), kms.create_key(region=CHINA)
    assert 25 == how_many(client, key, "SM2", *METHODS)
    assert kms.trail.last.why.startswith(
        "over quota: GenerateDataKeyPair (SM2 - China Regions only) request rate is 25 per second"
    )


def test_an_rsa_pair_takes_ten_seconds_in_china(kms: FakeKMS) -> None:
    """One request in each interval of 10 seconds."""
    kms.clock.freeze()
    client, key = kms.client_for(region=CHINA, config=ONCE), kms.create_key(region=CHINA)
    assert 1 == how_many(client, key, "RSA_4096", *METHODS)
    kms.clock.advance(seconds=9)
    assert 0 == how_many(client, key, "RSA_4096", *METHODS)
    kms.clock.advance(seconds=1)
    assert 1 == how_many(client, key, "RSA_4096", *METHODS)


@each_method
def test_a_pair_of_no_spec_counts_nowhere(kms: FakeKMS, method: str) -> None:
    """It is told what is wrong, however often."""
    kms.clock.freeze()
    client, key = kms.client_for(config=ONCE), kms.create_key()
    for _ in range(3):
        assert "ValidationException" == error_of(client, method, KeyId=key.id, KeyPairSpec="RSA_1024")["Code"]
