"""Calls of one issuer's introspection endpoint, within all limits (RFC 7662, RFC 9701, SEC-60 to 64, 68, 69).

The token is sent in the body of the request. It stands in no address, no error and no log.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from jwtgate.errors import ConfigError, DependencyFault, TokenRefused
from jwtgate.jose.key_set import KeySet
from jwtgate.oauth.introspection import (
    JSON_MEDIA_TYPE,
    MOST_ANSWER_BYTES,
    SIGNED_MEDIA_TYPE,
    Answer,
    AnswerRefused,
    lifetime_seconds,
    parse_answer,
    parse_signed_answer,
    request_form,
    verify_signed_answer,
)
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.sources import IntrospectionSource
from jwtgate.state.callers.breaker import Breaker
from jwtgate.state.callers.client_auth import ClientProof
from jwtgate.state.callers.endpoint_address import EndpointAddress
from jwtgate.state.discovery import json_body
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Line, Response

_log = logging.getLogger(__name__)
QUIET_SECONDS = 60.0
_OURS = frozenset({"token", "client_id", "client_secret", "client_assertion", "client_assertion_type"})


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, how long its sender lets it be kept (infinity: it does not say), and the bytes it was read from."""

    answer: Answer
    keep_seconds: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Around:
    """What every endpoint of a node shares. `key_set` gives an issuer's keys, fetched anew where that may help."""

    client: HttpClient
    resolve: Callable[[str], str]
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    key_set: Callable[[NeedKeys], Awaitable[KeySet]]


class IntrospectionEndpoint:
    """Calls one endpoint, a bounded number at once, and leaves it alone while it fails."""

    def __init__(self, source: IntrospectionSource, around: Around) -> None:
        """`ConfigError` for a source that cannot be asked as it says."""
        _check(source)
        rules = replace(FetchRules.of(source.fetching), limit_bytes=MOST_ANSWER_BYTES)
        self.address = EndpointAddress(source, client=around.client, rules=rules, monotonic=around.monotonic)
        self.breaker = Breaker()
        self.calls = self.in_flight = 0
        self.failures: Counter[str] = Counter()
        self.last_failure: FetchFailed | None = None
        self._source = source
        self._around = around
        self._rules = rules
        self._proof = ClientProof(source, around.resolve)
        self._extra = tuple((name, around.resolve(value)) for name, value in source.body)
        self._slots = asyncio.Semaphore(source.most_in_flight)
        self._lines: dict[str, Line] = {}
        self._is_told = False
        self._told_at = -math.inf

    def take_over(self, other: IntrospectionEndpoint) -> None:
        """Go on where the endpoint of the same source in another generation stands."""
        self.address.take_over(other.address)
        self.breaker, self._slots = other.breaker, other._slots
        self.calls, self.failures, self.last_failure = other.calls, other.failures, other.last_failure
        self._is_told, self._told_at = other._is_told, other._told_at

    async def locate(self) -> str:
        """The address of the endpoint. Raises `FetchFailed`."""
        try:
            return await self.address.find()
        except FetchFailed as failure:
            self._note(failure)
            raise

    async def ask(self, address: str, token: str, *, hint: str | None) -> Told:
        """What the issuer says of the token. Raises `FetchFailed`, also when there is no turn in the time of a call."""
        try:
            async with asyncio.timeout(self._rules.total_seconds):
                await self._slots.acquire()
        except TimeoutError:
            failure = FetchFailed("overloaded")
            self._note(failure)
            raise failure from None
        try:
            return await self._attempts(address, token, hint)
        finally:
            self._slots.release()

    def wait_seconds(self) -> int:
        """How long asking again is pointless, in whole seconds, at least one."""
        return max(1, math.ceil(self.breaker.wait_seconds(self._around.monotonic())))

    async def close(self) -> None:
        """Close the connections, and end a search for the address."""
        await self.address.close()
        for line in self._lines.values():
            await line.close()

    async def _attempts(self, address: str, token: str, hint: str | None) -> Told:
        failure = FetchFailed("left_alone", detail=self.last_failure.cause if self.last_failure else "")
        for _ in range(self._source.attempts):
            if not self.breaker.admit(self._around.monotonic(), self._rules.total_seconds):
                break
            try:
                told = await self._call(address, token, hint)
            except FetchFailed as failed:
                failure = failed
                if not _tells_of_the_server(failed):
                    self.breaker.succeeded()
                    break
                self.breaker.failed(self._around.monotonic())
            else:
                self._succeeded()
                return told
        self._note(failure)
        raise failure

    async def _call(self, address: str, token: str, hint: str | None) -> Told:
        source = self._source
        proof = self._proof.make(address, int(self._around.wall()))
        form = request_form(token, hint, hint_parameter=source.hint_parameter, extra=self._extra)
        fields = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": SIGNED_MEDIA_TYPE if source.signed else JSON_MEDIA_TYPE,
            **dict(proof.fields),
        }
        self.calls += 1
        self.in_flight += 1
        try:
            body = urlencode((*form, *proof.form)).encode()
            response = await self._line(address).send("POST", fields=fields, body=body)
            answer = await self._signed(response) if source.signed else parse_answer(json_body(response))
        except AnswerRefused as refused:
            raise FetchFailed(refused.cause, detail=refused.detail) from None
        finally:
            self.in_flight -= 1
        if source.unknown_fails and not answer.understood:
            raise FetchFailed("not_understood")
        seconds = math.inf if source.cache_control_unread else lifetime_seconds(response.cache_control)
        return Told(answer, seconds, len(response.body))

    async def _signed(self, response: Response) -> Answer:
        if response.media_type != SIGNED_MEDIA_TYPE:
            raise AnswerRefused("not_signed", response.media_type)
        token, source = parse_signed_answer(response.body), self._source
        try:
            held = await self._around.key_set(NeedKeys(source.issuer, token.kid))
            keys = held.candidates(token.alg, token.kid)
        except DependencyFault:
            raise AnswerRefused("keys_unreachable") from None
        except TokenRefused as refusal:
            raise AnswerRefused("signature", refusal.reason) from None
        return verify_signed_answer(
            token,
            keys,
            algorithms=source.signed_algorithms,
            iss=source.iss or "",
            client_id=source.client_id or "",
            now=int(self._around.wall()),
        )

    def _line(self, address: str) -> Line:
        if address not in self._lines:
            self._lines[address] = self._around.client.line(address, self._rules)
        return self._lines[address]

    def _note(self, failure: FetchFailed) -> None:
        """Count a failure, and tell of the first; an endpoint that comes and goes is told of once a minute."""
        self.failures[failure.cause] += 1
        self.last_failure = failure
        now = self._around.monotonic()
        if not self._is_told and now >= self._told_at + QUIET_SECONDS:
            self._is_told, self._told_at = True, now
            _log.warning("issuer %s: introspection fails: %s", self._source.issuer, failure.cause)

    def _succeeded(self) -> None:
        self.breaker.succeeded()
        self.last_failure = None
        if self._is_told:
            self._is_told = False
            _log.warning("issuer %s: introspection works again", self._source.issuer)


def _tells_of_the_server(failure: FetchFailed) -> bool:
    """Whether this failure says that the server is not well. A refusal of this one request says no such thing:
    else whoever makes up tokens that it refuses could have it left alone."""
    status = failure.status or 0
    return not 400 <= status < 500 or status in (408, 429)


def _check(source: IntrospectionSource) -> None:
    place = f"issuer {source.issuer!r}, introspection"
    problems = []
    if source.endpoint is None and not source.iss:
        problems.append(f"{place}: without an endpoint it needs the issuer whose metadata names one.")
    if source.signed and not (source.client_id and source.iss and source.signed_algorithms):
        problems.append(f"{place}: signed answers need client_id, the issuer and its algorithms.")
    taken = sorted({name for name, _ in source.body} & (_OURS | {source.hint_parameter}))
    if taken:
        problems.append(f"{place}: the parameters {', '.join(taken)} are not for `body` to set.")
    if problems:
        raise ConfigError(*problems)
