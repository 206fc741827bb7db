"""When a published key set is fetched again and dropped, on a clock that jumps: scenario 29 of the examples."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.dialects.couper.files import endpoint, file, jwt
from tests.dialects.couper.key_forms import jwk, private_key
from tests.dialects.couper.key_server import key_set
from tests.unit.dialects.couper.translated import document
from tests.unit.state.virtual_time import live, now

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.errors import DependencyFault
from jwtgate.policy.sources import KeySource
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.remote_keys import RemoteKeys, Surroundings

HOUR = 3600.0
URL = "https://as.example/keys"


class Issuer(HttpClient):
    """Publishes a key until it fails, and notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.fails = False

    async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
        assert (method, url) == ("GET", URL)
        self.asked.append(now())
        if self.fails:
            raise FetchFailed("status_500", status=500)
        return Response("application/json", key_set(jwk(private_key("ES256"), kid="k1"))[1])


def source(*lines: str, more: str = "") -> KeySource:
    """Where the keys of a block with these lines come from; `more` stands in the file besides."""
    made = document(file(endpoint(), definitions=(jwt("J", *lines, keys=f'jwks_url = "{URL}"'),), more=more))
    loaded = load_document(json.dumps(made).encode(), name="couper.json", folder=Path(), resolve=str)
    return compile_document(loaded).sources.keys["J"]


def keys_of(issuer: Issuer, *lines: str, more: str = "") -> RemoteKeys:
    """The keys of such a block, as a node holds them."""
    around = Surroundings(
        client=issuer, folder=None, clock=now, wall=now, jitter=lambda: 0.5, resolve=str, changed=lambda *_: None
    )
    return RemoteKeys("J", source(*lines, more=more), around)


def test_29_a_set_is_fetched_once_an_hour() -> None:
    async def life() -> None:
        issuer = Issuer()
        keys = keys_of(issuer)
        keys.start()
        await asyncio.sleep(HOUR - 1)
        assert len(issuer.asked) == 1
        await asyncio.sleep(2)
        assert [round(at) for at in issuer.asked] == [0, HOUR]
        await asyncio.sleep(HOUR)
        assert len(issuer.asked) == 3
        await keys.close()

    live(life())


def test_29_keys_are_dropped_two_hours_after_the_last_success() -> None:
    async def life() -> None:
        issuer = Issuer()
        keys = keys_of(issuer)
        keys.start()
        await asyncio.sleep(HOUR + 1)
        assert len(issuer.asked) == 2
        issuer.fails = True
        await asyncio.sleep(2 * HOUR - 2)
        assert [key.kid for key in await keys.obtain("k1", "")] == ["k1"]
        assert len(issuer.asked) > 3
        await asyncio.sleep(3)
        with pytest.raises(DependencyFault) as caught:
            await keys.obtain("k1", "")
        assert (caught.value.reason, caught.value.detail["status"]) == ("issuer_unreachable", 500)
        issuer.fails = False
        await asyncio.sleep(5)
        assert len(await keys.obtain("k1", "")) == 1
        await keys.close()

    live(life())


def test_times_of_ones_own_are_kept() -> None:
    async def life() -> None:
        issuer = Issuer()
        keys = keys_of(issuer, 'jwks_ttl = "30s"', 'jwks_max_stale = "0"')
        keys.start()
        await asyncio.sleep(29)
        assert len(issuer.asked) == 1
        issuer.fails = True
        await asyncio.sleep(3)
        with pytest.raises(DependencyFault):
            await keys.obtain("k1", "")
        await keys.close()

    live(life())


def test_an_unknown_kid_costs_the_issuer_nothing() -> None:
    async def life() -> None:
        issuer = Issuer()
        keys = keys_of(issuer)
        keys.start()
        for number in range(100):
            await keys.obtain(f"unknown-{number}", "")
        assert len(issuer.asked) == 1
        await keys.close()

    live(life())


def test_unless_a_switch_says_that_it_is_worth_a_fetch() -> None:
    async def life() -> None:
        issuer = Issuer()
        keys = keys_of(issuer, more="settings { couper_compat = { jwks_refetch_on_unknown_kid = true } }")
        keys.start()
        await keys.usable()
        await asyncio.sleep(60)
        for number in range(100):
            await keys.obtain(f"unknown-{number}", "")
        assert len(issuer.asked) == 2
        await keys.close()

    live(life())


def test_a_key_without_use_counts_where_a_switch_says_so() -> None:
    assert source().use_required
    assert not source(more="settings { jwks_accept_missing_use = true }").use_required
