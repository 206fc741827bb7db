"""Schemas, and the sentences their mistakes are told in."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.apisix.schema.validation import first_mistake, fits, kind_of

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        (TEXT, 1, "wrong type: expected string, got number"),
        (TEXT, None, "wrong type: expected string, got userdata"),
        ({"type": "object"}, [], "wrong type: expected object, got table"),
        ({"type": "integer"}, True, "wrong type: expected integer, got boolean"),
        ({"type": "integer"}, 1.5, "wrong type: expected integer, got number"),
        ({"type": ["string", "number"]}, {}, "wrong type: expected one of string, number, got table"),
        ({"required": ["a"]}, {}, 'property "a" is required'),
        (
            {"properties": {"a": TEXT}},
            {"a": 1},
            'property "a" validation failed: wrong type: expected string, got number',
        ),
        ({"minProperties": 1}, {}, "expect object to have at least 1 properties"),
        ({"maxProperties": 1}, {"a": 1, "b": 1}, "expect object to have at most 1 properties"),
        ({"additionalProperties": False}, {"a": 1}, "additional properties forbidden, found a"),
        (
            {"additionalProperties": TEXT},
            {"a": 1},
            'property "a" validation failed: wrong type: expected string, got number',
        ),
        (
            {"patternProperties": {"^a": TEXT}},
            {"ab": 1},
            'property "ab" validation failed: wrong type: expected string, got number',
        ),
        ({"minItems": 1}, [], "expect array to have at least 1 items"),
        ({"maxItems": 1}, [1, 2], "expect array to have at most 1 items"),
        ({"uniqueItems": True}, ["a", "b", "a"], "expected unique items but items 1 and 3 are equal"),
        ({"items": TEXT}, ["a", 1], "failed to validate item 2: wrong type: expected string, got number"),
        ({"minLength": 1}, "", "string too short, expected at least 1, got 0"),
        ({"maxLength": 1}, "ab", "string too long, expected at most 1, got 2"),
        ({"pattern": "^a$"}, "b", 'failed to match pattern "^a$" with "b"'),
        ({"minimum": 1}, 0, "expected 0 to be at least 1"),
        ({"maximum": 1}, 2, "expected 2 to be at most 1"),
        ({"exclusiveMinimum": 0}, 0, "expected 0 to be greater than 0"),
        ({"enum": [1]}, 2, "matches none of the enum values"),
        ({"enum": [1]}, True, "matches none of the enum values"),
        (
            {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {},
            'object matches none of the required: ["a"] or ["b"]',
        ),
        ({"anyOf": [TEXT]}, 1, "matches none of the alternatives"),
        ({"oneOf": [TEXT]}, 1, "value should match only one schema, but matches none"),
        ({"oneOf": [TEXT, {}]}, "a", "value should match only one schema, but matches both schemas 1 and 2"),
        ({"not": TEXT}, "a", "value should not match the schema, but does"),
        ({"allOf": [{"minLength": 2}]}, "a", "string too short, expected at least 2, got 1"),
        (
            {"dependencies": {"a": {"required": ["b"]}}},
            {"a": 1},
            'failed to validate dependent schema for "a": property "b" is required',
        ),
    ],
)
def test_a_mistake_has_its_sentence(schema: dict[str, Any], value: Any, sentence: str) -> None:
    assert first_mistake(schema, value) == sentence


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TEXT, ""),
        ({"type": "integer"}, 1.0),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": TEXT, "uniqueItems": True, "minItems": 1, "maxItems": 2}, ["a", "b"]),
        ({"required": ["a"], "properties": {"a": TEXT}, "additionalProperties": False, "minProperties": 1}, {"a": ""}),
        ({"patternProperties": {"^a": TEXT}, "additionalProperties": False}, {"ab": ""}),
        ({"minimum": 1, "maximum": 1, "exclusiveMinimum": 0}, 1),
        ({"minLength": 1, "maxLength": 1, "pattern": "a", "enum": ["a"]}, "a"),
        ({"anyOf": [TEXT, {}], "oneOf": [TEXT], "not": {"type": "object"}, "allOf": [TEXT]}, "a"),
        ({"dependencies": {"a": {"required": ["b"]}, "c": {"required": ["d"]}}}, {"a": 1, "b": 1}),
    ],
)
def test_what_fits_has_none(schema: dict[str, Any], value: Any) -> None:
    assert fits(schema, value)


def test_types_are_called_as_the_other_gateway_calls_them() -> None:
    values: list[Any] = ["", 1, 1.5, True, None, {}, []]
    assert [kind_of(value) for value in values] == [
        *("string", "number", "number", "boolean", "userdata", "table", "table"),
    ]


def test_a_line_feed_at_the_end_is_no_part_of_what_a_pattern_allows() -> None:
    assert fits({"type": "string", "pattern": "^[a-z]+$"}, "a")
    assert not fits({"type": "string", "pattern": "^[a-z]+$"}, "a\n")
