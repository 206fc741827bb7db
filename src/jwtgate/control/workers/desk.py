"""Where workers' questions arrive: facts they miss, and how the node is doing. Their counters are kept here, too."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress

from jwtgate.control.built import Built, sent
from jwtgate.control.journal import event
from jwtgate.control.workers.messages import (
    Answered,
    Counted,
    CountersWanted,
    Found,
    ReportWanted,
    Told,
    Unanswered,
    Wanted,
)
from jwtgate.control.workers.worker_handle import WorkerHandle
from jwtgate.control.workers.worker_state import fault_of
from jwtgate.errors import DependencyFault
from jwtgate.gateway.observe import GAUGES, Counters, Report
from jwtgate.gateway.upstreams.counts import grown
from jwtgate.policy.facts import NeedAllowance, NeedFirstUse, NeedKeys
from jwtgate.state.allowances import Allowances
from jwtgate.state.first_uses import FirstUses

COUNT_SECONDS = 0.3
"""How long a report waits for fresh counters; those of a worker that is slower are a second old at the most."""
RETRY_SECONDS = 1


class Ledger:
    """The last count of each living worker, by process, and the sum of all that have ended."""

    def __init__(self) -> None:
        self._ended = Counters()
        self._living: dict[int, Counters] = {}

    def note(self, pid: int, counters: Counters) -> None:
        """Replace what this worker had counted before."""
        self._living[pid] = counters

    def close(self, pid: int) -> None:
        """Keep what a worker had counted; what it had open went with it."""
        last = self._living.pop(pid, None)
        if last is not None:
            for name in GAUGES:
                setattr(last, name, 0)
            last.cache_entries.clear()
            last.upstreams = grown(last.upstreams)
            self._ended.add(last)

    def total(self) -> Counters:
        """The sum over all workers there have ever been."""
        total = Counters()
        for counters in (self._ended, *self._living.values()):
            total.add(counters)
        return total


class Desk:
    """Answers workers. `built` finds a living generation by its number, `workers` all that can be asked to count."""

    def __init__(
        self,
        *,
        built: Callable[[int], Built | None],
        workers: Callable[[], Iterable[WorkerHandle]],
        report: Callable[[Counters], Awaitable[Report]],
    ) -> None:
        self._built = built
        self._workers = workers
        self._report = report
        self._ledger = Ledger()
        self._allowances = Allowances()
        self._first_uses = FirstUses()
        self._asked: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, worker: WorkerHandle, message: object) -> None:
        """Take what a worker said."""
        match message:
            case Counted():
                self._ledger.note(worker.pid, message.counters)
            case Wanted(need=NeedAllowance() as need):
                # Counted at once, whatever became of its generation.
                worker.send(Found(message.ask, self._allowances.take(need)))
            case Wanted(need=NeedFirstUse() as need):
                worker.send(Found(message.ask, self._first_uses.take(need)))
            case Wanted():
                self._begin(self._answer(worker, message))
            case ReportWanted():
                self._begin(self._answer_report(worker, message))

    def gone(self, worker: WorkerHandle) -> None:
        """Keep what a worker that has ended had counted."""
        self._ledger.close(worker.pid)

    def asks(self, number: int) -> bool:
        """Whether somebody waits for an answer in the generation of this number."""
        return self._asked[number] > 0

    def _begin(self, answering: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, worker: WorkerHandle, wanted: Wanted) -> None:
        self._asked[wanted.number] += 1
        try:
            await self._try_to_answer(worker, wanted)
        finally:
            self._asked[wanted.number] -= 1

    async def _try_to_answer(self, worker: WorkerHandle, wanted: Wanted) -> None:
        built = self._built(wanted.number)
        if built is None:
            worker.send(Unanswered(wanted.ask, fault_of(wanted.need), RETRY_SECONDS))
            return
        try:
            worker.send(await self._met(built, wanted))
        except DependencyFault as fault:
            detail = {name: str(value) for name, value in fault.detail.items()}
            worker.send(Unanswered(wanted.ask, fault.reason, fault.retry_after_seconds, detail))
        except asyncio.CancelledError:  # its generation went while it was being looked for
            worker.send(Unanswered(wanted.ask, fault_of(wanted.need), RETRY_SECONDS))
            raise
        except Exception as error:  # a bug, or a worker that talks nonsense
            event("question_not_answered", level=logging.ERROR, error=error, worker=worker.pid)
            worker.send(Unanswered(wanted.ask, "internal", RETRY_SECONDS))

    async def _met(self, built: Built, wanted: Wanted) -> Answered | Found:
        need = wanted.need
        if isinstance(need, NeedKeys):
            await built.obtain(need)
            # The set itself, if it changed, was sent to every worker before this.
            return Answered(wanted.ask, built.key_sets.quiet_seconds(need))
        return Found(wanted.ask, sent(await built.find(need)))

    async def caught_up(self) -> None:
        """Wait until every worker has heard what it was told so far, and has counted; not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COUNT_SECONDS):
                await asyncio.gather(*map(_counted, self._workers()))

    async def report(self) -> Report:
        """How the node is doing, with counters as fresh as they can be had."""
        await self.caught_up()
        total = self._ledger.total()
        note_tables(total, self._allowances, self._first_uses)
        return await self._report(total)

    async def _answer_report(self, worker: WorkerHandle, wanted: ReportWanted) -> None:
        worker.send(Told(wanted.ask, await self.report()))


def note_tables(counters: Counters, allowances: Allowances, first_uses: FirstUses) -> None:
    """Have the counters of a node tell of the requests it counts for limits, and of the proofs it has seen."""
    counters.rate_limit_entries = len(allowances)
    counters.rate_limit_evictions = allowances.evicted
    counters.proof_entries = len(first_uses)
    counters.proof_evictions = first_uses.evicted


async def _counted(worker: WorkerHandle) -> None:
    """Wait until this worker has said its counters once more."""
    before = worker.counted
    worker.send(CountersWanted())
    await worker.until(lambda it: it.counted > before)
