"""Routes as routes of ours: what they take, in which order, and what they do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import NODES, loaded, note_at, route_of, translation

from jwtgate.dialects.dialect import Meaning, Objects


def routes(**each: dict[str, Any]) -> dict[str, Any]:
    """What these routes become, in the order they are tried in; the gateway takes them."""
    objects = {"routes": {name: {"upstream": NODES, **route} for name, route in each.items()}}
    loaded(objects)
    found: dict[str, Any] = translation(objects).document["routes"]
    return found


def refused(route: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The places that are refused, and what the route becomes instead."""
    objects: Objects = {"routes": {"1": {"upstream": NODES, **route}}}
    loaded(objects)
    found = translation(objects)
    return [note.place for note in found.notes if note.meaning is Meaning.REFUSED], found.document["routes"]["1"]


@pytest.mark.parametrize(
    ("uri", "matched"),
    [
        ("/get", {"paths": ["/get"]}),
        ("/get/", {"paths": ["/get/"]}),
        ("/get*", {"match": {"path_prefix": ["/get"]}}),
        ("/get/*", {"match": {"path_prefix": ["/get/"]}}),
        ("/*", {"match": {"path_prefix": ["/"]}}),
        ("*", {"match": {"path_prefix": ["/"]}}),
        ("/a b/{x}", {"paths": ["/a%20b/%7Bx%7D"]}),
    ],
)
def test_a_path_is_whole_or_a_prefix(uri: str, matched: dict[str, Any]) -> None:
    route = route_of({"uri": uri})
    assert {name: route[name] for name in ("paths", "match") if name in route} == matched


def test_hosts_methods_and_addresses_are_asked_for() -> None:
    route = route_of(
        {"uri": "/a", "hosts": ["A.com", "b.com"], "methods": ["GET", "PURGE"], "remote_addr": "10.1.2.3/8"}
    )
    assert (route["hosts"], route["methods"]) == (["a.com", "b.com"], ["GET", "PURGE"])
    assert route["match"] == {"clients": ["10.0.0.0/8"]}


def test_conditions_are_an_expression_and_addresses_among_them_networks() -> None:
    conditions = [["remote_addr", "ipmatch", ["10.0.0.0/8", "::1"]], ["arg_a", "==", "1"]]
    assert route_of({"uri": "/a*", "vars": conditions})["match"] == {
        "path_prefix": ["/a"],
        "clients": ["10.0.0.0/8", "::1/128"],
        "when": "(('a' in request.query && request.query['a'] == '1'))",
    }


def test_named_hosts_come_before_suffixes_and_those_before_none() -> None:
    found = routes(
        none={"uri": "/a"},
        short={"uri": "/*", "host": "*.com"},
        long={"uri": "/*", "host": "*.a.com"},
        named={"uri": "/*", "host": "x.a.com"},
    )
    assert list(found) == ["named", "long", "short", "none"]


def test_whole_paths_come_before_prefixes_and_longer_ones_before_shorter() -> None:
    found = routes(all={"uri": "/*", "priority": 9}, long={"uri": "/a/*"}, whole={"uri": "/a/b"}, short={"uri": "/a*"})
    assert list(found) == ["whole", "long", "short", "all"]


def test_of_the_same_path_priority_decides_and_then_what_asks_more() -> None:
    found = routes(
        plain={"uri": "/a"},
        asks={"uri": "/a", "vars": [["arg_a", "==", "1"]]},
        low={"uri": "/a", "priority": -1, "methods": ["GET"]},
        high={"uri": "/a", "priority": 1},
        later={"uri": "/a"},
    )
    assert list(found) == ["high", "asks", "plain", "later", "low"]


def test_a_route_of_several_ranks_hangs_in_several_places() -> None:
    found = routes(
        r={"uris": ["/a", "/b", "/c/*"], "hosts": ["x.com", "*.x.com"]}, other={"uri": "/c/d", "host": "x.com"}
    )
    assert list(found) == ["r", "other", "r#2", "r#3", "r#4"]
    assert (found["r"]["paths"], found["r"]["hosts"]) == (["/a", "/b"], ["x.com"])
    assert (found["r#4"]["match"], found["r#4"]["hosts"]) == ({"path_prefix": ["/c/"]}, ["*.x.com"])


def test_any_host_among_the_hosts_is_every_host() -> None:
    assert "hosts" not in route_of({"uri": "/a", "hosts": ["x.com", "*"]})


def test_methods_that_are_not_served_are_left_out() -> None:
    assert route_of({"uri": "/a", "methods": ["GET", "TRACE"]})["methods"] == ["GET"]
    found = routes(a={"uri": "/a", "methods": ["CONNECT"]}, b={"uri": "/b"})
    assert list(found) == ["b"]


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ({"uri": "/a", "vars": [["post_arg_a", "==", "1"]]}, "routes/1/vars"),
        ({"uri": "/a", "vars": [["remote_addr", "ipmatch", "x"]]}, "routes/1/vars"),
        (
            {"uri": "/a", "vars": [["remote_addr", "ipmatch", "::1"], ["remote_addr", "ipmatch", "::2"]]},
            "routes/1/vars",
        ),
        ({"uri": "/a", "vars": [["remote_addr", "ipmatch", []]]}, "routes/1/vars"),
        ({"uri": "/a", "remote_addr": "10.0.0.1", "vars": [["remote_addr", "ipmatch", "::1"]]}, "routes/1/vars"),
        ({"uri": "/a", "remote_addrs": ["1.2.3"]}, "routes/1/remote_addrs"),
        ({"uri": "/a", "filter_func": "function() end"}, "routes/1/filter_func"),
        ({"uri": "/a", "script": "return true"}, "routes/1/script"),
        ({"uri": "/a", "plugins": {"x": {}}}, "routes/1/plugins/x"),
        (
            {"uri": "/a", "plugins": {"key-auth": {"_meta": {"filter": [["x", "==", 1]]}}}},
            "routes/1/plugins/key-auth/_meta/filter",
        ),
        ({"uri": "/a", "upstream": {**NODES, "scheme": "grpc"}}, "routes/1/upstream/scheme"),
    ],
)
def test_a_route_that_is_not_understood_answers_nothing_but_503(route: dict[str, Any], place: str) -> None:
    places, made = refused(route)
    assert places == [place]
    assert (made["auth"], made["respond"]["status"]) == ("none", 503)
    assert made["paths"] == ["/a"]
    assert "when" not in made.get("match", {})


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ({"uri": "/a*b"}, "routes/1/uri"),
        ({"uris": ["/a", "b"]}, "routes/1/uris"),
        ({"uri": "/a/../b"}, "routes/1/uri"),
        ({"uri": "/a", "host": "*a.com"}, "routes/1/hosts"),
        ({"uri": "/a", "hosts": ["a.com:80", "b.com"]}, "routes/1/hosts"),
    ],
)
def test_hosts_and_paths_that_cannot_be_matched_are_refused(route: dict[str, Any], place: str) -> None:
    objects: Objects = {"routes": {"1": {"upstream": NODES, **route}}}
    loaded(objects)
    found = translation(objects)
    assert [note.place for note in found.notes if note.meaning is Meaning.REFUSED] == [place]
    assert all(made["respond"]["status"] in (404, 503) for made in found.document["routes"].values())


def test_more_filters_than_can_be_had_are_refused() -> None:
    plugins = {
        name: {**conf, "_meta": {"filter": [["arg_a", "==", "1"]]}}
        for name, conf in {
            "jwt-auth": {},
            "key-auth": {},
            "limit-count": {"count": 1, "time_window": 1},
            "proxy-rewrite": {"uri": "/x"},
        }.items()
    }
    assert refused({"uri": "/a", "plugins": plugins})[0] == ["routes/1/plugins"]


def test_a_plugin_with_a_filter_runs_where_it_holds_or_cannot_be_told() -> None:
    plugins = {"key-auth": {"_meta": {"filter": [["arg_a", "==", "1"]]}}}
    found = routes(r={"uri": "/a", "plugins": plugins})
    assert [route["auth"] for route in found.values()] == ["required", "none", "required"]
    when = "('a' in request.query && request.query['a'] == '1')"
    assert [route.get("match") for route in found.values()] == [{"when": f"({when})"}, {"when": f"(!({when}))"}, None]


def test_a_route_without_anywhere_to_go_answers_503_after_its_checks() -> None:
    objects = {"routes": {"1": {"uri": "/a", "plugins": {"jwt-auth": {}}}}}
    loaded(objects)
    route = translation(objects).document["routes"]["1"]
    assert (route["auth"], route["respond"]["status"]) == ("required", 503)
    assert route_of({"uri": "/a", "upstream": {"nodes": {"a": 0}}})["respond"]["status"] == 503


def test_upstreams_are_shared_unless_a_route_says_more() -> None:
    objects: Objects = {
        "upstreams": {"u": NODES},
        "routes": {
            "1": {"uri": "/a", "upstream_id": "u"},
            "2": {"uri": "/b", "upstream_id": "u"},
            "3": {"uri": "/c", "upstream_id": "u", "timeout": {"connect": 1, "send": 1, "read": 1}},
        },
    }
    loaded(objects)
    document = translation(objects).document
    assert [document["routes"][name]["upstream"] for name in "123"] == [
        "upstreams/u",
        "upstreams/u",
        "routes/3/upstream",
    ]
    assert document["upstreams"]["routes/3/upstream"]["connect_seconds"] == 1.0


def test_upstreams_that_are_the_same_share_their_connections() -> None:
    found = routes(a={"uri": "/a"}, b={"uri": "/b"}, c={"uri": "/c", "upstream": {**NODES, "retries": 1}})
    assert [route["upstream"] for route in found.values()] == [
        *("routes/a/upstream", "routes/a/upstream", "routes/c/upstream"),
    ]


def test_a_web_socket_may_be_opened_where_the_route_says_so() -> None:
    assert route_of({"uri": "/a", "enable_websocket": True})["upgrade"] == "websocket"
    assert "upgrade" not in route_of({"uri": "/a"})


def test_plugins_act_on_the_route() -> None:
    plugins = {
        "limit-count": {"count": 1, "time_window": 2},
        "proxy-rewrite": {"uri": "/x"},
        "response-rewrite": {"headers": {"set": {"X-A": "1"}}},
    }
    route = route_of({"uri": "/a", "plugins": plugins})
    assert route["rate_limit"]["requests"] == 1
    assert route["rewrite"] == {"path": "/x"}
    assert route["response_headers"] == {"set": {"X-A": "1"}}


def test_nothing_is_rewritten_beside_public_api() -> None:
    plugins = {"public-api": {}, "proxy-rewrite": {"uri": "/x"}}
    objects = {"routes": {"1": {"uri": "/a", "plugins": plugins}}}
    loaded(objects)
    note = note_at("routes/1/plugins/proxy-rewrite", objects)
    assert note is not None
    assert note.meaning is Meaning.CHANGED


def test_an_upstream_that_sees_another_host_for_some_requests_is_two() -> None:
    rewrite = {"host": "b.example", "_meta": {"filter": [["arg_a", "==", "1"]]}}
    objects: Objects = {"routes": {"1": {"uri": "/a", "upstream": NODES, "plugins": {"proxy-rewrite": rewrite}}}}
    document = translation(objects).document
    seen = [document["upstreams"][route["upstream"]].get("host") for route in document["routes"].values()]
    assert seen == ["b.example", None, "b.example"]
