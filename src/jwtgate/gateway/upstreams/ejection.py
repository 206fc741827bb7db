"""How long a target is left out, and what its answers have to do with it (REL-13). Instants are monotonic seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwtgate.gateway.upstreams.standing import Standing
    from jwtgate.policy.traffic.upstreams import Ejection

MOST_SECONDS = 300.0
"""No target is left out for its answers for longer than this without being tried again."""


class Absence:
    """A time out that doubles whenever it ends and nothing is better, and is short again once something is."""

    __slots__ = ("_lasts", "_most_seconds", "_seconds", "times", "until")

    def __init__(self, seconds: float, most_seconds: float = MOST_SECONDS) -> None:
        self.until = 0.0
        self.times = 0
        self._seconds = seconds
        self._most_seconds = max(seconds, most_seconds)
        self._lasts = 0.0

    def begin(self, now: float) -> None:
        """It is left out from this instant on; one that is out already is not out for longer."""
        if now < self.until:
            return
        if self.is_forgotten(now):
            self.times = 0
        self._lasts = min(self._seconds * 2.0 ** min(self.times, 16), self._most_seconds)
        self.times += 1
        self.until = now + self._lasts

    def take_over(self, previous: Absence) -> None:
        """Be where that one is."""
        self.until, self.times, self._lasts = previous.until, previous.times, previous._lasts

    def end(self) -> None:
        """All is well."""
        self.until = 0.0
        self.times = 0

    def is_forgotten(self, now: float) -> bool:
        """Whether all was well since for at least as long as it was out."""
        return now >= self.until + self._lasts


class Watch:
    """Looks at what one target answers, and has it left out by `eject` when too much of it is bad."""

    def __init__(
        self,
        standing: Standing,
        ejection: Ejection,
        *,
        eject: Callable[[Standing], bool],
        clock: Callable[[], float],
    ) -> None:
        self._standing = standing
        self._ejection = ejection
        self._eject = eject
        self._clock = clock
        self._in_a_row = 0

    def answered(self, status: int) -> None:
        """It gave an answer of this status."""
        if status in self._ejection.statuses:
            self.failed()
        elif self._in_a_row:
            self._in_a_row = 0

    def failed(self) -> None:
        """It gave no answer, none in time, or a bad one. One that was out before has one chance only."""
        self._standing.failures += 1
        self._in_a_row += 1
        ejected = self._standing.ejected
        tolerated = 1 if ejected.times and not ejected.is_forgotten(self._clock()) else self._ejection.failures_in_a_row
        if self._in_a_row >= tolerated and self._eject(self._standing):
            self._in_a_row = 0
