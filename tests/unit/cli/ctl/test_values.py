"""Values from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.cli.ctl.values import read_lines, read_text, read_value
from jwtgate.errors import ConfigError


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "a: [1]"), ("a.json", '{"a": [1]}'), ("a.toml", "a = [1]")])
def test_a_value_is_read_as_its_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert read_value(str(file)) == {"a": [1]}


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", "a: 1\na: 2"), ("a.json", "{"), ("a.txt", "a"), ("b.yaml", "a: &x 1")]
)
def test_sec_160_a_value_with_no_single_reading_is_a_mistake(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ConfigError):
        read_value(str(file))


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    for read in (read_value, read_text):
        with pytest.raises(ConfigError, match="No such file"):
            read(str(tmp_path / "nothing.yaml"))


def test_a_text_is_read_without_blanks_around_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b" abc\n")
    assert read_text(str(file)) == "abc"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="more than a token"):
        read_text(str(file))


def test_lines_are_read_one_by_one_with_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"a": 1}\n\n[]\n{"a": 1, "a": 2}')
    found = list(read_lines(file))
    assert [number for number, _ in found] == [1, 3, 4]
    assert found[0][1] == {"a": 1}
    assert [str(line).removeprefix(str(file)) for _, line in found[1:]] == [
        ":3: is not a JSON object",
        ":4: is a name is repeated",
    ]
