"""Values from files: YAML, JSON or TOML read as documents are, and lines of JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jwtgate.config.source import LIMIT_BYTES, read_source
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import parse_json_object

LINE_BYTES = 1024 * 1024


def read_value(path: str) -> Any:
    """The value in this file; `-` reads YAML or JSON from standard input. `ConfigError` with its mistakes."""
    if path == "-":
        return read_source(sys.stdin.buffer.read(LIMIT_BYTES + 1), "stdin.yaml").data
    try:
        data = Path(path).read_bytes()
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble
    return read_source(data, path).data


def read_text(path: str) -> str:
    """The text in this file, or on standard input for `-`, without blanks around it."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("ascii")
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: holds more than a token") from None
    return text.strip()


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | ConfigError]]:
    """The number of each line that is not empty, with its object or what is wrong with it."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(line, f"{path}:{number}")
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble


def _object(line: bytes, place: str) -> dict[str, Any] | ConfigError:
    try:
        return parse_json_object(line, limit_bytes=LINE_BYTES)
    except ValueError as error:
        return ConfigError(f"{place}: is {error}")
