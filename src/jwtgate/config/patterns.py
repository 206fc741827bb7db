"""Patterns written in a document, matched in linear time by RE2 (SEC-51)."""

from __future__ import annotations

from typing import Any

import re2

_LIMIT_CHARACTERS = 1_000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Pattern:
    """A callable that tells whether a whole text matches. It travels to another process as its text."""

    __slots__ = ("_matcher", "text")

    def __init__(self, text: str) -> None:
        """`ValueError` when the text is not a pattern RE2 can run."""
        if len(text) > _LIMIT_CHARACTERS:
            raise ValueError("is longer than a pattern may be")
        self.text = text
        try:
            self._matcher: Any = re2.compile(text, _OPTIONS)
        except (re2.error, UnicodeEncodeError):
            raise ValueError("is not a pattern that can be matched in linear time (RE2)") from None

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
