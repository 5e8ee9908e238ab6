"""`str(kms.trail)`: one line for each call, the same in each run."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_kms import FakeKMS, fake_kms

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.kms(region="us-east-1")

ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def failing(call: Callable[..., object], **members: Any) -> None:
    """Call an operation that fails."""
    with pytest.raises(ClientError):
        call(**members)


def many_calls(kms: FakeKMS) -> None:
    """Call with all that differs from run to run."""
    client = kms.client
    kms.create_key("orders")
    nameless, other = kms.create_key(), kms.create_key(multi_region=True)
    blob = client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext={"order": "7", "a": "b"})
    client.encrypt(KeyId=other.arn, Plaintext=b"x")
    client.encrypt(KeyId=nameless.id, Plaintext=b"x")
    client.re_encrypt(
        CiphertextBlob=blob["CiphertextBlob"],
        SourceEncryptionContext={"order": "7", "a": "b"},
        DestinationKeyId=other.id,
    )
    client.list_keys()
    failing(client.describe_key, KeyId="alias/nothing")
    failing(client.describe_key, KeyId="arn:aws:kms:us-east-1:123456789012:alias/nothing")
    failing(client.describe_key, KeyId="nothing")
    failing(client.describe_key, KeyId=kms.create_key(region="eu-west-1").id)
    failing(kms.client_for(region="eu-west-1").describe_key, KeyId=nameless.id)
    kms.throttle("GenerateRandom", times=2)
    client.generate_random(NumberOfBytes=1)


MANY_LINES = """\
Encrypt alias/orders {a: b, order: 7} -> ok
Encrypt key-1 -> ok
Encrypt key-2 -> ok
ReEncrypt SourceKeyId=alias/orders {a: b, order: 7} DestinationKeyId=key-1 -> ok
ListKeys -> ok
DescribeKey alias/nothing -> NotFoundException
DescribeKey alias/nothing -> NotFoundException
DescribeKey nothing -> NotFoundException
DescribeKey key-3 -> NotFoundException
DescribeKey key-2 in eu-west-1 -> NotFoundException
GenerateRandom -> ok (3 attempts, 2 throttled)"""


def test_each_call_has_a_line(kms: FakeKMS) -> None:
    """Keys are called by their alias, and without one by a number in the order in which they appear."""
    many_calls(kms)
    assert MANY_LINES == str(kms.trail)


def test_the_lines_are_the_same_in_each_run() -> None:
    """Other ids, times and request ids make no difference."""
    told = []
    for _ in range(2):
        with fake_kms(region="us-east-1") as kms:
            many_calls(kms)
            told.append(str(kms.trail))
    assert told[0] == told[1]


def test_a_region_goes_without_saying_where_it_is_the_fake_s() -> None:
    """It is told where it is another."""
    with fake_kms(region="eu-west-1") as kms:
        kms.client.list_keys()
        kms.client_for(region="us-east-1").list_keys()
        assert "ListKeys -> ok\nListKeys in us-east-1 -> ok" == str(kms.trail)


def test_who_calls_is_told_where_it_is_not_the_default_principal(kms: FakeKMS) -> None:
    """By name: without account and session; an AWS service in one word, and KMS itself as CloudTrail has it."""
    key = kms.create_key("orders")
    role = kms.principal("role/app", policy=ADMINISTRATOR, session="7f3a")
    user = kms.principal("user/alice", policy=ADMINISTRATOR)
    root = kms.principal("root", account="999999999999")
    for principal in (role, user, root):
        kms.client_for(principal).list_keys()
    kms.service("s3", on_behalf_of=role).store(key, "bucket/key")
    kms.client.enable_key_rotation(KeyId=key.id)
    kms.clock.advance(days=366)
    kms.client.list_aliases()
    assert [
        "ListKeys by role/app -> ok",
        "ListKeys by user/alice -> ok",
        "ListKeys by root -> ok",
        "GenerateDataKey alias/orders {aws:s3:arn: arn:aws:s3:::bucket/key} by role/app via s3 -> ok",
        "EnableKeyRotation alias/orders -> ok",
        "RotateKey alias/orders by AWS Internal -> ok",
        "ListAliases -> ok",
    ] == str(kms.trail).splitlines()


def test_nothing_called_is_no_line(kms: FakeKMS) -> None:
    """The text is empty; the short form is another."""
    assert "" == str(kms.trail)
    assert "<Trail of 0 calls>" == repr(kms.trail)


def test_the_short_form_stays_short(kms: FakeKMS) -> None:
    """It counts the calls."""
    kms.client.list_keys()
    assert "<Trail of 1 call>" == f"{kms.trail!r}"


SEALS = """
def seal(kms):
    kms.create_key("orders")
    key = kms.create_key()
    kms.client.generate_data_key(KeyId="alias/orders", KeySpec="AES_256", EncryptionContext={"order": "7"})
    kms.client.encrypt(KeyId=key.id, Plaintext=b"x")
"""


def test_syrupy_takes_the_lines(pytester: pytest.Pytester) -> None:
    """A snapshot of one run holds in the next, whose ids are others."""
    pytest.importorskip("syrupy")
    pytester.makepyfile(f"{SEALS}\ndef test_it(kms, snapshot):\n    seal(kms)\n    assert snapshot == str(kms.trail)\n")
    first = pytester.runpytest_subprocess("-p", "syrupy", "--snapshot-update")
    second = pytester.runpytest_subprocess("-p", "syrupy")

    assert (0, 0) == (first.ret, second.ret)
    (written,) = pytester.path.glob("__snapshots__/*.ambr")
    assert [
        "  GenerateDataKey alias/orders {order: 7} -> ok",
        "  Encrypt key-1 -> ok",
    ] == [line for line in written.read_text().splitlines() if "->" in line]


@pytest.mark.skipif(
    tuple(map(int, importlib.metadata.version("pytest").split(".")[:2])) < (8, 3),
    reason="inline-snapshot needs pytest 8.3.4",
)
def test_inline_snapshot_takes_the_lines(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes them into the test, where they hold in the next run."""
    pytest.importorskip("inline_snapshot")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # under xdist it writes nothing
    test = pytester.makepyfile(
        "from inline_snapshot import snapshot\n"
        f"{SEALS}\ndef test_it(kms):\n    seal(kms)\n    assert str(kms.trail) == snapshot()\n"
    )
    pytester.runpytest_subprocess("-p", "inline_snapshot", "--inline-snapshot=create")
    second = pytester.runpytest_subprocess("-p", "inline_snapshot")

    assert 0 == second.ret
    assert [
        "GenerateDataKey alias/orders {order: 7} -> ok",
        "Encrypt key-1 -> ok\\",
    ] == [line for line in test.read_text().splitlines() if "->" in line]
