"""The document of a node, as a whole and entry by entry: each change is a version of what the store adds, and a
generation of the node.

A change is built first, and refused with all its mistakes when it cannot be; then it is kept; then it is served. What
the file names is not the store's to change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jwtgate.config.load import load_plain
from jwtgate.config.redact import without_secrets
from jwtgate.control.administration.carried_through import carried_through
from jwtgate.control.administration.host import Host
from jwtgate.control.administration.layers import (
    Added,
    Plain,
    added_by,
    difference,
    entries,
    merged,
    restored,
    with_entry,
    without_entry,
)
from jwtgate.control.administration.resources import (
    FROM_FILE,
    FROM_STORE,
    SECTIONS,
    NotFound,
    OwnedByDocument,
    Page,
    Resource,
)
from jwtgate.control.administration.stored import Stored, stored_in
from jwtgate.control.built import Built
from jwtgate.control.documents import Text
from jwtgate.control.journal import event
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.state.stores.registry import DocumentVersion, Registry
from jwtgate.state.stores.store import StoreConflict, StoreFailed

GATEWAY = "the gateway"
"""Who takes a change back, in the audit log."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the store adds afterwards, and what the audit log says of the change."""

    added: Added = field(repr=False)
    action: str
    path: str
    who: str


class Documents:
    """The document of a node: its file's, and what the store adds."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._read: tuple[Text | None, Plain] = (None, {})

    @property
    def _registry(self) -> Registry:
        return self._host.running.callers.registry

    def file(self) -> Plain:
        """What the file says."""
        text, plain = self._host.running.text, self._read
        if plain[0] is not text:  # reading a large one takes longer than a request may hold others up
            data = load_plain(text.data, name=text.name)
            plain = self._read = (text, data if isinstance(data, Mapping) else {})
        return plain[1]

    async def stored(self) -> Stored:
        """What the store adds now."""
        return await asyncio.to_thread(self.stored_now)

    def stored_now(self) -> Stored:
        """As `stored`, for whoever may wait."""
        return stored_in(self._registry.document())

    # The whole.

    async def document(self) -> DocumentVersion:
        """What is served, its secrets hidden. The version is that of what the store adds."""
        return self._shown(await self.stored())

    async def check(self, value: JSON) -> None:
        """`ConfigError` with every mistake, `OwnedByDocument` for what is the file's."""
        async with self._host.changing:
            added = self._added(value, await self.stored())
            await self._host.check(self._host.running.text, stored=added)

    async def apply(self, value: JSON, *, over: int | None, who: str) -> DocumentVersion:
        """Serve this document. `ConfigError`, `OwnedByDocument`, `StoreConflict`, `StoreFailed`."""
        async with self._host.changing:
            stored = _matching(await self.stored(), over)
            added = self._added(value, stored)
            return self._shown(await self._change(stored, Change(added, "apply", "document", who)))

    async def history(self, *, after: int, limit: int) -> Sequence[DocumentVersion]:
        """What the store added in each version, oldest first, its secrets hidden."""
        found = await asyncio.to_thread(self._registry.documents, after=after, limit=limit)
        return [replace(each, value=without_secrets((), merged({}, stored_in(each).added))) for each in found]

    async def roll_back(self, version: int, *, over: int | None, who: str) -> DocumentVersion:
        """Serve what the store added in that version once more. `NotFound`, and as `apply`."""
        async with self._host.changing:
            stored = _matching(await self.stored(), over)
            former = await asyncio.to_thread(self._registry.document_at, version)
            if former is None:
                raise NotFound
            change = Change(stored_in(former).added, "roll-back", f"document/{version}", who)
            return self._shown(await self._change(stored, change))

    async def diff(self, value: JSON) -> Sequence[Mapping[str, JSON]]:
        """The JSON Patch that makes this document of the one that is served, secrets hidden in both."""
        served = merged(self.file(), (await self.stored()).added)
        asked = restored(value, without_secrets((), served), served)
        return list(difference(without_secrets((), served), without_secrets((), asked)))

    # Its entries.

    async def list(self, kind: str, *, after: str | None, limit: int, contains: str | None) -> Page:
        """The resources of this kind whose name holds `contains`, in the order of their names."""
        stored = await self.stored()
        served = entries(merged(self.file(), stored.added), SECTIONS[kind])
        names = sorted(name for name in served if name > (after or "") and (contains or "") in name)
        chosen = [self._resource(kind, name, served[name], stored) for name in names[:limit]]
        return Page(chosen, chosen[-1].name if len(names) > limit else None)

    async def get(self, kind: str, name: str) -> Resource:
        """The resource of this name. `NotFound`."""
        return self.entry(kind, name, await self.stored())

    def entry(self, kind: str, name: str, stored: Stored) -> Resource:
        """As `get`, in this version."""
        served = entries(merged(self.file(), stored.added), SECTIONS[kind])
        if name not in served:
            raise NotFound
        return self._resource(kind, name, served[name], stored)

    async def put(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource:
        """Have the store add this resource, in place of an earlier one of its own. Raises as `apply`."""
        async with self._host.changing:
            return await self.put_now(kind, name, value, over=over, who=who)

    async def put_now(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource:
        """As `put`, for whoever holds the lock already."""
        stored, section = await self.stored(), SECTIONS[kind]
        self._check_owner(section, name, stored, over=over)
        held = stored.added.get(section, {}).get(name)
        if held is not None:
            value = restored(value, without_secrets((*section.split("."), name), held), held)
        added = with_entry(stored.added, section, name, value)
        changed = await self._change(stored, Change(added, "put", f"{kind}/{name}", who))
        return self._resource(kind, name, value, changed)

    async def delete(self, kind: str, name: str, *, over: int | None, who: str) -> None:
        """Have the store no longer add this resource. `NotFound`, and as `apply`."""
        async with self._host.changing:
            await self.delete_now(kind, name, over=over, who=who)

    async def delete_now(self, kind: str, name: str, *, over: int | None, who: str) -> None:
        """As `delete`, for whoever holds the lock already."""
        stored, section = await self.stored(), SECTIONS[kind]
        self._check_owner(section, name, stored, over=over)
        if name not in stored.added.get(section, {}):
            raise NotFound
        added = without_entry(stored.added, section, name)
        await self._change(stored, Change(added, "delete", f"{kind}/{name}", who))

    # How a change is made.

    def _check_owner(self, section: str, name: str, stored: Stored, *, over: int | None) -> None:
        """Raises `OwnedByDocument` for an entry of the file's, `StoreConflict` when the store's is not `over`."""
        if name in entries(self.file(), section):
            raise OwnedByDocument
        version = stored.changed.get(f"{section}/{name}", {}).get("version", 0)
        if over is not None and over != version:
            raise StoreConflict(f"{section}/{name}")

    def _added(self, value: JSON, stored: Stored) -> Added:
        """What the store has to add for this whole document. `OwnedByDocument` when it changes what the file says."""
        if not isinstance(value, dict):
            raise ConfigError("The document must be an object.")
        file = self.file()
        served = merged(file, stored.added)
        added = added_by(restored(value, without_secrets((), served), served), file)
        if added is None:
            raise OwnedByDocument
        return added

    async def _change(self, stored: Stored, change: Change) -> Stored:
        """What the store adds after this change, kept and served."""
        built = await self._host.build(self._host.running.text, stored=change.added)
        return await carried_through(self._keep_and_serve(built, stored, change))

    async def _keep_and_serve(self, built: Built, stored: Stored, change: Change) -> Stored:
        try:
            changed = await asyncio.to_thread(self._keep, stored, change)
        except BaseException:
            await self._host.drop(built)
            raise
        try:
            await self._host.take(built)
        except BaseException:
            await self._undo(stored, changed)
            raise
        return changed

    def _keep(self, stored: Stored, change: Change) -> Stored:
        kept: dict[str, Any] = stored.after(change.added, at=int(time.time()))
        registry = self._registry
        return stored_in(
            registry.apply_document(kept, over=stored.version, who=change.who, action=change.action, path=change.path)
        )

    async def _undo(self, stored: Stored, changed: Stored) -> None:
        """Keep what was added before once more: the workers could not serve what came after it."""
        change = Change(stored.added, "undo", "document", GATEWAY)
        try:
            await asyncio.to_thread(self._keep, changed, change)
        except StoreFailed as failure:
            event("change_not_undone", level=logging.ERROR, cause=str(failure))

    # How things are shown.

    def _shown(self, stored: Stored) -> DocumentVersion:
        shown = without_secrets((), merged(self.file(), stored.added))
        return DocumentVersion(stored.version, shown, stored.at, stored.by)

    def _resource(self, kind: str, name: str, value: JSON, stored: Stored) -> Resource:
        section = SECTIONS[kind]
        shown = without_secrets((*section.split("."), name), value)
        if name in entries(self.file(), section):
            return Resource(kind, name, shown, 0, FROM_FILE)
        changed = stored.changed.get(f"{section}/{name}", {})
        return Resource(kind, name, shown, changed.get("version", 0), FROM_STORE, changed.get("at"))


def _matching(stored: Stored, over: int | None) -> Stored:
    if over is not None and over != stored.version:
        raise StoreConflict("document")
    return stored
