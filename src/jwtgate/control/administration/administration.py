"""A node as operators see it: looked at and changed while it runs.

Mistakes are `ConfigError`, with all of them; what changed meanwhile is `StoreConflict`, a store that cannot be used
`StoreFailed`. After any of them nothing has changed. Changes come one after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice

from jwtgate.control.administration.consumers import CONSUMERS, CREDENTIALS, Consumers
from jwtgate.control.administration.documents import Documents
from jwtgate.control.administration.host import Host
from jwtgate.control.administration.manuscripts import Manuscripts
from jwtgate.control.administration.resources import SECTIONS, NotFound, Page, Resource
from jwtgate.errors import ConfigError
from jwtgate.gateway.observe import Report
from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation
from jwtgate.state.keys.rotation import SigningKey
from jwtgate.state.stores.registry import AuditEntry, DocumentVersion


class Administration:
    """What operators may do to a node. `consumers` are its callers as they are kept, and `manuscripts` what
    programs write its document from."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._documents = Documents(host)
        self.consumers = Consumers(host, self._documents)
        self.manuscripts = Manuscripts(host)

    # Resources.

    async def list(self, kind: str, *, after: str | None, limit: int, contains: str | None) -> Page:
        """Resources of this kind whose name holds `contains`, in the order of their names, from behind `after`."""
        return await self._of(kind).list(kind, after=after, limit=limit, contains=contains)

    async def get(self, kind: str, name: str) -> Resource:
        """One resource. `NotFound`."""
        return await self._of(kind).get(kind, name)

    async def put(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource:
        """A resource as it is from now on. `over`: the version it replaces, 0: none, None: any. `OwnedByDocument`."""
        return await self._of(kind).put(kind, name, value, over=over, who=who)

    async def delete(self, kind: str, name: str, *, over: int | None, who: str) -> None:
        """Take a resource away. `NotFound`, `OwnedByDocument`."""
        await self._of(kind).delete(kind, name, over=over, who=who)

    def _of(self, kind: str) -> Documents | Consumers:
        if kind in (CONSUMERS, CREDENTIALS):
            return self.consumers
        if kind not in SECTIONS:
            raise NotFound
        return self._documents

    # The document.

    async def document(self) -> DocumentVersion:
        """What is served, its secrets hidden."""
        return await self._documents.document()

    async def check(self, value: JSON) -> None:
        """Whether this document could be served: nothing, or an error."""
        await self._documents.check(value)

    async def apply(self, value: JSON, *, over: int | None, who: str) -> DocumentVersion:
        """The document as it is served from now on. `OwnedByDocument` when it changes what the file says."""
        return await self._documents.apply(value, over=over, who=who)

    async def history(self, *, after: int, limit: int) -> Sequence[DocumentVersion]:
        """What the store added in each version, oldest first, from behind this one."""
        return await self._documents.history(after=after, limit=limit)

    async def roll_back(self, version: int, *, over: int | None, who: str) -> DocumentVersion:
        """The document after the store added again what it added in that version. `NotFound`."""
        return await self._documents.roll_back(version, over=over, who=who)

    async def diff(self, value: JSON) -> Sequence[Mapping[str, JSON]]:
        """The JSON Patch (RFC 6902) that makes this document of the one that is served."""
        return await self._documents.diff(value)

    # Our signing keys.

    async def signing_keys(self) -> Sequence[Mapping[str, JSON]]:
        """The keys of each name, with their states and instants, oldest first."""
        keyring, now = self._host.running.keyring, time.time()
        return [
            {"name": name, "keys": [_described(key, now) for key in keyring.keys(name)]}
            for name in self._host.running.plan.signing
        ]

    async def rotate(self, name: str, *, who: str, plan_only: bool) -> Mapping[str, JSON]:
        """The instants of a rotation of this name's keys, which is begun unless only its plan is wanted. `NotFound`."""
        async with self._host.changing:
            built = self._host.running
            if name not in built.plan.signing:
                raise NotFound
            if plan_only:
                return asdict(await asyncio.to_thread(built.keyring.planned, name))
            timetable = await asyncio.to_thread(built.keyring.rotate, name)
            await asyncio.to_thread(built.callers.registry.note, "rotate", f"signing_key/{name}", who=who)
            return asdict(timetable)

    # Revocations.

    async def revoke(self, revocation: Revocation, *, who: str) -> None:
        """Refuse these tokens from now on. `ConfigError` for an issuer nobody knows."""
        built = self._host.running
        if revocation.issuer is not None and revocation.issuer not in built.plan.issuers:
            raise ConfigError(f"There is no issuer {revocation.issuer!r}.")
        await asyncio.to_thread(built.callers.revocations.add, revocation, who=who)
        self._host.announcing.revocations_changed(built.callers.revocations.entries)

    async def revocations(self, *, after: str | None, limit: int) -> Sequence[Revocation]:
        """What is revoked, in the order of the entries' ids."""
        entries = await asyncio.to_thread(self._host.running.callers.revocations.entries)
        later = (entry for entry in sorted(entries, key=lambda entry: entry.id) if entry.id > (after or ""))
        return list(islice(later, limit))

    async def withdraw_revocation(self, id: str, *, who: str) -> None:  # noqa: A002 - an entry calls it so
        """Accept these tokens again, as long as they last. `NotFound`."""
        revocations = self._host.running.callers.revocations
        if not await asyncio.to_thread(revocations.remove, id, who=who):
            raise NotFound
        self._host.announcing.revocations_changed(revocations.entries)

    # Who did what, and how the node is.

    async def audit(self, *, after: int, limit: int) -> Sequence[AuditEntry]:
        """Who changed what and when, oldest first."""
        return await asyncio.to_thread(self._host.running.callers.registry.audit, after=after, limit=limit)

    async def report(self) -> Report:
        """How the node is doing."""
        return await self._host.report()


def _described(held: SigningKey, now: float) -> dict[str, JSON]:
    return {
        "kid": held.key.kid,
        "alg": held.alg,
        "state": held.state(now).value,
        "published_at": held.published_at,
        "active_from": held.active_from,
        "retiring_from": held.retiring_from,
        "retired_from": held.retired_from,
    }
