"""A request for a token chooses what its route offers and nothing else, and what it gets is written down."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from jwtgate.errors import Refusal, RequestRefused
from jwtgate.gateway.mint import (
    MOST_BODY_BYTES,
    Asked,
    Minted,
    NeedMinted,
    asked_by_query,
    asked_for,
    bare_answer,
    minted_answer,
    minting,
    note_minted,
)
from jwtgate.jose.encoding import JSON
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import IssuedToken, NeedClaims, NeedIssuedToken
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import CredentialsOffered, Issue, Mint, MintedForm, Origin, QueryNames, Value
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.identify import Principal
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.upstreams import NOWHERE
from jwtgate.policy.value import Known

MINT = Mint(
    profiles=frozenset({"robots"}),
    credentials=CredentialsOffered.ANY,
    claims=frozenset({"sub", "room"}),
    most_ttl_seconds=600,
)
OWN = replace(MINT, credentials=CredentialsOffered.OWN)
PROFILE = Issue("robots", "", "default", "https://gate.example", ("internal",), ttl_seconds=900)
REQUEST = RequestView("POST", "https", "gate.example", "/sign", query="", fields=(), client="192.0.2.7")
ROUTE = Route("sign", NOWHERE, mint=MINT)


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def known(consumer: Consumer | None = None) -> Known:
    return Known(ROUTE, REQUEST, Principal({}, consumer, permissions=("sign",)), 1_750_000_000)


def plan(profile: Issue = PROFILE) -> Plan:
    return Plan(Router(), (ROUTE,), {}, signing={}, listeners=(), profiles={"robots": profile})


def test_a_profile_may_be_asked_for_with_claims_and_a_life() -> None:
    asked = asked_for(body(profile="robots", claims={"room": 7}, ttl_seconds=60), MINT)
    assert asked == Asked("robots", None, {"room": 7}, 60)


def test_a_credential_may_be_asked_for_where_the_route_offers_them() -> None:
    assert asked_for(body(credential="key-1"), MINT) == Asked(None, "key-1", {}, 600)


def test_sec_147_a_life_is_no_longer_than_the_route_allows() -> None:
    assert asked_for(body(profile="robots", ttl_seconds=10**9), MINT).ttl_seconds == 600


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"[]",
        b"{",
        b'{"profile": "robots", "profile": "robots"}',
        b'{"profile": "robots", "claims": {"room": 1, "room": 2}}',
        body(),
        body(profile="robots", credential="key-1"),
        body(profile="people"),
        body(profile=["robots"]),
        body(profile={"robots": 1}),
        body(profile="robots", alg="none"),
        body(credential=7),
        body(profile="robots", ttl_seconds=0),
        body(profile="robots", ttl_seconds=-1),
        body(profile="robots", ttl_seconds=True),
        body(profile="robots", ttl_seconds=1.5),
        body(profile="robots", ttl_seconds="60"),
    ],
)
def test_sec_147_what_the_route_does_not_offer_is_refused(sent: bytes) -> None:
    with pytest.raises(RequestRefused) as refusal:
        asked_for(sent, MINT)
    assert refusal.value.reason == "minting_refused"
    assert refusal.value.status == 400


@pytest.mark.parametrize("claims", [[], {"admin": True}, {"room": "x" * 5000}])
def test_sec_147_claims_the_route_does_not_offer_are_refused(claims: JSON) -> None:
    with pytest.raises(RequestRefused) as refusal:
        asked_for(body(profile="robots", claims=claims), MINT)
    assert (refusal.value.reason, refusal.value.status) == ("minting_claims_refused", 400)


@pytest.mark.parametrize("name", ["iss", "iat", "nbf", "exp", "jti", "aud", "cnf"])
def test_sec_147_claims_that_say_who_made_a_token_are_nobody_s_to_choose(name: str) -> None:
    with pytest.raises(RequestRefused):
        asked_for(body(profile="robots", claims={name: "x"}), Mint(profiles=frozenset({"robots"}), claims=None))


def test_any_other_claim_may_be_chosen_where_the_route_says_so() -> None:
    mint = Mint(profiles=frozenset({"robots"}), claims=None)
    assert asked_for(body(profile="robots", claims={"anything": [1]}), mint).claims == {"anything": [1]}


def test_credentials_are_not_offered_unless_the_route_says_so() -> None:
    with pytest.raises(RequestRefused):
        asked_for(body(credential="key-1"), Mint(profiles=frozenset({"robots"})))


def test_a_body_that_is_too_large_is_not_read_as_json() -> None:
    with pytest.raises(RequestRefused):
        asked_for(b" " * MOST_BODY_BYTES + body(profile="robots"), MINT)


def test_a_token_of_a_profile_is_described_by_the_profile_and_by_what_was_asked_for() -> None:
    profile = Issue(
        "robots",
        "",
        "default",
        "https://gate.example",
        ("internal",),
        ttl_seconds=900,
        set=(("sub", Value(Origin.CONSTANT, "robot")),),
    )
    walk = minting(plan(profile), known(), Asked("robots", None, {"sub": "admin", "room": 7}, 60))
    need = next(walk)
    assert isinstance(need, NeedIssuedToken)
    assert need.claims == {"sub": "robot", "room": 7, "iss": "https://gate.example", "aud": "internal"}
    assert need.issue is profile
    assert need.not_after == known().now + 60
    assert ended(walk, IssuedToken("a.b.c", 0)) == Minted("a.b.c", 60)


def test_sec_147_what_a_profile_leaves_out_is_not_the_request_s_to_fill_in() -> None:
    name = Value(Origin.CONSUMER, path=("name",))
    profile = replace(PROFILE, set=(("sub", name),), add=(("room", name),), remove=frozenset({"admin"}))
    claims: dict[str, JSON] = {"sub": "root", "room": 7, "admin": True, "note": "x"}
    need = next(minting(plan(profile), known(), Asked("robots", None, claims, 60)))
    assert isinstance(need, NeedIssuedToken)
    assert need.claims == {"note": "x", "iss": "https://gate.example", "aud": "internal"}


def test_a_profile_s_own_life_is_not_lengthened_by_a_request() -> None:
    walk = minting(plan(), known(), Asked("robots", None, {}, 3600))
    next(walk)
    assert ended(walk, IssuedToken("a.b.c", 0)).expires_in == 900


def test_a_profile_s_plug_in_is_told_of_the_caller() -> None:
    profile = Issue("robots", "", "default", "https://gate.example", (), generator="extra")
    caller = Consumer("ann", "1")
    walk = minting(plan(profile), known(caller), Asked("robots", None, {}, 60))
    need = next(walk)
    assert isinstance(need, NeedClaims)
    assert need.generator == "extra"
    assert need.context["consumer"] == caller.members()
    assert need.context["permissions"] == ["sign"]
    described = walk.send({"seat": 4})
    assert isinstance(described, NeedIssuedToken)
    assert described.claims["seat"] == 4


def test_a_token_of_a_credential_is_left_to_whoever_holds_the_credential() -> None:
    walk = minting(plan(), known(), Asked(None, "key-1", {"room": 7}, 60))
    assert next(walk) == NeedMinted("key-1", None, {"room": 7}, 60)
    assert ended(walk, Minted("a.b.c", 60)) == Minted("a.b.c", 60)


def test_sec_147_a_caller_has_its_own_credentials_used_and_no_others() -> None:
    own = replace(known(Consumer("ann", "1")), route=Route("sign", NOWHERE, mint=OWN))
    walk = minting(plan(), own, Asked(None, "key-1", {}, 60))
    assert next(walk) == NeedMinted("key-1", "ann", {}, 60)
    with pytest.raises(RequestRefused, match="minting_credential_unknown"):
        walk.send(None)


def test_sec_147_a_caller_that_is_no_consumer_has_no_credentials() -> None:
    nobody = replace(known(), route=Route("sign", NOWHERE, mint=OWN))
    with pytest.raises(RequestRefused, match="no consumer"):
        next(minting(plan(), nobody, Asked(None, "key-1", {}, 60)))


def test_issuer_and_audience_may_be_asked_for_of_a_credential_where_the_route_names_it() -> None:
    naming = replace(MINT, claims=frozenset({"iss", "aud"}))
    asked: dict[str, JSON] = {"iss": "ann", "aud": "orders"}
    assert asked_for(body(credential="key-1", claims=asked), naming).claims == asked
    for mint, members in (
        (naming, {"profile": "robots"}),
        (MINT, {"credential": "key-1"}),
        (replace(MINT, claims=None), {"credential": "key-1"}),
    ):
        with pytest.raises(RequestRefused):
            asked_for(body(**members, claims={"iss": "ann"}), mint)


def test_a_credential_nobody_has_is_refused() -> None:
    walk = minting(plan(), known(), Asked(None, "key-1", {}, 60))
    next(walk)
    with pytest.raises(Refusal) as refusal:
        walk.send(None)
    assert refusal.value.reason == "minting_credential_unknown"


NAMES = QueryNames("key", "payload")
BARE = Mint(credentials=CredentialsOffered.ANY, claims=None, by_query=NAMES, form=MintedForm.BARE)
PAYLOAD = quote('{"a": "1+1 %41", "iat": 5}', safe="")


def by_query(query: str, mint: Mint = BARE) -> Asked:
    return asked_by_query(query, NAMES, mint=mint)


@pytest.mark.parametrize("payload", [PAYLOAD, quote(PAYLOAD, safe="")])
def test_a_query_may_say_what_is_asked_for_with_claims_encoded_once_or_twice(payload: str) -> None:
    asked = by_query(f"x=1&key=user%2Dkey+1&payload={payload}")
    assert asked == Asked(None, "user-key 1", {"a": "1+1 %41", "iat": 5}, 3600)
    assert by_query("key=k") == Asked(None, "k", {}, 3600)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "minting_credential_missing"),
        ("payload=%7B%7D&Key=k", "minting_credential_missing"),
        ("key=a&key=a", "minting_credential_unknown"),
        ("key=a&payload=%7B%7D&payload=%7B%7D", "minting_claims_refused"),
        ("key=a&payload=", "minting_claims_refused"),
        ("key=a&payload=%5B%5D", "minting_claims_refused"),
        ("key=a&payload=%7B", "minting_claims_refused"),
        ("key=a&payload=" + quote(PAYLOAD.replace("%", "%25"), safe=""), "minting_claims_refused"),
        ("key=a&payload=" + quote(json.dumps({"a": "x" * 5000})), "minting_claims_refused"),
    ],
)
def test_sec_147_a_query_that_cannot_be_read_is_refused_for_what_is_wrong_with_it(query: str, reason: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        by_query(query)
    assert (refusal.value.reason, refusal.value.status) == (reason, 400)


def test_sec_147_only_a_bare_token_may_be_asked_for_with_claims_the_gateway_would_set() -> None:
    claims = quote('{"exp": 1, "key": "other", "iss": "a", "nbf": 2}')
    assert by_query(f"key=k&payload={claims}").claims == {"exp": 1, "key": "other", "iss": "a", "nbf": 2}
    for mint in (replace(BARE, form=MintedForm.FULL), replace(BARE, claims=frozenset({"key"}))):
        with pytest.raises(RequestRefused):
            by_query(f"key=k&payload={claims}", mint)


def test_a_bare_token_is_asked_for_as_one() -> None:
    walk = minting(plan(), replace(known(), route=Route("sign", NOWHERE, mint=BARE)), by_query("key=k"))
    assert next(walk) == NeedMinted("k", None, {}, 3600, MintedForm.BARE)


def test_a_bare_answer_is_the_token_alone() -> None:
    fields, text = bare_answer(Minted("a.b.c", 60))
    assert text == b"a.b.c"
    assert dict(fields) == {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/plain, application/json"])
def test_the_answer_is_json_and_kept_by_nobody(accept: str) -> None:
    fields, text = minted_answer(Minted("a.b.c", 60), accept)
    assert json.loads(text) == {"token": "a.b.c", "expires_in": 60}
    assert dict(fields) == {"Content-Type": "application/json", "Cache-Control": "no-store"}


def test_the_bare_token_is_given_to_whoever_takes_nothing_but_text() -> None:
    fields, text = minted_answer(Minted("a.b.c", 60), "Text/Plain")
    assert text == b"a.b.c"
    assert dict(fields)["Content-Type"].startswith("text/plain")
    assert dict(fields)["Cache-Control"] == "no-store"


def test_sec_147_who_got_what_is_written_down_and_the_token_is_not(caplog: pytest.LogCaptureFixture) -> None:
    asked, minted = Asked("robots", None, {"room": "secret-room"}, 60), Minted("aaa.bbb.ccc", 60)
    with caplog.at_level(logging.INFO, logger="jwtgate.process"):
        note_minted(asked, minted, known=known(Consumer("ann", "1")), request_id="0001")
    (record,) = caplog.records
    fields: Mapping[str, JSON] = record.fields  # type: ignore[attr-defined]
    assert record.message == "token_minted"
    assert fields == {
        "route": "sign",
        "consumer": "ann",
        "subjects": [],
        "client": "192.0.2.7",
        "id": "0001",
        "profile": "robots",
        "credential": None,
        "ttl_seconds": 60,
    }


def test_sec_35_a_token_is_not_shown_by_what_holds_it() -> None:
    shown = repr((Minted("aaa.bbb.ccc", 60), Asked("robots", None, {"room": "secret-room"}, 60)))
    assert "aaa.bbb" not in shown
    assert "secret-room" not in shown


def ended(walk: Any, answer: object) -> Minted:
    """What the walk returns for this answer."""
    with pytest.raises(StopIteration) as end:
        walk.send(answer)
    minted: Minted = end.value.value
    return minted
