"""A file that was replaced or written to is told from the one before."""

import os
from pathlib import Path

from jwtgate.state.file_marks import mark_of


def test_a_mark_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    first = mark_of(path)
    assert first == mark_of(path)
    os.utime(path, ns=(1, 1))
    second = mark_of(path)
    (tmp_path / "b").write_text("one")
    (tmp_path / "b").replace(path)
    os.utime(path, ns=(1, 1))
    assert len({first, second, mark_of(path)}) == 3


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    assert mark_of(tmp_path / "a") is None
    assert mark_of(Path("a\0b")) is None
