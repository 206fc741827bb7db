"""Which target of an upstream takes the next request.

A target nobody can connect to rests for a while and is not asked, as long as there is another one.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from itertools import cycle

from jwtgate.gateway.heads.fields import FieldKinds
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.policy.upstreams import Upstream


class Balancer:
    """The targets of one upstream, in turn, each as often as its weight says."""

    def __init__(self, upstream: Upstream, *, response_kinds: FieldKinds) -> None:
        self.upstream = upstream
        self.pools = [Pool(upstream, target, response_kinds=response_kinds) for target in upstream.targets]
        self._turn = cycle(self.pools)
        self._weighted = len({target.weight for target in upstream.targets}) > 1

    def pick(self) -> Pool:
        """The pool whose turn it is; one that rests is passed over unless all do."""
        if len(self.pools) == 1:
            return self.pools[0]
        now = time.monotonic()
        if self._weighted:
            return _heaviest([pool for pool in self.pools if pool.rests_until <= now] or self.pools)
        for _ in self.pools:
            pool = next(self._turn)
            if pool.rests_until <= now:
                return pool
        return next(self._turn)

    def another(self, tried: Collection[Pool]) -> Pool | None:
        """A pool that may be better than those that were tried, or None."""
        others = [pool for pool in self.pools if pool not in tried]
        return min(others, key=lambda pool: pool.rests_until, default=None)


def _heaviest(pools: Sequence[Pool]) -> Pool:
    """The pool that has waited longest for its weight: turns come evenly spread, never in a row."""
    for pool in pools:
        pool.owed += pool.target.weight
    chosen = max(pools, key=lambda pool: pool.owed)
    chosen.owed -= sum(pool.target.weight for pool in pools)
    return chosen

