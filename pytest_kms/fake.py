"""The fake that a test holds in its hand."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_kms import arguments, clients, key_store_arguments, leaks, surroundings, verdicts, watching
from pytest_kms.arns import RESERVED_ALIAS_PREFIX
from pytest_kms.aws_service import Service
from pytest_kms.crypto import ciphertext
from pytest_kms.crypto.specs import AWS_CLOUDHSM, AWS_KMS, EXTERNAL, SYMMETRIC_DEFAULT
from pytest_kms.disturbed import Disturbed
from pytest_kms.errors import KMSError, UsageError
from pytest_kms.operations.encryption import seal, unseal
from pytest_kms.operations.imports import bring_in
from pytest_kms.state import aws_managed, aws_services
from pytest_kms.state.block import Block
from pytest_kms.state.imported import DOES_NOT_EXPIRE, Imported, take_in
from pytest_kms.state.key import ENABLED, PENDING_IMPORT, Key, expect_state
from pytest_kms.state.principal import Identity, Principal
from pytest_kms.state.world import World
from pytest_kms.targets import what_is_wrong_with

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from boto3 import Session
    from botocore.config import Config
    from mypy_boto3_kms import KMSClient

    from pytest_kms.clock import Clock
    from pytest_kms.crypto.ciphertext import Blob
    from pytest_kms.state.enclave import Enclave
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.principal import Policy
    from pytest_kms.state.quotas import Quotas
    from pytest_kms.verdicts import MaxCalls, Verdict

DEFAULT_ACCOUNT = "123456789012"


class FakeKMS(Disturbed):
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
        eventual_consistency: seconds of the fake's time until what calls change becomes visible.
        unsupported: `"error"`, a refusal of what this version lacks fails the test, also where the code under test
            has swallowed it; or `"ignore"`.
        unused_faults: `"error"`, what was ordered to fail and never did fails the test; or `"ignore"`.
        unasserted_calls: `"error"`, a call that no assertion looked at fails the test; or `"ignore"`.
        max_calls: operations, and how often a test may call each.
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
        eventual_consistency: float | str = 0,
        unsupported: Verdict = "error",
        unused_faults: Verdict = "error",
        unasserted_calls: Verdict = "ignore",
        max_calls: MaxCalls = None,
        origin: str = "another test",
    ) -> None:
        self._region = region
        self._account = arguments.account(account)
        self._quotas = quotas
        self._seed = None if seed is None else str(seed)  # an ini file has no numbers
        self._eventual_consistency = arguments.seconds("eventual_consistency", eventual_consistency)
        self._origin = origin
        self._clients: dict[str, KMSClient] = {}
        self.real_backoff = real_backoff
        self.strictness = verdicts.strictness(
            max_calls, unsupported=unsupported, unused_faults=unused_faults, unasserted_calls=unasserted_calls
        )
        self.world = self._new_world()

    def __repr__(self) -> str:
        return f"<FakeKMS of account {self.world.account} in {self.world.region}>"

    def reset(self) -> None:
        """Forget everything: keys, aliases, principals, calls, quotas, faults, and the time that has passed."""
        self.be_seen()
        self.world = self._new_world()

    def be_seen(self) -> None:
        """Show what the fake remembers to those who want to see it before it is gone."""
        watching.show(self.world)

    def _new_world(self) -> World:
        world = World(
            region=self._region or surroundings.default_region(),
            account=self._account,
            seed=self._seed,
            origin=self._origin,
        )
        if isinstance(self._quotas, Mapping):
            for name, per_second in self._quotas.items():
                world.quotas[name] = per_second
        elif not self._quotas:
            world.quotas.off()
        world.consistency.delay(self._eventual_consistency, None)
        return world

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
        origin: str = AWS_KMS,
        multi_region: bool = False,
        policy: str | Mapping[str, Any] | None = None,
        key_store: CustomKeyStore | None = None,
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
            origin: where its material comes from: AWS's `Origin`. With `"EXTERNAL"`, `material` is imported without an
                expiration, and a key without it is PendingImport.
            multi_region: whether it is the primary of a multi-Region key.
            policy: its key policy, as JSON or as a mapping; by default AWS's default, which lets its account decide.
            key_store: the custom key store that holds it; its origin, Region and account follow from that.
            region: where it lives; by default where the fake does.
            account: who owns it, 12 digits; by default the account of the default principal.

        Raises:
            UsageError: an argument is none that AWS could have, or the id or the alias is taken.

        """
        world = self.world
        if key_store is not None:
            region, account, origin = key_store_arguments.home(key_store, region, account, origin)
        region, account = region or world.region, arguments.account(account or world.account)
        key_spec = arguments.key_spec(spec, region)
        usage = arguments.usage(key_spec, usage)
        origin = arguments.origin(key_spec, origin, multi_region=multi_region)
        content = arguments.material(key_spec, material)
        arguments.description(description)
        expect_state(state)
        name = None if alias is None else arguments.alias_name(alias)
        with world.lock:
            world.settle()
            registry = world.registry(region, account)
            arguments.new_key_id(registry, key_id, multi_region=multi_region)
            arguments.new_alias(registry, name)
            key = world.create_key(
                region=region,
                account=account,
                key_id=key_id,
                spec=spec,
                usage=usage,
                origin=origin,
                multi_region=multi_region,
                description=description,
                tags=dict(tags or {}),
                policy=arguments.policy(policy),
                material=None if origin == EXTERNAL else content,
                store=key_store,
                xks_key_id=key_store.next_xks_key_id() if key_store else None,
            )
            if origin == EXTERNAL and content is not None:
                take_in(key, content, Imported(DOES_NOT_EXPIRE))
            if state != ENABLED:
                key.state = state
            if name is not None:
                registry.point(name, key)
        return key

    def replicate(self, key: Key | str, region: str, *, alias: str | None = None, state: str = ENABLED) -> Key:
        """Make a replica of a multi-Region key.

        Args:
            key: any key of the family: a `Key`, or a key id, key ARN, alias name or alias ARN.
            region: where the replica is to be.
            alias: a name for it there, with or without the prefix `alias/`.
            state: any of AWS's key states. Imported key material comes along, except to a replica in PendingImport.

        Raises:
            UsageError: it is no multi-Region key, or the Region has one of the family or the alias already.

        """
        world = self.world
        expect_state(state)
        name = None if alias is None else arguments.alias_name(alias)
        with world.lock:
            primary = world.keys_called(key)[0].backing.primary
            arguments.new_replica(primary, region)
            registry = world.registry(region, primary.account)
            arguments.new_alias(registry, name)
            replica = world.create_replica(primary, region)
            for material_id, imported in () if state == PENDING_IMPORT else tuple(primary.imported.items()):
                take_in(replica, primary.backing.material(material_id).content, imported)
            if state != ENABLED:
                replica.state = state
            if name is not None:
                registry.point(name, replica)
        return replica

    def import_key_material(self, key: Key | str, material: bytes | str, *, valid_to: dt.datetime | None = None) -> str:
        """Import key material into a key of origin `"EXTERNAL"`, whatever state it is in; a disabled one is enabled.

        The first material of a key is current at once. One that a symmetric encryption key does not know waits for a
        rotation on demand; one that it knows is there again, if it was deleted or has expired.

        Args:
            key: a `Key`, or a key id, key ARN, alias name or alias ARN.
            material: as `create_key` takes it.
            valid_to: when it expires, at most 365 days from now, in whole seconds; by default never.

        Returns:
            AWS's `KeyMaterialId`, 64 hexadecimal digits.

        Raises:
            UsageError: there is no such key, or it cannot have this material.

        """
        with self.world.lock:
            found = self.world.keys_called(key)[0]
            content = arguments.material_for_import(found, material)
            imported = arguments.expiration(valid_to, self.world.now)
            try:
                return bring_in(found, content, imported).hex()
            except KMSError as error:
                raise UsageError(error.message or error.why) from None

    def wrap_key_material(self, parameters: Mapping[str, object], material: bytes) -> bytes:
        """Encrypt key material for ImportKeyMaterial, with the wrapping algorithm that was asked for.

        Args:
            parameters: an answer of this fake to GetParametersForImport.
            material: what is to arrive: bytes, or a private key as PKCS#8 (DER). It is wrapped whether fit or not.

        Returns:
            The `EncryptedKeyMaterial` of a call.

        Raises:
            UsageError: this fake gave no such answer, or the algorithm encrypts nothing so long, or so short.

        """
        with self.world.lock:
            found = arguments.import_parameters(self.world, parameters)
            try:
                return found.wrap(material, self.world.random_bytes)
            except ValueError:
                raise UsageError(
                    f"{found.algorithm} with {found.wrapping_spec.name} cannot wrap {len(material)} bytes"
                ) from None

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
        account = arguments.account(account or self.world.account)
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

    def key_store(
        self,
        kind: str = AWS_CLOUDHSM,
        name: str | None = None,
        *,
        connected: bool = True,
        cluster_id: str | None = None,
        endpoint: str | None = None,
        path: str | None = None,
        vpc_endpoint_service: str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> CustomKeyStore:
        """Make a custom key store: `create_key(key_store=...)` makes keys in it, its methods break and mend it.

        Args:
            kind: `"AWS_CLOUDHSM"` or `"EXTERNAL_KEY_STORE"`.
            name: 1 to 256 characters; by default `"key-store-1"` and so on.
            connected: whether it is; otherwise it was never connected.
            cluster_id: its AWS CloudHSM cluster, such as `"cluster-2a23b4cdefg"`; by default a random one.
            endpoint: that of the proxy of an external key store, with `https://`; by default one of its own.
            path: that of the proxy, which ends with `/kms/xks/v1`; by default this alone.
            vpc_endpoint_service: the endpoint service that leads to the proxy, such as
                `"com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"`; by default the endpoint is a public one.
            region: where it is; by default where the fake lives.
            account: whose it is, 12 digits; by default that of the default principal.

        Raises:
            UsageError: an argument is none that AWS could have, or another key store has what must be its own.

        """
        world = self.world
        with world.lock:
            world.settle()
            registry = world.registry(region or world.region, arguments.account(account or world.account))
            backing = key_store_arguments.backing(
                registry, kind, cluster_id=cluster_id, endpoint=endpoint, path=path, vpc=vpc_endpoint_service
            )
            store = registry.add_key_store(key_store_arguments.name(registry, name), backing)
            if connected:
                store.connect()
        return store

    @property
    def key_stores(self) -> list[CustomKeyStore]:
        """The custom key stores of all accounts and Regions, in each the oldest first: those that calls made, too."""
        with self.world.lock:
            self.world.settle()
            return list(self.world.all_key_stores())

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
        arguments.plaintext(plaintext)
        given = arguments.context(context)
        with self.world.lock:
            found = self.world.keys_called(key)[0]
            algorithm = arguments.encryption_algorithm(found, algorithm)
            try:
                blob = seal(found, plaintext, given, algorithm=algorithm)
            except KMSError as error:
                raise UsageError(error.message) from None
            self.world.remember_context(blob, given)
            return blob

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
        given = arguments.context(context)
        with self.world.lock:
            found, parts = self._ciphertext(blob, key)
            try:
                return unseal(found, parts, given, algorithm=arguments.encryption_algorithm(found, algorithm))
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

    def client_for(
        self, principal: Principal | Service | None = None, *, region: str | None = None, config: Config | None = None
    ) -> KMSClient:
        """Return a KMS client: of a principal, of a Region, with a configuration of its own.

        Args:
            principal: who calls with it, also a service; by default an administrator of the fake's account, or who is
                acting.
            region: where; by default where the service is, or where the fake lives.
            config: botocore's `Config`.

        """
        region = region or (principal.region if isinstance(principal, Service) else self.world.region)
        if config is not None or principal is not None:
            return clients.make(region, config, None if principal is None else _caller(principal).credentials)
        if region not in self._clients:
            self._clients[region] = clients.make(region, None)
        return self._clients[region]

    def session_for(self, principal: Principal | Service, *, region: str | None = None) -> Session:
        """Return a boto3 session whose clients call as a principal.

        Raises:
            UsageError: boto3 is not installed.

        """
        return clients.session(region or self.world.region, _caller(principal).credentials)

    # who calls

    def principal(
        self,
        name: str,
        *,
        policy: Policy | Sequence[Policy] | None = None,
        boundary: Policy | None = None,
        session_policy: Policy | Sequence[Policy] | None = None,
        session: str | None = None,
        tags: Mapping[str, str] | None = None,
        context: Mapping[str, str | int | list[str]] | None = None,
        account: str | None = None,
    ) -> Principal:
        """Make an IAM identity that calls KMS, with `kms.client_for(principal)` or its `credentials`.

        Args:
            name: `"user/NAME"`, `"role/NAME"` (a session of it calls), `"federated-user/NAME"` or `"root"`; users and
                roles may have a path. The root user takes nothing of what follows but `context` and `account`.
            policy: its identity policies, as JSON or mappings; by default none, so that only a key policy or a grant
                that names it lets it do anything.
            boundary: its permissions boundary.
            session_policy: the session policies of a role's session or a federated user, which limit what `policy`
                allows. A federated user may do nothing by `policy` without them.
            session: the name of a role's session.
            tags: its tags, `aws:PrincipalTag/…` in conditions.
            context: condition keys of its surroundings that no fake can know, such as `{"aws:PrincipalOrgID": "o-1"}`
                or `{"aws:SourceIp": "203.0.113.7"}`; what is given here wins over what the fake knows.
            account: 12 digits; by default the account of the default principal.

        Raises:
            UsageError: the name is none, a policy is malformed or cannot be evaluated, or AWS has no such thing for
                this kind of identity.

        """
        identity = Identity(
            name=name,
            account=arguments.account(account or self.world.account),
            region=self.world.region,
            policy=policy,
            boundary=boundary,
            session_policy=session_policy,
            session=session,
            tags=tags or {},
            context=context or {},
        )
        with self.world.lock:
            return self.world.principal(identity)

    def service(
        self,
        name: str,
        *,
        on_behalf_of: Principal | None = None,
        source_arn: str | None = None,
        region: str | None = None,
    ) -> Service:
        """Make an AWS service that calls KMS: for somebody, or on its own account.

        Its `client` calls as the service does; `store` and `read` do what it does to encrypt at rest.

        Args:
            name: as in its endpoint or in `alias/aws/NAME`: `"s3"`, `"secretsmanager"`; on its own account also the
                full service principal, such as `"logs.us-east-1.amazonaws.com"`.
            on_behalf_of: for whom it calls: a forward access session, with `kms:ViaService`. Without it the service
                calls as a service principal.
            source_arn: the resource for which it calls: `aws:SourceArn` and `aws:SourceAccount`. AWS tells them of
                service principals; of forward access sessions only where you give one.
            region: where the service is; by default where the fake lives.

        Raises:
            UsageError: no AWS service can have such a name.

        """
        aws_services.expect_name(name)
        if on_behalf_of is not None:
            on_behalf_of = _caller(on_behalf_of)
        region = region or self.world.region
        with self.world.lock:
            principal = self.world.service(name, on_behalf_of, source_arn, region)
        return Service(name, principal, region, world=self.world, connect=_connect)

    def acting_as(self, principal: Principal | Service) -> AbstractContextManager[Principal]:
        """Let every call whose access key the fake does not know come from a principal: of all threads and tasks.

        For code under test that makes its own clients, with whatever credentials it finds, or with none; calls that
        are not signed count as well. Clients of `client_for(principal)` stay those of their principal.
        """
        return Block(self.world, "kms.acting_as(...)", self._acting_as(_caller(principal)))

    @contextmanager
    def _acting_as(self, caller: Principal) -> Iterator[Principal]:
        world, acting = self.world, replace(caller)  # of its own: the same one may be acting more than once
        world.acting.append(acting)
        try:
            yield caller
        finally:
            world.acting.remove(acting)

    # make it fail, move its time

    @property
    def quotas(self) -> Quotas:
        """The request quotas, enforced with AWS's default values."""
        return self.world.quotas

    @property
    def clock(self) -> Clock:
        """The fake's time."""
        return self.world.clock

    def verdicts(self) -> list[str]:
        """Say what fails a test that ends now: refusals that were swallowed before all else."""
        return verdicts.verdicts(self.world, self.strictness)

    def swallowed_refusals(self) -> list[str]:
        """Say what this version has refused, whatever became of it."""
        return verdicts.swallowed(self.world, self.strictness)

    def forget_verdicts(self) -> None:
        """Let no later test answer for what has been until now."""
        verdicts.forget(self.world)

    def assert_no_plaintext_in(self, *things: object) -> None:
        """Fail if a plaintext or a data key is in a thing: one that KMS was given to encrypt, or has handed out.

        Looked for are the Plaintext of Encrypt, Decrypt and GenerateDataKey, the PrivateKeyPlaintext of data key pairs
        and the SharedSecret of DeriveSharedSecret, in all calls of the trail, if they have 8 bytes or more: as they
        are, in hex, in base64 (also within a longer one), and as Python, JSON and URLs write them. What GenerateRandom
        answers is neither. The failure says where, and never what.

        ::

            kms.assert_no_plaintext_in(caplog, capsys.readouterr(), tmp_path)

        Args:
            things: texts, bytes, `pathlib.Path` (a file, or a directory with all that is in it), open files, mappings,
                lists, exceptions, log records, `caplog`, what `capsys.readouterr()` returns.

        Raises:
            AssertionError: one is.
            UsageError: there is nothing to look for, or nothing that can be looked into.

        """
        __tracebackhide__ = True
        leaks.check(self.world, things)

    # within

    def _ciphertext(self, blob: bytes, key: Key | str | None) -> tuple[Key, Blob | bytes]:
        """Find out which key made a ciphertext, and take it apart if the key is symmetric."""
        named = None if key is None else self.world.keys_called(key)[0]
        if named is not None and named.key_spec.asymmetric:
            return named, blob
        made_with = self.world.key_of_material(ciphertext.material_id_of(blob) or b"", self.world.region)
        if made_with is None:
            raise UsageError("the ciphertext was made with no symmetric key of this fake; if with another, say key=")
        if named is not None and named.backing is not made_with.backing:
            raise UsageError(f"the ciphertext was made with {made_with.label}, not with {named.label}")
        parts = ciphertext.parse(blob)
        if parts is None:
            raise UsageError(f"the ciphertext does not open: {what_is_wrong_with(blob)}")
        return made_with, parts


def _caller(principal: Principal | Service) -> Principal:
    caller = principal.principal if isinstance(principal, Service) else principal
    if not isinstance(caller, Principal):
        raise UsageError(f"a principal is what kms.principal(...) returns, not {caller!r}")
    return caller


def _connect(principal: Principal, region: str) -> KMSClient:
    return clients.make(region, None, principal.credentials)
