"""Documents as plain data: what the store adds to the file's, what differs between two, and secrets put back in.

What the file names, the file owns; the store adds named entries to some sections and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.config.load import STORED_SECTIONS, merge
from jwtgate.jose.encoding import JSON

Plain = Mapping[str, Any]
Added = Mapping[str, Mapping[str, Any]]
"""What a store adds: names and their values by the section they belong to, such as `signing.keys`."""


def entries(document: object, section: str) -> Mapping[str, Any]:
    """What stands there by name; nothing where the section is not there, or is none."""
    found = document
    for step in section.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def merged(file: Plain, added: Added) -> dict[str, Any]:
    """The document both make."""
    whole, _ = merge(file, added)
    return dict(whole)


def added_by(whole: Plain, file: Plain) -> dict[str, dict[str, Any]] | None:
    """What the store has to add so that the file becomes this document; None when that cannot be."""
    added = {
        section: {name: value for name, value in entries(whole, section).items() if name not in entries(file, section)}
        for section in STORED_SECTIONS
    }
    added = {section: names for section, names in added.items() if names}
    return added if _told_apart(merged(file, added)) == _told_apart(whole) else None


def _told_apart(document: Plain) -> dict[str, Any]:
    """The document without sections that are there and empty."""
    empty = {section for section in STORED_SECTIONS if not entries(document, section)}
    return {name: value for name, value in document.items() if name not in empty}


def with_entry(added: Added, section: str, name: str, value: JSON) -> dict[str, dict[str, Any]]:
    """The same with this entry."""
    copied = {each: dict(names) for each, names in added.items()}
    copied.setdefault(section, {})[name] = value
    return copied


def without_entry(added: Added, section: str, name: str) -> dict[str, dict[str, Any]]:
    """The same without this entry."""
    kept = {key: value for key, value in added.get(section, {}).items() if key != name}
    others = {each: dict(names) for each, names in added.items() if each != section}
    return {**others, section: kept} if kept else others


def difference(old: JSON, new: JSON, pointer: str = "") -> Iterator[dict[str, JSON]]:
    """The JSON Patch operations (RFC 6902) that make `new` of `old`."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if type(old) is not type(new) or old != new:
            yield {"op": "replace", "path": pointer, "value": new}
        return
    for name in old:
        if name not in new:
            yield {"op": "remove", "path": f"{pointer}/{_escaped(name)}"}
    for name, value in new.items():
        inner = f"{pointer}/{_escaped(name)}"
        if name not in old:
            yield {"op": "add", "path": inner, "value": value}
        else:
            yield from difference(old[name], value, inner)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def restored(value: Any, shown: Any, kept: Any) -> Any:
    """The value with what it leaves hidden taken from `kept`; `shown` is `kept` as people see it."""
    if isinstance(value, Mapping) and isinstance(shown, Mapping) and isinstance(kept, Mapping):
        return {
            name: restored(item, shown[name], kept[name]) if name in shown and name in kept else item
            for name, item in value.items()
        }
    if isinstance(value, list) and isinstance(shown, list) and isinstance(kept, list):
        return _restored_items(value, shown, kept)
    return kept if value == shown else value


def _restored_items(value: list[Any], shown: list[Any], kept: list[Any]) -> list[Any]:
    """The items with what they leave hidden, wherever they stand now. One that was changed has to say it all."""
    items = []
    for at, item in enumerate(value):
        places = [place for place, other in enumerate(shown) if other == item]
        # By its place alone an item could take the secret of another.
        is_known = len(places) == value.count(item)
        items.append(kept[places[value[:at].count(item)]] if is_known else item)
    return items
