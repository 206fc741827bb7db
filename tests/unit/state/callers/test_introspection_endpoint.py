"""What is sent to an endpoint, what its answers and failures become, and when it is left alone, in virtual time."""

from __future__ import annotations

import asyncio
import functools
import logging
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import sign_token
from jwtgate.oauth.introspection import MOST_ANSWER_BYTES
from jwtgate.policy.facts import NeedIntrospection, NeedKeys
from jwtgate.policy.sources import ClientAuth, Fetching, IntrospectionSource
from jwtgate.state.callers.introspection import Introspections
from jwtgate.state.http_client import FetchFailed, FetchRules, Response

from ..virtual_time import live, now
from .authorization_server import (
    ACTIVE,
    ENDPOINT,
    ISS,
    NOON,
    SOURCE,
    Asked,
    Reply,
    Server,
    Wall,
    introspections,
    only,
    reply,
)

DOWN = FetchFailed("refused")
SIGNED = "application/token-introspection+jwt"
WANTS_SIGNED = replace(SOURCE, signed=True, signed_algorithms=frozenset({"ES256"}))


@functools.cache
def key(kid: str = "k1") -> Key:
    return generate_key("ES256", kid=kid)


def signed(signer: Key | None = None, **changes: Any) -> Response:
    claims = {"iss": ISS, "aud": "gateway", "iat": NOON, "token_introspection": ACTIVE, **changes}
    text = sign_token(claims, signer or key(), alg="ES256", typ="token-introspection+jwt")
    return Response(SIGNED, text.encode())


async def cause(asking: Introspections, token: str = "t1") -> str:
    with pytest.raises(DependencyFault) as caught:
        await asking.ask(NeedIntrospection("main", token))
    return str(caught.value.detail["cause"])


async def is_active(asking: Introspections, token: str = "t1", hint: str | None = None) -> bool:
    return (await asking.ask(NeedIntrospection("main", token, hint))).active


def played(
    life: Callable[[Introspections], Awaitable[None]],
    server: Server,
    source: IntrospectionSource = SOURCE,
    *,
    keys: KeySet | None = None,
) -> None:
    async def whole() -> None:
        asking = introspections(server, source, keys=keys)
        await life(asking)
        await asking.close()

    live(whole())


def failed(server: Server, source: IntrospectionSource = SOURCE, keys: KeySet | None = None) -> str:
    """The cause of the failure of the first question."""
    causes: list[str] = []

    async def life(asking: Introspections) -> None:
        causes.append(await cause(asking))
        entry = only(asking.report())
        assert (entry.last_failure, entry.failures) == (causes[0], {causes[0]: 1})

    played(life, server, source, keys=keys)
    return causes[0]


def test_sec_68_the_token_travels_in_the_body_and_the_secret_in_its_field() -> None:
    async def life(asking: Introspections) -> None:
        assert await is_active(asking, "t/1+&=", "access_token")

    server = Server()
    played(life, server, replace(SOURCE, body=(("tenant", "a b"),)))
    (asked,) = server.asked
    assert asked.url == ENDPOINT
    assert asked.form == {"token": "t/1+&=", "token_type_hint": "access_token", "tenant": "a b"}
    assert asked.fields == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Authorization": f"Basic {b64encode(b'gateway:s+e+c+r+e+t').decode()}",
    }


def test_a_hint_may_have_another_name() -> None:
    async def life(asking: Introspections) -> None:
        await is_active(asking, "t1", "x")

    server = Server()
    played(life, server, replace(SOURCE, hint_parameter="kind", auth=ClientAuth.POST))
    assert server.asked[0].form == {"token": "t1", "kind": "x", "client_id": "gateway", "client_secret": "s e c r e t"}


def test_sec_63_sec_64_the_rules_of_the_source_hold() -> None:
    async def life(asking: Introspections) -> None:
        await is_active(asking)

    server = Server()
    fetching = Fetching(1, 3, ca_file="ca.pem", insecure_http=True, private_addresses_refused=True)
    played(life, server, replace(SOURCE, fetching=fetching))
    assert server.asked[0].rules == FetchRules(
        1, 3, MOST_ANSWER_BYTES, ca_file="ca.pem", insecure_http=True, private_addresses_refused=True
    )


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (DOWN, "refused"),
        (FetchFailed("status_500", status=500), "status_500"),
        (FetchFailed("status_401", status=401), "status_401"),
        (FetchFailed("redirect", status=302), "redirect"),
        (FetchFailed("too_large"), "too_large"),
        (reply(b"<html>"), "json"),
        (reply(b'{"active":true'), "json"),
        (reply(ACTIVE, media_type="text/html"), "not_json"),
    ],
)
def test_rel_64_every_failure_has_its_word(answer: Any, word: str) -> None:
    assert failed(Server(answer)) == word


def test_rel_58_a_silent_server_costs_no_more_than_the_time_limit() -> None:
    async def life(asking: Introspections) -> None:
        assert await cause(asking) == "timeout"
        assert now() == 5

    played(life, Server(seconds=60.0))


def test_sec_69_a_signed_answer_is_asked_for_and_verified_with_the_issuers_keys() -> None:
    async def life(asking: Introspections) -> None:
        assert await is_active(asking)

    server = Server(signed())
    played(life, server, WANTS_SIGNED, keys=KeySet((key(), key("k2"))))
    assert server.asked[0].fields["Accept"] == SIGNED


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (reply(ACTIVE), "not_signed"),
        (reply(ACTIVE, media_type=SIGNED), "not_signed"),
        (replace(signed(), media_type="application/jwt"), "not_signed"),
        (replace(signed(), media_type="application/json"), "not_signed"),
        (signed(key("k9")), "signature"),
        (signed(generate_key("ES256", kid="k1")), "signature"),
        (signed(aud="other"), "signed_audience"),
        (signed(iss="https://other.example"), "signed_issuer"),
        (signed(iat=NOON - 4000), "signed_time"),
    ],
)
def test_sec_69_nothing_else_will_do_where_signed_answers_are_wanted(answer: Response, word: str) -> None:
    assert failed(Server(answer), WANTS_SIGNED, KeySet((key(),))) == word


def test_sec_33_a_signed_answer_without_kid_needs_the_one_key_there_is() -> None:
    unnamed = signed(key().with_kid(None))
    assert failed(Server(unnamed), WANTS_SIGNED, KeySet((key(), key("k2")))) == "signature"

    async def life(asking: Introspections) -> None:
        assert await is_active(asking)

    played(life, Server(unnamed), WANTS_SIGNED, keys=KeySet((key(),)))


def test_a_signed_answer_is_asked_about_by_its_kid_and_fails_with_its_keys() -> None:
    needs: list[NeedKeys] = []

    async def unreachable(need: NeedKeys) -> KeySet:
        needs.append(need)
        raise DependencyFault("issuer_unreachable")

    async def life() -> None:
        asking = Introspections(
            {"main": WANTS_SIGNED},
            client=Server(signed()),
            resolve=lambda text: text,
            wall=Wall(),
            monotonic=now,
            key_set=unreachable,
        )
        assert await cause(asking) == "keys_unreachable"
        await asking.close()

    live(life())
    assert needs == [NeedKeys("main", "k1")]


def test_sec_69_a_signed_answer_where_none_was_asked_for_is_no_json() -> None:
    assert failed(Server(signed())) == "json"


def test_an_endpoint_is_discovered_before_it_is_asked() -> None:
    server = Server(pages={f"{ISS}/.well-known/openid-configuration": reply({"issuer": ISS})})
    discovered = replace(SOURCE, endpoint=None)
    assert failed(server, discovered) == "metadata_refused"

    async def life(asking: Introspections) -> None:
        page = {"issuer": ISS, "introspection_endpoint": ENDPOINT}
        server.pages[f"{ISS}/.well-known/openid-configuration"] = reply(page)
        assert await is_active(asking)
        assert only(asking.report()).endpoint == ENDPOINT

    played(life, server, discovered)


def test_a_second_attempt_follows_a_failure_at_once() -> None:
    replies: Iterator[Reply] = iter([DOWN, reply(ACTIVE)])

    async def life(asking: Introspections) -> None:
        assert await is_active(asking)

    server = Server(lambda _: next(replies))
    played(life, server, replace(SOURCE, attempts=2))
    assert len(server.asked) == 2


def test_each_attempt_has_a_proof_of_its_own() -> None:
    server = Server(DOWN)
    secret = "a secret of thirty-two characters"
    failed(server, replace(SOURCE, attempts=3, auth=ClientAuth.SECRET_JWT, client_secret=secret))
    assert len({asked.form["client_assertion"] for asked in server.asked}) == 3


def test_a_refusal_is_not_tried_again() -> None:
    server = Server(FetchFailed("status_401", status=401))
    failed(server, replace(SOURCE, attempts=3))
    assert len(server.asked) == 1


def test_rel_33_after_time_outs_in_a_row_the_server_is_left_alone() -> None:
    server = Server(seconds=60.0)

    async def life(asking: Introspections) -> None:
        for number in range(5):
            assert await cause(asking, f"t{number}") == "timeout"
        began = now()
        assert await cause(asking, "t9") == "left_alone"
        assert now() == began
        entry = only(asking.report())
        assert (entry.breaker, entry.failures) == ("open", {"timeout": 5, "left_alone": 1})
        with pytest.raises(DependencyFault) as caught:
            await asking.ask(NeedIntrospection("main", "t9"))
        assert caught.value.retry_after_seconds == 1

    played(life, server)
    assert len(server.asked) == 5


def test_rel_64_a_server_that_is_back_is_met_by_one_call_and_then_by_all() -> None:
    server = Server(DOWN, seconds=0.0)

    async def life(asking: Introspections) -> None:
        for number in range(5):
            await cause(asking, f"t{number}")
        await asyncio.sleep(1)
        server.answers, server.seconds = reply(ACTIVE), 0.5
        asked = len(server.asked)
        questions = (asking.ask(NeedIntrospection("main", f"u{number}")) for number in range(100))
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        assert len(server.asked) == asked + 1
        assert sum(isinstance(outcome, DependencyFault) for outcome in outcomes) == 99
        assert all([await is_active(asking, f"v{number}") for number in range(10)])
        assert only(asking.report()).breaker == "closed"

    played(life, server)


def test_sec_68_tokens_that_the_server_refuses_to_hear_of_do_not_have_it_left_alone() -> None:
    def picky(asked: Asked) -> Response | FetchFailed:
        return FetchFailed("status_400", status=400) if asked.form["token"].startswith("odd") else reply(ACTIVE)

    async def life(asking: Introspections) -> None:
        for number in range(50):
            assert await cause(asking, f"odd{number}") == "status_400"
        assert await is_active(asking, "good")

    played(life, Server(picky))


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_that_asks_for_rest_is_left_alone(status: int) -> None:
    async def life(asking: Introspections) -> None:
        causes = Counter([await cause(asking, f"t{number}") for number in range(8)])
        assert causes == {f"status_{status}": 5, "left_alone": 3}

    played(life, Server(FetchFailed(f"status_{status}", status=status)))


def test_rel_33_a_slow_server_never_has_more_calls_than_it_may() -> None:
    server = Server(seconds=1.0)

    async def life(asking: Introspections) -> None:
        answers = await asyncio.gather(*(is_active(asking, f"t{number}") for number in range(12)))
        assert all(answers)
        assert now() == 3

    played(life, server, replace(SOURCE, most_in_flight=4))
    assert server.most_in_flight == 4


def test_rel_58_who_gets_no_turn_in_time_is_told_so_and_the_server_is_not_blamed() -> None:
    server = Server(seconds=3.0)

    async def life(asking: Introspections) -> None:
        questions = (asking.ask(NeedIntrospection("main", f"t{number}")) for number in range(9))
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        faults = [outcome for outcome in outcomes if isinstance(outcome, DependencyFault)]
        assert [fault.detail["cause"] for fault in faults] == ["overloaded"] * 7
        assert now() == 6
        entry = only(asking.report())
        assert (entry.breaker, entry.in_flight) == ("closed", 0)
        server.seconds = 0.0
        assert await is_active(asking, "t10")

    played(life, server, replace(SOURCE, most_in_flight=1))


def test_rel_64_flapping_each_two_seconds_never_costs_more_than_its_calls() -> None:
    server = Server(lambda _: reply(ACTIVE) if int(now() / 2) % 2 else DOWN, seconds=0.01)

    async def life(asking: Introspections) -> None:
        outcomes: list[object] = []
        for number in range(400):
            outcomes += await asyncio.gather(is_active(asking, f"t{number}"), return_exceptions=True)
            await asyncio.sleep(0.05)
        assert outcomes.count(True) > 50

    played(life, server)
    assert server.most_in_flight == 1


def test_rel_39_a_failure_and_its_end_are_told_once_each_and_then_not_for_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        for number in range(30):
            server.answers = DOWN if number % 2 else reply(ACTIVE)
            await asyncio.gather(is_active(asking, f"t{number}"), return_exceptions=True)
        assert only(asking.report()).last_failure == "refused"
        assert len(caplog.messages) == 2
        await asyncio.sleep(60)
        await cause(asking)
        server.answers = reply(ACTIVE)
        await is_active(asking)
        assert only(asking.report()).last_failure is None

    with caplog.at_level(logging.WARNING):
        played(life, server)
    assert (
        caplog.messages
        == [
            "issuer main: introspection fails: refused",
            "issuer main: introspection works again",
        ]
        * 2
    )


def test_a_new_generation_goes_on_where_the_breaker_stands() -> None:
    server = Server(DOWN)

    async def life(asking: Introspections) -> None:
        for number in range(5):
            await cause(asking, f"t{number}")
        successor = introspections(server, SOURCE)
        successor.adopt(asking)
        assert await cause(successor, "t9") == "left_alone"
        assert only(successor.report()).failures["refused"] == 5
        await successor.close()

    played(life, server)
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": None, "iss": None}, "without an endpoint"),
        ({"signed": True}, "signed answers need"),
        ({"signed": True, "signed_algorithms": frozenset({"ES256"}), "iss": None}, "signed answers need"),
        (
            {"signed": True, "signed_algorithms": frozenset({"ES256"}), "client_id": None, "auth": ClientAuth.NONE},
            "signed answers need",
        ),
        ({"body": (("token", "x"), ("a", "b"))}, "parameters token are not"),
        ({"body": (("token_type_hint", "x"),)}, "token_type_hint"),
        ({"body": (("client_id", "x"), ("client_secret", "y"))}, "client_id, client_secret"),
    ],
)
def test_a_source_that_cannot_be_asked_as_it_says_is_refused(changes: dict[str, Any], told: str) -> None:
    async def life() -> None:
        introspections(Server(), replace(SOURCE, **changes))

    with pytest.raises(ConfigError) as caught:
        live(life())
    (problem,) = caught.value.problems
    assert problem.startswith("issuer 'main', introspection: ")
    assert told in problem


@pytest.mark.parametrize("answer", [{"active": "true"}, {"sub": "ann"}, []])
def test_an_answer_of_an_unknown_shape_may_count_as_a_failure(answer: object) -> None:
    assert failed(Server(reply(answer)), replace(SOURCE, unknown_fails=True)) == "not_understood"

    async def life(asking: Introspections) -> None:
        assert not await is_active(asking)

    played(life, Server(reply(answer)))


def test_what_an_answer_says_of_keeping_it_may_not_be_looked_at() -> None:
    async def life(asking: Introspections) -> None:
        for _ in range(3):
            assert await is_active(asking)

    for unread, calls in ((False, 3), (True, 1)):
        server = Server(reply(ACTIVE, "no-store"))
        played(life, server, replace(SOURCE, cache_control_unread=unread))
        assert len(server.asked) == calls
