"""The store in a file: SQLite with a write-ahead log, readable by its owner only (SEC-150)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jwtgate.state.stores.store import Record, StoreConflict, StoreFailed

SCHEMA_VERSION = 1
_BUSY_SECONDS = 2.0
_SCHEMA = """
CREATE TABLE record (
  name TEXT PRIMARY KEY NOT NULL,
  value BLOB NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""


class SqliteStore:
    """Records in one file. Calls wait for one another, and at most two seconds for another process."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when it is not there. Raises `StoreFailed`."""
        self._lock = threading.Lock()
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
        except StoreFailed:
            self._connection.close()
            raise

    def read(self, name: str) -> Record | None:
        """The record of this name, or None. Raises `StoreFailed`."""
        with self._lock, _translated():
            row = self._connection.execute("SELECT value, version FROM record WHERE name = ?", (name,)).fetchone()
        return None if row is None else Record(*row)

    def write(self, name: str, value: bytes, *, over: int) -> None:
        """Write over this version, 0 where there is none yet. Raises `StoreConflict`, `StoreFailed`."""
        statement = (
            "UPDATE record SET value = ?2, version = version + 1 WHERE name = ?1 AND version = ?3"
            if over
            else "INSERT INTO record (name, value, version) VALUES (?1, ?2, ?3 + 1) ON CONFLICT DO NOTHING"
        )
        with self._lock, _translated():
            written = self._connection.execute(statement, (name, value, over)).rowcount
        if not written:
            raise StoreConflict(name)

    def close(self) -> None:
        """Close the file."""
        with self._lock, _translated():
            self._connection.close()

    def _prepare(self) -> None:
        with _translated():
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A key that was published must not be forgotten when the power fails.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._connection.execute(_SCHEMA)
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._connection.execute("COMMIT")
        if version not in (0, SCHEMA_VERSION):
            raise StoreFailed(f"the database has schema {version}; this release knows {SCHEMA_VERSION}")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"the database failed: {error}") from error
