"""Backends as upstreams, and what a `proxy` makes of a request on its way there and of the answer on its way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from jwtgate.dialects.couper.reading.configuration import Backend, Edits, Endpoint, Proxy, Request, Text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import (
    Changes,
    as_basic_auth,
    as_request_headers,
    as_response_headers,
    change_requests,
    change_responses,
)
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import VARIES, Around, constant_of, members, source_of, value_of
from jwtgate.dialects.dialect import literal

_WILDCARD = "/**"
KEEPS_STATUS = "What a backend answers keeps its status."
_NOT_SENT = ("authorization", "cookie")
_LONGEST_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a `proxy` or `request` goes: an upstream, a path and a query, each where it is not the client's own.

    `wildcard`: the path ends with what `/**` of the endpoint stands for. `prefix` is put before the path.
    """

    upstream: str
    path: Text | None = None
    query: Text | None = None
    wildcard: bool = False
    prefix: str = ""


def destination_of(draft: Draft, block: Proxy | Request) -> Destination | None:
    """Where this block goes; None where that varies in ways no document says."""
    place, backend = place_of(block), block.backend
    url = _static(draft, block.url, f"{place}/url") if block.url is not None else ""
    told = _static(draft, backend.origin, f"{place_of(backend)}/origin") if backend is not None else ""
    if url is None or told is None:
        return None
    parts = urlsplit(url)
    origin = told or f"{parts.scheme}://{parts.netloc}"
    if not urlsplit(origin).netloc:
        draft.notes.refused(place, "It says of no origin where it goes.")
        return None
    path, query = _of_url(block, url)
    if backend is not None and backend.path is not None:
        path = backend.path
    prefix = ""
    if backend is not None and backend.path_prefix is not None:
        found = _static(draft, backend.path_prefix, f"{place_of(backend)}/path_prefix")
        if found is None:
            return None
        prefix = found.rstrip("/")
    upstream = _upstream(draft, origin.rstrip("/"), backend)
    fixed = None if path is None else constant_of(draft, path)
    wildcard = isinstance(fixed, str) and fixed.endswith(_WILDCARD)
    return Destination(upstream, path, query, wildcard, prefix)


def _static(draft: Draft, text: Text | None, place: str) -> str | None:
    """The text of an expression that must not vary, "" for none; None and a note where it does."""
    if text is None:
        return ""
    value = constant_of(draft, text)
    if isinstance(value, str):
        return value
    draft.notes.refused(place, "Where requests go is fixed, but for path and query: nobody may be sent elsewhere.")
    return None


def _of_url(block: Proxy | Request, url: str) -> tuple[Text | None, Text | None]:
    parts = urlsplit(url)
    if block.url is None:
        return None, None
    path = Text(source_of(parts.path), block.url.place) if parts.path else None
    return path, Text(source_of(parts.query), block.url.place) if parts.query else None


def _upstream(draft: Draft, origin: str, backend: Backend | None) -> str:
    section: Section = {"targets": [literal(origin)], **draft.trusted(origin)}
    if backend is None:
        return draft.upstream(urlsplit(origin).netloc, section)
    section |= {
        "connect_seconds": _seconds(backend.connect_timeout),
        "first_byte_seconds": _seconds(backend.ttfb_timeout),
    }
    place = place_of(backend)
    hostname = _static(draft, backend.hostname, f"{place}/hostname")
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


def _seconds(value: float) -> float:
    return float(min(max(value, 0.001), _LONGEST_SECONDS)) if value > 0 else _LONGEST_SECONDS


def forwarded(
    draft: Draft, endpoint: Endpoint, proxy: Proxy, around: Around, outer: Iterable[tuple[Edits, str]]
) -> Section | None:
    """The keys of a route that sends requests on as this `proxy` does; None where that cannot be said.

    `outer` are the blocks around it whose modifiers of answers come last, with their places.
    """
    destination = destination_of(draft, proxy)
    if destination is None:
        return None
    place = place_of(proxy)
    edits = [(endpoint.edits, place_of(endpoint)), (proxy.edits, place)]
    if proxy.backend is not None:
        edits.append((proxy.backend.edits, place_of(proxy.backend)))
    sent, answered = Changes(), Changes()
    for name in _NOT_SENT:
        sent.remove(name)
    _authenticate(sent, proxy.backend)
    for each, where in edits:
        change_requests(draft, sent, each, where)
        _refuse_forms(draft, each, where)
    for each, where in (*reversed(edits), *outer):
        change_responses(draft, answered, each, where)
        if each.set_response_status is not None:
            draft.notes.refused(f"{where}/set_response_status", KEEPS_STATUS)
    answered.put("server", Text('"couper.io"', proxy.place))
    rewrite = _rewrite(draft, destination, around)
    query = changed_query(draft, destination.query, edits)
    if query is not None:
        rewrite["query"] = value_of(draft, query, around)
    timeout = {} if proxy.backend is None else {"request_seconds": _seconds(proxy.backend.timeout)}
    return {
        "upstream": destination.upstream,
        **({"rewrite": rewrite} if rewrite else {}),
        "request_headers": as_request_headers(draft, _keeping_cookie(sent), around),
        "response_headers": as_response_headers(draft, answered, around, place),
        **timeout,
    }


def _keeping_cookie(sent: Changes) -> Changes:
    """The changes; a `cookie` that is set to the client's own is left as it is, since no other can be set."""
    if sent.set.pop("cookie", None) is not None:
        sent.removed.pop("cookie", None)
    return sent


def _authenticate(changes: Changes, backend: Backend | None) -> None:
    if backend is not None and backend.basic_auth is not None:
        changes.put("authorization", as_basic_auth(backend.basic_auth))


def _refuse_forms(draft: Draft, edits: Edits, place: str) -> None:
    for name in ("set_form_params", "add_form_params", "remove_form_params"):
        if getattr(edits, name) is not None:
            draft.notes.refused(f"{place}/{name}", "Bodies are passed on as they came.")


def _rewrite(draft: Draft, destination: Destination, around: Around) -> Section:
    path, prefix = destination.path, destination.prefix
    if path is None:
        return {"add_prefix": literal(prefix)} if prefix else {}
    fixed = constant_of(draft, path)
    if destination.wildcard and isinstance(fixed, str):
        whole = prefix + fixed.removesuffix(_WILDCARD)
        return {"strip_matched_prefix": True, **({"add_prefix": literal(whole)} if whole else {})}
    if isinstance(fixed, str):
        return {"path": literal(prefix + fixed)}
    if fixed is not VARIES:
        return {"add_prefix": literal(prefix)} if prefix else {}
    joined = Text(f'join("", [{source_of(prefix)}, ({path.source})])', path.place) if prefix else path
    return {"path": value_of(draft, joined, around)}


def changed_query(draft: Draft, query: Text | None, edits: Iterable[tuple[Edits, str]]) -> Text | None:
    """The query instead of the client's own as an expression; None: the client's own."""
    removed: list[str] = []
    parts: list[str] = ["request.query"]
    where_it_stands = None
    for each, where in edits:
        names = None if each.remove_query_params is None else constant_of(draft, each.remove_query_params)
        if isinstance(names, list):
            removed += [str(name) for name in names]
            where_it_stands = each.remove_query_params
        for name, value in members(draft, each.set_query_params, f"{where}/set_query_params").items():
            removed.append(name)
            parts.append(f"{{ {source_of(name)} = ({value.source}) }}")
            where_it_stands = value
        for name, value in members(draft, each.add_query_params, f"{where}/add_query_params").items():
            parts.append(f"{{ {source_of(name)} = [({value.source})] }}")
            where_it_stands = value
    if where_it_stands is None:
        return query
    kept = f"{{ for k, v in request.query : k => v if !contains({source_of(removed)}, k) }}"
    return Text(f"merge({', '.join([kept, *parts[1:]])})", where_it_stands.place)
