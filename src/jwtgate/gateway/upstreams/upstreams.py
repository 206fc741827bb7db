"""All upstreams of one plan: their balancers, what is known of their targets, and what is done for them in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

from jwtgate.gateway.heads.fields import CallFieldKinds, FieldKinds
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.health_check import check_all
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster, client_tls
from jwtgate.policy.plan import Plan
from jwtgate.policy.traffic.upstreams import Upstream


class Upstreams:
    """By their names: `balancers` are for requests, `call_balancers` for calls. `rosters` is what both know."""

    def __init__(self, plan: Plan, response_kinds: FieldKinds) -> None:
        self.rosters: dict[str, Roster] = {}
        self._tls = cache(client_tls)
        self.balancers = self._balancers((route.upstream for route in plan.routes), response_kinds)
        # What a call is answered is read, not passed on: every field of it may matter.
        called = (call.upstream for route in plan.routes for call in route.calls)
        self.call_balancers = self._balancers(called, CallFieldKinds())
        self._checks: list[asyncio.Task[None]] = []

    def begin(self, previous: Upstreams | None) -> None:
        """Be those that are used, and know of targets what the previous ones knew. Checks begin."""
        for name, roster in self.rosters.items():
            if previous is not None and name in previous.rosters:
                roster.take_over(previous.rosters[name])
            self._checks += check_all(roster)

    def look(self, now: float) -> None:
        """Do what is due at this instant of the monotonic clock, and close what was idle for too long."""
        for roster in self.rosters.values():
            roster.look()
        for pool in self.pools():
            pool.close_idle(now - pool.upstream.keep_alive_seconds)

    def pools(self) -> Iterator[Pool]:
        """The connections to every target."""
        for balancer in chain(self.balancers.values(), self.call_balancers.values()):
            yield from balancer.pools

    def close(self) -> None:
        """Keep no connection for later, and check nothing any more; what is going on goes on."""
        for check in self._checks:
            check.cancel()
        for pool in self.pools():
            pool.close()

    def _balancers(self, upstreams: Iterable[Upstream], response_kinds: FieldKinds) -> dict[str, Balancer]:
        by_name = {upstream.name: upstream for upstream in upstreams if upstream.targets}
        for name, upstream in by_name.items():
            if name not in self.rosters:
                self.rosters[name] = Roster(upstream, tls=self._tls)
        return {name: Balancer(self.rosters[name], response_kinds=response_kinds) for name in by_name}
