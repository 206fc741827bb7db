"""One part of a Kong route as routes of ours: the plugins that hold for it, and what becomes of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.kong.plugin_fields import PLUGINS
from jwtgate.dialects.kong.translation import jwt, key_auth, signer
from jwtgate.dialects.kong.translation.answers import JSON, UNEXPECTED, json_text
from jwtgate.dialects.kong.translation.draft import Draft
from jwtgate.dialects.kong.translation.edits import request_edits, response_edits, termination
from jwtgate.dialects.kong.translation.part import Part, route_keys
from jwtgate.dialects.kong.translation.routing import Match
from jwtgate.dialects.kong.translation.upstreams import upstream_of

_PARTS = {"jwt": jwt.part_of, "key-auth": key_auth.part_of, "jwt-signer": signer.part_of}
_OF_UPSTREAMS = ("headers", "issue", "forward_token")
_UPGRADE_REQUIRED = 426

Section = dict[str, Any]


def native_routes(draft: Draft, match: Match, route: Mapping[str, Any]) -> list[tuple[str, Section]]:
    """The routes of ours these requests become, each with what its name ends in; the first to be tried first.

    Where something of it was refused, they are answered 503: a wider route would ask less of them.
    """
    before = draft.notes.refusals
    made = list(_native_routes(draft, match, route))
    if match.is_refused or draft.notes.refusals > before:
        return [("", {**match.keys, "auth": "none", "respond": _message(503, UNEXPECTED)})]
    return made


def _native_routes(draft: Draft, match: Match, route: Mapping[str, Any]) -> Iterator[tuple[str, Section]]:
    keys = dict(match.keys)
    service = draft.held("services").get(route["service"]["id"]) if route["service"] else None
    if service is None:
        yield "", {**keys, "auth": "none", "respond": _message(503, "no Service found with those values")}
        return
    if "http" not in route["protocols"]:
        yield "-insecure", {**_with_scheme(keys, "http"), **_redirect(draft, route)}
        keys = _with_scheme(keys, "https")
    plugins = _plugins(draft, route)
    parts = [_PARTS[name](draft, plugin) for name, plugin in plugins.items() if name in _PARTS]
    _refuse_the_same_place(draft, route, parts)
    destination = _destination(draft, match, route, service=service, plugins=plugins)
    if any(part.skips_preflight for part in parts) and "OPTIONS" in (route["methods"] or ("OPTIONS",)):
        asking = [part for part in parts if not part.skips_preflight]
        yield "-preflight", {**keys, "methods": ["OPTIONS"], **_with(asking, destination)}
    yield "", {**keys, **_with(parts, destination)}


def _message(status: int, message: str) -> Section:
    return {"status": status, "body": json_text(message=message), "content_type": JSON}


def _with_scheme(keys: Mapping[str, Any], scheme: str) -> Section:
    return {**keys, "match": {**keys.get("match", {}), "schemes": [scheme]}}


def _redirect(draft: Draft, route: Mapping[str, Any]) -> Section:
    """What a client that comes without TLS is told."""
    status = route["https_redirect_status_code"]
    if status == _UPGRADE_REQUIRED:
        return {"auth": "none", "respond": _message(status, "Please use HTTPS protocol")}
    place = f"{draft.place('routes', route)}/https_redirect_status_code"
    draft.notes.changed(place, "The query is not part of the address the client is sent to.")
    body = {"body": json_text(message="Please use HTTPS protocol"), "content_type": JSON}
    location = {"cel": "'https://' + request.host + request.path"}
    answer = {"status": status, "headers": {"Location": location}, **body}
    # An answer of a refusal can be worked out from the request; one of `respond` cannot.
    return {
        "auth": "none",
        "require": "false",
        "respond": {"status": 404},
        "answers": {"condition_not_met": {**answer, "challenge": False}},
    }


def _plugins(draft: Draft, route: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The plugins that hold for the route, the first to run first: of each name the most particular."""
    service_id, route_id = route["service"]["id"], route["id"]
    # The least particular first, so that the others take its place.
    scopes = ((None, None), (service_id, None), (None, route_id), (service_id, route_id))
    found: dict[str, Mapping[str, Any]] = {}
    for plugin in (each for scope in scopes for each in draft.plugins.get(scope, ())):
        if plugin["consumer"] is None:
            found[plugin["name"]] = plugin
            continue
        place = f"{draft.place('plugins', plugin)}/consumer"
        draft.notes.refused(place, "What holds for one consumer only is said with conditions of a route of ours.")
    return dict(sorted(found.items(), key=lambda each: -PLUGINS[each[0]].priority))


def _destination(
    draft: Draft,
    match: Match,
    route: Mapping[str, Any],
    *,
    service: Mapping[str, Any],
    plugins: Mapping[str, Mapping[str, Any]],
) -> Section:
    """What is done with a request that is let in."""
    if "request-termination" in plugins:
        return {"respond": termination(draft, plugins["request-termination"])}
    upstream = upstream_of(draft, service, route)
    if upstream is None:
        return {"respond": _message(503, "no Service found with those values")}
    edits: Section = {}
    if "request-transformer" in plugins:
        edits |= request_edits(draft, plugins["request-transformer"])
    if "response-transformer" in plugins:
        edits |= response_edits(draft, plugins["response-transformer"])
    rewrite: Section = edits.pop("rewrite", {})
    if "path" not in rewrite:
        rewrite |= {"strip_matched_prefix": True} if match.strips else {}
        base = (service["path"] or "/").rstrip("/")
        rewrite |= {"add_prefix": base} if base else {}
    upgrade = {} if "method" in rewrite else {"upgrade": "websocket"}
    return {"upstream": upstream, **upgrade, **({"rewrite": rewrite} if rewrite else {}), **edits}


def _with(parts: list[Part], destination: Section) -> Section:
    """The keys of a route that asks what these plugins ask, and then does this with the request."""
    keys = route_keys(parts)
    if any(part.broken for part in parts):
        destination = {"require": "false", "respond": _message(500, UNEXPECTED)}
    if "upstream" in destination:
        return {**keys, **destination}
    kept = {name: value for name, value in keys.items() if name not in _OF_UPSTREAMS}
    for slot in kept.get("slots", {}).values():
        slot.pop("original_header", None)
    return {**kept, **destination}


def _refuse_the_same_place(draft: Draft, route: Mapping[str, Any], parts: list[Part]) -> None:
    """Refuse that two plugins look for a token in the same place: whose it is could not be known."""
    spots = [spot for part in parts for spot in {spot for slot in part.slots.values() for spot in _spots(slot)}]
    repeated = sorted({spot for spot in spots if spots.count(spot) > 1})
    if repeated:
        sentence = f"Several of its plugins look for a token in the same place: {', '.join(repeated)}."
        draft.notes.refused(draft.place("routes", route), sentence)


def _spots(slot: Mapping[str, Any]) -> Iterator[str]:
    for source in slot["from"]:
        yield from (f"{kind} {source[kind].lower()}" for kind in ("header", "query", "cookie") if kind in source)
