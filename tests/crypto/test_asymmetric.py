"""Encryption under public keys: whatever fits comes back, and nothing else opens."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs_sm2

from pytest_kms.crypto import asymmetric, material
from pytest_kms.crypto.rsa_pool import Pool
from pytest_kms.crypto.specs import SPECS
from pytest_kms.crypto.symmetric import Unreadable

LONGEST = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214,
    ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342,
    ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470,
    ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
    ("SM2", "SM2PKE"): 1024,
}
RSA_ALGORITHMS = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")


def marked(spec: str, *values: object) -> Any:
    """Return the parameters of a test of a key spec, skipped where its library is not installed."""
    return pytest.param(spec, *values, marks=[needs_sm2] if spec == "SM2" else [])


each_algorithm = pytest.mark.parametrize(("spec", "algorithm"), [marked(*case) for case in LONGEST])
# Private keys of RSA_4096 are slow, and differ in nothing that is looked at here.
each_quick_algorithm = pytest.mark.parametrize(
    ("spec", "algorithm"), [marked(*case) for case in LONGEST if case[0] in ("RSA_2048", "SM2")]
)
quickly = settings(max_examples=25, deadline=None, database=None, derandomize=True)


@cache
def key_of(spec: str, number: int = 0) -> bytes:
    """Make the material of a key of a spec; `number` tells several apart."""
    return material.derive(SPECS[spec], bytes([number]) * material.SECRET_BYTES, Pool())


def sealed(spec: str, algorithm: str, plaintext: bytes, number: int = 0) -> bytes:
    """Encrypt for a key of a spec."""
    fresh = random.Random(7).randbytes  # noqa: S311  # repeatable on purpose
    return asymmetric.encrypt(SPECS[spec], key_of(spec, number), algorithm, plaintext, fresh)


def opens(spec: str, algorithm: str, blob: bytes, number: int = 0) -> bool:
    """Say whether a ciphertext opens."""
    try:
        asymmetric.decrypt(SPECS[spec], key_of(spec, number), algorithm, blob)
    except Unreadable:
        return False
    return True


@each_algorithm
def test_how_much_an_algorithm_encrypts(spec: str, algorithm: str) -> None:
    """The modulus, less two hashes and two bytes; as AWS's documentation says of SM2."""
    assert LONGEST[spec, algorithm] == asymmetric.longest_plaintext(SPECS[spec], algorithm)


@each_algorithm
@quickly
@given(data=st.data())
def test_any_plaintext_comes_back(spec: str, algorithm: str, data: st.DataObject) -> None:
    """Of any length within the limit, of any bytes."""
    plaintext = data.draw(st.binary(min_size=1, max_size=LONGEST[spec, algorithm]))
    blob = sealed(spec, algorithm, plaintext)
    assert plaintext == asymmetric.decrypt(SPECS[spec], key_of(spec), algorithm, blob)


@each_quick_algorithm
@quickly
@given(data=st.data())
def test_no_altered_byte_opens(spec: str, algorithm: str, data: st.DataObject) -> None:
    """Wherever it stands, and whatever is done to it."""
    blob = bytearray(sealed(spec, algorithm, data.draw(st.binary(min_size=1, max_size=32))))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    assert not opens(spec, algorithm, bytes(blob))


@each_quick_algorithm
@quickly
@given(data=st.data())
def test_no_other_length_opens(spec: str, algorithm: str, data: st.DataObject) -> None:
    """Cut, or with something behind it."""
    blob = sealed(spec, algorithm, b"secret")
    assert not opens(spec, algorithm, blob[: data.draw(st.integers(0, len(blob) - 1))])
    assert not opens(spec, algorithm, blob + data.draw(st.binary(min_size=1, max_size=300)))


@each_quick_algorithm
@quickly
@given(blob=st.binary(max_size=600))
def test_no_random_bytes_open(spec: str, algorithm: str, blob: bytes) -> None:
    """They are no ciphertext, and that is all that is said of them."""
    assert not opens(spec, algorithm, blob)


@each_quick_algorithm
@quickly
@given(plaintext=st.binary(min_size=1, max_size=64), number=st.integers(1, 5))
def test_no_other_key_opens(spec: str, algorithm: str, plaintext: bytes, number: int) -> None:
    """Only the one that it was encrypted for."""
    blob = sealed(spec, algorithm, plaintext)
    assert not opens(spec, algorithm, blob, number)
    assert opens(spec, algorithm, blob)


@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
@pytest.mark.parametrize(("one", "other"), [RSA_ALGORITHMS, RSA_ALGORITHMS[::-1]])
@settings(quickly, max_examples=10)
@given(plaintext=st.binary(min_size=1, max_size=190))
def test_no_other_algorithm_opens(spec: str, one: str, other: str, plaintext: bytes) -> None:
    """The hash is part of it."""
    assert not opens(spec, other, sealed(spec, one, plaintext))


@each_algorithm
def test_a_seed_repeats_what_it_can(spec: str, algorithm: str) -> None:
    """RSA's randomness is that of the library, SM2's that of the fake."""
    same = sealed(spec, algorithm, b"secret") == sealed(spec, algorithm, b"secret")
    assert (spec == "SM2") is same
