"""Asking about tokens over real connections: an authorization server nobody here wrote, and one that misbehaves."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import Introspected, NeedIntrospection, NeedKeys
from jwtgate.policy.sources import ClientAuth, Fetching, IntrospectionSource, KeySource, KeyText
from jwtgate.state.callers.introspection import IntrospectionReport, Introspections
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.key_sources import fetch_keys

from .identity_provider import (
    AUDIENCE_OPAQUE,
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    missing,
    new_key_set,
)
from .scripted_server import Script, ScriptedServer, answer

needs_provider = pytest.mark.skipif(missing() is not None, reason=str(missing()))
ACTIVE = b'{"active":true,"sub":"ann"}'
SIGNED_ALGORITHMS = frozenset({"ES256"})


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with IdentityProvider(tmp_path_factory.mktemp("idp"), new_key_set("first")) as running:
        yield running


@asynccontextmanager
async def asking(source: IntrospectionSource) -> AsyncIterator[Introspections]:
    """What asks this source, with the keys its issuer publishes."""
    client = HttpClient()

    async def key_set(_: NeedKeys) -> KeySet:
        url = f"{source.iss}/jwks"
        return (await fetch_keys(KeySource("main", source.iss or "", SIGNED_ALGORITHMS, url=url), client, str)).key_set

    introspections = Introspections(
        {"main": source},
        client=client,
        resolve=lambda text: text,
        wall=time.time,
        monotonic=time.monotonic,
        key_set=key_set,
    )
    try:
        yield introspections
    finally:
        await introspections.close()


def at(provider: IdentityProvider, method: ClientAuth = ClientAuth.BASIC, **changes: Any) -> IntrospectionSource:
    """The provider as one of its clients asks it."""
    key = KeyText(text=json.dumps(provider.client_key.as_dict(private=True)))
    source = IntrospectionSource(
        "main",
        provider.issuer,
        endpoint=provider.introspection_endpoint,
        auth=method,
        client_id=f"gateway-{method.value}",
        client_secret=CLIENT_SECRET,
        client_key=key,
    )
    return replace(source, **changes)


def asked(source: IntrospectionSource, token: str, hint: str | None = "access_token") -> Introspected:
    async def life() -> Introspected:
        async with asking(source) as introspections:
            return await introspections.ask(NeedIntrospection("main", token, hint))

    return asyncio.run(life())


def fault(source: IntrospectionSource, token: str) -> str:
    with pytest.raises(DependencyFault) as caught:
        asked(source, token)
    return str(caught.value.detail["cause"])


@needs_provider
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "method", [ClientAuth.BASIC, ClientAuth.POST, ClientAuth.SECRET_JWT, ClientAuth.PRIVATE_KEY_JWT]
)
def test_sec_69_every_way_to_prove_who_we_are_gets_an_answer_plain_and_signed(
    provider: IdentityProvider, method: ClientAuth, signed: bool
) -> None:
    token = provider.token("orders:read", AUDIENCE_OPAQUE)
    found = asked(at(provider, method, signed=signed, signed_algorithms=SIGNED_ALGORITHMS), token)
    assert found.active
    assert {name: found.claims[name] for name in ("iss", "aud", "client_id", "scope")} == {
        "iss": provider.issuer,
        "aud": AUDIENCE_OPAQUE,
        "client_id": CLIENT_ID,
        "scope": "orders:read",
    }
    assert "active" not in found.claims


@needs_provider
@pytest.mark.parametrize("signed", [False, True])
def test_a_revoked_or_made_up_token_is_inactive(provider: IdentityProvider, signed: bool) -> None:
    source = at(provider, signed=signed, signed_algorithms=SIGNED_ALGORITHMS)
    token = provider.token(audience=AUDIENCE_OPAQUE)
    provider.revoke(token)
    for each in (token, "made-up"):
        found = asked(source, each)
        assert (found.active, dict(found.claims)) == (False, {})


@needs_provider
def test_sec_62_the_endpoint_is_found_in_the_metadata(provider: IdentityProvider) -> None:
    assert asked(at(provider, endpoint=None), provider.token(audience=AUDIENCE_OPAQUE), hint=None).active


@needs_provider
def test_sec_70_a_server_that_forbids_to_keep_its_answers_is_asked_each_time(provider: IdentityProvider) -> None:
    token = provider.token(audience=AUDIENCE_OPAQUE)

    async def life() -> None:
        async with asking(at(provider)) as introspections:
            need = NeedIntrospection("main", token)
            assert (await introspections.ask(need)).active
            provider.revoke(token)
            assert not (await introspections.ask(need)).active

    asyncio.run(life())


@needs_provider
def test_rel_65_five_hundred_requests_with_one_new_token_are_one_call(provider: IdentityProvider) -> None:
    token, before = provider.token(audience=AUDIENCE_OPAQUE), provider.introspection_requests()

    async def life() -> None:
        async with asking(at(provider)) as introspections:
            need = NeedIntrospection("main", token)
            answers = await asyncio.gather(*(introspections.ask(need) for _ in range(500)))
            assert all(found.active for found in answers)

    asyncio.run(life())
    assert provider.introspection_requests() == before + 1


@needs_provider
def test_a_wrong_secret_is_our_fault_and_never_a_refusal(provider: IdentityProvider) -> None:
    token = provider.token(audience=AUDIENCE_OPAQUE)
    assert fault(at(provider, client_secret="wrong"), token) == "status_401"


@needs_provider
def test_sec_69_an_answer_signed_for_another_client_is_refused(provider: IdentityProvider) -> None:
    source = at(provider, signed=True, signed_algorithms=SIGNED_ALGORITHMS)
    secret = f"gateway-client_secret_basic:{CLIENT_SECRET}".replace(" ", "+").replace(",", "%2C")
    literal = replace(source, auth=ClientAuth.AUTHORIZATION, authorization=_basic(secret), client_id="another")
    assert fault(literal, provider.token(audience=AUDIENCE_OPAQUE)) == "signed_audience"
    assert asked(replace(literal, client_id="gateway-client_secret_basic"), "made-up").active is False


@needs_provider
def test_sec_69_an_answer_signed_with_another_algorithm_is_refused(provider: IdentityProvider) -> None:
    token = provider.token(audience=AUDIENCE_OPAQUE)
    source = at(provider, client_id=CLIENT_ID)
    assert asked(source, token).active
    assert fault(replace(source, signed=True, signed_algorithms=SIGNED_ALGORITHMS), token) == "signature"


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@asynccontextmanager
async def scripted(page: bytes | Script, **changes: Any) -> AsyncIterator[tuple[ScriptedServer, Introspections]]:
    server = ScriptedServer()
    server.pages["/introspect"] = page
    async with server.running():
        source = IntrospectionSource(
            "main",
            server.origin,
            endpoint=f"{server.origin}/introspect",
            client_id="gateway",
            client_secret="s",
            fetching=Fetching(connect_seconds=30.0, total_seconds=30.0),
        )
        async with asking(replace(source, **changes)) as introspections:
            yield server, introspections


def scripted_fault(page: bytes | Script, **changes: Any) -> str:
    async def life() -> str:
        async with scripted(page, **changes) as (_, introspections):
            with pytest.raises(DependencyFault) as caught:
                await introspections.ask(NeedIntrospection("main", "opaque"))
        return str(caught.value.detail["cause"])

    return asyncio.run(life())


def test_sec_68_the_token_is_in_the_body_and_in_no_address() -> None:
    async def life() -> None:
        async with scripted(answer(ACTIVE), body=(("tenant", "a&b"),)) as (server, introspections):
            assert (await introspections.ask(NeedIntrospection("main", "opaque/1", "access_token"))).active
            (head,), (body,) = server.heads, server.bodies
            assert head.startswith(b"POST /introspect HTTP/1.1\r\n")
            assert b"opaque" not in head
            assert body == b"token=opaque%2F1&token_type_hint=access_token&tenant=a%26b"

    asyncio.run(life())


def test_sec_61_sec_68_neither_token_nor_secret_follows_a_redirect() -> None:
    async def life() -> None:
        elsewhere = ScriptedServer()
        elsewhere.pages["/introspect"] = answer(ACTIVE)
        async with elsewhere.running():
            page = answer(b"", status="307 Temporary", fields=(f"Location: {elsewhere.origin}/introspect",))
            async with scripted(page) as (_, introspections):
                with pytest.raises(DependencyFault) as caught:
                    await introspections.ask(NeedIntrospection("main", "opaque"))
        assert caught.value.detail["cause"] == "redirect"
        assert elsewhere.connections == 0

    asyncio.run(life())


async def _never(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _byte_by_byte(writer: asyncio.StreamWriter) -> None:
    for byte in answer(ACTIVE):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n")
    while True:
        writer.write(bytes(64 * 1024))
        await writer.drain()


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (answer(b"", status="500 Oh"), "status_500"),
        (answer(b"", status="404 Not Found"), "status_404"),
        (answer(b"", status="204 No Content"), "status_204"),
        (answer(b"<html>", media_type="text/html"), "not_json"),
        (answer(b'{"active":tr'), "json"),
        (answer(b'{"active":false,"active":true}'), "json"),
        (answer(ACTIVE, fields=("Content-Encoding: gzip",)), "encoded"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "truncated"),
        (b"", "truncated"),
        (b"220 smtp.example\r\n", "malformed"),
        (_endless, "too_large"),
    ],
)
def test_rel_64_whatever_else_comes_is_a_fault_with_a_word_of_its_own(page: bytes | Script, cause: str) -> None:
    assert scripted_fault(page) == cause


@pytest.mark.parametrize("page", [_never, _byte_by_byte])
def test_rel_64_a_slow_server_is_given_up(page: Script) -> None:
    assert scripted_fault(page, fetching=Fetching(connect_seconds=0.3, total_seconds=0.5)) == "timeout"


@pytest.mark.parametrize("media_type", ["application/json", "application/token-introspection+jwt", "application/jwt"])
def test_sec_69_plain_json_is_never_taken_where_signed_answers_are_wanted(media_type: str) -> None:
    page = answer(ACTIVE, media_type=media_type)
    assert scripted_fault(page, signed=True, signed_algorithms=SIGNED_ALGORITHMS) == "not_signed"


@pytest.mark.parametrize("body", [b'{"active":"true"}', b"{}", b"[]", b'{"active":1,"sub":"ann"}'])
def test_sec_68_an_unknown_shape_is_inactive(body: bytes) -> None:
    async def life() -> None:
        async with scripted(answer(body)) as (_, introspections):
            found = await introspections.ask(NeedIntrospection("main", "opaque"))
            assert (found.active, dict(found.claims)) == (False, {})

    asyncio.run(life())


def test_rel_33_rel_64_a_server_that_goes_and_comes_back_is_met_by_no_herd() -> None:
    async def life() -> None:
        async with scripted(answer(b"", status="503 Away")) as (server, introspections):
            needs = [NeedIntrospection("main", f"t{number}") for number in range(200)]
            outcomes = await asyncio.gather(*map(introspections.ask, needs), return_exceptions=True)
            assert all(isinstance(outcome, DependencyFault) for outcome in outcomes)
            calls = server.asked["/introspect"]
            # Those that were on their way when the fifth failed, and no more.
            assert calls <= 64
            server.pages["/introspect"] = answer(ACTIVE)
            async with asyncio.timeout(30):
                while _only(introspections).breaker != "trying":
                    await asyncio.sleep(0.05)
            outcomes = await asyncio.gather(*map(introspections.ask, needs), return_exceptions=True)
            assert sum(isinstance(outcome, Introspected) for outcome in outcomes) == 1
            assert server.asked["/introspect"] == calls + 1
            assert all([(await introspections.ask(need)).active for need in needs])

    asyncio.run(life())


def test_rel_64_a_slow_server_holds_no_more_than_its_share() -> None:
    most = waiting = 0

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal most, waiting
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.05)
        waiting -= 1
        writer.write(answer(ACTIVE))

    async def life() -> None:
        async with scripted(slow, most_in_flight=4) as (_, introspections):
            needs = [NeedIntrospection("main", f"t{number}") for number in range(20)]
            assert all(found.active for found in await asyncio.gather(*map(introspections.ask, needs)))

    asyncio.run(life())
    assert most == 4


def test_sec_68_no_log_and_no_error_holds_a_token_or_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> str:
        async with scripted(answer(json_bytes({"active": "opaque-token"})), client_secret="s-e-c-r-e-t") as (_, one):
            shown = [repr(await one.ask(NeedIntrospection("main", "opaque-token"))), repr(_only(one))]
        async with scripted(answer(b"opaque-token"), client_secret="s-e-c-r-e-t") as (_, two):
            with pytest.raises(DependencyFault) as caught:
                await two.ask(NeedIntrospection("main", "opaque-token"))
            shown += [str(caught.value), repr(caught.value.__cause__), repr(_only(two))]
        return "".join(shown)

    with caplog.at_level(logging.DEBUG):
        text = asyncio.run(life()) + caplog.text
    assert "introspection fails" in text
    assert "opaque-token" not in text
    assert "s-e-c-r-e-t" not in text


def _only(introspections: Introspections) -> IntrospectionReport:
    (report,) = introspections.report()
    return report
