"""The access log: one line a request, in our own shape or in that of the document, gathered and written aside."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from jwtgate.gateway.logs.members import TEXT_LIMIT, quoted

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange


_THREE_DIGITS = tuple(f"{number:03d}" for number in range(1000))


class AccessLog:
    """Lines gathered and written by a thread of their own, so that a slow reader never stops the loop.

    When the reader falls too far behind, lines are dropped and counted rather than kept without bound.
    """

    MOST_PENDING_BLOCKS = 64

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._second = 0
        self._stamp = ""
        self.lost = 0
        self._thread = threading.Thread(target=self._write_all, name="access-log", daemon=True)
        self._thread.start()

    def line(self, exchange: Exchange, route: str, seconds: float) -> None:
        """Note one finished request."""
        now, micros = time.time(), int(seconds * 1e6)
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        stamp = f"{self._stamp}.{_THREE_DIGITS[int((now - second) * 1000)]}Z"
        shape = exchange.generation.plan.access_log
        if shape is not None:
            said = shape.line % _atoms(exchange, stamp, route, seconds=seconds)
            self._lines.append(f"{said}{exchange.detail}}}\n")
            return
        self._lines.append(
            f'{{"time":"{stamp}","id":"{exchange.request_id}","route":"{route}",{exchange.head.logged},'
            f'"status":{exchange.status},"reason":"{exchange.reason}","issuer":"{exchange.issuer}",'
            f'"consumer":"{exchange.consumer}","client":"{exchange.connection.client}",'
            f'"ms":{micros // 1000}.{_THREE_DIGITS[micros % 1000]},'
            f'"generation":{exchange.generation.number}{exchange.detail}}}\n'
        )

    def flush(self) -> None:
        """Hand what was gathered to the writing thread."""
        if not self._lines:
            return
        if self._blocks.qsize() < self.MOST_PENDING_BLOCKS:
            self._blocks.put("".join(self._lines).encode())
        else:
            self.lost += len(self._lines)
        self._lines = []

    def close(self) -> None:
        """Write what is left, waiting a second at the most."""
        self.flush()
        self._blocks.put(None)
        self._thread.join(timeout=1.0)

    def _write_all(self) -> None:
        while (block := self._blocks.get()) is not None:
            view = memoryview(block)
            while view:
                try:
                    view = view[os.write(self._descriptor, view) :]
                except OSError:  # nobody reads; serving goes on
                    break


def _atoms(exchange: Exchange, stamp: str, route: str, *, seconds: float) -> dict[str, object]:
    """What a line of another shape is filled in with: numbers, and texts; those from outside have their quotes."""
    head, connection = exchange.head, exchange.connection
    path, reason = head.path[:TEXT_LIMIT], exchange.reason
    return {
        "time": stamp,
        "id": exchange.request_id,
        "route": route,
        "method": head.method,
        "path": quoted(path),
        "status": exchange.status,
        "reason": reason,
        "level": "error" if reason else "info",
        "issuer": exchange.issuer,
        "consumer": exchange.consumer,
        "client": connection.client,
        "ms": seconds * 1000,
        "generation": exchange.generation.number,
        "host": quoted(head.host),
        "scheme": connection.scheme,
        "url": quoted(f"{connection.scheme}://{head.host_value.decode('latin-1')[:TEXT_LIMIT]}{path}"),
    }
