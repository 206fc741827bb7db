"""What both sides of HTTP/2 have in common: frames, windows, floods and farewells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
from h2.events import RequestReceived
from h2.settings import SettingCodes
from tests.unit.gateway.http2.other_side import OtherSide
from tests.unit.gateway.parts import Transport

from jwtgate.gateway.http2.allowance import MOST
from jwtgate.gateway.http2.frames import FRAME_SIZE_ERROR, NO_ERROR, PREFACE, PROTOCOL_ERROR
from jwtgate.gateway.http2.session import Session
from jwtgate.gateway.http2.stream import Stream

CALM, FLOW_CONTROL_ERROR, CANCEL = 11, 3, 8
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


class Taker(asyncio.Protocol):
    """Takes what comes on a stream."""

    def __init__(self) -> None:
        self.taken = b""
        self.pieces = 0
        self.paused = False
        self.lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.taken += data
        self.pieces += 1

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


class Served(Session):
    """A session that gives each stream to somebody who takes it."""

    def __init__(self) -> None:
        super().__init__(client=False, streams=4, head_bytes=1000)
        self.takers: dict[int, Taker] = {}
        self.ends: list[tuple[int, str, str]] = []
        self.left: list[tuple[int, int]] = []
        self.resets: list[int] = []
        self.over = 0
        self._library.receive_data(PREFACE)

    def _on_request(self, event: RequestReceived) -> None:
        stream = Stream(self, event.stream_id, broken=CANCEL)
        self.streams[event.stream_id] = stream
        stream.protocol = self.takers[event.stream_id] = Taker()
        stream.begin(b"head\r\n\r\n", None, ended=event.stream_ended is not None)

    _acts: ClassVar = {**Session._acts, RequestReceived: _on_request}

    def end(self, code: int, reason: str, *, cause: str) -> None:
        self.ends.append((code, reason, cause))
        self.end_all(code, reason)

    def peer_leaves(self, last_stream: int, code: int) -> None:
        self.left.append((last_stream, code))

    def was_reset(self, stream: Stream, code: int) -> None:
        self.resets.append(code)
        stream.lose(None)

    def forgotten(self) -> None:
        self.over += 1


def talk(moves: Callable[[Served, OtherSide], Awaitable[None]]) -> None:
    async def run() -> None:
        session, transport = Served(), Transport()
        session.connection_made(transport)  # type: ignore[arg-type]
        client = OtherSide(session, transport, client=True)
        client.library.data_to_send(len(PREFACE))
        await moves(session, client.say())

    asyncio.run(run())


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_it_says_what_it_takes() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        told = client.library.remote_settings
        assert (told.max_concurrent_streams, told.max_header_list_size, told.enable_push) == (4, 1000, 0)
        assert client.library.outbound_flow_control_window == 1024 * 1024

    talk(moves)


def test_a_body_is_taken_and_its_window_given_back() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1, end=False)
        for _ in range(64):
            client.library.send_data(1, bytes(16_000))
            client.say()
        assert session.takers[1].taken.count(bytes(16_000)) == 64
        assert client.library.local_flow_control_window(1) >= 16_384

    talk(moves)


def test_rel_16_what_is_not_taken_is_held_with_its_window() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1, end=False)
        session.streams[1].pause_reading()
        for _ in range(4):
            client.library.send_data(1, bytes(16_000))
            client.say()
        assert session.takers[1].taken == b"head\r\n\r\n"
        assert client.library.local_flow_control_window(1) == 65_535 - 64_000
        session.streams[1].resume_reading()
        assert session.takers[1].taken == b"head\r\n\r\n"
        await turn()
        client.hear()
        assert session.takers[1].taken.count(bytes(16_000)) == 4
        assert client.library.local_flow_control_window(1) > 32_000

    talk(moves)


def test_a_stream_that_ends_gives_back_what_it_held_of_the_connection() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        for stream in range(1, 81, 2):
            client.ask(stream, end=False)
            session.streams[stream].pause_reading()
            for _ in range(4):
                client.library.send_data(stream, bytes(16_000))
            client.say()
            client.library.reset_stream(stream, CANCEL)
            client.say()
        assert client.library.outbound_flow_control_window > 256_000

    talk(moves)


def test_what_is_written_goes_as_far_as_the_windows() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        session.streams[1].write(HEAD + bytes(100_000))
        client.hear()
        assert len(client.body()) == 65_535
        client.library.increment_flow_control_window(20_000)
        client.say()
        assert len(client.body()) == 65_535
        client.library.increment_flow_control_window(20_000, 1)
        client.say()
        assert len(client.body()) == 85_535
        client.library.increment_flow_control_window(20_000)
        client.library.increment_flow_control_window(20_000, 1)
        client.say()
        assert (len(client.body()), client.ended()) == (100_000, True)
        await turn()
        assert session.takers[1].lost == [None]

    talk(moves)


def test_streams_take_turns() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        for stream in (1, 3, 5):
            client.ask(stream)
            session.streams[stream].write(HEAD + bytes(60_000))
        client.hear()
        assert [len(client.body(stream)) for stream in (1, 3, 5)] == [60_000, 5_535, 0]
        client.library.increment_flow_control_window(2 * 16_384)
        client.say()
        assert [len(client.body(stream)) for stream in (1, 3, 5)] == [60_000, 5_535 + 16_384, 16_384]

    talk(moves)


def test_rel_16_a_peer_that_takes_nothing_is_not_read_either() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        session.pause_writing()
        assert not client.transport.reading
        session.streams[1].write(HEAD + bytes(10_000))
        assert client.hear().body() == b""
        session.resume_writing()
        assert client.transport.reading
        assert len(client.hear().body()) == 10_000

    talk(moves)


def test_a_larger_window_for_all_streams_lets_them_go_on() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.library.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        client.say()
        client.ask(1)
        session.streams[1].write(HEAD + bytes(10_000))
        assert len(client.hear().body()) == 100
        client.library.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 5_000})
        client.say()
        assert len(client.body()) == 5_000

    talk(moves)


def test_sec_96_a_peer_chooses_neither_the_size_of_our_table_nor_how_many_settings_there_are() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.library.update_settings({SettingCodes.HEADER_TABLE_SIZE: 2**24, 0x99: 1, 0x98: 2})  # type: ignore[dict-item]
        client.say()
        assert session._library.encoder.header_table_size == 4096
        assert {0x98, 0x99}.isdisjoint(session._library.remote_settings)
        client.ask(1)
        session.streams[1].write(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n")
        assert client.hear().status() == "200"

    talk(moves)


def test_a_peer_may_want_a_smaller_table() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.library.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
        client.say()
        client.ask(1)
        session.streams[1].write(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n")
        assert client.hear().status() == "200"

    talk(moves)


def test_what_is_worth_guessing_stays_out_of_the_table() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        session.streams[1].write(b"HTTP/1.1 200 OK\r\nSet-Cookie: secret\r\nX-A: b\r\nContent-Length: 0\r\n\r\n")
        held = [name for name, _ in session._library.encoder.header_table.dynamic_entries]
        assert b"x-a" in held
        assert b"set-cookie" not in held

    talk(moves)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bytes.fromhex("000007060000000000") + bytes(7), FRAME_SIZE_ERROR),
        (bytes.fromhex("000008060000000001") + bytes(8), PROTOCOL_ERROR),
        (bytes.fromhex("000004080000000000") + b"\x7f\xff\xff\xff", FLOW_CONTROL_ERROR),
        (bytes.fromhex("004001000000000001"), FRAME_SIZE_ERROR),
        (bytes.fromhex("000004070000000000") + bytes(4), PROTOCOL_ERROR),
    ],
    ids=["a short PING", "a PING of a stream", "a window beyond the end", "a frame that is too long", "a short GOAWAY"],
)
def test_sec_96_what_is_against_the_rules_ends_it_with_one_farewell(data: bytes, code: int) -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        session.data_received(data)
        assert client.hear().farewells() == [(1, code)]
        assert [(said, reason) for said, reason, _ in session.ends] == [(code, "request_malformed")]
        assert client.transport.closed
        await turn()
        assert isinstance(session.takers[1].lost[0], ConnectionResetError)
        session.data_received(bytes.fromhex("000008060000000000") + bytes(8))
        assert client.transport.sent == b""

    talk(moves)


def test_sec_96_a_flood_ends_it() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        session.data_received((bytes.fromhex("000008060000000000") + bytes(8)) * (int(MOST) + 100))
        assert [(code, reason) for code, reason, _ in session.ends] == [(CALM, "frame_flood")]

    talk(moves)


def test_sec_96_a_head_larger_than_is_allowed_ends_it() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        session.data_received(b"\x00\x02\x00\x01\x00\x00\x00\x00\x01" + bytes(512))
        assert session.head_since
        session.data_received(b"\x00\x02\x00\x09\x00\x00\x00\x00\x01" + bytes(512))
        assert [(code, reason) for code, reason, _ in session.ends] == [(CALM, "frame_flood")]

    talk(moves)


def test_a_head_is_awaited_until_it_ends() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        assert session.head_since == 0.0

    talk(moves)


def test_a_farewell_of_the_peer_leaves_streams_alone() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1)
        session.data_received(bytes.fromhex("000008070000000000") + bytes(8))
        assert session.left == [(0, NO_ERROR)]
        session.streams[1].write(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert client.hear().status() == "204"

    talk(moves)


def test_data_for_a_stream_that_is_gone_is_counted_and_dropped() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1, end=False)
        session.streams[1].abort()
        for _ in range(40):
            session.data_received(b"\x00\x3e\x80\x00\x00\x00\x00\x00\x01" + bytes(16_000))
        assert session.ends == []
        assert session._library.inbound_flow_control_window > 256_000

    talk(moves)


@pytest.mark.parametrize("end", [True, False])
def test_a_stream_that_is_reset_is_told_so(end: bool) -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1, end=end)
        client.library.reset_stream(1, CANCEL)
        client.say()
        assert (session.resets, session.streams, session.over) == ([CANCEL], {}, 1)

    talk(moves)


def test_sec_96_trailers_that_cannot_be_read_end_their_stream() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.library.config.validate_outbound_headers = False
        client.library.config.normalize_outbound_headers = False
        client.ask(1, end=False)
        client.library.send_headers(1, [("X-A", "b")], end_stream=True)
        client.say()
        assert client.reset() == PROTOCOL_ERROR
        assert session.ends == []

    talk(moves)


def test_trailers_are_given_as_those_of_chunks() -> None:
    async def moves(session: Served, client: OtherSide) -> None:
        client.ask(1, end=False)
        client.library.send_headers(1, [("x-a", "b")], end_stream=True)
        client.say()
        assert session.takers[1].taken == b"head\r\n\r\n0\r\nx-a: b\r\n\r\n"

    talk(moves)
