"""Upstreams without sockets and without time: a clock that is set, a loop that connects to nobody, small rosters."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests.unit.gateway.parts import Transport, a_plan

from jwtgate.gateway.heads.fields import ResponseFieldKinds
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.name_servers import Found
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.request import RequestView
from jwtgate.policy.traffic.upstreams import Target, Upstream

KINDS = ResponseFieldKinds(a_plan())
TARGETS = tuple(
    Target(f"t{number}.example", 9000, tls=False, authority=f"t{number}.example:9000") for number in range(1, 11)
)
UPSTREAM = Upstream("echo", TARGETS[:3], most_idle_connections=2)


class Clock:
    """Says what it is set to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def look_up(host: str) -> Found:
    """Every name leads to itself."""
    return Found((host,))


def a_roster(clock: Clock | None = None, **changes: Any) -> Roster:
    """The targets of a small upstream, changed."""
    return Roster(replace(UPSTREAM, **changes), clock=clock or Clock(), chance=lambda: 0.5, look_up=look_up)


def a_balancer(roster: Roster | None = None, **changes: Any) -> Balancer:
    """The pools of these targets."""
    return Balancer(roster or a_roster(**changes), response_kinds=KINDS)


def a_pool(roster: Roster | None = None, **changes: Any) -> Pool:
    """The pool of the first target."""
    return a_balancer(roster, **changes).pools[0]


def a_connection(pool: Pool) -> UpstreamConnection:
    """A connection that is made."""
    connection = UpstreamConnection(pool)
    connection.connection_made(Transport())  # type: ignore[arg-type]
    return connection


class Asking:
    """A request."""

    def __init__(self, *fields: tuple[bytes, bytes], client: str = "192.0.2.7", consumer: str = "") -> None:
        self.consumer = consumer
        self._view = RequestView("GET", "http", "a", "/", "", fields, client)

    def view(self) -> RequestView:
        return self._view


class Loop(asyncio.SelectorEventLoop):
    """A loop that connects to nobody: it raises the error of an address, or waits for ever when TLS is asked for."""

    def __init__(self, error: OSError | None = None, *, errors: dict[str, OSError] | None = None) -> None:
        super().__init__()
        self.error = error
        self.errors = errors or {}
        self.asked: list[tuple[str, int, Any, Any]] = []
        self.made: list[UpstreamConnection] = []

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        self.asked.append((host, port, options["ssl"], options["server_hostname"]))
        error = self.errors.get(host, self.error)
        if error is not None:
            raise error
        if options["ssl"] is not None:
            await asyncio.Event().wait()
        connection = factory()
        connection.connection_made(Transport())
        self.made.append(connection)
        return connection.transport, connection


def run(loop: Loop, work: Any) -> Any:
    """What comes of this on that loop."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(_bounded(work))


async def _bounded(work: Any) -> Any:
    async with asyncio.timeout(30):
        return await work
