"""What one secret store said, path by path, over time: read again when due, the last value kept while that fails.

Reads of one path are never made twice at once. A store that is away is found out once, not once for each path.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.secrets.contents import Contents, pick
from jwtgate.state.secrets.reading import AWAY, Backend, Read, ReadFailed
from jwtgate.state.secrets.references import Reference

READ_SECONDS = 5.0
MOST_AT_ONCE = 4
MOST_BACK_OFF_SECONDS = 60.0
LEAST_INTERVAL_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecretStoreReport:
    """How one store is doing. `age_seconds`: of the oldest value held, None when there is none.

    `stale`: some path could not be read when it last should have been; `last_failure` says why. `missing`: paths asked
    for of which no value is held, or no longer.
    """

    name: str
    kind: str
    values: int
    missing: int
    age_seconds: float | None
    stale: bool
    last_failure: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is held of one path. Replaced as a whole, since a thread may be looking at it."""

    contents: Contents | None = field(default=None, repr=False)
    read_at: float = -math.inf
    tried_at: float = -math.inf
    due: float = -math.inf
    failures: int = 0
    failed: ReadFailed | None = None


@dataclass(slots=True)
class _Told:
    """Whether it was told last that the store fails. Generations share it: what both find out is told once."""

    failing: bool = False


class Holdings:
    """One store's values."""

    def __init__(
        self, store: SecretStore, backend: Backend, *, clock: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self.store = store
        self._changed = False
        self._backend = backend
        self._clock = clock
        self._jitter = jitter
        self._entries: dict[str, _Entry] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(MOST_AT_ONCE)
        self._away: tuple[float, ReadFailed] | None = None
        self._adopted: dict[str, _Entry] = {}
        self._told = _Told()

    def adopt(self, previous: Holdings) -> None:
        """Go on with the values, the login and the leases of the same store in another generation."""
        self._backend = previous._backend
        self._adopted = dict(previous._entries)
        self._told = previous._told

    async def read(self, paths: Iterable[str]) -> None:
        """Read these paths; from now on they are held. What fails is told by `value`."""
        tasks = [self._reading.get(path) or self._begin(path) for path in paths]
        if tasks:
            # Unlike awaiting the tasks: whoever gives up waiting leaves them to those who still wait.
            await asyncio.wait(tasks)

    async def read_again(self, paths: Iterable[str]) -> None:
        """Read these paths as `read` does, whatever was found out a moment ago of the store as a whole."""
        self._away = None
        await self.read(paths)

    def due(self) -> float:
        """When the next path must be read again; infinite when there is none."""
        return min((entry.due for entry in self._entries.values()), default=math.inf)

    async def read_due(self) -> None:
        """Read again what is due by now."""
        now = self._clock()
        await self.read([path for path, entry in self._entries.items() if entry.due <= now])

    def take_changed(self) -> bool:
        """Whether, since this was last asked, a value became another, came after it failed, or got too old."""
        changed, self._changed = self._changed, False
        return changed

    def value(self, reference: Reference) -> str:
        """The value of this reference. `ConfigError` when nothing is held, or not such a field."""
        entry = self._entries.get(reference.path)
        if entry is None:
            raise ConfigError(f"The reference {reference} was not read yet.")
        if entry.contents is None:
            words = "it was not read yet" if entry.failed is None else entry.failed.words
            raise ConfigError(f"The reference {reference} cannot be read from {self.store.name!r}: {words}.")
        try:
            return pick(entry.contents, reference.field)
        except ValueError as error:
            raise ConfigError(f"The reference {reference} cannot be used: {error}.") from None

    def report(self) -> SecretStoreReport:
        """How this store is doing."""
        held = [entry.read_at for entry in self._entries.values() if entry.contents is not None]
        failed = [entry.failed.cause for entry in self._entries.values() if entry.failed is not None]
        return SecretStoreReport(
            name=self.store.name,
            kind=self.store.kind,
            values=len(held),
            missing=len(self._entries) - len(held),
            age_seconds=self._clock() - min(held) if held else None,
            stale=bool(failed),
            last_failure=failed[-1] if failed else None,
        )

    async def close(self) -> None:
        """Stop reading; the values stay."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, path: str) -> asyncio.Task[None]:
        self._entries.setdefault(path, self._adopted.get(path, _Entry()))
        task = self._reading[path] = asyncio.create_task(self._read(path))
        task.add_done_callback(lambda _: self._reading.pop(path, None))
        return task

    async def _read(self, path: str) -> None:
        async with self._gate:
            try:
                if self._away is not None and self._clock() < self._away[0]:
                    raise self._away[1]
                read = await self._read_now(path)
            except ReadFailed as failed:
                self._failed(path, failed)
            else:
                self._succeeded(path, read)

    async def _read_now(self, path: str) -> Read:
        self._away = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._backend.read(path)
        except TimeoutError:
            failed = ReadFailed("slow")
        except ReadFailed as known:
            failed = known
        except Exception as unforeseen:  # whatever a client library throws, the other stores and values go on
            failed = ReadFailed("failed", type(unforeseen).__name__)
        if failed.cause in AWAY:
            self._away = (self._clock() + LEAST_INTERVAL_SECONDS, failed)
        raise failed

    def _succeeded(self, path: str, read: Read) -> None:
        entry = self._entries[path]
        now = self._clock()
        interval = min(read.again_seconds, self.store.refresh_seconds * (0.85 + 0.1 * self._jitter()))
        known = entry.contents is not None or entry.failed is not None
        self._changed |= known and entry.contents != read.contents
        self._entries[path] = _Entry(read.contents, now, now, now + max(interval, LEAST_INTERVAL_SECONDS))
        if self._told.failing and not self._is_failing():
            self._told.failing = False
            _log.warning("the secret store %s can be read again", self.store.name)

    def _failed(self, path: str, failed: ReadFailed) -> None:
        """Try again after 1, 2, 4 … seconds, at most a minute or the usual interval."""
        entry = self._entries[path]
        now = self._clock()
        if not self._told.failing:
            self._told.failing = True
            _log.warning("the secret store %s cannot be read: %s", self.store.name, failed.words)
        most = min(MOST_BACK_OFF_SECONDS, self.store.refresh_seconds)
        due = now + min(2.0 ** min(entry.failures, 16), most) * (1 + 0.25 * self._jitter())
        ends = entry.read_at + self.store.max_stale_seconds
        contents = entry.contents if now < ends else None
        if entry.contents is not None and contents is None:
            self._changed = True
            if not any(each.contents is None and each.read_at > -math.inf for each in self._entries.values()):
                _log.warning("a value of the secret store %s is too old to be used any longer", self.store.name)
        # The last moment of a value is a moment to try once more, and to drop it if that fails.
        due = due if contents is None else min(due, ends)
        failures = entry.failures + 1
        self._entries[path] = replace(entry, contents=contents, tried_at=now, due=due, failures=failures, failed=failed)

    def _is_failing(self) -> bool:
        return any(entry.failed is not None for entry in self._entries.values())
