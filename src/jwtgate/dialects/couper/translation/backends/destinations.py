"""Where a `proxy` or `request` goes: an upstream, and path and query, which may be worked out for each request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from jwtgate.dialects.couper.expressions.language import pieces_of
from jwtgate.dialects.couper.reading.configuration import Backend, Endpoint, Place, Proxy, Request, Text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import constant_of, source_of
from jwtgate.dialects.dialect import literal

_WILDCARD = "/**"
_LONGEST_SECONDS = 366 * 86400.0
_NO_VALUE = "It has no value; is its variable of the environment set?"
_NO_ORIGIN = 'An origin is http:// or https:// and a host, as "http://127.0.0.1:9000"; its path belongs to "path".'
_ELSEWHERE = "Where requests go is fixed, but for path and query: nobody may be sent elsewhere."

Piece = str | Text
"""A text, or an expression that stands in its place."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a `proxy` or `request` goes: an upstream, a path and a query, each where it is not the client's own.

    `wildcard`: behind the path comes what `/**` of the endpoint stands for. `prefix` is put before the client's path.
    """

    upstream: str
    path: Piece | None = None
    query: Piece | None = None
    wildcard: bool = False
    prefix: str = ""


def destination_of(draft: Draft, block: Proxy | Request) -> Destination | None:
    """Where this block goes; None where that varies in ways no document says."""
    place, backend = place_of(block), block.backend
    told = static(draft, backend.origin, f"{place_of(backend)}/origin") if backend is not None else ""
    prefix = _prefix(draft, backend)
    if told is None or prefix is None:
        return None
    pieces = _pieces(draft, block.url)
    own, pieces = _without_origin(pieces)
    if backend is not None and told and not _is_origin(told):
        draft.notes.refused(f"{place_of(backend)}/origin", _NO_ORIGIN)
        return None
    if not urlsplit(told or own).netloc or (pieces and not _begins_with(pieces, "/?")):
        draft.notes.refused(f"{place}/url" if pieces else place, _ELSEWHERE)
        return None
    path, query = _split(pieces)
    if backend is not None and backend.path is not None:
        path = _pieces(draft, backend.path)
    upstream = _upstream(draft, (told or own).rstrip("/"), backend)
    asked = _joined(query, block.place)
    if not path:
        return Destination(upstream, query=asked, prefix=prefix)
    last = path[-1]
    wildcard = isinstance(last, str) and last.endswith(_WILDCARD)
    if isinstance(last, str):
        path = [*path[:-1], last.removesuffix(_WILDCARD)]
    return Destination(upstream, _joined([prefix, *path], block.place), asked, wildcard)


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.netloc and parts.scheme in ("http", "https")) and parts[2:] in (("", "", ""), ("/", "", ""))


def below_path(destination: Destination, endpoint: Endpoint) -> Text | None:
    """The expression of a path that ends with what `/**` of the endpoint stands for, or of one that varies."""
    path = destination.path
    if path is None or (isinstance(path, str) and not destination.wildcard):
        return None
    source = source_of(path) if isinstance(path, str) else path.source
    if not destination.wildcard:
        return Text(source, endpoint.place)
    depth = endpoint.path.removesuffix(_WILDCARD).count("/")
    below = f'join("/", [for i, s in split("/", request.path) : s if i > {depth}])'
    return Text(f'join("", [{source}, "/", {below}])', endpoint.place)


def static(draft: Draft, text: Text | None, place: str) -> str | None:
    """The text of an expression that must not vary, "" for none; None and a note where it does."""
    if text is None:
        return ""
    value = constant_of(draft, text)
    if isinstance(value, str):
        return value
    draft.notes.refused(place, _NO_VALUE if value is None else _ELSEWHERE)
    return None


def _prefix(draft: Draft, backend: Backend | None) -> str | None:
    if backend is None or backend.path_prefix is None:
        return ""
    found = static(draft, backend.path_prefix, f"{place_of(backend)}/path_prefix")
    return None if found is None else found.rstrip("/")


def _pieces(draft: Draft, text: Text | None) -> list[Piece]:
    """What a text is made of, as far as it is known."""
    if text is None:
        return []
    constant = constant_of(draft, text)
    if isinstance(constant, str):
        return [constant]
    pieces: list[Piece] = []
    for is_text, piece in pieces_of(text.source):
        expression = Text(piece, text.place)
        value = piece if is_text else constant_of(draft, expression)
        if isinstance(value, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += value
        else:
            pieces.append(value if isinstance(value, str) else expression)
    return pieces


def _without_origin(pieces: Sequence[Piece]) -> tuple[str, list[Piece]]:
    """The origin these begin with, as far as nothing can change it, and the rest."""
    first = pieces[0] if pieces else ""
    parts = urlsplit(first if isinstance(first, str) else "")
    origin = f"{parts.scheme}://{parts.netloc}"
    ends = len(pieces) == 1 or parts.path or parts.query
    if not isinstance(first, str) or not parts.netloc or not ends:
        return "", list(pieces)
    left = first[len(origin) :].partition("#")[0]
    return origin, [left, *pieces[1:]] if left else list(pieces[1:])


def _begins_with(pieces: Sequence[Piece], marks: str) -> bool:
    return isinstance(pieces[0], str) and pieces[0][:1] in marks


def _split(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The pieces of the path, and those of the query."""
    path: list[Piece] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, str) and "?" in piece:
            before, _, after = piece.partition("?")
            return [*path, *filter(None, [before])], [*filter(None, [after]), *pieces[index + 1 :]]
        path.append(piece)
    return path, []


def _joined(pieces: Sequence[Piece], place: Place) -> Piece | None:
    if not pieces:
        return None
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(piece for piece in pieces if isinstance(piece, str))
    template = "".join(source_of(piece)[1:-1] if isinstance(piece, str) else f"${{{piece.source}}}" for piece in pieces)
    return Text(f'"{template}"', place)


def _upstream(draft: Draft, origin: str, backend: Backend | None) -> str:
    section: Section = {"targets": [literal(origin)], **draft.trusted(origin)}
    if backend is None:
        return draft.upstream(urlsplit(origin).netloc, section)
    section |= {
        "connect_seconds": seconds(backend.connect_timeout),
        "first_byte_seconds": seconds(backend.ttfb_timeout),
    }
    place = place_of(backend)
    hostname = static(draft, backend.hostname, f"{place}/hostname")
    if hostname:
        section["host"] = literal(hostname)
    if backend.disable_connection_reuse:
        section["most_idle_connections"] = 0
    if backend.disable_certificate_validation:
        draft.notes.changed(f"{place}/disable_certificate_validation", "Certificates are always verified.")
    if backend.http2:
        draft.notes.changed(f"{place}/http2", "HTTP/1.1 is spoken.")
    if backend.max_connections:
        draft.notes.changed(f"{place}/max_connections", "As many connections are made as there are requests.")
    if backend.custom_log_fields is not None:
        draft.notes.changed(f"{place}/custom_log_fields", "There is no log of backends.")
    return draft.upstream(backend.label or urlsplit(origin).netloc, section)


def seconds(value: float) -> float:
    return float(min(max(value, 0.001), _LONGEST_SECONDS)) if value > 0 else _LONGEST_SECONDS
