"""A generation: its plan and the state the plan needs, alive; what of it workers are sent, and what they ask it for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from jwtgate.control.announcing import Announcing
from jwtgate.control.callers import Callers
from jwtgate.control.documents import Text
from jwtgate.control.journal import event
from jwtgate.control.reporting import (
    introspection_report,
    issuer_report,
    secret_store_report,
    signing_report,
)
from jwtgate.control.workers.messages import (
    KeysChanged,
    NotYet,
    Prepare,
    Sent,
    SentCredential,
    SentKey,
    SentKeySet,
    SentSigner,
    Signing,
    SigningChanged,
)
from jwtgate.errors import DependencyFault
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.gateway.observe import Counters, Report
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.oauth.metadata import gateway_metadata
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import (
    Introspected,
    Need,
    NeedConsumer,
    NeedCredential,
    NeedIntrospection,
    NeedKeys,
    NeedNewerCredential,
)
from jwtgate.policy.plan import Plan, Sources
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.callers.directory import Staged
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.file_marks import Mark
from jwtgate.state.keys.external_signing_keys import ExternalSigningKeys
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.keyring import Keyring, Signer
from jwtgate.state.keys.rotation import KeyState
from jwtgate.state.secrets.references import Secrets, store_references
from jwtgate.state.secrets.secret_stores import SecretStores

LOOK_SECONDS = 1.0
WAITING_SECONDS = 30.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Built:
    """A generation: the text it was made from, its plan, and the state the plan needs, which is alive.

    `staged` are its consumers, to be adopted when it is served; None when the directory holds them already.
    `cautions` are the sentences about what is dangerous in it. `named_files` were read for it, besides those its
    secrets are in.
    """

    number: int
    text: Text
    plan: Plan
    key_sets: KeySets
    keyring: Keyring
    external_keys: ExternalSigningKeys
    introspections: Introspections
    secret_stores: SecretStores
    secrets: Secrets
    callers: Callers
    staged: Staged | None
    named_files: Mapping[Path, Mark | None]
    cautions: tuple[str, ...]
    nonce_secret: bytes = field(repr=False)

    @property
    def files(self) -> Mapping[Path, Mark | None]:
        """Every file it was made from besides its document, as it was when it was read."""
        return {**self.secrets.files, **self.named_files}

    def prepare(self) -> Prepare:
        """What a worker is sent of it, as of now."""
        key_sets = {issuer: sent_keys(key_set) for issuer, key_set in self.key_sets.current().items()}
        return Prepare(
            number=self.number,
            # Sources may hold secrets of the document, and no worker reads them.
            plan=replace(self.plan, sources=Sources(), signing=_named(self.plan)),
            key_sets=key_sets,
            signing=self.signing(),
            metadata_document=_metadata(self.plan),
            nonce_secret=self.nonce_secret,
        )

    def signing(self) -> Signing:
        """What we sign with now."""
        signers = {name: _sent_signer(signer) for name, signer in self.keyring.signers().items()}
        return Signing(signers, json_bytes(self.keyring.to_jwks()))

    async def obtain(self, need: NeedKeys) -> KeySet:
        """The key set a worker misses, fetched where that may help. `DependencyFault`."""
        if need.issuer not in self.plan.sources.keys:
            raise DependencyFault("issuer_unreachable", issuer=need.issuer)
        return await self.key_sets.obtain(need)

    async def find(self, need: Need | NeedMinted) -> Consumer | Credential | Introspected | Minted | NotYet | None:
        """What a worker misses besides key sets. `DependencyFault`."""
        match need:
            case NeedConsumer():
                return await self.callers.find(need, self.secrets.resolve)
            case NeedCredential():
                found = await self._with_secrets(need.name, lambda: self.callers.find(need, self.secrets.resolve))
                return NotYet() if found is None and self.callers.directory.waiting else found
            case NeedNewerCredential():
                return await self._with_secrets(need.name, lambda: self.callers.find(need, self.secrets.resolve))
            case NeedIntrospection() if need.issuer in self.plan.sources.introspection:
                return await self.introspections.ask(need)
            case NeedMinted():
                return await self._with_secrets(need.credential, lambda: self.callers.mint(need, self.secrets.resolve))
        raise DependencyFault("internal", need=type(need).__name__)

    async def _with_secrets(self, credential: str, act: Callable[[], Awaitable[Result]]) -> Result:
        """What this answers, after secrets were looked for once more where that may help.

        Those that only a consumer outside of the document refers to were never read; others may be there by now.
        """
        try:
            found = await act()
            texts = self.callers.directory.waiting if found is None else ()
            if not texts:
                return found
            await self._try_again(texts)
            return await act()
        except DependencyFault:
            # Also of one that was only just found.
            texts = await asyncio.to_thread(self.callers.texts_of, credential, self.secrets.resolve)
            if not store_references(texts):
                raise
        await self._try_again(texts)
        return await act()

    async def _try_again(self, texts: tuple[str, ...]) -> None:
        await self.secret_stores.fetch_missing(texts)
        await asyncio.to_thread(self.callers.try_waiting, self.secrets.resolve)

    async def follow_waiting(self, *, every_seconds: float = WAITING_SECONDS) -> None:
        """Find credentials that wait for what they are found by, also when nobody asks, as long as this runs."""
        while True:
            await asyncio.sleep(every_seconds)
            texts = self.callers.directory.waiting
            if texts:
                await self._try_again(texts)

    async def report(self, counters: Counters, *, ready: bool) -> Report:
        """How it and all it depends on is doing; whoever serves it knows more."""
        sources = self.key_sets.report()
        issuers, saved = tuple(map(issuer_report, sources)), all(source.saved for source in sources)
        introspections = tuple(map(introspection_report, self.introspections.report()))
        secret_stores = tuple(map(secret_store_report, self.secret_stores.report()))
        now, failing = time.time(), self.external_keys.failing
        signing = tuple(
            signing_report(self.keyring, name, now=now, stale=name in failing) for name in self.plan.signing
        )
        consumers = await self.callers.count()
        is_stale = any(any(each.stale for each in reports) for reports in (issuers, secret_stores, signing))
        left_alone = any(each.left_alone for each in introspections)
        return Report(
            counters,
            generation=self.number,
            ready=ready,
            degraded=is_stale or left_alone or not saved or not consumers or self.callers.store_away,
            state_saved=saved,
            store_away=self.callers.store_away,
            issuers=issuers,
            introspections=introspections,
            secret_stores=secret_stores,
            signing=signing,
            consumers=consumers,
        )

    async def follow(
        self,
        signing_changed: Callable[[SigningChanged], None],
        announcing: Announcing,
        *,
        secrets_changed: Callable[[], None],
    ) -> None:
        """Keep all of it up to date, as long as this runs, and tell of what changed."""

        def values_changed() -> None:
            self.callers.secrets_changed()
            announcing.consumers_changed()
            secrets_changed()

        await asyncio.gather(
            _kept_up("signing", lambda: self.follow_signing(signing_changed)),
            _kept_up("external_keys", self.external_keys.follow),
            _kept_up("secret_stores", lambda: self.secret_stores.follow(values_changed)),
            _kept_up("waiting_credentials", self.follow_waiting),
            _kept_up("credential_keys", lambda: self.callers.follow_keys(announcing)),
            _kept_up("revocations", lambda: self.callers.follow_time(announcing)),
            _kept_up("store", lambda: self.callers.follow_store(announcing)),
        )

    async def follow_signing(self, changed: Callable[[SigningChanged], None]) -> None:
        """Tell of our signing keys each time one of them begins or ends or is rotated, as long as this runs.

        Looks about once a second, so that a clock that is set and a rotation by somebody else take effect.
        """
        known = _roles(self.keyring)
        while True:
            instant = self.keyring.next_change()
            await asyncio.sleep(min(LOOK_SECONDS, max(0.0, instant - time.time()) if instant else LOOK_SECONDS))
            if await asyncio.to_thread(self._keys_have_changed) or (instant is not None and time.time() >= instant):
                changed(SigningChanged(self.number, self.signing()))
                known, before = _roles(self.keyring), known
                for name in sorted(known.keys() | before.keys()):
                    if known.get(name) != before.get(name):
                        event("signing_keys_changed", keys=name, states=known.get(name, {}))

    def _keys_have_changed(self) -> bool:
        written_by_others = self.keyring.reload()
        return self.keyring.advance() or written_by_others

    async def discard(self) -> None:
        """Forget consumers that were made ready and that nobody will adopt."""
        if self.staged is not None:
            await asyncio.to_thread(self.callers.directory.discard, self.staged)

    async def close(self) -> None:
        """End all that it fetches."""
        await self.key_sets.close()
        await self.introspections.close()
        await self.secret_stores.close()


def _roles(keyring: Keyring) -> dict[str, dict[str, str]]:
    """Where each key that we sign with stands in its life, by name and `kid`; those that are retired are left out."""
    now = time.time()
    states = {
        name: {held.key.kid or "": held.state(now).value for held in keyring.keys(name)} for name in keyring.names
    }
    return {
        name: {kid: state for kid, state in each.items() if state != KeyState.RETIRED.value}
        for name, each in states.items()
    }


def _sent_signer(signer: Signer) -> SentSigner:
    return SentSigner(SentKey(signer.key.to_private_jwk()), signer.alg, signer.certificates)


async def _kept_up(what: str, follow: Callable[[], Awaitable[None]]) -> None:
    """Follow it, and begin again when a bug of ours ends that."""
    while True:
        try:
            await follow()
        except Exception as error:
            event("following_failed", level=logging.ERROR, error=error, what=what)
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return


def sent(found: Consumer | Credential | Introspected | Minted | NotYet | None) -> Sent:
    """What was found, as it is sent to a worker."""
    if not isinstance(found, Credential):
        return found
    return SentCredential(
        found.name,
        found.id,
        found.consumer,
        algorithms=found.algorithms,
        keys=sent_keys(found.keys),
        leeway_seconds=found.leeway_seconds,
        labels=found.labels,
        fetched=found.fetched,
        claims=found.claims,
    )


def sent_keys(key_set: KeySet) -> SentKeySet:
    """The keys of a set as they are sent: public halves, and the secrets of MAC keys."""
    return SentKeySet(tuple(SentKey(_jwk(key)) for key in key_set), key_set.left_out)


def _jwk(key: Key) -> Mapping[str, object]:
    return key.to_private_jwk() if key.is_symmetric else key.to_jwk()


def keys_changed(number: int, issuer: str, key_set: KeySet | None) -> KeysChanged:
    """What workers are told of a key set that is another one now."""
    return KeysChanged(number, issuer, None if key_set is None else sent_keys(key_set))


def _named(plan: Plan) -> Mapping[str, SigningKeys]:
    return {
        name: SigningKeys(name, keys.alg, signs_any_claims=keys.signs_any_claims) for name, keys in plan.signing.items()
    }


def _metadata(plan: Plan) -> bytes | None:
    """Our metadata document; None when our name is no address, or our keys are not served."""
    if plan.iss is None or plan.own.keys is None or not plan.iss.startswith(("https://", "http://")):
        return None
    algs = {keys.alg for keys in plan.signing.values()}
    return json_bytes(gateway_metadata(plan.iss, plan.iss.rstrip("/") + plan.own.keys, algs))
