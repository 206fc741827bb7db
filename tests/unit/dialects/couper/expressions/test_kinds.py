from __future__ import annotations

import pytest

from jwtgate.dialects.couper.expressions.kinds import (
    equal,
    kind_name,
    member,
    number_of,
    number_text,
    ordered,
    text_of,
    tidy,
    truth_of,
)
from jwtgate.policy.expression import ExpressionFailed


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "null"), (True, "bool"), (1, "number"), (1.5, "number"), ("", "string"), ([], "tuple"), ({}, "object")],
)
def test_a_value_has_a_kind(value: object, name: str) -> None:
    assert kind_name(value) == name


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (True, "true"), (False, "false"), (1234567890, "1234567890"), (42.0, "42")]
)
def test_a_value_becomes_a_text(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("value", [None, [], {}])
def test_what_is_no_scalar_becomes_no_text(value: object) -> None:
    with pytest.raises(ExpressionFailed, match="string required"):
        text_of(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1e21, "1" + "0" * 21), (1.5e-7, "0.00000015"), (0.1, "0.1"), (-2.50, "-2.5"), (10**18, "1" + "0" * 18)],
)
def test_a_number_is_written_without_an_exponent(number: float, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("value", "number"), [(5, 5), ("12.50", 12.5), ("-3", -3), ("1e2", 100), ("007", 7), ("9" * 41, float("9" * 41))]
)
def test_a_value_becomes_a_number(value: object, number: float) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize("value", [None, True, [], {}, "", "a", " 1", "1_0", "inf", "nan", "0x10", "٣", "1e999"])
def test_what_is_no_number_becomes_none(value: object) -> None:
    with pytest.raises(ExpressionFailed, match="number"):
        number_of(value)


def test_a_number_has_bounds() -> None:
    assert isinstance(tidy(10**41), float)
    assert isinstance(tidy(3.0), int)
    assert isinstance(tidy(1e300), float)
    for number in (float("inf"), float("nan")):
        with pytest.raises(ExpressionFailed, match="too large"):
            tidy(number)


@pytest.mark.parametrize(("value", "truth"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_a_value_becomes_a_truth(value: object, *, truth: bool) -> None:
    assert truth_of(value) is truth


@pytest.mark.parametrize("value", [None, 1, 0, "", "True", [], {}])
def test_what_is_no_truth_becomes_none(value: object) -> None:
    with pytest.raises(ExpressionFailed, match="bool required"):
        truth_of(value)


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (None, None), ([], []), ({"a": [1]}, {"a": [1.0]}), ("a", "a"), (True, True)]
)
def test_equal_values_are_equal(left: object, right: object) -> None:
    assert equal(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, "1"), (1, True), (0, False), (None, False), ([1, 2], [2, 1]), ([1], [1, 1]), ({"a": 1}, {"a": 1, "b": 2})],
)
def test_values_of_other_kinds_or_contents_are_not_equal(left: object, right: object) -> None:
    assert not equal(left, right)
    assert not equal(right, left)


@pytest.mark.parametrize(
    ("value", "name", "found"),
    [
        ({"a": 1}, "a", 1),
        ({"1": 1}, 1, 1),
        ({"a": 1}, None, None),
        ({"a": 1}, "b", None),
        ([5], 0, 5),
        ([5], "0", 5),
        ([5], 0.0, 5),
        ([5], 1, None),
        ([5], -1, None),
        ([5], 0.5, None),
        ([5], True, None),
        ([5], "a", None),
        (None, "a", None),
        ("text", 0, None),
    ],
)
def test_what_is_not_there_is_null(value: object, name: object, found: object) -> None:
    assert member(value, name) == found


def test_results_are_in_order_and_their_whole_numbers_integers() -> None:
    made = ordered({"b": [1.0, {"d": 2.5, "c": None}], "a": True})
    assert made == {"a": True, "b": [1, {"c": None, "d": 2.5}]}
    assert list(made) == ["a", "b"]
    assert isinstance(made["b"][0], int)
