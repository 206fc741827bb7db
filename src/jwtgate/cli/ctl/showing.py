"""What the Admin API answered, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jwtgate.cli.answer import Answer, green, json_text, table, visible
from jwtgate.cli.timetable import moment


def rows(heads: Sequence[str], items: Iterable[Any], *, instants: Iterable[str] = ()) -> Answer:
    """A table with a row for each item, its columns named as the members they show."""
    found, moments = list(items), frozenset(instants)
    cells = [[moment(each.get(head)) if head in moments else _cell(each.get(head)) for head in heads] for each in found]
    return Answer(table([head.replace("_", " ") for head in heads], cells) if found else "none", found)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(each)}" for name, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def value(shown: Any, whole: Any) -> Answer:
    """A value as JSON; `whole` is what programs get."""
    return Answer(json_text(shown), whole)


def done(sentence: str, whole: Any) -> Answer:
    """News of something that was done."""
    return Answer(f"{green('done:')} {visible(sentence)}", whole)


def status(told: Any) -> Answer:
    """How a node is, good when it is ready."""
    lines = [f"{name.replace('_', ' '):<16} {_cell(told[name])}" for name in told if not isinstance(told[name], list)]
    tables = [rows(tuple(items[0]), items).text for items in told.values() if isinstance(items, list) and items]
    return Answer("\n\n".join(["\n".join(lines), *tables]), told, good=bool(told["ready"]))


def keys(items: Iterable[Any]) -> Answer:
    """The keys of one name."""
    instants = ("published_at", "active_from", "retiring_from", "retired_from")
    return rows(("kid", "alg", "state", *instants), items, instants=instants)
