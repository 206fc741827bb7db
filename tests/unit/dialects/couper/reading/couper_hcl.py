"""Configurations to read: the smallest that can be served, and what is read from one or said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from jwtgate.dialects.couper.reading.attributes import Context
from jwtgate.dialects.couper.reading.blocks import Block, read_blocks
from jwtgate.dialects.couper.reading.configuration import Configuration, Jwt
from jwtgate.dialects.couper.reading.mistakes import Mistakes
from jwtgate.dialects.couper.reading.read import read
from jwtgate.errors import ConfigError

FOLDER = Path("/nowhere")
_BEFORE_WORDS = re.compile(r"^[^:]+:[\d,-]+: (?=configuration error: )")
SERVER = 'server { endpoint "/" { response {} } }\n'
SECRET = 'signature_algorithm = "HS256"\n key = "s3cret"\n'


def configuration(
    *texts: str, folder: Path = FOLDER, environment: str | None = None, environ: Mapping[str, str] | None = None
) -> Configuration:
    """What these files mean together: `couper.hcl`, `1.hcl`, …"""
    names = ["couper.hcl", *(f"{number}.hcl" for number in range(1, len(texts)))]
    files = [(name, text.encode()) for name, text in zip(names, texts, strict=True)]
    return read(files, folder, environment=environment, environ=environ or {})


def problems(
    *texts: str, folder: Path = FOLDER, environment: str | None = None, environ: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """What is wrong with these files, without the place where it is told in Couper's words."""
    with pytest.raises(ConfigError) as caught:
        configuration(*texts, folder=folder, environment=environment, environ=environ)
    return words_of(caught.value)


def words_of(error: ConfigError) -> tuple[str, ...]:
    """What is wrong, without the place where it is told in Couper's words."""
    return tuple(_BEFORE_WORDS.sub("", problem) for problem in error.problems)


def jwt(body: str, *, folder: Path = FOLDER, environ: Mapping[str, str] | None = None) -> Jwt:
    """The `jwt` named J with this body."""
    text = f'{SERVER}definitions {{\n jwt "J" {{\n {body}\n }}\n}}\n'
    found = configuration(text, folder=folder, environ=environ).access_controls["J"]
    assert isinstance(found, Jwt)
    return found


def jwt_problems(body: str, *, folder: Path = FOLDER) -> tuple[str, ...]:
    """What is wrong with the `jwt` named J with this body, without the prefix where they have it."""
    text = f'{SERVER}definitions {{\n jwt "J" {{\n {body}\n }}\n}}\n'
    return tuple(problem.removeprefix("configuration error: J: ") for problem in problems(text, folder=folder))


def definitions_problems(text: str, *, folder: Path = FOLDER) -> tuple[str, ...]:
    """What is wrong with these definitions, which begin in line 3, column 1."""
    return problems(f"{SERVER}definitions {{\n{text}\n}}\n", folder=folder)


def block_of(text: str) -> Block:
    """The body of a file with this text, which is HCL."""
    found = read_blocks(text.encode(), "couper.hcl", Mistakes())
    assert found is not None
    return found


def context_of(folder: Path = FOLDER, environ: Mapping[str, str] | None = None) -> Context:
    """A context without mistakes so far."""
    environ = environ or {}
    return Context(folder, environ, frozenset(environ), "", Mistakes(), [])
