"""A Nitro enclave as a test holds it in its hand."""

from __future__ import annotations

import datetime as dt
import random
import reprlib
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pytest_kms import NotSupported, UsageError
from pytest_kms.crypto import recipient
from pytest_kms.state.enclave import Enclave, NitroRoot

pytest.importorskip("cbor2")
pytest.importorskip("asn1crypto")

MODULE_ID = "i-1234567890abcdef0-enc9876543210abcde"
START = dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone.utc)


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Make an RSA key once; `number` tells several apart."""
    return rsa.generate_private_key(65537, 2048)


def randomness(seed: int) -> Callable[[int], bytes]:
    """Give bytes that repeat."""
    return random.Random(seed).randbytes  # noqa: S311  # repeatable on purpose


@pytest.fixture
def root() -> NitroRoot:
    """Vouch for the enclaves of a test."""
    return NitroRoot(randomness(0))


def enclave_of(root: NitroRoot, **changes: Any) -> Enclave:
    """Make an enclave, with changes."""
    arguments: dict[str, Any] = {
        "module_id": MODULE_ID,
        "private_key": rsa_key(),
        "identity": root.identity,
        "now": lambda: START,
    }
    return Enclave(**arguments | changes)


def attestation_of(root: NitroRoot, enclave: Enclave) -> recipient.Attestation:
    """Read the document that an enclave writes now."""
    return recipient.read(enclave.attestation_document, root.certificate)


def test_an_enclave_without_measurements_is_in_debug_mode(root: NitroRoot) -> None:
    """All of PCR0 to PCR15 are zero."""
    for enclave in (enclave_of(root), enclave_of(root, pcrs=None), enclave_of(root, pcrs={})):
        assert {number: bytes(48) for number in range(16)} == enclave.pcrs
        assert "0" * 96 == enclave.image_sha384


@pytest.mark.parametrize("given", [b"\xab" * 48, "ab" * 48, "AB" * 48], ids=["bytes", "hex", "upper case"])
def test_a_measurement_is_bytes_or_hex_digits(root: NitroRoot, given: str | bytes) -> None:
    """It is shown as bytes, and that of the image as hex digits too; the others stay zero."""
    enclave = enclave_of(root, pcrs={0: given, 8: given})

    assert {number: b"\xab" * 48 if number in (0, 8) else bytes(48) for number in range(16)} == enclave.pcrs
    assert "ab" * 48 == enclave.image_sha384


def test_measurements_may_go_on_to_31(root: NitroRoot) -> None:
    """They stand in order."""
    assert [*range(16), 20, 31] == list(enclave_of(root, pcrs={31: bytes(48), 20: bytes(48)}).pcrs)


@pytest.mark.parametrize(
    "value",
    ["", "ab" * 47, "zz" * 48, "ab" * 47 + " a", "ab" * 48 + "\n", b"ab", b"ab" * 48, bytearray(48), 0, None],
)
def test_what_is_no_measurement_is_refused(root: NitroRoot, value: object) -> None:
    """The refusal says which one, and what one is."""
    with pytest.raises(UsageError) as excinfo:
        enclave_of(root, pcrs={3: value})

    assert (f"pytest-kms: PCR3 is {reprlib.repr(value)}; a PCR is 48 bytes, or 96 hex digits") == str(excinfo.value)


@pytest.mark.parametrize("number", [-1, 32, "0", True, None, 1.0], ids=repr)
def test_a_number_that_no_measurement_has_is_refused(root: NitroRoot, number: object) -> None:
    """Nitro has 32."""
    with pytest.raises(UsageError) as excinfo:
        enclave_of(root, pcrs={number: bytes(48)})

    assert f"pytest-kms: an enclave has no PCR {number!r}; it has 0 to 31" == str(excinfo.value)


@pytest.mark.parametrize("pcrs", [[], ["ab" * 48], "ab" * 48], ids=["empty", "list", "string"])
def test_measurements_without_numbers_are_refused(root: NitroRoot, pcrs: object) -> None:
    """The refusal shows the form."""
    with pytest.raises(UsageError, match="is no mapping of numbers to measurements, {0: ...}"):
        enclave_of(root, pcrs=pcrs)


def test_an_enclave_does_not_change(root: NitroRoot) -> None:
    """Neither by its attributes nor by what it was made from."""
    given: dict[int, str | bytes] = {0: "ab" * 48}
    enclave = enclave_of(root, pcrs=given)
    given[0] = "cd" * 48

    assert "ab" * 48 == enclave.image_sha384
    for name in ("pcrs", "module_id", "image_sha384", "recipient", "other"):
        with pytest.raises(AttributeError):
            setattr(enclave, name, None)
    with pytest.raises(TypeError):
        enclave.pcrs[0] = bytes(48)  # type: ignore[index]


def test_the_document_says_what_the_enclave_is(root: NitroRoot) -> None:
    """The root of the fake vouches for it."""
    enclave = enclave_of(root, pcrs={0: "ab" * 48})

    assert recipient.Attestation(
        module_id=MODULE_ID,
        timestamp=START,
        pcrs=enclave.pcrs,
        public_key=rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        user_data=None,
        nonce=None,
    ) == attestation_of(root, enclave)


def test_each_document_is_stamped_anew(root: NitroRoot) -> None:
    """With the present moment of the fake, in milliseconds."""
    moments = [START, START + dt.timedelta(days=8, microseconds=1999)]
    enclave = enclave_of(root, now=lambda: moments[0])

    assert START == attestation_of(root, enclave).timestamp
    del moments[0]
    assert START + dt.timedelta(days=8, milliseconds=1) == attestation_of(root, enclave).timestamp


def test_the_recipient_is_boto3s_parameter(root: NitroRoot) -> None:
    """The one algorithm that there is, and a new document."""
    parameter = enclave_of(root).recipient

    assert {"KeyEncryptionAlgorithm", "AttestationDocument"} == set(parameter)
    assert "RSAES_OAEP_SHA_256" == parameter["KeyEncryptionAlgorithm"]
    document = parameter["AttestationDocument"]
    assert isinstance(document, bytes)
    assert MODULE_ID == recipient.read(document, root.certificate).module_id


def test_an_enclave_opens_what_was_sealed_to_its_document(root: NitroRoot) -> None:
    """KMS has nothing but the document."""
    enclave = enclave_of(root)

    answer = recipient.seal(attestation_of(root, enclave).public_key, b"plaintext", randomness(1))

    assert b"plaintext" == enclave.open(answer)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda answer: answer[:-1], "it is no CMS envelope, or was cut"),
        (lambda _: b"", "it is no CMS envelope, or was cut"),
        (lambda _: None, "it is no CMS envelope, or was cut"),
        (lambda answer: answer[:-16] + bytes(16), "it was altered"),
    ],
    ids=["cut", "empty", "None", "altered"],
)
def test_what_does_not_open_is_explained(root: NitroRoot, damage: Any, why: str) -> None:
    """The message says what is wrong and what would open."""
    enclave = enclave_of(root)
    answer = recipient.seal(attestation_of(root, enclave).public_key, b"x", randomness(1))

    with pytest.raises(UsageError) as excinfo:
        enclave.open(damage(answer))

    assert (
        f"pytest-kms: the enclave {MODULE_ID} cannot open this: {why}."
        " It opens the CiphertextForRecipient of a call that had its `enclave.recipient` as Recipient."
    ) == str(excinfo.value)


def test_an_enclave_does_not_open_what_is_anothers(root: NitroRoot) -> None:
    """Each has its own key."""
    enclave, other = enclave_of(root), enclave_of(root, private_key=rsa_key(1))
    answer = recipient.seal(attestation_of(root, other).public_key, b"x", randomness(1))

    with pytest.raises(UsageError, match="cannot open this: it was sealed for another enclave. It opens"):
        enclave.open(answer)


def test_an_enclave_shows_no_key(root: NitroRoot) -> None:
    """`repr` and `str` tell it by its name and its image; nothing else is there to be shown."""
    enclave = enclave_of(root, pcrs={0: "ab" * 48})

    assert f"Enclave(module_id='{MODULE_ID}', image_sha384='{'ab' * 48}')" == repr(enclave) == str(enclave)
    assert not hasattr(enclave, "__dict__")


@pytest.mark.parametrize("name", ["cbor2", "asn1crypto"])
def test_an_enclave_needs_the_extra(root: NitroRoot, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The test is told when it makes one, not when the application uses it."""
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(NotSupported, match=r"install 'pytest-kms\[enclave\]'"):
        enclave_of(root)


def test_a_root_is_made_once_and_late() -> None:
    """A fake without enclaves draws no random bytes for them."""
    drawn: list[int] = []

    def random_bytes(number: int) -> bytes:
        drawn.append(number)
        return randomness(0)(number)

    root = NitroRoot(random_bytes)
    assert [] == drawn

    assert root.certificate is root.certificate
    assert root.identity is root.identity
    assert (root.certificate,) == root.identity.chain
    assert 4 == len(drawn)


def test_fakes_do_not_believe_each_others_enclaves(root: NitroRoot) -> None:
    """Each has a root of its own."""
    document = enclave_of(NitroRoot(randomness(1))).attestation_document

    with pytest.raises(recipient.Malformed, match="was not made by an enclave of this fake"):
        recipient.read(document, root.certificate)
