"""One connection to the Admin API, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from tests.unit.admin.conftest import OPERATORS, TOKEN
from tests.unit.admin.node import Node
from uvicorn.server import ServerState

from jwtgate.admin.access import connection
from jwtgate.admin.access.connection import HEAD_SECONDS, MOST_CONNECTIONS, Connection
from jwtgate.admin.app import guarded_app

CAROL = {"subject": ((("organizationName", "Example"),), (("commonName", "carol"),))}
REQUEST = f"GET /v1/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
UNKNOWN = b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n"


class Wire(asyncio.Transport):
    """What the connection writes to."""

    def __init__(self, certificate: Any = None) -> None:
        super().__init__()
        self.written = b""
        self.aborted = self.closed = False
        self._certificate = certificate

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peercert": self._certificate, "peername": ("192.0.2.1", 5), "sockname": ("127.0.0.1", 1)}.get(name)

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class House:
    """Connections of one server, and the timers they set."""

    def __init__(self) -> None:
        app = guarded_app(Node(), OPERATORS, shows_page=False, wall=lambda: 0.0, monotonic=lambda: 0.0)
        self._config = uvicorn.Config(
            app, http=Connection, ws="none", lifespan="off", interface="asgi3", log_config=None, access_log=False
        )
        self._config.load()
        self.state = ServerState()

    def open(self, certificate: Any = None) -> tuple[Connection, Wire]:
        made = Connection(self._config, self.state, {}, asyncio.get_running_loop())
        wire = Wire(certificate)
        made.connection_made(wire)
        return made, wire


def play(moves: Callable[[House], Awaitable[None]]) -> None:
    asyncio.run(_play(moves))


async def _play(moves: Callable[[House], Awaitable[None]]) -> None:
    await moves(House())


async def answered(wire: Wire) -> None:
    for _ in range(200):
        if b"\r\n\r\n" in wire.written:
            return
        await asyncio.sleep(0)
    raise AssertionError(wire.written)


def test_a_request_is_answered_and_no_longer_waited_for() -> None:
    async def moves(house: House) -> None:
        made, wire = house.open()
        assert made._waiting is not None
        assert made._waiting.when() - made.loop.time() == pytest.approx(HEAD_SECONDS, abs=1)
        made.data_received(REQUEST)
        assert made._waiting is None
        await answered(wire)
        assert wire.written.startswith(b"HTTP/1.1 200 ")
        made.connection_lost(None)

    play(moves)


def test_the_certificate_of_the_client_says_who_asks() -> None:
    async def moves(house: House) -> None:
        for certificate, status in ((CAROL, b"200"), (None, b"401"), ({}, b"401")):
            made, wire = house.open(certificate)
            made.data_received(UNKNOWN)
            await answered(wire)
            assert wire.written.startswith(b"HTTP/1.1 " + status)
            made.connection_lost(None)

    play(moves)


def test_a_head_that_comes_in_crumbs_is_not_waited_for_anew() -> None:
    async def moves(house: House) -> None:
        made, wire = house.open()
        began = made._waiting
        made.data_received(REQUEST[:10])
        made.data_received(REQUEST[10:20])
        assert made._waiting is began is not None
        began._run()
        assert wire.aborted
        made.connection_lost(None)

    play(moves)


def test_the_next_head_over_a_kept_connection_has_its_time_too() -> None:
    async def moves(house: House) -> None:
        made, wire = house.open()
        made.data_received(REQUEST)
        await answered(wire)
        await asyncio.sleep(0)
        assert made._waiting is None
        made.data_received(REQUEST[:10])
        assert made._waiting is not None
        made.connection_lost(None)
        assert made._waiting is None

    play(moves)


def test_one_connection_too_many_is_ended() -> None:
    async def moves(house: House) -> None:
        opened = [house.open() for _ in range(MOST_CONNECTIONS)]
        assert not any(wire.aborted for _, wire in opened)
        made, wire = house.open()
        assert wire.aborted
        made.connection_lost(None)
        for other, _ in opened:
            other.connection_lost(None)
        assert house.open()[1].aborted is False

    play(moves)


@pytest.mark.parametrize(
    "data", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET /v1/status HTTP/1.1\r\n\r\n"]
)
def test_what_is_not_http_is_answered_as_a_problem(data: bytes) -> None:
    async def moves(house: House) -> None:
        made, wire = house.open()
        made.data_received(data)
        assert wire.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"content-type: application/problem+json\r\n" in wire.written
        assert wire.closed
        made.connection_lost(None)

    play(moves)


def test_garbage_in_the_middle_of_a_request_ends_the_connection() -> None:
    async def moves(house: House) -> None:
        made, wire = house.open()
        made.data_received(
            b"PUT /v1/routes/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnothing a chunk begins with\r\n"
        )
        assert wire.aborted
        assert wire.written == b""
        made.connection_lost(None)
        await asyncio.sleep(0)

    play(moves)


def test_the_limits_are_those_of_a_head() -> None:
    assert connection.HEAD_BYTES == 64 * 1024
