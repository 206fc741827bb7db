"""Key sets found by the address that publishes them: those consumers' credentials are verified with (SEC-65 to 67).

Consumers come and go while we run, so a set is first fetched when somebody wants it, and kept fresh from then on. There
is room for so many; whoever was asked for longest ago goes. Nothing of them is saved.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedCredential, NeedNewerCredential
from jwtgate.policy.sources import KeySource
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.remote_keys import RemoteKeys, Surroundings

MOST_ADDRESSES = 1_024
IDLE_SECONDS = 3_600.0
IDLE_WITHOUT_KEYS_SECONDS = 60.0

Resolve = Callable[[str], str]


@dataclass(slots=True)
class _Entry:
    """One set; when it was asked for last, and how many changes of the callers there had been by then."""

    keys: RemoteKeys
    asked_at: float
    changes: int


class AddressedKeys:
    """The sets of one node, for its event loop alone. Files are found from `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        client: HttpClient | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._held: dict[KeySource, _Entry] = {}
        self._changed = asyncio.Event()
        self._resolve: Resolve = str
        self._around = Surroundings(
            client or HttpClient(),
            folder=None,
            clock=clock,
            wall=time.time,
            jitter=jitter,
            resolve=lambda text: self._resolve(text),
            changed=lambda name, key_set: None,
        )

    def __len__(self) -> int:
        return len(self._held)

    async def obtain(
        self, source: KeySource, need: NeedCredential | NeedNewerCredential, *, resolve: Resolve, changes: int
    ) -> KeySet:
        """The keys of this source, fetched where there are none yet, or where `need` is of a `kid` they lack.

        `resolve` puts secrets in the place of references, also in later fetches. `changes` counts those of the callers:
        nobody remembers what was given before the last. Raises `DependencyFault("issuer_unreachable")`.
        """
        self._resolve = resolve
        keys = self._keys(source, changes)
        if isinstance(need, NeedNewerCredential):
            return await keys.obtain(need.kid, need.client)
        return await keys.usable()

    async def changed(self, *, most_seconds: float) -> bool:
        """Whether a set that was given to somebody is another one now, or gone; waits for that, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_seconds):
                await self._changed.wait()
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def let_go(self, changes: int) -> None:
        """Forget sets that were not asked for in a long time, and that nobody can have remembered."""
        now = self._clock()
        for source, entry in list(self._held.items()):
            idle = now - entry.asked_at
            is_useless = entry.keys.held is None and idle >= IDLE_WITHOUT_KEYS_SECONDS
            if is_useless or (entry.changes != changes and idle >= IDLE_SECONDS):
                self._held.pop(source).keys.stop()

    def close(self) -> None:
        """End all that is fetched."""
        for entry in self._held.values():
            entry.keys.stop()

    def _keys(self, source: KeySource, changes: int) -> RemoteKeys:
        entry = self._held.pop(source, None)
        keys = self._begun(source) if entry is None else entry.keys
        self._held[source] = _Entry(keys, self._clock(), changes)
        if len(self._held) > MOST_ADDRESSES:
            self._held.pop(next(iter(self._held))).keys.stop()
            self._changed.set()  # somebody may remember what nobody keeps fresh any more
        return keys

    def _begun(self, source: KeySource) -> RemoteKeys:
        first = True

        def changed(name: str, key_set: KeySet | None) -> None:
            nonlocal first
            if not first:
                self._changed.set()
            first = False

        keys = RemoteKeys(source.issuer, self._found(source), replace(self._around, changed=changed))
        keys.start()
        return keys

    def _found(self, source: KeySource) -> KeySource:
        """The source with its files as they are found from here."""
        certificate, key, ca_file = source.client_certificate_file, source.client_key_file, source.fetching.ca_file
        return replace(
            source,
            client_certificate_file=certificate and str(self._folder / certificate),
            client_key_file=key and str(self._folder / key),
            fetching=replace(source.fetching, ca_file=ca_file and str(self._folder / ca_file)),
        )
