"""An application of ours at an address: uvicorn in the event loop of the supervisor, with the limits it lacks."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from jwtgate.admin.access.connection import HEAD_BYTES, Connection
from jwtgate.control.listening.sockets import shown
from jwtgate.errors import ConfigError

GRACE_SECONDS = 5
BACKLOG = 128


class _Server(uvicorn.Server):
    """A server that leaves the signals to the supervisor."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@dataclass(frozen=True, slots=True)
class Serving:
    """An application that is served, and where."""

    address: str
    server: _Server
    task: asyncio.Task[None]

    async def close(self) -> None:
        """Answer what was asked, and close the listener."""
        self.server.should_exit = True
        await self.task


def bound(host: str, port: int, *, what: str) -> socket.socket:
    """A socket that listens there. `ConfigError`, in which `what` says what it is for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Connections inherit it: an answer leaves in two parts, and the second must not wait for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as trouble:
        raise ConfigError(f"{what}: {shown(host, port)}: {trouble.strerror or trouble}") from trouble
    return listening


def serve(app: Any, listening: socket.socket, context: ssl.SSLContext | None) -> Serving:
    """The application, served on this socket from now on."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    config.ssl = context
    server = _Server(config)
    host, port = listening.getsockname()[:2]
    return Serving(shown(host, port), server, asyncio.create_task(server.serve(sockets=[listening]), name="admin"))
