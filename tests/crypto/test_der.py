"""The DER that this package writes by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms.crypto import der

quickly = settings(max_examples=50, deadline=None, database=None, derandomize=True)


@pytest.mark.parametrize(
    ("size", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8180"),
        (255, "81ff"),
        (256, "820100"),
        (65535, "82ffff"),
        (65536, "83010000"),
    ],
)
def test_a_length_has_the_shortest_form(size: int, encoded: str) -> None:
    """One byte up to 127; beyond, a byte says how many follow."""
    assert bytes.fromhex(encoded) == der.length(size)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "020100"),
        (1, "020101"),
        (127, "02017f"),
        (128, "02020080"),
        (255, "020200ff"),
        (256, "02020100"),
        (32767, "02027fff"),
        (32768, "0203008000"),
    ],
)
def test_an_integer_has_the_shortest_form(value: int, encoded: str) -> None:
    """A zero stands before what would look negative."""
    assert bytes.fromhex(encoded) == der.integer(value)


def test_octets_and_a_sequence() -> None:
    """Tag, length, content."""
    assert bytes.fromhex("0403616263") == der.octets(b"abc")
    assert bytes.fromhex("3000") == der.sequence()
    assert bytes.fromhex("300802010504036162 63") == der.sequence(der.integer(5), der.octets(b"abc"))
    assert bytes.fromhex("30820104 04820100") + b"x" * 256 == der.sequence(der.octets(b"x" * 256))


@quickly
@given(
    sizes=st.lists(
        st.one_of(st.integers(0, 300), st.sampled_from([127, 128, 255, 256, 65535, 65536])), min_size=1, max_size=4
    )
)
def test_the_first_of_a_sequence_is_what_went_in_first(sizes: list[int]) -> None:
    """However long it and the others are."""
    elements = [der.octets(bytes(size)) for size in sizes]
    assert elements[0] == der.first_of_sequence(der.sequence(*elements))
    assert der.sequence(elements[0]) == der.first_of_sequence(der.sequence(der.sequence(elements[0]), *elements))
