"""The workers that share one set of listening sockets: kept alive, changed over together, drained together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from jwtgate.control.journal import event
from jwtgate.control.listening.sockets import Bound
from jwtgate.control.workers.messages import Drain, Switch
from jwtgate.control.workers.worker_handle import WorkerHandle
from jwtgate.errors import ConfigError

PREPARE_SECONDS = 60.0
SWITCH_SECONDS = 5.0
GRACE_SECONDS = 2.0
SPAWN_TRIES_APART_SECONDS = 1.0
SHORT_LIFE_SECONDS = 2.0
FREE_DEATHS = 5
FIRST_DELAY_SECONDS = 0.5
MOST_DELAY_SECONDS = 10.0


class Backoff:
    """The deaths of the workers that followed one another in one place (REL-1).

    One that served for a while is replaced at once. Several short lives in a row are a crash loop, and the wait
    doubles with each.
    """

    __slots__ = ("_short_lives",)

    def __init__(self) -> None:
        self._short_lives = 0

    def delay_seconds(self, served_seconds: float) -> float:
        """The wait after a death; the worker had served for `served_seconds`, zero if it never did."""
        if served_seconds >= SHORT_LIFE_SECONDS:
            self._short_lives = 0
            return 0.0
        self._short_lives += 1
        doublings = self._short_lives - FREE_DEATHS - 1
        if doublings < 0:
            return 0.0
        return min(MOST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(doublings, 10))

    def ends_loop(self, served_seconds: float) -> bool:
        """Whether this was a crash loop and is none any more, since the worker there now has served for so long."""
        if not self.looping or served_seconds < SHORT_LIFE_SECONDS:
            return False
        self._short_lives = 0
        return True

    @property
    def looping(self) -> bool:
        """Whether this is a crash loop by now."""
        return self._short_lives > FREE_DEATHS


@dataclass(frozen=True, slots=True)
class Frames:
    """A generation as it is sent: its number, its encoded `Prepare`, and what changed since.

    `changes` holds the newest of each kind: the key set of each issuer by its name, our own signing keys, revocations,
    whether the store is away.
    """

    number: int
    prepare: bytes = field(repr=False)
    changes: dict[Hashable, bytes] = field(default_factory=dict, repr=False)


class Crew:
    """`size` workers. `heard` gets what they say, `gone` is told of each that ended."""

    def __init__(
        self,
        size: int,
        bound: Bound,
        *,
        frames: Frames,
        heard: Callable[[WorkerHandle, object], None],
        gone: Callable[[WorkerHandle], None],
    ) -> None:
        self._size = size
        self._bound = bound
        self._frames = frames
        self._heard = heard
        self._gone = gone
        self._workers: dict[int, WorkerHandle] = {}
        self._backoffs = [Backoff() for _ in range(size)]
        self._keepers: dict[int, asyncio.Task[None]] = {}
        self._leaving = False
        self.restarts = 0

    @property
    def workers(self) -> tuple[WorkerHandle, ...]:
        """Those that are there now."""
        return tuple(worker for worker in self._workers.values() if not worker.ended)

    @property
    def number(self) -> int:
        """The generation it serves, or is about to."""
        return self._frames.number

    @property
    def serving(self) -> int:
        """How many serve requests."""
        return sum(worker.serving > 0 for worker in self.workers)

    @property
    def looping(self) -> bool:
        """Whether some place loses one worker after another."""
        return any(backoff.looping for backoff in self._backoffs)

    async def start(self) -> None:
        """Start all workers and wait until they serve; `ConfigError` when one could not, and then all are gone."""
        try:
            for place in range(self._size):
                await self._spawn(place)
            async with asyncio.timeout(PREPARE_SECONDS):
                first = self.workers
                arrived = await asyncio.gather(*(worker.until(_serves_or_cannot) for worker in first))
        except (OSError, TimeoutError) as trouble:
            await self.kill()
            raise ConfigError(f"the workers could not be started: {type(trouble).__name__}") from trouble
        problems = sorted({worker.problem for worker in first if worker.problem is not None})
        if not all(arrived) or problems:
            await self.kill()
            raise ConfigError(*problems or ("a worker ended before it served",))

    async def adopt(self, frames: Frames) -> None:
        """Have all workers serve this generation; `ConfigError` when one cannot build it, and then none does."""
        asked = self.workers
        for worker in asked:
            worker.send_frame(frames.prepare)
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                await asyncio.gather(*(worker.until(lambda w: w.prepared == frames.number) for worker in asked))
        except TimeoutError:
            raise ConfigError("the workers did not build the generation in time") from None
        problems = sorted({worker.problem for worker in asked if worker.problem is not None and not worker.ended})
        if problems:
            raise ConfigError(*problems)
        self._frames = frames
        for worker in self.workers:
            if worker.prepared != frames.number:  # started meanwhile
                worker.send_frame(frames.prepare)
            self._switch(worker)
        switched = (worker.until(lambda w: w.serving == frames.number) for worker in self.workers)
        try:
            async with asyncio.timeout(SWITCH_SECONDS):
                await asyncio.gather(*switched)
        except TimeoutError:
            self._kill_all_but(frames.number)

    def tell(self, frame: bytes) -> None:
        """Send a message to all workers."""
        for worker in self.workers:
            worker.send_frame(frame)

    async def drain(self, seconds: float) -> None:
        """Let the workers finish what runs, for at most so long, and wait until they are gone."""
        self._leaving = True
        for worker in self.workers:
            worker.send(Drain(seconds))
        waiting = [self._keepers[place] for place, worker in self._workers.items() if not worker.ended]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds + GRACE_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End the workers now."""
        self._leaving = True
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)

    async def _spawn(self, place: int) -> None:
        """Put a fresh worker into this place, and somebody to look after it."""
        worker = self._workers[place] = await WorkerHandle.spawn(self._bound)
        worker.send_frame(self._frames.prepare)
        self._switch(worker)
        self._keepers[place] = asyncio.create_task(self._keep(place, worker))

    async def _keep(self, place: int, worker: WorkerHandle) -> None:
        """Stay with a worker until it ends, and put another into its place."""
        try:
            status = await worker.attend(lambda worker, message: self._hear(place, worker, message))
        finally:
            self._gone(worker)
        if not self._leaving:
            await self._mourn(place, worker, status)
        while not self._leaving:
            try:
                await self._spawn(place)
            except OSError as trouble:
                event("worker_not_started", level=logging.ERROR, error=trouble)
                await asyncio.sleep(SPAWN_TRIES_APART_SECONDS)
            else:
                return

    def _hear(self, place: int, worker: WorkerHandle, message: object) -> None:
        looped = self.looping
        if self._backoffs[place].ends_loop(worker.served_seconds) and looped and not self.looping:
            event("crash_loop_ended")
        self._heard(worker, message)

    async def _mourn(self, place: int, worker: WorkerHandle, status: int) -> None:
        """Say that a worker has died, and wait as long as that asks for."""
        looped = self.looping
        delay = self._backoffs[place].delay_seconds(worker.served_seconds)
        self.restarts += 1
        event("worker_died", level=logging.WARNING, worker=worker.pid, status=status, wait_seconds=delay)
        if self.looping and not looped:
            event("crash_loop_began", level=logging.ERROR)
        await asyncio.sleep(delay)

    def _switch(self, worker: WorkerHandle) -> None:
        for change in self._frames.changes.values():
            worker.send_frame(change)
        worker.send(Switch(self._frames.number))

    def _kill_all_but(self, number: int) -> None:
        """One that does not switch would serve the old generation for ever: it is replaced instead."""
        for worker in self.workers:
            if worker.serving != number:
                event("worker_stuck", level=logging.ERROR, worker=worker.pid)
                worker.kill()


def _serves_or_cannot(worker: WorkerHandle) -> bool:
    return worker.serving > 0 or worker.problem is not None
