from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import ROUTE, UPSTREAM, plan, refusal, request

from jwtgate.errors import RouteUnknown
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.rooms.match import Router, match, path_parameters


def router(*entries: str) -> Router:
    """A table from entries like `GET,POST a.example,*.b.example /path`; `-` for every method or host."""
    table = Router()
    for entry in entries:
        methods, hosts, path = entry.split(" ")
        assert add(table, entry, path, methods, hosts) is None
    return table


def add(table: Router, name: str, path: str, methods: str = "-", hosts: str = "-") -> str | None:
    split = [() if names == "-" else tuple(names.split(",")) for names in (methods, hosts)]
    taken = table.add(Route(name, UPSTREAM), path, methods=split[0], hosts=split[1])
    return taken.name if taken else None


def found(table: Router, path: str, method: str = "GET", host: str = "a.example") -> str | None:
    route = table.find(method, host, path)
    return route.name if route else None


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/{x}", "/a"),
        ("/{x}/b", "/a/b"),
        ("/*", "/"),
        ("/*", "/a/b/c"),
        ("/a/*", "/a/"),
        ("/a/*", "/a/b/c"),
        ("/a/{x}/*", "/a/b/"),
        ("/a//b", "/a//b"),
        ("/*/a", "/*/a"),
    ],
)
def test_a_template_takes_the_paths_it_describes(template: str, path: str) -> None:
    assert found(router(f"- - {template}"), path)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/health", "/healthz"),
        ("/health", "/health/"),
        ("/health", "/health/x"),
        ("/health", "/Health"),
        ("/health", "/"),
        ("/a/*", "/a"),
        ("/a/*", "/ab"),
        ("/{x}", "/"),
        ("/{x}", "/a/b"),
        ("/{x}/b", "//b"),
        ("/a/{x}", "/a/"),
    ],
)
def test_sec_111_a_template_takes_no_other_path(template: str, path: str) -> None:
    assert found(router(f"- - {template}"), path) is None


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/a/b", "/a/b"),
        ("/a/c", "/a/{x}"),
        ("/a/c/d", "/a/*"),
        ("/a/b/d", "/a/b/*"),
        ("/x/b", "/{x}/b"),
        ("/x/c", "/*"),
        ("/a/b/", "/a/b/*"),
        ("/a/", "/a/*"),
    ],
)
def test_literal_beats_parameter_beats_everything_below(path: str, template: str) -> None:
    templates = ["/*", "/{x}/b", "/a/*", "/a/{x}", "/a/b", "/a/b/*"]
    for order in (templates, templates[::-1]):
        table = Router()
        for each in order:
            add(table, each, each)
        assert found(table, path) == template


def test_a_search_that_ends_nowhere_goes_back_to_the_next_best() -> None:
    table = router("- - /a/b/c", "- - /a/{x}/d", "- - /{x}/b/e")
    assert found(table, "/a/b/d") == "- - /a/{x}/d"
    assert found(table, "/a/b/e") == "- - /{x}/b/e"
    assert found(table, "/a/b/f") is None


def test_sec_111_a_named_method_is_part_of_the_match() -> None:
    table = router("GET,HEAD - /a", "PUT - /a", "- - /b", "GET - /b")
    assert found(table, "/a", "HEAD") == "GET,HEAD - /a"
    assert found(table, "/a", "PUT") == "PUT - /a"
    assert found(table, "/a", "DELETE") is None
    assert found(table, "/b", "GET") == "GET - /b"
    assert found(table, "/b", "DELETE") == "- - /b"


def test_a_method_nobody_named_goes_to_the_next_best_path() -> None:
    table = router("GET - /a/b", "- - /a/*")
    assert found(table, "/a/b", "POST") == "- - /a/*"
    assert found(router("GET - /a/*", "- - /*"), "/a/b", "POST") == "- - /*"


def test_a_named_host_beats_a_suffix_beats_every_host() -> None:
    table = router("- a.b.example /x", "- *.b.example /x", "- *.example /x", "- - /x")
    assert found(table, "/x", host="a.b.example") == "- a.b.example /x"
    assert found(table, "/x", host="c.b.example") == "- *.b.example /x"
    assert found(table, "/x", host="d.c.b.example") == "- *.b.example /x"
    assert found(table, "/x", host="b.example") == "- *.example /x"
    assert found(table, "/x", host="example") == "- - /x"
    assert found(table, "/x", host="") == "- - /x"


@pytest.mark.parametrize("host", ["example", "xb.example", "b.example.", "b.example.org", "c.example"])
def test_sec_111_no_other_host_is_taken(host: str) -> None:
    assert found(router("- *.b.example,b.example /x"), "/x", host=host) is None


def test_a_host_without_the_path_leaves_it_to_the_next_best_host() -> None:
    table = router("- a.example /x", "- *.example /y", "- - /z")
    assert [found(table, path) for path in ("/x", "/y", "/z", "/w")] == [
        "- a.example /x",
        "- *.example /y",
        "- - /z",
        None,
    ]


def test_a_host_longer_than_names_can_be_is_nobody() -> None:
    table = router("- *.example /x", "- - /y")
    assert found(table, "/x", host="a" * 245 + ".example") == "- *.example /x"
    assert found(table, "/x", host="a" * 246 + ".example") is None
    assert found(table, "/y", host="." * 100_000) == "- - /y"


def test_a_second_route_for_the_same_requests_is_told_of_the_first() -> None:
    table = router("- - /a/{x}")
    assert add(table, "again", "/a/{x}") == "- - /a/{x}"
    assert add(table, "again", "/a/{y}") == "- - /a/{x}"


def test_routes_that_differ_in_method_host_or_place_are_no_duplicates() -> None:
    table = router("- - /a", "GET - /a", "- a.example /a", "- *.a.example /a", "- - /a/", "- - /a/*", "- - /a/{x}")
    assert add(table, "again", "/a", "GET") == "GET - /a"
    assert add(table, "again", "/a", "POST,GET") == "GET - /a"
    assert add(table, "again", "/a", hosts="b.example,a.example") == "- a.example /a"
    assert add(table, "again", "/a/*") == "- - /a/*"


def test_one_route_may_hang_twice_at_one_place() -> None:
    table = Router()
    for _ in range(2):
        assert table.add(ROUTE, "/a", methods=("GET",), hosts=()) is None


def test_a_hundred_thousand_routes_are_told_apart() -> None:
    table = Router()
    for number in range(100_000):
        add(table, str(number), f"/t{number % 100}/s{number}/*")
    assert [found(table, f"/t{number % 100}/s{number}/x") for number in (0, 77_777, 99_999)] == ["0", "77777", "99999"]
    assert found(table, "/t1/s2/x") is None


def guarded(**changes: Any) -> Plan:
    """`/admin/*` and `/admin` ask for a token, everything else asks for nothing, but for what is changed."""
    open_route, admin = replace(Route("rest", UPSTREAM), **changes), replace(ROUTE, name="admin")
    table = Router()
    for route, path in ((open_route, "/*"), (admin, "/admin/*"), (admin, "/admin")):
        table.add(route, path, methods=(), hosts=())
    return replace(plan(), router=table, routes=(open_route, admin))


OTHER_READINGS = ["/admin%2Fx", "//admin/x", "/admin;a=b/x", "/admin;a", "/admin%3Ba/x", "/admin%3Fa"]
OTHER_READINGS += [
    "/admin%23a",
    "/%2Fadmin;a%2Fx",
    "/admin%EF%BC%8Fx",
    "/admin%EF%BC%BCx",
    "//admin%2Fx;a/b",
    "/;a/admin/x",
]


@pytest.mark.parametrize("path", OTHER_READINGS)
def test_sec_110_no_other_reading_of_a_path_leads_past_what_is_asked_there(path: str) -> None:
    error = refusal(lambda: match(guarded(), request(path=path)))
    assert (error.reason, error.status) == ("path_not_canonical", 400)


@pytest.mark.parametrize("path", OTHER_READINGS)
def test_sec_110_another_reading_that_asks_for_the_same_or_nothing_is_no_harm(path: str) -> None:
    assert match(guarded(slots=ROUTE.slots, permission=ROUTE.permission), request(path=path))
    away = path.replace("admin", "public")
    assert match(guarded(), request(path=away)).name == "rest"


@pytest.mark.parametrize("path", ["/admin%2Dx", "/administrator;a", "/adminx%2Fx", "/x%2Fadmin", "/caf%C3%A9;a"])
def test_sec_110_what_reads_as_another_open_path_passes(path: str) -> None:
    assert match(guarded(), request(path=path)).name == "rest"


def test_a_request_without_a_route_is_refused() -> None:
    assert match(plan(), request()) is ROUTE
    error = refusal(lambda: match(plan(), request(path="/other")))
    assert isinstance(error, RouteUnknown)
    assert (error.reason, error.status) == ("route_unknown", 404)


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/x/b", {"id": "b"}),
        ("/y/b", {"id": "y"}),
        ("/x/b/c", {"id": "b"}),
        ("/z/b/c", {}),
        ("/x/", {}),
        ("/", {}),
    ],
)
def test_parameters_are_those_of_the_template_the_request_is_routed_by(path: str, held: dict[str, str]) -> None:
    templates = ["/{id}/b", "/x/{id}", "/x/{id}/*", "/z/*", "/{id}/b/none"]
    for order in (templates, templates[::-1]):
        assert path_parameters(order, path) == held
