"""Plugins that find out who is calling, as slots and issuers of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import changed, loaded, refused, route_of, translation

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.plugins.authentication import IDENTITY, Issuers, authentication_of

JACK = {"consumers": {"jack": {"username": "jack", "plugins": {"jwt-auth": {"key": "k"}}}}}


def asked(plugins: dict[str, Any]) -> dict[str, Any]:
    """What a route asks, as the gateway takes it."""
    return route_of({"uri": "/a", "plugins": plugins}, JACK)


def issuers(plugins: dict[str, Any]) -> Any:
    objects = {"routes": {"1": {"uri": "/a", "plugins": plugins, "upstream": {"nodes": {"a:80": 1}}}}}
    loaded(objects)
    return translation(objects).document["issuers"]


def dangers(plugins: dict[str, Any]) -> dict[str, str]:
    return {note.place: note.sentence for note in noted(plugins).notes(()) if note.dangerous}


def noted(plugins: dict[str, Any]) -> Noting:
    noting, found = Noting(), Issuers()
    authentication_of({name: (conf, ("p", name)) for name, conf in plugins.items()}, {}, found, noting)
    return noting


def test_without_such_a_plugin_nothing_is_asked() -> None:
    assert asked({})["auth"] == "none"
    assert "slots" not in asked({})


def test_a_token_stands_in_a_header_the_query_or_a_cookie_and_the_first_place_wins() -> None:
    route = asked({"jwt-auth": {}})
    assert route["auth"] == "required"
    assert route["slots"] == {
        "jwt-auth": {
            "from": [
                {"header": "authorization", "prefix": ["Bearer ", "bearer ", ""]},
                {"query": "jwt"},
                {"cookie": "jwt"},
            ],
            "first_source_wins_for_legacy_clients": True,
            "issuers": ["jwt-auth-key"],
        }
    }
    assert route["headers"] == dict(IDENTITY)


def test_the_places_have_names_of_ones_own() -> None:
    slot = asked({"jwt-auth": {"header": "h", "query": "q", "cookie": "c"}})["slots"]["jwt-auth"]
    assert [source.get("header") or source.get("query") or source.get("cookie") for source in slot["from"]] == [
        *("h", "q", "c"),
    ]


def test_tokens_are_those_of_consumers_found_by_a_claim() -> None:
    assert issuers({"jwt-auth": {}}) == {
        "jwt-auth-key": {
            "consumers": {"claim": ["key"]},
            "audience": "any",
            "leeway_seconds": 0,
            "exp_optional_for_legacy_tokens": True,
            "iat_not_looked_at_for_legacy_tokens": True,
        }
    }
    assert issuers({"jwt-auth": {"key_claim_name": "iss"}})["jwt-auth-iss"]["consumers"] == {"claim": ["iss"]}
    (odd,) = issuers({"jwt-auth": {"key_claim_name": "https://x/a b"}}).values()
    assert odd["consumers"] == {"claim": ["https://x/a b"]}


def test_claims_to_verify_must_be_there() -> None:
    slot = asked({"jwt-auth": {"claims_to_verify": ["exp", "nbf"]}})["slots"]["jwt-auth"]
    assert slot["claims"] == [{"claim": ["exp"], "required": True}, {"claim": ["nbf"], "required": True}]
    assert "claims" not in asked({"jwt-auth": {"claims_to_verify": []}})["slots"]["jwt-auth"]


@pytest.mark.parametrize(("conf", "goes_on"), [({}, True), ({"hide_credentials": True}, False)])
def test_a_token_goes_on_to_the_upstream_unless_it_is_hidden(conf: dict[str, Any], goes_on: bool) -> None:
    assert asked({"jwt-auth": conf}).get("forward_token", False) is goes_on


def test_a_caller_that_is_refused_may_be_an_anonymous_consumer() -> None:
    route = asked({"jwt-auth": {"anonymous_consumer": "jack"}})
    assert (route["auth"], route["anonymous_consumer"]) == ("optional", "jack")
    assert route["anonymous_consumer_also_for_refused_tokens"] is True
    assert "p/jwt-auth/anonymous_consumer" in dangers({"jwt-auth": {"anonymous_consumer": "jack"}})


@pytest.mark.parametrize(
    ("plugins", "said", "unsaid"),
    [
        ({"jwt-auth": {}}, "tokens without exp", "api key"),
        ({"jwt-auth": {"claims_to_verify": ["exp"]}}, "the upstream receives", "tokens without exp"),
        ({"jwt-auth": {"hide_credentials": True}}, "for anybody", "the upstream receives"),
        ({"jwt-auth": {"jwks_uri": "https://a/k", "audience": ["a"]}}, "the first place", "for anybody"),
        ({"key-auth": {}}, "the first place", "tokens"),
    ],
)
def test_what_is_lenient_is_noted_as_a_danger(plugins: dict[str, Any], said: str, unsaid: str) -> None:
    (sentence,) = dangers(plugins).values()
    assert said in sentence
    assert unsaid not in sentence


def test_an_api_key_stands_in_a_header_or_the_query() -> None:
    route = asked({"key-auth": {"header": "x-key", "hide_credentials": True}})
    assert route["slots"]["key-auth"] == {
        "from": [{"header": "x-key"}, {"query": "apikey"}],
        "first_source_wins_for_legacy_clients": True,
        "issuers": ["key-auth"],
    }
    assert "forward_token" not in route
    assert issuers({"key-auth": {}})["key-auth"]["consumers"] == {"api_key": True}


def test_both_plugins_must_find_their_caller() -> None:
    route = asked({"jwt-auth": {"hide_credentials": True}, "key-auth": {}})
    assert (route["auth"], list(route["slots"])) == ("required", ["jwt-auth", "key-auth"])
    assert "enough" not in route
    assert "forward_token" not in route
    assert list(changed(noted({"jwt-auth": {"hide_credentials": True}, "key-auth": {}}))) == [
        "p/jwt-auth/hide_credentials"
    ]


def test_with_multi_auth_one_of_them_is_enough() -> None:
    plugins = [{"jwt-auth": {}}, {"key-auth": {}}, {"jwt-auth": {"header": "x-jwt", "query": "x", "cookie": "x"}}]
    route = asked({"multi-auth": {"auth_plugins": plugins}})
    assert (route["enough"], list(route["slots"])) == ("one_slot", ["jwt-auth", "key-auth", "jwt-auth-3"])
    assert route["answers"]["token_refused"]["body"] == '{"message":"Authorization Failed"}\n'


@pytest.mark.parametrize(
    ("plugins", "place"),
    [
        ({"jwt-auth": {"anonymous_consumer": "jack"}, "key-auth": {}}, "p/jwt-auth"),
        ({"multi-auth": {"auth_plugins": [{"key-auth": {}}, {"jwt-auth": {}}]}, "key-auth": {}}, "p/multi-auth"),
        (
            {"multi-auth": {"auth_plugins": [{"key-auth": {"anonymous_consumer": "jack"}}, {"jwt-auth": {}}]}},
            "p/multi-auth/auth_plugins/0/key-auth/anonymous_consumer",
        ),
    ],
)
def test_what_cannot_stand_together_is_refused(plugins: dict[str, Any], place: str) -> None:
    assert place in refused(noted(plugins))


def test_tokens_of_an_issuer_need_no_consumer() -> None:
    conf = {"issuers": ["https://idp.example"], "audience": ["api"], "algorithms": ["RS256"]}
    issuer, consumers = issuers({"jwt-auth": conf}).values()
    assert consumers["consumers"] == {"claim": ["key"]}
    assert issuer == {
        "issuer": "https://idp.example",
        "algorithms": ["RS256"],
        "audience": ["api"],
        "leeway_seconds": 0,
        "exp_optional_for_legacy_tokens": True,
    }


def test_keys_at_an_address_vouch_for_whoever_they_signed_for() -> None:
    (issuer,) = issuers({"jwt-auth": {"jwks_uri": "https://idp.example/keys"}}).values()
    assert issuer["keys"] == {"url": "https://idp.example/keys"}
    assert issuer["iss_not_looked_at_for_legacy_issuer"] is True
    assert len(issuer["algorithms"]) == 10
    both = issuers({"jwt-auth": {"jwks_uri": "https://idp.example/keys", "issuers": ["a", "b"]}})
    assert sorted(found["issuer"] for found in both.values() if "issuer" in found) == ["a", "b"]


def test_claims_are_told_to_the_upstream() -> None:
    conf = {"claims_to_headers": {"X-Sub": "sub"}, "store_in_ctx": True}
    assert asked({"jwt-auth": conf})["headers"]["X-Sub"] == {"claim": ["sub"], "slot": "jwt-auth"}
    assert list(changed(noted({"jwt-auth": conf}))) == ["p/jwt-auth/store_in_ctx"]
