"""Upstreams that speak HTTP/2: shared connections, streams that are refused, answers that cannot be read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hyperframe.frame import DataFrame, PingFrame, RstStreamFrame, SettingsFrame

from jwtgate.errors import ConfigError

from ..rig import Client, Gateway, Message, Upstream, chunked, document, request, response, say, token, until
from ..test_tls import Authority
from .frame_client import Fields, FrameClient
from .frame_client import asked as fields_of_request
from .frame_server import Asked, FrameServer, ServedFrames, fields_of

REFUSED_STREAM, CANCEL, INTERNAL_ERROR, PROTOCOL_ERROR = 7, 8, 2, 1
MIB = 1024 * 1024


def through(url: str, **changes: Any) -> dict[str, Any]:
    """A document whose upstream speaks HTTP/2."""
    upstream = {"targets": [url], "protocol": "http2", **changes.pop("upstream", {})}
    return document([], upstreams={"echo": upstream}, listen=[{"address": "127.0.0.1:0", "http2": True}], **changes)


@contextmanager
def gateway_to(server: FrameServer, **changes: Any) -> Iterator[Gateway]:
    with Gateway(through(server.url, **changes)) as gateway:
        yield gateway


@pytest.fixture
def server() -> Iterator[FrameServer]:
    with FrameServer() as server:
        yield server


@pytest.fixture
def gateway(server: FrameServer) -> Iterator[Gateway]:
    with gateway_to(server) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with Client(gateway.port) as client:
        yield client


def ask(client: Client, data: bytes | None = None) -> Message:
    return client.ask(request() if data is None else data)


def test_a_request_is_a_stream(client: Client, server: FrameServer) -> None:
    data = request("/orders/1?a=b", "X-Other: c", "Cookie: a=1; b=2", bearer=token())
    answer = ask(client, data)
    assert (answer.status, answer.body) == (200, b"ok")
    asked = server.requests[0]
    names = [name for name, _ in asked.fields]
    assert names[:4] == [b":method", b":scheme", b":authority", b":path"]
    assert [asked.value(name) for name in names[:4]] == [
        b"GET",
        b"http",
        server.url.removeprefix("http://").encode(),
        b"/orders/1?a=b",
    ]
    assert (asked.value(b"x-user-id"), asked.value(b"x-other"), asked.value(b"te")) == (b"alice", b"c", b"trailers")
    assert not set(names) & {b"host", b"connection", b"transfer-encoding", b"authorization"}
    assert all(name == name.lower() for name in names)


def test_requests_share_a_connection(gateway: Gateway, server: FrameServer) -> None:
    held = threading.Event()
    server.begins_early = True
    waiting: list[tuple[ServedFrames, Asked]] = []
    server.script = lambda served, asked: waiting.append((served, asked))
    clients = [Client(gateway.port) for _ in range(20)]
    for client in clients:
        client.send(request())
    until(lambda: len(waiting) == 20)
    for served, asked in reversed(waiting):
        served.say(asked, b"%d" % asked.stream)
    assert {client.message().body for client in clients} == {b"%d" % number for number in range(1, 41, 2)}  # type: ignore[union-attr]
    assert len(server.connections) == 1
    for client in clients:
        client.close()
    held.set()


def test_as_many_requests_as_the_upstream_takes_are_on_one_connection() -> None:
    waiting: list[tuple[ServedFrames, Asked]] = []
    server = FrameServer(settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 3})
    server.script = lambda served, asked: waiting.append((served, asked))
    with server, gateway_to(server) as gateway:
        clients = [Client(gateway.port) for _ in range(7)]
        for client in clients:
            client.send(request())
        until(lambda: len(waiting) == 7)
        assert sorted(len(served.requests) for served in server.connections) == [1, 3, 3]
        for served, asked in waiting:
            served.say(asked)
        assert [client.message().status for client in clients] == [200] * 7  # type: ignore[union-attr]
        for client in clients:
            client.close()


def test_an_upstream_that_takes_no_requests_cannot_be_reached() -> None:
    with (
        FrameServer(settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 0}) as server,
        gateway_to(server) as gateway,
        Client(gateway.port) as client,
    ):
        assert ask(client).status == 502


def test_an_upstream_that_speaks_http_1_alone_cannot_be_reached() -> None:
    with Upstream() as upstream, Gateway(through(upstream.url)) as gateway, Client(gateway.port) as client:
        upstream.on_connect = lambda served: served.send(response(status="400 Bad Request"))
        assert ask(client).status in (502, 504)


def test_rel_10_an_upstream_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Gateway(through(url, upstream={"connect_seconds": 0.3})) as gateway,
            Client(gateway.port) as client,
        ):
            assert ask(client).status == 504


@pytest.mark.parametrize(("spoken", "status"), [(["h2"], 200), (["http/1.1"], 502), ([], 502)])
def test_with_tls_http_2_is_agreed_on(tmp_path: Any, spoken: list[str], status: int) -> None:
    authority = Authority.new(tmp_path, "authority")
    context = authority.server("localhost", address="127.0.0.1")
    if spoken:
        context.set_alpn_protocols(spoken)
    with (
        FrameServer(tls=context) as server,
        gateway_to(server, upstream={"ca_file": str(authority.file)}) as gateway,
        Client(gateway.port) as client,
    ):
        assert ask(client).status == status
        assert [asked.value(b":scheme") for asked in server.requests] == [b"https"] * (status == 200)


# Bodies.


@pytest.mark.parametrize("framing", ["a length", "chunks"])
def test_a_body_goes_up(client: Client, server: FrameServer, framing: str) -> None:
    body = bytes(range(256)) * 4096
    if framing == "a length":
        data = request(method="POST", body=body)
    else:
        data = request("/open/a", "Transfer-Encoding: chunked", method="POST") + chunked(body[:1000], body[1000:])
    assert ask(client, data).status == 200
    asked = server.requests[0]
    assert (asked.body == body, asked.complete) == (True, True)
    assert asked.value(b"content-length") == (b"%d" % len(body) if framing == "a length" else None)


@pytest.mark.parametrize("length", [True, False])
def test_a_body_comes_down(client: Client, server: FrameServer, length: bool) -> None:
    body = bytes(range(256)) * 200

    def large(served: ServedFrames, asked: Asked) -> None:
        fields = [(b"content-length", b"%d" % len(body))] if length else []
        served.put(served.head(asked.stream, fields_of(*fields)))
        for at in range(0, len(body), 10_000):
            piece = body[at : at + 10_000]
            served.put(DataFrame(asked.stream, piece, flags=("END_STREAM",) if at + 10_000 >= len(body) else ()))

    server.script = large
    for _ in range(5):  # more than the windows hold, so they are opened again
        answer = ask(client)
        assert (answer.status, answer.body, answer.complete) == (200, body, True)
        assert answer.value("transfer-encoding") == (None if length else "chunked")


def test_an_answer_may_begin_before_the_request_ends(gateway: Gateway, server: FrameServer) -> None:
    server.begins_early = True
    heard: list[Asked] = []

    def begin(served: ServedFrames, asked: Asked) -> None:
        heard.append(asked)
        served.put(served.head(asked.stream, fields_of()), DataFrame(asked.stream, b"first"))

    server.script = begin
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields_of_request(method=b"POST"), "END_HEADERS"))
        client.until(lambda: 1 in client.answers and client.answers[1].body == b"first")
        client.put(DataFrame(1, b"hello", flags=("END_STREAM",)))
        until(lambda: heard[0].complete)
        server.connections[0].put(DataFrame(1, b"last", flags=("END_STREAM",)))
        assert client.answer().body == b"firstlast"
    assert heard[0].body == b"hello"


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_an_answer_without_a_body_has_none(client: Client, server: FrameServer, status: bytes) -> None:
    server.script = lambda served, asked: served.put(
        served.head(asked.stream, fields_of(status=status), "END_HEADERS", "END_STREAM")
    )
    assert ask(client).status == int(status)
    assert ask(client).status == int(status)
    assert len(server.connections) == 1


def test_an_answer_to_head_has_a_length_and_no_body(client: Client, server: FrameServer) -> None:
    server.script = lambda served, asked: served.put(
        served.head(asked.stream, fields_of((b"content-length", b"1234")), "END_HEADERS", "END_STREAM")
    )
    client.send(request(method="HEAD"))
    answer = client.message(bodiless=True)
    assert answer is not None
    assert answer.value("content-length") == "1234"
    assert ask(client, request("/nowhere")).status == 404


def test_early_hints_are_not_passed_on(client: Client, server: FrameServer) -> None:
    def hinted(served: ServedFrames, asked: Asked) -> None:
        served.put(served.head(asked.stream, fields_of((b"link", b"</x>"), status=b"103")))
        served.say(asked)

    server.script = hinted
    answer = ask(client)
    assert (answer.status, answer.body) == (200, b"ok")


# Trailers.


TRAILERS = [(b"x-sum", b"abc"), (b"x-user-id", b"mallory"), (b"x-other", b"b"), (b"content-length", b"7")]


def with_trailers(served: ServedFrames, asked: Asked) -> None:
    served.put(served.head(asked.stream, fields_of()), DataFrame(asked.stream, b"ok"))
    served.put(served.head(asked.stream, TRAILERS, "END_HEADERS", "END_STREAM"))


@pytest.mark.parametrize(("passing", "trailers"), [([], b""), (["X-Sum", "X-User-Id"], b"x-sum: abc\r\n")])
def test_sec_92_trailers_pass_by_name_to_clients_of_http_1(
    server: FrameServer, passing: list[str], trailers: bytes
) -> None:
    server.script = with_trailers
    with gateway_to(server, routes={"open": {"trailers": passing}}) as gateway, Client(gateway.port) as client:
        answer = ask(client)
        assert (answer.body, answer.trailers) == (b"ok", trailers)
        assert (answer.values("x-sum"), answer.values("x-user-id")) == ([], [])


@pytest.mark.parametrize(("passing", "heads"), [([], 1), (["x-sum"], 2)])
def test_sec_92_trailers_pass_by_name_to_clients_of_http_2(server: FrameServer, passing: list[str], heads: int) -> None:
    server.script = with_trailers
    with gateway_to(server, routes={"open": {"trailers": passing}}) as gateway, FrameClient(gateway.port) as client:
        answer = client.ask()
        assert (answer.body, len(answer.heads)) == (b"ok", heads)
        assert answer.heads[1:] == [{b"x-sum": b"abc"}] * (heads - 1)
        assert b"x-sum" not in answer.heads[0]


def test_sec_92_trailers_of_http_1_pass_by_name() -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: abc\r\nX-User-Id: m\r\n\r\n"
    with Upstream(say(said)) as upstream:
        whole = document(upstream.url, routes={"open": {"trailers": ["x-sum", "x-user-id"]}})
        with Gateway(whole) as gateway, Client(gateway.port) as client:
            assert ask(client).trailers == b"x-sum: abc\r\n"


# Streams that end otherwise.


def refuse(served: ServedFrames, asked: Asked) -> None:
    served.reset(asked, REFUSED_STREAM)


def leave(served: ServedFrames, asked: Asked) -> None:
    served.leave(0)


@pytest.mark.parametrize("script", [refuse, leave])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rel_11_a_stream_that_was_refused_is_asked_for_again(
    client: Client, server: FrameServer, script: Any, method: str
) -> None:
    server.play(script)
    assert ask(client, request(method=method)).status == 200
    assert len(server.requests) == 2


def test_rel_11_a_refused_request_with_a_body_is_not_sent_again(client: Client, server: FrameServer) -> None:
    server.play(refuse)
    answer = ask(client, request(method="POST", body=b"hello"))
    assert (answer.status, b"upstream_refused" in answer.body) == (503, True)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("method", "status", "sent"), [("GET", 200, 2), ("POST", 502, 1)])
def test_rel_11_a_stream_that_was_reset_is_repeated_where_that_does_nothing_twice(
    client: Client, server: FrameServer, method: str, status: int, sent: int
) -> None:
    server.play(lambda served, asked: served.reset(asked, INTERNAL_ERROR))
    assert ask(client, request(method=method)).status == status
    assert len(server.requests) == sent


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rel_12_a_connection_that_ended_is_opened_anew(client: Client, server: FrameServer, method: str) -> None:
    assert ask(client).status == 200
    server.connections[0].sock.shutdown(socket.SHUT_RDWR)
    until(lambda: server.connections[0].sock.fileno() < 0)
    assert ask(client, request(method=method)).status == 200
    assert len(server.connections) == 2


def test_a_target_that_leaves_still_answers_what_it_took(gateway: Gateway, server: FrameServer) -> None:
    taken: list[tuple[ServedFrames, Asked]] = []
    server.play(lambda served, asked: taken.append((served, asked)))
    with Client(gateway.port) as first, Client(gateway.port) as second:
        first.send(request())
        until(lambda: taken)
        served, asked = taken[0]
        served.leave(asked.stream)
        until(lambda: gateway.call(lambda: not _sessions(gateway)[0].has_room))
        assert ask(second).status == 200
        served.say(asked, b"late")
        answer = first.message()
        assert answer is not None
        assert answer.body == b"late"
    assert len(server.connections) == 2


def _sessions(gateway: Gateway) -> list[Any]:
    (pool,) = gateway.embedded.worker.generation.upstreams.pools()
    return pool.sessions  # type: ignore[attr-defined,no-any-return]


def test_rel_22_a_request_its_client_gave_up_is_cancelled(gateway: Gateway, server: FrameServer) -> None:
    server.play(lambda served, asked: None)
    with Client(gateway.port) as client:
        client.send(request())
        until(lambda: server.requests)
    until(lambda: server.requests[0].reset == CANCEL)
    with Client(gateway.port) as client:
        assert ask(client).status == 200
    assert len(server.connections) == 1


def test_rel_10_a_target_that_answers_nothing_at_all_is_left(server: FrameServer) -> None:
    limits = {"first_byte_seconds": 0.6, "connect_seconds": 0.6, "retries": 0}

    def fall_silent(served: ServedFrames, _: Asked) -> None:
        served.silent = True

    server.play(fall_silent)
    with gateway_to(server, upstream=limits) as gateway, Client(gateway.port) as client:
        assert ask(client).status == 504
        assert ask(client).status == 200  # on a connection of its own, as soon as the first is doubted
        assert len(server.connections) == 2
        until(lambda: server.connections[0].goaways)


def test_rel_71_an_answer_that_breaks_off_breaks_the_client_off(client: Client, server: FrameServer) -> None:
    def half(served: ServedFrames, asked: Asked) -> None:
        served.put(served.head(asked.stream, fields_of((b"content-length", b"100"))), DataFrame(asked.stream, b"half"))
        served.reset(asked, INTERNAL_ERROR)

    server.play(half)
    assert not ask(client).complete


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b":status", b"abc")],
        [(b":status", b"99")],
        [(b":status", b"101")],
        [(b":status", b"200"), (b":status", b"200")],
        [(b":path", b"/"), (b":status", b"200")],
        [(b"x-a", b"b"), (b":status", b"200")],
        [(b":status", b"200"), (b"X-A", b"b")],
        [(b":status", b"200"), (b"x-a", b"b\r\nset-cookie: a=b")],
        [(b":status", b"200"), (b"x-a\r\nset-cookie", b"a=b")],
        [(b":status", b"200"), (b"transfer-encoding", b"chunked")],
        [(b":status", b"200"), (b"connection", b"close")],
        [(b":status", b"200"), (b"content-length", b"1"), (b"content-length", b"1")],
    ],
    ids=[
        "nothing",
        "a status of letters",
        "a status of two digits",
        "101",
        "two statuses",
        "a path",
        "a status that comes late",
        "an upper-case name",
        "CR LF in a value",
        "CR LF in a name",
        "Transfer-Encoding",
        "Connection",
        "two lengths",
    ],
)
def test_sec_98_an_answer_that_cannot_be_read_is_502_and_never_passed_on(
    client: Client, server: FrameServer, fields: Fields
) -> None:
    server.play(lambda served, asked: served.put(served.head(asked.stream, fields), DataFrame(asked.stream, b"x")))
    answer = ask(client)
    assert (answer.status, b"upstream_malformed" in answer.body) == (502, True)
    assert answer.values("set-cookie") == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"short", b"much too long"])
def test_sec_98_a_body_of_another_length_than_was_said_breaks_the_client_off(
    client: Client, server: FrameServer, body: bytes
) -> None:
    server.play(lambda served, asked: served.say(asked, body, (b"content-length", b"8")))
    answer = ask(client)
    assert answer.status == 502 or not answer.complete


def test_sec_98_frames_against_the_rules_end_the_connection(client: Client, server: FrameServer) -> None:
    server.play(lambda served, asked: served.sock.sendall(bytes.fromhex("000007060000000000") + bytes(7)))
    assert ask(client, request(method="POST")).status == 502
    assert ask(client).status == 200
    assert len(server.connections) == 2


def test_sec_96_a_target_that_floods_us_is_left(client: Client, server: FrameServer) -> None:
    def flood(served: ServedFrames, _: Asked) -> None:
        for _ in range(3000):
            served.put(PingFrame(0, opaque_data=b"12345678"))

    server.play(flood)
    assert ask(client, request(method="POST")).status == 502
    assert ask(client).status == 200


def test_a_target_may_stop_a_body_it_has_answered(client: Client, server: FrameServer) -> None:
    server.begins_early = True

    def enough(served: ServedFrames, asked: Asked) -> None:
        head = served.head(
            asked.stream, fields_of((b"content-length", b"0"), status=b"403"), "END_HEADERS", "END_STREAM"
        )
        served.put(head, RstStreamFrame(asked.stream, error_code=0))

    server.play(enough)
    data = request(method="POST", body=bytes(MIB))
    client.send(data[:2000])
    answer = client.message()
    assert answer is not None
    assert answer.status == 403


# Mistakes in a document.


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"routes": {"open": {"grpc": True}}, "upstreams": {"echo": {"protocol": "http1"}}}, "protocol: http2"),
        ({"routes": {"open": {"upgrade": "websocket"}}}, "change its protocol"),
        ({"routes": {"open": {"grpc": True, "upgrade": "websocket"}}}, "upgrade can do nothing"),
        ({"routes": {"open": {"trailers": ["Set-Cookie"]}}}, "means nothing behind a body"),
        ({"upstreams": {"echo": {"protocol": "http3"}}}, "http2"),
    ],
    ids=["grpc over HTTP/1.1", "a WebSocket over HTTP/2", "a call that upgrades", "a trailer that is none", "HTTP/3"],
)
def test_a_mistake_is_told(changes: dict[str, Any], mistake: str) -> None:
    whole = document([], upstreams={"echo": {"targets": ["http://127.0.0.1:1"], "protocol": "http2"}})
    for section, entries in changes.items():
        for name, more in entries.items():
            whole[section][name].update(more)
    with pytest.raises(ConfigError, match=mistake), Gateway(whole):
        pass
