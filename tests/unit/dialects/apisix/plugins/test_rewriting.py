"""`proxy-rewrite` and `response-rewrite` as changes of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import refused, route_of, translation

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.plugins.rewriting import proxy_rewrite, response_rewrite

PLACE = ("routes", "1", "plugins", "proxy-rewrite")


def rewritten(conf: dict[str, Any]) -> dict[str, Any]:
    """What a route says that the gateway takes."""
    return route_of({"uri": "/a/*", "plugins": {"proxy-rewrite": conf}})


def not_had(conf: dict[str, Any]) -> list[str]:
    noting = Noting()
    proxy_rewrite(conf, noting, PLACE)
    return [place.removeprefix("/".join(PLACE) + "/") for place in refused(noting)]


@pytest.mark.parametrize(
    ("conf", "rewrite"),
    [
        ({"uri": "/new path"}, {"path": "/new%20path"}),
        ({"regex_uri": ["^/a/(.*)/(.*)", "/$2/${1}"]}, {"pattern": "^/a/(.*)/(.*)", "replacement": r"/\2/\1"}),
        ({"uri": "/x", "regex_uri": ["a", "b"]}, {"path": "/x"}),
        ({"method": "POST"}, {"method": "POST"}),
    ],
)
def test_path_and_method_are_changed(conf: dict[str, Any], rewrite: dict[str, str]) -> None:
    assert rewritten(conf)["rewrite"] == rewrite


def test_the_upstream_sees_another_host() -> None:
    plugins = {"proxy-rewrite": {"host": "x.com"}}
    objects = {"routes": {"1": {"uri": "/a", "plugins": plugins, "upstream": {"nodes": {"a:80": 1}}}}}
    document = translation(objects).document
    assert document["upstreams"][document["routes"]["1"]["upstream"]]["host"] == "x.com"
    assert proxy_rewrite({"headers": {"set": {"Host": "y.com"}}}, Noting(), PLACE) == ({}, "y.com")


def test_fields_are_set_added_and_removed() -> None:
    conf = {"headers": {"set": {"X-A": "1", "X-N": 2}, "add": {"X-B": "b"}, "remove": ["X-C"]}}
    assert rewritten(conf)["request_headers"] == {
        "set": {"X-A": "1", "X-N": "2"},
        "add": {"X-B": "b"},
        "remove": ["X-C"],
    }


def test_the_old_form_sets_and_an_empty_value_removes() -> None:
    assert rewritten({"headers": {"X-A": "1", "X-B": ""}})["request_headers"] == {
        "set": {"X-A": "1"},
        "remove": ["X-B"],
    }


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        ("$remote_addr", {"cel": "request.client"}),
        ("a-$host", {"cel": "'a-' + request.host"}),
        ("$consumer_name", {"consumer": "name"}),
        ("costs 5$", "costs 5$"),
    ],
)
def test_variables_become_values(value: str, ours: Any) -> None:
    fields, _ = proxy_rewrite({"headers": {"set": {"X-A": value}}}, Noting(), PLACE)
    assert fields["request_headers"]["set"]["X-A"] == ours


@pytest.mark.parametrize(
    ("conf", "places"),
    [
        ({"uri": "/a?b"}, ["uri"]),
        ({"uri": "/a/$host"}, ["uri"]),
        ({"regex_uri": ["a", "b", "c", "d"]}, ["regex_uri"]),
        ({"regex_uri": ["(?=a)", "b"]}, ["regex_uri"]),
        ({"use_real_request_uri_unsafe": True}, ["use_real_request_uri_unsafe"]),
        ({"headers": {"set": {"X-A": "$1"}}}, ["headers/X-A"]),
        ({"headers": {"set": {"X-A": "$server_port"}}}, ["headers/X-A"]),
        ({"headers": {"set": {"X-Forwarded-For": "1"}}}, ["headers/X-Forwarded-For"]),
        ({"headers": {"remove": ["Connection"]}}, ["headers/Connection"]),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(conf: dict[str, Any], places: list[str]) -> None:
    assert not_had(conf) == places


def test_fields_of_answers_are_changed() -> None:
    conf = {"headers": {"set": {"X-A": "1"}, "add": ["X-B: 2", "X-C:3"], "remove": ["X-D"]}}
    assert route_of({"uri": "/a", "plugins": {"response-rewrite": conf}})["response_headers"] == {
        "set": {"X-A": "1"},
        "add": {"X-B": "2", "X-C": "3"},
        "remove": ["X-D"],
    }


def test_an_answer_keeps_its_status_and_body() -> None:
    noting = Noting()
    assert response_rewrite({"body": "x", "status_code": 200}, noting, PLACE) == {}
    assert len(refused(noting)) == 2
