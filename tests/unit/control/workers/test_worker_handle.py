"""A worker process is there, says something, and is known to be gone when it is."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace

from jwtgate.control.listening.sockets import ListeningSockets
from jwtgate.control.workers.link import encode
from jwtgate.control.workers.messages import Counted, CountersWanted, Drain, Switch
from jwtgate.control.workers.worker_handle import WorkerHandle

from ..samples import built


def run(asked: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await asked()

    asyncio.run(bounded())


def test_a_worker_serves_what_it_is_sent_and_its_end_is_known() -> None:
    async def use() -> None:
        heard: list[object] = []
        sockets = ListeningSockets()
        worker = await WorkerHandle.spawn(sockets.bind(prepared.plan.listeners))
        sockets.close()
        attending = asyncio.create_task(worker.attend(lambda _, message: heard.append(message)))
        assert worker.served_seconds == 0
        worker.send_frame(encode(prepared))
        worker.send(Switch(1))
        assert await worker.until(lambda it: it.serving == 1)
        assert worker.prepared == 1
        assert worker.served_seconds > 0
        worker.send(CountersWanted())
        assert await worker.until(lambda it: it.counted > 0)
        assert any(isinstance(message, Counted) for message in heard)
        worker.kill()
        assert await attending == -signal.SIGKILL
        assert worker.ended
        assert not await worker.until(lambda it: it.serving == 2)

    prepared = built().prepare()
    run(use)


def test_rel_51_a_worker_that_loses_its_link_leaves() -> None:
    async def use() -> None:
        worker = await WorkerHandle.spawn(())
        await worker._link.close()
        assert await worker._process.wait() == 0

    run(use)


def test_a_worker_leaves_when_it_is_told_to() -> None:
    async def use() -> None:
        worker = await WorkerHandle.spawn(())
        worker.send(Drain(0.0))
        assert await worker.attend(lambda *_: None) == 0

    run(use)


def test_the_signals_of_a_terminal_or_a_service_manager_do_not_end_a_worker() -> None:
    async def use() -> None:
        worker = await WorkerHandle.spawn(())
        attending = asyncio.create_task(worker.attend(lambda *_: None))
        worker.send_frame(encode(sent))
        worker.send(Switch(1))
        assert await worker.until(lambda it: it.serving == 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            worker._process.send_signal(number)
        worker.send(CountersWanted())
        assert await worker.until(lambda it: it.counted > 0)
        worker.send(Drain(0.0))
        assert await attending == 0

    sent = built().prepare()
    sent = replace(sent, plan=replace(sent.plan, listeners=()))
    run(use)


def test_rel_1_a_worker_that_hangs_is_ended() -> None:
    async def use() -> None:
        worker = await WorkerHandle.spawn(())
        worker._process.send_signal(signal.SIGSTOP)
        assert await worker.attend(lambda *_: None, silence_seconds=0.1) == -signal.SIGKILL

    run(use)
