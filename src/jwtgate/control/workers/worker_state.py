"""A worker's side of the state: the generation it was sent, the keys that change in it, and the questions it asks.

A `kid` the supervisor has just looked for in vain is not asked for again while the supervisor would not look
again, so that made-up `kid`s cost the link nothing. What is remembered of them is bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jwtgate.control.workers.link import (
    Answered,
    KeysChanged,
    KeysWanted,
    Prepare,
    ReportWanted,
    SentKey,
    Signing,
    SigningChanged,
    Told,
    Unanswered,
)
from jwtgate.errors import DependencyFault
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.observe import Report
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import Need, NeedKeys
from jwtgate.state.answers import Snapshot
from jwtgate.state.issued_tokens import IssuedTokens

MOST_QUIET = 4_096
ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Served:
    """A generation ready to be served, and the key sets it looks at."""

    generation: Generation
    held: Snapshot

    @classmethod
    def build(cls, sent: Prepare) -> Served:
        """The generation that was sent. Takes long for a large one; it may be called on a thread of its own."""
        held = Snapshot({issuer: _key_set(keys) for issuer, keys in sent.key_sets.items()})
        generation = Generation(
            sent.number,
            sent.plan,
            held,
            issued_tokens=_issued_tokens(sent.signing),
            keys_document=sent.signing.keys_document,
            metadata_document=sent.metadata_document,
        )
        return cls(generation, held)

    def change(self, change: KeysChanged | SigningChanged) -> None:
        """Take up changed keys, and forget what was decided with the old ones."""
        if isinstance(change, KeysChanged):
            self.held.set_keys(change.issuer, None if change.keys is None else _key_set(change.keys))
            self.generation.key_set_changed()
            return
        self.generation.issued_tokens = _issued_tokens(change.signing)
        self.generation.keys_document = change.signing.keys_document


def _issued_tokens(signing: Signing) -> IssuedTokens:
    return IssuedTokens({name: (_key(sent), alg) for name, (sent, alg) in signing.keys.items()})


def _key_set(keys: Iterable[SentKey]) -> KeySet:
    return KeySet(map(_key, keys))


def _key(sent: SentKey) -> Key:
    """The key that was sent. Whether it is good enough was judged before; a short secret was permitted there."""
    jwk = sent.jwk
    if jwk["kty"] != "oct":
        return Key.from_jwk(jwk)
    kid = jwk.get("kid")
    return Key.secret(
        base64url_decode(str(jwk["k"])),
        alg=str(jwk["alg"]),
        kid=None if kid is None else str(kid),
        short_secret_allowed_for_legacy_credential=True,
    )


class Asking:
    """The open questions of one worker."""

    def __init__(self, send: Callable[[object], None], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._monotonic = monotonic
        self._open: dict[int, asyncio.Future[object]] = {}
        self._asked = 0
        self._quiet: dict[tuple[int, str, str | None], float] = {}

    async def keys(self, need: Need, *, number: int, held: Snapshot) -> KeySet:
        """The issuer's key set in the generation of this number; `DependencyFault` when there is none."""
        assert isinstance(need, NeedKeys)  # noqa: S101 - the gateway signs by itself
        place = (number, need.issuer, need.kid)
        if self._quiet.get(place, 0.0) <= self._monotonic():
            self._asked += 1
            wanted = KeysWanted(self._asked, number, issuer=need.issuer, kid=need.kid, client=need.client)
            answer = await self._answer(wanted.ask, wanted)
            if isinstance(answer, Unanswered):
                raise DependencyFault(answer.reason, retry_after_seconds=answer.retry_after_seconds, issuer=need.issuer)
            assert isinstance(answer, Answered)  # noqa: S101 - our supervisor speaks so
            self._hush(place, answer.quiet_seconds)
        key_set = held.key_set(need.issuer)
        if key_set is None:
            raise DependencyFault("issuer_unreachable", issuer=need.issuer)
        return key_set

    async def report(self) -> Report:
        """How the whole node is doing."""
        self._asked += 1
        told = await self._answer(self._asked, ReportWanted(self._asked))
        assert isinstance(told, Told)  # noqa: S101 - our supervisor speaks so
        return told.report

    def take(self, message: Answered | Unanswered | Told) -> None:
        """Hand an answer to whoever waits for it."""
        waiting = self._open.get(message.ask)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def lose(self) -> None:
        """Nobody will answer any more."""
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(DependencyFault("issuer_unreachable"))

    async def _answer(self, ask: int, message: object) -> object:
        waiting = self._open[ask] = asyncio.get_running_loop().create_future()
        self._send(message)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await waiting
        except TimeoutError:
            raise DependencyFault("issuer_unreachable") from None
        finally:
            del self._open[ask]

    def _hush(self, place: tuple[int, str, str | None], seconds: float) -> None:
        if seconds <= 0.0:
            return
        if len(self._quiet) >= MOST_QUIET:
            del self._quiet[next(iter(self._quiet))]
        self._quiet[place] = self._monotonic() + seconds
