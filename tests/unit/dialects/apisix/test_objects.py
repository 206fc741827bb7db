"""Objects checked with the sentences their users know, and what is added to them."""

from __future__ import annotations

import base64
from contextlib import nullcontext
from typing import Any

import pytest

from jwtgate.dialects.apisix.objects import Invalid, check, completed, must_have_secret, plugin_mistake, with_secret
from jwtgate.dialects.dialect import Objects

OF_CONSUMER = "invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: "
NODES = {"nodes": {"h:80": 1}}


def mistake(collection: str, value: Any, objects: Objects | None = None, name: str = "1") -> str | None:
    try:
        check(collection, value, objects=objects or {}, id=name)
    except Invalid as invalid:
        return str(invalid)
    return None


@pytest.mark.parametrize(
    ("conf", "sentence"),
    [
        ({}, 'property "key" is required'),
        ({"key": 1}, 'property "key" validation failed: wrong type: expected string, got number'),
        ({"key": ""}, 'property "key" validation failed: string too short, expected at least 1, got 0'),
        (
            {"key": "k", "secret": ""},
            'property "secret" validation failed: string too short, expected at least 1, got 0',
        ),
        (
            {"key": "k", "base64_secret": True, "secret": "!!!"},
            "base64_secret required but the secret is not in base64 format",
        ),
        (
            {"key": "k", "algorithm": "RS256"},
            'failed to validate dependent schema for "algorithm": value should match only one schema, but matches none',
        ),
        ({"key": "k", "algorithm": "none"}, 'property "algorithm" validation failed: matches none of the enum values'),
        (
            {"key": "k", "jwks_uri": "https://a/keys"},
            "jwks_uri holds public keys, so algorithm must be none of HS256, HS384, HS512",
        ),
        *(
            (
                {"key": "k", "algorithm": "RS256", "jwks_uri": address},
                "jwks_uri must be an address of https, or of this host",
            )
            for address in ("http://a/keys", "$ENV://KEYS", "https://me@a/keys", "https://a/keys#1", "https://a b", "a")
        ),
    ],
)
def test_what_a_consumer_may_not_say_of_jwt_auth_has_its_sentence(conf: dict[str, Any], sentence: str) -> None:
    consumer = {"username": "jack", "plugins": {"jwt-auth": conf}}
    assert mistake("consumers", consumer, name="jack") == OF_CONSUMER + sentence
    assert mistake("credentials", {"plugins": {"jwt-auth": conf}}) == OF_CONSUMER + sentence


@pytest.mark.parametrize(
    "conf",
    [
        {"key": "k"},
        {"key": "$ENV://KEY", "secret": "$secret://vault/1/a/b", "base64_secret": True},
        {"key": "k", "base64_secret": True, "secret": "c2VjcmV0"},
        {"key": "k", "base64_secret": True, "secret": "c2VjcmV0cw=="},
        {"key": "k", "algorithm": "ES256", "public_key": "pem"},
        {"key": "k", "algorithm": "ES256", "jwks_uri": "https://a.example:8443/keys?of=k"},
        {"key": "k", "algorithm": "ES256", "jwks_uri": "http://127.0.0.1:80/keys"},
        {"key": "k", "bogus": 1},
    ],
)
def test_what_it_may_say_is_taken(conf: dict[str, Any]) -> None:
    assert mistake("consumers", {"username": "jack", "plugins": {"jwt-auth": conf}}) is None


@pytest.mark.parametrize(
    ("plugins", "sentence"),
    [
        ({"x": {}}, "unknown plugin [x]"),
        ({"jwt-auth": "on"}, 'invalid plugin conf "on" for plugin [jwt-auth]'),
        ({"jwt-auth": True}, 'invalid plugin conf "true" for plugin [jwt-auth]'),
        ({"jwt-auth": None}, 'invalid plugin conf "nil" for plugin [jwt-auth]'),
        (
            {"public-api": {"uri": 1}},
            "failed to check the configuration of plugin public-api err: "
            'property "uri" validation failed: wrong type: expected string, got number',
        ),
        (
            {"multi-auth": {"auth_plugins": [{"key-auth": {}}, {"x": {}}]}},
            "failed to check the configuration of plugin multi-auth err: unknown plugin [x]",
        ),
        (
            {"multi-auth": {"auth_plugins": [{"key-auth": {}}, {"limit-count": {}}]}},
            "failed to check the configuration of plugin multi-auth err: limit-count plugin is not supported",
        ),
        (
            {"multi-auth": {"auth_plugins": [{"key-auth": {"header": 1}}, {"jwt-auth": {}}]}},
            "failed to check the configuration of plugin multi-auth err: plugin key-auth check schema failed: "
            "failed to check the configuration of plugin key-auth err: "
            'property "header" validation failed: wrong type: expected string, got number',
        ),
    ],
)
def test_plugins_of_routes_and_their_like_are_checked(plugins: dict[str, Any], sentence: str) -> None:
    assert mistake("routes", {"uri": "/a", "plugins": plugins}) == sentence
    assert mistake("global_rules", {"plugins": plugins}) == sentence


def test_plugins_that_are_spoken_are_taken() -> None:
    plugins = {
        "jwt-auth": {"header": "$ENV://NAME"},
        "multi-auth": {"auth_plugins": [{"key-auth": {}}, {"jwt-auth": {}}]},
    }
    assert mistake("routes", {"uri": "/a", "plugins": plugins}) is None
    assert plugin_mistake("jwt-auth", {}, of_caller=False) is None


def test_a_credential_holds_one_plugin_that_finds_out_who_is_calling() -> None:
    both = {"plugins": {"jwt-auth": {"key": "a"}, "key-auth": {"key": "b"}}}
    other = {"plugins": {"limit-count": {"count": 1, "time_window": 1}}}
    assert mistake("credentials", both) == (
        'invalid configuration: property "plugins" validation failed: expect object to have at most 1 properties'
    )
    assert mistake("credentials", other) == "only supports auth type plugins in consumer credential"
    assert mistake("credentials", {"plugins": {"x": {}}}) == "invalid plugins configuration: unknown plugin [x]"


@pytest.mark.parametrize("collection", ["consumers", "consumer_groups"])
def test_what_means_nothing_on_a_consumer_is_refused(collection: str) -> None:
    value = {"username": "jack"} if collection == "consumers" else {}
    found = mistake(collection, {**value, "plugins": {"proxy-rewrite": {"uri": "/a"}}})
    assert found is not None
    assert found.endswith("plugin proxy-rewrite means nothing on a consumer here")
    assert mistake(collection, {**value, "plugins": {"limit-count": {"count": 1, "time_window": 1}}}) is None


def test_a_mistake_in_the_object_itself_is_told_first() -> None:
    assert mistake("routes", {"uri": "/a", "x": 1, "plugins": {"y": {}}}) == (
        "invalid configuration: additional properties forbidden, found x"
    )
    assert mistake("routes", []) == "invalid configuration: wrong type: expected object, got table"


@pytest.mark.parametrize(
    ("member", "kind"),
    [("upstream_id", "upstream"), ("service_id", "service"), ("plugin_config_id", "plugin config")],
)
def test_what_an_object_names_must_be_there(member: str, kind: str) -> None:
    assert mistake("routes", {"uri": "/a", member: 1}) == (
        f"failed to fetch {kind} info by {kind} id [1], response code: 404"
    )
    assert mistake("routes", {"uri": "/a", member: 1}, {f"{member.removesuffix('_id')}s": {"1": {}}}) is None


@pytest.mark.parametrize(
    ("upstream", "sentence"),
    [
        ({**NODES, "pass_host": "rewrite"}, "`upstream_host` can't be empty when `pass_host` is `rewrite`"),
        ({**NODES, "type": "chash"}, "missing key"),
        ({"nodes": {"h:0": 1}}, "invalid port 0"),
        ({"nodes": {"h:65536": 1}}, "invalid port 65536"),
        ({"nodes": {"::1": 1}}, "invalid configuration: invalid node ::1"),
        ({"nodes": {"h:" + "1" * 5000: 1}}, "invalid configuration: invalid node h:" + "1" * 5000),
        ({"nodes": {"[::1]:80": 1}}, None),
        ({**NODES, "type": "chash", "hash_on": "consumer"}, None),
        ({**NODES, "pass_host": "rewrite", "upstream_host": "a.com"}, None),
    ],
)
def test_upstreams_are_checked_wherever_they_stand(upstream: dict[str, Any], sentence: str | None) -> None:
    assert mistake("upstreams", upstream) == sentence
    assert mistake("routes", {"uri": "/a", "upstream": upstream}) == sentence


def test_secrets_are_checked_by_their_manager() -> None:
    vault = {"uri": "https://127.0.0.1:8200", "prefix": "kv", "token": "t"}
    assert mistake("secrets", vault, name="vault/1") is None
    assert mistake("secrets", vault, name="other/1") == "invalid secret manager: other"
    found = mistake("secrets", {**vault, "uri": "x"}, name="vault/1")
    assert found is not None
    assert "failed to match pattern" in found


def test_a_caller_gets_the_secret_its_algorithm_needs() -> None:
    value = completed("consumers", {"username": "jack", "plugins": {"jwt-auth": {"key": "k"}}}, {})
    secret = value["plugins"]["jwt-auth"]["secret"]
    assert len(secret) == 44
    assert len(base64.b64decode(secret)) == 32
    assert with_secret({"key": "k"})["secret"] != secret


@pytest.mark.parametrize(
    ("conf", "lacks"),
    [
        ({"key": "k"}, True),
        ({"key": "k", "algorithm": "HS512"}, True),
        ({"key": "k", "secret": "s"}, False),
        ({"key": "k", "algorithm": "RS256", "public_key": "p"}, False),
    ],
)
def test_a_secret_may_be_asked_for_instead(conf: dict[str, Any], lacks: bool) -> None:
    sentence = 'property "secret" is required when using HS based algorithms'
    with pytest.raises(Invalid, match=sentence) if lacks else nullcontext():
        must_have_secret({"plugins": {"jwt-auth": conf}})
    must_have_secret({"username": "jack"})


@pytest.mark.parametrize("conf", [{"key": "k", "secret": "s"}, {"key": "k", "algorithm": "RS256", "public_key": "p"}])
def test_who_needs_no_secret_gets_none(conf: dict[str, Any]) -> None:
    assert completed("credentials", {"plugins": {"jwt-auth": conf}}, {})["plugins"]["jwt-auth"] == conf
    assert completed("consumers", {"username": "jack"}, {}) == {"username": "jack"}


def test_a_few_defaults_are_written_back() -> None:
    route = completed("routes", {"uri": "/a", "upstream": NODES, "plugins": {"jwt-auth": {}}}, {})
    assert (route["priority"], route["status"], route["plugins"]) == (0, 1, {"jwt-auth": {}})
    defaults = {"type": "roundrobin", "hash_on": "vars", "scheme": "http", "pass_host": "pass"}
    assert route["upstream"] == completed("upstreams", NODES, {}) == {**NODES, **defaults}
