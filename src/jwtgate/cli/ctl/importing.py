"""Many resources from one file, one a line, with news of how far it got."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from jwtgate.cli.answer import Answer, green
from jwtgate.cli.ctl.client import AdminClient, Refused, Unreachable, named
from jwtgate.cli.ctl.values import read_lines
from jwtgate.errors import ConfigError

EVERY_SECONDS = 1.0
MOST_PROBLEMS = 100
_ENDS_IT = (401, 403, 429, 503)


def import_lines(
    client: AdminClient,
    kind: str,
    path: Path,
    *,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Put every line of the file as a resource; its `name` member names it. Lines with mistakes are left out."""
    written, problems, told = 0, [], clock()
    for number, line in read_lines(path):
        try:
            _put(client, kind, line, f"{path}:{number}")
            written += 1
        except Refused as refused:
            if refused.status in _ENDS_IT:
                raise
            problems += [f"{path}:{number}: {sentence}" for sentence in refused.sentences]
        except Unreachable:
            raise
        except ConfigError as error:
            problems += error.problems
        if clock() - told >= EVERY_SECONDS:
            told = clock()
            tell(f"line {number}: {written} written, {len(problems)} mistakes")
    if problems:
        left = len(problems) - MOST_PROBLEMS
        shown = [*problems[:MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else [])]
        raise ConfigError(*shown, f"{written} written; nothing was changed by lines with mistakes")
    return Answer(f"{green('good:')} {written} written", {"good": True, "written": written})


def _put(client: AdminClient, kind: str, line: dict[str, object] | ConfigError, place: str) -> None:
    if isinstance(line, ConfigError):
        raise line
    name = line.pop("name", None)
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{place}: name is missing")
    client.ask("PUT", named(kind, name), line)
