"""A worker's process: it builds what its supervisor sends, serves it, and asks for what it misses.

It holds its listeners, connections and facts, and opens no file but certificates. When its link ends it accepts
nothing more, finishes what runs within `ORPHAN_SECONDS` and exits (REL-51): whoever starts next finds the ports free.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence

import uvloop

from jwtgate.control import journal
from jwtgate.control.collecting import collect_seldom, settle_all_memory, settle_memory, without_collecting
from jwtgate.control.workers.link import Link, LinkLost, decode_trusted
from jwtgate.control.workers.messages import (
    Answered,
    ConsumersChanged,
    Counted,
    CountersWanted,
    Drain,
    Found,
    KeysChanged,
    Listen,
    NotPrepared,
    Prepare,
    Prepared,
    RevocationsChanged,
    Serving,
    SigningChanged,
    StoreChanged,
    Switch,
    Told,
    Unanswered,
)
from jwtgate.control.workers.worker_state import Asking, Change, Served
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.worker import Worker
from jwtgate.policy.facts import Need
from jwtgate.policy.plan import Listener
from jwtgate.policy.revocations import Revocations

ORPHAN_SECONDS = 4.0
COUNT_SECONDS = 1.0
SETTLE_SECONDS = 2.0
RELOADS_TO_SETTLE_ALL = 20
_SWITCH_SECONDS = 0.001
"""After so long a thread that reads a document or writes metrics gives way to the loop (REL-21); only a single call
into C holds it for longer."""
ACCESS_LOG = 1
"""Descriptor of the access log: standard output, which all processes of a node share."""


class WorkerProcess:
    """What a worker does with what it is told. `current` is served, `next` waits for its `Switch`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asking = Asking(link.send)
        self._descriptors: tuple[int, ...] = ()
        self._worker: Worker | None = None
        self._current: Served | None = None
        self._next: Served | None = None
        self._reloads = 0
        self._settling: asyncio.TimerHandle | None = None
        self._leave: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Do what the supervisor says, until it says to leave or is gone."""
        hearing = asyncio.create_task(self._hear())
        counting = asyncio.create_task(self._count())
        seconds = await self._leave
        if self._worker is not None:
            await self._drain(self._worker, seconds, hearing)
            self._link.send(Counted(self._worker.count_now()))
        for task in (hearing, counting):
            task.cancel()
        await asyncio.gather(hearing, counting, return_exceptions=True)
        await self._link.close()

    async def _drain(self, worker: Worker, seconds: float, hearing: asyncio.Task[None]) -> None:
        """Let requests finish; with nobody left to hear, not for longer than an orphan may."""
        draining = asyncio.create_task(worker.drain(seconds))
        await asyncio.wait({draining, hearing}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({draining}, timeout=ORPHAN_SECONDS)
        draining.cancel()

    def _leave_within(self, seconds: float) -> None:
        if not self._leave.done():
            self._leave.set_result(seconds)

    async def _hear(self) -> None:
        try:
            while True:
                await self._take(await self._link.receive())
        except LinkLost:
            self._asking.lose()
            self._leave_within(ORPHAN_SECONDS)
        except Exception as error:  # a bug: better another process than one that no longer listens
            journal.event("worker_failed", level=logging.ERROR, error=error)
            self._leave_within(ORPHAN_SECONDS)

    async def _take(self, message: object) -> None:
        match message:
            case Answered() | Found() | Unanswered() | Told():
                self._asking.take(message)
            case KeysChanged() | SigningChanged() | ConsumersChanged() | StoreChanged():
                self._change(message)
            case RevocationsChanged():
                await self._revoke(message)
            case Prepare():
                await self._prepare(message)
            case Switch():
                await self._switch(message.number)
            case CountersWanted():
                self._say_counters()
            case Drain():
                self._leave_within(message.seconds)
            case Listen():
                self._descriptors = message.descriptors

    async def _prepare(self, sent: Prepare) -> None:
        try:
            self._next = await asyncio.to_thread(_built, sent)
        except Exception as error:  # said to the supervisor, who refuses the generation
            journal.event("generation_not_built", level=logging.ERROR, error=error, generation=sent.number)
            self._link.send(NotPrepared(sent.number, f"a worker could not build it: {type(error).__name__}"))
            return
        self._link.send(Prepared(sent.number))

    def _change(self, change: Change) -> None:
        for served in (self._current, self._next):
            if served is not None:
                served.change(change)

    async def _revoke(self, change: RevocationsChanged) -> None:
        # On a thread, since a long list takes longer than requests may be held up. What comes next waits its turn.
        revocations = await asyncio.to_thread(Revocations, change.entries)
        for served in (self._current, self._next):
            if served is not None:
                served.heed(revocations)

    async def _switch(self, number: int) -> None:
        served = self._next
        if served is None or served.generation.number != number:
            return
        self._current, self._next = served, None
        if self._worker is None:
            worker = Worker(
                served.generation, answer=self._answer, report=self._asking.report, log_descriptor=ACCESS_LOG
            )
            await worker.listen(_bound(served.generation.plan.listeners, self._descriptors))
            self._worker = worker
            settle_memory()
        else:
            self._worker.adopt(served.generation)
            self._settle_later()
        self._link.send(Serving(number))

    def _settle_later(self) -> None:
        """Settle once what the former generation remembered is gone: less to walk over while requests wait."""
        if self._settling is not None:
            self._settling.cancel()
        self._reloads += 1
        settle = settle_all_memory if self._reloads % RELOADS_TO_SETTLE_ALL == 0 else settle_memory
        self._settling = asyncio.get_running_loop().call_later(SETTLE_SECONDS, settle)

    async def _answer(self, need: Need | NeedMinted, generation: Generation) -> object:
        return await self._asking.ask(need, number=generation.number, held=generation.facts)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            self._say_counters()

    def _say_counters(self) -> None:
        if self._worker is not None:
            self._link.send(Counted(self._worker.count_now()))


def _built(sent: Prepare) -> Served:
    with without_collecting():
        return Served.build(sent)


def _bound(listeners: Sequence[Listener], descriptors: Sequence[int]) -> list[tuple[Listener, socket.socket]]:
    return [(each, socket.socket(fileno=descriptor)) for each, descriptor in zip(listeners, descriptors, strict=True)]


async def _run(descriptor: int) -> None:
    link = await Link.open(socket.socket(fileno=descriptor), decode=decode_trusted)
    await WorkerProcess(link).run()


def main() -> None:
    """Serve over the link whose descriptor is the first argument."""
    # A service manager or a terminal signals every process there is; the supervisor alone decides what follows.
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    journal.install(sys.stderr)
    collect_seldom()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(int(sys.argv[1])))


if __name__ == "__main__":
    main()
