"""A declarative file of Kong (`kong.yml`, also as deck writes it) to the objects in it.

Objects may be nested in those they belong to, or refer to them by name or id. One without an id is given the same id
whenever it is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from jwtgate.config.source import Source, read_source
from jwtgate.dialects.dialect import Objects
from jwtgate.dialects.kong.entities import ENTITIES, completed
from jwtgate.dialects.kong.fields import SchemaViolation, wrong_uuid
from jwtgate.errors import ConfigError

FORMATS = ("1.1", "2.1", "3.0")
IGNORED = "ignored"
"""The member of the objects that lists the places nothing was read from."""

_IDS = UUID("0b3f9a58-30cf-5f0e-8f2b-6f1c3a7d9e11")
_SAYS_NOTHING = frozenset({"_format_version", "_transform", "_comment", "_ignore"})
_OF_TOOLS = re.compile(r"_.*|defaults|workspaces?")
_NOT_SPOKEN = frozenset(
    {
        *("acls", "basicauth_credentials", "hmacauth_credentials", "oauth2_credentials", "oauth2_tokens"),
        *("mtls_auth_credentials", "consumer_groups", "consumer_group_consumers", "consumer_group_plugins", "vaults"),
        *("keys", "key_sets", "filter_chains", "parameters", "plugin_configs", "rbac_roles", "licenses", "partials"),
        "jwt_signer_jwks",
    }
)
_NESTED: Mapping[str, Mapping[str, str]] = {
    "services": {"routes": "service", "plugins": "service"},
    "routes": {"plugins": "route"},
    "consumers": {"jwt_secrets": "consumer", "keyauth_credentials": "consumer", "plugins": "consumer"},
    "upstreams": {"targets": "upstream"},
    "certificates": {"snis": "certificate"},
}
_REFERRED: Mapping[str, str] = {
    "service": "services",
    "route": "routes",
    "consumer": "consumers",
    "upstream": "upstreams",
    "certificate": "certificates",
    "client_certificate": "certificates",
}
# Before 3.0 a path with anything else in it was an expression, and later needs a `~` in front to be one.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~/%-]*")

Place = tuple[str | int, ...]


@dataclass(slots=True)
class _Found:
    """One object as it is written, before what it refers to is known."""

    collection: str
    value: dict[str, Any] = field(repr=False)
    place: Place
    id: str


def read_objects(data: bytes, name: str) -> Objects:
    """The objects of one file. `ConfigError` with every mistake."""
    source = read_source(data, name)
    reader = _Reader(source)
    reader.read()
    if reader.problems:
        raise ConfigError(*reader.problems)
    return reader.objects


def merged(parts: Sequence[Objects]) -> Objects | None:
    """The objects of several files together; None if there is no file. `ConfigError` for what two of them have."""
    if not parts:
        return None
    together: Objects = {}
    problems = []
    for part in parts:
        for collection, held in part.items():
            if collection == IGNORED:
                together[collection] = [*together.get(collection, ()), *held]
                continue
            there = together.setdefault(collection, {})
            problems += [f"{collection}: two files have the object {id_}." for id_ in held if id_ in there]
            there.update(held)
    if problems:
        raise ConfigError(*problems)
    return together


class _Reader:
    def __init__(self, source: Source) -> None:
        self.objects: Objects = {}
        self.problems: list[str] = []
        self._source = source
        self._found: list[_Found] = []
        self._ignored: list[str] = []
        self._version = ""

    def read(self) -> None:
        """Fill `objects` and `problems`."""
        data = self._source.data
        if not isinstance(data, dict):
            self._problem((), "expected an object")
            return
        self._read_version(data)
        for collection, entries in data.items():
            if collection in ENTITIES:
                self._collect(collection, entries, (collection,), {})
            elif collection in _NOT_SPOKEN or _OF_TOOLS.fullmatch(collection):
                self._ignored.extend([collection] if entries and collection not in _SAYS_NOTHING else [])
            else:
                self._problem((collection,), "unknown field")
        self._complete()
        if self._ignored:
            self.objects[IGNORED] = self._ignored

    def _read_version(self, data: Mapping[str, Any]) -> None:
        self._version = str(data.get("_format_version") or "")
        if not self._version:
            self._problem(("_format_version",), "required field missing")
        elif self._version not in FORMATS:
            self._problem(("_format_version",), f"expected one of: {', '.join(FORMATS)}")

    def _collect(self, collection: str, entries: Any, place: Place, owner: Mapping[str, Any]) -> None:
        if not isinstance(entries, list):
            if entries is not None:
                self._problem(place, "expected an array")
            return
        for index, entry in enumerate(entries):
            here = (*place, index)
            if isinstance(entry, str) and collection == "snis":
                entry = {"name": entry}
            if isinstance(entry, dict):
                self._collect_one(collection, entry, here, owner)
            else:
                self._problem(here, "expected a record")

    def _collect_one(self, collection: str, entry: Mapping[str, Any], place: Place, owner: Mapping[str, Any]) -> None:
        nested = _NESTED.get(collection, {})
        value = {name: each for name, each in entry.items() if name not in nested and name not in _SAYS_NOTHING}
        for name in [each for each in value if each in _NOT_SPOKEN or each == "groups"]:
            if value.pop(name):
                self._ignored.append(_shown((*place, name)))
        value.update(owner)
        named = [str(value[key]) for key in (*_names_of(collection), "name", "target") if value.get(key)] or [
            repr(place)
        ]
        owners = [f"{name}={value[name]}" for name in _REFERRED if value.get(name)]
        made = str(uuid5(_IDS, "\0".join((collection, named[0], *owners))))
        found = _Found(collection, value, place, str(value.get("id") or made))
        self._found.append(found)
        for name, field_of_owner in nested.items():
            self._collect(name, entry.get(name), (*place, name), {field_of_owner: {"id": found.id}})

    def _complete(self) -> None:
        by_name = {
            (found.collection, str(found.value[key])): found.id
            for found in self._found
            for key in _names_of(found.collection)
            if found.value.get(key)
        }
        ids = {(found.collection, found.id) for found in self._found}
        seen: set[tuple[str, str, str]] = set()
        now = int(time.time())
        for found in self._found:
            for problem in self._resolve(found, by_name, ids):
                self._problem(found.place, problem)
            value = {"created_at": now, "updated_at": now, **self._as_today(found), "id": found.id}
            if "updated_at" not in ENTITIES[found.collection].fields:
                del value["updated_at"]
            try:
                filled = completed(found.collection, value)
            except SchemaViolation as violation:
                self._problem(found.place, violation.message)
                continue
            for problem in _repeated(found.collection, filled, seen):
                self._problem(found.place, problem)
            self.objects.setdefault(found.collection, {})[found.id] = filled

    def _as_today(self, found: _Found) -> dict[str, Any]:
        """The object as the newest format has it."""
        paths = found.value.get("paths")
        if found.collection != "routes" or self._version == "3.0" or not isinstance(paths, list):
            return found.value
        today = [path if _PLAIN_PATH.fullmatch(str(path)) else f"~{path}" for path in paths]
        return {**found.value, "paths": today}

    def _resolve(
        self, found: _Found, by_name: Mapping[tuple[str, str], str], ids: set[tuple[str, str]]
    ) -> Iterator[str]:
        """Every problem with what the object refers to; what can be found stands in it by id from now on."""
        for name, collection in _REFERRED.items():
            told = found.value.get(name)
            if told is None or name not in ENTITIES[found.collection].fields:
                continue
            text = told if isinstance(told, str) else None
            if isinstance(told, dict):
                text = next((str(told[key]) for key in ("id", *_names_of(collection)) if key in told), None)
            if text is None:
                continue
            known = text if (collection, text) in ids else by_name.get((collection, text))
            if known is None:
                yield f"{name}: invalid reference '{name}: {text}' (no such entry in '{collection}')"
            found.value[name] = {"id": known or (text if wrong_uuid(text) is None else found.id)}

    def _problem(self, place: Place, sentence: str) -> None:
        shown = f"{_shown(place)}: " if place else ""
        self.problems.append(f"{self._source.name}:{self._source.line(place)}: {shown}{sentence}")


def _names_of(collection: str) -> tuple[str, ...]:
    entity = ENTITIES[collection]
    return tuple(dict.fromkeys((*((entity.key,) if entity.key else ()), *entity.unique)))


def _repeated(collection: str, value: Mapping[str, Any], seen: set[tuple[str, str, str]]) -> Iterator[str]:
    for name in ENTITIES[collection].unique:
        if value.get(name) is None:
            continue
        mark = (collection, name, str(value[name]))
        if mark in seen:
            yield f"uniqueness violation: '{collection}' entity with {name} set to '{value[name]}' already declared"
        seen.add(mark)
    if collection == "plugins":
        scope = ("plugins", value["name"], str([value[name] for name in ("service", "route", "consumer")]))
        if scope in seen:
            yield f"uniqueness violation: the plugin '{value['name']}' already stands there"
        seen.add(scope)
    if ("id", collection, value["id"]) in seen:
        yield f"uniqueness violation: '{collection}' entity with primary key set to '{value['id']}' already declared"
    seen.add(("id", collection, value["id"]))


def _shown(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
