"""Which reader of heads runs: the compiled one where it was built, else the one in Python, which is the reference.

`JWTGATE_HEADS=python` or `compiled` says which is meant. Both read the same and refuse the same: the compiled one
leaves all but plain heads to the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jwtgate.errors import ConfigError

Fields = list[tuple[bytes, bytes]]
PYTHON, COMPILED = "python", "compiled"

# Method, target and version as they are nearly always written; anything else is read by the parser.
_PLAIN_LINE = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*) HTTP/1\.1\r\n"
).fullmatch


@dataclass(frozen=True, slots=True)
class PlainHeads:
    """Readers of whole heads in their plain form: what they say, or None for any other.

    `request` gives the method, the target and the fields, `answer` the status and the fields. Behind both the
    connection goes on. `target` gives the path and the query of a target that is canonical as it stands. `line` reads a
    request line alone: the method, the target, and what `target` gives for that; the path is empty for a None.
    """

    name: str
    request: Callable[[bytes], tuple[str, bytes, Fields] | None]
    answer: Callable[[bytes], tuple[int, Fields] | None]
    line: Callable[[bytes], tuple[str, bytes, str, bytes] | None]
    target: Callable[[bytes], tuple[str, bytes] | None]


def _line(line: bytes) -> tuple[str, bytes, str, bytes] | None:
    plain = _PLAIN_LINE(line)
    return None if plain is None else (plain[1].decode("ascii"), plain[2], "", b"")


IN_PYTHON = PlainHeads(PYTHON, lambda _: None, lambda _: None, _line, lambda _: None)


def plain_heads(environ: Mapping[str, str]) -> PlainHeads:
    """The reader that is asked for, or else the best there is. `ConfigError` when it cannot be had."""
    asked = environ.get("JWTGATE_HEADS", "")
    if asked not in ("", PYTHON, COMPILED):
        raise ConfigError(f"JWTGATE_HEADS is {PYTHON} or {COMPILED}, not {asked!r}.")
    compiled = None if asked == PYTHON else _compiled()
    if asked == COMPILED and compiled is None:
        raise ConfigError(
            "JWTGATE_HEADS=compiled, but this installation was built without the compiled reader of heads."
        )
    return compiled or IN_PYTHON


def _compiled() -> PlainHeads | None:
    try:
        from jwtgate.gateway.heads import _compiled as built
    except ImportError:
        return None
    return PlainHeads(COMPILED, built.plain_request, built.plain_answer, built.plain_line, built.plain_target)


PLAIN_HEADS = plain_heads(os.environ)
