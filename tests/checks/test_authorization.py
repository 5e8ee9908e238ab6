"""What no policy can allow: AWS managed keys, and keys of other accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from answers import TESTER
from botocore.exceptions import ClientError

from pytest_kms import fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS, Key

STRANGER = "111122223333"
MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"

HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a"
    " resource-based policy explicitly denies access"
)


def denied(call: Callable[[], object]) -> str:
    """Return the message of the AccessDeniedException that a call ends with."""
    with pytest.raises(ClientError) as excinfo:
        call()
    assert "AccessDeniedException" == excinfo.value.response["Error"]["Code"]
    assert 400 == excinfo.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return excinfo.value.response["Error"]["Message"]


@pytest.fixture
def managed(kms: FakeKMS) -> Key:
    """Return the AWS managed key of S3."""
    return kms.aws_managed_key("s3")


def name_of(key: Key, form: str) -> str:
    """Name a key in one of the four forms."""
    region, account = key.region, key.account
    names = {
        "id": key.id,
        "ARN": key.arn,
        "alias": str(key.alias),
        "alias ARN": f"arn:aws:kms:{region}:{account}:{key.alias}",
    }
    return names[form]


@pytest.mark.parametrize("form", ["id", "ARN", "alias", "alias ARN"])
def test_an_aws_managed_key_is_described(kms: FakeKMS, managed: Key, form: str) -> None:
    """Everybody in the account may look at its metadata, by any name."""
    metadata = kms.client.describe_key(KeyId=name_of(managed, form))["KeyMetadata"]

    assert managed.arn == metadata["Arn"]
    assert "AWS" == metadata["KeyManager"]
    assert "Enabled" == metadata["KeyState"]
    assert "Default key that protects my S3 objects when no other key is defined" == metadata.get("Description")


def test_an_aws_managed_key_is_listed(kms: FakeKMS, managed: Key) -> None:
    """It is among the keys of the account, and its alias is told."""
    assert [managed.id] == [key.get("KeyId") for key in kms.client.list_keys()["Keys"]]
    aliases = kms.client.list_aliases(KeyId=managed.id)["Aliases"]
    assert ["alias/aws/s3"] == [alias.get("AliasName") for alias in aliases]


MANAGING: dict[str, Callable[[KMSClient, str], object]] = {
    "UpdateKeyDescription": lambda client, key: client.update_key_description(KeyId=key, Description="x"),
    "EnableKey": lambda client, key: client.enable_key(KeyId=key),
    "DisableKey": lambda client, key: client.disable_key(KeyId=key),
    "ScheduleKeyDeletion": lambda client, key: client.schedule_key_deletion(KeyId=key),
    "CancelKeyDeletion": lambda client, key: client.cancel_key_deletion(KeyId=key),
    "CreateAlias": lambda client, key: client.create_alias(AliasName="alias/new", TargetKeyId=key),
    "UpdateAlias": lambda client, key: client.update_alias(AliasName="alias/mine", TargetKeyId=key),
}
USING: dict[str, Callable[[KMSClient, str], object]] = {
    "Encrypt": lambda client, key: client.encrypt(KeyId=key, Plaintext=b"x"),
    "GenerateDataKey": lambda client, key: client.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": lambda client, key: client.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_256"
    ),
    "GenerateDataKeyPair": lambda client, key: client.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_2048"),
    "GenerateDataKeyPairWithoutPlaintext": lambda client, key: client.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="RSA_2048"
    ),
    "Sign": lambda client, key: client.sign(KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    "Verify": lambda client, key: client.verify(
        KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256", Signature=b"x"
    ),
    "GenerateMac": lambda client, key: client.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256"),
    "VerifyMac": lambda client, key: client.verify_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256", Mac=b"x"),
    "DeriveSharedSecret": lambda client, key: client.derive_shared_secret(
        KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=b"x"
    ),
}


@pytest.mark.parametrize("operation", [*MANAGING, *USING])
def test_an_aws_managed_key_is_neither_used_nor_managed(kms: FakeKMS, managed: Key, operation: str) -> None:
    """It is an authorization error, not one of state: no policy of the key allows it."""
    kms.create_key("mine")
    before = managed.state, managed.description, list(managed.aliases)

    message = denied(lambda: {**MANAGING, **USING}[operation](kms.client, managed.arn))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:{operation} on resource: {managed.arn}"
        f" because no resource-based policy allows the kms:{operation} action"
    ) == message
    assert (managed.state, managed.description, list(managed.aliases)) == before


def test_a_ciphertext_of_an_aws_managed_key_is_not_decrypted(kms: FakeKMS, managed: Key) -> None:
    """Only the service that owns the ciphertext may decrypt it; the refusal names the key that the call names."""
    blob = kms.encrypt(managed, b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob, KeyId="alias/aws/s3"))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt on resource: {managed.arn}"
        " because no resource-based policy allows the kms:Decrypt action"
    ) == message


def test_a_call_that_names_no_key_is_not_told_which_key_it_was(kms: FakeKMS, managed: Key) -> None:
    """Where no key is named, the refusal by the key's policy speaks of the ciphertext alone."""
    blob = kms.encrypt(managed, b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_reencrypt_from_an_aws_managed_key_names_reencryptfrom(kms: FakeKMS, managed: Key) -> None:
    """ReEncrypt takes two permissions; on the source it is kms:ReEncryptFrom."""
    blob = kms.encrypt(managed, b"x")

    message = denied(
        lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id, SourceKeyId=managed.id)
    )

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom on resource: {managed.arn}"
        " because no resource-based policy allows the kms:ReEncryptFrom action"
    ) == message


def test_reencrypt_to_an_aws_managed_key_names_reencryptto(kms: FakeKMS, managed: Key) -> None:
    """ReEncrypt takes two permissions; on the destination it is kms:ReEncryptTo."""
    blob = kms.encrypt(kms.create_key(), b"x")

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId="alias/aws/s3"))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptTo on resource: {managed.arn}"
        " because no resource-based policy allows the kms:ReEncryptTo action"
    ) == message


def test_permission_comes_before_the_state_of_the_key(kms: FakeKMS, managed: Key) -> None:
    """Nobody learns the state of a key that he may not use."""
    managed.state = "Disabled"

    assert "kms:Encrypt" in denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x"))


def test_a_dry_run_asks_for_permission(kms: FakeKMS, managed: Key) -> None:
    """A dry run of a forbidden call is refused as the call is."""
    assert "kms:Encrypt" in denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x", DryRun=True))


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda client, key: client.create_alias(AliasName="alias/aws/mine", TargetKeyId=key), id="CreateAlias"
        ),
        pytest.param(
            lambda client, key: client.update_alias(AliasName="alias/aws/s3", TargetKeyId=key), id="UpdateAlias"
        ),
        pytest.param(lambda client, _: client.delete_alias(AliasName="alias/aws/s3"), id="DeleteAlias"),
    ],
)
def test_the_names_of_aws_managed_keys_are_reserved(
    kms: FakeKMS, managed: Key, call: Callable[[KMSClient, str], object]
) -> None:
    """Customers make, move and delete no alias that begins with alias/aws/."""
    key = kms.create_key()

    with pytest.raises(ClientError) as excinfo:
        call(kms.client, key.id)

    assert {"Code": "NotAuthorizedException", "Message": ""} == excinfo.value.response["Error"]
    assert ["alias/aws/s3"] == managed.aliases


FOREIGN: dict[str, Callable[[KMSClient, str], object]] = {
    **MANAGING,
    **USING,
    "DescribeKey": lambda client, key: client.describe_key(KeyId=key),
}


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize("operation", FOREIGN)
def test_a_key_of_another_account_is_hidden(
    kms: FakeKMS,
    operation: str,
    there: bool,  # noqa: FBT001
) -> None:
    """The refusal is the same whether the key exists or not."""
    kms.create_key("mine")
    key = kms.create_key(account=STRANGER)
    arn = key.arn if there else f"arn:aws:kms:us-east-1:{STRANGER}:key/{MISSING}"

    message = denied(lambda: FOREIGN[operation](kms.client, arn))

    assert f"User: {TESTER} is not authorized to perform: kms:{operation} on this resource {HIDDEN}" == message


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize("operation", [*USING, "DescribeKey"])
def test_an_alias_of_another_account_is_hidden(
    kms: FakeKMS,
    operation: str,
    there: bool,  # noqa: FBT001
) -> None:
    """An alias ARN of another account tells no more than a key ARN."""
    kms.create_key("theirs", account=STRANGER)
    arn = f"arn:aws:kms:us-east-1:{STRANGER}:alias/{'theirs' if there else 'nobodys'}"

    message = denied(lambda: FOREIGN[operation](kms.client, arn))

    assert f"User: {TESTER} is not authorized to perform: kms:{operation} on this resource {HIDDEN}" == message


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_reencrypt_to_a_key_of_another_account_names_reencryptto(
    kms: FakeKMS,
    there: bool,  # noqa: FBT001
) -> None:
    """The destination is named in the request: it is `this resource`, and the permission is kms:ReEncryptTo."""
    blob = kms.encrypt(kms.create_key(), b"x")
    key = kms.create_key(account=STRANGER)
    arn = key.arn if there else f"arn:aws:kms:us-east-1:{STRANGER}:key/{MISSING}"

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=arn))

    assert f"User: {TESTER} is not authorized to perform: kms:ReEncryptTo on this resource {HIDDEN}" == message


def test_reencrypt_from_a_named_key_of_another_account_names_reencryptfrom(kms: FakeKMS) -> None:
    """The source is named in the request: it is `this resource`, and the permission is kms:ReEncryptFrom."""
    theirs, mine = kms.create_key(account=STRANGER), kms.create_key()
    blob = kms.encrypt(theirs, b"x")

    message = denied(
        lambda: kms.client.re_encrypt(CiphertextBlob=blob, SourceKeyId=theirs.arn, DestinationKeyId=mine.id)
    )

    assert f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom on this resource {HIDDEN}" == message


def test_a_ciphertext_of_another_account_is_not_decrypted(kms: FakeKMS) -> None:
    """Where no key is named, the refusal speaks of the ciphertext's."""
    blob = kms.encrypt(kms.create_key(account=STRANGER), b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_a_ciphertext_of_another_account_is_not_reencrypted(kms: FakeKMS) -> None:
    """ReEncrypt without SourceKeyId speaks of the ciphertext, and of kms:ReEncryptFrom."""
    blob = kms.encrypt(kms.create_key(account=STRANGER), b"x")

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


@pytest.mark.parametrize("gone", ["deleted", "in another Region"])
def test_a_ciphertext_whose_key_is_not_here_is_not_reencrypted(kms: FakeKMS, gone: str) -> None:
    """The permission on the source is kms:ReEncryptFrom, also where the key is not found."""
    key = kms.create_key(region="eu-west-1" if gone == "in another Region" else None)
    blob = kms.encrypt(key, b"x")
    if gone == "deleted":
        key.state = "PendingDeletion"
        kms.clock.advance(days=31)

    message = denied(lambda: kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=kms.create_key().id))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:ReEncryptFrom"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_a_ciphertext_of_an_aws_owned_key_is_not_decrypted(kms: FakeKMS) -> None:
    """An AWS owned key lives in an account of AWS: to customers it is one more key of another account."""
    blob = kms.encrypt(kms.aws_owned_key("dynamodb"), b"x")

    message = denied(lambda: kms.client.decrypt(CiphertextBlob=blob))

    assert (
        f"User: {TESTER} is not authorized to perform: kms:Decrypt"
        f" on the resource associated with this ciphertext {HIDDEN}"
    ) == message


def test_an_id_alone_never_means_a_key_of_another_account(kms: FakeKMS) -> None:
    """A short key id is looked up in the caller's own account, so it is plainly not found."""
    key = kms.create_key(account=STRANGER)

    with pytest.raises(ClientError) as excinfo:
        kms.client.describe_key(KeyId=key.id)

    assert {
        "Code": "NotFoundException",
        "Message": f"Key 'arn:aws:kms:us-east-1:123456789012:key/{key.id}' does not exist",
    } == excinfo.value.response["Error"]


def test_the_caller_is_named_by_the_account_of_the_fake() -> None:
    """A fake of another account has its principal there, and its keys open to it."""
    with fake_kms(account=STRANGER) as kms:
        key = kms.create_key(account="123456789012")
        message = denied(lambda: kms.client.describe_key(KeyId=key.arn))
        own = kms.client.describe_key(KeyId=kms.create_key().arn)["KeyMetadata"]

    assert message.startswith(
        f"User: arn:aws:iam::{STRANGER}:user/tester is not authorized to perform: kms:DescribeKey"
    )
    assert STRANGER == own.get("AWSAccountId")


def test_denials_are_asserted_on(kms: FakeKMS, managed: Key) -> None:
    """`assert_denied` finds what was refused, for the key that it was refused on."""
    denied(lambda: kms.client.encrypt(KeyId=managed.id, Plaintext=b"x"))

    kms.assert_denied("Encrypt", key=managed, times=1)
    kms.assert_not_used(managed)
