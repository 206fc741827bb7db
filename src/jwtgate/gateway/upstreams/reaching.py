"""How a request gets a connection where none is idle, and when it is tried again (REL-11, REL-12)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstreams.choosing import Requester

if TYPE_CHECKING:
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.gateway.upstreams.balancer import Balancer
    from jwtgate.gateway.upstreams.pool import Pool


class Errand(Protocol):
    """What is to reach an upstream. `retries`: how often it was tried again. `finished`: nobody waits for it."""

    retries: int
    finished: bool


def may_retry(errand: Errand, balancer: Balancer) -> bool:
    """Whether it may be tried once more, which it is then."""
    if errand.retries >= balancer.upstream.retries or not balancer.lend_retry():
        return False
    errand.retries += 1
    return True


def may_repeat(errand: Errand, balancer: Balancer, ended: UpstreamConnection) -> bool:
    """As `may_retry`, for one whose connection ended before an answer.

    A kept connection may have been closed before the request came, and there are only so many of them: that costs
    nothing of the budget.
    """
    if not ended.was_used:
        return may_retry(errand, balancer)
    if errand.retries >= balancer.upstream.retries:
        return False
    balancer.roster.budget.lend()
    errand.retries += 1
    return True


async def reach(errand: Errand, balancer: Balancer, pool: Pool, *, connect_seconds: float) -> UpstreamConnection | None:
    """A new connection: to this target, or to another one where it may be tried again. None: nobody waits any more.

    Raises `UpstreamFault`.
    """
    tried = [pool]
    while True:
        try:
            connection = await tried[-1].connect(connect_seconds)
        except UpstreamFault as fault:
            # Limits hold for all targets together.
            other = balancer.another(tried) if fault.reason != "upstream_busy" else None
            if errand.finished or other is None or not may_retry(errand, balancer):
                raise
            tried.append(other)
            continue
        if not errand.finished:
            return connection
        connection.drop()
        return None


async def reach_again(
    errand: Errand, balancer: Balancer, requester: Requester, *, connect_seconds: float
) -> UpstreamConnection | None:
    """As `reach`, for one that reached a target before: after a pause, so that a crowd does not come back as one."""
    pause = balancer.roster.budget.pause_seconds(errand.retries)
    if pause:
        await asyncio.sleep(pause)
    if errand.finished:
        return None
    return await reach(errand, balancer, balancer.pick(requester), connect_seconds=connect_seconds)
