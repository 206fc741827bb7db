"""The store in a file: SQLite with a write-ahead log, readable by its owner only (SEC-150)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jwtgate.state.stores.store import (
    USUAL_PAGE,
    Append,
    Change,
    Entry,
    Record,
    Store,
    StoreConflict,
    StoreFailed,
    Write,
)

SCHEMA_VERSION = 2
_BUSY_SECONDS, _TRIAL_SECONDS = 2.0, 0.2
# What leads from each version of the schema to the next one.
_STEPS = (
    (
        """
        CREATE TABLE record (
          name TEXT PRIMARY KEY NOT NULL,
          value BLOB NOT NULL,
          version INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE entry (
          log TEXT NOT NULL,
          number INTEGER NOT NULL,
          value BLOB NOT NULL,
          PRIMARY KEY (log, number)
        ) STRICT, WITHOUT ROWID
        """,
        # A new record starts above every version that was deleted, so that none is met twice under one name.
        "CREATE TABLE deleted (greatest_version INTEGER NOT NULL) STRICT",
        "INSERT INTO deleted VALUES (0)",
    ),
)

_BELOW = "FROM record WHERE name > ?1 AND name < ?2 AND name > ?3 ORDER BY name LIMIT ?4"


class SqliteStore(Store):
    """The store in one file. A call waits at most two seconds for another thread, and for another process."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when it is not there. Raises `StoreFailed`."""
        self._lock = threading.Lock()
        self._files = (path, path.with_name(f"{path.name}-wal"))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its log files the mode of the database, so setting this one settles all three.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise StoreFailed(f"{path} cannot be opened: {error.strerror}") from error
        with _translated():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
            self._opened = self._identities()
        except StoreFailed:
            self._connection.close()
            raise

    def read(self, name: str) -> Record | None:
        """The record of this name, or None. Raises `StoreFailed`."""
        rows = self._rows("SELECT value, version FROM record WHERE name = ?", name)
        return Record(*rows[0]) if rows else None

    def records(self, prefix: str, *, after: str = "", limit: int = USUAL_PAGE) -> tuple[tuple[str, Record], ...]:
        """The records below `prefix`, in the order of their names. Raises `StoreFailed`."""
        rows = self._rows(f"SELECT name, value, version {_BELOW}", prefix, _end(prefix), after, limit)
        return tuple((name, Record(value, version)) for name, value, version in rows)

    def names(self, prefix: str, *, after: str = "", limit: int | None = None) -> tuple[str, ...]:
        """The names of the same records. Raises `StoreFailed`."""
        every = -1 if limit is None else limit
        return tuple(name for (name,) in self._rows(f"SELECT name {_BELOW}", prefix, _end(prefix), after, every))

    def entries(self, log: str, *, after: int = 0, limit: int = USUAL_PAGE) -> tuple[Entry, ...]:
        """The entries of a log behind this number. Raises `StoreFailed`."""
        statement = "SELECT number, value FROM entry WHERE log = ? AND number > ? ORDER BY number LIMIT ?"
        return tuple(Entry(*row) for row in self._rows(statement, log, after, limit))

    def last(self, log: str) -> int:
        """The number of the latest entry, 0 for none. Raises `StoreFailed`."""
        ((number,),) = self._rows("SELECT coalesce(max(number), 0) FROM entry WHERE log = ?", log)
        return int(number)

    def write_all(self, changes: Sequence[Change]) -> tuple[int, ...]:
        """Make all these changes or none. Raises `StoreConflict`, `StoreFailed`."""
        with self._transaction():
            return tuple(
                self._write(change) if isinstance(change, Write) else self._append(change) for change in changes
            )

    def check_readable(self) -> None:
        """Nothing, as long as the file is there and can be read. `StoreFailed`."""
        if not self._lock.locked():  # whoever is at it finds out
            with self._held():
                self._connection.execute("SELECT greatest_version FROM deleted").fetchone()
                self._check_files()

    def check_writable(self) -> None:
        """Nothing, as long as the file can be written; another process is waited for a moment only. `StoreFailed`."""
        with self._held():
            self._wait_at_most(_TRIAL_SECONDS)
            try:
                with self._begun():
                    self._connection.execute("UPDATE deleted SET greatest_version = greatest_version")
            finally:
                self._wait_at_most(_BUSY_SECONDS)

    def scrub(self) -> None:
        """Empty the log, in which earlier values stand; while somebody else reads them, it stays as it is."""
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with self._held():
            self._connection.close()

    def _write(self, change: Write) -> int:
        if change.value is None:
            return self._delete(change)
        statement = (
            "UPDATE record SET value = ?2, version = version + 1 WHERE name = ?1 AND version = ?3 RETURNING version"
            if change.over
            else "INSERT INTO record SELECT ?1, ?2, greatest_version + 1 FROM deleted WHERE ?3 = 0"
            " ON CONFLICT DO NOTHING RETURNING version"
        )
        written = self._connection.execute(statement, (change.name, change.value, change.over)).fetchone()
        if written is None:
            raise StoreConflict(change.name)
        return int(written[0])

    def _delete(self, change: Write) -> int:
        which = (change.name, change.over)
        if not self._connection.execute("DELETE FROM record WHERE name = ? AND version = ?", which).rowcount:
            raise StoreConflict(change.name)
        self._connection.execute("UPDATE deleted SET greatest_version = max(greatest_version, ?)", which[1:])
        return 0

    def _append(self, change: Append) -> int:
        statement = (
            "INSERT INTO entry SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM entry WHERE log = ?1 RETURNING number"
        )
        (number,) = self._connection.execute(statement, (change.log, change.value)).fetchone()
        if change.over not in (None, number - 1):
            raise StoreConflict(change.log)
        if change.keep is not None:
            outdated = "DELETE FROM entry WHERE log = ? AND number <= ?"
            self._connection.execute(outdated, (change.log, number - change.keep))
        return int(number)

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._held():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_BUSY_SECONDS):
            self.failures += 1
            raise StoreFailed("the database is busy")
        try:
            with _translated():
                yield
        except StoreConflict:
            raise
        except StoreFailed:
            self.failures += 1
            raise
        finally:
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._held(), self._begun():
            yield

    @contextmanager
    def _begun(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._check_files()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _wait_at_most(self, seconds: float) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _check_files(self) -> None:
        # SQLite goes on in a file that was moved or deleted, where nobody will find what it acknowledged.
        if self._identities() != self._opened:
            raise StoreFailed(f"{self._files[0]} is not the file that was opened any more")

    def _identities(self) -> tuple[tuple[int, int], ...]:
        try:
            statuses = [path.stat() for path in self._files]
        except OSError as error:
            raise StoreFailed(f"{error.filename} is gone: {error.strerror}") from error
        return tuple((status.st_dev, status.st_ino) for status in statuses)

    def _prepare(self) -> None:
        with _translated():
            if self._connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise StoreFailed("the database is damaged")
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A record that was sealed or deleted must not stay in free pages as it was.
            self._connection.execute("PRAGMA secure_delete = ON")
            # A key that was published must not be forgotten when the power fails.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise StoreFailed(f"the database has schema {version}; this release knows {SCHEMA_VERSION}")
            for statement in (statement for step in _STEPS[version:] for statement in step):
                self._connection.execute(statement)
            if version < SCHEMA_VERSION:
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._connection.execute("COMMIT")


def _end(prefix: str) -> str:
    """The least text behind everything that starts with this prefix, which ends with a slash."""
    return f"{prefix[:-1]}0"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"the database failed: {error}") from error
