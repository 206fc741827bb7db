"""What no name server is asked for, and what becomes of one that cannot be reached."""

from __future__ import annotations

import asyncio
import socket

import pytest

from jwtgate.gateway.upstreams.name_servers import Found, NameServers, system_look_up

NOBODY = ("127.0.0.1:1",)
asked: list[str] = []


async def system(host: str) -> Found:
    asked.append(host)
    return Found(("10.0.0.1",))


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def look_up(host: str) -> Found:
    return asyncio.run(NameServers(NOBODY, seconds=1.0, system=system).look_up(host))


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost.", "a.localhost"])
def test_the_system_is_asked_for_this_machine(host: str) -> None:
    assert look_up(host) == Found(("10.0.0.1",), None)
    assert asked == [host]


@pytest.mark.parametrize("host", ["localhost.example", "notlocalhost.example"])
def test_rel_15_a_name_server_that_cannot_be_reached_is_an_error_and_nobody_else_is_asked(host: str) -> None:
    with pytest.raises(OSError, match="DNS") as caught:
        look_up(host)
    assert not isinstance(caught.value, socket.gaierror)
    assert asked == []


@pytest.mark.parametrize("host", ["a..example", "a" * 64 + ".example"])
def test_what_cannot_be_a_name_is_asked_of_nobody(host: str) -> None:
    with pytest.raises(UnicodeError):
        look_up(host)
    assert asked == []


def test_the_system_knows_this_machine_and_tells_no_ttl() -> None:
    found = asyncio.run(system_look_up("localhost"))
    assert set(found.addresses) <= {"127.0.0.1", "::1"}
    assert len(found.addresses) == len(set(found.addresses)) > 0
    assert found.ttl is None
