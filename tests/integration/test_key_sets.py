"""Key sets over real connections, with the time limits of a hurried operator (SEC-60 to 67, REL-30 to 32)."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.sources import Fetching, KeySource
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.key_sets import KeySets
from jwtgate.state.keys.remote_keys import SourceReport

from .scripted_server import ScriptedServer, answer

CONFIGURATION = "/.well-known/openid-configuration"
SERVER = "/.well-known/oauth-authorization-server"
ES256 = frozenset({"ES256"})


@functools.cache
def jwks(*kids: str) -> bytes:
    return answer(json_bytes({"keys": [generate_key("ES256", kid=kid).to_jwk() for kid in kids]}))


class Told:
    """What `changed` was told, issuer by issuer."""

    def __init__(self) -> None:
        self.issuers: list[str] = []

    def __call__(self, issuer: str, key_set: KeySet | None) -> None:
        self.issuers.append(issuer)


def key_sets(*sources: KeySource, folder: Path | None = None, told: Told | None = None) -> KeySets:
    return KeySets(
        {source.issuer: source for source in sources},
        client=HttpClient(),
        folder=folder,
        resolve=lambda text: text,
        clock=time.monotonic,
        wall=time.time,
        jitter=random.random,
        changed=told or Told(),
    )


PATIENT = Fetching(connect_seconds=30.0, total_seconds=30.0)


def source(server: ScriptedServer, **members: object) -> KeySource:
    plain = KeySource("main", server.origin, ES256, url=f"{server.origin}/jwks", fetching=PATIENT)
    return replace(plain, **members)  # type: ignore[arg-type] # the members of a KeySource, by name


def report(made: KeySets) -> SourceReport:
    return made.report()[0]


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for it; fails after so many seconds."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def served(life: Callable[[ScriptedServer], Awaitable[None]]) -> None:
    server = ScriptedServer()
    server.pages["/jwks"] = jwks("k1")
    async with server.running():
        await life(server)


def test_sec_62_metadata_is_found_and_its_jwks_uri_used() -> None:
    async def life(server: ScriptedServer) -> None:
        document = {"issuer": server.origin, "jwks_uri": f"{server.origin}/jwks"}
        for place in (CONFIGURATION, SERVER):
            server.pages[place] = answer(json_bytes(document))
            made = key_sets(source(server, url=None, discovery=""))
            await made.start(2)
            assert report(made).keys == 1
            await made.close()
            del server.pages[place]

    asyncio.run(served(life))


def test_sec_62_metadata_of_another_issuer_is_refused() -> None:
    async def life(server: ScriptedServer) -> None:
        document = {"issuer": f"{server.origin}/", "jwks_uri": f"{server.origin}/jwks"}
        server.pages[CONFIGURATION] = answer(json_bytes(document))
        made = key_sets(source(server, url=None, discovery=""))
        await made.start(2)
        assert report(made).last_failure == "metadata_refused"
        assert server.asked["/jwks"] == 0
        await made.close()

    asyncio.run(served(life))


@pytest.mark.parametrize(
    ("jwks_uri", "cause"),
    [
        ("http://localhost:{port}/jwks", "host_not_allowed"),
        ("http://keys.example/jwks", "host_not_allowed"),
        ("file:///etc/passwd", "metadata_refused"),
    ],
)
def test_sec_62_a_jwks_uri_somewhere_else_is_refused(jwks_uri: str, cause: str) -> None:
    async def life(server: ScriptedServer) -> None:
        document = {"issuer": server.origin, "jwks_uri": jwks_uri.format(port=server.port)}
        server.pages[CONFIGURATION] = answer(json_bytes(document))
        made = key_sets(source(server, url=None, discovery=""))
        await made.start(2)
        assert report(made).last_failure == cause
        assert server.asked["/jwks"] == 0
        await made.close()

    asyncio.run(served(life))


def test_sec_60_a_listed_host_still_needs_https() -> None:
    async def life(server: ScriptedServer) -> None:
        document = {"issuer": server.origin, "jwks_uri": "http://keys.example/jwks"}
        server.pages[CONFIGURATION] = answer(json_bytes(document))
        listed = replace(PATIENT, allowed_hosts=frozenset({"keys.example"}))
        made = key_sets(source(server, url=None, discovery="", fetching=listed))
        await made.start(2)
        assert report(made).last_failure == "scheme_refused"
        await made.close()

    asyncio.run(served(life))


def test_sec_63_a_source_may_not_be_on_a_private_address_when_that_is_refused() -> None:
    async def life(server: ScriptedServer) -> None:
        made = key_sets(source(server, fetching=replace(PATIENT, private_addresses_refused=True)))
        await made.start(2)
        assert report(made).last_failure == "address_refused"
        assert server.connections == 0
        await made.close()

    asyncio.run(served(life))


def test_sec_65_ten_thousand_random_kids_cause_at_most_two_fetches() -> None:
    async def life(server: ScriptedServer) -> None:
        made = key_sets(source(server))
        await made.start(2)
        for start in range(0, 10_000, 100):
            needs = [NeedKeys("main", f"r{n}", f"192.0.2.{n % 8}") for n in range(start, start + 100)]
            assert all(len(held) == 1 for held in await asyncio.gather(*map(made.obtain, needs)))
        assert server.asked["/jwks"] - 1 <= 2
        await made.close()

    asyncio.run(served(life))


def test_rel_31_all_who_ask_share_one_fetch_and_hear_of_a_change() -> None:
    async def life(server: ScriptedServer) -> None:
        told = Told()
        made = key_sets(source(server, refresh_seconds=0.2), told=told)
        await made.start(2)
        assert told.issuers == ["main"]
        server.pages["/jwks"] = jwks("k2")
        await until(lambda: len(told.issuers) == 2)
        assert made.current()["main"].candidates("ES256", "k2")
        await made.close()

    asyncio.run(served(life))


def test_rel_30_an_issuer_that_stops_and_comes_back_leaves_no_gap() -> None:
    async def life() -> None:
        server = ScriptedServer()
        server.pages["/jwks"] = jwks("k1")
        async with server.running():
            made = key_sets(source(server, refresh_seconds=0.2))
            await made.start(2)
        await until(lambda: report(made).failures > 2)
        assert report(made).last_failure == "refused"
        assert len(await made.obtain(NeedKeys("main", "k1"))) == 1
        async with server.running():
            await until(lambda: report(made).failures == 0)
            assert not report(made).stale
            await made.close()

    asyncio.run(life())


def test_rel_32_the_first_start_without_an_issuer_and_without_a_saved_set() -> None:
    async def life() -> None:
        server = ScriptedServer()
        server.pages["/jwks"] = jwks("k1")
        async with server.running():
            pass
        made = key_sets(source(server))
        await made.start(2)
        with pytest.raises(DependencyFault) as caught:
            await made.obtain(NeedKeys("main", "k1"))
        assert caught.value.reason == "issuer_unreachable"
        async with server.running():
            await until(lambda: report(made).keys == 1)
            await made.close()

    asyncio.run(life())


def test_sec_67_a_key_that_disappears_stops_verifying() -> None:
    async def life(server: ScriptedServer) -> None:
        server.pages["/jwks"] = jwks("k1", "k2")
        made = key_sets(source(server, refresh_seconds=0.5))
        await made.start(2)
        server.pages["/jwks"] = jwks("k2")
        await until(lambda: not made.current()["main"].candidates("ES256", "k1"))
        await made.close()

    asyncio.run(served(life))


def test_sec_66_a_set_that_cannot_be_renewed_is_dropped_past_max_stale() -> None:
    async def life(server: ScriptedServer) -> None:
        made = key_sets(source(server, refresh_seconds=0.2, max_stale_seconds=1))
        await made.start(2)
        server.pages["/jwks"] = answer(b"", status="500 Oh")
        await until(lambda: not made.current())
        with pytest.raises(DependencyFault):
            await made.obtain(NeedKeys("main", "k1"))
        server.pages["/jwks"] = jwks("k1")
        await until(lambda: bool(made.current()))
        await made.close()

    asyncio.run(served(life))
