"""A claim list, `name1=value1;name2='value 2'`, read as Kamailio reads its parameters.

Where that reader stops early and says nothing, `split_list` gives back what it left: ignoring it is for those who
want exactly what the server does.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

_WS = r"[ \t\r\n]*"
_VALUE = r"'([^']*)'|" + r'"([^"]*)"|' + r"""([^ \t\r\n,;'"][^ \t\r\n,;]*)"""
_ENTRY = re.compile(rf"([^ \t\r\n,=;]*){_WS}(?:(=){_WS}(?:{_VALUE})?{_WS})?")
_NEXT = re.compile(f";{_WS}")
_INTEGER = re.compile(r"[+-]?([0-9]+)|[+-]")
_MOST_DIGITS = 19


class Entry(NamedTuple):
    """One entry as it stands. `value` is None where there is no `=`; `quoted` tells what may become a number."""

    name: str
    value: str | None
    quoted: bool

    @property
    def typed(self) -> str | int | None:
        """What the value means: digits without quotes are a number when they fit 64 bits, all else is text."""
        if self.value is None or self.quoted:
            return self.value
        return _number(self.value)


def split_list(text: str) -> tuple[tuple[Entry, ...], str]:
    """The entries of a claim list, and the rest that Kamailio ignores: all from a `,` or a `>` between entries.

    `ValueError` says what is wrong with the list, and where; it never shows more than one character of it.
    """
    text = text.removesuffix(";")
    entries: list[Entry] = []
    place, end = 0, len(text)
    while place < end:
        found = cast("re.Match[str]", _ENTRY.match(text, place))  # which matches nothing at all, too
        name, equals, single, double, bare = found.groups()
        place = found.end()
        quoted = single if single is not None else double
        if quoted is not None:
            entries.append(Entry(name, quoted, quoted=True))
        elif bare is None and equals and place < end:
            raise ValueError(f"a value is missing, or its quote is never closed, at {place}")
        else:
            entries.append(Entry(name, "" if bare is None and equals else bare, quoted=False))
        if place == end:
            break
        if text[place] in ",>":
            return tuple(entries), text[place:]
        following = _NEXT.match(text, place)
        if following is None:
            raise ValueError(f"invalid character {text[place]!a} at {place}, expected ';'")
        place = following.end()
        if place == end:
            raise ValueError("a name is missing after the last ';'")
    return tuple(entries), ""


def _number(text: str) -> str | int:
    found = _INTEGER.fullmatch(text)
    if found is None:
        return text
    digits = (found[1] or "").lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return text
    number = int(digits or "0") * (-1 if text[0] == "-" else 1)
    return number if fits_64_bits(number) else text


def fits_64_bits(number: int) -> bool:
    """Whether a signed 64-bit integer can hold this."""
    return -(2**63) <= number < 2**63
