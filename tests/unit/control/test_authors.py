"""A file's author writes what is in it, and tells of changes once they are whole."""

import os
from pathlib import Path

import pytest

from jwtgate.control.authors import TRY_SECONDS, FileAuthor, LateAuthor
from jwtgate.control.documents import Text
from jwtgate.errors import ConfigError


def test_what_is_written_is_what_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"listen: x")
    assert FileAuthor(path).written() == Text("gate.yaml", b"listen: x")


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        FileAuthor(tmp_path / "gate.yaml").written()


def test_a_change_is_told_of_when_it_has_stood_for_a_look(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"one")
    author = FileAuthor(path)
    author.written()
    assert not author.changed()
    path.write_bytes(b"two, and longer")
    assert [author.changed(), author.changed(), author.changed()] == [False, True, False]


def test_what_was_written_again_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"one")
    author = FileAuthor(path)
    path.write_bytes(b"two, and longer")
    os.utime(path, (1, 1))
    author.written()
    assert [author.changed(), author.changed()] == [False, False]


class Attempts:
    """An author who can begin only from an attempt on."""

    def __init__(self, path: Path, *, fails: int) -> None:
        self.path, self.fails = path, fails

    def __call__(self) -> FileAuthor:
        self.fails -= 1
        if self.fails >= 0:
            raise ConfigError("still not there")
        return FileAuthor(self.path)


def test_rel_7_who_cannot_begin_says_why_and_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"one")
    late = LateAuthor(Attempts(path, fails=1), ConfigError("not there"))
    assert not late.changed()
    for sentence in ("not there", "still not there"):
        with pytest.raises(ConfigError, match=f"^{sentence}"):
            late.written()
    assert late.written() == Text("gate.yaml", b"one")
    assert late.written() == Text("gate.yaml", b"one")
    path.write_bytes(b"two, and longer")
    assert [late.changed(), late.changed()] == [False, True]


def test_rel_7_who_can_begin_after_a_while_has_changed_the_document(tmp_path: Path) -> None:
    path, times = tmp_path / "gate.yaml", iter((0.0, 0.0, TRY_SECONDS, TRY_SECONDS, 2 * TRY_SECONDS))
    path.write_bytes(b"one")
    late = LateAuthor(Attempts(path, fails=1), ConfigError("not there"), clock=times.__next__)
    assert [late.changed() for _ in range(4)] == [False, False, False, True]
