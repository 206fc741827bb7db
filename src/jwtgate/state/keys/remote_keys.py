"""One issuer's fetched key set: refreshed in the background, the old kept while the new fails (SEC-66, 67).

There is at most one fetch at a time. What was fetched last is also on disk, so that a node can start while
the issuer is down. When to fetch is decided in `refresh_schedule.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import json_bytes, parse_json_object
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.sources import KeySource
from jwtgate.state.http_client import FetchFailed, HttpClient
from jwtgate.state.keys.key_sources import FetchedKeys, fetch_keys, parse_fetched
from jwtgate.state.keys.refresh_schedule import UNKNOWN_KID_SECONDS, RefreshSchedule
from jwtgate.state.saved import read_saved, write_saved

_log = logging.getLogger(__name__)
_MOST_SAVED_HEAD_BYTES = 4096
FIRST_FETCHES = 3
"""The fetches a request waits for while there never was a set: an issuer that starts with us is not there at once."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How one issuer's keys are doing. `age_seconds` None: never fetched, or nothing to fetch.

    `stale`: older than its refresh interval. `failures`: in a row, `failed`: ever, by cause. `saved`: the last set that
    was to be written to disk is there.
    """

    issuer: str
    remote: bool
    keys: int
    age_seconds: float | None
    stale: bool
    fetches: int
    failures: int
    failed: Mapping[str, int]
    last_failure: str | None
    last_failure_detail: str
    skipped: int
    saved: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every source of a node shares."""

    client: HttpClient
    folder: Path | None
    clock: Callable[[], float]
    wall: Callable[[], float]
    jitter: Callable[[], float]
    resolve: Callable[[str], str]
    changed: Callable[[str, KeySet | None], None]


class RemoteKeys:
    """One issuer's set, its timer, and the fetch in flight."""

    def __init__(self, name: str, source: KeySource, around: Surroundings) -> None:
        self.source = source
        self.held: KeySet | None = None
        self._name = name
        self._around = around
        self._folder = around.folder if source.saved else None
        self._schedule = RefreshSchedule(source, around.jitter, now=around.clock())
        self._body = b""
        self._skipped = self._fetches = 0
        self._failed: Counter[str] = Counter()
        self._last_failure: FetchFailed | None = None
        self._saved = True
        self._stopped = False
        self._fetching: asyncio.Task[bool] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take_over(self, other: RemoteKeys) -> None:
        """Go on where the same source in another generation stands. Call it before `start`."""
        self.held, self._body, self._skipped = other.held, other._body, other._skipped
        self._fetches, self._failed, self._saved = other._fetches, other._failed, other._saved
        self._last_failure = other._last_failure
        self._schedule.take_over(other._schedule)

    def start(self) -> asyncio.Task[bool] | None:
        """Begin; the first fetch, if there is no set to go on with meanwhile."""
        if self.held is None:
            self._load()
        if self.held is None:
            return self._begin()
        self._arm()
        return None

    async def obtain(self, kid: str | None, client: str) -> KeySet:
        """The set, after a fetch where that may help. `DependencyFault` as `KeySets.obtain`."""
        if self.held is None or not self.source.fetched_for_unknown_kid:
            await self.usable()
        if not self._settles(kid):
            self._look_for(kid, client)
            if await self._fetched() and not self._settles(kid):
                self._schedule.remember_unknown(kid, self._around.clock())
        held = self.held
        # While fetches fail, a kid we never looked for may be perfectly good: that is a fault, not a refusal.
        if held is None or (self._schedule.failures and not self._settles(kid)):
            raise self._fault()
        return held

    def _look_for(self, kid: str | None, client: str) -> None:
        """Begin a fetch for this kid, or have the next one in turn come early, unless one is under way."""
        now = self._around.clock()
        if self._fetching is not None:
            return
        if self._schedule.may_force(kid, client, now=now):
            self._schedule.forced(client, now)
            self._begin()
        elif self._schedule.hasten(kid, now):
            if self._schedule.due <= now:
                self._begin()
            else:
                self._arm()

    async def renew(self, client: str) -> KeySet:
        """The set, after a fetch where the budget has one left: none of its keys made a signature.

        That of a set which cannot be fetched is wrong all the same. `DependencyFault` where there is no set at all.
        """
        now = self._around.clock()
        if self._fetching is None and self._schedule.may_spend(client, now=now):
            self._schedule.forced(client, now)
            self._begin()
        await self._fetched()
        return await self.usable()

    async def usable(self) -> KeySet:
        """The set as it is; the one that is being fetched, if there is none yet. `DependencyFault` without any."""
        if self.held is None:
            await self._fetched()
            await self._first_fetches()
        if self.held is None:
            raise self._fault()
        return self.held

    async def _first_fetches(self) -> None:
        """Wait for another of the first fetches while there never was a set, as long as a single one may take."""
        ends = self._around.clock() + self.source.fetching.total_seconds
        while self._is_beginning and self._schedule.due < ends:
            await asyncio.sleep(max(0.0, self._schedule.due - self._around.clock()))
            if self._is_beginning and self._fetching is None:
                self._begin()
            await self._fetched()

    @property
    def _is_beginning(self) -> bool:
        never = self._schedule.age_seconds(self._around.clock()) is None
        return never and self._fetches < FIRST_FETCHES and not self._stopped

    def _fault(self) -> DependencyFault:
        cause = self._cause()
        wait = max(1, math.ceil(self._schedule.due - self._around.clock()))
        fault = DependencyFault("issuer_unreachable", retry_after_seconds=wait, issuer=self._name, cause=cause)
        if self._last_failure is not None and self._last_failure.status is not None:
            fault.detail["status"] = self._last_failure.status
        return fault

    async def _fetched(self) -> bool:
        """Whether there was a fetch in flight and it succeeded."""
        fetching = self._fetching
        if fetching is None:
            return False
        # Unlike awaiting the task: whoever gives up waiting leaves the fetch alone, and the other way round.
        await asyncio.wait((fetching,))
        return not fetching.cancelled() and fetching.result()

    def quiet_seconds(self, kid: str | None) -> float:
        """How long asking again for this kid is pointless."""
        if self.held is not None and not self.source.fetched_for_unknown_kid:
            return UNKNOWN_KID_SECONDS
        now = self._around.clock()
        if self._fetching is not None and not self._schedule.is_unknown(kid, now):
            return 0.0
        return self._schedule.quiet_seconds(kid, now)

    def spent_seconds(self) -> float:
        """How long no other fetch out of turn is had."""
        return self._schedule.spent_seconds(self._around.clock())

    def report(self) -> SourceReport:
        """How this source is doing."""
        age = self._schedule.age_seconds(self._around.clock())
        failure = self._last_failure if self._schedule.failures else None
        return SourceReport(
            issuer=self._name,
            remote=True,
            keys=len(self.held) if self.held is not None else 0,
            age_seconds=age,
            stale=age is None or age > self.source.refresh_seconds,
            fetches=self._fetches,
            failures=self._schedule.failures,
            failed=MappingProxyType(dict(self._failed)),
            last_failure=failure.cause if failure else None,
            last_failure_detail=failure.detail if failure else "",
            skipped=self._skipped,
            saved=self._saved,
        )

    def problem(self) -> str:
        """A sentence that says why there is no set."""
        return f"issuer {self._name!r}: its key set, which is required, cannot be fetched: {self._cause()}."

    def _cause(self) -> str:
        return self._last_failure.cause if self._last_failure else "not_fetched_yet"

    def stop(self) -> None:
        """Stop the timer and the fetch, without waiting for the end of that; the set stays readable."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._fetching is not None:
            self._fetching.cancel()

    async def close(self) -> None:
        """Stop the timer and the fetch; the set stays readable."""
        self.stop()
        tasks = [task for task in (self._fetching, self._saving) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _settles(self, kid: str | None) -> bool:
        """Whether the set we hold has the last word on this kid: it is in there, or known to be nowhere."""
        if self.held is None:
            return False
        if not self.source.fetched_for_unknown_kid:
            return True
        named = kid is not None and any(key.kid == kid for key in self.held)
        return named or self._schedule.is_unknown(kid, self._around.clock())

    def _begin(self) -> asyncio.Task[bool]:
        if self._timer is not None:
            self._timer.cancel()
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait = max(0.0, self._schedule.due - self._around.clock())
        self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._drop_if_too_old()
        self._begin()

    def _drop_if_too_old(self) -> None:
        if self.held is None or self._schedule.is_usable(self._around.clock()):
            return
        _log.error("issuer %s: its key set is too old to be used any longer", self._name)
        self._replace(None, b"")

    async def _fetch(self) -> bool:
        """Whether the issuer's set was fetched. Never raises: a source that fails is tried again."""
        self._fetches += 1
        try:
            fetched = await fetch_keys(self.source, self._around.client, self._around.resolve)
        except FetchFailed as failure:
            self._note_failure(failure)
            return False
        except Exception:
            _log.exception("issuer %s: fetching its key set failed in an unforeseen way", self._name)
            self._note_failure(FetchFailed("internal"))
            return False
        else:
            self._note_success(fetched)
            return True
        finally:
            self._fetching = None

    def _note_failure(self, failure: FetchFailed) -> None:
        if not self._schedule.failures:
            _log.warning("issuer %s: its key set cannot be fetched: %s", self._name, failure.cause)
        self._last_failure = failure
        self._failed[failure.cause] += 1
        self._schedule.failed(self._around.clock())
        self._arm()
        self._drop_if_too_old()

    def _note_success(self, fetched: FetchedKeys) -> None:
        if self._schedule.failures:
            _log.warning("issuer %s: its key set can be fetched again", self._name)
        self._schedule.succeeded(self._around.clock())
        self._arm()
        self._skipped = fetched.skipped
        if self.held is None or fetched.body != self._body:
            self._replace(fetched.key_set, fetched.body)
        if self._folder is not None:
            self._saving = asyncio.create_task(self._save(self._folder, fetched.body))

    def _replace(self, key_set: KeySet | None, body: bytes) -> None:
        self.held, self._body = key_set, body
        self._around.changed(self._name, key_set)

    async def _save(self, folder: Path, body: bytes) -> None:
        head = json_bytes({"fetched_at": self._around.wall()})
        try:
            await asyncio.to_thread(write_saved, self._file(folder), head + b"\n" + body)
        except OSError as error:
            if self._saved:
                _log.warning("issuer %s: its key set cannot be saved: %s", self._name, error.strerror)
            self._saved = False
        else:
            self._saved = True

    def _load(self) -> None:
        """Take up the set saved by an earlier process, unless it is too old."""
        if self._folder is None:
            return
        try:
            saved = read_saved(self._file(self._folder))
            if saved is None:
                return
            fetched_at, fetched = _parse_saved(self.source, saved)
        except (OSError, ValueError, FetchFailed) as error:
            _log.warning("issuer %s: its saved key set cannot be used: %s", self._name, type(error).__name__)
            return
        # A wall clock set back meanwhile makes the age unknown; the set then counts as new.
        age = max(0.0, self._around.wall() - fetched_at)
        now = self._around.clock()
        self._schedule.restored(now, age)
        if self._schedule.is_usable(now):
            self._skipped = fetched.skipped
            self._replace(fetched.key_set, fetched.body)

    def _file(self, folder: Path) -> Path:
        # Named by where the keys come from, so that no other source's set is ever taken for this one's.
        identity = json_bytes([self._name, self.source.iss, self.source.url, self.source.discovery])
        return folder / "key-sets" / hashlib.sha256(identity).hexdigest()[:32]


def _parse_saved(source: KeySource, saved: bytes) -> tuple[float, FetchedKeys]:
    """When a saved set was fetched, by the wall clock, and the set. Raises `ValueError`, `FetchFailed`."""
    head, _, body = saved.partition(b"\n")
    fetched_at = parse_json_object(head, limit_bytes=_MOST_SAVED_HEAD_BYTES).get("fetched_at")
    if not isinstance(fetched_at, int | float):
        raise ValueError("no time")  # noqa: TRY004 - the file is at fault, not the code
    return fetched_at, parse_fetched(source, body)
