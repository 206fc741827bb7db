from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.kong.fields import (
    FLAG_ON,
    TEXT,
    TEXT_MAP,
    TEXTS,
    Field,
    SchemaViolation,
    completed_record,
    one_of,
)

UPPER = "3FA85F64-5717-4562-B3FC-2C963F66AFA6"
FIELDS = {
    "name": Field(required=True),
    "flag": FLAG_ON,
    "words": TEXTS,
    "alg": one_of("HS256", "HS256", "RS256"),
    "hint": Field(default="access_token"),
    "ours": Field(is_extra=True),
}


def test_what_is_not_given_has_its_default_and_what_is_ours_is_not_shown() -> None:
    filled, wrong = completed_record(FIELDS, {"name": "a"})
    assert wrong == {}
    assert filled == {"name": "a", "flag": True, "words": None, "alg": "HS256", "hint": "access_token"}
    assert completed_record(FIELDS, {"name": "a", "ours": "b"})[0]["ours"] == "b"


def test_null_means_none_of_a_text_and_the_default_of_a_flag() -> None:
    filled, wrong = completed_record(FIELDS, {"name": "a", "hint": None, "flag": None})
    assert (filled["hint"], filled["flag"], wrong) == (None, True, {})
    assert completed_record(FIELDS, {"name": None})[1] == {"name": "required field missing"}


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        (TEXT, 1, "expected a string"),
        (TEXT, "", "length must be at least 1"),
        (FLAG_ON, "true", "expected a boolean"),
        (FLAG_ON, 1, "expected a boolean"),
        (Field("number"), True, "expected a number"),
        (Field("integer"), 1.5, "expected an integer"),
        (Field("number", between=(0, 5)), 6, "value should be between 0 and 5"),
        (one_of(None, "a", "b"), "c", "expected one of: a, b"),
        (Field(starts_with="/"), "x", "should start with: /"),
        (TEXTS, "a", "expected an array"),
        (Field("set", elements=TEXT), {}, "expected a set"),
        (TEXTS, ["a", 1, None], [None, "expected a string", "required field missing"]),
        (Field("array", elements=TEXT, least=1), [], "length must be at least 1"),
        (TEXT_MAP, [], "expected a map"),
        (TEXT_MAP, {"a": 1}, {"a": "expected a string"}),
        (Field("record", fields={"a": TEXT}), {"b": 1}, {"b": "unknown field"}),
        (Field("record"), 1, "expected a record"),
        (Field("foreign"), "x", "expected a record"),
        (Field("foreign"), {}, {"id": "missing primary key"}),
        (Field("foreign"), {"id": "x", "y": 1}, {"id": "expected a valid UUID", "y": "unknown field"}),
        (Field("uuid"), 5, "expected a string"),
        (Field(check=lambda value: f"no {value}"), "x", "no x"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_as_kong_tells_it(field: Field, value: Any, complaint: Any) -> None:
    assert field.completed(value)[1] == complaint


@pytest.mark.parametrize(
    ("field", "value", "filled"),
    [
        (Field("set", elements=TEXT), ["a", "b", "a"], ["a", "b"]),
        (Field("integer"), 2.0, 2.0),
        (Field(may_be_empty=True), "", ""),
        (Field("map"), {"a": 1}, {"a": 1}),
        (Field("record", required=True, fields={"a": Field("array", (), elements=TEXT)}), None, {"a": []}),
        (Field("uuid"), UPPER, UPPER),
    ],
)  # fmt: skip
def test_a_good_value_is_taken(field: Field, value: Any, filled: Any) -> None:
    assert field.completed(value) == (filled, None)


def test_a_violation_is_told_in_one_line_with_every_place() -> None:
    assert SchemaViolation({"foo": "unknown field"}).message == "schema violation (foo: unknown field)"
    several = {"b": {"c": "x", "@entity": ["all of it"]}, "@entity": ["first"], "a": [None, "y"]}
    assert SchemaViolation(several).message == "4 schema violations (first; a.2: y; all of it; b.c: x)"
