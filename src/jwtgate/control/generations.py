"""A document to a generation: loaded, compiled, its keys fetched or read, ready to be sent to whoever serves it.

Whatever is wrong with a document or its secrets is a `ConfigError` with all its sentences, and then nothing has
changed: the generation that runs goes on.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document
from jwtgate.control.built import Built, keys_changed
from jwtgate.control.callers import Callers
from jwtgate.control.documents import Text
from jwtgate.control.sockets import shown
from jwtgate.control.workers.messages import KeysChanged
from jwtgate.errors import ConfigError
from jwtgate.gateway.generation import generators_of
from jwtgate.gateway.worker import server_tls
from jwtgate.jose.encoding import JSON
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.plan import Plan
from jwtgate.policy.sources import ConsumerSource
from jwtgate.state.callers.directory import Staged
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.http_client import HttpClient
from jwtgate.state.issued_tokens import longest_life_seconds
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.keyring import Keyring, sealer_of
from jwtgate.state.keys.rotation import Periods
from jwtgate.state.secrets.references import Secrets
from jwtgate.state.secrets.secret_stores import SecretStores
from jwtgate.state.stores.store import Store, StoreFailed

DATABASE = "jwtgate.sqlite"
WARM_SECONDS = 5.0
LEEWAY_SECONDS = 300
"""How much longer than its life somebody may accept a token of ours: its key stays published meanwhile."""


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
        self._number = 0

    async def build(self, text: Text, *, after: Built | None) -> Built:
        """The next generation, warmed; what did not change in its sources is taken over. `ConfigError`."""
        async with AsyncExitStack() as opened:
            stores = SecretStores((), client=self._client, folder=self._folder, environ=self._environ)
            opened.push_async_callback(stores.close)
            secrets = Secrets(self._folder, self._environ, stores)
            plan, cautions = await asyncio.to_thread(self._compiled, text, secrets)
            certificates = await asyncio.to_thread(_certificates, plan)
            sealer = _sealer(plan, secrets)
            keyring = await asyncio.to_thread(self._keyring, plan, sealer)
            callers = await asyncio.to_thread(self._opened, sealer)
            staged = await asyncio.to_thread(self._staged, plan, callers)
            if staged is not None:
                opened.callback(callers.directory.discard, staged)
            self._number += 1
            key_sets = self._key_sets(self._number, plan, secrets)
            opened.push_async_callback(key_sets.close)
            introspections = self._introspections(plan, secrets, key_sets)
            opened.push_async_callback(introspections.close)
            if after is not None:
                key_sets.adopt(after.key_sets)
                introspections.adopt(after.introspections)
            await key_sets.start(WARM_SECONDS)
            opened.pop_all()
        return Built(
            self._number,
            text,
            plan,
            key_sets=key_sets,
            keyring=keyring,
            introspections=introspections,
            secret_stores=stores,
            secrets=secrets,
            callers=callers,
            staged=staged,
            certificates=certificates,
            cautions=(*cautions, *secrets.warnings),
        )

    async def staged(self, built: Built) -> Staged | None:
        """The consumers of this generation made ready; None when the directory holds them. `ConfigError`."""
        return await asyncio.to_thread(self._staged, built.plan, built.callers)

    def close(self) -> None:
        """Close what all generations share."""
        if self._callers is not None:
            self._callers.close()

    def _compiled(self, text: Text, secrets: Secrets) -> tuple[Plan, tuple[str, ...]]:
        document = load_document(text.data, name=text.name, folder=self._folder, resolve=secrets.resolve)
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

    def _opened(self, sealer: Sealer | None) -> Callers:
        """What all generations share, opened by the first of them: its master key is known only then."""
        if self._callers is None:
            try:
                self._callers = Callers.open(self._store, folder=self._saved, sealer=sealer)
            except StoreFailed as failure:
                raise ConfigError(f"The store failed: {failure}.") from failure
        return self._callers

    def _staged(self, plan: Plan, callers: Callers) -> Staged | None:
        files = [self._folder / name for name in plan.sources.consumer_files]
        try:
            return callers.directory.stage(plan.sources.consumers, files, parse=_no_file_yet)
        except StoreFailed as failure:
            raise ConfigError(f"The directory of consumers failed: {failure}.") from failure

    def _key_sets(self, number: int, plan: Plan, secrets: Secrets) -> KeySets:
        return KeySets(
            plan.sources.keys,
            client=self._client,
            folder=self._saved,
            resolve=secrets.resolve,
            clock=time.monotonic,
            wall=time.time,
            jitter=random.random,
            changed=lambda issuer, key_set: self._changed(keys_changed(number, issuer, key_set)),
        )

    def _introspections(self, plan: Plan, secrets: Secrets, key_sets: KeySets) -> Introspections:
        return Introspections(
            plan.sources.introspection,
            client=self._client,
            resolve=secrets.resolve,
            wall=time.time,
            monotonic=time.monotonic,
            key_set=key_sets.obtain,
        )


def _no_file_yet(members: Mapping[str, JSON]) -> ConsumerSource:
    raise ConfigError("files of consumers cannot be read yet")


def _sealer(plan: Plan, secrets: Secrets) -> Sealer | None:
    master_key = plan.sources.master_key
    return None if master_key is None else sealer_of(secrets.resolve(master_key))


def _certificates(plan: Plan) -> tuple[object, ...]:
    """What tells the certificate files of the listeners from others; `ConfigError` for those that cannot be used."""
    found, problems = [], []
    for listener in plan.listeners:
        if listener.tls is None:
            continue
        try:
            server_tls(listener.tls)
            for name in (listener.tls.certificate_file, listener.tls.private_key_file):
                status = Path(name).stat()
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError as trouble:  # an ssl.SSLError is one, too
            cause = trouble.strerror or type(trouble).__name__
            problems.append(f"listener {shown(listener.host, listener.port)}: its certificate cannot be used: {cause}")
    if problems:
        raise ConfigError(*problems)
    return tuple(found)
