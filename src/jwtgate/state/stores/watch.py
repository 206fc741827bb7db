"""Whether the store is away, found out without waiting for somebody who needs it (SEC-76)."""

from __future__ import annotations

from jwtgate.state.stores.store import Store, StoreFailed


class StoreWatch:
    """Looks at a store. One that has failed somebody is trusted again once it can be written, not merely read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failures = store.failures

    def look(self) -> str | None:
        """Why the store is away; None: it is not. Blocks for a short time."""
        failures = self._store.failures
        try:
            if failures == self._failures:
                self._store.check_readable()
            else:
                self._store.check_writable()
        except StoreFailed as failure:
            return str(failure)
        self._failures = failures
        return None
