"""Sign, Verify and GetPublicKey work as AWS's do, with keys of every spec that signs."""

from __future__ import annotations

import hashlib
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from answers import UNKNOWN, UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs_ed25519ph, needs_ml_dsa, needs_openssl, needs_sm2, openssl

from pytest_kms import FakeKMS, Key, NotSupported, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType

# A Region in which AWS has keys of every spec.
pytestmark = pytest.mark.kms(region="cn-north-1")

RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
HASH_BITS = (256, 384, 512)
PKCS1 = tuple(f"RSASSA_PKCS1_V1_5_SHA_{bits}" for bits in HASH_BITS)
PSS = tuple(f"RSASSA_PSS_SHA_{bits}" for bits in HASH_BITS)
ML_DSA = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
EDWARDS = "ECC_NIST_EDWARDS25519"
PURE, PREHASHED = "ED25519_SHA_512", "ED25519_PH_SHA_512"

# The algorithms of each spec, in AWS's order.
ALGORITHMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(RSA, PKCS1 + PSS),
    "ECC_NIST_P256": ("ECDSA_SHA_256",),
    "ECC_NIST_P384": ("ECDSA_SHA_384",),
    "ECC_NIST_P521": ("ECDSA_SHA_512",),
    "ECC_SECG_P256K1": ("ECDSA_SHA_256",),
    EDWARDS: (PREHASHED, PURE),
    **dict.fromkeys(ML_DSA, ("ML_DSA_SHAKE_256",)),
    "SM2": ("SM2DSA",),
}
DIGEST_BYTES = {
    **{f"{name}_SHA_{bits}": bits // 8 for name in ("RSASSA_PKCS1_V1_5", "RSASSA_PSS", "ECDSA") for bits in HASH_BITS},
    PREHASHED: 64,
    "SM2DSA": 32,
}
SIGNATURE_BYTES = {
    "RSA_2048": 256,
    "RSA_3072": 384,
    "RSA_4096": 512,
    EDWARDS: 64,
    "ML_DSA_44": 2420,
    "ML_DSA_65": 3309,
    "ML_DSA_87": 4627,
}
PUBLIC_KEY_BYTES = {
    "RSA_2048": 294,
    "RSA_3072": 422,
    "RSA_4096": 550,
    "ECC_NIST_P256": 91,
    "ECC_NIST_P384": 120,
    "ECC_NIST_P521": 158,
    "ECC_SECG_P256K1": 88,
    EDWARDS: 44,
    "ML_DSA_44": 1334,
    "ML_DSA_65": 1974,
    "ML_DSA_87": 2614,
    "SM2": 91,
}
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
INVALID_SIGNATURE = {"Code": "KMSInvalidSignatureException", "Message": ""}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
MESSAGE = b"attack at dawn"


def types_of(algorithm: str) -> tuple[str, ...]:
    """Return the types of message that an algorithm takes."""
    odd = {PURE: ("RAW",), PREHASHED: ("DIGEST",), "ML_DSA_SHAKE_256": ("RAW", "EXTERNAL_MU")}
    return odd.get(algorithm, ("RAW", "DIGEST"))


def marked(spec: str, *values: str) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    marks = [needs_sm2] if spec == "SM2" else [needs_ml_dsa] if spec in ML_DSA else []
    if PREHASHED in values:
        marks = [needs_ed25519ph]
    return pytest.param(spec, *values, marks=marks)


PAIRS = [(spec, algorithm) for spec, algorithms in ALGORITHMS.items() for algorithm in algorithms]
CALLS = [(spec, algorithm, message_type) for spec, algorithm in PAIRS for message_type in types_of(algorithm)]
# Of RSA one size is enough where the size plays no part.
KINDS = [pair for pair in PAIRS if pair[0] not in RSA[1:]]

each_method = pytest.mark.parametrize("method", ["sign", "verify"])
each_spec = pytest.mark.parametrize("spec", [marked(spec) for spec in ALGORITHMS])
each_kind = pytest.mark.parametrize(("spec", "algorithm"), [marked(*pair) for pair in KINDS])
each_call = pytest.mark.parametrize(("spec", "algorithm", "message_type"), [marked(*call) for call in CALLS])
each_kind_of_call = pytest.mark.parametrize(
    ("spec", "algorithm", "message_type"), [marked(*call) for call in CALLS if call[0] not in RSA[1:]]
)
each_digest = pytest.mark.parametrize(
    ("spec", "algorithm"), [marked(*pair) for pair in KINDS if "DIGEST" in types_of(pair[1])]
)
each_ml_dsa = pytest.mark.parametrize("spec", [marked(spec) for spec in ML_DSA])


def signing_key(kms: FakeKMS, spec: str, alias: str | None = None, state: str = "Enabled") -> Key:
    """Make a key of a spec that signs."""
    return kms.create_key(alias, spec=spec, usage="SIGN_VERIFY", state=state)


def external_mu(key: Key, message: bytes) -> bytes:
    """Compute ML-DSA's external mu of a message, as FIPS 204 has it for an empty context."""
    raw = key.public_key[22:]  # what stands before it names the algorithm
    return hashlib.shake_256(hashlib.shake_256(raw).digest(64) + b"\0\0" + message).digest(64)


def as_type(key: Key, algorithm: str, message_type: str, message: bytes = MESSAGE) -> bytes:
    """Return a message as Sign takes it, by its type."""
    if message_type == "RAW":
        return message
    if message_type == "EXTERNAL_MU":
        return external_mu(key, message)
    if algorithm == "SM2DSA":  # which takes any 32 bytes for the digest
        return hashlib.sha256(message).digest()
    return hashlib.new(f"sha{algorithm[-3:]}", message).digest()


def request(
    key: Key, algorithm: str, message_type: str = "", message: bytes = MESSAGE, **members: object
) -> dict[str, Any]:
    """Return the members of a call of Sign; by default of a type that the algorithm takes."""
    message_type = message_type or types_of(algorithm)[0]
    return {
        "KeyId": key.id,
        "SigningAlgorithm": algorithm,
        "MessageType": message_type,
        "Message": as_type(key, algorithm, message_type, message),
        **members,
    }


def signature_by(kms: FakeKMS, key: Key, algorithm: str, message_type: str = "", message: bytes = MESSAGE) -> bytes:
    """Sign a message."""
    return kms.client.sign(**request(key, algorithm, message_type, message))["Signature"]


def of_verify(method: str, signature: bytes = b"x") -> dict[str, bytes]:
    """Return the member that Verify has and Sign has not."""
    return {"Signature": signature} if method == "verify" else {}


def flipped(data: bytes, bit: int) -> bytes:
    """Change one bit, counted from the left and round again."""
    altered = bytearray(data)
    place = bit % (8 * len(data))
    altered[place // 8] ^= 0x80 >> place % 8
    return bytes(altered)


# What is answered


@each_call
def test_sign_answers_signature_key_and_algorithm(kms: FakeKMS, spec: str, algorithm: str, message_type: str) -> None:
    """The key is named by its ARN."""
    key = signing_key(kms, spec, "orders")
    answer = members_of(kms.client.sign(**request(key, algorithm, message_type, KeyId="alias/orders")))
    signature = answer.pop("Signature")
    assert {"KeyId": key.arn, "SigningAlgorithm": algorithm} == answer
    assert SIGNATURE_BYTES.get(spec, len(signature)) == len(signature)


@each_kind_of_call
def test_verify_answers_key_and_algorithm(kms: FakeKMS, spec: str, algorithm: str, message_type: str) -> None:
    """A signature is valid, or an error: SignatureValid is never false."""
    key = signing_key(kms, spec, "orders")
    call = request(key, algorithm, message_type, KeyId="alias/orders")
    signature = kms.client.sign(**call)["Signature"]
    assert {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm} == members_of(
        kms.client.verify(**call, Signature=signature)
    )


@pytest.mark.parametrize(("spec", "algorithm"), [marked(*pair) for pair in KINDS if "RAW" in types_of(pair[1])])
def test_a_message_is_raw_by_default(kms: FakeKMS, spec: str, algorithm: SigningAlgorithmSpecType) -> None:
    """MessageType may be left out."""
    key = signing_key(kms, spec)
    signature = kms.client.sign(KeyId=key.id, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    kms.client.verify(KeyId=key.id, Message=MESSAGE, SigningAlgorithm=algorithm, Signature=signature)
    kms.client.verify(**request(key, algorithm, "RAW"), Signature=signature)


@pytest.mark.parametrize("name", ["id", "arn", "alias", "alias ARN"])
def test_a_key_goes_by_four_names(kms: FakeKMS, name: str) -> None:
    """All three operations answer its ARN, whatever it was called."""
    key = signing_key(kms, "ECC_NIST_P256", "orders")
    prefix, _, _ = key.arn.partition("key/")
    called = {"id": key.id, "arn": key.arn, "alias": "alias/orders", "alias ARN": f"{prefix}alias/orders"}[name]
    call = request(key, "ECDSA_SHA_256", KeyId=called)
    signed = kms.client.sign(**call)
    verified = kms.client.verify(**call, Signature=signed["Signature"])
    assert [key.arn] * 3 == [
        signed["KeyId"],
        verified["KeyId"],
        kms.client.get_public_key(KeyId=called)["KeyId"],
    ]


@each_kind
def test_a_raw_message_has_1_to_4096_bytes(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """Both ends of the range are signed; a digest of such a message has its own length."""
    key = signing_key(kms, spec)
    for size in (1, 4096):
        call = request(key, algorithm, message=b"\xff" * size)
        kms.client.verify(**call, Signature=kms.client.sign(**call)["Signature"])


# What kind of signature it is


def verify_by_library(public: Any, algorithm: str, message: bytes, signature: bytes) -> None:
    """Verify a signature of a message with `cryptography` and the public key alone."""
    digest = HASHES.get(algorithm[-3:], hashes.SHA256())
    parameters: tuple[Any, ...] = ()
    if algorithm in PKCS1:
        parameters = (padding.PKCS1v15(), digest)
    elif algorithm in PSS:
        # The salt must be as long as the digest, neither more nor less.
        parameters = (padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    elif algorithm.startswith("ECDSA"):
        parameters = (ec.ECDSA(digest),)
    public.verify(signature, message, *parameters)


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type"), [marked(*call) for call in CALLS if call[1] not in (PREHASHED, "SM2DSA")]
)
def test_anyone_with_the_public_key_can_verify(kms: FakeKMS, spec: str, algorithm: str, message_type: str) -> None:
    """The public key that GetPublicKey tells is enough, whatever the type of the message was."""
    key = signing_key(kms, spec)
    signature = signature_by(kms, key, algorithm, message_type)
    public = load_der_public_key(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    verify_by_library(public, algorithm, MESSAGE, signature)
    with pytest.raises(InvalidSignature):
        verify_by_library(public, algorithm, b"attack at dusk", signature)


@pytest.mark.parametrize(
    ("spec", "algorithm"), [pair for pair in KINDS if types_of(pair[1]) == ("RAW", "DIGEST") and pair[0] != "SM2"]
)
@pytest.mark.parametrize(("signed", "verified"), [("RAW", "DIGEST"), ("DIGEST", "RAW")])
def test_a_message_and_its_digest_have_the_same_signatures(
    kms: FakeKMS, spec: str, algorithm: str, signed: str, verified: str
) -> None:
    """It does not matter who hashes."""
    key = signing_key(kms, spec)
    signature = signature_by(kms, key, algorithm, signed)
    kms.client.verify(**request(key, algorithm, verified), Signature=signature)


@pytest.mark.parametrize("algorithm", PKCS1)
def test_pkcs1_signs_a_message_and_its_digest_alike(kms: FakeKMS, algorithm: str) -> None:
    """The two signatures are the same bytes."""
    key = signing_key(kms, "RSA_2048")
    assert signature_by(kms, key, algorithm, "RAW") == signature_by(kms, key, algorithm, "DIGEST")


@each_kind
def test_whether_a_signature_repeats(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """PKCS #1 v1.5 and Ed25519 leave nothing to chance, the others do."""
    key = signing_key(kms, spec)
    signatures = {signature_by(kms, key, algorithm) for _ in range(5)}
    assert (1 if algorithm in (*PKCS1, PURE, PREHASHED) else 5) == len(signatures)


def test_the_halves_of_an_ecdsa_signature_are_any(kms: FakeKMS) -> None:
    """As AWS's, s is not brought into the lower half."""
    key = signing_key(kms, "ECC_NIST_P256")
    half = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
    numbers = [decode_dss_signature(signature_by(kms, key, "ECDSA_SHA_256")) for _ in range(64)]
    assert {True, False} == {s > half for _, s in numbers}


def ed25519_holds(public: bytes, hashed: bytes, signature: bytes) -> bool:
    """Check the equation of RFC 8032 for Ed25519ph without a context: [S]B = R + [k]A."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
        (x1, y1), (x2, y2) = one, two
        z = d * x1 * x2 * y1 * y2
        return (x1 * y2 + x2 * y1) * pow(1 + z, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - z, -1, p) % p

    def times(factor: int, point: tuple[int, int]) -> tuple[int, int]:
        total = (0, 1)
        while factor:
            if factor & 1:
                total = add(total, point)
            point = add(point, point)
            factor >>= 1
        return total

    def decoded(encoded: bytes) -> tuple[int, int]:
        number = int.from_bytes(encoded, "little")
        y, sign = number % 2**255, number >> 255
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if x * x % p != square:
            x = x * pow(2, (p - 1) // 4, p) % p
        assert x * x % p == square, "no point of the curve"
        return (x if x % 2 == sign else p - x), y

    base = decoded(bytes.fromhex("58" + "66" * 31))
    domain = b"SigEd25519 no Ed25519 collisions" + bytes((1, 0))
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(domain + r + public + hashed).digest(), "little")
    return times(s, base) == add(decoded(r), times(k, decoded(public)))


@needs_ed25519ph
def test_ed25519ph_hashes_the_digest_once_more(kms: FakeKMS) -> None:
    """AWS takes the digest for the message of RFC 8032, which is then hashed: its model says so."""
    key = signing_key(kms, EDWARDS)
    digest = hashlib.sha512(MESSAGE).digest()
    signature = kms.client.sign(
        KeyId=key.id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ED25519_PH_SHA_512"
    )["Signature"]
    public = key.public_key[-32:]
    assert ed25519_holds(public, hashlib.sha512(digest).digest(), signature)
    assert not ed25519_holds(public, digest, signature)


@needs_ed25519ph
def test_ed25519ph_is_that_of_libsodium(kms: FakeKMS) -> None:
    """With the digest for a message, as whoever knows AWS's habit would verify."""
    bindings = pytest.importorskip("nacl.bindings")
    exceptions = pytest.importorskip("nacl.exceptions")
    key = signing_key(kms, EDWARDS)
    digest = hashlib.sha512(MESSAGE).digest()
    signature = signature_by(kms, key, PREHASHED)

    def verify(message: bytes) -> None:
        state = bindings.crypto_sign_ed25519ph_state()
        bindings.crypto_sign_ed25519ph_update(state, message)
        bindings.crypto_sign_ed25519ph_final_verify(state, signature, key.public_key[-32:])

    verify(digest)
    with pytest.raises(exceptions.BadSignatureError):
        verify(MESSAGE)


@needs_ed25519ph
def test_the_two_algorithms_of_an_edwards_key_are_two(kms: FakeKMS) -> None:
    """A signature of the same 64 bytes by one is none by the other."""
    key = signing_key(kms, EDWARDS)
    digest = hashlib.sha512(MESSAGE).digest()
    pure = {"KeyId": key.id, "Message": digest, "SigningAlgorithm": PURE}
    prehashed = {"KeyId": key.id, "Message": digest, "SigningAlgorithm": PREHASHED, "MessageType": "DIGEST"}
    for one, other in ((pure, prehashed), (prehashed, pure)):
        signature = kms.client.sign(**one)["Signature"]  # type: ignore[arg-type]
        assert INVALID_SIGNATURE == error_of(kms.client, "verify", **other, Signature=signature)


@pytest.mark.parametrize(("signed", "verified"), [("RAW", "EXTERNAL_MU"), ("EXTERNAL_MU", "RAW")])
@each_ml_dsa
def test_a_message_and_its_external_mu_have_the_same_signatures(
    kms: FakeKMS, spec: str, signed: str, verified: str
) -> None:
    """The caller may compute mu, which takes the public key and SHAKE256."""
    key = signing_key(kms, spec)
    signature = signature_by(kms, key, "ML_DSA_SHAKE_256", signed)
    kms.client.verify(**request(key, "ML_DSA_SHAKE_256", verified), Signature=signature)


@each_ml_dsa
def test_64_bytes_are_no_external_mu_unless_they_are_called_so(kms: FakeKMS, spec: str) -> None:
    """The type of the message says what is signed."""
    key = signing_key(kms, spec)
    call = request(key, "ML_DSA_SHAKE_256", "EXTERNAL_MU")
    signature = kms.client.sign(**call)["Signature"]
    assert INVALID_SIGNATURE == error_of(kms.client, "verify", **{**call, "MessageType": "RAW"}, Signature=signature)


# OpenSSL's command line


def options_of(algorithm: str) -> list[str]:
    """Return how OpenSSL is told of an algorithm."""
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    return [f"-sha{algorithm[-3:]}", *(pss if algorithm in PSS else [])]


@needs_openssl
@pytest.mark.parametrize(
    ("spec", "algorithm"), [pair for pair in PAIRS if pair[1] in PKCS1 + PSS or pair[1].startswith("ECDSA")]
)
def test_openssl_verifies_what_was_signed(kms: FakeKMS, tmp_path: Path, spec: str, algorithm: str) -> None:
    """With the public key as GetPublicKey tells it."""
    key = signing_key(kms, spec)
    public, signature = tmp_path / "public.der", tmp_path / "signature"
    public.write_bytes(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    signature.write_bytes(signature_by(kms, key, algorithm, "DIGEST"))
    verify = ["dgst", *options_of(algorithm), "-keyform", "DER", "-verify", str(public), "-signature", str(signature)]
    assert b"Verified OK\n" == openssl(*verify, stdin=MESSAGE)


@needs_openssl
@pytest.mark.parametrize(
    ("spec", "algorithm", "make"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", "genrsa 2048"),
        ("RSA_2048", "RSASSA_PSS_SHA_512", "genrsa 2048"),
        ("ECC_NIST_P384", "ECDSA_SHA_384", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"),
    ],
)
def test_what_openssl_signed_is_verified(kms: FakeKMS, tmp_path: Path, spec: str, algorithm: str, make: str) -> None:
    """The private key is OpenSSL's, given to the fake as the material of a key."""
    private = tmp_path / "private.pem"
    private.write_bytes(openssl(*make.split()))
    signature = openssl("dgst", *options_of(algorithm), "-sign", str(private), stdin=MESSAGE)
    key = kms.create_key(spec=spec, usage="SIGN_VERIFY", material=private.read_bytes())
    kms.client.verify(**request(key, algorithm, "DIGEST"), Signature=signature)
    kms.client.verify(**request(key, algorithm, "RAW"), Signature=signature)


@needs_openssl
def test_openssl_and_an_edwards_key(kms: FakeKMS, tmp_path: Path) -> None:
    """OpenSSL verifies a signature, and makes the same one."""
    files = {name: tmp_path / name for name in ("private", "public", "message", "signature")}
    files["private"].write_bytes(openssl("genpkey", "-algorithm", "ED25519"))
    files["message"].write_bytes(MESSAGE)
    key = kms.create_key(spec=EDWARDS, usage="SIGN_VERIFY", material=files["private"].read_bytes())
    files["public"].write_bytes(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    files["signature"].write_bytes(signature_by(kms, key, PURE))
    use = ["pkeyutl", "-rawin", "-in", str(files["message"])]
    assert files["signature"].read_bytes() == openssl(*use, "-sign", "-inkey", str(files["private"]))
    public = ["-pubin", "-keyform", "DER", "-inkey", str(files["public"])]
    assert b"Signature Verified Successfully\n" == openssl(
        *use, "-verify", *public, "-sigfile", str(files["signature"])
    )


@needs_openssl
@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("RSA_2048", b"Public-Key: (2048 bit)"),
        ("RSA_3072", b"Public-Key: (3072 bit)"),
        ("RSA_4096", b"Public-Key: (4096 bit)"),
        ("ECC_NIST_P256", b"ASN1 OID: prime256v1"),
        ("ECC_NIST_P384", b"ASN1 OID: secp384r1"),
        ("ECC_NIST_P521", b"ASN1 OID: secp521r1"),
        ("ECC_SECG_P256K1", b"ASN1 OID: secp256k1"),
        (EDWARDS, b"ED25519 Public-Key:"),
    ],
)
def test_openssl_reads_public_keys(kms: FakeKMS, spec: str, told: bytes) -> None:
    """It finds them in order, of the size or on the curve of the spec, and writes them the same."""
    public = kms.client.get_public_key(KeyId=signing_key(kms, spec).id)["PublicKey"]
    read = ["pkey", "-pubin", "-inform", "DER"]
    assert told in openssl(*read, "-pubcheck", "-text", "-noout", stdin=public)
    assert public == openssl(*read, "-outform", "DER", stdin=public)


# What is no signature


@each_kind_of_call
def test_a_signature_of_another_message_is_none(kms: FakeKMS, spec: str, algorithm: str, message_type: str) -> None:
    """The error has no message, and the trail says why."""
    key = signing_key(kms, spec, "orders")
    signature = signature_by(kms, key, algorithm, message_type)
    other = request(key, algorithm, message_type, b"attack at dusk")
    assert INVALID_SIGNATURE == error_of(kms.client, "verify", **other, Signature=signature)
    assert (
        f"the signature is none of this message ({message_type}) by alias/orders with {algorithm};"
        " call 1, Sign, made it of another Message"
    ) == kms.trail.last.why


@each_kind
def test_a_signature_by_another_key_is_none(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """Keys of one spec do not verify each other's signatures."""
    key, other = signing_key(kms, spec), signing_key(kms, spec)
    signature = signature_by(kms, key, algorithm)
    call = {**request(key, algorithm), "KeyId": other.id}
    assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, Signature=signature)


@pytest.mark.parametrize("signed", PKCS1 + PSS)
def test_a_signature_by_another_algorithm_is_none(kms: FakeKMS, signed: str) -> None:
    """Another padding or another hash is another algorithm."""
    key = signing_key(kms, "RSA_2048")
    signature = signature_by(kms, key, signed)
    for algorithm in {*PKCS1, *PSS} - {signed}:
        call = request(key, algorithm)
        assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, Signature=signature), algorithm


@each_kind
def test_altered_bytes_are_no_signature(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """Any 1 to 6,144 bytes may be asked about; what has a wrong length is a bad signature as well."""
    key = signing_key(kms, spec)
    call = request(key, algorithm)
    signature = kms.client.sign(**call)["Signature"]
    altered = {
        "first bit": flipped(signature, 0),
        "last bit": flipped(signature, 8 * len(signature) - 1),
        "cut": signature[:-1],
        "longer": signature + b"\0",
        "zeros": bytes(len(signature)),
        "one byte": b"\0",
        "6144 bytes": signature.ljust(6144, b"\0"),
    }
    for change, bad in altered.items():
        assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, Signature=bad), change


@pytest.mark.parametrize(("spec", "algorithm"), [("ECC_NIST_P256", "ECDSA_SHA_256"), marked("SM2", "SM2DSA")])
def test_numbers_that_are_no_signature(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """What has the form of ECDSA's signatures may still be none."""
    call = request(signing_key(kms, spec), algorithm)
    forms = {
        "zeros": "30 06 020100 020100",
        "negative": "30 06 0201ff 0201ff",
        "one number": "30 03 020101",
        "three numbers": "30 09 020101 020101 020101",
        "no numbers": "30 00",
        "not shortest": "30 08 02020001 02020001",
    }
    for form, numbers in forms.items():
        assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, Signature=bytes.fromhex(numbers)), form


def test_32_raw_bytes_are_no_digest_of_themselves(kms: FakeKMS) -> None:
    """The type of the message says what is signed."""
    key = signing_key(kms, "ECC_NIST_P256")
    call = {"KeyId": key.id, "Message": b"x" * 32, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.client.sign(**call, MessageType="DIGEST")["Signature"]  # type: ignore[arg-type]
    assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, MessageType="RAW", Signature=signature)


# Which messages are refused


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "what"),
    [
        *(marked(spec, PKCS1[0], "EXTERNAL_MU", f"key spec {spec}") for spec in RSA),
        *(
            marked(spec, algorithm, "EXTERNAL_MU", f"key spec {spec}")
            for spec, algorithm in PAIRS
            if spec.startswith(("ECC_", "SM2"))
        ),
        *(marked(spec, "ML_DSA_SHAKE_256", "DIGEST", f"key spec {spec}") for spec in ML_DSA),
        marked(EDWARDS, PURE, "DIGEST", f"algorithm {PURE}"),
        # Without its library the refusal is the same.
        pytest.param(EDWARDS, PREHASHED, "RAW", f"algorithm {PREHASHED}"),
    ],
)
@each_method
def test_a_message_type_that_does_not_fit(
    kms: FakeKMS, method: str, spec: str, algorithm: str, message_type: str, what: str
) -> None:
    """The sentence names the key spec where none of its algorithms takes such messages, else the algorithm."""
    key = signing_key(kms, spec)
    for message in (b"x", b"x" * 64):
        call = {"KeyId": key.id, "SigningAlgorithm": algorithm, "MessageType": message_type, "Message": message}
        assert {
            "Code": "ValidationException",
            "Message": f"Message type {message_type} is incompatible with {what}.",
        } == error_of(kms.client, method, **call, **of_verify(method))


@each_method
def test_ed25519ph_needs_the_message_type(kms: FakeKMS, method: str) -> None:
    """Left out, it is RAW."""
    key = signing_key(kms, EDWARDS)
    assert {
        "Code": "ValidationException",
        "Message": "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
    } == error_of(kms.client, method, KeyId=key.id, SigningAlgorithm=PREHASHED, Message=b"x" * 64, **of_verify(method))


@each_digest
@each_method
def test_a_digest_has_the_length_of_its_hash(kms: FakeKMS, method: str, spec: str, algorithm: str) -> None:
    """One byte less or more, another hash's length, and what is no digest at all are refused in the same words."""
    key = signing_key(kms, spec)
    length = DIGEST_BYTES[algorithm]
    for size in {1, 20, 28, 32, 48, 64, length - 1, length + 1, 4096} - {length}:
        assert {
            "Code": "ValidationException",
            "Message": f"Digest is invalid length for algorithm {algorithm}.",
        } == error_of(
            kms.client,
            method,
            **{**request(key, algorithm, "DIGEST"), "Message": b"x" * size},
            **of_verify(method),
        ), size


@each_ml_dsa
@each_method
def test_an_external_mu_has_64_bytes(kms: FakeKMS, method: str, spec: str) -> None:
    """Mu is no digest, and has a sentence of its own."""
    key = signing_key(kms, spec)
    for size in (1, 32, 63, 65, 4096):
        assert {
            "Code": "ValidationException",
            "Message": "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.",
        } == error_of(
            kms.client,
            method,
            **{**request(key, "ML_DSA_SHAKE_256", "EXTERNAL_MU"), "Message": b"x" * size},
            **of_verify(method),
        ), size


@pytest.mark.parametrize(
    ("message", "constraint"),
    [
        pytest.param(b"x" * 4097, "have length less than or equal to 4096", id="4097 bytes"),
        pytest.param(b"", "have length greater than or equal to 1", id="no bytes"),
        pytest.param(None, "not be null", id="missing"),
    ],
)
@each_method
def test_a_message_that_is_never_taken(kms: FakeKMS, method: str, message: bytes | None, constraint: str) -> None:
    """Of any type: what it was is never shown, and the key is not looked for."""
    members = {} if message is None else {"Message": message}
    for message_type in ("RAW", "DIGEST", "EXTERNAL_MU"):
        call = {"KeyId": UNKNOWN, "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": message_type, **members}
        assert invalid(f"Value at 'message' failed to satisfy constraint: Member must {constraint}") == error_of(
            unchecked(kms), method, **call, **of_verify(method)
        )


@pytest.mark.parametrize(
    ("signature", "violation"),
    [
        pytest.param(
            {"Signature": b"x" * 6145},
            "Value at 'signature' failed to satisfy constraint: Member must have length less than or equal to 6144",
            id="6145 bytes",
        ),
        pytest.param(
            {"Signature": b""},
            "Value at 'signature' failed to satisfy constraint: Member must have length greater than or equal to 1",
            id="no bytes",
        ),
        pytest.param(
            {}, "Value null at 'signature' failed to satisfy constraint: Member must not be null", id="missing"
        ),
    ],
)
def test_a_signature_has_1_to_6144_bytes(kms: FakeKMS, signature: dict[str, bytes], violation: str) -> None:
    """Other lengths are no matter of the key."""
    call = request(signing_key(kms, "ECC_NIST_P256"), "ECDSA_SHA_256")
    assert invalid(violation) == error_of(unchecked(kms), "verify", **call, **signature)


@each_method
def test_words_that_aws_does_not_know(kms: FakeKMS, method: str) -> None:
    """All violations are told in one message."""
    key = signing_key(kms, "ECC_NIST_P256")
    answered = error_of(
        unchecked(kms),
        method,
        **{**request(key, "ECDSA_SHA_256"), "MessageType": "MU", "SigningAlgorithm": "ECDSA"},
        **of_verify(method),
    )
    assert "ValidationException" == answered["Code"]
    assert answered["Message"].startswith("2 validation errors detected: ")
    assert (
        "Value 'MU' at 'messageType' failed to satisfy constraint:"
        " Member must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]" in answered["Message"]
    )
    assert "Value 'ECDSA' at 'signingAlgorithm' failed to satisfy constraint: " in answered["Message"]


# Which keys are refused


@each_spec
@each_method
def test_an_algorithm_of_another_spec_is_refused(kms: FakeKMS, method: str, spec: str) -> None:
    """Whatever the type of the message: the algorithm is looked at first."""
    key = signing_key(kms, spec)
    foreign = {algorithm for algorithms in ALGORITHMS.values() for algorithm in algorithms} - {*ALGORITHMS[spec]}
    for algorithm, message_type in product(sorted(foreign), ("RAW", "DIGEST", "EXTERNAL_MU")):
        call = {"KeyId": key.id, "SigningAlgorithm": algorithm, "MessageType": message_type, "Message": b"x"}
        assert {
            "Code": "InvalidKeyUsageException",
            "Message": f"Algorithm {algorithm} is incompatible with key spec {spec}.",
        } == error_of(kms.client, method, **call, **of_verify(method)), (algorithm, message_type)


OTHER_USES = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("RSA_2048", "ENCRYPT_DECRYPT"),
    ("ECC_NIST_P256", "KEY_AGREEMENT"),
]
METHODS = {"sign": "Sign", "verify": "Verify"}


@pytest.mark.parametrize(("spec", "usage"), OTHER_USES)
@each_method
def test_a_key_for_other_work_is_refused(kms: FakeKMS, method: str, spec: str, usage: str) -> None:
    """Usage comes before state and algorithm."""
    key = kms.create_key(spec=spec, usage=usage)
    for state, algorithm in product(("Enabled", "Disabled", "PendingDeletion"), ("ECDSA_SHA_256", PKCS1[0], PURE)):
        key.state = state
        assert {
            "Code": "InvalidKeyUsageException",
            "Message": f"{key.arn} key usage is {usage} which is not valid for {METHODS[method]}.",
        } == error_of(
            kms.client, method, KeyId=key.id, SigningAlgorithm=algorithm, Message=b"x", **of_verify(method)
        ), (state, algorithm)


@pytest.mark.parametrize("state", UNUSABLE)
@each_method
def test_a_key_is_refused_in_a_state(kms: FakeKMS, method: str, state: str) -> None:
    """The message names the key and its state, before all else that may be wrong with the call."""
    key = signing_key(kms, "ECC_NIST_P256", state=state)
    calls = {
        "in order": ("ECDSA_SHA_256", "RAW"),
        "algorithm": (PKCS1[0], "RAW"),
        "message type": ("ECDSA_SHA_256", "EXTERNAL_MU"),
        "digest length": ("ECDSA_SHA_256", "DIGEST"),
    }
    for wrong, (algorithm, message_type) in calls.items():
        call = {"SigningAlgorithm": algorithm, "MessageType": message_type, "Message": b"x"}
        assert unfit(key.arn, state) == error_of(kms.client, method, KeyId=key.id, **call, **of_verify(method)), wrong


def test_a_key_that_is_updating_works(kms: FakeKMS) -> None:
    """That state keeps nobody from signing."""
    key = signing_key(kms, "ECC_NIST_P256", state="Updating")
    call = request(key, "ECDSA_SHA_256")
    kms.client.verify(**call, Signature=kms.client.sign(**call)["Signature"])


def test_an_unknown_key_is_told(kms: FakeKMS) -> None:
    """Of all three operations."""
    arn = f"arn:aws-cn:kms:cn-north-1:123456789012:key/{UNKNOWN}"
    not_found = {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"}
    call = {"KeyId": UNKNOWN, "SigningAlgorithm": PURE, "Message": b"x"}
    assert not_found == error_of(kms.client, "sign", **call)
    assert not_found == error_of(kms.client, "verify", **call, Signature=b"x")
    assert not_found == error_of(kms.client, "get_public_key", KeyId=UNKNOWN)


# GetPublicKey


@pytest.mark.parametrize(
    ("spec", "usage", "algorithms"),
    [
        *(marked(spec, "SIGN_VERIFY", ALGORITHMS[spec]) for spec in ALGORITHMS),  # type: ignore[arg-type]
        *((spec, "ENCRYPT_DECRYPT", ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")) for spec in RSA),
        *((f"ECC_NIST_P{bits}", "KEY_AGREEMENT", ("ECDH",)) for bits in (256, 384, 521)),
        marked("SM2", "ENCRYPT_DECRYPT", ("SM2PKE",)),  # type: ignore[arg-type]
        marked("SM2", "KEY_AGREEMENT", ("ECDH",)),  # type: ignore[arg-type]
    ],
)
def test_get_public_key_answers_what_the_key_is(
    kms: FakeKMS, spec: str, usage: str, algorithms: tuple[str, ...]
) -> None:
    """The public key, the spec by both of its names, the usage and its algorithms, in AWS's order."""
    key = kms.create_key("orders", spec=spec, usage=usage)
    answer = members_of(kms.client.get_public_key(KeyId="alias/orders"))
    public = answer.pop("PublicKey")
    member = {
        "SIGN_VERIFY": "SigningAlgorithms",
        "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
        "KEY_AGREEMENT": "KeyAgreementAlgorithms",
    }[usage]
    assert {
        "KeyId": key.arn,
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "KeyUsage": usage,
        member: list(algorithms),
    } == answer
    assert (PUBLIC_KEY_BYTES[spec], key.public_key) == (len(public), public)


@each_spec
def test_a_public_key_stays_the_same_and_is_its_key_s_alone(kms: FakeKMS, spec: str) -> None:
    """Asked again, it is the same; another key has another."""
    key, other = signing_key(kms, spec), signing_key(kms, spec)
    publics = [kms.client.get_public_key(KeyId=each.id)["PublicKey"] for each in (key, key, other)]
    assert publics[0] == publics[1] != publics[2]


@pytest.mark.parametrize("spec", [spec for spec in ALGORITHMS if spec not in (*ML_DSA, "SM2")])
def test_a_public_key_is_written_as_everyone_does(kms: FakeKMS, spec: str) -> None:
    """SubjectPublicKeyInfo in DER; the points of curves with both coordinates."""
    public = signing_key(kms, spec).public_key
    read = load_der_public_key(public)
    assert public == read.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(read, ec.EllipticCurvePublicKey):
        assert public.endswith(read.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


@pytest.mark.parametrize(("spec", "usage"), OTHER_USES[:2])
def test_a_symmetric_key_has_no_public_key(kms: FakeKMS, spec: str, usage: str) -> None:
    """The error has no message, and the trail says why."""
    key = kms.create_key("orders", spec=spec, usage=usage)
    assert {"Code": "UnsupportedOperationException", "Message": ""} == error_of(
        kms.client, "get_public_key", KeyId=key.id
    )
    assert f"alias/orders is a key of spec {spec}, which has no public key" == kms.trail.last.why


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "Updating"])
def test_a_public_key_is_told_in_a_state(kms: FakeKMS, state: str) -> None:
    """That a key is disabled does not make its public key a secret."""
    key = signing_key(kms, "RSA_2048", state=state)
    assert key.public_key == kms.client.get_public_key(KeyId=key.id)["PublicKey"]


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Creating"])
def test_a_public_key_is_refused_in_a_state(kms: FakeKMS, state: str) -> None:
    """AWS's documentation lets a key that is pending import tell it; the real service was seen to refuse."""
    key = signing_key(kms, "RSA_2048", state=state)
    assert unfit(key.arn, state) == error_of(kms.client, "get_public_key", KeyId=key.id)


# Dry runs


@each_kind_of_call
def test_a_dry_run_of_sign(kms: FakeKMS, spec: str, algorithm: str, message_type: str) -> None:
    """It would have succeeded."""
    call = request(signing_key(kms, spec), algorithm, message_type, DryRun=True)
    assert WOULD_SUCCEED == error_of(kms.client, "sign", **call)


@each_kind
def test_a_dry_run_of_verify(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """A good signature would have been one; a bad one is told as such."""
    call = request(signing_key(kms, spec), algorithm)
    signature = kms.client.sign(**call)["Signature"]
    assert WOULD_SUCCEED == error_of(kms.client, "verify", **call, Signature=signature, DryRun=True)
    assert INVALID_SIGNATURE == error_of(kms.client, "verify", **call, Signature=flipped(signature, 9), DryRun=True)


@pytest.mark.parametrize(
    ("state", "members", "answered"),
    [
        ("Disabled", {}, {"Code": "DisabledException", "Message": "{arn} is disabled."}),
        (
            "Enabled",
            {"SigningAlgorithm": PURE},
            {
                "Code": "InvalidKeyUsageException",
                "Message": "Algorithm ED25519_SHA_512 is incompatible with key spec ECC_NIST_P256.",
            },
        ),
        (
            "Enabled",
            {"MessageType": "DIGEST"},
            {"Code": "ValidationException", "Message": "Digest is invalid length for algorithm ECDSA_SHA_256."},
        ),
    ],
    ids=["state", "algorithm", "digest length"],
)
@each_method
def test_a_dry_run_that_would_have_failed(
    kms: FakeKMS, method: str, state: str, members: dict[str, str], answered: dict[str, str]
) -> None:
    """It fails as the call itself would."""
    key = signing_key(kms, "ECC_NIST_P256", state=state)
    call = {**request(key, "ECDSA_SHA_256"), **members, **of_verify(method), "DryRun": True}
    expected = {name: value.format(arn=key.arn) for name, value in answered.items()}
    assert expected == error_of(kms.client, method, **call)


# The trail


def test_the_trail_knows_no_message_and_no_signature(kms: FakeKMS) -> None:
    """An event tells the key, the algorithm and the type of the message, as CloudTrail does."""
    key = signing_key(kms, "ECC_NIST_P256", "orders")
    call = request(key, "ECDSA_SHA_256", KeyId="alias/orders")
    signature = kms.client.sign(**call)["Signature"]
    kms.client.verify(**call, Signature=signature)
    kms.client.get_public_key(KeyId="alias/orders")
    told = {"KeyId": "alias/orders", "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "RAW"}
    assert [
        ("Sign", told, key.arn, True, True),
        ("Verify", told, key.arn, True, True),
        ("GetPublicKey", {"KeyId": "alias/orders"}, key.arn, True, False),
    ] == [(event.operation, event.parameters, event.key, event.read_only, event.cryptographic) for event in kms.trail]
    assert MESSAGE.decode() not in repr(list(kms.trail))
    kms.assert_used(key, "Sign", times=1)
    kms.assert_used(key, "Verify", times=1)


def test_a_bad_signature_is_an_event(kms: FakeKMS) -> None:
    """It names the error, and neither message nor signature."""
    key = signing_key(kms, "ECC_NIST_P256")
    error_of(kms.client, "verify", **request(key, "ECDSA_SHA_256"), Signature=b"sesame")
    event = kms.trail.last
    assert ("Verify", "KMSInvalidSignatureException", "", key.arn) == (
        event.operation,
        event.error,
        event.message,
        event.key,
    )
    assert "sesame" not in repr(event)
    assert MESSAGE.decode() not in repr(event)


# What is not installed


def test_ed25519ph_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is failed in words that say what to install; Ed25519 itself works."""
    monkeypatch.setitem(sys.modules, "nacl", None)
    with fake_kms(unsupported="ignore", region="us-east-1") as kms:
        key = signing_key(kms, EDWARDS)
        for method in ("sign", "verify"):
            with pytest.raises(NotSupported) as excinfo:
                getattr(kms.client, method)(**request(key, PREHASHED), **of_verify(method))
            assert (
                "pytest-kms: ED25519_PH_SHA_512: this needs a library that is not installed:"
                " pip install 'pytest-kms[ed25519ph]'" == str(excinfo.value)
            )
        call = request(key, PURE)
        kms.client.verify(**call, Signature=kms.client.sign(**call)["Signature"])


@pytest.mark.parametrize(
    ("module", "region", "spec", "what", "extra"),
    [
        (
            "cryptography.hazmat.primitives.asymmetric.mldsa",
            "us-east-1",
            "ML_DSA_65",
            "ML-DSA keys",
            "ml-dsa",
        ),
        ("gmalg", "cn-north-1", "SM2", "SM2 keys", "sm2"),
    ],
    ids=["ML-DSA", "SM2"],
)
def test_keys_whose_library_is_missing(
    monkeypatch: pytest.MonkeyPatch, module: str, region: str, spec: str, what: str, extra: str
) -> None:
    """CreateKey refuses at once, whether the test or the application makes the key."""
    monkeypatch.setitem(sys.modules, module, None)
    with fake_kms(unsupported="ignore", region=region) as kms:
        makers = (
            lambda: signing_key(kms, spec),
            lambda: kms.client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY"),  # type: ignore[arg-type]
        )
        for make in makers:
            with pytest.raises(NotSupported) as excinfo:
                make()
            assert (
                f"pytest-kms: {what}: this needs a library that is not installed: pip install 'pytest-kms[{extra}]'"
                == str(excinfo.value)
            )


@pytest.mark.kms(region="us-east-1")
def test_sm2_outside_china(kms: FakeKMS) -> None:
    """AWS has such keys in its Regions in China alone."""
    assert {
        "Code": "UnsupportedOperationException",
        "Message": "KeySpec SM2 is not supported in this Region",
    } == error_of(kms.client, "create_key", KeySpec="SM2", KeyUsage="SIGN_VERIFY")


# Properties


@pytest.mark.kms(quotas=False)
@pytest.mark.parametrize(
    ("spec", "algorithm"), [marked(*pair) for pair in KINDS if pair[0] not in ("ECC_SECG_P256K1", *ML_DSA[1:])]
)
def test_what_was_signed_verifies_and_nothing_else(kms: FakeKMS, spec: str, algorithm: str) -> None:
    """Any message of any type; not one with a changed bit, nor a changed signature, nor by another key."""
    key, other = signing_key(kms, spec), signing_key(kms, spec)
    length = DIGEST_BYTES.get(algorithm, 64)
    raw = st.binary(min_size=1, max_size=64) | st.integers(1, 4096).map(lambda size: b"x" * size)
    digest = st.binary(min_size=length, max_size=length)
    typed = st.one_of([st.tuples(st.just(name), raw if name == "RAW" else digest) for name in types_of(algorithm)])
    bits = st.integers(0, 8 * 6144)

    # SM2 is plain Python, and slow.
    @settings(max_examples=4 if spec == "SM2" else 25, deadline=None, database=None, derandomize=True)
    @given(typed=typed, bit_of_message=bits, bit_of_signature=bits)
    def holds(typed: tuple[str, bytes], bit_of_message: int, bit_of_signature: int) -> None:
        message_type, message = typed
        call = {**request(key, algorithm, message_type), "Message": message}
        signature = kms.client.sign(**call)["Signature"]
        assert kms.client.verify(**call, Signature=signature)["SignatureValid"]
        for changed in (
            {"Message": flipped(message, bit_of_message)},
            {"Signature": flipped(signature, bit_of_signature)},
            {"KeyId": other.id},
        ):
            assert INVALID_SIGNATURE == error_of(kms.client, "verify", **{**call, "Signature": signature, **changed}), (
                changed
            )

    holds()
