"""The list of revocations, kept in the store: what was revoked stays so when the gateway starts again (SEC-75)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import islice

from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.state.stores.registry import Kind, Registry, Resource
from jwtgate.state.stores.store import StoreFailed

MOST_ENTRIES = 1_000_000
_AT_ONCE = 1_000
_KINDS = frozenset(each.value for each in RevokedBy)


class RevocationList:
    """Every entry that has not ended. Calls may come from any thread. After a `StoreFailed` it is as it was."""

    def __init__(self, registry: Registry, *, wall: Callable[[], float], most: int = MOST_ENTRIES) -> None:
        """Read the list."""
        self._registry = registry
        self._wall = wall
        self._most = most
        self._lock = threading.Lock()
        self._held = {each.name: (_revocation(each), each.version) for each in registry.all(Kind.REVOCATION)}

    def entries(self) -> tuple[Revocation, ...]:
        """The entries in force. Never waits for the store."""
        now = self._wall()
        # Copied in one step, so that no lock is needed which somebody holds who writes to a slow disk.
        return tuple(entry for entry, _ in tuple(self._held.values()) if not _has_ended(entry, now))

    def add(self, entry: Revocation, *, who: str) -> None:
        """Keep this entry, in place of an earlier one of its id. `StoreFailed` when there are too many."""
        with self._lock:
            if entry.id not in self._held and len(self._held) >= self._most:
                self._expire()
                if len(self._held) >= self._most:
                    raise StoreFailed(f"the list of revocations is full: it holds {self._most} entries")
            kept = self._registry.put(Kind.REVOCATION, entry.id, _members(entry), over=None, who=who)
            self._held[entry.id] = (entry, kept.version)

    def remove(self, id_: str, *, who: str) -> bool:
        """Whether there was an entry of this id, which is gone now."""
        with self._lock:
            removed = self._registry.delete(Kind.REVOCATION, id_, over=None, who=who)
            self._held.pop(id_, None)
            return removed

    def expire(self) -> int:
        """Delete the entries that have ended; how many they were."""
        with self._lock:
            return self._expire()

    def _expire(self) -> int:
        now = self._wall()
        ended = {id_: version for id_, (entry, version) in self._held.items() if _has_ended(entry, now)}
        waiting = iter(ended.items())
        while some := dict(islice(waiting, _AT_ONCE)):
            self._registry.forget(Kind.REVOCATION, some)
            for id_ in some:
                del self._held[id_]
        return len(ended)


def _has_ended(entry: Revocation, now: float) -> bool:
    return entry.expires_at is not None and now >= entry.expires_at


def _members(entry: Revocation) -> dict[str, JSON]:
    return {
        "by": entry.by.value,
        "value": entry.value,
        "issuer": entry.issuer,
        "issued_before": entry.issued_before,
        "expires_at": entry.expires_at,
        "note": entry.note,
    }


def _revocation(resource: Resource) -> Revocation:
    members: Mapping[str, JSON] = resource.value
    match members:
        case {
            "by": str() as by,
            "value": str() as value,
            "issuer": str() | None as issuer,
            "issued_before": int() | None as issued_before,
            "expires_at": int() | None as expires_at,
            "note": str() as note,
        } if by in _KINDS:
            return Revocation(resource.name, RevokedBy(by), value, issuer, issued_before, expires_at, note)
    raise StoreFailed(f"the revocation {resource.name!r} cannot be read")
