"""Who we are to the Admin API."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jwtgate.cli.ctl.access import access, new_token
from jwtgate.errors import ConfigError


def token(environ: dict[str, str], file: Path | None = None) -> str | None:
    return access("http://127.0.0.1:1", file, ca_file=None, certificate=None, key=None, environ=environ).token


def test_the_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    assert token({"JWTGATE_ADMIN_TOKEN": "from-environ"}) == "from-environ"
    assert token({"JWTGATE_ADMIN_TOKEN": "from-environ"}, file) == "from-file"
    assert token({"JWTGATE_ADMIN_TOKEN_FILE": str(file), "JWTGATE_ADMIN_TOKEN": "x"}) == "from-file"
    assert token({}) is None


@pytest.mark.parametrize("text", ["", "two words", "a\r\nX-Injected: 1", "ä"])
def test_what_cannot_be_a_token_is_a_mistake(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(ConfigError) as mistake:
        token({}, file)
    assert not text or text not in str(mistake.value)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        token({}, tmp_path / "nothing")


def test_a_new_token_is_shown_once_beside_its_digest() -> None:
    answer = new_token("alice")
    assert isinstance(answer.value, dict)
    assert answer.value["token_sha256"] == hashlib.sha256(answer.value["token"].encode()).hexdigest()
    assert f"    alice: {{token_sha256: {answer.value['token_sha256']}}}" in answer.text
    assert len(answer.value["token"]) == 43
    assert new_token("alice").value != answer.value
