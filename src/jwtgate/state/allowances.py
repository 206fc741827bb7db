"""How many requests were made, counted for all workers of a node in one place.

A window begins with its first request and ends so many seconds later; what was asked in it is counted exactly. The
table is bounded: when it is full, what was asked for least recently goes, and begins anew when it is asked for again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from jwtgate.policy.facts import Allowance, NeedAllowance

MOST_COUNTED = 100_000


class _Window(NamedTuple):
    ends: float
    used: int


class Allowances:
    """The windows that run. Not for several threads at once. `evicted` counts those let go of before their end."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, most_counted: int = MOST_COUNTED) -> None:
        self._monotonic = monotonic
        self._most_counted = most_counted
        # In the order of their last use, the least recent first.
        self._windows: dict[str, _Window] = {}
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, need: NeedAllowance) -> Allowance:
        """Whether one more request may be made, which is counted if it may."""
        now = self._monotonic()
        window = self._windows.pop(need.counted, None)
        if window is None or now >= window.ends:
            window = _Window(now + need.window_seconds, 0)
        granted = window.used < need.requests
        window = _Window(window.ends, window.used + granted)
        if len(self._windows) >= self._most_counted:
            self._let_go(now)
        self._windows[need.counted] = window
        return Allowance(granted, need.requests - window.used, math.ceil(window.ends - now))

    def _let_go(self, now: float) -> None:
        gone = self._windows.pop(next(iter(self._windows)))
        self.evicted += gone.ends > now
