"""Callers known by name: by the key their token was made with, by a claim of somebody else's token, or as nobody."""

import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.rig import (
    AUDIENCE,
    KEY,
    LATER,
    Client,
    Document,
    Gateway,
    Message,
    Upstream,
    document,
    request,
    token,
    until,
)

from jwtgate.control.administration.administration import Administration
from jwtgate.jose.key import Key, generate_key
from jwtgate.policy.callers import api_key_name

SECRET = "a secret of a consumer of the tests, all their own"
SECRET_KEY = Key.secret(SECRET.encode(), alg="HS256")
PAIR = generate_key("RS256")
HS256 = {"alg": "HS256", "secret": SECRET}
CONSUMERS = {
    "ann": {
        "external_id": "alice",
        "groups": ["staff", "night"],
        "labels": {"tier": "gold"},
        "attributes": {"plan": {"seats": 20}},
        "credentials": {
            "ann-secret": HS256,
            "ann-pair": {"alg": "RS256", "jwks": PAIR.public().to_jwk()},
        },
    },
    "bob": {"credentials": {"bob-secret": {**HS256, "secret": "another secret of another consumer"}}},
    "nobody": {"labels": {"tier": "none"}},
}
FIELDS = {
    "X-Consumer": {"consumer": "name"},
    "X-Groups": {"consumer": "groups"},
    "X-Tier": {"consumer": "labels.tier"},
    "X-Seats": {"consumer": "attributes.plan.seats"},
    "X-Credential": {"consumer": "credential"},
}
MAPPED = {"issuers": ["main"], "consumer": {"claim": ["account.id", "sub"], "by": ["external_id", "name"]}}


def whole(upstream: str, **consumers: Any) -> Document:
    made = document(upstream, consumers={**CONSUMERS, **consumers})
    made["issuers"]["own"] = {"consumers": {"claim": "cred"}, "audience": AUDIENCE, "leeway_seconds": 0}
    seen = {"headers": FIELDS, "upstream": "echo"}
    made["routes"] = {
        "own": {"path": "/own/*", "auth": "required", "issuers": ["own"], **seen},
        "mapped": {"path": "/mapped/*", "auth": "required", **MAPPED, **seen},
        "loose": {
            "path": "/loose/*",
            "auth": "required",
            **MAPPED,
            "consumer": {**MAPPED["consumer"], "required": False},
            **seen,
        },
        "anyone": {"path": "/anyone/*", "auth": "optional", **MAPPED, "anonymous_consumer": "nobody", **seen},
        "forgiving": {
            "path": "/forgiving/*",
            "auth": "required",
            **MAPPED,
            "anonymous_consumer": "nobody",
            "anonymous_consumer_also_for_refused_tokens": True,
            **seen,
        },
    }
    return made


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    with Gateway(whole(upstream.url)) as gateway:
        yield gateway


def own_token(key: Key = SECRET_KEY, alg: str = "HS256", **changes: Any) -> str:
    return token(key=key, alg=alg, **{"iss": None, "cred": "ann-secret", "exp": LATER, **changes})


def ask(gateway: Gateway, path: str, bearer: str | None = None) -> Message:
    with Client(gateway.port) as client:
        return client.ask(request(path, bearer=bearer))


def logged(gateway: Gateway, path: str, lines: int) -> list[Document]:
    """The lines about this path, as soon as there are this many."""
    until(lambda: gateway.raw_log().count(path.encode()) >= lines)
    return [line for line in gateway.log() if line["path"] == path]


def forwarded(gateway: Gateway, upstream: Upstream, path: str, bearer: str | None = None) -> Message:
    """What the upstream got."""
    upstream.forget()
    assert ask(gateway, path, bearer).status == 200
    return upstream.one_request()


@pytest.mark.parametrize(
    ("key", "alg", "name"), [(SECRET_KEY, "HS256", "ann-secret"), (PAIR, "RS256", "ann-pair")], ids=["HS256", "RS256"]
)
def test_a_token_is_verified_with_the_key_of_the_credential_it_names(
    gateway: Gateway, upstream: Upstream, key: Key, alg: str, name: str
) -> None:
    got = forwarded(gateway, upstream, "/own/a", own_token(key, alg, cred=name))
    assert [got.value(field) for field in FIELDS] == ["ann", "staff,night", "gold", "20", name]


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [
        (own_token(cred="no-such-key"), "credential_unknown"),
        (own_token(cred="bob-secret"), "signature_wrong"),
        (own_token(PAIR, "RS256"), "alg_not_allowed"),
        (own_token(cred=None), "credential_not_named"),
        (own_token(cred=7), "credential_name_malformed"),
        (own_token(exp=1), "token_expired"),
        (own_token(aud="other"), "audience_wrong"),
        (token(exp=LATER), "credential_not_named"),
    ],
)
def test_a_token_no_consumer_made_is_refused(gateway: Gateway, bearer: str, reason: str) -> None:
    path = f"/own/{zlib.crc32(bearer.encode())}"
    assert ask(gateway, path, bearer).status == 401
    (line,) = logged(gateway, path, 1)
    assert line["reason"] == reason


@pytest.mark.parametrize(
    ("claims", "name"),
    [({"sub": "alice"}, "ann"), ({"sub": "bob"}, "bob"), ({"account": {"id": "alice"}, "sub": "bob"}, "ann")],
)
def test_a_consumer_is_known_by_a_claim_of_a_verified_token(
    gateway: Gateway, upstream: Upstream, claims: dict[str, Any], name: str
) -> None:
    assert forwarded(gateway, upstream, "/mapped/a", token(**claims)).value("X-Consumer") == name


def test_a_caller_nobody_knows_is_refused_unless_that_may_be(gateway: Gateway, upstream: Upstream) -> None:
    stranger = token(sub="stranger")
    assert ask(gateway, "/mapped/a", stranger).status == 401
    assert forwarded(gateway, upstream, "/loose/a", stranger).value("X-Consumer") is None
    assert ask(gateway, "/loose/a", token(sub="alice", exp=1)).status == 401


def test_who_presents_nothing_counts_as_the_consumer_of_the_route(gateway: Gateway, upstream: Upstream) -> None:
    got = forwarded(gateway, upstream, "/anyone/a")
    assert (got.value("X-Consumer"), got.value("X-Tier")) == ("nobody", "none")
    assert forwarded(gateway, upstream, "/anyone/a", token()).value("X-Consumer") == "ann"
    assert ask(gateway, "/anyone/a", token(exp=1)).status == 401


def test_who_presents_a_bad_token_counts_so_only_where_the_route_says_it(gateway: Gateway, upstream: Upstream) -> None:
    assert forwarded(gateway, upstream, "/forgiving/a", token(exp=1)).value("X-Consumer") == "nobody"
    assert forwarded(gateway, upstream, "/forgiving/a", token()).value("X-Consumer") == "ann"


def test_sec_117_a_client_never_says_who_it_is(gateway: Gateway, upstream: Upstream) -> None:
    upstream.forget()
    with Client(gateway.port) as client:
        assert client.ask(request("/loose/a", "X-Consumer: bob", bearer=token(sub="stranger"))).status == 200
    assert upstream.one_request().value("X-Consumer") is None


def test_the_log_names_the_consumer_also_of_what_was_remembered(gateway: Gateway) -> None:
    bearer = own_token()
    for _ in range(2):
        assert ask(gateway, "/own/logged", bearer).status == 200
    assert [line["consumer"] for line in logged(gateway, "/own/logged", 2)] == ["ann", "ann"]


def test_a_consumer_comes_and_goes_while_the_gateway_runs(upstream: Upstream) -> None:
    eve = {"external_id": "eve", "credentials": {"eve-secret": HS256}}
    with Gateway(whole(upstream.url)) as gateway:
        bearer = own_token(cred="eve-secret")
        assert ask(gateway, "/own/a", bearer).status == 401

        async def put(node: Administration) -> None:
            await node.put("consumers", "eve", eve, over=0, who="alice")

        async def change(node: Administration) -> None:
            await node.put("consumers", "eve", {**eve, "labels": {"tier": "new"}}, over=1, who="alice")

        async def delete(node: Administration) -> None:
            await node.delete("consumers", "eve", over=None, who="alice")

        gateway.administer(put)
        until(lambda: ask(gateway, "/own/a", bearer).status == 200)
        gateway.administer(change)
        until(lambda: forwarded(gateway, upstream, "/own/a", bearer).value("X-Tier") == "new")
        gateway.administer(delete)
        until(lambda: ask(gateway, "/own/a", bearer).status == 401)
        assert {line["generation"] for line in gateway.log(4)} == {1}


def test_a_reload_changes_who_is_known(upstream: Upstream) -> None:
    made = whole(upstream.url)
    with Gateway(made) as gateway:
        bearer = own_token()
        assert ask(gateway, "/own/a", bearer).status == 200
        gateway.reload({**made, "consumers": {"nobody": {}}})
        assert ask(gateway, "/own/a", bearer).status == 401
        gateway.reload(made)
        assert ask(gateway, "/own/a", bearer).status == 200


def test_a_key_that_another_issuer_has_too_is_no_consumer_s(gateway: Gateway) -> None:
    assert ask(gateway, "/own/a", token(key=KEY, cred="ann-pair")).status == 401


# Credentials that are found by something else than their name.

LEGACY = {
    "short_secret_allowed_for_legacy_credential": True,
    "guessable_secret_allowed_for_legacy_credential": True,
}
RAW_PEM = PAIR.to_private_pem()
CAT = {
    "credentials": {
        "by-hand": {**HS256, "named": "cat-key", "labels": {"made": "by hand"}},
        "weak": {"alg": "HS256", "secret": "secret", **LEGACY},
        "pair": {
            "alg": "RS256",
            "public_key": RAW_PEM,
            "leeway_seconds": 86400 * 360,
            "long_leeway_allowed_for_legacy_tokens": True,
        },
        "api": {"api_key": "an api key of the tests"},
    }
}
WEAK_KEY = Key.secret(b"secret", alg="HS256", **LEGACY)


@pytest.fixture(scope="module")
def named(upstream: Upstream) -> Iterator[Gateway]:
    made = whole(upstream.url, cat=CAT)
    made["issuers"]["api"] = {"consumers": {"api_key": True}, "audience": "any"}
    seen = {"headers": {**FIELDS, "X-Made": {"consumer": "credential_labels.made"}}, "upstream": "echo"}
    made["routes"]["own"] |= seen
    keyed = {"from": [{"header": "x-api-key"}], "issuers": ["api"]}
    made["routes"]["api"] = {"path": "/api/*", "auth": "required", **keyed, **seen}
    with Gateway(made) as gateway:
        yield gateway


def test_a_credential_is_found_by_what_it_is_named_and_told_by_its_own_name(named: Gateway, upstream: Upstream) -> None:
    got = forwarded(named, upstream, "/own/cat", own_token(cred="cat-key"))
    assert [got.value(field) for field in ("X-Consumer", "X-Credential", "X-Made")] == ["cat", "by-hand", "by hand"]
    assert ask(named, "/own/cat", own_token(cred="by-hand")).status == 401


def test_a_client_cannot_say_what_labels_its_credential_has(named: Gateway, upstream: Upstream) -> None:
    upstream.forget()
    with Client(named.port) as client:
        assert client.ask(request("/own/cat", "X-Made: by me", bearer=own_token())).status == 200
    assert upstream.one_request().values("X-Made") == []


def test_an_api_key_leads_to_its_consumer_and_no_token_can_name_it(named: Gateway, upstream: Upstream) -> None:
    def status(key: str) -> int:
        with Client(named.port) as client:
            return client.ask(request("/api/cat", f"X-Api-Key: {key}")).status

    upstream.forget()
    assert status("an api key of the tests") == 200
    got = upstream.one_request()
    assert [got.value(field) for field in ("X-Consumer", "X-Credential")] == ["cat", "api"]
    # A field that holds a credential never reaches the upstream.
    assert got.values("X-Api-Key") == []
    for other in ("An api key of the tests", "cat-key", "api", SECRET, api_key_name("an api key of the tests")):
        assert status(other) == 401
    for name in ("api", "an api key of the tests", api_key_name("an api key of the tests")):
        assert ask(named, "/own/cat", own_token(cred=name)).status == 401


def test_sec_22_a_secret_everybody_knows_is_used_where_that_is_said_in_long_words(named: Gateway) -> None:
    assert ask(named, "/own/cat", own_token(WEAK_KEY, cred="weak")).status == 200
    assert ask(named, "/own/cat", own_token(cred="weak")).status == 401


def test_the_public_half_of_a_private_key_verifies_and_its_long_leeway_holds(named: Gateway) -> None:
    assert ask(named, "/own/cat", own_token(PAIR, "RS256", cred="pair")).status == 200
    assert ask(named, "/own/cat", own_token(PAIR, "RS256", cred="pair", exp=int(time.time()) - 86400)).status == 200
    # Without it the same token has ended.
    assert ask(named, "/own/cat", own_token(cred="cat-key", exp=int(time.time()) - 86400)).status == 401
