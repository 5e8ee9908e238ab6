"""Wrapping: what was wrapped for KMS arrives as it was, by whomever, and nothing else arrives."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import FakeKMS, Key, fake_kms
from pytest_kms.crypto import wrapping
from pytest_kms.crypto.rsa_pool import Pool
from pytest_kms.crypto.specs import SPECS
from pytest_kms.crypto.symmetric import Unreadable

OpenSSL = Callable[..., bytes]

pytestmark = pytest.mark.kms(region="us-east-1", quotas=False)

OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
AES = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
HASHES: dict[str, hashes.HashAlgorithm] = {"SHA_1": hashes.SHA1(), "SHA_256": hashes.SHA256()}  # noqa: S303  # AWS's
NEVER: Any = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}

P256 = ec.derive_private_key(7, ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))

# Nothing here depends on how fast the machine is, and every run tries the same.
repeatable = settings(deadline=None, database=None, derandomize=True, max_examples=40)


def pkcs8(key: Any) -> bytes:
    """Write a private key as AWS wants it."""
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


WRAPPING_KEYS = {spec: pkcs8(Pool().take(SPECS[spec].size, 0)) for spec in ("RSA_2048", "RSA_4096")}


def wrap(algorithm: str, content: bytes, spec: str = "RSA_2048") -> bytes:
    """Wrap with one of two keys that all tests share."""
    return wrapping.wrap(SPECS[spec], WRAPPING_KEYS[spec], algorithm, content, os.urandom)


def unwrap(algorithm: str, wrapped: bytes, spec: str = "RSA_2048") -> bytes:
    """Unwrap with the key of that size."""
    return wrapping.unwrap(SPECS[spec], WRAPPING_KEYS[spec], algorithm, wrapped)


def parameters_of(kms: FakeKMS, key: Key, algorithm: str, spec: str = "RSA_2048") -> Any:
    """Ask for import parameters."""
    return kms.client.get_parameters_for_import(
        KeyId=key.id,
        WrappingAlgorithm=algorithm,  # type: ignore[arg-type]
        WrappingKeySpec=spec,  # type: ignore[arg-type]
    )


def take(kms: FakeKMS, key: Key, parameters: Any, wrapped: bytes) -> None:
    """Import what was wrapped."""
    kms.client.import_key_material(
        KeyId=key.id, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=wrapped, **NEVER
    )


# there and back


@pytest.mark.parametrize("algorithm", OAEP + AES)
@repeatable
@given(content=st.binary(min_size=1, max_size=190))
def test_what_was_wrapped_is_unwrapped(algorithm: str, content: bytes) -> None:
    """Any bytes, by any algorithm with RSA."""
    assert content == unwrap(algorithm, wrap(algorithm, content))


@pytest.mark.parametrize("algorithm", AES)
@repeatable
@given(content=st.binary(min_size=1, max_size=3000))
def test_the_key_of_aes_wraps_what_rsa_cannot(algorithm: str, content: bytes) -> None:
    """Material of any length, behind 512 bytes of RSA."""
    wrapped = wrap(algorithm, content, "RSA_4096")
    assert 512 + 8 + -(-len(content) // 8) * 8 == len(wrapped)
    assert content == unwrap(algorithm, wrapped, "RSA_4096")


def test_sm2_wraps_and_unwraps() -> None:
    """Material of any length."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    with fake_kms(region="cn-north-1") as kms:
        key = kms.create_key(spec="SM2", usage="ENCRYPT_DECRYPT").material
    for content in (b"x", bytes(2400)):
        wrapped = wrapping.wrap(SPECS["SM2"], key, "SM2PKE", content, os.urandom)
        assert content == wrapping.unwrap(SPECS["SM2"], key, "SM2PKE", wrapped)


@pytest.mark.parametrize("algorithm", OAEP + AES)
@repeatable
@given(place=st.integers(min_value=0, max_value=295), bit=st.integers(min_value=0, max_value=7))
def test_what_was_altered_is_unreadable(algorithm: str, place: int, bit: int) -> None:
    """One bit anywhere."""
    wrapped = bytearray(wrap(algorithm, bytes(32)))
    wrapped[place % len(wrapped)] ^= 1 << bit
    with pytest.raises(Unreadable):
        unwrap(algorithm, bytes(wrapped))


@pytest.mark.parametrize("algorithm", OAEP + AES)
@pytest.mark.parametrize("spoil", [lambda w: w[:-1], lambda w: w + b"x", lambda w: w[:255], lambda _: b"x"])
def test_what_was_cut_is_unreadable(algorithm: str, spoil: Callable[[bytes], bytes]) -> None:
    """And so is what goes on."""
    with pytest.raises(Unreadable):
        unwrap(algorithm, spoil(wrap(algorithm, bytes(32))))


@pytest.mark.parametrize("made", OAEP + AES)
@pytest.mark.parametrize("taken", OAEP + AES)
def test_an_algorithm_reads_its_own(made: str, taken: str) -> None:
    """What another made is unreadable, but for the hash's sake or the key in between."""
    wrapped = wrap(made, bytes(32))
    if made == taken:
        assert bytes(32) == unwrap(taken, wrapped)
    else:
        with pytest.raises(Unreadable):
            unwrap(taken, wrapped)


@pytest.mark.parametrize("size", [16, 24])
@pytest.mark.parametrize("algorithm", AES)
def test_the_key_of_aes_has_256_bits(kms: FakeKMS, algorithm: str, size: int) -> None:
    """AWS says so; a shorter one wraps nothing for it."""
    aes_key = bytes(size)
    sealed = wrap(algorithm.replace("RSA_AES_KEY_WRAP", "RSAES_OAEP"), aes_key)
    with pytest.raises(Unreadable):
        unwrap(algorithm, sealed + aes_key_wrap_with_padding(aes_key, bytes(32)))


# others wrap for it


@pytest.mark.parametrize("algorithm", OAEP + AES)
def test_what_another_library_wraps_arrives(kms: FakeKMS, algorithm: str) -> None:
    """By the public key of the answer alone."""
    key = kms.create_key(spec="ECC_NIST_P256", origin="EXTERNAL")
    parameters = parameters_of(kms, key, algorithm)
    public = load_der_public_key(parameters["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    digest = HASHES["_".join(algorithm.split("_")[-2:])]
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm in AES:
        aes_key = os.urandom(32)
        wrapped = public.encrypt(aes_key, oaep) + aes_key_wrap_with_padding(aes_key, pkcs8(P256))
    else:
        wrapped = public.encrypt(pkcs8(P256), oaep)
    take(kms, key, parameters, wrapped)
    assert P256.public_key() == load_der_public_key(key.public_key)


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSSL:
    """Return a function that runs a command of OpenSSL among some files, and returns what it wrote."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl")

    def run(command: str, **files: bytes) -> bytes:
        for name, content in files.items():
            tmp_path.joinpath(name).write_bytes(content)
        # The commands are those below.
        done = subprocess.run([program, *command.split()], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603
        return done.stdout

    return run


def by_oaep(openssl: OpenSSL, parameters: Any, content: bytes, digest: str) -> bytes:
    """Encrypt by AWS's commands for OpenSSL."""
    return openssl(
        "pkeyutl -encrypt -in content -inkey public -keyform DER -pubin -pkeyopt rsa_padding_mode:oaep"
        f" -pkeyopt rsa_oaep_md:{digest} -pkeyopt rsa_mgf1_md:{digest}",
        content=content,
        public=parameters["PublicKey"],
    )


@pytest.mark.parametrize(("algorithm", "digest"), [("RSAES_OAEP_SHA_1", "sha1"), ("RSAES_OAEP_SHA_256", "sha256")])
def test_openssl_wraps_a_secret(kms: FakeKMS, openssl: OpenSSL, algorithm: str, digest: str) -> None:
    """As the Developer Guide shows it."""
    key = kms.create_key(origin="EXTERNAL")
    parameters = parameters_of(kms, key, algorithm, "RSA_3072")
    take(kms, key, parameters, by_oaep(openssl, parameters, bytes(range(32)), digest))
    assert bytes(range(32)) == key.material


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("RSA_AES_KEY_WRAP_SHA_1", "sha1"), ("RSA_AES_KEY_WRAP_SHA_256", "sha256")]
)
def test_openssl_wraps_an_rsa_key(kms: FakeKMS, openssl: OpenSSL, algorithm: str, digest: str) -> None:
    """With a key of AES in between, as the Developer Guide shows it."""
    if b"id-aes256-wrap-pad" not in openssl("enc -ciphers"):
        pytest.skip("this openssl does not wrap with padding")
    made = openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048")
    material = openssl("pkcs8 -topk8 -nocrypt -in made -outform DER", made=made)
    key = kms.create_key(spec="RSA_2048", usage="SIGN_VERIFY", origin="EXTERNAL")
    parameters = parameters_of(kms, key, algorithm)
    aes_key = os.urandom(32)
    sealed = by_oaep(openssl, parameters, aes_key, digest)
    body = openssl(f"enc -id-aes256-wrap-pad -K {aes_key.hex()} -iv A65959A6 -in material", material=material)
    take(kms, key, parameters, sealed + body)
    assert openssl("pkey -inform DER -in material -pubout -outform DER") == key.public_key


@pytest.mark.kms(region="cn-north-1", quotas=False)
def test_openssl_wraps_by_sm2(kms: FakeKMS, openssl: OpenSSL) -> None:
    """In the form of GM/T 0009."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    if b"SM2" not in openssl("list -public-key-algorithms"):
        pytest.skip("this openssl has no SM2")
    key = kms.create_key(spec="HMAC_256", origin="EXTERNAL")
    parameters = parameters_of(kms, key, "SM2PKE", "SM2")
    wrapped = openssl(
        "pkeyutl -encrypt -in content -inkey public -keyform DER -pubin",
        content=bytes(range(32)),
        public=parameters["PublicKey"],
    )
    take(kms, key, parameters, wrapped)
    assert bytes(range(32)) == key.material


# what arrives


def in_ber(der: bytes) -> bytes:
    """Write a SEQUENCE without its length, with a mark of the end."""
    head = 2 + (der[1] & 0x7F if der[1] > 0x7F else 0)
    return b"\x30\x80" + der[head:] + b"\0\0"


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_private_keys_come_in_ber_as_well(kms: FakeKMS, spec: str) -> None:
    """They are the same material then."""
    material = pkcs8(P256) if spec == "ECC_NIST_P256" else WRAPPING_KEYS["RSA_2048"]
    key = kms.create_key(spec=spec, usage="SIGN_VERIFY", origin="EXTERNAL")
    for form in (material, in_ber(material)):
        parameters = parameters_of(kms, key, AES[1])
        take(kms, key, parameters, kms.wrap_key_material(parameters, form))
    assert "Enabled" == key.state


def test_a_key_of_an_edwards_curve_comes_in_der_alone() -> None:
    """Recorded: BER is refused here."""
    assert pkcs8(ED25519) == wrapping.read(SPECS["ECC_NIST_EDWARDS25519"], pkcs8(ED25519))
    with pytest.raises(ValueError, match="AWS takes the material of ECC_NIST_EDWARDS25519 in DER alone, this is BER"):
        wrapping.read(SPECS["ECC_NIST_EDWARDS25519"], in_ber(pkcs8(ED25519)))


def test_an_sm2_key_is_brought_into_the_form_of_ours() -> None:
    """Without its public key as well."""
    pytest.importorskip("gmalg", reason="the extra sm2 is not installed")
    with fake_kms(region="cn-north-1") as kms:
        material = kms.create_key(spec="SM2", usage="SIGN_VERIFY").material
    assert material == wrapping.read(SPECS["SM2"], in_ber(material))


@pytest.mark.parametrize(
    "content",
    [
        P256.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        P256.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
        pkcs8(ec.derive_private_key(7, ec.SECP256K1())),
        pkcs8(ED25519),
        WRAPPING_KEYS["RSA_2048"],
        pkcs8(P256)[:-1],
        pkcs8(P256) + b"\0",
        pkcs8(P256)[:35] + bytes(len(pkcs8(P256)) - 35),
        b"\x05\x00",
        b"",
    ],
    ids=[
        "SEC 1", "PEM", "with a password", "another curve", "Ed25519", "RSA", "cut", "with more", "of zeros", "null",
        "nothing",
    ],
)  # fmt: skip
def test_a_private_key_is_pkcs8_of_its_spec(content: bytes) -> None:
    """Nothing else is taken for one of ECC_NIST_P256."""
    with pytest.raises(ValueError):  # noqa: PT011  # what it says depends on what comes
        wrapping.read(SPECS["ECC_NIST_P256"], content)


@pytest.mark.parametrize("content", [WRAPPING_KEYS["RSA_4096"], pkcs8(P256)], ids=["of another size", "of a curve"])
def test_an_rsa_key_has_its_size(content: bytes) -> None:
    """A larger one is none of RSA_2048, nor is PKCS#1."""
    with pytest.raises(ValueError, match="the material of RSA_2048 is such a private key"):
        wrapping.read(SPECS["RSA_2048"], content)


@pytest.mark.parametrize("spec", [name for name, spec in SPECS.items() if not spec.asymmetric])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_secret_has_the_length_of_its_spec(spec: str, more: int) -> None:
    """Not a byte more."""
    content = bytes(SPECS[spec].size + more)
    if more:
        with pytest.raises(ValueError, match=f"the material of {spec} has {SPECS[spec].size} bytes, not"):
            wrapping.read(SPECS[spec], content)
    else:
        assert content == wrapping.read(SPECS[spec], content)
