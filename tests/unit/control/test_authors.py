"""A file's author writes what is in it, and tells of changes once they are whole."""

import os
from pathlib import Path

import pytest

from jwtgate.control.authors import FileAuthor
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
