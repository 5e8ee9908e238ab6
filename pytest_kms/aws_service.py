"""AWS services as callers of KMS: what they ask for whom, when they store something and read it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pytest_kms.errors import UsageError
from pytest_kms.state.aws_services import AT_REST, CONTENT, VOLUME, named
from pytest_kms.state.key import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_kms import KMSClient

    from pytest_kms.state.aws_services import AtRest
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.world import World

_SOMETHING = b"content"
# Each data key encrypts one content, so that the nonce may be the same.
_NONCE = bytes(12)
_CIPHER_KEY = slice(32)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a service has stored, encrypted at rest.

    `resource` is what the test called it, `encryption_context` what it is bound to. `ciphertext` came from KMS: the
    encrypted data key, or, where `content` is None, the encrypted content itself; else `content` is what the data key
    has encrypted, and empty on an empty volume.
    """

    resource: str
    encryption_context: Mapping[str, str]
    ciphertext: bytes = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


class Service:
    """An AWS service that calls KMS, for somebody or on its own account: `kms.service` makes one.

    It has a `name`, a `region`, a `principal` and a `client` for calls of your own, and does what the service does
    with KMS when it encrypts at rest::

        def test_the_app_may_read_its_objects(kms):
            key = kms.create_key("objects")
            app = kms.principal("role/app", policy=read_json("policies/app.json"))
            s3 = kms.service("s3", on_behalf_of=app)

            stored = s3.store(key, "orders/7.json", b"...")     # PutObject: GenerateDataKey
            assert s3.read(stored) == b"..."                    # GetObject: Decrypt

            context = s3.encryption_context("orders/7.json")    # {"aws:s3:arn": "arn:aws:s3:::orders/7.json"}
            kms.assert_used(key, "Decrypt", via="s3.us-east-1.amazonaws.com", encryption_context=context)

    What KMS refuses is raised as it is raised to the service; AWS's services wrap it in errors of their own.
    """

    def __init__(
        self,
        name: str,
        principal: Principal,
        region: str,
        *,
        world: World,
        connect: Callable[[Principal, str], KMSClient],
    ) -> None:
        self.name = name
        self.principal = principal
        self.region = region
        self._world = world
        self._connect = connect
        self._client: KMSClient | None = None

    def __repr__(self) -> str:
        return f"Service({self.name!r}, {self.principal.via or self.principal.arn} in {self.region})"

    @property
    def client(self) -> KMSClient:
        """A KMS client whose calls are the service's."""
        if self._client is None:
            self._client = self._connect(self.principal, self.region)
        return self._client

    @property
    def via(self) -> str | None:
        """`kms:ViaService` of its calls, such as `"s3.us-east-1.amazonaws.com"`; None on its own account."""
        return self.principal.via

    def encryption_context(self, resource: str, *, context: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the encryption context that the service gives with a resource.

        Secrets Manager and SES make up an id for each version of a secret, for each message.

        Args:
            resource: an ARN, or what stands at its end: `"bucket/key"` for S3, the name of a table, queue, topic,
                function, stream or parameter, the id of a volume or a database, a secret's name with its six random
                characters.
            context: pairs besides, or instead: what the service was told to add (S3's
                `x-amz-server-side-encryption-context`), `{"SecretVersionId": "…"}`, or what a resource's name does not
                tell.

        Raises:
            UsageError: the fake does not know what the service gives, or a pair has to be told.

        """
        account = self.principal.account or self.principal.source_account or self._world.account
        found = named(self._at_rest, resource, self.region, account)
        with self._world.lock:
            facts = {
                **found._asdict(),
                "uuid": self._world.random_uuid(),
                "minute": f"{self._world.clock.now:%Y%m%dT%H%MZ}",
            }
        told = dict(context or {})
        for pair, template in self._at_rest.context.items():
            if template is None and pair not in told:
                raise UsageError(f"the name of a resource of {self.name} does not tell {pair}; give it as context=")
            told.setdefault(pair, (template or "").format(**facts))
        return told

    def store(
        self,
        key: Key | str,
        resource: str,
        content: bytes | None = None,
        *,
        context: Mapping[str, str] | None = None,
    ) -> Stored:
        """Store something, encrypted with a key, and call KMS as the service does.

        Most call GenerateDataKey for 256 bits, SQS and SNS also Decrypt, to see that they can. Parameter Store
        (standard tier), Lambda and WorkMail let KMS Encrypt the content itself. EBS makes a volume with
        GenerateDataKeyWithoutPlaintext for 64 bytes; to write on it, it has to be attached, which is Decrypt.

        Args:
            key: a `Key`, or a key id, key ARN, alias name or alias ARN, also `"alias/aws/s3"`.
            resource: as `encryption_context` takes it.
            content: what to store; by default something short, and on a volume nothing.
            context: as `encryption_context` takes it.

        Raises:
            UsageError: the fake does not know how the service encrypts.
            botocore.exceptions.ClientError: what KMS refuses.

        """
        __tracebackhide__ = True  # with its local variables, which pytest may show
        facts, key_id = self._at_rest, key.arn if isinstance(key, Key) else key
        bound_to = self.encryption_context(resource, context=context)
        if facts.way == CONTENT:
            encrypted = self.client.encrypt(
                KeyId=key_id, Plaintext=_SOMETHING if content is None else content, EncryptionContext=bound_to
            )
            return Stored(resource, bound_to, encrypted["CiphertextBlob"])
        if facts.way == VOLUME:
            volume = self.client.generate_data_key_without_plaintext(
                KeyId=key_id, NumberOfBytes=64, EncryptionContext=bound_to
            )
            stored = Stored(resource, bound_to, volume["CiphertextBlob"], b"")
            return _written(stored, self._decrypt(stored), content) if content else stored
        answer = self.client.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=bound_to)
        stored = Stored(resource, bound_to, answer["CiphertextBlob"])
        if facts.reads_back:
            self._decrypt(stored)
        return _written(stored, answer["Plaintext"], _SOMETHING if content is None else content)

    def read(self, stored: Stored) -> bytes:
        """Read what a service has stored, this one or another, and let KMS Decrypt for it.

        Args:
            stored: what `store` has returned.

        Returns:
            The content.

        Raises:
            botocore.exceptions.ClientError: what KMS refuses.

        """
        __tracebackhide__ = True
        plaintext = self._decrypt(stored)
        if stored.content is None:
            return plaintext
        return AESGCM(plaintext[_CIPHER_KEY]).decrypt(_NONCE, stored.content, None) if stored.content else b""

    @property
    def _at_rest(self) -> AtRest:
        facts = AT_REST.get(self.name.partition(".")[0])
        if facts is None:
            raise UsageError(
                f"how {self.name} encrypts at rest is not known; known are {', '.join(AT_REST)}. Use its `client`."
            )
        return facts

    def _decrypt(self, stored: Stored) -> bytes:
        __tracebackhide__ = True
        answer = self.client.decrypt(
            CiphertextBlob=stored.ciphertext, EncryptionContext=dict(stored.encryption_context)
        )
        return answer["Plaintext"]


def _written(stored: Stored, data_key: bytes, content: bytes) -> Stored:
    return replace(stored, content=AESGCM(data_key[_CIPHER_KEY]).encrypt(_NONCE, content, None))
