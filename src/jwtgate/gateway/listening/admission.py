"""What one worker refuses because it has enough to do, and that this is said once (REL-17, REL-39)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from jwtgate.errors import DependencyFault

REQUESTS, CONNECTIONS, DESCRIPTORS = "requests", "connections", "descriptors"
STATUS_CONNECTIONS = 64
"""How many connections an address for health and metrics takes when all others are told to come back."""
QUIET_SECONDS = 2.0
"""An overload is over when nobody has been refused for so long."""
_RETRY_SECONDS = 1

_journal = logging.getLogger("jwtgate.process")


@dataclass(slots=True)
class Overload:
    """The time a limit is reached, in seconds of the monotonic clock, and how many were refused in it."""

    most: int
    began: float
    last: float
    refused: int = 0


class Admission:
    """The limits of a worker that are reached, by their names in the document; `descriptors` is the system's.

    `began` counts how often one was. Each beginning and each end is one line of the log, never a refusal.
    """

    __slots__ = ("_clock", "_reached", "began")

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reached: dict[str, Overload] = {}
        self.began = 0

    @property
    def overloaded(self) -> bool:
        """Whether some limit is reached."""
        return bool(self._reached)

    def refusal(self, limit: str, most: int) -> DependencyFault:
        """What is said to whom is one too many by this limit, which is now reached."""
        self.reach(limit, most).refused += 1
        return DependencyFault("overloaded", retry_after_seconds=_RETRY_SECONDS)

    def reach(self, limit: str, most: int) -> Overload:
        """Note that this limit is reached now."""
        now = self._clock()
        overload = self._reached.get(limit)
        if overload is None:
            overload = self._reached[limit] = Overload(most, began=now, last=now)
            self.began += 1
            _journal.warning("overload_began", extra={"fields": {"limit": limit, "most": most}})
        overload.last = now
        return overload

    def look(self, now: float) -> None:
        """Say of each limit at which nobody was refused lately that its overload is over. `now` is monotonic."""
        for limit, overload in list(self._reached.items()):
            if now - overload.last >= QUIET_SECONDS:
                del self._reached[limit]
                seconds = round(overload.last - overload.began, 3)
                told = {"limit": limit, "most": overload.most, "refused": overload.refused, "seconds": seconds}
                _journal.warning("overload_ended", extra={"fields": told})
