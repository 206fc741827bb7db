"""The last documents that worked survive whatever happens to the disk."""

from pathlib import Path

import pytest

from jwtgate.control.last_good import LastGood, Text

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
    from jwtgate.state.saved import write_saved

    kept = LastGood(tmp_path)
    kept.write(FIRST)
    write_saved(copies(tmp_path) / "document", head + b"\nrest")
    assert kept.read() == FIRST
    assert kept.read() == FIRST


def test_two_foreign_copies_are_no_copy(tmp_path: Path) -> None:
    from jwtgate.state.saved import write_saved

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


def test_the_text_is_not_shown() -> None:
    assert "SECRET" not in repr(FIRST)
