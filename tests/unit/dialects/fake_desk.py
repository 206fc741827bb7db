"""A node in memory, as much of it as a dialect's Admin API asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jwtgate.dialects.dialect import Caller, Conflict, Kept, Objects
from jwtgate.errors import ConfigError


class FakeDesk:
    """What `dialects.dialect.Desk` promises. `refusal`, when set, is what cannot be served about anything kept."""

    def __init__(self, objects: Objects | None = None) -> None:
        self.objects: Objects = objects or {}
        self.version = 0
        self.people: dict[str, dict[str, Any]] = {}
        self.refusal: str | None = None
        self.who: list[str] = []
        self.asked: list[str] = []
        self._changing = asyncio.Lock()
        self._owners: dict[str, str] = {}

    def changing(self) -> asyncio.Lock:
        """One change at a time."""
        return self._changing

    async def kept(self) -> Kept:
        """The objects now, which nobody may change in place."""
        return Kept(self.objects, self.version)

    async def keep(self, objects: Objects, *, over: int, who: str) -> None:
        """Keep these objects."""
        self._must_be_changing()
        if over != self.version:
            raise Conflict("the objects were changed meanwhile")
        self.objects, self.version = _copy(objects), over + 1
        self.who.append(who)

    async def caller(self, name: str) -> Mapping[str, Any] | None:
        """The whole value of one consumer."""
        self.asked.append(name)
        found: Mapping[str, Any] | None = _copy(self.people.get(name))
        return found

    async def caller_known_as(self, name: str) -> str | None:
        """The name of the consumer this is the id or the external id of."""
        known = (each for each, value in self.people.items() if name in (value.get("id"), value.get("external_id")))
        return next(known, None)

    async def callers(self, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Some consumers, in the order of their names."""
        names = sorted(name for name in self.people if name > after)[:limit]
        self.asked += names
        return [(name, _copy(self.people[name])) for name in names]

    async def caller_with(self, credential: str) -> str | None:
        """Whose credential this is the name of, or whose API key."""
        return self._owners.get(credential)

    async def put_caller(self, caller: Caller, *, who: str) -> None:
        """Know this consumer."""
        self._must_be_changing()
        external_id = caller.value.get("external_id")
        if external_id and await self.caller_known_as(external_id) not in (None, caller.name):
            raise ConfigError(f"The external id {external_id!r} is another's.")
        for name in _credential_names(caller.value):
            if self._owners.get(name, caller.name) != caller.name:
                raise ConfigError(f"The credential {name!r} is another's.")
        self._forget(caller.name)
        self.people[caller.name] = _copy(caller.value)
        self._owners.update(dict.fromkeys(_credential_names(caller.value), caller.name))
        self.who.append(who)

    async def delete_caller(self, name: str, *, who: str) -> bool:
        """Whether there was such a consumer."""
        self._must_be_changing()
        if any(name == each.get("username") for each in self.objects.get("consumers", {}).values()):
            raise Conflict("a file owns it")
        self.who.append(who)
        return self._forget(name)

    def _must_be_changing(self) -> None:
        assert self._changing.locked(), "a change needs `changing`"
        if self.refusal is not None:
            raise ConfigError(self.refusal)

    def _forget(self, name: str) -> bool:
        known = self.people.pop(name, None)
        for credential in _credential_names(known or {}):
            self._owners.pop(credential, None)
        return known is not None


def _credential_names(value: Mapping[str, Any]) -> Iterator[str]:
    for name, credential in value.get("credentials", {}).items():
        yield credential.get("api_key") or credential.get("named", name)


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
