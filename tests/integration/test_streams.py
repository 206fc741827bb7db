"""Large and slow bodies, and clients that go away (REL-16, 19, 22)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .rig import (
    PIECE,
    Client,
    Flow,
    Gateway,
    Message,
    Served,
    Upstream,
    gateway_and_upstream,
    request,
    response,
    say,
    until,
)

MIB = 1024 * 1024
WHOLE = 100 * MIB
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Watched:
    """How far the resident memory of this process grows inside `with`."""

    def __enter__(self) -> Watched:
        self.grown = 0
        self._began = resident_bytes()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.grown = max(self.grown, resident_bytes() - self._began)


@pytest.fixture
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(routes={"open": {"body_limit_bytes": 2 * WHOLE}}) as both:
        yield both


def of_length(flow: Flow) -> Callable[[Served, Message], None]:
    def script(served: Served, _: Message) -> None:
        served.send(response(b"", length=WHOLE))
        flow.pour(served, WHOLE)

    return script


def to_the_end(flow: Flow) -> Callable[[Served, Message], None]:
    def script(served: Served, _: Message) -> None:
        served.send(b"HTTP/1.1 200 OK\r\n\r\n")
        flow.pour(served, WHOLE)
        served.close()

    return script


def test_rel_16_a_download_of_100_mib_streams_in_bounded_memory(both: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = both
    poured, drunk = Flow(), Flow()
    upstream.script = of_length(poured)
    with Watched() as memory, Client(gateway.port) as client:
        client.send(request())
        assert (client.upto(b"\r\n\r\n") or b"").startswith(b"HTTP/1.1 200 ")
        drunk.drink(client, WHOLE)
    assert drunk.moved == WHOLE
    assert memory.grown < 32 * MIB


def test_rel_16_a_download_that_ends_with_its_connection_streams_as_chunks(both: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = both
    upstream.script = to_the_end(Flow())
    with Watched() as memory, Client(gateway.port) as client:
        client.send(request())
        assert b"chunked" in (client.upto(b"\r\n\r\n") or b"")
        moved = 0
        while size := int(client.upto(b"\r\n") or b"", 16):
            moved += len(client.exactly(size)[0])
            client.exactly(2)
        assert moved == WHOLE
    assert memory.grown < 32 * MIB


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_rel_16_an_upload_of_100_mib_streams_in_bounded_memory(framing: str) -> None:
    drunk = Flow()
    size = len(PIECE)

    def swallow(served: Served) -> None:
        served.upto(b"\r\n\r\n")
        if framing == "length":
            drunk.drink(served, WHOLE)
        else:
            while count := int(served.upto(b"\r\n") or b"", 16):
                drunk.moved += len(served.exactly(count)[0])
                served.exactly(2)
            served.exactly(2)
        served.send(response())

    with gateway_and_upstream(routes={"open": {"body_limit_bytes": 2 * WHOLE}}) as (gateway, upstream):
        upstream.on_connect = swallow
        with Watched() as memory, Client(gateway.port) as client:
            if framing == "length":
                client.send(request("/open/a", f"Content-Length: {WHOLE}", method="POST"))
                Flow().pour(client, WHOLE)
            else:
                client.send(request("/open/a", "Transfer-Encoding: chunked", method="POST"))
                for _ in range(WHOLE // size):
                    client.sock.sendall(b"%x\r\n%b\r\n" % (size, PIECE))
                client.sock.sendall(b"0\r\n\r\n")
            assert client.answer().status == 200
    assert drunk.moved == WHOLE
    assert memory.grown < 32 * MIB


def test_rel_16_a_reader_that_pauses_pauses_the_upstream(both: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = both
    poured, drunk = Flow(), Flow()
    upstream.script = of_length(poured)
    with Watched() as memory, Client(gateway.port) as client:
        client.send(request())
        until(lambda: poured.moved)
        until(poured.stuck)
        assert poured.moved < WHOLE // 2
        client.upto(b"\r\n\r\n")
        drunk.drink(client, WHOLE)
        assert drunk.moved == WHOLE
    assert memory.grown < 32 * MIB


def test_rel_16_an_upstream_that_pauses_pauses_the_client(both: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = both
    poured, drunk, go_on = Flow(), Flow(), threading.Event()

    def wait(served: Served) -> None:
        served.upto(b"\r\n\r\n")
        go_on.wait(20)
        drunk.drink(served, WHOLE)
        served.send(response())

    upstream.on_connect = wait
    with Watched() as memory, Client(gateway.port) as client:
        client.send(request("/open/a", f"Content-Length: {WHOLE}", method="POST"))
        pouring = threading.Thread(target=poured.pour, args=[client, WHOLE])
        pouring.start()
        until(lambda: poured.moved)
        until(poured.stuck)
        assert poured.moved < WHOLE // 2
        go_on.set()
        pouring.join()
        assert client.answer().status == 200
    assert drunk.moved == WHOLE
    assert memory.grown < 32 * MIB


def test_rel_19_the_slowness_of_an_upstream_is_not_the_clients() -> None:
    size, idle_seconds = 20 * MIB, 1.0
    drunk = Flow()

    def pause(served: Served) -> None:
        served.upto(b"\r\n\r\n")
        time.sleep(1.5 * idle_seconds)
        drunk.drink(served, size)
        served.send(response())

    routes = {"open": {"body_limit_bytes": size}}
    limits = {"body_idle_seconds": idle_seconds}
    with gateway_and_upstream(routes=routes, limits=limits) as (gateway, upstream), Client(gateway.port) as client:
        upstream.on_connect = pause
        client.send(request("/open/a", f"Content-Length: {size}", method="POST"))
        Flow().pour(client, size)
        assert client.answer().status == 200


def test_rel_10_an_upstream_that_takes_nothing_of_a_body_is_a_504() -> None:
    upstreams, over = {"echo": {"first_byte_seconds": 0.4}}, threading.Event()
    with gateway_and_upstream(upstreams=upstreams) as (gateway, upstream), Client(gateway.port) as client:
        upstream.on_connect = lambda served: over.wait(10)
        pouring = threading.Thread(target=client.send, args=[request(method="POST", body=b"x" * 10 * MIB)])
        pouring.start()
        assert client.answer().status == 504
        over.set()
        pouring.join()


def test_rel_16_a_client_that_only_writes_is_not_read_for_ever(both: tuple[Gateway, Upstream]) -> None:
    gateway, _ = both
    asked = Flow()
    many = request("/nowhere") * 500

    def ask() -> None:
        while True:
            try:
                client.sock.sendall(many)
            except OSError:
                return
            asked.moved += len(many)

    with Watched() as memory, Client(gateway.port) as client:
        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: asked.moved and asked.stuck())
        for _ in range(1000):
            assert client.answer().status == 404
        client.sock.shutdown(2)
        asking.join()
    assert memory.grown < 32 * MIB


# Slow clients.

HURRIED = {"head_seconds": 0.4, "body_idle_seconds": 0.4, "keep_alive_seconds": 0.6}


@pytest.fixture(scope="module")
def hurried() -> Iterator[tuple[Gateway, Upstream]]:
    upstreams = {"echo": {"idle_seconds": 0.5}}
    with gateway_and_upstream(limits=HURRIED, upstreams=upstreams) as both:
        yield both


@pytest.fixture
def client(hurried: tuple[Gateway, Upstream]) -> Iterator[Client]:
    hurried[1].forget()
    hurried[1].script = say(response())
    with Client(hurried[0].port) as client:
        yield client


def open_connections(gateway: Gateway) -> int:
    return gateway.call(lambda: gateway.embedded.worker.count_now().connections_open)


@pytest.mark.parametrize("first", [b"", request()], ids=["first", "second"])
def test_rel_19_a_slow_head_is_a_408(client: Client, first: bytes) -> None:
    if first:
        assert client.ask(first).status == 200
    endless = iter(request("/open/" + "a" * 1000))
    while not client.has_news():
        client.send(bytes([next(endless)]))
        time.sleep(0.02)
    answer = client.answer()
    assert (answer.status, answer.value("Connection")) == (408, "close")
    assert client.ended() in ("eof", "reset")


def test_rel_19_a_slow_first_byte_ends_the_connection(client: Client) -> None:
    assert client.ended() == "eof"


def test_rel_19_blank_lines_buy_no_time(client: Client) -> None:
    until(lambda: client.send(b"\r\n") or client.has_news())
    assert client.ended() in ("eof", "reset")


def test_rel_19_an_unused_connection_ends(client: Client) -> None:
    assert client.ask(request()).status == 200
    assert client.ended() == "eof"


@pytest.mark.parametrize("fields", ["Content-Length: 10", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/open/a", "/livez"])
def test_rel_19_a_slow_body_is_cut(hurried: tuple[Gateway, Upstream], client: Client, fields: str, path: str) -> None:
    client.send(request(path, fields, method="POST") + b"1\r\n")
    answer = client.answer()
    assert answer.status == (408 if path == "/open/a" else 501)
    assert client.ended() in ("eof", "reset")
    until(lambda: all(served.end for served in hurried[1].connections if not served.requests))


def test_rel_19_an_unwanted_body_that_never_comes_is_not_waited_for(client: Client) -> None:
    client.send(request("/nowhere", "Content-Length: 10", method="POST"))
    assert client.answer().status == 404
    assert client.ended() in ("eof", "reset")


def test_rel_19_a_reader_that_stops_is_cut_and_named() -> None:
    hurried = {"echo": {"idle_seconds": 0.5}}
    both = gateway_and_upstream(of_length(Flow()), upstreams=hurried)
    with both as (gateway, upstream), Client(gateway.port) as client:
        client.send(request())
        until(lambda: upstream.connections and upstream.connections[0].end)
        (line,) = gateway.log()
        assert (line["status"], line["reason"]) == (200, "client_slow")
        until(lambda: open_connections(gateway) == 0)


def test_rel_19_an_answer_nobody_takes_is_not_kept_for_ever() -> None:
    answer = say(response(b"x" * 60_000))
    with gateway_and_upstream(answer, limits=HURRIED) as (gateway, _), Client(gateway.port) as client:
        # Together more than the buffers of the sockets hold, each too little to be waited for.
        client.send(request() * 400)
        until(lambda: open_connections(gateway) == 0)


# Clients that go.


def silent(served: Served, _: Message) -> None:
    served.to_end()


@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["close", "reset"])
def test_rel_22_a_client_that_goes_takes_its_request_with_it(
    hurried: tuple[Gateway, Upstream], leave: Callable[[Client], None]
) -> None:
    gateway, upstream = hurried
    upstream.forget()
    upstream.script = silent
    with Client(gateway.port) as client:
        client.send(request())
        until(lambda: upstream.requests)
        leave(client)
        (served,) = [each for each in upstream.connections if upstream.requests[0] in each.requests]
        until(lambda: served.end)
    until(lambda: gateway.log()[-1]["reason"] == "client_gone")


def test_rel_22_a_client_that_goes_in_its_upload_takes_it_with_it(hurried: tuple[Gateway, Upstream]) -> None:
    gateway, upstream = hurried
    upstream.forget()
    with Client(gateway.port) as client:
        before = len(upstream.connections)
        client.send(request("/open/a", "Content-Length: 100", method="POST") + b"x")
    until(lambda: all(each.end for each in upstream.connections[before:]))
    assert upstream.requests == []


def test_a_request_is_finished_while_the_gateway_stops() -> None:
    started, finish = threading.Event(), threading.Event()

    def later(served: Served, _: Message) -> None:
        started.set()
        finish.wait(10)
        served.send(response(b"done"))

    with gateway_and_upstream(later) as (gateway, _), Client(gateway.port) as client, Client(gateway.port) as idle:
        client.send(request())
        started.wait(10)
        stopping = threading.Thread(target=gateway.stop)
        stopping.start()
        assert idle.ended() == "eof"
        finish.set()
        answer = client.answer()
        assert (answer.body, answer.value("Connection")) == (b"done", "close")
        stopping.join()
