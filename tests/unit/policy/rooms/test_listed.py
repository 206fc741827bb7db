"""Routes in the order of the document."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network

import pytest
from tests.unit.policy.plans import ROUTE, UPSTREAM, plan, refusal, request

from jwtgate.errors import AccessRefused
from jwtgate.policy.expression import ExpressionAmbiguous, ExpressionFailed, ExpressionTooCostly
from jwtgate.policy.plan import Route
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.listed import Conditions, ListedRouter
from jwtgate.policy.rooms.match import match
from jwtgate.policy.traffic.forwarding import PathForm, form_of


class Says:
    """An expression with this value; of an exception, one that has none."""

    text = "said"

    def __init__(self, value: object) -> None:
        self.value = value
        self.seen: list[Mapping[str, object]] = []

    def __call__(self, variables: Mapping[str, object]) -> object:
        self.seen.append(variables)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def router(*entries: tuple[str, str, Conditions | None] | tuple[str, str]) -> ListedRouter:
    """Routes named by their place, from hosts (`-` for every) and a path: a template, `^` a beginning, `-` any."""
    table = ListedRouter()
    for place, (hosts, path, *conditions) in enumerate(entries):
        forms = () if path == "-" else (PathForm(path[1:]) if path.startswith("^") else form_of(path),)
        asked = conditions[0] if conditions and conditions[0] is not None else Conditions()
        named = () if hosts == "-" else hosts.split(",")
        table.add(Route(str(place), UPSTREAM), forms, hosts=named, conditions=asked)
    return table


def view() -> RequestView:
    raise AssertionError("nobody needs to look")


def found(table: ListedRouter, path: str, host: str = "a.example", method: str = "GET") -> str | None:
    route = table.find(method, host, path, view)
    return route.name if route else None


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a", "0"), ("/a/x", "1"), ("/ab", "2"), ("/a/b/c", "1"), ("/x/y", "3"), ("/x/", "4"), ("/", "4"), ("/b", "4")],
)
def test_the_first_that_takes_a_path_has_it(path: str, name: str) -> None:
    table = router(("-", "/a"), ("-", "/a/*"), ("-", "^/a"), ("-", "/{x}/{y}"), ("-", "-"), ("-", "/b"))
    assert found(table, path) == name


def test_the_order_decides_and_nothing_else() -> None:
    assert found(router(("-", "^/"), ("a.example", "/a")), "/a") == "0"
    assert found(router(("a.example", "/a"), ("-", "^/")), "/a") == "0"
    assert found(router(("-", "^/a"), ("-", "^/a/b")), "/a/b") == "0"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.example", "0"),
        ("b.example", "1"),
        ("c.b.example", "1"),
        ("example", None),
        ("a.test", "2"),
        ("a.co.test", "2"),
        ("a", None),
        ("b.a.test", None),
        ("[::1]", "3"),
        ("", None),
    ],
)
def test_a_host_is_named_or_has_an_open_end(host: str, name: str | None) -> None:
    table = router(("a.example", "-"), ("*.example", "-"), ("a.*", "-"), ("[::1]", "-"))
    assert found(table, "/", host=host) == name


def test_one_host_alone_takes_no_other() -> None:
    assert found(router(("a.example", "-")), "/", host="b.example") is None


def test_a_method_is_one_of_those_named() -> None:
    table = router(("-", "-", Conditions(frozenset({"GET", "PUT"}))), ("-", "^/a"))
    assert found(table, "/a", method="PUT") == "0"
    assert found(table, "/a", method="POST") == "1"
    assert found(table, "/b", method="POST") is None


ASKED = replace(
    request(path="/a"),
    scheme="https",
    port=8443,
    client="10.1.2.3",
    fields=((b"x-version", b"V1"), (b"x-version", b"v9"), (b"cookie", b"a=1; b=2"), (b"cookie", b"b=3")),
)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        (Conditions(schemes=frozenset({"https"})), True),
        (Conditions(schemes=frozenset({"http"})), False),
        (Conditions(ports=frozenset({8080, 8443})), True),
        (Conditions(ports=frozenset({8080})), False),
        (Conditions(clients=(ip_network("10.0.0.0/8"),)), True),
        (Conditions(clients=(ip_network("11.0.0.0/8"), ip_network("::/0"))), False),
        (Conditions(fields=((b"x-version", frozenset({b"v1", b"v2"})),)), True),
        (Conditions(fields=((b"x-version", frozenset({b"v9"})),)), True),
        (Conditions(fields=((b"x-version", frozenset({b"v2"})),)), False),
        (Conditions(fields=((b"x-version", frozenset({b"v1"})), (b"x-beta", frozenset({b""})))), False),
        (Conditions(when=Says(True)), True),
        (Conditions(when=Says(False)), False),
        (Conditions(when=Says("true")), False),
        (Conditions(when=Says(ExpressionFailed("names nothing"))), False),
        (Conditions(schemes=frozenset({"https"}), when=Says(False)), False),
    ],
)
def test_all_that_is_asked_must_be_so(conditions: Conditions, fits: bool) -> None:
    table = router(("-", "^/a", conditions), ("-", "-"))
    route = table.find("GET", "a.example", "/a", lambda: ASKED)
    assert route is not None
    assert (route.name == "0") is fits


@pytest.mark.parametrize("failure", [ExpressionTooCostly("much"), ExpressionAmbiguous("twice")])
def test_sec_50_no_route_is_chosen_by_what_makes_the_question_unanswerable(failure: ExpressionFailed) -> None:
    table = router(("-", "^/a", Conditions(when=Says(failure))), ("-", "-"))
    with pytest.raises(AccessRefused) as refused:
        table.find("GET", "a.example", "/a", lambda: ASKED)
    assert refused.value.reason == "condition_not_met"


@pytest.mark.parametrize(
    ("client", "fits"), [("::ffff:10.1.2.3", True), ("::1", False), ("fe80::1%eth0", True), ("", False)]
)
def test_a_client_is_in_a_network_however_its_address_is_written(client: str, fits: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fe80::/10"))
    table = router(("-", "-", Conditions(clients=networks)))
    assert (table.find("GET", "a", "/", lambda: replace(ASKED, client=client)) is not None) is fits


def test_an_expression_sees_the_request_with_its_cookies_and_no_credential() -> None:
    says = Says(True)
    router(("-", "-", Conditions(when=says))).find(
        "GET", "a", "/", lambda: replace(ASKED, fields=(*ASKED.fields, (b"authorization", b"Bearer x")))
    )
    (seen,) = says.seen
    assert set(seen) == {"request"}
    shown = seen["request"]
    assert isinstance(shown, dict)
    assert (shown["cookies"]["a"], shown["path"], shown["client"]) == ("1", "/a", "10.1.2.3")
    assert shown["cookies"]["b"] not in ("2", "3")
    assert "authorization" not in shown["headers"]


def test_the_request_is_put_together_once() -> None:
    asked = []

    def ask() -> RequestView:
        asked.append(ASKED)
        return ASKED

    entries = [("-", "-", Conditions(when=Says(False))) for _ in range(3)]
    assert router(*entries).find("GET", "a", "/", ask) is None
    assert len(asked) == 1


def test_what_cannot_fit_is_not_looked_at() -> None:
    says = Says(True)
    table = router(*(("-", f"^/{number}/", Conditions(when=says)) for number in range(1000)))
    route = table.find("GET", "a", "/500/x", lambda: ASKED)
    assert route is not None
    assert (route.name, len(says.seen)) == ("500", 1)


def test_it_travels_with_its_routes() -> None:
    table = router(("a.*", "/{x}/b"))
    copy = pickle.loads(pickle.dumps(table))
    assert found(copy, "/a/b", host="a.example") == "0"


def test_a_request_nobody_takes_is_refused() -> None:
    table = ListedRouter()
    table.add(ROUTE, (form_of("/orders"),), hosts=(), conditions=Conditions())
    listed = replace(plan(), router=table)
    assert match(listed, request()) is ROUTE
    assert refusal(lambda: match(listed, request(path="/other"))).reason == "route_unknown"
