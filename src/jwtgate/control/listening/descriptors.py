"""How many descriptors the processes of a node may hold: as many as the system lets them (REL-20)."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable

from jwtgate.control.journal import event
from jwtgate.gateway.listening.doors import descriptor_limit, for_clients
from jwtgate.policy.plan import Limits

MOST = 1 << 20
"""More than this is not asked for: some systems allow a thousand times as many, and tables are made for all of them."""


def raise_limit(
    held: tuple[int, int] | None = None, *, set_limit: Callable[[tuple[int, int]], None] | None = None
) -> None:
    """Raise the soft limit of this process to its hard one, for the workers too, which inherit it; and say so."""
    soft, hard = held or resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        event("descriptor_limit", most=descriptor_limit())
        return
    change = set_limit or (lambda limits: resource.setrlimit(resource.RLIMIT_NOFILE, limits))
    try:
        change((wanted, hard))
    except (OSError, ValueError) as trouble:
        event("descriptor_limit_not_raised", level=logging.WARNING, error=trouble, most=soft)
        return
    event("descriptor_limit", most=wanted, raised_from=soft)


def caution_about(limits: Limits, limit: int) -> None:
    """Warn when a worker with so many descriptors can never have as many connections as the document allows."""
    most = for_clients(limit)
    if limits.connections > most:
        wanted = limits.connections
        event("connections_out_of_reach", level=logging.WARNING, limit=wanted, descriptors=limit, clients=most)
