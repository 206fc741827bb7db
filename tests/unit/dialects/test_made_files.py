"""Files made of texts another gateway keeps inside its own configuration."""

from __future__ import annotations

from pathlib import Path

from jwtgate.dialects.made_files import made_file


def test_only_we_may_read_what_was_made(tmp_path: Path) -> None:
    path = Path(made_file(tmp_path / "made", "the text", "key"))
    assert path.read_text() == "the text"
    assert path.suffix == ".key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_same_text_is_the_same_file_and_another_is_not(tmp_path: Path) -> None:
    first = made_file(tmp_path, "one", "crt")
    assert made_file(tmp_path, "one", "crt") == first
    assert made_file(tmp_path, "two", "crt") != first
    assert len(list(tmp_path.iterdir())) == 2
