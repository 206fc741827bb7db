"""What becomes of a request and its answer on the way: path, method, header fields, target, attempts."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from .rig import (
    Client,
    Gateway,
    Message,
    Served,
    Upstream,
    document,
    gateway_and_upstream,
    request,
    response,
    say,
    say_and_close,
    token,
    until,
)

OPEN = {"auth": "none", "upstream": "echo"}
ROUTES = {
    "stripped": {**OPEN, "match": {"path_prefix": "/demo"}, "rewrite": {"strip_matched_prefix": True}},
    "moved": {**OPEN, "path": "/old/*", "rewrite": {"strip_matched_prefix": True, "add_prefix": "/new"}},
    "replaced": {
        **OPEN,
        "match": {"path_prefix": "/iresty"},
        "rewrite": {"pattern": "^/iresty/(.*)$", "replacement": r"/\1"},
    },
    "fixed": {**OPEN, "path": "/fixed", "rewrite": {"path": "/elsewhere", "method": "POST"}},
    "edited": {
        **OPEN,
        "path": "/edited",
        "request_headers": {
            "set": {"X-Set": "ours", "X-Path": {"request": "path"}},
            "add": {"X-Added": "ours"},
            "remove": ["X-Gone", "Cookie", "Authorization"],
        },
        "response_headers": {"set": {"X-Set": "ours"}, "add": {"Set-Cookie": "b=2"}, "remove": ["X-Gone", "Server"]},
    },
    "told": {
        "auth": "required",
        "issuers": ["main"],
        "path": "/told/*",
        "upstream": "told",
        "rewrite": {"strip_matched_prefix": True},
        "request_headers": {"set": {"X-Sub": {"claim": "sub"}, "X-User-Id": "nobody"}},
        "response_headers": {"set": {"X-For": {"claim": "sub"}, "Cache-Control": "no-cache"}},
    },
}
TOLD = {"host": "orders.internal:81", "x_real_ip": True, "forwarded_port": True, "forwarded_path": True}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with Upstream() as upstream:
        upstreams = {"told": {"targets": {"url": upstream.url, "weight": 2}, **TOLD}}
        with Gateway(document(upstream.url, routing="listed", routes=ROUTES, upstreams=upstreams)) as gateway:
            yield gateway, upstream


@pytest.fixture
def gateway(both: tuple[Gateway, Upstream]) -> Gateway:
    return both[0]


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Iterator[Upstream]:
    both[1].forget()
    yield both[1]
    both[1].script = say(response())


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with Client(gateway.port) as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("/demo", "/"),
        ("/demo/", "/"),
        ("/demo/x?a=%2F..", "/x?a=%2F.."),
        ("/demo/demo", "/demo"),
        ("/demolition", "/lition"),
        ("/old/", "/new/"),
        ("/old/x/y", "/new/x/y"),
        ("/iresty/x?a=b", "/x?a=b"),
        ("/iresty/x%3Fy", "/x%3Fy"),
        ("/irestyx", "/irestyx"),
    ],
)
def test_the_upstream_is_asked_for_what_is_left_and_the_query_stays(
    client: Client, upstream: Upstream, asked: str, sent: str
) -> None:
    for count in (1, 2):
        assert client.ask(request(asked)).status == 200
        assert [each.start.decode() for each in upstream.requests] == [f"GET {sent} HTTP/1.1"] * count


@pytest.mark.parametrize("path", ["/demo..", "/demo../x", "/demo.", "/iresty//x", "/iresty/..%2Fx"])
def test_sec_110_what_could_be_read_in_two_ways_afterwards_is_refused(
    client: Client, gateway: Gateway, upstream: Upstream, path: str
) -> None:
    line = gateway.line_of(client.ask(request(path)))
    assert (line["status"], line["reason"]) == (400, "path_not_canonical")
    assert upstream.requests == []


def test_a_method_may_be_another_for_the_upstream_but_head_stays_head(client: Client, upstream: Upstream) -> None:
    client.ask(request("/fixed?a=b"))
    client.ask(request("/fixed", method="HEAD"))
    assert [each.start for each in upstream.requests] == [b"POST /elsewhere?a=b HTTP/1.1", b"HEAD /elsewhere HTTP/1.1"]


def test_a_request_made_a_post_is_not_tried_again(client: Client, upstream: Upstream) -> None:
    upstream.play(lambda served, _: served.reset())
    assert client.ask(request("/fixed")).status == 502
    assert len(upstream.requests) == 1


def test_fields_of_a_request_are_set_added_and_removed(client: Client, upstream: Upstream) -> None:
    sent = ("X-Set: mine", "X-ADDED: mine", "X-Gone: mine", "Cookie: a=1", "X-Kept: mine")
    client.ask(request("/edited", *sent, bearer="mine"))
    received = upstream.one_request()
    assert received.values("X-Set") == ["ours"]
    assert received.values("X-Path") == ["/edited"]
    assert sorted(received.values("X-Added")) == ["mine", "ours"]
    assert received.values("X-Kept") == ["mine"]
    assert [received.values(name) for name in ("X-Gone", "Cookie", "Authorization")] == [[], [], []]


def test_fields_of_an_answer_are_set_added_and_removed(client: Client, upstream: Upstream) -> None:
    upstream.script = say(response(b"ok", "X-Set: theirs", "Set-Cookie: a=1", "x-gone: theirs", "Server: theirs"))
    for _ in range(2):
        answer = client.ask(request("/edited"))
        assert answer.values("X-Set") == ["ours"]
        assert answer.values("Set-Cookie") == ["a=1", "b=2"]
        assert [answer.values(name) for name in ("X-Gone", "Server")] == [[], []]
    assert client.ask(request()).values("X-Gone") == ["theirs"]


def test_what_is_remembered_of_a_caller_is_all_that_is_said_of_it(
    client: Client, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.script = say(response(b"ok", "Cache-Control: private, max-age=9"))
    tokens = {name: token(sub=name) for name in ("ann", "bob")}
    for name in ("ann", "bob", "ann", "bob"):
        upstream.forget()
        answer = client.ask(request("/told/x", "X-Sub: me", "X-Real-IP: 9.9.9.9", bearer=tokens[name]))
        assert answer.value("X-For") == name
        assert answer.values("Cache-Control") == ["private", "no-cache"]
        received = upstream.one_request()
        assert received.start == b"GET /x HTTP/1.1"
        assert (received.value("X-Sub"), received.value("Authorization")) == (name, None)
        assert received.values("Host") == ["orders.internal:81"]
        assert received.values("X-Real-IP") == ["127.0.0.1"]
        assert received.values("X-Forwarded-Port") == [str(gateway.port)]
        assert received.values("X-Forwarded-Path") == ["/told/x"]
        assert received.values("X-Forwarded-Prefix") == ["/told"]
    assert gateway.call(lambda: gateway.embedded.worker.counters.remembered_hits) >= 2


def test_who_is_a_trusted_proxy_has_its_word_on_the_client() -> None:
    upstreams = {"echo": TOLD}
    with gateway_and_upstream(upstreams=upstreams, trusted_proxies=["127.0.0.0/8"]) as (gateway, upstream):
        with Client(gateway.port) as client:
            client.ask(request("/open/a", "X-Real-Ip: 9.9.9.9", "X-Forwarded-Path: /before"))
        received = upstream.one_request()
        assert received.values("X-Real-IP") == ["9.9.9.9"]
        assert received.values("X-Forwarded-Path") == ["/before"]
        assert received.values("X-Forwarded-Port") == [str(gateway.port)]


def test_targets_are_asked_as_often_as_they_weigh() -> None:
    with Upstream() as one, Upstream() as two, Upstream() as none:
        targets = [
            {"url": one.url, "weight": 3},
            two.url,
            {"url": none.url, "weight": 0},
        ]
        with Gateway(document([], upstreams={"echo": {"targets": targets}})) as gateway, Client(gateway.port) as client:
            for _ in range(8):
                assert client.ask(request()).status == 200
            assert Counter(one=len(one.requests), two=len(two.requests)) == {"one": 6, "two": 2}
            assert none.connections == []


@pytest.mark.parametrize(("retries", "status"), [(0, 502), (1, 502), (2, 200)])
def test_rel_13_as_many_other_targets_are_tried_as_the_document_says(retries: int, status: int) -> None:
    with Upstream() as up, socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        down = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
        one.close()
        two.close()
        upstreams = {"echo": {"targets": [*down, up.url], "retries": retries}}
        with Gateway(document([], upstreams=upstreams)) as gateway, Client(gateway.port) as client:
            assert client.ask(request()).status == status
            assert (
                gateway.call(lambda: gateway.embedded.worker.generation.upstreams.rosters["echo"].budget.made)
                == retries
            )


@pytest.mark.parametrize(("retries", "status"), [(0, 502), (1, 502), (3, 200)])
def test_rel_12_a_request_is_repeated_as_often_as_the_document_says(retries: int, status: int) -> None:
    def ends(served: Served, _: Message) -> None:
        served.close()

    with gateway_and_upstream(upstreams={"echo": {"retries": retries}}) as (gateway, upstream):
        upstream.play(ends, ends)
        with Client(gateway.port) as client:
            assert client.ask(request()).status == status
        assert len(upstream.requests) == min(retries, 2) + 1


def test_a_socket_is_edited_like_any_answer() -> None:
    switch = b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX-Gone: 1\r\n\r\n"
    edits = {"upgrade": "websocket", "response_headers": {"set": {"X-Set": "ours"}, "remove": ["X-Gone"]}}
    with gateway_and_upstream(routes={"open": edits}) as (gateway, upstream):
        upstream.script = say_and_close(switch)
        with Client(gateway.port) as client:
            answer = client.ask(request("/open/a", "Connection: upgrade", "Upgrade: websocket"))
            assert (answer.status, answer.value("X-Set"), answer.value("X-Gone")) == (101, "ours", None)
        until(lambda: upstream.requests)
