"""What was used once and may not be used again, seen for all workers of a node in one place (RFC 9449 section 11.1).

The table is bounded, for each owner and as a whole: whoever makes up more than there is room for loses what is his own
first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from jwtgate.policy.facts import NeedAllowance, NeedFirstUse
from jwtgate.state.allowances import Allowances

MOST_SEEN = 500_000
MOST_OF_ONE = 50_000


class FirstUses:
    """What was seen lately. Not for several threads at once."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        most_seen: int = MOST_SEEN,
        most_of_one: int = MOST_OF_ONE,
    ) -> None:
        # To be new is to be the first, within its time, of as many as one.
        self._seen = Allowances(monotonic=monotonic, most_counted=most_seen, most_of_one=most_of_one)

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def evicted(self) -> int:
        """How many were let go of before their time, and would be taken for new."""
        return self._seen.evicted

    def take(self, need: NeedFirstUse) -> bool:
        """Whether this is new; it is not from now on."""
        return self._seen.take(NeedAllowance(need.owner, need.used, 1, need.seconds)).granted
