"""What a program writes a document from: kept in the store, and changed together with the document it becomes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from jwtgate.control.administration.carried_through import carried_through
from jwtgate.control.administration.documents import GATEWAY
from jwtgate.control.administration.host import Host
from jwtgate.control.built import Built
from jwtgate.control.documents import Text
from jwtgate.control.journal import event
from jwtgate.jose.encoding import JSON
from jwtgate.state.stores.registry import Kind, Registry, Resource
from jwtgate.state.stores.store import StoreFailed


class Manuscripts:
    """The manuscripts of a node, by the name of who writes them."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def _registry(self) -> Registry:
        return self._host.running.callers.registry

    async def get(self, name: str) -> Resource | None:
        """The manuscript of this name; None: there is none yet."""
        return await asyncio.to_thread(self._registry.get, Kind.MANUSCRIPT, name)

    async def put(self, name: str, value: Mapping[str, JSON], text: Text, *, over: int, who: str) -> int:
        """Keep this manuscript and serve the document it becomes, or neither; its version.

        `ConfigError` for a document that cannot be served, `StoreConflict` when the manuscript is not `over`.
        """
        async with self._host.changing:
            held = await self.get(name)
            built = await self._host.build(text)
            return await carried_through(self._keep_and_serve(name, value, built, held=held, over=over, who=who))

    async def _keep_and_serve(
        self, name: str, value: Mapping[str, JSON], built: Built, *, held: Resource | None, over: int, who: str
    ) -> int:
        try:
            kept = await asyncio.to_thread(self._registry.put, Kind.MANUSCRIPT, name, value, over=over, who=who)
        except BaseException:
            await self._host.drop(built)
            raise
        try:
            await self._host.take(built)
        except BaseException:
            await self._undo(kept, held)
            raise
        return kept.version

    async def _undo(self, kept: Resource, held: Resource | None) -> None:
        """Keep what was kept before once more: the workers could not serve what came after it."""
        registry, name, over = self._registry, kept.name, kept.version
        try:
            if held is None:
                await asyncio.to_thread(registry.delete, Kind.MANUSCRIPT, name, over=over, who=GATEWAY)
            else:
                await asyncio.to_thread(registry.put, Kind.MANUSCRIPT, name, held.value, over=over, who=GATEWAY)
        except StoreFailed as failure:
            event("change_not_undone", level=logging.ERROR, cause=str(failure))
