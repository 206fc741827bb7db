"""How many requests were made, counted for all workers of a node in one place.

A window begins with its first request and ends so many seconds later; what was asked in it is counted exactly. The
table is bounded, for each limit and as a whole: a limit that is full lets go of what it was asked for least recently,
and a table that is full takes from the limit that holds the most. So whoever makes up callers of one limit has no
other begin anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from jwtgate.policy.facts import Allowance, NeedAllowance

MOST_COUNTED = 200_000
MOST_OF_ONE = 50_000


class _Window(NamedTuple):
    ends: float
    used: int


class Allowances:
    """The windows that run. Not for several threads at once. `evicted` counts those let go of before their end."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        most_counted: int = MOST_COUNTED,
        most_of_one: int = MOST_OF_ONE,
    ) -> None:
        self._monotonic = monotonic
        self._most_counted = most_counted
        self._most_of_one = most_of_one
        # By owner, and the owners themselves, in the order of their last use, the least recent first.
        self._windows: dict[str, dict[str, _Window]] = {}
        self._held = 0
        self._fullest = ""
        self.evicted = 0

    def __len__(self) -> int:
        return self._held

    def take(self, need: NeedAllowance) -> Allowance:
        """Whether one more request may be made, which is counted if it may."""
        now = self._monotonic()
        windows = self._windows[need.owner] = self._windows.pop(need.owner, {})
        held = windows.pop(need.counted, None)
        window = held if held is not None and now < held.ends else _Window(now + need.window_seconds, 0)
        granted = window.used < need.requests
        windows[need.counted] = window = _Window(window.ends, window.used + granted)
        if len(windows) > self._size(self._fullest):
            self._fullest = need.owner
        if held is None:
            self._held += 1
            self._bound(need.owner, now)
        # A sum of instants may be off by a hair, and a whole second is none.
        left = min(math.ceil(window.ends - now), need.window_seconds)
        return Allowance(granted, need.requests - window.used, left)

    def _bound(self, owner: str, now: float) -> None:
        """Let go of a window where there is one too many, never of the one that came last."""
        if self._size(owner) > self._most_of_one:
            self._let_go(owner, now)
        elif self._held > self._most_counted:
            least_recent = next(iter(self._windows))
            self._let_go(max(least_recent, self._fullest, key=self._size), now)

    def _size(self, owner: str) -> int:
        return len(self._windows.get(owner, ()))

    def _let_go(self, owner: str, now: float) -> None:
        windows = self._windows[owner]
        gone = windows.pop(next(iter(windows)))
        if not windows:
            del self._windows[owner]
        self._held -= 1
        self.evicted += gone.ends > now
