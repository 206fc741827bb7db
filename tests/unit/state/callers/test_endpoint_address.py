from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from jwtgate.policy.sources import Fetching, IntrospectionSource
from jwtgate.state.callers.endpoint_address import FAILED_SECONDS, REFRESH_SECONDS, EndpointAddress
from jwtgate.state.http_client import FetchFailed, FetchRules

from ..virtual_time import live, now
from .authorization_server import ENDPOINT, ISS, SOURCE, Server, reply

DISCOVERED = replace(SOURCE, endpoint=None)
CONFIGURATION = f"{ISS}/.well-known/openid-configuration"
SERVER = f"{ISS}/.well-known/oauth-authorization-server"
RULES = FetchRules(total_seconds=5)


def page(endpoint: str | None = ENDPOINT, issuer: str = ISS) -> dict[str, object]:
    return {"issuer": issuer} if endpoint is None else {"issuer": issuer, "introspection_endpoint": endpoint}


def server(endpoint: str | None = ENDPOINT, *, place: str = CONFIGURATION) -> Server:
    return Server(pages={place: reply(page(endpoint))})


def played(
    life: Callable[[EndpointAddress], Awaitable[None]], on: Server, source: IntrospectionSource = DISCOVERED
) -> None:
    async def whole() -> None:
        address = EndpointAddress(source, client=on, rules=RULES, monotonic=now)
        await life(address)
        await address.close()

    live(whole())


async def cause(address: EndpointAddress) -> str:
    with pytest.raises(FetchFailed) as caught:
        await address.find()
    return caught.value.cause


def test_a_configured_address_is_used_as_it_is() -> None:
    async def life(address: EndpointAddress) -> None:
        assert await address.find() == ENDPOINT
        await asyncio.sleep(2 * REFRESH_SECONDS)
        assert await address.find() == ENDPOINT

    nothing = Server()
    played(life, nothing, SOURCE)
    assert nothing.fetched == []


@pytest.mark.parametrize("place", [CONFIGURATION, SERVER])
def test_it_is_discovered_at_either_usual_place_once_for_all(place: str) -> None:
    async def life(address: EndpointAddress) -> None:
        assert set(await asyncio.gather(*(address.find() for _ in range(100)))) == {ENDPOINT}
        assert await address.find() == ENDPOINT

    on = server(place=place)
    played(life, on)
    assert on.fetched == [CONFIGURATION, SERVER][: 1 + (place == SERVER)]


def test_a_given_metadata_address_is_the_only_one_asked() -> None:
    async def life(address: EndpointAddress) -> None:
        assert await address.find() == ENDPOINT

    played(life, server(place=f"{ISS}/meta"), replace(DISCOVERED, discovery=f"{ISS}/meta"))


def test_sec_62_an_endpoint_on_a_host_nobody_named_is_refused() -> None:
    elsewhere = "https://tokens.example/introspect"

    async def refused(address: EndpointAddress) -> None:
        assert await cause(address) == "host_not_allowed"

    async def allowed(address: EndpointAddress) -> None:
        assert await address.find() == elsewhere

    played(refused, server(elsewhere))
    played(
        allowed, server(elsewhere), replace(DISCOVERED, fetching=Fetching(allowed_hosts=frozenset({"tokens.example"})))
    )


def test_sec_62_metadata_of_another_issuer_or_without_an_endpoint_is_refused() -> None:
    async def life(address: EndpointAddress) -> None:
        assert await cause(address) == "metadata_refused"

    played(life, server(None))
    played(life, Server(pages={CONFIGURATION: reply(page(issuer=f"{ISS}/"))}))


def test_rel_34_a_failed_search_fails_for_a_second_and_is_begun_again_after_it() -> None:
    on = Server(seconds=0.0)

    async def life(address: EndpointAddress) -> None:
        assert await cause(address) == "status_404"
        for _ in range(100):
            assert await cause(address) == "status_404"
        assert len(on.fetched) == 2
        on.pages[CONFIGURATION] = reply(page())
        await asyncio.sleep(FAILED_SECONDS)
        assert await address.find() == ENDPOINT

    played(life, on)


def test_rel_58_a_search_takes_no_longer_than_its_time() -> None:
    on = Server(seconds=30.0)

    async def life(address: EndpointAddress) -> None:
        assert await cause(address) == "timeout"
        assert now() == RULES.total_seconds

    played(life, on)


def test_an_address_is_looked_up_again_and_stays_good_while_that_fails() -> None:
    on = server()
    moved = f"{ISS}/v2/introspect"

    async def life(address: EndpointAddress) -> None:
        await address.find()
        on.pages[CONFIGURATION] = FetchFailed("refused")
        await asyncio.sleep(REFRESH_SECONDS)
        assert await address.find() == ENDPOINT
        await asyncio.sleep(2 * FAILED_SECONDS)
        on.pages[CONFIGURATION] = reply(page(moved))
        assert await address.find() == ENDPOINT
        await asyncio.sleep(1)
        assert await address.find() == moved

    played(life, on)


def test_who_gives_up_waiting_leaves_the_search_alone() -> None:
    on = server()

    async def life(address: EndpointAddress) -> None:
        first = asyncio.ensure_future(address.find())
        await asyncio.sleep(0.01)
        first.cancel()
        assert await address.find() == ENDPOINT

    played(life, on)
    assert len(on.fetched) == 1


def test_another_generation_goes_on_with_what_was_found() -> None:
    on = server()

    async def life(address: EndpointAddress) -> None:
        await address.find()
        successor = EndpointAddress(DISCOVERED, client=on, rules=RULES, monotonic=now)
        successor.take_over(address)
        assert await successor.find() == ENDPOINT

    played(life, on)
    assert len(on.fetched) == 1


def test_closing_ends_a_search() -> None:
    on = Server(seconds=3.0)

    async def life(address: EndpointAddress) -> None:
        waiting = asyncio.ensure_future(address.find())
        await asyncio.sleep(0.1)
        await address.close()
        with pytest.raises(FetchFailed, match="not_discovered"):
            await waiting

    played(life, on)
