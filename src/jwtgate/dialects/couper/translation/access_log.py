"""The access log: lines as Couper writes them, and what a configuration adds to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jwtgate.dialects.couper.reading.configuration import BasicAuth, Source, Text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.values import Around, members, special, value_of
from jwtgate.dialects.dialect import as_name, literal

CUSTOM = "custom"
LINE: Section = {
    "timestamp": "time",
    "level": "level",
    "type": {"constant": "couper_access"},
    "uid": "id",
    "method": "method",
    "url": "url",
    "status": "status",
    "realtime": "ms",
    "client_ip": "client",
    "endpoint": "route",
    "request": {"host": "host", "method": "method", "path": "path", "proto": "scheme"},
    "response": {"status": "status"},
}
"""What a line says, by the members it has there."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MOST = 15
_WORDS: Mapping[Source, str] = {
    Source.BEARER: "bearer",
    Source.DPOP: "dpop",
    Source.HEADER: "header",
    Source.COOKIE: "cookie",
    Source.VALUE: "value",
}


def log_of(draft: Draft, objects: Iterable[Text | None], around: Around, place: str) -> Section:
    """What these objects add to a line, those of later ones merged into those of earlier ones."""
    found: dict[str, Text] = {}
    for text in objects:
        for name, value in members(draft, text, f"{place}/custom_log_fields").items():
            found[name] = _merged(found[name], value) if name in found else value
    usable = {name: value for name, value in found.items() if _NAME.fullmatch(name)}
    for name in found.keys() - usable.keys():
        draft.notes.changed(f"{place}/custom_log_fields/{name}", "It is left out: no line has a member of this name.")
    for name in tuple(usable)[_MOST:]:
        draft.notes.changed(f"{place}/custom_log_fields/{name}", f"It is left out: {_MOST} are logged.")
        del usable[name]
    return {name: value_of(draft, value, around) for name, value in usable.items()}


def _merged(one: Text, other: Text) -> Text:
    """The later of two, with the members of the earlier where both are objects."""
    if not (one.source.lstrip().startswith("{") and other.source.lstrip().startswith("{")):
        return other
    return Text(f"merge({one.source}, {other.source})", other.place)


def access_log(draft: Draft) -> Section:
    """The shape of the lines of the access log."""
    given: dict[str, Any] = {"slots": {}, "sources": {}}
    for label, control in draft.configuration.access_controls.items():
        given["slots"][label] = as_name(label)
        given["sources"][as_name(label)] = "basic" if isinstance(control, BasicAuth) else _WORDS[control.source]
    told = {name: value for name, value in given.items() if value}
    if draft.configuration.environment is not None:
        told["environment"] = literal(draft.configuration.environment)
    refused = {
        "message": special("@error_message", **told),
        "error_type": special("@error_type", **told),
    }
    return {"members": LINE, "refused": refused, "custom": CUSTOM}
