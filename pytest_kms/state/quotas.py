"""Quotas: how many calls an account may make in a Region in one second of the fake's time, and how much it may have.

The values are AWS's defaults, those of requests from the request quota table of the KMS Developer Guide (2026).
AWS documents a plain count per one-second interval, no bursts; whether calls that fail are counted is not
documented, and here every call is.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pytest_kms import arns, service
from pytest_kms.crypto.specs import AWS_CLOUDHSM, EXTERNAL_KEY_STORE
from pytest_kms.errors import UsageError

if TYPE_CHECKING:
    from pytest_kms.state.key_store import CustomKeyStore

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


@dataclass(frozen=True, slots=True)
class Peak:
    """The interval in which an account came nearest to one of its request quotas.

    `quota` is AWS's name of it, or the name of an operation that the test limits alone; `used` counts the calls of the
    interval, those over the quota as well, `operations` how many of which, most first. `limit` is calls per second.
    `at` is the second in which the interval begins, counted from the start of the fake. A custom key store has quotas
    of its own: `key_store` is its id, `account` its owner.
    """

    quota: str
    account: str
    region: str
    used: int
    limit: float
    at: int
    operations: Mapping[str, int]
    key_store: str = ""

    @property
    def share(self) -> float:
        """How much of the quota was used: 1 is all of it, more than 1 means that calls were throttled."""
        return self.used / _allowed(self.limit) if self.limit else inf

    def __str__(self) -> str:
        counts = ", ".join(f"{operation} {count:,}" for operation, count in self.operations.items())
        interval = _interval(self.limit)
        when = f"in second {self.at}" if interval == 1 else f"in seconds {self.at} to {self.at + interval - 1}"
        where = f" of {self.key_store}" if self.key_store else ""
        return f"{self.quota}{where}: {self.used:,} of {_allowed(self.limit):,g} {when}, {counts}"


def _interval(limit: float) -> int:
    """Return the seconds of an interval: AWS words a rate below one as one call in several seconds."""
    return round(1 / limit) if 0 < limit < 1 else 1


def _allowed(limit: float) -> float:
    """Return how many calls an interval may have."""
    return max(limit, 1) if limit else 0


class _Meter:
    """The calls that count in a quota: those of the present interval, and of the one with most of them."""

    __slots__ = ("allowed", "calls", "interval", "limit", "peak", "peak_window", "window")

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.interval = _interval(limit)
        self.allowed = _allowed(limit)
        self.window = self.peak_window = -1.0
        self.calls: list[str] = []
        self.peak: list[str] = []

    def admits(self, operation: str, seconds: float) -> bool:
        """Count a call, and say whether it is within the quota."""
        window = seconds // self.interval
        if window != self.window:
            self._close()
            self.window, self.calls = window, []
        # Appending costs what counting does; what there was of each is told when somebody asks.
        self.calls.append(operation)
        return len(self.calls) <= self.allowed

    @property
    def most(self) -> int:
        """How many calls the fullest interval has."""
        return max(len(self.calls), len(self.peak))

    def fullest(self) -> tuple[int, list[str]]:
        """Return the second in which the fullest interval began, and its calls."""
        self._close()
        return int(self.peak_window * self.interval), self.peak

    def _close(self) -> None:
        if len(self.calls) > len(self.peak):
            self.peak, self.peak_window = self.calls, self.window


class Quotas:
    """The quotas of a fake, enforced with AWS's default values until a test says otherwise.

    Requests are counted for each account that calls, in each Region, whosever the keys are; those of AWS services for
    the account on whose behalf they call.

    ::

        kms.quotas["Decrypt"] = 3                                    # that operation alone, per second
        kms.quotas["Cryptographic operations (symmetric)"] = 100     # the pool, by AWS's name
        kms.quotas["Aliases per KMS key"] = 2                        # a resource quota, by AWS's name
        kms.quotas.load("eu-west-1")                                 # the defaults of that Region, everywhere
        kms.quotas.off()                                             # none is enforced

        print(kms.quotas.peaks()[0])                                 # how near the code came to one of them
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._loaded: str | None = None
        self._set: dict[str, float] = {}
        self._meters: dict[tuple[str, str, str, str], _Meter] = {}
        self.enforced = True

    def __setitem__(self, name: str, per_second: float) -> None:
        """Set a quota, by AWS's name of it or by the name of an operation: calls per second, or how many."""
        if per_second < 0:
            raise UsageError(f"a quota is a number of calls per second or of resources, not {per_second!r}")
        name = self._canonical(name)
        self._set[name] = per_second
        self._count_anew(name)

    def __getitem__(self, name: str) -> float:
        """Return what is in force for a quota where the fake lives: what the test set, or else AWS's default."""
        name = self._canonical(name)
        value = self._set.get(name, RESOURCES.get(name, self._default(name, self._region)))
        return inf if value is None else value

    def resource(self, name: str) -> float:
        """Return how much an account may have of something, without limit where no quota is enforced."""
        return self._set.get(name, RESOURCES[name]) if self.enforced else inf

    def __delitem__(self, name: str) -> None:
        """Go back to AWS's default."""
        name = self._canonical(name)
        self._set.pop(name, None)
        self._count_anew(name)

    def __iter__(self) -> Iterator[str]:
        """Give the names of all quotas."""
        of_requests = (*DEFAULTS, *sorted(_CHINA.keys() - DEFAULTS.keys()))
        return iter((*(name for name in of_requests if self._default(name, self._region)), *RESOURCES))

    def load(self, region: str) -> None:
        """Let the default values of a Region hold wherever calls go, such as those of the one in production.

        AWS's defaults are not the same everywhere: by default each call meets those of the Region that it goes to.
        Quotas that the test has set keep their values; all counts begin anew.

        Args:
            region: the name of a Region, such as `"eu-west-1"`.

        Raises:
            UsageError: AWS has no such Region.

        """
        regions = service.regions()
        if region not in regions:
            near = difflib.get_close_matches(region, sorted(regions), n=3) or sorted(regions)
            raise UsageError(f"AWS has no Region {region!r}; did you mean {' or '.join(map(repr, near))}?")
        self._loaded = region
        self._meters.clear()

    def off(self) -> None:
        """Enforce none."""
        self.enforced = False

    def on(self) -> None:
        """Enforce them again."""
        self.enforced = True

    def peaks(self) -> list[Peak]:
        """Tell of each request quota that calls have counted in when it was fullest: the nearest to its limit first.

        For each account and Region, and each custom key store. What is called while quotas are off is not counted;
        `str()` of a peak is a line such as `Cryptographic operations (symmetric) request rate: 73 of 100,000 in
        second 2, Decrypt 70, Encrypt 3`.
        """
        peaks = [self._peak(place, meter) for place, meter in self._meters.items() if meter.limit < inf]
        return sorted(peaks, key=lambda peak: (-peak.share, peak.quota, peak.account, peak.region, peak.key_store))

    def fuller_than(self, used: Mapping[tuple[str, str, str], int]) -> Iterator[Peak]:
        """Tell of the quotas that were fuller than so many calls, by quota, account and Region."""
        for place, meter in tuple(self._meters.items()):
            if meter.most > used.get(place[:3], 0) and meter.limit < inf:
                yield self._peak(place, meter)

    def count(self, operation: str, pools: tuple[str, ...], account: str, region: str, seconds: float) -> str:
        """Count a call; return the quota that it goes over, or nothing."""
        if not self.enforced:
            return ""
        exceeded = ""
        if operation in self._set:
            pools = (operation, *pools)
        for quota in pools:
            place = (quota, account, region, "")
            meter = self._meters.get(place) or self._new_meter(place, region)
            if not meter.admits(operation, seconds) and not exceeded:
                exceeded = f"{quota} is {meter.limit:g} per second for account {account} in {region}"
        return exceeded

    def count_in_key_store(self, operation: str, store: CustomKeyStore, seconds: float) -> str:
        """Count a call that a custom key store has to work for; return its quota where that is one too many."""
        if not self.enforced:
            return ""
        quota = OF_KEY_STORE[store.kind]
        place = (quota, store.account, store.region, store.id)
        meter = self._meters.get(place) or self._new_meter(place, store.region)
        if meter.admits(operation, seconds):
            return ""
        return f"{quota} is {meter.limit:g} per second for {store.id}"

    def _new_meter(self, place: tuple[str, str, str, str], region: str) -> _Meter:
        quota = place[0]
        limit = self._set.get(quota)
        if limit is None:
            limit = self._default(quota, region)
        meter = self._meters[place] = _Meter(inf if limit is None else limit)
        return meter

    def _default(self, quota: str, region: str) -> float | None:
        return default(quota, self._loaded or region)

    def _count_anew(self, quota: str) -> None:
        for place in [place for place in self._meters if place[0] == quota]:
            del self._meters[place]

    @staticmethod
    def _peak(place: tuple[str, str, str, str], meter: _Meter) -> Peak:
        quota, account, region, key_store = place
        at, calls = meter.fullest()
        operations = dict(sorted(Counter(calls).items(), key=lambda item: (-item[1], item[0])))
        return Peak(quota, account, region, len(calls), meter.limit, at, operations, key_store)

    def _canonical(self, name: str) -> str:
        full = f"{name} request rate"
        if full in DEFAULTS or full in _CHINA:
            return full
        if name in DEFAULTS or name in _CHINA or name in _SHARING or name in RESOURCES:
            return name
        known = sorted(DEFAULTS) + sorted(_SHARING) + sorted(RESOURCES)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        meant = f"did you mean {' or '.join(map(repr, near))}?" if near else "list(kms.quotas) names them all"
        raise UsageError(f"no quota is named {name!r}; {meant}")
