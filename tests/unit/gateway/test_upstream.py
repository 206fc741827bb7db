"""A connection to a target: what it reads, what it refuses, and when it is used again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.messages import CUTS, EDITS, Edits, edited, head_of, pieces_of, status_of, without_dates
from tests.unit.gateway.parts import OK, Gate, a_generation, a_plan, a_request, an_order, wire

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.memory import Recent
from jwtgate.gateway.upstream import WRITE_BUFFER_BYTES, StreamRefused, UpstreamConnection

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nabc"
NO_BODY = b"HTTP/1.1 204 No Content\r\n\r\n"
MALFORMED = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
    b"HTTP/1.1 200 OK\nX: 1\n\n",
    b"HTTP/1.1 99 What\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"hello\r\n\r\n",
    b"\x00",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    b"HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n",
]


def asked(start: bytes = b"GET /open/a") -> Gate:
    """A connection whose request the upstream has."""
    gate = Gate()
    gate.send(a_request(start=start))
    assert gate.wire.take().startswith(start)
    return gate


def is_idle(connection: UpstreamConnection) -> bool:
    """Whether its pool gives it to the next request."""
    return connection.pool.take() is connection


def watched() -> Gate:
    """A connection to an upstream whose answers somebody looks at."""
    plan = a_plan(upstreams={"echo": {"targets": ["http://127.0.0.1:9020"], "ejection": {"statuses": 500}}})
    return Gate(a_generation(plan)).send(a_request())


def failures(gate: Gate) -> int:
    return gate.upstream.pool.standing.failures


def test_rel_13_every_answer_is_looked_at_whether_its_head_is_known_or_not() -> None:
    gate, answer = watched(), b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    for number in range(1, 4):
        gate.answer(answer)
        assert failures(gate) == number
        gate.send(a_request())
    gate.answer(OK)
    assert failures(gate) == 3


@pytest.mark.parametrize("answer", [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n"])
def test_rel_13_an_answer_that_cannot_be_read_is_a_failure(answer: bytes) -> None:
    gate = watched()
    gate.answer(answer)
    assert failures(gate) == 1


def test_rel_13_the_end_of_a_kept_connection_is_no_failure_and_that_of_a_new_one_is() -> None:
    gate = watched()
    gate.answer(OK)
    gate.send(a_request())
    gate.lose_upstream()
    assert failures(gate) == 0
    gate.lose_upstream()
    assert failures(gate) == 1


def test_rel_16_what_is_not_taken_is_held_in_a_bounded_buffer() -> None:
    assert asked().wire.high == WRITE_BUFFER_BYTES <= 256 * 1024


def test_rel_16_a_connection_that_is_still_full_is_never_used_again() -> None:
    gate = asked()
    gate.upstream.pause_writing()
    gate.answer(OK)
    assert not is_idle(gate.upstream)
    assert gate.wire.closed


def test_rel_16_a_connection_that_was_full_is_used_again() -> None:
    gate = asked()
    gate.upstream.pause_writing()
    gate.upstream.resume_writing()
    gate.answer(OK)
    assert is_idle(gate.upstream)


@pytest.mark.parametrize("answer", [OK, CHUNKED, NO_BODY])
def test_a_connection_is_used_again_after_an_answer_that_is_complete(answer: bytes) -> None:
    gate = asked()
    assert status_of(gate.answer(answer)) == status_of(answer)
    assert is_idle(gate.upstream)
    assert not gate.wire.is_closing()


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
        OK.replace(b"1.1", b"1.0"),
        OK + b"x",
        OK + OK,
        NO_BODY + b"x",
    ],
)
def test_sec_98_a_connection_that_may_hold_more_is_never_used_again(answer: bytes) -> None:
    gate = asked()
    assert gate.answer(answer).count(b"HTTP/1.1 ") == 1
    assert gate.wire.is_closing()
    assert not is_idle(gate.upstream)
    assert gate.outcomes[0][1] == ""


def test_an_answer_that_ends_with_its_connection_is_made_chunks() -> None:
    gate = asked()
    assert gate.answer(UNTIL_CLOSE).endswith(b"\r\n\r\n3\r\nabc\r\n")
    gate.upstream.eof_received()
    assert gate.transport.take() == b"0\r\n\r\n"
    assert gate.wire.closed
    assert gate.outcomes == [(200, "")]


@pytest.mark.parametrize("answer", [b"", OK[:-1], CHUNKED[:-2], b"HTTP/1.1 200"])
def test_the_end_of_a_connection_completes_no_other_answer(answer: bytes) -> None:
    gate = asked(b"POST /open/a")
    gate.answer(*filter(None, [answer]))
    gate.upstream.eof_received()
    gate.lose_upstream()
    assert gate.outcomes == [(200 if b"\r\n\r\n" in answer else 502, "upstream_malformed")]
    assert gate.transport.aborted is (b"\r\n\r\n" in answer)


@pytest.mark.parametrize("answer", MALFORMED)
def test_sec_98_an_answer_that_cannot_be_read_is_a_502_and_its_connection_ends(answer: bytes) -> None:
    for pieces in ([answer], pieces_of(answer, range(0, len(answer), 7))):
        gate = asked()
        assert status_of(gate.answer(*pieces)) == 502
        assert gate.outcomes == [(502, "upstream_malformed")]
        assert gate.wire.aborted
        assert not gate.transport.is_closing()


def test_sec_98_what_breaks_off_after_its_head_breaks_the_clients_connection_too() -> None:
    gate = asked()
    gate.answer(CHUNKED[:-8], b"nonsense\r\n")
    assert (gate.wire.aborted, gate.transport.aborted) == (True, True)
    assert gate.transport.socket.options
    assert gate.outcomes == [(200, "upstream_malformed")]


def test_interim_answers_are_not_passed_on() -> None:
    gate = asked()
    assert gate.answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") == b""
    assert status_of(gate.answer(b"HTTP/1.1 102 Processing\r\n\r\n" + OK)) == 200
    assert is_idle(gate.upstream)


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_an_answer_is_the_same_wherever_it_was_cut(cut: int) -> None:
    gate = asked()
    got = gate.answer(OK[:cut], OK[cut:])
    assert got.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
    assert got.endswith(b"\r\n\r\nok")


def test_framing_alone_is_nothing_for_the_client() -> None:
    gate = asked()
    gate.answer(CHUNKED[:-13])
    assert gate.answer(b"3") == b""
    assert gate.answer(CHUNKED[-12:]) == b"3\r\nabc\r\n0\r\n\r\n"


def test_the_answer_to_head_has_no_body() -> None:
    gate = asked(b"HEAD /open/a")
    got = gate.answer(OK[:-2])
    assert head_of(got)[1][b"content-length"] == b"2"
    assert got.endswith(b"\r\n\r\n")
    assert is_idle(gate.upstream)


def test_what_an_idle_connection_says_is_nobodys() -> None:
    gate = Gate()
    connection = gate.idle()
    connection.data_received(OK)
    gate.settle()
    assert wire(connection).aborted
    assert not is_idle(connection)
    assert gate.transport.take() == b""


def test_an_idle_connection_may_end() -> None:
    gate = Gate()
    connection = gate.idle()
    connection.eof_received()
    connection.connection_lost(None)
    assert not is_idle(connection)
    assert gate.outcomes == []


def test_rel_16_a_slow_client_stops_the_reading_of_an_answer() -> None:
    gate = asked()
    gate.client.pause_writing()
    gate.answer(OK[:-1])
    assert not gate.wire.reading
    gate.client.pause_writing()
    gate.client.resume_writing()
    assert gate.wire.reading
    gate.client.resume_writing()
    gate.answer(OK[-1:])
    assert gate.outcomes == [(200, "")]


def test_a_connection_that_was_paused_is_read_again_once_it_is_free() -> None:
    gate = asked()
    gate.client.pause_writing()
    gate.answer(OK)
    assert gate.wire.reading
    assert is_idle(gate.upstream)


def test_a_connection_that_is_ending_is_neither_paused_nor_resumed() -> None:
    gate = asked()
    gate.client.pause_writing()
    gate.wire.close()
    gate.upstream.resume()
    gate.upstream.pause()
    assert not gate.wire.reading


def test_rel_16_a_slow_upstream_stops_the_reading_of_a_body() -> None:
    gate = Gate()
    gate.send(a_request(b"Content-Length: 10", start=b"POST /open/a", body=b"12345"))
    gate.upstream.pause_writing()
    assert not gate.transport.reading
    gate.upstream.resume_writing()
    assert gate.transport.reading
    gate.send(b"67890").answer(OK)
    gate.upstream.pause_writing()
    gate.upstream.resume_writing()
    assert gate.transport.reading
    assert gate.outcomes == [(200, "")]


def test_an_upstream_that_answers_before_the_body_is_left() -> None:
    gate = Gate()
    gate.send(a_request(b"Content-Length: 10", start=b"POST /open/a", body=b"12345"))
    assert status_of(gate.answer(OK)) == 200
    assert gate.wire.aborted
    assert not is_idle(gate.upstream)


def test_a_close_that_is_not_taken_ends_after_a_while() -> None:
    async def close(buffered: int) -> list[bool]:
        gate = Gate()
        connection = gate.idle()
        wire(connection).buffered = buffered
        connection.close()
        loop = asyncio.get_running_loop()
        waiting = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        return [wire(connection).closed, bool(waiting)]

    assert asyncio.run(close(0)) == [True, False]
    assert asyncio.run(close(5)) == [True, True]


class Gone:
    """A socket that is closed already."""

    def fileno(self) -> int:
        return -1


class Leftover:
    """A socket with an answer in it that nobody has read."""

    def __init__(self, data: bytes) -> None:
        self._reader, writer = os.pipe()
        os.write(writer, data)
        os.close(writer)

    def fileno(self) -> int:
        return self._reader

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def leftover() -> Iterator[Leftover]:
    left = Leftover(OK)
    yield left
    left.close()


def uploading(leftover: Leftover | Gone) -> Gate:
    gate = Gate()
    gate.send(a_request(b"Content-Length: 10", start=b"POST /open/a", body=b"12345"))
    gate.wire.known["socket"] = leftover
    return gate


def test_an_answer_that_came_before_a_reset_is_read(leftover: Leftover) -> None:
    gate = uploading(leftover)
    gate.upstream.connection_lost(ConnectionResetError())
    assert gate.outcomes == [(200, "")]


def test_an_end_without_an_error_leaves_nothing_to_read(leftover: Leftover) -> None:
    gate = uploading(leftover)
    gate.upstream.connection_lost(None)
    assert gate.outcomes == [(502, "upstream_malformed")]


def test_a_reset_after_which_nothing_can_be_read_is_a_502() -> None:
    gate = uploading(Gone())
    gate.upstream.connection_lost(ConnectionResetError())
    assert gate.outcomes == [(502, "upstream_malformed")]


def test_a_reset_that_leaves_nothing_is_a_502() -> None:
    empty = Leftover(b"")
    gate = uploading(empty)
    gate.upstream.connection_lost(ConnectionResetError())
    empty.close()
    assert gate.outcomes == [(502, "upstream_malformed")]


UPGRADING = a_plan(routes={"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "upgrade": "websocket"}})
HANDSHAKE = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def test_a_change_of_protocol_that_was_asked_for_begins_a_tunnel() -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE))
    assert b"Upgrade: websocket\r\n" in gate.wire.take()
    assert gate.answer(SWITCHED + b"\x81\x05early").endswith(b"\r\n\r\n\x81\x05early")
    assert gate.answer(b"\x81\x04more") == b"\x81\x04more"
    gate.send(b"\x81\x80back")
    assert gate.wire.take() == b"\x81\x80back"
    gate.lose_upstream()
    assert gate.transport.closed


def test_a_change_to_another_protocol_than_asked_for_is_a_502() -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE)).answer(SWITCHED.replace(b"websocket", b"h2c"))
    assert gate.outcomes == [(502, "upstream_malformed")]


def test_a_piece_of_a_head_is_not_taken_for_a_head_that_is_known() -> None:
    gate = asked()
    gate.answer(OK[:20], OK[20:])
    gate.send(a_request())
    gate.answer(OK[20:])
    assert gate.outcomes == [(200, ""), (502, "upstream_malformed")]


def test_a_head_that_is_known_is_not_read_again() -> None:
    gate = asked()
    gate.answer(OK)
    (known,) = [gate.pool.answers.recall(OK[:-2])]
    assert known is not None
    gate.send(a_request())
    assert gate.answer(OK).endswith(b"\r\n\r\nok")
    assert gate.pool.answers.recall(OK[:-2]) is known


@pytest.mark.parametrize("answer", [CHUNKED, NO_BODY, OK.replace(b"1.1", b"1.0"), UNTIL_CLOSE])
def test_a_head_that_may_mean_something_else_next_time_is_not_remembered(answer: bytes) -> None:
    gate = asked()
    gate.answer(answer)
    assert len(gate.pool.answers) == 0


# What is known of the heads of answers: the same bytes with and without it.

ANSWERS = [
    OK,
    CHUNKED,
    NO_BODY,
    OK.replace(b"\r\n", b"\r\nX-User-Id: mallory\r\nConnection: x-a\r\nX-A: 1\r\nCache-Control: no-store\r\n", 1),
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    OK.replace(b"1.1", b"1.0"),
    OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
]
STARTS = [b"GET /open/a", b"HEAD /open/a", b"GET /orders/1", b"DELETE /orders/1"]
PLAN = a_plan()


def forgetful(gate: Gate) -> Gate:
    """The connection, with a pool that remembers no head."""
    gate.pool.answers = Recent(0, most_bytes=0, size_of=lambda *_: 0)
    return gate


def told(gate: Gate, start: bytes, pieces: list[bytes]) -> tuple[object, ...]:
    """What a client gets for an answer in these pieces, and what becomes of both connections."""
    gate.send(an_order(start=start))
    got = gate.answer(*pieces)
    upstream, client = gate.wire, gate.transport
    kept = is_idle(gate.upstream)
    gate.lose_upstream()
    ends = (upstream.closed, upstream.aborted, client.closed, client.aborted)
    return (without_dates(got), gate.outcomes[-1], kept, *ends)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ANSWERS), EDITS, st.sampled_from(STARTS), st.sampled_from(STARTS), CUTS)
def test_an_answer_is_read_alike_whether_its_head_is_known_or_not(
    answer: bytes, edits: Edits, start: bytes, before: bytes, cuts: list[int]
) -> None:
    data = edited(answer, edits) or OK
    pieces = pieces_of(data, cuts)
    warm = a_generation(PLAN)
    for known in ([answer], [data], pieces):
        told(Gate(warm), before, known)
    assert told(Gate(warm), start, pieces) == told(forgetful(Gate(a_generation(PLAN))), start, pieces)


def lost(gate: Gate, error: Exception) -> bytes:
    """What the client got when the connection ended so."""
    gate.upstream.connection_lost(error)
    gate.settle()
    return gate.transport.take()


@pytest.mark.parametrize("start", [b"GET /open/a", b"POST /open/a"])
def test_rel_11_a_request_nobody_has_looked_at_is_sent_again(start: bytes) -> None:
    gate = asked(start)
    assert lost(gate, StreamRefused()) == b""
    assert len(gate.pool.made) == 2
    assert gate.wire.take().startswith(start)


def test_rel_11_a_body_that_may_be_gone_is_not_sent_again() -> None:
    gate = Gate()
    gate.send(a_request(b"Content-Length: 5", start=b"POST /open/a", body=b"hello"))
    said = lost(gate, StreamRefused())
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"upstream_refused" in said


def test_sec_98_an_end_for_an_answer_that_cannot_be_read_is_not_asked_about_again() -> None:
    gate = asked()
    assert lost(gate, Malformed("the status")).startswith(b"HTTP/1.1 502 ")
    assert len(gate.pool.made) == 1
