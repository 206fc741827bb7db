from __future__ import annotations

import os
from pathlib import Path

import pytest

from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.state.secrets.secret_files import FILE_LIMIT_BYTES, read_secret_file


def read(folder: Path, data: bytes, mode: int = 0o600) -> tuple[str, bool]:
    path = folder / "f"
    path.write_bytes(data)
    path.chmod(mode)
    return read_secret_file(path)


@pytest.mark.parametrize(("written", "text"), [("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), (" x ", " x ")])
def test_one_line_end_of_a_file_is_dropped(tmp_path: Path, written: str, text: str) -> None:
    assert read(tmp_path, written.encode()) == (text, False)


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    assert len(read(tmp_path, b"x" * FILE_LIMIT_BYTES)[0]) == FILE_LIMIT_BYTES
    with pytest.raises(OSError, match="larger"):
        read(tmp_path, b"x" * (FILE_LIMIT_BYTES + 1))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="empty"):
        read(tmp_path, b"")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        read(tmp_path, b"sword\xfffish")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")
    with pytest.raises(OSError, match="regular"):
        read_secret_file(tmp_path / "f")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file whose size is not what it holds")
def test_a_file_that_is_not_as_long_as_it_says_is_taken_for_half_written() -> None:
    with pytest.raises(OSError, match="changed while"):
        read_secret_file(Path("/proc/version"))


@pytest.mark.parametrize(("mode", "exposed"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)])
def test_sec_149_a_secret_everybody_may_read_is_told(tmp_path: Path, mode: int, exposed: bool) -> None:
    assert read(tmp_path, b"swordfish", mode) == ("swordfish", exposed)


def test_a_public_key_everybody_may_read_is_no_secret(tmp_path: Path) -> None:
    key = generate_key("ES256")
    for text in (key.to_pem(), json_bytes({"keys": [key.to_jwk()]}).decode()):
        assert not read(tmp_path, text.encode(), 0o644)[1]
    for text in (key.to_private_pem(), key.to_pem() + key.to_private_pem(), json_bytes(key.to_private_jwk()).decode()):
        assert read(tmp_path, text.encode(), 0o644)[1]
