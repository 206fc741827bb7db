"""The Admin API's listener."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ports import free_port
from tests.unit.admin.conftest import LOOKING_TOKEN, OPERATORS, TOKEN
from tests.unit.admin.node import Node

from jwtgate.admin.server import AdminListener
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import Administration


def settings(port: int | None = None) -> Administration:
    return Administration("127.0.0.1", free_port() if port is None else port, OPERATORS)


async def status(port: int, token: str = TOKEN) -> int:
    """The status of an answer, asked for on a thread."""

    def ask() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


def play(moves: Callable[[AdminListener], Awaitable[None]]) -> None:
    async def played() -> None:
        listener = AdminListener(Node())
        try:
            await moves(listener)
        finally:
            await listener.close()

    asyncio.run(played())


def test_it_listens_where_the_document_says_until_it_is_closed() -> None:
    wanted = settings()

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(wanted)
        assert await status(wanted.port) == 200
        await listener.close()
        with pytest.raises(ConnectionRefusedError):
            await status(wanted.port)

    play(moves)


def test_without_settings_nothing_listens() -> None:
    wanted = settings()

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(None)
        await listener.adopt(wanted)
        await listener.adopt(None)
        with pytest.raises(ConnectionRefusedError):
            await status(wanted.port)

    play(moves)


def test_other_operators_are_known_at_once_over_the_same_listener() -> None:
    wanted = settings()

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(wanted)
        before = listener._running
        await listener.adopt(replace(wanted, operators=OPERATORS[1:]))
        assert listener._running is before
        assert (await status(wanted.port), await status(wanted.port, LOOKING_TOKEN)) == (401, 200)

    play(moves)


def test_it_moves_to_another_address() -> None:
    first, second = settings(), settings()

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(first)
        await listener.adopt(second)
        assert await status(second.port) == 200
        with pytest.raises(ConnectionRefusedError):
            await status(first.port)

    play(moves)


def test_an_address_that_is_taken_leaves_it_where_it_was() -> None:
    wanted = settings()

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(wanted)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match=f"admin.listen: 127.0.0.1:{port}: "):
                await listener.adopt(settings(port))
        assert await status(wanted.port) == 200

    play(moves)


def test_a_certificate_that_cannot_be_read_leaves_it_as_it_was(tmp_path: Path) -> None:
    wanted = settings()
    file = tmp_path / "certificate.pem"
    file.write_text("no certificate")

    async def moves(listener: AdminListener) -> None:
        await listener.adopt(wanted)
        for path in (str(file), str(tmp_path / "nothing.pem")):
            with pytest.raises(ConfigError, match=r"admin\.tls: "):
                await listener.adopt(replace(wanted, certificate_file=path, private_key_file=path))
        assert await status(wanted.port) == 200

    play(moves)


def test_signals_stay_with_the_supervisor() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    seen = []

    async def moves(listener: AdminListener) -> None:
        wanted = settings()
        await listener.adopt(wanted)
        assert await status(wanted.port) == 200
        seen.extend(signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT))

    play(moves)
    # asyncio.run has its own handler of SIGINT while it runs.
    assert seen[0] == before[0]
    assert "uvicorn" not in str(seen[1])
