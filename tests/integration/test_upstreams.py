"""Upstreams that are slow, break off, go away, or are several (REL-10 to 13)."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from .rig import (
    PATIENCE_SECONDS,
    Client,
    Gateway,
    Message,
    Script,
    Served,
    Upstream,
    chunked,
    document,
    gateway_and_upstream,
    refusal_of,
    request,
    response,
    say,
    say_and_close,
    until,
)

HURRIED = {"echo": {"connect_seconds": 0.4, "first_byte_seconds": 0.4, "idle_seconds": 0.4}}
# For what must not run into them: each pause of a test is far shorter, and all of them together are longer.
BRISK_SECONDS, PAUSE_SECONDS, PAUSES = 1.0, 0.1, 12
BRISK = {"echo": {"first_byte_seconds": BRISK_SECONDS, "idle_seconds": BRISK_SECONDS}}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream() as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Iterator[Upstream]:
    both[1].forget()
    yield both[1]
    both[1].script = say(response())


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    with Client(both[0].port) as client:
        yield client


def nothing(served: Served, _: Message) -> None:
    """Leave the request without an answer until the gateway ends the connection."""
    served.to_end()


def then_nothing(data: bytes) -> Script:
    """Begin an answer, and leave it at that."""

    def script(served: Served, _: Message) -> None:
        served.send(data)
        served.to_end()

    return script


# Time limits.


def test_rel_10_an_upstream_that_takes_no_connection_is_a_504() -> None:
    # A backlog that is full: what is sent to open a connection is never answered.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        with (
            Gateway(document(f"http://127.0.0.1:{port}", upstreams=HURRIED)) as gateway,
            Client(gateway.port) as client,
        ):
            assert refusal_of(client.ask(request())) == (504, "upstream_slow")
            assert gateway.log()[0]["reason"] == "upstream_slow"
        for filler in fillers:
            filler.close()


def test_rel_10_an_upstream_that_never_answers_is_a_504() -> None:
    with gateway_and_upstream(nothing, upstreams=HURRIED) as (gateway, upstream), Client(gateway.port) as client:
        assert refusal_of(client.ask(request())) == (504, "upstream_slow")
        until(lambda: any(served.end for served in upstream.connections if served.requests == upstream.requests))
        upstream.script = say(response())
        assert client.ask(request()).status == 200


def test_rel_10_the_wait_for_an_answer_begins_when_the_request_was_sent() -> None:
    patient = {"echo": {"connect_seconds": 60, "first_byte_seconds": 0.3}}
    with gateway_and_upstream(upstreams=patient) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request()).status == 200
        upstream.script = nothing
        for _ in ("a kept connection", "a new one"):
            assert refusal_of(client.ask(request())) == (504, "upstream_slow")


def test_rel_10_an_answer_that_stops_in_its_head_is_a_504() -> None:
    stops = then_nothing(b"HTTP/1.1 200 OK\r\nContent-Le")
    with gateway_and_upstream(stops, upstreams=HURRIED) as (gateway, _), Client(gateway.port) as client:
        assert refusal_of(client.ask(request())) == (504, "upstream_slow")


def test_rel_10_an_answer_that_stops_in_its_body_is_broken_off() -> None:
    stops = then_nothing(response(b"abc", length=10))
    with gateway_and_upstream(stops, upstreams=HURRIED) as (gateway, _), Client(gateway.port) as client:
        answer = client.ask(request())
        assert (answer.body, answer.complete, client.end) == (b"abc", False, "reset")


def test_rel_10_a_body_that_goes_on_may_take_longer_than_any_pause() -> None:
    def slowly(served: Served, _: Message) -> None:
        served.send(response(b"", length=PAUSES))
        for _ in range(PAUSES):
            time.sleep(PAUSE_SECONDS)
            served.send(b"x")

    with gateway_and_upstream(slowly, upstreams=BRISK) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(request()).complete


def test_rel_10_a_whole_request_may_be_limited() -> None:
    def dribble(served: Served, _: Message) -> None:
        served.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not served.end:
            time.sleep(0.05)
            served.send(b"x")
            served.sock.settimeout(0.01)
            try:
                served.more()
            except TimeoutError:
                continue

    with gateway_and_upstream(nothing, routes={"open": {"request_seconds": 0.8}}) as (gateway, upstream):
        with Client(gateway.port) as client:
            assert refusal_of(client.ask(request())) == (504, "upstream_slow")
            upstream.script = dribble
            answer = client.ask(request())
            assert (answer.status, answer.complete) == (200, False)
        assert [line["reason"] for line in gateway.log(2)] == ["upstream_slow", "upstream_slow"]


def test_rel_10_a_long_upload_is_not_the_upstreams_slowness() -> None:
    with gateway_and_upstream(upstreams=BRISK) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/open/a", f"Content-Length: {PAUSES}", method="POST"))
        for _ in range(PAUSES):
            time.sleep(PAUSE_SECONDS)
            client.send(b"x")
        assert client.answer().status == 200
        assert upstream.one_request().body == b"x" * PAUSES


# An idle connection that ends as it is used again, and other early ends.


def fickle(served: Served, message: Message) -> None:
    """Answer the first request of a connection, and end it at the second."""
    if len(served.requests) > 1:
        served.close()
        return
    served.send(response())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_rel_12_a_request_that_can_be_repeated_is(client: Client, upstream: Upstream, method: str) -> None:
    upstream.script = fickle
    for _ in range(4):
        assert client.ask(request(method=method)).status == 200
    tries = Counter(message.start for message in upstream.requests)
    assert sum(tries.values()) > 4


@pytest.mark.parametrize(
    ("method", "body"), [("POST", None), ("POST", b"abc"), ("PATCH", None), ("PUT", b"abc"), ("GET", b"abc")]
)
def test_rel_12_what_must_not_happen_twice_is_not_repeated(
    client: Client, upstream: Upstream, method: str, body: bytes | None
) -> None:
    assert client.ask(request()).status == 200
    upstream.forget()
    upstream.script = lambda served, _: served.close()
    assert refusal_of(client.ask(request(method=method, body=body))) == (502, "upstream_malformed")
    assert len(upstream.requests) == 1


def test_rel_11_a_request_is_repeated_once(client: Client, upstream: Upstream) -> None:
    upstream.script = lambda served, _: served.close()
    assert refusal_of(client.ask(request())) == (502, "upstream_malformed")
    assert len(upstream.requests) == 2


def test_an_answer_given_before_the_upload_is_complete_is_not_lost() -> None:
    def decline(served: Served) -> None:
        served.upto(b"\r\n\r\n")
        served.send(response(b"too much", "Connection: close", status="413 Content Too Large"))
        served.close()  # what was not read makes a reset of it

    with gateway_and_upstream() as (gateway, upstream):
        upstream.on_connect = decline
        for _ in range(10):
            with Client(gateway.port) as client:
                pouring = threading.Thread(target=client.send, args=[request(method="POST", body=b"x" * 5_000_000)])
                pouring.start()
                assert client.answer().body == b"too much"
                pouring.join()


def test_an_answer_may_go_on_beside_its_request() -> None:
    def echo(served: Served) -> None:
        served.upto(b"\r\n\r\n")
        served.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (size := served.upto(b"\r\n")) not in (b"0\r\n", None):
            piece, _ = served.exactly(int(size or b"", 16))
            served.exactly(2)
            served.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        served.exactly(2)
        served.send(b"0\r\n\r\n")

    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        upstream.on_connect = echo
        client.send(request("/open/a", "Transfer-Encoding: chunked", method="POST"))
        assert (client.upto(b"\r\n\r\n") or b"").startswith(b"HTTP/1.1 200 OK\r\n")
        for piece in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert client.exactly(len(piece) + 5)[0] == b"%x\r\n%b\r\n" % (len(piece), piece)
        client.send(b"0\r\n\r\n")
        assert client.exactly(5)[0] == b"0\r\n\r\n"
        upstream.on_connect = None
        assert client.ask(request()).status == 200


# Going away and coming back.


def test_an_upstream_that_is_not_there_is_a_502_and_welcome_when_it_is(client: Client, upstream: Upstream) -> None:
    upstream.stop()
    for _ in range(3):
        assert refusal_of(client.ask(request())) == (502, "upstream_unreachable")
    upstream.start()
    assert client.ask(request()).status == 200


def test_idle_connections_end_after_a_while() -> None:
    hurried = {"echo": {"keep_alive_seconds": 0.3}}
    with gateway_and_upstream(upstreams=hurried) as (gateway, upstream), Client(gateway.port) as client:
        client.ask(request())
        until(lambda: upstream.connections[0].end == "eof")
        assert client.ask(request()).status == 200


def test_no_more_connections_are_kept_than_is_said() -> None:
    barrier = threading.Barrier(4)

    def together(served: Served, _: Message) -> None:
        if not barrier.broken:
            barrier.wait(PATIENCE_SECONDS)
        served.send(response())

    with gateway_and_upstream(together, upstreams={"echo": {"most_idle_connections": 1}}) as (gateway, upstream):
        clients = [Client(gateway.port) for _ in range(4)]
        for client in clients:
            client.send(request())
        assert [client.answer().status for client in clients] == [200] * 4
        barrier.abort()
        until(lambda: sum(not served.end for served in upstream.connections) == 1)
        for client in clients:
            client.close()


def test_an_old_generation_keeps_no_connection() -> None:
    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        client.ask(request())
        gateway.reload(gateway.document)
        until(lambda: upstream.connections[0].end == "eof")
        assert client.ask(request()).status == 200
        assert [line["generation"] for line in gateway.log(2)] == [1, 2]


# Several targets.


def test_targets_take_turns() -> None:
    with (
        Upstream() as one,
        Upstream() as two,
        Upstream() as three,
        Gateway(document([one.url, two.url, three.url])) as gateway,
        Client(gateway.port) as client,
    ):
        for _ in range(9):
            assert client.ask(request()).status == 200
        assert [len(each.requests) for each in (one, two, three)] == [3, 3, 3]
        assert one.requests[0].value("Host") == f"127.0.0.1:{one.port}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rel_13_a_target_that_is_down_costs_no_answer(method: str) -> None:
    with Upstream() as one, Upstream() as two:
        two.stop()
        with Gateway(document([one.url, two.url])) as gateway, Client(gateway.port) as client:
            for _ in range(6):
                assert client.ask(request(method=method, body=b"abc")).status == 200
            assert [message.body for message in one.requests] == [b"abc"] * 6
            assert gateway.call(lambda: gateway.embedded.worker.generation.upstreams.rosters["echo"].budget.made) == 1


def test_rel_12_the_second_try_may_go_to_another_target() -> None:
    with (
        Upstream(say_and_close(b"")) as bad,
        Upstream() as good,
        Gateway(document([bad.url, good.url])) as gateway,
        Client(gateway.port) as client,
    ):
        assert [client.ask(request()).status for _ in range(4)] == [200] * 4
        assert len(good.requests) == 4


def test_preserve_host_sends_the_clients_own() -> None:
    with gateway_and_upstream(upstreams={"echo": {"preserve_host": True}}) as (gateway, upstream):
        with Client(gateway.port) as client:
            client.ask(request(host="Shop.Example:8443"))
        assert upstream.one_request().value("Host") == "Shop.Example:8443"


def test_a_chunked_upload_reaches_an_upstream_that_was_not_connected_yet() -> None:
    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        raw = request("/open/a", "Transfer-Encoding: chunked", method="POST") + chunked(b"x" * 1000, b"y" * 1000)
        assert client.ask(raw).status == 200
        assert upstream.one_request().body == b"x" * 1000 + b"y" * 1000


def test_rel_15_a_name_is_as_good_as_an_address() -> None:
    with (
        Upstream() as upstream,
        Gateway(document(f"http://localhost:{upstream.port}")) as gateway,
        Client(gateway.port) as client,
    ):
        for _ in range(4):
            assert client.ask(request("/open/a", "Connection: keep-alive")).status == 200
        assert upstream.requests[0].value("Host") == f"localhost:{upstream.port}"


def test_rel_13_a_reload_knows_which_target_is_down() -> None:
    check = {"echo": {"health_check": {"every_seconds": 0.05, "unhealthy_after": 1, "healthy_after": 1}}}
    with Upstream() as one, Upstream() as two:
        whole = document([one.url, two.url], upstreams=check)
        with Gateway(whole) as gateway, Client(gateway.port) as client:
            two.stop()
            rosters = gateway.embedded.worker.generation.upstreams.rosters
            until(lambda: [standing.is_down for standing in rosters["echo"].standings.values()] == [False, True])
            gateway.reload({**whole, "request_id_field": "X-Other-Id"})
            known = gateway.call(
                lambda: [
                    standing.is_down
                    for standing in gateway.embedded.worker.generation.upstreams.rosters["echo"].standings.values()
                ]
            )
            assert known == [False, True]
            assert [client.ask(request()).status for _ in range(6)] == [200] * 6


def test_the_same_user_goes_to_the_same_target_over_every_connection() -> None:
    by_user = {"echo": {"balance": "consistent_hash", "hash_by": {"header": "X-User"}}}
    with (
        Upstream() as one,
        Upstream() as two,
        Upstream() as three,
        Gateway(document([one.url, two.url, three.url], upstreams=by_user)) as gateway,
    ):
        for _ in range(2):
            with Client(gateway.port) as client:
                for user in range(12):
                    assert client.ask(request("/open/a", f"X-User: {user}")).status == 200
        seen = [Counter(message.value("X-User") for message in each.requests) for each in (one, two, three)]
        assert all(count == 2 for users in seen for count in users.values())
        assert sum(len(users) for users in seen) == 12
        assert sum(bool(users) for users in seen) > 1


def test_rel_10_a_route_may_be_in_more_of_a_hurry_than_its_upstream() -> None:
    hurried = {"open": {"timeouts": {"first_byte_seconds": 0.3}}}
    with gateway_and_upstream(routes=hurried) as (gateway, upstream), Client(gateway.port) as client:
        upstream.script = nothing
        assert refusal_of(client.ask(request())) == (504, "upstream_slow")
