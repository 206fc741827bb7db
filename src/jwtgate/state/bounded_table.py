"""A table that is bounded in entries and in bytes, and lets go of what came first (REL-18)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sized
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_VALUE_BYTES = 60  # what Python needs for a small value and its place, roughly
_OPAQUE_BYTES = 4_000
"""For what is not looked into: a key, with what a library holds of it, or each in a set of them."""


class BoundedTable(Generic[K, V]):
    """`evicted` counts what was let go of for want of room."""

    __slots__ = ("_bytes", "_held", "_most_bytes", "_most_entries", "evicted")

    def __init__(self, most_entries: int, *, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._held: dict[K, tuple[V, int]] = {}
        self._bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def get(self, key: K) -> V | None:
        """What is held under this key."""
        held = self._held.get(key)
        return None if held is None else held[0]

    def put(self, key: K, value: V) -> None:
        """Hold this. What is larger than the whole table is not held."""
        former = self._held.pop(key, None)
        if former is not None:
            self._bytes -= former[1]
        size = rough_bytes(key) + rough_bytes(value)
        if size > self._most_bytes:
            self.evicted += 1
            return
        self._held[key] = (value, size)
        self._bytes += size
        while len(self._held) > self._most_entries or self._bytes > self._most_bytes:
            self._bytes -= self._held.pop(next(iter(self._held)))[1]
            self.evicted += 1

    def clear(self) -> None:
        """Let go of everything."""
        self._held.clear()
        self._bytes = 0


def rough_bytes(value: object) -> int:
    """How much memory a value of texts, numbers, mappings, sequences and dataclasses takes, roughly."""
    if isinstance(value, str | bytes):
        return _VALUE_BYTES + len(value)
    if value is None or isinstance(value, bool | int | float):
        return _VALUE_BYTES
    if isinstance(value, Mapping):
        return _VALUE_BYTES + sum(rough_bytes(key) + rough_bytes(item) for key, item in value.items())
    if isinstance(value, list | tuple | frozenset):
        return _VALUE_BYTES + sum(map(rough_bytes, value))
    if is_dataclass(value):
        return _VALUE_BYTES + sum(rough_bytes(getattr(value, each.name)) for each in fields(value))
    return _OPAQUE_BYTES * (max(1, len(value)) if isinstance(value, Sized) else 1)
