"""Tunnels: frames go both ways untouched, and each end is said between two of them."""

from __future__ import annotations

import time

import pytest
from tests.unit.gateway.parts import OK, TOKEN, Gate, a_generation, a_plan, a_request, a_route, an_order

from jwtgate.gateway.memory import FOR_EVER, Remembered
from jwtgate.gateway.tunnels.frames import GOING_AWAY, POLICY, PROTOCOL_ERROR, close_frame
from jwtgate.gateway.tunnels.tunnel import CLOSE_SECONDS, TUNNEL_IDLE_SECONDS
from jwtgate.policy.plan import Plan

UPGRADING = a_plan(routes={"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "upgrade": "websocket"}})
HANDSHAKE = (b"Connection: Upgrade", b"Upgrade: websocket")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
ASKED = b"\x81\x85\x00\x00\x00\x00hello"
TOLD = b"\x81\x05hello"
CLOSED = b"\x88\x02\x03\xe8"
CLOSED_BY_CLIENT = b"\x88\x82\x00\x00\x00\x00\x03\xe8"


def later(seconds: float) -> float:
    return time.monotonic() + seconds


def tunnelled(ahead: bytes = b"") -> Gate:
    """A tunnel, with nothing of its heads left to read."""
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE, body=ahead))
    gate.answer(SWITCHED)
    if not ahead:
        gate.wire.take()
    return gate


def close_code(data: bytes) -> int:
    """The code in a close frame, the only thing there, of a server or a client."""
    assert data[0] == 0x88
    size, masked = data[1] & 0x7F, data[1] >> 7
    body = data[2 + 4 * masked :]
    assert len(body) == size
    if masked:
        body = bytes(byte ^ data[2 + index % 4] for index, byte in enumerate(body))
    return int.from_bytes(body[:2], "big")


def test_frames_go_both_ways_untouched() -> None:
    gate = tunnelled(ahead=ASKED)
    assert gate.wire.take().endswith(b"\r\n\r\n" + ASKED)
    assert gate.transport.reading
    gate.send(ASKED[:3], ASKED[3:])
    assert gate.wire.take() == ASKED
    assert gate.answer(TOLD) == TOLD
    assert gate.desk.done == []


def test_a_frame_right_behind_the_switch_is_passed_on() -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE))
    assert gate.answer(SWITCHED + TOLD).endswith(b"\r\n\r\n" + TOLD)


def test_rel_17_a_tunnel_is_no_request_in_flight() -> None:
    gate = tunnelled()
    assert gate.desk.in_flight == 0
    gate.transport.abort()
    gate.settle()
    assert (gate.desk.in_flight, gate.outcomes) == (0, [(101, "")])


def test_rel_16_a_slow_side_of_a_tunnel_pauses_the_other() -> None:
    gate = tunnelled()
    gate.upstream.pause_writing()
    assert not gate.transport.reading
    gate.upstream.resume_writing()
    gate.client.pause_writing()
    assert (gate.transport.reading, gate.wire.reading) == (True, False)
    gate.client.resume_writing()
    assert gate.wire.reading


# Ends of others.


@pytest.mark.parametrize("end", ["client", "upstream"])
def test_the_end_of_one_side_is_the_end_of_both(end: str) -> None:
    gate = tunnelled()
    if end == "client":
        gate.transport.abort()
        gate.settle()
    else:
        gate.lose_upstream()
    assert (gate.wire.is_closing() or gate.wire.told, gate.transport.closed) == (True, True)
    assert gate.transport.take() == b""
    assert gate.outcomes == [(101, "")]


def test_a_close_frame_of_the_upstream_is_answered_before_the_connections_end() -> None:
    gate = tunnelled()
    assert gate.answer(CLOSED) == CLOSED
    assert not gate.wire.is_closing()
    gate.send(CLOSED_BY_CLIENT)
    assert gate.wire.take() == CLOSED_BY_CLIENT
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


def test_an_upstream_that_goes_after_its_close_frame_leaves_the_client_time_to_read_it() -> None:
    gate = tunnelled()
    gate.answer(CLOSED)
    gate.lose_upstream()
    assert (gate.transport.ended, gate.transport.closed) == (True, False)
    gate.send(CLOSED_BY_CLIENT)
    assert gate.transport.closed


def test_a_client_that_does_not_answer_a_close_frame_is_not_waited_for() -> None:
    gate = tunnelled()
    gate.answer(CLOSED)
    gate.lose_upstream()
    gate.client.check_time(later(CLOSE_SECONDS + 1))
    assert gate.transport.closed


# Ends of ours.


def test_rel_4_when_we_stop_the_upstream_is_told_and_has_the_last_word() -> None:
    gate = tunnelled()
    gate.client.leave()
    assert close_code(gate.wire.take()) == GOING_AWAY
    assert gate.transport.take() == b""
    gate.send(ASKED)
    assert gate.wire.take() == b""
    going = close_frame(GOING_AWAY, "", mask=b"")
    assert gate.answer(TOLD, going) == TOLD + going
    assert not gate.transport.is_closing()
    gate.send(close_frame(GOING_AWAY, "", mask=b"abcd"))
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


def test_rel_4_an_upstream_without_a_last_word_is_not_waited_for() -> None:
    gate = tunnelled()
    gate.client.leave()
    gate.client.check_time(later(CLOSE_SECONDS - 1))
    assert gate.transport.take() == b""
    gate.client.check_time(later(CLOSE_SECONDS + 1))
    assert close_code(gate.transport.take()) == GOING_AWAY
    gate.client.check_time(later(2 * CLOSE_SECONDS + 1))
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


@pytest.mark.parametrize("side", ["up", "down"])
def test_rel_4_a_frame_under_way_is_not_cut_by_a_close_frame(side: str) -> None:
    gate = tunnelled()
    if side == "up":
        gate.send(ASKED[:8])
        gate.client.leave()
        assert gate.wire.take() == ASKED[:8]
        gate.send(ASKED[8:] + ASKED)
        assert gate.wire.sent.startswith(ASKED[8:])
        assert close_code(gate.wire.take()[3:]) == GOING_AWAY
    else:
        assert gate.answer(TOLD[:4]) == TOLD[:4]
        gate.client.leave()
        gate.client.check_time(later(CLOSE_SECONDS + 1))
        assert gate.transport.take() == b""
        rest = gate.answer(TOLD[4:] + TOLD)
        assert rest.startswith(TOLD[4:])
        assert close_code(rest[3:]) == GOING_AWAY


@pytest.mark.parametrize("cut", range(1, len(ASKED)))
def test_rel_4_what_follows_the_frame_under_way_is_read_on_as_frames(cut: int) -> None:
    gate = tunnelled()
    gate.send(ASKED[:8])
    gate.client.leave()
    gate.send(ASKED[8:] + ASKED[:cut], ASKED[cut:] + CLOSED_BY_CLIENT)
    assert gate.wire.sent.startswith(ASKED)
    assert close_code(gate.wire.take()[len(ASKED) :]) == GOING_AWAY
    assert gate.transport.take() == b""
    assert gate.answer(CLOSED) == CLOSED
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


def test_rel_4_a_frame_that_never_ends_keeps_nothing_open() -> None:
    gate = tunnelled()
    gate.answer(TOLD[:4])
    gate.client.leave()
    gate.client.check_time(later(CLOSE_SECONDS + 1))
    gate.client.check_time(later(2 * CLOSE_SECONDS + 1))
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


def test_rel_4_a_tunnel_that_begins_while_we_stop_is_told_at_once() -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE))
    gate.desk.draining = True
    gate.wire.take()
    gate.answer(SWITCHED)
    assert close_code(gate.wire.take()) == GOING_AWAY


def test_rel_4_to_leave_twice_is_to_leave() -> None:
    gate = tunnelled()
    gate.client.leave()
    gate.wire.take()
    gate.client.leave()
    assert gate.wire.take() == b""


def test_a_tunnel_nobody_uses_ends_and_one_that_is_used_does_not() -> None:
    gate = tunnelled()
    gate.client.check_time(later(TUNNEL_IDLE_SECONDS - 1))
    assert gate.wire.take() + gate.transport.take() == b""
    gate.client.check_time(later(TUNNEL_IDLE_SECONDS + 1))
    assert close_code(gate.wire.take()) == close_code(gate.transport.take()) == GOING_AWAY


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_sec_97_what_is_no_frame_ends_the_tunnel(side: str) -> None:
    gate = tunnelled()
    nonsense = b"GET / HTTP/1.1\r\n\r\n"
    if side == "client":
        gate.send(ASKED + nonsense)
        assert gate.wire.sent.startswith(ASKED)
        assert close_code(gate.wire.take()[len(ASKED) :]) == close_code(gate.transport.take()) == PROTOCOL_ERROR
    else:
        assert close_code(gate.answer(nonsense)) == close_code(gate.wire.take()) == PROTOCOL_ERROR
    gate.client.check_time(later(CLOSE_SECONDS + 1))
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


def test_sec_97_who_goes_on_sending_nonsense_keeps_nothing_open() -> None:
    gate = tunnelled()
    gate.send(b"GET")
    gate.client._exchange.tunnel._deadline -= CLOSE_SECONDS  # type: ignore[union-attr]
    gate.send(b"GET")
    gate.client.check_time(later(CLOSE_SECONDS / 2))
    assert (gate.wire.closed, gate.transport.closed) == (True, True)


# What opens one, and for how long.


@pytest.mark.parametrize(
    "request_",
    [
        a_request(*HANDSHAKE, start=b"POST /open/a"),
        a_request(b"Connection: Upgrade", b"Upgrade: h2c"),
        a_request(b"Upgrade: websocket"),
        a_request(*HANDSHAKE, b"Content-Length: 1", body=b"x"),
        a_request(*HANDSHAKE).replace(b"1.1", b"1.0"),
    ],
)
def test_sec_97_anything_but_a_handshake_is_no_upgrade(request_: bytes) -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(request_)
    assert b"pgrade" not in gate.wire.take()
    gate.answer(SWITCHED)
    assert gate.outcomes == [(502, "upstream_malformed")]


def test_sec_97_a_route_upgrades_only_where_it_says_so() -> None:
    gate = Gate()
    gate.send(an_order(*HANDSHAKE))
    assert b"pgrade" not in gate.wire.take()


EXPIRING = a_plan(routes=a_route(upgrade="websocket", close_on_expiry=True, upgrade_origins=["https://a.example"]))
AUTHORIZATION = f"Bearer {TOKEN}".encode()
LASTING = a_plan(routes=a_route(upgrade="websocket"))


@pytest.mark.parametrize(("plan", "ends"), [(EXPIRING, True), (LASTING, False)])
def test_sec_97_a_tunnel_ends_with_the_token_that_opened_it_where_that_is_said(plan: Plan, ends: bool) -> None:
    gate = Gate(a_generation(plan))
    gate.generation.memory.remember(
        (id(plan.routes[0]), AUTHORIZATION), Remembered(b"", FOR_EVER, "main", token_until=1)
    )
    gate.send(an_order(*HANDSHAKE)).answer(SWITCHED)
    gate.wire.take()
    gate.client.check_time(time.monotonic())
    told, asked = gate.transport.take(), gate.wire.take()
    assert gate.answer(TOLD) == (b"" if ends else TOLD)
    if ends:
        assert close_code(told) == close_code(asked) == POLICY
    else:
        assert told + asked == b""
    gate.client.check_time(later(CLOSE_SECONDS + 1))
    assert (gate.transport.closed, gate.wire.closed) == (ends, ends)
    assert gate.desk.counters.remembered_hits == 1


def test_sec_97_the_end_of_a_token_is_the_same_decided_and_remembered() -> None:
    gate = Gate(a_generation(EXPIRING))
    gate.send(an_order(*HANDSHAKE)).answer(SWITCHED)
    gate.client.check_time(time.monotonic())
    assert not gate.transport.closed
    entry = gate.generation.memory.recall((id(EXPIRING.routes[0]), AUTHORIZATION))
    assert entry is not None
    assert entry.until < entry.token_until
    assert entry.token_until > time.time() + 3600


@pytest.mark.parametrize(
    ("lines", "outcomes"),
    [((b"Origin: https://a.example",), []), ((), []), ((b"Origin: https://b.example",), [(403, "origin_refused")])],
)
def test_sec_97_a_page_of_another_origin_opens_no_tunnel(
    lines: tuple[bytes, ...], outcomes: list[tuple[int, str]]
) -> None:
    gate = Gate(a_generation(EXPIRING))
    gate.send(an_order(*HANDSHAKE, *lines))
    assert gate.outcomes == outcomes


def test_an_answer_that_switches_nothing_leaves_no_tunnel() -> None:
    gate = Gate(a_generation(UPGRADING))
    gate.send(a_request(*HANDSHAKE))
    assert gate.answer(OK).startswith(b"HTTP/1.1 200 ")
    gate.client.leave()
    assert gate.transport.closed
