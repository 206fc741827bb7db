"""Times and numbers of changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Stamps:
    """What changes are numbered and dated with. `wall` tells seconds since 1970."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._last = 0

    def now(self) -> int:
        """The second it is."""
        return int(self._wall())

    def index(self) -> int:
        """A number greater than all before, also than those before a restart."""
        # Microseconds: they outgrow what anybody changes, and stay exact in every reader's floating point.
        self._last = max(self._last + 1, int(self._wall() * 1_000_000))
        return self._last

    def dated(self, value: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
        """An object with the times of a change; `before` is what it was."""
        now = self.now()
        created = now if before is None else before.get("create_time", now)
        return {**value, "create_time": created, "update_time": now}


def new_id(index: int) -> str:
    """The id of an object nobody named."""
    return f"{index:020d}"
