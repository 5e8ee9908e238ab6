"""Quotas: how many calls an account may make in a Region in one second of the fake's time, and how much it may have.

The values are AWS's defaults, those of requests from the request quota table of the KMS Developer Guide (2026).
AWS documents a plain count per one-second interval, no bursts; whether calls that fail are counted is not
documented, and here every call is.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from math import inf

from pytest_kms import arns
from pytest_kms.crypto.specs import AWS_CLOUDHSM, EXTERNAL_KEY_STORE
from pytest_kms.errors import UsageError

OF_KEY_STORE = {
    AWS_CLOUDHSM: "Custom key store request quota (AWS CloudHSM key store)",
    EXTERNAL_KEY_STORE: "Custom key store request quota (external key store)",
}
"""The request quotas that every custom key store has for itself, by its kind, whoever calls."""
SYMMETRIC = "Cryptographic operations (symmetric) request rate"

_PER_SECOND = {
    1: "GetParametersForImport",
    5: "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateKey"
    " DeleteCustomKeyStore DescribeCustomKeyStores DisableKey DisableKeyRotation DisconnectCustomKeyStore"
    " EnableKey GetKeyLastUsage ReplicateKey RotateKeyOnDemand UntagResource UpdateAlias"
    " UpdateCustomKeyStore UpdateKeyDescription UpdatePrimaryRegion",
    10: "TagResource",
    15: "DeleteAlias DeleteImportedKeyMaterial EnableKeyRotation ImportKeyMaterial PutKeyPolicy ScheduleKeyDeletion",
    50: "CreateGrant RetireGrant RevokeGrant",
    100: "ListGrants ListKeyPolicies ListKeyRotations ListRetirableGrants",
    500: "ListAliases ListKeys",
    1000: "GetKeyPolicy GetKeyRotationStatus",
    2000: "DescribeKey GetPublicKey ListResourceTags",
}
_POOLS: dict[str, float] = {
    SYMMETRIC: 10_000,
    "Cryptographic operations (RSA) request rate": 1_000,
    "Cryptographic operations (ECC and SM2) request rate": 1_000,
    "Cryptographic operations (ML-DSA) request rate": 1_000,
    **dict.fromkeys(OF_KEY_STORE.values(), 1_800),
    "GenerateDataKeyPair (ECC_NIST_P256) request rate": 100,
    "GenerateDataKeyPair (ECC_NIST_P384) request rate": 100,
    "GenerateDataKeyPair (ECC_NIST_P521) request rate": 100,
    "GenerateDataKeyPair (ECC_SECG_P256K1) request rate": 100,
    "GenerateDataKeyPair (ECC_NIST_EDWARDS25519) request rate": 100,
    "GenerateDataKeyPair (RSA_2048) request rate": 20,
    "GenerateDataKeyPair (RSA_3072) request rate": 4,
    "GenerateDataKeyPair (RSA_4096) request rate": 1,
}
DEFAULTS: dict[str, float] = _POOLS | {
    f"{name} request rate": value for value, names in _PER_SECOND.items() for name in names.split()
}

# The operations that share their quotas; a test may limit one alone.
_SHARING = frozenset(
    {
        "Decrypt",
        "DeriveSharedSecret",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)

_SYMMETRIC_BY_REGION = {
    "us-east-1": 100_000,
    "us-west-2": 100_000,
    "eu-west-1": 100_000,
    "us-east-2": 20_000,
    "ap-southeast-1": 20_000,
    "ap-southeast-2": 20_000,
    "ap-northeast-1": 20_000,
    "eu-central-1": 20_000,
    "eu-west-2": 20_000,
}
_CHINA: dict[str, float] = {
    "GenerateDataKeyPair (RSA_2048) request rate": 1,
    "GenerateDataKeyPair (RSA_3072) request rate": 0.5,
    "GenerateDataKeyPair (RSA_4096) request rate": 0.1,
    "GenerateDataKeyPair (SM2 - China Regions only) request rate": 25,
}


KEYS = "KMS keys"
ALIASES = "Aliases per KMS key"
GRANTS = "Grants per KMS key"
KEY_STORES = "Custom key stores"
ON_DEMAND_ROTATIONS = "On-demand rotations per KMS key"
RESOURCES: dict[str, float] = {
    KEYS: 100_000,
    ALIASES: 50,
    GRANTS: 50_000,
    KEY_STORES: 10,
    ON_DEMAND_ROTATIONS: 25,
}
"""The resource quotas, with AWS's default values (KMS Developer Guide, "Resource quotas", 2026)."""


def default(quota: str, region: str) -> float | None:
    """Return AWS's default value of a quota in a Region, per second; None where there is no such quota."""
    if quota == SYMMETRIC and region in _SYMMETRIC_BY_REGION:
        return _SYMMETRIC_BY_REGION[region]
    if quota in _CHINA and arns.in_china(region):
        return _CHINA[quota]
    return DEFAULTS.get(quota)


class _Meter:
    """How much of a quota is used in the present interval."""

    __slots__ = ("allowed", "interval", "limit", "used", "window")

    def __init__(self, limit: float) -> None:
        self.limit = limit
        # AWS words a rate below one as one call in an interval of several seconds.
        self.interval = round(1 / limit) if 0 < limit < 1 else 1
        self.allowed = max(limit, 1) if limit else 0
        self.window = -1.0
        self.used = 0

    def admits(self, seconds: float) -> bool:
        """Count a call, and say whether it is within the quota."""
        window = seconds // self.interval
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return self.used <= self.allowed


class Quotas:
    """The quotas of a fake, enforced with AWS's default values until a test says otherwise.

    ::

        kms.quotas["Decrypt"] = 3                                    # that operation alone, per second
        kms.quotas["Cryptographic operations (symmetric)"] = 100     # the pool, by AWS's name
        kms.quotas["Aliases per KMS key"] = 2                        # a resource quota, by AWS's name
        kms.quotas.off()                                             # none is enforced
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._set: dict[str, float] = {}
        self._meters: dict[tuple[str, str, str], _Meter] = {}
        self.enforced = True

    def __setitem__(self, name: str, per_second: float) -> None:
        """Set a quota, by AWS's name of it or by the name of an operation: calls per second, or how many."""
        if per_second < 0:
            raise UsageError(f"a quota is a number of calls per second or of resources, not {per_second!r}")
        self._set[self._canonical(name)] = per_second
        self._meters.clear()

    def __getitem__(self, name: str) -> float:
        """Return what is in force for a quota where the fake lives: what the test set, or else AWS's default."""
        name = self._canonical(name)
        value = self._set.get(name, RESOURCES.get(name, default(name, self._region)))
        return inf if value is None else value

    def resource(self, name: str) -> float:
        """Return how much an account may have of something, without limit where no quota is enforced."""
        return self._set.get(name, RESOURCES[name]) if self.enforced else inf

    def __delitem__(self, name: str) -> None:
        """Go back to AWS's default."""
        self._set.pop(self._canonical(name), None)
        self._meters.clear()

    def __iter__(self) -> Iterator[str]:
        """Give the names of all quotas."""
        of_requests = (*DEFAULTS, *(_CHINA.keys() - DEFAULTS.keys()))
        return iter((*(name for name in of_requests if default(name, self._region)), *RESOURCES))

    def off(self) -> None:
        """Enforce none."""
        self.enforced = False

    def on(self) -> None:
        """Enforce them again."""
        self.enforced = True

    def count(self, operation: str, pools: Collection[str], account: str, region: str, seconds: float) -> str:
        """Count a call; return the quota that it goes over, or nothing."""
        if not self.enforced:
            return ""
        exceeded = ""
        if operation in self._set:
            pools = {operation, *pools}
        for quota in pools:
            meter = self._meters.get((quota, account, region)) or self._new_meter(quota, account, region)
            if not meter.admits(seconds) and not exceeded:
                exceeded = f"{quota} is {meter.limit:g} per second for account {account} in {region}"
        return exceeded

    def count_in_key_store(self, kind: str, store_id: str, region: str, seconds: float) -> str:
        """Count a call that a custom key store has to work for; return its quota where that is one too many."""
        if not self.enforced:
            return ""
        quota = OF_KEY_STORE[kind]
        meter = self._meters.get((quota, store_id, region)) or self._new_meter(quota, store_id, region)
        if meter.admits(seconds):
            return ""
        return f"{quota} is {meter.limit:g} per second for {store_id}"

    def _new_meter(self, quota: str, whose: str, region: str) -> _Meter:
        limit = self._set.get(quota)
        if limit is None:
            limit = default(quota, region)
        meter = self._meters[quota, whose, region] = _Meter(inf if limit is None else limit)
        return meter

    def _canonical(self, name: str) -> str:
        full = f"{name} request rate"
        if full in DEFAULTS or full in _CHINA:
            return full
        if name in DEFAULTS or name in _CHINA or name in _SHARING or name in RESOURCES:
            return name
        known = sorted(DEFAULTS) + sorted(_SHARING) + sorted(RESOURCES)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise UsageError(f"no quota is named {name!r}; did you mean {' or '.join(map(repr, near)) or known}?")
