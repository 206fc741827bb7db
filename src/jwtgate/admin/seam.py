"""What the Admin API asks of the node it administers, and the values it is answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jwtgate.gateway.observe import Report
from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation
from jwtgate.state.stores.registry import AuditEntry, DocumentVersion


class NotFound(Exception):
    """There is nothing of that name."""


class OwnedByDocument(Exception):
    """What the document's file names can be changed there only."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `origin` is `document` or `store`; `changed_at` a NumericDate."""

    kind: str
    name: str
    value: JSON
    version: int
    origin: str
    changed_at: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many, and the name after which the rest begins; None: that was all."""

    resources: Sequence[Resource]
    next: str | None


class Administration(Protocol):
    """The node, as operators see it."""

    async def list(self, kind: str, *, after: str | None, limit: int, contains: str | None) -> Page: ...
    async def get(self, kind: str, name: str) -> Resource: ...
    async def put(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource: ...
    async def delete(self, kind: str, name: str, *, over: int | None, who: str) -> None: ...
    async def document(self) -> DocumentVersion: ...
    async def check(self, value: JSON) -> None: ...
    async def apply(self, value: JSON, *, over: int | None, who: str) -> DocumentVersion: ...
    async def history(self, *, after: int, limit: int) -> Sequence[DocumentVersion]: ...
    async def roll_back(self, version: int, *, over: int | None, who: str) -> DocumentVersion: ...
    async def diff(self, value: JSON) -> Sequence[Mapping[str, JSON]]: ...
    async def signing_keys(self) -> Sequence[Mapping[str, JSON]]: ...
    async def rotate(self, name: str, *, who: str, plan_only: bool) -> Mapping[str, JSON]: ...
    async def revoke(self, revocation: Revocation, *, who: str) -> None: ...
    async def revocations(self, *, after: str | None, limit: int) -> Sequence[Revocation]: ...
    async def withdraw_revocation(self, name: str, *, who: str) -> None: ...
    async def audit(self, *, after: int, limit: int) -> Sequence[AuditEntry]: ...
    async def report(self) -> Report: ...
