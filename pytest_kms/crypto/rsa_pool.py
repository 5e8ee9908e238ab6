"""RSA keys at no cost: a pool of published primes, two of which make a key.

They are test keys that everybody has (`public_test_primes.txt`). Thirty-two primes of a size make 496 keys of
twice that size, so that no two keys of one fake are the same.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import combinations
from math import lcm

from cryptography.hazmat.primitives.asymmetric import rsa

_EXPONENT = 65537


class Pool:
    """The pool, as one fake draws from it: each key once."""

    def __init__(self) -> None:
        self._taken: dict[int, set[int]] = {}

    def take(self, size: int, wish: int) -> rsa.RSAPrivateKey:
        """Return a key with a modulus of so many bits: the one wished for by number, or the next that is free.

        When all are taken a new one is made, which takes its time.
        """
        pairs = _pairs(size)
        taken = self._taken.setdefault(size, set())
        if len(taken) == len(pairs):
            return rsa.generate_private_key(_EXPONENT, size)
        place = wish % len(pairs)
        while place in taken:
            place = (place + 1) % len(pairs)
        taken.add(place)
        return _key(*pairs[place])


@cache
def _pairs(size: int) -> list[tuple[int, int]]:
    text = files("pytest_kms.crypto").joinpath("public_test_primes.txt").read_text("ascii")
    digits = size // 2 // 4
    primes = [int(line, 16) for line in text.splitlines() if len(line) == digits and line[0] != "#"]
    return list(combinations(sorted(primes, reverse=True), 2))


def _key(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(_EXPONENT, -1, lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
