"""Sizes in bytes: `64MiB`, `10 KB`, `512`."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kKmMgGtTpP]?)(?:[iI]?[bB])?")
_POWERS = " kmgtp"


def parse_size(text: str) -> int:
    """The bytes of a size, whose units are powers of 1024. `ValueError` for any other text."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"invalid size: '{text}'")
    power = _POWERS.index(found[2].lower()) if found[2] else 0
    return int(float(found[1]) * 1024**power)
