"""What a store must do: keep small named records, each with a version; and the store in memory.

A record is written whole and only over the version its writer read, so that two writers never lose each
other's work and a crash leaves the state before or after a write, never between.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """A stored value and its version, counted from 1."""

    value: bytes
    version: int


class StoreFailed(Exception):
    """The store could not be read or written. Nothing was changed."""


class StoreConflict(StoreFailed):
    """Somebody else wrote the record meanwhile. Read it again."""


class Store(Protocol):
    """Records by name. Every call may block for a short time, and may come from any thread."""

    def read(self, name: str) -> Record | None:
        """The record of this name, or None. Raises `StoreFailed`."""

    def write(self, name: str, value: bytes, *, over: int) -> None:
        """Write over this version, 0 where there is none yet. Raises `StoreConflict`, `StoreFailed`."""

    def close(self) -> None:
        """Let go of whatever is held open."""


class MemoryStore:
    """Records that end with the process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._lock = threading.Lock()

    def read(self, name: str) -> Record | None:
        """The record of this name, or None."""
        return self._records.get(name)

    def write(self, name: str, value: bytes, *, over: int) -> None:
        """Write the record over this version, 0 where there is none yet. Raises `StoreConflict`."""
        with self._lock:
            held = self._records.get(name)
            if over != (held.version if held else 0):
                raise StoreConflict(name)
            self._records[name] = Record(value, over + 1)

    def close(self) -> None:
        """Nothing is held open."""
