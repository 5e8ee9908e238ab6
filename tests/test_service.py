"""What is derived from botocore's model of KMS: operations, pages, secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from pytest_kms import NotSupported, fake_kms, service
from pytest_kms.operation import OPERATIONS

if TYPE_CHECKING:
    from pytest_kms import FakeKMS

SECRET = b"my very secret plaintext"


def test_the_operations_are_those_of_the_installed_botocore() -> None:
    """All of them, in alphabetical order."""
    names = Session().get_service_model("kms").operation_names

    assert sorted(names) == list(service.operation_names())


def test_the_regions_are_those_of_every_partition() -> None:
    """What botocore knows of AWS's Regions, without the names that stand for a whole partition."""
    assert {"us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"} <= service.regions()
    assert {"us-invalid-1", "eu-west-9"}.isdisjoint(service.regions())


def test_aws_data_of_the_user_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A client and the fake go on where AWS_DATA_PATH points to nothing of KMS."""
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    with fake_kms() as kms:
        assert [] == kms.client.list_keys()["Keys"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_keys_are_listed_in_pages(kms: FakeKMS, page_size: int) -> None:
    """Botocore's own paginator gets each key once, in order of the ids."""
    ids = sorted(kms.create_key().id for _ in range(5))

    pages = list(kms.client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": page_size}))

    assert [key.get("KeyId") for page in pages for key in page["Keys"]] == ids
    assert -(-5 // page_size) == len(pages)
    assert [*[True] * (len(pages) - 1), False] == [page["Truncated"] for page in pages]


def test_aliases_are_listed_in_pages(kms: FakeKMS) -> None:
    """Botocore's own paginator gets each alias once, in order of the names."""
    key = kms.create_key()
    names = [f"alias/{name}" for name in ("a", "b", "c")]
    for name in reversed(names):
        kms.client.create_alias(AliasName=name, TargetKeyId=key.id)

    pages = kms.client.get_paginator("list_aliases").paginate(KeyId=key.id, PaginationConfig={"PageSize": 2})

    assert [alias.get("AliasName") for page in pages for alias in page["Aliases"]] == names


@pytest.mark.parametrize("marker", ["x", "AAAA", "bnVsbA==", "W10=", "e30="])
def test_a_marker_that_was_not_given_is_refused(kms: FakeKMS, marker: str) -> None:
    """The code alone, as AWS answers."""
    with pytest.raises(ClientError) as excinfo:
        kms.client.list_keys(Marker=marker)

    assert {"Code": "InvalidMarkerException", "Message": ""} == excinfo.value.response["Error"]


def test_a_marker_of_another_operation_is_refused(kms: FakeKMS) -> None:
    """A page of keys does not begin where a page of aliases ended."""
    marker = kms.client.list_aliases(Limit=1)["NextMarker"]

    with pytest.raises(ClientError) as excinfo:
        kms.client.list_keys(Marker=marker)

    assert {"Code": "InvalidMarkerException", "Message": ""} == excinfo.value.response["Error"]


def test_no_secret_is_recorded(kms: FakeKMS) -> None:
    """Blobs and sensitive members are in no event: neither plaintexts nor ciphertexts."""
    key = kms.create_key("orders")
    context = {"order": "7"}
    blob = kms.client.encrypt(KeyId=key.id, Plaintext=SECRET, EncryptionContext=context)["CiphertextBlob"]
    kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    kms.client.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId="alias/orders")

    assert [
        {"KeyId": key.id, "EncryptionContext": context},
        {"EncryptionContext": context},
        {"SourceEncryptionContext": context, "DestinationKeyId": "alias/orders"},
    ] == [dict(event.parameters) for event in kms.trail]
    assert SECRET.decode() not in repr(list(kms.trail))


def test_grant_tokens_are_not_recorded(kms: FakeKMS) -> None:
    """CloudTrail leaves them out, whether there are any or not."""
    key = kms.create_key()

    kms.client.encrypt(KeyId=key.id, Plaintext=b"x", GrantTokens=[])

    assert {"KeyId": key.id} == dict(kms.trail.last.parameters)


@pytest.mark.parametrize(
    ("operation", "members", "recorded"),
    [
        (
            "GenerateRandom",
            {"NumberOfBytes": 1, "Recipient": {"AttestationDocument": SECRET}},
            {"NumberOfBytes": 1},
        ),
        (
            "CreateCustomKeyStore",
            {
                "CustomKeyStoreName": "store",
                "KeyStorePassword": SECRET.decode(),
                "XksProxyAuthenticationCredential": {
                    "AccessKeyId": "A" * 20,
                    "RawSecretAccessKey": SECRET.decode(),
                },
            },
            {"CustomKeyStoreName": "store"},
        ),
        (
            "CreateGrant",
            {
                "KeyId": "alias/orders",
                "GranteePrincipal": "arn:aws:iam::123456789012:role/app",
                "Operations": ["Decrypt"],
                "Constraints": {"EncryptionContextEquals": {"a": "b"}},
                "GrantTokens": ["token"],
            },
            {
                "KeyId": "alias/orders",
                "GranteePrincipal": "arn:aws:iam::123456789012:role/app",
                "Operations": ["Decrypt"],
                "Constraints": {"EncryptionContextEquals": {"a": "b"}},
            },
        ),
    ],
    ids=["attestation document", "passwords", "grant tokens"],
)
def test_structures_with_secrets_are_not_recorded(
    operation: str, members: dict[str, Any], recorded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither are they where the call was refused, by a version that lacks the operation."""
    monkeypatch.delitem(OPERATIONS, operation, raising=False)
    with fake_kms(unsupported="ignore") as kms:
        with pytest.raises(NotSupported):
            getattr(kms.client_for(config=Config(parameter_validation=False)), xform_name(operation))(**members)

        assert recorded == dict(kms.trail.last.parameters)
