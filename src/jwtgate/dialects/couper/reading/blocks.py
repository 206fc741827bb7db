"""A file of HCL as blocks and attributes, each with its place. What an attribute says stays a source text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.dialects.couper.reading.configuration import Place, Text
from jwtgate.dialects.couper.reading.hcl import SyntaxProblem, parse_body
from jwtgate.dialects.couper.reading.mistakes import Mistakes

_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U(0010[0-9a-fA-F]{4}|000[0-9a-fA-F]{5}))|(\$\$|%%)(?=\{)')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a block."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: `place` is where its name stands."""

    name: str
    place: Place
    text: Text


@dataclass(frozen=True, slots=True)
class Block:
    """One block, or the body of a file, whose type is empty. `place` is its head: the type and the labels."""

    type: str
    place: Place
    labels: tuple[Label, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    @property
    def label(self) -> str | None:
        """The first label."""
        return self.labels[0].text if self.labels else None

    def of_type(self, *types: str) -> Iterator[Block]:
        """The blocks of these types in this one."""
        return (block for block in self.blocks if block.type in types)


def read_blocks(data: bytes, file: str, mistakes: Mistakes) -> Block | None:
    """The blocks of a file. None when it cannot be read, and the mistake is noted."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        mistakes.at(Place(file, 1, 1, 1, 1), "Invalid character encoding", detail="The file is not in UTF-8.")
        return None
    try:
        body = parse_body(text)
    except SyntaxProblem as problem:
        place = Place(file, problem.line, problem.column, problem.line, problem.column + 1)
        mistakes.at(place, problem.sentence, detail=problem.detail)
        return None
    start = Place(file, 1, 1, 1, 1)
    try:
        return _Reader(text, file, mistakes).body("", start, (), body)
    except RecursionError:
        mistakes.at(start, "Blocks are nested too deeply")
        return None


class _Reader:
    """Turns the nodes of one tree into blocks."""

    def __init__(self, text: str, file: str, mistakes: Mistakes) -> None:
        self._text = text
        self._file = file
        self._mistakes = mistakes

    def body(self, type_: str, place: Place, labels: tuple[Label, ...], node: Any) -> Block:
        """The block with this head, and what its body holds."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in node.children:
            if child.data == "block":
                blocks.append(self._block(child))
            if child.data == "attribute":
                attribute = self._attribute(child)
                self._check_new(attribute, attributes)
                attributes.setdefault(attribute.name, attribute)
        return Block(type_, place, labels, attributes, tuple(blocks))

    def _block(self, node: Any) -> Block:
        head = [child for child in node.children if getattr(child, "data", None) not in (None, "body")]
        head = [child for child in head if child.data != "new_line_or_comment"]
        place = self._place(head[0].meta, head[-1].meta)
        body = next(child for child in node.children if getattr(child, "data", None) == "body")
        return self.body(self._name(head[0]), place, tuple(self._label(each) for each in head[1:]), body)

    def _attribute(self, node: Any) -> Attribute:
        name, expression = node.children[0], node.children[-1]
        source = self._text[expression.meta.start_pos : expression.meta.end_pos]
        text = Text(source, self._place(expression.meta, expression.meta))
        return Attribute(self._name(name), self._place(name.meta, name.meta), text)

    def _check_new(self, attribute: Attribute, others: Mapping[str, Attribute]) -> None:
        if other := others.get(attribute.name):
            detail = f'The argument "{attribute.name}" was already set at {other.place}.'
            self._mistakes.at(attribute.place, "Attribute redefined", detail=detail)

    def _label(self, node: Any) -> Label:
        place = self._place(node.meta, node.meta)
        if node.data != "string":
            return Label(self._name(node), place)
        source = self._text[node.meta.start_pos + 1 : node.meta.end_pos - 1]
        try:
            return Label(_literal(source), place)
        except ValueError:
            self._mistakes.at(place, "Invalid label", detail="A label is a plain text, without templates.")
            return Label(source, place)

    def _name(self, node: Any) -> str:
        return self._text[node.meta.start_pos : node.meta.end_pos]

    def _place(self, first: Any, last: Any) -> Place:
        return Place(self._file, first.line, first.column, last.end_line, last.end_column)


def _literal(source: str) -> str:
    """The text of a label's source. `ValueError` for one that is no plain text."""
    rest = _ESCAPE.sub("", source)
    if any(each in rest for each in ("\\", "${", "%{", "\n")):
        raise ValueError(source)
    return _ESCAPE.sub(_unescaped, source)


def _unescaped(found: re.Match[str]) -> str:
    letter, number, longer, doubled = found.groups()
    if letter:
        return _ESCAPES[letter]
    return doubled[0] if doubled else chr(int(number or longer, 16))
