"""Which route a request belongs to: by host, then path, then method; the most particular wins.

A path template has literal segments, `{name}` for exactly one non-empty segment, and may end in `/*` for
everything below. Literal beats `{name}` beats `/*`; a named host beats `*.suffix` beats none. Nothing about
the query or a header field ever takes part, and a request that fits nothing has no route (deny by default).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import quote, unquote

from jwtgate.errors import RequestRefused, RouteUnknown
from jwtgate.policy.traffic.forwarding import fits_segments, is_parameter

if TYPE_CHECKING:
    from jwtgate.policy.plan import Plan, Route
    from jwtgate.policy.request import RequestView

# What some upstream does to a path it has decoded, in the order in which all of it may be done.
_LENIENCIES = (
    (re.compile("%5C"), "/"),
    (re.compile("[?#].*"), ""),
    (re.compile(";[^/]*"), ""),
    (re.compile(";.*"), ""),
    (re.compile("//+"), "/"),
)
_DECODED = "!$&'()*+,;=:@/?#"
ANY_METHOD = "*"
ANY_HOST = ""
_MOST_HOST_CHARACTERS = 253


class _Node:
    """One place in the tree of path segments. Routes hang by method, exactly here or for all below."""

    __slots__ = ("below", "here", "literals", "parameter", "position")

    def __init__(self, position: int = 1) -> None:
        self.position = position
        """Which segment of a path comes next."""
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.here: dict[str, Route] = {}
        self.below: dict[str, Route] = {}


class Router:
    """A table from (method, host, path) to a route; a look-up costs one step a segment."""

    __slots__ = ("_trees",)

    def __init__(self) -> None:
        self._trees = {ANY_HOST: _Node()}

    def add(self, route: Route, path: str, *, methods: Iterable[str], hosts: Iterable[str]) -> Route | None:
        """Hang a route under a template. Gives the route already there, if one takes the same requests.

        No methods: every method. No hosts: every host.
        """
        for host in tuple(hosts) or (ANY_HOST,):
            table = _table(self._trees.setdefault(host.removeprefix("*"), _Node()), path)
            for method in tuple(methods) or (ANY_METHOD,):
                taken = table.setdefault(method, route)
                if taken is not route:
                    return taken
        return None

    def find(self, method: str, host: str, path: str, view: Callable[[], RequestView] | None = None) -> Route | None:
        """The most particular route for this request. `host` is lower case and without its port.

        `view` is never asked for: nothing else of the request takes part.
        """
        segments = path.split("/")
        for name in host_names(host) if len(self._trees) > 1 else (ANY_HOST,):
            tree = self._trees.get(name)
            if tree is not None:
                route = _find(tree, segments, method)
                if route is not None:
                    return route
        return None


def host_names(host: str) -> Iterator[str]:
    """What this host may be known as, the most particular first: itself, each `.suffix` of it, any host."""
    yield host
    # No name in use is longer, and every suffix of a made-up one would be copied.
    dot = host.find(".") if len(host) <= _MOST_HOST_CHARACTERS else -1
    while dot >= 0:
        yield host[dot:]
        dot = host.find(".", dot + 1)
    yield ANY_HOST


def host_beginnings(host: str) -> Iterator[str]:
    """Each `name.` this host begins with."""
    dot = host.find(".") if len(host) <= _MOST_HOST_CHARACTERS else -1
    while dot >= 0:
        yield host[: dot + 1]
        dot = host.find(".", dot + 1)


def _table(root: _Node, path: str) -> dict[str, Route]:
    node = root
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        if segment == "*" and position == len(segments) - 1:
            return node.below
        if is_parameter(segment):
            node.parameter = node.parameter or _Node(node.position + 1)
            node = node.parameter
        else:
            node = node.literals.setdefault(segment, _Node(node.position + 1))
    return node.here


def _find(node: _Node, segments: list[str], method: str) -> Route | None:
    # Where no `{name}` stands there is one way down, and the routes for all below are tried on the way back.
    passed: list[dict[str, Route]] = []
    route = None
    for segment in segments[node.position :]:
        if node.parameter is not None:
            route = _fork(node, segments, segment, method)
            break
        if node.below:
            passed.append(node.below)
        child = node.literals.get(segment)
        if child is None:
            break
        node = child
    else:
        route = _of(node.here, method)
    while route is None and passed:
        route = _of(passed.pop(), method)
    return route


def _fork(node: _Node, segments: list[str], segment: str, method: str) -> Route | None:
    child = node.literals.get(segment)
    route = _find(child, segments, method) if child is not None else None
    if route is None and node.parameter is not None and segment:
        route = _find(node.parameter, segments, method)
    return route if route is not None else _of(node.below, method)


def _of(table: dict[str, Route], method: str) -> Route | None:
    return table.get(method) or table.get(ANY_METHOD)


def path_parameters(templates: Iterable[str], path: str) -> dict[str, str]:
    """What stands in the path for each `{name}` of the template it is routed by, of these; as it was sent."""
    given = path.split("/")
    fitting = [wanted for template in templates if fits_segments(wanted := template.split("/"), given)]
    if not fitting:
        return {}
    wanted = fitting[0] if len(fitting) == 1 else min(fitting, key=_particularity)
    return {want[1:-1]: have for want, have in zip(wanted, given, strict=False) if is_parameter(want)}


def _particularity(wanted: list[str]) -> list[int]:
    """As the table has it: literal before `{name}` before `/*`, from the left."""
    return [2 if segment == "*" else int(is_parameter(segment)) for segment in wanted]


def match(plan: Plan, request: RequestView) -> Route:
    """The route of this request. Refuses `route_unknown`, `path_not_canonical`."""
    return route_for(plan, request.method, request.host, request.path, lambda: request)


def route_for(plan: Plan, method: str, host: str, path: str, view: Callable[[], RequestView]) -> Route:
    """The route of such a request, whose host is lower case and without its port. Refuses `route_unknown`.

    Refuses `path_not_canonical` where the upstream may read the path as one that asks something else of the caller.
    """
    route = plan.router.find(method, host, path, view)
    if route is None:
        raise RouteUnknown("route_unknown", method=method, path=path)
    if "%" in path or ";" in path or "//" in path:
        for reading in _other_readings(path):
            other = plan.router.find(method, host, reading, view)
            asked = () if other is None else _demands(other)
            if any(asked) and asked != _demands(route):
                raise RequestRefused("path_not_canonical", cause="another reading of it has another route")
    return route


def _other_readings(path: str) -> set[str]:
    """What upstreams that decode, cut or merge may make of this path."""
    # Some take wide letters for those they look like (Unicode NFKC).
    readings = {path, quote(normalize("NFKC", unquote(path)), safe=_DECODED)}
    for found, instead in _LENIENCIES:
        readings |= {found.sub(instead, reading) or "/" for reading in readings}
    return readings - {path}


def _demands(route: Route) -> tuple[object, ...]:
    """What a route asks of a caller, as far as it can be compared."""
    asked = (route.slots, route.permission, route.conditions, route.methods_permitted, route.respond)
    return (*asked, route.anonymous, route.anonymous_for_refused, route.one_slot_is_enough)
