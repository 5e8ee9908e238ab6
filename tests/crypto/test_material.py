"""Key material: what a test may give, what it is told when it gives something else, and what is made of a secret."""

from __future__ import annotations

import hmac
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from optional import needs_ml_dsa, needs_sm2

from pytest_kms import FakeKMS, NotSupported, UsageError, fake_kms
from pytest_kms.crypto import material
from pytest_kms.crypto.rsa_pool import Pool
from pytest_kms.crypto.specs import SPECS

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import KeySpecType

pytestmark = pytest.mark.kms(region="us-east-1")

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
ASYMMETRIC = ("RSA_2048", "RSA_3072", "RSA_4096", *CURVES, "ECC_NIST_EDWARDS25519")
ML_DSA = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
HMACS = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
FORMATS = {
    "PKCS#8, DER": (Encoding.DER, PrivateFormat.PKCS8),
    "PKCS#8, PEM": (Encoding.PEM, PrivateFormat.PKCS8),
    "traditional, DER": (Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "traditional, PEM": (Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
}
# A private key of sect163k1, a curve that `cryptography` does not have, in SEC 1.
UNKNOWN_CURVE = (
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MFMCAQEEFQGSjsVwWbpEjt6ohlyDUn/OO+5WgqAHBgUrgQQAAaEuAywABAHry124\n"
    "nlBmJ4lvHenwsumVgLVu6gZv/nF2jJQRHEtWDpORnYo13+18rg==\n"
    "-----END EC PRIVATE KEY-----\n"
)


def marked(spec: str, *values: object) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    marks = {"ML_D": [needs_ml_dsa], "SM2": [needs_sm2]}
    return pytest.param(spec, *values, marks=marks.get(spec[:4], []))


@cache
def private_key(spec: str) -> Any:
    """Make a key outside of the fake, once; those of RSA from the pool of a fake that nobody else has."""
    if spec in CURVES:
        return ec.generate_private_key(CURVES[spec])
    if spec.startswith("RSA"):
        return Pool().take(int(spec[4:]), 400)
    return ed25519.Ed25519PrivateKey.generate()


def written(
    key: PrivateKeyTypes, encoding: Encoding = Encoding.DER, form: PrivateFormat = PrivateFormat.PKCS8
) -> bytes:
    """Write a private key."""
    return key.private_bytes(encoding, form, NoEncryption())


def public(key: PrivateKeyTypes) -> bytes:
    """Write the public half of a private key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def refusal(kms: FakeKMS, spec: str, given: bytes | str) -> str:
    """Return the text with which the fake refuses a material."""
    with pytest.raises(UsageError) as excinfo:
        kms.create_key("orders", spec=spec, material=given)
    assert [] == kms.client.list_keys()["Keys"]
    return str(excinfo.value)


def not_of(spec: str) -> str:
    """Return the text with which the fake refuses what is no private key of a spec."""
    return f"pytest-kms: the material of {spec} is such a private key in PEM or DER, without a password"


# What a test may give


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("spec", ASYMMETRIC)
def test_a_private_key_may_be_given(kms: FakeKMS, spec: str, form: str) -> None:
    """In any of the usual formats: its public half is that of the KMS key."""
    if spec == "ECC_NIST_EDWARDS25519" and form.startswith("traditional"):
        form = "PKCS#8, PEM"
    own = private_key(spec)
    key = kms.create_key(spec=spec, material=written(own, *FORMATS[form]))
    assert public(own) == key.public_key == kms.client.get_public_key(KeyId=key.id)["PublicKey"]


@needs_ml_dsa
@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM], ids=["DER", "PEM"])
@pytest.mark.parametrize("spec", ML_DSA)
def test_a_private_key_of_ml_dsa_may_be_given(kms: FakeKMS, spec: str, encoding: Encoding) -> None:
    """In PKCS#8."""
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    own = getattr(mldsa, f"{spec.replace('_', '')}PrivateKey").generate()
    key = kms.create_key(spec=spec, material=written(own, encoding))
    assert public(own) == key.public_key


@needs_sm2
def test_a_private_key_of_sm2_may_be_given() -> None:
    """As another key shows it; wrong ones are told what is wrong with them."""
    with fake_kms(region="cn-north-1") as kms:
        own = material.derive(SPECS["SM2"], b"x" * material.SECRET_BYTES, Pool())
        key = kms.create_key(spec="SM2", material=own)
        assert material.public_key(SPECS["SM2"].family, own) == key.public_key
        with pytest.raises(UsageError, match="pytest-kms: no private key of SM2"):
            kms.create_key(spec="SM2", material=written(private_key("ECC_NIST_P256")))


def test_a_pem_file_may_be_given_as_text(kms: FakeKMS) -> None:
    """With whatever stands before it: an empty line, a comment, the parameters of the curve."""
    own = private_key("ECC_NIST_P256")
    pem = written(own, Encoding.PEM).decode()
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    for given in (
        pem,
        f"\n{pem}",
        f"the key of our test system\n{pem}",
        f"{parameters}{pem}",
        pem.replace("\n", "\r\n"),
    ):
        assert public(own) == kms.create_key(spec="ECC_NIST_P256", material=given).public_key


def test_a_key_that_was_given_is_used(kms: FakeKMS) -> None:
    """What was encrypted elsewhere is decrypted, in every fake to which the same key is given."""
    pem = written(private_key("RSA_2048"), Encoding.PEM)
    key = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT", material=pem)
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    kms.reset()
    same = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT", material=pem)
    assert b"secret" == kms.decrypt(blob["CiphertextBlob"], key=same)


def test_a_symmetric_key_is_given_in_bytes(kms: FakeKMS) -> None:
    """They are the AES key, though its ciphertexts open in the fake alone that made them."""
    key = kms.create_key(material=b"k" * 32)
    assert b"secret" == kms.decrypt(kms.encrypt(key, b"secret"))
    assert b"k" * 32 == key.material


@pytest.mark.parametrize(("spec", "size"), HMACS.items())
def test_a_mac_key_is_given_in_bytes(kms: FakeKMS, spec: str, size: int) -> None:
    """As many as its MAC has."""
    key = kms.create_key(spec=spec, material=b"k" * size)
    algorithm: Any = spec.replace("_", "_SHA_")
    mac = kms.client.generate_mac(KeyId=key.id, Message=b"order", MacAlgorithm=algorithm)["Mac"]
    assert hmac.digest(b"k" * size, b"order", spec.replace("HMAC_", "sha")) == mac


# What it is told when it gives something else


@pytest.mark.parametrize(("spec", "size"), [("SYMMETRIC_DEFAULT", 32), *HMACS.items()])
def test_a_secret_key_of_another_size(kms: FakeKMS, spec: str, size: int) -> None:
    """The text says how many bytes it has."""
    for other in (0, size // 2, size - 1, size + 1, 128):
        told = f"pytest-kms: {spec} has {size} bytes of material, not {other}"
        assert told == refusal(kms, spec, b"k" * other)


@pytest.mark.parametrize(
    ("spec", "other"),
    # A key of RSA_4096 takes the library long to read, whatever it is refused for.
    [(spec, other) for spec in ASYMMETRIC for other in ASYMMETRIC if other not in (spec, "RSA_4096")],
)
def test_a_private_key_of_another_spec(kms: FakeKMS, spec: str, other: str) -> None:
    """Of another size, another curve, another kind."""
    assert not_of(spec) == refusal(kms, spec, written(private_key(other)))


@needs_ml_dsa
def test_a_private_key_of_another_ml_dsa(kms: FakeKMS) -> None:
    """The three sizes are three specs."""
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    own = written(mldsa.MLDSA65PrivateKey.generate())
    assert not_of("ML_DSA_44") == refusal(kms, "ML_DSA_44", own)
    assert not_of("RSA_2048") == refusal(kms, "RSA_2048", own)
    assert not_of("ML_DSA_87") == refusal(kms, "ML_DSA_87", written(private_key("RSA_2048")))


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
@pytest.mark.parametrize(
    "given",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"k" * 32, id="bytes"),
        pytest.param("-----BEGIN PRIVATE KEY-----", id="a line of PEM"),
        pytest.param("clé privée", id="words"),
        pytest.param(UNKNOWN_CURVE, id="unknown curve"),
    ],
)
def test_what_is_no_private_key(kms: FakeKMS, spec: str, given: bytes | str) -> None:
    """One sentence for all, whatever the library says of it."""
    assert not_of(spec) == refusal(kms, spec, given)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_another_form_of_the_right_key(kms: FakeKMS, spec: str) -> None:
    """Its public half, one with a password, one that was cut."""
    own = private_key(spec)
    sealed = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    pem = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for given in (sealed, public(own), pem, written(own)[:-1], written(own, Encoding.PEM)[:-40]):
        assert not_of(spec) == refusal(kms, spec, given)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_a_private_key_of_a_kind_that_kms_does_not_have(kms: FakeKMS, spec: str) -> None:
    """The library reads it, KMS has no use for it."""
    others = (
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP224R1()),
    )
    for key in others:
        assert not_of(spec) == refusal(kms, spec, written(key))


def test_a_material_is_never_shown(kms: FakeKMS) -> None:
    """Neither by the key nor by a refusal."""
    assert "kkkk" not in repr(kms.create_key(material=b"k" * 32))
    with pytest.raises(UsageError) as excinfo:
        kms.create_key(material=b"k" * 31)
    assert "kkkk" not in str(excinfo.value)


# What is made of a secret


@pytest.mark.parametrize("secret", [bytes(128), b"\xff" * 128, b"\x80" + bytes(127)], ids=["zeros", "ones", "one bit"])
@pytest.mark.parametrize("spec", [marked(spec) for spec in SPECS])
def test_every_secret_makes_a_key(spec: str, secret: bytes) -> None:
    """The extremes of the range too; each time the same, from another secret another."""
    made = material.derive(SPECS[spec], secret, Pool())
    assert made == material.derive(SPECS[spec], secret, Pool())
    assert made != material.derive(SPECS[spec], secret[::-1] if secret[0] == 0x80 else b"\1" * 128, Pool())
    assert made == material.read(SPECS[spec], made)
    if SPECS[spec].asymmetric:
        assert b"\x30" == material.public_key(SPECS[spec].family, made)[:1]
    else:
        assert SPECS[spec].size == len(made)


@pytest.mark.parametrize("spec", CURVES)
def test_the_number_of_a_key_is_within_its_group(spec: str) -> None:
    """The smallest is one, the greatest has a bit less than the order of the group."""
    for secret, expected in ((bytes(128), 1), (b"\xff" * 128, 1 << (SPECS[spec].size - 1))):
        made = load_der_private_key(material.derive(SPECS[spec], secret, Pool()), None)
        assert isinstance(made, ec.EllipticCurvePrivateKey)
        assert expected == made.private_numbers().private_value


def test_a_key_is_made_on_first_use(kms: FakeKMS) -> None:
    """Whatever is used in between, a seed makes the same of it."""
    specs = ("SYMMETRIC_DEFAULT", "HMAC_512", *CURVES, "ECC_NIST_EDWARDS25519")
    made = []
    for order in (1, -1):
        with fake_kms(region="us-east-1", seed=7) as seeded:
            keys = [seeded.create_key(spec=spec) for spec in specs]
            used = {key.spec: key.material for key in keys[::order]}
            made.append([used[spec] for spec in specs])
    assert made[0] == made[1]


# Libraries that are not installed


@pytest.fixture
def without_ml_dsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide ML-DSA, as in the versions of `cryptography` that do not have it."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)


@pytest.mark.parametrize("spec", ML_DSA)
def test_ml_dsa_keys_need_a_library(without_ml_dsa: None, spec: KeySpecType) -> None:
    """The refusal says how to install it, and no application catches it."""
    told = "pytest-kms: ML-DSA keys: this needs a library that is not installed: pip install 'pytest-kms[ml-dsa]'"
    calls: list[dict[str, Any]] = [{}, {"material": written(private_key("RSA_2048"))}]
    with fake_kms(unsupported="ignore", region="us-east-1") as kms:
        for arguments in calls:
            with pytest.raises(NotSupported) as excinfo:
                kms.create_key(spec=spec, **arguments)
            assert told == str(excinfo.value)
        with pytest.raises(NotSupported) as excinfo:
            kms.client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        assert told == str(excinfo.value)
        assert [] == kms.client.list_keys()["Keys"]


def test_a_version_that_has_not_all_of_ml_dsa_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that had it could not sign an external mu."""
    material_module = "cryptography.hazmat.primitives.asymmetric.mldsa"

    class Early:
        MLDSA65PrivateKey = object

    monkeypatch.setitem(sys.modules, material_module, Early)
    with fake_kms(region="us-east-1") as kms, pytest.raises(NotSupported, match="ML-DSA keys"):
        kms.create_key(spec="ML_DSA_65")
    with fake_kms(region="us-east-1") as kms, pytest.raises(NotSupported, match="ML-DSA keys"):
        kms.create_key(spec="ML_DSA_87")


def test_other_keys_need_no_library(kms: FakeKMS, without_ml_dsa: None) -> None:
    """They are made as ever."""
    for spec in ("SYMMETRIC_DEFAULT", "HMAC_256", *ASYMMETRIC):
        assert spec == kms.create_key(spec=spec).spec
