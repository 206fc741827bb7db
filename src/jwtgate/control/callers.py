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
from jwtgate.policy.facts import NeedConsumer, NeedCredential
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.callers.directory import Directory, Staged
from jwtgate.state.callers.minting import mint_with_credential
from jwtgate.state.callers.revocations import RevocationList
from jwtgate.state.stores.registry import Registry
from jwtgate.state.stores.store import Store, StoreFailed

DIRECTORY = "consumers"
EXPIRE_SECONDS = 60.0
Resolve = Callable[[str], str]


class Callers:
    """The directory and the list of revocations of a node, and the registry both come from.

    `changes` counts what was changed in the directory; whoever changes it adds to that, and then tells the workers.
    """

    def __init__(self, registry: Registry, directory: Directory, revocations: RevocationList) -> None:
        self.registry = registry
        self.directory = directory
        self.revocations = revocations
        self.changes = 0

    @classmethod
    def open(cls, store: Store, *, folder: Path | None, sealer: Sealer | None) -> Callers:
        """The state in this store; its indexes are below `folder`, or in memory. `StoreFailed`."""
        registry = Registry(store, wall=time.time, sealer=sealer)
        revocations = RevocationList(registry, wall=time.time)
        directory = Directory.open(None if folder is None else folder / DIRECTORY, sealer=sealer)
        return cls(registry, directory, revocations)

    async def find(self, need: NeedConsumer | NeedCredential, resolve: Resolve) -> Consumer | Credential | None:
        """What the directory holds now. `DependencyFault` when it cannot be told, or a key cannot be had."""
        while True:
            changes = self.changes
            try:
                found = await asyncio.to_thread(self._look_up, need, resolve)
            except StoreFailed as trouble:
                raise DependencyFault("consumers_unreachable", cause=str(trouble)) from None
            except ConfigError as trouble:
                raise DependencyFault("credential_unresolved", cause=str(trouble)) from None
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
            keys = (held[0].key, held[0].private_key) if held is not None else ()
            return tuple(key.text for key in keys if key is not None and key.text is not None)
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

    def close(self) -> None:
        """Close the files."""
        self.directory.close()

    def _look_up(self, need: NeedConsumer | NeedCredential, resolve: Resolve) -> Consumer | Credential | None:
        if isinstance(need, NeedConsumer):
            return self.directory.consumer(need.by, need.value)
        held = self.directory.credential(need.name, resolve)
        return None if held is None else credential_of(*held, resolve)

    def _mint(self, need: NeedMinted, resolve: Resolve) -> Minted | None:
        held = self.directory.credential(need.credential, resolve)
        if held is None or held[0].is_api_key or need.consumer not in (None, held[1].name):
            return None
        source = replace(held[0], name=need.credential)  # a token names its credential as it was asked for
        lives = min(source.ttl_seconds, need.most_ttl_seconds)
        now = int(time.time())
        token = mint_with_credential(source, need.claims, form=need.form, ttl_seconds=lives, resolve=resolve, now=now)
        return Minted(token, lives)
