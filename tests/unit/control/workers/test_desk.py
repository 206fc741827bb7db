"""Questions are answered or given up, and counters go on when workers die."""

import asyncio
from collections.abc import Callable

import pytest
from tests.unit.state.virtual_time import live, now

from jwtgate.control.workers.desk import Desk, Ledger
from jwtgate.control.workers.messages import CountersWanted, Found, Unanswered, Wanted
from jwtgate.errors import DependencyFault
from jwtgate.gateway.observe import BUCKET_SECONDS, Counters, Report
from jwtgate.gateway.upstreams.counts import TargetCount
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import Allowance, NeedAllowance, NeedConsumer, NeedFirstUse, NeedIntrospection
from jwtgate.policy.requirements import ConsumerName


def counted(requests: int, *, connections_open: int = 0) -> Counters:
    return Counters(
        requests={("orders", 200, ""): [float(requests), *[0.0] * len(BUCKET_SECONDS), 0.5 * requests]},
        connections=requests,
        connections_open=connections_open,
        remembered_entries=connections_open,
    )


def test_the_last_count_of_each_living_worker_is_added_up() -> None:
    ledger = Ledger()
    ledger.note(1, counted(3))
    ledger.note(1, counted(5))
    ledger.note(2, counted(7))
    assert ledger.total() == counted(12)


def test_rel_50_what_a_dead_worker_counted_stays_and_what_it_had_open_does_not() -> None:
    ledger = Ledger()
    ledger.note(1, counted(3, connections_open=2))
    ledger.note(2, counted(4, connections_open=1))
    ledger.close(1)
    assert ledger.total() == counted(7, connections_open=1)
    ledger.note(1, counted(1))
    assert ledger.total() == counted(8, connections_open=1)


def test_rel_50_of_a_target_what_a_dead_worker_counted_stays_and_what_it_thought_does_not() -> None:
    ledger = Ledger()
    ledger.note(1, Counters(upstreams=(TargetCount("echo", "a:1", down=1, connections=3, failures=5),)))
    ledger.note(2, Counters(upstreams=(TargetCount("echo", "a:1", up=1, connections=2, failures=1),)))
    ledger.close(1)
    assert ledger.total().upstreams == (TargetCount("echo", "a:1", up=1, connections=2, failures=6),)


def test_a_worker_that_died_before_it_counted_changes_nothing() -> None:
    ledger = Ledger()
    ledger.close(1)
    assert ledger.total() == Counters()


def test_a_total_is_not_changed_by_what_comes_later() -> None:
    ledger = Ledger()
    ledger.note(1, counted(1))
    before = ledger.total()
    ledger.note(1, counted(2))
    assert before == counted(1)


ANN = Consumer("ann", "1")
NEED = NeedConsumer((ConsumerName.NAME,), "ann")


class Asker:
    """A worker that hears what it is told."""

    pid = 7

    def __init__(self) -> None:
        self.told: list[object] = []

    def send(self, message: object) -> None:
        self.told.append(message)


class Generation:
    """A generation that finds this, or raises it."""

    def __init__(self, found: object) -> None:
        self.found = found
        self.go_on = asyncio.Event()

    async def find(self, _: object) -> object:
        await self.go_on.wait()
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def reported(counters: Counters) -> Report:
    return Report(counters, generation=1, ready=True)


def answered(wanted: Wanted, generation: Generation | None) -> tuple[list[object], list[bool]]:
    """What the desk tells the worker, and whether it says that somebody asks: before, meanwhile and after."""

    async def run() -> tuple[list[object], list[bool]]:
        asker, asks = Asker(), []
        desk = Desk(
            built=lambda number: generation if number == 1 else None,  # type: ignore[arg-type,return-value]
            workers=tuple,
            report=reported,
        )
        asks.append(desk.asks(wanted.number))
        desk.heard(asker, wanted)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        asks.append(desk.asks(wanted.number))
        if generation is not None:
            generation.go_on.set()
        async with asyncio.timeout(30):
            while not asker.told:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        asks.append(desk.asks(wanted.number))
        return asker.told, asks

    return asyncio.run(run())


@pytest.mark.parametrize("found", [ANN, None])
def test_a_question_is_answered_with_what_its_generation_finds(found: Consumer | None) -> None:
    told, asks = answered(Wanted(3, 1, NEED), Generation(found))
    assert told == [Found(3, found)]
    assert asks == [False, True, False]


def test_a_generation_that_is_gone_is_a_fault() -> None:
    told, _ = answered(Wanted(3, 2, NEED), None)
    assert told == [Unanswered(3, "consumers_unreachable", 1)]


def test_a_fault_is_handed_on_with_its_time_and_its_cause() -> None:
    fault = DependencyFault("introspection_unreachable", retry_after_seconds=17, issuer="main", cause="timeout")
    told, _ = answered(Wanted(3, 1, NeedIntrospection("main", "opaque")), Generation(fault))
    assert told == [Unanswered(3, "introspection_unreachable", 17, {"issuer": "main", "cause": "timeout"})]


def test_nonsense_from_a_worker_is_a_fault_and_ends_nothing() -> None:
    told, asks = answered(Wanted(3, 1, NeedConsumer((), {})), Generation(TypeError("unhashable")))  # type: ignore[arg-type]
    assert told == [Unanswered(3, "internal", 1)]
    assert asks == [False, True, False]


@pytest.mark.parametrize("number", [1, 2])
def test_requests_are_counted_at_once_for_all_workers_whatever_their_generation(number: int) -> None:
    one, other = Asker(), Asker()
    desk = Desk(built=lambda _: None, workers=tuple, report=reported)
    need = NeedAllowance("route orders", "a", 2, 30)
    for ask, asker in enumerate((one, other, one)):
        desk.heard(asker, Wanted(ask, number, need))  # type: ignore[arg-type]
    assert one.told == [Found(0, Allowance(True, 1, 30)), Found(2, Allowance(False, 0, 30))]
    assert other.told == [Found(1, Allowance(True, 0, 30))]


def test_rel_18_a_report_tells_how_many_limits_are_counted_and_proofs_seen() -> None:
    async def run() -> Report:
        desk = Desk(built=lambda _: None, workers=tuple, report=reported)
        for ask, name in enumerate("aab"):
            desk.heard(Asker(), Wanted(ask, 1, NeedAllowance("route orders", name, 2, 30)))  # type: ignore[arg-type]
            desk.heard(Asker(), Wanted(ask, 1, NeedFirstUse("key", str(ask), 21)))  # type: ignore[arg-type]
        return await desk.report()

    counters = asyncio.run(run()).counters
    assert (counters.rate_limit_entries, counters.rate_limit_evictions) == (2, 0)
    assert (counters.proof_entries, counters.proof_evictions) == (3, 0)


class Busy(Asker):
    """A worker that comes to what it is told when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = 0
        self.free = asyncio.Event()

    async def until(self, reached: Callable[["Busy"], bool]) -> bool:
        while not reached(self):
            await self.free.wait()
            self.counted += 1
        return True


def test_rel_50_who_waits_for_the_workers_waits_for_each_and_not_for_ever() -> None:
    async def run() -> None:
        workers = (Busy(), Busy())
        desk = Desk(built=lambda _: None, workers=lambda: workers, report=reported)  # type: ignore[arg-type,return-value]
        workers[0].free.set()
        waiting = asyncio.create_task(desk.caught_up())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        assert [worker.told for worker in workers] == [[CountersWanted()]] * 2
        workers[1].free.set()
        await waiting
        workers[1].free.clear()
        await desk.caught_up()
        assert now() < 1

    live(run())


@pytest.mark.parametrize("number", [1, 2])
def test_sec_79_what_was_used_is_known_to_all_workers_whatever_their_generation(number: int) -> None:
    one, other = Asker(), Asker()
    desk = Desk(built=lambda _: None, workers=tuple, report=reported)
    for ask, asker in enumerate((one, other, one)):
        desk.heard(asker, Wanted(ask, number, NeedFirstUse("key", "jti", 21)))  # type: ignore[arg-type]
    assert (one.told, other.told) == ([Found(0, True), Found(2, False)], [Found(1, False)])
