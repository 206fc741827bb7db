from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Append, Entry, Record, StoreConflict, StoreFailed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "state" / "db")
    yield made
    made.close()


def test_a_record_outlives_the_process(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "db")
    first.write("a", b"one", over=0)
    first.write("a", b"two", over=1)
    first.close()
    second = SqliteStore(tmp_path / "db")
    assert second.read("a") == Record(b"two", 2)
    assert second.read("b") is None
    second.close()


def test_two_processes_do_not_lose_each_others_work(tmp_path: Path) -> None:
    one, other = SqliteStore(tmp_path / "db"), SqliteStore(tmp_path / "db")
    one.write("a", b"one", over=0)
    with pytest.raises(StoreConflict):
        other.write("a", b"other", over=0)
    assert other.read("a") == Record(b"one", 1)
    one.close()
    other.close()


def test_any_thread_may_call(store: SqliteStore) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: store.write(f"r{number}", b"x", over=0), range(50)))
    assert all(store.read(f"r{number}") == Record(b"x", 1) for number in range(50))


def test_sec_150_only_the_owner_may_read_any_of_the_files(tmp_path: Path, store: SqliteStore) -> None:
    store.write("a", b"one", over=0)
    files = list((tmp_path / "state").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "db").touch(mode=0o644)
    SqliteStore(tmp_path / "db").close()
    assert stat.S_IMODE((tmp_path / "db").stat().st_mode) == 0o600


def test_a_name_is_never_read_as_sql(store: SqliteStore) -> None:
    name = "'; DROP TABLE record; --"
    store.write(name, b"one", over=0)
    assert store.read(name) == Record(b"one", 1)


def test_a_schema_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "db").close()
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreFailed, match="schema 99"):
        SqliteStore(tmp_path / "db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreFailed):
        SqliteStore(tmp_path / "db")


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.9])
def test_rel_8_a_truncated_file_is_refused_and_left_alone(tmp_path: Path, keep: float) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        for number in range(50):
            store.write(f"a/{number}", b"x" * 1_000, over=0)
    whole = (tmp_path / "db").read_bytes()
    torn = whole[: int(len(whole) * keep)]
    (tmp_path / "db").write_bytes(torn)
    with pytest.raises(StoreFailed):
        SqliteStore(tmp_path / "db")
    assert (tmp_path / "db").read_bytes() == torn


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SqliteStore(tmp_path / "file" / "db")


def test_a_closed_store_fails_in_our_own_words(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "db")
    store.close()
    with pytest.raises(StoreFailed):
        store.read("a")
    with pytest.raises(StoreFailed):
        store.write("a", b"one", over=0)


def test_a_file_of_the_first_schema_keeps_what_it_holds(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as old:
        old.execute(
            "CREATE TABLE record (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL)"
        )
        old.execute("INSERT INTO record VALUES ('keyring/main', ?, 7)", (b"keys",))
        old.execute("PRAGMA user_version = 1")
    with closing(SqliteStore(tmp_path / "db")) as store:
        assert store.read("keyring/main") == Record(b"keys", 7)
        assert store.write_all([Append("log", b"x")]) == (1,)
        store.write("new", b"x", over=0)
        assert store.read("new") == Record(b"x", 1)
    with closing(SqliteStore(tmp_path / "db")) as again:
        assert again.entries("log") == (Entry(1, b"x"),)


def test_versions_and_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        store.write("a", b"one", over=0)
        store.delete("a", over=1)
        store.write_all([Append("log", b"1")])
    with closing(SqliteStore(tmp_path / "db")) as store:
        store.write("a", b"two", over=0)
        assert store.read("a") == Record(b"two", 2)
        assert store.write_all([Append("log", b"2")]) == (2,)


@pytest.mark.parametrize("lost", ["db", "db-wal"])
def test_a_write_into_a_file_nobody_will_find_is_not_acknowledged(tmp_path: Path, lost: str) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        store.write("a", b"one", over=0)
        (tmp_path / lost).rename(tmp_path / "elsewhere")
        with pytest.raises(StoreFailed, match="gone"):
            store.write("a", b"two", over=1)
        assert store.read("a") == Record(b"one", 1)
        (tmp_path / lost).touch()
        with pytest.raises(StoreFailed, match="not the file"):
            store.write("a", b"two", over=1)
        (tmp_path / "elsewhere").rename(tmp_path / lost)
        store.write("a", b"two", over=1)
        assert store.read("a") == Record(b"two", 2)


def test_a_thread_waits_no_longer_than_it_may(store: SqliteStore) -> None:
    with store._lock, pytest.raises(StoreFailed, match="busy"):
        store.read("a")
    assert store.failures == 1
    assert store.read("a") is None


def test_a_store_somebody_is_at_is_not_looked_at(store: SqliteStore) -> None:
    with store._lock:
        store.check_readable()
    assert store.failures == 0


def test_trying_out_whether_it_can_be_written_changes_nothing_and_waits_as_before(store: SqliteStore) -> None:
    store.write("a", b"one", over=0)
    store.delete("a", over=1)
    store.check_writable()
    store.write("a", b"two", over=0)
    assert store.read("a") == Record(b"two", 2)
    assert store._connection.execute("PRAGMA busy_timeout").fetchone() == (2000,)


def kept(folder: Path) -> bytes:
    """All that stands in the files of a store."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("after", [b"sealed", None])
def test_sec_150_what_was_overwritten_or_deleted_stays_in_no_file(
    tmp_path: Path, store: SqliteStore, after: bytes | None
) -> None:
    plain = b"a private key nobody has sealed " * 8
    store.write("a", plain, over=0)
    store.write("b", b"beside it", over=0)
    store.scrub()
    assert plain in kept(tmp_path / "state")
    if after is None:
        store.delete("a", over=1)
    else:
        store.write("a", after, over=1)
    store.scrub()
    assert plain[:32] not in kept(tmp_path / "state")
    assert store.read("b") == Record(b"beside it", 1)
