"""The condition keys of a KMS request, and their values: AWS's `kms:` keys, and the `aws:` keys that matter to KMS.

From the KMS Developer Guide ("Condition keys for AWS KMS") and the IAM User Guide ("AWS global condition context
keys"). A key that belongs to a member of the input has that member's default where the caller leaves it out, which was
recorded for kms:RotationPeriodInDays. Keys about the caller's surroundings (his organization, his network) are those
that the test gives to `kms.principal(context=…)`. Most of them are rightly absent where it gives none; his address is
not, so that a policy about aws:SourceIp cannot be evaluated without it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_kms import arns
from pytest_kms.crypto.specs import AWS_KMS, ENCRYPT_DECRYPT, SYMMETRIC_DEFAULT
from pytest_kms.iam.errors import UnknownConditionKey
from pytest_kms.state.grant import ENCRYPTION_CONTEXT_CONSTRAINTS
from pytest_kms.state.imported import EXPIRES
from pytest_kms.state.quotas import ALIASES

if TYPE_CHECKING:
    from pytest_kms.crypto.recipient import Attestation
    from pytest_kms.iam.context import Value
    from pytest_kms.state.key import Key
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.trail import KeyUse


class Asked(NamedTuple):
    """What is known of a request when its permission is asked: the operation, its members, its caller, one key.

    `use` is how the request names the key; both are None where it is about none; `keys` are all keys of the request.
    `constraints` are those of the grant that it is about. `unused_days` counts the days since the key was last used.
    """

    operation: str
    members: Mapping[str, Any]
    caller: Principal
    region: str
    now: dt.datetime
    key: Key | None = None
    use: KeyUse | None = None
    keys: tuple[Key, ...] = ()
    constraints: Mapping[str, Any] | None = None
    attestation: Attestation | None = None
    secure: bool = True
    user_agent: Callable[[], str] | None = None
    unused_days: Callable[[], int] | None = None

    def __repr__(self) -> str:
        return f"<Asked about {self.operation}>"  # the members hold secrets


class RequestContext:
    """The condition keys of one request, as the policy language asks for them: by names in lower case."""

    __slots__ = ("_asked", "_found")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._found: dict[str, Value | None] = {}

    def get(self, key: str, /) -> Value | None:
        """Return the value of a condition key, None where the request has none."""
        if key not in self._found:
            self._found[key] = self._find(key)
        return self._found[key]

    def _find(self, key: str) -> Value | None:
        given: Value | None = self._asked.caller.context.get(key)
        if given is not None:
            return given
        find = _KEYS.get(key)
        if find is not None:
            return find(self._asked)
        for prefix, find_named in _NAMED.items():
            if key.startswith(prefix):
                return find_named(self._asked, key[len(prefix) :])
        return None

    def known(self, key: str, /) -> bool:
        """Say whether this is a condition key at all."""
        return key in _KEYS or key in _SURROUNDINGS or key.startswith(tuple(_NAMED))


_ON_GRANTS = ("CreateGrant", "RetireGrant")
_WITH_ENCRYPTION = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncrypt",
    }
)
_BY_ALIAS = _WITH_ENCRYPTION | {"DescribeKey", "GenerateMac", "GetPublicKey", "Sign", "Verify", "VerifyMac"}
_NOT_OF_ACCOUNTS = frozenset({"GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"})
_OF_POLICIES = frozenset({"CreateKey", "PutKeyPolicy"})
_OF_TAGS = frozenset({"CreateKey", "ReplicateKey", "TagResource", "UntagResource"})
_OF_GRANTS_OF_SERVICES = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})

_OF_SESSIONS = frozenset({"AssumedRole", "FederatedUser"})
_PCRS = range(32)
_PCRS_OF_NITRO_TPM = range(24)

# The member of the input that names the algorithm for a key, by the member that names the key.
_ALGORITHM_FOR = {
    "KeyId": "EncryptionAlgorithm",
    "SourceKeyId": "SourceEncryptionAlgorithm",
    "DestinationKeyId": "DestinationEncryptionAlgorithm",
}

_SURROUNDINGS = frozenset(
    {
        "aws:federatedprovider",
        "aws:multifactorauthage",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:resourceorgid",
        "aws:sourceidentity",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
    }
)


def _bool(value: object) -> str:
    return "true" if value else "false"


def _member(name: str, *operations: str, default: object = None) -> Callable[[Asked], str | None]:
    """Take a value from a member of the input of some operations."""

    def find(asked: Asked) -> str | None:
        if asked.operation not in operations:
            return None
        value = asked.members.get(name, default)
        return None if value is None else str(value)

    return find


def _of_key(find: Callable[[Key], str | None]) -> Callable[[Asked], str | None]:
    """Take a value from the key that the request is about."""
    return lambda asked: None if asked.key is None else find(asked.key)


def _of_new_or_old_key(
    member: str, default: object, find: Callable[[Key], str | None]
) -> Callable[[Asked], str | None]:
    """Take a value from the key, or, for one that is still to be made, from a member of CreateKey."""
    of_new, of_old = _member(member, "CreateKey", default=default), _of_key(find)
    return lambda asked: of_new(asked) if asked.operation == "CreateKey" else of_old(asked)


def _caller_account(asked: Asked) -> str | None:
    return None if asked.operation in _NOT_OF_ACCOUNTS else asked.caller.account or None


def _bypass(asked: Asked) -> str | None:
    if asked.operation not in _OF_POLICIES:
        return None
    return _bool(asked.members.get("BypassPolicyLockoutSafetyCheck"))


def _encryption_algorithm(asked: Asked) -> str | None:
    if asked.operation not in _WITH_ENCRYPTION or asked.use is None:
        return None
    return str(asked.members.get(_ALGORITHM_FOR[asked.use.member], SYMMETRIC_DEFAULT))


def _encryption_context(asked: Asked) -> Mapping[str, str]:
    """Return the encryption context: of the request, or of the constraint of a grant."""
    if asked.operation in _ON_GRANTS:
        constraints = asked.constraints or {}
        return next((constraints[name] for name in ENCRYPTION_CONTEXT_CONSTRAINTS if constraints.get(name)), {})
    if asked.operation not in _WITH_ENCRYPTION or asked.use is None or asked.key is None:
        return {}
    return asked.use.encryption_context if asked.key.key_spec.symmetric_encryption else {}


def _encryption_context_pair(asked: Asked, name: str) -> str | None:
    # AWS takes the name in any letter case here.
    return next((value for key, value in _encryption_context(asked).items() if key.lower() == name), None)


def _encryption_context_keys(asked: Asked) -> list[str] | None:
    return list(_encryption_context(asked)) or None


def _constraint_type(asked: Asked) -> str | None:
    constraints = asked.constraints or {} if asked.operation in _ON_GRANTS else {}
    return next((name for name in ENCRYPTION_CONTEXT_CONSTRAINTS if constraints.get(name)), None)


def _constraint_source_arn(asked: Asked) -> str | None:
    constraints = asked.constraints or {} if asked.operation == "CreateGrant" else {}
    return constraints.get("SourceArn")


def _grant_is_for_aws_resource(asked: Asked) -> str | None:
    return _bool(asked.caller.via) if asked.operation in _OF_GRANTS_OF_SERVICES else None


def _grant_operations(asked: Asked) -> list[str] | None:
    return list(asked.members.get("Operations", ())) if asked.operation == "CreateGrant" else None


def _multi_region(asked: Asked) -> str | None:
    if asked.operation == "CreateKey":
        return _bool(asked.members.get("MultiRegion"))
    return None if asked.key is None else _bool(asked.key.multi_region)


def _multi_region_type(asked: Asked) -> str | None:
    if asked.operation == "CreateKey":
        return "PRIMARY" if asked.members.get("MultiRegion") else None
    return None if asked.key is None else asked.key.multi_region


def _spec_of_new_key(asked: Asked) -> str | None:
    if asked.operation != "CreateKey":
        return None if asked.key is None else asked.key.spec
    return asked.members.get("KeySpec") or asked.members.get("CustomerMasterKeySpec") or SYMMETRIC_DEFAULT


def _re_encrypt_on_same_key(asked: Asked) -> str | None:
    return _bool(len(set(asked.keys)) == 1) if asked.operation == "ReEncrypt" else None


def _pcr(number: int) -> Callable[[Asked], str | None]:
    """Take a measurement from the attestation document of an enclave."""

    def find(asked: Asked) -> str | None:
        measured = None if asked.attestation is None else asked.attestation.pcrs.get(number)
        return None if measured is None else measured.hex()

    return find


def _absent(asked: Asked) -> None:
    """Say that no request to a fake has it: there is no NitroTPM."""


def _request_alias(asked: Asked) -> str | None:
    if asked.operation not in _BY_ALIAS or asked.use is None:
        return None
    named = str(asked.members.get(asked.use.member, ""))
    name = named.split(":", 5)[-1]
    return name if name.startswith(arns.ALIAS_PREFIX) else None


def _resource_aliases(asked: Asked) -> list[str] | None:
    """Return the aliases of the key. With more of them than the quota, policies by alias are not in force."""
    key = asked.key
    aliases = [] if key is None else key.aliases_in_force
    if key is None or len(aliases) > key.home.world.quotas.resource(ALIASES):
        return None
    return list(aliases) or None


def _unused_days(asked: Asked) -> str | None:
    if asked.operation not in ("DisableKey", "ScheduleKeyDeletion") or asked.unused_days is None:
        return None
    return str(asked.unused_days())


def _valid_to(asked: Asked) -> str | None:
    valid_to = asked.members.get("ValidTo") if asked.operation == "ImportKeyMaterial" else None
    return None if valid_to is None else str(int(valid_to.timestamp()))


def _via_service(asked: Asked) -> str | None:
    return asked.caller.via if asked.key is not None or asked.operation == "CreateKey" else None


def _timestamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _token_issue_time(asked: Asked) -> str | None:
    return None if asked.caller.issued is None else _timestamp(asked.caller.issued)


def _source_ip(asked: Asked) -> str | None:
    # Every request comes from somewhere, so that to say that this one has no address would be wrong.
    raise UnknownConditionKey(
        f"aws:SourceIp of {asked.caller.arn} is not known; kms.principal(…, context={{'aws:SourceIp': …}}) gives one"
    )


def _multi_factor(asked: Asked) -> str | None:
    # A session that was begun without a second factor says so, long-term access keys say nothing.
    return "false" if asked.caller.type in _OF_SESSIONS else None


def _called_via(asked: Asked) -> list[str] | None:
    return None if asked.caller.via is None else [f"{asked.caller.via.partition('.')[0]}.amazonaws.com"]


def _called_via_one(asked: Asked) -> str | None:
    called_via = _called_via(asked)
    return None if called_via is None else called_via[0]


def _principal_tag(asked: Asked, name: str) -> str | None:
    return _value_of_tag(asked.caller.tags, name)


def _resource_tag(asked: Asked, name: str) -> str | None:
    return None if asked.key is None else _value_of_tag(asked.key.tags_in_force, name)


def _tags_of_request(asked: Asked) -> Mapping[str, str | None]:
    if asked.operation not in _OF_TAGS:
        return {}
    given = {tag["TagKey"]: tag["TagValue"] for tag in asked.members.get("Tags", ())}
    return given | dict.fromkeys(asked.members.get("TagKeys", ()))


def _request_tag(asked: Asked, name: str) -> str | None:
    return _value_of_tag(_tags_of_request(asked), name)


def _tag_keys(asked: Asked) -> list[str] | None:
    return list(_tags_of_request(asked)) or None


def _value_of_tag(tags: Mapping[str, str | None], name: str) -> str | None:
    # The name is part of a condition key, and those have no letter case.
    return next((value for key, value in tags.items() if key.lower() == name), None)


_KEYS: Mapping[str, Callable[[Asked], Value | None]] = {
    "kms:bypasspolicylockoutsafetycheck": _bypass,
    "kms:calleraccount": _caller_account,
    "kms:customermasterkeyspec": _spec_of_new_key,
    "kms:customermasterkeyusage": _of_new_or_old_key("KeyUsage", ENCRYPT_DECRYPT, lambda key: key.usage),
    "kms:datakeypairspec": _member("KeyPairSpec", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
    "kms:encryptionalgorithm": _encryption_algorithm,
    "kms:encryptioncontextkeys": _encryption_context_keys,
    "kms:expirationmodel": _member("ExpirationModel", "ImportKeyMaterial", default=EXPIRES),
    "kms:grantconstraintsourcearn": _constraint_source_arn,
    "kms:grantconstrainttype": _constraint_type,
    "kms:granteeprincipal": _member("GranteePrincipal", "CreateGrant"),
    "kms:granteeserviceprincipal": _member("GranteeServicePrincipal", "CreateGrant"),
    "kms:grantisforawsresource": _grant_is_for_aws_resource,
    "kms:grantoperations": _grant_operations,
    "kms:keyagreementalgorithm": _member("KeyAgreementAlgorithm", "DeriveSharedSecret"),
    "kms:keyorigin": _of_new_or_old_key("Origin", AWS_KMS, lambda key: key.origin),
    "kms:keyspec": _spec_of_new_key,
    "kms:keyusage": _of_new_or_old_key("KeyUsage", ENCRYPT_DECRYPT, lambda key: key.usage),
    "kms:macalgorithm": _member("MacAlgorithm", "GenerateMac", "VerifyMac"),
    "kms:messagetype": _member("MessageType", "Sign", "Verify", default="RAW"),
    "kms:multiregion": _multi_region,
    "kms:multiregionkeytype": _multi_region_type,
    "kms:primaryregion": _member("PrimaryRegion", "UpdatePrimaryRegion"),
    "kms:recipientattestation:imagesha384": _pcr(0),
    **{f"kms:recipientattestation:pcr{number}": _pcr(number) for number in _PCRS},
    **{f"kms:recipientattestation:nitrotpmpcr{number}": _absent for number in _PCRS_OF_NITRO_TPM},
    "kms:reencryptonsamekey": _re_encrypt_on_same_key,
    "kms:replicaregion": _member("ReplicaRegion", "ReplicateKey"),
    "kms:requestalias": _request_alias,
    "kms:resourcealiases": _resource_aliases,
    "kms:retiringprincipal": _member("RetiringPrincipal", "CreateGrant"),
    "kms:retiringserviceprincipal": _member("RetiringServicePrincipal", "CreateGrant"),
    "kms:rotationperiodindays": _member("RotationPeriodInDays", "EnableKeyRotation", default=365),
    "kms:schedulekeydeletionpendingwindowindays": _member("PendingWindowInDays", "ScheduleKeyDeletion", default=30),
    "kms:signingalgorithm": _member("SigningAlgorithm", "Sign", "Verify"),
    "kms:trailingdayswithoutkeyusage": _unused_days,
    "kms:validto": _valid_to,
    "kms:viaservice": _via_service,
    "kms:wrappingalgorithm": _member("WrappingAlgorithm", "GetParametersForImport"),
    "kms:wrappingkeyspec": _member("WrappingKeySpec", "GetParametersForImport"),
    "aws:calledvia": _called_via,
    "aws:calledviafirst": _called_via_one,
    "aws:calledvialast": _called_via_one,
    "aws:currenttime": lambda asked: _timestamp(asked.now),
    "aws:epochtime": lambda asked: str(int(asked.now.timestamp())),
    "aws:multifactorauthpresent": _multi_factor,
    "aws:principalaccount": lambda asked: asked.caller.account or None,
    "aws:principalarn": lambda asked: asked.caller.principal_arn or None,
    "aws:principalisawsservice": lambda asked: _bool(asked.caller.is_service),
    "aws:principalservicename": lambda asked: asked.caller.arn if asked.caller.is_service else None,
    "aws:principaltype": lambda asked: asked.caller.type,
    "aws:requestedregion": lambda asked: asked.region,
    "aws:resourceaccount": _of_key(lambda key: key.account),
    "aws:securetransport": lambda asked: _bool(asked.secure),
    "aws:sourceip": _source_ip,
    "aws:sourceaccount": lambda asked: asked.caller.source_account,
    "aws:sourcearn": lambda asked: asked.caller.source_arn,
    "aws:tagkeys": _tag_keys,
    "aws:tokenissuetime": _token_issue_time,
    "aws:useragent": lambda asked: (asked.user_agent() if asked.user_agent else "") or None,
    "aws:userid": lambda asked: asked.caller.user_id or None,
    "aws:username": lambda asked: asked.caller.user_name,
    "aws:viaawsservice": lambda asked: _bool(asked.caller.via),
}

# Those whose name goes on with a name that the policy chooses.
_NAMED: Mapping[str, Callable[[Asked, str], str | None]] = {
    "kms:encryptioncontext:": _encryption_context_pair,
    "aws:principaltag/": _principal_tag,
    "aws:requesttag/": _request_tag,
    "aws:resourcetag/": _resource_tag,
}
