"""The JSON Schema of a document, asked about one place: which keys may stand there, and whether it is secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jwtgate.config.checks import Place
from jwtgate.config.sections.document import document_schema

Node = Mapping[str, Any]
Nodes = tuple[Node, ...]


@cache
def _schema() -> Node:
    return document_schema()


def root() -> Nodes:
    """What the document itself may be."""
    return tuple(_alternatives(_schema()))


def below(nodes: Nodes, step: str | int) -> Nodes:
    """What may stand at this key, or as an element of this list."""
    return tuple(found for node in nodes for child in _children(node, step) for found in _alternatives(child))


def keys_at(place: Place) -> tuple[str, ...]:
    """The keys that may stand in the section at this place."""
    nodes = root()
    for step in place:
        nodes = below(nodes, step)
    return tuple(name for node in nodes for name in node.get("properties", ()))


def is_secret(place: Place) -> bool:
    """Whether what stands at this place, or around it, is marked as secret."""
    return any(map(marked, _nodes_on_the_way(place)))


def keeps_references(place: Place) -> bool:
    """Whether the references of a text at this place stay what they are."""
    return any(marked(nodes) or _has(nodes, "x-reference") for nodes in _nodes_on_the_way(place))


def marked(nodes: Nodes) -> bool:
    """Whether one of these is marked as secret."""
    return _has(nodes, "writeOnly")


def is_sealed(nodes: Nodes) -> bool:
    """Whether one of these is secret as a whole."""
    return _has(nodes, "x-sealed")


def _has(nodes: Nodes, mark: str) -> bool:
    return any(node.get(mark) for node in nodes)


def _nodes_on_the_way(place: Place) -> Iterator[Nodes]:
    nodes = root()
    for step in place:
        nodes = below(nodes, step)
        yield nodes


def _alternatives(node: Node) -> Iterator[Node]:
    yield node
    if "$ref" in node:
        yield from _alternatives(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    for part in ("anyOf", "oneOf", "allOf"):
        for alternative in node.get(part, ()):
            yield from _alternatives(alternative)


def _children(node: Node, step: str | int) -> Iterator[Node]:
    if isinstance(step, int):
        found = [node.get("items")]
    elif step in node.get("properties", {}):
        found = [node["properties"][step]]
    else:
        found = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    # `additionalProperties` may also be a flag.
    yield from (child for child in found if isinstance(child, dict))
