"""What any lenient upstream could make of a path: an oracle that shares nothing with the gateway.

Each step is something some server or framework has done to a path; they are done in any order, again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import normalize
from urllib.parse import unquote

_MOST_READINGS = 2000
_OVERLONG = {b"\xc0\xae": b".", b"\xc0\xaf": b"/", b"\xe0\x80\xae": b".", b"\xe0\x80\xaf": b"/", b"\xc1\x9c": b"\\"}


def _decoded(path: str) -> str:
    return unquote(path, errors="replace")


def _decoded_overlong(path: str) -> str:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), path.encode())
    for long, short in _OVERLONG.items():
        raw = raw.replace(long, short)
    return raw.decode("utf-8", "replace")


def _decoded_wide(path: str) -> str:
    return re.sub("%[uU]([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), path)


def _resolved(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment.strip() == "..":
            kept = kept[:-1]
        elif segment.strip() != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


STEPS: tuple[Callable[[str], str], ...] = (
    _decoded,
    _decoded_overlong,
    _decoded_wide,
    _resolved,
    lambda path: normalize("NFKC", path),
    lambda path: path.replace("\\", "/"),
    lambda path: re.sub("/{2,}", "/", path),
    lambda path: re.sub(";[^/]*", "", path),
    lambda path: path.partition(";")[0],
    lambda path: path.partition("?")[0],
    lambda path: path.partition("#")[0],
    lambda path: path.partition("\0")[0],
)


def readings(path: str) -> set[str]:
    """Every path these steps lead to, this one among them."""
    found, fresh = {path}, [path]
    while fresh:
        path = fresh.pop()
        for step in STEPS:
            reading = step(path)
            if reading not in found:
                found.add(reading)
                fresh.append(reading)
        assert len(found) < _MOST_READINGS
    return found


def reaches(path: str, guarded: frozenset[str]) -> str | None:
    """A reading of this path that lies at or below one of the guarded first segments; None when there is none."""
    return next(
        (reading for reading in readings(path) if reading.split("/")[1:2] and reading.split("/")[1] in guarded), None
    )
