"""A store that fails is away until it can be written again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import MemoryStore, StoreConflict, StoreFailed
from jwtgate.state.stores.watch import StoreWatch


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "db")) as made:
        yield made


def test_a_store_nobody_had_trouble_with_is_there(store: SqliteStore) -> None:
    for each in (store, MemoryStore()):
        watch = StoreWatch(each)
        each.write("a", b"one", over=0)
        with pytest.raises(StoreConflict):
            each.write("a", b"two", over=0)
        assert watch.look() is None


@pytest.mark.parametrize("lost", ["db", "db-wal"])
def test_sec_76_a_file_that_is_gone_is_noticed_before_anybody_needs_it(
    store: SqliteStore, tmp_path: Path, lost: str
) -> None:
    watch = StoreWatch(store)
    (tmp_path / lost).rename(tmp_path / "elsewhere")
    assert "is gone" in str(watch.look())
    assert "is gone" in str(watch.look())
    (tmp_path / "elsewhere").rename(tmp_path / lost)
    assert watch.look() is None


def test_sec_76_a_store_that_failed_somebody_is_away_until_it_can_be_written(
    store: SqliteStore, tmp_path: Path
) -> None:
    watch = StoreWatch(store)
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert watch.look() is None  # nobody has missed it
        with pytest.raises(StoreFailed):
            store.write("a", b"one", over=0)
        for _ in range(2):
            assert watch.look() == "the database failed: database is locked"
            assert store.read("a") is None
        other.execute("ROLLBACK")
    assert watch.look() is None
    assert watch.look() is None
    assert store.failures == 3
