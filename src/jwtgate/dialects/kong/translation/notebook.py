"""What became of every setting of Kong's objects: taken over as it is, unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.dialect import Meaning, Note, Objects
from jwtgate.dialects.kong.entities import ENTITIES
from jwtgate.dialects.kong.file import IGNORED

_MADE = frozenset({"id", "created_at", "updated_at"})
_OF_CALLERS = frozenset({"consumers", "jwt_secrets", "keyauth_credentials"})
_LOST = frozenset({"consumer_groups", "consumer_group_plugins", "filter_chains"})
_LOSES = "It is of a kind not spoken here, and what it asks of requests would be lost."
_IGNORED = "It is for other tools, or of a kind not spoken here: ignored."
_SCOPES = (("consumer", "consumers"), ("route", "routes"), ("service", "services"))


class Notebook:
    """Collects notes by place. The first thing that is said of a place stands."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._said: dict[str, Note] = {}
        self.refusals = 0
        """How often something was refused, also where that was said before."""

    def changed(self, place: str, sentence: str) -> None:
        """It means something else here."""
        self._said.setdefault(place, Note(place, Meaning.CHANGED, sentence))

    def refused(self, place: str, sentence: str) -> None:
        """It cannot be had."""
        self.refusals += 1
        self._said.setdefault(place, Note(place, Meaning.REFUSED, sentence))

    def dangerous(self, place: str, sentence: str) -> None:
        """It is taken over as it is, and is worth a second look."""
        self._said.setdefault(place, Note(place, Meaning.EXACT, sentence, dangerous=True))

    def notes(self) -> tuple[Note, ...]:
        """A note for every setting, in the order of the objects; those on what is no setting last."""
        written = {place: Note(place, Meaning.EXACT) for place in self._settings()}
        for place in self._objects.get(IGNORED, ()):
            lost = place.rpartition(".")[2] in _LOST
            written[place] = Note(place, Meaning.REFUSED, _LOSES) if lost else Note(place, Meaning.CHANGED, _IGNORED)
        return tuple((written | self._said).values())

    def _settings(self) -> Iterator[str]:
        for collection, held in self._objects.items():
            if collection not in ENTITIES or collection in _OF_CALLERS:
                continue
            for value in held.values():
                here = place_of(self._objects, collection, value)
                for name, each in value.items():
                    if name == "config":
                        yield from _in_config(f"{here}/config", each)
                    elif name not in _MADE and not _is_nothing(each):
                        yield f"{here}/{name}"


def _in_config(place: str, config: Mapping[str, Any]) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, dict) and name in ("remove", "rename", "replace", "add", "append"):
            yield from _in_config(f"{place}/{name}", value)
        elif not _is_nothing(value):
            yield f"{place}/{name}"


def _is_nothing(value: object) -> bool:
    return value is None or value == [] or value == {}


def label(collection: str, value: Mapping[str, Any]) -> str:
    """What people call this object."""
    key = ENTITIES[collection].key
    return str((value.get(key) if key else None) or value["id"])


def place_of(objects: Objects, collection: str, value: Mapping[str, Any]) -> str:
    """Where this object stands: that of a plugin is below what it belongs to."""
    if collection != "plugins":
        return f"{collection}/{label(collection, value)}"
    here = f"plugins/{value['instance_name'] or value['name']}"
    for field, others in _SCOPES:
        owner = value.get(field) and objects.get(others, {}).get(value[field]["id"])
        if owner:
            return f"{others}/{label(others, owner)}/{here}"
    return here
