"""`arrivals.py PORT REQUESTS RATE SECONDS`: a load whose requests come at times of their own, whoever waits.

The times are drawn beforehand, as of very many users who think between two requests (a Poisson process), and are
the same in every run. A request goes over the connection which rested longest; when none is free it waits. Its
latency runs from the time it was meant for to the last byte of its answer, so that no wait is left out. Where other
work of the machine kept the load itself from sending, that is in it too; so a second figure runs from the real
sending, and from the time meant only when every connection was busy. Prints one JSON line like load.lua.
A program without imports of ours: it starts at once.
"""

import contextlib
import gc
import json
import math
import random
import re
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS, PATIENCE_SECONDS, SEED = 64, 10.0, 6
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Client:
    """A connection that is kept, and the request it waits for."""

    wire: socket.socket
    meant: float = 0.0
    sent: float = 0.0
    received: bytes = b""

    def fileno(self) -> int:
        """For select."""
        return self.wire.fileno()

    def is_answered(self) -> bool:
        """Whether the answer is whole, after more of it was read. Raises ConnectionError when it never will be."""
        more = self.wire.recv(65536)
        if not more:
            raise ConnectionError("closed before its answer was whole")
        self.received += more
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if end and length is None:
            raise ConnectionError("an answer without Content-Length")
        return length is not None and bool(end) and len(body) >= int(length[1])


@dataclass(slots=True)
class Load:
    """The connections, the requests in turn, and what was seen of them; times are seconds from the begin."""

    idle: deque[Client]
    requests: Sequence[bytes]
    busy: list[Client] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    since_sent: list[float] = field(default_factory=list)
    sent: int = 0
    refused: int = 0
    begin: float = 0.0
    freed: float = 0.0

    def now(self) -> float:
        return time.perf_counter() - self.begin

    def play(self, times: Sequence[float]) -> None:
        """Send a request at each of the times and read all answers. Raises OSError when one does not come."""
        coming = iter(times)
        due, self.begin = next(coming), time.perf_counter()
        while self.busy or due < math.inf:
            while self.idle and due <= self.now():
                self._send(due)
                due = next(coming, math.inf)
            wait = max(0.0, due - self.now()) if self.idle else PATIENCE_SECONDS
            # select, since its time is in µs: that of poll and epoll is in whole milliseconds.
            ready, _, _ = select.select(self.busy, (), (), min(wait, PATIENCE_SECONDS))
            if not ready and wait >= PATIENCE_SECONDS:
                raise TimeoutError(f"no answer for {PATIENCE_SECONDS:g} s")
            self._read(ready)

    def _send(self, meant: float) -> None:
        client = self.idle.popleft()
        client.meant, client.received = meant, b""
        client.sent = self.now() if meant >= self.freed else meant  # it waited for a connection: that counts
        self.busy.append(client)
        client.wire.sendall(self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def _read(self, ready: Sequence[Client]) -> None:
        for client in ready:
            if client.is_answered():
                now = self.now()
                self.latencies.append(now - client.meant)
                self.since_sent.append(now - client.sent)
                self.refused += not client.received.startswith(b"HTTP/1.1 200 ")
                self.busy.remove(client)
                if not self.idle:
                    self.freed = now
                self.idle.append(client)


def arrivals(rate: float, seconds: float) -> list[float]:
    """The times of requests, `rate` a second in the mean, each independent of all others."""
    draw, times, at = random.Random(SEED), [], 0.0
    while (at := at + draw.expovariate(rate)) < seconds:
        times.append(at)
    return times


def main(port: int, file: Path, rate: float, seconds: float) -> None:
    """Play the load and tell how it went."""
    lines = (line.split() for line in file.read_text().splitlines())
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        for path, token in lines
    ]
    with contextlib.ExitStack() as opened:
        wires = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 5)) for _ in range(CONNECTIONS)]
        for wire in wires:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        load, times = Load(deque(map(Client, wires)), requests), arrivals(rate, seconds)
        with contextlib.suppress(OSError):  # the kernel may wake us up to 50 µs late otherwise
            Path("/proc/self/timerslack_ns").write_text("1")
        gc.disable()
        load.play(times)
    told = {
        "requests": len(load.latencies), "seconds": load.now(), "refused": load.refused, "broken": 0,
        "p50_ms": _percentile(load.latencies, 0.50), "p99_ms": _percentile(load.latencies, 0.99),
        "sent_p99_ms": _percentile(load.since_sent, 0.99),
    }  # fmt: skip
    print(json.dumps(told))


def _percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[int(len(seconds) * share)] * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
