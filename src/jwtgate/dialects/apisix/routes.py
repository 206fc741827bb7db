"""Routes as routes of ours, each with its rank: of two that take a request, the one of the lower rank is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from itertools import product
from typing import Any
from urllib.parse import quote

from jwtgate.dialects.apisix.conditions import CannotSay, expression
from jwtgate.dialects.apisix.merging import Effective
from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.plugins.authentication import Issuers, authentication_of
from jwtgate.dialects.apisix.plugins.limits import rate_limit_of
from jwtgate.dialects.apisix.plugins.public_api import note_published, published
from jwtgate.dialects.apisix.plugins.rewriting import SAFE, proxy_rewrite, response_rewrite
from jwtgate.dialects.apisix.plugins.saying_no import NO_ROUTE, page
from jwtgate.dialects.apisix.upstreams import upstream_of
from jwtgate.dialects.dialect import Objects, literal
from jwtgate.errors import RequestRefused
from jwtgate.policy.request import PathRules, canonical_path

NOT_SERVED = ("CONNECT", "TRACE")
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?|\[[0-9a-f:.]+\]")
_ANY_READING = PathRules(keep_repeated_slashes=True, keep_encoded_slashes=True, keep_parameters=True)
_MOST_FILTERS = 3
_BODY_BYTES = 1 << 30
_CONDITIONS = ("methods", "remote_addr", "remote_addrs", "vars")

Rank = tuple[tuple[int, int], tuple[int, int], int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One route of ours, and its rank."""

    rank: Rank
    route: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Document:
    """What the routes need besides themselves, collected."""

    issuers: Issuers = field(default_factory=dict)
    upstreams: dict[str, dict[str, Any]] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)

    def upstream(self, name: str, value: dict[str, Any]) -> str:
        """The name of this upstream: its own, or that of one which is the same, so that they share connections."""
        free = name if name not in self.upstreams else f"{name}#{len(self.upstreams) + 1}"
        known = self._named.setdefault(repr(value), free)
        self.upstreams[known] = value
        return known


def entries(each: Effective, objects: Objects, document: Document, noting: Noting) -> Iterator[Entry]:
    """The routes of ours that this one becomes, in the order they are meant in. Its needs go to `document`."""
    methods = _methods(each, noting)
    if methods == []:
        return
    matching, places = _matching(each, noting), list(_places(each, noting))
    acting = list(_acting(each, objects, document, noting))
    unusable = any(map(noting.is_unusable, each.touched))
    if unusable:
        acting = [("", {"auth": "none", "respond": page(503, "Service Temporarily Unavailable")})]
    for rank, found in places:
        for when, route in acting:
            conditions = [condition for condition in (matching.get("when"), when) if condition]
            match = {**found.get("match", {}), **matching}
            match.pop("when", None)
            if conditions and not unusable:
                match["when"] = " && ".join(f"({condition})" for condition in conditions)
            route = {**found, **route, **({"match": match} if match else {})}
            yield from (Entry(rank, one) for one in _by_method(route, methods))


def _methods(each: Effective, noting: Noting) -> list[str] | None:
    """The methods it takes; None: every method. Empty: none that is served here."""
    methods = each.route.get("methods")
    if not methods:
        return None
    for method in set(methods) & set(NOT_SERVED):
        noting.changed((*each.place, "methods", str(methods.index(method))), f"{method} is not served here")
    return [method for method in methods if method not in NOT_SERVED]


def _by_method(route: dict[str, Any], methods: list[str] | None) -> Iterator[dict[str, Any]]:
    """The route; one that makes tokens does so for GET, and is not there for other methods."""
    limited = {**route, **({"methods": methods} if methods is not None else {})}
    if "mint" not in route:
        yield limited
        return
    if methods is None or "GET" in methods:
        yield {**route, "methods": ["GET"]}
    absent = {name: part for name, part in limited.items() if name not in ("mint", "answers")}
    yield {**absent, "respond": page(404, "Not Found")}


def _matching(each: Effective, noting: Noting) -> dict[str, Any]:
    """What a request must be besides its host, path and method."""
    route = each.route
    match: dict[str, Any] = {}
    addresses = route.get("remote_addrs") or ([route["remote_addr"]] if "remote_addr" in route else [])
    if addresses:
        try:
            match["clients"] = [str(ip_network(address, strict=False)) for address in addresses]
        except ValueError:
            noting.refused((*each.place, "remote_addrs"), "is no address and no network")
    conditions = route.get("vars")
    if conditions:
        try:
            clients, others = _clients_among(conditions, is_said_already=bool(addresses))
            match.update({"clients": clients} if clients else {})
            match.update({"when": literal(expression(others))} if others else {})
        except CannotSay as cause:
            noting.refused((*each.place, "vars"), str(cause))
    for name in ("filter_func", "script", "script_id"):
        if name in route:
            noting.refused((*each.place, name), "code is no configuration here")
    return match


def _clients_among(conditions: Any, *, is_said_already: bool) -> tuple[list[str], Any]:
    """The networks the client must be in, and the other conditions; where nothing but all of them is asked."""
    found = [each for each in conditions if isinstance(each, list) and each[:2] == ["remote_addr", "ipmatch"]]
    if not found or isinstance(conditions[0], str):
        return [], conditions
    if len(found) > 1 or len(found[0]) != 3 or is_said_already:
        raise CannotSay("the operator ipmatch is known here once, and not beside remote_addr")
    networks = found[0][2] if isinstance(found[0][2], list) else [found[0][2]]
    try:
        clients = [str(ip_network(network, strict=False)) for network in networks]
    except ValueError:
        raise CannotSay("ipmatch needs addresses and networks") from None
    if not clients:
        raise CannotSay("ipmatch needs addresses and networks")
    return clients, [each for each in conditions if each is not found[0]]


def _places(each: Effective, noting: Noting) -> Iterator[tuple[Rank, dict[str, Any]]]:
    """Where the route hangs: hosts and paths of one rank together."""
    least = -sum(name in each.route for name in _CONDITIONS)
    priority = -int(each.route.get("priority", 0))
    hosts, paths = _ranked_hosts(each, noting), _ranked_paths(each, noting)
    for (host_rank, names), (path_rank, found) in product(sorted(hosts.items()), sorted(paths.items())):
        route: dict[str, Any] = {"hosts": names} if names else {}
        if path_rank[0] == 0:
            route["paths"] = found
        elif found:
            route["match"] = {"path_prefix": found}
        yield (host_rank, path_rank, priority, least), route


def _ranked_hosts(each: Effective, noting: Noting) -> dict[tuple[int, int], list[str]]:
    """The hosts by their rank: named ones, then `*.suffix`, the longest first, then any."""
    found: dict[tuple[int, int], list[str]] = {}
    for host in each.hosts or ("*",):
        if host == "*":
            return {(2, 0): []}
        if not _HOST.fullmatch(host):
            noting.refused((*each.place, "hosts"), f"{host} is no name, no *.suffix and no address")
            continue
        rank = (1, -len(host)) if host.startswith("*") else (0, 0)
        found.setdefault(rank, []).append(host)
    return found


def _ranked_paths(each: Effective, noting: Noting) -> dict[tuple[int, int], list[str]]:
    """The paths by their rank: whole ones, then prefixes, the longest first, then any."""
    found: dict[tuple[int, int], list[str]] = {}
    for uri in each.uris:
        prefix = uri.endswith("*")
        path = quote(uri.removesuffix("*") or "/", safe=SAFE)
        # What follows a prefix in a request ends its last segment.
        if "*" in path or not _is_canonical(f"{path}x" if prefix and not path.endswith("/") else path):
            where = (*each.place, "uri" if "uri" in each.route else "uris")
            noting.refused(where, f"{uri} is no path that a request is matched by")
            continue
        found.setdefault((1, -len(path)) if prefix else (0, 0), []).append(literal(path))
    return found if each.uris else {(2, 0): []}


def _is_canonical(path: str) -> bool:
    """Whether requests are matched by a path written like this."""
    try:
        return canonical_path(path.encode(), _ANY_READING) == path
    except RequestRefused:
        return False


def _acting(
    each: Effective, objects: Objects, document: Document, noting: Noting
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is done with a request, by the condition under which: one for each set of plugins that run.

    Where the conditions of plugins have no value, all of them run.
    """
    filters: dict[str, str] = {}
    for name, (conf, place) in each.plugins.items():
        said = (conf.get("_meta") or {}).get("filter")
        if said:
            try:
                filters[name] = literal(expression(said))
            except CannotSay as cause:
                noting.refused((*place, "_meta", "filter"), str(cause))
    if len(filters) > _MOST_FILTERS:
        noting.refused((*each.place, "plugins"), f"no more than {_MOST_FILTERS} plugins may have filters here")
        filters = {}
    for running in product((True, False), repeat=len(filters)) if filters else ():
        chosen = dict(zip(filters, running, strict=True))
        when = " && ".join(filters[name] if runs else f"!({filters[name]})" for name, runs in chosen.items())
        plugins = {name: held for name, held in each.plugins.items() if chosen.get(name, True)}
        yield when, _action(each, plugins, objects, document, noting=noting)
    yield "", _action(each, each.plugins, objects, document, noting=noting)


def _action(
    each: Effective, plugins: Mapping[str, Any], objects: Objects, document: Document, *, noting: Noting
) -> dict[str, Any]:
    """What a route of ours does with these plugins running."""
    route = authentication_of(plugins, objects, document.issuers, noting)
    host = None
    if "limit-count" in plugins:
        route["rate_limit"] = rate_limit_of(*_at(plugins, "limit-count", noting))
    if "public-api" in plugins:
        conf, place = plugins["public-api"]
        if route["auth"] != "required":
            note_published(conf, each.uris, noting, place)
        for name in ("proxy-rewrite", "response-rewrite"):
            if name in plugins:
                noting.changed(plugins[name][1], "nothing is rewritten beside public-api")
        return _publishing(route, published(conf, each.uris, objects, protected=route["auth"] == "required"))
    if "proxy-rewrite" in plugins:
        changes, host = proxy_rewrite(*_at(plugins, "proxy-rewrite", noting))
        route.update(changes)
    if "response-rewrite" in plugins:
        route.update(response_rewrite(*_at(plugins, "response-rewrite", noting)))
    upstream = _upstream(each, host, document, noting)
    if upstream is None:
        forwarding = ("headers", "forward_token", "rewrite", "request_headers", "response_headers")
        route = {name: part for name, part in route.items() if name not in forwarding}
        return {**route, "respond": page(503, "Service Temporarily Unavailable") if each.uris else NO_ROUTE}
    route.update(upstream=upstream, body_limit_bytes=_BODY_BYTES)
    return {**route, "upgrade": "websocket"} if each.websocket else route


def _at(plugins: Mapping[str, Any], name: str, noting: Noting) -> tuple[Any, Noting, Any]:
    conf, place = plugins[name]
    return conf, noting, place


def _publishing(route: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in route.items() if name not in ("headers", "forward_token")}
    answers = {**kept.pop("answers", {}), **action.get("answers", {})}
    return {**kept, **action, **({"answers": answers} if answers else {})}


def _upstream(each: Effective, host: str | None, document: Document, noting: Noting) -> str | None:
    """The name of the upstream of ours this route goes to; None: there is none to go to."""
    if each.upstream is None:
        return None
    value, place = each.upstream
    timeout = each.route.get("timeout")
    found = upstream_of(value, noting, place, timeout=timeout, host=host)
    if found is None:
        return None
    own = timeout is not None or host is not None
    name = "/".join(place) if not own else "/".join((*each.place, "upstream"))
    return document.upstream(name, found)
