from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from jwtgate.state.stores.store import MemoryStore, Record, Store, StoreConflict


def add_one(store: Store) -> None:
    while True:
        record = store.read("count") or Record(b"0", 0)
        try:
            store.write("count", b"%d" % (int(record.value) + 1), over=record.version)
        except StoreConflict:
            continue
        return


def test_a_record_is_read_as_it_was_written() -> None:
    store = MemoryStore()
    assert store.read("a") is None
    store.write("a", b"one", over=0)
    assert store.read("a") == Record(b"one", 1)
    store.write("a", b"two", over=1)
    assert store.read("a") == Record(b"two", 2)
    assert store.read("b") is None
    store.close()


@pytest.mark.parametrize("over", [0, 2])
def test_a_record_is_written_only_over_the_version_that_was_read(over: int) -> None:
    store = MemoryStore()
    store.write("a", b"one", over=0)
    with pytest.raises(StoreConflict):
        store.write("a", b"two", over=over)
    assert store.read("a") == Record(b"one", 1)


def test_a_record_that_is_not_there_is_not_written_over() -> None:
    with pytest.raises(StoreConflict):
        MemoryStore().write("a", b"one", over=1)


def test_many_writers_lose_nothing() -> None:
    store = MemoryStore()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: add_one(store), range(200)))
    assert store.read("count") == Record(b"200", 200)
