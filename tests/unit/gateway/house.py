"""A worker on an event loop of its own, without a socket: its clients, its upstreams and its log are held in memory."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.gateway.parts import ScriptedPool, Transport, a_generation

from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.observe import Report
from jwtgate.gateway.worker import Worker
from jwtgate.policy.facts import Need


class Server:
    """What listens on a socket."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Bound:
    """A listening socket that nobody can reach; its number is that of a pipe."""

    def __init__(self) -> None:
        self._held, other = os.pipe()
        os.close(other)
        self.copies = 0
        self.closed = self.fails = False

    def fileno(self) -> int:
        return self._held

    def dup(self) -> Bound:
        if self.fails:
            raise OSError
        self.copies += 1
        return self

    def close(self) -> None:
        if not self.closed:
            os.close(self._held)
        self.closed = True


class Loop(asyncio.SelectorEventLoop):
    """A loop that listens nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.servers: list[tuple[Server, dict[str, Any]]] = []

    async def create_server(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        self.servers.append((Server(), {"protocol": factory(), **options}))
        return self.servers[-1][0]


Play = Callable[["House"], Awaitable[None]]


class House:
    """A worker, the connections of its clients, and what it asked others for."""

    def __init__(self, generation: Generation, log_descriptor: int) -> None:
        self.asked: list[Need | NeedMinted] = []
        self.replies: list[object] = []
        self.worker = Worker(generation, answer=self.answer, report=self.report, log_descriptor=log_descriptor)

    async def answer(self, need: Need | NeedMinted, _: Generation) -> object:
        self.asked.append(need)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, asyncio.Event):
            await reply.wait()
        return reply

    async def report(self) -> Report:
        return Report(self.worker.count_now(), self.worker.generation.number, ready=True)

    def connect(self, *, status_only: bool = False) -> tuple[ClientConnection, Transport]:
        """A new connection of a client."""
        connection = ClientConnection(self.worker, scheme="http", status_only=status_only)
        transport = Transport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        return connection, transport

    @property
    def pool(self) -> ScriptedPool:
        pool: ScriptedPool = self.worker.generation.balancers["echo"].pools[0]  # type: ignore[assignment]
        return pool


def play(moves: Play, generation: Generation | None = None) -> list[dict[str, Any]]:
    """What the access log holds after these moves and the end of the worker."""

    async def run(descriptor: int) -> None:
        house = House(generation or a_generation(), descriptor)
        await moves(house)
        await house.worker.drain(0)

    reader, writer = os.pipe()
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(run(writer))
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as log:
        return [json.loads(line) for line in log]


async def until(happened: Callable[[], object]) -> None:
    """Let tasks and threads go on until this is so."""
    async with asyncio.timeout(30):
        while not happened():
            await asyncio.sleep(0)
