"""Every key spec in one table: its usages, its algorithms, its origins, the quotas that it counts in.

The algorithms stand in the order in which DescribeKey tells them (recorded from the real service).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from pytest_kms import arns

ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
SIGN_VERIFY = "SIGN_VERIFY"
GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
KEY_AGREEMENT = "KEY_AGREEMENT"

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
SM2 = "SM2"

AWS_KMS = "AWS_KMS"
EXTERNAL = "EXTERNAL"
AWS_CLOUDHSM = "AWS_CLOUDHSM"
EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"

DATA_KEY_BYTES = {"AES_256": 32, "AES_128": 16}


class Family(Enum):
    """Keys of one family have material of one kind, and the same mathematics."""

    SYMMETRIC = "symmetric encryption"
    HMAC = "HMAC"
    RSA = "RSA"
    ELLIPTIC_CURVE = "elliptic curve"
    EDWARDS_CURVE = "Edwards curve"
    ML_DSA = "ML-DSA"
    SM2 = "SM2"


# The member of an answer that lists the algorithms of a key, by its usage.
ALGORITHMS_MEMBER = {
    ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    SIGN_VERIFY: "SigningAlgorithms",
    GENERATE_VERIFY_MAC: "MacAlgorithms",
    KEY_AGREEMENT: "KeyAgreementAlgorithms",
}


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a key of one spec is, and what it can do.

    `algorithms` gives, for each usage, the algorithms in AWS's order; `size` is the length of the material in
    bytes, of the modulus or the curve in bits; `origins` says where the material may come from; `pool` is the name
    of the shared request quota that its cryptographic operations count in; `data_key_pairs` says that
    GenerateDataKeyPair makes pairs of this spec.
    """

    name: str
    family: Family
    size: int
    algorithms: Mapping[str, tuple[str, ...]]
    origins: tuple[str, ...]
    pool: str
    data_key_pairs: bool = False
    asymmetric: bool = field(init=False)
    symmetric_encryption: bool = field(init=False)
    """Whether its keys are those that AWS calls symmetric encryption keys: they alone can get new material."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asymmetric", self.family not in (Family.SYMMETRIC, Family.HMAC))
        object.__setattr__(self, "symmetric_encryption", self.family is Family.SYMMETRIC)

    @property
    def pair_quota(self) -> str:
        """The request quota of data key pairs of this spec."""
        china = " - China Regions only" if self.family is Family.SM2 else ""
        return f"GenerateDataKeyPair ({self.name}{china}) request rate"


def _pool(keys: str) -> str:
    return f"Cryptographic operations ({keys}) request rate"


_IMPORTABLE = (AWS_KMS, EXTERNAL)

_RSA_ALGORITHMS = {
    ENCRYPT_DECRYPT: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    SIGN_VERIFY: tuple(
        f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in ("256", "384", "512")
    ),
}


def _rsa(size: int) -> KeySpec:
    return KeySpec(f"RSA_{size}", Family.RSA, size, _RSA_ALGORITHMS, _IMPORTABLE, _pool("RSA"), data_key_pairs=True)


def _ecc(name: str, size: int, algorithm: str, *, agrees: bool = True) -> KeySpec:
    algorithms: dict[str, tuple[str, ...]] = {SIGN_VERIFY: (algorithm,)}
    if agrees:
        algorithms[KEY_AGREEMENT] = ("ECDH",)
    pool = _pool("ECC and SM2")
    return KeySpec(name, Family.ELLIPTIC_CURVE, size, algorithms, _IMPORTABLE, pool, data_key_pairs=True)


def _hmac(bits: int) -> KeySpec:
    algorithms = {GENERATE_VERIFY_MAC: (f"HMAC_SHA_{bits}",)}
    return KeySpec(f"HMAC_{bits}", Family.HMAC, bits // 8, algorithms, _IMPORTABLE, _pool("symmetric"))


def _ml_dsa(size: int) -> KeySpec:
    algorithms = {SIGN_VERIFY: ("ML_DSA_SHAKE_256",)}
    return KeySpec(f"ML_DSA_{size}", Family.ML_DSA, size, algorithms, (AWS_KMS,), _pool("ML-DSA"))


SPECS = {
    spec.name: spec
    for spec in (
        KeySpec(
            SYMMETRIC_DEFAULT,
            Family.SYMMETRIC,
            32,
            {ENCRYPT_DECRYPT: (SYMMETRIC_DEFAULT,)},
            (*_IMPORTABLE, AWS_CLOUDHSM, EXTERNAL_KEY_STORE),
            _pool("symmetric"),
        ),
        _rsa(2048),
        _rsa(3072),
        _rsa(4096),
        _ecc("ECC_NIST_P256", 256, "ECDSA_SHA_256"),
        _ecc("ECC_NIST_P384", 384, "ECDSA_SHA_384"),
        _ecc("ECC_NIST_P521", 521, "ECDSA_SHA_512"),
        _ecc("ECC_SECG_P256K1", 256, "ECDSA_SHA_256", agrees=False),
        KeySpec(
            "ECC_NIST_EDWARDS25519",
            Family.EDWARDS_CURVE,
            255,
            {SIGN_VERIFY: ("ED25519_PH_SHA_512", "ED25519_SHA_512")},
            _IMPORTABLE,
            _pool("ECC and SM2"),
            data_key_pairs=True,
        ),
        _hmac(224),
        _hmac(256),
        _hmac(384),
        _hmac(512),
        _ml_dsa(44),
        _ml_dsa(65),
        _ml_dsa(87),
        KeySpec(
            SM2,
            Family.SM2,
            256,
            {ENCRYPT_DECRYPT: ("SM2PKE",), SIGN_VERIFY: ("SM2DSA",), KEY_AGREEMENT: ("ECDH",)},
            _IMPORTABLE,
            _pool("ECC and SM2"),
            data_key_pairs=True,
        ),
    )
}
_SM4 = replace(SPECS[SYMMETRIC_DEFAULT], size=16)


def spec_in(region: str, name: str) -> KeySpec:
    """Return a key spec as a Region has it: in China symmetric encryption keys are of SM4, whose keys have 16 bytes."""
    return _SM4 if name == SYMMETRIC_DEFAULT and arns.in_china(region) else SPECS[name]
