"""What the parameter `Recipient` is made of: attestation documents, and envelopes that only an enclave opens.

A document is COSE_Sign1 (RFC 9052), signed with ES384 by a certificate that a root vouches for. Its payload is a
CBOR map, member by member as AWS's Nitro hypervisor writes it. An envelope is CMS EnvelopedData (RFC 5652): a
content key for AES-256-CBC, sealed with RSAES-OAEP and SHA-256 to the public key in the document.

CBOR and CMS are read and written by libraries that only this needs: the extra `enclave`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any, Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.x509.oid import NameOID

from pytest_kms.errors import NotInstalled

KEY_ENCRYPTION_ALGORITHM: Final = "RSAES_OAEP_SHA_256"

PCRS = range(32)
PCR_BYTES = 48

_PROTECTED = bytes.fromhex("a1013822")  # {1: -35}, which says ES384
_TAG = b"\xd2"  # CBOR's tag 18. The hypervisor leaves it out.
_COORDINATE_BYTES = 48
_MIN_RSA_BITS = 2048
_CONTENT_KEY_BYTES = 32
_IV_BYTES = 16
_BLOCK_BITS = 128

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MILLISECOND = dt.timedelta(milliseconds=1)
# "No well-defined expiration date" (RFC 5280, 4.1.2.5): a fake's time may go anywhere.
_END_OF_TIME = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.timezone.utc)

_PUBLIC_KEY = "the public key of the attestation document"
_FOREIGN = "the attestation document was not made by an enclave of this fake"


class Malformed(Exception):
    """A document that KMS would not believe, or an envelope that does not open; `why` tells, in our words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a document says that was found to be genuine.

    `pcrs` has 48 bytes for each number, `public_key` is DER (SubjectPublicKeyInfo, RSA), `timestamp` an aware
    UTC datetime in whole milliseconds.
    """

    module_id: str
    timestamp: dt.datetime
    pcrs: Mapping[int, bytes]
    public_key: bytes
    user_data: bytes | None
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (DER), those that vouch for it from the root on, and the key that signs in its name."""

    certificate: bytes
    chain: tuple[bytes, ...]
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)


def expect_extra() -> None:
    """Refuse to go on without the libraries of the extra `enclave`."""
    _extra("cbor2")
    _extra("asn1crypto.cms")


def spki(public_key: rsa.RSAPublicKey) -> bytes:
    """Write a public key as documents have it: SubjectPublicKeyInfo in DER."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


# documents


def attest(
    identity: Identity,
    *,
    module_id: str,
    pcrs: Mapping[int, bytes],
    timestamp: dt.datetime,
    public_key: bytes | None,
    user_data: bytes | None = None,
    nonce: bytes | None = None,
) -> bytes:
    """Write and sign the attestation document of an enclave, which an aware datetime stamps."""
    cbor2 = _extra("cbor2")
    payload: bytes = cbor2.dumps(
        {
            "module_id": module_id,
            "digest": "SHA384",
            "timestamp": (timestamp - _EPOCH) // _MILLISECOND,
            "pcrs": dict(pcrs),
            "certificate": identity.certificate,
            "cabundle": list(identity.chain),
            "public_key": public_key,
            "user_data": user_data,
            "nonce": nonce,
        }
    )
    r, s = decode_dss_signature(identity.private_key.sign(_to_be_signed(payload), ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
    document: bytes = cbor2.dumps([_PROTECTED, {}, payload, signature])
    return document


def read(document: bytes, root: bytes) -> Attestation:
    """Read an attestation document and check that `root` (a certificate, DER) vouches for all that it says.

    Dates of certificates are not looked at, since ours never expire; nor is the age of the document.

    Raises:
        Malformed: it is no such document, something signed it that the root does not know, it was altered, or
            it has no public key to seal an answer to.

    """
    payload, signature = _unpack(document)
    said = _members(payload)
    _verify(_signer(said["certificate"], said["cabundle"], root), payload, signature)
    if said["public_key"] is None:
        raise Malformed("the attestation document has no public key")
    _expect_rsa(said["public_key"])
    return Attestation(
        module_id=said["module_id"],
        timestamp=_EPOCH + said["timestamp"] * _MILLISECOND,
        pcrs=said["pcrs"],
        public_key=said["public_key"],
        user_data=said["user_data"],
        nonce=said["nonce"],
    )


def _unpack(document: bytes) -> tuple[bytes, bytes]:
    """Take COSE_Sign1 apart into what is signed and the signature."""
    document = document.removeprefix(_TAG)
    match _cbor(document, "the attestation document"):
        case [bytes(protected), {**unprotected}, bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise Malformed("the attestation document is no COSE_Sign1")
    if protected != _PROTECTED or len(signature) != 2 * _COORDINATE_BYTES:
        raise Malformed("the attestation document is not signed with ES384")
    # The shortest encoding is the only one that enclaves write, so that there is one for each document.
    if document != _extra("cbor2").dumps([protected, {}, payload, signature]):
        raise Malformed("the attestation document has bytes behind its end")
    return payload, signature


def _is_blob(value: object) -> bool:
    return isinstance(value, bytes)


def _is_blob_or_none(value: object) -> bool:
    return value is None or isinstance(value, bytes)


def _is_timestamp(value: object) -> bool:
    return type(value) is int and 0 <= value <= (_END_OF_TIME - _EPOCH) // _MILLISECOND


def _are_pcrs(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        type(number) is int and number in PCRS and isinstance(pcr, bytes) and len(pcr) == PCR_BYTES
        for number, pcr in value.items()
    )


def _is_bundle(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) > 0 and all(map(_is_blob, value))


_MEMBERS: dict[str, Callable[[object], bool]] = {
    "module_id": lambda value: isinstance(value, str),
    "digest": lambda value: value == "SHA384",
    "timestamp": _is_timestamp,
    "pcrs": _are_pcrs,
    "certificate": _is_blob,
    "cabundle": _is_bundle,
    "public_key": _is_blob_or_none,
    "user_data": _is_blob_or_none,
    "nonce": _is_blob_or_none,
}
"""What the payload says, and what each member must look like."""


def _members(payload: bytes) -> dict[str, Any]:
    said = _cbor(payload, "the payload of the attestation document")
    if not isinstance(said, Mapping):
        raise Malformed("the payload of the attestation document is no map")
    for name, fits in _MEMBERS.items():
        if not fits(said.get(name)):
            raise Malformed(f"the attestation document has no {name}, or one that no enclave writes")
    return {name: said.get(name) for name in _MEMBERS}


_DISTRUST = (
    InvalidSignature, TypeError, UnsupportedAlgorithm, ValueError, Warning, x509.ExtensionNotFound, x509.InvalidVersion,
)  # fmt: skip
"""How the library says that a certificate cannot be read, or that its issuer did not sign it.

Of some damage it only warns, which is an exception where warnings are errors.
"""


def _signer(certificate: bytes, bundle: Sequence[bytes], root: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a certificate that stands at the end of a chain from the root."""
    if bundle[0] != root:
        raise Malformed(_FOREIGN)
    try:
        chain = [x509.load_der_x509_certificate(each) for each in (*bundle, certificate)]
        for issuer, issued in pairwise(chain):
            issued.verify_directly_issued_by(issuer)
            _expect_authority(issuer)
        signer = chain[-1].public_key()
    except _DISTRUST:
        raise Malformed(_FOREIGN) from None
    if not isinstance(signer, ec.EllipticCurvePublicKey) or not isinstance(signer.curve, ec.SECP384R1):
        raise Malformed("the attestation document is not signed with ES384")
    return signer


def _expect_authority(certificate: x509.Certificate) -> None:
    if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ValueError("the certificate may not vouch for another")


def _verify(signer: ec.EllipticCurvePublicKey, payload: bytes, signature: bytes) -> None:
    r, s = (int.from_bytes(half, "big") for half in (signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]))
    try:
        signer.verify(encode_dss_signature(r, s), _to_be_signed(payload), ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        raise Malformed("the attestation document's signature does not verify") from None


def _to_be_signed(payload: bytes) -> bytes:
    """Write COSE's Sig_structure."""
    signed: bytes = _extra("cbor2").dumps(["Signature1", _PROTECTED, b"", payload])
    return signed


def _expect_rsa(public_key: bytes) -> None:
    try:
        key = serialization.load_der_public_key(public_key)
    except (UnsupportedAlgorithm, ValueError):
        raise Malformed(f"{_PUBLIC_KEY} is none that can be read") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Malformed(f"{_PUBLIC_KEY} is not of RSA")
    # The library reads PKCS#1 as well.
    if spki(key) != public_key:
        raise Malformed(f"{_PUBLIC_KEY} is no SubjectPublicKeyInfo")
    if key.key_size < _MIN_RSA_BITS:
        raise Malformed(f"{_PUBLIC_KEY} has {key.key_size} bits; KMS wants 2048")


# who signs documents


def make_root(random_bytes: Callable[[int], bytes]) -> Identity:
    """Make an authority that vouches for itself."""
    return _certified("aws.nitro-enclaves", random_bytes, issuer=None, authority=True)


def issue(issuer: Identity, name: str, random_bytes: Callable[[int], bytes], *, authority: bool = False) -> Identity:
    """Make an identity that another one vouches for: one that signs documents, or one that vouches in its turn."""
    return _certified(name, random_bytes, issuer=issuer, authority=authority)


def _certified(
    name: str, random_bytes: Callable[[int], bytes], *, issuer: Identity | None, authority: bool
) -> Identity:
    # One byte less than the curve's order has: never too large, and random enough for test keys.
    private_key = ec.derive_private_key(int.from_bytes(random_bytes(47), "big") + 1, ec.SECP384R1())
    signing_key = issuer.private_key if issuer else private_key
    subject = _name(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.load_der_x509_certificate(issuer.certificate).subject if issuer else subject)
        .public_key(private_key.public_key())
        .serial_number(int.from_bytes(random_bytes(15), "big") + 1)
        .not_valid_before(_EPOCH)
        .not_valid_after(_END_OF_TIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_key_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA384())
    )
    return Identity(
        certificate=certificate.public_bytes(serialization.Encoding.DER),
        chain=(*issuer.chain, issuer.certificate) if issuer else (),
        private_key=private_key,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "pytest-kms"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


# envelopes


def seal(public_key: bytes, plaintext: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """Put a plaintext into an envelope (DER) to a public key (DER) that `read` has found good.

    RSA's own randomness is that of the library: no seed repeats it.
    """
    cms = _extra("asn1crypto.cms")
    recipient = cast("rsa.RSAPublicKey", serialization.load_der_public_key(public_key))
    fresh = random_bytes(_CONTENT_KEY_BYTES + _IV_BYTES)
    content_key, iv = fresh[:_CONTENT_KEY_BYTES], fresh[_CONTENT_KEY_BYTES:]
    padder, encryptor = padding.PKCS7(_BLOCK_BITS).padder(), Cipher(AES(content_key), CBC(iv)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    sha256 = {"algorithm": "sha256"}
    key_transport = {
        "version": "v2",
        "rid": cms.RecipientIdentifier("subject_key_identifier", _key_identifier(recipient)),
        "key_encryption_algorithm": {
            "algorithm": "rsaes_oaep",
            "parameters": {
                "hash_algorithm": sha256,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": sha256},
            },
        },
        "encrypted_key": recipient.encrypt(content_key, _oaep()),
    }
    envelope = {
        "version": "v2",
        "recipient_infos": [cms.RecipientInfo("ktri", key_transport)],
        "encrypted_content_info": {
            "content_type": "data",
            "content_encryption_algorithm": {"algorithm": "aes256_cbc", "parameters": iv},
            "encrypted_content": encryptor.update(padded) + encryptor.finalize(),
        },
    }
    sealed: bytes = cms.ContentInfo({"content_type": "enveloped_data", "content": envelope}).dump()
    return sealed


def open_sealed(private_key: rsa.RSAPrivateKey, sealed: bytes) -> bytes:
    """Take the plaintext out of an envelope, DER or BER.

    Raises:
        Malformed: it is no envelope, one for another key, or one that was altered.

    """
    envelope = _parse(sealed)
    try:
        content_key = private_key.decrypt(envelope.encrypted_key, _oaep())
    except ValueError:
        if envelope.key_identifier != _key_identifier(private_key.public_key()):
            raise Malformed("it was sealed for another enclave") from None
        raise Malformed("it was altered") from None
    try:
        decryptor = Cipher(AES(content_key), CBC(envelope.iv)).decryptor()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(decryptor.update(envelope.content) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise Malformed("it was altered") from None


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The parts of an envelope."""

    key_identifier: bytes
    encrypted_key: bytes
    iv: bytes
    content: bytes


def _parse(sealed: bytes) -> _Envelope:
    cms = _extra("asn1crypto.cms")
    try:
        envelope = cms.ContentInfo.load(sealed, strict=True)["content"]
        (recipient,) = envelope["recipient_infos"]
        transport, encrypted = recipient.chosen, envelope["encrypted_content_info"]
        transport_algorithm = transport["key_encryption_algorithm"]["algorithm"].native
        content_algorithm = encrypted["content_encryption_algorithm"]
        algorithms = transport_algorithm, content_algorithm["algorithm"].native
        parts = (
            transport["rid"].chosen.native,
            transport["encrypted_key"].native,
            content_algorithm["parameters"].native,
            encrypted["encrypted_content"].native,
        )
    # asn1crypto reads a part when it is asked for, and says by many exceptions that it is not there.
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise Malformed("it is no CMS envelope, or was cut") from None
    if algorithms != ("rsaes_oaep", "aes256_cbc") or not all(map(_is_blob, parts)):
        raise Malformed("it is no CMS envelope of RSAES-OAEP and AES-256-CBC to a key that an identifier names")
    return _Envelope(*parts)


def _key_identifier(public_key: rsa.RSAPublicKey) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def _oaep() -> rsa_padding.OAEP:
    return rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


# the libraries


def _cbor(encoded: bytes, what: str) -> Any:
    cbor2 = _extra("cbor2")
    try:
        return cbor2.loads(encoded)
    except (cbor2.CBORDecodeError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        raise Malformed(f"{what} is no CBOR") from None


def _extra(name: str) -> Any:
    """Import a library, or a module of one, that most users do without."""
    try:
        import_module(name.partition(".")[0])
        return import_module(name)
    except ImportError:
        raise NotInstalled("Nitro enclaves", extra="enclave") from None
