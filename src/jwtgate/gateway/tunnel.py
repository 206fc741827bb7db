"""What follows a 101: bytes both ways, untouched, until either side ends (RFC 9110 section 7.8)."""

from __future__ import annotations

import asyncio


class Tunnel:
    """Two joined transports. A slow side pauses the other; the end of one is the end of both."""

    __slots__ = ("_client", "_upstream", "last_use")

    def __init__(self, client: asyncio.Transport, upstream: asyncio.Transport, *, now: float) -> None:
        self._client = client
        self._upstream = upstream
        self.last_use = now

    def from_client(self, data: bytes, now: float) -> None:
        """Bytes on their way to the upstream."""
        self.last_use = now
        self._upstream.write(data)

    def from_upstream(self, data: bytes, now: float) -> None:
        """Bytes on their way to the client."""
        self.last_use = now
        self._client.write(data)

    def close(self) -> None:
        """End both sides once what was written has left."""
        self._client.close()
        self._upstream.close()
