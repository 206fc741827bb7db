"""The directory of consumers: those of the document and those of the store, each in an index of its own.

Where both know a name, the document is right. The document's index is made beside the one in use and takes its place
whole, so that a document that fails half-way changes nothing. The store's index follows the registry's audit log.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from enum import Enum
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.callers import API_KEY, Consumer
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ConsumerSource, CredentialSource
from jwtgate.state.callers.consumer_files import ConsumerFile, Parse
from jwtgate.state.callers.consumer_index import (
    ConsumerIndex,
    Placed,
    What,
    credential_of_name,
    members_of,
    names_of,
)
from jwtgate.state.callers.index_files import IndexFiles
from jwtgate.state.callers.referred_names import ReferredNames, Resolve
from jwtgate.state.stores.registry import AuditEntry, Kind, Registry, Resource
from jwtgate.state.stores.store import StoreConflict

_WHAT = {ConsumerName.NAME: What.CONSUMER, ConsumerName.EXTERNAL_ID: What.EXTERNAL_ID, ConsumerName.ID: What.ID}
_WORDS = {
    What.CONSUMER: "consumer",
    What.EXTERNAL_ID: "external id",
    What.ID: "consumer id",
    What.CREDENTIAL: "credential",
    What.API_KEY: "API key (not shown)",
    What.REFERRING: "consumer",
}
# They stand twice where the name of their consumer does.
_FOLLOW_FROM_THE_NAME = (What.ID, What.REFERRING)
_INPUT = "input"
_FOLLOWED = "followed"


class Origin(Enum):
    """Where a consumer was described."""

    DOCUMENT = "document"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Found:
    """A consumer with its credentials, and where it was described."""

    source: ConsumerSource
    origin: Origin


@dataclass(frozen=True, slots=True)
class Staged:
    """The document's consumers made ready: what `adopt` puts into use, or `discard` forgets."""

    made: Path | ConsumerIndex
    warnings: tuple[str, ...]


class Directory:
    """Every consumer, found by name. Calls are quick but for `stage` and `follow`, and may come from any thread.

    Every call raises `StoreFailed`.
    """

    def __init__(self, folder: Path | None, sealer: Sealer | None) -> None:
        self._sealer = sealer
        self._files = None if folder is None else IndexFiles(folder, sealer)
        self._lock = threading.Lock()
        self._document = (self._files and self._files.fixed()) or ConsumerIndex.create(None, sealer)
        self._store = (self._files and self._files.changing()) or ConsumerIndex.create(None, sealer)
        self._referred: ReferredNames | None = None

    @classmethod
    def open(cls, folder: Path | None, *, sealer: Sealer | None) -> Directory:
        """The directory kept in this folder, or with None in memory."""
        return cls(folder, sealer)

    def consumer(self, by: tuple[ConsumerName, ...], value: str) -> Consumer | None:
        """The consumer known so, the names tried in order, or None."""
        for each in by:
            found = self.find(_WHAT[each], value)
            if found is not None:
                return found.source.consumer
        return None

    def credential(self, name: str, resolve: Resolve | None = None) -> tuple[CredentialSource, Consumer] | None:
        """The credential that tokens name so, or whose API key has this name, and whose it is; None when there is none.

        `resolve` leads to names that are kept elsewhere; without it those are not looked at.
        """
        found = self.find(What.API_KEY if name.startswith(API_KEY) else What.CREDENTIAL, name)
        if found is not None:
            credential = credential_of_name(found.source, name)
            return None if credential is None else (credential, found.source.consumer)
        if resolve is None:
            return None
        with self._lock:
            referring = self._names().find(name, resolve)
        found = None if referring is None else self.find(What.CONSUMER, referring.consumer)
        if referring is None or found is None:
            return None
        wanted = (referring.credential, referring.text)
        held = (each for each in found.source.credentials if (each.name, each.refers) == wanted)
        credential = next(held, None)  # the consumer may be another one by now
        return None if credential is None else (credential, found.source.consumer)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The texts of what credentials are found by that led nowhere when they were looked at last."""
        with self._lock:
            return () if self._referred is None else self._referred.waiting

    def referred(self) -> tuple[str, ...]:
        """The texts of all that credentials are found by and that is kept elsewhere."""
        with self._lock:
            return self._names().texts

    def try_waiting(self, resolve: Resolve) -> bool:
        """Whether a credential can be found now that waited for what it is found by."""
        with self._lock:
            return self._names().try_again(resolve)

    def forget_referred(self) -> None:
        """Look anew at what is kept elsewhere: it may have changed."""
        with self._lock:
            if self._referred is not None:
                self._referred.forget()

    def find(self, what: What, value: str) -> Found | None:
        """Who is known so, or None."""
        with self._lock:
            source = self._document.find(what, value)
            if source is not None:
                return Found(source, Origin.DOCUMENT)
            source = self._store.find(what, value)
            if source is None or not self._is_served(source.consumer.name):
                return None
            return Found(source, Origin.STORE)

    def names(self, what: What, *, after: str = "", limit: int = 100, contains: str = "") -> tuple[str, ...]:
        """At most `limit` names that hold `contains`, in their order, from behind `after`."""
        with self._lock:
            indexes = (self._document, self._store)
            found = {name for each in indexes for name in each.names(what, after=after, limit=limit, contains=contains)}
        return tuple(sorted(found)[:limit])

    def stage(self, inline: Iterable[ConsumerSource], files: Sequence[Path], *, parse: Parse) -> Staged | None:
        """The document's consumers and those of its files made ready; None when they are in use already.

        `ConfigError` names every mistake, or what stands in two places.
        """
        inline = tuple(inline)
        with ExitStack() as opened:
            sources = [opened.enter_context(closing(ConsumerFile(path, self._sealer))) for path in files]
            digest = _digest(inline, sources)
            with self._lock:
                if self._document.meta(_INPUT) == digest:
                    return None
            placed = chain(
                (Placed(source, "the document") for source in inline),
                *(source.consumers(parse) for source in sources),
            )
            fill = partial(_fill_strictly, placed, digest)
            warnings = tuple(warning for source in sources for warning in source.warnings)
            return Staged(self._made(fill), warnings)

    def adopt(self, staged: Staged) -> None:
        """Put the consumers that were made ready into use, in place of the document's earlier ones."""
        with self._lock:
            if isinstance(staged.made, Path):
                assert self._files is not None  # noqa: S101 - only a directory with files makes one
                index = self._files.put_fixed(staged.made)
            else:
                index = staged.made
            self._document.close()
            self._document = index
            self._referred = None

    def discard(self, staged: Staged) -> None:
        """Forget consumers that were made ready and are not wanted after all."""
        if isinstance(staged.made, Path):
            staged.made.unlink(missing_ok=True)
            return
        staged.made.close()

    def replace_document(
        self, inline: Iterable[ConsumerSource], files: Sequence[Path], *, parse: Parse
    ) -> tuple[str, ...]:
        """Put the document's consumers into use in one step; warnings about its files. Raises as `stage`."""
        staged = self.stage(inline, files, parse=parse)
        if staged is None:
            return ()
        self.adopt(staged)
        return staged.warnings

    def check(self, source: ConsumerSource) -> None:
        """`StoreConflict` when the store cannot have this consumer: one of its names is somebody else's."""
        with self._lock:
            self._check(source)

    def put(self, source: ConsumerSource) -> None:
        """Know this consumer of the store from now on, in place of an earlier one of its name. Raises as `check`."""
        with self._lock:
            self._check(source)
            self._replace([source.consumer.name], [source])
            self._refer_anew(source.consumer.name, source)

    def remove(self, name: str) -> None:
        """Forget the store's consumer of this name."""
        with self._lock:
            self._replace([name], [])
            self._refer_anew(name, None)

    def follow(self, registry: Registry, parse: Parse) -> tuple[str, ...]:
        """Know the consumers of the store as the registry has them now; a sentence for each that cannot be read.

        What changed since the last time is read again; the first time, and when the store is another one, everything.
        """
        since = self._followed(registry)
        if since is None:
            return self._read_all(registry, parse)
        names: set[str] = set()
        last = None
        while entries := registry.audit(after=since if last is None else last.number):
            names.update(entry.name for entry in entries if entry.kind == Kind.CONSUMER.value)
            last = entries[-1]
        if last is None:
            return ()
        problems: list[str] = []
        resources = (registry.get(Kind.CONSUMER, name) for name in names)
        sources = list(_parsed((each for each in resources if each is not None), parse, problems))
        with self._lock:
            self._replace(names, [placed.source for placed in sources], _mark(last))
            self._referred = None
        return tuple(problems)

    def counts(self) -> tuple[int, int]:
        """How many consumers the document has, and how many the store."""
        with self._lock:
            return self._document.count(), self._store.count()

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._document.close()
            self._store.close()

    def _made(self, fill: Callable[[ConsumerIndex], None]) -> Path | ConsumerIndex:
        if self._files is not None:
            return self._files.make(fill)
        index = ConsumerIndex.create(None, self._sealer)
        fill(index)
        return index

    def _names(self) -> ReferredNames:
        if self._referred is None:
            stored = (each for each in self._store.referring() if self._is_served(each.consumer.name))
            self._referred = ReferredNames(chain(self._document.referring(), stored))
        return self._referred

    def _refer_anew(self, name: str, source: ConsumerSource | None) -> None:
        """Know what the credentials of the store's consumer of this name are found by now."""
        if self._referred is not None and self._is_served(name):
            self._referred.remove(name)
            if source is not None:
                self._referred.add(source)

    def _is_served(self, name: str) -> bool:
        """Whether the store's consumer of this name is the one that is meant."""
        return not self._document.knows(What.CONSUMER, name)

    def _check(self, source: ConsumerSource) -> None:
        name = source.consumer.name
        names = [each for each in names_of(source) if each[0] is not What.REFERRING]
        problems = [f"{_shown(*each)} stands twice" for each in sorted(set(names)) if names.count(each) > 1]
        for what, value in names:
            for index, origin in ((self._document, "the document's consumer"), (self._store, "the consumer")):
                owner = index.find(what, value)
                if owner is not None and (index is self._document or owner.consumer.name != name):
                    problems.append(f"{_shown(what, value)} belongs to {origin} {owner.consumer.name!r}")
        if problems:
            raise StoreConflict(f"The consumer {name!r} cannot be kept: {'; '.join(problems)}.")

    def _replace(self, names: Iterable[str], sources: Iterable[ConsumerSource], mark: bytes | None = None) -> None:
        with self._store.transaction():
            for name in names:
                self._store.delete(name)
            for source in sources:
                self._store.insert(source)
            if mark is not None:
                self._store.set_meta(_FOLLOWED, mark)

    def _followed(self, registry: Registry) -> int | None:
        """The number of the last change that is known; None when there is none, or it was another registry's."""
        with self._lock:
            mark = self._store.meta(_FOLLOWED)
        if mark is None:
            return None
        number = int(mark.partition(b" ")[0])
        return number if mark == _mark(_change(registry, number)) else None

    def _read_all(self, registry: Registry, parse: Parse) -> tuple[str, ...]:
        # Changes made while everything is read are met again the next time.
        mark = _mark(_change(registry, registry.changes))
        problems: list[str] = []

        def fill(index: ConsumerIndex) -> None:
            index.load(_parsed(registry.all(Kind.CONSUMER), parse, problems))
            index.set_meta(_FOLLOWED, mark)

        made = self._made(fill)
        with self._lock:
            self._store.close()
            if isinstance(made, Path):
                assert self._files is not None  # noqa: S101 - only a directory with files makes one
                made = self._files.put_changing(made)
            self._store = made
            self._referred = None
        return tuple(problems)


def _fill_strictly(placed: Iterable[Placed], digest: bytes, index: ConsumerIndex) -> None:
    duplicates = index.load(placed)
    if duplicates:
        # An id that is made from a name stands twice where the name does.
        named = {(first, second) for what, _, first, second in duplicates if what is What.CONSUMER}
        raise ConfigError(
            *(
                f"The {_shown(what, value)} stands in {first} and in {second}."
                for what, value, first, second in duplicates
                if what not in _FOLLOW_FROM_THE_NAME or (first, second) not in named
            )
        )
    index.set_meta(_INPUT, digest)


def _shown(what: What, value: str) -> str:
    # The name of an API key is its digest, by which a weak one can be guessed.
    return _WORDS[what] if what is What.API_KEY else f"{_WORDS[what]} {value!r}"


def _digest(inline: Iterable[ConsumerSource], files: Iterable[ConsumerFile]) -> bytes:
    # Another release may read the same text in another way.
    digest = hashlib.sha256(version("jwtgate").encode())
    for source in inline:
        digest.update(json_bytes(members_of(source)) + b"\n")
    for file in files:
        digest.update(file.digest.encode() + b"\n")
    return digest.digest()


def _parsed(resources: Iterable[Resource], parse: Parse, problems: list[str]) -> Iterator[Placed]:
    for resource in resources:
        try:
            source = parse({**resource.value, "name": resource.name})
        except ConfigError as error:
            problems += (f"The consumer {resource.name!r} of the store: {problem}" for problem in error.problems)
        else:
            yield Placed(source, "the store")


def _change(registry: Registry, number: int) -> AuditEntry | None:
    entries = registry.audit(after=number - 1, limit=1)
    return entries[0] if entries and entries[0].number == number else None


def _mark(entry: AuditEntry | None) -> bytes:
    """The number of a change, and what tells it from one of another registry."""
    number = 0 if entry is None else entry.number
    return f"{number} {hashlib.sha256(repr(entry).encode()).hexdigest()}".encode()
