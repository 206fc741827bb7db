"""A gateway in this process and its administration, for the tests of this folder."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jwtgate.control.administration.administration import Administration
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import NeedConsumer, NeedCredential
from jwtgate.policy.requirements import ConsumerName

from ..samples import DOCUMENT, SECRET

KEY = {"alg": "HS256", "secret": "a secret of a consumer of the tests"}
ROUTE = {"path": "/added/*", "auth": "none", "upstream": "orders"}
WHO = "alice"

Use = Callable[[EmbeddedGateway, Administration], Awaitable[None]]


def administer(use: Use, *, document: str | Path = DOCUMENT, state_folder: Path | None = None) -> None:
    """Run a gateway with this document, and this beside it."""

    async def run() -> None:
        log = os.open(os.devnull, os.O_WRONLY)
        environ = {"TEST_SECRET": SECRET}
        try:
            async with (
                asyncio.timeout(30),
                EmbeddedGateway(document, environ=environ, log_descriptor=log, state_folder=state_folder) as gateway,
            ):
                await use(gateway, Administration(gateway))
        finally:
            os.close(log)

    asyncio.run(run())


async def status(gateway: EmbeddedGateway, path: str) -> int:
    """The status of an answer."""
    reader, writer = await asyncio.open_connection(*gateway.addresses[0])
    writer.write(f"GET {path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def consumer(gateway: EmbeddedGateway, name: str) -> Consumer | None:
    """Who is known so now."""
    found = await gateway.running.find(NeedConsumer((ConsumerName.NAME,), name))
    assert found is None or isinstance(found, Consumer)
    return found


async def credential(gateway: EmbeddedGateway, name: str) -> Credential | None:
    """The credential of this name, as workers get it."""
    found = await gateway.running.find(NeedCredential(name))
    assert found is None or isinstance(found, Credential)
    return found


class Slow:
    """Something whose calls of this name wait until they may go on, and that is otherwise as it was."""

    def __init__(self, real: object, name: str) -> None:
        self._real = real
        self._name = name
        self.called = threading.Event()
        self.go_on = threading.Event()

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            self.called.set()
            assert self.go_on.wait(10)
        return getattr(self._real, name)


async def cancelled(task: asyncio.Task[Any], slow: Slow) -> None:
    """Cancel it, twice, while it is in the slow call, and wait until it has ended."""
    assert await asyncio.to_thread(slow.called.wait, 10)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
    slow.go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
