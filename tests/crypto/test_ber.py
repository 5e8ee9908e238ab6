"""BER becomes DER, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kms.crypto import ber, der

# Nothing here depends on how fast the machine is, and every run tries the same.
repeatable = settings(deadline=None, database=None, derandomize=True)

VALUES = st.recursive(
    st.builds(der.octets, st.binary(max_size=200))
    | st.builds(der.integer, st.integers(min_value=0, max_value=1 << 80)),
    lambda values: st.lists(values, max_size=4).map(lambda inner: der.sequence(*inner)),
    max_leaves=10,
)


@repeatable
@given(VALUES)
def test_der_stays_as_it_is(value: bytes) -> None:
    """It is BER already."""
    assert value == ber.to_der(value)


@pytest.mark.parametrize(
    ("in_ber", "in_der"),
    [
        pytest.param("30 80 020105 0000", "30 03 020105", id="without a length"),
        pytest.param("30 80 30 80 0500 0000 0000", "30 04 30 02 0500", id="without two lengths"),
        pytest.param("30 81 03 020105", "30 03 020105", id="a length of one digit too many"),
        pytest.param("30 84 00000003 020105", "30 03 020105", id="a length of four digits"),
        pytest.param("02 82 0001 05", "02 01 05", id="within"),
        pytest.param("24 06 0401aa 0401bb", "04 02 aabb", id="octets in pieces"),
        pytest.param("24 80 0401aa 2403 0401bb 0000", "04 02 aabb", id="octets in pieces of pieces"),
        pytest.param("30 80 24 80 0000 0000", "30 02 0400", id="octets in no pieces"),
        pytest.param("a0 80 020105 0000", "a0 03 020105", id="tagged"),
    ],
)
def test_ber_becomes_der(in_ber: str, in_der: str) -> None:
    """Each value has one form there."""
    assert bytes.fromhex(in_der) == ber.to_der(bytes.fromhex(in_ber))


@pytest.mark.parametrize(
    ("in_ber", "message"),
    [
        pytest.param("", "the value is cut", id="nothing"),
        pytest.param("30", "the value is cut", id="no length"),
        pytest.param("30 03 0201", "the value is cut", id="cut"),
        pytest.param("30 82 01", "the value is cut", id="a length that is cut"),
        pytest.param("30 80 020105", "the value is cut", id="no mark of the end"),
        pytest.param("30 02 0205", "the value is cut", id="cut within"),
        pytest.param("0500 00", "more follows the value", id="more"),
        pytest.param("04 80 0401aa 0000", "a length is missing", id="octets without a length"),
        pytest.param("24 03 020105", "a piece of an octet string is none", id="octets of other pieces"),
        pytest.param("23 80 030100 0000", "no private key has such a value", id="bits in pieces"),
        pytest.param("1f 81 01 00", "no private key has such a value", id="a long tag"),
        pytest.param("3080" * 3000, "no private key has such a value", id="too deep"),
    ],
)
def test_what_is_no_ber_is_refused(in_ber: str, message: str) -> None:
    """And what no private key has."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        ber.to_der(bytes.fromhex(in_ber))


@repeatable
@given(st.binary(max_size=40) | VALUES.map(lambda value: value[:-1]))
def test_anything_is_read_or_refused(content: bytes) -> None:
    """What is read is DER: it does not change once more."""
    try:
        read = ber.to_der(content)
    except ValueError:
        return
    assert read == ber.to_der(read)
