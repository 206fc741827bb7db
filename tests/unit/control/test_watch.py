"""A document that is written anew, or replaced, is noticed once."""

import os
from pathlib import Path

from jwtgate.control.watch import Watched


def test_a_file_nobody_touched_has_not_changed(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    watched = Watched(tmp_path / "d")
    assert not watched.changed()


def test_a_file_written_anew_has_changed_once(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").write_text("ab")
    assert [watched.changed(), watched.changed()] == [True, False]


def test_a_file_of_the_same_size_and_time_in_its_place_is_another_file(tmp_path: Path) -> None:
    for name in ("d", "e"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1, 1))
    watched = Watched(tmp_path / "d")
    (tmp_path / "e").replace(tmp_path / "d")
    assert watched.changed()


def test_a_file_that_is_gone_has_not_changed_until_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a")
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").unlink()
    assert not watched.changed()
    (tmp_path / "d").write_text("abc")
    assert watched.changed()


def test_a_file_that_appears_has_changed(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "d")
    (tmp_path / "d").write_text("a")
    assert watched.changed()
