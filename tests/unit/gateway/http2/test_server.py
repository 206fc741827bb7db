"""A client's connection: its streams as connections of one request, and its ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from h2.settings import SettingCodes
from tests.unit.gateway.house import House, play, until
from tests.unit.gateway.http2.other_side import ASKED, OtherSide
from tests.unit.gateway.parts import OK, TOKEN, Transport, a_generation, a_plan, wire

from jwtgate.gateway.http2.front import Front
from jwtgate.gateway.http2.server import ServerSession
from jwtgate.gateway.upstream import UpstreamConnection

Moves = Callable[[House, OtherSide], Awaitable[None]]
LAST_STREAM = 2**31 - 1


def put(house: House) -> tuple[OtherSide, Transport]:
    """A client of HTTP/2 at a worker."""
    front, transport = Front(house.worker, scheme="http", status_only=False), Transport()
    front.connection_made(transport)  # type: ignore[arg-type]
    session = ServerSession(house.worker, scheme="http", status_only=False, home=front)
    front._behind = session
    session.connection_made(transport)  # type: ignore[arg-type]
    return OtherSide(session, transport, client=True).say(), transport


def talk(moves: Moves, **changes: Any) -> list[dict[str, Any]]:
    """What the access log holds after these moves."""

    async def run(house: House) -> None:
        client, _ = put(house)
        await moves(house, client)

    return play(run, a_generation(a_plan(**changes)))


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_request_is_forwarded_and_answered() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(fields=[*ASKED, ("x-a", "b")])
        await until(lambda: house.pool.made)
        (connection,) = house.pool.made
        assert wire(connection).take().startswith(b"GET /open/a HTTP/1.1\r\nHost: 127.0.0.1:9020\r\nx-a: b\r\n")
        connection.data_received(OK)
        client.hear()
        assert (client.status(), client.body(), client.ended()) == ("200", b"ok", True)

    (line,) = talk(moves)
    assert (line["route"], line["status"], line["path"]) == ("open", 200, "/open/a")


def test_a_token_is_looked_at_as_ever() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        orders = [*ASKED[:3], (":path", "/orders/1")]
        assert client.ask(fields=orders).status() == "401"
        client.ask(3, [*orders, ("authorization", f"Bearer {TOKEN}")])
        await until(lambda: house.pool.made)
        assert b"X-User-Id: alice\r\n" in wire(house.pool.made[0]).take()

    assert 401 in [line["status"] for line in talk(moves)]


def test_streams_do_not_wait_for_each_other() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(1).ask(3)
        await until(lambda: len(house.pool.made) == 2)
        house.pool.made[1].data_received(OK)
        client.hear()
        assert (client.ended(1), client.ended(3)) == (False, True)
        assert house.worker.counters.connections == 1
        assert house.worker.in_flight == 1
        house.pool.made[0].data_received(OK)

    assert len(talk(moves)) == 2


def test_a_body_is_forwarded_as_it_comes() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(fields=[(":method", "POST"), *ASKED[1:]], end=False)
        client.library.send_data(1, b"hello")
        client.say()
        await until(lambda: house.pool.made)
        client.library.send_data(1, b"you", end_stream=True)
        client.say()
        assert wire(house.pool.made[0]).take().endswith(b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n")

    talk(moves)


def test_rel_22_a_request_that_is_given_up_leaves_its_upstream() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask()
        await until(lambda: house.pool.made)
        client.library.reset_stream(1, 8)
        client.say()
        await turn()
        assert wire(house.pool.made[0]).aborted
        assert house.worker.in_flight == 0

    (line,) = talk(moves)
    assert (line["status"], line["reason"]) == (499, "client_gone")


def test_a_connection_that_ends_takes_its_requests_along() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(1).ask(3)
        await until(lambda: len(house.pool.made) == 2)
        client.protocol.connection_lost(None)
        await turn()
        assert all(wire(each).aborted for each in house.pool.made)
        assert house.worker.count_now().connections_open == 0

    assert [line["reason"] for line in talk(moves)] == ["client_gone"] * 2


def test_sec_96_a_request_that_cannot_be_read_is_refused_alone() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.library.config.validate_outbound_headers = client.library.config.normalize_outbound_headers = False
        client.ask(fields=[*ASKED, ("X-A", "b")])
        assert client.status() == "400"
        client.ask(3)
        await until(lambda: house.pool.made)

    assert talk(moves)[0]["reason"] == "request_malformed"


def test_sec_96_streams_beyond_the_limit_are_refused() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.library.remote_settings.max_concurrent_streams = 100
        client.library.remote_settings.acknowledge()
        client.ask(1).ask(3).ask(5)
        assert (client.reset(3), client.reset(5)) == (None, 7)

    talk(moves, limits={"streams": 2})


def test_a_connection_that_leaves_answers_until_it_is_heard() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(1)
        client.protocol.leave()
        said = client.transport.take()
        assert said[17:].startswith(b"\x00\x00\x08\x06") or b"farewell" in said
        client.protocol.leave()
        assert client.transport.take() == b""
        assert not client.transport.ended
        client.protocol.data_received(b"\x00\x00\x08\x06\x01" + bytes(4) + b"farewell")
        assert not client.transport.ended
        await until(lambda: house.pool.made)
        house.pool.made[0].data_received(OK)
        await turn()
        assert client.transport.ended

    talk(moves)


def test_a_client_that_does_not_say_it_has_heard_is_not_waited_for() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.leave()
        since = client.protocol._leaving_since
        client.protocol.check_time(since + 0.5)
        assert not client.transport.ended
        client.protocol.check_time(since + 1.5)
        assert client.transport.ended

    talk(moves)


def test_a_client_that_leaves_is_let_go_when_it_has_its_answers() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(1)
        await until(lambda: house.pool.made)
        client.library.close_connection()
        client.protocol.data_received(client.library.data_to_send())
        assert not client.transport.ended
        house.pool.made[0].data_received(OK)
        await turn()
        assert client.transport.ended

    talk(moves)


@pytest.mark.parametrize("asked", [False, True])
def test_a_connection_nobody_uses_ends(asked: bool) -> None:
    async def moves(house: House, client: OtherSide) -> None:
        if asked:
            client.ask(fields=[*ASKED[:3], (":path", "/nowhere")])
        client.protocol.check_time(client.protocol.deadline - 0.1)
        assert not client.transport.ended
        client.protocol.check_time(client.protocol.deadline + 0.1)
        assert client.transport.ended
        assert client.hear().farewells() == [(1 if asked else 0, 0)]

    talk(moves)


def test_rel_4_a_client_that_has_all_its_answers_may_take_its_time_to_read_them() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.check_time(client.protocol.deadline + 0.1)
        first = client.protocol.deadline
        client.protocol.data_received(b"\x00\x00\x04\x08\x00" + bytes(7) + b"\x01")
        assert client.protocol.deadline > first
        client.protocol.check_time(client.protocol.deadline - 0.1)
        assert not client.transport.closed
        client.protocol.check_time(client.protocol.deadline + 0.1)
        client.protocol.check_time(client.protocol.deadline + 0.2)
        assert client.transport.closed

    talk(moves)


def test_one_that_is_used_does_not() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask(end=False, fields=[(":method", "POST"), *ASKED[1:]])
        client.protocol.check_time(client.protocol.deadline + 1.0)
        assert not client.transport.closed

    talk(moves)


def test_rel_19_a_head_that_does_not_end_ends_the_connection() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.data_received(b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82")
        since = client.protocol.head_since
        client.protocol.check_time(since + 9.0)
        assert not client.transport.closed
        client.protocol.check_time(since + 11.0)
        assert client.hear().farewells() == [(0, 11)]

    (line,) = talk(moves)
    assert line["reason"] == "request_slow"


def test_what_is_no_preface_ends_the_connection() -> None:
    async def run(house: House) -> None:
        front, transport = Front(house.worker, scheme="http", status_only=False), Transport()
        front.connection_made(transport)  # type: ignore[arg-type]
        session = ServerSession(house.worker, scheme="http", status_only=False, home=front)
        session.connection_made(transport)  # type: ignore[arg-type]
        session.data_received(b"PRI * HTTP/2.0\r\n\r\nXX")
        assert transport.ended

    (line,) = play(run)
    assert line["reason"] == "request_malformed"


def test_an_answer_is_held_while_the_client_takes_nothing() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.ask()
        await until(lambda: house.pool.made)
        client.protocol.pause_writing()
        assert not client.transport.reading
        house.pool.made[0].data_received(OK)
        assert client.hear().body() == b""
        client.protocol.resume_writing()
        assert client.transport.reading
        assert client.hear().body() == b"ok"

    talk(moves)


MIB = 1024 * 1024
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + bytes(60_000)


async def ask_for_many(house: House, client: OtherSide, count: int) -> None:
    """Ask so often, and let none of the answers leave."""
    client.library.remote_settings.max_concurrent_streams = 100
    client.library.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    client.say()
    for number in range(count):
        client.ask(2 * number + 1)
    await until(lambda: len(house.pool.made) == count)


def busy(house: House) -> list[UpstreamConnection]:
    """The connections to the upstream whose answers are not complete."""
    return [connection for connection in house.pool.made if connection.exchange is not None]


def test_rel_16_more_than_may_wait_on_a_connection_stops_all_its_upstreams() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        await ask_for_many(house, client, 30)
        for connection in house.pool.made:
            if wire(connection).reading:
                connection.data_received(LARGE)
        queued = sum(stream.get_write_buffer_size() for stream in client.protocol.streams.values())
        assert MIB < queued <= MIB + 60_000
        assert [wire(each).reading for each in busy(house)] == [False] * 12
        client.ask(61)  # its upstream is asked as well, and its answer has to wait
        await until(lambda: len(busy(house)) == 13)
        assert [wire(each).reading for each in busy(house)] == [False] * 13
        client.library.increment_flow_control_window(MIB)
        for stream in range(1, 61, 2):
            client.library.increment_flow_control_window(60_000, stream)
        client.say()
        await turn()
        assert all(wire(each).reading for each in house.pool.made)

    talk(moves)


def test_what_waits_on_one_connection_stops_no_other() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        await ask_for_many(house, client, 18)
        for connection in house.pool.made:
            connection.data_received(LARGE)
        assert client.protocol.is_full
        other, _ = put(house)
        other.ask()
        await until(lambda: busy(house))
        assert [wire(each).reading for each in busy(house)] == [True]

    talk(moves)


def test_rel_76_whole_answers_are_not_kept_for_a_client_that_takes_nothing() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        await ask_for_many(house, client, 3)
        house.pool.made[0].data_received(LARGE)
        house.pool.made[1].data_received(LARGE[:-1])
        since = client.protocol.waits_since
        client.protocol.check_time(since + 9.9)
        assert client.hear().reset() is None
        client.protocol.check_time(since + 10.1)
        assert [client.hear().reset(stream) is not None for stream in (1, 3, 5)] == [True, False, False]

    talk(moves)


def test_a_client_that_takes_something_keeps_all_its_answers() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        await ask_for_many(house, client, 2)
        for connection in house.pool.made:
            connection.data_received(LARGE)
        since = client.protocol.waits_since
        client.library.increment_flow_control_window(1, 1)
        client.say()
        assert client.protocol.waits_since > since
        client.protocol.pause_writing()
        client.protocol.check_time(client.protocol.waits_since + 11.0)  # its connection is slow, not itself
        assert [client.hear().reset(stream) for stream in (1, 3)] == [None, None]

    talk(moves)


def test_answers_wait_from_when_they_are_there() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        await ask_for_many(house, client, 1)
        client.protocol.waits_since -= 100.0
        house.pool.made[0].data_received(LARGE)
        client.protocol.check_time(time.monotonic() + 9.0)
        assert client.hear().reset() is None

    talk(moves)


NONSENSE = bytes.fromhex("000008060000000001") + bytes(8)


def test_a_client_that_is_told_of_its_fault_has_a_moment_to_hear_of_it() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.data_received(NONSENSE)
        assert client.hear().farewells() == [(0, 1)]
        assert (client.transport.ended, client.transport.closed) == (True, False)
        first = client.protocol.deadline
        client.protocol.data_received(NONSENSE * 100)
        assert client.protocol.deadline <= first
        assert client.transport.reading
        client.protocol.check_time(first - 0.1)
        assert not client.transport.closed
        client.protocol.check_time(first + 0.1)
        assert client.transport.closed

    (line,) = talk(moves)
    assert line["reason"] == "request_malformed"


def test_sec_96_a_client_that_goes_on_for_ever_is_not_listened_to() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.data_received(NONSENSE)
        client.protocol.data_received(bytes(MIB))
        assert client.transport.reading
        client.protocol.data_received(b"x")
        assert not client.transport.reading

    talk(moves)


def test_rel_4_a_client_that_never_closes_is_let_go() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.check_time(client.protocol.deadline + 0.1)
        client.protocol._linger_until = time.monotonic() - 1.0  # a minute has passed
        client.protocol.data_received(b"x")
        client.protocol.check_time(time.monotonic())
        assert client.transport.closed

    talk(moves)


def test_a_client_that_is_turned_away_hears_of_it() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        client.protocol.turn_away(b"")
        assert client.hear().farewells() == [(0, 11)]
        assert (client.transport.ended, client.transport.closed) == (True, False)

    assert talk(moves) == []


def test_rel_16_uploads_nobody_takes_hold_up_others_until_their_upstreams_are_given_up() -> None:
    async def moves(house: House, client: OtherSide) -> None:
        for stream in range(1, 35, 2):
            client.ask(stream, [(":method", "POST"), *ASKED[1:]], end=False)
        await until(lambda: len(house.pool.made) == 17)
        for connection in house.pool.made:
            connection.pause_writing()
        for stream in range(1, 35, 2):
            while room := min(client.library.local_flow_control_window(stream), 16_384):
                client.library.send_data(stream, bytes(room))
            client.say()
        assert client.library.local_flow_control_window(33) < client.library.remote_settings.initial_window_size
        for connection in house.pool.made[:16]:
            connection.exchange.deadline = 0.0  # type: ignore[union-attr] # the time of these upstreams is up
        client.protocol.check_time(time.monotonic())
        await turn()
        client.hear()
        assert [client.status(stream) for stream in range(1, 33, 2)] == ["504"] * 16
        assert client.library.outbound_flow_control_window > 256 * 1024

    talk(moves)
