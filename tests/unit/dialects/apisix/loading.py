"""Objects translated, and loaded as the gateway would load what they become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jwtgate.config.load import load_document
from jwtgate.config.sections.document import Document
from jwtgate.dialects.apisix.dialect import DIALECT
from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.settings import ApisixSettings
from jwtgate.dialects.dialect import Meaning, Note, Objects, Translation

HERE = Path("/srv")
SETTINGS = ApisixSettings(folder=HERE, state_folder=HERE, environ={}, listen=("127.0.0.1:9080",))
NODES = {"nodes": {"127.0.0.1:1980": 1}}


def translation(objects: Objects) -> Translation:
    """What the objects become."""
    return DIALECT.translate(objects, SETTINGS)


def loaded(objects: Objects) -> Document:
    """The same, callers included, loaded. `ConfigError` for what the gateway would not take."""
    found = translation(objects)
    callers = {caller.name: caller.value for caller in DIALECT.callers(objects, SETTINGS)}
    whole = {**found.document, **({"consumers": callers} if callers else {})}
    data = json.dumps(whole).encode()
    return load_document(data, name="made.json", folder=HERE, resolve=lambda text: text.replace("$${", "${"))


def route_of(route: dict[str, Any], objects: Objects | None = None) -> dict[str, Any]:
    """What one route becomes, which the gateway takes."""
    whole = {**(objects or {}), "routes": {"1": {"upstream": NODES, **route}}}
    loaded(whole)
    found: dict[str, Any] = translation(whole).document["routes"]["1"]
    return found


def note_at(place: str, objects: Objects) -> Note | None:
    """The note on this place."""
    return next((note for note in translation(objects).notes if note.place == place), None)


def refused(noting: Noting) -> dict[str, str]:
    """The places that are refused, and why."""
    return {note.place: note.sentence for note in noting.notes(()) if note.meaning is Meaning.REFUSED}


def changed(noting: Noting) -> dict[str, str]:
    """The places that mean something else, and what."""
    return {note.place: note.sentence for note in noting.notes(()) if note.meaning is Meaning.CHANGED}
