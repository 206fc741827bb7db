from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.kong.kong_yml import not_exact, refused, translate


def table(*routes: dict[str, Any]) -> dict[str, Any]:
    services = [{"name": "s", "url": "http://127.0.0.1:9"}]
    return {
        "services": services,
        "routes": [{"service": "s", "name": f"r{n}", **each} for n, each in enumerate(routes)],
    }


def order(*routes: dict[str, Any]) -> list[str]:
    return list(translate(table(*routes)).document["routes"])


def one(**route: Any) -> dict[str, Any]:
    found: dict[str, Any] = translate(table(route)).document["routes"]["r0"]
    return found


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ({"paths": ["/a/long/path"]}, {"paths": ["/a"], "methods": ["GET"]}),
        ({"hosts": ["*.a.b"], "paths": ["/a/long"]}, {"hosts": ["x.a.b"], "paths": ["/a"]}),
        ({"headers": {"a": ["1"]}, "paths": ["/long"]}, {"headers": {"a": ["1"], "b": ["2"]}, "paths": ["/a"]}),
        ({"paths": ["/a/long/path"]}, {"paths": ["~/a"]}),
        ({"paths": ["~/a/long/path"]}, {"paths": ["~/a"], "regex_priority": 1}),
        ({"paths": ["/a"], "regex_priority": 9}, {"paths": ["/a/b"]}),
        ({"paths": ["/a"], "created_at": 9}, {"paths": ["/b"], "created_at": 8}),
    ],
)
def test_the_more_particular_route_is_tried_first(later: dict[str, Any], earlier: dict[str, Any]) -> None:
    assert order(later, earlier) == ["r1", "r0"]
    assert order(earlier, later) == ["r0", "r1"]


def test_a_route_with_paths_of_different_rank_is_several() -> None:
    routes = translate(table({"paths": ["/a", "/b", "/long", "~/e"]}, {"paths": ["/abc"]})).document["routes"]
    assert {name: route["match"] for name, route in routes.items()} == {
        "r0/3": {"path_pattern": ["/e"]},
        "r0/2": {"path_prefix": ["/long"]},
        "r1": {"path_prefix": ["/abc"]},
        "r0": {"path_prefix": ["/a", "/b"]},
    }
    assert list(routes) == ["r0/3", "r0/2", "r1", "r0"]


def test_all_that_a_route_asks_is_asked() -> None:
    route = one(methods=["GET"], hosts=["a.b", "*.c", "d.*"], headers={"x": ["1", "2"]}, paths=["/p"])
    assert (route["methods"], route["hosts"]) == (["GET"], ["a.b", "*.c", "d.*"])
    assert route["match"] == {"headers": {"x": ["1", "2"]}, "path_prefix": ["/p"]}


def test_a_route_for_http_alone_takes_nothing_else() -> None:
    assert one(paths=["/p"], protocols=["http"])["match"]["schemes"] == ["http"]
    assert "schemes" not in one(paths=["/p"])["match"]


def test_the_port_of_a_host_is_not_looked_at() -> None:
    translation = translate(table({"hosts": ["a.b:8000", "a.b"]}))
    assert translation.document["routes"]["r0"]["hosts"] == ["a.b"]
    assert "routes/r0/hosts" in not_exact(translation)


def test_groups_may_have_kongs_names() -> None:
    assert one(paths=["~/a/(?<id>\\d+)$"])["match"]["path_pattern"] == ["/a/(?P<id>\\d+)$"]


@pytest.mark.parametrize(
    ("route", "field", "match"),
    [
        ({"paths": ["~/ab(?=b)"]}, "paths", {"path_prefix": ["/ab"]}),
        ({"paths": ["~/ab*(?=b)", "~/cd{2}efgh"]}, "paths", {"path_prefix": ["/a"]}),
        ({"protocols": ["https"], "paths": ["/a"], "snis": ["a.b"]}, "snis", {"path_prefix": ["/a"]}),
        ({"paths": ["/a"], "sources": [{"ip": "1.1.1.1"}]}, "sources", {"path_prefix": ["/a"]}),
        ({"paths": ["/a"], "methods": ["TRACE", "GET"]}, "methods", {"path_prefix": ["/a"]}),
        ({"paths": ["/a"], "headers": {"x": ["~*a"]}}, "headers", {"path_prefix": ["/a"]}),
        ({"headers": {"x": ["~*a"], "y": ["1"]}}, "headers", {"headers": {"y": ["1"]}}),
    ],
)
def test_what_cannot_be_matched_is_refused_and_answers_503(
    route: dict[str, Any], field: str, match: dict[str, Any]
) -> None:
    translation = translate(table(route))
    assert refused(translation) == {f"routes/r0/{field}"}
    answering = [each for each in translation.document["routes"].values() if each.get("respond")]
    assert [(each["match"], each["auth"], each["respond"]["status"]) for each in answering] == [(match, "none", 503)]


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ({"protocols": ["tcp"], "paths": ["/a"]}, {"/protocols"}),
        ({"protocols": ["https"], "snis": ["a.b"]}, {"", "/snis"}),
        ({"methods": ["TRACE"], "paths": ["/a"]}, {"", "/methods"}),
        ({"headers": {"x": ["~*a"]}}, {"", "/headers"}),
        ({"paths": ["~/(?=b)"]}, {"", "/paths"}),
        ({"paths": ["~/abc|/d(?=b)"]}, {"", "/paths"}),
    ],
)
def test_a_route_nothing_can_be_said_of_is_told_to_be_missing(route: dict[str, Any], fields: set[str]) -> None:
    translation = translate(table(route))
    assert refused(translation) == {f"routes/r0{field}" for field in fields}
    assert any("is missing" in sentence for sentence in not_exact(translation).values())
    assert list(translation.document["routes"]) == ["none"]


def test_a_refused_name_of_tls_still_puts_its_route_before_a_wider_one() -> None:
    assert order({"paths": ["/a/long"]}, {"paths": ["/a"], "protocols": ["https"], "snis": ["a.b"]}) == ["r1", "r0"]


def test_what_is_matched_otherwise_is_told() -> None:
    route = {"paths": ["/a"], "path_handling": "v1", "protocols": ["http", "https", "grpc"]}
    assert not_exact(translate(table(route))).keys() == {"routes/r0/path_handling", "routes/r0/protocols"}
