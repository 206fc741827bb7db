"""Which reader of heads runs: the compiled one where it was built, else the one in Python, which is the reference.

`JWTGATE_HEADS=python` or `compiled` says which is meant. Both read the same and refuse the same: the compiled one
leaves all but plain heads to the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jwtgate.errors import ConfigError

Fields = list[tuple[bytes, bytes]]
PYTHON, COMPILED = "python", "compiled"


@dataclass(frozen=True, slots=True)
class PlainHeads:
    """Readers of whole heads in their plain form: what they say, or None for any other.

    `request` gives the method, the target and the fields, `answer` the status and the fields. Behind both the
    connection goes on.
    """

    name: str
    request: Callable[[bytes], tuple[str, bytes, Fields] | None]
    answer: Callable[[bytes], tuple[int, Fields] | None]


IN_PYTHON = PlainHeads(PYTHON, lambda _: None, lambda _: None)


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
    return PlainHeads(COMPILED, built.plain_request, built.plain_answer)


PLAIN_HEADS = plain_heads(os.environ)
