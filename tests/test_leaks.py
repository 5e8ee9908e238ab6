"""Secrets are found in whatever a test has at hand, in all forms, and never shown."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import logging
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pytest_kms import FakeKMS, Key, UsageError, fake_kms

SECRET = b"correct horse \xff'\"/? battery"
BINARY = b"\x00\xff\xfb\xef\xbf\\'\"\n\xe9\x7f"
TEXT = 'correct "h\u00f6rse" battery'
LOGGER = logging.getLogger("app.vault")


@pytest.fixture
def key(kms: FakeKMS) -> Key:
    """Return a key."""
    return kms.create_key("orders")


@pytest.fixture
def secret(kms: FakeKMS, key: Key) -> bytes:
    """Return a plaintext that KMS was given."""
    kms.client.encrypt(KeyId=key.id, Plaintext=SECRET)
    return SECRET


def failure(kms: FakeKMS, *things: object) -> list[str]:
    """Return what is said of things with secrets in them."""
    with pytest.raises(AssertionError) as excinfo:
        kms.assert_no_plaintext_in(*things)
    return str(excinfo.value).splitlines()


def places(kms: FakeKMS, *things: object) -> list[str]:
    """Return where secrets are."""
    lines = failure(kms, *things)
    return [line.strip() for line in lines[2 : lines.index("What it is of:")]]


def base64_within(before: int, read: Callable[[bytes], bytes] = base64.b64encode) -> bytes:
    """Write a longer text in base64, with the secret somewhere."""
    return read(b"x" * before + SECRET + b"yz").rstrip(b"=")


# what is said


def test_the_failure_says_where_and_never_what(kms: FakeKMS, key: Key) -> None:
    """Line by line: what was expected, where it is and how, which calls it is of, what to do."""
    first = kms.client.generate_data_key(KeyId=key.id, KeySpec="AES_256")["Plaintext"]
    kms.client.encrypt(KeyId=key.id, Plaintext=SECRET, EncryptionContext={"order": "7"})

    assert [
        "pytest-kms: expected no plaintext in what was given; it is in 3 places.",
        "Where it is:",
        "  argument 1, byte 3: Plaintext of call 2, as it is",
        "  argument 2['keys'][1]: Plaintext of call 1, in hex",
        "  argument 2['body'], line 2: Plaintext of call 2, as Python shows bytes",
        "What it is of:",
        "  1. GenerateDataKey alias/orders -> ok",
        "  2. Encrypt alias/orders {order: 7} -> ok",
        "What to do: find what writes it there. What is there is not shown here on purpose; kms.trail has the calls,"
        " without secrets.",
    ] == failure(kms, b"..." + SECRET, {"keys": ["...", first.hex()], "body": f"\n{SECRET!r}", "other": 7})


def test_the_first_places_of_many_are_shown(kms: FakeKMS, secret: bytes) -> None:
    """And how many more there are."""
    lines = failure(kms, [secret] * 13)
    assert "pytest-kms: expected no plaintext in what was given; it is in 13 places." == lines[0]
    assert ["  the argument[9]: Plaintext of call 1, as it is", "  ... and in 3 more"] == lines[11:13]


def test_one_place_is_one(kms: FakeKMS, secret: bytes) -> None:
    """In the singular."""
    assert "pytest-kms: expected no plaintext in what was given; it is in 1 place." == failure(kms, secret)[0]


def test_nothing_found_is_as_expected(kms: FakeKMS, secret: bytes, tmp_path: Path) -> None:
    """Also of what is nearly a secret."""
    (tmp_path / "log").write_bytes(secret[1:])
    kms.assert_no_plaintext_in("", secret[:-1], {"a": [None, 1, 1.5, True, dt.date(2026, 1, 1)]}, {"b"}, tmp_path)


# what is a secret


def decrypted(kms: FakeKMS, key: Key) -> list[bytes]:
    """Decrypt."""
    return [kms.client.decrypt(CiphertextBlob=kms.encrypt(key, SECRET))["Plaintext"]]


def pair(kms: FakeKMS, key: Key) -> list[bytes]:
    """Make a data key pair."""
    return [kms.client.generate_data_key_pair(KeyId=key.id, KeyPairSpec="ECC_NIST_P256")["PrivateKeyPlaintext"]]


def shared(kms: FakeKMS, _: Key) -> list[bytes]:
    """Derive a secret."""
    mine, theirs = (kms.create_key(spec="ECC_NIST_P256", usage="KEY_AGREEMENT") for _ in range(2))
    answer = kms.client.derive_shared_secret(KeyId=mine.id, KeyAgreementAlgorithm="ECDH", PublicKey=theirs.public_key)
    return [answer["SharedSecret"]]


def given_in_vain(kms: FakeKMS, key: Key) -> list[bytes]:
    """Give a plaintext to a call that fails."""
    key.state = "Disabled"
    with pytest.raises(ClientError):
        kms.client.encrypt(KeyId=key.id, Plaintext=SECRET)
    return [SECRET]


@pytest.mark.parametrize("hand_out", [decrypted, pair, shared, given_in_vain])
def test_secrets_are_what_was_given_and_handed_out(
    kms: FakeKMS, key: Key, hand_out: Callable[[FakeKMS, Key], list[bytes]]
) -> None:
    """Plaintexts, data keys, private keys and shared secrets."""
    for secret in hand_out(kms, key):
        assert [f"the argument: {member_of(kms)}, as it is"] == places(kms, secret)


def member_of(kms: FakeKMS) -> str:
    """Name the member and the call of the last secret."""
    members = {"GenerateDataKeyPair": "PrivateKeyPlaintext", "DeriveSharedSecret": "SharedSecret"}
    return f"{members.get(kms.trail.last.operation, 'Plaintext')} of call {len(kms.trail)}"


def test_random_bytes_and_public_things_are_no_secrets(kms: FakeKMS, secret: bytes) -> None:
    """What is done with random bytes, KMS does not know; ciphertexts and public keys may be anywhere."""
    random = kms.client.generate_random(NumberOfBytes=32)["Plaintext"]
    blob = kms.client.encrypt(KeyId="alias/orders", Plaintext=SECRET)
    kms.assert_no_plaintext_in(random, blob)


def test_a_retried_call_has_one_number(kms: FakeKMS, key: Key) -> None:
    """And a secret of several calls is that of the first."""
    kms.client.list_keys()
    kms.throttle("Encrypt", times=2)
    kms.client.encrypt(KeyId=key.id, Plaintext=SECRET)
    kms.client.encrypt(KeyId=key.id, Plaintext=SECRET)
    assert ["the argument: Plaintext of call 2, as it is"] == places(kms, SECRET)


# what is said of calls that look for nothing


def test_an_assertion_that_looks_for_nothing_is_a_mistake(kms: FakeKMS, key: Key) -> None:
    """It would prove nothing."""
    with pytest.raises(UsageError) as excinfo:
        kms.assert_no_plaintext_in("x")
    assert "pytest-kms: there is no plaintext to look for: KMS was given and handed out none" == str(excinfo.value)
    kms.client.encrypt(KeyId=key.id, Plaintext=b"7 bytes")
    with pytest.raises(UsageError) as excinfo:
        kms.assert_no_plaintext_in("x")
    assert (
        "pytest-kms: there is no plaintext to look for: KMS was given and handed out only some of less than 8 bytes"
    ) == str(excinfo.value)


def test_an_assertion_about_nothing_is_a_mistake(kms: FakeKMS) -> None:
    """Something has to be looked into."""
    with pytest.raises(UsageError, match="pytest-kms: assert_no_plaintext_in takes at least one thing to look into"):
        kms.assert_no_plaintext_in()


def test_what_cannot_be_looked_into_is_refused(kms: FakeKMS, secret: bytes, tmp_path: Path) -> None:
    """Silence would be taken for a proof."""
    with pytest.raises(UsageError) as excinfo:
        kms.assert_no_plaintext_in({"a": object()})
    assert (
        "pytest-kms: the argument['a'], of the type object, is nothing that can be looked into. What can: texts, bytes,"
        " pathlib.Path, open files, mappings, lists, exceptions, caplog, capsys.readouterr()."
    ) == str(excinfo.value)
    with pytest.raises(UsageError, match="pytest-kms: there is no file or directory .*missing"):
        kms.assert_no_plaintext_in(tmp_path / "missing")


# forms

FORMS: dict[str, tuple[bytes, str]] = {
    "raw": (b"x" + SECRET + b"x", "as it is"),
    "repr": (repr({"Plaintext": SECRET}).encode(), "as Python shows bytes"),
    "repr of repr": (repr([repr(SECRET)]).encode(), "as Python shows bytes"),
    "URL": (quote(SECRET).encode(), "escaped, as in JSON or a URL"),
    "hex": (b"x" + SECRET.hex().encode(), "in hex"),
    "HEX": (SECRET.hex().upper().encode(), "in hex"),
    "MIME": (b"-\n" + base64.encodebytes(b"x" * 50 + SECRET), "in base64, on several lines"),
    "PEM in JSON": (
        json.dumps(base64.encodebytes(b"x" * 50 + SECRET).decode()).encode(),
        "in base64, on several lines",
    ),
    "hex with colons": (SECRET.hex(":").encode(), "in hex"),
    "hex dump": (b"0: " + SECRET.hex(" ", 2).encode(), "in hex"),
    "hex on several lines": (b"\n  ".join([SECRET.hex()[:10].encode(), SECRET.hex()[10:].encode()]), "in hex"),
    "base64 indented": (base64.encodebytes(b"x" * 50 + SECRET).replace(b"\n", b"\n    "), "in base64"),
    "base64 in a URL": (quote_plus(base64.b64encode(b"\xfb\xff" + BINARY)).encode(), "in base64"),
    "base64 with slashes escaped": (base64.b64encode(b"\xff" + BINARY).replace(b"/", rb"\/"), "in base64"),
    "repr in JSON": (json.dumps(repr(BINARY)).encode(), "escaped, as in JSON or a URL"),
    "URL in lower case": (quote(BINARY).lower().encode(), "escaped, as in JSON or a URL"),
    "letters": (BINARY.decode("latin-1").encode(), "with a letter for each byte"),
    "letters in JSON": (json.dumps(BINARY.decode("latin-1")).encode(), "escaped, as in JSON or a URL"),
    **{f"base64 {n}": (base64_within(n), "in base64") for n in range(7)},
    **{f"urlsafe {n}": (base64_within(n, base64.urlsafe_b64encode), "in base64") for n in range(7)},
}


@pytest.mark.parametrize(("content", "form"), FORMS.values(), ids=FORMS)
def test_a_secret_is_found_in_every_form(kms: FakeKMS, secret: bytes, content: bytes, form: str) -> None:
    """Whatever is around it."""
    kms.client.encrypt(KeyId=kms.trail.last.key or "", Plaintext=BINARY)
    [place] = places(kms, content)
    assert place.endswith(f", {form}")


TEXTS = {
    "JSON": json.dumps({"a": TEXT}),
    "JSON with all letters": json.dumps({"a": TEXT}, ensure_ascii=False),
    "repr": repr([TEXT + "'"]),
    "ASCII alone": ascii([TEXT]),
    "JSON within JSON": json.dumps([json.dumps({"a": TEXT})]),
    "JSON beyond the first plane": json.dumps("\U0001f600" + TEXT),
    "repr of that in JSON": json.dumps(ascii("\U0001f600" + TEXT + "'")),
    "repr beyond the first plane": ascii("\U0001f600" + TEXT + "'"),
    "form": "a=correct+%22h%C3%B6rse%22+battery",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_found_with_its_letters_escaped(kms: FakeKMS, key: Key, text: str) -> None:
    """As JSON, Python and HTML forms do."""
    kms.client.encrypt(KeyId=key.id, Plaintext=TEXT.encode())
    [place] = places(kms, text)
    assert place.startswith("the argument: Plaintext of call 1, ")


@given(
    secret=st.binary(min_size=8, max_size=40),
    before=st.binary(max_size=9),
    behind=st.binary(max_size=9),
    data=st.data(),
)
def test_any_secret_is_found_at_any_place_and_never_told(
    secret: bytes, before: bytes, behind: bytes, data: st.DataObject
) -> None:
    """In each form, within whatever was written together with it."""
    write = data.draw(st.sampled_from(list(WRITERS.values())))
    with fake_kms(quotas=False) as kms:
        key = kms.create_key("orders")
        kms.client.encrypt(KeyId=key.id, Plaintext=secret)
        told = "\n".join(failure(kms, b"> " + write(before + secret + behind) + b" <"))
        kms.assert_no_plaintext_in(told)


WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "letters": lambda content: content.decode("latin-1").encode(),
    "hex": lambda content: content.hex().encode(),
    "upper hex": lambda content: content.hex().upper().encode(),
    "hex with colons": lambda content: content.hex(":").encode(),
    "base64": base64.b64encode,
    "url-safe base64": base64.urlsafe_b64encode,
    "base64 without padding": lambda content: base64.b64encode(content).rstrip(b"="),
    "base64 on lines": base64.encodebytes,
    "base64 in a URL": lambda content: quote_plus(base64.b64encode(content)).encode(),
    "repr": lambda content: repr(content).encode(),
    "URL": lambda content: quote(content).encode(),
    "form": lambda content: quote_plus(content).encode(),
}


def test_the_place_is_that_in_the_original(kms: FakeKMS, secret: bytes) -> None:
    """Also where it is found only without escapes, or without what stands between."""
    kms.client.encrypt(KeyId=kms.trail.last.key or "", Plaintext=BINARY)
    escaped = b"%0A\n" + quote_plus(base64.b64encode(b"\xff" + BINARY)).encode()
    dumped = b"00 01\n02 03\n" + secret.hex(" ").encode() + b"\n"
    bytes_before = b"\xff" + json.dumps(" " + repr(BINARY)).encode()
    assert [
        "argument 1, line 2: Plaintext of call 2, in base64",
        "argument 2, line 3: Plaintext of call 1, in hex",
        "argument 3, byte 5: Plaintext of call 2, escaped, as in JSON or a URL",
    ] == places(kms, escaped, dumped, bytes_before)


def test_a_secret_within_the_line_of_a_call_is_left_out(kms: FakeKMS, key: Key) -> None:
    """Whoever puts a plaintext into the encryption context is not told it once more."""
    kms.client.encrypt(KeyId=key.id, Plaintext=TEXT.encode(), EncryptionContext={"password": TEXT})
    lines = failure(kms, TEXT)
    assert "  1. Encrypt of something whose name holds a secret" in lines
    assert TEXT not in "\n".join(lines)


def test_a_collection_within_itself_is_looked_into_once(kms: FakeKMS, secret: bytes) -> None:
    """It ends."""
    things: list[object] = [secret]
    things.append({"again": things})
    assert ["the argument[0]: Plaintext of call 1, as it is"] == places(kms, things)


def test_a_log_record_whose_arguments_do_not_fit_is_looked_at(kms: FakeKMS, secret: bytes) -> None:
    """logging has told of them already."""
    record = logging.LogRecord("vault", logging.INFO, "vault.py", 7, "no place", (secret.hex(),), None)
    assert ["the argument: Plaintext of call 1, in hex"] == places(kms, record)


def test_the_line_is_that_of_the_content(kms: FakeKMS, secret: bytes) -> None:
    """Also of base64 that goes over several lines, and of the first of several places."""
    lines = f"1\n2\n{SECRET.hex()}\n{SECRET.hex()}\n"
    folded = "1\n\n" + base64.encodebytes(b"x" * 50 + SECRET).decode() + "7\n"
    assert [
        "argument 1, line 3: Plaintext of call 1, in hex",
        "argument 2, line 3: Plaintext of call 1, in base64, on several lines",
        "argument 3, byte 5: Plaintext of call 1, as it is",
    ] == places(kms, lines, folded, b"\0\n\xff\n\n" + secret)


# things


def test_files_and_directories_are_read(kms: FakeKMS, secret: bytes, tmp_path: Path) -> None:
    """All of them, and their names."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log").write_text(f"1\n2\nkey={secret.hex()}\n")
    (tmp_path / secret.hex()).write_text("")
    (tmp_path / "clean").write_bytes(b"")

    assert [
        "something whose name holds a secret: Plaintext of call 1, in hex",
        "logs/app.log, line 3: Plaintext of call 1, in hex",
    ] == places(kms, tmp_path)
    assert ["app.log, line 3: Plaintext of call 1, in hex"] == places(kms, tmp_path / "logs" / "app.log")


def test_open_files_are_read_and_left_as_they_are(kms: FakeKMS, secret: bytes, tmp_path: Path) -> None:
    """Those that cannot go back are read to their end."""
    stream = io.BytesIO(b"x" + secret)
    stream.seek(3)
    assert ["the argument, byte 1: Plaintext of call 1, as it is"] == places(kms, stream)
    assert 3 == stream.tell()

    (tmp_path / "f").write_text(secret.hex())
    with (tmp_path / "f").open() as file:
        assert ["f: Plaintext of call 1, in hex"] == places(kms, file)

    class Once:
        def read(self) -> str:
            return secret.hex()

    assert ["the argument: Plaintext of call 1, in hex"] == places(kms, Once())


def test_names_within_mappings_are_looked_at(kms: FakeKMS, secret: bytes) -> None:
    """What is behind a name that is a secret is told without it."""
    hexadecimal = secret.hex()
    assert [
        "a key of the argument: Plaintext of call 1, in hex",
        "something whose name holds a secret: Plaintext of call 1, in hex",
    ] == places(kms, {hexadecimal: hexadecimal})


def test_captured_output_is_looked_at(kms: FakeKMS, secret: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of its two parts."""
    print(f"{secret!r}")  # noqa: T201
    assert ["the argument.out: Plaintext of call 1, as Python shows bytes"] == places(kms, capsys.readouterr())
    pair = namedtuple("pair", "a b")
    assert ["the argument.b: Plaintext of call 1, as it is"] == places(kms, pair("", secret))


def test_log_records_are_looked_at(kms: FakeKMS, secret: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Message, exception and extra facts; `caplog` has them all."""
    LOGGER.warning("nothing")
    LOGGER.warning("got %s", secret.hex())
    try:
        fail(secret)
    except ValueError:
        LOGGER.exception("failed", extra={"blob": secret, "size": 7})
    LOGGER.error("no exception", exc_info=True)

    expected = [
        "log record 2 of logger app.vault: Plaintext of call 1, in hex",
        "log record 3 of logger app.vault, its exception, ValueError: Plaintext of call 1, as Python shows bytes",
        "log record 3 of logger app.vault, blob: Plaintext of call 1, as it is",
    ]
    assert expected == places(kms, caplog)
    assert ["the argument[0]: Plaintext of call 1, in hex"] == places(kms, [caplog.records[1]])


def fail(secret: bytes) -> NoReturn:
    """Raise an exception that tells a secret."""
    raise ValueError(secret, 7)


class Quiet(Exception):
    """An exception that does not show its arguments."""

    def __str__(self) -> str:
        return "quiet"


def test_exceptions_are_looked_at_with_what_they_came_of(kms: FakeKMS, secret: bytes) -> None:
    """Their texts and arguments; the lines of source in a traceback are none of them."""
    error: Any = None
    try:
        try:
            fail(secret)
        except ValueError as cause:
            raise Quiet(secret, [secret]) from cause
    except Quiet as quiet:
        error = quiet

    assert [
        "the argument, Quiet: Plaintext of call 1, as it is",
        "the argument, Quiet: Plaintext of call 1, as Python shows bytes",
        "the argument, ValueError: Plaintext of call 1, as Python shows bytes",
    ] == places(kms, error)


# nothing of ours shows a secret


def test_what_is_remembered_for_the_search_shows_no_secret(kms: FakeKMS, secret: bytes) -> None:
    """Whatever a traceback with local variables may come across."""
    from pytest_kms import leaks

    [found] = leaks.secrets_of([kms.world])
    search = leaks.Search([found])
    part = leaks.Part("there", secret)
    [hit] = search.hits(part)
    shown = f"{found!r} {part!r} {hit!r} {hit} {kms.world.trail._told!r}"  # noqa: SLF001
    assert "correct horse" not in shown
    assert "<Part there>" in shown
    assert "[<Told of Encrypt>]" in shown


def test_what_a_call_is_on_its_way_shows_no_secret(kms: FakeKMS, secret: bytes) -> None:
    """Answers, and what policies are asked."""
    from pytest_kms.condition_keys import Asked
    from pytest_kms.engine import Reply

    members = {"Plaintext": secret}
    asked = Asked(
        operation="Encrypt",
        members=members,
        caller=kms.principal("role/app"),
        region="us-east-1",
        now=kms.clock.now,
    )

    assert "<Reply 200 to 7>" == repr(Reply(200, secret, "7"))
    assert "<Asked about Encrypt>" == repr(asked)


def test_what_kms_did_by_itself_is_no_secret(kms: FakeKMS, secret: bytes) -> None:
    """A rotation stands between the calls."""
    key = kms.create_key()
    kms.client.enable_key_rotation(KeyId=key.id)
    kms.clock.advance(days=400)
    kms.client.encrypt(KeyId=key.id, Plaintext=secret)

    assert "RotateKey" in [event.operation for event in kms.trail]
    with pytest.raises(AssertionError, match="it is in 1 place"):
        kms.assert_no_plaintext_in(secret)
