from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jwtgate.state.saved import read_saved, set_aside, write_saved


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    for data in (b"one", b"", b"two\n\n"):
        write_saved(tmp_path / "f", data)
        assert read_saved(tmp_path / "f") == data


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    assert read_saved(tmp_path / "f") is None


def test_sec_150_only_the_owner_may_read(tmp_path: Path) -> None:
    write_saved(tmp_path / "sub" / "f", b"one")
    assert stat.S_IMODE((tmp_path / "sub" / "f").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "sub").stat().st_mode) == 0o700


def test_a_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_saved(tmp_path / "f", b"one")
    assert names(tmp_path) == ["f"]
    write_saved(tmp_path / "f", b"two")
    assert names(tmp_path) == ["f", "f.previous"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_saved(tmp_path / "f", b"one")
    (tmp_path / "f.previous").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_saved(tmp_path / "f", b"two")
    assert read_saved(tmp_path / "f") == b"one"
    assert names(tmp_path) == ["f", "f.previous"]


@pytest.mark.parametrize("place", [0, 10, 64, 65, -1])
def test_rel_70_a_flipped_bit_anywhere_means_the_previous_copy(tmp_path: Path, place: int) -> None:
    write_saved(tmp_path / "f", b"one")
    write_saved(tmp_path / "f", b"two")
    data = bytearray((tmp_path / "f").read_bytes())
    data[place] ^= 1
    (tmp_path / "f").write_bytes(data)
    assert read_saved(tmp_path / "f") == b"one"
    assert names(tmp_path) == ["f.damaged", "f.previous"]


@pytest.mark.parametrize("length", [0, 30, 64, 65, 67])
def test_rel_70_a_truncated_file_means_the_previous_copy(tmp_path: Path, length: int) -> None:
    write_saved(tmp_path / "f", b"one")
    write_saved(tmp_path / "f", b"two")
    (tmp_path / "f").write_bytes((tmp_path / "f").read_bytes()[:length])
    assert read_saved(tmp_path / "f") == b"one"


def test_rel_8_when_both_copies_are_damaged_there_is_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("f", "f.previous"):
        (tmp_path / name).write_bytes(b"rubbish")
    assert read_saved(tmp_path / "f") is None
    assert names(tmp_path) == ["f.damaged", "f.previous.damaged"]
    assert len(caplog.records) == 2


def test_a_crash_between_the_two_renames_leaves_the_previous_copy(tmp_path: Path) -> None:
    write_saved(tmp_path / "f", b"one")
    (tmp_path / "f").replace(tmp_path / "f.previous")
    assert read_saved(tmp_path / "f") == b"one"


def test_a_file_set_aside_is_not_read_again(tmp_path: Path) -> None:
    write_saved(tmp_path / "f", b"one")
    set_aside(tmp_path / "f")
    assert read_saved(tmp_path / "f") is None
