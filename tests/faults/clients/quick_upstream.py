"""An upstream that answers much and fast: one thread with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

import uvloop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Protocol(asyncio.Protocol):
    def __init__(self, upstream: QuickUpstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._upstream.open.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._upstream.requests += 1
        if self._upstream.seconds:
            asyncio.get_running_loop().call_later(self._upstream.seconds, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(OK)


class QuickUpstream:
    """Answers every piece of bytes, which is a request without a body, after so many seconds; runs inside `with`."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.requests = 0
        self.open: set[asyncio.Transport] = set()
        self.url = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream")
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: _Protocol(self), "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for transport in self.open:
            transport.abort()
        await asyncio.sleep(0)
