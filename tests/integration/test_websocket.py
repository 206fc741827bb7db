"""WebSocket through the gateway, with a client and a server nobody here wrote (SEC-97, REL-16, 22)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from .rig import (
    Client,
    Flow,
    Gateway,
    Served,
    Upstream,
    document,
    gateway_and_upstream,
    request,
    response,
    say,
    token,
    until,
)

ROUTES = {
    "orders": {"upgrade": "websocket"},
    "open": {"upgrade": "websocket"},
    "plain": {"path": "/plain/*", "auth": "none", "upstream": "echo"},
}
HANDSHAKE = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: x\r\n\r\n"
)


class Peer:
    """A WebSocket server that sends back what it gets, and what it saw of each handshake."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.ended = threading.Event()

    def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        for message in connection:
            connection.send(message)
        self.ended.set()


@contextmanager
def gateway_and_peer() -> Iterator[tuple[Gateway, Peer]]:
    peer = Peer()
    with serve(peer.serve, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.socket.getsockname()[1]
            with Gateway(document(f"http://127.0.0.1:{port}", routes=ROUTES)) as gateway:
                yield gateway, peer
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Peer]]:
    with gateway_and_peer() as both:
        yield both


@contextmanager
def dialled(gateway: Gateway, path: str = "/orders/1", bearer: str | None = None) -> Iterator[ClientConnection]:
    fields = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    url = f"ws://127.0.0.1:{gateway.port}{path}"
    with connect(url, additional_headers=fields, max_size=None, compression=None, proxy=None) as socket:
        yield socket


def test_sec_97_messages_go_both_ways_once_the_caller_is_proven(both: tuple[Gateway, Peer]) -> None:
    gateway, peer = both
    with dialled(gateway, bearer=token()) as socket:
        for message in ("one", b"\x00\xff", "x" * 200_000):
            socket.send(message)
            assert socket.recv(10) == message
        handshake = peer.connections[-1].request
        assert handshake is not None
        assert handshake.headers["X-User-Id"] == "alice"
        assert "Authorization" not in handshake.headers
        assert handshake.headers["Connection"] == "Upgrade"
    until(lambda: [line["status"] for line in gateway.log()][-1] == 101)


@pytest.mark.parametrize(("bearer", "status"), [(None, 401), ("a.b.c", 401)])
def test_sec_97_nothing_is_switched_for_a_caller_who_is_not(
    both: tuple[Gateway, Peer], bearer: str | None, status: int
) -> None:
    before = len(both[1].connections)
    with pytest.raises(InvalidStatus) as refused, dialled(both[0], bearer=bearer):
        pass
    assert refused.value.response.status_code == status
    assert len(both[1].connections) == before


def test_sec_97_an_expired_token_opens_nothing(both: tuple[Gateway, Peer]) -> None:
    with pytest.raises(InvalidStatus), dialled(both[0], bearer=token(exp=1)):
        pass


def test_sec_97_a_route_that_does_not_allow_it_asks_its_upstream_for_no_change() -> None:
    with gateway_and_upstream(routes=ROUTES) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request("/plain/a", *HANDSHAKE)).status == 200
        sent = upstream.one_request()
        assert sent.values("Connection") + sent.values("Upgrade") == []
        assert client.ask(request("/plain/b")).status == 200


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("POST", HANDSHAKE),
        ("GET", [*HANDSHAKE[2:], "Upgrade: websocket"]),
        ("GET", [*HANDSHAKE[2:], "Connection: upgrade", "Upgrade: other"]),
        ("GET", [*HANDSHAKE, "Content-Length: 0003"]),
    ],
    ids=["another method", "no nomination", "another protocol", "with a body"],
)
def test_sec_97_only_a_whole_handshake_is_one(method: str, fields: list[str]) -> None:
    with gateway_and_upstream(routes=ROUTES) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/open/a", *fields, method=method) + b"abc"[: 3 * fields[-1].startswith("Content")])
        assert client.answer().status == 200
        assert upstream.one_request().values("Upgrade") == []


HELLO, EARLY, STILL_THERE = b"\x81\x05hello", b"\x81\x85\0\0\0\0early", b"\x81\x80\0\0\0\0"


def switching(served: Served, _: object) -> None:
    served.send(SWITCH + HELLO)
    served.send(b"\x81\x05" + served.exactly(len(EARLY))[0][-5:])
    served.to_end()


def test_bytes_around_the_switch_are_not_lost() -> None:
    with gateway_and_upstream(switching, routes=ROUTES) as (gateway, _), Client(gateway.port) as client:
        client.send(request("/open/a", *HANDSHAKE) + EARLY)
        answer = client.answer()
        assert (answer.status, answer.value("Connection"), answer.value("Upgrade")) == (101, "Upgrade", "websocket")
        assert answer.value("Sec-WebSocket-Accept") == "x"
        assert client.exactly(14) == (HELLO + b"\x81\x05early", True)


def test_a_refused_switch_leaves_an_ordinary_connection() -> None:
    with gateway_and_upstream(routes=ROUTES) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request("/open/a", *HANDSHAKE)).status == 200
        assert upstream.one_request().value("Upgrade") == "websocket"
        assert client.ask(request("/open/b")).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        SWITCH.replace(b"WebSocket", b"other"),
        SWITCH.replace(b"Connection: upgrade\r\n", b""),
        SWITCH.replace(b"Upgrade: WebSocket\r\n", b""),
    ],
    ids=["another protocol", "no nomination", "no protocol"],
)
def test_sec_98_a_switch_that_is_none_is_a_502(answer: bytes) -> None:
    with gateway_and_upstream(say(answer), routes=ROUTES) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(request("/open/a", *HANDSHAKE)).status == 502


def test_rel_22_the_end_of_the_client_is_the_end_of_the_upstream(both: tuple[Gateway, Peer]) -> None:
    gateway, peer = both
    peer.ended.clear()
    with dialled(gateway, "/open/a") as socket:
        socket.send("a")
        assert socket.recv(10) == "a"
        socket.close(1000)
    assert peer.ended.wait(10)
    assert peer.connections[-1].close_code == 1000


def test_the_end_of_the_upstream_is_the_end_of_the_client(both: tuple[Gateway, Peer]) -> None:
    gateway, peer = both
    with dialled(gateway, "/open/a") as socket:
        socket.send("a")
        assert socket.recv(10) == "a"
        peer.connections[-1].close(1001, "bye")
        with pytest.raises(ConnectionClosed):
            socket.recv(10)
        assert (socket.close_code, socket.close_reason) == (1001, "bye")


def test_rel_16_a_slow_side_pauses_the_other() -> None:
    whole = 50 * 1024 * 1024
    poured, drunk = Flow(), Flow()

    def flood(served: Served, _: object) -> None:
        served.send(SWITCH + b"\x82\x7f" + whole.to_bytes(8, "big"))
        poured.pour(served, whole)

    with gateway_and_upstream(flood, routes=ROUTES) as (gateway, _), Client(gateway.port) as client:
        client.send(request("/open/a", *HANDSHAKE))
        assert client.answer().status == 101
        until(lambda: poured.moved and poured.stuck())
        assert poured.moved < whole // 2
        drunk.drink(client, whole + 10)
        assert drunk.moved == whole + 10


def test_rel_4_both_sides_are_told_when_the_gateway_stops() -> None:
    with gateway_and_peer() as (gateway, peer), dialled(gateway, "/open/a") as socket:
        socket.send("a")
        assert socket.recv(10) == "a"
        gateway.stop()
        with pytest.raises(ConnectionClosed):
            socket.recv(10)
        assert (socket.close_code, socket.close_reason) == (1001, "going away")
        until(lambda: peer.connections[0].close_code)
        assert peer.connections[0].close_code == 1001


def test_rel_4_an_upstream_that_answers_no_close_frame_holds_nothing_up() -> None:
    with gateway_and_upstream(switching, routes=ROUTES) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/open/a", *HANDSHAKE) + EARLY)
        assert client.answer().status == 101
        assert client.exactly(14)[1]
        gateway.stop()
        until(lambda: upstream.connections[0].end)
        client.to_end()


def test_several_sockets_at_once_are_kept_apart(both: tuple[Gateway, Peer]) -> None:
    with ExitStack() as opened:
        sockets = [opened.enter_context(dialled(both[0], "/open/a")) for _ in range(10)]
        for number, socket in enumerate(sockets):
            socket.send(str(number))
        assert [socket.recv(10) for socket in sockets] == [str(number) for number in range(10)]


def test_an_upstream_that_switches_is_a_new_connection_each_time() -> None:
    with Upstream(switching) as upstream, Gateway(document(upstream.url, routes=ROUTES)) as gateway:
        for _ in range(3):
            with Client(gateway.port) as client:
                client.send(request("/open/a", *HANDSHAKE))
                assert client.answer().status == 101
        assert [len(served.requests) for served in upstream.connections] == [1, 1, 1]


def test_sec_97_a_tunnel_may_end_with_the_token_that_opened_it() -> None:
    routes = {"orders": {"upgrade": "websocket", "close_on_expiry": True}}
    with gateway_and_upstream(switching, routes=routes) as (gateway, _):
        for end, closes in ((int(time.time()) + 2, True), (int(time.time()) + 300, False)):
            with Client(gateway.port) as client:
                fields = [*HANDSHAKE, f"Authorization: Bearer {token(exp=end)}"]
                client.send(request("/orders/a", *fields))
                assert client.answer().status == 101
                client.exactly(len(HELLO))
                if closes:
                    assert client.to_end() == b"\x88\x0f" + (1008).to_bytes(2, "big") + b"token expired"
                    assert client.end == "eof"
                    assert time.time() >= end
                else:
                    client.send(STILL_THERE)


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        ([], 101),
        (["https://app.example"], 101),
        (["https://evil.example"], 403),
        (["https://app.example.evil.example"], 403),
        (["null"], 403),
        (["https://app.example", "https://evil.example"], 403),
    ],
)
def test_sec_97_only_pages_of_named_origins_open_a_socket(origins: list[str], status: int) -> None:
    routes = {"open": {"upgrade": "websocket", "upgrade_origins": ["https://app.example"]}}
    with gateway_and_upstream(switching, routes=routes) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/open/a", *HANDSHAKE, *(f"Origin: {origin}" for origin in origins)))
        assert client.answer().status == status
        assert len(upstream.connections) == (status == 101)


def test_sec_97_an_origin_matters_to_a_socket_and_to_nothing_else() -> None:
    routes = {"open": {"upgrade": "websocket", "upgrade_origins": ["https://app.example"]}}
    with gateway_and_upstream(say(response(b"x")), routes=routes) as (gateway, _), Client(gateway.port) as client:
        client.send(request("/open/a", "Origin: https://evil.example"))
        assert client.answer().status == 200
