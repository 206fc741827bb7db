"""Which target of an upstream takes the next request (REL-13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.heads.fields import FieldKinds
from jwtgate.gateway.http2.shared_pool import SharedPool
from jwtgate.gateway.upstreams.choosing import Requester, chooser
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.traffic.upstreams import Target

RETRY_AFTER_SECONDS = 1


class Balancer:
    """The pools of one upstream for one use of it.

    `only` is the pool of the one target that may be asked, where nothing has to be asked or counted first: whoever
    finds it there need not `pick`.
    """

    def __init__(self, roster: Roster, *, response_kinds: FieldKinds) -> None:
        self.upstream = roster.upstream
        self.roster = roster
        made = SharedPool if roster.upstream.protocol == "http2" else Pool
        self.pools: Sequence[Pool] = [
            made(roster, target, response_kinds=response_kinds) for target in roster.standings
        ]
        self.only: Pool | None = None
        self._usable: Sequence[Pool] = ()
        self._choose = chooser(roster.upstream)
        roster.balancers.append(self)
        roster.refresh()

    def use(self, targets: Collection[Target], now: float) -> None:
        """Ask these targets and no others from now on."""
        self._usable = [pool for pool in self.pools if pool.target in targets]
        for pool in self._usable:
            pool.share = pool.standing.share(now, self.upstream.slow_start_seconds)
        is_alone = len(self._usable) == 1 and self.upstream.most_requests is None
        self.only = self._usable[0] if is_alone else None

    def pick(self, requester: Requester) -> Pool:
        """The pool of the target this request goes to. Raises `UpstreamFault` where none can take it."""
        if self.only is not None:
            return self.only
        if not self._usable:
            raise UpstreamFault("upstream_down", retry_after_seconds=RETRY_AFTER_SECONDS, upstream=self.upstream.name)
        if self.upstream.most_requests is not None:
            self.roster.breaker.check_request(self.roster.requests, self.roster.clock())
        if len(self._usable) == 1:
            return self._usable[0]
        return self._choose(self._usable, requester)

    def another(self, tried: Collection[Pool]) -> Pool | None:
        """A pool that may be better than those that were tried, or None."""
        left = [pool for pool in self._usable if pool not in tried]
        return min(left, key=lambda pool: pool.busy, default=None)

    def lend_retry(self) -> bool:
        """Whether one more request may be tried again now; if so, that is counted."""
        return self.roster.budget.take(self.roster.requests, self.roster.clock())
