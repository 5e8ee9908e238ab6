"""Measure what pytest-kms costs: `python tests/benchmarks/benchmark.py [--json FILE]`.

Everything is compared with something else that is measured in the same run, in turns, so that the ratios hold
on any machine. Prints a Markdown table, and ends with exit status 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_kms import fake_kms, stub

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from pytest_kms import FakeKMS

ROUNDS = 80
CALLS_A_ROUND = 30
SUITE_RUNS = 25
FIXTURE_RUNS = 7
FIXTURE_TESTS = 1000
THROTTLED_CALLS = 15
TESTS = 500
OUR_RUNS = 5
OPERATIONS = ("encrypt", "decrypt", "generate_data_key", "create_key")
NAMES = {
    "encrypt": "Encrypt",
    "decrypt": "Decrypt",
    "generate_data_key": "GenerateDataKey",
    "create_key": "CreateKey",
}
LIMITS = {"encrypt": 1.15, "decrypt": 1.15, "generate_data_key": 1.15, "create_key": 1.3}
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}


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


def client(config: Config | None = None) -> KMSClient:
    """Make a client as an application would."""
    return boto3.client(
        "kms", region_name="us-east-1", config=config, aws_access_key_id="key", aws_secret_access_key="secret"
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
    """A client whose calls go all the way through botocore, to a handler that answers a constant."""

    def __init__(self) -> None:
        self.answer = Answer(200, {}, b"{}")
        stub.install()  # before the client is made: a client that exists already would be reached later
        self.client = client()
        events: Any = self.client.meta.events
        for event, handler in stub.HANDLERS:
            events.unregister(event, handler)
        events.register("before-send.kms", self._send)
        with fake_kms() as kms:
            self.client.create_key()
            kms.assert_not_called("CreateKey")

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        answer = self.answer
        raw: Any = _Raw(answer.body)
        headers: Any = answer.headers
        return AWSResponse(request.url, answer.status, headers, raw)


def answers_of_the_fake() -> dict[str, Answer]:
    """Take down what the fake answers to each operation."""
    answers: dict[str, Answer] = {}

    def note(response_dict: Any, **_: Any) -> None:
        headers = dict(response_dict["headers"].items())
        answers[operation] = Answer(response_dict["status_code"], headers, bytes(response_dict["body"]))

    probe = client()
    probe.meta.events.register("response-received.kms", note)
    with fake_kms() as kms:
        for operation, arguments in arguments_for(kms).items():
            getattr(probe, operation)(**arguments)
    return answers


def arguments_for(kms: FakeKMS) -> dict[str, dict[str, Any]]:
    """Arrange a key in a fake, and give the calls that are measured on it."""
    context = {"tenant": "acme"}
    key = kms.create_key(alias="alias/benchmark")
    return {
        "encrypt": {"KeyId": "alias/benchmark", "Plaintext": b"x" * 32, "EncryptionContext": context},
        "decrypt": {"CiphertextBlob": kms.encrypt(key, b"x" * 32, context), "EncryptionContext": context},
        "generate_data_key": {"KeyId": "alias/benchmark", "KeySpec": "AES_256", "EncryptionContext": context},
        "create_key": {},
    }


def seconds_of(call: Callable[..., Any], arguments: dict[str, Any]) -> float:
    """Return the median time of some calls."""
    times = []
    for _ in range(CALLS_A_ROUND):
        start = time.perf_counter()
        call(**arguments)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure_calls() -> Iterator[Row]:
    """Compare calls with the floor, in small rounds that take turns, each with a new fake, as tests have."""
    ours, floor = client(), Floor()
    answers = answers_of_the_fake()
    ratios: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}
    overheads: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}
    for number in range(-5, ROUNDS):
        with fake_kms() as kms:
            kms.quotas["CreateKey"] = 1_000_000
            for operation, arguments in arguments_for(kms).items():
                floor.answer = answers[operation]
                sides = [(ours, "fake"), (floor.client, "floor")]
                times = {
                    name: seconds_of(getattr(side, operation), arguments)
                    for side, name in (sides if number % 2 else reversed(sides))
                }
                if number >= 0:  # the first rounds warm up
                    ratios[operation].append(times["fake"] / times["floor"])
                    overheads[operation].append(times["fake"] - times["floor"])
    for operation, values in ratios.items():
        overhead = statistics.median(overheads[operation]) * 1e6
        yield Row(
            f"{NAMES[operation]}, against the floor",
            statistics.median(values),
            LIMITS[operation],
            "x",
            f"{overhead:.0f} µs more than the floor",
        )


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


# Throttling


def measure_throttling() -> Iterator[Row]:
    """Time calls that are throttled through all their retries."""
    for mode, attempts in ATTEMPTS.items():
        retries: Any = {"mode": mode}
        config = Config(retries=retries)
        times = []
        for number in range(-1, THROTTLED_CALLS):
            # Each has a client of its own, made beforehand: botocore's retries remember earlier failures.
            ours = client(config)
            with fake_kms() as kms:
                kms.create_key(alias="alias/benchmark")
                kms.throttle(times=attempts)
                start = time.perf_counter()
                try:
                    ours.encrypt(KeyId="alias/benchmark", Plaintext=b"x")
                except ClientError:
                    took = time.perf_counter() - start
                kms.assert_throttled("Encrypt", times=attempts)
                if number >= 0:  # the first warms up
                    times.append(took)
        yield Row(
            f"A call throttled through {attempts} attempts, {mode} mode",
            statistics.median(times) * 1e3,
            20,
            "ms",
            f"at worst {max(times) * 1e3:.1f} ms",
        )


def measure() -> Iterator[Row]:
    """Measure everything, in the order of the table."""
    yield from measure_calls()
    yield measure_entering()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        yield measure_fixture(folder)
        yield from measure_empty_suite(folder)
        yield from measure_against_moto(folder)
    yield from measure_throttling()


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
    options = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n| what | measured | limit | | |\n|---|---|---|---|---|\n")
    rows = []
    for row in measure():
        rows.append(row)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
    if options.json:
        results = {"machine": machine(), "rows": [asdict(row) | {"passed": row.passed} for row in rows]}
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
