"""A worker's side of the state: the generation it was sent, what changes in it, and the questions it asks.

Whoever asks what is being asked already waits for the same answer. A `kid` the supervisor has just looked for in vain
is not asked for again while the supervisor would not look again, or for some seconds where it is of a credential; nor a
credential nobody has before the callers change, so that made-up names cost the link nothing. What is remembered of them
is bounded.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace

from jwtgate.control.workers.messages import (
    Answered,
    ConsumersChanged,
    Found,
    KeysChanged,
    NotYet,
    Prepare,
    ReportWanted,
    RevocationsChanged,
    SentCredential,
    SentKey,
    SentKeySet,
    Signing,
    SigningChanged,
    StoreChanged,
    Told,
    Unanswered,
    Wanted,
)
from jwtgate.errors import DependencyFault
from jwtgate.gateway.generation import Generation, generators_of
from jwtgate.gateway.listening.certificates import server_tls
from jwtgate.gateway.listening.tickets import share_tickets, ticket_keys
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.observe import Report
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import (
    Need,
    NeedAllowance,
    NeedConsumer,
    NeedCredential,
    NeedFirstUse,
    NeedIntrospection,
    NeedKeys,
    NeedNewerCredential,
)
from jwtgate.policy.plan import Listener, Plan
from jwtgate.policy.revocations import Revocations
from jwtgate.state.answers import Snapshot
from jwtgate.state.bounded_table import BoundedTable
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.nonces import Nonces
from jwtgate.state.signed_tokens import SignedTokens

MOST_QUIET = 4_096
MOST_QUIET_BYTES = 4 * 1024 * 1024
QUIET_SECONDS = 5.0
ANSWER_SECONDS = 15.0

Change = KeysChanged | SigningChanged | ConsumersChanged | RevocationsChanged | StoreChanged
Answer = Answered | Found | Unanswered | Told


@dataclass(frozen=True, slots=True)
class Served:
    """A generation ready to be served."""

    generation: Generation

    @classmethod
    def build(cls, sent: Prepare) -> Served:
        """The generation that was sent. Takes long for a large one; it may be called on a thread of its own."""
        signers = _signers(sent.signing)
        held = Snapshot({issuer: _key_set(keys) for issuer, keys in sent.key_sets.items()})
        generation = Generation(
            sent.number,
            sent.plan,
            held,
            issued_tokens=IssuedTokens(signers),
            signed_tokens=_signed_tokens(signers, sent.plan),
            nonces=Nonces(sent.nonce_secret),
            claim_generators=ClaimGenerators(generators_of(sent.plan)),
            keys_document=sent.signing.keys_document,
            metadata_document=sent.metadata_document,
            contexts=_contexts(sent),
        )
        return cls(generation)

    def change(self, change: Change) -> None:
        """Take up what has changed, if it is of this generation, and forget what was decided before."""
        match change:
            case KeysChanged() | SigningChanged() if change.number != self.generation.number:
                return
            case SigningChanged():
                signers = _signers(change.signing)
                self.generation.issued_tokens = IssuedTokens(signers, evicted=self.generation.issued_tokens.evicted)
                self.generation.signed_tokens = _signed_tokens(signers, self.generation.plan)
                self.generation.keys_document = change.signing.keys_document
            case KeysChanged():
                self.generation.facts.set_keys(change.issuer, None if change.keys is None else _key_set(change.keys))
            case ConsumersChanged():
                self.generation.facts.forget_callers()
            case StoreChanged():
                self.generation.facts.store_away = change.away
            case RevocationsChanged():
                self.heed(Revocations(change.entries))
                return
        self.generation.forget_outcomes()

    def heed(self, revocations: Revocations) -> None:
        """Refuse what is revoked from now on."""
        self.generation.facts.revocations = revocations
        self.generation.forget_outcomes()


def _contexts(sent: Prepare) -> dict[Listener, ssl.SSLContext]:
    """What the listeners show that speak TLS."""
    contexts = {}
    for listener in sent.plan.listeners:
        if listener.tls is not None:
            context = contexts[listener] = server_tls(listener.tls, listener.protocols)
            share_tickets(context, ticket_keys(sent.nonce_secret, f"{listener.host}:{listener.port}"))
    return contexts


def _signers(signing: Signing) -> dict[str, Signer]:
    return {name: Signer(_key(sent.key), sent.alg, sent.certificates) for name, sent in signing.signers.items()}


def _signed_tokens(signers: Mapping[str, Signer], plan: Plan) -> SignedTokens:
    """Signs with those keys of the plan that permit it."""
    permitted = {name for name, keys in plan.signing.items() if keys.signs_any_claims}
    return SignedTokens({name: signer for name, signer in signers.items() if name in permitted})


def _received(sent: object) -> object:
    """What was sent, as it is used here."""
    if not isinstance(sent, SentCredential):
        return sent
    return Credential(
        sent.name,
        sent.id,
        sent.consumer,
        algorithms=sent.algorithms,
        keys=_key_set(sent.keys),
        leeway_seconds=sent.leeway_seconds,
        labels=sent.labels,
        fetched=sent.fetched,
        claims=sent.claims,
    )


def _holds(credential: object, kid: str | None) -> bool:
    return isinstance(credential, Credential) and any(key.kid == kid for key in credential.keys)


def _key_set(sent: SentKeySet) -> KeySet:
    return KeySet(map(_key, sent.keys), left_out=sent.left_out)


def _key(sent: SentKey) -> Key:
    """The key that was sent. Whether it is good enough was judged before; a weak secret was permitted there."""
    jwk = sent.jwk
    if jwk["kty"] != "oct":
        return Key.from_jwk(jwk)
    kid = jwk.get("kid")
    return Key.secret(
        base64url_decode(str(jwk["k"])),
        alg=str(jwk["alg"]),
        kid=None if kid is None else str(kid),
        short_secret_allowed_for_legacy_credential=True,
        guessable_secret_allowed_for_legacy_credential=True,
    )


@dataclass(frozen=True, slots=True)
class _Open:
    """A question on its way: what its answer is turned into, and the reason to fail with when there is none."""

    answer: asyncio.Future[object]
    take: Callable[[object], object]
    fault: str


class Asking:
    """The open questions of one worker."""

    def __init__(self, send: Callable[[object], None], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._monotonic = monotonic
        self._open: dict[int, _Open] = {}
        self._flights: dict[tuple[int, Need], asyncio.Task[object]] = {}
        self._asked = 0
        self._quiet = BoundedTable[Hashable, float](MOST_QUIET, most_bytes=MOST_QUIET_BYTES)

    async def ask(self, need: Need | NeedMinted, *, number: int, held: Snapshot) -> object:
        """The answer to a need of the generation of this number, whose facts are `held`. `DependencyFault`."""
        if isinstance(need, NeedKeys):
            return await self._keys(need, number, held)
        if isinstance(need, NeedMinted | NeedAllowance | NeedFirstUse):
            # Two that ask for the same thing want one each.
            return await self._wanted(need, number, lambda found: found)
        if isinstance(need, NeedCredential) and held.is_unknown(need.name):
            return None
        # Whoever wants a newer key, it is the same key.
        place = (number, replace(need, client="") if isinstance(need, NeedNewerCredential) else need)
        if (self._quiet.get(place) or 0.0) > self._monotonic():
            return None
        flight = self._flights.get(place)
        if flight is None:
            asking = self._wanted(need, number, lambda found: self._arrived(need, place, found, held=held))
            flight = self._flights[place] = asyncio.create_task(asking)
            flight.add_done_callback(lambda ended: self._landed(place, ended))
        return await asyncio.shield(flight)

    async def report(self) -> Report:
        """How the whole node is doing."""
        self._asked += 1
        told = await self._answer(self._asked, ReportWanted(self._asked), fault="internal")
        assert isinstance(told, Report)  # noqa: S101 - our supervisor speaks so
        return told

    def take(self, message: Answer) -> None:
        """Hand an answer to whoever waits for it."""
        waiting = self._open.get(message.ask)
        if waiting is None or waiting.answer.done():
            return
        match message:
            case Found():
                # Now, and not when somebody wakes up: the next message may tell that this is out of date.
                waiting.answer.set_result(waiting.take(message.found))
            case Told():
                waiting.answer.set_result(message.report)
            case Answered():
                waiting.answer.set_result(message.quiet_seconds)
            case Unanswered():
                seconds = message.retry_after_seconds
                fault = DependencyFault(message.reason, retry_after_seconds=seconds, **message.detail)
                waiting.answer.set_exception(fault)

    def lose(self) -> None:
        """Nobody will answer any more."""
        for waiting in self._open.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(DependencyFault(waiting.fault))

    async def _keys(self, need: NeedKeys, number: int, held: Snapshot) -> KeySet:
        place = (number, need.issuer, need.kid, need.distrusted)
        if (self._quiet.get(place) or 0.0) <= self._monotonic():
            quiet_seconds = await self._wanted(need, number, lambda found: found)
            assert isinstance(quiet_seconds, float | int)  # noqa: S101 - our supervisor speaks so
            self._hush(place, quiet_seconds)
        key_set = held.key_set(need.issuer)
        if key_set is None:
            raise DependencyFault("issuer_unreachable", issuer=need.issuer)
        return key_set

    async def _wanted(self, need: Need | NeedMinted, number: int, take: Callable[[object], object]) -> object:
        self._asked += 1
        return await self._answer(self._asked, Wanted(self._asked, number, need), fault=fault_of(need), take=take)

    async def _answer(
        self, ask: int, message: object, *, fault: str, take: Callable[[object], object] = lambda found: found
    ) -> object:
        waiting = self._open[ask] = _Open(asyncio.get_running_loop().create_future(), take, fault)
        self._send(message)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await waiting.answer
        except TimeoutError:
            raise DependencyFault(fault) from None
        finally:
            del self._open[ask]

    def _arrived(self, need: Need, place: tuple[int, Need], found: object, *, held: Snapshot) -> object:
        # Whoever asks from now on asks anew: the next message may tell that this is out of date.
        self._flights.pop(place, None)
        found = noted(need, _received(found), held)
        if isinstance(need, NeedNewerCredential) and not _holds(found, need.kid):
            self._hush(place, QUIET_SECONDS)
        return found

    def _landed(self, place: tuple[int, Need], flight: asyncio.Task[object]) -> None:
        if self._flights.get(place) is flight:
            del self._flights[place]
        if not flight.cancelled():
            flight.exception()  # looked at, for the case that nobody waits any more

    def _hush(self, place: Hashable, seconds: float) -> None:
        if seconds > 0.0:
            self._quiet.put(place, self._monotonic() + seconds)


def noted(need: Need | NeedMinted, found: object, held: Snapshot) -> object:
    """What was found; consumers and credentials are remembered, and which credentials there are not."""
    if isinstance(found, NotYet):
        return None
    if isinstance(need, NeedCredential | NeedNewerCredential):
        if isinstance(found, Credential):
            held.note_credential(need.name, found)
        else:
            held.note_unknown(need.name)
    if isinstance(found, Consumer) and isinstance(need, NeedConsumer):
        held.note_consumer(need.by, need.value, found)
    return found


def fault_of(need: Need | NeedMinted) -> str:
    """The reason to fail with when nobody answers this need."""
    if isinstance(need, NeedKeys):
        return "issuer_unreachable"
    if isinstance(need, NeedIntrospection):
        return "introspection_unreachable"
    if isinstance(need, NeedAllowance | NeedFirstUse):
        return "requests_not_counted"
    return "signer_unavailable" if isinstance(need, NeedMinted) else "consumers_unreachable"
