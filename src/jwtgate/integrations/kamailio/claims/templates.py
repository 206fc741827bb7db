"""Claim lists with pseudo-variables in them: split first and filled afterwards.

What a message carries can then change the value of a claim and nothing else: a `;` or a quote in it is text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jwtgate.integrations.kamailio.claims.lists import Entry, split_list
from jwtgate.integrations.kamailio.settings import Variables

_START = re.compile(r"\$(?:\$|[A-Za-z_][A-Za-z0-9_.]*|\()")
_OPENING, _CLOSING = "({", ")}"


class Template:
    """A text with pseudo-variables, each looked up whenever the text is asked for. Made by `pv`."""

    __slots__ = ("_parts", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._parts = _split_variables(source)

    def value(self, variables: Variables) -> str | int | None:
        """The text with its variables filled in; a number where it is one variable that holds a number.

        None where a variable has no value.
        """
        if len(self._parts) == 1 and self._parts[0][1]:
            return variables(self._parts[0][0])
        filled = [variables(text) if is_variable else text for text, is_variable in self._parts]
        if any(each is None for each in filled):
            return None
        return "".join(map(str, filled))

    def entries(self) -> tuple[tuple[Entry, ...], str]:
        """The text split as a claim list, its values not yet filled in; `ValueError` as `split_list`."""
        return _entries(self.source)

    def __repr__(self) -> str:
        return f"pv({self.source!r})"


def pv(source: str) -> Template:
    """A claim list, or any other text, with pseudo-variables of Kamailio: `pv("caller=$fU;callee=$tU")`.

    Variables are written as in the native configuration, also `$hdr(X-JWT)` and `$(fU{s.tolower})`; `$$` is a dollar.
    A value with `;` or `,` inside such brackets needs quotes around it.
    """
    return _template(source)


def value_of(text: str, variables: Variables) -> str | int | None:
    """A text of a list with its variables filled in, as `Template.value`."""
    return _template(text).value(variables) if "$" in text else text


_template = lru_cache(maxsize=256)(Template)
_entries = lru_cache(maxsize=256)(split_list)


def _split_variables(source: str) -> tuple[tuple[str, bool], ...]:
    """Pieces of plain text and names of variables, told apart by the second value."""
    parts: list[tuple[str, bool]] = []
    plain, place = "", 0
    while found := _START.search(source, place):
        plain += source[place : found.start()]
        place = found.end()
        if found[0] == "$$":
            plain += "$"
            continue
        if found[0] == "$(":
            place = _closed(source, place - 1)
        elif source[place : place + 1] == "(":
            place = _closed(source, place)
        if plain:
            parts.append((plain, False))
        parts.append((source[found.start() : place], True))
        plain = ""
    plain += source[place:]
    if plain or not parts:
        parts.append((plain, False))
    return tuple(parts)


def _closed(source: str, place: int) -> int:
    """Where the bracket at `place` is closed, brackets inside it counted."""
    depth = 0
    for index in range(place, len(source)):
        if source[index] in _OPENING:
            depth += 1
        elif source[index] in _CLOSING:
            depth -= 1
            if depth == 0:
                return index + 1
    raise ValueError(f"the bracket at {place} is never closed")
