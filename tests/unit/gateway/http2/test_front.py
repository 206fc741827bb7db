"""Which protocol a client speaks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.house import House, play
from tests.unit.gateway.parts import Transport, a_generation, a_plan, a_request

from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.http2.frames import PREFACE
from jwtgate.gateway.http2.front import Front
from jwtgate.gateway.http2.server import ServerSession


class Plain(Transport):
    """A transport whose protocol may change, and what TLS agreed on."""

    def __init__(self, agreed: str | None = "") -> None:
        super().__init__()
        self.protocol: Any = None
        if agreed != "":
            self.known["ssl_object"] = self
        self.agreed = agreed

    def selected_alpn_protocol(self) -> str | None:
        return self.agreed

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


def put(house: House, transport: Plain) -> Front:
    front = Front(house.worker, scheme="http", status_only=False)
    transport.protocol = front
    front.connection_made(transport)  # type: ignore[arg-type]
    return front


@pytest.mark.parametrize(
    ("agreed", "kind"), [("h2", ServerSession), ("http/1.1", ClientConnection), (None, ClientConnection)]
)
def test_tls_has_agreed_on_it(agreed: str | None, kind: type) -> None:
    async def run(house: House) -> None:
        transport = Plain(agreed)
        put(house, transport)
        assert isinstance(transport.protocol, kind)
        assert house.worker.count_now().connections_open == 1

    play(run)


@pytest.mark.parametrize("cut", range(1, len(PREFACE)))
def test_the_preface_tells_it_however_it_comes(cut: int) -> None:
    async def run(house: House) -> None:
        transport = Plain()
        put(house, transport)
        transport.protocol.data_received(PREFACE[:cut])
        assert isinstance(transport.protocol, Front)
        transport.protocol.data_received(PREFACE[cut:])
        assert isinstance(transport.protocol, ServerSession)
        assert transport.sent[3] == 4  # SETTINGS
        assert house.worker.count_now().connections_open == 1

    play(run)


@pytest.mark.parametrize("start", [b"GET /open/a", b"POST /open/a", b"PRI /open/a", b"PUT /open/a", b"\r\nGET /open/a"])
def test_anything_else_is_http_1(start: bytes) -> None:
    async def run(house: House) -> None:
        transport = Plain()
        put(house, transport)
        for byte in a_request(start=start):
            transport.protocol.data_received(bytes((byte,)))
        assert isinstance(transport.protocol, ClientConnection)
        assert house.worker.counters.connections == 1

    play(run)


def test_a_connection_is_counted_once_and_leaves_once() -> None:
    async def run(house: House) -> None:
        transport = Plain("http/1.1")
        put(house, transport)
        transport.protocol.connection_lost(None)
        assert (house.worker.counters.connections, house.worker.count_now().connections_open) == (1, 0)

    play(run)


def test_whoever_says_nothing_is_not_waited_for() -> None:
    async def run(house: House) -> None:
        transport = Plain()
        front = put(house, transport)
        front.check_time(front._deadline - 0.1)
        assert not transport.aborted
        front.check_time(front._deadline + 0.1)
        assert transport.aborted
        front.connection_lost(None)
        assert house.worker.count_now().connections_open == 0

    play(run)


def test_time_goes_by_for_what_stands_behind() -> None:
    async def run(house: House) -> None:
        transport = Plain("http/1.1")
        front = put(house, transport)
        front.check_time(transport.protocol.deadline + 0.1)
        assert transport.closed

    play(run)


@pytest.mark.parametrize("agreed", ["", "h2", "http/1.1"])
def test_when_the_worker_leaves_so_does_a_connection_nobody_uses(agreed: str) -> None:
    async def run(house: House) -> None:
        transport = Plain(agreed)
        front = put(house, transport)
        front.leave()
        assert transport.closed or b"farewell" in transport.sent
        front.abort()
        assert transport.aborted

    play(run)


@pytest.mark.parametrize("agreed", ["", "http/1.1"])
def test_rel_17_one_too_many_is_told_to_come_back(agreed: str) -> None:
    async def run(house: House) -> None:
        put(house, Plain("http/1.1"))
        transport = Plain(agreed)
        put(house, transport)
        assert transport.sent.startswith(b"HTTP/1.1 503 ")

    play(run, a_generation(a_plan(limits={"connections": 1})))


def test_rel_17_one_too_many_of_http_2_is_told_so_its_way() -> None:
    async def run(house: House) -> None:
        put(house, Plain("http/1.1"))
        transport = Plain("h2")
        put(house, transport)
        assert transport.sent.endswith(b"overloaded")
        assert transport.ended

    play(run, a_generation(a_plan(limits={"connections": 1})))
