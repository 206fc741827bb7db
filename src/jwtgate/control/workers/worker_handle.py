"""One worker process, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from jwtgate.control.listening.sockets import Bound
from jwtgate.control.workers.link import Link, LinkLost, decode_untrusted
from jwtgate.control.workers.messages import Counted, Listen, NotPrepared, Prepared, Serving

SILENCE_SECONDS = 30.0
"""A worker says something each second; one that has been silent for so long hangs, and is killed."""
REAP_SECONDS = 1.0


class WorkerHandle:
    """A running worker.

    `prepared` and `serving` are the numbers of the generations it last spoke of, zero for none; `counted` is how often
    it has told its counters.
    """

    def __init__(self, process: asyncio.subprocess.Process, link: Link) -> None:
        self._process = process
        self._link = link
        self._serving_since: float | None = None
        self._news = asyncio.Event()
        self.prepared = 0
        self.serving = 0
        self.counted = 0
        self.problem: str | None = None
        self.ended = False

    @classmethod
    async def spawn(cls, bound: Bound) -> WorkerHandle:
        """A fresh process that has inherited the listening sockets and its end of a link, and nothing else."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            descriptors = [sock.fileno() for _, sock in bound]
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    "jwtgate.control.workers.worker_process",
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(), *descriptors),
                    stdin=asyncio.subprocess.DEVNULL,
                    process_group=0,  # a Ctrl-C is for the supervisor, who then tells the workers
                )
            except BaseException:
                ours.close()
                raise
        try:
            handle = cls(process, await Link.open(ours, decode=decode_untrusted))
        except BaseException:
            process.kill()
            raise
        handle.send(Listen(tuple(descriptors)))
        return handle

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    @property
    def served_seconds(self) -> float:
        """For how long it has served; zero if it never came to that."""
        return 0.0 if self._serving_since is None else time.monotonic() - self._serving_since

    def send(self, message: object) -> None:
        """Send a message."""
        self._link.send(message)

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded message."""
        self._link.send_frame(frame)

    async def attend(
        self, heard: Callable[[WorkerHandle, object], None], *, silence_seconds: float = SILENCE_SECONDS
    ) -> int:
        """Pass on what the worker says until it is gone; its exit status. One that hangs or babbles is killed."""
        try:
            while True:
                async with asyncio.timeout(silence_seconds):
                    message = await self._link.receive()
                self._note(message)
                heard(self, message)
        except (LinkLost, TimeoutError):
            with suppress(TimeoutError):
                async with asyncio.timeout(REAP_SECONDS):
                    await self._process.wait()
        finally:
            self.ended = True
            self._news.set()
            self.kill()
            status = await self._process.wait()
            await self._link.close()
        return status

    def kill(self) -> None:
        """End it now, if it has not ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def until(self, reached: Callable[[WorkerHandle], bool]) -> bool:
        """Wait until this holds; False when the worker ended before."""
        while not reached(self):
            if self.ended:
                return False
            self._news.clear()
            await self._news.wait()
        return True

    def _note(self, message: object) -> None:
        if isinstance(message, Prepared):
            self.prepared, self.problem = message.number, None
        elif isinstance(message, NotPrepared):
            self.prepared, self.problem = message.number, message.problem
        elif isinstance(message, Counted):
            self.counted += 1
        elif isinstance(message, Serving):
            self.serving = message.number
            if self._serving_since is None:
                self._serving_since = time.monotonic()
        self._news.set()
