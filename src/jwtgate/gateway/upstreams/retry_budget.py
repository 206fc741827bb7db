"""How many requests may be on their way for a second time, so that trouble is not answered with more load (REL-11)."""

from __future__ import annotations

import random
from collections.abc import Callable

from jwtgate.gateway.logs.episode import Episode

LEAST_AT_ONCE = 10
"""So many retries may go on whatever the share: of few requests a fifth is none."""
_FIRST_PAUSE_SECONDS = 0.02
_MOST_PAUSE_SECONDS = 0.25


class RetryBudget:
    """The retries of one upstream that go on, of all that one worker makes. `made` counts those there ever were."""

    def __init__(self, upstream: str, percent: int, *, chance: Callable[[], float] = random.random) -> None:
        self.made = 0
        self.spent = Episode("retry_budget_spent", upstream=upstream)
        self.percent = percent
        self._going_on = 0
        self._chance = chance

    def take(self, requests: int, now: float) -> bool:
        """Whether one more may go on while so many requests are on their way; if so, it does."""
        if self._going_on >= max(LEAST_AT_ONCE, requests * self.percent // 100):
            self.spent.happened(now)
            return False
        self.lend()
        return True

    def lend(self) -> None:
        """One more goes on that costs the upstream nothing it has not been spared before."""
        self._going_on += 1
        self.made += 1

    def give_back(self, retries: int) -> None:
        """So many are over."""
        self._going_on -= retries

    def pause_seconds(self, retry: int) -> float:
        """How long the retry of this number waits: by chance, and each one longer, so that none come in a row."""
        return self._chance() * min(_FIRST_PAUSE_SECONDS * 2.0 ** min(retry - 1, 8), _MOST_PAUSE_SECONDS)
