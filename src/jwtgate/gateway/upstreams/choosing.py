"""The ways to choose one of several targets: in turn, by what they have to do, or by what a request has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import log
from typing import TYPE_CHECKING, Protocol

from jwtgate.policy.request import RequestView, cookie_values
from jwtgate.policy.traffic.upstreams import Balance, HashedBy, HashKey, Upstream

if TYPE_CHECKING:
    from jwtgate.gateway.upstreams.pool import Pool

HASH_BYTES = 6
"""Few enough for a float to tell all of them apart from 1."""
_SPREAD = float(1 << (8 * HASH_BYTES))


class Requester(Protocol):
    """A request that a target is chosen for."""

    consumer: str

    def view(self) -> RequestView:
        """What it looks like."""


Choose = Callable[[Sequence["Pool"], Requester], "Pool"]


def chooser(upstream: Upstream) -> Choose:
    """How this upstream has its targets chosen."""
    if upstream.balance is Balance.LEAST_REQUESTS:
        return least_requests
    if upstream.balance is Balance.CONSISTENT_HASH and upstream.hash_by is not None:
        return ConsistentHash(upstream.hash_by)
    return Turns()


class Turns:
    """Each target as often as it weighs."""

    def __init__(self) -> None:
        self._turn = 0

    def __call__(self, pools: Sequence[Pool], requester: Requester) -> Pool:
        """The pool whose turn it is."""
        first = pools[0].share
        if all(pool.share == first for pool in pools):
            self._turn = (self._turn + 1) % len(pools)
            return pools[self._turn - 1]
        return _heaviest(pools)


def _heaviest(pools: Sequence[Pool]) -> Pool:
    """The pool that has waited longest for its weight: turns come evenly spread, never in a row."""
    for pool in pools:
        pool.owed += pool.share
    chosen = max(pools, key=lambda pool: pool.owed)
    chosen.owed -= sum(pool.share for pool in pools)
    return chosen


def least_requests(pools: Sequence[Pool], requester: Requester) -> Pool:
    """The pool with the fewest requests for its weight; of several the one whose turn it is."""
    least = min((pool.busy + 1) / pool.share for pool in pools)
    return _heaviest([pool for pool in pools if (pool.busy + 1) / pool.share == least])


class ConsistentHash:
    """Requests with the same key go to the same target, whichever worker or node they come to.

    Every target draws a number for a key, and the highest wins (rendezvous hashing): one that comes takes its share of
    the keys from all others alike, and one that goes leaves the keys of the others where they are.
    """

    def __init__(self, key: HashKey) -> None:
        self._key = key

    def __call__(self, pools: Sequence[Pool], requester: Requester) -> Pool:
        """The pool of this request."""
        key = _hashed(self._key, requester)
        return max(pools, key=lambda pool: weighed(_drawn(key, pool), pool.share))


def _drawn(key: bytes, pool: Pool) -> bytes:
    return blake2b(key, digest_size=HASH_BYTES, key=pool.seed).digest()


def weighed(drawn: bytes, share: float) -> float:
    """What this draw is worth to a target of this share: it is the highest of all as often as the share is one."""
    return -share / log((int.from_bytes(drawn) + 0.5) / _SPREAD)


def _hashed(key: HashKey, requester: Requester) -> bytes:
    """What of this request is hashed; its client where it has no such thing."""
    view, found = requester.view(), b""
    match key.by:
        case HashedBy.CONSUMER:
            found = requester.consumer.encode()
        case HashedBy.HEADER:
            found = next(iter(view.field_values(key.name)), b"")
        case HashedBy.COOKIE:
            texts = view.field_values(b"cookie")
            found = next((value for text in texts for value in cookie_values(text, key.name)), b"")
    return found or view.client.encode()
