"""What ends because it has taken too long, and what does not."""

from __future__ import annotations

import pytest
from tests.unit.gateway.parts import Gate, a_generation, a_plan, a_request

UPSTREAMS = {"echo": {"targets": ["http://127.0.0.1:9020"], "protocol": "http2", "first_byte_seconds": 5}}
CALL = (b"Content-Type: application/grpc", b"Transfer-Encoding: chunked")


def a_gate(**route: object) -> Gate:
    plan = a_plan(
        upstreams=UPSTREAMS,
        routes={"open": {"path": "/open/*", "auth": "none", "upstream": "echo", **route}},
    )
    return Gate(a_generation(plan))


def late_by(gate: Gate, seconds: float) -> bytes:
    """What the client got so much later."""
    gate.client.check_time(gate.client._exchange.started + seconds)  # type: ignore[union-attr]
    return gate.transport.take()


def test_a_request_ends_at_its_limit() -> None:
    gate = a_gate(request_seconds=3).send(a_request())
    assert late_by(gate, 2.9) == b""
    assert late_by(gate, 3.1).startswith(b"HTTP/1.1 504 ")


def test_an_upstream_that_does_not_answer_ends_it() -> None:
    gate = a_gate().send(a_request())
    assert late_by(gate, 4.9) == b""
    assert late_by(gate, 7.1).startswith(b"HTTP/1.1 504 ")


def test_a_client_that_sends_nothing_ends_it() -> None:
    gate = a_gate().send(a_request(CALL[1], start=b"POST /open/a"))
    assert late_by(gate, 9.0) == b""
    assert late_by(gate, 11.0).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(("timeout", "seconds"), [(b"1S", 1.0), (b"500m", 0.5), (b"1M", 60.0)])
def test_a_call_ends_at_its_deadline(timeout: bytes, seconds: float) -> None:
    gate = a_gate(grpc=True).send(a_request(*CALL, b"grpc-timeout: " + timeout, start=b"POST /open/a"))
    if seconds < 5:
        assert late_by(gate, seconds - 0.1) == b""
        told = late_by(gate, seconds + 0.1)
        assert told.startswith(b"HTTP/1.1 200 ")
        assert b"grpc-status: 4\r\n" in told
    else:
        assert late_by(gate, 4.0) == b""


def test_the_deadline_of_something_else_than_a_call_is_nothing() -> None:
    gate = a_gate(grpc=True).send(a_request(b"grpc-timeout: 1S"))
    assert late_by(gate, 2.0) == b""


def test_a_side_of_a_call_may_be_silent_while_the_other_one_speaks() -> None:
    gate = a_gate(grpc=True).send(a_request(*CALL, start=b"POST /open/a"), b"1\r\nx\r\n")
    exchange = gate.client._exchange
    assert exchange is not None
    exchange.deadline = exchange.started + 100.0  # the upstream has just said something
    assert late_by(gate, 90.0) == b""
    assert b"grpc-status: " in late_by(gate, 101.0)


def test_a_call_has_no_least_rate() -> None:
    gate = a_gate(grpc=True).send(a_request(*CALL, start=b"POST /open/a"), b"1\r\nx\r\n")
    assert late_by(gate, 25.0) == b""


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
LATE = b"0\r\ngrpc-status: 4\r\ngrpc-message: The deadline of the request has passed.\r\n\r\n"


def a_call_under_way(answer: bytes, *pieces: bytes) -> Gate:
    """A call whose answer has begun."""
    gate = a_gate(grpc=True).send(a_request(*CALL, b"grpc-timeout: 1S", start=b"POST /open/a"), b"1\r\nx\r\n", *pieces)
    assert gate.answer(answer).endswith(b"ok\r\n")
    return gate


@pytest.mark.parametrize("asked_whole", [True, False])
def test_a_call_that_ends_at_its_deadline_is_told_so_behind_what_it_got(asked_whole: bool) -> None:
    gate = a_call_under_way(CHUNKED, *[b"0\r\n\r\n"] * asked_whole)
    assert late_by(gate, 0.9) == b""
    assert late_by(gate, 1.1) == LATE
    assert gate.outcomes == [(200, "deadline_passed")]
    assert gate.wire.aborted
    assert (gate.transport.aborted, gate.transport.ended) == (False, not asked_whole)


def test_a_late_call_that_takes_nothing_is_broken_off() -> None:
    gate = a_call_under_way(CHUNKED)
    gate.client.pause_writing()
    assert late_by(gate, 1.1) == b""
    assert gate.transport.aborted
    assert gate.outcomes == [(200, "client_slow")]


def test_a_late_call_whose_length_was_said_is_broken_off() -> None:
    gate = a_call_under_way(CHUNKED.replace(b"Transfer-Encoding: chunked\r\n\r\n2\r\n", b"Content-Length: 9\r\n\r\n"))
    assert late_by(gate, 1.1) == b""
    assert gate.transport.aborted


class Watch:
    """Counts what is said against a target."""

    faults = 0

    def answered(self, status: int) -> None:
        """It has answered."""

    def failed(self) -> None:
        self.faults += 1


@pytest.mark.parametrize("slow_client", [True, False])
def test_a_target_is_not_to_blame_for_a_client_that_takes_nothing(slow_client: bool) -> None:
    gate = a_gate().send(a_request())
    gate.answer(CHUNKED)
    gate.upstream.pool.watch = watch = Watch()  # type: ignore[assignment]
    if slow_client:
        gate.client.pause_writing()
    exchange = gate.client._exchange
    assert exchange is not None
    late_by(gate, exchange.deadline - exchange.started + 0.1)
    assert watch.faults == (not slow_client)
