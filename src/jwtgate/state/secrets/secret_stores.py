"""The secret stores of one document: read before what refers to them is built, and read again while it lives.

A store that is away never takes a value from us that it gave before, up to `max_stale_seconds` (REL-36). Which paths
are read is said by the document alone, so no request can reach another one (SEC-149).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.http_client import HttpClient
from jwtgate.state.secrets.aws import Aws
from jwtgate.state.secrets.gcp import Gcp
from jwtgate.state.secrets.holdings import Holdings, SecretStoreReport
from jwtgate.state.secrets.reading import Backend, Resolve
from jwtgate.state.secrets.references import Reference, Secrets, store_references, unknown_store
from jwtgate.state.secrets.trying_again import TryingAgain
from jwtgate.state.secrets.vault import Vault

LONGEST_SLEEP_SECONDS = 60.0


class SecretStores:
    """All stores by name. Their own settings may refer to the environment and to files, below `folder`."""

    def __init__(
        self,
        stores: Iterable[SecretStore],
        *,
        client: HttpClient,
        folder: Path,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._own = Secrets(folder, environ)
        self._wanted = asyncio.Event()
        self._holdings = {
            store.name: Holdings(
                store,
                _backend(store, client=client, folder=folder, resolve=self._own.resolve, clock=clock),
                clock=clock,
                jitter=jitter,
            )
            for store in stores
        }
        self._clock = clock
        self._again = TryingAgain(self._fetch_missing, clock=clock)

    @property
    def names(self) -> frozenset[str]:
        """What the document calls its stores."""
        return frozenset(self._holdings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each file of ours to log in with that everybody on this machine may read."""
        return self._own.warnings

    def adopt(self, previous: SecretStores) -> None:
        """Take over the values, logins and leases of stores with the same settings. Call it before `fetch`."""
        for name, holdings in self._holdings.items():
            old = previous._holdings.get(name)
            if old is not None and old.store == holdings.store:
                holdings.adopt(old)
                # Whoever is logged in reads no file again.
                self._own.warn_as(previous._own)

    async def fetch(self, texts: Iterable[str]) -> None:
        """Read all that these texts refer to, now and, once `follow` runs, ever again.

        `ConfigError` with a sentence for each reference that has no value afterwards, neither new nor old, save those
        to stores that may be away.
        """
        references = store_references(texts)
        await self._read(references, Holdings.read)
        raised = [*self._problems(each for each in references if not self._may_be_away(each))]
        if raised:
            raise ConfigError(*raised)

    async def try_to_fetch(self, texts: Iterable[str]) -> None:
        """As `fetch`, of what may just as well be missing."""
        await self._read(store_references(texts), Holdings.read)

    async def fetch_missing(self, texts: Iterable[str]) -> None:
        """Look once more for what these texts refer to and what has no value so far; whether there is any is not told.

        This is done at most once a second, and whoever calls it meanwhile waits for the next time.
        """
        await self._again.again(texts)

    async def _fetch_missing(self, texts: Iterable[str]) -> None:
        missing = [each for each in store_references(texts) if any(self._problems([each]))]
        await self._read(missing, Holdings.read_again)

    def value(self, reference: Reference) -> str:
        """The value that was read for this reference. `ConfigError`."""
        holdings = self._holdings.get(reference.store)
        if holdings is None:
            raise unknown_store(reference, self._holdings)
        return holdings.value(reference)

    async def follow(self, changed: Callable[[], None]) -> None:
        """Read again what is due, as long as this runs. `changed` is told when a value is another than before.

        Also when one has become too old to be used; `fetch` then says so.
        """
        self._take_changed()
        while True:
            self._wanted.clear()
            due = min((holdings.due() for holdings in self._holdings.values()), default=float("inf"))
            try:
                async with asyncio.timeout(max(0.0, min(due - self._clock(), LONGEST_SLEEP_SECONDS))):
                    await self._wanted.wait()
            except TimeoutError:
                await asyncio.gather(*(holdings.read_due() for holdings in self._holdings.values()))
            if self._take_changed():
                changed()

    async def _read(
        self,
        references: Iterable[Reference],
        read: Callable[[Holdings, Iterable[str]], Coroutine[None, None, None]],
    ) -> None:
        paths: dict[str, dict[str, None]] = {}
        for reference in references:
            if reference.store in self._holdings:
                paths.setdefault(reference.store, {})[reference.path] = None
        await asyncio.gather(*(read(self._holdings[store], wanted) for store, wanted in paths.items()))
        self._wanted.set()

    def _problems(self, references: Iterable[Reference]) -> Iterator[str]:
        """A sentence for each of these that has no value."""
        for reference in references:
            try:
                self.value(reference)
            except ConfigError as error:
                yield from error.problems

    def _may_be_away(self, reference: Reference) -> bool:
        holdings = self._holdings.get(reference.store)
        return holdings is not None and holdings.store.may_be_away

    def _take_changed(self) -> bool:
        # All of them, not only up to the first.
        taken = [holdings.take_changed() for holdings in self._holdings.values()]
        return any(taken)

    def report(self) -> tuple[SecretStoreReport, ...]:
        """How each store is doing, in the order of the document."""
        return tuple(holdings.report() for holdings in self._holdings.values())

    async def close(self) -> None:
        """Stop reading; the values stay readable."""
        await self._again.close()
        for holdings in self._holdings.values():
            await holdings.close()


def _backend(
    store: SecretStore, *, client: HttpClient, folder: Path, resolve: Resolve, clock: Callable[[], float]
) -> Backend:
    if store.kind == "vault":
        return Vault(store.settings, client=client, folder=folder, resolve=resolve, clock=clock)
    if store.kind == "aws":
        return Aws(store.settings, resolve=resolve)
    return Gcp(store.settings, folder=folder, resolve=resolve)
