"""Measure what pytest-kms costs: `python tests/benchmarks/benchmark.py [--json FILE] [--only PART ...]`.

Everything is compared with something else that is measured in the same run, in turns, so that the ratios hold
on any machine. Prints a Markdown table, and ends with exit status 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import hmac
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from pytest_kms import NotSupported, fake_kms, stub
from pytest_kms.crypto.specs import SPECS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

ROUNDS = 80
CALLS_A_ROUND = 30
ROUNDS_OF_SPECS = 30
SUITE_RUNS = 25
FIXTURE_RUNS = 7
FIXTURE_TESTS = 1000
FAILING_CALLS = 15
TESTS = 500
OUR_RUNS = 5
ROUNDS_OF_MANY_KEYS = 9
LIMIT = 1.15
LIMIT_OF_CREATE_KEY = 1.3
LIMIT_OF_GROWTH = 1.3
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
ERRORS = (
    "ThrottlingException",
    "KMSInternalException",
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionClosedError",
    "SSLError",
    "HTMLBody",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, in which unit, and its limit; `least` turns the limit around."""

    what: str
    value: float
    limit: float
    unit: str
    note: str = ""
    least: bool = False

    @property
    def passed(self) -> bool:
        """Say whether the value is within the limit."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.least else "<="
        # More digits than the limit has, so that a value just beyond it does not look like it.
        value = f"{self.value:.3f}" if self.unit == "x" and not self.least else f"{self.value:.3g}"
        verdict = "PASS" if self.passed else "FAIL"
        return f"| {self.what} | {value} {self.unit} | {sign} {self.limit:g} {self.unit} | {verdict} | {self.note} |"


def client(config: Config | None = None, region: str = "us-east-1") -> KMSClient:
    """Make a client as an application would."""
    return boto3.client(
        "kms", region_name=region, config=config, aws_access_key_id="key", aws_secret_access_key="secret"
    )


# A call, against the same call answered by a constant


@dataclass(frozen=True, slots=True)
class Answer:
    """What the fake has once answered: the floor answers the same."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


class Floor:
    """A client whose calls go all the way through botocore, to a handler that answers a constant.

    `primitive` is the cryptography that it does before, and the least that anybody must do.
    """

    def __init__(self) -> None:
        self.answer = Answer(200, {}, b"{}")
        self.primitive: Callable[[], object] | None = None
        stub.install()  # before the client is made: a client that exists already would be reached later
        self.client = client()
        events: Any = self.client.meta.events
        for event, handler in stub.HANDLERS:
            events.unregister(event, handler)
        events.unregister(*stub.LAST)
        events.register("before-send.kms", self._send)
        with fake_kms() as kms:
            self.client.create_key()
            kms.assert_not_called("CreateKey")

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        if self.primitive is not None:
            self.primitive()
        answer = self.answer
        raw: Any = _Raw(answer.body)
        headers: Any = answer.headers
        return AWSResponse(request.url, answer.status, headers, raw)


@dataclass(frozen=True, slots=True)
class Measured:
    """A call that is measured; `primitive` is the same work as `cryptography` alone does it, part of the floor."""

    name: str
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    primitive: Callable[[], object] | None = None
    limit: float = LIMIT


def answers_of_the_fake(calls: Iterable[Measured], probe: KMSClient) -> dict[str, Answer]:
    """Take down what the fake answers to each call."""
    answers: dict[str, Answer] = {}

    def note(response_dict: Any, **_: Any) -> None:
        headers = dict(response_dict["headers"].items())
        answers[measured.name] = Answer(response_dict["status_code"], headers, bytes(response_dict["body"]))

    probe.meta.events.register("response-received.kms", note)
    for measured in calls:
        getattr(probe, measured.method)(**measured.arguments)
    return answers


def symmetric_calls(kms: FakeKMS) -> Iterator[Measured]:
    """Arrange a key in a fake, and give the calls that are measured on it."""
    context = {"tenant": "acme"}
    key = kms.create_key(alias="alias/benchmark")
    named: dict[str, Any] = {"KeyId": "alias/benchmark", "EncryptionContext": context}
    blob = kms.encrypt(key, b"x" * 32, context)
    yield Measured("Encrypt", "encrypt", {**named, "Plaintext": b"x" * 32})
    yield Measured("Decrypt", "decrypt", {"CiphertextBlob": blob, "EncryptionContext": context})
    yield Measured("GenerateDataKey", "generate_data_key", {**named, "KeySpec": "AES_256"})
    yield Measured("CreateKey", "create_key", limit=LIMIT_OF_CREATE_KEY)


class Others:
    """The calls on keys of other specs, each with the same work done by `cryptography` with the same key."""

    message = b"x" * 100

    @cached_property
    def rsa_2048(self) -> rsa.RSAPrivateKey:
        """An RSA key."""
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def p256(self) -> ec.EllipticCurvePrivateKey:
        """A key of P-256."""
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def edwards(self) -> ed25519.Ed25519PrivateKey:
        """A key of Ed25519."""
        return ed25519.Ed25519PrivateKey.generate()

    @cached_property
    def ml_dsa(self) -> Any:
        """A key of ML-DSA, or None where this version of `cryptography` has none that is good enough."""
        with fake_kms() as kms:
            try:
                kms.create_key(spec="ML_DSA_65")
            except NotSupported:
                return None
        return import_module("cryptography.hazmat.primitives.asymmetric.mldsa").MLDSA65PrivateKey.generate()

    def calls(self, kms: FakeKMS) -> Iterator[Measured]:
        """Arrange the keys in a fake, and give the calls that are measured on them."""
        sha256 = hashes.SHA256()
        pss = padding.PSS(padding.MGF1(sha256), sha256.digest_size)
        yield from self._signatures(kms, "RSA_2048", "RSASSA_PSS_SHA_256", self.rsa_2048, pss, sha256)
        yield from self._signatures(kms, "ECC_NIST_P256", "ECDSA_SHA_256", self.p256, ec.ECDSA(sha256))
        yield from self._signatures(kms, "ECC_NIST_EDWARDS25519", "ED25519_SHA_512", self.edwards)
        if self.ml_dsa:
            yield from self._signatures(kms, "ML_DSA_65", "ML_DSA_SHAKE_256", self.ml_dsa)
        yield from self._macs(kms)
        yield from self._encryption(kms)
        yield self._shared_secret(kms)
        yield self._pair(kms)

    def _signatures(self, kms: FakeKMS, spec: str, algorithm: str, own: Any, *parameters: object) -> Iterator[Measured]:
        key = kms.create_key(spec=spec, usage="SIGN_VERIFY", material=private_der(own))
        public, signature = own.public_key(), own.sign(self.message, *parameters)
        asked = {"KeyId": key.id, "Message": self.message, "SigningAlgorithm": algorithm}
        yield Measured(f"Sign, {spec} {algorithm}", "sign", asked, lambda: own.sign(self.message, *parameters))
        yield Measured(
            f"Verify, {spec} {algorithm}",
            "verify",
            {**asked, "Signature": signature},
            lambda: public.verify(signature, self.message, *parameters),
        )

    def _macs(self, kms: FakeKMS) -> Iterator[Measured]:
        secret = b"k" * 32
        key = kms.create_key(spec="HMAC_256", material=secret)
        mac = hmac.digest(secret, self.message, "sha256")
        asked = {"KeyId": key.id, "Message": self.message, "MacAlgorithm": "HMAC_SHA_256"}
        for name, method, members in (("GenerateMac", "generate_mac", {}), ("VerifyMac", "verify_mac", {"Mac": mac})):
            yield Measured(
                f"{name}, HMAC_256", method, asked | members, lambda: hmac.digest(secret, self.message, "sha256")
            )

    def _encryption(self, kms: FakeKMS) -> Iterator[Measured]:
        own, algorithm = self.rsa_2048, "RSAES_OAEP_SHA_256"
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        key = kms.create_key(spec="RSA_2048", usage="ENCRYPT_DECRYPT", material=private_der(own))
        public, blob = own.public_key(), kms.encrypt(key, self.message)
        asked = {"KeyId": key.id, "EncryptionAlgorithm": algorithm}
        yield Measured(
            f"Encrypt, RSA_2048 {algorithm}",
            "encrypt",
            {**asked, "Plaintext": self.message},
            lambda: public.encrypt(self.message, oaep),
        )
        yield Measured(
            f"Decrypt, RSA_2048 {algorithm}",
            "decrypt",
            {**asked, "CiphertextBlob": blob},
            lambda: own.decrypt(blob, oaep),
        )

    def _shared_secret(self, kms: FakeKMS) -> Measured:
        own = self.p256
        key = kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT", material=private_der(own))
        peer = public_der(own)

        def agree() -> bytes:
            public: Any = load_der_public_key(peer)
            return own.exchange(ec.ECDH(), public)

        asked = {"KeyId": key.id, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer}
        return Measured("DeriveSharedSecret, ECC_NIST_P256", "derive_shared_secret", asked, agree)

    @staticmethod
    def _pair(kms: FakeKMS) -> Measured:
        # A seed repeats the pair, so that its number is drawn.
        number = int.from_bytes(b"x" * 31, "big")
        cipher = AESGCM(b"k" * 32)

        def make() -> tuple[bytes, bytes]:
            made = ec.derive_private_key(number, ec.SECP256R1())
            return cipher.encrypt(b"n" * 12, private_der(made), None), public_der(made)

        asked = {"KeyId": kms.create_key().id, "KeyPairSpec": "ECC_NIST_P256"}
        return Measured("GenerateDataKeyPair, ECC_NIST_P256", "generate_data_key_pair", asked, make)


def private_der(key: Any) -> bytes:
    """Write a private key."""
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def public_der(key: Any) -> bytes:
    """Write the public half of a private key."""
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def seconds_of(call: Callable[..., Any], arguments: dict[str, Any]) -> float:
    """Return the median time of some calls."""
    times = []
    for _ in range(CALLS_A_ROUND):
        start = time.perf_counter()
        call(**arguments)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@dataclass(frozen=True, slots=True)
class Ratios:
    """What was measured of a call, a value for each round: the ratio, and the overhead in seconds."""

    measured: Measured
    ratios: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    def __str__(self) -> str:
        return f"{statistics.median(self.overheads) * 1e6:.0f} µs more"


def compare(arrange: Callable[[FakeKMS], Iterator[Measured]], rounds: int, region: str = "us-east-1") -> list[Ratios]:
    """Compare calls with the floor, in small rounds that take turns, each with a new fake, as tests have."""
    ours, floor = client(region=region), Floor()
    with fake_kms(region=region, quotas=False) as kms:
        answers = answers_of_the_fake(arrange(kms), client(region=region))
    results: dict[str, Ratios] = {}
    for number in range(-5, rounds):
        with fake_kms(region=region) as kms:
            kms.quotas["CreateKey"] = 1_000_000
            for measured in arrange(kms):
                floor.answer, floor.primitive = answers[measured.name], measured.primitive
                sides = [(ours, "fake"), (floor.client, "floor")]
                times = {
                    name: seconds_of(getattr(side, measured.method), measured.arguments)
                    for side, name in (sides if number % 2 else reversed(sides))
                }
                if number >= 0:  # the first rounds warm up
                    result = results.setdefault(measured.name, Ratios(measured))
                    result.ratios.append(times["fake"] / times["floor"])
                    result.overheads.append(times["fake"] - times["floor"])
    return list(results.values())


def measure_calls() -> Iterator[Row]:
    """Compare calls with the floor, and with the cryptography that they have to do."""
    for result in (*compare(symmetric_calls, ROUNDS), *compare(Others().calls, ROUNDS)):
        measured = result.measured
        against = "the floor with the bare cryptography" if measured.primitive else "the floor"
        yield Row(f"{measured.name}, against {against}", result.ratio, measured.limit, "x", f"{result} than the floor")


# Who may

ROUNDS_OF_CALLERS = 400
ALL_OF_KMS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


def long_policy(statements: int) -> dict[str, Any]:
    """Write a key policy whose last statement lets the account decide, after others with conditions of their own."""
    tenants = [
        {
            "Sid": f"Tenant{number}",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:EncryptionContext:tenant": f"tenant-{number}",
                    "kms:CallerAccount": "123456789012",
                }
            },
        }
        for number in range(statements - 1)
    ]
    root = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [*tenants, root]}


def measure_authorization() -> Iterator[Row]:
    """Compare Encrypt by a principal whose policies are evaluated with that by the administrator, in turns."""
    with fake_kms() as kms:
        kms.quotas.off()
        default, long = kms.create_key(), kms.create_key(policy=long_policy(20))
        app = kms.client_for(kms.principal("role/app", policy=ALL_OF_KMS))
        members = {"Plaintext": b"x" * 32, "EncryptionContext": {"tenant": "none"}}
        times: dict[str, list[float]] = {"administrator": [], "evaluated": [], "20 statements": []}
        for number in range(-20, ROUNDS_OF_CALLERS):
            for name, ours, key in (
                ("administrator", kms.client, default),
                ("evaluated", app, default),
                ("20 statements", app, long),
            ):
                took = seconds_of(ours.encrypt, {"KeyId": key.id, **members})
                if number >= 0:  # the first warm up
                    times[name].append(took)
    base, evaluated, many = (statistics.median(times[name]) for name in times)
    note = f"{(evaluated - base) * 1e6:.0f} µs more than for an administrator"
    yield Row("Encrypt, policies evaluated, against the administrator", evaluated / base, 1.05, "x", note)
    yield Row("Encrypt, a key policy of 20 statements, more than the default", (many - evaluated) * 1e6, 50, "µs")


# Keys of every spec


def calls_of_specs(kms: FakeKMS) -> Iterator[Measured]:
    """Give a call of CreateKey for every spec whose library is installed."""
    for spec in SPECS:
        try:
            key = kms.create_key(spec=spec)
        except NotSupported:
            continue
        yield Measured(spec, "create_key", {"KeySpec": spec, "KeyUsage": key.usage})


def measure_specs() -> Row:
    """Find the spec of which CreateKey takes longest, against the floor."""
    # In China there are keys of all specs.
    results = compare(calls_of_specs, ROUNDS_OF_SPECS, region="cn-north-1")
    slowest = max(results, key=lambda result: result.ratio)
    return Row(
        "CreateKey of any spec, against the floor",
        slowest.ratio,
        LIMIT_OF_CREATE_KEY,
        "x",
        f"the slowest of {len(results)}, {slowest.measured.name}",
    )


def measure_first_use() -> Row:
    """Time the first signature of an RSA_4096 key, less a later one: that is when its key material is made."""
    ours, differences = client(), []
    for number in range(-5, ROUNDS):
        with fake_kms() as kms:
            key = kms.create_key(spec="RSA_4096", usage="SIGN_VERIFY")
            times = []
            for _ in range(3):
                start = time.perf_counter()
                ours.sign(KeyId=key.id, Message=b"x", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
                times.append(time.perf_counter() - start)
            if number >= 0:  # the first rounds warm up
                differences.append(times[0] - statistics.median(times[1:]))
    took = statistics.median(differences) * 1e3
    return Row("First use of an RSA_4096 key, more than later ones", took, 5, "ms", f"{took / 5:.2f} of the limit")


# The fixture


def measure_entering() -> Row:
    """Time entering and leaving a fake."""
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        with fake_kms():
            pass
        times.append(time.perf_counter() - start)
    return Row("Entering and leaving a fake", statistics.median(times) * 1e6, 200, "µs", "fake_kms(), no client")


def measure_fixture(folder: Path) -> Row:
    """Time tests with the fixture, less the same tests with two fixtures that do nothing."""
    with_kms = suite(folder / "with_kms.py", "def test(number, kms): pass")
    without = suite(
        folder / "without_kms.py",
        "@pytest.fixture\ndef other(request): yield\n\n"
        "@pytest.fixture\ndef nothing(other): return other\n\n"
        "def test(number, nothing): pass",
    )
    differences = []
    for _ in range(FIXTURE_RUNS):
        # Without what is paid once: a run of a single test.
        costs = [run_suite(file, FIXTURE_TESTS) - run_suite(file, 1) for file in (with_kms, without)]
        differences.append((costs[0] - costs[1]) / (FIXTURE_TESTS - 1))
    return Row("Entering and leaving the fixture", statistics.median(differences) * 1e6, 200, "µs", "kms, in pytest")


# Whole suites, in processes of their own


def suite(file: Path, test: str, imports: str = "") -> Path:
    """Write a suite of one test, repeated as often as the environment says."""
    file.write_text(
        f"import os\n\nimport pytest\n{imports}\n\n"
        "def pytest_generate_tests(metafunc):\n"
        "    metafunc.parametrize('number', range(int(os.environ['BENCHMARK_TESTS'])))\n\n\n"
        f"{test}\n"
    )
    return file


def run_pytest(folder: Path, *arguments: str, tests: int = 1) -> float:
    """Run pytest on a folder of ours, and return the seconds that the process takes."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["BENCHMARK_TESTS"] = str(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", *arguments]
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603  # our own command
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return took


def run_suite(file: Path, tests: int) -> float:
    """Run a suite of so many tests, and return the seconds it takes."""
    return run_pytest(file.parent, file.name, tests=tests)


def measure_empty_suite(folder: Path) -> Iterator[Row]:
    """Compare a suite that never uses the plugin with the same suite without the plugin."""
    (folder / "test_nothing.py").write_text("def test_nothing(): pass\n")
    for _ in range(2):
        run_pytest(folder, "test_nothing.py")
    ours, bare = [], []
    for _ in range(SUITE_RUNS):
        ours.append(run_pytest(folder, "test_nothing.py"))
        bare.append(run_pytest(folder, "-p", "no:kms", "test_nothing.py"))
    more = min(ours) - min(bare)
    medians = statistics.median(ours) - statistics.median(bare)
    yield Row("Empty suite, more than with -p no:kms", more * 1e3, 10, "ms", f"{medians * 1e3:.1f} ms by medians")

    report = folder / "imported.json"
    (folder / "conftest.py").write_text(
        "import json, pathlib, sys\n\ndef pytest_unconfigure():\n"
        f"    pathlib.Path({str(report)!r}).write_text(json.dumps(sorted(sys.modules)))\n"
    )
    run_pytest(folder, "test_nothing.py")
    (folder / "conftest.py").unlink()
    imported = {"botocore", "boto3", "cryptography"}.intersection(json.loads(report.read_text()))
    yield Row(
        "Heavy imports in an empty suite",
        len(imported),
        0,
        "",
        ", ".join(sorted(imported)) or "botocore, boto3, cryptography",
    )


ROUND_TRIP = """
    key = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
"""
MAKE_CLIENT = "boto3.client('kms', region_name='us-east-1', aws_access_key_id='key', aws_secret_access_key='secret')"


def measure_against_moto(folder: Path) -> Iterator[Row]:
    """Compare tests that create a key, encrypt and decrypt with the same tests on moto."""
    ours = suite(
        folder / "on_pytest_kms.py",
        f"client = {MAKE_CLIENT}\n\ndef test(number, kms):{ROUND_TRIP}",
        "import boto3",
    )
    moto = suite(
        folder / "on_moto.py",
        "@pytest.fixture\ndef mocked():\n    with mock_aws():\n        yield\n\n"
        f"client = {MAKE_CLIENT}\n\ndef test(number, mocked):{ROUND_TRIP}",
        "import boto3\nfrom moto import mock_aws",
    )
    yield faster(ours, moto)


def faster(ours: Path, moto: Path) -> Row:
    """Compare the tests of two suites: their runs, less a run of a single test, which is the start of the process."""
    for file in (ours, moto):
        run_suite(file, 1)
    # Moto's one run stands between ours.
    whole = [run_suite(ours, TESTS) for _ in range(OUR_RUNS // 2)]
    whole_moto = run_suite(moto, TESTS)
    whole += [run_suite(ours, TESTS) for _ in range(OUR_RUNS - OUR_RUNS // 2)]
    one = statistics.median(run_suite(ours, 1) for _ in range(OUR_RUNS))
    one_moto = statistics.median(run_suite(moto, 1) for _ in range(OUR_RUNS))
    took = statistics.median(whole)
    alone = (whole_moto - one_moto) / (took - one)
    return Row(
        f"{TESTS} tests, faster than with moto",
        alone,
        20,
        "x",
        f"the start of the process left out; with it {whole_moto / took:.0f} x",
        least=True,
    )


# What a run leaves behind

REPORT_TESTS = 2_000
REPORT_RUNS = 15
LIMIT_OF_REPORTS = 1.05


def measure_reports() -> Iterator[Row]:
    """Compare a suite that asks for a summary, or a page, with the same suite without, in turns."""
    with tempfile.TemporaryDirectory() as name:
        file = suite(
            Path(name).resolve() / "with_reports.py",
            f"client = {MAKE_CLIENT}\n\ndef test(number, kms):{ROUND_TRIP}",
            "import boto3",
        )
        options = {"bare": (), "--kms-summary": ("--kms-summary",), "--kms-report": ("--kms-report=made.html",)}
        times: dict[str, list[float]] = {option: [] for option in options}
        for number in range(-1, REPORT_RUNS):
            turn = number % len(options)
            for option in [*options][turn:] + [*options][:turn]:
                took = run_pytest(file.parent, file.name, *options[option], tests=REPORT_TESTS)
                if number >= 0:  # the first round warms up
                    times[option].append(took)
        for option in [*options][1:]:
            ratios = [ours / bare for ours, bare in zip(times[option], times["bare"], strict=True)]
            more = (statistics.median(times[option]) - statistics.median(times["bare"])) / REPORT_TESTS
            yield Row(
                f"{REPORT_TESTS:,} tests with {option}, against without",
                statistics.median(ratios),
                LIMIT_OF_REPORTS,
                "x",
                f"{more * 1e6:.0f} µs more per test, {min(times[option]) / min(times['bare']):.3f} x by the fastest",
            )


# Failing


def measure_failing() -> Iterator[Row]:
    """Time calls that fail through all their retries, in each mode and for each kind of failure."""
    for mode, attempts in ATTEMPTS.items():
        retries: Any = {"mode": mode}
        config = Config(retries=retries)
        for error in ERRORS:
            times = []
            for number in range(-1, FAILING_CALLS):
                # Each has a client of its own, made beforehand: botocore's retries remember earlier failures.
                ours = client(config)
                with fake_kms() as kms:
                    kms.create_key(alias="alias/benchmark")
                    kms.fail("Encrypt", error, times=attempts)
                    start = time.perf_counter()
                    try:
                        ours.encrypt(KeyId="alias/benchmark", Plaintext=b"x")
                    except (BotoCoreError, ClientError):
                        took = time.perf_counter() - start
                    kms.assert_retried("Encrypt", error=error, times=attempts - 1)
                    if number >= 0:  # the first warms up
                        times.append(took)
            yield Row(
                f"A call that meets {attempts} x {error}, {mode} mode",
                statistics.median(times) * 1e3,
                20,
                "ms",
                f"at worst {max(times) * 1e3:.1f} ms",
            )


# Many keys


def seconds_to_list(operation: str, entries: str) -> Callable[[FakeKMS, KMSClient, int], float]:
    """Time a list, page by page as botocore asks for it, with so many keys that each have an alias."""

    def seconds(kms: FakeKMS, ours: Any, keys: int) -> float:
        for number in range(keys):
            kms.create_key(alias=f"alias/{number}")
        start = time.perf_counter()
        listed = sum(len(page[entries]) for page in ours.get_paginator(operation).paginate())
        took = time.perf_counter() - start
        if listed < keys:
            raise SystemExit(f"{operation} showed {listed} of {keys}")
        return took

    return seconds


def seconds_to_call(kms: FakeKMS, ours: KMSClient, keys: int) -> float:
    """Time so many calls of CreateKey, each with one of CreateAlias."""
    kms.quotas.off()
    start = time.perf_counter()
    for number in range(keys):
        key_id = ours.create_key()["KeyMetadata"]["KeyId"]
        ours.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
    return time.perf_counter() - start


def seconds_to_arrange(kms: FakeKMS, ours: KMSClient, keys: int) -> float:
    """Time the arranging of so many keys, each with an alias."""
    start = time.perf_counter()
    for number in range(keys):
        kms.create_key(alias=f"alias/{number}")
    return time.perf_counter() - start


def growth(what: str, seconds: Callable[[FakeKMS, KMSClient, int], float], few: int, many: int) -> Row:
    """Compare the time for each of many keys with that for each of few, in turns; the few as often as makes many."""
    ours, ratios, times = client(), [], []

    def of_each(keys: int) -> float:
        total = 0.0
        for _ in range(many // keys):
            with fake_kms() as kms:
                total += seconds(kms, ours, keys)
        return total / many

    for number in range(-1, ROUNDS_OF_MANY_KEYS):
        each = {keys: of_each(keys) for keys in ((few, many) if number % 2 else (many, few))}
        if number >= 0:  # the first round warms up
            ratios.append(each[many] / each[few])
            times.append(each[many])
    return Row(
        f"{what}, time per key with {many:,} keys against {few:,}",
        statistics.median(ratios),
        LIMIT_OF_GROWTH,
        "x",
        f"{statistics.median(times) * 1e6:.0f} µs per key",
    )


def measure_many_keys() -> Iterator[Row]:
    """Measure that time grows with the number of keys, and no faster."""
    yield growth("ListKeys, all pages", seconds_to_list("list_keys", "Keys"), 1_000, 10_000)
    yield growth("ListAliases, all pages", seconds_to_list("list_aliases", "Aliases"), 1_000, 10_000)
    yield growth("CreateKey and CreateAlias", seconds_to_call, 100, 1_000)
    yield growth("kms.create_key with an alias", seconds_to_arrange, 100, 1_000)


def measure_suites() -> Iterator[Row]:
    """Measure whole suites, and the fixture in one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        yield measure_fixture(folder)
        yield from measure_empty_suite(folder)
        yield from measure_against_moto(folder)


def measure_material() -> Iterator[Row]:
    """Measure the keys of every spec, and the making of their material."""
    yield measure_specs()
    yield measure_first_use()


def measure_fake() -> Iterator[Row]:
    """Measure the fake without calls."""
    yield measure_entering()


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "calls": measure_calls,
    "authorization": measure_authorization,
    "material": measure_material,
    "fake": measure_fake,
    "suites": measure_suites,
    "reports": measure_reports,
    "failing": measure_failing,
    "many-keys": measure_many_keys,
}
"""What is measured, in the order of the table."""


def machine() -> str:
    """Describe what all this was measured on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()},"
        f" botocore {botocore.__version__}"
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}"
    )
    options = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n| what | measured | limit | | |\n|---|---|---|---|---|\n")
    rows = []
    for part in options.only:
        for row in PARTS[part]():
            rows.append(row)
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
    if options.json:
        results = {"machine": machine(), "rows": [asdict(row) | {"passed": row.passed} for row in rows]}
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
