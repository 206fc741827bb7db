"""What all workers are told of changes that concern every generation: who may call, and what is revoked.

A burst of changes is told of once. Workers that start later are told before they serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jwtgate.control.workers.messages import ConsumersChanged, RevocationsChanged
from jwtgate.policy.revocations import Revocation

BURST_SECONDS = 0.05

Told = ConsumersChanged | RevocationsChanged


class Announcing:
    """Tells of changes a moment after they were made. `tell` gets each message, on the event loop."""

    def __init__(self, tell: Callable[[Told], None]) -> None:
        self._tell = tell
        self._due: dict[type[Told], Callable[[], Told]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def consumers_changed(self) -> None:
        """Have every worker forget the callers it met."""
        self._soon(ConsumersChanged, ConsumersChanged)

    def revocations_changed(self, entries: Callable[[], tuple[Revocation, ...]]) -> None:
        """Have every worker heed these entries, which are asked for when they are sent."""
        self._soon(RevocationsChanged, lambda: RevocationsChanged(entries()))

    def close(self) -> None:
        """Tell nobody any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _soon(self, kind: type[Told], message: Callable[[], Told]) -> None:
        self._due[kind] = message
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BURST_SECONDS, self._tell_all)

    def _tell_all(self) -> None:
        due, self._due, self._timer = self._due, {}, None
        for message in due.values():
            self._tell(message())
