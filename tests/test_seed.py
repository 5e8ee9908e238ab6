"""A seed makes a fake repeat itself: keys, ciphertexts, data keys, and what AWS too computes the same each time."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from optional import needs_enclave, needs_ml_dsa, needs_sm2

from pytest_kms import FakeKMS, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import Event

SPECS = (
    *("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096"),
    *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"),
    *("ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "SM2"),
)
PAIRS = ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519")


def marked(spec: str) -> Any:
    """Return the parameter of a test of a key spec, skipped where its library is not installed."""
    marks = {"ML_D": [needs_ml_dsa], "SM2": [needs_sm2]}
    return pytest.param(spec, marks=marks.get(spec[:4], []))


def signature(client: KMSClient, key_id: str, algorithm: Any) -> bytes:
    """Sign a message."""
    return client.sign(KeyId=key_id, Message=b"order", SigningAlgorithm=algorithm)["Signature"]


def drawn(kms: FakeKMS) -> dict[str, str]:
    """Return what a seed repeats, as text."""
    kms.quotas.off()
    client = kms.client
    key = kms.create_key("orders")
    rsa, edwards = kms.create_key(spec="RSA_2048", usage="SIGN_VERIFY"), kms.create_key(spec="ECC_NIST_EDWARDS25519")
    mac, agreement = kms.create_key(spec="HMAC_256"), kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT")
    made = client.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    encrypted = client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionContext={"b": "2", "a": "1"})
    data_key = client.generate_data_key(KeyId=key.id, KeySpec="AES_256")
    things: dict[str, str | bytes] = {
        "key id": key.id,
        "id of a key of the application": made,
        "public key of the application": client.get_public_key(KeyId=made)["PublicKey"],
        "ciphertext": encrypted["CiphertextBlob"],
        "ciphertext of the test": kms.encrypt(key, b"secret"),
        "ciphertext encrypted again": client.re_encrypt(
            CiphertextBlob=data_key["CiphertextBlob"], DestinationKeyId=key.id
        )["CiphertextBlob"],
        "data key": data_key["Plaintext"],
        "encrypted data key": data_key["CiphertextBlob"],
        "random bytes": client.generate_random(NumberOfBytes=32)["Plaintext"],
        "RSA signature": signature(client, rsa.id, "RSASSA_PKCS1_V1_5_SHA_256"),
        "Ed25519 signature": signature(client, edwards.id, "ED25519_SHA_512"),
        "MAC": client.generate_mac(KeyId=mac.id, Message=b"order", MacAlgorithm="HMAC_SHA_256")["Mac"],
        "shared secret": client.derive_shared_secret(
            KeyId=agreement.id, KeyAgreementAlgorithm="ECDH", PublicKey=agreement.public_key
        )["SharedSecret"],
    }
    for spec in PAIRS:
        pair = client.generate_data_key_pair(KeyId=key.id, KeyPairSpec=spec)  # type: ignore[arg-type]
        things[f"private key {spec}"] = pair["PrivateKeyPlaintext"]
        things[f"encrypted private key {spec}"] = pair["PrivateKeyCiphertextBlob"]
        things[f"public key {spec}"] = pair["PublicKey"]
    return {name: thing if isinstance(thing, str) else thing.hex() for name, thing in things.items()}


def drawn_with(seed: int | str | None) -> dict[str, str]:
    """Return what a new fake of a seed draws."""
    with fake_kms(region="us-east-1", seed=seed) as kms:
        return drawn(kms)


def material_with(seed: int, spec: str) -> bytes:
    """Return the material of a key of a spec, in a new fake of a seed."""
    with fake_kms(region="cn-north-1", seed=seed) as kms:
        return kms.create_key(spec=spec).material


@pytest.mark.parametrize("seed", [0, 7, "orders"])
def test_two_fakes_of_a_seed_are_alike(seed: int | str) -> None:
    """To the byte."""
    assert drawn_with(seed) == drawn_with(seed)


@pytest.mark.parametrize(("one", "other"), [(7, 8), ("orders", "invoices"), (7, "7.0")])
def test_two_fakes_of_other_seeds_have_nothing_in_common(one: int | str, other: int | str) -> None:
    """Every thing that is drawn is another."""
    first, second = drawn_with(one), drawn_with(other)
    assert [] == [name for name in first if first[name] == second[name]]


@pytest.mark.parametrize("other", [None, 7])
def test_without_a_seed_nothing_repeats(other: int | None) -> None:
    """But for RSA keys, which are few: two fakes may now and then draw the same."""
    first, second = drawn_with(None), drawn_with(other)
    alike = [name for name in first if first[name] == second[name]]
    assert [] == [name for name in alike if "RSA" not in name]


@pytest.mark.kms(region="us-east-1", seed=7)
def test_the_marker_seeds_the_fixture(kms: FakeKMS) -> None:
    """As `fake_kms(seed=7)` does."""
    assert drawn_with(7) == drawn(kms)


@pytest.mark.kms(region="us-east-1", seed=7)
def test_a_reset_begins_again(kms: FakeKMS) -> None:
    """With the first key of the seed."""
    first = drawn(kms)
    kms.reset()
    assert first == drawn(kms)


def test_a_seed_is_a_number_or_its_text() -> None:
    """An ini file has no numbers."""
    assert drawn_with(7) == drawn_with("7")


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_draws_the_same(hash_seed: str) -> None:
    """Whatever Python hashes strings to there."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, test_seed; print(json.dumps(test_seed.drawn_with(7)))"],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert drawn_with(7) == json.loads(done.stdout)


@pytest.mark.parametrize("spec", [marked(spec) for spec in SPECS])
def test_a_seed_repeats_the_material_of_a_key(spec: str) -> None:
    """Of every spec."""
    first, same, other = (material_with(seed, spec) for seed in (7, 7, 8))
    assert first == same
    assert first != other


def test_what_is_used_first_makes_no_difference() -> None:
    """A key is made of its id: neither other keys nor calls in between change it."""
    specs = ("ECC_NIST_P256", "HMAC_256", "RSA_2048")
    with fake_kms(region="us-east-1", seed=7) as kms:
        keys = [kms.create_key(spec=spec) for spec in specs]
        in_order = [key.material for key in keys]
    with fake_kms(region="us-east-1", seed=7) as kms:
        keys = [kms.create_key(spec=spec) for spec in specs]
        kms.client.generate_random(NumberOfBytes=100)
        kms.encrypt(kms.create_key(), b"secret")
        assert in_order[::-1] == [key.material for key in keys[::-1]]


@pytest.mark.kms(region="us-east-1", seed=7)
def test_a_seed_does_not_repeat_what_the_library_draws(kms: FakeKMS) -> None:
    """RSA's ciphertexts, and the signatures that have a random part, differ as AWS's do; all of them are good."""
    key = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    signer = kms.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    one, other = kms.encrypt(key, b"secret"), kms.encrypt(key, b"secret")
    assert one != other
    assert kms.decrypt(one, key=key) == kms.decrypt(other, key=key)
    assert signature(kms.client, signer.id, "ECDSA_SHA_256") != signature(kms.client, signer.id, "ECDSA_SHA_256")


@needs_enclave
def test_an_enclave_changes_nothing_that_was_drawn_before() -> None:
    """Two fakes that both have one are alike all the same."""
    made = []
    for _ in range(2):
        with fake_kms(region="us-east-1", seed=7) as kms:
            made.append((kms.create_key().id, kms.enclave().module_id, kms.create_key().id))
    assert made[0] == made[1]


# what retries wait


def trail_of(seed: int, mode: str) -> list[Event]:
    """Return the trail of an application that meets one failure after the other, as it would be printed."""
    retries: Any = {"mode": mode}
    with fake_kms(region="us-east-1", seed=seed) as kms:
        kms.clock.freeze()
        key = kms.create_key("orders")
        client = kms.client_for(config=Config(retries=retries))
        kms.quotas["Encrypt"] = 1
        kms.latency(0.05, "Decrypt")
        kms.fail(None, "ReadTimeoutError", after=4)
        kms.fail(None, "EndpointConnectionError", times=7, after=3)
        for number in range(12):
            with contextlib.suppress(ClientError, BotoCoreError):
                blob = client.encrypt(KeyId=key.id, Plaintext=b"secret", EncryptionContext={"number": str(number)})
                client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"number": str(number)})
        return list(kms.trail)


def waits_of(seed: int, mode: str) -> list[list[float]]:
    """Return what was waited before each attempt, to the last bit."""
    return [[attempt.delay for attempt in event.attempts] for event in trail_of(seed, mode)]


MODES = ["legacy", "standard", "adaptive"]


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_repeats_the_trail(mode: str) -> None:
    """With all waits and times, where the wall clock says the same; another seed has others."""
    with time_machine.travel("2031-01-01 12:00:00.7", tick=False):
        first, same, other = (trail_of(seed, mode) for seed in (7, 7, 8))

    assert first == same
    assert [event.waited for event in first] != [event.waited for event in other]
    assert 5 < sum(event.retries for event in first)


@pytest.mark.parametrize("mode", MODES)
def test_waits_do_not_depend_on_when_it_is(mode: str) -> None:
    """Neither on the second of the day, nor on where in a second a test begins."""
    waits = []
    for moment in ("2026-03-01 00:00:00", "2031-01-01 12:59:59.999", "2026-11-25 08:00:00.5"):
        with time_machine.travel(moment, tick=False):
            waits.append(waits_of(7, mode))

    assert waits[0] == waits[1] == waits[2]


def test_another_process_waits_the_same() -> None:
    """In each mode."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, test_seed as t; print(json.dumps([t.waits_of(7, m) for m in t.MODES]))"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [waits_of(7, mode) for mode in MODES] == json.loads(done.stdout)


def test_jitter_takes_nothing_from_what_is_drawn() -> None:
    """Keys are the same, however often was tried again."""
    ids = []
    for times in (0, 3):
        with fake_kms(region="us-east-1", seed=7) as kms:
            for _ in range(times):
                kms.throttle("ListKeys")
                kms.client.list_keys()
            ids.append(kms.create_key().id)
    assert ids[0] == ids[1]
