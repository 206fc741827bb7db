"""Patterns written in a document, matched in linear time by RE2 (SEC-51)."""

from __future__ import annotations

import re
from typing import Any

import re2

_LIMIT_CHARACTERS = 1_000
_MOST_PATH_PROGRAM = 5_000
"""Steps a character of a path may cost at most: enough for `[^/]{1,255}/[^/]{1,255}`, which has 4600."""
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Pattern:
    """A callable that tells whether a whole text matches. It travels to another process as its text."""

    __slots__ = ("_matcher", "text")

    def __init__(self, text: str) -> None:
        """`ValueError` when the text is not a pattern RE2 can run."""
        self.text = text
        self._matcher = _compiled(text)

    @property
    def size(self) -> int:
        """The size of its program: what one character of a text may cost at most, in steps."""
        return int(self._matcher.programsize)

    def __call__(self, value: str) -> bool:
        try:
            return self._matcher.fullmatch(value) is not None
        except UnicodeEncodeError:
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __reduce__(self) -> tuple[type[Pattern], tuple[str]]:
        return Pattern, (self.text,)


class PathPattern:
    """A pattern of paths, and what takes the place of what it matches. It travels to another process as its text."""

    __slots__ = ("_matcher", "_pieces", "replacement", "text")

    def __init__(self, text: str, replacement: str = "") -> None:
        """`ValueError` when RE2 cannot run it, or not cheaply, or the replacement names a group it has not."""
        self.text = text
        self.replacement = replacement
        self._matcher = _compiled(text)
        if self._matcher.programsize > _MOST_PATH_PROGRAM:
            raise ValueError("costs more than a pattern of paths may")
        self._pieces = _pieces(replacement, self._matcher.groups)

    @property
    def literal(self) -> str:
        """Text that whatever matches from its beginning begins with; there may be more of it."""
        if "|" in self.text:
            return ""
        found = _LITERAL(self.text)
        return found[1] if found else ""

    def end(self, path: str) -> int | None:
        """Where the match that begins at the beginning of this path ends; None when there is none."""
        found = self._matcher.match(path)
        return None if found is None else int(found.end())

    def replaced(self, path: str) -> str:
        """The path with its first match replaced, or as it is."""
        found = self._matcher.search(path)
        if found is None:
            return path
        put = "".join(piece if isinstance(piece, str) else found.group(piece) or "" for piece in self._pieces)
        return path[: found.start()] + put + path[found.end() :]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathPattern) and (other.text, other.replacement) == (self.text, self.replacement)

    def __hash__(self) -> int:
        return hash((self.text, self.replacement))

    def __repr__(self) -> str:
        return f"PathPattern({self.text!r}, {self.replacement!r})"

    def __reduce__(self) -> tuple[type[PathPattern], tuple[str, str]]:
        return PathPattern, (self.text, self.replacement)


def _compiled(text: str) -> Any:
    if len(text) > _LIMIT_CHARACTERS:
        raise ValueError("is longer than a pattern may be")
    try:
        return re2.compile(text, _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        raise ValueError("is not a pattern that can be matched in linear time (RE2)") from None


# Letters nothing behind them repeats or makes optional.
_LITERAL = re.compile(r"\^?((?:[A-Za-z0-9/_-](?![?*+{]))+)").match
_ESCAPE = re.compile(r"\\(?:([0-9])|(.?))", re.DOTALL)


def _pieces(replacement: str, groups: int) -> tuple[str | int, ...]:
    """The text of a replacement and the numbers of the groups in it, in their order."""
    pieces: list[str | int] = []
    at = 0
    for found in _ESCAPE.finditer(replacement):
        pieces.append(replacement[at : found.start()])
        at = found.end()
        if found[1] is None and found[2] != "\\":
            raise ValueError("holds a backslash before something that is neither a group's number nor a backslash")
        if found[1] is not None and int(found[1]) > groups:
            raise ValueError(f"names group {found[1]}, and the pattern has {groups}")
        pieces.append("\\" if found[1] is None else int(found[1]))
    return (*pieces, replacement[at:])
