"""The documents and envelopes of `Recipient`: read to the letter, and refused with a reason."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms import NotSupported
from pytest_kms.crypto import recipient
from pytest_kms.crypto.recipient import Attestation, Identity, Malformed

cbor2 = pytest.importorskip("cbor2")
pytest.importorskip("asn1crypto")
asn1_x509 = pytest.importorskip("asn1crypto.x509")
cms = pytest.importorskip("asn1crypto.cms")

ES384 = bytes.fromhex("a1013822")
NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=dt.timezone.utc)
PCRS = {number: bytes([number]) * 48 for number in range(16)}
OPENSSL = shutil.which("openssl")

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on this machine")

# Nothing here depends on how fast the machine is, and every run tries the same.
repeatable = settings(deadline=None, database=None, derandomize=True, max_examples=60)

FOREIGN = "the attestation document was not made by an enclave of this fake"
NOT_ES384 = "the attestation document is not signed with ES384"
NO_COSE = "the attestation document is no COSE_Sign1"
NO_CBOR = "the attestation document is no CBOR"
UNSIGNED = "the attestation document's signature does not verify"
NO_ENVELOPE = "it is no CMS envelope, or was cut"
OTHER_ENVELOPE = "it is no CMS envelope of RSAES-OAEP and AES-256-CBC to a key that an identifier names"


def randomness(seed: int) -> Callable[[int], bytes]:
    """Give bytes that repeat."""
    return random.Random(seed).randbytes  # noqa: S311  # repeatable on purpose


@cache
def root() -> Identity:
    """Vouch for all documents here."""
    return recipient.make_root(randomness(0))


@cache
def leaf() -> Identity:
    """Sign the documents here."""
    return recipient.issue(root(), "enclaves", randomness(1))


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """Make an RSA key once; `number` tells several of a size apart."""
    return rsa.generate_private_key(65537, bits)


def der(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """Write a public key."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public() -> bytes:
    """Give the public key that documents here have."""
    return der(rsa_key().public_key())


def document(identity: Identity | None = None, **changes: Any) -> bytes:
    """Let the fake make a document."""
    said: dict[str, Any] = {"module_id": "i-1-enc2", "pcrs": PCRS, "timestamp": NOON, "public_key": public()}
    return recipient.attest(identity or leaf(), **said | changes)


def payload(**changes: Any) -> dict[str, Any]:
    """Say what an enclave says, with changes."""
    said: dict[str, Any] = {
        "module_id": "i-1-enc2",
        "digest": "SHA384",
        "timestamp": 1709208000123,
        "pcrs": PCRS,
        "certificate": leaf().certificate,
        "cabundle": [root().certificate],
        "public_key": public(),
        "user_data": None,
        "nonce": None,
    }
    return said | changes


def signed(said: object, key: Any = None) -> bytes:
    """Sign any payload, encoded or not, as COSE prescribes and by hand."""
    encoded = said if isinstance(said, bytes) else cbor2.dumps(said)
    to_be_signed = cbor2.dumps(["Signature1", ES384, b"", encoded])
    r, s = decode_dss_signature((key or leaf().private_key).sign(to_be_signed, ec.ECDSA(hashes.SHA384())))
    return bytes(cbor2.dumps([ES384, {}, encoded, r.to_bytes(48, "big") + s.to_bytes(48, "big")]))


def refused(attestation_document: bytes) -> str:
    """Expect a document to be refused; return why."""
    with pytest.raises(Malformed) as excinfo:
        recipient.read(attestation_document, root().certificate)
    assert excinfo.value.why == str(excinfo.value)
    return excinfo.value.why


# documents


def test_a_document_is_read_as_it_was_written() -> None:
    """All that an enclave says comes back."""
    attested = document(user_data=b"for the test", nonce=b"once")

    assert Attestation(
        module_id="i-1-enc2",
        timestamp=NOON,
        pcrs=PCRS,
        public_key=public(),
        user_data=b"for the test",
        nonce=b"once",
    ) == recipient.read(attested, root().certificate)


def test_a_document_has_the_layout_of_nitro() -> None:
    """COSE_Sign1 without its tag; the payload is a map in the hypervisor's order, with null for what is not said."""
    protected, unprotected, encoded, signature = cbor2.loads(document())

    assert (ES384, {}, 96) == (protected, unprotected, len(signature))
    assert list(payload().items()) == list(cbor2.loads(encoded).items())
    assert b"\x84\x44" == document()[:2]


def test_what_is_signed_by_hand_is_read_as_well() -> None:
    """Reading does not lean on writing; the tag 18 may stand in front, and more members are no harm."""
    by_hand = signed(payload(more="yes"))

    assert NOON == recipient.read(by_hand, root().certificate).timestamp
    assert NOON == recipient.read(b"\xd2" + by_hand, root().certificate).timestamp


@repeatable
@given(
    module_id=st.text(max_size=30),
    pcrs=st.dictionaries(st.integers(0, 31), st.binary(min_size=48, max_size=48), max_size=4),
    milliseconds=st.integers(0, 253402300799000),
    user_data=st.none() | st.binary(max_size=50),
    nonce=st.none() | st.binary(max_size=50),
)
def test_any_document_comes_back(
    module_id: str, pcrs: dict[int, bytes], milliseconds: int, user_data: bytes | None, nonce: bytes | None
) -> None:
    """Whatever names, measurements and times there are."""
    timestamp = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(milliseconds=milliseconds)

    attested = document(module_id=module_id, pcrs=pcrs, timestamp=timestamp, user_data=user_data, nonce=nonce)

    assert Attestation(module_id, timestamp, pcrs, public(), user_data, nonce) == recipient.read(
        attested, root().certificate
    )


def test_a_document_may_have_authorities_between_it_and_the_root() -> None:
    """AWS has three: of a Region, a zone and an instance."""
    region = recipient.issue(root(), "region", randomness(2), authority=True)
    instance = recipient.issue(region, "instance", randomness(3), authority=True)
    enclave = recipient.issue(instance, "enclave", randomness(4))

    assert (root().certificate, region.certificate, instance.certificate) == enclave.chain
    assert "i-1-enc2" == recipient.read(document(enclave), root().certificate).module_id


NO_DOCUMENTS = {
    "nothing": (b"", NO_CBOR),
    "text": (b"not a document", NO_CBOR),
    "nested without end": (b"\x81" * 100_000, NO_CBOR),
    "a number": (b"\x00", NO_COSE),
    "an array of three": (b"\x83\x40\xa0\x40", NO_COSE),
    "an array of five": (b"\x85\x40\xa0\x40\x40\x40", NO_COSE),
    "a payload that is null": (b"\x84\x44\xa1\x01\x38\x22\xa0\xf6\x40", NO_COSE),
    "an unprotected header": (b"\x84\x44\xa1\x01\x38\x22\xa1\x01\x02\x40\x40", NO_COSE),
    "ES256": (b"\x84\x43\xa1\x01\x26\xa0\x40\x58\x60" + bytes(96), NOT_ES384),
    "a short signature": (b"\x84\x44\xa1\x01\x38\x22\xa0\x40\x58\x40" + bytes(64), NOT_ES384),
    "a payload that is no CBOR": (
        b"\x84\x44\xa1\x01\x38\x22\xa0\x41\x61\x58\x60" + bytes(96),
        "the payload of the attestation document is no CBOR",
    ),
    "a payload that is no map": (
        b"\x84\x44\xa1\x01\x38\x22\xa0\x41\x80\x58\x60" + bytes(96),
        "the payload of the attestation document is no map",
    ),
}


@pytest.mark.parametrize(("garbage", "why"), NO_DOCUMENTS.values(), ids=NO_DOCUMENTS)
def test_what_is_no_document_is_refused_and_explained(garbage: bytes, why: str) -> None:
    """The reason names the first thing that is wrong."""
    assert why == refused(garbage)


@pytest.mark.parametrize("tag", [b"\xd1", b"\xd8\x62", b"\xd2\xd2"], ids=["COSE_Mac0", "COSE_Sign", "twice"])
def test_a_document_of_another_tag_is_refused(tag: bytes) -> None:
    """Only 18 says COSE_Sign1, and says it once."""
    assert NO_COSE == refused(tag + document())


@pytest.mark.parametrize("kept", [1, 2, 7, 100, -97, -1])
def test_a_cut_document_is_refused(kept: int) -> None:
    """Wherever it was cut."""
    assert NO_CBOR == refused(document()[:kept])


@pytest.mark.parametrize("extra", [b"\0", b"\xff", bytes(4000)], ids=len)
def test_a_document_with_more_behind_it_is_refused(extra: bytes) -> None:
    """Nothing may stand behind a document."""
    assert "the attestation document has bytes behind its end" == refused(document() + extra)


def test_a_document_followed_by_its_signature_is_refused() -> None:
    """Even if what stands behind it is a part of it."""
    attested = document()

    assert "the attestation document has bytes behind its end" == refused(attested + attested[-96:])


MEMBERS: dict[str, list[Any]] = {
    "module_id": [None, 7, b"i-1-enc2"],
    "digest": [None, "SHA256"],
    "timestamp": [None, -1, 1.5, True, "now", 253402300800000],
    "pcrs": [
        None, [], {"0": bytes(48)}, {32: bytes(48)}, {-1: bytes(48)}, {True: bytes(48)}, {0: bytes(32)}, {0: "0" * 48},
    ],
    "certificate": [None, "certificate"],
    "cabundle": [None, [], "bundle", ["certificate"]],
    "public_key": ["key", 7],
    "user_data": ["text", 7],
    "nonce": ["text", 7],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [pytest.param(name, value, id=f"{name}-{value!r:.20}") for name, values in MEMBERS.items() for value in values],
)
def test_a_member_that_no_enclave_writes_is_refused(name: str, value: object) -> None:
    """Even when it is signed."""
    assert f"the attestation document has no {name}, or one that no enclave writes" == refused(
        signed(payload(**{name: value}))
    )


@pytest.mark.parametrize("name", sorted(set(MEMBERS) - {"public_key", "user_data", "nonce"}))
def test_a_document_without_a_member_is_refused(name: str) -> None:
    """All but the last three must be there."""
    said = payload()
    del said[name]

    assert f"the attestation document has no {name}, or one that no enclave writes" == refused(signed(said))


def test_what_need_not_be_said_may_be_left_out() -> None:
    """AWS's definition makes them optional; the hypervisor writes null."""
    said = payload()
    del said["user_data"], said["nonce"]

    read = recipient.read(signed(said), root().certificate)

    assert (None, None) == (read.user_data, read.nonce)


@pytest.mark.parametrize("left_out", [False, True])
def test_a_document_without_public_key_is_refused(left_out: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """There is nothing to seal an answer to."""
    said = payload(public_key=None)
    if left_out:
        del said["public_key"]

    assert "the attestation document has no public key" == refused(signed(said))
    assert "the attestation document has no public key" == refused(document(public_key=None))


PUBLIC_KEYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "RSA of 1024 bits": (
        lambda: der(rsa_key(1024).public_key()),
        "the public key of the attestation document has 1024 bits; KMS wants 2048",
    ),
    "EC": (
        lambda: der(ec.generate_private_key(ec.SECP384R1()).public_key()),
        "the public key of the attestation document is not of RSA",
    ),
    "garbage": (lambda: b"key", "the public key of the attestation document is none that can be read"),
    "nothing": (lambda: b"", "the public key of the attestation document is none that can be read"),
    "cut": (lambda: public()[:-1], "the public key of the attestation document is none that can be read"),
    "PKCS#1": (
        lambda: rsa_key().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
        "the public key of the attestation document is no SubjectPublicKeyInfo",
    ),
}


@pytest.mark.parametrize(("make", "why"), [pytest.param(*row, id=name) for name, row in PUBLIC_KEYS.items()])
def test_a_public_key_that_kms_cannot_seal_to_is_refused(make: Callable[[], bytes], why: str) -> None:
    """It must be RSA of 2,048 bits or more, as SubjectPublicKeyInfo."""
    assert why == refused(document(public_key=make()))


def test_a_larger_public_key_is_good() -> None:
    """KMS's own documentation has 2,048 bits; its enclaves may have more."""
    key = rsa_key(3072)

    attestation = recipient.read(document(public_key=der(key.public_key())), root().certificate)

    assert b"x" == recipient.open_sealed(key, recipient.seal(attestation.public_key, b"x", randomness(0)))


# signatures


def test_an_altered_signature_is_refused() -> None:
    """Any byte of it."""
    attested = bytearray(document())
    for place in range(-96, 0):
        attested[place] ^= 1
        assert UNSIGNED == refused(bytes(attested))
        attested[place] ^= 1


@pytest.mark.parametrize("signature", [bytes(96), b"\xff" * 96], ids=["zeros", "ones"])
def test_a_signature_of_no_numbers_is_refused(signature: bytes) -> None:
    """As wrong, not as an error of ours."""
    assert UNSIGNED == refused(document()[:-96] + signature)


@pytest.mark.parametrize("changes", [{"module_id": "i-1-enc3"}, {"timestamp": 0}, {"pcrs": {0: bytes(48)}}], ids=str)
def test_an_altered_payload_is_refused(changes: dict[str, object]) -> None:
    """The signature of one payload does not verify for another."""
    other = cbor2.loads(signed(payload(**changes)))
    signature = document()[-96:]

    assert UNSIGNED == refused(cbor2.dumps([*other[:3], signature]))


@repeatable
@given(data=st.data())
def test_no_byte_of_a_document_can_be_changed(data: st.DataObject) -> None:
    """Each is refused with a reason, whatever it makes of the document."""
    attested = bytearray(document())
    attested[data.draw(st.integers(0, len(attested) - 1))] ^= data.draw(st.integers(1, 255))

    assert refused(bytes(attested))


@repeatable
@given(encoded=st.binary(max_size=60))
def test_any_garbage_is_refused(encoded: bytes) -> None:
    """Alone, or as a payload that was signed."""
    assert refused(encoded)
    assert refused(signed(encoded))


def test_a_document_signed_by_another_key_is_refused() -> None:
    """The certificate in the document says which key signs."""
    assert UNSIGNED == refused(signed(payload(), ec.generate_private_key(ec.SECP384R1())))


# chains


def certificate(
    key: Any,
    *,
    issuer: Identity | None = None,
    issuer_name: str = "aws.nitro-enclaves",
    constraints: x509.BasicConstraints | None = None,
) -> bytes:
    """Make a certificate of any kind, by hand."""

    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "pytest-kms"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    builder = (
        x509.CertificateBuilder()
        .subject_name(name("made by hand"))
        .issuer_name(name(issuer_name))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + dt.timedelta(days=1))
    )
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    made = builder.sign((issuer or root()).private_key, hashes.SHA384())
    return made.public_bytes(serialization.Encoding.DER)


def test_a_document_of_another_root_is_refused() -> None:
    """The root of another fake has the same name and is another one."""
    other = recipient.make_root(randomness(9))

    assert FOREIGN == refused(document(recipient.issue(other, "enclaves", randomness(1))))


def test_a_bundle_that_claims_the_root_is_refused() -> None:
    """Putting the root in front of a certificate that it never issued does not help."""
    forged = recipient.issue(recipient.make_root(randomness(9)), "enclaves", randomness(1))

    assert FOREIGN == refused(document(Identity(forged.certificate, (root().certificate,), forged.private_key)))


def test_a_bundle_in_the_wrong_order_is_refused() -> None:
    """The root comes first, the issuer last."""
    region = recipient.issue(root(), "region", randomness(2), authority=True)
    enclave = recipient.issue(region, "enclave", randomness(3))
    reverse = Identity(enclave.certificate, enclave.chain[::-1], enclave.private_key)

    assert FOREIGN == refused(document(reverse))


def test_the_certificate_of_an_enclave_vouches_for_nobody() -> None:
    """An enclave is no authority."""
    assert FOREIGN == refused(document(recipient.issue(leaf(), "another", randomness(2))))


@pytest.mark.parametrize("constraints", [None, x509.BasicConstraints(ca=False, path_length=None)], ids=["none", "no"])
def test_a_certificate_that_is_no_authority_vouches_for_nobody(constraints: x509.BasicConstraints | None) -> None:
    """Whether it says so or is silent."""
    key = ec.generate_private_key(ec.SECP384R1())
    middle = Identity(certificate(key, constraints=constraints), (root().certificate,), key)

    assert FOREIGN == refused(document(recipient.issue(middle, "enclave", randomness(2))))


def test_the_root_may_sign_by_itself() -> None:
    """A chain is as short as it gets."""
    itself = Identity(root().certificate, (root().certificate,), root().private_key)

    assert "i-1-enc2" == recipient.read(document(itself), root().certificate).module_id


VERSION_3 = bytes.fromhex("a003020102")


def leaf_with(version: bytes) -> bytes:
    """Change the version of a certificate, and what stands behind it."""
    place = leaf().certificate.index(VERSION_3)
    return leaf().certificate[:place] + version + leaf().certificate[place + len(version) :]


CERTIFICATES: dict[str, tuple[Callable[[], bytes], str]] = {
    "garbage": (lambda: b"certificate", FOREIGN),
    "nothing": (lambda: b"", FOREIGN),
    "cut": (lambda: leaf().certificate[:-1], FOREIGN),
    "with a byte behind it": (lambda: leaf().certificate + b"\0", FOREIGN),
    "altered": (lambda: leaf().certificate[:-1] + bytes([leaf().certificate[-1] ^ 1]), FOREIGN),
    "of a version that there is not": (lambda: leaf_with(VERSION_3[:-1] + b"\x11"), FOREIGN),
    "of a serial number below zero": (lambda: leaf_with(VERSION_3 + b"\x02\x0f\xff"), FOREIGN),
    "of another issuer's name": (lambda: certificate(leaf().private_key, issuer_name="another"), FOREIGN),
    "signed by another": (lambda: certificate(leaf().private_key, issuer=leaf()), FOREIGN),
    "of an RSA key": (lambda: certificate(rsa_key()), NOT_ES384),
    "of another curve": (lambda: certificate(ec.generate_private_key(ec.SECP256R1())), NOT_ES384),
}


@pytest.mark.parametrize(("make", "why"), [pytest.param(*row, id=name) for name, row in CERTIFICATES.items()])
def test_a_certificate_that_the_root_did_not_issue_for_es384_is_refused(make: Callable[[], bytes], why: str) -> None:
    """The document is genuine only if its certificate is."""
    assert why == refused(signed(payload(certificate=make())))


def test_certificates_are_those_of_authorities_and_signers() -> None:
    """P-384, signed with SHA-384, marked with what they may do, and good for any time that a fake is in."""
    for identity, authority in ((root(), True), (leaf(), False)):
        made = x509.load_der_x509_certificate(identity.certificate)
        usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = made.extensions.get_extension_for_class(x509.BasicConstraints).value
        key = made.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert ("secp384r1", "sha384") == (key.curve.name, getattr(made.signature_hash_algorithm, "name", None))
        assert (authority, authority, True) == (constraints.ca, usage.key_cert_sign, usage.digital_signature)
        assert (1970, 9999) == (made.not_valid_before_utc.year, made.not_valid_after_utc.year)
        assert len(identity.certificate) <= 1024  # the largest that AWS's definition of a document allows


@needs_openssl
def test_openssl_believes_the_chain(tmp_path: Path) -> None:
    """Any program that checks documents would."""
    for name, identity in (("root", root()), ("leaf", leaf())):
        made = x509.load_der_x509_certificate(identity.certificate)
        (tmp_path / name).write_bytes(made.public_bytes(serialization.Encoding.PEM))

    told = openssl("verify", "-x509_strict", "-CAfile", tmp_path / "root", tmp_path / "leaf")

    assert told.endswith(b"leaf: OK\n")


@pytest.mark.parametrize("random_bytes", [lambda n: b"\0" * n, lambda n: b"\xff" * n], ids=["zeros", "ones"])
def test_any_random_bytes_make_an_identity(random_bytes: Callable[[int], bytes]) -> None:
    """The smallest and the largest numbers are keys and serial numbers too."""
    authority = recipient.make_root(random_bytes)

    assert (
        "i-1-enc2"
        == recipient.read(
            document(recipient.issue(authority, "enclaves", random_bytes)), authority.certificate
        ).module_id
    )


def test_equal_random_bytes_make_equal_keys() -> None:
    """A seed repeats them; another one does not."""

    def public_key(seed: int) -> ec.EllipticCurvePublicNumbers:
        return recipient.make_root(randomness(seed)).private_key.public_key().public_numbers()

    assert public_key(5) == public_key(5)
    assert public_key(5) != public_key(6)


def test_an_identity_does_not_show_its_private_key() -> None:
    """`repr` tells certificates alone."""
    assert "private_key" not in repr(leaf())


# envelopes


def openssl(*arguments: str | Path) -> bytes:
    """Run openssl and return what it writes."""
    assert OPENSSL is not None
    done = subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)  # noqa: S603  # our own command
    return done.stdout


def private_pem(folder: Path) -> Path:
    """Write the enclave's private key into a file."""
    path = folder / "key.pem"
    path.write_bytes(
        rsa_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def sealed(plaintext: bytes = b"x", seed: int = 0) -> bytes:
    """Seal a plaintext to the enclave."""
    return recipient.seal(public(), plaintext, randomness(seed))


def shut(envelope: bytes, key: rsa.RSAPrivateKey | None = None) -> str:
    """Expect an envelope not to open; return why."""
    with pytest.raises(Malformed) as excinfo:
        recipient.open_sealed(key or rsa_key(), envelope)
    return excinfo.value.why


@repeatable
@given(plaintext=st.binary(max_size=6144))
def test_what_was_sealed_comes_back(plaintext: bytes) -> None:
    """Any plaintext that KMS has: up to a private key or 6,144 bytes."""
    assert plaintext == recipient.open_sealed(rsa_key(), sealed(plaintext))


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 6144])
def test_what_was_sealed_comes_back_at_the_edges(length: int) -> None:
    """Padding fills a block, or is one."""
    assert bytes(length) == recipient.open_sealed(rsa_key(), sealed(bytes(length)))


@needs_openssl
@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(range(256)) * 24], ids=len)
def test_openssl_opens_what_was_sealed(tmp_path: Path, plaintext: bytes) -> None:
    """The envelope is CMS as others understand it."""
    path = tmp_path / "sealed"
    path.write_bytes(sealed(plaintext))

    assert plaintext == openssl(
        "cms", "-decrypt", "-inform", "DER", "-in", path, "-inkey", private_pem(tmp_path), "-binary"
    )


@needs_openssl
@pytest.mark.parametrize("length", [0, 1, 32, 100_000])
@pytest.mark.parametrize("form", [(), ("-stream",)], ids=["DER", "BER"])
def test_what_openssl_seals_is_opened(tmp_path: Path, form: tuple[str, ...], length: int) -> None:
    """AWS writes BER: lengths may be indefinite, and content may come in pieces."""
    plaintext = randomness(length)(length)
    (tmp_path / "plaintext").write_bytes(plaintext)
    builder = x509.CertificateBuilder(subject_name=x509.Name([]), issuer_name=x509.Name([]))
    extension = x509.SubjectKeyIdentifier.from_public_key(rsa_key().public_key())
    owner = (
        builder.public_key(rsa_key().public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + dt.timedelta(days=1))
        .add_extension(extension, critical=False)
        .sign(rsa_key(), hashes.SHA256())
    )
    (tmp_path / "owner").write_bytes(owner.public_bytes(serialization.Encoding.PEM))

    envelope = openssl(
        "cms", "-encrypt", "-in", tmp_path / "plaintext", "-outform", "DER", "-aes256", "-binary", "-keyid", *form,
        "-recip", tmp_path / "owner", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256",
        "-keyopt", "rsa_mgf1_md:sha256",
    )  # fmt: skip

    assert plaintext == recipient.open_sealed(rsa_key(), envelope)
    assert (b"\x30\x80" == envelope[:2]) == bool(form)


def test_an_envelope_has_the_structure_of_kms() -> None:
    """Versions, identifiers and algorithms, each as AWS has them."""
    info = cms.ContentInfo.load(sealed(b"sixteen and more"), strict=True)
    envelope = info["content"]
    (chosen,) = envelope["recipient_infos"]
    transport, encrypted = chosen.chosen, envelope["encrypted_content_info"]

    assert "enveloped_data" == info["content_type"].native
    assert ("v2", "ktri", "v2") == (envelope["version"].native, chosen.name, transport["version"].native)
    assert "subject_key_identifier" == transport["rid"].name
    assert x509.SubjectKeyIdentifier.from_public_key(rsa_key().public_key()).digest == transport["rid"].native
    assert {
        "algorithm": "rsaes_oaep",
        "parameters": {
            "hash_algorithm": {"algorithm": "sha256", "parameters": None},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256", "parameters": None}},
            "p_source_algorithm": {"algorithm": "p_specified", "parameters": b""},
        },
    } == transport["key_encryption_algorithm"].native
    assert 256 == len(transport["encrypted_key"].native)
    assert "data" == encrypted["content_type"].native
    assert "aes256_cbc" == encrypted["content_encryption_algorithm"]["algorithm"].native
    assert 16 == len(encrypted["content_encryption_algorithm"]["parameters"].native)
    assert 32 == len(encrypted["encrypted_content"].native)
    assert envelope["originator_info"].native is None
    assert envelope["unprotected_attrs"].native is None
    assert sealed()[:15] == bytes.fromhex("3082") + sealed()[2:4] + bytes.fromhex("06092a864886f70d010703")


def test_content_key_and_iv_are_the_random_bytes() -> None:
    """A seed repeats them, and with them the content."""

    def parts(seed: int) -> tuple[bytes, bytes, bytes]:
        envelope = cms.ContentInfo.load(sealed(b"content", seed))["content"]
        transport, encrypted = envelope["recipient_infos"][0].chosen, envelope["encrypted_content_info"]
        oaep = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return (
            rsa_key().decrypt(transport["encrypted_key"].native, oaep),
            encrypted["content_encryption_algorithm"]["parameters"].native,
            encrypted["encrypted_content"].native,
        )

    fresh = randomness(7)(48)
    assert (fresh[:32], fresh[32:]) == parts(7)[:2]
    assert parts(7) == parts(7)
    assert not set(parts(7)) & set(parts(8))


def test_no_plaintext_is_in_an_envelope() -> None:
    """Nor is the content key."""
    envelope = sealed(b"correct horse battery staple", seed=3)

    assert b"horse" not in envelope
    assert randomness(3)(32) not in envelope


def test_an_envelope_for_another_enclave_does_not_open() -> None:
    """Whatever size its key has."""
    assert "it was sealed for another enclave" == shut(sealed(), rsa_key(number=1))
    assert "it was sealed for another enclave" == shut(sealed(), rsa_key(3072))


def changed(*path: str, value: object) -> bytes:
    """Put another value into an envelope."""
    info = cms.ContentInfo.load(sealed())
    place = info["content"]
    for name in path[:-1]:
        place = place[0].chosen if name == "recipient" else place[name]
    place[path[-1]] = value
    return bytes(info.dump(force=True))


OTHER_OAEP = {"algorithm": "rsaes_pkcs1v15"}
OTHER_CONTENT = {"algorithm": "aes128_cbc", "parameters": bytes(16)}
CHANGES = {
    "the content key": (("recipient_infos", "recipient", "encrypted_key"), bytes(256), "it was altered"),
    "the length of the content key": (("recipient_infos", "recipient", "encrypted_key"), bytes(255), "it was altered"),
    "the content": (("encrypted_content_info", "encrypted_content"), bytes(16), "it was altered"),
    "the length of the content": (("encrypted_content_info", "encrypted_content"), bytes(15), "it was altered"),
    "no content": (("encrypted_content_info", "encrypted_content"), None, OTHER_ENVELOPE),
    "the length of the IV": (
        ("encrypted_content_info", "content_encryption_algorithm", "parameters"), bytes(15), "it was altered",
    ),
    "the cipher": (("encrypted_content_info", "content_encryption_algorithm"), OTHER_CONTENT, OTHER_ENVELOPE),
    "the key's cipher": (
        ("recipient_infos", "recipient", "key_encryption_algorithm"), OTHER_OAEP, OTHER_ENVELOPE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "why"), CHANGES.values(), ids=CHANGES)
def test_an_altered_envelope_does_not_open(path: tuple[str, ...], value: object, why: str) -> None:
    """The reason says as much as can be known; CBC itself authenticates nothing."""
    assert why == shut(changed(*path, value=value))


def test_an_envelope_that_names_its_key_by_certificate_does_not_open() -> None:
    """Enclaves have none: KMS names the key by an identifier."""
    issuer = asn1_x509.Name.build({"common_name": "x"})
    rid = cms.RecipientIdentifier("issuer_and_serial_number", {"issuer": issuer, "serial_number": 1})

    assert OTHER_ENVELOPE == shut(changed("recipient_infos", "recipient", "rid", value=rid))


NO_ENVELOPES: dict[str, Callable[[], Any]] = {
    "nothing": lambda: b"",
    "text": lambda: b"not an envelope",
    "nothing at all": lambda: None,
    "base64": lambda: "MIIB",
    "cut": lambda: sealed()[:-1],
    "cut to its head": lambda: sealed()[:20],
    "with a byte behind it": lambda: sealed() + b"\0",
    "CMS of another kind": lambda: cms.ContentInfo({"content_type": "data", "content": b"x"}).dump(),
    "a certificate": lambda: leaf().certificate,
    "two recipients": lambda: recipients(2),
    "no recipient": lambda: recipients(0),
}


def recipients(number: int) -> bytes:
    """Repeat the recipient of an envelope."""
    recipient_infos = cms.ContentInfo.load(sealed())["content"]["recipient_infos"]
    return changed("recipient_infos", value=[recipient_infos[0]] * number)


@pytest.mark.parametrize("make", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_what_is_no_envelope_does_not_open(make: Callable[[], Any]) -> None:
    """With a reason, whatever it is."""
    assert NO_ENVELOPE == shut(make())


@repeatable
@given(data=st.data())
def test_a_byte_changed_in_an_envelope_is_no_error_of_ours(data: st.DataObject) -> None:
    """It does not open, or opens as something else."""
    envelope = bytearray(sealed(bytes(40)))
    envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= data.draw(st.integers(1, 255))

    with suppress(Malformed):
        recipient.open_sealed(rsa_key(), bytes(envelope))


@repeatable
@given(garbage=st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: sealed()[:60] + tail))
def test_garbage_does_not_open(garbage: bytes) -> None:
    """Whatever it is, it is no envelope."""
    assert shut(garbage)


# the extra


@pytest.mark.parametrize("name", ["cbor2", "asn1crypto"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """And so is what to install."""
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(NotSupported) as excinfo:
        recipient.expect_extra()

    needs = "this needs a library that is not installed: pip install 'pytest-kms[enclave]'"
    assert f"pytest-kms: Nitro enclaves: {needs}" == str(excinfo.value)


NEEDS: dict[str, tuple[str, Callable[[], object]]] = {
    "attest": ("cbor2", document),
    "read": ("cbor2", lambda: recipient.read(b"\x80", b"")),
    "seal": ("asn1crypto", sealed),
    "open_sealed": ("asn1crypto", lambda: recipient.open_sealed(rsa_key(), b"")),
}


@pytest.mark.parametrize(("name", "call"), NEEDS.values(), ids=NEEDS)
def test_what_needs_a_missing_library_says_so(
    monkeypatch: pytest.MonkeyPatch, name: str, call: Callable[[], object]
) -> None:
    """Nothing is swallowed as a malformed document."""
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(NotSupported, match=r"install 'pytest-kms\[enclave\]'"):
        call()


def test_all_is_well_where_the_libraries_are() -> None:
    """Nothing is refused."""
    recipient.expect_extra()
