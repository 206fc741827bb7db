"""What has taken too long: a request, whoever it waits for, ends when its time is up (REL-10, REL-19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwtgate.errors import DependencyFault, Fault, RequestRefused, UpstreamFault
from jwtgate.gateway.grpc import call_seconds

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange

_FOR_EVER = float("inf")


def end_if_late(exchange: Exchange, now: float) -> None:
    """End an exchange if one of its limits has passed at `now` (monotonic)."""
    if exchange.tunnel is not None:
        exchange.tunnel.check_time(now)
    elif (fault := _overdue(exchange, now)) is not None:
        exchange.cut(fault)
    elif exchange.upload is not None and exchange.upload.awaits_client():
        if exchange.upload.is_late(now):
            exchange.cut(RequestRefused("request_slow"))
    elif now > exchange.deadline and exchange.call is not None:
        exchange.call.fail(UpstreamFault("upstream_slow", call=exchange.call.name))
    elif now > exchange.deadline:
        exchange.cut(_too_late(exchange))


def _overdue(exchange: Exchange, now: float) -> Fault | None:
    """Why the whole of a request has taken too long, or None."""
    route = exchange.route
    if route is None or exchange.finished:
        return None
    if now > exchange.started + (route.request_seconds or _FOR_EVER):
        return _too_late(exchange)
    if exchange.is_call and now > exchange.started + call_seconds(exchange.head):
        return UpstreamFault("deadline_passed")
    return None


def _too_late(exchange: Exchange) -> Fault:
    if not exchange.forwarding:
        return DependencyFault("overloaded")
    if exchange.upstream is not None and not exchange.connection.write_paused:
        exchange.upstream.pool.failed()
    return UpstreamFault("upstream_slow")
