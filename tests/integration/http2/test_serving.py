"""Clients that speak HTTP/2, as they usually do: curl, h2load, and frame by frame where the moment counts."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from ..rig import (
    PIECE,
    Client,
    Flow,
    Gateway,
    Message,
    Served,
    Upstream,
    chunked,
    document,
    gateway_and_upstream,
    request,
    response,
    say,
    token,
    until,
)
from ..test_tls import Authority
from .frame_client import PREFACE, FrameClient, asked

BOTH_PROTOCOLS = [{"address": "127.0.0.1:0", "http2": True}]
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CALM = 0, 2, 7, 11
LAST_STREAM = 2**31 - 1
MIB = 1024 * 1024
curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
h2load = pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load (nghttp2-client) is not installed")


@pytest.fixture
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(listen=BOTH_PROTOCOLS, routes={"open": {"body_limit_bytes": 64 * MIB}}) as both:
        yield both


@pytest.fixture
def gateway(both: tuple[Gateway, Upstream]) -> Gateway:
    return both[0]


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Upstream:
    return both[1]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("tls"), "authority")


def said_by_curl(*arguments: str, body: bytes = b"") -> list[str]:
    """Version, status and bytes received, as curl tells of an answer."""
    told = "%{http_version} %{http_code} %{size_download}"
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--output", "/dev/null", "-w", told, *arguments]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode().split()


# Which protocol.


@curl
def test_a_plain_listener_speaks_both_protocols(gateway: Gateway) -> None:
    url = f"http://127.0.0.1:{gateway.port}/open/1"
    assert said_by_curl("--http2-prior-knowledge", url) == ["2", "200", "2"]
    assert said_by_curl("--http1.1", url) == ["1.1", "200", "2"]


def test_a_plain_listener_speaks_http_1_alone_unless_told(upstream: Upstream) -> None:
    with Gateway(document(upstream.url)) as gateway, Client(gateway.port) as client:
        client.send(PREFACE)
        assert client.to_end().startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("cuts", [(1,), (2,), (3,), (4, 10), (18,), (23,)])
def test_a_preface_may_come_in_pieces(gateway: Gateway, cuts: tuple[int, ...]) -> None:
    with FrameClient(gateway.port, quiet=True) as client:
        at = 0
        for cut in (*cuts, len(PREFACE)):
            client.send(PREFACE[at:cut])
            time.sleep(0.002)
            at = cut
        client.put(SettingsFrame(0))
        assert client.ask().status == 200


@pytest.mark.parametrize("method", ["P", "PRI", "POST", "PUT", "PATCH", "PROPFIND"])
def test_a_request_that_begins_like_the_preface_is_one_of_http_1(gateway: Gateway, method: str) -> None:
    with Client(gateway.port) as client:
        client.send(request("/open/1", method=method), 1, 2, 3)
        answer = client.message()
        assert answer is not None
        assert answer.start.startswith(b"HTTP/1.1 ")


def test_whoever_says_nothing_is_let_go(upstream: Upstream) -> None:
    with (
        Gateway(document(upstream.url, listen=BOTH_PROTOCOLS, limits={"head_seconds": 0.3})) as gateway,
        Client(gateway.port) as client,
    ):
        client.send(b"PRI * HT")
        assert client.to_end() == b""


@pytest.mark.parametrize(("offered", "spoken"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_with_tls_both_sides_agree_on_the_protocol(
    authority: Authority, upstream: Upstream, offered: list[str], spoken: str | None
) -> None:
    certificate, key = authority.issue("localhost")
    listener = {"address": "127.0.0.1:0", "tls": {"certificate": certificate, "private_key": key}}
    context = authority.client()
    if offered:
        context.set_alpn_protocols(offered)
    with Gateway(document(upstream.url, listen=[listener])) as gateway:
        if spoken == "h2":
            with FrameClient(gateway.port, tls=context) as client:
                assert isinstance(client.sock, ssl.SSLSocket)
                assert client.sock.selected_alpn_protocol() == "h2"
                assert client.ask(asked(scheme=b"https")).status == 200
        else:
            with Client(gateway.port, tls=context) as old:
                assert old.ask(request("/open/1")).status == 200
    assert upstream.requests[0].value("x-forwarded-proto") == "https"


def test_with_tls_http_2_can_be_turned_off(authority: Authority, upstream: Upstream) -> None:
    certificate, key = authority.issue("localhost")
    tls = {"certificate": certificate, "private_key": key}
    context = authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    listener = {"address": "127.0.0.1:0", "tls": tls, "http2": False}
    with Gateway(document(upstream.url, listen=[listener])) as gateway, Client(gateway.port, tls=context) as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        assert client.ask(request("/open/1")).status == 200


# Requests and answers.


def test_a_token_is_asked_for_and_taken(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        refused = client.ask(asked(b"/orders/1"))
        assert (refused.status, refused.heads[0][b"www-authenticate"]) == (401, b'Bearer realm="jwtgate"')
        allowed = asked(b"/orders/1?a=b", (b"authorization", f"Bearer {token()}".encode()))
        assert client.ask(allowed, stream=3).status == 200
    sent = upstream.one_request()
    assert (sent.start, sent.value("x-user-id")) == (b"GET /orders/1?a=b HTTP/1.1", "alice")
    assert [line["status"] for line in gateway.log(2)] == [401, 200]


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (response(b"hello"), 200, b"hello"),
        (response(b""), 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello", b"you"), 200, b"helloyou"),
        (b"HTTP/1.1 103 Early\r\n\r\n" + response(b"no", status="404 Not Found"), 404, b"no"),
    ],
    ids=["a length", "nothing", "204", "304", "chunks", "an early hint"],
)
def test_an_answer_comes_as_it_was_given(
    gateway: Gateway, upstream: Upstream, said: bytes, status: int, body: bytes
) -> None:
    upstream.script = say(said)
    with FrameClient(gateway.port) as client:
        answer = client.ask()
    assert (answer.status, answer.body, answer.reset) == (status, body, None)
    assert not answer.heads[0].keys() & {b"transfer-encoding", b"connection", b"keep-alive"}


def test_an_answer_to_head_has_a_length_and_no_body(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script = say(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
    with FrameClient(gateway.port) as client:
        answer = client.ask(asked(method=b"HEAD"))
        assert (answer.status, answer.heads[0][b"content-length"], answer.body) == (200, b"1234", b"")
        assert client.ask(asked(b"/orders/1", method=b"HEAD"), stream=3).status == 401


def test_a_body_is_asked_for_where_the_client_waits_for_that(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", (b"expect", b"100-continue"), (b"content-length", b"5"), method=b"POST")
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields, "END_HEADERS"))
        client.until(lambda: 1 in client.answers)
        client.put(DataFrame(1, b"hello", flags=("END_STREAM",)))
        assert [head[b":status"] for head in client.answer().heads] == [b"100", b"200"]
    assert upstream.one_request().body == b"hello"


def test_answers_come_in_the_order_they_are_ready(gateway: Gateway, upstream: Upstream) -> None:
    held = threading.Event()

    def slow(served: Served, _: Message) -> None:
        held.wait(10)
        served.send(response(b"slow"))

    upstream.play(slow)
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, asked(b"/open/slow")))
        until(lambda: upstream.requests)
        assert client.ask(asked(b"/open/fast"), stream=3).body == b"ok"
        held.set()
        assert client.answer(1).body == b"slow"
    assert gateway.call(lambda: gateway.embedded.worker.counters.connections) == 1


@curl
@pytest.mark.parametrize("fields", [(), ("-H", "Transfer-Encoding: chunked")], ids=["a length", "no length"])
def test_rel_16_a_large_body_goes_up(gateway: Gateway, upstream: Upstream, fields: tuple[str, ...]) -> None:
    body = b"0123456789abcdef" * (MIB // 2)
    url = f"http://127.0.0.1:{gateway.port}/open/1"
    assert said_by_curl("--http2-prior-knowledge", "-T", "-", *fields, url, body=body) == ["2", "200", "2"]
    assert upstream.one_request().body == body


@curl
def test_rel_16_a_large_body_comes_down(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script = say(response(PIECE * 64))
    url = f"http://127.0.0.1:{gateway.port}/open/1"
    assert said_by_curl("--http2-prior-knowledge", url) == ["2", "200", str(len(PIECE) * 64)]


@h2load
def test_many_requests_on_few_connections(gateway: Gateway) -> None:
    url = f"http://127.0.0.1:{gateway.port}/open/1"
    command = ["h2load", "--requests=2000", "--clients=4", "--max-concurrent-streams=50", url]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in said
    assert gateway.call(lambda: gateway.embedded.worker.counters.connections) == 4


# Windows.


def test_rel_16_a_client_that_takes_nothing_stops_the_upstream(gateway: Gateway, upstream: Upstream) -> None:
    flow, whole = Flow(), 16 * MIB

    def pour(served: Served, _: Message) -> None:
        served.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % whole)
        flow.pour(served, whole)

    upstream.script = pour
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, asked()))
        client.until(lambda: 1 in client.answers and len(client.answers[1].body) == 65535)
        until(flow.stuck)
        assert flow.moved < whole
        client.put(WindowUpdateFrame(0, window_increment=2**30), WindowUpdateFrame(1, window_increment=2**30))
        assert len(client.answer().body) == whole


def heard(client: FrameClient, mark: bytes) -> None:
    """All that was said so far has been looked at, and what was answered read."""
    client.put(PingFrame(0, opaque_data=mark))
    client.until(lambda: mark in client.pongs)


def test_rel_16_an_upstream_that_takes_nothing_stops_the_client(gateway: Gateway, upstream: Upstream) -> None:
    go_on = threading.Event()
    upstream.on_connect = lambda _: go_on.wait(10)
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, asked(method=b"POST"), "END_HEADERS"))
        sent = 0
        while sent + 16384 <= 65535 + client.updates.get(1, 0):
            client.put(DataFrame(1, bytes(16384)))
            sent += 16384
            heard(client, b"%08d" % sent)
        assert sent < 16 * MIB
        assert client.ask(asked(b"/.well-known/jwks.json"), stream=3).status == 200  # the others go on
        go_on.set()
        while sent < 2 * MIB:
            room = 65535 + client.updates.get(1, 0) - sent
            if room < 16384:
                assert client.read()
                continue
            client.put(DataFrame(1, bytes(16384)))
            sent += 16384
        client.put(DataFrame(1, b"", flags=("END_STREAM",)))
        assert client.answer().status == 200
    assert len(upstream.one_request().body) == sent


def test_streams_share_the_window_of_their_connection(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script = say(response(bytes(60_000)))
    with FrameClient(gateway.port) as client:
        for stream in (1, 3, 5):
            client.put(client.head(stream, asked()))
        client.put(PingFrame(0, opaque_data=b"12345678"))
        client.until(lambda: sum(len(answer.body) for answer in client.answers.values()) == 65535)
        client.put(WindowUpdateFrame(0, window_increment=2**20))
        assert [len(client.answer(stream).body) for stream in (1, 3, 5)] == [60_000] * 3


def test_a_window_that_shrinks_below_nothing_is_waited_for(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script = say(response(bytes(30_000)))
    with FrameClient(gateway.port, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 10_000}) as client:
        client.put(client.head(1, asked()))
        client.until(lambda: 1 in client.answers and len(client.answers[1].body) == 10_000)
        client.put(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0}))
        client.put(WindowUpdateFrame(1, window_increment=10_000))
        assert client.ask(asked(b"/nowhere", method=b"HEAD"), stream=3).status == 404
        assert len(client.answers[1].body) == 10_000
        client.put(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 40_000}))
        assert len(client.answer(1).body) == 30_000


# Ends.


def test_rel_22_a_request_its_client_gave_up_is_given_up(gateway: Gateway, upstream: Upstream) -> None:
    ended = threading.Event()

    def wait(served: Served, _: Message) -> None:
        served.to_end()
        ended.set()

    upstream.play(wait)
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, asked()))
        until(lambda: upstream.requests)
        client.put(RstStreamFrame(1, error_code=8))
        assert ended.wait(10)
        assert client.ask(stream=3).status == 200
    assert ("client_gone", 499) in [(line["reason"], line["status"]) for line in gateway.log(2)]


def test_rel_71_an_answer_that_breaks_off_is_a_reset(gateway: Gateway, upstream: Upstream) -> None:
    def half(served: Served, _: Message) -> None:
        served.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        served.close()

    upstream.play(half)
    with FrameClient(gateway.port) as client:
        answer = client.ask()
        assert (answer.status, answer.ended, answer.reset) == (200, False, INTERNAL_ERROR)
        assert client.ask(stream=3).status == 200


def test_an_answer_before_the_end_of_the_body_tells_the_client_to_stop(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/orders/1", (b"content-length", b"1000000"), method=b"POST")
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields, "END_HEADERS"), DataFrame(1, bytes(1000)))
        client.until(lambda: 1 in client.answers and client.answers[1].reset is not None)
        assert (client.answers[1].status, client.answers[1].reset) == (401, NO_ERROR)
        client.put(DataFrame(1, bytes(1000)))  # it was on its way
        assert client.ask(stream=3).status == 200
    assert len(upstream.requests) == 1


def test_rel_19_a_body_that_does_not_come_is_not_waited_for(upstream: Upstream) -> None:
    slow = document(upstream.url, listen=BOTH_PROTOCOLS, limits={"body_idle_seconds": 0.3})
    with Gateway(slow) as gateway, FrameClient(gateway.port) as client:
        client.put(client.head(1, asked(method=b"POST"), "END_HEADERS"), DataFrame(1, b"hel"))
        assert client.answer().status == 408
        assert client.ask(stream=3).status == 200


def test_rel_19_a_head_that_does_not_end_is_not_waited_for(upstream: Upstream) -> None:
    slow = document(upstream.url, listen=BOTH_PROTOCOLS, limits={"head_seconds": 0.3})
    with Gateway(slow) as gateway, FrameClient(gateway.port) as client:
        head = client.head(1, asked(), "END_STREAM")
        head.flags.discard("END_HEADERS")
        client.put(head)
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
        assert gateway.log()[0]["reason"] == "request_slow"


def test_a_connection_nobody_uses_is_closed(upstream: Upstream) -> None:
    short = document(upstream.url, listen=BOTH_PROTOCOLS, limits={"keep_alive_seconds": 0.3})
    with Gateway(short) as gateway, FrameClient(gateway.port) as client:
        assert client.ask().status == 200
        client.until_end()
        assert client.goaways == [(1, NO_ERROR, b"idle")]


def test_a_client_that_leaves_gets_the_answers_it_waits_for(gateway: Gateway, upstream: Upstream) -> None:
    go_on = threading.Event()

    def wait(served: Served, _: Message) -> None:
        go_on.wait(10)
        served.send(response(b"late"))

    upstream.play(wait)
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, asked()), GoAwayFrame(0, last_stream_id=0, error_code=0))
        until(lambda: upstream.requests)
        go_on.set()
        assert client.answer().body == b"late"
        client.until_end()


def test_rel_4_a_gateway_that_stops_answers_what_was_asked(both: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = both
    go_on = threading.Event()

    def wait(served: Served, _: Message) -> None:
        go_on.wait(10)
        served.send(response(b"late"))

    upstream.play(wait)
    with FrameClient(gateway.port) as client, FrameClient(gateway.port) as idle:
        assert idle.ask(asked(b"/.well-known/jwks.json")).status == 200
        client.put(client.head(1, asked()))
        until(lambda: upstream.requests)
        stopping = threading.Thread(target=gateway.stop)
        stopping.start()
        client.until(lambda: client.goaways)
        assert client.goaways == [(LAST_STREAM, NO_ERROR, b"")]
        client.put(client.head(3, asked()))  # it was on its way when we said so
        client.until(lambda: len(client.goaways) == 2)
        last_stream = client.goaways[1][0]
        assert last_stream in (1, 3)
        client.put(client.head(5, asked()))
        assert client.answer(5).reset == REFUSED_STREAM
        go_on.set()
        assert client.answer(1).body == b"late"
        assert client.answer(3).reset == (REFUSED_STREAM if last_stream == 1 else None)
        client.until_end()
        idle.until_end()
        stopping.join(10)
    assert not stopping.is_alive()


def test_rel_17_a_connection_too_many_is_told_so(upstream: Upstream) -> None:
    small = document(upstream.url, listen=BOTH_PROTOCOLS, limits={"connections": 1})
    with Gateway(small) as gateway, FrameClient(gateway.port) as first:
        assert first.ask().status == 200
        with Client(gateway.port) as second:
            assert b" 503 " in second.to_end()
        assert first.ask(stream=3).status == 200


def test_rel_2_requests_of_one_connection_follow_the_document(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(b"/open/1")).status == 200
        changed = {**gateway.document, "routes": {**gateway.document["routes"]}}
        del changed["routes"]["open"]
        gateway.reload(changed)
        assert client.ask(asked(b"/open/1"), stream=3).status == 404
