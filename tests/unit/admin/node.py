"""A node as the Admin API sees it, in memory; it does what the real one promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jwtgate.control.administration.layers import difference
from jwtgate.control.administration.resources import NotFound, OwnedByDocument, Page, Resource
from jwtgate.errors import ConfigError
from jwtgate.gateway.observe import ConsumerCount, Counters, IssuerReport, Report
from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation
from jwtgate.state.stores.registry import AuditEntry, DocumentVersion
from jwtgate.state.stores.store import StoreConflict, StoreFailed

NOON = 1_750_000_000


class Node:
    """`fault` is raised by every call, `by_file` holds names the document's file owns, `file` what it says."""

    def __init__(self) -> None:
        self.resources: dict[tuple[str, str], Resource] = {}
        self.documents: list[DocumentVersion] = [DocumentVersion(1, {"listen": "127.0.0.1:0"}, NOON, "file")]
        self.revoked: list[Revocation] = []
        self.entries: list[AuditEntry] = []
        self.by_file: set[str] = set()
        self.file: dict[str, JSON] = {}
        self.fault: Exception | None = None

    async def list(self, kind: str, *, after: str | None, limit: int, contains: str | None) -> Page:
        self._fail()
        names = sorted(name for held, name in self.resources if held == kind)
        names = [name for name in names if (after is None or name > after) and (contains or "") in name]
        following = names[limit - 1] if len(names) > limit else None
        return Page([self.resources[kind, name] for name in names[:limit]], following)

    async def get(self, kind: str, name: str) -> Resource:
        self._fail()
        if (kind, name) not in self.resources:
            raise NotFound
        return self.resources[kind, name]

    async def put(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource:
        self._change(kind, name, over)
        _check(value)
        held = self.resources.get((kind, name))
        written = Resource(kind, name, value, held.version + 1 if held else 1, "store", NOON)
        self.resources[kind, name] = written
        self._note(who, "put", kind, name)
        return written

    async def delete(self, kind: str, name: str, *, over: int | None, who: str) -> None:
        self._change(kind, name, over)
        if self.resources.pop((kind, name), None) is None:
            raise NotFound
        self._note(who, "delete", kind, name)

    async def document(self) -> DocumentVersion:
        self._fail()
        return self.documents[-1]

    async def check(self, value: JSON) -> None:
        self._fail()
        self._check_document(value)

    async def apply(self, value: JSON, *, over: int | None, who: str) -> DocumentVersion:
        self._fail()
        self._check_document(value)
        if over not in (None, self.documents[-1].version):
            raise StoreConflict("document")
        self.documents.append(DocumentVersion(self.documents[-1].version + 1, value, NOON, who))
        return self.documents[-1]

    async def history(self, *, after: int, limit: int) -> Sequence[DocumentVersion]:
        self._fail()
        return [each for each in self.documents if each.version > after][:limit]

    async def roll_back(self, version: int, *, over: int | None, who: str) -> DocumentVersion:
        found = [each for each in self.documents if each.version == version]
        if not found:
            raise NotFound
        return await self.apply(found[0].value, over=over, who=who)

    async def diff(self, value: JSON) -> Sequence[Mapping[str, JSON]]:
        self._fail()
        return list(difference(dict(self.documents[-1].value), value))

    async def signing_keys(self) -> Sequence[Mapping[str, JSON]]:
        self._fail()
        instants: dict[str, JSON] = {"published_at": 1, "active_from": 2, "retiring_from": None, "retired_from": None}
        return [{"name": "default", "keys": [{"kid": "k1", "alg": "ES256", "state": "active", **instants}]}]

    async def rotate(self, name: str, *, who: str, plan_only: bool) -> Mapping[str, JSON]:
        self._fail()
        if not plan_only:
            self._note(who, "rotate", "signing_key", name)
        return {"former": "k1", "published_at": NOON, "takes_over_at": NOON + 1, "leaves_at": NOON + 2}

    async def revoke(self, revocation: Revocation, *, who: str) -> None:
        self._fail()
        self.revoked.append(revocation)
        self._note(who, "put", "revocation", revocation.id)

    async def revocations(self, *, after: str | None, limit: int) -> Sequence[Revocation]:
        self._fail()
        found = sorted(self.revoked, key=lambda each: each.id)
        return [each for each in found if after is None or each.id > after][:limit]

    async def withdraw_revocation(self, name: str, *, who: str) -> None:
        self._fail()
        kept = [each for each in self.revoked if each.id != name]
        if len(kept) == len(self.revoked):
            raise NotFound
        self.revoked = kept
        self._note(who, "delete", "revocation", name)

    async def audit(self, *, after: int, limit: int) -> Sequence[AuditEntry]:
        self._fail()
        return [each for each in self.entries if each.number > after][:limit]

    async def report(self) -> Report:
        self._fail()
        issuer = IssuerReport("main", keys=1, age_seconds=2.5, stale=False, fetches=1)
        return Report(
            Counters(),
            generation=3,
            ready=True,
            workers=2,
            issuers=(issuer,),
            consumers=(ConsumerCount("document", 4),),
        )

    def _check_document(self, value: JSON) -> None:
        _check(value)
        assert isinstance(value, dict)
        if any(value.get(name) != said for name, said in self.file.items()):
            raise OwnedByDocument

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _change(self, kind: str, name: str, over: int | None) -> None:
        self._fail()
        if name in self.by_file:
            raise OwnedByDocument
        held = self.resources.get((kind, name))
        if over is not None and over != (held.version if held else 0):
            raise StoreConflict(name)

    def _note(self, who: str, action: str, kind: str, name: str) -> None:
        self.entries.append(AuditEntry(len(self.entries) + 1, NOON, who, action, kind, name, 0))


def _check(value: Any) -> None:
    """Two mistakes in a value with a member `wrong`."""
    if not isinstance(value, dict):
        raise ConfigError("must be a mapping")
    if "wrong" in value:
        raise ConfigError("wrong: is no key of this section", "other: is missing")


STORE_GONE = StoreFailed("disk full at /secret/place")
