"""Every trick on every kind of route under every option: no reading of what an open route sends is guarded (SEC-110).

The grid is decided without sockets, as a connection does; a part of it is sent to a gateway that forwards it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from tests.conformance.head_readers import READERS, gateway_reading_by
from tests.conformance.paths.lenient import reaches, readings
from tests.conformance.paths.tricks import paths
from tests.integration.rig import Client, Upstream, document, request
from tests.unit.gateway.parts import DOCUMENT, a_plan

from jwtgate.errors import RequestRefused, RouteUnknown
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.request import RequestView, canonical_path
from jwtgate.policy.rooms.match import route_for

GUARDED = frozenset({"orders", "admin"})
PATHS = sorted(set(paths()))
SLASHES, ENCODED, PARAMETERS = ("refuse", "merge", "keep"), ("refuse", "keep"), ("refuse", "keep")
OPTIONS = [
    {"repeated_slashes": slashes, "encoded_slashes": encoded, "parameters": parameters}
    for slashes, encoded, parameters in product(SLASHES, ENCODED, PARAMETERS)
]
_GUARD = {name: DOCUMENT["routes"]["orders"][name] for name in ("auth", "issuers", "upstream")}
_OPEN = {"auth": "none", "upstream": "echo"}
ROUTES: dict[str, Any] = {
    "orders": {**_GUARD, "path": "/orders/*"},
    "orders-root": {**_GUARD, "path": "/orders"},
    "admin": {**_GUARD, "path": "/admin/*"},
    "admin-root": {**_GUARD, "path": "/admin"},
    "open": {**_OPEN, "path": "/open/*"},
    "health": {**_OPEN, "path": "/health"},
    "public": {**_OPEN, "path": "/public/*"},
}
REST: dict[str, Any] = {**ROUTES, "rest": {**_OPEN, "path": "/*"}}
"""With a route that takes everything else and asks for nothing."""


def view() -> RequestView:
    raise AssertionError("nothing but the path takes part")


def found(plan: Plan, target: str) -> tuple[str, Route] | None:
    """The path that is forwarded for this target, and its route; None when it is refused."""
    raw = target.encode()
    if not raw.isascii() or b"#" in raw:
        return None
    try:
        path = canonical_path(raw.partition(b"?")[0], plan.paths)
        return path, route_for(plan, "GET", "gate.example", path, view)
    except (RequestRefused, RouteUnknown):
        return None


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("routes", [ROUTES, REST], ids=["named", "with a rest"])
def test_sec_110_no_reading_of_what_an_open_route_sends_is_guarded(
    routes: dict[str, Any], options: dict[str, str]
) -> None:
    plan = a_plan(routes=routes, paths=options)
    taken: Counter[str] = Counter()
    for target in PATHS:
        where = found(plan, target)
        if where is None:
            continue
        path, route = where
        taken[route.name] += 1
        if not route.slots:
            assert reaches(path, GUARDED) is None, (target, path, route.name, reaches(path, GUARDED))
    assert min(taken[name] for name in ("orders", "open")) > 10


@pytest.fixture(scope="module", params=READERS)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Upstream]]:
    """A gateway that keeps whatever may be kept, before an upstream that writes down what it gets."""
    with Upstream() as upstream:
        whole = document(upstream.url, routes=REST, paths=OPTIONS[-1])
        with gateway_reading_by(request.param, tmp_path_factory.mktemp("gate"), whole) as gateway:
            yield gateway.ports[0], upstream


@pytest.mark.parametrize("part", range(10))
def test_sec_110_what_is_matched_is_what_is_sent(front: tuple[int, Upstream], part: int) -> None:
    port, upstream = front
    plan = a_plan(routes=REST, paths=OPTIONS[-1])
    for target in PATHS[part::100]:
        upstream.forget()
        where = found(plan, target)
        with Client(port) as client:
            status = client.ask(request(target)).status
        sent = [message.start.split()[1].partition(b"?")[0].decode() for message in upstream.requests]
        if where is None:
            assert (status, sent) in ((400, []), (404, [])), target
        elif where[1].slots:
            assert (status, sent) == (401, []), target
        else:
            assert (status, sent) == (200, [where[0]]), target
            assert not {reading for reading in readings(sent[0]) if reading.startswith(("/orders/", "/admin/"))}, target
