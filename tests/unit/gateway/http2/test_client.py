"""Our connection to a target: requests as its streams, and what is heard of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from h2.events import RequestReceived
from h2.settings import SettingCodes
from tests.unit.gateway.http2.other_side import OtherSide
from tests.unit.gateway.parts import Transport
from tests.unit.gateway.upstreams.fakes import a_pool

from jwtgate.gateway.http2.client import ClientSession
from jwtgate.gateway.upstream import UpstreamConnection

GET = b"GET /x HTTP/1.1\r\nHost: t1.example\r\nX-A: b\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: t1.example\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 7, 8, 2


class _Asked:
    method = "GET"


class Asking:
    """In the place of an exchange."""

    tunnel = None
    upgrading = False
    body_done = True
    head = _Asked()

    def __init__(self) -> None:
        self.heard = b""
        self.failures: list[tuple[str, bool]] = []
        self.done = False

    def answer_head(self, head: Any, framing: Any) -> bytes:
        return b"%d|" % head.status

    def deliver(self, head: bytes, body: bytes, *, last: bool) -> None:
        self.heard += head + body

    def answered(self) -> None:
        self.done = True

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        self.failures.append((reason, answered))

    def hold_client(self) -> None:
        """Everything is written at once."""

    def release_client(self) -> None:
        """As `hold_client`."""


Moves = Callable[[ClientSession, OtherSide], Awaitable[None]]


def talk(moves: Moves, *, settings: dict[SettingCodes, int] | None = None, agreed: str | None = None) -> None:
    async def run() -> None:
        session, transport = ClientSession(a_pool()), Transport()
        session.shared = True
        if agreed is not None:
            transport.known["ssl_object"] = Agreed(agreed)
        session.connection_made(transport)  # type: ignore[arg-type]
        server = OtherSide(session, transport, client=False)
        if agreed is None:
            server.library.local_settings.update(settings or {})
            server.library.local_settings.acknowledge()
            server.library.clear_outbound_data_buffer()
            server.library.initiate_connection()
            server.hear().say()
        await moves(session, server)

    asyncio.run(run())


class Agreed:
    def __init__(self, protocol: str) -> None:
        self._protocol = protocol

    def selected_alpn_protocol(self) -> str:
        return self._protocol


def ask(session: ClientSession, head: bytes = GET) -> tuple[UpstreamConnection, Asking]:
    connection, asking = session.open(), Asking()
    connection.send(asking, head)  # type: ignore[arg-type]
    return connection, asking


def say(server: OtherSide, stream: int, body: bytes = b"ok", *, status: str = "200") -> None:
    server.hear()
    server.library.send_headers(stream, [(":status", status)])
    server.library.send_data(stream, body, end_stream=True)
    server.say()


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_request_is_a_stream_and_its_answer_comes_back() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, asking = ask(session)
        asked = server.hear().asked()
        assert asked == {
            ":method": "GET",
            ":scheme": "http",
            ":authority": "t1.example",
            ":path": "/x",
            "x-a": "b",
            "te": "trailers",
        }
        assert session.busy == 1
        say(server, 1)
        assert (asking.heard, asking.done) == (b"200|ok", True)
        assert session.busy == 0

    talk(moves)


def test_it_is_ready_once_the_target_has_said_what_it_takes() -> None:
    async def run() -> None:
        session, transport = ClientSession(a_pool()), Transport()
        session.connection_made(transport)  # type: ignore[arg-type]
        assert not session.ready.done()
        OtherSide(session, transport, client=False).hear().say()
        assert session.ready.result() is None

    asyncio.run(run())


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", None])
def test_a_target_that_speaks_something_else_is_never_ready(data: bytes | None) -> None:
    async def run() -> None:
        session, transport = ClientSession(a_pool()), Transport()
        session.connection_made(transport)  # type: ignore[arg-type]
        if data is None:
            session.connection_lost(None)
        else:
            session.data_received(data)
        with pytest.raises(ConnectionError):
            await session.ready

    asyncio.run(run())


@pytest.mark.parametrize(("agreed", "closed"), [("h2", False), ("http/1.1", True)])
def test_with_tls_it_must_have_been_agreed_on(agreed: str, closed: bool) -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        assert server.transport.closed is closed
        if closed:
            with pytest.raises(ConnectionError):
                await session.ready

    talk(moves, agreed=agreed)


def test_requests_get_their_numbers_as_they_are_sent() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        first, second = session.open(), session.open()
        assert session.busy == 2
        asking = Asking()
        second.send(asking, GET)  # type: ignore[arg-type]
        first.send(Asking(), GET)  # type: ignore[arg-type]
        server.hear()
        assert [each.stream_id for each in server.all(RequestReceived)] == [1, 3]
        say(server, 1, b"second")
        assert asking.heard == b"200|second"

    talk(moves)


def test_the_target_says_how_many_it_takes() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        assert session.has_room
        ask(session)
        assert session.has_room
        ask(session)
        assert not session.has_room
        say(server, 1)
        assert session.has_room

    talk(moves, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 2})


def test_one_that_was_promised_room_that_is_gone_is_refused() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, asking = session.open(), Asking()
        server.library.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        server.say()
        connection.send(asking, GET)  # type: ignore[arg-type]
        await turn()
        assert asking.failures == [("upstream_refused", False)]

    talk(moves)


@pytest.mark.parametrize(
    ("code", "reason"), [(REFUSED_STREAM, "upstream_refused"), (INTERNAL_ERROR, "upstream_malformed")]
)
def test_rel_11_a_refused_stream_is_told_apart_from_one_that_failed(code: int, reason: str) -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, asking = ask(session)
        server.hear().library.reset_stream(1, code)
        server.say()
        await turn()
        assert asking.failures == [(reason, False)]

    talk(moves)


def test_rel_11_what_a_target_left_behind_was_refused_and_the_rest_is_answered() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, first = ask(session)
        _, second = ask(session)
        waiting, third = session.open(), Asking()
        session.data_received(bytes.fromhex("000008070000000000") + (1).to_bytes(4) + bytes(4))
        waiting.send(third, GET)  # type: ignore[arg-type]
        await turn()
        assert (first.failures, second.failures) == ([], [("upstream_refused", False)])
        assert third.failures == [("upstream_refused", False)] or third.heard == b""
        assert (session.has_room, session.is_over) == (False, False)
        say(server, 1)
        assert first.heard == b"200|ok"
        assert session.is_over

    talk(moves)


def test_a_connection_that_ends_fails_its_requests() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, asking = ask(session)
        session.connection_lost(None)
        await turn()
        assert asking.failures == [("upstream_malformed", False)]

    talk(moves)


@pytest.mark.parametrize("fields", [[(":status", "99")], [(":status", "200"), ("x-a", "b\r\nc: d")], [("x-a", "b")]])
def test_sec_98_an_answer_that_cannot_be_read_is_none_and_counts_as_one(fields: list[tuple[str, str]]) -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        config = server.library.config
        config.validate_outbound_headers = config.normalize_outbound_headers = False
        _, asking = ask(session)
        server.hear().library.send_headers(1, fields)
        server.say()
        await turn()
        assert asking.failures == [("upstream_malformed", True)]
        assert not session.is_over

    talk(moves)


def test_hints_come_before_an_answer() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, asking = ask(session)
        server.hear().library.send_headers(1, [(":status", "103"), ("link", "</x>")])
        say(server, 1)
        assert asking.heard == b"200|ok"

    talk(moves)


def test_a_body_is_sent_as_it_comes() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, asking = ask(session, POST)
        connection.transport.write(b"5\r\nhello\r\n")
        assert (server.hear().body(), server.ended()) == (b"hello", False)
        connection.transport.write(b"3\r\nyou\r\n0\r\n\r\n")
        assert (server.hear().body(), server.ended()) == (b"helloyou", True)
        say(server, 1)
        assert asking.done

    talk(moves)


def test_rel_22_a_request_nobody_waits_for_is_cancelled() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, _ = ask(session)
        server.hear()
        connection.drop()
        assert server.hear().reset() == CANCEL
        assert session.busy == 0
        unsent = session.open()
        unsent.drop()
        assert session.busy == 0

    talk(moves)


def test_a_target_that_says_nothing_is_asked_and_doubted_until_it_answers() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, _ = ask(session)
        server.hear()
        connection.drop()
        assert not session.has_room
        server.hear().say()  # the answer to our question
        assert session.has_room

    talk(moves)


def test_a_target_that_never_answers_is_left() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, _ = ask(session)
        _, other = ask(session)
        connection.drop()
        session._give_up()
        await turn()
        assert server.transport.aborted
        assert other.failures == [("upstream_malformed", False)]

    talk(moves)


def test_one_that_leaves_takes_no_more_and_closes_when_all_is_answered() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        _, asking = ask(session)
        session.leave()
        assert not session.has_room
        assert not server.transport.closed
        say(server, 1)
        assert asking.done
        assert server.transport.closed

    talk(moves)


def test_a_stream_of_a_connection_that_has_served_counts_as_one_that_was_used() -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        connection, _ = ask(session)
        assert not connection.was_used
        say(server, 1)
        assert session.open().was_used
        assert session.open().was_used

    talk(moves)


@pytest.mark.parametrize("heard", [True, False])
def test_rel_11_it_does_not_where_the_connection_ends_while_the_target_is_at_work(heard: bool) -> None:
    async def moves(session: ClientSession, server: OtherSide) -> None:
        ask(session)
        say(server, 1)
        ask(session)
        lost, _ = ask(session)
        if heard:
            say(server, 3)
        session.connection_lost(ConnectionResetError())
        assert lost.was_used != heard

    talk(moves)
