"""Whether the caller may make one more request: the limit of its consumer, else that of the route.

Nobody is counted here: the room asks, and whoever answers counts for the whole node. A request that cannot be counted
is a fault and never let through.
"""

from __future__ import annotations

import hashlib
from functools import partial

from jwtgate.errors import DependencyFault, RateRefused
from jwtgate.jose.encoding import json_bytes
from jwtgate.policy.facts import Allowance, NeedAllowance, Steps, find_allowance
from jwtgate.policy.plan import Route
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.identify import Principal
from jwtgate.policy.value import Known, asking, value_of


def limit_of(route: Route, principal: Principal) -> RateLimit | None:
    """The limit that holds for this caller on this route."""
    consumer = principal.consumer
    return route.rate_limit if consumer is None or consumer.rate_limit is None else consumer.rate_limit


def ask_allowance(known: Known) -> Steps[Allowance | None]:
    """What the limit of this caller leaves, this request counted; None where there is no limit.

    Fails with `expression_failed` for a value nobody can count by.
    """
    limit = limit_of(known.route, known.principal)
    if limit is None:
        return None
    owner = _owner(limit, known)
    # Another limit counts anew.
    counted_by = yield from asking(known, partial(_counted_by, limit, known))
    named = [owner, limit.requests, limit.window_seconds, counted_by]
    try:
        # Of one size, whatever the request holds.
        counted = hashlib.sha256(json_bytes(named)).hexdigest()
    except ValueError:
        raise DependencyFault("expression_failed", cause="a value cannot be counted by") from None
    need = NeedAllowance(owner, counted, limit.requests, limit.window_seconds)
    return (yield from find_allowance(need))


def check_allowance(allowance: Allowance | None) -> None:
    """Refuses `rate_limit_exceeded`. None: nothing is limited."""
    if allowance is not None and not allowance.granted:
        raise RateRefused("rate_limit_exceeded", retry_after_seconds=allowance.reset_seconds)


def _owner(limit: RateLimit, known: Known) -> str:
    """Whose limit this is."""
    consumer = known.principal.consumer
    if consumer is None or limit is known.route.rate_limit:
        return f"route {known.route.name}"
    return f"consumer {consumer.name}"


def _counted_by(limit: RateLimit, known: Known) -> list[object]:
    principal = known.principal
    if limit.by is CountedBy.ROUTE:
        return ["route", known.route.name]
    if limit.by is CountedBy.VALUE and limit.value is not None:
        value = value_of(limit.value, known)
        if value is not MISSING:
            return ["value", value]
    if limit.by is CountedBy.CALLER:
        if principal.consumer is not None:
            return ["consumer", principal.consumer.name]
        for proven in principal.tokens.values():
            subject = proven.claims.get("sub")
            if isinstance(subject, str):
                return ["subject", subject, proven.issuer.name, proven.claims.get("iss")]
    return ["client", known.request.client]
