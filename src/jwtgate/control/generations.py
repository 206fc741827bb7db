"""A document to a generation: loaded, compiled, its keys fetched or read, ready to be sent to whoever serves it.

Whatever is wrong with a document or its secrets is a `ConfigError` with all its sentences, and then nothing has
changed: the generation that runs goes on.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document
from jwtgate.control.documents import Text
from jwtgate.control.sockets import shown
from jwtgate.control.workers.link import KeysChanged, Prepare, SentKey, Signing, SigningChanged
from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.gateway.observe import IssuerReport
from jwtgate.gateway.worker import server_tls
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.oauth.metadata import gateway_metadata
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.plan import Plan, Sources
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.keyring import Keyring, Periods, sealer_of
from jwtgate.state.secrets.references import Secrets
from jwtgate.state.stores.store import Store

DATABASE = "jwtgate.sqlite"
WARM_SECONDS = 5.0
LONGEST_SLEEP_SECONDS = 60.0
LEEWAY_SECONDS = 300
"""How much longer than its life somebody may accept a token of ours: its key stays published meanwhile."""


@dataclass(frozen=True, slots=True)
class Built:
    """A generation: the text it was made from, its plan, and the state the plan needs, which is alive.

    `certificates` tells whether the files behind the listeners are still the same; `cautions` are the sentences
    about what is dangerous in it.
    """

    number: int
    text: Text
    plan: Plan
    key_sets: KeySets
    keyring: Keyring
    certificates: tuple[object, ...]
    cautions: tuple[str, ...]

    def prepare(self) -> Prepare:
        """What a worker is sent of it, as of now."""
        key_sets = {issuer: sent_keys(key_set) for issuer, key_set in self.key_sets.current().items()}
        return Prepare(
            number=self.number,
            # Sources of keys may hold secrets of the document, and no worker reads them.
            plan=replace(self.plan, sources=Sources(), signing=_named(self.plan)),
            key_sets=key_sets,
            signing=self.signing(),
            metadata_document=_metadata(self.plan),
        )

    def signing(self) -> Signing:
        """What we sign with now."""
        current = {name: self.keyring.signing_key(name) for name in self.plan.signing}
        keys = {name: (SentKey(key.to_private_jwk()), alg) for name, (key, alg) in current.items()}
        return Signing(keys, json_bytes(self.keyring.to_jwks()))

    async def obtain(self, need: NeedKeys) -> KeySet:
        """The key set a worker misses, fetched where that may help. `DependencyFault`."""
        if need.issuer not in self.plan.sources.keys:
            raise DependencyFault("issuer_unreachable", issuer=need.issuer)
        return await self.key_sets.obtain(need)

    def issuers(self) -> tuple[IssuerReport, ...]:
        """How the key set of each issuer is doing."""
        return tuple(
            IssuerReport(
                source.issuer,
                keys=source.keys,
                age_seconds=source.age_seconds,
                stale=source.stale,
                fetches=source.fetches,
                failures=source.failures,
                skipped_keys=source.skipped,
                last_failure=source.last_failure or "",
            )
            for source in self.key_sets.report()
        )

    async def follow_signing(self, changed: Callable[[SigningChanged], None]) -> None:
        """Tell of our signing keys each time one of them begins or ends, as long as this runs.

        Looks at the wall clock at least once a minute, so that a clock that is set takes effect.
        """
        while (instant := self.keyring.next_change()) is not None:
            await asyncio.sleep(min(max(0.0, instant - time.time()), LONGEST_SLEEP_SECONDS))
            if time.time() >= instant:
                changed(SigningChanged(self.number, self.signing()))

    async def close(self) -> None:
        """Stop fetching its keys."""
        await self.key_sets.close()


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
        self._number = 0

    async def build(self, text: Text, *, after: Built | None) -> Built:
        """The next generation, warmed; what did not change in its sources is taken over. `ConfigError`."""
        secrets = Secrets(self._folder, self._environ)
        plan, cautions = await asyncio.to_thread(self._compiled, text, secrets)
        certificates = await asyncio.to_thread(_certificates, plan)
        keyring = await asyncio.to_thread(self._keyring, plan, secrets)
        self._number += 1
        number = self._number
        key_sets = KeySets(
            plan.sources.keys,
            client=self._client,
            folder=self._saved,
            resolve=secrets.resolve,
            clock=time.monotonic,
            wall=time.time,
            jitter=random.random,
            changed=lambda issuer, key_set: self._changed(_change(number, issuer, key_set)),
        )
        if after is not None:
            key_sets.adopt(after.key_sets)
        try:
            await key_sets.start(WARM_SECONDS)
        except BaseException:
            await key_sets.close()
            raise
        return Built(
            number,
            text,
            plan,
            key_sets=key_sets,
            keyring=keyring,
            certificates=certificates,
            cautions=(*cautions, *secrets.warnings),
        )

    def _compiled(self, text: Text, secrets: Secrets) -> tuple[Plan, tuple[str, ...]]:
        document = load_document(text.data, name=text.name, folder=self._folder, resolve=secrets.resolve)
        return compile_document(document), dangers(document)

    def _keyring(self, plan: Plan, secrets: Secrets) -> Keyring:
        lives = [issue.ttl_seconds for route in plan.routes for issue in route.issue]
        periods = Periods(plan.own.keys_max_age_seconds, max(lives, default=0) + LEEWAY_SECONDS)
        sealer = None if plan.sources.master_key is None else sealer_of(secrets.resolve(plan.sources.master_key))
        keyring = Keyring.open(self._store, wall=time.time, periods=periods, sealer=sealer)
        for keys in plan.signing.values():
            keyring.ensure(keys)
        return keyring


def sent_keys(key_set: KeySet) -> tuple[SentKey, ...]:
    """The keys of a set as they are sent: public halves, and the secrets of MAC keys."""
    return tuple(SentKey(_jwk(key)) for key in key_set)


def _jwk(key: Key) -> Mapping[str, object]:
    return key.to_private_jwk() if key.is_symmetric else key.to_jwk()


def _change(number: int, issuer: str, key_set: KeySet | None) -> KeysChanged:
    return KeysChanged(number, issuer, None if key_set is None else sent_keys(key_set))


def _named(plan: Plan) -> Mapping[str, SigningKeys]:
    return {name: SigningKeys(name, keys.alg) for name, keys in plan.signing.items()}


def _metadata(plan: Plan) -> bytes | None:
    """Our metadata document; None when our name is no address, or our keys are not served."""
    if plan.iss is None or plan.own.keys is None or not plan.iss.startswith(("https://", "http://")):
        return None
    algs = {keys.alg for keys in plan.signing.values()}
    return json_bytes(gateway_metadata(plan.iss, plan.iss.rstrip("/") + plan.own.keys, algs))


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
