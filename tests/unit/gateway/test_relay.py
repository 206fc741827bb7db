"""Bodies on their way through: nothing is held as a whole, and nobody is waited for too long."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from tests.unit.gateway.messages import status_of
from tests.unit.gateway.parts import DOCUMENT, OK, Gate, a_generation, a_plan, a_request

from jwtgate.errors import UpstreamFault

LENGTH_10 = b"Content-Length: 10"
CHUNKED = b"Transfer-Encoding: chunked"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
POST = b"POST /open/a"
PLAN = a_plan(
    routes={"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "body_limit_bytes": 10}},
    limits={"body_idle_seconds": 30, "body_least_bytes_per_second": 0},
)


def posted(*lines: bytes, body: bytes = b"") -> Gate:
    """A request with the beginning of a body, whose head the upstream has."""
    gate = Gate(a_generation(PLAN))
    gate.idle()
    gate.send(a_request(*lines, start=POST, body=body))
    return gate


def body_of(gate: Gate) -> bytes:
    """What the upstream got since it was asked last, without its head."""
    sent = gate.wire.take()
    return sent.partition(b"\r\n\r\n")[2] if sent.startswith(b"POST ") else sent


def later(seconds: float) -> float:
    return time.monotonic() + seconds


def test_rel_16_a_body_is_passed_on_piece_by_piece() -> None:
    gate = posted(LENGTH_10, body=b"123")
    assert body_of(gate) == b"123"
    gate.send(b"4567")
    assert body_of(gate) == b"4567"
    gate.send(b"890")
    assert body_of(gate) == b"890"
    assert status_of(gate.answer(OK)) == 200
    assert not gate.wire.is_closing()


def test_sec_92_a_chunked_body_is_put_into_chunks_of_ours() -> None:
    gate = posted(CHUNKED, body=b"0003;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX-User-Id: mallory\r\n\r\n")
    assert body_of(gate) == b"4\r\nabcd\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "body", "sent"),
    [(LENGTH_10, b"1234567890", b"1234567890"), (CHUNKED, b"1\r\na\r\n0\r\n\r\n", b"1\r\na\r\n0\r\n\r\n")],
)
def test_a_body_waits_for_an_upstream_that_is_not_connected_yet(line: bytes, body: bytes, sent: bytes) -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.data_received(a_request(line, start=POST, body=body))
    assert not gate.transport.reading
    gate.settle()
    assert body_of(gate) == sent
    assert gate.transport.reading
    assert status_of(gate.answer(OK)) == 200


def test_rel_16_a_body_that_is_read_first_takes_no_more_room_in_small_pieces() -> None:
    first = {"path": "/open/*", "auth": "none", "upstream": "echo", "body_read_before_decision_bytes": 100_000}
    gate = Gate(a_generation(a_plan(routes={"open": first})))
    gate.idle()
    gate.send(a_request(b"Content-Length: 40000", start=POST))
    tracemalloc.start()
    for number in range(19_999):
        gate.client.data_received(number.to_bytes(2, "big"))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 200_000
    gate.send(b"zz")
    assert body_of(gate) == b"".join(number.to_bytes(2, "big") for number in range(19_999)) + b"zz"


def test_sec_95_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    good, long, chunked = posted(LENGTH_10), posted(b"Content-Length: 11"), posted(CHUNKED, body=b"A\r\n1234567890\r\n")
    assert good.outcomes == []
    assert long.outcomes == [(413, "request_too_large")]
    assert chunked.outcomes == []
    chunked.send(b"1\r\nx\r\n")
    assert chunked.outcomes == [(413, "request_too_large")]
    assert chunked.wire.aborted
    assert chunked.transport.ended


def test_sec_99_a_small_rest_of_an_unwanted_body_is_read_and_dropped() -> None:
    gate = Gate()
    gate.send(a_request(LENGTH_10, start=b"POST /orders/1", body=b"123"))
    assert gate.outcomes == [(401, "credential_missing")]
    assert not gate.transport.ended
    gate.send(b"4567890" + a_request())
    assert gate.wire.take().startswith(b"GET /open/a ")


def test_sec_99_what_follows_an_unwanted_body_is_never_inside_it() -> None:
    inner = a_request()
    gate = Gate()
    gate.send(a_request(b"Content-Length: %d" % len(inner), start=b"POST /orders/1", body=inner))
    assert gate.outcomes == [(401, "credential_missing")]
    assert gate.pool.made == []


@pytest.mark.parametrize("lines", [(b"Content-Length: 70000",), (CHUNKED,), (LENGTH_10, b"Expect: 100-continue")])
def test_sec_99_a_long_or_unknown_rest_ends_the_connection(lines: tuple[bytes, ...]) -> None:
    gate = Gate()
    gate.send(a_request(*lines, start=b"POST /orders/1"))
    assert b"Connection: close\r\n" in gate.transport.take()
    assert gate.transport.ended
    gate.send(a_request())
    assert gate.pool.made == []


def test_sec_99_an_unwanted_rest_is_waited_for_a_moment_only() -> None:
    gate = Gate()
    gate.send(a_request(LENGTH_10, start=b"POST /orders/1", body=b"123"))
    gate.client.check_time(later(1))
    assert not gate.transport.ended
    gate.client.check_time(later(3))
    assert gate.transport.ended
    assert gate.outcomes == [(401, "credential_missing")]


def test_who_goes_while_an_unwanted_rest_is_waited_for_is_counted_once() -> None:
    gate = Gate()
    gate.send(a_request(LENGTH_10, start=b"POST /orders/1", body=b"123"))
    gate.transport.abort()
    gate.settle()
    assert gate.outcomes == [(401, "credential_missing")]


@pytest.mark.parametrize("length", [b"9", b"99999"])
def test_an_unwanted_rest_is_read_although_the_body_was_on_hold(length: bytes) -> None:
    gate = Gate()
    gate.pool.failures.append(UpstreamFault("upstream_unreachable"))
    gate.client.data_received(a_request(b"Content-Length: " + length, start=POST, body=b"123"))
    assert not gate.transport.reading
    gate.settle()
    assert gate.outcomes == [(502, "upstream_unreachable")]
    assert (gate.transport.reading, gate.transport.ended) == (True, length == b"99999")


@pytest.mark.parametrize("length", [b"9", b"99999"])
def test_an_upstream_that_answers_while_it_takes_nothing_leaves_the_client_readable(length: bytes) -> None:
    gate = Gate()
    gate.send(a_request(b"Content-Length: " + length, start=POST, body=b"123"))
    gate.upstream.pause_writing()
    gate.answer(OK)
    assert gate.outcomes == [(200, "")]
    assert (gate.transport.reading, gate.transport.ended) == (True, length == b"99999")


def test_an_upstream_that_answers_early_leaves_the_rest_of_a_small_body() -> None:
    gate = posted(LENGTH_10, body=b"123")
    gate.answer(OK)
    assert gate.wire.aborted
    gate.send(b"4567890" + a_request())
    assert gate.wire.take().startswith(b"GET /open/a ")


def test_who_waits_for_word_is_told_to_go_on_once_there_is_an_upstream() -> None:
    gate = Gate(a_generation(PLAN))
    gate.client.data_received(a_request(LENGTH_10, b"Expect: 100-continue", start=POST))
    assert gate.transport.take() == b""
    gate.settle()
    assert gate.transport.take() == CONTINUE
    assert b"xpect" not in gate.wire.take()
    gate.send(b"1234567890")
    assert body_of(gate) == b"1234567890"


def test_who_has_begun_already_needs_no_word() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request(LENGTH_10, b"Expect: 100-continue", start=POST, body=b"123"))
    assert gate.transport.take() == b""


def test_sec_95_a_body_that_pauses_too_long_is_a_408() -> None:
    gate = posted(LENGTH_10, body=b"123")
    gate.client.check_time(later(29))
    assert gate.outcomes == []
    gate.client.check_time(later(31))
    assert gate.outcomes == [(408, "request_slow")]
    assert gate.wire.aborted
    assert gate.transport.ended


def test_sec_95_a_body_that_trickles_is_a_408() -> None:
    gate = Gate(a_generation(a_plan(limits={"body_idle_seconds": 3600, "body_least_bytes_per_second": 100})))
    gate.idle()
    gate.send(a_request(b"Content-Length: 5000", start=POST, body=b"x" * 1000))
    gate.client.check_time(later(19))
    assert gate.outcomes == []
    gate.client.check_time(later(21))
    assert gate.outcomes == [(408, "request_slow")]


def test_a_piece_in_time_gives_more_time() -> None:
    gate = posted(LENGTH_10, body=b"123")
    upload = gate.client._upload
    assert upload is not None
    upload.deadline = 0.0
    gate.send(b"4")
    assert upload.deadline > later(29)


def test_rel_10_an_upstream_that_takes_no_more_is_slow_not_the_client() -> None:
    gate = posted(LENGTH_10, body=b"123")
    gate.upstream.pause_writing()
    gate.client.check_time(later(31))
    assert gate.outcomes == [(504, "upstream_slow")]


def test_the_time_an_upstream_took_is_not_the_clients() -> None:
    gate = posted(LENGTH_10, body=b"123")
    gate.upstream.pause_writing()
    upload = gate.client._upload
    assert upload is not None
    held_since = upload._since
    upload._held_since -= 100
    gate.upstream.resume_writing()
    assert upload._since >= held_since + 100
    assert not upload.is_late(later(1))


def test_a_complete_body_is_not_waited_for() -> None:
    gate = posted(LENGTH_10, body=b"1234567890")
    gate.client.check_time(later(31))
    assert gate.outcomes == [(504, "upstream_slow")]


TRAILERS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: a\r\nX-User-Id: m\r\nTe: b\r\n\r\n"
)


@pytest.mark.parametrize(
    ("passing", "end"), [([], b"0\r\n\r\n"), (["X-Sum"], b"0\r\nx-sum: a\r\n\r\n"), (["x-user-id"], b"0\r\n\r\n")]
)
def test_sec_112_trailers_pass_by_name_and_never_say_who_somebody_is(passing: list[str], end: bytes) -> None:
    routes = {"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "trailers": passing}}
    gate = Gate(a_generation(a_plan(routes={**routes, "orders": DOCUMENT["routes"]["orders"]})))
    gate.send(a_request())
    gate.upstream.data_received(TRAILERS)
    head, _, body = gate.transport.take().partition(b"\r\n\r\n")
    assert body == b"2\r\nok\r\n" + end
    assert b"x-sum" not in head.lower()


def test_a_call_may_be_silent_where_anything_else_may_not() -> None:
    upstreams = {"echo": {"targets": ["http://127.0.0.1:9020"], "protocol": "http2"}}
    routes = {"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "grpc": True}}
    for kind, late in (("application/grpc", False), ("text/plain", True)):
        gate = Gate(a_generation(a_plan(upstreams=upstreams, routes=routes)))
        gate.send(a_request(CHUNKED, b"Content-Type: " + kind.encode(), start=POST), b"1\r\nx\r\n")
        exchange = gate.client._exchange
        assert exchange is not None
        assert exchange.upload is not None
        assert exchange.upload.is_late(exchange.started + 20.0) is late
