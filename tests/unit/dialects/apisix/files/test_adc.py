"""The YAML of ADC."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import loaded

from jwtgate.dialects.apisix.files.adc import from_adc, is_adc
from jwtgate.errors import ConfigError

NODES = [{"host": "127.0.0.1", "port": 80, "weight": 1}]
DOCUMENT: dict[str, Any] = {
    "services": [
        {
            "name": "my service",
            "description": "for people",
            "upstream": {"nodes": NODES},
            "path_prefix": "/v1/",
            "strip_path_prefix": True,
            "routes": [
                {"name": "get it", "uris": ["/get"], "methods": ["GET"], "plugins": {"jwt-auth": {}}},
                {"id": "second", "uris": ["/put"]},
            ],
        }
    ],
    "consumers": [
        {
            "username": "jack",
            "labels": {"custom_id": "1"},
            "plugins": {"limit-count": {"count": 1, "time_window": 1}},
            "credentials": [{"name": "jwt", "type": "jwt-auth", "config": {"key": "k"}, "labels": {"a": "b"}}],
        }
    ],
    "consumer_groups": [{"name": "gold", "plugins": {}, "consumers": [{"username": "rose"}]}],
    "global_rules": {"response-rewrite": {"headers": {"X-A": "1"}}},
    "secrets": [{"id": "vault/1", "uri": "https://127.0.0.1:8200", "prefix": "kv", "token": "t"}],
    "plugin_metadata": {"x": {}},
    "ssls": [{"snis": ["a.example"], "certificates": [{"certificate": "c", "key": "k"}]}],
}


def test_what_stands_inside_becomes_objects_of_their_own() -> None:
    found = from_adc(DOCUMENT)
    assert found["services"]["my-service"] == {"upstream": {"nodes": NODES}, "desc": "for people", "name": "my service"}
    route = found["routes"]["my-service.get-it"]
    assert (route["uris"], route["methods"], route["service_id"]) == (["/v1/get"], ["GET"], "my-service")
    assert route["plugins"]["proxy-rewrite"] == {"regex_uri": ["^/v1/?(.*)$", "/$1"]}
    assert list(found["routes"]) == ["my-service.get-it", "my-service.second"]
    assert found["consumers"]["jack"]["labels"] == {"custom_id": "1"}
    assert found["credentials"]["jack/jwt"] == {
        "labels": {"a": "b"},
        "name": "jwt",
        "plugins": {"jwt-auth": {"key": "k"}},
    }
    assert found["consumers"]["rose"] == {"username": "rose", "group_id": "gold"}
    assert found["global_rules"] == {"response-rewrite": {"plugins": {"response-rewrite": {"headers": {"X-A": "1"}}}}}
    assert found["secrets"] == {"vault/1": {"uri": "https://127.0.0.1:8200", "prefix": "kv", "token": "t"}}
    assert found["ssls"] == {"1": {"cert": "c", "key": "k", "snis": ["a.example"]}}
    assert found["plugin_metadata"] == {"x": {}}


def test_the_gateway_takes_them() -> None:
    assert "my-service.get-it" in loaded(from_adc(DOCUMENT)).routes


@pytest.mark.parametrize(
    ("document", "truth"),
    [
        (DOCUMENT, True),
        ({"consumers": [{"username": "jack", "credentials": []}]}, True),
        ({"global_rules": {}}, True),
        ({"services": [{"id": 1}], "routes": []}, False),
        ({"consumers": None}, False),
        ([], False),
    ],
)
def test_such_a_document_is_told_from_others(document: Any, truth: bool) -> None:
    assert is_adc(document) is truth


def test_a_path_is_only_stripped_where_that_is_said() -> None:
    service = {"name": "s", "path_prefix": "/v1", "routes": [{"name": "r", "uris": ["/a"]}]}
    assert from_adc({"services": [service]})["routes"]["s.r"] == {"uris": ["/v1/a"], "name": "r", "service_id": "s"}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"services": [{"name": "a b"}, {"name": "a/b"}]}, "services/a-b: is there twice"),
        ({"services": [{"name": "a", "routes": [{"name": "r"}, {"name": "r"}]}]}, "routes/a.r: is there twice"),
        ({"services": [{"name": "a", "routes": [{"name": "r", "remote_addr": "10.0.0.1"}]}]}, "not known here"),
        ({"services": [{"name": "a", "plugin": {}}]}, "not known here: plugin"),
        ({"services": [], "routes": []}, "not known here: routes"),
        ({"services": [], "global_rules": [{"id": 1}]}, "global_rules: is no mapping"),
    ],
)
def test_nothing_is_lost_unsaid(document: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        from_adc(document)
