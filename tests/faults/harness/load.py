"""Well-behaved clients that send one request after another over connections they keep, and count what becomes of them.

A request is dropped when it was sent and no complete, valid HTTP answer came back. A connection that is seen to have
ended before the request is sent costs nothing: a new one is opened, as anybody would do.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import NamedTuple, Self

from tests.faults.harness.answers import Answer, AnswerInvalid, read_answer

PATIENCE_SECONDS = 30.0
REFUSED_PAUSE_SECONDS = 0.01


class Answered(NamedTuple):
    """A request that was answered: when it was sent (monotonic clock), and how long that took."""

    sent: float
    milliseconds: float


class Connection:
    """One connection, and how many answers it has brought."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answers = 0

    @property
    def ended(self) -> bool:
        """Whether the other side is seen to have gone."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._writer.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """The answer to a request. `AnswerInvalid`, `OSError`; `EOFError` where nothing came at all."""
        self._writer.write(request)
        answer = await read_answer(self._reader)
        self.answers += 1
        return answer

    def close(self) -> None:
        """Close."""
        self._writer.transport.abort()


class Load:
    """Sends from a thread of its own while inside `with` or `async with`; what is on its way at the end may finish.

    `token`: the bearer token, or what gives one for each request; None: none. `replays`: how often a request is sent
    anew when a connection that was used before ends without a byte of an answer, as RFC 9110 9.2.2 lets a client do.
    `heard` gets the status and the body of each answer, on the thread of the load.
    """

    def __init__(
        self,
        port: int,
        *,
        token: str | Callable[[], str] | None,
        connections: int = 8,
        path: str | Callable[[], str] = "/orders/1",
        pause_seconds: float = 0.0,
        replays: int = 0,
        heard: Callable[[int, bytes], object] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.port = port
        self._token = token
        self._connections = connections
        self._path = path
        self._pause_seconds = pause_seconds
        self._replays = replays
        self._heard = heard
        self._patience_seconds = patience_seconds
        self._over = False
        self._bugs: list[BaseException] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")
        self.reset()

    def reset(self) -> None:
        """Count from zero. What is on its way counts as of now.

        `requests`: answered or dropped. `refused`: connections that were not accepted. `opened`: connections.
        """
        self.requests = self.dropped = self.refused = self.replayed = self.opened = 0
        self.statuses: Counter[int] = Counter()
        self._times: list[Answered] = []

    def wrong(self, status: int) -> int:
        """How many were answered with another status."""
        return self.statuses.total() - self.statuses[status]

    def percentile(self, percent: float, since: float = -inf, until: float = inf) -> float:
        """Milliseconds within which so many percent were answered of those sent in this time; 0 when none was."""
        taken = sorted(each.milliseconds for each in list(self._times) if since <= each.sent < until)
        return taken[min(len(taken) - 1, int(len(taken) * percent / 100))] if taken else 0.0

    def until(self, requests: int) -> None:
        """Wait until this many were answered or dropped since the last `reset`."""
        while self.requests < requests:
            assert self._thread.is_alive(), "the load has ended"
            time.sleep(0.005)

    def more(self, requests: int) -> None:
        """Wait until this many more were answered or dropped."""
        self.until(self.requests + requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        assert self._bugs == []

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *raised: object) -> None:
        await asyncio.to_thread(self.__exit__, *raised)

    async def _run(self) -> None:
        ended = await asyncio.gather(*(self._send_on() for _ in range(self._connections)), return_exceptions=True)
        self._bugs += [each for each in ended if each is not None]

    async def _send_on(self) -> None:
        connection: Connection | None = None
        while not self._over:
            connection = connection if connection is not None and not connection.ended else await self._open()
            if connection is None:
                await asyncio.sleep(REFUSED_PAUSE_SECONDS)
                continue
            connection = await self._send(connection, self._request(), replays=self._replays)
            if self._pause_seconds:
                await asyncio.sleep(self._pause_seconds)
        if connection is not None:
            connection.close()

    async def _open(self) -> Connection | None:
        try:
            connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        except OSError:
            self.refused += 1
            return None
        self.opened += 1
        return connection

    async def _send(self, connection: Connection, request: bytes, *, replays: int) -> Connection | None:
        """Send a request and count what comes of it; the connection, if it can be used again."""
        sent = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_seconds):
                answer = await connection.ask(request)
        except (AnswerInvalid, EOFError, OSError, TimeoutError) as error:
            connection.close()
            # Nothing came back on a connection that was there already: it ended as the request was on its way.
            is_race = connection.answers > 0 and isinstance(error, EOFError | ConnectionError)
            if is_race and replays and (other := await self._open()) is not None:
                self.replayed += 1
                return await self._send(other, request, replays=replays - 1)
            self.requests += 1
            self.dropped += 1
            return None
        self._count(answer, sent)
        if answer.closes:
            connection.close()
            return None
        return connection

    def _count(self, answer: Answer, sent: float) -> None:
        self.requests += 1
        self.statuses[answer.status] += 1
        self._times.append(Answered(sent, (time.monotonic() - sent) * 1000))
        if self._heard is not None:
            self._heard(answer.status, answer.body)

    def _request(self) -> bytes:
        path = self._path if isinstance(self._path, str) else self._path()
        token = self._token() if callable(self._token) else self._token
        credential = "" if token is None else f"Authorization: Bearer {token}\r\n"
        return f"GET {path} HTTP/1.1\r\nHost: gate.example\r\n{credential}\r\n".encode()
