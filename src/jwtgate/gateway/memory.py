"""Allowed outcomes remembered while they may be.

The key is the route and everything of the request the decision read: the whole credential, never a part or a
digest of it. An entry ends with the shortest-lived token in it; the whole memory goes with its generation, or when a
key set changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

FOR_EVER = 2**53


@dataclass(frozen=True, slots=True)
class Remembered:
    """An allowed outcome, ready to use: header lines for the upstream, and whom the log names."""

    lines: bytes
    until: int
    issuer: str


class Memory:
    """A bounded table of two generations: cheaper than a list of recent use, and as good."""

    __slots__ = ("_half", "_old", "_young", "evicted")

    def __init__(self, most_entries: int) -> None:
        self._half = max(1, most_entries // 2)
        self._young: dict[Hashable, Remembered] = {}
        self._old: dict[Hashable, Remembered] = {}
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def recall(self, key: Hashable, now: int) -> Remembered | None:
        """What is remembered under this key and still holds at `now` (NumericDate)."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.pop(key, None)
            if entry is None:
                return None
            self.remember(key, entry)
        return entry if now < entry.until else None

    def remember(self, key: Hashable, entry: Remembered) -> None:
        """Keep an entry, letting go of the least recent half when there is no room."""
        if len(self._young) >= self._half:
            self.evicted += len(self._old)
            self._old, self._young = self._young, {}
        self._young[key] = entry

    def forget_all(self) -> None:
        """Let go of everything."""
        self._young, self._old = {}, {}
