"""Two connections that speak WebSocket through us: bytes both ways, and a proper end (RFC 6455 section 7).

We end a tunnel with a close frame between two frames, never inside one. Who is told first, and what still passes
meanwhile, depends on why: when we stop, the upstream is, and all that it still has to say reaches the client before its
own close frame does; when a token has ended, or nonsense was sent, both are told at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jwtgate.gateway.tunnels.frames import GOING_AWAY, POLICY, PROTOCOL_ERROR, Frames, close_frame

if TYPE_CHECKING:
    from jwtgate.gateway.connection import ClientConnection
    from jwtgate.gateway.upstream import UpstreamConnection

TUNNEL_IDLE_SECONDS = 3600.0
CLOSE_SECONDS = 2.0
"""How long the other side may take to answer a close frame."""


class _Way:
    """One direction: where its frames stand, and the close frame of ours that is to be its last."""

    __slots__ = ("_last", "_masked", "_write", "ended", "frames")

    def __init__(self, write: Callable[[bytes], None], *, masked: bool) -> None:
        self.frames = Frames(masked=masked)
        self._masked = masked
        self._write = write
        self._last = b""
        self.ended = False

    @property
    def told(self) -> bool:
        """Whether its end was said, or is about to be."""
        return self.ended or bool(self._last)

    def carry(self, data: bytes) -> None:
        """Pass on what may go. What comes behind our close frame goes nowhere, but may be the answer to it."""
        if self._last and not self.ended:
            rest = self.frames.left_bytes
            self._pass(data[:rest])
            data = data[rest:]
        self._pass(data)

    def end(self, code: int, reason: str) -> None:
        """Send a close frame, once the frame under way is through."""
        if not self.told:
            self._last = close_frame(code, reason, mask=os.urandom(4) if self._masked else b"")
            self._look()

    def _pass(self, data: bytes) -> None:
        piece = self.frames.take(data)
        if piece and not self.ended:
            self._write(piece)
        self._look()

    def _look(self) -> None:
        if self.ended:
            return
        if self.frames.closed:
            self.ended = True
        elif self._last and not self.frames.left_bytes:
            self.ended = True
            self._write(self._last)


class Tunnel:
    """Two joined connections. A slow side pauses the other; the end of one is the end of both.

    `until` (NumericDate) ends both as well.
    """

    __slots__ = ("_client", "_deadline", "_down", "_last_use", "_until", "_up", "_upstream")

    def __init__(self, client: ClientConnection, upstream: UpstreamConnection, *, until: int) -> None:
        self._until = until
        self._client = client
        self._upstream = upstream
        self._up = _Way(upstream.transport.write, masked=True)
        self._down = _Way(client.write, masked=False)
        self._last_use = time.monotonic()
        self._deadline = float("inf")

    def from_client(self, data: bytes) -> None:
        """Bytes on their way to the upstream."""
        self._carry(self._up, data)

    def from_upstream(self, data: bytes) -> None:
        """Bytes on their way to the client."""
        self._carry(self._down, data)

    def leave(self) -> None:
        """End it because we stop: what the upstream sends before it answers still goes through (REL-4)."""
        self._up.end(GOING_AWAY, "going away")
        self._deadline = min(self._deadline, time.monotonic() + CLOSE_SECONDS)

    def check_time(self, now: float) -> None:
        """End a tunnel nobody has used for long at `now` (monotonic), and one whose time is up."""
        if now > self._deadline:
            if self._down.told:
                self.close()
            else:
                self._end(GOING_AWAY, "going away")
        elif self._deadline == float("inf"):
            if time.time() >= self._until:
                self._end(POLICY, "token expired")
            elif now - self._last_use > TUNNEL_IDLE_SECONDS:
                self._end(GOING_AWAY, "idle")

    def upstream_lost(self) -> None:
        """The upstream has ended its connection: so do we, once what was written has reached the client."""
        said = self._down.frames.closed
        self._up.ended = self._down.ended = True
        if self._up.frames.closed or not said:
            self._client.close()
        else:
            # Closed at once, our end could overtake what the client has not read yet of the close frame.
            self._client.close_gently(nothing_follows=False)
            self._deadline = time.monotonic() + CLOSE_SECONDS

    def close(self) -> None:
        """End both sides once what was written has left."""
        self._client.close()
        self._upstream.close()

    def _carry(self, way: _Way, data: bytes) -> None:
        self._last_use = time.monotonic()
        way.carry(data)
        if way.frames.broken:
            self._end(PROTOCOL_ERROR, "no frame")
        elif self._down.ended and self._up.ended and self._up.frames.closed:
            self.close()

    def _end(self, code: int, reason: str) -> None:
        """Tell both sides now. Whoever was told may not put off the end by saying more."""
        if self._up.told and self._down.told:
            return
        self._up.end(code, reason)
        self._down.end(code, reason)
        self._deadline = time.monotonic() + CLOSE_SECONDS
