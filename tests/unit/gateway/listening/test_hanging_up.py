"""What is known of a connection that nobody reads."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.gateway.parts import Transport

from jwtgate.gateway.listening.hanging_up import has_ended_its_side, has_gone

Ends = tuple[Any, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A transport of one end, and the other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
    transport = Transport()
    transport.known["socket"] = ours
    yield transport, theirs
    ours.close()
    theirs.close()


def test_a_client_that_is_there_has_not_gone_however_much_it_has_sent(ends: Ends) -> None:
    transport, theirs = ends
    theirs.sendall(b"x" * 1_000)
    assert (has_gone(transport), has_ended_its_side(transport)) == (False, False)


def test_rel_22_an_end_behind_unread_bytes_is_seen(ends: Ends) -> None:
    transport, theirs = ends
    theirs.sendall(b"x" * 1_000)
    theirs.shutdown(socket.SHUT_WR)
    assert (has_gone(transport), has_ended_its_side(transport)) == (False, True)


def test_rel_22_a_reset_is_seen(ends: Ends) -> None:
    transport, theirs = ends
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert (has_gone(transport), has_ended_its_side(transport)) == (True, True)


def test_nothing_is_known_of_what_has_no_descriptor(ends: Ends) -> None:
    transport, _ = ends
    transport.known["socket"].close()
    assert (has_gone(transport), has_ended_its_side(transport)) == (False, False)
    del transport.known["socket"]
    assert (has_gone(transport), has_ended_its_side(transport)) == (False, False)
