"""All objects as one document, which the gateway takes; and a note for every setting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import NODES, SETTINGS, loaded, note_at, translation

from jwtgate.dialects.apisix.document import COLLECTIONS, translated
from jwtgate.dialects.apisix.noting import places
from jwtgate.dialects.dialect import Meaning, Objects

LIMIT = {"count": 3, "time_window": 30, "rejected_code": 429, "key": "consumer_name"}
ROUTES: list[dict[str, Any]] = [
    {"plugins": {"jwt-auth": {}}},
    {"plugins": {"jwt-auth": {"header": "jwt-auth-header", "query": "jwt-query", "cookie": "jwt-cookie"}}},
    {"plugins": {"jwt-auth": {"hide_credentials": True, "realm": "test-realm", "key_claim_name": "iss"}}},
    {"plugins": {"jwt-auth": {"anonymous_consumer": "anonymous"}, "limit-count": LIMIT}},
    {"plugins": {"jwt-auth": {"claims_to_verify": ["exp", "nbf"], "_meta": {"error_response": {"code": 1}}}}},
    {"plugins": {"jwt-auth": {"_meta": {"disable": True}}, "key-auth": {"_meta": {"error_response": "no"}}}},
    {"plugins": {"jwt-auth": {"_meta": {"filter": [["arg_x", "==", "1"]]}, "claims_to_headers": {"X-Sub": "sub"}}}},
    {"plugins": {"jwt-auth": {"reason_header": "X-Reason", "store_in_ctx": True, "jwks_uri": "https://i.example/k"}}},
    {"plugins": {"multi-auth": {"auth_plugins": [{"key-auth": {}}, {"jwt-auth": {"hide_credentials": True}}]}}},
    {"plugins": {"jwt-auth": {}, "key-auth": {"hide_credentials": True}}},
    {"plugins": {"limit-count": {**LIMIT, "key": "$host $remote_addr", "key_type": "var_combination"}}},
    {"plugins": {"proxy-rewrite": {"regex_uri": ["^/(.*)$", "/x/$1"], "method": "POST", "host": "h.example"}}},
    {"plugins": {"proxy-rewrite": {"headers": {"set": {"X-A": "$remote_addr"}, "remove": ["X-B"]}}}},
    {"plugins": {"response-rewrite": {"headers": {"X-A": "1"}}}, "enable_websocket": True},
    {"host": "a.example", "methods": ["GET", "POST"], "remote_addrs": ["10.0.0.0/8"], "priority": 5},
    {"vars": [["OR", ["http_x_v", "==", "1"], ["uri", "~~", "^/a"]], ["arg_n", ">", 5]], "status": 1},
    {"service_id": "s", "plugin_config_id": "c"},
    {
        "upstream_id": "u",
        "timeout": {"connect": 1, "send": 2, "read": 3},
        "name": "n",
        "desc": "d",
        "labels": {"a": "b"},
    },
    {
        "upstream": {
            "nodes": [{"host": "a", "port": 1, "weight": 2}],
            "scheme": "https",
            "pass_host": "node",
            "retries": 0,
        }
    },
]
EVERYTHING: Objects = {
    "routes": {
        "sign": {"uri": "/apisix/plugin/jwt/sign", "plugins": {"public-api": {}}},
        "sign-with-key": {"uri": "/t", "plugins": {"public-api": {"uri": "/apisix/plugin/jwt/sign"}, "key-auth": {}}},
        "off": {"uri": "/off", "status": 0, "upstream": NODES},
        **{str(number): {"uris": [f"/{number}", f"/{number}/*"], **route} for number, route in enumerate(ROUTES)},
        **{
            f"inline-{number}": {"uri": f"/i/{number}", "upstream": NODES, **route}
            for number, route in enumerate(ROUTES)
        },
    },
    "services": {"s": {"plugins": {"jwt-auth": {}}, "upstream_id": "u", "hosts": ["s.example", "*.s.example"]}},
    "plugin_configs": {"c": {"plugins": {"limit-count": LIMIT}}},
    "upstreams": {"u": {"nodes": {"127.0.0.1:1980": 1, "127.0.0.1:1981": 2}, "timeout": {"read": 5}}},
    "global_rules": {"g": {"plugins": {"response-rewrite": {"headers": {"X-A": "1"}}}}},
    "consumer_groups": {"cg": {"plugins": {"limit-count": LIMIT}}},
    "secrets": {"vault/1": {"uri": "https://127.0.0.1:8200", "prefix": "kv/apisix", "token": "$ENV://TOKEN"}},
    "ssls": {"1": {"cert": "c", "key": "k", "snis": ["a.example"]}},
    "plugin_metadata": {"x": {"log_format": {}}},
    "consumers": {
        "jack": {"username": "jack", "group_id": "cg", "plugins": {"jwt-auth": {"key": "jack-key", "exp": 30}}},
        "anonymous": {"username": "anonymous", "plugins": {"limit-count": LIMIT}},
        "waiting": {"username": "waiting", "plugins": {"jwt-auth": {"key": "$secret://vault/1/jack/jwt-key"}}},
    },
    "credentials": {"jack/c": {"plugins": {"key-auth": {"key": "api"}}}},
}


def test_the_gateway_takes_everything_at_once() -> None:
    document = loaded(EVERYTHING)
    assert len(document.routes) > 2 * len(ROUTES)
    assert not any(note.meaning is Meaning.REFUSED for note in translation(EVERYTHING).notes)


@pytest.mark.parametrize("number", range(len(ROUTES)))
def test_the_gateway_takes_each_route_alone(number: int) -> None:
    named = {name: EVERYTHING[name] for name in EVERYTHING if name not in ("routes", "global_rules")}
    document = loaded({**named, "routes": {"1": EVERYTHING["routes"][str(number)]}})
    assert {name.partition("#")[0] for name in document.routes} == {"1"}


def test_every_setting_has_a_note() -> None:
    noted = {tuple(note.place.split("/")) for note in translation(EVERYTHING).notes}
    for name in (*COLLECTIONS, "ssls", "plugin_metadata"):
        for place in places(EVERYTHING[name], (name,)):
            written = tuple("/".join(place).split("/"))
            assert any(written[: len(each)] == each for each in noted), place


def test_nothing_at_all_is_a_gateway_that_knows_no_route() -> None:
    document = translation({}).document
    loaded({})
    (route,) = document["routes"].values()
    assert route["respond"] == {
        "status": 404,
        "body": '{"error_msg":"404 Route Not Found"}\n',
        "content_type": "text/plain; charset=utf-8",
    }
    assert document["answers"]["route_unknown"] == route["respond"]


def test_the_gateway_behaves_as_its_users_are_used_to() -> None:
    document = translation({"routes": {"1": {"uri": "/a", "upstream": NODES}}}).document
    assert document["routing"] == "listed"
    assert document["own"] == {"keys": None, "metadata": None}
    assert document["fields"] == {"unusual_names": "drop"}
    assert document["paths"] == {"repeated_slashes": "merge"}
    assert document["listen"] == ["127.0.0.1:9080"]


def test_what_most_routes_answer_is_said_once() -> None:
    realm = {"plugins": {"jwt-auth": {"realm": "other"}}}
    objects: Objects = {
        "routes": {
            name: {"uri": f"/{name}", "upstream": NODES, **more}
            for name, more in {
                "1": {"plugins": {"jwt-auth": {}}},
                "2": {"plugins": {"jwt-auth": {}}},
                "3": realm,
            }.items()
        }
    }
    loaded(objects)
    document = translation(objects).document
    assert document["answers"]["token_refused"]["headers"] == {"WWW-Authenticate": 'Bearer realm="jwt"'}
    assert ["answers" in route for route in document["routes"].values()] == [False, False, True]
    assert list(translation({"routes": {"3": objects["routes"]["3"]}}).document["answers"]) == ["route_unknown"]


def test_tls_is_spoken_where_it_is_wanted() -> None:
    settings = replace(SETTINGS, tls_listen=("127.0.0.1:9443",), certificate="c.pem", private_key="k.pem")
    assert translated({}, settings).document["listen"][1] == {
        "address": "127.0.0.1:9443",
        "tls": {"certificate": "c.pem", "private_key": "k.pem"},
    }


def test_a_route_that_is_off_is_left_out_and_noted() -> None:
    objects: Objects = {"routes": {"1": {"uri": "/a", "status": 0, "upstream": NODES}}}
    assert "1" not in translation(objects).document["routes"]
    note = note_at("routes/1", objects)
    assert note is not None
    assert note.meaning is Meaning.CHANGED


def test_global_rules_hold_for_requests_no_route_takes() -> None:
    objects: Objects = {
        "global_rules": {"g": {"plugins": {"key-auth": {}}}},
        "routes": {"1": {"uri": "/a", "host": "a.example", "upstream": NODES}},
    }
    document = loaded(objects)
    name, last = list(document.routes.items())[-1]
    assert (name, last.auth) == ("(no-route)", "required")
    assert translation(objects).document["routes"][name]["respond"]["status"] == 404


def test_what_only_other_protocols_have_is_refused() -> None:
    note = note_at("stream_routes/1", {"stream_routes": {"1": {"server_port": 1}}})
    assert note is not None
    assert note.meaning is Meaning.REFUSED
    ssl = note_at("ssls/1", EVERYTHING)
    assert ssl is not None
    assert ssl.meaning is Meaning.CHANGED


def test_one_refused_global_rule_closes_every_route() -> None:
    objects: Objects = {
        "global_rules": {"g": {"plugins": {"x": {}}}},
        "routes": {"1": {"uri": "/a", "upstream": NODES}},
    }
    loaded(objects)
    assert {route["respond"]["status"] for route in translation(objects).document["routes"].values()} == {503}
