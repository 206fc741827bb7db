"""A document from its bytes: read, references resolved, validated; or every mistake in it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jwtgate.config.checks import Mistake, Mistakes, Place
from jwtgate.config.problems import mistakes_of, sentences
from jwtgate.config.schema import is_secret
from jwtgate.config.sections.document import Document
from jwtgate.config.source import Plain, Source, read_source
from jwtgate.errors import ConfigError

Resolve = Callable[[str], str]


def load_document(data: bytes, *, name: str, folder: Path, resolve: Resolve) -> Document:
    """The document in these bytes. `ConfigError` with all its mistakes.

    `name` tells the kind of text by its ending and stands in every sentence. Files are found from `folder`.
    `resolve` expands the `${env:NAME}` and `${file:PATH}` in a text; those of secrets are kept for later.
    """
    source = read_source(data, name)
    mistakes: list[Mistake] = []
    plain = _resolved(source.data, (), resolve, mistakes) if b"${" in data else source.data
    context = {"folder": folder, "present": source.data if isinstance(source.data, dict) else None}
    try:
        document = Document.model_validate(plain, context=context)
    except ValidationError as error:
        mistakes.extend(mistakes_of(error, source))
        mistakes.extend(_remaining(plain, error, source, context))
        raise ConfigError(*sentences(mistakes, source)) from None
    if mistakes:
        raise ConfigError(*sentences(mistakes, source))
    return document


def _resolved(value: Plain, place: Place, resolve: Resolve, mistakes: list[Mistake]) -> Plain:
    if isinstance(value, dict):
        return {name: _resolved(item, (*place, name), resolve, mistakes) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, (*place, index), resolve, mistakes) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value or is_secret(place):
        return value
    try:
        return resolve(value)
    except ConfigError as error:
        mistakes.extend(Mistake(place, problem) for problem in error.problems)
        return value


def _remaining(plain: Plain, error: ValidationError, source: Source, context: Mapping[str, Any]) -> list[Mistake]:
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
                return list(mistakes_of(others, source))
        else:
            return []
    return []


def _narrowed(place: Place) -> Place:
    """The part to leave out: one key of an entry, unless the rest would then mean something else."""
    if place[:1] == ("routes",) and place[2:3] not in (("hosts",), ("methods",), ("from",), ("slots",)):
        return place
    return place[:2] if place[:1] in (("issuers",), ("upstreams",), ("routes",)) else place[:1]


def _without(data: Plain, places: set[Place]) -> Plain:
    """The data without what stands at these places."""
    if () in places or not isinstance(data, dict):
        return None
    below: dict[str | int, set[Place]] = {}
    for place in places:
        below.setdefault(place[0], set()).add(place[1:])
    kept = {name: _without(item, below[name]) if name in below else item for name, item in data.items()}
    return {name: item for name, item in kept.items() if name not in below or item is not None}
