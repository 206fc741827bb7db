"""All objects at once, in the shape of a declarative file: read, and replaced by another set of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jwtgate.dialects.apisix.admin.callers import Callers
from jwtgate.dialects.apisix.admin.calls.asked import Asked
from jwtgate.dialects.apisix.admin.calls.replies import Wrong, told, wrong
from jwtgate.dialects.apisix.admin.kept_objects import collection, with_object
from jwtgate.dialects.apisix.admin.records import Record
from jwtgate.dialects.apisix.admin.resources import CONSUMERS, CREDENTIALS, METADATA, RESOURCES
from jwtgate.dialects.apisix.admin.stored import Stored
from jwtgate.dialects.apisix.objects import Invalid, check, completed
from jwtgate.dialects.apisix.plugins.public_api import SIGNING
from jwtgate.dialects.dialect import Objects, Reply

VERSIONS = "versions"
_VERSION = "_conf_version"
_STORED = tuple(name for name in RESOURCES if name not in (CONSUMERS, CREDENTIALS))
_KNOWN = frozenset({*_STORED, CONSUMERS})


@dataclass(frozen=True, slots=True)
class Configs:
    """The whole of what a node keeps."""

    stored: Stored
    callers: Callers

    async def answer(self, asked: Asked) -> Reply:
        """What is said to a call. `Wrong`, and whatever the node refuses."""
        if asked.segment(1) is not None:
            raise wrong("not found", status=404)
        if asked.method == "GET":
            return told(200, await self._all())
        if asked.method == "PUT":
            return await self._replace(asked)
        raise wrong("not found", status=404)

    async def _all(self) -> dict[str, Any]:
        objects = (await self.stored.desk.kept()).objects
        held: dict[str, Any] = {name: list(collection(objects, name).values()) for name in _STORED}
        held[CONSUMERS] = [entry for record in await self.callers.all() for entry in _entries(record)]
        return {**held, **collection(objects, VERSIONS)}

    async def _replace(self, asked: Asked) -> Reply:
        whole = asked.members()
        kept = await self.stored.desk.kept()
        objects = self._objects(whole, collection(kept.objects, VERSIONS))
        records = self._records(whole, objects)
        objects[SIGNING] = any(record.can_sign for record in records)
        callers = [record.caller(objects) for record in records]
        await self.stored.desk.keep(objects, over=kept.version, who=asked.who)
        wanted = {record.username for record in records}
        for record in await self.callers.all():
            if record.username not in wanted:
                await self.stored.desk.delete_caller(record.username, who=asked.who)
        for caller in callers:
            await self.stored.desk.put_caller(caller, who=asked.who)
        return told(202)

    def _objects(self, whole: Mapping[str, Any], before: Mapping[str, int]) -> Objects:
        """The objects this body holds, but for its consumers. `Wrong`."""
        objects: Objects = {VERSIONS: _versions(whole, before)}
        for name in _STORED:
            for place, value in _listed(whole, name):
                named = value.get("id")
                if not isinstance(named, str | int) or isinstance(named, bool):
                    raise wrong(f"{place}: missing {RESOURCES[name].kind} id")
                value = self.stored.stamps.dated(value, value)
                if name == METADATA:
                    value.pop("id")
                index = self.stored.stamps.index()
                objects = with_object(objects, name, str(named), value, index=index, ends=None)
        for name in _STORED:
            for identity, value in collection(objects, name).items():
                _checked(f"{name}/{identity}", name, value, objects, identity)
        return objects

    def _records(self, whole: Mapping[str, Any], objects: Objects) -> list[Record]:
        """The consumers this body holds, each with its credentials. `Wrong`."""
        found: dict[str, Record] = {}
        credentials: list[tuple[str, str, str, dict[str, Any]]] = []
        for place, value in _listed(whole, CONSUMERS):
            username, _, credential = str(value.get("id", "")).partition(f"/{CREDENTIALS}/")
            if credential:
                credentials.append((place, username, credential, {**value, "id": credential}))
                continue
            value.pop("id", None)
            whole_value = self._whole(place, CONSUMERS, value, objects, None)
            found[whole_value["username"]] = Record(whole_value).with_consumer(whole_value, self.stored.stamps.index())
        for place, username, credential, value in credentials:
            if username not in found:
                raise wrong(f"{place}: consumer not found")
            whole_value = self._whole(place, CREDENTIALS, value, objects, credential)
            index = self.stored.stamps.index()
            found[username] = found[username].with_credential(credential, whole_value, index)
        return list(found.values())

    def _whole(
        self, place: str, name: str, value: Mapping[str, Any], objects: Objects, identity: str | None
    ) -> dict[str, Any]:
        _checked(place, name, value, objects, identity)
        whole: dict[str, Any] = completed(name, self.stored.stamps.dated(value, value), objects)
        return whole


def _entries(record: Record) -> Iterator[Mapping[str, Any]]:
    yield record.consumer
    for identity, value in record.credentials.items():
        yield {**value, "id": f"{record.username}/{CREDENTIALS}/{identity}"}


def _listed(whole: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    values = whole.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise wrong(f"{name}: wrong type: expected a list of objects")
    yield from ((f"{name}/{index}", dict(value)) for index, value in enumerate(values))


def _checked(place: str, name: str, value: Mapping[str, Any], objects: Objects, identity: str | None) -> None:
    try:
        check(name, value, objects=objects, id=identity or "")
    except Invalid as mistake:
        raise wrong(f"{place}: {mistake}") from None


def _versions(whole: Mapping[str, Any], before: Mapping[str, int]) -> dict[str, int]:
    """The versions a body says its collections have, none of them less than it was. `Wrong`."""
    found = dict(before)
    for name, value in whole.items():
        if name in _KNOWN:
            continue
        if name.removesuffix(_VERSION) not in _KNOWN:
            raise Wrong(400, {"error_msg": f"Unsupported resource type: {name}"})
        least = before.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise wrong(f"{name} must be greater than or equal to ({least})")
        found[name] = value
    return found
