"""One request decided as the gateway would, away from it: the same reader, the same rooms, the same key sets."""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import closing
from dataclasses import dataclass, replace

from jwtgate.cli.checking import Opened
from jwtgate.cli.request_text import Asked
from jwtgate.errors import ConfigError, DependencyFault, Refusal, UpstreamFault
from jwtgate.gateway.generation import Generation, generators_of
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.worker import HostNames
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Credential
from jwtgate.policy.calls.call import NeedCall
from jwtgate.policy.decide import decide
from jwtgate.policy.facts import (
    Allowance,
    Introspected,
    Need,
    NeedAllowance,
    NeedClaims,
    NeedConsumer,
    NeedCredential,
    NeedFirstUse,
    NeedIntrospection,
    NeedIssuedToken,
    NeedKeys,
    NeedNewerCredential,
    NeedNonces,
    NeedSigned,
)
from jwtgate.policy.outcome import Outcome, Refused, Trail
from jwtgate.policy.request import RequestView
from jwtgate.state.answers import Snapshot, drive
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.callers.directory import Directory
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.http_client import HttpClient
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.addressed_keys import AddressedKeys
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.key_sources import is_remote
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.nonces import NONCE_SECRET_BYTES, Nonces
from jwtgate.state.signed_tokens import SignedTokens

_FETCH_SECONDS = 10.0
_USUAL_PORTS = {"http": 80, "https": 443}
_NOT_FETCHED = "--offline: key sets are not fetched"


@dataclass(frozen=True, slots=True)
class Explained:
    """How the request ended. `own` names the address of our own that answers it, and then nothing was decided."""

    asked: Asked
    outcome: Outcome
    own: str | None = None


def explain(opened: Opened, asked: Asked, *, client: str, now: int, offline: bool) -> Explained:
    """The outcome of this request under this document. `ConfigError` for what it names and cannot be used."""
    generation = Generation(
        1,
        opened.plan,
        Snapshot(),
        issued_tokens=IssuedTokens({}),
        claim_generators=ClaimGenerators(()),
        keys_document=b"",
        metadata_document=None,
    )
    head = RequestHead(asked.method, asked.target, fields=list(asked.fields), http_11=True)
    unread = RequestView(
        asked.method,
        asked.scheme,
        "",
        asked.target.partition(b"?")[0].decode("latin-1"),
        query="",
        fields=(),
        client=client,
    )
    try:
        trusted = generation.is_trusted(client)
        kinds = generation.trusted_kinds if trusted else generation.kinds
        head.read(kinds, HostNames(), paths=opened.plan.paths)
    except ValueError:
        raise ConfigError(f"--client {client}: is no address") from None
    except Refusal as refusal:
        return Explained(asked, Refused(refusal, Trail(unread, now, room="request")))
    fields = head.fields_told(kinds, generation.fields_read)
    query = head.query.decode("ascii")
    view = replace(unread, host=head.host, path=head.path, query=query, fields=fields, trusted=trusted)
    view = replace(view, port=_port(head, asked.scheme))
    outcome = asyncio.run(_decided(opened, view, now, offline=offline))
    return Explained(asked, outcome, generation.own_addresses.get(head.path))


def _port(head: RequestHead, scheme: str) -> int:
    """The port the request would come to: that which its Host names."""
    told = head.host_value.rpartition(b":")[2]
    return int(told) if told.isdigit() else _USUAL_PORTS[scheme]


async def _decided(opened: Opened, view: RequestView, now: int, *, offline: bool) -> Outcome:
    return await drive(decide(opened.plan, view, Snapshot(), now), _Answers(opened, now, offline=offline))


class _Answers:
    """What the decision asks for, as the gateway would find it: from the document, and from issuers that are asked."""

    def __init__(self, opened: Opened, now: int, *, offline: bool) -> None:
        self._opened = opened
        self._now = now
        self._offline = offline

    async def __call__(self, need: Need) -> object:
        match need:
            case NeedIssuedToken():
                return self._issued(need)
            case NeedKeys():
                return await self._keys(need)
            case NeedIntrospection():
                return await self._introspected(need)
            case NeedClaims():
                return ClaimGenerators(generators_of(self._opened.plan)).generate(need)
            case NeedCall():
                raise UpstreamFault("upstream_unreachable", call=need.call.name, cause="calls are not made here")
            case NeedFirstUse():
                return True
            case NeedNonces():
                # Nobody outside knows the nonces of the gateway that runs.
                return Nonces(os.urandom(NONCE_SECRET_BYTES)).around(self._now, need.seconds)
            case NeedSigned():
                return self._signed(need)
            case NeedAllowance():
                # Nothing is counted: it is explained what happens to the first request.
                return Allowance(True, need.requests - 1, need.window_seconds)
        with closing(self._opened.directory()) as directory:
            if isinstance(need, NeedConsumer):
                return directory.consumer(need.by, need.value)
            assert isinstance(need, NeedCredential | NeedNewerCredential)  # noqa: S101 - there is no other
            return await self._credential(need, directory)

    async def _credential(self, need: NeedCredential | NeedNewerCredential, directory: Directory) -> Credential | None:
        resolve = self._opened.secrets.resolve
        held = directory.credential(need.name, resolve)
        if held is None:
            return None
        credential, address = credential_of(*held, resolve), held[0].address
        if address is None:
            return credential
        if self._offline:
            raise DependencyFault("issuer_unreachable", issuer=address.url, cause=_NOT_FETCHED)
        fetched = AddressedKeys(self._opened.folder)
        try:
            keys = await fetched.obtain(address.source(held[0].alg), need, resolve=resolve, changes=0)
        finally:
            fetched.close()
        return replace(credential, keys=keys)

    def _issued(self, need: NeedIssuedToken) -> object:
        """A token like the gateway's own, signed with a key that is made here and forgotten."""
        alg = self._opened.plan.signing[need.issue.key].alg
        signer = Signer(generate_key(alg), alg)
        return IssuedTokens({need.issue.key: signer}).issue(need, self._now)

    def _signed(self, need: NeedSigned) -> str:
        alg = self._opened.plan.signing[need.key].alg
        return SignedTokens({need.key: Signer(generate_key(alg), alg)}).sign(need)

    async def _keys(self, need: NeedKeys) -> KeySet:
        source = self._opened.plan.sources.keys[need.issuer]
        if self._offline and is_remote(source):
            raise DependencyFault("issuer_unreachable", issuer=need.issuer, cause=_NOT_FETCHED)
        key_sets = KeySets(
            {need.issuer: source},
            client=HttpClient(),
            folder=None,
            resolve=self._opened.secrets.resolve,
            clock=time.monotonic,
            wall=time.time,
            jitter=random.random,
            changed=lambda issuer, key_set: None,
        )
        await key_sets.start(_FETCH_SECONDS)
        try:
            return await key_sets.obtain(need)
        finally:
            await key_sets.close()

    async def _introspected(self, need: NeedIntrospection) -> Introspected:
        if self._offline:
            cause = "--offline: nobody is asked about tokens"
            raise DependencyFault("introspection_unreachable", issuer=need.issuer, cause=cause)
        introspections = Introspections(
            {need.issuer: self._opened.plan.sources.introspection[need.issuer]},
            client=HttpClient(),
            resolve=self._opened.secrets.resolve,
            wall=time.time,
            monotonic=time.monotonic,
            key_set=self._keys,
        )
        try:
            return await introspections.ask(need)
        finally:
            await introspections.close()
