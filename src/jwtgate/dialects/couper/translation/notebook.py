"""What became of every setting of a configuration: taken over as it is, unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from jwtgate.dialects.couper.reading.configuration import (
    Api,
    Backend,
    BasicAuth,
    Configuration,
    Cors,
    Edits,
    Endpoint,
    ErrorHandler,
    ErrorHandlers,
    Introspection,
    Jwt,
    Proxy,
    Request,
    Response,
    Server,
    SigningProfile,
    Source,
)
from jwtgate.dialects.dialect import Meaning, Note

Block = (
    Api
    | Backend
    | BasicAuth
    | Cors
    | Endpoint
    | ErrorHandler
    | Introspection
    | Jwt
    | Proxy
    | Request
    | Response
    | Server
    | SigningProfile
)
_NAMES: Mapping[type, str] = {
    Api: "api",
    Backend: "backend",
    BasicAuth: "basic_auth",
    Cors: "cors",
    Endpoint: "endpoint",
    ErrorHandler: "error_handler",
    Introspection: "beta_introspection",
    Jwt: "jwt",
    Proxy: "proxy",
    Request: "request",
    Response: "response",
    Server: "server",
    SigningProfile: "jwt_signing_profile",
}
# What names a block, or says again what another attribute says.
_NOT_SET = frozenset({"place", "label", "name", "pattern", "kinds", "source_name"})
_NOT_SET_OF: Mapping[type, frozenset[str]] = {Backend: frozenset({"key"}), Endpoint: frozenset({"path"})}
_NAMED_OTHERWISE = {"jwks_file": "jwks_url", "proxies": "proxy", "requests": "request"}


def place_of(block: Block) -> str:
    """Where a block stands, for notes: its file and line, its kind and its label."""
    label = _label(block)
    named = f' "{label}"' if label else ""
    return f"{block.place.file}:{block.place.line} {_NAMES[type(block)]}{named}"


def _label(block: Block) -> str:
    match block:
        case Endpoint():
            return block.pattern
        case Proxy() | Request():
            return "" if block.name == "default" else block.name
        case ErrorHandler():
            return " ".join(block.kinds)
        case Cors() | Response() | Introspection():
            return ""
    return block.label or ""


class Notebook:
    """Collects notes by place. The first thing that is said of a place stands."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._said: dict[str, Note] = {}

    def changed(self, place: str, sentence: str) -> None:
        """It means something else here."""
        self._said.setdefault(place, Note(place, Meaning.CHANGED, sentence))

    def refused(self, place: str, sentence: str) -> None:
        """It cannot be had."""
        self._said.setdefault(place, Note(place, Meaning.REFUSED, sentence))

    def dangerous(self, place: str, sentence: str) -> None:
        """It is taken over as it is, and is worth a second look."""
        self._said.setdefault(place, Note(place, Meaning.EXACT, sentence, dangerous=True))

    def notes(self) -> tuple[Note, ...]:
        """A note for every setting, in the order of the configuration; those on what is no setting last."""
        written = {place: Note(place, Meaning.EXACT) for place in _settings(self._configuration)}
        # Told at the start, as is all that changed, and by who only checks.
        warnings = (Note("couper", Meaning.CHANGED, each, dangerous=True) for each in self._configuration.warnings)
        return (*(written | self._said).values(), *warnings)


def _settings(configuration: Configuration) -> Iterator[str]:
    yield from (f"{place.file}:{place.line} settings/{name}" for name, place in configuration.settings.places.items())
    blocks: tuple[Mapping[str, Block], ...] = (
        configuration.access_controls,
        configuration.profiles,
        configuration.backends,
    )
    for each in blocks:
        for block in each.values():
            yield from _of_block(block)
    for server in configuration.servers:
        yield from _of_block(server)


def _of_block(block: Block) -> Iterator[str]:
    here = place_of(block)
    skipped = _NOT_SET | _NOT_SET_OF.get(type(block), frozenset())
    for attribute in fields(block):
        value = getattr(block, attribute.name)
        if attribute.name not in skipped and value != _default(attribute):
            yield from _of_value(here, attribute.name, value)


def _of_value(here: str, name: str, value: Any) -> Iterator[str]:
    if isinstance(value, ErrorHandlers):
        held = {id(each): each for level in value.levels for each in level.values()}
        for handler in held.values():
            yield from _of_block(handler)
    elif isinstance(value, Source):
        yield f"{here}/{value.value}"
    elif isinstance(value, Edits):
        yield from (f"{here}/{each.name}" for each in fields(value) if getattr(value, each.name) is not None)
    elif type(value) in _NAMES:
        yield from _of_block(value)
    elif isinstance(value, tuple) and value and type(value[0]) in _NAMES:
        for block in value:
            yield from _of_block(block)
    else:
        yield f"{here}/{_NAMED_OTHERWISE.get(name, name)}"


def _default(attribute: Field[Any]) -> object:
    return () if attribute.default is MISSING else attribute.default
