"""A document from its bytes: read, references resolved, validated; or every mistake in it at once.

A store may add to what the file says and never change it: what the file names, the file says alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jwtgate.config.checks import Mistake, Mistakes, Place
from jwtgate.config.problems import mistakes_of, sentences, shown
from jwtgate.config.schema import keeps_references
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.languages import INSTALLED, Languages
from jwtgate.config.source import Plain, read_source
from jwtgate.errors import ConfigError

Resolve = Callable[[str], str]
Stored = Mapping[str, Mapping[str, Plain]]
"""What a store adds: names and their values by the section they belong to."""

STORED_SECTIONS = ("routes", "upstreams", "issuers", "signing.keys", "secret_stores", "consumers")

_OF_STORE = re.compile(r"(?<!\$)\$\{(?!env:|file:)")


def load_document(
    data: bytes,
    *,
    name: str,
    folder: Path,
    resolve: Resolve,
    stored: Stored | None = None,
    languages: Languages = INSTALLED,
) -> Document:
    """The document in these bytes, with what the store adds. `ConfigError` with all its mistakes.

    `name` tells the kind of text by its ending and stands in every sentence. Files are found from `folder`.
    `resolve` expands the `${...}` in a text; those of secrets are kept for later. `languages` are those its expressions
    may be written in besides CEL.
    """
    source = read_source(data, name)
    merged, _ = merge(source.data, stored or {})
    added = _added(source.data, stored or {})
    mistakes: list[Mistake] = []
    plain = resolved(merged, (), resolve, mistakes) if stored or b"${" in data else merged
    context = {"folder": folder, "present": merged if isinstance(merged, dict) else None, "languages": languages}
    try:
        document = Document.model_validate(plain, context=context)
    except ValidationError as error:
        mistakes.extend(mistakes_of(error, merged))
        mistakes.extend(_remaining(plain, error, merged, context))
        raise ConfigError(*sentences(mistakes, source, added)) from None
    if mistakes:
        raise ConfigError(*sentences(mistakes, source, added))
    return document


def load_plain(data: bytes, *, name: str) -> Plain:
    """The document in these bytes as plain data, nothing in it looked at. `ConfigError` when it cannot be read."""
    return read_source(data, name).data


def merge(plain: Plain, stored: Stored) -> tuple[Plain, tuple[str, ...]]:
    """The document with what the store adds, and the places of what the store has although the file names it."""
    if not isinstance(plain, dict):
        return plain, ()
    added = _added(plain, stored)
    merged = dict(plain)
    for section in dict.fromkeys(place[:-1] for place in added):
        holder = merged
        for step in section:
            held = holder.get(step)
            holder[step] = holder = dict(held) if isinstance(held, dict) else _unsaid(section)
        holder.update({name: value for name, value in stored[".".join(section)].items() if (*section, name) in added})
    shadowed = (shown((section, name)) for section, names in stored.items() for name in names)
    shown_added = set(map(shown, added))
    return merged, tuple(place for place in shadowed if place not in shown_added)


def _unsaid(section: tuple[str, ...]) -> dict[str, Plain]:
    """What a section the file does not have means. The signing key of a document that names none is `default`."""
    return {"default": {}} if section == ("signing", "keys") else {}


def _added(plain: Plain, stored: Stored) -> frozenset[tuple[str, ...]]:
    """The places of what the store adds. A section that is no mapping takes nothing: it is a mistake anyway."""
    return frozenset(
        (*section.split("."), name)
        for section, names in stored.items()
        if (held := _held(plain, section)) is not None
        for name in names
        if name not in held
    )


def _held(plain: Plain, section: str) -> dict[str, Plain] | None:
    for step in section.split("."):
        if not isinstance(plain, dict):
            return None
        plain = plain.get(step, {})
    return plain if isinstance(plain, dict) else None


def resolved(value: Plain, place: Place, resolve: Resolve, mistakes: list[Mistake]) -> Plain:
    """The data with its references resolved. Those at secret places are kept; mistakes are added to the list."""
    if isinstance(value, dict):
        return {name: resolved(item, (*place, name), resolve, mistakes) for name, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, (*place, index), resolve, mistakes) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    if place[:1] == ("secret_stores",) and _OF_STORE.search(value):
        mistakes.append(Mistake(place, "a secret store may refer to env and file only"))
        return value
    if keeps_references(place):
        return value
    try:
        return resolve(value)
    except ConfigError as error:
        mistakes.extend(Mistake(place, problem) for problem in error.problems)
        return value


def _remaining(plain: Plain, error: ValidationError, written: Plain, context: Mapping[str, Any]) -> list[Mistake]:
    """The mistakes between sections that the parts without a mistake of their own still show.

    What is wrong is left out, first as narrowly as it can be, then with all of its section's entry.
    """
    kept = plain
    for depth in (3, 2, 1):
        places = {_narrowed(details["loc"][:depth]) for details in error.errors()}
        if () in places:
            return []
        kept = _without(kept, places)
        try:
            Document.model_validate({"listen": "127.0.0.1:0", **kept}, context=dict(context))
        except ValidationError as others:
            error = others
            if all(isinstance((found.get("ctx") or {}).get("error"), Mistakes) for found in others.errors()):
                return list(mistakes_of(others, written))
        else:
            return []
    return []


def _narrowed(place: Place) -> Place:
    """The part to leave out: one key of an entry, unless the rest would then mean something else."""
    if place[:1] == ("routes",) and place[2:3] not in (("hosts",), ("methods",), ("from",), ("slots",)):
        return place
    return place[:2] if place[:1] in (("issuers",), ("upstreams",), ("routes",), ("consumers",)) else place[:1]


def _without(data: Plain, places: set[Place]) -> Plain:
    """The data without what stands at these places."""
    if () in places or not isinstance(data, dict):
        return None
    below: dict[str | int, set[Place]] = {}
    for place in places:
        below.setdefault(place[0], set()).add(place[1:])
    kept = {name: _without(item, below[name]) if name in below else item for name, item in data.items()}
    return {name: item for name, item in kept.items() if name not in below or item is not None}
