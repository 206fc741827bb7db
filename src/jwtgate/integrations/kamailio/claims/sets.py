"""Claims as a script gives them, a list, a template or a mapping, to the claims of a token or what is asked of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from jwtgate.integrations.kamailio.claims.lists import Entry, split_list
from jwtgate.integrations.kamailio.claims.templates import Template, value_of
from jwtgate.integrations.kamailio.settings import Settings, Variables
from jwtgate.jose.encoding import JSON, json_bytes

Source: TypeAlias = "str | bytes | Template | Mapping[str, JSON | Template]"
Pair: TypeAlias = "tuple[str, JSON]"


class NotAdded(Exception):
    """A claim cannot be added: it stands there already, or cannot be written. `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def claims_to_write(source: Source, settings: Settings, *, beside: Mapping[str, JSON]) -> dict[str, JSON]:
    """The claims of a source together with those `beside` it. What has no name or no value is left out.

    `ValueError` for a list that cannot be read, `NotAdded` for a claim that stands there twice or has no JSON form.
    """
    pairs = [(name, value) for name, value in _pairs(source, settings) if name and value is not None]
    return _collected(pairs, beside, settings)


def claims_to_find(source: Source, settings: Settings) -> dict[str, JSON]:
    """What a token must carry. `ValueError` and `NotAdded` as `claims_to_write`.

    An entry without a name or a value could not be checked, and is a `ValueError`; with `compat` it is left out, as an
    entry that is empty altogether always is.
    """
    pairs: list[Pair] = []
    for name, value in _pairs(source, settings):
        if name and value is not None:
            pairs.append((name, value))
        elif not settings.compat and (name or value is not None):
            raise ValueError(f"nothing is asked of claim {name!a}")
    return _collected(pairs, {}, settings)


def _pairs(source: Source, settings: Settings) -> Iterator[Pair]:
    """Names and values in their order; None for a value that is not there."""
    if isinstance(source, Mapping):
        for name, value in source.items():
            filled = value.value(settings.variables) if isinstance(value, Template) else value
            yield name, None if isinstance(value, Template) and filled == "" else filled
    elif isinstance(source, Template):
        for entry in _whole(source.entries(), settings):
            value = _filled(entry, settings.variables)
            yield entry.name, None if value == "" else value
    else:
        text = source.decode("utf-8", "surrogateescape") if isinstance(source, bytes) else source
        for entry in _whole(split_list(text), settings):
            yield entry.name, None if entry.value == "" else entry.typed


def _whole(split: tuple[tuple[Entry, ...], str], settings: Settings) -> tuple[Entry, ...]:
    entries, rest = split
    if rest and not settings.compat:
        raise ValueError(f"the list would end at {rest[0]!a}, and what follows would be ignored")
    return entries


def _filled(entry: Entry, variables: Variables) -> str | int | None:
    if entry.value is None or "$" not in entry.value:
        return entry.typed
    value = value_of(entry.value, variables)
    return str(value) if entry.quoted and value is not None else value


def _collected(pairs: Iterable[Pair], beside: Mapping[str, JSON], settings: Settings) -> dict[str, JSON]:
    """As the reference fills a token: from last to first, a text once, a number once unless it is -1."""
    claims = dict(beside)
    for name, value in reversed(list(pairs)):
        held = claims.get(name)
        if held is not None and type(held) is type(value) and held != -1:
            raise NotAdded(name)
        claims[name] = _writable(name, value, settings)
    return claims


def _writable(name: object, value: JSON, settings: Settings) -> JSON:
    if not isinstance(name, str):
        raise NotAdded(str(name))
    if type(value) is str and value.isascii() and name.isascii() and "\0" not in value + name:
        return value  # as nearly always
    if isinstance(value, str) and "\0" in value and settings.compat:
        value = value.partition("\0")[0]
    try:
        if b"\\u0000" in json_bytes({name: value}):
            raise NotAdded(name)
    except (TypeError, ValueError, RecursionError):
        raise NotAdded(name) from None
    return value
