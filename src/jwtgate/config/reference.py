"""The reference page of the document, made from the descriptions of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.config.sections.document import document_schema

Node = Mapping[str, Any]

_HEAD = """# The document

<!-- Made from the source by `jwtgate.config.reference`. Change the descriptions there, never this page. -->

One YAML, JSON or TOML file says everything. Unknown keys, repeated keys, and keys without a value are mistakes.
In YAML only the core scalars of version 1.2 are read: `no`, `on`, `1_000` and dates are text. Tags, anchors, aliases
and merge keys are refused.

Any text may hold `${env:NAME}`, `${file:PATH}`, or `${STORE:PATH#FIELD}` for a secret kept in one of `secret_stores`
(`#FIELD` is left out where the secret is plain text); `$${` writes `${` as it stands. Files are found from the folder
of the document.
"""


def reference_markdown() -> str:
    """The page, in Markdown."""
    schema = document_schema()
    sections = {"": schema, **{place: schema["$defs"][name] for name, place in _places(schema).items()}}
    return "\n".join([_HEAD, *(_section(place, node, schema) for place, node in sections.items())])


def _places(schema: Node) -> dict[str, str]:
    """Each section's name in the schema, with the first place in the document where it stands."""
    places: dict[str, str] = {}
    _find_places(schema, "", schema=schema, places=places)
    return places


def _find_places(node: Node, place: str, *, schema: Node, places: dict[str, str]) -> None:
    for key, below in node.get("properties", {}).items():
        for name, step in _references(below):
            if name not in places:
                places[name] = f"{place}.{key}{step}".lstrip(".")
                _find_places(schema["$defs"][name], places[name], schema=schema, places=places)


def _references(node: Node, step: str = "") -> Iterator[tuple[str, str]]:
    if "$ref" in node:
        yield node["$ref"].rpartition("/")[2], step
    for alternative in node.get("anyOf", ()):
        yield from _references(alternative, step)
    if isinstance(node.get("items"), dict):
        yield from _references(node["items"], step)
    for below in _members(node):
        yield from _references(below, f"{step}.NAME")


def _members(node: Node) -> list[Node]:
    """What the values of a mapping with free names may be."""
    found = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    return [below for below in found if isinstance(below, dict)]


def _section(place: str, node: Node, schema: Node) -> str:
    title = f"`{place}`" if place else "Top level"
    needed = node.get("required", ())
    rows = "\n".join(
        f"| `{key}` | {_type(below, schema)} | {_default(key, below, needed)} | {below['description']} |"
        for key, below in node["properties"].items()
    )
    described = "" if not place else f"{node['description']}\n\n"
    return f"## {title}\n\n{described}| key | value | default | meaning |\n| --- | --- | --- | --- |\n{rows}\n"


def _default(key: str, node: Node, needed: Any) -> str:
    if key in needed:
        return "needed"
    default = node.get("default")
    return "" if default is None or default in ([], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _type(node: Node, schema: Node) -> str:
    if "anyOf" in node:
        first, *others = node["anyOf"]
        if [other.get("items") for other in others] == [first]:
            return f"{_type(first, schema)}; one or a list"
        return " or ".join(dict.fromkeys(_type(choice, schema) for choice in node["anyOf"]))
    if "$ref" in node:
        place = _places(schema)[node["$ref"].rpartition("/")[2]]
        return f"[`{place}`](#{''.join(c for c in place.lower() if c.isalnum() or c in '_-')})"
    if "enum" in node or "const" in node:
        return ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in node.get("enum", [node.get("const")]))
    return _plain_type(node, schema)


def _plain_type(node: Node, schema: Node) -> str:
    kind = node.get("type")
    if kind == "array":
        return f"list ({_type(node['items'], schema)})" if node.get("items") else "list"
    if kind == "object":
        members = _members(node)
        return f"mapping (NAME: {_type(members[0], schema)})" if members else "mapping"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "flag", "null": "`null`"}
    return words[kind] + _range(node) if kind in words else "any value"


def _range(node: Node) -> str:
    least, most = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum")
    if node.get("type") == "string" or (least is None and most is None):
        return ""
    if most is None:
        return f", at least {least}"
    return f", {'above ' if 'exclusiveMinimum' in node else ''}{least} to {most}"
