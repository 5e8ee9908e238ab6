"""Why a test failed: what the section `kms` of its report says, and the reasons that it gives."""

from __future__ import annotations

import ast
import base64
import datetime as dt
import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3.session  # noqa: F401  # an inner run in this process is to be the first to import none of these
import botocore.handlers
import pytest
from answers import unchecked

from pytest_kms import FakeKMS, engine, errors, fake_kms

PACKAGE = Path(errors.__file__).parent
CODES = {error.__name__ for error in errors.KMSError.__subclasses__()}
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_ID = "1234abcd-12ab-34cd-56ef-1234567890ac"
NOBODY = "deadbeef-dead-4bad-8bad-deadbeefdead"
"""An id that no other test gives to a key: neither Hypothesis's simplest nor one that is made for examples."""
ENVELOPE = (
    "For more, use a data key: call GenerateDataKey, encrypt with its Plaintext on your side, and keep its"
    " CiphertextBlob beside; the AWS Encryption SDK does this"
)
FOR_ENCRYPTION = (
    "Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext,"
    " GenerateDataKeyWithoutPlaintext, ReEncrypt"
)
NOW = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"

assert engine
assert botocore.handlers

# reasons

Act = Callable[[FakeKMS], object]


def sealed(kms: FakeKMS, context: dict[str, str] | None = None, **kind: Any) -> bytes:
    """Make a ciphertext of alias/orders."""
    kms.create_key("orders", key_id=ID, **kind)
    return kms.encrypt("alias/orders", b"secret", context)


def foreign(_: FakeKMS) -> bytes:
    """Make a ciphertext in another fake."""
    with fake_kms(origin="tests/x.py::test_a") as other:
        return sealed(other)


def made(kms: FakeKMS, **kind: Any) -> Any:
    """Make alias/orders, and return the client."""
    kms.create_key("orders", key_id=ID, **kind)
    return kms.client


def key_of_another_test(kms: FakeKMS) -> object:
    """Describe a key that another fake had."""
    with fake_kms(origin="tests/x.py::test_a") as other:
        key = other.create_key()
    return kms.client.describe_key(KeyId=key.id)


def disabled_by_call(kms: FakeKMS) -> object:
    """Disable a key, and use it."""
    client = made(kms)
    client.list_keys()
    client.disable_key(KeyId=ID)
    return client.encrypt(KeyId=ID, Plaintext=b"x")


def scheduled(kms: FakeKMS) -> object:
    """Schedule the deletion of a key, and use it."""
    client = made(kms)
    client.schedule_key_deletion(KeyId=ID, PendingWindowInDays=7)
    return client.encrypt(KeyId=ID, Plaintext=b"x")


def rescued(kms: FakeKMS) -> object:
    """Cancel the deletion of a key, and use it."""
    client = made(kms, state="PendingDeletion")
    client.cancel_key_deletion(KeyId=ID)
    return client.encrypt(KeyId=ID, Plaintext=b"x")


def deleted(kms: FakeKMS, *, by_call: bool) -> object:
    """Use a key that is gone."""
    client = made(kms)
    if by_call:
        client.schedule_key_deletion(KeyId=ID, PendingWindowInDays=7)
    else:
        kms.world.keys_called(ID)[0].state = "PendingDeletion"
    kms.clock.advance(days=31)
    return client.encrypt(KeyId=ID, Plaintext=b"x")


def without_material(kms: FakeKMS, end: str) -> object:
    """Use a key whose imported material is gone, or never came."""
    client = made(kms, origin="EXTERNAL", material=None if end == "never" else b"k" * 32)
    if end == "deleted":
        client.delete_imported_key_material(KeyId=ID)
        client.delete_imported_key_material(KeyId=ID)
    if end == "expired":
        kms.import_key_material(ID, b"k" * 32, valid_to=kms.clock.now + dt.timedelta(hours=1))
        kms.clock.advance(hours=2)
    return client.encrypt(KeyId=ID, Plaintext=b"x")


def replica_too_early(kms: FakeKMS) -> object:
    """Use a replica that is being made."""
    key = kms.create_key("orders", multi_region=True)
    kms.client.replicate_key(KeyId=key.id, ReplicaRegion="eu-west-1")
    return kms.client_for(region="eu-west-1").encrypt(KeyId=key.id, Plaintext=b"x")


def unavailable(kms: FakeKMS) -> object:
    """Use a key whose key store is not connected."""
    store = kms.key_store(name="vault", connected=False)
    key = kms.create_key("orders", key_store=store)
    return kms.client.encrypt(KeyId=key.id, Plaintext=b"x")


def signed(kms: FakeKMS, **changes: Any) -> object:
    """Sign a message, and verify the signature, something changed."""
    client = made(kms, spec="RSA_2048", usage="SIGN_VERIFY")
    kms.create_key("other", spec="RSA_2048", usage="SIGN_VERIFY")
    members = {"KeyId": "alias/orders", "Message": b"m" * 32, "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    signature = client.sign(**members)["Signature"]
    return client.verify(**{**members, **changes}, Signature=signature)


def reimported(kms: FakeKMS) -> object:
    """Import other material than before into a key that takes but one."""
    client = made(kms, spec="HMAC_256", origin="EXTERNAL", material=b"k" * 32)
    parameters = client.get_parameters_for_import(
        KeyId=ID, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    return client.import_key_material(
        KeyId=ID,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=kms.wrap_key_material(parameters, b"j" * 32),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )


def of_a_replica(kms: FakeKMS, method: str, **members: Any) -> object:
    """Ask something of a replica."""
    key = kms.create_key(multi_region=True)
    kms.replicate(key, "eu-west-1", alias="orders")
    client: Any = kms.client_for(region="eu-west-1")
    return getattr(client, method)(KeyId=key.id, **members)


def no_replica(kms: FakeKMS) -> object:
    """Make a replica the primary that is not there."""
    key = kms.create_key(multi_region=True)
    kms.replicate(key, "eu-west-1")
    return kms.client.update_primary_region(KeyId=key.id, PrimaryRegion="eu-central-1")


def rsa(kms: FakeKMS, method: str, **members: Any) -> object:
    """Ask something of an asymmetric encryption key."""
    return getattr(made(kms, spec="RSA_2048"), method)(KeyId=ID, **members)


def of_orders(method: str, **members: Any) -> Act:
    """Ask something of alias/orders by its id."""
    return lambda kms: getattr(made(kms), method)(**{"KeyId": ID, **members})


def signing(method: str, **members: Any) -> Act:
    """Ask something of a key that signs."""
    kind = {"spec": "ECC_NIST_P256", "usage": "SIGN_VERIFY"}
    return lambda kms: getattr(made(kms, **kind), method)(**{"KeyId": ID, **members})


REASONS: dict[str, tuple[Act, str]] = {
    # ciphertexts
    "context": (
        lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms, {"tenant": "a"}), EncryptionContext={"tenant": "b"}),
        "the encryption context differs: tenant 'a' -> 'b'",
    ),
    "another test": (
        lambda kms: kms.client.decrypt(CiphertextBlob=foreign(kms)),
        "the ciphertext was made by tests/x.py::test_a, whose keys are gone, or its key part was altered",
    ),
    "cut": (lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms)[:-3]), "the ciphertext is cut by 3 bytes"),
    "too long": (
        lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms) + b"\n"),
        "the ciphertext has 1 bytes too many",
    ),
    "base64": (
        lambda kms: kms.client.decrypt(CiphertextBlob=base64.b64encode(sealed(kms))),
        "the 212 bytes are no ciphertext of KMS, but the base64 of one: decode it first",
    ),
    "hex": (
        lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms).hex().encode()),
        "the 316 bytes are no ciphertext of KMS, but the hex of one: decode it first",
    ),
    "of the Encryption SDK": (
        lambda kms: kms.client.decrypt(CiphertextBlob=b"\x02\x05\x78" + bytes(500)),
        "the 503 bytes are no ciphertext of KMS; they look like a message of the AWS Encryption SDK, which decrypts it,"
        " data key and all",
    ),
    "of RSA": (
        lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms, spec="RSA_2048")),
        "the 256 bytes are no ciphertext of KMS; of an asymmetric key one can only be decrypted with KeyId and"
        " EncryptionAlgorithm",
    ),
    "of RSA without key": (
        lambda kms: kms.client.decrypt(
            CiphertextBlob=sealed(kms, spec="RSA_2048"), EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        ),
        "a ciphertext of an asymmetric key does not tell which key made it, so that the call has to",
    ),
    "of RSA, unknown": (
        lambda kms: rsa(kms, "decrypt", CiphertextBlob=b"x" * 256, EncryptionAlgorithm="RSAES_OAEP_SHA_256"),
        "the ciphertext was made for another key than alias/orders or with another algorithm, or was altered",
    ),
    "in another Region": (
        lambda kms: kms.client.decrypt(CiphertextBlob=sealed(kms, region="eu-west-1")),
        f"the ciphertext was made with alias/orders ({ID}), which is in eu-west-1, the call went to us-east-1",
    ),
    # keys by name
    "key in another Region": (
        lambda kms: made(kms, region="eu-west-1").describe_key(KeyId=ID),
        "the key is in eu-west-1, the call went to us-east-1",
    ),
    "key in another account": (
        lambda kms: made(kms, account="999999999999").describe_key(KeyId=ID),
        "the key is in the account 999999999999: name it by its key ARN",
    ),
    "key of another test": (key_of_another_test, "the key was made by tests/x.py::test_a, whose keys are gone"),
    "key of nobody": (lambda kms: kms.client.describe_key(KeyId=NOBODY), ""),
    "alias without prefix": (
        lambda kms: made(kms).describe_key(KeyId="orders"),
        "there is alias/orders: an alias is named with its prefix",
    ),
    "no key id": (
        lambda kms: made(kms).describe_key(KeyId="odrers"),
        "a key id is a UUID, or mrk- and 32 hexadecimal digits; an alias begins with alias/",
    ),
    "no key ARN": (
        lambda kms: kms.client.describe_key(KeyId="arn:aws:s3:::shop"),
        "a key ARN is arn:aws:kms:REGION:ACCOUNT:key/ID, with the Region's partition",
    ),
    "alias where ids go": (
        lambda kms: made(kms).enable_key(KeyId="alias/orders"),
        f"EnableKey takes a key by its id or key ARN alone; alias/orders names {ID}",
    ),
    "unknown alias where ids go": (
        lambda kms: kms.client.enable_key(KeyId="alias/orders"),
        "EnableKey takes a key by its id or key ARN alone",
    ),
    "alias in another Region": (
        lambda kms: made(kms, region="eu-west-1").describe_key(KeyId="alias/orders"),
        "alias/orders is in eu-west-1, the call went to us-east-1",
    ),
    "alias in another account": (
        lambda kms: made(kms, account="999999999999").describe_key(KeyId="alias/orders"),
        "alias/orders is in the account 999999999999: name it by its alias ARN",
    ),
    "alias, nearly": (lambda kms: made(kms).describe_key(KeyId="alias/order"), "did you mean alias/orders?"),
    "alias, not nearly": (lambda kms: made(kms).describe_key(KeyId="alias/x"), "the aliases there are: alias/orders"),
    "alias, many others": (
        lambda kms: [*(kms.create_key(f"bill-{n}") for n in range(7)), kms.client.describe_key(KeyId="alias/x")],
        "the aliases there are: alias/bill-0, alias/bill-1, alias/bill-2, alias/bill-3, alias/bill-4 and 2 more",
    ),
    "alias, no others": (
        lambda kms: kms.client.describe_key(KeyId="alias/x"),
        "this fake has no alias in us-east-1: kms.create_key(alias='alias/x') makes a key that has it",
    ),
    "alias taken": (
        lambda kms: made(kms).create_alias(AliasName="alias/orders", TargetKeyId=ID),
        f"it names {ID}; UpdateAlias lets it name another key",
    ),
    # states
    "disabled by a call": (disabled_by_call, f"alias/orders is Disabled since {NOW}, by call 2, DisableKey"),
    "disabled by the test": (
        lambda kms: made(kms, state="Disabled").encrypt(KeyId=ID, Plaintext=b"x"),
        "the test has arranged that alias/orders is Disabled",
    ),
    "scheduled": (
        scheduled,
        f"alias/orders is PendingDeletion since {NOW}, by call 1, ScheduleKeyDeletion; it is to be deleted at {NOW}",
    ),
    "rescued": (rescued, f"alias/orders is Disabled since {NOW}, by call 1, CancelKeyDeletion"),
    "deleted by a call": (
        lambda kms: deleted(kms, by_call=True),
        f"the key was deleted at {NOW}, when its waiting period was over \\(ScheduleKeyDeletion is call 1\\)",
    ),
    "deleted by the test": (
        lambda kms: deleted(kms, by_call=False),
        f"the key was deleted at {NOW}, when its waiting period was over",
    ),
    "not deleted": (lambda kms: made(kms).cancel_key_deletion(KeyId=ID), "alias/orders is Enabled"),
    "nothing imported": (
        lambda kms: without_material(kms, "never"),
        "alias/orders has no key material: ImportKeyMaterial, or kms.import_key_material, gives it some",
    ),
    "material deleted": (
        lambda kms: without_material(kms, "deleted"),
        f"alias/orders is PendingImport since {NOW}, by call 1, DeleteImportedKeyMaterial",
    ),
    "material expired": (
        lambda kms: without_material(kms, "expired"),
        f"alias/orders is PendingImport since {NOW}, by the expiration of its key material",
    ),
    "creating": (replica_too_early, f"mrk-[0-9a-f]{{32}} is Creating since {NOW}, by call 1, ReplicateKey"),
    "key store": (unavailable, "the key store of alias/orders, vault, is DISCONNECTED"),
    # usages and algorithms
    "usage": (
        signing("encrypt", Plaintext=b"x"),
        "alias/orders is a key for Sign, Verify; Encrypt takes one of the usage ENCRYPT_DECRYPT",
    ),
    "usage of encryption": (
        of_orders("sign", Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
        f"alias/orders is a key for {FOR_ENCRYPTION}; Sign takes one of the usage SIGN_VERIFY",
    ),
    "algorithm": (
        signing("sign", Message=b"x", SigningAlgorithm="ECDSA_SHA_512"),
        "alias/orders has ECDSA_SHA_256",
    ),
    "no algorithm": (
        lambda kms: rsa(kms, "encrypt", Plaintext=b"x"),
        "alias/orders has RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256; without EncryptionAlgorithm a call asks for"
        " SYMMETRIC_DEFAULT",
    ),
    "data key of RSA": (
        lambda kms: rsa(kms, "generate_data_key", KeySpec="AES_256"),
        "alias/orders is of the spec RSA_2048; it takes a key of SYMMETRIC_DEFAULT",
    ),
    "data key pair of RSA": (
        lambda kms: rsa(kms, "generate_data_key_pair", KeyPairSpec="ECC_NIST_P256"),
        "alias/orders is of the spec RSA_2048; it takes a key of SYMMETRIC_DEFAULT",
    ),
    "two sizes": (
        of_orders("generate_data_key", KeySpec="AES_256", NumberOfBytes=32),
        "the call has both",
    ),
    "no size": (of_orders("generate_data_key"), "the call has neither NumberOfBytes nor KeySpec"),
    "usage of no spec": (
        lambda kms: kms.client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="ENCRYPT_DECRYPT"),
        "the usages of ECC_NIST_P256 are SIGN_VERIFY, KEY_AGREEMENT",
    ),
    "no usage": (lambda kms: kms.client.create_key(KeySpec="RSA_2048"), "the usages of RSA_2048 are .*"),
    "origin of no spec": (
        lambda kms: kms.client.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Origin="AWS_CLOUDHSM"),
        "the origins of HMAC_256 are AWS_KMS, EXTERNAL",
    ),
    "spec of China": (
        lambda kms: kms.client.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY"),
        "AWS has SM2 in its Regions in China, us-east-1 is none of them",
    ),
    # sizes
    "plaintext": (
        lambda kms: unchecked(kms).encrypt(KeyId=kms.create_key().id, Plaintext=b"x" * 5000),
        f"Plaintext has 5000 bytes, Encrypt takes up to 4096. {ENVELOPE}",
    ),
    "plaintext for RSA": (
        lambda kms: rsa(kms, "encrypt", Plaintext=b"x" * 500, EncryptionAlgorithm="RSAES_OAEP_SHA_256"),
        f"the plaintext has 500 bytes. {ENVELOPE}",
    ),
    "message": (
        signing("sign", Message=b"x" * 5000, SigningAlgorithm="ECDSA_SHA_256"),
        "Message has 5000 bytes, Sign takes up to 4096. Sign a digest of it, with MessageType='DIGEST'",
    ),
    "public key": (
        lambda kms: kms.client.derive_shared_secret(KeyId=ID, KeyAgreementAlgorithm="ECDH", PublicKey=b"x" * 9000),
        "PublicKey has 9000 bytes, DeriveSharedSecret takes up to 8192",
    ),
    "digest": (
        signing("sign", Message=b"x", MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"),
        "it has 1 bytes, expected are 32",
    ),
    "message type of no key": (
        signing("sign", Message=b"x", MessageType="EXTERNAL_MU", SigningAlgorithm="ECDSA_SHA_256"),
        "ECDSA_SHA_256 takes RAW or DIGEST",
    ),
    # signatures
    "signature by another key": (
        lambda kms: signed(kms, KeyId="alias/other"),
        "the signature is none of this message \\(RAW\\) by alias/other with RSASSA_PSS_SHA_256;"
        " call 1, Sign, made it with alias/orders",
    ),
    "signature of another kind": (
        lambda kms: signed(kms, SigningAlgorithm="RSASSA_PSS_SHA_384", Message=b"n" * 48, MessageType="DIGEST"),
        "the signature is none of this message \\(DIGEST\\) by alias/orders with RSASSA_PSS_SHA_384;"
        " call 1, Sign, made it with RSASSA_PSS_SHA_256, of another MessageType, of another Message",
    ),
    # imports, replicas, rotations, tags
    "origin": (
        of_orders("get_parameters_for_import", WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"),
        "it takes keys of the origin EXTERNAL",
    ),
    "wrapping": (
        lambda kms: made(kms, spec="RSA_2048", origin="EXTERNAL").get_parameters_for_import(
            KeyId=ID, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        ),
        "for RSA_2048 there are, with RSA_2048: RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256",
    ),
    "other material": (
        reimported,
        "alias/orders was given other key material before; the same again is expected, bit by bit",
    ),
    "single-Region": (
        of_orders("replicate_key", ReplicaRegion="eu-west-1"),
        "alias/orders is a single-Region key: MultiRegion=True is said when a key is made, and never after",
    ),
    "single-Region, no primary": (
        of_orders("update_primary_region", PrimaryRegion="eu-west-1"),
        "alias/orders is a single-Region key: MultiRegion=True is said when a key is made, and never after",
    ),
    "replica": (
        lambda kms: of_a_replica(kms, "update_primary_region", PrimaryRegion="eu-central-1"),
        "alias/orders in eu-west-1 is a replica, its primary is in us-east-1",
    ),
    "rotation of a replica": (
        lambda kms: of_a_replica(kms, "enable_key_rotation"),
        "its primary is in us-east-1",
    ),
    "no replica there": (
        no_replica,
        "it has replicas in eu-west-1",
    ),
    "tags": (
        of_orders("tag_resource", Tags=[{"TagKey": "a", "TagValue": "b"}, {"TagKey": "a", "TagValue": "c"}]),
        "more than once there are 'a'",
    ),
    "tags of AWS": (
        of_orders("tag_resource", Tags=[{"TagKey": "aws:a", "TagValue": "b"}]),
        "so are 'aws:a'",
    ),
    "many tags": (
        of_orders("tag_resource", Tags=[{"TagKey": f"{n}", "TagValue": ""} for n in range(51)]),
        "with these the key would have 51, the limit is 50",
    ),
}


@pytest.mark.kms(region="us-east-1")
@pytest.mark.parametrize(("act", "why"), REASONS.values(), ids=REASONS)
def test_a_failure_has_its_reason(act: Act, why: str, kms: FakeKMS) -> None:
    """What AWS's sentence leaves open is told in the trail, and never sent."""
    with pytest.raises(botocore.exceptions.ClientError) as excinfo:
        act(kms)

    told = kms.trail.last.why
    assert told == why or re.fullmatch(why, told), told
    assert not why or told not in str(excinfo.value)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_error_is_without_a_word(path: Path) -> None:
    """An error of AWS has AWS's sentence, or a reason of ours."""
    silent = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODES
        if not node.args and not node.keywords
    ]
    assert [] == silent


# the section of a failing test

ENDED = "   <-- the test ended with this error"
LAST = "   <-- the last call that failed; its error is not what the test ended with"
HEAD = """
import pytest
from concurrent.futures import ThreadPoolExecutor
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

import pytest_kms

def describe(kms, name):
    return kms.client.describe_key(KeyId=name)

"""


CONFTEST = """
import json

def pytest_runtest_logreport(report):
    with open("sections", "a") as file:
        for name, text in report.sections:
            if name == "kms":
                file.write(json.dumps(text) + chr(10))
"""


@pytest.fixture
def sections(pytester: pytest.Pytester) -> Callable[..., list[list[str]]]:
    """Return what runs a suite and gives the sections `kms` of its reports, without AWS's sentences and reasons."""
    pytester.makeconftest(CONFTEST)
    written = pytester.path / "sections"

    def run(source: str, *, scope: str = "function", everything: bool = False) -> list[list[str]]:
        pytester.makeini(f"[pytest]\nkms_scope = {scope}\nkms_region = us-east-1\n")
        pytester.makepyfile(HEAD + textwrap.dedent(source))
        written.write_text("")
        pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        texts = [json.loads(line) for line in written.read_text().splitlines()]
        return [[line for line in text.splitlines() if everything or line[:5].strip()] for text in texts]

    return run


def test_the_call_that_a_test_ended_with_is_marked(sections: Callable[..., list[list[str]]]) -> None:
    """By the id of its request, whatever failed before and after."""
    assert [
        [
            "1. DescribeKey alias/first -> NotFoundException",
            f"2. DescribeKey alias/second -> NotFoundException{ENDED}",
            "3. DescribeKey alias/third -> NotFoundException",
        ]
    ] == sections(
        """
        def test_one(kms):
            with pytest.raises(ClientError):
                describe(kms, "alias/first")
            try:
                describe(kms, "alias/second")
            finally:
                with pytest.raises(ClientError):
                    describe(kms, "alias/third")
        """
    )


def test_answers_that_are_spoilt_are_marked(sections: Callable[..., list[list[str]]]) -> None:
    """A gateway's page has no id of a request; from half an answer botocore makes one without members."""
    cut = "   <-- the last call that failed: half of its answer arrived, and botocore gave one without members"
    assert [
        [f"1. DescribeKey alias/orders -> HTMLBody (5 attempts, 5 HTMLBody){ENDED}"],
        [f"1. DescribeKey alias/orders -> TruncatedBody{cut}"],
    ] == sections(
        """
        @pytest.fixture(autouse=True)
        def legacy(monkeypatch):
            monkeypatch.setenv("AWS_RETRY_MODE", "legacy")

        def test_one(kms):
            kms.create_key("orders")
            kms.fail("DescribeKey", "HTMLBody", times=5)
            describe(kms, "alias/orders")

        def test_two(kms):
            kms.create_key("orders")
            kms.fail("DescribeKey", "TruncatedBody")
            describe(kms, "alias/orders")["KeyMetadata"]
        """
    )


def test_the_error_is_told_in_full(sections: Callable[..., list[list[str]]]) -> None:
    """With AWS's sentence, and the reason on as many lines as it has."""
    assert [
        [
            f"1. DescribeKey alias/order -> NotFoundException{ENDED}",
            "     Alias arn:aws:kms:us-east-1:123456789012:alias/order is not found.",
            "     why: did you mean alias/orders?",
        ]
    ] == sections(
        """
        def test_one(kms):
            kms.create_key("orders")
            describe(kms, "alias/order")
        """,
        everything=True,
    )


TRANSLATIONS = {
    "from": 'raise RuntimeError("no vault") from error',
    "during": 'raise RuntimeError("no vault")',
    "twice": """
                try:
                    raise RuntimeError("no vault") from error
                except RuntimeError as other:
                    raise ValueError from other
    """.strip(),
}


@pytest.mark.parametrize("translation", TRANSLATIONS.values(), ids=TRANSLATIONS)
def test_an_error_in_other_words_is_found(translation: str, sections: Callable[..., list[list[str]]]) -> None:
    """An application may raise an exception of its own."""
    assert [[f"1. DescribeKey alias/x -> NotFoundException{ENDED}", "2. ListKeys -> ok"]] == sections(
        f"""
        def test_one(kms):
            try:
                describe(kms, "alias/x")
            except ClientError as error:
                kms.client.list_keys()
                {translation}
        """
    )


def test_an_error_within_a_group_is_found(sections: Callable[..., list[list[str]]]) -> None:
    """As task groups raise it, or what looks like one."""
    assert [[f"1. DescribeKey alias/x -> NotFoundException{ENDED}"]] == sections(
        """
        class Group(Exception):
            exceptions = ()

        def test_one(kms):
            group = Group()
            try:
                describe(kms, "alias/x")
            except ClientError as error:
                group.exceptions = (error, error)
            raise group
        """
    )


def test_an_error_on_the_way_is_found(sections: Callable[..., list[list[str]]]) -> None:
    """What nobody answered has no id of a request, but a name."""
    [[outage, *_]] = sections(
        """
        def test_one(kms):
            kms.create_key("orders")
            client = kms.client_for(config=Config(retries={"mode": "standard", "total_max_attempts": 1}))
            with kms.outage():
                client.describe_key(KeyId="alias/orders")
        """
    )
    assert f"1. DescribeKey alias/orders -> EndpointConnectionError{ENDED}" == outage


def test_a_swallowed_error_is_marked_as_the_last_that_failed(sections: Callable[..., list[list[str]]]) -> None:
    """The test fails for something else; in threads, too."""
    assert [
        [
            f"1. DescribeKey alias/x -> NotFoundException{LAST}",
            "2. ListKeys -> ok",
        ]
    ] == sections(
        """
        def work(kms):
            try:
                return describe(kms, "alias/x")
            except Exception:
                return None

        def test_one(kms):
            with ThreadPoolExecutor() as pool:
                found = pool.submit(work, kms).result()
            kms.client.list_keys()
            assert found
        """
    )


def test_an_error_of_another_service_marks_none_of_kms(sections: Callable[..., list[list[str]]]) -> None:
    """It has the id of another request, or none."""
    for response in ('{"ResponseMetadata": {"RequestId": "of another"}}', "{}", "None"):
        assert [[f"1. DescribeKey alias/x -> NotFoundException{LAST}"]] == sections(
            f"""
            class OtherError(Exception):
                response = {response}

            def test_one(kms):
                with pytest.raises(ClientError):
                    describe(kms, "alias/x")
                raise OtherError
            """
        )


def test_the_last_calls_are_shown_and_the_one_that_matters(sections: Callable[..., list[list[str]]]) -> None:
    """Of many calls fifty are; one that the test ended with is shown all the same."""
    [lines] = sections(
        """
        def test_one(kms):
            try:
                describe(kms, "alias/x")
            finally:
                for _ in range(60):
                    kms.client.list_keys()
        """
    )
    assert [
        "... 11 earlier calls are in kms.trail",
        f"1. DescribeKey alias/x -> NotFoundException{ENDED}",
        "12-61. ListKeys -> ok   (50 alike)",
    ] == lines


def test_calls_in_a_row_that_are_alike_are_told_once(sections: Callable[..., list[list[str]]]) -> None:
    """From four on; with the same error, and the one that the test ended with for itself."""
    assert [
        [
            "1. ListKeys -> ok",
            "2. ListKeys -> ok",
            "3. ListKeys -> ok",
            "4. DescribeKey alias/orders -> ok",
            "5-8. DescribeKey alias/x -> NotFoundException   (4 alike)",
            "     Alias arn:aws:kms:us-east-1:123456789012:alias/x is not found.",
            "     why: the aliases there are: alias/orders",
            f"9. DescribeKey alias/x -> NotFoundException{ENDED}",
            "     Alias arn:aws:kms:us-east-1:123456789012:alias/x is not found.",
            "     why: the aliases there are: alias/orders",
        ]
    ] == sections(
        """
        def test_one(kms):
            kms.create_key("orders")
            for _ in range(3):
                kms.client.list_keys()
            describe(kms, "alias/orders")
            for _ in range(4):
                with pytest.raises(ClientError):
                    describe(kms, "alias/x")
            describe(kms, "alias/x")
        """,
        everything=True,
    )


# which tests, which phases, which fakes


def test_a_setup_that_failed_at_kms_tells_it(sections: Callable[..., list[list[str]]]) -> None:
    """One that failed without KMS does not."""
    assert [["1. ListKeys -> ok", f"2. DescribeKey alias/x -> NotFoundException{ENDED}"]] == sections(
        """
        @pytest.fixture
        def broken(kms):
            kms.client.list_keys()
            describe(kms, "alias/x")

        @pytest.fixture
        def broken_otherwise(kms):
            kms.client.list_keys()
            raise ValueError

        def test_one(broken): ...
        def test_two(broken_otherwise): ...
        """
    )


@pytest.mark.parametrize("scope", ["function", "session"])
def test_a_teardown_that_failed_at_kms_tells_it(scope: str, sections: Callable[..., list[list[str]]]) -> None:
    """Of the fake that has ended by then, or not; an error that the test itself expected is no reason."""
    assert [
        [
            "1. DescribeKey alias/x -> NotFoundException",
            f"2. DescribeKey alias/y -> NotFoundException{ENDED}",
        ]
    ] == sections(
        """
        @pytest.fixture
        def broken(kms):
            yield
            describe(kms, "alias/y")

        @pytest.fixture
        def broken_otherwise(kms):
            yield
            raise ValueError

        def test_one(broken, kms):
            with pytest.raises(ClientError):
                describe(kms, "alias/x")

        @pytest.mark.skip
        def test_skipped(kms): ...

        def test_without(): ...

        def test_two(broken_otherwise, kms):
            with pytest.raises(ClientError):
                describe(kms, "alias/x")
        """.replace("def test_two", "def test_two" if scope == "function" else "def other"),
        scope=scope,
    )


def test_a_fake_of_a_wider_scope_tells_the_calls_of_the_test(sections: Callable[..., list[list[str]]]) -> None:
    """The numbers are those of the trail, and the calls of earlier tests are counted, retries among them once."""
    assert [
        [
            "The calls of earlier tests, 3 of them, are in kms.trail.",
            f"4. DescribeKey alias/x -> NotFoundException{ENDED}",
        ],
        [
            "The calls of earlier tests, 4 of them, are in kms.trail.",
            "Nothing called KMS in this test.",
        ],
        [f"1. DescribeKey alias/y -> NotFoundException{ENDED}"],
    ] == sections(
        """
        def test_one(kms):
            kms.throttle("ListKeys", times=2)
            kms.client.list_keys()
            kms.create_key("orders", state="PendingDeletion")
            kms.clock.advance(days=31)
            kms.client.list_keys()

        def test_two(kms):
            describe(kms, "alias/x")

        def test_three(kms):
            raise ValueError

        def test_four(kms):
            kms.reset()
            describe(kms, "alias/y")
        """,
        scope="module",
    )[:3]


def test_a_fake_within_the_test_is_told(sections: Callable[..., list[list[str]]]) -> None:
    """It has ended by the time of the report; so has what a reset forgot. Those without calls are left out."""
    assert [
        ["1. ListKeys -> ok"],
        [f"1. DescribeKey alias/x -> NotFoundException{ENDED}"],
    ] == sections(
        """
        def test_one():
            with pytest_kms.fake_kms() as kms:
                kms.client.list_keys()
                kms.reset()
                with pytest_kms.fake_kms():
                    pass
                describe(kms, "alias/x")

        def test_passes():
            with pytest_kms.fake_kms() as kms:
                kms.client.list_keys()

        def test_without():
            raise ValueError
        """
    )


def test_of_many_fakes_within_a_test_the_last_are_told(sections: Callable[..., list[list[str]]]) -> None:
    """As of a test that Hypothesis runs again and again."""
    assert [
        ["... 7 earlier fakes of this test are left out", "1. ListKeys -> ok"],
        ["1. ListKeys -> ok"],
        ["1. ListKeys -> ok"],
    ] == sections(
        """
        def test_one():
            for _ in range(10):
                with pytest_kms.fake_kms() as kms:
                    kms.client.list_keys()
            raise ValueError
        """
    )


def test_a_run_within_a_test_tells_nothing_of_the_fakes_around_it(
    kms: FakeKMS, sections: Callable[..., list[list[str]]]
) -> None:
    """pytester runs a suite in the process of another."""
    kms.client.list_keys()
    assert [] == sections("def test_one():\n    raise ValueError\n")
