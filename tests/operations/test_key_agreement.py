"""DeriveSharedSecret works as AWS's does: both sides have the same secret."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from answers import UNKNOWN, UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs_enclave, needs_openssl, needs_sm2, openssl

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from collections.abc import Callable

# A Region in which AWS has keys of every spec.
pytestmark = pytest.mark.kms(region="cn-north-1")

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
}
SECRET_BYTES = {"ECC_NIST_P256": 32, "ECC_NIST_P384": 48, "ECC_NIST_P521": 66, "SM2": 32}
# The real service says no more of a public key that it cannot use.
NO_MESSAGE = {"Code": "ValidationException", "Message": ""}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}

each_curve = pytest.mark.parametrize("spec", CURVES)
each_spec = pytest.mark.parametrize("spec", [*CURVES, pytest.param("SM2", marks=needs_sm2)])


def agreeing_key(kms: FakeKMS, spec: str, alias: str | None = None, **more: Any) -> Key:
    """Make a key of a spec that agrees on secrets."""
    return kms.create_key(alias, spec=spec, usage="KEY_AGREEMENT", **more)


def spki(private: Any) -> bytes:
    """Return the public half of a private key of `cryptography`, as DeriveSharedSecret takes it."""
    return bytes(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def request(key: Key, peer: bytes, **members: object) -> dict[str, Any]:
    """Return the members of a call."""
    return {"KeyId": key.id, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer, **members}


def secret_of(kms: FakeKMS, key: Key, peer: bytes) -> bytes:
    """Derive the secret that a key shares with the holder of a public key."""
    return kms.client.derive_shared_secret(**request(key, peer))["SharedSecret"]


# What is answered


@each_spec
def test_derive_shared_secret_answers_key_secret_algorithm_and_origin(kms: FakeKMS, spec: str) -> None:
    """The key is named by its ARN; the secret is as long as a coordinate."""
    key, peer = agreeing_key(kms, spec, "orders"), agreeing_key(kms, spec)
    answer = members_of(kms.client.derive_shared_secret(**request(key, peer.public_key, KeyId="alias/orders")))
    secret = answer.pop("SharedSecret")
    assert {"KeyId": key.arn, "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"} == answer
    assert SECRET_BYTES[spec] == len(secret)


@pytest.mark.parametrize("name", ["id", "arn", "alias", "alias ARN"])
def test_a_key_goes_by_four_names(kms: FakeKMS, name: str) -> None:
    """Its ARN is answered, whatever it was called."""
    key = agreeing_key(kms, "ECC_NIST_P256", "orders")
    prefix, _, _ = key.arn.partition("key/")
    called = {"id": key.id, "arn": key.arn, "alias": "alias/orders", "alias ARN": f"{prefix}alias/orders"}[name]
    assert key.arn == kms.client.derive_shared_secret(**request(key, key.public_key, KeyId=called))["KeyId"]


@each_spec
def test_both_sides_have_the_same_secret(kms: FakeKMS, spec: str) -> None:
    """Each with its own private key, and the public key that GetPublicKey tells of the other."""
    one, other, third = (agreeing_key(kms, spec) for _ in range(3))
    publics = {key: kms.client.get_public_key(KeyId=key.id)["PublicKey"] for key in (one, other, third)}
    secrets = {(key, peer): secret_of(kms, key, publics[peer]) for key, peer in permutations(publics, 2)}
    assert secrets[one, other] == secrets[other, one]
    assert secrets[one, third] == secrets[third, one]
    assert 3 == len(set(secrets.values()))


@each_spec
def test_a_key_may_agree_with_itself(kms: FakeKMS, spec: str) -> None:
    """Its own public key is one like any other, and gives the same secret each time."""
    key = agreeing_key(kms, spec)
    assert secret_of(kms, key, key.public_key) == secret_of(kms, key, key.public_key)


@needs_enclave
def test_an_enclave_gets_the_secret_sealed(kms: FakeKMS) -> None:
    """With a Recipient the answer has CiphertextForRecipient instead."""
    key, peer = agreeing_key(kms, "ECC_NIST_P256"), agreeing_key(kms, "ECC_NIST_P256")
    enclave = kms.enclave()
    answer = members_of(kms.client.derive_shared_secret(**request(key, peer.public_key, Recipient=enclave.recipient)))
    assert secret_of(kms, key, peer.public_key) == enclave.open(answer.pop("CiphertextForRecipient"))
    assert {"KeyId": key.arn, "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"} == answer


# What kind of secret it is


@each_curve
def test_the_secret_is_the_raw_coordinate(kms: FakeKMS, spec: str) -> None:
    """As `cryptography` has it: nothing is derived from it."""
    key = agreeing_key(kms, spec)
    private = ec.generate_private_key(CURVES[spec])
    public: Any = load_der_public_key(kms.client.get_public_key(KeyId=key.id)["PublicKey"])
    assert private.exchange(ec.ECDH(), public) == secret_of(kms, key, spki(private))


@each_curve
def test_a_secret_keeps_its_leading_zeros(kms: FakeKMS, spec: str) -> None:
    """With the private key 1 the secret is the x coordinate of the peer: here one that begins with a zero."""
    curve = CURVES[spec]
    one = ec.derive_private_key(1, curve)
    # The first byte of P-521's coordinates is always 0 or 1.
    peers = (ec.derive_private_key(number, curve) for number in range(2, 10_000))
    peer = next(each for each in peers if each.public_key().public_numbers().x >> 8 * (SECRET_BYTES[spec] - 1) == 0)
    key = agreeing_key(kms, spec, material=one.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    secret = secret_of(kms, key, spki(peer))
    assert peer.public_key().public_numbers().x.to_bytes(SECRET_BYTES[spec], "big") == secret


@needs_openssl
@each_curve
def test_openssl_derives_the_same_secret(kms: FakeKMS, tmp_path: Path, spec: str) -> None:
    """With a private key of its own, and the public key as GetPublicKey tells it."""
    private, peer = tmp_path / "private.pem", tmp_path / "peer.pem"
    private.write_bytes(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:P-{spec[-3:]}"))
    public = openssl("pkey", "-in", str(private), "-pubout", "-outform", "DER")
    key = agreeing_key(kms, spec)
    told = kms.client.get_public_key(KeyId=key.id)["PublicKey"]
    peer.write_bytes(openssl("pkey", "-pubin", "-inform", "DER", stdin=told))
    derived = openssl("pkeyutl", "-derive", "-inkey", str(private), "-peerkey", str(peer))
    assert derived == secret_of(kms, key, public)


# Public keys that are refused


PRIVATE = {spec: ec.derive_private_key(7, curve) for spec, curve in CURVES.items()}
ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "one byte": lambda _: b"\0",
    "half a header": lambda _: b"\x30",
    "no content": lambda _: b"\x30\x00",
    "text": lambda _: b"public key",
    "cut": lambda public: public[:-1],
    "longer": lambda public: public + b"\0",
    "not on the curve": lambda public: public[:-1] + bytes((public[-1] ^ 1,)),
    "another type": lambda public: b"\x31" + public[1:],
    "8192 bytes": lambda public: public.ljust(8192, b"\0"),
}


def refused(kms: FakeKMS, key: Key, peer: bytes) -> bool:
    """Say whether a public key is refused, by a dry run as well; the trail names the spec that was expected."""
    for more in ({}, {"DryRun": True}):
        if error_of(kms.client, "derive_shared_secret", **request(key, peer, **more)) != NO_MESSAGE:
            return False
        assert kms.trail.last.why.startswith(f"the PublicKey is none of {key.spec}: ")
    return True


@each_spec
def test_bytes_that_are_no_public_key(kms: FakeKMS, spec: str) -> None:
    """Whatever is wrong with it, the error has no message."""
    key, peer = agreeing_key(kms, spec), agreeing_key(kms, spec)
    for alteration, altered in ALTERATIONS.items():
        assert refused(kms, key, altered(peer.public_key)), alteration


@pytest.mark.parametrize("form", ["PEM", "point", "private key"])
@each_curve
def test_a_public_key_in_another_form(kms: FakeKMS, spec: str, form: str) -> None:
    """AWS takes SubjectPublicKeyInfo in DER."""
    private = PRIVATE[spec]
    forms = {
        "PEM": private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "point": private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "private key": private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    }
    assert refused(kms, agreeing_key(kms, spec), forms[form])


@pytest.mark.parametrize(
    ("spec", "other"),
    [
        *permutations(CURVES, 2),
        ("ECC_NIST_P256", "ECC_SECG_P256K1"),
        *(pytest.param("ECC_NIST_P256", "SM2", marks=needs_sm2), pytest.param("SM2", "ECC_NIST_P256", marks=needs_sm2)),
    ],
)
def test_a_public_key_of_another_curve(kms: FakeKMS, spec: str, other: str) -> None:
    """Even of one of the same length."""
    usage = "SIGN_VERIFY" if other == "ECC_SECG_P256K1" else "KEY_AGREEMENT"
    assert refused(kms, agreeing_key(kms, spec), kms.create_key(spec=other, usage=usage).public_key)


OTHER_KINDS: dict[str, Callable[[], Any]] = {
    "X25519": x25519.X25519PrivateKey.generate,
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_public_key_of_another_kind(kms: FakeKMS, kind: str) -> None:
    """What `cryptography` can read, and does not agree with a curve of NIST."""
    assert refused(kms, agreeing_key(kms, "ECC_NIST_P256"), spki(OTHER_KINDS[kind]()))


@needs_openssl
@pytest.mark.parametrize(
    "make",
    [
        "genpkey -algorithm DH -pkeyopt group:ffdhe2048",
        "genpkey -algorithm X448",
        "ecparam -name sect233k1 -genkey -noout",
        "ecparam -name prime192v1 -genkey -noout",
        "ecparam -name prime256v1 -genkey -noout -param_enc explicit",
    ],
    ids=["Diffie-Hellman", "X448", "binary curve", "short curve", "curve without a name"],
)
def test_a_public_key_of_a_kind_that_is_out_of_use(kms: FakeKMS, make: str) -> None:
    """It is refused in the same words, though libraries warn of it or cannot read it."""
    public = openssl("pkey", "-pubout", "-outform", "DER", stdin=openssl(*make.split()))
    assert refused(kms, agreeing_key(kms, "ECC_NIST_P256"), public)


# What else is refused


@pytest.mark.parametrize(
    ("peer", "violation"),
    [
        pytest.param(
            {"PublicKey": b"x" * 8193},
            "Value at 'publicKey' failed to satisfy constraint: Member must have length less than or equal to 8192",
            id="8193 bytes",
        ),
        pytest.param(
            {"PublicKey": b""},
            "Value at 'publicKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
            id="no bytes",
        ),
        pytest.param(
            {}, "Value null at 'publicKey' failed to satisfy constraint: Member must not be null", id="missing"
        ),
    ],
)
def test_a_public_key_has_1_to_8192_bytes(kms: FakeKMS, peer: dict[str, bytes], violation: str) -> None:
    """The limits are told before the key is looked for."""
    assert invalid(violation) == error_of(
        unchecked(kms), "derive_shared_secret", KeyId=UNKNOWN, KeyAgreementAlgorithm="ECDH", **peer
    )


def test_an_algorithm_that_aws_does_not_know(kms: FakeKMS) -> None:
    """There is one."""
    key = agreeing_key(kms, "ECC_NIST_P256")
    assert invalid(
        "Value 'INVALID' at 'keyAgreementAlgorithm' failed to satisfy constraint:"
        " Member must satisfy enum value set: [ECDH]"
    ) == error_of(
        unchecked(kms), "derive_shared_secret", **request(key, key.public_key, KeyAgreementAlgorithm="INVALID")
    )


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("ECC_SECG_P256K1", "SIGN_VERIFY"),
    ],
)
def test_a_key_for_other_work_is_refused(kms: FakeKMS, spec: str, usage: str, state: str) -> None:
    """Usage comes before state, and before the public key."""
    key = kms.create_key(spec=spec, usage=usage, state=state)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"{key.arn} key usage is {usage} which is not valid for DeriveSharedSecret.",
    } == error_of(kms.client, "derive_shared_secret", **request(key, b"x"))


@pytest.mark.parametrize("state", UNUSABLE)
def test_a_key_is_refused_in_a_state(kms: FakeKMS, state: str) -> None:
    """The message names the key and its state, before a bad public key."""
    key = agreeing_key(kms, "ECC_NIST_P256", state=state)
    for peer in (key.public_key, b"x"):
        assert unfit(key.arn, state) == error_of(kms.client, "derive_shared_secret", **request(key, peer))


def test_a_key_that_is_updating_works(kms: FakeKMS) -> None:
    """That state keeps nobody from agreeing."""
    key = agreeing_key(kms, "ECC_NIST_P256", state="Updating")
    assert 32 == len(secret_of(kms, key, key.public_key))


def test_an_unknown_key_is_told(kms: FakeKMS) -> None:
    """Before a bad public key."""
    arn = f"arn:aws-cn:kms:cn-north-1:123456789012:key/{UNKNOWN}"
    assert {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"} == error_of(
        kms.client, "derive_shared_secret", KeyId=UNKNOWN, KeyAgreementAlgorithm="ECDH", PublicKey=b"x"
    )


# Dry runs


@each_spec
def test_a_dry_run(kms: FakeKMS, spec: str) -> None:
    """It would have succeeded; that of a bad public key is above."""
    key = agreeing_key(kms, spec)
    assert WOULD_SUCCEED == error_of(kms.client, "derive_shared_secret", **request(key, key.public_key, DryRun=True))


def test_a_dry_run_that_would_have_failed(kms: FakeKMS) -> None:
    """It fails as the call itself would."""
    key = agreeing_key(kms, "ECC_NIST_P256", state="Disabled")
    assert unfit(key.arn, "Disabled") == error_of(
        kms.client, "derive_shared_secret", **request(key, key.public_key, DryRun=True)
    )


# The trail


def test_the_trail_knows_no_secret(kms: FakeKMS) -> None:
    """An event tells the key and the algorithm, and how it ended."""
    key = agreeing_key(kms, "ECC_NIST_P256", "orders")
    secret = kms.client.derive_shared_secret(**request(key, key.public_key, KeyId="alias/orders"))["SharedSecret"]
    error_of(kms.client, "derive_shared_secret", **request(key, b"sesame", KeyId="alias/orders"))
    told = {"KeyId": "alias/orders", "KeyAgreementAlgorithm": "ECDH"}
    assert [
        ("DeriveSharedSecret", told, key.arn, None, True, True),
        ("DeriveSharedSecret", told, key.arn, "ValidationException", True, True),
    ] == [
        (event.operation, event.parameters, event.key, event.error, event.read_only, event.cryptographic)
        for event in kms.trail
    ]
    assert str(secret)[2:-1] not in repr(list(kms.trail))
    assert "sesame" not in repr(list(kms.trail))
    kms.assert_used(key, "DeriveSharedSecret", times=1)


# Properties


@pytest.mark.kms(quotas=False)
@each_curve
def test_any_two_keys_agree(kms: FakeKMS, spec: str) -> None:
    """Whatever their private keys are: with each other, and with `cryptography`."""
    curve = CURVES[spec]
    numbers = st.integers(1, 2 ** (curve.key_size - 1)) | st.integers(1, 3)

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(one=numbers, other=numbers)
    def agree(one: int, other: int) -> None:
        privates = [ec.derive_private_key(number, curve) for number in (one, other)]
        keys = [
            agreeing_key(kms, spec, material=private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
            for private in privates
        ]
        secrets = {
            secret_of(kms, keys[0], keys[1].public_key),
            secret_of(kms, keys[1], keys[0].public_key),
            privates[0].exchange(ec.ECDH(), privates[1].public_key()),
        }
        assert 1 == len(secrets)

    agree()


@needs_sm2
def test_any_two_sm2_keys_agree(kms: FakeKMS) -> None:
    """A few of them: SM2 is plain Python, and slow."""
    keys = [agreeing_key(kms, "SM2") for _ in range(4)]
    for one, other in permutations(keys, 2):
        assert secret_of(kms, one, other.public_key) == secret_of(kms, other, one.public_key)
