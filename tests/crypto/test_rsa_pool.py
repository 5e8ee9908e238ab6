"""RSA keys out of the pool of public test primes: sound, different, and at no cost."""

from __future__ import annotations

from importlib.resources import files
from math import gcd

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from pytest_kms import FakeKMS
from pytest_kms.crypto import rsa_pool
from pytest_kms.crypto.rsa_pool import Pool

SIZES = (2048, 3072, 4096)
KEYS = 496  # of each size

each_size = pytest.mark.parametrize("size", SIZES)


def primes_of(size: int) -> list[int]:
    """Return the primes for keys of a size, as the file has them."""
    return sorted({prime for pair in rsa_pool._pairs(size) for prime in pair})  # noqa: SLF001  # they are the subject


@pytest.fixture
def three_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be only three keys of each size."""
    pairs = {size: rsa_pool._pairs(size)[:3] for size in SIZES}  # noqa: SLF001  # see above
    monkeypatch.setattr(rsa_pool, "_pairs", pairs.__getitem__)


def test_the_file_says_that_it_is_public() -> None:
    """Whoever finds it in a scan for secrets reads so in its first line."""
    text = files("pytest_kms.crypto").joinpath("public_test_primes.txt").read_text("ascii")
    assert text.startswith("# PUBLIC TEST PRIMES: everybody has them.")
    assert "they protect nothing" in text.splitlines()[0]


@each_size
def test_there_are_enough_primes(size: int) -> None:
    """Thirty-two of a size make 496 pairs."""
    assert 32 == len(primes_of(size))
    assert KEYS == len({frozenset(pair) for pair in rsa_pool._pairs(size)})  # noqa: SLF001  # see above


@each_size
def test_two_primes_make_a_modulus_of_exactly_the_size(size: int) -> None:
    """Each has half of the bits, the two highest of them set."""
    for prime in primes_of(size):
        assert size // 2 == prime.bit_length()
        assert 0b11 == prime >> (size // 2 - 2)
    assert {size} == {(p * q).bit_length() for p, q in rsa_pool._pairs(size)}  # noqa: SLF001  # see above


@each_size
def test_the_exponent_fits_every_prime(size: int) -> None:
    """A private exponent exists."""
    assert {1} == {gcd(65537, prime - 1) for prime in primes_of(size)}


@each_size
def test_the_primes_are_prime(size: int) -> None:
    """As far as the tests of Fermat and Miller-Rabin to one base tell."""
    for prime in primes_of(size):
        odd, twos = prime - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        witness = pow(3, odd, prime)
        powers = [witness]
        for _ in range(twos - 1):
            powers.append(powers[-1] ** 2 % prime)
        assert witness == 1 or prime - 1 in powers


@pytest.mark.parametrize("number", [0, 1, KEYS - 1])
@each_size
def test_a_key_is_sound(size: int, number: int) -> None:
    """The library that reads it looks at all of its numbers."""
    key = Pool().take(size, number)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    numbers = load_der_private_key(der, None).private_numbers()  # type: ignore[union-attr]
    assert size == key.key_size
    assert 65537 == key.public_key().public_numbers().e
    assert numbers.p > numbers.q  # type: ignore[union-attr]


def test_a_pool_gives_each_key_once() -> None:
    """Whichever number is wished for."""
    pool = Pool()
    moduli = {pool.take(2048, 7 * number).public_key().public_numbers().n for number in range(KEYS)}
    assert KEYS == len(moduli)


def test_a_key_comes_by_its_number() -> None:
    """The same in every pool; a number beyond the last begins again."""
    first, same, next_one = (Pool().take(2048, number).private_numbers() for number in (5, 5 + KEYS, 6))
    assert first == same
    assert first != next_one


def test_a_key_that_is_taken_gives_way_to_the_next(three_keys: None) -> None:
    """After the last comes the first."""
    in_order = [Pool().take(2048, number).private_numbers() for number in range(3)]
    pool = Pool()
    assert [in_order[2], in_order[0], in_order[1]] == [pool.take(2048, 2).private_numbers() for _ in range(3)]


def test_sizes_do_not_share(three_keys: None) -> None:
    """Three keys of one size leave those of another untouched."""
    pool = Pool()
    keys = [pool.take(size, 0) for size in SIZES for _ in range(3)]
    assert [size for size in SIZES for _ in range(3)] == [key.key_size for key in keys]
    assert 9 == len({key.public_key().public_numbers().n for key in keys})


@pytest.mark.kms(region="us-east-1", quotas=False)
def test_a_fake_that_has_used_all_keys_makes_new_ones(kms: FakeKMS, three_keys: None) -> None:
    """They are no worse, they only take their time: KMS keys, data key pairs and enclaves alike."""
    symmetric = kms.create_key()
    keys = [kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT") for _ in range(3)]
    public = {key.public_key for key in keys}
    answer = kms.client.generate_data_key_pair(KeyId=symmetric.id, KeyPairSpec="RSA_2048")
    last = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    assert 5 == len(public | {answer["PublicKey"], last.public_key})
    assert b"secret" == kms.decrypt(kms.encrypt(last, b"secret"), key=last)


@pytest.mark.kms(region="us-east-1")
def test_a_fake_that_is_reset_has_all_its_keys_again(kms: FakeKMS, three_keys: None) -> None:
    """A test with a few keys never waits for one."""
    seen = set()
    for _ in range(3):
        seen |= {kms.create_key(spec="RSA_2048").public_key for _ in range(3)}
        kms.reset()
    assert 3 == len(seen)
