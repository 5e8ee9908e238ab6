"""Recipient: what an operation answers to a Nitro enclave, which alone can open it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from answers import error_of, invalid, members_of, unchecked
from optional import needs_enclave

from pytest_kms import FakeKMS, Key, UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import RecipientInfoTypeDef

pytestmark = [pytest.mark.kms(region="us-east-1"), needs_enclave]

MODULE_ID = "i-1234567890abcdef0-enc9876543210abcde"
REFUSED = {"Code": "ValidationException", "Message": ""}
WOULD_SUCCEED = {
    "Code": "DryRunOperationException",
    "Message": "The request would have succeeded, but the DryRun option is set.",
}
METHODS = {
    "Decrypt": "decrypt",
    "GenerateDataKey": "generate_data_key",
    "GenerateDataKeyPair": "generate_data_key_pair",
    "GenerateRandom": "generate_random",
    "DeriveSharedSecret": "derive_shared_secret",
}
# Where each operation answers its secret to those who are no enclaves.
SECRETS = {
    "Decrypt": "Plaintext",
    "GenerateDataKey": "Plaintext",
    "GenerateDataKeyPair": "PrivateKeyPlaintext",
    "GenerateRandom": "Plaintext",
    "DeriveSharedSecret": "SharedSecret",
}
# What else AWS leaves out when an enclave asks.
LEFT_OUT = {"Decrypt": {"KeyMaterialId"}, "GenerateDataKey": {"KeyMaterialId"}}

each_operation = pytest.mark.parametrize("operation", METHODS)
each_on_a_key = pytest.mark.parametrize("operation", [name for name in METHODS if name != "GenerateRandom"])


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Give a symmetric key."""
    return kms.create_key("orders")


def members(kms: FakeKMS, operation: str, key: Key) -> dict[str, Any]:
    """Return a request that would succeed, without its recipient."""
    if operation == "DeriveSharedSecret":
        pair = kms.create_key("agreement", spec="ECC_NIST_P256", usage="KEY_AGREEMENT")
        return {"KeyId": pair.id, "KeyAgreementAlgorithm": "ECDH", "PublicKey": pair.public_key}
    requests: dict[str, dict[str, Any]] = {
        "Decrypt": {"CiphertextBlob": kms.encrypt(key, b"secret")},
        "GenerateDataKey": {"KeyId": key.id, "KeySpec": "AES_256"},
        "GenerateDataKeyPair": {"KeyId": key.id, "KeyPairSpec": "ECC_NIST_P256"},
        "GenerateRandom": {"NumberOfBytes": 32},
    }
    return requests[operation]


def call(kms: FakeKMS, operation: str, **request: Any) -> dict[str, Any]:
    """Return what an operation answers."""
    return members_of(getattr(kms.client, METHODS[operation])(**request))


def error(kms: FakeKMS, operation: str, **request: Any) -> dict[str, str]:
    """Return the error that an operation ends with."""
    return error_of(kms.client, METHODS[operation], **request)


# What is answered


@each_operation
def test_an_enclave_is_answered_in_an_envelope(kms: FakeKMS, key: Key, operation: str) -> None:
    """The secret is in no member of its own; all else is answered as ever, but for the key material."""
    request = members(kms, operation, key)
    open_answer = call(kms, operation, **request)
    answer = call(kms, operation, **request, Recipient=kms.enclave().recipient)
    missing = {SECRETS[operation], *LEFT_OUT.get(operation, ())}
    assert (set(open_answer) - missing) | {"CiphertextForRecipient"} == set(answer)
    own = {"CiphertextBlob", "PrivateKeyCiphertextBlob", "PublicKey", "CiphertextForRecipient"}
    assert {name: open_answer[name] for name in set(answer) - own} == {name: answer[name] for name in set(answer) - own}


def test_a_decrypted_message_is_for_the_enclave(kms: FakeKMS, key: Key) -> None:
    """The enclave opens it."""
    enclave, blob = kms.enclave(), kms.encrypt(key, b"secret", {"order": "7"})
    answer = call(kms, "Decrypt", CiphertextBlob=blob, EncryptionContext={"order": "7"}, Recipient=enclave.recipient)
    assert b"secret" == enclave.open(answer.pop("CiphertextForRecipient"))
    assert {"KeyId": key.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"} == answer


def test_a_message_decrypted_with_rsa_is_for_the_enclave(kms: FakeKMS) -> None:
    """Asymmetric keys serve enclaves too."""
    enclave, key = kms.enclave(), kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    answer = call(
        kms,
        "Decrypt",
        KeyId=key.id,
        CiphertextBlob=kms.encrypt(key, b"secret"),
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        Recipient=enclave.recipient,
    )
    assert b"secret" == enclave.open(answer.pop("CiphertextForRecipient"))
    assert {"KeyId": key.arn, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"} == answer


def test_the_longest_message_is_for_the_enclave(kms: FakeKMS, key: Key) -> None:
    """4,096 bytes go into the envelope."""
    enclave, blob = kms.enclave(), kms.encrypt(key, b"x" * 4096)
    answer = call(kms, "Decrypt", CiphertextBlob=blob, Recipient=enclave.recipient)
    assert b"x" * 4096 == enclave.open(answer["CiphertextForRecipient"])


@pytest.mark.parametrize("size", [1, 16, 32, 1024])
def test_a_data_key_is_for_the_enclave(kms: FakeKMS, key: Key, size: int) -> None:
    """Whoever decrypts the encrypted one has the same."""
    enclave = kms.enclave()
    answer = call(kms, "GenerateDataKey", KeyId=key.id, NumberOfBytes=size, Recipient=enclave.recipient)
    data_key = enclave.open(answer["CiphertextForRecipient"])
    assert size == len(data_key)
    assert data_key == kms.client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]
    assert {"CiphertextBlob", "CiphertextForRecipient", "KeyId"} == set(answer)


@pytest.mark.parametrize("spec", ["RSA_4096", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"])
def test_a_private_key_is_for_the_enclave(kms: FakeKMS, key: Key, spec: str) -> None:
    """The public key is for everybody; the key material is told, other than with data keys."""
    enclave = kms.enclave()
    answer = call(kms, "GenerateDataKeyPair", KeyId=key.id, KeyPairSpec=spec, Recipient=enclave.recipient)
    private_key = enclave.open(answer.pop("CiphertextForRecipient"))
    assert private_key == kms.client.decrypt(CiphertextBlob=answer.pop("PrivateKeyCiphertextBlob"))["Plaintext"]
    assert b"\x30" == answer.pop("PublicKey")[:1]
    described = kms.client.describe_key(KeyId=key.id)["KeyMetadata"]
    assert {
        "KeyId": key.arn,
        "KeyPairSpec": spec,
        "KeyMaterialId": described["CurrentKeyMaterialId"],
    } == answer


def test_random_bytes_are_for_the_enclave(kms: FakeKMS) -> None:
    """Nothing else is answered."""
    enclave = kms.enclave()
    answer = call(kms, "GenerateRandom", NumberOfBytes=1024, Recipient=enclave.recipient)
    assert 1024 == len(enclave.open(answer.pop("CiphertextForRecipient")))
    assert {} == answer


def test_a_shared_secret_is_for_the_enclave(kms: FakeKMS, key: Key) -> None:
    """It is the one that is answered to others in the open."""
    enclave, request = kms.enclave(), members(kms, "DeriveSharedSecret", key)
    secret = call(kms, "DeriveSharedSecret", **request)["SharedSecret"]
    answer = call(kms, "DeriveSharedSecret", **request, Recipient=enclave.recipient)
    assert secret == enclave.open(answer["CiphertextForRecipient"])


@each_operation
def test_another_enclave_opens_nothing(kms: FakeKMS, key: Key, operation: str) -> None:
    """It is told so."""
    enclave, other = kms.enclave(), kms.enclave()
    answer = call(kms, operation, **members(kms, operation, key), Recipient=enclave.recipient)
    with pytest.raises(UsageError, match="cannot open this: it was sealed for another enclave"):
        other.open(answer["CiphertextForRecipient"])
    enclave.open(answer["CiphertextForRecipient"])


@each_operation
def test_no_two_envelopes_are_alike(kms: FakeKMS, key: Key, operation: str) -> None:
    """Whatever is in them."""
    request = members(kms, operation, key) | {"Recipient": kms.enclave().recipient}
    assert 3 == len({call(kms, operation, **request)["CiphertextForRecipient"] for _ in range(3)})


@each_operation
def test_the_algorithm_of_the_envelope_need_not_be_named(kms: FakeKMS, key: Key, operation: str) -> None:
    """There is only one."""
    enclave = kms.enclave()
    recipient = {"AttestationDocument": enclave.attestation_document}
    answer = call(kms, operation, **members(kms, operation, key), Recipient=recipient)
    assert enclave.open(answer["CiphertextForRecipient"])


# What is refused


def documents(kms: FakeKMS) -> dict[str, tuple[dict[str, Any], str]]:
    """Return recipients that KMS refuses, each with what the trail says of it."""
    good = kms.enclave().attestation_document
    foreign = FakeKMS(region="us-east-1").enclave().attestation_document
    return {
        "missing": ({}, "the Recipient has no AttestationDocument"),
        "garbage": ({"AttestationDocument": b"document"}, "the attestation document is no"),
        "cut": ({"AttestationDocument": good[:-1]}, "the attestation document is no CBOR"),
        "altered": (
            {"AttestationDocument": good[:-1] + bytes([good[-1] ^ 1])},
            "the attestation document's signature does not verify",
        ),
        "of another fake": (
            {"AttestationDocument": foreign},
            "the attestation document was not made by an enclave of this fake",
        ),
    }


each_document = pytest.mark.parametrize("case", ["missing", "garbage", "cut", "altered", "of another fake"])


@each_document
@each_operation
def test_a_document_that_kms_does_not_believe(kms: FakeKMS, key: Key, operation: str, case: str) -> None:
    """The error has no message; the trail says what is wrong."""
    recipient, why = documents(kms)[case]
    recipient["KeyEncryptionAlgorithm"] = "RSAES_OAEP_SHA_256"
    request = members(kms, operation, key) | {"Recipient": recipient}
    assert REFUSED == error(kms, operation, **request)
    assert kms.trail.last.why.startswith(why)
    assert REFUSED == error(kms, operation, **request | ({} if operation == "GenerateRandom" else {"DryRun": True}))
    kms.assert_not_used(key)


def test_a_fake_that_was_reset_does_not_know_its_enclaves(kms: FakeKMS) -> None:
    """It is another fake then."""
    enclave = kms.enclave()
    kms.reset()
    assert REFUSED == error(kms, "GenerateRandom", NumberOfBytes=1, Recipient=enclave.recipient)
    assert "the attestation document was not made by an enclave of this fake" == kms.trail.last.why


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        pytest.param(
            {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
            "Value 'RSAES_OAEP_SHA_1' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint:"
            " Member must satisfy enum value set: [RSAES_OAEP_SHA_256]",
            id="another algorithm",
        ),
        pytest.param(
            {"AttestationDocument": b""},
            "Value at 'recipient.attestationDocument' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1",
            id="empty document",
        ),
        pytest.param(
            {"AttestationDocument": b"x" * 262145},
            "Value at 'recipient.attestationDocument' failed to satisfy constraint:"
            " Member must have length less than or equal to 262144",
            id="long document",
        ),
    ],
)
@each_operation
def test_a_recipient_has_limits(kms: FakeKMS, key: Key, operation: str, change: dict[str, Any], violation: str) -> None:
    """They are looked at before the document is read."""
    recipient = {**kms.enclave().recipient, **change}
    request = members(kms, operation, key)
    assert invalid(violation) == error_of(unchecked(kms), METHODS[operation], **request, Recipient=recipient)


@each_on_a_key
def test_a_dry_run_says_whether_an_enclave_would_be_answered(kms: FakeKMS, key: Key, operation: str) -> None:
    """Document and key are looked at."""
    request = members(kms, operation, key) | {"Recipient": kms.enclave().recipient, "DryRun": True}
    assert WOULD_SUCCEED == error(kms, operation, **request)
    kms.client.disable_key(KeyId=request.get("KeyId", key.id))
    assert "DisabledException" == error(kms, operation, **request)["Code"]


@each_operation
def test_neither_document_nor_secret_is_in_the_trail(kms: FakeKMS, key: Key, operation: str) -> None:
    """The members of the request are recorded without it."""
    enclave, request = kms.enclave(), members(kms, operation, key)
    call(kms, operation, **request, Recipient=enclave.recipient)
    event = kms.trail.last
    assert operation == event.operation
    assert {name: value for name, value in request.items() if not isinstance(value, bytes)} == event.parameters
    assert "secret" not in repr(event)


# kms.enclave


def test_an_enclave_without_arguments_is_in_debug_mode(kms: FakeKMS) -> None:
    """Its measurements are zeros, its name is like one of AWS."""
    enclave = kms.enclave()
    assert {number: bytes(48) for number in range(16)} == enclave.pcrs
    assert "0" * 96 == enclave.image_sha384
    assert re.fullmatch("i-[0-9a-f]{17}-enc[0-9a-f]{17}", enclave.module_id)


def test_an_enclave_has_the_measurements_that_it_is_given(kms: FakeKMS) -> None:
    """In digits or in bytes."""
    enclave = kms.enclave({0: "9f" * 48, 3: b"\xab" * 48}, module_id=MODULE_ID)
    assert ("9f" * 48, b"\x9f" * 48, b"\xab" * 48) == (enclave.image_sha384, enclave.pcrs[0], enclave.pcrs[3])
    assert MODULE_ID == enclave.module_id
    answer = call(kms, "GenerateRandom", NumberOfBytes=16, Recipient=enclave.recipient)
    assert 16 == len(enclave.open(answer["CiphertextForRecipient"]))


def test_no_two_enclaves_are_alike(kms: FakeKMS) -> None:
    """Each has a name and a key of its own."""
    enclaves = [kms.enclave() for _ in range(10)]
    assert 10 == len({enclave.module_id for enclave in enclaves})
    recipients: list[RecipientInfoTypeDef] = [enclave.recipient for enclave in enclaves]
    assert 10 == len({bytes(recipient["AttestationDocument"]) for recipient in recipients})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pcrs", "message"),
    [
        ({0: "9f"}, "PCR0 is '9f'; a PCR is 48 bytes, or 96 hex digits"),
        ({32: "9f" * 48}, "an enclave has no PCR 32; it has 0 to 31"),
    ],
)
def test_what_no_enclave_measures(kms: FakeKMS, pcrs: dict[int, str], message: str) -> None:
    """The test is told what a measurement is."""
    with pytest.raises(UsageError) as excinfo:
        kms.enclave(pcrs)
    assert f"pytest-kms: {message}" == str(excinfo.value)


def test_making_an_enclave_is_no_call(kms: FakeKMS) -> None:
    """It is arranged, as keys are."""
    kms.enclave()
    assert [] == list(kms.trail)


def test_the_document_tells_the_time_of_the_fake(kms: FakeKMS) -> None:
    """However far it has gone, the fake believes it."""
    enclave = kms.enclave()
    for _ in range(3):
        answer = call(kms, "GenerateRandom", NumberOfBytes=8, Recipient=enclave.recipient)
        assert 8 == len(enclave.open(answer["CiphertextForRecipient"]))
        kms.clock.advance(days=4000)


def test_a_seed_repeats_the_enclave() -> None:
    """Its name and its key: the enclaves of two fakes with one seed open the same envelopes."""
    made = []
    for seed in (7, 7, 8):
        with fake_kms(seed=seed) as kms:
            enclave = kms.enclave()
            answer = call(kms, "GenerateRandom", NumberOfBytes=8, Recipient=enclave.recipient)
            made.append((enclave, answer["CiphertextForRecipient"]))
    (first, envelope), (second, _), (other, _) = made
    assert first.open(envelope) == second.open(envelope)
    assert first.module_id == second.module_id
    assert first.module_id != other.module_id
