"""Allowed outcomes remembered while they may be.

The key is the route and everything of the request the decision read: the whole credential, never a part or a
digest of it. An entry ends with the shortest-lived token in it; the whole memory goes with its generation, or when a
key set, a consumer or what is revoked changes. It is bounded in entries and in bytes (REL-18).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from jwtgate.policy.plan import Route
from jwtgate.policy.requirements import Place
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal

if TYPE_CHECKING:
    from jwtgate.gateway.heads.answer_head import AnswerHead
    from jwtgate.gateway.heads.request_head import RequestHead

FOR_EVER = 2**53
MOST_BYTES = 128 * 1024 * 1024
MOST_HEADS = 8_192
MOST_ANSWERS = 1_024
MOST_HEAD_BYTES = 16 * 1024 * 1024
_LET_GO_AT_ONCE, _LET_GO_SECONDS, _LET_GO_REST_SECONDS = 100, 0.002, 0.005
_ENTRY_BYTES = 400  # what Python itself needs for one entry, roughly
_READ_TIMES = 8
"""How much more room what a credential says takes than the credential itself, roughly."""

Key = tuple[Hashable, ...]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the credentials of a route stand; the usual case has a flag of its own."""

    only_authorization: bool
    fields: frozenset[bytes]
    cookies: bool
    query: bool


def places_of(route: Route) -> Places:
    """Every place of a request this route's slots look at."""
    sources = [source for slot in route.slots for source in slot.sources]
    kinds = {source.place for source in sources}
    return Places(
        only_authorization=kinds <= {Place.AUTHORIZATION},
        fields=frozenset(source.name.encode() for source in sources if source.place is Place.FIELD),
        cookies=Place.COOKIE in kinds,
        query=Place.QUERY in kinds,
    )


def memory_key(route: Route, places: Places, head: RequestHead) -> Key | None:
    """The route and all its decision reads of this request; None for a request that is decided each time."""
    if not route.remembered or head.authorization_repeated:
        return None
    if route.forward_cors_preflight and head.method == "OPTIONS":
        return None  # a preflight passes without what the same route asks of everybody else
    if route.methods_permitted is not None and head.method not in route.methods_permitted:
        return None
    if places.only_authorization:
        return (id(route), head.authorization)
    named = ((name.lower(), value) for name, value in head.fields)
    fields = tuple(field for field in named if field[0] in places.fields)
    cookie = head.cookie if places.cookies else None
    return (id(route), head.authorization, fields, cookie, head.query if places.query else b"")


class Remembered(NamedTuple):
    """An allowed outcome, ready to use: header lines for the upstream and for the client, and whom the log names.

    `token_until` is the end of the caller's tokens, which may come after that of the outcome (NumericDate both).
    `principal` is the caller, where somebody may have to be told of it.
    """

    lines: bytes
    until: int
    issuer: str
    consumer: str = ""
    detail: str = ""
    token_until: int = FOR_EVER
    answer_lines: bytes = b""
    principal: Principal = ANONYMOUS


class Recent(Generic[K, V]):
    """A bounded table of two generations: cheaper than a list of recent use, and as good."""

    __slots__ = ("_half_bytes", "_half_entries", "_old", "_size_of", "_young", "_young_bytes", "evicted")

    def __init__(self, most_entries: int, *, most_bytes: int, size_of: Callable[[K, V], int]) -> None:
        self._half_entries = (most_entries + 1) // 2
        self._half_bytes = most_bytes // 2
        self._size_of = size_of
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._young_bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def recall(self, key: K) -> V | None:
        """What is remembered under this key."""
        entry = self._young.get(key)
        if entry is None and self._old:
            entry = self._old.pop(key, None)
            if entry is not None:
                self.remember(key, entry)
        return entry

    def remember(self, key: K, entry: V) -> None:
        """Keep an entry, letting go of the least recent half when there is no room."""
        size = self._size_of(key, entry)
        if len(self._young) >= self._half_entries or self._young_bytes + size > self._half_bytes:
            self.evicted += len(self._old)
            let_go(self._old)
            self._old, self._young, self._young_bytes = self._young, {}, 0
        if self._half_entries and size <= self._half_bytes:
            self._young[key] = entry
            self._young_bytes += size

    def replace(self, key: K, entry: V) -> None:
        """Keep an entry of the same size in the place of the one that was just recalled."""
        if key in self._young:
            self._young[key] = entry

    def forget_all(self) -> None:
        """Let go of everything."""
        let_go(self._young)
        let_go(self._old)
        self._young, self._old, self._young_bytes = {}, {}, 0


def let_go(table: dict[Any, Any]) -> None:
    """Empty a table that nobody else holds, soon and little by little, so that nobody is held up (REL-21)."""
    try:
        asyncio.get_running_loop().call_later(_LET_GO_REST_SECONDS, _let_go_of_some, table)
    except RuntimeError:  # nobody to be held up
        table.clear()


def _let_go_of_some(table: dict[Any, Any]) -> None:
    until = time.monotonic() + _LET_GO_SECONDS
    while table:
        for _ in range(min(len(table), _LET_GO_AT_ONCE)):
            table.popitem()
        if time.monotonic() >= until:
            let_go(table)
            return


def outcome_memory(most_entries: int) -> Recent[Key, Remembered]:
    """An empty memory of outcomes."""
    return Recent(most_entries, most_bytes=MOST_BYTES, size_of=_outcome_bytes)


def head_memory() -> Recent[bytes, RequestHead]:
    """An empty memory of request heads, by the bytes of their fields."""
    return Recent(MOST_HEADS, most_bytes=MOST_HEAD_BYTES, size_of=lambda block, _: _ENTRY_BYTES + 4 * len(block))


def answer_memory() -> Recent[bytes, AnswerHead]:
    """An empty memory of the heads of answers, by their bytes."""
    return Recent(MOST_ANSWERS, most_bytes=MOST_HEAD_BYTES, size_of=lambda block, _: _ENTRY_BYTES + 4 * len(block))


def _outcome_bytes(key: Key, entry: Remembered) -> int:
    read = 0 if entry.principal is ANONYMOUS else _READ_TIMES
    return _ENTRY_BYTES + len(entry.lines) + len(entry.answer_lines) + (1 + read) * _key_bytes(key)


def _key_bytes(key: tuple[Hashable, ...]) -> int:
    """How much text a key holds."""
    size = 0
    for part in key:
        if isinstance(part, bytes):
            size += len(part)
        elif isinstance(part, tuple):
            size += _key_bytes(part)
    return size
