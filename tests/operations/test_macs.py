"""GenerateMac and VerifyMac work as AWS's do, with HMAC keys of every length."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from answers import UNKNOWN, UNUSABLE, error_of, invalid, members_of, unchecked, unfit
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs_openssl, openssl

from pytest_kms import FakeKMS, Key

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import MacAlgorithmSpecType

pytestmark = pytest.mark.kms(region="us-east-1")

ALGORITHMS: dict[str, MacAlgorithmSpecType] = {
    "HMAC_224": "HMAC_SHA_224",
    "HMAC_256": "HMAC_SHA_256",
    "HMAC_384": "HMAC_SHA_384",
    "HMAC_512": "HMAC_SHA_512",
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "HMAC_224": hashes.SHA224(),
    "HMAC_256": hashes.SHA256(),
    "HMAC_384": hashes.SHA384(),
    "HMAC_512": hashes.SHA512(),
}
INVALID_MAC = {"Code": "KMSInvalidMacException", "Message": ""}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
MESSAGE = b"attack at dawn"
MATERIAL = bytes(range(1, 65))

each_spec = pytest.mark.parametrize("spec", ALGORITHMS)
METHODS = {"generate_mac": "GenerateMac", "verify_mac": "VerifyMac"}
each_method = pytest.mark.parametrize("method", METHODS)


def bytes_of(spec: str) -> int:
    """Return the length of a MAC, and of the key that AWS makes for it."""
    return int(spec[-3:]) // 8


def of_verify(method: str, mac: bytes = b"x") -> dict[str, bytes]:
    """Return the member that VerifyMac has and GenerateMac has not."""
    return {"Mac": mac} if method == "verify_mac" else {}


def request(key: Key, message: bytes = MESSAGE, **members: object) -> dict[str, Any]:
    """Return the members of a call of GenerateMac."""
    return {"KeyId": key.id, "MacAlgorithm": ALGORITHMS[key.spec], "Message": message, **members}


def mac_by(kms: FakeKMS, key: Key, message: bytes = MESSAGE) -> bytes:
    """Return the MAC of a message."""
    return kms.client.generate_mac(**request(key, message))["Mac"]


def flipped(data: bytes, bit: int) -> bytes:
    """Change one bit, counted from the left and round again."""
    altered = bytearray(data)
    place = bit % (8 * len(data))
    altered[place // 8] ^= 0x80 >> place % 8
    return bytes(altered)


# What is answered


@each_spec
def test_generate_mac_answers_mac_algorithm_and_key(kms: FakeKMS, spec: str) -> None:
    """The key is named by its ARN; the MAC is as long as the hash."""
    key = kms.create_key("orders", spec=spec)
    answer = members_of(kms.client.generate_mac(**request(key, KeyId="alias/orders")))
    mac = answer.pop("Mac")
    assert {"KeyId": key.arn, "MacAlgorithm": ALGORITHMS[spec]} == answer
    assert bytes_of(spec) == len(mac)


@each_spec
def test_verify_mac_answers_key_and_algorithm(kms: FakeKMS, spec: str) -> None:
    """A MAC is valid, or an error: MacValid is never false."""
    key = kms.create_key("orders", spec=spec)
    call = request(key, KeyId="alias/orders")
    assert {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": ALGORITHMS[spec]} == members_of(
        kms.client.verify_mac(**call, Mac=mac_by(kms, key))
    )


@pytest.mark.parametrize("name", ["id", "arn", "alias", "alias ARN"])
def test_a_key_goes_by_four_names(kms: FakeKMS, name: str) -> None:
    """Both operations answer its ARN, whatever it was called."""
    key = kms.create_key("orders", spec="HMAC_256")
    prefix, _, _ = key.arn.partition("key/")
    called = {"id": key.id, "arn": key.arn, "alias": "alias/orders", "alias ARN": f"{prefix}alias/orders"}[name]
    made = kms.client.generate_mac(**request(key, KeyId=called))
    verified = kms.client.verify_mac(**request(key, KeyId=called), Mac=made["Mac"])
    assert [key.arn] * 2 == [made["KeyId"], verified["KeyId"]]


@each_spec
def test_a_mac_repeats_and_is_its_key_s_alone(kms: FakeKMS, spec: str) -> None:
    """One message has one MAC by a key, and another by another."""
    key, other = kms.create_key(spec=spec), kms.create_key(spec=spec)
    assert mac_by(kms, key) == mac_by(kms, key) != mac_by(kms, other)


@pytest.mark.parametrize("size", [1, 4096])
def test_a_message_has_1_to_4096_bytes(kms: FakeKMS, size: int) -> None:
    """Both ends of the range have a MAC."""
    key = kms.create_key(spec="HMAC_512")
    kms.client.verify_mac(**request(key, b"\xff" * size), Mac=mac_by(kms, key, b"\xff" * size))


# What kind of MAC it is


@each_spec
def test_a_mac_is_that_of_everyone(kms: FakeKMS, spec: str) -> None:
    """Whoever has the key computes the same: Python and `cryptography`, with material given to the fake."""
    material = MATERIAL[: bytes_of(spec)]
    key = kms.create_key(spec=spec, material=material)
    mac = mac_by(kms, key)
    library = HMAC(material, HASHES[spec])
    library.update(MESSAGE)
    library.verify(mac)
    assert hmac.digest(material, MESSAGE, f"sha{spec[-3:]}") == mac


@needs_openssl
@each_spec
def test_openssl_computes_the_same(kms: FakeKMS, tmp_path: Path, spec: str) -> None:
    """From the same material."""
    material = MATERIAL[: bytes_of(spec)]
    key = kms.create_key(spec=spec, material=material)
    message = tmp_path / "message"
    message.write_bytes(MESSAGE)
    parameters = ["-digest", f"SHA{spec[-3:]}", "-macopt", f"hexkey:{material.hex()}", "-in", str(message)]
    assert openssl("mac", *parameters, "-binary", "HMAC") == mac_by(kms, key)


# What is no MAC


@each_spec
def test_a_mac_of_another_message_is_none(kms: FakeKMS, spec: str) -> None:
    """The error has no message, and the trail says why."""
    key = kms.create_key("orders", spec=spec)
    call = request(key, b"attack at dusk", Mac=mac_by(kms, key))
    assert INVALID_MAC == error_of(kms.client, "verify_mac", **call)
    assert (
        f"the MAC is not that of this message by alias/orders with {ALGORITHMS[spec]};"
        " call 1, GenerateMac, made it of another Message"
    ) == kms.trail.last.why


@each_spec
def test_a_mac_by_another_key_is_none(kms: FakeKMS, spec: str) -> None:
    """Keys of one spec do not verify each other's MACs."""
    key, other = kms.create_key(spec=spec), kms.create_key(spec=spec)
    assert INVALID_MAC == error_of(kms.client, "verify_mac", **request(other), Mac=mac_by(kms, key))


@each_spec
def test_altered_bytes_are_no_mac(kms: FakeKMS, spec: str) -> None:
    """Any 1 to 6,144 bytes may be asked about; what has a wrong length is a bad MAC as well."""
    key = kms.create_key(spec=spec)
    mac = mac_by(kms, key)
    altered = {
        "first bit": flipped(mac, 0),
        "last bit": flipped(mac, 8 * len(mac) - 1),
        "cut": mac[:-1],
        "half": mac[: len(mac) // 2],
        "longer": mac + b"\0",
        "zeros": bytes(len(mac)),
        "one byte": mac[:1],
        "6144 bytes": mac.ljust(6144, b"\0"),
        "hexadecimal": mac.hex().encode(),
    }
    for change, bad in altered.items():
        assert INVALID_MAC == error_of(kms.client, "verify_mac", **request(key), Mac=bad), change


# What is refused


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
    """What it was is never shown, and the key is not looked for."""
    members = {} if message is None else {"Message": message}
    assert invalid(f"Value at 'message' failed to satisfy constraint: Member must {constraint}") == error_of(
        unchecked(kms), method, KeyId=UNKNOWN, MacAlgorithm="HMAC_SHA_256", **members, **of_verify(method)
    )


@pytest.mark.parametrize(
    ("mac", "violation"),
    [
        pytest.param(
            {"Mac": b"x" * 6145},
            "Value at 'mac' failed to satisfy constraint: Member must have length less than or equal to 6144",
            id="6145 bytes",
        ),
        pytest.param(
            {"Mac": b""},
            "Value at 'mac' failed to satisfy constraint: Member must have length greater than or equal to 1",
            id="no bytes",
        ),
        pytest.param({}, "Value null at 'mac' failed to satisfy constraint: Member must not be null", id="missing"),
    ],
)
def test_a_mac_has_1_to_6144_bytes(kms: FakeKMS, mac: dict[str, bytes], violation: str) -> None:
    """Other lengths are no matter of the key."""
    key = kms.create_key(spec="HMAC_256")
    assert invalid(violation) == error_of(unchecked(kms), "verify_mac", **request(key), **mac)


@each_method
def test_an_algorithm_that_aws_does_not_know(kms: FakeKMS, method: str) -> None:
    """It is told which there are."""
    key = kms.create_key(spec="HMAC_256")
    assert invalid(
        "Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set:"
        " [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]"
    ) == error_of(unchecked(kms), method, **request(key, MacAlgorithm="INVALID"), **of_verify(method))


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [(spec, algorithm) for spec in ALGORITHMS for algorithm in ALGORITHMS.values() if ALGORITHMS[spec] != algorithm],
)
@each_method
def test_an_algorithm_of_another_spec_is_refused(kms: FakeKMS, method: str, spec: str, algorithm: str) -> None:
    """A key of each spec has one algorithm."""
    key = kms.create_key(spec=spec)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"Algorithm {algorithm} is incompatible with key spec {spec}.",
    } == error_of(kms.client, method, **request(key, MacAlgorithm=algorithm), **of_verify(method))


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ],
)
@each_method
def test_a_key_for_other_work_is_refused(kms: FakeKMS, method: str, spec: str, usage: str, state: str) -> None:
    """Usage comes before state."""
    key = kms.create_key(spec=spec, usage=usage, state=state)
    assert {
        "Code": "InvalidKeyUsageException",
        "Message": f"{key.arn} key usage is {usage} which is not valid for {METHODS[method]}.",
    } == error_of(kms.client, method, KeyId=key.id, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE, **of_verify(method))


@pytest.mark.parametrize("algorithm", ["HMAC_SHA_256", "HMAC_SHA_512"], ids=["in order", "algorithm"])
@pytest.mark.parametrize("state", UNUSABLE)
@each_method
def test_a_key_is_refused_in_a_state(kms: FakeKMS, method: str, state: str, algorithm: str) -> None:
    """The message names the key and its state, before an algorithm that does not fit and a bad MAC."""
    key = kms.create_key(spec="HMAC_256", state=state)
    assert unfit(key.arn, state) == error_of(
        kms.client, method, **request(key, MacAlgorithm=algorithm), **of_verify(method)
    )


def test_a_key_that_is_updating_works(kms: FakeKMS) -> None:
    """That state keeps nobody from making MACs."""
    key = kms.create_key(spec="HMAC_256", state="Updating")
    kms.client.verify_mac(**request(key), Mac=mac_by(kms, key))


@each_method
def test_an_unknown_key_is_told(kms: FakeKMS, method: str) -> None:
    """By the ARN that it would have."""
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{UNKNOWN}"
    assert {"Code": "NotFoundException", "Message": f"Key '{arn}' does not exist"} == error_of(
        kms.client, method, KeyId=UNKNOWN, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE, **of_verify(method)
    )


# Dry runs


@each_spec
def test_a_dry_run(kms: FakeKMS, spec: str) -> None:
    """What would have succeeded is told as such; a bad MAC is one."""
    key = kms.create_key(spec=spec)
    mac = mac_by(kms, key)
    call = request(key, DryRun=True)
    assert WOULD_SUCCEED == error_of(kms.client, "generate_mac", **call)
    assert WOULD_SUCCEED == error_of(kms.client, "verify_mac", **call, Mac=mac)
    assert INVALID_MAC == error_of(kms.client, "verify_mac", **call, Mac=flipped(mac, 9))


@pytest.mark.parametrize(
    ("state", "members", "answered"),
    [
        ("Disabled", {}, {"Code": "DisabledException", "Message": "{arn} is disabled."}),
        (
            "Enabled",
            {"MacAlgorithm": "HMAC_SHA_512"},
            {
                "Code": "InvalidKeyUsageException",
                "Message": "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
            },
        ),
    ],
    ids=["state", "algorithm"],
)
@each_method
def test_a_dry_run_that_would_have_failed(
    kms: FakeKMS, method: str, state: str, members: dict[str, str], answered: dict[str, str]
) -> None:
    """It fails as the call itself would."""
    key = kms.create_key(spec="HMAC_256", state=state)
    expected = {name: value.format(arn=key.arn) for name, value in answered.items()}
    assert expected == error_of(kms.client, method, **{**request(key, DryRun=True), **members}, **of_verify(method))


# The trail


def test_the_trail_knows_no_message_and_no_mac(kms: FakeKMS) -> None:
    """An event tells the key and the algorithm, as CloudTrail does, and how it ended."""
    key = kms.create_key("orders", spec="HMAC_256")
    call = request(key, KeyId="alias/orders")
    kms.client.verify_mac(**call, Mac=kms.client.generate_mac(**call)["Mac"])
    error_of(kms.client, "verify_mac", **call, Mac=b"sesame")
    told = {"KeyId": "alias/orders", "MacAlgorithm": "HMAC_SHA_256"}
    assert [
        ("GenerateMac", told, key.arn, None, True, True),
        ("VerifyMac", told, key.arn, None, True, True),
        ("VerifyMac", told, key.arn, "KMSInvalidMacException", True, True),
    ] == [
        (event.operation, event.parameters, event.key, event.error, event.read_only, event.cryptographic)
        for event in kms.trail
    ]
    shown = repr(list(kms.trail))
    assert MESSAGE.decode() not in shown
    assert "sesame" not in shown
    kms.assert_used(key, "GenerateMac", times=1)


# Properties


@pytest.mark.kms(quotas=False)
@each_spec
def test_a_mac_is_that_of_its_message_and_key_alone(kms: FakeKMS, spec: str) -> None:
    """Any message, by a key of any material; not one with a changed bit, nor a changed MAC, nor by another key."""
    size = bytes_of(spec)

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(
        material=st.binary(min_size=size, max_size=size),
        message=st.one_of(st.binary(min_size=1, max_size=64), st.integers(1, 4096).map(lambda size: b"x" * size)),
        bit_of_message=st.integers(0, 8 * 4096),
        bit_of_mac=st.integers(0, 8 * 64),
    )
    def holds(material: bytes, message: bytes, bit_of_message: int, bit_of_mac: int) -> None:
        key, other = kms.create_key(spec=spec, material=material), kms.create_key(spec=spec)
        mac = mac_by(kms, key, message)
        assert hmac.new(material, message, getattr(hashlib, f"sha{spec[-3:]}")).digest() == mac
        assert kms.client.verify_mac(**request(key, message), Mac=mac)["MacValid"]
        for call in (
            request(key, flipped(message, bit_of_message), Mac=mac),
            request(key, message, Mac=flipped(mac, bit_of_mac)),
            request(other, message, Mac=mac),
        ):
            assert INVALID_MAC == error_of(kms.client, "verify_mac", **call)

    holds()
