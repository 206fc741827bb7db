"""Durations as Go writes them: `300s`, `1h30m`, `-1.5s`."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,  # the micro sign, and the letter that looks like it
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_WHOLE = re.compile(rf"[+-]?(0|({_PART.pattern})+)")
_MOST = 2**63 - 1


def parse_duration(text: str) -> float:
    """The seconds of a duration, to the nanosecond; less than none is possible. `ValueError` for any other text."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f'time: invalid duration "{text}"')
    nanoseconds = sum(int(Fraction(number) * _UNITS[unit]) for number, unit in _PART.findall(text))
    if nanoseconds > _MOST:
        raise ValueError(f'time: invalid duration "{text}"')
    return (-nanoseconds if text.startswith("-") else nanoseconds) / 10**9
