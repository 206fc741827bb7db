"""The targets of one upstream as one worker sees them: which are asked, and what limits hold for all together."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from jwtgate.gateway.logs.episode import say
from jwtgate.gateway.upstreams.breaker import Breaker
from jwtgate.gateway.upstreams.ejection import Watch
from jwtgate.gateway.upstreams.name_servers import LookUp, NameServers
from jwtgate.gateway.upstreams.names import Name
from jwtgate.gateway.upstreams.retry_budget import RetryBudget
from jwtgate.gateway.upstreams.standing import Standing, State
from jwtgate.policy.traffic.upstreams import Target, Upstream

if TYPE_CHECKING:
    from jwtgate.gateway.upstreams.balancer import Balancer
    from jwtgate.gateway.upstreams.pool import Pool


ClientTls = Callable[[str | None, str], ssl.SSLContext]


def client_tls(ca_file: str | None, protocol: str) -> ssl.SSLContext:
    """What connections to targets are secured with. The certificates that are trusted take time and a megabyte."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if protocol == "http2":
        context.set_alpn_protocols(["h2"])
    return context


class Roster:
    """What all pools of one upstream share, whatever they are used for. `balancers` are told of every change."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        look_up: LookUp | None = None,
        tls: ClientTls | None = None,
    ) -> None:
        self.upstream = upstream
        self.tls = tls or client_tls
        self.clock = clock
        self.breaker = Breaker(upstream)
        self.budget = RetryBudget(upstream.name, upstream.retry_budget_percent, chance=chance)
        self.balancers: list[Balancer] = []
        self._older: list[Pool] = []
        self.is_up = True
        self._settled = False
        self.standings = {target: Standing(target, upstream) for target in upstream.targets}
        asked = look_up or NameServers().look_up
        self.names = {
            target: Name(
                target.host,
                every_seconds=upstream.resolve_seconds,
                stale_seconds=upstream.stale_names_seconds,
                clock=clock,
                look_up=asked,
            )
            for target in upstream.targets
        }

    def pools(self) -> list[Pool]:
        """The connections to all targets, with those of requests that began before a reload."""
        return [*(pool for balancer in self.balancers for pool in balancer.pools), *self._older]

    @property
    def requests(self) -> int:
        """How many requests are on their way."""
        return sum(pool.busy for pool in self.pools())

    def watch(self, target: Target) -> Watch | None:
        """Who looks at what this target answers; None: nobody."""
        if self.upstream.ejection is None:
            return None
        return Watch(self.standings[target], self.upstream.ejection, eject=self.eject, clock=self.clock)

    def take_over(self, previous: Roster) -> None:
        """Know of each target what was known before; one that was not there is new."""
        now = self.clock()
        held = {_address(target): standing for target, standing in previous.standings.items()}
        for target, standing in self.standings.items():
            known = held.get(_address(target))
            if known is None:
                standing.is_new(now)
                continue
            standing.take_over(known)
            if self.upstream.health_check is None:
                standing.is_down = False
            if self.upstream.ejection is None:
                standing.ejected.end()
        names = {name.host: name for name in previous.names.values()}
        for name in self.names.values():
            if name.host in names:
                name.take_over(names[name.host])
        self.budget = previous.budget
        self.budget.percent = self.upstream.retry_budget_percent
        self.breaker.refusals = previous.breaker.refusals
        self._older, previous._older = _in_use(previous.pools()), []
        self.is_up = previous.is_up
        self.refresh()

    def usable(self, now: float) -> list[Target]:
        """The targets to ask.

        Those that are ejected are asked all the same when more than `most_percent` of all would be out. Where all rest,
        all are asked, each by one connection at a time. There are none when checks find all down.
        """
        standings = self.standings.values()
        usable = [standing.target for standing in standings if standing.is_usable(now)]
        ejection = self.upstream.ejection
        most = ejection.most_percent if ejection is not None else 100
        if usable and (len(standings) - len(usable)) * 100 <= most * len(standings):
            return usable
        reachable = [standing.target for standing in standings if standing.is_reachable(now)]
        return reachable or [standing.target for standing in standings if not standing.is_down]

    def eject(self, standing: Standing) -> bool:
        """Leave this target out for a while, unless too many are; whether it is."""
        now, ejection = self.clock(), self.upstream.ejection
        out = sum(each is standing or now < each.ejected.until for each in self.standings.values())
        if ejection is None or out * 100 > ejection.most_percent * len(self.standings):
            return False
        standing.ejected.begin(now)
        self.refresh()
        return True

    def look(self) -> None:
        """Do what is due: names, times that are over, what is over and not said."""
        now = self.clock()
        for name in self.names.values():
            name.look(now)
        self._older = _in_use(self._older)
        self.breaker.refusals.look(now)
        self.budget.spent.look(now)
        if not self._settled:
            self.refresh()

    def refresh(self) -> None:
        """Say what has changed, and have the balancers know."""
        now = self.clock()
        for standing in self.standings.values():
            before = standing.told
            state = standing.changed(now)
            if state is not None:
                target = standing.target.authority
                say("target_state", upstream=self.upstream.name, target=target, state=state.value, before=before.value)
        is_up = any(standing.state(now) in (State.UP, State.EJECTED) for standing in self.standings.values())
        if is_up is not self.is_up:
            self.is_up = is_up
            say("upstream_state", upstream=self.upstream.name, state="up" if is_up else "down")
        usable = self.usable(now)
        for balancer in self.balancers:
            balancer.use(usable, now)
        slow_start = self.upstream.slow_start_seconds
        self._settled = all(standing.is_settled(now, slow_start) for standing in self.standings.values())


def _in_use(pools: Iterable[Pool]) -> list[Pool]:
    return [pool for pool in pools if pool.open or pool.pending]


def _address(target: Target) -> tuple[str, int, bool]:
    return target.host, target.port, target.tls
