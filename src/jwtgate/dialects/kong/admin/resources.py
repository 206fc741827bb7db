"""Addresses of entities: which entities a path means, and what each method does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jwtgate.dialects.dialect import Call, Reply
from jwtgate.dialects.kong.admin.answers import answer, bad_unique, not_allowed, not_found
from jwtgate.dialects.kong.admin.changes import Changes, given, is_uuid
from jwtgate.dialects.kong.admin.kinds import REFERRED, kind_at, kind_below
from jwtgate.dialects.kong.admin.pages import Entity, page, wanted
from jwtgate.dialects.kong.admin.shelves import Shelves
from jwtgate.dialects.kong.entities import ENTITIES

_OF_MANY, _OF_ONE, _OF_OWNER = ("GET", "POST"), ("GET", "PUT", "PATCH", "DELETE"), ("GET", "PATCH")
_LONGEST_NAME = 4_096


@dataclass(frozen=True, slots=True)
class Place:
    """A kind at a path: of all its entities or of one `name`, and of those that belong to `owner` perhaps."""

    kind: str
    name: str | None = None
    owner: tuple[str, str] | None = None


class Resources:
    """The entities of one call."""

    def __init__(self, shelves: Shelves, now: int) -> None:
        self._shelves = shelves
        self._changes = Changes(shelves, now)

    async def answer(self, call: Call, segments: list[str]) -> Reply:
        """What is answered at this path, in its decoded parts."""
        kind = kind_at(segments[0])
        if kind is None or len(segments) > 4:
            raise not_found()
        if len(segments) < 3:
            return await self._at(call, Place(kind, _at(segments, 1)))
        below = kind_below(kind, segments[2])
        if below is not None:
            owner = await self._existing(Place(kind, segments[1]))
            return await self._at(call, Place(below[0], _at(segments, 3), (below[1], owner["id"])))
        if len(segments) == 3 and segments[2] in ENTITIES[kind].fields and segments[2] in REFERRED:
            return await self._of_owner(call, Place(kind, segments[1]), segments[2])
        raise not_found()

    async def _at(self, call: Call, place: Place) -> Reply:
        return await (self._of_many(call, place) if place.name is None else self._of_one(call, place))

    async def _of_many(self, call: Call, place: Place) -> Reply:
        if call.method == "GET":
            asked = wanted(call.query)
            if place.kind == "consumers" and asked.custom_id is not None:
                found = await self._shelves.find(place.kind, "custom_id", asked.custom_id)
                return page([] if found is None else [("", found)], asked, call.path)
            return page(await self._shelves.page(place.kind, asked, place.owner), asked, call.path)
        if call.method == "POST":
            value = {**given(call, place.kind), **_belonging(place)}
            return answer(201, await self._changes.create(place.kind, value))
        raise not_allowed(*_OF_MANY)

    async def _of_one(self, call: Call, place: Place) -> Reply:
        match call.method:
            case "GET":
                return answer(200, await self._existing(place))
            case "PUT":
                before = await self._found(place)
                value = {**given(call, place.kind, before), **_belonging(place)}
                return answer(200, await self._changes.upsert(place.kind, place.name or "", value, before))
            case "PATCH":
                before = await self._existing(place)
                value = {**given(call, place.kind, before), **_belonging(place)}
                return answer(200, await self._changes.update(place.kind, before, value))
            case "DELETE":
                return await self._deleted(place)
        raise not_allowed(*_OF_ONE)

    async def _deleted(self, place: Place) -> Reply:
        entity = await self._found(place)
        if entity is not None:
            await self._changes.delete(place.kind, entity)
        elif place.owner is not None:
            raise not_found()
        return Reply(204)

    async def _of_owner(self, call: Call, place: Place, field: str) -> Reply:
        """What one entity belongs to."""
        if call.method not in _OF_OWNER:
            raise not_allowed(*_OF_OWNER)
        entity = await self._existing(place)
        if entity.get(field) is None:
            raise not_found()
        return await self._at(call, Place(REFERRED[field], entity[field]["id"]))

    async def _existing(self, place: Place) -> Entity:
        entity = await self._found(place)
        if entity is None:
            raise not_found()
        return entity

    async def _found(self, place: Place) -> Entity | None:
        name, key = place.name or "", ENTITIES[place.kind].key
        if len(name) > _LONGEST_NAME or "\0" in name:
            raise bad_unique(key or "id", "invalid value")
        by = ("id", name.lower()) if is_uuid(name) else (key, name)
        if by[0] is None:
            return None
        named: tuple[str, str] = (by[0], by[1])
        if place.owner is None:
            return await self._shelves.find(place.kind, *named)
        return await self._shelves.find_below(place.kind, place.owner, named)


def _at(segments: list[str], index: int) -> str | None:
    return segments[index] if len(segments) > index else None


def _belonging(place: Place) -> dict[str, Any]:
    return {} if place.owner is None else {place.owner[0]: {"id": place.owner[1]}}
