"""Where one call finds and puts entities: among the objects of the node, or with its callers.

Objects are changed in a copy and kept as a whole at the end, so that a call that fails half-way has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jwtgate.dialects.dialect import Desk, Kept, Objects
from jwtgate.dialects.kong.admin.answers import unsupported
from jwtgate.dialects.kong.admin.kinds import PEOPLE
from jwtgate.dialects.kong.admin.pages import Entity, Wanted
from jwtgate.dialects.kong.admin.people import People, Person, with_credential

DECLARED = "declared"
"""The member of the objects that says they were given as a whole, and holds the digest of what was given."""
EVERYTHING = Wanted(size=1_000_000)


class Shelves:
    """The entities as one call sees them. `is_declarative`: they are given as a whole, and can be read only."""

    def __init__(self, desk: Desk, kept: Kept, who: str, *, is_declarative: bool) -> None:
        self.is_declarative = is_declarative or DECLARED in kept.objects
        self._is_file = is_declarative
        self.objects: Objects = dict(kept.objects)
        self.people = People(desk, who)
        self._desk = desk
        self._kept = kept
        self._who = who
        self._leaving: list[Person] = []
        self._everybody_leaves = False

    async def find(self, kind: str, field: str, value: str) -> Entity | None:
        """The entity whose `id`, or other field by which it is unique, has this value."""
        if not self._is_with_callers(kind):
            return self._find(kind, field, value)
        if kind == "consumers":
            person = await self.people.consumer(field, value)
            return None if person is None else person.consumer
        found = await self.people.credential(kind, field, value)
        return None if found is None else found[1]

    async def find_below(self, kind: str, owner: tuple[str, str], named: tuple[str, str]) -> Entity | None:
        """The entity with this field that belongs to the owner, given as a field and an id."""
        if self._is_with_callers(kind) and owner[0] == "consumer":
            person = await self.people.consumer("id", owner[1])
            found = iter(person.of(kind).values()) if person is not None else iter(())
            return next((each for each in found if each.get(named[0]) == named[1]), None)
        field, value = named
        below = self.of_objects(kind, lambda entity: _belongs(entity, owner) and entity.get(field) == value)
        return next(below, None)

    async def page(self, kind: str, asked: Wanted, owner: tuple[str, str] | None = None) -> list[tuple[str, Entity]]:
        """The entities asked for and one more, each with what the next page begins behind."""
        if not self._is_with_callers(kind):
            held = sorted(self.objects.get(kind, {}).items())
            fitting = ((id_, each) for id_, each in held if id_ > asked.after and _belongs(each, owner))
            return [pair for pair in fitting if asked.has(pair[1])][: asked.size + 1]
        if owner is None:
            return await self.people.page(kind, asked)
        person = await self.people.consumer("id", owner[1])
        return [] if person is None else self.people.page_of(person, kind, asked)

    def of_objects(self, kind: str, fits: Callable[[Entity], bool]) -> Iterator[Entity]:
        """The entities of a kind among the objects that fit."""
        return (each for each in list(self.objects.get(kind, {}).values()) if fits(each))

    async def put(self, kind: str, entity: Entity, operation: str) -> None:
        """Have this entity from now on."""
        self.must_change(kind, operation)
        if not self._is_with_callers(kind):
            self.objects[kind] = {**self.objects.get(kind, {}), entity["id"]: entity}
            return
        if kind == "consumers":
            person = await self.people.consumer("id", entity["id"]) or Person("", entity)
            await self.people.put(Person(person.name, entity, person.credentials))
            return
        owner = await self._owner(entity)
        await self.people.put(with_credential(owner, kind, entity["id"], entity))

    async def remove(self, kind: str, entity: Entity) -> None:
        """Have this entity no more."""
        self.must_change(kind, "remove")
        if not self._is_with_callers(kind):
            self.objects[kind] = {id_: each for id_, each in self.objects[kind].items() if id_ != entity["id"]}
            return
        if kind == "consumers":
            person = await self.people.consumer("id", entity["id"])
            self._leaving += [] if person is None else [person]
            return
        await self.people.put(with_credential(await self._owner(entity), kind, entity["id"], None))

    def replace(self, objects: Objects) -> None:
        """Have these objects and nothing else, nor any consumer but theirs."""
        self.objects = objects
        self._everybody_leaves = not self._is_file

    async def commit(self) -> None:
        """Keep what was changed. `ConfigError` when it cannot be served, `Conflict` when others were quicker."""
        if self.objects != self._kept.objects:
            await self._desk.keep(self.objects, over=self._kept.version, who=self._who)
        for person in self._leaving:
            await self.people.remove(person)
        if self._everybody_leaves:
            await self.settle()

    async def settle(self) -> None:
        """Forget the consumers from before the entities were given as a whole: nobody could see or delete them.

        Those given are away meanwhile, since nobody of theirs names can leave while they are there.
        """
        if self._is_file or DECLARED not in (kept := await self._desk.kept()).objects or not await self.people.any():
            return
        without = {kind: held for kind, held in kept.objects.items() if kind not in PEOPLE}
        await self._desk.keep({**without, DECLARED: ""}, over=kept.version, who=self._who)
        await self.people.remove_all()
        await self._desk.keep(kept.objects, over=(await self._desk.kept()).version, who=self._who)

    def _is_with_callers(self, kind: str) -> bool:
        return kind in PEOPLE and not self.is_declarative

    def must_change(self, kind: str, operation: str) -> None:
        """A 405 where entities can be read only."""
        if self.is_declarative:
            raise unsupported(operation, kind)

    def _find(self, kind: str, field: str, value: str) -> Entity | None:
        held: dict[str, Entity] = self.objects.get(kind, {})
        if field == "id":
            return held.get(value)
        return next((each for each in held.values() if each.get(field) == value), None)

    async def _owner(self, credential: Entity) -> Person:
        person = await self.people.consumer("id", credential["consumer"]["id"])
        assert person is not None, "a credential's consumer is looked for before"  # noqa: S101
        return person


def _belongs(entity: dict[str, Any], owner: tuple[str, str] | None) -> bool:
    return owner is None or (entity.get(owner[0]) or {}).get("id") == owner[1]
