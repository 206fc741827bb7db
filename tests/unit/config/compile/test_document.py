"""What a document means, value by value."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.policy.plan import Listener, Plan, Route, Tls

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


def test_listeners_come_with_their_certificates(plan: Compile) -> None:
    listen = ["127.0.0.1:80", {"address": "[::1]:0", "tls": {"certificate": "c", "private_key": "k"}}]
    assert plan({"listen": listen, "status_listen": "127.0.0.1:81"}).listeners == (
        Listener("127.0.0.1", 80),
        Listener("::1", 0, Tls("/etc/gate/c", "/etc/gate/k"), http2=True),
        Listener("127.0.0.1", 81, status_only=True),
    )


def test_an_issuer_is_one_object_wherever_it_stands(plan: Compile) -> None:
    compiled = plan(
        {"routes/copy": {"path": "/copy", "auth": "optional", "issuers": ["other", "main"], "upstream": "echo"}}
    )
    (slot,) = route(compiled, "copy").slots
    assert not slot.required
    assert slot.issuers["https://issuer.example"] is compiled.issuers["main"]
    assert route(compiled).slots[0].issuers == {"https://issuer.example": compiled.issuers["main"]}


def test_routes_are_found_by_method_host_and_path(plan: Compile) -> None:
    compiled = plan({"routes/orders/methods": ["GET"], "routes/orders/hosts": ["*.Shop.example"]})
    found = compiled.router.find("GET", "eu.shop.example", "/orders/1")
    assert found is route(compiled)
    assert compiled.router.find("PUT", "eu.shop.example", "/orders/1") is None
    assert compiled.router.find("GET", "other.example", "/orders/1") is None
    assert compiled.router.find("PUT", "any", "/health") is route(compiled, "health")


def test_rules_of_the_whole_gateway_are_carried_over(plan: Compile) -> None:
    compiled = plan(
        {
            "paths": {"repeated_slashes": "merge", "encoded_slashes": "keep", "parameters": "keep"},
            "fields": {"unusual_names": "drop"},
            "limits": {"fields": 50},
            "own": {"keys": "/keys", "metadata": None},
            "token_limit_bytes": 4096,
            "trusted_proxies": ["10.0.0.0/8"],
        }
    )
    assert compiled.paths.merge_repeated_slashes
    assert not compiled.paths.keep_repeated_slashes
    assert compiled.paths.keep_encoded_slashes
    assert compiled.paths.keep_parameters
    assert not compiled.refuse_unusual_field_names
    assert compiled.limits.fields == 50
    assert (compiled.own.keys, compiled.own.metadata) == ("/keys", None)
    assert compiled.token_limit_bytes == 4096
    assert compiled.trusted_proxies == ("10.0.0.0/8",)


def test_a_plan_travels_to_another_process(plan: Compile) -> None:
    compiled = plan({"routes/orders/claims": [{"claim": "a", "matches": "x"}]})
    copy = pickle.loads(pickle.dumps(compiled))
    assert copy.routes == compiled.routes
    assert copy.router.find("GET", "any", "/orders/1") is copy.routes[0]
    assert "https://issuer.example" in repr(copy)


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ({}, ("http/1.1",)),
        ({"http2": True}, ("h2", "http/1.1")),
        ({"tls": {"certificate": "c", "private_key": "k"}}, ("h2", "http/1.1")),
        ({"tls": {"certificate": "c", "private_key": "k"}, "http2": False}, ("http/1.1",)),
    ],
)
def test_http_2_is_spoken_with_tls_and_where_it_is_asked_for(
    plan: Compile, said: dict[str, Any], spoken: tuple[str, ...]
) -> None:
    (listener, *_) = plan({"listen": [{"address": "127.0.0.1:80", **said}]}).listeners
    assert listener.protocols == spoken
