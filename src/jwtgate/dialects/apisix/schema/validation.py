"""JSON Schema as the other gateway checks it, with the sentences its users know. A part of draft 7, no more.

A mistake is reported alone, the first that is found: each property in the order of the schema, then what is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool) and isinstance(value, int | float) and value == int(value),
}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, in which an end is the end of the text: never just before a last line feed."""
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def first_mistake(schema: Schema, value: Any) -> str | None:
    """The sentence for the first mistake in this value; None when it fits."""
    return next(_mistakes(schema, value), None)


def fits(schema: Schema, value: Any) -> bool:
    """Whether the value has no mistake."""
    return first_mistake(schema, value) is None


def _mistakes(schema: Schema, value: Any) -> Iterator[str]:
    wanted = schema.get("type")
    if wanted is not None and not _is_of(wanted, value):
        expected = wanted if isinstance(wanted, str) else "one of " + ", ".join(wanted)
        yield f"wrong type: expected {expected}, got {kind_of(value)}"
        return
    if isinstance(value, dict):
        yield from _of_object(schema, value)
    elif isinstance(value, list):
        yield from _of_array(schema, value)
    elif isinstance(value, str):
        yield from _of_text(schema, value)
    elif not isinstance(value, bool) and isinstance(value, int | float):
        yield from _of_number(schema, value)
    yield from _of_any(schema, value)


def kind_of(value: object) -> str:
    """What the other gateway calls the type of this value."""
    if value is None:
        return "userdata"
    if isinstance(value, dict | list):
        return "table"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _is_of(wanted: str | list[str], value: object) -> bool:
    return any(_TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _of_object(schema: Schema, value: dict[str, Any]) -> Iterator[str]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    required = schema.get("required", ())
    for name in dict.fromkeys((*properties, *required)):
        if name not in value:
            if name in required:
                yield f'property "{name}" is required'
            continue
        for mistake in _mistakes(properties.get(name, {}), value[name]):
            yield f'property "{name}" validation failed: {mistake}'
    if len(value) < schema.get("minProperties", 0):
        yield f"expect object to have at least {schema['minProperties']} properties"
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"expect object to have at most {schema['maxProperties']} properties"
    yield from _of_others(schema, {name: item for name, item in value.items() if name not in properties})
    for name, dependent in schema.get("dependencies", {}).items():
        if name in value and not fits(dependent, value):
            yield f'failed to validate dependent schema for "{name}": {first_mistake(dependent, value)}'


def _of_others(schema: Schema, others: Mapping[str, Any]) -> Iterator[str]:
    """The members the schema has no name for."""
    patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
    rest = schema.get("additionalProperties", True)
    for name, item in others.items():
        fitting = [found for pattern, found in patterns.items() if _compiled(pattern).search(name)]
        for found in fitting or ([rest] if isinstance(rest, dict) else []):
            for mistake in _mistakes(found, item):
                yield f'property "{name}" validation failed: {mistake}'
        if not fitting and rest is False:
            yield f"additional properties forbidden, found {name}"


def _of_array(schema: Schema, value: list[Any]) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"expect array to have at least {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"expect array to have at most {schema['maxItems']} items"
    if schema.get("uniqueItems"):
        seen: dict[str, int] = {}
        for number, item in enumerate(value, start=1):
            first = seen.setdefault(json.dumps(item, sort_keys=True), number)
            if first != number:
                yield f"expected unique items but items {first} and {number} are equal"
    for number, item in enumerate(value, start=1):
        for mistake in _mistakes(schema.get("items", {}), item):
            yield f"failed to validate item {number}: {mistake}"


def _of_text(schema: Schema, value: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"string too short, expected at least {schema['minLength']}, got {len(value)}"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"string too long, expected at most {schema['maxLength']}, got {len(value)}"
    if "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        yield f'failed to match pattern "{schema["pattern"]}" with "{value}"'


def _of_number(schema: Schema, value: float) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"expected {value} to be at least {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"expected {value} to be at most {schema['maximum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"expected {value} to be greater than {schema['exclusiveMinimum']}"


def _of_any(schema: Schema, value: Any) -> Iterator[str]:
    if "enum" in schema and not any(value == each and type(value) is type(each) for each in schema["enum"]):
        yield "matches none of the enum values"
    if "anyOf" in schema and not any(fits(each, value) for each in schema["anyOf"]):
        wanted = [each["required"] for each in schema["anyOf"] if "required" in each]
        shown = " or ".join(json.dumps(names, separators=(",", ":")) for names in wanted)
        yield f"object matches none of the required: {shown}" if shown else "matches none of the alternatives"
    if "oneOf" in schema:
        fitting = [number for number, each in enumerate(schema["oneOf"], start=1) if fits(each, value)]
        if len(fitting) != 1:
            both = f"both schemas {fitting[0]} and {fitting[1]}" if fitting else "none"
            yield f"value should match only one schema, but matches {both}"
    if "not" in schema and fits(schema["not"], value):
        yield "value should not match the schema, but does"
    for each in schema.get("allOf", ()):
        yield from _mistakes(each, value)
