"""What a store must do: keep small named records, each with a version, and logs that only grow; and the one in memory.

A record is written whole and only over the version its writer read, so that two writers never lose each
other's work. Changes that belong together happen in one step: a crash leaves the state before or after it, never
between.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

USUAL_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """A stored value and its version, counted from 1. No version comes twice under one name, deletion or not."""

    value: bytes = field(repr=False)
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log and its number, counted from 1."""

    number: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Write:
    """A record to be written over this version, 0 where there is none yet. A value of None deletes it."""

    name: str
    value: bytes | None = field(repr=False)
    over: int


@dataclass(frozen=True, slots=True)
class Append:
    """An entry to be added to a log, of which only the latest `keep` are kept; None: all.

    `over` is the number of the entry it must follow, 0 for the first; None: whichever is the latest.
    """

    log: str
    value: bytes = field(repr=False)
    keep: int | None = None
    over: int | None = None


Change = Write | Append


class StoreFailed(Exception):
    """The store could not be read or written. Nothing was changed."""


class StoreConflict(StoreFailed):
    """Somebody else wrote the record meanwhile, or holds what it claims for itself. Read it again."""


class Store(Protocol):
    """Records by name, and logs. Every call may block for a short time, and may come from any thread.

    Every call raises `StoreFailed`; those that change something also `StoreConflict`, having changed nothing.
    `failures` counts the calls that could not be carried out.
    """

    failures: int = 0

    @abstractmethod
    def read(self, name: str) -> Record | None:
        """The record of this name, or None."""

    @abstractmethod
    def records(self, prefix: str, *, after: str = "", limit: int = USUAL_PAGE) -> tuple[tuple[str, Record], ...]:
        """The records below `prefix`, which ends with a slash, in the order of their names, from behind `after`."""

    @abstractmethod
    def names(self, prefix: str, *, after: str = "", limit: int | None = None) -> tuple[str, ...]:
        """The names of the same records, all of them unless there is a limit."""

    @abstractmethod
    def entries(self, log: str, *, after: int = 0, limit: int = USUAL_PAGE) -> tuple[Entry, ...]:
        """The entries of a log, oldest first, from behind this number."""

    @abstractmethod
    def last(self, log: str) -> int:
        """The number of the latest entry, 0 for a log without any."""

    @abstractmethod
    def write_all(self, changes: Sequence[Change]) -> tuple[int, ...]:
        """Make all these changes or none. The new version or number of each, 0 for what was deleted."""

    @abstractmethod
    def close(self) -> None:
        """Let go of whatever is held open."""

    def check_readable(self) -> None:
        """Nothing, as long as the store can be read; cheap."""
        return

    def check_writable(self) -> None:
        """Nothing, as long as the store can be written, which is tried out without changing anything."""
        return

    def scrub(self) -> None:
        """Have nothing stay behind of what was overwritten or deleted, as far as that can be done now."""
        return

    def write(self, name: str, value: bytes, *, over: int) -> None:
        """Write over this version, 0 where there is none yet."""
        self.write_all([Write(name, value, over)])

    def delete(self, name: str, *, over: int) -> None:
        """Delete the record while it has this version."""
        self.write_all([Write(name, None, over)])


class MemoryStore(Store):
    """A store that ends with the process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._logs: dict[str, list[Entry]] = {}
        self._greatest_deleted = 0
        self._lock = threading.Lock()

    def read(self, name: str) -> Record | None:
        """The record of this name, or None."""
        return self._records.get(name)

    def records(self, prefix: str, *, after: str = "", limit: int = USUAL_PAGE) -> tuple[tuple[str, Record], ...]:
        """The records below `prefix`, in the order of their names."""
        with self._lock:
            found = sorted(name for name in self._records if name.startswith(prefix) and name > max(prefix, after))
            return tuple((name, self._records[name]) for name in found[:limit])

    def names(self, prefix: str, *, after: str = "", limit: int | None = None) -> tuple[str, ...]:
        """The names of the same records."""
        every = len(self._records) if limit is None else limit
        return tuple(name for name, _ in self.records(prefix, after=after, limit=every))

    def entries(self, log: str, *, after: int = 0, limit: int = USUAL_PAGE) -> tuple[Entry, ...]:
        """The entries of a log behind this number."""
        with self._lock:
            held = self._logs.get(log, [])
            start = bisect_right(held, after, key=_number)
            return tuple(held[start : start + limit])

    def last(self, log: str) -> int:
        """The number of the latest entry, 0 for none."""
        held = self._logs.get(log)
        return held[-1].number if held else 0

    def write_all(self, changes: Sequence[Change]) -> tuple[int, ...]:
        """Make all these changes or none. Raises `StoreConflict`."""
        with self._lock:
            for change in changes:
                self._check(change)
            return tuple(
                self._write(change) if isinstance(change, Write) else self._append(change) for change in changes
            )

    def close(self) -> None:
        """Nothing is held open."""

    def _check(self, change: Change) -> None:
        if isinstance(change, Append):
            if change.over not in (None, self.last(change.log)):
                raise StoreConflict(change.log)
            return
        held = self._records.get(change.name)
        if change.over != (held.version if held else 0):
            raise StoreConflict(change.name)

    def _write(self, change: Write) -> int:
        if change.value is None:
            self._greatest_deleted = max(self._greatest_deleted, change.over)
            self._records.pop(change.name, None)
            return 0
        version = (change.over or self._greatest_deleted) + 1
        self._records[change.name] = Record(change.value, version)
        return version

    def _append(self, change: Append) -> int:
        held = self._logs.setdefault(change.log, [])
        held.append(Entry(self.last(change.log) + 1, change.value))
        if change.keep is not None:
            del held[: -change.keep]
        return held[-1].number


def _number(entry: Entry) -> int:
    return entry.number
