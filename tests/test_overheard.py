"""A test fails where a secret gets out of it: into output, logs, files, exceptions or requests to other services."""

from __future__ import annotations

import io
import logging
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import boto3.session
import botocore.handlers  # noqa: F401  # an inner run in this process is to be the first to import none of these
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from suites import outcomes

from pytest_kms import FakeKMS, engine, fake_kms, stub  # noqa: F401  # as above
from pytest_kms.overheard import Overheard, complaint

SECRET = b"correct horse battery"
HEAD = """
import logging
import pytest

SECRET = b"correct " + b"horse battery"
logger = logging.getLogger("app.vault")

@pytest.fixture(autouse=True)
def given(kms):
    kms.create_key("orders")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET)

"""
EXPECTED = "pytest-kms: expected no plaintext or data key of KMS to get out of the test; it is in 1 place."
CALL = ["What it is of:", "  1. Encrypt alias/orders -> ok"]
WHAT_NEXT = (
    "What to do: find what writes it there, which is not shown here on purpose. Where a test may write it, say"
    ' @pytest.mark.kms(leaks="ignore"), and kms.assert_no_plaintext_in(...) of what has to be free of it.'
)

Run: TypeAlias = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what runs a suite whose fake was given a secret."""

    def run(source: str, *arguments: str, leaks: str = "error") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\nkms_leaks = {leaks}\nkms_region = us-east-1\n")
        pytester.makepyfile(test_it=HEAD + textwrap.dedent(source))
        plugins = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        return pytester.runpytest_inprocess(*plugins, *arguments)

    return run


LEAKS = {
    "stdout": ("def test_one(kms):\n    print(SECRET)", "the captured stdout: Plaintext of call 1, as it is"),
    "stderr": (
        "def test_one(kms):\n    import sys\n    sys.stderr.write('1\\n' + SECRET.hex() + '\\n')",
        "the captured stderr, line 2: Plaintext of call 1, in hex",
    ),
    "capfd of a process": (
        "def test_one(kms):\n    import os\n    os.write(1, SECRET)",
        "the captured stdout: Plaintext of call 1, as it is",
    ),
    "log": (
        "def test_one(kms):\n    logger.warning('no')\n    logger.warning('%r', SECRET)",
        "log record 2 of logger app.vault: Plaintext of call 1, as it is",
    ),
    "log of a fixture": (
        "@pytest.fixture\ndef noisy(given):\n    logger.warning(SECRET)\n\ndef test_one(kms, noisy): ...",
        "log record 1 of logger app.vault: Plaintext of call 1, as it is",
    ),
    "file": (
        "def test_one(kms, tmp_path):\n    (tmp_path / 'a').mkdir()\n    (tmp_path / 'a' / 'b').write_bytes(SECRET)",
        "a/b: Plaintext of call 1, as it is",
    ),
    "thread": (
        "def test_one(kms):\n    import threading\n    thread = threading.Thread(target=logger.error, args=(SECRET,))\n"
        "    thread.start()\n    thread.join()",
        "log record 1 of logger app.vault: Plaintext of call 1, as it is",
    ),
    "fake of its own": (
        "import pytest_kms\ndef test_one(kms):\n    kms.reset()\n"
        "    with pytest_kms.fake_kms() as kms:\n        given_to(kms)\n"
        "    print(SECRET)\n\n"
        "def given_to(kms):\n    kms.create_key('orders')\n"
        "    kms.client.encrypt(KeyId='alias/orders', Plaintext=SECRET)",
        "the captured stdout: Plaintext of call 1, as it is",
    ),
}


@pytest.mark.parametrize(("source", "place"), LEAKS.values(), ids=LEAKS)
def test_a_leak_fails_the_test(run: Run, source: str, place: str) -> None:
    """In its own phase, line by line, and the secret is not in what is said of it."""
    result = run(source, "--show-capture=no")
    lines = result.outlines
    start = lines.index(EXPECTED)

    assert {"failed": 1} == outcomes(result)
    assert [EXPECTED, "Where it is:", f"  {place}", *CALL, WHAT_NEXT] == lines[start : start + 6]
    assert "correct horse" not in "\n".join(lines[start:])


def test_what_is_clean_passes(run: Run) -> None:
    """Also where the test has a directory, or has removed it, or calls nothing."""
    result = run(
        """
        import shutil

        def test_files(kms, tmp_path):
            (tmp_path / "a").write_bytes(b"...")

        def test_no_files(kms, tmp_path):
            shutil.rmtree(tmp_path)
            print("...")
        """
    )
    assert {"passed": 2} == outcomes(result)


def test_who_asks_for_nothing_is_asked_nothing(run: Run) -> None:
    """By default a leak is the test's own affair."""
    assert {"passed": 1} == outcomes(run("def test_one(kms):\n    print(SECRET)", leaks="ignore"))


def test_the_marker_says_what_the_ini_file_does_not(run: Run) -> None:
    """The closest wins."""
    source = """
    @pytest.mark.kms(leaks="error")
    class TestIt:
        def test_one(self, kms):
            print(SECRET)

        @pytest.mark.kms(leaks="ignore")
        def test_two(self, kms):
            print(SECRET)

    def test_three(kms):
        print(SECRET)
    """
    assert {"failed": 1, "passed": 2} == outcomes(run(source, leaks="ignore"))
    assert {"failed": 2, "passed": 1} == outcomes(run(source, leaks="error"))


def test_wrong_words_are_told(run: Run) -> None:
    """In the marker and in the ini file."""
    result = run("@pytest.mark.kms(leaks='warn')\ndef test_one(kms): ...")
    result.stdout.fnmatch_lines(["pytest-kms: leaks is one of 'error', 'ignore', not 'warn'"])
    result = run("def test_one(kms): ...", leaks="warn")
    result.stderr.fnmatch_lines(["ERROR: pytest-kms: kms_leaks is one of error, ignore"])


@pytest.mark.parametrize("end", ["pass", "assert False"])
def test_what_pytest_has_captured_is_not_shown_where_a_secret_is_in_it(
    run: Run, pytester: pytest.Pytester, end: str
) -> None:
    """Neither in the terminal nor in a JUnit file; the rest is."""
    result = run(
        f"""
        def test_one(kms):
            import sys
            print("fine")
            sys.stderr.write(SECRET.hex())
            logger.warning("%r", SECRET)
            {end}
        """,
        "--junitxml=junit.xml",
        "-o",
        "junit_logging=all",
    )

    told = result.stdout.str() + (pytester.path / "junit.xml").read_text()
    assert SECRET.decode() not in told
    assert SECRET.hex() not in told
    lines = result.outlines
    for name, text in {"stdout": "fine", "stderr": LEFT_OUT, "log": LEFT_OUT}.items():
        start = next(number for number, line in enumerate(lines) if line.strip("-") == f" Captured {name} call ")
        assert text == lines[start + 1]


LEFT_OUT = "left out by pytest-kms: a plaintext or data key of KMS is in it"


def test_a_test_that_fails_anyway_keeps_its_own_reason(run: Run) -> None:
    """The leak is told in a section; the exception's own text is looked at, too."""
    result = run("def test_one(kms):\n    print(SECRET)\n    raise ValueError('7', SECRET)", "--show-capture=all")
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.strip("-") == " Captured kms leaks call ")

    assert {"failed": 1} == outcomes(result)
    assert [
        "pytest-kms: expected no plaintext or data key of KMS to get out of the test; it is in 2 places.",
        "Where it is:",
        "  the captured stdout: Plaintext of call 1, as it is",
        "  the exception that the test ended with, ValueError: Plaintext of call 1, as it is",
        *CALL,
    ] == lines[start + 1 : start + 7]


def test_other_verdicts_come_first(run: Run) -> None:
    """All are told together."""
    result = run("def test_one(kms):\n    kms.throttle('Encrypt')\n    print(SECRET)", "--show-capture=no")
    result.stdout.fnmatch_lines(
        ["pytest-kms: faults were ordered and never used: *", "pytest-kms: expected no plaintext or data key *"]
    )


def test_what_is_written_after_the_test_is_not_its_leak(run: Run) -> None:
    """Nor what the next test writes, if it does not know the secret."""
    assert {"passed": 2} == outcomes(
        run(
            """
            @pytest.fixture
            def late(given):
                yield
                print(SECRET)
                logger.error(SECRET)

            def test_one(kms, late): ...
            def test_two(kms): ...
            """
        )
    )


def test_a_test_without_a_fake_leaks_nothing(run: Run, pytester: pytest.Pytester) -> None:
    """There is no secret to search for."""
    pytester.makepyfile(test_other="def test_one():\n    print('correct horse battery')\n")
    assert {"passed": 2} == outcomes(run("def test_one(kms): ...", "test_it.py", "test_other.py"))


# requests to other services


@pytest.fixture
def heard() -> Iterator[Overheard]:
    """Listen."""
    before = stub.overhear
    overheard = Overheard()
    yield overheard
    overheard.close()
    assert before is stub.overhear


@pytest.fixture
def s3(kms: FakeKMS, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of another service, and let KMS be given a secret."""
    kms.create_key("orders")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET)
    session = boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")
    client: Any = session.client("s3", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register_first("before-send.s3", answer)
    return client


def answer(request: Any, **_: Any) -> Any:
    """Answer in place of S3, and read the body as a server does."""
    from botocore.awsrequest import AWSResponse

    if hasattr(request.body, "read"):
        request.body.read()

    class Raw(io.BytesIO):
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.read()

    headers: Any = {}
    return AWSResponse(request.url, 200, headers, Raw(b""))


class Once(io.RawIOBase):
    """A stream that can be read but once."""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it cannot go back."""
        return False


BODIES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "bytes": (
        {"Body": b"..." + SECRET},
        ["request 1 to other services, PutObject of s3, body: Plaintext of call 1, as it is"],
    ),
    "file": (
        {"Body": io.BytesIO(b"..." + SECRET)},
        ["request 1 to other services, PutObject of s3, body: Plaintext of call 1, as it is"],
    ),
    "header": (
        {"Metadata": {"key": SECRET.hex()}},
        ["request 1 to other services, PutObject of s3, header x-amz-meta-key: Plaintext of call 1, in hex"],
    ),
    "URL": (
        {"Key": SECRET.hex()},
        ["request 1 to other services, PutObject of s3, URL: Plaintext of call 1, in hex"],
    ),
    "clean": ({"Body": b"..."}, []),
}


@pytest.mark.parametrize(("members", "places"), BODIES.values(), ids=BODIES)
def test_requests_to_other_services_are_searched(
    kms: FakeKMS, s3: Any, heard: Overheard, members: dict[str, Any], places: list[str]
) -> None:
    """Their URLs, headers and bodies; those to KMS are what KMS is for."""
    s3.put_object(**{"Bucket": "shop", "Key": "7", **members})
    kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET)

    told = complaint([kms.world], heard, {})
    lines = told.splitlines()[2:-3] if told else []
    assert [f"  {place}" for place in places] == lines


def test_what_a_stubber_answers_is_searched(kms: FakeKMS, s3: Any, heard: Overheard) -> None:
    """botocore's Stubber takes requests before they are sent; a stubber of KMS is let alone."""
    session = boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")
    sns, stubbed = session.client("sns", region_name="us-east-1"), session.client("kms", region_name="us-east-1")
    with Stubber(sns) as stubber:
        stubber.add_response("publish", {"MessageId": "7"})
        sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:shop", Message=SECRET.decode())
    with Stubber(stubbed) as stubber:
        stubber.add_response("encrypt", {"CiphertextBlob": b"..."})
        stubbed.encrypt(KeyId="alias/orders", Plaintext=SECRET)

    told = complaint([kms.world], heard, {})
    assert told is not None
    assert [
        "  request 1 to other services, Publish of sns, body: Plaintext of call 1, escaped, as in JSON or a URL"
    ] == told.splitlines()[2:-3]


def test_stubbers_are_left_as_they_were() -> None:
    """Nothing of the search stays in botocore."""
    before = vars(Stubber)["_get_response_handler"]
    Overheard().close()
    assert before is vars(Stubber)["_get_response_handler"]


def test_log_records_are_kept_as_they_were(kms: FakeKMS, s3: Any, heard: Overheard) -> None:
    """What an application clears behind itself was logged all the same."""
    facts = [SECRET.hex()]
    logging.getLogger("app.vault").warning("key %s", facts)
    facts.clear()

    told = complaint([kms.world], heard, {})
    assert told is not None
    assert ["  log record 1 of logger app.vault: Plaintext of call 1, in hex"] == told.splitlines()[2:-3]


def test_what_cannot_show_itself_is_no_failure_of_who_logs_it(
    kms: FakeKMS, s3: Any, heard: Overheard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts among the records."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("app.vault").warning("no", extra={"facts": Broken()})
    logging.getLogger("app.vault").warning(SECRET.hex())

    told = complaint([kms.world], heard, {})
    assert told is not None
    assert ["  log record 2 of logger app.vault: Plaintext of call 1, in hex"] == told.splitlines()[2:-3]


def test_bodies_of_all_kinds_are_read() -> None:
    """What can be read but once stays unread."""
    from pytest_kms import overheard

    read = overheard._content  # noqa: SLF001
    assert [b"a", b"a", b"a", b"", b""] == [read("a"), read(b"a"), read(io.StringIO("a")), read(None), read(Once())]


def test_who_has_not_asked_hears_nothing(s3: Any) -> None:
    """Requests are not kept where nobody looks for leaks."""
    assert stub.overhear is None
    s3.put_object(Bucket="shop", Key="7")


def test_header_values_are_read_as_bytes_or_texts(kms: FakeKMS, s3: Any, heard: Overheard) -> None:
    """botocore has both."""
    s3.put_object(Bucket="shop", Key="7")
    assert any(part.place.endswith("header User-Agent") and b"oto3" in part.content for part in heard.parts())


def test_there_is_nothing_to_say_without_secrets(heard: Overheard) -> None:
    """A fake that was given none is in order."""
    with fake_kms() as kms:
        assert complaint([kms.world], heard, {"stdout": "..."}) is None


# nothing of ours shows a secret

SHOWN = """
def test_comparison(kms):
    key = kms.create_key("mine", material=SECRET.ljust(32, b"."))
    event = kms.trail.last
    enclave = None
    service = kms.service("s3")
    stored = service.store(key, "shop/7", SECRET)
    principal = kms.principal("role/app")
    told, world, material = kms.trail._told, kms.world, key.current_material
    things = [key, event, kms, kms.trail, told, world, material, service, stored, principal, kms.unused_faults()]
    assert things == [kms.create_key(), kms.trail[0], None, [], told[:1], world, key, service, 7, principal, []]

def test_each(kms):
    key, other = (kms.create_key(material=SECRET.ljust(32, letter)) for letter in (b".", b","))
    assert key == other

def test_material(kms):
    key, other = (kms.create_key(material=SECRET.ljust(32, letter)) for letter in (b".", b","))
    assert key.current_material == other.current_material

def test_events(kms):
    kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET + b"2")
    assert kms.trail[0] == kms.trail[1]

def test_an_error_on_the_way(kms):
    blob = kms.encrypt("alias/orders", SECRET)
    kms.fail("Decrypt", "ReadTimeoutError", times=9)
    kms.client.decrypt(CiphertextBlob=blob)

def test_refused(kms):
    blob = kms.encrypt("alias/orders", SECRET, {"tenant": "a"})
    kms.client.decrypt(CiphertextBlob=blob)

def test_misused(kms):
    kms.encrypt("alias/none", given_in_secret())

def given_in_secret():
    return SECRET

def test_wrong_type(kms):
    kms.assert_no_plaintext_in(object())
"""


@pytest.mark.parametrize("options", [(), ("-vv",), ("-vv", "--showlocals"), ("-vv", "--showlocals", "--tb=short")])
def test_no_report_of_ours_shows_a_secret(run: Run, options: tuple[str, ...]) -> None:
    """Neither in a comparison nor in a local variable; what the test's own code holds is kept out of its reach here."""
    result = run(SHOWN, *options, "-rN", leaks="ignore")
    text = result.stdout.str()

    assert {"failed": 8} == outcomes(result)
    for form in ("correct horse", SECRET.hex(), "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"):
        assert form not in text, [line for line in text.splitlines() if form in line]
