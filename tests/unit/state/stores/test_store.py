from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Append, Change, Entry, MemoryStore, Record, Store, StoreConflict, Write


def add_one(store: Store) -> None:
    while True:
        record = store.read("count") or Record(b"0", 0)
        try:
            store.write("count", b"%d" % (int(record.value) + 1), over=record.version)
        except StoreConflict:
            continue
        return


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "db")
    yield made
    made.close()


def test_a_record_is_read_as_it_was_written(store: Store) -> None:
    assert store.read("a") is None
    store.write("a", b"one", over=0)
    assert store.read("a") == Record(b"one", 1)
    store.write("a", b"two", over=1)
    assert store.read("a") == Record(b"two", 2)
    assert store.read("b") is None


@pytest.mark.parametrize("over", [0, 2])
def test_a_record_is_written_only_over_the_version_that_was_read(store: Store, over: int) -> None:
    store.write("a", b"one", over=0)
    with pytest.raises(StoreConflict):
        store.write("a", b"two", over=over)
    assert store.read("a") == Record(b"one", 1)


def test_a_record_that_is_not_there_is_not_written_over(store: Store) -> None:
    with pytest.raises(StoreConflict):
        store.write("a", b"one", over=1)
    assert store.read("a") is None


def test_writers_at_the_same_time_do_not_lose_each_others_work(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: add_one(store), range(100)))
    assert store.read("count") == Record(b"100", 100)


def test_a_deleted_record_is_gone(store: Store) -> None:
    store.write("a/1", b"one", over=0)
    store.delete("a/1", over=1)
    assert store.read("a/1") is None
    assert store.names("a/") == ()


@pytest.mark.parametrize("over", [0, 2])
def test_a_record_is_deleted_only_at_the_version_that_was_read(store: Store, over: int) -> None:
    store.write("a", b"one", over=0)
    with pytest.raises(StoreConflict):
        store.delete("a", over=over)
    assert store.read("a") == Record(b"one", 1)


def test_a_record_made_again_never_has_a_version_it_had_before(store: Store) -> None:
    store.write("a", b"one", over=0)
    store.write("a", b"two", over=1)
    store.delete("a", over=2)
    store.write("a", b"three", over=0)
    assert store.read("a") == Record(b"three", 3)
    with pytest.raises(StoreConflict):
        store.write("a", b"stale", over=2)


def test_names_come_in_order_and_only_from_below_their_prefix(store: Store) -> None:
    for name in ("a/z", "a/é", "a/b/c", "a0", "a", "b/a"):
        store.write(name, name.encode(), over=0)
    assert store.names("a/") == ("a/b/c", "a/z", "a/é")
    assert store.names("b/") == ("b/a",)
    assert store.names("c/") == ()


def test_records_are_read_a_page_at_a_time(store: Store) -> None:
    for number in range(5):
        store.write(f"a/{number}", b"%d" % number, over=0)
    first = store.records("a/", limit=2)
    assert first == (("a/0", Record(b"0", 1)), ("a/1", Record(b"1", 1)))
    assert store.names("a/", after=first[-1][0], limit=2) == ("a/2", "a/3")
    assert store.names("a/", after="a/4") == ()


def test_changes_that_belong_together_happen_together(store: Store) -> None:
    store.write("a", b"one", over=0)
    made = store.write_all([Write("a", b"two", 1), Write("b", b"new", 0), Append("log", b"entry")])
    assert made == (2, 1, 1)
    assert store.write_all([Write("a", None, 2), Append("log", b"more")]) == (0, 2)
    assert (store.read("a"), store.read("b")) == (None, Record(b"new", 1))


@pytest.mark.parametrize("wrong", [Write("b", b"two", 1), Write("c", None, 1), Append("log", b"x", over=4)])
def test_of_changes_that_belong_together_none_happens_when_one_cannot(store: Store, wrong: Change) -> None:
    store.write("a", b"one", over=0)
    with pytest.raises(StoreConflict):
        store.write_all([Write("a", None, 1), Write("x", b"x", 0), Append("log", b"entry"), wrong])
    assert store.read("a") == Record(b"one", 1)
    assert store.read("x") is None
    assert store.last("log") == 0
    store.write("new", b"x", over=0)
    assert store.read("new") == Record(b"x", 1)


def test_the_entries_of_a_log_are_numbered_and_stay(store: Store) -> None:
    assert store.write_all([Append("log", b"%d" % number) for number in range(3)]) == (1, 2, 3)
    assert store.write_all([Append("other", b"x")]) == (1,)
    assert store.entries("log", after=1) == (Entry(2, b"1"), Entry(3, b"2"))
    assert store.entries("log", limit=1) == (Entry(1, b"0"),)
    assert store.entries("log", after=3) == ()
    assert (store.last("log"), store.last("none")) == (3, 0)


def test_of_a_log_no_more_is_kept_than_is_asked_for(store: Store) -> None:
    for number in range(5):
        store.write_all([Append("log", b"%d" % number, keep=2)])
    assert store.entries("log") == (Entry(4, b"3"), Entry(5, b"4"))
    assert store.write_all([Append("log", b"5")]) == (6,)


def test_an_entry_follows_the_one_its_writer_read(store: Store) -> None:
    assert store.write_all([Append("log", b"1", over=0)]) == (1,)
    with pytest.raises(StoreConflict):
        store.write_all([Append("log", b"2", over=0)])
    assert store.write_all([Append("log", b"2", over=1)]) == (2,)


def test_nothing_that_is_kept_is_shown_by_accident() -> None:
    shown = repr((Record(b"hush", 1), Entry(1, b"hush"), Write("a", b"hush", 0), Append("log", b"hush")))
    assert "hush" not in shown
