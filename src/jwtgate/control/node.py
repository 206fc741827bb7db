"""One node at work: the generation that runs, the crew that serves it, and how both are exchanged.

A change is all or nothing. The new generation is built beside the running one, and only when every worker could
build it too do all switch. Other listeners need other workers: new ones start on the new sockets, and then the
old ones drain.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.layers import Added
from jwtgate.control.announcing import Announcing, Told
from jwtgate.control.built import Built
from jwtgate.control.documents import Text
from jwtgate.control.generations import Generations
from jwtgate.control.journal import event
from jwtgate.control.listening.descriptors import caution_about
from jwtgate.control.listening.sockets import ListeningSockets, listen_alike, shown
from jwtgate.control.workers.crew import Crew, Frames
from jwtgate.control.workers.desk import Desk
from jwtgate.control.workers.link import encode
from jwtgate.control.workers.messages import (
    KeysChanged,
    RevocationsChanged,
    SigningChanged,
    StoreChanged,
)
from jwtgate.control.workers.worker_handle import WorkerHandle
from jwtgate.errors import ConfigError
from jwtgate.gateway.listening.doors import descriptor_limit
from jwtgate.gateway.observe import Counters, Report
from jwtgate.policy import sources
from jwtgate.state.stores.store import Store, StoreFailed

LINGER_SECONDS, LINGER_LOOKS = 2.0, 8
"""How often a generation that serves no longer is looked at, and how many times, until it is let go."""
MOST_CAUTIONS = 50
"""How many sentences about what is dangerous are told at a time; `check` tells them all."""


class Companion(Protocol):
    """What runs beside a node and administers it."""

    async def adopt(self, settings: sources.Administration | None) -> None:
        """Be there as these settings say; None: not at all. `ConfigError` when that cannot be."""

    async def close(self) -> None:
        """End."""


class Node:
    """The generation that runs and its workers.

    Whoever builds and takes a generation holds `changing`. `secrets_changed` asks for the same document to be built
    again. What the supervisor alone knows stands in `refusals`, how many documents were refused; `document_refused`,
    whether the last one was; `copy_kept`, whether the last one that worked is on disk; and `stopping`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: int,
        store: Store,
        saved: Path,
        environ: Mapping[str, str],
        companion: Callable[[Administration], Companion] | None = None,
        bind_seconds: float = 0.0,
    ) -> None:
        """`folder` is where files named in documents are looked for, `size` how many workers there are.

        `bind_seconds`: how long the start waits for a port that somebody has.
        """
        self._bind_seconds = bind_seconds
        self._size = size
        self._generations = Generations(folder, store=store, saved=saved, environ=environ, changed=self._keys_changed)
        self._sockets = ListeningSockets()
        self._desk = Desk(built=self._living, workers=self._workers, report=self._report)
        self._running: Built | None = None
        self._crew: Crew | None = None
        self._crews: list[Crew] = []
        self._changes: dict[int, dict[Hashable, bytes]] = {}
        self._alive: dict[int, Built] = {}
        self._following: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._letting_go: set[asyncio.Task[None]] = set()
        self._restarts = 0
        self._revoked: RevocationsChanged | None = None
        self._telling_revoked = asyncio.Lock()
        self.announcing = Announcing(self._tell_all)
        self.changing = asyncio.Lock()
        self.secrets_changed = asyncio.Event()
        self._companion = companion(Administration(self)) if companion is not None else None
        self.refusals = 0
        self.document_refused = False
        self.copy_kept = True
        self.stopping = False

    @property
    def generation(self) -> int:
        """The number of the generation that runs, zero before the first."""
        return 0 if self._running is None else self._running.number

    @property
    def running(self) -> Built:
        """The generation that runs; there is one as soon as the first was taken."""
        assert self._running is not None  # noqa: S101
        return self._running

    async def build(self, text: Text, *, stored: Added | None = None) -> Built:
        """The next generation, from this document and what the store adds to it; None: what it adds now.

        `ConfigError` when it is not fit to be served.
        """
        built = await self._generations.build(text, after=self._running, stored=stored)
        self._alive[built.number] = built
        self._caution(built)
        return built

    def _caution(self, built: Built) -> None:
        """Tell what is dangerous in a generation and was not in the one that runs: once for all places alike."""
        known = set() if self._running is None else set(self._running.cautions)
        alike: dict[str, list[str]] = {}
        for caution in built.cautions:
            if caution not in known:
                alike.setdefault(caution.rpartition(": ")[2], []).append(caution)
        if self._running is None or built.plan.limits != self._running.plan.limits:
            caution_about(built.plan.limits, descriptor_limit())
        for cautions in list(alike.values())[:MOST_CAUTIONS]:
            event("caution", level=logging.WARNING, sentence=cautions[0], more_places=len(cautions) - 1)
        if len(alike) > MOST_CAUTIONS:
            event("more_cautions", level=logging.WARNING, count=len(alike) - MOST_CAUTIONS)

    async def check(self, text: Text, *, stored: Added) -> None:
        """`ConfigError` when this could not be built. Nothing is changed."""
        await self._generations.check(text, after=self.running, stored=stored)

    async def take(self, built: Built) -> None:
        """Serve this generation. `ConfigError` when it cannot be, and then whatever was served goes on."""
        running = self._running
        try:
            await self._adopt_callers(built)
        except StoreFailed as failure:
            await self.drop(built)
            raise ConfigError(f"The store failed: {failure}.") from failure
        try:
            await (self._begin(built, self._bind_seconds) if running is None else self._change(running, built))
        except BaseException:
            await self._take_back(running, built)
            raise
        self._sockets.keep_only(built.plan.listeners)
        if self._companion is not None and running is None:
            await self._companion.adopt(built.plan.sources.administration)
        elif self._companion is not None:
            # Not awaited: it may be a request to the companion that waits here.
            _keep(self._retiring, self._accompany(self._companion, built))

    async def _take_back(self, running: Built | None, built: Built) -> None:
        """Go on as before this generation. What fails of that is told and not raised: it would hide why."""
        self._sockets.keep_only(running.plan.listeners if running else ())
        try:
            await self._forget(built)
            if running is not None:
                await self._adopt_callers(replace(running, staged=await self._generations.staged(running)))
        except Exception as error:
            event("change_not_undone", level=logging.ERROR, error=error, generation=self.generation)

    async def _accompany(self, companion: Companion, built: Built) -> None:
        try:
            await companion.adopt(built.plan.sources.administration)
        except ConfigError as error:
            event("companion_refused", level=logging.ERROR, problems=error.problems)

    async def drop(self, built: Built) -> None:
        """Let go of a generation that was built and is not to be served."""
        await built.discard()
        await self._forget(built)

    async def _adopt_callers(self, built: Built) -> None:
        """Have the directory hold the consumers of this generation, if it does not yet."""
        if built.staged is not None:
            await asyncio.to_thread(built.callers.adopt, built.staged)
            self.announcing.consumers_changed()

    async def _change(self, running: Built, built: Built) -> None:
        if self._crew is None or not listen_alike(built.plan.listeners, running.plan.listeners):
            await self._begin(built, 0.0)
            return
        await self._crew.adopt(await self._framed(built))
        await self._served(built)

    async def _begin(self, built: Built, patience_seconds: float) -> None:
        """Have a new crew serve this generation on its listeners; the crew there was drains."""
        bound = await asyncio.to_thread(self._sockets.bind, built.plan.listeners, patience_seconds=patience_seconds)
        frames = await self._framed(built)
        crew = Crew(self._size, bound, frames=frames, heard=self._desk.heard, gone=self._desk.gone)
        self._crews.append(crew)
        try:
            await crew.start()
        except ConfigError:
            self._crews.remove(crew)
            raise
        former, self._crew = self._crew, crew
        event("listening", generation=built.number, addresses=[shown(*sock.getsockname()[:2]) for _, sock in bound])
        await self._served(built)
        if former is not None:
            _keep(self._retiring, self._retire(former, built.plan.limits.drain_seconds))

    async def _retire(self, crew: Crew, seconds: float) -> None:
        self._restarts += crew.restarts
        await crew.drain(seconds)
        self._crews.remove(crew)

    async def _framed(self, built: Built) -> Frames:
        """The generation as it is sent, encoded on a thread; keys that change from now on are noted beside it."""
        changes: dict[Hashable, bytes] = {}
        self._changes[built.number] = changes
        changes[StoreChanged] = encode(StoreChanged(built.callers.store_away))
        revoked = RevocationsChanged(built.callers.revocations.entries())
        sent = built.prepare()
        try:
            frames = Frames(built.number, await asyncio.to_thread(encode, sent), changes)
        except RecursionError:
            raise ConfigError("the document is nested too deeply") from None
        frame = await asyncio.to_thread(encode, revoked)
        changes.setdefault(RevocationsChanged, frame)  # what was told of meanwhile is newer
        return frames

    async def _served(self, built: Built) -> None:
        """Note that this generation is the one that runs, and let go of the one before."""
        former, self._running = self._running, built
        if self._following is not None:
            self._following.cancel()
        following = built.follow(self._keys_changed, self.announcing, secrets_changed=self.secrets_changed.set)
        self._following = asyncio.create_task(following)
        if former is not None:
            _keep(self._letting_go, self._let_go(former))

    async def _let_go(self, former: Built) -> None:
        """Forget a generation once what was asked in it is answered."""
        for _ in range(LINGER_LOOKS):
            await asyncio.sleep(LINGER_SECONDS)
            if not self._desk.asks(former.number):
                break
        await self._forget(former)

    async def _forget(self, built: Built) -> None:
        self._alive.pop(built.number, None)
        self._changes.pop(built.number, None)
        await built.close()

    def _keys_changed(self, change: KeysChanged | SigningChanged) -> None:
        """Pass changed keys on to whoever serves or is about to serve their generation."""
        changes = self._changes.get(change.number)
        if changes is None:
            return
        frame = encode(change)
        changes[change.issuer if isinstance(change, KeysChanged) else SigningChanged] = frame
        for crew in self._crews:
            if crew.number == change.number:
                crew.tell(frame)

    def _tell_all(self, change: Told) -> None:
        """Tell every worker of every generation, those of later included."""
        if isinstance(change, RevocationsChanged):
            self._revoked = change
            _keep(self._retiring, self._tell_revoked(change))
            return
        frame = encode(change)
        if isinstance(change, StoreChanged):
            for changes in self._changes.values():
                changes[StoreChanged] = frame
        for crew in self._crews:
            crew.tell(frame)

    async def _tell_revoked(self, change: RevocationsChanged) -> None:
        """Tell of a list, encoded on a thread since a long one takes long, unless there is a newer one by then."""
        async with self._telling_revoked:
            if change is not self._revoked:
                return
            frame = await asyncio.to_thread(encode, change)
            for changes in self._changes.values():
                changes[RevocationsChanged] = frame
            for crew in self._crews:
                crew.tell(frame)

    def _living(self, number: int) -> Built | None:
        return self._alive.get(number)

    def _workers(self) -> Iterator[WorkerHandle]:
        return (worker for crew in self._crews for worker in crew.workers)

    async def caught_up(self) -> None:
        """Wait until every worker has heard what was announced; not for ever."""
        await self._desk.caught_up()

    async def report(self) -> Report:
        """How the node is doing."""
        return await self._desk.report()

    async def _report(self, counters: Counters) -> Report:
        crew, running = self._crew or self._crews[0], self._running
        ready = running is not None and crew.serving > 0 and not self.stopping
        short = crew.serving < self._size or crew.looping
        report = await running.report(counters, ready=ready) if running else Report(counters, 0, ready)
        return replace(
            report,
            degraded=short or self.document_refused or not self.copy_kept or report.degraded,
            state_saved=self.copy_kept and report.state_saved,
            workers=crew.serving,
            worker_restarts=self._restarts + crew.restarts,
            crash_looping=crew.looping,
            reload_failures=self.refusals,
        )

    async def drain(self) -> None:
        """Say that the node is not ready, then let the workers finish what runs and leave."""
        self.stopping = True
        if self._crew is None or self._running is None:
            return
        limits = self._running.plan.limits
        await asyncio.sleep(limits.not_ready_lead_seconds)
        self._sockets.close()
        await asyncio.gather(self._crew.drain(limits.drain_seconds), *self._retiring)

    async def close(self) -> None:
        """End whatever is left, now."""
        if self._companion is not None:
            await self._companion.close()
        for crew in self._crews:
            await crew.kill()
        self.announcing.close()
        tasks = [task for task in (self._following, *self._retiring, *self._letting_go) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for built in self._alive.values():
            await built.close()
        self._generations.close()
        self._sockets.close()


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[None, None, None]) -> None:
    """Have this done beside all else, as one of these tasks until it is."""
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
