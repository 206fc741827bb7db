"""Names of targets with a real name server: their TTL holds, and what was known holds while it fails (REL-15)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from jwtgate.gateway.heads.fields import CallFieldKinds
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.name_servers import Found, NameServers
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.traffic.upstreams import Target, Upstream

from .name_server import NameServer, Record

HOST = "orders.example"
OTHER_SOURCE = "printer.example"
MOST_SECONDS = 20.0


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


async def system(host: str) -> Found:
    """Knows one name that no name server does."""
    if host != OTHER_SOURCE:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return Found(("10.0.0.7",))


def look_up(server: NameServer, host: str = HOST) -> Found:
    return uvloop.run(NameServers((server.address,), seconds=1.0, system=system).look_up(host))


def test_rel_15_the_shortest_ttl_of_an_answer_is_told(server: NameServer) -> None:
    server.names[HOST] = [Record("127.0.0.2", 60), Record("127.0.0.3", 60), Record("fd00::1", 20)]
    found = look_up(server)
    assert (set(found.addresses), found.ttl) == ({"127.0.0.2", "127.0.0.3", "fd00::1"}, 20)
    server.names[HOST] = [Record("real.example", 5), Record("127.0.0.2", 60)]
    assert look_up(server) == Found(("127.0.0.2",), 5)
    server.names[HOST] = [Record("127.0.0.2", 0)]
    assert look_up(server) == Found(("127.0.0.2",), 0)


def test_rel_15_that_a_name_has_no_address_is_not_remembered(server: NameServer) -> None:
    server.names[HOST] = []
    with pytest.raises(socket.gaierror):
        look_up(server)
    server.names[HOST] = [Record("127.0.0.2", 60)]
    assert look_up(server).addresses == ("127.0.0.2",)


def test_a_name_that_does_not_exist_is_asked_of_the_system(server: NameServer) -> None:
    assert look_up(server, OTHER_SOURCE) == Found(("10.0.0.7",), None)
    with pytest.raises(socket.gaierror):
        look_up(server)
    assert server.asked[HOST] >= 1


def test_rel_15_a_silent_name_server_is_given_up(server: NameServer) -> None:
    server.is_silent = True
    with pytest.raises(OSError, match="Timeout"):
        look_up(server, OTHER_SOURCE)
    assert server.asked[OTHER_SOURCE] >= 1


def test_a_name_of_the_hosts_file_has_no_ttl_and_is_asked_of_nobody(server: NameServer) -> None:
    lines = (line.partition("#")[0].split() for line in Path("/etc/hosts").read_text().splitlines())
    named = {name: fields[0] for fields in lines for name in fields[1:] if "localhost" not in name}
    if not named:
        pytest.skip("/etc/hosts names nothing but localhost")
    host, address = next(iter(named.items()))
    found = look_up(server, host)
    assert address in found.addresses
    assert found.ttl is None
    assert not server.asked


class Scene:
    """An upstream of one name, the pool of its target, and a server at each of two addresses."""

    def __init__(self, server: NameServer, port: int) -> None:
        self.server = server
        upstream = Upstream("orders", (Target(HOST, port, tls=False, authority=HOST),))
        self.roster = Roster(upstream, look_up=NameServers((server.address,), seconds=1.0, system=system).look_up)
        self.pool: Pool = Balancer(self.roster, response_kinds=CallFieldKinds()).pools[0]
        self.name = self.roster.names[upstream.targets[0]]

    async def reached(self) -> str:
        """The address a new connection leads to."""
        connection = await self.pool.connect(1.0)
        try:
            return str(connection.transport.get_extra_info("peername")[0])
        finally:
            connection.drop()

    async def until(self, is_so: Callable[[], bool]) -> float:
        """Ticks, as those of a worker, until it is so; when that was."""
        last = time.monotonic() + MOST_SECONDS
        while not is_so():
            assert time.monotonic() < last
            self.roster.look()
            await asyncio.sleep(0.02)
        return time.monotonic()


@asynccontextmanager
async def scene(server: NameServer) -> AsyncIterator[Scene]:
    first = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.2", 0)
    port = first.sockets[0].getsockname()[1]
    second = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.3", port)
    async with first, second:
        yield Scene(server, port)


def test_rel_15_connections_follow_a_name_once_its_ttl_is_over(server: NameServer) -> None:
    async def life() -> None:
        server.names[HOST] = [Record("127.0.0.2", 1)]
        async with scene(server) as at:
            begun = time.monotonic()
            assert await at.reached() == "127.0.0.2"
            server.names[HOST] = [Record("127.0.0.3", 60)]
            assert await at.reached() == "127.0.0.2"
            assert await at.until(lambda: at.name.addresses == ("127.0.0.3",)) >= begun + 1.0
            assert await at.reached() == "127.0.0.3"
            assert server.asked[HOST] == 2

    uvloop.run(life())


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "no such name"])
def test_rel_15_the_last_good_answer_holds_while_the_name_server_fails(server: NameServer, is_silent: bool) -> None:
    async def life() -> None:
        server.names[HOST] = [Record("127.0.0.2", 1)]
        async with scene(server) as at:
            assert await at.reached() == "127.0.0.2"
            server.is_silent = is_silent
            del server.names[HOST]
            await at.until(lambda: at.name.is_stale)
            assert await at.reached() == "127.0.0.2"
            server.is_silent = False
            server.names[HOST] = [Record("127.0.0.3", 60)]
            await at.until(lambda: not at.name.is_stale)
            assert await at.reached() == "127.0.0.3"

    uvloop.run(life())


def test_rel_15_the_loop_goes_on_while_a_first_look_up_waits(server: NameServer) -> None:
    async def life() -> None:
        server.is_silent = True
        async with scene(server) as at:
            waiting = asyncio.create_task(at.name.in_turn())
            turns = 0
            while not waiting.done():
                turns += 1
                await asyncio.sleep(0.01)
            assert isinstance(waiting.exception(), OSError)
            assert turns > 3

    uvloop.run(life())
