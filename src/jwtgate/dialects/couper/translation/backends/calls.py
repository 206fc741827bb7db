"""The `request` and `proxy` blocks of an endpoint that works out its answer: calls, each before those that read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jwtgate.dialects.couper.expressions.language import given_needed
from jwtgate.dialects.couper.reading.configuration import Edits, Endpoint, Proxy, Request, Text
from jwtgate.dialects.couper.translation.backends.destinations import Destination, below_path, destination_of
from jwtgate.dialects.couper.translation.backends.forwarding import changed_query
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import (
    Changes,
    as_basic_auth,
    as_fields,
    ask_with_fields,
    change_requests,
)
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import Around, constant_of, source_of, special, value_of
from jwtgate.dialects.dialect import as_name, literal

_WILDCARD = "/**"
_MOST_BYTES = 64 * 1024 * 1024


def blocks_of(endpoint: Endpoint) -> list[Proxy | Request]:
    """What an endpoint asks of backends."""
    return [*endpoint.requests, *endpoint.proxies]


def names_of(endpoint: Endpoint) -> dict[str, str]:
    """What the calls of an endpoint are called, by Couper's names."""
    return {block.name: as_name(block.name) for block in blocks_of(endpoint)}


def texts_of(block: Proxy | Request) -> Iterator[Text]:
    """The expressions of a block, those of its backend too."""
    edits = [block.edits] if isinstance(block, Proxy) else []
    backend = block.backend
    if backend is not None:
        edits.append(backend.edits)
        yield from (text for text in (backend.path, backend.basic_auth) if text is not None)
    if isinstance(block, Request):
        own = (block.method, block.headers, block.query_params, block.body, block.json_body, block.form_body)
        yield from (text for text in own if text is not None)
    yield from (text for each in edits for text in _of_edits(each))


def texts_of_answers(edits: Edits) -> Iterator[Text]:
    """The expressions that say how an answer is changed."""
    texts = (edits.set_response_headers, edits.add_response_headers, edits.set_response_status)
    yield from (text for text in texts if text is not None)


def _of_edits(edits: Edits) -> Iterator[Text]:
    texts = (getattr(edits, name) for name in Edits.__slots__)
    yield from (text for text in texts if text is not None)


def calls_of(draft: Draft, endpoint: Endpoint, around: Around) -> Section | None:
    """The calls of an endpoint, named as in `around`; None where one of them cannot be made."""
    found: Section = {}
    for block in _in_order(blocks_of(endpoint)):
        call = _call(draft, block, around, endpoint)
        if call is None:
            return None
        found[around.calls[block.name]] = call
    return found


def _in_order(blocks: Sequence[Proxy | Request]) -> list[Proxy | Request]:
    """The blocks, each behind those whose answers it reads."""
    left, found = list(blocks), list[Proxy | Request]()
    while left:
        waiting = {block.name for block in left}
        ready = [block for block in left if not waiting & (_reads(block, waiting) - {block.name})]
        found += ready or left
        left = [block for block in left if block not in found]
    return found


def _reads(block: Proxy | Request, names: set[str]) -> set[str]:
    found: set[str] = set()
    for text in texts_of(block):
        called = given_needed(text.source).calls
        found |= names if called is None else called
    return found


def _call(draft: Draft, block: Proxy | Request, around: Around, endpoint: Endpoint) -> Section | None:
    destination = destination_of(draft, block)
    if destination is None:
        return None
    edits = [] if block.backend is None else [(block.backend.edits, place_of(block.backend))]
    if isinstance(block, Proxy):
        edits = [(endpoint.edits, place_of(endpoint)), (block.edits, place_of(block)), *edits]
    section: Section = {"upstream": destination.upstream, "path": _path(draft, destination, around, endpoint)}
    changes = Changes()
    section |= (
        _proxied(draft, block, changes, around) if isinstance(block, Proxy) else _asked(draft, block, changes, around)
    )
    if block.backend is not None and block.backend.basic_auth is not None:
        changes.put("authorization", as_basic_auth(block.backend.basic_auth))
    for each, where in edits:
        change_requests(draft, changes, each, where)
    fields = as_fields(draft, changes, around)
    if isinstance(block, Proxy):
        fields = {**{name: special("null") for name in changes.removed}, **fields}
    there = "request.query" if isinstance(block, Proxy) else "{}"
    query = changed_query(draft, destination, edits, there=there)
    if query is not None and (isinstance(block, Proxy) or block.query_params is None):
        section["query"] = {"constant": literal(query)} if isinstance(query, str) else value_of(draft, query, around)
    if fields:
        section["headers"] = fields
    if block.expected_status:
        section["expected_status"] = list(block.expected_status)
    timeout = 300.0 if block.backend is None or block.backend.timeout <= 0 else block.backend.timeout
    return {**section, "timeout_seconds": float(timeout), "most_bytes": _MOST_BYTES}


def _path(draft: Draft, destination: Destination, around: Around, endpoint: Endpoint) -> Section | str:
    path = destination.path
    if path is None:
        if not destination.prefix:
            return {"request": "path"}
        prefixed = f'join("", [{source_of(destination.prefix)}, request.path])'
        return value_of(draft, Text(prefixed, endpoint.place), around)
    varying = below_path(destination, endpoint)
    if varying is not None:
        return value_of(draft, varying, around)
    return literal(path) or "/" if isinstance(path, str) else value_of(draft, path, around)


def _proxied(draft: Draft, proxy: Proxy, changes: Changes, around: Around) -> Section:
    """What of the client's own request is asked of the backend."""
    changes.put("content-type", Text('request.headers["content-type"]', proxy.place))
    body = value_of(draft, Text('request.body == "" ? null : request.body', proxy.place), around)
    return {
        "method": {"request": "method"},
        "query": {"request": "query"},
        "body": body,
        "passes_request_fields": True,
    }


def _asked(draft: Draft, request: Request, changes: Changes, around: Around) -> Section:
    place = place_of(request)
    ask_with_fields(draft, changes, request.headers, f"{place}/headers")
    found: Section = {}
    for name, text in (("body", request.body), ("json", request.json_body), ("form", request.form_body)):
        if text is not None:
            found[name] = value_of(draft, text, around)
    if request.method is not None:
        method = constant_of(draft, request.method)
        found["method"] = method.upper() if isinstance(method, str) else value_of(draft, request.method, around)
    query = request.query_params
    if query is not None and constant_of(draft, query) is not None:
        found["query"] = value_of(draft, query, around)
    return found
