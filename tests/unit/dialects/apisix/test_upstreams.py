"""Upstreams as upstreams of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import changed, loaded, refused

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.upstreams import upstream_of

PLACE = ("upstreams", "1")
NODES = {"nodes": {"a.com:8080": 1}}


def made(value: dict[str, Any], noting: Noting | None = None, **said: Any) -> dict[str, Any] | None:
    loaded({"routes": {"1": {"uri": "/a", "upstream": value}}})
    return upstream_of(value, noting or Noting(), PLACE, **{"timeout": None, "host": None, **said})


def urls(value: dict[str, Any]) -> list[tuple[str, int]]:
    found = made(value) or {"targets": []}
    return [(target["url"], target["weight"]) for target in found["targets"]]


def test_an_upstream_without_more_words_is_as_its_users_are_used_to() -> None:
    assert made(NODES) == {
        "targets": [{"url": "http://a.com:8080", "weight": 1}],
        "preserve_host": True,
        "retries": 0,
        "connect_seconds": 60.0,
        "first_byte_seconds": 60.0,
        "idle_seconds": 60.0,
        "most_idle_connections": 320,
        "keep_alive_seconds": 60.0,
        "x_real_ip": True,
        "forwarded_port": True,
    }


@pytest.mark.parametrize(
    ("value", "targets"),
    [
        (
            {"nodes": {"a": 1, "b:81": 2, "[::1]:82": 3}},
            [("http://a:80", 1), ("http://b:81", 2), ("http://[::1]:82", 3)],
        ),
        ({"nodes": {"a": 1}, "scheme": "https"}, [("https://a:443", 1)]),
        ({"nodes": [{"host": "a", "port": 81, "weight": 5}]}, [("http://a:81", 5)]),
        ({"nodes": [{"host": "::1", "weight": 5}]}, [("http://[::1]:80", 5)]),
        ({"nodes": {"a": 0, "b": 1}}, [("http://b:80", 1)]),
        ({"nodes": {"a": 0}}, []),
        ({"nodes": []}, []),
    ],
)
def test_nodes_are_targets_with_weights(value: dict[str, Any], targets: list[tuple[str, int]]) -> None:
    assert urls(value) == targets


def test_nodes_of_a_lower_priority_are_left_aside_and_noted() -> None:
    nodes = [{"host": "a", "weight": 1, "priority": -1}, {"host": "b", "weight": 1}]
    noting = Noting()
    found = made({"nodes": nodes}, noting) or {}
    assert [target["url"] for target in found["targets"]] == ["http://b:80"]
    assert list(changed(noting)) == ["upstreams/1/nodes"]


@pytest.mark.parametrize(
    ("value", "host", "seen"),
    [
        ({"pass_host": "pass"}, None, {"preserve_host": True}),
        ({"pass_host": "node"}, None, {"preserve_host": False}),
        ({"pass_host": "rewrite", "upstream_host": "x.com"}, None, {"host": "x.com"}),
        ({"pass_host": "pass"}, "y.com", {"host": "y.com"}),
    ],
)
def test_the_upstream_sees_the_host_it_is_meant_to(value: dict[str, Any], host: str | None, seen: Any) -> None:
    found = made({**NODES, **value}, host=host) or {}
    assert {name: found[name] for name in ("host", "preserve_host") if name in found} == seen


def test_the_times_of_the_route_stand_over_those_of_the_upstream() -> None:
    found = made({**NODES, "timeout": {"connect": 1, "read": 2, "send": 3}}, timeout={"read": 4}) or {}
    assert (found["connect_seconds"], found["first_byte_seconds"], found["idle_seconds"]) == (1.0, 4.0, 4.0)


def test_attempts_and_kept_connections_are_taken_over() -> None:
    pool = {"size": 5, "idle_timeout": 7, "requests": 9}
    noting = Noting()
    found = made({"nodes": {"a": 1, "b": 1, "c": 1}, "keepalive_pool": pool}, noting) or {}
    assert (found["retries"], found["most_idle_connections"], found["keep_alive_seconds"]) == (2, 5, 7.0)
    assert list(changed(noting)) == ["upstreams/1/keepalive_pool/requests"]
    found = made({**NODES, "retries": 4, "keepalive_pool": {"size": 5, "idle_timeout": 0}}) or {}
    assert (found["retries"], found["most_idle_connections"]) == (4, 0)


@pytest.mark.parametrize(
    ("said", "balancing"),
    [
        ({}, {}),
        ({"type": "roundrobin", "hash_on": "header", "key": "x"}, {}),
        ({"type": "least_conn"}, {"balance": "least_requests"}),
        ({"type": "chash"}, {"balance": "consistent_hash", "hash_by": "client"}),
        ({"type": "chash", "key": "remote_addr"}, {"balance": "consistent_hash", "hash_by": "client"}),
        ({"type": "chash", "key": "http_x_user"}, {"balance": "consistent_hash", "hash_by": {"header": "x-user"}}),
        ({"type": "chash", "key": "cookie_sid"}, {"balance": "consistent_hash", "hash_by": {"cookie": "sid"}}),
        (
            {"type": "chash", "hash_on": "header", "key": "X-User"},
            {"balance": "consistent_hash", "hash_by": {"header": "X-User"}},
        ),
        (
            {"type": "chash", "hash_on": "cookie", "key": "sid"},
            {"balance": "consistent_hash", "hash_by": {"cookie": "sid"}},
        ),
        ({"type": "chash", "hash_on": "consumer"}, {"balance": "consistent_hash", "hash_by": "consumer"}),
    ],
)
def test_nodes_are_chosen_as_apisix_does(said: dict[str, Any], balancing: dict[str, Any]) -> None:
    noting = Noting()
    found = made({**NODES, **said}, noting) or {}
    assert {name: found[name] for name in ("balance", "hash_by") if name in found} == balancing
    assert noting.notes(()) == ()


@pytest.mark.parametrize(
    "said",
    [
        {"key": "uri"},
        {"key": "http_"},
        {"hash_on": "header", "key": "a b"},
        {"hash_on": "vars_combinations", "key": "$uri$remote_addr"},
    ],
)
def test_what_cannot_be_hashed_is_noted(said: dict[str, Any]) -> None:
    noting = Noting()
    found = upstream_of({**NODES, "type": "chash", **said}, noting, PLACE, timeout=None, host=None)
    assert found is not None
    assert "balance" not in found
    assert list(changed(noting)) == ["upstreams/1/key"]


def test_what_is_done_otherwise_is_noted() -> None:
    noting = Noting()
    value = {**NODES, "type": "ewma", "retry_timeout": 3, "checks": {"active": {}}}
    made(value, noting)
    assert {place.rpartition("/")[2] for place in changed(noting)} == {
        "type",
        "retry_timeout",
        "checks",
    }
    usual = Noting()
    made({**NODES, "type": "roundrobin", "hash_on": "vars", "retry_timeout": 0}, usual)
    assert usual.notes(()) == ()


def test_certificates_of_upstreams_are_verified_and_that_is_noted() -> None:
    noting = Noting()
    made({**NODES, "scheme": "https"}, noting)
    assert list(changed(noting)) == ["upstreams/1/scheme"]
    noting = Noting()
    made({**NODES, "scheme": "https", "tls": {"verify": True}}, noting)
    assert noting.notes(()) == ()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({**NODES, "scheme": "grpc"}, "upstreams/1/scheme"),
        ({"service_name": "s", "discovery_type": "dns"}, "upstreams/1/service_name"),
        ({**NODES, "tls": {"client_cert": "c", "client_key": "k"}}, "upstreams/1/tls/client_cert"),
    ],
)
def test_what_cannot_be_had_is_refused(value: dict[str, Any], place: str) -> None:
    noting = Noting()
    made(value, noting)
    assert place in refused(noting)
