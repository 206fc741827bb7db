from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.wso2.objects import draft

from jwtgate.dialects.dialect import Meaning, Note
from jwtgate.errors import ConfigError


def test_the_first_thing_said_of_a_place_stands(tmp_path: Path) -> None:
    made = draft(tmp_path)
    made.changed("a", "one")
    made.exact("a")
    made.dangerous("b", "two")
    made.refused("c", "three")
    assert made.notes() == (
        Note("a", Meaning.CHANGED, "one"),
        Note("b", Meaning.EXACT, "two", dangerous=True),
        Note("c", Meaning.REFUSED, "three"),
    )
    assert made.place("enable").endswith("enable")
    assert made.place("header") == "header"


def test_a_pem_text_stands_there_or_in_a_file_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/key.pem").write_text("text")
    made = draft(tmp_path)
    assert made.pem("-----BEGIN X", "sub/r.yaml", "p") == "-----BEGIN X"
    assert made.pem("key.pem", "sub/r.yaml", "p") == "text"
    with pytest.raises(ConfigError, match=r"^r\.yaml: p: cannot be read: FileNotFoundError\.$"):
        made.pem("key.pem", "r.yaml", "p")


def test_sec_150_a_file_of_ours_is_for_us_alone(tmp_path: Path) -> None:
    made = draft(tmp_path)
    path = Path(made.file("secret", "jwk"))
    assert path == Path(made.file("secret", "jwk"))
    assert path.read_text() == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
