"""What one worker knows of one target: whether it is well, left out, or new. Instants are monotonic seconds."""

from __future__ import annotations

from enum import Enum

from jwtgate.gateway.upstreams.ejection import Absence
from jwtgate.policy.traffic.upstreams import Target, Upstream

REST_SECONDS = 5.0
"""How long a target nobody can connect to is left alone at first."""
MOST_REST_SECONDS = 30.0
MISSES_TO_DOUBT = 3
"""After so many connections in a row that could not be made, one is tried at a time, and nobody waits beside it."""
_LEAST_SHARE = 0.1


class State(Enum):
    """Why a target is used, or is not: checks find it bad, nobody can connect to it, or its answers are bad."""

    UP = "up"
    DOWN = "down"
    RESTING = "resting"
    EJECTED = "ejected"


class Standing:
    """One target. `failures` counts what went wrong with it, `times_out` how often it was left out.

    `misses` are the connections in a row that could not be made; `on_trial`: one is being tried after a rest.
    """

    def __init__(self, target: Target, upstream: Upstream) -> None:
        self.target = target
        self.is_down = False
        self.rest = Absence(REST_SECONDS, MOST_REST_SECONDS)
        self.on_trial = False
        self.misses = 0
        self.ejected = Absence(upstream.ejection.for_seconds if upstream.ejection is not None else 0.0)
        self.told = State.UP
        self.failures = 0
        self.times_out = 0
        self._since = float("-inf")
        self._in_a_row = 0
        self._last_check = True

    def is_new(self, now: float) -> None:
        """It was not there before."""
        self._since = now

    def take_over(self, previous: Standing) -> None:
        """Know what was known of it before."""
        self.is_down, self.told = previous.is_down, previous.told
        self.rest.take_over(previous.rest)
        self.ejected.take_over(previous.ejected)
        self.misses, self.failures, self.times_out = previous.misses, previous.failures, previous.times_out
        self._since, self._in_a_row, self._last_check = previous._since, previous._in_a_row, previous._last_check

    def state(self, now: float) -> State:
        """How it is. One that rested does so until somebody could connect to it."""
        if self.is_down:
            return State.DOWN
        if self.rest.times:
            return State.RESTING
        return State.EJECTED if now < self.ejected.until else State.UP

    def is_reachable(self, now: float) -> bool:
        """Whether it can be asked: it is not down, and does not rest. After its rest one connection at a time tries."""
        return not self.is_down and now >= self.rest.until and not self.on_trial

    def is_usable(self, now: float) -> bool:
        """Whether it is to be asked."""
        return self.is_reachable(now) and now >= self.ejected.until

    def changed(self, now: float) -> State | None:
        """Its state, if it is another one than was told before."""
        state, before = self.state(now), self.told
        if state is before:
            return None
        self.told = state
        if state is State.UP:
            self._since = now
        else:
            self.times_out += 1
        return state

    def share(self, now: float, slow_start_seconds: float) -> float:
        """How many requests it takes: as many as it weighs, fewer while it is new or just back."""
        weight = float(self.target.weight)
        if not slow_start_seconds:
            return weight
        return weight * min(1.0, max(_LEAST_SHARE, (now - self._since) / slow_start_seconds))

    def is_settled(self, now: float, slow_start_seconds: float) -> bool:
        """Whether time alone changes nothing of it."""
        return self.told is State.UP and now >= self._since + slow_start_seconds

    def connected(self) -> None:
        """Somebody could connect to it."""
        self.on_trial = False
        self.misses = 0
        self.rest.end()

    def unreachable(self, now: float) -> None:
        """Nobody could connect to it."""
        self.on_trial = False
        self.misses += 1
        self.failures += 1
        self.rest.begin(now)

    def checked(self, well: bool, *, healthy_after: int, unhealthy_after: int) -> None:
        """It was asked whether it is well."""
        self._in_a_row = self._in_a_row + 1 if well is self._last_check else 1
        self._last_check = well
        if well:
            self.connected()
        if self._in_a_row >= (healthy_after if well else unhealthy_after):
            self.is_down = not well
