"""Ends that come while something is still on its way: it is neither lost nor mixed with anything else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, PushPromiseFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from jwtgate.gateway.http2.client import ClientSession
from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE

from ..rig import Client, Gateway, gateway_and_upstream, request, response, say, until
from .frame_client import FrameClient, asked
from .frame_server import Asked, FrameServer, ServedFrames, fields_of
from .test_upstreams import gateway_to

REFUSED_STREAM, INTERNAL_ERROR, NO_ERROR = 7, 2, 0
WIDE = 2**30


@pytest.fixture
def server() -> Iterator[FrameServer]:
    with FrameServer() as server:
        yield server


@pytest.fixture
def gateway(server: FrameServer) -> Iterator[Gateway]:
    with gateway_to(server) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "end",
    [lambda served, asked: served.reset(asked, REFUSED_STREAM), lambda served, _: served.leave(0)],
    ids=["a refusal", "a farewell"],
)
def test_rel_12_a_request_whose_answer_has_begun_is_never_sent_again(
    gateway: Gateway, server: FrameServer, end: Callable[[ServedFrames, Asked], None]
) -> None:
    begun: list[tuple[ServedFrames, Asked]] = []

    def half(served: ServedFrames, asked: Asked) -> None:
        begun.append((served, asked))
        served.put(served.head(asked.stream, fields_of((b"content-length", b"100"))), DataFrame(asked.stream, b"half"))

    server.play(half)
    with Client(gateway.port) as client:
        client.send(request())
        assert client.upto(b"half") is not None
        end(*begun[0])
        assert client.to_end() == b""
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"short", b"much too long"])
def test_a_length_that_is_wrong_ends_no_other_request(gateway: Gateway, server: FrameServer, body: bytes) -> None:
    held: list[tuple[ServedFrames, Asked]] = []
    server.play(
        lambda served, asked: held.append((served, asked)),
        lambda served, asked: served.say(asked, body, (b"content-length", b"8")),
    )
    with Client(gateway.port) as good, Client(gateway.port) as bad:
        good.send(request(method="POST"))
        until(lambda: held)
        assert not bad.ask(request(method="POST")).complete
        served, asked = held[0]
        served.say(asked, b"fine")
        assert good.answer().body == b"fine"
    assert len(server.connections) == 1


@pytest.mark.parametrize("how", ["the connection", "the stream"])
def test_an_answer_that_came_whole_outlives_its_end(gateway: Gateway, server: FrameServer, how: str) -> None:
    whole, cut = 100_000, 10_000

    def answer(served: ServedFrames, asked: Asked) -> None:
        served.put(served.head(asked.stream, fields_of((b"content-length", b"%d" % whole))))
        for at in range(0, whole, cut):
            flags = ("END_STREAM",) if at + cut == whole else ()
            served.put(DataFrame(asked.stream, bytes(cut), flags=flags))
        if how == "the connection":
            served.sock.shutdown(socket.SHUT_RDWR)
        else:
            served.reset(asked, NO_ERROR)

    server.play(answer)
    server.begins_early = True
    with FrameClient(gateway.port, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as client:
        client.put(client.head(1, asked(method=b"POST"), "END_HEADERS"))
        until(lambda: server.requests and gateway.call(lambda: is_held(gateway)))
        client.put(WindowUpdateFrame(0, window_increment=WIDE), WindowUpdateFrame(1, window_increment=WIDE))
        answered = client.answer()
        assert (len(answered.body), answered.ended) == (whole, True)


def is_held(gateway: Gateway) -> bool:
    """Whether the connection to the target has no streams any more, and one of them is still being read."""
    (pool,) = gateway.embedded.worker.generation.upstreams.pools()
    return bool(pool.connections) and not any(session.streams for session in pool.sessions)  # type: ignore[attr-defined]


def test_rel_4_an_answer_is_read_to_its_end_by_a_client_that_leaves() -> None:
    whole = 1_500_000
    with gateway_and_upstream(listen=[{"address": "127.0.0.1:0", "http2": True}]) as (gateway, upstream):
        upstream.script = say(response(bytes(whole)))
        with FrameClient(gateway.port, settings={SettingsFrame.INITIAL_WINDOW_SIZE: WIDE}) as client:
            client.put(WindowUpdateFrame(0, window_increment=WIDE))
            client.put(client.head(1, asked()), GoAwayFrame(0, last_stream_id=0, error_code=NO_ERROR))
            until(lambda: gateway.embedded.worker.counters.requests)  # all of it is with the system
            reading = True
            while reading:
                client.put(WindowUpdateFrame(0, window_increment=1))
                reading = client.read()
            assert (len(client.answers[1].body), client.answers[1].ended) == (whole, True)


def test_rel_4_a_client_that_is_told_to_leave_and_does_not_holds_nobody_up(server: FrameServer) -> None:
    with gateway_to(server) as gateway, FrameClient(gateway.port) as client:
        assert client.ask().status == 200
        stopping = threading.Thread(target=gateway.stop)
        stopping.start()
        client.until_end()
        stopping.join(10)
        assert not stopping.is_alive()


def test_rel_22_nothing_is_left_of_streams_that_were_given_up(gateway: Gateway, server: FrameServer) -> None:
    server.begins_early = True
    server.script = lambda served, asked: served.put(
        served.head(asked.stream, fields_of()), DataFrame(asked.stream, bytes(500))
    )
    for _ in range(10):
        with FrameClient(gateway.port) as client:
            for stream in range(1, 100, 2):
                client.put(client.head(stream, asked(method=b"POST"), "END_HEADERS"), DataFrame(stream, bytes(500)))
            client.put(*(RstStreamFrame(stream, error_code=8) for stream in range(1, 50, 2)))
    until(lambda: gateway.call(lambda: gateway.embedded.worker.count_now().connections_open) == 0)
    until(lambda: gateway.call(lambda: gateway.embedded.worker.in_flight) == 0)
    until(lambda: gateway.call(lambda: is_at_rest(gateway)))


def is_at_rest(gateway: Gateway) -> bool:
    """Whether no stream is left, and every byte that came on one was given back to the window of its connection."""
    (pool,) = gateway.embedded.worker.generation.upstreams.pools()
    sessions: list[ClientSession] = pool.sessions  # type: ignore[attr-defined]
    windows = [session._library._inbound_flow_control_window_manager for session in sessions]
    whole = all(each.current_window_size + each._bytes_processed == each.max_window_size for each in windows)
    return whole and not pool.connections and not any(session.busy or session._waiting for session in sessions)


def test_rel_76_answers_nobody_takes_are_not_kept_for_ever() -> None:
    short = {"limits": {"keep_alive_seconds": 0.3}, "listen": [{"address": "127.0.0.1:0", "http2": True}]}
    with gateway_and_upstream(**short) as (gateway, upstream):
        upstream.script = say(response(bytes(60_000)))
        with FrameClient(gateway.port, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as client:
            client.put(*(client.head(stream, asked()) for stream in range(1, 40, 2)))
            client.until(lambda: sum(each.reset is not None for each in client.answers.values()) == 20)
            assert client.ask(asked(method=b"HEAD"), stream=41).status == 200


def test_sec_96_a_target_that_pushes_is_left(gateway: Gateway, server: FrameServer) -> None:
    def push(served: ServedFrames, asked: Asked) -> None:
        promised = served.encoder.encode([(b":method", b"GET"), (b":path", b"/x"), (b":scheme", b"http")])
        served.put(PushPromiseFrame(asked.stream, promised_stream_id=2, data=promised, flags=("END_HEADERS",)))

    server.play(push)
    with Client(gateway.port) as client:
        assert client.ask(request(method="POST")).status == 502
        assert client.ask(request()).status == 200
    assert len(server.connections) == 2


def test_a_target_that_takes_one_request_at_once_is_asked_all_of_them() -> None:
    with (
        FrameServer(settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 1}) as server,
        gateway_to(server) as gateway,
        FrameClient(gateway.port) as client,
    ):
        client.put(*(client.head(stream, asked()) for stream in range(1, 60, 2)))
        assert [client.answer(stream).status for stream in range(1, 60, 2)] == [200] * 30


def test_rel_22_a_request_that_was_answered_before_it_was_taken_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwtgate.gateway.upstream._LINGER_SECONDS", 0.1)
    with (
        FrameServer(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as server,
        gateway_to(server) as gateway,
        Client(gateway.port) as client,
    ):
        server.begins_early = True
        assert client.ask(request(method="POST", body=b"hello")).status == 200
        until(lambda: gateway.call(lambda: is_at_rest(gateway)))
        assert server.requests[0].body == b""


def reset(served: ServedFrames, asked: Asked) -> None:
    served.reset(asked, INTERNAL_ERROR)


def break_off(served: ServedFrames, _: Asked) -> None:
    with suppress(OSError):
        served.sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("fail", [reset, break_off])
def test_rel_11_streams_that_fail_together_cost_the_budget_of_retries(
    gateway: Gateway, server: FrameServer, fail: Callable[[ServedFrames, Asked], None]
) -> None:
    count, held = 40, list[tuple[ServedFrames, Asked]]()

    def fail_together(served: ServedFrames, asked: Asked) -> None:
        held.append((served, asked))
        if len(held) == count:
            served.say(held[0][1])  # the target is at work
        due = held[1:] if len(held) == count else held[count:][-1:]
        for each, its in due:
            fail(each, its)

    with FrameClient(gateway.port) as client:
        assert client.ask().status == 200  # from now on the connection is one that was used
        server.script = fail_together
        streams = range(3, 3 + 2 * count, 2)
        client.put(*(client.head(stream, asked()) for stream in streams))
        assert {client.answer(stream).status for stream in streams} == {200, 502}
    assert count < len(server.requests) - 1 <= count + LEAST_AT_ONCE
