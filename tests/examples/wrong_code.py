"""Code with one mistake each, as people write it, and the same code put right.

`MISTAKES` holds them by name. Each is a function of two clients: of the application, and of a role that no policy
allows anything. With `right=True` it does the same without the mistake.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

ROLE = "arn:aws:iam::123456789012:role/app"
PSS: Final = "RSASSA_PSS_SHA_256"
OAEP: Final = "RSAES_OAEP_SHA_256"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, in a sentence; what AWS says to it; and the code."""

    what: str
    verdict: str
    code: Callable[..., None]


MISTAKES: dict[str, Mistake] = {}


def mistake(what: str, verdict: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enter a function by its name."""

    def enter(code: Callable[..., None]) -> Callable[..., None]:
        MISTAKES[code.__name__] = Mistake(what, verdict, code)
        return code

    return enter


def new_key(kms: KMSClient, spec: str = "SYMMETRIC_DEFAULT", usage: str = "ENCRYPT_DECRYPT") -> str:
    """Make a key and return its id."""
    members: Any = {"KeySpec": spec, "KeyUsage": usage}
    return kms.create_key(**members)["KeyMetadata"]["KeyId"]


def put_policy(kms: KMSClient, key: str, *statements: Mapping[str, Any]) -> None:
    """Give a key a policy."""
    kms.put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )


@contextmanager
def suppress_error(code: str) -> Iterator[None]:
    """Go on after one error of KMS."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


ACCOUNT_DECIDES = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "kms:*",
    "Resource": "*",
}


# Keys that are not there for this any more


@mistake("Disables the old key, and still has ciphertexts of it", "DisabledException")
def reads_with_a_disabled_key(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Put a key away."""
    old = new_key(kms)
    blob = kms.encrypt(KeyId=old, Plaintext=b"order 7")["CiphertextBlob"]
    if right:
        blob = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new_key(kms))["CiphertextBlob"]
    kms.disable_key(KeyId=old)
    kms.decrypt(CiphertextBlob=blob)


@mistake("Goes on with a key that is scheduled for deletion", "KMSInvalidStateException")
def uses_a_key_that_waits_for_its_deletion(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Encrypt in the waiting period."""
    key = new_key(kms)
    kms.schedule_key_deletion(KeyId=key)
    if right:
        kms.cancel_key_deletion(KeyId=key)
        kms.enable_key(KeyId=key)
    kms.encrypt(KeyId=key, Plaintext=b"order 7")


@mistake("Takes a key back from deletion by enabling it", "KMSInvalidStateException")
def enables_a_key_that_waits_for_its_deletion(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Forget CancelKeyDeletion."""
    key = new_key(kms)
    kms.schedule_key_deletion(KeyId=key)
    if right:
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)


# Who may


@mistake("Reads with a role that nothing allows to", "AccessDeniedException")
def reads_with_a_role_that_may_not(kms: KMSClient, role: KMSClient, *, right: bool = False) -> None:
    """Deploy a new worker without its permissions."""
    key = new_key(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"order 7")["CiphertextBlob"]
    if right:
        kms.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Decrypt"])
    role.decrypt(CiphertextBlob=blob)


@mistake("A Deny of the key policy hits the application too", "AccessDeniedException")
def is_denied_by_the_key_policy(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Mean one role, and deny everybody."""
    key = new_key(kms)
    whom = {"AWS": "arn:aws:iam::123456789012:role/auditor"} if right else "*"
    put_policy(
        kms, key, ACCOUNT_DECIDES, {"Effect": "Deny", "Principal": whom, "Action": "kms:Encrypt", "Resource": "*"}
    )
    kms.encrypt(KeyId=key, Plaintext=b"order 7")


@mistake("Puts a key policy that nobody could ever change again", "MalformedPolicyDocumentException")
def locks_everybody_out(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Forget who is to administer the key."""
    key = new_key(kms)
    user = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Encrypt", "Resource": "*"}
    put_policy(kms, key, *([ACCOUNT_DECIDES] if right else []), user)


@mistake("Grants one operation, and needs two", "AccessDeniedException")
def grants_too_little(kms: KMSClient, role: KMSClient, *, right: bool = False) -> None:
    """Let a role write and not read."""
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Encrypt", "Decrypt"] if right else ["Encrypt"])
    role.decrypt(CiphertextBlob=role.encrypt(KeyId=key, Plaintext=b"order 7")["CiphertextBlob"])


@mistake("Grants for an encryption context as a whole, and uses a longer one", "AccessDeniedException")
def grants_for_another_context(kms: KMSClient, role: KMSClient, *, right: bool = False) -> None:
    """Mean EncryptionContextSubset."""
    key, context = new_key(kms), {"tenant": "acme", "order": "7"}
    only: Any = {"EncryptionContextSubset" if right else "EncryptionContextEquals": {"tenant": "acme"}}
    kms.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Decrypt"], Constraints=only)
    blob = kms.encrypt(KeyId=key, Plaintext=b"order 7", EncryptionContext=context)["CiphertextBlob"]
    role.decrypt(CiphertextBlob=blob, EncryptionContext=context)


@mistake("Gives a grant back before its last use", "AccessDeniedException")
def retires_a_grant_too_soon(kms: KMSClient, role: KMSClient, *, right: bool = False) -> None:
    """Tidy up first."""
    key = new_key(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"order 7")["CiphertextBlob"]
    grant = kms.create_grant(KeyId=key, GranteePrincipal=ROLE, RetiringPrincipal=ROLE, Operations=["Decrypt"])
    if not right:
        role.retire_grant(GrantToken=grant["GrantToken"])
    role.decrypt(CiphertextBlob=blob)


@mistake("Allows by kms:ViaService what the application does itself", "AccessDeniedException")
def is_allowed_through_s3_alone(kms: KMSClient, role: KMSClient, *, right: bool = False) -> None:
    """Copy the policy of a key that encrypts a bucket."""
    key = kms.create_key()["KeyMetadata"]["Arn"]
    allow: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Encrypt", "Resource": "*"}
    if not right:
        allow["Condition"] = {"StringEquals": {"kms:ViaService": f"s3.{kms.meta.region_name}.amazonaws.com"}}
    put_policy(kms, key, ACCOUNT_DECIDES, allow)
    role.encrypt(KeyId=key, Plaintext=b"order 7")


@mistake("The account in an ARN is the wrong one", "AccessDeniedException")
def names_a_key_of_another_account(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Keep the ARN of the staging account in the configuration."""
    key = new_key(kms)
    account = "123456789012" if right else "999999999999"
    kms.encrypt(KeyId=f"arn:aws:kms:{kms.meta.region_name}:{account}:key/{key}", Plaintext=b"order 7")


# Encryption


@mistake("Puts an encryption context together from parts that run into each other", "InvalidCiphertextException")
def confuses_the_parts_of_a_context(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Read back under a context that only looks the same when its parts are written one after the other."""
    key = new_key(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"order 7", EncryptionContext={"tenant": "acme"})["CiphertextBlob"]
    name, value = ("tenant", "acme") if right else ("tenanta", "cme")
    kms.decrypt(CiphertextBlob=blob, EncryptionContext={name: value})


@mistake("Names the wrong source key in ReEncrypt", "IncorrectKeyException")
def re_encrypts_from_the_wrong_key(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Swap source and destination."""
    old, new = new_key(kms), new_key(kms)
    blob = kms.encrypt(KeyId=old, Plaintext=b"order 7")["CiphertextBlob"]
    kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=old if right else new, DestinationKeyId=new)


@mistake("Tries one key after another, and expects AccessDeniedException of the wrong ones", "IncorrectKeyException")
def tries_one_key_after_another(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Find out which key has made a ciphertext."""
    keys = [new_key(kms), new_key(kms)]
    blob = kms.encrypt(KeyId=keys[1], Plaintext=b"order 7")["CiphertextBlob"]
    for key in keys:
        with suppress_error("IncorrectKeyException" if right else "AccessDeniedException"):
            kms.decrypt(CiphertextBlob=blob, KeyId=key)


@mistake("Encrypts with a key that was made to sign", "InvalidKeyUsageException")
def encrypts_with_a_signing_key(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Take one key for both."""
    usage = "ENCRYPT_DECRYPT" if right else "SIGN_VERIFY"
    kms.encrypt(KeyId=new_key(kms, "RSA_2048", usage), Plaintext=b"order 7", EncryptionAlgorithm=OAEP)


@mistake("Encrypts more with an RSA key than its padding takes", "ValidationException")
def encrypts_too_much_with_rsa(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Know the limit of symmetric keys alone, 4,096 bytes."""
    content = b"x" * (190 if right else 400)
    kms.encrypt(KeyId=new_key(kms, "RSA_2048"), Plaintext=content, EncryptionAlgorithm=OAEP)


@mistake("Gives an RSA key an encryption context", "ValidationException")
def gives_rsa_a_context(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Rely on a binding that asymmetric keys do not have."""
    context = {} if right else {"tenant": "acme"}
    key = new_key(kms, "RSA_2048")
    kms.encrypt(KeyId=key, Plaintext=b"order 7", EncryptionAlgorithm=OAEP, EncryptionContext=context)


@mistake("Asks an RSA key for a data key", "InvalidKeyUsageException")
def wants_a_data_key_of_rsa(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Envelope encryption takes a symmetric key."""
    kms.generate_data_key(KeyId=new_key(kms, "SYMMETRIC_DEFAULT" if right else "RSA_2048"), KeySpec="AES_256")


@mistake("Takes a dry run for a success without an exception", "DryRunOperationException")
def expects_a_dry_run_to_return(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Forget that a dry run which would succeed ends with an error, too."""
    key = new_key(kms)
    try:
        kms.encrypt(KeyId=key, Plaintext=b"order 7", DryRun=True)
    except kms.exceptions.DryRunOperationException:
        if not right:
            raise


# Signatures and MACs


@mistake("Waits for Verify to return False", "KMSInvalidSignatureException")
def waits_for_verify_to_return_false(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Forget that a signature which is none raises."""
    key = new_key(kms, "RSA_2048", "SIGN_VERIFY")
    signature = kms.sign(KeyId=key, Message=b"pay 7", SigningAlgorithm=PSS)["Signature"]
    try:
        genuine = kms.verify(KeyId=key, Message=b"pay 700", Signature=signature, SigningAlgorithm=PSS)["SignatureValid"]
    except kms.exceptions.KMSInvalidSignatureException:
        if not right:
            raise
        genuine = False
    if genuine:
        raise LookupError("a forged payment went through")


@mistake("Signs a digest, and verifies it as a message", "KMSInvalidSignatureException")
def verifies_a_digest_as_a_message(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Leave MessageType out on one side."""
    key = new_key(kms, "RSA_2048", "SIGN_VERIFY")
    asked: Any = {"KeyId": key, "Message": hashlib.sha256(b"pay 7").digest(), "SigningAlgorithm": PSS}
    signature = kms.sign(**asked, MessageType="DIGEST")["Signature"]
    kms.verify(**asked, Signature=signature, MessageType="DIGEST" if right else "RAW")


@mistake("Signs a digest of another length than its algorithm's", "ValidationException")
def signs_a_digest_of_the_wrong_hash(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Hash with SHA-1, say SHA-256."""
    key = new_key(kms, "RSA_2048", "SIGN_VERIFY")
    digest = hashlib.new("sha256" if right else "sha1", b"pay 7", usedforsecurity=False).digest()
    kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=PSS)


@mistake("Signs a message of more than 4,096 bytes as it is", "ValidationException")
def signs_a_long_message(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Beyond the limit the digest has to be made at home."""
    key, message = new_key(kms, "RSA_2048", "SIGN_VERIFY"), b"x" * 5000
    if right:
        kms.sign(KeyId=key, Message=hashlib.sha256(message).digest(), MessageType="DIGEST", SigningAlgorithm=PSS)
    else:
        kms.sign(KeyId=key, Message=message, SigningAlgorithm=PSS)


@mistake("Wants HMAC_SHA_512 of an HMAC_256 key", "InvalidKeyUsageException")
def wants_the_wrong_mac(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Choose the algorithm, and not the key that has it."""
    key = new_key(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    kms.generate_mac(KeyId=key, Message=b"order 7", MacAlgorithm="HMAC_SHA_256" if right else "HMAC_SHA_512")


# Managing keys


@mistake("Reads the first page, and takes it for all", "LookupError")
def reads_the_first_page_alone(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Look for a key among many."""
    made = {new_key(kms) for _number in range(3)}
    if right:
        pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    else:
        pages = [kms.list_keys(Limit=2)]
    if made - {key["KeyId"] for page in pages for key in page["Keys"]}:
        raise LookupError("a key is missing")


@mistake("Makes keys in a burst, with a client that does not try again", "ThrottlingException")
def makes_keys_in_a_burst(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """CreateKey has a quota of 5 requests a second."""
    attempts = Config(retries={"total_max_attempts": 10 if right else 1})  # 5 may all fall into one second
    client = boto3.client("kms", region_name=kms.meta.region_name, config=attempts)
    for _number in range(8):
        new_key(client)


@mistake("Grants by alias", "InvalidArnException")
def grants_by_alias(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Only some operations take an alias."""
    key = new_key(kms)
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    kms.create_grant(KeyId=key if right else "alias/orders", GranteePrincipal=ROLE, Operations=["Decrypt"])


@mistake("Lets an RSA key rotate every year", "UnsupportedOperationException")
def rotates_rsa(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Only symmetric encryption keys do."""
    kms.enable_key_rotation(KeyId=new_key(kms, "SYMMETRIC_DEFAULT" if right else "RSA_2048"))


@mistake("Deletes a key within three days", "ValidationException")
def deletes_a_key_too_soon(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Forget that the least waiting period is 7 days."""
    kms.schedule_key_deletion(KeyId=new_key(kms), PendingWindowInDays=7 if right else 3)


# The keys of AWS services


@mistake("Encrypts with alias/aws/s3, which is for S3 alone", "AccessDeniedException")
def encrypts_with_the_key_of_s3(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Save the money for a key of one's own."""
    kms.encrypt(KeyId=new_key(kms) if right else "alias/aws/s3", Plaintext=b"order 7")


@mistake("Disables the key of a service, to see who needs it", "AccessDeniedException")
def disables_the_key_of_s3(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Manage an AWS managed key."""
    of_s3 = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=new_key(kms) if right else of_s3)


@mistake("Takes the key of a service for one of the customer's", "LookupError")
def takes_the_key_of_s3_for_a_customers(kms: KMSClient, _: KMSClient, *, right: bool = False) -> None:
    """Audit that all is encrypted with keys of one's own."""
    name = new_key(kms) if right else "alias/aws/s3"
    if kms.describe_key(KeyId=name)["KeyMetadata"]["KeyManager"] != "CUSTOMER":
        raise LookupError("this is not ours")


# What ends well, here as at AWS, and is wrong all the same: for these there are assertions


class Orders:
    """Orders, each sealed under a data key, which is asked for once and kept, or so it was meant."""

    def __init__(self, kms: KMSClient, *, right: bool) -> None:
        self._kms = kms
        self._right = right
        self._opened: dict[bytes, bytes] = {}

    def seal(self, number: int) -> bytes:
        """Make a data key for an order."""
        bound: Any = {"EncryptionContext": {"order": str(number)}} if self._right else {}
        return self._kms.generate_data_key(KeyId="alias/orders", KeySpec="AES_256", **bound)["CiphertextBlob"]

    def open(self, number: int, blob: bytes) -> bytes:
        """Get a data key back, from KMS at the first time."""
        if blob not in self._opened:
            bound: Any = {"EncryptionContext": {"order": str(number)}} if self._right else {}
            data_key = self._kms.decrypt(CiphertextBlob=blob, **bound)["Plaintext"]
            self._opened[blob if self._right else data_key] = data_key
            return data_key
        return self._opened[blob]
