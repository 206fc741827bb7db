"""Consumers and their credentials: made, changed, shown and deleted, each without a look at the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jwtgate.dialects.apisix.admin.calls.asked import Asked
from jwtgate.dialects.apisix.admin.calls.replies import Wrong, not_found, told, wrong
from jwtgate.dialects.apisix.admin.duplicates import must_be_unique
from jwtgate.dialects.apisix.admin.kept_objects import collection, with_end
from jwtgate.dialects.apisix.admin.records import Record, record_of
from jwtgate.dialects.apisix.admin.resources import (
    CONSUMERS,
    CREDENTIALS,
    RESOURCES,
    Entry,
    deleted,
    identity,
    must_not_say_when,
)
from jwtgate.dialects.apisix.admin.stamps import Stamps
from jwtgate.dialects.apisix.admin.uses import in_use
from jwtgate.dialects.apisix.at_rest import encrypted
from jwtgate.dialects.apisix.objects import check, completed, must_have_secret
from jwtgate.dialects.apisix.plugins.public_api import SIGNING
from jwtgate.dialects.dialect import Desk, Objects, Reply

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Callers:
    """The consumers of a node. Whoever changes one holds `desk.changing` meanwhile.

    `secrets_are_made`: who lacks the secret its algorithm needs is given one, and else refused.
    """

    desk: Desk
    stamps: Stamps
    keyring: tuple[str, ...]
    secrets_are_made: bool = True

    async def all(self) -> Sequence[Record]:
        """Every consumer, by name."""
        found = _records((await self.desk.kept()).objects)
        last = ""
        while page := await self.desk.callers(after=last, limit=_AT_ONCE):
            records = (record_of(value) for _, value in page)
            found += [record for record in records if record is not None]
            last = page[-1][0]
        return found

    async def find(self, username: str) -> Record | None:
        """The consumer of this name, of the store or of the file; None when there is none."""
        objects = (await self.desk.kept()).objects
        if username in collection(objects, CONSUMERS):
            return next(record for record in _records(objects) if record.username == username)
        return record_of(await self.desk.caller(username))

    async def get(self, username: str) -> Entry:
        """The consumer as it is shown. `Wrong`."""
        found = await self.find(username)
        if found is None:
            raise not_found()
        return found.entry()

    async def put(self, username: str | None, asked: Asked) -> Reply:
        """Make or replace a consumer; its credentials stay."""
        value = asked.members()
        must_not_say_when(value)
        objects = (await self.desk.kept()).objects
        self._check(CONSUMERS, value, objects, name=username or "")
        name = str(value["username"])
        if username not in (None, name):
            raise wrong("wrong username")
        before = await self.find(name)
        value = completed(CONSUMERS, self.stamps.dated(value, None if before is None else before.consumer), objects)
        record = (before or Record(value)).with_consumer(value, self.stamps.index())
        await must_be_unique(self.desk, record, None)
        await self._keep(record, objects, asked.who)
        await self.end(f"{CONSUMERS}/{name}", asked.ttl, who=asked.who)
        return self._written(CONSUMERS, record.entry(), before)

    def _check(self, collection: str, value: dict[str, Any], objects: Objects, *, name: str) -> None:
        """`Invalid` for what is not taken."""
        check(collection, value, objects=objects, id=name)
        if not self.secrets_are_made:
            must_have_secret(value)

    async def delete(self, username: str, *, who: str) -> Reply:
        """Delete a consumer, its credentials with it. `Wrong`."""
        if await self.find(username) is None or not await self.desk.delete_caller(username, who=who):
            raise not_found()
        await self.end(f"{CONSUMERS}/{username}", None, who=who)
        return told(200, deleted(CONSUMERS, username))

    async def get_credential(self, username: str, name: str) -> Entry:
        """A credential as it is shown. `Wrong`."""
        record = await self.find(username)
        if record is None or name not in record.credentials:
            raise not_found()
        return record.credential(name)

    async def all_credentials(self, username: str) -> Sequence[Entry]:
        """Every credential of a consumer. `Wrong` when there is none."""
        record = await self.find(username)
        if record is None or not record.credentials:
            raise not_found()
        return [record.credential(each) for each in record.credentials]

    async def put_credential(self, username: str, name: str | None, asked: Asked) -> Reply:
        """Make or replace a credential of a consumer."""
        value = asked.members()
        name = identity(RESOURCES[CREDENTIALS], name, value)
        value.setdefault("id", name)
        must_not_say_when(value)
        record = await self.find(username)
        if record is None:
            raise Wrong(404, {"error_msg": "consumer not found"})
        objects = (await self.desk.kept()).objects
        self._check(CREDENTIALS, value, objects, name=name)
        before = record.credentials.get(name)
        value = completed(CREDENTIALS, self.stamps.dated(value, before), objects)
        record = record.with_credential(name, value, self.stamps.index())
        await must_be_unique(self.desk, record, name)
        await self._keep(record, objects, asked.who)
        await self.end(f"{CREDENTIALS}/{username}/{name}", asked.ttl, who=asked.who)
        return self._written(CREDENTIALS, record.credential(name), before)

    async def delete_credential(self, username: str, name: str, *, who: str) -> Reply:
        """Delete a credential of a consumer. `Wrong`."""
        record = await self.find(username)
        if record is None or name not in record.credentials:
            raise not_found()
        await self._keep(record.without_credential(name), (await self.desk.kept()).objects, who)
        await self.end(f"{CREDENTIALS}/{username}/{name}", None, who=who)
        return told(200, {"deleted": "1", "key": record.credential(name).key})

    async def must_not_use(self, group: str) -> None:
        """`Wrong` when a consumer belongs to this group."""
        for record in await self._of(group):
            raise in_use("consumer group,", "consumer", record.username)

    async def put_again(self, group: str, *, who: str) -> None:
        """Have the consumers of a group be what the group now makes of them."""
        objects = (await self.desk.kept()).objects
        for record in await self._of(group):
            await self._keep(record, objects, who)

    async def _of(self, group: str) -> Sequence[Record]:
        return [record for record in await self.all() if str(record.consumer.get("group_id")) == group]

    async def _keep(self, record: Record, objects: Objects, who: str) -> None:
        caller = record.caller(objects)
        if record.can_sign and not objects.get(SIGNING):
            kept = await self.desk.kept()
            await self.desk.keep({**kept.objects, SIGNING: True}, over=kept.version, who=who)
        await self.desk.put_caller(caller, who=who)

    async def end(self, place: str, ttl: int | None, *, who: str) -> None:
        """Note that what a caller has at this place ends in so many seconds, or never."""
        kept = await self.desk.kept()
        objects = with_end(kept.objects, place, None if ttl is None else self.stamps.now() + ttl)
        if objects is not kept.objects:
            await self.desk.keep(objects, over=kept.version, who=who)

    def _written(self, name: str, entry: Entry, before: object) -> Reply:
        shown = replace(entry, value=encrypted(name, entry.value, self.keyring))
        return told(201 if before is None else 200, shown.written())


def _records(objects: Objects) -> list[Record]:
    """The consumers of a file."""
    held: dict[str, dict[str, Any]] = {}
    for name, value in collection(objects, CREDENTIALS).items():
        username, _, identity = name.partition("/")
        held.setdefault(username, {})[identity] = value
    return [Record(value, held.get(name, {})) for name, value in collection(objects, CONSUMERS).items()]
