"""What all workers of a node have counted, also those that are gone: counters only ever go up."""

from __future__ import annotations

from dataclasses import replace

from jwtgate.gateway.observe import Counters


class Ledger:
    """The last count of each living worker, by process, and the sum of all that have ended."""

    def __init__(self) -> None:
        self._ended = Counters()
        self._living: dict[int, Counters] = {}

    def note(self, pid: int, counters: Counters) -> None:
        """Replace what this worker had counted before."""
        self._living[pid] = counters

    def close(self, pid: int) -> None:
        """Keep what a worker had counted; what it had open went with it."""
        last = self._living.pop(pid, None)
        if last is not None:
            self._ended.add(replace(last, connections_open=0, remembered_entries=0))

    def total(self) -> Counters:
        """The sum over all workers there have ever been."""
        total = Counters()
        for counters in (self._ended, *self._living.values()):
            total.add(counters)
        return total
