"""Consumers and their credentials, kept as callers of the node: each found by itself, for there may be very many."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jwtgate.dialects.dialect import ANNOTATION, Caller, Desk, Meaning
from jwtgate.dialects.kong.admin.pages import Entity, Wanted
from jwtgate.dialects.kong.callers import caller_of, native_name
from jwtgate.errors import ConfigError

KONG = "kong"
_NOTED: Mapping[str, str] = {"jwt_secrets": "jwt", "keyauth_credentials": "keyauth"}
_AT_ONCE = 200
_BETWEEN = "\n"


@dataclass(frozen=True, slots=True)
class Person:
    """One consumer with its credentials by kind and id. `name` is the node's own of it; empty before it is known."""

    name: str
    consumer: Entity
    credentials: Mapping[str, Mapping[str, Entity]] = field(default_factory=dict, repr=False)

    def of(self, kind: str) -> dict[str, Entity]:
        """Its credentials of one kind, by id."""
        return dict(self.credentials.get(kind, {}))


class People:
    """The consumers of a node that Kong's Admin API has made."""

    def __init__(self, desk: Desk, who: str) -> None:
        self._desk = desk
        self._who = who

    async def consumer(self, field: str, value: str) -> Person | None:
        """The consumer with this `id`, `username` or `custom_id`."""
        if field == "username" and native_name({"username": value, "id": ""}) != value:
            # It is no name of ours, so nothing but looking leads from it to the consumer.
            return await anext((each async for each in self._all("") if each.consumer["username"] == value), None)
        name = value if field == "username" else await self._desk.caller_known_as(value)
        person = await self._named(name)
        return person if person is not None and person.consumer.get(field) == value else None

    async def credential(self, kind: str, field: str, value: str) -> tuple[Person, Entity] | None:
        """The credential with this `id` or `key`, and whose it is."""
        if field == "key":
            person = await self._named(await self._desk.caller_with(value))
            return None if person is None else self._of(person, kind, field, value)
        async for person in self._all(""):  # nothing else leads from an id to a consumer
            found = self._of(person, kind, field, value)
            if found is not None:
                return found
        return None

    async def page(self, kind: str, asked: Wanted) -> list[tuple[str, Entity]]:
        """These entities and one more, each with the text behind which the next page begins."""
        found: list[tuple[str, Entity]] = []
        name, _, id_ = asked.after.partition(_BETWEEN)
        if kind != "consumers" and id_:
            person = await self._named(name)
            found += [] if person is None else self._marked(person, kind, asked, id_)
        async for person in self._all(name):
            if len(found) > asked.size:
                break
            found += self._marked(person, kind, asked, "")
        return found[: asked.size + 1]

    def page_of(self, person: Person, kind: str, asked: Wanted) -> list[tuple[str, Entity]]:
        """The same of one consumer's credentials."""
        return self._marked(person, kind, asked, asked.after.partition(_BETWEEN)[2])[: asked.size + 1]

    async def put(self, person: Person) -> None:
        """Know this consumer from now on, under another name perhaps. `ConfigError`."""
        caller = _caller(person)
        renamed = person.name not in ("", caller.name)
        before = await self._desk.caller(person.name) if renamed else None
        if renamed:
            await self._desk.delete_caller(person.name, who=self._who)
        try:
            await self._desk.put_caller(caller, who=self._who)
        except Exception:
            if before is not None:
                await self._desk.put_caller(Caller(person.name, dict(before)), who=self._who)
            raise

    async def remove(self, person: Person) -> None:
        """Forget this consumer and its credentials."""
        await self._desk.delete_caller(person.name, who=self._who)

    async def any(self) -> bool:
        """Whether there is a consumer."""
        return await anext(self._all(""), None) is not None

    async def remove_all(self) -> None:
        """Forget every consumer."""
        async for person in self._all(""):
            await self.remove(person)

    async def _named(self, name: str | None) -> Person | None:
        value = None if name is None else await self._desk.caller(name)
        return None if name is None or value is None else _person(name, value)

    async def _all(self, after: str) -> AsyncIterator[Person]:
        while found := await self._desk.callers(after=after, limit=_AT_ONCE):
            for name, value in found:
                person = _person(name, value)
                if person is not None:
                    yield person
            after = found[-1][0]

    def _marked(self, person: Person, kind: str, asked: Wanted, after: str) -> list[tuple[str, Entity]]:
        if kind == "consumers":
            return [(person.name, person.consumer)] if asked.has(person.consumer) else []
        held = sorted(person.of(kind).items())
        return [(f"{person.name}{_BETWEEN}{id_}", each) for id_, each in held if id_ > after and asked.has(each)]

    def _of(self, person: Person, kind: str, field: str, value: str) -> tuple[Person, Entity] | None:
        found = (each for each in person.of(kind).values() if each.get(field) == value)
        return next(((person, each) for each in found), None)


def with_credential(person: Person, kind: str, id_: str, credential: Entity | None) -> Person:
    """The consumer with this credential in place of the one of its id, or without it."""
    held = {other: each for other, each in person.of(kind).items() if other != id_}
    if credential is not None:
        held[id_] = credential
    return replace(person, credentials={**person.credentials, kind: held})


def _person(name: str, value: Mapping[str, Any]) -> Person | None:
    """The consumer a caller is, unless somebody else than Kong's Admin API made it."""
    noted = value.get(ANNOTATION, {}).get(KONG)
    if noted is None:
        return None
    owner = {"consumer": {"id": noted["consumer"]["id"]}}
    held = {
        kind: {id_: {**each, **owner} for id_, each in noted.get(word, {}).items()} for kind, word in _NOTED.items()
    }
    return Person(name, noted["consumer"], held)


def _caller(person: Person) -> Caller:
    caller = caller_of(person.consumer, person.of("jwt_secrets").values(), person.of("keyauth_credentials").values())
    refused = [f"{note.place}: {note.sentence}" for note in caller.notes if note.meaning is Meaning.REFUSED]
    if refused:
        raise ConfigError(*refused)
    return caller
