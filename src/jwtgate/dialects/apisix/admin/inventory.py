"""Every collection of the Admin API: which method of which object is meant, and what follows from a change."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from jwtgate.control.journal import event
from jwtgate.dialects.apisix.admin.callers import Callers
from jwtgate.dialects.apisix.admin.calls.asked import Asked
from jwtgate.dialects.apisix.admin.calls.listing import listed
from jwtgate.dialects.apisix.admin.calls.replies import Wrong, told
from jwtgate.dialects.apisix.admin.kept_objects import ended
from jwtgate.dialects.apisix.admin.resources import (
    CONSUMERS,
    CREDENTIALS,
    GROUPS,
    RESOURCES,
    SECRETS,
    Resource,
    identity,
    missing_id,
    resource_named,
)
from jwtgate.dialects.apisix.admin.stored import Stored
from jwtgate.dialects.dialect import Conflict, Reply
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import StoreFailed

_GATEWAY = "apisix:ttl"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects and the callers of a node."""

    stored: Stored
    callers: Callers
    _stuck: set[str] = field(default_factory=set)

    async def answer(self, asked: Asked) -> Reply:
        """What is said to a call. `Wrong`, and whatever the node refuses."""
        name = asked.segment(0)
        if name == CONSUMERS and asked.segment(2) == CREDENTIALS:
            return await self._credential(asked, asked.segments[1])
        resource = resource_named(None if name == CREDENTIALS else name)
        resource.must_support(asked.method)
        asked.ttl  # noqa: B018 - a mistake in it is told of whatever else is wrong
        if name == CONSUMERS:
            return await self._consumer(asked, asked.segment(1))
        return await self._object(resource, asked)

    async def expire(self) -> None:
        """Delete what has lived long enough. What cannot go, since others need it, stays and is told of once."""
        objects = (await self.stored.desk.kept()).objects
        for place in ended(objects, self.stored.stamps.now()):
            if place in self._stuck:
                continue
            try:
                async with self.stored.desk.changing():
                    await self._expire(place)
            except (ConfigError, Conflict, StoreFailed) as trouble:
                self._stuck.add(place)
                event("object_not_expired", level=logging.WARNING, place=place, error=trouble)

    async def _expire(self, place: str) -> None:
        name, _, identity = place.partition("/")
        try:
            if name == CONSUMERS:
                await self.callers.delete(identity, who=_GATEWAY)
            elif name == CREDENTIALS:
                username, _, credential = identity.partition("/")
                await self.callers.delete_credential(username, credential, who=_GATEWAY)
            else:
                await self.stored.delete(RESOURCES[name], identity, force=True, who=_GATEWAY)
        except Wrong:  # gone meanwhile
            await self.callers.end(place, None, who=_GATEWAY)

    async def _consumer(self, asked: Asked, username: str | None) -> Reply:
        callers = self.callers
        if asked.method == "PUT":
            return await callers.put(username, asked)
        if username is None and asked.method == "GET":
            return told(200, listed([record.entry() for record in await callers.all()], asked.query))
        if username is None:
            raise missing_id(RESOURCES[CONSUMERS])
        if asked.method == "GET":
            return told(200, (await callers.get(username)).shown())
        return await callers.delete(username, who=asked.who)

    async def _credential(self, asked: Asked, username: str) -> Reply:
        resource, callers, name = RESOURCES[CREDENTIALS], self.callers, asked.segment(3)
        resource.must_support(asked.method)
        asked.ttl  # noqa: B018 - as above
        if asked.method == "PUT":
            return await callers.put_credential(username, name, asked)
        if name is None and asked.method == "GET":
            return told(200, listed(await callers.all_credentials(username), asked.query))
        if name is None:
            raise missing_id(resource)
        if asked.method == "GET":
            return told(200, (await callers.get_credential(username, name)).shown())
        return await callers.delete_credential(username, name, who=asked.who)

    async def _object(self, resource: Resource, asked: Asked) -> Reply:
        name, rest = _place(resource, asked)
        if asked.method == "GET":
            return await self._shown(resource, name, asked)
        if asked.method == "DELETE":
            return await self._delete(resource, name, asked)
        if asked.method == "POST":
            return await self.stored.post(resource, name, asked)
        if asked.method == "PATCH":
            reply = await self.stored.patch(resource, name, rest, asked)
        else:
            reply = await self.stored.put(resource, name, asked)
        if resource.name == GROUPS:
            group = name if name is not None else identity(resource, None, asked.members())
            await self.callers.put_again(group, who=asked.who)
        return reply

    async def _shown(self, resource: Resource, name: str | None, asked: Asked) -> Reply:
        under = asked.segment(1) if resource.name == SECRETS else None
        if name is None:
            return told(200, listed(await self.stored.all(resource, under=under), asked.query))
        return told(200, (await self.stored.get(resource, name)).shown())

    async def _delete(self, resource: Resource, name: str | None, asked: Asked) -> Reply:
        if name is None:
            raise missing_id(resource)
        force = asked.query.get("force") == "true"
        if resource.name == GROUPS and not force:
            await self.callers.must_not_use(name)
        reply = await self.stored.delete(resource, name, force=force, who=asked.who)
        if resource.name == GROUPS:
            await self.callers.put_again(name, who=asked.who)
        return reply


def _place(resource: Resource, asked: Asked) -> tuple[str | None, tuple[str, ...]]:
    """The id a call names, and the path behind it. The id of a secret has two parts."""
    if resource.name != SECRETS:
        return asked.segment(1), _path(asked.segments[2:])
    manager, name = asked.segment(1), asked.segment(2)
    return (None if manager is None or name is None else f"{manager}/{name}"), _path(asked.segments[3:])


def _path(segments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, segments))
