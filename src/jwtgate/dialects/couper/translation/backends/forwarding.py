"""Backends as upstreams, and what a `proxy` makes of a request on its way there and of the answer on its way back."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

from jwtgate.dialects.couper.reading.configuration import Backend, Edits, Endpoint, Proxy, Text
from jwtgate.dialects.couper.translation.backends.destinations import Destination, below_path, destination_of, seconds
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import (
    CLIENTS_COOKIES,
    Changes,
    as_basic_auth,
    as_request_headers,
    as_response_headers,
    change_requests,
    change_responses,
)
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import Around, constant_of, members, source_of, value_of
from jwtgate.dialects.dialect import literal

_NOT_SENT = ("authorization", "cookie")
_NO_OTHER_COOKIE = f"Other cookies than the client's ({CLIENTS_COOKIES}) must stand in it: {{ cookie = value }}."


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
    answered.put("server", Text('"couper.io"', proxy.place))
    rewrite = _rewrite(draft, destination, endpoint, around)
    query = changed_query(draft, destination, edits)
    if query is not None:
        rewrite["query"] = {"constant": literal(query)} if isinstance(query, str) else value_of(draft, query, around)
    timeout = {} if proxy.backend is None else {"request_seconds": seconds(proxy.backend.timeout)}
    return {
        "upstream": destination.upstream,
        **({"rewrite": rewrite} if rewrite else {}),
        "request_headers": as_request_headers(draft, _keeping_cookie(draft, sent, place), around),
        "response_headers": as_response_headers(draft, answered, around, place),
        **timeout,
    }


def _keeping_cookie(draft: Draft, sent: Changes, place: str) -> Changes:
    """The changes; a `cookie` that is set to the client's own is left as it is; for others a call is made."""
    told = sent.set.pop("cookie", []) + sent.added.pop("cookie", [])
    if [text.source.strip() for text in told] == [CLIENTS_COOKIES]:
        sent.removed.pop("cookie", None)
    elif told:
        draft.notes.refused(f"{place}/set_request_headers/cookie", _NO_OTHER_COOKIE)
    return sent


def _authenticate(changes: Changes, backend: Backend | None) -> None:
    if backend is not None and backend.basic_auth is not None:
        changes.put("authorization", as_basic_auth(backend.basic_auth))


def _refuse_forms(draft: Draft, edits: Edits, place: str) -> None:
    for name in ("set_form_params", "add_form_params", "remove_form_params"):
        if getattr(edits, name) is not None:
            draft.notes.refused(f"{place}/{name}", "Bodies are passed on as they came.")


def _rewrite(draft: Draft, destination: Destination, endpoint: Endpoint, around: Around) -> Section:
    path = destination.path
    if path is None:
        return {"add_prefix": literal(destination.prefix)} if destination.prefix else {}
    if isinstance(path, str) and destination.wildcard:
        return {"strip_matched_prefix": True, **({"add_prefix": literal(path)} if path else {})}
    varying = below_path(destination, endpoint)
    return {"path": literal(path) if isinstance(path, str) else value_of(draft, varying or path, around)}


def changed_query(
    draft: Draft, destination: Destination, edits: Iterable[tuple[Edits, str]], *, there: str = "request.query"
) -> Text | str | None:
    """The query instead of that which is `there`, as a text or an expression; None: that one."""
    removed: list[str] = []
    parts: list[str] = []
    where_it_stands = None
    for each, where in edits:
        names = None if each.remove_query_params is None else constant_of(draft, each.remove_query_params)
        if isinstance(names, list):
            removed += [str(name) for name in names]
            where_it_stands = each.remove_query_params
        for name, value in members(draft, each.set_query_params, f"{where}/set_query_params").items():
            removed.append(name)
            parts.append(f"{{ {source_of(name)} = ({value.source})[*] }}")
            where_it_stands = value
        for name, value in members(draft, each.add_query_params, f"{where}/add_query_params").items():
            parts.append(f"{{ {source_of(name)} = ({value.source})[*] }}")
            where_it_stands = value
    if where_it_stands is None:
        return destination.query
    if isinstance(destination.query, Text):
        place = f"{where_it_stands.place.file}:{where_it_stands.place.line}"
        draft.notes.refused(place, "The query of a url cannot vary and be changed.")
    elif destination.query is not None:
        there = source_of(parse_qs(destination.query, keep_blank_values=True))
    kept = f"{{ for k, v in {there} : k => v if !contains({source_of(removed)}, k) }}"
    return Text(f"merge({', '.join([kept, *parts])})", where_it_stands.place)
