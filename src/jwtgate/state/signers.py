"""Slow signatures and other people's plug-ins, run on threads of their own (RSA lets other Python code run meanwhile).

Results come back to the event loop in batches: all that end while the loop is busy cost it one wake-up together.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from jwtgate.errors import DependencyFault

# Those that take less than 100 microseconds; any other would hold up the requests beside it.
_QUICK = frozenset({"HS256", "HS384", "HS512", "ES256", "Ed25519", "EdDSA"})

Sign = Callable[[], object]
Done = Callable[[object], None]


def is_slow(alg: str) -> bool:
    """Whether a signature with this algorithm takes so long that it belongs on a thread."""
    return alg not in _QUICK


class Signers:
    """So many threads that sign. `wake` has the loop call `deliver` soon, and may be called from any thread."""

    def __init__(self, threads: int, *, wake: Callable[[Callable[[], None]], object]) -> None:
        self._wake = wake
        self._waiting: queue.SimpleQueue[tuple[Sign, Done] | None] = queue.SimpleQueue()
        self._ended: deque[tuple[Done, object]] = deque()
        self._is_woken = False
        self._threads = [threading.Thread(target=self._run, name="signer", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, sign: Sign, done: Done) -> None:
        """Have this done on a thread, and `done` called by `deliver` with what comes of it."""
        self._waiting.put((sign, done))

    def deliver(self) -> None:
        """Hand over everything that has ended."""
        self._is_woken = False
        while self._ended:
            done, result = self._ended.popleft()
            done(result)

    def close(self) -> None:
        """End the threads once what they are at is done. What still waits is dropped."""
        while not self._waiting.empty():
            self._waiting.get()
        for _ in self._threads:
            self._waiting.put(None)

    def _run(self) -> None:
        while self._sign_next():
            pass

    def _sign_next(self) -> bool:
        """Whether there was something to sign. Nothing of it is held while the next is waited for."""
        job = self._waiting.get()
        if job is None:
            return False
        sign, done = job
        try:
            result = sign()
        except DependencyFault as fault:
            result = fault
        except Exception as error:  # a bug: the request fails, the thread goes on
            # Its text is not for the log: it may quote a claim.
            result = DependencyFault("signer_unavailable", cause=type(error).__name__)
        self._ended.append((done, result))
        if not self._is_woken:
            self._is_woken = True
            with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._wake(self.deliver)
        return True
