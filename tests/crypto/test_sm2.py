"""SM2: as the standard has it, as OpenSSL has it, and never anything else."""

from __future__ import annotations

import base64
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_kms import NotSupported
from pytest_kms.crypto import sm2
from pytest_kms.crypto.symmetric import Unreadable

pytest.importorskip("gmalg", reason="the extra sm2 is not installed")

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")  # OID 1.2.840.10045.2.1
SM2P256V1 = bytes.fromhex("06082a811ccf5501822d")  # OID 1.2.156.10197.1.301

# The examples of GB/T 32918.5, which share a key and a random number.
NUMBER = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
DIGEST = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
C1 = (
    0x04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73,
    0xE858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0,
)
C2 = bytes.fromhex("21886CA989CA9C7D58087307CA93092D651EFA")
C3 = bytes.fromhex("59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766")

P256 = ec.derive_private_key(NUMBER, ec.SECP256R1())  # another curve

# Nothing here depends on how fast the machine is, and every run tries the same.
repeatable = settings(deadline=None, database=None, derandomize=True, max_examples=10)
SECRETS = st.binary(min_size=48, max_size=48)


def numbers(*given: int) -> Callable[[int], bytes]:
    """Return a source of random bytes that makes SM2 take these random numbers, one after the other."""
    left = list(given)
    return lambda size: (left.pop(0) - 1).to_bytes(size, "big")


def seeded(seed: int) -> Callable[[int], bytes]:
    """Return a source of random bytes that a seed repeats."""
    return random.Random(seed).randbytes  # noqa: S311  # what it makes is to be repeated


def key_of(number: int) -> bytes:
    """Return the material of the key with this number."""
    return sm2.derive((number - 1).to_bytes(48, "big"))


def coordinates_of(number: int) -> tuple[bytes, bytes]:
    """Return the coordinates of so many times the base point."""
    point = sm2.public_key(key_of(number))[-64:]
    return point[:32], point[32:]


def element(tag: int, *contents: bytes) -> bytes:
    """Write an element of DER."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def integer(number: int) -> bytes:
    """Write an INTEGER of DER."""
    return element(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def ciphertext_of(point: Iterable[int], digest: bytes, sealed: bytes) -> bytes:
    """Write a ciphertext."""
    return element(0x30, *map(integer, point), element(0x04, digest), element(0x04, sealed))


def sm3(*contents: bytes) -> bytes:
    """Hash with the SM3 of another library."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(b"".join(contents))
    return digest.finalize()


def changed(data: bytes, place: int, bits: int = 1) -> bytes:
    """Change some bits of one byte."""
    place %= len(data)
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


@pytest.fixture(scope="module")
def key() -> bytes:
    """Return the key of the standard's examples."""
    return key_of(NUMBER)


OpenSSL = Callable[..., bytes]


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    """Return a function that runs a command of OpenSSL in a folder with some files, and returns what it wrote."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("openssl")

    def run(command: str, **files: bytes) -> bytes:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        done = subprocess.run(  # noqa: S603  # the commands are those below
            [program, *command.split()], cwd=folder, check=True, capture_output=True
        )
        return done.stdout

    if not re.match(rb"OpenSSL ([3-9]|\d\d)", run("version")):
        pytest.skip("openssl is none of OpenSSL 3")
    if b"SM2" not in run("list -public-key-algorithms"):
        pytest.skip("openssl was built without SM2")
    return run


# Published examples


def test_the_public_key_is_that_of_the_standard(key: bytes) -> None:
    """GB/T 32918.5, annex A, in the DER that OpenSSL writes too."""
    head = element(0x30, EC_PUBLIC_KEY, SM2P256V1)

    assert element(0x30, head, element(0x03, b"\0\4", PUBLIC)) == sm2.public_key(key)


def test_a_signature_is_that_of_the_standard(key: bytes) -> None:
    """GB/T 32918.5, annex A, with the distinguishing identifier that AWS has."""
    signature = sm2.sign(key, b"message digest", digested=False, random_bytes=numbers(K))

    assert element(0x30, integer(R), integer(S)) == signature
    assert sm2.verify(key, b"message digest", signature, digested=False)


def test_a_signature_of_a_digest_is_that_of_the_standard(key: bytes) -> None:
    """GB/T 32918.5, annex A: the digest is SM3(ZA || M)."""
    signature = sm2.sign(key, DIGEST, digested=True, random_bytes=numbers(K))

    assert element(0x30, integer(R), integer(S)) == signature
    assert sm2.verify(key, DIGEST, signature, digested=True)


def test_a_ciphertext_is_that_of_the_standard(key: bytes) -> None:
    """GB/T 32918.5, annex C, in the order and the DER of GM/T 0009."""
    ciphertext = sm2.encrypt(key, b"encryption standard", numbers(K))

    assert ciphertext_of(C1, C3, C2) == ciphertext
    assert b"encryption standard" == sm2.decrypt(key, ciphertext)


# OpenSSL

RAW = "-rawin -digest sm3 -pkeyopt distid:1234567812345678"


@pytest.mark.parametrize("number", [1, 2, 55, NUMBER, N - 2])
def test_openssl_reads_our_keys(openssl: OpenSSL, number: int) -> None:
    """Both halves, checked; the public one is what OpenSSL computes of the private one alone."""
    key = key_of(number)
    alone = element(0x30, b"\2\1\1", element(0x04, number.to_bytes(32, "big")), element(0xA0, SM2P256V1))

    assert sm2.public_key(key) == openssl("pkey -inform DER -in key -pubout -outform DER", key=key)
    assert sm2.public_key(key) == openssl("pkey -inform DER -in key -pubout -outform DER", key=alone)
    assert b"Key is valid" in openssl("pkey -inform DER -in key -check -noout", key=key)
    assert b"Key is valid" in openssl("pkey -inform DER -pubin -in key -pubcheck -noout", key=sm2.public_key(key))


@pytest.mark.parametrize(
    "command",
    [
        "genpkey -algorithm SM2",
        "genpkey -algorithm SM2 -outform DER",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2",
        "ecparam -name SM2 -genkey",
    ],
)
def test_we_read_the_keys_of_openssl(openssl: OpenSSL, command: str) -> None:
    """In each form that it writes; the curve is repeated within the key then, as AWS does."""
    written = openssl(command)
    form = "DER" if command.endswith("DER") else "PEM"

    key = sm2.load(written)

    assert 150 == len(key)
    assert openssl(f"pkey -inform {form} -in key -pubout -outform DER", key=written) == sm2.public_key(key)
    assert openssl(f"pkey -inform {form} -in key -text", key=written) == openssl(
        "pkey -inform DER -in key -text", key=key
    )


@pytest.mark.parametrize("length", [0, 1, 63, 64, 4096])
def test_openssl_verifies_our_signatures(openssl: OpenSSL, key: bytes, length: int) -> None:
    """Of messages, and of digests."""
    message = seeded(length)(length)
    digest = sm3(message)
    of_message = sm2.sign(key, message, digested=False, random_bytes=seeded(1))
    of_digest = sm2.sign(key, digest, digested=True, random_bytes=seeded(1))

    verify = "pkeyutl -verify -pubin -keyform DER -inkey key -in message -sigfile signature"
    public = sm2.public_key(key)
    assert b"Successfully" in openssl(f"{verify} {RAW}", key=public, message=message, signature=of_message)
    assert b"Successfully" in openssl(verify, key=public, message=digest, signature=of_digest)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 4096])
def test_we_verify_the_signatures_of_openssl(openssl: OpenSSL, key: bytes, length: int) -> None:
    """Of messages, and of digests; not one for the other, nor under another identifier."""
    message = seeded(length)(length)
    sign = "pkeyutl -sign -keyform DER -inkey key -in message"

    of_message = openssl(f"{sign} {RAW}", key=key, message=message)
    of_digest = openssl(sign, key=key, message=sm3(message))
    of_another = openssl(f"{sign} {RAW[:-1]}", key=key, message=message)

    assert sm2.verify(key, message, of_message, digested=False)
    assert sm2.verify(key, sm3(message), of_digest, digested=True)
    assert not sm2.verify(key, sm3(message), of_message, digested=True)
    assert not sm2.verify(key, message, of_another, digested=False)


@pytest.mark.parametrize("length", [1, 31, 32, 33, 128, 1024])
def test_openssl_decrypts_what_we_encrypted(openssl: OpenSSL, key: bytes, length: int) -> None:
    """Of any length that AWS allows."""
    plaintext = seeded(length)(length)

    ciphertext = sm2.encrypt(key, plaintext, seeded(1))

    assert plaintext == openssl("pkeyutl -decrypt -keyform DER -inkey key -in sealed", key=key, sealed=ciphertext)


# Not of one byte: some versions of OpenSSL let one ciphertext in 256 through that is the plaintext itself.
@pytest.mark.parametrize("length", [16, 31, 32, 33, 128, 1024])
def test_we_decrypt_what_openssl_encrypted(openssl: OpenSSL, key: bytes, length: int) -> None:
    """Of any length that AWS allows."""
    plaintext = seeded(length)(length)
    encrypt = "pkeyutl -encrypt -pubin -keyform DER -inkey key -in plaintext"

    ciphertext = openssl(encrypt, key=sm2.public_key(key), plaintext=plaintext)

    assert plaintext == sm2.decrypt(key, ciphertext)


@pytest.mark.parametrize("number", [1, 2, NUMBER])
def test_a_shared_secret_is_what_openssl_computes(openssl: OpenSSL, key: bytes, number: int) -> None:
    """OpenSSL has no ECDH with keys of SM2; but the secret is the public key of the product of both numbers."""
    product = (number * NUMBER % N).to_bytes(32, "big")
    alone = element(0x30, b"\2\1\1", element(0x04, product), element(0xA0, SM2P256V1))

    public = openssl("pkey -inform DER -in key -pubout -outform DER", key=alone)

    assert public[-64:-32] == sm2.agree(key_of(number), sm2.public_key(key))


# Keys


@repeatable
@given(secret=SECRETS | st.binary(min_size=48, max_size=128))
def test_a_secret_makes_one_key(secret: bytes) -> None:
    """Each time the same; the key is in the form that we load, and within its range."""
    key = sm2.derive(secret)

    assert sm2.derive(secret) == key
    assert sm2.load(key) == key
    assert 1 + int.from_bytes(secret, "big") % (N - 2) == int.from_bytes(key[36:68], "big")


@pytest.mark.parametrize(("secret", "number"), [(0, 1), (N - 3, N - 2), (N - 2, 1), (N, 3)])
def test_no_secret_makes_a_key_out_of_range(secret: int, number: int) -> None:
    """1 to n - 2."""
    assert number == int.from_bytes(sm2.derive(secret.to_bytes(48, "big"))[36:68], "big")


NUMBER_BYTES = NUMBER.to_bytes(32, "big")
CURVE_FIELD = element(0xA0, SM2P256V1)
PUBLIC_FIELD = element(0xA1, element(0x03, b"\0\4", PUBLIC))


def sec1(*fields: bytes, number: bytes = NUMBER_BYTES) -> bytes:
    """Write an ECPrivateKey of SEC 1."""
    return element(0x30, integer(1), element(0x04, number), *fields)


def pkcs8(inner: bytes, *more: bytes, version: int = 0, curve: bytes = SM2P256V1) -> bytes:
    """Write a PrivateKeyInfo of PKCS#8."""
    return element(0x30, integer(version), element(0x30, EC_PUBLIC_KEY, curve), element(0x04, inner), *more)


def pem(label: str, der: bytes) -> bytes:
    """Armour some DER."""
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


SPELLINGS = {
    "as AWS spells it": pkcs8(sec1(CURVE_FIELD, PUBLIC_FIELD)),
    "as OpenSSL spells it": pkcs8(sec1(PUBLIC_FIELD)),
    "alone": pkcs8(sec1()),
    "with attributes": pkcs8(sec1(PUBLIC_FIELD), element(0xA0)),
    "with the public key behind": pkcs8(sec1(), element(0x81, b"\0\4", PUBLIC), version=1),
    "SEC 1": sec1(CURVE_FIELD, PUBLIC_FIELD),
    "SEC 1, alone": sec1(CURVE_FIELD),
    "SEC 1, a zero in front": sec1(CURVE_FIELD, number=b"\0" + NUMBER_BYTES),
    "PEM": pem("PRIVATE KEY", pkcs8(sec1(PUBLIC_FIELD))),
    "PEM of SEC 1": pem("EC PRIVATE KEY", sec1(CURVE_FIELD, PUBLIC_FIELD)),
    "PEM of SEC 1, for SM2": pem("SM2 PRIVATE KEY", sec1(CURVE_FIELD, PUBLIC_FIELD)),
    "PEM behind the curve": pem("EC PARAMETERS", SM2P256V1) + pem("EC PRIVATE KEY", sec1(CURVE_FIELD)),
    "PEM of another system": pem("PRIVATE KEY", pkcs8(sec1())).replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("written", SPELLINGS.values(), ids=SPELLINGS)
def test_a_private_key_is_read_however_it_is_spelled(key: bytes, written: bytes) -> None:
    """Out comes the spelling of AWS."""
    assert SPELLINGS["as AWS spells it"] == sm2.load(written)
    assert key == sm2.load(written)


P256V1 = bytes.fromhex("06082a8648ce3d030107")  # OID 1.2.840.10045.3.1.7


def private_der(key: Any, form: PrivateFormat) -> bytes:
    """Write a key of cryptography's."""
    der: bytes = key.private_bytes(Encoding.DER, form, NoEncryption())
    return der


OUT_OF_RANGE = "the number of the private key is out of the range of SM2"
ANOTHERS = "the public key beside the private key is another's"
NO_KEY = "no private key of SM2"
NO_SEQUENCE = "no SEQUENCE of DER"
NO_DER = "no DER"
REFUSED = {
    "nothing": (b"", NO_SEQUENCE),
    "text": (b"not a key", NO_DER),
    "one byte": (b"\x30", NO_DER),
    "a number": (integer(NUMBER), NO_SEQUENCE),
    "an empty sequence": (element(0x30), NO_KEY),
    "two keys": (sec1(CURVE_FIELD) * 2, NO_SEQUENCE),
    "a byte behind": (pkcs8(sec1()) + b"\0", NO_DER),
    "a long length": (b"\x30\x81" + sec1(CURVE_FIELD)[1:], NO_DER),
    "no length": (b"\x30\x80" + sec1(CURVE_FIELD)[2:] + b"\0\0", NO_DER),
    "a huge length": (b"\x30\xff" + b"\xff" * 200, NO_DER),
    "P-256": (private_der(P256, PrivateFormat.PKCS8), NO_KEY),
    "P-256 in SEC 1": (private_der(P256, PrivateFormat.TraditionalOpenSSL), NO_KEY),
    "RSA": (private_der(rsa.generate_private_key(65537, 2048), PrivateFormat.PKCS8), NO_KEY),
    "two curves": (pkcs8(sec1(element(0xA0, P256V1))), NO_KEY),
    "two curves, the other way round": (pkcs8(sec1(CURVE_FIELD), curve=P256V1), NO_KEY),
    "no curve": (sec1(PUBLIC_FIELD), NO_KEY),
    "another version": (pkcs8(sec1(), version=2), NO_KEY),
    "zero": (pkcs8(sec1(number=bytes(32))), OUT_OF_RANGE),
    "no number": (pkcs8(sec1(number=b"")), OUT_OF_RANGE),
    "n - 1": (pkcs8(sec1(number=(N - 1).to_bytes(32, "big"))), OUT_OF_RANGE),
    "n": (pkcs8(sec1(number=N.to_bytes(32, "big"))), OUT_OF_RANGE),
    "a long number": (pkcs8(sec1(number=b"\1" * 33)), OUT_OF_RANGE),
    "the public key of another": (pkcs8(sec1(PUBLIC_FIELD, number=b"\1" * 32)), ANOTHERS),
    "PEM of a public key": (pem("PUBLIC KEY", sm2.public_key(key_of(2))), NO_DER),
    "PEM with a password": (pem("ENCRYPTED PRIVATE KEY", pkcs8(sec1())), NO_DER),
    "PEM of nothing": (b"-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----", NO_SEQUENCE),
    "PEM, cut": (b"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", "Incorrect padding"),
}


@pytest.mark.parametrize(("written", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_private_key_of_sm2_is_refused(written: bytes, why: str) -> None:
    """Each with its reason."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        sm2.load(written)


@pytest.mark.parametrize("spelling", ["as AWS spells it", "SEC 1"])
def test_a_cut_private_key_is_refused(spelling: str) -> None:
    """Wherever it was cut."""
    written = SPELLINGS[spelling]

    for kept in range(len(written)):
        with pytest.raises(ValueError, match="no "):
            sm2.load(written[:kept])


# Encryption


@repeatable
@given(secret=SECRETS, plaintext=st.binary(min_size=1, max_size=1024), seed=st.integers(0, 2**32))
def test_what_was_encrypted_comes_back(secret: bytes, plaintext: bytes, seed: int) -> None:
    """Any plaintext under any key."""
    key = sm2.derive(secret)

    assert plaintext == sm2.decrypt(key, sm2.encrypt(key, plaintext, seeded(seed)))


@pytest.mark.parametrize("plaintext", [b"\0", bytes(32), bytes(33), bytes(1024), b"\0x", b"\n" * 9], ids=len)
def test_zeros_come_back(key: bytes, plaintext: bytes) -> None:
    """Nothing here is a number in disguise."""
    assert plaintext == sm2.decrypt(key, sm2.encrypt(key, plaintext, numbers(K)))


@repeatable
@given(ours=SECRETS, theirs=SECRETS, plaintext=st.binary(min_size=1, max_size=64))
def test_another_key_does_not_decrypt(ours: bytes, theirs: bytes, plaintext: bytes) -> None:
    """Only the one that it was encrypted for."""
    key, other = sm2.derive(ours), sm2.derive(theirs)
    assume(key != other)

    with pytest.raises(Unreadable):
        sm2.decrypt(other, sm2.encrypt(key, plaintext, seeded(1)))


@repeatable
@given(plaintext=st.binary(min_size=1, max_size=300), place=st.integers(0, 2**16), bits=st.integers(1, 255))
def test_a_changed_ciphertext_is_unreadable(plaintext: bytes, place: int, bits: int) -> None:
    """Whatever is changed, of whichever ciphertext."""
    key = key_of(NUMBER)

    with pytest.raises(Unreadable):
        sm2.decrypt(key, changed(sm2.encrypt(key, plaintext, seeded(1)), place, bits))


def test_no_byte_of_a_ciphertext_can_be_changed(key: bytes) -> None:
    """Each is either part of the DER or authenticated."""
    ciphertext = sm2.encrypt(key, b"encryption standard", numbers(K))

    for place in range(len(ciphertext)):
        with pytest.raises(Unreadable):
            sm2.decrypt(key, changed(ciphertext, place))


def test_a_cut_ciphertext_is_unreadable(key: bytes) -> None:
    """Wherever it was cut."""
    ciphertext = sm2.encrypt(key, b"encryption standard", numbers(K))

    for kept in range(len(ciphertext)):
        with pytest.raises(Unreadable):
            sm2.decrypt(key, ciphertext[:kept])


UNREADABLE = {
    "a byte behind": ciphertext_of(C1, C3, C2) + b"\0",
    "one element more": element(0x30, ciphertext_of(C1, C3, C2)[2:], element(0x04)),
    "the older order": ciphertext_of(C1, C2, C3),
    "without DER": b"\4" + b"".join(number.to_bytes(32, "big") for number in C1) + C3 + C2,
    "no plaintext": ciphertext_of(C1, C3, b""),
    "x, a zero in front": element(
        0x30, element(0x02, b"\0" + C1[0].to_bytes(32, "big")), integer(C1[1]), element(0x04, C3), element(0x04, C2)
    ),
    "y, negative": element(
        0x30, integer(C1[0]), element(0x02, C1[1].to_bytes(32, "big")), element(0x04, C3), element(0x04, C2)
    ),
    "x + p": ciphertext_of((C1[0] + P, C1[1]), C3, C2),
    "y + p": ciphertext_of((C1[0], C1[1] + P), C3, C2),
    "-y": ciphertext_of((C1[0], P - C1[1]), C3, C2),
    "no point": ciphertext_of((0, 0), C3, C2),
    "a point of P-256": ciphertext_of(
        (P256.public_key().public_numbers().x, P256.public_key().public_numbers().y), C3, C2
    ),
}


@pytest.mark.parametrize("ciphertext", UNREADABLE.values(), ids=UNREADABLE)
def test_what_only_resembles_a_ciphertext_is_unreadable(key: bytes, ciphertext: bytes) -> None:
    """A ciphertext has one spelling, and its point is on the curve."""
    with pytest.raises(Unreadable):
        sm2.decrypt(key, ciphertext)


def test_an_empty_plaintext_is_refused(key: bytes) -> None:
    """The standard would draw random numbers for ever."""
    with pytest.raises(ValueError, match="^SM2 cannot encrypt an empty plaintext$"):
        sm2.encrypt(key, b"", seeded(1))


# With this random number, the first byte that is added to a plaintext for the standard's key is zero.
UNLUCKY = 470


def test_no_ciphertext_is_the_plaintext(key: bytes) -> None:
    """A random number that would add nothing but zeros is passed over, as the standard has it."""
    assert sm2.encrypt(key, b"x", numbers(K)) == sm2.encrypt(key, b"x", numbers(UNLUCKY, K))
    assert b"xy" == sm2.decrypt(key, sm2.encrypt(key, b"xy", numbers(UNLUCKY)))


@pytest.mark.parametrize("number", [UNLUCKY - 1, UNLUCKY, UNLUCKY + 1])
def test_a_ciphertext_that_is_the_plaintext_is_unreadable(key: bytes, number: int) -> None:
    """Others that were made by hand in the same way are readable."""
    x, y = coordinates_of(number * NUMBER % N)
    mask = sm3(x, y, b"\0\0\0\1")[0]
    point = (int.from_bytes(coordinate, "big") for coordinate in coordinates_of(number))
    ciphertext = ciphertext_of(point, sm3(x, b"x", y), bytes([b"x"[0] ^ mask]))

    if number == UNLUCKY:
        assert 0 == mask
        with pytest.raises(Unreadable):
            sm2.decrypt(key, ciphertext)
    else:
        assert b"x" == sm2.decrypt(key, ciphertext)


def test_a_seed_repeats_ciphertexts_and_signatures(key: bytes) -> None:
    """All randomness is the caller's."""
    for one, other, same in ((1, 1, True), (1, 2, False)):
        ours, theirs = seeded(one), seeded(other)
        assert same is (sm2.encrypt(key, b"x", ours) == sm2.encrypt(key, b"x", theirs))
        signatures = (sm2.sign(key, b"x", digested=False, random_bytes=source) for source in (ours, theirs))
        assert same is (next(signatures) == next(signatures))


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_random_bytes_may_all_be_the_same(key: bytes, byte: int) -> None:
    """A source of zeros makes no random number of zero, which would be drawn again for ever."""
    signature = sm2.sign(key, b"x", digested=False, random_bytes=lambda size: bytes([byte]) * size)

    assert sm2.verify(key, b"x", signature, digested=False)


# Signatures


@repeatable
@given(secret=SECRETS, message=st.binary(max_size=300), seed=st.integers(0, 2**32))
def test_a_signature_of_any_message_verifies(secret: bytes, message: bytes, seed: int) -> None:
    """Under any key; a signature of its digest, made as the standard says, is one of the message."""
    key = sm2.derive(secret)
    system = bytes.fromhex(
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
        "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
        "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
        "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
    )
    za = sm3(b"\x00\x80", b"1234567812345678", system, sm2.public_key(key)[-64:])

    of_message = sm2.sign(key, message, digested=False, random_bytes=seeded(seed))
    of_digest = sm2.sign(key, sm3(za, message), digested=True, random_bytes=seeded(seed))

    assert of_message == of_digest
    assert sm2.verify(key, message, of_message, digested=False)
    assert sm2.verify(key, sm3(za, message), of_message, digested=True)


@repeatable
@given(message=st.binary(min_size=1, max_size=64), place=st.integers(0, 2**16), bits=st.integers(1, 255))
def test_nothing_changed_verifies(message: bytes, place: int, bits: int) -> None:
    """Neither the message nor the signature nor the key."""
    key = key_of(NUMBER)
    signature = sm2.sign(key, message, digested=False, random_bytes=seeded(1))

    assert not sm2.verify(key, changed(message, place, bits), signature, digested=False)
    assert not sm2.verify(key, message, changed(signature, place, bits), digested=False)
    assert not sm2.verify(key_of(NUMBER + 1), message, signature, digested=False)


NO_SIGNATURES = {
    "nothing": b"",
    "text": b"not a signature",
    "without DER": R.to_bytes(32, "big") + S.to_bytes(32, "big"),
    "a byte behind": encode_dss_signature(R, S) + b"\0",
    "negative": element(0x30, element(0x02, R.to_bytes(32, "big")), integer(S)),
    "a zero in front": element(0x30, element(0x02, bytes(2) + R.to_bytes(32, "big")), integer(S)),
    "r is 0": encode_dss_signature(0, S),
    "s is 0": encode_dss_signature(R, 0),
    "r + n": encode_dss_signature(R + N, S),
    "s + n": encode_dss_signature(R, S + N),
    "r + s is n": encode_dss_signature(R, N - R),
    "the other way round": encode_dss_signature(S, R),
    "-s": encode_dss_signature(R, N - S),
}


@pytest.mark.parametrize("signature", NO_SIGNATURES.values(), ids=NO_SIGNATURES)
def test_what_is_no_signature_does_not_verify(key: bytes, signature: bytes) -> None:
    """Malformed, out of range, or just not the one."""
    assert not sm2.verify(key, b"message digest", signature, digested=False)
    assert not sm2.verify(key, DIGEST, signature, digested=True)


def test_the_numbers_of_a_signature_may_be_short(key: bytes) -> None:
    """An r of 1 takes one byte, not 32: here it is the digest that makes it one."""
    x, _ = coordinates_of(K)
    digest = (1 - int.from_bytes(x, "big")) % N

    signature = sm2.sign(key, digest.to_bytes(32, "big"), digested=True, random_bytes=numbers(K))

    assert 1 == decode_dss_signature(signature)[0]
    assert sm2.verify(key, digest.to_bytes(32, "big"), signature, digested=True)


# Key agreement


@repeatable
@given(ours=SECRETS, theirs=SECRETS)
def test_both_sides_agree(ours: bytes, theirs: bytes) -> None:
    """Each with its own private key and the other's public key."""
    one, other = sm2.derive(ours), sm2.derive(theirs)

    assert sm2.agree(one, sm2.public_key(other)) == sm2.agree(other, sm2.public_key(one))
    assert 32 == len(sm2.agree(one, sm2.public_key(other)))


SHORT = {"x": 327, "y": 107}  # the first multiples of the base point that have a zero in front of a coordinate


def test_a_shared_secret_keeps_its_zeros() -> None:
    """32 bytes, always."""
    half = SHORT["x"] * pow(2, -1, N) % N

    secret = sm2.agree(key_of(2), sm2.public_key(key_of(half)))

    assert (32, 0) == (len(secret), secret[0])
    assert coordinates_of(SHORT["x"])[0] == secret


@pytest.mark.parametrize("number", SHORT.values(), ids=SHORT)
def test_a_public_key_keeps_its_zeros(number: int) -> None:
    """Such a key signs, encrypts and agrees as others do."""
    key = key_of(number)

    assert 0 in [coordinate[0] for coordinate in coordinates_of(number)]
    assert key == sm2.load(key)
    assert sm2.verify(key, b"x", sm2.sign(key, b"x", digested=False, random_bytes=numbers(K)), digested=False)
    assert b"x" == sm2.decrypt(key, sm2.encrypt(key, b"x", numbers(K)))
    assert sm2.agree(key, sm2.public_key(key_of(K))) == sm2.agree(key_of(K), sm2.public_key(key))


def spki(point: bytes, curve: bytes = SM2P256V1) -> bytes:
    """Write a SubjectPublicKeyInfo."""
    return element(0x30, element(0x30, EC_PUBLIC_KEY, curve), element(0x03, b"\0", point))


# The square root of the curve's b: with it, 0 is a coordinate, which fits into 32 bytes with p added.
AT_ZERO = pow(0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93, (P + 1) // 4, P).to_bytes(32, "big")

NO_PEER = "no public key of SM2 with both coordinates"
NOT_ON_CURVE = "the point is not on the curve of SM2"
PEERS = {
    "nothing": (b"", NO_PEER),
    "text": (b"not a key", NO_PEER),
    "cut": (spki(b"\4" + PUBLIC)[:-1], NO_PEER),
    "a byte behind": (spki(b"\4" + PUBLIC) + b"\0", NO_PEER),
    "PEM": (pem("PUBLIC KEY", spki(b"\4" + PUBLIC)), NO_PEER),
    "compressed": (spki(b"\3" + PUBLIC[:32]), NO_PEER),
    "infinity": (spki(b"\0"), NO_PEER),
    "P-256": (P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), NO_PEER),
    "a private key": (pkcs8(sec1()), NO_PEER),
    "another curve's point": (
        spki(P256.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        NOT_ON_CURVE,
    ),
    "zeros": (spki(b"\4" + bytes(64)), NOT_ON_CURVE),
    "a changed point": (spki(b"\4" + changed(PUBLIC, -1)), NOT_ON_CURVE),
    "a coordinate with p added": (spki(b"\4" + P.to_bytes(32, "big") + AT_ZERO), NOT_ON_CURVE),
}


def test_a_peer_may_have_a_coordinate_of_zero(key: bytes) -> None:
    """That point is on the curve; with p added to its coordinate, it is refused below."""
    assert 32 == len(sm2.agree(key, spki(b"\4" + bytes(32) + AT_ZERO)))


@pytest.mark.parametrize(("peer", "why"), PEERS.values(), ids=PEERS)
def test_what_is_no_public_key_of_sm2_is_refused(key: bytes, peer: bytes, why: str) -> None:
    """Malformed, of another curve, or of none."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        sm2.agree(key, peer)


# Without the library

CALLS: dict[str, Callable[[bytes], object]] = {
    "expect_available": lambda _: sm2.expect_available(),
    "derive": lambda _: sm2.derive(bytes(48)),
    "load": sm2.load,
    "encrypt": lambda key: sm2.encrypt(key, b"x", seeded(1)),
    "decrypt": lambda key: sm2.decrypt(key, ciphertext_of(C1, C3, C2)),
    "sign": lambda key: sm2.sign(key, b"x", digested=False, random_bytes=seeded(1)),
    "verify": lambda key: sm2.verify(key, DIGEST, encode_dss_signature(R, S), digested=True),
    "agree": lambda key: sm2.agree(key, spki(b"\4" + PUBLIC)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_the_library_all_say_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, key: bytes, call: Callable[[bytes], object]
) -> None:
    """And with it, none does."""
    call(key)
    monkeypatch.setitem(sys.modules, "gmalg", None)

    with pytest.raises(NotSupported) as excinfo:
        call(key)

    expected = "pytest-kms: SM2 keys: this needs a library that is not installed: pip install 'pytest-kms[sm2]'"
    assert expected == str(excinfo.value)


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    """A suite without SM2 keys does not wait for it."""
    code = "import sys, pytest_kms.crypto.sm2; sys.exit('gmalg' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode  # noqa: S603  # the line above
