"""Resources of the ingress controller."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import loaded

from jwtgate.dialects.apisix.files.kubernetes import from_kubernetes, is_kubernetes

RULE: dict[str, Any] = {
    "name": "rule",
    "match": {
        "paths": ["/get", "/x/*"],
        "hosts": ["a.example"],
        "methods": ["GET"],
        "remoteAddrs": ["10.0.0.0/8"],
        "exprs": [
            {"subject": {"scope": "Header", "name": "X-Version"}, "op": "Equal", "value": "1"},
            {"subject": {"scope": "Path"}, "op": "RegexMatch", "value": "^/"},
            {"subject": {"scope": "Query", "name": "a-b"}, "op": "In", "set": ["1", "2"]},
        ],
    },
    "backends": [{"serviceName": "web", "servicePort": 80, "weight": 5}],
    "authentication": {"enable": True, "type": "jwtAuth", "jwtAuth": {"header": "x-jwt", "query": ""}},
    "plugins": [{"name": "limit-count", "config": {"count": 1, "time_window": 1}}, {"name": "x", "enable": False}],
    "timeout": {"connect": "500ms", "read": "1m", "send": "2s"},
    "websocket": True,
    "priority": 3,
}


def resource(kind: str, spec: Any, **metadata: str) -> dict[str, Any]:
    return {"apiVersion": "apisix.apache.org/v2", "kind": kind, "metadata": {"name": "n", **metadata}, "spec": spec}


def converted(*resources: dict[str, Any]) -> dict[str, Any]:
    problems: list[str] = []
    found = from_kubernetes(resources, problems)
    assert problems == []
    return found


def test_a_rule_of_an_apisix_route_is_a_route() -> None:
    (route,) = converted(resource("ApisixRoute", {"http": [RULE]}))["routes"].values()
    assert route == {
        "uris": ["/get", "/x/*"],
        "hosts": ["a.example"],
        "methods": ["GET"],
        "remote_addrs": ["10.0.0.0/8"],
        "vars": [["http_x_version", "==", "1"], ["uri", "~~", "^/"], ["arg_a-b", "in", ["1", "2"]]],
        "upstream": {"nodes": [{"host": "web.default.svc", "port": 80, "weight": 5}]},
        "plugins": {"limit-count": {"count": 1, "time_window": 1}, "jwt-auth": {"header": "x-jwt"}},
        "timeout": {"connect": 0.5, "read": 60.0, "send": 2.0},
        "enable_websocket": True,
        "priority": 3,
    }


def test_a_rule_with_an_unusual_name_is_a_route_with_a_usual_one() -> None:
    found = converted(resource("ApisixRoute", {"http": [{**RULE, "name": "all of it/*"}]}))
    assert list(found["routes"]) == ["default_n_all-of-it--"]
    loaded(found)


def test_consumers_of_both_kinds_are_consumers() -> None:
    value = {"key": "k", "secret": "s", "private_key": "", "exp": 0}
    old = resource("ApisixConsumer", {"authParameter": {"jwtAuth": {"value": value}}}, namespace="ns")
    spec = {
        "credentials": [
            {"type": "key-auth", "name": "c", "config": {"key": "x"}},
            {"type": "jwt-auth", "config": {"key": "y"}},
        ],
        "plugins": [{"name": "limit-count", "config": {"count": 1, "time_window": 1}}],
    }
    found = converted(old, resource("Consumer", spec))
    assert found["consumers"] == {
        "ns_n": {"username": "ns_n", "plugins": {"jwt-auth": {"key": "k", "secret": "s"}}},
        "default_n": {"username": "default_n", "plugins": {"limit-count": {"count": 1, "time_window": 1}}},
    }
    assert found["credentials"] == {
        "default_n/c": {"plugins": {"key-auth": {"key": "x"}}},
        "default_n/jwt-auth-2": {"plugins": {"jwt-auth": {"key": "y"}}},
    }


def test_the_gateway_takes_them() -> None:
    assert "default_n_rule" in loaded(converted(resource("ApisixRoute", {"http": [RULE]}))).routes


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (resource("ApisixTls", {}), "ApisixTls default/n: is not converted"),
        (resource("ApisixRoute", {"http": [{"upstreams": [{"name": "u"}]}]}), "other resources"),
        (resource("ApisixRoute", {"http": [{"match": {"filter_func": "x"}}]}), "filter_func"),
        (
            resource("ApisixRoute", {"http": [{"backends": [{"serviceName": "s", "servicePort": "http"}]}]}),
            "servicePort",
        ),
        (resource("ApisixRoute", {"http": [{"authentication": {"enable": True, "type": "wolfRBAC"}}]}), "wolfRBAC"),
        (resource("ApisixRoute", {"http": [{"plugins": [{"name": "x", "secretRef": "s"}]}]}), "secretRef"),
        (resource("ApisixRoute", {"http": [{"match": {"exprs": [{"subject": {"scope": "Body"}}]}}]}), "condition Body"),
        (resource("ApisixRoute", {"http": [{"timeout": {"read": "soon"}}]}), "time soon"),
        (resource("ApisixConsumer", {"authParameter": {"basicAuth": {}}}), "basicAuth"),
        (resource("ApisixConsumer", {"authParameter": {"jwtAuth": {"secretRef": {}}}}), "secretRef"),
        (resource("Consumer", {}, name=""), "has no name"),
    ],
)
def test_what_cannot_be_converted_is_named(given: dict[str, Any], named: str) -> None:
    problems: list[str] = []
    from_kubernetes([given], problems)
    (problem,) = problems
    assert named in problem


def test_a_resource_is_told_from_other_documents() -> None:
    assert is_kubernetes({"apiVersion": "v1", "kind": "Secret"})
    assert not is_kubernetes({"kind": "x"})
    assert not is_kubernetes([])
