"""Routes, services, upstreams and whatever else is no caller: made, changed, shown and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jwtgate.dialects.apisix.admin.calls.asked import Asked
from jwtgate.dialects.apisix.admin.calls.replies import not_found, told, wrong
from jwtgate.dialects.apisix.admin.kept_objects import entries, entry, with_object, without_object
from jwtgate.dialects.apisix.admin.patching import merged, replaced
from jwtgate.dialects.apisix.admin.resources import (
    METADATA,
    SECRETS,
    Entry,
    Resource,
    deleted,
    identity,
    key_of,
    missing_id,
    must_not_say_when,
)
from jwtgate.dialects.apisix.admin.stamps import Stamps, new_id
from jwtgate.dialects.apisix.admin.uses import must_be_unused
from jwtgate.dialects.apisix.at_rest import encrypted
from jwtgate.dialects.apisix.objects import check, completed
from jwtgate.dialects.dialect import Desk, Reply

_PRIVATE = {"ssls": ("key", "keys")}


@dataclass(frozen=True, slots=True)
class Stored:
    """The objects a node keeps. Whoever changes one holds `desk.changing` meanwhile."""

    desk: Desk
    stamps: Stamps
    keyring: tuple[str, ...]

    async def all(self, resource: Resource, *, under: str | None) -> Sequence[Entry]:
        """Every object of a collection; only those whose id begins with this part, if one is given."""
        found = entries((await self.desk.kept()).objects, resource.name)
        prefix = key_of(resource.name, "" if under is None else f"{under}/")
        return [_public(resource, each) for each in found if each.key.startswith(prefix)]

    async def get(self, resource: Resource, name: str) -> Entry:
        """One object. `Wrong`."""
        found = entry((await self.desk.kept()).objects, resource.name, name)
        if found is None:
            raise not_found()
        return _public(resource, found)

    async def put(self, resource: Resource, name: str | None, asked: Asked) -> Reply:
        """Make or replace the object of this id, which it may hold itself."""
        value = asked.members()
        if resource.name == METADATA:
            name = _plugin_named(name)
        else:
            name = identity(resource, name, value)
            value.setdefault("id", name)
        must_not_say_when(value)
        before = entry((await self.desk.kept()).objects, resource.name, name)
        value = self.stamps.dated(value, None if before is None else before.value)
        return await self._write(resource, name, value, asked)

    async def post(self, resource: Resource, name: str | None, asked: Asked) -> Reply:
        """Make an object that gets an id."""
        value = asked.members()
        if name is not None or "id" in value:
            raise wrong(f"wrong {resource.kind} id, do not need it")
        must_not_say_when(value)
        name = value["id"] = new_id(self.stamps.index())
        return await self._write(resource, name, self.stamps.dated(value, None), asked)

    async def patch(self, resource: Resource, name: str | None, path: Sequence[str], asked: Asked) -> Reply:
        """Change a part of an object: what the body says of it, or what stands at a path in it."""
        if name is None:
            raise missing_id(resource)
        if asked.value is None and not path:
            raise wrong("missing new configuration")
        if not path and not isinstance(asked.value, dict):
            raise wrong("invalid configuration")
        found = entry((await self.desk.kept()).objects, resource.name, name)
        if found is None:
            raise not_found()
        change = asked.value if not path else {}
        value = replaced(found.value, path, asked.value) if path else merged(found.value, change)
        if "update_time" not in change:
            value = {**value, "update_time": self.stamps.now()}
        identity(resource, name, value)
        return await self._write(resource, name, value, asked)

    async def delete(self, resource: Resource, name: str, *, force: bool, who: str) -> Reply:
        """Delete an object nobody uses, or any if that is forced. `Wrong`."""
        kept = await self.desk.kept()
        if entry(kept.objects, resource.name, name) is None:
            raise not_found()
        if not force:
            must_be_unused(kept.objects, resource.name, name)
        await self.desk.keep(without_object(kept.objects, resource.name, name), over=kept.version, who=who)
        return told(200, deleted(resource.name, name))

    async def _write(self, resource: Resource, name: str, value: Mapping[str, Any], asked: Asked) -> Reply:
        kept = await self.desk.kept()
        # The manager in the id of a secret is no part of what an id may be.
        plain = {**value, "id": name.partition("/")[2]} if resource.name == SECRETS else value
        check(resource.name, plain, objects=kept.objects, id=name)
        whole = completed(resource.name, value, kept.objects)
        ends = None if asked.ttl is None else self.stamps.now() + asked.ttl
        objects = with_object(kept.objects, resource.name, name, whole, index=self.stamps.index(), ends=ends)
        await self.desk.keep(objects, over=kept.version, who=asked.who)
        status = 200 if name in kept.objects.get(resource.name, {}) else 201
        return told(status, Entry(key_of(resource.name, name), encrypted(resource.name, whole, self.keyring)).written())


def _plugin_named(name: str | None) -> str:
    if name is None:
        raise wrong("missing plugin name")
    return name


def _public(resource: Resource, found: Entry) -> Entry:
    """An object as it is shown: a private key is not."""
    hidden = _PRIVATE.get(resource.name)
    if hidden is None:
        return found
    return replace(found, value={name: member for name, member in found.value.items() if name not in hidden})
