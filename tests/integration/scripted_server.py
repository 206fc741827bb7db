"""A server on the loopback that answers each path with the very bytes a test gives it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(
    body: bytes, *, status: str = "200 OK", media_type: str = "application/json", fields: tuple[str, ...] = ()
) -> bytes:
    """A whole HTTP response."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class ScriptedServer:
    """Paths and what they answer: bytes, or a script that writes them as it likes. All else is 404."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Script] = {}
        self.asked: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
        """Listens while inside, on the same port each time."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            length = _LENGTH.search(head)
            self.bodies.append(await reader.readexactly(int(length[1])) if length else b"")
            path = head.split()[1].decode()
            self.asked[path] += 1
            page = self.pages.get(path, answer(b"", status="404 Not Found"))
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
