"""How long to wait before a dead worker is replaced (REL-1).

A worker that served for a while is replaced at once. Several short lives in a row are a crash loop, and the wait
doubles with each.
"""

from __future__ import annotations

SHORT_LIFE_SECONDS = 2.0
FREE_DEATHS = 5
FIRST_DELAY_SECONDS = 0.5
MOST_DELAY_SECONDS = 10.0


class Backoff:
    """The deaths of the workers that followed one another in one place."""

    __slots__ = ("_short_lives",)

    def __init__(self) -> None:
        self._short_lives = 0

    def delay_seconds(self, served_seconds: float) -> float:
        """The wait after a death; the worker had served for `served_seconds`, zero if it never did."""
        if served_seconds >= SHORT_LIFE_SECONDS:
            self._short_lives = 0
            return 0.0
        self._short_lives += 1
        doublings = self._short_lives - FREE_DEATHS - 1
        if doublings < 0:
            return 0.0
        return min(MOST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(doublings, 10))

    @property
    def looping(self) -> bool:
        """Whether this is a crash loop by now."""
        return self._short_lives > FREE_DEATHS
