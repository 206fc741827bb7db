"""The `match` of a route, and what a listed order allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]
LISTED = {"routing": "listed"}


@pytest.mark.parametrize(
    "match",
    [
        {"path_prefix": "/a"},
        {"path_prefix": ["/", "/a/", "/a.", "/a%20b"]},
        {"path_pattern": [r"^/a/\d+$", "/b"]},
        {"schemes": "https"},
        {"ports": [8080, 8443]},
        {"clients": ["10.0.0.0/8", "::1"]},
        {"headers": {"X-A": "1", "X-B": ["2", ""]}},
        {"when": "request.query.a == 'b' && request.cookies.c == 'd' && request.client != ''"},
    ],
)
def test_a_route_in_a_listed_order_may_ask_for_more(load: Load, mistakes: Find, match: dict[str, Any]) -> None:
    assert load({**LISTED, "routes/orders/match": match}).routes["orders"].match is not None
    assert mistakes({"routes/orders/match": match}) == [
        "routes.orders.match: can be asked only in a listed order (routing: listed)"
    ]


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"path_prefix": "a"},
        {"path_prefix": ""},
        {"path_prefix": "/a?b"},
        {"path_prefix": "/%2"},
        {"path_prefix": "/%61"},
        {"path_prefix": "/a/../b"},
        {"path_prefix": []},
        {"path_pattern": "(a"},
        {"path_pattern": "(?=a)"},
        {"schemes": "ftp"},
        {"ports": 0},
        {"ports": "http"},
        {"clients": "10.0.0.1/8"},
        {"clients": "somewhere"},
        {"headers": {"X A": "1"}},
        {"headers": {"X-A": "1\n"}},
        {"headers": {"X-A": []}},
        {"when": "token.access.sub == 'a'"},
        {"when": "now > 0"},
        {"when": "request.path_parameters.id == 'a'"},
        {"when": "consumer.name == 'a'"},
        {"when": "request.path =="},
        {"unknown": 1},
        None,
    ],
)
def test_what_cannot_be_asked_is_a_mistake(mistakes: Find, match: object) -> None:
    assert len(mistakes({**LISTED, "routes/orders/match": match})) == 1


def test_a_path_may_be_left_out_in_a_listed_order_only(load: Load, mistakes: Find) -> None:
    assert load({**LISTED, "routes/orders/path": ...}).routes["orders"].templates == ()
    assert mistakes({"routes/orders/path": ...}) == ["routes.orders: needs exactly one of path, paths"]


def test_a_host_may_have_an_open_end_in_a_listed_order_only(load: Load, mistakes: Find) -> None:
    assert load({**LISTED, "routes/orders/hosts": "Shop.*"}).routes["orders"].hosts == ("shop.*",)
    assert mistakes({"routes/orders/hosts": ["a.example", "shop.*"]}) == [
        "routes.orders.hosts[1]: can end in .* only in a listed order (routing: listed)"
    ]
    for host in ("*", "*.a.*", ".*", "a.*.b", "a.*:80"):
        assert len(mistakes({**LISTED, "routes/orders/hosts": host})) == 1


def test_several_routes_may_take_the_same_requests_in_a_listed_order_only(load: Load, mistakes: Find) -> None:
    assert load({**LISTED, "routes/health/path": "/orders/*"})
    assert mistakes({"routes/health/path": "/orders/*"}) == [
        "routes.health.path: route orders already takes the same requests (/orders/*)"
    ]


def test_an_order_nobody_knows_is_a_mistake(mistakes: Find) -> None:
    assert len(mistakes({"routing": "random"})) == 1
