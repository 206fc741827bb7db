from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.dialects.couper.reading.configuration import Place
from jwtgate.dialects.couper.reading.files import beside, content_of


def test_a_path_is_told_from_the_folder_of_the_file_that_names_it() -> None:
    place = Place("sub/auth.hcl", 1, 1, 1, 1)
    assert beside("../keys/a.pem", place, Path("/etc/couper")) == Path("/etc/couper/keys/a.pem")
    assert beside("a.pem", place, Path("/etc/couper")) == Path("/etc/couper/sub/a.pem")
    assert beside("/keys/a.pem", place, Path("/etc/couper")) == Path("/keys/a.pem")


def test_the_content_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\n")
    assert content_of(tmp_path / "key") == b"\xff\n"


def test_a_missing_and_an_empty_file_are_refused_with_couper_s_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as missing:
        content_of(tmp_path / "key")
    assert str(missing.value) == f"open {tmp_path}/key: no such file or directory"
    (tmp_path / "key").touch()
    with pytest.raises(ValueError, match="empty file"):
        content_of(tmp_path / "key")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a directory"):
        content_of(tmp_path)
