"""What issuers say of tokens nobody here can read: asked once for all workers, and remembered while it holds.

An answer is judged anew on every request; what is kept is the answer, never the judgement (SEC-70). Lifetimes run
on the monotonic clock, only an `exp` is looked at with the wall's.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key_set import KeySet
from jwtgate.oauth.introspection import Answer
from jwtgate.policy.facts import Introspected, NeedIntrospection, NeedKeys
from jwtgate.policy.sources import IntrospectionSource
from jwtgate.state.callers.answer_memory import AnswerMemory, Held, question_hash
from jwtgate.state.callers.introspection_endpoint import Around, IntrospectionEndpoint, Told
from jwtgate.state.http_client import FetchFailed, HttpClient

_log = logging.getLogger(__name__)
MOST_NEGATIVE_SECONDS = 10.0
MOST_WAITING = 4096
ASK_AGAIN_AFTER = 0.75
"""The part of its time for which a good answer is used without asking."""


@dataclass(frozen=True, slots=True)
class IntrospectionReport:
    """How asking one issuer goes. `breaker` is `closed`, `open` or `trying`; `last_failure` None: it works.

    `failures` counts by cause, `not_understood` answers of an unknown shape, `stood_in` those that stood in for a
    failed call, `evicted` those that were let go of for want of room.
    """

    issuer: str
    endpoint: str | None
    breaker: str
    calls: int
    in_flight: int
    remembered: int
    from_memory: int
    stood_in: int
    not_understood: int
    failures: Mapping[str, int]
    last_failure: str | None
    last_failure_detail: str
    evicted: int = 0


class Introspections:
    """The introspecting issuers of one generation, by name."""

    def __init__(
        self,
        sources: Mapping[str, IntrospectionSource],
        *,
        client: HttpClient,
        resolve: Callable[[str], str],
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        key_set: Callable[[NeedKeys], Awaitable[KeySet]],
    ) -> None:
        """`ConfigError` with every problem of every source."""
        around = Around(client, resolve, wall, monotonic, key_set)
        self._asked: dict[str, _Asked] = {}
        problems: list[str] = []
        for name, source in sources.items():
            try:
                self._asked[name] = _Asked(source, around)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(*problems)

    def adopt(self, previous: Introspections) -> None:
        """Take over what is remembered and known of issuers that did not change."""
        for name, asked in self._asked.items():
            other = previous._asked.get(name)
            if other is not None and other.source == asked.source:
                asked.take_over(other)

    async def ask(self, need: NeedIntrospection) -> Introspected:
        """What the issuer says of this token. `DependencyFault("introspection_unreachable")` when it cannot be had."""
        return await self._asked[need.issuer].ask(need.token, need.hint)

    def report(self) -> tuple[IntrospectionReport, ...]:
        """How asking each issuer goes, in the order of the document."""
        return tuple(asked.report() for asked in self._asked.values())

    async def close(self) -> None:
        """End every call and close every connection."""
        for asked in self._asked.values():
            await asked.close()


class _Asked:
    """One issuer: what it said, and the questions it is being asked."""

    def __init__(self, source: IntrospectionSource, around: Around) -> None:
        self.source = source
        self._around = around
        self._endpoint = IntrospectionEndpoint(source, around)
        self._memory = AnswerMemory()
        self._flights: dict[bytes, asyncio.Task[Held | FetchFailed]] = {}
        self._from_memory = self._stood_in = self._not_understood = 0

    def take_over(self, other: _Asked) -> None:
        self._endpoint.take_over(other._endpoint)
        self._memory = other._memory
        self._from_memory, self._stood_in = other._from_memory, other._stood_in
        self._not_understood = other._not_understood

    async def ask(self, token: str, hint: str | None) -> Introspected:
        try:
            address = await self._endpoint.locate()
        except FetchFailed as failure:
            raise self._fault(failure) from None
        question = question_hash(self.source.issuer, address, self.source.client_id, token, hint)
        held = self._memory.find(question)
        if held is not None and self._holds(held, held.ask_again_at):
            self._from_memory += 1
            return self._introspected(held, held.ask_again_at, held.vouched_until)
        told = await self._told(question, address, token, hint=hint)
        if isinstance(told, Held):
            return self._introspected(told, told.ask_again_at, told.vouched_until)
        if held is not None and self._holds(held, held.stale_until):
            self._stood_in += 1
            return self._introspected(held, -math.inf, held.stale_until)
        raise self._fault(told) from None

    async def _told(self, question: bytes, address: str, token: str, *, hint: str | None) -> Held | FetchFailed:
        """What comes of the one call about this question, begun now or by somebody else."""
        flight = self._flights.get(question)
        if flight is None:
            if len(self._flights) >= MOST_WAITING:
                return FetchFailed("overloaded")
            flight = self._flights[question] = asyncio.create_task(self._call(question, address, token, hint=hint))
            flight.add_done_callback(lambda _: self._flights.pop(question, None))
        # Unlike awaiting the task: whoever gives up waiting leaves the call alone, and the other way round.
        await asyncio.wait((flight,))
        return FetchFailed("closed") if flight.cancelled() else flight.result()

    async def _call(self, question: bytes, address: str, token: str, *, hint: str | None) -> Held | FetchFailed:
        """Never raises: what goes wrong is everybody's who waits."""
        try:
            told = await self._endpoint.ask(address, token, hint=hint)
        except FetchFailed as failure:
            return failure
        except Exception as error:
            # The error itself may quote what was sent.
            _log.error("issuer %s: introspection failed in an unforeseen way: %s", self.source.issuer, type(error))
            return FetchFailed("internal")
        self._not_understood += not told.answer.understood
        held = self._held(told)
        if held.fresh_until > self._around.monotonic():
            self._memory.keep(question, held)
        else:
            self._memory.drop(question)
        return held

    def _held(self, told: Told) -> Held:
        """The answer with its times. One that is good is asked about again before its time is over.

        So there is time left for what is made from it, and for the next answer to come late.
        """
        now, exp, source = self._around.monotonic(), _exp(told.answer), self.source
        usual, share, stale = source.cache_seconds, ASK_AGAIN_AFTER, source.stale_if_error_seconds
        if not told.answer.active:
            usual, share, stale = min(source.negative_cache_seconds, MOST_NEGATIVE_SECONDS), 1.0, 0.0
        kept = min(usual, told.keep_seconds)
        seconds = kept if exp is None else max(0.0, min(kept, exp - self._around.wall()))
        # What is made from an answer nobody may keep lives as if it were kept: so long does the document trust one.
        vouched = seconds or usual
        return Held(
            told.answer,
            now + min(share * kept, seconds),
            fresh_until=now + seconds,
            stale_until=now + seconds + stale,
            vouched_until=now + vouched if vouched else None,
            exp=exp,
            size_bytes=told.size_bytes,
        )

    def _holds(self, held: Held, until: float) -> bool:
        is_over = held.exp is not None and self._around.wall() >= held.exp
        return self._around.monotonic() < until and not is_over

    def _introspected(self, held: Held, until: float, vouched_until: float | None) -> Introspected:
        ahead = self._around.wall() - self._around.monotonic()
        instant = ahead + max(until, self._around.monotonic())
        return Introspected(
            held.answer.active,
            held.answer.members,
            int(instant if held.exp is None else min(instant, held.exp)),
            # Rounded up, for a token that ends in the second in which it was made is of no use.
            None if vouched_until is None else math.ceil(ahead + vouched_until),
        )

    def _fault(self, failure: FetchFailed) -> DependencyFault:
        return DependencyFault(
            "introspection_unreachable",
            retry_after_seconds=self._endpoint.wait_seconds(),
            issuer=self.source.issuer,
            cause=failure.cause,
        )

    def report(self) -> IntrospectionReport:
        endpoint = self._endpoint
        failure = endpoint.last_failure
        return IntrospectionReport(
            issuer=self.source.issuer,
            endpoint=endpoint.address.known,
            breaker=endpoint.breaker.state(self._around.monotonic()).value,
            calls=endpoint.calls,
            in_flight=endpoint.in_flight,
            remembered=len(self._memory),
            from_memory=self._from_memory,
            stood_in=self._stood_in,
            not_understood=self._not_understood,
            failures=MappingProxyType(dict(endpoint.failures)),
            last_failure=failure.cause if failure else None,
            last_failure_detail=failure.detail if failure else "",
            evicted=self._memory.evicted,
        )

    async def close(self) -> None:
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._endpoint.close()


def _exp(answer: Answer) -> float | None:
    """The end the answer gives (NumericDate), None where it gives none; one that cannot be read was in 1970."""
    exp: JSON = answer.members.get("exp")
    if exp is None:
        return None
    return exp if isinstance(exp, int | float) and not isinstance(exp, bool) else 0.0
