"""Key sets found by their address: fetched when they are wanted, kept fresh, let go of when nobody wants them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.policy.facts import NeedCredential, NeedNewerCredential
from jwtgate.policy.sources import KeysAddress, KeySource
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.addressed_keys import IDLE_SECONDS, IDLE_WITHOUT_KEYS_SECONDS, MOST_ADDRESSES, AddressedKeys

from ..virtual_time import live, now

ANN = KeysAddress("https://ann.example/jwks").source("ES256")
WANTED = NeedCredential("ann-key")


@functools.cache
def jwks(*kids: str) -> bytes:
    return json_bytes({"keys": [generate_key("ES256", kid=kid).to_jwk() for kid in kids]})


@dataclass
class Web(HttpClient):
    """Every address publishes the same set; None means that nothing can be reached."""

    body: bytes | None = field(default_factory=lambda: jwks("k1"))
    asked: list[tuple[str, FetchRules, Mapping[str, str]]] = field(default_factory=list)

    async def send(
        self, method: str, url: str, *, rules: FetchRules, fields: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        self.asked.append((url, rules, fields))
        await asyncio.sleep(0.1)
        if self.body is None:
            raise FetchFailed("refused")
        return Response("application/json", self.body)


def addressed(web: Web) -> AddressedKeys:
    return AddressedKeys(Path("/etc/gate"), client=web, clock=now, jitter=lambda: 0.5)


async def kids(
    held: AddressedKeys,
    need: NeedCredential | NeedNewerCredential = WANTED,
    *,
    source: KeySource = ANN,
    changes: int = 0,
) -> list[str | None]:
    return [key.kid for key in await held.obtain(source, need, resolve=str, changes=changes)]


def test_a_set_is_fetched_once_for_all_who_want_it() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        assert web.asked == []
        found = await asyncio.gather(*(kids(held) for _ in range(10)))
        assert found == [["k1"]] * 10
        assert await kids(held) == ["k1"]
        assert [url for url, _, _ in web.asked] == [ANN.url]
        held.close()

    live(life())


def test_sec_65_an_unknown_kid_is_fetched_for_once_in_30_seconds() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        await kids(held)
        web.body = jwks("k1", "k2")
        found = await asyncio.gather(*(kids(held, NeedNewerCredential("ann-key", "k2")) for _ in range(10)))
        assert found == [["k1", "k2"]] * 10
        assert len(web.asked) == 2
        assert await kids(held, NeedNewerCredential("ann-key", "k9")) == ["k1", "k2"]
        assert len(web.asked) == 2
        await asyncio.sleep(30)
        assert await kids(held, NeedNewerCredential("ann-key", "k9")) == ["k1", "k2"]
        assert len(web.asked) == 3
        held.close()

    live(life())


def test_sec_66_without_any_set_it_is_a_fault_and_the_last_good_one_is_kept() -> None:
    async def life() -> None:
        web = Web(None)
        held = addressed(web)
        for need in (WANTED, NeedNewerCredential("ann-key", "k1")):
            with pytest.raises(DependencyFault) as fault:
                await kids(held, need)
            assert (fault.value.reason, fault.value.detail["issuer"]) == ("issuer_unreachable", ANN.url)
        web.body = jwks("k1")
        await asyncio.sleep(5)
        assert await kids(held) == ["k1"]
        web.body = None
        await asyncio.sleep(3_600)
        assert await kids(held) == ["k1"]
        with pytest.raises(DependencyFault):
            await kids(held, NeedNewerCredential("ann-key", "k2"))
        held.close()

    live(life())


def test_sec_67_who_was_given_keys_hears_when_they_are_others_and_not_before() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        await kids(held)
        assert not await held.changed(most_seconds=1_000)
        web.body = jwks("k2")
        assert await held.changed(most_seconds=1_000)
        assert await kids(held) == ["k2"]
        assert not await held.changed(most_seconds=1_000)
        web.body = None
        assert await held.changed(most_seconds=2 * ANN.max_stale_seconds)
        with pytest.raises(DependencyFault):
            await kids(held)
        held.close()

    live(life())


def test_sources_that_differ_in_anything_share_nothing() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        address = KeysAddress(
            ANN.url or "",
            "me",
            "sesame",
            client_certificate_file="me.pem",
            client_key_file="/keys/me",
            ca_file="ca.pem",
        )
        for source in (ANN, address.source("ES256"), ANN):
            await kids(held, source=source)
        (_, rules, plain), (_, known, fields) = web.asked
        assert (rules.client_certificate_file, rules.ca_file, plain) == (None, None, {})
        assert (known.client_certificate_file, known.client_key_file) == ("/etc/gate/me.pem", "/keys/me")
        assert known.ca_file == "/etc/gate/ca.pem"
        assert fields["Authorization"].startswith("Basic ")
        with pytest.raises(DependencyFault):  # there is no such key in the set
            await kids(held, source=KeysAddress(ANN.url or "").source("RS256"))
        held.close()

    live(life())


def test_rel_18_whoever_was_asked_for_longest_ago_goes_and_those_who_hold_it_hear_of_it() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        sources = [replace(ANN, url=f"https://ann.example/{number}") for number in range(MOST_ADDRESSES + 1)]
        await asyncio.gather(*(kids(held, source=source) for source in sources[:-1]))
        await kids(held, source=sources[0])
        assert not await held.changed(most_seconds=0)
        await kids(held, source=sources[-1])
        assert await held.changed(most_seconds=0)
        assert len(held) == MOST_ADDRESSES
        before = len(web.asked)
        await kids(held, source=sources[0])
        assert len(web.asked) == before
        await kids(held, source=sources[1])
        assert len(web.asked) == before + 1
        held.close()

    live(life())


def test_what_nobody_wants_any_more_is_fetched_no_more() -> None:
    async def life() -> None:
        web = Web()
        held = addressed(web)
        await kids(held, changes=1)
        await asyncio.sleep(IDLE_SECONDS)
        held.let_go(1)  # somebody may remember it still
        assert len(held) == 1
        await kids(held, changes=1)
        held.let_go(2)  # and may want it again soon
        assert len(held) == 1
        await asyncio.sleep(IDLE_SECONDS)
        held.let_go(2)
        assert len(held) == 0
        before = len(web.asked)
        await asyncio.sleep(IDLE_SECONDS)
        assert len(web.asked) == before

    live(life())


def test_an_address_that_never_answers_is_left_alone_when_nobody_asks() -> None:
    async def life() -> None:
        held = addressed(Web(None))
        with pytest.raises(DependencyFault):
            await kids(held)
        held.let_go(0)
        assert len(held) == 1
        await asyncio.sleep(IDLE_WITHOUT_KEYS_SECONDS)
        held.let_go(0)
        assert len(held) == 0

    live(life())


def test_whoever_waits_for_a_set_that_is_let_go_of_is_told_so() -> None:
    async def life() -> None:
        held = addressed(Web())
        waiting = asyncio.create_task(kids(held))
        await asyncio.sleep(0.05)
        held.close()
        with pytest.raises(DependencyFault):
            await waiting

    live(life())
