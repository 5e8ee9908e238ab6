"""What CloudTrail writes of each operation of KMS: which members of the request and of the answer, and about what.

From the KMS Developer Guide ("Logging AWS KMS API calls with AWS CloudTrail" and its sample entries) and from records
of 2026. Members have the names of the API here; what is not listed is never logged: blobs, secrets, grant tokens, and
what calls that only read are answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVENT_VERSION = "1.11"

FIELDS = (
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
    "userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData",
    "requestID", "eventID", "readOnly", "resources", "eventType", "managementEvent", "recipientAccountId",
    "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory", "tlsDetails",
)  # fmt: skip
"""The fields of a record, in their order; the place of serviceEventDetails is a guess."""

NULL = frozenset({"requestParameters", "responseElements"})
"""The fields that are null where they have nothing to tell; all others are left out then."""

_CONTEXT_AND_SIZE = "EncryptionContext KeyId KeySpec NumberOfBytes DryRun"
_CONTEXT_AND_PAIR = "KeyPairSpec EncryptionContext KeyId DryRun"
_PAGE = "Limit Marker"

REQUEST: Mapping[str, str] = {
    "CancelKeyDeletion": "KeyId",
    "ConnectCustomKeyStore": "CustomKeyStoreId",
    "CreateAlias": "AliasName TargetKeyId",
    # Of an external key store no record was found.
    "CreateCustomKeyStore": "CustomKeyStoreName CloudHsmClusterId CustomKeyStoreType XksProxyConnectivity"
    " XksProxyUriEndpoint XksProxyUriPath XksProxyVpcEndpointServiceName XksProxyVpcEndpointServiceOwner",
    "CreateGrant": "GranteePrincipal GranteeServicePrincipal RetiringPrincipal RetiringServicePrincipal Operations"
    " Constraints Name KeyId DryRun",
    "CreateKey": "KeyUsage Origin KeySpec CustomerMasterKeySpec Description BypassPolicyLockoutSafetyCheck MultiRegion"
    " Tags Policy CustomKeyStoreId XksKeyId",
    "Decrypt": "EncryptionAlgorithm EncryptionContext KeyId DryRun DryRunModifiers",
    "DeleteAlias": "AliasName",
    "DeleteCustomKeyStore": "CustomKeyStoreId",
    "DeleteImportedKeyMaterial": "KeyId KeyMaterialId",
    "DeriveSharedSecret": "KeyId KeyAgreementAlgorithm DryRun",
    "DescribeCustomKeyStores": f"CustomKeyStoreId CustomKeyStoreName {_PAGE}",
    "DescribeKey": "KeyId",
    "DisableKey": "KeyId",
    "DisableKeyRotation": "KeyId",
    "DisconnectCustomKeyStore": "CustomKeyStoreId",
    "EnableKey": "KeyId",
    "EnableKeyRotation": "KeyId RotationPeriodInDays",
    "Encrypt": "KeyId EncryptionAlgorithm EncryptionContext DryRun",
    "GenerateDataKey": _CONTEXT_AND_SIZE,
    "GenerateDataKeyPair": _CONTEXT_AND_PAIR,
    "GenerateDataKeyPairWithoutPlaintext": _CONTEXT_AND_PAIR,
    "GenerateDataKeyWithoutPlaintext": _CONTEXT_AND_SIZE,
    "GenerateMac": "KeyId MacAlgorithm DryRun",
    "GenerateRandom": "",
    "GetKeyLastUsage": "KeyId",
    "GetKeyPolicy": "KeyId PolicyName",
    "GetKeyRotationStatus": "KeyId",
    "GetParametersForImport": "KeyId WrappingAlgorithm WrappingKeySpec",
    "GetPublicKey": "KeyId",
    "ImportKeyMaterial": "KeyId ValidTo ExpirationModel ImportType KeyMaterialDescription KeyMaterialId",
    "ListAliases": f"KeyId {_PAGE}",
    "ListGrants": f"KeyId GrantId GranteePrincipal GranteeServicePrincipal {_PAGE}",
    "ListKeyPolicies": f"KeyId {_PAGE}",
    "ListKeyRotations": f"KeyId IncludeKeyMaterial {_PAGE}",
    "ListKeys": _PAGE,
    "ListResourceTags": f"KeyId {_PAGE}",
    "ListRetirableGrants": f"RetiringPrincipal RetiringServicePrincipal {_PAGE}",
    "PutKeyPolicy": "KeyId PolicyName Policy BypassPolicyLockoutSafetyCheck",
    "ReEncrypt": "SourceEncryptionAlgorithm SourceEncryptionContext SourceKeyId DestinationKeyId"
    " DestinationEncryptionAlgorithm DestinationEncryptionContext DryRun DryRunModifiers",
    "ReplicateKey": "KeyId ReplicaRegion BypassPolicyLockoutSafetyCheck Description Policy Tags",
    "RetireGrant": "",
    "RevokeGrant": "KeyId GrantId DryRun",
    "RotateKeyOnDemand": "KeyId",
    "ScheduleKeyDeletion": "KeyId PendingWindowInDays",
    "Sign": "KeyId MessageType SigningAlgorithm DryRun",
    "TagResource": "KeyId Tags",
    "UntagResource": "KeyId TagKeys",
    "UpdateAlias": "AliasName TargetKeyId",
    "UpdateCustomKeyStore": "CustomKeyStoreId NewCustomKeyStoreName CloudHsmClusterId XksProxyConnectivity"
    " XksProxyUriEndpoint XksProxyUriPath XksProxyVpcEndpointServiceName XksProxyVpcEndpointServiceOwner",
    "UpdateKeyDescription": "KeyId Description",
    "UpdatePrimaryRegion": "KeyId PrimaryRegion",
    "Verify": "KeyId MessageType SigningAlgorithm DryRun",
    "VerifyMac": "KeyId MacAlgorithm DryRun",
}
"""The members of a request that are logged, as the caller wrote them, in this order; where there is none, null."""

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_MESSAGE_TYPE = {"MessageType": "RAW"}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "CreateKey": {
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "AWS_KMS",
        "KeySpec": _SYMMETRIC,
        "CustomerMasterKeySpec": _SYMMETRIC,
        "Description": "",
        "BypassPolicyLockoutSafetyCheck": False,
    },
    "Decrypt": {"EncryptionAlgorithm": _SYMMETRIC},
    "Encrypt": {"EncryptionAlgorithm": _SYMMETRIC},
    "PutKeyPolicy": {"BypassPolicyLockoutSafetyCheck": False},
    "ReEncrypt": {"SourceEncryptionAlgorithm": _SYMMETRIC, "DestinationEncryptionAlgorithm": _SYMMETRIC},
    "ReplicateKey": {"BypassPolicyLockoutSafetyCheck": False, "Description": ""},
    "Sign": _MESSAGE_TYPE,
    "Verify": _MESSAGE_TYPE,
}
"""The defaults that are logged where a request leaves a member out."""

NAMES: Mapping[str, str] = {"CloudHsmClusterId": "clusterId"}
"""The members of requests that are logged by another name."""

RESPONSE: Mapping[str, str] = {
    "CancelKeyDeletion": "KeyId",
    "CreateAlias": "KeyId",
    "CreateCustomKeyStore": "CustomKeyStoreId",
    "CreateGrant": "GrantId KeyId",
    "CreateKey": "KeyMetadata",
    "DeleteAlias": "KeyId",
    "DeleteImportedKeyMaterial": "KeyId KeyMaterialId",
    "DeleteKey": "KeyId",
    "DisableKey": "KeyId",
    "EnableKey": "KeyId",
    "EnableKeyRotation": "KeyId",
    "ImportKeyMaterial": "KeyId KeyMaterialId",
    "ReplicateKey": "ReplicaKeyMetadata ReplicaPolicy ReplicaTags",
    "RevokeGrant": "KeyId",
    "RotateKey": "KeyId",
    # One sample has the bare id; KMS answers the ARN.
    "RotateKeyOnDemand": "KeyId",
    "ScheduleKeyDeletion": "KeyId DeletionDate KeyState PendingWindowInDays",
    "SynchronizeMultiRegionKey": "KeyId",
    "TagResource": "KeyId",
    "UntagResource": "KeyId",
    "UpdateAlias": "KeyId",
    "UpdatePrimaryRegion": "KeyId",
}
"""The members of answers that are logged, in this order; of all other operations it is null.

`KeyId` is always the key ARN, also where the operation answers none.
"""

NO_RESOURCES = frozenset({"GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"})
"""The operations whose records have an empty list of resources."""

ON_KEY_STORES = frozenset(
    {
        "ConnectCustomKeyStore",
        "CreateCustomKeyStore",
        "DeleteCustomKeyStore",
        "DescribeCustomKeyStores",
        "DisconnectCustomKeyStore",
        "UpdateCustomKeyStore",
    }
)
"""The operations whose records have no resources at all."""

ALIAS = "alias"
KEY_ALONE = ("KeyId",)

RESOURCES: Mapping[str, tuple[str, ...]] = {
    "CreateAlias": ("TargetKeyId", ALIAS),
    "DeleteAlias": (ALIAS, "AliasName"),
    "ReEncrypt": ("SourceKeyId", "DestinationKeyId"),
    "UpdateAlias": (ALIAS, "TargetKeyId"),
}
"""By which members the resources of a record are named, in this order; of all other operations by `KeyId` alone."""

TELLS_KEY_STORE = frozenset(
    {"ConnectCustomKeyStore", "DeleteCustomKeyStore", "DisconnectCustomKeyStore", "UpdateCustomKeyStore"}
)
"""The operations whose records tell the name of the key store, and its cluster."""

TELLS_BACKING_KEY = frozenset({"CreateKey", "ScheduleKeyDeletion"})
"""The operations whose records tell what an AWS CloudHSM cluster calls the material of a key."""

SERVICE_CALLS = frozenset({"SynchronizeMultiRegionKey"})
"""What KMS does by itself and yet records as `AwsApiCall`, with a request id."""

ERROR_CODES: Mapping[str, str] = {"AccessDeniedException": "AccessDenied"}
"""The errors that are logged by another code than the API has."""

NOBODY = frozenset(
    {"ExpiredTokenException", "InvalidSignatureException", "RequestExpired", "UnrecognizedClientException"}
)
"""The errors of requests whose caller is not known for sure: they are in no account's records."""

UNREAD = frozenset(
    {"InternalFailure", "OptInRequired", "SerializationException", "ServiceUnavailable", "ThrottlingException"}
)
"""The errors of requests that were turned away before KMS read them: `requestParameters` is null, as for a key that was
not found. Whether AWS logs them all is not known."""

BREAKS_CONSTRAINTS = "validation error"
"""What AWS's sentence has in it where a request breaks the constraints of the model."""
