"""How many requests a caller may make, and within how long. Compiled and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jwtgate.policy.provisions import Answer, Value


class CountedBy(Enum):
    """Whose requests are counted together."""

    CALLER = "caller"
    """Those of one consumer, else of one subject of an issuer, else from one address."""
    CLIENT = "client"
    """Those from one address."""
    ROUTE = "route"
    """All of the route."""
    VALUE = "value"
    """Those for which a value is the same."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests within a window, which begins with the first of them.

    `value` is what is counted by where `by` says so. `answer` is what a request beyond the limit is told; None: as the
    route answers such refusals. `shown`: answers tell how many requests are left.
    """

    requests: int
    window_seconds: int
    by: CountedBy = CountedBy.CALLER
    value: Value | None = None
    answer: Answer | None = None
    shown: bool = True
