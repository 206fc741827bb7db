"""Instants for people, and the timetable of a rotation of signing keys, wherever it was worked out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jwtgate.cli.answer import Answer, table, visible

_STEPS = (
    ("published_at", "the new key is in our key set, and signs nothing yet"),
    ("takes_over_at", "the new key signs; the former one signs no more, and stays in the key set"),
    ("leaves_at", "the last token of the former key has ended, and it leaves the key set"),
)


def moment(instant: object) -> str:
    """A NumericDate as people read it; `-` for none."""
    if not isinstance(instant, int):
        return "-"
    try:
        return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(instant)


def timetable(head: str, rotation: Mapping[str, Any]) -> Answer:
    """When each step of this rotation happens. `head` is the sentence before."""
    former = rotation.get("former")
    of_former = f" The former key is {visible(str(former))}." if former else ""
    text = table(("when", "what"), [(moment(rotation.get(step)), what) for step, what in _STEPS])
    return Answer(f"{head}{of_former}\n\n{text}", dict(rotation))
