"""Routes in a listed order: the first that takes a request has it, whatever it asks for besides host and path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .rig import Client, Gateway, Upstream, document, request, token

OPEN = {"auth": "none", "upstream": "echo"}


def said(name: str, **match: object) -> dict[str, object]:
    """A route that answers with its name."""
    return {"auth": "none", "respond": {"body": name}, **match}


ROUTES = {
    "orders": None,
    "open": None,
    "by-cookie": said("by-cookie", match={"path_prefix": "/shop", "when": "request.cookies.beta == '1'"}),
    "by-query": said("by-query", match={"path_prefix": "/shop", "when": "request.query.beta == '1'"}),
    "by-field": said("by-field", path="/shop/*", match={"headers": {"X-Version": ["v1", "v2"], "X-Beta": "yes"}}),
    "by-client": said("by-client", match={"path_prefix": "/shop", "clients": ["10.0.0.0/8"]}),
    "by-scheme": said("by-scheme", match={"path_prefix": "/shop", "schemes": "https"}),
    "posted": said("posted", match={"path_prefix": "/shop"}, methods="POST"),
    "numbers": said("numbers", match={"path_pattern": r"^/shop/\d+$"}),
    "any-tld": said("any-tld", path="/shop/name", hosts="shop.*"),
    "one": said("one", path="/shop/{name}", hosts="*.example"),
    "shop": said("shop", match={"path_prefix": ["/shop", "/other"]}),
    "guarded": {"path": "/orders/*", "auth": "required", "issuers": ["main"], "respond": {"status": 418}},
    "moved": {
        "path": "/moved/*",
        "auth": "none",
        "respond": {"status": 302, "headers": {"Location": {"cel": "'https://' + request.host + request.path"}}},
    },
    "rest": said("rest", hosts="rest.example"),
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    answers = {"route_unknown": {"status": 410, "body": {"refusal": "reason"}}, "refusal": {"headers": {"X-No": "1"}}}
    changes = {"routing": "listed", "routes": ROUTES, "answers": answers, "signing": None}
    with Upstream() as upstream, Gateway(document(upstream.url, **changes)) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with Client(gateway.port) as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (request("/shop/7"), "numbers"),
        (request("/shop/7x"), "one"),
        (request("/shop/7", host="elsewhere.test"), "numbers"),
        (request("/shop/x", host="elsewhere.test"), "shop"),
        (request("/shopping"), "shop"),
        (request("/other/7"), "shop"),
        (request("/shop/name", host="shop.test"), "any-tld"),
        (request("/shop/name", host="shop.co.test"), "any-tld"),
        (request("/shop/name", host="shop"), "shop"),
        (request("/shop/7", "Cookie: a=b; beta=1"), "by-cookie"),
        (request("/shop/7?beta=1"), "by-query"),
        (request("/shop/7", "X-Version: V2", "X-Beta: yes"), "by-field"),
        (request("/shop/7", "X-Version: v3", "X-Version: v1", "X-Beta: yes"), "by-field"),
        (request("/shop/7", "X-Version: v3", "X-Beta: yes"), "numbers"),
        (request("/shop/7", "X-Version: v1"), "numbers"),
        (request("/shop/7", method="POST", body=b""), "posted"),
        (request("/anything/at/all", host="rest.example"), "rest"),
    ],
)
def test_the_first_route_that_takes_a_request_has_it(client: Client, asked: bytes, taken: str) -> None:
    # Twice on one connection: the fields of the second are known already.
    for _ in range(2):
        answer = client.ask(asked)
        assert (answer.status, answer.body.decode()) == (200, taken)


@pytest.mark.parametrize(
    "asked", [request("/shop/7", "Cookie: beta=1; beta=1"), request("/shop/7?beta=1&beta=1")], ids=["cookie", "query"]
)
def test_sec_50_sending_something_twice_chooses_no_other_route(client: Client, asked: bytes) -> None:
    assert client.ask(asked).status == 403


def test_a_request_no_route_takes_is_answered_as_the_document_says(client: Client) -> None:
    answer = client.ask(request("/nowhere"))
    assert (answer.status, answer.body, answer.value("X-No")) == (410, b"route_unknown", None)


@pytest.mark.parametrize("path", ["/shop//7", "/shop/%2F7", "/shop/../orders/7", "/shop/..%2Forders", "/orders;/7"])
def test_sec_110_a_path_with_two_readings_is_found_by_no_route(client: Client, path: str) -> None:
    answer = client.ask(request(path))
    assert answer.status in (400, 401)
    assert answer.value("X-No") == "1"


def test_a_head_that_cannot_be_read_is_answered_as_the_document_says(client: Client) -> None:
    answer = client.ask(b"GET /shop/7 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
    assert (answer.status, answer.value("X-No")) == (400, "1")
    assert client.ended()


def test_an_answer_of_ours_is_for_who_may_use_the_route(client: Client) -> None:
    refused = client.ask(request("/orders/1"))
    assert (refused.status, refused.value("X-No")) == (401, "1")
    told = client.ask(request("/orders/1", bearer=token()))
    assert (told.status, told.value("Cache-Control")) == (418, "private")
    assert client.ask(request("/shop/x", host="elsewhere.test")).value("Cache-Control") is None
    assert client.ask(request("/orders/1", bearer=token(), method="HEAD")).body == b""


def test_sec_50_no_request_is_so_large_that_a_route_is_passed_over() -> None:
    when = "request.path.startsWith('/admin') || request.headers['x-mode'].matches('^adm')"
    routes = {
        "orders": None,
        "open": None,
        "guarded": {"match": {"when": when}, "auth": "required", "issuers": ["main"], "upstream": "echo"},
        "rest": OPEN,
    }
    with Upstream() as upstream:
        whole = document(upstream.url, routing="listed", signing=None, routes=routes)
        with Gateway(whole) as gateway, Client(gateway.port) as client:
            asked = [request("/admin"), request("/admin", f"X-Mode: {'a' * 45_000}"), request("/a", "X-Mode: b")]
            assert [client.ask(each).status for each in asked] == [401, 403, 200]
    assert [each.start for each in upstream.requests] == [b"GET /a HTTP/1.1"]


def test_an_answer_of_ours_may_say_something_of_the_request(client: Client) -> None:
    answer = client.ask(request("/moved/a%20b?c=d"))
    assert (answer.status, answer.value("Location")) == (302, "https://gate.example/moved/a%20b")
