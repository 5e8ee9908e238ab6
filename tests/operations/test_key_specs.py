"""Keys of every spec, in every usage that it has: made, described, and refused in AWS's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of
from optional import needs_ml_dsa, needs_sm2

from pytest_kms import FakeKMS, UsageError

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import CustomerMasterKeySpecType, KeySpecType, KeyUsageTypeType

# A Region in which AWS has keys of every spec.
pytestmark = pytest.mark.kms(region="cn-north-1", quotas=False)

ENCRYPTION, SIGNING = "EncryptionAlgorithms", "SigningAlgorithms"
MACS, AGREEMENT = "MacAlgorithms", "KeyAgreementAlgorithms"
USAGES = ("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")
OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
RSASSA = [
    *("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512"),
    *("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"),
]
# What DescribeKey tells of keys of a spec and a usage: the member and, in AWS's order, the algorithms.
KINDS: dict[tuple[str, str], tuple[str, list[str]]] = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): (ENCRYPTION, ["SYMMETRIC_DEFAULT"]),
    ("RSA_2048", "ENCRYPT_DECRYPT"): (ENCRYPTION, OAEP),
    ("RSA_2048", "SIGN_VERIFY"): (SIGNING, RSASSA),
    ("RSA_3072", "ENCRYPT_DECRYPT"): (ENCRYPTION, OAEP),
    ("RSA_3072", "SIGN_VERIFY"): (SIGNING, RSASSA),
    ("RSA_4096", "ENCRYPT_DECRYPT"): (ENCRYPTION, OAEP),
    ("RSA_4096", "SIGN_VERIFY"): (SIGNING, RSASSA),
    ("ECC_NIST_P256", "SIGN_VERIFY"): (SIGNING, ["ECDSA_SHA_256"]),
    ("ECC_NIST_P256", "KEY_AGREEMENT"): (AGREEMENT, ["ECDH"]),
    ("ECC_NIST_P384", "SIGN_VERIFY"): (SIGNING, ["ECDSA_SHA_384"]),
    ("ECC_NIST_P384", "KEY_AGREEMENT"): (AGREEMENT, ["ECDH"]),
    ("ECC_NIST_P521", "SIGN_VERIFY"): (SIGNING, ["ECDSA_SHA_512"]),
    ("ECC_NIST_P521", "KEY_AGREEMENT"): (AGREEMENT, ["ECDH"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY"): (SIGNING, ["ECDSA_SHA_256"]),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): (SIGNING, ["ED25519_PH_SHA_512", "ED25519_SHA_512"]),
    ("HMAC_224", "GENERATE_VERIFY_MAC"): (MACS, ["HMAC_SHA_224"]),
    ("HMAC_256", "GENERATE_VERIFY_MAC"): (MACS, ["HMAC_SHA_256"]),
    ("HMAC_384", "GENERATE_VERIFY_MAC"): (MACS, ["HMAC_SHA_384"]),
    ("HMAC_512", "GENERATE_VERIFY_MAC"): (MACS, ["HMAC_SHA_512"]),
    ("ML_DSA_44", "SIGN_VERIFY"): (SIGNING, ["ML_DSA_SHAKE_256"]),
    ("ML_DSA_65", "SIGN_VERIFY"): (SIGNING, ["ML_DSA_SHAKE_256"]),
    ("ML_DSA_87", "SIGN_VERIFY"): (SIGNING, ["ML_DSA_SHAKE_256"]),
    ("SM2", "ENCRYPT_DECRYPT"): (ENCRYPTION, ["SM2PKE"]),
    ("SM2", "SIGN_VERIFY"): (SIGNING, ["SM2DSA"]),
    ("SM2", "KEY_AGREEMENT"): (AGREEMENT, ["ECDH"]),
}
SPECS = list(dict.fromkeys(spec for spec, _ in KINDS))
NO_USAGE = {
    "Code": "ValidationException",
    "Message": "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
}
# The deprecated member was not taught the specs that came after it.
NEW_SPECS = ("ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
OLD_SPECS = [spec for spec in SPECS if spec not in NEW_SPECS]


def marked(spec: str, *values: object) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    marks = {"ML_D": [needs_ml_dsa], "SM2": [needs_sm2]}
    return pytest.param(spec, *values, marks=marks.get(spec[:4], []))


each_kind = pytest.mark.parametrize(("spec", "usage"), [marked(*kind) for kind in KINDS])


@each_kind
def test_a_key_of_a_spec_and_a_usage(kms: FakeKMS, spec: KeySpecType, usage: KeyUsageTypeType) -> None:
    """It tells its algorithms in AWS's order, and its key material if it is a symmetric encryption key."""
    kms.clock.freeze()
    metadata = kms.client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    key_id, (member, algorithms) = metadata["KeyId"], KINDS[spec, usage]
    symmetric = spec == "SYMMETRIC_DEFAULT"
    assert {
        "AWSAccountId": "123456789012",
        "KeyId": key_id,
        "Arn": f"arn:aws-cn:kms:cn-north-1:123456789012:key/{key_id}",
        "CreationDate": kms.clock.now,
        "Enabled": True,
        "Description": "",
        "KeyUsage": usage,
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        member: algorithms,
        "MultiRegion": False,
        **({"CurrentKeyMaterialId": metadata.get("CurrentKeyMaterialId")} if symmetric else {}),
    } == metadata
    assert metadata == kms.client.describe_key(KeyId=key_id)["KeyMetadata"]


@each_kind
def test_a_key_that_a_test_makes_is_like_one_of_create_key(
    kms: FakeKMS, spec: KeySpecType, usage: KeyUsageTypeType
) -> None:
    """The two have all in common that does not tell one key from another."""
    own = ("KeyId", "Arn", "CreationDate", "CurrentKeyMaterialId")
    key = kms.create_key(spec=spec, usage=usage)
    arranged = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    made = kms.client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert {n: v for n, v in made.items() if n not in own} == {n: v for n, v in arranged.items() if n not in own}
    assert set(made) == set(arranged)
    assert (spec, usage, tuple(KINDS[spec, usage][1])) == (key.spec, key.usage, key.algorithms)


@pytest.mark.parametrize("spec", [marked(spec) for spec in SPECS])
def test_without_a_usage_a_test_gets_the_first_that_a_spec_has(kms: FakeKMS, spec: str) -> None:
    """AWS asks for it even where there is but one; a test need not say it."""
    assert next(usage for one, usage in KINDS if one == spec) == kms.create_key(spec=spec).usage


@pytest.mark.parametrize("spec", SPECS)
def test_a_usage_may_be_left_out_with_symmetric_encryption_keys_alone(kms: FakeKMS, spec: KeySpecType) -> None:
    """A spec that has but one usage makes no exception."""
    if spec == "SYMMETRIC_DEFAULT":
        assert "ENCRYPT_DECRYPT" == kms.client.create_key(KeySpec=spec)["KeyMetadata"]["KeyUsage"]
    else:
        assert NO_USAGE == error_of(kms.client, "create_key", KeySpec=spec)


@pytest.mark.parametrize(
    ("member", "spec", "usage"),
    [
        (member, spec, usage)
        for member, specs in (("KeySpec", SPECS), ("CustomerMasterKeySpec", OLD_SPECS))
        for spec in specs
        for usage in USAGES
        if (spec, usage) not in KINDS
    ],
)
def test_a_usage_that_a_spec_does_not_have(kms: FakeKMS, member: str, spec: str, usage: str) -> None:
    """The sentence ends without a full stop."""
    assert {
        "Code": "ValidationException",
        "Message": f"KeyUsage {usage} is not compatible with KeySpec {spec}",
    } == error_of(kms.client, "create_key", KeyUsage=usage, **{member: spec})
    assert [] == kms.client.list_keys()["Keys"]


@pytest.mark.parametrize("spec", [marked(spec) for spec in OLD_SPECS])
def test_the_deprecated_member_names_a_spec(kms: FakeKMS, spec: CustomerMasterKeySpecType) -> None:
    """The key is described in both words all the same."""
    usage: Any = next(usage for one, usage in KINDS if one == spec)
    metadata = kms.client.create_key(CustomerMasterKeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert (spec, spec, usage) == (metadata["KeySpec"], metadata["CustomerMasterKeySpec"], metadata["KeyUsage"])


@pytest.mark.parametrize("spec", NEW_SPECS)
def test_the_deprecated_member_does_not_know_new_specs(kms: FakeKMS, spec: str) -> None:
    """It lists those that it knows; their order is AWS's own and means nothing."""
    error = error_of(kms.client, "create_key", CustomerMasterKeySpec=spec, KeyUsage="SIGN_VERIFY")
    told, listed = error["Message"].removesuffix("]").split(" [")
    assert "ValidationException" == error["Code"]
    assert (
        f"1 validation error detected: Value '{spec}' at 'customerMasterKeySpec' failed to satisfy constraint:"
        " Member must satisfy enum value set:"
    ) == told
    assert set(OLD_SPECS) == set(listed.split(", "))


@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1"])
def test_there_are_no_sm2_keys_outside_of_china(kms: FakeKMS, region: str, usage: str) -> None:
    """Whether the library that they need is installed or not."""
    client = kms.client_for(region=region)
    assert {
        "Code": "UnsupportedOperationException",
        "Message": "KeySpec SM2 is not supported in this Region",
    } == error_of(client, "create_key", KeySpec="SM2", KeyUsage=usage)
    assert [] == client.list_keys()["Keys"]


@needs_sm2
@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_there_are_sm2_keys_in_china(kms: FakeKMS, region: str) -> None:
    """In both Regions."""
    metadata = kms.client_for(region=region).create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert metadata["Arn"].startswith(f"arn:aws-cn:kms:{region}:")


def test_keys_of_all_specs_are_listed_together(kms: FakeKMS) -> None:
    """ListKeys does not tell them apart."""
    keys = [kms.create_key(spec=spec) for spec in ("HMAC_256", "RSA_4096", "SYMMETRIC_DEFAULT", "ECC_NIST_P521")]
    assert {key.arn for key in keys} == {key["KeyArn"] for key in kms.client.list_keys()["Keys"]}


# What a test asks for


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"spec": "RSA_1024"},
            f"'RSA_1024' is no key spec; AWS has {', '.join(SPECS)}",
            id="spec",
        ),
        pytest.param(
            {"spec": "RSA_2048", "usage": "KEY_AGREEMENT"},
            "RSA_2048 is for ENCRYPT_DECRYPT or SIGN_VERIFY, not for 'KEY_AGREEMENT'",
            id="usage of another spec",
        ),
        pytest.param(
            {"usage": "SIGN_VERIFY"},
            "SYMMETRIC_DEFAULT is for ENCRYPT_DECRYPT, not for 'SIGN_VERIFY'",
            id="usage of no symmetric key",
        ),
        pytest.param(
            {"spec": "HMAC_224", "usage": "sign"},
            "HMAC_224 is for GENERATE_VERIFY_MAC, not for 'sign'",
            id="no usage at all",
        ),
    ],
)
def test_a_test_that_asks_for_what_aws_does_not_have(kms: FakeKMS, arguments: dict[str, Any], message: str) -> None:
    """It is told what there is, and nothing is made."""
    with pytest.raises(UsageError) as excinfo:
        kms.create_key("orders", **arguments)
    assert f"pytest-kms: {message}" == str(excinfo.value)
    assert [] == kms.client.list_keys()["Keys"]


@each_kind
def test_only_an_asymmetric_key_has_a_public_key(kms: FakeKMS, spec: str, usage: str) -> None:
    """It is DER; a symmetric key says that it has none."""
    key = kms.create_key("orders", spec=spec, usage=usage)
    if spec.startswith(("SYMMETRIC", "HMAC")):
        with pytest.raises(UsageError) as excinfo:
            key.public_key  # noqa: B018  # asking is enough
        assert "pytest-kms: alias/orders is symmetric: it has no public key" == str(excinfo.value)
    else:
        assert b"\x30" == key.public_key[:1]
        assert key.public_key is key.public_key
