"""The two drivers of a walk, and the snapshot of facts it looks at.

One driver awaits the answers, the other blocks for them; the walk is the same. An answer that cannot be had
is thrown into the walk, so that it surfaces in the room that asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from jwtgate.errors import DependencyFault
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import Need, Steps

Result = TypeVar("Result")


async def drive(walk: Steps[Result], answer: Callable[[Need], Awaitable[object]]) -> Result:
    """What the walk returns, each of its needs awaited from `answer`."""
    try:
        need = next(walk)
        while True:
            try:
                reply = await answer(need)
            except DependencyFault as fault:
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
            except DependencyFault as fault:
                need = walk.throw(fault)
            else:
                need = walk.send(reply)
    except StopIteration as end:
        result: Result = end.value
        return result


class Snapshot:
    """The facts held in memory: the usable key set of each issuer, replaced as it changes."""

    __slots__ = ("_key_sets",)

    def __init__(self, key_sets: Mapping[str, KeySet] | None = None) -> None:
        self._key_sets = dict(key_sets or {})

    def key_set(self, issuer: str) -> KeySet | None:
        """The issuer's usable key set, or None when there is none."""
        return self._key_sets.get(issuer)

    def set_keys(self, issuer: str, key_set: KeySet | None) -> None:
        """Hold this key set from now on; None forgets the one held."""
        if key_set is None:
            self._key_sets.pop(issuer, None)
            return
        self._key_sets[issuer] = key_set
