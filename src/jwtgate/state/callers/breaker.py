"""When a server that fails is left alone, and when it is tried again (REL-33, REL-64).

Pure arithmetic on instants of a monotonic clock, in seconds; the caller says what happened and when.
"""

from __future__ import annotations

from enum import Enum

FAILURES_TO_OPEN = 5
LEAST_REST_SECONDS = 1.0
MOST_REST_SECONDS = 30.0


class BreakerState(Enum):
    """What a breaker lets through: every call, none, or one to see whether the server is back."""

    CLOSED = "closed"
    OPEN = "open"
    TRYING = "trying"


class Breaker:
    """Opens after five failures in a row, for 1, 2, 4 … seconds, at most 30; then one call at a time is let through."""

    def __init__(self) -> None:
        self.failures = 0
        self._rests_until = 0.0
        self._trial_ends = 0.0

    def state(self, now: float) -> BreakerState:
        """What it would do at this instant."""
        if self.failures < FAILURES_TO_OPEN:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._rests_until else BreakerState.TRYING

    def admit(self, now: float, trial_seconds: float) -> bool:
        """Whether a call may begin now.

        While the server is on trial that is one call; the next may begin when it ended, and in any case after
        `trial_seconds`.
        """
        state = self.state(now)
        if state is not BreakerState.TRYING:
            return state is BreakerState.CLOSED
        if now < self._trial_ends:
            return False
        self._trial_ends = now + trial_seconds
        return True

    def succeeded(self) -> None:
        """A call was answered: the server is back, or was never away."""
        self.failures = 0
        self._trial_ends = 0.0

    def failed(self, now: float) -> None:
        """A call failed. Those that began before it opened and fail later do not make the rest longer."""
        if self.state(now) is BreakerState.OPEN:
            return
        self.failures += 1
        self._trial_ends = 0.0
        rests = min(self.failures - FAILURES_TO_OPEN, 16)
        if rests >= 0:
            self._rests_until = now + min(LEAST_REST_SECONDS * 2.0**rests, MOST_REST_SECONDS)

    def wait_seconds(self, now: float) -> float:
        """How long nothing is let through from now on."""
        if self.state(now) is BreakerState.CLOSED:
            return 0.0
        return max(0.0, self._rests_until - now, self._trial_ends - now)
