"""A worker does what it is told, in order, and says how that went."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

from jwtgate.control.workers.link import Link, decode_trusted, decode_untrusted
from jwtgate.control.workers.messages import (
    Counted,
    CountersWanted,
    Drain,
    Listen,
    NotPrepared,
    Prepare,
    Prepared,
    Serving,
    Switch,
)
from jwtgate.control.workers.worker_process import WorkerProcess

from ..samples import built


def told(script: Callable[[Link], Awaitable[None]]) -> None:
    """Run a worker in this process, and a supervisor that follows the script and then hangs up."""

    async def both() -> None:
        ours, theirs = socket.socketpair()
        upper = await Link.open(ours, decode=decode_untrusted)
        worker = WorkerProcess(await Link.open(theirs, decode=decode_trusted))
        async with asyncio.timeout(20):
            running = asyncio.create_task(worker.run())
            await script(upper)
            await upper.close()
            await running

    asyncio.run(both())


def sent(number: int, *, trusted: tuple[str, ...] = ()) -> Prepare:
    """A generation without listeners."""
    prepare = built().prepare()
    return replace(prepare, number=number, plan=replace(prepare.plan, listeners=(), trusted_proxies=trusted))


FIRST, SECOND, BROKEN = sent(1), sent(2), sent(2, trusted=("no network",))
LISTENING = built().prepare()


async def hear(link: Link) -> object:
    """What the worker says next, its counters aside."""
    while isinstance(message := await link.receive(), Counted):
        pass
    return message


def test_a_generation_is_built_first_and_served_when_all_are_ready() -> None:
    async def script(link: Link) -> None:
        for prepare in (FIRST, SECOND):
            link.send(prepare)
            assert await hear(link) == Prepared(prepare.number)
            link.send(Switch(prepare.number))
            assert await hear(link) == Serving(prepare.number)

    told(script)


def test_a_generation_that_cannot_be_built_is_told_of_and_the_one_before_goes_on() -> None:
    async def script(link: Link) -> None:
        for message in (FIRST, Switch(1), BROKEN, Switch(2), CountersWanted()):
            link.send(message)
        assert await hear(link) == Prepared(1)
        assert await hear(link) == Serving(1)
        assert await hear(link) == NotPrepared(2, "a worker could not build it: ValueError")
        assert isinstance(await link.receive(), Counted)

    told(script)


def test_a_switch_to_what_was_never_sent_is_no_switch() -> None:
    async def script(link: Link) -> None:
        link.send(Switch(7))
        link.send(FIRST)
        link.send(Switch(7))
        link.send(Switch(1))
        assert await hear(link) == Prepared(1)
        assert await hear(link) == Serving(1)

    told(script)


def test_it_accepts_on_the_descriptors_it_inherited_until_it_is_to_leave() -> None:
    async def script(link: Link) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = listening.getsockname()
            link.send(Listen((listening.detach(),)))
        for message in (LISTENING, Switch(1)):
            link.send(message)
        assert [await hear(link), await hear(link)] == [Prepared(1), Serving(1)]
        socket.create_connection(address).close()
        link.send(Drain(1.0))
        async with asyncio.timeout(10):
            while await accepts(address):
                await asyncio.sleep(0.01)

    told(script)


async def accepts(address: tuple[str, int]) -> bool:
    try:
        _, writer = await asyncio.open_connection(*address)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
