"""What one upstream is given at the same time at most, and that whoever is one too many hears so at once (REL-14)."""

from __future__ import annotations

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.logs.episode import Episode
from jwtgate.policy.traffic.upstreams import Upstream

_RETRY_AFTER_SECONDS = 1


class Breaker:
    """The limits of one upstream, in one worker. It is open from a refusal until there have been none for a while."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.refusals = Episode("breaker_open", upstream=upstream.name)

    def check_request(self, requests: int, now: float) -> None:
        """Raises `UpstreamFault` where so many requests are on their way that there is no room for another."""
        self._check("requests", self.upstream.most_requests, held=requests, now=now)

    def check_connection(self, connections: int, pending: int, *, now: float) -> None:
        """As `check_request`, for a new connection beside these, some of which are still to be made."""
        self._check("connections", self.upstream.most_connections, held=connections, now=now)
        self._check("pending", self.upstream.most_pending, held=pending, now=now)

    def _check(self, of: str, most: int | None, *, held: int, now: float) -> None:
        if most is None or held < most:
            return
        self.refusals.happened(now)
        raise UpstreamFault(
            "upstream_busy", retry_after_seconds=_RETRY_AFTER_SECONDS, upstream=self.upstream.name, limit=of, most=most
        )
