"""Something that is said when it begins and when it has not happened for a while, and not in between (REL-39)."""

from __future__ import annotations

import logging

QUIET_SECONDS = 2.0
"""It is over when it has not happened for so long."""

_journal = logging.getLogger("jwtgate.process")


def say(event: str, **fields: object) -> None:
    """One line of the process log: a change of state."""
    _journal.warning(event, extra={"fields": fields})


class Episode:
    """One thing that happens many times in a row. `total` counts every time of it."""

    __slots__ = ("_began", "_fields", "_last", "_name", "_times", "is_on", "total")

    def __init__(self, name: str, **fields: object) -> None:
        self._name = name
        self._fields = fields
        self._began = self._last = 0.0
        self._times = 0
        self.is_on = False
        self.total = 0

    def happened(self, now: float) -> None:
        """It happened at this instant of the monotonic clock."""
        if not self.is_on:
            self.is_on = True
            self._began, self._times = now, 0
            say(f"{self._name}_began", **self._fields)
        self._last = now
        self._times += 1
        self.total += 1

    def look(self, now: float) -> None:
        """Say that it is over, if it is."""
        if self.is_on and now - self._last >= QUIET_SECONDS:
            self.is_on = False
            seconds = round(self._last - self._began, 3)
            say(f"{self._name}_ended", **self._fields, times=self._times, seconds=seconds)
