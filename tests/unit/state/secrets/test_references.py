from __future__ import annotations

import os
from pathlib import Path

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.state.secrets.references import FILE_LIMIT_BYTES, Secrets


def secrets(folder: Path, **environ: str) -> Secrets:
    return Secrets(folder, environ)


def problem(given: Secrets, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        given.resolve(text)
    (sentence,) = caught.value.problems
    return str(sentence)


def test_a_text_without_references_stays_as_it_is(tmp_path: Path) -> None:
    assert secrets(tmp_path).resolve("a $ {b} $x") == "a $ {b} $x"


def test_every_reference_of_a_text_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("two")
    assert secrets(tmp_path, A="one").resolve("${env:A}-${file:b}") == "one-two"


def test_a_value_is_not_expanded_again(tmp_path: Path) -> None:
    assert secrets(tmp_path, A="${env:B}", B="secret").resolve("${env:A}") == "${env:B}"


def test_a_doubled_dollar_stands_for_the_literal(tmp_path: Path) -> None:
    assert secrets(tmp_path, A="one").resolve("$${env:A} ${env:A}") == "${env:A} one"


@pytest.mark.parametrize(("written", "read"), [("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), (" x ", " x ")])
def test_one_line_end_of_a_file_is_dropped(tmp_path: Path, written: str, read: str) -> None:
    (tmp_path / "f").write_bytes(written.encode())
    assert secrets(tmp_path).resolve("${file:f}") == read


def test_an_absolute_path_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert secrets(tmp_path / "elsewhere").resolve(f"${{file:{tmp_path}/f}}") == "x"


@pytest.mark.parametrize("text", ["${env:NONE}", "${vault:a}", "${NONE}", "${env:}", "${file:none}", "${}"])
def test_sec_149_a_reference_that_leads_nowhere_is_named(tmp_path: Path, text: str) -> None:
    assert text in problem(secrets(tmp_path, A="swordfish"), text)


def test_a_reference_that_is_never_closed_is_not_plain_text(tmp_path: Path) -> None:
    assert "not of the form" in problem(secrets(tmp_path, A="x"), "${env:A")


def test_a_problem_never_quotes_a_value(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"sword\xfffish")
    assert "sword" not in problem(secrets(tmp_path), "${file:f}")


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * FILE_LIMIT_BYTES)
    assert len(secrets(tmp_path).resolve("${file:f}")) == FILE_LIMIT_BYTES
    (tmp_path / "f").write_bytes(b"x" * (FILE_LIMIT_BYTES + 1))
    assert "larger" in problem(secrets(tmp_path), "${file:f}")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert "empty" in problem(secrets(tmp_path), "${file:f}")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")
    assert "regular" in problem(secrets(tmp_path), "${file:f}")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file whose size is not what it holds")
def test_a_file_that_is_not_as_long_as_it_says_is_taken_for_half_written(tmp_path: Path) -> None:
    assert "changed while" in problem(secrets(tmp_path), "${file:/proc/version}")


def test_sec_149_a_secret_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    given = secrets(tmp_path)
    for name, mode in (("open", 0o644), ("closed", 0o640)):
        (tmp_path / name).write_text("swordfish")
        (tmp_path / name).chmod(mode)
        given.resolve(f"${{file:{name}}}")
    (warning,) = given.warnings
    assert "'open'" in warning
    assert "swordfish" not in warning


def test_a_public_key_everybody_may_read_is_no_secret(tmp_path: Path) -> None:
    key = generate_key("ES256")
    public, private = tmp_path / "public", tmp_path / "private"
    for text in (key.to_pem(), json_bytes({"keys": [key.to_jwk()]}).decode()):
        given = secrets(tmp_path)
        public.write_text(text)
        public.chmod(0o644)
        given.resolve("${file:public}")
        assert given.warnings == ()
    for text in (key.to_private_pem(), key.to_pem() + key.to_private_pem(), json_bytes(key.to_private_jwk()).decode()):
        given = secrets(tmp_path)
        private.write_text(text)
        private.chmod(0o644)
        given.resolve("${file:private}")
        assert len(given.warnings) == 1
