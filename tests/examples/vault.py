"""A vault for the documents of many tenants. Whatever it keeps, it keeps encrypted under keys of AWS KMS.

Secrets of up to 4,096 bytes are encrypted by KMS itself; documents beyond that by the AWS Encryption SDK,
which asks KMS for a data key for each. Files beside the vault are encrypted here, with AES-GCM and a data key
of KMS that stands at their beginning. The encryption context ties every ciphertext to its tenant.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError, DecryptKeyError, GenerateKeyError
from aws_encryption_sdk.identifiers import Algorithm
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

REGION = "eu-central-1"
SECRETS_KEY = "alias/vault-secrets"
DOCUMENTS_KEY = "alias/vault-documents"
LARGEST_SECRET = 4096  # what KMS encrypts in one call
NONCE_BYTES = 12

_retries = Config(retries={"mode": "standard", "total_max_attempts": 4})
kms = boto3.client("kms", region_name=REGION, config=_retries)

_sdk_session = botocore.session.Session()
_sdk_session.set_default_client_config(_retries)
_sdk = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

_TRY_LATER = {
    "DependencyTimeoutException",
    "DisabledException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "ThrottlingException",
}


class VaultUnavailable(Exception):
    """KMS does not serve the vault at present. Nothing is lost: try again later."""


class Unreadable(Exception):
    """What is kept was altered, or belongs to another tenant or name."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the store holds: a ciphertext of KMS, or with `enveloped` a message of the AWS Encryption SDK."""

    ciphertext: bytes
    enveloped: bool


class Vault:
    """What all tenants keep. `store` is any mapping that lasts; it sees nothing but ciphertext."""

    def __init__(self, store: MutableMapping[tuple[str, str], Sealed]) -> None:
        self._store = store

    def put(self, tenant: str, name: str, content: bytes) -> None:
        """Keep a content of at least one byte."""
        context = {"tenant": tenant, "name": name}
        enveloped = len(content) > LARGEST_SECRET
        with _kms_errors():
            if enveloped:
                ciphertext = _envelope(content, context)
            else:
                answer = kms.encrypt(KeyId=SECRETS_KEY, Plaintext=content, EncryptionContext=context)
                ciphertext = answer["CiphertextBlob"]
        self._store[tenant, name] = Sealed(ciphertext, enveloped)

    def get(self, tenant: str, name: str) -> bytes:
        """Return what is kept under a name; KeyError if nothing is."""
        context = {"tenant": tenant, "name": name}
        sealed = self._store[tenant, name]
        with _kms_errors():
            if sealed.enveloped:
                return _open_envelope(sealed.ciphertext, context)
            return kms.decrypt(CiphertextBlob=sealed.ciphertext, EncryptionContext=context)["Plaintext"]

    def rotate_secrets(self) -> str:
        """Move all secrets to a new key and disable the old one, whose id is returned.

        The secrets are never seen here: ReEncrypt moves them within KMS.
        """
        with _kms_errors():
            old = kms.describe_key(KeyId=SECRETS_KEY)["KeyMetadata"]["KeyId"]
            new = kms.create_key(Description="Secrets of the vault")["KeyMetadata"]["KeyId"]
            kms.update_alias(AliasName=SECRETS_KEY, TargetKeyId=new)  # from here on no secret goes to the old key
            for (tenant, name), sealed in list(self._store.items()):
                if not sealed.enveloped:
                    context = {"tenant": tenant, "name": name}
                    answer = kms.re_encrypt(
                        CiphertextBlob=sealed.ciphertext,
                        SourceEncryptionContext=context,
                        DestinationKeyId=new,
                        DestinationEncryptionContext=context,
                    )
                    self._store[tenant, name] = Sealed(answer["CiphertextBlob"], enveloped=False)
            kms.disable_key(KeyId=old)
        return old


def retire(key_id: str) -> None:
    """Delete a key that nothing needs any more, after 30 days in which it can still be called back."""
    with _kms_errors():
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=30)


def refusals() -> dict[str, str]:
    """Ask KMS, without doing anything, what the vault may not do: operations, and the codes of their errors."""
    found = {}
    try:
        kms.encrypt(KeyId=SECRETS_KEY, Plaintext=b"may I?", DryRun=True)
    except ClientError as error:
        found["Encrypt"] = error.response["Error"]["Code"]
    try:
        kms.generate_data_key(KeyId=DOCUMENTS_KEY, KeySpec="AES_256", DryRun=True)
    except ClientError as error:
        found["GenerateDataKey"] = error.response["Error"]["Code"]
    return {operation: code for operation, code in found.items() if code != "DryRunOperationException"}


def prepare_file_key(tenant: str) -> bytes:
    """Return an encrypted data key for `encrypt_file`, made for a service that may hold but never use it."""
    with _kms_errors():
        answer = kms.generate_data_key_without_plaintext(
            KeyId=DOCUMENTS_KEY, KeySpec="AES_256", EncryptionContext={"tenant": tenant}
        )
    return answer["CiphertextBlob"]


def encrypt_file(tenant: str, source: Path, target: Path, *, prepared_key: bytes | None = None) -> None:
    """Encrypt a file, under a data key that was prepared, or else under a new one."""
    context = {"tenant": tenant}
    with _kms_errors():
        if prepared_key is None:
            answer = kms.generate_data_key(KeyId=DOCUMENTS_KEY, KeySpec="AES_256", EncryptionContext=context)
            key, encrypted_key = answer["Plaintext"], answer["CiphertextBlob"]
        else:
            key = kms.decrypt(CiphertextBlob=prepared_key, EncryptionContext=context)["Plaintext"]
            encrypted_key = prepared_key
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, source.read_bytes(), tenant.encode())
    target.write_bytes(len(encrypted_key).to_bytes(2, "big") + encrypted_key + nonce + ciphertext)


def decrypt_file(tenant: str, source: Path, target: Path) -> None:
    """Decrypt a file that `encrypt_file` has written."""
    content = source.read_bytes()
    key_end = 2 + int.from_bytes(content[:2], "big")
    nonce_end = key_end + NONCE_BYTES
    with _kms_errors():
        answer = kms.decrypt(CiphertextBlob=content[2:key_end], EncryptionContext={"tenant": tenant})
        plaintext = AESGCM(answer["Plaintext"]).decrypt(
            content[key_end:nonce_end], content[nonce_end:], tenant.encode()
        )
    target.write_bytes(plaintext)


def _envelope(content: bytes, context: dict[str, str]) -> bytes:
    # Whoever can read here can write as well, so signing the messages would prove nothing.
    message: bytes
    message, _ = _sdk.encrypt(
        source=content,
        key_provider=_documents_key(),
        encryption_context=context,
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    return message


def _open_envelope(message: bytes, context: dict[str, str]) -> bytes:
    content: bytes
    content, header = _sdk.decrypt(source=message, key_provider=_documents_key())
    # The SDK reads the context from the message itself, which may be another tenant's.
    if header.encryption_context != context:
        raise Unreadable("the document belongs to another tenant or name")
    return content


def _documents_key() -> Any:
    # A strict provider opens messages of the keys it names, and these it knows by their ARNs alone.
    return _provider(kms.describe_key(KeyId=DOCUMENTS_KEY)["KeyMetadata"]["Arn"])


@lru_cache(maxsize=4)
def _provider(key_arn: str) -> Any:
    return StrictAwsKmsMasterKeyProvider(key_ids=[key_arn], region_names=[REGION], botocore_session=_sdk_session)


@contextmanager
def _kms_errors() -> Iterator[None]:
    """Tell what went wrong in the vault's words; mistakes of its set-up stay KMS's own errors."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _TRY_LATER:
            raise VaultUnavailable(f"KMS answered {error.operation_name} with {code}") from error
        if code == "InvalidCiphertextException":
            raise Unreadable("KMS does not know the ciphertext in this context") from error
        raise
    except (NoConnection, HTTPClientError) as error:
        raise VaultUnavailable("KMS cannot be reached") from error
    except (GenerateKeyError, DecryptKeyError) as error:
        raise VaultUnavailable("KMS gave the AWS Encryption SDK no data key") from error
    except (InvalidTag, AWSEncryptionSDKClientError) as error:
        raise Unreadable("the ciphertext was altered") from error
