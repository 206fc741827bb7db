from __future__ import annotations

import logging
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.jose.sealing import Sealer
from jwtgate.state.callers.consumer_index import ConsumerIndex, What
from jwtgate.state.callers.index_files import IndexFiles
from jwtgate.state.stores.store import StoreFailed

from .people import source


def fill(*names: str):
    def filling(index: ConsumerIndex) -> None:
        for name in names:
            index.insert(source(name))

    return filling


def fixed_names(files: IndexFiles) -> list[str] | None:
    index = files.fixed()
    return index and names(index)


def names(index: ConsumerIndex) -> list[str]:
    with closing(index):
        return index.names(What.CONSUMER, after="", limit=10, contains="")


def test_there_is_nothing_at_first(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path / "consumers", None)
    assert files.fixed() is None
    assert files.changing() is None


def test_a_new_index_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path, None)
    for name in ("ann", "bob"):
        assert names(files.put_fixed(files.make(fill(name)))) == [name]
        assert names(files.put_changing(files.make(fill(name)))) == [name]
    again = IndexFiles(tmp_path, None)
    assert fixed_names(again) == ["bob"]
    assert names(again.changing()) == ["bob"]
    assert len(list(tmp_path.glob("document-*"))) == 1


def test_the_same_index_may_be_put_in_place_twice(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path, None)
    for _ in range(2):
        files.put_fixed(files.make(fill("ann"))).close()
    assert fixed_names(files) == ["ann"]


def test_an_index_that_cannot_be_filled_leaves_nothing(tmp_path: Path) -> None:
    def failing(index: ConsumerIndex) -> None:
        with index.transaction():
            index.insert(source("ann"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        IndexFiles(tmp_path, None).make(failing)
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_unfinished_is_removed(tmp_path: Path) -> None:
    IndexFiles(tmp_path, None).make(fill("ann"))
    (tmp_path / "other.new").touch()
    assert fixed_names(IndexFiles(tmp_path, None)) is None
    assert list(tmp_path.iterdir()) == []


def test_rel_8_any_flipped_bit_is_noticed_and_the_file_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = IndexFiles(tmp_path, None)
    files.put_fixed(files.make(fill("ann"))).close()
    (path,) = tmp_path.glob("document-*")
    data = bytearray(path.read_bytes())
    data[data.index(b"id-of-ann")] ^= 1
    path.write_bytes(data)
    with caplog.at_level(logging.ERROR):
        assert files.fixed() is None
    assert "set aside" in caplog.text
    assert [each.name for each in tmp_path.iterdir()] == ["document.unusable"]


def test_rel_8_before_a_damaged_one_an_older_whole_one_is_used(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path, None)
    files.put_fixed(files.make(fill("ann"))).close()
    (path,) = tmp_path.glob("document-*")
    os.utime(path, (1, 1))
    (tmp_path / "document-0.sqlite").write_bytes(b"torn")
    assert fixed_names(files) == ["ann"]


@pytest.mark.parametrize("damage", [b"", b"torn", b"x" * 10_000])
def test_rel_8_a_damaged_index_of_the_store_is_set_aside_with_its_log(tmp_path: Path, damage: bytes) -> None:
    files = IndexFiles(tmp_path, None)
    files.put_changing(files.make(fill("ann"))).close()
    (tmp_path / "store.sqlite").write_bytes(damage)
    (tmp_path / "store.sqlite-wal").write_bytes(b"of the damaged one")
    assert files.changing() is None
    assert [each.name for each in tmp_path.iterdir()] == ["store.unusable"]
    assert names(files.put_changing(files.make(fill("bob")))) == ["bob"]


def test_an_index_that_cannot_be_unsealed_is_set_aside(tmp_path: Path) -> None:
    sealed = IndexFiles(tmp_path, Sealer(b"m" * 32))
    sealed.put_fixed(sealed.make(fill("ann"))).close()
    sealed.put_changing(sealed.make(fill("ann"))).close()
    other = IndexFiles(tmp_path, Sealer(b"o" * 32))
    assert other.fixed() is None
    assert other.changing() is None


def test_sec_150_only_the_owner_may_read_any_of_the_files(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path / "consumers", None)
    files.put_fixed(files.make(fill("ann"))).close()
    with closing(files.put_changing(files.make(fill("ann")))) as index:
        index.insert(source("bob"))
        files.make(fill("cid"))
        found = list((tmp_path / "consumers").iterdir())
        assert len(found) == 5
        assert {stat.S_IMODE(file.stat().st_mode) for file in found} == {0o600}
    assert stat.S_IMODE((tmp_path / "consumers").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_used_is_a_failure_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="cannot be used"):
        IndexFiles(tmp_path / "file" / "consumers", None)
