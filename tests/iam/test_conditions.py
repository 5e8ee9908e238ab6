"""The Condition element: keys, several values on both sides, keys that are missing, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from iam.cast import Facts

from pytest_kms.iam import conditions
from pytest_kms.iam.errors import BadOperand, Malformed, NotUnderstood, UnknownConditionKey, UnknownOperator

CONTEXT = Facts(
    {
        "kms:one": "x",
        "kms:empty": "",
        "kms:many": ["x", "y"],
        "kms:single": ["x"],
        "kms:nothing": [],
        "kms:tuple": ("x",),
    }
)


def conditions_of(block: Any, *, variables: bool = True) -> tuple[conditions.Condition, ...]:
    """Read a Condition element."""
    return conditions.parse(block, variables=variables)


def holds(operator: str, key: str, *values: str) -> bool:
    """Ask one condition about the request of these tests."""
    (condition,) = conditions_of({operator: {key: list(values)}})
    return condition.holds(CONTEXT)


MISSING: dict[str, bool] = {
    "StringEquals": False,
    "StringLike": False,
    "NumericEquals": False,
    "StringNotEquals": True,
    "NumericNotEquals": True,
    "StringEqualsIfExists": True,
    "StringNotEqualsIfExists": True,
    "ForAnyValue:StringEquals": False,
    "ForAnyValue:StringNotEquals": False,
    "ForAllValues:StringEquals": True,
    "ForAllValues:StringNotEquals": True,
    "ForAnyValue:StringEqualsIfExists": True,
    "ForAllValues:StringEqualsIfExists": True,
}
NULLS: dict[str, tuple[str, str, bool]] = {
    "absent, as wanted": ("kms:Absent", "true", True),
    "absent, though wanted": ("kms:Absent", "false", False),
    "an empty list is absent": ("kms:Nothing", "true", True),
    "present, as wanted": ("kms:One", "false", True),
    "present, though unwanted": ("kms:One", "true", False),
    "an empty text is present": ("kms:Empty", "false", True),
    "a list is present": ("kms:Many", "false", True),
}
SETS: dict[str, tuple[str, str, list[str], bool]] = {
    "any of many is one": ("ForAnyValue:StringEquals", "kms:Many", ["y", "z"], True),
    "any of many is none": ("ForAnyValue:StringEquals", "kms:Many", ["z"], False),
    "all of many are some": ("ForAllValues:StringEquals", "kms:Many", ["x", "y", "z"], True),
    "not all of many are one": ("ForAllValues:StringEquals", "kms:Many", ["x"], False),
    "any of many is not one": ("ForAnyValue:StringNotEquals", "kms:Many", ["x"], True),
    "any of many is not one of all": ("ForAnyValue:StringNotEquals", "kms:Many", ["x", "y"], False),
    "all of many are not one": ("ForAllValues:StringNotEquals", "kms:Many", ["z"], True),
    "not all of many are not one": ("ForAllValues:StringNotEquals", "kms:Many", ["x"], False),
    "any of a single value": ("ForAnyValue:StringEquals", "kms:One", ["x"], True),
    "all of a single value": ("ForAllValues:StringLike", "kms:One", ["y*"], False),
    "any of a list of one, if it exists": ("ForAnyValue:StringEqualsIfExists", "kms:Single", ["y"], False),
    "all of a tuple": ("ForAllValues:StringEquals", "kms:Tuple", ["x"], True),
    "all of an empty list": ("ForAllValues:StringEquals", "kms:Nothing", ["x"], True),
    "any of an empty list": ("ForAnyValue:StringEquals", "kms:Nothing", ["x"], False),
}
PLAIN_ON_MANY = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists"]


@pytest.mark.parametrize(("operator", "expected"), MISSING.items(), ids=MISSING)
def test_a_key_that_is_missing(operator: str, expected: bool) -> None:  # noqa: FBT001
    """A negation holds, a comparison does not, IfExists holds."""
    value = "1" if "Numeric" in operator else "x"

    assert expected == holds(operator, "kms:Absent", value)
    assert expected == holds(operator, "kms:Nothing", value)


@pytest.mark.parametrize(("operator", "expected"), [("StringEqualsIfExists", False), ("StringNotEqualsIfExists", True)])
def test_if_exists_compares_what_exists(operator: str, expected: bool) -> None:  # noqa: FBT001
    """With a value it is the operator without IfExists."""
    assert expected == holds(operator, "kms:One", "y")
    assert expected is not holds(operator, "kms:One", "x")


@pytest.mark.parametrize(("key", "wanted", "expected"), NULLS.values(), ids=NULLS)
def test_null_asks_whether_a_key_is_missing(key: str, wanted: str, expected: bool) -> None:  # noqa: FBT001
    """True wants it missing, false wants it present."""
    assert expected == holds("Null", key, wanted)


def test_null_with_both_values_holds() -> None:
    """Several values are alternatives here too."""
    assert holds("Null", "kms:One", "true", "false")
    assert holds("Null", "kms:Absent", "true", "false")


@pytest.mark.parametrize(("operator", "key", "values", "expected"), SETS.values(), ids=SETS)
def test_set_operators_look_at_each_value(operator: str, key: str, values: list[str], expected: bool) -> None:  # noqa: FBT001
    """ForAnyValue wants one of the request's values to pass, ForAllValues wants all."""
    assert expected == holds(operator, key, *values)


@pytest.mark.parametrize("operator", PLAIN_ON_MANY)
@pytest.mark.parametrize("key", ["kms:Many", "kms:Single"])
@pytest.mark.parametrize("value", ["x", "z"])
def test_no_plain_operator_holds_for_a_multi_valued_key(operator: str, key: str, value: str) -> None:
    """Recorded: neither the comparison nor its negation, with one value or many."""
    assert not holds(operator, key, value)


@pytest.mark.parametrize("key", ["kms:One", "KMS:ONE", "kMs:oNe"])
def test_keys_are_compared_in_any_letter_case(key: str) -> None:
    """The context is asked in lower case."""
    assert holds("StringEquals", key, "x")


def test_all_operators_and_keys_become_conditions() -> None:
    """They are in the order of the policy; all of them must hold."""
    block = {"StringEquals": {"kms:One": "x", "kms:Empty": ""}, "Bool": {"kms:Many": True}}

    assert [
        ("StringEquals", "kms:One", ("x",)),
        ("StringEquals", "kms:Empty", ("",)),
        ("Bool", "kms:Many", ("true",)),
    ] == [(condition.operator, condition.key, condition.values) for condition in conditions_of(block)]


def test_no_condition_is_none() -> None:
    """An empty element wants nothing."""
    assert () == conditions_of({})


def test_variables_are_text_where_there_are_none() -> None:
    """So it is in policies of an older Version."""
    (condition,) = conditions_of({"StringEquals": {"kms:One": "${kms:One}"}}, variables=False)

    assert not condition.holds(CONTEXT)
    assert condition.holds(Facts({"kms:one": "${kms:One}"}))


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEqualsIfExists", "ForAllValues:StringEquals", "Null"])
def test_an_unknown_key_is_refused(operator: str) -> None:
    """Neither present nor absent would be true."""
    with pytest.raises(UnknownConditionKey) as excinfo:
        holds(operator, "kms:UnknownThing", "true")

    assert "the condition key kms:UnknownThing is not known" == excinfo.value.what


OPERATORS: dict[str, tuple[str, str]] = {
    "a letter is missing": ("StringEqual", "; did you mean StringEquals?"),
    "in lower case": ("stringlike", "; did you mean StringLike?"),
    "of a set that there is not": ("ForEachValue:StringEquals", "; did you mean StringEquals?"),
    "null if it exists": ("NullIfExists", "; did you mean Null?"),
    "null of a set": ("ForAnyValue:Null", "; did you mean Null?"),
    "nothing like it": ("Sounds", ""),
    "no word": ("", ""),
}


@pytest.mark.parametrize(("operator", "hint"), OPERATORS.values(), ids=OPERATORS)
def test_an_unknown_operator_is_refused(operator: str, hint: str) -> None:
    """The nearest one is named."""
    with pytest.raises(UnknownOperator) as excinfo:
        conditions_of({operator: {"kms:One": "x"}})

    assert f"{operator} kms:One: {operator!r} is no condition operator{hint}" == excinfo.value.what


def test_null_wants_true_or_false() -> None:
    """Another value is refused."""
    with pytest.raises(BadOperand) as excinfo:
        conditions_of({"Null": {"kms:One": "yes"}})

    assert "Null kms:One: 'yes' is not true or false" == excinfo.value.what


MALFORMED: dict[str, tuple[Any, str]] = {
    "a list": ([], "Condition is [], which is not an object"),
    "no keys": ({"Bool": "true"}, "Bool is 'true', which is not an object"),
    "a number as operator": ({1: {}}, "Condition is {1: {}}, which is not an object"),
    "no values": ({"Bool": {"kms:One": []}}, "Bool kms:One has no values"),
    "null": (
        {"Bool": {"kms:One": None}},
        "Bool kms:One has the value None, which is not a text, a number, true or false",
    ),
    "a list in a list": (
        {"Bool": {"kms:One": [["x"]]}},
        "Bool kms:One has the value ['x'], which is not a text, a number, true or false",
    ),
}


@pytest.mark.parametrize(("block", "why"), MALFORMED.values(), ids=MALFORMED)
def test_another_form_is_malformed(block: Any, why: str) -> None:
    """AWS has no message for it; ours tells what is wrong."""
    with pytest.raises(Malformed) as excinfo:
        conditions_of(block)

    assert ("", why) == (excinfo.value.message, excinfo.value.why)


def test_what_is_not_understood_is_one_family() -> None:
    """Who evaluates policies catches them at once."""
    assert {UnknownOperator, BadOperand, UnknownConditionKey} == set(NotUnderstood.__subclasses__())


TRACES: dict[str, tuple[str, str, Any, str, bool]] = {
    "missing": ("StringEquals", "kms:Absent", "a", "kms:Absent: wanted StringEquals a, the request has none", False),
    "another": ("StringEquals", "kms:One", "a", "kms:One: wanted StringEquals a, the request has x", False),
    "the same": ("StringEquals", "kms:One", "x", "kms:One: wanted StringEquals x, the request has x", True),
    "several": ("StringLike", "kms:One", ["a", "b"], "kms:One: wanted StringLike a or b, the request has x", False),
    "a list": (
        "ForAllValues:StringEquals",
        "kms:Many",
        "x",
        "kms:Many: wanted ForAllValues:StringEquals x, the request has [x, y]",
        False,
    ),
    "empty": (
        "StringEquals",
        "kms:Empty",
        "a",
        "kms:Empty: wanted StringEquals a, the request has an empty text",
        False,
    ),
    "null": ("Null", "kms:One", True, "kms:One: wanted Null true, the request has x", False),
    "a variable": (
        "StringLike",
        "kms:One",
        "${kms:One}*",
        "kms:One: wanted StringLike ${kms:One}* (here x*), the request has x",
        True,
    ),
    "unknown": ("Bool", "kms:Unknown", "true", "kms:Unknown: the condition key kms:Unknown is not known", False),
    "an unknown variable": (
        "StringLike",
        "kms:One",
        "${kms:Unknown}",
        "kms:One: the condition key kms:Unknown is not known",
        False,
    ),
}


@pytest.mark.parametrize(("operator", "key", "values", "text", "held"), TRACES.values(), ids=TRACES)
def test_a_trace_tells_what_was_compared(operator: str, key: str, values: Any, text: str, held: bool) -> None:  # noqa: FBT001
    """Both sides are shown as they are."""
    (condition,) = conditions_of({operator: {key: values}})

    assert conditions.Trace(text, held) == condition.trace(CONTEXT)
