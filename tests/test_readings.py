"""How else bytes can be read, and from where each comes."""

from __future__ import annotations

import pytest

from pytest_kms.readings import in_one_run, without_escapes


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        pytest.param(b"as it is", [b"as it is"], id="nothing"),
        pytest.param(rb"\x41%42\u0043\U00000044", [rb"\x41%42\u0043\U00000044", b"ABCD"], id="numbers"),
        pytest.param(rb"\ud83d\ude00\u00e9", [rb"\ud83d\ude00\u00e9", "\U0001f600é".encode()], id="pairs"),
        pytest.param(rb"\n\t\'\"\/\q", [rb"\n\t\'\"\/\q", b"\n\t'\"/\\q"], id="letters"),
        pytest.param(rb"\\\\n", [rb"\\\\n", rb"\\n", rb"\n"], id="two layers of three"),
    ],
)
def test_escapes_are_taken_off_a_layer_at_a_time(content: bytes, texts: list[bytes]) -> None:
    """Those of Python, JSON and URLs."""
    assert texts == [reading.text for reading in without_escapes(content)]


def test_what_stands_between_is_left_out() -> None:
    """Line ends, spaces and colons."""
    assert b"0102ab" == in_one_run(next(without_escapes(b"01:02\r\n  ab\n"))).text


def test_each_byte_has_its_place_in_the_original() -> None:
    """Before, within and behind what was replaced."""
    plain = list(without_escapes(b"ab%41\\u00e9cd"))[1]
    assert "abAécd".encode() == plain.text
    assert [0, 1, 2, 5, 5, 11, 12] == [plain.origin(place) for place in range(7)]

    run = in_one_run(plain)
    assert [0, 1, 2, 5, 5, 11, 12] == [run.origin(place) for place in range(7)]
    assert [2, 3, 6] == [in_one_run(next(without_escapes(b"::ab: c"))).origin(place) for place in range(3)]
