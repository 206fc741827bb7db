"""A document to a generation: loaded, compiled, its keys fetched or read, ready to be sent to whoever serves it.

Whatever is wrong with a document or its secrets is a `ConfigError` with all its sentences, and then nothing has
changed: the generation that runs goes on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document, load_plain, merge
from jwtgate.config.parts import check_consumer
from jwtgate.config.references import all_that_may_resolve, must_resolve, secret_stores_of
from jwtgate.control.administration.layers import Added, entries
from jwtgate.control.administration.stored import stored_in
from jwtgate.control.built import Built, keys_changed
from jwtgate.control.callers import Callers
from jwtgate.control.collecting import without_collecting
from jwtgate.control.documents import Text
from jwtgate.control.journal import event
from jwtgate.control.listening.sockets import certificate_files
from jwtgate.control.workers.messages import KeysChanged
from jwtgate.errors import ConfigError
from jwtgate.gateway.generation import generators_of
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.plan import Plan
from jwtgate.policy.sources import SecretStore
from jwtgate.state.callers.directory import Staged
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.file_marks import Mark, mark_of
from jwtgate.state.http_client import HttpClient
from jwtgate.state.issued_tokens import longest_life_seconds
from jwtgate.state.keys.external_signing_keys import ExternalSigningKeys
from jwtgate.state.keys.key_records import copied
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.keyring import Keyring, sealer_of
from jwtgate.state.keys.rotation import Periods
from jwtgate.state.nonces import NONCE_SECRET_BYTES
from jwtgate.state.secrets.references import Secrets, references_in
from jwtgate.state.secrets.secret_stores import SecretStores
from jwtgate.state.stores.store import Store, StoreFailed

WARM_SECONDS = 5.0
LEEWAY_SECONDS = 300
"""How much longer than its life somebody may accept a token of ours: its key stays published meanwhile."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A document as plain data: what the store adds, the whole, and what is needed to look at it."""

    text: Text
    stored: Added = field(repr=False)
    whole: Any = field(repr=False)
    sealer: Sealer | None
    callers: Callers
    secret_stores: tuple[SecretStore, ...]
    files: Mapping[Path, Mark | None]
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a document means, and what is ready for it."""

    plan: Plan
    cautions: tuple[str, ...]
    certificates: Mapping[Path, Mark | None]
    keyring: Keyring
    staged: Staged | None


class Generations:
    """Builds one generation after the other. `changed` is told of key sets that change in any that is alive."""

    def __init__(
        self,
        folder: Path,
        *,
        store: Store,
        saved: Path | None,
        environ: Mapping[str, str],
        changed: Callable[[KeysChanged], None],
    ) -> None:
        """`folder` is where files named in documents are looked for, `saved` where fetched key sets are kept."""
        self._folder = folder
        self._store = store
        self._saved = saved
        self._environ = environ
        self._changed = changed
        self._client = HttpClient()
        self._callers: Callers | None = None
        self._master_key: str | None = None
        self._number = 0
        # One for all generations: a nonce outlives a reload.
        self._nonce_secret = os.urandom(NONCE_SECRET_BYTES)

    async def build(self, text: Text, *, after: Built | None, stored: Added | None = None) -> Built:
        """The next generation, warmed; what did not change in its sources is taken over. `ConfigError`.

        `stored` is what the store adds to the document; None: what it adds now.
        """
        async with AsyncExitStack() as opened:
            read = await asyncio.to_thread(self._read, text, stored, after=after)
            stores = await self._secret_stores(read, after, opened)
            secrets = Secrets(self._folder, self._environ, stores)
            checked = await asyncio.to_thread(self._checked, read, secrets, after=after)
            plan, keyring = checked.plan, checked.keyring
            if checked.staged is not None:
                opened.callback(read.callers.directory.discard, checked.staged)
            self._number += 1
            external = ExternalSigningKeys(plan.signing.values(), keyring, client=self._client, resolve=secrets.resolve)
            key_sets = self._key_sets(self._number, plan, secrets, after=after)
            opened.push_async_callback(key_sets.close)
            introspections = self._introspections(plan, secrets, key_sets, after=after)
            opened.push_async_callback(introspections.close)
            await external.start()
            await key_sets.start(WARM_SECONDS)
            opened.pop_all()
        return Built(
            self._number,
            text,
            plan,
            key_sets=key_sets,
            keyring=keyring,
            external_keys=external,
            introspections=introspections,
            secret_stores=stores,
            secrets=secrets,
            callers=read.callers,
            staged=checked.staged,
            named_files={**read.files, **checked.certificates},
            cautions=(*read.cautions, *checked.cautions, *secrets.warnings),
            nonce_secret=self._nonce_secret,
        )

    async def check(self, text: Text, *, after: Built, stored: Added) -> None:
        """Raises the `ConfigError` that `build` would, and changes nothing: neither our keys nor what is saved."""
        beside = copy(self)
        with explained():
            beside._store = await asyncio.to_thread(copied, self._store)
        beside._saved = None
        built = await beside.build(text, after=after, stored=stored)
        try:
            await built.discard()
        finally:
            await built.close()

    async def staged(self, built: Built) -> Staged | None:
        """The consumers of this generation made ready; None when the directory holds them. `ConfigError`."""
        return await asyncio.to_thread(self._staged, built.plan, built.callers)

    def close(self) -> None:
        """Close what all generations share."""
        if self._callers is not None:
            self._callers.close()

    def _read(self, text: Text, stored: Added | None, *, after: Built | None) -> _Read:
        """The document before anything in it is looked at, and what has to be known for that."""
        plain = load_plain(text.data, name=text.name)
        secrets = Secrets(self._folder, self._environ)
        master_key = _master_key(plain, secrets)
        sealer = None if master_key is None else sealer_of(master_key)
        if after is not None and master_key != self._master_key:
            raise ConfigError("signing.master_key: adding, changing or removing it needs a restart.")
        callers = self._opened(master_key, sealer)
        if stored is None:
            with explained():
                stored = stored_in(callers.registry.document()).added
        whole, shadowed = merge(plain, stored)
        stores = secret_stores_of(whole, self._folder, resolve=secrets.resolve)
        cautions = [f"{place}: stands in the file and in the store; the file's is used." for place in shadowed]
        files = {self._folder / name: mark_of(self._folder / name) for name in _named_files(whole)}
        return _Read(text, stored, whole, sealer, callers, stores, files, tuple(cautions))

    async def _secret_stores(self, read: _Read, after: Built | None, opened: AsyncExitStack) -> SecretStores:
        """The secret stores of the document, with all that it refers to. `ConfigError`."""
        stores = SecretStores(read.secret_stores, client=self._client, folder=self._folder, environ=self._environ)
        opened.push_async_callback(stores.close)
        if after is not None:
            stores.adopt(after.secret_stores)
        await stores.fetch(references_in(must_resolve(read.whole)))
        waiting = references_in(all_that_may_resolve(read.whole))
        with explained():
            referred = await asyncio.to_thread(read.callers.directory.referred)
        await stores.try_to_fetch((*waiting, *referred))
        return stores

    def _checked(self, read: _Read, secrets: Secrets, *, after: Built | None) -> _Checked:
        """What needs nobody else to be known of the document. `ConfigError`."""
        plan, cautions = self._compiled(read, secrets)
        certificates = certificate_files(plan.listeners)
        keyring = self._keyring(plan, read.sealer)
        if after is not None:
            keyring.adopt(after.keyring)
        return _Checked(plan, cautions, certificates, keyring, self._staged_or_held(plan, read))

    def _compiled(self, read: _Read, secrets: Secrets) -> tuple[Plan, tuple[str, ...]]:
        text = read.text
        with without_collecting():
            document = load_document(
                text.data, name=text.name, folder=self._folder, resolve=secrets.resolve, stored=read.stored
            )
            plan = compile_document(document)
        ClaimGenerators(generators_of(plan))  # the workers load them; here the mistakes are said
        return plan, dangers(document)

    def _keyring(self, plan: Plan, sealer: Sealer | None) -> Keyring:
        issues = (*plan.profiles.values(), *(issue for route in plan.routes for issue in route.issue))
        longest = max(map(longest_life_seconds, issues), default=0)
        periods = Periods(plan.own.keys_max_age_seconds, longest + LEEWAY_SECONDS)
        keyring = Keyring.open(self._store, wall=time.time, periods=periods, sealer=sealer)
        for keys in plan.signing.values():
            keyring.ensure(keys)
        return keyring

    def _opened(self, master_key: str | None, sealer: Sealer | None) -> Callers:
        """What all generations share, opened by the first of them: its master key is known only then."""
        if self._callers is not None and master_key != self._master_key:
            # Opened for a document that could not be served; the one that is used instead has another key.
            self._callers.close()
            self._callers = None
        if self._callers is None:
            with explained():
                callers = Callers.open(self._store, folder=self._saved, sealer=sealer, files=self._folder)
                for problem in callers.directory.follow(callers.registry, check_consumer):
                    event("consumer_not_usable", level=logging.ERROR, problem=problem)
            self._callers, self._master_key = callers, master_key
        return self._callers

    def _staged_or_held(self, plan: Plan, read: _Read) -> Staged | None:
        """The consumers made ready. With a copy those of the last time will do where their files are gone (REL-7)."""
        try:
            return self._staged(plan, read.callers)
        except ConfigError as error:
            if not read.text.is_copy or not read.callers.directory.counts()[0]:
                raise
            event("consumers_of_last_time_used", level=logging.ERROR, problems=error.problems)
            return None

    def _staged(self, plan: Plan, callers: Callers) -> Staged | None:
        files = [self._folder / name for name in plan.sources.consumer_files]
        with explained():
            return callers.directory.stage(plan.sources.consumers, files, parse=check_consumer)

    def _key_sets(self, number: int, plan: Plan, secrets: Secrets, *, after: Built | None) -> KeySets:
        made = KeySets(
            plan.sources.keys,
            client=self._client,
            folder=self._saved,
            resolve=secrets.resolve,
            clock=time.monotonic,
            wall=time.time,
            jitter=random.random,
            changed=lambda issuer, key_set: self._changed(keys_changed(number, issuer, key_set)),
        )
        if after is not None:
            made.adopt(after.key_sets)
        return made

    def _introspections(
        self, plan: Plan, secrets: Secrets, key_sets: KeySets, *, after: Built | None
    ) -> Introspections:
        made = Introspections(
            plan.sources.introspection,
            client=self._client,
            resolve=secrets.resolve,
            wall=time.time,
            monotonic=time.monotonic,
            key_set=key_sets.obtain,
        )
        if after is not None:
            made.adopt(after.introspections)
        return made


@contextmanager
def explained() -> Iterator[None]:
    """A store that fails is a mistake for whoever needs it to go on."""
    try:
        yield
    except StoreFailed as failure:
        raise ConfigError(f"The store failed: {failure}.") from failure


def _master_key(plain: object, secrets: Secrets) -> str | None:
    """What seals the store. It is looked at first, since what the store adds is sealed with it."""
    master_key = entries(plain, "signing").get("master_key")
    return secrets.resolve(master_key) if isinstance(master_key, str) else None


def _named_files(whole: object) -> Iterator[str]:
    """The names of the files a document has read as they are: its consumers, and what roles and permissions imply."""
    listed = whole.get("consumer_files") if isinstance(whole, Mapping) else None
    named = [*listed] if isinstance(listed, list) else [listed]
    for issuer in entries(whole, "issuers").values():
        grants = entries(issuer, "permissions")
        named += [grants.get("roles_file"), grants.get("implied_file")]
    return (name for name in named if isinstance(name, str) and "\0" not in name)
