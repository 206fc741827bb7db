"""Creating, replacing, changing and deleting one entity, with everything Kong checks and does beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jwtgate.dialects.dialect import Call
from jwtgate.dialects.kong.admin import answers
from jwtgate.dialects.kong.admin.bodies import is_form, members
from jwtgate.dialects.kong.admin.inferred import inferred, with_lists
from jwtgate.dialects.kong.admin.kinds import PEOPLE, REFERRED, goes_with, referring_to
from jwtgate.dialects.kong.admin.pages import Entity
from jwtgate.dialects.kong.admin.shelves import Shelves
from jwtgate.dialects.kong.entities import ENTITIES, completed, config_fields
from jwtgate.dialects.kong.fields import Field, SchemaViolation

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCOPES = ("consumer", "route", "service")
_LISTS_AS_TEXT = "jwt-signer"


def is_uuid(text: str) -> bool:
    """Whether this can only be an id."""
    return _UUID.fullmatch(text) is not None


def given(call: Call, kind: str, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of a request's body in the types of this kind. `before` is what they are meant to change."""
    value = inferred(members(call), ENTITIES[kind].fields)
    config = value.get("config")
    if kind != "plugins" or not isinstance(config, dict):
        return value
    plugin = value.get("name") or (before or {}).get("name")
    fields = config_fields(plugin) if isinstance(plugin, str) else {}
    if is_form(call) and plugin == _LISTS_AS_TEXT:
        config = with_lists(config, fields)
    return {**value, "config": inferred(config, fields)}


class Changes:
    """What one call changes. `now` is in seconds."""

    def __init__(self, shelves: Shelves, now: int) -> None:
        self._shelves = shelves
        self._now = now

    async def create(self, kind: str, value: Mapping[str, Any]) -> Entity:
        """A new entity."""
        entity = await self._completed(kind, value, None)
        if await self._shelves.find(kind, "id", entity["id"]) if "id" in value else None:
            raise answers.primary_key_taken(entity["id"])
        await self._check_unique(kind, entity)
        await self._shelves.put(kind, entity, "create")
        return entity

    async def upsert(self, kind: str, name: str, value: Mapping[str, Any], before: Entity | None) -> Entity:
        """The entity in place of the one before, or a new one. `name` is its id or what it is found by."""
        key = ENTITIES[kind].key
        if is_uuid(name):
            value = {**value, "id": name.lower()}
        elif key is None:
            raise answers.invalid_primary_key({"id": name})
        else:
            value = {**value, key: name, **({"id": before["id"]} if before is not None else {})}
        entity = await self._completed(kind, value, before)
        await self._check_unique(kind, entity)
        await self._shelves.put(kind, entity, "create or update")
        return entity

    async def update(self, kind: str, before: Entity, value: Mapping[str, Any]) -> Entity:
        """The entity with these members changed; within records only those that are named."""
        fields = dict(ENTITIES[kind].fields)
        if kind == "plugins":
            plugin = value.get("name") or before["name"]
            fields["config"] = Field("record", fields=config_fields(plugin) if isinstance(plugin, str) else {})
        merged = {**_merged(before, value, fields), "id": before["id"]}
        entity = await self._completed(kind, merged, before)
        await self._check_unique(kind, entity)
        await self._shelves.put(kind, entity, "update")
        return entity

    async def delete(self, kind: str, entity: Entity) -> None:
        """Have this entity no more, nor what goes with it. What holds it back is a 400."""
        self._shelves.must_change(kind, "remove")
        for other, field in referring_to(kind):
            if other in PEOPLE and not self._shelves.is_declarative:
                continue  # credentials go with their consumer by themselves
            for each in self._shelves.of_objects(other, _refers(field, entity["id"])):
                if not goes_with(other, field):
                    raise answers.still_referred_to(kind, other)
                await self._shelves.remove(other, each)
        if kind == "certificates" and any(self._shelves.of_objects("plugins", _has_setting({"id": entity["id"]}))):
            raise answers.still_in_use(kind, "plugins")
        await self._shelves.remove(kind, entity)

    async def check(self, kind: str, value: Mapping[str, Any]) -> None:
        """Nothing, if this could be an entity."""
        await self._completed(kind, value, None)

    async def _completed(self, kind: str, value: Mapping[str, Any], before: Entity | None) -> Entity:
        resolved = {name: await self._resolved(kind, name, each) for name, each in value.items()}
        try:
            entity = completed(kind, resolved)
        except SchemaViolation as violation:
            raise answers.schema_violation(violation.fields) from None
        await self._check_references(kind, entity)
        entity["created_at"] = self._now if before is None else before.get("created_at", self._now)
        if "updated_at" in ENTITIES[kind].fields:
            entity["updated_at"] = self._now
        return entity

    async def _resolved(self, kind: str, field: str, value: Any) -> Any:
        """What a field refers to, by its id if it was named in another way."""
        other = REFERRED.get(field) if field in ENTITIES[kind].fields else None
        if other is None or not isinstance(value, dict) or "id" in value:
            return value
        for name in ENTITIES[other].unique:
            if isinstance(value.get(name), str) and len(value) == 1:
                found = await self._shelves.find(other, name, value[name])
                if found is None:
                    raise answers.unresolved(field, value, other)
                return {"id": found["id"]}
        return value

    async def _check_references(self, kind: str, entity: Entity) -> None:
        for field, other in REFERRED.items():
            value = entity.get(field)
            if field in ENTITIES[kind].fields and value and not await self._shelves.find(other, "id", value["id"]):
                raise answers.reference_broken(field, value["id"], other)
        for field, value in (entity.get("config") or {}).items():
            is_certificate = field.endswith("_client_certificate") and value
            if is_certificate and not await self._shelves.find("certificates", "id", value["id"]):
                raise answers.reference_broken(f"config.{field}", value["id"], "certificates")

    async def _check_unique(self, kind: str, entity: Entity) -> None:
        for field in ENTITIES[kind].unique:
            value = entity.get(field)
            other = await self._shelves.find(kind, field, value) if value else None
            if other is not None and other["id"] != entity["id"]:
                raise answers.taken({field: value})
        if kind == "plugins":
            wanted = {"name": entity["name"], **{scope: entity[scope] for scope in _SCOPES}}
            for each in self._shelves.of_objects(kind, lambda other: other["id"] != entity["id"]):
                if all(each[name] == value for name, value in wanted.items()):
                    raise answers.taken(wanted)


def _merged(before: Any, after: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in after.items():
        field = fields.get(name)
        is_nested = field is not None and field.kind == "record" and isinstance(merged.get(name), dict)
        if field is not None and is_nested and isinstance(value, dict):
            value = _merged(merged[name], value, field.fields or {})
        merged[name] = value
    return merged


def _refers(field: str, id_: str) -> Callable[[Entity], bool]:
    return lambda entity: (entity.get(field) or {}).get("id") == id_


def _has_setting(value: Any) -> Callable[[Entity], bool]:
    return lambda entity: any(each == value for each in (entity.get("config") or {}).values())
