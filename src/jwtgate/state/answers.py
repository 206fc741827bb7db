"""The two drivers of a walk, and the snapshot of facts it looks at.

One driver awaits the answers, the other blocks for them; the walk is the same. An answer that cannot be had
is thrown into the walk, so that it surfaces in the room that asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from jwtgate.errors import Fault
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import Need, Steps
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.revocations import Revocations
from jwtgate.state.bounded_table import BoundedTable

MOST_CALLERS = 20_000
MOST_CALLER_BYTES = 96 * 1024 * 1024
MOST_UNKNOWN = 4_096
MOST_UNKNOWN_BYTES = 4 * 1024 * 1024

Result = TypeVar("Result")


async def drive(walk: Steps[Result], answer: Callable[[Need], Awaitable[object]]) -> Result:
    """What the walk returns, each of its needs awaited from `answer`."""
    try:
        need = next(walk)
        while True:
            try:
                reply = await answer(need)
            except Fault as fault:
                need = walk.throw(fault)
            else:
                need = walk.send(reply)
    except StopIteration as end:
        result: Result = end.value
        return result


def drive_blocking(walk: Steps[Result], answer: Callable[[Need], object]) -> Result:
    """What the walk returns, each of its needs met by a call of `answer`."""
    try:
        need = next(walk)
        while True:
            try:
                reply = answer(need)
            except Fault as fault:
                need = walk.throw(fault)
            else:
                need = walk.send(reply)
    except StopIteration as end:
        result: Result = end.value
        return result


class Snapshot:
    """The facts held in memory: the usable key set of each issuer, callers met before, and what was revoked."""

    __slots__ = ("_consumers", "_credentials", "_key_sets", "_unknown", "revocations", "store_away")

    def __init__(self, key_sets: Mapping[str, KeySet] | None = None) -> None:
        self._key_sets = dict(key_sets or {})
        self._credentials = BoundedTable[str, Credential](MOST_CALLERS, most_bytes=MOST_CALLER_BYTES)
        self._consumers = BoundedTable[tuple[tuple[ConsumerName, ...], str], Consumer](
            MOST_CALLERS, most_bytes=MOST_CALLER_BYTES
        )
        self._unknown = BoundedTable[str, None](MOST_UNKNOWN, most_bytes=MOST_UNKNOWN_BYTES)
        self.revocations = Revocations()
        self.store_away = False

    def key_set(self, issuer: str) -> KeySet | None:
        """The issuer's usable key set, or None when there is none."""
        return self._key_sets.get(issuer)

    def credential(self, name: str) -> Credential | None:
        """The consumers' credential of this name, if it was met before."""
        return self._credentials.get(name)

    def consumer(self, by: tuple[ConsumerName, ...], value: str) -> Consumer | None:
        """The consumer known so, if it was met before."""
        return self._consumers.get((by, value))

    def is_unknown(self, name: str) -> bool:
        """Whether a credential of this name was looked for in vain since the callers changed last."""
        return name in self._unknown

    def set_keys(self, issuer: str, key_set: KeySet | None) -> None:
        """Hold this key set from now on; None forgets the one held."""
        if key_set is None:
            self._key_sets.pop(issuer, None)
            return
        self._key_sets[issuer] = key_set

    def note_credential(self, name: str, credential: Credential) -> None:
        """Remember the credential a token named so, letting go of one when there is no room."""
        self._credentials.put(name, credential)

    def note_unknown(self, name: str) -> None:
        """Remember that there is no credential of this name, letting go of another when there is no room."""
        self._unknown.put(name, None)

    def note_consumer(self, by: tuple[ConsumerName, ...], value: str, consumer: Consumer) -> None:
        """Remember a consumer, letting go of one when there is no room."""
        self._consumers.put((by, value), consumer)

    def forget_callers(self) -> None:
        """Let go of every consumer and credential, and of those there are none of: some of them have changed."""
        self._credentials.clear()
        self._consumers.clear()
        self._unknown.clear()

    @property
    def callers(self) -> tuple[int, int]:
        """How many consumers and credentials are held, and how many were let go of for want of room."""
        entries = len(self._credentials) + len(self._consumers) + len(self._unknown)
        return entries, self._credentials.evicted + self._consumers.evicted + self._unknown.evicted
