"""Consumers and their credentials, administered one by one: live in every worker without a new generation.

A change is checked as a document would be, then kept, then known to the directory, and then every worker hears of it.
Consumers of the file are the file's; those of an applied document are changed as a part of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from jwtgate.config.parts import check_consumer
from jwtgate.config.redact import without_secrets
from jwtgate.config.references import consumer_must_resolve, may_resolve
from jwtgate.control.administration.carried_through import carried_through
from jwtgate.control.administration.documents import GATEWAY, Documents
from jwtgate.control.administration.host import Host
from jwtgate.control.administration.layers import entries, restored
from jwtgate.control.administration.resources import FROM_FILE, FROM_STORE, NotFound, OwnedByDocument, Page, Resource
from jwtgate.control.built import Built
from jwtgate.control.journal import event
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.policy.callers import Consumer, api_key_name
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ConsumerSource, CredentialSource
from jwtgate.state.callers.consumer_index import What, credential_of_name
from jwtgate.state.callers.credentials import credential_of, resolved
from jwtgate.state.callers.directory import Found, Origin
from jwtgate.state.secrets.references import references_in
from jwtgate.state.stores.registry import Kind
from jwtgate.state.stores.registry import Resource as Kept
from jwtgate.state.stores.store import StoreConflict, StoreFailed

CONSUMERS, CREDENTIALS = "consumers", "credentials"
_WHAT = {CONSUMERS: What.CONSUMER, CREDENTIALS: What.CREDENTIAL}


class Consumers:
    """The callers of a node."""

    def __init__(self, host: Host, documents: Documents) -> None:
        self._host = host
        self._documents = documents

    @property
    def _built(self) -> Built:
        return self._host.running

    async def list(self, kind: str, *, after: str | None, limit: int, contains: str | None) -> Page:
        """Consumers or credentials whose name holds `contains`, in the order of their names."""
        return await asyncio.to_thread(self._list, kind, after or "", limit, contains or "")

    async def get(self, kind: str, name: str) -> Resource:
        """The consumer or the credential of this name. `NotFound`."""
        return await asyncio.to_thread(self._get, kind, name)

    async def put(self, kind: str, name: str, value: JSON, *, over: int | None, who: str) -> Resource:
        """Know this consumer or credential from now on. `ConfigError`, `OwnedByDocument`, and those of the store."""
        if not isinstance(value, dict):
            raise ConfigError("The value must be an object.")
        async with self._host.changing:
            if kind == CREDENTIALS:
                return await self._put_credential(name, value, over=over, who=who)
            return await self._put(name, value, over=over, who=who)

    async def delete(self, kind: str, name: str, *, over: int | None, who: str) -> None:
        """Forget this consumer or credential. `NotFound`, and as `put`."""
        async with self._host.changing:
            if kind == CREDENTIALS:
                await self._delete_credential(name, over=over, who=who)
                return
            if await asyncio.to_thread(self._is_of_document, name):
                await self._documents.delete_now(CONSUMERS, name, over=over, who=who)
                return
            await carried_through(self._delete_and_tell(name, over=over, who=who))

    # Consumers.

    async def _put(self, name: str, value: dict[str, Any], *, over: int | None, who: str) -> Resource:
        if await asyncio.to_thread(self._is_of_document, name):
            return await self._documents.put_now(CONSUMERS, name, value, over=over, who=who)
        stores = self._built.secret_stores
        await stores.fetch(references_in(consumer_must_resolve(value)))
        await stores.try_to_fetch(references_in(may_resolve(value)))
        return _shown(name, await carried_through(self._keep_and_tell(name, value, over=over, who=who)))

    async def _keep_and_tell(self, name: str, value: dict[str, Any], *, over: int | None, who: str) -> Kept:
        kept = await asyncio.to_thread(self._keep, name, value, over, who)
        await self._changed()
        return kept

    def _keep(self, name: str, value: dict[str, Any], over: int | None, who: str) -> Kept:
        callers = self._built.callers
        held = callers.registry.get(Kind.CONSUMER, name)
        if held is not None:
            value = restored(value, hidden(held.value), held.value)
        source = self._checked(name, value)
        try:
            callers.directory.check(source)
        except StoreConflict as conflict:  # a name that is somebody else's: no version makes that good
            raise ConfigError(str(conflict)) from None
        kept = callers.registry.put(Kind.CONSUMER, name, value, over=over, who=who)
        try:
            callers.directory.put(source)
        except StoreFailed:
            self._put_back(name, held, kept)
            raise
        return kept

    def _put_back(self, name: str, held: Kept | None, kept: Kept) -> None:
        """Have the registry say what it said before: the directory could not be told of what came after it."""
        registry = self._built.callers.registry
        try:
            if held is None:
                registry.delete(Kind.CONSUMER, name, over=kept.version, who=GATEWAY)
            else:
                registry.put(Kind.CONSUMER, name, held.value, over=kept.version, who=GATEWAY)
        except StoreFailed as failure:
            event("change_not_undone", level=logging.ERROR, cause=str(failure))

    def _checked(self, name: str, value: Mapping[str, Any]) -> ConsumerSource:
        """The consumer this value describes, whose keys are good. `ConfigError` with every mistake."""
        source = check_consumer(dict(value), name=name)
        problems: list[str] = []
        for credential in source.credentials:
            try:
                self._check_credential(credential, source.consumer)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(*problems)
        return source

    def _check_credential(self, credential: CredentialSource, consumer: Consumer) -> None:
        """`ConfigError` for a credential that cannot be used, unless all it wants is a value it may wait for."""
        resolve = self._built.secrets.resolve
        try:
            resolve(credential.refers or "")
            for key in filter(None, (credential.key, credential.private_key)):
                resolved(key, resolve)
            if credential.address is not None:
                resolve(credential.address.password or "")
        except ConfigError as error:
            if credential.may_wait:
                return
            raise ConfigError(*(f"credential {credential.name!r}: {problem}" for problem in error.problems)) from None
        credential_of(credential, consumer, resolve)

    async def _delete_and_tell(self, name: str, *, over: int | None, who: str) -> None:
        if not await asyncio.to_thread(self._delete, name, over, who):
            raise NotFound
        await self._changed()

    def _delete(self, name: str, over: int | None, who: str) -> bool:
        callers = self._built.callers
        held, found = callers.registry.get(Kind.CONSUMER, name), self._find(What.CONSUMER, name)
        if over is not None and over != (held.version if held else 0):
            raise StoreConflict(name)
        # First where requests look: nobody may live on there whom the registry no longer shows.
        callers.directory.remove(name)
        try:
            return callers.registry.delete(Kind.CONSUMER, name, over=over, who=who)
        except StoreFailed:
            if found is not None:
                callers.directory.put(found.source)
            raise

    async def _changed(self) -> None:
        self._built.callers.changes += 1
        self._host.announcing.consumers_changed()
        await self._host.caught_up()

    def _find(self, what: What, name: str) -> Found | None:
        return self._built.callers.directory.find(what, name)

    def _is_of_document(self, name: str) -> bool:
        """Whether an applied document added the consumer. `OwnedByDocument` for one the file says or leads to."""
        found = self._find(What.CONSUMER, name)
        if found is None or found.origin is Origin.STORE:
            return False
        if name not in self._documents.stored_now().added.get(CONSUMERS, {}):
            raise OwnedByDocument
        return True

    # As they are kept: with their secrets and annotations, for who keeps something of its own in them.

    async def raw(self, name: str) -> Mapping[str, Any] | None:
        """The whole value of the store's consumer of this name; None: there is none."""
        kept = await asyncio.to_thread(self._built.callers.registry.get, Kind.CONSUMER, name)
        return None if kept is None else kept.value

    async def raw_page(self, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Consumers of the store with their whole values in the order of their names, from behind this one."""
        page = await asyncio.to_thread(self._built.callers.registry.page, Kind.CONSUMER, after=after, limit=limit)
        return [(kept.name, kept.value) for kept in page]

    async def owner_of(self, credential: str) -> str | None:
        """The name of the consumer one of whose credentials tokens name so, or whose API key this text is.

        What is kept elsewhere is not looked at.
        """
        directory = self._built.callers.directory
        for name in (credential, api_key_name(credential)):
            held = await asyncio.to_thread(directory.credential, name)
            if held is not None:
                return held[1].name
        return None

    async def known_as(self, name: str) -> str | None:
        """The name of the consumer that has this `id` or `external_id`."""
        by = (ConsumerName.ID, ConsumerName.EXTERNAL_ID)
        consumer = await asyncio.to_thread(self._built.callers.directory.consumer, by, name)
        return None if consumer is None else consumer.name

    # Credentials: members of their consumers.

    async def _put_credential(self, name: str, value: dict[str, Any], *, over: int | None, who: str) -> Resource:
        owner = value.pop("consumer", None)
        if not isinstance(owner, str):
            raise ConfigError("A credential needs `consumer`, the name of the consumer it belongs to.")
        found = await asyncio.to_thread(self._find, What.CREDENTIAL, name)
        if found is not None and found.source.consumer.name != owner:
            raise ConfigError(f"The credential {name!r} belongs to the consumer {found.source.consumer.name!r}.")
        consumer, version = await asyncio.to_thread(self._raw, owner)
        if over is not None and over != (version if found else 0):
            raise StoreConflict(name)
        held = consumer.get("credentials", {})
        is_named_so = name not in held if found is None else _member(found, name) == name
        if not is_named_so or not value.keys().isdisjoint(("named", "api_key")):
            raise ConfigError("A credential that is found by something else than its name is put with its consumer.")
        credentials = {**held, name: value}
        await self._put(owner, {**consumer, "credentials": credentials}, over=version or None, who=who)
        return await self.get(CREDENTIALS, name)

    async def _delete_credential(self, name: str, *, over: int | None, who: str) -> None:
        found = await asyncio.to_thread(self._find, What.CREDENTIAL, name)
        if found is None:
            raise NotFound
        owner, member = found.source.consumer.name, _member(found, name)
        consumer, version = await asyncio.to_thread(self._raw, owner)
        if over is not None and over != version:
            raise StoreConflict(name)
        credentials = {key: value for key, value in consumer.get("credentials", {}).items() if key != member}
        await self._put(owner, {**consumer, "credentials": credentials}, over=version or None, who=who)

    def _raw(self, name: str) -> tuple[dict[str, Any], int]:
        """The consumer as it was given, and its version. `ConfigError` when there is none."""
        if self._is_of_document(name):
            stored = self._documents.stored_now()
            return dict(stored.added[CONSUMERS][name]), stored.changed[f"{CONSUMERS}/{name}"]["version"]
        kept = self._built.callers.registry.get(Kind.CONSUMER, name)
        if kept is None:
            raise ConfigError(f"There is no consumer {name!r}.")
        return dict(kept.value), kept.version

    # How they are shown.

    def _list(self, kind: str, after: str, limit: int, contains: str) -> Page:
        directory = self._built.callers.directory
        names = directory.names(_WHAT[kind], after=after, limit=limit + 1, contains=contains)
        found = []
        for name in names[:limit]:
            try:
                found.append(self._get(kind, name))
            except NotFound:  # gone meanwhile
                continue
        return Page(found, names[limit - 1] if len(names) > limit else None)

    def _get(self, kind: str, name: str) -> Resource:
        found = self._find(_WHAT[kind], name)
        if found is None:
            raise NotFound
        consumer = found.source.consumer.name
        shown = self._consumer(consumer, found)
        if kind == CONSUMERS:
            return shown
        value = {**entries(shown.value, "credentials")[_member(found, name)], "consumer": consumer}
        return Resource(CREDENTIALS, name, value, shown.version, shown.origin, shown.changed_at)

    def _consumer(self, name: str, found: Found) -> Resource:
        if found.origin is Origin.STORE:
            kept = self._built.callers.registry.get(Kind.CONSUMER, name)
            if kept is None:
                raise NotFound
            return _shown(name, kept)
        try:
            return self._documents.entry(CONSUMERS, name, self._documents.stored_now())
        except NotFound:
            return Resource(CONSUMERS, name, described(found.source), 0, FROM_FILE)


def _member(found: Found, name: str) -> str:
    """The name a credential has within its consumer, by what tokens name it by."""
    credential = credential_of_name(found.source, name)
    return name if credential is None else credential.name


def _shown(name: str, kept: Kept) -> Resource:
    return Resource(CONSUMERS, name, hidden(kept.value), kept.version, FROM_STORE, kept.changed_at)


def hidden(value: Mapping[str, JSON]) -> JSON:
    """A consumer as people see it."""
    shown: JSON = without_secrets((CONSUMERS, "any"), dict(value))
    return shown


def described(source: ConsumerSource) -> JSON:
    """A consumer of a file, by the members a document would describe it with; no key is among them."""
    members = source.consumer.members()
    del members["name"]
    credentials: dict[str, JSON] = {
        each.name: {"api_key": each.refers or each.named} if each.is_api_key else _described_credential(each)
        for each in source.credentials
    }
    shown: dict[str, JSON] = {**{name: value for name, value in members.items() if value}, "credentials": credentials}
    return hidden(shown)


def _described_credential(source: CredentialSource) -> dict[str, JSON]:
    named = source.refers or source.named
    described: dict[str, JSON] = {
        "alg": source.alg,
        "ttl_seconds": source.ttl_seconds,
        "key_claim": source.key_claim,
    }
    if source.address is not None:
        described["keys"] = {"url": source.address.url}
    return described if named is None else {**described, "named": named}
