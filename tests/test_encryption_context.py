"""Encryption contexts in words: on one line, and how two of them differ."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_kms import FakeKMS, UsageError
from pytest_kms.encryption_context import difference, text


class Anything:
    """Equal to all that there is."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # it could have none that fits

    def __repr__(self) -> str:
        return "Anything()"


TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "{}"),
    "one": ({"order": "7"}, "{order: 7}"),
    "sorted": ({"b": "2", "a": "1", "B": "3"}, "{B: 3, a: 1, b: 2}"),
    "an empty value": ({"order": ""}, "{order: ''}"),
    "spaces": ({"the order": "no. 7", "b": " 7"}, "{b: ' 7', the order: no. 7}"),
    "several lines": ({"a": "1\n2. Decrypt -> ok"}, r"{a: '1\n2. Decrypt -> ok'}"),
    "what looks like more": ({"q": "a, b: c}"}, "{q: 'a, b: c}'}"),
    "an ARN": ({"aws:s3:arn": "arn:aws:s3:::b/k"}, "{aws:s3:arn: arn:aws:s3:::b/k}"),
    "other letters": ({"größe": "日本"}, "{größe: 日本}"),
    "an object": ({"order": Anything()}, "{order: Anything()}"),
}
DIFFERENCES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "none": ({}, {}, ""),
    "equal": ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, ""),
    "missing": ({"order": "7"}, {}, "order '7' is missing"),
    "too many": ({}, {"order": "7"}, "order '7' is too many"),
    "changed": ({"tenant": "a"}, {"tenant": "b"}, "tenant 'a' -> 'b'"),
    "emptied": ({"tenant": "a"}, {"tenant": ""}, "tenant 'a' -> ''"),
    "by letter case": ({"Tenant": "a"}, {"tenant": "a"}, "Tenant 'a' is missing, tenant 'a' is too many"),
    "a space": ({"tenant": "a"}, {"tenant": "a "}, "tenant 'a' -> 'a '"),
    "all, sorted": (
        {"d": "1", "b": "2", "a": "3", "c": "4"},
        {"e": "5", "c": "4", "b": "6", "a": "3"},
        "b '2' -> '6', d '1' is missing, e '5' is too many",
    ),
    "an object that is equal": ({"a": Anything()}, {"a": "1"}, ""),
    "an object that is missing": ({"a": Anything()}, {}, "a Anything() is missing"),
}


@pytest.mark.parametrize(("context", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_context_is_written_on_one_line(context: dict[str, Any], expected: str) -> None:
    """Names are sorted, so that equal contexts read alike."""
    assert expected == text(context)


@pytest.mark.parametrize(("was", "now", "expected"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_two_contexts_differ_in_words(was: dict[str, Any], now: dict[str, Any], expected: str) -> None:
    """What is equal is left out; the rest is sorted by name."""
    assert expected == difference(was, now)


def test_assertions_and_reports_use_the_same_words(kms: FakeKMS) -> None:
    """The reason of a failed Decrypt, the refusal of the test's own, and the mark on a call tell one difference."""
    kms.create_key("orders")
    blob = kms.encrypt("alias/orders", b"secret", {"tenant": "a"})

    with pytest.raises(kms.client.exceptions.InvalidCiphertextException):
        kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "b"})
    with pytest.raises(UsageError) as refusal:
        kms.decrypt(blob, {"tenant": "b"})
    with pytest.raises(AssertionError) as failure:
        kms.assert_called("Decrypt", encryption_context={"tenant": "a"})

    assert "the encryption context differs: tenant 'a' -> 'b'" == kms.trail.last.why
    assert str(refusal.value).endswith("the encryption context differs: tenant 'a' -> 'b'")
    assert "<-- encryption context: tenant 'a' -> 'b'" in str(failure.value)
