"""What a dialect's Admin API does to the node it is served by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.consumers import CONSUMERS
from jwtgate.control.administration.resources import NotFound, OwnedByDocument
from jwtgate.dialects.author import DialectAuthor
from jwtgate.dialects.dialect import Caller, Conflict, Kept, Objects
from jwtgate.state.stores.store import StoreConflict


class NodeDesk:
    """A node and the author of its document, as a dialect asks for them."""

    def __init__(self, administration: Administration, author: DialectAuthor) -> None:
        self._administration = administration
        self._author = author
        self._changing = asyncio.Lock()

    def changing(self) -> AbstractAsyncContextManager[None]:
        """One change at a time."""
        return self._changing

    async def kept(self) -> Kept:
        """The objects now."""
        return self._author.current

    async def keep(self, objects: Objects, *, over: int, who: str) -> None:
        """Translate, check, keep and serve these objects: all of it or nothing. `ConfigError`, `Conflict`."""
        author = self._author
        completed = await asyncio.to_thread(author.dialect.complete, objects)
        text = await asyncio.to_thread(author.text_of, completed)
        manuscripts, value = self._administration.manuscripts, author.to_keep(completed)
        try:
            version = await manuscripts.put(author.manuscript, value, text, over=over, who=who)
        except StoreConflict as conflict:
            raise Conflict(str(conflict)) from conflict
        author.current = Kept(completed, version)

    async def caller(self, name: str) -> Mapping[str, Any] | None:
        """The whole value of the consumer of this name; None: there is none."""
        return await self._administration.consumers.raw(name)

    async def callers(self, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Consumers with their whole values in the order of their names, from behind this one."""
        return await self._administration.consumers.raw_page(after=after, limit=limit)

    async def caller_with(self, credential: str) -> str | None:
        """The name of the consumer one of whose credentials has this name in tokens, or is this API key's."""
        return await self._administration.consumers.owner_of(credential)

    async def caller_known_as(self, name: str) -> str | None:
        """The name of the consumer that has this `id` or `external_id`."""
        return await self._administration.consumers.known_as(name)

    async def put_caller(self, caller: Caller, *, who: str) -> None:
        """Know this consumer from now on. `ConfigError`, `Conflict`."""
        try:
            await self._administration.put(CONSUMERS, caller.name, caller.value, over=None, who=who)
        except OwnedByDocument as owned:
            raise Conflict("a file owns it") from owned

    async def delete_caller(self, name: str, *, who: str) -> bool:
        """Whether there was such a consumer, which is gone now, its credentials with it."""
        try:
            await self._administration.delete(CONSUMERS, name, over=None, who=who)
        except NotFound:
            return False
        except OwnedByDocument as owned:
            raise Conflict("a file owns it") from owned
        return True
