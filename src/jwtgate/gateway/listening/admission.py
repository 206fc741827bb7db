"""What one worker refuses because it has enough to do, and that this is said once (REL-17, REL-39)."""

from __future__ import annotations

import time
from collections.abc import Callable

from jwtgate.errors import DependencyFault
from jwtgate.gateway.logs.episode import Episode

REQUESTS, CONNECTIONS, DESCRIPTORS = "requests", "connections", "descriptors"
STATUS_CONNECTIONS = 64
"""How many connections an address for health and metrics takes when all others are told to come back."""
_RETRY_SECONDS = 1


class Admission:
    """The limits of a worker that are reached, by their names in the document; `descriptors` is the system's.

    `began` counts how often one was. Each beginning and each end is one line of the log, never a refusal.
    """

    __slots__ = ("_clock", "_reached", "began")

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reached: dict[str, Episode] = {}
        self.began = 0

    @property
    def overloaded(self) -> bool:
        """Whether some limit is reached."""
        return bool(self._reached)

    def refusal(self, limit: str, most: int) -> DependencyFault:
        """What is said to whom is one too many by this limit, which is now reached."""
        self.reach(limit, most)
        return DependencyFault("overloaded", retry_after_seconds=_RETRY_SECONDS)

    def reach(self, limit: str, most: int) -> None:
        """Note that this limit is reached now."""
        overload = self._reached.get(limit)
        if overload is None:
            overload = self._reached[limit] = Episode("overload", limit=limit, most=most)
            self.began += 1
        overload.happened(self._clock())

    def look(self, now: float) -> None:
        """Say of each limit that was not reached lately that its overload is over. `now` is monotonic."""
        for limit, overload in list(self._reached.items()):
            overload.look(now)
            if not overload.is_on:
                del self._reached[limit]
