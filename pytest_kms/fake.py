"""The fake that a test holds in its hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_kms import assertions, clients, service, surroundings
from pytest_kms.arns import ALIAS, ALIAS_PREFIX, KEY_ID, RESERVED_ALIAS_PREFIX
from pytest_kms.assertions import Expectation
from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.material import read as material_of
from pytest_kms.crypto.specs import ENCRYPT_DECRYPT, SPECS, SYMMETRIC_DEFAULT, KeySpec
from pytest_kms.errors import KMSError, ThrottlingException, UsageError
from pytest_kms.operations.encryption import seal, unseal
from pytest_kms.state import aws_managed
from pytest_kms.state.faults import Fault
from pytest_kms.state.key import ENABLED, Key, expect_state
from pytest_kms.state.trail import Filter
from pytest_kms.state.world import World
from pytest_kms.targets import what_is_wrong_with

if TYPE_CHECKING:
    from collections.abc import Collection

    from botocore.config import Config
    from mypy_boto3_kms import KMSClient

    from pytest_kms.clock import Clock
    from pytest_kms.crypto.ciphertext import Blob
    from pytest_kms.state.enclave import Enclave
    from pytest_kms.state.quotas import Quotas
    from pytest_kms.state.trail import Trail

DEFAULT_ACCOUNT = "123456789012"
MAX_PLAINTEXT = 4096
MAX_DESCRIPTION = 8192
MAX_ALIAS = 256


class FakeKMS:
    """AWS KMS, in this process, for one test.

    The fixture `kms` and `pytest_kms.fake_kms()` give one. While it is active every KMS request of the process
    is answered by it, whichever client, session, thread, event loop or Region it comes from.

    Args:
        region: where `create_key` makes keys by default. By default what the developer's AWS settings say, or
            else us-east-1.
        account: the account of the default principal, 12 digits.
        quotas: False to enforce no request quotas, or some quotas and their values in calls per second.
        seed: makes key ids, key material, symmetric ciphertexts and random bytes repeat.
        real_backoff: let botocore's retries sleep instead of passing the fake's time.
        origin: what made this fake, for messages: the id of a test.

    Raises:
        UsageError: an argument is none that AWS could have.

    """

    def __init__(
        self,
        *,
        region: str | None = None,
        account: str = DEFAULT_ACCOUNT,
        quotas: bool | Mapping[str, float] = True,
        seed: int | str | None = None,
        real_backoff: bool = False,
        origin: str = "another test",
    ) -> None:
        self._region = region
        self._account = _checked_account(account)
        self._quotas = quotas
        self._seed = None if seed is None else str(seed)  # an ini file has no numbers
        self._origin = origin
        self._clients: dict[str, KMSClient] = {}
        self.real_backoff = real_backoff
        self.reset()

    def __repr__(self) -> str:
        return f"<FakeKMS of account {self.world.account} in {self.world.region}>"

    def reset(self) -> None:
        """Forget everything: keys, aliases, calls, quotas, faults, and the time that has passed."""
        self.world = World(
            region=self._region or surroundings.default_region(),
            account=self._account,
            seed=self._seed,
            origin=self._origin,
        )
        if isinstance(self._quotas, Mapping):
            for name, per_second in self._quotas.items():
                self.world.quotas[name] = per_second
        elif not self._quotas:
            self.world.quotas.off()

    # arrange: none of this goes through the API, so it is never recorded, throttled, refused or counted

    def create_key(
        self,
        alias: str | None = None,
        *,
        spec: str = SYMMETRIC_DEFAULT,
        usage: str | None = None,
        key_id: str | None = None,
        state: str = ENABLED,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        material: bytes | str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> Key:
        """Make a customer managed key.

        Args:
            alias: a name for it, with or without the prefix `alias/`.
            spec: AWS's key spec, such as `"RSA_2048"` or `"HMAC_256"`; by default a symmetric encryption key.
            usage: AWS's key usage, such as `"SIGN_VERIFY"`; by default the first that its spec has.
            key_id: its id, a UUID in lower case; by default a random one.
            state: any of AWS's key states.
            description: up to 8,192 characters.
            tags: names and values.
            material: its key material. Of a symmetric encryption key 32 bytes, of an HMAC key as many as its MAC has,
                else a private key in PEM or DER without a password. By default it is made on first use; an RSA key is
                then one of the public test keys of this package.
            region: where it lives; by default where the fake does.
            account: who owns it, 12 digits; by default the account of the default principal.

        Raises:
            UsageError: an argument is none that AWS could have, or the id or the alias is taken.

        """
        world = self.world
        region, account = region or world.region, _checked_account(account or world.account)
        if key_id is not None and not KEY_ID.fullmatch(key_id):
            raise UsageError(f"a key id is a UUID in lower case, {key_id!r} is not")
        key_spec = _checked_spec(spec)
        usage = _checked_usage(key_spec, usage)
        if len(description) > MAX_DESCRIPTION:
            raise UsageError(f"a description has at most {MAX_DESCRIPTION} characters, not {len(description)}")
        expect_state(state)
        name = None if alias is None else _alias_name(alias)
        with world.lock:
            world.settle()
            registry = world.registry(region, account)
            if key_id in registry.keys:
                raise UsageError(f"there is a key {key_id} in {region} already")
            if name in registry.aliases:
                raise UsageError(f"there is an alias {name} in {region} already")
            key = world.create_key(
                region=region,
                account=account,
                key_id=key_id,
                spec=spec,
                usage=usage,
                description=description,
                tags=dict(tags or {}),
                material=_checked_material(key_spec, material),
            )
            key.state = state
            if name is not None:
                registry.point(name, key)
        return key

    def aws_managed_key(self, service: str, *, region: str | None = None, account: str | None = None) -> Key:
        """Return the AWS managed key of a service (`alias/aws/SERVICE`), made on first use.

        Args:
            service: as in the alias: `"s3"`, `"ebs"`, `"secretsmanager"` …
            region: by default where the fake lives.
            account: by default the account of the default principal.

        Raises:
            UsageError: no service of that name has an AWS managed key.

        """
        service = service.removeprefix(RESERVED_ALIAS_PREFIX)
        if service not in aws_managed.SERVICES:
            services = ", ".join(sorted(aws_managed.SERVICES))
            raise UsageError(f"{service!r} has no AWS managed key. Services that have: {services}.")
        account = _checked_account(account or self.world.account)
        with self.world.lock:
            self.world.settle()
            return self.world.aws_managed_key(service, region or self.world.region, account)

    def aws_owned_key(self, service: str, *, region: str | None = None) -> Key:
        """Return a key that a service owns, made on first use.

        It is in no customer's account: no call can describe or list it, no trail shows it, no quota counts it.
        A test uses it with `encrypt` and `decrypt`, as the service would.
        """
        with self.world.lock:
            return self.world.aws_owned_key(service, region or self.world.region)

    def encrypt(
        self,
        key: Key | str,
        plaintext: bytes,
        context: Mapping[str, str] | None = None,
        *,
        algorithm: str | None = None,
    ) -> bytes:
        """Make a ciphertext for the code under test, of up to 4,096 bytes, whatever state the key is in.

        Args:
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            plaintext: 1 to 4,096 bytes; less with an asymmetric key.
            context: the encryption context, of a symmetric key alone.
            algorithm: AWS's encryption algorithm; by default the last that the key has (`RSAES_OAEP_SHA_256`).

        Raises:
            UsageError: there is no such key, it does not encrypt, or the plaintext is too long or empty.

        """
        if not 1 <= len(plaintext) <= MAX_PLAINTEXT:
            raise UsageError(f"KMS encrypts 1 to {MAX_PLAINTEXT} bytes, not {len(plaintext)}")
        with self.world.lock:
            found = self.world.keys_called(key)[0]
            algorithm = _checked_algorithm(found, algorithm)
            try:
                return seal(found, plaintext, dict(context or {}), algorithm=algorithm)
            except KMSError as error:
                raise UsageError(error.message) from None

    def decrypt(
        self,
        blob: bytes,
        context: Mapping[str, str] | None = None,
        *,
        key: Key | str | None = None,
        algorithm: str | None = None,
    ) -> bytes:
        """Open a ciphertext that the code under test has made, whatever state its key is in.

        Args:
            blob: the ciphertext.
            context: the encryption context that it was made with.
            key: the key that it was made with; only the ciphertext of an asymmetric key does not tell.
            algorithm: the encryption algorithm of an asymmetric key; by default the last that the key has.

        Raises:
            UsageError: the ciphertext was not made by this fake, was altered, or has another context.

        """
        with self.world.lock:
            found, parts = self._ciphertext(blob, key)
            try:
                return unseal(found, parts, dict(context or {}), algorithm=_checked_algorithm(found, algorithm))
            except KMSError as error:
                raise UsageError(f"the ciphertext does not open: {error.why or error.message}") from None

    def enclave(self, pcrs: Mapping[int, str | bytes] | None = None, *, module_id: str | None = None) -> Enclave:
        """Make a Nitro enclave, with an attestation document that this fake trusts.

        Its `recipient` goes into a call of Decrypt, GenerateDataKey, GenerateDataKeyPair, GenerateRandom or
        DeriveSharedSecret; its `open` opens the `CiphertextForRecipient` of the answer.

        Args:
            pcrs: what was measured, by number: 96 hexadecimal digits or 48 bytes each; by default zeros, as of an
                enclave in debug mode.
            module_id: who the enclave is, such as `"i-1234567890abcdef0-enc9876543210abcde"`; by default a random one.

        Raises:
            UsageError: a PCR is none.
            NotSupported: the extra `enclave` is not installed.

        """
        with self.world.lock:
            return self.world.enclave(pcrs or {}, module_id)

    @property
    def client(self) -> KMSClient:
        """A KMS client of the Region where the fake lives: boto3's, or botocore's where boto3 is not installed."""
        return self.client_for()

    def client_for(self, *, region: str | None = None, config: Config | None = None) -> KMSClient:
        """Return a KMS client of a Region, with a configuration of its own if one is given."""
        region = region or self.world.region
        if config is not None:
            return clients.make(region, config)
        if region not in self._clients:
            self._clients[region] = clients.make(region, None)
        return self._clients[region]

    # make it fail, move its time

    def throttle(self, operation: str | None = None, *, key: Key | str | None = None, times: int = 1) -> None:
        """Throttle the next requests, whatever the quotas say.

        botocore retries a throttled request; its waits pass the fake's time and take no wall time.

        Args:
            operation: which; by default any.
            key: only requests on this key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: how many requests. A test whose faults are not all used fails at its end.

        Raises:
            UsageError: there is no such operation or key.

        """
        if times < 1:
            raise UsageError(f"times is 1 or more, not {times}")
        self.world.faults.append(
            Fault(
                error=_ordered_throttling,
                operation=None if operation is None else service.expect_operation(operation),
                keys=self._arns(key),
                left=times,
            )
        )

    @property
    def quotas(self) -> Quotas:
        """The request quotas, enforced with AWS's default values."""
        return self.world.quotas

    @property
    def clock(self) -> Clock:
        """The fake's time."""
        return self.world.clock

    # assert

    @property
    def trail(self) -> Trail:
        """The calls that the fake was asked, in order."""
        return self.world.trail

    def assert_used(
        self,
        key: Key | str,
        operation: str | None = None,
        *,
        times: int | None = None,
        encryption_context: Mapping[str, str] | None = None,
        principal: str | None = None,
        via: str | None = None,
    ) -> None:
        """Fail unless a key was used: a cryptographic operation on it, or the one named, succeeded.

        Args:
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            operation: which, such as `"GenerateDataKey"`; by default any cryptographic one.
            times: exactly how often; by default at least once.
            encryption_context: the whole of it.
            principal: the ARN of the caller.
            via: the AWS service through which the call came.

        Raises:
            AssertionError: it was not, or not that often.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        wanted = self._filter(operation, key, encryption_context, principal, via)
        assertions.check(self.world, _used(wanted, self._label(key), operation), times=times)

    def assert_not_used(self, key: Key | str, operation: str | None = None) -> None:
        """Fail if a key was used: if a cryptographic operation on it, or the one named, succeeded."""
        __tracebackhide__ = True
        wanted = self._filter(operation, key)
        assertions.check(self.world, _used(wanted, self._label(key), operation), times=0)

    def assert_only_used(self, *keys: Key | str) -> None:
        """Fail unless each of these keys was used, in a cryptographic operation that succeeded, and no other."""
        __tracebackhide__ = True
        if not keys:
            raise UsageError("name at least one key; or say kms.assert_not_used(key)")
        for key in keys:
            self.assert_used(key)
        allowed = {arn for key in keys for arn in self.world.arns_of(key)}
        assertions.check_no_others(self.world, allowed, " and ".join(self._label(key) for key in keys))

    def assert_called(
        self,
        operation: str,
        *,
        key: Key | str | None = None,
        times: int | None = None,
        encryption_context: Mapping[str, str] | None = None,
        principal: str | None = None,
        via: str | None = None,
        error: str | None = None,
    ) -> None:
        """Fail unless an operation was called, whatever came of it; attempts of one call count once.

        Args:
            operation: AWS's name of it.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how often; by default at least once.
            encryption_context: the whole of it.
            principal: the ARN of the caller.
            via: the AWS service through which the call came.
            error: AWS's code of the error that the call ended with.

        Raises:
            AssertionError: it was not, or not that often.
            UsageError: there is no such key or operation, or the key is AWS owned.

        """
        __tracebackhide__ = True
        wanted = self._filter(operation, key, encryption_context, principal, via, error)
        assertions.check(self.world, Expectation(f"{operation}{self._on(key)} to be called", wanted), times=times)

    def assert_not_called(
        self,
        operation: str,
        *,
        key: Key | str | None = None,
        encryption_context: Mapping[str, str] | None = None,
        principal: str | None = None,
    ) -> None:
        """Fail if an operation was called, whatever came of it."""
        __tracebackhide__ = True
        self.assert_called(operation, key=key, times=0, encryption_context=encryption_context, principal=principal)

    def assert_throttled(
        self, operation: str | None = None, *, key: Key | str | None = None, times: int | None = None
    ) -> None:
        """Fail unless requests were throttled.

        Args:
            operation: which; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            times: exactly how many requests; each attempt of a call counts. By default at least one.

        """
        __tracebackhide__ = True
        expected = Expectation(
            f"{operation or 'a call'}{self._on(key)} to be throttled",
            self._filter(operation, key),
            counts=lambda event: event.throttled,
        )
        assertions.check(self.world, expected, times=times)

    def assert_denied(
        self,
        operation: str | None = None,
        *,
        key: Key | str | None = None,
        principal: str | None = None,
        times: int | None = None,
    ) -> None:
        """Fail unless calls ended with AccessDeniedException.

        Args:
            operation: which; by default any.
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            principal: the ARN of the caller.
            times: exactly how many calls; by default at least one.

        """
        __tracebackhide__ = True
        expected = Expectation(
            f"{operation or 'a call'}{self._on(key)} to be denied",
            self._filter(operation, key, principal=principal, error="AccessDeniedException"),
            tells_error=False,
        )
        assertions.check(self.world, expected, times=times)

    # within

    def _ciphertext(self, blob: bytes, key: Key | str | None) -> tuple[Key, Blob | bytes]:
        """Find out which key made a ciphertext, and take it apart if the key is symmetric."""
        named = None if key is None else self.world.keys_called(key)[0]
        if named is not None and named.key_spec.asymmetric:
            return named, blob
        made_with = self.world.key_of_material(ciphertext.material_id_of(blob) or b"")
        if made_with is None:
            raise UsageError("the ciphertext was made with no symmetric key of this fake; if with another, say key=")
        if named is not None and named is not made_with:
            raise UsageError(f"the ciphertext was made with {made_with.label}, not with {named.label}")
        parts = ciphertext.parse(blob)
        if parts is None:
            raise UsageError(f"the ciphertext does not open: {what_is_wrong_with(blob)}")
        return made_with, parts

    def unused_faults(self) -> list[Fault]:
        """Return the faults that were ordered and not used up."""
        return [fault for fault in self.world.faults if fault.left]

    def _arns(self, key: Key | str | None) -> Collection[str] | None:
        return None if key is None else self.world.arns_of(key)

    def _label(self, key: Key | str) -> str:
        return key.label if isinstance(key, Key) else key

    def _on(self, key: Key | str | None) -> str:
        return "" if key is None else f" on {self._label(key)}"

    def _filter(
        self,
        operation: str | None,
        key: Key | str | None = None,
        encryption_context: Mapping[str, str] | None = None,
        principal: str | None = None,
        via: str | None = None,
        error: str | None = None,
    ) -> Filter:
        return Filter(
            operation=None if operation is None else service.expect_operation(operation),
            keys=self._arns(key),
            encryption_context=encryption_context,
            principal=principal,
            via=via,
            error=error,
        )


def _used(wanted: Filter, label: str, operation: str | None) -> Expectation:
    by = f" by {operation}" if operation else ""
    return Expectation(f"{label} to be used{by}", wanted, counts=assertions.is_use(operation))


def _ordered_throttling() -> ThrottlingException:
    return ThrottlingException(why="the test ordered it with kms.throttle")


def _checked_spec(name: str) -> KeySpec:
    if name in SPECS:
        return SPECS[name]
    raise UsageError(f"{name!r} is no key spec; AWS has {', '.join(SPECS)}")


def _checked_usage(spec: KeySpec, usage: str | None) -> str:
    if usage is None:
        return next(iter(spec.algorithms))
    if usage in spec.algorithms:
        return usage
    raise UsageError(f"{spec.name} is for {' or '.join(spec.algorithms)}, not for {usage!r}")


def _checked_material(spec: KeySpec, given: bytes | str | None) -> bytes | None:
    if given is None:
        return None
    try:
        return material_of(spec, given.encode() if isinstance(given, str) else given)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _checked_algorithm(key: Key, algorithm: str | None) -> str:
    if key.usage != ENCRYPT_DECRYPT:
        raise UsageError(f"{key.label} is for {key.usage}, not for {ENCRYPT_DECRYPT}")
    if algorithm is None:
        return key.algorithms[-1]
    if algorithm in key.algorithms:
        return algorithm
    raise UsageError(f"{key.label} encrypts with {' or '.join(key.algorithms)}, not with {algorithm!r}")


def _checked_account(account: str) -> str:
    if re.fullmatch("[0-9]{12}", account):
        return account
    raise UsageError(f"an account has 12 digits, {account!r} has not")


def _alias_name(alias: str) -> str:
    name = alias if alias.startswith(ALIAS_PREFIX) else f"{ALIAS_PREFIX}{alias}"
    if name.startswith(RESERVED_ALIAS_PREFIX):
        service_name = name.removeprefix(RESERVED_ALIAS_PREFIX)
        raise UsageError(f"{name} is reserved; use kms.aws_managed_key({service_name!r})")
    if not ALIAS.fullmatch(name) or len(name) > MAX_ALIAS:
        raise UsageError(
            f"an alias is alias/ and letters, digits, /, _ and -, at most {MAX_ALIAS} characters; {name!r} is not"
        )
    return name
