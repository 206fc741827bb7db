"""What people changed while the gateway ran: resources by kind and name, the document's history, and who did what.

A change and its entry in the audit log are one step of the store. With a master key every value is sealed, since
some hold secrets (SEC-150); the audit log holds names only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.jose.sealing import NONCE_BYTES, Sealer, is_sealed
from jwtgate.state.stores.store import USUAL_PAGE, Append, Entry, Store, StoreConflict, StoreFailed, Write

MOST_DOCUMENTS = 1_000
MOST_AUDIT_ENTRIES = 1_000_000
_TRIES = 10
_AUDIT = "audit"
_DOCUMENT = "document"


class Kind(Enum):
    """What a resource is."""

    CONSUMER = "consumer"
    REVOCATION = "revocation"
    MANUSCRIPT = "manuscript"
    """What a program writes a document from."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as it is kept. `version` is what the next writer must name; `changed_at` is a NumericDate."""

    kind: Kind
    name: str
    value: Mapping[str, JSON] = field(repr=False)
    version: int
    changed_at: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """The whole document as it was applied once. Versions are counted from 1."""

    version: int
    value: Mapping[str, JSON] = field(repr=False)
    changed_at: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, and when. `over` is the version it was done over, 0 where there was none."""

    number: int
    at: int
    who: str
    action: str
    kind: str
    name: str
    over: int


class Registry:
    """The resources in a store. Every call may block for a short time and raises `StoreFailed`.

    `over` is the version a change is made over, 0 where there is none yet, and None for whatever is there;
    `StoreConflict` when it is another one.
    """

    def __init__(self, store: Store, *, wall: Callable[[], float], sealer: Sealer | None = None) -> None:
        self._store = store
        self._wall = wall
        self._sealer = sealer

    def get(self, kind: Kind, name: str) -> Resource | None:
        """The resource of this name, or None."""
        path = _prefix(kind) + name
        record = self._store.read(path)
        return None if record is None else self._resource(path, record.value, version=record.version)

    def all(self, kind: Kind) -> Iterator[Resource]:
        """Every resource of this kind in the order of their names, read page by page."""
        prefix = after = _prefix(kind)
        while page := self._store.records(prefix, after=after):
            for path, record in page:
                yield self._resource(path, record.value, version=record.version)
            after = page[-1][0]

    def page(self, kind: Kind, *, after: str, limit: int) -> tuple[Resource, ...]:
        """At most so many resources of this kind in the order of their names, from behind this one."""
        prefix = _prefix(kind)
        records = self._store.records(prefix, after=prefix + after, limit=limit)
        return tuple(self._resource(path, record.value, version=record.version) for path, record in records)

    def put(self, kind: Kind, name: str, value: Mapping[str, JSON], *, over: int | None, who: str) -> Resource:
        """The resource with this value, written now. Raises `StoreConflict`."""
        path = _prefix(kind) + name
        data = self._sealed(path, value, who)
        version = self._change(path, data, over=over, who=who)
        return self._resource(path, data, version=version)

    def delete(self, kind: Kind, name: str, *, over: int | None, who: str) -> bool:
        """Whether there was such a resource, which is gone now. Raises `StoreConflict`."""
        path = _prefix(kind) + name
        if over is None and self._store.read(path) is None:
            return False
        self._change(path, None, over=over, who=who)
        return True

    def forget(self, kind: Kind, versions: dict[str, int]) -> None:
        """Delete these resources, which ended by themselves: nobody did it. Raises `StoreConflict`."""
        self._store.write_all([Write(_prefix(kind) + name, None, version) for name, version in versions.items()])

    def document(self) -> DocumentVersion | None:
        """The document that was applied last, or None."""
        return self.document_at(self._store.last(_DOCUMENT))

    def document_at(self, version: int) -> DocumentVersion | None:
        """The document of this version, or None when there is none or it is no longer kept."""
        entries = self._store.entries(_DOCUMENT, after=version - 1, limit=1)
        return self._document(entries[0]) if entries and entries[0].number == version else None

    def documents(self, *, after: int = 0, limit: int = 100) -> tuple[DocumentVersion, ...]:
        """The documents that were applied, oldest first, from behind this version; the latest thousand are kept."""
        return tuple(self._document(entry) for entry in self._store.entries(_DOCUMENT, after=after, limit=limit))

    def apply_document(
        self, value: Mapping[str, JSON], *, over: int | None, who: str, action: str = "apply", path: str = _DOCUMENT
    ) -> DocumentVersion:
        """The document as its newest version. `StoreConflict` when the last one is not `over`.

        The audit log says that `action` was done to what `path` names: its kind and its name with a slash between.
        """
        data = self._sealed(_DOCUMENT, value, who)
        last = self._store.last(_DOCUMENT) if over is None else over
        added = Append(_DOCUMENT, data, keep=MOST_DOCUMENTS, over=over)
        version, _ = self._store.write_all([added, self._audit(action, path, over=last, who=who)])
        return self._document(Entry(version, data))

    def note(self, action: str, path: str, *, who: str) -> None:
        """Write into the audit log what was done elsewhere; `path` is its kind and its name with a slash between."""
        self._store.write_all([self._audit(action, path, over=0, who=who)])

    def audit(self, *, after: int = 0, limit: int = USUAL_PAGE) -> tuple[AuditEntry, ...]:
        """The entries of the audit log, oldest first, from behind this number."""
        return tuple(_audit_entry(entry) for entry in self._store.entries(_AUDIT, after=after, limit=limit))

    @property
    def changes(self) -> int:
        """How many changes were made so far: the number of the latest entry of the audit log."""
        return self._store.last(_AUDIT)

    def _change(self, path: str, data: bytes | None, *, over: int | None, who: str) -> int:
        action = "delete" if data is None else "put"
        for left in reversed(range(_TRIES)):
            version = self._version(path) if over is None else over
            audit = self._audit(action, path.partition("/")[2], over=version, who=who)
            try:
                return self._store.write_all([Write(path, data, version), audit])[0]
            except StoreConflict:
                # Whoever does not say what it is made over wants to write over anything.
                if over is not None or not left:
                    raise
        raise AssertionError(_TRIES)

    def _version(self, path: str) -> int:
        record = self._store.read(path)
        return 0 if record is None else record.version

    def _audit(self, action: str, path: str, *, over: int, who: str) -> Append:
        kind, _, name = path.partition("/")
        members = {"at": int(self._wall()), "who": who, "action": action, "kind": kind, "name": name, "over": over}
        return Append(_AUDIT, json_bytes(members), keep=MOST_AUDIT_ENTRIES)

    def _sealed(self, path: str, value: Mapping[str, JSON], who: str) -> bytes:
        data = json_bytes({"value": dict(value), "at": int(self._wall()), "who": who})
        return data if self._sealer is None else self._sealer.seal(data, path, nonce=os.urandom(NONCE_BYTES))

    def _resource(self, path: str, data: bytes, *, version: int) -> Resource:
        kind, _, name = path.partition("/")[2].partition("/")
        value, at, who = self._unsealed(path, data)
        return Resource(Kind(kind), name, value, version, at, who)

    def _document(self, entry: Entry) -> DocumentVersion:
        value, at, who = self._unsealed(_DOCUMENT, entry.value)
        return DocumentVersion(entry.number, value, at, who)

    def _unsealed(self, path: str, data: bytes) -> tuple[Mapping[str, JSON], int, str]:
        try:
            match json.loads(self._plain(path, data)):
                case {"value": dict() as value, "at": int() as at, "who": str() as who}:
                    return value, at, who
        except ValueError as error:
            raise StoreFailed(f"{path} cannot be read: {error}") from None
        raise StoreFailed(f"{path} cannot be read: it is not a record of this release")

    def _plain(self, path: str, data: bytes) -> bytes:
        if not is_sealed(data):  # kept before there was a master key; sealed when it is written next
            return data
        if self._sealer is None:
            raise StoreFailed(f"{path} is sealed; the master key it was sealed with is needed")
        return self._sealer.unseal(data, path)


def _prefix(kind: Kind) -> str:
    return f"resource/{kind.value}/"


def _audit_entry(entry: Entry) -> AuditEntry:
    return AuditEntry(entry.number, **json.loads(entry.value))
