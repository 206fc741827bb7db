"""What all workers are told of changes that concern every generation: who may call, what is revoked,
and whether the store is away.

Of callers they are told at once: whoever changed one may send a request the moment the change is answered. A burst of
revocations is told of once. Workers that start later are told before they serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jwtgate.control.workers.messages import ConsumersChanged, RevocationsChanged, StoreChanged
from jwtgate.policy.revocations import Revocation

BURST_SECONDS = 0.05

Told = ConsumersChanged | RevocationsChanged | StoreChanged


class Announcing:
    """Tells of changes. `tell` gets each message, on the event loop."""

    def __init__(self, tell: Callable[[Told], None]) -> None:
        self._tell = tell
        self._entries: Callable[[], tuple[Revocation, ...]] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def consumers_changed(self) -> None:
        """Have every worker forget the callers it met."""
        self._tell(ConsumersChanged())

    def store_changed(self, *, away: bool) -> None:
        """Have every worker know that the store is away, or back."""
        self._tell(StoreChanged(away))

    def revocations_changed(self, entries: Callable[[], tuple[Revocation, ...]]) -> None:
        """Have every worker heed these entries a moment later; they are asked for when they are sent."""
        self._entries = entries
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BURST_SECONDS, self._tell_revoked)

    def close(self) -> None:
        """Tell nobody any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell_revoked(self) -> None:
        entries, self._entries, self._timer = self._entries, None, None
        if entries is not None:
            self._tell(RevocationsChanged(entries()))
