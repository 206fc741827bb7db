"""Documents that change are noticed once they have settled, and the last that worked survive the disk."""

import os
from pathlib import Path

import pytest

from jwtgate.control.documents import LastGood, Text, Watched, WatchedFiles, read_document
from jwtgate.errors import ConfigError
from jwtgate.jose.sealing import Sealer
from jwtgate.state.file_marks import mark_of
from jwtgate.state.saved import write_saved

FIRST = Text("jwtgate.yaml", b"routes: ${env:SECRET}\n")
SECOND = Text("jwtgate.json", b"{}")
THIRD = Text("jwtgate.yaml", b"")


def copies(folder: Path) -> Path:
    return folder / "last-good"


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    assert LastGood(tmp_path).read() is None


@pytest.mark.parametrize("text", [FIRST, SECOND, THIRD, Text("x", b"\n\n\x00\xff")])
def test_rel_7_what_was_written_last_is_read_with_its_name(tmp_path: Path, text: Text) -> None:
    LastGood(tmp_path).write(Text("before", b"before"))
    LastGood(tmp_path).write(text)
    assert LastGood(tmp_path).read() == text


def test_rel_7_the_text_is_written_as_it_was_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    LastGood(tmp_path).write(FIRST)
    (copy,) = copies(tmp_path).iterdir()
    assert copy.read_bytes().endswith(FIRST.data)
    assert copy.stat().st_mode & 0o077 == 0


def damage_by_truncation(data: bytes) -> bytes:
    return data[:-1]


def damage_by_one_bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def damage_of_the_name(data: bytes) -> bytes:
    return data.replace(b".json", b".yaml")


def nothing_left(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [damage_by_truncation, damage_by_one_bit, damage_of_the_name, nothing_left])
def test_rel_8_a_damaged_copy_is_set_aside_and_the_previous_one_used(tmp_path: Path, damage: object) -> None:
    kept = LastGood(tmp_path)
    kept.write(FIRST)
    kept.write(SECOND)
    newest = copies(tmp_path) / "document"
    newest.write_bytes(damage(newest.read_bytes()))  # type: ignore[operator]
    assert kept.read() == FIRST
    assert [path.name for path in copies(tmp_path).glob("*.damaged")] == ["document.damaged"]


@pytest.mark.parametrize("head", [b'{"version": 99, "name": "x"}', b'{"version": 1}', b"[]", b"no json"])
def test_rel_8_a_sound_copy_of_another_layout_is_set_aside_too(tmp_path: Path, head: bytes) -> None:
    kept = LastGood(tmp_path)
    kept.write(FIRST)
    write_saved(copies(tmp_path) / "document", head + b"\nrest")
    assert kept.read() == FIRST
    assert kept.read() == FIRST


def test_two_foreign_copies_are_no_copy(tmp_path: Path) -> None:
    for _ in range(2):
        write_saved(copies(tmp_path) / "document", b"[]\n")
    assert LastGood(tmp_path).read() is None


def test_writing_the_same_text_again_keeps_the_one_before_it(tmp_path: Path) -> None:
    kept = LastGood(tmp_path)
    kept.write(FIRST)
    kept.write(SECOND)
    kept.write(SECOND)
    (copies(tmp_path) / "document").write_bytes(b"damaged")
    assert kept.read() == FIRST


def test_sec_150_a_sealed_copy_is_read_with_its_secret_alone_and_under_its_name(tmp_path: Path) -> None:
    sealer, other = Sealer(b"a" * 32), Sealer(b"b" * 32)
    LastGood(tmp_path, "one", sealer=sealer).write(FIRST)
    held = (tmp_path / "last-good" / "one").read_bytes()
    assert FIRST.data not in held
    assert LastGood(tmp_path, "one", sealer=sealer).read() == FIRST
    (tmp_path / "last-good" / "two").write_bytes(held)
    assert LastGood(tmp_path, "two", sealer=sealer).read() is None
    assert LastGood(tmp_path, "one", sealer=other).read() is None


def test_the_text_is_not_shown() -> None:
    assert "SECRET" not in repr(FIRST)


def looks(watched: Watched, times: int) -> list[bool]:
    return [watched.changed() for _ in range(times)]


def test_a_file_nobody_touched_has_not_changed(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    assert looks(Watched(tmp_path / "d"), 3) == [False, False, False]


def test_a_file_written_anew_has_changed_once_and_only_when_it_has_settled(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").write_text("ab")
    assert looks(watched, 1) == [False]
    (tmp_path / "d").write_text("abc")
    assert looks(watched, 3) == [False, True, False]


def test_a_file_of_the_same_size_and_time_in_its_place_is_another_file(tmp_path: Path) -> None:
    for name in ("d", "e"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1, 1))
    watched = Watched(tmp_path / "d")
    (tmp_path / "e").replace(tmp_path / "d")
    assert looks(watched, 2) == [False, True]


def test_a_file_that_is_gone_has_not_changed_until_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").unlink()
    assert looks(watched, 2) == [False, False]
    (tmp_path / "d").write_text("abc")
    assert looks(watched, 2) == [False, True]


def test_a_change_that_was_taken_for_another_reason_is_no_change(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").write_text("a")
    watched.take()
    assert looks(watched, 2) == [False, False]


def test_a_document_is_read_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_bytes(b"x")
    assert read_document(tmp_path / "d.toml") == Text("d.toml", b"x")


def test_a_document_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_document(tmp_path / "none")


def changes(watched: WatchedFiles, read: dict[Path, tuple[int, int, int] | None], times: int = 3) -> list[bool]:
    return [watched.changed(read) for _ in range(times)]


def test_a_file_that_was_read_is_told_of_once_when_it_has_changed_and_settled(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("one")
    read = {path: mark_of(path) for path in tmp_path.iterdir()}
    watched = WatchedFiles()
    assert changes(watched, read) == [False, False, False]
    (tmp_path / "b").write_text("another")
    assert changes(watched, read) == [False, True, False]
    (tmp_path / "b").write_text("yet another")
    assert changes(watched, read) == [False, True, False]


def test_a_file_that_changed_after_it_was_read_and_before_it_was_watched_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    read = {tmp_path / "a": mark_of(tmp_path / "a")}
    (tmp_path / "a").write_text("another")
    assert changes(WatchedFiles(), read) == [False, True, False]


def test_a_file_that_is_gone_is_being_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    read = {tmp_path / "a": mark_of(tmp_path / "a"), tmp_path / "never": None}
    watched = WatchedFiles()
    (tmp_path / "a").unlink()
    assert changes(watched, read) == [False, False, False]
    (tmp_path / "a").write_text("another")
    assert changes(watched, read) == [False, True, False]


def test_what_the_next_generation_read_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    read = {tmp_path / "a": mark_of(tmp_path / "a")}
    watched = WatchedFiles()
    (tmp_path / "a").write_text("another")
    assert changes(watched, read) == [False, True, False]
    (tmp_path / "a").write_text("yet another")
    watched.take()
    read = {tmp_path / "a": mark_of(tmp_path / "a")}
    assert changes(watched, read) == [False, False, False]
