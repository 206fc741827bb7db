"""A gateway in this process and its administration, for the tests of this folder."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

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
