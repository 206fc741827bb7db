"""Consumers and their credentials in one SQLite file, found by each of the names they are known by.

Derived data: whatever is wrong with the file, it can be made again. With a master key the records are sealed, since
they hold secrets, and so that nobody can guess an API key from what it is found by (SEC-150).
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from enum import IntEnum
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.jose.sealing import NONCE_BYTES, Sealer
from jwtgate.policy.callers import Consumer
from jwtgate.policy.provisions import Answer, Origin, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeysAddress, KeyText
from jwtgate.state.stores.store import StoreFailed

_BATCH = 1_000
_MOST_DUPLICATES = 20
_CACHE_KIB = 8_192
_NAME = "directory"
_OPEN = b"open"
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE consumer (number INTEGER PRIMARY KEY, value BLOB NOT NULL)",
    "CREATE TABLE named (what INTEGER, value TEXT, consumer INTEGER NOT NULL, PRIMARY KEY (what, value)) WITHOUT ROWID",
)
_FIND = "SELECT c.value FROM named n JOIN consumer c ON c.number = n.consumer WHERE n.what = ? AND n.value = ?"
_FIND_ALL = _FIND.removesuffix(" AND n.value = ?") + " ORDER BY n.value"
_DELETE = (
    "DELETE FROM consumer WHERE number = (SELECT consumer FROM named WHERE what = 0 AND value = ?) "
    "RETURNING number, value"
)
_KINDS = (Consumer, CredentialSource, KeyText, KeysAddress, RateLimit)
_FIELDS = tuple(tuple(each.name for each in fields(kind)) for kind in _KINDS)
# A record is a list without names, so an index made for other fields is one of another schema.
SCHEMA_VERSION = zlib.crc32(repr((_SCHEMA, _FIELDS)).encode()) & 0x7FFFFFFF


class What(IntEnum):
    """What a name is the name of."""

    CONSUMER = 0
    EXTERNAL_ID = 1
    ID = 2
    CREDENTIAL = 3
    API_KEY = 4
    REFERRING = 5
    """A consumer one of whose credentials is found by something that is kept elsewhere."""


class Placed(NamedTuple):
    """A consumer, and where it was read, in words for people."""

    source: ConsumerSource
    place: str


class Duplicate(NamedTuple):
    """A name that stands in two places."""

    what: What
    value: str
    first: str
    second: str


def names_of(source: ConsumerSource) -> list[tuple[What, str]]:
    """Everything this consumer and its credentials are found by."""
    consumer = source.consumer
    names = [(What.CONSUMER, consumer.name), (What.ID, consumer.id)]
    if consumer.external_id is not None:
        names.append((What.EXTERNAL_ID, consumer.external_id))
    for credential in source.credentials:
        if credential.refers is None:
            what = What.API_KEY if credential.is_api_key else What.CREDENTIAL
            names.append((what, credential.named or credential.name))
    if any(credential.refers is not None for credential in source.credentials):
        names.append((What.REFERRING, consumer.name))
    return names


def credential_of_name(source: ConsumerSource, name: str) -> CredentialSource | None:
    """The credential of this consumer that tokens name so, or whose API key has this name."""
    named = (each for each in source.credentials if each.refers is None and name == (each.named or each.name))
    return next(named, None)


def _is_known_so(source: ConsumerSource, what: What, value: str) -> bool:
    consumer = source.consumer
    if what in (What.CREDENTIAL, What.API_KEY):
        return credential_of_name(source, value) is not None
    return value == (consumer.name, consumer.external_id, consumer.id)[what]


class ConsumerIndex:
    """One index, not for several threads at once. Every call raises `StoreFailed`."""

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer | None) -> None:
        self._connection = connection
        self._sealer = sealer
        self._counted = (-1, 0)

    @classmethod
    def create(cls, path: Path | None, sealer: Sealer | None) -> ConsumerIndex:
        """A new index in an empty file, or with a path of None in memory."""
        with _translated():
            index = cls(_connected(":memory:" if path is None else str(path)), sealer)
            if path is not None:
                # A file that is being made is of no use to anybody if that ends half-way.
                index._connection.execute("PRAGMA journal_mode = OFF")
                index._connection.execute("PRAGMA synchronous = OFF")
            for statement in (*_SCHEMA, f"PRAGMA user_version = {SCHEMA_VERSION}"):
                index._connection.execute(statement)
            index.set_meta(_NAME, index._sealed(_OPEN))
            return index

    @classmethod
    def open_fixed(cls, path: Path, sealer: Sealer | None) -> ConsumerIndex:
        """The index in a file that nobody writes to any more."""
        # Unchanging, SQLite neither locks nor looks for changes at each read.
        return cls._checked(f"{path.absolute().as_uri()}?mode=ro&immutable=1", sealer)

    @classmethod
    def open(cls, path: Path, sealer: Sealer | None) -> ConsumerIndex:
        """The index in a file that can be changed."""
        index = cls._checked(f"{path.absolute().as_uri()}?mode=rw", sealer)
        with _translated():
            if index._connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                index.close()
                raise StoreFailed("the index is damaged")
            index._connection.execute("PRAGMA journal_mode = WAL")
            # What the power takes away is read again from where it was derived.
            index._connection.execute("PRAGMA synchronous = NORMAL")
        return index

    @classmethod
    def _checked(cls, address: str, sealer: Sealer | None) -> ConsumerIndex:
        with _translated():
            index = cls(_connected(address), sealer)
            try:
                index._check()
            except BaseException:
                index.close()
                raise
            return index

    def _check(self) -> None:
        if self._connection.execute("PRAGMA user_version").fetchone() != (SCHEMA_VERSION,):
            raise StoreFailed("the index was made by another release")
        if self._unsealed(self.meta(_NAME) or b"") != _OPEN:
            raise StoreFailed("the index is sealed; the master key it was sealed with is needed")

    def find(self, what: What, value: str) -> ConsumerSource | None:
        """The consumer known so, or None."""
        # Requests wait for this one, and a context manager costs as much as half the reading.
        try:
            row = self._connection.execute(_FIND, self._kept(what, value)).fetchone()
        except sqlite3.Error as error:
            raise StoreFailed(f"the index failed: {error}") from error
        if row is None:
            return None
        source = _unpacked(self._unsealed(row[0]))
        if not _is_known_so(source, what, value):
            raise StoreFailed("the index is damaged")
        return source

    def referring(self) -> list[ConsumerSource]:
        """The consumers with credentials that are found by something kept elsewhere, in the order of their names."""
        with _translated():
            rows = self._connection.execute(_FIND_ALL, (int(What.REFERRING),)).fetchall()
        return [_unpacked(self._unsealed(value)) for (value,) in rows]

    def knows(self, what: What, value: str) -> bool:
        """Whether somebody is known so."""
        with _translated():
            statement = "SELECT 1 FROM named WHERE what = ? AND value = ?"
            found = self._connection.execute(statement, self._kept(what, value))
            return found.fetchone() is not None

    def names(self, what: What, *, after: str, limit: int, contains: str) -> list[str]:
        """At most `limit` names that hold `contains`, in their order, from behind `after`."""
        statement = (
            "SELECT value FROM named WHERE what = ? AND value > ? AND instr(value, ?) > 0 ORDER BY value LIMIT ?"
        )
        with _translated():
            return [name for (name,) in self._connection.execute(statement, (what, after, contains, limit))]

    def count(self) -> int:
        """How many consumers there are. They are counted when they have changed, which takes a while for very many."""
        with _translated():
            changes = self._connection.total_changes
            if self._counted[0] != changes:
                counted = self._connection.execute("SELECT count(*) FROM named WHERE what = ?", (int(What.CONSUMER),))
                self._counted = (changes, int(counted.fetchone()[0]))
        return self._counted[1]

    def insert(self, source: ConsumerSource) -> None:
        """Add a consumer. A name that is taken already goes on meaning who it meant."""
        with _translated():
            row = self._connection.execute("INSERT INTO consumer (value) VALUES (?)", (self._packed(source),))
            names = [(*self._kept(*name), row.lastrowid) for name in names_of(source)]
            self._connection.executemany("INSERT OR IGNORE INTO named VALUES (?, ?, ?)", names)

    def delete(self, name: str) -> None:
        """Delete the consumer of this name, if there is one."""
        with _translated():
            rows = self._connection.execute(_DELETE, (name,)).fetchall()
            for number, value in rows:
                known = names_of(_unpacked(self._unsealed(value)))
                names = ((*self._kept(*name), number) for name in known)
                self._connection.executemany("DELETE FROM named WHERE what = ? AND value = ? AND consumer = ?", names)

    def load(self, placed: Iterable[Placed]) -> tuple[Duplicate, ...]:
        """Add very many consumers to an empty index; some of the names that stand twice, the first having won.

        Names are put in order first, since a tree that is filled at random places is filled slowly.
        """
        with self.transaction() as connection:
            connection.execute("CREATE TEMP TABLE incoming (what INTEGER, value TEXT, consumer INTEGER, place TEXT)")
            numbered = enumerate(placed)
            while batch := list(islice(numbered, _BATCH)):
                rows = ((number, self._packed(source)) for number, (source, _) in batch)
                connection.executemany("INSERT INTO consumer VALUES (?, ?)", rows)
                named = ((name, number, at) for number, (source, at) in batch for name in names_of(source))
                names = ((*self._kept(*name), number, at) for name, number, at in named)
                connection.executemany("INSERT INTO incoming VALUES (?, ?, ?, ?)", names)
            ordered = "SELECT what, value, consumer FROM incoming ORDER BY what, value, consumer"
            taken = connection.execute(f"INSERT OR IGNORE INTO named {ordered}").rowcount
            (given,) = connection.execute("SELECT count(*) FROM incoming").fetchone()
            duplicates = () if taken == given else _duplicates(connection)
            connection.execute("DROP TABLE incoming")
        return duplicates

    def meta(self, name: str) -> bytes | None:
        """What was noted about the index under this name."""
        with _translated():
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def set_meta(self, name: str, value: bytes) -> None:
        """Note something about the index."""
        with _translated():
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is done inside happens wholly or not at all."""
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _kept(self, what: What, value: str) -> tuple[int, str]:
        """A name as the index has it."""
        if what is What.API_KEY and self._sealer is not None:
            value = self._sealer.blind(value)
        return int(what), value

    def _packed(self, source: ConsumerSource) -> bytes:
        return self._sealed(json_bytes(members_of(source)))

    def _sealed(self, data: bytes) -> bytes:
        return data if self._sealer is None else self._sealer.seal(data, _NAME, nonce=os.urandom(NONCE_BYTES))

    def _unsealed(self, data: bytes) -> bytes:
        if self._sealer is None:
            return data
        try:
            return self._sealer.unseal(data, _NAME)
        except ValueError as error:
            raise StoreFailed(f"the index cannot be read: {error}") from None


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, isolation_level=None, check_same_thread=False, uri=True)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _duplicates(connection: sqlite3.Connection) -> tuple[Duplicate, ...]:
    repeated = (
        "SELECT what, value FROM incoming GROUP BY what, value HAVING count(*) > 1 ORDER BY min(consumer), what LIMIT ?"
    )
    places = "SELECT place FROM incoming WHERE what = ? AND value = ? ORDER BY consumer LIMIT 2"
    found = []
    for what, value in connection.execute(repeated, (_MOST_DUPLICATES,)).fetchall():
        (first,), (second,) = connection.execute(places, (what, value)).fetchall()
        found.append(Duplicate(What(what), value, first, second))
    return tuple(found)


_KEY_TEXT = attrgetter(*_FIELDS[2])
_KEYS_ADDRESS = attrgetter(*_FIELDS[3])


def members_of(source: ConsumerSource) -> list[JSON]:
    """The record of a consumer as it is kept."""
    consumer = source.consumer
    return [
        consumer.name,
        consumer.id,
        consumer.external_id,
        list(consumer.groups),
        dict(consumer.labels),
        dict(consumer.attributes),
        _limit_members(consumer.rate_limit),
        [_credential_members(each) for each in source.credentials],
    ]


def _credential_members(credential: CredentialSource) -> JSON:
    return [
        *(credential.name, credential.id, credential.alg),
        _key_members(credential.key),
        _key_members(credential.private_key),
        credential.leeway_seconds,
        credential.ttl_seconds,
        credential.key_claim,
        dict(credential.labels),
        credential.named,
        credential.refers,
        credential.is_api_key,
        credential.may_wait,
        dict(credential.claims),
        None if credential.address is None else list(_KEYS_ADDRESS(credential.address)),
    ]


def _limit_members(limit: RateLimit | None) -> JSON:
    """A consumer's limit, whose values are constants."""
    if limit is None:
        return None
    return [limit.requests, limit.window_seconds, limit.by.value, _answer_members(limit.answer), limit.shown]


def _answer_members(answer: Answer | None) -> JSON:
    if answer is None:
        return None
    assert not isinstance(answer.status, Value)  # noqa: S101 - as the document has those of consumers
    assert not isinstance(answer.content_type, Value)  # noqa: S101 - as above
    return [answer.status, None if answer.body is None else answer.body.constant, answer.content_type]


def _limit(requests: int, window_seconds: int, by: str, answer: Any, shown: bool) -> RateLimit:
    said = None
    if answer is not None:
        status, body, content_type = answer
        value = None if body is None else Value(Origin.CONSTANT, constant=body)
        said = Answer(status=status, body=value, content_type=content_type)
    return RateLimit(requests, window_seconds, by=CountedBy(by), answer=said, shown=shown)


def _key_members(text: KeyText | None) -> JSON:
    return None if text is None else list(_KEY_TEXT(text))


def _unpacked(data: bytes) -> ConsumerSource:
    try:
        name, id_, external_id, groups, labels, attributes, limit, credentials = json.loads(data)
        consumer = Consumer(name, id_, external_id, tuple(groups), labels, attributes, limit and _limit(*limit))
        return ConsumerSource(consumer, tuple([_credential(name, *members) for members in credentials]))
    except (ValueError, TypeError) as error:
        raise StoreFailed("the index is damaged") from error


def _credential(consumer: str, name: str, id_: str, alg: str, key: Any, own: Any, *rest: Any) -> CredentialSource:
    *others, address = rest
    others.append(address and KeysAddress(*address))
    return CredentialSource(name, id_, consumer, alg, key and KeyText(*key), own and KeyText(*own), *others)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"the index failed: {error}") from error
