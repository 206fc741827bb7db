"""Kong's objects as a document of ours."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from itertools import count
from typing import Any

from jwtgate.dialects.dialect import Objects, Settings, Translation, as_name, literals
from jwtgate.dialects.kong.translation.answers import of_document
from jwtgate.dialects.kong.translation.draft import Draft
from jwtgate.dialects.kong.translation.routes import native_routes
from jwtgate.dialects.kong.translation.routing import Match, matches_of
from jwtgate.dialects.sharing import listeners, take_shared_answers

_NO_REQUEST = {"match": {"when": "false"}, "auth": "none", "respond": {"status": 404}}


def translated(objects: Objects, settings: Settings) -> Translation:
    """The document these objects mean, without callers, and a note for every setting."""
    draft = Draft(objects, settings)
    routes: dict[str, dict[str, Any]] = {}
    for match, name, route in _in_order(draft):
        for suffix, section in native_routes(draft, match, route):
            routes[_free(f"{name}{suffix}", routes)] = section
    shared = take_shared_answers(routes)
    document: dict[str, Any] = {
        "listen": listeners(settings),
        "routing": "listed",
        "routes": dict(_with_kept_fields(routes)) or {"none": _NO_REQUEST},
        "answers": of_document() | shared,
        "own": {"keys": _keys_path(draft), "metadata": None},
        "fields": {"unusual_names": "drop"},
        "paths": {"repeated_slashes": "merge"},
    }
    document |= {name: held for name, held in (("issuers", draft.issuers), ("upstreams", draft.upstreams)) if held}
    if draft.signing_keys:
        document["signing"] = {"issuer": "kong", "keys": draft.signing_keys}
    # There are no references in Kong's objects.
    return Translation(literals(document), draft.notes.notes())


def _free(name: str, taken: Container[str]) -> str:
    """The name of a route; another where one route is called as another is, or as its id."""
    names = (as_name(f"{name}#{number}" if number > 1 else name) for number in count(1))
    return next(each for each in names if each not in taken)


def _keys_path(draft: Draft) -> str | None:
    """Where keys are shown that the gateway itself makes and rotates; the others are shown by the Admin API."""
    rotating = any("rotate_every_seconds" in section for section in draft.signing_keys.values())
    return "/.well-known/jwks.json" if rotating else None


def _in_order(draft: Draft) -> Iterator[tuple[Match, str, Mapping[str, Any]]]:
    """Every part of every route that can be reached, the one that is tried first first."""
    found: list[tuple[Match, str, Mapping[str, Any]]] = []
    for route in draft.held("routes").values():
        service = draft.held("services").get(route["service"]["id"]) if route["service"] else None
        if service is not None and not service["enabled"]:
            draft.notes.changed(f"{draft.place('services', service)}/enabled", "Its routes are left out.")
            continue
        for number, match in enumerate(matches_of(draft, route), start=1):
            name = f"{route['name'] or route['id']}{f'/{number}' if number > 1 else ''}"
            found.append((match, name, route))
    yield from sorted(found, key=lambda each: (each[0].rank, each[2]["created_at"] or 0))


def _with_kept_fields(routes: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The routes, where those that send a field of the client's on say so if another route sets it.

    What some route sets, no client may send on any route; Kong has no such rule.
    """
    set_by_us = {name.lower() for route in routes.values() for name in _fields_set(route)}
    for name, route in routes.items():
        own = {field.lower() for field in _fields_set(route)}
        told = _fields_read(route) if route.get("forward_token") else frozenset[str]()
        if not route.get("slots"):
            told = frozenset({"authorization"})
        told &= set_by_us
        if not told or "upstream" not in route:
            yield name, route
            continue
        kept = {field: {"header": field} for field in sorted(told - own)}
        without = {key: value for key, value in route.items() if key != "forward_token"}
        yield name, {**without, "headers": {**route.get("headers", {}), **kept}}


def _fields_set(route: Mapping[str, Any]) -> Iterator[str]:
    yield from route.get("headers", ())
    yield from (issue["header"] for issue in route.get("issue", ()))
    yield from (slot["original_header"] for slot in route.get("slots", {}).values() if "original_header" in slot)


def _fields_read(route: Mapping[str, Any]) -> frozenset[str]:
    sources = (source for slot in route["slots"].values() for source in slot["from"])
    return frozenset(source["header"].lower() for source in sources if "header" in source)
