"""Elliptic curve Diffie-Hellman: the vectors of RFC 5903, and public keys that are none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms.crypto import der, key_agreement, material
from pytest_kms.crypto.specs import SPECS

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
}
# RFC 5903, section 8: the private keys of the initiator and of the responder, and the x coordinate that they share.
RFC_5903 = {
    "ECC_NIST_P256": (
        "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
        "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
        "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE",
    ),
    "ECC_NIST_P384": (
        "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194",
        "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942E0308312916B8ED2960E4BD55A7448FC",
        "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A270F59746",
    ),
    "ECC_NIST_P521": (
        "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A095AA"
        "85A30FE1C2952C6771D937BA9777F5957B2639BAB072462F68C27A57382D4A52",
        "0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E9C67"
        "7D600B343757A3BDBF2A3163E4C2F869CCA7458AA4A4EFFC311F5CB151685EB9",
        "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04D142"
        "7E73CA4BAA240A34786859810C06B3C715A3A8CC3151F2BEE417996D19F3DDEA",
    ),
}


def key_of(spec: str, number: int) -> tuple[bytes, bytes]:
    """Return the material and the public key that belong to the number of a private key."""
    private = ec.derive_private_key(number, CURVES[spec])
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return material.read(SPECS[spec], pkcs8), spki


@pytest.mark.parametrize("spec", RFC_5903)
def test_rfc_5903(spec: str) -> None:
    """Both sides derive what was published."""
    initiator, responder, shared = RFC_5903[spec]
    (one, one_public), (other, other_public) = (key_of(spec, int(digits, 16)) for digits in (initiator, responder))
    assert bytes.fromhex(shared) == key_agreement.agree(SPECS[spec], one, other_public)
    assert bytes.fromhex(shared) == key_agreement.agree(SPECS[spec], other, one_public)


@pytest.mark.parametrize("spec", CURVES)
def test_the_point_at_infinity_is_no_public_key(spec: str) -> None:
    """It lies on every curve, and would give everybody the same secret."""
    private, public = key_of(spec, 7)
    infinity = der.sequence(der.first_of_sequence(public), bytes.fromhex("0302 00 00"))
    with pytest.raises(ValueError):  # noqa: PT011  # the words are the library's
        key_agreement.agree(SPECS[spec], private, infinity)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(changes=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), min_size=1, max_size=4))
def test_altered_public_keys_end_in_a_value_error(changes: list[tuple[int, int]]) -> None:
    """Whatever the bytes are: a secret or a ValueError, and nothing else."""
    private, public = key_of("ECC_NIST_P256", 7)
    altered = bytearray(public)
    for place, value in changes:
        altered[place] = value
    try:
        secret = key_agreement.agree(SPECS["ECC_NIST_P256"], private, bytes(altered))
    except ValueError:
        assert altered != public
    else:
        assert 32 == len(secret)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(peer=st.binary(max_size=100))
def test_any_bytes_end_in_a_value_error(peer: bytes) -> None:
    """None of them is a public key."""
    with pytest.raises(ValueError):  # noqa: PT011  # the words are the library's, or ours
        key_agreement.agree(SPECS["ECC_NIST_P256"], key_of("ECC_NIST_P256", 7)[0], peer)
