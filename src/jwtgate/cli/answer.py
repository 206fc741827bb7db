"""What a command answers, and how text that came from outside is put on a terminal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """The same news twice, as text for people and as a JSON value for programs; `good` when it is a yes."""

    text: str
    value: object
    good: bool = True


def mistakes(problems: Sequence[str]) -> Answer:
    """The answer to input that cannot be used."""
    text = "\n".join(f"{red('mistake:')} {visible(problem)}" for problem in problems)
    return Answer(text, {"good": False, "problems": list(problems)}, good=False)


def visible(text: str) -> str:
    """The text with everything that could move a cursor or hide written as an escape (SEC-144)."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def json_text(value: object) -> str:
    """The value as indented JSON, safe to print."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "\n".join(map(_json_visible, text.split("\n")))


def _json_visible(line: str) -> str:
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in line)


def token_name(text: str) -> str:
    """How a token is called without showing it: the start of its digest, and its length."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"token {digest} ({len(text)} characters)"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with columns as wide as they must be."""
    lines = [list(map(visible, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    shown = [_row(heads, widths), *(_row(line, widths) for line in lines)]
    return "\n".join([bold(shown[0]), *shown[1:]])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def bold(text: str) -> str:
    """The text in bold; `click.echo` takes this off again where there is no terminal."""
    return f"\x1b[1m{text}\x1b[0m"


def dim(text: str) -> str:
    """The text, paler."""
    return f"\x1b[2m{text}\x1b[0m"


def red(text: str) -> str:
    """The text in red: a no, or a mistake."""
    return f"\x1b[31m{text}\x1b[0m"


def green(text: str) -> str:
    """The text in green: a yes."""
    return f"\x1b[32m{text}\x1b[0m"


def yellow(text: str) -> str:
    """The text in yellow: a warning."""
    return f"\x1b[33m{text}\x1b[0m"
