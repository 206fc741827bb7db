"""Who may call: consumers, their credentials, and what is revoked. One state for all generations and workers of a node.

Workers hold what they were told until they hear that something changed, so what is looked up while a change is made is
looked up again: no worker is told something that was out of date before it heard so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jwtgate.control.announcing import Announcing
from jwtgate.control.journal import event
from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.gateway.observe import ConsumerCount
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import NeedConsumer, NeedCredential, NeedNewerCredential
from jwtgate.policy.sources import KeySource
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.callers.directory import Directory, Staged
from jwtgate.state.callers.minting import mint_with_credential
from jwtgate.state.callers.revocations import RevocationList
from jwtgate.state.keys.addressed_keys import AddressedKeys
from jwtgate.state.stores.registry import Registry
from jwtgate.state.stores.store import Store, StoreFailed
from jwtgate.state.stores.watch import StoreWatch

DIRECTORY = "consumers"
EXPIRE_SECONDS = 60.0
LOOK_SECONDS, PAUSE_SECONDS = 60.0, 1.0
"""How often key sets that nobody wants are let go of, and how long workers are not told again of any that changed."""
STORE_SECONDS = 0.5
"""How often the store is looked at."""

CredentialWanted = NeedCredential | NeedNewerCredential
Resolve = Callable[[str], str]


class Callers:
    """The directory and the list of revocations of a node, the registry both come from, and keys that were fetched.

    `changes` counts what was changed in the directory; whoever changes it adds to that, and then tells the workers.
    `store_away`: what it is kept in fails, so that nothing can be revoked.
    """

    def __init__(
        self,
        registry: Registry,
        directory: Directory,
        revocations: RevocationList,
        fetched: AddressedKeys,
        *,
        watch: StoreWatch,
    ) -> None:
        self.registry = registry
        self.directory = directory
        self.revocations = revocations
        self.fetched = fetched
        self.changes = 0
        self.store_away = False
        self._watch = watch

    @classmethod
    def open(cls, store: Store, *, folder: Path | None, sealer: Sealer | None, files: Path = Path()) -> Callers:
        """The state in this store; its indexes are below `folder`, or in memory. `StoreFailed`.

        Certificates that credentials name are found from `files`.
        """
        registry = Registry(store, wall=time.time, sealer=sealer)
        revocations = RevocationList(registry, wall=time.time)
        directory = Directory.open(None if folder is None else folder / DIRECTORY, sealer=sealer)
        return cls(registry, directory, revocations, AddressedKeys(files), watch=StoreWatch(store))

    async def find(self, need: NeedConsumer | CredentialWanted, resolve: Resolve) -> Consumer | Credential | None:
        """What the directory holds now. `DependencyFault` when it cannot be told, or a key cannot be had."""
        while True:
            changes = self.changes
            try:
                found, source = await asyncio.to_thread(self._look_up, need, resolve)
            except StoreFailed as trouble:
                raise DependencyFault("consumers_unreachable", cause=str(trouble)) from None
            except ConfigError as trouble:
                raise DependencyFault("credential_unresolved", cause=str(trouble)) from None
            if isinstance(found, Credential) and source is not None and not isinstance(need, NeedConsumer):
                found = replace(found, keys=await self.fetched.obtain(source, need, resolve=resolve, changes=changes))
            if changes == self.changes:
                return found

    async def mint(self, need: NeedMinted, resolve: Resolve) -> Minted | None:
        """A token made with a consumer's credential, None when there is no such credential. `DependencyFault`."""
        try:
            return await asyncio.to_thread(self._mint, need, resolve)
        except StoreFailed as trouble:
            raise DependencyFault("consumers_unreachable", cause=str(trouble)) from None

    def texts_of(self, credential: str, resolve: Resolve) -> tuple[str, ...]:
        """The key texts of a credential, whose references may lead to secret stores; none when it is not found."""
        with suppress(StoreFailed):
            held = self.directory.credential(credential, resolve)
            if held is None:
                return ()
            address, keys = held[0].address, (held[0].key, held[0].private_key)
            password = None if address is None else address.password
            texts = (password, *(None if key is None else key.text for key in keys))
            return tuple(text for text in texts if text is not None)
        return ()

    def try_waiting(self, resolve: Resolve) -> None:
        """Find credentials that waited for what they are found by, where that is there now."""
        with suppress(StoreFailed):
            self.directory.try_waiting(resolve)

    def secrets_changed(self) -> None:
        """Look anew at what credentials are found by. Whoever calls this tells the workers."""
        self.directory.forget_referred()
        self.changes += 1

    async def count(self) -> tuple[ConsumerCount, ...]:
        """How many consumers there are; empty when the directory fails."""
        try:
            counts = await asyncio.to_thread(self.directory.counts)
        except StoreFailed:
            return ()
        return tuple(map(ConsumerCount, ("document", "store"), counts))

    def adopt(self, staged: Staged) -> None:
        """Have the document's consumers be these."""
        self.directory.adopt(staged)
        self.changes += 1

    async def follow_time(self, announcing: Announcing, *, every_seconds: float = EXPIRE_SECONDS) -> None:
        """Let go of revocations that have ended, as long as this runs."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                ended = await asyncio.to_thread(self.revocations.expire)
            except StoreFailed as failure:
                event("revocations_not_expired", level=logging.WARNING, cause=str(failure))
            else:
                if ended:
                    announcing.revocations_changed(self.revocations.entries)

    async def follow_store(self, announcing: Announcing, *, every_seconds: float = STORE_SECONDS) -> None:
        """Tell when the store is away and when it is back, as long as this runs (SEC-76)."""
        while True:
            cause = await asyncio.to_thread(self._watch.look)
            if self.store_away and cause is None:
                event("store_back")
            elif not self.store_away and cause is not None:
                event("store_away", level=logging.ERROR, cause=cause)
            if self.store_away is (cause is None):
                self.store_away = not self.store_away
                announcing.store_changed(away=self.store_away)
            await asyncio.sleep(every_seconds)

    async def follow_keys(self, announcing: Announcing) -> None:
        """Have workers forget the keys they hold when those of an address are others now, as long as this runs."""
        while True:
            if await self.fetched.changed(most_seconds=LOOK_SECONDS):
                self.changes += 1
                announcing.consumers_changed()
            self.fetched.let_go(self.changes)
            await asyncio.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Close the files, and end all that is fetched."""
        self.fetched.close()
        self.directory.close()

    def _look_up(
        self, need: NeedConsumer | CredentialWanted, resolve: Resolve
    ) -> tuple[Consumer | Credential | None, KeySource | None]:
        """What the directory holds, and where its keys have to be fetched."""
        if isinstance(need, NeedConsumer):
            return self.directory.consumer(need.by, need.value), None
        held = self.directory.credential(need.name, resolve)
        if held is None:
            return None, None
        address = held[0].address
        return credential_of(*held, resolve), None if address is None else address.source(held[0].alg)

    def _mint(self, need: NeedMinted, resolve: Resolve) -> Minted | None:
        held = self.directory.credential(need.credential, resolve)
        if held is None or held[0].is_api_key or need.consumer not in (None, held[1].name):
            return None
        source = replace(held[0], name=need.credential)  # a token names its credential as it was asked for
        lives = min(source.ttl_seconds, need.most_ttl_seconds)
        now = int(time.time())
        token = mint_with_credential(source, need.claims, form=need.form, ttl_seconds=lives, resolve=resolve, now=now)
        return Minted(token, lives)
