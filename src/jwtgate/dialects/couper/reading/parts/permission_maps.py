"""Maps of roles and permissions, which stand in an attribute or in a JSON file."""

from __future__ import annotations

import json

from jwtgate.dialects.couper.reading.attributes import Attributes, table_of_lists
from jwtgate.dialects.couper.reading.files import content_of

Table = dict[str, tuple[str, ...]]


def read_map(attributes: Attributes, name: str, *, label: str, what: str) -> Table | None:
    """The map in the attribute or in the file of this name and `_file`; None when there is none, or a mistake."""
    file_name = f"{name}_file"
    if attributes.is_set(name) and attributes.is_set(file_name):
        sentence = f"{what}: read error: configured attribute and file"
        attributes.mistakes.of(label, sentence, place=attributes.place(file_name))
        return None
    if not attributes.is_set(file_name):
        return attributes.table(name)
    path = attributes.path(file_name)
    if path is None:
        return None
    try:
        return _parsed(content_of(path), what)
    except _WrongContent as problem:
        sentence = str(problem)
    except ValueError as problem:
        sentence = f"{what}: read error: {problem}"
    attributes.mistakes.of(label, sentence, place=attributes.place(file_name))
    return None


class _WrongContent(ValueError):
    pass


def _parsed(content: bytes, what: str) -> Table:
    try:
        said = json.loads(content)
        table = table_of_lists(said)
    except (ValueError, TypeError, RecursionError):
        raise _WrongContent(f"{what}: invalid file content") from None
    if not all(isinstance(each, str) for each in (part for parts in said.values() for part in parts)):
        raise _WrongContent(f"{what}: invalid file content")
    return table
