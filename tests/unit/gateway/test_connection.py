"""A client's connection: requests in, one after the other, and every way a client can misbehave."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.messages import CUTS, STATUSES, head_of, pieces_of, status_of
from tests.unit.gateway.parts import OK, Gate, a_generation, a_plan, a_request

from jwtgate.errors import DependencyFault
from jwtgate.gateway.connection import ClientConnection

PLAN = a_plan()
TRUSTING = a_plan(trusted_proxies=["10.0.0.0/8"])


def later(seconds: float) -> float:
    return time.monotonic() + seconds


# Any bytes.

PATHS = st.text("abz019-._~", max_size=8).map(lambda text: f"/open/x{text}")
QUERIES = st.sampled_from(["", "?", "?a=b", "?a=%20&b", "?x=/../"])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
LINES = st.lists(
    st.sampled_from([b"Accept: */*", b"Cookie: a=b", b"X-Real-IP: 1", b"connection: keep-alive"]), max_size=3
)
BODIES = st.binary(max_size=40)
Wanted = tuple[bytes, bytes]


@st.composite
def good_requests(draw: st.DrawFn) -> tuple[bytes, Wanted]:
    """A well-formed request, and the request line and body that are to reach the upstream."""
    start = f"{draw(METHODS)} {draw(PATHS)}{draw(QUERIES)}".encode()
    lines, body, framing = draw(LINES), draw(BODIES), draw(st.sampled_from(["none", "length", "chunks"]))
    wanted = start.removesuffix(b"?") + b" HTTP/1.1"
    if framing == "none":
        return a_request(*lines, start=start), (wanted, b"")
    if framing == "length":
        return a_request(*lines, b"Content-Length: %d" % len(body), start=start, body=body), (wanted, body)
    half = len(body) // 2
    parts = [part for part in (body[:half], body[half:]) if part]
    framed = b"".join(b"%X;x=y\r\n%b\r\n" % (len(part), part) for part in parts) + b"00\r\nX-User-Id: mallory\r\n\r\n"
    return a_request(*lines, b"Transfer-Encoding: chunked", start=start, body=framed), (wanted, body)


@settings(max_examples=150, deadline=None)
@given(st.lists(good_requests(), min_size=1, max_size=4), CUTS)
def test_sec_90_each_whole_request_is_forwarded_exactly_once_however_it_comes(
    requests: list[tuple[bytes, Wanted]], cuts: list[int]
) -> None:
    gate = Gate(a_generation(PLAN))
    seen = gate.serve(pieces_of(b"".join(raw for raw, _ in requests), cuts))
    assert [(first, body) for first, _, body in seen] == [wanted for _, wanted in requests]
    assert gate.outcomes == [(200, "")] * len(requests)
    assert not gate.transport.is_closing()


@settings(max_examples=150, deadline=None)
@given(st.lists(good_requests(), max_size=2), st.binary(min_size=1, max_size=80), CUTS)
def test_any_bytes_behind_whole_requests_are_refused_or_waited_on(
    requests: list[tuple[bytes, Wanted]], rest: bytes, cuts: list[int]
) -> None:
    gate = Gate(a_generation(PLAN))
    seen = gate.serve(pieces_of(b"".join(raw for raw, _ in requests) + rest, cuts))
    assert [(first, body) for first, _, body in seen] == [wanted for _, wanted in requests]
    assert all(status in STATUSES for status, _ in gate.outcomes)
    assert [reason for _, reason in gate.outcomes][: len(requests)] == [""] * len(requests)
    assert gate.transport.ended is (len(gate.outcomes) > len(requests))


# What is refused before it is a request.


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431, "request_head_too_large"),
        (a_request(*[b"X: 1"] * 100), 431, "request_head_too_large"),
        (a_request(start=b"GET /" + b"a" * 9000), 431, "request_head_too_large"),
        (a_request(start=b"BREW /open/a"), 501, "method_refused"),
        (a_request(start=b"TRACE /open/a"), 501, "method_refused"),
        (b"CONNECT gate.example:443 HTTP/1.1\r\nHost: gate.example:443\r\n\r\n", 501, "method_refused"),
        (b"\x16\x03\x01", 400, "request_malformed"),
        (b"\r\rGET", 400, "request_malformed"),
        (a_request(b"Host: other.example"), 400, "request_malformed"),
    ],
)
def test_sec_95_a_head_that_is_refused_ends_the_connection(sent: bytes, status: int, reason: str) -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(sent)
    got = gate.transport.take()
    assert status_of(got) == status
    assert head_of(got)[1][b"connection"] == b"close"
    assert gate.outcomes == [(status, reason)]
    assert gate.transport.ended or gate.transport.closed
    gate.send(a_request())
    assert (gate.transport.take(), gate.pool.made) == (b"", [])


@pytest.mark.parametrize(
    "pieces", [[b"\r\n\r\n" + a_request()], [b"\r", b"\n", a_request()], [b"\r\n\r", b"\n" + a_request()]]
)
def test_blank_lines_ahead_of_a_request_mean_nothing(pieces: list[bytes]) -> None:
    gate = Gate(a_generation(PLAN))
    assert len(gate.serve(pieces)) == 1
    assert gate.outcomes == [(200, "")]


def test_sec_92_a_chunked_body_that_breaks_off_is_refused_and_its_request_dropped() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(
        a_request(b"Transfer-Encoding: chunked", start=b"POST /open/a", body=b"1\r\na\r\n"), b"x\r\n" + a_request()
    )
    assert gate.outcomes == [(400, "request_malformed")]
    assert gate.wire.aborted
    assert (gate.transport.ended, len(gate.pool.made)) == (True, 1)


# Requests ahead of their turn.


def test_rel_16_requests_ahead_of_their_turn_stop_the_reading() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request() + a_request(start=b"GET /open/b") + b"GET /op")
    assert not gate.transport.reading
    assert gate.wire.take().startswith(b"GET /open/a ")
    gate.answer(OK)
    assert not gate.transport.reading
    assert gate.wire.take().startswith(b"GET /open/b ")
    gate.answer(OK)
    assert gate.transport.reading
    gate.send(b"en/c HTTP/1.1\r\nHost: a\r\n\r\n")
    assert gate.wire.take().startswith(b"GET /open/c ")


def test_rel_16_a_client_that_takes_nothing_is_not_read_from() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.pause_writing()
    gate.send(a_request())
    assert (gate.transport.reading, gate.pool.made) == (False, [])
    gate.client.resume_writing()
    gate.settle()
    assert (gate.transport.reading, len(gate.pool.made)) == (True, 1)
    assert 0 < gate.transport.high <= 256 * 1024


def test_a_client_that_resumes_with_nothing_ahead_goes_on() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.pause_writing()
    gate.client.resume_writing()
    assert gate.serve([a_request()])


def test_what_is_ahead_waits_while_the_client_takes_nothing() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request() + a_request())
    gate.client.pause_writing()
    gate.answer(OK)
    assert (gate.outcomes, gate.transport.reading) == ([(200, "")], False)
    gate.client.resume_writing()
    gate.settle()
    gate.answer(OK)
    assert gate.outcomes == [(200, "")] * 2


def test_rel_16_an_upstream_is_not_read_from_for_a_client_that_took_nothing_before_there_was_one() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.data_received(a_request())
    gate.client.pause_writing()
    gate.client.resume_writing()
    gate.client.pause_writing()
    gate.settle()
    gate.answer(OK[:-1])
    assert not gate.wire.reading
    gate.client.resume_writing()
    assert gate.wire.reading


# Ends.


def test_an_exchange_that_is_over_cannot_end_the_next() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(a_request())
    gate.desk.done[0].cut(DependencyFault("internal"))
    assert not gate.transport.is_closing()
    gate.answer(OK)
    assert gate.outcomes == [(200, ""), (200, "")]


def test_rel_22_a_client_that_ends_its_side_during_a_request_is_gone() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request())
    assert gate.client.eof_received() is None
    gate.settle()
    assert (gate.transport.aborted, gate.wire.aborted) == (True, True)
    assert gate.outcomes == [(499, "client_gone")]


def test_a_client_that_ends_its_side_between_requests_just_goes() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.eof_received()
    assert not gate.transport.aborted
    gate.send(a_request())
    assert gate.pool.made == []
    gate.client.connection_lost(None)
    assert (gate.desk.open, gate.outcomes) == ([], [])


def test_bytes_behind_a_refusal_are_dropped_within_bounds() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(b"\x00", *[b"x" * 16_384] * 4)
    assert gate.transport.reading
    gate.send(b"x")
    assert not gate.transport.reading
    gate.client.check_time(later(1))
    assert not gate.transport.closed
    gate.client.check_time(later(3))
    assert gate.transport.closed


def test_a_connection_on_hold_is_read_again_so_that_its_last_answer_arrives() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.data_received(a_request(b"Content-Length: 99999", start=b"POST /open/a", body=b"abc"))
    assert not gate.transport.reading
    gate.client.check_time(later(3600))
    assert gate.outcomes == [(504, "upstream_slow")]
    assert (gate.transport.reading, gate.transport.ended) == (True, True)
    gate.desk.run_tasks()


def test_a_transport_that_cannot_end_one_side_is_left_to_the_clock() -> None:
    gate = Gate(a_generation(PLAN))
    gate.transport.can_write_eof = lambda: False  # type: ignore[method-assign]
    gate.send(b"\x00")
    assert not gate.transport.ended
    gate.client.check_time(later(3))
    assert gate.transport.closed


def test_a_close_that_is_not_taken_is_forced() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.close()
    gate.client.check_time(later(PLAN.limits.keep_alive_seconds - 1))
    assert not gate.transport.aborted
    gate.client.check_time(later(PLAN.limits.keep_alive_seconds + 1))
    assert gate.transport.aborted


def test_sec_95_a_head_that_does_not_come_is_a_408() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(b"GET / HT")
    gate.client.check_time(later(9))
    assert gate.outcomes == []
    gate.client.check_time(later(11))
    assert gate.outcomes == [(408, "request_slow")]
    assert gate.transport.ended


def test_sec_95_a_later_head_has_no_more_time_than_the_first() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(b"GET")
    gate.client.check_time(time.monotonic())
    gate.client.check_time(later(11))
    assert gate.outcomes[-1] == (408, "request_slow")


def test_sec_95_a_connection_nobody_uses_is_closed_without_a_word() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.client.check_time(later(59))
    assert not gate.transport.closed
    gate.client.check_time(later(61))
    assert gate.transport.closed
    assert (gate.transport.take(), len(gate.outcomes)) == (b"", 1)


def test_rel_4_an_idle_connection_closes_when_we_stop_and_a_busy_one_when_it_is_done() -> None:
    idle, busy = Gate(a_generation(PLAN)), Gate(a_generation(PLAN))
    busy.send(a_request()).answer(OK[:-1])
    for gate in (idle, busy):
        gate.desk.draining = True
        gate.client.leave()
    assert (idle.transport.closed, busy.transport.closed) == (True, False)
    busy.answer(OK[-1:])
    assert busy.transport.closed


def test_an_answer_that_is_broken_off_cannot_look_complete() -> None:
    during, idle = Gate(a_generation(PLAN)), Gate(a_generation(PLAN))
    during.send(a_request()).answer(OK[:-1])
    for gate in (during, idle):
        gate.client.abort()
        assert gate.transport.aborted
    assert (len(during.transport.socket.options), len(idle.transport.socket.options)) == (1, 0)


# What the upstream is told.


def test_sec_114_the_upstream_is_told_of_the_client_as_we_see_it() -> None:
    gate = Gate(a_generation(PLAN))
    told = []
    for host in (b"gate.example", b"other.example:8080", b"other.example:8080"):
        ((_, fields, _),) = gate.serve([a_request(b"X-Forwarded-Host: evil").replace(b"gate.example", host)])
        told.append([fields[b"x-forwarded-" + name] for name in (b"for", b"proto", b"host")])
    assert [line[2] for line in told] == [b"gate.example", b"other.example:8080", b"other.example:8080"]
    assert all(line[:2] == [b"192.0.2.7", b"http"] for line in told)


TOLD = {"x_real_ip": True, "forwarded_port": True, "forwarded_path": True}
MORE = (b"x-real-ip", b"x-forwarded-port", b"x-forwarded-path", b"x-forwarded-prefix")


def test_sec_114_an_upstream_that_asks_is_told_more_and_never_by_a_client() -> None:
    route = {"path": "/open/*", "auth": "none", "upstream": "echo", "rewrite": {"strip_matched_prefix": True}}
    upstream = {"targets": ["http://127.0.0.1:9"], **TOLD}
    gate = Gate(a_generation(a_plan(upstreams={"echo": upstream}, routes={"open": route})))
    gate.transport.known["sockname"] = ("127.0.0.1", 8080)
    gate.client.connection_made(gate.transport)  # type: ignore[arg-type]
    lines = (b"X-Real-IP: 6.6.6.6", b"X-Forwarded-Port: 1", b"X-Forwarded-Path: /evil", b"X-Forwarded-Prefix: /evil")
    ((_, fields, _),) = gate.serve([a_request(*lines)])
    assert [fields[name] for name in MORE] == [b"192.0.2.7", b"8080", b"/open/a", b"/open"]


def test_a_client_without_an_address_is_nobody_trusted() -> None:
    gate = Gate(a_generation(TRUSTING))
    gate.transport.known["peername"] = ""
    gate.client.connection_made(gate.transport)  # type: ignore[arg-type]
    assert (gate.client.client, gate.client.trusted) == ("", False)


def test_a_new_generation_is_followed_from_the_next_request_on() -> None:
    gate = Gate(a_generation(PLAN), peer="10.0.0.1")
    gate.send(a_request(b"X-Real-IP: 1.2.3.4"))
    assert b"X-Forwarded-Proto" in gate.wire.sent
    gate.desk.generation = following = a_generation(TRUSTING, number=2)
    assert b"X-Real-IP" not in gate.wire.take()
    gate.answer(OK)
    gate.generation = following
    ((_, fields, _),) = gate.serve([a_request(b"X-Real-IP: 1.2.3.4")])
    assert fields[b"x-real-ip"] == b"1.2.3.4"
    assert b"x-forwarded-proto" not in fields
    assert [exchange.generation.number for exchange in gate.desk.done] == [1, 2]


@pytest.mark.parametrize(("cause", "lost"), [(ClientConnection.UPSTREAM, True), (ClientConnection.QUEUE, False)])
def test_rel_22_a_client_that_goes_while_nothing_is_read_of_it_is_missed(cause: int, lost: bool) -> None:
    gate = Gate()
    gate.idle()
    gate.send(a_request(b"Content-Length: 10", start=b"POST /open/a", body=b"x"))
    gate.client.hold(cause)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        gate.transport.known["socket"] = ours
        gate.client.check_time(time.monotonic())
        assert not gate.transport.is_closing()
        theirs.shutdown(socket.SHUT_WR)
        gate.client.check_time(time.monotonic())
        gate.settle()
    # Requests that wait may still be answered; a body that waits is nobody's any more.
    assert gate.transport.aborted is lost
    assert gate.outcomes == ([(499, "client_gone")] if lost else [])
