"""An issuer's answers about tokens, kept while they hold, by a hash of what was asked (SEC-70).

Good answers and others lie apart, so that a flood of made-up tokens pushes out no good one.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from jwtgate.oauth.introspection import Answer

MOST_ENTRIES = 10_000
MOST_BYTES = 32 * 1024 * 1024
# What Python needs for one entry, and for each byte of an answer, roughly.
_ENTRY_BYTES = 700
_BYTES_OF_ONE = 6


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that may be kept until `fresh_until`, and stand in for a failed call until `stale_until`.

    It is used without asking until `ask_again_at`, and what is made from it ends by `vouched_until` (None: when it
    likes). All are instants of the monotonic clock; `exp` (NumericDate) ends all of them, None: it does not say.
    `size_bytes` is what it was read from.
    """

    answer: Answer
    ask_again_at: float
    fresh_until: float
    stale_until: float
    vouched_until: float | None
    exp: float | None
    size_bytes: int


def question_hash(*parts: str | None) -> bytes:
    """The SHA-256 of all the parts of a question, each with its length; None is none of the texts."""
    digest = hashlib.sha256()
    for part in parts:
        data = None if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(b"-" if data is None else b"%d:%b" % (len(data), data))
    return digest.digest()


class AnswerMemory:
    """So many answers of either kind; the one that nobody asked for longest goes first."""

    def __init__(self, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._good = _Shelf(most_entries, most_bytes)
        self._other = _Shelf(most_entries, most_bytes)

    def find(self, question: bytes) -> Held | None:
        """The answer that was kept, fresh or not."""
        return self._good.find(question) or self._other.find(question)

    def keep(self, question: bytes, held: Held) -> None:
        """Keep this answer in place of an earlier one."""
        shelf, not_here = (self._good, self._other) if held.answer.active else (self._other, self._good)
        not_here.drop(question)
        shelf.keep(question, held)

    def drop(self, question: bytes) -> None:
        """Forget what was kept: it no longer holds."""
        self._good.drop(question)
        self._other.drop(question)

    def __len__(self) -> int:
        return len(self._good) + len(self._other)

    @property
    def evicted(self) -> int:
        """How many answers were let go of for want of room."""
        return self._good.evicted + self._other.evicted


class _Shelf:
    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self.evicted = 0
        self._held: OrderedDict[bytes, Held] = OrderedDict()

    def find(self, question: bytes) -> Held | None:
        held = self._held.get(question)
        if held is not None:
            self._held.move_to_end(question)
        return held

    def keep(self, question: bytes, held: Held) -> None:
        self.drop(question)
        self._held[question] = held
        self._bytes += _size(held)
        while len(self._held) > self._most_entries or self._bytes > self._most_bytes:
            self.drop(next(iter(self._held)))
            self.evicted += 1

    def drop(self, question: bytes) -> None:
        held = self._held.pop(question, None)
        if held is not None:
            self._bytes -= _size(held)

    def __len__(self) -> int:
        return len(self._held)


def _size(held: Held) -> int:
    return _ENTRY_BYTES + _BYTES_OF_ONE * held.size_bytes
