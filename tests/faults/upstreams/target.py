"""One target of an upstream: it answers each request as it is told to, goes away, and comes back on the same port."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.integration.gateway_process import GatewayProcess
from tests.integration.rig import document, response

_RESET = struct.pack("ii", 1, 0)


class Reply(NamedTuple):
    """Bytes, and what becomes of the connection after them: `keep`, `close` or `reset`."""

    data: bytes
    then: str = "keep"


OK = Reply(response())
SILENCE = Reply(b"")


class Target:
    """Runs inside `with`, on a thread of its own. `reply` is given the number of a request, from 1 on, and its path."""

    def __init__(self, reply: Callable[[int, str], Reply] = lambda number, path: OK) -> None:
        self.reply = reply
        self.requests = 0
        self.connections: set[asyncio.Transport] = set()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="target")
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Listen, on the same port each time."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Listen no more, and end every connection."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    async def _start(self) -> None:
        self._server = await self._loop.create_server(lambda: _Served(self), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for transport in list(self.connections):
            transport.abort()
        await asyncio.sleep(0)


class _Served(asyncio.Protocol):
    def __init__(self, target: Target) -> None:
        self._target = target
        self._read = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._target.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._target.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        head, end, self._read = (self._read + data).partition(b"\r\n\r\n")
        if not end:
            self._read = head
            return
        path = head.split(b" ", 2)[1].decode()
        self._target.requests += path != "/health"
        reply = self._target.reply(self._target.requests, path)
        self._transport.write(reply.data)
        if reply.then == "reset":
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
        elif reply.then == "close":
            self._transport.close()


@contextmanager
def gateway_before(folder: Path, *targets: Target, workers: int = 2, **settings: Any) -> Iterator[GatewayProcess]:
    """A node before these targets, as one upstream with these settings."""
    whole = document([target.url for target in targets], upstreams={"echo": settings})
    with GatewayProcess(folder, json.dumps(whole), workers=workers) as gateway:
        yield gateway


def events(gateway: GatewayProcess, name: str, **fields: object) -> list[dict[str, Any]]:
    """The lines of the process log with this event and these fields."""
    return [event for event in gateway.events(name) if fields.items() <= event.items()]
