"""An authorization server in virtual time: what it answers, how long it takes, and what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.sources import IntrospectionSource
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.http_client import NO_FIELDS, FetchFailed, FetchRules, HttpClient, Line, Response

from ..virtual_time import now

ISS, ENDPOINT, NOON = "https://idp.example", "https://idp.example/introspect", 1_800_000_000
SOURCE = IntrospectionSource("main", ISS, endpoint=ENDPOINT, client_id="gateway", client_secret="s e c r e t")
ACTIVE = {"active": True, "sub": "ann"}
INACTIVE = {"active": False}

Reply = Response | FetchFailed


def reply(members: object, cache_control: str = "", *, media_type: str = "application/json") -> Response:
    """An answer of these members."""
    body = members if isinstance(members, bytes) else json_bytes(members)
    return Response(media_type, body, cache_control)


@dataclass(frozen=True)
class Asked:
    """One request as the server got it."""

    at: float
    url: str
    rules: FetchRules
    fields: Mapping[str, str]
    form: dict[str, str]


@dataclass
class Server(HttpClient):
    """`answers` is what it gives to everybody, or what it makes of a request; `pages` is what it shows to a GET."""

    answers: Reply | Callable[[Asked], Reply] = field(default_factory=lambda: reply(ACTIVE))
    seconds: float = 0.1
    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    open_lines: int = 0

    async def get(self, url: str, *, rules: FetchRules) -> Response:
        self.fetched.append(url)
        await asyncio.sleep(self.seconds)
        return given(self.pages.get(url, FetchFailed("status_404", status=404)))

    def line(self, url: str, rules: FetchRules) -> Line:
        self.open_lines += 1
        return ServerLine(self, url, rules)

    async def answer(self, asked: Asked) -> Response:
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(min(self.seconds, asked.rules.total_seconds))
        finally:
            self.in_flight -= 1
        if self.seconds >= asked.rules.total_seconds:
            raise FetchFailed("timeout")
        return given(self.answers(asked) if callable(self.answers) else self.answers)


class ServerLine(Line):
    """A line to it."""

    def __init__(self, server: Server, url: str, rules: FetchRules) -> None:
        super().__init__(url, rules)
        self._server = server
        self._to = url, rules

    async def send(self, method: str, *, fields: Mapping[str, str] = NO_FIELDS, body: bytes | None = None) -> Response:
        assert method == "POST"
        assert fields["Content-Type"] == "application/x-www-form-urlencoded"
        pairs = parse_qsl((body or b"").decode(), keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)
        return await self._server.answer(Asked(now(), *self._to, fields, dict(pairs)))

    async def close(self) -> None:
        self._server.open_lines -= 1


def given(what: Reply) -> Response:
    """The answer, unless it is a failure."""
    if isinstance(what, FetchFailed):
        raise FetchFailed(what.cause, detail=what.detail, status=what.status)
    return what


class Wall:
    """A clock on the wall that can be set."""

    def __init__(self) -> None:
        self.ahead = float(NOON)

    def __call__(self) -> float:
        return now() + self.ahead


def introspections(
    server: Server, *sources: IntrospectionSource, wall: Wall | None = None, keys: KeySet | None = None
) -> Introspections:
    """What asks this server, in the virtual time of the running loop."""

    async def key_set(_: NeedKeys) -> KeySet:
        return keys if keys is not None else KeySet(())

    return Introspections(
        {source.issuer: source for source in sources or (SOURCE,)},
        client=server,
        resolve=lambda text: text,
        wall=wall or Wall(),
        monotonic=now,
        key_set=key_set,
    )


def only(report: tuple[Any, ...]) -> Any:
    """The one entry of a report."""
    (entry,) = report
    return entry
