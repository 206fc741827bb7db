"""Objects that are almost what a schema wants, and sometimes are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st

SOME_TEXT = st.sampled_from(
    ["", "a", "/", "/*", "1", "$ENV://A", "$secret://vault/1/a/b", "a.b:80", "*.a", "é\x00", "[::1]"]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | SOME_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SOME_TEXT, inner, max_size=3),
    max_leaves=5,
)


def almost(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what the schema wants, each part of it sometimes something else."""
    return st.integers(0, 60).flatmap(lambda chance: ANYTHING if chance == 41 else _fitting(schema))


def _fitting(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.sampled_from(kind).flatmap(lambda each: _fitting({**schema, "type": each}))
    if kind is None and "anyOf" in schema:
        return st.sampled_from(schema["anyOf"]).flatmap(_fitting)
    match kind:
        case "object":
            return _object(schema)
        case "array":
            return st.lists(almost(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=3)
        case "string":
            return _text(schema)
        case "integer" | "number":
            return st.integers(schema.get("minimum", 1), min(schema.get("maximum", 10**9), 10**9))
        case "boolean":
            return st.booleans()
    return ANYTHING


def _object(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    return st.sets(st.sampled_from(_sets_of_names(schema))).flatmap(lambda names: _with_names(schema, names))


def _sets_of_names(schema: Mapping[str, Any]) -> list[frozenset[str]]:
    """The names an object may do with: those of each property, and those that are wanted together."""
    wanted = frozenset(schema.get("required", ()))
    return [wanted, *(wanted | {name} for name in schema.get("properties", {}))]


def _with_names(schema: Mapping[str, Any], chosen: Iterable[frozenset[str]]) -> st.SearchStrategy[Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    names = frozenset[str](schema.get("required", ())).union(*list(chosen)[:4])
    alternatives = [each for part in (schema, *schema.get("allOf", ())) for each in _alternatives(part)]
    fixed = st.tuples(*(st.sampled_from(each) for each in alternatives)).flatmap(
        lambda more: st.fixed_dictionaries(
            {name: almost(properties.get(name, {})) for name in sorted(names.union(*more))}
        )
    )
    others = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
    if not isinstance(others, Mapping):
        return fixed
    more = st.dictionaries(SOME_TEXT, almost(others), max_size=2)
    return st.builds(lambda named, unnamed: {**unnamed, **named}, fixed, more)


def _alternatives(schema: Mapping[str, Any]) -> list[list[frozenset[str]]]:
    """Of each choice between properties: the names every alternative wants."""
    choices = [schema[word] for word in ("oneOf", "anyOf") if word in schema]
    return [[frozenset(each.get("required", ())) for each in choice] for choice in choices]


def _text(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    least, pattern = schema.get("minLength", 0), schema.get("pattern")
    some = SOME_TEXT.filter(lambda text: len(text) >= least) if least < 5 else st.just("x" * least)
    if pattern is None:
        return some
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=False).filter(lambda text: len(text) < 50) | some
